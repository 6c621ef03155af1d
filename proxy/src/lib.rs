//! How the bytes of an RDP session arrive and leave: relay, recorder, scripted peers.

//! What fails around a proxy while sessions go on: the resolver, an interface. Others go on, and it is said what happened.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use proxy::lab::wire;
use serde_json::Value;

use crate::support::netns::{CLIENT, Pair, SERVER};
use crate::support::process::{Outcome, with_peers};
use crate::support::program::{Proxy, analyze, program};

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A session whose client waits for the server's Connect-Response: both of its ends.
fn session(mut client: TcpStream, server: &TcpListener) -> Outcome<(TcpStream, TcpStream)> {
    let (mut served, _) = server.accept()?;
    for stream in [&client, &served] {
        stream.set_read_timeout(Some(SOON))?;
    }
    say(&mut client, &mut served, &wire::connection_request("alice", None))?;
    say(&mut served, &mut client, &wire::connection_confirm(None))?;
    say(&mut client, &mut served, &wire::connect_initial(0))?;
    Ok((client, served))
}

/// What is said at one end of a session is heard at the other.
fn say(from: &mut TcpStream, to: &mut TcpStream, what: &[u8]) -> Outcome<()> {
    from.write_all(what)?;
    let mut heard = vec![0; what.len()];
    to.read_exact(&mut heard)?;
    assert_eq!(heard, what);
    Ok(())
}

/// What is said of each session, by its client's port.
fn verdict(recordings: &[PathBuf], client: SocketAddr) -> Outcome<Value> {
    let (_, document) = analyze(recordings)?;
    let attempts = document["attempts"].as_array().cloned().unwrap_or_default();
    let sessions = attempts.iter().flat_map(|attempt| attempt["sessions"].as_array().cloned().unwrap_or_default());
    let mut of = sessions.filter(|session| session["client"] == client.to_string().as_str());
    Ok(of.next().unwrap_or_default())
}

#[test]
fn a_resolver_that_hangs_keeps_nobody_waiting_who_has_a_server() {
    with_peers("a_resolver_that_hangs_keeps_nobody_waiting_who_has_a_server", || {
        let pair = Pair::new()?;
        let server = pair.opened_by_server(|| TcpListener::bind((SERVER, 3389)))?;
        // Nobody is there to answer a question about a name, and nobody says so.
        let names = pair.names(&format!("127.0.0.1 localhost\n{SERVER} desk.lab.test\n"), "127.0.0.99")?;
        let mute = pair.opened_by_client(|| std::net::UdpSocket::bind("127.0.0.99:53"))?;
        let mut command = pair.on_client(program());
        command.args(["proxy", "--to", "desk.lab.test"]);
        let proxy = Proxy::run(command)?;
        let connect = || pair.opened_by_client(|| TcpStream::connect(("127.0.0.1", proxy.port)));
        let (mut client, mut served) = session(connect()?, &server)?;
        names.say("hosts", "127.0.0.1 localhost\n")?;
        let waiting = connect()?;
        let asked = waiting.local_addr()?;
        mute.set_read_timeout(Some(SOON))?;
        mute.recv(&mut [0; 512])?;
        std::thread::sleep(Duration::from_secs(4));
        say(&mut served, &mut client, &wire::connect_response(0))?;
        drop(waiting);
        std::thread::sleep(Duration::from_secs(2)); // It may have said all it had to say: a FIN is no departure at once.
        say(&mut client, &mut served, &wire::erect_domain())?;
        drop((client, served));
        let finished = proxy.finish()?;
        let given_up = verdict(&finished.recordings, asked)?;
        let said = ["/findings/0/cause", "/end/phase", "/end/by"]
            .map(|pointer| given_up.pointer(pointer).and_then(Value::as_str).unwrap_or("?"));
        assert_eq!(said, ["DNS-SLOW", "name-resolution", "client"], "{given_up:#}\n{}", finished.output);
        Ok(())
    });
}

#[test]
fn an_interface_that_goes_down_takes_its_own_sessions_and_no_other() {
    with_peers("an_interface_that_goes_down_takes_its_own_sessions_and_no_other", || {
        let pair = Pair::new()?;
        let server = pair.opened_by_client(|| TcpListener::bind("127.0.0.1:3389"))?;
        let mut command = pair.on_client(program());
        command.args(["proxy", "--to", "localhost", "--connect-to", "127.0.0.1"]);
        let proxy = Proxy::run_at(command, "0.0.0.0")?;
        let far = pair.opened_by_server(|| TcpStream::connect((CLIENT, proxy.port)))?;
        let (mut far, mut served_far) = session(far, &server)?;
        let near = pair.opened_by_client(|| TcpStream::connect(("127.0.0.1", proxy.port)))?;
        let (mut near, mut served_near) = session(near, &server)?;
        pair.plug(false)?;
        served_far.write_all(&wire::connect_response(0))?;
        say(&mut served_near, &mut near, &wire::connect_response(0))?;
        std::thread::sleep(Duration::from_secs(7));
        say(&mut near, &mut served_near, &wire::erect_domain())?;
        let own = far.local_addr()?;
        let finished = proxy.finish()?;
        let cut = verdict(&finished.recordings, own)?;
        assert_eq!((&cut["outcome"], &cut["findings"]), (&"unfinished".into(), &serde_json::json!([])), "{cut:#}");
        let front = &cut["legs"][0];
        assert_eq!(front["leg"], "front");
        assert!(front["path"]["backoff"].as_u64() >= Some(4), "its kernel tries again and again: {front:#}");
        assert_eq!(front["discarded_bytes"], wire::connect_response(0).len(), "none of it was delivered");
        far.set_nonblocking(true)?;
        assert!(far.read(&mut [0; 1]).is_err(), "it heard nothing");
        Ok(())
    });
}

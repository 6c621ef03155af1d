#![no_main]
#[path = "../oracles.rs"]
#[allow(dead_code)] // Each target takes one of them.
mod oracles;
libfuzzer_sys::fuzz_target!(|data: &[u8]| oracles::link(data));

//! Servers that cannot be reached, in namespaces: first that these do what they say, measured with bash alone, then
//! what the proxy says of them.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::support::netns::{ELSEWHERE, Pair, SERVER, Syn};
use super::support::process::{Outcome, with_peers};
use super::support::program::{Proxy, analyze, program};

/// What bash says about one connection attempt from the client's side, and how long it took.
fn connect(pair: &Pair, address: &str, port: u16) -> Outcome<(String, Duration)> {
    let began = Instant::now();
    let script = format!("exec 3<>/dev/tcp/{address}/{port} && echo connected");
    let output = pair.on_client("/bin/bash").args(["-c", &script]).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok((said, began.elapsed()))
}

#[test]
fn each_answer_to_a_syn_is_what_it_says() {
    with_peers("each_answer_to_a_syn_is_what_it_says", || {
        let pair = Pair::new()?;
        pair.syn_retries(1)?;
        for (port, syn, says, at_least) in [
            (4001, Syn::Dropped, "timed out", 2),
            (4002, Syn::HostUnreachable, "No route to host", 0),
            (4003, Syn::Prohibited, "No route to host", 0),
            (4004, Syn::Reset, "refused", 0),
        ] {
            pair.answer_syn(port, syn)?;
            let (said, took) = connect(&pair, SERVER, port)?;
            println!("{syn:?}: {took:?}: {said}");
            assert!(said.contains(says), "{syn:?}: {said}");
            assert!(took >= Duration::from_secs(at_least), "{syn:?} after {took:?}");
        }
        let (said, took) = connect(&pair, ELSEWHERE, 4005)?;
        println!("no route: {took:?}: {said}");
        assert!(said.contains("Network is unreachable"), "{said}");
        Ok(())
    });
}

/// A client in the client's namespace that connects to the proxy and waits until it is hung up on.
fn wait_for_the_end(pair: &Pair, port: u16) -> Outcome<()> {
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3");
    pair.on_client("/bin/bash").args(["-c", &script]).stdin(Stdio::null()).output()?;
    Ok(())
}

/// The proxy in the client's namespace, and what it says of a server there that cannot be reached.
fn unreachable(pair: &Pair, to: &str, expected: [&str; 5]) -> Outcome<()> {
    let mut command = pair.on_client(program().to_str().expect("a path in UTF-8"));
    command.args(["proxy", "--to", to, "--connect-timeout", "3"]);
    let proxy = Proxy::run(command)?;
    wait_for_the_end(pair, proxy.port)?;
    let finished = proxy.finish()?;
    let (code, document) = analyze(&finished.recordings)?;
    let session = &document["attempts"][0]["sessions"][0];
    let text = |pointer: &str| session.pointer(pointer).and_then(|value| value.as_str()).unwrap_or("?").to_owned();
    let said = ["/findings/0/cause", "/end/how", "/end/leg", "/direct_equivalent", "/end/phase"].map(text);
    assert_eq!(said, expected, "{document:#}\n{}", finished.output);
    assert_eq!(code, Some(1));
    Ok(())
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    with_peers("a_server_that_cannot_be_reached_is_named", || {
        let pair = Pair::new()?;
        pair.answer_syn(4001, Syn::Dropped)?;
        pair.answer_syn(4002, Syn::HostUnreachable)?;
        pair.answer_syn(4003, Syn::Prohibited)?;
        pair.answer_syn(4004, Syn::Reset)?;
        unreachable(&pair, "10.77.0.2:4001", ["TCP-DROP", "timeout", "back", "0x204", "tcp"])?;
        unreachable(&pair, "10.77.0.2:4002", ["TCP-ICMP", "unreachable", "back", "0x204", "tcp"])?;
        unreachable(&pair, "10.77.0.2:4003", ["TCP-ICMP", "unreachable", "back", "0x204", "tcp"])?;
        unreachable(&pair, "10.77.0.2:4004", ["TCP-REFUSED", "refused", "back", "0x204", "tcp"])?;
        unreachable(&pair, "10.78.0.1:4005", ["TCP-ICMP", "unreachable", "back", "0x204", "tcp"])?;
        unreachable(&pair, "no-such-host.invalid", ["DNS-NX", "unresolved", "back", "0x104", "name-resolution"])?;
        Ok(())
    });
}

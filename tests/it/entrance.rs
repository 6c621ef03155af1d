//! Clients that know nothing of the proxy: a router's rules bring them, redirected or by TPROXY. Three namespaces, and the rules
//! that the program prints.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proxy::lab::wire;
use serde_json::Value;

use crate::support::netns::opened_in;
use crate::support::process::{Folder, Outcome, Process, Trouble, need_root, program as found, with_peers};
use crate::support::program::{analyze, program, recordings};

const CLIENT: &str = "10.79.1.1";
const ROUTER: &str = "10.79.1.2";
const SERVER: &str = "10.79.2.1";
/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A client's network and a server's, and a router between them.
struct Routed {
    client: String,
    router: String,
    server: String,
}

impl Routed {
    fn new() -> Outcome<Routed> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        need_root("network namespaces")?;
        found("nft")?;
        let id = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = |of: &str| format!("rdpscope-{of}-{id}");
        let routed = Routed { client: name("ec"), router: name("er"), server: name("es") };
        let Routed { client, router, server } = &routed;
        sh(&format!("ip netns add {client} && ip netns add {router} && ip netns add {server}"))
            .map_err(|trouble| Trouble::Missing(format!("network namespaces: {trouble}")))?;
        sh(&format!(
            "set -e
             ip -n {client} link add to type veth peer name clients netns {router}
             ip -n {server} link add to type veth peer name servers netns {router}
             ip -n {client} address add {CLIENT}/24 dev to; ip -n {router} address add {ROUTER}/24 dev clients
             ip -n {server} address add {SERVER}/24 dev to; ip -n {router} address add 10.79.2.2/24 dev servers
             for at in {client} {router} {server}; do ip -n $at link set lo up; done
             ip -n {client} link set to up; ip -n {server} link set to up
             ip -n {router} link set clients up; ip -n {router} link set servers up
             ip -n {client} route add default via {ROUTER}; ip -n {server} route add default via 10.79.2.2
             ip netns exec {router} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'"
        ))?;
        Ok(routed)
    }

    /// The proxy on the router, brought its clients by the rules that it prints.
    fn proxy(&self, flags: &[&str], folder: &Path) -> Outcome<Process> {
        let mut rules = Command::new(program());
        rules.args(["proxy", "--listen", "0.0.0.0:3390", "--print-rules"]).args(flags);
        let rules = String::from_utf8_lossy(&rules.output()?.stdout).into_owned();
        sh(&format!("ip netns exec {} sh -e <<'PRINTED'\n{rules}\nPRINTED", self.router))?;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.router]).arg(program());
        command.args(["proxy", "--listen", "0.0.0.0:3390", "--out"]).arg(folder.join("out")).args(flags);
        let mut process = Process::start(command.stdin(Stdio::null()), folder)?;
        process.wait_ready(|process| process.output().contains("Ctrl-C ends").then_some(()))?;
        Ok(process)
    }
}

impl Drop for Routed {
    fn drop(&mut self) {
        for name in [&self.client, &self.router, &self.server] {
            let _gone = sh(&format!("ip netns delete {name}"));
        }
    }
}

fn sh(script: &str) -> Outcome<()> {
    let output = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(Trouble::Failed(format!("{said} by {script}"))) }
}

/// A client asks the server on its own address for a session. Whom the server sees, whom the client does, and what is said of it.
fn through(flags: &[&str]) -> Outcome<(SocketAddr, SocketAddr, SocketAddr, Value)> {
    let folder = Folder::new()?;
    let routed = Routed::new()?;
    let listener = opened_in(&routed.server, || TcpListener::bind((SERVER, 3389)))?;
    let mut proxy = routed.proxy(flags, folder.path())?;
    let mut client = opened_in(&routed.client, || TcpStream::connect((SERVER, 3389)))?;
    let (mut served, seen) = listener.accept()?;
    for stream in [&client, &served] {
        stream.set_read_timeout(Some(SOON))?;
    }
    client.write_all(&wire::connection_request("alice", Some(1)))?;
    served.read_exact(&mut [0; 30])?;
    served.write_all(&wire::connection_confirm(Some(1)))?;
    client.read_exact(&mut [0; 19])?;
    let (own, peer) = (client.local_addr()?, client.peer_addr()?);
    drop((client, served));
    // Whoever comes to the listener itself was not going anywhere.
    let mut astray = opened_in(&routed.client, || TcpStream::connect((ROUTER, 3390)))?;
    astray.set_read_timeout(Some(SOON))?;
    let ended = astray.read(&mut [0; 1]);
    assert!(ended.is_err(), "{ended:?}");
    proxy.signal("INT")?;
    let code = proxy.wait(SOON)?;
    let output = proxy.output();
    assert!(code.success() && output.contains("came by itself"), "{output}");
    let (_, document) = analyze(&recordings(&folder.path().join("out"))?)?;
    Ok((seen, own, peer, document["attempts"][0]["sessions"][0].clone()))
}

#[test]
fn a_redirected_client_reaches_whom_it_asked_for() {
    with_peers("a_redirected_client_reaches_whom_it_asked_for", || {
        let (seen, own, peer, session) = through(&["--redirect"])?;
        assert_eq!((own.ip().to_string(), peer.to_string()), (CLIENT.into(), format!("{SERVER}:3389")));
        assert_eq!(seen.ip().to_string(), "10.79.2.2", "the server sees the router");
        assert_eq!(
            (&session["server"], &session["facts"]["selected"]),
            (&Value::from("10.79.2.1:3389"), &"SSL".into())
        );
        Ok(())
    });
}

#[test]
fn by_tproxy_the_server_sees_the_client_from_another_port() {
    with_peers("by_tproxy_the_server_sees_the_client_from_another_port", || {
        let (seen, own, peer, session) = through(&["--transparent", "--to", "rdp.lab.test"])?;
        assert_eq!((own.ip().to_string(), peer.to_string()), (CLIENT.into(), format!("{SERVER}:3389")));
        assert_eq!(seen.ip().to_string(), CLIENT, "the server sees the client");
        assert_ne!(seen.port(), own.port(), "and the legs can be told apart in a capture");
        assert_eq!(session["server_name"], "rdp.lab.test", "{session}");
        let leg =
            |place: usize| [&session["legs"][place]["client"], &session["legs"][place]["server"]].map(Value::to_string);
        let of = |client: SocketAddr| [client.to_string(), format!("{SERVER}:3389")].map(|end| format!("{end:?}"));
        assert_eq!((leg(0), leg(1)), (of(own), of(seen)), "both legs have the client's address and the server's");
        Ok(())
    });
}

#[test]
fn rules_are_of_a_way_to_come_in() {
    let said = Command::new(program()).args(["proxy", "--to", "server", "--print-rules"]).output().expect("run");
    let says = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(2));
    assert!(says.contains("--print-rules expects --redirect or --transparent"), "{says}");
    let said = Command::new(program()).args(["proxy"]).output().expect("run");
    assert_eq!(said.status.code(), Some(2), "without --to nobody knows where to");
}

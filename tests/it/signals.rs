//! However a program that runs for long is asked to end: recordings are closed, the report is written, the summary printed.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use proxy::lab::wire;

use crate::support::process::{Folder, Outcome, Process, free_port, with_peers};
use crate::support::program::{Finished, Proxy, program};

/// A proxy with a session that goes on, which is then sent this; and whether it wrote its report.
fn ended_by(signal: &str, flags: &[&str]) -> Outcome<(Finished, String)> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let folder = Folder::new()?;
    let report = folder.path().join("report.html");
    let mut command = Command::new(program());
    command.args(["proxy", "--to", &server.local_addr()?.to_string(), "--report"]).arg(&report).args(flags);
    let proxy = Proxy::run(command)?;
    let mut client = TcpStream::connect(("127.0.0.1", proxy.port))?;
    let request = wire::connection_request("alice", None);
    client.write_all(&request)?;
    let (mut served, _) = server.accept()?;
    served.read_exact(&mut vec![0; request.len()])?;
    let finished = proxy.end(signal)?;
    // What was under way is reset, not forgotten.
    let mut rest = Vec::new();
    assert!(client.read_to_end(&mut rest).is_err() && rest.is_empty());
    Ok((finished, std::fs::read_to_string(&report).unwrap_or_default()))
}

#[test]
fn every_way_of_asking_ends_in_order() {
    with_peers("every_way_of_asking_ends_in_order", || {
        for signal in ["INT", "TERM", "HUP"] {
            let (finished, report) = ended_by(signal, &[])?;
            assert_eq!(finished.code, Some(0), "{signal}: {}", finished.output);
            assert!(finished.output.contains("1 attempt"), "{signal}: {}", finished.output);
            assert!(report.contains("<html") && report.trim_end().ends_with("</html>"), "{signal}: {report}");
            let [recording] = &finished.recordings[..] else { panic!("{signal}: {:?}", finished.recordings) };
            let closing = String::from_utf8_lossy(&std::fs::read(recording)?).into_owned();
            assert!(closing.contains("rdpscope: end") && closing.contains("verdict: "), "{signal}");
        }
        Ok(())
    });
}

/// A terminal that goes away says so more than once: that is no hurry.
#[test]
fn a_second_hangup_ends_nothing_sooner() {
    with_peers("a_second_hangup_ends_nothing_sooner", || {
        let server = TcpListener::bind("127.0.0.1:0")?;
        let mut command = Command::new(program());
        command.args(["proxy", "--to", &server.local_addr()?.to_string()]);
        let proxy = Proxy::run(command)?;
        let _client = TcpStream::connect(("127.0.0.1", proxy.port))?;
        proxy.signal("HUP")?;
        proxy.signal("HUP")?;
        let finished = proxy.end("HUP")?;
        assert_eq!(finished.code, Some(0), "{}", finished.output);
        Ok(())
    });
}

/// nohup means what it says.
#[test]
fn who_is_to_go_on_without_a_terminal_goes_on() {
    with_peers("who_is_to_go_on_without_a_terminal_goes_on", || {
        let server = TcpListener::bind("127.0.0.1:0")?;
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(program());
        command.args(["proxy", "--to", &server.local_addr()?.to_string()]);
        let proxy = Proxy::run(command)?;
        proxy.signal("HUP")?;
        std::thread::sleep(Duration::from_millis(500));
        let _client = TcpStream::connect(("127.0.0.1", proxy.port))?;
        let (_served, _) = server.accept()?;
        let finished = proxy.end("TERM")?;
        assert_eq!(finished.code, Some(0), "{}", finished.output);
        Ok(())
    });
}

#[test]
fn the_lab_ends_as_it_does_by_ctrl_c() {
    with_peers("the_lab_ends_as_it_does_by_ctrl_c", || {
        for signal in ["INT", "TERM", "HUP"] {
            let (folder, port) = (Folder::new()?, free_port()?);
            let mut command = Command::new(program());
            command.args(["lab", "healthy-tls12", "--listen", &format!("127.0.0.1:{port}")]);
            let mut lab = Process::start(&mut command, folder.path())?;
            lab.wait_bound(port)?;
            // It waits for signals a moment after it listens.
            std::thread::sleep(Duration::from_millis(300));
            lab.signal(signal)?;
            let status = lab.wait(Duration::from_secs(10))?;
            assert_eq!(status.code(), Some(0), "{signal}: {}", lab.output());
        }
        Ok(())
    });
}

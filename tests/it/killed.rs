//! Processes that are killed in a running session, at either end: directly, under interception, and behind relays of others.
//!
//! A server that dies says nothing: its kernel sends a FIN, and a relay passes that on or makes one of its own. Nothing of it is
//! an end in order. A client that dies leaves a server that did nothing wrong.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::peers::{Certificate, PASSWORD, Screen, Security, Server, Then, xfreerdp, xfreerdp_killed};
use crate::support::process::{Folder, Outcome, Process, Trouble, free_port, program as found, with_peers};
use crate::support::program::{Proxy, analyze, program};

const TLS: Security = Security::Tls("TLSv1.2");

/// A relay of others before a port, with what it needs.
struct Relay {
    port: u16,
    _processes: Vec<Process>,
    _folder: Folder,
}

type Start = fn(u16, u16, &Folder) -> Outcome<Vec<Command>>;

impl Relay {
    fn before(to: u16, start: Start) -> Outcome<Relay> {
        let (folder, port) = (Folder::new()?, free_port()?);
        let mut processes = Vec::new();
        for mut command in start(port, to, &folder)? {
            processes.push(Process::start(command.stdin(Stdio::null()), folder.path())?);
        }
        let last = processes.last_mut().ok_or_else(|| Trouble::Failed("no relay".into()))?;
        last.wait_bound(port)?;
        Ok(Relay { port, _processes: processes, _folder: folder })
    }
}

fn haproxy(port: u16, to: u16, folder: &Folder) -> Outcome<Vec<Command>> {
    let config = folder.write(
        "haproxy.cfg",
        &format!(
            "defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n\
             listen test\n  bind 127.0.0.1:{port}\n  server s 127.0.0.1:{to}\n"
        ),
    )?;
    let mut command = Command::new(found("haproxy")?);
    command.args(["-db", "-f"]).arg(config);
    Ok(vec![command])
}

fn nginx(port: u16, to: u16, folder: &Folder) -> Outcome<Vec<Command>> {
    let nginx = found("nginx")?;
    let module = "/usr/lib/nginx/modules/ngx_stream_module.so";
    if !fs::exists(module)? {
        return Err(Trouble::Missing(format!("{module} (scripts/test installs it)")));
    }
    let config = format!(
        "load_module {module}; daemon off; master_process off; pid {0}/nginx.pid; error_log stderr;\n\
         events {{}}\nstream {{ server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{to}; }} }}\n",
        folder.path().display()
    );
    let mut command = Command::new(nginx);
    command.arg("-c").arg(folder.write("nginx.conf", &config)?);
    Ok(vec![command])
}

fn socat(port: u16, to: u16, _: &Folder) -> Outcome<Vec<Command>> {
    let mut command = Command::new(found("socat")?);
    command.args([format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr"), format!("TCP:127.0.0.1:{to}")]);
    Ok(vec![command])
}

/// A server of one's own on the far side, and `ssh -L` on the near one.
fn ssh(port: u16, to: u16, folder: &Folder) -> Outcome<Vec<Command>> {
    let (sshd, ssh, far) = (found("sshd")?, found("ssh")?, free_port()?);
    let key = |name: &str| {
        let path = folder.path().join(name);
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status()?;
        Ok::<_, Trouble>(path)
    };
    let (host, user) = (key("host")?, key("user")?);
    // Where sshd puts what it does without rights; Debian makes it when the service starts.
    Command::new("install").args(["-d", "-m", "755", "/run/sshd"]).status()?;
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {far}\nHostKey {}\nAuthorizedKeysFile {}.pub\nStrictModes no\nUsePAM no\n\
         PermitRootLogin yes\nPidFile none\n",
        host.display(),
        user.display()
    );
    let mut server = Command::new(sshd);
    server.args(["-D", "-e", "-f"]).arg(folder.write("sshd_config", &config)?);
    let mut client = Command::new("sh");
    // It may come before its server listens.
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do \"$@\"; sleep 0.3; done";
    client.args(["-c", script, "ssh"]).arg(ssh).args(["-N", "-F", "none", "-i"]).arg(user);
    client.args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]);
    client.args(["-L", &format!("127.0.0.1:{port}:127.0.0.1:{to}"), "-p", &far.to_string(), "root@127.0.0.1"]);
    Ok(vec![server, client])
}

/// TLS around the connection: one stunnel on the far side, one on the near one.
fn stunnel(port: u16, to: u16, folder: &Folder) -> Outcome<Vec<Command>> {
    let (stunnel, far) = (found("stunnel4")?, free_port()?);
    let Certificate { certificate, key } = Certificate::make(folder)?;
    let both = "foreground = yes\npid =\n[test]\n";
    let server = format!(
        "{both}accept = 127.0.0.1:{far}\nconnect = 127.0.0.1:{to}\ncert = {}\nkey = {}\n",
        certificate.display(),
        key.display()
    );
    let client = format!("{both}client = yes\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{far}\n");
    let run = |name: &str, config: &str| {
        let mut command = Command::new(&stunnel);
        command.arg(folder.write(name, config)?);
        Ok::<_, Trouble>(command)
    };
    Ok(vec![run("server.conf", &server)?, run("client.conf", &client)?])
}

/// The one session of the proxy's recordings.
fn session(proxy: Proxy) -> Outcome<Value> {
    let finished = proxy.finish()?;
    let (_, document) = analyze(&finished.recordings)?;
    let attempts = document["attempts"].as_array().cloned().unwrap_or_default();
    let [attempt] = &attempts[..] else { return Err(Trouble::Failed(format!("{} attempts", attempts.len()))) };
    let session = attempt["sessions"].as_array().and_then(|sessions| sessions.last()).cloned().unwrap_or_default();
    let (outcome, verdict) = (&session["outcome"], session["verdict"].as_str().unwrap_or_default());
    let live = finished.output.replace('\n', " ");
    let said = outcome.as_str().unwrap_or_default();
    assert!(live.contains(said), "live is said something else than {outcome} {verdict}:\n{}", finished.output);
    Ok(session)
}

/// xfreerdp stays until its server, behind whatever stands there, is killed.
fn killed(screen: &Screen, server: Server, proxy: Proxy) -> Outcome<Value> {
    std::thread::scope(|scope| {
        let client = scope.spawn(|| xfreerdp(screen, proxy.port, TLS, PASSWORD, Then::Stay));
        let active = proxy.wait_active();
        server.kill()?;
        let client = client.join().map_err(|_| Trouble::Failed("the client's thread died".into()))??;
        active?;
        assert_ne!(client.code, Some(0), "{}", client.output);
        Ok::<(), Trouble>(())
    })?;
    session(proxy)
}

fn is_broken_by_the_server(way: &str, session: &Value) {
    let finding = &session["findings"][0];
    assert_eq!(session["outcome"], "broken", "{way}: {session:#}");
    let cause = finding["cause"].as_str().unwrap_or_default();
    assert!(["SES-KILLED", "SES-SHUTDOWN"].contains(&cause), "{way}: {finding:#}");
    assert_eq!((&finding["by"], &finding["phase"]), (&"server".into(), &"active".into()), "{way}: {finding:#}");
}

#[test]
fn an_xrdp_that_is_killed_breaks_its_session_whatever_stands_before_it() {
    with_peers("an_xrdp_that_is_killed_breaks_its_session_whatever_stands_before_it", || {
        let screen = Screen::start()?;
        let ways: [(&str, Start); 5] =
            [("HAProxy", haproxy), ("nginx", nginx), ("socat", socat), ("ssh -L", ssh), ("stunnel", stunnel)];
        let direct = Server::xrdp(TLS)?;
        let proxy = Proxy::before(direct.port)?;
        is_broken_by_the_server("directly", &killed(&screen, direct, proxy)?);
        for (way, start) in ways {
            let server = Server::xrdp(TLS)?;
            let relay = Relay::before(server.port, start)?;
            let proxy = Proxy::before(relay.port)?;
            is_broken_by_the_server(way, &killed(&screen, server, proxy)?);
        }
        Ok(())
    });
}

/// The proxy before xrdp, which stands in its TLS by the server's own key.
fn intercepting(server: &Server) -> Outcome<Proxy> {
    let Certificate { certificate, key } = server.certificate();
    let mut command = Command::new(program());
    let connect_to = format!("127.0.0.1:{}", server.port);
    command.args(["proxy", "--to", &format!("localhost:{}", server.port), "--connect-to", &connect_to]);
    command.args(["--intercept", "server-key", "--cert"]).arg(certificate).arg("--key").arg(key);
    Proxy::run(command)
}

#[test]
fn an_xrdp_that_is_killed_breaks_a_session_that_is_read_too() {
    with_peers("an_xrdp_that_is_killed_breaks_a_session_that_is_read_too", || {
        let (screen, server) = (Screen::start()?, Server::xrdp(TLS)?);
        let proxy = intercepting(&server)?;
        is_broken_by_the_server("under interception", &killed(&screen, server, proxy)?);
        Ok(())
    });
}

/// What stands behind the end is never its cause, whether or not it is read.
#[test]
fn an_xfreerdp_that_is_killed_left_by_itself() {
    with_peers("an_xfreerdp_that_is_killed_left_by_itself", || {
        let (screen, server) = (Screen::start()?, Server::xrdp(TLS)?);
        for (how, signal) in [("plain", "TERM"), ("plain", "KILL"), ("read", "TERM"), ("read", "KILL")] {
            let proxy = if how == "read" { intercepting(&server)? } else { Proxy::before(server.port)? };
            xfreerdp_killed(&screen, proxy.port, TLS, signal, || proxy.wait_active())?;
            let session = session(proxy)?;
            assert_eq!(session["outcome"], "connected", "{how}, {signal}: {session:#}");
            assert_eq!(session["end"]["by"], "client", "{how}, {signal}: {session:#}");
            let findings = session["findings"].as_array().map(Vec::len);
            assert_eq!(findings, Some(0), "{how}, {signal}: {session:#}");
        }
        Ok(())
    });
}

//! A TLS connection between two openssl programs, overheard by a relay of the test, with the key log of the client.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use analyzer::observation::Side;
use analyzer::tls::keys::Keyring;

use super::process::{Outcome, Trouble, program};

/// What passed, in order, and the secrets.
pub struct Talk {
    pub pieces: Vec<(Side, Vec<u8>)>,
    pub keys: Arc<Keyring>,
}

/// Certificates of both kinds, RSA and ECDSA, as files in a folder.
pub fn certificates(folder: &Path) -> Outcome<()> {
    for (name, kind) in [("rsa", &["rsa:2048"][..]), ("ec", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])] {
        let mut openssl = Command::new(program("openssl")?);
        openssl
            .current_dir(folder)
            .args(["req", "-x509", "-nodes", "-subj", "/CN=test", "-days", "2", "-newkey"])
            .args(kind);
        openssl.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]);
        let made = openssl.stderr(Stdio::null()).status()?;
        if !made.success() {
            return Err(Trouble::Failed(format!("openssl req: {made}")));
        }
    }
    Ok(())
}

/// Ends a program with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// An openssl server that sends every line back, reversed.
pub struct Server {
    place: String,
    _program: Ended,
}

impl Server {
    /// In the folder with its certificates.
    pub fn start(folder: &Path, options: &[&str]) -> Outcome<Server> {
        let mut openssl = Command::new(program("openssl")?);
        openssl.current_dir(folder).args(["s_server", "-accept", "127.0.0.1:0", "-rev", "-client_renegotiation"]);
        openssl.args(["-cert", "rsa.pem", "-key", "rsa.key", "-dcert", "ec.pem", "-dkey", "ec.key"]).args(options);
        let mut program = Ended(openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
        Ok(Server { place: accepts(&mut program)?, _program: program })
    }

    /// One connection: the client says each line, and waits for the answer. A line of one letter is a command of s_client.
    pub fn talk(&self, folder: &Path, options: &[&str], lines: &[&str]) -> Outcome<Talk> {
        let (listener, server) = (TcpListener::bind("127.0.0.1:0")?, self.place.clone());
        let place = listener.local_addr()?.to_string();
        let relay = thread::spawn(move || relay(&listener, &server));
        let _none = fs::remove_file(folder.join("keylog"));
        // It tells on standard error that it took a command. No connection takes long.
        let mut openssl = Command::new(program("timeout")?);
        openssl.current_dir(folder).args(["30", "sh", "-c", "exec openssl \"$@\" 2>&1", "sh"]);
        openssl.args(["s_client", "-connect", &place, "-keylogfile", "keylog"]).args(options);
        let mut client = Ended(openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
        say(&mut client, lines)?;
        client.0.wait()?;
        let pieces = relay.join().map_err(|_| Trouble::Failed("the relay panicked".into()))??;
        let mut keys = Keyring::default();
        keys.read(&fs::read(folder.join("keylog"))?);
        Ok(Talk { pieces, keys: Arc::new(keys) })
    }
}

/// Where s_server says that it listens.
fn accepts(server: &mut Ended) -> Outcome<String> {
    let stdout = server.0.stdout.take().ok_or_else(|| Trouble::Failed("no output".into()))?;
    let mut lines = BufReader::new(stdout).lines();
    let place = lines.by_ref().map_while(Result::ok).find_map(|line| Some(line.strip_prefix("ACCEPT ")?.to_owned()));
    // Somebody must read what it says, or it stops.
    thread::spawn(move || lines.for_each(drop));
    place.ok_or_else(|| Trouble::Failed("s_server does not listen".into()))
}

fn say(client: &mut Ended, lines: &[&str]) -> Outcome<()> {
    let (Some(mut stdin), Some(stdout)) = (client.0.stdin.take(), client.0.stdout.take()) else {
        return Err(Trouble::Failed("no pipes".into()));
    };
    let mut heard = BufReader::new(stdout).lines();
    for line in lines {
        writeln!(stdin, "{line}")?;
        stdin.flush()?;
        let answer: String = if line.len() == 1 { command_done(line) } else { line.chars().rev().collect() };
        let answered = heard.by_ref().map_while(Result::ok).any(|heard| heard.contains(&answer));
        if !answered {
            return Err(Trouble::Failed(format!("no answer to {line:?}")));
        }
    }
    quit(stdin)
}

/// What s_client prints when it took the command.
fn command_done(line: &str) -> String {
    if line == "R" { "RENEGOTIATING".into() } else { "KEYUPDATE".into() }
}

fn quit(mut stdin: ChildStdin) -> Outcome<()> {
    writeln!(stdin, "Q")?;
    Ok(())
}

/// Passes one connection on, and keeps what passed.
fn relay(listener: &TcpListener, server: &str) -> std::io::Result<Vec<(Side, Vec<u8>)>> {
    let (client, _) = listener.accept()?;
    let server = TcpStream::connect(server)?;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let back = {
        let (from, to, kept) = (server.try_clone()?, client.try_clone()?, Arc::clone(&kept));
        thread::spawn(move || pass(Side::Server, from, to, &kept))
    };
    pass(Side::Client, client, server, &kept);
    let _over = back.join();
    let mut kept = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(std::mem::take(&mut *kept))
}

fn pass(side: Side, mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<(Side, Vec<u8>)>>) {
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        // Kept before it is passed on: an answer cannot stand before its question.
        kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((side, buffer[..len].to_vec()));
        if to.write_all(&buffer[..len]).is_err() {
            break;
        }
    }
    let _over = to.shutdown(Shutdown::Write);
}

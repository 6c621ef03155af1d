//! `rdpscope proxy --tui` in a terminal of its own: what it shows, and that the terminal is as it was, however it ends.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use analyzer::attempt::{Diagnosed, group};
use analyzer::report::json;
use proxy::lab::{Scenario, Server, Session, certificate};
use proxy::watch::Live;

use crate::support::process::{Folder, Outcome, Trouble, wait_for, with_peers};
use crate::support::program::{analyze, program, recordings};
use crate::support::recorded::{self, Recorded};

/// Enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);
const ENTERS: &str = "\u{1b}[?1049h";
const LEAVES: &str = "\u{1b}[?1049l";

/// A terminal of 24 rows and 80 columns with a program in it; `script`, of Debian's bsdutils, makes it.
struct Terminal {
    script: Child,
    folder: Folder,
}

impl Terminal {
    /// Starts rdpscope in it with these words.
    fn start(words: &str) -> Outcome<Terminal> {
        let folder = Folder::new()?;
        let rdpscope = program().to_string_lossy().into_owned();
        let story = format!(
            "stty rows 24 cols 80\nstty -g >before\n\
             sh -c 'echo $$ >pid; exec '\"'{rdpscope}'\"' {words}'\necho $? >code\nstty -g >after\n"
        );
        folder.write("story", &story)?;
        let script = crate::support::process::program("script")?;
        let mut command = Command::new(script);
        command.args(["-qfc", "sh story", "seen"]).current_dir(folder.path()).env("TERM", "xterm");
        let script =
            command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Terminal { script, folder })
    }

    /// The proxy, before a server of the lab.
    fn proxy(server: &Server, more: &str) -> Outcome<(Terminal, SocketAddr)> {
        let port = server.addr.port();
        let to = format!("--to localhost:{port} --connect-to 127.0.0.1:{port} --listen 127.0.0.1:0 --out out");
        let mut terminal = Terminal::start(&format!("proxy --tui {to} {more}"))?;
        let port = terminal.wait("a screen", |seen| {
            let (said, _) = seen.split_once(ENTERS)?;
            let (_, rest) = said.split_once("listening on 127.0.0.1:")?;
            rest.split_once(',')?.0.parse().ok()
        })?;
        Ok((terminal, SocketAddr::from(([127, 0, 0, 1], port))))
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Everything that was written to it so far.
    fn seen(&self) -> String {
        self.read("seen")
    }

    fn wait<T>(&mut self, what: &str, ready: impl Fn(&str) -> Option<T>) -> Outcome<T> {
        let found = wait_for(SOON, || Ok(ready(&self.seen())))?;
        let last = || self.seen().chars().rev().take(2_000).collect::<String>().chars().rev().collect::<String>();
        found.ok_or_else(|| Trouble::Failed(format!("no {what} in {:?}", last())))
    }

    /// One word: blanks that stand there already are not written again.
    fn wait_for(&mut self, says: &str) -> Outcome<()> {
        self.wait(says, |seen| seen.contains(says).then_some(()))
    }

    fn press(&mut self, keys: &str) -> Outcome<()> {
        let Some(stdin) = &mut self.script.stdin else { return Err(Trouble::Failed("no keyboard".into())) };
        stdin.write_all(keys.as_bytes())?;
        Ok(stdin.flush()?)
    }

    fn signal(&self, signal: &str) -> Outcome<()> {
        let pid = self.read("pid");
        Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status()?;
        Ok(())
    }

    /// Waits for its end. The terminal must be as it was: what was written behind the screen, and the exit code.
    fn finish(mut self) -> Outcome<Finished> {
        let ended = wait_for(SOON, || Ok(Some(self.read("after")).filter(|after| after.ends_with('\n'))))?;
        let seen = self.seen();
        assert_eq!(ended, Some(self.read("before")), "the terminal's attributes: {seen:?}");
        let (screen, behind) = seen.rsplit_once(LEAVES).expect("it leaves the screen");
        assert_eq!((screen.matches(ENTERS).count(), screen.matches(LEAVES).count()), (1, 0));
        assert!(behind.contains("\u{1b}[?25h"), "the cursor is to be seen: {behind:?}");
        let (screen, behind) = (screen.to_owned(), behind.replace("\r\n", "\n"));
        let code = self.read("code").trim().to_owned();
        let recordings = recordings(&self.folder.path().join("out")).unwrap_or_default();
        let _ended = self.script.wait()?;
        Ok(Finished { screen, behind, code, recordings, _folder: self.folder_of() })
    }

    fn folder_of(&mut self) -> Folder {
        std::mem::replace(&mut self.folder, Folder::new().expect("a folder"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let group = format!("kill -KILL -{}", self.script.id());
        let _gone = Command::new("sh").args(["-c", &group]).stderr(Stdio::null()).status();
        let _gone = self.script.wait();
    }
}

/// What it leaves behind.
struct Finished {
    /// What was written while the screen was there.
    screen: String,
    /// What was written behind it.
    behind: String,
    code: String,
    recordings: Vec<PathBuf>,
    _folder: Folder,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_watched_and_q_ends_it_all() -> Outcome<()> {
    let scenario = Scenario::named("reset-after-client-hello").expect("a scenario");
    let server = scenario.serve().await?;
    let (mut terminal, addr) = Terminal::proxy(&server, "")?;
    scenario.connect(addr).await;
    terminal.wait_for("TLS-NOKEY")?;
    terminal.press("\r")?;
    terminal.wait_for("check:")?;
    terminal.press("q")?;
    let finished = terminal.finish()?;
    assert_eq!(finished.code, "0", "{}", finished.behind);
    assert!(finished.behind.contains("\n1 attempt\n"), "{}", finished.behind);
    let (code, document) = analyze(&finished.recordings)?;
    assert_eq!((code, document["attempts"].as_array().map(Vec::len)), (Some(1), Some(1)), "{document}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn being_told_to_end_leaves_the_terminal_as_it_was() -> Outcome<()> {
    for signal in ["TERM", "INT"] {
        let server = Scenario::named("fin-after-accept").expect("a scenario").serve().await?;
        let (mut terminal, addr) = Terminal::proxy(&server, "--verbose")?;
        drop(TcpStream::connect(addr)?);
        terminal.wait_for("unfinished")?;
        terminal.signal(signal)?;
        let finished = terminal.finish()?;
        assert_eq!(finished.code, "0", "{}", finished.behind);
        // What the program says of itself comes behind the screen, or in its line for that.
        assert!(finished.behind.contains("begins") && finished.behind.contains("\n1 attempt\n"), "{}", finished.behind);
        assert!(!finished.screen.split_once(ENTERS).expect("a screen").1.contains('\n'), "{:?}", finished.screen);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_is_a_key_here_and_ends_sessions_that_go_on() -> Outcome<()> {
    let server = Scenario::named("silence-after-request").expect("a scenario").serve().await?;
    let (mut terminal, addr) = Terminal::proxy(&server, "")?;
    let client = TcpStream::connect(addr)?;
    terminal.wait_for("negotiation")?;
    terminal.press("\u{3}")?;
    let finished = terminal.finish()?;
    // The session that was cut is told line by line.
    assert!(finished.code == "0" && finished.behind.contains("#1 unfinished"), "{}", finished.behind);
    drop(client);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_peer_says_does_not_drive_the_terminal() -> Outcome<()> {
    let server = Scenario::named("silence-after-request").expect("a scenario").serve().await?;
    let (mut terminal, addr) = Terminal::proxy(&server, "")?;
    let cookie = b"Cookie: mstshash=\x1b]0;owned\x07\x1b[31mred\r\n";
    let len = u8::try_from(cookie.len()).expect("short");
    let mut request = vec![3, 0, 0, len + 19, len + 14, 0xe0, 0, 0, 0, 0, 0];
    request.extend_from_slice(cookie);
    request.extend_from_slice(&[1, 0, 8, 0, 1, 0, 0, 0]);
    let mut client = TcpStream::connect(addr)?;
    client.write_all(&request)?;
    terminal.wait_for("negotiation")?;
    terminal.press("\r")?;
    terminal.wait_for("]0;owned")?;
    terminal.press("q")?;
    let finished = terminal.finish()?;
    for says in ["\u{1b}]0;owned", "\u{1b}[31mred"] {
        assert!(!finished.screen.contains(says) && !finished.behind.contains(says), "{:?}", finished.screen);
    }
    drop(client);
    Ok(())
}

/// What watching adds, samples of the path, is recorded: the file says what was said live.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_told_of_between_its_phases_and_the_recording_says_the_same() {
    let mut scenario = *Scenario::named("healthy-tls12").expect("a scenario");
    scenario.server.session = Session { bursts: 30, updates: 2, update_len: 2000, pause_ms: 100 };
    let server = scenario.serve().await.expect("serve");
    let told: Arc<Mutex<Vec<(bool, u64)>>> = Arc::default();
    let heard = Arc::clone(&told);
    let proxy = Recorded::watched(certificate::NAME, server.addr, move |live| {
        let mut heard = heard.lock().expect("one scribe");
        match live {
            Live::Edge { .. } => heard.push((true, 0)),
            Live::Running { sessions: [(_, timeline)], .. } => {
                heard.push((false, timeline.client_leg().map_or(0, |leg| leg.bytes[1])));
            }
            _ => {}
        }
    });
    let proxy = proxy.await;
    scenario.connect(proxy.addr).await;
    server.finished(1).await;
    server.stop().await;
    let (live, _folder) = proxy.finish().await;
    let document = |session: Diagnosed| json::document("test", &group(vec![session]));
    let reread = recorded::analyze(live[0].file.as_deref().expect("recorded").as_ref());
    assert_eq!(document(live[0].clone()), document(reread));
    let told = told.lock().expect("no scribe");
    let grown = |two: &[(bool, u64)]| !two[0].0 && !two[1].0 && two[0].1 < two[1].1;
    assert!(told.windows(2).any(grown), "nothing was told between two phases: {told:?}");
}

#[test]
fn a_recording_is_shown_again() {
    with_peers("a_recording_is_shown_again", || {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/reset-after-client-hello.pcapng");
        let mut terminal = Terminal::start(&format!("analyze --follow --tui --speed 1000 {golden}"))?;
        terminal.wait_for("TLS-NOKEY")?;
        terminal.press("q")?;
        let finished = terminal.finish()?;
        assert!(finished.code == "1" && finished.behind.contains("#1 failed in tls"), "{}", finished.behind);
        Ok(())
    });
}

#[test]
fn what_cannot_be_shown_again_is_said_on_the_terminal_as_it_was() {
    with_peers("what_cannot_be_shown_again", || {
        let finished = Terminal::start("analyze --follow --tui none.pcapng")?.finish()?;
        assert!(finished.code == "2" && finished.behind.contains("cannot open none.pcapng"), "{}", finished.behind);
        Ok(())
    });
}

#[test]
fn without_a_terminal_it_says_so() -> Outcome<()> {
    for words in [&["proxy", "--tui", "--to", "localhost"][..], &["analyze", "--follow", "--tui", "x.pcapng"]] {
        let output = Command::new(program()).args(words).stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("--tui expects a terminal, found a file or a pipe on standard output"), "{said}");
    }
    Ok(())
}

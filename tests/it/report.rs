//! `rdpscope report`: one page that nobody can write into, that everybody can read, and that a browser takes as it is.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use analyzer::attempt::{Diagnosed, group};
use analyzer::event::{
    Certificate, ClientHello, ClientSettings, ConnectionConfirm, ConnectionRequest, Event, Protocols, What,
};
use analyzer::observation::{Ending, Flow, Leg, Opening, Side};
use analyzer::report::html;
use analyzer::time::Timestamp;
use analyzer::timeline::Timeline;

use super::support::page::Page;
use super::support::process::{self, Folder, Outcome, Trouble, free_port, with_peers};
use super::support::program::{Proxy, program};

/// What a peer could try, around a word by which it is found again.
pub(crate) const HOSTILE: &str = "peer\"'><script>alert(1)</script><img src=x onerror=alert(2)>&lt;\u{0}\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\
                       \u{feff}</title></style></svg><!--]]>\u{ffff}\r\n\tjavascript:alert(3)";

/// A session of a peer that writes the same into everything that a report shows, and this much behind it.
pub(crate) fn hostile_session(behind: usize) -> Diagnosed {
    let hostile = || HOSTILE.to_owned() + &"\u{5d0}<".repeat(behind);
    let mut timeline = Timeline::default();
    let mut at = 1_790_000_000_000_000_000;
    let certificate = Certificate {
        subject: hostile(),
        issuer: hostile(),
        common_name: Some(hostile()),
        names: vec![hostile(); 100],
        key: hostile(),
        signature: hostile(),
        eku: vec![hostile(); 3],
        serial: hostile(),
        sha1: hostile(),
        sha256: hostile(),
        not_after: 1,
        ..Certificate::default()
    };
    let request = ConnectionRequest {
        cookie: Some(hostile()),
        routing_token: Some(hostile()),
        requested: Some(Protocols::SSL),
        correlation_id: Some(hostile()),
        ..ConnectionRequest::default()
    };
    let hello =
        ClientHello { versions: vec![0x303], sni: Some(hostile()), alpn: vec![hostile()], ..ClientHello::default() };
    let settings = ClientSettings { name: Some(hostile()), channels: vec![hostile(); 5], ..ClientSettings::default() };
    let ends = ["192.0.2.1:50000", "192.0.2.2:3389"].map(|end| end.parse().expect("an address"));
    let [client, server] = ends;
    let malformed = |layer| What::Malformed { from: Side::Server, layer, offset: 7, says: hostile() };
    let story = [
        (Leg::Back, What::Opening(Opening::Target { name: hostile(), port: 3389 })),
        (Leg::Back, What::Opening(Opening::Resolving)),
        (Leg::Back, What::Opening(Opening::Resolved { addresses: vec![], error: Some(hostile()) })),
        (Leg::Front, What::Opening(Opening::Dialing { client, server })),
        (Leg::Front, What::Opened),
        (Leg::Back, What::Opening(Opening::Dialing { client, server })),
        (Leg::Back, What::Opened),
        (Leg::Front, What::Passed { from: Side::Client, len: 99 }),
        (Leg::Front, What::ConnectionRequest(Box::new(request))),
        (Leg::Back, What::ConnectionConfirm(ConnectionConfirm { selected: Some(Protocols::SSL), flags: 0 })),
        (Leg::Front, What::ClientHello(Box::new(hello))),
        (Leg::Back, What::Certificates { from: Side::Server, chain: vec![certificate; 9] }),
        (Leg::Front, What::ClientSettings(Box::new(settings))),
        (Leg::Back, malformed("tls handshake")),
        (Leg::Back, malformed("x224")),
        (Leg::Front, What::Closed { from: Some(Side::Client), how: Ending::Fin }),
    ];
    for (frame, (leg, what)) in story.into_iter().enumerate() {
        at += 1_000_000;
        let flow = Flow { session: 0, leg };
        timeline.push(&Event { at: Timestamp::at(at), flow, frame: frame as u64 + 1, what });
    }
    timeline.finish();
    let mut session = Diagnosed::new(Some(format!("folder/{}", hostile())), timeline);
    session.incomplete = Some(hostile());
    session
}

#[test]
fn no_peer_writes_into_a_page() {
    for count in [1, 3] {
        let page = html::page("test", &group((0..count).map(|_| hostile_session(50_000)).collect()));
        assert!(page.len() < 400_000 * count, "{} bytes: a peer makes it long", page.len());
        let read = Page::read(&page);
        read.check();
        let seen = read.all("body").next().expect("a body").text.matches("<script>alert(1)</script>").count();
        assert!(seen > 20 * count, "it was shown {seen} times: what is not shown is not tested");
        let hidden = |c: &char| c.is_control() && *c != '\n' || "\u{202e}\u{2066}\u{200b}\u{feff}\u{ffff}".contains(*c);
        assert_eq!(page.chars().find(hidden), None);
    }
}

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

fn report(inputs: &[PathBuf], output: &Path) -> Option<i32> {
    let status = Command::new(program())
        .arg("report")
        .args(inputs)
        .arg("--force")
        .arg("-o")
        .arg(output)
        .output()
        .expect("run")
        .status;
    status.code()
}

/// Every golden capture by itself, and all of them together.
#[test]
fn every_golden_capture_has_a_page_that_everybody_can_read() {
    let folder = Folder::new().expect("a folder");
    let output = folder.path().join("report.html");
    let mut files = Vec::new();
    for place in [captures(), captures().join("keyed")] {
        let found = fs::read_dir(place).expect("captures").map(|entry| entry.expect("an entry").path());
        files.extend(found.filter(|file| file.extension().is_some_and(|extension| extension == "pcapng")));
    }
    files.sort();
    assert!(files.len() > 40, "{} captures", files.len());
    let mut sessions = 0;
    for file in &files {
        assert!(matches!(report(std::slice::from_ref(file), &output), Some(0 | 1)), "{}", file.display());
        let page = Page::read(&fs::read_to_string(&output).expect("a page"));
        page.check();
        let count = page.all("article").count();
        assert!(count > 0, "{}: no session", file.display());
        sessions += count;
    }
    assert_eq!(report(&files, &output), Some(1));
    let page = Page::read(&fs::read_to_string(&output).expect("a page"));
    page.check();
    assert_eq!(page.all("article").count(), sessions);
    let first = page.all("article").next().expect("a session");
    assert!(first.text.contains("failed"), "failing sessions come first");
}

#[test]
fn evidence_leads_to_its_message_and_the_verdict_comes_first() {
    let folder = Folder::new().expect("a folder");
    let output = folder.path().join("report.html");
    assert_eq!(report(&[captures().join("denied-expired.pcapng")], &output), Some(1));
    let page = Page::read(&fs::read_to_string(&output).expect("a page"));
    let title = page.all("h2").next().expect("a verdict");
    assert_eq!(title.text, "Probably: the server's certificate has expired");
    let linked = page.all("a").filter(|link| link.text.starts_with("frame ")).filter_map(|link| link.attribute("href"));
    let linked: Vec<&str> = linked.map(|href| href.trim_start_matches('#')).collect();
    let rows = linked.iter().map(|id| page.all("tr").find(|row| row.attribute("id") == Some(id)).expect("its row"));
    let rows: Vec<&str> = rows.map(|row| row.text.trim()).collect();
    assert!(rows[0].contains("Certificate") && rows[1].contains("alert") && rows[2].contains("FIN"), "{rows:?}");
    assert!(
        page.all("span").any(|mark| mark.attribute("class") == Some("wrong") && mark.text.starts_with("expired on"))
    );
}

#[test]
fn the_proxy_writes_one_at_its_end() {
    with_peers("the_proxy_writes_one_at_its_end", || {
        let folder = Folder::new()?;
        let output = folder.path().join("report.html");
        let nobody = free_port()?;
        let mut command = Command::new(program());
        command.args(["proxy", "--to", &format!("localhost:{nobody}"), "--connect-to", &format!("127.0.0.1:{nobody}")]);
        command.arg("--report").arg(&output);
        let proxy = Proxy::run(command)?;
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port))?;
        let _ended = client.read_to_end(&mut Vec::new());
        assert_eq!(proxy.finish()?.code, Some(0));
        let page = Page::read(&fs::read_to_string(&output)?);
        page.check();
        assert_eq!(page.all("h2").next().map(|title| title.text.as_str()), Some("Nothing listens on the port"));
        let missing = folder.path().join("absent").join("report.html");
        let refused = Command::new(program()).args(["proxy", "--to", "localhost", "--report"]).arg(missing).output()?;
        assert_eq!(refused.status.code(), Some(2), "what cannot be written is told before anything is recorded");
        Ok(())
    });
}

/// Of a large set the first are told in full, the others have a row, and that is said.
#[test]
fn a_large_set_is_bounded_and_says_so() {
    let sessions: Vec<Diagnosed> = (0..230)
        .map(|_| {
            let mut session = hostile_session(0);
            session.file = None;
            session
        })
        .collect();
    let page = Page::read(&html::page("test", &group(sessions)));
    page.check();
    assert_eq!(page.all("article").count(), 200);
    assert!(page.all("p").any(|says| says.text.contains("the other 30 stand in the table")));
}

/// Shows a page in two frames, narrow and wide, and tells what in it is wider than its frame, and its colours.
const LOOK: &str = r#"<!doctype html><meta charset="utf-8"><body><pre id="said"></pre>
<iframe src="report.html" width="390" height="900"></iframe><iframe src="report.html" width="1280" height="900"></iframe>
<script>addEventListener("load", () => {
  const said = [...document.querySelectorAll("iframe")].map((frame) => {
    const page = frame.contentDocument, width = page.documentElement.clientWidth;
    const free = (e) => !e.closest("svg, .scroll, .unseen, .skip, .stack thead");
    const wide = [...page.querySelectorAll("body *")].filter((e) => free(e) && e.getBoundingClientRect().right > width + 1);
    const style = page.defaultView.getComputedStyle(page.body);
    return `${wide.length} wide ${wide.slice(0, 3).map((e) => e.tagName + "." + e.className + ": " + e.textContent.slice(0, 40))}` +
      ` color ${style.color} on ${style.backgroundColor}`;
  });
  document.getElementById("said").textContent = said.join("\n");
})</script>"#;

/// What Chromium says of a page, and what it complains of.
fn looked_at(folder: &Path, scheme: u8) -> Outcome<(String, String)> {
    let chromium = process::program("chromium")?;
    let profile = Folder::new()?;
    let mut command = Command::new(chromium);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=5000"]);
    command.args(["--window-size=1800,1000", "--dump-dom"]);
    command.arg(format!("--blink-settings=preferredColorScheme={scheme}"));
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    let output = command.arg(format!("file://{}", folder.join("look.html").display())).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.split_once("<pre id=\"said\">").and_then(|(_, said)| said.split_once("</pre>"));
    let (said, _) = said.ok_or_else(|| Trouble::Failed(format!("chromium showed nothing: {text}")))?;
    let complaints = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect::<Vec<_>>()
        .join("\n");
    Ok((said.to_owned(), complaints))
}

#[test]
fn a_browser_shows_it_at_every_width_and_in_both_themes_without_a_complaint() {
    with_peers("a_browser_shows_it", || {
        let folder = Folder::new()?;
        folder.write("look.html", LOOK)?;
        let output = folder.path().join("report.html");
        let hostile = html::page("test", &group(vec![hostile_session(50_000), hostile_session(0)]));
        for inputs in [vec![captures()], vec![captures().join("denied-expired.pcapng")], vec![]] {
            match &inputs[..] {
                [] => fs::write(&output, &hostile)?,
                inputs => assert_eq!(report(inputs, &output), Some(1)),
            }
            for (scheme, colors) in
                [(1, "color rgb(27, 32, 39) on rgb(255, 255, 255)"), (0, "color rgb(229, 232, 236) on rgb(21, 24, 28)")]
            {
                let (said, complaints) = looked_at(folder.path(), scheme)?;
                assert_eq!(complaints, "", "{inputs:?}");
                let expected = format!("0 wide  {colors}");
                assert_eq!(said.lines().collect::<Vec<_>>(), [expected.as_str(); 2], "{inputs:?}");
            }
        }
        Ok(())
    });
}

//! `rdpscope play`: what it shows is what the client showed, in PNG and in the page; whatever it cannot show it names.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use analyzer::report::player::Player;

use crate::report::{HOSTILE, hostile_session};
use crate::support::peers::{Screen, Security, Server, xfreerdp_until};
use crate::support::process::{self, Folder, Outcome, Process, Trouble, with_peers};
use crate::support::program::{Proxy, program};
use crate::support::x11::Image;

fn play(input: &Path, output: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.arg("play").arg(input).arg("-o").arg(output).args(more).env_remove("SSLKEYLOGFILE");
    command.output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn keyed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/keyed").join(name)
}

/// Width, height, and all pixels: red, green, blue.
fn read_png(path: &Path) -> Image {
    let decoder = png::Decoder::new(std::io::BufReader::new(File::open(path).expect("a PNG")));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut bytes).expect("pixels");
    let pixels = bytes.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Image { size: (info.width as u16, info.height as u16), pixels }
}

#[test]
fn no_peer_writes_into_a_player() {
    let mut session = hostile_session(100);
    // A finding may say in a peer's words what is wrong.
    session.findings.iter_mut().for_each(|finding| finding.says.push_str(HOSTILE));
    let player = Player::new("test", &session);
    let page = player.head() + &player.tail(&["a note".into()]);
    assert_eq!(page.matches("<script").count(), 2, "the picture's lines and the program");
    assert!(!page.contains("alert(1)</script>") && page.contains("&lt;script&gt;alert(1)"), "it is shown, and is text");
    assert!(page.contains("default-src 'none'") && !page.contains("-inline") && !page.contains("-eval"));
    let hidden = |c: &char| c.is_control() && *c != '\n' || "\u{202e}\u{2066}\u{200b}\u{feff}\u{ffff}".contains(*c);
    assert_eq!(page.chars().find(hidden), None);
}

/// Pictures were taken out of them: holes are told, nothing fails, and whoever comes too early is told.
#[test]
fn every_keyed_golden_capture_has_a_player() {
    let folder = Folder::new().expect("a folder");
    let captures = fs::read_dir(keyed("")).expect("captures").map(|entry| entry.expect("an entry").path());
    let mut count = 0;
    for capture in captures.filter(|path| path.extension().is_some_and(|extension| extension == "pcapng")) {
        let page = folder.path().join("player.html");
        let output = play(&capture, &page, &["--session", "1", "--force"]);
        let said = said(&output);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {said}", capture.display());
        assert!(!said.contains("panicked") && !said.contains("a decoder failed"), "{}: {said}", capture.display());
        let page = fs::read_to_string(page).expect("a page");
        assert!(page.ends_with("</html>\n") && page.contains("data-phase="), "{}", capture.display());
        count += 1;
    }
    assert!(count > 30);
}

#[test]
fn what_is_not_drawn_is_told_and_so_is_what_the_files_show() {
    let folder = Folder::new().expect("a folder");
    let output = play(&keyed("xfreerdp-shadow-tls.pcapng"), &folder.path().join("page.html"), &[]);
    let said = said(&output);
    for part in [
        "640 by 480 pixels",
        "H.264 AVC444 in the graphics pipeline: 1 not drawn",
        "1 hole in what",
        "shows the screen",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let page = fs::read_to_string(folder.path().join("page.html")).expect("a page");
    assert!(page.contains("H.264 AVC444 in the graphics pipeline: 1 not drawn"));
}

#[test]
fn moments_become_files_that_nobody_else_reads() {
    let (folder, capture) = (Folder::new().expect("a folder"), keyed("ironrdp-ironrdp-nla.pcapng"));
    let pictures = folder.path().join("pictures");
    let output = play(&capture, &pictures, &["--at", "0", "--at", "1h", "--at", "60m"]);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("there is no picture at +0.000 s yet") && said.contains("the session ends at"), "{said}");
    let names: Vec<_> =
        fs::read_dir(&pictures).expect("a folder").map(|entry| entry.expect("a file").file_name()).collect();
    assert_eq!(names, ["003600.000s.png"]);
    assert_eq!(read_png(&pictures.join("003600.000s.png")).size, (1920, 1080));
    #[cfg(unix)]
    for (path, mode) in [(pictures.clone(), 0o700), (pictures.join("003600.000s.png"), 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[test]
fn whoever_asks_for_what_cannot_be_is_told_what_would_help() {
    let folder = Folder::new().expect("a folder");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/healthy-tls13.pcapng");
    let (html, png, dir) = (folder.path().join("x.html"), folder.path().join("x.png"), folder.path().join("x"));
    let failing = keyed("xfreerdp-xrdp-tls13.pcapng");
    for (input, output, more, says) in [
        (&golden, &html, &[][..], "no secret here opens it"),
        (&golden, &png, &[], "--keylog FILE"),
        (&failing, &html, &["--at", "1s"], "expected no --at"),
        (&failing, &dir, &[], "expected --at or --every"),
        (&failing, &png, &["--every", "1s"], "expected one --at"),
        (&failing, &html, &["--session", "9"], "expected a session between 1 and 1, found 9"),
        (&folder.path().to_owned(), &html, &[], "expected a file"),
        (&keyed("xfreerdp-shadow-denied.pcapng"), &html, &[], "--session N says which"),
    ] {
        let ran = play(input, output, more);
        let said = said(&ran);
        assert_eq!(ran.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "expected {says:?}, found {said}");
        assert!(!output.exists(), "nothing is left behind: {says}");
    }
}

#[test]
fn a_session_that_never_had_a_screen_is_told_by_its_phases() {
    let folder = Folder::new().expect("a folder");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/denied-expired.pcapng");
    let page = folder.path().join("page.html");
    let output = play(&golden, &page, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let page = fs::read_to_string(page).expect("a page");
    for part in ["data-phase=\"tls\"", "id=\"findings-title\"", "data-mark=", "no secret here opens it"] {
        assert!(page.contains(part), "no {part}");
    }
    assert!(!page.contains("\nc "), "there is no picture");
}

/// Paints something, changes it for a while, and says by a colour of its own that it is over.
const DEMO: &str = r##"
wm geometry . 640x480+60+40
canvas .c -width 640 -height 480 -background #203040 -highlightthickness 0
pack .c
for {set i 0} {$i < 12} {incr i} {
  .c create rectangle [expr {20+$i*50}] 20 [expr {60+$i*50}] 100 -fill [format #%02x%02x%02x [expr {$i*20}] [expr {255-$i*20}] 128]
}
.c create text 320 150 -text "what the client showed" -fill white -font {Helvetica 24}
.c create oval 200 220 440 440 -fill #c04040 -outline yellow -width 3
set n 0
proc tick {} { global n
  incr n
  .c create rectangle [expr {($n*37)%600}] 180 [expr {($n*37)%600+30}] 195 -fill [format #%02x80%02x [expr {($n*29)%256}] [expr {($n*53)%256}]]
  if {$n < 8} { after 150 tick } else { .c create rectangle 4 440 44 476 -fill #1060e0 -outline #1060e0 }
}
after 1500 tick
"##;
/// Where on the screen it says so, and how.
const OVER: ((u16, u16), [u8; 3]) = ((60 + 20, 40 + 460), [0x10, 0x60, 0xe0]);

/// Records a session of xfreerdp with a desktop on which something happens, and takes a picture of its window before the end.
fn recorded(options: &[&str]) -> Outcome<(Folder, PathBuf, Image)> {
    let (screen, folder, tls) = (Screen::start()?, Folder::new()?, Security::Tls("TLSv1.2, TLSv1.3"));
    let server = Server::xrdp(tls)?;
    let desktop = server.desktop().ok_or_else(|| Trouble::Failed("no desktop".into()))?;
    let demo = folder.write("demo.tcl", DEMO)?;
    let mut wish = Command::new(process::program("wish")?);
    let _painter = Process::start(wish.arg(demo).env("DISPLAY", desktop), folder.path())?;
    let mut command = Command::new(program());
    let (port, shown) = (server.port, server.certificate());
    command.args(["proxy", "--to", &format!("localhost:{port}"), "--connect-to", &format!("127.0.0.1:{port}")]);
    command.args(["--intercept", "server-key", "--cert"]).arg(shown.certificate).arg("--key").arg(shown.key);
    let proxy = Proxy::run(command)?;
    // Red may be a little off where fewer bits tell it.
    let near = |one: [u8; 3], other: [u8; 3]| one.iter().zip(other).all(|(one, other)| one.abs_diff(other) < 10);
    let is_over = |image: &Image| image.at(OVER.0.0, OVER.0.1).is_some_and(|pixel| near(pixel, OVER.1));
    let (ran, image) = xfreerdp_until(&screen, proxy.port, tls, options, is_over)?;
    assert_eq!(ran.code, Some(0), "{}", ran.output);
    let finished = proxy.finish()?;
    let [recording] = &finished.recordings[..] else { panic!("{}", finished.output) };
    let kept = folder.path().join("session.pcapng");
    fs::copy(recording, &kept)?;
    Ok((folder, kept, image))
}

/// The part of the pixels that are the same, each colour within so much.
fn equal(one: &Image, other: &Image, within: u8) -> f64 {
    assert_eq!(one.size, other.size);
    let is_same =
        |one: &[u8; 3], other: &[u8; 3]| one.iter().zip(other).all(|(one, other)| one.abs_diff(*other) <= within);
    let same = one.pixels.iter().zip(&other.pixels).filter(|(one, other)| is_same(one, other)).count();
    same as f64 / one.pixels.len() as f64
}

/// Draws the player at its end, and tells a number made of all pixels of its screen.
const LOOK: &str = r#"<!doctype html><meta charset="utf-8"><body><pre id="said"></pre>
<iframe src="page.html#t=99999" width="1280" height="900"></iframe>
<script>
let looks = 0, spent = 0;
const look = () => {
  const page = document.querySelector("iframe").contentDocument, main = page.getElementById("main");
  const count = page.getElementById("frames").textContent.split("\n").filter((line) => line.startsWith("c ")).length;
  // Chromium's virtual time does not wait for pictures to be opened: this takes some of the real one.
  for (let i = 0; i < 3e7; i += 1) spent ^= i;
  looks += 1;
  if (main.dataset.drawn !== String(count - 1)) {
    document.getElementById("said").textContent = `waits for ${count}, look ${looks}`;
    if (looks < 400) setTimeout(look, 100);
    return;
  }
  const screen = page.getElementById("screen");
  const data = screen.getContext("2d").getImageData(0, 0, screen.width, screen.height).data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 1) if (i % 4 < 3) sum = (Math.imul(sum, 31) + data[i]) >>> 0;
  document.getElementById("said").textContent = `${screen.width}x${screen.height} ${sum}`;
};
addEventListener("load", look);
</script>"#;

fn looked_at(folder: &Path) -> Outcome<(String, String)> {
    let profile = Folder::new()?;
    let mut command = Command::new(process::program("chromium")?);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=60000"]);
    command
        .args(["--window-size=1300,1000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()));
    let output = command.arg(format!("file://{}", folder.join("look.html").display())).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.split_once("<pre id=\"said\">").and_then(|(_, said)| said.split_once("</pre>"));
    let (said, _) = said.ok_or_else(|| Trouble::Failed(format!("chromium showed nothing: {text}")))?;
    let complaints = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(|line| format!("{line}\n"))
        .collect();
    Ok((said.to_owned(), complaints))
}

#[test]
fn a_real_session_is_shown_as_its_client_showed_it() {
    with_peers("a_real_session_is_shown_as_its_client_showed_it", || {
        let (folder, recording, client) = recorded(&[])?;
        let (picture, page) = (folder.path().join("last.png"), folder.path().join("page.html"));
        let output = play(&recording, &picture, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let ours = read_png(&picture);
        let part = equal(&ours, &client, 0);
        println!(
            "{} of {} pixels are the client's: {:.4} %",
            part * ours.pixels.len() as f64,
            ours.pixels.len(),
            part * 100.0
        );
        assert!(part >= 0.99, "{part}: {}", said(&output));
        assert!(!said(&output).contains("not shown"), "{}", said(&output));

        let output = play(&recording, &page, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        folder.write("look.html", LOOK)?;
        let (said, complaints) = looked_at(folder.path())?;
        assert_eq!(complaints, "");
        let sum =
            ours.pixels.iter().flatten().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
        assert_eq!(said, format!("{}x{} {sum}", ours.size.0, ours.size.1), "the page shows other pixels than the PNG");
        Ok(())
    });
}

#[test]
fn fewer_colours_and_remotefx_are_shown_as_the_client_showed_them() {
    with_peers("fewer_colours_and_remotefx_are_shown_as_the_client_showed_them", || {
        // 16 bits say five or six of eight of a colour: the rest is each decoder's own. RemoteFX is lossy, and each decoder
        // rounds in its own way.
        for (options, within) in [(&["/bpp:16"][..], 7), (&["/bpp:24", "+compression"], 0), (&["/rfx", "/bpp:32"], 3)] {
            let (folder, recording, client) = recorded(options)?;
            let picture = folder.path().join("last.png");
            let output = play(&recording, &picture, &[]);
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            let ours = read_png(&picture);
            let [exact, near] = [0, within].map(|within| equal(&ours, &client, within));
            println!(
                "{options:?}: {:.4} % of the pixels are the client's, {:.4} % within {within}",
                exact * 100.0,
                near * 100.0
            );
            assert!(near >= 0.99, "{options:?}: {near}: {}", said(&output));
        }
        Ok(())
    });
}

//! Real RDP servers and clients of Debian, run without a screen: each on ports chosen at run time, in a folder of its
//! own, gone when dropped.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::process::{Folder, Outcome, Process, Trouble, free_port, need_root, program, wait_for};
use super::x11;

/// The account every server here knows.
pub const USER: &str = "rdptest";
/// Its password.
pub const PASSWORD: &str = "Passw0rd!";

/// How long a client may take from start to end.
const CLIENT_LIMIT: Duration = Duration::from_secs(40);

/// So many looks at the same picture say that it stands still.
const STILL: u32 = 25;

/// A virtual X screen. Its root window is white: "a pixel is not black" then means that a picture has arrived.
pub struct Screen {
    number: u32,
    _process: Process,
    _folder: Folder,
}

impl Screen {
    /// Starts Xvfb, which finds itself a free display number. Without -noreset it would start over whenever its last
    /// client leaves, and turn away a client that comes just then.
    pub fn start() -> Outcome<Self> {
        let folder = Folder::new()?;
        let mut command = Command::new(program("Xvfb")?);
        command.args(["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-wr", "-noreset"]);
        let mut process = Process::start(&mut command, folder.path())?;
        let number = process.wait_ready(display_number)?;
        Ok(Screen { number, _process: process, _folder: folder })
    }

    /// For the environment variable DISPLAY.
    pub fn name(&self) -> String {
        format!(":{}", self.number)
    }
}

/// The line an X server writes for `-displayfd`: its number alone, once clients may come.
fn display_number(server: &Process) -> Option<u32> {
    let output = server.output();
    let complete = output.rfind('\n').map(|end| &output[..end])?;
    complete.lines().find_map(|line| line.trim().parse().ok())
}

/// A self-signed server certificate with its key, good for `localhost` and 127.0.0.1.
pub struct Certificate {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one with openssl: 2048-bit RSA, SHA-256, valid from now for 30 days.
    pub fn make(folder: &Folder) -> Outcome<Self> {
        let (certificate, key) = (folder.path().join("server.crt"), folder.path().join("server.key"));
        let mut command = Command::new(program("openssl")?);
        command.args("req -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj /CN=localhost".split(' '));
        command.args([
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext",
            "extendedKeyUsage=serverAuth",
        ]);
        command.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        let mut process = Process::start(&mut command, folder.path())?;
        if !process.wait(Duration::from_secs(20))?.success() {
            return Err(process.failed("made no certificate"));
        }
        Ok(Certificate { certificate, key })
    }

    /// Makes one that this authority has signed.
    pub fn issued_by(folder: &Folder, authority: &Certificate) -> Outcome<Self> {
        let (certificate, key) = (folder.path().join("server.crt"), folder.path().join("server.key"));
        let mut command = Command::new(program("openssl")?);
        command.args("req -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj /CN=issued".split(' '));
        command.args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]);
        command.arg("-CA").arg(&authority.certificate).arg("-CAkey").arg(&authority.key);
        command.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        let mut process = Process::start(&mut command, folder.path())?;
        if !process.wait(Duration::from_secs(20))?.success() {
            return Err(process.failed("made no certificate"));
        }
        Ok(Certificate { certificate, key })
    }

    /// Writes one of the lab's, as PEM.
    pub fn of_the_lab(folder: &Folder, certificate: proxy::lab::certificate::Certificate) -> Outcome<Self> {
        Certificate::written(folder, &certificate.make()?)
    }

    /// Writes one that is there, as PEM.
    pub fn written(folder: &Folder, made: &proxy::tls::Identity) -> Outcome<Self> {
        let pem = |command: &str, name: &str, der: &[u8]| {
            let (der_path, path) = (folder.path().join("der"), folder.path().join(name));
            fs::write(&der_path, der)?;
            let mut openssl = Command::new(program("openssl")?);
            openssl.args([command, "-inform", "DER", "-in"]).arg(der_path).arg("-out").arg(&path);
            let mut process = Process::start(&mut openssl, folder.path())?;
            if !process.wait(Duration::from_secs(20))?.success() {
                return Err(process.failed("wrote no PEM"));
            }
            Ok(path)
        };
        let certificate = pem("x509", "server.crt", &made.certificate)?;
        Ok(Certificate { certificate, key: pem("pkey", "server.key", made.key.pkcs8().unwrap_or_default())? })
    }
}

/// What a server asks of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS; xrdp alone lets us choose the versions, in its own words ("TLSv1.2, TLSv1.3").
    Tls(&'static str),
    /// Legacy Standard RDP Security.
    Rdp,
    /// CredSSP with NTLM.
    Nla,
}

impl Security {
    /// As the FreeRDP programs write it after `/sec:`.
    fn freerdp(self) -> &'static str {
        match self {
            Security::Tls(_) => "tls",
            Security::Rdp => "rdp",
            Security::Nla => "nla",
        }
    }
}

/// A running server and what it stands on. Fields drop in order: the server before its screen, its folder last.
pub struct Server {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    _process: Process,
    _backend: Option<Process>,
    _screen: Option<Screen>,
    folder: Folder,
}

impl Server {
    /// What it shows, where nothing else was wished for.
    pub fn certificate(&self) -> Certificate {
        let folder = self.folder.path();
        Certificate { certificate: folder.join("server.crt"), key: folder.join("server.key") }
    }

    /// The display that an xrdp with a desktop shows, for the environment variable DISPLAY.
    pub fn desktop(&self) -> Option<String> {
        self._backend.as_ref().and_then(display_number).map(|number| format!(":{number}"))
    }

    /// xrdp before an empty Xvnc desktop; any user and password. TLS or legacy security, never NLA.
    pub fn xrdp(security: Security) -> Outcome<Self> {
        Server::xrdp_with(security, Certificate::make, "")
    }

    /// The same with a certificate of one's own, and further lines for its configuration.
    pub fn xrdp_with(
        security: Security,
        certificate: impl FnOnce(&Folder) -> Outcome<Certificate>,
        lines: &str,
    ) -> Outcome<Self> {
        let folder = Folder::new()?;
        let (backend, vnc_port) = xvnc(&folder)?;
        Server::xrdp_at(Ipv4Addr::LOCALHOST, Some((backend, vnc_port)), folder, security, certificate, lines)
    }

    /// xrdp that shows its own login window, for a namespace. (No X server may run in one: X servers find their numbers
    /// by abstract sockets, which each namespace has for itself, and take each other's socket files.)
    pub fn xrdp_alone(address: Ipv4Addr) -> Outcome<Self> {
        Server::xrdp_at(address, None, Folder::new()?, Security::Tls("TLSv1.2, TLSv1.3"), Certificate::make, "")
    }

    fn xrdp_at(
        address: Ipv4Addr,
        desktop: Option<(Process, u16)>,
        folder: Folder,
        security: Security,
        certificate: impl FnOnce(&Folder) -> Outcome<Certificate>,
        lines: &str,
    ) -> Outcome<Self> {
        let xrdp = program("xrdp")?;
        need_root("xrdp's socket folder /run/xrdp/sockdir")?;
        Command::new("install").args(["-d", "-m", "3777", "/run/xrdp/sockdir"]).status()?;
        let port = free_port()?;
        let made = certificate(&folder)?;
        let (backend, vnc_port) = desktop.unzip();
        let ini = xrdp_ini(&folder, (SocketAddrV4::new(address, port), vnc_port), security, &made, lines)?;
        let mut process = Process::start(Command::new(xrdp).arg("-n").arg("-c").arg(ini), folder.path())?;
        process.wait_ready(|_| TcpStream::connect((address, port)).ok())?;
        Ok(Server { port, _process: process, _backend: backend, _screen: None, folder })
    }

    /// Its processes die as by kill -9, in the middle of whatever they do.
    pub fn kill(self) -> Outcome<()> {
        self._process.kill()
    }

    /// FreeRDP's shadow server, showing an empty screen: NLA against a SAM file with [`USER`], or TLS, or legacy.
    pub fn shadow(security: Security) -> Outcome<Self> {
        Server::shadow_at(Ipv4Addr::LOCALHOST, Screen::start()?, security)
    }

    /// The same on an address of one's own, showing this screen.
    pub fn shadow_at(address: Ipv4Addr, screen: Screen, security: Security) -> Outcome<Self> {
        let shadow = program("freerdp-shadow-cli")?;
        let (folder, port) = (Folder::new()?, free_port()?);
        let made = Certificate::make(&folder)?;
        let home = folder.path().join(".config/freerdp/shadow");
        fs::create_dir_all(&home)?;
        fs::copy(&made.certificate, home.join("shadow.crt"))?;
        fs::copy(&made.key, home.join("shadow.key"))?;
        let mut command = Command::new(shadow);
        command.env("HOME", folder.path()).env("DISPLAY", screen.name());
        command.args([format!("/bind-address:{address}"), format!("/port:{port}")]);
        command.arg(format!("/sec:{}", security.freerdp()));
        match security {
            Security::Nla => command.arg(format!("/sam-file:{}", sam_file(&folder)?.display())).arg("+auth"),
            Security::Tls(_) | Security::Rdp => command.arg("-auth"),
        };
        let mut process = Process::start(&mut command, folder.path())?;
        process.wait_ready(|_| TcpStream::connect((address, port)).ok())?;
        Ok(Server { port, _process: process, _backend: None, _screen: Some(screen), folder })
    }

    /// Weston's RDP backend: TLS, any user and password.
    pub fn weston() -> Outcome<Self> {
        let weston = program("weston")?;
        let (folder, port) = (Folder::new()?, free_port()?);
        let made = Certificate::make(&folder)?;
        let config = folder.write("weston.ini", "[core]\nidle-time=0\nrequire-input=false\n")?;
        let mut command = Command::new(weston);
        // The folder is 0700, as XDG_RUNTIME_DIR must be.
        command.env("XDG_RUNTIME_DIR", folder.path()).env("HOME", folder.path());
        command.arg(format!("--config={}", config.display()));
        command.args(["--backend=rdp-backend.so", "--address=127.0.0.1", "--no-clients-resize", "--socket=wl-rdp"]);
        command.args(["--width=800", "--height=600"]).arg(format!("--port={port}"));
        command.arg(format!("--rdp-tls-cert={}", made.certificate.display()));
        command.arg(format!("--rdp-tls-key={}", made.key.display()));
        let mut process = Process::start(&mut command, folder.path())?;
        process.wait_listening(port)?;
        Ok(Server { port, _process: process, _backend: None, _screen: None, folder })
    }
}

/// An X server that speaks VNC, white and empty: xrdp's desktop.
fn xvnc(folder: &Folder) -> Outcome<(Process, u16)> {
    let port = free_port()?;
    let mut command = Command::new(program("Xvnc")?);
    command.args(["-displayfd", "1", "-geometry", "800x600", "-depth", "24", "-localhost", "-SecurityTypes", "None"]);
    command.args(["-wr", "-noreset", "-rfbport", &port.to_string()]);
    let mut process = Process::start(&mut command, folder.path())?;
    process.wait_ready(display_number)?;
    process.wait_listening(port)?;
    Ok((process, port))
}

fn xrdp_ini(
    folder: &Folder,
    (address, vnc_port): (SocketAddrV4, Option<u16>),
    security: Security,
    made: &Certificate,
    lines: &str,
) -> Outcome<PathBuf> {
    let (layer, versions, fast_path) = match security {
        Security::Tls(versions) => ("tls", versions, "both"),
        // tshark 4.0 reads encrypted fast-path output as if it were clear and calls it malformed: none of it here.
        Security::Rdp => ("rdp", "TLSv1.2, TLSv1.3", "none"),
        Security::Nla => return Err(Trouble::Failed("xrdp 0.9 has no NLA".into())),
    };
    let (certificate, key) = (made.certificate.display(), made.key.display());
    let (autorun, vnc_port) = vnc_port.map_or(("", 0), |port| ("direct", port));
    let log = folder.path().join("xrdp.log");
    let text = format!(
        "[Globals]\nini_version=1\nfork=true\nport=tcp://{address}\nsecurity_layer={layer}\ncrypt_level=high\n\
         certificate={certificate}\nkey_file={key}\nssl_protocols={versions}\nautorun={autorun}\nmax_bpp=32\n\
         {lines}\nallow_channels=true\nuse_fastpath={fast_path}\nbitmap_cache=true\nbitmap_compression=true\n\
         [Logging]\nLogFile={}\nLogLevel=INFO\nEnableSyslog=false\n[Channels]\ndrdynvc=true\ncliprdr=true\n\
         [direct]\nname=direct\nlib=libvnc.so\nip=127.0.0.1\nport={vnc_port}\nusername=na\npassword=na\n",
        log.display()
    );
    folder.write("xrdp.ini", &text)
}

/// The SAM file of FreeRDP's servers with one account.
fn sam_file(folder: &Folder) -> Outcome<PathBuf> {
    let hash = Command::new(program("winpr-hash")?).args(["-u", USER, "-p", PASSWORD, "-f", "sam"]).output()?;
    folder.write("SAM", &String::from_utf8_lossy(&hash.stdout))
}

/// How a client ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; None where a signal ended it.
    pub code: Option<i32>,
    /// Everything it printed.
    pub output: String,
    /// From start to end.
    pub took: Duration,
    /// Whether its window showed a picture before it was closed.
    pub showed_a_picture: bool,
}

/// What the client does once it is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// xfreerdp's `+auth-only`: the whole connection sequence, no window, out again.
    Leave,
    /// Wait for a picture, then close the window as a person does.
    CloseTheWindow,
    /// Wait for a picture, then have the X server cut the client off. rdesktop 1.9 ignores WM_DELETE_WINDOW (it
    /// announces the wrong atoms), so this is its only end that has an exit code: 1.
    LoseTheScreen,
    /// Wait until the server ends it.
    Stay,
}

/// Runs xfreerdp to its end. Every certificate is accepted.
pub fn xfreerdp(screen: &Screen, port: u16, security: Security, password: &str, then: Then) -> Outcome<Ran> {
    xfreerdp_with(screen, port, security, password, then, |_| {})
}

/// The same with a change to its command: its environment, say.
pub fn xfreerdp_with(
    screen: &Screen,
    port: u16,
    security: Security,
    password: &str,
    then: Then,
    change: impl FnOnce(&mut Command),
) -> Outcome<Ran> {
    xfreerdp_that(screen, port, "/cert:ignore", security, password, then, change)
}

/// Runs xfreerdp to its end, which comes soon: it refuses every certificate that it cannot prove.
pub fn xfreerdp_that_denies(screen: &Screen, port: u16, security: Security) -> Outcome<Ran> {
    xfreerdp_that(screen, port, "/cert:deny", security, PASSWORD, Then::CloseTheWindow, |_| {})
}

/// Starts xfreerdp, and ends it with this signal once `ready` says so.
pub fn xfreerdp_killed(
    screen: &Screen,
    port: u16,
    security: Security,
    signal: &str,
    ready: impl FnOnce() -> Outcome<()>,
) -> Outcome<()> {
    let home = Folder::new()?;
    let mut command = xfreerdp_command(port, "/cert:ignore", security, PASSWORD, &title())?;
    command.env("HOME", home.path()).env("DISPLAY", screen.name());
    let mut process = Process::start(&mut command, home.path())?;
    ready()?;
    process.signal(signal)?;
    process.wait(CLIENT_LIMIT).map(drop)
}

fn xfreerdp_command(port: u16, trusts: &str, security: Security, password: &str, title: &str) -> Outcome<Command> {
    let mut command = Command::new(program("xfreerdp")?);
    command.args(["/v:127.0.0.1", "/size:800x600", trusts, "/log-level:INFO"]);
    command.arg(format!("/port:{port}")).arg(format!("/sec:{}", security.freerdp()));
    command.arg(format!("/u:{USER}")).arg(format!("/p:{password}")).arg(format!("/t:{title}"));
    // Nothing to read: it never hangs on a question.
    command.stdin(Stdio::null());
    Ok(command)
}

fn xfreerdp_that(
    screen: &Screen,
    port: u16,
    trusts: &str,
    security: Security,
    password: &str,
    then: Then,
    change: impl FnOnce(&mut Command),
) -> Outcome<Ran> {
    let home = Folder::new()?;
    let title = title();
    let mut command = xfreerdp_command(port, trusts, security, password, &title)?;
    if then == Then::Leave {
        command.arg("+auth-only");
    }
    change(&mut command);
    run_client(command, screen, home.path(), &title, then)
}

/// Runs xfreerdp until its window shows a picture that this says is the one, and goes on to show it. Tells how it ended, and
/// what it showed last.
pub fn xfreerdp_until(
    screen: &Screen,
    port: u16,
    security: Security,
    options: &[&str],
    is_it: impl Fn(&x11::Image) -> bool,
) -> Outcome<(Ran, x11::Image)> {
    let (home, title) = (Folder::new()?, title());
    let mut command = xfreerdp_command(port, "/cert:ignore", security, PASSWORD, &title)?;
    command.args(options).env("HOME", home.path()).env("DISPLAY", screen.name());
    let began = Instant::now();
    let mut process = Process::start(&mut command, home.path())?;
    let mut display = x11::Connection::open(screen.number)?;
    let (mut last, mut again) = (None, 0);
    let shown = wait_for(CLIENT_LIMIT, || {
        if process.ended()?.is_some() {
            return Err(process.failed("ended before it showed the picture"));
        }
        let Some(window) = display.find(&title)? else { return Ok(None) };
        // An X error here is a window that is not quite there yet: look again.
        let Ok(image) = display.image(window) else { return Ok(None) };
        again = if is_it(&image) && last.as_ref() == Some(&image) { again + 1 } else { 0 };
        last = Some(image);
        Ok((again >= STILL).then_some(window))
    })?;
    let (Some(window), Some(image)) = (shown, last) else { return Err(process.failed("shows no such picture")) };
    display.close(window)?;
    let status = process.wait(CLIENT_LIMIT)?;
    let ran = Ran { code: status.code(), output: process.output(), took: began.elapsed(), showed_a_picture: true };
    Ok((ran, image))
}

/// Runs rdesktop until a picture is there, then cuts it off. Legacy security or TLS is the server's choice.
pub fn rdesktop(screen: &Screen, port: u16) -> Outcome<Ran> {
    rdesktop_then(screen, port, Then::LoseTheScreen)
}

/// The same against a server that does not let it in: it ends by itself.
pub fn rdesktop_fails(screen: &Screen, port: u16) -> Outcome<Ran> {
    rdesktop_then(screen, port, Then::Stay)
}

fn rdesktop_then(screen: &Screen, port: u16, then: Then) -> Outcome<Ran> {
    let home = Folder::new()?;
    let title = title();
    let mut command = Command::new(program("rdesktop")?);
    command.args(["-u", USER, "-p", "na", "-g", "800x600", "-T", &title]).arg(format!("127.0.0.1:{port}"));
    // It asks on its standard input whether an unknown certificate is to be trusted.
    command.stdin(File::open(home.write("answer", "yes\n")?)?);
    run_client(command, screen, home.path(), &title, then)
}

/// A window title no other test uses on the same screen.
fn title() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("rdpscope-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn run_client(mut command: Command, screen: &Screen, home: &Path, title: &str, then: Then) -> Outcome<Ran> {
    command.env("HOME", home).env("DISPLAY", screen.name());
    let began = Instant::now();
    let mut process = Process::start(&mut command, home)?;
    let showed_a_picture = match then {
        Then::Leave | Then::Stay => false,
        Then::CloseTheWindow => once_shown(&mut process, screen, title, x11::Connection::close)?,
        Then::LoseTheScreen => once_shown(&mut process, screen, title, x11::Connection::cut_off)?,
    };
    let status = process.wait(CLIENT_LIMIT)?;
    Ok(Ran { code: status.code(), output: process.output(), took: began.elapsed(), showed_a_picture })
}

/// Waits for a picture and ends the client. One that ends before that is no error here: its exit code tells.
fn once_shown(
    client: &mut Process,
    screen: &Screen,
    title: &str,
    end: fn(&mut x11::Connection, x11::Window) -> io::Result<()>,
) -> Outcome<bool> {
    let mut display = x11::Connection::open(screen.number)?;
    let shown = wait_for(CLIENT_LIMIT, || {
        if client.ended()?.is_some() {
            return Ok(Some(None));
        }
        let window = display.find(title)?;
        // An X error here is a window that went away in between: look again.
        Ok(window.filter(|&window| display.shows_a_picture(window).unwrap_or(false)).map(Some))
    })?;
    match shown {
        Some(Some(window)) => end(&mut display, window).map(|()| true).map_err(Trouble::from),
        Some(None) => Ok(false),
        None => Err(client.failed("shows no picture")),
    }
}

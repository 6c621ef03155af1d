//! The flags.

mod values;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use analyzer::reading::Meant;
use clap::{Args, Parser, Subcommand, ValueEnum};
use proxy::entrance::Entrance;
use proxy::gate::Network;
use proxy::header::Version;
use proxy::impair::Spec;

pub use values::{Output, Target};
use values::{interval, moment, seconds, size, speed, target};

/// Says why Remote Desktop will not connect.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// Log what the program itself does, on standard error
    #[arg(short, long, global = true)]
    pub verbose: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Stand between a client and a server: record every session and say what became of it
    Proxy(Proxy),
    /// Make, show or hand out the authority that `proxy --intercept ca` makes its certificates with
    Ca(Ca),
    /// Say what became of recorded sessions, and of those in anybody's packet captures
    Analyze(Analyze),
    /// Make one HTML page of recorded sessions, for a ticket: verdict, times, messages, path, certificates
    Report(Report),
    /// Show a decrypted session's screen again: PNG files of moments, or one HTML page that plays it
    Play(Play),
    /// Ask a server what it is and what it accepts: reachable, protocols, TLS, certificate, times; without credentials
    Probe(Probe),
    /// Say what an error code means, what can be behind it, and what would tell the causes apart
    Explain(Explain),
    /// List every known cause of a failing connection and how each can be known, or say all that is known of one
    Rules(Rules),
    /// Say how long recorded sessions took, phase by phase, as percentiles
    Histogram(Histogram),
    /// Show the whole thing on this machine: a healthy and a failing session through the real proxy
    Demo(Demo),
    /// Be a server, or an RD Gateway, that fails in one way, for any client to try: `lab list` names the ways
    Lab(Lab),
    /// Play one side of a recorded session to a live peer: the server to a real client, or the client to a real server, with
    /// the same answers, pauses and end
    Replay(Replay),
    /// Say where two sessions part: facts, phases and ends that differ; or the two legs of a relayed one
    Diff(Diff),
    /// Pack recordings, fit for others to see, with their reports and facts of this system into one archive
    Bundle(Bundle),
    /// Make a recording fit for others to see: the same verdict from it, without names, addresses, payload and secrets
    Redact(Redact),
    /// Put the secrets of recordings before their first packet, where tshark needs them, and mend a cut end
    Finalize(Finalize),
    /// Print the manual page, or that of a command
    Man(Man),
    /// Print what makes a shell complete the flags: put it where your shell looks for such
    Completions(Completions),
}

impl Command {
    /// Whether what it shows takes the whole terminal.
    pub fn takes_the_screen(&self) -> bool {
        match self {
            Command::Proxy(args) => args.tui,
            Command::Analyze(args) => args.tui,
            _ => false,
        }
    }
}

#[derive(Debug, Args)]
pub struct Proxy {
    /// The server, as the client knows it; certificates are judged against this name. The port is 3389, of a gateway 443
    #[arg(long, value_name = "NAME[:PORT]", value_parser = target, required_unless_present_any = ["redirect", "transparent"])]
    pub to: Option<Target>,
    /// Linux: connect each client to where it was going before a rule of nftables redirected it here; `--to` is then the name
    /// alone by which certificates are judged
    #[arg(long, conflicts_with_all = ["connect_to", "probe_on_failure"])]
    pub redirect: bool,
    /// Linux, as root: the same by TPROXY, and servers see the clients' own addresses
    #[arg(long, conflicts_with_all = ["redirect", "connect_to", "probe_on_failure"])]
    pub transparent: bool,
    /// Print the rules that `--redirect` or `--transparent` takes, as a script, and end; for clients of port 3389 (with --gateway 443)
    #[arg(long)]
    pub print_rules: bool,
    /// `--to` is an RD Gateway: clients come here in its place, and one recording holds all connections of a client that go
    /// on together
    #[arg(long)]
    pub gateway: bool,
    /// Dial this address instead of what the name resolves to
    #[arg(long, value_name = "IP[:PORT]", value_parser = target)]
    pub connect_to: Option<Target>,
    /// Where clients connect
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:3390")]
    pub listen: SocketAddr,
    /// Let in only clients from this network, or address, besides this machine by any address of its own; again for a further one
    #[arg(long, value_name = "CIDR")]
    pub allow: Vec<Network>,
    /// Clients come by a balancer that sends a PROXY header first, version 1 or 2: take the client's address from it, for everything
    /// that is shown and recorded, and take it off. Who sends none within 5 s is turned away. `--allow` still judges who really
    /// connects: let in the balancer alone, since whoever sends a header can claim any address
    #[arg(long, conflicts_with_all = ["redirect", "transparent"])]
    pub accept_proxy: bool,
    /// Send the server a PROXY header before everything else, with the client's address; with `--accept-proxy` that of the header
    /// that came. Without these two flags a header passes unchanged, and is told
    #[arg(long, value_enum, value_name = "VERSION", num_args = 0..=1, default_missing_value = "v1", conflicts_with = "probe_on_failure")]
    pub send_proxy: Option<SendProxy>,
    /// Let in so many clients at once; who comes then is turned away with RST, and that is told
    #[arg(long, value_name = "N")]
    pub max_sessions: Option<usize>,
    /// Folder of the recordings, one file per session
    #[arg(long, value_name = "DIR", default_value = "rdpscope-recordings")]
    pub out: PathBuf,
    /// Write the report of all sessions to this HTML file at the end
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Replace the report that is there
    #[arg(long, requires = "report")]
    pub force: bool,
    /// What to store while a session is active: equal payload once, or on both legs; or nothing at all, of any session
    #[arg(long, value_enum, default_value_t = Record::Once)]
    pub record: Record,
    /// Show the sessions as they go on, on the whole terminal, and one of them in full; `?` explains the keys
    #[arg(long)]
    pub tui: bool,
    /// Store no payload of an active session, only when it came and how long it was: what is on the screen stays out
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "record")]
    pub snap: Option<Snap>,
    /// Go on in a further file where a recording gets longer than this, such as 100MB or 1GiB; given the first file, every command
    /// reads all of them
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub rotate: Option<u64>,
    /// Let recordings take so much of the disk, such as 10GB: the oldest in the folder are deleted, and of one that is being
    /// written its oldest parts; where that is not enough the longest that is being written ends
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub keep: Option<u64>,
    /// How long each address of the server gets to answer, in seconds: Windows gives a SYN 21
    #[arg(long, value_name = "SECONDS", default_value = "21", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// Probe the server after a failed session, at most once a minute, and put the result beside the recording
    #[arg(long)]
    pub probe_on_failure: bool,
    /// Open TLS, live and in the recordings, with the secrets that the client or the server writes to this NSS key log
    /// while sessions go on (SSLKEYLOGFILE of either); it may be made later. With `--intercept` for what that does not open:
    /// the session inside a gateway's tunnel
    #[arg(long, value_name = "FILE")]
    pub keylog: Option<PathBuf>,
    /// Show the user and domain that a client names, where TLS is opened or absent; never a password
    #[arg(long)]
    pub names: bool,
    #[command(flatten)]
    pub impaired: Impairments,
    /// End TLS here and begin it again, so that the recording opens by itself: by the server's own certificate and key, which
    /// serves every protocol, or by certificates of a local authority that the client's machine trusts, which serves plain TLS
    #[arg(long, value_enum, value_name = "BY")]
    pub intercept: Option<InterceptBy>,
    /// For `--intercept server-key`: the server's certificate, PEM, with the chain behind it if there is one
    #[arg(long, value_name = "FILE", requires = "intercept")]
    pub cert: Option<PathBuf>,
    /// For `--intercept server-key`: its private key, PEM, in clear
    #[arg(long, value_name = "FILE", requires = "intercept")]
    pub key: Option<PathBuf>,
    /// For `--intercept ca`: the authority's folder [default: ~/.config/rdpscope/ca]
    #[arg(long, value_name = "DIR", requires = "intercept")]
    pub ca: Option<PathBuf>,
}

impl Proxy {
    /// Where clients are connected to; without a name where each says that itself.
    pub fn target(&self) -> Target {
        self.to.clone().unwrap_or(Target { name: String::new(), port: None })
    }

    /// Whether anything is written.
    pub fn records(&self) -> bool {
        self.record != Record::None
    }

    /// How they come in.
    pub fn entrance(&self) -> Entrance {
        match (self.redirect, self.transparent) {
            (true, _) => Entrance::Redirected,
            (_, true) => Entrance::Transparent,
            (false, false) => Entrance::Asked,
        }
    }
}

/// Which version of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SendProxy {
    /// A line of text
    V1,
    /// In binary
    V2,
}

impl From<SendProxy> for Version {
    fn from(version: SendProxy) -> Version {
        match version {
            SendProxy::V1 => Version::V1,
            SendProxy::V2 => Version::V2,
        }
    }
}

/// By what TLS is ended here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InterceptBy {
    /// The server's own certificate and key
    ServerKey,
    /// Certificates of a local authority
    Ca,
}

#[derive(Debug, Args)]
pub struct Ca {
    #[command(subcommand)]
    pub what: CaWhat,
}

#[derive(Debug, Subcommand)]
pub enum CaWhat {
    /// Make an authority: a key that its owner alone can read, and a certificate for two years
    Init {
        /// Its folder [default: ~/.config/rdpscope/ca]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Replace the one that is there
        #[arg(long)]
        force: bool,
    },
    /// Say whose it is, where it is, how long it lasts
    Show {
        /// Its folder [default: ~/.config/rdpscope/ca]
        #[arg(long = "ca", value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Hand out its certificate, for the clients that are to trust it; never its key
    Export {
        /// Its folder [default: ~/.config/rdpscope/ca]
        #[arg(long = "ca", value_name = "DIR")]
        folder: Option<PathBuf>,
        /// DER instead of PEM
        #[arg(long)]
        der: bool,
        #[command(flatten)]
        output: Output,
    },
}

/// What endpoints in captures are for, where their connections do not tell. Of recordings nothing depends on it.
#[derive(Debug, Clone, Default, Args)]
pub struct Endpoints {
    /// In captures, take whoever connects to this port for a client of RDP, as on 3389: also where it is refused, not answered, or
    /// left without a byte; again for a further one
    #[arg(long = "port", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub ports: Vec<u16>,
    /// In captures, take TLS with this port for the way to an RD Gateway, also where nothing opens it; again for a further one
    #[arg(long = "gateway-port", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub gateway_ports: Vec<u16>,
    /// The same for TLS with this address; with --gateway-port, at those ports alone; again for a further one
    #[arg(long = "gateway-address", value_name = "IP")]
    pub gateway_addresses: Vec<IpAddr>,
}

impl Endpoints {
    /// For whoever reads captures.
    pub fn meant(&self) -> Arc<Meant> {
        Arc::new(Meant {
            ports: self.ports.clone(),
            gateway_ports: self.gateway_ports.clone(),
            gateway_addresses: self.gateway_addresses.clone(),
        })
    }
}

#[derive(Debug, Args)]
pub struct Diff {
    /// A session that went well, and one that did not: recordings, captures, or folders of them, of which the last such session
    /// is taken
    #[arg(required = true, num_args = 1..=2, value_names = ["GOOD", "BAD"])]
    pub inputs: Vec<PathBuf>,
    /// Compare the two legs of one recording: what the client had and what the server had
    #[arg(long)]
    pub legs: bool,
    /// Open TLS with the secrets of this NSS key log, besides those in the captures and those that SSLKEYLOGFILE names
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    #[command(flatten)]
    pub endpoints: Endpoints,
    /// For people or for scripts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct Bundle {
    /// Recordings of rdpscope (pcapng, also .gz and .zst), or folders of them
    #[arg(required = true, value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
    /// Write there: a .tar.gz
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub endpoints: Endpoints,
    /// Put the files in as they are, with names, payload and secrets
    #[arg(long)]
    pub as_is: bool,
    /// Replace the file that is there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct Redact {
    /// A recording of rdpscope (pcapng, also .gz and .zst)
    #[arg(value_name = "FILE")]
    pub input: PathBuf,
    /// Write there
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file that is there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct Impairments {
    /// Impair every session on purpose, as WHERE: WHAT; several add up. It is told in the recording and in every report, and by a
    /// replay at its end. WHAT: latency 150ms [jitter 20ms] (each way), bandwidth 1mbit/s, stall [for 10s], close by
    /// server|client (FIN), reset by server|client (RST on both legs). WHERE, in any order: front or back (in a replay both are
    /// its one leg), from client or from server, at 5s or a phase such as tls, credssp or active, for 10s; unless said: back,
    /// both ways, at once, until the end. For example: --impair 'tls: reset by server' --impair 'latency 150ms jitter 20ms'
    #[arg(long, value_name = "WHERE: WHAT")]
    pub impair: Vec<Spec>,
    /// Make jitter of this number again: it is announced, and stands in the report of the session that is to be repeated
    #[arg(long, value_name = "N", requires = "impair")]
    pub impair_seed: Option<u64>,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// A recording or capture (pcap, pcapng, also .gz and .zst)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Play the server, to clients that connect here
    #[arg(long, value_name = "IP:PORT", required_unless_present = "to", conflicts_with = "to")]
    pub serve: Option<SocketAddr>,
    /// Play the client, to this server; any certificate is accepted
    #[arg(long, value_name = "HOST[:PORT]", value_parser = target)]
    pub to: Option<Target>,
    /// Which of the sessions in the file, counted from 1
    #[arg(long, value_name = "N")]
    pub session: Option<usize>,
    /// Play it so often: to each client when it comes, or to the server; a client of FreeRDP 2 that fails comes twice
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub times: u32,
    /// So many times as fast as it was
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub speed: f64,
    /// Without any pause
    #[arg(long, conflicts_with = "speed")]
    pub as_fast_as_possible: bool,
    /// Select plain TLS where the recorded server selected NLA, and leave NLA out, in which no recording can prove what a
    /// server proves; for clients that offer TLS, too
    #[arg(long, conflicts_with = "to")]
    pub without_nla: bool,
    /// Show this certificate, PEM, instead of one that says what the recorded one says
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "to")]
    pub cert: Option<PathBuf>,
    /// Its private key, PEM, in clear
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Open TLS with the secrets of this NSS key log, besides those in the file and those that SSLKEYLOGFILE names
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    #[command(flatten)]
    pub endpoints: Endpoints,
    #[command(flatten)]
    pub impaired: Impairments,
}

#[derive(Debug, Args)]
pub struct Finalize {
    /// Recordings (pcapng) of sessions that are over; each is replaced at once, or not at all
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Man {
    /// One of the commands
    pub command: Option<String>,
    /// Write all pages to this folder instead
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    pub output: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Probe {
    /// The server, by the name that its certificate should be for
    #[arg(value_name = "HOST[:PORT]", value_parser = target)]
    pub host: Target,
    /// HOST is an RD Gateway: ask which of its transports and ways to authenticate it offers; the port is 443
    #[arg(long)]
    pub gateway: bool,
    /// Repeat connect, X.224 and TLS so often, and show how their times are spread
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1000))]
    pub count: u32,
    /// For people or for scripts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How long each step may take; nothing new is begun after twelve times as long, the repeats aside
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub timeout: Duration,
}

/// How much of an active session is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Record {
    /// Equal payload once, the other leg as headers
    Once,
    /// Everything on both legs
    Both,
    /// Nothing: sessions are watched and judged, and no file is written
    None,
}

/// What is stored of a session at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Snap {
    /// Everything up to the active phase
    Handshake,
}

#[derive(Debug, Args)]
pub struct Analyze {
    /// Recordings or captures (pcap, pcapng, also .gz and .zst), folders of them, or - for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    pub inputs: Vec<PathBuf>,
    /// Open TLS with the secrets of this NSS key log, besides those in the captures and those that SSLKEYLOGFILE names
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    /// Show the user and domain that a client names behind TLS, or in clear without it; never a password
    #[arg(long)]
    pub names: bool,
    #[command(flatten)]
    pub endpoints: Endpoints,
    /// Re-run one recording at its own pace: tell phase edges and verdict as `proxy` told them live. One that is still being
    /// recorded is followed until its end. Times in which nothing was recorded for 10 minutes and more are skipped, which is said
    #[arg(long, conflicts_with_all = ["format", "output"])]
    pub follow: bool,
    /// So many times faster, or slower: 10, 0.5
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed, requires = "follow")]
    pub speed: f64,
    /// Show it as `proxy --tui` does
    #[arg(long, requires = "follow")]
    pub tui: bool,
    /// For people or for scripts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct Report {
    /// Recordings or captures (pcap, pcapng, also .gz and .zst), folders of them, or - for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    pub inputs: Vec<PathBuf>,
    /// Open TLS with the secrets of this NSS key log, besides those in the captures and those that SSLKEYLOGFILE names
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    #[command(flatten)]
    pub endpoints: Endpoints,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct Play {
    /// A recording or capture (pcap, pcapng, also .gz and .zst) that can be decrypted
    #[arg(value_name = "FILE")]
    pub input: PathBuf,
    /// Write there: FILE.html plays the session, FILE.png is one moment of it, a folder gets a PNG for each moment
    #[arg(short, long, value_name = "FILE.html|FILE.png|DIR")]
    pub output: PathBuf,
    /// A moment, from the session's first packet on: 3.5s, 250ms, 2m. FILE.png is the last moment unless told otherwise
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Vec<Duration>,
    /// A moment each so often, from the first picture on
    #[arg(long, value_name = "TIME", value_parser = interval, conflicts_with = "at")]
    pub every: Option<Duration>,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
    /// Which session of several, as they are listed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub session: Option<u32>,
    /// Open TLS with the secrets of this NSS key log, besides those in the captures and those that SSLKEYLOGFILE names
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    #[command(flatten)]
    pub endpoints: Endpoints,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For scripts
    Json,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// Numbers (0x904, 2308, -1073741715) or names; a word before a number says which table: alert 48, errinfo 0x10a,
    /// freerdp 0x2000C, neg 5, RdpCoreTS 131, rc 131; an extended code follows its reason: 0x904 0x7. Or a line as it stands
    /// in a log or a dialog, in quotes; `-` reads it from standard input
    #[arg(required = true, value_name = "CODE|LINE", allow_negative_numbers = true)]
    pub codes: Vec<String>,
    /// Decide between the causes by what this recording, or folder of recordings, shows
    #[arg(long, value_name = "FILE|DIR")]
    pub capture: Vec<PathBuf>,
    #[command(flatten)]
    pub endpoints: Endpoints,
    /// For people or for scripts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Rules {
    /// One cause, such as TLS-NOKEY
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// For people or for scripts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Histogram {
    /// Recordings, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub endpoints: Endpoints,
    /// Tell sessions apart by this, too
    #[arg(long, value_enum, default_value_t = By::Phase)]
    pub by: By,
    /// Only this row: a phase, or connect, rtt, rtt-front, rtt-back, frame-acknowledge, waited-network, waited-retrans,
    /// waited-client, waited-server
    #[arg(long, value_name = "NAME")]
    pub phase: Option<String>,
    /// Compare with the recordings of this folder
    #[arg(long, value_name = "FILE|DIR")]
    pub vs: Option<PathBuf>,
    /// For people, for scripts, or for HdrHistogram's tools
    #[arg(long, value_enum, default_value_t = HistogramFormat::Text)]
    pub format: HistogramFormat,
    /// Write there instead of to standard output; several .hgrm get a name each behind this one's
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
}

/// What sessions are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Nothing but the phase
    Phase,
    /// The leg on which a phase ended
    Leg,
    /// The server
    Server,
    /// The client
    Client,
    /// How the session went
    Outcome,
}

/// How histograms are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistogramFormat {
    /// Table and bars
    Text,
    /// For scripts
    Json,
    /// A line for each histogram
    Csv,
    /// HdrHistogram's percentile text, in milliseconds
    Hgrm,
    /// An HdrHistogram V2 interval log, in nanoseconds
    V2,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Folder of the recordings and the report
    #[arg(long, value_name = "DIR", default_value = "rdpscope-demo")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Lab {
    /// `list`, the scenario whose server is to be played, `gateway` before that of an RD Gateway, or `slow-dns`, a resolver
    /// that answers late
    #[arg(value_name = "list|NAME|gateway NAME", default_value = "list")]
    pub name: String,
    /// The gateway's scenario; `healthy` unless told otherwise
    #[arg(hide = true)]
    pub scenario: Option<String>,
    /// Where it listens; a server 127.0.0.1:3399 unless told otherwise, a gateway 127.0.0.1:3443, the resolver 127.0.0.77:53
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
    /// Where every channel of a gateway leads, instead of to a server of the lab's own
    #[arg(long, value_name = "HOST[:PORT]", value_parser = target)]
    pub to: Option<Target>,
    /// How late the resolver answers, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pub delay: Duration,
    /// End after so many connections, instead of by Ctrl-C
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
    /// Play the embedded client against it, too, and end
    #[arg(long)]
    pub play: bool,
    /// Append the secrets of its TLS to this key log, for `rdpscope analyze --keylog`
    #[arg(long, value_name = "FILE")]
    pub keylog: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}

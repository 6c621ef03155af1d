//! The flags.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The port of Remote Desktop.
const RDP_PORT: u16 = 3389;
/// The port of an RD Gateway: that of HTTPS.
const GATEWAY_PORT: u16 = 443;

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
    /// Say where two sessions part: facts, phases and ends that differ; or the two legs of a relayed one
    Diff(Diff),
    /// Pack recordings, fit for others to see, with their reports and facts of this system into one archive
    Bundle(Bundle),
    /// Make a recording fit for others to see: the same verdict from it, without names, addresses, payload and secrets
    Redact(Redact),
    /// Put the secrets of recordings before their first packet, where tshark needs them, and mend a cut end
    Finalize(Finalize),
}

#[derive(Debug, Args)]
pub struct Proxy {
    /// The server, as the client knows it; certificates are judged against this name. The port is 3389, of a gateway 443
    #[arg(long, value_name = "NAME[:PORT]", value_parser = target)]
    pub to: Target,
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
    /// Folder of the recordings, one file per session
    #[arg(long, value_name = "DIR", default_value = "rdpscope-recordings")]
    pub out: PathBuf,
    /// Write the report of all sessions to this HTML file at the end
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// What to store while a session is active: equal payload once, or on both legs
    #[arg(long, value_enum, default_value_t = Record::Once)]
    pub record: Record,
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
        /// Write there instead of to standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
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
    /// For people or for scripts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write there instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Bundle {
    /// Recordings of rdpscope (pcapng, also .gz and .zst)
    #[arg(required = true, value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
    /// Write there: a .tar.gz
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
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
pub struct Finalize {
    /// Recordings (pcapng) of sessions that are over; each is replaced at once, or not at all
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
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
    /// For people or for scripts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write there instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Report {
    /// Recordings or captures (pcap, pcapng, also .gz and .zst), folders of them, or - for standard input
    #[arg(required = true, value_name = "FILE|DIR")]
    pub inputs: Vec<PathBuf>,
    /// Open TLS with the secrets of this NSS key log, besides those in the captures and those that SSLKEYLOGFILE names
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    /// Write there instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
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
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "at")]
    pub every: Option<Duration>,
    /// Which session of several, as they are listed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub session: Option<u32>,
    /// Open TLS with the secrets of this NSS key log, besides those in the captures and those that SSLKEYLOGFILE names
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
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
    /// Numbers (0x904, 2308, -1073741715) or names; a word before a number says which table: alert 48, errinfo 0x10c,
    /// freerdp 0x2000C, neg 5; an extended code follows its reason: 0x904 0x7
    #[arg(required = true, value_name = "CODE", allow_negative_numbers = true)]
    pub codes: Vec<String>,
    /// Decide between the causes by what this recording, or folder of recordings, shows
    #[arg(long, value_name = "FILE|DIR")]
    pub capture: Vec<PathBuf>,
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

/// A name or address with a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As it was written, without brackets.
    pub name: String,
    /// The port, where one was written.
    pub port: Option<u16>,
}

impl Target {
    /// The port, or the usual one: of an RDP server, or of a gateway.
    pub fn port_or_usual(&self, gateway: bool) -> u16 {
        self.port.unwrap_or(if gateway { GATEWAY_PORT } else { RDP_PORT })
    }

    /// The address, where it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.name.parse().ok()
    }
}

fn target(text: &str) -> Result<Target, String> {
    let without_port = text.parse::<Ipv6Addr>().is_ok() || text.starts_with('[') && text.ends_with(']');
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !without_port => (name, Some(port)),
        _ => (text, None),
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0));
    if port == Some(None) {
        return Err("expected a port between 1 and 65535 behind the colon".into());
    }
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if name.is_empty() || name.contains(char::is_whitespace) || name.contains('/') {
        return Err("expected a host name or an address, such as server.example.com or [2001:db8::1]:3389".into());
    }
    Ok(Target { name: name.to_owned(), port: port.flatten() })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 3600.0);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected a number of seconds, up to 3600".into())
}

/// A length of time with its unit; a bare number counts seconds.
fn moment(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("expected a unit of ms, s, m or h, found {unit:?}")),
    };
    let length = number.parse::<f64>().ok().map(|number| number * seconds);
    let length = length.filter(|length| (0.0..=1e6).contains(length));
    length.map(Duration::from_secs_f64).ok_or_else(|| "expected a length of time, such as 3.5s, 250ms or 2m".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let check = |text: &str, name: &str, port: Option<u16>| {
            assert_eq!(target(text), Ok(Target { name: name.into(), port }), "{text}");
        };
        check("server", "server", None);
        check("server:3390", "server", Some(3390));
        check("10.0.0.1:1", "10.0.0.1", Some(1));
        check("2001:db8::1", "2001:db8::1", None);
        check("[2001:db8::1]", "2001:db8::1", None);
        check("[2001:db8::1]:3389", "2001:db8::1", Some(3389));
        for wrong in ["", ":3389", "server:", "server:0", "server:65536", "a b", "http://server"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments() {
        let check = |text: &str, ms: u64| assert_eq!(moment(text), Ok(Duration::from_millis(ms)), "{text}");
        check("3.5s", 3500);
        check("250ms", 250);
        check("2m", 120_000);
        check("0", 0);
        for wrong in ["", "s", "-1s", "1d", "1s2", "nan", "1e9"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}

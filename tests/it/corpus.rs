//! The corpus of captures made by others: what must be said of each. Not part of this project; where it is missing
//! these tests say so and pass.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use analyzer::attempt::{self, Diagnosed};
use analyzer::capture::file;
use analyzer::capture::packets::{Decoder, What};
use analyzer::diagnose::{Confidence, Outcome, Severity};
use analyzer::observation::{Absence, Field, Observation, Opening, PathSample, Seen, Side};
use analyzer::reading::{self, Reading};
use analyzer::report::source;
use analyzer::tcp::{Interest, Listener, Streams};

/// The corpus, if it is here.
pub fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("RDPSCOPE_CORPUS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no corpus in {}: set RDPSCOPE_CORPUS", folder.display());
    None
}

fn captures() -> Vec<PathBuf> {
    let Some(folder) = corpus() else { return Vec::new() };
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is_capture =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng");
    let mut paths: Vec<PathBuf> = paths.filter(is_capture).collect();
    paths.sort();
    paths
}

fn read(bytes: &[u8]) -> (Vec<Diagnosed>, Option<Reading>) {
    let mut sessions = Vec::new();
    let reading = reading::read(bytes, Some("capture"), &mut |session| sessions.push(session));
    (sessions, reading.ok())
}

/// One line for each session: what is known up to TLS, how it went, what was found.
fn facts(sessions: &[Diagnosed]) -> String {
    let mut lines = Vec::new();
    for session in sessions {
        let facts = &session.timeline.facts;
        let request = facts.request.as_ref().map(|request| &request.what);
        let cookie = request.and_then(|request| request.cookie.as_deref()).unwrap_or("-");
        let requested = request.and_then(|request| request.requested).unwrap_or_default().0;
        let selected = facts.selected().map_or("-".into(), |selected| selected.0.to_string());
        let failure = facts.failure.as_ref().map_or("-".into(), |failure| failure.what.to_string());
        let leaf = facts.first(|tls| tls.certificates.as_ref()).and_then(|chain| chain.what.first());
        let leaf = leaf.map_or("-".into(), |leaf| format!("{} {}", leaf.subject, leaf.not_after));
        let hello = facts.first(|tls| tls.server_hello.as_ref());
        let tls = hello.map_or("-".into(), |hello| format!("{:04x}/{:04x}", hello.what.version, hello.what.cipher));
        let sure = session.findings.iter().filter(|finding| finding.confidence != Confidence::Possible);
        let found: Vec<_> = sure.map(|finding| finding.cause.id).collect();
        let outcome = if session.withdrawn { "withdrawn" } else { session.outcome.name() };
        let line = format!(
            "{} {requested:#x}>{selected} failure {failure} tls {tls} {leaf} {outcome} {}",
            cookie.trim_end(),
            found.join(",")
        );
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

/// What must be said of each capture with RDP in it, a line for each session: cookie, requested and selected protocols,
/// failure code, TLS version and suite, certificate with the second at which it ends, outcome, findings that are more than
/// possible.
const RDP: &[(&str, &[&str])] = &[
    ("arkime-socks5-rdp.pcap", &["XXX 0x0>0 failure - tls - - unfinished"]),
    (
        "awakecoding-rdp-credential-guard-accepted1.pcapng",
        &["Administr 0xa>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    (
        "awakecoding-rdp-nla-kerberos-auth1.pcapng",
        &["Administr 0xb>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    (
        "awakecoding-rdp-nla-ntlm-rejected1.pcapng",
        &[
            "IT-HELP\\A 0xb>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 failed NLA-NTLMOFF",
            "IT-HELP\\A 0x1>- failure 5 tls - - failed X224-HYBRID",
        ],
    ),
    (
        "awakecoding-rdp-nla-smartcard-auth1.pcapng",
        &["@@BooZeoy 0xb>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    (
        "awakecoding-rdp-no-nla-accepted1.pcapng",
        &["Administr 0x1>1 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    ("awakecoding-rdp-no-nla-rejected1.pcapng", &["Administr 0x1>- failure 5 tls - - failed X224-HYBRID"]),
    (
        "awakecoding-rdp-no-tls-accepted1.pcapng",
        &["Administr 0x1>- failure 2 tls - - withdrawn X224-SSLNO", "Administr 0x0>0 failure - tls - - connected"],
    ),
    (
        "awakecoding-rdp-rdg-diff-creds-kerberos-password.pcapng",
        &["Protected 0xb>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    (
        "awakecoding-rdp-rdg-no-kdc-proxy-ntlm-downgrade-success.pcapng",
        &["Administr 0xb>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    (
        "awakecoding-rdp-rdg-same-creds-kerberos-password-success1.pcapng",
        &["Protected 0xb>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    (
        "awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success1.pcapng",
        &["@@BpNSrka 0xb>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    (
        "awakecoding-rdp-rdg-same-creds-kerberos-smartcard-success2.pcapng",
        &["@@BpNSrka 0xb>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    (
        "awakecoding-rdp-restricted-admin-accepted1.pcapng",
        &["Administr 0xa>8 failure - tls 0303/c030 CN=IT-HELP-TEST.ad.it-help.ninja 1775174050 connected"],
    ),
    ("jovair-rdp.pcap", &["IEUser 0x1>1 failure - tls 0301/002f CN=IE11Win7 1519176188 connected"]),
    ("ndpi-rdp.pcap", &["- 0xb>8 failure - tls 0303/c030 CN=OFFICE-WIN10-VM 1568803631 unfinished"]),
    // Its client speaks nothing that is known, and an RDP server answers.
    ("zeek-rdp-invalid-length.pcap", &["- 0x0>- failure - tls - - unfinished PRX-PROBE"]),
    (
        "zeek-rdp-no-cookie-mstshash.pcap",
        &["- 0xb>8 failure - tls 0303/009d CN=CLK-456040-D.one.phoenix.gov 1746400759 failed TLS-UNTRUST"],
    ),
    (
        "zeek-rdp-proprietary-encryption.pcap",
        &["FTBCO\\A70 0x1>- failure 2 tls - - withdrawn X224-SSLNO", "FTBCO\\A70 0x0>0 failure - tls - - connected"],
    ),
    (
        "zeek-rdp-to-ssl.pcap",
        &[
            "AWAKECODI 0x3>2 failure - tls 0301/002f CN=WIN2K8R2.awakecoding.ath.cx 1613088000 withdrawn",
            "AWAKECODI 0x3>2 failure - tls 0301/002f CN=WIN2K8R2.awakecoding.ath.cx 1613088000 connected",
        ],
    ),
    ("zeek-rdp-unknown-keyboard.pcap", &["JOHN-PC 0x0>0 failure - tls - - unfinished"]),
];

/// The captures with RDP in them, where the corpus is here.
pub fn rdp_captures() -> Vec<PathBuf> {
    let is_rdp = |path: &PathBuf| RDP.iter().any(|(name, _)| path.ends_with(name));
    captures().into_iter().filter(is_rdp).collect()
}

/// Load generators and rubbish: an answer is enough.
const ROBUSTNESS: &[&str] = &["boofuzz-rdp-1225conns.pcap"];

#[test]
fn the_facts_of_every_rdp_capture_and_no_rdp_elsewhere() {
    for path in captures() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (sessions, reading) = read(&fs::read(&path).expect("a file"));
        reading.unwrap_or_else(|| panic!("{name} is not read"));
        if ROBUSTNESS.contains(&name.as_str()) {
            continue;
        }
        let attempts = attempt::group(sessions);
        let sessions: Vec<Diagnosed> = attempts.into_iter().flat_map(|attempt| attempt.sessions).collect();
        let expected = RDP.iter().find(|(of, _)| *of == name).map(|(_, facts)| facts.join("\n"));
        assert_eq!(facts(&sessions), expected.unwrap_or_default(), "{name}");
        assert!(sessions.iter().all(|session| source(&session.timeline) == "packets"), "{name}");
    }
}

#[test]
fn healthy_captures_raise_no_alarm() {
    let Some(folder) = corpus() else { return };
    for (name, facts) in RDP.iter().filter(|(_, facts)| facts.iter().any(|fact| fact.ends_with("connected"))) {
        let (sessions, _) = read(&fs::read(folder.join(name)).expect("a file"));
        for attempt in attempt::group(sessions) {
            assert_eq!(attempt.outcome(), Outcome::Connected, "{name}: {facts:?}");
            let loud = attempt.sessions.iter().flat_map(|session| &session.findings);
            let loud: Vec<_> = loud.filter(|finding| finding.severity != Severity::Note).collect();
            assert!(loud.is_empty(), "{name}: {loud:?}");
        }
        let analyzed = Command::new(env!("CARGO_BIN_EXE_rdpscope")).arg("analyze").arg(folder.join(name)).output();
        assert_eq!(analyzed.expect("rdpscope runs").status.code(), Some(0), "{name}");
    }
}

#[test]
fn compressed_files_and_standard_input_are_read() {
    let Some(folder) = corpus() else { return };
    let analyze = |args: &[&str], input: &[u8]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rdpscope"));
        let command = command.arg("analyze").args(args).current_dir(&folder);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("rdpscope runs");
        let _closed = child.stdin.take().expect("a pipe").write_all(input);
        let output = child.wait_with_output().expect("rdpscope ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, talk) = analyze(&["zeek-tls-fragmented-handshake.pcap.gz"], b"");
    assert_eq!((code, talk.trim()), (Some(0), "no RDP found"));
    let rejected = fs::read(folder.join("awakecoding-rdp-no-nla-rejected1.pcapng")).expect("a file");
    let (code, said, _) = analyze(&["-"], &rejected);
    assert!(code == Some(1) && said.contains("X224-HYBRID"), "{said}");
    for (input, says) in [(&b""[..], "empty"), (b"no capture", "something else")] {
        let (code, _, talk) = analyze(&["-"], input);
        assert!(code == Some(2) && talk.contains("standard input") && talk.contains(says), "{talk}");
    }
    // Several files, in the order of the command line.
    let names = ["ndpi-rdp.pcap", "INDEX.tsv", "awakecoding-rdp-no-nla-rejected1.pcapng"];
    let (code, said, talk) = analyze(&names, b"");
    assert!(code == Some(2) && talk.contains("INDEX.tsv") && said.contains("X224-HYBRID"), "{said}{talk}");
}

/// xorshift64*
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// What is cut or changed of a large capture: its beginning.
const LARGE: usize = 200_000;

#[test]
fn every_capture_cut_and_damaged_gives_an_answer() {
    for (seed, path) in captures().into_iter().enumerate() {
        let mut dice = Dice(seed as u64 + 1);
        let mut whole = fs::read(&path).expect("a file");
        whole.truncate(LARGE);
        for round in 0..20 {
            let cut = dice.below(whole.len());
            let mut damaged = whole.clone();
            for _ in 0..1 + dice.below(20) {
                let place = dice.below(damaged.len());
                damaged[place] = dice.below(256) as u8;
            }
            let begun = Instant::now();
            let _answer = (read(&whole[..cut]), read(&damaged));
            assert!(begun.elapsed() < Duration::from_secs(20), "{} hangs in round {round}", path.display());
        }
    }
}

/// Remembers what is told of each connection.
#[derive(Default)]
struct Everything(Vec<Vec<Observation>>);

impl Listener for Everything {
    type State = Vec<Observation>;
    fn hear(&mut self, state: &mut Vec<Observation>, observation: Observation) -> Interest {
        state.push(observation);
        Interest::Keep
    }
    fn over(&mut self, state: Vec<Observation>) {
        self.0.push(state);
    }
}

pub fn streams(bytes: &[u8]) -> Vec<Vec<Observation>> {
    let (mut decoder, mut streams) = (Decoder::default(), Streams::new(Everything::default()));
    let read = file::read(bytes, &mut |item| {
        decoder.item(&item, &mut |heard| streams.push(&heard));
        Ok(())
    });
    read.expect("a capture");
    decoder.finish(&mut |heard| streams.push(&heard));
    streams.finish().0
}

/// One connection in a line: how it began, the bytes of both sides with their holes, retransmissions, how it ended.
fn story(observations: &[Observation]) -> String {
    let mut text = String::new();
    let (mut bytes, mut last) = ([0_u64; 2], None);
    let flush = |bytes: &mut [u64; 2], text: &mut String| {
        for (side, len) in ["c", "s"].iter().zip(std::mem::take(bytes)) {
            if len > 0 {
                let _infallible = write!(text, " {side}{len}");
            }
        }
    };
    for observation in observations {
        match &observation.seen {
            Seen::Bytes { from, data } => {
                bytes[*from as usize] += data.len() as u64;
                continue;
            }
            Seen::Path(sample) => {
                last = Some(sample.clone());
                continue;
            }
            Seen::Sign(_) | Seen::Secret(_) | Seen::Interception(_) | Seen::Impairment(_) | Seen::Lapse(_) => continue,
            Seen::Opening(_) | Seen::Opened | Seen::Missing { .. } | Seen::Closed { .. } => {}
        }
        flush(&mut bytes, &mut text);
        let _infallible = match &observation.seen {
            Seen::Opening(Opening::Dialing { .. }) => write!(text, " dial"),
            Seen::Opening(Opening::Joined { .. }) => write!(text, " joined"),
            Seen::Opened => write!(text, " opened"),
            Seen::Missing { from, len, why } => write!(text, " {}{len}{}", &from.name()[..1], why.name()),
            Seen::Closed { from, how } => {
                write!(text, " {}-{}", from.map_or("nobody", |from| from.name()), how.name())
            }
            Seen::Opening(_)
            | Seen::Bytes { .. }
            | Seen::Path(_)
            | Seen::Sign(_)
            | Seen::Secret(_)
            | Seen::Interception(_)
            | Seen::Impairment(_)
            | Seen::Lapse(_) => Ok(()),
        };
    }
    flush(&mut bytes, &mut text);
    if let Some(sample) = last {
        let again = sample.retransmits.unwrap_or(0);
        let rtt = sample.min_rtt_us.unwrap_or(0);
        let _infallible = write!(text, " again {again} rtt {rtt}");
        for (side, count) in [("client", sample.client_zero_windows), ("server", sample.server_zero_windows)] {
            let _infallible = count.map(|count| write!(text, " zero-window {side} {count}"));
        }
    }
    text.trim_start().to_owned()
}

/// The stream, its holes, how it began and ended, segments sent again, and the least round trip in microseconds.
const TCP: &[(&str, &str)] = &[
    ("chrissanders-latency1.pcapng", "dial opened c627 s1406 again 0 rtt 30182"),
    ("chrissanders-latency2.pcapng", "dial opened c627 s1406 again 0 rtt 895134"),
    ("chrissanders-tcp_dupack.pcapng", "joined s4104 again 1 rtt 0"),
    ("chrissanders-tcp_refuseconnection.pcapng", "dial server-refused"),
    ("chrissanders-tcp_retransmissions.pcapng", "joined c648 again 5 rtt 0"),
    ("chrissanders-tcp_zerowindowdead.pcapng", "joined s1344 again 0 rtt 0 zero-window client 4"),
    ("pcpp-linktype_ipv6.pcap", "dial"),
    ("pcpp-nanosecs_big_endian.pcap", "dial opened c78 s1444 server-fin again 0 rtt 6"),
    ("pcpp-null_loopback.pcap", "joined c403 again 0 rtt 0"),
    ("pcpp-one_http_stream_rst.pcap", "dial opened c1036 s600 server-fin client-reset again 0 rtt 32989"),
    ("pcpp-one_tcp_stream.pcap", "dial opened c9948 s12444 again 2 rtt 15644"),
    ("pcpp-one_tcp_stream_fin_rst_close_packet.pcap", "dial opened c235 s78 client-fin client-reset again 0 rtt 370"),
    ("pcpp-one_tcp_stream_max_seq.pcap", "dial opened c9948 s12444 again 2 rtt 15644"),
    (
        "pcpp-unidirectional_tcp_stream_with_missing_packet.pcap",
        "dial opened c1420 s5528lost c1420lost c7108 s6916lost again 0 rtt 0",
    ),
    (
        "suricata-bug-3286-02-linux-evasion-with_evasion_linux.pcap",
        "dial server-refused dial opened c338 s79 again 0 rtt 13",
    ),
    ("suricata-bug-6244-tcp-rst-with-data-tcp-rst-with-data.pcap", "dial opened s17 client-reset again 0 rtt 1662"),
    ("suricata-eve-overlap-payload-01-tcp-overlap.pcap", "dial opened c4 again 0 rtt 601"),
    ("suricata-eve-overlap-payload-05-gap-tcp-simple-gap2.pcap", "dial opened c4 c4lost c4 again 0 rtt 504"),
    ("wireshark-http-ooo.pcap", "joined c287 client-fin again 0 rtt 0"),
    ("wireshark-retrans-tls.pcap", "joined c21 again 0 rtt 0"),
    ("wireshark-tcp-badsegments.pcap", "dial opened c192 c32lost c32 c16lost c1 c13lost c1 c1lost c34 again 0 rtt 2"),
    ("zeek-tcp-fin_retransmission.pcap", "dial opened server-reset again 0 rtt 307131"),
    ("zeek-tcp-miss_end_data.pcap", "dial opened c538 s2902lost server-fin client-fin again 0 rtt 5726"),
    ("zeek-tcp-missing-syn.pcap", "dial opened c98 s9417 client-fin server-fin again 0 rtt 184994"),
    (
        "zeek-tcp-reassembly.pcap",
        "dial opened c274 server-fin c1440 c8snapped c4372 c8snapped c5808 c8snapped c24lost c3628 c728lost c12 c708lost c659 c81lost c24 c1343lost c4318 c20snapped c6494 c1448lost c1803 client-fin again 15 rtt 39993",
    ),
    (
        "zeek-tcp-retransmit-fast009.pcap",
        "dial opened c474snapped s1446snapped s1446snapped s1446snapped s1446snapped s1446snapped s1446snapped s1446snapped s1446snapped s1446snapped s1286snapped s1446snapped s1446snapped s1446snapped s1446snapped s1366snapped s1430snapped s903snapped client-reset again 3 rtt 111190",
    ),
    ("zeek-tcp-retransmit-timeout.pcapng", "joined c18 again 1 rtt 0"),
    ("zeek-tcp-rst-inject-rae.pcap", "dial opened c25 server-reset c150 again 0 rtt 1267865"),
    ("zeek-tcp-syn-then-ack-then-rst.pcap", "dial client-reset"),
    ("zeek-tcp-syn-then-rst.pcap", "dial client-reset"),
    ("zeek-tcp-syn-then-stuff-then-rst.pcap", "dial client-reset"),
    (
        "zeek-tcp-truncated-header.pcap",
        "dial opened s84snapped c24snapped s204snapped c58snapped s46snapped c34snapped s79snapped c6snapped s23snapped c6snapped s41snapped server-fin client-fin again 0 rtt 198629",
    ),
    ("zeek-tcp-window-scale-range.pcap", "dial opened c5 again 0 rtt 200000"),
];

#[test]
fn the_stream_and_the_end_of_every_tcp_capture() {
    let Some(folder) = corpus() else { return };
    for (name, expected) in TCP {
        let stories: Vec<_> = streams(&fs::read(folder.join(name)).expect("a file")).iter().map(|c| story(c)).collect();
        assert_eq!(stories, [*expected], "{name}");
    }
}

/// What only packets show, a line for each: the frame, the sign, its fields; times in milliseconds.
fn signs(observations: &[Observation]) -> Vec<String> {
    let line = |observation: &Observation| {
        let Seen::Sign(sign) = &observation.seen else { return None };
        let mut line = format!("{} {}", observation.frame, sign.name());
        for (name, field) in sign.fields() {
            let _infallible = match (name.strip_suffix("_ns"), field) {
                (Some(name), Field::Number(ns)) => write!(line, " {name}={}ms", ns / 1_000_000),
                (_, Field::Yes) => write!(line, " {name}"),
                (_, Field::Word(word)) if name == "from" => write!(line, " {word}"),
                (_, field) => write!(line, " {name}={field}"),
            };
        }
        Some(line)
    };
    observations.iter().filter_map(line).collect()
}

/// What INDEX.tsv says of each capture with trouble in TCP, as signs.
const SIGNS: &[(&str, &[&str])] = &[
    ("chrissanders-latency1.pcapng", &[]),
    ("chrissanders-latency2.pcapng", &[]),
    ("chrissanders-tcp_dupack.pcapng", &["8 retransmitted server len=1368 why=fast after=0ms"]),
    ("chrissanders-tcp_refuseconnection.pcapng", &["2 reset server sequence=exact before_syn_ack"]),
    (
        "chrissanders-tcp_retransmissions.pcapng",
        &[
            "2 retransmitted client len=648 why=timeout place=1 after=206ms",
            "3 retransmitted client len=648 why=timeout place=2 after=600ms",
            "4 retransmitted client len=648 why=timeout place=3 after=1200ms",
            "5 retransmitted client len=648 why=timeout place=4 after=2400ms",
            "6 retransmitted client len=648 why=timeout place=5 after=4805ms",
        ],
    ),
    ("chrissanders-tcp_zerowindowdead.pcapng", &["2 zero_window client lasted=23731ms probes=3 still_shut"]),
    ("pcpp-one_http_stream_rst.pcap", &["10 reset client no_window sequence=exact"]),
    (
        "pcpp-one_tcp_stream.pcap",
        &[
            "7 retransmitted client len=1420 why=tail_probe after=31ms",
            "9 sent_for_nothing client len=1420",
            "17 keep_alive client",
            "24 retransmitted client len=1420 why=tail_probe after=29ms",
            "27 sent_for_nothing client len=1420",
        ],
    ),
    // Whoever made it renumbered all but the selective acknowledgements: these lie anywhere.
    (
        "pcpp-one_tcp_stream_max_seq.pcap",
        &[
            "7 retransmitted client len=1420 why=tail_probe after=31ms",
            "17 keep_alive client",
            "24 retransmitted client len=1420 why=tail_probe after=29ms",
        ],
    ),
    (
        "pcpp-one_tcp_stream_fin_rst_close_packet.pcap",
        &["12 reset client sequence=exact", "13 reset client id=52748 last_id=9706 no_window sequence=exact answers"],
    ),
    // The server's direction is not in it, and one packet of the client.
    (
        "pcpp-unidirectional_tcp_stream_with_missing_packet.pcap",
        &["5 capture_loss server len=5528", "4 capture_loss client len=1420", "12 capture_loss server len=6916"],
    ),
    (
        "suricata-bug-3286-02-linux-evasion-with_evasion_linux.pcap",
        &[
            "2 reset server sequence=exact before_syn_ack",
            "3 after_reset server len=0 after=0ms",
            "4 reset client id=0 last_id=58846 no_window no_timestamp sequence=exact answers before_syn_ack",
            "5 after_reset server len=0 after=2ms",
            "8 after_reset server len=0 after=120ms",
            "9 after_reset server len=79 after=121ms",
        ],
    ),
    ("suricata-bug-6244-tcp-rst-with-data-tcp-rst-with-data.pcap", &["8 reset client sequence=exact payload=13"]),
    ("suricata-eve-overlap-payload-01-tcp-overlap.pcap", &[]),
    ("suricata-eve-overlap-payload-05-gap-tcp-simple-gap2.pcap", &["6 capture_loss client len=4"]),
    // Four come behind a later one. Two more that others count as such (packets 11, 15) are longer repetitions.
    (
        "wireshark-tcp-badsegments.pcap",
        &[
            "7 overtaken client late=0ms",
            "16 overtaken client late=0ms",
            "17 overtaken client late=0ms",
            "21 overtaken client late=0ms",
            "18 capture_loss client len=32",
            "21 capture_loss client len=16",
            "20 capture_loss client len=13",
            "22 capture_loss client len=1",
        ],
    ),
    (
        "wireshark-http-ooo.pcap",
        &[
            "4 overtaken client late=0ms",
            "6 overtaken client late=0ms",
            "10 overtaken client late=0ms",
            "15 overtaken client late=0ms",
        ],
    ),
    (
        "zeek-tcp-fin_retransmission.pcap",
        &["4 retransmitted client len=0 why=rest after=16ms", "5 reset server sequence=exact answers"],
    ),
    ("zeek-tcp-miss_end_data.pcap", &["7 capture_loss server len=2902"]),
    ("zeek-tcp-missing-syn.pcap", &[]),
    // INDEX.tsv reads RTOs out of Zeek's state RSTO, which is a reset by the originator: no timer ran out here.
    (
        "zeek-tcp-retransmit-fast009.pcap",
        &[
            "32 retransmitted server len=1430 why=fast after=165ms",
            "34 retransmitted server len=1430 why=fast after=22ms",
            "36 retransmitted server len=1430 why=fast after=13ms",
            "39 reset client no_window sequence=exact",
        ],
    ),
    // The acknowledgement was there long before: nothing was lost.
    ("zeek-tcp-retransmit-timeout.pcapng", &["3 retransmitted client len=18 why=spurious after=300000ms"]),
    (
        "zeek-tcp-rst-inject-rae.pcap",
        &[
            "2 reset server sequence=outside before_syn_ack",
            "3 after_reset server len=0 after=1032ms",
            "6 after_reset server len=0 after=2618ms",
            "7 reset server no_window no_timestamp sequence=exact",
            "9 reset server no_window no_timestamp sequence=exact answers",
        ],
    ),
    ("zeek-tcp-syn-then-ack-then-rst.pcap", &["3 reset client sequence=exact answers before_syn_ack"]),
    ("zeek-tcp-syn-then-rst.pcap", &["2 reset client sequence=exact answers before_syn_ack"]),
    ("zeek-tcp-syn-then-stuff-then-rst.pcap", &["4 reset client sequence=exact answers before_syn_ack"]),
    ("zeek-tcp-truncated-header.pcap", &[]),
    ("zeek-tcp-window-scale-range.pcap", &["1 window_scale client shift=255"]),
];

#[test]
fn the_signs_of_every_tcp_capture() {
    let Some(folder) = corpus() else { return };
    for (name, expected) in SIGNS {
        let shown: Vec<_> =
            streams(&fs::read(folder.join(name)).expect("a file")).iter().flat_map(|c| signs(c)).collect();
        assert_eq!(shown, *expected, "{name}");
    }
}

/// The last number of this name that the connections of a capture have.
fn number(folder: &Path, capture: &str, name: &str) -> Option<u64> {
    let all = streams(&fs::read(folder.join(capture)).expect("a file")).into_iter().flatten();
    let told = |sample: &PathSample| sample.numbers().find(|(known, _)| *known == name).map(|(_, number)| number);
    let samples =
        all.filter_map(|observation| if let Seen::Path(sample) = observation.seen { told(&sample) } else { None });
    samples.last()
}

#[test]
fn numbers_by_side() {
    let Some(folder) = corpus() else { return };
    for (capture, name, expected) in [
        // SYN/ACK after 30 ms and 0.88 s, the acknowledgement of GET after 1.16 s.
        ("chrissanders-latency1.pcapng", "server_min_rtt_us", 30_107),
        ("chrissanders-latency2.pcapng", "server_min_rtt_us", 878_530),
        ("chrissanders-latency2.pcapng", "server_rtt_us", 1_155_228),
        ("chrissanders-tcp_retransmissions.pcapng", "client_backoff", 5),
        ("chrissanders-tcp_retransmissions.pcapng", "client_stuck_segment", 648),
        ("chrissanders-tcp_zerowindowdead.pcapng", "client_zero_window_us", 23_731_524),
        ("chrissanders-tcp_zerowindowdead.pcapng", "longest_gap_us", 13_536_714),
        ("pcpp-one_tcp_stream.pcap", "client_spurious", 2),
        ("pcpp-one_tcp_stream.pcap", "server_mss", 1420),
        ("zeek-tcp-miss_end_data.pcap", "server_capture_lost_bytes", 2902),
        ("zeek-tcp-reassembly.pcap", "client_capture_lost_bytes", 4332),
        // Six gaps, of which three are filled later.
        ("wireshark-tcp-badsegments.pcap", "client_capture_lost_bytes", 62),
    ] {
        assert_eq!(number(&folder, capture, name), Some(expected), "{capture}: {name}");
    }
}

#[test]
fn documents_show_signs() {
    let Some(folder) = corpus() else { return };
    let mut analyze = Command::new(env!("CARGO_BIN_EXE_rdpscope"));
    let analyze = analyze.args(["analyze", "--format", "json", "awakecoding-rdp-no-nla-rejected1.pcapng"]);
    let output = analyze.current_dir(&folder).output().expect("rdpscope runs");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let leg = &document["attempts"][0]["sessions"][0]["legs"][0];
    let [sign] = &leg["signs"].as_array().expect("signs")[..] else { panic!("{leg}") };
    assert_eq!((&sign["sign"], &sign["from"], &sign["frame"]), (&"reset".into(), &"client".into(), &6.into()));
    assert_eq!((&sign["no_window"], &leg["signs_seen"]["reset"]), (&true.into(), &1.into()));
    assert_eq!((&leg["path"]["client_ttl"], &leg["path"]["server_unacked_bytes"]), (&128.into(), &0.into()));
}

/// Zeek counts 24,257 bytes of this one as missed: all that its packets were cut by.
#[test]
fn cut_payload_is_counted() {
    let Some(folder) = corpus() else { return };
    let file = fs::read(folder.join("zeek-tcp-retransmit-fast009.pcap")).expect("a file");
    let cut = |observation: Observation| match observation.seen {
        Seen::Missing { len, why: Absence::Snapped, .. } => len,
        _ => 0,
    };
    assert_eq!(streams(&file).into_iter().flatten().map(cut).sum::<u64>(), 24_257);
}

#[test]
fn lost_and_repeated_segments_side_by_side() {
    let Some(folder) = corpus() else { return };
    let all = streams(&fs::read(folder.join("zeek-tcp-reassembly.pcap")).expect("a file"));
    let lines: Vec<String> = all.iter().flat_map(|connection| signs(connection)).collect();
    let count = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!((count("capture_loss"), count("network_loss"), count("retransmitted client")), (6, 6, 15), "{lines:#?}");
}

#[test]
fn a_packet_too_big_tells_the_mtu() {
    let Some(folder) = corpus() else { return };
    for (name, expected) in [
        // What they quote is UDP, and an echo: nothing is said of any connection.
        ("zeek-icmp-icmp6-toobig.pcap", vec![]),
        ("suricata-ipv6-evasion-ipv6-atomic-fragments-toobig-toobig.pcap", vec![]),
    ] {
        let mut told: Vec<(u8, Option<u32>)> = Vec::new();
        let mut decoder = Decoder::default();
        let read = file::read(&fs::read(folder.join(name)).expect("a file")[..], &mut |item| {
            decoder.item(&item, &mut |heard| {
                if let What::Icmp(icmp) = heard.what {
                    told.push((icmp.kind, icmp.mtu));
                }
            });
            Ok(())
        });
        read.expect("a capture");
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn sequence_numbers_that_wrap_change_nothing() {
    let Some(folder) = corpus() else { return };
    let payload = |name: &str| -> Vec<(Side, Vec<u8>)> {
        let all = streams(&fs::read(folder.join(name)).expect("a file")).into_iter().flatten();
        all.filter_map(|observation| match observation.seen {
            Seen::Bytes { from, data } => Some((from, data.to_vec())),
            _ => None,
        })
        .collect()
    };
    assert_eq!(payload("pcpp-one_tcp_stream.pcap"), payload("pcpp-one_tcp_stream_max_seq.pcap"));
}

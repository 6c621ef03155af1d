//! Figures in few columns: phases as a bar, round trips as a sparkline, bytes, ages; and text that cannot drive a terminal.

use std::time::Duration;

use analyzer::diagnose::Outcome;
use analyzer::report::text::length;
use analyzer::timeline::leg::Leg;
use analyzer::timeline::phase::{self, PhaseName};

use super::board::{Session, State};

/// The steps that each session takes, and those before them on the way through a gateway. The optional ones count with the
/// step behind them.
const STEPS: [PhaseName; 10] = [
    PhaseName::Tcp,
    PhaseName::Negotiation,
    PhaseName::Tls,
    PhaseName::Credssp,
    PhaseName::BasicSettings,
    PhaseName::ChannelConnection,
    PhaseName::SecureSettings,
    PhaseName::Licensing,
    PhaseName::Capabilities,
    PhaseName::Finalization,
];
const GATEWAY: [PhaseName; 6] = [
    PhaseName::GatewayTls,
    PhaseName::GatewayHttp,
    PhaseName::GatewayAuth,
    PhaseName::GatewayTunnel,
    PhaseName::GatewayAuthorization,
    PhaseName::GatewayChannel,
];
/// From low to high.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How far a session came, `━━━>┄┄┄┄┄┄`: `>` where it is, `x` where it failed, `|` where it stopped.
pub fn progress(session: &Session, width: usize) -> String {
    let timeline = session.timeline();
    let last = match &session.state {
        State::Over(diagnosed) if diagnosed.outcome == Outcome::Failed => {
            diagnosed.findings.first().map_or(timeline.last_phase(), |finding| finding.phase)
        }
        State::Running(_) | State::Over(_) => timeline.last_phase(),
    };
    let is_through_gateway = timeline.facts.gateway.is_some();
    let steps = STEPS.iter().chain(GATEWAY.iter().filter(|_| is_through_gateway));
    let all = steps.clone().count();
    let passed = steps.filter(|step| **step < last).count() * width / all;
    let mark = match &session.state {
        State::Running(_) if last == PhaseName::Active => '━',
        State::Running(_) => match timeline.phase(last).map(|phase| phase.outcome) {
            Some(phase::Outcome::Failed) => 'x',
            Some(phase::Outcome::Open | phase::Outcome::Done) | None => '>',
        },
        State::Over(diagnosed) => match diagnosed.outcome {
            Outcome::Connected => '━',
            Outcome::Broken | Outcome::Failed => 'x',
            Outcome::Unfinished => '|',
        },
    };
    let at = passed.min(width.saturating_sub(1));
    let left = width.saturating_sub(at + 1);
    format!("{}{mark}{}", "━".repeat(at), "┄".repeat(left))
}

/// Round trips of a leg as they were sampled, the latest to the right, and the latest as a number.
pub fn round_trips(leg: Option<&Leg>, width: usize) -> String {
    let steps = leg.into_iter().flat_map(|leg| leg.series.steps());
    let sampled: Vec<Duration> = steps.filter_map(|step| step.rtt).map(|(_, most)| most).collect();
    let line = sparkline(&sampled, width);
    let latest = leg.and_then(|leg| {
        let sampled = leg.path().and_then(|path| path.what.rtt_us).map(Duration::from_micros);
        sampled.filter(|rtt| !rtt.is_zero()).or_else(|| leg.rtt())
    });
    format!("{line} {:>5}", latest.map_or("-".into(), brief))
}

/// What stays low is steady: the top is the greatest of them, and at least four times the least.
fn sparkline(times: &[Duration], width: usize) -> String {
    let per_bar = times.len().div_ceil(width.max(1)).max(1);
    let bars: Vec<u128> =
        times.chunks(per_bar).filter_map(|some| some.iter().max()).map(|most| most.as_nanos()).collect();
    let (least, most) = (bars.iter().min().copied().unwrap_or(0), bars.iter().max().copied().unwrap_or(0));
    let top = most.max(4 * least).max(1);
    let drawn: String = bars.iter().map(|bar| BARS[((bar * 8).div_ceil(top).max(1) as usize - 1).min(7)]).collect();
    format!("{drawn:>width$}")
}

/// A time in five columns: 480µs, 4.2ms, 41ms, 1.2s.
fn brief(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..1_000 => format!("{micros}µs"),
        1_000..9_950 => format!("{:.1}ms", time.as_secs_f64() * 1e3),
        9_950..999_500 => format!("{:.0}ms", time.as_secs_f64() * 1e3),
        999_500..99_950_000 => format!("{:.1}s", time.as_secs_f64()),
        _ => format!("{}s", time.as_secs()),
    }
}

/// Bytes in six columns: 812, 12.3k, 4.5M.
pub fn bytes(count: u64) -> String {
    let of = |unit: f64| count as f64 / unit;
    match count {
        0..10_000 => count.to_string(),
        10_000..9_995_000 => format!("{:.1}k", of(1e3)),
        9_995_000..9_995_000_000 => format!("{:.1}M", of(1e6)),
        9_995_000_000..9_995_000_000_000 => format!("{:.1}G", of(1e9)),
        _ => format!("{:.0}T", of(1e12)),
    }
}

/// How long something goes on already: 1.2 s, 3 min 20 s, 2 h 5 min.
pub fn age(time: Duration) -> String {
    match time.as_secs() {
        0..100 => length(time),
        seconds @ 100..6_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// No more than so many columns of it, and a sign where there was more.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    if width == 0 { String::new() } else { kept + "…" }
}

/// A line, broken between words where it is too wide, its rest indented a little further.
pub fn fold(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let indent = line.chars().take_while(|c| *c == ' ').count().min(width / 4);
    let mut folded: Vec<String> = Vec::new();
    let mut now = " ".repeat(indent);
    for word in line.split_whitespace() {
        let mut word = cut(word, width.saturating_sub(indent + 2).max(1));
        let is_bare = now.trim().is_empty();
        if !is_bare && now.chars().count() + 1 + word.chars().count() > width {
            folded.push(std::mem::replace(&mut now, " ".repeat(indent + 2)));
        } else if !is_bare {
            word.insert(0, ' ');
        }
        now += &word;
    }
    folded.push(now);
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(millis: &[u64], width: usize) -> String {
        sparkline(&millis.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>(), width)
    }

    #[test]
    fn what_is_steady_looks_steady_and_a_peak_stands_out() {
        assert_eq!(drawn(&[20, 20, 21, 20, 20], 5), "▂▂▃▂▂");
        assert_eq!(drawn(&[20, 20, 160, 20], 5), " ▁▁█▁");
        assert_eq!(drawn(&[], 5), "     ");
        assert_eq!(drawn(&[1, 1, 9, 1, 1, 1, 1, 1, 1, 1], 5), "▁█▁▁▁");
        assert_eq!(drawn(&[0, 0], 3), " ▁▁");
    }

    #[test]
    fn figures_keep_their_columns() {
        for micros in [1, 999, 1_000, 9_949, 9_950, 41_000, 999_499, 999_500, 1_200_000, 99_949_999, 1_000_000_000] {
            let says = brief(Duration::from_micros(micros));
            assert!(says.chars().count() <= 5, "{micros} µs: {says}");
        }
        for count in [0, 9_999, 10_000, 9_994_999, 9_995_000, 123_456_789, 9_994_999_999, 5 << 40, 1 << 50] {
            assert!(bytes(count).chars().count() <= 7, "{count}: {}", bytes(count));
        }
        let said = [5, 100, 3_700, 90_000].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(said, ["5.0 s", "1 min 40 s", "61 min 40 s", "25 h 0 min"]);
    }

    #[test]
    fn lines_are_folded_between_words() {
        let text = "    evidence:    the server resets the connection after ClientHello";
        assert_eq!(
            fold(text, 30),
            ["    evidence: the server", "      resets the connection", "      after ClientHello"]
        );
        assert_eq!(fold("short", 30), ["short"]);
        assert!(fold(&"x".repeat(100), 12).iter().all(|line| line.chars().count() <= 12));
        assert!(fold("a b", 1).len() >= 2);
    }
}

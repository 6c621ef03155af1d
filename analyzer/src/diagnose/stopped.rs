//! A session that ended right after this program itself was stopped: nobody was served meanwhile, and whoever left or was
//! given up by then had a reason that is no fault of the other side's, or of the network's.

use std::time::Duration;

use super::stage::length;
use super::{Confidence, Finding, Party};
use crate::observation::Ending;
use crate::timeline::Timeline;
use crate::timeline::facts::{Mark, is_fatal};

/// The cause that all of them name.
const ID: &str = "PRX-STOPPED";
/// A shorter stop makes nobody leave: clients wait for longer than that for anything.
const LONG: Duration = Duration::from_secs(2);
/// What ends so soon after a stop ended during it, or by it: the first thing that is passed on finds a connection that the
/// other side has given up, after one round trip and what a busy machine needs.
const SOON: Duration = Duration::from_secs(2);

/// It ended so, and neither side says why.
pub fn ended(timeline: &Timeline) -> Option<Finding> {
    let end = timeline.end.as_ref().filter(|end| Party::of(end) != Party::Proxy)?;
    let is_quiet = match end.how {
        Ending::Fin | Ending::Reset | Ending::TimedOut => !super::is_said(timeline) && !is_alerted(timeline),
        // Somebody answered, and that answer says it.
        Ending::Refused | Ending::Unreachable | Ending::Unresolved | Ending::Cut => false,
    };
    let (stop, lasted) = before_end(timeline).filter(|_| is_quiet)?;
    if timeline.is_active() && !timeline.ended_badly() {
        return None;
    }
    let after = length(end.mark.at.since(stop.at));
    let says = format!("ended {after} after the proxy itself had been stopped for {}", length(lasted));
    let finding = Finding::at_end(timeline, ID, Confidence::Likely, says)?.by(Party::Proxy);
    Some(finding.with(stop, format!("the proxy runs again, after {}", length(lasted))).with_end(timeline))
}

/// Whether TLS says why it ends.
fn is_alerted(timeline: &Timeline) -> bool {
    timeline.facts.tls.iter().any(|tls| tls.alerts.iter().any(|alert| is_fatal(alert.what.1, alert.what.2)))
}

/// The stop right before the end, and how long it was.
fn before_end(timeline: &Timeline) -> Option<(Mark, Duration)> {
    let end = timeline.end.as_ref()?;
    let (stop, lasted) = timeline.last_stop()?;
    let is_close = stop.at <= end.mark.at && end.mark.at.since(stop.at) <= SOON;
    (is_close && lasted >= LONG).then_some((stop, lasted))
}

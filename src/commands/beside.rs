//! `rdpscope proxy --probe-on-failure`: after a failed session the server is probed, and what it says then stands beside
//! the session's report, as an observation of its own: the session's verdict does not change.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use analyzer::diagnose::{Outcome, Severity};
use analyzer::report::{json, text};
use analyzer::time::Timestamp;
use proxy::listen::Target;
use proxy::probe::{self, Config};
use proxy::watch::{Live, Which};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{talk, why, write};

/// A server is not probed again earlier than this.
const REST: Duration = Duration::from_secs(60);
/// How long each step of such a probe may take.
const STEP: Duration = Duration::from_secs(5);
/// How long the end of the program waits for a probe under way.
const LAST: Duration = Duration::from_secs(10);

/// A session that failed.
struct Failed {
    session: Which,
    file: Option<String>,
    ended: Timestamp,
}

/// Where failed sessions are reported. The prober ends when this is gone.
pub struct Watcher(UnboundedSender<Failed>);

/// The task that probes.
pub struct Prober(JoinHandle<()>);

/// Starts a prober of this server, which says what it finds by `print`.
pub fn start(
    target: Target,
    gateway: bool,
    connect_to: Option<SocketAddr>,
    listener: SocketAddr,
    print: impl FnMut(String) + Send + 'static,
) -> (Watcher, Prober) {
    let config = Config { target, connect_to, never: Some(listener), timeout: STEP, gateway, count: 0 };
    let (failed, intake) = unbounded_channel();
    (Watcher(failed), Prober(tokio::spawn(probe_each(intake, config, print))))
}

impl Watcher {
    /// Looks at what happens. A session in which nothing was asked is no failure.
    pub fn look(&self, live: &Live<'_>) {
        let Live::Verdict { session, diagnosed } = live else { return };
        let failed = diagnosed.outcome == Outcome::Failed
            && diagnosed.findings.first().is_none_or(|finding| finding.severity == Severity::Failure);
        if failed {
            let (file, ended) = (diagnosed.file.clone(), diagnosed.timeline.last);
            // No prober any more: the program is about to end.
            let _ending = self.0.send(Failed { session: *session, file, ended });
        }
    }
}

impl Prober {
    /// Waits for a probe under way, for a while.
    pub async fn finish(self) {
        let abort = self.0.abort_handle();
        if timeout(LAST, self.0).await.is_err() {
            abort.abort();
        }
    }
}

async fn probe_each(mut intake: UnboundedReceiver<Failed>, config: Config, mut print: impl FnMut(String)) {
    let mut last: Option<Instant> = None;
    while let Some(failed) = intake.recv().await {
        if last.is_some_and(|last| last.elapsed() < REST) {
            continue;
        }
        last = Some(Instant::now());
        let found = probe::run(config.clone()).await;
        let mut lines = String::new();
        text::para(&mut lines, &format!("#{} ", failed.session), &text::probe::beside(&found, failed.ended));
        print(lines);
        let Some(file) = &failed.file else { continue };
        let path = Path::new(file).with_extension("probe.json");
        let document = json::probe::document(env!("CARGO_PKG_VERSION"), &found, Some(failed.ended)) + "\n";
        // Of several sessions in one recording the last is told.
        if let Err(error) = write(&path, true, &document) {
            talk(&format!("#{} {}", failed.session, why(&error)));
        }
    }
}

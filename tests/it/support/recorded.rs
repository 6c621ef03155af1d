//! The real proxy in this process: relay, scribe, recordings in a folder of the test's own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use analyzer::analysis::Analysis;
use analyzer::attempt::Diagnosed;
use analyzer::capture::annotation::Section;
use analyzer::capture::recording;
use analyzer::tls::keys::Keyring;
use proxy::listen::{Config, Server, Target};
use proxy::record;
use proxy::tap::{Limits, tap};
use proxy::tls::Keys;
use proxy::watch::{self, Live, Secrets, Stored, Summary};
use tokio::sync::oneshot;

use super::anywhere;

/// A key log in memory: what to hand to a server, and what it has told by now.
#[derive(Clone, Default)]
pub struct LabSecrets(Arc<Mutex<String>>);

impl LabSecrets {
    /// For the server.
    pub fn keys(&self) -> Keys {
        let log = self.0.clone();
        Keys(Arc::new(move |line| log.lock().expect("one writer").push_str(line)))
    }

    /// For the analyzer.
    pub fn keyring(&self) -> Arc<Keyring> {
        let mut keys = Keyring::default();
        keys.read(self.log().as_bytes());
        Arc::new(keys)
    }

    /// As a file holds it.
    pub fn log(&self) -> String {
        self.0.lock().expect("one writer").clone()
    }
}

/// A folder that is removed when the test is over.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new one.
    pub fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Folder(std::env::temp_dir().join(format!("rdpscope-test-{}-{number}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _absent = std::fs::remove_dir_all(&self.0);
    }
}

/// A proxy that records.
pub struct Recorded {
    pub addr: SocketAddr,
    pub folder: Folder,
    shutdown: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
    scribe: JoinHandle<Summary>,
}

impl Recorded {
    /// To a server by this name, which is dialed at this address.
    pub async fn to(name: &str, server: SocketAddr) -> Recorded {
        let name = Target { name: name.into(), port: server.port() };
        Recorded::with(name, |config| config.connect_to = Some(server), Stored::Once).await
    }

    /// With a change to its configuration, and with so much stored.
    pub async fn with(target: Target, change: impl FnOnce(&mut Config), stored: Stored) -> Recorded {
        Recorded::opened(target, change, stored, Secrets::None).await
    }

    /// With secrets from somewhere.
    pub async fn opened(
        target: Target,
        change: impl FnOnce(&mut Config),
        stored: Stored,
        secrets: Secrets,
    ) -> Recorded {
        Recorded::changed(target, change, |config| (config.stored, config.secrets) = (stored, secrets)).await
    }

    /// With a change to how it is recorded.
    pub async fn changed(
        target: Target,
        change: impl FnOnce(&mut Config),
        recorded: impl FnOnce(&mut watch::Config),
    ) -> Recorded {
        Recorded::start(target, change, recorded, |_| {}).await
    }

    /// To a server, with somebody who watches sessions as they go on.
    pub async fn watched(name: &str, server: SocketAddr, look: impl FnMut(Live<'_>) + Send + 'static) -> Recorded {
        let name = Target { name: name.into(), port: server.port() };
        let change = |config: &mut Config| config.connect_to = Some(server);
        Recorded::start(name, change, |config| config.pulse = true, look).await
    }

    async fn start(
        target: Target,
        change: impl FnOnce(&mut Config),
        recorded: impl FnOnce(&mut watch::Config),
        mut look: impl FnMut(Live<'_>) + Send + 'static,
    ) -> Recorded {
        let folder = Folder::new();
        let (feed, intake) = tap(Limits::default());
        let mut config = Config::new(anywhere(), target, feed);
        change(&mut config);
        let gateway = config.gateway;
        let server = Server::bind(config).await.expect("bind");
        let addr = server.local_addr();
        let (shutdown, asked) = oneshot::channel();
        let server = tokio::spawn(server.run(async move { asked.await.unwrap_or(()) }));
        let section = Section {
            version: env!("CARGO_PKG_VERSION").into(),
            command: "tests/it".into(),
            host: "lab".into(),
            redacted: false,
            part: 1,
            gateway: false,
        };
        let (out, stored, secrets) = (Some(folder.0.clone()), Stored::Once, Secrets::None);
        let (rotate, keep, names, pulse) = (None, None, false, false);
        let mut config = watch::Config { out, section, stored, rotate, keep, secrets, gateway, names, pulse };
        recorded(&mut config);
        let scribe = thread::spawn(move || watch::run(intake, config, &mut look));
        Recorded { addr, folder, shutdown, server, scribe }
    }

    /// Stops it and gives what it saw, and the folder of its recordings.
    pub async fn finish(self) -> (Vec<Diagnosed>, Folder) {
        let _stopped = self.shutdown.send(());
        self.server.await.expect("server");
        let summary = tokio::task::spawn_blocking(|| self.scribe.join().expect("scribe")).await.expect("join");
        (summary.sessions, self.folder)
    }
}

/// What the analyzer says of a recording.
pub fn analyze(path: &Path) -> Diagnosed {
    analyze_with(path, &Arc::default())
}

/// The same, with secrets.
pub fn analyze_with(path: &Path, keys: &Arc<Keyring>) -> Diagnosed {
    let mut analysis = Analysis::with_keys(keys);
    let file = record::open(path).expect("open");
    recording::read(file, 0, &mut |observation| analysis.push(&observation)).expect("a recording");
    analysis.finish(Some(path.display().to_string()))
}

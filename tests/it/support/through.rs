//! A gateway of the lab behind the real proxy, with the secrets of both layers of TLS in a key log that the proxy follows; and
//! the same recording without secrets, or with them elsewhere.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use analyzer::attempt::Diagnosed;
use proxy::lab::certificate::NAME;
use proxy::lab::gateway::{Gateway, GatewayReport, GatewayScenario, Listeners};
use proxy::listen::Target;
use proxy::tls::Keys;
use proxy::watch::{Secrets, Stored};

use super::process;
use super::recorded::{Folder, Recorded};

/// Block type of Decryption Secrets, and of the Section Header.
const SECRETS: u32 = 0x0000_000a;
const SECTION: u32 = 0x0a0d_0d0a;

/// A gateway, the proxy before it, and their key log.
pub struct Through {
    pub gateway: Gateway,
    pub proxy: Recorded,
    pub keylog: PathBuf,
    secrets: process::Folder,
}

/// What was seen.
pub struct Seen {
    pub sessions: Vec<Diagnosed>,
    pub keylog: PathBuf,
    /// Of the recordings.
    _folder: Folder,
    _secrets: process::Folder,
}

impl Through {
    /// Starts both, the gateway there.
    pub async fn start(scenario: &GatewayScenario, addr: SocketAddr) -> Through {
        let secrets = process::Folder::new().expect("a folder");
        let keylog = secrets.write("keys.log", "").expect("a key log");
        let (outer, inner) = (Some(appending(&keylog)), Some(appending(&keylog)));
        let listeners = Listeners { tell: None, outer, inner };
        let gateway = scenario.serve_on(addr, None, listeners).await.expect("serve");
        let target = Target { name: NAME.into(), port: gateway.addr.port() };
        let change = |config: &mut proxy::listen::Config| {
            config.connect_to = Some(gateway.addr);
            config.gateway = true;
        };
        let proxy = Recorded::opened(target, change, Stored::Once, Secrets::followed(&keylog)).await;
        Through { gateway, proxy, keylog, secrets }
    }

    /// Plays the scenario's client through the proxy, and waits until the gateway is done with it.
    pub async fn play(&self, scenario: &GatewayScenario) -> GatewayReport {
        let before = self.gateway.conversations().len();
        let report = scenario.connect(self.proxy.addr).await;
        if self.gateway.listens() {
            self.gateway.finished(before + report.connections).await;
        }
        report
    }

    /// Stops both.
    pub async fn finish(self) -> Seen {
        self.gateway.stop().await;
        let (sessions, folder) = self.proxy.finish().await;
        Seen { sessions, keylog: self.keylog, _folder: folder, _secrets: self.secrets }
    }
}

impl Seen {
    /// The recordings, in the order of their beginning.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.sessions.iter().filter_map(|one| one.file.clone()).map(Into::into).collect();
        files.sort();
        files.dedup();
        files
    }

    /// The same without secrets.
    pub fn sealed(&self) -> Vec<PathBuf> {
        self.files().iter().map(|file| without_secrets(file)).collect()
    }
}

/// Writes every line to that file at once.
fn appending(path: &Path) -> Keys {
    let file = fs::OpenOptions::new().append(true).open(path).expect("a key log");
    let file = Mutex::new(file);
    Keys(Arc::new(move |line| file.lock().expect("one writer").write_all(line.as_bytes()).expect("a line")))
}

fn without_secrets(file: &Path) -> PathBuf {
    let path = file.with_extension("sealed.pcapng");
    let (_, rest) = blocks(&fs::read(file).expect("a recording"));
    fs::write(&path, rest.concat()).expect("a recording");
    path
}

/// The blocks of a recording, which is written in big endian: those with secrets, and the others.
pub fn blocks(file: &[u8]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut all, mut rest) = (Vec::new(), file);
    let word = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(word(file, 0), SECTION);
    while rest.len() >= 12 {
        let (block, behind) = rest.split_at(word(rest, 4) as usize);
        all.push(block.to_vec());
        rest = behind;
    }
    all.into_iter().partition(|block| word(block, 0) == SECRETS)
}

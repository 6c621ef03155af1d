//! tcpdump beside a test: the packets of one interface, as they were on the wire.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::process::{Outcome, Process, program, wait_for};

/// How long nothing must have come.
const QUIET: Duration = Duration::from_millis(300);

/// A running tcpdump.
pub struct Tcpdump {
    process: Process,
    file: PathBuf,
}

impl Tcpdump {
    /// Starts it and waits until it listens. `prefix` is a command that runs others somewhere (a namespace), ready for
    /// the program's arguments; `folder` gets the file.
    pub fn start(run: impl FnOnce(&Path) -> Command, interface: &str, folder: &Path) -> Outcome<Tcpdump> {
        let file = folder.join(format!("{interface}.pcap"));
        let mut command = run(&program("tcpdump")?);
        // As root it would give up its rights, and could then not write into a folder of root's.
        command.args(["-i", interface, "-U", "--immediate-mode", "-n", "-Z", "root", "-w"]).arg(&file);
        // Its buffer is cut into pieces of the longest packet: with its own 262 144 bytes eight packets fill it.
        command.args(["-s", "2048", "-B", "16384"]);
        let mut process = Process::start(&mut command, folder)?;
        process.wait_ready(|process| process.output().contains("listening on").then_some(()))?;
        Ok(Tcpdump { process, file })
    }

    /// Ends it and gives the file. On a busy machine the last packets may still be on their way to it, and once told to
    /// end it takes no more: so it is told when nothing came for a while.
    pub fn finish(mut self) -> Outcome<PathBuf> {
        let mut seen = (0, Instant::now());
        wait_for(Duration::from_secs(2), || {
            let len = fs::metadata(&self.file)?.len();
            if len != seen.0 {
                seen = (len, Instant::now());
            }
            Ok((seen.1.elapsed() > QUIET).then_some(()))
        })?;
        self.process.signal("INT")?;
        self.process.wait(Duration::from_secs(10))?;
        Ok(self.file.clone())
    }
}

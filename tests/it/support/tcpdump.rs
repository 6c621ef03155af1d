//! tcpdump beside a test: the packets of one interface, as they were on the wire.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::{Outcome, Process, program};

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

    /// Ends it and gives the file.
    pub fn finish(mut self) -> Outcome<PathBuf> {
        self.process.signal("INT")?;
        self.process.wait(Duration::from_secs(10))?;
        Ok(self.file.clone())
    }
}

//! What the program says of captures in which RDP's endpoints are not plain: on standard error, in JSON, by every command that
//! reads captures, with `--port` and `--gateway-port`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::process::{Folder, Outcome};
use crate::support::program::program;

const SYN: u8 = 0x02;
const RST_ACK: u8 = 0x14;

/// A pcap of raw IP: a client's SYN to each of these ports is refused.
fn refused(folder: &Folder, ports: &[u16]) -> Outcome<PathBuf> {
    let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0]);
    for (number, port) in (0_u16..).zip(ports) {
        let (second, client) = (1_700_000_000_u32 + u32::from(number), 50_000 + number);
        for (micros, [from, to], ends, flags) in
            [(0_u32, [1, 2], [client, *port], SYN), (900, [2, 1], [*port, client], RST_ACK)]
        {
            let mut packet = vec![0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, from, 10, 0, 0, to];
            ends.iter().for_each(|port: &u16| packet.extend(port.to_be_bytes()));
            let (sequence, acknowledgement) = if flags == SYN { (1000, 0) } else { (0, 1001_u32) };
            packet.extend([u32::to_be_bytes(sequence), acknowledgement.to_be_bytes()].concat());
            packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
            [second, micros, 40, 40].iter().for_each(|word| file.extend(word.to_le_bytes()));
            file.extend(packet);
        }
    }
    let path = folder.path().join("refused.pcap");
    std::fs::write(&path, file)?;
    Ok(path)
}

fn run(words: &[&str], file: &Path) -> Outcome<Output> {
    let mut command = Command::new(program());
    command.args(words).arg(file).env_remove("SSLKEYLOGFILE").stdin(Stdio::null());
    Ok(command.output()?)
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_carried_no_byte_is_listed_on_standard_error_and_in_json() -> Outcome<()> {
    let folder = Folder::new()?;
    let file = refused(&folder, &[3390, 3390, 8443])?;
    let output = run(&["analyze", "--format", "json"], &file)?;
    let talk = said(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let notices = document["notices"].as_array().expect("notices");
    assert_eq!(notices.len(), 2, "{document:#}");
    for notice in notices {
        assert!(talk.contains(notice["says"].as_str().expect("words")), "{notice}: {talk}");
    }
    assert_eq!(notices[0]["file"], file.display().to_string());
    let says = notices[0]["says"].as_str().expect("words");
    assert!(says.contains("10.0.0.2:3390 refused 2 times") && says.contains("10.0.0.2:8443 refused once"), "{says}");
    Ok(())
}

#[test]
fn every_command_that_reads_captures_is_told_what_ports_are_for() -> Outcome<()> {
    let folder = Folder::new()?;
    let file = refused(&folder, &[3390, 8443])?;
    let ports = ["--port", "3390", "--gateway-port", "8443"];
    for (words, code, says) in [
        (&["analyze"][..], 1, "TCP-REFUSED"),
        (&["analyze"], 1, "RDG-REACH"),
        (&["report"], 1, "TCP-REFUSED"),
        (&["histogram"], 0, "failed"),
        (&["explain", "0x204", "--capture"], 0, "TCP-REFUSED"),
    ] {
        let (command, rest) = words.split_first().expect("a command");
        let all: Vec<&str> = [*command].iter().chain(&ports).chain(rest).copied().collect();
        let output = run(&all, &file)?;
        let all = said(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {all}{}", said(&output.stderr));
        assert!(all.contains(says), "{words:?}: {all}");
    }
    for command in ["analyze", "report", "histogram", "explain", "diff", "bundle", "play", "replay"] {
        let output = Command::new(program()).args([command, "--help"]).output()?;
        let help = said(&output.stdout);
        assert!(ports.iter().step_by(2).all(|flag| help.contains(flag)), "{command}: {help}");
    }
    Ok(())
}

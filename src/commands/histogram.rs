//! `rdpscope histogram`: how long recorded sessions took, phase by phase.

use std::path::{Path, PathBuf};

use analyzer::attempt;
use analyzer::latency::{self, Set};
use analyzer::reading::Known;
use analyzer::report::json::Notice;
use analyzer::report::{histogram, json};
use anyhow::bail;

use super::analyze::{self, Said};
use super::{print, talk, write};
use crate::cli::{By, Histogram, HistogramFormat};
use proxy::named::Named;

pub fn run(args: Histogram) -> anyhow::Result<u8> {
    let (set, mut said) = read(&args, &args.inputs)?;
    let other = match &args.vs {
        Some(folder) => {
            let (other, also) = read(&args, std::slice::from_ref(folder))?;
            said.is_unreadable |= also.is_unreadable;
            said.notices.extend(also.notices);
            Some(other)
        }
        None => None,
    };
    if set.sessions() + set.untimed == 0 {
        said.say(None, "", "no RDP found");
    }
    match (args.format, &other) {
        (HistogramFormat::Hgrm, None) => hgrm(&args, &set)?,
        _ => put(&args, &written(&args, &set, other.as_ref(), &said.notices)?)?,
    }
    Ok(if said.is_unreadable { 2 } else { 0 })
}

/// Sessions that are held at a time, to be judged side by side.
const HELD: usize = 1_000;

/// The histograms of these recordings, so many sessions at a time: memory does not grow with their number.
fn read(args: &Histogram, inputs: &[PathBuf]) -> anyhow::Result<(Set, Said)> {
    let mut set = Set::by(by(args.by));
    let mut held = Vec::new();
    let known = Known { meant: args.endpoints.meant(), ..Known::default() };
    let said = analyze::each_session(&known, inputs, &mut |session| {
        held.push(session);
        if held.len() >= HELD {
            set.push_all(&attempt::group(std::mem::take(&mut held)));
        }
    });
    set.push_all(&attempt::group(held));
    let Some(phase) = &args.phase else { return Ok((set, said)) };
    let only = set.only(phase);
    if set.sessions() > 0 && only.series().next().is_none() {
        let mut known: Vec<&str> = set.series().map(|(key, _)| key.measure.name()).collect();
        known.sort_unstable();
        known.dedup();
        bail!("nothing was measured of {phase}; there is {}", known.join(", "));
    }
    Ok((only, said))
}

fn by(by: By) -> latency::By {
    match by {
        By::Phase => latency::By::Phase,
        By::Leg => latency::By::Leg,
        By::Server => latency::By::Server,
        By::Client => latency::By::Client,
        By::Outcome => latency::By::Outcome,
    }
}

fn written(args: &Histogram, set: &Set, other: Option<&Set>, notices: &[Notice]) -> anyhow::Result<String> {
    let names = [shown(&args.inputs), args.vs.iter().map(|vs| vs.named().to_string()).collect()];
    Ok(match (args.format, other) {
        (HistogramFormat::Text, None) => histogram::text(set),
        (HistogramFormat::Text, Some(other)) => histogram::versus(set, other, [&names[0], &names[1]]),
        (HistogramFormat::Json, other) => {
            let sets = std::iter::once((names[0].as_str(), set)).chain(other.map(|other| (names[1].as_str(), other)));
            json::histograms(env!("CARGO_PKG_VERSION"), &sets.collect::<Vec<_>>(), notices) + "\n"
        }
        (HistogramFormat::Csv, None) => histogram::csv(set),
        (HistogramFormat::V2, None) => set.v2(),
        (HistogramFormat::Csv | HistogramFormat::V2 | HistogramFormat::Hgrm, _) => {
            bail!("--vs expects --format text or json")
        }
    })
}

fn shown(inputs: &[PathBuf]) -> String {
    inputs.iter().map(|input| input.named().to_string()).collect::<Vec<_>>().join(" ")
}

/// The format holds one histogram: several go to several files.
fn hgrm(args: &Histogram, set: &Set) -> anyhow::Result<()> {
    let all: Vec<_> = set.series().collect();
    match (&args.output, &all[..]) {
        (_, [(_, one)]) => put(args, &one.hgrm()),
        (None, _) => bail!("a .hgrm holds one histogram: choose one with --phase, or name a file with -o"),
        (Some(path), _) => {
            for (key, histogram) in all {
                let path = beside(path, &key.slug());
                write(&path, args.force, &histogram.hgrm())?;
                talk(&format!("wrote {}", path.named()));
            }
            Ok(())
        }
    }
}

/// out.hgrm, tls-failed: out-tls-failed.hgrm.
fn beside(path: &Path, slug: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map_or("hgrm".into(), |extension| extension.to_string_lossy());
    path.with_file_name(format!("{stem}-{slug}.{extension}"))
}

fn put(args: &Histogram, text: &str) -> anyhow::Result<()> {
    match &args.output {
        Some(path) => write(path, args.force, text),
        None => print(text),
    }
}

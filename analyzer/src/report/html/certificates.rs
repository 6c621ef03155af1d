//! Certificates: each in a column, leaf first, with what is wrong said where it is wrong.

use super::Numbered;
use super::page::Page;
use super::session;
use crate::diagnose::tls::{asked, faults, inspected};
use crate::event::Certificate;
use crate::observation::Leg;
use crate::time::day;
use crate::timeline::Timeline;
use crate::timeline::facts::{Sighting, Tls};

/// Certificates of a chain that are shown.
const SHOWN: usize = 6;
/// Names of a certificate that are shown.
const NAMES: usize = 20;

/// A row: what it tells, the causes that are wrong there, and how it reads.
type Property = (&'static str, &'static [&'static str], fn(&Certificate) -> String);

/// What is told of a certificate.
const PROPERTIES: [Property; 10] = [
    ("Subject", &[], |certificate| certificate.subject.clone()),
    ("Names", &["TLS-NAME"], names),
    ("Issuer", &["TLS-UNTRUST"], |certificate| certificate.issuer.clone()),
    ("Valid from", &["TLS-NOTYET"], |certificate| day(certificate.not_before)),
    ("Valid to", &["TLS-EXPIRED"], |certificate| day(certificate.not_after)),
    ("Key and signature", &["TLS-WEAK"], key),
    ("Use", &[], |certificate| certificate.eku.join(", ")),
    ("Serial number", &[], |certificate| certificate.serial.clone()),
    ("SHA-1", &[], |certificate| certificate.sha1.clone()),
    ("SHA-256", &[], |certificate| certificate.sha256.clone()),
];

fn names(certificate: &Certificate) -> String {
    let more = certificate.names.len().saturating_sub(NAMES);
    let shown = certificate.names.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn key(certificate: &Certificate) -> String {
    format!("{} {} bits, {}", certificate.key, certificate.key_bits, certificate.signature)
}

/// The part of a session that shows them; nothing where none was seen.
pub fn section(page: &mut Page, numbered: &Numbered<'_>) {
    let timeline = &numbered.session.timeline;
    // A gateway's is judged as any: by the connection to it.
    let outer = timeline.facts.gateway.as_ref().map(|_| timeline.outer());
    let (chains, outer_chains) = (chains(timeline), outer.as_ref().map(self::chains).unwrap_or_default());
    if chains.is_empty() && outer_chains.is_empty() {
        return;
    }
    session::section(page, numbered, "certificates", "Certificates", |page| {
        for (outer, (says, chain, is_judged)) in
            outer.iter().flat_map(|outer| outer_chains.iter().map(move |of| (outer, of)))
        {
            self::chain(page, outer, &format!("Of the connection to the gateway. {says}"), chain, *is_judged);
        }
        for (says, chain, is_judged) in &chains {
            self::chain(page, timeline, says, chain, *is_judged);
        }
        if let Some(vendor) = inspected(timeline) {
            let says = format!("Its issuer is {vendor}: a product on the way made this certificate, not the server.");
            page.element("p", &[("class", "wrong")], &says);
        }
    });
}

/// The chains that were seen, each once: a relay that passes TLS on sees the server's twice. The one that is judged is the
/// one that the rules judge.
fn chains(timeline: &Timeline) -> Vec<(String, &Sighting<Vec<Certificate>>, bool)> {
    let judged = crate::diagnose::tls::certificate(timeline);
    let mut chains: Vec<(String, &Sighting<Vec<Certificate>>, bool)> = Vec::new();
    let mut add = |says: String, chain| {
        let is_known =
            chains.iter().any(|(_, known, _): &(_, &Sighting<Vec<Certificate>>, _)| known.what == *chain_of(chain));
        if !is_known && !chain_of(chain).is_empty() {
            chains.push((says, chain, judged == Some(chain)));
        }
    };
    judged.into_iter().for_each(|chain| add(format!("The server's, frame {}", chain.mark.frame), chain));
    for tls in &timeline.facts.tls {
        let on = on(tls);
        tls.certificates.iter().for_each(|chain| add(format!("The server's{on}, frame {}", chain.mark.frame), chain));
        tls.client_certificates
            .iter()
            .for_each(|chain| add(format!("The client's{on}, frame {}", chain.mark.frame), chain));
    }
    chains
}

fn chain_of(chain: &Sighting<Vec<Certificate>>) -> &Vec<Certificate> {
    &chain.what
}

fn on(tls: &Tls) -> String {
    if tls.leg == Leg::Only { String::new() } else { format!(" on the {} leg", tls.leg) }
}

fn chain(page: &mut Page, timeline: &Timeline, says: &str, chain: &Sighting<Vec<Certificate>>, is_judged: bool) {
    let faults = if is_judged { faults(timeline) } else { Vec::new() };
    let shown: Vec<&Certificate> = chain.what.iter().take(SHOWN).collect();
    let more = chain.what.len() - shown.len();
    let says = match (is_judged, faults.is_empty(), asked(timeline)) {
        (false, _, _) => format!("{says}."),
        (true, true, Some(name)) => format!("{says}. Asked for {name}: nothing is wrong with it, as far as it shows."),
        (true, true, None) => format!("{says}. Nothing is wrong with it, as far as it shows."),
        (true, false, _) => format!("{says}."),
    };
    let says = if more > 0 { format!("{says} {more} more of the chain are not shown.") } else { says };
    // A long chain has its own way to be looked at on a small screen; it can be reached by keyboard.
    let scroll = [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Certificate chain")];
    let around: &[_] = if shown.len() > 1 { &scroll } else { &[] };
    page.within("div", around, |page| {
        page.within("table", &[], |page| {
            page.element("caption", &[], &says);
            if shown.len() > 1 {
                page.within("thead", &[], |page| page.within("tr", &[], |page| head(page, shown.len())));
            }
            page.within("tbody", &[], |page| {
                for property in &PROPERTIES {
                    row(page, property, &shown, &faults);
                }
            });
        });
    });
}

fn head(page: &mut Page, count: usize) {
    page.element("td", &[], "");
    for place in 0..count {
        let says = if place == 0 { "Leaf".into() } else { format!("Issuer {place}") };
        page.element("th", &[("scope", "col")], &says);
    }
}

fn row(page: &mut Page, (name, wrong, says): &Property, shown: &[&Certificate], faults: &[(&'static str, String)]) {
    if shown.iter().all(|certificate| says(certificate).is_empty()) {
        return;
    }
    page.within("tr", &[], |page| {
        page.element("th", &[("scope", "row")], name);
        for (place, certificate) in shown.iter().enumerate() {
            page.within("td", &[], |page| {
                page.text(&says(certificate));
                // Only the leaf is judged.
                for (_, fault) in faults.iter().filter(|(cause, _)| place == 0 && wrong.contains(cause)) {
                    page.element("span", &[("class", "wrong")], fault);
                }
            });
        }
    });
}

//! Connections that nobody opened to work: they are one thing that happened, and no fault.

use super::{Pattern, SCAN, Set, pattern};
use crate::attempt::Diagnosed;
use crate::diagnose::Confidence;

/// Scans, health checks, and guesses of a password, each as one.
pub fn scans(set: &Set<'_>) -> Vec<Pattern> {
    let told = set.attempts.iter().filter_map(|attempt| {
        let sessions: Vec<&Diagnosed> = attempt.sessions.iter().collect();
        Some(pattern(SCAN, Some("PRX-PROBE"), Confidence::Likely, attempt.scan()?, &sessions))
    });
    told.collect()
}

//! Every scenario, client against gateway, nothing in between: what the two say of it must agree, and be as declared.

use std::collections::HashSet;

use tokio::task::JoinSet;

use super::*;
use crate::lab::tests::TURN;
use crate::lab::{End, Outcome};

/// How many are played at a time: the silent ones must not add up.
const AT_ONCE: usize = 6;

struct Played {
    scenario: &'static GatewayScenario,
    report: GatewayReport,
    conversations: Vec<Conversation>,
}

async fn play(scenario: &'static GatewayScenario) -> Played {
    let gateway = scenario.serve().await.expect("loopback has a free port");
    let report = scenario.connect(gateway.addr).await;
    gateway.finished(report.connections).await;
    let conversations = gateway.conversations();
    gateway.stop().await;
    Played { scenario, report, conversations }
}

impl Played {
    fn check(&self) -> Vec<String> {
        let (expect, report) = (self.scenario.expect, &self.report);
        let mut wrong = Vec::new();
        let mut compare = |what: &str, said: String, expected: String| {
            if said != expected {
                wrong.push(format!(
                    "{}: {what}: {said}, declared {expected}\n  {report:?}\n  {:?}",
                    self.scenario.name,
                    self.deeds()
                ));
            }
        };
        compare("end", format!("{:?}", report.end), format!("{:?}", expect.end));
        if !self.comes_to_session() && !expect.phases.contains(&report.phase) {
            compare("phase", report.phase.into(), format!("{:?}", expect.phases));
        }
        let inner = report.inner.as_ref();
        let connected = inner.is_some_and(|inner| inner.end == End::Clean && inner.error.is_none());
        compare("connected", connected.to_string(), (expect.outcome == Outcome::Connected).to_string());
        let refused = match self.scenario.gateway.fault {
            Some((_, GatewayAct::Refuse(code, _))) => Some(code),
            _ if !self.scenario.server.listens => Some(0x8007_59dd),
            _ => None,
        };
        compare("refused", format!("{:x?}", report.refused), format!("{refused:x?}"));
        let closed = match self.scenario.gateway.fault {
            Some((_, GatewayAct::Close(code) | GatewayAct::Kick(code))) => Some(code),
            _ => None,
        };
        compare("closed", format!("{:x?}", report.closed), format!("{closed:x?}"));
        if let Some((step, act)) = self.scenario.gateway.fault {
            let acted = self.deeds().contains(&Did::Acted(step, act));
            compare("acted", acted.to_string(), "true".into());
        }
        wrong
    }

    /// Where its label names phases of the session in the tunnel, or none.
    fn comes_to_session(&self) -> bool {
        self.scenario.expect.phases.iter().any(|phase| !phase.starts_with("gateway-"))
    }

    fn deeds(&self) -> Vec<Did> {
        self.conversations.iter().flat_map(|conversation| conversation.deeds.iter().map(|deed| deed.did)).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_of_a_gateway_goes_as_declared() {
    let _turn = TURN.lock().await;
    let (mut played, mut running) = (Vec::new(), JoinSet::new());
    for scenario in scenarios() {
        if running.len() == AT_ONCE {
            played.extend(running.join_next().await.map(|played| played.expect("no peer panics")));
        }
        running.spawn(play(scenario));
    }
    played.extend(running.join_all().await);
    assert_eq!(played.len(), scenarios().count());
    let wrong: Vec<String> = played.iter().flat_map(Played::check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_kebab_case_and_no_two_are_the_same() {
    let names: HashSet<&str> = scenarios().map(|scenario| scenario.name).collect();
    assert_eq!(names.len(), scenarios().count());
    let kebab = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    assert!(names.iter().all(|name| kebab(name)), "{names:?}");
}

#[test]
fn every_failure_has_a_cause_and_somebody_to_blame() {
    for GatewayScenario { name, expect, .. } in scenarios() {
        match expect.outcome {
            Outcome::Connected => assert_eq!((expect.cause, expect.blames), (None, None), "{name}"),
            Outcome::Failed | Outcome::Unfinished => {
                assert!(expect.cause.is_some() && expect.blames.is_some(), "{name}");
            }
            Outcome::Broken => assert!(expect.blames.is_some(), "{name}"),
        }
    }
}

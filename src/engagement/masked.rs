//! An event with known secrets masked in everything that hosts, AWS or people said in it. What steps and values are
//! called is never touched: a mask in an address would make the event about another step.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::diagnosis::{Asked, Diagnosed, Placed};
use super::event::{Difference, Event, Evidence, Failure, Finding, Outcome, Question};
use crate::text::Masker;

/// Masks what a look found.
pub fn mask_finding(finding: &mut Finding, masker: &Masker) {
    Words(masker).finding(finding);
}

/// The event as the journal may keep it.
pub fn masked(mut event: Event, masker: &Masker) -> Event {
    if masker.is_idle() {
        return event;
    }
    let words = Words(masker);
    match &mut event {
        Event::Probed { finding, .. } => words.finding(finding),
        Event::Concluded { outcome, .. } => words.outcome(outcome),
        Event::Done { evidence, kept, .. } => {
            words.evidence(evidence);
            kept.iter_mut().for_each(|kept| words.json(&mut kept.value));
        }
        Event::Undone { evidence, .. } => words.evidence(evidence),
        Event::Failed { failure, .. } => words.failure(failure),
        Event::Waiting { ask, said, who, .. } => [ask, said, who].into_iter().for_each(|text| words.text(text)),
        Event::WaitSet { who, note, .. } => [who, note].into_iter().for_each(|text| words.text(text)),
        Event::WaitEnded { note, .. } => words.text(note),
        Event::Asked { question, .. } => words.question(question),
        Event::Stopped { why, .. } => words.text(why),
        Event::Skipped { reason, .. } | Event::Settled { reason, .. } | Event::HostLeftOut { reason, .. } => {
            words.text(reason)
        }
        Event::Undoable { inverse, .. } => {
            inverse.changes.iter_mut().for_each(|change| words.json(&mut change.arguments));
        }
        Event::Adopted { reason, output, .. } => {
            words.text(reason);
            words.map(output);
        }
        Event::Intended { intent, .. } => words.map(&mut intent.before),
        // Names, digests, what a person gave as an input, and the runbook.
        Event::Began { .. }
        | Event::RunbookTaken { .. }
        | Event::ChangeKept { .. }
        | Event::InputGiven { .. }
        | Event::InputForgotten { .. }
        | Event::AttemptStarted { .. }
        | Event::Held { .. }
        | Event::PlanApproved { .. }
        | Event::HostKeyTrusted { .. }
        | Event::HostLetIn { .. }
        | Event::UndoBegan { .. }
        | Event::Reopened { .. } => {}
    }
    event
}

impl Diagnosed {
    /// The same with known secrets masked in what hosts and AWS said.
    #[must_use]
    pub fn masked(mut self, masker: &Masker) -> Self {
        let words = Words(masker);
        for Asked { answered, .. } in &mut self.asked {
            words.text(&mut answered.said);
            answered.results.values_mut().for_each(|value| words.json(value));
        }
        if let Some(Placed { what, seen, todo, .. }) = &mut self.branch {
            [what, seen, todo].into_iter().for_each(|text| words.text(text));
        }
        self
    }
}

struct Words<'a>(&'a Masker);

impl Words<'_> {
    fn text(&self, text: &mut String) {
        if !self.0.find(text.as_bytes()).is_empty() {
            *text = self.0.mask(text);
        }
    }

    fn json(&self, value: &mut Json) {
        match value {
            Json::String(text) => self.text(text),
            Json::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Json::Object(map) => map.values_mut().for_each(|value| self.json(value)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn map(&self, map: &mut BTreeMap<String, Json>) {
        map.values_mut().for_each(|value| self.json(value));
    }

    fn differences(&self, differences: &mut [Difference]) {
        for difference in differences {
            [&mut difference.wanted, &mut difference.found, &mut difference.diff]
                .into_iter()
                .for_each(|text| self.text(text));
        }
    }

    fn finding(&self, finding: &mut Finding) {
        self.text(&mut finding.said);
        self.differences(&mut finding.differences);
    }

    fn evidence(&self, evidence: &mut Evidence) {
        self.text(&mut evidence.said);
        self.map(&mut evidence.facts);
    }

    fn failure(&self, failure: &mut Failure) {
        let Failure { what, meaning, advice, raw, changed, made, .. } = failure;
        [what, meaning, advice, raw].into_iter().for_each(|text| self.text(text));
        changed.iter_mut().for_each(|text| self.text(text));
        self.map(made);
    }

    fn outcome(&self, outcome: &mut Outcome) {
        match outcome {
            Outcome::Changed { said, output, .. } | Outcome::AlreadySo { said, output } => {
                self.text(said);
                self.map(output);
            }
            Outcome::Failed { failure } => self.failure(failure),
            Outcome::InDoubt { why: said } | Outcome::NotMade { said } | Outcome::Stays { said } => self.text(said),
        }
    }

    fn question(&self, question: &mut Question) {
        match question {
            Question::Different { said, differences } => {
                self.text(said);
                self.differences(differences);
            }
            Question::NeedsSecret { why, .. } => self.text(why),
            Question::SignIn { failure } => self.failure(failure),
            // Names, addresses and fingerprints are compared character by character.
            Question::HostKey { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engagement::{DoneHow, Kept, Purpose};

    #[test]
    fn whatever_was_said_is_masked_and_no_name_is() {
        let masker = Masker::new(["access".to_owned(), "hunter2-canary".to_owned()]);
        let step: crate::engagement::Address = "access/vpc".parse().unwrap();
        let failure = Failure {
            raw: "login: hunter2-canary".to_owned(),
            made: BTreeMap::from([("access".to_owned(), json!(["hunter2-canary"]))]),
            ..Failure::new("hunter2-canary is wrong", "try hunter2-canary")
        };
        let events = [
            Event::Failed { step: step.clone(), attempt: 1, failure: failure.clone() },
            Event::Concluded {
                step: step.clone(),
                attempt: 1,
                purpose: Purpose::Apply,
                outcome: Outcome::Failed { failure },
            },
            Event::Done {
                step: step.clone(),
                attempt: 1,
                how: DoneHow::Applied,
                evidence: Evidence {
                    said: "hunter2-canary".to_owned(),
                    facts: BTreeMap::from([("stdout".to_owned(), json!("hunter2-canary"))]),
                },
                kept: vec![Kept { name: "access.x".to_owned(), key: None, value: json!({ "a": "hunter2-canary" }) }],
            },
            Event::Adopted {
                step: step.clone(),
                attempt: 1,
                id: "vpc-1".to_owned(),
                ours: false,
                reason: "it is hunter2-canary".to_owned(),
                output: BTreeMap::from([("said".to_owned(), json!("hunter2-canary"))]),
            },
            Event::WaitEnded { step: step.clone(), note: "hunter2-canary".to_owned() },
        ];
        for event in events {
            let said = serde_json::to_string(&masked(event, &masker)).unwrap();
            assert!(!said.contains("hunter2"), "{said}");
            assert!(said.contains("access/vpc"), "{said}");
        }
    }
}

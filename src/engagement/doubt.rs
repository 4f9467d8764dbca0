//! A change in doubt in a person's words: what was intended, what is known of it, and what can be decided.

use super::Address;
use super::event::{Intent, Purpose, RepeatClass};
use super::state::{State, StepRecord};
use crate::runbook::Runbook;

/// What stands in the journal of the change, as label and text; nothing for a step that is not in doubt.
pub fn told(record: &StepRecord) -> Vec<(&'static str, String)> {
    let (State::InDoubt { intent, why, .. }, sent_until) = (&record.state, record.sent_until) else {
        return Vec::new();
    };
    let purpose = match intent.purpose {
        Purpose::Apply => "",
        Purpose::Undo => " (to take it back)",
    };
    let since = match record.attempts {
        last if last > intent.attempt => format!("; attempt {last} looked last"),
        _ => String::new(),
    };
    let found = match &record.finding {
        Some(finding) if !finding.said.is_empty() && record.found_before => {
            format!("none since; before it was sent: {}", finding.said)
        }
        Some(finding) if !finding.said.is_empty() => finding.said.clone(),
        _ => "nobody has looked since".to_owned(),
    };
    vec![
        ("Intended", format!("{}{purpose}", crate::text::list(&intent.operations))),
        ("Arguments", format!("digest {}", intent.digest)),
        ("Token", intent.token.clone()),
        ("Sent", format!("by attempt {}, before {sent_until}, or never{since}", intent.attempt)),
        ("Guard", guard(intent).to_owned()),
        ("Known", why.clone()),
        ("Last look", found),
    ]
}

fn guard(intent: &Intent) -> &'static str {
    match (intent.purpose, intent.class) {
        (Purpose::Undo, RepeatClass::Person) => "none: only a person can say whether it was taken back",
        (Purpose::Undo, _) => "what is gone already cannot be taken away once more",
        (Purpose::Apply, RepeatClass::Token) => "the token: the same again does it once",
        (Purpose::Apply, RepeatClass::Natural) => {
            "its name or its content: there can be only one, or a second does no harm"
        }
        (Purpose::Apply, RepeatClass::Tag) => "its tags: it is looked for, for a while, before anything is repeated",
        (Purpose::Apply, RepeatClass::Person) => "none: only a person may repeat it",
    }
}

/// One way to settle a doubt, or to answer another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// One word, as it is typed.
    pub name: &'static str,
    /// What it does, in one line of a small screen.
    pub does: &'static str,
    /// What follows from it.
    pub then: &'static str,
}

impl Choice {
    /// All that is to be said of it.
    pub fn means(&self) -> String {
        if self.then.is_empty() { self.does.to_owned() } else { format!("{}: {}", self.does, self.then) }
    }
}

/// What a person may decide about a change in doubt; the first does not decide anything yet. Nothing is offered that would
/// be refused: a step that finds out what later steps need is done only when onramp has found it out, and an undo is
/// neither adopted nor tried again as a change is.
pub fn choices(runbook: &Runbook, step: &Address, record: &StepRecord) -> Vec<Choice> {
    let undoing = record.pending.as_ref().is_some_and(|intent| intent.purpose == Purpose::Undo);
    let finds_out = !finds_out_for_others(runbook, step).is_empty();
    let offered = |choice: &Choice| match choice.name {
        "adopt" | "retry" => !undoing,
        "done" => undoing || !finds_out,
        _ => true,
    };
    CHOICES.into_iter().filter(offered).collect()
}

/// The names of what a step finds out, where a later step needs it.
pub(super) fn finds_out_for_others<'a>(runbook: &'a Runbook, step: &Address) -> Vec<&'a str> {
    let is_needed = runbook.steps().any(|later| later.needs.contains(&step.step));
    let saves = runbook.step(&step.step).filter(|_| is_needed).map(|step| step.saves.as_slice());
    saves.unwrap_or_default().iter().map(|save| save.to.as_str()).collect()
}

const CHOICES: [Choice; 5] = [
    Choice {
        name: "look",
        does: "it looks what is there, and goes on as the guard allows",
        then: "nothing is made twice",
    },
    Choice {
        name: "adopt",
        does: "it is there, and is to be taken",
        then: "by its id, or the one that is ours, which is completed. What onramp did not make must be as wanted, and is \
               never taken away",
    },
    Choice {
        name: "retry",
        does: "I am sure that nothing was made: try it again",
        then: "were it made after all, it would be there twice",
    },
    Choice {
        name: "undo",
        does: "take back what may have been made",
        then: "it is looked for first; you see what goes",
    },
    Choice {
        name: "done",
        does: "I saw that it is done, and answer for it",
        then: "what I saw stands in the handover report",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engagement::{Finding, FindingKind};

    #[test]
    fn a_look_from_before_the_change_was_sent_is_not_taken_for_one_at_what_became_of_it() {
        let finding =
            Finding { kind: FindingKind::Absent, said: "vpc/main is not there".to_owned(), differences: Vec::new() };
        let intent = Intent {
            attempt: 1,
            purpose: Purpose::Apply,
            generation: 0,
            token: "t".to_owned(),
            digest: "d".to_owned(),
            class: RepeatClass::Tag,
            operations: vec!["CreateVpc".to_owned()],
            tags: Default::default(),
            deadline: None,
            before: std::collections::BTreeMap::new(),
        };
        let state = State::InDoubt { intent, since: Default::default(), why: "cut off".to_owned() };
        let look = |found_before| {
            let record =
                StepRecord { state: state.clone(), finding: Some(finding.clone()), found_before, ..Default::default() };
            told(&record).pop().map(|(_, said)| said)
        };
        assert_eq!(look(true).as_deref(), Some("none since; before it was sent: vpc/main is not there"));
        assert_eq!(look(false).as_deref(), Some("vpc/main is not there"));
    }
}

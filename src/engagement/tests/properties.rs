//! Whatever happens, in whatever order: nothing panics, and no doubt is ever lost.

use proptest::prelude::*;

use super::super::{Finding, FindingKind, Question, Settlement, State, WaitOrder};
use super::*;
use crate::runbook::Party;

const STEPS: [&str; 6] =
    ["net/where", "net/caller", "net/vpc", "net/subnets[eu-west-1a]", "net/tunnel", "net/nothing[of it]"];

fn step() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&STEPS)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let nothing = BTreeMap::new;
    prop_oneof![
        any::<bool>().prop_map(move |created| Outcome::Changed {
            said: "x".to_owned(),
            created,
            operations: vec!["CreateThing".to_owned()],
            output: nothing()
        }),
        Just(Outcome::AlreadySo { said: "x".to_owned(), output: BTreeMap::new() }),
        any::<bool>().prop_map(|half| Outcome::Failed {
            failure: Failure { changed: if half { vec!["x".to_owned()] } else { Vec::new() }, ..Failure::default() }
        }),
        Just(Outcome::InDoubt { why: "x".to_owned() }),
    ]
}

fn purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![Just(Purpose::Apply), Just(Purpose::Undo)]
}

fn event() -> impl Strategy<Value = Event> {
    let number = || 0_u32..5;
    let finding = || Finding { kind: FindingKind::Absent, said: "x".to_owned(), differences: Vec::new() };
    let question = || Question::Different { said: "x".to_owned(), differences: Vec::new() };
    prop_oneof![
        (step(), number()).prop_map(|(step, attempt)| started(step, attempt)),
        (step(), number()).prop_map(move |(step, attempt)| Event::Probed {
            step: at(step),
            attempt,
            finding: finding()
        }),
        (step(), number()).prop_map(|(step, attempt)| Event::Held { step: at(step), attempt }),
        (step(), number(), purpose())
            .prop_map(|(step, attempt, purpose)| Event::Intended { step: at(step), intent: intent(attempt, purpose) }),
        (step(), number(), purpose(), outcome()).prop_map(|(step, attempt, purpose, outcome)| Event::Concluded {
            step: at(step),
            attempt,
            purpose,
            outcome
        }),
        step().prop_map(|step| done_keeping(step, "net.vpc_id", json!("vpc-1"))),
        (step(), number()).prop_map(|(step, attempt)| failed(step, attempt)),
        (step(), number()).prop_map(|(step, attempt)| stopped(step, attempt)),
        (step(), number()).prop_map(|(step, attempt)| undone(step, attempt)),
        (step(), number()).prop_map(|(step, attempt)| Event::Waiting {
            step: at(step),
            attempt,
            party: Party::Customer,
            ask: "x".to_owned(),
            said: "y".to_owned(),
            who: String::new(),
            due_in: Some(u64::from(attempt)),
        }),
        (step(), any::<bool>()).prop_map(|(step, due)| Event::WaitSet {
            step: at(step),
            party: Party::Aws,
            who: "w".to_owned(),
            due: due.then_some(At(7)),
            note: "n".to_owned()
        }),
        step().prop_map(|step| Event::WaitEnded { step: at(step), note: String::new() }),
        (step(), number()).prop_map(move |(step, attempt)| Event::Asked {
            step: at(step),
            attempt,
            question: question()
        }),
        step().prop_map(|step| Event::Skipped { step: at(step), reason: "x".to_owned() }),
        step().prop_map(|step| Event::reopened(at(step))),
        (step(), prop_oneof![Just("retry"), Just("done"), Just("undone"), Just("of a later version")]).prop_map(
            |(step, choice)| Event::Settled { step: at(step), choice: choice.to_owned(), reason: String::new() }
        ),
        step().prop_map(|step| Event::PlanApproved {
            digest: "x".to_owned(),
            steps: BTreeMap::from([(at(step), "y".to_owned())])
        }),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let id = |id: &str| id.parse::<InputId>().unwrap();
    prop_oneof![
        step().prop_map(|step| Command::SignOff { step: at(step), note: "seen".to_owned() }),
        step().prop_map(|step| Command::Skip { step: at(step), reason: "x".to_owned() }),
        step().prop_map(|step| Command::Reopen(at(step))),
        step().prop_map(|step| Command::TrustHostKey(at(step))),
        (step(), any::<bool>()).prop_map(|(step, on)| Command::Wait {
            step: at(step),
            order: WaitOrder { on: on.then_some(Party::Customer), note: Some("n".to_owned()), ..WaitOrder::default() }
        }),
        step().prop_map(|step| Command::EndWait { step: at(step), note: String::new() }),
        (step(), prop_oneof![Just(Settlement::Retry), Just(Settlement::Done)])
            .prop_map(|(step, how)| Command::Settle { step: at(step), how, reason: "x".to_owned() }),
        proptest::sample::select(&["net.zones", "net.mode", "net.peer"])
            .prop_map(move |name| Command::ForgetInput(id(name))),
    ]
}

/// What must hold of every engagement, however it came about.
fn holds(walk: &Walk) -> Result<(), TestCaseError> {
    let board = walk.board();
    prop_assert_eq!(board.tally.total, board.rows.iter().filter(|row| row.status != Status::NotNeeded).count());
    for (step, record) in &walk.engagement.steps {
        let doubtful = matches!(record.state, State::InDoubt { .. });
        prop_assert!(!doubtful || record.pending.is_some(), "{} is in doubt about nothing", step);
        let rests_open = matches!(record.state, State::Running { .. } | State::InDoubt { .. } | State::Asked { .. });
        prop_assert!(record.pending.is_none() || rests_open, "{}: a doubt is hidden by {:?}", step, record.state);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_events_fold(events in proptest::collection::vec(event(), 0..40)) {
        let mut walk = Walk::filled();
        for event in events {
            let text = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Event>(&text).unwrap(), &event);
            walk.happens([event]);
            holds(&walk)?;
        }
        walk.engagement.interrupt();
        holds(&walk)?;
        let runs = walk.engagement.steps.values().any(|record| matches!(record.state, State::Running { .. }));
        prop_assert!(!runs);
    }

    #[test]
    fn any_commands_among_them_give_events_that_fold(
        turns in proptest::collection::vec(prop_oneof![event().prop_map(Ok), command().prop_map(Err)], 0..30),
    ) {
        let mut walk = Walk::filled();
        for turn in turns {
            match turn {
                Ok(event) => walk.happens([event]),
                Err(command) => { let _ = walk.wishes(command); }
            }
            holds(&walk)?;
        }
    }

    #[test]
    fn what_was_made_is_in_the_ledger_until_it_is_undone(events in proptest::collection::vec(event(), 0..40)) {
        let mut walk = Walk::filled();
        let mut made = std::collections::BTreeSet::new();
        for event in events {
            match &event {
                Event::Concluded { step, purpose: Purpose::Apply, outcome: Outcome::Changed { created: true, .. }, .. } => {
                    made.insert(step.clone());
                }
                Event::Undone { step, .. } => {
                    made.remove(step);
                }
                _ => {}
            }
            walk.happens([event]);
            let ledger: std::collections::BTreeSet<Address> =
                walk.engagement.ledger().into_iter().map(|(step, _)| step.clone()).collect();
            prop_assert!(made.is_subset(&ledger), "{:?} without {:?}", ledger, made);
        }
    }

    #[test]
    fn any_clock_is_borne(one in any::<i64>(), other in any::<i64>()) {
        let _ = At(one).since(At(other));
        let _ = At(one).to_string();
    }
}

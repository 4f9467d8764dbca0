//! The next sensible thing on a step: what Enter does, said before it is done.

use crate::engagement::{Address, DoneHow, FindingKind, Question, Status};
use crate::runbook::Work;
use crate::ui::facts::Facts;
use crate::ui::words;

/// What Enter does on a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextMove {
    FillForm(Address),
    /// A form that is complete, to read or to change.
    Look(Address),
    /// Show what would change, so that it can be approved.
    Plan(Address),
    Run(Address),
    /// It failed, was skipped or was undone: try it again.
    Again(Address),
    /// It failed while it was taken back: go on with that, or make it again.
    HalfUndone(Address),
    /// It waits on somebody: look whether they have moved.
    LookAgain(Address),
    /// A person put it on waiting: it may be over.
    Wait(Address),
    TrustKey(Address),
    /// Something else is there; a person must put it right or decide.
    Decide(Address),
    /// It needs a secret that only a person can give now.
    GiveSecret(Address),
    /// The session with AWS has ended.
    SignIn,
    SignOff(Address),
    /// It is signed off: what was signed can be corrected.
    SignAgain(Address),
    /// It is done, and the runbook would do it otherwise now.
    Outdated(Address),
    /// It was done, and a look said that it is no longer so.
    Drifted(Address),
    Settle(Address),
    Watch(Address),
    /// Another step comes first.
    GoTo(Address),
    Nothing(&'static str),
}

impl NextMove {
    /// Two or three words, for the first key hint.
    pub fn hint(&self) -> &'static str {
        match self {
            NextMove::FillForm(_) => "fill in",
            NextMove::Look(_) => "open form",
            NextMove::Plan(_) => "see the plan",
            NextMove::Run(_) => "run",
            NextMove::Again(_) => "try again",
            NextMove::HalfUndone(_) => "undo or make..",
            NextMove::LookAgain(_) => "look again",
            NextMove::Wait(_) => "it is over..",
            NextMove::TrustKey(_) => "check the key",
            NextMove::Decide(_) => "decide",
            NextMove::GiveSecret(_) => "give the secret",
            NextMove::SignIn => "look again",
            NextMove::SignOff(_) => "sign off",
            NextMove::SignAgain(_) => "correct..",
            NextMove::Outdated(_) => "look or keep",
            NextMove::Drifted(_) => "ways out",
            NextMove::Settle(_) => "settle",
            NextMove::Watch(_) => "watch",
            NextMove::GoTo(_) => "go to what blocks",
            NextMove::Nothing(_) => "open",
        }
    }

    /// Asks nothing of the engine.
    pub fn only_looks(&self) -> bool {
        matches!(self, NextMove::Drifted(_) | NextMove::Watch(_) | NextMove::GoTo(_) | NextMove::Nothing(_))
    }

    /// A sentence: what Enter will do here.
    pub fn sentence(&self, facts: &Facts) -> String {
        let title = |address: &Address| match &facts.open {
            Some(open) => words::title(&open.runbook, address),
            None => address.to_string(),
        };
        match self {
            NextMove::FillForm(_) => "Enter opens the form".to_owned(),
            NextMove::Look(_) => "it is done; Enter opens the form again".to_owned(),
            NextMove::Plan(_) => "Enter shows what would change, for you to approve".to_owned(),
            NextMove::Run(_) => "Enter runs it; before anything is changed you see the plan and approve it".to_owned(),
            NextMove::HalfUndone(_) => {
                "it was being taken back: Enter asks whether to go on with that, or to make it again".to_owned()
            }
            NextMove::Again(_) => "Enter tries it again; it looks first what is there".to_owned(),
            NextMove::LookAgain(_) => "Enter looks whether it is so by now".to_owned(),
            NextMove::Wait(_) => "Enter lets you say that the wait is over".to_owned(),
            NextMove::TrustKey(_) => "Enter shows the host's key, for you to compare".to_owned(),
            NextMove::Decide(_) => "Enter shows the difference, for you to decide".to_owned(),
            NextMove::GiveSecret(_) => "Enter asks for the secret; it is not shown, and kept in memory only".to_owned(),
            NextMove::SignIn => {
                "sign in to AWS, and it goes on by itself; Enter looks at once whether you have".to_owned()
            }
            NextMove::SignOff(_) => "do what is asked, then Enter signs it off".to_owned(),
            NextMove::SignAgain(_) => "nothing: it is signed off; Enter corrects or withdraws it".to_owned(),
            NextMove::Outdated(_) => "Enter lets you look at it again, or keep it as it was done".to_owned(),
            NextMove::Drifted(step) if is_unknown(facts, step) => {
                "it could not be looked at again, and nothing says that it has changed: see why, and V looks again"
                    .to_owned()
            }
            NextMove::Drifted(step) => {
                let made = facts.open.as_ref().and_then(|open| open.engagement.record(step)?.made.as_ref());
                let again = match made.is_some_and(|made| made.created) {
                    true => "Or u takes back what is left of it, and Enter then makes it anew.",
                    false => "",
                };
                let said = "it is no longer as it was made: see what was checked. Put it right where it was changed, or agree \
                            on the change with whoever made it; V looks again.";
                format!("{said} {again}").trim_end().to_owned()
            }
            NextMove::Settle(_) => "Enter lets you say what became of it".to_owned(),
            NextMove::Watch(_) => "it is running; Enter shows its output".to_owned(),
            NextMove::GoTo(first) => format!("first: {}; Enter goes there", title(first)),
            NextMove::Nothing(why) => (*why).to_owned(),
        }
    }
}

/// A second look could not tell.
fn is_unknown(facts: &Facts, step: &Address) -> bool {
    let found = facts.open.as_ref().and_then(|open| open.drift.get(step));
    found.is_some_and(|finding| finding.kind == FindingKind::Unknown)
}

/// What Enter does on this step now.
pub fn next_move(facts: &Facts, address: &Address) -> NextMove {
    let Some(open) = &facts.open else { return NextMove::Nothing("nothing is open") };
    let (Some(row), Some(step)) = (open.row(address), open.step(address)) else {
        return NextMove::Nothing("this step is not known yet");
    };
    let here = address.clone();
    match &row.status {
        Status::NotNeeded => NextMove::Nothing("another branch was chosen: this is not needed"),
        Status::NeedsInput(_) if !step.asks().is_empty() => NextMove::FillForm(here),
        Status::NeedsInput(missing) => match missing.first().and_then(|input| open.runbook.asked_in(input)) {
            Some(form) => NextMove::GoTo(Address::new(form.id.clone(), None)),
            None => NextMove::Nothing("an input is missing that no form asks for"),
        },
        Status::Blocked(needs) => match needs.first() {
            Some(first) => NextMove::GoTo(first_open_instance(facts, first)),
            None => NextMove::Nothing("another step comes first"),
        },
        Status::Unclear(_) => NextMove::Nothing("what it needs is not known yet"),
        Status::Ready if matches!(step.work, Work::Form(_) | Work::Choice(_)) => NextMove::FillForm(here),
        Status::Ready | Status::ReadyToVerify => NextMove::Run(here),
        Status::SignOff => NextMove::SignOff(here),
        Status::Running { .. } => NextMove::Watch(here),
        Status::NeedsApproval => NextMove::Plan(here),
        Status::Asked(Question::HostKey { .. }) => NextMove::TrustKey(here),
        Status::Asked(Question::Different { .. }) => NextMove::Decide(here),
        Status::Asked(Question::NeedsSecret { .. }) => NextMove::GiveSecret(here),
        Status::Asked(Question::SignIn { .. }) => NextMove::SignIn,
        Status::InDoubt { .. } => NextMove::Settle(here),
        Status::Done { .. } if row.outdated => NextMove::Outdated(here),
        Status::Done { .. } if open.is_drift(row) => NextMove::Drifted(here),
        Status::Done { .. } if !step.asks().is_empty() => NextMove::Look(here),
        Status::Done { how: DoneHow::SignedOff, .. } => NextMove::SignAgain(here),
        Status::Done { .. } => NextMove::Nothing("nothing: it is done"),
        Status::Waiting(wait) if wait.by_hand && !step.asks().is_empty() => NextMove::FillForm(here),
        Status::Waiting(wait) if wait.by_hand => NextMove::Wait(here),
        Status::Waiting(_) if matches!(step.work, Work::Manual(_)) => NextMove::SignOff(here),
        Status::Waiting(_) => NextMove::LookAgain(here),
        Status::Failed(_) if open.is_half_undone(address) => NextMove::HalfUndone(here),
        Status::Failed(_) | Status::Skipped { .. } | Status::Undone => NextMove::Again(here),
        Status::Stays { .. } => NextMove::Again(here),
    }
}

fn first_open_instance(facts: &Facts, step: &crate::runbook::StepId) -> Address {
    let rows = facts.open.iter().flat_map(|open| open.board.rows.iter());
    let instance = rows.filter(|row| &row.address.step == step).find(|row| !row.status.settled());
    instance.map_or_else(|| Address::new(step.clone(), None), |row| row.address.clone())
}

//! What is true of one engagement, what may happen next, and what would change.
//!
//! Uses: runbook, input, text. Pure: no clock, no I/O.
//!
//! Three functions carry it: `decide` (a command becomes events or a refusal), `fold` (an event changes what is true)
//! and `board` (what can run next, and who waits for whom).
//! Invariant: `fold` accepts every event that `decide` can produce, and every event of every earlier version.
//! Deliberately absent: running anything. See `engine`.

mod address;
mod board;
mod caller;
mod command;
mod counted;
mod decide;
mod diagnosis;
pub mod doubt;
mod event;
mod fold;
mod known;
mod masked;
mod overtaken;
mod permissions;
mod plan;
mod price;
mod questionnaire;
mod quota;
mod recover;
mod scope;
mod secrets;
mod state;
mod target;
mod token;
mod undo;
mod update;
mod wait;
mod ways;
mod wording;

pub use address::{Address, AddressError};
pub use board::{Board, Row, Status, Tally, board, board_within, is_left_out, may_stay_empty, taken_away_by};
pub use caller::{Caller, waiting_for_sign_in};
pub use command::{Command, Scope as RunScope, Settlement, WaitOrder};
pub use counted::{answers, counted};
pub use decide::{Refusal, decide, known_step, may_adopt};
pub use diagnosis::{
    Answered, Asked, Course, Diagnosed, Placed, So, course, diagnosable, diagnosis_of, look, what_is_seen, with_asked,
};
pub use event::{
    Actor, At, Difference, DoneAs, DoneHow, Event, Evidence, Failure, Finding, FindingKind, Intent, Inverse, Kept,
    Outcome, Purpose, Question, Recorded, RepeatClass, RunbookFile, Until,
};
pub use fold::{draft, fold};
pub use known::{known_answers, unheard_of};
pub use masked::{mask_finding, masked};
pub use overtaken::overtaken;
pub use permissions::Permissions;
pub use plan::{Change, Consequence, Leave, Plan, PlanEntry, Rehearsal, Verdict};
pub use price::{BASIS as PRICE_BASIS, Bill, Price, dollars};
pub use questionnaire::{Changed, Returned, people, questionnaire, returned};
pub use quota::{Known, Limited, Room, in_order, takes};
pub use recover::{CALL_WITHIN, Recovery, SENT_WITHIN, deadline, recover};
pub use scope::{
    Asking, Call, ChosenKind, Host, ScopeMode, asking, bound, call, changes_values, chosen_actions, expand,
    expand_planned, hosts, item_of, plan_digest, scope,
};
pub use secrets::{
    LoginLine, LoginQuestion, MissingSecret, asking_for_secrets, secret_rule, secrets_ahead, secrets_behind,
};
pub use state::{Engagement, Given, Identity, Made, Stage, State, StepRecord, TrustedKey, UndoBegun};
pub use target::Target;
pub use token::{digest_of, token};
pub use undo::{Reach, Stays, TakeBack, UndoEntry, UndoPlan, held_by, loosened, reach};
pub use update::{Review, ReviewLine, Unfit, is_outdated, review, update};
pub use wait::{Wait, Waited, WaitsOn, by_party, due, grouped, waiting};
pub use wording::{told, worded};

#[cfg(test)]
mod tests;

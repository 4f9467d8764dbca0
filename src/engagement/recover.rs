//! An attempt with an intent and no outcome: adopt it, wait, say the same again, or ask a person.

use std::time::Duration;

use super::event::{At, FindingKind, RepeatClass};

/// EC2 is eventually consistent: an object may be there and not yet be seen. AWS speaks of "up to a few minutes"
/// (EC2 API reference, eventual consistency); nothing is repeated before this much time has passed since it can have been sent.
pub const QUIET: Duration = Duration::from_secs(120);

/// After an intent, no try of a call that may not be repeated starts later than this...
pub const SENT_WITHIN: Duration = Duration::from_secs(60);
/// ...and none of them takes longer than this: the time limit of one operation (`aws/clients.rs`).
pub const CALL_WITHIN: Duration = Duration::from_secs(60);

/// The latest moment at which such a call can arrive; the quiet period counts from there.
pub fn deadline(intended: At) -> At {
    let latest = i64::try_from((SENT_WITHIN + CALL_WITHIN).as_millis()).unwrap_or(i64::MAX);
    At(intended.0.saturating_add(latest))
}

/// What to do about it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Recovery {
    /// It is there: record it and go on with the check.
    Adopt,
    /// Send the same token, or the same natural key, again.
    Repeat,
    /// Look again after this much time.
    LookAgain(Duration),
    /// The world could not be asked. Stay in doubt.
    StayInDoubt,
    Person,
}

/// Decides from the class of the change, what a fresh probe found, and how long ago it can have been sent.
///
/// `Different` means that part of what was to be made is there; what somebody else put in its place is `Absent`.
pub fn recover(class: RepeatClass, found: FindingKind, since_sent: Duration) -> Recovery {
    match (found, class) {
        (FindingKind::Same, _) => Recovery::Adopt,
        (FindingKind::Unknown, _) => Recovery::StayInDoubt,
        (_, RepeatClass::Person) => Recovery::Person,
        (FindingKind::Absent | FindingKind::Different, RepeatClass::Token | RepeatClass::Natural) => Recovery::Repeat,
        // Part of it is there to be seen: it will be completed, and no second one made.
        (FindingKind::Different, RepeatClass::Tag) => Recovery::Repeat,
        (FindingKind::Absent, RepeatClass::Tag) => match QUIET.checked_sub(since_sent) {
            Some(left) if !left.is_zero() => Recovery::LookAgain(left),
            _ => Recovery::Repeat,
        },
    }
}

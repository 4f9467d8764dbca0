//! Who AWS takes us for, and for how much longer.

use std::time::Duration;

use super::Address;
use super::event::{At, Question};
use super::state::{Engagement, State};
use crate::text;

/// With less than this left a person should think of signing in anew.
const ENDING: Duration = Duration::from_secs(15 * 60);

/// The caller, as AWS itself says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// `assumed-role/onramp/anna`, `user/anna`, `root`
    pub name: String,
    /// When the credentials end; none for those that do not end, or do not say so.
    pub expires: Option<At>,
}

impl Caller {
    /// `assumed-role/onramp/anna in account 111122223333`
    pub fn said(&self) -> String {
        format!("{} in account {}", self.name, self.account)
    }

    /// The role, or the user.
    pub fn role(&self) -> &str {
        self.name.split('/').nth(1).unwrap_or(&self.name)
    }

    /// Time until the credentials end; nothing where they do not.
    pub fn left(&self, now: At) -> Option<Duration> {
        self.expires.map(|end| end.since(now))
    }

    pub fn is_ending(&self, now: At) -> bool {
        self.left(now).is_some_and(|left| left < ENDING)
    }

    /// `52 min`, `ended`; empty where they do not end.
    pub fn clock(&self, now: At) -> String {
        match self.left(now) {
            None => String::new(),
            Some(Duration::ZERO) => "ended".to_owned(),
            Some(left) => text::about(left),
        }
    }
}

/// The steps that go on as soon as somebody has signed in to AWS.
pub fn waiting_for_sign_in(engagement: &Engagement) -> impl Iterator<Item = &Address> {
    let waits = |state: &State| matches!(state, State::Asked { question: Question::SignIn { .. }, .. });
    engagement.steps.iter().filter(move |(_, record)| waits(&record.state)).map(|(step, _)| step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_session_says_how_long_and_when_it_is_time() {
        let minutes = |minutes: i64| At(minutes * 60_000);
        let ends = |expires| Caller {
            account: "111122223333".to_owned(),
            name: "assumed-role/onramp/anna".to_owned(),
            expires,
        };
        let caller = ends(Some(minutes(60)));
        assert_eq!((caller.clock(minutes(8)).as_str(), caller.is_ending(minutes(8))), ("52 min", false));
        assert_eq!((caller.clock(minutes(46)).as_str(), caller.is_ending(minutes(46))), ("14 min", true));
        assert_eq!((caller.clock(minutes(61)).as_str(), caller.is_ending(minutes(61))), ("ended", true));
        assert_eq!((ends(None).clock(minutes(1)).as_str(), ends(None).is_ending(minutes(1))), ("", false));
        assert_eq!(
            (caller.role(), ends(None).said().as_str()),
            ("onramp", "assumed-role/onramp/anna in account 111122223333")
        );
    }
}

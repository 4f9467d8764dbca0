//! Who AWS takes us for, and for how much longer.

use std::time::Duration;

use super::Address;
use super::event::{At, Question};
use super::state::{Engagement, State};
use crate::text;

/// With less than this left a person should think of signing in anew.
const ENDING: Duration = Duration::from_secs(15 * 60);
/// The same of a session that was made for no longer than that.
const SHORT_ENDING: Duration = Duration::from_secs(5 * 60);
/// Until a session that was just made is first looked at.
const JUST: Duration = Duration::from_secs(60);

/// The caller, as AWS itself says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// `assumed-role/onramp/anna`, `user/anna`, `root`
    pub name: String,
    /// When the credentials end; none for those that do not end, or do not say so.
    pub expires: Option<At>,
    /// For how long they held when they were first read; none where they do not end.
    pub lasts: Option<Duration>,
    /// They are made anew without a person, as often as it takes.
    pub renews: bool,
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

    /// It was made for a quarter of an hour, the shortest that AWS gives.
    pub fn is_short(&self) -> bool {
        !self.renews && self.lasts.is_some_and(|lasts| lasts <= ENDING && lasts + JUST > ENDING)
    }

    /// Is it time to sign in anew?
    pub fn is_ending(&self, now: At) -> bool {
        let ending = if self.is_short() { SHORT_ENDING } else { ENDING };
        !self.renews && self.left(now).is_some_and(|left| left < ending)
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
            ..Caller::default()
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

    #[test]
    fn a_session_that_was_just_made_is_not_ending_however_short_it_is() {
        let minutes = |minutes: i64| At(minutes * 60_000);
        let lasting = |lasts: u64| Caller {
            expires: Some(minutes(15)),
            lasts: Some(Duration::from_secs(lasts)),
            ..Caller::default()
        };
        let short = lasting(899);
        assert_eq!([0, 9, 11].map(|now| short.is_ending(minutes(now))), [false, false, true]);
        assert!(short.is_short() && !lasting(3_600).is_short());
        // It had begun long before: its end is near.
        let old = lasting(720);
        assert!(!old.is_short() && old.is_ending(minutes(3)));
        let renewed = Caller { renews: true, ..short };
        assert!(!renewed.is_short() && !renewed.is_ending(minutes(14)));
    }
}

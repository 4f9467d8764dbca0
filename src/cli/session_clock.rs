//! The session with AWS, where there is no screen: who it is, how long it lasts, and what to do when it ends.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use super::print;
use crate::engagement::{At, Caller, Event, Question, Recorded};
use crate::engine::{Clock, Notice};
use crate::text;

/// How long a run without a terminal waits for somebody to sign in elsewhere.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// What was said of the session so far.
#[derive(Default)]
pub struct SessionClock {
    caller: Option<Caller>,
    said: String,
    /// It was said that the end is near.
    warned: bool,
    /// It was said that the session is short.
    hinted: bool,
    /// A region is known: before that nobody wants anything of AWS.
    region: bool,
    /// Since when steps wait for a sign-in.
    out_since: Option<Instant>,
    left_alone: bool,
}

/// What a moment without news comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    Nothing,
    /// Nobody came to sign in, and no terminal is there at which somebody might. Once.
    LeftAlone,
}

impl SessionClock {
    /// Says who the caller is, or why there is no way to AWS; each once, and again for a new session.
    pub fn heard(&mut self, notice: &Notice) {
        match notice {
            Notice::Identity(caller) => self.told(caller),
            Notice::Recorded(Recorded { event: Event::Asked { question: Question::SignIn { .. }, .. }, .. }) => {
                self.out_since.get_or_insert_with(Instant::now);
            }
            Notice::Recorded(Recorded { event: Event::InputGiven { id, .. }, .. }) => {
                self.region |= id.as_str() == "aws.region_primary";
            }
            _ => {}
        }
    }

    /// The engagement has a region already.
    pub fn knowing_region(self, region: bool) -> Self {
        SessionClock { region, ..self }
    }

    fn told(&mut self, caller: &Result<Caller, String>) {
        let said = match caller {
            Ok(caller) => caller.said(),
            Err(why) => why.clone(),
        };
        let caller = caller.as_ref().ok();
        let ends = |caller: &Caller| caller.expires;
        let renewed = caller.and_then(ends) != self.caller.as_ref().and_then(ends);
        let matters = caller.is_some() || self.region;
        if matters && (said != self.said || renewed) {
            let remark = caller.and_then(|caller| remark(caller, now())).filter(|one| *one != SHORT || !self.hinted);
            print::say(&format!("AWS: {said}{}{}", more(caller), remark.unwrap_or_default()));
            (self.said, self.warned) = (said, remark == Some(ENDING));
            self.hinted |= remark == Some(SHORT);
        }
        if caller.is_some() {
            self.out_since = None;
        }
        self.caller = caller.cloned();
    }

    /// Says once that the end is near.
    pub fn tick(&mut self) -> Tick {
        if let Some(caller) = self.caller.as_ref().filter(|caller| !self.warned && caller.is_ending(now())) {
            print::say(&format!("AWS: the credentials end soon{}{ENDING}", more(Some(caller))));
            self.warned = true;
        }
        let alone = self.out_since.is_some_and(|since| since.elapsed() > PATIENCE) && !io::stdin().is_terminal();
        match alone && !std::mem::replace(&mut self.left_alone, true) {
            true => Tick::LeftAlone,
            false => Tick::Nothing,
        }
    }
}

const ENDING: &str = "; sign in anew, and the run goes on with them";
const SHORT: &str = ". That is the shortest session there is: where its end cuts a step short, the run waits for a sign-in. \
                     One of an hour or more is better (the input aws.session_seconds, or duration_seconds in the profile)";

/// What there is to be done about the session, said together with whose it is.
fn remark(caller: &Caller, now: At) -> Option<&'static str> {
    match (caller.is_ending(now), caller.is_short()) {
        (true, _) => Some(ENDING),
        (false, true) => Some(SHORT),
        (false, false) => None,
    }
}

/// `, for 52 min more`
fn more(caller: Option<&Caller>) -> String {
    let left = caller.and_then(|caller| caller.left(now()));
    left.map(|left| format!(", for {} more", text::about(left))).unwrap_or_default()
}

fn now() -> At {
    Clock::default().now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_was_just_made_is_greeted_once_with_what_to_do_and_not_as_ending() {
        let (now, minute) = (At(0), 60_000);
        let lasting = |seconds: u64, left: i64| Caller {
            expires: Some(At(left * minute)),
            lasts: Some(Duration::from_secs(seconds)),
            ..Caller::default()
        };
        assert_eq!(remark(&lasting(900, 15), now), Some(SHORT));
        assert_eq!(remark(&lasting(3_600, 60), now), None);
        assert_eq!(remark(&lasting(600, 10), now), Some(ENDING), "it had begun before");
        let mut clock = SessionClock::default().knowing_region(true);
        let ends = At(Clock::default().now().0 + 15 * minute);
        clock.told(&Ok(Caller { expires: Some(ends), ..lasting(900, 15) }));
        assert_eq!((clock.tick(), clock.warned, clock.hinted), (Tick::Nothing, false, true));
    }
}

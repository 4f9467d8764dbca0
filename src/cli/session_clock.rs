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
            print::say(&format!("AWS: {said}{}", more(caller)));
            (self.said, self.warned) = (said, false);
        }
        if caller.is_some() {
            self.out_since = None;
        }
        self.caller = caller.cloned();
    }

    /// Says once that the end is near.
    pub fn tick(&mut self) -> Tick {
        if let Some(caller) = self.caller.as_ref().filter(|caller| !self.warned && caller.is_ending(now())) {
            let left = more(Some(caller));
            print::say(&format!("AWS: the credentials end soon{left}; sign in anew, and the run goes on with them"));
            self.warned = true;
        }
        let alone = self.out_since.is_some_and(|since| since.elapsed() > PATIENCE) && !io::stdin().is_terminal();
        match alone && !std::mem::replace(&mut self.left_alone, true) {
            true => Tick::LeftAlone,
            false => Tick::Nothing,
        }
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

//! What holds a call up at the moment, for whoever watches: no fact, and only the latest counts.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::error::AwsFailure;

/// Something does not go on yet, and is tried or looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdup {
    /// Why, in plain words.
    pub why: String,
    /// AWS's code, where it gave one.
    pub code: Option<String>,
    /// AWS's own words; may be empty.
    pub raw: String,
    /// How often it was tried; 0 where nothing is sent again and it is only looked at.
    pub tries: u32,
    pub since: Instant,
    /// When it is given up.
    pub until: Instant,
}

impl Holdup {
    /// Why, of what was refused for now, or not answered.
    pub fn why(code: Option<&str>, what: &str, meaning: &str) -> String {
        match code {
            Some(code) => format!("AWS says {code}. {meaning}"),
            None => format!("{what}. {meaning}"),
        }
    }
}

/// Where it is said that something is held up, and that it goes on again. Nobody has to listen.
#[derive(Clone, Default)]
pub struct Teller(Option<Arc<watch::Sender<Option<Holdup>>>>);

impl Teller {
    /// What is said here is heard there.
    pub fn new() -> (Teller, watch::Receiver<Option<Holdup>>) {
        let (sender, heard) = watch::channel(None);
        (Teller(Some(Arc::new(sender))), heard)
    }

    pub fn held_up(&self, holdup: Holdup) {
        self.say(Some(holdup));
    }

    pub fn goes_on(&self) {
        self.say(None);
    }

    fn say(&self, now: Option<Holdup>) {
        if let Some(sender) = &self.0 {
            sender.send_if_modified(|said| {
                let news = *said != now;
                *said = now;
                news
            });
        }
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Teller").field(&self.0.is_some()).finish()
    }
}

/// One call's pauses between its tries, told while they last.
pub(super) struct Pauses<'a> {
    teller: &'a Teller,
    since: Instant,
    told: bool,
}

impl<'a> Pauses<'a> {
    pub fn new(teller: &'a Teller) -> Self {
        Pauses { teller, since: Instant::now(), told: false }
    }

    /// It is tried again, until then at most.
    pub fn tell(&mut self, failure: &AwsFailure, tries: u32, until: Instant) {
        self.told = true;
        let AwsFailure { code, what, meaning, raw, .. } = failure;
        let why = Holdup::why(code.as_deref(), what, meaning);
        let (code, raw, since) = (code.clone(), raw.clone(), self.since);
        self.teller.held_up(Holdup { why, code, raw, tries, since, until });
    }
}

impl Drop for Pauses<'_> {
    fn drop(&mut self) {
        if self.told {
            self.teller.goes_on();
        }
    }
}

//! Where the program dies: at the k-th time that something passes a boundary, as the world around it sees it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// A kind of moment at which a process can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boundary {
    /// A change has arrived at AWS, and is never executed.
    CallArrived,
    /// A change was executed, and its answer is never sent.
    CallDone,
    /// The answer to a change was sent.
    CallAnswered,
    /// A change has arrived; it is executed when the next process is looking already.
    CallLate,
    /// A piece of the SSH connection, either way, before it is passed on.
    Wire,
    /// A file of the engagement is about to be made, written, cut, synced, renamed or removed.
    DeedBefore,
    /// It just was.
    DeedAfter,
    /// At random moments: several deaths, by the seed.
    Moments,
}

const ALL: [(Boundary, &str); 8] = [
    (Boundary::CallArrived, "call-arrived"),
    (Boundary::CallDone, "call-done"),
    (Boundary::CallAnswered, "call-answered"),
    (Boundary::CallLate, "call-late"),
    (Boundary::Wire, "wire"),
    (Boundary::DeedBefore, "deed-before"),
    (Boundary::DeedAfter, "deed-after"),
    (Boundary::Moments, "moments"),
];

impl Boundary {
    pub fn all() -> impl Iterator<Item = Boundary> {
        ALL.into_iter().map(|(boundary, _)| boundary)
    }

    pub fn name(self) -> &'static str {
        ALL.iter().find(|(boundary, _)| *boundary == self).unwrap().1
    }
}

/// What the program is about when it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Half {
    /// Everything is being made.
    Make,
    /// Everything was made, and is being undone.
    Undo,
    /// Some of it was made, and after the death all that is there is undone.
    Abandon,
    /// The shipped runbook is walked.
    Long,
}

impl Half {
    pub fn name(self) -> &'static str {
        match self {
            Half::Make => "make",
            Half::Undo => "undo",
            Half::Abandon => "abandon",
            Half::Long => "long",
        }
    }
}

/// The k-th passing of a boundary, in one half of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub half: Half,
    pub boundary: Boundary,
    /// Which one, from 1; for `Moments` the seed.
    pub k: u64,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.half.name(), self.boundary.name(), self.k)
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Point, String> {
        let wrong = || format!("\"{text}\" is no point of the sweep; write it as make:call-done:7");
        let [half, name, k] = text.split(':').collect::<Vec<_>>()[..] else { return Err(wrong()) };
        let half = [Half::Make, Half::Undo, Half::Abandon, Half::Long].into_iter().find(|known| known.name() == half);
        let half = half.ok_or_else(wrong)?;
        let (boundary, _) = ALL.into_iter().find(|(_, known)| *known == name).ok_or_else(wrong)?;
        Ok(Point { half, boundary, k: k.parse().map_err(|_| wrong())? })
    }
}

/// Counts what passes, and kills the program when its time has come.
#[derive(Debug, Default)]
pub struct Trap {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    set: Option<(Boundary, u64)>,
    counts: BTreeMap<Boundary, u64>,
    victim: Option<Pid>,
}

impl Trap {
    /// From now on everything is counted, and at this point the program dies.
    pub fn set(&self, point: Option<(Boundary, u64)>) {
        let mut state = self.state();
        state.set = point;
        state.counts.clear();
    }

    /// The process that is running now.
    pub fn watch(&self, process: Option<u32>) {
        self.state().victim = process.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    }

    pub fn count(&self, boundary: Boundary) -> u64 {
        self.state().counts.get(&boundary).copied().unwrap_or_default()
    }

    /// Something passes; true when the program died of it just now.
    pub async fn passes(&self, boundary: Boundary) -> bool {
        let victim = {
            let mut state = self.state();
            let count = state.counts.entry(boundary).or_default();
            *count += 1;
            let here = (boundary, *count);
            if state.set != Some(here) {
                return false;
            }
            state.set = None;
            state.victim
        };
        let Some(victim) = victim else { return false };
        // It may have died of something else already.
        let _ = kill_process(victim, Signal::KILL);
        while is_alive(victim) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        true
    }

    /// Kills whatever runs now, at once.
    pub fn kill(&self) {
        if let Some(victim) = self.state().victim {
            let _ = kill_process(victim, Signal::KILL);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A killed process runs on for a moment; one that nobody has waited for yet is dead all the same.
fn is_alive(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    let state = stat.ok().and_then(|stat| stat.rsplit(')').next()?.trim_start().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

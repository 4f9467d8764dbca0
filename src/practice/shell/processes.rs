//! The processes of a virtual host that others can see: its shells. They have numbers, groups, and an end by a signal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The first number that is given; the ones below belong to what the boot started.
const FIRST: u32 = 20_000;

/// Every process since the host came up.
#[derive(Debug)]
pub struct Processes {
    /// As /proc/sys/kernel/random/boot_id shows it.
    pub boot: String,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    next: u32,
    running: BTreeMap<u32, Process>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Process {
    pub group: u32,
    pub user: String,
    /// On the hosts' clock.
    pub born: Duration,
    end: CancellationToken,
}

/// Which processes a signal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    One(u32),
    Group(u32),
}

/// Keeps a process in the table while it runs.
#[derive(Debug)]
pub struct Running {
    pub number: u32,
    pub group: u32,
    /// Cancelled by a signal.
    pub end: CancellationToken,
    processes: Arc<Processes>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.processes.lock().running.remove(&self.number);
    }
}

impl Processes {
    /// A host that has just come up.
    pub fn new() -> Arc<Self> {
        let mut bytes = [0; 16];
        // Without randomness two boots look alike, and nothing else is worse.
        let _ = getrandom::fill(&mut bytes);
        let hex = u128::from_be_bytes(bytes);
        let text = format!("{hex:032x}");
        let boot = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-");
        Arc::new(Self { boot, table: Mutex::new(Table { next: FIRST, running: BTreeMap::new() }) })
    }

    /// A new process: in this group, or the first of one of its own.
    pub fn begin(self: &Arc<Self>, group: Option<u32>, user: &str, born: Duration) -> Running {
        let mut table = self.lock();
        let number = table.next;
        table.next += 1;
        let (group, end) = (group.unwrap_or(number), CancellationToken::new());
        table.running.insert(number, Process { group, user: user.to_string(), born, end: end.clone() });
        Running { number, group, end, processes: Arc::clone(self) }
    }

    pub fn find(&self, number: u32) -> Option<Process> {
        self.lock().running.get(&number).cloned()
    }

    pub fn numbers(&self) -> Vec<u32> {
        self.lock().running.keys().copied().collect()
    }

    /// Ends what a signal of `user` ends, or only looks (signal 0). The error is why not, as kill(1) says it.
    pub fn signal(&self, target: Target, user: &str, only_look: bool) -> Result<(), &'static str> {
        let table = self.lock();
        let meant = |number: &u32, process: &Process| match target {
            Target::One(wanted) => *number == wanted,
            Target::Group(wanted) => process.group == wanted,
        };
        let mut found: Vec<&Process> = table
            .running
            .iter()
            .filter(|(number, process)| meant(number, process))
            .map(|(_, process)| process)
            .collect();
        if found.is_empty() {
            return Err("No such process");
        }
        found.retain(|process| user == "root" || process.user == user);
        if found.is_empty() {
            return Err("Operation not permitted");
        }
        // In the order of their numbers: who waits for another is told before it.
        found.iter().filter(|_| !only_look).for_each(|process| process.end.cancel());
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_ends_a_whole_group_and_no_other_process() {
        let processes = Processes::new();
        let first = processes.begin(None, "root", Duration::ZERO);
        let child = processes.begin(Some(first.group), "root", Duration::ZERO);
        let other = processes.begin(None, "ubuntu", Duration::ZERO);
        assert_eq!(processes.signal(Target::Group(first.number), "ubuntu", false), Err("Operation not permitted"));
        assert_eq!(processes.signal(Target::Group(first.number), "root", true), Ok(()));
        assert!(!first.end.is_cancelled());
        assert_eq!(processes.signal(Target::Group(first.number), "root", false), Ok(()));
        assert!(first.end.is_cancelled() && child.end.is_cancelled() && !other.end.is_cancelled());
        let number = first.number;
        drop((first, child));
        assert_eq!(processes.signal(Target::Group(number), "root", true), Err("No such process"));
        assert_eq!(processes.numbers(), [other.number]);
    }
}

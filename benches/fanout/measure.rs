//! How long, in how much memory, with how many failures.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use super::lab::Lab;

/// What a contender took.
#[derive(Debug, Clone)]
pub struct Measured {
    pub cold: Duration,
    /// A later step over what is open already.
    pub later: Duration,
    /// Bytes held at the peak.
    pub memory: u64,
    /// Hosts on which the command did not run.
    pub failures: usize,
    /// Anything else to be said.
    pub note: String,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { cold, later, memory, failures, note } = self;
        let (cold, later, memory) = (cold.as_secs_f64(), later.as_secs_f64(), *memory as f64 / 1e6);
        write!(f, "cold {cold:8.2} s   later {later:8.3} s   memory {memory:7.1} MB   failures {failures} {note}")
    }
}

impl Measured {
    /// How many times as long, and as much, the other one takes.
    pub fn beside(&self, other: &Measured) -> String {
        let times = |ours: f64, theirs: f64| theirs / ours;
        format!(
            "cold {:5.1} x   later {:5.1} x   memory {:5.1} x",
            times(self.cold.as_secs_f64(), other.cold.as_secs_f64()),
            times(self.later.as_secs_f64(), other.later.as_secs_f64()),
            times(self.memory as f64, other.memory as f64)
        )
    }
}

/// Daemons that a contender leaves behind become children of the bench, so that they are counted and ended.
pub fn adopt_orphans() {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
}

/// Runs a command to its end, and looks how much it and all its descendants hold meanwhile.
pub fn watch(lab: &Lab, command: &mut Command) -> (Duration, u64, ExitStatus) {
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    let mut wait = Duration::from_millis(10);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (began.elapsed(), peak, status);
        }
        peak = peak.max(held(lab));
        std::thread::sleep(wait);
        wait = (wait * 2).min(Duration::from_millis(100));
    }
}

/// Bytes that all processes of the contender hold: everything below the bench that is not a server.
fn held(lab: &Lab) -> u64 {
    descendants(lab).iter().map(|pid| resident(*pid)).sum()
}

/// Ends what a contender left behind.
pub fn sweep(lab: &Lab) {
    for pid in descendants(lab) {
        if let Some(pid) = rustix::process::Pid::from_raw(pid as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
        }
    }
}

fn descendants(lab: &Lab) -> Vec<u32> {
    let servers = lab.servers();
    let mut found = Vec::new();
    let mut next = children(std::process::id());
    while let Some(pid) = next.pop() {
        if !servers.contains(&pid) {
            next.extend(children(pid));
            found.push(pid);
        }
    }
    found
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

fn resident(pid: u32) -> u64 {
    status(pid).get("VmRSS").copied().unwrap_or(0)
}

/// The most that this very process has held so far.
pub fn own_peak() -> u64 {
    status(std::process::id()).get("VmHWM").copied().unwrap_or(0)
}

/// How long processors were busy with children of this process that have ended.
pub fn time_of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // After the name, which may hold blanks: cutime and cstime are the 14th and 15th, in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let hundredths: u64 = fields.skip(13).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(hundredths * 10)
}

fn status(pid: u32) -> HashMap<String, u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = |line: &str| {
        let (name, rest) = line.split_once(':')?;
        let kilobytes: u64 = rest.trim().strip_suffix(" kB")?.parse().ok()?;
        Some((name.to_owned(), kilobytes * 1024))
    };
    text.lines().filter_map(line).collect()
}

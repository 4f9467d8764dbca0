//! How long, in how much memory, with how much of the processors, with how many failures.

use std::fmt;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::lab::Lab;

/// What a step took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    /// Until all hosts had answered.
    pub wall: Duration,
    /// How long processors were busy meanwhile with the contender's own processes: what is left of it on hosts that have
    /// processors of their own.
    pub busy: Duration,
}

/// What processes hold at their peak, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    pub all: u64,
    /// Without what they only map from files: the program itself, which others that run it share.
    pub own: u64,
}

impl Memory {
    pub fn max(self, other: Memory) -> Memory {
        Memory { all: self.all.max(other.all), own: self.own.max(other.own) }
    }
}

/// What a contender took.
#[derive(Debug, Clone)]
pub struct Measured {
    pub cold: Took,
    /// A later step over what is open already.
    pub later: Took,
    pub memory: Memory,
    /// Hosts on which the command did not run.
    pub failures: usize,
    /// Anything else to be said.
    pub note: String,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { cold, later, memory, failures, note } = self;
        let [cold, cold_busy] = [cold.wall, cold.busy].map(|time| time.as_secs_f64());
        let [later, later_busy] = [later.wall, later.busy].map(|time| time.as_secs_f64());
        let [memory, own] = [memory.all, memory.own].map(|bytes| bytes as f64 / 1e6);
        write!(f, "cold {cold:7.2} s, own {cold_busy:6.2} s   later {later:7.3} s, own {later_busy:7.3} s   ")?;
        write!(f, "memory {memory:7.1} MB, own {own:6.1} MB   failures {failures} {note}")
    }
}

impl Measured {
    /// How many times as long, and as much, the other one takes.
    pub fn beside(&self, other: &Measured) -> String {
        let times = |ours: Duration, theirs: Duration| theirs.as_secs_f64() / ours.as_secs_f64();
        format!(
            "cold {:5.1} x, own {:5.1} x   later {:5.1} x, own {:5.1} x   memory {:5.1} x, own {:5.1} x",
            times(self.cold.wall, other.cold.wall),
            times(self.cold.busy, other.cold.busy),
            times(self.later.wall, other.later.wall),
            times(self.later.busy, other.later.busy),
            other.memory.all as f64 / self.memory.all as f64,
            other.memory.own as f64 / self.memory.own as f64
        )
    }
}

/// Daemons that a contender leaves behind become children of the bench, so that they are counted and ended.
pub fn adopt_orphans() {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
}

/// Runs a command to its end: what it took, and how much it and all its descendants held at their peak.
pub fn watch(lab: &Lab, command: &mut Command) -> (Took, Memory) {
    let (began, before) = (Instant::now(), busy(lab));
    let mut child = command.spawn().unwrap();
    let mut peak = Memory::default();
    let mut wait = Duration::from_millis(10);
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(held(lab)).max(Memory { all: bytes_of(child.id(), "VmHWM"), own: 0 });
        std::thread::sleep(wait);
        wait = (wait * 2).min(Duration::from_millis(100));
    }
    (Took { wall: began.elapsed(), busy: busy(lab).saturating_sub(before) }, peak)
}

/// What all processes of the contender hold: everything below the bench that is not a server.
fn held(lab: &Lab) -> Memory {
    let pids = descendants(lab);
    let sum = |line| pids.iter().map(|pid| bytes_of(*pid, line)).sum();
    Memory { all: sum("VmRSS"), own: sum("RssAnon") }
}

/// How long processors were busy so far with everything below the bench that is not a server. A server counts when it is
/// waited for, and that is never in the middle of a measurement.
fn busy(lab: &Lab) -> Duration {
    let still: Duration = descendants(lab).iter().map(|pid| on_processor(*pid)).sum();
    time_of_children() + still
}

/// How long processors were busy with the main thread of a process that still runs, such as a daemon of ssh.
fn on_processor(pid: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or(0))
}

/// Ends what a contender left behind.
pub fn sweep(lab: &Lab) {
    for pid in descendants(lab) {
        if let Some(pid) = kill(pid) {
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
        }
    }
}

/// Ends everything below the bench, and waits until nothing of it is left.
pub fn sweep_all() {
    for pid in below(&[]) {
        kill(pid);
    }
    while rustix::process::waitpid(None, rustix::process::WaitOptions::empty()).is_ok() {}
}

fn kill(pid: u32) -> Option<rustix::process::Pid> {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    Some(pid)
}

fn descendants(lab: &Lab) -> Vec<u32> {
    below(&lab.servers())
}

fn below(servers: &[u32]) -> Vec<u32> {
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

/// A line of what the kernel says of a process, in bytes: `VmRSS` is what it holds, `VmHWM` the most it has held so
/// far, `RssAnon` what it holds and is in no file.
fn bytes_of(pid: u32, line: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = text.lines().find_map(|each| each.strip_prefix(line)?.strip_prefix(':')?.trim().strip_suffix(" kB"));
    value.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// How long processors were busy with this process.
pub fn own_time() -> Duration {
    processor_time(11)
}

/// How long processors were busy with children of this process that have ended.
pub fn time_of_children() -> Duration {
    processor_time(13)
}

/// Two neighbouring fields after the name of the process, which may hold blanks: utime and stime are the 12th and 13th,
/// cutime and cstime the 14th and 15th, all in hundredths of a second.
fn processor_time(skip: usize) -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let hundredths: u64 = fields.skip(skip).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(hundredths * 10)
}

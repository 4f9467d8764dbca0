//! One command on N hosts behind one bastion: how long cold, how long for later steps, in how much memory; beside others.
//!
//! `cargo bench --bench fanout`, or for other counts: `cargo bench --bench fanout -- 100 1000`; with `--only NAME` for one
//! contender. Needs root, sshd, ssh and unshare; asyncssh, pyinfra, Ansible and bssh are installed into `target/fanout` by
//! the bench itself, bssh with `cargo install --locked bssh` (a version that the Rust of this repository builds).
//!
//! All hosts share the processors of this machine, and all contenders pay for what the hosts do: the first row is that
//! alone, `uptime` so many times without any SSH. Nothing can be faster. `own` is how long processors were busy with the
//! contender itself: what is left of its time on hosts that have processors of their own. Whether one host that floods slows the others is
//! told by the spread of rounds with one beside rounds without.
//!
//! The hosts are addresses 127.1.x.y in a network namespace of the bench, served by real sshd; each has its own line in
//! known_hosts, and every contender verifies every key, on the bastion too. Memory is what the contender's processes hold
//! at their peak, sshd not counted, and `own` the same without what is mapped from files. A later step runs over what is open already, where the contender keeps it open.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a bench"
)]

mod lab;
mod measure;
mod others;
mod ours;
mod walked;

use std::process::{Command, Stdio};
use std::time::Duration;

use lab::{Lab, Limits};
use measure::Measured;

/// Rounds with a host that floods, and as many without.
const FLOODS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("ours") => ours::main(&arguments[1..]),
        Some("walked") => walked::main(&arguments[1..]),
        Some("inside") => inside(&arguments[1..]),
        _ => outside(&arguments),
    }
}

/// Everything happens in a network of its own: nothing listens, and nothing is reached, beyond it.
fn outside(arguments: &[String]) {
    let me = std::env::current_exe().unwrap();
    let enter = "ip link set lo up && ulimit -n 20000 && exec \"$0\" inside \"$@\"";
    let venv = others::set_up();
    let mut inside = Command::new("unshare");
    inside.args(["--net", "--mount", "sh", "-c", enter]).arg(me).args(arguments).env("FANOUT_VENV", venv);
    match inside.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => eprintln!("SKIPPED: the bench needs unshare: {error}"),
    }
}

fn inside(arguments: &[String]) {
    let only = arguments.iter().position(|argument| argument == "--only").map(|at| arguments[at + 1].clone());
    let wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    let counts: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![100, 1_000] } else { counts };
    if let Err(why) = lab::can_run().and_then(|()| lab::own_account()) {
        return eprintln!("SKIPPED: {why}");
    }
    measure::adopt_orphans();
    for hosts in counts {
        println!("\n{hosts} hosts behind one bastion, {} cores", std::thread::available_parallelism().unwrap());
        let floor = floor(hosts);
        println!("{:28} later {:8.3} s", "no SSH at all", floor.as_secs_f64());
        let mut rows = Vec::new();
        for (name, run) in others::contenders() {
            if wanted(name) {
                let lab = Lab::start(hosts, Limits::Raised);
                rows.push(said(name, run(&lab)));
            }
        }
        if wanted("onramp") || wanted("engine") {
            rows.push(said("onramp, a whole runbook", walked::run(&Lab::start(hosts, Limits::Raised))));
        }
        if wanted("onramp") {
            rows.push(said("onramp", ours::run(&Lab::start(hosts, Limits::Raised), &[])));
            rows.push(said("onramp, sshd as it comes", ours::run(&Lab::start(hosts, Limits::Defaults), &[])));
            rows.push(said("onramp, MaxStartups 2:100:2", ours::run(&Lab::start(hosts, Limits::Tight), &[])));
            for _ in 0..FLOODS {
                rows.push(said("onramp, one host floods", ours::run(&Lab::start(hosts, Limits::Raised), &["--flood"])));
                rows.push(said("onramp, none does", ours::run(&Lab::start(hosts, Limits::Raised), &[])));
            }
        }
        compare(&rows, floor);
    }
}

/// What the hosts themselves do in a step: how long all processors are busy with `uptime` alone, so many times.
fn floor(hosts: usize) -> Duration {
    const TIMES: usize = 5;
    let processors = std::thread::available_parallelism().unwrap().get();
    let before = measure::time_of_children();
    for _ in 0..hosts * TIMES {
        assert!(Command::new("uptime").stdout(Stdio::null()).status().unwrap().success());
    }
    (measure::time_of_children() - before).div_f64((TIMES * processors) as f64)
}

/// Says a row when it is known, so that a long bench can be followed.
fn said(name: &'static str, measured: Result<Measured, String>) -> (&'static str, Option<Measured>) {
    match measured {
        Ok(measured) => {
            println!("{name:28} {measured}");
            (name, Some(measured))
        }
        Err(why) => {
            println!("{name:28} SKIPPED: {why}");
            (name, None)
        }
    }
}

fn compare(rows: &[(&'static str, Option<Measured>)], floor: Duration) {
    let ours = rows.iter().find(|(name, _)| *name == "onramp").and_then(|(_, measured)| measured.as_ref());
    let Some(ours) = ours else { return };
    for (name, measured) in rows.iter().filter(|(name, _)| !name.starts_with("onramp")) {
        let Some(measured) = measured else { continue };
        let most = measured.later.wall.as_secs_f64() / floor.as_secs_f64();
        println!("onramp beside {name:22} {}   (later: at most {most:.1} x)", ours.beside(measured));
    }
}

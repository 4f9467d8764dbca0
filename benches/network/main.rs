//! A whole network, VPC to VPN with three zones of four tiers, made at an endpoint that answers 50 ms late: how long onramp
//! takes beside the critical path of its own steps, beside a boto3 script that makes one call after the other, and beside
//! Ansible's modules. All in one run, against moto's server, which is emptied before each.
//!
//! `cargo bench --bench network`, or with another delay in milliseconds: `cargo bench --bench network -- 100`. boto3 and
//! Ansible are installed into `target/network` by the bench itself; moto as the lab does it (`tests/lab/moto`).
//!
//! The critical path is the longest chain of steps, each measured alone, one at a time, before. It says what is lost by
//! running them together: nothing can be faster than the chain as long as each step does what it does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a bench"
)]

mod late;
mod ours;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Processor time, and mistakes of the machine, show in a single round.
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let delay = arguments.first().and_then(|number| number.parse().ok()).unwrap_or(50);
    let delay = Duration::from_millis(delay);
    let (moto, venv) = match set_up() {
        Ok(both) => both,
        Err(why) => return eprintln!("SKIPPED: {why}"),
    };
    let late = late::Late::before(&moto, delay);
    println!("one network of 29 objects; every answer of the endpoint comes {delay:?} late");
    let mut ours = Vec::new();
    for round in 0..ROUNDS {
        empty(&moto);
        let path = ours::critical_path(&late.url);
        empty(&moto);
        late.forget();
        let took = ours::whole(&late.url);
        let calls = late.seen();
        println!(
            "onramp {round}: {:.2} s with its plan; run alone {:.2} s, critical path {:.2} s: {:.2} times; {calls} calls",
            took.all.as_secs_f64(),
            took.run.as_secs_f64(),
            path.as_secs_f64(),
            took.run.as_secs_f64() / path.as_secs_f64()
        );
        let again = ours::again(&late.url);
        println!("onramp {round}: the same once more, nothing to do: {:.2} s", again.as_secs_f64());
        ours.push(took.all);
        ours::forget();
    }
    let fastest = ours.iter().min().copied().unwrap_or_default();
    for (name, program, arguments) in [
        ("boto3, one call after the other", "python", vec!["by_boto3.py"]),
        ("Ansible", "ansible-playbook", vec!["-i", "localhost,", "by_ansible.yaml"]),
    ] {
        empty(&moto);
        late.forget();
        match by_others(&venv, program, &arguments, &late.url) {
            Ok(took) => println!(
                "{name}: {:.2} s, {:.1} times onramp's; {} calls",
                took.as_secs_f64(),
                took.as_secs_f64() / fastest.as_secs_f64(),
                late.seen()
            ),
            Err(why) => println!("{name}: SKIPPED: {why}"),
        }
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/network")
}

/// moto's address, and where the others are installed.
fn set_up() -> Result<(String, PathBuf), String> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = home.join("target/network");
    std::fs::create_dir_all(&beside).map_err(|error| error.to_string())?;
    let moto = Command::new(home.join("tests/lab/moto"))
        .arg("up")
        .env("ONRAMP_LAB_DIR", &beside)
        .env("ONRAMP_MOTO_PORT", "5129")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("tests/lab/moto: {error}"))?;
    if !moto.status.success() {
        return Err("moto's server cannot run here".to_owned());
    }
    let venv = beside.join("venv");
    if !venv.join("bin/ansible-playbook").exists() {
        eprintln!("installing boto3 and Ansible into {}", venv.display());
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status();
        let pip = Command::new(venv.join("bin/pip")).args(["install", "-q", "boto3", "ansible"]).status();
        if !made.is_ok_and(|status| status.success()) || !pip.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: they could not be installed");
        }
    }
    Ok((String::from_utf8_lossy(&moto.stdout).trim().to_owned(), venv))
}

/// As it was when it started.
fn empty(moto: &str) {
    let url = format!("{moto}/moto-api/reset");
    let reset = Command::new("curl").args(["-sf", "-X", "POST", "-o", "/dev/null", &url]).status();
    assert!(reset.is_ok_and(|status| status.success()), "moto could not be emptied");
}

fn by_others(venv: &Path, program: &str, arguments: &[&str], url: &str) -> Result<Duration, String> {
    let program = venv.join("bin").join(program);
    if !program.exists() {
        return Err("it is not installed".to_owned());
    }
    let mut command = Command::new(program);
    command.args(arguments).current_dir(here()).stdin(Stdio::null());
    for (name, value) in ours::credentials(url) {
        command.env(name, value);
    }
    // On localhost Ansible takes whatever python3 there is, and that one has no boto3.
    command.env("ANSIBLE_PYTHON_INTERPRETER", venv.join("bin/python"));
    let began = Instant::now();
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(began.elapsed()),
        false => {
            let said = [output.stdout, output.stderr].concat();
            Err(String::from_utf8_lossy(&said).lines().rev().take(12).collect::<Vec<_>>().join(" / "))
        }
    }
}

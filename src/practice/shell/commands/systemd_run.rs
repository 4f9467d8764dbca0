//! systemd-run(1): a command now, or later by a timer.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::super::program::{Answer, Call};
use super::super::shape::seconds;

#[derive(Default)]
struct Asked {
    unit: Option<String>,
    after: Option<Duration>,
    quiet: bool,
    wait: bool,
    pipe: bool,
    command: Vec<String>,
}

pub fn systemd_run(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let asked = match parse(&call.arguments) {
            Ok(asked) => asked,
            Err(problem) => return Answer::fail(1, problem),
        };
        if asked.command.is_empty() {
            return Answer::fail(1, "Command line to execute required.\n");
        }
        let what = if asked.after.is_some() { "transient timer unit" } else { "transient service unit" };
        if !call.is_root() {
            return Answer::fail(1, format!("Failed to start {what}: Interactive authentication required.\n"));
        }
        let machine = &call.session.machine;
        let name = asked.unit.clone().unwrap_or_else(|| {
            let number = machine.with(|state| {
                state.next_number += 1;
                state.next_number
            });
            format!("run-u{number}")
        });
        let suffix = if asked.after.is_some() { "timer" } else { "service" };
        if machine.unit(&format!("{name}.{suffix}")).is_some() {
            return Answer::fail(
                1,
                format!("Failed to start {what}: Unit {name}.{suffix} was already loaded or has a fragment file.\n"),
            );
        }
        let say = |said: String| if asked.quiet { String::new() } else { said };
        if let Some(after) = asked.after {
            machine.arm(&name, after, asked.command);
            return Answer {
                err: say(format!("Running timer as unit: {name}.timer\nWill run service as unit: {name}.service\n")),
                ..Answer::default()
            };
        }
        let err = say(format!("Running as unit: {name}.service\n"));
        if asked.wait || asked.pipe {
            let done = machine.run_transient(&name, asked.command).await;
            let (out, own) = if asked.pipe { (done.out, done.err) } else { Default::default() };
            return Answer { out, err: err + &own, code: done.code };
        }
        let machine = machine.clone();
        tokio::spawn(async move { machine.run_transient(&name, asked.command).await });
        Answer { err, ..Answer::default() }
    })
}

fn parse(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked::default();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let (flag, joined) = match word.split_once('=').filter(|(flag, _)| flag.starts_with("--")) {
            Some((flag, value)) => (flag, Some(value.to_string())),
            None => (word.as_str(), None),
        };
        let mut value = || {
            joined
                .clone()
                .or_else(|| rest.next().cloned())
                .ok_or_else(|| format!("systemd-run: option '{flag}' requires an argument\n"))
        };
        match flag {
            "--unit" | "-u" => {
                let unit = value()?;
                asked.unit = Some(unit.trim_end_matches(".service").trim_end_matches(".timer").to_string());
            }
            "--on-active" => {
                let text = value()?;
                let after = seconds(&text).ok_or_else(|| format!("Failed to parse timer value: {text}\n"))?;
                asked.after = Some(Duration::from_secs(after));
            }
            "--property" | "-p" | "--description" | "--setenv" | "-E" | "--timer-property" | "--slice" => {
                drop(value()?)
            }
            "--quiet" | "-q" => asked.quiet = true,
            "--wait" => asked.wait = true,
            "--pipe" | "-P" => asked.pipe = true,
            "--collect" | "-G" | "--no-block" | "--system" | "--no-ask-password" | "--remain-after-exit" | "-r" => {}
            "--" => {
                asked.command.extend(rest.by_ref().cloned());
                return Ok(asked);
            }
            flag if flag.starts_with('-') => return Err(format!("systemd-run: unrecognized option '{flag}'\n")),
            _ => {
                asked.command.push(word.clone());
                asked.command.extend(rest.by_ref().cloned());
                return Ok(asked);
            }
        }
    }
    Ok(asked)
}

//! systemctl(1), as far as a runbook asks it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::super::machine::Machine;
use super::super::power;
use super::super::program::{Answer, Call};
use super::super::systemd::{AtBoot, Condition, JobFailed, Role, Timer, Unit};

const NOT_LOADED: i32 = 5;
const NO_SUCH_UNIT: i32 = 4;
const NOT_ACTIVE: i32 = 3;

pub fn systemctl(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let asked = Asked::parse(&call.arguments);
        let machine = call.session.machine.clone();
        let Some(verb) = asked.verb.clone() else { return list_units(&machine) };
        let changes = [
            "start",
            "stop",
            "restart",
            "reload",
            "try-restart",
            "reload-or-restart",
            "try-reload-or-restart",
            "enable",
            "disable",
            "mask",
            "unmask",
            "daemon-reload",
            "reset-failed",
            "reboot",
        ];
        if changes.contains(&verb.as_str()) && !call.is_root() {
            let what = asked.units.first().map_or("manager configuration".to_string(), |unit| full(unit));
            return Answer::fail(
                1,
                format!(
                    "Failed to {verb} {what}: Interactive authentication required.\n\
                     See system logs and 'systemctl status {what}' for details.\n"
                ),
            );
        }
        match verb.as_str() {
            "daemon-reload" => {
                machine.daemon_reload().await;
                Answer::ok("")
            }
            "reboot" => power::reboot(call).await,
            "is-system-running" => is_system_running(&machine),
            "reset-failed" => reset_failed(&machine, &asked),
            "cat" => each(&asked, |name| cat(&machine, name)),
            "list-timers" => list_timers(&machine, &asked),
            "list-units" | "list-unit-files" => list_units(&machine),
            "show" => show(&machine, &asked).await,
            "is-active" | "is-enabled" | "is-failed" | "status" => {
                each(&asked, |name| ask(&machine, &verb, name, &asked))
            }
            "enable" | "disable" | "mask" | "unmask" => enable(&machine, &verb, &asked).await,
            "start" | "stop" | "restart" | "reload" | "try-restart" | "reload-or-restart" | "try-reload-or-restart" => {
                jobs(&machine, &verb, &asked.units).await
            }
            other => Answer::fail(1, format!("Unknown command verb '{other}'.\n")),
        }
    })
}

struct Asked {
    verb: Option<String>,
    units: Vec<String>,
    quiet: bool,
    now: bool,
    value: bool,
    no_legend: bool,
    properties: Vec<String>,
}

impl Asked {
    fn parse(arguments: &[String]) -> Self {
        let mut asked = Self {
            verb: None,
            units: Vec::new(),
            quiet: false,
            now: false,
            value: false,
            no_legend: false,
            properties: Vec::new(),
        };
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-q" | "--quiet" => asked.quiet = true,
                "--now" => asked.now = true,
                "--value" => asked.value = true,
                "--no-legend" | "--legend=no" => asked.no_legend = true,
                "-p" | "--property" | "-P" => {
                    asked.value |= word == "-P";
                    asked
                        .properties
                        .extend(rest.next().into_iter().flat_map(|names| names.split(',').map(str::to_string)));
                }
                "-n" | "-o" | "-t" | "--type" | "--state" => drop(rest.next()),
                word if word.starts_with("--property=") => {
                    asked.properties.extend(word["--property=".len()..].split(',').map(str::to_string));
                }
                word if word.starts_with('-') => {}
                word if asked.verb.is_none() => asked.verb = Some(word.to_string()),
                word => asked.units.push(word.to_string()),
            }
        }
        asked
    }
}

/// The unit as systemctl names it in messages.
fn full(name: &str) -> String {
    if name.contains('.') { name.to_string() } else { format!("{name}.service") }
}

fn each(asked: &Asked, mut one: impl FnMut(&str) -> Answer) -> Answer {
    if asked.units.is_empty() {
        return Answer::fail(1, "Too few arguments.\n");
    }
    let mut all = Answer::default();
    let mut codes = Vec::new();
    for name in &asked.units {
        let answer = one(name);
        all.out += &answer.out;
        all.err += &answer.err;
        codes.push(answer.code);
    }
    // One unit that is so is enough (systemctl(1), is-active).
    all.code = if codes.contains(&0) { 0 } else { codes.first().copied().unwrap_or_default() };
    if asked.quiet {
        all.out.clear();
    }
    all
}

fn ask(machine: &Machine, verb: &str, name: &str, asked: &Asked) -> Answer {
    let unit = machine.unit_name(name).and_then(|name| Some((name.clone(), machine.unit(&name)?)));
    let Some((real, unit)) = unit else {
        return match verb {
            "is-enabled" if asked.quiet => Answer::code(NO_SUCH_UNIT),
            "is-enabled" => Answer::fail(
                NO_SUCH_UNIT,
                format!("Failed to get unit file state for {}: No such file or directory\n", full(name)),
            ),
            "status" => Answer::fail(NO_SUCH_UNIT, format!("Unit {} could not be found.\n", full(name))),
            "is-failed" => Answer { out: "inactive\n".to_string(), code: 1, ..Answer::default() },
            _ => Answer { out: "inactive\n".to_string(), code: NO_SUCH_UNIT, ..Answer::default() },
        };
    };
    let (active, enabled) = (word(unit.active), enabled_word(&unit, &real, name));
    let is = |yes: bool, code: i32| if yes { 0 } else { code };
    match verb {
        "is-active" => Answer {
            out: format!("{active}\n"),
            code: is(unit.active == Condition::Up, NOT_ACTIVE),
            ..Answer::default()
        },
        "is-failed" => {
            Answer { out: format!("{active}\n"), code: is(unit.active == Condition::Failed, 1), ..Answer::default() }
        }
        "is-enabled" => {
            let on = !matches!(unit.enabled, AtBoot::Off | AtBoot::Masked);
            Answer { out: format!("{enabled}\n"), code: is(on, 1), ..Answer::default() }
        }
        _ => {
            let state = match unit.active {
                Condition::Up => "active (running)",
                Condition::Down => "inactive (dead)",
                Condition::Failed => "failed (Result: exit-code)",
            };
            let out = format!(
                "● {real} - {}\n     Loaded: loaded (/usr/lib/systemd/system/{real}; {enabled}; preset: enabled)\n     \
                 Active: {state}\n   Main PID: {}\n",
                unit.about, unit.pid
            );
            Answer { out, code: is(unit.active == Condition::Up, NOT_ACTIVE), ..Answer::default() }
        }
    }
}

fn word(active: Condition) -> &'static str {
    match active {
        Condition::Up => "active",
        Condition::Down => "inactive",
        Condition::Failed => "failed",
    }
}

fn enabled_word(unit: &Unit, real: &str, asked: &str) -> &'static str {
    match unit.enabled {
        AtBoot::On if full(asked) != real => "alias",
        AtBoot::On => "enabled",
        AtBoot::Off => "disabled",
        AtBoot::Static => "static",
        AtBoot::Masked => "masked",
        AtBoot::Transient => "transient",
    }
}

async fn jobs(machine: &Arc<Machine>, verb: &str, units: &[String]) -> Answer {
    if units.is_empty() {
        return Answer::fail(1, "Too few arguments.\n");
    }
    let mut all = Answer::default();
    for unit in units {
        let answer = job(machine, verb, unit).await;
        all.err += &answer.err;
        all.code = all.code.max(answer.code);
    }
    all
}

async fn job(machine: &Arc<Machine>, verb: &str, unit: &str) -> Answer {
    if verb == "start"
        && let Some(Timer { name, command, .. }) = machine.timer_of(&full(unit))
    {
        let code = machine.run_transient(&name, command).await.code;
        return if code == 0 { Answer::ok("") } else { Answer::fail(1, format!("Job for {name}.service failed.\n")) };
    }
    let Some(name) = machine.unit_name(unit) else {
        let unit = full(unit);
        let what = if verb == "stop" { format!("Unit {unit} not loaded.") } else { format!("Unit {unit} not found.") };
        return Answer::fail(NOT_LOADED, format!("Failed to {verb} {unit}: {what}\n"));
    };
    let active = machine.is_active(&name);
    let done = match verb {
        "start" => machine.start(&name).await,
        "stop" => {
            machine.stop(&name).await;
            Ok(())
        }
        "try-restart" | "try-reload-or-restart" if !active => Ok(()),
        "reload-or-restart" | "try-reload-or-restart" if active && can_reload(machine, &name) => {
            machine.reload(&name).await
        }
        "reload" => machine.reload(&name).await,
        _ => machine.restart(&name).await,
    };
    done.map_or_else(|JobFailed(said)| Answer::fail(1, said), |()| Answer::ok(""))
}

fn can_reload(machine: &Machine, name: &str) -> bool {
    machine.unit(name).is_some_and(|unit| matches!(unit.role, Role::Sshd | Role::Nftables | Role::Firewalld))
}

async fn enable(machine: &Arc<Machine>, verb: &str, asked: &Asked) -> Answer {
    let mut all = Answer::default();
    for unit in &asked.units {
        let Some(name) = machine.unit_name(unit) else {
            let said = format!("Failed to {verb} unit: Unit file {} does not exist.\n", full(unit));
            return Answer::fail(1, said);
        };
        let (state, said) = match verb {
            "enable" => (
                AtBoot::On,
                format!(
                    "Created symlink /etc/systemd/system/multi-user.target.wants/{name} → \
                     /usr/lib/systemd/system/{name}.\n"
                ),
            ),
            "mask" => (AtBoot::Masked, format!("Created symlink /etc/systemd/system/{name} → /dev/null.\n")),
            "unmask" => (AtBoot::Off, format!("Removed \"/etc/systemd/system/{name}\".\n")),
            _ => (AtBoot::Off, format!("Removed \"/etc/systemd/system/multi-user.target.wants/{name}\".\n")),
        };
        let changed = machine.with(|all| {
            let unit = all.units.get_mut(&name).filter(|unit| unit.enabled != state && unit.enabled != AtBoot::Static);
            unit.map(|unit| unit.enabled = state).is_some()
        });
        if changed && !asked.quiet {
            all.err += &said;
        }
        if asked.now {
            let verb = if verb == "enable" { "start" } else { "stop" };
            let answer = job(machine, verb, &name).await;
            all.err += &answer.err;
            all.code = all.code.max(answer.code);
        }
    }
    all
}

async fn show(machine: &Machine, asked: &Asked) -> Answer {
    let mut text = String::new();
    for unit in asked.units.iter().map(String::as_str) {
        let real = machine.unit_name(unit);
        let found = real.as_ref().and_then(|name| machine.unit(name));
        let mut known: Vec<(&str, String)> = match &found {
            None => vec![
                ("Id", full(unit)),
                ("LoadState", "not-found".into()),
                ("ActiveState", "inactive".into()),
                ("SubState", "dead".into()),
                ("UnitFileState", String::new()),
            ],
            Some(unit) => properties(machine, real.as_deref().unwrap_or_default(), unit),
        };
        if !asked.properties.is_empty() {
            known = asked
                .properties
                .iter()
                .flat_map(|wanted| known.iter().filter(move |(name, _)| name == wanted).cloned())
                .collect();
        }
        for (name, value) in known {
            text += &if asked.value { format!("{value}\n") } else { format!("{name}={value}\n") };
        }
    }
    Answer::ok(text)
}

fn properties(machine: &Machine, name: &str, unit: &Unit) -> Vec<(&'static str, String)> {
    let sub = match (unit.active, &unit.role) {
        (Condition::Up, Role::SshSocket) => {
            if machine.is_active(machine.image.sshd_unit()) {
                "running"
            } else {
                "listening"
            }
        }
        (Condition::Up, Role::Timer) => "waiting",
        (Condition::Up, _) => "running",
        (Condition::Down, _) => "dead",
        (Condition::Failed, _) => "failed",
    };
    let mut known = vec![
        ("Id", name.to_string()),
        ("Description", unit.about.clone()),
        ("LoadState", if unit.enabled == AtBoot::Masked { "masked" } else { "loaded" }.to_string()),
        ("ActiveState", word(unit.active).to_string()),
        ("SubState", sub.to_string()),
        ("UnitFileState", enabled_word(unit, name, name).to_string()),
        ("MainPID", unit.pid.to_string()),
        ("FragmentPath", format!("/usr/lib/systemd/system/{name}")),
    ];
    if unit.role == Role::SshSocket {
        let streams = machine.with(|state| state.sshd.socket_streams.clone());
        known.extend(streams.into_iter().map(|stream| ("Listen", format!("{stream} (Stream)"))));
    }
    known
}

fn cat(machine: &Machine, name: &str) -> Answer {
    match machine.unit_name(name).and_then(|real| Some((machine.unit(&real)?, real))) {
        Some((unit, real)) => {
            Answer::ok(format!("# /usr/lib/systemd/system/{real}\n[Unit]\nDescription={}\n", unit.about))
        }
        None => Answer::fail(1, format!("No files found for {}.\n", full(name))),
    }
}

fn is_system_running(machine: &Machine) -> Answer {
    let failed = machine.with(|state| state.units.values().any(|unit| unit.active == Condition::Failed));
    if failed {
        Answer { out: "degraded\n".to_string(), code: 1, ..Answer::default() }
    } else {
        Answer::ok("running\n")
    }
}

fn reset_failed(machine: &Machine, asked: &Asked) -> Answer {
    let named: Vec<String> =
        asked.units.iter().map(|unit| machine.unit_name(unit).unwrap_or_else(|| full(unit))).collect();
    machine.with(|state| {
        let wanted = |name: &str| named.is_empty() || named.iter().any(|one| one == name);
        for (_, unit) in state.units.iter_mut().filter(|(name, unit)| unit.active == Condition::Failed && wanted(name))
        {
            unit.active = Condition::Down;
        }
        state.units.retain(|_, unit| unit.enabled != AtBoot::Transient || unit.active != Condition::Down);
    });
    Answer::ok("")
}

fn list_timers(machine: &Machine, asked: &Asked) -> Answer {
    let timers = machine.with(|state| state.timers.clone());
    let wanted =
        |name: &str| asked.units.is_empty() || asked.units.iter().any(|unit| unit.trim_end_matches(".timer") == name);
    let mut text = if asked.no_legend { String::new() } else { "NEXT LEFT LAST PASSED UNIT ACTIVATES\n".to_string() };
    let mut count = 0;
    for timer in timers.iter().filter(|timer| wanted(&timer.name)) {
        let left = timer.due.saturating_sub(machine.clock.now()).as_secs();
        text += &format!("- {left}s - - {0}.timer {0}.service\n", timer.name);
        count += 1;
    }
    if !asked.no_legend {
        text += &format!("\n{count} timers listed.\n");
    }
    Answer::ok(text)
}

fn list_units(machine: &Machine) -> Answer {
    let units = machine.with(|state| state.units.clone());
    let line = |(name, unit): (&String, &Unit)| format!("{name} loaded {} {}\n", word(unit.active), unit.about);
    Answer::ok(units.iter().map(line).collect::<String>())
}

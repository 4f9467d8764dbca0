//! `cloud-init`, `df`, `timedatectl`, `logger`, `journalctl`.

use futures_util::future::BoxFuture;

use super::super::chrony;
use super::super::program::{Answer, Call};

/// A host is only reachable after its first boot: cloud-init has always finished.
pub fn cloud_init(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        match call.words().as_slice() {
            ["status", rest @ ..] => {
                let long = rest.contains(&"--long") || rest.contains(&"-l");
                let more = if long {
                    "boot_status_code: enabled-by-generator\ndetail: DataSourceEc2Local\nerrors: []\n"
                } else {
                    ""
                };
                Answer::ok(format!("status: done\n{more}"))
            }
            ["--version" | "-v"] => Answer::ok("/usr/bin/cloud-init 24.4\n"),
            _ => Answer::fail(2, "usage: cloud-init [-h] [--version] {init,modules,single,query,status,clean} ...\n"),
        }
    })
}

/// `df [-P] [-k] [FILE…]`: one disk, a fifth of it used.
pub fn df(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let (options, mut paths): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| word.starts_with('-'));
        if let Some(wrong) = options.iter().flat_map(|word| word.chars().skip(1)).find(|one| !"Pk".contains(*one)) {
            return Answer::fail(1, format!("df: invalid option -- '{wrong}'\n"));
        }
        if paths.is_empty() {
            paths.push("/");
        }
        let mut answer = Answer::ok("Filesystem     1024-blocks    Used Available Capacity Mounted on\n");
        for path in paths {
            if call.exists(&call.path(path)).await {
                answer.out += "/dev/root         20134592 4026918  16107674      20% /\n";
            } else {
                answer.err += &format!("df: {path}: No such file or directory\n");
                answer.code = 1;
            }
        }
        answer
    })
}

pub fn timedatectl(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let zone = machine.disk.text("/etc/timezone").await.unwrap_or_else(|| "Etc/UTC".to_string());
        let zone = zone.trim();
        let synchronised = match machine.with(|state| state.chrony.clone()) {
            Some(running) => {
                let seen = chrony::seen(&call.session, &running).await;
                matches!(chrony::follows(&running, &seen), chrony::Follows::Server(_))
            }
            None => false,
        };
        let yes = if synchronised { "yes" } else { "no" };
        let wanted = call.words();
        let wanted: Vec<&str> = wanted.iter().map(|word| word.strip_prefix("--property=").unwrap_or(word)).collect();
        match wanted.as_slice() {
            ["show", rest @ ..] => {
                let known = [("Timezone", zone), ("LocalRTC", "no"), ("NTPSynchronized", yes)];
                let asked: Vec<&&str> = rest.iter().filter(|word| !word.starts_with('-')).collect();
                let shown = known.iter().filter(|(name, _)| asked.is_empty() || asked.contains(&name));
                let bare = rest.contains(&"--value");
                let line = |(name, value): &(&str, &str)| {
                    if bare { format!("{value}\n") } else { format!("{name}={value}\n") }
                };
                Answer::ok(shown.map(line).collect::<String>())
            }
            ["set-timezone" | "set-local-rtc", _] if !call.is_root() => {
                Answer::fail(1, "Failed to set time zone: Interactive authentication required.\n")
            }
            ["set-timezone", zone] if jiff::tz::TimeZone::get(zone).is_err() => {
                Answer::fail(1, format!("Failed to set time zone: Invalid or not installed time zone '{zone}'\n"))
            }
            ["set-timezone", zone] => {
                machine.disk.put("/etc/timezone", &format!("{zone}\n"), 0o644, super::super::disk::Owner::root());
                Answer::ok("")
            }
            ["set-local-rtc", "0" | "no" | "false"] => Answer::ok(""),
            [] | ["status"] => Answer::ok(format!(
                "                Time zone: {zone}\nSystem clock synchronized: {yes}\n              NTP service: active\n          \
                 RTC in local TZ: no\n"
            )),
            _ => Answer::fail(1, "Unknown command verb.\n"),
        }
    })
}

pub fn logger(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let mut tag = call.session.user.name.clone();
        let mut message = Vec::new();
        let mut rest = call.arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-t" | "--tag" => tag = rest.next().cloned().unwrap_or_default(),
                "-p" | "--priority" | "-n" | "-f" => drop(rest.next()),
                "--" => message.extend(rest.by_ref().cloned()),
                flag if flag.starts_with('-') => {}
                text => message.push(text.to_string()),
            }
        }
        let text =
            if message.is_empty() { String::from_utf8_lossy(&call.stdin).into_owned() } else { message.join(" ") };
        text.lines().for_each(|line| call.session.machine.log(&tag, line));
        Answer::ok("")
    })
}

/// `journalctl [-q] [-u UNIT]… [-t TAG]… [-n LINES] [-r] [-o cat]`; it has no times
pub fn journalctl(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        if !call.is_root() && !call.session.user.groups.iter().any(|group| group == "adm") {
            return Answer::ok("-- No entries --\n");
        }
        let mut sources: Vec<String> = Vec::new();
        let (mut lines, mut bare, mut quiet, mut newest_first) = (usize::MAX, false, false, false);
        let mut rest = call.arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-u" | "--unit" | "-xeu" => {
                    sources.extend(rest.next().map(|name| machine.unit_name(name).unwrap_or_else(|| name.clone())))
                }
                // What sshd writes is kept under its unit, whose name differs.
                "-t" | "--identifier" => sources.extend(rest.next().map(|tag| match tag.as_str() {
                    "sshd" => machine.image.sshd_unit().to_owned(),
                    _ => tag.clone(),
                })),
                "-r" | "--reverse" => newest_first = true,
                "-o" | "--output" => bare = rest.next().is_some_and(|form| form == "cat"),
                "-q" | "--quiet" => quiet = true,
                "-n" | "--lines" => lines = rest.next().and_then(|text| text.parse().ok()).unwrap_or(lines),
                _ => {}
            }
        }
        let journal = machine.with(|state| state.journal.clone());
        let about = |from: &str, line: &str| {
            let is_it = |source: &String| from == source || (from == "systemd" && line.contains(source.as_str()));
            sources.is_empty() || sources.iter().any(is_it)
        };
        let shown: Vec<String> = journal
            .iter()
            .filter(|(from, line)| about(from, line))
            .flat_map(|(from, text)| {
                text.lines().map(move |line| if bare { format!("{line}\n") } else { format!("{from}: {line}\n") })
            })
            .collect();
        if shown.is_empty() {
            return Answer::ok(if quiet { "" } else { "-- No entries --\n" });
        }
        let mut shown = shown[shown.len().saturating_sub(lines)..].to_vec();
        if newest_first {
            shown.reverse();
        }
        Answer::ok(shown.concat())
    })
}

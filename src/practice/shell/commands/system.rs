//! `cloud-init`, `chronyc`, `timedatectl`, `logger`, `journalctl`.

use futures_util::future::BoxFuture;

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

/// The clock of practice is right: chrony tracks, unless the service is down.
pub fn chronyc(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let unit = if machine.image.is_rhel() { "chronyd.service" } else { "chrony.service" };
        if !machine.is_active(unit) {
            return Answer::fail(1, "506 Cannot talk to daemon\n");
        }
        let words: Vec<String> = call.arguments.iter().filter(|word| !word.starts_with('-')).cloned().collect();
        match words.first().map(String::as_str) {
            Some("tracking") => Answer::ok(
                "Reference ID    : A9FEA97B (169.254.169.123)\nStratum         : 4\n\
                 System time     : 0.000001262 seconds fast of NTP time\n\
                 Last offset     : +0.000000841 seconds\nRMS offset      : 0.000003105 seconds\n\
                 Frequency       : 12.221 ppm slow\n\
                 Leap status     : Normal\n",
            ),
            Some("sources") => Answer::ok(
                "MS Name/IP address         Stratum Poll Reach LastRx Last sample\n\
                 ===============================================================================\n\
                 ^* 169.254.169.123               3   4   377     9   +841ns[+1262ns] +/-  412us\n",
            ),
            Some("waitsync") => Answer::ok("try: 1, refid: A9FEA97B, correction: 0.000001262, skew: 0.012\n"),
            _ => Answer::fail(1, "Unrecognized command\n"),
        }
    })
}

pub fn timedatectl(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let zone = machine.disk.text("/etc/timezone").await.unwrap_or_else(|| "Etc/UTC".to_string());
        let zone = zone.trim();
        match call.words().as_slice() {
            ["show", "-p", "Timezone", "--value"] | ["show", "--property=Timezone", "--value"] => {
                Answer::ok(format!("{zone}\n"))
            }
            ["show", ..] => Answer::ok(format!("Timezone={zone}\nNTPSynchronized=yes\n")),
            ["set-timezone", zone] if call.is_root() => {
                machine.disk.put("/etc/timezone", &format!("{zone}\n"), 0o644, super::super::disk::Owner::root());
                Answer::ok("")
            }
            ["set-timezone", _] => Answer::fail(1, "Failed to set time zone: Interactive authentication required.\n"),
            [] | ["status"] => Answer::ok(format!(
                "                Time zone: {zone}\nSystem clock synchronized: yes\n              NTP service: active\n"
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

/// `journalctl [-u UNIT] [-t TAG] [-n LINES]`
pub fn journalctl(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        if !call.is_root() && !call.session.user.groups.iter().any(|group| group == "adm") {
            return Answer::ok("-- No entries --\n");
        }
        let mut source: Option<String> = None;
        let mut lines = usize::MAX;
        let mut rest = call.arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-u" | "--unit" | "-xeu" => {
                    source = rest.next().map(|name| machine.unit_name(name).unwrap_or_else(|| name.clone()))
                }
                "-t" | "--identifier" => source = rest.next().cloned(),
                "-n" | "--lines" => lines = rest.next().and_then(|text| text.parse().ok()).unwrap_or(lines),
                _ => {}
            }
        }
        let journal = machine.with(|state| state.journal.clone());
        let about = |from: &str, line: &str| {
            source.as_ref().is_none_or(|source| from == source || (from == "systemd" && line.contains(source.as_str())))
        };
        let shown: Vec<String> = journal
            .iter()
            .filter(|(from, line)| about(from, line))
            .flat_map(|(from, text)| text.lines().map(move |line| format!("{from}: {line}\n")))
            .collect();
        if shown.is_empty() {
            return Answer::ok("-- No entries --\n");
        }
        Answer::ok(shown[shown.len().saturating_sub(lines)..].concat())
    })
}

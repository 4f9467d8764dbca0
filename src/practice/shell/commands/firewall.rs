//! `nft`, `ufw` and `firewall-cmd` as programs.

use futures_util::future::BoxFuture;

use super::super::disk::Disk;
use super::super::firewall::nft::Ruleset;
use super::super::program::{Answer, Call};
use super::super::sshd_config::glob;

pub fn ufw(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        if !call.is_root() {
            return Answer::fail(1, "ERROR: You need to be root to run this script\n");
        }
        let yes = call.stdin.trim_ascii_start().first().is_some_and(|byte| byte.eq_ignore_ascii_case(&b'y'));
        call.session.machine.with(|state| state.firewall.ufw.command(&call.arguments, yes))
    })
}

pub fn firewall_cmd(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        if !call.is_root() {
            let said =
                "Authorization failed.\n    Make sure polkit agent is running or run the application as superuser.\n";
            return Answer::fail(253, said);
        }
        call.session.machine.with(|state| state.firewall.zones.command(&call.arguments))
    })
}

pub fn nft(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        if matches!(words.as_slice(), ["-v" | "--version"]) {
            return Answer::ok("nftables v1.0.9 (Old Doc Yak #3)\n");
        }
        if !call.is_root() {
            return Answer::fail(1, "Operation not permitted (you must be root)\n");
        }
        let handles = words.iter().any(|word| ["-a", "--handle"].contains(word));
        let check = words.iter().any(|word| ["-c", "--check"].contains(word));
        let file = words.iter().position(|word| ["-f", "--file"].contains(word)).map(|at| words.get(at + 1).copied());
        let options = ["-a", "--handle", "-c", "--check", "-n", "-nn", "-s", "--stateless"];
        let command: Vec<&str> = words.iter().copied().filter(|word| !options.contains(word)).collect();
        let (name, script) = match file {
            Some(None) => return Answer::fail(1, "nft: option requires an argument -- 'f'\n"),
            Some(Some(path)) => match call.read(path).await {
                Ok(bytes) => (path.to_string(), String::from_utf8_lossy(&bytes).into_owned()),
                Err(_) => {
                    return Answer::fail(
                        1,
                        format!("internal:0:0-0: Error: Could not open file \"{path}\": No such file or directory\n"),
                    );
                }
            },
            None if command.first() == Some(&"list") => return list(&call, &command[1..], handles),
            None if command.is_empty() => return Answer::fail(1, "Usage: nft [ options ] [ cmds... ]\n"),
            None => ("<cmdline>".to_string(), command.join(" ")),
        };
        let script = with_includes(&call.session.machine.disk, &script).await;
        call.session.machine.with(|state| match state.firewall.nft.apply(&script) {
            Ok(rules) => {
                if !check {
                    state.firewall.nft = rules;
                }
                Answer::ok("")
            }
            Err(problem) => Answer::fail(1, format!("{name}:{}:1-1: Error: {}\n", problem.line, problem.what)),
        })
    })
}

fn list(call: &Call, what: &[&str], handles: bool) -> Answer {
    let absent = || Answer::fail(1, "Error: No such file or directory\n");
    call.session.machine.with(|state| {
        let rules: &Ruleset = &state.firewall.nft;
        match what {
            ["ruleset", ..] => Answer::ok(rules.list(handles)),
            ["tables", ..] => Answer::ok(
                rules.tables.iter().map(|table| format!("table {} {}\n", table.family, table.name)).collect::<String>(),
            ),
            ["table", family, name] => {
                rules.table(family, name).map_or_else(absent, |table| Answer::ok(table.list(handles)))
            }
            ["table", name] => rules.table("ip", name).map_or_else(absent, |table| Answer::ok(table.list(handles))),
            ["chain", family, table, name] => {
                let chain =
                    rules.table(family, table).and_then(|table| table.chains.iter().find(|chain| chain.name == *name));
                chain.map_or_else(absent, |chain| {
                    Answer::ok(format!("table {family} {table} {{\n{}}}\n", chain.list(handles)))
                })
            }
            ["set", family, table, name] => {
                let set = rules.table(family, table).and_then(|table| table.sets.iter().find(|set| set.name == *name));
                set.map_or_else(absent, |set| Answer::ok(format!("table {family} {table} {{\n{}}}\n", set.list())))
            }
            _ => Answer::fail(1, "Error: syntax error, unexpected string\n"),
        }
    })
}

/// `include "path"` lines replaced by what the files hold; the last part of a path may be a pattern.
pub async fn with_includes(disk: &Disk, script: &str) -> String {
    let mut text = String::new();
    for line in script.lines() {
        let path = line.trim().strip_prefix("include").map(|rest| rest.trim().trim_end_matches(';').trim_matches('"'));
        match path.and_then(|path| path.rsplit_once('/')) {
            None => text += &format!("{line}\n"),
            Some((directory, pattern)) => {
                for name in disk.names(directory).await.into_iter().filter(|name| glob(pattern, name)) {
                    text += &disk.text(format!("{directory}/{name}")).await.unwrap_or_default();
                    text += "\n";
                }
            }
        }
    }
    text
}

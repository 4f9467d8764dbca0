//! Who and where: `id`, `whoami`, `groups`, `hostname`, `uname`, `chpasswd`.

use futures_util::future::BoxFuture;

use super::super::account::{Account, groups as all_groups};
use super::super::disk::{Disk, Owner};
use super::super::program::{Answer, Call};

pub fn whoami(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move { Answer::ok(format!("{}\n", call.session.user.name)) })
}

pub fn groups(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let Some(name) = call.arguments.first() else {
            return Answer::ok(format!("{}\n", call.session.user.groups.join(" ")));
        };
        match Account::find(&call.session.machine.disk, name).await {
            Some(user) => Answer::ok(format!("{name} : {}\n", user.groups.join(" "))),
            None => Answer::fail(1, format!("groups: '{name}': no such user\n")),
        }
    })
}

pub fn id(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let disk = &call.session.machine.disk;
        let words = call.words();
        let letters: String = words.iter().filter_map(|word| word.strip_prefix('-')).collect();
        let user = match words.iter().find(|word| !word.starts_with('-')) {
            None => call.session.user.clone(),
            Some(name) => match Account::find(disk, name).await {
                Some(user) => user,
                None => return Answer::fail(1, format!("id: '{name}': no such user\n")),
            },
        };
        let names = letters.contains('n');
        let known = all_groups(disk).await;
        let number = |name: &String| known.iter().find(|group| &group.name == name).map_or(user.gid, |group| group.gid);
        if letters.contains('u') {
            return Answer::ok(if names { format!("{}\n", user.name) } else { format!("{}\n", user.uid) });
        }
        if letters.contains('g') {
            return Answer::ok(if names { format!("{}\n", user.group) } else { format!("{}\n", user.gid) });
        }
        if letters.contains('G') {
            let all: Vec<String> =
                user.groups.iter().map(|name| if names { name.clone() } else { number(name).to_string() }).collect();
            return Answer::ok(format!("{}\n", all.join(" ")));
        }
        let all: Vec<String> = user.groups.iter().map(|name| format!("{}({name})", number(name))).collect();
        Answer::ok(format!(
            "uid={}({}) gid={}({}) groups={}\n",
            user.uid,
            user.name,
            user.gid,
            user.group,
            all.join(",")
        ))
    })
}

pub fn hostname(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let stored = machine.disk.text("/etc/hostname").await.unwrap_or_default();
        let name = if stored.trim().is_empty() { machine.hostname() } else { stored.trim().to_string() };
        match call.words().as_slice() {
            [] | ["-f" | "--fqdn"] => Answer::ok(format!("{name}\n")),
            ["-s" | "--short"] => Answer::ok(format!("{}\n", name.split('.').next().unwrap_or_default())),
            ["-I" | "--all-ip-addresses"] => {
                Answer::ok(format!("{}\n", machine.address().map_or_else(String::new, |address| format!("{address} "))))
            }
            _ => Answer::fail(1, "hostname: you must be root to change the host name\n"),
        }
    })
}

pub fn uname(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let letters: String = call.words().iter().filter_map(|word| word.strip_prefix('-')).collect();
        let letters = if letters.is_empty() { "s" } else { &letters };
        let fields = [
            ('s', "Linux".to_string()),
            ('n', machine.hostname()),
            ('r', machine.image.kernel().to_string()),
            ('v', "#1 SMP PREEMPT_DYNAMIC".to_string()),
            ('m', "x86_64".to_string()),
            ('o', "GNU/Linux".to_string()),
        ];
        if let Some(unknown) = letters.chars().find(|letter| !"asnrvmopi".contains(*letter)) {
            return Answer::fail(1, format!("uname: invalid option -- '{unknown}'\n"));
        }
        let wanted = |letter: &char| letters.contains('a') || letters.contains(*letter);
        let said: Vec<String> = fields.into_iter().filter(|(letter, _)| wanted(letter)).map(|(_, text)| text).collect();
        Answer::ok(format!("{}\n", said.join(" ")))
    })
}

/// How practice's /etc/shadow marks a password; no real host has this kind.
const HASH: &str = "$blake3$";

fn hashed(name: &str, password: &str) -> String {
    format!("{HASH}{}", blake3::hash(format!("{name}\0{password}").as_bytes()).to_hex())
}

/// Is it the user's password, as /etc/shadow has it?
pub async fn is_password(disk: &Disk, name: &str, password: &str) -> bool {
    let shadow = disk.text("/etc/shadow").await.unwrap_or_default();
    let wanted = hashed(name, password);
    shadow.lines().any(|line| {
        let mut fields = line.split(':');
        fields.next() == Some(name) && fields.next() == Some(&wanted)
    })
}

/// chpasswd(8): lines of `user:password` on standard input.
pub fn chpasswd(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        if !call.is_root() {
            return Answer::fail(1, "chpasswd: Permission denied.\n");
        }
        let disk = &call.session.machine.disk;
        let mut shadow = disk.text("/etc/shadow").await.unwrap_or_default();
        for line in String::from_utf8_lossy(&call.stdin).lines() {
            let Some((name, password)) = line.split_once(':') else {
                return Answer::fail(1, "chpasswd: line 1: missing new password\n");
            };
            let changed = |line: &str| match line.split(':').collect::<Vec<_>>().as_slice() {
                [user, _, rest @ ..] if *user == name => {
                    format!("{user}:{}:{}\n", hashed(name, password), rest.join(":"))
                }
                _ => format!("{line}\n"),
            };
            shadow = shadow.lines().map(changed).collect();
        }
        disk.put("/etc/shadow", &shadow, 0o640, Owner::root());
        Answer::ok("")
    })
}

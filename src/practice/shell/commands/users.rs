//! `useradd` and `userdel`: accounts of a host (useradd(8), userdel(8) of the shadow utilities).

use std::path::Path;

use bashkit::FileSystem;
use futures_util::future::BoxFuture;

use super::super::account::Account;
use super::super::disk::{Disk, Owner};
use super::super::program::{Answer, Call};

const LOCKED: &str = "Permission denied.\nCannot lock /etc/passwd; try again later.\n";
/// Accounts of people begin there.
const FIRST: u32 = 1_000;

/// `useradd [-m] [-s SHELL] [-c COMMENT] [-f DAYS] [-K KEY=VALUE] NAME`
pub fn useradd(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let (mut shell, mut home, mut comment, mut names) = ("/bin/sh", false, "", Vec::new());
        let words = call.words();
        let mut rest = words.iter().copied();
        while let Some(word) = rest.next() {
            match word {
                "-m" | "--create-home" => home = true,
                "-s" | "--shell" => shell = rest.next().unwrap_or_default(),
                "-c" | "--comment" => comment = rest.next().unwrap_or_default(),
                "-f" | "--inactive" | "-K" | "--key" => {
                    rest.next();
                }
                flag if flag.starts_with('-') => {
                    return Answer::fail(2, format!("useradd: practice does not know {flag}\n"));
                }
                name => names.push(name),
            }
        }
        let ([name], disk) = (names.as_slice(), &call.session.machine.disk) else {
            return Answer::fail(2, "Usage: useradd [options] LOGIN\n");
        };
        if !call.is_root() {
            return Answer::fail(1, format!("useradd: {LOCKED}"));
        }
        if Account::find(disk, name).await.is_some() {
            return Answer::fail(9, format!("useradd: user '{name}' already exists\n"));
        }
        let id = free(disk).await;
        add(disk, "/etc/passwd", &format!("{name}:x:{id}:{id}:{comment}:/home/{name}:{shell}"), 0o644).await;
        add(disk, "/etc/group", &format!("{name}:x:{id}:"), 0o644).await;
        add(disk, "/etc/shadow", &format!("{name}:!:20000:0:99999:7:::"), 0o640).await;
        if home {
            disk.dir(&format!("/home/{name}"), 0o750, Owner::of(name));
        }
        Answer::ok("")
    })
}

/// `userdel [-f] [-r] NAME`
pub fn userdel(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let (flags, names): (Vec<&str>, Vec<&str>) = call.words().into_iter().partition(|word| word.starts_with('-'));
        if let Some(flag) = flags.iter().find(|flag| !["-f", "--force", "-r", "--remove"].contains(*flag)) {
            return Answer::fail(2, format!("userdel: practice does not know {flag}\n"));
        }
        let ([name], disk) = (names.as_slice(), &call.session.machine.disk) else {
            return Answer::fail(2, "Usage: userdel [options] LOGIN\n");
        };
        if !call.is_root() {
            return Answer::fail(1, format!("userdel: {LOCKED}"));
        }
        let Some(user) = Account::find(disk, name).await else {
            return Answer::fail(6, format!("userdel: user '{name}' does not exist\n"));
        };
        for (file, mode) in [("/etc/passwd", 0o644), ("/etc/group", 0o644), ("/etc/shadow", 0o640)] {
            let text = disk.text(file).await.unwrap_or_default();
            let stays = |line: &&str| line.split(':').next() != Some(*name);
            let left: String = text.lines().filter(stays).map(|line| format!("{line}\n")).collect();
            disk.put(file, &left, mode, Owner::root());
        }
        if flags.iter().any(|flag| ["-r", "--remove"].contains(flag)) {
            // The mail spool, which nobody has here, is looked for as well.
            let gone = disk.raw().remove(Path::new(&user.home), true).await.is_ok();
            let home = if gone { String::new() } else { format!("userdel: {} not found\n", user.home) };
            let said = format!("userdel: {name} mail spool (/var/mail/{name}) not found\n{home}");
            return Answer { err: said, ..Answer::default() };
        }
        Answer::ok("")
    })
}

async fn add(disk: &Disk, file: &str, line: &str, mode: u32) {
    let text = disk.text(file).await.unwrap_or_default();
    disk.put(file, &format!("{text}{line}\n"), mode, Owner::root());
}

/// The number after the highest of a person's account.
async fn free(disk: &Disk) -> u32 {
    let passwd = disk.text("/etc/passwd").await.unwrap_or_default();
    let numbers = passwd.lines().filter_map(|line| line.split(':').nth(2)?.parse::<u32>().ok());
    numbers.filter(|number| (FIRST..60_000).contains(number)).max().map_or(FIRST, |highest| highest + 1)
}

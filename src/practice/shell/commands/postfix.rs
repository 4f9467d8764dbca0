//! What comes with postfix: postconf(1), postfix(1), postqueue(1), postsuper(1) and its sendmail(1).

use futures_util::future::BoxFuture;

use super::super::disk::Owner;
use super::super::postfix::{self, MAIN, Queued, edited, parameters};
use super::super::program::{Answer, Call};

/// `postconf -n [NAME…]`, `-h NAME…`, `-e NAME=VALUE…` and `-X NAME…`
pub fn postconf(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let words = call.words();
        let Some((flag, rest)) = words.split_first() else { return Answer::fail(1, "practice shows no defaults\n") };
        let Some(mut text) = machine.disk.text(MAIN).await else {
            return Answer::fail(1, format!("postconf: fatal: open {MAIN}: No such file or directory\n"));
        };
        let set = parameters(&text);
        match *flag {
            "-n" | "-h" => {
                let all: Vec<&str> = set.keys().map(String::as_str).collect();
                let asked = if rest.is_empty() { all.as_slice() } else { rest };
                let line = |(name, value): (&&str, &String)| match (*flag, value.is_empty()) {
                    ("-h", _) => format!("{value}\n"),
                    (_, true) => format!("{name} =\n"),
                    _ => format!("{name} = {value}\n"),
                };
                Answer::ok(asked.iter().filter_map(|name| Some(line((name, set.get(*name)?)))).collect::<String>())
            }
            "-e" | "-X" if !call.is_root() => {
                Answer::fail(1, format!("postconf: fatal: open {MAIN} for reading: Permission denied\n"))
            }
            "-e" => {
                for word in rest {
                    let Some((name, value)) = word.split_once('=') else {
                        return Answer::fail(
                            1,
                            format!("postconf: fatal: missing '=' after attribute name: \"{word}\"\n"),
                        );
                    };
                    text = edited(&text, name.trim(), Some(value.trim()));
                }
                machine.disk.put(MAIN, &text, 0o644, Owner::root());
                Answer::ok("")
            }
            "-X" => {
                text = rest.iter().fold(text, |text, name| edited(&text, name, None));
                machine.disk.put(MAIN, &text, 0o644, Owner::root());
                Answer::ok("")
            }
            other => Answer::fail(1, format!("postconf: practice does not know {other}\n")),
        }
    })
}

/// `postfix check` and `postfix status`
pub fn postfix(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let runs = machine.with(|state| state.postfix.running.is_some());
        match call.words().as_slice() {
            ["check"] => Answer::ok(""),
            ["status"] if runs => Answer {
                err: "postfix/postfix-script: the Postfix mail system is running: PID: 2041\n".to_owned(),
                ..Answer::default()
            },
            ["status"] => Answer::fail(1, "postfix/postfix-script: the Postfix mail system is not running\n"),
            ["flush"] if runs => {
                postfix::deliver(&call.session).await;
                Answer::ok("")
            }
            _ => Answer::fail(1, "postfix/postfix-script: fatal: usage: postfix start (or stop, reload, ...)\n"),
        }
    })
}

/// `postqueue -p` and `-f`
pub fn postqueue(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let queue = call.session.machine.with(|state| state.postfix.queue.clone());
        match call.words().as_slice() {
            ["-f"] => {
                postfix::deliver(&call.session).await;
                Answer::ok("")
            }
            ["-p"] if queue.is_empty() => Answer::ok("Mail queue is empty\n"),
            ["-p"] => {
                let head = "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n";
                let entry = |one: &Queued| {
                    let to: String = one.to.iter().map(|to| format!("{:41}{to}\n", "")).collect();
                    format!(
                        "{:<12}{:>8} Mon Aug  3 12:00:00  {}\n({})\n{to}\n",
                        one.id,
                        one.text.len(),
                        one.from,
                        one.why
                    )
                };
                let entries: String = queue.iter().map(entry).collect();
                Answer::ok(format!("{head}{entries}-- 1 Kbytes in {} Request.\n", queue.len()))
            }
            _ => Answer::fail(64, "postqueue: fatal: usage: postqueue -f | postqueue -p\n"),
        }
    })
}

/// `postsuper -d ID`
pub fn postsuper(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let ["-d", id] = words.as_slice() else {
            return Answer::fail(1, "postsuper: fatal: usage: postsuper [-d queue_id]\n");
        };
        if !call.is_root() {
            return Answer::fail(1, "postsuper: fatal: use of this command is reserved for the superuser\n");
        }
        let gone = call.session.machine.with(|state| {
            let before = state.postfix.queue.len();
            state.postfix.queue.retain(|one| *id != "ALL" && one.id != *id);
            before - state.postfix.queue.len()
        });
        Answer { err: format!("postsuper: Deleted: {gone} message\n"), ..Answer::default() }
    })
}

/// `sendmail [-i] [-f SENDER] [--] RECIPIENT…`, the message on standard input.
pub fn sendmail(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let (mut from, mut to) = (format!("{}@{}", call.session.user.name, machine.hostname()), Vec::new());
        let mut rest = call.arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-f" => from = rest.next().cloned().unwrap_or_default(),
                "-i" | "-oi" | "--" => {}
                flag if flag.starts_with('-') => {
                    return Answer::fail(64, format!("sendmail: fatal: practice does not know {flag}\n"));
                }
                address => to.push(address.to_owned()),
            }
        }
        let text = String::from_utf8_lossy(&call.stdin).replace("\r\n", "\n").replace('\n', "\r\n");
        let message_id =
            text.lines().take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix("Message-ID: "));
        let digest = blake3::hash(format!("{text}{:?}", machine.clock.now()).as_bytes()).to_hex();
        let id = digest[..10].to_uppercase();
        machine.log("postfix/cleanup", format!("{id}: message-id={}", message_id.unwrap_or("<>")));
        let why = "the mail system is not running".to_owned();
        machine.with(|state| state.postfix.queue.push(Queued { id, from, to, text: text.clone(), why }));
        postfix::deliver(&call.session).await;
        Answer::ok("")
    })
}

//! `sshd -t`, `sshd -T` and `ssh -V`.

use futures_util::future::BoxFuture;

use super::super::image;
use super::super::program::{Answer, Call};
use super::super::sshd_config::{Refusal, SshdConfig, Subject};
use super::super::sshd_keywords::KEYWORDS;

const BAD_CONFIGURATION: i32 = 255;

/// Printed once for each value, where `sshd -T` prints them.
const LISTS: &[&str] = &["hostkey", "allowusers", "denyusers", "allowgroups", "denygroups", "acceptenv"];

pub fn sshd(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let mut test = false;
        let mut print = false;
        let mut subject = None;
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "-t" => test = true,
                "-T" | "-G" => print = true,
                "-C" => subject = rest.next().map(|spec| parse_subject(spec)),
                "-f" | "-o" | "-E" => drop(rest.next()),
                "-q" | "-D" | "-e" => {}
                spec if spec.starts_with("-C") => subject = Some(parse_subject(&spec[2..])),
                other => return Answer::fail(1, format!("unknown option -- {}\n", other.trim_start_matches('-'))),
            }
        }
        if !test && !print {
            return Answer::fail(1, "sshd re-exec requires execution with an absolute path\n");
        }
        let machine = &call.session.machine;
        if !call.is_root() {
            return Answer::fail(1, "sshd: no hostkeys available -- exiting.\n");
        }
        let config = match SshdConfig::read(&machine.disk).await {
            Ok(config) => config,
            Err(Refusal(said)) => return Answer::fail(BAD_CONFIGURATION, said),
        };
        if image::read_host_keys(&machine.disk).await.is_empty() {
            return Answer::fail(1, "sshd: no hostkeys available -- exiting.\n");
        }
        if print { Answer::ok(effective(&config, subject.as_ref())) } else { Answer::ok("") }
    })
}

/// `-C user=u,host=h,addr=a,lport=p`
fn parse_subject(spec: &str) -> Subject {
    let mut subject = Subject::default();
    for (name, value) in spec.split(',').filter_map(|pair| pair.split_once('=')) {
        match name {
            "user" => subject.user = value.to_string(),
            "host" => subject.host = value.to_string(),
            "addr" => subject.address = value.parse().ok(),
            "lport" => subject.local_port = value.parse().ok(),
            _ => {}
        }
    }
    subject
}

/// The effective configuration, one `keyword value` a line.
pub fn effective(config: &SshdConfig, subject: Option<&Subject>) -> String {
    let mut text: String = config.ports().iter().map(|port| format!("port {port}\n")).collect();
    for keyword in KEYWORDS {
        let name = keyword.name;
        match name {
            "port" => {}
            "listenaddress" => {
                let mut listen = config.listen();
                listen.reverse();
                text += &listen.iter().map(|one| format!("listenaddress {one}\n")).collect::<String>();
            }
            list if LISTS.contains(&list) => {
                text +=
                    &config.every(list, subject).iter().map(|value| format!("{list} {value}\n")).collect::<String>();
            }
            _ => {
                let value = config.value(name, subject);
                if !value.is_empty() {
                    text += &format!("{name} {value}\n");
                }
            }
        }
    }
    text
}

/// `ssh -V` only: onramp never starts ssh on a host.
pub fn ssh(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        if call.words() == ["-V"] {
            return Answer {
                err: format!("{}, OpenSSL 3.0.13 30 Jan 2024\n", call.session.machine.image.openssh()),
                ..Answer::default()
            };
        }
        Answer::fail(BAD_CONFIGURATION, "usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] destination [command [argument ...]]\n")
    })
}

//! What names lead to: `getent`, as programs find it, and `dig`, as name servers tell it.

use std::net::IpAddr;

use futures_util::future::BoxFuture;
use hickory_resolver::proto::rr::RecordType;

use super::super::program::{Answer, Call};
use super::super::resolver;
use crate::practice::outside::Reply;

/// `getent passwd|group|hosts|ahosts|ahostsv4 KEY`: from the host's own files, and of names from its resolver, too.
pub fn getent(call: Call) -> BoxFuture<'static, Answer> {
    const NOT_FOUND: i32 = 2;
    Box::pin(async move {
        let words = call.words();
        let file = match words.first() {
            Some(&"passwd") => "/etc/passwd",
            Some(&"group") => "/etc/group",
            Some(&("hosts" | "ahosts" | "ahostsv4")) => return hosts(&call, &words).await,
            Some(other) => return Answer::fail(1, format!("Unknown database: {other}\n")),
            None => return Answer::fail(1, "getent: wrong number of arguments\n"),
        };
        let text = call.session.machine.disk.text(file).await.unwrap_or_default();
        let lines = text.lines().filter(|line| words.get(1).is_none_or(|key| line.split(':').next() == Some(key)));
        let found: String = lines.map(|line| format!("{line}\n")).collect();
        if found.is_empty() { Answer::code(NOT_FOUND) } else { Answer::ok(found) }
    })
}

async fn hosts(call: &Call, words: &[&str]) -> Answer {
    const NOT_FOUND: i32 = 2;
    let machine = &call.session.machine;
    let text = machine.disk.text("/etc/hosts").await.unwrap_or_default();
    let Some(name) = words.get(1) else { return Answer::ok(text) };
    let listed = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let listed = listed.filter(|line| line.split_whitespace().skip(1).any(|word| word == *name));
    let mut found: Vec<String> = listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    if found.is_empty() {
        found = addresses(call, name).await.iter().map(ToString::to_string).collect();
    }
    let line = |address: &String| match words[0] {
        "hosts" => format!("{address:<15} {name}\n"),
        _ => format!("{address:<15} STREAM {name}\n{address:<15} DGRAM  \n{address:<15} RAW    \n"),
    };
    if found.is_empty() { Answer::code(NOT_FOUND) } else { Answer::ok(found.iter().map(line).collect::<String>()) }
}

/// An address as it stands, or those of a name.
async fn addresses(call: &Call, name: &str) -> Vec<IpAddr> {
    match (name.parse(), &call.session.reach) {
        (Ok(address), _) => vec![address],
        (Err(_), Some(reach)) => {
            let found = resolver::addresses_of(reach, &call.session.machine, name).await;
            found.into_iter().map(IpAddr::V4).collect()
        }
        (Err(_), None) => Vec::new(),
    }
}

/// `dig [@SERVER] [-t TYPE] [-q] NAME [TYPE] [+short]`, as much of its answer as `+comments +answer` shows.
pub fn dig(call: Call) -> BoxFuture<'static, Answer> {
    const SILENT: i32 = 9;
    Box::pin(async move {
        let words = call.words();
        let after = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1)).copied();
        let flags = ["-t", "-p", "-q"].map(after);
        let bare: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !word.starts_with(['-', '+', '@']) && !flags.contains(&Some(word)))
            .collect();
        let typed = bare.iter().find_map(|word| word.to_uppercase().parse::<RecordType>().ok());
        let kind = after("-t").map_or(Ok(typed.unwrap_or(RecordType::A)), |kind| kind.to_uppercase().parse());
        let is_name = |word: &&str| word.contains('.') || word.parse::<RecordType>().is_err();
        let (Ok(kind), Some(name)) = (kind, after("-q").or_else(|| bare.iter().copied().find(is_name))) else {
            return Answer::fail(1, "dig: no name to ask for\n");
        };
        let machine = &call.session.machine;
        let server = match words.iter().find_map(|word| word.strip_prefix('@')) {
            Some(server) => addresses(&call, server).await.first().copied(),
            None => machine.resolv().await.servers.first().copied(),
        };
        let reply = match (server, &call.session.reach) {
            (Some(server), Some(reach)) => {
                resolver::ask(reach, machine, server, name.trim_end_matches('.'), &kind.to_string()).await
            }
            _ => None,
        };
        match reply {
            Some(reply) if words.contains(&"+short") => {
                Answer::ok(reply.records.iter().map(|record| format!("{}\n", record.value)).collect::<String>())
            }
            Some(reply) => Answer::ok(shown(&reply)),
            None => Answer {
                out: ";; connection timed out; no servers could be reached\n".to_owned(),
                code: SILENT,
                ..Answer::default()
            },
        }
    })
}

fn shown(reply: &Reply) -> String {
    let code = match u16::from(reply.code) {
        0 => "NOERROR",
        3 => "NXDOMAIN",
        _ => "SERVFAIL",
    };
    let mut out = format!(
        ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {code}, id: 4711\n;; flags: qr rd ra; QUERY: 1, ANSWER: {}, \
         AUTHORITY: 0, ADDITIONAL: 0\n\n;; ANSWER SECTION:\n",
        reply.records.len()
    );
    for record in &reply.records {
        let name = record.name.trim_end_matches('.');
        out += &format!("{name}.\t{}\tIN\t{}\t{}\n", record.ttl, record.kind, record.value);
    }
    out
}

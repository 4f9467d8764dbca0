//! A question that a host asks by itself, with `dig`: over UDP from there, or of its own resolver.

use std::time::Instant;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::super::super::World;
use super::super::{Miss, NO_TOOL, Origin};
use super::query::{Answer, NoAnswer, Server};
use super::{Way, record};
use crate::runbook::quoted;

/// What brings it.
const TOOL: &str = "dig: install bind9-dnsutils (Debian, Ubuntu) or bind-utils (Red Hat)";

pub(super) async fn ask(
    world: &World,
    from: &Origin,
    server: &Server,
    name: &str,
    kind: RecordType,
    way: Way,
) -> Result<Result<Answer, NoAnswer>, Miss> {
    let word = |text: &str| quoted(text).map_err(|why| Miss::unknown(format!("a value {why}"), "Correct the step."));
    let at = match server {
        Server::At(server, port) => format!("-p {port} @{}", word(server)?),
        Server::Own => String::new(),
    };
    let tcp = if way == Way::Tcp { "+tcp" } else { "" };
    let script = format!(
        "command -v dig >/dev/null || exit {NO_TOOL}\n\
         dig +time=2 +tries=2 +adflag +noall +comments +answer {tcp} {at} -t {kind} -q {} || [ $? = 9 ]",
        word(name)?
    );
    let began = Instant::now();
    let said = from.script(world, false, &script, TOOL).await?;
    let answer = read(&said, kind, if way == Way::Tcp { "TCP" } else { "UDP" });
    Ok(answer.map(|answer| Answer { took: began.elapsed(), ..answer }))
}

/// What dig printed.
fn read(said: &str, kind: RecordType, over: &'static str) -> Result<Answer, NoAnswer> {
    let after = |mark: &str| said.lines().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest);
    let Some(code) = after("status: ").and_then(|rest| rest.split(',').next()) else {
        return Err(no_answer(said));
    };
    let flags = after(";; flags:").and_then(|rest| rest.split(';').next()).unwrap_or_default();
    let has = |flag: &str| flags.split_whitespace().any(|one| one == flag);
    let records = said.lines().filter(|line| !line.starts_with(';')).filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (_name, ttl, _class, of) = (fields.next()?, fields.next()?.parse().ok()?, fields.next()?, fields.next()?);
        // The value as it stands: two blanks in a text are two.
        let value = line.split_once(of).map(|(_, rest)| rest.trim())?;
        (of == kind.to_string()).then(|| (record::plain(kind, value), ttl))
    });
    let code = match code {
        "NOERROR" => ResponseCode::NoError,
        "NXDOMAIN" => ResponseCode::NXDomain,
        "SERVFAIL" => ResponseCode::ServFail,
        "REFUSED" => ResponseCode::Refused,
        "FORMERR" => ResponseCode::FormErr,
        "NOTIMP" => ResponseCode::NotImp,
        _ => return Err(NoAnswer::Other(format!("it says {code}"))),
    };
    let over = if said.contains("retrying in TCP mode") { "TCP" } else { over };
    Ok(Answer {
        code,
        records: records.collect(),
        over,
        authoritative: has("aa"),
        genuine: has("ad"),
        doubt: None,
        took: std::time::Duration::ZERO,
    })
}

/// dig's words for no answer at all, of several versions.
fn no_answer(said: &str) -> NoAnswer {
    let lower = said.to_lowercase();
    if lower.contains("connection refused") {
        NoAnswer::Refused
    } else if lower.contains("no servers could be reached") || lower.contains("timed out") {
        NoAnswer::Silent
    } else {
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("dig said nothing");
        NoAnswer::Other(last.trim_start_matches(';').trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dig_prints_is_an_answer_or_the_reason_why_there_is_none() {
        let said = ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\n\
                    ;; flags: qr aa rd ra ad; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1\n\n;; ANSWER SECTION:\n\
                    www.acme.example.\t300\tIN\tCNAME\tgw.acme.example.\ngw.acme.example.\t60\tIN\tA\t10.40.10.20\n";
        let answer = read(said, RecordType::A, "UDP").unwrap();
        assert_eq!(answer.values(), ["10.40.10.20"]);
        assert!(answer.authoritative && answer.genuine && answer.ttl() == Some(60));
        let text = "a.example. 5 IN TXT \"v=DKIM1;  k=rsa\" \"; p=AB\"\n;; ->>HEADER<<- status: NOERROR, id: 1\n";
        assert_eq!(read(text, RecordType::TXT, "UDP").unwrap().values(), ["v=DKIM1;  k=rsa; p=AB"]);
        let silent = ";; connection timed out; no servers could be reached\n";
        assert_eq!(read(silent, RecordType::A, "UDP"), Err(NoAnswer::Silent));
        let refused = ";; communications error to 127.0.0.1#9: connection refused\n;; no servers could be reached\n";
        assert_eq!(read(refused, RecordType::A, "UDP"), Err(NoAnswer::Refused));
    }
}

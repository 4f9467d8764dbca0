//! `dig`: what name servers answer a host.

use std::time::Duration;

use futures_util::future::BoxFuture;
use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RecordType};

use super::super::super::outside;
use super::super::program::{Answer, Call};

const PORT: u16 = 53;
/// Amazon's own name server, where a host asks by itself.
const RESOLVER: &str = "169.254.169.253";

/// Would a name server answer there? Walls are asked as for TCP: rules for names are for both.
async fn answers(call: &Call, server: &str) -> bool {
    if server == RESOLVER {
        return true;
    }
    let Some(reach) = call.session.reach.clone() else { return false };
    let dialled = reach.dial(&call.session.machine, server, PORT);
    matches!(tokio::time::timeout(Duration::from_secs(2), dialled).await, Ok(Ok(_)))
}

/// `dig [@SERVER] [-t TYPE] [-q] NAME`, as much of its answer as `+comments +answer` shows.
pub fn dig(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let after = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1)).copied();
        let server = words.iter().find_map(|word| word.strip_prefix('@')).unwrap_or(RESOLVER);
        let kind = after("-t").unwrap_or("A").parse::<RecordType>();
        let flags = ["-t", "-p", "-q"].map(after);
        let bare =
            words.iter().copied().find(|word| !word.starts_with(['-', '+', '@']) && !flags.contains(&Some(word)));
        let name = after("-q").or(bare).and_then(|name| Name::from_str_relaxed(name).ok());
        let (Ok(kind), Some(mut name)) = (kind, name) else { return Answer::fail(1, "dig: no name to ask for\n") };
        if !answers(&call, server).await {
            return Answer {
                out: ";; connection timed out; no servers could be reached\n".to_owned(),
                code: 9,
                ..Answer::default()
            };
        }
        name.set_fqdn(true);
        let mut question = Message::query();
        question.add_query(Query::query(name, kind));
        let answer = question.to_vec().ok().and_then(|bytes| outside::names_answer(&bytes));
        let Some(answer) = answer.and_then(|bytes| Message::from_vec(&bytes).ok()) else {
            return Answer {
                out: ";; connection timed out; no servers could be reached\n".to_owned(),
                code: 9,
                ..Answer::default()
            };
        };
        let code = match u16::from(answer.metadata.response_code) {
            0 => "NOERROR",
            3 => "NXDOMAIN",
            _ => "SERVFAIL",
        };
        let mut out = format!(
            ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {code}, id: {}\n;; flags: qr rd ra; QUERY: 1, \
             ANSWER: {}, AUTHORITY: 0, ADDITIONAL: 0\n\n;; ANSWER SECTION:\n",
            answer.metadata.id,
            answer.answers.len()
        );
        for record in &answer.answers {
            out += &format!("{}\t{}\tIN\t{}\t{}\n", record.name, record.ttl, record.record_type(), record.data);
        }
        Answer::ok(out)
    })
}

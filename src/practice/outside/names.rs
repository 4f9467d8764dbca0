//! The name servers of practice. What they say of the account's own names comes from its zones, rules and endpoints; every
//! other name has an address, and a domain a SOA record, a DMARC policy and a mail server.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::{self, Name, RData, RecordType};

use super::super::cloud::{Question, Record, Said};
use super::super::net::{Gate, Source};
use super::address_of;

const TTL: i64 = 300;

/// Who asks whom, and past which walls.
#[derive(Clone)]
pub struct Caller {
    pub from: Source,
    pub server: IpAddr,
    pub gate: Arc<dyn Gate>,
}

pub fn question(from: Source, server: IpAddr, name: &str, kind: &str) -> Question {
    let asker = match from {
        Source::Host(IpAddr::V4(address)) => Some(address),
        _ => None,
    };
    Question { asker, server, name: name.to_owned(), kind: kind.to_owned() }
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: ResponseCode,
    pub records: Vec<Record>,
}

impl Reply {
    fn of(records: Vec<Record>) -> Self {
        Reply { code: ResponseCode::NoError, records }
    }

    fn nothing(code: ResponseCode) -> Self {
        Reply { code, records: Vec::new() }
    }

    pub fn addresses(&self) -> Vec<Ipv4Addr> {
        let addresses = self.records.iter().filter(|record| record.kind == "A");
        addresses.filter_map(|record| record.value.parse().ok()).collect()
    }
}

/// What a name server answers.
pub async fn look_up(gate: &dyn Gate, question: &Question) -> Reply {
    match gate.names(question).await {
        Said::Records(records) => Reply::of(records),
        Said::LeadsTo(records, last) => {
            let more = elsewhere(&last, &question.kind);
            Reply { code: more.code, records: records.into_iter().chain(more.records).collect() }
        }
        Said::NoSuchName => Reply::nothing(ResponseCode::NXDomain),
        Said::Fails => Reply::nothing(ResponseCode::ServFail),
        Said::Outside => elsewhere(&question.name, &question.kind),
    }
}

/// Names that are nobody's here.
fn elsewhere(name: &str, kind: &str) -> Reply {
    let name = name.trim_end_matches('.').to_lowercase();
    if name.is_empty() && kind == "SOA" {
        let value = "a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400".to_owned();
        return Reply::of(vec![Record { name: ".".to_owned(), kind: kind.to_owned(), ttl: TTL, value }]);
    }
    // What ends so is nobody's, anywhere (RFC 6761 section 6.4).
    let address = address_of(&name).filter(|_| name != "invalid" && !name.ends_with(".invalid"));
    let Some(address) = address else { return Reply::nothing(ResponseCode::NXDomain) };
    let value = match kind {
        "A" => address.to_string(),
        "SOA" => format!("ns1.{name}. hostmaster.{name}. 1 7200 900 1209600 300"),
        "MX" if name.matches('.').count() == 1 => format!("10 mail.{name}."),
        "TXT" if name.starts_with("_dmarc.") => "\"v=DMARC1; p=none\"".to_owned(),
        _ => return Reply::of(Vec::new()),
    };
    Reply::of(vec![Record { name, kind: kind.to_owned(), ttl: TTL, value }])
}

/// The answer to a question as it is sent; none where it is no question.
pub async fn answer(caller: &Caller, question: &[u8]) -> Option<Vec<u8>> {
    let asked = Message::from_vec(question).ok()?;
    let query = asked.queries.first()?.clone();
    let kind = query.query_type().to_string();
    let question = self::question(caller.from, caller.server, &query.name().to_ascii(), &kind);
    let reply = look_up(caller.gate.as_ref(), &question).await;
    let mut answer = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    answer.metadata.recursion_desired = asked.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.metadata.response_code = reply.code;
    for record in reply.records.iter().filter_map(on_the_wire) {
        answer.add_answer(record);
    }
    answer.add_query(query);
    answer.to_vec().ok()
}

fn on_the_wire(record: &Record) -> Option<rr::Record> {
    let kind: RecordType = record.kind.parse().ok()?;
    let mut name = Name::from_str_relaxed(&record.name).ok()?;
    name.set_fqdn(true);
    let data = RData::try_from_str(kind, &record.value).ok()?;
    Some(rr::Record::from_rdata(name, u32::try_from(record.ttl).ok()?, data))
}

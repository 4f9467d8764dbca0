//! The name servers of practice: every name outside has an address, and a domain a DMARC policy; nothing else.

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, TXT};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use std::net::IpAddr;

use super::address_of;

const TTL: u32 = 300;

/// The answer to a question; none where it is no question.
pub fn answer(question: &[u8]) -> Option<Vec<u8>> {
    let asked = Message::from_vec(question).ok()?;
    let query = asked.queries.first()?.clone();
    let mut answer = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    answer.metadata.recursion_desired = asked.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
    match (address_of(&name), query.query_type()) {
        (None, _) => answer.metadata.response_code = ResponseCode::NXDomain,
        (Some(IpAddr::V4(address)), RecordType::A) => {
            answer.add_answer(Record::from_rdata(query.name().clone(), TTL, RData::A(A(address))));
        }
        (Some(_), RecordType::TXT) if name.starts_with("_dmarc.") => {
            let text = TXT::new(vec!["v=DMARC1; p=none".to_owned()]);
            answer.add_answer(Record::from_rdata(query.name().clone(), TTL, RData::TXT(text)));
        }
        _ => {}
    }
    answer.add_query(query);
    answer.to_vec().ok()
}

//! An answer validated here, signature by signature down from the root (RFC 4035), whatever the server says of it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, Stream};
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::{Algorithm, Proof, PublicKeyBuf, TrustAnchors};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Query};
use hickory_resolver::proto::rr::{LowerName, Name, RecordType};

use super::super::super::Failure;
use super::query::{Answer, Asker, NoAnswer};

/// A key that is trusted without asking anybody: for a zone that the root does not vouch for.
pub(super) struct Anchor {
    zone: Name,
    key: PublicKeyBuf,
}

impl Anchor {
    /// `acme.example 257 3 13 mdsswUyr3DPW…`, as a DNSKEY record is written, with or without `IN DNSKEY`.
    ///
    /// # Errors
    /// It is no such line.
    pub(super) fn read(text: &str) -> Result<Anchor, Failure> {
        let words = || text.split_whitespace().filter(|word| !["IN", "DNSKEY"].contains(word));
        let mut fields = words();
        let (zone, flags, protocol, algorithm) = (fields.next(), fields.next(), fields.next(), fields.next());
        let key = STANDARD.decode(fields.collect::<String>()).ok().filter(|key| !key.is_empty());
        let zone = zone.and_then(|zone| Name::from_str_relaxed(zone).ok());
        let algorithm = algorithm.and_then(|number| number.parse().ok()).map(Algorithm::from_u8);
        match (zone, flags, protocol, algorithm, key) {
            (Some(mut zone), Some("257" | "256"), Some("3"), Some(algorithm), Some(key)) => {
                zone.set_fqdn(true);
                Ok(Anchor { zone, key: PublicKeyBuf::new(key, algorithm) })
            }
            _ => Err(Failure::new(
                "the argument `anchor` of probe/dns is no key of a zone",
                "Write it as the record is written: acme.example 257 3 13 and the key in base64.",
            )),
        }
    }
}

/// The server as the validator asks it.
#[derive(Clone)]
struct Handle(Arc<Asker>);

impl DnsHandle for Handle {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let asker = self.0.clone();
        let (message, _options) = request.into_parts();
        Box::pin(stream::once(async move {
            let (answer, _over) = asker.exchange(&message).await.map_err(|no| NetError::from(no.to_string()))?;
            Ok(DnsResponse::from_message(answer)?)
        }))
    }
}

/// Asks, and validates what comes back.
pub(super) async fn ask(
    asker: Asker,
    name: Name,
    kind: RecordType,
    anchor: Option<&Anchor>,
) -> Result<Answer, NoAnswer> {
    let anchors = match anchor {
        None => TrustAnchors::default(),
        Some(anchor) => {
            let mut anchors = TrustAnchors::empty();
            anchors.insert_with_name(&anchor.key, LowerName::from(&anchor.zone));
            anchors
        }
    };
    // Whether the server answers at all is asked first: the validator has one word for everything.
    let plain = asker.ask(name.clone(), kind).await?;
    let validator = DnssecDnsHandle::with_trust_anchor(Handle(Arc::new(asker)), Arc::new(anchors));
    let mut options = DnsRequestOptions::default();
    options.edns_set_dnssec_ok = true;
    let began = Instant::now();
    match validator.lookup(Query::query(name, kind), options).first_answer().await {
        Ok(response) => {
            let of_type: Vec<Proof> =
                response.answers.iter().filter(|one| one.record_type() == kind).map(|one| one.proof).collect();
            let genuine = !of_type.is_empty() && of_type.iter().all(|proof| *proof == Proof::Secure);
            let doubt = of_type.iter().find(|proof| **proof != Proof::Secure).map(|proof| said(*proof).to_owned());
            let answer = Answer::of(&response, kind, plain.over, began.elapsed());
            Ok(Answer { genuine, doubt, ..answer })
        }
        Err(NetError::Dns(DnsError::Nsec { proof, .. })) => {
            Ok(Answer { genuine: proof == Proof::Secure, doubt: Some(said(proof).to_owned()), ..plain })
        }
        Err(error) => Ok(Answer { genuine: false, doubt: Some(error.to_string()), ..plain }),
    }
}

fn said(proof: Proof) -> &'static str {
    match proof {
        Proof::Secure => "it is signed, and the signatures hold",
        Proof::Insecure => "the zone is not signed, and its parent says so",
        Proof::Bogus => "a signature does not hold, is missing or has ended",
        Proof::Indeterminate => "no key that is trusted leads to it",
    }
}

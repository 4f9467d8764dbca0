//! `probe/dkim`: a message that arrived is signed by the domain it is from, and the signature holds (RFC 6376); what
//! DMARC (RFC 7489) and, where the sending address is known, SPF (RFC 7208) say of it.
//!
//! Every name is looked up as `probe/dns` does it, and handed to the judge beforehand: it asks nobody by itself.

mod records;

use std::net::IpAddr;

use async_trait::async_trait;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, SpfOutput, SpfResult};
use serde_json::{Value as Json, json};

use super::super::arguments::{Arguments, known};
use super::super::object::found;
use super::super::{Failure, Found, World};
use super::tcp::is_plain;
use super::{Asks, Miss, Origin, dns, wrong};
use crate::text::clean;
use records::Records;

/// A message with large attachments is not needed to prove a signature.
const LARGEST: u64 = 10 * 1024 * 1024;

/// `probe/dkim`
pub(in super::super) struct Dkim {
    message: Source,
    /// Who must have signed it.
    domain: Option<String>,
    /// Who sent it, as SPF judges: the address it came from, and the envelope's sender.
    sent_by: Option<(IpAddr, String)>,
    server: Option<String>,
    port: u16,
}

enum Source {
    File(String),
    Text(String),
}

impl Dkim {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let message = match (arguments.optional("file")?, arguments.given.get("message").and_then(Json::as_str)) {
            (Some(file), None) => Source::File(file),
            (None, Some(text)) if !text.trim().is_empty() => Source::Text(text.to_owned()),
            _ => return Err(Failure::new("probe/dkim takes either `file` or `message`", "Correct the step.")),
        };
        let ip = arguments.optional("ip")?;
        let address = match ip.as_deref().filter(|text| known(text)) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| wrong(arguments, "ip", text, "no address"))?),
        };
        let sent_by = match (address, arguments.optional("mail_from")?) {
            (Some(address), Some(sender)) => Some((address, sender)),
            (Some(_), None) => {
                return Err(Failure::new("probe/dkim takes `ip` with `mail_from` only", "Name the envelope's sender."));
            }
            (None, _) => None,
        };
        let server = arguments.optional("server")?;
        if let Some(bad) = server.as_deref().filter(|server| !is_plain(server)) {
            return Err(wrong(arguments, "server", bad, "no address and no name"));
        }
        let domain = arguments.optional("domain")?.map(|domain| domain.trim_end_matches('.').to_lowercase());
        Ok(Dkim { message, domain, sent_by, server, port: arguments.port("port")?.unwrap_or(dns::PORT) })
    }

    /// The message as it went over the wire: its lines end with CR and LF.
    async fn raw(&self, world: &World) -> Result<Vec<u8>, Miss> {
        let text = match &self.message {
            Source::Text(text) => text.clone().into_bytes(),
            Source::File(path) => world.net.message(path, LARGEST).await.map_err(|error| {
                Miss::unknown(format!("{path} cannot be read: {error}"), "Save the message as it arrived there.")
            })?,
        };
        let mut raw = Vec::with_capacity(text.len() + text.len() / 40);
        for (at, byte) in text.iter().enumerate() {
            if *byte == b'\n' && (at == 0 || text.get(at - 1) != Some(&b'\r')) {
                raw.push(b'\r');
            }
            raw.push(*byte);
        }
        Ok(raw)
    }
}

/// The domain of an address.
fn domain_of(address: &str) -> Option<String> {
    address.rsplit_once('@').map(|(_, domain)| domain.trim_end_matches('>').to_lowercase())
}

/// The same organisation, as relaxed alignment has it without a list of public suffixes: one is above the other.
fn aligned(signer: &str, from: &str) -> bool {
    signer == from || from.ends_with(&format!(".{signer}")) || signer.ends_with(&format!(".{from}"))
}

fn said(result: &DkimResult) -> String {
    match result {
        DkimResult::Pass => "pass".to_owned(),
        DkimResult::None => "none".to_owned(),
        DkimResult::Neutral(error) => format!("neutral ({error})"),
        DkimResult::Fail(error) => format!("fail ({error})"),
        DkimResult::PermError(error) => format!("permerror ({error})"),
        DkimResult::TempError(error) => format!("temperror ({error})"),
    }
}

/// One signature and what came of it.
struct Judged {
    domain: String,
    selector: String,
    pass: bool,
    said: String,
}

impl Judged {
    fn of(output: &DkimOutput<'_>) -> Judged {
        let signature = output.signature();
        let part =
            |text: Option<&String>| clean(text.map(String::as_str).unwrap_or_default().as_bytes()).to_lowercase();
        Judged {
            domain: part(signature.map(|signature| &signature.d)),
            selector: part(signature.map(|signature| &signature.s)),
            pass: output.result() == &DkimResult::Pass,
            said: said(output.result()),
        }
    }

    fn line(&self) -> String {
        format!("dkim={} header.d={} header.s={}", self.said, self.domain, self.selector)
    }
}

#[async_trait]
impl Asks for Dkim {
    fn whom(&self) -> String {
        match &self.message {
            Source::File(path) => path.clone(),
            Source::Text(_) => "the message".to_owned(),
        }
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        if from.host().is_some() {
            return Err(Miss::unknown("a message is judged here, not on a host", "Leave `from` away."));
        }
        let raw = self.raw(world).await?;
        let no_message = || Miss::NotSo(format!("{}: this is no mail message with its headers", self.whom()));
        let message = AuthenticatedMessage::parse(&raw).ok_or_else(no_message)?;
        let sender = message.from.first().and_then(|from| domain_of(from)).ok_or_else(no_message)?;
        if message.dkim_headers.is_empty() && message.errors.is_empty() {
            return Err(Miss::NotSo(format!("{}: it is not signed (no DKIM-Signature)", self.whom())));
        }
        let mut records = Records::new(world, self.server.as_deref(), self.port)?;
        for signature in &message.dkim_headers {
            records.key(&signature.header.s, &signature.header.d).await?;
        }
        records.policies(&sender).await?;
        let envelope = self.sent_by.as_ref().and_then(|(_, sender)| domain_of(sender)).unwrap_or_default();
        if self.sent_by.is_some() {
            records.senders(&envelope).await?;
        }
        let judge = records::judge()?;
        let outputs = judge.verify_dkim(records.with(&message)).await;
        let judged: Vec<Judged> = outputs.iter().map(Judged::of).collect();
        for one in &judged {
            world.say(&one.line()).await;
        }
        let spf = match &self.sent_by {
            None => SpfOutput::new(String::new()),
            Some((address, sender)) => {
                let asked = SpfParameters::verify_mail_from(*address, &envelope, "onramp", sender);
                judge.verify_spf(records.with(asked)).await
            }
        };
        let parameters = DmarcParameters::new(&message, &outputs, &envelope, &spf);
        let dmarc = judge.verify_dmarc(records.with(parameters)).await;
        let policy = dmarc.dmarc_record().is_some().then(|| format!("{:?}", dmarc.policy()).to_lowercase());
        let passes = [dmarc.dkim_result(), dmarc.spf_result()].into_iter().any(|result| *result == DmarcResult::Pass);
        let dmarc =
            policy.map_or("none".to_owned(), |policy| format!("{} (p={policy})", if passes { "pass" } else { "fail" }));
        let spf = self.sent_by.is_some().then(|| spf.result());
        world.say(&format!("dmarc={dmarc}, spf={}", spf.map_or("not asked".to_owned(), |spf| spf.to_string()))).await;
        self.verdict(&judged, &sender, spf, &dmarc)
    }
}

impl Dkim {
    fn verdict(&self, judged: &[Judged], sender: &str, spf: Option<SpfResult>, dmarc: &str) -> Result<Found, Miss> {
        let bad = |why: String| Err(Miss::NotSo(format!("{} from {sender}: {why}", self.whom())));
        let passed: Vec<&Judged> = judged.iter().filter(|one| one.pass).collect();
        if passed.is_empty() {
            let all: Vec<String> = judged.iter().map(Judged::line).collect();
            return bad(format!("no signature holds: {}", all.join("; ")));
        }
        let signers: Vec<&str> = passed.iter().map(|one| one.domain.as_str()).collect();
        if let Some(wanted) = &self.domain
            && !signers.contains(&wanted.as_str())
        {
            return bad(format!("it is signed by {}, not by {wanted}", crate::text::list(&signers)));
        }
        let Some(one) = passed.iter().find(|one| aligned(&one.domain, sender)) else {
            let signers = crate::text::list(&signers);
            return bad(format!("it is signed by {signers}, which is not the domain it is from (not aligned)"));
        };
        if let Some(result) = spf
            && result != SpfResult::Pass
        {
            return bad(format!("dkim=pass, but spf={}", result.to_string().to_lowercase()));
        }
        if dmarc.starts_with("fail") {
            return bad(format!("dkim=pass header.d={}, but dmarc={dmarc}", one.domain));
        }
        let spf_said = spf.map(|_| ", spf=pass").unwrap_or_default();
        let said = format!("{} from {sender}: {}, aligned{spf_said}, dmarc={dmarc}", self.whom(), one.line());
        let output = json!({
            "domain": one.domain, "selector": one.selector, "from": sender, "dmarc": dmarc,
            "spf": spf.map(|spf| spf.to_string().to_lowercase()),
        });
        Ok(found(said, output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_aligned_with_those_above_and_below_it_only() {
        assert!(aligned("acme.example", "acme.example") && aligned("acme.example", "mail.acme.example"));
        assert!(aligned("mail.acme.example", "acme.example"));
        assert!(!aligned("amazonses.com", "acme.example") && !aligned("me.example", "acme.example"));
    }
}

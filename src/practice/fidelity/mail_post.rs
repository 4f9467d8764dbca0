//! What becomes of mail: SES signs it and hands it on, and practice's mailboxes keep it as it arrived.
//!
//! Rules: RFC 5322 for the message, RFC 6376 for its signature, and the SES Developer Guide, "Using the Amazon SES SMTP
//! interface". SES's own keys are RSA; practice's are Ed25519 (RFC 8463), which are made in no time.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;

use super::Layer;
use super::mail;
use super::refusal::Refusal;
use super::request::Request;
use super::services::Visit;
use super::world::World;

/// A message on its way, with its envelope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    pub from: String,
    pub to: Vec<String>,
    /// With its headers; lines end with CR and LF.
    pub text: String,
}

/// What is signed.
const HEADERS: [&str; 4] = ["From", "To", "Subject", "Message-ID"];
/// PrivateKeyInfo of an Ed25519 key (RFC 8410), up to its 32 bytes.
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// Letters and digits of a token.
const TOKEN: usize = 32;

/// The key of a token; none where it is none of SES's. It follows from the token: practice has no secret to keep.
pub(super) fn key_of(token: &str) -> Option<Ed25519Key> {
    if token.len() != TOKEN || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let seed = blake3::derive_key("onramp practice 2026 the keys of its SES", token.as_bytes());
    Ed25519Key::from_pkcs8_der(&[&PKCS8[..], &seed].concat()).ok()
}

/// A message that SES took in its own form.
pub(super) fn simple(world: &World, from: &str, to: &[String], subject: &str, body: &str, id: &str) -> String {
    let when = Timestamp::from_millisecond(world.now).unwrap_or_default().to_zoned(TimeZone::UTC);
    let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "From: {from}\r\nTo: {}\r\nSubject: {subject}\r\nDate: {}\r\nMessage-ID: <{id}@{}.amazonses.com>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n{body}\r\n",
        to.join(", "),
        when.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        world.region,
    )
}

/// With the signature of the sender's domain before it, where it has one.
pub(super) fn signed(visit: &mut Visit<'_>, from: &str, text: &str) -> String {
    let signature = mail::signs_for(visit, from).and_then(|(domain, token)| {
        let signer = DkimSigner::from_key(key_of(&token)?).domain(domain).selector(token).headers(HEADERS);
        signer.sign(text.as_bytes()).ok()
    });
    signature.map(|signature| signature.to_header()).unwrap_or_default() + text
}

/// The mailbox of an address; practice has one for whoever is written to.
fn mailbox(address: &str) -> String {
    let bare = address.rsplit('<').next().unwrap_or_default().trim_end_matches('>');
    bare.trim().to_ascii_lowercase()
}

pub(super) fn delivered(world: &mut World, to: &[String], text: &str) {
    for address in to {
        world.mailboxes.insert(mailbox(address), text.to_owned());
    }
}

/// SES's own SMTP server, of whatever region.
fn region_of(server: &str) -> Option<&str> {
    server.strip_prefix("email-smtp.")?.strip_suffix(".amazonaws.com")
}

impl Layer {
    /// A mail server takes a message, or says with which words it does not.
    pub(crate) async fn post(&mut self, home: &str, now: i64, server: &str, letter: &Letter) -> Result<String, String> {
        let region = region_of(server).unwrap_or(home).to_owned();
        let opened = self.open(&region, now).await;
        opened.map_err(|refusal| format!("451 4.4.1 {}", refusal.message))?;
        self.at(&region, now);
        if region_of(server).is_none() {
            let world = self.world(&region);
            delivered(world, &letter.to, &letter.text);
            return Ok(format!("250 2.0.0 Ok: queued as {}", &blake3::hash(letter.text.as_bytes()).to_hex()[..12]));
        }
        let ask = Request::own(&region, "SendRawEmail", &[]);
        let mut visit = Visit::new(&ask, &region, &mut self.worlds);
        let taken = mail::take(&mut visit, &letter.from, &letter.to);
        let id = taken.map_err(|refusal: Refusal| format!("554 {}", refusal.message))?;
        let text = signed(&mut visit, &letter.from, &letter.text);
        delivered(visit.world(), &letter.to, &text);
        Ok(format!("250 Ok {id}"))
    }

    /// The last message that came to an address.
    pub(crate) fn mailbox(&mut self, address: &str) -> Option<String> {
        self.worlds.values().find_map(|world| world.mailboxes.get(&mailbox(address)).cloned())
    }
}

//! Kinds of input and their rules: text in, a typed value or a refusal out.
//!
//! Uses: text. Outside crates: base64, ipnet, jiff, serde, serde_json, x509-parser. Pure: no clock, and no I/O but for the
//! machine's tables of time zones, which jiff reads.
//!
//! Invariants: for every value that `parse` gives, `parse` reads `value.shown()` back as the same value, and `from_plain`
//! does so with `value.plain()`. The value of a secret is where it lives; its text is checked here and kept nowhere.
//! Deliberately absent: anything that only a network or AWS can tell (does the name
//! resolve, is the zone open). Those are checks of the steps.

mod agree;
mod calendar;
mod choice;
mod cloud;
mod contact;
mod document;
mod domain;
mod given;
mod hosts;
mod id;
mod key;
mod kind;
mod kinds;
mod name;
mod neighbour;
mod network;
mod number;
mod openpgp;
mod range;
mod records;
mod refusal;
mod routing;
mod secret;
mod shape;
mod subnets;
mod table;
mod value;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value as Json;

pub use agree::{Disagreement, agree};
pub use choice::Choice;
pub use cloud::processors;
pub use hosts::{Host, Role, hosts, path};
pub use id::InputId;
pub use kind::{Bounds, Kind};
pub use kinds::{KindParams, KindRow};
pub use name::slug_from;
pub use neighbour::{Neighbour, clash};
pub use range::share_addresses;
pub use refusal::Refusal;
pub use routing::is_private_asn;
pub use secret::{NoReference, SecretRef, SecretRule, SecretStore, SecretUse};
pub use subnets::{TIERS, suggest_subnets};
pub use table::Column;
pub use value::Value;

use given::Given;
use network::HostUse;
use routing::AddressUse;

/// Longer texts are not answers. The bound keeps every check under a millisecond or so.
const LONGEST_ANSWER: usize = 64 * 1024;
/// An example is a hint, and no text to read.
const LONGEST_EXAMPLE: usize = 120;

/// What the rules depend on besides the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Setting {
    /// In practice the documentation ranges of RFC 5737 and RFC 3849 are as good as any address.
    pub practice: bool,
    /// When a new answer is judged: what must lie ahead, or must not have ended, is seen by it. None for what was answered
    /// before: that stands, however much time went by.
    pub now: Option<Timestamp>,
}

impl Setting {
    /// The same without the day.
    pub fn whenever(self) -> Setting {
        Setting { now: None, ..self }
    }
}

/// The value that `text` means, or why it cannot be one of this kind.
///
/// Lists take entries between newlines, commas, semicolons or blanks; tables take one row per line (or between
/// semicolons); lines that begin with `#` are comments there.
pub fn parse(kind: &Kind, text: &str, setting: &Setting) -> Result<Value, Refusal> {
    judged(kind, text, setting).map_err(|refusal| refusal.or_suggest(kind))
}

/// As [`parse`], with an example only where the rule has one that is near to what was given.
fn judged(kind: &Kind, text: &str, setting: &Setting) -> Result<Value, Refusal> {
    if text.len() > LONGEST_ANSWER {
        let what = format!("the answer has {} bytes", text.len());
        return Err(Refusal::new(what, "at most 65,536 are read", "onramp"));
    }
    check(kind, &Given::Text(text), setting)
}

/// As [`parse`], for an answer that comes with a structure: a scalar, a list, or a list of tables from JSON or YAML.
/// Text in it means what it means to [`parse`].
pub fn from_plain(kind: &Kind, plain: &Json, setting: &Setting) -> Result<Value, Refusal> {
    judged_plain(kind, plain, setting).map_err(|refusal| refusal.or_suggest(kind))
}

fn judged_plain(kind: &Kind, plain: &Json, setting: &Setting) -> Result<Value, Refusal> {
    match plain {
        Json::String(text) => judged(kind, text, setting),
        _ => check(kind, &Given::Plain(plain), setting),
    }
}

/// As [`parse`], for an input with an example of its own. A refusal shows nothing that would be refused as well, but for
/// addresses that are kept for examples.
///
/// # Errors
/// Why the text cannot be an answer.
pub fn parse_for(kind: &Kind, example: &str, text: &str, setting: &Setting) -> Result<Value, Refusal> {
    judged(kind, text, setting).map_err(|refusal| fitted(refusal, kind, example, text, setting))
}

/// As [`parse_for`], for an input that may have an answer already: the same once more is taken, whatever day it is by now.
///
/// # Errors
/// Why the text cannot be an answer.
pub fn parse_beside(
    kind: &Kind,
    example: &str,
    text: &str,
    setting: &Setting,
    before: Option<&Value>,
) -> Result<Value, Refusal> {
    match before {
        Some(before) if parse(kind, text, &setting.whenever()).as_ref() == Ok(before) => Ok(before.clone()),
        _ => parse_for(kind, example, text, setting),
    }
}

/// As [`from_plain`], for an input with an example of its own.
///
/// # Errors
/// Why it cannot be an answer.
pub fn from_plain_for(kind: &Kind, example: &str, plain: &Json, setting: &Setting) -> Result<Value, Refusal> {
    let text = plain.as_str().map_or_else(|| plain.to_string(), str::to_owned);
    judged_plain(kind, plain, setting).map_err(|refusal| fitted(refusal, kind, example, &text, setting))
}

/// With an example that would be taken: the refusal's, which is near to what was given, or the input's own, or the kind's.
fn fitted(refusal: Refusal, kind: &Kind, example: &str, given: &str, setting: &Setting) -> Refusal {
    if kind.is_rows() {
        let practice = Setting { practice: true, ..*setting };
        let own = example.lines().next().filter(|_| parse(kind, example, &practice).is_ok());
        let own = own.filter(|row| !given.lines().any(|line| line.trim() == *row));
        return match own.filter(|_| refusal.example.is_empty()) {
            Some(row) => refusal.suggest(row),
            None => refusal.or_suggest(kind),
        };
    }
    let known = [refusal.example.clone(), example.trim().to_owned(), kind.own_example()];
    let is_new = |text: &&String| !text.is_empty() && text.trim() != given.trim();
    let taken = |setting: &Setting| known.iter().filter(is_new).find(|text| parse(kind, text, setting).is_ok());
    // The Internet routes no address that is for examples (RFC 5737); it shows the form, unless it is what was refused.
    let practice = Setting { practice: true, ..*setting };
    let shown = || if parse(kind, given, &practice).is_err() { taken(&practice) } else { None };
    // Words say more than an address that would be refused as well.
    let form = || Some(kind.form()).filter(|form| !form.is_empty());
    let found = taken(setting).map(String::as_str).or_else(form).or_else(|| shown().map(String::as_str));
    let found = kind.in_words(found.unwrap_or_default());
    let found = found.lines().collect::<Vec<_>>().join(if kind.is_list() { ", " } else { " " });
    Refusal { example: crate::text::clip(&found, LONGEST_EXAMPLE), ..refusal }
}

fn check(kind: &Kind, given: &Given<'_>, setting: &Setting) -> Result<Value, Refusal> {
    given.holds_no_private_key()?;
    if !kind.has_words_of_its_own() {
        given.says_something()?;
    }
    match kind {
        Kind::Table(columns, count) => table::rows(given, columns, *count, setting),
        Kind::Records(count) => records::records(given, *count, setting),
        Kind::Subnets(count) => subnets::plan(given, *count, setting),
        Kind::Hosts(count) => hosts::existing(given, *count, setting),
        Kind::Launch(count) => hosts::launch(given, *count),
        Kind::Tags => given.pairs().and_then(|pairs| cloud::tags(&pairs)),
        Kind::Zones(count) => given.items().and_then(|items| cloud::zones(&items, *count)),
        Kind::CidrList(count, prefix, used_as) => {
            given.items().and_then(|items| network::cidr_list(&items, (*count, *prefix), *used_as, setting))
        }
        Kind::ProviderCidrs(count) => given.items().and_then(|items| network::provider_cidrs(&items, *count, setting)),
        Kind::Choices(choices, count) => given.items().and_then(|items| choice::choices(&items, choices, *count)),
        // A number is written with blanks in it.
        Kind::List(of, count) if **of == Kind::Phone => {
            given.phrases().and_then(|items| table::entries(&items, of, *count, setting))
        }
        Kind::List(of, count) => given.items().and_then(|items| table::entries(&items, of, *count, setting)),
        single => given.word().and_then(|word| one(single, &word, setting)),
    }
}

/// A kind whose answers are one word, one line or one text.
fn one(kind: &Kind, word: &str, setting: &Setting) -> Result<Value, Refusal> {
    match kind {
        Kind::Text(length, used_as) => {
            if *used_as == name::TextUse::Addresses {
                network::no_example_address(word, setting)?;
            }
            name::text(word, *length, *used_as)
        }
        Kind::Slug => name::slug(word),
        Kind::Ticket => name::ticket(word),
        Kind::Email(length) => name::email_of(word, *length),
        Kind::Phone => contact::phone(word),
        Kind::Name(shape) => shape.check(word),
        Kind::Login => name::login(word).map(Value::Text),
        Kind::UnixName => name::unix_name(word),
        Kind::AccountId => cloud::account_id(word),
        Kind::Region => cloud::region(word),
        Kind::InstanceType(used_as) => cloud::instance_type_for(word, *used_as),
        Kind::VpcCidr => network::vpc_cidr(word, setting),
        Kind::Cidr(prefix) => network::cidr(word, *prefix, setting).map(Value::Cidr),
        Kind::Address(AddressUse::Any) => network::address(word, setting).map(Value::Address),
        Kind::Address(AddressUse::Ipv4) => {
            let address = network::address(word, setting)?;
            network::not_ipv6(&address.to_string()).map(|()| Value::Address(address))
        }
        Kind::Address(AddressUse::Public) => routing::public_address(word, setting),
        Kind::Interface => routing::interface(word, setting),
        Kind::TunnelRange => routing::tunnel_range(word),
        Kind::Asn(whose) => routing::asn(word, *whose, setting),
        Kind::Host(HostUse::Any) => network::host(word, setting).map(Value::Text),
        Kind::Host(HostUse::Ipv4) => {
            let host = network::host(word, setting)?;
            network::not_ipv6(&host).map(|()| Value::Text(host))
        }
        Kind::Endpoint(used_as) => domain::endpoint(word, *used_as, setting),
        Kind::Domain(used_as) => domain::domain(word, *used_as),
        Kind::Url(used_as) => domain::url(word, *used_as, setting),
        Kind::Path(used_as) => domain::path(word, *used_as),
        Kind::Dmarc => domain::dmarc(word),
        Kind::Port => number::port(word).map(Value::Number),
        Kind::SshPort => number::ssh_port(word),
        Kind::Number(bounds) => number::number(word, *bounds).map(Value::Number),
        Kind::PublicKey => key::public_key(word),
        Kind::KeyRef => key::key_ref(word).map(Value::Text),
        Kind::Fingerprint => key::fingerprint(word).map(Value::Text),
        Kind::Choice(choices) => choice::choice(word, choices),
        Kind::YesNo => choice::yes_no(word),
        Kind::Window(least) => calendar::window(word, *least),
        Kind::Timezone => calendar::timezone(word).map(Value::Text),
        Kind::Moment(when) => calendar::moment(word, *when, setting.now),
        Kind::Date(when) => calendar::date(word, *when, setting.now),
        Kind::Schedule => calendar::schedule(word),
        Kind::Prose(length, used_as) => document::prose(word, *length, *used_as),
        Kind::Certificates(used_as) => document::pem(word, *used_as, setting.now),
        Kind::PgpKey => openpgp::public_key(word, setting.now),
        Kind::Secret(_) => secret::reference(word).map(Value::Secret),
        // Those of several entries or rows were taken apart before.
        other => Err(Refusal::new("one value was given", other.describe(), "onramp")),
    }
}

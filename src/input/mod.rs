//! Kinds of input and their rules: text in, a typed value or a refusal out.
//!
//! Uses: text. Outside crates: base64, ipnet, serde, serde_json. Pure: no clock, no I/O.
//!
//! Invariants: for every value that `parse` gives, `parse` reads `value.shown()` back as the same value, and `from_plain`
//! does so with `value.plain()`. The value of a secret is where it lives; its text is checked here and kept nowhere.
//! Deliberately absent: anything that only a network or AWS can tell (does the name
//! resolve, is the zone open). Those are checks of the steps.

mod agree;
mod choice;
mod cloud;
mod given;
mod hosts;
mod id;
mod key;
mod kind;
mod name;
mod network;
mod number;
mod range;
mod refusal;
mod secret;
mod subnets;
mod value;

#[cfg(test)]
mod tests;

use serde_json::Value as Json;

pub use agree::{Disagreement, agree};
pub use choice::Choice;
pub use hosts::{Host, Role, hosts, path};
pub use id::InputId;
pub use kind::{Bounds, Kind, KindParams, KindRow};
pub use name::slug_from;
pub use refusal::Refusal;
pub use secret::{NoReference, SecretRef, SecretRule, SecretStore, SecretUse};
pub use subnets::{TIERS, suggest_subnets};
pub use value::Value;

use given::Given;

/// Longer texts are not answers. The bound keeps every check under a millisecond or so.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What the rules depend on besides the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Setting {
    /// In practice the documentation ranges of RFC 5737 and RFC 3849 are as good as any address.
    pub practice: bool,
}

/// The value that `text` means, or why it cannot be one of this kind.
///
/// Lists take entries between newlines, commas, semicolons or blanks; tables take one row per line (or between
/// semicolons); lines that begin with `#` are comments there.
pub fn parse(kind: &Kind, text: &str, setting: &Setting) -> Result<Value, Refusal> {
    if text.len() > LONGEST_ANSWER {
        let what = format!("the answer has {} bytes", text.len());
        return Err(Refusal::new(what, "at most 65,536 are read", "onramp").suggest(kind.own_example()));
    }
    check(kind, &Given::Text(text), setting)
}

/// As [`parse`], for an answer that comes with a structure: a scalar, a list, or a list of tables from JSON or YAML.
/// Text in it means what it means to [`parse`].
pub fn from_plain(kind: &Kind, plain: &Json, setting: &Setting) -> Result<Value, Refusal> {
    match plain {
        Json::String(text) => parse(kind, text, setting),
        _ => check(kind, &Given::Plain(plain), setting),
    }
}

fn check(kind: &Kind, given: &Given<'_>, setting: &Setting) -> Result<Value, Refusal> {
    given.holds_no_private_key().map_err(|refusal| refusal.suggest(kind.own_example()))?;
    let checked = match kind {
        Kind::Text(length) => given.word().and_then(|word| name::text(&word, *length)),
        Kind::Slug => given.word().and_then(|word| name::slug(&word)),
        Kind::Ticket => given.word().and_then(|word| name::ticket(&word)),
        Kind::Email => given.word().and_then(|word| name::email(&word)),
        Kind::Login => given.word().and_then(|word| name::login(&word)).map(Value::Text),
        Kind::UnixName => given.word().and_then(|word| name::unix_name(&word)),
        Kind::AccountId => given.word().and_then(|word| cloud::account_id(&word)),
        Kind::Region => given.word().and_then(|word| cloud::region(&word)),
        Kind::Zones(count) => given.items().and_then(|items| cloud::zones(&items, *count)),
        Kind::InstanceType => given.word().and_then(|word| cloud::instance_type(&word)),
        Kind::Tags => given.pairs().and_then(|pairs| cloud::tags(&pairs)),
        Kind::VpcCidr => given.word().and_then(|word| network::vpc_cidr(&word, setting)),
        Kind::Cidr(prefix) => given.word().and_then(|word| network::cidr(&word, *prefix, setting)).map(Value::Cidr),
        Kind::CidrList(count, prefix) => {
            given.items().and_then(|items| network::cidr_list(&items, *count, *prefix, setting))
        }
        Kind::ProviderCidrs(count) => given.items().and_then(|items| network::provider_cidrs(&items, *count, setting)),
        Kind::Address => given.word().and_then(|word| network::address(&word, setting)).map(Value::Address),
        Kind::Host => given.word().and_then(|word| network::host(&word, setting)).map(Value::Text),
        Kind::Subnets(count) => given.rows(&subnets::FORM).and_then(|rows| subnets::plan(&rows, *count, setting)),
        Kind::Port => given.word().and_then(|word| number::port(&word)).map(Value::Number),
        Kind::SshPort => given.word().and_then(|word| number::ssh_port(&word)),
        Kind::Number(bounds) => given.word().and_then(|word| number::number(&word, *bounds)).map(Value::Number),
        Kind::PublicKey => given.word().and_then(|word| key::public_key(&word)),
        Kind::KeyRef => given.word().and_then(|word| key::key_ref(&word)).map(Value::Text),
        Kind::Fingerprint => given.word().and_then(|word| key::fingerprint(&word)).map(Value::Text),
        Kind::Choice(choices) => given.word().and_then(|word| choice::choice(&word, choices)),
        Kind::Choices(choices, count) => given.items().and_then(|items| choice::choices(&items, choices, *count)),
        Kind::YesNo => given.word().and_then(|word| choice::yes_no(&word)),
        Kind::Hosts(count) => given.rows(&hosts::FORM).and_then(|rows| hosts::existing(&rows, *count, setting)),
        Kind::Secret(_) => given.word().and_then(|word| secret::reference(&word)).map(Value::Secret),
        Kind::Launch(count) => given.rows(&hosts::LAUNCH_FORM).and_then(|rows| hosts::launch(&rows, *count)),
    };
    checked.map_err(|refusal| if refusal.example.is_empty() { refusal.suggest(kind.own_example()) } else { refusal })
}

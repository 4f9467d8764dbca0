//! Names of people, customers, tickets, mailboxes, users and hosts.

use super::Value;
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};
use crate::text::{clean, count};

const LABELS: &str = "RFC 1123 section 2.1";

/// What a line of text may be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextUse {
    /// Any printable characters.
    Line,
    /// Printable ASCII, for systems that take nothing else (Organizations, CreateAccount, `AccountName`).
    Ascii,
    /// Any printable characters, with addresses among them: none that is for documents (RFC 5737), outside of practice.
    Addresses,
}

pub(super) const TEXT_USES: [(&str, TextUse); 3] =
    [("line", TextUse::Line), ("ascii", TextUse::Ascii), ("addresses", TextUse::Addresses)];

/// One line of printable text, counted in characters.
pub(super) fn text(text: &str, length: Bounds, used_as: TextUse) -> Result<Value, Refusal> {
    printable(text)?;
    if let Some(other) = text.chars().find(|c| used_as == TextUse::Ascii && !c.is_ascii()) {
        let what = format!("{} has {} in it", quoted(text), quoted(&other.to_string()));
        let source = "docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html";
        return Err(Refusal::new(what, "AWS takes printable ASCII characters here, and no others", source));
    }
    let characters = text.chars().count();
    if !i64::try_from(characters).is_ok_and(|characters| length.hold(characters)) {
        let what = format!("{} has {}", quoted(text), count(characters, "character"));
        return Err(Refusal::new(what, format!("the number of characters is {length}"), "onramp")
            .suggest(shortened(text, length)));
    }
    Ok(Value::Text(text.to_owned()))
}

/// What is a little too long, cut; of a long text and of what is too short nobody knows how it goes on.
fn shortened(text: &str, length: Bounds) -> String {
    let most = usize::try_from(length.max).unwrap_or_default();
    if text.chars().count() > most && most <= 60 { text.chars().take(most).collect() } else { String::new() }
}

fn printable(text: &str) -> Result<(), Refusal> {
    if text.contains(['\n', '\r', '\t']) || clean(text.as_bytes()) != text {
        let why = "only printable characters on one line are stored and shown again";
        return Err(Refusal::new(format!("{} has characters that do not print", quoted(text)), why, "onramp"));
    }
    Ok(())
}

/// The customer's short name: it becomes a part of S3 bucket and RDS names, which are stricter than most.
///
/// Sources: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html;
/// docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html (no double hyphen).
pub(super) fn slug(text: &str) -> Result<Value, Refusal> {
    let why = if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        "it must begin with a lower-case letter"
    } else if !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        "it may have only lower-case letters, digits and hyphens: it becomes part of bucket and database names"
    } else if !(3..=20).contains(&text.len()) {
        "it must have 3 to 20 characters: it becomes part of longer names"
    } else if text.contains("--") || text.ends_with('-') {
        "a hyphen stands between letters or digits, and alone: RDS refuses anything else"
    } else {
        return Ok(Value::Text(text.to_owned()));
    };
    let refusal = Refusal::new(
        format!("{} is no short name", quoted(text)),
        why,
        "docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
    );
    Err(refusal.suggest(slug_from(text).unwrap_or_default()))
}

/// A short name made from a full one: `Acme Insurance PLC` gives `acme-insurance-plc`. Nothing when no letter is left.
pub fn slug_from(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug = slug.trim_start_matches(|c: char| !c.is_ascii_lowercase()).to_owned();
    slug.truncate(20);
    let slug = slug.trim_end_matches('-');
    (slug.len() >= 3).then(|| slug.to_owned())
}

/// A ticket's key as Jira writes it, or any text of up to 40 characters.
pub(super) fn ticket(ticket: &str) -> Result<Value, Refusal> {
    text(ticket, Bounds { min: 1, max: 40 }, TextUse::Line)
}

/// A mailbox: RFC 5321 section 4.5.3.1 for the lengths, a dot-atom (RFC 5322 section 3.2.3) before the `@`.
pub(super) fn email(text: &str) -> Result<Value, Refusal> {
    let refuse = |why: &str, source| Err(Refusal::new(format!("{} is no e-mail address", quoted(text)), why, source));
    let Some((local, domain_part)) = text.split_once('@') else {
        return refuse("it has no @", "RFC 5321 section 4.1.2");
    };
    if domain_part.contains('@') {
        return refuse("it has more than one @; one address is wanted", "RFC 5321 section 4.1.2");
    }
    if local.len() > 64 || text.len() > 254 {
        return refuse("up to 64 characters stand before the @, and 254 are all", "RFC 5321 section 4.5.3.1");
    }
    let atom = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    if !local.split('.').all(atom) {
        return refuse(
            "before the @ stand letters, digits and single dots or marks between them",
            "RFC 5322 section 3.2.3",
        );
    }
    match domain(domain_part) {
        Ok(domain) if domain == "localhost" => {
            refuse("after the @ stands a full domain, not this machine", "RFC 5321 section 2.3.5")
        }
        Ok(domain) => Ok(Value::Text(format!("{local}@{domain}"))),
        Err(refusal) => {
            refuse(&format!("after the @ stands a domain, but {}: {}", refusal.what, refusal.why), refusal.source)
        }
    }
}

/// A mailbox whose address has so many characters: fewer than the RFC allows where somebody wants it so.
pub(super) fn email_of(text: &str, length: Bounds) -> Result<Value, Refusal> {
    let address = email(text)?;
    if i64::try_from(text.len()).is_ok_and(|characters| length.hold(characters)) {
        return Ok(address);
    }
    let what = format!("{} has {}", quoted(text), count(text.len(), "character"));
    let source = "docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html";
    Err(Refusal::new(what, format!("the number of characters is {length}"), source))
}

/// A login name that useradd takes on every distribution.
pub(super) fn unix_name(text: &str) -> Result<Value, Refusal> {
    let first = text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let rest =
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-');
    if first && rest && text.len() <= 32 {
        return Ok(Value::Text(text.to_owned()));
    }
    let why = "it must begin with a lower-case letter or _, goes on with lower-case letters, digits, _ and -, and has up to 32 characters";
    Err(Refusal::new(format!("{} is no login name", quoted(text)), why, "useradd(8)"))
}

/// A login name on a host that somebody else runs: also `DOMAIN\user` and `user@realm`, up to 104 characters.
pub(super) fn login(text: &str) -> Result<String, Refusal> {
    let good = |c: char| c.is_alphanumeric() || "_.@\\+$-".contains(c);
    if text.chars().all(good) && !text.starts_with('-') && (1..=104).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    let why = "it has up to 104 letters, digits and _ . - @ \\ and does not begin with -";
    Err(Refusal::new(format!("{} is no login name", quoted(text)), why, "useradd(8)").suggest("ubuntu"))
}

/// One label of a host name, in lower case: the name of a host in this engagement.
pub(super) fn label(text: &str) -> Result<String, Refusal> {
    let why = if text.is_empty() || text.len() > 63 {
        "it has 1 to 63 characters"
    } else if text.starts_with('-') || text.ends_with('-') {
        "it neither begins nor ends with a hyphen"
    } else if !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        "it has lower-case letters, digits and hyphens only"
    } else {
        return Ok(text.to_owned());
    };
    let proposal = text.to_lowercase().replace(['_', '.', ' '], "-");
    let proposal = if proposal.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        proposal
    } else {
        "app-1".into()
    };
    Err(Refusal::new(format!("{} is no host name", quoted(text)), why, LABELS).suggest(proposal))
}

/// A full domain name in lower case, without the dot at the end: two labels or more, 253 characters or fewer.
pub(super) fn domain(text: &str) -> Result<String, Refusal> {
    let name = text.strip_suffix('.').unwrap_or(text).to_lowercase();
    let refuse = |why: &str, source| Err(Refusal::new(format!("{} is no domain name", quoted(text)), why, source));
    if name == "localhost" {
        return Ok(name);
    }
    if !name.is_ascii() {
        return refuse("give an international name in its xn-- form", "RFC 5890 section 2.3.2.1");
    }
    if name.len() > 253 {
        return refuse("a name has up to 253 characters", "RFC 1035 section 2.3.4");
    }
    let labels: Vec<&str> = name.split('.').collect();
    for part in &labels {
        if let Err(refusal) = label(part) {
            return refuse(&format!("its part {} is wrong: {}", quoted(part), refusal.why), LABELS);
        }
    }
    if labels.len() < 2 {
        return refuse(
            "a full name has at least two parts with a dot between; a short one means something else on every host",
            "RFC 9499 section 2",
        );
    }
    if labels.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
        return refuse("the last part is not a number", "RFC 3696 section 2");
    }
    Ok(name)
}

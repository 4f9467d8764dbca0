//! Records of the DNS: a name, a type and a value each, as a zone file has them.

use serde_json::Value as Json;

use super::given::{Given, every_row, scalar};
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};
use super::value::{Row, cell};
use super::{Setting, Value, name, network};
use crate::text::{either, nearest};

const FORMAT: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html";
const NAMES: &str = "docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html";

const TYPES: [&str; 8] = ["A", "AAAA", "CNAME", "TXT", "MX", "SRV", "PTR", "CAA"];

/// The longest time to live (RFC 2181 section 8).
pub(super) const LONGEST_TTL: i64 = 2_147_483_647;

/// A record before its parts are checked.
struct Raw {
    place: String,
    name: String,
    kind: String,
    value: String,
    ttl: String,
}

/// Records that can stand together: no CNAME beside others of its name (RFC 1034 section 3.6.2), one time to live for
/// all of one name and type (RFC 2181 section 5.2), none twice.
pub(super) fn records(given: &Given<'_>, count: Bounds, setting: &Setting) -> Result<Value, Refusal> {
    let judged = |raw: Result<Raw, Refusal>| {
        let raw = raw?;
        let row = record(&raw, setting).map_err(|refusal| refusal.at(&raw.place))?;
        Ok((raw.place, row))
    };
    let (places, rows): (Vec<String>, Vec<Row>) = every_row(raw(given)?.into_iter().map(judged))?.into_iter().unzip();
    count.check(rows.len(), "record")?;
    every_row(places.iter().zip(&rows).enumerate().map(|(index, (place, row))| {
        rows[..index].iter().try_for_each(|other| beside(other, row)).map_err(|refusal| refusal.at(place))
    }))?;
    Ok(Value::Rows(rows))
}

fn looks_like() -> &'static str {
    "a record has a name, perhaps a time to live in seconds, a type and a value"
}

/// Each row, or what is wrong with it.
fn raw(given: &Given<'_>) -> Result<Vec<Result<Raw, Refusal>>, Refusal> {
    match given {
        Given::Text(text) => {
            let lines = text.lines().enumerate().map(|(index, line)| (index, line.trim()));
            let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']));
            Ok(lines.map(|(index, line)| of_line(format!("line {}", index + 1), line)).collect())
        }
        Given::Plain(Json::Array(entries)) => {
            let entries = entries.iter().enumerate();
            Ok(entries.map(|(index, entry)| of_entry(format!("row {}", index + 1), entry)).collect())
        }
        Given::Plain(Json::Null) => Ok(Vec::new()),
        Given::Plain(_) => Err(Refusal::new("these are no records", "a list of records is expected here", "onramp")),
    }
}

/// `gw.mc.acme.example 60 IN A 10.40.10.20`, the time and the class left out or not (RFC 1035 section 5.1).
fn of_line(place: String, line: &str) -> Result<Raw, Refusal> {
    let (name, mut rest) = first_word(line);
    let mut ttl = "";
    loop {
        let (word, after) = first_word(rest);
        if word.eq_ignore_ascii_case("IN") {
            rest = after;
        } else if ttl.is_empty() && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            (ttl, rest) = (word, after);
        } else {
            break;
        }
    }
    let (kind, value) = first_word(rest);
    if kind.is_empty() || value.is_empty() {
        let what = format!("{} is no record", quoted(line));
        return Err(Refusal::new(what, looks_like(), FORMAT).at(&place));
    }
    Ok(Raw { place, name: name.to_owned(), kind: kind.to_owned(), value: value.to_owned(), ttl: ttl.to_owned() })
}

fn first_word(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

fn of_entry(place: String, entry: &Json) -> Result<Raw, Refusal> {
    let table = match entry {
        Json::String(line) => return of_line(place, line.trim()),
        Json::Object(table) => table,
        _ => return Err(Refusal::new("this is no record", looks_like(), FORMAT).at(&place)),
    };
    let columns = ["name", "type", "value", "ttl"];
    if let Some(stray) = table.keys().find(|key| !columns.contains(&key.as_str())) {
        let near = nearest(stray, columns).map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        let what = format!("a record has no {}", quoted(stray));
        return Err(Refusal::new(what, format!("{near}{}", looks_like()), FORMAT).at(&place));
    }
    let part = |name: &str| match table.get(name) {
        Some(value) => scalar(value).map(|text| text.trim().to_owned()).map_err(|refusal| refusal.at(&place)),
        None => Ok(String::new()),
    };
    let raw = Raw {
        name: part("name")?,
        kind: part("type")?,
        value: part("value")?,
        ttl: part("ttl")?,
        place: place.clone(),
    };
    match [("name", &raw.name), ("type", &raw.kind), ("value", &raw.value)].iter().find(|(_, text)| text.is_empty()) {
        Some((missing, _)) => Err(Refusal::new(format!("{missing} is missing"), looks_like(), FORMAT).at(&place)),
        None => Ok(raw),
    }
}

fn record(raw: &Raw, setting: &Setting) -> Result<Row, Refusal> {
    let name = owner(&raw.name)?;
    let kind = raw.kind.to_uppercase();
    if !TYPES.contains(&kind.as_str()) {
        let why = match kind.as_str() {
            "NS" | "SOA" => "the zone's own records are made with it".to_owned(),
            "SPF" => "write a TXT record; the type SPF is withdrawn (RFC 7208)".to_owned(),
            _ => format!("a record here is of the type {}", either(&TYPES)),
        };
        let near = nearest(&kind, TYPES).unwrap_or("A");
        return Err(Refusal::new(format!("{} is no type of record", quoted(&raw.kind)), why, FORMAT).suggest(near));
    }
    if !raw.value.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        let what = format!("{} has characters that are not ASCII", quoted(&raw.value));
        return Err(Refusal::new(what, "international names are written in their xn-- form", FORMAT));
    }
    let value = value(&kind, &name, &raw.value, setting)?;
    let ttl = match raw.ttl.as_str() {
        "" => Value::Text(String::new()),
        text => Value::Number(
            super::number::number(text, Bounds { min: 0, max: LONGEST_TTL })
                .map_err(|refusal| Refusal { source: "RFC 2181 section 8", ..refusal })?,
        ),
    };
    Ok(Row::from([
        ("name".into(), Value::Text(name)),
        ("type".into(), Value::Text(kind)),
        ("value".into(), Value::Text(value)),
        ("ttl".into(), ttl),
    ]))
}

/// The name that the record belongs to; its labels may begin with `_` (RFC 8552), and the first may be `*`.
fn owner(text: &str) -> Result<String, Refusal> {
    if text == "@" || !text.trim_end_matches('.').contains('.') {
        let what = format!("{} is no full name", quoted(text));
        return Err(
            Refusal::new(what, "give the whole name, with the zone behind it", NAMES).suggest("gw.mc.acme.example")
        );
    }
    let lower = text.to_lowercase();
    let rest = lower.strip_prefix("*.").unwrap_or(&lower);
    // A label that begins with _ is like any other behind it.
    let plain: Vec<&str> = rest.split('.').map(|label| label.strip_prefix('_').unwrap_or(label)).collect();
    name::domain(&plain.join("."))
        .map_err(|refusal| Refusal { what: format!("{} is no name for a record", quoted(text)), ..refusal })?;
    let name = lower.trim_end_matches('.');
    if name.len() > 253 {
        return Err(Refusal::new(
            format!("{} is too long", quoted(text)),
            "a name has up to 253 characters",
            "RFC 1035 section 2.3.4",
        ));
    }
    Ok(name.to_owned())
}

fn value(kind: &str, owner: &str, text: &str, setting: &Setting) -> Result<String, Refusal> {
    let refuse =
        |why: &str, source| Err(Refusal::new(format!("{} cannot be the value of {kind}", quoted(text)), why, source));
    let words: Vec<&str> = text.split_whitespace().collect();
    let small = |word: &str| word.parse::<u16>().is_ok();
    match kind {
        "A" | "AAAA" => match (network::address(text, setting)?, kind) {
            (address @ std::net::IpAddr::V4(_), "A") | (address @ std::net::IpAddr::V6(_), "AAAA") => {
                Ok(address.to_string())
            }
            (_, "A") => refuse("an A record has an IPv4 address; IPv6 has AAAA", "RFC 3596 section 2.1"),
            _ => refuse("an AAAA record has an IPv6 address; IPv4 has A", "RFC 3596 section 2.1"),
        },
        "CNAME" => target(text),
        "PTR" => {
            if !owner.ends_with(".in-addr.arpa") && !owner.ends_with(".ip6.arpa") {
                return refuse(
                    "the name of a PTR record is an address turned round, and ends in in-addr.arpa",
                    "RFC 1035 section 3.5",
                );
            }
            target(text)
        }
        "MX" => match words[..] {
            [preference, exchange] if small(preference) => Ok(format!("{preference} {}", target(exchange)?)),
            _ => refuse(
                "an MX record has a preference from 0 to 65535 and the name of a mail server",
                "RFC 1035 section 3.3.9",
            ),
        },
        "SRV" => {
            if !owner.starts_with('_') || !owner.contains("._") {
                return refuse("the name of an SRV record begins with _service._protocol", "RFC 2782");
            }
            match words[..] {
                [priority, weight, port, host] if small(priority) && small(weight) && small(port) => {
                    Ok(format!("{priority} {weight} {port} {}", target(host)?))
                }
                _ => refuse("an SRV record has a priority, a weight, a port and the name of a host", "RFC 2782"),
            }
        }
        "CAA" => match words[..] {
            [flags, tag, ..]
                if flags.parse::<u8>().is_ok() && ["issue", "issuewild", "iodef"].contains(&tag) && words.len() > 2 =>
            {
                let quoted_value = words[2..].join(" ");
                Ok(format!("{flags} {tag} \"{}\"", quoted_value.trim_matches('"')))
            }
            _ => refuse(
                "a CAA record has flags from 0 to 255, issue, issuewild or iodef, and who may issue",
                "RFC 8659 section 4.1",
            ),
        },
        _ => txt(text),
    }
}

/// A name that a record points to; hosts of services such as DKIM may have labels with `_`.
fn target(text: &str) -> Result<String, Refusal> {
    if text.parse::<std::net::IpAddr>().is_ok() {
        let what = format!("{} is an address", quoted(text));
        return Err(Refusal::new(what, "this type of record points to a name", FORMAT).suggest("gw.mc.acme.example"));
    }
    owner(text)
}

/// Text without the quotes around it; a name server cuts it into strings of 255 (RFC 1035 section 3.3.14), and Route 53
/// takes 4000 characters.
fn txt(text: &str) -> Result<String, Refusal> {
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let bare = bare.replace("\" \"", "");
    let refuse = |why: &str| Err(Refusal::new(format!("{} cannot be the value of TXT", quoted(text)), why, FORMAT));
    if bare.contains(['"', '\\']) {
        return refuse("quotes and backslashes stand around a text, not inside");
    }
    if bare.is_empty() || bare.len() > 4000 {
        return refuse("a text has 1 to 4000 characters");
    }
    Ok(bare)
}

/// Can both stand in one zone?
fn beside(one: &Row, other: &Row) -> Result<(), Refusal> {
    if cell(one, "name") != cell(other, "name") {
        return Ok(());
    }
    let name = cell(one, "name");
    let (a, b) = (cell(one, "type"), cell(other, "type"));
    if a == b && cell(one, "value") == cell(other, "value") {
        return Err(Refusal::new(
            format!("the {a} record of {name} is there twice"),
            "a record counts once",
            "RFC 2181 section 5",
        ));
    }
    if a == "CNAME" || b == "CNAME" {
        let what = format!("{name} has a CNAME record and another one");
        return Err(Refusal::new(what, "a name with a CNAME has no other record", "RFC 1034 section 3.6.2"));
    }
    if a == b && one.get("ttl") != other.get("ttl") {
        let what = format!("the {a} records of {name} have different times to live");
        return Err(Refusal::new(what, "records of one name and type live equally long", "RFC 2181 section 5.2"));
    }
    Ok(())
}

/// A record as it is typed.
pub(super) fn line(row: &Row) -> String {
    let ttl = row.get("ttl").and_then(Value::number).map(|ttl| format!("{ttl} ")).unwrap_or_default();
    format!("{} {ttl}{} {}", cell(row, "name"), cell(row, "type"), cell(row, "value"))
}

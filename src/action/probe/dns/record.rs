//! What records say, in one form: so that an answer and what was expected can be compared as text.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_resolver::proto::rr::{RData, RecordType};

use crate::text::clean;

/// The value of a record as `plain` writes it.
pub(super) fn value(data: &RData) -> String {
    match data {
        // The pieces of a long text are one text (RFC 7208, 3.3).
        RData::TXT(text) => clean(&text.txt_data.concat()),
        other => plain(other.record_type(), &other.to_string()),
    }
}

/// One form for values that mean the same: names in small letters without the dot at their end, addresses as they are
/// printed, texts without their quotes.
pub(super) fn plain(kind: RecordType, text: &str) -> String {
    let text = text.trim();
    match kind {
        RecordType::A => text.parse::<Ipv4Addr>().map_or_else(|_| text.to_owned(), |address| address.to_string()),
        RecordType::AAAA => text.parse::<Ipv6Addr>().map_or_else(|_| text.to_owned(), |address| address.to_string()),
        RecordType::TXT => unquoted(text),
        _ => {
            let word = |word: &str| match word.strip_suffix('.') {
                Some(name) if !name.is_empty() => name.to_lowercase(),
                _ => word.to_lowercase(),
            };
            text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
        }
    }
}

/// A text that may be written as one or several pieces in quotes.
fn unquoted(text: &str) -> String {
    if !(text.len() > 1 && text.starts_with('"') && text.ends_with('"')) {
        return text.to_owned();
    }
    let (mut whole, mut inside, mut rest) = (String::new(), false, text.chars());
    while let Some(c) = rest.next() {
        match c {
            '"' => inside = !inside,
            '\\' => whole.extend(rest.next()),
            c if inside => whole.push(c),
            _ => {}
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_written_the_same() {
        assert_eq!(plain(RecordType::NS, "NS1.Acme.Example."), "ns1.acme.example");
        assert_eq!(plain(RecordType::MX, "10  Mail.acme.example."), "10 mail.acme.example");
        assert_eq!(plain(RecordType::AAAA, "FD00:0:0::1"), "fd00::1");
        assert_eq!(plain(RecordType::TXT, "\"v=spf1 \" \"-all\""), "v=spf1 -all");
        assert_eq!(plain(RecordType::TXT, "\"say \\\"it\\\"\""), "say \"it\"");
        assert_eq!(plain(RecordType::TXT, "v=DMARC1; p=none"), "v=DMARC1; p=none");
    }
}

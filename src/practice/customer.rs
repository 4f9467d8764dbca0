//! The customer of practice, who publishes the records that they are asked for, as they stand in what they were sent.

use super::cloud::Record;

/// The records in a text: lines as in a zone file, `NAME. [TTL] IN TYPE VALUE`. Everything else is for people.
pub(super) fn records(ask: &str) -> Vec<Record> {
    ask.lines().filter_map(record).collect()
}

fn record(line: &str) -> Option<Record> {
    let (name, rest) = line.trim().split_once(' ')?;
    let (ttl, rest) = match rest.split_once(' ')? {
        ("IN", _) => (300, rest),
        (ttl, rest) => (ttl.parse().ok()?, rest),
    };
    let (kind, value) = rest.strip_prefix("IN ")?.split_once(' ')?;
    let is_kind = kind.chars().all(|c| c.is_ascii_uppercase());
    (name.ends_with('.') && is_kind).then(|| Record {
        name: name.to_ascii_lowercase(),
        kind: kind.to_owned(),
        ttl,
        value: value.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_as_a_record_is_published() {
        let ask = "Please publish these records:\n\n\
                   t1._domainkey.MC.acme.example. 60 IN CNAME t1.dkim.amazonses.com.\n\
                   \x20 bounce.mc.acme.example. IN TXT \"v=spf1 include:amazonses.com ~all\"\n\
                   mc.acme.example 60 IN A 192.0.2.1\nIt is sent from here. Thank you IN advance for it.\n";
        let found = records(ask);
        let parts: Vec<_> =
            found.iter().map(|one| (one.name.as_str(), one.kind.as_str(), one.ttl, one.value.as_str())).collect();
        let wanted = [
            ("t1._domainkey.mc.acme.example.", "CNAME", 60, "t1.dkim.amazonses.com."),
            ("bounce.mc.acme.example.", "TXT", 300, "\"v=spf1 include:amazonses.com ~all\""),
        ];
        assert_eq!(parts, wanted, "a name without the dot at its end would get the zone's behind it");
    }
}

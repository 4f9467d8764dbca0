//! The customer of practice, who publishes the records that they are asked for, as they stand in what they were sent: lines of a
//! zone file, or whatever form the customer's name servers take.

use super::cloud::Record;

/// Of what nobody said how long it may be remembered.
const TTL: i64 = 300;

/// The records in a text. Everything else is for people.
pub(super) fn records(ask: &str) -> Vec<Record> {
    let forms = [zone_line, update, cmdlet, infoblox_row, table_row, by_hand];
    ask.lines().filter_map(|line| forms.iter().find_map(|form| form(line.trim()))).collect()
}

/// `NAME. [TTL] IN TYPE VALUE`
fn zone_line(line: &str) -> Option<Record> {
    let (name, rest) = line.split_once(' ')?;
    let (ttl, rest) = match rest.split_once(' ')? {
        ("IN", _) => (TTL, rest),
        (ttl, rest) => (ttl.parse().ok()?, rest),
    };
    let (kind, value) = rest.strip_prefix("IN ")?.split_once(' ')?;
    // Without the dot at its end the name would get the zone's behind it.
    name.ends_with('.').then(|| record(name, ttl, kind, value))?
}

/// `update add NAME TTL TYPE VALUE`, for nsupdate.
fn update(line: &str) -> Option<Record> {
    let mut words = line.strip_prefix("update add ")?.splitn(4, ' ');
    let (name, ttl, kind) = (words.next()?, words.next()?, words.next()?);
    record(name, ttl.parse().ok()?, kind, words.next()?)
}

/// `Add-DnsServerResourceRecord…`, for Windows Server.
fn cmdlet(line: &str) -> Option<Record> {
    let words = pieces(line, ' ', '\'');
    let said = words.first()?.strip_prefix("Add-DnsServerResourceRecord")?;
    let option = |name: &str| words.iter().skip_while(|word| word.as_str() != name).nth(1).map(String::as_str);
    let (kind, value) = match said {
        "A" => ("A", option("-IPv4Address")?.to_owned()),
        "AAAA" => ("AAAA", option("-IPv6Address")?.to_owned()),
        "CName" => ("CNAME", option("-HostNameAlias")?.to_owned()),
        "MX" => ("MX", format!("{} {}", option("-Preference")?, option("-MailExchange")?)),
        _ => match option("-DescriptiveText") {
            Some(text) => ("TXT", quoted(text)),
            None => {
                let numbers = [option("-Priority")?, option("-Weight")?, option("-Port")?];
                ("SRV", format!("{} {}", numbers.join(" "), option("-DomainName")?))
            }
        },
    };
    let zone = option("-ZoneName")?;
    let name = match option("-Name")? {
        "@" => zone.to_owned(),
        own => format!("{own}.{zone}"),
    };
    record(&name, seconds(option("-TimeToLive")?)?, kind, &value)
}

/// `days.hours:minutes:seconds`
fn seconds(span: &str) -> Option<i64> {
    let (days, rest) = span.split_once('.')?;
    let rest = rest.split(':').try_fold(0, |sum, part| Some(sum * 60 + part.parse::<i64>().ok()?))?;
    Some(days.parse::<i64>().ok()? * 86_400 + rest)
}

/// `arecord,NAME,VALUE…,TTL`, for Infoblox.
fn infoblox_row(line: &str) -> Option<Record> {
    let cells = pieces(line, ',', '"');
    let [kind, name, values @ .., ttl] = cells.as_slice() else { return None };
    let kind = kind.strip_suffix("record")?.to_uppercase();
    let value = values.join(" ");
    record(name, ttl.parse().ok()?, &kind, &if kind == "TXT" { quoted(&value) } else { value })
}

/// `NAME,TYPE,TTL,VALUE`
fn table_row(line: &str) -> Option<Record> {
    let cells = pieces(line, ',', '"');
    let [name, kind, ttl, value] = cells.as_slice() else { return None };
    record(name, ttl.parse().ok()?, kind, &if kind == "TXT" { quoted(value) } else { value.clone() })
}

/// `# by hand: NAME TYPE VALUE`, for which the form has no words of its own.
fn by_hand(line: &str) -> Option<Record> {
    let mut words = line.strip_prefix("# by hand: ")?.splitn(3, ' ');
    record(words.next()?, TTL, words.next()?, words.next()?)
}

fn record(name: &str, ttl: i64, kind: &str, value: &str) -> Option<Record> {
    let value = value.trim();
    let leads = ["CNAME", "MX", "SRV", "PTR", "NS"].contains(&kind);
    let value = if leads { format!("{}.", value.trim_end_matches('.')) } else { value.to_owned() };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.*".contains(c);
    (name.contains('.') && name.chars().all(plain) && kind.chars().all(|c| c.is_ascii_uppercase())).then(|| Record {
        name: format!("{}.", name.trim_end_matches('.').to_ascii_lowercase()),
        kind: kind.to_owned(),
        ttl,
        value,
    })
}

/// A text as it stands in a zone file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What stands between the separators; within quotes they are none, and two quotes there are one.
fn pieces(line: &str, separator: char, quote: char) -> Vec<String> {
    let mut found = vec![String::new()];
    let (mut inside, mut characters) = (false, line.chars().peekable());
    while let Some(c) = characters.next() {
        let last = found.len() - 1;
        if c == quote && inside && characters.next_if_eq(&quote).is_some() {
            found[last].push(quote);
        } else if c == quote {
            inside = !inside;
        } else if c == separator && !inside {
            found.push(String::new());
        } else {
            found[last].push(c);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(ask: &str) -> Vec<(String, String, i64, String)> {
        records(ask).into_iter().map(|one| (one.name, one.kind, one.ttl, one.value)).collect()
    }

    fn part(name: &str, kind: &str, ttl: i64, value: &str) -> (String, String, i64, String) {
        (name.to_owned(), kind.to_owned(), ttl, value.to_owned())
    }

    #[test]
    fn only_what_is_written_as_a_record_is_published() {
        let ask = "Please publish these records:\n\n\
                   t1._domainkey.MC.acme.example. 60 IN CNAME t1.dkim.amazonses.com.\n\
                   \x20 bounce.mc.acme.example. IN TXT \"v=spf1 include:amazonses.com ~all\"\n\
                   mc.acme.example 60 IN A 192.0.2.1\nIt is sent from here. Thank you IN advance for it.\n\
                   Please add this to mc.acme.example, so that each of 192.168.1.10, 192.168.1.11 knows it, today, 60\n\
                   name,type,ttl,value\nheader-arecord,fqdn*,address*,ttl\nzone mc.acme.example.\nsend\n";
        let wanted = [
            part("t1._domainkey.mc.acme.example.", "CNAME", 60, "t1.dkim.amazonses.com."),
            part("bounce.mc.acme.example.", "TXT", 300, "\"v=spf1 include:amazonses.com ~all\""),
        ];
        assert_eq!(parts(ask), wanted, "a name without the dot at its end would get the zone's behind it");
    }

    #[test]
    fn each_form_that_name_servers_take_is_published() {
        let updates = "update add mc.acme.example. 60 TXT \"it's \\\"ours\\\", v=1\"\n\
                       update add mc.acme.example. 90061 MX 10 mail.acme.example.\n\
                       update add _sip._tcp.mc.acme.example. 60 SRV 0 5 5060 app-1.mc.acme.example.\n\
                       update add app-1.mc.acme.example. 60 A 10.40.10.11";
        let cmdlets = "Add-DnsServerResourceRecord -Txt -DescriptiveText 'it''s \"ours\", v=1' -ZoneName 'mc.acme.example' -Name '@' \
                       -TimeToLive '0.00:01:00'\n\
                       Add-DnsServerResourceRecordMX -MailExchange 'mail.acme.example.' -Preference 10 \
                       -ZoneName 'mc.acme.example' -Name '@' -TimeToLive '1.01:01:01'\n\
                       Add-DnsServerResourceRecord -Srv -DomainName 'app-1.mc.acme.example.' -Priority 0 -Weight 5 -Port 5060 \
                       -ZoneName 'mc.acme.example' -Name '_sip._tcp' -TimeToLive '0.00:01:00'\n\
                       Add-DnsServerResourceRecordA -IPv4Address '10.40.10.11' -ZoneName 'mc.acme.example' -Name 'app-1' \
                       -TimeToLive '0.00:01:00'";
        let infoblox = "txtrecord,mc.acme.example,\"it's \"\"ours\"\", v=1\",60\nmxrecord,mc.acme.example,10,mail.acme.example,90061\n\
                        srvrecord,_sip._tcp.mc.acme.example,0,5,5060,app-1.mc.acme.example,60\n\
                        arecord,app-1.mc.acme.example,10.40.10.11,60";
        let table = "mc.acme.example,TXT,60,\"it's \"\"ours\"\", v=1\"\nmc.acme.example,MX,90061,10 mail.acme.example\n\
                     _sip._tcp.mc.acme.example,SRV,60,0 5 5060 app-1.mc.acme.example\napp-1.mc.acme.example,A,60,10.40.10.11";
        let wanted = [
            part("mc.acme.example.", "TXT", 60, "\"it's \\\"ours\\\", v=1\""),
            part("mc.acme.example.", "MX", 90_061, "10 mail.acme.example."),
            part("_sip._tcp.mc.acme.example.", "SRV", 60, "0 5 5060 app-1.mc.acme.example."),
            part("app-1.mc.acme.example.", "A", 60, "10.40.10.11"),
        ];
        for form in [updates, cmdlets, infoblox, table] {
            assert_eq!(parts(form), wanted, "{form}");
        }
        let by_hand = parts("# by hand: 11.10.40.10.in-addr.arpa PTR app-1.mc.acme.example.");
        assert_eq!(by_hand, [part("11.10.40.10.in-addr.arpa.", "PTR", 300, "app-1.mc.acme.example.")]);
    }
}

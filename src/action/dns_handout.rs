//! `aws/dns-handout`: the records that the customer's own name servers are to have, in the form in which those take them.
//!
//! Forms: RFC 1035 section 5 (zone file), RFC 4180 (table), the cmdlets Add-DnsServerResourceRecord… of Windows Server,
//! nsupdate(1), and the "Infoblox CSV Import Reference".

use std::fmt::Write;

use async_trait::async_trait;
use serde_json::json;

use super::arguments::{Arguments, known};
use super::aws_zone::{said_name, whole_name};
use super::call::dns::RecordSet;
use super::check::Question;
use super::object::found;
use super::records::{sets, unquoted};
use super::world::{Subject, World};
use super::{Failure, Verified};

const FORMS: [&str; 5] = ["bind", "csv", "powershell", "nsupdate", "infoblox-csv"];

/// `aws/dns-handout`
pub(super) struct Handout {
    zone: String,
    form: &'static str,
    sets: Vec<RecordSet>,
}

impl Handout {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let (zone, form) = (whole_name(&arguments.text("domain")?), arguments.one_of("format", &FORMS)?);
        Ok(Handout { zone, form, sets: sets(&arguments)? })
    }

    fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.sets.iter().flat_map(|set| {
            set.values.iter().map(|value| Record { name: &set.name, kind: &set.r#type, ttl: set.ttl, value })
        })
    }

    fn text(&self) -> String {
        match self.form {
            "csv" => self.table(),
            "powershell" => self.records().map(|record| record.cmdlet(&self.zone)).collect(),
            "nsupdate" => self.updates(),
            "infoblox-csv" => self.infoblox(),
            _ => self.zone_file(),
        }
    }

    fn zone_file(&self) -> String {
        let line = |record: Record<'_>| {
            format!("{} {} IN {} {}\n", record.name, record.ttl, record.kind, record.whole_value())
        };
        format!("; for the zone {}\n", self.zone) + &self.records().map(line).collect::<String>()
    }

    fn table(&self) -> String {
        let line = |record: Record<'_>| {
            let value = cell(&record.plain_value());
            format!("{},{},{},{value}\n", said_name(record.name), record.kind, record.ttl)
        };
        "name,type,ttl,value\n".to_owned() + &self.records().map(line).collect::<String>()
    }

    /// All names of the zone go in one message, which says which zone. Names of addresses are in other zones; nsupdate looks for
    /// those by itself as long as none is said.
    fn updates(&self) -> String {
        let (reverse, forward): (Vec<_>, Vec<_>) = self.records().partition(Record::is_reverse);
        let reverse: String = reverse.iter().map(|record| format!("{}send\n", record.update())).collect();
        if forward.is_empty() {
            return reverse;
        }
        let forward: String = forward.iter().map(Record::update).collect();
        format!("{reverse}zone {}\n{forward}send\n", self.zone)
    }

    /// A header before the rows of each type.
    fn infoblox(&self) -> String {
        let mut text = String::new();
        for (kind, header) in INFOBLOX {
            let rows: String = self.records().filter(|record| record.kind == kind).map(|one| one.infoblox()).collect();
            if !rows.is_empty() {
                text += &format!("{header}\n{rows}");
            }
        }
        for record in self.records().filter(|record| record.kind == "CAA") {
            let _ = writeln!(text, "# by hand: {} {} {}", said_name(record.name), record.kind, record.value);
        }
        text
    }
}

const INFOBLOX: [(&str, &str); 8] = [
    ("A", "header-arecord,fqdn*,address*,ttl"),
    ("AAAA", "header-aaaarecord,fqdn*,address*,ttl"),
    ("CNAME", "header-cnamerecord,fqdn*,canonical_name*,ttl"),
    ("TXT", "header-txtrecord,fqdn*,text*,ttl"),
    ("MX", "header-mxrecord,fqdn*,priority*,mx*,ttl"),
    ("SRV", "header-srvrecord,fqdn*,priority*,weight*,port*,target*,ttl"),
    ("PTR", "header-ptrrecord,fqdn*,dname*,ttl"),
    ("NS", "header-nsrecord,fqdn*,dname*,ttl"),
];

/// One value of one name.
struct Record<'s> {
    name: &'s str,
    kind: &'s str,
    ttl: i64,
    value: &'s str,
}

impl Record<'_> {
    fn is_reverse(&self) -> bool {
        self.name.ends_with(".arpa.")
    }

    /// With the dot behind the name that it leads to.
    fn whole_value(&self) -> String {
        let leads = ["CNAME", "MX", "SRV", "PTR", "NS"].contains(&self.kind);
        if leads { format!("{}.", self.value.trim_end_matches('.')) } else { self.value.to_owned() }
    }

    /// Without the quotes of a text, and without the dot.
    fn plain_value(&self) -> String {
        match self.kind {
            "TXT" => unquoted(self.value),
            _ => said_name(self.value).to_owned(),
        }
    }

    fn words(&self) -> Vec<&str> {
        self.value.split_whitespace().collect()
    }

    fn update(&self) -> String {
        format!("update add {} {} {} {}\n", self.name, self.ttl, self.kind, self.whole_value())
    }

    fn infoblox(&self) -> String {
        let fields = match self.kind {
            "MX" | "SRV" => self.plain_value().split_whitespace().collect::<Vec<_>>().join(","),
            _ => cell(&self.plain_value()),
        };
        format!("{}record,{},{fields},{}\n", self.kind.to_lowercase(), said_name(self.name), self.ttl)
    }

    /// For the zone with this name; what has no cmdlet, or stands in another zone, is a remark.
    fn cmdlet(&self, zone: &str) -> String {
        let own = if self.name == zone { "@" } else { self.name.strip_suffix(&format!(".{zone}")).unwrap_or_default() };
        let (value, words) = (self.whole_value(), self.words());
        let what = match (self.kind, words.as_slice()) {
            _ if own.is_empty() => None,
            ("A", _) => Some(format!("A {}", option("IPv4Address", self.value))),
            ("AAAA", _) => Some(format!("AAAA {}", option("IPv6Address", self.value))),
            ("CNAME", _) => Some(format!("CName {}", option("HostNameAlias", &value))),
            ("TXT", _) => Some(format!(" -Txt {}", option("DescriptiveText", &self.plain_value()))),
            ("MX", [preference, mail]) => {
                let mail = format!("{}.", said_name(mail));
                Some(format!("MX {} -Preference {preference}", option("MailExchange", &mail)))
            }
            ("SRV", [priority, weight, port, host]) => {
                let host = option("DomainName", &format!("{}.", said_name(host)));
                Some(format!(" -Srv {host} -Priority {priority} -Weight {weight} -Port {port}"))
            }
            _ => None,
        };
        match what {
            Some(what) => {
                let (kind, rest) = what.split_once(' ').unwrap_or((&what, ""));
                let (zone, name) = (option("ZoneName", said_name(zone)), option("Name", own));
                let ttl = option("TimeToLive", &time_span(self.ttl));
                format!("Add-DnsServerResourceRecord{kind} {rest} {zone} {name} {ttl}\n")
            }
            None => format!("# by hand: {} {} {}\n", said_name(self.name), self.kind, self.value),
        }
    }
}

/// In single quotes PowerShell reads nothing but another one.
fn option(name: &str, value: &str) -> String {
    format!("-{name} '{}'", value.replace('\'', "''"))
}

/// `days.hours:minutes:seconds`
fn time_span(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!("{days}.{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// A cell of a table (RFC 4180 section 2).
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[async_trait]
impl Question for Handout {
    async fn ask(&self, _world: &World) -> Verified {
        let text = self.text();
        if !known(&text) {
            return Verified::NotYet { said: "the addresses of the hosts are not known yet".to_owned() };
        }
        let count = self.records().count();
        let said = format!("{} for {}, as {}", crate::text::count(count, "record"), said_name(&self.zone), self.form);
        Verified::So(found(said, json!({ "text": text, "records": count })))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    fn handed(form: &str) -> String {
        let Json::Object(given) = json!({
            "domain": "mc.acme.example", "format": form, "ttl": 60, "hosts": {"app-1": "10.40.10.11"},
            "records": [
                {"name": "mc.acme.example", "type": "TXT", "value": "it's \"ours\", v=1"},
                {"name": "mc.acme.example", "type": "MX", "value": "10 mail.acme.example", "ttl": 90061},
                {"name": "_sip._tcp.mc.acme.example", "type": "SRV", "value": "0 5 5060 app-1.mc.acme.example"},
                {"name": "11.10.40.10.in-addr.arpa", "type": "PTR", "value": "app-1.mc.acme.example"},
                {"name": "mc.acme.example", "type": "CAA", "value": "0 issue \"ca.example\""},
            ],
        }) else {
            panic!()
        };
        let (zone, form) = (whole_name("mc.acme.example"), FORMS.into_iter().find(|one| *one == form).unwrap());
        let sets = sets(&Arguments { kind: "aws/dns-handout", given: &given }).map_err(|failure| failure.what).unwrap();
        Handout { zone, form, sets }.text()
    }

    #[test]
    fn each_form_says_the_same_records() {
        let lines = |form: &str| handed(form).lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            lines("bind"),
            [
                "; for the zone mc.acme.example.",
                "mc.acme.example. 60 IN TXT \"it's \\\"ours\\\", v=1\"",
                "mc.acme.example. 90061 IN MX 10 mail.acme.example.",
                "_sip._tcp.mc.acme.example. 60 IN SRV 0 5 5060 app-1.mc.acme.example.",
                "11.10.40.10.in-addr.arpa. 60 IN PTR app-1.mc.acme.example.",
                "mc.acme.example. 60 IN CAA 0 issue \"ca.example\"",
                "app-1.mc.acme.example. 60 IN A 10.40.10.11",
            ]
        );
        assert!(lines("csv").contains(&"mc.acme.example,TXT,60,\"it's \"\"ours\"\", v=1\"".to_owned()));
        let cmdlets = lines("powershell");
        assert_eq!(
            cmdlets[0],
            "Add-DnsServerResourceRecord -Txt -DescriptiveText 'it''s \"ours\", v=1' -ZoneName 'mc.acme.example' -Name '@' \
             -TimeToLive '0.00:01:00'"
        );
        assert!(
            cmdlets[1].starts_with("Add-DnsServerResourceRecordMX -MailExchange 'mail.acme.example.' -Preference 10 ")
        );
        assert!(cmdlets[1].ends_with("-TimeToLive '1.01:01:01'"), "{}", cmdlets[1]);
        assert!(
            cmdlets[2].contains("-DomainName 'app-1.mc.acme.example.'") && cmdlets[2].contains("-Name '_sip._tcp'")
        );
        assert!(cmdlets[3].starts_with("# by hand: 11.10.40.10.in-addr.arpa PTR"), "{}", cmdlets[3]);
        assert!(cmdlets[5].starts_with("Add-DnsServerResourceRecordA -IPv4Address '10.40.10.11' "), "{}", cmdlets[5]);
        let updates = lines("nsupdate");
        assert_eq!(updates.iter().filter(|line| *line == "send").count(), 2, "{updates:?}");
        assert!(updates.contains(&"update add app-1.mc.acme.example. 60 A 10.40.10.11".to_owned()));
        let table = lines("infoblox-csv");
        assert!(table.contains(&"header-srvrecord,fqdn*,priority*,weight*,port*,target*,ttl".to_owned()));
        assert!(table.contains(&"srvrecord,_sip._tcp.mc.acme.example,0,5,5060,app-1.mc.acme.example,60".to_owned()));
        assert!(table.contains(&"arecord,app-1.mc.acme.example,10.40.10.11,60".to_owned()), "{table:?}");
    }
}

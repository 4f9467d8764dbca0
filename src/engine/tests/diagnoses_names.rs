//! Why a name is not found: the diagnosis of names, over name servers of the test's own, and in practice.

use std::io;

use async_trait::async_trait;
use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::diagnoses::{branch, kept, scenario_but, until};
use super::*;
use crate::aws::filter;
use crate::net::{Clock as Told, Net, NoTime};
use crate::ssh::dial::{Dial, Wire};

/// What a name server does with a question.
enum Says {
    Nothing,
    /// Nothing listens there.
    Closed,
    Code(ResponseCode),
    Values(&'static [&'static str]),
}

/// One question, as a server sees it.
struct Asked<'a> {
    server: &'a str,
    tcp: bool,
    name: &'a str,
    kind: RecordType,
}

type Manner = fn(&Asked<'_>) -> Says;

/// Every name server there is, over UDP and TCP.
#[derive(Clone)]
struct Servers(Manner);

impl Servers {
    /// Nothing where nothing comes back.
    fn answer(&self, server: &str, tcp: bool, question: &[u8]) -> Option<io::Result<Vec<u8>>> {
        let asked = Message::from_vec(question).unwrap();
        let query = asked.queries[0].clone();
        let mut answer = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
        let name = query.name().to_ascii();
        match (self.0)(&Asked { server, tcp, name: name.trim_end_matches('.'), kind: query.query_type() }) {
            Says::Nothing => return None,
            Says::Closed => return Some(Err(io::ErrorKind::ConnectionRefused.into())),
            Says::Code(code) => answer.metadata.response_code = code,
            Says::Values(values) => {
                for value in values {
                    let data = RData::try_from_str(query.query_type(), value).unwrap();
                    answer.add_answer(Record::from_rdata(Name::from_ascii(&name).unwrap(), 60, data));
                }
            }
        }
        answer.add_query(query);
        Some(Ok(answer.to_vec().unwrap()))
    }
}

#[async_trait]
impl Net for Servers {
    async fn exchange(&self, server: &str, _port: u16, datagram: &[u8]) -> io::Result<Vec<u8>> {
        match self.answer(server, false, datagram) {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    async fn clock(&self, _server: &str, _port: u16, _limit: Duration) -> Result<Told, NoTime> {
        Err(NoTime::Silent)
    }

    fn name_servers(&self) -> io::Result<Vec<String>> {
        Ok(vec![OWN.to_owned()])
    }

    async fn message(&self, _path: &str, _most: u64) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[async_trait]
impl Dial for Servers {
    async fn dial(&self, address: &str, _port: u16) -> io::Result<Box<dyn Wire>> {
        let (near, mut far) = tokio::io::duplex(4096);
        let (servers, server) = (self.clone(), address.to_owned());
        tokio::spawn(async move {
            let length = far.read_u16().await.unwrap_or_default();
            let mut question = vec![0; usize::from(length)];
            far.read_exact(&mut question).await.unwrap();
            match servers.answer(&server, true, &question) {
                Some(Ok(answer)) => {
                    far.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                    far.write_all(&answer).await.unwrap();
                }
                // The door is open, and then nothing comes; or it closes.
                None => std::future::pending().await,
                Some(Err(_)) => {}
            }
        });
        Ok(Box::new(near))
    }

    fn reads_as_it_comes(&self) -> bool {
        false
    }
}

/// Whom this machine asks by itself, and whom the data centre has.
const OWN: &str = "192.0.2.53";
const THEIRS: &str = "192.168.1.10";
const SOA: &[&str] = &["ns1.acme.example. hostmaster.acme.example. 1 7200 900 1209600 300"];

/// The steps that look, over the diagnosis of names.
const NAMES: &str = "runbook: dns
title: Names
phase: dns
inputs:
  - {id: dns.mode, label: Mode, kind: text}
  - {id: dns.zone_name, label: Zone, kind: text}
  - {id: dns.visibility, label: Seen, kind: text}
  - {id: dns.records, label: Records, kind: records}
  - {id: dns.onprem_resolvers, label: Servers, kind: list, of: address}
  - {id: dns.name_servers, label: Ours, kind: list, of: domain}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: hosts.source, label: Hosts, kind: text}
UNKNOWN
steps:
  - {id: asks, title: Asks, form: [FORM]}
";

/// What the diagnosis reads and nobody answers here.
const UNKNOWN: [&str; 15] = [
    "dns.public_zone_id",
    "dns.inbound_addresses",
    "dns.forward_domains",
    "net.vpc_cidr",
    "net.secondary_cidrs",
    "conn.mode",
    "vpn.ping_target",
    "access.host_addresses",
    "dns.resolver_group_id",
    "dns.private_zone_id",
    "access.vpc_id",
    "dns.query_sources",
    "dns.rule_ids",
    "dns.ttl",
    "aws.partition",
];

const STEPS: [&str; 6] = ["servers-answer", "handed-over", "delegation", "public-found", "aws-found", "records-found"];

/// Name servers that do this.
async fn of_names(manner: Manner) -> Stage {
    let unknown: Vec<String> =
        UNKNOWN.iter().map(|id| format!("  - {{id: {id}, label: Unknown, kind: text, optional: true}}")).collect();
    let form = "dns.mode, dns.zone_name, dns.visibility, dns.records, dns.onprem_resolvers, dns.name_servers, \
                aws.region_primary, hosts.source, "
        .to_owned()
        + &UNKNOWN.join(", ");
    let steps: String = STEPS
        .iter()
        .map(|id| {
            format!("  - {{id: {id}, title: Look, probe: dns, with: {{name: mc.acme.example}}, diagnosis: names}}\n")
        })
        .collect();
    let runbook = NAMES.replace("UNKNOWN", &unknown.join("\n")).replace("FORM", &form) + &steps;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud/diagnosis-dns.yaml");
    let diagnosis = std::fs::read_to_string(shipped).unwrap();
    let files = [("dns.yaml".to_owned(), runbook), ("diagnosis-dns.yaml".to_owned(), diagnosis)];
    let mut stage = Stage::of(&files, Faults::none(), Pace::Instant);
    stage.net = Some(Arc::new(Servers(manner)));
    stage.dial = Arc::new(Servers(manner));
    let desk = stage.open().await;
    for (id, text) in [
        ("dns.mode", "customer_dns"),
        ("dns.zone_name", "mc.acme.example"),
        ("dns.visibility", "public"),
        ("dns.records", "gw.mc.acme.example A 203.0.113.80"),
        ("dns.onprem_resolvers", THEIRS),
        ("dns.name_servers", "ns-1.awsdns-01.org"),
        ("aws.region_primary", REGION),
        ("hosts.source", "existing"),
    ] {
        desk.give(id, text);
    }
    desk.close().await;
    stage
}

async fn all(step: &str, cases: &[(Manner, &str)]) {
    for (manner, wanted) in cases {
        assert_eq!(branch(&of_names(*manner).await, step).await, *wanted, "{step}");
    }
}

#[tokio::test]
async fn name_servers_that_do_not_answer_us_say_in_which_way() {
    let cases: [(Manner, &str); 9] = [
        (|_| Says::Values(SOA), "servers-answer"),
        (|_| Says::Code(ResponseCode::Refused), "access-list"),
        (|_| Says::Code(ResponseCode::NXDomain), "no-such-zone"),
        (|_| Says::Values(&[]), "no-such-zone"),
        (|_| Says::Code(ResponseCode::ServFail), "servers-fail"),
        (|_| Says::Closed, "no-name-server"),
        (|asked| if asked.tcp { Says::Values(SOA) } else { Says::Nothing }, "udp-blocked"),
        (|asked| if asked.tcp { Says::Nothing } else { Says::Values(SOA) }, "tcp-blocked"),
        (|_| Says::Nothing, "servers-silent"),
    ];
    all("dns/servers-answer", &cases).await;
}

#[tokio::test]
async fn names_that_were_handed_over_and_are_not_there_are_said() {
    const RIGHT: Says = Says::Values(&["203.0.113.80"]);
    let cases: [(Manner, &str); 3] = [
        (|asked| if asked.kind == RecordType::A { RIGHT } else { Says::Values(SOA) }, "names-handed-over"),
        (|asked| if asked.kind == RecordType::A { Says::Values(&[]) } else { Says::Values(SOA) }, "names-missing"),
        (
            |asked| match asked.name {
                "gw.mc.acme.example.mc.acme.example" => RIGHT,
                "gw.mc.acme.example" => Says::Code(ResponseCode::NXDomain),
                _ => Says::Values(SOA),
            },
            "name-twice",
        ),
    ];
    all("dns/handed-over", &cases).await;
}

#[tokio::test]
async fn a_zone_that_the_internet_does_not_find_says_why() {
    const OURS: Says = Says::Values(&["ns-1.awsdns-01.org."]);
    let cases: [(Manner, &str); 9] = [
        (|_| OURS, "delegated"),
        (|_| Says::Code(ResponseCode::NXDomain), "not-delegated"),
        (|_| Says::Values(&[]), "not-delegated"),
        (|_| Says::Values(&["ns1.elsewhere.example."]), "delegated-elsewhere"),
        (|asked| if asked.server == "9.9.9.9" { Says::Values(&[]) } else { OURS }, "not-everywhere"),
        // One that validates refuses; the others do not look.
        (
            |asked| match (asked.kind, asked.server) {
                (RecordType::DS, _) => {
                    Says::Values(&["4711 13 2 AB12CD34AB12CD34AB12CD34AB12CD34AB12CD34AB12CD34AB12CD34AB12CD34"])
                }
                (_, "8.8.8.8") => OURS,
                _ => Says::Code(ResponseCode::ServFail),
            },
            "signature-missing",
        ),
        (
            |asked| if asked.kind == RecordType::DS { Says::Values(&[]) } else { Says::Code(ResponseCode::ServFail) },
            "leads-nowhere",
        ),
        (|_| Says::Closed, "internet-not-asked"),
        (|asked| if asked.server == "9.9.9.9" { Says::Nothing } else { Says::Closed }, "internet-not-asked"),
    ];
    all("dns/delegation", &cases).await;
    let cases: [(Manner, &str); 2] = [
        (|asked| if asked.kind == RecordType::NS { OURS } else { Says::Values(&["203.0.113.80"]) }, "everybody-finds"),
        (|asked| if asked.kind == RecordType::NS { OURS } else { Says::Values(&["203.0.113.9"]) }, "remembered"),
    ];
    all("dns/public-found", &cases).await;
}

#[tokio::test]
async fn what_the_own_resolver_says_leads_to_whoever_is_behind_it() {
    const RIGHT: Says = Says::Values(&["203.0.113.80"]);
    let cases: [(Manner, &str); 4] = [
        (|asked| if asked.kind == RecordType::A { RIGHT } else { Says::Values(SOA) }, "names-as-agreed"),
        (|asked| if asked.kind == RecordType::A { Says::Values(&[]) } else { Says::Values(SOA) }, "name-differs"),
        (
            |asked| Says::Code(if asked.server == OWN { ResponseCode::ServFail } else { ResponseCode::Refused }),
            "access-list",
        ),
        // Whom it asks, only the host itself could tell.
        (|_| Says::Closed, "host-out-of-reach"),
    ];
    all("dns/records-found", &cases).await;
    let cases: [(Manner, &str); 2] =
        [(|_| RIGHT, "found-from-the-host"), (|_| Says::Code(ResponseCode::NXDomain), "aws-names-lost")];
    all("dns/aws-found", &cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_between_the_vpc_and_the_data_centre_say_where_they_end() {
    let stage = scenario_but("05-dns-hybrid.yaml", &[]).await;
    until(&stage, "dns/forwarders").await;
    until(&stage, "dns/data-centre-found").await;
    until(&stage, "dns/public-answers").await;
    let (forwarders, inbound, servers) =
        ("dns/forwarders[app-1]", "dns/inbound-answers[app-1]", "dns/servers-answer[app-1]");
    let found = "dns/data-centre-found[corp.acme.example]";
    for (step, wanted) in [
        (forwarders, "forwarders-work"),
        (inbound, "inbound-answers"),
        (servers, "servers-answer"),
        (found, "found-from-the-host"),
        ("dns/public-answers", "published"),
    ] {
        assert_eq!(branch(&stage, step).await, wanted, "{step}");
    }

    // The door to the resolver: first the data centre's name servers are shut out, then everybody.
    let (ec2, group) = (stage.ec2().await, kept(&stage, "dns.resolver_group_id"));
    let shut = async |whom: &str| {
        let rules = ec2.describe_security_group_rules().filters(filter("group-id", [group.as_str()]));
        for rule in rules.send().await.unwrap().security_group_rules() {
            if rule.is_egress() == Some(false) && rule.cidr_ipv4().is_some_and(|range| range.starts_with(whom)) {
                let shut = ec2.revoke_security_group_ingress().group_id(&group);
                shut.security_group_rule_ids(rule.security_group_rule_id().unwrap()).send().await.unwrap();
            }
        }
    };
    shut("192.168.").await;
    assert_eq!(branch(&stage, forwarders).await, "sources-shut-out");
    shut("10.").await;
    assert_eq!(branch(&stage, inbound).await, "resolver-door-closed");

    let (gateway, table) =
        (kept(&stage, "connection.gateway_id"), kept(&stage, "access.private_routes_ids.eu-west-1a"));
    ec2.disable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    assert_eq!(branch(&stage, servers).await, "no-way-to-the-servers");
}

//! Why a name is not found: the diagnosis of names, over name servers of the test's own, and in practice.

use std::io;

use async_trait::async_trait;
use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::diagnoses::{ROOT, branch, kept, scenario_but, until};
use super::meddling::{Does, Names};
use super::*;
use crate::aws::ec2::types::{IpPermission, IpRange};
use crate::aws::{filter, resolver, route53};
use crate::net::{Clock as Told, Net, NoTime};
use crate::practice::cloud::{Question, Record as Written, Said};
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
  - {id: dns.name_servers, label: Ours, kind: list, of: domain, optional: true}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: hosts.source, label: Hosts, kind: text}
UNKNOWN
steps:
  - {id: asks, title: Asks, form: [FORM]}
";

/// What the diagnosis reads and nobody answers here.
const UNKNOWN: [&str; 16] = [
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
    "dns.reverse_zone",
];

const STEPS: [&str; 7] =
    ["servers-answer", "handed-over", "delegation", "public-answers", "public-found", "aws-found", "records-found"];

/// Name servers that do this.
async fn of_names(manner: Manner) -> Stage {
    of_names_but(manner, &[("dns.name_servers", "ns-1.awsdns-01.org")]).await
}

/// The same with these answers, and without the zone's own name servers unless they are among them.
async fn of_names_but(manner: Manner, answers: &[(&str, &str)]) -> Stage {
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
    let shipped = Path::new(ROOT).join("runbooks/managed-cloud/diagnosis-dns.yaml");
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
        ("aws.region_primary", REGION),
        ("hosts.source", "existing"),
    ] {
        desk.give(id, text);
    }
    answers.iter().for_each(|(id, text)| desk.give(id, text));
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
    let cases: [(Manner, &str); 10] = [
        (|_| Says::Values(SOA), "names/servers-answer"),
        (|_| Says::Code(ResponseCode::Refused), "names/access-list"),
        (|_| Says::Code(ResponseCode::NXDomain), "names/no-such-zone"),
        // As the step takes it, a server that knows the name and has no zone of it answers.
        (|_| Says::Values(&[]), "names/servers-answer"),
        (|asked| if asked.tcp { Says::Closed } else { Says::Values(&[]) }, "names/tcp-blocked"),
        (|_| Says::Code(ResponseCode::ServFail), "names/servers-fail"),
        (|_| Says::Closed, "names/no-name-server"),
        (|asked| if asked.tcp { Says::Values(SOA) } else { Says::Nothing }, "names/udp-blocked"),
        (|asked| if asked.tcp { Says::Nothing } else { Says::Values(SOA) }, "names/tcp-blocked"),
        (|_| Says::Nothing, "names/servers-silent"),
    ];
    all("dns/servers-answer", &cases).await;
}

#[tokio::test]
async fn names_that_were_handed_over_and_are_not_there_are_said() {
    const RIGHT: Says = Says::Values(&["203.0.113.80"]);
    let cases: [(Manner, &str); 4] = [
        (|_| Says::Values(&[]), "names/no-zone-of-that-name"),
        (|asked| if asked.kind == RecordType::A { RIGHT } else { Says::Values(SOA) }, "names/names-handed-over"),
        (
            |asked| if asked.kind == RecordType::A { Says::Values(&[]) } else { Says::Values(SOA) },
            "names/names-missing",
        ),
        (
            |asked| match asked.name {
                "gw.mc.acme.example.mc.acme.example" => RIGHT,
                "gw.mc.acme.example" => Says::Code(ResponseCode::NXDomain),
                _ => Says::Values(SOA),
            },
            "names/name-twice",
        ),
    ];
    all("dns/handed-over", &cases).await;
}

#[tokio::test]
async fn a_zone_that_the_internet_does_not_find_says_why() {
    const OURS: Says = Says::Values(&["ns-1.awsdns-01.org."]);
    let cases: [(Manner, &str); 9] = [
        (|_| OURS, "names/delegated"),
        (|_| Says::Code(ResponseCode::NXDomain), "names/not-delegated"),
        (|_| Says::Values(&[]), "names/not-delegated"),
        (|_| Says::Values(&["ns1.elsewhere.example."]), "names/delegated-elsewhere"),
        (|asked| if asked.server == "9.9.9.9" { Says::Values(&[]) } else { OURS }, "names/not-everywhere"),
        // One that validates refuses; the others do not look.
        (
            |asked| match (asked.kind, asked.server) {
                (RecordType::DS, _) => {
                    Says::Values(&["4711 13 2 AB12CD34AB12CD34AB12CD34AB12CD34AB12CD34AB12CD34AB12CD34AB12CD34"])
                }
                (_, "8.8.8.8") => OURS,
                _ => Says::Code(ResponseCode::ServFail),
            },
            "names/signature-missing",
        ),
        (
            |asked| if asked.kind == RecordType::DS { Says::Values(&[]) } else { Says::Code(ResponseCode::ServFail) },
            "names/leads-nowhere",
        ),
        (|_| Says::Closed, "names/internet-not-asked"),
        (|asked| if asked.server == "9.9.9.9" { Says::Nothing } else { Says::Closed }, "names/internet-not-asked"),
    ];
    all("dns/delegation", &cases).await;
    let cases: [(Manner, &str); 2] = [
        (
            |asked| if asked.kind == RecordType::NS { OURS } else { Says::Values(&["203.0.113.80"]) },
            "names/everybody-finds",
        ),
        (|asked| if asked.kind == RecordType::NS { OURS } else { Says::Values(&["203.0.113.9"]) }, "names/remembered"),
    ];
    all("dns/public-found", &cases).await;
}

#[tokio::test]
async fn what_route_53_itself_answers_comes_before_what_others_heard() {
    let nobody: Manner = |_| Says::Closed;
    let before = of_names_but(nobody, &[]).await;
    assert_eq!(branch(&before, "dns/delegation").await, "names/not-asked", "the zone's name servers are not known");
    let gone = of_names_but(nobody, &[("dns.public_zone_id", "Z0123456789ABCDEFGHIJ")]).await;
    for step in ["dns/public-answers", "dns/delegation", "dns/public-found"] {
        assert_eq!(branch(&gone, step).await, "names/zone-does-not-answer", "{step}");
    }
    let stage = of_names(nobody).await;
    let zones = Cloud::connect(stage.wiring()).await.unwrap().route53();
    let made = zones.create_hosted_zone().name("mc.acme.example").caller_reference("by hand").send().await.unwrap();
    let desk = stage.open().await;
    desk.give("dns.public_zone_id", made.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/"));
    desk.close().await;
    assert_eq!(branch(&stage, "dns/public-answers").await, "names/record-not-published");
}

#[tokio::test]
async fn what_the_own_resolver_says_leads_to_whoever_is_behind_it() {
    const RIGHT: Says = Says::Values(&["203.0.113.80"]);
    let cases: [(Manner, &str); 4] = [
        (|asked| if asked.kind == RecordType::A { RIGHT } else { Says::Values(SOA) }, "names/names-as-agreed"),
        (|asked| if asked.kind == RecordType::A { Says::Values(&[]) } else { Says::Values(SOA) }, "names/name-differs"),
        (
            |asked| Says::Code(if asked.server == OWN { ResponseCode::ServFail } else { ResponseCode::Refused }),
            "names/access-list",
        ),
        // Whom it asks, only the host itself could tell.
        (|_| Says::Closed, "names/host-out-of-reach"),
    ];
    all("dns/records-found", &cases).await;
    let cases: [(Manner, &str); 2] =
        [(|_| RIGHT, "names/found-from-the-host"), (|_| Says::Code(ResponseCode::NXDomain), "names/aws-names-lost")];
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
        (forwarders, "names/forwarders-work"),
        (inbound, "names/inbound-answers"),
        (servers, "names/servers-answer"),
        (found, "names/found-from-the-host"),
        ("dns/public-answers", "names/published"),
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
    assert_eq!(branch(&stage, forwarders).await, "names/sources-shut-out");
    shut("10.").await;
    assert_eq!(branch(&stage, inbound).await, "names/resolver-door-closed");

    let (gateway, table) =
        (kept(&stage, "connection.gateway_id"), kept(&stage, "access.private_routes_ids.eu-west-1a"));
    ec2.disable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    assert_eq!(branch(&stage, servers).await, "names/no-way-to-the-servers");
}

/// What the customer's name servers say of names of our zone.
fn theirs(asked: &Question, says: Said) -> Option<Said> {
    let of_ours = asked.name.trim_end_matches('.').ends_with("mc.acme.example");
    (of_ours && is_theirs(asked)).then_some(says)
}

fn is_theirs(asked: &Question) -> bool {
    asked.server.to_string().starts_with("192.168.")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_meddled_with_between_the_vpc_and_the_data_centre_is_said() {
    let mut stage =
        scenario_but("05-dns-hybrid.yaml", &[("dns.visibility", "private"), ("ses.dns_owner", "customer")]).await;
    until(&stage, "dns/forwarders").await;
    until(&stage, "dns/data-centre-found").await;
    let (forwarders, inbound, servers) =
        ("dns/forwarders[app-1]", "dns/inbound-answers[app-1]", "dns/servers-answer[app-1]");
    let found = "dns/data-centre-found[corp.acme.example]";
    let (account, app) = (stage.account.clone(), kept(&stage, "access.host_ids.app-1"));
    let at_console = async |script: &str| {
        let done = account.at_console(&app, script).await.unwrap();
        assert_eq!(done.code, 0, "{script}: {done:?}");
    };
    let at_theirs = |to: std::net::IpAddr| to.to_string().starts_with("192.168.1.1");

    // The data centre asks us.
    let cases: [(Names, &str); 4] = [
        (|asked| theirs(asked, Said::NoSuchName), "names/no-forwarder"),
        (
            // That of the zone is there, and that of its reverse zone is not.
            |asked| (asked.kind == "PTR" && is_theirs(asked)).then_some(Said::NoSuchName),
            "names/no-forwarder",
        ),
        (|asked| theirs(asked, Said::Fails), "names/forwarder-stuck"),
        (
            |asked| {
                let other = Written { name: asked.name.clone(), kind: "A".into(), ttl: 60, value: "10.9.9.9".into() };
                theirs(asked, Said::Records(vec![other]))
            },
            "names/forwarder-answers-otherwise",
        ),
    ];
    for (says, wanted) in cases {
        stage.meddled(Does::Names(says));
        assert_eq!(branch(&stage, forwarders).await, wanted);
    }

    // We ask the data centre: nobody lets the resolver in, and nobody lets anybody in.
    stage.meddled(Does::Names(|asked| (asked.name.contains("corp.") && !is_theirs(asked)).then_some(Said::Fails)));
    assert_eq!(branch(&stage, found).await, "names/resolver-shut-out");
    let (ec2, group) = (stage.ec2().await, kept(&stage, "dns.resolver_group_id"));
    let everywhere = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    let everything = IpPermission::builder().ip_protocol("-1").ip_ranges(everywhere).build();
    let off = ec2.revoke_security_group_egress().group_id(&group).ip_permissions(everything.clone());
    off.send().await.unwrap();
    assert_eq!(branch(&stage, found).await, "names/resolver-kept-in");
    ec2.authorize_security_group_egress().group_id(&group).ip_permissions(everything).send().await.unwrap();
    stage.meddled(Does::Drops(Box::new(move |_, to, port| port == 53 && at_theirs(to))));
    assert_eq!(branch(&stage, servers).await, "names/names-blocked");
    // The Internet knows none of the data centre's names.
    let cloud = Cloud::connect(stage.wiring()).await.unwrap();
    let (rules, vpc) = (cloud.resolver(), kept(&stage, "access.vpc_id"));
    let scope = crate::engagement::scope(&stage.engagement(), &stage.runbook, crate::engagement::ScopeMode::Real);
    let rule = scope.get_dotted("dns.rule_ids").unwrap()["corp.acme.example"].as_str().unwrap().to_owned();
    rules.disassociate_resolver_rule().resolver_rule_id(&rule).vpc_id(&vpc).send().await.unwrap();
    stage.meddled(Does::Names(|asked| (asked.name.contains("corp.") && !is_theirs(asked)).then_some(Said::NoSuchName)));
    assert_eq!(branch(&stage, found).await, "names/rule-not-in-force");
    stage.let_be();

    // The host itself.
    at_console(
        "cp -P /etc/resolv.conf /root/resolv; rm /etc/resolv.conf; echo 'nameserver 10.40.10.250' >/etc/resolv.conf",
    )
    .await;
    assert_eq!(branch(&stage, found).await, "names/resolver-silent");
    at_console("mv /root/resolv /etc/resolv.conf; apt-get -y remove bind9-dnsutils").await;
    assert_eq!(branch(&stage, servers).await, "names/no-tool");
    at_console("apt-get -q update && apt-get -y install bind9-dnsutils").await;

    // The resolver's addresses: the door is open and they are silent; another rule comes first; the zone is not the VPC's.
    let addresses = kept(&stage, "dns.inbound_addresses");
    stage.meddled(Does::Drops(Box::new(move |_, to, _| addresses.contains(&format!("\"{to}\"")))));
    assert_eq!(branch(&stage, inbound).await, "names/inbound-silent");
    stage.let_be();
    let hidden = rules.create_resolver_rule().creator_request_id("by hand").domain_name("mc.acme.example");
    let hidden = hidden.rule_type(resolver::types::RuleTypeOption::Forward);
    let hidden = hidden.resolver_endpoint_id(kept(&stage, "dns.outbound_id"));
    let there = resolver::types::TargetAddress::builder().ip(THEIRS).port(53).build();
    let hidden = hidden.target_ips(there).send().await.unwrap().resolver_rule.unwrap().id.unwrap();
    rules.associate_resolver_rule().resolver_rule_id(&hidden).vpc_id(&vpc).send().await.unwrap();
    assert_eq!(branch(&stage, inbound).await, "names/zone-hidden");
    rules.disassociate_resolver_rule().resolver_rule_id(&hidden).vpc_id(&vpc).send().await.unwrap();

    let (ec2, zones, zone) = (stage.ec2().await, cloud.route53(), kept(&stage, "dns.private_zone_id"));
    let other = ec2.create_vpc().cidr_block("10.99.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let of =
        |id: &str| route53::types::Vpc::builder().vpc_id(id).vpc_region(route53::types::VpcRegion::EuWest1).build();
    zones.associate_vpc_with_hosted_zone().hosted_zone_id(&zone).vpc(of(&other)).send().await.unwrap();
    zones.disassociate_vpc_from_hosted_zone().hosted_zone_id(&zone).vpc(of(&vpc)).send().await.unwrap();
    assert_eq!(branch(&stage, inbound).await, "names/zone-not-here");
}

//! `aws/acl-lets`: does the network ACL of a subnet let packets through and their answers back? A network ACL keeps no state: an
//! answer is let through by a rule of its own, or not at all.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use ipnet::IpNet;
use serde_json::json;

use super::arguments::Arguments;
use super::aws_account::asked;
use super::aws_ways::Place;
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Trouble, Verified};
use crate::aws::ec2::types::{NetworkAcl, NetworkAclEntry, RuleAction};
use crate::aws::{AwsFailure, Cloud, Operation, filter};

/// The port that whoever begins gives an answer to, as Linux chooses it (ip_local_port_range).
const ANSWERED_AT: RangeInclusive<u16> = 32_768..=60_999;
/// The same of a NAT gateway ("NAT gateway basics" of the VPC user guide: it uses the ports 1024 to 65535).
const ANSWERED_AT_NAT: RangeInclusive<u16> = 1_024..=65_535;
/// The rule that stands last in every network ACL and denies the rest.
const THE_REST: i32 = 32_767;
/// Numbers of protocols, as network ACLs have them, and ICMP's types of a ping and of its answer.
const ICMP: &str = "1";
const PING: u16 = 8;
const ANSWER: u16 = 0;

pub(super) struct AclLets {
    vpc: Option<String>,
    subnet: Subnet,
    others: Vec<Place>,
    udp: bool,
    /// True where the subnet's hosts begin, false where the others do.
    out: bool,
    /// Where answers come to.
    answered_at: RangeInclusive<u16>,
}

enum Subnet {
    Id(String),
    Of(IpAddr),
}

/// One direction of what is said between a subnet and somebody else.
struct Packet {
    egress: bool,
    other: IpNet,
    protocol: &'static str,
    /// The ports that it goes to; of ICMP, its type.
    ports: RangeInclusive<u16>,
    said: String,
}

impl AclLets {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let subnet = arguments.text("subnet")?;
        let port = arguments.port("port")?;
        let places = |name: &str| -> Result<Vec<Place>, Failure> {
            let place = |text: &String| {
                let place = Place::new(arguments, name, text)?;
                Ok(Place { port: place.port.or(port), ..place })
            };
            arguments.list(name)?.iter().map(place).collect()
        };
        let (to, from) = (places("to")?, places("from")?);
        if to.is_empty() == from.is_empty() {
            let what = "aws/acl-lets takes one of `to` and `from`";
            return Err(Failure::new(what, "Correct the runbook, or the input that the argument is made of."));
        }
        let out = !to.is_empty();
        Ok(AclLets {
            vpc: arguments.optional("vpc")?,
            subnet: subnet.parse().map_or(Subnet::Id(subnet), Subnet::Of),
            others: if out { to } else { from },
            udp: arguments.one_of("protocol", &["tcp", "udp"])? == "udp",
            out,
            answered_at: if arguments.one_of("nat", &["false", "true"])? == "true" {
                ANSWERED_AT_NAT
            } else {
                ANSWERED_AT
            },
        })
    }

    /// What goes to a place, or comes from it, and the answer.
    fn packets(&self, place: &Place) -> [Packet; 2] {
        let other = place.range;
        let (forth, back) = if self.out { ("out to", "in from") } else { ("in from", "out to") };
        let (protocol, word) = if self.udp { ("17", "UDP") } else { ("6", "TCP") };
        let packet = |egress, protocol, ports, said| Packet { egress, other, protocol, ports, said };
        match place.port {
            None => [
                packet(self.out, ICMP, PING..=PING, format!("pings {forth} {place}")),
                packet(!self.out, ICMP, ANSWER..=ANSWER, format!("answers to pings {back} {place}")),
            ],
            Some(port) => [
                packet(self.out, protocol, port..=port, format!("{word} {port} {forth} {other}")),
                packet(
                    !self.out,
                    protocol,
                    self.answered_at.clone(),
                    format!(
                        "answers by {word} to ports {} to {} {back} {other}",
                        self.answered_at.start(),
                        self.answered_at.end()
                    ),
                ),
            ],
        }
    }

    async fn subnet(&self, cloud: &Cloud) -> Result<Option<String>, AwsFailure> {
        let address = match &self.subnet {
            Subnet::Id(id) => return Ok(Some(id.clone())),
            Subnet::Of(address) => address,
        };
        let request = cloud.ec2().describe_subnets().filters(filter("vpc-id", self.vpc.iter().map(String::as_str)));
        let answer = cloud.read(Operation::DescribeSubnets, || request.clone().send()).await?;
        let holds = |range: &str| range.parse::<IpNet>().is_ok_and(|range| range.contains(address));
        let there = answer.subnets.unwrap_or_default();
        Ok(there.into_iter().find(|one| one.cidr_block().is_some_and(holds)).and_then(|one| one.subnet_id))
    }
}

impl Packet {
    /// What keeps it back, if something does: of every port the rule with the lowest number counts.
    fn kept_back(&self, acl: &NetworkAcl) -> Option<String> {
        let mut rules: Vec<&NetworkAclEntry> =
            acl.entries().iter().filter(|rule| rule.egress() == Some(self.egress) && self.is_meant(rule)).collect();
        rules.sort_by_key(|rule| rule.rule_number());
        // Between two of these nothing changes.
        let edges = rules.iter().flat_map(|rule| {
            let ports = ports_of(rule);
            [*ports.start(), ports.end().saturating_add(1)]
        });
        let looked_at: BTreeSet<u16> =
            edges.chain([*self.ports.start()]).filter(|port| self.ports.contains(port)).collect();
        looked_at.into_iter().find_map(|port| {
            let first = rules.iter().find(|rule| ports_of(rule).contains(&port));
            let number = first.and_then(|rule| rule.rule_number()).unwrap_or(THE_REST);
            match first.and_then(|rule| rule.rule_action()) {
                Some(RuleAction::Allow) => None,
                _ if number == THE_REST => Some(format!("{}, for no rule does", self.said)),
                _ => Some(format!("{}, for rule {number} denies it", self.said)),
            }
        })
    }

    /// Is the rule about its protocol and the other side? One that denies a part of a range is about the range.
    fn is_meant(&self, rule: &NetworkAclEntry) -> bool {
        let range = rule.cidr_block().or(rule.ipv6_cidr_block()).and_then(|range| range.parse::<IpNet>().ok());
        let denies = rule.rule_action() != Some(&RuleAction::Allow);
        let other = range.is_some_and(|range| range.contains(&self.other) || (denies && self.other.contains(&range)));
        let protocol = rule.protocol().unwrap_or_default();
        other && (protocol == "-1" || protocol == self.protocol)
    }
}

/// The ports of a rule, or ICMP's types; all of them where it says nothing else.
fn ports_of(rule: &NetworkAclEntry) -> RangeInclusive<u16> {
    let number = |number: i32| u16::try_from(number).ok();
    let typed = rule.icmp_type_code().and_then(|icmp| icmp.r#type()).and_then(number);
    if let (Some(ICMP), Some(r#type)) = (rule.protocol(), typed) {
        return r#type..=r#type;
    }
    let ports = rule.port_range().and_then(|ports| Some((number(ports.from()?)?, number(ports.to()?)?)));
    ports.map_or(0..=u16::MAX, |(from, to)| from..=to)
}

#[async_trait]
impl Question for AclLets {
    async fn ask(&self, world: &World) -> Verified {
        let nothing = |what: String| {
            Ok(Verified::Unknown(Trouble::Failure(Failure::new(what, "See in the account where the host is."))))
        };
        asked(world, async |cloud| {
            let Some(subnet) = self.subnet(&cloud).await? else {
                return nothing("the host is in none of the VPC's subnets".to_owned());
            };
            let request = cloud.ec2().describe_network_acls().filters(filter("association.subnet-id", [&*subnet]));
            let answer = cloud.read(Operation::DescribeNetworkAcls, || request.clone().send()).await?;
            let Some(acl) = answer.network_acls().first() else {
                return nothing(format!("{subnet} has no network ACL that is shown"));
            };
            let id = acl.network_acl_id().unwrap_or_default();
            let packets = self.others.iter().flat_map(|place| self.packets(place));
            let kept: Vec<String> = packets.filter_map(|packet| packet.kept_back(acl)).collect();
            if kept.is_empty() {
                let all = crate::text::list(&self.others.iter().map(ToString::to_string).collect::<Vec<_>>());
                let way = if self.out { "out to" } else { "in from" };
                let said = format!("{id} of {subnet} lets what is asked {way} {all}, and what is answered");
                return Ok(Verified::So(found(said, json!({}))));
            }
            Ok(Verified::NotYet { said: format!("{id} of {subnet} does not let through {}", kept.join("; nor ")) })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ec2::types::{IcmpTypeCode, PortRange};

    struct Rule(i32, bool, &'static str, &'static str, Option<(i32, i32)>, RuleAction);

    fn acl(rules: &[Rule]) -> NetworkAcl {
        let entries = rules.iter().map(|Rule(number, egress, protocol, range, ports, action)| {
            let entry = NetworkAclEntry::builder().rule_number(*number).egress(*egress).protocol(*protocol);
            let entry = entry.cidr_block(*range).rule_action(action.clone());
            match (*protocol, ports) {
                (ICMP, Some((r#type, code))) => {
                    entry.icmp_type_code(IcmpTypeCode::builder().r#type(*r#type).code(*code).build()).build()
                }
                (_, Some((from, to))) => entry.port_range(PortRange::builder().from(*from).to(*to).build()).build(),
                _ => entry.build(),
            }
        });
        NetworkAcl::builder().set_entries(Some(entries.collect())).build()
    }

    /// What is kept back of a question to 192.168.1.25, or of one from there.
    fn kept(rules: &[Rule], port: Option<u16>, out: bool) -> Vec<String> {
        kept_at(ANSWERED_AT, rules, port, out)
    }

    fn kept_at(answered_at: RangeInclusive<u16>, rules: &[Rule], port: Option<u16>, out: bool) -> Vec<String> {
        let place = Place { range: "192.168.1.25/32".parse().unwrap(), port };
        let subnet = Subnet::Id("subnet-1".into());
        let lets = AclLets { vpc: None, subnet, others: vec![], udp: false, out, answered_at };
        let (acl, packets) = (acl(rules), lets.packets(&place));
        packets.iter().filter_map(|packet| packet.kept_back(&acl)).collect()
    }

    use RuleAction::{Allow, Deny};

    const ALL: &str = "0.0.0.0/0";

    #[test]
    fn what_lets_everything_through_lets_questions_and_answers_through() {
        let rules = [
            Rule(100, true, "-1", ALL, None, Allow),
            Rule(100, false, "-1", ALL, None, Allow),
            Rule(THE_REST, true, "-1", ALL, None, Deny),
            Rule(THE_REST, false, "-1", ALL, None, Deny),
        ];
        for port in [None, Some(465)] {
            assert!(kept(&rules, port, true).is_empty() && kept(&rules, port, false).is_empty(), "{port:?}");
        }
    }

    #[test]
    fn an_answer_needs_a_rule_of_its_own() {
        let rules = [Rule(100, true, "-1", ALL, None, Allow), Rule(100, false, "6", ALL, Some((443, 443)), Allow)];
        let said = kept(&rules, Some(465), true);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("answers by TCP to ports 32768 to 60999 in from 192.168.1.25"), "{said:?}");
        let said = kept(&rules, None, true);
        assert_eq!(said, ["answers to pings in from 192.168.1.25, for no rule does"]);
        let said = kept(&rules, Some(443), false);
        assert!(said.is_empty(), "everything goes out: {said:?}");
    }

    #[test]
    fn the_lowest_number_counts_for_every_port() {
        let rules = [
            Rule(100, true, "-1", ALL, None, Allow),
            Rule(90, false, "6", "192.168.0.0/16", Some((40_000, 40_010)), Deny),
            Rule(100, false, "-1", ALL, None, Allow),
        ];
        let said = kept(&rules, Some(465), true);
        assert!(said[0].ends_with("for rule 90 denies it"), "{said:?}");
        assert!(kept(&rules, None, true).is_empty());
        let elsewhere = [
            Rule(100, true, "-1", ALL, None, Allow),
            Rule(90, false, "-1", "10.0.0.0/8", None, Deny),
            Rule(100, false, "6", "192.168.0.0/16", Some((32_768, 60_999)), Allow),
        ];
        assert!(kept(&elsewhere, Some(465), true).is_empty());
        let halves = [
            Rule(100, true, "6", ALL, Some((465, 465)), Allow),
            Rule(100, false, "6", ALL, Some((1_024, 50_000)), Allow),
            Rule(110, false, "6", ALL, Some((50_001, 65_535)), Allow),
        ];
        assert!(kept(&halves, Some(465), true).is_empty());
        assert_eq!(kept(&halves[..2], Some(465), true).len(), 1);
    }

    #[test]
    fn a_nat_gateway_takes_answers_at_more_ports_than_a_host() {
        let rules =
            [Rule(100, true, "-1", ALL, None, Allow), Rule(100, false, "6", ALL, Some((32_768, 60_999)), Allow)];
        assert!(kept(&rules, Some(80), true).is_empty());
        let said = kept_at(ANSWERED_AT_NAT, &rules, Some(80), true);
        assert!(said.len() == 1 && said[0].contains("to ports 1024 to 65535 in from"), "{said:?}");
    }

    #[test]
    fn of_pings_the_type_counts() {
        let rules =
            [Rule(100, true, ICMP, ALL, Some((8, -1)), Allow), Rule(100, false, ICMP, ALL, Some((0, -1)), Allow)];
        assert!(kept(&rules, None, true).is_empty());
        assert_eq!(kept(&rules, None, false).len(), 2, "these are let begin here, and not there");
        let all = [Rule(1, true, ICMP, ALL, Some((-1, -1)), Allow), Rule(1, false, ICMP, ALL, Some((-1, -1)), Allow)];
        assert!(kept(&all, None, false).is_empty());
    }
}

//! What name servers say: Amazon's own inside a VPC, the addresses of an inbound endpoint, the customer's, and those on the
//! Internet. All of it comes from the account's zones, rules and endpoints; what none of them speaks of is for `outside`.
//!
//! Rules: "Amazon Route 53 Developer Guide", How Amazon Route 53 Resolver forwards DNS queries from your VPCs to your
//! network, and Considerations when working with a private hosted zone.

mod published;

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};
use winterbaume_route53::wire::ResourceRecordSet;

use super::Layer;
use super::endpoints;
use super::pace::Wait;
use super::route53::Zone;
use super::services::EVERYWHERE;
use super::world::World;
pub(super) use published::Published;

/// Amazon's name server, which every host of EC2 reaches without a route or a rule.
pub const AMAZON: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 253);
/// How DHCP calls it.
const AMAZON_BY_NAME: &str = "AmazonProvidedDNS";
/// Names that lead to names, and servers that ask servers, at most.
const DEEPEST: usize = 8;

/// A question as it arrives.
#[derive(Debug, Clone)]
pub struct Question {
    /// The host that asks, by its address in the VPC; none for somebody on the Internet.
    pub asker: Option<Ipv4Addr>,
    pub server: IpAddr,
    pub name: String,
    /// Such as `A`.
    pub kind: String,
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub name: String,
    pub kind: String,
    pub ttl: i64,
    pub value: String,
}

/// What a name server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// None where the name is there and nothing of that type.
    Records(Vec<Record>),
    /// A name that leads to one outside, which the account's zones do not speak of.
    LeadsTo(Vec<Record>, String),
    NoSuchName,
    /// It does not know, because it cannot ask on.
    Fails,
    /// It is no name of the account's: whatever is outside answers.
    Outside,
}

/// What a host hears with its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    pub name_servers: Vec<Ipv4Addr>,
    pub domain: String,
}

/// From where names are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum View {
    Vpc(String),
    /// The customer's name server at that address.
    DataCentre(Ipv4Addr),
    Internet,
}

impl Layer {
    pub(crate) fn names(&mut self, region: &str, now: i64, question: &Question) -> Said {
        self.at(EVERYWHERE, now);
        if self.at(region, now).is_none() {
            return Said::Outside;
        }
        let Some(here) = self.worlds.get(region) else { return Said::Outside };
        let names = Names { here, zones: self.worlds.get(EVERYWHERE) };
        match names.view(question) {
            Some(view) => names.answer(&view, &whole(&question.name), &question.kind, 0),
            None => Said::Fails,
        }
    }

    /// What DHCP tells the host now.
    pub(crate) fn lease(&mut self, region: &str, now: i64, host: Ipv4Addr) -> Option<Lease> {
        let world = self.at(region, now)?;
        let instance = world.instances.values().find(|one| one.private_ip == host && one.terminated.is_none())?;
        let vpc = world.vpcs.get(&instance.vpc)?;
        let options = world.dhcp.get(&vpc.dhcp)?;
        let values = |name: &str| options.get(name).into_iter().flatten();
        let server = |text: &String| match text.as_str() {
            AMAZON_BY_NAME => Some(own_server(vpc.cidr.network())),
            address => address.parse().ok(),
        };
        let domain = values("domain-name").next().cloned().unwrap_or_default();
        Some(Lease { name_servers: values("domain-name-servers").filter_map(server).collect(), domain })
    }
}

/// The address of a VPC plus two.
pub(super) fn own_server(network: Ipv4Addr) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(network) + 2)
}

/// In small letters, with the dot at its end.
fn whole(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_ascii_lowercase())
}

/// Is the name the domain or below it? Both with their dots.
pub(super) fn within(name: &str, domain: &str) -> bool {
    domain == "." || name == domain || name.ends_with(&format!(".{domain}"))
}

/// Everything that knows names.
struct Names<'w> {
    here: &'w World,
    zones: Option<&'w World>,
}

impl Names<'_> {
    /// None where the asker has no such name server.
    fn view(&self, question: &Question) -> Option<View> {
        let own = question.asker.and_then(|ip| {
            let vpc = self.here.instances.values().find(|one| one.private_ip == ip && one.terminated.is_none())?;
            self.here.vpcs.get_key_value(&vpc.vpc)
        });
        if let Some((id, vpc)) = own
            && [AMAZON, own_server(vpc.cidr.network())].map(IpAddr::V4).contains(&question.server)
        {
            return vpc.dns_support.then(|| View::Vpc(id.clone()));
        }
        let IpAddr::V4(server) = question.server else { return Some(View::Internet) };
        if let Some(endpoint) = self.here.resolver.asked_at(self.here, server) {
            return Some(View::Vpc(endpoint.vpc.clone()));
        }
        let public = !server.is_private() && server != AMAZON;
        Some(if public { View::Internet } else { View::DataCentre(server) })
    }

    fn answer(&self, view: &View, name: &str, kind: &str, depth: usize) -> Said {
        if depth > DEEPEST {
            return Said::Fails;
        }
        match view {
            View::Vpc(vpc) => self.in_vpc(vpc, name, kind, depth),
            View::DataCentre(server) => self.in_data_centre(*server, name, kind, depth),
            View::Internet => self.outside(name, kind, depth),
        }
    }

    /// The longest match counts; of a rule and a zone for the same domain, the rule.
    fn in_vpc(&self, vpc: &str, name: &str, kind: &str, depth: usize) -> Said {
        if let Some(door) = endpoints::called(self.here, vpc, name) {
            let address =
                Record { name: name.to_owned(), kind: "A".to_owned(), ttl: 60, value: door.address.to_string() };
            return Said::Records(if kind == "A" { vec![address] } else { Vec::new() });
        }
        let zone = self.private(name, |zone| zone.is_asked_from(&self.here.region, vpc));
        let rule = self.here.resolver.rule_for(self.here, vpc, name);
        let zone_length = zone.map_or(0, |zone| zone.name.len());
        match rule.filter(|rule| rule.forward && rule.domain.len() >= zone_length) {
            Some(rule) => {
                let reached = self.here.resolver.reached_by(self.here, rule);
                match reached {
                    Some(server) => self.answer(&View::DataCentre(server), name, kind, depth + 1),
                    None => Said::Fails,
                }
            }
            None => match zone {
                Some(zone) => self.of_zone(zone, &View::Vpc(vpc.to_owned()), name, kind, depth),
                None => self.outside(name, kind, depth),
            },
        }
    }

    /// The customer's people forward our private names to an inbound endpoint once there is one that lets them ask, and
    /// write down the hosts that we told them of where they have the zone themselves.
    fn in_data_centre(&self, server: Ipv4Addr, name: &str, kind: &str, depth: usize) -> Said {
        if let Some(zone) = self.private(name, |_| true) {
            let endpoint = self.here.resolver.lets_ask(self.here, server);
            let endpoint = endpoint.filter(|one| zone.is_asked_from(&self.here.region, &one.vpc));
            return match endpoint {
                Some(endpoint) => self.answer(&View::Vpc(endpoint.vpc.clone()), name, kind, depth + 1),
                None => self.outside(name, kind, depth),
            };
        }
        match self.host_called(name) {
            Some(address) if kind == "A" => Said::Records(vec![Record {
                name: name.to_owned(),
                kind: kind.to_owned(),
                ttl: 60,
                value: address.to_string(),
            }]),
            Some(_) => Said::Records(Vec::new()),
            None => self.outside(name, kind, depth),
        }
    }

    /// A zone is found from when the one above it names its servers. Of a private one nobody outside knows; what begins with
    /// `_` there stands in the customer's own public zone, for mail.
    fn outside(&self, name: &str, kind: &str, depth: usize) -> Said {
        let ours = self.zones.is_some_and(|world| world.zones.holding(name).next().is_some());
        let public = self.zones.and_then(|world| world.zones.public_with_id(name)).filter(|(id, _)| self.delegated(id));
        let Some((_, zone)) = public else {
            let known = name.split('.').any(|label| label.starts_with('_'));
            return match self.beyond(&View::Internet, name, kind, depth) {
                Said::Outside if ours && !known => Said::NoSuchName,
                said => said,
            };
        };
        self.of_zone(zone, &View::Internet, name, kind, depth)
    }

    fn delegated(&self, zone: &str) -> bool {
        let Some(world) = self.zones else { return false };
        let born = world.born.get(&super::route53::tagged(zone)).copied().unwrap_or(i64::MIN);
        world.now >= born.saturating_add(world.pace.millis(Wait::CustomerNames))
    }

    fn private(&self, name: &str, asked: impl Fn(&Zone) -> bool) -> Option<&Zone> {
        self.zones.and_then(|world| world.zones.private(name, asked))
    }

    /// The address of the host whose name, in the tag, is the first part of this one.
    fn host_called(&self, name: &str) -> Option<Ipv4Addr> {
        let (first, rest) = name.split_once('.')?;
        let told = self.here.pace.millis(Wait::InstanceRunning) + self.here.pace.millis(Wait::CustomerNames);
        let is_it = |id: &str| self.here.tags.get(id).and_then(|tags| tags.get("Name")).is_some_and(|tag| tag == first);
        let mut there = self
            .here
            .instances
            .iter()
            .filter(|(_, one)| one.terminated.is_none() && self.here.now >= one.launched.saturating_add(told));
        let below = rest.trim_end_matches('.').contains('.');
        there.find(|(id, _)| below && is_it(id)).map(|(_, one)| one.private_ip)
    }

    fn of_zone(&self, zone: &Zone, view: &View, name: &str, kind: &str, depth: usize) -> Said {
        let of_name = zone.sets_of(name);
        if of_name.is_empty() {
            let below = zone.records.iter().any(|set| within(&set.name, name));
            return if below { Said::Records(Vec::new()) } else { Said::NoSuchName };
        }
        let is = |set: &&&ResourceRecordSet, wanted: &str| set.r#type == wanted;
        if let Some(set) = of_name.iter().find(|set| is(set, kind)) {
            return Said::Records(records(set, name));
        }
        let Some(alias) = of_name.iter().find(|set| is(set, "CNAME")) else { return Said::Records(Vec::new()) };
        self.led(view, records(alias, name), kind, depth)
    }

    /// Goes on where an alias leads.
    fn led(&self, view: &View, mut found: Vec<Record>, kind: &str, depth: usize) -> Said {
        let Some(target) = found.first().map(|record| whole(&record.value)) else { return Said::Records(found) };
        match self.answer(view, &target, kind, depth + 1) {
            Said::Records(more) => {
                found.extend(more);
                Said::Records(found)
            }
            Said::LeadsTo(more, last) => {
                found.extend(more);
                Said::LeadsTo(found, last)
            }
            Said::Outside => Said::LeadsTo(found, target),
            Said::NoSuchName => Said::Records(found),
            Said::Fails => Said::Fails,
        }
    }
}

fn records(set: &ResourceRecordSet, name: &str) -> Vec<Record> {
    let values = set.resource_records.iter().flat_map(|records| &records.items);
    let record = |value: &str| Record {
        name: name.to_owned(),
        kind: set.r#type.clone(),
        ttl: set.t_t_l.unwrap_or_default(),
        value: value.to_owned(),
    };
    values.map(|one| record(&one.value)).collect()
}

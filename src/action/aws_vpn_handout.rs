//! `aws/vpn-handout`: what the customer's network engineer has to set, made of what AWS says of the connection. AWS's own
//! sample shows the least that it takes and not what was agreed; so this is what counts. No pre-shared key is in it.

mod otherwise;
mod sheet;
mod strongswan;

use std::net::Ipv4Addr;

use async_trait::async_trait;
use serde_json::json;

use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_vpn_connection::connection;
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::ec2::types::{TunnelOption, VpnConnection};

/// `aws/vpn-handout`
pub(super) struct Handout {
    vpn: String,
    customer: Customer,
    amazon_asn: Option<String>,
    ours: Vec<String>,
    device: Option<Device>,
    backup: bool,
    second: bool,
}

/// What the router is called, and what AWS has a sample for.
#[derive(Debug, Clone, PartialEq)]
struct Device {
    theirs: String,
    sample: String,
}

/// The other end.
#[derive(Debug, Clone)]
struct Customer {
    address: String,
    behind_nat: bool,
    /// None with static routing.
    asn: Option<String>,
    ranges: Vec<String>,
    /// What has to get through besides pings, a line for each: `TCP 587 from 10.40.0.0/16 to smtp.acme.example`.
    doors: Vec<String>,
    target: Option<String>,
}

/// A connection as both ends have to have it.
#[derive(Debug, Clone)]
struct Agreed {
    vpn: String,
    customer: Customer,
    amazon_asn: String,
    ours: Vec<String>,
    device: Option<Device>,
    /// Is it there for the day when a line is down?
    backup: bool,
    /// Is it of a second router, which stands by for the first?
    is_second: bool,
    is_static: bool,
    /// It ends on a transit gateway, not at one VPC.
    is_transit: bool,
    /// It goes by Global Accelerator, which carries TCP and UDP and so takes ESP inside of UDP only; and the router has to
    /// renew IKE, or the tunnels go down ("Accelerated Site-to-Site VPN connections", rules).
    is_accelerated: bool,
    /// In GovCloud AWS's sample is another one.
    is_gov: bool,
    /// The ranges in the tunnels: the customer's, and ours.
    selectors: [String; 2],
    tunnels: Vec<Tunnel>,
}

/// One tunnel. Lists that are empty are AWS's own, which allow everything it knows.
#[derive(Debug, Clone, Default, PartialEq)]
struct Tunnel {
    outside: String,
    inside: String,
    ike: Vec<String>,
    phase_one: Phase,
    phase_two: Phase,
    dpd_seconds: i32,
    dpd_action: String,
    startup: String,
}

/// What one phase may negotiate, and for how many seconds it holds.
#[derive(Debug, Clone, Default, PartialEq)]
struct Phase {
    encryption: Vec<String>,
    integrity: Vec<String>,
    groups: Vec<i32>,
    seconds: i32,
}

impl Handout {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Handout {
            vpn: arguments.text("vpn")?,
            customer: Customer {
                address: arguments.text("address")?,
                behind_nat: arguments.optional("behind_nat")?.is_some_and(|said| said == "true"),
                asn: arguments.optional("customer_asn")?,
                ranges: arguments.list("theirs")?,
                doors: arguments.list("doors")?,
                target: arguments.optional("target")?,
            },
            amazon_asn: arguments.optional("amazon_asn")?,
            ours: arguments.list("ours")?,
            device: match (arguments.optional("device")?, arguments.optional("sample")?) {
                (Some(theirs), Some(sample)) => Some(Device { theirs, sample }),
                _ => None,
            },
            backup: arguments.optional("backup")?.is_some_and(|said| said == "true"),
            second: arguments.optional("second")?.is_some_and(|said| said == "true"),
        })
    }

    fn agreed(&self, there: &VpnConnection, region: &str) -> Agreed {
        let options = there.options();
        let range = |said: Option<&str>| said.unwrap_or("0.0.0.0/0").to_owned();
        let tunnels = options.map(|options| options.tunnel_options()).unwrap_or_default();
        Agreed {
            vpn: self.vpn.clone(),
            customer: self.customer.clone(),
            // The number of a gateway that was given none.
            amazon_asn: self.amazon_asn.clone().unwrap_or_else(|| "64512".to_owned()),
            ours: self.ours.clone(),
            device: self.device.clone(),
            backup: self.backup,
            is_second: self.second,
            is_static: options.and_then(|options| options.static_routes_only()).unwrap_or(self.customer.asn.is_none()),
            is_transit: there.transit_gateway_id().is_some_and(|id| !id.is_empty()),
            is_accelerated: options.and_then(|options| options.enable_acceleration()).unwrap_or(false),
            is_gov: region.starts_with("us-gov-"),
            selectors: [
                range(options.and_then(|options| options.local_ipv4_network_cidr())),
                range(options.and_then(|options| options.remote_ipv4_network_cidr())),
            ],
            tunnels: tunnels.iter().map(Tunnel::of).collect(),
        }
    }
}

impl Agreed {
    /// Which of all tunnels comes how late: 0 and 1 are those of the first router, 2 and 3 those of the second.
    fn ranks(&self) -> std::ops::Range<usize> {
        let first = if self.is_second { 2 } else { 0 };
        first..first + self.tunnels.len()
    }

    /// Is ESP packed into UDP?
    fn is_in_udp(&self) -> bool {
        self.customer.behind_nat || self.is_accelerated
    }
}

/// What is said above AWS's sample for a device: where it differs from what the connection takes.
pub(super) fn above_sample(sample: &str, there: &VpnConnection) -> String {
    let options = there.options().map(|options| options.tunnel_options()).unwrap_or_default();
    otherwise::above(sample, &options.iter().map(Tunnel::of).collect::<Vec<_>>())
}

impl Tunnel {
    fn is_ikev1(&self) -> bool {
        self.ike == ["ikev1"]
    }

    /// AWS begins it, and does so again when the router was silent: of itself it begins one that is new or was changed ("Site-to-Site
    /// VPN tunnel initiation options"), and never by IKEv1.
    fn aws_begins_again(&self) -> bool {
        self.startup == "start" && self.dpd_action == "restart" && !self.is_ikev1()
    }

    /// What AWS does not say is its default ("Tunnel options for your Site-to-Site VPN connection").
    fn of(there: &TunnelOption) -> Self {
        let mut ike: Vec<String> =
            there.ike_versions().iter().filter_map(|one| one.value().map(str::to_owned)).collect();
        ike.sort();
        let phase_one = Phase {
            encryption: words(there.phase1_encryption_algorithms().iter().map(|one| one.value())),
            integrity: words(there.phase1_integrity_algorithms().iter().map(|one| one.value())),
            groups: there.phase1_dh_group_numbers().iter().filter_map(|one| one.value()).collect(),
            seconds: there.phase1_lifetime_seconds().unwrap_or(28_800),
        };
        let phase_two = Phase {
            encryption: words(there.phase2_encryption_algorithms().iter().map(|one| one.value())),
            integrity: words(there.phase2_integrity_algorithms().iter().map(|one| one.value())),
            groups: there.phase2_dh_group_numbers().iter().filter_map(|one| one.value()).collect(),
            seconds: there.phase2_lifetime_seconds().unwrap_or(3_600),
        };
        Tunnel {
            outside: there.outside_ip_address().unwrap_or_default().to_owned(),
            inside: there.tunnel_inside_cidr().unwrap_or_default().to_owned(),
            ike,
            phase_one,
            phase_two,
            dpd_seconds: there.dpd_timeout_seconds().unwrap_or(30),
            dpd_action: there.dpd_timeout_action().unwrap_or("clear").to_owned(),
            startup: there.startup_action().unwrap_or("add").to_owned(),
        }
    }

    /// The inside addresses: AWS takes the first of the range, the customer has the second.
    fn inner(&self) -> Option<(Ipv4Addr, Ipv4Addr)> {
        let net: ipnet::Ipv4Net = self.inside.parse().ok()?;
        let mut hosts = net.hosts();
        Some((hosts.next()?, hosts.next()?))
    }
}

fn words<'w>(values: impl Iterator<Item = Option<&'w str>>) -> Vec<String> {
    values.flatten().map(str::to_owned).collect()
}

impl Phase {
    /// With AWS's own lists: the best that every current device has, of which each is allowed.
    fn settled(&self) -> Phase {
        let or = |list: &[String], best: &str| if list.is_empty() { vec![best.to_owned()] } else { list.to_vec() };
        Phase {
            encryption: or(&self.encryption, "AES256"),
            integrity: or(&self.integrity, "SHA2-256"),
            groups: if self.groups.is_empty() { vec![14] } else { self.groups.clone() },
            seconds: self.seconds,
        }
    }
}

#[async_trait]
impl Question for Handout {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.vpn) {
            return Verified::NotYet { said: "the connection is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let Some(there) = connection(&cloud, &self.vpn).await? else {
                return Ok(Verified::NotYet { said: format!("{} is not there", self.vpn) });
            };
            let agreed = self.agreed(&there, cloud.region());
            if agreed.tunnels.len() != 2 || agreed.tunnels.iter().any(|tunnel| tunnel.inner().is_none()) {
                return Ok(Verified::NotYet {
                    said: format!("AWS does not say yet how the tunnels of {} are", self.vpn),
                });
            }
            let output = json!({
                "sheet": sheet::sheet(&agreed),
                "swanctl": strongswan::swanctl(&agreed),
                "frr": strongswan::frr(&agreed),
            });
            Ok(Verified::So(found(format!("what is to be set for {}", self.vpn), output)))
        })
        .await
    }
}

#[cfg(test)]
mod tests;

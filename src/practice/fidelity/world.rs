//! What AWS knows of the account in one region, as far as P01 goes. winterbaume keeps the objects too, so that the calls
//! which this layer does not know find them; but it keeps too little of each to answer as AWS does.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::backup::Backups;
use super::block::Block;
use super::control::Control;
use super::deposits::Deposit;
use super::dhcp;
use super::disks::{Defaults, DiskSnapshot};
use super::dx::Lines;
use super::kind::Kind;
use super::logs::Writing;
use super::mail::Mail;
use super::naming::Published;
use super::own_images::OwnImage;
use super::pace::{Pace, Wait};
use super::quotas::Quotas;
use super::rds::Databases;
use super::refusal::Refusal;
use super::resolver::Resolver;
use super::route53::Zones;
use super::s3::Stored;
use super::secrets::Secret;
use super::trails::{self, Trail};
use super::transit::{TransitAttachment, TransitGateway};
use super::xml::Xml;

pub(super) type Tags = BTreeMap<String, String>;
type Table<T> = BTreeMap<String, T>;

/// Deleted and terminated things stay visible for about an hour (spec/domain.md §1.1).
const REMEMBERED: i64 = 3_600_000;

/// Everything in one region of the account. Times are milliseconds since 1970.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct World {
    pub account: String,
    pub region: String,
    pub vpcs: Table<Vpc>,
    pub subnets: Table<Subnet>,
    pub gateways: Table<InternetGateway>,
    pub route_tables: Table<RouteTable>,
    pub addresses: Table<Address>,
    pub nats: Table<NatGateway>,
    pub groups: Table<Group>,
    pub rules: Table<Rule>,
    pub keys: Table<KeyPair>,
    pub instances: Table<Instance>,
    #[serde(default)]
    pub customer_gateways: Table<CustomerGateway>,
    #[serde(default)]
    pub vpn_gateways: Table<VpnGateway>,
    #[serde(default)]
    pub vpn_connections: Table<VpnConnection>,
    #[serde(default)]
    pub transit_gateways: Table<TransitGateway>,
    #[serde(default)]
    pub transit_attachments: Table<TransitAttachment>,
    #[serde(default)]
    pub peerings: Table<Peering>,
    #[serde(default)]
    pub dhcp: Table<dhcp::Options>,
    #[serde(default)]
    pub defaults: Defaults,
    #[serde(default)]
    pub disk_snapshots: Table<DiskSnapshot>,
    #[serde(default)]
    pub own_images: Table<OwnImage>,
    #[serde(default)]
    pub databases: Databases,
    pub tags: Table<Tags>,
    pub born: Table<i64>,
    /// Objects that nobody sees before this moment.
    #[serde(default)]
    pub veiled: Table<i64>,
    pub tokens: Table<Token>,
    #[serde(default)]
    pub secrets: Table<Secret>,
    /// Only where that is kept which is one for all regions.
    #[serde(default)]
    pub zones: Zones,
    /// So are these two.
    #[serde(default)]
    pub block: Option<Block>,
    #[serde(default = "trails::usual")]
    pub trails: Vec<Trail>,
    #[serde(default)]
    pub mail: Mail,
    /// The last message that came to each address.
    #[serde(default)]
    pub mailboxes: BTreeMap<String, String>,
    /// In the customer's own name servers.
    #[serde(default)]
    pub published: Published,
    /// The customer's firewall lets nothing through that comes over the connection.
    #[serde(default)]
    pub firewall_closed: bool,
    /// Products of the Marketplace whose terms are accepted, and from when on.
    #[serde(default)]
    pub terms: BTreeMap<String, i64>,
    /// Buckets of the customer's, which may be another account's.
    #[serde(default)]
    pub deposits: BTreeMap<String, Deposit>,
    #[serde(default)]
    pub quotas: Quotas,
    #[serde(default)]
    pub resolver: Resolver,
    #[serde(default)]
    pub lines: Lines,
    #[serde(default)]
    pub control: Control,
    #[serde(default)]
    pub backup: Backups,
    /// Objects in buckets, by `bucket/key`.
    #[serde(default)]
    pub objects: Table<Stored>,
    pub minted: u64,
    #[serde(skip)]
    pub now: i64,
    #[serde(skip)]
    pub hidden_for: i64,
    /// How long what this call makes stays out of sight.
    #[serde(skip)]
    pub veil: i64,
    #[serde(skip, default = "instant")]
    pub pace: Pace,
}

fn instant() -> Pace {
    Pace::Instant
}

impl Default for Pace {
    fn default() -> Self {
        instant()
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Vpc {
    pub cidr: Ipv4Net,
    pub is_default: bool,
    pub tenancy: String,
    pub dns_support: bool,
    pub dns_hostnames: bool,
    #[serde(default = "first_dhcp")]
    pub dhcp: String,
}

fn first_dhcp() -> String {
    dhcp::FIRST.into()
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CustomerGateway {
    pub ip: Ipv4Addr,
    pub asn: i64,
    pub device: Option<String>,
    pub deleted: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct VpnGateway {
    pub asn: i64,
    pub attachment: Option<Attachment>,
    pub deleted: Option<i64>,
}

/// A VPN gateway's place at a VPC, from when, and until when.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Attachment {
    pub vpc: String,
    pub since: i64,
    pub left: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct VpnConnection {
    pub customer_gateway: String,
    pub gateway: String,
    pub is_static: bool,
    pub local: String,
    pub remote: String,
    #[serde(default = "usual")]
    pub bandwidth: String,
    #[serde(default)]
    pub accelerated: bool,
    /// The ARN of the secret that has its keys, where they are kept in one.
    #[serde(default)]
    pub keys_secret: Option<String>,
    pub tunnels: Vec<Tunnel>,
    /// Static ones, by prefix, with when each was made.
    pub routes: Table<i64>,
    pub created: i64,
    pub deleted: Option<i64>,
}

fn usual() -> String {
    "standard".into()
}

/// One of the two. What it may negotiate stands under the names of the description.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tunnel {
    pub outside: Ipv4Addr,
    pub inside: Ipv4Net,
    pub key: String,
    pub lists: Table<Vec<String>>,
    pub startup: String,
    pub dpd: String,
    /// Lifetimes, as described.
    #[serde(default)]
    pub numbers: Table<i64>,
    /// Where its log goes, as described.
    #[serde(default)]
    pub logs: Table<String>,
    /// A test has taken it down.
    pub down: bool,
    /// What AWS says of it then, where that is more than usual.
    #[serde(default)]
    pub said: Option<String>,
    /// What goes into its log, beside that it came up.
    #[serde(default)]
    pub writes: Option<Writing>,
}

/// A VPC of ours that is joined with one of another account, or is to be.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Peering {
    pub vpc: String,
    pub peer_vpc: String,
    pub peer_owner: String,
    pub peer_region: String,
    pub peer_cidr: Ipv4Net,
    /// Our names lead the other side to private addresses.
    #[serde(default)]
    pub names: bool,
    /// Since when the other side has been asked to do the same.
    #[serde(default)]
    pub names_asked: Option<i64>,
    pub created: i64,
    pub failed: Option<String>,
    pub deleted: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Subnet {
    pub vpc: String,
    pub cidr: Ipv4Net,
    pub zone: String,
    pub map_public: bool,
    pub default_for_zone: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct InternetGateway {
    pub vpc: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RouteTable {
    pub vpc: String,
    pub routes: Vec<Route>,
    pub associations: Vec<TableAssociation>,
    /// Gateways whose routes it learns.
    #[serde(default)]
    pub propagating: Vec<String>,
}

/// A route; the local one has the target `local`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Route {
    pub destination: Ipv4Net,
    pub target: String,
}

/// A table's tie to a subnet; without one it is the VPC's main table.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TableAssociation {
    pub id: String,
    pub subnet: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Address {
    pub ip: Ipv4Addr,
    pub association: Option<AddressAssociation>,
}

/// `user` is the instance or the NAT gateway that has the address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AddressAssociation {
    pub id: String,
    pub user: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NatGateway {
    pub vpc: String,
    pub subnet: String,
    pub public: bool,
    pub allocation: Option<String>,
    pub public_ip: Option<Ipv4Addr>,
    pub private_ip: Ipv4Addr,
    pub interface: String,
    pub created: i64,
    pub deleted: Option<i64>,
    pub failure: Option<(String, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub vpc: String,
    pub name: String,
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rule {
    pub group: String,
    pub egress: bool,
    pub protocol: String,
    pub ports: Option<(i64, i64)>,
    pub peer: Peer,
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Peer {
    V4(Ipv4Net),
    V6(Ipv6Net),
    Group(String),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeyPair {
    pub name: String,
    pub algorithm: String,
    pub fingerprint: String,
    pub public: String,
    pub created: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Instance {
    pub reservation: String,
    pub image: String,
    pub kind: String,
    pub vpc: String,
    pub subnet: String,
    pub groups: Vec<String>,
    pub key: Option<String>,
    /// The line that cloud-init put into authorized_keys: it outlives the key pair.
    pub public_key: Option<String>,
    pub private_ip: Ipv4Addr,
    pub own_public_ip: Option<Ipv4Addr>,
    pub interface: String,
    pub volume: String,
    /// Its disk is.
    #[serde(default)]
    pub encrypted: bool,
    pub token: Option<String>,
    pub user_data: Option<String>,
    pub http_tokens: String,
    pub hop_limit: i64,
    pub protected: bool,
    pub source_dest_check: bool,
    pub launched: i64,
    pub terminated: Option<i64>,
}

/// A client token that was used, with what it made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Token {
    pub digest: String,
    pub ids: Vec<String>,
}

impl World {
    pub fn new(account: &str, region: &str) -> Self {
        Self { account: account.into(), region: region.into(), ..Self::default() }
    }

    /// A new object of this kind: remembers when it was made, and its tags.
    pub fn born(&mut self, id: &str, tags: Tags) {
        self.appears(id);
        self.tags.insert(id.into(), tags);
    }

    /// Something new is there, which a fault may hide for a while.
    pub fn appears(&mut self, id: &str) {
        self.born.insert(id.into(), self.now);
        if self.veil > 0 {
            self.veiled.insert(id.into(), self.now + self.veil);
        }
    }

    pub fn forget(&mut self, id: &str) {
        self.born.remove(id);
        self.tags.remove(id);
    }

    /// An id of our own, for the objects that winterbaume does not make.
    pub fn mint(&mut self, prefix: &str) -> String {
        self.minted += 1;
        let digest = blake3::hash(format!("{prefix}/{}/{}/{}", self.account, self.region, self.minted).as_bytes());
        format!("{prefix}-0{}", &digest.to_hex()[..16])
    }

    /// False while the fault `invisible` hides it.
    pub fn visible(&self, id: &str) -> bool {
        self.veiled.get(id).is_none_or(|until| *until <= self.now) && self.old_enough(id)
    }

    fn old_enough(&self, id: &str) -> bool {
        self.hidden_for == 0 || self.born.get(id).is_none_or(|born| born + self.hidden_for <= self.now)
    }

    /// The object with this id, or AWS's words for a malformed or unknown one.
    pub fn find<'w, T>(&self, kind: Kind, table: &'w Table<T>, id: &str) -> Result<&'w T, Refusal> {
        kind.check_shape(id)?;
        table.get(id).filter(|_| self.visible(id)).ok_or_else(|| kind.not_found(id))
    }

    pub fn vpc(&self, id: &str) -> Result<&Vpc, Refusal> {
        self.find(Kind::Vpc, &self.vpcs, id)
    }

    pub fn subnet(&self, id: &str) -> Result<&Subnet, Refusal> {
        self.find(Kind::Subnet, &self.subnets, id)
    }

    pub fn gateway(&self, id: &str) -> Result<&InternetGateway, Refusal> {
        self.find(Kind::InternetGateway, &self.gateways, id)
    }

    pub fn route_table(&self, id: &str) -> Result<&RouteTable, Refusal> {
        self.find(Kind::RouteTable, &self.route_tables, id)
    }

    pub fn group(&self, id: &str) -> Result<&Group, Refusal> {
        self.find(Kind::Group, &self.groups, id)
    }

    pub fn instance(&self, id: &str) -> Result<&Instance, Refusal> {
        self.find(Kind::Instance, &self.instances, id)
    }

    pub fn default_vpc(&self) -> Result<&str, Refusal> {
        let found = self.vpcs.iter().find(|(_, vpc)| vpc.is_default);
        let none = || Refusal::new("VPCIdNotSpecified", "No default VPC for this user");
        found.map(|(id, _)| id.as_str()).ok_or_else(none)
    }

    /// True when this kind of object exists under the id, seen or not.
    pub fn exists(&self, kind: Kind, id: &str) -> bool {
        match kind {
            Kind::Volume => self.instances.values().any(|i| i.volume == id),
            Kind::Interface => {
                self.instances.values().any(|i| i.interface == id) || self.nats.values().any(|n| n.interface == id)
            }
            _ => self.born.contains_key(id),
        }
    }

    /// The object's tags as EC2 writes them.
    pub fn tag_set(&self, id: &str) -> Vec<Xml> {
        let tags = self.tags.get(id).into_iter().flatten();
        tags.map(|(key, value)| Xml::new().text("key", key).text("value", value)).collect()
    }

    /// The private addresses taken in a subnet.
    pub fn taken(&self, subnet: &str) -> Vec<Ipv4Addr> {
        let instances =
            self.instances.iter().filter(|(_, i)| i.subnet == subnet && self.instance_state(i) != "terminated");
        let nats = self.nats.values().filter(|n| n.subnet == subnet && self.holds(n));
        let resolver = self.resolver.endpoints.values().flat_map(|endpoint| &endpoint.addresses);
        let resolver = resolver.filter(|(id, _)| id == subnet).map(|(_, ip)| *ip);
        instances.map(|(_, i)| i.private_ip).chain(nats.map(|n| n.private_ip)).chain(resolver).collect()
    }

    /// The next free private address: AWS keeps the first four and the last of every subnet
    /// (docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html).
    pub fn free_address(&self, id: &str, subnet: &Subnet) -> Option<Ipv4Addr> {
        let taken = self.taken(id);
        let last = subnet.cidr.broadcast();
        subnet.cidr.hosts().filter(|ip| *ip != last).skip(3).find(|ip| !taken.contains(ip))
    }

    /// The next free public address, from the block that documents may use (RFC 5737).
    pub fn free_public(&self) -> Option<Ipv4Addr> {
        let mut taken: Vec<Ipv4Addr> = self.addresses.values().map(|a| a.ip).collect();
        taken.extend(self.instances.values().filter_map(|i| i.own_public_ip));
        (50..=254).chain(1..50).map(|last| Ipv4Addr::new(203, 0, 113, last)).find(|ip| !taken.contains(ip))
    }

    /// The elastic address of an instance or NAT gateway: its allocation id and itself.
    pub fn address_of(&self, user: &str) -> Option<(&str, &Address)> {
        let has = |a: &Address| a.association.as_ref().is_some_and(|association| association.user == user);
        self.addresses.iter().find(|(_, a)| has(a)).map(|(id, a)| (id.as_str(), a))
    }

    pub fn public_ip(&self, id: &str, instance: &Instance) -> Option<Ipv4Addr> {
        self.address_of(id).map(|(_, a)| a.ip).or(instance.own_public_ip)
    }

    /// True when an internet gateway is attached to the VPC.
    pub fn has_internet(&self, vpc: &str) -> bool {
        self.gateways.values().any(|gateway| gateway.vpc.as_deref() == Some(vpc))
    }

    pub fn instance_state(&self, instance: &Instance) -> &'static str {
        match instance.terminated {
            Some(at) if self.now >= at + self.pace.millis(Wait::InstanceGone) => "terminated",
            Some(_) => "shutting-down",
            None if self.now >= instance.launched + self.pace.millis(Wait::InstanceRunning) => "running",
            None => "pending",
        }
    }

    pub fn nat_state(&self, nat: &NatGateway) -> &'static str {
        let settled = self.now >= nat.created + self.pace.millis(Wait::NatGateway);
        match (nat.deleted, &nat.failure) {
            (Some(at), _) if self.now >= at + self.pace.millis(Wait::NatGatewayGone) => "deleted",
            (Some(_), _) => "deleting",
            (None, Some(_)) if settled => "failed",
            (None, None) if settled => "available",
            _ => "pending",
        }
    }

    /// True while a NAT gateway holds its address and its place in the subnet.
    pub fn holds(&self, nat: &NatGateway) -> bool {
        !matches!(self.nat_state(nat), "deleted" | "failed")
    }

    /// Lets the time that passed have its effects: addresses come free, what is long gone is forgotten.
    pub fn settle(&mut self) {
        self.dhcp.entry(first_dhcp()).or_insert_with(|| dhcp::first(&self.region));
        let gone = |world: &World, user: &str| match Kind::of(user) {
            Some(Kind::NatGateway) => world.nats.get(user).is_none_or(|nat| !world.holds(nat)),
            _ => world.instances.get(user).is_none_or(|instance| instance.terminated.is_some()),
        };
        let used = self.addresses.iter().filter_map(|(id, a)| Some((id, &a.association.as_ref()?.user)));
        let free: Vec<String> = used.filter(|(_, user)| gone(self, user)).map(|(id, _)| id.clone()).collect();
        for id in free {
            if let Some(address) = self.addresses.get_mut(&id) {
                address.association = None;
            }
        }
        let old = |at: Option<i64>| at.is_some_and(|at| at + REMEMBERED < self.now);
        let nats = self.nats.iter().filter(|(_, n)| old(n.deleted) || (n.failure.is_some() && old(Some(n.created))));
        let instances = self.instances.iter().filter(|(_, i)| old(i.terminated));
        let customers = self.customer_gateways.iter().filter(|(_, one)| old(one.deleted)).map(|(id, _)| id);
        let gateways = self.vpn_gateways.iter().filter(|(_, one)| old(one.deleted)).map(|(id, _)| id);
        let connections = self.vpn_connections.iter().filter(|(_, one)| old(one.deleted)).map(|(id, _)| id);
        let gone = nats.map(|(id, _)| id).chain(instances.map(|(id, _)| id));
        let transit = self.transit_gateways.iter().filter(|(_, one)| old(one.deleted)).map(|(id, _)| id);
        let attachments = self.transit_attachments.iter().filter(|(_, one)| old(one.deleted)).map(|(id, _)| id);
        let peerings = self.peerings.iter().filter(|(_, one)| old(one.deleted)).map(|(id, _)| id);
        let gone =
            gone.chain(peerings).chain(customers).chain(gateways).chain(connections).chain(transit).chain(attachments);
        let gone: Vec<String> = gone.cloned().collect();
        for id in gone {
            self.nats.remove(&id);
            self.customer_gateways.remove(&id);
            self.vpn_gateways.remove(&id);
            self.vpn_connections.remove(&id);
            self.transit_gateways.remove(&id);
            self.transit_attachments.remove(&id);
            self.peerings.remove(&id);
            if let Some(instance) = self.instances.remove(&id) {
                self.forget(&instance.volume);
                self.forget(&instance.interface);
            }
            self.forget(&id);
        }
    }
}

/// A time as EC2 writes it: `2026-08-01T12:00:00.000Z`.
pub(super) fn stamp(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

//! What the practice hosts need to know of the machines that the cloud promised.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::Layer;
use super::logs::Writing;
use super::reach::{Reach, Source, answers, reach};
use super::services::EVERYWHERE;
use super::world::{Instance, Peer, Rule, World};
use super::{control_types, images, peering, seed};
use crate::practice::mishap::Mishap;

/// One instance, as its host should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    pub instance_id: String,
    /// `pending`, `running`, `shutting-down` or `terminated`.
    pub state: &'static str,
    /// The tag `Name`.
    pub name: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub private_ip: Ipv4Addr,
    /// The elastic address, or the one that the subnet gave it.
    pub public_ip: Option<Ipv4Addr>,
    /// The key pair's public key, as a line of authorized_keys.
    pub public_key: Option<String>,
    /// The user that the image's cloud-init makes: `ubuntu` or `ec2-user`.
    pub image_user: &'static str,
    pub image_name: &'static str,
    pub user_data: Option<String>,
    /// What its ed25519 host key is made of, where that is the same in every practice.
    pub host_key_number: Option<u8>,
    pub vpc: String,
    pub subnet: String,
    /// What its security groups let in.
    pub ingress: Vec<Ingress>,
}

/// One thing that the security groups let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingress {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, or `-1` for all.
    pub protocol: String,
    /// First and last port; none for all.
    pub ports: Option<(i64, i64)>,
    pub from: Peers,
}

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peers {
    Net(IpNet),
    /// The members of a security group, by their private addresses.
    Group {
        id: String,
        members: Vec<Ipv4Addr>,
    },
}

impl Layer {
    /// Every instance of a region, the terminated ones too.
    pub(crate) fn machines(&mut self, region: &str, now: i64) -> Vec<Machine> {
        let Some(world) = self.at(region, now) else { return vec![] };
        world.instances.iter().filter_map(|(id, instance)| machine(world, id, instance)).collect()
    }

    /// For every live object of the region, and of what is one for all, that carries an engagement's key: its kind, the
    /// engagement and the key.
    pub(crate) fn keyed(&mut self, region: &str, now: i64) -> Vec<String> {
        [region, EVERYWHERE].iter().flat_map(|place| self.keyed_at(place, now)).collect()
    }

    fn keyed_at(&mut self, place: &str, now: i64) -> Vec<String> {
        let Some(world) = self.at(place, now) else { return vec![] };
        let gone = |id: &str| {
            world.instances.get(id).is_some_and(|instance| instance.terminated.is_some())
                || world.nats.get(id).is_some_and(|nat| nat.deleted.is_some())
                || world.customer_gateways.get(id).is_some_and(|gateway| gateway.deleted.is_some())
                || world.vpn_gateways.get(id).is_some_and(|gateway| gateway.deleted.is_some())
                || world.vpn_connections.get(id).is_some_and(|connection| connection.deleted.is_some())
                || world.transit_gateways.get(id).is_some_and(|gateway| gateway.deleted.is_some())
                || world.transit_attachments.get(id).is_some_and(|attachment| attachment.deleted.is_some())
                || world.line_thing_is_gone(id)
                || world.peerings.get(id).is_some_and(|peering| peering.deleted.is_some())
        };
        // A port of a LAG carries the tags of the LAG.
        let own = |id: &str| !gone(id) && !world.is_port_of_a_lag(id);
        let keyed = world.tags.iter().filter(|(id, _)| own(id)).filter_map(|(id, tags)| {
            let kind = match id.split(['-', '/']).next().unwrap_or_default() {
                // Their ids have no prefix.
                _ if world.lines.gateways.contains_key(id) => "dxgw",
                kind => kind,
            };
            // A call makes a rule for each range and port, all with its tags.
            let rule = |rule: &Rule| format!(" {} {:?} {:?}", rule.protocol, rule.ports, rule.peer);
            let from = world.rules.get(id).map(rule).unwrap_or_default();
            Some(format!("{kind} {} {}{from}", tags.get("onramp:engagement")?, tags.get("onramp:key")?))
        });
        // A volume and an interface carry the tags of their instance.
        let keyed = keyed.filter(|found| !found.starts_with("vol ") && !found.starts_with("eni "));
        let secrets = world.secrets.values().filter_map(|secret| secret.keyed());
        keyed.chain(secrets.map(|(engagement, key)| format!("secret {engagement} {key}"))).collect()
    }

    /// Takes a tunnel of a connection down, with these words of AWS on it, or lets it come up.
    pub(crate) fn set_tunnel(
        &mut self,
        region: &str,
        now: i64,
        (connection, number): (&str, usize),
        down: Option<&str>,
    ) {
        self.at(region, now);
        let tunnels = self.worlds.get_mut(region).and_then(|world| world.vpn_connections.get_mut(connection));
        if let Some(tunnel) = tunnels.and_then(|connection| connection.tunnels.get_mut(number)) {
            tunnel.down = down.is_some();
            tunnel.said = down.map(str::to_owned);
        }
    }

    /// What a tunnel writes into its log from now on, at each attempt. About BGP it writes while it is up, else it is down.
    pub(crate) fn write_log(
        &mut self,
        region: &str,
        now: i64,
        (connection, number): (&str, usize),
        (lines, of_session): (&[&str], bool),
    ) {
        self.at(region, now);
        let tunnels = self.worlds.get_mut(region).and_then(|world| world.vpn_connections.get_mut(connection));
        if let Some(tunnel) = tunnels.and_then(|connection| connection.tunnels.get_mut(number)) {
            tunnel.down = !(lines.is_empty() || of_session);
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            tunnel.writes = Some(Writing { since: now, lines, of_session });
        }
    }

    /// How much light all lines bring.
    pub(crate) fn set_light(&mut self, region: &str, now: i64, level: f64) {
        self.at(region, now);
        if let Some(world) = self.worlds.get_mut(region) {
            world.lines.light = Some(level);
        }
    }

    /// Something goes wrong at the customer's end, or all is well there again. Says at which connections; at none, nothing happens.
    pub(crate) fn happen(&mut self, region: &str, now: i64, mishap: Option<Mishap>) -> Vec<String> {
        self.at(region, now);
        let Some(world) = self.worlds.get_mut(region) else { return Vec::new() };
        let mut there = Vec::new();
        // What is broken already stays so where there is nothing of that kind.
        let no_tunnel = world.vpn_connections.values().all(|one| one.deleted.is_some());
        let fits = match mishap {
            None | Some(Mishap::Firewall) => true,
            Some(Mishap::Fibre) => world.lines.are_known(),
            Some(_) => !no_tunnel,
        };
        if !fits {
            return there;
        }
        world.lines.light = (mishap == Some(Mishap::Fibre)).then_some(super::dx::NO_LIGHT);
        for (id, connection) in world.vpn_connections.iter_mut().filter(|(_, one)| one.deleted.is_none()) {
            let router = world.customer_gateways.get(&connection.customer_gateway).map(|one| one.ip.to_string());
            let lines = mishap.map(|mishap| mishap.writes(router.as_deref().unwrap_or_default())).unwrap_or_default();
            for (number, tunnel) in connection.tunnels.iter_mut().enumerate() {
                tunnel.down = mishap.is_some_and(|mishap| mishap.takes_down(number));
                tunnel.said = tunnel.down.then(|| "IPSEC IS DOWN".to_owned());
                let writing = Writing { since: world.now, lines: lines.clone(), of_session: false };
                tunnel.writes = (!lines.is_empty()).then_some(writing);
            }
            if mishap != Some(Mishap::Fibre) {
                there.push(id.clone());
            }
        }
        let lines = world.vpn_gateways.len() + world.transit_gateways.len();
        world.firewall_closed = mishap == Some(Mishap::Firewall) && lines > 0;
        if there.is_empty() && lines > 0 && mishap.is_none_or(Mishap::is_of_lines) {
            there.push("the line".to_owned());
        }
        there
    }

    /// Puts something into a bucket, or takes all of it out.
    pub(crate) fn set_bucket(&mut self, region: &str, bucket: &str, full: bool) {
        if let Some(world) = self.worlds.get_mut(region) {
            control_types::fill(world, bucket, full);
        }
    }

    /// As whom a host sees the engineer, where the engineer's network is joined with its VPC.
    pub(crate) fn engineer(&mut self, region: &str, now: i64, to: IpAddr) -> Option<IpAddr> {
        let IpAddr::V4(to) = to else { return None };
        self.at(region, now).and_then(|world| peering::engineer(world, to)).map(IpAddr::V4)
    }

    pub(crate) fn reachable(&mut self, region: &str, now: i64, from: Source, to: IpAddr, port: u16) -> Reach {
        self.at(region, now).map_or(Reach::Filtered, |world| reach(world, from, to, port))
    }

    pub(crate) fn answers(
        &mut self,
        region: &str,
        now: i64,
        (from, to): (IpAddr, IpAddr),
        door: (&str, i64),
    ) -> Option<u32> {
        let (IpAddr::V4(from), IpAddr::V4(to)) = (from, to) else { return None };
        self.at(region, now).and_then(|world| answers(world, from, to, door))
    }
}

fn machine(world: &World, id: &str, instance: &Instance) -> Option<Machine> {
    let image = images::find(&world.region, &instance.image).ok()?;
    let tags = world.tags.get(id).cloned().unwrap_or_default();
    let own = world.rules.values().filter(|rule| !rule.egress && instance.groups.contains(&rule.group));
    Some(Machine {
        instance_id: id.into(),
        state: world.instance_state(instance),
        name: tags.get("Name").cloned(),
        tags,
        private_ip: instance.private_ip,
        public_ip: world.public_ip(id, instance),
        public_key: instance.public_key.clone(),
        image_user: image.user,
        image_name: image.name,
        user_data: instance.user_data.clone(),
        host_key_number: seed::host_key_number(instance.private_ip),
        vpc: instance.vpc.clone(),
        subnet: instance.subnet.clone(),
        ingress: own.map(|rule| ingress(world, rule)).collect(),
    })
}

fn ingress(world: &World, rule: &Rule) -> Ingress {
    let from = match &rule.peer {
        Peer::V4(net) => Peers::Net(IpNet::V4(*net)),
        Peer::V6(net) => Peers::Net(IpNet::V6(*net)),
        Peer::Group(id) => {
            let members = world.instances.values().filter(|i| i.groups.contains(id) && i.terminated.is_none());
            Peers::Group { id: id.clone(), members: members.map(|i| i.private_ip).collect() }
        }
    };
    Ingress { protocol: rule.protocol.clone(), ports: rule.ports, from }
}

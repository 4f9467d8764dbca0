//! Virtual interfaces on a line, and the BGP session over each. What AWS answers has the MD5 key in it: nothing of it is
//! kept or shown but what is taken out here.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_dx::tagged;
use super::aws_network::label;
use super::call::dx::{DxRequest, LeadsTo, NewInterface};
use super::call::{Call, Label};
use super::check::Question;
use super::object::{Made, Remains, Sight, Thing, differing, found};
use super::tagged::{Tagged, holder, left, otherwise, ours, the_one};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::direct_connect::types::{BgpPeer, BgpStatus, VirtualInterface, VirtualInterfaceState as State};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::engagement::Difference;
use crate::text::list;

/// All that are not gone, of one line or of the region, with their tags.
pub(super) async fn interfaces(cloud: &Cloud, line: Option<&str>) -> Result<Vec<Tagged<VirtualInterface>>, AwsFailure> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let request = cloud.direct_connect().describe_virtual_interfaces().set_next_token(next);
        let request = request.set_connection_id(line.map(str::to_owned));
        let page = cloud.read(Operation::DescribeVirtualInterfaces, || request.clone().send()).await?;
        all.extend(page.virtual_interfaces.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    let live = all.into_iter().filter(|one| !matches!(one.virtual_interface_state(), Some(State::Deleted)));
    Ok(live.filter_map(|mut one| Some(tagged(one.virtual_interface_id.clone()?, one.tags.take(), one))).collect())
}

/// What keeps a line or a LAG from being given back: the interfaces on it that are not this engagement's. Its own go first,
/// in the same undo, and AWS gives back nothing that has one.
pub(super) async fn others_on(at: &Account<'_>, line: &str) -> Result<Option<Remains>, AwsFailure> {
    let on_it = interfaces(at.cloud, Some(line)).await?;
    let others = on_it.iter().filter(|one| !matches!(one.holder(at), Holder::Us { .. }));
    let others: Vec<&str> = others.map(|one| one.id.as_str()).collect();
    let said = format!("{line} is in use: {} on it would be cut", list(&others));
    Ok((!others.is_empty()).then_some(Remains::NotOurs { said }))
}

/// One by its id.
pub(super) async fn interface(cloud: &Cloud, id: &str) -> Result<Option<VirtualInterface>, AwsFailure> {
    if !known(id) {
        return Ok(None);
    }
    let request = cloud.direct_connect().describe_virtual_interfaces().virtual_interface_id(id);
    match cloud.read(Operation::DescribeVirtualInterfaces, || request.clone().send()).await {
        Ok(answer) => Ok(answer.virtual_interfaces.unwrap_or_default().into_iter().next()),
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Where it ends: a transit one at a Direct Connect gateway, a private one there or at one VPC.
pub(super) fn leads_to(arguments: Arguments<'_>, is_transit: bool) -> Result<LeadsTo, Failure> {
    match (arguments.optional("gateway")?, arguments.optional("virtual_gateway")?) {
        (Some(gateway), None) => Ok(LeadsTo::Gateway(gateway)),
        (None, Some(vpc)) if !is_transit => Ok(LeadsTo::Vpc(vpc)),
        _ => Err(Failure::new(
            format!("{} needs either `gateway` or, where it is private, `virtual_gateway`", arguments.kind),
            "Correct the step in the runbook, or the input it is made of.",
        )),
    }
}

/// `aws/dx-interface`
pub(super) struct TheInterface {
    connection: String,
    is_transit: bool,
    new: NewInterface,
}

impl TheInterface {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::new(what, "Correct the step in the runbook, or the input it is made of.");
        let asn = arguments.text("asn")?;
        let asn_long = match asn.parse::<i64>() {
            _ if !known(&asn) => 0,
            Ok(asn @ 1..=4_294_967_294) => asn,
            _ => return Err(wrong(format!("the argument `asn` of {} is \"{asn}\", no AS number", arguments.kind))),
        };
        let (amazon_address, customer_address) = (arguments.optional("amazon_ip")?, arguments.optional("customer_ip")?);
        if amazon_address.is_some() != customer_address.is_some() {
            let what = "aws/dx-interface needs both addresses, `amazon_ip` and `customer_ip`, or none, and AWS chooses";
            return Err(wrong(what.to_owned()));
        }
        let is_transit = arguments.one_of("type", &["private", "transit"])? == "transit";
        let leads_to = leads_to(arguments, is_transit)?;
        let label = label(subject, arguments)?;
        let vlan = arguments.number("vlan", 1, 4_094)?;
        let new = NewInterface {
            virtual_interface_name: label.name.clone(),
            vlan: vlan.ok_or_else(|| wrong("the argument `vlan` of aws/dx-interface is missing".to_owned()))?,
            asn_long,
            // Older guides say 9001; the API takes these two.
            mtu: if arguments.one_of("mtu", &["1500", "8500"])? == "8500" { 8_500 } else { 1_500 },
            auth_key: arguments.secret("md5")?,
            amazon_address,
            customer_address,
            address_family: "ipv4",
            leads_to,
            tags: label,
        };
        Ok(TheInterface { connection: arguments.text("connection")?, is_transit, new })
    }

    fn label(&self) -> &Label {
        &self.new.tags
    }

    /// What is not as wanted. The key is not compared: it is read by nobody but the two routers.
    fn differences(&self, there: &VirtualInterface) -> Vec<Difference> {
        let new = &self.new;
        let number = |number: i64| number.to_string();
        let (vlan, asn, mtu) = (number(new.vlan.into()), number(new.asn_long), number(new.mtu.into()));
        let (has_vlan, has_mtu) = (number(there.vlan().into()), there.mtu().map(|mtu| number(mtu.into())));
        let has_asn = number(customer_asn(there));
        let mut compared = vec![
            ("connection", self.connection.as_str(), there.connection_id()),
            ("type", if self.is_transit { "transit" } else { "private" }, there.virtual_interface_type()),
            ("VLAN", &vlan, Some(&*has_vlan)),
            match &new.leads_to {
                LeadsTo::Gateway(id) => ("Direct Connect gateway", id.as_str(), there.direct_connect_gateway_id()),
                LeadsTo::Vpc(id) => ("virtual private gateway", id.as_str(), there.virtual_gateway_id()),
            },
            ("MTU", &mtu, has_mtu.as_deref()),
        ];
        if new.asn_long != 0 {
            compared.push(("AS number of the customer", &asn, Some(&*has_asn)));
        }
        let addresses = [
            ("Amazon's address", &new.amazon_address, there.amazon_address()),
            ("customer's address", &new.customer_address, there.customer_address()),
        ];
        compared.extend(addresses.into_iter().filter_map(|(what, wanted, has)| Some((what, wanted.as_deref()?, has))));
        differing(&compared)
    }
}

/// Of a number of 32 bits the old field says nothing.
fn customer_asn(there: &VirtualInterface) -> i64 {
    there.asn_long().unwrap_or_else(|| there.asn().into())
}

/// What the customer's network engineer and later steps need of it: no key.
pub(super) fn told(there: &VirtualInterface) -> Json {
    json!({
        "id": there.virtual_interface_id(),
        "connection": there.connection_id(),
        "vlan": there.vlan(),
        "customer_asn": customer_asn(there),
        "amazon_address": there.amazon_address(),
        "customer_address": there.customer_address(),
        "amazon_asn": there.amazon_side_asn(),
        "mtu": there.mtu(),
    })
}

#[async_trait]
impl Thing for TheInterface {
    fn noun(&self) -> String {
        let kind = if self.is_transit { "transit" } else { "private" };
        format!("{kind} virtual interface {}", self.label().key)
    }

    fn calls(&self) -> Vec<Call> {
        let (connection_id, new) = (self.connection.clone(), Box::new(self.new.clone()));
        vec![Call::Dx(if self.is_transit {
            DxRequest::CreateTransitVirtualInterface { connection_id, new_transit_virtual_interface: new }
        } else {
            DxRequest::CreatePrivateVirtualInterface { connection_id, new_private_virtual_interface: new }
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let all = interfaces(at.cloud, None).await?;
        let live: Vec<_> = all
            .into_iter()
            .filter(|one| !matches!(one.thing.virtual_interface_state(), Some(State::Deleting | State::Rejected)))
            .collect();
        // A line has each VLAN once.
        let taken = live
            .iter()
            .find(|one| one.thing.connection_id() == Some(&self.connection) && one.thing.vlan() == self.new.vlan);
        let taken = taken.map(|one| (one.id.clone(), one.holder(at)));
        let Some(Tagged { thing, id, .. }) = the_one(at, &self.label().key, live) else {
            return Ok(match taken {
                Some((id, holder)) => {
                    let place = format!("VLAN {} on {}", self.new.vlan, self.connection);
                    at.taken_by(&self.noun(), &place, (&id, &holder))
                }
                None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
            });
        };
        let differences = self.differences(&thing);
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), &id, differences));
        }
        let state = thing.virtual_interface_state().map_or("unknown", State::as_str);
        let said = format!("{id}, VLAN {} on {}: {state}", self.new.vlan, self.connection);
        let there = found(said, told(&thing));
        Ok(match thing.virtual_interface_state() {
            Some(State::Pending | State::Verifying | State::Confirming) => Sight::Coming(there),
            _ => Sight::Ready(there),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let all = interfaces(at.cloud, None).await?;
        Ok(ours(at, &self.label().key, all).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dx(DxRequest::DeleteVirtualInterface { virtual_interface_id: id.to_owned() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &interfaces(at.cloud, None).await?))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let all = interfaces(at.cloud, None).await?;
        let state = all.iter().find(|one| one.id == id).and_then(|one| one.thing.virtual_interface_state());
        if state == Some(&State::Deleting) {
            return Ok(Remains::Going { said: format!("{} is being deleted", self.noun()) });
        }
        Ok(left(at, id, &all, self.inverse(id, made)))
    }
}

/// `aws/dx-bgp`: the sessions over an interface are up, as AWS sees them.
pub(super) struct Bgp {
    interface: String,
}

impl Bgp {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Bgp { interface: arguments.text("interface")? })
    }
}

fn is_up(peer: &BgpPeer) -> bool {
    // That a peer is available says that it is set up, and not that anybody answers.
    peer.bgp_status() == Some(&BgpStatus::Up)
}

fn said_of(peer: &BgpPeer) -> String {
    let (status, address) = (peer.bgp_status().map_or("unknown", BgpStatus::as_str), peer.customer_address());
    format!("BGP to {} {status}", address.unwrap_or("the customer"))
}

#[async_trait]
impl Question for Bgp {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.interface) {
            return Verified::NotYet { said: "the virtual interface is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let Some(there) = interface(&cloud, &self.interface).await? else {
                return Ok(Verified::NotYet { said: format!("{} is not there", self.interface) });
            };
            let state = there.virtual_interface_state().map_or("unknown", State::as_str);
            let peers = there.bgp_peers();
            let lines: Vec<String> = peers.iter().map(said_of).collect();
            let all = if lines.is_empty() { "it has no BGP peer".to_owned() } else { list(&lines) };
            let said = format!("{} is {state}: {all}", self.interface);
            if there.virtual_interface_state() != Some(&State::Available)
                || peers.is_empty()
                || !peers.iter().all(is_up)
            {
                return Ok(Verified::NotYet { said });
            }
            let peer = |peer: &BgpPeer| {
                json!({
                    "id": peer.bgp_peer_id(),
                    "customer": peer.customer_address(),
                    "status": peer.bgp_status().map(BgpStatus::as_str),
                    "device": peer.aws_device_v2(),
                })
            };
            let peers: Vec<Json> = peers.iter().map(peer).collect();
            Ok(Verified::So(found(said, json!({ "peers": peers }))))
        })
        .await
    }
}

/// `aws/dx-router-configuration`
pub(super) struct RouterConfiguration {
    interface: String,
    router: Option<String>,
}

impl RouterConfiguration {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(RouterConfiguration { interface: arguments.text("interface")?, router: arguments.optional("router")? })
    }
}

/// The text without the keys: the interface's own, and those of further sessions on it. None where its own is not known,
/// so that it could not be held back.
fn without_keys(text: &str, own: Option<&str>, further: &[&str]) -> Option<String> {
    // AWS takes no key that is shorter.
    let own = own.filter(|key| key.len() >= 6)?;
    let keys = further.iter().chain([&own]).filter(|key| !key.is_empty());
    Some(keys.fold(text.to_owned(), |text, key| text.replace(key, "\u{2039}MD5 key, sent separately\u{203a}")))
}

#[async_trait]
impl Question for RouterConfiguration {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.interface) {
            return Verified::NotYet { said: "the virtual interface is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let Some(there) = interface(&cloud, &self.interface).await? else {
                return Ok(Verified::NotYet { said: format!("{} is not there", self.interface) });
            };
            let further: Vec<&str> = there.bgp_peers().iter().filter_map(|peer| peer.auth_key()).collect();
            for key in there.auth_key().into_iter().chain(further.iter().copied()) {
                world.vault.masks().learn(key);
            }
            let request = cloud.direct_connect().describe_router_configuration();
            let request = request.virtual_interface_id(&self.interface);
            let request = request.set_router_type_identifier(self.router.clone());
            let answer = cloud.read(Operation::DescribeRouterConfiguration, || request.clone().send()).await?;
            let text = answer.customer_router_config().unwrap_or_default();
            let Some(text) = without_keys(text, there.auth_key(), &further) else {
                let what = "AWS does not show the interface's MD5 key, so it cannot be held back";
                let router =
                    self.router.as_ref().map(|id| format!(" --router-type-identifier {id}")).unwrap_or_default();
                let advice = format!(
                    "Whoever may see the key saves it with aws directconnect describe-router-configuration \
                     --virtual-interface-id {}{router} --query customerRouterConfig --output text, and sends it to the \
                     customer on a safe way.",
                    self.interface
                );
                return Ok(Verified::NotSo(Failure::new(what, advice)));
            };
            let router = answer.router();
            let named = |text: Option<&str>| text.unwrap_or_default().to_owned();
            let (vendor, platform) =
                router.map_or_else(Default::default, |router| (named(router.vendor()), named(router.platform())));
            let said = format!("configuration of {vendor} {platform} for {}, its key held back", self.interface);
            let output = json!({ "configuration": text, "vendor": vendor, "platform": platform });
            Ok(Verified::So(found(said, output)))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stays_in_a_configuration_and_without_knowing_it_there_is_none() {
        let text = "neighbor 169.254.100.1 password 0 first_key.1\n";
        let without = without_keys(text, Some("first_key.1"), &[]).unwrap();
        assert!(!without.contains("first_key") && without.contains("sent separately"), "{without}");
        assert_eq!(without_keys(text, None, &[]), None);
        assert_eq!(without_keys(text, Some(""), &["first_key.1"]), None);
        let two = format!("{text}neighbor 2001:db8::1 password 0 second_key\n");
        let without = without_keys(&two, Some("first_key.1"), &["second_key", ""]).unwrap();
        assert!(!without.contains("_key") && without.matches("sent separately").count() == 2, "{without}");
    }
}

//! What AWS does and winterbaume does not: refuses what is wrong with AWS's own codes, honours client tokens, lets
//! things be pending before they are available, and describes them whole. One file for each concern.
//!
//! A call is checked here, passed on to winterbaume, remembered here, and answered from here. Calls that P01 does not
//! use go to winterbaume as they are. `services` is where the services beside EC2 come in, and says how to add one.

mod acls;
mod addresses;
mod backup;
mod backup_restore;
mod base;
mod block;
mod control;
mod control_network;
mod control_types;
mod control_zones;
mod deposits;
mod describe;
mod dhcp;
mod disks;
mod dx;
mod dx_gateways;
mod dx_interfaces;
mod dx_letter;
mod dx_macsec;
mod dx_neighbour;
mod endpoints;
mod gateways;
mod groups;
mod images;
mod instances;
mod interfaces;
mod keys;
mod kind;
mod logs;
mod mail;
pub(super) mod mail_post;
mod mail_records;
mod mail_sets;
mod metrics;
pub(super) mod naming;
mod nats;
mod own_images;
pub(super) mod pace;
mod peering;
mod places;
mod quotas;
mod rds;
mod rds_exports;
mod rds_restores;
pub(super) mod reach;
pub(super) mod refusal;
pub(super) mod request;
mod resolver;
mod route53;
mod route53_records;
mod routes;
mod rules;
mod run;
mod s3;
mod secrets;
mod seed;
pub(super) mod services;
mod tags;
mod tokens;
mod trails;
mod transit;
pub(super) mod views;
mod vpc;
mod vpn;
mod vpn_connections;
mod world;
mod xml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base::{Base, Beside};
use kind::Kind;
use pace::Pace;
use refusal::Refusal;
use request::Request;
use serde::{Deserialize, Serialize};
use services::{Document, EVERYWHERE, Visit};
use winterbaume_ec2::Ec2StateView;
use world::World;
use xml::{Xml, text_of};

/// What the consoles of the instances say, by instance id.
pub(super) type Consoles = BTreeMap<String, String>;

/// The layer over winterbaume, with its own memory of each region.
pub(super) struct Layer {
    account: String,
    pace: Pace,
    base: Base,
    worlds: BTreeMap<String, World>,
    /// Lines of Direct Connect lead from one region into another: what is known of them is always in the region that is looked
    /// at, and was last in this one.
    lines_at: String,
}

/// One region, as it is kept on disk.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    ours: serde_json::Value,
    theirs: Ec2StateView,
    /// What winterbaume holds of other services.
    #[serde(default)]
    beside: Beside,
}

/// How long objects stay out of sight after they were made, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hidden {
    /// Every object, for this call.
    pub all: i64,
    /// What this call makes, for every later one.
    pub new: i64,
}

/// One call under way.
pub(super) struct Call<'a> {
    ask: &'a Request,
    world: &'a mut World,
    base: &'a Base,
    consoles: &'a Consoles,
    /// What is copied from another region.
    abroad: Option<disks::Abroad>,
}

impl Layer {
    pub fn new(account: &str, pace: Pace) -> Self {
        Self { account: account.into(), pace, base: Base::default(), worlds: BTreeMap::new(), lines_at: String::new() }
    }

    /// The answer's document for a call that arrives at `now` (milliseconds since 1970).
    pub async fn answer(
        &mut self,
        ask: &Request,
        now: i64,
        hidden: Hidden,
        consoles: &Consoles,
        id: &str,
    ) -> Result<Document, Refusal> {
        if ask.service != "ec2" {
            return self.beside(ask, now, hidden).await;
        }
        if places::open(&ask.region) != Some(true) {
            let message = "AWS was not able to validate the provided access credentials";
            return Err(Refusal::new("AuthFailure", message));
        }
        self.enter(&ask.region, now, hidden).await?;
        let account = self.account.clone();
        let abroad = disks::abroad(&self.worlds, ask);
        let (base, world) = self.parts(&ask.region);
        if ask.yes("DryRun") {
            if ask.action() == "RunInstances" {
                run::rehearse(&Call { ask, world, base, consoles, abroad })?;
            }
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Err(Refusal::new("DryRunOperation", message));
        }
        let answered = answer(&mut Call { ask, world, base, consoles, abroad }).await?;
        match answered {
            Some(xml) => Ok(xml.document(ask.action(), id).into()),
            None => Ok(with_account(base.ask(ask).await?, &account).into()),
        }
    }

    /// A service beside EC2.
    async fn beside(&mut self, ask: &Request, now: i64, hidden: Hidden) -> Result<Document, Refusal> {
        let unknown = || Refusal::new("UnknownService", format!("The practice cloud has no service {}", ask.service));
        let service = services::service(&ask.service).ok_or_else(unknown)?;
        let place = if service.everywhere { EVERYWHERE } else { &ask.region };
        if !service.everywhere && places::open(place) != Some(true) {
            let message = "The security token included in the request is invalid.";
            return Err(Refusal::new("UnrecognizedClientException", message));
        }
        self.enter(place, now, hidden).await?;
        let mut visit = Visit::new(ask, place, &mut self.worlds);
        match (service.answer)(&mut visit)? {
            Some(text) => Ok(Document { text, headers: visit.headers }),
            None => Ok(with_account(self.base.ask(ask).await?, &self.account).into()),
        }
    }

    /// Goes to a place at a moment.
    async fn enter(&mut self, place: &str, now: i64, hidden: Hidden) -> Result<(), Refusal> {
        self.open(place, now).await?;
        self.bring_lines(place);
        let world = self.world(place);
        (world.now, world.hidden_for, world.veil) = (now, hidden.all, hidden.new);
        world.settle();
        Ok(())
    }

    /// The region's world; made, with its default VPC, when it is asked for the first time.
    pub async fn open(&mut self, region: &str, now: i64) -> Result<(), Refusal> {
        if !self.worlds.contains_key(region) {
            let mut world = World::new(&self.account, region);
            (world.pace, world.now) = (self.pace, now);
            self.worlds.insert(region.into(), world);
            match region {
                EVERYWHERE => self.world(region).trails = trails::usual(),
                _ => seed::default_vpc(self, region).await?,
            }
        }
        Ok(())
    }

    /// The customer has a VPC in that region.
    pub async fn customer_has_vpc(&mut self, region: &str, now: i64) -> Result<(), Refusal> {
        self.open(region, now).await?;
        seed::customers_vpc(self, region).await
    }

    /// The customer has hosts in that VPC, for whoever has this key.
    pub async fn customer_has_hosts(&mut self, region: &str, now: i64, operator: &str) -> Result<(), Refusal> {
        self.open(region, now).await?;
        seed::customers_hosts(self, region, operator).await
    }

    fn bring_lines(&mut self, place: &str) {
        if self.lines_at != place {
            let lines = self.worlds.get_mut(&self.lines_at).map(|world| std::mem::take(&mut world.lines));
            self.world(place).lines = lines.unwrap_or_default();
            self.lines_at = place.into();
        }
    }

    fn world(&mut self, region: &str) -> &mut World {
        self.worlds.entry(region.into()).or_default()
    }

    fn parts(&mut self, region: &str) -> (&Base, &mut World) {
        (&self.base, self.worlds.entry(region.into()).or_default())
    }

    /// The region's world at this moment; none when nobody has called there yet.
    fn at(&mut self, region: &str, now: i64) -> Option<&World> {
        if self.worlds.contains_key(region) {
            self.bring_lines(region);
        }
        let world = self.worlds.get_mut(region)?;
        (world.now, world.hidden_for) = (now, 0);
        world.settle();
        Some(world)
    }

    pub async fn keep(&self) -> Result<BTreeMap<String, Kept>, serde_json::Error> {
        let mut kept = BTreeMap::new();
        for (region, world) in &self.worlds {
            let ours = serde_json::to_value(world)?;
            let (theirs, beside) = (self.base.snapshot(region).await, self.base.beside(region).await?);
            kept.insert(region.clone(), Kept { ours, theirs, beside });
        }
        Ok(kept)
    }

    pub async fn take_back(&mut self, kept: BTreeMap<String, Kept>) -> Result<(), winterbaume_core::StateViewError> {
        self.worlds.clear();
        self.lines_at.clear();
        for (region, Kept { ours, theirs, beside }) in kept {
            let mut world: World = serde_json::from_value(ours)?;
            world.pace = self.pace;
            if world.lines.are_known() {
                self.lines_at = region.clone();
            }
            self.base.restore(&region, theirs).await?;
            self.base.put_beside(&region, beside).await?;
            self.worlds.insert(region, world);
        }
        Ok(())
    }
}

/// False for a name that is no region, and so has no end point.
pub(super) fn is_region(name: &str) -> bool {
    places::open(name).is_some()
}

/// winterbaume's account is a fixed number: what it answers carries ours instead.
fn with_account(document: String, account: &str) -> String {
    document.replace(winterbaume_core::default_account_id(), account)
}

impl Call<'_> {
    /// Passes the call on as it is.
    async fn pass(&self) -> Result<String, Refusal> {
        self.pass_as(&[]).await
    }

    /// Passes the call on with some parameters as AWS understands them.
    async fn pass_as(&self, changed: &[(&str, &str)]) -> Result<String, Refusal> {
        let mut request = self.ask.clone();
        for (name, value) in changed {
            request.parameters.insert(name.to_string(), value.to_string());
        }
        self.base.ask(&request).await
    }

    /// Passes the call on, and gives the id that it made.
    async fn pass_for(&self, field: &str, changed: &[(&str, &str)]) -> Result<String, Refusal> {
        made(&self.pass_as(changed).await?, field)
    }

    /// A further object that AWS makes by itself along with the one asked for; gives its id.
    async fn make(&self, action: &str, parameters: &[(&str, &str)], field: &str) -> Result<String, Refusal> {
        let request = Request::own(&self.ask.region, action, parameters);
        made(&self.base.ask(&request).await?, field)
    }

    /// The ids that a Describe call lists under `Name.N`, each of which must exist; all visible ones when it lists none.
    fn wanted<T>(&self, name: &str, kind: Kind, table: &BTreeMap<String, T>) -> Result<Vec<String>, Refusal> {
        let asked = self.ask.list(name);
        for id in &asked {
            self.world.find(kind, table, id)?;
        }
        let wanted = |id: &&String| self.world.visible(id) && (asked.is_empty() || asked.contains(&id.as_str()));
        Ok(table.keys().filter(wanted).cloned().collect())
    }
}

fn made(document: &str, field: &str) -> Result<String, Refusal> {
    let none = || Refusal::new("InternalError", format!("winterbaume's answer has no {field}"));
    text_of(document, field).map(str::to_string).ok_or_else(none)
}

/// The table of the calls that P01 uses (spec/domain.md §3.2 and §3.6); `None` for all others.
async fn answer(call: &mut Call<'_>) -> Result<Option<Xml>, Refusal> {
    let answer = match call.ask.action() {
        "DescribeRegions" => places::regions(call)?,
        "DescribeAvailabilityZones" => places::availability_zones(call)?,
        "DescribeInstanceTypeOfferings" => places::type_offerings(call)?,
        "DescribeVpcEndpointServices" => places::endpoint_services(call)?,
        "CreateVpc" => vpc::create(call).await?,
        "DescribeVpcs" => vpc::list(call)?,
        "DescribeVpcAttribute" => vpc::attribute(call)?,
        "ModifyVpcAttribute" => vpc::modify_attribute(call).await?,
        "DeleteVpc" => vpc::delete(call).await?,
        "CreateSubnet" => vpc::create_subnet(call).await?,
        "DescribeSubnets" => vpc::list_subnets(call)?,
        "DescribeNetworkAcls" => acls::list(call)?,
        "ModifySubnetAttribute" => vpc::modify_subnet(call).await?,
        "DeleteSubnet" => vpc::delete_subnet(call).await?,
        "CreateInternetGateway" => gateways::create(call).await?,
        "DescribeInternetGateways" => gateways::list(call)?,
        "AttachInternetGateway" => gateways::attach(call).await?,
        "DetachInternetGateway" => gateways::detach(call).await?,
        "DeleteInternetGateway" => gateways::delete(call).await?,
        "CreateRouteTable" => routes::create(call).await?,
        "DescribeRouteTables" => routes::list(call)?,
        "DeleteRouteTable" => routes::delete(call).await?,
        "CreateRoute" => routes::create_route(call).await?,
        "ReplaceRoute" => routes::replace_route(call).await?,
        "DeleteRoute" => routes::delete_route(call).await?,
        "AssociateRouteTable" => routes::associate(call).await?,
        "DisassociateRouteTable" => routes::disassociate(call).await?,
        "AllocateAddress" => addresses::allocate(call).await?,
        "DescribeAddresses" => addresses::list(call)?,
        "DescribeNetworkInterfaces" => interfaces::list(call)?,
        "AssociateAddress" => addresses::associate(call).await?,
        "DisassociateAddress" => addresses::disassociate(call).await?,
        "ReleaseAddress" => addresses::release(call).await?,
        "CreateNatGateway" => nats::create(call).await?,
        "DescribeNatGateways" => nats::list(call)?,
        "DeleteNatGateway" => nats::delete(call).await?,
        _ => return answer_hosts(call).await,
    };
    Ok(Some(answer))
}

/// The second half of the table: what stands in the network.
async fn answer_hosts(call: &mut Call<'_>) -> Result<Option<Xml>, Refusal> {
    let answer = match call.ask.action() {
        "CreateSecurityGroup" => groups::create(call).await?,
        "DescribeSecurityGroups" => groups::list(call)?,
        "DeleteSecurityGroup" => groups::delete(call).await?,
        "AuthorizeSecurityGroupIngress" => rules::authorize(call, false).await?,
        "AuthorizeSecurityGroupEgress" => rules::authorize(call, true).await?,
        "RevokeSecurityGroupIngress" => rules::revoke(call, false).await?,
        "RevokeSecurityGroupEgress" => rules::revoke(call, true).await?,
        "DescribeSecurityGroupRules" => rules::list(call)?,
        "ImportKeyPair" => keys::import(call).await?,
        "DescribeKeyPairs" => keys::list(call)?,
        "DeleteKeyPair" => keys::delete(call).await?,
        "DescribeImages" => images::list(call)?,
        "RunInstances" => run::run(call).await?,
        "DescribeInstances" => instances::list(call)?,
        "DescribeInstanceStatus" => instances::status(call)?,
        "TerminateInstances" => instances::terminate(call).await?,
        "DescribeInstanceAttribute" => instances::attribute(call)?,
        "ModifyInstanceAttribute" => instances::modify(call).await?,
        "GetConsoleOutput" => instances::console(call)?,
        "CreateTags" => tags::create(call).await?,
        "DeleteTags" => tags::delete(call).await?,
        "DescribeTags" => tags::list(call)?,
        "UpdateSecurityGroupRuleDescriptionsIngress" => rules::describe_again(call, false).await?,
        "UpdateSecurityGroupRuleDescriptionsEgress" => rules::describe_again(call, true).await?,
        _ => return answer_vpn(call),
    };
    Ok(Some(answer))
}

/// What leads to the customer's data centre, and what hosts are told (spec/domain.md §4.2 and §7.4). winterbaume knows
/// nothing of these objects.
fn answer_vpn(call: &mut Call<'_>) -> Result<Option<Xml>, Refusal> {
    let answer = match call.ask.action() {
        "CreateCustomerGateway" => vpn::create_customer(call)?,
        "DescribeCustomerGateways" => vpn::list_customers(call)?,
        "DeleteCustomerGateway" => vpn::delete_customer(call)?,
        "CreateVpnGateway" => vpn::create(call)?,
        "DescribeVpnGateways" => vpn::list(call)?,
        "AttachVpnGateway" => vpn::attach(call)?,
        "DetachVpnGateway" => vpn::detach(call)?,
        "DeleteVpnGateway" => vpn::delete(call)?,
        "EnableVgwRoutePropagation" => vpn::propagate(call, true)?,
        "DisableVgwRoutePropagation" => vpn::propagate(call, false)?,
        "CreateVpnConnection" => vpn_connections::create(call)?,
        "DescribeVpnConnections" => vpn_connections::list(call)?,
        "DeleteVpnConnection" => vpn_connections::delete(call)?,
        "CreateVpnConnectionRoute" => vpn_connections::create_route(call)?,
        "DeleteVpnConnectionRoute" => vpn_connections::delete_route(call)?,
        "GetVpnConnectionDeviceTypes" => vpn_connections::device_types(call)?,
        "GetVpnConnectionDeviceSampleConfiguration" => vpn_connections::sample(call)?,
        "CreateTransitGateway" => transit::create(call)?,
        "DescribeTransitGateways" => transit::list(call)?,
        "DeleteTransitGateway" => transit::delete(call)?,
        "CreateTransitGatewayVpcAttachment" => transit::attach(call)?,
        "DescribeTransitGatewayVpcAttachments" => transit::list_attachments(call)?,
        "DeleteTransitGatewayVpcAttachment" => transit::detach(call)?,
        "DescribeTransitGatewayAttachments" => transit::list_all_attachments(call)?,
        "SearchTransitGatewayRoutes" => transit::search_routes(call)?,
        "CreateTransitGatewayRoute" => transit::create_route(call)?,
        "DeleteTransitGatewayRoute" => transit::delete_route(call)?,
        "EnableTransitGatewayRouteTablePropagation" => transit::learn(call)?,
        "DisableTransitGatewayRouteTablePropagation" => transit::unlearn(call)?,
        "CreateVpcPeeringConnection" => peering::create(call)?,
        "DescribeVpcPeeringConnections" => peering::list(call)?,
        "DeleteVpcPeeringConnection" => peering::delete(call)?,
        "ModifyVpcPeeringConnectionOptions" => peering::modify(call)?,
        "CreateDhcpOptions" => dhcp::create(call)?,
        "DescribeDhcpOptions" => dhcp::list(call)?,
        "GetEbsEncryptionByDefault" => disks::encryption(call, None),
        "EnableEbsEncryptionByDefault" => disks::encryption(call, Some(true)),
        "DisableEbsEncryptionByDefault" => disks::encryption(call, Some(false)),
        "GetInstanceMetadataDefaults" => disks::metadata(call),
        "ModifyInstanceMetadataDefaults" => disks::set_metadata(call)?,
        "CreateSnapshot" => disks::create(call)?,
        "CreateSnapshots" => disks::create_all(call)?,
        "CopySnapshot" => disks::copy(call)?,
        "DescribeSnapshots" => disks::list(call)?,
        "DeleteSnapshot" => disks::delete(call)?,
        "CreateImage" => own_images::create(call)?,
        "CopyImage" => own_images::copy(call)?,
        "DeregisterImage" => own_images::deregister(call)?,
        "AssociateDhcpOptions" => dhcp::associate(call)?,
        "DeleteDhcpOptions" => dhcp::delete(call)?,
        other if UNKEPT.contains(&other) => {
            let message = format!("The practice cloud does not do {other}.");
            return Err(Refusal::new("UnsupportedOperation", message));
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// Calls that winterbaume would answer from its own memory of objects that this layer keeps: better no answer than a
/// wrong one.
const UNKEPT: [&str; 19] = [
    "AcceptVpcPeeringConnection",
    "AssociateVpcCidrBlock",
    "CreateDefaultSubnet",
    "CreateDefaultVpc",
    "CreateKeyPair",
    "CreateNetworkInterface",
    "DescribeTransitGatewayRouteTables",
    "DescribeVolumes",
    "GetVpnTunnelReplacementStatus",
    "ModifySecurityGroupRules",
    "ModifyTransitGateway",
    "ModifyVpnConnection",
    "ModifyVpnConnectionOptions",
    "ModifyVpnTunnelOptions",
    "RebootInstances",
    "RejectVpcPeeringConnection",
    "ReplaceRouteTableAssociation",
    "StartInstances",
    "StopInstances",
];

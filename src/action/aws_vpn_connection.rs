//! A VPN connection with its two tunnels, and its static routes.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::call::vpn::{End, IN_SECRETS_MANAGER, IPSEC, LogOptions, TunnelOptions, VpnOptions, VpnRequest};
use super::call::{Call, Label};
use super::object::{Made, Remains, Sight, Thing, difference, differing, found, ids};
use super::world::Subject;
use crate::aws::ec2::types::{CustomerGateway, Filter, TunnelOption, VpnConnection, VpnState};
use crate::aws::{AwsFailure, Cloud, Kind, Operation, filter};
use crate::engagement::{Difference, Failure};

/// What AWS says where a device's address is that of another gateway with a connection.
const SAME_ADDRESS: &str = "InvalidCustomerGateway.DuplicateIpAddress";
/// What AWS says in place of a key that it keeps in Secrets Manager. The API reference names the ARN of the secret and not
/// this word; who tried it found it (hashicorp/terraform-provider-aws, pull request 42819), and that the ARN may be there
/// although the keys are not kept in it any more. So the word counts.
pub(super) const REDACTED: &str = "REDACTED";

/// Connections by filter. What AWS answers may have both keys in it: nothing of it is kept or shown but what is taken out here.
async fn connections(cloud: &Cloud, by: Vec<Filter>) -> Result<Vec<VpnConnection>, AwsFailure> {
    let request = cloud.ec2().describe_vpn_connections().set_filters(Some(by));
    let answer = cloud.read(Operation::DescribeVpnConnections, || request.clone().send()).await?;
    Ok(answer.vpn_connections.unwrap_or_default())
}

/// One by its id, deleted or not.
pub(super) async fn connection(cloud: &Cloud, id: &str) -> Result<Option<VpnConnection>, AwsFailure> {
    let request = cloud.ec2().describe_vpn_connections().vpn_connection_ids(id);
    match cloud.read(Operation::DescribeVpnConnections, || request.clone().send()).await {
        Ok(answer) => Ok(answer.vpn_connections.unwrap_or_default().into_iter().next()),
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn customer_gateways(cloud: &Cloud, by: Filter) -> Result<Vec<CustomerGateway>, AwsFailure> {
    let request = cloud.ec2().describe_customer_gateways().filters(by);
    let answer = cloud.read(Operation::DescribeCustomerGateways, || request.clone().send()).await?;
    Ok(answer.customer_gateways.unwrap_or_default())
}

fn is_gone(connection: &VpnConnection) -> bool {
    matches!(connection.state(), Some(VpnState::Deleted | VpnState::Deleting))
}

/// A Diffie-Hellman group that AWS takes in phase 2 only (API_VpnTunnelOptionsSpecification).
const OF_PHASE_TWO: i32 = 5;

/// `aws/vpn-connection`
pub(super) struct TheVpnConnection {
    request: VpnRequest,
    /// Are the keys to be in Secrets Manager? What is not said is not compared.
    keys_in_secret: Option<bool>,
}

impl TheVpnConnection {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let inside = arguments.list("inside")?;
        if !matches!(inside.len(), 0 | 2) {
            let what = "the argument `inside` of aws/vpn-connection needs a range for each of the two tunnels, or none";
            return Err(Failure::new(
                what,
                "Correct the step in the runbook, or the input that the argument is made of.",
            ));
        }
        let groups = arguments.list("dh_groups")?;
        let groups: Result<Vec<i32>, _> = groups.iter().map(|group| group.parse()).collect();
        let groups = groups.map_err(|_| {
            Failure::new("the argument `dh_groups` of aws/vpn-connection is no list of numbers", "Correct the step.")
        })?;
        let static_routes_only = arguments.one_of("routing", &["static", "bgp"])? == "static";
        let is_accelerated = arguments.optional("acceleration")?.is_some_and(|said| said == "true");
        let keys_in_secret = match arguments.optional("key_storage")? {
            Some(_) => Some(arguments.one_of("key_storage", &["standard", "secrets_manager"])? == "secrets_manager"),
            None => None,
        };
        let log_group = arguments.optional("log_group")?;
        let (encryption, integrity) = (arguments.list("encryption")?, arguments.list("integrity")?);
        let mut both = TunnelOptions {
            ike_versions: arguments.list("ike")?,
            phase_one_encryption: encryption.clone(),
            phase_two_encryption: encryption,
            phase_one_integrity: integrity.clone(),
            phase_two_integrity: integrity,
            phase_one_groups: groups.iter().copied().filter(|group| *group != OF_PHASE_TWO).collect(),
            phase_two_groups: groups,
            startup_action: arguments.optional("startup")?,
            // The bounds of CreateVpnConnection.
            phase_one_seconds: arguments.number("p1_life", 900, 28_800)?,
            phase_two_seconds: arguments.number("p2_life", 900, 3_600)?,
            dpd_timeout_seconds: arguments.number("dpd_timeout", 30, 86_400)?,
            dpd_timeout_action: arguments.optional("dpd")?,
            log_options: log_group.map(|arn| LogOptions::new(of_group(&arn), !static_routes_only)),
            ..TunnelOptions::default()
        };
        both.ike_versions.sort();
        let tunnel = |number: usize, key: &str| {
            Ok::<_, Failure>(TunnelOptions {
                tunnel_inside_cidr: inside.get(number).cloned(),
                pre_shared_key: arguments.secret(key)?,
                ..both.clone()
            })
        };
        let ends_on = match (arguments.optional("gateway")?, arguments.optional("transit")?) {
            (Some(gateway), None) => End::Vpc(gateway),
            (None, Some(transit)) => End::Transit(transit),
            _ => {
                let what = "aws/vpn-connection needs either `gateway` or `transit`";
                return Err(Failure::new(what, "Correct the step in the runbook."));
            }
        };
        if is_accelerated && matches!(ends_on, End::Vpc(_)) {
            let what = "a VPN connection is accelerated on a transit gateway only";
            return Err(Failure::new(what, "Give `transit`, or leave `acceleration` out."));
        }
        let request = VpnRequest {
            r#type: IPSEC,
            customer_gateway_id: arguments.text("customer_gateway")?,
            ends_on,
            // What is usual is not said, here and below, so that regions which know nothing else take it too.
            pre_shared_key_storage: (keys_in_secret == Some(true)).then_some(IN_SECRETS_MANAGER),
            options: VpnOptions {
                enable_acceleration: is_accelerated.then_some(true),
                static_routes_only,
                local_ipv4_network_cidr: arguments.optional("local")?,
                remote_ipv4_network_cidr: arguments.optional("remote")?,
                tunnel_bandwidth: arguments.optional("bandwidth")?.filter(|said| said != "standard"),
                tunnel_options: [tunnel(0, "key_one")?, tunnel(1, "key_two")?],
            },
            tag_specifications: label(subject, arguments)?,
        };
        Ok(TheVpnConnection { request, keys_in_secret })
    }

    fn label(&self) -> &Label {
        &self.request.tag_specifications
    }

    async fn live(&self, at: &Account<'_>) -> Result<Vec<VpnConnection>, AwsFailure> {
        let mut by = at.ours("vpn-connection-id");
        // Deleted ones stay visible for about an hour.
        by.push(filter("state", ["pending", "available"]));
        let there = connections(at.cloud, by).await?;
        Ok(there.into_iter().filter(|one| !is_gone(one)).collect())
    }

    /// What is not as wanted. Keys are not compared: they are read by nobody but the two devices. Where they are kept can be
    /// changed, which replaces each tunnel; acceleration never can ("Accelerated Site-to-Site VPN connections", rules). So
    /// both are left to a person, as all the rest is.
    fn differences(&self, there: &VpnConnection) -> Vec<Difference> {
        let (wanted, options) = (&self.request.options, there.options());
        let routing = |is_static: bool| if is_static { "static" } else { "bgp" };
        let found_routing = options.and_then(|options| options.static_routes_only()).map(routing);
        let end = match &self.request.ends_on {
            End::Vpc(id) => ("gateway", id.as_str(), there.vpn_gateway_id()),
            End::Transit(id) => ("transit gateway", id.as_str(), there.transit_gateway_id()),
        };
        let device = ("customer gateway", self.request.customer_gateway_id.as_str(), there.customer_gateway_id());
        let mut compared = vec![device, end];
        // AWS always says; moto never does.
        if found_routing.is_some() {
            compared.push(("routing", routing(wanted.static_routes_only), found_routing));
        }
        let mut differences = differing(&compared);
        let told = |wanted: &Option<String>, what: &str, found: Option<&str>| {
            let wanted = wanted.as_deref().filter(|wanted| known(wanted) && found != Some(*wanted));
            wanted.map(|wanted| difference(what, wanted, found.unwrap_or("nothing")))
        };
        let range = options.and_then(|options| options.local_ipv4_network_cidr());
        differences.extend(told(&wanted.local_ipv4_network_cidr, "customer's range in the tunnels", range));
        let range = options.and_then(|options| options.remote_ipv4_network_cidr());
        differences.extend(told(&wanted.remote_ipv4_network_cidr, "AWS's range in the tunnels", range));
        let bandwidth = options.and_then(|options| options.tunnel_bandwidth()).map(|said| said.as_str());
        differences.extend(told(&wanted.tunnel_bandwidth, "bandwidth of the tunnels", bandwidth));
        let accelerated = |is: bool| if is { "on" } else { "off" };
        // AWS always says.
        if let Some(found) = options.and_then(|options| options.enable_acceleration()) {
            let wanted = accelerated(wanted.enable_acceleration == Some(true));
            differences.extend(differing(&[("acceleration", wanted, Some(accelerated(found)))]));
        }
        let tunnels = options.map(|options| options.tunnel_options()).unwrap_or_default();
        for (number, wanted) in wanted.tunnel_options.iter().enumerate() {
            let Some(there) = tunnels.get(number) else { continue };
            let about = |what: &str| format!("{what} of tunnel {}", number + 1);
            let inside = there.tunnel_inside_cidr();
            differences.extend(told(&wanted.tunnel_inside_cidr, &about("inside range"), inside));
            differences.extend(told(&wanted.startup_action, &about("who starts"), there.startup_action()));
            differences.extend(told(
                &wanted.dpd_timeout_action,
                &about("dead peer action"),
                there.dpd_timeout_action(),
            ));
            let seconds = |wanted: Option<i32>, what: &str, found: Option<i32>| {
                // AWS shows what was asked for; moto never does.
                let differs = wanted.zip(found).filter(|(wanted, found)| wanted != found);
                differs.map(|(wanted, found)| difference(&about(what), format!("{wanted} s"), format!("{found} s")))
            };
            differences.extend(seconds(wanted.phase_one_seconds, "phase 1", there.phase1_lifetime_seconds()));
            differences.extend(seconds(wanted.phase_two_seconds, "phase 2", there.phase2_lifetime_seconds()));
            differences.extend(seconds(wanted.dpd_timeout_seconds, "dead peer time", there.dpd_timeout_seconds()));
            let keeps = |in_secret: bool| if in_secret { "Secrets Manager" } else { "the VPN service, which shows it" };
            if let Some((wanted, found)) = self.keys_in_secret.zip(is_in_secret(there)) {
                let what = format!("where AWS keeps the key of tunnel {}", number + 1);
                differences.extend(differing(&[(&what, keeps(wanted), Some(keeps(found)))]));
            }
            if let Some(logs) = &wanted.log_options {
                differences.extend(logs_differ(logs, there, number + 1));
            }
            for (name, wanted, found) in algorithms(wanted, there) {
                let words = name.replace("Phase1", "phase 1, ").replace("Phase2", "phase 2, ");
                differences.push(difference(&about(&words), crate::text::list(&wanted), crate::text::list(&found)));
            }
            let mut versions: Vec<&str> = there.ike_versions().iter().filter_map(|one| one.value()).collect();
            versions.sort_unstable();
            if !wanted.ike_versions.is_empty() && versions != wanted.ike_versions {
                let (wanted, versions) = (crate::text::list(&wanted.ike_versions), crate::text::list(&versions));
                differences.push(difference(&about("IKE version"), wanted, versions));
            }
        }
        differences
    }

    /// The calls with which a person changes the tunnels.
    fn by_hand(&self, there: &VpnConnection) -> Vec<String> {
        let id = there.vpn_connection_id().unwrap_or_default();
        let tunnels = there.options().map(|options| options.tunnel_options()).unwrap_or_default();
        let both = self.request.options.tunnel_options.iter().zip(tunnels);
        both.filter_map(|(wanted, there)| modify(id, wanted, there, self.keys_in_secret)).collect()
    }
}

/// Who begins, for each tunnel: `start` is AWS, `add` the customer's router.
pub(super) fn who_begins(connection: &VpnConnection) -> Vec<&str> {
    let tunnels = connection.options().map(|options| options.tunnel_options()).unwrap_or_default();
    tunnels.iter().filter_map(TunnelOption::startup_action).collect()
}

/// What both sides may choose from, where that is not as wanted: AWS's name of the list, what it should have, and what it has. moto never
/// shows them, and AWS shows a list only where it was limited.
fn algorithms(wanted: &TunnelOptions, there: &TunnelOption) -> Vec<(&'static str, Vec<String>, Vec<String>)> {
    fn texts<'v>(values: impl Iterator<Item = Option<&'v str>>) -> Vec<String> {
        values.flatten().map(str::to_owned).collect()
    }
    let numbers = |all: &[i32]| all.iter().map(i32::to_string).collect::<Vec<_>>();
    let found = |all: Vec<Option<i32>>| all.into_iter().flatten().map(|one| one.to_string()).collect::<Vec<_>>();
    let all = [
        (
            "Phase1EncryptionAlgorithms",
            wanted.phase_one_encryption.clone(),
            texts(there.phase1_encryption_algorithms().iter().map(|one| one.value())),
        ),
        (
            "Phase2EncryptionAlgorithms",
            wanted.phase_two_encryption.clone(),
            texts(there.phase2_encryption_algorithms().iter().map(|one| one.value())),
        ),
        (
            "Phase1IntegrityAlgorithms",
            wanted.phase_one_integrity.clone(),
            texts(there.phase1_integrity_algorithms().iter().map(|one| one.value())),
        ),
        (
            "Phase2IntegrityAlgorithms",
            wanted.phase_two_integrity.clone(),
            texts(there.phase2_integrity_algorithms().iter().map(|one| one.value())),
        ),
        (
            "Phase1DHGroupNumbers",
            numbers(&wanted.phase_one_groups),
            found(there.phase1_dh_group_numbers().iter().map(|one| one.value()).collect()),
        ),
        (
            "Phase2DHGroupNumbers",
            numbers(&wanted.phase_two_groups),
            found(there.phase2_dh_group_numbers().iter().map(|one| one.value()).collect()),
        ),
    ];
    let sorted = |list: &[String]| list.iter().cloned().collect::<std::collections::BTreeSet<_>>();
    let other = |(_, wanted, found): &(&str, Vec<String>, Vec<String>)| {
        !wanted.is_empty() && !found.is_empty() && sorted(wanted) != sorted(found)
    };
    all.into_iter().filter(other).collect()
}

/// What a person sends for one tunnel, so that it becomes as wanted; it is down for some minutes by that.
fn modify(id: &str, wanted: &TunnelOptions, there: &TunnelOption, in_secret: Option<bool>) -> Option<String> {
    let mut options = Vec::new();
    let mut text = |name: &str, wanted: Option<&str>, found: Option<&str>| {
        options.extend(wanted.filter(|wanted| found != Some(*wanted)).map(|wanted| format!("{name}={wanted}")));
    };
    text("StartupAction", wanted.startup_action.as_deref(), there.startup_action());
    text("DPDTimeoutAction", wanted.dpd_timeout_action.as_deref(), there.dpd_timeout_action());
    let seconds = [
        ("DPDTimeoutSeconds", wanted.dpd_timeout_seconds, there.dpd_timeout_seconds()),
        ("Phase1LifetimeSeconds", wanted.phase_one_seconds, there.phase1_lifetime_seconds()),
        ("Phase2LifetimeSeconds", wanted.phase_two_seconds, there.phase2_lifetime_seconds()),
    ];
    for (name, wanted, found) in seconds {
        options.extend(
            wanted.zip(found).filter(|(wanted, found)| wanted != found).map(|(wanted, _)| format!("{name}={wanted}")),
        );
    }
    for (name, wanted, _) in algorithms(wanted, there) {
        let values: Vec<String> = wanted.iter().map(|value| format!("{{Value={value}}}")).collect();
        options.push(format!("{name}=[{}]", values.join(",")));
    }
    let mut said = Vec::new();
    if !options.is_empty() {
        said.push(format!("--tunnel-options {}", options.join(",")));
    }
    if let Some((wanted, _)) = in_secret.zip(is_in_secret(there)).filter(|(wanted, found)| wanted != found) {
        said.push(format!("--pre-shared-key-storage {}", if wanted { IN_SECRETS_MANAGER } else { "Standard" }));
    }
    let outside = there.outside_ip_address().filter(|_| !said.is_empty())?;
    let tunnel = format!("--vpn-connection-id {id} --vpn-tunnel-outside-ip-address {outside}");
    Some(format!("aws ec2 modify-vpn-tunnel-options {tunnel} {}", said.join(" ")))
}

/// Log groups are called by their ARN with `:*` behind it, and without.
fn of_group(arn: &str) -> &str {
    arn.strip_suffix(":*").unwrap_or(arn)
}

/// What a tunnel does not write where it should. Turning it on later replaces the tunnel, so it is left to a person.
fn logs_differ(wanted: &LogOptions, there: &TunnelOption, number: usize) -> Vec<Difference> {
    let wanted = &wanted.cloud_watch_log_options;
    let found = there.log_options().and_then(|options| options.cloud_watch_log_options());
    let group = |enabled: Option<bool>, arn: Option<&str>| {
        arn.filter(|_| enabled == Some(true)).map_or("nothing", of_group).to_owned()
    };
    let differs = |what: String, wanted: &str, found: String| {
        (known(wanted) && wanted != found).then(|| difference(&what, wanted, found))
    };
    let negotiation = group(found.and_then(|found| found.log_enabled()), found.and_then(|found| found.log_group_arn()));
    let session =
        group(found.and_then(|found| found.bgp_log_enabled()), found.and_then(|found| found.bgp_log_group_arn()));
    let mut differences = Vec::new();
    differences.extend(differs(format!("log of tunnel {number}"), &wanted.log_group_arn, negotiation));
    if let Some(bgp) = &wanted.bgp {
        differences.extend(differs(format!("BGP log of tunnel {number}"), &bgp.bgp_log_group_arn, session));
    }
    differences
}

/// Does AWS keep the tunnel's key in Secrets Manager? None where it says nothing of a key at all.
fn is_in_secret(tunnel: &TunnelOption) -> Option<bool> {
    tunnel.pre_shared_key().map(|key| key == REDACTED)
}

/// The keys of a connection that AWS shows, where it shows them.
pub(super) fn keys_shown(connection: &VpnConnection) -> Vec<&str> {
    let tunnels = connection.options().map(|options| options.tunnel_options()).unwrap_or_default();
    tunnels.iter().filter_map(TunnelOption::pre_shared_key).filter(|key| *key != REDACTED).collect()
}

/// The secret in which AWS keeps the keys; empty where it keeps them itself.
fn keys_secret(connection: &VpnConnection) -> &str {
    let tunnels = connection.options().map(|options| options.tunnel_options()).unwrap_or_default();
    let arn = connection.pre_shared_key_arn().filter(|_| tunnels.iter().any(|one| is_in_secret(one) == Some(true)));
    arn.unwrap_or_default()
}

/// What later steps and the customer need of a tunnel: no key.
fn tunnels(connection: &VpnConnection) -> Vec<Json> {
    let options = connection.options().map(|options| options.tunnel_options()).unwrap_or_default();
    let shown = |one: &TunnelOption| json!({ "outside": one.outside_ip_address(), "inside": one.tunnel_inside_cidr() });
    options.iter().map(shown).collect()
}

#[async_trait]
impl Thing for TheVpnConnection {
    fn noun(&self) -> String {
        format!("VPN connection {}", self.label().key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateVpnConnection(Box::new(self.request.clone()))]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.live(at).await?;
        let ours = at.only_one(&self.label().key, ours, VpnConnection::vpn_connection_id, VpnConnection::tags);
        let Some(there) = ours else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let id = there.vpn_connection_id().unwrap_or_default();
        let differences = self.differences(&there);
        if !differences.is_empty() {
            let said = format!("{} is there as {id}, but otherwise", self.noun());
            let said = match self.by_hand(&there) {
                commands if commands.is_empty() => said,
                commands => format!(
                    "{said}. onramp never makes it anew for that; in a window with the customer, one tunnel at a time: {}",
                    commands.join("; then: ")
                ),
            };
            return Ok(Sight::Foreign { said, differences });
        }
        let outside = |number: usize| {
            let tunnels = there.options().map(|options| options.tunnel_options()).unwrap_or_default();
            tunnels.get(number).and_then(|one| one.outside_ip_address())
        };
        let output = json!({
            "id": id, "tunnels": tunnels(&there), "outside_one": outside(0), "outside_two": outside(1),
            "keys_secret": keys_secret(&there),
        });
        Ok(match there.state() {
            Some(VpnState::Pending) => Sight::Coming(found(format!("{id} is being made"), output)),
            _ => Sight::Ready(found(format!("{id} with two tunnels"), output)),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.live(at).await?;
        Ok(ids(at.of_ours(&self.label().key, there, VpnConnection::tags), VpnConnection::vpn_connection_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteVpnConnection { vpn_connection_id: id.to_owned() }]
    }

    async fn in_the_way(&self, at: &Account<'_>, refused: &Failure) -> Result<Vec<String>, AwsFailure> {
        if refused.code.as_deref() != Some(SAME_ADDRESS) {
            return Ok(Vec::new());
        }
        let device = self.request.customer_gateway_id.as_str();
        let ours = customer_gateways(at.cloud, filter("customer-gateway-id", [device])).await?;
        let Some(address) = ours.first().and_then(|one| one.ip_address()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for other in customer_gateways(at.cloud, filter("ip-address", [address])).await? {
            let id = other.customer_gateway_id().unwrap_or_default();
            let by = vec![filter("customer-gateway-id", [id]), filter("state", ["pending", "available"])];
            let those = connections(at.cloud, by).await?.into_iter().filter(|one| !is_gone(one));
            found.extend(those.map(|one| {
                let connection = at.whose(one.vpn_connection_id().unwrap_or_default(), one.tags.as_deref());
                format!("{connection}, to {address} by {id}")
            }));
        }
        Ok(found)
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = connection(at.cloud, id).await?;
        let there = there.filter(|one| one.state() != Some(&VpnState::Deleted));
        if there.as_ref().is_some_and(is_gone) {
            return Ok(Remains::Going { said: format!("{id} is being deleted") });
        }
        Ok(at.remains(id, there.as_ref().map(|one| one.tags.as_deref()), self.inverse(id, made)))
    }
}

/// `aws/vpn-route`: a range behind the customer's device, for a connection without BGP.
pub(super) struct TheVpnRoute {
    vpn: String,
    to: String,
}

impl TheVpnRoute {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheVpnRoute { vpn: arguments.text("vpn")?, to: arguments.text("to")? })
    }

    async fn there(&self, at: &Account<'_>) -> Result<Option<VpnConnection>, AwsFailure> {
        if !known(&self.vpn) {
            return Ok(None);
        }
        Ok(connection(at.cloud, &self.vpn).await?.filter(|one| !is_gone(one)))
    }

    /// The state of the route.
    fn state<'c>(&self, connection: &'c VpnConnection) -> Option<&'c VpnState> {
        let mut routes = connection.routes().iter().filter(|one| one.destination_cidr_block() == Some(&self.to));
        routes.find_map(|one| one.state()).filter(|state| !matches!(state, VpnState::Deleted | VpnState::Deleting))
    }
}

#[async_trait]
impl Thing for TheVpnRoute {
    fn noun(&self) -> String {
        format!("route to {} by {}", self.to, self.vpn)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateVpnConnectionRoute {
            vpn_connection_id: self.vpn.clone(),
            destination_cidr_block: self.to.clone(),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let nothing = || Sight::Nothing { said: format!("{} is not there", self.noun()) };
        let Some(there) = self.there(at).await? else { return Ok(nothing()) };
        if there.options().and_then(|options| options.static_routes_only()) == Some(false) {
            return Ok(Sight::Foreign {
                said: format!("{} learns its routes by BGP", self.vpn),
                differences: vec![difference("routing", "static", "bgp")],
            });
        }
        Ok(match self.state(&there) {
            None => nothing(),
            Some(VpnState::Pending) => Sight::Coming(found(format!("{} is being made", self.noun()), json!({}))),
            Some(_) => Sight::Ready(found(self.noun(), json!({}))),
        })
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteVpnConnectionRoute {
            vpn_connection_id: self.vpn.clone(),
            destination_cidr_block: self.to.clone(),
        }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let there = self.there(at).await?;
        Ok(match there.as_ref().and_then(|there| self.state(there)) {
            None => Remains::Gone,
            Some(_) => Remains::Takes(self.inverse("", made)),
        })
    }
}

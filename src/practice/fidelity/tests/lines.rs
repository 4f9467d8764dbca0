//! Direct Connect and transit gateways, as the real SDK sees them.

use std::time::Duration;

use aws_sdk_directconnect::types::{
    BgpStatus, ConnectionState, DirectConnectGatewayAssociationState as Associated, LoaContentType,
    NewPrivateVirtualInterface, NewTransitVirtualInterface, RouteFilterPrefix, Tag as LineTag,
    VirtualInterfaceState as InterfaceState,
};
use aws_sdk_directconnect::{Client as Lines, Config as LinesConfig};
use aws_sdk_ec2::types::{GatewayType, TransitGatewayRequestOptions};

use super::*;

const HOSTED: &str = "dxcon-ffabc123";

fn lines(cloud: &Cloud) -> Lines {
    let config = LinesConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(REGION))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    Lines::from_conf(config.build())
}

/// The prose of a refusal, under the one code that there is; nothing when it was done.
fn prose<O: Debug, E: ProvideErrorMetadata + Debug>(result: Result<O, SdkError<E>>) -> String {
    match result {
        Ok(_) => String::new(),
        Err(SdkError::ServiceError(error)) => {
            assert_eq!(error.err().code(), Some("DirectConnectClientException"), "{error:?}");
            error.err().message().unwrap_or_default().to_owned()
        }
        Err(other) => format!("{other:?}"),
    }
}

/// Rows of `call => words of the refusal`; none where it is done.
macro_rules! says {
    ($($call:expr => $words:expr,)*) => {$(
        let said = prose($call.send().await);
        assert!(if $words.is_empty() { said.is_empty() } else { said.contains($words) }, "{}: {said}", stringify!($call));
    )*};
}

async fn ordered(lines: &Lines) -> String {
    let order = lines.create_connection().location("EqDC2").bandwidth("1Gbps").connection_name("first");
    order.send().await.unwrap().connection_id.unwrap()
}

/// A line that is up, in a cloud that answers at once.
async fn line(lines: &Lines) -> String {
    let id = ordered(lines).await;
    lines.describe_loa().connection_id(&id).send().await.unwrap();
    id
}

async fn state(lines: &Lines, id: &str) -> ConnectionState {
    let there = lines.describe_connections().connection_id(id).send().await.unwrap();
    there.connections()[0].connection_state().unwrap().clone()
}

async fn gateway(lines: &Lines, asn: i64) -> String {
    let made = lines.create_direct_connect_gateway().direct_connect_gateway_name("g").amazon_side_asn(asn);
    made.send().await.unwrap().direct_connect_gateway.unwrap().direct_connect_gateway_id.unwrap()
}

fn private(gateway: &str, vlan: i32) -> aws_sdk_directconnect::types::builders::NewPrivateVirtualInterfaceBuilder {
    let new = NewPrivateVirtualInterface::builder().virtual_interface_name("v").vlan(vlan).asn_long(65_010);
    new.direct_connect_gateway_id(gateway)
}

async fn vgw(ec2: &Client, cidr: &str) -> String {
    let vpc = vpc(ec2, cidr).await;
    let made = ec2.create_vpn_gateway().r#type(GatewayType::Ipsec1).amazon_side_asn(64_620).send().await.unwrap();
    let id = made.vpn_gateway.unwrap().vpn_gateway_id.unwrap();
    ec2.attach_vpn_gateway().vpn_gateway_id(&id).vpc_id(&vpc).send().await.unwrap();
    id
}

async fn transit(ec2: &Client, asn: i64) -> String {
    let options = TransitGatewayRequestOptions::builder().amazon_side_asn(asn).build();
    let made = ec2.create_transit_gateway().options(options).send().await.unwrap();
    made.transit_gateway.unwrap().transit_gateway_id.unwrap()
}

fn range(cidr: &str) -> RouteFilterPrefix {
    RouteFilterPrefix::builder().cidr(cidr).build()
}

#[tokio::test]
async fn an_order_is_checked_and_waits_for_its_port_its_letter_and_the_building() {
    let cloud = cloud(Pace::Stopped);
    let lines = lines(&cloud);
    let order = || lines.create_connection().location("EqDC2").bandwidth("1Gbps").connection_name("first");
    let tag = |key: &str| LineTag::builder().key(key).value("v").build().unwrap();
    says! {
        lines.create_connection().bandwidth("1Gbps").connection_name("c") => "location must be given",
        order().location("TCSH") => "not valid for this region",
        order().bandwidth("2Gbps") => "not supported at location",
        order().tags(tag("a[b]")) => "not valid",
        lines.describe_loa().connection_id("dxcon-00000000") => "does not exist",
        lines.delete_connection().connection_id("dxcon-00000000") => "does not exist",
    }
    assert_eq!(code(order().tags(tag("a")).tags(tag("a")).send().await), "DuplicateTagKeysException");
    let many = (0..51).map(|n| tag(&format!("k{n}"))).collect();
    assert_eq!(code(order().set_tags(Some(many)).send().await), "TooManyTagsException");
    let offered = lines.describe_locations().send().await.unwrap();
    assert!(offered.locations().iter().any(|one| one.location_code() == Some("EqDC2")), "{offered:?}");

    let id = ordered(&lines).await;
    let wait = |seconds| cloud.advance(Duration::from_secs(seconds));
    assert_eq!(state(&lines, &id).await, ConnectionState::Requested);
    says! { lines.describe_loa().connection_id(&id) => "in the state requested", }
    wait(5);
    assert_eq!(state(&lines, &id).await, ConnectionState::Pending);
    wait(5);
    assert_eq!(state(&lines, &id).await, ConnectionState::Pending, "nobody connects it without its letter");
    let letter = lines.describe_loa().connection_id(&id).provider_name("Carrier (east)").send().await.unwrap();
    assert_eq!(letter.loa_content_type(), Some(&LoaContentType::Pdf));
    let text = String::from_utf8(letter.loa_content.unwrap().into_inner()).unwrap();
    assert!(text.starts_with("%PDF-") && text.contains("Carrier \\(east\\)") && text.contains(&id), "{text}");
    let issued = |there: &aws_sdk_directconnect::operation::describe_connections::DescribeConnectionsOutput| {
        there.connections()[0].loa_issue_time().unwrap().secs()
    };
    let first = issued(&lines.describe_connections().connection_id(&id).send().await.unwrap());
    wait(5);
    assert_eq!(state(&lines, &id).await, ConnectionState::Available);
    lines.describe_loa().connection_id(&id).send().await.unwrap();
    let again = issued(&lines.describe_connections().connection_id(&id).send().await.unwrap());
    assert_eq!(again - first, 5, "each letter begins its time anew");
    assert_eq!(state(&lines, &id).await, ConnectionState::Available);
    lines.delete_connection().connection_id(&id).send().await.unwrap();
    assert_eq!(state(&lines, &id).await, ConnectionState::Deleting);
    wait(5);
    says! { lines.describe_connections().connection_id(&id) => "does not exist", }
}

#[tokio::test]
async fn a_partner_offers_a_line_that_is_accepted_tagged_and_given_back() {
    let cloud = cloud(Pace::Instant);
    let lines = lines(&cloud);
    assert_eq!(state(&lines, HOSTED).await, ConnectionState::Ordering);
    let own = ordered(&lines).await;
    says! {
        lines.confirm_connection().connection_id(&own) => "cannot be confirmed",
        lines.describe_loa().connection_id(HOSTED) => "no LOA-CFA",
        lines.confirm_connection().connection_id(HOSTED) => "",
        lines.confirm_connection().connection_id(HOSTED) => "cannot be confirmed",
    }
    let arn = format!("arn:aws:directconnect:{REGION}:{ACCOUNT}:dxcon/{HOSTED}");
    let tag = LineTag::builder().key("onramp:key").value("line").build().unwrap();
    lines.tag_resource().resource_arn(arn).tags(tag).send().await.unwrap();
    let there = lines.describe_connections().connection_id(HOSTED).send().await.unwrap();
    let line = &there.connections()[0];
    assert_eq!((line.vlan(), line.partner_name().is_some(), line.tags().len()), (101, true, 1));
    let gateway = gateway(&lines, 64_513).await;
    let put = |vlan| {
        let new = private(&gateway, vlan).build().unwrap();
        lines.create_private_virtual_interface().connection_id(HOSTED).new_private_virtual_interface(new)
    };
    says! {
        put(102) => "not the one of hosted connection",
        put(101) => "",
        lines.delete_connection().connection_id(HOSTED) => "it has virtual interfaces",
    }
    let there = lines.describe_virtual_interfaces().send().await.unwrap();
    let interface = there.virtual_interfaces()[0].virtual_interface_id().unwrap();
    lines.delete_virtual_interface().virtual_interface_id(interface).send().await.unwrap();
    lines.delete_connection().connection_id(HOSTED).send().await.unwrap();
    assert_eq!(state(&lines, HOSTED).await, ConnectionState::Ordering, "it is offered again");
    let there = lines.describe_connections().connection_id(HOSTED).send().await.unwrap();
    assert_eq!(there.connections()[0].tags().len(), 0);
}

#[tokio::test]
async fn ports_that_work_as_one_are_ordered_together_and_stay_when_their_lag_goes() {
    let cloud = cloud(Pace::Instant);
    let lines = lines(&cloud);
    let order = |ports| {
        let order = lines.create_lag().location("EqDC2").connections_bandwidth("1Gbps").lag_name("both");
        order.number_of_connections(ports)
    };
    says! {
        order(5) => "1 to 4",
        order(2).location("TCSH") => "not valid for this region",
        lines.delete_lag().lag_id("dxlag-00000000") => "does not exist",
    }
    let tag = LineTag::builder().key("onramp:key").value("lag").build().unwrap();
    let made = order(2).child_connection_tags(tag).send().await.unwrap();
    let (id, ports) = (made.lag_id().unwrap(), made.connections());
    let ports: Vec<&str> = ports.iter().filter_map(|port| port.connection_id()).collect();
    assert_eq!((ports.len(), made.number_of_connections(), made.tags().len()), (2, 2, 0));
    says! { lines.delete_connection().connection_id(ports[0]) => "part of a LAG", }
    lines.describe_loa().connection_id(id).send().await.unwrap();
    let there = lines.describe_lags().lag_id(id).send().await.unwrap();
    assert_eq!(there.lags()[0].lag_state().map(|state| state.as_str()), Some("available"));
    assert!(there.lags()[0].connections().iter().all(|port| port.loa_issue_time().is_some() && port.tags().len() == 1));
    let new = private(&gateway(&lines, 64_513).await, 101).build().unwrap();
    let put = lines.create_private_virtual_interface().connection_id(id).new_private_virtual_interface(new);
    let on_it = put.send().await.unwrap().virtual_interface_id.unwrap();
    says! {
        lines.delete_lag().lag_id(id) => "it has virtual interfaces",
        lines.delete_virtual_interface().virtual_interface_id(&on_it) => "",
        lines.delete_lag().lag_id(id) => "",
        lines.describe_lags().lag_id(id) => "does not exist",
        lines.delete_connection().connection_id(ports[0]) => "",
        lines.delete_connection().connection_id(ports[1]) => "",
    }
}

#[tokio::test]
async fn a_line_encrypts_where_it_was_ordered_so_and_both_ends_have_the_key() {
    let cloud = cloud(Pace::Stopped);
    let lines = lines(&cloud);
    let wait = |seconds| cloud.advance(Duration::from_secs(seconds));
    let order = |speed| lines.create_connection().location("EqDC2").bandwidth(speed).connection_name("first");
    says! { order("1Gbps").request_mac_sec(true) => "MACsec is not supported on 1Gbps", }
    let plain = order("10Gbps").send().await.unwrap().connection_id.unwrap();
    let made = order("10Gbps").request_mac_sec(true).send().await.unwrap();
    assert_eq!((made.mac_sec_capable(), made.encryption_mode()), (Some(true), Some("no_encrypt")));
    let id = made.connection_id().unwrap();
    let (ckn, cak) = ("5f".repeat(32), "0A".repeat(32));
    let give = || lines.associate_mac_sec_key().connection_id(id);
    let pair = || give().ckn(&ckn).cak(&cak);
    let set = |id: &str, mode| lines.update_connection().connection_id(id).encryption_mode(mode);
    let take = |arn: &str| lines.disassociate_mac_sec_key().connection_id(id).secret_arn(arn);
    says! {
        pair().connection_id(&plain) => "not MACsec capable",
        set(&plain, "should_encrypt") => "not MACsec capable",
        give() => "Either the secret ARN or both",
        give().ckn(&ckn) => "Either the secret ARN or both",
        pair().secret_arn("arn:aws:secretsmanager:x") => "Either the secret ARN or both",
        give().ckn("5f").cak(&cak) => "64 hexadecimal",
        give().ckn(&ckn).cak("z".repeat(64)) => "64 hexadecimal",
        give().secret_arn("arn:aws:secretsmanager:x") => "does not exist",
        set(id, "may_encrypt") => "not valid",
        set(id, "should_encrypt") => "",
        take("arn:aws:secretsmanager:x") => "does not exist",
    }
    let given = pair().send().await.unwrap();
    assert_eq!(given.mac_sec_keys()[0].ckn(), Some(&*ckn));
    let arn = given.mac_sec_keys()[0].secret_arn().unwrap();
    says! { pair() => "already associated", give().secret_arn(arn) => "already associated", }
    let there = async || lines.describe_connections().connection_id(id).send().await.unwrap().connections()[0].clone();
    wait(5);
    lines.describe_loa().connection_id(id).send().await.unwrap();
    wait(5);
    let seen = there().await;
    assert_eq!((seen.port_encryption_status(), seen.mac_sec_keys().len()), (Some("Encryption Up"), 1));
    set(id, "must_encrypt").send().await.unwrap();
    assert_eq!(there().await.connection_state(), Some(&ConnectionState::Available));
    // With its last key a line need not encrypt any more.
    take(arn).send().await.unwrap();
    let seen = there().await;
    assert_eq!((seen.encryption_mode(), seen.mac_sec_keys().len()), (Some("should_encrypt"), 0));
    assert_eq!(seen.port_encryption_status(), Some("Encryption Down"));
    // What must encrypt and cannot is down, until the router has the key.
    set(id, "must_encrypt").send().await.unwrap();
    assert_eq!(there().await.connection_state(), Some(&ConnectionState::Down));
    give().secret_arn(arn).send().await.unwrap();
    assert_eq!(there().await.connection_state(), Some(&ConnectionState::Down));
    wait(5);
    assert_eq!(there().await.connection_state(), Some(&ConnectionState::Available));

    let lag = lines.create_lag().location("EqSe2").connections_bandwidth("10Gbps").lag_name("both");
    let lag = lag.number_of_connections(2).request_mac_sec(true).send().await.unwrap();
    let id = lag.lag_id().unwrap();
    pair().connection_id(id).send().await.unwrap();
    lines.update_lag().lag_id(id).encryption_mode("should_encrypt").send().await.unwrap();
    let seen = lines.describe_lags().lag_id(id).send().await.unwrap();
    let seen = &seen.lags()[0];
    assert_eq!((seen.mac_sec_capable(), seen.encryption_mode()), (Some(true), Some("should_encrypt")));
    assert!(seen.connections().iter().all(|port| port.mac_sec_keys().len() == 1), "each port has it: {seen:?}");
}

#[tokio::test]
async fn a_virtual_interface_is_checked_as_aws_checks_it() {
    let cloud = cloud(Pace::Instant);
    let lines = lines(&cloud);
    let (line, gateway) = (line(&lines).await, gateway(&lines, 64_513).await);
    let put = |new: aws_sdk_directconnect::types::builders::NewPrivateVirtualInterfaceBuilder| {
        let new = new.build().unwrap();
        lines.create_private_virtual_interface().connection_id(&line).new_private_virtual_interface(new)
    };
    let new = |vlan| private(&gateway, vlan);
    let peers = |vlan, amazon: &str, customer: &str| new(vlan).amazon_address(amazon).customer_address(customer);
    says! {
        put(new(0)) => "from 1 to 4094",
        put(new(4_095)) => "from 1 to 4094",
        put(new(101).asn_long(0)) => "ASN 0",
        put(new(101).asn_long(4_294_967_295)) => "not valid",
        put(new(101).asn_long(64_513)) => "not valid",
        put(new(101).mtu(9_001)) => "MTU 9001",
        put(new(101).auth_key("short")) => "6 to 80",
        put(new(101).amazon_address("169.254.100.1/30")) => "Both addresses",
        put(peers(101, "169.254.100.1/29", "169.254.100.2/29")) => "not the two hosts",
        put(peers(101, "169.254.100.1/30", "169.254.100.6/30")) => "not the two hosts",
        put(peers(101, "169.254.100.1/30", "169.254.100.1/30")) => "not the two hosts",
        put(peers(101, "169.254.100.0/30", "169.254.100.1/30")) => "not the two hosts",
        put(private("3f6a2f2e-0000-4000-a000-000000000000", 101)) => "does not exist",
        put(peers(101, "169.254.100.1/30", "169.254.100.2/30").mtu(8_500)) => "",
        put(new(101)) => "already in use",
        put(peers(102, "169.254.100.4/31", "169.254.100.5/31")) => "",
        put(new(103).asn_long(4_200_000_010)) => "",
    }
    let there = lines.describe_virtual_interfaces().connection_id(&line).send().await.unwrap();
    let long = there.virtual_interfaces().iter().find(|one| one.vlan() == 103).unwrap();
    assert_eq!((long.asn(), long.asn_long()), (0, Some(4_200_000_010)), "a number of 32 bits stands in one field only");
    assert!(long.amazon_address().unwrap().ends_with("/30") && long.auth_key().unwrap().len() >= 6);
}

#[tokio::test]
async fn a_session_comes_up_after_its_line_and_goes_down_for_a_test() {
    let cloud = cloud(Pace::Stopped);
    let lines = lines(&cloud);
    let wait = |seconds| cloud.advance(Duration::from_secs(seconds));
    let line = ordered(&lines).await;
    wait(5);
    let gateway = gateway(&lines, 64_513).await;
    let new = private(&gateway, 101).auth_key("a_key_of_ours").build().unwrap();
    let put = lines.create_private_virtual_interface().connection_id(&line).new_private_virtual_interface(new);
    let id = put.send().await.unwrap().virtual_interface_id.unwrap();
    let seen = async || {
        let there = lines.describe_virtual_interfaces().virtual_interface_id(&id).send().await.unwrap();
        let one = &there.virtual_interfaces()[0];
        (one.virtual_interface_state().unwrap().clone(), one.bgp_peers()[0].bgp_status().unwrap().clone())
    };
    wait(60);
    assert_eq!(seen().await, (InterfaceState::Pending, BgpStatus::Down), "its line is not up");
    let start = || lines.start_bgp_failover_test().virtual_interface_id(&id).test_duration_in_minutes(10);
    says! { start() => "in the state pending", }
    lines.describe_loa().connection_id(&line).send().await.unwrap();
    wait(60);
    assert_eq!(seen().await, (InterfaceState::Available, BgpStatus::Up));
    says! {
        start().test_duration_in_minutes(5_000) => "limit of 4320",
        lines.stop_bgp_failover_test().virtual_interface_id(&id) => "does not exist",
        start() => "",
        start() => "already in progress",
    }
    assert_eq!(seen().await, (InterfaceState::Testing, BgpStatus::Down));
    lines.stop_bgp_failover_test().virtual_interface_id(&id).send().await.unwrap();
    assert_eq!(seen().await, (InterfaceState::Available, BgpStatus::Up));
    start().send().await.unwrap();
    wait(5);
    assert_eq!(seen().await, (InterfaceState::Available, BgpStatus::Up));
    let history = lines.list_virtual_interface_test_history().virtual_interface_id(&id).send().await.unwrap();
    let history: Vec<&str> = history.virtual_interface_test_history().iter().filter_map(|test| test.status()).collect();
    assert_eq!(history, ["STOPPED", "COMPLETED"]);

    let asked =
        |router: &str| lines.describe_router_configuration().virtual_interface_id(&id).router_type_identifier(router);
    says! { asked("NobodysRouter") => "not valid", }
    let answer = asked("CiscoSystemsInc-2900SeriesRouters-IOS124").send().await.unwrap();
    let text = answer.customer_router_config().unwrap();
    assert!(text.contains("<vlan>101</vlan>") && text.contains("a_key_of_ours"), "{text}");
    assert!(text.contains("<bgp_asn>65010</bgp_asn>") && text.contains("<amazon_bgp_asn>64513</amazon_bgp_asn>"));
    assert_eq!(answer.router().and_then(|router| router.vendor()), Some("Cisco Systems, Inc."));
}

#[tokio::test]
async fn gateways_go_together_as_aws_has_it_and_once() {
    let cloud = cloud(Pace::Instant);
    let (lines, ec2) = (lines(&cloud), client(&cloud));
    let (of_vpcs, of_transit) = (gateway(&lines, 64_513).await, gateway(&lines, 64_514).await);
    let (first, second) = (vgw(&ec2, "10.40.0.0/16").await, vgw(&ec2, "10.41.0.0/16").await);
    let loose = ec2.create_vpn_gateway().r#type(GatewayType::Ipsec1).send().await.unwrap();
    let loose = loose.vpn_gateway.unwrap().vpn_gateway_id.unwrap();
    let (tgw, same) = (transit(&ec2, 64_620).await, transit(&ec2, 64_514).await);
    let tie = |gateway: &str, to: &str| {
        lines.create_direct_connect_gateway_association().direct_connect_gateway_id(gateway).gateway_id(to)
    };
    says! {
        lines.create_direct_connect_gateway().direct_connect_gateway_name("g").amazon_side_asn(65_535) => "private ASN",
        tie("3f6a2f2e-0000-4000-a000-000000000000", &first) => "does not exist",
        tie(&of_vpcs, "vgw-00000000") => "does not exist",
        tie(&of_vpcs, &loose) => "not attached",
        tie(&of_vpcs, &first).add_allowed_prefixes_to_direct_connect_gateway(range("10.40.0.1/16")) => "not a valid CIDR",
        tie(&of_vpcs, &first).add_allowed_prefixes_to_direct_connect_gateway(range("10.40.0.0/16")) => "",
        tie(&of_vpcs, &first) => "already associated",
        tie(&of_transit, &first) => "already associated",
        tie(&of_vpcs, &tgw).add_allowed_prefixes_to_direct_connect_gateway(range("10.40.0.0/16")) => "cannot serve",
        tie(&of_transit, &tgw) => "must be given",
        tie(&of_transit, &same).add_allowed_prefixes_to_direct_connect_gateway(range("10.40.0.0/16")) => "same ASN",
        tie(&of_transit, &tgw).add_allowed_prefixes_to_direct_connect_gateway(range("10.40.0.0/16")) => "",
        tie(&of_transit, &second) => "cannot serve",
        lines.delete_direct_connect_gateway().direct_connect_gateway_id(&of_vpcs) => "not in a state",
    }
    let line = line(&lines).await;
    let new = NewTransitVirtualInterface::builder().virtual_interface_name("v").vlan(7).asn_long(65_010);
    let over = |gateway: &str| {
        let new = new.clone().direct_connect_gateway_id(gateway).build();
        lines.create_transit_virtual_interface().connection_id(&line).new_transit_virtual_interface(new)
    };
    says! {
        over(&of_vpcs) => "takes no transit",
        over(&of_transit) => "",
    }
    let there = lines.describe_direct_connect_gateway_associations().direct_connect_gateway_id(&of_vpcs);
    let there = there.send().await.unwrap();
    let one = &there.direct_connect_gateway_associations()[0];
    assert_eq!(one.association_state(), Some(&Associated::Associated));
    assert_eq!(one.allowed_prefixes_to_direct_connect_gateway()[0].cidr(), Some("10.40.0.0/16"));
    let id = one.association_id().unwrap();
    lines.delete_direct_connect_gateway_association().association_id(id).send().await.unwrap();
    says! { lines.delete_direct_connect_gateway().direct_connect_gateway_id(&of_vpcs) => "", }
}

#[tokio::test]
async fn a_transit_gateway_takes_a_vpc_once_with_one_subnet_a_zone() {
    let cloud = cloud(Pace::Stopped);
    let ec2 = client(&cloud);
    let wait = || cloud.advance(Duration::from_secs(5));
    let vpc_id = vpc(&ec2, "10.40.0.0/16").await;
    let a = subnet_in(&ec2, &vpc_id, "10.40.0.0/24", "eu-west-1a").await;
    let also_a = subnet_in(&ec2, &vpc_id, "10.40.1.0/24", "eu-west-1a").await;
    let elsewhere = vpc(&ec2, "10.41.0.0/16").await;
    let theirs = subnet_in(&ec2, &elsewhere, "10.41.0.0/24", "eu-west-1a").await;
    let table = table(&ec2, &vpc_id).await;
    let wrong = TransitGatewayRequestOptions::builder().amazon_side_asn(65_535).build();
    assert_eq!(code(ec2.create_transit_gateway().options(wrong).send().await), "InvalidParameterValue");
    let id = transit(&ec2, 64_620).await;
    let attach = |subnets: &[&str]| {
        let subnets = subnets.iter().map(|id| (*id).to_owned()).collect();
        ec2.create_transit_gateway_vpc_attachment()
            .transit_gateway_id(&id)
            .vpc_id(&vpc_id)
            .set_subnet_ids(Some(subnets))
    };
    assert_eq!(code(attach(&[&a]).send().await), "IncorrectState", "it is pending");
    wait();
    let route =
        || ec2.create_route().route_table_id(&table).destination_cidr_block("192.168.0.0/16").transit_gateway_id(&id);
    rows! {
        attach(&[&a, &also_a]) => "DuplicateSubnetsInSameZone",
        attach(&[&theirs]) => "InvalidSubnetID.NotFound",
        route() => "InvalidTransitGatewayID.NotFound",
        attach(&[&a]) => "ok",
        attach(&[&a]) => "DuplicateTransitGatewayAttachment",
        route() => "InvalidTransitGatewayID.NotFound",
    }
    wait();
    rows! {
        route() => "ok",
        route() => "RouteAlreadyExists",
        ec2.delete_transit_gateway().transit_gateway_id(&id) => "IncorrectState",
    }
    let there = ec2.describe_transit_gateway_vpc_attachments().filters(filter("vpc-id", &vpc_id)).send().await.unwrap();
    let there = there.transit_gateway_vpc_attachments();
    assert_eq!((there.len(), there[0].subnet_ids()), (1, &[a][..]));
    let attachment = there[0].transit_gateway_attachment_id().unwrap().to_owned();
    ec2.delete_transit_gateway_vpc_attachment().transit_gateway_attachment_id(&attachment).send().await.unwrap();
    wait();
    let tables = ec2.describe_route_tables().route_table_ids(&table).send().await.unwrap();
    let dead = tables.route_tables()[0].routes().iter().find(|route| route.transit_gateway_id() == Some(&id)).unwrap();
    assert_eq!(dead.state().map(|state| state.as_str()), Some("blackhole"));
    rows! {
        ec2.delete_route().route_table_id(&table).destination_cidr_block("192.168.0.0/16") => "ok",
        ec2.delete_transit_gateway().transit_gateway_id(&id) => "ok",
        ec2.delete_transit_gateway().transit_gateway_id(&id) => "InvalidTransitGatewayID.NotFound",
    }
}

#[tokio::test]
async fn static_routes_of_a_transit_gateway_lead_to_what_is_attached() {
    let cloud = cloud(Pace::Instant);
    let ec2 = client(&cloud);
    let vpc_id = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet_in(&ec2, &vpc_id, "10.40.0.0/24", "eu-west-1a").await;
    let id = transit(&ec2, 64_620).await;
    let attach = ec2.create_transit_gateway_vpc_attachment().transit_gateway_id(&id).vpc_id(&vpc_id);
    attach.subnet_ids(&subnet).send().await.unwrap();
    let device = ec2.create_customer_gateway().r#type(GatewayType::Ipsec1).ip_address("198.51.100.9").bgp_asn(65_000);
    let device = device.send().await.unwrap().customer_gateway.unwrap().customer_gateway_id.unwrap();
    let large = aws_sdk_ec2::types::VpnConnectionOptionsSpecification::builder().static_routes_only(true);
    let large = large.tunnel_bandwidth(aws_sdk_ec2::types::VpnTunnelBandwidth::Large).build();
    let vpn = ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(device).options(large);
    let of_vpc = vgw(&ec2, "10.41.0.0/16").await;
    rows! { vpn.clone().vpn_gateway_id(of_vpc) => "InvalidParameterCombination", }
    let vpn = vpn.transit_gateway_id(&id).send().await.unwrap().vpn_connection.unwrap().vpn_connection_id.unwrap();
    let there = ec2.describe_transit_gateway_attachments().filters(filter("resource-id", &vpn)).send().await.unwrap();
    let there = &there.transit_gateway_attachments()[0];
    let place = there.transit_gateway_attachment_id().unwrap();
    let table = there.association().unwrap().transit_gateway_route_table_id().unwrap();
    let route = |table: &str, to: &str, at: &str| {
        let request = ec2.create_transit_gateway_route().transit_gateway_route_table_id(table);
        request.destination_cidr_block(to).transit_gateway_attachment_id(at)
    };
    let search = ec2.search_transit_gateway_routes().transit_gateway_route_table_id(table);
    rows! {
        route("tgw-rtb-00000000", "192.168.0.0/16", place) => "InvalidRouteTableID.NotFound",
        route(table, "192.168.0.0/16", "tgw-attach-00000000") => "InvalidTransitGatewayAttachmentID.NotFound",
        route(table, "192.168.0.0/99", place) => "InvalidParameterValue",
        route(table, "192.168.0.0/16", place) => "ok",
        route(table, "192.168.0.0/16", place) => "RouteAlreadyExists",
        search.clone() => "MissingParameter",
    }
    let found = search.clone().filters(filter("type", "static")).send().await.unwrap();
    let one = &found.routes()[0];
    assert_eq!((found.routes().len(), one.destination_cidr_block()), (1, Some("192.168.0.0/16")));
    assert_eq!(one.transit_gateway_attachments()[0].resource_id(), Some(&*vpn));
    let learnt = search.clone().filters(filter("type", "propagated")).send().await.unwrap();
    assert_eq!(learnt.routes()[0].destination_cidr_block(), Some("10.40.0.0/16"));
    ec2.delete_vpn_connection().vpn_connection_id(&vpn).send().await.unwrap();
    let dead = search.filters(filter("state", "blackhole")).send().await.unwrap();
    assert_eq!(dead.routes().len(), 1);
    let take = ec2.delete_transit_gateway_route().transit_gateway_route_table_id(table);
    let take = take.destination_cidr_block("192.168.0.0/16");
    rows! { take.clone() => "ok", take => "InvalidRoute.NotFound", }
}

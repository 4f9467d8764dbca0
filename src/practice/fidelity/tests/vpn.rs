//! VPNs and DHCP option sets, as the real SDK sees them.

use std::time::Duration;

use aws_sdk_ec2::types::{
    AttachmentStatus, GatewayType, IkeVersionsRequestListValue as Ike, NewDhcpConfiguration, TelemetryStatus,
    VpnConnectionOptionsSpecification as Options, VpnState, VpnTunnelOptionsSpecification as Tunnel,
};

use super::*;

const IPSEC: GatewayType = GatewayType::Ipsec1;

pub(super) async fn device(ec2: &Client, ip: &str, asn: i32) -> String {
    let made = ec2.create_customer_gateway().r#type(IPSEC).ip_address(ip).bgp_asn(asn).send().await.unwrap();
    made.customer_gateway().and_then(|gateway| gateway.customer_gateway_id()).unwrap().to_string()
}

pub(super) async fn vgw(ec2: &Client) -> String {
    let made = ec2.create_vpn_gateway().r#type(IPSEC).amazon_side_asn(64_620).send().await.unwrap();
    made.vpn_gateway().and_then(|gateway| gateway.vpn_gateway_id()).unwrap().to_string()
}

fn with(tunnel: Tunnel) -> Options {
    Options::builder().static_routes_only(true).tunnel_options(tunnel).build()
}

fn inside(cidr: &str) -> Options {
    with(Tunnel::builder().tunnel_inside_cidr(cidr).build())
}

pub(super) fn key(text: &str) -> Options {
    with(Tunnel::builder().pre_shared_key(text).build())
}

#[tokio::test]
async fn gateways_are_checked_as_aws_checks_them() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let cgw = || ec2.create_customer_gateway().r#type(IPSEC);
    rows! {
        ec2.create_customer_gateway().ip_address("198.51.100.9") => "MissingParameter",
        cgw().bgp_asn(65_010) => "MissingParameter",
        cgw().ip_address("nonsense").bgp_asn(65_010) => "InvalidParameterValue",
        cgw().ip_address("127.0.0.1").bgp_asn(65_010) => "InvalidParameterValue",
        cgw().ip_address("198.51.100.9").bgp_asn(7_224) => "InvalidParameterValue",
        cgw().ip_address("198.51.100.9").bgp_asn(9_059) => "InvalidParameterValue",
        cgw().ip_address("198.51.100.9").bgp_asn(0) => "InvalidParameterValue",
        cgw().ip_address("198.51.100.9").bgp_asn_extended(4_200_000_000) => "ok",
        ec2.create_vpn_gateway().r#type(IPSEC).amazon_side_asn(65_535) => "InvalidParameterValue",
        ec2.delete_customer_gateway().customer_gateway_id("cgw-0a1b2c3d") => "InvalidCustomerGatewayID.NotFound",
        ec2.delete_vpn_gateway().vpn_gateway_id("vgw-0a1b2c3d") => "InvalidVpnGatewayID.NotFound",
        ec2.attach_vpn_gateway().vpn_gateway_id("vgw-0a1b2c3d").vpc_id(&vpc) => "InvalidVpnGatewayID.NotFound",
    }
    let one = device(&ec2, "198.51.100.10", 65_010).await;
    assert_eq!(device(&ec2, "198.51.100.10", 65_010).await, one, "an identical one is given back");
    assert_ne!(device(&ec2, "198.51.100.10", 65_011).await, one);
}

#[tokio::test]
async fn a_vpc_has_one_gateway_and_holds_it_until_it_is_detached() {
    let cloud = cloud(Pace::Stopped);
    let ec2 = client(&cloud);
    let (vpc, gateway, second) = (vpc(&ec2, "10.40.0.0/16").await, vgw(&ec2).await, vgw(&ec2).await);
    let table = table(&ec2, &vpc).await;
    let state = async || {
        let there = ec2.describe_vpn_gateways().vpn_gateway_ids(&gateway).send().await.unwrap();
        there.vpn_gateways()[0].vpc_attachments().first().and_then(|one| one.state().cloned())
    };
    assert_eq!(state().await, None);
    let enable = ec2.enable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table);
    rows! {
        enable.clone() => "Gateway.NotAttached",
        ec2.attach_vpn_gateway().vpn_gateway_id(&gateway).vpc_id(&vpc) => "ok",
        ec2.attach_vpn_gateway().vpn_gateway_id(&second).vpc_id(&vpc) => "VpnGatewayAttachmentLimitExceeded",
        ec2.delete_vpn_gateway().vpn_gateway_id(&gateway) => "IncorrectState",
        enable.clone() => "Gateway.NotAttached",
    }
    assert_eq!(state().await, Some(AttachmentStatus::Attaching));
    cloud.advance(Duration::from_secs(60));
    assert_eq!(state().await, Some(AttachmentStatus::Attached));
    rows! {
        enable.clone() => "ok",
        ec2.delete_vpc().vpc_id(&vpc) => "DependencyViolation",
        ec2.detach_vpn_gateway().vpn_gateway_id(&second).vpc_id(&vpc) => "InvalidVpnGatewayAttachment.NotFound",
        ec2.detach_vpn_gateway().vpn_gateway_id(&gateway).vpc_id(&vpc) => "ok",
        ec2.delete_vpn_gateway().vpn_gateway_id(&gateway) => "IncorrectState",
    }
    assert_eq!(state().await, Some(AttachmentStatus::Detaching));
    cloud.advance(Duration::from_secs(60));
    rows! {
        ec2.delete_vpn_gateway().vpn_gateway_id(&gateway) => "ok",
        ec2.delete_vpn_gateway().vpn_gateway_id(&gateway) => "InvalidVpnGatewayID.NotFound",
        ec2.delete_route_table().route_table_id(&table) => "ok",
        ec2.delete_vpc().vpc_id(&vpc) => "ok",
    }
    let there = ec2.describe_vpn_gateways().vpn_gateway_ids(&gateway).send().await.unwrap();
    assert_eq!(there.vpn_gateways()[0].state(), Some(&VpnState::Deleted), "it is shown for a while");
}

#[tokio::test]
async fn a_connection_is_checked_as_aws_checks_it() {
    let ec2 = ec2();
    let (cgw, gateway) = (device(&ec2, "198.51.100.9", 65_010).await, vgw(&ec2).await);
    let same = device(&ec2, "198.51.100.9", 64_620).await;
    let twin = device(&ec2, "198.51.100.9", 65_011).await;
    let ask = |device: &str| {
        ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(device).vpn_gateway_id(&gateway)
    };
    let ikev1 = Tunnel::builder().startup_action("start").ike_versions(Ike::builder().value("ikev1").build()).build();
    rows! {
        ask("cgw-0a1b2c3d") => "InvalidCustomerGatewayID.NotFound",
        ask(&cgw).vpn_gateway_id("vgw-0a1b2c3d") => "InvalidVpnGatewayID.NotFound",
        ask(&same) => "AsnConflict",
        ask(&cgw).options(inside("169.254.44.0/29")) => "InvalidParameterValue",
        ask(&cgw).options(inside("169.254.44.1/30")) => "InvalidParameterValue",
        ask(&cgw).options(inside("10.0.0.0/30")) => "InvalidParameterValue",
        ask(&cgw).options(inside("169.254.5.0/30")) => "InvalidParameterValue",
        ask(&cgw).options(inside("169.254.169.252/30")) => "InvalidParameterValue",
        ask(&cgw).options(key("short")) => "InvalidParameterValue",
        ask(&cgw).options(key("0startswithzero")) => "InvalidParameterValue",
        ask(&cgw).options(key("has-a-hyphen")) => "InvalidParameterValue",
        ask(&cgw).options(with(ikev1)) => "InvalidParameterValue",
        ask(&cgw).options(with(Tunnel::builder().dpd_timeout_action("reboot").build())) => "InvalidParameterValue",
        ask(&cgw).pre_shared_key_storage("Vault") => "InvalidParameterValue",
        ask(&cgw).options(Options::builder().enable_acceleration(true).build()) => "InvalidParameterCombination",
        ask(&cgw).options(inside("169.254.44.0/30")) => "ok",
        ask(&cgw).options(inside("169.254.44.0/30")) => "InvalidParameterValue",
        ask(&twin) => "InvalidCustomerGateway.DuplicateIpAddress",
        ec2.delete_customer_gateway().customer_gateway_id(&cgw) => "IncorrectState",
        ec2.delete_vpn_gateway().vpn_gateway_id(&gateway) => "IncorrectState",
    }
}

#[tokio::test]
async fn a_connection_is_pending_then_available_then_its_tunnels_are_up_and_gone_it_is_shown() {
    let cloud = cloud(Pace::Stopped);
    let ec2 = client(&cloud);
    let (cgw, gateway) = (device(&ec2, "198.51.100.9", 65_010).await, vgw(&ec2).await);
    let ask = ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(&cgw).vpn_gateway_id(&gateway);
    let made = ask.options(key("a_good.key_1")).send().await.unwrap();
    let made = made.vpn_connection().unwrap();
    let id = made.vpn_connection_id().unwrap().to_string();
    assert_eq!(made.state(), Some(&VpnState::Pending));
    let document = made.customer_gateway_configuration().unwrap();
    for part in ["<pre_shared_key>a_good.key_1</pre_shared_key>", "NoBGPVPNConnection", "198.51.100.9", &id] {
        assert!(document.contains(part), "{part}");
    }
    assert_eq!(document.matches("<ipsec_tunnel>").count(), 2);
    let see = async || {
        let there = ec2.describe_vpn_connections().vpn_connection_ids(&id).send().await.unwrap();
        there.vpn_connections()[0].clone()
    };
    let route = ec2.create_vpn_connection_route().vpn_connection_id(&id).destination_cidr_block("192.168.0.0/16");
    rows! { route.clone() => "IncorrectState", }
    cloud.advance(Duration::from_millis(3_000));
    let there = see().await;
    assert_eq!(there.state(), Some(&VpnState::Available), "which says nothing of its tunnels");
    let down = |one: &aws_sdk_ec2::types::VgwTelemetry| one.status() == Some(&TelemetryStatus::Down);
    assert!(there.vgw_telemetry().len() == 2 && there.vgw_telemetry().iter().all(down));
    cloud.advance(Duration::from_millis(3_000));
    assert!(!see().await.vgw_telemetry().iter().any(down));
    rows! {
        route.clone() => "ok",
        route.clone() => "ok",
        ec2.delete_vpn_connection_route().vpn_connection_id(&id).destination_cidr_block("10.9.0.0/16") => "InvalidRoute.NotFound",
        ec2.delete_vpn_connection().vpn_connection_id(&id) => "ok",
        ec2.delete_customer_gateway().customer_gateway_id(&cgw) => "IncorrectState",
    }
    assert_eq!(see().await.state(), Some(&VpnState::Deleting));
    cloud.advance(Duration::from_secs(60));
    assert_eq!(see().await.state(), Some(&VpnState::Deleted));
    rows! { ec2.delete_customer_gateway().customer_gateway_id(&cgw) => "ok", }
}

#[tokio::test]
async fn keys_in_secrets_manager_stand_nowhere_else_and_go_with_their_connection() {
    let cloud = cloud(Pace::Instant);
    let ec2 = client(&cloud);
    let (cgw, gateway) = (device(&ec2, "198.51.100.9", 65_010).await, vgw(&ec2).await);
    let ask = ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(&cgw).vpn_gateway_id(&gateway);
    let made = ask.options(key("a_good.key_1")).pre_shared_key_storage("SecretsManager").send().await.unwrap();
    let made = made.vpn_connection().unwrap();
    let id = made.vpn_connection_id().unwrap();
    let there = ec2.describe_vpn_connections().vpn_connection_ids(id).send().await.unwrap();
    for one in [made, &there.vpn_connections()[0]] {
        assert!(one.pre_shared_key_arn().unwrap().contains(":secret:s2svpn!"), "{:?}", one.pre_shared_key_arn());
        let document = one.customer_gateway_configuration().unwrap();
        assert_eq!(document.matches("<pre_shared_key>REDACTED</pre_shared_key>").count(), 2, "{document}");
        let tunnels = one.options().unwrap().tunnel_options();
        assert!(tunnels.iter().all(|tunnel| tunnel.pre_shared_key() == Some("REDACTED")));
    }
    let sample = ec2.get_vpn_connection_device_sample_configuration().vpn_connection_id(id);
    let sample = sample.vpn_connection_device_type_id("9005b6c1").send().await.unwrap();
    assert!(!sample.vpn_connection_device_sample_configuration().unwrap().contains("a_good.key_1"));
    assert_eq!(there.vpn_connections()[0].options().unwrap().enable_acceleration(), Some(false));
}

#[tokio::test]
async fn a_connection_with_bgp_takes_no_static_routes() {
    let ec2 = ec2();
    let (cgw, gateway) = (device(&ec2, "198.51.100.9", 65_010).await, vgw(&ec2).await);
    let made = ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(&cgw).vpn_gateway_id(&gateway);
    let made = made.send().await.unwrap();
    let id = made.vpn_connection().and_then(|one| one.vpn_connection_id()).unwrap();
    rows! {
        ec2.create_vpn_connection_route().vpn_connection_id(id).destination_cidr_block("192.168.0.0/16") => "InvalidVpnConnection.InvalidType",
        ec2.get_vpn_connection_device_sample_configuration().vpn_connection_id(id).vpn_connection_device_type_id("00000000") => "InvalidParameterValue",
        ec2.get_vpn_connection_device_sample_configuration().vpn_connection_id(id).vpn_connection_device_type_id("9005b6c1") => "ok",
    }
}

#[tokio::test]
async fn a_set_of_dhcp_options_is_checked_and_held_by_its_vpc() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let option = |key: &str, value: &str| NewDhcpConfiguration::builder().key(key).values(value).build();
    let ask = |key: &str, value: &str| ec2.create_dhcp_options().dhcp_configurations(option(key, value));
    rows! {
        ec2.create_dhcp_options() => "MissingParameter",
        ask("nonsense", "1") => "InvalidParameterValue",
        ask("ntp-servers", "time.example.com") => "InvalidParameterValue",
        ask("domain-name-servers", "AmazonProvidedDNS") => "ok",
        ec2.associate_dhcp_options().dhcp_options_id("dopt-0a1b2c3d").vpc_id(&vpc) => "InvalidDhcpOptionID.NotFound",
        ec2.delete_dhcp_options().dhcp_options_id("dopt-00000001") => "DependencyViolation",
    }
    let made = ask("ntp-servers", "169.254.169.123").send().await.unwrap();
    let id = made.dhcp_options().and_then(|set| set.dhcp_options_id()).unwrap();
    rows! {
        ec2.associate_dhcp_options().dhcp_options_id(id).vpc_id(&vpc) => "ok",
        ec2.delete_dhcp_options().dhcp_options_id(id) => "DependencyViolation",
        ec2.associate_dhcp_options().dhcp_options_id("default").vpc_id(&vpc) => "ok",
        ec2.delete_dhcp_options().dhcp_options_id(id) => "ok",
        ec2.delete_dhcp_options().dhcp_options_id(id) => "InvalidDhcpOptionID.NotFound",
    }
}

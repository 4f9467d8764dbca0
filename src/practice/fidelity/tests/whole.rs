//! A small P01 from the VPC to the bastion: who reaches whom, and the same after it was put away and taken up again.

use std::net::IpAddr;
use std::time::Duration;

use super::hosts::{from_group, from_net};
use super::vpn::{device, key, vgw};
use super::*;
use crate::practice::cloud::{Ingress, Peers, Reach, Source};
use aws_sdk_ec2::primitives::Blob;

const OPERATOR: &str = "198.51.100.17";

struct Site {
    cloud: Cloud,
    ec2: Client,
    bastion: String,
    host: String,
}

async fn run(ec2: &Client, subnet: &str, group: &str, name: &str) -> String {
    let run = ec2.run_instances().image_id(image(ec2).await).instance_type("t3.micro".into()).key_name("k");
    let run = run.subnet_id(subnet).security_group_ids(group).min_count(1).max_count(1).client_token(name);
    let run = run.tag_specifications(tags(ResourceType::Instance, &[("Name", name)])).send().await.unwrap();
    run.instances()[0].instance_id().unwrap().to_string()
}

async fn route(ec2: &Client, vpc: &str, subnet: &str) -> String {
    let table = table(ec2, vpc).await;
    ec2.associate_route_table().route_table_id(&table).subnet_id(subnet).send().await.unwrap();
    table
}

async fn site() -> Site {
    let cloud = cloud(Pace::Instant);
    let ec2 = client(&cloud);
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let (public, private) = (subnet(&ec2, &vpc, "10.40.0.0/24").await, subnet(&ec2, &vpc, "10.40.10.0/24").await);
    let igw = gateway(&ec2, &vpc).await;
    let all = "0.0.0.0/0";
    let out = route(&ec2, &vpc, &public).await;
    ec2.create_route().route_table_id(out).destination_cidr_block(all).gateway_id(igw).send().await.unwrap();
    let nat = ec2.create_nat_gateway().subnet_id(&public).allocation_id(address(&ec2).await).send().await.unwrap();
    let nat = nat.nat_gateway().unwrap().nat_gateway_id().unwrap();
    let inner = route(&ec2, &vpc, &private).await;
    ec2.create_route().route_table_id(inner).destination_cidr_block(all).nat_gateway_id(nat).send().await.unwrap();
    let (sg, targets) = (group(&ec2, &vpc, "bastion").await, group(&ec2, &vpc, "targets").await);
    let allow = |group: &str, rule| ec2.authorize_security_group_ingress().group_id(group).ip_permissions(rule).send();
    allow(&sg, from_net(22022, "198.51.100.16/29")).await.unwrap();
    allow(&targets, from_group(22, &sg)).await.unwrap();
    ec2.import_key_pair().key_name("k").public_key_material(Blob::new(KEY)).send().await.unwrap();
    let (bastion, host) = (run(&ec2, &public, &sg, "bastion").await, run(&ec2, &private, &targets, "gw").await);
    let eip = address(&ec2).await;
    ec2.associate_address().allocation_id(eip).instance_id(&bastion).send().await.unwrap();
    Site { cloud, ec2, bastion, host }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn matrix(cloud: &Cloud) {
    let operator = Source::Internet(ip(OPERATOR));
    let inside = |text: &str| Source::Instance(ip(text));
    let (bastion, host, public) = ("10.40.0.5", "10.40.10.4", "203.0.113.51");
    for (from, to, port, open) in [
        (operator, public, 22022, true),
        (operator, public, 22, false),
        (Source::Internet(ip("192.0.2.1")), public, 22022, false),
        (operator, host, 22, false),
        (operator, bastion, 22022, false),
        (inside(bastion), host, 22, true),
        (inside(bastion), host, 443, false),
        (inside(host), bastion, 22022, false),
        (inside(host), host, 22, false),
        (inside(host), "192.0.2.80", 443, true),
        (inside(host), public, 22022, false),
        (inside("10.40.10.99"), host, 22, false),
    ] {
        let expected = if open { Reach::Open } else { Reach::Filtered };
        assert_eq!(cloud.reachable(from, ip(to), port).await, expected, "{from:?} to {to}:{port}");
    }
}

#[tokio::test]
async fn only_the_bastion_is_reached_and_only_from_the_operator() {
    let site = site().await;
    matrix(&site.cloud).await;
    let machines = site.cloud.machines().await;
    let bastion = machines.iter().find(|machine| machine.instance_id == site.bastion).unwrap();
    assert_eq!((bastion.name.as_deref(), bastion.image_user, bastion.state), (Some("bastion"), "ubuntu", "running"));
    assert_eq!(bastion.public_ip.map(IpAddr::V4), Some(ip("203.0.113.51")));
    assert_eq!(bastion.public_key, Some(KEY.replace("ada@example", "k")));
    let host = machines.iter().find(|machine| machine.instance_id == site.host).unwrap();
    assert_eq!(host.public_ip, None);
    let [Ingress { ports: Some((22, 22)), from: Peers::Group { members, .. }, .. }] = host.ingress.as_slice() else {
        unreachable!("{:?}", host.ingress)
    };
    assert_eq!(members.as_slice(), [bastion.private_ip]);
}

/// A route to a gateway is no way by itself: behind it a tunnel has to be up, and to lead there.
#[tokio::test]
async fn nothing_gets_into_the_data_centre_while_no_tunnel_is_up() {
    let Site { cloud, ec2, host, .. } = site().await;
    let (from, to) = (Source::Instance(ip("10.40.10.4")), ip("192.168.7.7"));
    let there = ec2.describe_instances().instance_ids(&host).send().await.unwrap();
    let instance = &there.reservations()[0].instances()[0];
    let (vpc, inner) = (instance.vpc_id().unwrap(), instance.subnet_id().unwrap());
    let gateway = vgw(&ec2).await;
    ec2.attach_vpn_gateway().vpn_gateway_id(&gateway).vpc_id(vpc).send().await.unwrap();
    let tables = ec2.describe_route_tables().filters(crate::aws::filter("association.subnet-id", [inner]));
    let own = tables.send().await.unwrap().route_tables()[0].route_table_id().unwrap().to_string();
    let way = ec2.create_route().route_table_id(own).destination_cidr_block("192.168.0.0/16");
    way.gateway_id(&gateway).send().await.unwrap();
    assert_eq!(cloud.reachable(from, to, 443).await, Reach::Filtered, "no connection");
    let device = device(&ec2, "198.51.100.9", 65_010).await;
    let made = ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(device).vpn_gateway_id(&gateway);
    let made = made.options(key("a_good.key_1")).send().await.unwrap();
    let id = made.vpn_connection().unwrap().vpn_connection_id().unwrap().to_string();
    cloud.advance(Duration::from_secs(60));
    assert_eq!(cloud.reachable(from, to, 443).await, Reach::Filtered, "a connection that leads nowhere");
    let leads = ec2.create_vpn_connection_route().vpn_connection_id(id).destination_cidr_block("192.168.0.0/16");
    leads.send().await.unwrap();
    cloud.advance(Duration::from_secs(60));
    assert_eq!(cloud.reachable(from, to, 443).await, Reach::Open);
    assert_eq!(cloud.reachable(from, ip("172.16.0.1"), 443).await, Reach::Filtered, "another network");
}

#[tokio::test]
async fn put_away_and_taken_up_again_it_is_the_same_cloud() {
    let site = site().await;
    site.cloud.set_console_output(&site.bastion, "fingerprints");
    let saved = site.cloud.snapshot().await.unwrap();
    let later = cloud(Pace::Instant);
    later.restore(&saved).await.unwrap();
    matrix(&later).await;
    assert_eq!(later.machines().await, site.cloud.machines().await);
    let ec2 = client(&later);
    let said = ec2.get_console_output().instance_id(&site.bastion).send().await.unwrap();
    assert_eq!(said.output(), Some("ZmluZ2VycHJpbnRz"));
    let subnet = later.machines().await.into_iter().find(|m| m.instance_id == site.host).unwrap().subnet;
    let groups = ec2.describe_security_groups().filters(filter("group-name", "targets")).send().await.unwrap();
    let targets = groups.security_groups()[0].group_id().unwrap();
    // The token still stands for the same machine, and new ids do not collide with old ones.
    assert_eq!(run(&ec2, &subnet, targets, "gw").await, site.host);
    let before: Vec<String> = later.machines().await.into_iter().map(|machine| machine.instance_id).collect();
    assert!(!before.contains(&run(&ec2, &subnet, targets, "another").await));
    assert_ne!(vpc(&ec2, "10.77.0.0/16").await, vpc(&ec2, "10.78.0.0/16").await);
    let other = Cloud::new("111122223333", REGION, Pace::Instant, Faults::none());
    assert!(other.restore(&saved).await.unwrap_err().to_string().contains(ACCOUNT));
    assert!(later.restore(b"{}").await.is_err());
    assert!(later.restore(br#"{"version": 99}"#).await.unwrap_err().to_string().contains("99"));
    drop(site.ec2);
}

#[tokio::test]
async fn the_caller_is_of_the_account_and_errors_carry_a_request_id() {
    let cloud = cloud(Pace::Instant);
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(aws_sdk_sts::config::Region::new(REGION));
    let caller = aws_sdk_sts::Client::from_conf(config.build()).get_caller_identity().send().await.unwrap();
    assert_eq!(caller.account(), Some(ACCOUNT));
    assert!(caller.arn().unwrap().contains(ACCOUNT), "{caller:?}");
    let refused = client(&cloud).delete_vpc().vpc_id("vpc-0a1b2c3d").send().await.unwrap_err();
    let meta = refused.into_service_error();
    let id = aws_sdk_ec2::operation::RequestId::request_id(&meta).unwrap().to_string();
    assert_eq!((id.len(), &id[14..15]), (36, "4"));
    assert_eq!(ProvideErrorMetadata::message(&meta), Some("The vpc ID 'vpc-0a1b2c3d' does not exist"));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_do_not_pass_a_quota_or_share_an_address() {
    let cloud = cloud(Pace::Instant);
    let ec2 = client(&cloud);
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet(&ec2, &vpc, "10.40.0.0/24").await;
    let image = image(&ec2).await;
    let mut addresses = tokio::task::JoinSet::new();
    let mut machines = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (allocate, run) = (ec2.allocate_address(), ec2.run_instances().image_id(&image).subnet_id(&subnet));
        addresses.spawn(async move { code(allocate.send().await) });
        machines.spawn(run.instance_type("t3.micro".into()).min_count(1).max_count(1).send());
    }
    let codes = addresses.join_all().await;
    assert_eq!(codes.iter().filter(|code| *code == "ok").count(), 5, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| *code == "AddressLimitExceeded").count(), 7, "{codes:?}");
    assert!(machines.join_all().await.into_iter().all(|result| result.is_ok()));
    let ips: std::collections::BTreeSet<_> = cloud.machines().await.into_iter().map(|m| m.private_ip).collect();
    assert_eq!(ips.len(), 12);
}

#[tokio::test]
async fn a_new_account_has_its_default_vpc() {
    let cloud = cloud(Pace::Instant);
    // Asking for machines first must not make the account start without it.
    assert!(cloud.machines().await.is_empty());
    let ec2 = client(&cloud);
    let all = ec2.describe_vpcs().filters(filter("is-default", "true")).send().await.unwrap();
    assert_eq!(all.vpcs()[0].cidr_block(), Some("172.31.0.0/16"));
    let subnets = ec2.describe_subnets().filters(filter("default-for-az", "true")).send().await.unwrap();
    assert_eq!(subnets.subnets().len(), 3);
    assert_eq!(cloud.calls().iter().filter(|call| call.mutating).count(), 0);
    // Calls beyond P01 reach winterbaume, which knows the objects made here.
    let vpc = all.vpcs()[0].vpc_id().unwrap();
    let gateway = ec2.create_vpn_gateway().r#type("ipsec.1".into()).send().await.unwrap();
    let gateway = gateway.vpn_gateway().unwrap().vpn_gateway_id().unwrap();
    rows! {
        ec2.attach_vpn_gateway().vpn_gateway_id(gateway).vpc_id(vpc) => "ok",
        ec2.describe_network_interfaces() => "ok",
        ec2.describe_volumes() => "UnsupportedOperation",
    }
}

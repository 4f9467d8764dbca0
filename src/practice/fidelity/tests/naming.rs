//! What name servers say, by who asks whom: everything comes from the account's zones, rules and endpoints.

use std::time::Duration;

use aws_sdk_ec2::types::{IpPermission, IpRange, NewDhcpConfiguration, VpnConnectionOptionsSpecification};
use aws_sdk_route53::types::ChangeAction::{Delete, Upsert};
use aws_sdk_route53resolver::types::ResolverEndpointDirection as Direction;

use super::names::{batch, names, set, zone};
use super::resolver::{Site, site};
use super::*;
use crate::practice::cloud::{AMAZON, Question, Said};

const INTERNET: &str = "9.9.9.9";
const DATA_CENTRE: &str = "192.168.1.10";

async fn ask(cloud: &Cloud, asker: Option<&str>, server: &str, name: &str, kind: &str) -> Said {
    let asker = asker.map(|ip| ip.parse().unwrap());
    let (server, name, kind) = (server.parse().unwrap(), name.to_owned(), kind.to_owned());
    cloud.names(&Question { asker, server, name, kind }).await
}

fn values(said: Said) -> Vec<String> {
    match said {
        Said::Records(records) => records.into_iter().map(|record| record.value).collect(),
        other => panic!("{other:?}"),
    }
}

/// A host with a name; its address.
async fn host(ec2: &Client, subnet: &str, name: &str) -> String {
    let run = ec2.run_instances().image_id(image(ec2).await).instance_type("t3.micro".into()).subnet_id(subnet);
    let run = run.min_count(1).max_count(1).tag_specifications(tags(ResourceType::Instance, &[("Name", name)]));
    run.send().await.unwrap().instances()[0].private_ip_address().unwrap().to_owned()
}

async fn write(
    cloud: &Cloud,
    zone: &str,
    changes: Vec<(aws_sdk_route53::types::ChangeAction, aws_sdk_route53::types::ResourceRecordSet)>,
) {
    let request = names(cloud).change_resource_record_sets().hosted_zone_id(zone).change_batch(batch(changes));
    request.send().await.unwrap();
    cloud.advance(Duration::from_secs(1));
}

#[tokio::test]
async fn a_private_zone_is_seen_in_its_vpc_and_a_public_one_once_it_is_delegated() {
    let site = site(Pace::Stopped).await;
    let (cloud, ec2) = (&site.cloud, client(&site.cloud));
    let app = host(&ec2, &site.a, "app-1").await;
    let (own, amazon) = ("10.40.0.2", AMAZON.to_string());
    let inside = zone(&names(cloud), "mc.acme.example", "one", Some(&site.vpc)).await;
    let seen = async |server: &str, name: &str, kind: &str| ask(cloud, Some(&app), server, name, kind).await;
    assert_eq!(seen(own, "app-1.mc.acme.example", "A").await, Said::NoSuchName);
    write(
        cloud,
        &inside,
        vec![
            (Upsert, set("app-1.mc.acme.example", "A", &["10.40.0.10"])),
            (Upsert, set("www.mc.acme.example", "CNAME", &["app-1.mc.acme.example"])),
            (Upsert, set("out.mc.acme.example", "CNAME", &["www.elsewhere.example."])),
            (Upsert, set("*.any.mc.acme.example", "A", &["10.40.0.11"])),
        ],
    )
    .await;
    for server in [own, &amazon] {
        assert_eq!(values(seen(server, "APP-1.mc.acme.example.", "A").await), ["10.40.0.10"]);
    }
    assert_eq!(values(seen(own, "www.mc.acme.example", "A").await), ["app-1.mc.acme.example", "10.40.0.10"]);
    assert!(
        matches!(seen(own, "out.mc.acme.example", "A").await, Said::LeadsTo(_, last) if last == "www.elsewhere.example.")
    );
    assert_eq!(values(seen(own, "x.y.any.mc.acme.example", "A").await), ["10.40.0.11"]);
    assert!(values(seen(own, "any.mc.acme.example", "A").await).is_empty(), "it is there, for what is below it");
    assert!(values(seen(own, "app-1.mc.acme.example", "TXT").await).is_empty());
    assert_eq!(seen(own, "gone.mc.acme.example", "A").await, Said::NoSuchName);
    assert_eq!(seen(own, "www.elsewhere.example", "A").await, Said::Outside);
    write(cloud, &inside, vec![(Delete, set("app-1.mc.acme.example", "A", &["10.40.0.10"]))]).await;
    assert_eq!(seen(own, "app-1.mc.acme.example", "A").await, Said::NoSuchName);
    // Nobody else knows anything of it.
    let abroad = async |name: &str, kind: &str| ask(cloud, None, INTERNET, name, kind).await;
    assert_eq!(abroad("www.mc.acme.example", "CNAME").await, Said::NoSuchName);
    assert_eq!(ask(cloud, Some(&app), DATA_CENTRE, "www.mc.acme.example", "CNAME").await, Said::NoSuchName);
    let other = vpc(&ec2, "10.50.0.0/16").await;
    let other = subnet(&ec2, &other, "10.50.0.0/24").await;
    let stranger = host(&ec2, &other, "x").await;
    assert_eq!(ask(cloud, Some(&stranger), &amazon, "www.mc.acme.example", "CNAME").await, Said::NoSuchName);

    let public = zone(&names(cloud), "mc.acme.example", "two", None).await;
    write(cloud, &public, vec![(Upsert, set("www.mc.acme.example", "A", &["203.0.113.80"]))]).await;
    assert_eq!(abroad("mc.acme.example", "NS").await, Said::NoSuchName, "the zone above does not name it yet");
    cloud.advance(Duration::from_secs(3));
    assert_eq!(values(abroad("mc.acme.example", "NS").await).len(), 4);
    assert_eq!(values(abroad("www.mc.acme.example", "A").await), ["203.0.113.80"]);
    // Inside, the private zone hides it whole.
    assert_eq!(values(seen(own, "www.mc.acme.example", "A").await), ["app-1.mc.acme.example"]);
}

/// A VPN that carries; its id.
async fn connected(site: &Site, ec2: &Client) -> String {
    let (device, gateway) = (super::vpn::device(ec2, "198.51.100.9", 65_010).await, super::vpn::vgw(ec2).await);
    ec2.attach_vpn_gateway().vpn_gateway_id(&gateway).vpc_id(&site.vpc).send().await.unwrap();
    let table = table(ec2, &site.vpc).await;
    for subnet in [&site.a, &site.b] {
        ec2.associate_route_table().route_table_id(&table).subnet_id(subnet).send().await.unwrap();
    }
    let options = VpnConnectionOptionsSpecification::builder().static_routes_only(true).build();
    let made = ec2.create_vpn_connection().r#type("ipsec.1").customer_gateway_id(device).vpn_gateway_id(&gateway);
    let made = made.options(options).send().await.unwrap();
    let id = made.vpn_connection().and_then(|one| one.vpn_connection_id()).unwrap().to_owned();
    let route = ec2.create_vpn_connection_route().vpn_connection_id(&id).destination_cidr_block("192.168.0.0/16");
    route.send().await.unwrap();
    ec2.enable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    id
}

async fn set_tunnels(cloud: &Cloud, connection: &str, down: bool) {
    for number in [0, 1] {
        cloud.set_tunnel(connection, number, down).await;
    }
}

#[tokio::test]
async fn names_of_the_data_centre_are_asked_for_there_while_a_tunnel_carries() {
    let site = site(Pace::Instant).await;
    let (cloud, ec2) = (&site.cloud, client(&site.cloud));
    let connection = connected(&site, &ec2).await;
    let app = host(&ec2, &site.a, "app-1").await;
    let seen = async |name: &str| ask(cloud, Some(&app), "10.40.0.2", name, "A").await;
    set_tunnels(cloud, &connection, true).await;
    assert_eq!(seen("files.corp.acme.example").await, Said::Outside, "there is no rule yet");
    let endpoint = site.outbound().await;
    let rule =
        site.rule("rule", "corp.acme.example", &endpoint).send().await.unwrap().resolver_rule.unwrap().id.unwrap();
    let hosted = site.rule("hosted", "mc.acme.example", &endpoint).send().await.unwrap();
    let hosted = hosted.resolver_rule.unwrap().id.unwrap();
    for rule in [&rule, &hosted] {
        site.resolver.associate_resolver_rule().resolver_rule_id(rule).vpc_id(&site.vpc).send().await.unwrap();
    }
    assert_eq!(seen("files.corp.acme.example").await, Said::Fails, "nobody answers behind a tunnel that is down");
    set_tunnels(cloud, &connection, false).await;
    assert_eq!(seen("files.corp.acme.example").await, Said::Outside, "the customer's own");
    // What the customer hosts are the hosts that they were told of.
    assert_eq!(values(seen("app-1.mc.acme.example").await), [app.as_str()]);
    assert_eq!(seen("app-2.mc.acme.example").await, Said::Outside);
    // A zone of ours that is longer wins over the rule.
    zone(&names(cloud), "ours.corp.acme.example", "one", Some(&site.vpc)).await;
    assert_eq!(seen("x.ours.corp.acme.example").await, Said::NoSuchName);
}

#[tokio::test]
async fn the_data_centre_finds_our_names_where_an_endpoint_lets_it_ask() {
    let site = site(Pace::Instant).await;
    let (cloud, ec2) = (&site.cloud, client(&site.cloud));
    let connection = connected(&site, &ec2).await;
    let app = host(&ec2, &site.a, "app-1").await;
    let id = zone(&names(cloud), "mc.acme.example", "one", Some(&site.vpc)).await;
    write(cloud, &id, vec![(Upsert, set("gw.mc.acme.example", "A", &["10.40.0.10"]))]).await;
    let there = async || ask(cloud, Some(&app), DATA_CENTRE, "gw.mc.acme.example", "A").await;
    assert_eq!(there().await, Said::NoSuchName);
    let request = site.endpoint("in", Direction::Inbound, &[(&site.a, Some("10.40.0.200")), (&site.b, None)]);
    request.send().await.unwrap();
    assert_eq!(values(ask(cloud, Some(&app), "10.40.0.200", "gw.mc.acme.example", "A").await), ["10.40.0.10"]);
    assert_eq!(there().await, Said::NoSuchName, "its group lets nobody in");
    let range = IpRange::builder().cidr_ip("192.168.1.10/32").build();
    let door = IpPermission::builder().ip_protocol("udp").from_port(53).to_port(53).ip_ranges(range).build();
    ec2.authorize_security_group_ingress().group_id(&site.group).ip_permissions(door).send().await.unwrap();
    assert_eq!(values(there().await), ["10.40.0.10"]);
    set_tunnels(cloud, &connection, true).await;
    assert_eq!(there().await, Said::NoSuchName, "the answer finds no way back");
}

#[tokio::test]
async fn a_lease_says_what_the_options_of_the_vpc_say() {
    let site = site(Pace::Instant).await;
    let (cloud, ec2) = (&site.cloud, client(&site.cloud));
    let app = host(&ec2, &site.a, "app-1").await.parse().unwrap();
    let lease = cloud.lease(app).await.unwrap();
    assert_eq!(
        (lease.name_servers, lease.domain.as_str()),
        (vec!["10.40.0.2".parse().unwrap()], "eu-west-1.compute.internal")
    );
    let option = |key: &str, value: &str| NewDhcpConfiguration::builder().key(key).values(value).build();
    let made = ec2.create_dhcp_options().dhcp_configurations(option("domain-name-servers", DATA_CENTRE));
    let made = made.dhcp_configurations(option("domain-name", "mc.acme.example")).send().await.unwrap();
    let set = made.dhcp_options().and_then(|set| set.dhcp_options_id()).unwrap();
    ec2.associate_dhcp_options().dhcp_options_id(set).vpc_id(&site.vpc).send().await.unwrap();
    let lease = cloud.lease(app).await.unwrap();
    assert_eq!((lease.name_servers, lease.domain.as_str()), (vec![DATA_CENTRE.parse().unwrap()], "mc.acme.example"));
}

//! What is the matter with the private connection: the diagnoses of tunnels, of lines and of another account's line, in practice.

use super::diagnoses::{branch, gives, kept, scenario, scenario_but, until};
use super::meddling::{Does, Words};
use super::*;
use crate::aws::direct_connect::types::RouteFilterPrefix;
use crate::aws::ec2::types::{IpPermission, IpRange};
use crate::aws::filter;
use crate::engagement::So;
use crate::practice::Mishap;
use crate::practice::cloud::Said;
use crate::practice::net::Source;

const LINE_UP: &str = "\"connectionState\":\"available\"";
const DOWN: Words = &[(LINE_UP, "\"connectionState\":\"down\"")];
const INTERFACE_UP: &str = "\"virtualInterfaceState\":\"available\"";
const SESSION_DOWN: (&str, &str) = ("\"bgpStatus\":\"up\"", "\"bgpStatus\":\"down\"");
const BGP_DOWN: Words = &[SESSION_DOWN];
const PENDING: Words = &[(INTERFACE_UP, "\"virtualInterfaceState\":\"pending\""), SESSION_DOWN];
const DELETING: Words = &[(INTERFACE_UP, "\"virtualInterfaceState\":\"deleting\""), SESSION_DOWN];

pub(super) const ACL_DENIES: Words = &[("<ruleAction>allow</ruleAction>", "<ruleAction>deny</ruleAction>")];

/// A rule that lets out to everywhere.
pub(super) fn lets_out(protocol: &str, port: Option<i32>) -> IpPermission {
    let everywhere = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    let permission = IpPermission::builder().ip_protocol(protocol).ip_ranges(everywhere);
    permission.set_from_port(port).set_to_port(port).build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_that_get_through_do_not_stand_for_tcp() {
    let mut stage = scenario_but("02-vpn-static.yaml", &[("vpn.tcp_targets", "192.168.1.25:465")]).await;
    until(&stage, "connection/path").await;
    until(&stage, "connection/pings").await;
    let mut desk = stage.open().await;
    desk.approve().await;
    desk.run(RunScope::Until(at("connection/tcp"))).await;
    let status = desk.status("connection/tcp[app-1]");
    desk.close().await;
    assert!(matches!(status, Status::Done { .. }), "{status:?}");
    let tcp = "connection/tcp[app-1]";
    for step in [tcp, "connection/tcp[bastion]"] {
        assert_eq!(branch(&stage, step).await, "tunnel/tcp-carries", "{step}");
    }
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/carries", "that step asks for no TCP");

    // Of one host alone: whoever asks from the other is let through.
    let app: std::net::IpAddr = kept(&stage, "access.host_addresses.app-1").parse().unwrap();
    stage.meddled(Does::Drops(Box::new(move |from, _, port| port == 465 && from == Source::Host(app))));
    assert_eq!(branch(&stage, "connection/tcp[bastion]").await, "tunnel/tcp-carries");
    assert_eq!(branch(&stage, tcp).await, "tunnel/tcp-silent");
    stage.aws_says = ACL_DENIES;
    assert_eq!(branch(&stage, tcp).await, "tunnel/tcp-acl-closed");
    stage.aws_says = &[];
    stage.let_be();

    gives(&stage, &[("vpn.tcp_targets", "192.168.20.10:9999")]).await;
    assert_eq!(branch(&stage, tcp).await, "tunnel/tcp-refused");
    gives(&stage, &[("vpn.tcp_targets", "mail.nowhere.example:465")]).await;
    stage.meddled(Does::Names(|asked| asked.name.contains("nowhere").then_some(Said::NoSuchName)));
    assert_eq!(branch(&stage, tcp).await, "tunnel/tcp-no-such-name");
    stage.let_be();

    // Our own group lets pings out, and nothing else.
    gives(&stage, &[("vpn.tcp_targets", "192.168.1.25:465")]).await;
    let (ec2, group) = (stage.ec2().await, kept(&stage, "access.hosts_group_id"));
    let on = ec2.authorize_security_group_egress().group_id(&group).ip_permissions(lets_out("icmp", Some(-1)));
    on.send().await.unwrap();
    let off = ec2.revoke_security_group_egress().group_id(&group).ip_permissions(lets_out("-1", None));
    off.send().await.unwrap();
    assert_eq!(branch(&stage, tcp).await, "tunnel/tcp-not-let-out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_lines_the_one_that_is_down_is_named() {
    let mut stage = scenario("07-dx-vgw.yaml").await;
    until(&stage, "connection/path").await;
    let path = "connection/path[app-1]";
    assert_eq!(branch(&stage, path).await, "tunnel/line-carries");
    // A line carries more than a tunnel.
    stage.meddled(Does::CutsAt(1_450));
    assert_eq!(branch(&stage, path).await, "tunnel/large-packets");
    stage.let_be();
    let lines = Cloud::connect(stage.wiring()).await.unwrap().in_region("us-east-1").direct_connect();
    for (round, wanted) in [("first", "tunnel/first-line-down"), ("second", "tunnel/second-line-down")] {
        let interface = kept(&stage, &format!("connection.interfaces.{round}"));
        lines.start_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
        assert_eq!(branch(&stage, path).await, wanted);
        lines.stop_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    }
    stage.aws_says = BGP_DOWN;
    assert_eq!(branch(&stage, path).await, "tunnel/both-lines-down");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tunnel_that_fails_says_which_branch_it_is_in() {
    let mut stage = scenario("02-vpn-static.yaml").await;
    until(&stage, "connection/path").await;
    until(&stage, "connection/pings").await;
    let (cloud, vpn) = (stage.account.cloud().clone(), kept(&stage, "connection.vpn_id"));
    let tunnels_up = "connection/tunnels-up";
    assert_eq!(branch(&stage, tunnels_up).await, "tunnel/carries");

    let both = async |said: Option<&str>| {
        cloud.break_tunnel(&vpn, 0, said).await;
        cloud.break_tunnel(&vpn, 1, said).await;
    };
    for (said, wanted) in [
        ("IPSEC IS DOWN", "tunnel/nobody-begins"),
        ("Phase 1: pre-shared key mismatch", "tunnel/pre-shared-key"),
        ("AWS tunnel: No Proposal Match Found by AWS", "tunnel/no-common-proposal"),
        ("Phase 2 was unable to establish", "tunnel/phase-two"),
        ("DPD timed out", "tunnel/dead-peer"),
        ("received DELETE for IKE_SA", "tunnel/closed-by-router"),
        ("CHILD_REKEY collision", "tunnel/rekey"),
        ("Timeout: deleting un-established Phase 1 IKE_SA", "tunnel/half-open"),
    ] {
        both(Some(said)).await;
        assert_eq!(branch(&stage, tunnels_up).await, wanted, "{said}");
    }
    both(None).await;
    cloud.set_tunnel(&vpn, 1, true).await;
    assert_eq!(branch(&stage, tunnels_up).await, "tunnel/one-tunnel");
    // Its log says more than its state.
    for (lines, wanted) in [
        (
            ["No Proposal Match Found by AWS", "AWS tunnel Timeout: deleting un-established Phase 1 IKE_SA"],
            "tunnel/no-common-proposal",
        ),
        (
            ["AWS tunnel detected a pre-shared key mismatch", "AWS tunnel is sending AUTHENTICATION_FAILED"],
            "tunnel/pre-shared-key",
        ),
        (["AWS: Traffic Selector: TS_UNACCEPTABLE", "AWS tunnel Phase 2 was unable to establish"], "tunnel/phase-two"),
        (["AWS tunnel processed request (id=1)", "AWS tunnel DPD timed out after 5 retransmits"], "tunnel/dead-peer"),
        (["AWS tunnel processed request (id=1)", "AWS tunnel processed request (id=2)"], "tunnel/one-tunnel"),
    ] {
        cloud.write_log(&vpn, 1, &lines, false).await;
        assert_eq!(branch(&stage, tunnels_up).await, wanted, "{lines:?}");
    }
    stage.aws_says = &[("\"events\":[", "\"events\":{")];
    assert_eq!(branch(&stage, tunnels_up).await, "tunnel/log-not-asked");
    stage.aws_says = &[];
    cloud.write_log(&vpn, 1, &[], false).await;
    assert_eq!(branch(&stage, tunnels_up).await, "tunnel/carries");

    // The second router's step is about the second router's connection, and the first's about the first.
    let second = kept(&stage, "connection.second_vpn_id");
    for number in [0, 1] {
        cloud.set_tunnel(&second, number, true).await;
    }
    assert_eq!(branch(&stage, "connection/tunnels-up-second").await, "tunnel/nobody-begins");
    assert_eq!(branch(&stage, tunnels_up).await, "tunnel/carries");
    for number in [0, 1] {
        cloud.set_tunnel(&second, number, false).await;
    }

    let ec2 = stage.ec2().await;
    let (gateway, group) = (kept(&stage, "connection.gateway_id"), kept(&stage, "access.hosts_group_id"));
    let table = kept(&stage, "access.private_routes_ids.eu-west-1a");
    ec2.disable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/no-route");
    ec2.enable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/carries");

    // The bastion has a table of its own.
    let table = kept(&stage, "access.public_routes_id");
    assert_eq!(branch(&stage, "connection/path[bastion]").await, "tunnel/carries");
    ec2.disable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    assert_eq!(branch(&stage, "connection/path[bastion]").await, "tunnel/no-route");
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/carries");
    ec2.enable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();

    // What stands with AWS as no practice has it: the connection is still being made, and BGP where routes are static.
    stage.aws_says = &[("<state>available</state>", "<state>pending</state>")];
    assert_eq!(branch(&stage, tunnels_up).await, "tunnel/not-available");
    stage.aws_says =
        &[("<staticRoutesOnly>true", "<staticRoutesOnly>false"), ("acceptedRouteCount>", "notAcceptedRouteCount>")];
    assert_eq!(branch(&stage, tunnels_up).await, "tunnel/no-bgp");
    for (line, wanted) in [
        ("AWS-side peer detected a bad OPEN message - remote AS is 65010, expected 65001", "tunnel/wrong-as-number"),
        ("AWS-side peer BGP session state has changed from Connect to Active", "tunnel/bgp-not-reached"),
        ("AWS-side peer received notification 6/2 (Cease/Administrative Shutdown)", "tunnel/bgp-ended"),
        ("AWS-side peer detected the maximum prefix limit was exceeded", "tunnel/too-many-prefixes"),
        ("DENIED due to: as-path contains our own AS", "tunnel/route-refused"),
    ] {
        cloud.write_log(&vpn, 0, &[line], true).await;
        assert_eq!(branch(&stage, tunnels_up).await, wanted, "{line}");
    }
    stage.aws_says = &[];

    // The customer's side: large packets are lost, then all; and we ourselves let none in.
    let path = "connection/path[app-1]";
    stage.meddled(Does::CutsAt(1_300));
    assert_eq!(branch(&stage, path).await, "tunnel/large-packets");
    stage.meddled(Does::AnswersNoPing);
    // The customer is sent for only where the subnet's network ACL lets both through, whichever host it is.
    for path in [path, "connection/path[bastion]"] {
        assert_eq!(branch(&stage, path).await, "tunnel/no-way-back", "{path}");
        stage.aws_says = ACL_DENIES;
        assert_eq!(branch(&stage, path).await, "tunnel/acl-closed", "{path}");
        stage.aws_says = &[("networkAclSet>", "nothingSet>")];
        assert_eq!(branch(&stage, path).await, "tunnel/acl-not-seen", "{path}");
        stage.aws_says = &[];
    }
    let everything = lets_out("-1", None);
    let off = ec2.revoke_security_group_egress().group_id(&group).ip_permissions(everything.clone());
    off.send().await.unwrap();
    assert_eq!(branch(&stage, path).await, "tunnel/not-let-out");
    ec2.authorize_security_group_egress().group_id(&group).ip_permissions(everything).send().await.unwrap();
    let rules = ec2.describe_security_group_rules().filters(filter("group-id", [group.as_str()]));
    let rules = rules.send().await.unwrap();
    for ping in rules.security_group_rules().iter().filter(|rule| rule.ip_protocol() == Some("icmp")) {
        let shut = ec2.revoke_security_group_ingress().group_id(&group);
        shut.security_group_rule_ids(ping.security_group_rule_id().unwrap()).send().await.unwrap();
    }
    assert_eq!(branch(&stage, path).await, "tunnel/door-closed");
    stage.let_be();

    // What nobody foresaw is not guessed at: the connection is there, and what would tell more cannot be asked.
    stage.aws_says = &[("DescribeRouteTablesResponse", "NothingResponse")];
    let mut desk = stage.open().await;
    let diagnosed = desk.diagnose(path).await;
    desk.close().await;
    assert_eq!(diagnosed.branch, None, "{diagnosed:#?}");
    let last = diagnosed.asked.last().unwrap();
    assert_eq!((last.question.as_str(), last.answered.so), ("routes", So::Unknown), "{diagnosed:#?}");
    stage.aws_says = &[];

    // A host that nobody gets to says nothing of the connection.
    let rules = ec2.describe_security_group_rules().filters(filter("group-id", [group.as_str()]));
    let rules = rules.send().await.unwrap();
    let ssh = rules.security_group_rules().iter().find(|rule| rule.from_port() == Some(22)).unwrap();
    let shut = ec2.revoke_security_group_ingress().group_id(&group);
    shut.security_group_rule_ids(ssh.security_group_rule_id().unwrap()).send().await.unwrap();
    for step in [path, "connection/large-packets[app-1]"] {
        assert_eq!(branch(&stage, step).await, "tunnel/host-out-of-reach", "{step}");
    }
    assert_eq!(branch(&stage, "access/jump[app-1]").await, "ssh-hop/host-door-closed");

    ec2.delete_vpn_connection().vpn_connection_id(&vpn).send().await.unwrap();
    assert_eq!(branch(&stage, tunnels_up).await, "tunnel/no-connection");
}

/// What a step fails by is seldom the tunnel beside the one that carries; that one is said where nothing else is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tunnel_that_is_down_beside_one_that_carries_ends_no_diagnosis() {
    let mut stage = scenario("02-vpn-static.yaml").await;
    until(&stage, "connection/path").await;
    until(&stage, "connection/pings").await;
    let (cloud, path) = (stage.account.cloud().clone(), "connection/path[app-1]");
    let [first, second] = ["connection.vpn_id", "connection.second_vpn_id"].map(|name| kept(&stage, name));
    cloud.set_tunnel(&first, 0, true).await;
    assert_eq!(branch(&stage, path).await, "tunnel/carries-without-a-tunnel");
    assert_eq!(branch(&stage, "connection/tunnels-up").await, "tunnel/one-tunnel");

    // Our own routes and doors come first.
    let (ec2, gateway) = (stage.ec2().await, kept(&stage, "connection.gateway_id"));
    let table = kept(&stage, "access.private_routes_ids.eu-west-1a");
    ec2.disable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    assert_eq!(branch(&stage, path).await, "tunnel/no-route");
    ec2.enable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    stage.meddled(Does::AnswersNoPing);
    assert_eq!(branch(&stage, path).await, "tunnel/no-way-back-and-a-tunnel-down");
    stage.aws_says = ACL_DENIES;
    assert_eq!(branch(&stage, path).await, "tunnel/acl-closed");
    stage.aws_says = &[];
    stage.let_be();

    // The second router carries for the first, and it is said which of them is down.
    cloud.set_tunnel(&first, 1, true).await;
    let mut desk = stage.open().await;
    let diagnosed = desk.diagnose("connection/large-packets[app-1]").await;
    desk.close().await;
    let placed = diagnosed.branch.as_ref().unwrap();
    assert_eq!(placed.branch, "carries-without-a-tunnel", "{diagnosed:#?}");
    assert!(placed.what.contains("203.0.113.12") && placed.what.contains("both tunnels"), "{placed:?}");
    for number in [0, 1] {
        cloud.set_tunnel(&first, number, false).await;
        cloud.set_tunnel(&second, number, true).await;
    }
    assert_eq!(branch(&stage, path).await, "tunnel/carries-without-the-second");
    for number in [0, 1] {
        cloud.set_tunnel(&first, number, true).await;
    }
    assert_eq!(branch(&stage, path).await, "tunnel/nobody-begins");
}

/// Before there is anything nobody's firewall is to blame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_yet_is_said_to_be_so() {
    let (as_it_is, alone) = (Vec::new(), vec![("conn.mode", "direct_connect")]);
    for (name, others, wanted) in [
        ("02-vpn-static.yaml", &as_it_is, "tunnel/not-asked"),
        ("14-dx-lag.yaml", &as_it_is, "tunnel/line-not-asked"),
        ("18-dx-neighbour.yaml", &alone, "tunnel/owner-not-asked"),
    ] {
        let stage = scenario_but(name, others).await;
        assert_eq!(branch(&stage, "connection/path[app-1]").await, wanted, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_does_not_encrypt_says_which_end_lacks_what() {
    let mut stage = scenario("07-dx-vgw.yaml").await;
    until(&stage, "connection/macsec-works").await;
    const NOT_UP: (&str, &str) = ("Encryption Up", "Encryption Down");
    let cases: [(Words, &str); 6] = [
        (&[], "macsec/encrypts"),
        (&[NOT_UP], "macsec/router-does-not-agree"),
        (&[NOT_UP, (LINE_UP, "\"connectionState\":\"down\"")], "macsec/port-down"),
        (&[("\"macSecCapable\":true", "\"macSecCapable\":false")], "macsec/ordered-without"),
        (&[("\"state\":\"associated\"", "\"state\":\"associating\"")], "macsec/key-being-set"),
        (&[("\"state\":\"associated\"", "\"state\":\"disassociated\"")], "macsec/key-not-on-the-port"),
    ];
    for (words, wanted) in cases {
        stage.aws_says = words;
        assert_eq!(branch(&stage, "connection/macsec-works[first]").await, wanted);
    }
}

/// AWS's list does not change by asking again: the answer has to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_building_that_has_no_such_port_is_a_matter_of_the_answer() {
    let stage = scenario_but("07-dx-vgw.yaml", &[("dx.location", "EqLD5")]).await;
    assert_eq!(branch(&stage, "connection/location[first]").await, "building/no-such-building");
    let mut stage = scenario("07-dx-vgw.yaml").await;
    let cases: [(Words, &str); 3] = [
        (&[], "building/has-such-ports"),
        (&[("availablePortSpeeds", "otherSpeeds")], "building/no-ports-of-that-speed"),
        (&[("availableMacSecPortSpeeds", "otherSpeeds")], "building/no-ports-that-encrypt"),
    ];
    for (words, wanted) in cases {
        stage.aws_says = words;
        assert_eq!(branch(&stage, "connection/location[first]").await, wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_stands_still_says_on_which_layer() {
    let mut stage = scenario("13-dx-vpn-transit.yaml").await;
    let works = "connection/line-works[first]";
    until(&stage, "connection/path").await;
    assert_eq!(branch(&stage, works).await, "line/line-works");
    assert_eq!(
        branch(&stage, "connection/line-up-again").await,
        "line/line-works",
        "the step after the test is of no round"
    );

    // The line carries, so that nothing is lost; a step about the tunnels says all the same that they are down.
    let vpn = kept(&stage, "connection.vpn_id");
    for number in [0, 1] {
        stage.account.cloud().set_tunnel(&vpn, number, true).await;
    }
    for about_tunnels in ["connection/tunnels-up", "connection/both-up-again"] {
        assert_eq!(branch(&stage, about_tunnels).await, "tunnel/nothing-arrives");
    }
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/line-carries");
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    let gateway = kept(&stage, "connection.line_gateway_id");
    let interface = kept(&stage, "connection.interfaces.first");
    lines.start_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "line/in-a-test");
    lines.stop_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    let of_the_line: [(Words, &str); 6] = [
        (BGP_DOWN, "line/layers-two-and-three"),
        (PENDING, "line/interface-pending"),
        (DELETING, "line/no-interface"),
        (DOWN, "line/light-without-link"),
        (&[(LINE_UP, "\"connectionState\":\"requested\"")], "line/not-allotted"),
        (&[(LINE_UP, "\"connectionState\":\"deleted\"")], "line/no-line"),
    ];
    for (words, wanted) in of_the_line {
        stage.aws_says = words;
        assert_eq!(branch(&stage, works).await, wanted);
    }
    // The light tells more than the state of the port.
    stage.aws_says = DOWN;
    for (level, wanted) in [
        (f64::NAN, "line/layer-one"),
        (-20.5, "line/weak-light"),
        (-40.0, "line/no-light"),
        (-4.2, "line/light-without-link"),
    ] {
        stage.account.cloud().set_light(level).await;
        assert_eq!(branch(&stage, works).await, wanted, "{level}");
    }
    stage.aws_says = &[];
    let ties = lines.describe_direct_connect_gateway_associations().direct_connect_gateway_id(&gateway);
    let tie = ties.send().await.unwrap().direct_connect_gateway_associations()[0].association_id.clone();
    lines.delete_direct_connect_gateway_association().set_association_id(tie).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "line/announces-nothing");
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/not-announced");
    lines.delete_virtual_interface().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "line/no-interface");
}

/// While it carries, a line with a VPN behind it is held to its own size, and not to that of the tunnels.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_with_a_vpn_behind_it_carries_what_was_agreed_for_the_line() {
    let mut stage = scenario("13-dx-vpn-transit.yaml").await;
    until(&stage, "connection/path").await;
    stage.meddled(Does::CutsAt(1_450));
    let mut desk = stage.open().await;
    desk.approve().await;
    desk.run(RunScope::Until(at("connection/large-packets"))).await;
    let status = desk.status("connection/large-packets[app-1]");
    desk.close().await;
    assert!(!matches!(status, Status::Done { .. }), "1450 bytes are less than 1500: {status:?}");
    stage.let_be();
    until(&stage, "connection/large-packets").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partners_line_that_is_not_up_is_the_partners_affair() {
    let mut stage = scenario("09-dx-with-vpn.yaml").await;
    until(&stage, "connection/hosted-line-up").await;
    stage.aws_says = &[(LINE_UP, "\"connectionState\":\"pending\"")];
    assert_eq!(branch(&stage, "connection/hosted-line-up[first]").await, "line/partner");
    stage.aws_says = &[];
    // The second line is another one: it was given back, and is offered anew.
    let lines = Cloud::connect(stage.wiring()).await.unwrap().in_region("eu-central-1").direct_connect();
    lines.delete_connection().connection_id("dxcon-ffabc124").send().await.unwrap();
    assert_eq!(branch(&stage, "connection/hosted-line-up[second]").await, "line/not-allotted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_must_encrypt_is_not_blamed_on_the_building_alone() {
    let mut stage = scenario("07-dx-vgw.yaml").await;
    until(&stage, "connection/cross-connect").await;
    stage.aws_says = &[(LINE_UP, "\"connectionState\":\"down\"")];
    assert_eq!(branch(&stage, "connection/cross-connect[second]").await, "line/must-encrypt");
    stage.aws_says = &[(LINE_UP, "\"connectionState\":\"pending\"")];
    assert_eq!(branch(&stage, "connection/cross-connect[second]").await, "line/light-without-link");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_straight_to_the_vpc_has_nothing_to_announce() {
    let mut stage = scenario("14-dx-lag.yaml").await;
    until(&stage, "connection/path").await;
    assert_eq!(branch(&stage, "connection/line-works[first]").await, "line/line-works-straight");
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/line-carries");
    let cloud = stage.account.cloud().clone();
    cloud.happen(Some(Mishap::Fibre)).await;
    assert_eq!(branch(&stage, "connection/line-works[first]").await, "line/no-light");
    cloud.happen(None).await;
    assert_eq!(branch(&stage, "connection/line-works[first]").await, "line/line-works-straight");
    until(&stage, "connection/pings").await;
    stage.meddled(Does::AnswersNoPing);
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/no-way-back-over-the-line");
    stage.let_be();
    stage.aws_says = BGP_DOWN;
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/line-down");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_another_account_says_what_its_owner_has_to_do() {
    let mut stage = scenario("18-dx-neighbour.yaml").await;
    until(&stage, "connection/path").await;
    let joined = "connection/line-joined";
    assert_eq!(branch(&stage, joined).await, "neighbour/led-here");
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/line-carries");
    stage.aws_says = &[("\"associationState\":\"associated\"", "\"associationState\":\"associating\"")];
    assert_eq!(branch(&stage, joined).await, "neighbour/being-set-up");
    stage.aws_says = &[];
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    let tie = kept(&stage, "connection.line_association_id");
    lines.delete_direct_connect_gateway_association().association_id(tie).send().await.unwrap();
    assert_eq!(branch(&stage, joined).await, "neighbour/lapsed");
    let (gateway, transit) = ("7a1bd8c2-51f0-4c57-a3d1-0f5a2c9e7b64", kept(&stage, "connection.transit_id"));
    let by_hand = async |range: &str| {
        let range = RouteFilterPrefix::builder().cidr(range).build();
        let proposal = lines.create_direct_connect_gateway_association_proposal().direct_connect_gateway_id(gateway);
        let proposal = proposal.direct_connect_gateway_owner_account("444455556666").gateway_id(&transit);
        let made = proposal.add_allowed_prefixes_to_direct_connect_gateway(range).send().await.unwrap();
        made.direct_connect_gateway_association_proposal.and_then(|one| one.proposal_id).unwrap()
    };
    let open = by_hand("10.0.0.0/7").await;
    assert_eq!(branch(&stage, joined).await, "neighbour/unanswered");
    lines.delete_direct_connect_gateway_association_proposal().proposal_id(open).send().await.unwrap();
    by_hand("10.0.0.0/8").await;
    assert_eq!(branch(&stage, joined).await, "neighbour/other-ranges");
}

/// Without tunnels beside it nothing else leads there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_another_account_is_the_only_way() {
    let stage = scenario_but("18-dx-neighbour.yaml", &[("conn.mode", "direct_connect")]).await;
    until(&stage, "connection/line-joined").await;
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    let tie = kept(&stage, "connection.line_association_id");
    lines.delete_direct_connect_gateway_association().association_id(tie).send().await.unwrap();
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/not-led-here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interface_on_another_accounts_line_says_whom_to_ask() {
    let mut stage = scenario("17-dx-allocated.yaml").await;
    let works = "connection/line-works[second]";
    until(&stage, "connection/path").await;
    assert_eq!(branch(&stage, works).await, "line/line-works");
    let lines = Cloud::connect(stage.wiring()).await.unwrap().in_region("us-east-1").direct_connect();
    let interface = kept(&stage, "connection.interfaces.second");
    lines.start_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "line/in-a-test");
    assert_eq!(branch(&stage, "connection/line-works[first]").await, "line/line-works");
    assert_eq!(branch(&stage, "connection/line-up-again-second[second]").await, "line/in-a-test");
    lines.stop_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    stage.aws_says = BGP_DOWN;
    assert_eq!(branch(&stage, works).await, "line/their-line");
    stage.aws_says = &[];
    // Its owner allocates another one under the same id.
    lines.delete_virtual_interface().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "line/not-accepted");
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/second-line-down");
}

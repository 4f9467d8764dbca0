//! What was there before a step, or was somebody else's doing, is there after its undo: whatever becomes of an answer, and
//! where the process died in the middle.

use super::matrix::{WAYS, assert_struck, made, take_place};
use super::*;
use crate::aws::direct_connect::types::ConnectionState;
use crate::aws::filter;
use crate::engagement::{DoneHow, Settlement, TakeBack};

const ROUTES: &str = r#"
runbook: routes
title: Routes
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: vpc
    title: The VPC
    aws: vpc
    with: {cidr: 10.40.0.0/16, key: vpc/main}
    saves: {id: net.vpc_id}
  - id: subnet
    title: A subnet
    aws: subnet
    with: {vpc: "{{ net.vpc_id }}", cidr: 10.40.0.0/24, zone: "{{ aws.region_primary }}a", key: subnet/a}
    saves: {id: net.subnet_id}
  - id: table
    title: Its routes
    aws: route-table
    with: {vpc: "{{ net.vpc_id }}", key: routes/a, subnets: ["{{ net.subnet_id }}"]}
    saves: {id: net.table_id}
  - id: transit
    title: The transit gateway
    aws: transit-gateway
    with: {asn: 64620, key: tgw/main}
    saves: {id: net.transit_id}
    within: 2m
  - id: attachment
    title: The VPC at it
    aws: transit-attachment
    with: {gateway: "{{ net.transit_id }}", vpc: "{{ net.vpc_id }}", subnets: ["{{ net.subnet_id }}"], key: tgw/attachment}
    saves: {id: net.attachment_id}
    within: 2m
  - id: device
    title: The customer's router
    aws: customer-gateway
    with: {address: 198.51.100.9, asn: 65000, key: cgw/main}
    saves: {id: net.device_id}
  - id: vpn
    title: A connection without BGP
    aws: vpn-connection
    with: {customer_gateway: "{{ net.device_id }}", transit: "{{ net.transit_id }}", key: vpn/main}
    saves: {id: net.vpn_id}
    within: 2m
  - id: place
    title: Where it hangs
    needs: [table]
    aws: transit-vpn
    with: {vpn: "{{ net.vpn_id }}", attachment: "{{ net.attachment_id }}"}
    saves: {attachment: net.place_id, table: net.transit_table}
  - id: routes
    title: The way to it
    needs: [attachment]
    aws: transit-routes
    with: {table: "{{ net.table_id }}", gateway: "{{ net.transit_id }}", to: [192.168.0.0/16, 172.20.0.0/16, 172.21.0.0/16]}
  - id: behind
    title: What lies behind it
    needs: [routes]
    aws: transit-static-routes
    with: {table: "{{ net.transit_table }}", attachment: "{{ net.place_id }}", to: [192.168.0.0/16, 172.20.0.0/16, 172.21.0.0/16]}
"#;

const THEIRS: &str = "192.168.0.0/16";
const ALL: [&str; 3] = ["172.20.0.0/16", "172.21.0.0/16", THEIRS];

/// Two lists of routes, in each of which somebody has written the one to THEIRS.
struct Tables {
    table: String,
    transit_table: String,
}

impl Tables {
    fn of(stage: &Stage) -> Tables {
        let engagement = stage.engagement();
        let kept = |name: &str| {
            let mut all = engagement.kept.values().flatten();
            let found = all.find(|kept| kept.name == name).unwrap_or_else(|| panic!("no {name}"));
            found.value.as_str().unwrap().to_owned()
        };
        Tables { table: kept("net.table_id"), transit_table: kept("net.transit_table") }
    }

    /// Where the routes of the VPC's table and the static ones of the gateway's lead to.
    async fn ranges(&self, stage: &Stage) -> [Vec<String>; 2] {
        let ec2 = stage.ec2().await;
        let tables = ec2.describe_route_tables().route_table_ids(&self.table).send().await.unwrap();
        let all = tables.route_tables()[0].routes().iter();
        let of_vpc =
            all.filter(|route| route.transit_gateway_id().is_some()).filter_map(|one| one.destination_cidr_block());
        let asked = ec2.search_transit_gateway_routes().transit_gateway_route_table_id(&self.transit_table);
        let found = asked.filters(filter("type", ["static"])).send().await.unwrap();
        let of_gateway = found.routes().iter().filter_map(|one| one.destination_cidr_block());
        let sorted = |mut all: Vec<String>| {
            all.sort_unstable();
            all
        };
        [of_vpc.map(str::to_owned).collect(), of_gateway.map(str::to_owned).collect()].map(sorted)
    }
}

/// Everything up to the routes, and theirs; kept in a file.
async fn with_theirs() -> (Stage, PathBuf, Tables) {
    let stage = Stage::new(ROUTES, Faults::none());
    made(&stage, Some("place")).await;
    let tables = Tables::of(&stage);
    let ec2 = stage.ec2().await;
    let gateways = ec2.describe_transit_gateways().send().await.unwrap();
    let gateway = gateways.transit_gateways()[0].transit_gateway_id().unwrap();
    let theirs = ec2.create_route().route_table_id(&tables.table).destination_cidr_block(THEIRS);
    theirs.transit_gateway_id(gateway).send().await.unwrap();
    let attachments = ec2.describe_transit_gateway_attachments().filters(filter("resource-type", ["vpn"]));
    let attachments = attachments.send().await.unwrap();
    let attachment = attachments.transit_gateway_attachments()[0].transit_gateway_attachment_id().unwrap();
    let theirs = ec2.create_transit_gateway_route().transit_gateway_route_table_id(&tables.transit_table);
    theirs.destination_cidr_block(THEIRS).transit_gateway_attachment_id(attachment).send().await.unwrap();
    let kept = stage.home.path().join("account.json");
    stage.account.save(&kept).await.unwrap();
    (stage, kept, tables)
}

/// What is shown is what is sent: theirs is in neither, and stays.
async fn take_back(stage: &Stage, tables: &Tables, what: &str) {
    let mut desk = stage.open().await;
    let steps = ["net/routes", "net/behind"];
    let plan = desk.undo_plan_of(&steps).await;
    let shown: Vec<&str> = plan
        .entries
        .iter()
        .flat_map(|entry| match &entry.does {
            TakeBack::Send(changes) => changes.as_slice(),
            other => panic!("{what}: {other:?}"),
        })
        .filter_map(|change| change.arguments["DestinationCidrBlock"].as_str())
        .collect();
    assert!(shown.len() == 4 && !shown.contains(&THEIRS), "{what}: {shown:?}");
    desk.undo(&steps).await;
    let left: Vec<_> = desk.engagement.ledger().into_iter().filter(|(step, _)| steps.map(at).contains(step)).collect();
    assert!(left.is_empty(), "{what}: {left:?}: {:#?}", desk.heard);
    desk.close().await;
    assert_eq!(tables.ranges(stage).await, [[THEIRS], [THEIRS]], "{what}: theirs is there, and no other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_of_somebody_else_to_the_same_place_stay_whatever_becomes_of_the_answer() {
    let (built, kept, tables) = with_theirs().await;
    let (built, kept, tables) = (&built, &kept, &tables);
    let calls = ["CreateRoute", "CreateTransitGatewayRoute", "DeleteRoute", "DeleteTransitGatewayRoute"];
    let ways = WAYS.into_iter().filter(|way| *way != Fault::Invisible);
    let cells = ways.flat_map(|way| calls.map(|operation| (operation, way)));
    let asked = cells.map(|(operation, way)| async move {
        let stage = built.again(Faults::none().aim(way, operation, 2), kept).await;
        let what = format!("{operation} × {}", way.name());
        made(&stage, Some("behind")).await;
        let after = tables.ranges(&stage).await;
        assert_eq!(after, [ALL.to_vec(), ALL.to_vec()], "{what}");
        take_back(&stage, tables, &what).await;
        assert_struck(&stage, &what);
        (operation, way)
    });
    take_place("routes beside somebody else's", &calls, asked.collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_of_somebody_else_stay_although_the_process_died_in_the_middle() {
    let (built, kept, tables) = with_theirs().await;
    for settled in [false, true] {
        let stage = built.again(Faults::none(), &kept).await;
        for step in ["net/routes", "net/behind"] {
            let mut desk = stage.open().await;
            desk.approve().await;
            let full = refuse_events(&stage.file(), "concluded");
            desk.handle.send(Request::Run(RunScope::Only(at(step))));
            desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
            desk.close().await;
            full.execute_batch("DROP TRIGGER full").unwrap();
            drop(full);
            let mut desk = stage.open().await;
            assert!(matches!(desk.status(step), Status::InDoubt { .. }));
            if settled {
                let how = Settlement::Done;
                desk.handle.command(Command::Settle { step: at(step), how, reason: "seen".to_owned() });
            } else {
                desk.handle.send(Request::Run(RunScope::Only(at(step))));
            }
            desk.event("the end", |event| matches!(event, Event::Done { .. }).then_some(())).await;
            desk.close().await;
        }
        assert_eq!(tables.ranges(&stage).await, [ALL.to_vec(), ALL.to_vec()]);
        take_back(&stage, &tables, if settled { "a person said so" } else { "the next run found it" }).await;
    }
}

const HOSTED: &str = r#"
runbook: hosted
title: Hosted
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: hosted
    title: The partner's line
    aws: dx-hosted-connection
    with: {connection: dxcon-ffabc123, key: dx/hosted}
    saves: {id: net.hosted_id}
"#;

/// The state of the partner's connection, and how many tags it carries.
async fn hosted(stage: &Stage) -> (ConnectionState, usize) {
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    let there = lines.describe_connections().connection_id("dxcon-ffabc123").send().await.unwrap();
    let one = &there.connections()[0];
    (one.connection_state().unwrap().clone(), one.tags().len())
}

#[tokio::test]
async fn a_hosted_connection_that_somebody_accepted_by_hand_is_used_and_not_given_back() {
    let stage = Stage::new(HOSTED, Faults::none());
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    lines.confirm_connection().connection_id("dxcon-ffabc123").send().await.unwrap();
    let by_hand = hosted(&stage).await;
    let sent = stage.sent();
    made(&stage, Some("hosted")).await;
    let mut desk = stage.open().await;
    assert!(matches!(desk.status("net/hosted"), Status::Done { how: DoneHow::AlreadySo, .. }));
    desk.undo(&[]).await;
    desk.close().await;
    assert_eq!(stage.sent(), sent, "it is neither tagged nor given back");
    assert_eq!(hosted(&stage).await, by_hand);
}

#[tokio::test]
async fn a_hosted_connection_that_was_accepted_and_could_not_be_tagged_is_given_back() {
    let stage = Stage::new(HOSTED, Faults::new(1, []).deny("TagResource"));
    let mut desk = stage.open().await;
    desk.give("aws.account_id", ACCOUNT);
    desk.give("aws.region_primary", REGION);
    desk.approve().await;
    for _ in 0..2 {
        desk.run(RunScope::All).await;
        assert!(matches!(desk.status("net/hosted"), Status::Failed(_)), "{:?}", desk.status("net/hosted"));
        desk.reopen_failed();
    }
    assert_eq!(stage.changes(), ["ConfirmConnection"], "accepted once");
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), [], "{:#?}", desk.heard);
    desk.close().await;
    assert_eq!(hosted(&stage).await, (ConnectionState::Ordering, 0), "the partner offers it anew");
}

/// Whoever began before the region of a line was asked for has it in the engagement's own: to say so changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_was_ordered_before_its_region_was_asked_for_stays_as_it_is() {
    for (name, changes) in [("14-dx-lag.yaml", false), ("07-dx-vgw.yaml", true)] {
        let stage = super::diagnoses::scenario(name).await;
        super::diagnoses::until(&stage, "connection/line-works").await;
        let asked_later = Command::ForgetInput("dx.region".parse().unwrap());
        let decided = crate::engagement::decide(&stage.engagement(), &stage.runbook, &asked_later);
        match changes {
            false => assert_eq!(decided.unwrap().len(), 1, "{name}: nothing is looked at again"),
            true => assert!(decided.unwrap_err().why.contains("already ran"), "{name}"),
        }
    }
}

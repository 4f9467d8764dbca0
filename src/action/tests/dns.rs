//! Names: each kind from nothing to nothing, what an undo puts back, and what is never touched.

use serde_json::json;

use super::super::call::dns::{
    DnsRequest, EndpointAddress, RecordChange, RecordSet, Reference, TargetAddress, ZoneConfig, ZoneVpc,
};
use super::super::call::{Call, Label, Token};
use super::life::lives;
use super::*;
use crate::action::Undoes;
use crate::aws::ec2::types::Tenancy;
use crate::aws::route53;
use crate::aws::route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};

/// Every call of Route 53 and its Resolver that changes something.
pub(super) fn one_of_each() -> Vec<Call> {
    let id = || "x-1".to_owned();
    let label = || Label { key: "a/b".to_owned(), name: "n".to_owned() };
    let vpc = || ZoneVpc { region: REGION.to_owned(), id: id() };
    let set =
        RecordSet { name: "a.b.".to_owned(), r#type: "A".to_owned(), ttl: 60, values: vec!["10.0.0.1".to_owned()] };
    let calls = vec![
        DnsRequest::CreateHostedZone {
            name: id(),
            caller_reference: Reference { key: id() },
            hosted_zone_config: ZoneConfig { comment: None, private_zone: true },
            vpc: Some(vpc()),
        },
        DnsRequest::ChangeTagsForResource { resource_type: "hostedzone", resource_id: id(), add_tags: label() },
        DnsRequest::DeleteHostedZone { id: id() },
        DnsRequest::AssociateVPCWithHostedZone { hosted_zone_id: id(), vpc: vpc() },
        DnsRequest::DisassociateVPCFromHostedZone { hosted_zone_id: id(), vpc: vpc() },
        DnsRequest::CreateVPCAssociationAuthorization { hosted_zone_id: id(), vpc: vpc() },
        DnsRequest::DeleteVPCAssociationAuthorization { hosted_zone_id: id(), vpc: vpc() },
        DnsRequest::ChangeResourceRecordSets { hosted_zone_id: id(), changes: vec![RecordChange::Upsert(set)] },
        DnsRequest::CreateResolverEndpoint {
            name: id(),
            direction: "INBOUND",
            security_group_ids: vec![id()],
            ip_addresses: vec![EndpointAddress { subnet_id: id(), ip: None }],
            creator_request_id: Token,
            tags: label(),
        },
        DnsRequest::DeleteResolverEndpoint { resolver_endpoint_id: id() },
        DnsRequest::CreateResolverRule {
            name: id(),
            rule_type: "FORWARD",
            domain_name: id(),
            resolver_endpoint_id: Some(id()),
            target_ips: vec![TargetAddress { ip: "10.0.0.1".to_owned(), port: 53 }],
            creator_request_id: Token,
            tags: label(),
        },
        DnsRequest::DeleteResolverRule { resolver_rule_id: id() },
        DnsRequest::AssociateResolverRule { resolver_rule_id: id(), vpc_id: id() },
        DnsRequest::DisassociateResolverRule { resolver_rule_id: id(), vpc_id: id() },
        DnsRequest::CreateResolverQueryLogConfig {
            name: id(),
            destination_arn: id(),
            creator_request_id: Token,
            tags: label(),
        },
        DnsRequest::DeleteResolverQueryLogConfig { resolver_query_log_config_id: id() },
        DnsRequest::AssociateResolverQueryLogConfig { resolver_query_log_config_id: id(), resource_id: id() },
        DnsRequest::DisassociateResolverQueryLogConfig { resolver_query_log_config_id: id(), resource_id: id() },
    ];
    calls.into_iter().map(Call::Dns).collect()
}

const LOGS: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:names";

/// Each kind of names, in a VPC with two subnets of two zones.
pub(super) async fn every_kind_lives(stage: &Stage, vpc: &str, subnets: [&str; 2], group: &str) {
    let id: String = stage.world.subject.engagement.chars().take(6).collect();
    let name = format!("mc-{id}.acme.example");
    let private = json!({ "name": name, "vpc": vpc, "region": REGION, "key": "zone/private" });
    let zone = text(&lives(stage, "aws/hosted-zone", private).await, "id");
    let public = lives(stage, "aws/hosted-zone", json!({ "name": name, "key": "zone/public" })).await;
    assert_eq!(public["name_servers"].as_array().map(Vec::len), Some(4));
    let other = json!({ "cidr": "10.41.0.0/16", "key": "vpc/dr" });
    let other = text(&stage.make("aws/vpc", other).await, "id");
    let tie = json!({ "zone": zone, "vpc": other, "region": REGION });
    lives(stage, "aws/zone-association", tie).await;
    if super::rungs::tried_here(stage, "aws/zone-authorization") {
        let theirs = json!({ "zone": zone, "vpc": "vpc-0a1b2c3d4e5f60718", "region": REGION });
        lives(stage, "aws/zone-authorization", theirs.clone()).await;
        // Where somebody in the other account has done it, it stays done without the leave.
        stage.make("aws/zone-asked-from", theirs.clone()).await;
        stage.make("aws/zone-authorization-ended", theirs.clone()).await;
        stage.make("aws/zone-asked-from", theirs).await;
    }
    let records = json!([
        { "name": format!("gw.{name}"), "values": ["10.40.10.20"] },
        { "name": format!("www.{name}"), "type": "CNAME", "ttl": 60, "values": [format!("gw.{name}")] },
        { "name": name, "type": "TXT", "values": ["a text of ours"] },
    ]);
    let wanted = |zone: &str, key: &str| json!({ "zone": zone, "records": records, "key": key });
    lives(stage, "aws/dns-records", wanted(&zone, "records/private")).await;
    if super::rungs::tried_here(stage, "aws/dns-answer") {
        let public = text(&public, "id");
        stage.make("aws/dns-records", wanted(&public, "records/public")).await;
        let asked = json!({ "zone": public, "name": format!("gw.{name}"), "values": ["10.40.10.20"] });
        assert_eq!(stage.make("aws/dns-answer", asked).await["values"], json!(["10.40.10.20"]));
    }
    let at = |direction: &str| json!({ "direction": direction, "groups": [group], "subnets": subnets, "key": format!("resolver/{direction}") });
    let inbound = lives(stage, "aws/resolver-endpoint", at("inbound")).await;
    assert_eq!(inbound["addresses"].as_array().map(Vec::len), Some(2));
    let outbound = text(&lives(stage, "aws/resolver-endpoint", at("outbound")).await, "id");
    let rule = json!({
        "domain": format!("corp-{id}.acme.example"), "endpoint": outbound, "targets": ["192.168.1.10", "192.168.1.11:5353"],
        "key": "rule/corp",
    });
    let rule = text(&lives(stage, "aws/resolver-rule", rule).await, "id");
    lives(stage, "aws/resolver-rule-association", json!({ "rule": rule, "vpc": vpc })).await;
    if super::rungs::tried_here(stage, "aws/resolver-query-log") {
        let log = json!({ "destination": LOGS, "vpcs": [vpc], "key": "log/names" });
        lives(stage, "aws/resolver-query-log", log).await;
    }
}

async fn zone(stage: &Stage) -> String {
    text(&stage.make("aws/hosted-zone", json!({ "name": "acme.example", "key": "zone/public" })).await, "id")
}

fn names(stage: &Stage) -> route53::Client {
    stage.world.cloud.as_ref().unwrap().route53()
}

/// Somebody writes a record by hand.
async fn by_hand(stage: &Stage, zone: &str, name: &str, values: &[&str]) {
    let record = |value: &&str| ResourceRecord::builder().value(*value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::A).ttl(60);
    let set = set.set_resource_records(Some(values.iter().map(record).collect())).build().unwrap();
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    names(stage).change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

/// Names, types and values of a zone, without what every zone has and without our notes.
async fn records_of(stage: &Stage, zone: &str) -> Vec<String> {
    let listed = names(stage).list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let sets = listed.resource_record_sets().iter();
    let sets =
        sets.filter(|set| !["NS", "SOA"].contains(&set.r#type().as_str()) && !set.name().starts_with("_onramp-"));
    let values = |set: &ResourceRecordSet| {
        set.resource_records().iter().map(|record| record.value().to_owned()).collect::<Vec<_>>().join(",")
    };
    sets.map(|set| format!("{} {} {}", set.name(), set.r#type().as_str(), values(set))).collect()
}

fn wanted(zone: &str, records: Json) -> Json {
    json!({ "zone": zone, "records": records, "key": "records/main" })
}

async fn undo(stage: &Stage, kind: &str, with: &Json, made: &Kept) {
    let outcome = stage.action(kind, with).undo(&stage.world, &stage.intent(kind, with), made).await;
    assert!(matches!(outcome, Outcome::Changed { .. } | Outcome::AlreadySo { .. }), "{outcome:?}");
    stage.next_generation();
}

#[tokio::test]
async fn an_undo_puts_back_what_the_records_were_before_even_after_they_were_changed_twice() {
    let stage = Stage::new().await;
    let zone = zone(&stage).await;
    by_hand(&stage, &zone, "gw.acme.example", &["192.0.2.1", "192.0.2.2"]).await;
    let before = records_of(&stage, &zone).await;
    let first = json!([{ "name": "gw.acme.example", "values": ["10.0.0.1"] }, { "name": "db.acme.example", "values": ["10.0.0.2"] }]);
    let probe = stage.action("aws/dns-records", &wanted(&zone, first.clone())).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Absent { said } if said.contains("192.0.2.1")), "{probe:?}");
    stage.make("aws/dns-records", wanted(&zone, first)).await;
    // One is given up, one is another, one is new.
    let second = json!([{ "name": "gw.acme.example", "values": ["10.0.0.9"] }, { "name": "mq.acme.example", "values": ["10.0.0.3"] }]);
    let second = wanted(&zone, second);
    let probe = stage.action("aws/dns-records", &second).probe(&stage.world).await;
    let Probe::Different { differences, mend, .. } = &probe else { unreachable!("{probe:?}") };
    assert_eq!((differences.len(), mend.len()), (3, 1), "{differences:?}");
    let made = stage.make("aws/dns-records", second.clone()).await;
    assert_eq!(records_of(&stage, &zone).await, ["gw.acme.example. A 10.0.0.9", "mq.acme.example. A 10.0.0.3"]);
    undo(&stage, "aws/dns-records", &second, &made).await;
    assert_eq!(records_of(&stage, &zone).await, before);
    let undoes = stage.action("aws/dns-records", &second).undoes(&stage.world, &made).await;
    assert_eq!(undoes, Undoes::Nothing);
}

#[tokio::test]
async fn rows_of_an_input_and_the_hosts_stand_in_the_zone_at_once_and_are_handed_out_as_well() {
    let stage = Stage::new().await;
    let zone = zone(&stage).await;
    let row = |name: &str, kind: &str, value: &str| json!({ "name": name, "type": kind, "value": value, "ttl": "" });
    let rows = json!([
        row("acme.example", "MX", "10 mail.acme.example"),
        row("acme.example", "CAA", "0 issue \"ca.example\""),
        row("acme.example", "MX", "20 mail2.acme.example"),
    ]);
    let with = json!({
        "zone": zone, "records": rows, "hosts": { "app-1": "10.40.10.11" }, "domain": "acme.example", "ttl": 60,
        "key": "records/main",
    });
    stage.make("aws/dns-records", with).await;
    let there = records_of(&stage, &zone).await;
    assert_eq!(
        there,
        [
            "acme.example. CAA 0 issue \"ca.example\"",
            "acme.example. MX 10 mail.acme.example,20 mail2.acme.example",
            "app-1.acme.example. A 10.40.10.11",
        ]
    );
    let answered = stage.make("aws/dns-answer", json!({ "zone": zone, "records": rows })).await;
    assert_eq!(answered["values"].as_array().map(Vec::len), Some(3));
    let other = json!({ "zone": zone, "records": [row("acme.example", "MX", "10 mail.acme.example")] });
    let asked = stage.action("aws/dns-answer", &other).verify(&stage.world).await;
    assert!(matches!(&asked, Verified::NotYet { said } if said.contains("mail2.acme.example")), "{asked:?}");
    let handed = json!({ "domain": "acme.example", "records": rows, "ttl": 60, "format": "csv" });
    let handed = text(&stage.make("aws/dns-handout", handed).await, "text");
    assert!(handed.contains("acme.example,MX,60,20 mail2.acme.example\n"), "{handed}");
}

#[tokio::test]
async fn an_endpoint_gets_the_addresses_that_were_agreed_each_in_its_subnet() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let (mut plan, mut ids) = (Vec::new(), serde_json::Map::new());
    for (key, cidr, zone) in [("app/a", "10.40.10.0/24", "a"), ("app/b", "10.40.11.0/24", "b")] {
        let subnet =
            json!({ "vpc": vpc, "cidr": cidr, "zone": format!("{REGION}{zone}"), "key": format!("subnet/{key}") });
        ids.insert(key.to_owned(), stage.make("aws/subnet", subnet).await["id"].clone());
        plan.push(json!({ "key": key, "cidr": cidr, "tier": "app" }));
    }
    let group = json!({ "vpc": vpc, "name": "resolver", "key": "sg/resolver" });
    let group = text(&stage.make("aws/security-group", group).await, "id");
    let with =
        |ips: Json| json!({ "groups": [group], "ips": ips, "plan": plan, "ids": ids, "key": "resolver/inbound" });
    let room = json!({ "service": "route53resolver", "code": "L-4A669CC0", "more": 2, "expect": "any" });
    let needs = async || stage.make("aws/quota", room.clone()).await["needed"].clone();
    assert_eq!(needs().await, json!(2));
    let made = stage.make("aws/resolver-endpoint", with(json!(["10.40.11.200", "10.40.10.200"]))).await;
    assert_eq!(needs().await, json!(2), "what is ours is a part of what was wanted");
    let mut addresses: Vec<&str> = made["addresses"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["10.40.10.200", "10.40.11.200"]);
    let call = crate::engagement::Call::Kind {
        kind: "aws/resolver-endpoint".to_owned(),
        with: match with(json!(["10.40.10.200", "10.40.99.1"])) {
            Json::Object(with) => with,
            _ => unreachable!(),
        },
    };
    let refused = crate::action::build(&call, &stage.world.subject).err().map(|failure| failure.what);
    assert_eq!(refused.as_deref(), Some("the address 10.40.99.1 is in no subnet of the plan"));
}

#[tokio::test]
async fn no_endpoint_is_asked_for_in_a_vpc_of_dedicated_hosts() {
    let stage = Stage::new().await;
    let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
    let theirs = ec2.create_vpc().cidr_block("10.63.0.0/16").instance_tenancy(Tenancy::Dedicated).send().await;
    let theirs = theirs.unwrap().vpc().unwrap().vpc_id().unwrap().to_owned();
    let mut subnets = Vec::new();
    for (cidr, zone) in [("10.63.10.0/24", "a"), ("10.63.11.0/24", "b")] {
        let subnet =
            json!({ "vpc": theirs, "cidr": cidr, "zone": format!("{REGION}{zone}"), "key": format!("subnet/{zone}") });
        subnets.push(stage.make("aws/subnet", subnet).await["id"].clone());
    }
    let group =
        stage.make("aws/security-group", json!({ "vpc": theirs, "name": "resolver", "key": "sg/resolver" })).await;
    let mut with = json!({ "groups": [group["id"]], "subnets": subnets, "vpc": theirs, "key": "resolver/inbound" });
    let action = stage.action("aws/resolver-endpoint", &with);
    let probe = action.probe(&stage.world).await;
    let Probe::Different { said, mend, .. } = probe else { panic!("{probe:?}") };
    assert!(said.contains("dedicated") && mend.is_empty(), "{said}");
    let calls = stage.calls();
    let outcome = action.apply(&stage.world, &stage.intent("aws/resolver-endpoint", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.advice.contains("modify-vpc-tenancy"), "{failure:?}");
    assert!(stage.sent_since(calls).is_empty(), "nothing is sent");
    // Where nobody says which VPC it is, AWS does.
    with["vpc"] = json!("");
    let action = stage.action("aws/resolver-endpoint", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/resolver-endpoint", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.code.as_deref(), Some("InvalidRequestException"), "{failure:?}");
    assert!(failure.raw.contains("dedicated"), "{failure:?}");
}

#[tokio::test]
async fn more_records_than_one_request_takes_go_in_several_and_all_of_them_are_taken_back() {
    let stage = Stage::new().await;
    let zone = zone(&stage).await;
    by_hand(&stage, &zone, "h300.acme.example", &["192.0.2.1"]).await;
    let rows = |numbers: std::ops::Range<u32>| {
        let row = |n: u32| json!({ "name": format!("h{n}.acme.example"), "values": [format!("10.0.{}.{}", n / 250, n % 250)] });
        Json::from(numbers.map(row).collect::<Vec<_>>())
    };
    let first = wanted(&zone, rows(0..450));
    assert_eq!(stage.action("aws/dns-records", &first).changes().len(), 3);
    stage.make("aws/dns-records", first).await;
    // Some are given up, which leaves room; those that stay stand where they stood.
    let second = wanted(&zone, rows(150..460));
    let made = stage.make("aws/dns-records", second.clone()).await;
    assert_eq!(made["names"].as_array().map(Vec::len), Some(310));
    let at = |name: &str| {
        let (zone, name, stage) = (zone.clone(), name.to_owned(), &stage);
        async move {
            let asked = names(stage).list_resource_record_sets().hosted_zone_id(zone).start_record_name(&name);
            let listed = asked.max_items(1).send().await.unwrap();
            let first = listed.resource_record_sets().first().filter(|set| set.name() == name).cloned();
            first.map(|set| set.resource_records()[0].value().to_owned())
        }
    };
    assert_eq!(at("h459.acme.example.").await.as_deref(), Some("10.0.1.209"));
    assert_eq!(at("h149.acme.example.").await, None);
    undo(&stage, "aws/dns-records", &second, &made).await;
    assert_eq!(records_of(&stage, &zone).await, ["h300.acme.example. A 192.0.2.1"]);
    let undoes = stage.action("aws/dns-records", &second).undoes(&stage.world, &made).await;
    assert_eq!(undoes, Undoes::Nothing);
}

#[tokio::test]
async fn a_lost_batch_is_made_up_for_and_the_others_are_left() {
    let stage = Stage::new().await;
    let zone = zone(&stage).await;
    let row = |n: u32| json!({ "name": format!("h{n}.acme.example"), "values": [format!("10.0.0.{}", n % 250)] });
    let with = wanted(&zone, Json::from((0..250).map(row).collect::<Vec<_>>()));
    stage.make("aws/dns-records", with.clone()).await;
    // Somebody takes one of the second batch away.
    let set = ResourceRecordSet::builder().name("h249.acme.example").r#type(RrType::A).ttl(300);
    let set = set.resource_records(ResourceRecord::builder().value("10.0.0.249").build().unwrap()).build().unwrap();
    let change = Change::builder().action(ChangeAction::Delete).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    names(&stage).change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch).send().await.unwrap();
    let probe = stage.action("aws/dns-records", &with).probe(&stage.world).await;
    let Probe::Different { differences, mend, .. } = &probe else { unreachable!("{probe:?}") };
    assert_eq!((differences.len(), mend.len()), (1, 1), "{differences:?}");
}

#[tokio::test]
async fn records_of_others_are_left_alone() {
    let stage = Stage::new().await;
    let zone = zone(&stage).await;
    let gateway = wanted(&zone, json!([{ "name": "gw.acme.example", "values": ["10.0.0.1"] }]));
    by_hand(&stage, &zone, "gw.acme.example", &["10.0.0.1"]).await;
    // Somebody made it so already (but for the TTL, which is theirs): it is not ours to take away.
    let same = wanted(&zone, json!([{ "name": "gw.acme.example", "ttl": 60, "values": ["10.0.0.1"] }]));
    let Probe::Same(found) = stage.action("aws/dns-records", &same).probe(&stage.world).await else { unreachable!() };
    assert!(found.foreign);
    undo(&stage, "aws/dns-records", &same, &found.output).await;
    assert_eq!(records_of(&stage, &zone).await, ["gw.acme.example. A 10.0.0.1"]);

    stage.make("aws/dns-records", gateway.clone()).await;
    let other = stage.as_engagement("e2");
    let theirs = action(
        "aws/dns-records",
        &wanted(&zone, json!([{ "name": "gw.acme.example", "values": ["10.9.9.9"] }])),
        &other.subject,
    );
    let probe = theirs.probe(&other).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
    for (name, kind, values) in
        [("acme.example", "NS", json!(["ns.example"])), ("gw.elsewhere.example", "A", json!(["10.0.0.1"]))]
    {
        let records = json!([{ "name": name, "type": kind, "values": values }]);
        let with = json!({ "zone": zone, "records": records, "key": "records/wrong" });
        let probe = stage.action("aws/dns-records", &with).probe(&stage.world).await;
        assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{name}: {probe:?}");
    }
}

#[tokio::test]
async fn a_zone_that_was_made_and_not_tagged_yet_is_ours_and_is_tagged() {
    let stage = Stage::new().await;
    let with = json!({ "name": "acme.example", "key": "zone/public" });
    let reference = format!("{}token", Reference::beginning("e1", "zone/public"));
    names(&stage).create_hosted_zone().name("acme.example").caller_reference(reference).send().await.unwrap();
    let probe = stage.action("aws/hosted-zone", &with).probe(&stage.world).await;
    let Probe::Different { mend, .. } = &probe else { unreachable!("{probe:?}") };
    assert_eq!(mend.iter().map(|change| change.operation.as_str()).collect::<Vec<_>>(), ["ChangeTagsForResource"]);
    let made = stage.make("aws/hosted-zone", with.clone()).await;
    assert!(matches!(stage.action("aws/hosted-zone", &with).probe(&stage.world).await, Probe::Same(_)));
    let other = stage.as_engagement("e2");
    let probe = action("aws/hosted-zone", &with, &other.subject).probe(&other).await;
    assert!(
        matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()),
        "a second one would never be asked: {probe:?}"
    );
    undo(&stage, "aws/hosted-zone", &with, &made).await;
    assert_eq!(names(&stage).list_hosted_zones().send().await.unwrap().hosted_zones().len(), 0);
}

#[tokio::test]
async fn a_zone_that_holds_records_is_not_taken_away_and_says_which() {
    let stage = Stage::new().await;
    let zone = zone(&stage).await;
    by_hand(&stage, &zone, "gw.acme.example", &["10.0.0.1"]).await;
    let with = json!({ "name": "acme.example", "key": "zone/public" });
    let made = Kept::from([("id".to_owned(), json!(zone))]);
    let action = stage.action("aws/hosted-zone", &with);
    let outcome = action.undo(&stage.world, &stage.intent("aws/hosted-zone", &with), &made).await;
    let Outcome::Failed { failure } = outcome else { unreachable!("{outcome:?}") };
    assert!(failure.meaning.contains("gw.acme.example A"), "{failure:?}");
}

#[tokio::test]
async fn private_zones_of_one_name_live_side_by_side_but_not_in_one_vpc() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let dr = text(&stage.make("aws/vpc", json!({ "cidr": "10.41.0.0/16", "key": "vpc/dr" })).await, "id");
    let zone = |vpc: &str, key: &str| json!({ "name": "acme.example", "vpc": vpc, "region": REGION, "key": key });
    stage.make("aws/hosted-zone", zone(&vpc, "zone/one")).await;
    let probe = stage.action("aws/hosted-zone", &zone(&vpc, "zone/two")).probe(&stage.world).await;
    assert!(matches!(&probe, Probe::Different { mend, .. } if mend.is_empty()), "{probe:?}");
    assert!(is_absent(&stage.action("aws/hosted-zone", &zone(&dr, "zone/two")).probe(&stage.world).await));
}

#[test]
fn wrong_arguments_are_refused_before_anything_is_asked() {
    for (kind, with, why) in [
        ("aws/hosted-zone", json!({ "name": "a.example", "key": "z", "vpc": "vpc-1" }), "without its `region`"),
        ("aws/dns-records", json!({ "zone": "Z1", "key": "r", "records": [] }), "neither `records` nor `hosts`"),
        (
            "aws/dns-records",
            json!({ "zone": "Z1", "key": "r", "records": [{ "name": "a.example", "values": [] }] }),
            "no values",
        ),
        (
            "aws/dns-records",
            json!({ "zone": "Z1", "key": "r", "records": [{ "name": "a.example", "values": ["10.0.0.1"] }, { "name": "A.example.", "values": ["10.0.0.2"] }] }),
            "given twice",
        ),
        (
            "aws/dns-records",
            json!({ "zone": "Z1", "key": "r", "records": [{ "name": "a.example", "values": (0..201).map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>() }] }),
            "a.example A has 201 values",
        ),
        (
            "aws/resolver-endpoint",
            json!({ "groups": ["sg-1"], "subnets": ["subnet-1"], "key": "r" }),
            "at least two zones",
        ),
        (
            "aws/resolver-endpoint",
            json!({ "groups": ["sg-1"], "subnets": ["subnet-1", "subnet-1"], "key": "r" }),
            "at least two zones",
        ),
        (
            "aws/resolver-rule",
            json!({ "domain": "a.example", "key": "r", "targets": ["10.0.0.1"] }),
            "has an `endpoint`",
        ),
        (
            "aws/resolver-rule",
            json!({ "domain": "a.example", "key": "r", "endpoint": "rslvr-out-1", "targets": ["dns.example"] }),
            "no IPv4 address",
        ),
    ] {
        let call = crate::engagement::Call::Kind { kind: kind.to_owned(), with: with.as_object().cloned().unwrap() };
        let refused = build(&call, &subject("e1")).err().unwrap_or_else(|| panic!("{kind} {with} is taken"));
        assert!(refused.what.contains(why), "{refused:?}");
    }
}

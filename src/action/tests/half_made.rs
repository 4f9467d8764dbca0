//! Things that an interrupted apply left half made: the next one completes them and makes nothing twice.

use serde_json::json;

use super::life::ground;
use super::*;
use crate::action::Undoes;
use crate::aws::ec2;
use crate::engagement::Difference;

impl Stage {
    fn ec2(&self) -> &ec2::Client {
        self.world.cloud.as_ref().unwrap().ec2()
    }

    /// What we would have written on an object of that key.
    fn tags(&self, kind: ec2::types::ResourceType, key: &str) -> ec2::types::TagSpecification {
        let marks = self.world.subject.marks("t", 1);
        aws::Stamp { marks: &marks, key, name: key }.on(kind)
    }

    /// Probes, applies and proves; the plan's mend is exactly what is sent.
    async fn mends(&self, kind: &str, with: Json, expected: &[&str]) -> Vec<Difference> {
        let action = self.action(kind, &with);
        let probe = action.probe(&self.world).await;
        let Probe::Different { differences, mend, .. } = probe else { panic!("{kind}: {probe:?}") };
        let names: Vec<&str> = mend.iter().map(|change| change.operation.as_str()).collect();
        assert_eq!(names, expected, "{kind}");
        let calls = self.calls();
        let outcome = action.apply(&self.world, &self.intent(kind, &with)).await;
        let Outcome::Changed { output: made, created: true, .. } = outcome else { panic!("{kind}: {outcome:?}") };
        assert_eq!(self.sent_since(calls), expected, "{kind}");
        self.proved(&*action).await;
        let undone = action.undo(&self.world, &self.intent(kind, &with), &made).await;
        assert!(matches!(undone, Outcome::Changed { .. }), "{kind}: the undo knows what was mended: {undone:?}");
        differences
    }
}

#[tokio::test]
async fn a_vpc_without_its_dns_names() {
    let stage = Stage::new().await;
    let tags = stage.tags(ec2::types::ResourceType::Vpc, "vpc/main");
    stage.ec2().create_vpc().cidr_block("10.40.0.0/16").tag_specifications(tags).send().await.unwrap();
    let with = json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" });
    let differences = stage.mends("aws/vpc", with, &["ModifyVpcAttribute"]).await;
    assert_eq!(differences[0].what, "DNS host names");
}

#[tokio::test]
async fn an_internet_gateway_that_is_attached_to_nothing() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let tags = stage.tags(ec2::types::ResourceType::InternetGateway, "igw/main");
    stage.ec2().create_internet_gateway().tag_specifications(tags).send().await.unwrap();
    stage.mends("aws/internet-gateway", json!({ "vpc": vpc, "key": "igw/main" }), &["AttachInternetGateway"]).await;
}

/// An instance that is to be protected, with the protection as somebody left it.
async fn protected(stage: &Stage, on: bool) -> (Json, String) {
    let ground = ground(stage).await;
    let mut with = super::life::instance(stage, &ground).await;
    with["protected"] = json!(true);
    let id = text(&stage.make("aws/instance", with.clone()).await, "id");
    let value = ec2::types::AttributeBooleanValue::builder().value(on).build();
    let switch = stage.ec2().modify_instance_attribute().instance_id(&id).disable_api_termination(value);
    switch.send().await.unwrap();
    (with, id)
}

#[tokio::test]
async fn an_instance_whose_protection_somebody_lifted() {
    let stage = Stage::new().await;
    let (with, id) = protected(&stage, false).await;
    let differences = stage.mends("aws/instance", with, &["ModifyInstanceAttribute"]).await;
    let [one] = differences.as_slice() else { panic!("{differences:?}") };
    assert_eq!((one.what.as_str(), one.wanted.as_str()), ("protection against termination", "on"));
    let left = stage.ec2().describe_instances().instance_ids(id).send().await.unwrap();
    let left = left.reservations()[0].instances()[0].state().and_then(|state| state.name().cloned());
    assert_ne!(left, Some(ec2::types::InstanceStateName::Running), "an undo takes away what was protected again");
}

#[tokio::test]
async fn an_undo_that_stopped_between_protection_and_end_goes_on_from_there() {
    for (on, sent) in
        [(true, vec!["ModifyInstanceAttribute", "TerminateInstances"]), (false, vec!["TerminateInstances"])]
    {
        let stage = Stage::new().await;
        let (with, id) = protected(&stage, on).await;
        let action = stage.action("aws/instance", &with);
        let made = [("id".to_owned(), json!(id))].into();
        let Undoes::Sends(shown) = action.undoes(&stage.world, &made).await else { panic!("it is there") };
        assert_eq!(shown.iter().map(|change| change.operation.as_str()).collect::<Vec<_>>(), sent);
        let calls = stage.calls();
        let undone = action.undo(&stage.world, &stage.intent("aws/instance", &with), &made).await;
        assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
        assert_eq!(stage.sent_since(calls), sent);
    }
}

#[tokio::test]
async fn a_protection_that_nobody_asked_for_is_somebodys_wish() {
    let stage = Stage::new().await;
    let (mut with, id) = protected(&stage, true).await;
    with["protected"] = json!(false);
    let action = stage.action("aws/instance", &with);
    let made = [("id".to_owned(), json!(id))].into();
    let kept = action.undo(&stage.world, &stage.intent("aws/instance", &with), &made).await;
    let Outcome::Failed { failure } = kept else { panic!("{kept:?}") };
    assert_eq!(failure.code.as_deref(), Some("OperationNotPermitted"), "{failure:?}");
    assert!(failure.raw.contains("disableApiTermination"), "{failure:?}");
}

#[tokio::test]
async fn a_route_table_without_routes_and_subnets() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let tags = stage.tags(ec2::types::ResourceType::RouteTable, "routes/public");
    stage.ec2().create_route_table().vpc_id(&ground.vpc).tag_specifications(tags).send().await.unwrap();
    let routes = json!([{ "to": "0.0.0.0/0", "gateway": ground.gateway }]);
    let with = json!({ "vpc": ground.vpc, "key": "routes/public", "routes": routes, "subnets": [ground.public] });
    stage.mends("aws/route-table", with, &["CreateRoute", "AssociateRouteTable"]).await;
}

#[tokio::test]
async fn a_security_group_with_one_rule_of_two() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let group =
        |ingress: Json| json!({ "vpc": ground.vpc, "name": "bastion", "key": "sg/bastion", "ingress": ingress });
    let first = json!({ "port": 22022, "cidrs": ["198.51.100.16/29"], "why": "operator" });
    stage.make("aws/security-group", group(json!([first]))).await;
    let both = group(json!([first, { "port": 443, "cidrs": ["0.0.0.0/0"], "why": "customers" }]));
    let differences = stage.mends("aws/security-group", both, &["AuthorizeSecurityGroupIngress"]).await;
    assert_eq!(differences.len(), 1);
    assert!(differences[0].wanted.contains("tcp 443"), "{differences:?}");
}

#[tokio::test]
async fn two_rules_of_which_one_is_there() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let rule = |cidrs: &[&str]| json!({ "group": ground.group, "port": 22, "cidrs": cidrs, "why": "first", "key": "sg/first" });
    stage.make("aws/security-group-rule", rule(&["198.51.100.16/29"])).await;
    let both = rule(&["198.51.100.16/29", "203.0.113.0/28"]);
    stage.mends("aws/security-group-rule", both, &["AuthorizeSecurityGroupIngress"]).await;
}

#[tokio::test]
async fn what_is_pending_is_waited_for_by_a_probe_and_only_said_by_a_look() {
    let stage = Stage::with(Pace::Human, Faults::none()).await;
    let ground = ground(&stage).await;
    let allocation = text(&stage.make("aws/elastic-address", json!({ "key": "eip/nat/a" })).await, "allocation");
    let with = json!({ "subnet": ground.public, "allocation": allocation, "key": "nat/a" });
    let action = stage.action("aws/nat-gateway", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/nat-gateway", &with)).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");

    let cloud = stage.world.cloud.as_ref().unwrap();
    let looking = World { cloud: Ok(Arc::new(cloud.read_only())), ..stage.world.clone() };
    let Probe::Same(found) = action.probe(&looking).await else { panic!("a look does not wait") };
    assert!(found.said.contains("pending"), "{found:?}");
    assert!(matches!(action.verify(&stage.world).await, Verified::NotYet { .. }));

    let Probe::Same(found) = action.probe(&stage.world).await else { panic!("it is there") };
    assert!(!found.said.contains("pending"), "{found:?}");
    assert!(matches!(action.verify(&stage.world).await, Verified::So(_)));
}

#[tokio::test]
async fn a_stop_ends_between_two_calls_and_says_what_was_done() {
    let stage = Stage::new().await;
    stage.world.cancel.cancel();
    let with = json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" });
    let action = stage.action("aws/vpc", &with);
    let calls = stage.calls();
    let outcome = action.apply(&stage.world, &stage.intent("aws/vpc", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.what.contains("stopped before CreateVpc"), "{failure:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
}

#[tokio::test]
async fn ours_is_adopted_half_made_and_somebody_elses_is_not() {
    let stage = Stage::new().await;
    let vpc = text(&stage.make("aws/vpc", json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await, "id");
    let tags = stage.tags(ec2::types::ResourceType::InternetGateway, "igw/main");
    let made = stage.ec2().create_internet_gateway().tag_specifications(tags).send().await.unwrap();
    let id = made.internet_gateway.unwrap().internet_gateway_id.unwrap();
    let action = stage.action("aws/internet-gateway", &json!({ "vpc": vpc, "key": "igw/main" }));
    let chosen = action.adopt(&stage.world).await.unwrap();
    assert_eq!((chosen.id.as_str(), chosen.ours, chosen.whole), (id.as_str(), true, false), "found by its tags");
    assert_eq!(text(&chosen.found.output, "id"), id);

    let theirs = stage.ec2().create_internet_gateway().send().await.unwrap();
    let theirs = theirs.internet_gateway.unwrap().internet_gateway_id.unwrap();
    let subject = Subject { adopted: Some(theirs.clone()), ..stage.world.subject.clone() };
    let world = World { subject, ..stage.world.clone() };
    assert!(action.adopt(&world).await.is_err(), "{theirs} is not as wanted, and not ours to complete");
}

#[tokio::test]
async fn what_carries_no_tags_is_completed_by_a_look_and_that_is_said() {
    let stage = Stage::new().await;
    let ground = ground(&stage).await;
    let rule = |cidrs: &[&str]| json!({ "group": ground.group, "port": 22, "cidrs": cidrs, "why": "first", "key": "sg/first" });
    stage.make("aws/security-group-rule", rule(&["198.51.100.16/29"])).await;
    let both = stage.action("aws/security-group-rule", &rule(&["198.51.100.16/29", "203.0.113.0/28"]));
    match both.adopt(&stage.world).await {
        Ok(chosen) => assert!(chosen.ours && !chosen.whole, "{chosen:?}"),
        Err(failure) => assert!(failure.advice.contains("Look instead"), "{failure:?}"),
    }
}

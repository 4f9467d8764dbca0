//! Route 53, and the services beside EC2 in general.

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ChangeStatus, HostedZoneConfig, ResourceRecord, ResourceRecordSet, RrType, Tag,
    TagResourceType, Vpc, VpcRegion,
};
use aws_sdk_route53::{Client as Names, Config as NamesConfig};

use super::*;
use crate::practice::fault::Fault;

pub(super) fn names(cloud: &Cloud) -> Names {
    let config = NamesConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(REGION))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    Names::from_conf(config.build())
}

pub(super) async fn zone(names: &Names, name: &str, reference: &str, vpc: Option<&str>) -> String {
    let request = names.create_hosted_zone().name(name).caller_reference(reference);
    let made = request.set_vpc(vpc.map(of_vpc)).send().await.unwrap();
    made.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned()
}

fn of_vpc(id: &str) -> Vpc {
    Vpc::builder().vpc_id(id).vpc_region(VpcRegion::from(REGION)).build()
}

pub(super) fn set(name: &str, kind: &str, values: &[&str]) -> ResourceRecordSet {
    let record = |value: &&str| ResourceRecord::builder().value(*value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind)).ttl(60);
    set.set_resource_records(Some(values.iter().map(record).collect())).build().unwrap()
}

pub(super) fn batch(changes: impl IntoIterator<Item = (ChangeAction, ResourceRecordSet)>) -> ChangeBatch {
    let change = |(action, set)| Change::builder().action(action).resource_record_set(set).build().unwrap();
    ChangeBatch::builder().set_changes(Some(changes.into_iter().map(change).collect())).build().unwrap()
}

use ChangeAction::{Create, Delete, Upsert};

#[tokio::test]
async fn a_zone_is_made_once_for_a_reference_and_taken_away_when_it_holds_nothing() {
    let cloud = cloud(Pace::Instant);
    let (names, ec2) = (names(&cloud), client(&cloud));
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let public = zone(&names, "mc.acme.example", "one", None).await;
    let inside = zone(&names, "mc.acme.example.", "two", Some(&vpc)).await;
    let make = |name: &str, reference: &str| names.create_hosted_zone().name(name).caller_reference(reference);
    let record = || batch([(Upsert, set("gw.mc.acme.example", "A", &["10.40.10.20"]))]);
    let private = HostedZoneConfig::builder().private_zone(true).build();
    rows! {
        make("mc.acme.example", "one") => "HostedZoneAlreadyExists",
        make("other.example", "one") => "HostedZoneAlreadyExists",
        make("mc..example", "x") => "InvalidDomainName",
        make("mc.acme.example", "x").vpc(of_vpc(&vpc)) => "ConflictingDomainExists",
        make("mc.acme.example", "x").vpc(of_vpc("vpc-0123456789abcdef0")) => "InvalidVPCId",
        make("mc.acme.example", "x").hosted_zone_config(private) => "InvalidInput",
        names.change_resource_record_sets().hosted_zone_id(&public).change_batch(record()) => "ok",
        names.delete_hosted_zone().id(&public) => "HostedZoneNotEmpty",
        names.delete_hosted_zone().id("Z0NOTTHERE") => "NoSuchHostedZone",
        names.get_change().id("C0NOTTHERE") => "NoSuchChange",
    }
    let seen = names.get_hosted_zone().id(&public).send().await.unwrap();
    assert_eq!(seen.delegation_set().unwrap().name_servers().len(), 4);
    assert_eq!(seen.hosted_zone().unwrap().resource_record_set_count(), Some(3));
    let seen = names.get_hosted_zone().id(&inside).send().await.unwrap();
    assert!(seen.delegation_set().is_none() && seen.hosted_zone().unwrap().config().unwrap().private_zone());
    assert_eq!(seen.vpcs()[0].vpc_id(), Some(&*vpc));
    let of_vpc =
        names.list_hosted_zones_by_vpc().vpc_id(&vpc).vpc_region(VpcRegion::from(REGION)).send().await.unwrap();
    let ids: Vec<&str> = of_vpc.hosted_zone_summaries().iter().map(|zone| zone.hosted_zone_id()).collect();
    assert_eq!(ids, [inside.as_str()]);
    rows! {
        names.change_resource_record_sets().hosted_zone_id(&public).change_batch(batch([(Delete, set("gw.mc.acme.example", "A", &["10.40.10.20"]))])) => "ok",
        names.delete_hosted_zone().id(&public) => "ok",
        names.get_hosted_zone().id(&public) => "NoSuchHostedZone",
        make("mc.acme.example", "one") => "HostedZoneAlreadyExists",
    }
}

#[tokio::test]
async fn a_batch_is_carried_out_whole_or_not_at_all() {
    let cloud = cloud(Pace::Instant);
    let names = names(&cloud);
    let id = zone(&names, "acme.example", "one", None).await;
    let send = |changes: Vec<(ChangeAction, ResourceRecordSet)>| {
        names.change_resource_record_sets().hosted_zone_id(&id).change_batch(batch(changes))
    };
    let a = |name: &str, value: &str| set(name, "A", &[value]);
    rows! {
        send(vec![(Upsert, a("a.acme.example", "10.0.0.1")), (Upsert, a("b.acme.example", "not an address"))]) => "InvalidChangeBatch",
        send(vec![(Delete, a("a.acme.example", "10.0.0.1"))]) => "InvalidChangeBatch",
        send(vec![(Create, a("a.acme.example", "10.0.0.1"))]) => "ok",
        send(vec![(Create, a("a.acme.example", "10.0.0.1"))]) => "InvalidChangeBatch",
        send(vec![(Delete, a("a.acme.example", "10.0.0.2"))]) => "InvalidChangeBatch",
        send(vec![(Upsert, a("a.elsewhere.example", "10.0.0.1"))]) => "InvalidChangeBatch",
        send(vec![(Upsert, set("acme.example", "CNAME", &["x.example."]))]) => "InvalidChangeBatch",
        send(vec![(Upsert, set("a.acme.example", "CNAME", &["x.example."]))]) => "InvalidChangeBatch",
        send(vec![(Upsert, set("t.acme.example", "TXT", &["no marks"]))]) => "InvalidChangeBatch",
        send(vec![(Upsert, set("t.acme.example", "TXT", &["\"with marks\""]))]) => "ok",
        send(vec![(Upsert, set("m.acme.example", "MX", &["mail.example"]))]) => "InvalidChangeBatch",
        send(vec![(Upsert, set("d.acme.example", "A", &["10.0.0.1", "10.0.0.1"]))]) => "InvalidChangeBatch",
        send(vec![(Upsert, a("a.acme.example", "10.0.0.3"))]) => "ok",
    }
    let refused = send(vec![(Create, a("a.acme.example", "10.0.0.1"))]).send().await.unwrap_err().into_service_error();
    let wanted = "[Tried to create resource record set [name='a.acme.example.', type='A'] but it already exists]";
    assert_eq!(refused.meta().message(), Some(wanted));
    let many = (0..251).map(|n| (Upsert, set(&format!("n{n}.acme.example"), "A", &["10.0.0.1", "10.0.0.2"])));
    rows! { send(many.collect()) => "InvalidChangeBatch", }
    let many = (0..250).map(|n| (Upsert, set(&format!("n{n}.acme.example"), "A", &["10.0.0.1", "10.0.0.2"])));
    rows! { send(many.collect()) => "ok", }
    let (mut seen, mut from) = (Vec::new(), None::<(String, RrType)>);
    loop {
        let request = names.list_resource_record_sets().hosted_zone_id(&id).max_items(100);
        let (name, kind) = from.clone().unzip();
        let page = request.set_start_record_name(name).set_start_record_type(kind).send().await.unwrap();
        seen.extend(page.resource_record_sets().iter().map(|set| (set.name().to_owned(), set.r#type().clone())));
        if !page.is_truncated() {
            break;
        }
        from = page.next_record_name.zip(page.next_record_type);
    }
    assert_eq!(seen.len(), 254);
    assert_eq!(seen[..2], [("acme.example.".to_owned(), RrType::Ns), ("acme.example.".to_owned(), RrType::Soa)]);
    let own = names.list_resource_record_sets().hosted_zone_id(&id).max_items(2).send().await.unwrap();
    for set in own.resource_record_sets() {
        rows! { send(vec![(Delete, set.clone())]) => "InvalidChangeBatch", }
    }
    let asked =
        |name: &str| names.test_dns_answer().hosted_zone_id(&id).record_name(name).record_type(RrType::A).send();
    let answer = asked("a.acme.example").await.unwrap();
    assert_eq!((answer.response_code(), answer.record_data()), ("NOERROR", &["10.0.0.3".to_owned()][..]));
    assert_eq!(asked("nobody.acme.example").await.unwrap().response_code(), "NXDOMAIN");
}

#[tokio::test]
async fn a_change_is_pending_first_and_a_zone_takes_one_at_a_time() {
    let cloud = cloud(Pace::Stopped);
    let names = names(&cloud);
    let id = zone(&names, "acme.example", "one", None).await;
    let change = || {
        let batch = batch([(Upsert, set("a.acme.example", "A", &["10.0.0.1"]))]);
        names.change_resource_record_sets().hosted_zone_id(&id).change_batch(batch)
    };
    let info = change().send().await.unwrap().change_info.unwrap();
    assert_eq!(info.status(), &ChangeStatus::Pending);
    rows! { change() => "PriorRequestNotComplete", }
    cloud.advance(std::time::Duration::from_secs(1));
    rows! { change() => "ok", }
    cloud.advance(std::time::Duration::from_secs(3));
    let later = names.get_change().id(info.id()).send().await.unwrap();
    assert_eq!(later.change_info().unwrap().status(), &ChangeStatus::Insync);
}

#[tokio::test]
async fn a_private_zone_keeps_at_least_one_vpc_and_no_vpc_is_in_two_of_one_name() {
    let cloud = cloud(Pace::Instant);
    let (names, ec2) = (names(&cloud), client(&cloud));
    let (one, two) = (vpc(&ec2, "10.40.0.0/16").await, vpc(&ec2, "10.41.0.0/16").await);
    let inside = zone(&names, "acme.example", "one", Some(&one)).await;
    let outside = zone(&names, "acme.example", "two", None).await;
    let enter = |zone: &str, vpc: &str| names.associate_vpc_with_hosted_zone().hosted_zone_id(zone).vpc(of_vpc(vpc));
    let leave = |zone: &str, vpc: &str| names.disassociate_vpc_from_hosted_zone().hosted_zone_id(zone).vpc(of_vpc(vpc));
    rows! {
        enter(&outside, &one) => "PublicZoneVPCAssociation",
        enter(&inside, "vpc-0123456789abcdef0") => "InvalidVPCId",
        leave(&inside, &two) => "VPCAssociationNotFound",
        leave(&inside, &one) => "LastVPCAssociation",
        enter(&inside, &two) => "ok",
        enter(&inside, &two) => "ConflictingDomainExists",
        leave(&inside, &one) => "ok",
    }
    let other = zone(&names, "acme.example", "three", Some(&one)).await;
    rows! { enter(&inside, &one) => "ConflictingDomainExists", enter(&other, &two) => "ConflictingDomainExists", }
}

#[tokio::test]
async fn a_vpc_of_another_account_is_let_in_by_us_and_associated_by_them() {
    let cloud = cloud(Pace::Stopped);
    let (names, ec2) = (names(&cloud), client(&cloud));
    let vpc_id = vpc(&ec2, "10.40.0.0/16").await;
    let private = zone(&names, "mc.acme.example", "one", Some(&vpc_id)).await;
    let public = zone(&names, "mc.acme.example", "two", None).await;
    let theirs = "vpc-0a1b2c3d4e5f60718";
    let allow = |id: &str, vpc: &str| names.create_vpc_association_authorization().hosted_zone_id(id).vpc(of_vpc(vpc));
    let forbid = || names.delete_vpc_association_authorization().hosted_zone_id(&private).vpc(of_vpc(theirs));
    rows! {
        allow(&public, theirs) => "InvalidInput",
        allow(&private, "vpc-x") => "InvalidVPCId",
        forbid() => "VPCAssociationAuthorizationNotFound",
        allow(&private, theirs) => "ok",
        allow(&private, theirs) => "ok",
    }
    let allowed = || names.list_vpc_association_authorizations().hosted_zone_id(&private);
    assert_eq!(allowed().send().await.unwrap().vpcs().len(), 1);
    let asked_from = async || names.get_hosted_zone().id(&private).send().await.unwrap().vpcs().len();
    assert_eq!(asked_from().await, 1);
    cloud.advance(std::time::Duration::from_secs(4));
    assert_eq!(asked_from().await, 2);
    rows! { forbid() => "ok", }
    assert_eq!((asked_from().await, allowed().send().await.unwrap().vpcs().len()), (2, 0));
}

#[tokio::test]
async fn tags_come_ten_at_a_time_and_are_kept_with_all_the_rest() {
    let cloud = cloud(Pace::Instant);
    let names = names(&cloud);
    let id = zone(&names, "acme.example", "one", None).await;
    let tag = |n: usize| Tag::builder().key(format!("key{n}")).value("v").build();
    let put = |count: usize| {
        let request = names.change_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(&id);
        request.set_add_tags(Some((0..count).map(tag).collect()))
    };
    rows! { put(11) => "InvalidInput", put(10) => "ok", }
    let later = self::cloud(Pace::Instant);
    later.restore(&cloud.snapshot().await.unwrap()).await.unwrap();
    let again = self::names(&later);
    let seen = again.list_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(&id);
    let seen = seen.send().await.unwrap().resource_tag_set.unwrap();
    assert_eq!(seen.tags().len(), 10);
    rows! { again.create_hosted_zone().name("acme.example").caller_reference("one") => "HostedZoneAlreadyExists", }
}

#[tokio::test]
async fn faults_strike_every_service_in_its_own_words() {
    for (fault, word, made) in [
        (Fault::Throttle, "Throttling", 0),
        (Fault::ServerErrorBefore, "InternalFailure", 0),
        (Fault::ServerErrorAfter, "InternalFailure", 1),
        (Fault::LostReply, "dispatch failure", 1),
    ] {
        let faults = Faults::none().aim(fault, "CreateHostedZone", 1);
        let cloud = Cloud::new(ACCOUNT, REGION, Pace::Instant, faults);
        let names = names(&cloud);
        rows! { names.create_hosted_zone().name("acme.example").caller_reference("one") => word, }
        let there = names.list_hosted_zones().send().await.unwrap();
        assert_eq!(there.hosted_zones().len(), made, "{fault:?}");
        assert_eq!(cloud.struck().len(), 1);
    }
    let cloud = Cloud::new(ACCOUNT, REGION, Pace::Stopped, Faults::none().aim(Fault::Invisible, "CreateHostedZone", 1));
    let unseen = names(&cloud);
    let id = zone(&unseen, "acme.example", "one", None).await;
    rows! { unseen.get_hosted_zone().id(&id) => "NoSuchHostedZone", }
    cloud.advance(std::time::Duration::from_secs(4));
    rows! { unseen.get_hosted_zone().id(&id) => "ok", }
    let denied = Cloud::new(ACCOUNT, REGION, Pace::Instant, Faults::new(1, []).deny("CreateHostedZone"));
    rows! { names(&denied).create_hosted_zone().name("acme.example").caller_reference("one") => "AccessDenied", }
    let seen: Vec<_> = cloud.calls().into_iter().map(|call| (call.operation, call.mutating)).collect();
    assert_eq!(seen[..2], [("CreateHostedZone".to_owned(), true), ("GetHostedZone".to_owned(), false)]);
}

#[tokio::test]
async fn a_call_that_is_only_passed_on_is_answered() {
    use aws_sdk_servicequotas::{Client, Config};
    let cloud = cloud(Pace::Instant);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(REGION))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    rows! { Client::from_conf(config.build()).list_services() => "ok", }
}

//! The faults, seen from the SDK.

use super::*;
use crate::practice::fault::Fault;

fn troubled(fault: Fault) -> Cloud {
    Cloud::new(ACCOUNT, REGION, Pace::Stopped, Faults::new(1, [fault]))
}

/// Five address requests, one after the other: their codes, and how many addresses there are in truth.
async fn five(cloud: &Cloud) -> (Vec<String>, usize) {
    let ec2 = client(cloud);
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(code(ec2.allocate_address().send().await));
    }
    let quiet = Cloud::new(ACCOUNT, REGION, Pace::Stopped, Faults::none());
    quiet.restore(&cloud.snapshot().await.unwrap()).await.unwrap();
    let made = client(&quiet).describe_addresses().send().await.unwrap().addresses().len();
    (codes, made)
}

#[tokio::test]
async fn refusals_do_nothing_and_lost_replies_do() {
    for (fault, word, harmless) in [
        (Fault::Throttle, "RequestLimitExceeded", true),
        (Fault::ServerErrorBefore, "InternalError", true),
        (Fault::ServerErrorAfter, "InternalError", false),
        (Fault::LostReply, "dispatch failure", false),
    ] {
        let (codes, made) = five(&troubled(fault)).await;
        let good = codes.iter().filter(|code| *code == "ok").count();
        assert!(good < 5 && codes.iter().all(|code| code == "ok" || code == word), "{fault:?} {codes:?}");
        assert_eq!(made, if harmless { good } else { 5 }, "{fault:?} {codes:?}");
    }
}

#[tokio::test]
async fn one_action_is_denied_even_as_a_dry_run() {
    let cloud = Cloud::new(ACCOUNT, REGION, Pace::Instant, Faults::new(7, []).deny("CreateVpc"));
    let ec2 = client(&cloud);
    rows! {
        ec2.create_vpc().cidr_block("10.0.0.0/16") => "UnauthorizedOperation",
        ec2.create_vpc().cidr_block("10.0.0.0/16").dry_run(true) => "UnauthorizedOperation",
        ec2.allocate_address() => "ok",
    }
    let seen: Vec<_> = cloud.calls().into_iter().map(|call| (call.operation, call.mutating, call.code)).collect();
    assert_eq!(seen[0], ("CreateVpc".into(), true, Some("UnauthorizedOperation".into())));
    assert!(!seen[1].1, "a dry run changes nothing");
    assert_eq!(seen[2], ("AllocateAddress".into(), true, None));
}

#[tokio::test]
async fn credentials_expire_once_and_new_ones_are_good() {
    let cloud = troubled(Fault::ExpiredCredentials);
    let ec2 = client(&cloud);
    let mut codes = Vec::new();
    for _ in 0..12 {
        codes.push(code(ec2.describe_regions().send().await));
    }
    let expired = codes.iter().position(|code| code == "RequestExpired").unwrap();
    assert!(expired > 0 && codes[expired..].iter().all(|code| code == "RequestExpired"), "{codes:?}");
    rows! { client(&cloud).describe_regions() => "ok", ec2.describe_regions() => "RequestExpired", }
}

#[tokio::test]
async fn what_was_just_made_is_invisible_for_a_while() {
    let cloud = troubled(Fault::Invisible);
    let ec2 = client(&cloud);
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    rows! {
        ec2.describe_vpcs().vpc_ids(&vpc) => "InvalidVpcID.NotFound",
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.40.0.0/24") => "InvalidVpcID.NotFound",
    }
    assert_eq!(ec2.describe_vpcs().send().await.unwrap().vpcs().len(), 1);
    cloud.advance(std::time::Duration::from_secs(4));
    rows! {
        ec2.describe_vpcs().vpc_ids(&vpc) => "ok",
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.40.0.0/24") => "ok",
    }
}

#[tokio::test]
async fn slow_answers_come_late_but_come() {
    let cloud = Cloud::new(ACCOUNT, REGION, Pace::Instant, Faults::new(3, [Fault::Slow]));
    let began = std::time::Instant::now();
    rows! { client(&cloud).describe_regions() => "ok", }
    assert!(began.elapsed().as_millis() >= 5);
}

//! Bad days: the answer is lost, calls are refused for a while, what was made cannot be seen yet. One object comes of it.

use serde_json::json;

use super::life::{PUBLIC_KEY, ground};
use super::*;
use crate::engagement::{FindingKind, Recovery, recover};
use crate::practice::fault::Fault;

/// Does what the engine does: applies, and after a doubt asks the probe and the rules of recovery.
async fn until_made(stage: &Stage, kind: &str, with: &Json) -> Kept {
    let action = stage.action(kind, with);
    let intent = stage.intent(kind, with);
    for _ in 0..20 {
        match action.apply(&stage.world, &intent).await {
            Outcome::Changed { .. } | Outcome::AlreadySo { .. } => return stage.proved(&*action).await,
            Outcome::Failed { failure } => panic!("{kind}: {failure:?}"),
            Outcome::InDoubt { .. } | Outcome::NotMade { .. } | Outcome::Stays { .. } => {}
        }
        // At first nothing is repeated; then the quiet time has passed, and with it the time that things are hidden for.
        if let Some(kept) = settled(stage, &*action, std::time::Duration::ZERO).await {
            return kept;
        }
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        if let Some(kept) = settled(stage, &*action, std::time::Duration::from_secs(600)).await {
            return kept;
        }
    }
    panic!("{kind} never came to an end")
}

/// What there is, if it may be adopted; nothing, if it may be repeated or looked for again.
async fn settled(stage: &Stage, action: &dyn Action, since_intent: std::time::Duration) -> Option<Kept> {
    let found = match action.probe(&stage.world).await {
        Probe::Same(_) => FindingKind::Same,
        Probe::Absent { .. } => FindingKind::Absent,
        Probe::Different { .. } => FindingKind::Different,
        Probe::Unknown(_) => FindingKind::Unknown,
    };
    match recover(action.class(), found, since_intent) {
        Recovery::Adopt => Some(stage.proved(action).await),
        Recovery::Repeat | Recovery::LookAgain(_) => None,
        other => panic!("{other:?} after {found:?}"),
    }
}

impl Stage {
    /// How often a call was executed.
    fn done(&self, operation: &str) -> usize {
        let calls = self.practice.as_ref().unwrap().calls();
        calls.iter().filter(|call| call.operation == operation && call.code.is_none()).count()
    }
}

async fn a_network(stage: &Stage) {
    let vpc = until_made(stage, "aws/vpc", &json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" })).await;
    let subnet = json!({ "vpc": vpc["id"], "cidr": "10.40.0.0/24", "zone": "eu-west-1a", "key": "subnet/public/a" });
    let subnet = until_made(stage, "aws/subnet", &subnet).await;
    let gateway = until_made(stage, "aws/internet-gateway", &json!({ "vpc": vpc["id"], "key": "igw/main" })).await;
    let routes = json!([{ "to": "0.0.0.0/0", "gateway": gateway["id"] }]);
    let table = json!({ "vpc": vpc["id"], "key": "routes/public", "routes": routes, "subnets": [subnet["id"]] });
    until_made(stage, "aws/route-table", &table).await;
    let address = until_made(stage, "aws/elastic-address", &json!({ "key": "eip/nat/a" })).await;
    let nat = json!({ "subnet": subnet["id"], "allocation": address["allocation"], "key": "nat/a" });
    until_made(stage, "aws/nat-gateway", &nat).await;
    let ingress = json!([{ "port": 22022, "cidrs": ["198.51.100.16/29"], "why": "operator" }]);
    let group = json!({ "vpc": vpc["id"], "name": "bastion", "key": "sg/bastion", "ingress": ingress });
    let group = until_made(stage, "aws/security-group", &group).await;
    until_made(stage, "aws/key-pair", &json!({ "name": "ops", "public_key": PUBLIC_KEY, "key": "key/operator" })).await;
    let image = stage.make("aws/image", json!({ "family": "ubuntu-22.04" })).await;
    let instance = json!({
        "image": image["id"], "root_device": image["root_device"], "type": "t3.micro", "subnet": subnet["id"],
        "groups": [group["id"]], "key_pair": "ops", "key": "instance/bastion",
    });
    until_made(stage, "aws/instance", &instance).await;
}

#[tokio::test]
async fn nothing_is_made_twice_and_nothing_is_forgotten() {
    let once = [
        "AllocateAddress",
        "CreateInternetGateway",
        "CreateSubnet",
        "CreateVpc",
        "ImportKeyPair",
        "CreateSecurityGroup",
    ];
    for fault in
        [Fault::LostReply, Fault::ServerErrorBefore, Fault::ServerErrorAfter, Fault::Throttle, Fault::Invisible]
    {
        for seed in 0..6 {
            let stage = Stage::with(Pace::Instant, Faults::new(seed, [fault])).await;
            a_network(&stage).await;
            for operation in once {
                assert_eq!(stage.done(operation), 1, "{operation} with {} and seed {seed}", fault.name());
            }
            let ec2 = stage.world.cloud.as_ref().unwrap().ec2();
            let tagged = || vec![aws::lookup("e1")];
            let nats = ec2.describe_nat_gateways().set_filter(Some(tagged())).send().await;
            let instances = ec2.describe_instances().set_filters(Some(tagged())).send().await;
            if let (Ok(nats), Ok(instances)) = (nats, instances) {
                assert!(nats.nat_gateways().len() <= 1, "{} seed {seed}", fault.name());
                let made: usize = instances.reservations().iter().map(|one| one.instances().len()).sum();
                assert!(made <= 1, "{} seed {seed}", fault.name());
            }
        }
    }
}

#[tokio::test]
async fn all_faults_at_once() {
    for seed in 0..6 {
        let faults =
            [Fault::LostReply, Fault::ServerErrorBefore, Fault::ServerErrorAfter, Fault::Throttle, Fault::Invisible];
        let stage = Stage::with(Pace::Instant, Faults::new(seed, faults)).await;
        a_network(&stage).await;
        assert_eq!(stage.done("CreateVpc"), 1, "seed {seed}");
        assert_eq!(stage.done("AllocateAddress"), 1, "seed {seed}");
    }
}

#[tokio::test]
async fn what_a_lost_answer_made_is_found_and_not_made_again() {
    for fault in [Fault::LostReply, Fault::ServerErrorAfter] {
        let stage = Stage::with(Pace::Instant, Faults::new(0, [fault])).await;
        let with = json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" });
        let outcome = stage.action("aws/vpc", &with).apply(&stage.world, &stage.intent("aws/vpc", &with)).await;
        let Outcome::Changed { created: true, output, operations, .. } = outcome else { panic!("{outcome:?}") };
        assert!(text(&output, "id").starts_with("vpc-"), "an undo can find it: {output:?}");
        assert_eq!(operations[0], "CreateVpc");
        assert_eq!(stage.done("CreateVpc"), 1);
    }
}

#[tokio::test]
async fn what_a_lost_answer_made_and_nobody_sees_is_a_doubt() {
    let stage = Stage::with(Pace::Instant, Faults::new(0, [Fault::ServerErrorBefore])).await;
    let with = json!({ "key": "eip/a" });
    let action = stage.action("aws/elastic-address", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/elastic-address", &with)).await;
    let Outcome::InDoubt { why } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("AllocateAddress"), "{why}");
    let calls = stage.practice.as_ref().unwrap().calls();
    assert_eq!(calls.iter().filter(|call| call.operation == "AllocateAddress").count(), 1, "it is not sent again");
}

#[tokio::test]
async fn a_refused_second_call_says_what_the_first_one_made() {
    let stage = Stage::with(Pace::Instant, Faults::none().deny("ModifyVpcAttribute")).await;
    let with = json!({ "cidr": "10.40.0.0/16", "key": "vpc/main" });
    let outcome = stage.action("aws/vpc", &with).apply(&stage.world, &stage.intent("aws/vpc", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.code.as_deref(), Some("UnauthorizedOperation"));
    assert!(failure.changed.iter().any(|change| change.starts_with("CreateVpc: vpc-")), "{failure:?}");
}

#[tokio::test]
async fn expired_credentials_are_said_and_nothing_is_in_doubt() {
    let stage = Stage::with(Pace::Instant, Faults::new(0, [Fault::ExpiredCredentials])).await;
    let ground = ground_until_it_fails(&stage).await;
    assert!(ground.is_some_and(|code| code.contains("Expired")), "the credentials never expired");
}

async fn ground_until_it_fails(stage: &Stage) -> Option<String> {
    for number in 0..30 {
        let with = json!({ "key": format!("eip/{number}") });
        let probe = stage.action("aws/elastic-address", &with).probe(&stage.world).await;
        if let Probe::Unknown(crate::action::Trouble::Failure(failure)) = probe {
            assert!(failure.advice.contains("Renew the session"), "{failure:?}");
            return failure.code;
        }
    }
    None
}

#[tokio::test]
async fn a_quota_is_named_with_its_number() {
    let stage = Stage::new().await;
    let _ = ground(&stage).await;
    for number in 0..10 {
        let with = json!({ "key": format!("eip/{number}") });
        let action = stage.action("aws/elastic-address", &with);
        match action.apply(&stage.world, &stage.intent("aws/elastic-address", &with)).await {
            Outcome::Changed { .. } => {}
            Outcome::Failed { failure } => {
                assert_eq!(failure.code.as_deref(), Some("AddressLimitExceeded"));
                assert!(failure.advice.contains("L-0263D0A3"), "{failure:?}");
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("the quota of five addresses was never reached");
}

#[tokio::test]
async fn what_a_denial_says_encoded_is_decoded_where_that_is_allowed() {
    let stage = Stage::with(Pace::Instant, Faults::none().deny("AllocateAddress")).await;
    let with = json!({ "key": "eip/a" });
    let action = stage.action("aws/elastic-address", &with);
    let outcome = action.apply(&stage.world, &stage.intent("aws/elastic-address", &with)).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    let told = format!("ec2:AllocateAddress on arn:aws:ec2:{REGION}:{ACCOUNT}:* by arn:aws:sts::{ACCOUNT}");
    assert!(failure.meaning.starts_with(&told), "{failure:?}");
    assert!(failure.meaning.contains("no policy allows it"), "{failure:?}");
    assert!(failure.raw.contains("Encoded authorization failure message"), "AWS's own words are kept: {failure:?}");
    assert!(!failure.sign_in);
}

#[tokio::test]
async fn of_many_calls_at_once_that_are_throttled_none_is_lost_and_none_is_made_twice() {
    let stage = Stage::with(Pace::Instant, Faults::new(1, [Fault::Throttle])).await;
    let cloud = stage.world.cloud.as_ref().unwrap();
    let ask = || async {
        let request = cloud.ec2().describe_vpcs();
        cloud.read(Operation::DescribeVpcs, || request.clone().send()).await
    };
    let answers = futures_util::future::join_all((0..120).map(|_| ask())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let calls = stage.practice.as_ref().unwrap().calls();
    let asked: Vec<_> = calls.iter().filter(|call| call.operation == "DescribeVpcs").collect();
    let throttled = asked.iter().filter(|call| call.code.as_deref() == Some("RequestLimitExceeded")).count();
    assert!(throttled > 0, "nothing was throttled");
    assert_eq!(asked.len(), 120 + throttled, "each is repeated as often as it was refused, and no more");
}

/// A client of that account whose pauses are as long as in life, and which others may keep pace with.
async fn unhurried(account: &str, paces: &aws::Paces) -> aws::Cloud {
    let practice = PracticeCloud::new(account, REGION, Pace::Instant, Faults::none());
    let wiring = Wiring {
        region: REGION.to_owned(),
        http_client: Some(practice.http_client()),
        credentials: Some(practice.credentials()),
        paces: paces.clone(),
        ..Wiring::default()
    };
    let cloud = aws::Cloud::connect(wiring).await.unwrap();
    cloud.identity().await.unwrap();
    cloud
}

/// How long it takes to ask SES so often, which takes two calls at once and one a second.
async fn asks(cloud: &aws::Cloud, times: u32) -> std::time::Duration {
    let (began, mail) = (std::time::Instant::now(), cloud.mail());
    for _ in 0..times {
        cloud.read(Operation::GetAccount, || mail.get_account().send()).await.unwrap();
    }
    began.elapsed()
}

#[tokio::test]
async fn two_engagements_in_one_account_and_region_keep_one_pace_for_each_service() {
    let paces = aws::Paces::default();
    let (one, two) = (unhurried(ACCOUNT, &paces).await, unhurried(ACCOUNT, &paces).await);
    let other = unhurried("999988887777", &paces).await;
    let moment = std::time::Duration::from_millis(600);
    assert!(asks(&one, 2).await < moment, "two at once");
    assert!(asks(&two, 1).await > moment, "the other one has to wait for the third");
    assert!(asks(&other, 2).await < moment, "another account has a pace of its own");
    assert!(asks(&one.in_region("eu-central-1"), 2).await < moment, "and so has another region");
}

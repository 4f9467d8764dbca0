//! Death at random moments against a cloud that nobody here wrote: moto's server, when ONRAMP_MOTO_URL names one.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use aws_sdk_ec2::types::{Filter, Tag};
use onramp::aws::{Cloud, Wiring};
use serde_json::Value as Json;

use super::walk::Dice;
use crate::stage::{Stage, offered};

/// Where no other test is.
const REGION: &str = "eu-north-1";

const RUNBOOK: &str = r#"
runbook: lent
title: A network in a lent cloud
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: who, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: caller
    title: The right account
    aws: account
    with: {account: "{{ aws.account_id }}"}
  - {id: vpc, title: VPC, needs: [caller], aws: vpc, with: {cidr: 10.40.0.0/16, key: vpc/main}, saves: {id: net.vpc}}
  - id: first
    title: A subnet
    aws: subnet
    with: {vpc: "{{ net.vpc }}", cidr: 10.40.0.0/24, zone: "{{ aws.region_primary }}a", key: subnet/first}
    saves: {id: net.first}
  - id: second
    title: Another
    aws: subnet
    with: {vpc: "{{ net.vpc }}", cidr: 10.40.1.0/24, zone: "{{ aws.region_primary }}b", key: subnet/second}
    saves: {id: net.second}
  - id: gateway
    title: A gateway
    aws: internet-gateway
    with: {vpc: "{{ net.vpc }}", key: igw/main}
    saves: {id: net.gateway}
  - id: routes
    title: A way out
    aws: route-table
    with:
      vpc: "{{ net.vpc }}"
      key: routes/public
      routes: [{to: 0.0.0.0/0, gateway: "{{ net.gateway }}"}]
      subnets: ["{{ net.first }}", "{{ net.second }}"]
  - {id: address, title: An address, needs: [gateway], aws: elastic-address, with: {key: eip/main}}
  - id: group
    title: A door
    aws: security-group
    with:
      vpc: "{{ net.vpc }}"
      name: door
      description: One door
      key: sg/door
      ingress: [{port: 443, cidrs: [203.0.113.0/28], why: HTTPS}]
"#;

/// Walks on an ordinary day, and when everything is asked for; and how often the program dies in each. Two minutes pass
/// before anything is repeated that was about to be sent and is not there.
const WALKS: (u64, u64) = (2, 40);
const DEATHS: u32 = 4;
/// So many more where nothing died in those.
const MORE: u64 = 8;

/// How many objects there are of each kind and logical name.
type Tagged = BTreeMap<(&'static str, String), usize>;

struct Lent {
    url: String,
    cloud: Cloud,
    runtime: tokio::runtime::Runtime,
}

impl Lent {
    fn new() -> Option<Lent> {
        let url = offered("ONRAMP_MOTO_URL", "moto's server")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let credentials = aws_credential_types::Credentials::new("AKIAIOSFODNN7EXAMPLE", "example", None, None, "test");
        let wiring = Wiring {
            region: REGION.to_owned(),
            endpoint_url: Some(url.clone()),
            credentials: Some(aws_credential_types::provider::SharedCredentialsProvider::new(credentials)),
            ..Wiring::default()
        };
        let cloud = runtime.block_on(Cloud::connect(wiring)).expect("a way to the lent cloud");
        Some(Lent { url, cloud, runtime })
    }

    /// Everything that is there and carries this engagement's tag. (moto keeps tags of what was deleted.)
    fn tagged(&self, engagement: &str) -> Tagged {
        let there = self.runtime.block_on(self.there(engagement)).expect("the lent cloud answers");
        let mut tagged = Tagged::new();
        for (kind, tags) in there {
            let name = tags.into_iter().find(|tag| tag.key() == Some("onramp:key")).and_then(|tag| tag.value);
            *tagged.entry((kind, name.unwrap_or_default())).or_default() += 1;
        }
        tagged
    }

    async fn there(&self, engagement: &str) -> Result<Vec<(&'static str, Vec<Tag>)>, aws_sdk_ec2::Error> {
        let ec2 = self.cloud.ec2();
        let mine = Filter::builder().name("tag:onramp:engagement").values(engagement).build();
        let mut there = Vec::new();
        let vpcs = ec2.describe_vpcs().filters(mine.clone()).send().await?.vpcs;
        there.extend(vpcs.into_iter().flatten().map(|one| ("vpc", one.tags)));
        let subnets = ec2.describe_subnets().filters(mine.clone()).send().await?.subnets;
        there.extend(subnets.into_iter().flatten().map(|one| ("subnet", one.tags)));
        let gateways = ec2.describe_internet_gateways().filters(mine.clone()).send().await?.internet_gateways;
        there.extend(gateways.into_iter().flatten().map(|one| ("internet-gateway", one.tags)));
        let tables = ec2.describe_route_tables().filters(mine.clone()).send().await?.route_tables;
        there.extend(tables.into_iter().flatten().map(|one| ("route-table", one.tags)));
        let addresses = ec2.describe_addresses().filters(mine.clone()).send().await?.addresses;
        there.extend(addresses.into_iter().flatten().map(|one| ("address", one.tags)));
        let groups = ec2.describe_security_groups().filters(mine).send().await?.security_groups;
        there.extend(groups.into_iter().flatten().map(|one| ("security-group", one.tags)));
        Ok(there.into_iter().map(|(kind, tags)| (kind, tags.unwrap_or_default())).collect())
    }

    fn begun(&self) -> Stage {
        let stage = Stage::new().with_credentials().with("AWS_ENDPOINT_URL", &self.url);
        let runbook = stage.file("lent.yaml", RUNBOOK).display().to_string();
        stage.run(&["new", "acme", "--runbook", &runbook, "--account", "123456789012", "--region", REGION]).expect(0);
        stage
    }
}

const RUN: [&str; 3] = ["run", "acme", "--yes"];

fn status(stage: &Stage) -> Json {
    serde_json::from_str(&stage.run(&["status", "acme", "--format", "json"]).expect(0).out).expect("the status is JSON")
}

fn done(status: &Json) -> BTreeSet<String> {
    let steps = status["steps"].as_array().into_iter().flatten();
    let done = steps.filter(|step| step["status"] == "done");
    done.filter_map(|step| Some(step["address"].as_str()?.to_owned())).collect()
}

/// Runs it, and kills it after this long. False when it had come to its end by then.
fn killed_after(stage: &Stage, moment: Duration) -> bool {
    let mut command = stage.command(&RUN);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    sleep(moment);
    let ended = child.try_wait().expect("a child").is_some();
    // On Unix that is SIGKILL.
    let _ = child.kill();
    let _ = child.wait();
    !ended
}

#[test]
fn killed_at_random_moments_against_a_lent_cloud_it_makes_everything_once() {
    let Some(lent) = Lent::new() else { return };
    let calm = lent.begun();
    let began = Instant::now();
    calm.run(&RUN).expect(0);
    let took = u64::try_from(began.elapsed().as_millis()).expect("less than an age");
    let id = |stage: &Stage| status(stage)["id"].as_str().expect("an id").to_owned();
    let wanted = lent.tagged(&id(&calm));
    assert!(wanted.len() >= 7, "{wanted:?}");

    let walks = if std::env::var("ONRAMP_SWEEP").is_ok_and(|asked| asked == "full") { WALKS.1 } else { WALKS.0 };
    let (mut deaths, mut lost) = (0, Vec::new());
    for seed in 0..walks + MORE {
        // The first run may have been slowed by others: then the ones after it end before they are to die.
        if seed >= walks && deaths > 0 {
            break;
        }
        let stage = lent.begun();
        let (mut dice, mut before) = (Dice(seed), BTreeSet::new());
        for _ in 0..DEATHS {
            if !killed_after(&stage, Duration::from_millis(dice.below(took))) {
                break;
            }
            deaths += 1;
            let now = done(&status(&stage));
            lost.extend(before.difference(&now).map(|step| format!("walk {seed}: {step}")));
            before = now;
        }
        stage.run(&RUN).expect(0);
        assert_eq!(lent.tagged(&id(&stage)), wanted, "walk {seed}: each is there once, and nothing else");
        stage.run(&["undo", "acme", "--all", "--yes"]).expect(0);
        assert_eq!(lent.tagged(&id(&stage)), Tagged::new(), "walk {seed}: nothing tagged is left");
    }
    eprintln!("{deaths} deaths in {walks} walks against {}", lent.url);
    assert!(deaths > 0, "it was never killed");
    assert!(lost.is_empty(), "finished steps were lost: {lost:?}");
    calm.run(&["undo", "acme", "--all", "--yes"]).expect(0);
}

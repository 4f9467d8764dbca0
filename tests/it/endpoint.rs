//! Remote access against an AWS endpoint nobody here wrote, and real hosts behind a real bastion.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::stage::{Stage, lab, offered};

/// Mutating calls that a run recorded, with how often each was made.
fn changed(events: &str) -> BTreeMap<String, usize> {
    let mut made = BTreeMap::new();
    for line in events.lines() {
        let recorded: Json = serde_json::from_str(line).expect("every line of standard output is an event");
        let event = &recorded["event"];
        if event["event"] == "concluded" && event["outcome"]["outcome"] == "changed" {
            for operation in event["outcome"]["operations"].as_array().into_iter().flatten() {
                // A plan names the host of a script, a record says that it was reached by SSH.
                let operation = operation.as_str().unwrap();
                *made.entry(operation.strip_prefix("ssh ").unwrap_or(operation).to_owned()).or_default() += 1;
            }
        }
    }
    made
}

/// Calls that a plan listed, with how often each.
fn planned(plan: &str) -> BTreeMap<String, usize> {
    let plan: Json = serde_json::from_str(plan).expect("the plan is JSON");
    let mut listed = BTreeMap::new();
    for entry in plan["entries"].as_array().unwrap() {
        if ["change", "unknown"].contains(&entry["verdict"].as_str().unwrap()) {
            for change in entry["changes"].as_array().unwrap() {
                *listed.entry(change["operation"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    listed
}

fn lab_answers(lab: &Path, region: &str) -> String {
    let own = fs::read_to_string(lab.join("answers.yaml")).expect("the lab wrote its answers");
    format!(
        "{own}\naws.account_id: '123456789012'\naws.region_primary: {region}\naws.azs: [{region}a, {region}b]\n\
         eng.customer_name: Acme Insurance PLC\neng.customer_slug: acme\nnet.vpc_source: create\nnet.vpc_cidr: 10.40.0.0/16\n\
         net.subnets: |\n  10.40.0.0/24 public {region}a\n  10.40.1.0/24 public {region}b\n  10.40.10.0/24 app {region}a\n  10.40.11.0/24 app {region}b\n\
         net.nat_mode: per_az\n\
         sec.patch_source: public\n\
         sign_off:\n  access/shown: J. Doe, Head of IT, saw the report\n"
    )
}

/// Hosts as a customer hands them over: sshd on port 22, nothing hardened.
fn fresh_hosts() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/reset");
    for host in ["bastion", "app-1", "data-1"] {
        let done = std::process::Command::new(&script).arg(host).status().expect("the lab's script starts");
        assert!(done.success(), "the lab could not make {host} anew");
    }
}

#[test]
fn remote_access_against_moto_and_the_lab_and_nothing_the_second_time() {
    let Some(url) = offered("ONRAMP_MOTO_URL", "moto's server") else { return };
    let Some(lab) = lab() else { return };
    fresh_hosts();
    let stage = Stage::new().with_credentials();
    // A region of its own: whoever else works in this account would count for its quotas.
    let file = stage.file("answers.yaml", &lab_answers(&lab.dir, "eu-west-3"));
    let file = file.to_str().unwrap();
    let runbook = stage.remote_access();
    stage.run(&["new", "acme", "--runbook", runbook.to_str().unwrap(), "--answers", file]).expect(0);

    let before = stage.run(&["plan", "acme", "--format", "json", "--endpoint-url", &url]).expect(0);
    let run = ["run", "acme", "--answers", file, "--yes", "--format", "jsonl", "--endpoint-url", &url];
    let first = stage.run(&run).expect(0);
    assert_eq!(planned(&before.out), changed(&first.out), "the plan lists exactly what was done");

    let second = stage.run(&run).expect(0);
    assert_eq!(changed(&second.out), BTreeMap::new(), "a second run changes nothing");
    assert!(!second.out.contains("\"event\":\"intended\""), "{}", second.out);
    let after = stage.run(&["plan", "acme", "--format", "json", "--endpoint-url", &url]).expect(0);
    assert_eq!(planned(&after.out), BTreeMap::new(), "a plan afterwards lists nothing");
    let report = stage.run(&["verify", "acme", "--endpoint-url", &url]).expect(0);
    let others: Vec<&str> = report.out.lines().filter(|line| !line.starts_with("matches ")).collect();
    assert!(others.is_empty() && report.out.lines().count() > 20, "{}", report.out);
}

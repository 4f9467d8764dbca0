//! Engagements from the first step to the last, unattended in practice, and back to nothing: a file of answers each, in
//! `tests/scenarios`. A new file there is walked without a line here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::stage::Stage;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn all() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "yaml")).collect();
    found.sort();
    assert!(found.len() >= 3, "{found:?}");
    found
}

fn walked(answers: &Path) -> Stage {
    let stage = Stage::new();
    let answers = answers.to_str().unwrap();
    stage.run(&["practice", "--headless", "--pace", "instant", "--answers", answers]).expect(0);
    stage
}

/// What a step of the practice engagement kept.
fn kept(stage: &Stage, name: &str) -> String {
    let data = stage.data().join("practice");
    let arguments = ["--data-dir", data.to_str().unwrap(), "status", "practice", "--value", name];
    stage.run(&arguments).expect(0).out
}

/// As many at once: a walk waits most of its time.
const TOGETHER: usize = 7;

#[test]
fn every_scenario_is_walked_to_its_end_and_back_to_nothing() {
    let waiting = Mutex::new(all());
    let next = || waiting.lock().unwrap().pop();
    std::thread::scope(|scope| {
        let walkers: Vec<_> = (0..TOGETHER)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(answers) = next() {
                        there_and_back(&answers)
                    }
                })
            })
            .collect();
        let failed = walkers.into_iter().filter_map(|walker| walker.join().err()).next();
        if let Some(failed) = failed {
            std::panic::resume_unwind(failed);
        }
    });
}

fn there_and_back(answers: &Path) {
    let name = answers.file_name().unwrap().display().to_string();
    let stage = walked(answers);
    let status = stage.run(&["practice", "--status"]).expect(0).out;
    let settled = ["done", "not needed"];
    let steps = status.lines().filter(|line| line.starts_with("  "));
    let open: Vec<&str> =
        steps.filter(|line| !settled.iter().any(|word| line.trim_start().starts_with(word))).collect();
    assert!(open.is_empty() && status.contains("connection/kind"), "{name}: {open:#?}");
    let asked = std::fs::read_to_string(answers).unwrap().contains("aws.block_public_buckets: \"yes\"");
    assert_eq!(blocks(&stage), asked, "{name}: the account's buckets are closed where the customer wants it");
    let answers = answers.to_str().unwrap();
    let again = ["practice", "--headless", "--pace", "instant", "--format", "jsonl", "--answers", answers];
    let again = stage.run(&again).expect(0);
    assert!(!again.out.contains("\"event\":\"intended\""), "{name}: a second run intended a change:\n{}", again.out);
    let drift = stage.run(&["practice", "--verify"]).expect(0);
    let drift: Vec<&str> = drift.out.lines().filter(|line| !line.starts_with("matches ")).collect();
    assert!(drift.is_empty(), "{name}: {drift:#?}");
    stage.run(&["practice", "--doubles"]).expect(0).says("none");
    stage.run(&["practice", "--undo"]).expect(0).says("nothing is left");
    assert!(!blocks(&stage), "{name}: as it was before");
}

/// Has the practice account a block of public access?
fn blocks(stage: &Stage) -> bool {
    let file = stage.data().join("practice/engagements/practice/account.json");
    let saved: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    saved["cloud"]["regions"]["aws-global"]["ours"]["block"].is_array()
}

#[test]
fn what_holds_for_the_whole_account_is_missed_when_somebody_has_taken_it_away() {
    let stage = walked(&folder().join("02-vpn-static.yaml"));
    let mut before = serde_json::Value::Null;
    at_the_console(&stage, |saved| {
        before = saved["cloud"]["regions"]["aws-global"]["ours"].clone();
        assert_eq!(before["trails"].as_array().map(Vec::len), Some(1));
        saved["cloud"]["regions"]["aws-global"]["ours"]["trails"] = serde_json::json!([]);
        saved["cloud"]["regions"]["aws-global"]["ours"]["block"] = serde_json::json!([true, true, false, true]);
    });
    let drift = stage.run(&["practice", "--verify"]).expect(1).out;
    for (step, why) in [
        ("preflight/public-block", "new public bucket policies"),
        ("preflight/trail", "no trail writes down what is done in eu-west-1"),
        ("preflight/second-trail", "no trail writes down what is done in eu-central-1"),
    ] {
        let line = drift.lines().find(|line| line.contains(&format!("{step} "))).unwrap_or_default();
        assert!(!line.starts_with("matches ") && line.contains(why), "{step}: {line}\n{drift}");
    }
    at_the_console(&stage, |saved| saved["cloud"]["regions"]["aws-global"]["ours"] = before);
    stage.run(&["practice", "--verify"]).expect(0);
}

/// Hosts that forward nothing try the customer's mail server as well as a bastion of ours would.
#[test]
fn where_no_bastion_of_ours_stands_a_host_tries_the_mail_server() {
    let stage = walked(&folder().join("12-access-vpn.yaml"));
    stage.run(&["practice", "--verify"]).expect(0).says("greets app-1");
    let status = stage.run(&["practice", "--status"]).expect(0).out;
    for step in ["mail/server-ready", "mail/message"] {
        let line = status.lines().find(|line| line.contains(step)).unwrap_or_default();
        assert!(line.trim_start().starts_with("done"), "{step}: {status}");
    }
}

/// How the step stands, or each of its host's.
fn stands(stage: &Stage, step: &str) -> Vec<String> {
    let status = stage.run(&["practice", "--status"]).expect(0).out;
    let about = |line: &&str| line.split_whitespace().any(|word| word.split('[').next() == Some(step));
    let lines: Vec<String> = status.lines().filter(about).map(|line| line.trim().to_owned()).collect();
    assert!(!lines.is_empty(), "{step}: {status}");
    lines
}

#[test]
fn products_that_send_directly_have_a_login_at_ses_that_every_host_has_tried() {
    let stage = walked(&folder().join("19-ses-direct.yaml"));
    for step in ["mail/smtp-user", "mail/smtp-password", "mail/way-out", "mail/ses-lets-in", "mail/products-told"] {
        assert!(stands(&stage, step).iter().all(|line| line.starts_with("done")), "{step}: {:?}", stands(&stage, step));
    }
    assert_eq!(stands(&stage, "mail/ses-lets-in").len(), 3, "the bastion and two hosts");
    // Two subnets of its tier are in one zone, and SES is not in the third.
    assert_eq!(kept(&stage, "mail.endpoint_zones").matches("eu-west-1").count(), 2);
    let file = stage.data().join("practice/engagements/practice/account.json");
    let saved: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    // Each of the twelve services is in all three zones.
    let mut endpoints = subnets_of_endpoints(&saved);
    endpoints.sort_unstable();
    assert_eq!(endpoints, [[2].as_slice(), &[3; 12]].concat(), "{saved}");
    assert_eq!(stands(&stage, "access/services-reached").len(), 2, "each private host reaches them");
}

/// In how many subnets each interface endpoint stands.
fn subnets_of_endpoints(saved: &serde_json::Value) -> Vec<usize> {
    use serde_json::Value;
    match saved {
        Value::Array(items) => items.iter().flat_map(subnets_of_endpoints).collect(),
        Value::Object(map) if map.get("VpcEndpointType").is_some_and(|kind| kind == "Interface") => {
            map.get("SubnetIds").and_then(Value::as_array).map(Vec::len).into_iter().collect()
        }
        Value::Object(map) => map.values().flat_map(subnets_of_endpoints).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn what_is_listed_is_found_by_every_host_and_other_vpcs_ask_the_zone() {
    let stage = walked(&folder().join("05-dns-hybrid.yaml"));
    let found = stands(&stage, "dns/records-found");
    assert!(found.iter().all(|line| line.starts_with("done")), "{found:?}");
    assert!(kept(&stage, "dns.records_found").contains("11.10.40.10.in-addr.arpa PTR"));
    assert!(kept(&stage, "dns.seen_from_the_data_centre").contains("11.10.40.10.in-addr.arpa PTR"));
    let stage = walked(&folder().join("04-dns-customer.yaml"));
    for step in ["dns/records-found", "dns/aws-still-found", "time/against-one"] {
        let lines = stands(&stage, step);
        assert!(lines.len() >= 3 && lines.iter().all(|line| line.starts_with("done")), "{lines:?}");
    }
    let stage = walked(&folder().join("16-mail-peered.yaml"));
    assert!(stands(&stage, "dns/others-ask").iter().all(|line| line.starts_with("done")));
}

#[test]
fn records_of_a_mail_domain_are_asked_of_name_servers_that_receivers_ask() {
    let stage = walked(&folder().join("02-vpn-static.yaml"));
    let sound = stage.run(&["practice", "--verify"]).expect(0).out;
    let line = sound.lines().find(|line| line.contains("mail/records-at-customer")).unwrap_or_default();
    assert!(line.contains("from 9.9.9.9, 1.1.1.1 and 8.8.8.8"), "{sound}");
}

/// Takes every record of that name out of the practice account, as somebody at the console would.
fn take_away(saved: &mut serde_json::Value, name: &str) -> usize {
    use serde_json::Value;
    match saved {
        Value::Array(items) => {
            let before = items.len();
            items.retain(|item| item.get("Name").and_then(Value::as_str) != Some(name));
            before - items.len() + items.iter_mut().map(|item| take_away(item, name)).sum::<usize>()
        }
        Value::Object(map) => map.values_mut().map(|value| take_away(value, name)).sum(),
        _ => 0,
    }
}

#[test]
fn a_record_that_is_gone_is_missed_from_both_sides() {
    let stage = walked(&folder().join("05-dns-hybrid.yaml"));
    let found = kept(&stage, "dns.found");
    assert!(found.contains("app-1.mc.acme.example is 10.40.10."), "{found}");
    let file = stage.data().join("practice/engagements/practice/account.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut saved = serde_json::from_str(&text).unwrap();
    assert_eq!(take_away(&mut saved, "app-1.mc.acme.example."), 1);
    std::fs::write(&file, saved.to_string()).unwrap();
    let drift = stage.run(&["practice", "--verify"]);
    for step in ["dns/private-records", "dns/names-found[app-1]", "dns/forwarders[app-1]"] {
        let line = drift.out.lines().find(|line| line.contains(step));
        assert!(line.is_some_and(|line| !line.starts_with("matches ")), "{step}: {}", drift.out);
    }
    let sound = drift.out.lines().find(|line| line.contains("dns/data-centre-found[corp.acme.example]"));
    assert!(sound.is_some_and(|line| line.starts_with("matches ")), "{}", drift.out);
    std::fs::write(&file, text).unwrap();
    stage.run(&["practice", "--verify"]).expect(0);
}

/// Changes what the practice account keeps, as somebody at the console would.
fn at_the_console(stage: &Stage, change: impl FnOnce(&mut serde_json::Value)) {
    let file = stage.data().join("practice/engagements/practice/account.json");
    let mut saved = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    change(&mut saved);
    std::fs::write(&file, saved.to_string()).unwrap();
}

#[test]
fn a_vpc_that_the_transit_gateway_does_not_know_gets_no_answers_and_the_diagnosis_says_so() {
    for (scenario, ending) in [("04-dns-customer.yaml", "[carries]"), ("08-dx-transit.yaml", "[line-carries]")] {
        let stage = walked(&folder().join(scenario));
        let attachment = kept(&stage, "connection.transit_attachment_id").trim().trim_matches('"').to_owned();
        let gateway = kept(&stage, "connection.transit_id").trim().trim_matches('"').to_owned();
        let learns = |stage: &Stage, unlearnt: serde_json::Value| {
            at_the_console(stage, |saved| {
                let mut found = gateways(saved, &gateway);
                assert_eq!(found.len(), 1);
                found[0]["unlearnt"] = unlearnt;
            });
        };
        learns(&stage, serde_json::json!([attachment]));
        let drift = stage.run(&["practice", "--verify"]).expect(1).out;
        let line = drift.lines().find(|line| line.contains("connection/path[app-1]")).unwrap_or_default();
        assert!(!line.starts_with("matches "), "{scenario}: {drift}");
        let said = stage.run(&["practice", "--pace", "instant", "--diagnose", "connection/path[app-1]"]).expect(0);
        said.says("[vpc-not-announced]");
        said.says("knows no way to 10.40.0.0/16");
        learns(&stage, serde_json::json!([]));
        stage.run(&["practice", "--verify"]).expect(0);
        let said = stage.run(&["practice", "--pace", "instant", "--diagnose", "connection/path[app-1]"]).expect(0);
        said.says(ending);
    }
}

/// Where something of that id is kept under its id.
fn gateways<'v>(saved: &'v mut serde_json::Value, id: &str) -> Vec<&'v mut serde_json::Value> {
    use serde_json::Value;
    match saved {
        Value::Array(items) => items.iter_mut().flat_map(|item| gateways(item, id)).collect(),
        Value::Object(map) => map
            .iter_mut()
            .flat_map(|(name, value)| match value {
                Value::Object(own) if name == id && own.contains_key("asn") => vec![value],
                _ => gateways(value, id),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// As somebody learns what a failure looks like: it breaks, is named, and is put right again.
#[test]
fn what_goes_wrong_at_the_customers_end_can_be_practised() {
    let stage = Stage::new();
    let said = stage.run(&["practice", "--break", "tunnels"]);
    assert!(said.code != 0 && said.err.contains("no such connection to the customer's data centre"), "{}", said.err);
    let stage = walked(&folder().join("03-vpn-bgp.yaml"));
    let path = "connection/path[app-1]";
    let moved = |stage: &Stage, step: &str| {
        let all = stage.run(&["practice", "--verify"]).out;
        all.lines().any(|line| line.contains(step) && !line.starts_with("matches "))
    };
    for (what, drifts, branch) in [
        ("tunnel", "connection/tunnels-up", ""),
        ("tunnels", path, "[nothing-arrives]"),
        ("keys", path, "[pre-shared-key]"),
        ("proposal", path, "[no-common-proposal]"),
        ("selectors", path, "[phase-two]"),
        ("firewall", path, "[no-way-back]"),
    ] {
        stage.run(&["practice", "--break", what]).expect(0);
        assert!(moved(&stage, drifts), "{what}");
        let said = stage.run(&["practice", "--pace", "instant", "--diagnose", path]).expect(0);
        assert!(said.out.contains(branch), "{what}: {}", said.out);
        stage.run(&["practice", "--mend"]).expect(0);
        stage.run(&["practice", "--verify"]).expect(0);
    }
}

/// The network engineer's papers, given to the programs that they are for.
#[test]
fn a_linux_router_takes_what_it_is_handed() {
    let stage = walked(&folder().join("03-vpn-bgp.yaml"));
    for router in ["", "second_"] {
        let (swanctl, frr) =
            (kept(&stage, &format!("connection.{router}swanctl")), kept(&stage, &format!("connection.{router}frr")));
        assert!(swanctl.contains("sent separately") && frr.contains("router bgp 65010"), "{swanctl}\n{frr}");
        let sheet = kept(&stage, &format!("connection.{router}sheet"));
        assert!(sheet.contains("your AS 65010") || sheet.contains("Your AS 65010"), "{sheet}");
        loaded_by_strongswan(&stage, &swanctl);
        loaded_by_frr(&stage, &frr);
    }
}

#[test]
fn a_linux_router_without_bgp_takes_its_static_routes() {
    let stage = walked(&folder().join("02-vpn-static.yaml"));
    loaded_by_strongswan(&stage, &kept(&stage, "connection.swanctl"));
    let frr = kept(&stage, "connection.frr");
    assert!(frr.contains("ip route 10.40.0.0/16 ipsec1"), "{frr}");
    loaded_by_frr(&stage, &frr);
}

/// Its tunnels go inside of UDP, and AWS shows no key of them.
#[test]
fn a_linux_router_of_accelerated_tunnels_takes_what_it_is_handed() {
    let stage = walked(&folder().join("18-dx-neighbour.yaml"));
    let swanctl = kept(&stage, "connection.swanctl");
    assert!(swanctl.contains("encap = yes"), "{swanctl}");
    loaded_by_strongswan(&stage, &swanctl);
    let sheet = kept(&stage, "connection.sheet");
    assert!(sheet.contains("UDP 4500") && !sheet.contains("IP protocol 50"), "{sheet}");
    let (secret, sample) = (kept(&stage, "connection.keys_secret"), kept(&stage, "connection.sample"));
    assert!(secret.contains(":secret:s2svpn!vpn-") && sample.contains("sent separately"), "{secret} {sample}");
}

/// Is the program here? Loud when it is not.
fn there(program: &str, package: &str) -> bool {
    let places = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let found = places.iter().any(|place| Path::new(place).join(program).exists());
    if !found {
        eprintln!("SKIPPED: {program} is not here (Debian: {package}), so nobody has read the file with it");
    }
    found
}

/// A charon of the test's own, on a socket in the test's folder; swanctl loads the file into it, and a broken one it does not.
fn loaded_by_strongswan(stage: &Stage, text: &str) {
    if !there("swanctl", "strongswan-swanctl") || !there("charon-systemd", "charon-systemd") {
        return;
    }
    let socket = stage.home().join("vici");
    let uri = format!("unix://{}", socket.display());
    let settings = format!(
        "charon-systemd {{\n  load = random nonce aes sha1 sha2 hmac kdf gmp kernel-netlink socket-default vici\n  port = 0\n  \
         port_nat_t = 0\n  plugins {{ vici {{ socket = {uri} }} }}\n}}\nswanctl {{ load = random nonce }}\n"
    );
    let settings = stage.file("strongswan.conf", &settings);
    let command = |program: &str| {
        let mut command = Command::new(program);
        command.env("STRONGSWAN_CONF", &settings).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        command
    };
    let charon = command("charon-systemd").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut charon = charon.expect("charon starts");
    for _ in 0..100 {
        if socket.exists() || charon.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let load = |text: &str| {
        let file = stage.file("aws.conf", text);
        let arguments = ["--load-all", "--noprompt", "--uri", &uri, "--file", file.to_str().unwrap()];
        let loaded = command("swanctl").args(arguments).output().unwrap();
        (
            loaded.status.success(),
            format!("{}{}", String::from_utf8_lossy(&loaded.stdout), String::from_utf8_lossy(&loaded.stderr)),
        )
    };
    let (well, said) = load(text);
    let (broken_well, broken) = load(&text.replace("aes256", "aes257"));
    let _ = std::fs::remove_file(&socket);
    charon.kill().unwrap();
    charon.wait().unwrap();
    assert!(well && said.contains("successfully loaded 2 connections"), "{said}\n{text}");
    assert!(said.contains("loaded ike secret 'ike-aws-1'") && said.contains("loaded ike secret 'ike-aws-2'"), "{said}");
    assert!(
        !broken_well || !broken.contains("successfully loaded 2 connections"),
        "what is broken was loaded: {broken}"
    );
}

fn loaded_by_frr(stage: &Stage, text: &str) {
    if !there("vtysh", "frr") {
        return;
    }
    let read = |text: &str| {
        let file = stage.file("frr.conf", text);
        let read =
            Command::new("vtysh").args(["-C", "-f", file.to_str().unwrap()]).stdin(Stdio::null()).output().unwrap();
        (
            read.status.success(),
            format!("{}{}", String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr)),
        )
    };
    let (well, said) = read(text);
    assert!(well, "{said}\n{text}");
    let (well, _) = read(&text.replace("ip ", "ipp "));
    assert!(!well, "what is broken was read");
}

/// Of all steps, the manual ones among them, nine in ten have a machine check, and of all changes eight in ten an undo.
#[test]
fn a_machine_checks_what_the_runbook_does_and_takes_it_back() {
    let said = Stage::new().run(&["check", "--stats"]).expect(0);
    let percents: Vec<u32> =
        said.out.lines().filter_map(|line| line.split_once('(')?.1.split_once(" %)")?.0.parse().ok()).collect();
    assert!(matches!(percents.as_slice(), [checked, undone] if *checked >= 90 && *undone >= 80), "{}", said.out);
}

/// What no scenario answers, and why not.
const UNTRIED: [(&str, &[&str], &str); 6] = [
    (
        "net.flowlog_days",
        &[
            "1", "3", "5", "7", "14", "60", "120", "150", "180", "545", "731", "1096", "1827", "2192", "2557", "2922",
            "3288",
        ],
        "a number of days is passed on as it is",
    ),
    ("aws.partition", &["aws-us-gov", "aws-cn"], "the practice cloud has regions of the partition aws only"),
    (
        "dc.bastion_auth",
        &["certificate", "publickey+keyboard-interactive", "password+keyboard-interactive"],
        "only the words that the customer is asked in differ; the logins themselves are tried against a real sshd",
    ),
    ("dc.tcp_forwarding", &["no"], "then there is no way to the hosts before the customer has made an exception"),
    (
        "dx.second_bandwidth",
        &[
            "50Mbps", "100Mbps", "200Mbps", "300Mbps", "400Mbps", "1Gbps", "2Gbps", "5Gbps", "10Gbps", "25Gbps",
            "100Gbps", "400Gbps",
        ],
        "as that of the first line",
    ),
    (
        "dx.bandwidth",
        &[
            "50Mbps", "100Mbps", "200Mbps", "300Mbps", "400Mbps", "500Mbps", "2Gbps", "5Gbps", "25Gbps", "100Gbps",
            "400Gbps",
        ],
        "a speed is passed on as it is; which of them fit which kind of line is tried in tests/inputs",
    ),
];

/// Each option of each decision, and of every other choice that a step of the runbook asks for, is taken by a scenario.
#[test]
fn between_them_the_scenarios_take_each_option() {
    use onramp::input::Kind;
    use onramp::runbook::Work;
    use std::collections::{BTreeMap, BTreeSet};
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(root.join("runbooks/managed-cloud")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files: Vec<(String, String)> =
        files.iter().map(|file| (file.display().to_string(), std::fs::read_to_string(file).unwrap())).collect();
    let (runbook, problems) = onramp::runbook::load(&files, &onramp::action::catalog());
    let runbook = runbook.unwrap_or_else(|| panic!("{problems:?}"));

    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in all() {
        let answers: BTreeMap<String, serde_yaml::Value> =
            serde_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for (id, value) in answers {
            let values = value.as_sequence().cloned().unwrap_or_else(|| vec![value]);
            let words = values.iter().filter_map(|value| match value {
                serde_yaml::Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
                other => other.as_str().map(str::to_owned).or_else(|| other.as_i64().map(|number| number.to_string())),
            });
            given.entry(id).or_default().extend(words);
        }
    }

    let steps = runbook.phases.iter().flat_map(|phase| &phase.steps);
    let asked = steps.flat_map(|step| match &step.work {
        Work::Form(ids) => ids.iter().map(|id| (id, false)).collect::<Vec<_>>(),
        Work::Choice(id) => vec![(id, true)],
        _ => Vec::new(),
    });
    let mut missing = Vec::new();
    let mut decisions = 0;
    for (id, decides) in asked {
        decisions += usize::from(decides);
        let options: Vec<&str> = match &runbook.fields[id].kind {
            Kind::Choice(choices) | Kind::Choices(choices, _) => {
                choices.iter().map(|choice| choice.value.as_str()).collect()
            }
            Kind::YesNo => vec!["yes", "no"],
            _ => continue,
        };
        let untried = UNTRIED.iter().find(|(other, ..)| *other == id.as_str() && !decides);
        for option in options {
            let taken = given.get(id.as_str()).is_some_and(|words| words.contains(option));
            let excused = untried.is_some_and(|(_, options, _)| options.contains(&option));
            if taken == excused {
                missing.push(format!("{id}: {option} (taken: {taken}, excused: {excused})"));
            }
        }
    }
    assert!(decisions >= 7 && missing.is_empty(), "{decisions} decisions; {missing:#?}");
}

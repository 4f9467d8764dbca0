//! The shipped steps for names on real Debian hosts with real bind9: the bastion stands in for Amazon's resolver with its
//! endpoints and rules, data-1 is the customer's name server. What is broken there makes the check fail, and what is
//! repaired makes it pass.

use serde_yaml::Value as Yaml;

use crate::stage::{Lab, Stage, lab};

const RESOLVER: &str = "10.214.0.10";
const CUSTOMER: &str = "10.214.0.12";
/// The steps that work on hosts; what is asked of AWS is tried elsewhere.
const STEPS: [&str; 9] = [
    "who",
    "zone",
    "both-sides",
    "servers",
    "servers-answer",
    "inbound-answers",
    "forwarders",
    "data-centre-found",
    "names-found",
];

fn shipped(file: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    // What earlier phases and AWS would have told.
    let known = [
        ("access.host_addresses", "{'app-1': '10.214.0.11', 'data-1': '10.214.0.12'}"),
        ("hosts.launch", "[{'name': 'app-1'}, {'name': 'data-1'}]"),
        ("hosts.source == \"create\"", "1 == 1"),
        ("conn.mode != \"none\"", "1 == 1"),
        ("net.vpc_cidr", "'10.214.0.0/24'"),
        ("dns.inbound_addresses", "['10.214.0.10']"),
    ];
    known.into_iter().fold(text, |text, (name, value)| text.replace(name, value))
}

fn runbook(lab: &Lab) -> String {
    let mut phase: Yaml = serde_yaml::from_str(&shipped("02-dns.yaml")).unwrap();
    let steps = phase["steps"].as_sequence_mut().unwrap();
    steps.retain(|step| STEPS.contains(&step["id"].as_str().unwrap()));
    assert_eq!(steps.len(), STEPS.len());
    for needs in steps.iter_mut().filter_map(|step| step.get_mut("needs").and_then(Yaml::as_sequence_mut)) {
        needs.retain(|need| STEPS.contains(&need.as_str().unwrap()));
    }
    let inputs: Yaml = serde_yaml::from_str(&shipped("inputs-dns.yaml")).unwrap();
    phase["runbook"] = "names".into();
    phase["inputs"] = inputs["inputs"].clone();
    format!("{}hosts:\n{}", serde_yaml::to_string(&phase).unwrap(), lab.hosts())
}

fn begun(lab: &Lab) -> Stage {
    let stage = Stage::new().with_credentials();
    let file = stage.file("names.yaml", &runbook(lab));
    stage.run(&["new", "names", "--runbook", file.to_str().unwrap()]).expect(0);
    let servers = format!("dns.onprem_resolvers={CUSTOMER}");
    let answers = [
        "dns.mode=route53",
        "dns.zone_name=mc.acme.example",
        "dns.visibility=private",
        "dns.ttl=60",
        "dns.search_domains=mc.acme.example",
        "dns.hybrid=both",
        "dns.forward_domains=corp.acme.example",
        &servers,
    ];
    stage.run(&[&["input", "names"][..], &answers].concat()).expect(0);
    stage
}

const OPTIONS: &str = "options { directory \"/var/cache/bind\"; listen-on { any; }; listen-on-v6 { none; }; allow-query { any; }; \
                       allow-recursion { any; }; dnssec-validation no; empty-zones-enable no; };\n";
const ZONE: &str = "$TTL 60\\n@ IN SOA ns h 1 60 60 60 60\\n@ IN NS ns\\nns IN A 10.214.0.10\\napp-1 IN A 10.214.0.11\\n\
                    data-1 IN A 10.214.0.12\\n";

/// bind9 on a host: the zones that it has, and those that it asks another for.
fn serves(lab: &Lab, host: &str, own: &str, other: &str, at: &str) {
    let script = format!(
        "printf '{ZONE}' >/etc/bind/own\ncat >/etc/bind/named.conf <<'END'\n{OPTIONS}zone \"{own}\" {{ type primary; file \"/etc/bind/own\"; }};\n\
         zone \"{other}\" {{ type forward; forward only; forwarders {{ {at}; }}; }};\nEND\nsystemctl restart named && echo serves"
    );
    assert_eq!(lab.inside(host, &script), "serves\n", "{host}");
}

/// `onramp verify` fails for that step, and says why.
fn fails(stage: &Stage, step: &str, why: &str) {
    let verified = stage.run(&["verify", "names"]);
    let line = verified.out.lines().find(|line| line.contains(step) && !line.starts_with("so "));
    assert!(verified.code != 0 && line.is_some(), "{step}: {}", verified.out);
    assert!(verified.out.contains(why), "{why}: {}", verified.out);
}

#[test]
fn both_sides_find_each_other_and_say_so_when_one_is_gone() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    if lab.inside("app-1", "command -v dig").is_empty() || lab.inside("data-1", "command -v named").is_empty() {
        eprintln!("SKIPPED: the lab's hosts have no bind9; tests/lab/up makes them anew");
        return;
    }
    serves(&lab, "bastion", "mc.acme.example", "corp.acme.example", CUSTOMER);
    for host in ["app-1", "data-1"] {
        lab.inside(host, &format!("rm -f /etc/resolv.conf; echo 'nameserver {RESOLVER}' >/etc/resolv.conf"));
    }
    let stage = begun(&lab);

    // The customer's server is silent: they are waited on.
    lab.inside("data-1", "systemctl stop named");
    stage.run(&["run", "names", "--yes"]).expect(3);
    let waits = stage.run(&["status", "names"]).expect(0).out;
    assert!(waits.contains("no answer for corp.acme.example from 10.214.0.12 (+notcp)"), "{waits}");

    serves(&lab, "data-1", "corp.acme.example", "mc.acme.example", RESOLVER);
    stage.run(&["run", "names", "--yes"]).expect(0);
    stage.run(&["verify", "names"]).expect(0);
    let found = stage.run(&["status", "names", "--value", "dns.found"]).expect(0).out;
    assert!(found.contains("app-1.mc.acme.example is 10.214.0.11: 10.214.0.11"), "{found}");

    // A firewall that knows of UDP only.
    lab.inside(
        "data-1",
        "nft add table inet lab; nft 'add chain inet lab input { type filter hook input priority 0; }'; \
         nft add rule inet lab input tcp dport 53 drop",
    );
    fails(&stage, "dns/servers-answer[app-1]", "10.214.0.12 (+tcp)");
    lab.inside("data-1", "nft delete table inet lab");
    stage.run(&["verify", "names"]).expect(0);

    // The customer takes the forwarder away.
    serves(&lab, "data-1", "corp.acme.example", "elsewhere.example", RESOLVER);
    fails(&stage, "dns/forwarders[app-1]", "app-1.mc.acme.example A asked from app-1");
    serves(&lab, "data-1", "corp.acme.example", "mc.acme.example", RESOLVER);
    stage.run(&["verify", "names"]).expect(0);

    // The rule for the data centre's domain is gone.
    serves(&lab, "bastion", "mc.acme.example", "elsewhere.example", CUSTOMER);
    fails(&stage, "dns/data-centre-found[corp.acme.example]", "corp.acme.example SOA asked from app-1");
    serves(&lab, "bastion", "mc.acme.example", "corp.acme.example", CUSTOMER);
    stage.run(&["verify", "names"]).expect(0);

    // A record is another one.
    lab.inside("bastion", "sed -i s/10.214.0.12/10.214.0.99/ /etc/bind/own; systemctl restart named");
    fails(&stage, "dns/names-found[app-1]", "data-1.mc.acme.example");
    lab.inside("bastion", "sed -i s/10.214.0.99/10.214.0.12/ /etc/bind/own; systemctl restart named");
    stage.run(&["verify", "names"]).expect(0);
}

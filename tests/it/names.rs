//! The shipped steps for names on real Debian hosts with real bind9: data-1 is the customer's name server, the bastion
//! stands in for Amazon's resolver with its endpoints and rules. What is broken there makes the check fail, and what is
//! repaired makes it pass.

use serde_yaml::Value as Yaml;

use crate::stage::{Lab, Stage, lab};

const RESOLVER: &str = "10.214.0.10";
const CUSTOMER: &str = "10.214.0.12";
/// The steps that work on hosts; what is asked of AWS is tried elsewhere.
const STEPS: [&str; 12] = [
    "who",
    "zone",
    "both-sides",
    "servers",
    "tool",
    "servers-answer",
    "handout",
    "handed-over",
    "inbound-answers",
    "forwarders",
    "data-centre-found",
    "names-found",
];
/// What earlier phases and AWS would have told.
const KNOWN: [(&str, &str); 8] = [
    ("access.host_addresses", "({'app-1': '10.214.0.11', 'data-1': '10.214.0.12'})"),
    ("hosts.launch", "([{'name': 'app-1'}, {'name': 'data-1'}])"),
    ("hosts.source", "('create')"),
    ("conn.mode", "('vpn_static')"),
    ("net.access_path", "('bastion_in_vpc')"),
    ("net.vpc_cidr", "('10.214.0.0/24')"),
    ("{{ dns.inbound_addresses", "{{ ['10.214.0.10']"),
    ("~ dns.reverse_zone if", "~ '214.10.in-addr.arpa' if"),
];

/// An engagement with the customer's name server on data-1, which is so no host of ours.
fn begun(lab: &Lab, answers: &[&str]) -> Stage {
    let stage = Stage::new().with_credentials();
    let wanted = |step: &Yaml| STEPS.contains(&step["id"].as_str().unwrap());
    let file = stage.file("names.yaml", &lab.phase(["02-dns.yaml", "inputs-dns.yaml"], &KNOWN, wanted));
    stage.run(&["new", "names", "--runbook", file.to_str().unwrap()]).expect(0);
    let servers = format!("dns.onprem_resolvers={CUSTOMER}");
    let same = ["input", "names", "dns.zone_name=mc.acme.example", "dns.ttl=60", &servers];
    stage.run(&[&same[..], answers].concat()).expect(0);
    stage.run(&["exclude", "names", "data-1", "--reason", "it is the server"]).expect(0);
    stage
}

/// A server that was silent is asked anew each time.
const OPTIONS: &str = "options { directory \"/var/cache/bind\"; listen-on { any; }; listen-on-v6 { none; }; \
                       allow-query { any; }; allow-recursion { any; }; dnssec-validation no; empty-zones-enable no; \
                       servfail-ttl 0; };";
const RECORDS: &str = "app-1 A 10.214.0.11\\ndata-1 A 10.214.0.12\\n";

/// bind9 on a host: the zone that it has, with these records, and one that it asks another for.
pub fn serves(lab: &Lab, host: &str, own: &str, records: &str, other: &str, at: &str) {
    let script = format!(
        "cd /var/cache/bind; rm -f own*; printf '$TTL 60\\n@ SOA ns h 1 60 60 60 60\\n@ NS ns\\nns A {CUSTOMER}\\n{records}' >own; chown bind own
         cat >/etc/bind/named.conf <<'END'\n{OPTIONS}
         zone \"{own}\" {{ type primary; file \"own\"; allow-update {{ 127.0.0.1; }}; }};
         zone \"{other}\" {{ type forward; forward only; forwarders {{ {at}; }}; }};\nEND
         systemctl restart named && echo serves"
    );
    assert_eq!(lab.inside(host, &script), "serves\n", "{host}");
}

/// A firewall that has not heard of long answers.
const UDP_ONLY: &str = "nft add table inet lab; nft 'add chain inet lab input { type filter hook input priority 0; }'; \
                        nft add rule inet lab input tcp dport 53 drop";

fn asks(lab: &Lab, server: &str) {
    lab.inside("app-1", &format!("rm -f /etc/resolv.conf; echo 'nameserver {server}' >/etc/resolv.conf"));
}

#[test]
fn both_sides_find_each_other_and_say_so_when_one_is_gone() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    let amazon = |other: &str| serves(&lab, "bastion", "mc.acme.example", RECORDS, other, CUSTOMER);
    let customer = |other: &str| serves(&lab, "data-1", "corp.acme.example", "", other, RESOLVER);
    amazon("corp.acme.example");
    asks(&lab, RESOLVER);
    let stage = begun(
        &lab,
        &[
            "dns.mode=route53",
            "dns.visibility=private",
            "dns.search_domains=mc.acme.example",
            "dns.hybrid=both",
            "dns.forward_domains=corp.acme.example",
        ],
    );

    // The customer's server is silent: it is waited on.
    stage.run(&["run", "names", "--yes"]).expect(3);
    let silent =
        "asked for corp.acme.example, 10.214.0.12 over UDP: nothing listens there, 10.214.0.12 over TCP: nothing";
    stage.run(&["status", "names"]).expect(0).says(silent);

    customer("mc.acme.example");
    stage.run(&["run", "names", "--yes"]).expect(0);
    stage.run(&["plan", "names"]).expect(0).says("Nothing would be changed.");
    let found = stage.run(&["status", "names", "--value", "dns.found"]).expect(0).out;
    assert!(found.contains("app-1.mc.acme.example is 10.214.0.11: 10.214.0.11"), "{found}");

    // Each is broken and repaired: the server, its firewall, its forwarder, our rule, a record.
    let broken = |step: &str, why: &str| stage.drifts("names", &[(step, why)]);
    lab.inside("data-1", "systemctl stop named");
    broken("dns/servers-answer[app-1]", silent);
    lab.inside("data-1", &format!("systemctl start named; {UDP_ONLY}"));
    broken("dns/servers-answer[app-1]", "asked for corp.acme.example, 10.214.0.12 over TCP: no answer");
    lab.inside("data-1", "nft delete table inet lab");
    customer("elsewhere.example");
    broken("dns/forwarders[app-1]", "app-1.mc.acme.example A asked from app-1");
    customer("mc.acme.example");
    amazon("elsewhere.example");
    broken("dns/data-centre-found[corp.acme.example]", "corp.acme.example SOA asked from app-1");
    amazon("corp.acme.example");
    lab.inside("bastion", "sed -i s/10.214.0.12/10.214.0.99/ /var/cache/bind/own; systemctl restart named");
    broken("dns/names-found[app-1]", "data-1.mc.acme.example");
    amazon("corp.acme.example");
    stage.run(&["verify", "names"]).expect(0);

    // The customer hosts the zone: what is handed out is taken by a real server.
    serves(&lab, "data-1", "mc.acme.example", "", "elsewhere.example", RESOLVER);
    asks(&lab, CUSTOMER);
    let stage = begun(&lab, &["dns.mode=customer_dns", "dns.hybrid=none", "dns.export_format=nsupdate"]);
    stage.run(&["run", "names", "--yes"]).expect(3).says("app-1.mc.acme.example");
    let handout = stage.run(&["status", "names", "--value", "dns.handout"]).expect(0).out;
    let taken = format!("nsupdate <<'END' && echo taken\nserver 127.0.0.1\n{handout}\nEND");
    assert_eq!(lab.inside("data-1", &taken), "taken\n", "{handout}");
    stage.run(&["run", "names", "--yes"]).expect(0);
    stage.run(&["verify", "names"]).expect(0);
}

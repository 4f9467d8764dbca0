//! Hosts take a new lease, on real Debian hosts: dnsmasq on data-1 is what hands leases out in a VPC, the bastion stands in
//! for Amazon's name server and data-1 for the customer's. The card of app-1, over which onramp comes in, is once
//! systemd-networkd's with systemd-resolved, and once NetworkManager's.

use crate::names::serves;
use crate::stage::{Lab, Stage, lab};

const AMAZON: &str = "10.214.0.10";
const CUSTOMER: &str = "10.214.0.12";
const STEPS: [&str; 4] = ["who", "zone", "servers", "followed"];
/// What earlier phases would have told; and a host that does not hear of anything is not waited for as long as in earnest.
const KNOWN: [(&str, &str); 5] = [
    ("hosts.launch", "([{'name': 'app-1'}, {'name': 'data-1'}])"),
    ("hosts.source", "('create')"),
    ("conn.mode", "('none')"),
    ("net.access_path", "('bastion_in_vpc')"),
    ("within: 2m", "within: 4s"),
];

/// As netplan leaves it on a cloud image.
const NETWORKD: &str = r"
cat >/etc/systemd/network/10-eth0.network <<'END'
[Match]
Name=eth0
[Network]
DHCP=ipv4
LinkLocalAddressing=no
[DHCPv4]
UseDomains=yes
END
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
systemctl start systemd-resolved systemd-networkd
/usr/lib/systemd/systemd-networkd-wait-online -q -i eth0 --timeout 20 && echo leased";

/// As Red Hat has it: it writes the names of the lease into resolv.conf itself.
const NETWORK_MANAGER: &str = r"
printf '[main]\ndns=default\nrc-manager=symlink\n' >/etc/NetworkManager/conf.d/lab.conf
systemctl start NetworkManager
nmcli -w 20 connection add type ethernet ifname eth0 con-name 'System eth0' ipv6.method disabled autoconnect no >/dev/null
nmcli -w 20 connection up 'System eth0' >/dev/null && echo leased";

/// What hands out leases in the VPC says from now on that this is whom to ask, and where to look for short names.
fn hands_out(lab: &Lab, server: &str, domain: &str) {
    let card = lab.inside("app-1", "cat /sys/class/net/eth0/address");
    let script = format!(
        "systemctl stop lab-dhcp 2>/dev/null
         systemd-run -q --collect --unit=lab-dhcp -p Type=forking -p PIDFile=/run/lab-dhcp.pid dnsmasq --conf-file=/dev/null --port=0 \
           --interface=eth0 --user=root --pid-file=/run/lab-dhcp.pid --dhcp-leasefile=/run/lab-dhcp.leases --dhcp-authoritative \
           --dhcp-range=10.214.0.0,static,255.255.255.0,2h --dhcp-host={},10.214.0.11 \
           --dhcp-option=option:router,{AMAZON} --dhcp-option=option:dns-server,{server} \
           --dhcp-option=option:domain-name,'{domain}' --dhcp-option=option:ntp-server,{server} && echo hands out",
        card.trim()
    );
    assert_eq!(lab.inside("data-1", &script), "hands out\n");
}

/// What a program on the host finds under a name that is cut short.
fn found(lab: &Lab) -> String {
    lab.inside("app-1", "getent ahostsv4 gw | awk 'NR == 1 {print $1}'")
}

fn begun(lab: &Lab) -> Stage {
    let stage = Stage::new().with_credentials();
    let wanted = |step: &serde_yaml::Value| STEPS.contains(&step["id"].as_str().unwrap());
    let file = stage.file("names.yaml", &lab.phase(["02-dns.yaml", "inputs-dns.yaml"], &KNOWN, wanted));
    stage.run(&["new", "names", "--runbook", file.to_str().unwrap()]).expect(0);
    let servers = format!("dns.onprem_resolvers={CUSTOMER}");
    let answers =
        ["dns.mode=customer_dns", "dns.zone_name=mc.acme.example", "dns.ttl=60", "dns.search_domains=mc.acme.example"];
    stage.run(&[&["input", "names", "dns.export_format=bind", &servers][..], &answers].concat()).expect(0);
    stage.run(&["exclude", "names", "data-1", "--reason", "it is the server"]).expect(0);
    stage
}

/// `renew` is how this host would take a lease anew by itself, hours later.
fn follows(lab: &Lab, set_up: &str, renew: &str) {
    lab.reset(&["bastion", "app-1", "data-1"]);
    if lab.inside("data-1", "command -v dnsmasq").is_empty() {
        eprintln!("SKIPPED: the lab's hosts have no dnsmasq; tests/lab/up makes them anew");
        return;
    }
    serves(lab, "bastion", "compute.internal", "", "elsewhere.example", CUSTOMER);
    serves(lab, "data-1", "mc.acme.example", "gw A 10.214.0.77\\n", "elsewhere.example", AMAZON);
    let old = || hands_out(lab, AMAZON, "eu-west-1.compute.internal");
    let new = || hands_out(lab, CUSTOMER, "mc.acme.example");
    old();
    assert_eq!(lab.inside("app-1", set_up), "leased\n");
    assert_eq!(found(lab), "", "Amazon's does not know the customer's names");
    let stage = begun(lab);

    // The VPC says what it always said: the lease is asked for anew, and it is not so.
    let kept = stage.run(&["run", "names", "--yes"]).expect(1);
    kept.says(&format!("asks {AMAZON}"));

    // The VPC says something else: the host does not hear of it until its lease is renewed.
    new();
    assert_eq!(found(lab), "");
    stage.run(&["run", "names", "--yes", "--failed"]).expect(0);
    assert_eq!(found(lab), "10.214.0.77\n", "it asks the customer's name server, and finishes short names");
    stage.run(&["plan", "names"]).expect(0).says("Nothing would be changed.");
    stage.run(&["verify", "names"]).expect(0);

    // Somebody gives the VPC its old set back, and hours later the host follows.
    old();
    lab.inside("app-1", renew);
    stage.drifts("names", &[("dns/followed[app-1]", &format!("asks {AMAZON}"))]);
    new();
    lab.inside("app-1", renew);
    assert_eq!(found(lab), "10.214.0.77\n");
    stage.run(&["verify", "names"]).expect(0);

    // It comes after what gives the VPC its set, and would be taken back before that is: there would be nothing new to hear.
    stage.run(&["undo", "names", "dns/followed[app-1]", "--yes"]).expect(2).says("lease");
    assert_eq!(found(lab), "10.214.0.77\n");
}

#[test]
fn a_host_of_systemd_networkd_takes_the_lease_that_the_vpc_gives_now() {
    let Some(lab) = lab() else { return };
    follows(&lab, NETWORKD, "networkctl renew eth0; sleep 1");
}

#[test]
fn a_host_of_network_manager_takes_the_lease_that_the_vpc_gives_now() {
    let Some(lab) = lab() else { return };
    follows(&lab, NETWORK_MANAGER, "nmcli connection up 'System eth0'");
}

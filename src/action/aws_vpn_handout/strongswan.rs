//! The same for a Linux router: strongSwan's swanctl.conf, and FRR's frr.conf. AWS's own sample for strongSwan is for the
//! ipsec.conf of 2016 and shows none of the agreed options; these are whole, but for the keys.

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::{Agreed, Phase, Tunnel, sheet};

/// What takes an interface up and down with its tunnel. By itself an XFRM interface stays up, and a static route into it as well.
const UPDOWN: &str = "/etc/swanctl/aws-updown";

/// XFRM interfaces, by which each tunnel has routes and BGP of its own: ipsec1 with id 101, ipsec2 with id 102.
fn interface(number: usize) -> (String, usize) {
    (format!("ipsec{number}"), 100 + number)
}

/// `swanctl.conf`: what is held back of the keys is said where each goes.
pub(super) fn swanctl(agreed: &Agreed) -> String {
    let customer = &agreed.customer;
    let mut out = format!(
        "# {}: /etc/swanctl/conf.d/aws.conf for strongSwan 5.8 or later, on Linux 4.19 or later; an older one does not know the\n\
         # interfaces below, and must not load this. In /etc/strongswan.d/charon.conf set\n\
         #   install_routes = no\n# and make the interfaces, on each start of the router, where eth0 is its outside:\n",
        agreed.vpn
    );
    let (mtu, mss) = super::sheet::largest(agreed);
    for (number, tunnel) in agreed.tunnels.iter().enumerate() {
        let (name, id) = interface(number + 1);
        let inner = tunnel.inner().map(|(_, inner)| inner.to_string()).unwrap_or_default();
        let _ = writeln!(
            out,
            "#   ip link add {name} type xfrm dev eth0 if_id {id} && ip address add {inner}/30 dev {name} && ip link set {name} mtu {mtu}{}",
            if agreed.is_static { "" } else { " up" }
        );
    }
    // What comes by the other tunnel than it left by is dropped by a strict reverse path filter.
    let _ = writeln!(
        out,
        "# Let it forward, take what comes by either tunnel, and hold TCP to what fits (make all of it last):\n\
         #   sysctl -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.ipsec1.rp_filter=2 net.ipv4.conf.ipsec2.rp_filter=2\n\
         #   iptables -t mangle -A FORWARD -o ipsec+ -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {mss}\n\
         #   iptables -t mangle -A FORWARD -i ipsec+ -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {mss}"
    );
    if agreed.is_static {
        let _ = writeln!(
            out,
            "# With static routes an interface has to go down with its tunnel, or the other one never takes over. This is {UPDOWN}, for\n\
             # everybody to run (chmod 755):\n\
             #   #!/bin/sh\n\
             #   case \"$PLUTO_VERB\" in\n\
             #     up-*) ip link set \"ipsec${{PLUTO_CONNECTION#aws-}}\" up ;;\n\
             #     down-*) ip link set \"ipsec${{PLUTO_CONNECTION#aws-}}\" down ;;\n\
             #   esac"
        );
    }
    out += "connections {\n";
    for (number, tunnel) in agreed.tunnels.iter().enumerate() {
        connection(&mut out, agreed, number + 1, tunnel);
    }
    out += "}\nsecrets {\n";
    for (number, tunnel) in agreed.tunnels.iter().enumerate() {
        let number = number + 1;
        let _ = writeln!(out, "  ike-aws-{number} {{\n    id-1 = {}\n    id-2 = {}", customer.address, tunnel.outside);
        let _ =
            writeln!(out, "    secret = \"\u{2039}pre-shared key of tunnel {number}, sent separately\u{203a}\"\n  }}");
    }
    out + "}\n"
}

fn connection(out: &mut String, agreed: &Agreed, number: usize, tunnel: &Tunnel) {
    let customer = &agreed.customer;
    let (_, id) = interface(number);
    // Behind NAT the router has another address than the one it is called by.
    let local = if customer.behind_nat { "%any" } else { &customer.address };
    let version = if tunnel.ike.iter().any(|one| one == "ikev2") || tunnel.ike.is_empty() { 2 } else { 1 };
    // The router begins where AWS does not, or does so only once: after a silence, a maintenance or a restart nobody else would.
    let (start, close) = match tunnel.aws_begins_again() {
        true => ("none", ""),
        false => ("start", "        close_action = start\n"),
    };
    let updown = if agreed.is_static { format!("        updown = {UPDOWN}\n") } else { String::new() };
    let (one, two) = (&tunnel.phase_one, &tunnel.phase_two);
    // A tenth before the end, as strongSwan does by itself; over acceleration long before AWS would begin.
    let rekey = if agreed.is_accelerated { one.seconds / 2 } else { one.seconds * 9 / 10 };
    let encap = if agreed.is_accelerated { "    encap = yes\n" } else { "" };
    let _ = write!(
        out,
        "  aws-{number} {{\n    version = {version}\n    local_addrs = {local}\n    remote_addrs = {outside}\n{encap}    \
         proposals = {proposals}\n    rekey_time = {rekey}s\n    over_time = {over}s\n    keyingtries = 0\n    \
         dpd_delay = 10s\n    dpd_timeout = {dpd}s\n    local {{\n      auth = psk\n      id = {address}\n    }}\n    \
         remote {{\n      auth = psk\n      id = {outside}\n    }}\n    children {{\n      aws-{number} {{\n        \
         local_ts = {local_ts}\n        remote_ts = {remote_ts}\n        esp_proposals = {esp}\n        \
         rekey_time = {child_rekey}s\n        life_time = {child_life}s\n        if_id_in = {id}\n        \
         if_id_out = {id}\n        start_action = {start}\n{close}        dpd_action = restart\n{updown}      }}\n    }}\n  }}\n",
        outside = tunnel.outside,
        address = customer.address,
        proposals = proposals(one, true),
        over = one.seconds - rekey,
        dpd = tunnel.dpd_seconds,
        local_ts = agreed.selectors[0],
        remote_ts = agreed.selectors[1],
        esp = proposals(two, false),
        child_rekey = two.seconds * 9 / 10,
        child_life = two.seconds,
    );
}

/// As swanctl.conf(5) writes them. Ciphers that authenticate by themselves stand in a proposal of their own.
fn proposals(phase: &Phase, ike: bool) -> String {
    let phase = phase.settled();
    let (sealed, plain): (Vec<&String>, Vec<&String>) = phase.encryption.iter().partition(|one| one.contains("GCM"));
    let groups: Vec<&str> = phase.groups.iter().filter_map(|group| group_word(*group)).collect();
    let hashes: Vec<&str> = phase.integrity.iter().filter_map(|one| hash_word(one)).collect();
    let mut all = Vec::new();
    let ciphers = |list: &[&String]| list.iter().map(|one| cipher_word(one)).collect::<Vec<_>>().join("-");
    if !sealed.is_empty() {
        let random: String = hashes.iter().filter(|_| ike).map(|hash| format!("-prf{hash}")).collect();
        all.push(format!("{}{random}-{}", ciphers(&sealed), groups.join("-")));
    }
    if !plain.is_empty() {
        all.push(format!("{}-{}-{}", ciphers(&plain), hashes.join("-"), groups.join("-")));
    }
    all.join(", ")
}

/// `AES256-GCM-16` is `aes256gcm16`.
fn cipher_word(name: &str) -> String {
    name.to_lowercase().replace('-', "")
}

fn hash_word(name: &str) -> Option<&'static str> {
    let known = [("SHA1", "sha1"), ("SHA2-256", "sha256"), ("SHA2-384", "sha384"), ("SHA2-512", "sha512")];
    known.iter().find(|(aws, _)| *aws == name).map(|(_, word)| *word)
}

fn group_word(group: i32) -> Option<&'static str> {
    let known = [
        (2, "modp1024"),
        (5, "modp1536"),
        (14, "modp2048"),
        (15, "modp3072"),
        (16, "modp4096"),
        (17, "modp6144"),
        (18, "modp8192"),
        (19, "ecp256"),
        (20, "ecp384"),
        (21, "ecp521"),
        (22, "modp1024s160"),
        (23, "modp2048s224"),
        (24, "modp2048s256"),
    ];
    known.iter().find(|(number, _)| *number == group).map(|(_, word)| *word)
}

/// `frr.conf`: a session in each tunnel that lets in and out what was agreed and nothing else, or static routes.
pub(super) fn frr(agreed: &Agreed) -> String {
    let mut out = format!("! {}: for FRR 8 or later, beside the interfaces that swanctl.conf tells of\n", agreed.vpn);
    if agreed.is_static {
        for range in &agreed.ours {
            for (number, rank) in agreed.ranks().enumerate() {
                // A later one only where those before are gone; of a second router also what the routers tell each other comes first.
                let distance = if rank == 0 { String::new() } else { format!(" {}", 190 + 10 * rank) };
                let _ = writeln!(out, "ip route {range} {}{distance}", interface(number + 1).0);
            }
        }
        return out;
    }
    let asn = agreed.customer.asn.as_deref().unwrap_or_default();
    prefixes(&mut out, "from-aws", &agreed.ours);
    prefixes(&mut out, "to-aws", &agreed.customer.ranges);
    for (number, rank) in agreed.ranks().enumerate() {
        route_maps(&mut out, number + 1, rank, asn);
    }
    out += "! What is announced has to stand in this router's table with the same length (show ip route).\n";
    let _ = writeln!(out, "router bgp {asn}");
    let neighbours: Vec<Ipv4Addr> = agreed.tunnels.iter().filter_map(|tunnel| Some(tunnel.inner()?.0)).collect();
    for (number, neighbour) in neighbours.iter().enumerate() {
        let _ = writeln!(out, " neighbor {neighbour} remote-as {}", agreed.amazon_asn);
        let _ = writeln!(out, " neighbor {neighbour} description aws-{}", number + 1);
        let _ = writeln!(out, " neighbor {neighbour} timers 10 30");
    }
    out += " address-family ipv4 unicast\n";
    for range in &agreed.customer.ranges {
        let _ = writeln!(out, "  network {range}");
    }
    for (number, neighbour) in (1..).zip(&neighbours) {
        let _ = writeln!(
            out,
            "  neighbor {neighbour} route-map from-aws-{number} in\n  neighbor {neighbour} route-map to-aws-{number} out"
        );
    }
    out + " exit-address-family\nexit\n"
}

/// By which both sides take the same tunnel.
fn route_maps(out: &mut String, number: usize, rank: usize, asn: &str) {
    let _ = writeln!(out, "route-map from-aws-{number} permit 10\n match ip address prefix-list from-aws");
    let _ = writeln!(out, " set local-preference {}\nexit", sheet::preference(rank));
    let _ = writeln!(out, "route-map to-aws-{number} permit 10\n match ip address prefix-list to-aws");
    if rank > 0 {
        let _ = writeln!(out, " set as-path prepend {}", vec![asn; rank].join(" "));
    }
    *out += "exit\n";
}

fn prefixes(out: &mut String, name: &str, ranges: &[String]) {
    for (number, range) in ranges.iter().enumerate() {
        let _ = writeln!(out, "ip prefix-list {name} seq {} permit {range}", 5 * (number + 1));
    }
}

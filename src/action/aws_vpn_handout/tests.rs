//! The papers are whole, and say the same as AWS does.

use super::*;

fn tunnel(last: u8) -> Tunnel {
    let phase = |seconds| Phase {
        encryption: vec!["AES256".to_owned()],
        integrity: vec!["SHA2-256".to_owned()],
        groups: vec![14, 19, 20],
        seconds,
    };
    Tunnel {
        outside: format!("192.0.2.{last}"),
        inside: format!("169.254.44.{}/30", (last - 10) * 4),
        ike: vec!["ikev2".to_owned()],
        phase_one: phase(28_800),
        phase_two: phase(3_600),
        dpd_seconds: 30,
        dpd_action: "restart".to_owned(),
        startup: "start".to_owned(),
    }
}

fn agreed(asn: Option<&str>) -> Agreed {
    Agreed {
        vpn: "vpn-0123456789abcdef0".to_owned(),
        customer: Customer {
            address: "203.0.113.12".to_owned(),
            behind_nat: false,
            asn: asn.map(str::to_owned),
            ranges: vec!["192.168.0.0/16".to_owned()],
            doors: Vec::new(),
            target: Some("192.168.1.50".to_owned()),
        },
        amazon_asn: "64620".to_owned(),
        ours: vec!["10.40.0.0/16".to_owned()],
        device: None,
        backup: false,
        is_second: false,
        is_static: asn.is_none(),
        is_transit: false,
        is_accelerated: false,
        is_gov: false,
        selectors: ["0.0.0.0/0".to_owned(), "0.0.0.0/0".to_owned()],
        tunnels: vec![tunnel(10), tunnel(11)],
    }
}

#[test]
fn the_sheet_says_what_has_to_get_through() {
    let mut agreed = agreed(Some("65010"));
    agreed.customer.doors = vec!["TCP 587 from 10.40.0.0/16 to smtp.acme.example (mail)".to_owned()];
    let sheet = sheet::sheet(&agreed);
    assert!(sheet.contains("\n  TCP 587 from 10.40.0.0/16 to smtp.acme.example (mail)\n"), "{sheet}");
}

#[test]
fn the_sheet_of_a_backup_says_that_the_line_comes_first() {
    let words = "backup of a Direct Connect line";
    assert!(!sheet::sheet(&agreed(Some("65010"))).contains(words));
    assert!(sheet::sheet(&Agreed { backup: true, ..agreed(Some("65010")) }).contains(words));
}

#[test]
fn what_awss_sample_shows_is_said_as_the_region_has_it() {
    let mut weak = agreed(Some("65010"));
    for tunnel in &mut weak.tunnels {
        for phase in [&mut tunnel.phase_one, &mut tunnel.phase_two] {
            phase.encryption.push("AES128".to_owned());
        }
    }
    let sheet = sheet::sheet(&weak);
    assert!(sheet.contains("it shows AES128, SHA1 and DH group 2, and"), "{sheet}");
    assert!(sheet.contains("With the sample's values the tunnels stay down."), "{sheet}");
    // There it is what these tunnels take.
    let sheet = sheet::sheet(&Agreed { is_gov: true, ..weak });
    assert!(sheet.contains("it shows AES128, SHA2-256 and DH group 14, and"), "{sheet}");
    assert!(sheet.contains("AWS would take the sample's values too."), "{sheet}");
}

#[test]
fn the_sheet_says_all_that_a_router_is_asked_for() {
    let sheet = sheet::sheet(&agreed(Some("65010")));
    for words in [
        "192.0.2.10           192.0.2.11",
        "169.254.44.1         169.254.44.5",
        "169.254.44.2         169.254.44.6",
        "AES256 / SHA2-256 / DH group 14 or 19 or 20 / 28800 s",
        "AES256 / SHA2-256 / PFS with DH group 14 or 19 or 20 / 3600 s",
        "your AS 65010, AWS's AS 64620",
        "tunnel 2: your 169.254.44.6 with neighbour 169.254.44.5, hold time 30 s, keepalive 10 s",
        "AWS's IKE identity     192.0.2.10           192.0.2.11",
        "tunnel 1: announce with your AS once, and give what you learn local preference 100\n",
        "tunnel 2: announce with your AS twice, and give what you learn local preference 90\n",
        "Announce 192.168.0.0/16",
        "UDP 500 (IKE), IP protocol 50 (ESP)\n",
        "TCP 179 (BGP)",
        "MTU of the tunnels 1438 bytes; set TCP's MSS to 1398",
        "With the sample's values the tunnels stay down",
        "pings to 192.168.1.50",
    ] {
        let near = words.to_lowercase();
        assert!(sheet.to_lowercase().contains(&near), "{words:?} is not in:\n{sheet}");
    }
    let longest = sheet.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    assert!(longest <= 130, "{longest}:\n{sheet}");
}

/// AWS begins a tunnel that is new; after a silence it does so where the DPD action says it, and by IKEv2 only.
#[test]
fn whoever_begins_after_a_silence_is_said_and_written() {
    let with = |startup: &str, dpd_action: &str, ike: &str| {
        let mut agreed = agreed(Some("65010"));
        for tunnel in &mut agreed.tunnels {
            (tunnel.startup, tunnel.dpd_action, tunnel.ike) = (startup.into(), dpd_action.into(), vec![ike.into()]);
        }
        (sheet::sheet(&agreed), strongswan::swanctl(&agreed))
    };
    let begins = "start_action = start\n        close_action = start\n";
    for (startup, dpd_action, ike, said, router_begins) in [
        ("start", "restart", "ikev2", "AWS; your router answers", false),
        ("start", "clear", "ikev2", "AWS once; after that your router", true),
        ("start", "none", "ikev2", "AWS once; after that your router", true),
        ("add", "restart", "ikev2", "your router\n", true),
        ("add", "restart", "ikev1", "s of silence AWS ends the tunnel, and your router begins anew", true),
    ] {
        let (sheet, swanctl) = with(startup, dpd_action, ike);
        assert!(sheet.contains(said), "{startup} {dpd_action} {ike}: {sheet}");
        assert_eq!(
            swanctl.matches(begins).count(),
            if router_begins { 2 } else { 0 },
            "{startup} {dpd_action}: {swanctl}"
        );
    }
}

/// Global Accelerator carries TCP and UDP, and the router has to renew IKE.
#[test]
fn accelerated_tunnels_go_inside_of_udp_and_are_renewed_by_the_router() {
    let plain = agreed(Some("65010"));
    let accelerated = Agreed { is_accelerated: true, is_transit: true, ..agreed(Some("65010")) };
    let sheet = sheet::sheet(&accelerated);
    for words in [
        "UDP 500 (IKE), UDP 4500 (NAT traversal",
        "NAT traversal          on:",
        "who renews IKE         your router",
        "MTU of the tunnels 1422 bytes; set TCP's MSS to 1382",
        "NAT traversal off: turn it on",
    ] {
        assert!(sheet.contains(words), "{words:?} is not in:\n{sheet}");
    }
    assert!(!sheet.contains("IP protocol 50"), "{sheet}");
    let longest = sheet.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    assert!(longest <= 130, "{longest}:\n{sheet}");
    let swanctl = strongswan::swanctl(&accelerated);
    assert!(swanctl.contains("    encap = yes\n    proposals"), "{swanctl}");
    assert!(swanctl.contains("rekey_time = 14400s\n    over_time = 14400s"), "{swanctl}");
    assert!(!strongswan::swanctl(&plain).contains("encap"));
}

/// The nearest sample is taken, and the difference said.
#[test]
fn the_sheet_says_whose_sample_it_is() {
    let with = |theirs: &str, sample: &str| {
        let device = Some(Device { theirs: theirs.to_owned(), sample: sample.to_owned() });
        sheet::sheet(&Agreed { device, ..agreed(Some("65010")) })
    };
    let sample = "Fortinet Fortigate 40+ Series, FortiOS 6.4.4+ (GUI)";
    let sheet = with("Fortinet FortiGate 100F, FortiOS 7.2.5", sample);
    for words in ["for another router or version than yours", "yours: Fortinet FortiGate 100F, FortiOS 7.2.5\n", sample]
    {
        assert!(sheet.contains(words), "{words:?} is not in:\n{sheet}");
    }
    let same = with(sample, sample);
    assert!(same.contains("is for your router: Fortinet") && !same.contains("another router"), "{same}");
}

/// GCM has no integrity beside it, and IKE still needs a function for its keys.
#[test]
fn with_gcm_the_sheet_says_what_the_prf_is() {
    let mut agreed = agreed(Some("65010"));
    assert!(!sheet::sheet(&agreed).contains("PRF"));
    for tunnel in &mut agreed.tunnels {
        tunnel.phase_one.encryption = vec!["AES256-GCM-16".to_owned()];
        tunnel.phase_two.encryption = vec!["AES256-GCM-16".to_owned()];
    }
    let sheet = sheet::sheet(&agreed);
    assert_eq!(sheet.matches("(with GCM, SHA2-256 as PRF)").count(), 1, "{sheet}");
}

#[test]
fn a_router_behind_nat_and_one_without_bgp_are_told_so() {
    let mut agreed = agreed(None);
    agreed.customer.behind_nat = true;
    let sheet = sheet::sheet(&agreed);
    for words in
        ["UDP 4500", "your IKE identity", "Static. Route 10.40.0.0/16 into the tunnels", "MTU of the tunnels 1422"]
    {
        assert!(sheet.contains(words), "{words:?} is not in:\n{sheet}");
    }
    assert!(!sheet.contains("BGP"), "{sheet}");
    assert!(strongswan::swanctl(&agreed).contains("local_addrs = %any"));
    assert!(strongswan::frr(&agreed).contains("ip route 10.40.0.0/16 ipsec2 200\n"));
}

/// "Best practices for your customer gateway device", the table of MTU and MSS.
#[test]
fn packets_are_as_large_as_the_weakest_of_what_may_be_negotiated() {
    for (encryption, integrity, nat, mtu) in [
        ("AES256-GCM-16", "SHA2-256", false, 1_446),
        ("AES256-GCM-16", "SHA2-512", true, 1_438),
        ("AES128", "SHA1", false, 1_438),
        ("AES256", "SHA2-256", true, 1_422),
        ("AES256", "SHA2-384", false, 1_422),
        ("AES256", "SHA2-384", true, 1_422),
        ("AES256", "SHA2-512", false, 1_422),
        ("AES256", "SHA2-512", true, 1_406),
    ] {
        let mut agreed = agreed(None);
        agreed.customer.behind_nat = nat;
        for tunnel in &mut agreed.tunnels {
            tunnel.phase_two.encryption = vec![encryption.to_owned()];
            tunnel.phase_two.integrity = vec![integrity.to_owned()];
        }
        assert_eq!(sheet::largest(&agreed), (mtu, mtu - 40), "{encryption} {integrity} {nat}");
    }
}

#[test]
fn proposals_are_written_as_strongswan_reads_them() {
    let mut agreed = agreed(Some("65010"));
    assert!(strongswan::swanctl(&agreed).contains("    proposals = aes256-sha256-modp2048-ecp256-ecp384\n"));
    agreed.tunnels[0].phase_one.encryption.push("AES128-GCM-16".to_owned());
    agreed.tunnels[0].phase_two.encryption = vec!["AES256-GCM-16".to_owned()];
    let text = strongswan::swanctl(&agreed);
    let one = "aes128gcm16-prfsha256-modp2048-ecp256-ecp384, aes256-sha256-modp2048-ecp256-ecp384\n";
    assert!(text.contains(one) && text.contains("esp_proposals = aes256gcm16-modp2048-ecp256-ecp384\n"), "{text}");
    // What AWS leaves open is settled.
    agreed.tunnels[1].phase_one = Phase { seconds: 28_800, ..Phase::default() };
    assert!(strongswan::swanctl(&agreed).contains("proposals = aes256-sha256-modp2048\n"));
}

/// Or AWS sees paths of one length from both routers, and answers come back by the other one.
#[test]
fn a_second_router_stands_by_in_the_sheet_and_in_its_configuration() {
    let second = Agreed { is_second: true, ..agreed(Some("65010")) };
    let sheet = sheet::sheet(&second);
    for words in [
        "This router stands by for your first one",
        "tunnel 1: announce with your AS three times, and give what you learn local preference 80\n",
        "tunnel 2: announce with your AS four times, and give what you learn local preference 70\n",
    ] {
        assert!(sheet.contains(words), "{words:?} is not in:\n{sheet}");
    }
    let first = strongswan::frr(&agreed(Some("65010")));
    assert!(
        first.contains(
            "route-map to-aws-2 permit 10\n match ip address prefix-list to-aws\n set as-path prepend 65010\n"
        ),
        "{first}"
    );
    assert!(first.contains("route-map to-aws-1 permit 10\n match ip address prefix-list to-aws\nexit\n"), "{first}");
    assert!(first.contains("  neighbor 169.254.44.5 route-map from-aws-2 in\n"), "{first}");
    let frr = strongswan::frr(&second);
    assert!(
        frr.contains(" set as-path prepend 65010 65010 65010\n") && frr.contains(" set local-preference 70\n"),
        "{frr}"
    );
    let fixed = Agreed { is_second: true, ..agreed(None) };
    let frr = strongswan::frr(&fixed);
    assert!(
        frr.contains("ip route 10.40.0.0/16 ipsec1 210\n") && frr.contains("ip route 10.40.0.0/16 ipsec2 220\n"),
        "{frr}"
    );
    assert!(sheet::sheet(&fixed).contains("routes of the first router come before those of this one"));
}

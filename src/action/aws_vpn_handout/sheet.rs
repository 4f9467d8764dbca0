//! The sheet: every value of both tunnels side by side, and what else has to be done, for a person at a router.

use std::fmt::Write;

use super::{Agreed, Device, Phase, Tunnel};
use crate::text::list;

/// The whole sheet, without keys.
pub(super) fn sheet(agreed: &Agreed) -> String {
    let customer = &agreed.customer;
    let mut out =
        format!("VPN {} between AWS ({}) and your router {}\n\n", agreed.vpn, list(&agreed.ours), customer.address);
    let (mtu, mss) = largest(agreed);
    if agreed.backup {
        let _ = writeln!(
            out,
            "It is the backup of a Direct Connect line. While the line is up, let your router send by the line (a higher\n\
             local preference), and announce nothing narrower through the tunnels than over the line. Hold TCP's MSS to {mss} on\n\
             the line's subinterface, too: a session that began over the line goes on through the tunnels only if its packets fit.\n"
        );
    }
    if agreed.is_second && agreed.is_static {
        out += "This router is your second one. AWS chooses between the connections that are up, and nobody can tell it which: let\n\
                both routers, and what stands behind them, take packets that come by the other one. Firewalls that keep state have\n\
                to share it, or they drop those; where yours cannot, keep these tunnels down until the first router is gone.\n\n";
    } else if agreed.is_second {
        out += "This router stands by for your first one: see below by what AWS and your network tell them apart.\n\n";
    }
    out += "Configure both tunnels: AWS takes one of them down for maintenance at any time.\n\n";
    rows(&mut out, agreed);
    out += "\nRouting\n";
    routing(&mut out, agreed);
    out += "\nLet through your firewall, both ways, between your router and each of AWS's outside addresses\n";
    out += match (agreed.is_accelerated, customer.behind_nat) {
        (true, _) => "  UDP 500 (IKE), UDP 4500 (NAT traversal, which acceleration needs: ESP goes inside of it)\n",
        (false, true) => "  UDP 500 (IKE), IP protocol 50 (ESP), UDP 4500 (NAT traversal)\n",
        (false, false) => "  UDP 500 (IKE), IP protocol 50 (ESP)\n",
    };
    out += "and inside the tunnels\n";
    if !agreed.is_static {
        out += "  TCP 179 (BGP) between the inside addresses\n";
    }
    let _ = writeln!(out, "  ICMP between {} and {}", list(&customer.ranges), list(&agreed.ours));
    for door in &customer.doors {
        let _ = writeln!(out, "  {door}");
    }
    out += "  and what your servers and ours are to be used for later, such as the products' own ports\n";
    out += "Packets may come back through the other tunnel than they left by: allow that";
    out += if agreed.is_static { ".\n" } else { ", or prefer one tunnel as above.\n" };
    let _ = writeln!(
        out,
        "\nPackets\n  MTU of the tunnels {mtu} bytes; set TCP's MSS to {mss} on the tunnels, both ways. There is no path MTU discovery."
    );
    differences(&mut out, agreed);
    let _ = writeln!(
        out,
        "\nThe way back\n  Shut the {}, and take the routes to {} out.\n  Nothing else of yours hangs on it, and AWS's side may stay as it is.",
        if agreed.is_static { "tunnel interfaces" } else { "BGP neighbours or the tunnel interfaces" },
        list(&agreed.ours)
    );
    if let Some(target) = &customer.target {
        let _ = writeln!(out, "\nWe prove it with pings to {target}.");
    }
    out
}

fn rows(out: &mut String, agreed: &Agreed) {
    let mut row = |name: &str, value: &dyn Fn(&Tunnel) -> String| {
        let values: Vec<String> = agreed.tunnels.iter().map(value).collect();
        let _ = match values.as_slice() {
            [one, two] if one == two && !name.contains("address") => writeln!(out, "  {name:<22} {one}"),
            [one, two] => writeln!(out, "  {name:<22} {one:<20} {two}"),
            _ => Ok(()),
        };
    };
    let inner = |tunnel: &Tunnel, ours: bool| {
        tunnel.inner().map(|(aws, customer)| if ours { aws } else { customer }.to_string()).unwrap_or_default()
    };
    row("", &|tunnel| if tunnel == &agreed.tunnels[0] { "tunnel 1".to_owned() } else { "tunnel 2".to_owned() });
    row("AWS's outside address", &|tunnel| tunnel.outside.clone());
    row("your outside address", &|_| agreed.customer.address.clone());
    row("AWS's inside address", &|tunnel| inner(tunnel, true));
    row("your inside address", &|tunnel| inner(tunnel, false));
    row("netmask inside", &|_| "255.255.255.252 (/30)".to_owned());
    row("pre-shared key", &|_| "one for each tunnel; both come another way".to_owned());
    row("IKE", &|tunnel| {
        if tunnel.ike.is_empty() { "version 2 (AWS takes 1 too)".to_owned() } else { list(&tunnel.ike) }
    });
    if agreed.customer.behind_nat {
        row("your IKE identity", &|_| format!("{} (not the address behind NAT)", agreed.customer.address));
    }
    row("AWS's IKE identity", &|tunnel| tunnel.outside.clone());
    row("phase 1", &|tunnel| phase(&tunnel.phase_one, "DH group"));
    row("phase 2 (ESP, tunnel)", &|tunnel| phase(&tunnel.phase_two, "PFS with DH group"));
    row("traffic selectors", &|_| {
        format!("{} on your side, {} on ours: one pair", agreed.selectors[0], agreed.selectors[1])
    });
    row("who begins", &|tunnel| match (tunnel.startup == "start", tunnel.aws_begins_again()) {
        (true, true) => "AWS; your router answers".to_owned(),
        (true, false) => "AWS once; after that your router".to_owned(),
        (false, _) => "your router".to_owned(),
    });
    if agreed.is_accelerated {
        row("NAT traversal", &|_| "on: acceleration carries ESP inside of UDP 4500 only".to_owned());
        row("who renews IKE", &|tunnel| {
            format!("your router, before AWS would: set its phase 1 to {} s", tunnel.phase_one.seconds / 2)
        });
    }
    row("dead peer detection", &|tunnel| {
        let then = match tunnel.dpd_action.as_str() {
            "restart" if tunnel.is_ikev1() => "ends the tunnel, and your router begins anew",
            "restart" => "begins anew",
            "none" => "does nothing",
            _ => "ends the tunnel",
        };
        format!("on; after {} s of silence AWS {then}", tunnel.dpd_seconds)
    });
}

fn phase(phase: &Phase, groups: &str) -> String {
    let free = phase.encryption.is_empty() && phase.integrity.is_empty() && phase.groups.is_empty();
    let settled = phase.settled();
    let numbers: Vec<String> = settled.groups.iter().map(i32::to_string).collect();
    let said = format!(
        "{} / {} / {groups} {} / {} s",
        settled.encryption.join(" or "),
        settled.integrity.join(" or "),
        numbers.join(" or "),
        settled.seconds
    );
    let said = match settled.encryption.iter().any(|one| one.contains("GCM")) && !groups.starts_with("PFS") {
        true => format!("{said} (with GCM, {} as PRF)", settled.integrity.join(" or ")),
        false => said,
    };
    if free { format!("{said} (AWS would take others too)") } else { said }
}

fn routing(out: &mut String, agreed: &Agreed) {
    let customer = &agreed.customer;
    if agreed.is_static {
        let _ = writeln!(
            out,
            "  Static. Route {} into the tunnels, into tunnel 1 first; AWS sends {} into one of them, and nobody can tell it which.",
            list(&agreed.ours),
            list(&customer.ranges)
        );
        if agreed.is_second {
            out.push_str("  In your network the same routes of the first router come before those of this one, as long as its tunnels are up.\n");
        }
        return;
    }
    let asn = customer.asn.as_deref().unwrap_or("?");
    let _ = writeln!(
        out,
        "  BGP. Your AS {asn}, AWS's AS {}. One session in each tunnel, between the inside addresses:",
        agreed.amazon_asn
    );
    for (number, tunnel) in agreed.tunnels.iter().enumerate() {
        if let Some((aws, theirs)) = tunnel.inner() {
            let _ = writeln!(
                out,
                "    tunnel {}: your {theirs} with neighbour {aws}, hold time 30 s, keepalive 10 s, no password",
                number + 1
            );
        }
    }
    let _ = writeln!(
        out,
        "  Announce {}. At most {} prefixes, or AWS ends the session. AWS announces {}.",
        list(&customer.ranges),
        if agreed.is_transit { "1,000" } else { "100" },
        list(&agreed.ours)
    );
    // "Route tables and VPN route priority", user guide.
    out.push_str("  Of tunnels that announce the same, AWS takes the one with the shortest AS path. So that your side takes the same one:\n");
    for (number, rank) in agreed.ranks().enumerate() {
        let times = ["once", "twice", "three times", "four times"].get(rank).copied().unwrap_or("more often");
        let _ = writeln!(
            out,
            "    tunnel {}: announce with your AS {times}, and give what you learn local preference {}",
            number + 1,
            preference(rank)
        );
    }
    out.push_str(
        "  A local preference is heeded by routers of one AS that tell each other by iBGP (next-hop-self). Where tunnels or\n  \
         lines end on several of yours, let them, or give the same order in your own routing protocol; and tell it of our\n  \
         ranges only while the session is up.\n",
    );
}

/// BGP's own is 100, and what comes later gets less; only the order counts.
pub(super) fn preference(rank: usize) -> usize {
    100_usize.saturating_sub(10 * rank)
}

/// MTU and MSS by what the tunnels may negotiate ("Best practices for your customer gateway device"); the smallest of them
/// fits whatever is chosen.
pub(super) fn largest(agreed: &Agreed) -> (u32, u32) {
    let nat = agreed.is_in_udp();
    let of = |encryption: &str, integrity: &str| match (encryption.contains("GCM"), integrity, nat) {
        (true, _, false) => (1_446, 1_406),
        (true, _, true) | (false, "SHA1" | "SHA2-256", false) => (1_438, 1_398),
        (false, "SHA2-512", true) => (1_406, 1_366),
        _ => (1_422, 1_382),
    };
    let phases = agreed.tunnels.iter().map(|tunnel| tunnel.phase_two.settled());
    let all = phases.flat_map(|phase| {
        let pairs = phase.encryption.iter().flat_map(|one| phase.integrity.iter().map(move |other| of(one, other)));
        pairs.collect::<Vec<_>>()
    });
    all.min().unwrap_or((1_406, 1_366))
}

/// AWS's sample shows the least that it takes in the region, whatever the connection's options are.
fn differences(out: &mut String, agreed: &Agreed) {
    match &agreed.device {
        Some(Device { theirs, sample }) if theirs == sample => {
            let _ = writeln!(out, "\nAWS's sample configuration is for your router: {sample}.");
        }
        Some(Device { theirs, sample }) => {
            let _ = writeln!(out, "\nAWS's sample configuration is for another router or version than yours.");
            let _ = writeln!(out, "  yours: {theirs}\n  the sample's: {sample}");
            out.push_str(
                "  It is the nearest that AWS has. Where menus and commands are others, your router's manual counts.\n",
            );
        }
        None => {}
    }
    let (integrity, group) = if agreed.is_gov { ("SHA2-256", 14) } else { ("SHA1", 2) };
    let _ = writeln!(
        out,
        "\nAWS's sample configuration differs: it shows AES128, {integrity} and DH group {group}, and its own lifetimes and MTU."
    );
    if agreed.is_accelerated {
        out.push_str("  It may have NAT traversal off: turn it on.\n");
    }
    out.push_str("  What stands above counts. ");
    let Some(tunnel) = agreed.tunnels.first() else { return };
    let takes_it = [&tunnel.phase_one, &tunnel.phase_two].iter().all(|phase| {
        let takes = |list: &[String], word: &str| list.is_empty() || list.iter().any(|one| one == word);
        takes(&phase.encryption, "AES128")
            && takes(&phase.integrity, integrity)
            && (phase.groups.is_empty() || phase.groups.contains(&group))
    });
    out.push_str(if takes_it {
        "AWS would take the sample's values too.\n"
    } else {
        "With the sample's values the tunnels stay down.\n"
    });
}

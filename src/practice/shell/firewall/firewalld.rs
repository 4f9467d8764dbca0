//! firewalld: zones, their running and their permanent form, and `firewall-cmd` (firewall-cmd(1)).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::program::Answer;
use super::super::shape::ports_hold;
use super::{Judgement, Packet, network, service_port};

/// The state behind `firewall-cmd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firewalld {
    /// Set while firewalld.service is active.
    pub running: bool,
    runtime: Zones,
    permanent: Zones,
    default: String,
}

type Zones = BTreeMap<String, Zone>;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Zone {
    target: String,
    interfaces: BTreeSet<String>,
    sources: BTreeSet<String>,
    services: BTreeSet<String>,
    ports: BTreeSet<String>,
    rich: BTreeSet<String>,
}

const SERVICES: &[(&str, &str)] =
    &[("cockpit", "9090"), ("dhcpv6-client", ""), ("http", "80"), ("https", "443"), ("ssh", "22")];
const NOT_RUNNING: i32 = 252;
const INVALID_ZONE: i32 = 112;

impl Default for Firewalld {
    fn default() -> Self {
        let zone = |target: &str, services: &[&str]| Zone {
            target: target.to_string(),
            services: services.iter().map(|service| (*service).to_string()).collect(),
            ..Zone::default()
        };
        let open = ["cockpit", "dhcpv6-client", "ssh"];
        let mut permanent: Zones = [("block", "%%REJECT%%"), ("drop", "DROP"), ("trusted", "ACCEPT")]
            .map(|(name, target)| (name.to_string(), zone(target, &[])))
            .into();
        for (name, services) in [("public", &open[..]), ("internal", &open), ("home", &open), ("work", &open)] {
            permanent.insert(name.to_string(), zone("default", services));
        }
        for name in ["dmz", "external"] {
            permanent.insert(name.to_string(), zone("default", &["ssh"]));
        }
        Self { running: false, runtime: permanent.clone(), permanent, default: "public".to_string() }
    }
}

impl Firewalld {
    /// The zone of the source, else of the interface, else the default zone decides.
    pub fn judge(&self, packet: Packet) -> Judgement {
        if !self.running {
            return Judgement::Accept;
        }
        let by_source = self.runtime.values().find(|zone| zone.has_source(packet));
        let by_interface = || self.runtime.values().find(|zone| zone.interfaces.contains("eth0"));
        let zone = by_source.or_else(by_interface).or_else(|| self.runtime.get(&self.default));
        zone.map_or(Judgement::Reject, |zone| zone.judge(packet))
    }

    /// What a start of the daemon does: the permanent form becomes the running one.
    pub fn start(&mut self) {
        self.running = true;
        self.runtime = self.permanent.clone();
    }

    /// One call of `firewall-cmd` by root.
    pub fn command(&mut self, arguments: &[String]) -> Answer {
        let options: Vec<(&str, Option<&str>)> = arguments
            .iter()
            .map(|word| word.split_once('=').map_or((word.as_str(), None), |(k, v)| (k, Some(v))))
            .collect();
        if !self.running {
            let state = options.iter().any(|(name, _)| *name == "--state");
            let said = if state { "not running\n" } else { "FirewallD is not running\n" };
            return Answer::fail(NOT_RUNNING, said);
        }
        let permanent = options.iter().any(|(name, _)| *name == "--permanent");
        let zone = options.iter().find(|(name, _)| *name == "--zone").and_then(|(_, zone)| *zone);
        let zone = zone.unwrap_or(&self.default).to_string();
        let ignored = ["--permanent", "--zone", "-q", "--quiet"];
        let mut answer = Answer::ok("");
        for (name, value) in options.iter().filter(|(name, _)| !ignored.contains(name)) {
            let next = self.option(name, value.unwrap_or_default(), permanent, &zone);
            let success = next.out == "success\n" && answer.out.ends_with("success\n");
            answer.out += if success { "" } else { &next.out };
            answer.err += &next.err;
            answer.code = next.code;
            if answer.code != 0 {
                break;
            }
        }
        answer
    }

    fn option(&mut self, name: &str, value: &str, permanent: bool, zone: &str) -> Answer {
        match name {
            "--state" => Answer::ok("running\n"),
            "--version" | "-V" => Answer::ok("1.3.4\n"),
            "--reload" | "--complete-reload" => {
                self.runtime = self.permanent.clone();
                success()
            }
            "--runtime-to-permanent" => {
                self.permanent = self.runtime.clone();
                success()
            }
            "--get-default-zone" => Answer::ok(format!("{}\n", self.default)),
            "--get-zones" => {
                Answer::ok(format!("{}\n", self.zones(permanent).keys().cloned().collect::<Vec<_>>().join(" ")))
            }
            "--get-services" => Answer::ok(format!("{}\n", SERVICES.map_names())),
            "--get-active-zones" => Answer::ok(self.active_zones()),
            "--set-default-zone" if self.runtime.contains_key(value) => {
                self.default = value.to_string();
                success()
            }
            "--set-default-zone" => invalid_zone(value),
            "--new-zone" | "--delete-zone" => self.zone_itself(name, value, permanent),
            "--list-all-zones" => {
                let zones = self.zones(permanent).iter();
                Answer::ok(zones.map(|(name, zone)| zone.list(name, self.is_active(name)) + "\n").collect::<String>())
            }
            "--info-zone" => self.list_zone(value, permanent),
            "--list-all" => self.list_zone(zone, permanent),
            _ => self.in_zone(name, value, permanent, zone),
        }
    }

    fn zones(&self, permanent: bool) -> &Zones {
        if permanent { &self.permanent } else { &self.runtime }
    }

    fn zone_itself(&mut self, name: &str, value: &str, permanent: bool) -> Answer {
        if !permanent {
            return Answer::fail(2, format!("Option \"{name}\" can only be used with --permanent.\n"));
        }
        let known = self.permanent.contains_key(value);
        match (name, known) {
            ("--new-zone", true) => Answer::fail(26, format!("Error: NAME_CONFLICT: new_zone(): '{value}'\n")),
            ("--new-zone", false) => {
                self.permanent.insert(value.to_string(), Zone { target: "default".to_string(), ..Zone::default() });
                success()
            }
            (_, true) => {
                self.permanent.remove(value);
                success()
            }
            (_, false) => invalid_zone(value),
        }
    }

    fn list_zone(&self, name: &str, permanent: bool) -> Answer {
        match self.zones(permanent).get(name) {
            Some(zone) => Answer::ok(zone.list(name, !permanent && self.is_active(name))),
            None => invalid_zone(name),
        }
    }

    fn is_active(&self, name: &str) -> bool {
        let bound = |zone: &Zone| !zone.sources.is_empty() || !zone.interfaces.is_empty();
        name == self.default || self.runtime.get(name).is_some_and(bound)
    }

    fn active_zones(&self) -> String {
        let mut text = String::new();
        for (name, zone) in self.runtime.iter().filter(|(name, _)| self.is_active(name)) {
            text += &format!("{name}\n");
            if name == &self.default || !zone.interfaces.is_empty() {
                text += "  interfaces: eth0\n";
            }
            if !zone.sources.is_empty() {
                text += &format!("  sources: {}\n", join(&zone.sources));
            }
        }
        text
    }

    /// `--add-X`, `--remove-X`, `--query-X`, `--list-Xs`, `--set-target`.
    fn in_zone(&mut self, name: &str, value: &str, permanent: bool, zone: &str) -> Answer {
        let zones = if permanent { &mut self.permanent } else { &mut self.runtime };
        let Some(zone) = zones.get_mut(zone) else { return invalid_zone(zone) };
        if name == "--set-target" && permanent {
            zone.target = value.to_string();
            return success();
        }
        let Some((verb, what)) = name.strip_prefix("--").and_then(|name| name.split_once('-')) else {
            return unknown(name);
        };
        let singular = if verb == "list" { what.trim_end_matches('s') } else { what };
        let Some(items) = zone.items(singular) else { return unknown(name) };
        if verb != "list"
            && let Some(refusal) = refuse(singular, value)
        {
            return refusal;
        }
        let value = value.to_string();
        match verb {
            "add" if items.insert(value.clone()) => success(),
            "add" => warn(&format!("ALREADY_ENABLED: {value}")),
            "remove" if items.remove(&value) => success(),
            "remove" => warn(&format!("NOT_ENABLED: {value}")),
            "query" if items.contains(&value) => Answer::ok("yes\n"),
            "query" => Answer { out: "no\n".to_string(), err: String::new(), code: 1 },
            "list" => Answer::ok(format!("{}\n", join(items))),
            _ => unknown(name),
        }
    }
}

trait Names {
    fn map_names(&self) -> String;
}

impl Names for &[(&str, &str)] {
    fn map_names(&self) -> String {
        self.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    }
}

impl Zone {
    fn has_source(&self, packet: Packet) -> bool {
        self.sources.iter().filter_map(|source| network(source)).any(|source| source.contains(&packet.from))
    }

    fn judge(&self, packet: Packet) -> Judgement {
        if let Some(judgement) = self.rich.iter().filter_map(|rule| judge_rich(rule, packet)).max_by_key(|j| *j as u8) {
            return judgement;
        }
        let mut services = SERVICES.iter().filter(|(name, _)| self.services.contains(*name));
        let open = services.any(|(_, ports)| ports_hold(ports, packet.port))
            || self
                .ports
                .iter()
                .any(|port| port.strip_suffix("/tcp").is_some_and(|ports| ports_hold(ports, packet.port)));
        match self.target.as_str() {
            _ if open => Judgement::Accept,
            "ACCEPT" => Judgement::Accept,
            "DROP" => Judgement::Drop,
            _ => Judgement::Reject,
        }
    }

    fn items(&mut self, what: &str) -> Option<&mut BTreeSet<String>> {
        match what {
            "interface" => Some(&mut self.interfaces),
            "source" => Some(&mut self.sources),
            "service" => Some(&mut self.services),
            "port" => Some(&mut self.ports),
            "rich-rule" => Some(&mut self.rich),
            _ => None,
        }
    }

    fn list(&self, name: &str, active: bool) -> String {
        let mark = if active { " (active)" } else { "" };
        let rich: String = self.rich.iter().map(|rule| format!("\n\t{rule}")).collect();
        format!(
            "{name}{mark}\n  target: {}\n  icmp-block-inversion: no\n  interfaces: {}\n  sources: {}\n  \
             services: {}\n  \
             ports: {}\n  protocols: \n  forward: yes\n  masquerade: no\n  forward-ports: \n  source-ports: \n  \
             icmp-blocks: \n  rich rules: {rich}\n",
            self.target,
            join(&self.interfaces),
            join(&self.sources),
            join(&self.services),
            join(&self.ports),
        )
    }
}

/// `rule family="ipv4" source address="10.0.0.5/32" port port="22" protocol="tcp" accept`
fn judge_rich(rule: &str, packet: Packet) -> Option<Judgement> {
    let value = |key: &str| {
        let at = rule.find(&format!("{key}=\""))? + key.len() + 2;
        rule[at..].split('"').next()
    };
    let inverted = rule.contains("source not ") || rule.contains("source NOT ");
    let source = value("address").and_then(network).is_none_or(|net| net.contains(&packet.from) != inverted);
    let service = value("service name").or_else(|| value("name"));
    let service_ports = service.and_then(service_port).is_none_or(|port| port == packet.port);
    let port = value(" port").is_none_or(|ports| ports_hold(ports, packet.port));
    if !(source && service_ports && port) {
        return None;
    }
    let last = rule.split_whitespace().find(|word| ["accept", "drop", "reject"].contains(word))?;
    Some(match last {
        "accept" => Judgement::Accept,
        "drop" => Judgement::Drop,
        _ => Judgement::Reject,
    })
}

fn refuse(what: &str, value: &str) -> Option<Answer> {
    let bad = match what {
        "service" if !SERVICES.iter().any(|(name, _)| *name == value) => (101, format!("INVALID_SERVICE: {value}")),
        "source" if network(value).is_none() => (105, format!("INVALID_ADDR: {value}")),
        "port"
            if !value
                .split_once('/')
                .is_some_and(|(port, kind)| valid_port(port) && ["tcp", "udp"].contains(&kind)) =>
        {
            (
                102,
                format!(
                    "INVALID_PORT: bad port (most likely missing protocol), \
                     correct syntax is portid[-portid]/protocol: {value}"
                ),
            )
        }
        "rich-rule" if !value.starts_with("rule") => (122, format!("INVALID_RULE: {value}")),
        _ => return None,
    };
    Some(Answer::fail(bad.0, format!("Error: {}\n", bad.1)))
}

fn valid_port(text: &str) -> bool {
    text.split('-').all(|number| number.parse::<u16>().is_ok_and(|port| port > 0))
}

fn join(items: &BTreeSet<String>) -> String {
    items.iter().cloned().collect::<Vec<_>>().join(" ")
}

fn success() -> Answer {
    Answer::ok("success\n")
}

fn warn(what: &str) -> Answer {
    Answer { out: "success\n".to_string(), err: format!("Warning: {what}\n"), code: 0 }
}

fn invalid_zone(name: &str) -> Answer {
    Answer::fail(INVALID_ZONE, format!("Error: INVALID_ZONE: {name}\n"))
}

fn unknown(name: &str) -> Answer {
    Answer::fail(
        2,
        format!(
            "usage: 'firewall-cmd --help' for usage information or see firewall-cmd(1) man page\n\
             firewall-cmd: error: unrecognized arguments: {name}\n"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(firewall: &mut Firewalld, line: &str) -> Answer {
        firewall.command(&line.split_whitespace().map(str::to_string).collect::<Vec<_>>())
    }

    fn judge(firewall: &Firewalld, from: &str, port: u16) -> Judgement {
        firewall.judge(Packet { from: from.parse().unwrap(), to: "10.0.0.9".parse().unwrap(), port })
    }

    #[test]
    fn it_says_that_it_does_not_run() {
        let mut firewall = Firewalld::default();
        assert_eq!(run(&mut firewall, "--state").code, 252);
        assert_eq!(judge(&firewall, "10.0.0.6", 12345), Judgement::Accept);
    }

    #[test]
    fn a_permanent_change_counts_after_the_reload() {
        let mut firewall = Firewalld::default();
        firewall.start();
        assert_eq!(judge(&firewall, "10.0.0.6", 22022), Judgement::Reject);
        assert_eq!(run(&mut firewall, "--permanent --add-port=22022/tcp").out, "success\n");
        assert_eq!(judge(&firewall, "10.0.0.6", 22022), Judgement::Reject);
        run(&mut firewall, "--reload");
        assert_eq!(judge(&firewall, "10.0.0.6", 22022), Judgement::Accept);
    }

    #[test]
    fn a_zone_of_its_own_lets_only_the_bastion_in() {
        let mut firewall = Firewalld::default();
        firewall.start();
        for line in [
            "--permanent --new-zone=onb-ssh",
            "--permanent --zone=onb-ssh --add-source=10.0.0.5/32 --add-service=ssh",
            "--permanent --zone=public --remove-service=ssh",
            "--reload",
        ] {
            assert_eq!(run(&mut firewall, line).out, "success\n", "{line}");
        }
        assert_eq!(run(&mut firewall, "--permanent --new-zone=onb-ssh").code, 26);
        assert_eq!(judge(&firewall, "10.0.0.5", 22), Judgement::Accept);
        assert_eq!(judge(&firewall, "10.0.0.6", 22), Judgement::Reject);
        let listed = run(&mut firewall, "--info-zone=onb-ssh").out;
        assert!(listed.starts_with("onb-ssh (active)\n") && listed.contains("sources: 10.0.0.5/32\n"), "{listed}");
    }

    #[test]
    fn rich_rules_count() {
        let mut firewall = Firewalld::default();
        firewall.start();
        let rule = "rule family=\"ipv4\" source not address=\"10.0.0.5\" port port=\"22\" protocol=\"tcp\" drop";
        firewall.command(&[format!("--add-rich-rule={rule}")]);
        assert_eq!(judge(&firewall, "10.0.0.6", 22), Judgement::Drop);
        assert_eq!(judge(&firewall, "10.0.0.5", 22), Judgement::Accept);
    }

    #[test]
    fn wrong_values_are_refused_with_firewalld_codes() {
        let mut firewall = Firewalld::default();
        firewall.start();
        for (line, code) in [
            ("--add-service=shh", 101),
            ("--add-port=22", 102),
            ("--add-source=bastion", 105),
            ("--zone=none --list-all", 112),
            ("--new-zone=x", 2),
            ("--frobnicate", 2),
        ] {
            assert_eq!(run(&mut firewall, line).code, code, "{line}");
        }
    }
}

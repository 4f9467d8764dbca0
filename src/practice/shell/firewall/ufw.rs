//! ufw: the rules it keeps, how it judges, and what its command line does (ufw(8)).

use std::fmt::Write;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::super::program::Answer;
use super::super::shape::ports_hold;
use super::{Judgement, Packet, network, service_port};

/// The state behind `ufw status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ufw {
    pub active: bool,
    rules: Vec<Rule>,
    incoming: Judgement,
    outgoing: Judgement,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    action: Action,
    /// Ports as ufw writes them; none means every port.
    ports: Option<String>,
    protocol: Option<String>,
    from: Option<IpNet>,
    to: Option<IpNet>,
    outgoing: bool,
    v6: bool,
    comment: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Action {
    Allow,
    Deny,
    Reject,
    Limit,
}

impl Default for Ufw {
    fn default() -> Self {
        Self { active: false, rules: Vec::new(), incoming: Judgement::Drop, outgoing: Judgement::Accept }
    }
}

const USAGE: &str = "ERROR: Invalid syntax\n\nUsage: ufw COMMAND\n";

impl Ufw {
    /// The first rule that fits decides, then the default.
    pub fn judge(&self, packet: Packet) -> Judgement {
        if !self.active {
            return Judgement::Accept;
        }
        let fitting = self.rules.iter().find(|rule| !rule.outgoing && rule.fits(packet));
        fitting.map_or(self.incoming, |rule| rule.action.judgement())
    }

    /// One call of `ufw` by root. `confirmed` is what was on standard input.
    pub fn command(&mut self, arguments: &[String], confirmed: bool) -> Answer {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let forced = words.iter().any(|word| ["--force", "-f"].contains(word));
        let words: Vec<&str> = words.into_iter().filter(|word| !["--force", "-f"].contains(word)).collect();
        match words.as_slice() {
            ["status"] => Answer::ok(self.status(false, false)),
            ["status", "verbose"] => Answer::ok(self.status(true, false)),
            ["status", "numbered"] => Answer::ok(self.status(false, true)),
            ["enable"] if forced || confirmed => self.enable(),
            ["enable"] => {
                Answer::ok("Command may disrupt existing ssh connections. Proceed with operation (y|n)? Aborted\n")
            }
            ["disable"] => {
                self.active = false;
                Answer::ok("Firewall stopped and disabled on system startup\n")
            }
            ["reload"] if self.active => Answer::ok("Firewall reloaded\n"),
            ["reload"] => Answer::ok("Firewall not enabled (skipping reload)\n"),
            ["reset"] if forced || confirmed => {
                *self = Self::default();
                Answer::ok("Backing up 'user.rules'\nBacking up 'user6.rules'\n")
            }
            ["reset"] => {
                Answer::ok("Resetting all rules to installed defaults. Proceed with operation (y|n)? Aborted\n")
            }
            ["version" | "--version"] => Answer::ok("ufw 0.36.2\n"),
            ["logging", "on" | "low" | "medium" | "high" | "full"] => Answer::ok("Logging enabled\n"),
            ["logging", "off"] => Answer::ok("Logging disabled\n"),
            ["default", rest @ ..] => self.default_policy(rest),
            ["delete", number] if number.parse::<usize>().is_ok() => self.delete_number(number, forced || confirmed),
            ["delete", rest @ ..] => self.delete(rest),
            ["insert", place, rest @ ..] => match place.parse::<usize>() {
                Ok(place) if (1..=self.rules.len()).contains(&place) => self.add(rest, Some(place - 1)),
                _ => Answer::fail(1, format!("ERROR: Invalid position '{place}'\n")),
            },
            ["prepend", rest @ ..] => self.add(rest, Some(0)),
            rest => self.add(rest, None),
        }
    }

    fn enable(&mut self) -> Answer {
        self.active = true;
        Answer::ok("Firewall is active and enabled on system startup\n")
    }

    fn default_policy(&mut self, words: &[&str]) -> Answer {
        let (policy, direction) = match words {
            [policy] => (*policy, "incoming"),
            [policy, direction] => (*policy, *direction),
            _ => return Answer::fail(1, USAGE),
        };
        let judgement = match policy {
            "allow" => Judgement::Accept,
            "deny" => Judgement::Drop,
            "reject" => Judgement::Reject,
            _ => return Answer::fail(1, USAGE),
        };
        match direction {
            "incoming" | "input" => self.incoming = judgement,
            "outgoing" | "output" => self.outgoing = judgement,
            "routed" | "forward" => {}
            _ => return Answer::fail(1, USAGE),
        }
        let hint = "(be sure to update your rules accordingly)";
        Answer::ok(format!("Default {direction} policy changed to '{policy}'\n{hint}\n"))
    }

    fn add(&mut self, words: &[&str], place: Option<usize>) -> Answer {
        let rules = match parse(words) {
            Ok(rules) => rules,
            Err(problem) => return Answer::fail(1, problem),
        };
        let mut said = String::new();
        for rule in rules {
            let family = if rule.v6 && rule.from.is_none() && rule.to.is_none() { " (v6)" } else { "" };
            let known = self.rules.iter().position(|old| old.same_place(&rule));
            let text = match known {
                Some(at) if self.rules[at] == rule => "Skipping adding existing rule",
                Some(at) => {
                    self.rules[at] = rule;
                    if self.active { "Rule updated" } else { "Rules updated" }
                }
                None => {
                    let v4 = self.rules.iter().take_while(|old| !old.v6).count();
                    let at = if rule.v6 { self.rules.len() } else { place.unwrap_or(v4).min(v4) };
                    self.rules.insert(at, rule);
                    if self.active { "Rule added" } else { "Rules updated" }
                }
            };
            let _ = writeln!(said, "{text}{family}");
        }
        Answer::ok(said)
    }

    fn delete(&mut self, words: &[&str]) -> Answer {
        let rules = match parse(words) {
            Ok(rules) => rules,
            Err(problem) => return Answer::fail(1, problem),
        };
        let mut said = String::new();
        for rule in rules {
            let family = if rule.v6 && rule.from.is_none() { " (v6)" } else { "" };
            let before = self.rules.len();
            self.rules.retain(|old| !(old.same_place(&rule) && old.action == rule.action));
            let gone = if self.active { "Rule deleted" } else { "Rules updated" };
            let text = if self.rules.len() < before { gone } else { "Could not delete non-existent rule" };
            let _ = writeln!(said, "{text}{family}");
        }
        Answer::ok(said)
    }

    fn delete_number(&mut self, number: &str, sure: bool) -> Answer {
        let at =
            number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|at| *at < self.rules.len());
        match at {
            Some(at) if sure => {
                self.rules.remove(at);
                Answer::ok("Rule deleted\n")
            }
            Some(_) => Answer::ok("Proceed with operation (y|n)? Aborted\n"),
            None => Answer::fail(1, format!("ERROR: Could not find rule '{number}'\n")),
        }
    }

    fn status(&self, verbose: bool, numbered: bool) -> String {
        if !self.active {
            return "Status: inactive\n".to_string();
        }
        let mut text = "Status: active\n".to_string();
        if verbose {
            let word = |judgement| match judgement {
                Judgement::Accept => "allow",
                Judgement::Drop => "deny",
                Judgement::Reject => "reject",
            };
            let (incoming, outgoing) = (word(self.incoming), word(self.outgoing));
            let _ = writeln!(text, "Logging: on (low)");
            let _ = writeln!(text, "Default: {incoming} (incoming), {outgoing} (outgoing), disabled (routed)");
            let _ = writeln!(text, "New profiles: skip");
        }
        if self.rules.is_empty() {
            return text;
        }
        let indent = if numbered { "     " } else { "" };
        let _ = writeln!(text, "\n{indent}{:<26} {:<11} From", "To", "Action");
        let _ = writeln!(text, "{indent}{:<26} {:<11} ----", "--", "------");
        for (at, rule) in self.rules.iter().enumerate() {
            let number = if numbered { format!("[{:>2}] ", at + 1) } else { String::new() };
            let _ = writeln!(text, "{number}{}", rule.line(verbose || numbered));
        }
        text + "\n"
    }
}

impl Action {
    fn judgement(self) -> Judgement {
        match self {
            Self::Allow | Self::Limit => Judgement::Accept,
            Self::Deny => Judgement::Drop,
            Self::Reject => Judgement::Reject,
        }
    }

    fn named(word: &str) -> Option<Self> {
        match word {
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            "reject" => Some(Self::Reject),
            "limit" => Some(Self::Limit),
            _ => None,
        }
    }
}

impl Rule {
    fn fits(&self, packet: Packet) -> bool {
        let ports = self.ports.as_ref().is_none_or(|ports| ports_hold(ports, packet.port));
        let protocol = self.protocol.as_ref().is_none_or(|protocol| protocol == "tcp");
        let within = |net: &Option<IpNet>, address: IpAddr| net.is_none_or(|net| net.contains(&address));
        ports
            && protocol
            && self.v6 == packet.from.is_ipv6()
            && within(&self.from, packet.from)
            && within(&self.to, packet.to)
    }

    fn same_place(&self, other: &Self) -> bool {
        let key = |rule: &Self| (rule.ports.clone(), rule.protocol.clone(), rule.from, rule.to, rule.outgoing, rule.v6);
        key(self) == key(other)
    }

    fn line(&self, directions: bool) -> String {
        let v6 = if self.v6 && self.from.is_none() { " (v6)" } else { "" };
        let protocol = self.protocol.as_ref().map_or_else(String::new, |protocol| format!("/{protocol}"));
        let place = self.to.map_or_else(String::new, |to| format!("{} ", spell(to)));
        let to = match &self.ports {
            Some(ports) => format!("{place}{ports}{protocol}{v6}"),
            None if self.to.is_some() => place.trim().to_string(),
            None => format!("Anywhere{protocol}{v6}"),
        };
        let from = self.from.map_or_else(|| format!("Anywhere{v6}"), spell);
        let action = format!("{:?}", self.action).to_uppercase();
        let direction = match (directions, self.outgoing) {
            (_, true) => " OUT",
            (true, false) => " IN",
            (false, false) => "",
        };
        let comment =
            if self.comment.is_empty() { String::new() } else { format!("                 # {}", self.comment) };
        format!("{to:<26} {:<11} {from}{comment}", format!("{action}{direction}"))
    }
}

fn spell(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

/// The rules that a command names: one for a family that an address fixes, else one for each.
fn parse(words: &[&str]) -> Result<Vec<Rule>, String> {
    let mut rest = words.iter().copied().peekable();
    let action = rest.next().and_then(Action::named).ok_or_else(|| USAGE.to_string())?;
    let blank = Rule {
        action,
        ports: None,
        protocol: None,
        from: None,
        to: None,
        outgoing: false,
        v6: false,
        comment: String::new(),
    };
    let mut rule = blank;
    if let Some(direction) = rest.next_if(|word| ["in", "out"].contains(word)) {
        rule.outgoing = direction == "out";
    }
    while let Some(word) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| USAGE.to_string());
        match word {
            "from" => rule.from = address(value()?, "source")?,
            "to" => rule.to = address(value()?, "destination")?,
            "port" => rule.ports = Some(port(value()?)?),
            "proto" => rule.protocol = Some(protocol(value()?)?),
            "comment" => rule.comment = value()?.to_string(),
            "on" | "app" => drop(value()?),
            "log" | "log-all" => {}
            simple if rule.ports.is_none() => target(simple, &mut rule)?,
            _ => return Err(USAGE.to_string()),
        }
    }
    if rule.ports.is_none() && rule.from.is_none() && rule.to.is_none() && words.len() < 2 {
        return Err(USAGE.to_string());
    }
    let fixed = rule.from.or(rule.to).map(|net| net.addr().is_ipv6());
    let families = fixed.map_or_else(|| vec![false, true], |v6| vec![v6]);
    Ok(families.into_iter().map(|v6| Rule { v6, ..rule.clone() }).collect())
}

/// `22`, `22/tcp`, `ssh` or the profile OpenSSH.
fn target(word: &str, rule: &mut Rule) -> Result<(), String> {
    if word.eq_ignore_ascii_case("openssh") {
        rule.ports = Some("22".to_string());
        rule.protocol = Some("tcp".to_string());
        return Ok(());
    }
    let (ports, given) = word.split_once('/').map_or((word, None), |(ports, given)| (ports, Some(given)));
    rule.ports = Some(port(ports)?);
    rule.protocol = given.map(protocol).transpose()?;
    if given.is_none() && ports.parse::<u16>().is_err() && service_port(ports).is_some() {
        rule.protocol = Some("tcp".to_string());
    }
    Ok(())
}

fn address(word: &str, role: &str) -> Result<Option<IpNet>, String> {
    if word == "any" {
        return Ok(None);
    }
    network(word).map(Some).ok_or_else(|| format!("ERROR: Bad {role} address\n"))
}

fn port(word: &str) -> Result<String, String> {
    let one = |text: &str| text.split(':').all(|number| number.parse::<u16>().is_ok_and(|port| port > 0));
    if word.split(',').all(one) {
        return Ok(word.to_string());
    }
    let number = service_port(word).filter(|port| *port > 0);
    number.map(|port| port.to_string()).ok_or_else(|| format!("ERROR: Could not find a profile matching '{word}'\n"))
}

fn protocol(word: &str) -> Result<String, String> {
    match word {
        "tcp" | "udp" => Ok(word.to_string()),
        _ => Err(format!("ERROR: Unsupported protocol '{word}'\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ufw: &mut Ufw, line: &str) -> Answer {
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        ufw.command(&words, false)
    }

    fn judge(ufw: &Ufw, from: &str, port: u16) -> Judgement {
        ufw.judge(Packet { from: from.parse().unwrap(), to: "10.0.0.9".parse().unwrap(), port })
    }

    #[test]
    fn only_the_bastion_gets_in_once_it_is_enabled() {
        let mut ufw = Ufw::default();
        assert_eq!(run(&mut ufw, "allow from 10.0.0.5 to any port 22 proto tcp").out, "Rules updated\n");
        assert_eq!(judge(&ufw, "10.0.0.6", 22), Judgement::Accept, "not active yet");
        run(&mut ufw, "default deny incoming");
        assert!(run(&mut ufw, "enable").out.contains("Aborted"));
        assert!(!ufw.active);
        run(&mut ufw, "--force enable");
        assert_eq!(judge(&ufw, "10.0.0.5", 22), Judgement::Accept);
        assert_eq!(judge(&ufw, "10.0.0.6", 22), Judgement::Drop);
        let status = run(&mut ufw, "status verbose").out;
        assert!(status.contains("Default: deny (incoming), allow (outgoing), disabled (routed)"), "{status}");
        assert!(status.contains("22/tcp                     ALLOW IN    10.0.0.5\n"), "{status}");
        assert!(run(&mut ufw, "status").out.contains("22/tcp                     ALLOW       10.0.0.5\n"));
    }

    #[test]
    fn a_rule_without_an_address_counts_for_both_families_and_is_not_added_twice() {
        let mut ufw = Ufw::default();
        run(&mut ufw, "--force enable");
        assert_eq!(run(&mut ufw, "allow 22022/tcp").out, "Rule added\nRule added (v6)\n");
        let again = run(&mut ufw, "allow 22022/tcp").out;
        assert_eq!(again, "Skipping adding existing rule\nSkipping adding existing rule (v6)\n");
        assert_eq!(run(&mut ufw, "delete allow 22022/tcp").out, "Rule deleted\nRule deleted (v6)\n");
        assert_eq!(judge(&ufw, "10.0.0.6", 22022), Judgement::Drop);
    }

    #[test]
    fn wrong_commands_fail_and_change_nothing() {
        let mut ufw = Ufw::default();
        for line in [
            "allow from nowhere",
            "allow",
            "allow 99999999/tcp",
            "permit 22",
            "default maybe",
            "delete 7",
            "allow 22/icmp",
        ] {
            assert_eq!(run(&mut ufw, line).code, 1, "{line}");
        }
        assert_eq!(ufw, Ufw::default());
    }
}

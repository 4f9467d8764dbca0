//! Security group rules: one object for each peer of each permission.

use super::Call;
use super::describe::describe;
use super::groups::plain;
use super::kind::Kind;
use super::quotas;
use super::refusal::Refusal;
use super::tags;
use super::world::{Peer, Rule, Tags, World};
use super::xml::Xml;

pub(super) fn insert(world: &mut World, rule: Rule, tags: Tags) -> String {
    let id = world.mint("sgr");
    world.born(&id, tags);
    world.rules.insert(id.clone(), rule);
    id
}

pub(super) async fn authorize(call: &mut Call<'_>, egress: bool) -> Result<Xml, Refusal> {
    let group = call.ask.need("GroupId")?.to_string();
    call.world.group(&group)?;
    let tags = tags::of(call.ask, Kind::Rule)?;
    let asked = asked(call, &group, egress)?;
    if asked.is_empty() {
        return Err(Refusal::missing("ipPermissions"));
    }
    let has: Vec<&Rule> =
        call.world.rules.values().filter(|rule| rule.group == group && rule.egress == egress).collect();
    for (n, rule) in asked.iter().enumerate() {
        if has.iter().any(|other| same(other, rule)) || asked[..n].iter().any(|other| same(other, rule)) {
            let message = format!("the specified rule \"{}\" already exists", say(rule));
            return Err(Refusal::new("InvalidPermission.Duplicate", message));
        }
    }
    // For each group and direction, and "enforced separately for IPv4 and IPv6".
    let six = |rule: &&Rule| matches!(rule.peer, Peer::V6(_));
    let sixes = has.iter().copied().filter(six).count() + asked.iter().filter(six).count();
    let others = has.len() + asked.len() - sixes;
    if sixes.max(others) > quotas::allowed(call.world, "L-0EA8095F") {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(Refusal::new("RulesPerSecurityGroupLimitExceeded", message));
    }
    call.pass().await?;
    let made: Vec<String> = asked.into_iter().map(|rule| insert(call.world, rule, tags.clone())).collect();
    let items = made.iter().map(|id| item(call.world, id));
    Ok(Xml::new().text("return", true).set("securityGroupRuleSet", items))
}

pub(super) async fn revoke(call: &mut Call<'_>, egress: bool) -> Result<Xml, Refusal> {
    let group = call.ask.need("GroupId")?.to_string();
    call.world.group(&group)?;
    let ids = match call.ask.list("SecurityGroupRuleId") {
        ids if ids.is_empty() => by_permission(call, &group, egress)?,
        ids => by_id(call, ids, &group, egress)?,
    };
    call.pass().await?;
    for id in &ids {
        call.world.rules.remove(id);
        call.world.forget(id);
    }
    Ok(Xml::new().text("return", true))
}

fn by_id(call: &Call<'_>, ids: Vec<&str>, group: &str, egress: bool) -> Result<Vec<String>, Refusal> {
    for id in &ids {
        let rule = call.world.find(Kind::Rule, &call.world.rules, id)?;
        if rule.group != group || rule.egress != egress {
            return Err(Kind::Rule.not_found(id));
        }
    }
    Ok(ids.into_iter().map(str::to_string).collect())
}

fn by_permission(call: &Call<'_>, group: &str, egress: bool) -> Result<Vec<String>, Refusal> {
    let asked = asked(call, group, egress)?;
    if asked.is_empty() {
        return Err(Refusal::new(
            "MissingParameter",
            "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.",
        ));
    }
    let none =
        || Refusal::new("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
    let find = |rule: &Rule| call.world.rules.iter().find(|(_, other)| same(other, rule)).map(|(id, _)| id.clone());
    asked.iter().map(|rule| find(rule).ok_or_else(none)).collect()
}

/// Gives rules another description, by their ids or by what they are.
pub(super) async fn describe_again(call: &mut Call<'_>, egress: bool) -> Result<Xml, Refusal> {
    let group = call.ask.need("GroupId")?.to_string();
    call.world.group(&group)?;
    let mut changes: Vec<(String, Option<String>)> = Vec::new();
    for prefix in call.ask.prefixes("SecurityGroupRuleDescription") {
        let id = call.ask.need(&format!("{prefix}SecurityGroupRuleId"))?;
        by_id(call, vec![id], &group, egress)?;
        changes.push((id.into(), description(call, &prefix)?));
    }
    if changes.is_empty() {
        let ids = by_permission(call, &group, egress)?;
        let texts = asked(call, &group, egress)?.into_iter().map(|rule| rule.description);
        changes = ids.into_iter().zip(texts).collect();
    }
    call.pass().await?;
    for (id, text) in changes {
        if let Some(rule) = call.world.rules.get_mut(&id) {
            rule.description = text;
        }
    }
    Ok(Xml::new().text("return", true))
}

/// A rule is its direction, protocol, ports and peer; the description does not count.
fn same(one: &Rule, other: &Rule) -> bool {
    Rule { description: None, ..one.clone() } == Rule { description: None, ..other.clone() }
}

fn say(rule: &Rule) -> String {
    let peer = match &rule.peer {
        Peer::V4(net) => net.to_string(),
        Peer::V6(net) => net.to_string(),
        Peer::Group(id) => id.clone(),
    };
    let ports = rule.ports.map(|(from, to)| format!("from port: {from}, to port: {to}, ")).unwrap_or_default();
    let protocol = if rule.protocol == "-1" { "ALL".into() } else { rule.protocol.to_uppercase() };
    format!("peer: {peer}, {protocol}, {ports}ALLOW")
}

/// The rules of a request: those of `IpPermissions`, or the one that is spread over the top.
fn asked(call: &Call<'_>, group: &str, egress: bool) -> Result<Vec<Rule>, Refusal> {
    let ask = call.ask;
    let mut rules = Vec::new();
    if let Some(cidr) = ask.get("CidrIp") {
        let rule = bare(call, "", group, egress)?;
        rules.push(Rule { peer: Peer::V4(network(cidr)?), ..rule });
    }
    for prefix in ask.prefixes("IpPermissions") {
        let rule = bare(call, &prefix, group, egress)?;
        let before = rules.len();
        for peer in ask.prefixes(&format!("{prefix}IpRanges")) {
            let net = Peer::V4(network(ask.need(&format!("{peer}CidrIp"))?)?);
            rules.push(Rule { peer: net, description: description(call, &peer)?, ..rule.clone() });
        }
        for peer in ask.prefixes(&format!("{prefix}Ipv6Ranges")) {
            let text = ask.need(&format!("{peer}CidrIpv6"))?;
            let net: ipnet::Ipv6Net = text.parse().map_err(|_| malformed(text))?;
            rules.push(Rule { peer: Peer::V6(net.trunc()), description: description(call, &peer)?, ..rule.clone() });
        }
        for peer in ask.prefixes(&format!("{prefix}Groups")) {
            let id = ask.need(&format!("{peer}GroupId"))?;
            let (own, other) = (call.world.group(group)?, call.world.group(id)?);
            if own.vpc != other.vpc {
                let message = "You have specified two resources that belong to different networks.";
                return Err(Refusal::new("InvalidGroup.NotFound", message));
            }
            let peer_group = Peer::Group(id.to_string());
            rules.push(Rule { peer: peer_group, description: description(call, &peer)?, ..rule.clone() });
        }
        if rules.len() == before {
            let message = "A CIDR block, a security group ID or a prefix list has to be specified";
            return Err(Refusal::new("InvalidRequest", message));
        }
    }
    Ok(rules)
}

fn malformed(text: &str) -> Refusal {
    Refusal::value(format!("CIDR block {text} is malformed"))
}

/// AWS canonicalises the block (docs of the type IpRange).
fn network(text: &str) -> Result<ipnet::Ipv4Net, Refusal> {
    text.parse().map(|net: ipnet::Ipv4Net| net.trunc()).map_err(|_| malformed(text))
}

fn description(call: &Call<'_>, prefix: &str) -> Result<Option<String>, Refusal> {
    let text = call.ask.get(&format!("{prefix}Description"));
    if text.is_some_and(|text| !plain(text)) {
        let message = "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: \
                       a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";
        return Err(Refusal::value(message));
    }
    Ok(text.map(str::to_string))
}

/// Protocol and ports; the peer is filled in by the caller.
fn bare(call: &Call<'_>, prefix: &str, group: &str, egress: bool) -> Result<Rule, Refusal> {
    let asked = call.ask.need(&format!("{prefix}IpProtocol"))?;
    let protocol = match asked {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" => "icmpv6",
        "tcp" | "udp" | "icmp" | "icmpv6" | "-1" => asked,
        other => return Err(Refusal::value(format!("Invalid value '{other}' for IP protocol. Unknown protocol."))),
    };
    let (from, to) = (call.ask.number(&format!("{prefix}FromPort"))?, call.ask.number(&format!("{prefix}ToPort"))?);
    let ports = match (protocol, from, to) {
        ("-1", _, _) => None,
        ("tcp" | "udp", Some(from), Some(to)) if (0..=65535).contains(&from) && (from..=65535).contains(&to) => {
            Some((from, to))
        }
        ("tcp" | "udp", Some(from), Some(to)) if from < 0 || to < 0 || from > 65535 || to > 65535 => {
            let wrong = if (0..=65535).contains(&from) { to } else { from };
            return Err(Refusal::value(format!("Invalid value '{wrong}' for port. Must be between 0 and 65535.")));
        }
        ("tcp" | "udp", Some(_), Some(_)) => {
            return Err(Refusal::value(format!("Invalid {} port range", protocol.to_uppercase())));
        }
        ("tcp" | "udp", _, _) => {
            return Err(Refusal::value("Invalid value 'Must specify both from and to ports' for portRange."));
        }
        (_, from, to) => Some((from.unwrap_or(-1), to.unwrap_or(-1))),
    };
    let peer = Peer::Group(String::new());
    Ok(Rule { group: group.into(), egress, protocol: protocol.into(), ports, peer, description: None })
}

fn item(world: &World, id: &str) -> Xml {
    let Some(rule) = world.rules.get(id) else { return Xml::new() };
    let head =
        Xml::new().text("securityGroupRuleId", id).text("groupId", &rule.group).text("groupOwnerId", &world.account);
    let head = head.text("isEgress", rule.egress).text("ipProtocol", &rule.protocol);
    let (from, to) = rule.ports.unwrap_or((-1, -1));
    let head = head.text("fromPort", from).text("toPort", to).maybe("description", rule.description.as_ref());
    let arn = format!("arn:aws:ec2:{}:{}:security-group-rule/{id}", world.region, world.account);
    let head = head.text("securityGroupRuleArn", arn).set("tagSet", world.tag_set(id));
    match &rule.peer {
        Peer::V4(net) => head.text("cidrIpv4", net),
        Peer::V6(net) => head.text("cidrIpv6", net),
        Peer::Group(group) => {
            head.tree("referencedGroupInfo", Xml::new().text("groupId", group).text("userId", &world.account))
        }
    }
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let ids = call.wanted("SecurityGroupRuleId", Kind::Rule, &call.world.rules)?;
    let items = ids.iter().map(|id| item(call.world, id));
    let filters = &[("group-id", "groupId"), ("security-group-rule-id", "securityGroupRuleId")];
    describe(call.ask, "securityGroupRuleSet", items.collect(), filters)
}

/// A group's rules as DescribeSecurityGroups shows them: one permission for each protocol and port range.
pub(super) fn permissions(world: &World, group: &str, egress: bool) -> Vec<Xml> {
    let own: Vec<&Rule> = world.rules.values().filter(|rule| rule.group == group && rule.egress == egress).collect();
    let mut keys: Vec<(&str, Option<(i64, i64)>)> =
        own.iter().map(|rule| (rule.protocol.as_str(), rule.ports)).collect();
    keys.sort();
    keys.dedup();
    let permission = |(protocol, ports): (&str, Option<(i64, i64)>)| {
        let same: Vec<&&Rule> = own.iter().filter(|rule| rule.protocol == protocol && rule.ports == ports).collect();
        let list = |pick: fn(&Peer, &World) -> Option<Xml>| {
            let peers = same
                .iter()
                .filter_map(|rule| Some(pick(&rule.peer, world)?.maybe("description", rule.description.as_ref())));
            peers.collect::<Vec<_>>()
        };
        let v4 = list(|peer, _| if let Peer::V4(net) = peer { Some(Xml::new().text("cidrIp", net)) } else { None });
        let v6 = list(|peer, _| if let Peer::V6(net) = peer { Some(Xml::new().text("cidrIpv6", net)) } else { None });
        let groups = list(|peer, world| match peer {
            Peer::Group(id) => Some(Xml::new().text("groupId", id).text("userId", &world.account)),
            _ => None,
        });
        let head = Xml::new().text("ipProtocol", protocol);
        let head = head.maybe("fromPort", ports.map(|p| p.0)).maybe("toPort", ports.map(|p| p.1));
        head.set("groups", groups).set("ipRanges", v4).set("ipv6Ranges", v6).set("prefixListIds", [])
    };
    keys.into_iter().map(permission).collect()
}

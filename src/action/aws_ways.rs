//! Looks at the ways inside a VPC, for finding out what is the matter: where route tables send packets for an address, and
//! whom a security group lets in, or lets out to. They change nothing.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use async_trait::async_trait;
use ipnet::IpNet;
use serde_json::json;

use super::account::Account;
use super::arguments::Arguments;
use super::aws_account::asked;
use super::aws_groups::{egress, ingress};
use super::aws_outbound::{is_black_hole, is_learnt, next_hop};
use super::call::{Rule, Source};
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::ec2::types::{Route, RouteTable};
use crate::aws::{Operation, filter};

/// A range; an address alone is a range of one.
fn range(arguments: Arguments<'_>, name: &str, text: &str) -> Result<IpNet, Failure> {
    let alone = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(alone).ok_or_else(|| {
        let what = format!("the argument `{name}` of {} is \"{text}\", neither an address nor a range", arguments.kind);
        Failure::new(what, "Correct the runbook, or the input that the argument is made of.")
    })
}

/// `aws/route-to`
pub(super) struct RouteTo {
    tables: Vec<String>,
    to: IpNet,
    through: String,
}

impl RouteTo {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let to = range(arguments, "to", &arguments.text("to")?)?;
        Ok(RouteTo { tables: arguments.list("tables")?, to, through: arguments.text("through")? })
    }

    /// The route that counts: the one of the longest prefix, and of two alike the table's own.
    fn route<'t>(&self, table: &'t RouteTable) -> Option<&'t Route> {
        let prefix = |route: &Route| route.destination_cidr_block()?.parse::<IpNet>().ok();
        let fitting = table.routes().iter().filter_map(|route| Some((prefix(route)?, route)));
        fitting
            .filter(|(prefix, _)| prefix.contains(&self.to))
            .max_by_key(|(prefix, route)| (prefix.prefix_len(), !is_learnt(route)))
            .map(|(_, route)| route)
    }

    fn leads(&self, table: &RouteTable) -> bool {
        self.route(table).is_some_and(|route| next_hop(route) == self.through && !is_black_hole(route))
    }

    fn said(&self, table: &RouteTable) -> String {
        let id = table.route_table_id().unwrap_or_default();
        match self.route(table) {
            None => format!("{id} knows no way to {}", self.to),
            Some(route) if is_black_hole(route) => {
                format!("{id} sends {} to {}, which is gone", self.to, next_hop(route))
            }
            Some(route) => {
                let way = if is_learnt(route) { ", learnt" } else { "" };
                let prefix = route.destination_cidr_block().unwrap_or_default();
                format!("{id} sends {} to {} ({prefix}{way})", self.to, next_hop(route))
            }
        }
    }
}

#[async_trait]
impl Question for RouteTo {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let tables = self.tables.iter().map(String::as_str);
            let request = cloud.ec2().describe_route_tables().filters(filter("route-table-id", tables));
            let answer = cloud.read(Operation::DescribeRouteTables, || request.clone().send()).await?;
            let there = answer.route_tables.unwrap_or_default();
            let all: Vec<String> = there.iter().map(|table| self.said(table)).collect();
            let said = if all.is_empty() { "none of the route tables is there".to_owned() } else { all.join("; ") };
            if there.len() == self.tables.len() && there.iter().all(|table| self.leads(table)) {
                return Ok(Verified::So(found(said, json!({}))));
            }
            Ok(Verified::NotYet { said: format!("{said}; it should be {}", self.through) })
        })
        .await
    }
}

/// Somewhere else: an address or a range, and a port of it where one is meant.
pub(super) struct Place {
    pub range: IpNet,
    pub port: Option<u16>,
}

impl Place {
    pub(super) fn new(arguments: Arguments<'_>, name: &str, text: &str) -> Result<Self, Failure> {
        match text.parse::<SocketAddr>() {
            Ok(door) => Ok(Place { range: door.ip().into(), port: Some(door.port()) }),
            Err(_) => Ok(Place { range: range(arguments, name, text)?, port: None }),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let alone = self.range.prefix_len() == self.range.max_prefix_len();
        match self.port {
            Some(port) => SocketAddr::new(self.range.addr(), port).fmt(f),
            None if alone => self.range.addr().fmt(f),
            None => self.range.fmt(f),
        }
    }
}

/// `aws/admits`
pub(super) struct Admits {
    group: String,
    protocol: String,
    others: Vec<Other>,
    /// True where the group's own hosts begin.
    out: bool,
}

/// Who is let in, or who is let out to, and at which port; none means all.
struct Other {
    whom: Whom,
    port: Option<u16>,
}

enum Whom {
    Place(Place),
    Group(String),
}

impl Admits {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let port = arguments.port("port")?;
        let others = |name: &str| -> Result<Vec<Other>, Failure> {
            let one = |text: &String| {
                if text.starts_with("sg-") {
                    return Ok(Other { whom: Whom::Group(text.clone()), port });
                }
                let place = Place::new(arguments, name, text)?;
                Ok(Other { port: place.port.or(port), whom: Whom::Place(place) })
            };
            arguments.list(name)?.iter().map(one).collect()
        };
        let (from, to) = (others("from")?, others("to")?);
        if from.is_empty() == to.is_empty() {
            let what = "aws/admits takes one of `from` and `to`";
            return Err(Failure::new(what, "Correct the runbook, or the input that the argument is made of."));
        }
        let out = !to.is_empty();
        Ok(Admits {
            group: arguments.text("group")?,
            protocol: arguments.optional("protocol")?.unwrap_or_else(|| "tcp".to_owned()),
            others: if out { to } else { from },
            out,
        })
    }

    /// Is the rule about this protocol and port?
    fn is_about(&self, rule: &Rule, port: Option<u16>) -> bool {
        let all_ports = rule.from_port == -1;
        let in_it = |port: u16| (rule.from_port..=rule.to_port).contains(&i32::from(port));
        rule.protocol == "-1" || (rule.protocol == self.protocol && (all_ports || port.is_none_or(in_it)))
    }

    fn is_let(&self, other: &Other, rules: &[Rule]) -> bool {
        rules.iter().any(|rule| self.is_about(rule, other.port) && other.whom.is_meant(rule))
    }

    fn door(&self, other: &Other) -> String {
        match other.port {
            Some(port) => format!("{} {port}", self.protocol),
            None => self.protocol.clone(),
        }
    }
}

impl Whom {
    fn is_meant(&self, rule: &Rule) -> bool {
        match (self, &rule.source) {
            (Whom::Group(wanted), Source::Group(group)) => wanted == group,
            (Whom::Place(wanted), Source::V4(cidr) | Source::V6(cidr)) => {
                cidr.parse::<IpNet>().is_ok_and(|open| open.contains(&wanted.range))
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Whom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Whom::Place(place) => place.range.fmt(f),
            Whom::Group(group) => f.write_str(group),
        }
    }
}

#[async_trait]
impl Question for Admits {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let at = Account::new(&cloud, &world.subject);
            let seen = if self.out { egress(&at, &[&self.group]).await? } else { ingress(&at, &[&self.group]).await? };
            let rules: Vec<Rule> = seen.into_iter().map(|seen| seen.rule).collect();
            let (word, way) = if self.out { ("out", "to") } else { ("in", "from") };
            let doors: BTreeSet<String> = self.others.iter().map(|other| self.door(other)).collect();
            let doors = crate::text::list(&doors.into_iter().collect::<Vec<_>>());
            let shut = self.others.iter().filter(|other| !self.is_let(other, &rules));
            let shut: Vec<String> =
                shut.map(|other| format!("{} {word} {way} {}", self.door(other), other.whom)).collect();
            if shut.is_empty() {
                return Ok(Verified::So(found(format!("{} lets {doors} {word}", self.group), json!({}))));
            }
            let open = rules.iter().map(|rule| rule.said().replacen(" from ", &format!(" {way} "), 1));
            let open: Vec<String> = open.collect();
            let open = if open.is_empty() { "nothing".to_owned() } else { crate::text::list(&open) };
            let shut = crate::text::list(&shut);
            Ok(Verified::NotYet { said: format!("{} does not let {shut}, but {open}", self.group) })
        })
        .await
    }
}

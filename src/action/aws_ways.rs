//! Looks at the ways inside a VPC, for finding out what is the matter: where route tables send packets for an address, and
//! whom a security group lets in. They change nothing.

use async_trait::async_trait;
use ipnet::IpNet;
use serde_json::json;

use super::account::Account;
use super::arguments::Arguments;
use super::aws_account::asked;
use super::aws_groups::ingress;
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
            Some(route) => format!("{id} sends {} to {}", self.to, next_hop(route)),
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

/// `aws/admits`
pub(super) struct Admits {
    group: String,
    protocol: String,
    port: Option<u16>,
    from: Vec<Whom>,
}

enum Whom {
    Range(IpNet),
    Group(String),
}

impl Admits {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let one = |text: &String| match text.starts_with("sg-") {
            true => Ok(Whom::Group(text.clone())),
            false => range(arguments, "from", text).map(Whom::Range),
        };
        Ok(Admits {
            group: arguments.text("group")?,
            protocol: arguments.optional("protocol")?.unwrap_or_else(|| "tcp".to_owned()),
            port: arguments.port("port")?,
            from: arguments.list("from")?.iter().map(one).collect::<Result<_, Failure>>()?,
        })
    }

    /// Is the rule about this protocol and port?
    fn is_about(&self, rule: &Rule) -> bool {
        let all_ports = rule.from_port == -1;
        let port = |port: u16| (rule.from_port..=rule.to_port).contains(&i32::from(port));
        rule.protocol == "-1" || (rule.protocol == self.protocol && (all_ports || self.port.is_none_or(port)))
    }
}

impl Whom {
    fn is_let_in(&self, rule: &Rule) -> bool {
        match (self, &rule.source) {
            (Whom::Group(wanted), Source::Group(group)) => wanted == group,
            (Whom::Range(wanted), Source::V4(cidr) | Source::V6(cidr)) => {
                cidr.parse::<IpNet>().is_ok_and(|open| open.contains(wanted))
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Whom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Whom::Range(range) => write!(f, "{range}"),
            Whom::Group(group) => f.write_str(group),
        }
    }
}

#[async_trait]
impl Question for Admits {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let at = Account::new(&cloud, &world.subject);
            let rules: Vec<Rule> = ingress(&at, &[&self.group]).await?.into_iter().map(|seen| seen.rule).collect();
            let about: Vec<&Rule> = rules.iter().filter(|rule| self.is_about(rule)).collect();
            let door = match self.port {
                Some(port) => format!("{} {port}", self.protocol),
                None => self.protocol.clone(),
            };
            let shut_out: Vec<String> = self
                .from
                .iter()
                .filter(|from| !about.iter().any(|rule| from.is_let_in(rule)))
                .map(ToString::to_string)
                .collect();
            if shut_out.is_empty() {
                return Ok(Verified::So(found(format!("{} lets {door} in", self.group), json!({}))));
            }
            let open: Vec<String> = rules.iter().map(Rule::said).collect();
            let open = if open.is_empty() { "nothing".to_owned() } else { crate::text::list(&open) };
            let shut_out = crate::text::list(&shut_out);
            Ok(Verified::NotYet { said: format!("{} does not let {door} in from {shut_out}, but {open}", self.group) })
        })
        .await
    }
}

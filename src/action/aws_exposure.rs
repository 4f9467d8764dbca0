//! `aws/exposure`: what the Internet can reach in a VPC, measured against what it should (domain specification, 3.7).

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_compute::instances;
use super::aws_groups::{Seen, ingress};
use super::call::Source;
use super::check::Question;
use super::object::found;
use super::pages::all_pages;
use super::world::Subject;
use super::{Verified, World};
use crate::aws::ec2::types::Instance;
use crate::aws::{AwsFailure, filter};
use crate::engagement::Failure;

/// The door that everybody tries.
const SSH: i32 = 22;

pub(super) struct Exposure {
    vpc: String,
    ssh_port: u16,
    allowed: Vec<String>,
    /// Instances that may have a public address; where nobody says which, one of them at most.
    public: Option<Vec<String>>,
    /// What nobody made through onramp is shown, and no fault of this engagement's.
    shows_others: bool,
}

impl Exposure {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let public = arguments.list("public")?;
        let said = !public.is_empty() || arguments.given.get("public").is_some_and(Json::is_array);
        Ok(Exposure {
            vpc: arguments.text("vpc")?,
            ssh_port: arguments.port("ssh_port")?.unwrap_or(22),
            allowed: arguments.list("allowed")?,
            public: said.then_some(public),
            shows_others: arguments.one_of("others", &["judged", "shown"])? == "shown",
        })
    }

    /// What is wrong with one rule, if something is.
    fn fault(&self, group: &Group, seen: &Seen) -> Option<String> {
        let rule = &seen.rule;
        let opens = |port: i32| {
            rule.protocol == "-1" || (rule.protocol == "tcp" && (rule.from_port..=rule.to_port).contains(&port))
        };
        let ssh = i32::from(self.ssh_port);
        if !opens(SSH) && !opens(ssh) {
            return None;
        }
        let outside = match &rule.source {
            // A group or a private range is not the Internet.
            Source::Group(_) => return None,
            Source::PrefixList(_) => true,
            Source::V4(cidr) | Source::V6(cidr) => !is_private(cidr),
        };
        if !outside {
            return None;
        }
        let allowed = self.allowed.iter().any(|cidr| cidr == rule.source.text());
        if allowed && opens(ssh) && rule.from_port == rule.to_port && rule.protocol == "tcp" {
            return None;
        }
        Some(format!("{} ({}) lets in {}", group.name, group.id, rule.said()))
    }
}

/// RFC 1918, RFC 6598 and RFC 4193 ranges.
fn is_private(cidr: &str) -> bool {
    const PRIVATE: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];
    let Ok(net) = cidr.parse::<ipnet::IpNet>() else { return false };
    PRIVATE.iter().filter_map(|private| private.parse::<ipnet::IpNet>().ok()).any(|private| private.contains(&net))
}

struct Group {
    id: String,
    name: String,
    is_others: bool,
}

async fn groups(at: &Account<'_>, vpc: &str) -> Result<Vec<Group>, AwsFailure> {
    let groups = all_pages!(at.cloud, DescribeSecurityGroups, at.ec2().describe_security_groups().filters(filter("vpc-id", [vpc])) => set_next_token, security_groups, next_token);
    Ok(groups
        .into_iter()
        .map(|group| Group {
            is_others: at.is_nobodys(group.tags.as_deref()),
            id: group.group_id.unwrap_or_default(),
            name: group.group_name.unwrap_or_default(),
        })
        .collect())
}

/// The proof, row by row.
#[derive(Default)]
struct Report {
    rows: Vec<Json>,
    faults: Vec<String>,
    /// What would be a fault, had the customer not made it.
    theirs: Vec<String>,
}

/// One row, for the person who shows the report.
fn line(row: &Json) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    match row.get("instance") {
        Some(_) => format!("{} has the public address {}", text("instance"), text("public_address")),
        None => {
            let why = if text("why").is_empty() { String::new() } else { format!(" ({})", text("why")) };
            let theirs = if row["theirs"] == true { ": the customer's own door, and open" } else { "" };
            format!("group {}: {}{why}{theirs}", text("group"), text("rule"))
        }
    }
}

impl Exposure {
    async fn rules(&self, at: &Account<'_>, report: &mut Report) -> Result<(), AwsFailure> {
        for group in groups(at, &self.vpc).await? {
            for seen in ingress(at, &[&group.id]).await? {
                let fault = self.fault(&group, &seen);
                let is_theirs = fault.is_some() && self.shows_others && group.is_others;
                report.rows.push(json!({
                    "group": group.name, "rule": seen.rule.said(), "why": seen.rule.description,
                    "ok": fault.is_none(), "theirs": is_theirs,
                }));
                if is_theirs { report.theirs.extend(fault) } else { report.faults.extend(fault) }
            }
        }
        Ok(())
    }

    fn public_instances(&self, at: &Account<'_>, there: &[Instance], report: &mut Report) {
        let public: BTreeMap<&str, &str> =
            there.iter().filter_map(|one| Some((one.instance_id()?, one.public_ip_address()?))).collect();
        let others = there.iter().filter(|one| self.shows_others && at.is_nobodys(one.tags.as_deref()));
        let others: Vec<&str> = others.filter_map(Instance::instance_id).collect();
        let ours = public.keys().filter(|id| !others.contains(id)).count();
        for (id, address) in &public {
            let agreed = self.public.as_ref().map_or(ours == 1, |agreed| agreed.iter().any(|one| one == id));
            let expected = agreed || others.contains(id);
            report.rows.push(json!({ "instance": id, "public_address": address, "ok": expected }));
            if !expected {
                report.faults.push(format!("{id} has the public address {address}"));
            }
        }
        for missing in self.public.iter().flatten().filter(|id| known(id) && !public.contains_key(id.as_str())) {
            report.rows.push(json!({ "instance": missing, "public_address": null, "ok": false }));
            report.faults.push(format!("{missing} has no public address"));
        }
    }
}

#[async_trait]
impl Question for Exposure {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.vpc) {
            return Verified::NotYet { said: "the VPC is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let at = Account::new(&cloud, &world.subject);
            let mut report = Report::default();
            self.rules(&at, &mut report).await?;
            let live = ["pending", "running", "stopping", "stopped"];
            let filters = vec![filter("vpc-id", [self.vpc.as_str()]), filter("instance-state-name", live)];
            self.public_instances(&at, &instances(&at, filters).await?, &mut report);
            if report.faults.is_empty() {
                for row in &report.rows {
                    world.say(&line(row)).await;
                }
                let looked = crate::text::count(report.rows.len(), "door");
                let said = match report.theirs.as_slice() {
                    [] => format!("{looked} looked at, nothing open that should not be"),
                    theirs => format!("{looked} looked at; of the customer's own, {}", theirs.join("; ")),
                };
                return Ok(Verified::So(found(said, json!({ "report": report.rows, "theirs": report.theirs }))));
            }
            Ok(Verified::NotSo(Failure {
                meaning: report.faults.join("; "),
                ..Failure::new(
                    format!("{} in {}", crate::text::count(report.faults.len(), "open door"), self.vpc),
                    "Close them in the security groups, or say in the inputs that they are wanted; then check again.",
                )
            }))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::Rule;
    use super::*;

    fn fault(protocol: &str, from_port: i32, to_port: i32, source: &str) -> Option<String> {
        let exposure = Exposure {
            vpc: "vpc-1".to_owned(),
            ssh_port: 22022,
            allowed: vec!["198.51.100.16/29".to_owned()],
            public: None,
            shows_others: false,
        };
        let source = if source.starts_with("sg-") {
            Source::Group(source.to_owned())
        } else if source.starts_with("pl-") {
            Source::PrefixList(source.to_owned())
        } else {
            Source::of_cidr(source)
        };
        let rule = Rule { protocol: protocol.to_owned(), from_port, to_port, source, description: String::new() };
        let group = Group { id: "sg-1".to_owned(), name: "bastion".to_owned(), is_others: false };
        exposure.fault(&group, &Seen { id: "sgr-1".to_owned(), rule, ours: false })
    }

    #[test]
    fn only_the_agreed_port_from_the_agreed_ranges_is_fine() {
        assert_eq!(fault("tcp", 22022, 22022, "198.51.100.16/29"), None);
        for (protocol, from, to, source) in [
            ("tcp", 22022, 22022, "0.0.0.0/0"),
            ("tcp", 22022, 22022, "::/0"),
            ("tcp", 22022, 22022, "203.0.113.0/24"),
            ("tcp", 22, 22, "198.51.100.16/29"),
            ("tcp", 0, 65535, "198.51.100.16/29"),
            ("-1", -1, -1, "0.0.0.0/0"),
            ("tcp", 22, 22, "pl-0123"),
        ] {
            assert!(fault(protocol, from, to, source).is_some(), "{protocol} {from}-{to} {source}");
        }
    }

    #[test]
    fn what_does_not_come_from_the_internet_or_is_no_ssh_is_not_its_business() {
        assert_eq!(fault("tcp", 22, 22, "sg-bastion"), None);
        assert_eq!(fault("tcp", 22, 22, "10.40.0.0/16"), None);
        assert_eq!(fault("tcp", 443, 443, "0.0.0.0/0"), None);
        assert_eq!(fault("udp", 22, 22, "0.0.0.0/0"), None);
    }
}

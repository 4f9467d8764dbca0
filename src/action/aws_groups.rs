//! Security groups: who may open a connection to what.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::aws_quota::Quota;
use super::call::{Call, ITSELF, Label, Rule, Source};
use super::dependents;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, differing, found, ids};
use super::world::Subject;
use crate::aws::ec2::types::{Filter, SecurityGroup, SecurityGroupRule};
use crate::aws::{AwsFailure, Operation, filter};
use crate::engagement::Failure;

/// AWS takes 255 of these characters in the description of a group or a rule, and no apostrophe (EC2 API reference,
/// IpRange and CreateSecurityGroup).
fn describing(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    let spoken = text.chars().filter(|c| !['\'', '\u{2019}', '"'].contains(c));
    spoken.map(|c| if allowed(c) { c } else { ' ' }).take(255).collect::<String>().trim().to_owned()
}

/// Ports, protocol, sources and reason of a map in a runbook; one rule for each source.
fn rules(arguments: Arguments<'_>, source_group: &str, key: &str) -> Result<Vec<Rule>, Failure> {
    let wrong = |what: &str| {
        Failure::new(format!("an ingress rule of {} {what}", arguments.kind), "Correct the step in the runbook.")
    };
    let protocol = arguments.optional("protocol")?.unwrap_or_else(|| "tcp".to_owned());
    let (from_port, to_port) = match (arguments.port("port")?, arguments.port("from_port")?, arguments.port("to_port")?)
    {
        (Some(port), None, None) => (i32::from(port), i32::from(port)),
        (None, Some(from), Some(to)) if from <= to => (i32::from(from), i32::from(to)),
        (None, None, None) if protocol == "icmp" || protocol == "-1" => (-1, -1),
        _ => return Err(wrong("needs `port`, or `from_port` and `to_port`")),
    };
    let mut sources: Vec<Source> = arguments.list("cidrs")?.iter().map(|cidr| Source::of_cidr(cidr)).collect();
    sources.extend(arguments.optional(source_group)?.map(Source::Group));
    if sources.is_empty() {
        return Err(wrong(&format!("needs `cidrs` or `{source_group}`")));
    }
    let why = arguments.optional("why")?.unwrap_or_default();
    let description = describing(&format!("onramp:{key} {why}"));
    let rule =
        |source| Rule { protocol: protocol.clone(), from_port, to_port, source, description: description.clone() };
    Ok(sources.into_iter().map(rule).collect())
}

/// A rule as AWS shows it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub id: String,
    pub rule: Rule,
    /// Made by this engagement, as its tags or its description say.
    pub ours: bool,
}

/// Every ingress rule of the groups.
pub(super) async fn ingress(at: &Account<'_>, groups: &[&str]) -> Result<Vec<Seen>, AwsFailure> {
    let rules = rules_of(at, groups).await?.into_iter();
    Ok(rules.filter(|rule| rule.is_egress() != Some(true)).map(|rule| seen(at, rule)).collect())
}

/// Every egress rule of the groups; the source of each is where it lets out to.
pub(super) async fn egress(at: &Account<'_>, groups: &[&str]) -> Result<Vec<Seen>, AwsFailure> {
    let rules = rules_of(at, groups).await?.into_iter();
    Ok(rules.filter(|rule| rule.is_egress() == Some(true)).map(|rule| seen(at, rule)).collect())
}

async fn rules_of(at: &Account<'_>, groups: &[&str]) -> Result<Vec<SecurityGroupRule>, AwsFailure> {
    let request = at.ec2().describe_security_group_rules().filters(filter("group-id", groups.iter().copied()));
    let mut rules = Vec::new();
    let mut page: Option<String> = None;
    loop {
        let request = request.clone().set_next_token(page.take());
        let answer = at.cloud.read(Operation::DescribeSecurityGroupRules, || request.clone().send()).await?;
        rules.extend(answer.security_group_rules.unwrap_or_default());
        match answer.next_token.filter(|token| !token.is_empty()) {
            Some(token) => page = Some(token),
            None => break,
        }
    }
    Ok(rules)
}

fn seen(at: &Account<'_>, rule: SecurityGroupRule) -> Seen {
    let description = rule.description.clone().unwrap_or_default();
    let ours = at.is_ours(rule.tags.as_deref()) || (rule.tags().is_empty() && description.starts_with("onramp:"));
    let group = rule.referenced_group_info.and_then(|group| group.group_id);
    let source = match (rule.cidr_ipv4, rule.cidr_ipv6, group, rule.prefix_list_id) {
        (Some(cidr), ..) => Source::V4(cidr),
        (_, Some(cidr), ..) => Source::V6(cidr),
        (_, _, Some(group), _) => Source::Group(group),
        (_, _, _, list) => Source::PrefixList(list.unwrap_or_default()),
    };
    let protocol = rule.ip_protocol.unwrap_or_default();
    let (from_port, to_port) = (rule.from_port.unwrap_or(-1), rule.to_port.unwrap_or(-1));
    let rule_id = rule.security_group_rule_id.unwrap_or_default();
    Seen { id: rule_id, rule: Rule { protocol, from_port, to_port, source, description }, ours }
}

/// What every account may have in one group, of one direction: Amazon VPC quotas, "Inbound or outbound rules per security group".
const RULES: usize = 60;

/// With these rules the group would have more than the account may have: nothing of them is written then. AWS counts those for IPv6
/// apart from all others.
async fn too_many(
    at: &Account<'_>,
    noun: &str,
    there: &[Seen],
    missing: &[&Rule],
) -> Result<Option<Sight>, AwsFailure> {
    let six = |rule: &Rule| matches!(rule.source, Source::V6(_));
    let count = |of_six: bool| {
        let there = there.iter().filter(|seen| six(&seen.rule) == of_six).count();
        there + missing.iter().filter(|rule| six(rule) == of_six).count()
    };
    let most = count(false).max(count(true));
    if missing.is_empty() || most <= RULES {
        return Ok(None);
    }
    let quota = Quota::rules_of_a_group().now(at.cloud).await?;
    let allowed = quota.and_then(|quota| quota.value()).unwrap_or(RULES as f64);
    if most as f64 <= allowed {
        return Ok(None);
    }
    let said = format!("{noun} would have {most} rules, and the account may have {allowed} in one group");
    let differences = vec![difference("rules", format!("{allowed} at most"), most.to_string())];
    Ok(Some(Sight::Foreign { said, differences }))
}

/// A placeholder source cannot be compared yet; it is taken to be there.
fn is_there(wanted: &Rule, seen: &[Seen]) -> bool {
    !known(wanted.source.text()) || seen.iter().any(|seen| seen.rule.opens_the_same(wanted))
}

/// `aws/security-group`
pub(super) struct TheSecurityGroup {
    vpc: String,
    name: String,
    description: String,
    rules: Vec<Rule>,
    label: Label,
}

impl TheSecurityGroup {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let label = label(subject, arguments)?;
        let mut all = Vec::new();
        for rule in arguments.maps("ingress")? {
            rule.only(&["port", "from_port", "to_port", "protocol", "cidrs", "group", "why"])?;
            all.extend(rules(rule, "group", &label.key)?);
        }
        Ok(TheSecurityGroup {
            vpc: arguments.text("vpc")?,
            name: arguments.text("name")?,
            description: describing(
                &arguments.optional("description")?.unwrap_or_else(|| format!("onramp {}", label.key)),
            ),
            rules: all,
            label,
        })
    }

    async fn describe(&self, at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<SecurityGroup>, AwsFailure> {
        let request = at.ec2().describe_security_groups().set_filters(Some(filters));
        let answer = at
            .cloud
            .read_together(Operation::DescribeSecurityGroups, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?;
        Ok(answer.security_groups.unwrap_or_default())
    }

    fn authorize(&self, group: &str, rule: &Rule) -> Call {
        authorize(group, rule, &self.label)
    }
}

fn authorize(group: &str, rule: &Rule, label: &Label) -> Call {
    Call::AuthorizeSecurityGroupIngress {
        group_id: group.to_owned(),
        ip_permissions: rule.clone(),
        tag_specifications: label.clone(),
    }
}

#[async_trait]
impl Thing for TheSecurityGroup {
    fn noun(&self) -> String {
        format!("security group {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        let create = Call::CreateSecurityGroup {
            vpc_id: self.vpc.clone(),
            group_name: self.name.clone(),
            description: self.description.clone(),
            tag_specifications: self.label.clone(),
        };
        std::iter::once(create).chain(self.rules.iter().map(|rule| self.authorize(ITSELF, rule))).collect()
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.describe(at, at.ours("group-id")).await?;
        let group = match at.only_one(&self.label.key, ours, SecurityGroup::group_id, SecurityGroup::tags) {
            Some(group) => group,
            None if !known(&self.vpc) => {
                return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
            }
            None => {
                let place = vec![filter("vpc-id", [self.vpc.as_str()]), filter("group-name", [self.name.as_str()])];
                let all: Vec<&Rule> = self.rules.iter().collect();
                return Ok(match self.describe(at, place).await?.first() {
                    None => match too_many(at, &self.noun(), &[], &all).await? {
                        Some(crowded) => crowded,
                        None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
                    },
                    Some(other) => {
                        let by = (other.group_id().unwrap_or_default(), other.tags.as_deref());
                        let place = format!("the name {} in {}", self.name, self.vpc);
                        at.taken(&self.noun(), &self.label.key, &place, by)
                    }
                });
            }
        };
        let id = group.group_id().unwrap_or_default();
        let compared = [("VPC", self.vpc.as_str(), group.vpc_id()), ("name", &self.name, group.group_name())];
        let wrong = differing(&compared);
        if !wrong.is_empty() {
            return Ok(Sight::Foreign {
                said: format!("{} is there as {id}, but another", self.noun()),
                differences: wrong,
            });
        }
        let seen = ingress(at, &[id]).await?;
        let missing: Vec<&Rule> = self.rules.iter().filter(|rule| !is_there(rule, &seen)).collect();
        if let Some(crowded) = too_many(at, &self.noun(), &seen, &missing).await? {
            return Ok(crowded);
        }
        let extra =
            seen.iter().filter(|seen| !seen.ours && !self.rules.iter().any(|rule| rule.opens_the_same(&seen.rule)));
        let mut differences: Vec<_> =
            missing.iter().map(|rule| difference("a rule", rule.said(), "not there")).collect();
        differences
            .extend(extra.map(|seen| difference("a rule", "not there", format!("{} ({})", seen.rule.said(), seen.id))));
        if differences.is_empty() {
            let said = format!("{id} with {}", crate::text::count(self.rules.len(), "rule"));
            return Ok(Sight::Ready(found(said, json!({ "id": id }))));
        }
        if missing.is_empty() {
            let said = format!("{} ({id}) lets in more than was planned", self.noun());
            return Ok(Sight::Foreign { said, differences });
        }
        let missing = missing.into_iter().map(|rule| self.authorize(id, rule)).collect();
        let said = format!("{} is there as {id}, but not complete", self.noun());
        Ok(Sight::Partial(Partial { said, differences, missing, keep: [("id".to_owned(), json!(id))].into() }))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("group-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, SecurityGroup::tags), SecurityGroup::group_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteSecurityGroup { group_id: id.to_owned() }]
    }

    async fn dependents(&self, at: &Account<'_>, id: &str) -> Result<Vec<String>, AwsFailure> {
        dependents::of_group(at, id).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("group-id", [id])]).await?;
        let tags = there.first().map(|group| group.tags.as_deref());
        Ok(at.remains(id, tags, vec![Call::DeleteSecurityGroup { group_id: id.to_owned() }]))
    }
}

/// `aws/security-group-rule`: one door more in a group that is there.
pub(super) struct ExtraRules {
    group: String,
    rules: Vec<Rule>,
    label: Label,
}

impl ExtraRules {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let label = label(subject, arguments)?;
        let rules = rules(arguments, "source_group", &label.key)?;
        Ok(ExtraRules { group: arguments.text("group")?, rules, label })
    }
}

#[async_trait]
impl Thing for ExtraRules {
    fn noun(&self) -> String {
        format!("rule {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        self.rules.iter().map(|rule| authorize(&self.group, rule, &self.label)).collect()
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let nothing = || Sight::Nothing { said: format!("{} is not there", self.noun()) };
        if !known(&self.group) {
            return Ok(nothing());
        }
        let seen = ingress(at, &[&self.group]).await?;
        let (there, missing): (Vec<&Rule>, Vec<&Rule>) = self.rules.iter().partition(|rule| is_there(rule, &seen));
        if let Some(crowded) = too_many(at, &self.noun(), &seen, &missing).await? {
            return Ok(crowded);
        }
        if there.is_empty() {
            return Ok(nothing());
        }
        if missing.is_empty() {
            let ids: Vec<&str> = seen
                .iter()
                .filter(|seen| self.rules.iter().any(|rule| rule.opens_the_same(&seen.rule)))
                .map(|seen| seen.id.as_str())
                .collect();
            let said: Vec<String> = there.iter().map(|rule| rule.said()).collect();
            return Ok(Sight::Ready(found(format!("open: {}", crate::text::list(&said)), json!({ "ids": ids }))));
        }
        Ok(Sight::Partial(Partial {
            said: format!("{} is half there", self.noun()),
            differences: missing.iter().map(|rule| difference("a rule", rule.said(), "not there")).collect(),
            missing: missing.into_iter().map(|rule| authorize(&self.group, rule, &self.label)).collect(),
            keep: Default::default(),
        }))
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        let ids = made.0.get("ids").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut ids: Vec<String> = ids.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        if ids.is_empty() {
            ids.push("\u{2039}the rules of this step\u{203a}".to_owned());
        }
        vec![Call::RevokeSecurityGroupIngress { group_id: self.group.clone(), security_group_rule_ids: ids }]
    }

    async fn remains(&self, at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let seen = ingress(at, &[&self.group]).await?;
        let same = |seen: &&Seen| self.rules.iter().any(|rule| rule.opens_the_same(&seen.rule));
        let (ours, others): (Vec<&Seen>, Vec<&Seen>) = seen.iter().filter(same).partition(|seen| seen.ours);
        Ok(match (ours.is_empty(), others.first()) {
            (true, None) => Remains::Gone,
            (true, Some(other)) => Remains::NotOurs { said: format!("{} ({})", other.rule.said(), other.id) },
            (false, _) => Remains::Takes(vec![revoke(&self.group, &ours)]),
        })
    }
}

fn revoke(group: &str, rules: &[&Seen]) -> Call {
    let ids = rules.iter().map(|seen| seen.id.clone()).collect();
    Call::RevokeSecurityGroupIngress { group_id: group.to_owned(), security_group_rule_ids: ids }
}

/// `aws/security-group-closed`: nobody comes in by this port any more.
pub(super) struct Closed {
    group: String,
    port: u16,
    label: Label,
}

impl Closed {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let group = arguments.text("group")?;
        let missing =
            || Failure::new("the argument `port` of aws/security-group-closed is missing", "Correct the step.");
        let port = arguments.port("port")?.ok_or_else(missing)?;
        let key = arguments.optional("key")?.unwrap_or_else(|| format!("closed/{port}"));
        let label = Label { name: format!("{} {key}", subject.customer), key };
        Ok(Closed { group, port, label })
    }

    /// The rules that were there before, as `look` wrote them down.
    fn recorded(&self, made: &Made<'_>) -> impl Iterator<Item = Rule> {
        let recorded = made.0.get("revoked").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = |rule: &Json, name: &str| rule.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        recorded.iter().map(move |rule| Rule {
            protocol: "tcp".to_owned(),
            from_port: i32::from(self.port),
            to_port: i32::from(self.port),
            source: source_of(&text(rule, "source")),
            description: text(rule, "description"),
        })
    }

    /// Rules for this port alone, and rules for a range around it.
    async fn open(&self, at: &Account<'_>) -> Result<(Vec<Seen>, Vec<Seen>), AwsFailure> {
        let port = i32::from(self.port);
        let lets_in = |rule: &Rule| {
            rule.protocol == "-1" || (rule.protocol == "tcp" && (rule.from_port..=rule.to_port).contains(&port))
        };
        let seen = ingress(at, &[&self.group]).await?;
        let open = seen.into_iter().filter(|seen| lets_in(&seen.rule));
        Ok(open.partition(|seen| seen.rule.protocol == "tcp" && seen.rule.from_port == seen.rule.to_port))
    }
}

#[async_trait]
impl Thing for Closed {
    fn noun(&self) -> String {
        format!("port {} of {}", self.port, self.group)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::RevokeSecurityGroupIngress {
            group_id: self.group.clone(),
            security_group_rule_ids: vec![format!("\u{2039}every ingress rule of tcp {}\u{203a}", self.port)],
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        if !known(&self.group) {
            return Ok(Sight::Nothing { said: format!("{} is not closed yet", self.noun()) });
        }
        let (open, wide) = self.open(at).await?;
        if let Some(wide) = wide.first() {
            let said = format!("{} is inside a wider rule, which onramp does not cut", self.noun());
            let differences = vec![difference("a rule", "not there", format!("{} ({})", wide.rule.said(), wide.id))];
            return Ok(Sight::Foreign { said, differences });
        }
        if open.is_empty() {
            let said = format!("{} is closed", self.noun());
            return Ok(Sight::Ready(found(said, json!({}))));
        }
        let said: Vec<String> = open.iter().map(|seen| seen.rule.said()).collect();
        let now =
            open.iter().map(|seen| json!({ "source": seen.rule.source.text(), "description": seen.rule.description }));
        // Those that it closed before are its own, too.
        let earlier = at.subject.made.get("revoked").and_then(Json::as_array).cloned().unwrap_or_default();
        let mut recorded = earlier.clone();
        recorded.extend(now.filter(|rule| !earlier.contains(rule)));
        Ok(Sight::Partial(Partial {
            said: format!("{} is open: {}", self.noun(), crate::text::list(&said)),
            differences: said.iter().map(|rule| difference("a rule", "not there", rule.as_str())).collect(),
            missing: vec![revoke(&self.group, &open.iter().collect::<Vec<_>>())],
            keep: [("revoked".to_owned(), json!(recorded))].into(),
        }))
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        self.recorded(made).map(|rule| authorize(&self.group, &rule, &self.label)).collect()
    }

    /// To undo it is to put the recorded rules back.
    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let (open, _) = self.open(at).await?;
        let missing: Vec<Call> = self
            .recorded(made)
            .filter(|rule| !is_there(rule, &open))
            .map(|rule| authorize(&self.group, &rule, &self.label))
            .collect();
        Ok(if missing.is_empty() { Remains::Gone } else { Remains::Takes(missing) })
    }
}

fn source_of(text: &str) -> Source {
    if text.starts_with("sg-") {
        Source::Group(text.to_owned())
    } else if text.starts_with("pl-") {
        Source::PrefixList(text.to_owned())
    } else {
        Source::of_cidr(text)
    }
}

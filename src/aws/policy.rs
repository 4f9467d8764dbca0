//! The least-privilege policy for a set of operations, as IAM reads it.
//!
//! What onramp makes must carry the engagement's tag, and what it takes away must carry it already; what its objects are
//! built on may be anybody's. Where a condition is not certain to hold for every object that a step may be about, there is
//! none but the region. Sources: the service authorization reference (actions, resource types and condition keys of EC2
//! and Secrets Manager); "Tag on creation" of the EC2 user guide for ec2:CreateTags.

mod buckets;
mod named;
mod needs;
mod passed;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use self::buckets::is_of_buckets;
use self::passed::is_handed_on;
use super::operations::{Effect, Operation, Scope, Service};
use super::tags::ENGAGEMENT;

pub use self::named::{Named, deleting, sending};
pub use self::needs::{Needs, Use};
pub use self::passed::{Passed, TO_BACKUP, TO_EXPORT, linked_by, taken_by};

/// Where the policy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground<'a> {
    /// Twelve digits; any account when it is not known yet.
    pub account: Option<&'a str>,
    /// The engagement's.
    pub region: &'a str,
    /// The engagement's random id, as it stands in the tags.
    pub engagement: &'a str,
    /// Secrets that were given and are read where they are, by name or ARN.
    pub secrets: Vec<String>,
}

/// In ARNs and conditions: whatever it is; of regions, of buckets and of what is made in IAM, where nobody can tell yet.
pub const ANY: &str = "*";

/// The permission to tag with EC2, and the one to take tags off.
const TAG: &str = "ec2:CreateTags";
const UNTAG: &str = "ec2:DeleteTags";

impl Ground<'_> {
    fn partition(&self) -> &'static str {
        match self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// All resources of a type in a region.
    fn all_in(&self, region: &str, service: Service, of: &str) -> String {
        // An image belongs to its publisher, and a snapshot may; their ARNs have no account.
        let account = if service == Service::Ec2 && ["image", "snapshot"].contains(&of) {
            ""
        } else {
            self.account.unwrap_or("*")
        };
        let (partition, prefix) = (self.partition(), service.prefix());
        let separator =
            if [Service::SecretsManager, Service::Rds, Service::Logs].contains(&service) { ":" } else { "/" };
        format!("arn:{partition}:{prefix}:{region}:{account}:{of}{separator}*")
    }

    /// AWS puts a hyphen and six characters behind the name.
    fn secret(&self, id: &str) -> String {
        let all = self.all_in(self.region, Service::SecretsManager, "secret");
        if id.starts_with("arn:") { id.to_owned() } else { all.replace(":secret:*", &format!(":secret:{id}-??????")) }
    }
}

/// What IAM takes in one managed policy, in characters (IAM quotas: white space is not counted).
const LONGEST: usize = 6_144;

/// Of the longest names no more fit into one document.
const ACTIONS: usize = 100;

/// The policy that allows what these steps need and nothing else; in several documents, to be attached together, where one
/// would be longer than IAM takes.
pub fn policies(needs: &[Needs], ground: &Ground<'_>) -> Vec<Json> {
    let mut documents: Vec<Vec<Json>> = vec![Vec::new()];
    for statement in statements(needs, ground) {
        let fits = |open: &Vec<Json>| length(&document(open)) + length(&statement) < LONGEST;
        match documents.last_mut().filter(|open| open.is_empty() || fits(open)) {
            Some(open) => open.push(statement),
            None => documents.push(vec![statement]),
        }
    }
    documents.iter().map(|statements| document(statements)).collect()
}

fn document(statements: &[Json]) -> Json {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn length(json: &Json) -> usize {
    json.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// Each region has statements of its own, for what is used there.
fn statements(needs: &[Needs], ground: &Ground<'_>) -> Vec<Json> {
    let mut statements = everywhere(needs);
    let regions: BTreeSet<&str> = needs.iter().flat_map(Needs::all_regions).collect();
    for region in regions {
        statements.extend(Here::of(region, needs, ground).statements());
    }
    if !ground.secrets.is_empty() {
        let read = BTreeSet::from(["secretsmanager:GetSecretValue".to_owned()]);
        let which: BTreeSet<String> = ground.secrets.iter().map(|id| ground.secret(id)).collect();
        statements.push(statement("ReadWhatWasGiven", read, json!(which), None));
    }
    statements.extend(passed::statements(needs, ground));
    statements
}

/// A service that is one for all regions is asked in a region of its own.
fn everywhere(needs: &[Needs]) -> Vec<Json> {
    let all: BTreeSet<Operation> = needs.iter().flat_map(Needs::operations).collect();
    let (reads, changes): (Vec<Operation>, Vec<Operation>) =
        all.into_iter().filter(|one| one.row().service.is_everywhere()).partition(|one| !one.changes());
    let behind = needs.iter().flat_map(|one| &one.permissions).filter(|permission| is_everywhere(permission));
    let behind = behind.filter(|permission| !has_another(permission)).cloned().collect();
    let each =
        [("LookEverywhere", names(reads)), ("ArrangeEverywhere", names(changes)), ("BehindTheTypesEverywhere", behind)];
    let said = each.into_iter().filter(|(_, actions)| !actions.is_empty());
    said.map(|(sid, actions)| statement(sid, actions, json!(ANY), None)).collect()
}

/// Has it statements elsewhere than those of what is done behind the types?
fn has_another(permission: &str) -> bool {
    is_handed_on(permission) || is_of_buckets(permission)
}

/// What stands on everything of its kind, because nobody can tell yet which one it is.
pub fn unnamed(needs: &[Needs], ground: &Ground<'_>) -> Vec<&'static str> {
    let any = |one: &Needs| one.all_regions().any(|region| region == ANY);
    let regions = needs.iter().any(any).then_some("the region (each is allowed)");
    let buckets = buckets::are_unnamed(needs, ground).then_some("a bucket (all are allowed)");
    [regions, buckets].into_iter().flatten().chain(passed::unnamed(needs)).collect()
}

/// What is used in one region.
struct Here<'a> {
    ground: &'a Ground<'a>,
    region: &'a str,
    /// With the types that each is built on.
    operations: BTreeMap<Operation, BTreeSet<&'static str>>,
    /// What they do in our name, by the service that does it.
    acts_by: BTreeSet<(Service, &'static str)>,
    further: BTreeSet<&'a str>,
    buckets: BTreeSet<&'a str>,
    /// Actions that stand on names, with them.
    named: BTreeMap<&'static str, BTreeSet<&'a str>>,
}

impl<'a> Here<'a> {
    fn of(region: &'a str, needs: &'a [Needs], ground: &'a Ground<'a>) -> Here<'a> {
        let (mut operations, mut acts_by) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeSet::new());
        for used in needs.iter().flat_map(|one| &one.uses).filter(|one| one.regions.contains(region)) {
            let row = used.operation.row();
            let on = if let Scope::New { on, .. } | Scope::Ours { on, .. } = row.scope { on } else { &[] };
            operations.entry(used.operation).or_default().extend(used.touches(on));
            acts_by.extend(used.touches(row.acts_by()).map(|permission| (row.service, permission)));
        }
        let here = || needs.iter().filter(|one| one.regions.contains(region));
        let further = here().flat_map(|one| &one.permissions).map(String::as_str).collect();
        let buckets = here().flat_map(|one| &one.buckets).map(String::as_str).collect();
        let named = named::named_in(region, needs);
        Here { ground, region, operations, acts_by, further, buckets, named }
    }

    fn all(&self, service: Service, of: &str) -> String {
        self.ground.all_in(self.region, service, of)
    }

    /// In this region, and with the engagement's tag under that key where one is named.
    fn condition(&self, tags: Option<&str>) -> Json {
        let tagged = tags.map(|key| (format!("{key}/{ENGAGEMENT}"), json!(self.ground.engagement)));
        let region = ("aws:RequestedRegion".to_owned(), json!(self.region));
        match self.region {
            ANY => match tagged {
                Some((key, value)) => json!({ "StringEquals": { key: value } }),
                None => json!({ "StringLike": { "aws:RequestedRegion": ANY } }),
            },
            _ => json!({ "StringEquals": tagged.into_iter().chain([region]).collect::<Map<_, _>>() }),
        }
    }

    fn tagged(&self, key: &str) -> Json {
        json!({ "StringEquals": { format!("{key}/{ENGAGEMENT}"): self.ground.engagement } })
    }

    /// `Look`, and of another region than the engagement's `LookInEuCentral1`.
    fn sid(&self, what: &str) -> String {
        let capital = |word: &str| -> String {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
        };
        match self.region {
            region if region == self.ground.region => what.to_owned(),
            ANY => format!("{what}InAnyRegion"),
            region => format!("{what}In{}", region.split('-').map(capital).collect::<String>()),
        }
    }

    fn with(&self, scope: fn(&Scope) -> bool) -> Vec<Operation> {
        self.operations.keys().copied().filter(|one| scope(&one.row().scope)).collect()
    }

    fn statements(&self) -> Vec<Json> {
        let mut statements = Vec::new();
        let mut say = |what: &str, actions: BTreeSet<String>, resources: Json, condition: Option<Json>| {
            if !actions.is_empty() {
                statements.push(statement(&self.sid(what), actions, resources, condition));
            }
        };
        let anywhere = self.with(|scope| *scope == Scope::Any).into_iter();
        let anywhere = anywhere.filter(|one| one.row().service != Service::S3 && !one.row().service.is_everywhere());
        let (reads, changes) = anywhere.partition(|one| one.row().effect == Effect::Reads);
        let on_all = |permission: &String| !self.named.contains_key(permission.as_str());
        say("Look", names(reads), json!("*"), Some(self.condition(None)));
        let changes = names(changes).into_iter().filter(on_all).collect();
        say("Arrange", changes, json!("*"), Some(self.condition(None)));
        let acts_by = self.acts_by.iter().map(|(_, permission)| (*permission).to_owned());
        let acts_by = acts_by.filter(|permission| !is_handed_on(permission)).collect();
        say("ActInOurName", acts_by, json!("*"), Some(self.condition(None)));
        let behind = self.creators_behind();
        let retags = |permission: &str| !behind.is_empty() && [TAG, UNTAG].contains(&permission);
        let (retagged, further): (BTreeSet<String>, BTreeSet<String>) =
            self.further.iter().map(|one| (*one).to_owned()).partition(|permission| retags(permission));
        let regional = |one: &String| !has_another(one) && !is_everywhere(one) && on_all(one);
        let regional = further.into_iter().filter(regional).collect();
        for (number, part) in portions(regional).into_iter().enumerate() {
            say(&format!("BehindTheTypes{}", number + 1), part, json!("*"), Some(self.condition(None)));
        }

        let made = self.with(|scope| matches!(scope, Scope::New { .. }));
        let (anywhere, of_types): (Vec<Operation>, Vec<Operation>) =
            made.iter().partition(|one| matches!(one.row().scope, Scope::New { types: [], .. }));
        let request = Some("aws:RequestTag");
        say("Make", names(of_types.clone()), self.resources(&of_types), Some(self.tagged("aws:RequestTag")));
        say("MakeAnywhere", names(anywhere), json!("*"), Some(self.condition(request)));
        let of_ec2: Vec<Operation> = made.iter().copied().filter(|one| one.row().service == Service::Ec2).collect();
        let creators: BTreeSet<&str> = of_ec2.iter().map(|one| one.name()).chain(behind.iter().copied()).collect();
        let tagging = (!creators.is_empty()).then(|| TAG.to_owned()).into_iter().collect();
        // What is made behind a type may be anything of EC2; "every type" does not reach those whose ARNs have no account.
        let tagged: BTreeSet<String> = match behind.is_empty() {
            true => self.made_by(&of_ec2),
            false => {
                let of_nobody = self.made_by(&of_ec2).into_iter().filter(|arn| arn.contains("::"));
                of_nobody.chain([self.all(Service::Ec2, ANY)]).collect()
            }
        };
        let created = json!({ "StringEquals": { "ec2:CreateAction": creators } });
        say("TagWhatIsMade", tagging, json!(tagged), Some(created));
        say("TagOurs", retagged, json!([self.all(Service::Ec2, ANY)]), Some(self.tagged("aws:ResourceTag")));
        let ours = self.with(|scope| matches!(scope, Scope::Ours { .. }));
        for (number, (on, built)) in self.built_on(&[made, ours.clone()].concat()).into_iter().enumerate() {
            let resources: Vec<String> = on.iter().map(|of| self.all(Service::Ec2, of)).collect();
            say(&format!("BuildOn{}", number + 1), names(built), json!(resources), None);
        }
        say("OnlyOurs", names(ours.clone()), self.resources(&ours), Some(self.tagged("aws:ResourceTag")));
        statements.extend(named::statements(self));
        statements.extend(buckets::statements(self));
        statements.extend(passed::keys(self));
        statements
    }

    /// The calls to EC2 by which the services behind the types make something that carries tags: `CreateVpcEndpoint`.
    fn creators_behind(&self) -> BTreeSet<&'a str> {
        let all = self.further.iter().filter(|_| self.further.contains(TAG)).filter(|one| **one != TAG);
        all.filter_map(|one| one.strip_prefix("ec2:")).filter(|action| action.starts_with("Create")).collect()
    }

    fn resources(&self, operations: &[Operation]) -> Json {
        let ours = operations.iter().filter_map(|one| match one.row().scope {
            Scope::Ours { of, .. } => Some(self.all(one.row().service, of)),
            _ => None,
        });
        json!(ours.chain(self.made_by(operations)).collect::<BTreeSet<String>>())
    }

    fn made_by(&self, operations: &[Operation]) -> BTreeSet<String> {
        let made = operations.iter().flat_map(|one| match one.row().scope {
            Scope::New { types, .. } => types.iter().map(|of| self.all(one.row().service, of)).collect(),
            _ => Vec::new(),
        });
        made.collect()
    }

    /// The operations by what they build on.
    fn built_on(&self, made: &[Operation]) -> BTreeMap<&BTreeSet<&'static str>, Vec<Operation>> {
        let mut by = BTreeMap::<_, Vec<Operation>>::new();
        for &operation in made {
            if let Some(on) = self.operations.get(&operation).filter(|on| !on.is_empty()) {
                by.entry(on).or_default().push(operation);
            }
        }
        by
    }
}

/// IAM and Route 53 are one for all regions, and so is the list of an account's buckets.
fn is_everywhere(permission: &str) -> bool {
    permission.starts_with("iam:") || permission.starts_with("route53:") || permission == "s3:ListAllMyBuckets"
}

/// No statement may be longer than a policy.
fn portions(actions: BTreeSet<String>) -> Vec<BTreeSet<String>> {
    let all: Vec<String> = actions.into_iter().collect();
    all.chunks(ACTIONS).map(|part| part.iter().cloned().collect()).collect()
}

fn statement(sid: &str, actions: BTreeSet<String>, resources: Json, condition: Option<Json>) -> Json {
    let mut out = Map::new();
    out.insert("Sid".to_owned(), json!(sid));
    out.insert("Effect".to_owned(), json!("Allow"));
    out.insert("Action".to_owned(), json!(actions));
    out.insert("Resource".to_owned(), resources);
    if let Some(condition) = condition {
        out.insert("Condition".to_owned(), condition);
    }
    Json::Object(out)
}

/// The permissions; that of EC2 to tag, and those that a service uses in our name, have statements of their own.
fn names(operations: Vec<Operation>) -> BTreeSet<String> {
    let own = |one: Operation| {
        let others = one.row().acts_by();
        one.permissions().into_iter().filter(move |permission| !others.contains(&permission.as_str()))
    };
    operations.into_iter().flat_map(own).filter(|permission| permission != TAG).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ResourceType;

    pub(super) const GROUND: Ground<'static> = Ground {
        account: Some("123456789012"),
        region: "eu-west-1",
        engagement: "0123456789abcdef",
        secrets: Vec::new(),
    };

    pub(super) fn of(operations: &[Operation]) -> Json {
        of_needs(&[sending(operations)])
    }

    pub(super) fn of_needs(needs: &[Needs]) -> Json {
        of_ground(needs, &GROUND)
    }

    pub(super) fn of_ground(needs: &[Needs], ground: &Ground<'_>) -> Json {
        document(&statements(needs, ground))
    }

    /// A step that sends these in the engagement's region, and only there.
    pub(super) fn sending(operations: &[Operation]) -> Needs {
        sending_in(GROUND.region, operations)
    }

    fn sending_in(region: &str, operations: &[Operation]) -> Needs {
        let uses = operations.iter().map(|&operation| Use::of(operation, region)).collect();
        Needs { uses, regions: [region.to_owned()].into(), ..Needs::default() }
    }

    /// The same with what is done behind the types.
    pub(super) fn behind<'a>(permissions: impl IntoIterator<Item = &'a str>) -> Needs {
        let permissions = permissions.into_iter().map(str::to_owned).collect();
        Needs { permissions, ..sending(&[Operation::CreateResource]) }
    }

    pub(super) fn statement<'a>(policy: &'a Json, sid: &str) -> &'a Json {
        policy["Statement"].as_array().unwrap().iter().find(|one| one["Sid"] == sid).unwrap_or(&Json::Null)
    }

    #[test]
    fn what_is_made_carries_our_tag_and_what_it_is_built_on_may_be_anybodys() {
        let policy = of(&[Operation::CreateSubnet, Operation::DescribeSubnets, Operation::DeleteSubnet]);
        let subnets = json!(["arn:aws:ec2:eu-west-1:123456789012:subnet/*"]);
        let make = statement(&policy, "Make");
        assert_eq!(make["Action"], json!(["ec2:CreateSubnet"]));
        assert_eq!(make["Resource"], subnets);
        assert_eq!(
            make["Condition"],
            json!({ "StringEquals": { "aws:RequestTag/onramp:engagement": "0123456789abcdef" } })
        );
        let on = statement(&policy, "BuildOn1");
        assert_eq!(on["Action"], json!(["ec2:CreateSubnet"]));
        assert_eq!(on["Resource"], json!(["arn:aws:ec2:eu-west-1:123456789012:vpc/*"]));
        let tags = statement(&policy, "TagWhatIsMade");
        assert_eq!(tags["Condition"], json!({ "StringEquals": { "ec2:CreateAction": ["CreateSubnet"] } }));
        let ours = statement(&policy, "OnlyOurs");
        assert_eq!((&ours["Action"], &ours["Resource"]), (&json!(["ec2:DeleteSubnet"]), &subnets));
        assert_eq!(
            ours["Condition"],
            json!({ "StringEquals": { "aws:ResourceTag/onramp:engagement": "0123456789abcdef" } })
        );
        assert_eq!(statement(&policy, "Look")["Action"], json!(["ec2:DescribeSubnets"]));
    }

    #[test]
    fn a_gateway_that_is_detached_is_ours_and_its_vpc_may_be_anybodys() {
        let policy = of(&[Operation::DetachInternetGateway]);
        let arn = |of: &str| json!([format!("arn:aws:ec2:eu-west-1:123456789012:{of}/*")]);
        assert_eq!(statement(&policy, "OnlyOurs")["Resource"], arn("internet-gateway"));
        assert_eq!(statement(&policy, "BuildOn1")["Resource"], arn("vpc"));
        assert_eq!(statement(&policy, "Arrange"), &Json::Null);
    }

    #[test]
    fn where_nobody_can_tell_the_region_yet_it_may_be_any() {
        let needs =
            [sending_in(ANY, &[Operation::CreateVpc, Operation::DescribeVpcs]), sending(&[Operation::CreateSubnet])];
        let policy = of_needs(&needs);
        let look = statement(&policy, "LookInAnyRegion");
        assert_eq!(look["Condition"], json!({ "StringLike": { "aws:RequestedRegion": "*" } }));
        assert_eq!(statement(&policy, "MakeInAnyRegion")["Resource"], json!(["arn:aws:ec2:*:123456789012:vpc/*"]));
        assert_eq!(statement(&policy, "Make")["Action"], json!(["ec2:CreateSubnet"]), "the other one is known");
        assert_eq!(unnamed(&needs, &GROUND).len(), 1, "and that is said");
    }

    /// One step in another region opens that region for what it sends, and for nothing else.
    #[test]
    fn an_action_is_allowed_in_the_regions_in_which_it_is_used_and_in_no_other() {
        let there = Needs {
            permissions: vec!["sns:CreateTopic".to_owned()],
            buckets: vec!["acme-away".to_owned()],
            ..sending_in("us-east-1", &[Operation::CreateResource, Operation::CreateDBSnapshot])
        };
        let here = Needs {
            permissions: vec!["logs:CreateLogGroup".to_owned()],
            ..sending(&[Operation::CreateResource, Operation::DescribeVpcs, Operation::PutObject])
        };
        let needs = [Needs { buckets: vec!["acme".to_owned()], ..here }, there];
        let policy = of_needs(&needs);
        let regions = |action: &str| -> Vec<&Json> {
            let all = policy["Statement"].as_array().unwrap().iter();
            let of = all.filter(|one| one["Action"].as_array().unwrap().contains(&json!(action)));
            of.map(|one| &one["Condition"]["StringEquals"]["aws:RequestedRegion"]).collect()
        };
        for (action, wanted) in [
            ("ec2:DescribeVpcs", vec!["eu-west-1"]),
            ("logs:CreateLogGroup", vec!["eu-west-1"]),
            ("s3:PutObject", vec!["eu-west-1"]),
            ("sns:CreateTopic", vec!["us-east-1"]),
            ("rds:CreateDBSnapshot", vec!["us-east-1"]),
            ("cloudformation:CreateResource", vec!["eu-west-1", "us-east-1"]),
        ] {
            assert_eq!(regions(action), wanted, "{action}: {policy:#}");
        }
        assert_eq!(statement(&policy, "InTheBuckets")["Resource"], json!(["arn:aws:s3:::acme/*"]));
        let sids: BTreeSet<String> = sids_of(&policy);
        assert_eq!(sids.len(), policy["Statement"].as_array().unwrap().len(), "each has a name of its own: {sids:?}");
        assert!(sids.contains("BehindTheTypes1InUsEast1"), "{sids:?}");
    }

    fn sids_of(policy: &Json) -> BTreeSet<String> {
        policy["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].to_string().replace('"', "")).collect()
    }

    #[test]
    fn it_is_tagged_only_what_is_made_and_built_only_on_what_the_step_is_about() {
        let vpn =
            Use { spared: vec!["transit-gateway", "logs:"], ..Use::of(Operation::CreateVpnConnection, "eu-west-1") };
        let policy = of_needs(&[Needs { uses: vec![vpn.clone()], ..Needs::default() }]);
        let arn = |of: &str| format!("arn:aws:ec2:eu-west-1:123456789012:{of}/*");
        let on = |policy: &Json| statement(policy, "BuildOn1")["Resource"].clone();
        assert_eq!(on(&policy), json!([arn("customer-gateway"), arn("vpn-gateway")]));
        assert_eq!(statement(&policy, "TagWhatIsMade")["Resource"], json!([arn("vpn-connection")]));
        assert_eq!(statement(&policy, "ActInOurName"), &Json::Null, "it writes no log");
        let transit = Use { spared: vec!["vpn-gateway"], ..vpn.clone() };
        let both = of_needs(&[Needs { uses: vec![vpn, transit], ..Needs::default() }]);
        assert_eq!(on(&both), json!([arn("customer-gateway"), arn("transit-gateway"), arn("vpn-gateway")]));
        assert!(statement(&both, "ActInOurName").to_string().contains("logs:CreateLogDelivery"));
    }

    #[test]
    fn every_permission_of_the_table_is_allowed_once_and_every_part_fits_a_managed_policy() {
        let parts = policies(&[sending(Operation::ALL)], &GROUND);
        let statements: Vec<&Json> = parts.iter().flat_map(|part| part["Statement"].as_array().unwrap()).collect();
        assert_eq!(statements.len(), of(Operation::ALL)["Statement"].as_array().unwrap().len());
        let allowed = |permission: &str| {
            statements.iter().filter(|one| one["Action"].as_array().unwrap().contains(&json!(permission))).count()
        };
        for operation in Operation::ALL {
            for permission in operation.permissions() {
                assert!((1..=2).contains(&allowed(&permission)), "{permission}: {}", allowed(&permission));
            }
        }
        assert!(parts.len() > 1, "the whole table is more than one policy");
        for part in &parts {
            assert!(length(part) <= LONGEST, "{} characters", length(part));
        }
        assert_eq!(policies(&[sending(&[Operation::CreateVpc])], &GROUND).len(), 1);
    }

    #[test]
    fn what_is_copied_to_another_region_may_be_made_and_taken_away_there() {
        let mut copy = sending_in("eu-central-1", &[Operation::CopySnapshot, Operation::DeleteDBSnapshot]);
        copy.uses[0].regions.insert("eu-west-1".to_owned());
        let policy = of_needs(&[copy]);
        for (sid, region) in [("", "eu-west-1"), ("InEuCentral1", "eu-central-1")] {
            let copies = json!([format!("arn:aws:ec2:{region}::snapshot/*")]);
            for what in ["Make", "BuildOn1", "TagWhatIsMade"] {
                let found = &statement(&policy, &format!("{what}{sid}"))["Resource"];
                assert_eq!(found, &copies, "{what} in {region}: an ARN without an account is of no account");
            }
        }
        let ours = statement(&policy, "OnlyOursInEuCentral1");
        assert_eq!(ours["Resource"], json!(["arn:aws:rds:eu-central-1:123456789012:snapshot:*"]));
        assert_eq!(statement(&policy, "OnlyOurs"), &Json::Null, "nothing is taken away from where it was copied");
    }

    #[test]
    fn what_is_one_for_all_regions_is_not_tied_to_one_and_what_acts_in_our_name_may() {
        let policy = of(&[Operation::CreateHostedZone, Operation::GetChange, Operation::CreateResolverEndpoint]);
        for (sid, action) in
            [("ArrangeEverywhere", "route53:CreateHostedZone"), ("LookEverywhere", "route53:GetChange")]
        {
            let found = statement(&policy, sid);
            assert_eq!((&found["Action"], &found["Condition"]), (&json!([action]), &Json::Null));
        }
        let make = statement(&policy, "Make");
        assert_eq!(make["Action"], json!(["route53resolver:CreateResolverEndpoint", "route53resolver:TagResource"]));
        assert_eq!(make["Resource"], json!(["arn:aws:route53resolver:eu-west-1:123456789012:resolver-endpoint/*"]));
        let acts = statement(&policy, "ActInOurName")["Action"].as_array().unwrap();
        assert!(acts.contains(&json!("ec2:CreateNetworkInterface")) && acts.contains(&json!("ec2:DescribeVpcs")));
    }

    #[test]
    fn a_secret_is_of_its_service_and_a_region_of_its_partition() {
        let ground = Ground { region: "cn-north-1", account: None, ..GROUND };
        let policy = of_ground(&[sending_in(ground.region, &[Operation::CreateSecret])], &ground);
        let make = statement(&policy, "Make");
        assert_eq!(make["Resource"], json!(["arn:aws-cn:secretsmanager:cn-north-1:*:secret:*"]));
        assert_eq!(make["Action"], json!(["secretsmanager:CreateSecret", "secretsmanager:TagResource"]));
        assert_eq!(statement(&policy, "TagWhatIsMade"), &Json::Null);
    }

    #[test]
    fn what_the_types_need_is_allowed_in_the_region_and_what_has_none_everywhere() {
        let needs = behind(["iam:GetRole", "route53:CreateHostedZone", "s3:ListAllMyBuckets", "sns:CreateTopic"]);
        let policy = of_needs(&[needs]);
        let regional = statement(&policy, "BehindTheTypes1");
        assert_eq!(regional["Action"], json!(["sns:CreateTopic"]));
        assert_eq!(regional["Condition"], json!({ "StringEquals": { "aws:RequestedRegion": "eu-west-1" } }));
        let everywhere = statement(&policy, "BehindTheTypesEverywhere");
        assert_eq!(everywhere["Action"], json!(["iam:GetRole", "route53:CreateHostedZone", "s3:ListAllMyBuckets"]));
        assert_eq!(everywhere["Condition"], Json::Null);
        assert_eq!(statement(&policy, "Arrange")["Action"], json!(["cloudformation:CreateResource"]));
        let all = behind(ResourceType::ALL.iter().flat_map(ResourceType::permissions));
        let parts = policies(&[all], &GROUND);
        assert!(parts.len() > 1 && parts.iter().all(|part| length(part) <= LONGEST));
    }

    #[test]
    fn what_is_made_behind_a_type_is_tagged_when_it_is_made_or_where_it_is_ours() {
        let endpoint = ResourceType::named("AWS::EC2::VPCEndpoint").unwrap();
        let policy = of_needs(&[behind(endpoint.permissions()), sending(&[Operation::CreateVpc])]);
        let made = statement(&policy, "TagWhatIsMade");
        let creators = json!({ "StringEquals": { "ec2:CreateAction": ["CreateVpc", "CreateVpcEndpoint"] } });
        assert_eq!((&made["Action"], &made["Condition"]), (&json!([TAG]), &creators));
        assert_eq!(made["Resource"], json!(["arn:aws:ec2:eu-west-1:123456789012:*/*"]));
        let ours = statement(&policy, "TagOurs");
        assert_eq!(ours["Action"], json!([TAG, UNTAG]));
        assert_eq!(ours["Resource"], json!(["arn:aws:ec2:eu-west-1:123456789012:*/*"]));
        let tagged = json!({ "StringEquals": { "aws:ResourceTag/onramp:engagement": "0123456789abcdef" } });
        assert_eq!(ours["Condition"], tagged);
        let behind = statement(&policy, "BehindTheTypes1")["Action"].to_string();
        assert!(
            behind.contains("ec2:CreateVpcEndpoint") && !behind.contains(TAG) && !behind.contains(UNTAG),
            "{behind}"
        );
    }

    #[test]
    fn a_secret_that_was_given_may_be_read_and_no_other() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:theirs-AbCdEf".to_owned();
        let ground = Ground { secrets: vec!["psk/one".to_owned(), arn.clone()], ..GROUND };
        let policy = of_ground(&[], &ground);
        let read = statement(&policy, "ReadWhatWasGiven");
        assert_eq!(read["Action"], json!(["secretsmanager:GetSecretValue"]));
        let named = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:psk/one-??????";
        assert_eq!(read["Resource"], json!([named, arn]));
    }
}

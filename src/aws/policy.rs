//! The least-privilege policy for a set of operations, as IAM reads it.
//!
//! What onramp makes must carry the engagement's tag, and what it takes away must carry it already; what its objects are
//! built on may be anybody's. Where a condition is not certain to hold for every object that a step may be about, there is
//! none but the region. Sources: the service authorization reference (actions, resource types and condition keys of EC2
//! and Secrets Manager); "Tag on creation" of the EC2 user guide for ec2:CreateTags.

mod buckets;
mod passed;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use self::buckets::is_of_buckets;
use self::passed::is_handed_on;
use super::operations::{Effect, Operation, Scope, Service};
use super::tags::ENGAGEMENT;

pub use self::passed::{Passed, TO_BACKUP, TO_EXPORT, taken_by};

/// Where the policy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground<'a> {
    /// Twelve digits; any account when it is not known yet.
    pub account: Option<&'a str>,
    pub region: &'a str,
    /// The engagement's random id, as it stands in the tags.
    pub engagement: &'a str,
    /// Secrets that were given and are read where they are, by name or ARN.
    pub secrets: Vec<String>,
    /// Permissions that no operation tells: those of the services behind the types of resources.
    pub further: BTreeSet<String>,
    /// Regions beside the engagement's; `*` stands for any.
    pub regions: BTreeSet<String>,
    /// Roles that steps give to a service.
    pub roles: BTreeSet<Passed>,
    /// What steps make in IAM, as ARNs end: `user/onramp-acme-smtp`; `*` where nobody can tell.
    pub identities: BTreeSet<String>,
    /// Buckets that steps make, or read and write in; `*` where nobody can tell.
    pub buckets: BTreeSet<String>,
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

    /// All resources of a type in the engagement's region.
    fn all(&self, service: Service, of: &str) -> String {
        self.all_in(self.region, service, of)
    }

    fn all_in(&self, region: &str, service: Service, of: &str) -> String {
        // An image belongs to its publisher, and a snapshot may; their ARNs have no account.
        let account = if service == Service::Ec2 && ["image", "snapshot"].contains(&of) {
            ""
        } else {
            self.account.unwrap_or("*")
        };
        let (partition, prefix) = (self.partition(), service.prefix());
        let separator = if [Service::SecretsManager, Service::Rds].contains(&service) { ":" } else { "/" };
        format!("arn:{partition}:{prefix}:{region}:{account}:{of}{separator}*")
    }

    /// The same, one for each region that is used.
    fn each(&self, service: Service, of: &str) -> Vec<String> {
        self.used().into_iter().map(|region| self.all_in(region, service, of)).collect()
    }

    fn used(&self) -> BTreeSet<&str> {
        match self.regions.contains(ANY) {
            true => BTreeSet::from([ANY]),
            false => self.regions.iter().map(String::as_str).chain([self.region]).collect(),
        }
    }

    fn tagged(&self, key: &str) -> Json {
        json!({ "StringEquals": { format!("{key}/{ENGAGEMENT}"): self.engagement } })
    }

    fn in_the_region(&self) -> Json {
        let regions = self.used();
        if regions.contains(ANY) {
            return json!({ "StringLike": { "aws:RequestedRegion": ANY } });
        }
        let which = if regions.len() == 1 { json!(self.region) } else { json!(regions) };
        json!({ "StringEquals": { "aws:RequestedRegion": which } })
    }
}

/// What IAM takes in one managed policy, in characters (IAM quotas: white space is not counted).
const LONGEST: usize = 6_144;

/// Of the longest names no more fit into one document.
const ACTIONS: usize = 100;

/// The policy that allows these operations and nothing else; in several documents, to be attached together, where one would
/// be longer than IAM takes.
pub fn policies(operations: &BTreeSet<Operation>, ground: &Ground<'_>) -> Vec<Json> {
    let mut documents: Vec<Vec<Json>> = vec![Vec::new()];
    for statement in statements(operations, ground) {
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

fn statements(operations: &BTreeSet<Operation>, ground: &Ground<'_>) -> Vec<Json> {
    let with = |scope: fn(&Scope) -> bool| operations.iter().filter(move |one| scope(&one.row().scope));
    let anywhere = |reads: bool, everywhere: bool| {
        let chosen = with(|scope| *scope == Scope::Any).filter(|one| one.row().service != Service::S3);
        let chosen = chosen.filter(move |one| (one.row().effect == Effect::Reads) == reads);
        chosen.copied().filter(|one| one.row().service.is_everywhere() == everywhere).collect::<Vec<_>>()
    };
    let mut statements = Vec::new();
    let mut say = |sid: &str, actions: BTreeSet<String>, resources: Json, condition: Option<Json>| {
        if !actions.is_empty() {
            statements.push(statement(sid, actions, resources, condition));
        }
    };
    say("Look", names(anywhere(true, false)), json!("*"), Some(ground.in_the_region()));
    say("Arrange", names(anywhere(false, false)), json!("*"), Some(ground.in_the_region()));
    // A service that is one for all regions is asked in a region of its own.
    say("LookEverywhere", names(anywhere(true, true)), json!("*"), None);
    say("ArrangeEverywhere", names(anywhere(false, true)), json!("*"), None);
    let acts_by = operations.iter().flat_map(|one| one.row().acts_by()).map(|&one| one.to_owned());
    let acts_by = acts_by.filter(|permission| !is_handed_on(permission)).collect();
    say("ActInOurName", acts_by, json!("*"), Some(ground.in_the_region()));
    let behind = creators_behind(ground);
    let retags = |permission: &str| !behind.is_empty() && [TAG, UNTAG].contains(&permission);
    let has_another = |permission: &str| is_handed_on(permission) || is_of_buckets(permission) || retags(permission);
    let further = ground.further.iter().filter(|permission| !has_another(permission)).cloned();
    let (everywhere, regional): (BTreeSet<String>, BTreeSet<String>) =
        further.partition(|permission| is_everywhere(permission));
    for (number, part) in portions(regional).into_iter().enumerate() {
        say(&format!("BehindTheTypes{}", number + 1), part, json!("*"), Some(ground.in_the_region()));
    }
    say("BehindTheTypesEverywhere", everywhere, json!("*"), None);

    let made: Vec<Operation> = with(|scope| matches!(scope, Scope::New { .. })).copied().collect();
    let (anywhere, of_types): (Vec<Operation>, Vec<Operation>) =
        made.iter().partition(|one| matches!(one.row().scope, Scope::New { types: [], .. }));
    say("Make", names(of_types.clone()), resources(&of_types, ground), Some(ground.tagged("aws:RequestTag")));
    say("MakeAnywhere", names(anywhere), json!("*"), Some(ground.tagged("aws:RequestTag")));
    let of_ec2 = made.iter().filter(|one| one.row().service == Service::Ec2).map(|one| one.name());
    let creators: BTreeSet<&str> = of_ec2.chain(behind.iter().copied()).collect();
    let tagging = (!creators.is_empty()).then(|| TAG.to_owned()).into_iter().collect();
    // "Every type" does not reach those whose ARNs have no account.
    let of_nobody = ["image", "snapshot"].into_iter().filter(|of| made.iter().any(|one| makes(*one, of)));
    let tagged: Vec<String> = ["*"].into_iter().chain(of_nobody).flat_map(|of| ground.each(Service::Ec2, of)).collect();
    say(
        "TagWhatIsMade",
        tagging,
        match tagged.as_slice() {
            [one] => json!(one),
            all => json!(all),
        },
        Some(json!({ "StringEquals": { "ec2:CreateAction": creators } })),
    );
    let retagged = ground.further.iter().filter(|permission| retags(permission)).cloned().collect();
    say("TagOurs", retagged, json!(ground.each(Service::Ec2, ANY)), Some(ground.tagged("aws:ResourceTag")));
    for (number, (on, built)) in built_on(&made).into_iter().enumerate() {
        let resources: Vec<String> = on.iter().flat_map(|of| ground.each(Service::Ec2, of)).collect();
        say(&format!("BuildOn{}", number + 1), names(built), json!(resources), None);
    }

    let ours: Vec<Operation> = with(|scope| matches!(scope, Scope::Ours(_))).copied().collect();
    say("OnlyOurs", names(ours.clone()), resources(&ours, ground), Some(ground.tagged("aws:ResourceTag")));
    // AWS puts a hyphen and six characters behind the name.
    let whole = |id: &String| match id.starts_with("arn:") {
        true => id.clone(),
        false => ground.all(Service::SecretsManager, "secret").replace(":secret:*", &format!(":secret:{id}-??????")),
    };
    if !ground.secrets.is_empty() {
        let read = BTreeSet::from(["secretsmanager:GetSecretValue".to_owned()]);
        let which: BTreeSet<String> = ground.secrets.iter().map(whole).collect();
        statements.push(statement("ReadWhatWasGiven", read, json!(which), None));
    }
    statements.extend(buckets::statements(operations, ground));
    statements.extend(passed::statements(operations, ground));
    statements
}

/// What stands on everything of its kind, because nobody can tell yet which one it is.
pub fn unnamed(operations: &BTreeSet<Operation>, ground: &Ground<'_>) -> Vec<&'static str> {
    let regions = ground.regions.contains(ANY).then_some("the region (each is allowed)");
    let buckets = buckets::are_unnamed(operations, ground).then_some("a bucket (all are allowed)");
    [regions, buckets].into_iter().flatten().chain(passed::unnamed(operations, ground)).collect()
}

/// The calls to EC2 by which the services behind the types make something that carries tags: `CreateVpcEndpoint`.
fn creators_behind<'a>(ground: &'a Ground<'_>) -> BTreeSet<&'a str> {
    let all = ground.further.iter().filter(|_| ground.further.contains(TAG)).filter(|one| *one != TAG);
    all.filter_map(|one| one.strip_prefix("ec2:")).filter(|action| action.starts_with("Create")).collect()
}

fn makes(operation: Operation, of: &str) -> bool {
    let row = operation.row();
    row.service == Service::Ec2 && matches!(row.scope, Scope::New { types, .. } if types.contains(&of))
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

fn resources(operations: &[Operation], ground: &Ground<'_>) -> Json {
    let mut all = BTreeSet::new();
    for operation in operations {
        let row = operation.row();
        match row.scope {
            Scope::New { types, .. } => all.extend(types.iter().flat_map(|of| ground.each(row.service, of))),
            Scope::Ours(of) => {
                all.extend(ground.each(row.service, of));
            }
            Scope::Any | Scope::Free => {}
        }
    }
    json!(all)
}

/// The operations by what they build on.
fn built_on(made: &[Operation]) -> BTreeMap<&'static [&'static str], Vec<Operation>> {
    let mut by = BTreeMap::<_, Vec<Operation>>::new();
    for &operation in made {
        if let Scope::New { on, .. } = operation.row().scope
            && !on.is_empty()
        {
            by.entry(on).or_default().push(operation);
        }
    }
    by
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
        further: BTreeSet::new(),
        regions: BTreeSet::new(),
        roles: BTreeSet::new(),
        identities: BTreeSet::new(),
        buckets: BTreeSet::new(),
    };

    pub(super) fn of(operations: &[Operation]) -> Json {
        of_ground(&operations.iter().copied().collect(), &GROUND)
    }

    pub(super) fn of_ground(operations: &BTreeSet<Operation>, ground: &Ground<'_>) -> Json {
        document(&statements(operations, ground))
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
    fn where_nobody_can_tell_the_region_yet_it_may_be_any() {
        let ground = Ground { regions: [ANY, "eu-central-1"].map(str::to_owned).into(), ..GROUND };
        let policy = document(&statements(&[Operation::CreateVpc, Operation::DescribeVpcs].into(), &ground));
        assert_eq!(statement(&policy, "Look")["Condition"], json!({ "StringLike": { "aws:RequestedRegion": "*" } }));
        assert_eq!(statement(&policy, "Make")["Resource"], json!(["arn:aws:ec2:*:123456789012:vpc/*"]));
    }

    #[test]
    fn every_permission_of_the_table_is_allowed_once_and_every_part_fits_a_managed_policy() {
        let parts = policies(&Operation::ALL.iter().copied().collect(), &GROUND);
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
        assert_eq!(policies(&[Operation::CreateVpc].into(), &GROUND).len(), 1);
    }

    #[test]
    fn what_is_copied_to_another_region_may_be_made_and_taken_away_there() {
        let two = Ground { regions: ["eu-central-1".to_owned()].into(), ..GROUND };
        let policy = document(&statements(&[Operation::CopySnapshot, Operation::DeleteDBSnapshot].into(), &two));
        let copies = json!(["arn:aws:ec2:eu-central-1::snapshot/*", "arn:aws:ec2:eu-west-1::snapshot/*"]);
        assert_eq!(statement(&policy, "Make")["Resource"], copies);
        assert_eq!(statement(&policy, "BuildOn1")["Resource"], copies);
        let tagged = statement(&policy, "TagWhatIsMade")["Resource"].as_array().unwrap();
        for copy in copies.as_array().unwrap() {
            assert!(tagged.contains(copy), "an ARN without an account is of no account: {tagged:?}");
        }
        let of_databases = ["eu-central-1", "eu-west-1"].map(|at| format!("arn:aws:rds:{at}:123456789012:snapshot:*"));
        assert_eq!(statement(&policy, "OnlyOurs")["Resource"], json!(of_databases));
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
        let policy = document(&statements(&[Operation::CreateSecret].into(), &ground));
        let make = statement(&policy, "Make");
        assert_eq!(make["Resource"], json!(["arn:aws-cn:secretsmanager:cn-north-1:*:secret:*"]));
        assert_eq!(make["Action"], json!(["secretsmanager:CreateSecret", "secretsmanager:TagResource"]));
        assert_eq!(statement(&policy, "TagWhatIsMade"), &Json::Null);
    }

    #[test]
    fn what_the_types_need_is_allowed_in_the_region_and_what_has_none_everywhere() {
        let further = ["iam:GetRole", "route53:CreateHostedZone", "s3:ListAllMyBuckets", "sns:CreateTopic"]
            .map(str::to_owned)
            .into();
        let ground = Ground { further, ..GROUND };
        let policy = document(&statements(&[Operation::CreateResource].into(), &ground));
        let behind = statement(&policy, "BehindTheTypes1");
        assert_eq!(behind["Action"], json!(["sns:CreateTopic"]));
        assert_eq!(behind["Condition"], ground.in_the_region());
        let everywhere = statement(&policy, "BehindTheTypesEverywhere");
        assert_eq!(everywhere["Action"], json!(["iam:GetRole", "route53:CreateHostedZone", "s3:ListAllMyBuckets"]));
        assert_eq!(everywhere["Condition"], Json::Null);
        assert_eq!(statement(&policy, "Arrange")["Action"], json!(["cloudformation:CreateResource"]));
        let two = Ground { regions: ["eu-central-1".to_owned()].into(), ..GROUND };
        let regions = json!(["eu-central-1", "eu-west-1"]);
        assert_eq!(two.in_the_region(), json!({ "StringEquals": { "aws:RequestedRegion": regions } }));
        let all = ResourceType::ALL.iter().flat_map(ResourceType::permissions).map(str::to_owned).collect();
        let parts = policies(&[Operation::CreateResource].into(), &Ground { further: all, ..GROUND });
        assert!(parts.len() > 1 && parts.iter().all(|part| length(part) <= LONGEST));
    }

    #[test]
    fn what_is_made_behind_a_type_is_tagged_when_it_is_made_or_where_it_is_ours() {
        let endpoint = ResourceType::named("AWS::EC2::VPCEndpoint").unwrap();
        let further = endpoint.permissions().map(str::to_owned).collect();
        let policy =
            of_ground(&[Operation::CreateResource, Operation::CreateVpc].into(), &Ground { further, ..GROUND });
        let made = statement(&policy, "TagWhatIsMade");
        let creators = json!({ "StringEquals": { "ec2:CreateAction": ["CreateVpc", "CreateVpcEndpoint"] } });
        assert_eq!((&made["Action"], &made["Condition"]), (&json!([TAG]), &creators));
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
        let policy = document(&statements(&BTreeSet::new(), &ground));
        let read = statement(&policy, "ReadWhatWasGiven");
        assert_eq!(read["Action"], json!(["secretsmanager:GetSecretValue"]));
        let named = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:psk/one-??????";
        assert_eq!(read["Resource"], json!([named, arn]));
    }
}

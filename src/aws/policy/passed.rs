//! What is handed on in the caller's name: roles that a service takes, keys that one uses, and what is made in IAM. Each
//! has resources of its own, so that none of it is allowed for all there is. Sources: the service authorization reference
//! of IAM and KMS; the managed policies AWSBackupFullAccess and CloudWatchFullAccessV2 for the names of services;
//! "kms:ViaService" of the KMS developer guide.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{ANY, Ground, Here, Needs, Use, statement};
use crate::aws::operations::{Operation, Service};

/// A role that a service is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passed {
    /// The names under which IAM may know the service; none where nobody can tell.
    pub to: &'static [&'static str],
    /// Its ARN or its name; none where nobody can tell yet.
    pub role: Option<String>,
}

pub const TO_BACKUP: &[&str] = &["backup"];
/// By which of the two names IAM asks for the role of an export is not documented.
pub const TO_EXPORT: &[&str] = &["export.rds", "rds"];

/// The services that take a role which the properties of such a resource name.
pub fn taken_by(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "AWS::S3::Bucket" => &["s3"],
        "AWS::SNS::Topic" | "AWS::SNS::Subscription" => &["sns"],
        "AWS::Logs::SubscriptionFilter" => &["logs"],
        "AWS::Backup::BackupPlan" | "AWS::Backup::BackupSelection" => TO_BACKUP,
        "AWS::Backup::RestoreTestingSelection" => &["restore-testing.backup", "backup"],
        "AWS::RDS::DBInstance" => &["monitoring.rds", "rds"],
        "AWS::IAM::InstanceProfile" => &["ec2"],
        "AWS::EC2::FlowLog" => &["vpc-flow-logs"],
        _ => &[],
    }
}

/// The services that make the role which is linked to them, with the first such resource of an account.
pub fn linked_by(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "AWS::Backup::BackupSelection" => &["backup"],
        "AWS::Backup::RestoreTestingPlan" => &["backup", "restore-testing.backup"],
        "AWS::Backup::ReportPlan" => &["backup", "reports.backup"],
        "AWS::RDS::DBInstance" | "AWS::RDS::DBSubnetGroup" | "AWS::RDS::DBParameterGroup" => &["rds"],
        "AWS::EC2::FlowLog" => &["delivery.logs"],
        _ => &[],
    }
}

/// The same for a call to such a service.
fn linked_with(operation: Operation) -> Option<&'static str> {
    match operation.row().service {
        Service::Ec2 if operation == Operation::CreateVpnConnection => Some("s2svpn"),
        Service::Ec2 => Some("transitgateway"),
        Service::Resolver => Some("route53resolver"),
        Service::ServiceQuotas => Some("servicequotas"),
        Service::DirectConnect => Some("directconnect"),
        _ => None,
    }
}

/// There is no key yet that they could be about, or they are about all.
const OF_NO_KEY: [&str; 3] = ["CreateKey", "ListAliases", "ListKeys"];

const PASS: &str = "iam:PassRole";
const LINK: &str = "iam:CreateServiceLinkedRole";

/// Does it stand in one of the statements of this file?
pub(super) fn is_handed_on(permission: &str) -> bool {
    permission == PASS || permission == LINK || is_of_keys(permission) || is_of_identities(permission)
}

fn is_of_keys(permission: &str) -> bool {
    permission.strip_prefix("kms:").is_some_and(|action| !action.contains(ANY) && !OF_NO_KEY.contains(&action))
}

/// Changes a role, a user or an instance profile.
fn is_of_identities(permission: &str) -> bool {
    let of = ["Role", "User", "InstanceProfile", "LoginProfile", "AccessKey"];
    let changes = |action: &str| !action.starts_with("Get") && !action.starts_with("List");
    permission.strip_prefix("iam:").is_some_and(|action| {
        changes(action) && of.iter().any(|of| action.contains(of)) && ![PASS, LINK].contains(&permission)
    })
}

/// What is in no region: roles, users, and who is given them.
pub(super) fn statements(needs: &[Needs], ground: &Ground<'_>) -> Vec<Json> {
    let mut all = roles(needs, ground);
    all.extend(links(needs, ground));
    all.extend(identities(needs, ground));
    all
}

/// For each service, or for all where nobody can tell which it is.
fn links(needs: &[Needs], ground: &Ground<'_>) -> Option<Json> {
    let links = |used: &&Use| used.touches(used.operation.row().acts_by()).any(|permission| permission == LINK);
    let calls = needs.iter().flat_map(|one| &one.uses).filter(links).map(|used| linked_with(used.operation));
    let types = needs.iter().filter(|one| one.permissions.iter().any(|permission| permission == LINK));
    let types = types.flat_map(|one| match one.links.as_slice() {
        [] => vec![None],
        known => known.iter().copied().map(Some).collect(),
    });
    let services: BTreeSet<Option<&str>> = calls.chain(types).collect();
    if services.is_empty() {
        return None;
    }
    let known: Option<Vec<Vec<String>>> = services.into_iter().map(|one| Some(ground.principals(one?))).collect();
    let condition = known.map(|known| json!({ "StringEquals": { "iam:AWSServiceName": known.concat() } }));
    let resources = json!(ground.in_iam("role/aws-service-role/*"));
    Some(statement("LinkRoles", BTreeSet::from([LINK.to_owned()]), resources, condition))
}

/// Permissions of what is done behind the types.
fn behind(needs: &[Needs]) -> impl Iterator<Item = &String> {
    needs.iter().flat_map(|one| &one.permissions)
}

/// Which roles go to which services; none stands for one that nobody can tell yet.
fn given(needs: &[Needs]) -> BTreeMap<&'static [&'static str], BTreeSet<Option<&str>>> {
    let mut given: BTreeMap<&[&str], BTreeSet<Option<&str>>> = BTreeMap::new();
    for Passed { to, role } in needs.iter().flat_map(|one| &one.roles) {
        given.entry(to).or_default().insert(role.as_deref());
    }
    for operation in needs.iter().flat_map(Needs::operations).filter(|one| one.row().acts_by().contains(&PASS)) {
        let to = if operation.row().service == Service::Rds { TO_EXPORT } else { TO_BACKUP };
        given.entry(to).or_insert_with(|| BTreeSet::from([None]));
    }
    given
}

/// One statement for each service that takes roles.
fn roles(needs: &[Needs], ground: &Ground<'_>) -> Vec<Json> {
    let one = |(number, (to, roles)): (usize, (&[&str], BTreeSet<Option<&str>>))| {
        let named: Option<Vec<Vec<String>>> = roles.iter().map(|role| role.map(|role| ground.role(role))).collect();
        let resources = named.map_or_else(|| vec![ground.in_iam("role/*")], |named| named.concat());
        let services: Vec<String> = to.iter().flat_map(|to| ground.principals(to)).collect();
        let condition = (!to.is_empty()).then(|| json!({ "StringEquals": { "iam:PassedToService": services } }));
        statement(&format!("GiveRole{}", number + 1), BTreeSet::from([PASS.to_owned()]), json!(resources), condition)
    };
    given(needs).into_iter().enumerate().map(one).collect()
}

/// What stands on everything of its kind because nobody can tell yet which one it is.
pub(super) fn unnamed(needs: &[Needs]) -> Vec<&'static str> {
    let role = given(needs).values().any(|roles| roles.contains(&None));
    let changes = behind(needs).any(|permission| is_of_identities(permission));
    let ends_open = |of: &str| of == ANY || of.ends_with("/*");
    let made = named(needs);
    let identity = changes && (made.is_empty() || made.iter().any(|of| ends_open(of)));
    let role = role.then_some("a role that a service is given (any may be)");
    let identity = identity.then_some("a role or user that a step makes (all are allowed)");
    role.into_iter().chain(identity).collect()
}

/// What is made in IAM.
fn named(needs: &[Needs]) -> BTreeSet<&str> {
    needs.iter().flat_map(|one| &one.identities).map(String::as_str).collect()
}

fn identities(needs: &[Needs], ground: &Ground<'_>) -> Option<Json> {
    let made = named(needs);
    let anybody = made.is_empty() || made.contains(ANY);
    let in_groups = anybody || made.iter().any(|of| of.starts_with("group/"));
    let wanted = |one: &&String| is_of_identities(one) && (in_groups || !one.ends_with("Group"));
    let actions: BTreeSet<String> = behind(needs).filter(wanted).cloned().collect();
    if actions.is_empty() {
        return None;
    }
    let resources = match anybody {
        true => json!(ANY),
        false => json!(made.iter().map(|of| ground.in_iam(of)).collect::<Vec<_>>()),
    };
    Some(statement("Identities", actions, resources, None))
}

/// Keys that a service uses for what we ask of it, and those behind the types, in one region.
pub(super) fn keys(here: &Here<'_>) -> Vec<Json> {
    let all = |of: &str| vec![here.ground.key(here.region, of)];
    let mut by: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (service, permission) in here.acts_by.iter().filter(|(_, permission)| is_of_keys(permission)) {
        by.entry(service.prefix()).or_default().insert((*permission).to_owned());
    }
    let one = |(number, (service, actions)): (usize, (&str, BTreeSet<String>))| {
        // The end of the name is another in China.
        let via = format!("{service}.{}.amazonaws.com*", here.region);
        let condition = json!({ "StringLike": { "kms:ViaService": [via] } });
        let sid = here.sid(&format!("KeysByService{}", number + 1));
        statement(&sid, actions, json!(all("key")), Some(condition))
    };
    let mut out: Vec<Json> = by.into_iter().enumerate().map(one).collect();
    let behind: BTreeSet<String> =
        here.further.iter().filter(|one| is_of_keys(one)).map(|one| (*one).to_owned()).collect();
    if !behind.is_empty() {
        let aliases = if behind.iter().any(|one| one.ends_with("Alias")) { all("alias") } else { Vec::new() };
        out.push(statement(&here.sid("KeysBehindTheTypes"), behind, json!([all("key"), aliases].concat()), None));
    }
    out
}

impl Ground<'_> {
    fn in_iam(&self, what: &str) -> String {
        format!("arn:{}:iam::{}:{what}", self.partition(), self.account.unwrap_or(ANY))
    }

    fn key(&self, region: &str, of: &str) -> String {
        format!("arn:{}:kms:{region}:{}:{of}/*", self.partition(), self.account.unwrap_or(ANY))
    }

    /// A name says nothing of the path.
    fn role(&self, role: &str) -> Vec<String> {
        match role.starts_with("arn:") {
            true => vec![role.to_owned()],
            false => ["role/", "role/*/"].map(|path| self.in_iam(&format!("{path}{role}"))).to_vec(),
        }
    }

    fn principals(&self, service: &str) -> Vec<String> {
        let name = format!("{service}.amazonaws.com");
        match self.partition() {
            "aws-cn" => vec![format!("{name}.cn"), name],
            _ => vec![name],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{GROUND, behind, of, of_ground, of_needs, sending, statement};
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/backup";

    fn statements_with<'a>(policy: &'a Json, action: &str) -> Vec<&'a Json> {
        let all = policy["Statement"].as_array().unwrap().iter();
        all.filter(|one| one["Action"].as_array().unwrap().contains(&json!(action))).collect()
    }

    #[test]
    fn of_every_type_that_takes_a_role_it_is_known_who_does() {
        for one in crate::aws::ResourceType::ALL {
            let passes = one.permissions().any(|permission| permission == PASS);
            assert_eq!(passes, !taken_by(one.name).is_empty(), "{}: to whom does a role go?", one.name);
        }
    }

    #[test]
    fn a_role_is_given_to_the_one_service_and_to_no_other() {
        let job = |roles: &[(&'static [&'static str], Option<&str>)]| {
            let passed = roles.iter().map(|&(to, role)| Passed { to, role: role.map(str::to_owned) });
            [Needs { roles: passed.collect(), ..sending(&[Operation::StartBackupJob]) }]
        };
        let unknown = of_needs(&job(&[]));
        let pass = statements_with(&unknown, PASS);
        assert_eq!(pass.len(), 1);
        assert_eq!(pass[0]["Resource"], json!(["arn:aws:iam::123456789012:role/*"]));
        let to_backup = json!({ "StringEquals": { "iam:PassedToService": ["backup.amazonaws.com"] } });
        assert_eq!(pass[0]["Condition"], to_backup);

        let known = of_needs(&job(&[(TO_BACKUP, Some(ROLE)), (&["ec2"], Some("bastion"))]));
        let pass = statements_with(&known, PASS);
        assert_eq!((&pass[0]["Resource"], &pass[0]["Condition"]), (&json!([ROLE]), &to_backup));
        let named = ["role/bastion", "role/*/bastion"].map(|role| format!("arn:aws:iam::123456789012:{role}"));
        assert_eq!(pass[1]["Resource"], json!(named));
        let partly = job(&[(TO_BACKUP, Some(ROLE)), (TO_BACKUP, None)]);
        assert_eq!(unnamed(&partly).len(), 1, "that it may be any role is said");
        let partly = of_needs(&partly);
        let resources = &statements_with(&partly, PASS)[0]["Resource"];
        assert_eq!(resources, &json!(["arn:aws:iam::123456789012:role/*"]));
        let china = of_ground(&job(&[]), &Ground { region: "cn-north-1", ..GROUND });
        let services = &statements_with(&china, PASS)[0]["Condition"]["StringEquals"]["iam:PassedToService"];
        assert_eq!(services, &json!(["backup.amazonaws.com.cn", "backup.amazonaws.com"]));
    }

    #[test]
    fn keys_are_used_by_the_service_alone_and_stand_on_keys() {
        let policy = of(&[Operation::CopySnapshot, Operation::CreateVpnConnection, Operation::CopyDBSnapshot]);
        let grants = statements_with(&policy, "kms:CreateGrant");
        assert_eq!(grants.len(), 2);
        for (grant, service) in grants.iter().zip(["ec2", "rds"]) {
            assert_eq!(grant["Resource"], json!(["arn:aws:kms:eu-west-1:123456789012:key/*"]));
            let via = json!({ "StringLike": { "kms:ViaService": [format!("{service}.eu-west-1.amazonaws.com*")] } });
            assert_eq!(grant["Condition"], via);
        }
        assert_eq!(statement(&policy, "TagWhatIsMade")["Action"], json!(["ec2:CreateTags"]));
    }

    #[test]
    fn what_the_types_do_in_iam_and_with_keys_is_bound_to_what_is_known() {
        let further = [
            "iam:AddUserToGroup",
            "iam:CreateUser",
            "iam:GetUser",
            "kms:CreateAlias",
            "kms:CreateKey",
            "kms:PutKeyPolicy",
        ];
        let identities = vec!["user/onramp-acme-smtp".to_owned()];
        let policy = of_needs(&[Needs { identities, ..behind(further) }]);
        let users = &statements_with(&policy, "iam:CreateUser")[0];
        assert_eq!(users["Resource"], json!(["arn:aws:iam::123456789012:user/onramp-acme-smtp"]));
        let into_groups = statements_with(&policy, "iam:AddUserToGroup").len();
        assert_eq!(into_groups, 0, "this user is put into none");
        assert_eq!(statements_with(&policy, "iam:GetUser")[0]["Resource"], json!("*"));
        let keys = ["key/*", "alias/*"].map(|of| format!("arn:aws:kms:eu-west-1:123456789012:{of}"));
        for action in ["kms:CreateAlias", "kms:PutKeyPolicy"] {
            assert_eq!(statements_with(&policy, action)[0]["Resource"], json!(keys), "{action}");
        }
        assert_eq!(statements_with(&policy, "kms:CreateKey")[0]["Resource"], json!("*"), "there is none yet");
        let unknown = of_needs(&[behind(further)]);
        assert_eq!(statements_with(&unknown, "iam:CreateUser")[0]["Resource"], json!("*"));
    }

    #[test]
    fn a_role_is_linked_to_the_services_of_the_steps_and_to_any_where_one_is_not_known() {
        for one in crate::aws::ResourceType::ALL {
            let links = one.permissions().any(|permission| permission == LINK);
            assert_eq!(links, !linked_by(one.name).is_empty(), "{}: to whom is a role linked?", one.name);
        }
        for one in Operation::ALL.iter().filter(|one| one.row().acts_by().contains(&LINK)) {
            assert!(linked_with(*one).is_some(), "{one:?}: to whom is a role linked?");
        }
        let flow_log = Needs { links: linked_by("AWS::EC2::FlowLog").to_vec(), ..behind([LINK]) };
        let resolver = sending(&[Operation::AssociateResolverQueryLogConfig]);
        let known = of_needs(&[resolver, flow_log]);
        let link = statement(&known, "LinkRoles");
        assert_eq!(link["Resource"], json!("arn:aws:iam::123456789012:role/aws-service-role/*"));
        let services = json!(["delivery.logs.amazonaws.com", "route53resolver.amazonaws.com"]);
        assert_eq!(link["Condition"], json!({ "StringEquals": { "iam:AWSServiceName": services } }));
        let vpn = Use::of(Operation::CreateVpnConnection, GROUND.region);
        let of_vpn = |vpn: Use| of_needs(&[Needs { uses: vec![vpn], ..Needs::default() }]);
        let services = json!({ "StringEquals": { "iam:AWSServiceName": ["s2svpn.amazonaws.com"] } });
        assert_eq!(statement(&of_vpn(vpn.clone()), "LinkRoles")["Condition"], services);
        let spared = of_vpn(Use { spared: vec!["iam:"], ..vpn });
        assert_eq!(statement(&spared, "LinkRoles"), &Json::Null, "its keys are in no secret");
        let own = of_needs(&[sending(&[Operation::AssociateResolverQueryLogConfig]), behind([LINK])]);
        assert_eq!(statement(&own, "LinkRoles")["Condition"], Json::Null, "the step's own permission may be of any");
    }
}

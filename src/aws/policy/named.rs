//! What is known by its name when the plan is made, of services that know no condition on our tags. An action stands on
//! names only where every step that needs it in the region tells them. Sources: the service authorization reference of
//! CloudWatch, CloudWatch Logs, SES and SNS; "resource ARNs" of the CloudWatch Logs user guide for the end of a log group's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{ANY, Here, Needs, statement};

/// An action that a step needs on these resources and on no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub action: &'static str,
    /// As their ARNs end: `log-group:acme:*`.
    pub on: Vec<String>,
}

/// What takes such a resource away, and how the ARN ends of one with that name; none where no name is told in an ARN.
pub fn deleting(type_name: &str, name: Option<&str>) -> Option<Named> {
    // These would stand for more than themselves in an ARN, or not be taken there.
    let plain = |name: &&str| name.chars().all(|c| c == ' ' || (c.is_ascii_graphic() && !"*?$".contains(c)));
    let name = name.filter(plain).unwrap_or(ANY);
    let (action, on) = match type_name {
        "AWS::Logs::LogGroup" => ("logs:DeleteLogGroup", format!("log-group:{name}:*")),
        "AWS::SNS::Topic" => ("sns:DeleteTopic", name.to_owned()),
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
            ("cloudwatch:DeleteAlarms", format!("alarm:{name}"))
        }
        _ => return None,
    };
    Some(Named { action, on: vec![on] })
}

/// A message is sent under the identity of its sender's address, of its domain or of one above, and in the sandbox also
/// under that of whom it goes to; with the configuration set that is given, or with the identity's own. None stands for what
/// nobody can tell yet.
pub fn sending(addresses: Option<&[String]>, configuration_set: Option<&str>) -> Named {
    let told: Option<Vec<Vec<String>>> =
        addresses.and_then(|all| all.iter().map(|address| identities(address)).collect());
    let identities = told.map_or_else(|| vec![ANY.to_owned()], |told| told.concat());
    let identities: BTreeSet<String> = identities.into_iter().map(|one| format!("identity/{one}")).collect();
    let set = format!("configuration-set/{}", configuration_set.unwrap_or(ANY));
    Named { action: "ses:SendEmail", on: identities.into_iter().chain([set]).collect() }
}

/// The address, its domain and those above. None of one that may be verified as it is not written: with a label, or with
/// capitals.
fn identities(address: &str) -> Option<Vec<String>> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_@".contains(c);
    let (_, domain) = address.split_once('@').filter(|_| address.chars().all(plain))?;
    let above = domain.match_indices('.').map(|(at, _)| domain.split_at(at + 1).1).filter(|one| one.contains('.'));
    Some([address, domain].into_iter().chain(above).map(str::to_owned).collect())
}

/// The actions that stand on names in this region.
pub(super) fn named_in<'a>(region: &str, needs: &'a [Needs]) -> BTreeMap<&'static str, BTreeSet<&'a str>> {
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Named { action, on } in needs.iter().filter(|one| one.regions.contains(region)).flat_map(|one| &one.named) {
        named.entry(action).or_default().extend(on.iter().map(String::as_str));
    }
    let tells = |one: &Needs, action: &str| one.named.iter().any(|named| named.action == action);
    named.retain(|action, _| needs.iter().all(|one| tells(one, action) || !one.asks_in(region, action)));
    named
}

/// In characters; with the longest name behind it, a statement still fits into a policy.
const LONG: usize = 4_000;

pub(super) fn statements(here: &Here<'_>) -> Vec<Json> {
    let mut by: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
    for (action, on) in &here.named {
        let service = action.split(':').next().unwrap_or(action);
        let (partition, account) = (here.ground.partition(), here.ground.account.unwrap_or(ANY));
        let arn = |end: &&str| format!("arn:{partition}:{service}:{}:{account}:{end}", here.region);
        by.entry(on.iter().map(arn).collect()).or_default().insert((*action).to_owned());
    }
    let parts = by.into_iter().flat_map(|(on, actions)| parts(on).into_iter().map(move |part| (part, actions.clone())));
    let one = |(number, (on, actions)): (usize, (Vec<String>, BTreeSet<String>))| {
        statement(&here.sid(&format!("OnlyNamed{}", number + 1)), actions, json!(on), Some(here.condition(None)))
    };
    parts.enumerate().map(one).collect()
}

fn parts(arns: BTreeSet<String>) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    for arn in arns {
        match parts.last_mut().filter(|part| part.iter().map(|one| one.len() + 3).sum::<usize>() < LONG) {
            Some(part) => part.push(arn),
            None => parts.push(vec![arn]),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::tests::{GROUND, behind, of_needs, sending as calling, statement};
    use super::super::{LONGEST, length, policies};
    use super::*;
    use crate::aws::Operation;

    fn group(name: &str) -> Needs {
        let named = deleting("AWS::Logs::LogGroup", Some(name)).into_iter().collect();
        Needs { named, ..behind(["logs:CreateLogGroup", "logs:DeleteLogGroup"]) }
    }

    #[test]
    fn what_is_deleted_behind_a_type_is_deleted_by_its_name() {
        let topic = Needs {
            named: deleting("AWS::SNS::Topic", Some("acme")).into_iter().collect(),
            ..behind(["sns:DeleteTopic"])
        };
        let alarm = Needs {
            named: deleting("AWS::CloudWatch::Alarm", Some("Disk full")).into_iter().collect(),
            ..behind(["cloudwatch:DeleteAlarms"])
        };
        let policy = of_needs(&[group("/acme/vpn"), topic, alarm]);
        let arn = |service: &str, end: &str| json!([format!("arn:aws:{service}:eu-west-1:123456789012:{end}")]);
        for (sid, action, on) in [
            ("OnlyNamed1", "cloudwatch:DeleteAlarms", arn("cloudwatch", "alarm:Disk full")),
            ("OnlyNamed2", "logs:DeleteLogGroup", arn("logs", "log-group:/acme/vpn:*")),
            ("OnlyNamed3", "sns:DeleteTopic", arn("sns", "acme")),
        ] {
            let found = statement(&policy, sid);
            assert_eq!((&found["Action"], &found["Resource"]), (&json!([action]), &on), "{policy:#}");
        }
        assert_eq!(statement(&policy, "BehindTheTypes1")["Action"], json!(["logs:CreateLogGroup"]));
        for name in [None, Some("a*b"), Some("${aws:username}"), Some("caf\u{e9}")] {
            assert_eq!(deleting("AWS::SNS::Topic", name).unwrap().on, [ANY], "{name:?}");
        }
    }

    #[test]
    fn where_one_step_does_not_tell_the_name_the_action_stands_on_all() {
        let policy = of_needs(&[group("acme"), behind(["logs:DeleteLogGroup"])]);
        assert_eq!(statement(&policy, "OnlyNamed1"), &Json::Null);
        let all = statement(&policy, "BehindTheTypes1");
        assert_eq!(all["Action"], json!(["logs:CreateLogGroup", "logs:DeleteLogGroup"]));
        let away = Needs { regions: ["us-east-1".to_owned()].into(), ..behind(["logs:DeleteLogGroup"]) };
        let policy = of_needs(&[group("acme"), away]);
        assert_ne!(statement(&policy, "OnlyNamed1"), &Json::Null, "elsewhere is not here");
        assert_eq!(statement(&policy, "BehindTheTypes1InUsEast1")["Action"], json!(["logs:DeleteLogGroup"]));
    }

    #[test]
    fn many_names_are_several_statements_and_each_fits_a_policy() {
        let needs: Vec<Needs> = (0..40).map(|number| group(&format!("{}{number}", "a".repeat(500)))).collect();
        let all = policies(&needs, &GROUND);
        assert!(all.len() > 1 && all.iter().all(|one| length(one) <= LONGEST));
    }

    #[test]
    fn mail_is_sent_under_the_identities_of_the_message_and_with_its_configuration_set() {
        let message = |named: Named| Needs { named: vec![named], ..calling(&[Operation::SendEmail]) };
        let to =
            |addresses: &[&str], set| sending(Some(&addresses.iter().map(|&one| one.into()).collect::<Vec<_>>()), set);
        let policy = of_needs(&[message(to(&["ops@mail.acme.com"], Some("onramp")))]);
        let found = statement(&policy, "OnlyNamed1");
        assert_eq!(found["Action"], json!(["ses:SendEmail"]));
        let ends =
            ["configuration-set/onramp", "identity/acme.com", "identity/mail.acme.com", "identity/ops@mail.acme.com"];
        assert_eq!(found["Resource"], json!(ends.map(|end| format!("arn:aws:ses:eu-west-1:123456789012:{end}"))));
        assert_eq!(statement(&policy, "Arrange"), &Json::Null);
        let wide = ["identity/*", "configuration-set/*"];
        assert_eq!(sending(None, None).on, wide);
        for open in ["ops+label@acme.com", "Ops@acme.com", "Ops <ops@acme.com>"] {
            assert_eq!(to(&["ops@acme.com", open], None).on, wide, "{open} may be verified as another");
        }
    }
}

//! What becomes known of an answer: credentials that are refused are remembered, and what AWS encodes of a denial is
//! decoded, where these credentials may.

use std::sync::atomic::Ordering;

use serde_json::Value as Json;

use super::clients::Cloud;
use super::error::{AwsFailure, Kind};
use super::holdup::Teller;
use super::operations::Operation;
use super::retry::{Patience, Resend, send};

/// What EC2 writes before the encoded part of its refusal.
const ENCODED: &str = "Encoded authorization failure message: ";

impl Cloud {
    /// The answer, with all that can be said of a failure.
    pub(super) async fn told<T>(&self, answer: Result<T, AwsFailure>) -> Result<T, AwsFailure> {
        let failure = match answer {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        match failure.kind {
            Kind::Credentials | Kind::NoCode => {
                self.refuse();
                Err(self.session().advised(failure))
            }
            Kind::Denied => Err(self.decoded(failure).await),
            _ => Err(failure),
        }
    }

    async fn decoded(&self, failure: AwsFailure) -> AwsFailure {
        if let Some((plain, advice)) = plain(&failure.raw) {
            let advice = advice.map_or(failure.advice, str::to_owned);
            return AwsFailure { meaning: plain.to_owned(), advice, ..failure };
        }
        let Some((_, encoded)) = failure.raw.split_once(ENCODED) else { return failure };
        if self.may_decode().load(Ordering::Relaxed) {
            return failure;
        }
        let request = self.sts().decode_authorization_message().encoded_message(encoded.trim());
        let (operation, limiter, teller) = (Operation::DecodeAuthorizationMessage, self.limiter(), Teller::default());
        let way = (&*limiter, &teller);
        let answer = send(operation, Resend::Freely, Patience::NONE, way, || request.clone().send()).await;
        match answer {
            Ok(answer) => match answer.decoded_message.as_deref().and_then(said) {
                Some(said) => AwsFailure { meaning: format!("{said}. {}", failure.meaning), ..failure },
                None => failure,
            },
            Err(refusal) => {
                if refusal.kind == Kind::Denied {
                    self.may_decode().store(true, Ordering::Relaxed);
                }
                failure
            }
        }
    }
}

/// What AWS says in plain words of why it denies, and what that means (user guide of IAM, "Troubleshoot access denied error
/// messages"): which kind of policy it is, so that the right person is asked. The first that fits counts.
const PLAIN: &[(&[&str], &str, Option<&str>)] = &[
    (
        &["explicit deny in a service control policy", "no service control policy allows"],
        "A service control policy of the organisation forbids this in the account; no policy of the account can allow it.",
        Some(OF_THE_ORGANISATION),
    ),
    (
        &["explicit deny in a resource control policy", "no resource control policy allows"],
        "A resource control policy of the organisation forbids this on that resource.",
        Some(OF_THE_ORGANISATION),
    ),
    (
        &["explicit deny in a permissions boundary", "no permissions boundary allows"],
        "The permissions boundary of this user or role does not leave this to it.",
        Some(
            "Ask whoever set the boundary to let it hold the operation that stands above; a further policy does not help. \
             onramp plan NAME --policy prints what all steps need.",
        ),
    ),
    (
        &["explicit deny in a session policy", "no session policy allows"],
        "The policy with which this session was begun does not allow this.",
        Some(
            "Begin a session without that policy, or with one that has the operation above; nothing in the account helps.",
        ),
    ),
    (
        &["explicit deny in a vpc endpoint policy", "no vpc endpoint policy allows"],
        "The policy of the VPC endpoint through which the call went does not allow this.",
        Some(
            "Ask the owner of that endpoint to allow the operation above, or work from where calls do not go through it.",
        ),
    ),
    (
        &["explicit deny in a resource-based policy", "no resource-based policy allows"],
        "The policy of the resource itself does not allow this to these credentials.",
        Some("Ask the owner of the resource that AWS names below to allow the operation above to this user or role."),
    ),
    (
        &["explicit deny in an identity-based policy"],
        "A policy of this user or role denies this expressly.",
        Some(
            "Ask whoever gives these rights to take that denial out: what else allows it does not help. AWS may name it below.",
        ),
    ),
    (&["no identity-based policy allows"], "No policy of this user or role allows this.", None),
];

const OF_THE_ORGANISATION: &str = "Ask those who run the customer's organisation (its management account) to let the operation \
                                   above pass for this account; AWS may name their policy below.";

/// What it means, and what to do where that is not what every denial says.
fn plain(raw: &str) -> Option<(&'static str, Option<&'static str>)> {
    let raw = raw.to_lowercase();
    let fits = |words: &[&str]| words.iter().any(|words| raw.contains(words));
    PLAIN.iter().find(|(words, ..)| fits(words)).map(|(_, said, advice)| (*said, *advice))
}

/// `ec2:RunInstances on arn:… by arn:…: no policy allows it`
fn said(decoded: &str) -> Option<String> {
    let decoded: Json = serde_json::from_str(decoded).ok()?;
    let context = decoded.get("context")?;
    let text = |of: &Json, name: &str| of.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let (action, resource) = (text(context, "action"), text(context, "resource"));
    let caller = context.get("principal").map(|caller| text(caller, "arn")).unwrap_or_default();
    if action.is_empty() {
        return None;
    }
    let why = match decoded.get("explicitDeny").and_then(Json::as_bool) {
        Some(true) => {
            let items = decoded.get("matchedStatements").and_then(|matched| matched.get("items"));
            let named = items.and_then(Json::as_array).into_iter().flatten().map(|item| text(item, "statementId"));
            let named: Vec<String> = named.filter(|name| !name.is_empty()).collect();
            match named.is_empty() {
                true => "a policy denies it".to_owned(),
                false => format!("denied by the statement {}", crate::text::list(&named)),
            }
        }
        _ => "no policy allows it".to_owned(),
    };
    let on = if resource.is_empty() { String::new() } else { format!(" on {resource}") };
    let by = if caller.is_empty() { String::new() } else { format!(" by {caller}") };
    Some(format!("{action}{on}{by}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_policy_it_is_is_read_from_the_plain_words() {
        let user =
            "User: arn:aws:iam::111122223333:user/jane is not authorized to perform: ec2:CreateVpc on resource: *";
        let told = |why: &str| plain(&format!("{user} {why}")).unwrap_or_default().0;
        let of_account = told("because no identity-based policy allows the ec2:CreateVpc action");
        assert!(of_account.contains("No policy of this user or role"), "{of_account}");
        for why in [
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1",
            "because no service control policy allows the ec2:CreateVpc action",
        ] {
            assert!(told(why).contains("service control policy of the organisation"), "{why}");
        }
        assert!(told("with an explicit deny in an identity-based policy").contains("expressly"));
        assert!(told("because no permissions boundary allows the ec2:CreateVpc action").contains("boundary"));
        assert!(told("because no session policy allows the ec2:CreateVpc action").contains("session"));
        assert_eq!(plain(user), None);
        let whom = |why: &str| plain(&format!("{user} {why}")).unwrap_or_default().1;
        assert!(whom("because no service control policy allows it").unwrap().contains("management account"));
        assert_eq!(whom("because no identity-based policy allows it"), None, "what every denial says");
    }

    #[test]
    fn a_decoded_message_says_what_was_asked_on_what_and_why_not() {
        let decoded = r#"{"allowed":false,"explicitDeny":true,"matchedStatements":{"items":[{"statementId":"NoBigOnes",
            "effect":"DENY"}]},"context":{"principal":{"id":"AROA:jane","arn":"arn:aws:sts::111122223333:assumed-role/ops/jane"},
            "action":"ec2:RunInstances","resource":"arn:aws:ec2:eu-west-1:111122223333:instance/*"}}"#;
        let told = said(decoded).unwrap();
        for part in
            ["ec2:RunInstances on arn:aws:ec2:eu-west-1:111122223333:instance/*", "assumed-role/ops/jane", "NoBigOnes"]
        {
            assert!(told.contains(part), "{told}");
        }
        let silent = r#"{"explicitDeny":false,"context":{"action":"ec2:CreateVpc"}}"#;
        assert_eq!(said(silent).as_deref(), Some("ec2:CreateVpc: no policy allows it"));
        assert_eq!(said("not json"), None);
    }
}

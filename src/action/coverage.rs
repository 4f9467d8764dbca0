//! Which operation of AWS is served by what: every one that the onboarding names, from the account to the sign-off.
//!
//! The list is the index of the domain specification (15, "AWS operations by service"), with the counterparts that it
//! means by "and deletes", and with what only its steps and their permissions name. What onramp sends itself is seen in the registry; of the rest the table says what serves it.

mod table;

use std::fmt::Write;

use super::registry::{self, senders};
use crate::aws::{Operation, ResourceType};

/// What serves an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// A kind of onramp sends it; the registry knows which.
    Kind,
    /// onramp sends it itself, whatever the steps are: why.
    Onramp(&'static str),
    /// A resource of this type, by `aws: resource`: AWS's handler of the type calls it.
    Type(&'static str),
    /// It is not needed: what does its work.
    Instead(&'static str),
    /// A person does it: why.
    Person(&'static str),
}

/// Operations of one service that are served alike.
struct Row {
    /// As policies write it.
    service: &'static str,
    /// With blanks between them.
    operations: &'static str,
    by: By,
}

impl Row {
    fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.operations.split_ascii_whitespace()
    }
}

/// The operation as onramp sends it; none where it does not.
fn sent(service: &str, name: &str) -> Option<Operation> {
    Operation::ALL.iter().copied().find(|one| one.name() == name && one.row().service.prefix() == service)
}

/// Kinds that are named for one operation; of those that many kinds send, these tell enough.
const NAMED: usize = 4;

fn kinds(service: &str, name: &str) -> String {
    let kinds: Vec<&str> = sent(service, name).map(senders).unwrap_or_default();
    let named: Vec<String> = kinds.iter().take(NAMED).map(|kind| format!("`{}`", kind.replace('/', ": "))).collect();
    match kinds.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn served(row: &Row, name: &str) -> String {
    match row.by {
        By::Kind => kinds(row.service, name),
        By::Onramp(why) => format!("onramp itself: {why}"),
        By::Type(name) => {
            let known =
                if ResourceType::named(name).is_some() { "" } else { "; its properties are not checked before" };
            format!("`{}` with {name}{known}", registry::RESOURCE.replace('/', ": "))
        }
        By::Instead(what) => format!("not needed: {what}"),
        By::Person(why) => format!("a person: {why}"),
    }
}

/// As it stands in docs/aws.md: operations of a service that are served alike stand together.
pub fn coverage() -> String {
    let mut out = String::from("| service | operations | served by |\n| --- | --- | --- |\n");
    for row in table::ROWS {
        let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
        for name in row.operations() {
            let by = served(row, name);
            match groups.iter_mut().find(|(other, _)| *other == by) {
                Some((_, names)) => names.push(name),
                None => groups.push((by, vec![name])),
            }
        }
        for (by, names) in groups {
            let _ = writeln!(out, "| {} | {} | {by} |", row.service, names.join(", "));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_is_served_by_something_that_is_there_or_a_reason_says_why_not() {
        let mut seen = BTreeSet::new();
        for row in table::ROWS {
            assert!(row.operations().count() > 0, "{}: a row without operations", row.service);
            for name in row.operations() {
                let of = format!("{}:{name}", row.service);
                assert!(seen.insert(of.clone()), "{of} stands there twice");
                let sends = sent(row.service, name);
                let kinds = sends.map(senders).unwrap_or_default();
                match row.by {
                    By::Kind => assert!(!kinds.is_empty(), "{of}: no kind sends it"),
                    By::Onramp(why) => {
                        assert!(sends.is_some() && kinds.is_empty() && why.len() > 10, "{of}");
                    }
                    // Who moved it here forgot the row.
                    _ => assert!(kinds.is_empty(), "{of}: {kinds:?} send it, and the table says otherwise"),
                }
                match row.by {
                    By::Type(kind) => {
                        let parts = kind.split("::").collect::<Vec<_>>();
                        assert!(parts.len() == 3 && parts[0] == "AWS", "{of}: {kind}");
                    }
                    By::Instead(why) | By::Person(why) => assert!(why.len() > 20, "{of}: {why}"),
                    _ => {}
                }
            }
        }
        assert!(seen.len() > 300, "the index has more operations than {}", seen.len());
    }

    #[test]
    fn a_type_that_serves_a_call_may_do_it() {
        // The call itself, or the one with which its handler does the same.
        let alike = |action: &str| match action {
            "s3:HeadBucket" => "s3:ListBucket".to_owned(),
            "s3:PutBucketEncryption" => "s3:PutEncryptionConfiguration".to_owned(),
            "s3:PutPublicAccessBlock" => "s3:PutBucketPublicAccessBlock".to_owned(),
            "s3:PutBucketLifecycleConfiguration" => "s3:PutLifecycleConfiguration".to_owned(),
            "s3:PutBucketReplication" => "s3:PutReplicationConfiguration".to_owned(),
            "kms:ListAliases" => action.to_owned(),
            "ssm:GetParameter" => "ssm:GetParameters".to_owned(),
            other => other.to_owned(),
        };
        for row in table::ROWS {
            let By::Type(name) = row.by else { continue };
            let Some(known) = ResourceType::named(name) else { continue };
            for operation in row.operations() {
                let action = alike(&format!("{}:{operation}", row.service));
                assert!(known.permissions().any(|one| one == action), "{name} does not call {action}");
            }
        }
    }
}

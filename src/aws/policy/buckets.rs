//! Buckets and what is in them. Their ARNs name neither an account nor a region, and a bucket knows no condition on tags
//! that would hold for every call, so it is the name that narrows. Source: the service authorization reference of S3.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{ANY, Ground, statement};
use crate::aws::operations::{Operation, Service};

/// Does it stand in one of the statements of this file? Of S3, what is about a bucket or an object.
pub(super) fn is_of_buckets(permission: &str) -> bool {
    let Some(action) = permission.strip_prefix("s3:") else { return false };
    let has = |words: &[&str]| words.iter().any(|word| action.contains(word));
    let others = has(&["AllMyBuckets", "AccessPoint", "StorageLens", "Job"]);
    !others
        && has(&["Bucket", "Object", "Multipart", "Configuration", "TagResource", "UntagResource", "TagsForResource"])
}

fn is_of_objects(permission: &str) -> bool {
    (permission.contains("Object") || permission.contains("Multipart")) && !permission.contains("Bucket")
}

pub(super) fn statements(operations: &BTreeSet<Operation>, ground: &Ground<'_>) -> Vec<Json> {
    let (inside, whole): (BTreeSet<String>, BTreeSet<String>) =
        actions(operations, ground).into_iter().partition(|permission| is_of_objects(permission));
    let one = |(sid, actions, end): (&str, BTreeSet<String>, &str)| {
        let named =
            ground.named_buckets().into_iter().map(|name| format!("arn:{}:s3:::{name}{end}", ground.partition()));
        let named: Vec<String> = named.collect();
        (!actions.is_empty()).then(|| statement(sid, actions, json!(named), Some(ground.in_the_region())))
    };
    [("Buckets", whole, ""), ("InTheBuckets", inside, "/*")].into_iter().filter_map(one).collect()
}

pub(super) fn are_unnamed(operations: &BTreeSet<Operation>, ground: &Ground<'_>) -> bool {
    ground.named_buckets() == [ANY] && !actions(operations, ground).is_empty()
}

fn actions(operations: &BTreeSet<Operation>, ground: &Ground<'_>) -> BTreeSet<String> {
    let own = operations.iter().filter(|one| one.row().service == Service::S3).flat_map(|one| one.permissions());
    own.chain(ground.further.iter().filter(|one| is_of_buckets(one)).cloned()).collect()
}

impl Ground<'_> {
    fn named_buckets(&self) -> Vec<&str> {
        match self.buckets.is_empty() || self.buckets.contains(ANY) {
            true => vec![ANY],
            false => self.buckets.iter().map(String::as_str).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{GROUND, of_ground, statement};
    use super::super::unnamed;
    use super::*;
    use crate::aws::ResourceType;

    const CALLS: [Operation; 3] = [Operation::PutObject, Operation::HeadObject, Operation::ListObjectsV2];

    #[test]
    fn objects_are_those_of_the_buckets_that_are_named_and_of_all_where_one_is_not() {
        let (calls, buckets) = (CALLS.into(), ["acme-logs".to_owned()].into());
        let ground = Ground { buckets, ..GROUND };
        let policy = of_ground(&calls, &ground);
        let inside = statement(&policy, "InTheBuckets");
        assert_eq!(inside["Action"], json!(["s3:GetObject", "s3:PutObject"]));
        assert_eq!(inside["Resource"], json!(["arn:aws:s3:::acme-logs/*"]));
        let whole = statement(&policy, "Buckets");
        let listed = (&json!(["s3:ListBucket"]), &json!(["arn:aws:s3:::acme-logs"]));
        assert_eq!((&whole["Action"], &whole["Resource"]), listed);
        assert_eq!((statement(&policy, "Look"), statement(&policy, "Arrange")), (&Json::Null, &Json::Null));
        assert!(unnamed(&calls, &ground).is_empty());
        let ground = Ground { buckets: ["acme-logs".to_owned(), ANY.to_owned()].into(), ..GROUND };
        assert_eq!(statement(&of_ground(&calls, &ground), "InTheBuckets")["Resource"], json!(["arn:aws:s3:::*/*"]));
        assert_eq!(unnamed(&calls, &ground).len(), 1, "and that is said");
    }

    #[test]
    fn what_is_set_on_a_bucket_is_set_on_those_that_are_named() {
        let further = ResourceType::named("AWS::S3::Bucket").unwrap().permissions().map(str::to_owned).collect();
        let ground = Ground { further, buckets: ["acme-logs".to_owned()].into(), region: "cn-north-1", ..GROUND };
        let policy = of_ground(&[Operation::CreateResource].into(), &ground);
        let whole = statement(&policy, "Buckets");
        assert_eq!(whole["Resource"], json!(["arn:aws-cn:s3:::acme-logs"]));
        for wanted in ["s3:CreateBucket", "s3:PutBucketObjectLockConfiguration", "s3:PutLifecycleConfiguration"] {
            assert!(whole["Action"].as_array().unwrap().contains(&json!(wanted)), "{wanted}");
        }
        assert_eq!(statement(&policy, "BehindTheTypes1"), &Json::Null);
        assert_eq!(statement(&policy, "BehindTheTypesEverywhere")["Action"], json!(["s3:ListAllMyBuckets"]));
    }
}

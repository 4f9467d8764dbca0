//! Buckets and what is in them. Their ARNs name neither an account nor a region, and a bucket knows no condition on tags
//! that would hold for every call, so it is the name that narrows. Source: the service authorization reference of S3.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{ANY, Ground, Here, Needs, statement};
use crate::aws::operations::Service;

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

pub(super) fn statements(here: &Here<'_>) -> Vec<Json> {
    let (inside, whole): (BTreeSet<String>, BTreeSet<String>) =
        here.of_buckets().into_iter().partition(|permission| is_of_objects(permission));
    let one = |(sid, actions, end): (&str, BTreeSet<String>, &str)| {
        let partition = here.ground.partition();
        let named = here.named_buckets().into_iter().map(|name| format!("arn:{partition}:s3:::{name}{end}"));
        let named: Vec<String> = named.collect();
        let condition = Some(here.condition(None));
        (!actions.is_empty()).then(|| statement(&here.sid(sid), actions, json!(named), condition))
    };
    [("Buckets", whole, ""), ("InTheBuckets", inside, "/*")].into_iter().filter_map(one).collect()
}

pub(super) fn are_unnamed(needs: &[Needs], ground: &Ground<'_>) -> bool {
    let regions: BTreeSet<&str> = needs.iter().flat_map(Needs::all_regions).collect();
    let all = regions.into_iter().map(|region| Here::of(region, needs, ground));
    all.into_iter().any(|here| here.named_buckets() == [ANY] && !here.of_buckets().is_empty())
}

impl Here<'_> {
    fn of_buckets(&self) -> BTreeSet<String> {
        let own = self.operations.keys().filter(|one| one.row().service == Service::S3);
        let further = self.further.iter().filter(|one| is_of_buckets(one)).map(|one| (*one).to_owned());
        own.flat_map(|one| one.permissions()).chain(further).collect()
    }

    fn named_buckets(&self) -> Vec<&str> {
        match self.buckets.is_empty() || self.buckets.contains(ANY) {
            true => vec![ANY],
            false => self.buckets.iter().copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{GROUND, behind, of_ground, of_needs, sending, statement};
    use super::super::unnamed;
    use super::*;
    use crate::aws::{Operation, ResourceType};

    const CALLS: [Operation; 3] = [Operation::PutObject, Operation::HeadObject, Operation::ListObjectsV2];

    #[test]
    fn objects_are_those_of_the_buckets_that_are_named_and_of_all_where_one_is_not() {
        let into = |buckets: &[&str]| {
            let buckets = buckets.iter().map(|&name| name.to_owned()).collect();
            [Needs { buckets, ..sending(&CALLS) }]
        };
        let policy = of_needs(&into(&["acme-logs"]));
        let inside = statement(&policy, "InTheBuckets");
        assert_eq!(inside["Action"], json!(["s3:GetObject", "s3:PutObject"]));
        assert_eq!(inside["Resource"], json!(["arn:aws:s3:::acme-logs/*"]));
        let whole = statement(&policy, "Buckets");
        let listed = (&json!(["s3:ListBucket"]), &json!(["arn:aws:s3:::acme-logs"]));
        assert_eq!((&whole["Action"], &whole["Resource"]), listed);
        assert_eq!((statement(&policy, "Look"), statement(&policy, "Arrange")), (&Json::Null, &Json::Null));
        assert!(unnamed(&into(&["acme-logs"]), &GROUND).is_empty());
        let partly = into(&["acme-logs", ANY]);
        assert_eq!(statement(&of_needs(&partly), "InTheBuckets")["Resource"], json!(["arn:aws:s3:::*/*"]));
        assert_eq!(unnamed(&partly, &GROUND).len(), 1, "and that is said");
    }

    #[test]
    fn what_is_set_on_a_bucket_is_set_on_those_that_are_named() {
        let (ground, bucket) =
            (Ground { region: "cn-north-1", ..GROUND }, ResourceType::named("AWS::S3::Bucket").unwrap());
        let regions = [ground.region.to_owned()].into();
        let needs = Needs { buckets: vec!["acme-logs".to_owned()], regions, ..behind(bucket.permissions()) };
        let policy = of_ground(&[needs], &ground);
        let whole = statement(&policy, "Buckets");
        assert_eq!(whole["Resource"], json!(["arn:aws-cn:s3:::acme-logs"]));
        for wanted in ["s3:CreateBucket", "s3:PutBucketObjectLockConfiguration", "s3:PutLifecycleConfiguration"] {
            assert!(whole["Action"].as_array().unwrap().contains(&json!(wanted)), "{wanted}");
        }
        assert_eq!(statement(&policy, "BehindTheTypes1"), &Json::Null);
        assert_eq!(statement(&policy, "BehindTheTypesEverywhere")["Action"], json!(["s3:ListAllMyBuckets"]));
    }
}

//! The kind for any type of resource.

use super::super::aws_resource::TheResource;
use super::super::object::Object;
use super::{KEY, NAME, Row, may, must, secret};
use crate::aws::Operation::*;

pub(super) const KIND: &str = "aws/resource";

pub(super) const ROWS: &[Row] = &[Row {
    name: KIND,
    summary: "A resource of any type that Cloud Control knows, with these properties; what else it has is left as it is",
    arguments: &[
        must("type", "as CloudFormation calls it, such as AWS::S3::Bucket"),
        must("properties", "map of its properties, as in AWS's CloudFormation reference; null is as if not given"),
        may(
            "identifier",
            "its primary identifier, where no property of the table's types says it; parts with | between",
        ),
        may(
            "known_by",
            "list of properties that tell it from others, where AWS makes the identifier and it has no tags",
        ),
        may(
            "tags",
            "how its tags are written: list, map or none; onramp knows it for the types of the table, else list",
        ),
        may("write_only", "list of properties that AWS never shows, such as Outer/Inner: they are not compared"),
        may(
            "existing",
            "leave or change what is there already and onramp did not make; leave when not given. The undo of a change \
             puts back what was there",
        ),
        secret("secret", "stands where a property says @secret@, as a secret input; no plan, log or state file has it"),
        may(
            "irrevocable",
            "the name of the vault once more, as a person has typed it: for a lock in compliance mode, which nobody can ever lift",
        ),
        may("region", "another region of the account, such as the one for disaster recovery"),
        may("read", "a property whose value is the result `value`, such as Endpoint/Address"),
        may("permissions", "list of the permissions that the type needs, for the policy; known for the table's types"),
        KEY,
        NAME,
    ],
    results: &[
        ("id", "its primary identifier"),
        ("arn", "its ARN; null where AWS shows none"),
        ("value", "what stands at `read`; null where nothing does"),
    ],
    sends: &[
        GetResource,
        ListResources,
        ListResourceRequests,
        GetResourceRequestStatus,
        CreateResource,
        UpdateResource,
        DeleteResource,
        // A vault that holds backups stays.
        ListRecoveryPointsByBackupVault,
    ],
    mutates: true,
    make: |arguments, subject| Ok(Box::new(Object(TheResource::new(arguments, subject)?))),
}];

//! The wire to AWS: clients, identity, tags, errors in plain words, and the table of operations.
//!
//! Uses: text.
//!
//! The SDK's own retries are off: it repeats a lost `CreateVpc` as gladly as a lost `DescribeVpcs`. `retry` knows the
//! difference. Practice plugs in at `Wiring::http_client`, and nowhere else.
//! Deliberately absent: what a step wants. See `action`.

mod access;
mod clients;
mod codes;
mod denial;
mod endpoint;
mod error;
mod holdup;
mod identity;
mod limiter;
mod operations;
mod policy;
mod presign;
mod profile;
mod resources;
mod retry;
mod secrets;
mod smtp;
mod tags;
mod together;
mod watch;

pub use access::{Codes, Role};
/// The SDK's own types: everybody names them through this room, so that the SDK has one door.
pub use aws_sdk_backup as backup;
pub use aws_sdk_cloudcontrol as cloud_control;
pub use aws_sdk_cloudtrail as cloud_trail;
pub use aws_sdk_cloudwatch as metrics;
pub use aws_sdk_cloudwatchlogs as logs;
pub use aws_sdk_directconnect as direct_connect;
pub use aws_sdk_ec2 as ec2;
pub use aws_sdk_rds as rds;
pub use aws_sdk_route53 as route53;
pub use aws_sdk_route53resolver as resolver;
pub use aws_sdk_s3 as s3;
pub use aws_sdk_s3control as s3_control;
pub use aws_sdk_servicequotas as service_quotas;
pub use aws_sdk_sesv2 as mail;
pub use clients::{Cloud, OPERATION, Wiring, is_http_url};
pub use error::{AwsFailure, Fate, Kind, explain};
pub use holdup::{Holdup, Teller};
pub use identity::Identity;
pub use limiter::{Limiter, Paces};
pub use operations::{Effect, Operation, Repeat, Row, Rung, Scope, Service, Undo};
pub use policy::{
    ANY, Ground, Named, Needs, Passed, TO_BACKUP, TO_EXPORT, Use, deleting, linked_by, policies, sending, taken_by,
    unnamed,
};
pub use resources::{ResourceType, Tags as TagStyle};
pub use retry::{Patience, Resend, send};
pub use secrets::{RECOVERY_DAYS, SecretSeen};
pub use smtp::smtp_password;
pub use tags::{ENGAGEMENT, FORMER, Holder, Owner, Stamp, filter, holder, holder_by, lookup, run, run_of};
pub use watch::CallSeen;

#[cfg(test)]
mod tests;

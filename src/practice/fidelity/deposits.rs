//! Buckets of the customer's, in whichever account, into which hosts put files without credentials: by the bucket's policy they
//! come over one endpoint of a VPC, and from one address. Nobody reads there what was put.
//!
//! Rules: "Amazon S3 User Guide", Controlling access from VPC endpoints with bucket policies; "AWS PrivateLink", Gateway
//! endpoints for Amazon S3; "IAM User Guide", aws:SourceVpce and aws:VpcSourceIp.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Layer;
use super::control_types::Model;
use super::pace::Wait;
use super::routes::table_of;
use super::world::World;

/// As far as its policy goes, and what was put there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Deposit {
    since: i64,
    endpoint: String,
    from: Ipv4Addr,
    names: BTreeSet<String>,
}

/// What a request for a bucket gets: the status, and a text.
pub type Told = (u16, String);

impl Layer {
    /// Somebody at the customer's was asked for a bucket with the policy that stands in this text.
    pub(crate) fn customer_makes_bucket(&mut self, region: &str, now: i64, text: &str) {
        let word = |before: &str| text.split_once(before).and_then(|(_, rest)| rest.split(['"', '/']).next());
        let bucket = word(":s3:::");
        let endpoint = word("\"aws:SourceVpce\": \"");
        let from = word("\"aws:VpcSourceIp\": \"").and_then(|address| address.parse().ok());
        if let (Some(bucket), Some(endpoint), Some(from)) = (bucket, endpoint, from) {
            let world = self.world(region);
            let since = now + world.pace.millis(Wait::CustomerNames);
            let new = || Deposit { since, endpoint: endpoint.to_owned(), from, names: BTreeSet::new() };
            let there = world.deposits.entry(bucket.to_owned()).or_insert_with(new);
            (there.endpoint, there.from) = (endpoint.to_owned(), from);
        }
    }

    /// A host puts something at that path of S3, or asks there which names begin so: `BUCKET/NAME`, `BUCKET/?…&prefix=…`.
    pub(crate) fn deposit(&mut self, region: &str, now: i64, from: Ipv4Addr, path: &str, puts: bool) -> Told {
        let denied = || (403, "AccessDenied".to_owned());
        let Some(world) = self.at(region, now) else { return denied() };
        let (bucket, rest) = path.split_once('/').unwrap_or((path, ""));
        let Some(there) = world.deposits.get(bucket).filter(|one| one.since <= now) else {
            return (404, "NoSuchBucket".to_owned());
        };
        if there.from != from || endpoint_of(world, from) != Some(there.endpoint.as_str()) {
            return denied();
        }
        if !puts {
            let prefix = rest.split(['?', '&']).find_map(|part| part.strip_prefix("prefix=")).unwrap_or_default();
            let keys = there.names.iter().filter(|name| name.starts_with(prefix));
            return (200, keys.map(|name| format!("<Key>{name}</Key>\n")).collect());
        }
        let world = self.world(region);
        if let Some(there) = world.deposits.get_mut(bucket) {
            there.names.insert(rest.to_owned());
        }
        (200, String::new())
    }
}

/// The way to S3 that a host's subnet has inside of AWS's network.
fn endpoint_of(world: &World, host: Ipv4Addr) -> Option<&str> {
    let (_, instance) = world.instances.iter().find(|(_, one)| one.private_ip == host && one.terminated.is_none())?;
    let table = table_of(world, &instance.subnet)?;
    let service = format!("com.amazonaws.{}.s3", world.region);
    let leads = |model: &Model| {
        let is = |name: &str, wanted: &str| model.get(name).and_then(Json::as_str) == Some(wanted);
        let tables = model.get("RouteTableIds").and_then(Json::as_array).into_iter().flatten();
        let mut tables = tables.filter_map(|id| world.route_tables.get(id.as_str()?));
        is("ServiceName", &service) && is("VpcEndpointType", "Gateway") && tables.any(|one| std::ptr::eq(one, table))
    };
    world.control.of_kind("AWS::EC2::VPCEndpoint", world.now).find(|one| leads(&one.model)).map(|one| one.id.as_str())
}

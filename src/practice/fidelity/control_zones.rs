//! Hosted zones behind Cloud Control: they are Route 53's own, which are one for all regions. What Cloud Control adds to one is
//! where questions to it are logged.
//!
//! Rules: the schema of `AWS::Route53::HostedZone` in the CloudFormation registry, and the page of CreateQueryLoggingConfig:
//! a public zone, and a log group in us-east-1.

use serde_json::{Value as Json, json};

use super::control::{Resource, place, put};
use super::control_types::{Failed, Model, refused};
use super::route53::Zone;
use super::services::{EVERYWHERE, Visit};

pub(super) const ZONE: &str = "AWS::Route53::HostedZone";

/// What Route 53 has, Cloud Control shows; what is gone there is gone here.
pub(super) fn mirror(visit: &mut Visit<'_>) {
    let zones = visit.elsewhere(EVERYWHERE).into_iter().flat_map(|world| world.zones.all());
    let zones: Vec<(String, Model)> = zones.map(|(id, zone)| (id.clone(), model(id, zone))).collect();
    let world = visit.world();
    let there: Vec<String> = zones.iter().map(|(id, _)| place(ZONE, id)).collect();
    // Of one that is made here only the entry is made, which has the tags that it was made with.
    let stays = |one: &Resource| one.kind != ZONE || one.model.contains_key("HostedZoneTags");
    world.control.resources.retain(|place, one| stays(one) || there.contains(place));
    for (id, model) in zones {
        // One that is known already keeps what was set beside what Route 53 has.
        match world.control.resources.get_mut(&place(ZONE, &id)) {
            Some(known) => known.model.extend(model),
            None => {
                put(world, ZONE, &id, model);
            }
        }
    }
}

fn model(id: &str, zone: &Zone) -> Model {
    let mut model = Model::new();
    model.insert("Id".to_owned(), json!(id));
    model.insert("Name".to_owned(), json!(zone.name));
    let (name, value) = match zone.is_private() {
        true => {
            ("VPCs", zone.vpcs().map(|(region, vpc)| json!({ "VPCId": vpc, "VPCRegion": region })).collect::<Vec<_>>())
        }
        false => ("NameServers", zone.name_servers.iter().map(|server| json!(server)).collect()),
    };
    model.insert(name.to_owned(), Json::Array(value));
    model
}

/// Would the handler leave it so?
pub(super) fn may_be(model: &Model) -> Result<(), Failed> {
    let Some(logging) = model.get("QueryLoggingConfig") else { return Ok(()) };
    let group = logging["CloudWatchLogsLogGroupArn"].as_str().unwrap_or_default();
    if model.contains_key("VPCs") {
        return refused("You can't create a query logging config for a private hosted zone");
    }
    match group.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "logs", "us-east-1", _, "log-group", _] => Ok(()),
        _ => refused("The ARN for the CloudWatch Logs log group is invalid: it must be in the us-east-1 Region"),
    }
}

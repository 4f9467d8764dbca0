//! Service Quotas: what the account may have of what the engagement needs, and requests for more.
//!
//! Rules: "Service Quotas API Reference", the page of each operation. The quotas are those of the domain specification (2,
//! "Quotas to read"), with AWS's defaults; a new account has none of its own but for processors. Somebody at AWS reads a
//! request for a while, and grants whatever is asked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::pace::Wait;
use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::World;

/// Service, code, name, default, and whether AWS ever gives more.
const DEFAULTS: [(&str, &str, &str, f64, bool); 17] = [
    ("vpc", "L-F678F1CE", "VPCs per Region", 5.0, true),
    ("vpc", "L-A4707A72", "Internet gateways per Region", 5.0, true),
    ("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5.0, true),
    ("vpc", "L-E79EC296", "VPC security groups per Region", 2500.0, true),
    ("vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60.0, true),
    ("vpc", "L-93826ACB", "Routes per route table", 50.0, true),
    ("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5.0, true),
    ("ec2", "L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 32.0, true),
    ("ec2", "L-4FB7FF5D", "Customer gateways per region", 50.0, true),
    ("ec2", "L-7029FAB6", "Virtual private gateways per region", 5.0, true),
    ("ec2", "L-3E6EC3A3", "VPN connections per region", 50.0, true),
    ("ec2", "L-B91E5754", "VPN connections per virtual private gateway", 10.0, true),
    ("route53resolver", "L-4A669CC0", "Maximum number of resolver endpoints per AWS Region", 4.0, true),
    ("rds", "L-7B6409FD", "DB instances", 40.0, true),
    ("ses", "L-804C8AE8", "Sending quota", 200.0, true),
    ("ses", "L-CDEF9B6B", "Sending rate", 1.0, true),
    ("vpc", "L-3248932A", "Characters per VPC endpoint policy", 20480.0, false),
];
/// What a new account has by a value of its own, and not by default.
const OF_ITS_OWN: [&str; 2] = ["L-F678F1CE", "L-1216C47A"];

/// Requests of one region, by quota, the oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Quotas(BTreeMap<String, Vec<Raise>>);

#[derive(Debug, Serialize, Deserialize)]
struct Raise {
    id: String,
    wanted: f64,
    asked: i64,
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let ask: Map<String, Json> = serde_json::from_str(&visit.ask.body)
        .map_err(|_| Refusal::new("SerializationException", "The request is not JSON."))?;
    let text = |name: &str| ask.get(name).and_then(Json::as_str).unwrap_or_default();
    let (service, code) = (text("ServiceCode"), text("QuotaCode"));
    let action = visit.ask.action().to_owned();
    let world = visit.world();
    let answer = match action.as_str() {
        "GetServiceQuota" => {
            let row = row(service, code)?;
            let raised = granted(world, code);
            if raised.is_none() && !OF_ITS_OWN.contains(&code) {
                return Err(none());
            }
            json!({ "Quota": shown(world, row, raised.unwrap_or(row.3)) })
        }
        "GetAWSDefaultServiceQuota" => {
            let row = row(service, code)?;
            json!({ "Quota": shown(world, row, row.3) })
        }
        "ListAWSDefaultServiceQuotas" => {
            let rows = DEFAULTS.iter().filter(|row| row.0 == service);
            let all: Vec<Json> = rows.map(|row| shown(world, row, row.3)).collect();
            if all.is_empty() {
                return Err(none());
            }
            json!({ "Quotas": all })
        }
        "RequestServiceQuotaIncrease" => {
            let wanted = ask.get("DesiredValue").and_then(Json::as_f64).unwrap_or_default();
            json!({ "RequestedQuota": request(world, row(service, code)?, wanted)? })
        }
        "ListRequestedServiceQuotaChangeHistoryByQuota" => {
            let row = row(service, code)?;
            let asked = world.quotas.0.get(code).into_iter().flatten();
            let all: Vec<Json> = asked.rev().map(|raise| told(world, row, raise)).collect();
            json!({ "RequestedQuotas": all })
        }
        _ => return Ok(None),
    };
    Ok(Some(answer.to_string()))
}

type Row = (&'static str, &'static str, &'static str, f64, bool);

fn none() -> Refusal {
    Refusal::new("NoSuchResourceException", "The specified resource does not exist.")
}

fn row(service: &str, code: &str) -> Result<&'static Row, Refusal> {
    DEFAULTS.iter().find(|row| row.0 == service && row.1 == code).ok_or_else(none)
}

fn shown(world: &World, row: &Row, value: f64) -> Json {
    let (service, code, name, _, adjustable) = row;
    json!({
        "ServiceCode": service, "ServiceName": service, "QuotaCode": code, "QuotaName": name, "Value": value,
        "Unit": "None", "Adjustable": adjustable, "GlobalQuota": false,
        "QuotaArn": format!("arn:aws:servicequotas:{}:{}:{service}/{code}", world.region, world.account),
    })
}

fn is_granted(world: &World, raise: &Raise) -> bool {
    world.now >= raise.asked + world.pace.millis(Wait::QuotaReview)
}

/// What it was raised to.
fn granted(world: &World, code: &str) -> Option<f64> {
    let asked = world.quotas.0.get(code)?;
    asked.iter().rev().find(|raise| is_granted(world, raise)).map(|raise| raise.wanted)
}

/// How much the account may have: what was granted, or AWS's default.
pub(super) fn allowed(world: &World, code: &str) -> usize {
    let default = || DEFAULTS.iter().find(|row| row.1 == code).map(|row| row.3);
    granted(world, code).or_else(default).unwrap_or_default() as usize
}

/// One request at a time, and only for more.
fn request(world: &mut World, row: &Row, wanted: f64) -> Result<Json, Refusal> {
    let (_, code, _, default, adjustable) = *row;
    if !adjustable {
        return Err(Refusal::new("IllegalArgumentException", "The quota is not adjustable."));
    }
    if world.quotas.0.get(code).and_then(|asked| asked.last()).is_some_and(|last| !is_granted(world, last)) {
        let message = "Only one open service quota increase request is allowed per quota.";
        return Err(Refusal::new("ResourceAlreadyExistsException", message));
    }
    if wanted <= granted(world, code).unwrap_or(default) {
        let message = "You must provide a quota value greater than the current quota value.";
        return Err(Refusal::new("IllegalArgumentException", message));
    }
    let raise = Raise { id: world.mint("quota"), wanted, asked: world.now };
    let answer = told(world, row, &raise);
    world.quotas.0.entry(code.to_owned()).or_default().push(raise);
    Ok(answer)
}

fn told(world: &World, row: &Row, raise: &Raise) -> Json {
    let (service, code, name, ..) = row;
    let status = if is_granted(world, raise) { "APPROVED" } else { "PENDING" };
    json!({
        "Id": raise.id, "ServiceCode": service, "ServiceName": service, "QuotaCode": code, "QuotaName": name,
        "DesiredValue": raise.wanted, "Status": status, "Created": raise.asked / 1_000, "GlobalQuota": false,
        "Unit": "None", "CaseId": format!("{}", raise.asked / 1_000),
    })
}

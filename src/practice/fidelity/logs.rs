//! CloudWatch Logs: what the tunnels of VPN connections write down.
//!
//! Rules: the API reference of FilterLogEvents, and "AWS Site-to-Site VPN logs" for fields and messages. Nothing is kept: what a
//! tunnel has written is worked out of how it is, and since when.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::{Tunnel, VpnConnection, World};

/// Between two attempts, in milliseconds.
const AGAIN: i64 = 60_000;
/// So many attempts are remembered.
const ATTEMPTS: i64 = 60;
/// Lines of one answer.
const PAGE: usize = 10_000;

/// What a tunnel writes, again and again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Writing {
    pub since: i64,
    /// The lines of each attempt.
    pub lines: Vec<String>,
    /// They are about BGP: the tunnel itself is up.
    #[serde(default)]
    pub of_session: bool,
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let ask: Map<String, Json> = serde_json::from_str(&visit.ask.body)
        .map_err(|_| Refusal::new("SerializationException", "The request is not JSON."))?;
    let text = |name: &str| ask.get(name).and_then(Json::as_str).unwrap_or_default();
    let action = visit.ask.action().to_owned();
    if action != "FilterLogEvents" {
        return Err(Refusal::new("UnknownOperationException", format!("The practice cloud does not know {action}")));
    }
    let world = &*visit.world();
    let group = text("logGroupName");
    if group.is_empty() {
        return Err(Refusal::new("InvalidParameterException", "Log group name or identifier is required."));
    }
    if world.control.seen(world, "AWS::Logs::LogGroup", group).is_none() {
        return Err(Refusal::new("ResourceNotFoundException", "The specified log group does not exist."));
    }
    let since = ask.get("startTime").and_then(Json::as_i64).unwrap_or(0);
    let mut all: Vec<(String, i64, Json)> =
        world.vpn_connections.iter().flat_map(|(id, one)| written(world, id, one, group)).collect();
    all.retain(|(stream, at, _)| *at >= since && stream.starts_with(text("logStreamNamePrefix")));
    all.sort_by_key(|(stream, at, _)| (*at, stream.clone()));
    let from = text("nextToken").parse().unwrap_or(0);
    let events: Vec<Json> =
        all.iter().enumerate().skip(from).take(PAGE).map(|(number, event)| shown(number, event)).collect();
    let next = (from + PAGE < all.len()).then(|| (from + PAGE).to_string());
    Ok(Some(json!({ "events": events, "nextToken": next }).to_string()))
}

fn shown(number: usize, (stream, at, message): &(String, i64, Json)) -> Json {
    json!({
        "logStreamName": stream, "timestamp": at, "ingestionTime": at, "eventId": format!("{number:056}"),
        "message": message.to_string(),
    })
}

/// Stream, time and line of all that the tunnels of a connection have written into this group.
fn written(world: &World, id: &str, connection: &VpnConnection, group: &str) -> Vec<(String, i64, Json)> {
    let writes = |tunnel: &&Tunnel| {
        let into = tunnel.logs.get("logGroupArn").map(String::as_str).unwrap_or_default();
        into.split_once(":log-group:").is_some_and(|(_, name)| name.trim_end_matches(":*") == group)
    };
    connection.tunnels.iter().filter(writes).flat_map(|tunnel| lines(world, id, connection, tunnel)).collect()
}

fn lines(world: &World, id: &str, connection: &VpnConnection, tunnel: &Tunnel) -> Vec<(String, i64, Json)> {
    let name = format!("{id}_{}", tunnel.outside);
    let up = world.up_since(connection, tunnel);
    let negotiation = |at: i64, details: &str| {
        let state = if up.is_some() { "established" } else { "down" };
        let line = json!({
            "event_timestamp": at / 1_000, "details": details, "dpd_enabled": true, "nat_t_detected": false,
            "ike_phase1_state": state, "ike_phase2_state": state,
        });
        (format!("{name}-IKE"), at, line)
    };
    let session = |at: i64, status: &str, details: &str| {
        let line = json!({
            "resource_id": name, "event_timestamp": at, "type": "BGPStatus", "status": status,
            "message": { "details": details },
        });
        (format!("{name}-BGP"), at, line)
    };
    let mut all = Vec::new();
    if let Some(at) = up {
        all.push(negotiation(at, "AWS tunnel is sending response (id=1) for CREATE_CHILD_SA"));
        if !connection.is_static {
            let neighbour = tunnel.inside.hosts().nth(1).unwrap_or(tunnel.outside);
            let details = format!(
                "AWS-side peer BGP session state has changed from OpenConfirm to Established with neighbor {neighbour}"
            );
            all.push(session(at, "UP", &details));
        }
    }
    if let Some(writing) = &tunnel.writes {
        let attempts = ((world.now - writing.since) / AGAIN).clamp(0, ATTEMPTS);
        for begun in (0..=attempts).map(|attempt| world.now - attempt * AGAIN) {
            // One after the other, the last one just now.
            let lines = writing.lines.iter().rev().zip(1..).map(|(details, before)| match writing.of_session {
                true => session(begun - before, "DOWN", details),
                false => negotiation(begun - before, details),
            });
            all.extend(lines);
        }
    }
    all
}

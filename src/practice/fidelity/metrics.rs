//! CloudWatch: of what services measure, the light that ports of Direct Connect receive.
//!
//! Rules: the API reference of GetMetricData, and "Monitor with Amazon CloudWatch" of the Direct Connect user guide. Nothing is kept:
//! what was measured is worked out of how the line is now. A metric that nobody wrote has no values, and is no error.

use serde_json::{Value as Json, json};

use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::World;

pub(super) const PATHS: &[(&str, &str, &str)] =
    &[("POST", "/service/GraniteServiceVersion20100801/operation/GetMetricData", "GetMetricData")];
/// Queries of one call.
const MOST: usize = 500;

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let ask: Json = serde_json::from_str(&visit.ask.body)
        .map_err(|_| Refusal::new("SerializationException", "The request is not CBOR."))?;
    let action = visit.ask.action().to_owned();
    if action != "GetMetricData" {
        return Err(Refusal::new("UnknownOperationException", format!("The practice cloud does not know {action}")));
    }
    let invalid = |what: &str| Refusal::new("InvalidParameterValue", what);
    let queries = ask["MetricDataQueries"].as_array().filter(|all| !all.is_empty() && all.len() <= MOST);
    let queries = queries.ok_or_else(|| invalid("MetricDataQueries must have 1 to 500 queries."))?;
    let time = |name: &str| ask[name].as_f64();
    let (Some(from), Some(to)) = (time("StartTime"), time("EndTime")) else {
        return Err(Refusal::new("MissingParameter", "StartTime and EndTime are required."));
    };
    if from >= to {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let world = &*visit.world();
    let results = queries.iter().map(|query| one(world, query, to)).collect::<Result<Vec<Json>, Refusal>>()?;
    Ok(Some(json!({ "MetricDataResults": results, "Messages": [] }).to_string()))
}

/// The last value of one query.
fn one(world: &World, query: &Json, to: f64) -> Result<Json, Refusal> {
    let id = query["Id"].as_str().unwrap_or_default();
    let well_formed =
        id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !well_formed {
        let what =
            format!("The value {id} for parameter MetricDataQueries.member.Id is not matching the expected pattern");
        return Err(Refusal::new("ValidationError", what));
    }
    let metric = &query["MetricStat"]["Metric"];
    let period = query["MetricStat"]["Period"].as_i64().unwrap_or_default();
    if period < 60 || period % 60 != 0 {
        return Err(Refusal::new("ValidationError", "Period must be a multiple of 60."));
    }
    let of = |name: &str| {
        let all = metric["Dimensions"].as_array().into_iter().flatten();
        all.filter(|one| one["Name"] == name).find_map(|one| one["Value"].as_str()).unwrap_or_default()
    };
    let is_light = metric["Namespace"] == "AWS/DX" && metric["MetricName"] == "ConnectionLightLevelRx";
    let value = match of("OpticalLaneNumber") {
        "1" if is_light => world.light_of(of("ConnectionId")),
        _ => None,
    };
    let (times, values): (Vec<f64>, Vec<f64>) =
        value.map(|value| ((to / 300.0).floor() * 300.0, value)).into_iter().unzip();
    let label = metric["MetricName"].as_str().unwrap_or_default();
    Ok(json!({ "Id": id, "Label": label, "Timestamps": times, "Values": values, "StatusCode": "Complete" }))
}

//! CloudTrail: who writes down what is done in the account.
//!
//! Rules: "AWS CloudTrail API Reference", the page of each operation. The customer has one trail for all regions, which is
//! switched on. What it writes is kept nowhere, and its bucket is not looked at.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::refusal::Refusal;
use super::services::{Answer, Visit};

/// One trail. All of them stand where that is kept which is one for all regions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Trail {
    name: String,
    bucket: String,
    home: String,
    everywhere: bool,
    logging: bool,
    /// As they were said; empty where nobody has said any.
    selectors: Vec<Json>,
    advanced: Vec<Json>,
}

/// What a customer has who looks after the account.
pub(super) fn usual() -> Vec<Trail> {
    vec![Trail {
        name: "customer-audit".to_owned(),
        bucket: "customer-audit-logs".to_owned(),
        home: "us-east-1".to_owned(),
        everywhere: true,
        logging: true,
        selectors: Vec::new(),
        advanced: Vec::new(),
    }]
}

impl Trail {
    fn arn(&self, account: &str) -> String {
        format!("arn:aws:cloudtrail:{}:{account}:trail/{}", self.home, self.name)
    }

    fn shown(&self, account: &str) -> Json {
        json!({
            "Name": self.name, "S3BucketName": self.bucket, "TrailARN": self.arn(account), "HomeRegion": self.home,
            "IsMultiRegionTrail": self.everywhere, "IncludeGlobalServiceEvents": true, "IsOrganizationTrail": false,
            "LogFileValidationEnabled": false, "HasInsightSelectors": false,
            "HasCustomEventSelectors": !(self.selectors.is_empty() && self.advanced.is_empty()),
        })
    }

    fn shown_selectors(&self, account: &str) -> Json {
        match (self.selectors.is_empty(), self.advanced.is_empty()) {
            (_, false) => json!({ "TrailARN": self.arn(account), "AdvancedEventSelectors": self.advanced }),
            (false, true) => json!({ "TrailARN": self.arn(account), "EventSelectors": self.selectors }),
            // As every new trail has it.
            (true, true) => json!({
                "TrailARN": self.arn(account),
                "EventSelectors": [{
                    "ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [],
                    "ExcludeManagementEventSources": [],
                }],
            }),
        }
    }
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let ask: Map<String, Json> = serde_json::from_str(&visit.ask.body)
        .map_err(|_| Refusal::new("SerializationException", "The request is not JSON."))?;
    let (action, region) = (visit.ask.action().to_owned(), visit.ask.region.clone());
    let world = visit.world();
    let (account, trails) = (world.account.clone(), &mut world.trails);
    let text = |name: &str| ask.get(name).and_then(Json::as_str).unwrap_or_default();
    let at = |trails: &[Trail]| {
        let wanted = if ask.contains_key("TrailName") { text("TrailName") } else { text("Name") };
        // By its name alone it is known in its own region.
        let is = |trail: &Trail| trail.arn(&account) == wanted || (trail.name == wanted && trail.home == region);
        trails
            .iter()
            .position(is)
            .ok_or_else(|| Refusal::new("TrailNotFoundException", format!("Unknown trail: {wanted}")))
    };
    let answer = match action.as_str() {
        "DescribeTrails" => {
            let shadows = ask.get("includeShadowTrails").and_then(Json::as_bool).unwrap_or(true);
            let seen = |trail: &&Trail| trail.home == region || (trail.everywhere && shadows);
            let all: Vec<Json> = trails.iter().filter(seen).map(|trail| trail.shown(&account)).collect();
            json!({ "trailList": all })
        }
        "GetTrailStatus" => json!({ "IsLogging": trails[at(trails)?].logging }),
        "GetEventSelectors" => trails[at(trails)?].shown_selectors(&account),
        "StartLogging" | "StopLogging" => {
            let at = at(trails)?;
            trails[at].logging = action == "StartLogging";
            json!({})
        }
        "PutEventSelectors" => {
            let list = |name: &str| ask.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
            let (at, selectors, advanced) = (at(trails)?, list("EventSelectors"), list("AdvancedEventSelectors"));
            if selectors.is_empty() == advanced.is_empty() {
                let message = "Give event selectors or advanced event selectors, and not both.";
                return Err(Refusal::new("InvalidEventSelectorsException", message));
            }
            (trails[at].selectors, trails[at].advanced) = (selectors, advanced);
            trails[at].shown_selectors(&account)
        }
        "CreateTrail" => {
            let made = made(&ask, &region)?;
            if trails.iter().any(|trail| trail.arn(&account) == made.arn(&account)) {
                let message = format!("Trail {} already exists", made.name);
                return Err(Refusal::new("TrailAlreadyExistsException", message));
            }
            let shown = made.shown(&account);
            trails.push(made);
            shown
        }
        "DeleteTrail" => {
            let at = at(trails)?;
            trails.remove(at);
            json!({})
        }
        other => {
            let message = format!("The practice cloud does not know {other} of CloudTrail");
            return Err(Refusal::new("UnsupportedOperationException", message));
        }
    };
    Ok(Some(answer.to_string()))
}

fn made(ask: &Map<String, Json>, region: &str) -> Result<Trail, Refusal> {
    let text = |name: &str| ask.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let (name, bucket) = (text("Name"), text("S3BucketName"));
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !(3..=128).contains(&name.len()) || !name.chars().all(good) {
        let message = "Trail name must be 3 to 128 characters of letters, digits, periods, underscores and dashes.";
        return Err(Refusal::new("InvalidTrailNameException", message));
    }
    if bucket.is_empty() {
        return Err(Refusal::new("InvalidS3BucketNameException", "Bucket name is missing."));
    }
    let everywhere = ask.get("IsMultiRegionTrail").and_then(Json::as_bool).unwrap_or(false);
    let (selectors, advanced) = Default::default();
    // It does not write before somebody has switched it on.
    Ok(Trail { name, bucket, home: region.to_owned(), everywhere, logging: false, selectors, advanced })
}

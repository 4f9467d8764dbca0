//! Is what is done in a region of the account written down? (domain specification, P00.10; "AWS CloudTrail API Reference":
//! DescribeTrails, GetTrailStatus, GetEventSelectors.)
//!
//! A trail of all regions is shown in each of them, and one of the organisation in all its accounts; of both the ARN alone tells
//! which one is meant.

use async_trait::async_trait;
use serde_json::json;

use super::arguments::Arguments;
use super::aws_account::asked;
use super::aws_resource::{given_region, in_region};
use super::check::Question;
use super::object::found;
use super::world::Subject;
use super::{Failure, Verified, World};
use crate::aws::cloud_trail::operation::get_event_selectors::GetEventSelectorsOutput;
use crate::aws::cloud_trail::types::{AdvancedEventSelector, EventSelector, ReadWriteType};
use crate::aws::{AwsFailure, Cloud, Kind, Operation};

/// `aws/trail`: a trail logs what is changed in the region.
pub(super) struct TheTrail {
    region: Option<String>,
}

impl TheTrail {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheTrail { region: given_region(arguments, "region")? })
    }
}

/// What a trail does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Writes,
    /// It is switched off.
    Silent,
    /// It leaves out what is changed.
    Narrow,
    /// It was there a moment ago.
    Gone,
}

async fn state(cloud: &Cloud, arn: &str) -> Result<State, AwsFailure> {
    let trails = cloud.trails();
    let request = trails.get_trail_status().name(arn);
    let status = match cloud.read(Operation::GetTrailStatus, || request.clone().send()).await {
        Ok(status) => status,
        Err(failure) if failure.kind == Kind::NotFound => return Ok(State::Gone),
        Err(failure) => return Err(failure),
    };
    if status.is_logging() != Some(true) {
        return Ok(State::Silent);
    }
    let request = trails.get_event_selectors().trail_name(arn);
    match cloud.read(Operation::GetEventSelectors, || request.clone().send()).await {
        Ok(selectors) if writes_changes(&selectors) => Ok(State::Writes),
        Ok(_) => Ok(State::Narrow),
        Err(failure) if failure.kind == Kind::NotFound => Ok(State::Gone),
        Err(failure) => Err(failure),
    }
}

/// One that was never told what to write down writes all management events down ("PutEventSelectors").
fn writes_changes(selectors: &GetEventSelectorsOutput) -> bool {
    let (basic, advanced) = (selectors.event_selectors(), selectors.advanced_event_selectors());
    let never_told = basic.is_empty() && advanced.is_empty();
    never_told || basic.iter().any(takes_changes) || advanced.iter().any(takes_all_changes)
}

fn takes_changes(one: &EventSelector) -> bool {
    one.include_management_events() != Some(false) && one.read_write_type() != Some(&ReadWriteType::ReadOnly)
}

fn takes_all_changes(one: &AdvancedEventSelector) -> bool {
    let equals = |field: &str, value: &str| {
        let mut about = one.field_selectors().iter().filter(|selector| selector.field() == field);
        about.any(|selector| selector.equals().iter().any(|equal| equal == value))
    };
    equals("eventCategory", "Management") && !equals("readOnly", "true")
}

#[async_trait]
impl Question for TheTrail {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let place = in_region(&cloud, self.region.as_deref());
            let request = place.trails().describe_trails().include_shadow_trails(true);
            let seen = place.read(Operation::DescribeTrails, || request.clone().send()).await?;
            let mut lacking = Vec::new();
            for arn in seen.trail_list().iter().filter_map(|trail| trail.trail_arn()) {
                let state = state(&place, arn).await?;
                if state == State::Writes {
                    let said = format!("{arn} writes down what is done in {}", place.region());
                    return Ok(Verified::So(found(said, json!({ "arn": arn }))));
                }
                lacking.push((arn.to_owned(), state));
            }
            Ok(Verified::NotSo(failure(place.region(), &lacking)))
        })
        .await
    }
}

/// What to do: of the trails that are there one that needs least.
fn failure(region: &str, lacking: &[(String, State)]) -> Failure {
    let first = |wanted: State| lacking.iter().find(|(_, state)| *state == wanted).map(|(arn, _)| arn);
    if let Some(arn) = first(State::Silent) {
        let what = format!("nothing writes down what is done in {region}: the trail {arn} is switched off");
        return Failure::new(what, format!("Switch it on: aws cloudtrail start-logging --name {arn}"));
    }
    if let Some(arn) = first(State::Narrow) {
        let what = format!("nothing writes down what is changed in {region}: the trail {arn} leaves it out");
        let advice = format!(
            "Let it write management events down, those that read and those that write: aws cloudtrail \
             get-event-selectors --trail-name {arn} shows what it takes, and put-event-selectors sets it. Or make another trail."
        );
        return Failure::new(what, advice);
    }
    Failure::new(
        format!("no trail writes down what is done in {region}"),
        "Make one for all regions, with a bucket into which CloudTrail may write: aws cloudtrail create-trail --name NAME \
         --s3-bucket-name BUCKET --is-multi-region-trail; then aws cloudtrail start-logging --name NAME.",
    )
}

//! How much light Amazon's ports of a line receive: it tells a cable that brings none from a router that does not answer.
//!
//! "Monitor with Amazon CloudWatch" of the Direct Connect user guide: ConnectionLightLevelRx, in dBm, of each optical lane.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::Verified;
use super::arguments::Arguments;
use super::aws_account::asked;
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Trouble};
use crate::aws::metrics::primitives::DateTime;
use crate::aws::metrics::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use crate::aws::{AwsFailure, Cloud, Kind, Operation};
use crate::text::list;

/// So far back it is looked for, in seconds.
const BACK: i64 = 3_600;
/// AWS writes it down so often, in seconds.
const PERIOD: i32 = 300;
/// Optics of 100 Gbit/s have four lanes, slower ones the first.
const LANES: [&str; 4] = ["1", "2", "3", "4"];
/// What optics of each speed need at least, in dBm a lane: IEEE 802.3 of 1000BASE-LX, 10GBASE-LR and 100GBASE-LR4.
const LEAST: [(&str, f64); 3] = [("1Gbps", -19.0), ("10Gbps", -14.4), ("100Gbps", -10.6)];
/// Below this, in dBm, is darkness: optics say -40 where there is none, the smallest power that they can report (SFF-8472).
const DARK: f64 = -30.0;

/// `aws/dx-light`
pub(super) struct TheLight {
    ports: Vec<String>,
    least: Option<f64>,
}

impl TheLight {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let bandwidth = arguments.optional("bandwidth")?;
        let least = LEAST.iter().find(|(speed, _)| bandwidth.as_deref() == Some(*speed)).map(|(_, least)| *least);
        Ok(TheLight { ports: arguments.list("ports")?, least })
    }

    /// The last value of each port's weakest lane; of a port of which there is none, nothing.
    async fn levels(&self, cloud: &Cloud, now: i64) -> Result<BTreeMap<String, f64>, AwsFailure> {
        let lanes = self.ports.iter().enumerate().flat_map(|(port, id)| LANES.map(|lane| (port, id, lane)));
        let request = cloud
            .metrics()
            .get_metric_data()
            .set_metric_data_queries(Some(lanes.map(|(port, id, lane)| query(port, id, lane)).collect()))
            .start_time(DateTime::from_secs(now - BACK))
            .end_time(DateTime::from_secs(now))
            .scan_by(ScanBy::TimestampDescending);
        let answer = cloud.read(Operation::GetMetricData, || request.clone().send()).await?;
        let mut levels: BTreeMap<String, f64> = BTreeMap::new();
        for result in answer.metric_data_results() {
            let port = result.id().and_then(|id| id.strip_prefix('p')?.split_once('l')?.0.parse::<usize>().ok());
            if let (Some(port), Some(value)) = (port.and_then(|port| self.ports.get(port)), result.values().first()) {
                levels.entry(port.clone()).and_modify(|weakest| *weakest = weakest.min(*value)).or_insert(*value);
            }
        }
        Ok(levels)
    }

    fn is(&self, levels: &BTreeMap<String, f64>) -> &'static str {
        match levels.values().copied().reduce(f64::min) {
            None => "unknown",
            Some(weakest) if weakest < DARK => "dark",
            Some(weakest) if self.least.is_some_and(|least| weakest < least) => "weak",
            Some(_) => "good",
        }
    }

    fn said(&self, levels: &BTreeMap<String, f64>) -> String {
        let of = |port: &String| match levels.get(port) {
            Some(level) => format!("{port} receives {level:.1} dBm"),
            None => format!("of {port} CloudWatch has nothing in the last hour"),
        };
        let needs = self.least.map(|least| format!(" (its optics need {least} dBm)")).unwrap_or_default();
        format!("{}{needs}", list(&self.ports.iter().map(of).collect::<Vec<_>>()))
    }
}

fn query(port: usize, id: &str, lane: &str) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/DX")
        .metric_name("ConnectionLightLevelRx")
        .dimensions(dimension("ConnectionId", id))
        .dimensions(dimension("OpticalLaneNumber", lane))
        .build();
    let average = MetricStat::builder().metric(metric).period(PERIOD).stat("Average").build();
    MetricDataQuery::builder().id(format!("p{port}l{lane}")).metric_stat(average).build()
}

#[async_trait]
impl Question for TheLight {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let (levels, said) = match self.levels(&cloud, Timestamp::now().as_second()).await {
                Ok(levels) => (levels.clone(), self.said(&levels)),
                Err(failure) if failure.kind == Kind::Denied => {
                    (BTreeMap::new(), format!("it may not be read here: {}", failure.meaning))
                }
                Err(failure) => return Ok(Verified::Unknown(Trouble::Failure(failure.into()))),
            };
            let results = json!({ "light": self.is(&levels), "levels": levels, "least": self.least, "seen": said });
            Ok(Verified::So(found(said, results)))
        })
        .await
    }
}

//! Several ports of Direct Connect that work as one: a LAG, ordered once as a single port is.

use async_trait::async_trait;
use serde_json::json;

use super::Failure;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_dx::{lines, tagged};
use super::aws_dx_interface::others_on;
use super::aws_dx_macsec::{UP, lacks_macsec, wants_macsec};
use super::aws_network::label;
use super::call::dx::DxRequest;
use super::call::{Call, Label};
use super::object::{Made, Remains, Sight, Thing, differing, found};
use super::tagged::{Tagged, holder, left, otherwise, ours, the_one};
use super::world::Subject;
use crate::aws::direct_connect::types::{Connection, ConnectionState, Lag, LagState};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::engagement::Difference;
use crate::text::count;

/// By its id a LAG is told from a single line.
pub(super) fn is_lag(id: &str) -> bool {
    id.starts_with("dxlag-")
}

/// All of the region that are not gone, with their tags.
async fn lags(cloud: &Cloud) -> Result<Vec<Tagged<Lag>>, AwsFailure> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let request = cloud.direct_connect().describe_lags().set_next_token(next);
        let page = cloud.read(Operation::DescribeLags, || request.clone().send()).await?;
        all.extend(page.lags.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    let live = all.into_iter().filter(|one| one.lag_state() != Some(&LagState::Deleted));
    Ok(live.filter_map(|mut one| Some(tagged(one.lag_id.clone()?, one.tags.take(), one))).collect())
}

/// One by its id, seen as the one line that it is for whatever is put on it.
pub(super) async fn as_line(cloud: &Cloud, id: &str) -> Result<Option<Connection>, AwsFailure> {
    let request = cloud.direct_connect().describe_lags().lag_id(id);
    let lag = match cloud.read(Operation::DescribeLags, || request.clone().send()).await {
        Ok(answer) => answer.lags.unwrap_or_default().into_iter().next(),
        Err(failure) if failure.kind == Kind::NotFound => None,
        Err(failure) => return Err(failure),
    };
    let Some(lag) = lag else { return Ok(None) };
    // It carries encrypted where each of its ports does.
    let encryption = |port: &Connection| port.port_encryption_status().map(str::to_owned);
    let encryption = match lag.connections().iter().find(|port| port.port_encryption_status() != Some(UP)) {
        Some(port) => encryption(port),
        None => lag.connections().first().and_then(encryption),
    };
    // The letter is one for all ports.
    let issued = lag.connections().iter().find_map(|port| port.loa_issue_time().copied());
    Ok(Some(
        Connection::builder()
            .connection_id(id)
            .set_connection_state(lag.lag_state().map(|state| ConnectionState::from(state.as_str())))
            .set_loa_issue_time(issued)
            .set_aws_device_v2(lag.aws_device_v2().map(str::to_owned))
            .set_jumbo_frame_capable(lag.jumbo_frame_capable())
            .set_mac_sec_capable(lag.mac_sec_capable())
            .set_encryption_mode(lag.encryption_mode().map(str::to_owned))
            .set_port_encryption_status(encryption)
            .set_mac_sec_keys(lag.mac_sec_keys)
            .build(),
    ))
}

fn give_back(lag: &str) -> Call {
    Call::Dx(DxRequest::DeleteLag { lag_id: lag.to_owned() })
}

fn give_back_port(port: &str) -> Call {
    Call::Dx(DxRequest::DeleteConnection { connection_id: port.to_owned() })
}

/// `aws/dx-lag`
pub(super) struct TheLag {
    location: String,
    bandwidth: String,
    ports: i32,
    provider: Option<String>,
    macsec: bool,
    label: Label,
}

impl TheLag {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let bandwidth = arguments.text("bandwidth")?;
        let ports = arguments.number("ports", 1, 4)?.unwrap_or(2);
        if ports > 2 && known(&bandwidth) && ["100Gbps", "400Gbps"].contains(&&*bandwidth) {
            let what = format!("a LAG has two ports of {bandwidth} at most, and not {ports}");
            return Err(Failure::new(what, "Correct the step in the runbook, or the input."));
        }
        Ok(TheLag {
            location: arguments.text("location")?,
            bandwidth,
            ports,
            provider: arguments.optional("provider")?,
            macsec: wants_macsec(arguments)?,
            label: label(subject, arguments)?,
        })
    }

    fn differences(&self, there: &Lag) -> Vec<Difference> {
        let (ports, has) = (self.ports.to_string(), there.number_of_connections().to_string());
        let mut differences = differing(&[
            ("location", self.location.as_str(), there.location()),
            ("speed", &self.bandwidth, there.connections_bandwidth()),
            ("ports", &ports, Some(&has)),
        ]);
        differences.extend(lacks_macsec(self.macsec, there.mac_sec_capable()));
        differences
    }
}

#[async_trait]
impl Thing for TheLag {
    fn noun(&self) -> String {
        format!("LAG {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dx(DxRequest::CreateLag {
            number_of_connections: self.ports,
            location: self.location.clone(),
            connections_bandwidth: self.bandwidth.clone(),
            lag_name: self.label.name.clone(),
            provider_name: self.provider.clone(),
            request_mac_sec: self.macsec,
            tags: self.label.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let all = lags(at.cloud).await?;
        let live: Vec<_> = all.into_iter().filter(|one| one.thing.lag_state() != Some(&LagState::Deleting)).collect();
        // Somebody who ordered it by hand has called it the same.
        let same = |one: &&Tagged<Lag>| {
            one.thing.lag_name() == Some(&self.label.name) && self.differences(&one.thing).is_empty()
        };
        let alike = live.iter().find(same).map(|one| (one.id.clone(), one.holder(at)));
        let Some(Tagged { thing, id, .. }) = the_one(at, &self.label.key, live) else {
            return Ok(match alike {
                Some((id, holder)) => {
                    let place = format!("a LAG called {} at {}", self.label.name, self.location);
                    at.taken_by(&self.noun(), &place, (&id, &holder))
                }
                None => Sight::Nothing { said: format!("{} is not ordered", self.noun()) },
            });
        };
        let differences = self.differences(&thing);
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), &id, differences));
        }
        let state = thing.lag_state().map_or("unknown", LagState::as_str);
        let ports = usize::try_from(self.ports).unwrap_or_default();
        let said = format!("{id}, {} of {} at {}: {state}", count(ports, "port"), self.bandwidth, self.location);
        let mut members: Vec<&str> = thing.connections().iter().filter_map(Connection::connection_id).collect();
        members.sort_unstable();
        Ok(Sight::Ready(found(said, json!({ "id": id, "name": self.label.name, "members": members }))))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(ours(at, &self.label.key, lags(at.cloud).await?).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![give_back(id), give_back_port("\u{2039}each of its ports\u{203a}")]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &lags(at.cloud).await?))
    }

    /// Its ports carry the tags of the LAG, and stay when it is gone: each is billed until it is given back, too.
    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let all = lags(at.cloud).await?;
        let ports = ours(at, &self.label.key, lines(at.cloud).await?);
        let ports: Vec<Call> = ports.iter().map(|port| give_back_port(&port.id)).collect();
        if let Some(id) = made.text("id")
            && let Some(there) = all.iter().find(|one| one.id == id)
        {
            if there.thing.lag_state() == Some(&LagState::Deleting) {
                return Ok(Remains::Going { said: format!("{} is being given back", self.noun()) });
            }
            if let Some(used) = others_on(at, id).await? {
                return Ok(used);
            }
            return Ok(match left(at, id, &all, vec![give_back(id)]) {
                Remains::Takes(lag) => Remains::InTurn(lag, ports),
                other => other,
            });
        }
        Ok(if ports.is_empty() { Remains::Gone } else { Remains::Takes(ports) })
    }
}

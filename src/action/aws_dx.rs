//! Lines of Direct Connect: a port that is ordered; where ports are to be had; how far a line is; and the letter with which
//! the building connects it.
//!
//! An order has no token, and each one more is billed. So it is looked for by its tags and by its name, and where the answer
//! was lost and nothing is to be seen, only a person says it again.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_dx_interface::others_on;
use super::aws_dx_lag::{as_line, is_lag};
use super::aws_dx_macsec::{lacks_macsec, wants_macsec};
use super::aws_network::label;
use super::call::dx::DxRequest;
use super::call::{Call, Label};
use super::check::Question;
use super::object::{Made, Remains, Sight, Thing, differing, found};
use super::papers;
use super::tagged::{Tagged, holder, left, otherwise, ours, the_one};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::direct_connect::primitives::DateTime;
use crate::aws::direct_connect::types::{Connection, ConnectionState, Location, Tag};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::engagement::Difference;
use crate::text::list;

/// A letter of authorization is good for so long ("LOA-CFA", Direct Connect user guide).
const LETTER_HOLDS: i64 = 90 * 24 * 60 * 60;
const PDF: &str = "application/pdf";

/// One thing of Direct Connect, with its tags.
pub(super) fn tagged<T>(id: String, tags: Option<Vec<Tag>>, thing: T) -> Tagged<T> {
    let pair = |tag: Tag| (tag.key, tag.value.unwrap_or_default());
    Tagged::new(thing, id, tags.unwrap_or_default().into_iter().map(pair))
}

/// All connections of the region that are not gone, with their tags.
pub(super) async fn lines(cloud: &Cloud) -> Result<Vec<Tagged<Connection>>, AwsFailure> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let request = cloud.direct_connect().describe_connections().set_next_token(next);
        let page = cloud.read(Operation::DescribeConnections, || request.clone().send()).await?;
        all.extend(page.connections.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    let live = all.into_iter().filter(|one| !is_gone(one));
    Ok(live.filter_map(|mut one| Some(tagged(one.connection_id.clone()?, one.tags.take(), one))).collect())
}

/// One by its id, gone or not; ports that work as one are one.
pub(super) async fn line(cloud: &Cloud, id: &str) -> Result<Option<Connection>, AwsFailure> {
    if !known(id) {
        return Ok(None);
    }
    if is_lag(id) {
        return as_line(cloud, id).await;
    }
    let request = cloud.direct_connect().describe_connections().connection_id(id);
    match cloud.read(Operation::DescribeConnections, || request.clone().send()).await {
        Ok(answer) => Ok(answer.connections.unwrap_or_default().into_iter().next()),
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn is_gone(line: &Connection) -> bool {
    use ConnectionState::{Deleted, Deleting, Rejected};
    matches!(line.connection_state(), Some(Deleted | Deleting | Rejected))
}

pub(super) fn state(line: &Connection) -> &str {
    line.connection_state().map_or("unknown", ConnectionState::as_str)
}

/// What a connection waits for before it is given back, or that it is gone; nothing where it can go at once.
pub(super) async fn holdup(at: &Account<'_>, id: &str, noun: &str) -> Result<Option<Remains>, AwsFailure> {
    match line(at.cloud, id).await?.as_ref().and_then(|one| one.connection_state()) {
        None | Some(ConnectionState::Deleted | ConnectionState::Rejected) => Ok(Some(Remains::Gone)),
        Some(ConnectionState::Deleting) => Ok(Some(Remains::Going { said: format!("{noun} is being given back") })),
        Some(_) => others_on(at, id).await,
    }
}

/// `aws/dx-connection`
pub(super) struct TheLine {
    location: String,
    bandwidth: String,
    provider: Option<String>,
    macsec: bool,
    label: Label,
}

impl TheLine {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(TheLine {
            location: arguments.text("location")?,
            bandwidth: arguments.text("bandwidth")?,
            provider: arguments.optional("provider")?,
            macsec: wants_macsec(arguments)?,
            label: label(subject, arguments)?,
        })
    }

    fn differences(&self, there: &Connection) -> Vec<Difference> {
        let mut differences = differing(&[
            ("location", self.location.as_str(), there.location()),
            ("speed", &self.bandwidth, there.bandwidth()),
        ]);
        differences.extend(lacks_macsec(self.macsec, there.mac_sec_capable()));
        differences
    }
}

#[async_trait]
impl Thing for TheLine {
    fn noun(&self) -> String {
        format!("connection {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dx(DxRequest::CreateConnection {
            location: self.location.clone(),
            bandwidth: self.bandwidth.clone(),
            connection_name: self.label.name.clone(),
            provider_name: self.provider.clone(),
            request_mac_sec: self.macsec,
            tags: self.label.clone(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let all = lines(at.cloud).await?;
        // Somebody who ordered it by hand has called it the same: a second order is a second port.
        let same = |one: &&Tagged<Connection>| {
            one.thing.connection_name() == Some(&self.label.name) && self.differences(&one.thing).is_empty()
        };
        let alike = all.iter().find(same).map(|one| (one.id.clone(), one.holder(at)));
        let Some(Tagged { thing, id, .. }) = the_one(at, &self.label.key, all) else {
            return Ok(match alike {
                Some((id, holder)) => {
                    let place = format!("a connection called {} at {}", self.label.name, self.location);
                    at.taken_by(&self.noun(), &place, (&id, &holder))
                }
                None => Sight::Nothing { said: format!("{} is not ordered", self.noun()) },
            });
        };
        let differences = self.differences(&thing);
        if !differences.is_empty() {
            return Ok(otherwise(&self.noun(), &id, differences));
        }
        let state = state(&thing);
        let said = format!("{id}, {} at {}: {state}", self.bandwidth, self.location);
        Ok(Sight::Ready(found(said, json!({ "id": id, "name": self.label.name }))))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        Ok(ours(at, &self.label.key, lines(at.cloud).await?).into_iter().map(|one| one.id).collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dx(DxRequest::DeleteConnection { connection_id: id.to_owned() })]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(holder(at, id, &lines(at.cloud).await?))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        Ok(match holdup(at, id, &self.noun()).await? {
            Some(held) => held,
            None => left(at, id, &lines(at.cloud).await?, self.inverse(id, made)),
        })
    }
}

/// `aws/dx-letter`: the letter of authorization, as a file of the engagement.
pub(super) struct TheLetter {
    connection: String,
    provider: Option<String>,
}

impl TheLetter {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheLetter { connection: arguments.text("connection")?, provider: arguments.optional("provider")? })
    }

    fn lapsed(&self, until: &str, subject: &Subject) -> Failure {
        let (name, step) = (&subject.name, &subject.address);
        let again =
            format!("onramp undo {name} {step}, which changes nothing at AWS, and onramp run {name} --only {step}");
        Failure::new(
            format!(
                "the {} lapsed on {until}; another one, good for 90 days from then, is asked for by {again}",
                self.noun()
            ),
            "Send the new letter to whoever orders the cross connect, in place of the old one.",
        )
    }
}

#[async_trait]
impl Thing for TheLetter {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("letter of authorization for {}", self.connection)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dx(DxRequest::DescribeLoa {
            connection_id: self.connection.clone(),
            provider_name: self.provider.clone(),
            loa_content_type: PDF,
        })]
    }

    fn id_name(&self) -> &'static str {
        "file"
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let none = |why: &str| Sight::Nothing { said: format!("there is no {}: {why}", self.noun()) };
        let Some(line) = line(at.cloud, &self.connection).await? else {
            return Ok(none("the connection is not there"));
        };
        let Some(issued) = line.loa_issue_time() else { return Ok(none("none was issued yet")) };
        let paper = at.subject.papers.of(&papers::letter(&self.connection));
        let bytes = match paper.read().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(none(&format!("one was issued on {issued}, and it is not on this machine"))),
            Err(error) => {
                let advice = "See to the file and its folder, and look again.";
                let what = format!("{} cannot be read: {error}", paper.path());
                return Ok(Sight::Broken(Failure::new(what, advice)));
            }
        };
        let ends = issued.secs().saturating_add(LETTER_HOLDS);
        let until = DateTime::from_secs(ends).to_string();
        // A cable that lies needs no letter any more.
        if jiff::Timestamp::now().as_second() > ends && line.connection_state() == Some(&ConnectionState::Pending) {
            return Ok(Sight::Failed { failure: self.lapsed(&until, at.subject), again: self.calls() });
        }
        let output = json!({
            "file": paper.path(),
            "issued": issued.to_string(),
            "holds_until": until,
            "blake3": blake3::hash(&bytes).to_hex().to_string(),
        });
        Ok(Sight::Ready(found(format!("letter in {}, good until {until}", paper.path()), output)))
    }

    /// There is nothing at AWS to take back: nobody connects a line by it that is given back. The file stays, as evidence.
    async fn remains(&self, _at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(Remains::Gone)
    }
}

/// `aws/dx-location`: a port of that speed is to be had there; or without a place, which ones there are.
pub(super) struct TheLocation {
    code: Option<String>,
    bandwidth: Option<String>,
    provider: Option<String>,
    macsec: bool,
}

impl TheLocation {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheLocation {
            code: arguments.optional("location")?,
            bandwidth: arguments.optional("bandwidth")?,
            provider: arguments.optional("provider")?,
            macsec: wants_macsec(arguments)?,
        })
    }
}

fn is_named(one: &str, other: &str) -> bool {
    let letters =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let (one, other) = (letters(one), letters(other));
    one.starts_with(&other) || other.starts_with(&one)
}

#[async_trait]
impl Question for TheLocation {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let request = cloud.direct_connect().describe_locations();
            let answer = cloud.read(Operation::DescribeLocations, || request.clone().send()).await?;
            let all: Vec<Location> = answer.locations.unwrap_or_default();
            let code = |one: &Location| one.location_code().unwrap_or_default().to_owned();
            let refused = |what: String, advice: String| Ok(Verified::NotSo(Failure::new(what, advice)));
            let codes: Vec<String> = all.iter().map(code).collect();
            let Some(wanted) = &self.code else {
                let name = |one: &Location| format!("{} ({})", code(one), one.location_name().unwrap_or_default());
                let names: Vec<String> = all.iter().map(name).collect();
                return Ok(Verified::So(found(list(&names), json!({ "codes": codes }))));
            };
            let Some(there) = all.iter().find(|one| one.location_code() == Some(wanted)) else {
                let what = format!("{wanted} is no location of {}", cloud.region());
                return refused(what, format!("Choose one of these: {}.", list(&codes)));
            };
            let (name, speeds) = (there.location_name().unwrap_or_default(), there.available_port_speeds());
            if let Some(wanted) = self.bandwidth.as_ref().filter(|wanted| !speeds.contains(wanted)) {
                let what = format!("{} ({name}) has no ports of {wanted}", code(there));
                return refused(what, format!("It has ports of {}.", list(speeds)));
            }
            let encrypted = there.available_mac_sec_port_speeds();
            if self.macsec && !self.bandwidth.as_ref().is_some_and(|wanted| encrypted.contains(wanted)) {
                let wanted = self.bandwidth.as_deref().unwrap_or("a speed that is not given");
                let what = format!("{} ({name}) has no ports of {wanted} with MACsec", code(there));
                let advice = match encrypted {
                    [] => "Choose another building, or a line without MACsec.".to_owned(),
                    speeds => format!("It has them of {}.", list(speeds)),
                };
                return refused(what, advice);
            }
            let providers = there.available_providers();
            let listed = |wanted: &String| providers.iter().any(|one| is_named(one, wanted));
            let other = self.provider.as_ref().filter(|wanted| !listed(wanted));
            let remark = other.map(|other| format!("; AWS does not list {other} there, which may still be right"));
            let with = if self.macsec { format!(", with MACsec of {}", list(encrypted)) } else { String::new() };
            let remark = remark.unwrap_or_default();
            let said = format!("{} ({name}) has ports of {}{with}{remark}", code(there), list(speeds));
            Ok(Verified::So(found(
                said,
                json!({
                    "name": name, "speeds": speeds, "macsec": encrypted, "providers": providers, "codes": codes,
                }),
            )))
        })
        .await
    }
}

/// `aws/dx-connection-state`
pub(super) struct Reached {
    connection: String,
    is_up: bool,
}

impl Reached {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let is_up = arguments.one_of("state", &["available", "allotted"])? == "available";
        Ok(Reached { connection: arguments.text("connection")?, is_up })
    }
}

#[async_trait]
impl Question for Reached {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let id = self.connection.as_str();
            let Some(line) = line(&cloud, id).await? else {
                return Ok(Verified::NotYet { said: format!("{id} is not there") });
            };
            let said = format!("{id} is {}", state(&line));
            use ConnectionState::{Available, Deleted, Deleting, Down, Pending, Rejected};
            let is_there = match line.connection_state() {
                Some(Rejected | Deleted | Deleting) => {
                    let advice = "Ask AWS Support why, then order another one.";
                    return Ok(Verified::NotSo(Failure::new(said, advice)));
                }
                Some(Available) => true,
                Some(Pending | Down) => !self.is_up,
                _ => false,
            };
            let output = json!({
                "state": state(&line),
                "device": line.aws_device_v2(),
                "jumbo": line.jumbo_frame_capable(),
            });
            Ok(if is_there { Verified::So(found(said, output)) } else { Verified::NotYet { said } })
        })
        .await
    }
}

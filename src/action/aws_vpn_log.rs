//! What the tunnels of a VPN connection write into their log, where AWS says in words why one does not come up.
//!
//! Fields and messages: "AWS Site-to-Site VPN logs", docs.aws.amazon.com/vpn/latest/s2svpn/log-contents.html. The stream of a
//! tunnel is called by the connection's id and the tunnel's outside address.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::Verified;
use super::arguments::Arguments;
use super::aws_account::asked;
use super::aws_vpn_connection::{connection, who_begins};
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Trouble};
use crate::aws::ec2::types::{TelemetryStatus, VgwTelemetry, VpnConnection};
use crate::aws::logs::types::FilteredLogEvent;
use crate::aws::{AwsFailure, Cloud, Kind, Operation};

/// So far back it is read, in seconds.
const BACK: i64 = 3_600;
/// What one attempt writes lies within so many milliseconds: of it the line counts that says most.
const TOGETHER: i64 = 300_000;
/// Answers that are read of one log; each has up to ten thousand lines.
const PAGES: usize = 20;

/// A part of a line, in small letters, and what it tells. Of one attempt the first of them counts: those below it follow from it.
type Telling = &'static [(&'static str, &'static str)];

/// "IKEv1 Error Messages" and "IKEv2 Error Messages".
const NEGOTIATION: Telling = &[
    ("ts_unacceptable", "selectors"),
    ("pre-shared key", "key"),
    ("authentication_failed", "key"),
    ("authentication failed", "key"),
    ("payload decryption", "key"),
    ("no proposal match", "proposal"),
    ("no_proposal_chosen", "proposal"),
    ("phase 2 was unable", "phase_two"),
    ("collision", "rekey"),
    ("dpd timed out", "silent"),
    ("not responsive", "silent"),
    ("received delete", "closed"),
    ("un-established", "unfinished"),
];

/// "BGP Status Messages" and "Route Status Messages".
const SESSION: Telling = &[
    ("remote as is", "as_number"),
    ("as-path contains our own as", "own_as"),
    ("non-connected next-hop", "next_hop"),
    ("maximum number of prefixes", "prefixes"),
    ("maximum prefix limit was exceeded", "prefixes"),
    ("notification 6/", "ceased"),
    ("hold timer expired", "silent"),
    ("from connect to active", "no_tcp"),
];

/// `aws/vpn-log`
pub(super) struct TheLog {
    vpn: String,
    group: Option<String>,
}

impl TheLog {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheLog { vpn: arguments.text("vpn")?, group: arguments.optional("group")? })
    }

    /// The lines of this connection in the last hour, the oldest first.
    async fn lines(&self, cloud: &Cloud, group: &str, now: Timestamp) -> Result<Vec<Line>, AwsFailure> {
        let request = cloud.logs().filter_log_events().log_group_name(group).log_stream_name_prefix(&self.vpn);
        let request = request.start_time((now.as_second() - BACK) * 1_000);
        let (mut all, mut next) = (Vec::new(), None);
        for _ in 0..PAGES {
            let request = request.clone().set_next_token(next);
            let answer = cloud.read(Operation::FilterLogEvents, || request.clone().send()).await?;
            all.extend(answer.events.unwrap_or_default().iter().filter_map(Line::read));
            next = answer.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        all.retain(|line| line.stream.starts_with(&self.vpn));
        all.sort_by_key(|line| line.at);
        Ok(all)
    }
}

/// One line of the log.
#[derive(Debug, Clone)]
struct Line {
    stream: String,
    /// Milliseconds since 1970.
    at: i64,
    text: String,
    /// It is about the BGP session, not about the negotiation of keys.
    of_session: bool,
    /// The session, or both phases, stood then: what was written before says nothing of now.
    stood: bool,
}

impl Line {
    /// A line as JSON, or as text where somebody has chosen that.
    fn read(event: &FilteredLogEvent) -> Option<Line> {
        let message = event.message()?;
        let json: Json = serde_json::from_str(message).unwrap_or_default();
        let of_session = json.get("type").is_some();
        let details = if of_session { json.pointer("/message/details") } else { json.get("details") };
        let text = details.and_then(Json::as_str).unwrap_or(if json.is_object() { "" } else { message });
        let (stream, at) = (event.log_stream_name()?.to_owned(), event.timestamp()?);
        let is = |field: &str, word: &str| {
            json.get(field).and_then(Json::as_str).is_some_and(|it| it.eq_ignore_ascii_case(word))
        };
        let stood = match of_session {
            // Later lines of a session that is up tell of routes, too.
            true => is("type", "BGPStatus") && text.to_lowercase().contains("to established"),
            false => is("ike_phase1_state", "established") && is("ike_phase2_state", "established"),
        };
        (!text.is_empty()).then(|| Line { stream, at, text: text.to_owned(), of_session, stood })
    }

    fn tells(&self, telling: Telling) -> Option<(usize, &'static str)> {
        told(&self.text, telling)
    }

    /// `12:03:11 UTC, 192.0.2.10: …`
    fn said(&self, addresses: &[&str]) -> String {
        let at = Timestamp::from_millisecond(self.at).unwrap_or_default().to_zoned(TimeZone::UTC);
        let tunnel = addresses.iter().find(|address| self.stream.contains(**address));
        let tunnel = tunnel.map(|address| format!(", {address}")).unwrap_or_default();
        format!("{} UTC{tunnel}: {}", at.strftime("%H:%M:%S"), self.text)
    }
}

fn told(text: &str, telling: Telling) -> Option<(usize, &'static str)> {
    let text = text.to_lowercase();
    telling.iter().enumerate().find(|(_, (part, _))| text.contains(part)).map(|(rank, (_, what))| (rank, *what))
}

/// Of each tunnel what was written since it last stood.
fn since_it_stood<'l>(lines: &[&'l Line]) -> Vec<&'l Line> {
    let stood = |line: &Line| lines.iter().rfind(|other| other.stood && other.stream == line.stream);
    lines.iter().copied().filter(|line| stood(line).is_none_or(|stood| line.at >= stood.at)).collect()
}

/// Of the last attempt that says why, the line that says most.
fn why<'l>(lines: &[&'l Line], telling: Telling) -> Option<(&'l Line, &'static str)> {
    let all = || lines.iter().filter_map(|line| line.tells(telling).map(|(rank, what)| (rank, what, *line)));
    let last = all().next_back()?.2.at;
    let of_it = all().filter(|(.., line)| line.at > last - TOGETHER);
    of_it.min_by_key(|(rank, _, line)| (*rank, -line.at)).map(|(_, what, line)| (line, what))
}

fn is_up(tunnel: &VgwTelemetry) -> bool {
    tunnel.status() == Some(&TelemetryStatus::Up)
}

/// The name of a group, of its ARN: `arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/vpn:*`.
fn name_of(arn: &str) -> &str {
    let name = arn.split_once(":log-group:").map_or(arn, |(_, name)| name);
    name.strip_suffix(":*").unwrap_or(name)
}

/// Into which group the tunnels write.
fn group_of(there: &VpnConnection) -> Option<&str> {
    let tunnels = there.options().map(|options| options.tunnel_options()).unwrap_or_default();
    let logs = tunnels.iter().filter_map(|tunnel| tunnel.log_options()?.cloud_watch_log_options());
    logs.filter(|one| one.log_enabled() == Some(true)).find_map(|one| one.log_group_arn()).map(name_of)
}

/// What the log tells of the tunnels that are down, or of all where none is.
#[derive(Default)]
struct Tells {
    said: String,
    /// The log itself was looked at.
    read: bool,
    cause: &'static str,
    session: &'static str,
    session_said: String,
}

impl Tells {
    fn nothing(said: impl Into<String>) -> Tells {
        Tells { said: said.into(), ..Tells::default() }
    }

    fn of(lines: &[Line], addresses: &[&str], down: &[&str]) -> Tells {
        // A stream that is called otherwise may be any tunnel's.
        let of_down = |line: &&Line| {
            let named = addresses.iter().any(|address| line.stream.contains(address));
            down.is_empty() || !named || down.iter().any(|address| line.stream.contains(address))
        };
        let (session, negotiation): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| line.of_session);
        let negotiation: Vec<&Line> = negotiation.into_iter().filter(of_down).collect();
        let (negotiation, session) = (since_it_stood(&negotiation), since_it_stood(&session));
        let (said, cause) = match (why(&negotiation, NEGOTIATION), negotiation.last()) {
            (Some((line, cause)), _) => (line.said(addresses), cause),
            (None, Some(last)) => (format!("its last line is {}", last.said(addresses)), ""),
            (None, None) => ("nothing was written in the last hour".to_owned(), ""),
        };
        let (session_said, session) = match (why(&session, SESSION), session.last()) {
            (Some((line, cause)), _) => (line.said(addresses), cause),
            (None, Some(last)) => (last.said(addresses), ""),
            (None, None) => ("nothing was written in the last hour".to_owned(), ""),
        };
        Tells { said, read: true, cause, session, session_said }
    }
}

#[async_trait]
impl Question for TheLog {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let Some(there) = connection(&cloud, &self.vpn).await? else {
                return Ok(Verified::NotYet { said: format!("{} is not there", self.vpn) });
            };
            let telemetry = there.vgw_telemetry();
            let addresses: Vec<&str> = telemetry.iter().filter_map(|one| one.outside_ip_address()).collect();
            let down = telemetry.iter().filter(|one| !is_up(one));
            let down: Vec<&str> = down.filter_map(|one| one.outside_ip_address()).collect();
            let group = self.group.as_deref().or_else(|| group_of(&there));
            let mut tells = match group {
                None => Tells::nothing("the tunnels write none"),
                Some(group) => match self.lines(&cloud, group, Timestamp::now()).await {
                    Ok(lines) => Tells::of(&lines, &addresses, &down),
                    Err(failure) if failure.kind == Kind::NotFound => Tells::nothing(format!("{group} is not there")),
                    Err(failure) if failure.kind == Kind::Denied => {
                        Tells::nothing(format!("it may not be read here: {}", failure.meaning))
                    }
                    Err(failure) => return Ok(Verified::Unknown(Trouble::Failure(failure.into()))),
                },
            };
            // AWS's words on a tunnel may tell it, too.
            let words = telemetry.iter().filter_map(|one| Some((one.outside_ip_address()?, one.status_message()?)));
            let mut words = words.filter_map(|(tunnel, said)| Some((tunnel, said, told(said, NEGOTIATION)?.1)));
            if let (true, Some((tunnel, said, cause))) = (tells.cause.is_empty(), words.next()) {
                tells = Tells { cause, said: format!("{tunnel}: {said}"), ..tells };
            }
            let results = json!({
                "up": telemetry.iter().filter(|one| is_up(one)).count(),
                "down": telemetry.iter().filter(|one| !is_up(one)).count(),
                "startup": who_begins(&there),
                "read": tells.read,
                "group": group.unwrap_or_default(),
                "cause": tells.cause,
                "log": tells.said,
                "session": tells.session,
                "session_log": tells.session_said,
            });
            Ok(Verified::So(found(format!("the log of {}: {}", self.vpn, tells.said), results)))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: i64, message: Json) -> Line {
        let event = FilteredLogEvent::builder().log_stream_name("vpn-1_192.0.2.10").timestamp(at);
        Line::read(&event.message(message.to_string()).build()).unwrap()
    }

    fn negotiation(at: i64, details: &str, state: &str) -> Line {
        line(at, json!({ "details": details, "ike_phase1_state": state, "ike_phase2_state": state }))
    }

    fn session(at: i64, details: &str, status: &str) -> Line {
        line(at, json!({ "type": "BGPStatus", "status": status, "message": { "details": details } }))
    }

    fn tells(lines: &[Line]) -> (&'static str, &'static str) {
        let told = Tells::of(lines, &["192.0.2.10"], &["192.0.2.10"]);
        (told.cause, told.session)
    }

    #[test]
    fn what_was_wrong_before_a_tunnel_or_a_session_stood_is_not_said_again() {
        let key = negotiation(1, "AWS tunnel detected a pre-shared key mismatch with cgw: 203.0.113.12", "down");
        let number = session(2, "bad OPEN message - remote AS is 65010, expected 65001", "DOWN");
        assert_eq!(tells(&[key.clone(), number.clone()]), ("key", "as_number"));
        let stood = negotiation(3, "AWS tunnel processed response (id=1) for CREATE_CHILD_SA", "Established");
        let established = session(4, "has changed from OpenConfirm to Established", "UP");
        let before = [key, number, stood, established];
        assert_eq!(tells(&before), ("", ""));
        let again = negotiation(5, "AWS tunnel DPD timed out after 5 retransmits", "down");
        let closed = session(6, "received notification 6/2 (Cease/Administrative Shutdown)", "DOWN");
        assert_eq!(tells(&[before.as_slice(), &[again, closed]].concat()), ("silent", "ceased"));
    }
}

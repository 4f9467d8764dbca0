//! `probe/ntp`: a time server tells the time, by an exchange with it: how far it is from ours, and how near it is to a
//! clock of its own.

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};

use super::super::arguments::Arguments;
use super::super::object::found;
use super::super::{Failure, Found, World};
use super::tcp::is_plain;
use super::{Asks, Miss, NO_TOOL, Origin, wrong};
use crate::net::{Clock, NoTime};
use crate::runbook::quoted;

/// Where time is told (RFC 5905, 7.2).
const PORT: u16 = 123;
/// For one exchange, in seconds.
const PATIENCE: u64 = 3;
/// The best of so many exchanges counts: the one that was quickest there and back.
const SAMPLES: usize = 3;

/// `probe/ntp`
pub(in super::super) struct Ntp {
    servers: Vec<String>,
    port: u16,
    /// In milliseconds, to either side.
    most: f64,
    stratum: u8,
}

impl Ntp {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let servers = arguments.list("server")?;
        if servers.is_empty() {
            arguments.text("server")?;
        }
        if let Some(bad) = servers.iter().find(|server| !is_plain(server)) {
            return Err(wrong(arguments, "server", bad, "no address and no name"));
        }
        let most = f64::from(arguments.number("max_offset_ms", 1, 86_400_000)?.unwrap_or(1_000));
        let stratum = arguments.number("max_stratum", 1, 15)?.unwrap_or(15);
        Ok(Ntp {
            servers,
            port: arguments.port("port")?.unwrap_or(PORT),
            most,
            stratum: u8::try_from(stratum).unwrap_or(15),
        })
    }

    async fn read(&self, world: &World, from: &Origin, server: &str) -> Result<Result<Clock, NoTime>, Miss> {
        if from.host().is_some() {
            return by_script(world, from, server, self.port).await;
        }
        let mut best: Option<Clock> = None;
        for _ in 0..SAMPLES {
            match world.net.clock(server, self.port, std::time::Duration::from_secs(PATIENCE)).await {
                Ok(clock) if best.as_ref().is_none_or(|best| clock.delay < best.delay) => best = Some(clock),
                Ok(_) => {}
                Err(no) if best.is_none() => return Ok(Err(no)),
                // One that answered before and is asked again at once may well refuse.
                Err(_) => break,
            }
        }
        Ok(best.ok_or(NoTime::Silent))
    }

    /// What is wrong with a clock, if something is.
    fn fault(&self, clock: &Clock, from: &Origin) -> Option<String> {
        let off = clock.offset * 1_000.0;
        if off.abs() > self.most {
            let way = if off > 0.0 { "ahead of" } else { "behind" };
            let whose = if from.host().is_some() { "that host's clock" } else { "this machine's clock" };
            return Some(format!("is {} {way} {whose}; at most {} ms is wanted", span(off.abs()), self.most));
        }
        // A host's tool may not tell it.
        let far = clock.stratum > self.stratum;
        far.then(|| format!("is at stratum {}; at most {} is wanted", clock.stratum, self.stratum))
    }
}

/// A time in milliseconds, as people read it.
fn span(milliseconds: f64) -> String {
    if milliseconds >= 10_000.0 { format!("{:.1} s", milliseconds / 1_000.0) } else { format!("{milliseconds:.1} ms") }
}

fn said(clock: &Clock) -> String {
    let stratum = match clock.stratum {
        0 => String::new(),
        stratum => format!(", stratum {stratum}"),
    };
    let reference = match clock.reference.as_str() {
        "" => String::new(),
        reference => format!(" by {reference}"),
    };
    let sign = if clock.offset < 0.0 { "-" } else { "+" };
    format!("{sign}{}{stratum}{reference}", span((clock.offset * 1_000.0).abs()))
}

#[async_trait]
impl Asks for Ntp {
    fn whom(&self) -> String {
        crate::text::list(&self.servers)
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        let (mut faults, mut good) = (Vec::new(), Vec::new());
        for server in &self.servers {
            match self.read(world, from, server).await? {
                // There is no way to ask it from here: that says nothing of the server.
                Err(NoTime::NotAsked(why)) => {
                    return Err(Miss::unknown(
                        format!("{server} could not be asked for the time: {why}"),
                        "Look at its name and at the network here, and try again.",
                    ));
                }
                Err(no) => {
                    world.say(&format!("{server} to {from}: {no}")).await;
                    faults.push(format!("{server}:{}/udp from {from}: {no}", self.port));
                }
                Ok(clock) => {
                    let delay = span(clock.delay * 1_000.0);
                    world.say(&format!("{server} to {from}: {}, there and back {delay}", said(&clock))).await;
                    match self.fault(&clock, from) {
                        Some(fault) => faults.push(format!("{server} {fault}")),
                        None => good.push((server, clock)),
                    }
                }
            }
        }
        if !faults.is_empty() {
            return Err(Miss::NotSo(faults.join("; ")));
        }
        let each: Vec<String> = good.iter().map(|(server, clock)| format!("{server} {}", said(clock))).collect();
        let servers: Map<String, Json> = good
            .iter()
            .map(|(server, clock)| {
                let of_one = json!({ "offset_ms": clock.offset * 1_000.0, "stratum": clock.stratum });
                ((*server).clone(), of_one)
            })
            .collect();
        let worst = good.iter().map(|(_, clock)| (clock.offset * 1_000.0).abs()).fold(0.0, f64::max);
        let stratum = good.iter().map(|(_, clock)| clock.stratum).max();
        let output = json!({ "offset_ms": worst, "stratum": stratum, "servers": servers });
        Ok(found(format!("time from {from}: {}", each.join("; ")), output))
    }
}

/// What asks for the time on a host, the first that is there.
const TOOL: &str = "tool that asks for the time: install chrony, ntpsec-ntpdig or ntpdate";

async fn by_script(world: &World, from: &Origin, server: &str, port: u16) -> Result<Result<Clock, NoTime>, Miss> {
    let server = quoted(server).map_err(|why| Miss::unknown(format!("the server {why}"), "Correct the step."))?;
    let values = format!("server={server}\nport={port}\nno_tool={NO_TOOL}\n");
    let said = from.script(world, false, &format!("{values}{}", include_str!("ntp.sh")), TOOL).await?;
    Ok(read(&said))
}

/// What the script printed: `offset SECONDS [STRATUM]`, or `none` and the tool's last words.
fn read(said: &str) -> Result<Clock, NoTime> {
    let line = said.lines().rev().find(|line| line.starts_with("offset ") || line.starts_with("none"));
    let Some(line) = line else { return Err(NoTime::Broken("the tool printed no offset".to_owned())) };
    if let Some(why) = line.strip_prefix("none") {
        let lower = why.to_lowercase();
        let unsynchronised = ["unsynchron", "stratum 16", "stratum too high", "not synchron"];
        return Err(match () {
            () if lower.contains("no suitable") => NoTime::NoneGiven,
            () if unsynchronised.iter().any(|words| lower.contains(words)) => NoTime::Unsynchronised,
            () if lower.contains("refused") => NoTime::Refused,
            () => NoTime::Silent,
        });
    }
    let mut fields = line.split_whitespace().skip(1);
    let offset = fields.next().and_then(|text| text.parse::<f64>().ok()).filter(|offset| offset.is_finite());
    let stratum = fields.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let Some(offset) = offset else { return Err(NoTime::Broken(line.to_owned())) };
    Ok(Clock { offset, delay: 0.0, stratum, reference: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_print_is_a_clock_or_the_reason_why_there_is_none() {
        let clock = read("offset -0.250 3\n").unwrap();
        assert_eq!((clock.offset, clock.stratum), (-0.25, 3));
        assert_eq!(read("offset 1e-3\n").unwrap().stratum, 0, "a tool may not tell the stratum");
        assert_eq!(read("none No suitable source for synchronisation"), Err(NoTime::NoneGiven));
        assert_eq!(read("none 192.0.2.1: stratum too high"), Err(NoTime::Unsynchronised));
        assert_eq!(read("none timed out"), Err(NoTime::Silent));
        assert!(matches!(read("offset nan"), Err(NoTime::Broken(_))));
        assert!(matches!(read(""), Err(NoTime::Broken(_))));
    }
}

//! `probe/path-mtu`: the largest packet that gets from a host to another place whole (domain specification, 7.6).
//!
//! Pings that may not be fragmented, of several sizes: what is lost above a size and not below it is what a tunnel does
//! not carry. Both distributions' ping takes the same options.

use async_trait::async_trait;
use serde_json::json;

use super::super::arguments::{Arguments, known};
use super::super::object::found;
use super::super::{Failure, Found, World};
use super::tcp::is_plain;
use super::{Asks, Miss, NO_TOOL, Origin, wrong};
use crate::runbook::quoted;

/// IPv4's and ICMP's headers.
const HEADERS: u32 = 28;
/// Payloads: what is left in an IPsec tunnel of several kinds of encryption, and in plain Ethernet.
const SIZES: [u32; 4] = [1_372, 1_394, 1_418, 1_472];
const TOOL: &str = "ping: install iputils-ping (Debian, Ubuntu) or iputils (Red Hat)";

/// `probe/path-mtu`
pub(in super::super) struct PathMtu {
    to: String,
    /// The least that must get through, headers included.
    least: u32,
}

impl PathMtu {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        arguments.text("from")?;
        let to = arguments.text("to")?;
        if known(&to) && (!is_plain(&to) || to.starts_with('-')) {
            return Err(wrong(arguments, "to", &to, "no address and no name"));
        }
        let least = arguments.number("at_least", 576, 9_001)?.and_then(|least| u32::try_from(least).ok());
        Ok(PathMtu { to, least: least.unwrap_or(SIZES[0] + HEADERS) })
    }

    /// Payloads to try, the smallest first.
    fn sizes(&self) -> Vec<u32> {
        let mut sizes = SIZES.to_vec();
        sizes.push(self.least - HEADERS);
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

#[async_trait]
impl Asks for PathMtu {
    fn whom(&self) -> String {
        self.to.clone()
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        let to = quoted(&self.to).map_err(|why| Miss::unknown(format!("the address {why}"), "Correct the step."))?;
        let sizes: Vec<String> = self.sizes().iter().map(u32::to_string).collect();
        let script = format!(
            "command -v ping >/dev/null || exit {NO_TOOL}\n\
             ping -c 2 -W 2 {to} >/dev/null 2>&1 && echo small ok || echo small lost\n\
             for size in {}; do\n\
             if ping -M do -c 2 -W 2 -s \"$size\" {to} >/dev/null 2>&1; then echo \"$size ok\"; else echo \"$size lost\"; fi\n\
             done",
            sizes.join(" ")
        );
        let said = from.script(world, false, &script, TOOL).await?;
        for line in said.lines() {
            world.say(&format!("ping from {from} to {}: {line}", self.to)).await;
        }
        let got = |line: &str| line.strip_suffix(" ok").map(str::to_owned);
        let through: Vec<String> = said.lines().filter_map(got).collect();
        if through.is_empty() {
            let what = "no ping comes back: the path is down, or ICMP is not let through";
            return Err(Miss::NotSo(format!("{} from {from}: {what}", self.to)));
        }
        let largest = through.iter().filter_map(|size| size.parse::<u32>().ok()).max().map(|size| size + HEADERS);
        match largest {
            Some(mtu) if mtu >= self.least => {
                let said = format!("packets of {mtu} bytes get from {from} to {} whole", self.to);
                Ok(found(said, json!({ "mtu": mtu, "payload": mtu - HEADERS })))
            }
            mtu => {
                let most = mtu.map_or("no packet of the sizes tried does".to_owned(), |mtu| format!("{mtu} do"));
                Err(Miss::NotSo(format!(
                    "small pings get from {from} to {}, packets of {} bytes do not ({most}): clamp the MSS, or let \
                     ICMP \"fragmentation needed\" through",
                    self.to, self.least
                )))
            }
        }
    }
}

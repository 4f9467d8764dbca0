//! The customer's side of a VPN: whether its tunnels are up, which device AWS has a sample for, and that sample.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_vpn_connection::{REDACTED, connection, keys_shown, who_begins};
use super::aws_vpn_handout::above_sample;
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Trouble, Verified};
use crate::aws::ec2::types::{TelemetryStatus, VgwTelemetry, VpnConnectionDeviceType};
use crate::aws::{AwsFailure, Cloud, Operation};
use crate::input::SecretRef;

/// `aws/vpn-tunnels`
pub(super) struct Tunnels {
    vpn: String,
    up: usize,
    routes: i32,
}

impl Tunnels {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let up = arguments.number("up", 1, 2)?.unwrap_or(2);
        Ok(Tunnels {
            vpn: arguments.text("vpn")?,
            up: usize::try_from(up).unwrap_or(2),
            routes: arguments.number("routes", 0, 1_000)?.unwrap_or(0),
        })
    }

    fn carries(&self, tunnel: &VgwTelemetry) -> bool {
        tunnel.status() == Some(&TelemetryStatus::Up) && tunnel.accepted_route_count().unwrap_or(0) >= self.routes
    }
}

/// One line for one tunnel.
fn said(tunnel: &VgwTelemetry) -> String {
    let status = tunnel.status().map_or("unknown", TelemetryStatus::as_str);
    let message = tunnel.status_message().filter(|message| !message.is_empty());
    let message = message.map(|message| format!(" ({message})")).unwrap_or_default();
    let routes = tunnel.accepted_route_count().unwrap_or(0);
    format!(
        "{} {status}{message}, {}",
        tunnel.outside_ip_address().unwrap_or("?"),
        crate::text::count(usize::try_from(routes).unwrap_or(0), "route")
    )
}

#[async_trait]
impl Question for Tunnels {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.vpn) {
            return Verified::NotYet { said: "the connection is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let Some(there) = connection(&cloud, &self.vpn).await? else {
                return Ok(Verified::NotYet { said: format!("{} is not there", self.vpn) });
            };
            let telemetry = there.vgw_telemetry();
            let up = telemetry.iter().filter(|tunnel| self.carries(tunnel)).count();
            let lines: Vec<String> = telemetry.iter().map(said).collect();
            let all = if lines.is_empty() { "AWS says nothing of its tunnels".to_owned() } else { lines.join("; ") };
            if up < self.up {
                return Ok(Verified::NotYet { said: format!("{up} of {} tunnels up: {all}", self.up) });
            }
            let tunnels: Vec<_> = telemetry
                .iter()
                .map(|tunnel| {
                    json!({
                        "outside": tunnel.outside_ip_address(),
                        "status": tunnel.status().map(TelemetryStatus::as_str),
                        "routes": tunnel.accepted_route_count(),
                        "since": tunnel.last_status_change().map(ToString::to_string),
                    })
                })
                .collect();
            Ok(Verified::So(found(all, json!({ "tunnels": tunnels }))))
        })
        .await
    }
}

/// `aws/vpn-telemetry`: what AWS says of the tunnels, whatever it is.
pub(super) struct Telemetry {
    vpn: String,
}

impl Telemetry {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Telemetry { vpn: arguments.text("vpn")? })
    }
}

#[async_trait]
impl Question for Telemetry {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let Some(there) = connection(&cloud, &self.vpn).await? else {
                return Ok(Verified::NotYet { said: format!("{} is not there", self.vpn) });
            };
            let telemetry = there.vgw_telemetry();
            let (up, down): (Vec<&VgwTelemetry>, Vec<&VgwTelemetry>) =
                telemetry.iter().partition(|tunnel| tunnel.status() == Some(&TelemetryStatus::Up));
            let messages: Vec<&str> =
                telemetry.iter().filter_map(|one| one.status_message()).filter(|one| !one.is_empty()).collect();
            let options = there.options();
            let lines: Vec<String> = telemetry.iter().map(said).collect();
            let all = if lines.is_empty() { "AWS says nothing of its tunnels".to_owned() } else { lines.join("; ") };
            let state = there.state().map(|state| state.as_str()).unwrap_or("unknown");
            let results = json!({
                "connection": state,
                "up": up.len(),
                "down": down.len(),
                "routes": up.iter().filter_map(|one| one.accepted_route_count()).min().unwrap_or(0),
                "messages": messages.join("; "),
                "static": options.and_then(|options| options.static_routes_only()).unwrap_or(false),
                "startup": who_begins(&there),
            });
            Ok(Verified::So(found(format!("{} is {state}: {all}", self.vpn), results)))
        })
        .await
    }
}

async fn device_types(cloud: &Cloud) -> Result<Vec<VpnConnectionDeviceType>, AwsFailure> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let request = cloud.ec2().get_vpn_connection_device_types().set_next_token(next);
        let answer = cloud.read(Operation::GetVpnConnectionDeviceTypes, || request.clone().send()).await?;
        all.extend(answer.vpn_connection_device_types.unwrap_or_default());
        next = answer.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(all);
        }
    }
}

/// `aws/vpn-device`
pub(super) struct TheDevice {
    /// Without one, only what AWS lists is asked.
    vendor: Option<String>,
    platform: Option<String>,
    software: Option<String>,
}

impl TheDevice {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheDevice {
            vendor: arguments.optional("vendor")?,
            platform: arguments.optional("platform")?,
            software: arguments.optional("software")?,
        })
    }

    /// The newest type that fits what is given.
    fn choose<'t>(&self, wanted: &str, types: &'t [VpnConnectionDeviceType]) -> Option<&'t VpnConnectionDeviceType> {
        let of_vendor =
            |one: &&VpnConnectionDeviceType| one.vendor().is_some_and(|vendor| vendor.eq_ignore_ascii_case(wanted));
        let all = types.iter().filter(of_vendor).collect();
        let all = nearer(self.platform.as_deref(), all, VpnConnectionDeviceType::platform);
        let all = nearer(self.software.as_deref(), all, VpnConnectionDeviceType::software);
        all.into_iter().max_by_key(|one| {
            let software = one.software().unwrap_or_default();
            (crate::text::release(software).map(|(_, number)| number), std::cmp::Reverse(software.len()))
        })
    }
}

/// Those of the wanted name; else those whose name begins with it; else the nearest release, or those of the nearest name;
/// else all.
fn nearer<'t>(
    wanted: Option<&str>,
    among: Vec<&'t VpnConnectionDeviceType>,
    name: fn(&VpnConnectionDeviceType) -> Option<&str>,
) -> Vec<&'t VpnConnectionDeviceType> {
    let Some(wanted) = wanted else { return among };
    let lower = |one: &VpnConnectionDeviceType| name(one).unwrap_or_default().to_lowercase();
    let such =
        |fits: &dyn Fn(String) -> bool| -> Vec<_> { among.iter().copied().filter(|&one| fits(lower(one))).collect() };
    let wanted = wanted.to_lowercase();
    let all = || among.iter().filter_map(|one| name(one));
    let near = crate::text::nearest_release(&wanted, all()).or_else(|| crate::text::nearest(&wanted, all()));
    let near = near.map(str::to_lowercase);
    let ways: [&dyn Fn(String) -> bool; 3] =
        [&|found| found == wanted, &|found| found.starts_with(&wanted), &|found| near.as_ref() == Some(&found)];
    ways.into_iter().map(such).find(|found| !found.is_empty()).unwrap_or_else(|| among.clone())
}

#[async_trait]
impl Question for TheDevice {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let types = device_types(&cloud).await?;
            let line = |one: &VpnConnectionDeviceType| {
                let parts = [one.vendor(), one.platform(), one.software()];
                parts.map(Option::unwrap_or_default).join("; ")
            };
            let list = types.iter().map(line).collect::<Vec<_>>().join("\n");
            let Some(wanted) = &self.vendor else {
                let said = format!("AWS has samples for {}", crate::text::count(types.len(), "device"));
                return Ok(Verified::So(found(said, json!({ "list": list }))));
            };
            let Some(chosen) = self.choose(wanted, &types) else {
                let vendors = types.iter().filter_map(|one| one.vendor());
                let near = crate::text::nearest(wanted, vendors);
                let advice = match near {
                    Some(near) => format!("Did you mean {near}? Or take Generic."),
                    None => "Take Generic: its sample says in words what to set.".to_owned(),
                };
                let what = format!("AWS has no sample for devices of {wanted}");
                return Ok(Verified::NotSo(Failure::new(what, advice)));
            };
            let shown = |text: Option<&str>| text.unwrap_or_default().to_owned();
            let (vendor, platform, software) =
                (shown(chosen.vendor()), shown(chosen.platform()), shown(chosen.software()));
            let id = chosen.vpn_connection_device_type_id();
            let output =
                json!({ "id": id, "vendor": vendor, "platform": platform, "software": software, "list": list });
            Ok(Verified::So(found(format!("{vendor} {platform}, {software}"), output)))
        })
        .await
    }
}

/// `aws/vpn-device-configuration`
pub(super) struct Sample {
    vpn: String,
    device: String,
    ike: &'static str,
    /// Where the keys live, for a connection of which AWS shows none.
    ours: Vec<SecretRef>,
}

impl Sample {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Sample {
            vpn: arguments.text("vpn")?,
            device: arguments.text("device")?,
            ike: arguments.one_of("ike", &["ikev2", "ikev1"])?,
            ours: [arguments.secret("key_one")?, arguments.secret("key_two")?].into_iter().flatten().collect(),
        })
    }

    /// What is to be held back: the keys that AWS shows, or ours where it keeps them in Secrets Manager. What its sample has
    /// in their place then is said nowhere, so nothing is left to that.
    async fn keys(&self, world: &World, shown: Vec<&str>) -> Result<Vec<SecretString>, Verified> {
        if shown.len() == 2 {
            return Ok(shown.into_iter().map(SecretString::from).collect());
        }
        let mut keys = Vec::new();
        for reference in &self.ours {
            let found = world.secret(reference).await;
            keys.push(found.map_err(|question| Verified::Unknown(Trouble::Question(question)))?);
        }
        Ok(keys)
    }
}

/// The text without its keys. None where a key is not known, so that nothing could be held back.
fn without_keys(text: &str, keys: &[&str]) -> Option<String> {
    if keys.len() != 2 || keys.iter().any(|key| key.len() < 8) {
        return None;
    }
    let hold_back = |text: String, (number, key): (usize, &&str)| {
        text.replace(*key, &format!("\u{2039}pre-shared key of tunnel {}, sent separately\u{203a}", number + 1))
    };
    let held_back = keys.iter().enumerate().fold(text.to_owned(), hold_back);
    // Where AWS has held them back itself.
    Some(held_back.replace(REDACTED, "\u{2039}pre-shared key, sent separately\u{203a}"))
}

#[async_trait]
impl Question for Sample {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.vpn) || !known(&self.device) {
            return Verified::NotYet { said: "the connection is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let Some(there) = connection(&cloud, &self.vpn).await? else {
                return Ok(Verified::NotYet { said: format!("{} is not there", self.vpn) });
            };
            let keys = match self.keys(world, keys_shown(&there)).await {
                Ok(keys) => keys,
                Err(question) => return Ok(question),
            };
            let keys: Vec<&str> = keys.iter().map(ExposeSecret::expose_secret).collect();
            for key in &keys {
                world.vault.masks().learn(key);
            }
            let request = cloud
                .ec2()
                .get_vpn_connection_device_sample_configuration()
                .vpn_connection_id(&self.vpn)
                .vpn_connection_device_type_id(&self.device)
                .internet_key_exchange_version(self.ike);
            let sample = Operation::GetVpnConnectionDeviceSampleConfiguration;
            let answer = cloud.read(sample, || request.clone().send()).await?;
            let text = answer.vpn_connection_device_sample_configuration.unwrap_or_default();
            let Some(text) = without_keys(&text, &keys) else {
                let what = "the connection's pre-shared keys are not known here, so they cannot be held back";
                let advice = format!(
                    "Whoever may see the keys saves it with aws ec2 get-vpn-connection-device-sample-configuration \
                     --vpn-connection-id {} --vpn-connection-device-type-id {} --internet-key-exchange-version {} --output \
                     text, and sends it to the customer on a safe way.",
                    self.vpn, self.device, self.ike
                );
                return Ok(Verified::NotSo(Failure::new(what, advice)));
            };
            let said = format!("sample configuration of {}, its keys held back", self.vpn);
            let text = above_sample(&text, &there) + &text;
            Ok(Verified::So(found(said, json!({ "configuration": text }))))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stays_in_a_sample_and_without_knowing_them_there_is_none() {
        let text = "peer 192.0.2.10\nkey first_key.1\npeer 192.0.2.11\nkey second_key.2 first_key.1\n";
        let without = without_keys(text, &["first_key.1", "second_key.2"]).unwrap();
        assert!(!without.contains("first_key") && !without.contains("second_key"), "{without}");
        assert!(without.contains("tunnel 1") && without.contains("peer 192.0.2.11"));
        assert_eq!(without_keys(text, &["first_key.1"]), None);
        assert_eq!(without_keys(text, &[]), None);
        assert_eq!(without_keys(text, &["", ""]), None);
        let redacted = without_keys("key REDACTED\nkey REDACTED\n", &["first_key.1", "second_key.2"]).unwrap();
        assert!(!redacted.contains("REDACTED") && redacted.contains("pre-shared key, sent separately"), "{redacted}");
    }
}

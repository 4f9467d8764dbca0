//! What must be so before anything is made, and what only needs to be looked up: account, region, readiness.

use async_trait::async_trait;
use serde_json::json;

use super::arguments::{Arguments, known};
use super::check::Question;
use super::object::found;
use super::world::Subject;
use super::{Trouble, Verified, World};
use crate::aws::ec2::types::{AvailabilityZoneState, LocationType, SummaryStatus};
use crate::aws::{AwsFailure, Cloud, Kind, Operation, filter};
use crate::engagement::Failure;

/// Asks the account; what cannot be asked is unknown.
pub(super) async fn asked<F, Answer>(world: &World, question: F) -> Verified
where
    F: FnOnce(std::sync::Arc<Cloud>) -> Answer,
    Answer: Future<Output = Result<Verified, AwsFailure>>,
{
    let cloud = match world.cloud() {
        Ok(cloud) => cloud.clone(),
        Err(failure) => return Verified::Unknown(Trouble::Failure(failure)),
    };
    question(cloud).await.unwrap_or_else(|failure| Verified::Unknown(Trouble::Failure(failure.into())))
}

/// `aws/account`: we are who the engagement says.
pub(super) struct TheAccount {
    account: String,
}

impl TheAccount {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheAccount { account: arguments.text("account")? })
    }
}

#[async_trait]
impl Question for TheAccount {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let identity = cloud.identity().await?;
            if identity.account == self.account {
                let said = format!("{} in account {}", identity.caller(), identity.account);
                return Ok(Verified::So(found(said, json!({ "arn": identity.arn, "account": identity.account }))));
            }
            Ok(Verified::NotSo(Failure {
                raw: identity.arn,
                ..Failure::new(
                    format!("these credentials belong to account {}, not {}", identity.account, self.account),
                    "Choose the profile of the customer's account, or correct the account id.",
                )
            }))
        })
        .await
    }
}

/// `aws/role-guard`: the role that onramp takes on is given with its external id only. Whoever acts for several customers
/// could else be led into another one's account (IAM user guide, "The confused deputy problem").
pub(super) struct RoleGuard;

#[async_trait]
impl Question for RoleGuard {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let Some(role) = cloud.role().cloned() else {
                return Ok(Verified::So(found("no role is taken on", json!({}))));
            };
            let advice = format!(
                "Have the condition \"sts:ExternalId\" written into the trust policy of {}, and give the id as aws.external_id.",
                role.arn
            );
            if role.external_id.is_none() {
                let what = format!("{} is taken on without an external id", role.arn);
                return Ok(Verified::NotSo(Failure::new(what, advice)));
            }
            if role.mfa_serial.is_some() {
                let said = "the role wants a code each time, so whether it wants the external id as well was not tried";
                return Ok(Verified::So(found(said, json!({}))));
            }
            if cloud.role_lacks_guard().await? {
                let what = format!("AWS gives {} also to one who does not say the external id", role.arn);
                return Ok(Verified::NotSo(Failure::new(what, advice)));
            }
            Ok(Verified::So(found("without the external id AWS does not give the role", json!({}))))
        })
        .await
    }
}

/// `aws/region`: the region is enabled and has the zones.
pub(super) struct TheRegion {
    region: String,
    zones: Vec<String>,
}

impl TheRegion {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheRegion { region: arguments.text("region")?, zones: arguments.list("zones")? })
    }
}

#[async_trait]
impl Question for TheRegion {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            if cloud.region() != self.region && !self.zones.is_empty() {
                let what = format!("onramp speaks to {}, not to {}", cloud.region(), self.region);
                return Ok(Verified::NotSo(Failure::new(what, "Start onramp with --region, or correct the input.")));
            }
            let request =
                cloud.ec2().describe_regions().all_regions(true).filters(filter("region-name", [self.region.as_str()]));
            let regions =
                cloud.read(Operation::DescribeRegions, || request.clone().send()).await?.regions.unwrap_or_default();
            let Some(region) = regions.iter().find(|region| region.region_name() == Some(&self.region)) else {
                let what = format!("AWS knows no region {}", self.region);
                return Ok(Verified::NotSo(Failure::new(what, "Correct the region, such as eu-west-1.")));
            };
            if region.opt_in_status() == Some("not-opted-in") {
                let what = format!("the region {} is not enabled for this account", self.region);
                return Ok(Verified::NotSo(Failure::new(
                    what,
                    format!("Enable it: aws account enable-region --region-name {} (minutes to hours).", self.region),
                )));
            }
            if self.zones.is_empty() {
                return Ok(Verified::So(found(format!("{} is enabled", self.region), json!({ "zone_ids": {} }))));
            }
            let request = cloud.ec2().describe_availability_zones();
            let answer = cloud.read(Operation::DescribeAvailabilityZones, || request.clone().send()).await?;
            let zones = answer.availability_zones.unwrap_or_default();
            let usable: Vec<&str> = zones
                .iter()
                .filter(|zone| zone.state() == Some(&AvailabilityZoneState::Available))
                .filter_map(|zone| zone.zone_name())
                .collect();
            if let Some(missing) = self.zones.iter().find(|zone| !usable.contains(&zone.as_str())) {
                let what = format!("the zone {missing} cannot be used in this account");
                let advice = format!("Choose from {}.", crate::text::list(&usable));
                return Ok(Verified::NotSo(Failure::new(what, advice)));
            }
            // The same name is another building in another account; the id is the same everywhere.
            let ids: serde_json::Map<_, _> = zones
                .iter()
                .filter_map(|zone| Some((zone.zone_name()?, zone.zone_id()?)))
                .filter(|(name, _)| self.zones.iter().any(|zone| zone == name))
                .map(|(name, id)| (name.to_owned(), json!(id)))
                .collect();
            let said = format!("{} with {}", self.region, crate::text::list(&self.zones));
            Ok(Verified::So(found(said, json!({ "zone_ids": ids }))))
        })
        .await
    }
}

/// `aws/instance-type`: the zone has machines of that type.
pub(super) struct TypeOffered {
    wanted: String,
    zone: String,
}

impl TypeOffered {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TypeOffered { wanted: arguments.text("type")?, zone: arguments.text("zone")? })
    }
}

#[async_trait]
impl Question for TypeOffered {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let request = cloud
                .ec2()
                .describe_instance_type_offerings()
                .location_type(LocationType::AvailabilityZone)
                .filters(filter("instance-type", [self.wanted.as_str()]));
            let answer = cloud.read(Operation::DescribeInstanceTypeOfferings, || request.clone().send()).await?;
            let offerings = answer.instance_type_offerings.unwrap_or_default();
            let zones: Vec<&str> = offerings.iter().filter_map(|offering| offering.location()).collect();
            if zones.contains(&self.zone.as_str()) {
                return Ok(Verified::So(found(format!("{} has {}", self.zone, self.wanted), json!({}))));
            }
            let advice = match zones.as_slice() {
                [] => format!("No zone of {} has it: choose another type.", cloud.region()),
                there => format!("Choose another type, or a subnet in {}.", crate::text::either(there)),
            };
            Ok(Verified::NotSo(Failure::new(format!("{} has no {}", self.zone, self.wanted), advice)))
        })
        .await
    }
}

/// `aws/instance-ready`: both status checks of an instance are passed.
pub(super) struct InstanceReady {
    instance: String,
}

impl InstanceReady {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(InstanceReady { instance: arguments.text("instance")? })
    }
}

#[async_trait]
impl Question for InstanceReady {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.instance) {
            return Verified::NotYet { said: "the instance is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let request =
                cloud.ec2().describe_instance_status().instance_ids(&self.instance).include_all_instances(true);
            let answer = cloud.read(Operation::DescribeInstanceStatus, || request.clone().send()).await;
            let statuses = match answer {
                Ok(answer) => answer.instance_statuses.unwrap_or_default(),
                Err(failure) if failure.kind == Kind::NotFound => Vec::new(),
                Err(failure) => return Err(failure),
            };
            let Some(status) = statuses.first() else {
                return Ok(Verified::NotYet { said: format!("{} is not shown yet", self.instance) });
            };
            let of = |summary: Option<&SummaryStatus>| summary.map_or("unknown", SummaryStatus::as_str).to_owned();
            let machine = of(status.system_status().and_then(|summary| summary.status()));
            let system = of(status.instance_status().and_then(|summary| summary.status()));
            let said = format!("{}: machine {machine}, system {system}", self.instance);
            Ok(if machine == "ok" && system == "ok" {
                Verified::So(found(said, json!({})))
            } else {
                Verified::NotYet { said }
            })
        })
        .await
    }
}

/// `aws/console-host-keys`: the fingerprints that the host printed on its console when it was first started.
pub(super) struct ConsoleHostKeys {
    instance: String,
}

impl ConsoleHostKeys {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(ConsoleHostKeys { instance: arguments.text("instance")? })
    }
}

/// What an instance has printed since it was started, as far as AWS kept it.
async fn console(cloud: &Cloud, instance: &str) -> Result<String, AwsFailure> {
    let request = cloud.ec2().get_console_output().instance_id(instance);
    let latest = request.clone().latest(true);
    let answer = match cloud.read(Operation::GetConsoleOutput, || latest.clone().send()).await {
        // The latest output is for Nitro instances only; the others show it some minutes later.
        Err(failure) if failure.kind == Kind::Capacity || failure.code.as_deref() == Some("UnsupportedOperation") => {
            cloud.read(Operation::GetConsoleOutput, || request.clone().send()).await?
        }
        other => other?,
    };
    use base64::Engine;
    let encoded: String = answer.output.unwrap_or_default().split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Between the two lines that cloud-init prints: `SHA256:…` of each key.
fn fingerprints(console: &str) -> Vec<String> {
    let Some((_, rest)) = console.rsplit_once("BEGIN SSH HOST KEY FINGERPRINTS") else { return Vec::new() };
    // An end that is not there yet means that not all keys are printed.
    let Some((block, _)) = rest.split_once("END SSH HOST KEY FINGERPRINTS") else { return Vec::new() };
    let mut found: Vec<String> = block
        .split_whitespace()
        .filter(|word| word.starts_with("SHA256:") && word.len() == "SHA256:".len() + 43)
        .map(str::to_owned)
        .collect();
    found.dedup();
    found
}

#[async_trait]
impl Question for ConsoleHostKeys {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.instance) {
            return Verified::NotYet { said: "the instance is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let found_keys = fingerprints(&console(&cloud, &self.instance).await?);
            Ok(if found_keys.is_empty() {
                Verified::NotYet { said: format!("{} has not printed its host keys yet", self.instance) }
            } else {
                let said = format!("{} on the console", crate::text::count(found_keys.len(), "host key"));
                Verified::So(found(said, json!({ "fingerprints": found_keys })))
            })
        })
        .await
    }
}

/// `aws/console-logins`: whom the instance said on its console that it lets in, and what went wrong with that.
pub(super) struct ConsoleLogins {
    instance: String,
}

impl ConsoleLogins {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(ConsoleLogins { instance: arguments.text("instance")? })
    }
}

/// Lines about keys that are let in (cloud-init, cc_ssh_authkey_fingerprints), and what cloud-init or sshd could not do.
fn of_logins(console: &str) -> Vec<String> {
    let is_meant = |line: &str| {
        let line = line.to_lowercase();
        let of_them = ["cloud-init", "sshd", "ssh.service"].iter().any(|word| line.contains(word));
        let trouble =
            ["error", "fail", "warning", "traceback", "unable", "denied"].iter().any(|word| line.contains(word));
        line.contains("authorized") || (of_them && trouble)
    };
    let lines = console.lines().map(|line| line.trim().trim_start_matches("ci-info: ").trim_matches(['+', ' ']));
    let mut found: Vec<String> =
        lines.filter(|line| is_meant(line)).map(|line| crate::text::clip(line, LONGEST)).collect();
    found.dedup();
    // A host that was started often says it often: the last time counts.
    found.split_off(found.len().saturating_sub(MOST_LINES))
}

const MOST_LINES: usize = 6;
const LONGEST: usize = 160;

#[async_trait]
impl Question for ConsoleLogins {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.instance) {
            return Verified::NotYet { said: "the instance is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let lines = of_logins(&console(&cloud, &self.instance).await?);
            Ok(if lines.is_empty() {
                Verified::NotYet { said: format!("{} says nothing of logins on its console", self.instance) }
            } else {
                let said = format!("{} says on its console: {}", self.instance, lines.join(" / "));
                Verified::So(found(said, json!({ "lines": lines })))
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_console_only_what_is_about_logins_is_told_and_the_end_of_it() {
        let boot = "[   12.1] cloud-init[812]: Cloud-init v. 24.4 running 'modules:config'\r\n\
                    ci-info: +++++++Authorized keys from /home/ubuntu/.ssh/authorized_keys for user ubuntu+++++++\r\n\
                    ci-info: no authorized SSH keys fingerprints found for user ubuntu.\n\
                    [   13.0] cloud-init[812]: 2026-01-01 - util.py[WARNING]: Running module users-groups failed\n\
                    systemd[1]: Started Getty on tty1.\n";
        assert_eq!(
            of_logins(boot),
            [
                "Authorized keys from /home/ubuntu/.ssh/authorized_keys for user ubuntu",
                "no authorized SSH keys fingerprints found for user ubuntu.",
                "[   13.0] cloud-init[812]: 2026-01-01 - util.py[WARNING]: Running module users-groups failed"
            ]
        );
        assert_eq!(of_logins("login: "), Vec::<String>::new());
        assert_eq!(
            of_logins(&(0..9).map(|n| format!("authorized {n}\n")).collect::<String>()).first().unwrap(),
            "authorized 3"
        );
    }

    #[test]
    fn only_a_whole_block_of_fingerprints_counts_and_the_last_one() {
        let key = |letter: char| format!("SHA256:{}", letter.to_string().repeat(43));
        let block = |letter| {
            format!(
                "ci-info: -----BEGIN SSH HOST KEY FINGERPRINTS-----\r\nec2: 256 {} root@ip-10-0-0-1 (ED25519)\r\n\
                 ec2: 1024 MD5:aa:bb root@x (DSA)\r\nec2: -----END SSH HOST KEY FINGERPRINTS-----\r\n",
                key(letter)
            )
        };
        assert_eq!(fingerprints(&format!("boot\r\n{}login:", block('a'))), [key('a')]);
        assert_eq!(fingerprints(&format!("{}{}", block('a'), block('b'))), [key('b')], "rebuilt hosts print again");
        let cut = block('a').split("END SSH").next().unwrap().to_owned();
        assert_eq!(fingerprints(&cut), Vec::<String>::new());
        assert_eq!(fingerprints(""), Vec::<String>::new());
    }
}

//! What the hosts of a VPC are told by DHCP: one set for names and time, and one writer for it.
//!
//! A set is never edited (API reference, CreateDhcpOptions): another one is made, the VPC is given that, and the old one of
//! ours goes. Which set the VPC had before stands on the new one's tags, so that an undo can put it back, whatever
//! happened in between.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::call::{Call, DhcpConfiguration, ITSELF, Label};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found, ids};
use super::world::Subject;
use crate::aws::ec2::types::{DhcpOptions, Filter};
use crate::aws::{AwsFailure, FORMER, Holder, Operation, filter};
use crate::engagement::{Difference, Failure};

/// The set that AWS gives every VPC at first.
const FIRST: &str = "default";
const NAME_SERVERS: &str = "domain-name-servers";
/// The name server that every VPC has.
const AMAZONS: &str = "AmazonProvidedDNS";
/// What a set may say (API reference, CreateDhcpOptions).
const OPTIONS: [&str; 6] = [
    "domain-name",
    NAME_SERVERS,
    "ntp-servers",
    "netbios-name-servers",
    "netbios-node-type",
    "ipv6-address-preferred-lease-time",
];

/// `aws/dhcp-options`
pub(super) struct TheDhcpOptions {
    vpc: String,
    wanted: Vec<DhcpConfiguration>,
    /// What the VPC's own set says beside that goes on to be said.
    keeps: bool,
    label: Label,
}

impl TheDhcpOptions {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let options = [
            ("domain-name", arguments.optional("domain")?.into_iter().collect()),
            (NAME_SERVERS, arguments.list("name_servers")?),
            ("ntp-servers", arguments.list("time_servers")?),
        ];
        let given = options.into_iter().filter(|(_, values): &(_, Vec<String>)| !values.is_empty());
        let wanted: Vec<_> = given.map(|(key, values)| DhcpConfiguration { key, values }).collect();
        if wanted.is_empty() {
            let what = "aws/dhcp-options is given neither `domain` nor `name_servers` nor `time_servers`";
            return Err(Failure::new(what, "Correct the step in the runbook."));
        }
        let keeps = arguments.one_of("keep", &["false", "true"])? == "true";
        Ok(TheDhcpOptions { vpc: arguments.text("vpc")?, wanted, keeps, label: label(subject, arguments)? })
    }

    async fn describe(&self, at: &Account<'_>, by: Vec<Filter>) -> Result<Vec<DhcpOptions>, AwsFailure> {
        let request = at.ec2().describe_dhcp_options().set_filters(Some(by));
        let answer = at
            .cloud
            .read_together(Operation::DescribeDhcpOptions, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?;
        Ok(answer.dhcp_options.unwrap_or_default())
    }

    async fn by_id(&self, at: &Account<'_>, id: &str) -> Result<Option<DhcpOptions>, AwsFailure> {
        let there = self.describe(at, vec![filter("dhcp-options-id", [id])]).await?;
        Ok(there.into_iter().find(|set| set.dhcp_options_id() == Some(id)))
    }

    /// The id of the set that the VPC has.
    async fn of_the_vpc(&self, at: &Account<'_>) -> Result<Option<String>, AwsFailure> {
        if !known(&self.vpc) {
            return Ok(None);
        }
        let request = at.ec2().describe_vpcs().filters(filter("vpc-id", [self.vpc.as_str()]));
        let answer = at.cloud.read(Operation::DescribeVpcs, || request.clone().send()).await?;
        let vpc = answer.vpcs.unwrap_or_default().into_iter().next();
        Ok(vpc.map(|vpc| vpc.dhcp_options_id.unwrap_or_else(|| FIRST.to_owned())))
    }

    /// What the VPC is to be told, where it had this set before ours.
    fn whole(&self, before: Option<&DhcpOptions>) -> Vec<DhcpConfiguration> {
        let mut whole = self.wanted.clone();
        let before = before.filter(|_| self.keeps).map(configuration).unwrap_or_default();
        for key in OPTIONS {
            let kept = before.get(key).filter(|_| whole.iter().all(|one| one.key != key));
            whole.extend(kept.map(|values| DhcpConfiguration { key, values: values.clone() }));
        }
        if self.keeps && whole.iter().all(|one| one.key != NAME_SERVERS) {
            whole.push(DhcpConfiguration { key: NAME_SERVERS, values: vec![AMAZONS.to_owned()] });
        }
        whole
    }

    /// The set that the VPC had before ours: the one that it has now, where that is not ours. Where it is gone, ours says what it said.
    async fn before(
        &self,
        at: &Account<'_>,
        ours: &[DhcpOptions],
        there: Option<&DhcpOptions>,
    ) -> Result<Option<DhcpOptions>, AwsFailure> {
        let Some(there) = there else { return Ok(None) };
        if !self.keeps || !ours.iter().any(|set| id_of(set) == id_of(there)) {
            return Ok(Some(there.clone()));
        }
        let before = match former(there) {
            Some(former) if former != FIRST => self.by_id(at, former).await?,
            _ => None,
        };
        Ok(Some(before.unwrap_or_else(|| there.clone())))
    }

    fn create(&self, former: &str, whole: Vec<DhcpConfiguration>) -> Call {
        Call::CreateDhcpOptions {
            dhcp_configurations: whole,
            former: former.to_owned(),
            tag_specifications: self.label.clone(),
        }
    }

    fn associate(&self, set: &str) -> Call {
        Call::AssociateDhcpOptions { dhcp_options_id: set.to_owned(), vpc_id: self.vpc.clone() }
    }

    /// What the VPC is told now and would be told.
    fn differences(&self, whole: &[DhcpConfiguration], now: Option<&DhcpOptions>) -> Vec<Difference> {
        let found = now.map(configuration).unwrap_or_default();
        let wanted: BTreeMap<&str, &[String]> = whole.iter().map(|one| (one.key, one.values.as_slice())).collect();
        let mut names: Vec<&str> = found.keys().map(String::as_str).chain(wanted.keys().copied()).collect();
        names.sort_unstable();
        names.dedup();
        let said = |values: Option<&[String]>| values.map_or("nothing".to_owned(), crate::text::list);
        let both = names.into_iter().map(|name| (name, said(wanted.get(name).copied()), found.get(name)));
        both.filter_map(|(name, wanted, found)| {
            let found = said(found.map(Vec::as_slice));
            (wanted != found).then(|| difference(name, wanted, found))
        })
        .collect()
    }
}

fn configuration(set: &DhcpOptions) -> BTreeMap<String, Vec<String>> {
    let values = |one: &crate::aws::ec2::types::DhcpConfiguration| {
        let values = one.values().iter().filter_map(|value| value.value().map(str::to_owned));
        Some((one.key()?.to_owned(), values.collect()))
    };
    set.dhcp_configurations().iter().filter_map(values).collect()
}

/// What the VPC had before this set, as its tags say.
fn former(set: &DhcpOptions) -> Option<&str> {
    set.tags().iter().find(|tag| tag.key() == Some(FORMER)).and_then(|tag| tag.value())
}

fn id_of(set: &DhcpOptions) -> &str {
    set.dhcp_options_id().unwrap_or_default()
}

#[async_trait]
impl Thing for TheDhcpOptions {
    fn noun(&self) -> String {
        format!("DHCP option set {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        let mut whole = self.wanted.clone();
        if self.keeps {
            let values = vec!["\u{2039}as the VPC's own set has them\u{203a}".to_owned()];
            whole.push(DhcpConfiguration { key: "\u{2039}all others\u{203a}", values });
        }
        vec![self.create("\u{2039}what the VPC has now\u{203a}", whole), self.associate(ITSELF)]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.describe(at, at.ours("dhcp-options-id")).await?;
        let ours = at.of_ours(&self.label.key, ours, DhcpOptions::tags);
        let Some(now) = self.of_the_vpc(at).await? else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let there = match ours.iter().find(|set| id_of(set) == now) {
            Some(set) => Some(set.clone()),
            None => self.by_id(at, &now).await?,
        };
        let whole = self.whole(self.before(at, &ours, there.as_ref()).await?.as_ref());
        let (as_wanted, old): (Vec<_>, Vec<_>) =
            ours.into_iter().partition(|set| self.differences(&whole, Some(set)).is_empty());
        let set = at.only_one(&self.label.key, as_wanted, DhcpOptions::dhcp_options_id, DhcpOptions::tags);
        let mut missing: Vec<Call> = Vec::new();
        if let Some(set) = &set {
            if id_of(set) != now {
                missing.push(self.associate(id_of(set)));
            }
        } else {
            if let Some(Holder::Engagement(other)) = there.as_ref().map(|set| at.holder(set.tags.as_deref())) {
                let said = format!("{} is told what to do by the engagement {other}", self.vpc);
                return Ok(Sight::Foreign { said, differences: self.differences(&whole, there.as_ref()) });
            }
            // Where the old one is ours it goes, and what was before it is what an undo brings back.
            let before = there.as_ref().filter(|_| old.iter().any(|set| id_of(set) == now)).and_then(former);
            let calls = vec![self.create(before.unwrap_or(&now), whole.clone()), self.associate(ITSELF)];
            if old.is_empty() {
                let differences = self.differences(&whole, there.as_ref());
                let said: Vec<String> = differences.iter().map(|one| format!("{}: {}", one.what, one.found)).collect();
                let said = format!("{} is not there; {} has {now} ({})", self.noun(), self.vpc, said.join("; "));
                return Ok(Sight::Replaces { said, calls });
            }
            missing.extend(calls);
        }
        missing.extend(old.iter().map(|set| Call::DeleteDhcpOptions { dhcp_options_id: id_of(set).to_owned() }));
        let id = set.as_ref().map(id_of).unwrap_or_default();
        if missing.is_empty() {
            return Ok(Sight::Ready(found(format!("{id} at {}", self.vpc), json!({ "id": id }))));
        }
        let there = old.first().or(set.as_ref());
        let mut differences = self.differences(&whole, there);
        if differences.is_empty() {
            differences.push(difference("the option set of the VPC", id, now));
        }
        let said = format!("{} is there, but not as wanted", self.noun());
        let keep = set.as_ref().map(|_| ("id".to_owned(), json!(id))).into_iter().collect();
        Ok(Sight::Partial(Partial { said, differences, missing, keep }))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("dhcp-options-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, DhcpOptions::tags), DhcpOptions::dhcp_options_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        let back = self.associate("\u{2039}what the VPC had before\u{203a}");
        vec![back, Call::DeleteDhcpOptions { dhcp_options_id: id.to_owned() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let set = self.by_id(at, id).await?;
        let mut calls = Vec::new();
        if let Some(set) = &set
            && self.of_the_vpc(at).await?.as_deref() == Some(id)
        {
            let before = former(set).unwrap_or(FIRST);
            // It may have gone meanwhile.
            let there = before != FIRST && self.by_id(at, before).await?.is_some();
            calls.push(self.associate(if there { before } else { FIRST }));
        }
        calls.push(Call::DeleteDhcpOptions { dhcp_options_id: id.to_owned() });
        Ok(at.remains(id, set.as_ref().map(|set| set.tags.as_deref()), calls))
    }
}

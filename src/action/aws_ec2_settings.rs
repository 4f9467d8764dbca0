//! What holds for everything that is made in a region of the account from then on: disks are encrypted, and new hosts give
//! their metadata only to those who ask with a session token (domain specification, P00.10).
//!
//! Nothing here is made, so nothing carries tags. What was set before is kept with the change, and an undo puts that back.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::Arguments;
use super::aws_resource::{given_region, in_region};
use super::call::Call;
use super::call::ebs::EbsRequest;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::Subject;
use crate::aws::ec2::types::{HttpTokensState, InstanceMetadataDefaultsResponse, ManagedBy};
use crate::aws::{AwsFailure, Cloud, Operation};
use crate::engagement::Failure;

/// Under which what was set before is kept.
pub(super) const FORMER: &str = "former";

pub(super) fn unknown_before(what: &str) -> Remains {
    let said = format!("what {what} was before is not known, as onramp was cut off while it was changed");
    Remains::NotOurs { said }
}

/// `aws/ebs-encryption`
pub(super) struct EncryptionByDefault {
    region: Option<String>,
}

impl EncryptionByDefault {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(EncryptionByDefault { region: given_region(arguments, "region")? })
    }

    async fn is_on(&self, at: &Account<'_>) -> Result<bool, AwsFailure> {
        let place = in_region(at.cloud, self.region.as_deref());
        let request = place.ec2().get_ebs_encryption_by_default();
        let seen = place.read(Operation::GetEbsEncryptionByDefault, || request.clone().send()).await?;
        Ok(seen.ebs_encryption_by_default().unwrap_or(false))
    }

    fn disable(&self) -> Call {
        Call::Ebs(EbsRequest::DisableEbsEncryptionByDefault { region: self.region.clone() })
    }
}

#[async_trait]
impl Thing for EncryptionByDefault {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        match &self.region {
            Some(region) => format!("encryption of new disks in {region}"),
            None => "encryption of new disks".to_owned(),
        }
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Ebs(EbsRequest::EnableEbsEncryptionByDefault { region: self.region.clone() })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let noun = self.noun();
        if self.is_on(at).await? {
            return Ok(Sight::Ready(found(format!("{noun} is on"), json!({ "enabled": true }))));
        }
        Ok(Sight::Partial(Partial {
            said: format!("{noun} is off"),
            differences: vec![difference("new disks", "encrypted", "as each is asked for")],
            missing: self.calls(),
            keep: BTreeMap::from([(FORMER.to_owned(), json!(false))]),
        }))
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.disable()]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(match (self.is_on(at).await?, made.0.get(FORMER)) {
            (false, _) => Remains::Gone,
            (true, Some(_)) => Remains::Takes(vec![self.disable()]),
            (true, None) => unknown_before("the encryption of new disks"),
        })
    }
}

/// `aws/metadata-defaults`
pub(super) struct MetadataDefaults {
    tokens: &'static str,
    hops: i32,
    region: Option<String>,
}

/// AWS's word for what nobody has set.
const NO_PREFERENCE: &str = "no-preference";
const NO_LIMIT: i32 = -1;

impl MetadataDefaults {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(MetadataDefaults {
            tokens: arguments.one_of("tokens", &["required", "optional"])?,
            hops: arguments.number("hops", 1, 64)?.unwrap_or(2),
            region: given_region(arguments, "region")?,
        })
    }

    fn place(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.region.as_deref())
    }

    async fn now(&self, at: &Account<'_>) -> Result<InstanceMetadataDefaultsResponse, AwsFailure> {
        let place = self.place(at);
        let request = place.ec2().get_instance_metadata_defaults();
        let seen = place.read(Operation::GetInstanceMetadataDefaults, || request.clone().send()).await?;
        Ok(seen.account_level.unwrap_or_else(|| InstanceMetadataDefaultsResponse::builder().build()))
    }

    fn set(&self, tokens: &str, hops: i32) -> Call {
        Call::Ebs(EbsRequest::ModifyInstanceMetadataDefaults {
            http_tokens: tokens.to_owned(),
            http_put_response_hop_limit: hops,
            region: self.region.clone(),
        })
    }

    fn is_as_wanted(&self, now: &InstanceMetadataDefaultsResponse) -> bool {
        said(now) == (self.tokens, self.hops)
    }

    /// What an undo sets.
    fn back(&self, former: &Json) -> Call {
        let tokens = former.get("tokens").and_then(Json::as_str).unwrap_or(NO_PREFERENCE);
        let hops = former.get("hops").and_then(Json::as_i64).and_then(|hops| hops.try_into().ok());
        self.set(tokens, hops.unwrap_or(NO_LIMIT))
    }
}

/// Tokens and hops; where nobody has set them AWS says nothing.
fn said(now: &InstanceMetadataDefaultsResponse) -> (&str, i32) {
    let tokens = now.http_tokens().map_or(NO_PREFERENCE, HttpTokensState::as_str);
    (tokens, now.http_put_response_hop_limit().filter(|hops| *hops > 0).unwrap_or(NO_LIMIT))
}

#[async_trait]
impl Thing for MetadataDefaults {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        match &self.region {
            Some(region) => format!("metadata of new hosts in {region}"),
            None => "metadata of new hosts".to_owned(),
        }
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.set(self.tokens, self.hops)]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let (noun, now) = (self.noun(), self.now(at).await?);
        let (tokens, hops) = said(&now);
        if self.is_as_wanted(&now) {
            let shown = format!("{noun}: tokens {tokens}, {hops} hops");
            return Ok(Sight::Ready(found(shown, json!({ "tokens": tokens, "hops": hops }))));
        }
        let set = |hops: i32| if hops == NO_LIMIT { NO_PREFERENCE.to_owned() } else { hops.to_string() };
        let differences = vec![
            difference("session tokens", self.tokens, tokens),
            difference("hops of an answer", set(self.hops), set(hops)),
        ];
        let said = format!("{noun} is not as wanted");
        if now.managed_by() == Some(&ManagedBy::DeclarativePolicy) {
            let said = format!("{said}, and a policy of the organisation sets it");
            return Ok(Sight::Foreign { said, differences });
        }
        let differences = differences.into_iter().filter(|one| one.wanted != one.found).collect();
        let keep = BTreeMap::from([(FORMER.to_owned(), json!({ "tokens": tokens, "hops": hops }))]);
        Ok(Sight::Partial(Partial { said, differences, missing: self.calls(), keep }))
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        vec![self.back(made.0.get(FORMER).unwrap_or(&Json::Null))]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let now = self.now(at).await?;
        let Some(former) = made.0.get(FORMER) else {
            return Ok(if self.is_as_wanted(&now) {
                unknown_before("the metadata of new hosts")
            } else {
                Remains::Gone
            });
        };
        let (tokens, hops) = said(&now);
        if former.get("tokens").and_then(Json::as_str) == Some(tokens) && former.get("hops") == Some(&json!(hops)) {
            return Ok(Remains::Gone);
        }
        if self.is_as_wanted(&now) {
            return Ok(Remains::Takes(vec![self.back(former)]));
        }
        let said = format!("somebody has set it since: tokens {tokens}, {hops} hops");
        Ok(Remains::NotOurs { said })
    }
}

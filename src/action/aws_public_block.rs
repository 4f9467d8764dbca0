//! No bucket of the account can be made public, whoever makes it (domain specification, P00.10; "Blocking public access to
//! your Amazon S3 storage" of the S3 user guide).
//!
//! It is one setting for all regions, and carries no tags. What was set before is kept with the change, and an undo puts that
//! back. Where an organisation sets it for its accounts, AWS shows what counts and refuses to change it ("PutPublicAccessBlock").

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_ec2_settings::{FORMER, unknown_before};
use super::call::Call;
use super::call::block::{BlockRequest, Flags};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::Subject;
use crate::aws::s3_control::types::PublicAccessBlockConfiguration;
use crate::aws::{AwsFailure, Kind, Operation};
use crate::engagement::{Difference, Failure};

/// Kept where nobody had set anything before.
const NOTHING: &str = "nothing";

/// `aws/account-public-block`
pub(super) struct PublicBlock {
    account: String,
}

/// What an undo puts back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Former {
    Nothing,
    Set(Flags),
}

impl Former {
    fn of(made: &Made<'_>) -> Option<Former> {
        match made.0.get(FORMER)? {
            Json::String(word) if word == NOTHING => Some(Former::Nothing),
            kept => serde_json::from_value(kept.clone()).ok().map(Former::Set),
        }
    }

    fn is(self, now: Option<Flags>) -> bool {
        now == match self {
            Former::Nothing => None,
            Former::Set(flags) => Some(flags),
        }
    }
}

impl PublicBlock {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let account = arguments.text("account")?;
        if known(&account) && !(account.len() == 12 && account.bytes().all(|one| one.is_ascii_digit())) {
            let what = format!("the argument `account` of {}: \"{account}\" is not twelve digits", arguments.kind);
            return Err(Failure::new(what, "Correct the step in the runbook."));
        }
        Ok(PublicBlock { account })
    }

    async fn now(&self, at: &Account<'_>) -> Result<Option<Flags>, AwsFailure> {
        let request = at.cloud.s3_control().get_public_access_block().account_id(&self.account);
        match at.cloud.read(Operation::GetPublicAccessBlock, || request.clone().send()).await {
            Ok(seen) => Ok(seen.public_access_block_configuration.map(flags)),
            Err(failure) if failure.kind == Kind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn set(&self, flags: Flags) -> Call {
        let account_id = self.account.clone();
        Call::Block(BlockRequest::PutPublicAccessBlock { account_id, public_access_block_configuration: flags })
    }

    fn back(&self, former: Former) -> Call {
        match former {
            Former::Nothing => Call::Block(BlockRequest::DeletePublicAccessBlock { account_id: self.account.clone() }),
            Former::Set(flags) => self.set(flags),
        }
    }
}

/// AWS leaves out what is not set.
fn flags(seen: PublicAccessBlockConfiguration) -> Flags {
    Flags {
        block_public_acls: seen.block_public_acls.unwrap_or(false),
        ignore_public_acls: seen.ignore_public_acls.unwrap_or(false),
        block_public_policy: seen.block_public_policy.unwrap_or(false),
        restrict_public_buckets: seen.restrict_public_buckets.unwrap_or(false),
    }
}

/// What is open yet.
fn open(now: Flags) -> Vec<Difference> {
    let parts = [
        (now.block_public_acls, difference("new public ACLs", "refused", "taken")),
        (now.ignore_public_acls, difference("public ACLs that are there", "ignored", "heeded")),
        (now.block_public_policy, difference("new public bucket policies", "refused", "taken")),
        (
            now.restrict_public_buckets,
            difference("buckets with a public policy", "for the account alone", "for everybody"),
        ),
    ];
    parts.into_iter().filter(|(closed, _)| !closed).map(|(_, difference)| difference).collect()
}

#[async_trait]
impl Thing for PublicBlock {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("block of public access to buckets of account {}", self.account)
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.set(Flags::ALL)]
    }

    fn keeps(&self) -> BTreeMap<String, Json> {
        BTreeMap::from([(FORMER.to_owned(), json!(NOTHING))])
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let noun = self.noun();
        let Some(now) = self.now(at).await? else {
            return Ok(Sight::Nothing { said: format!("{noun} is not set: each bucket decides for itself") });
        };
        let differences = open(now);
        if differences.is_empty() {
            let said = format!("no bucket of account {} can be made public", self.account);
            return Ok(Sight::Ready(found(said, json!({ "blocked": true }))));
        }
        Ok(Sight::Partial(Partial {
            said: format!("{noun} has gaps"),
            differences,
            missing: self.calls(),
            keep: BTreeMap::from([(FORMER.to_owned(), json!(now))]),
        }))
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        vec![self.back(Former::of(made).unwrap_or(Former::Nothing))]
    }

    fn goes(&self, made: &Made<'_>) -> String {
        match Former::of(made) {
            Some(Former::Set(_)) => format!("what was added to the {}", self.noun()),
            _ => self.noun(),
        }
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let now = self.now(at).await?;
        let is_as_wanted = now == Some(Flags::ALL);
        Ok(match Former::of(made) {
            Some(former) if former.is(now) => Remains::Gone,
            Some(former) if is_as_wanted => Remains::Takes(vec![self.back(former)]),
            Some(_) => Remains::NotOurs { said: format!("somebody has set it since: {}", shown(now)) },
            None if is_as_wanted => unknown_before("the block of public access"),
            None => Remains::Gone,
        })
    }
}

/// What is set now, in words.
fn shown(now: Option<Flags>) -> String {
    match now.map(open) {
        None => "nothing is set".to_owned(),
        Some(open) if open.is_empty() => "all of it is blocked".to_owned(),
        Some(open) => {
            let said = open.iter().map(|one| format!("{} {}", one.what, one.found)).collect::<Vec<_>>();
            said.join(", ")
        }
    }
}

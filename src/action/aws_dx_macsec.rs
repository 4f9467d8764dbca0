//! MACsec on a port of one's own: a key that both ends have, how strict the port is, and whether what goes over it is
//! encrypted ("MAC security in AWS Direct Connect", user guide). A port must have been ordered with it.
//!
//! A key has a name, the CKN, which anybody may know, and a text, the CAK, which nobody may but the two ends. AWS shows the
//! name only, keeps the pair in a secret of its own in Secrets Manager, and takes no other text under a name: another key is
//! associated beside it. Nothing of it carries tags.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_dx::line;
use super::aws_dx_lag::is_lag;
use super::call::Call;
use super::call::dx::DxRequest;
use super::check::Question;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::AwsFailure;
use crate::aws::direct_connect::types::{Connection, MacSecKey};
use crate::engagement::Difference;
use crate::input::SecretRef;

/// What AWS says of a port over which nothing goes in the clear, and of a key that is in place (API reference, Connection and
/// MacSecKey).
pub(super) const UP: &str = "Encryption Up";
const ASSOCIATED: &str = "associated";
const ASSOCIATING: &str = "associating";
const DISASSOCIATING: &str = "disassociating";
/// From the laxest to the strictest.
const MODES: [&str; 3] = ["no_encrypt", "should_encrypt", "must_encrypt"];
/// Under which what was set before is kept.
const FORMER: &str = "former";

/// Is a port to have it?
pub(super) fn wants_macsec(arguments: Arguments<'_>) -> Result<bool, Failure> {
    Ok(arguments.one_of("macsec", &["no", "yes"])? == "yes")
}

/// It is given with the order, or never.
pub(super) fn lacks_macsec(wanted: bool, capable: Option<bool>) -> Option<Difference> {
    (wanted && capable == Some(false)).then(|| difference("MACsec", "ordered with it", "ordered without it"))
}

fn ordered_without(id: &str) -> Failure {
    let advice = "Order another line with MACsec, and give this one back.";
    Failure::new(format!("{id} was ordered without MACsec, and never gets it"), advice)
}

/// `aws/dx-macsec-key`
pub(super) struct TheKey {
    connection: String,
    ckn: String,
    cak: SecretRef,
}

impl TheKey {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::new(what, "Correct the step in the runbook, or the input it is made of.");
        let ckn = arguments.text("ckn")?;
        if known(&ckn) && !(ckn.len() == 64 && ckn.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Err(wrong("the argument `ckn` of aws/dx-macsec-key is not 64 hexadecimal digits"));
        }
        let cak = arguments.secret("cak")?;
        let cak = cak.ok_or_else(|| wrong("the argument `cak` of aws/dx-macsec-key is missing"))?;
        Ok(TheKey { connection: arguments.text("connection")?, ckn, cak })
    }

    fn is_it(&self, key: &MacSecKey) -> bool {
        key.ckn().is_some_and(|ckn| ckn.eq_ignore_ascii_case(&self.ckn))
    }

    fn take_off(&self, secret: &str) -> Vec<Call> {
        let connection_id = self.connection.clone();
        vec![Call::Dx(DxRequest::DisassociateMacSecKey { connection_id, secret_arn: secret.to_owned() })]
    }
}

#[async_trait]
impl Thing for TheKey {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("MACsec key {}\u{2026} of {}", self.ckn.get(..8).unwrap_or(&self.ckn), self.connection)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dx(DxRequest::AssociateMacSecKey {
            connection_id: self.connection.clone(),
            ckn: self.ckn.clone(),
            cak: Some(self.cak.clone()),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let noun = self.noun();
        let Some(line) = line(at.cloud, &self.connection).await? else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.connection) });
        };
        if line.mac_sec_capable() == Some(false) {
            return Ok(Sight::Broken(ordered_without(&self.connection)));
        }
        let Some(key) = line.mac_sec_keys().iter().find(|key| self.is_it(key)) else {
            return Ok(Sight::Nothing { said: format!("{noun} is not associated") });
        };
        let state = key.state().unwrap_or("unknown");
        let said = format!("{noun} is {state}");
        let there = found(said.clone(), json!({ "id": key.secret_arn(), "state": state }));
        Ok(match state {
            ASSOCIATED => Sight::Ready(there),
            ASSOCIATING => Sight::Coming(there),
            DISASSOCIATING => Sight::Appearing { said },
            _ => Sight::Nothing { said },
        })
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        self.take_off(id)
    }

    fn goes(&self, made: &Made<'_>) -> String {
        let kept = made.text("id").unwrap_or("a secret of its own");
        format!(
            "{} (Direct Connect has kept the pair in {kept}, where it stays until somebody deletes that)",
            self.noun()
        )
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let (Some(id), Some(line)) = (made.text("id"), line(at.cloud, &self.connection).await?) else {
            return Ok(Remains::Gone);
        };
        let there = line.mac_sec_keys().iter().find(|key| key.secret_arn() == Some(id));
        Ok(match there.and_then(MacSecKey::state) {
            Some(ASSOCIATED | ASSOCIATING) => Remains::Takes(self.take_off(id)),
            Some(DISASSOCIATING) => Remains::Going { said: format!("{} is being taken off", self.noun()) },
            _ => Remains::Gone,
        })
    }
}

/// `aws/dx-encryption-mode`: how strict a port is, at the least.
pub(super) struct TheMode {
    connection: String,
    mode: &'static str,
}

/// What AWS calls unknown is as lax as can be.
fn strictness(mode: Option<&str>) -> usize {
    MODES.iter().position(|one| Some(*one) == mode).unwrap_or_default()
}

impl TheMode {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let mode = arguments.one_of("mode", &["should_encrypt", "must_encrypt"])?;
        Ok(TheMode { connection: arguments.text("connection")?, mode })
    }

    fn set(&self, mode: &str) -> Call {
        let (id, encryption_mode) = (self.connection.clone(), mode.to_owned());
        Call::Dx(if is_lag(&id) {
            DxRequest::UpdateLag { lag_id: id, encryption_mode }
        } else {
            DxRequest::UpdateConnection { connection_id: id, encryption_mode }
        })
    }

    /// A port that must encrypt and cannot is down.
    fn would_cut(&self, line: &Connection) -> bool {
        self.mode == "must_encrypt" && line.port_encryption_status() != Some(UP)
    }
}

#[async_trait]
impl Thing for TheMode {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("encryption mode of {}", self.connection)
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.set(self.mode)]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(line) = line(at.cloud, &self.connection).await? else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.connection) });
        };
        if line.mac_sec_capable() == Some(false) {
            return Ok(Sight::Broken(ordered_without(&self.connection)));
        }
        let now = line.encryption_mode().unwrap_or("unknown");
        let said = format!("the {} is {now}", self.noun());
        if strictness(Some(now)) >= strictness(Some(self.mode)) {
            return Ok(Sight::Ready(found(said, json!({ "mode": now }))));
        }
        if self.would_cut(&line) {
            let status = line.port_encryption_status().unwrap_or("unknown");
            let what =
                format!("{} would be cut: it would have to encrypt, and its encryption is: {status}", self.connection);
            let advice = "Have the customer's router speak MACsec with the same key first; then run the step again.";
            return Ok(Sight::Broken(Failure::new(what, advice)));
        }
        Ok(Sight::Partial(Partial {
            said,
            differences: vec![difference("encryption mode", self.mode, now)],
            missing: self.calls(),
            keep: BTreeMap::from([(FORMER.to_owned(), json!(now))]),
        }))
    }

    fn inverse(&self, _id: &str, made: &Made<'_>) -> Vec<Call> {
        let former = made.text(FORMER).filter(|former| MODES.contains(former));
        vec![self.set(former.unwrap_or(MODES[0]))]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(line) = line(at.cloud, &self.connection).await? else { return Ok(Remains::Gone) };
        let now = line.encryption_mode();
        // What was not changed here, or is set otherwise since, is left.
        Ok(match made.text(FORMER) {
            Some(former) if now == Some(self.mode) && now != Some(former) => Remains::Takes(self.inverse("", made)),
            _ => Remains::Gone,
        })
    }
}

/// `aws/dx-macsec-state`: both ends have the key, and what goes over the line is encrypted.
pub(super) struct Encrypted {
    connection: String,
    ckn: String,
}

impl Encrypted {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Encrypted { connection: arguments.text("connection")?, ckn: arguments.text("ckn")? })
    }
}

#[async_trait]
impl Question for Encrypted {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let id = self.connection.as_str();
            let Some(line) = line(&cloud, id).await? else {
                return Ok(Verified::NotYet { said: format!("{id} is not there") });
            };
            if line.mac_sec_capable() == Some(false) {
                return Ok(Verified::NotSo(ordered_without(id)));
            }
            let is_it = |key: &&MacSecKey| key.ckn().is_some_and(|ckn| ckn.eq_ignore_ascii_case(&self.ckn));
            let key = line.mac_sec_keys().iter().find(is_it).and_then(MacSecKey::state).unwrap_or("not associated");
            let (status, mode) = (line.port_encryption_status(), line.encryption_mode());
            let shown = |text: Option<&str>| text.unwrap_or("unknown").to_owned();
            let said = format!("{id}: its key is {key}, mode {}, {}", shown(mode), shown(status));
            Ok(match key == ASSOCIATED && status == Some(UP) {
                true => Verified::So(found(said, json!({ "status": status, "mode": mode }))),
                false => Verified::NotYet { said },
            })
        })
        .await
    }
}

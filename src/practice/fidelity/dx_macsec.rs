//! MACsec on lines of one's own. The customer's router takes the key some time after it was associated, as it takes the other
//! values of a session.
//!
//! Rules: "API Reference", AssociateMacSecKey, DisassociateMacSecKey, UpdateConnection, UpdateLag, MacSecKey; "MAC security"
//! and "Update a connection" of the user guide. Which mode a line has before anybody sets one is not written there; here it
//! does not encrypt.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::dx::{Ask, Line, line, passed, ports, refused};
use super::pace::Wait;
use super::refusal::Refusal;
use super::secrets;
use super::world::World;

const MODES: [&str; 3] = ["no_encrypt", "should_encrypt", "must_encrypt"];

/// What a line has that was ordered with it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Secured {
    mode: String,
    keys: Vec<Key>,
}

impl Default for Secured {
    fn default() -> Self {
        Secured { mode: MODES[0].into(), keys: Vec::new() }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Key {
    ckn: String,
    /// The secret that has name and text.
    secret: String,
    since: i64,
}

impl Secured {
    fn is_up(&self, world: &World) -> bool {
        self.mode != MODES[0] && self.keys.iter().any(|key| passed(world, key.since, Wait::Bgp))
    }

    /// It must encrypt and cannot.
    pub fn cuts(&self, world: &World) -> bool {
        self.mode == MODES[2] && !self.is_up(world)
    }
}

pub(super) fn show(world: &World, line: &Line, shown: &mut Json) {
    shown["macSecCapable"] = json!(line.secured.is_some());
    let Some(secured) = &line.secured else { return };
    let is_up = secured.is_up(world) && world.line_state(line) == "available";
    shown["portEncryptionStatus"] = json!(if is_up { "Encryption Up" } else { "Encryption Down" });
    shown["encryptionMode"] = json!(secured.mode);
    shown["macSecKeys"] = json!(secured.keys.iter().map(|key| shown_key(key, "associated")).collect::<Vec<_>>());
}

fn shown_key(key: &Key, state: &str) -> Json {
    json!({ "ckn": key.ckn, "secretARN": key.secret, "state": state })
}

fn is_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What of a line that was ordered with it is asked for.
fn secured<'w>(world: &'w World, id: &str) -> Result<&'w Secured, Refusal> {
    let there = line(world, id)?.secured.as_ref();
    there.ok_or_else(|| refused(format!("Connection {id} is not MACsec capable.")))
}

pub(super) fn associate(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let id = ask.need("connectionId")?;
    let (ckn, secret) = match (ask.text("ckn"), ask.text("cak"), ask.text("secretARN")) {
        (Some(ckn), Some(cak), None) if is_key(ckn) && is_key(cak) => (ckn.to_owned(), None),
        (Some(_), Some(_), None) => return Err(refused("CKN and CAK must be 64 hexadecimal characters.")),
        (None, None, Some(arn)) => {
            let ckn = secrets::key_name(world, arn).ok_or_else(|| refused(format!("Secret {arn} does not exist.")))?;
            (ckn, Some(arn.to_owned()))
        }
        _ => return Err(refused("Either the secret ARN or both CKN and CAK must be given.")),
    };
    if secured(world, id)?.keys.iter().any(|key| key.ckn.eq_ignore_ascii_case(&ckn)) {
        return Err(refused(format!("CKN {ckn} is already associated with {id}.")));
    }
    let secret = match secret {
        Some(arn) => arn,
        None => secrets::keep_key(world, &ckn, ask.need("cak")?),
    };
    let key = Key { ckn, secret, since: world.now };
    for port in ports(world, id)? {
        if let Some(secured) = world.lines.line_mut(&port).and_then(|line| line.secured.as_mut()) {
            secured.keys.push(key.clone());
        }
    }
    Ok(json!({ "connectionId": id, "macSecKeys": [shown_key(&key, "associating")] }))
}

/// With the last key the line need not encrypt any more, so that it is not cut.
pub(super) fn disassociate(world: &mut World, ask: &Ask) -> Result<Json, Refusal> {
    let (id, arn) = (ask.need("connectionId")?, ask.need("secretARN")?);
    let key = secured(world, id)?.keys.iter().find(|key| key.secret == arn).cloned();
    let key = key.ok_or_else(|| refused(format!("The association of {arn} with {id} does not exist.")))?;
    for port in ports(world, id)? {
        if let Some(secured) = world.lines.line_mut(&port).and_then(|line| line.secured.as_mut()) {
            secured.keys.retain(|key| key.secret != arn);
            if secured.keys.is_empty() && secured.mode == MODES[2] {
                secured.mode = MODES[1].into();
            }
        }
    }
    Ok(json!({ "connectionId": id, "macSecKeys": [shown_key(&key, "disassociated")] }))
}

/// The id of what was changed.
pub(super) fn update(world: &mut World, ask: &Ask, name: &str) -> Result<String, Refusal> {
    let id = ask.need(name)?.to_owned();
    let mode = ask.need("encryptionMode")?;
    if !MODES.contains(&mode) {
        return Err(refused(format!("Encryption mode {mode} is not valid.")));
    }
    secured(world, &id)?;
    for port in ports(world, &id)? {
        if let Some(secured) = world.lines.line_mut(&port).and_then(|line| line.secured.as_mut()) {
            secured.mode = mode.to_owned();
        }
    }
    Ok(id)
}

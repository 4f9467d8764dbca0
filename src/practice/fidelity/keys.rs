//! Key pairs: public keys that were imported.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::refusal::Refusal;
use super::tags;
use super::world::{KeyPair, World, stamp};
use super::xml::Xml;
use crate::text::fingerprint::{md5, with_colons};

const MOST_KEYS: usize = 5000;

pub(super) async fn import(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let name = call.ask.need("KeyName")?.to_string();
    let material = call.ask.need("PublicKeyMaterial")?;
    let tags = tags::of(call.ask, Kind::KeyPair)?;
    let public = parse(material)?;
    if call.world.keys.values().any(|key| key.name == name) {
        return Err(Refusal::new("InvalidKeyPair.Duplicate", "The keypair already exists"));
    }
    if call.world.keys.len() >= MOST_KEYS {
        return Err(Refusal::new("KeyPairLimitExceeded", "The maximum number of key pairs has been reached."));
    }
    let (algorithm, fingerprint) = fingerprint(&public)?;
    let text = public.to_openssh().map_err(|_| bad_format())?;
    let blob = text.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let id = call.pass_for("keyPairId", &[]).await?;
    call.world.born(&id, tags);
    let created = call.world.now;
    let key = KeyPair { name, algorithm, fingerprint, public: blob, created };
    let head = Xml::new().text("keyName", &key.name).text("keyFingerprint", &key.fingerprint).text("keyPairId", &id);
    call.world.keys.insert(id.clone(), key);
    Ok(head.set("tagSet", call.world.tag_set(&id)))
}

fn bad_format() -> Refusal {
    Refusal::new("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
}

/// ED25519, and RSA of 1024, 2048 and 4096 bits (docs of ImportKeyPair).
fn parse(material: &str) -> Result<PublicKey, Refusal> {
    let bytes = BASE64.decode(material.trim()).map_err(|_| bad_format())?;
    let line = String::from_utf8(bytes).map_err(|_| bad_format())?;
    let key = PublicKey::from_openssh(line.trim()).map_err(|_| bad_format())?;
    match (key.algorithm(), key.key_data().rsa().map(|rsa| rsa.key_size())) {
        (Algorithm::Ed25519, _) | (_, Some(1024 | 2048 | 4096)) => Ok(key),
        (_, Some(bits)) => {
            let message = format!("RSA keys must be of 1024, 2048 or 4096 bits, not {bits}");
            Err(Refusal::new("InvalidKeyPair.Format", message))
        }
        _ => Err(bad_format()),
    }
}

/// AWS's kinds of fingerprint: for ED25519 the SHA-256 that OpenSSH shows, for imported RSA the MD5 of RFC 4716
/// (docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html).
fn fingerprint(key: &PublicKey) -> Result<(String, String), Refusal> {
    if key.algorithm() == Algorithm::Ed25519 {
        let text = key.fingerprint(HashAlg::Sha256).to_string();
        return Ok(("ed25519".into(), text.trim_start_matches("SHA256:").to_string()));
    }
    let blob = key.to_bytes().map_err(|_| bad_format())?;
    Ok(("rsa".into(), with_colons(&md5(&blob))))
}

fn item(world: &World, id: &str, with_public: bool) -> Xml {
    let Some(key) = world.keys.get(id) else { return Xml::new() };
    let head = Xml::new().text("keyPairId", id).text("keyName", &key.name).text("keyFingerprint", &key.fingerprint);
    let head =
        head.text("keyType", &key.algorithm).text("createTime", stamp(key.created)).set("tagSet", world.tag_set(id));
    // AWS gives the key back with the pair's name where the comment was.
    head.maybe("publicKey", with_public.then(|| format!("{} {}", key.public, key.name)))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let mut ids = call.wanted("KeyPairId", Kind::KeyPair, &world.keys)?;
    let names = call.ask.list("KeyName");
    for name in &names {
        if !ids.iter().any(|id| world.keys[id].name == *name) {
            return Err(Kind::KeyPair.not_found(name));
        }
    }
    ids.retain(|id| names.is_empty() || names.contains(&world.keys[id].name.as_str()));
    let with_public = call.ask.yes("IncludePublicKey");
    let items = ids.iter().map(|id| item(world, id, with_public));
    let filters = &[("key-pair-id", "keyPairId"), ("key-name", "keyName"), ("fingerprint", "keyFingerprint")];
    describe(call.ask, "keySet", items.collect(), filters)
}

/// Deleting a key pair that is not there is no error.
pub(super) async fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (name, asked) = (call.ask.get("KeyName"), call.ask.get("KeyPairId"));
    if name.is_none() && asked.is_none() {
        return Err(Refusal::missing("KeyName"));
    }
    let is = |id: &str, key: &KeyPair| Some(id) == asked || Some(key.name.as_str()) == name;
    let found = call.world.keys.iter().find(|(id, key)| is(id, key)).map(|(id, _)| id.clone());
    call.pass().await?;
    if let Some(id) = &found {
        call.world.keys.remove(id);
        call.world.forget(id);
    }
    Ok(Xml::new().text("return", true).maybe("keyPairId", found))
}

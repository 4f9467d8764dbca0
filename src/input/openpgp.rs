//! An OpenPGP public key that something can be encrypted with.

use jiff::Timestamp;
use pgp::composed::{PublicOrSecret, SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, Tag};

use super::Value;
use super::refusal::Refusal;

const ARMOUR: &str = "RFC 9580 section 6.2";
const CERTIFICATE: &str = "RFC 9580 section 10.1";
const FLAGS: &str = "RFC 9580 section 5.2.3.29";
const EXPIRY: &str = "RFC 9580 section 5.2.3.13";
const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// One OpenPGP public key in ASCII armour (RFC 9580 section 6.2) whose owner bound a key for encryption to it, was not
/// withdrawn, and has not ended `now`, where that is known. That it is the right one, its owner says on the telephone.
pub(super) fn public_key(text: &str, now: Option<Timestamp>) -> Result<Value, Refusal> {
    let refuse = |what: &str, why: &str| Err(Refusal::new(what, why, ARMOUR));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let (Some(begin), Some(end)) =
        (lines.iter().position(|line| *line == BEGIN), lines.iter().position(|line| *line == END))
    else {
        return refuse("there is no public key in it", &format!("it must begin with {BEGIN} and ends with {END}"));
    };
    let others = lines.iter().filter(|line| line.starts_with("-----BEGIN")).count();
    if end < begin || others > 1 {
        return refuse("there is more than one block in it", "one public key is wanted");
    }
    let block = lines[begin..=end].join("\n");
    let Ok((keys, _)) = PublicOrSecret::from_armor_many(block.as_bytes()) else {
        return refuse("the key is damaged", "what stands between its first and last line cannot be read");
    };
    let mut keys: Vec<_> = keys.collect();
    match (keys.pop(), keys.is_empty()) {
        (Some(Ok(PublicOrSecret::Public(key))), true) => {
            serves(&key, now)?;
            Ok(Value::Text(block))
        }
        (Some(Ok(PublicOrSecret::Secret(_))), true) => {
            refuse("this is a private key", "it stays with its owner; the public one is wanted (gpg --armor --export)")
        }
        (None, _) => {
            refuse("the key is damaged, or of a kind that is not known", "nothing inside can be read as a public key")
        }
        (Some(Ok(_)), _) => refuse("there is more than one key in it", "one public key is wanted"),
        (Some(Err(_)), _) => refuse("the key is damaged", "part of it may be missing, or lines may have been changed"),
    }
}

/// Can something be encrypted for its owner?
fn serves(key: &SignedPublicKey, now: Option<Timestamp>) -> Result<(), Refusal> {
    if key.details.revocation_signatures.iter().any(|one| one.verify_key(&key.primary_key).is_ok()) {
        let why = "its owner has withdrawn it, and has another one or should make one";
        return Err(Refusal::new("the key was revoked", why, "RFC 9580 section 5.2.1.11"));
    }
    let Some(own) = newest(own_words(key)) else {
        let why =
            "nothing of what it says of itself was signed by it; a part may be missing, or lines may have been changed";
        return Err(Refusal::new("the key is damaged", why, CERTIFICATE));
    };
    let ends = ending(key.created_at().as_secs(), own);
    refuse_if_ended("the key", ends, now)?;
    let encrypts = |flags_of: &Signature, can: bool| {
        let flags = flags_of.key_flags();
        let says = flags.encrypt_comms() || flags.encrypt_storage();
        // Keys from before there were flags say nothing of what they are for.
        let silent = !says && !flags.sign() && !flags.certify() && !flags.authentication();
        can && (says || silent)
    };
    if encrypts(own, key.algorithm().can_encrypt()) {
        return Ok(());
    }
    let bound = key.public_subkeys.iter().filter_map(|subkey| Some((subkey, binding(key, subkey)?)));
    let for_encryption: Vec<_> =
        bound.filter(|(subkey, bound)| encrypts(bound, subkey.key.algorithm().can_encrypt())).collect();
    let ends = for_encryption.iter().map(|(subkey, bound)| ending(subkey.key.created_at().as_secs(), bound));
    // One without an end holds longest.
    match ends.reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other))) {
        None => {
            let why =
                "it can only sign; its owner adds a key for encryption to it (gpg --quick-add-key), and gives it again";
            Err(Refusal::new("nothing can be encrypted with this key", why, FLAGS))
        }
        Some(latest) => refuse_if_ended("its key for encryption", latest, now),
    }
}

/// What the key says of itself and has signed: of the whole, and of its names.
fn own_words(key: &SignedPublicKey) -> impl Iterator<Item = &Signature> {
    let whole = key.details.direct_signatures.iter().filter(|one| one.verify_key(&key.primary_key).is_ok());
    let names = key.details.users.iter().flat_map(move |user| {
        let of_name = |one: &&Signature| {
            one.is_certification() && one.verify_certification(&key.primary_key, Tag::UserId, &user.id).is_ok()
        };
        user.signatures.iter().filter(of_name)
    });
    whole.chain(names)
}

/// The newest signature by which the key took this one as its own; nothing where it has given it up.
fn binding<'k>(key: &SignedPublicKey, subkey: &'k SignedPublicSubKey) -> Option<&'k Signature> {
    let by_key = |one: &&Signature| one.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok();
    let (given_up, taken): (Vec<_>, Vec<_>) =
        subkey.signatures.iter().filter(by_key).partition(|one| one.typ() == Some(SignatureType::SubkeyRevocation));
    given_up.is_empty().then(|| newest(taken.into_iter())).flatten()
}

fn newest<'k>(signatures: impl Iterator<Item = &'k Signature>) -> Option<&'k Signature> {
    signatures.max_by_key(|one| one.created().map(|at| at.as_secs()))
}

/// When a key ends, in seconds since 1970; nothing where it does not. An end of zero means none.
fn ending(made: u32, own: &Signature) -> Option<i64> {
    let lasts = own.key_expiration_time().map(|lasts| lasts.as_secs()).filter(|lasts| *lasts > 0)?;
    Some(i64::from(made) + i64::from(lasts))
}

fn refuse_if_ended(what: &str, ends: Option<i64>, now: Option<Timestamp>) -> Result<(), Refusal> {
    let (Some(ends), Some(now)) = (ends, now) else { return Ok(()) };
    if ends > now.as_second() {
        return Ok(());
    }
    let day = Timestamp::from_second(ends).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    let why = "its owner prolongs it (gpg --quick-set-expire), and gives it again";
    Err(Refusal::new(format!("{what} ended on {day}"), why, EXPIRY))
}

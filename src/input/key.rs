//! SSH keys: the public half, the place of the private half, and fingerprints of hosts.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::Value;
use super::refusal::{Refusal, quoted};

const FORMAT: &str = "RFC 4253 section 6.6";
const STRENGTH: &str = "NIST SP 800-57 part 1, table 2";
const IMPORT: &str = "docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-key-pairs.html";

/// 3072 bits are as strong as 128-bit symmetric keys; fewer are not. Above 16384 sshd refuses.
const RSA_BITS: std::ops::RangeInclusive<usize> = 3072..=16_384;

/// A public key on one line, `type base64`, as EC2 imports it. The comment is dropped: it often names a person.
pub(super) fn public_key(text: &str) -> Result<Value, Refusal> {
    // The key is not repeated: whoever pasted a wrong thing here may not want to read it on a shared screen.
    let refuse = |what: &str, why: &str, source| Err(Refusal::new(what, why, source));
    if text.trim().lines().count() > 1 {
        let why = "a public key is one line; the copy may have been wrapped, or be in the format of another program";
        return refuse("the key has more than one line", why, FORMAT);
    }
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    match kind {
        "ssh-ed25519" | "ssh-rsa" => {}
        "ssh-dss" => {
            return refuse(
                "this is a DSA key",
                "OpenSSH does not accept DSA any more; make an Ed25519 key",
                "OpenSSH 10.0 release notes",
            );
        }
        _ if kind.starts_with("ecdsa-") => {
            return refuse("this is an ECDSA key", "EC2 imports Ed25519 and RSA keys only", IMPORT);
        }
        _ if kind.starts_with("sk-") => {
            return refuse("this key lives in a security token", "EC2 imports plain Ed25519 and RSA keys only", IMPORT);
        }
        _ => {
            return refuse(
                "this is no OpenSSH public key",
                "it must begin with ssh-ed25519 or ssh-rsa, and is the content of a .pub file",
                FORMAT,
            );
        }
    }
    let broken = |why: &str| Refusal::new(format!("the {kind} key is damaged"), why, FORMAT);
    let encoded = words.next().unwrap_or_default();
    let blob =
        STANDARD.decode(encoded).map_err(|_| broken("its second word is not base64; part of it may be missing"))?;
    let mut reader = Reader(&blob);
    if reader.field() != Some(kind.as_bytes()) {
        return Err(broken("what is inside does not agree with the first word"));
    }
    if kind == "ssh-ed25519" {
        ed25519(&mut reader).ok_or_else(|| broken("an Ed25519 key has 32 bytes"))?;
    } else {
        let bits = rsa_bits(&mut reader).ok_or_else(|| broken("an RSA key is an exponent and a modulus"))?;
        if !RSA_BITS.contains(&bits) {
            let why = "3072 bits are the least that is still strong enough; an Ed25519 key is shorter and better";
            return refuse(&format!("this RSA key has {bits} bits"), why, STRENGTH);
        }
    }
    Ok(Value::Text(format!("{kind} {}", STANDARD.encode(&blob))))
}

/// The rest of an Ed25519 blob (RFC 8709 section 4): 32 bytes and nothing more.
fn ed25519(reader: &mut Reader<'_>) -> Option<()> {
    (reader.field()?.len() == 32 && reader.0.is_empty()).then_some(())
}

/// How long the modulus of an RSA blob is (RFC 4253 section 6.6: exponent, then modulus, then nothing).
fn rsa_bits(reader: &mut Reader<'_>) -> Option<usize> {
    let exponent = reader.field()?;
    let modulus = reader.field()?;
    // RFC 4251 section 5: a positive number whose first bit is set has a zero byte before it.
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let top = modulus.first().filter(|top| **top != 0)?;
    let odd = exponent.last().is_some_and(|last| last % 2 == 1) && modulus.last().is_some_and(|last| last % 2 == 1);
    (odd && reader.0.is_empty()).then(|| modulus.len() * 8 - top.leading_zeros() as usize)
}

/// Reads the length-prefixed fields of RFC 4251 section 5.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn field(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        self.0 = rest;
        Some(field)
    }
}

/// Where the private key is: the agent, or a file. The file itself is looked at when it is used.
pub(super) fn key_ref(text: &str) -> Result<String, Refusal> {
    if text.eq_ignore_ascii_case("agent") {
        return Ok("agent".to_owned());
    }
    let refuse = |what: String, why: &str| Err(Refusal::new(what, why, "ssh_config(5), IdentityFile"));
    if text.starts_with("ssh-") || text.contains("-----") || text.len() > 1024 || text.contains(char::is_control) {
        return refuse("this is not the path of a key".to_owned(), "give the path of the private key's file, or agent");
    }
    if text.ends_with(".pub") {
        let private = text.trim_end_matches(".pub");
        return refuse(format!("{} is the public half", quoted(text)), "the private key is in the file without .pub")
            .map_err(|refusal| refusal.suggest(private));
    }
    if !text.starts_with('/') && !text.starts_with("~/") {
        let what = format!("{} depends on the folder that onramp is started in", quoted(text));
        return refuse(what, "a path begins with / or ~/");
    }
    Ok(text.to_owned())
}

/// `SHA256:` and 43 characters, which are 32 bytes in base64 without padding. A whole line of `ssh-keygen -l` will do.
pub(super) fn fingerprint(text: &str) -> Result<String, Refusal> {
    let refuse = |why: &str| {
        Err(Refusal::new(format!("{} is no SHA-256 fingerprint", quoted(text)), why, "ssh-keygen(1), -l and -E"))
    };
    let mut words = text.split_whitespace().filter(|word| word.starts_with("SHA256:"));
    let (Some(word), None) = (words.next(), words.next()) else {
        return match text.to_lowercase().split(':').count() {
            16 | 17 => refuse("this one is MD5, which can be forged; ask for the one of ssh-keygen -l -E sha256"),
            _ => refuse("it is SHA256: and 43 characters"),
        };
    };
    match STANDARD_NO_PAD.decode(word.trim_start_matches("SHA256:")) {
        Ok(bytes) if bytes.len() == 32 => Ok(word.to_owned()),
        _ => refuse("behind SHA256: stand exactly 43 letters, digits, + and /; part of it may be missing"),
    }
}

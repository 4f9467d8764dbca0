//! Secrets: where one lives, and the rules for its text. The text is never a value, and no refusal repeats it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::InputId;
use super::kind::Bounds;
use super::refusal::Refusal;

const SUDO: &str = "sudo password of ";

/// Where a secret lives. Printed, it is what a person writes: `keyring:SERVICE/NAME`, `age:FILE#NAME`,
/// `aws-secret:NAME-or-ARN#KEY`, `prompt`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum SecretRef {
    /// In the keyring of this machine's user.
    Keyring { service: String, name: String },
    /// In a map sealed with age. A file without a folder lies beside the state file.
    Age { file: String, name: String },
    /// In AWS Secrets Manager; with a key, one entry of a secret that is a JSON object.
    Aws { secret: String, key: Option<String> },
    /// Nowhere: a person is asked each time. What for tells two of them apart; an answer need not say it.
    Prompt { what_for: String },
    /// What opens a sealed file. Nobody gives this as an answer; onramp asks for it.
    Passphrase { file: String },
}

impl SecretRef {
    /// What sudo asks this user for on this host; kept nowhere.
    #[must_use]
    pub fn for_sudo(user: &str, host: &str) -> SecretRef {
        SecretRef::Prompt { what_for: format!("{SUDO}{user}@{host}") }
    }

    /// Is it what sudo asks for?
    pub fn is_for_sudo(&self) -> bool {
        matches!(self, SecretRef::Prompt { what_for } if what_for.starts_with(SUDO))
    }

    /// For the input that it answers: a prompt takes the input's name.
    #[must_use]
    pub fn of(&self, input: &InputId) -> SecretRef {
        match self {
            Self::Prompt { what_for } if what_for.is_empty() => Self::Prompt { what_for: input.to_string() },
            other => other.clone(),
        }
    }

    /// As a person reads it in a sentence: `smtp.password in the file secrets.age`.
    pub fn said(&self) -> String {
        match self {
            Self::Keyring { service, name } => format!("{name} of {service} in the keyring"),
            Self::Age { file, name } => format!("{name} in the file {file}"),
            Self::Aws { secret, key: Some(key) } => format!("{key} of {secret} in AWS Secrets Manager"),
            Self::Aws { secret, key: None } => format!("{secret} in AWS Secrets Manager"),
            Self::Prompt { what_for } if what_for.is_empty() => "asked for when it is needed".to_owned(),
            Self::Prompt { what_for } => what_for.clone(),
            Self::Passphrase { file } => format!("the passphrase of {file}"),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring { service, name } => write!(f, "keyring:{service}/{name}"),
            Self::Age { file, name } => write!(f, "age:{file}#{name}"),
            Self::Aws { secret, key: Some(key) } => write!(f, "aws-secret:{secret}#{key}"),
            Self::Aws { secret, key: None } => write!(f, "aws-secret:{secret}"),
            Self::Prompt { what_for } if what_for.is_empty() => f.write_str("prompt"),
            Self::Prompt { what_for } => write!(f, "prompt:{what_for}"),
            Self::Passphrase { file } => write!(f, "passphrase:{file}"),
        }
    }
}

/// A text that is no reference. It is not repeated: it may be the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this says of no secret where it lives")]
pub struct NoReference;

impl FromStr for SecretRef {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Self, NoReference> {
        if text.contains(char::is_control) || text.len() > 2048 || text.contains('\u{2039}') {
            return Err(NoReference);
        }
        let (store, place) = text.split_once(':').unwrap_or((text, ""));
        let both = |split: Option<(&str, &str)>| {
            let (a, b) = split.ok_or(NoReference)?;
            if a.is_empty() || b.is_empty() { Err(NoReference) } else { Ok((a.to_owned(), b.to_owned())) }
        };
        match store {
            "keyring" => both(place.split_once('/')).map(|(service, name)| Self::Keyring { service, name }),
            "age" => both(place.rsplit_once('#')).map(|(file, name)| Self::Age { file, name }),
            "aws-secret" if place.contains('#') => {
                both(place.rsplit_once('#')).map(|(secret, key)| Self::Aws { secret, key: Some(key) })
            }
            "aws-secret" if !place.is_empty() => Ok(Self::Aws { secret: place.to_owned(), key: None }),
            "prompt" => Ok(Self::Prompt { what_for: place.to_owned() }),
            "passphrase" if !place.is_empty() => Ok(Self::Passphrase { file: place.to_owned() }),
            _ => Err(NoReference),
        }
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> String {
        reference.to_string()
    }
}

impl TryFrom<String> for SecretRef {
    type Error = NoReference;

    fn try_from(text: String) -> Result<Self, NoReference> {
        text.parse()
    }
}

/// An answer to an input that is a secret: where it lives, and never what it is.
pub(super) fn reference(text: &str) -> Result<SecretRef, Refusal> {
    match text.parse() {
        Ok(SecretRef::Passphrase { .. }) | Err(NoReference) => {
            let what = "this input is a secret, and what was given does not say where it lives";
            let why = "its text is typed into the form, or read by `onramp secret NAME set ID`, and never stands in a \
                       command, which the shell's history and the list of processes show, nor in a file of answers; here stands \
                       keyring:SERVICE/NAME, age:FILE#NAME, aws-secret:NAME or prompt";
            Err(Refusal::new(what, why, "onramp"))
        }
        Ok(reference) => Ok(reference),
    }
}

/// Where a person wants a secret to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretStore {
    /// A file sealed with age, beside the state file.
    Age,
    /// The keyring of this machine's user.
    Keyring,
    /// AWS Secrets Manager, in the engagement's account.
    SecretsManager,
    /// Nowhere; asked for each time.
    Prompt,
}

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretUse {
    /// The pre-shared key of a VPN tunnel.
    Psk,
    /// Any password of one line.
    Password,
}

/// The rules for the text of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretRule {
    pub used_as: SecretUse,
    /// In characters.
    pub length: Bounds,
}

const PSK: &str = "docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html, pre-shared key";

impl SecretRule {
    /// The rules of a pre-shared key.
    pub const PSK: SecretRule = SecretRule { used_as: SecretUse::Psk, length: Bounds { min: 8, max: 64 } };

    /// The rules that a runbook names. The error is a sentence for whoever writes it.
    pub(super) fn named(used_as: Option<&str>, length: Bounds) -> Result<Self, String> {
        match used_as {
            None | Some("password") => Ok(SecretRule { used_as: SecretUse::Password, length }),
            Some("psk") => {
                let narrowed = Bounds { min: length.min.max(8), max: length.max.min(64) };
                Ok(SecretRule { used_as: SecretUse::Psk, length: narrowed })
            }
            Some(other) => Err(format!("a secret is used as psk or password, not as {other}")),
        }
    }

    /// Is `text` a secret by these rules?
    ///
    /// # Errors
    /// What is wrong with it, without repeating any of it.
    pub fn check(&self, text: &str) -> Result<(), Refusal> {
        let refuse = |what: &str, why: String, source: &'static str| Err(Refusal::new(what, why, source));
        if text.contains(char::is_control) {
            let why = "a secret is one line of text; the copy may have brought a line end or a tab with it";
            return refuse("there is a control character in it", why.to_owned(), "onramp");
        }
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        let source = if self.used_as == SecretUse::Psk { PSK } else { "onramp" };
        if !self.length.hold(length) {
            return refuse(&format!("it has {length} characters"), format!("it must have {}", self.length), source);
        }
        if self.used_as == SecretUse::Psk {
            if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_') {
                return refuse(
                    "there is a character in it that AWS refuses",
                    "a pre-shared key has letters, digits, . and _ only".to_owned(),
                    PSK,
                );
            }
            if text.starts_with('0') {
                return refuse("it begins with 0", "AWS takes no pre-shared key that begins with 0".to_owned(), PSK);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        for text in [
            "keyring:onramp-acme/smtp.password",
            "age:secrets.age#smtp.password",
            "age:/mnt/a#b/secrets.age#vpn.t1_psk",
            "aws-secret:onramp/acme/psk",
            "aws-secret:arn:aws:secretsmanager:eu-west-1:111122223333:secret:acme-AbCdEf#psk",
            "prompt",
            "prompt:smtp.password",
            "passphrase:secrets.age",
        ] {
            let reference: SecretRef = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
            assert_eq!(serde_json::to_string(&reference).unwrap(), format!("\"{text}\""));
        }
        for text in ["hunter2", "", "keyring:x", "keyring:/x", "age:secrets.age", "aws-secret:", "age:#x", "Prompt"] {
            assert_eq!(text.parse::<SecretRef>(), Err(NoReference), "{text}");
        }
    }

    #[test]
    fn a_refusal_never_repeats_the_secret() {
        for text in ["hunter2-secret", "aws-secret:", "passphrase:hunter2-secret"] {
            let said = reference(text).unwrap_err().to_string();
            assert!(!said.contains("hunter2") && said.contains("onramp secret"), "{said}");
        }
        for text in ["short7!", "0startswithzero", "has+plus-hunter2", "tab\thunter2"] {
            let said = SecretRule::PSK.check(text).unwrap_err().to_string();
            assert!(!said.contains("hunter2") && !said.contains(text), "{said}");
        }
    }

    #[test]
    fn a_pre_shared_key_is_what_aws_takes() {
        let good = ["abcdefgh", "A1._xyzQ", "._._._._", &"x".repeat(64)];
        good.iter().for_each(|text| assert_eq!(SecretRule::PSK.check(text), Ok(())));
        let bad = ["abcdefg", &"x".repeat(65), "0bcdefgh", "abcdefg-", "abcdefgü", "abcd efgh", ""];
        bad.iter().for_each(|text| assert!(SecretRule::PSK.check(text).is_err(), "{text}"));
    }

    #[test]
    fn a_password_is_one_line_of_the_wanted_length() {
        let rule = SecretRule::named(Some("password"), Bounds { min: 12, max: 30 }).unwrap();
        assert!(rule.check("Tr0ub4dor &3 ü").is_ok());
        assert!(rule.check("too short").is_err());
        assert!(rule.check("two lines\nof text").is_err());
        assert!(SecretRule::named(Some("pks"), Bounds { min: 1, max: 2 }).unwrap_err().contains("psk"));
    }
}

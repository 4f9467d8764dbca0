//! Secrets: where one lives, and the rules for its text. The text is never a value, and no refusal repeats it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::kind::Bounds;
use super::refusal::Refusal;
use super::{InputId, Value};
use crate::text::either;

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

/// What a secret is for; which characters it may have follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretUse {
    /// Any password of one line.
    Password,
    /// The pre-shared key of a VPN tunnel.
    Psk,
    /// The MD5 key of a BGP session.
    Bgp,
    /// A symmetric key of NTP: its number, its type and its text.
    Ntp,
    /// The password of a database's master user.
    Database,
    /// The same where the engine is Oracle.
    OracleDatabase,
    /// The password of a Java keystore.
    Keystore,
    /// The password of an administrator of a product.
    Console,
    /// A symmetric key of 256 bits.
    Key256,
    /// What a machine shows once to be entitled: an activation key, a token.
    Token,
    /// What `pro attach` takes.
    UbuntuPro,
    /// A private key in PEM.
    PrivateKey,
}

/// What each use is called in a runbook, and the lengths where the runbook gives none.
const USES: [(&str, SecretUse, i64, i64); 11] = [
    ("password", SecretUse::Password, 1, 256),
    ("psk", SecretUse::Psk, 8, 64),
    ("bgp", SecretUse::Bgp, 6, 80),
    ("ntp", SecretUse::Ntp, 10, 200),
    ("database", SecretUse::Database, 8, 30),
    ("keystore", SecretUse::Keystore, 12, 64),
    ("console", SecretUse::Console, 12, 30),
    ("key256", SecretUse::Key256, 64, 64),
    ("token", SecretUse::Token, 1, 255),
    ("ubuntu-pro", SecretUse::UbuntuPro, 21, 61),
    ("private-key", SecretUse::PrivateKey, 100, 16_384),
];

/// In characters, by the engine (RDS API, CreateDBInstance, `MasterUserPassword`); none may have fewer than eight.
const LONGEST_MASTER_PASSWORD: [(&str, i64); 5] =
    [("mysql", 41), ("mariadb", 41), ("postgres", 128), ("sqlserver-se", 128), ("oracle-se2", 30)];

/// The rules for the text of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretRule {
    pub used_as: SecretUse,
    /// In characters.
    pub length: Bounds,
}

impl SecretUse {
    /// Where the rules of its text come from.
    fn source(self) -> &'static str {
        match self {
            SecretUse::Password | SecretUse::Token => "onramp",
            SecretUse::UbuntuPro => "documentation.ubuntu.com/pro/start-here",
            SecretUse::Psk => "docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html, pre-shared key",
            SecretUse::Bgp => {
                "docs.aws.amazon.com/directconnect/latest/APIReference/API_NewPrivateVirtualInterface.html, authKey"
            }
            SecretUse::Ntp => "chrony.conf(5), keyfile",
            SecretUse::Database | SecretUse::OracleDatabase => {
                "docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html, MasterUserPassword"
            }
            SecretUse::Keystore => "keytool(1); TOML, shell and Java take these characters as they are",
            SecretUse::Console => "the product's files in XML and its JNDI URLs",
            SecretUse::Key256 => "FIPS 197, keys of 256 bits",
            SecretUse::PrivateKey => "RFC 7468 section 10 and 11",
        }
    }

    /// Why the text cannot be used so: what is wrong, and the rule. Neither repeats any of it.
    fn fault(self, text: &str) -> Option<(&'static str, &'static str)> {
        let ascii = |c: char| c.is_ascii_graphic();
        let all = |good: &dyn Fn(char) -> bool| text.chars().all(good);
        let word = |c: char| c.is_ascii_alphanumeric();
        let (good, what, why) = match self {
            SecretUse::Password => return None,
            SecretUse::Psk if text.starts_with('0') => {
                (false, "it begins with 0", "AWS takes no pre-shared key that begins with 0")
            }
            SecretUse::Psk => (
                all(&|c| word(c) || c == '.' || c == '_'),
                "there is a character in it that AWS refuses",
                "a pre-shared key has letters, digits, . and _ only",
            ),
            SecretUse::Bgp => (
                all(&|c| ascii(c) && c != '"' && c != '\''),
                "there is a character in it that routers read in their own ways",
                "a BGP key has printable ASCII characters without blanks and quotes",
            ),
            SecretUse::Database => (
                all(&|c| ascii(c) && !"/\"@".contains(c)),
                "there is a character in it that RDS refuses",
                "it has printable ASCII characters without blanks, /, \" and @",
            ),
            SecretUse::OracleDatabase => (
                all(&|c| ascii(c) && !"/\"@&'".contains(c)),
                "there is a character in it that RDS refuses",
                "for Oracle it has printable ASCII characters without blanks, /, \", @, & and '",
            ),
            SecretUse::Keystore => (
                all(&|c| word(c) || "._-".contains(c)),
                "there is a character in it that a configuration file would change",
                "it has letters, digits and . _ - only",
            ),
            SecretUse::Console => (
                all(&|c| ascii(c) && !"@{}%&<>\"'".contains(c)),
                "there is a character in it that breaks the product's files",
                "it has printable ASCII characters without blanks and @ { } % & < > \" '",
            ),
            SecretUse::Key256 => (
                text.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "there is something in it that is no hexadecimal digit",
                "a key of 256 bits has 64 hexadecimal digits",
            ),
            SecretUse::Token => (
                all(&|c| word(c) || c == '_' || c == '-'),
                "there is a character in it that no such key has",
                "it has letters, digits, _ and - only",
            ),
            SecretUse::UbuntuPro => (
                text.starts_with('C') && all(&word),
                "it is no token of Ubuntu Pro",
                "it begins with C, and has letters and digits only",
            ),
            SecretUse::Ntp => (
                ntp(text),
                "it is no key of NTP",
                "it is a number from 1 to 65534, SHA1, SHA256 or AES128, and HEX: with its digits",
            ),
            SecretUse::PrivateKey => (
                private_key(text),
                "it is no private key that the load balancer could use",
                "it is one block in PEM that begins with -----BEGIN PRIVATE KEY----- and has no passphrase",
            ),
        };
        (!good).then_some((what, why))
    }
}

/// A line of chrony's key file (chrony.conf(5), keyfile): `10 SHA256 HEX:…`; RFC 5905 section 7.3 keeps the numbers 0 and
/// 65535.
fn ntp(text: &str) -> bool {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [number, kind, key] = parts[..] else { return false };
    let digits = key.strip_prefix("HEX:").unwrap_or_default();
    number.parse::<u32>().is_ok_and(|number| (1..=65_534).contains(&number))
        && ["SHA1", "SHA256", "SHA384", "SHA512", "AES128", "AES256"].contains(&kind)
        && digits.len() >= 16
        && digits.len().is_multiple_of(2)
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// One block of PKCS#8 without a passphrase.
fn private_key(text: &str) -> bool {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    let [first, body @ .., last] = &lines[..] else { return false };
    *first == "-----BEGIN PRIVATE KEY-----"
        && *last == "-----END PRIVATE KEY-----"
        && STANDARD.decode(body.concat()).is_ok_and(|der| der.len() > 40)
}

impl SecretRule {
    /// The rules of a pre-shared key.
    pub const PSK: SecretRule = SecretRule { used_as: SecretUse::Psk, length: Bounds { min: 8, max: 64 } };
    pub const BGP: SecretRule = SecretRule { used_as: SecretUse::Bgp, length: Bounds { min: 6, max: 80 } };
    /// As an input of that use has it: whatever a mail server or a proxy takes.
    pub const PASSWORD: SecretRule = SecretRule { used_as: SecretUse::Password, length: Bounds { min: 1, max: 256 } };
    pub const KEY256: SecretRule = SecretRule { used_as: SecretUse::Key256, length: Bounds { min: 64, max: 64 } };

    /// The rules that a runbook names; lengths that it gives narrow those of the use. The error is a sentence for whoever
    /// writes the runbook.
    pub(super) fn named(used_as: Option<&str>, min: Option<i64>, max: Option<i64>) -> Result<Self, String> {
        let wanted = used_as.unwrap_or("password");
        let Some((_, used_as, least, most)) = USES.into_iter().find(|(name, ..)| *name == wanted) else {
            let known: Vec<&str> = USES.iter().map(|(name, ..)| *name).collect();
            return Err(format!("a secret is used as {}, not as {wanted}", either(&known)));
        };
        let length = match used_as {
            SecretUse::Password | SecretUse::Database => Bounds { min: min.unwrap_or(least), max: max.unwrap_or(most) },
            _ => Bounds { min: min.unwrap_or(least).max(least), max: max.unwrap_or(most).min(most) },
        };
        if length.min > length.max || length.min < 0 {
            return Err(format!("min {} and max {} of the kind secret leave nothing", length.min, length.max));
        }
        Ok(SecretRule { used_as, length })
    }

    /// The same rule beside the other answers: the password of a master user is no longer than the engine of `env.db_engine`
    /// takes it, and for Oracle it lacks two more characters. It is asked as the text is typed, for that is kept nowhere;
    /// where the engine is not answered yet, the rule stays as it is.
    #[must_use]
    pub fn beside(self, answers: &BTreeMap<InputId, Value>) -> SecretRule {
        let engine = answers.get("env.db_engine").and_then(Value::text);
        let known = LONGEST_MASTER_PASSWORD.iter().find(|(known, _)| Some(*known) == engine);
        let (SecretUse::Database, Some((engine, longest))) = (self.used_as, known) else { return self };
        let used_as = if *engine == "oracle-se2" { SecretUse::OracleDatabase } else { self.used_as };
        SecretRule { used_as, length: Bounds { max: self.length.max.min(*longest), ..self.length } }
    }

    /// How its text looks, and no text that could be taken for one; empty where any line will do.
    pub fn form(&self) -> &'static str {
        match self.used_as {
            SecretUse::Ntp => "10 SHA256 HEX:4f1c…",
            SecretUse::Key256 => "4f1c…",
            SecretUse::PrivateKey => "-----BEGIN PRIVATE KEY----- MIGH… -----END PRIVATE KEY-----",
            _ => "",
        }
    }

    /// Is `text` a secret by these rules?
    ///
    /// # Errors
    /// What is wrong with it, without repeating any of it.
    pub fn check(&self, text: &str) -> Result<(), Refusal> {
        let source = self.used_as.source();
        let refuse =
            |what: &str, why: String, source: &'static str| Err(Refusal::new(what, why, source).suggest(self.form()));
        let several_lines = self.used_as == SecretUse::PrivateKey;
        if text.contains(|c: char| c.is_control() && !(several_lines && (c == '\n' || c == '\r'))) {
            let why = "a secret is one line of text; the copy may have brought a line end or a tab with it";
            return refuse("there is a control character in it", why.to_owned(), "onramp");
        }
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if !self.length.hold(length) {
            return refuse(&format!("it has {length} characters"), format!("it must have {}", self.length), source);
        }
        match self.used_as.fault(text) {
            Some((what, why)) => refuse(what, why.to_owned(), source),
            None => Ok(()),
        }
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
        let rule = SecretRule::named(Some("password"), Some(12), Some(30)).unwrap();
        assert!(rule.check("Tr0ub4dor &3 ü").is_ok());
        assert!(rule.check("too short").is_err());
        assert!(rule.check("two lines\nof text").is_err());
        assert!(SecretRule::named(Some("pks"), None, None).unwrap_err().contains("psk"));
        assert!(SecretRule::named(Some("psk"), Some(70), None).unwrap_err().contains("leave nothing"));
    }

    #[test]
    fn each_use_has_its_characters() {
        let key =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", "MC4CAQAwBQYDK2VwBCIEIA".repeat(4));
        let hex = "0123456789abcdef".repeat(4);
        for (used_as, good, bad) in [
            ("bgp", "s3cr3t-md5", vec!["short", "with blank", "with\"quote"]),
            (
                "ntp",
                "10 SHA256 HEX:00112233445566778899",
                vec!["0 SHA256 HEX:0011223344556677", "1 MD5 HEX:0011223344556677", "1 SHA1 secretsecret"],
            ),
            ("database", "Tr0ub4dor#3", vec!["has/slash12", "has@at12345", "has\"quote1", "seven77"]),
            ("keystore", "wso2carbon-2026", vec!["wso2carbon", "wso2carbon 2026", "wso2carbon$2026"]),
            (
                "console",
                "Correct-Horse-7",
                vec!["Correct@Horse7", "Correct%Horse7", "Correct<Horse7", "Correct£Horse7"],
            ),
            (
                "key256",
                hex.as_str(),
                vec![&hex[1..], "x123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
            ),
            ("token", "C1aBcDeFgHiJ", vec!["with blank", "plus+plus"]),
            ("private-key", key.as_str(), vec!["-----BEGIN RSA PRIVATE KEY-----", "no key at all"]),
        ] {
            let rule = SecretRule::named(Some(used_as), None, None).unwrap();
            assert_eq!(rule.check(good), Ok(()), "{used_as}");
            for text in bad {
                let said = rule.check(text).expect_err(text);
                assert!(!said.to_string().contains(text) && !said.source.is_empty(), "{used_as}: {said}");
            }
        }
    }
}

//! Answers of many lines that are one thing: prose, certificates.

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::oid;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_PKCS1_MD5WITHRSAENC,
    OID_PKCS1_SHA1WITHRSA, OID_SIG_ED25519,
};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::Value;
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};
use crate::text::{clean, count};

const PEM: &str = "RFC 7468 section 5";
const X509: &str = "RFC 5280 section 4.2.1.9";
const VALIDITY: &str = "RFC 5280 section 4.1.2.5";
const ISSUED: &str = "CA/Browser Forum baseline requirements, section 6.1.5";

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProseUse {
    /// For people.
    Prose,
    /// Shown by getty and sshd before anybody logs in.
    Banner,
}

pub(super) const PROSE_USES: [(&str, ProseUse); 2] = [("prose", ProseUse::Prose), ("banner", ProseUse::Banner)];

/// Printable text of several lines; blanks at their ends are dropped.
///
/// A banner is ASCII and tells nothing about the system: agetty(8) replaces `\m`, `\r`, `\s` and `\v` by what machine and
/// what version it is, and CIS benchmarks (1.7, "warning banners") refuse them.
pub(super) fn prose(text: &str, length: Bounds, used_as: ProseUse) -> Result<Value, Refusal> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let kept = lines.join("\n").trim_matches('\n').to_owned();
    if clean(kept.as_bytes()) != kept || kept.contains('\t') {
        let why = "only printable characters and line ends are stored and shown again";
        return Err(Refusal::new("the text has characters that do not print", why, "onramp"));
    }
    let characters = kept.chars().count();
    if !i64::try_from(characters).is_ok_and(|characters| length.hold(characters)) {
        let what = format!("the text has {}", count(characters, "character"));
        return Err(Refusal::new(what, format!("the number of characters is {length}"), "onramp"));
    }
    if used_as == ProseUse::Banner {
        let refuse =
            |what: String, why: &str| Err(Refusal::new(what, why, "CIS benchmarks, warning banners; agetty(8)"));
        if let Some(foreign) = kept.chars().find(|c| !c.is_ascii()) {
            return refuse(
                format!("the banner has {}", quoted(&foreign.to_string())),
                "terminals show ASCII before the login",
            );
        }
        if let Some(escape) = ["\\m", "\\r", "\\s", "\\v"].into_iter().find(|escape| kept.contains(escape)) {
            return refuse(format!("the banner has {escape}"), "it would tell strangers what system this is");
        }
    }
    Ok(Value::Text(kept))
}

/// What certificates are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PemUse {
    /// Authorities that hosts are to trust.
    Authority,
    /// What a server shows: its own certificate first, then those that issued it.
    Chain,
}

pub(super) const PEM_USES: [(&str, PemUse); 2] = [("authority", PemUse::Authority), ("chain", PemUse::Chain)];

/// What a server shows must hold for more days than these: setting everything up takes some of them, and renewing it others.
const LEAST_DAYS: i64 = 30;
const DAY: i64 = 86_400;

/// One or more certificates in PEM, of which none has ended `now`, where that is known, or begins later (RFC 5280 section
/// 4.1.2.5). Those that a server shows have to hold for more than 30 days yet.
pub(super) fn pem(text: &str, used_as: PemUse, now: Option<Timestamp>) -> Result<Value, Refusal> {
    let refuse = |what: &str, why: &str, source| Err(Refusal::new(what, why, source));
    let mut blocks = Vec::new();
    for block in Pem::iter_from_buffer(text.as_bytes()) {
        match block {
            Ok(block) if block.label == "CERTIFICATE" => blocks.push(block),
            Ok(block) => {
                let what = format!("there is a {} in it", quoted(&block.label));
                return refuse(&what, "certificates are wanted, and nothing else", PEM);
            }
            Err(_) => {
                return refuse("a block is damaged", "a part may be missing, or lines may have been wrapped", PEM);
            }
        }
    }
    if blocks.is_empty() {
        let why = "it must begin with -----BEGIN CERTIFICATE-----; a file in DER is turned into PEM by openssl x509 -inform der";
        return refuse("there is no certificate in it", why, PEM);
    }
    let mut certificates = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        match X509Certificate::from_der(&block.contents) {
            Ok(([], certificate)) => certificates.push(certificate),
            _ => return refuse(&format!("certificate {} is damaged", index + 1), "it is no X.509 certificate", X509),
        }
    }
    match used_as {
        PemUse::Authority => certificates.iter().enumerate().try_for_each(|(index, one)| is_authority(index, one))?,
        PemUse::Chain => is_chain(&certificates)?,
    }
    if let Some(now) = now {
        certificates.iter().enumerate().try_for_each(|(index, one)| holds(index, one, used_as, now))?;
    }
    Ok(Value::Text(text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")))
}

fn holds(index: usize, certificate: &X509Certificate<'_>, used_as: PemUse, now: Timestamp) -> Result<(), Refusal> {
    let refuse = |what: &str, why: &str| {
        let what = format!("certificate {} ({}) {what}", index + 1, said(certificate));
        Err(Refusal::new(what, why, VALIDITY))
    };
    let day = |second| Timestamp::from_second(second).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
    let validity = certificate.validity();
    let (first, last) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if last < now.as_second() {
        let why = "whoever looks at it refuses it; give the one that was made after it";
        return refuse(&format!("ended on {}", day(last)), why);
    }
    if first > now.as_second() {
        let why = "whoever looks at it before that refuses it; give the one that holds now, or give it then";
        return refuse(&format!("begins on {} only", day(first)), why);
    }
    let left = (last - now.as_second()) / DAY;
    if used_as == PemUse::Chain && left <= LEAST_DAYS {
        let why = format!("more than {LEAST_DAYS} days have to be left; have it renewed, and give the new one");
        return refuse(
            &format!("ends on {}, in {}", day(last), count(usize::try_from(left).unwrap_or(0), "day")),
            &why,
        );
    }
    Ok(())
}

fn may_issue(certificate: &X509Certificate<'_>) -> bool {
    certificate.is_ca()
}

fn is_authority(index: usize, certificate: &X509Certificate<'_>) -> Result<(), Refusal> {
    if may_issue(certificate) {
        return Ok(());
    }
    let what = format!("certificate {} ({}) is that of no authority", index + 1, said(certificate));
    let why = "its basic constraints do not say CA:TRUE; give the one that issued the server's certificate";
    Err(Refusal::new(what, why, X509))
}

/// The server's own first, each issued by the next, and nothing weak (CA/Browser Forum baseline requirements 6.1.5, 7.1.3).
fn is_chain(certificates: &[X509Certificate<'_>]) -> Result<(), Refusal> {
    let refuse = |what: String, why: &str, source| Err(Refusal::new(what, why, source));
    if let Some(first) = certificates.first().filter(|first| may_issue(first)) {
        let what = format!("the first certificate ({}) is that of an authority", said(first));
        return refuse(what, "the server's own comes first, then those that issued it", "RFC 8446 section 4.4.2");
    }
    for pair in certificates.windows(2) {
        if let [one, next] = pair
            && one.issuer().as_raw() != next.subject().as_raw()
        {
            let what = format!("{} was not issued by {}", said(one), said(next));
            return refuse(what, "each certificate is followed by the one that issued it", "RFC 8446 section 4.4.2");
        }
    }
    for certificate in certificates {
        weak(certificate).map_or(Ok(()), |why| {
            refuse(format!("the certificate of {} is too weak", said(certificate)), why, ISSUED)
        })?;
    }
    Ok(())
}

fn weak(certificate: &X509Certificate<'_>) -> Option<&'static str> {
    let signed = &certificate.signature_algorithm.algorithm;
    // ecdsa-with-SHA1, RFC 3279 section 2.2.3.
    let ecdsa_sha1 = oid!(1.2.840.10045.4.1);
    if [OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_SHA1WITHRSA, ecdsa_sha1].contains(signed) {
        return Some("it is signed with MD5 or SHA-1; SHA-256 or better is wanted");
    }
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() < 2048 => Some("its RSA key is shorter than 2048 bits"),
        Ok(PublicKey::RSA(_)) => None,
        Ok(PublicKey::EC(_)) if key.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY => {
            let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
            let good = curve.is_some_and(|curve| [OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521].contains(&curve));
            (!good).then_some("its curve is none of P-256, P-384 and P-521")
        }
        _ if key.algorithm.algorithm == OID_SIG_ED25519 => Some("load balancers take RSA and ECDSA keys only"),
        _ => Some("its key is neither RSA nor ECDSA"),
    }
}

/// The DNS names that the first certificate of a chain holds for, in lower case.
pub(super) fn names(pem: &str) -> Vec<String> {
    let Some(Ok(block)) = Pem::iter_from_buffer(pem.as_bytes()).next() else { return Vec::new() };
    let Ok((_, certificate)) = X509Certificate::from_der(&block.contents) else { return Vec::new() };
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.iter().flat_map(|extension| &extension.value.general_names);
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_lowercase()),
        _ => None,
    };
    names.filter_map(dns).collect()
}

fn said(certificate: &X509Certificate<'_>) -> String {
    quoted(&certificate.subject().to_string())
}

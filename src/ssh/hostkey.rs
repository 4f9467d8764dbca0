//! Is this the host it claims to be? The only place that answers, for every hop, always.
//!
//! In this order: a revoked key is refused; a pinned fingerprint decides alone; then a host certificate of a known
//! authority, the keys of known_hosts, and the keys that a person accepted. A host of which nothing is known is
//! unknown; a host of which only other keys are known has changed.

use std::sync::Arc;

use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::error::{OfferedKey, PINNED, Problem, printable};
use super::known_hosts::{Entry, KnownHosts, Marker, USUAL_PORT, glob_matches, written};
use super::{Hop, Settings};

/// Host key algorithms in our order. No DSA; RSA with SHA-1 only where it is asked for.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// Everything that is known about the key of one hop.
#[derive(Debug)]
pub(super) struct Judge {
    name: String,
    address: String,
    port: u16,
    /// The name under which known_hosts and certificates know it, when that is not its address.
    known_as: Option<String>,
    pins: Vec<String>,
    /// What is written of this host at this port.
    here: Vec<Arc<Entry>>,
    /// What is written of this host without a port, when ours is not the usual one.
    without_port: Vec<Arc<Entry>>,
    /// Is RSA with SHA-1 asked for, too?
    sha1: bool,
    accepted_here: Vec<String>,
    accepted_elsewhere: Vec<String>,
    now: u64,
}

/// The algorithms to ask a server for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) keys: Vec<Algorithm>,
    pub(super) certificates: Vec<Algorithm>,
}

impl Judge {
    /// Gathers what is known about `hop` from its pins, the known_hosts files and the keys accepted earlier.
    pub(super) fn for_hop(hop: &Hop, settings: &Settings, known: &KnownHosts) -> Result<Self, Problem> {
        let (accepted_here, accepted_elsewhere) = {
            let trusted = settings.trusted.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            (trusted.here(&hop.name, hop.port), trusted.elsewhere(&hop.name, hop.port))
        };
        // An alias has no port, as in ssh.
        let (here, without_port) = match (&hop.extra.known_as, hop.port) {
            (Some(alias), _) => (known.of(&alias.to_ascii_lowercase()), Vec::new()),
            (None, USUAL_PORT) => (known.of(&written(&hop.address, USUAL_PORT)), Vec::new()),
            (None, port) => (known.of(&written(&hop.address, port)), known.of(&written(&hop.address, USUAL_PORT))),
        };
        Ok(Self {
            name: hop.name.clone(),
            address: hop.address.clone(),
            port: hop.port,
            known_as: hop.extra.known_as.clone(),
            sha1: hop.extra.sha1.host_key,
            pins: hop.pins.iter().map(|pin| fingerprint_in(pin)).collect::<Result<_, _>>()?,
            here,
            without_port,
            accepted_here,
            accepted_elsewhere,
            now: (settings.now)(),
        })
    }

    /// The algorithms to ask for: those of the keys we know come first, so that a server with several keys shows one
    /// that we can recognise (as ssh does). `not` are kinds of key that were shown before and did not fit.
    pub(super) fn wanted(&self, not: &[Algorithm]) -> Wanted {
        let old = self.sha1.then_some(Algorithm::Rsa { hash: None });
        let all = ALGORITHMS.iter().cloned().chain(old);
        let mut keys: Vec<Algorithm> = all.filter(|a| !not.iter().any(|n| same_kind(a, n))).collect();
        let entries = || self.entries_here().chain(self.entries_without_port());
        let known = |a: &Algorithm| entries().any(|e| e.marker.is_none() && same_kind(&e.key.algorithm(), a));
        keys.sort_by_key(|algorithm| !known(algorithm));
        let vouched = self.pins.is_empty() && entries().any(|e| e.marker == Some(Marker::CertAuthority));
        let certificates = if vouched { keys.clone() } else { Vec::new() };
        Wanted { keys, certificates }
    }

    /// True when the keys we know are known by fingerprint only, so that their algorithm is not known: it is then
    /// worth asking for a key of another kind before calling the host changed.
    pub(super) fn knows_fingerprints_only(&self) -> bool {
        !self.pins.is_empty() || (!self.accepted_here.is_empty() && self.entries_here().next().is_none())
    }

    /// Accepts the key or certificate, or says what is wrong with it.
    pub(super) fn judge(&self, shown: &PublicKeyOrCertificate) -> Result<(), Problem> {
        let key = shown.public_key();
        self.refuse_revoked(&key, shown.certificate())?;
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        if !self.pins.is_empty() {
            return match self.pins.contains(&fingerprint) {
                true => Ok(()),
                false => Err(self.changed(&key, self.pins.clone(), PINNED.to_owned())),
            };
        }
        if let Some(certificate) = shown.certificate()
            && self.is_signed_by_known_authority(certificate)
        {
            let why = self.flaw(certificate);
            return why.map_or(Ok(()), |why| Err(Problem::HostCertificate { offered: self.offered(&key), why }));
        }
        self.judge_plain(&key, &fingerprint)
    }

    fn judge_plain(&self, key: &PublicKey, fingerprint: &String) -> Result<(), Problem> {
        let recorded: Vec<&Entry> = self.entries_here().filter(|e| e.marker.is_none()).collect();
        let same = |entry: &&Entry| entry.key.key_data() == key.key_data();
        if recorded.iter().any(same) || self.accepted_here.contains(fingerprint) {
            return Ok(());
        }
        if !recorded.is_empty() {
            let places: Vec<&str> = recorded.iter().map(|e| e.at.as_str()).collect();
            let expected = recorded.iter().map(|e| format!("{} {}", e.key.algorithm(), e.fingerprint())).collect();
            return Err(self.changed(key, expected, places.join(", ")));
        }
        if !self.accepted_here.is_empty() {
            let from = "what was accepted earlier in this engagement".to_owned();
            return Err(self.changed(key, self.accepted_here.clone(), from));
        }
        // A server that moved to another port keeps its key. As ssh does, a key known without the port is accepted;
        // another key is unknown rather than changed, since another server may listen there.
        let elsewhere = self.entries_without_port().filter(|e| e.marker.is_none()).any(|e| same(&e));
        if elsewhere || self.accepted_elsewhere.contains(fingerprint) {
            return Ok(());
        }
        Err(Problem::UnknownHostKey(self.offered(key)))
    }

    fn refuse_revoked(&self, key: &PublicKey, certificate: Option<&Certificate>) -> Result<(), Problem> {
        let authority = certificate.map(Certificate::signature_key);
        let revoked = |entry: &&Entry| {
            entry.marker == Some(Marker::Revoked)
                && (entry.key.key_data() == key.key_data() || Some(entry.key.key_data()) == authority)
        };
        match self.entries_here().chain(self.entries_without_port()).find(revoked) {
            Some(entry) => Err(Problem::RevokedHostKey { offered: self.offered(key), from: entry.at.clone() }),
            None => Ok(()),
        }
    }

    fn is_signed_by_known_authority(&self, certificate: &Certificate) -> bool {
        let vouches =
            |e: &Entry| e.marker == Some(Marker::CertAuthority) && e.key.key_data() == certificate.signature_key();
        self.entries_here().chain(self.entries_without_port()).any(vouches)
    }

    /// What is wrong with a certificate whose authority is known, by the rules of OpenSSH's PROTOCOL.certkeys.
    fn flaw(&self, certificate: &Certificate) -> Option<String> {
        let authority = PublicKey::new(certificate.signature_key().clone(), "").fingerprint(HashAlg::Sha256);
        let host = self.known_as.as_ref().unwrap_or(&self.address).to_ascii_lowercase();
        let named = certificate.valid_principals().iter().any(|p| glob_matches(&p.to_ascii_lowercase(), &host));
        if certificate.verify_signature().is_err() {
            Some("its signature is wrong".to_owned())
        } else if !certificate.cert_type().is_host() {
            Some("it is a user certificate".to_owned())
        } else if certificate.valid_principals().is_empty() {
            Some("it names no host, so it would hold for every one".to_owned())
        } else if !named {
            Some(format!("it is for {}", printable(&certificate.valid_principals().join(", "))))
        } else if self.now < certificate.valid_after() {
            Some("it is not valid yet (is this machine's clock right?)".to_owned())
        } else if self.now >= certificate.valid_before() {
            Some("it has expired".to_owned())
        } else if !certificate.critical_options().is_empty() {
            Some("it has critical options, which no host certificate may have".to_owned())
        } else if certificate.validate_at(self.now, [&authority]).is_err() {
            Some("it is not valid".to_owned())
        } else {
            None
        }
    }

    fn entries_here(&self) -> impl Iterator<Item = &Entry> {
        self.here.iter().map(AsRef::as_ref)
    }

    fn entries_without_port(&self) -> impl Iterator<Item = &Entry> {
        self.without_port.iter().map(AsRef::as_ref)
    }

    fn changed(&self, key: &PublicKey, expected: Vec<String>, from: String) -> Problem {
        Problem::ChangedHostKey { offered: self.offered(key), expected, from }
    }

    fn offered(&self, key: &PublicKey) -> Box<OfferedKey> {
        let plain = PublicKey::new(key.key_data().clone(), "");
        Box::new(OfferedKey {
            host: self.name.clone(),
            address: self.address.clone(),
            port: self.port,
            algorithm: plain.algorithm().to_string(),
            fingerprint_sha256: plain.fingerprint(HashAlg::Sha256).to_string(),
            openssh: plain.to_openssh().unwrap_or_default(),
        })
    }
}

/// RSA keys are one kind, whatever the signature's hash.
fn same_kind(one: &Algorithm, other: &Algorithm) -> bool {
    one == other || matches!((one, other), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

/// The `SHA256:…` in a pin, which may be a whole line of `ssh-keygen -l`, without the padding that some tools add.
fn fingerprint_in(pin: &str) -> Result<String, Problem> {
    let word =
        pin.split_ascii_whitespace().find(|word| word.starts_with("SHA256:")).map(|word| word.trim_end_matches('='));
    match word {
        Some(word) if word.len() == "SHA256:".len() + 43 => Ok(word.to_owned()),
        _ => Err(Problem::BadPin(printable(pin))),
    }
}

#[cfg(test)]
#[path = "tests/hostkey.rs"]
mod tests;

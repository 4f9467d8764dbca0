//! A TLS handshake that shows the server's certificate whatever is the matter with it, and a verdict on it.
//!
//! The handshake itself is always proved: the server has the key of what it shows. Whether anybody vouches for that is
//! the verdict; nothing secret is sent before it has been asked.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::arguments::{Arguments, known};
use super::super::{Failure, World};
use super::Miss;
use crate::ssh::dial::Wire;
use crate::text::{clean, count, list};

/// What must be so of a certificate.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Another authority that is trusted, beside those of this machine: certificates in PEM.
    pub(super) authority: Option<String>,
    /// It must hold for so many days yet.
    pub(super) days: i64,
}

impl Wanted {
    pub(super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let authority = arguments.optional("authority")?;
        if let Some(text) = authority.as_deref().filter(|text| known(text))
            && read_pem(text).is_empty()
        {
            let what = format!("the argument `authority` of {} holds no certificate", arguments.kind);
            return Err(Failure::new(what, "Give the authority's certificate in PEM: -----BEGIN CERTIFICATE-----."));
        }
        Ok(Wanted { authority, days: i64::from(arguments.number("min_days", 0, 3_650)?.unwrap_or(14)) })
    }

    /// Authorities beside those of this machine, in DER.
    pub(super) fn authorities(&self, world: &World) -> Vec<CertificateDer<'static>> {
        let given = self.authority.as_deref().map(read_pem).unwrap_or_default();
        given.into_iter().chain(world.net.authorities().into_iter().map(CertificateDer::from)).collect()
    }

    /// What is wrong with a certificate, if something is.
    pub(super) fn fault(&self, shown: &Shown) -> Option<String> {
        if let Err(why) = &shown.verdict {
            return Some(why.clone());
        }
        let days = shown.days();
        (days < self.days).then(|| {
            format!(
                "its certificate holds for {} only, until {}",
                count(usize::try_from(days).unwrap_or(0), "day"),
                shown.until()
            )
        })
    }
}

fn read_pem(text: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap_or_default()
}

/// The certificate that a server showed.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// For whom it is: DNS names and addresses.
    pub(super) names: Vec<String>,
    pub(super) issuer: String,
    pub(super) not_after: Timestamp,
    /// Certificates that came with it, itself included.
    pub(super) chain: usize,
    /// Somebody who is trusted vouches for it, for this server, now; or why not.
    pub(super) verdict: Result<(), String>,
}

impl Shown {
    /// Reads the first of a chain.
    pub(super) fn read(chain: &[Vec<u8>], verdict: Result<(), String>) -> Result<Shown, String> {
        let first = chain.first().ok_or("it shows no certificate")?;
        let (_, leaf) =
            X509Certificate::from_der(first).map_err(|error| format!("its certificate is none: {error}"))?;
        let named = leaf.subject_alternative_name().ok().flatten();
        let names = named.map(|named| named.value.general_names.iter().filter_map(name).collect()).unwrap_or_default();
        let not_after = leaf.validity().not_after.timestamp();
        Ok(Shown {
            names,
            issuer: clean(leaf.issuer().to_string().as_bytes()),
            not_after: Timestamp::from_second(not_after).unwrap_or(Timestamp::MAX),
            chain: chain.len(),
            verdict,
        })
    }

    pub(super) fn days(&self) -> i64 {
        (self.not_after.as_second() - Timestamp::now().as_second()).div_euclid(86_400)
    }

    pub(super) fn until(&self) -> String {
        self.not_after.strftime("%Y-%m-%d").to_string()
    }

    /// One line for the step's output.
    pub(super) fn said(&self) -> String {
        let sent = count(self.chain, "certificate");
        let names = if self.names.is_empty() { "no name".to_owned() } else { list(&self.names) };
        format!("certificate for {names}, by {}, until {} ({sent} sent)", self.issuer, self.until())
    }

    pub(super) fn output(&self) -> Json {
        json!({ "names": self.names, "issuer": self.issuer, "until": self.until(), "days": self.days() })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(clean(name.as_bytes())),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Makes a stream a TLS stream, as the client of `server`.
///
/// # Errors
/// There is no TLS there, or no certificate.
pub(super) async fn handshake(
    world: &World,
    wanted: &Wanted,
    wire: Box<dyn Wire>,
    server: &str,
) -> Result<(TlsStream<Box<dyn Wire>>, Shown), Miss> {
    let name = ServerName::try_from(server.to_owned())
        .map_err(|_| Miss::unknown(format!("{server} is no name of a server"), "Correct the name in the step."))?;
    let seen = Arc::new(Seen { judge: judge(world, wanted)?, shown: Mutex::default() });
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| cannot_judge(&error))?
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    let made = TlsConnector::from(Arc::new(config)).connect(name, wire).await;
    let stream = made.map_err(|error| Miss::NotSo(format!("{server} speaks no TLS there: {error}")))?;
    let shown = seen.shown.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (chain, verdict) = shown.unwrap_or((Vec::new(), Err("it shows no certificate".to_owned())));
    let shown = Shown::read(&chain, verdict).map_err(|why| Miss::NotSo(format!("{server}: {why}")))?;
    Ok((stream, shown))
}

/// Whoever knows the authorities of this machine, and those that are given.
fn judge(world: &World, wanted: &Wanted) -> Result<Arc<WebPkiServerVerifier>, Miss> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(wanted.authorities(world));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    built.map_err(|error| cannot_judge(&error))
}

fn cannot_judge(why: &dyn std::error::Error) -> Miss {
    Miss::unknown(format!("this machine cannot judge certificates: {why}"), NO_ROOTS)
}

/// A chain that was shown elsewhere, with the verdict on it for this server.
///
/// # Errors
/// It holds no certificate, or nobody here can judge it.
pub(super) fn judged(world: &World, wanted: &Wanted, chain: &[Vec<u8>], server: &str) -> Result<Shown, Miss> {
    let certificates: Vec<CertificateDer<'_>> = chain.iter().map(|one| CertificateDer::from(one.as_slice())).collect();
    let verdict = match (certificates.split_first(), ServerName::try_from(server)) {
        (Some((leaf, others)), Ok(name)) => {
            let verdict = judge(world, wanted)?.verify_server_cert(leaf, others, &name, &[], UnixTime::now());
            verdict.map(drop).map_err(|error| said(&error, server))
        }
        _ => Ok(()),
    };
    Shown::read(chain, verdict).map_err(Miss::NotSo)
}

const NO_ROOTS: &str = "Install the authorities that are usually trusted (ca-certificates), or name one: `authority`.";

/// The certificates as they came, and what is wrong with them.
type Chain = (Vec<Vec<u8>>, Result<(), String>);

/// Lets every handshake come to its end, and keeps what was shown and what there is to say of it.
#[derive(Debug)]
struct Seen {
    judge: Arc<WebPkiServerVerifier>,
    shown: Mutex<Option<Chain>>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.judge.verify_server_cert(leaf, others, server, ocsp, now);
        let verdict = verdict.map(drop).map_err(|error| said(&error, &server.to_str()));
        let chain = std::iter::once(leaf).chain(others).map(|one| one.to_vec()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((chain, verdict));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

fn day(time: UnixTime) -> String {
    let second = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(second)
        .map_or_else(|_| "an unknown day".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Why a certificate does not hold, in words that name what to mend.
fn said(error: &Error, server: &str) -> String {
    let Error::InvalidCertificate(error) = error else { return format!("its certificate does not hold: {error}") };
    match error {
        CertificateError::Expired => "its certificate has ended".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => format!("its certificate ended on {}", day(*not_after)),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet: look at the clocks".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "nobody who is trusted here has signed its certificate: it is self-signed, from the customer's own \
             authority (name that: `authority`), or the certificates between are not sent"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is not for {server}")
        }
        // webpki knows it, and has no word of its own for it here.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is that of an authority (CA:TRUE), as `openssl req -x509` makes them: a server needs one of \
             its own, which the authority has signed"
                .to_owned()
        }
        CertificateError::Revoked => "its certificate has been revoked".to_owned(),
        other => format!("its certificate does not hold: {other}"),
    }
}

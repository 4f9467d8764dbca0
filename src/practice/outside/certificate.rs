//! Certificates of practice: an authority that lives as long as the program, and signs one for whatever name is asked for.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::{Algorithm, EcdsaCurve, PrivateKey};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::{CertifiedKey, SigningKey};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, SignatureScheme};

/// The days of a certificate: those of a usual public authority.
const DAYS: i64 = 90;

/// SEQUENCE { ecPublicKey, prime256v1 } (RFC 5480).
const P256: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07,
];
/// SEQUENCE { ecdsa-with-SHA256 } (RFC 5758).
const ECDSA_SHA256: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
const ALTERNATIVE_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13];

/// A key that signs, and the certificate that vouches for it.
#[derive(Debug)]
pub(super) struct Authority {
    key: Option<Key>,
    certificate: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Key {
    signs: Arc<dyn SigningKey>,
    /// The point, uncompressed.
    public: Vec<u8>,
}

impl Key {
    fn new() -> Option<Key> {
        let algorithm = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
        let made = PrivateKey::random(&mut russh::keys::key::safe_rng(), algorithm).ok()?;
        let KeypairData::Ecdsa(pair) = made.key_data() else { return None };
        let (public, private) = (pair.public_key_bytes().to_vec(), pair.private_key_bytes());
        // PrivateKeyInfo (RFC 5208) of an ECPrivateKey (RFC 5915).
        let point = tlv(0xa1, &[&bits(&public)]);
        let inner = tlv(0x30, &[&[0x02, 0x01, 0x01], &tlv(0x04, &[private]), &point]);
        let whole = tlv(0x30, &[&[0x02, 0x01, 0x00], P256, &tlv(0x04, &[&inner])]);
        let whole = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(whole));
        let signs = aws_lc_rs::sign::any_supported_type(&whole).ok()?;
        Some(Key { signs, public })
    }

    fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.signs.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])?.sign(text).ok()
    }
}

/// One value in DER: its tag, its length, its parts.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let mut whole = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => whole.push(short),
        Ok(long) => whole.extend([0x81, long]),
        Err(_) => whole.extend([0x82, (length >> 8 & 0xff) as u8, (length & 0xff) as u8]),
    }
    whole.extend(content);
    whole
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], bytes])
}

/// Name { CN = … }
fn named(name: &str) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[COMMON_NAME, &tlv(0x0c, &[name.as_bytes()])])])])
}

/// UTCTime, so many days from today.
fn day(days: i64) -> Vec<u8> {
    let second = jiff::Timestamp::now().as_second() + days * 86_400;
    let at = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX);
    tlv(0x17, &[at.strftime("%y%m%d000000Z").to_string().as_bytes()])
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = Key::new();
        let ca = tlv(0x30, &[BASIC_CONSTRAINTS, &tlv(0x04, &[&tlv(0x30, &[&[0x01, 0x01, 0xff]])])]);
        let certificate = key.as_ref().and_then(|key| issue(key, key, "Authority of practice", &ca));
        Self { key, certificate: certificate.unwrap_or_default() }
    }

    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// A client that trusts what this authority vouches for.
    ///
    /// # Errors
    /// There is no key.
    pub(super) fn connector(&self) -> io::Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.certificate.clone())).map_err(io::Error::other)?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// A server at `to`, an address or a name, with a certificate for that and for whatever name a client says.
    ///
    /// # Errors
    /// There is no key.
    pub(super) fn acceptor(&self, to: &str) -> io::Result<Arc<ServerConfig>> {
        let key = self.key.clone().ok_or(io::ErrorKind::Unsupported)?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Issues { key, to: to.to_owned() }));
        Ok(Arc::new(config))
    }
}

/// A certificate (RFC 5280, 4.1) for `of`, signed by `by`.
fn issue(of: &Key, by: &Key, name: &str, extension: &[u8]) -> Option<Vec<u8>> {
    let spki = tlv(0x30, &[P256, &bits(&of.public)]);
    let serial: Vec<u8> = blake3::hash(name.as_bytes()).as_bytes()[..8].iter().map(|byte| byte & 0x7f | 0x01).collect();
    let to_sign = tlv(
        0x30,
        &[
            &[0xa0, 0x03, 0x02, 0x01, 0x02],
            &tlv(0x02, &[&serial]),
            ECDSA_SHA256,
            &named("Authority of practice"),
            &tlv(0x30, &[&day(-1), &day(DAYS)]),
            &named(name),
            &spki,
            &tlv(0xa3, &[&tlv(0x30, &[extension])]),
        ],
    );
    let signature = by.sign(&to_sign)?;
    Some(tlv(0x30, &[&to_sign, ECDSA_SHA256, &bits(&signature)]))
}

#[derive(Debug)]
struct Issues {
    key: Key,
    to: String,
}

impl ResolvesServerCert for Issues {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or(&self.to);
        let alternative = match name.parse::<IpAddr>() {
            Ok(IpAddr::V4(v4)) => tlv(0x87, &[&v4.octets()]),
            Ok(IpAddr::V6(v6)) => tlv(0x87, &[&v6.octets()]),
            Err(_) => tlv(0x82, &[name.as_bytes()]),
        };
        let names = tlv(0x30, &[ALTERNATIVE_NAME, &tlv(0x04, &[&tlv(0x30, &[&alternative])])]);
        let certificate = issue(&self.key, &self.key, name, &names)?;
        Some(Arc::new(CertifiedKey::new(vec![CertificateDer::from(certificate)], self.key.signs.clone())))
    }
}

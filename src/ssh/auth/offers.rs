//! Which keys are offered, and in which order.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::AgentAuthError;
use russh::Signer;
pub(super) use russh::keys::agent::AgentIdentity;
use russh::keys::agent::AgentSessionBinding;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, PublicKey};
use tokio::net::UnixStream;

use super::key_files::{self, Loaded, Locked};
use crate::ssh::error::{KeyFileTrouble, Problem};
use crate::ssh::{Hop, Identity, Settings};

pub(super) type Agent = AgentClient<UnixStream>;

/// A key to offer to the server.
pub(super) enum Offer {
    Ours(Arc<PrivateKey>),
    OurCertificate(Box<Certificate>, Arc<PrivateKey>),
    /// Its passphrase is asked for when the server would take it.
    Locked(Box<Locked>),
    OfAgent(Box<AgentIdentity>),
    /// A certificate from a file, for a key that the agent holds.
    AgentCertificate(Box<Certificate>, Box<AgentIdentity>),
}

/// The agent, connected when it is first needed: a key file must not have to wait for it.
pub(super) struct LazyAgent<'a> {
    socket: Option<&'a Path>,
    binding: Option<AgentSessionBinding>,
    connected: Option<Agent>,
}

/// Signs with the agent's plain key although a certificate is what the server was shown: the agent knows the key only.
pub(super) struct PlainKey<'a> {
    pub(super) agent: &'a mut Agent,
    pub(super) identity: AgentIdentity,
}

impl Signer for PlainKey<'_> {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        Ok(self.agent.sign_request(&self.identity, hash, to_sign).await?)
    }
}

/// Everything that could be offered to this hop.
pub(super) async fn gather(hop: &Hop, settings: &Settings, agent: &mut LazyAgent<'_>) -> Result<Vec<Offer>, Problem> {
    let certificates = &hop.extra.certificates;
    match &hop.identity {
        Identity::Key(key) => Ok(vec![Offer::Ours(Arc::clone(key))]),
        Identity::File(path) => {
            let held = match key_files::load(path, settings).await {
                Loaded::Open(_) => Vec::new(),
                _ => agent.keys().await.unwrap_or_default(),
            };
            let offers = of_file(path, &held, hop, settings, &mut Vec::new()).await;
            offers.map_err(|why| Problem::KeyFile { path: path.clone(), why })
        }
        Identity::Agent => match agent.keys().await? {
            keys if keys.is_empty() => Err(Problem::NoKeys),
            keys => Ok(keys.into_iter().map(|key| Offer::OfAgent(Box::new(key))).collect()),
        },
        Identity::Usual { files, only } => {
            let held = agent.keys().await;
            let mut usual = usual(files, *only, held.as_deref().unwrap_or_default(), hop, settings).await;
            certify(&mut usual.offers, certificates, held.as_deref().unwrap_or_default());
            match (usual.offers.is_empty(), usual.trouble, held) {
                (false, ..) => Ok(usual.offers),
                (true, Some(problem), _) | (true, None, Err(problem)) => Err(problem),
                (true, None, Ok(_)) => Err(Problem::NoKeys),
            }
        }
    }
}

#[derive(Default)]
struct Usual {
    offers: Vec<Offer>,
    /// With the first file that could not be used.
    trouble: Option<Problem>,
}

/// The agent's copies of the files, the agent's other keys, the files themselves.
async fn usual(files: &[PathBuf], only: bool, held: &[AgentIdentity], hop: &Hop, settings: &Settings) -> Usual {
    let (mut first, mut last, mut trouble) = (Vec::new(), Vec::new(), None);
    let mut named: Vec<PublicKey> = Vec::new();
    for path in files {
        match of_file(path, held, hop, settings, &mut named).await {
            Ok(offers) => {
                for offer in offers {
                    let of_agent = matches!(offer, Offer::OfAgent(_) | Offer::AgentCertificate(..));
                    if of_agent { first.push(offer) } else { last.push(offer) }
                }
            }
            // ssh passes over a file that is not there, too.
            Err(KeyFileTrouble::Missing) => {}
            Err(why) => {
                tracing::info!(path = %path.display(), %why, "a key file is passed over");
                trouble.get_or_insert(Problem::KeyFile { path: path.clone(), why });
            }
        }
    }
    let is_named = |identity: &AgentIdentity| {
        let key = identity.public_key();
        named.iter().any(|named| named.key_data() == key.key_data())
    };
    let certificates = |identity: &&AgentIdentity| matches!(identity, AgentIdentity::Certificate { .. });
    let others = held.iter().filter(|identity| match is_named(identity) {
        true => certificates(identity),
        false => !only,
    });
    first.extend(others.map(|identity| Offer::OfAgent(Box::new(identity.clone()))));
    first.append(&mut last);
    Usual { offers: first, trouble }
}

/// What a key file gives: its certificate beside it first, then the key; both by the agent, if that holds the key.
/// `named` gets the public half.
async fn of_file(
    path: &Path,
    held: &[AgentIdentity],
    hop: &Hop,
    settings: &Settings,
    named: &mut Vec<PublicKey>,
) -> Result<Vec<Offer>, KeyFileTrouble> {
    let loaded = key_files::load(path, settings).await;
    let public = match &loaded {
        Loaded::Open(key) => Some(key.public_key().clone()),
        Loaded::Locked(public) | Loaded::Hardware(public) => public.clone(),
        // The private half may be in the agent alone, and the file beside it or itself the public one.
        Loaded::Trouble(_) => key_files::public_part(path),
    };
    let certificate = key_files::certificate_beside(path)
        .filter(|certificate| public.as_ref().is_none_or(|public| public.key_data() == certificate.public_key()));
    named.extend(public.clone());
    let is_this = |identity: &&AgentIdentity| matches!(identity, AgentIdentity::PublicKey { key, .. } if Some(key.key_data()) == public.as_ref().map(PublicKey::key_data));
    if let Some(identity) = held.iter().find(is_this) {
        let certified = certificate.map(|one| Offer::AgentCertificate(Box::new(one), Box::new(identity.clone())));
        return Ok(certified.into_iter().chain([Offer::OfAgent(Box::new(identity.clone()))]).collect());
    }
    match loaded {
        Loaded::Open(key) => {
            let certified = certificate.map(|one| Offer::OurCertificate(Box::new(one), Arc::clone(&key)));
            Ok(certified.into_iter().chain([Offer::Ours(key)]).collect())
        }
        Loaded::Locked(_) if settings.person.is_none() => Err(KeyFileTrouble::Encrypted),
        Loaded::Locked(Some(public)) => {
            let locked = |certificate| {
                Offer::Locked(Box::new(Locked { path: path.to_owned(), public: public.clone(), certificate }))
            };
            let certified = certificate.map(|one| locked(Some(Box::new(one))));
            Ok(certified.into_iter().chain([locked(None)]).collect())
        }
        // Its public half is sealed as well, so that it has to be opened before it can be offered.
        Loaded::Locked(None) => Ok(vec![Offer::Ours(key_files::unlock(path, hop, settings).await?)]),
        Loaded::Hardware(_) => Err(KeyFileTrouble::Hardware),
        Loaded::Trouble(why) => Err(why),
    }
}

/// Puts certificates that the set-up names before the keys that they are for.
fn certify(offers: &mut Vec<Offer>, certificates: &[PathBuf], held: &[AgentIdentity]) {
    for path in certificates {
        let certificate = match Certificate::read_file(path) {
            Ok(certificate) => certificate,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a certificate cannot be read and is passed over");
                continue;
            }
        };
        let of_agent = held.iter().find(|identity| {
            matches!(identity, AgentIdentity::PublicKey { key, .. } if key.key_data() == certificate.public_key())
        });
        let ours = offers.iter().find_map(|offer| match offer {
            Offer::Ours(key) if key.public_key().key_data() == certificate.public_key() => Some(Arc::clone(key)),
            _ => None,
        });
        let locked = offers.iter().find_map(|offer| match offer {
            Offer::Locked(locked) if locked.public.key_data() == certificate.public_key() => Some(locked.clone()),
            _ => None,
        });
        let certificate = Box::new(certificate);
        let certified = match (of_agent, ours, locked) {
            (Some(identity), ..) => Offer::AgentCertificate(certificate, Box::new(identity.clone())),
            (None, Some(key), _) => Offer::OurCertificate(certificate, key),
            (None, None, Some(locked)) => Offer::Locked(Box::new(Locked { certificate: Some(certificate), ..*locked })),
            (None, None, None) => continue,
        };
        offers.insert(0, certified);
    }
}

pub(super) fn is_hardware(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256)
}

impl<'a> LazyAgent<'a> {
    pub(super) fn new(socket: Option<&'a Path>, binding: Option<AgentSessionBinding>) -> Self {
        Self { socket, binding, connected: None }
    }

    /// Connects to the agent and tells it which server it is about to sign for: agents with destination constraints
    /// (ssh-add -h) want to know, others refuse that message and that does no harm.
    pub(super) async fn connect(&mut self) -> Result<&mut Agent, Problem> {
        if self.connected.is_none() {
            let socket = self.socket.ok_or_else(|| Problem::NoAgent("SSH_AUTH_SOCK is not set".to_owned()))?;
            let connected = AgentClient::connect_uds(socket).await;
            let mut agent = connected.map_err(|error| Problem::NoAgent(format!("{}: {error}", socket.display())))?;
            if let Some(binding) = &self.binding {
                let bound = agent.bind_session(binding, false).await;
                tracing::debug!(?bound, "told the SSH agent about the session");
            }
            self.connected = Some(agent);
        }
        self.connected.as_mut().ok_or_else(|| Problem::NoAgent("it is gone".to_owned()))
    }

    async fn keys(&mut self) -> Result<Vec<AgentIdentity>, Problem> {
        let listed = self.connect().await?.request_identities().await;
        listed.map_err(|error| Problem::NoAgent(error.to_string()))
    }
}

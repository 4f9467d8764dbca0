//! Logging in: which keys, in which order, and what to say when none is accepted.

use std::io;
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::client::AgentClient;
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key};
use russh::{AgentAuthError, MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::UnixStream;

use super::connect::Guard;
use super::error::{Denial, KeyFileTrouble, Problem};
use super::{Hop, Identity};

/// Servers hang up after six failures, hardened ones after four (MaxAuthTries): a fifth key could not succeed there.
const MOST_KEYS: usize = 4;

/// No private key is larger; a guard against a device or a log given by mistake.
const LARGEST_KEY_FILE: u64 = 64 * 1024;

type Agent = AgentClient<UnixStream>;

/// A key to offer to the server.
enum Offer {
    Ours(Arc<PrivateKey>),
    OfAgent(Box<AgentIdentity>),
}

/// The agent, connected when it is first needed: a key file must not have to wait for it.
struct LazyAgent<'a> {
    socket: Option<&'a Path>,
    binding: Option<AgentSessionBinding>,
    connected: Option<Agent>,
}

/// Logs in to `hop`, or says why not.
///
/// # Errors
/// Key file and agent problems come before anything is sent; [`Problem::Denied`] lists every key that was offered.
pub(super) async fn log_in(handle: &mut Handle<Guard>, hop: &Hop, agent_socket: Option<&Path>) -> Result<(), Problem> {
    let binding = handle.agent_session_binding().cloned();
    let mut agent = LazyAgent { socket: agent_socket, binding, connected: None };
    let mut offers = offers(&hop.identity, &mut agent).await?;
    let untried = offers.len().saturating_sub(MOST_KEYS);
    offers.truncate(MOST_KEYS);
    let mut denial = Denial {
        user: hop.user.clone(),
        methods_left: Vec::new(),
        tried: Vec::new(),
        untried,
        partial: false,
        said: None,
    };
    for offer in offers {
        denial.tried.push(offer.fingerprint());
        match offer_key(handle, &hop.user, offer, &mut agent).await? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, partial_success } => {
                denial.partial = partial_success;
                denial.methods_left = names(&remaining_methods);
                let more = remaining_methods.contains(&MethodKind::PublicKey);
                if partial_success || !more || handle.is_closed() {
                    break;
                }
            }
        }
    }
    Err(Problem::Denied(Box::new(denial)))
}

async fn offer_key(
    handle: &mut Handle<Guard>,
    user: &str,
    offer: Offer,
    agent: &mut LazyAgent<'_>,
) -> Result<AuthResult, Problem> {
    let hash = match offer.public_key().algorithm() {
        Algorithm::Rsa { .. } => Some(rsa_hash(handle).await?),
        _ => None,
    };
    let identity = match offer {
        Offer::Ours(key) => {
            let sent = handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash)).await;
            return sent.map_err(|error| Problem::Lost(error.to_string()));
        }
        Offer::OfAgent(identity) => identity,
    };
    let agent = agent.connect().await?;
    let signed = match *identity {
        AgentIdentity::PublicKey { key, .. } => handle.authenticate_publickey_with(user, key, hash, agent).await,
        AgentIdentity::Certificate { certificate, .. } => {
            handle.authenticate_certificate_with(user, certificate, hash, agent).await
        }
    };
    match signed {
        Ok(result) => Ok(result),
        Err(AgentAuthError::Send(_)) => Err(Problem::Lost("while logging in".to_owned())),
        // The agent declined this one key (a person said no, a device is not there): the next may do.
        Err(error) => {
            tracing::info!(%error, "the SSH agent did not sign");
            let remaining_methods = MethodSet::from(&[MethodKind::PublicKey][..]);
            Ok(AuthResult::Failure { remaining_methods, partial_success: false })
        }
    }
}

/// SHA-2 always: a server that knows only SHA-1 has to be upgraded.
async fn rsa_hash(handle: &Handle<Guard>) -> Result<HashAlg, Problem> {
    let best = handle.best_supported_rsa_hash().await.map_err(|error| Problem::Lost(error.to_string()))?;
    Ok(best.flatten().unwrap_or(HashAlg::Sha512))
}

async fn offers(identity: &Identity, agent: &mut LazyAgent<'_>) -> Result<Vec<Offer>, Problem> {
    match identity {
        Identity::Key(key) => Ok(vec![Offer::Ours(Arc::clone(key))]),
        Identity::File(path) => Ok(vec![file_offer(path, agent).await?]),
        Identity::Agent => match agent.keys().await? {
            keys if keys.is_empty() => Err(Problem::NoKeys),
            keys => Ok(keys),
        },
        Identity::AgentOrFile(path) => match (file_offer(path, agent).await, agent.keys().await.unwrap_or_default()) {
            (Ok(first), mut others) => {
                others.retain(|other| other.fingerprint() != first.fingerprint());
                others.insert(0, first);
                Ok(others)
            }
            (Err(problem), keys) if keys.is_empty() => Err(problem),
            (Err(_), keys) => Ok(keys),
        },
    }
}

/// The key of a file, or the agent's copy of it when the file alone is not enough.
async fn file_offer(path: &Path, agent: &mut LazyAgent<'_>) -> Result<Offer, Problem> {
    let (public, why) = match load(path) {
        Ok(key) if !is_hardware(&key.algorithm()) => return Ok(Offer::Ours(Arc::new(key))),
        Ok(key) => (Some(key.public_key().clone()), KeyFileTrouble::Hardware),
        Err(KeyFileTrouble::Encrypted) => (public_part(path), KeyFileTrouble::Encrypted),
        Err(why) => return Err(Problem::KeyFile { path: path.to_owned(), why }),
    };
    let wanted = public.as_ref().map(PublicKey::key_data);
    let mut held = agent.keys().await.unwrap_or_default().into_iter();
    let copy = held.find(|key| Some(key.public_key().key_data()) == wanted);
    copy.ok_or_else(|| Problem::KeyFile { path: path.to_owned(), why })
}

fn is_hardware(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256)
}

/// Reads a private key that only its owner can read.
fn load(path: &Path) -> Result<PrivateKey, KeyFileTrouble> {
    let secret = read_private(path)?;
    let text = secret.expose_secret();
    match decode_secret_key(text, None) {
        Ok(key) if key.is_encrypted() => Err(KeyFileTrouble::Encrypted),
        Ok(key) => Ok(key),
        Err(russh::keys::Error::KeyIsEncrypted) => Err(KeyFileTrouble::Encrypted),
        Err(_) if text.contains("ENCRYPTED") => Err(KeyFileTrouble::Encrypted),
        Err(_) if text.contains("PUBLIC KEY") || text.starts_with("ssh-") => {
            Err(KeyFileTrouble::Unusable("this is the public half; the private key is needed".to_owned()))
        }
        Err(error) => Err(KeyFileTrouble::Unusable(error.to_string())),
    }
}

fn read_private(path: &Path) -> Result<SecretString, KeyFileTrouble> {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => KeyFileTrouble::Missing,
        _ => KeyFileTrouble::Unusable(error.to_string()),
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if !facts.is_file() || facts.len() > LARGEST_KEY_FILE {
        return Err(KeyFileTrouble::Unusable("this is not a key file".to_owned()));
    }
    let mode = facts.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileTrouble::Mode(mode));
    }
    let mut text = String::new();
    file.take(LARGEST_KEY_FILE).read_to_string(&mut text).map_err(failed)?;
    Ok(SecretString::from(text))
}

/// The public half of an encrypted key: in the same file, or beside it with `.pub`.
fn public_part(path: &Path) -> Option<PublicKey> {
    let inside = read_private(path).ok().and_then(|text| PrivateKey::from_openssh(text.expose_secret()).ok());
    if let Some(key) = inside {
        return Some(key.public_key().clone());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    russh::keys::load_public_key(Path::new(&beside)).ok()
}

impl LazyAgent<'_> {
    /// Connects to the agent and tells it which server it is about to sign for: agents with destination constraints
    /// (ssh-add -h) want to know, others refuse that message and that does no harm.
    async fn connect(&mut self) -> Result<&mut Agent, Problem> {
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

    async fn keys(&mut self) -> Result<Vec<Offer>, Problem> {
        let listed = self.connect().await?.request_identities().await;
        let identities = listed.map_err(|error| Problem::NoAgent(error.to_string()))?;
        Ok(identities.into_iter().map(|identity| Offer::OfAgent(Box::new(identity))).collect())
    }
}

impl Offer {
    fn public_key(&self) -> PublicKey {
        match self {
            Self::Ours(key) => key.public_key().clone(),
            Self::OfAgent(identity) => identity.public_key().into_owned(),
        }
    }

    fn fingerprint(&self) -> String {
        self.public_key().fingerprint(HashAlg::Sha256).to_string()
    }
}

fn names(methods: &MethodSet) -> Vec<String> {
    methods.iter().map(String::from).collect()
}

#[cfg(test)]
#[path = "tests/key_files.rs"]
mod tests;

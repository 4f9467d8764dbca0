//! Logging in: what is offered, in which order, and what to say when none of it is accepted.
//!
//! Keys come first. What a server asks beyond them (keyboard-interactive, in as many rounds as it likes) a person
//! answers; a password is asked for only where the server takes nothing else from us.

mod key_files;
mod offers;
mod person;

use std::future::Future;
use std::time::Duration;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Reply};
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKey};
use russh::{AgentAuthError, MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};

pub use self::key_files::Unlocked;
use self::key_files::{CannotSign, Locked};
use self::offers::{LazyAgent, Offer, PlainKey};
pub use self::person::{About, Line, Person, Prompt};
use super::connect::Guard;
use super::error::{Denial, Problem, printable};
use super::{Hop, Settings};

/// Servers hang up after six failures, hardened ones after four (MaxAuthTries): a fifth key could not succeed there.
const MOST_KEYS: usize = 4;

/// How often a person may mistype.
const MOST_ANSWERS: usize = 3;

/// What servers do not say themselves when they ask again.
const NOT_ACCEPTED: &str = "It was not accepted.";

/// Rounds of questions in one attempt; a guard against a server that never has enough.
const MOST_ROUNDS: usize = 20;

/// One login in progress.
struct Login<'a> {
    handle: &'a mut Handle<Guard>,
    hop: &'a Hop,
    settings: &'a Settings,
    agent: LazyAgent<'a>,
    denial: Denial,
    /// What the server would take next. Nothing is known before the first refusal.
    methods: Option<MethodSet>,
    /// What stood in the way of a key that could have been offered.
    trouble: Option<Problem>,
    /// The server's text before the login.
    banner: &'a (dyn Fn() -> String + Sync),
    /// A person was asked what the server wants to know.
    asked: bool,
}

/// Logs in to `hop`, or says why not. `banner` is what the server has said so far. True: a person had to answer it.
///
/// # Errors
/// Key file and agent problems come before anything is sent; [`Problem::Denied`] lists everything that was tried.
pub(super) async fn log_in(
    handle: &mut Handle<Guard>,
    hop: &Hop,
    settings: &Settings,
    banner: &(dyn Fn() -> String + Sync),
) -> Result<bool, Problem> {
    let socket = match &hop.extra.agent {
        Some(other) => other.as_deref(),
        None => settings.agent_socket.as_deref(),
    };
    let mut agent = LazyAgent::new(socket, handle.agent_session_binding().cloned());
    // A passphrase may have to be asked for.
    let patience = settings.person.as_ref().map_or(Duration::ZERO, |_| settings.limits.person);
    let gathered = within(settings.limits.auth + patience, offers::gather(hop, settings, &mut agent)).await;
    let (mut offers, trouble) = match gathered {
        Ok(offers) => (offers, None),
        // There may be another way in than a key, if somebody is there to take it.
        Err(problem) if settings.person.is_some() => (Vec::new(), Some(problem)),
        Err(problem) => return Err(problem),
    };
    let untried = offers.len().saturating_sub(MOST_KEYS);
    offers.truncate(MOST_KEYS);
    let denial = Denial {
        user: hop.user.clone(),
        methods_left: Vec::new(),
        tried: Vec::new(),
        untried,
        partial: false,
        said: None,
    };
    let mut login = Login { handle, hop, settings, agent, denial, methods: None, trouble, banner, asked: false };
    match login.go(offers).await? {
        true => Ok(login.asked),
        false => Err(login.refused()),
    }
}

impl Login<'_> {
    /// True when the server let us in.
    async fn go(&mut self, offers: Vec<Offer>) -> Result<bool, Problem> {
        let no_key = offers.is_empty();
        if no_key {
            let asked = self.handle.authenticate_none(self.hop.user.clone());
            let answer = within(self.settings.limits.auth, async { asked.await.map_err(lost) }).await?;
            if self.took(answer) {
                return Ok(true);
            }
        }
        for offer in offers {
            if !self.takes(MethodKind::PublicKey) {
                break;
            }
            self.denial.tried.push(offer.fingerprint());
            let answer = self.offer(offer).await?;
            if self.took(answer) {
                return Ok(true);
            }
        }
        self.ask(no_key).await
    }

    /// What a person has to say, as long as the server wants to hear it.
    async fn ask(&mut self, no_key: bool) -> Result<bool, Problem> {
        let (mut interactive, mut passwords) = (0, 0);
        while self.settings.person.is_some() && !self.handle.is_closed() {
            let answer = if self.takes(MethodKind::KeyboardInteractive) && interactive < MOST_ANSWERS {
                interactive += 1;
                self.note("answers to its questions");
                self.interactive(interactive > 1).await?
            } else if self.wants_password(no_key) && passwords < MOST_ANSWERS {
                passwords += 1;
                self.note("a password");
                self.password(passwords > 1).await?
            } else {
                break;
            };
            if self.took(answer) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn note(&mut self, what: &str) {
        if self.denial.tried.last().is_none_or(|last| last != what) {
            self.denial.tried.push(what.to_owned());
        }
    }

    /// Does the server take this next? Before it has said anything, it takes keys.
    fn takes(&self, method: MethodKind) -> bool {
        match &self.methods {
            None => method == MethodKind::PublicKey,
            Some(methods) => methods.contains(&method),
        }
    }

    /// A password is the last resort: where a key could let us in, a missing key is for a person to put right.
    fn wants_password(&self, no_key: bool) -> bool {
        let other = self.takes(MethodKind::PublicKey) && !no_key && !self.denial.partial;
        self.takes(MethodKind::Password) && !other
    }

    /// Notes what the server said; true when it let us in.
    fn took(&mut self, answer: AuthResult) -> bool {
        match answer {
            AuthResult::Success => true,
            AuthResult::Failure { remaining_methods, partial_success } => {
                self.denial.partial |= partial_success;
                self.denial.methods_left = remaining_methods.iter().map(String::from).collect();
                self.methods = Some(remaining_methods);
                false
            }
        }
    }

    /// The trouble with a key that was never offered says more than a denial of nothing.
    fn refused(self) -> Problem {
        match self.trouble {
            Some(trouble) if !self.denial.partial => trouble,
            _ => Problem::Denied(Box::new(self.denial)),
        }
    }

    async fn offer(&mut self, offer: Offer) -> Result<AuthResult, Problem> {
        let limit = self.settings.limits.auth;
        let user = self.hop.user.clone();
        let hash = match offer.public_key().algorithm() {
            Algorithm::Rsa { .. } => within(limit, rsa_hash(self.handle, self.hop.extra.sha1.login)).await?,
            _ => None,
        };
        match offer {
            Offer::Ours(key) => {
                let key = PrivateKeyWithHashAlg::new(key, hash);
                let sent = self.handle.authenticate_publickey(user, key);
                within(limit, async { sent.await.map_err(lost) }).await
            }
            Offer::OurCertificate(certificate, key) => {
                let mut signer = key_files::Unlocking::open(key);
                let sent = self.handle.authenticate_certificate_with(user, *certificate, hash, &mut signer);
                within(limit, async { self_signed(sent.await) }).await
            }
            Offer::Locked(locked) => self.offer_locked(*locked, hash, limit).await,
            Offer::OfAgent(identity) => {
                let agent = within(limit, self.agent.connect()).await?;
                let sent = async {
                    match *identity {
                        offers::AgentIdentity::PublicKey { key, .. } => {
                            self.handle.authenticate_publickey_with(user, key, hash, agent).await
                        }
                        offers::AgentIdentity::Certificate { certificate, .. } => {
                            self.handle.authenticate_certificate_with(user, certificate, hash, agent).await
                        }
                    }
                };
                within(limit, async { agent_signed(sent.await) }).await
            }
            Offer::AgentCertificate(certificate, identity) => {
                let agent = within(limit, self.agent.connect()).await?;
                let mut signer = PlainKey { agent, identity: *identity };
                let sent = self.handle.authenticate_certificate_with(user, *certificate, hash, &mut signer);
                within(limit, async { agent_signed(sent.await) }).await
            }
        }
    }

    /// The server says first whether it would take the key; only then is the passphrase asked for.
    async fn offer_locked(
        &mut self,
        locked: Locked,
        hash: Option<HashAlg>,
        limit: Duration,
    ) -> Result<AuthResult, Problem> {
        let user = self.hop.user.clone();
        let (path, key, certificate) = (locked.path.clone(), locked.public.clone(), locked.certificate.clone());
        let mut signer = key_files::Unlocking::locked(locked, self.hop, self.settings);
        let sent = async {
            match certificate {
                Some(certificate) => {
                    self.handle.authenticate_certificate_with(user, *certificate, hash, &mut signer).await
                }
                None => self.handle.authenticate_publickey_with(user, key, hash, &mut signer).await,
            }
        };
        match within(limit + self.settings.limits.person, async { Ok(sent.await) }).await? {
            Err(CannotSign::File(why)) => {
                self.trouble.get_or_insert(Problem::KeyFile { path, why });
                Ok(not_accepted())
            }
            other => self_signed(other),
        }
    }

    async fn password(&mut self, again: bool) -> Result<AuthResult, Problem> {
        let label = format!("Password of {}", self.hop.user);
        let said = if again { NOT_ACCEPTED.to_owned() } else { (self.banner)() };
        let line = Line { label, shown: false };
        let answers = self.answers(About::Password, said, vec![line]).await?;
        let password = answers.first().map(|answer| answer.expose_secret().to_owned()).unwrap_or_default();
        let sent = self.handle.authenticate_password(self.hop.user.clone(), password);
        within(self.settings.limits.auth, async { sent.await.map_err(lost) }).await
    }

    async fn interactive(&mut self, again: bool) -> Result<AuthResult, Problem> {
        let limit = self.settings.limits.auth;
        let begun = self.handle.authenticate_keyboard_interactive_start(self.hop.user.clone(), None);
        let mut reply = within(limit, async { begun.await.map_err(lost) }).await?;
        // Text without a question belongs to the question after it.
        let mut said = if again { format!("{NOT_ACCEPTED}\n") } else { (self.banner)() };
        for _ in 0..MOST_ROUNDS {
            let (name, instructions, prompts) = match reply {
                Reply::Success => return Ok(AuthResult::Success),
                Reply::Failure { remaining_methods, partial_success } => {
                    return Ok(AuthResult::Failure { remaining_methods, partial_success });
                }
                Reply::InfoRequest { name, instructions, prompts } => (name, instructions, prompts),
            };
            for text in [name, instructions] {
                said.push_str(&text);
                said.push('\n');
            }
            let answers = if prompts.is_empty() {
                Vec::new()
            } else {
                let lines = prompts.iter().map(|one| {
                    // sshd puts the text of PAM before the question, into the same prompt.
                    let text = one.prompt.trim_end();
                    let (before, label) = text.rsplit_once('\n').unwrap_or(("", text));
                    said.push_str(before);
                    said.push('\n');
                    Line { label: printable(label.trim_end_matches(':')), shown: one.echo }
                });
                let lines = lines.collect();
                self.answers(About::Interactive, std::mem::take(&mut said), lines).await?
            };
            let answers = answers.iter().map(|answer| answer.expose_secret().to_owned()).collect();
            let sent = self.handle.authenticate_keyboard_interactive_respond(answers);
            reply = within(limit, async { sent.await.map_err(lost) }).await?;
        }
        Err(Problem::Protocol("the server never has enough answers".to_owned()))
    }

    async fn answers(&mut self, about: About, said: String, lines: Vec<Line>) -> Result<Vec<SecretString>, Problem> {
        self.asked = true;
        person::answers(self.settings, self.hop, about, &said, lines).await
    }
}

/// Waits for a server or an agent.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(Problem::Timeout(limit)))
}

fn lost(error: russh::Error) -> Problem {
    Problem::Lost(printable(&error.to_string()))
}

/// As if the server had refused one key and would take another.
fn not_accepted() -> AuthResult {
    AuthResult::Failure { remaining_methods: MethodSet::from(&[MethodKind::PublicKey][..]), partial_success: false }
}

fn agent_signed(signed: Result<AuthResult, AgentAuthError>) -> Result<AuthResult, Problem> {
    match signed {
        Ok(answer) => Ok(answer),
        Err(AgentAuthError::Send(_)) => Err(Problem::Lost("while logging in".to_owned())),
        // The agent declined this one key (a person said no, a device is not there): the next may do.
        Err(error) => {
            tracing::info!(%error, "the SSH agent did not sign");
            Ok(not_accepted())
        }
    }
}

fn self_signed(signed: Result<AuthResult, CannotSign>) -> Result<AuthResult, Problem> {
    match signed {
        Ok(answer) => Ok(answer),
        Err(CannotSign::Gone) => Err(Problem::Lost("while logging in".to_owned())),
        Err(CannotSign::Key(why)) => Err(Problem::Protocol(why)),
        Err(CannotSign::File(why)) => Err(Problem::Protocol(why.to_string())),
    }
}

/// SHA-2 always: a server that knows only SHA-1 has to be upgraded, or the set-up has to ask for SHA-1 by name. One that says
/// nothing of what it takes (RFC 8308) is then taken for such a server.
async fn rsa_hash(handle: &Handle<Guard>, sha1: bool) -> Result<Option<HashAlg>, Problem> {
    let best = handle.best_supported_rsa_hash().await.map_err(lost)?.flatten();
    Ok(best.or((!sha1).then_some(HashAlg::Sha512)))
}

impl Offer {
    fn public_key(&self) -> PublicKey {
        match self {
            Self::Ours(key) | Self::OurCertificate(_, key) => key.public_key().clone(),
            Self::Locked(locked) => locked.public.clone(),
            Self::OfAgent(identity) | Self::AgentCertificate(_, identity) => identity.public_key().into_owned(),
        }
    }

    fn fingerprint(&self) -> String {
        let certificate = match self {
            Self::Locked(locked) => locked.certificate.is_some(),
            Self::OurCertificate(..) | Self::AgentCertificate(..) => true,
            Self::OfAgent(identity) => matches!(**identity, offers::AgentIdentity::Certificate { .. }),
            Self::Ours(_) => false,
        };
        let print = self.public_key().fingerprint(HashAlg::Sha256).to_string();
        if certificate { format!("the certificate of {print}") } else { print }
    }
}

//! `probe/smtp`: a mail server takes our mail: its greeting, what it offers, its certificate, our login, and whether it
//! would take a message from and to these addresses. No message is sent.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Ehlo, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::arguments::{Arguments, known};
use super::super::object::found;
use super::super::{Failure, Found, Trouble, World};
use super::certificate::{Shown, Wanted, handshake, judged};
use super::tcp::is_plain;
use super::{Asks, Miss, Origin, at, wrong};
use crate::input::SecretRef;
use crate::ssh::dial::Wire;
use crate::text::{clean, clip};

/// Enough for a greeting.
const GREETING: usize = 512;
/// For each part of the talk. A server may look our address up before it says anything (RFC 5321, 4.5.3.2, allows more).
const PATIENCE: Duration = Duration::from_secs(15);

/// `probe/smtp`
pub(in super::super) struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    /// The name that its certificate must be for.
    name: String,
    wanted: Wanted,
    banner: Option<String>,
    capabilities: Vec<String>,
    login: Option<Login>,
    sender: Option<Address>,
    recipient: Option<Address>,
}

/// Who logs in, and how.
struct Login {
    user: String,
    password: SecretRef,
    /// The first that the server offers.
    mechanisms: Vec<Mechanism>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    /// Asked for in the clear, by STARTTLS.
    Later,
    Implicit,
    /// Only for a server that is reached on a private way. No password is sent.
    No,
}

impl Smtp {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let host = arguments.text("host")?;
        let name = arguments.optional("name")?.unwrap_or_else(|| host.clone());
        for (argument, text) in [("host", &host), ("name", &name)] {
            if !is_plain(text) {
                return Err(wrong(arguments, argument, text, "no address and no name"));
            }
        }
        let tls = match arguments.one_of("tls", &["starttls", "implicit", "none"])? {
            "implicit" => Tls::Implicit,
            "none" => Tls::No,
            _ => Tls::Later,
        };
        let usual = if tls == Tls::Implicit { 465 } else { 587 };
        let mechanisms = match arguments.one_of("auth", &["any", "plain", "login", "none"])? {
            "plain" => vec![Mechanism::Plain],
            "login" => vec![Mechanism::Login],
            "none" => Vec::new(),
            _ => vec![Mechanism::Plain, Mechanism::Login],
        };
        let login = match (arguments.optional("user")?, arguments.secret("password")?) {
            _ if mechanisms.is_empty() => None,
            (None, None) => None,
            (Some(user), Some(password)) => Some(Login { user, password, mechanisms }),
            _ => {
                return Err(Failure::new(
                    "`user` and `password` are given together or not at all",
                    "Correct the step.",
                ));
            }
        };
        if login.is_some() && tls == Tls::No {
            let advice = "Take tls: starttls or implicit, or leave user and password away.";
            return Err(Failure::new("no password is sent without TLS", advice));
        }
        let (sender, recipient) = (mailbox(arguments, "mail_from")?, mailbox(arguments, "mail_to")?);
        if recipient.is_some() && sender.is_none() {
            return Err(Failure::new("`mail_to` is asked only with `mail_from`", "Correct the step."));
        }
        Ok(Smtp {
            port: arguments.port("port")?.unwrap_or(usual),
            banner: arguments.optional("banner")?,
            capabilities: arguments.list("capabilities")?,
            wanted: Wanted::new(arguments)?,
            host,
            tls,
            name,
            login,
            sender,
            recipient,
        })
    }
}

/// A mail address; none as long as it is not known.
fn mailbox(arguments: &Arguments<'_>, name: &str) -> Result<Option<Address>, Failure> {
    let Some(text) = arguments.optional(name)?.filter(|text| known(text)) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| wrong(arguments, name, &text, "no mail address"))
}

/// A connection on which the server has said what it offers, with what was seen on the way.
pub(super) struct Open {
    pub(super) connection: AsyncSmtpConnection,
    banner: String,
    offers: Vec<String>,
    certificate: Option<Shown>,
}

impl Smtp {
    fn place(&self) -> String {
        at(&self.host, self.port)
    }

    fn bad(&self, from: &Origin, what: impl std::fmt::Display) -> Miss {
        Miss::NotSo(format!("{} asked from {from}: {what}", self.place()))
    }

    /// Connects, with TLS where it is wanted, and logs in where a login is given.
    pub(super) async fn open(
        &self,
        world: &World,
        from: &Origin,
        password: Option<&SecretString>,
    ) -> Result<Open, Miss> {
        let mut open = self.greet(world, from).await?;
        if self.tls == Tls::Later {
            if !open.connection.can_starttls() {
                return Err(self.bad(from, "it offers no STARTTLS"));
            }
            let parameters = self.parameters(world, false)?;
            let begun = patiently(open.connection.starttls(parameters, &us())).await;
            if let Err(no) = begun {
                return Err(self.bad(from, self.why_no_tls(world, from, &no).await));
            }
            let chain = open.connection.certificate_chain().unwrap_or_default();
            open.certificate = Some(Shown::read(&chain, Ok(())).map_err(|why| self.bad(from, why))?);
        }
        if let Some(shown) = &open.certificate {
            world.say(&format!("{}: {}", self.place(), shown.said())).await;
            if let Some(fault) = self.wanted.fault(shown) {
                return Err(self.bad(from, fault));
            }
        }
        let said = patiently(open.connection.command(Ehlo::new(us()))).await;
        let said = said.map_err(|no| self.bad(from, format!("EHLO: {no}")))?;
        open.offers = said.message().skip(1).map(|line| clip(&clean(line.as_bytes()), 200)).collect();
        world.say(&format!("{} offers {}", self.place(), open.offers.join(", "))).await;
        if let (Some(Login { user, mechanisms, password: reference }), Some(password)) = (&self.login, password) {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            if open.connection.server_info().get_auth_mechanism(mechanisms).is_none() {
                let wanted: Vec<String> = mechanisms.iter().map(ToString::to_string).collect();
                return Err(self.bad(from, format!("it offers no AUTH {}", crate::text::either(&wanted))));
            }
            let logged_in = patiently(open.connection.auth(mechanisms, &credentials)).await;
            logged_in.map_err(|no| {
                if no.refused() {
                    world.forget_secret(reference);
                }
                self.bad(from, format!("it does not let {user} in: {no}"))
            })?;
        }
        Ok(open)
    }

    /// Connects, and hears the greeting. With implicit TLS, nothing is said before that stands.
    async fn greet(&self, world: &World, from: &Origin) -> Result<Open, Miss> {
        let mut wire = from.stream(world, &self.host, self.port).await?;
        let mut certificate = None;
        if self.tls == Tls::Implicit {
            let (stream, shown) = handshake(world, &self.wanted, wire, &self.name).await?;
            if let Some(fault) = self.wanted.fault(&shown) {
                return Err(self.bad(from, format!("{fault}; {}", shown.said())));
            }
            (wire, certificate) = (Box::new(stream), Some(shown));
        }
        let heard = Arc::new(Mutex::new(Vec::new()));
        let stream = Box::new(Listening { wire: Mutex::new(wire), heard: heard.clone() });
        let connected = patiently(AsyncSmtpConnection::connect_with_transport(stream, &us())).await;
        let first = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let banner = clean(&first).lines().next().unwrap_or_default().to_owned();
        let connection = match connected {
            Ok(connection) => connection,
            Err(no) if banner.is_empty() => {
                return Err(self.bad(from, format!("it is open, but there is no greeting of a mail server: {no}")));
            }
            Err(no) => return Err(self.bad(from, format!("it greets with \"{banner}\", and then: {no}"))),
        };
        world.say(&format!("{} greets {from}: {banner}", self.place())).await;
        if let Some(wanted) = self.banner.as_ref().filter(|wanted| !banner.contains(*wanted)) {
            return Err(self.bad(from, format!("it greets with \"{banner}\", without \"{wanted}\"")));
        }
        Ok(Open { connection, banner, offers: Vec::new(), certificate })
    }

    fn parameters(&self, world: &World, anything: bool) -> Result<TlsParameters, Miss> {
        let broken =
            |error: Error| Miss::unknown(format!("this machine cannot do TLS: {error}"), "Look at its set-up.");
        let mut builder = TlsParameters::builder(self.name.clone())
            .dangerous_accept_invalid_certs(anything)
            .dangerous_accept_invalid_hostnames(anything);
        for authority in self.wanted.authorities(world) {
            builder = builder.add_root_certificate(Certificate::from_der(authority.to_vec()).map_err(broken)?);
        }
        builder.build().map_err(broken)
    }

    /// Looks at the certificate that was not accepted, on a connection that carries nothing else.
    async fn why_no_tls(&self, world: &World, from: &Origin, no: &No) -> String {
        let look = async {
            let mut open = self.greet(world, from).await.ok()?;
            patiently(open.connection.starttls(self.parameters(world, true).ok()?, &us())).await.ok()?;
            judged(world, &self.wanted, &open.connection.certificate_chain().ok()?, &self.name).ok()
        };
        let Some(shown) = look.await else { return format!("STARTTLS: {no}") };
        let why = shown.verdict.clone().err().unwrap_or_else(|| format!("STARTTLS: {no}"));
        format!("{why}; it shows a {}", shown.said())
    }

    /// Would it take such a message? It is asked, and then told to forget it.
    async fn would_take(&self, open: &mut Open, from: &Origin) -> Result<(), Miss> {
        let Some(sender) = &self.sender else { return Ok(()) };
        let taken = patiently(open.connection.command(Mail::new(Some(sender.clone()), Vec::new()))).await;
        taken.map_err(|no| self.bad(from, format!("it takes no mail from {sender}: {no}")))?;
        if let Some(recipient) = &self.recipient {
            let taken = patiently(open.connection.command(Rcpt::new(recipient.clone(), Vec::new()))).await;
            taken.map_err(|no| self.bad(from, format!("it takes no mail to {recipient}: {no}")))?;
        }
        // It forgets them at the end of the connection, too.
        let _ = patiently(open.connection.command(Rset)).await;
        Ok(())
    }

    pub(super) async fn password(&self, world: &World) -> Result<Option<SecretString>, Miss> {
        match &self.login {
            None => Ok(None),
            Some(login) => match world.secret(&login.password).await {
                Ok(password) => Ok(Some(password)),
                Err(question) => Err(Miss::Unknown(Trouble::Question(question))),
            },
        }
    }

    pub(super) fn addresses(&self) -> (Option<&Address>, Option<&Address>) {
        (self.sender.as_ref(), self.recipient.as_ref())
    }
}

#[async_trait]
impl Asks for Smtp {
    fn whom(&self) -> String {
        self.place()
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        let password = self.password(world).await?;
        let mut open = self.open(world, from, password.as_ref()).await?;
        let has = |wanted: &String| {
            let offer = |line: &String| line.split([' ', '=']).next().unwrap_or_default().to_uppercase();
            open.offers.iter().any(|line| line.eq_ignore_ascii_case(wanted) || offer(line) == wanted.to_uppercase())
        };
        // STARTTLS is no longer offered once it is done.
        let missing: Vec<&String> = self
            .capabilities
            .iter()
            .filter(|wanted| !(has(wanted) || self.tls == Tls::Later && wanted.eq_ignore_ascii_case("STARTTLS")))
            .collect();
        if !missing.is_empty() {
            let (missing, offers) = (crate::text::list(&missing), open.offers.join(", "));
            return Err(self.bad(from, format!("it does not offer {missing}; it offers {offers}")));
        }
        self.would_take(&mut open, from).await?;
        let _ = patiently(open.connection.quit()).await;
        let how = match self.tls {
            Tls::Later => "STARTTLS",
            Tls::Implicit => "TLS",
            Tls::No => "no TLS",
        };
        let mut said = format!("{} greets {from} with \"{}\", {how}", self.place(), clip(&open.banner, 60));
        if let Some(shown) = &open.certificate {
            said += &format!(" (certificate until {})", shown.until());
        }
        if let Some(Login { user, .. }) = &self.login {
            said += &format!(", lets {user} in");
        }
        if let Some(sender) = &self.sender {
            let to = self.recipient.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
            said += &format!(", would take mail from {sender}{to}");
        }
        let certificate = open.certificate.as_ref().map_or(Json::Null, Shown::output);
        Ok(found(said, json!({ "banner": open.banner, "offers": open.offers, "certificate": certificate })))
    }
}

/// How we call ourselves.
fn us() -> ClientId {
    ClientId::default()
}

/// Why a part of the talk did not go well.
#[derive(Debug)]
pub(super) enum No {
    Silent,
    Said(Error),
}

impl No {
    /// The server has answered, and refused: what was sent has had no effect.
    pub(super) fn refused(&self) -> bool {
        matches!(self, No::Said(error) if error.is_permanent() || error.is_transient())
    }
}

impl std::fmt::Display for No {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let No::Said(error) = self else { return f.write_str("no answer") };
        let mut source = std::error::Error::source(error);
        let mut last = None;
        while let Some(error) = source {
            last = Some(error.to_string());
            source = error.source();
        }
        let code = error.status().map(|code| code.to_string());
        let said = clip(&clean(last.unwrap_or_else(|| error.to_string()).as_bytes()), 200);
        match code {
            Some(code) => write!(f, "{code} {said}{}", meaning(&code)),
            None => f.write_str(&said),
        }
    }
}

/// What codes mean at mail servers (domain specification, 5.3).
fn meaning(code: &str) -> &'static str {
    match code {
        "421" => " (too many connections, or it is shutting down)",
        "454" => " (it cannot check logins now, or we are too fast)",
        "530" => " (it wants a login first)",
        "535" => {
            " (user or password is wrong; at SES: the secret key instead of the password derived from it, or another \
             region's)"
        }
        "550" | "551" | "553" => " (it does not know or does not accept the address)",
        "552" => " (too large)",
        "554" => " (it takes no mail here; at SES, the sender is not verified, or the account is in the sandbox)",
        _ => "",
    }
}

/// One part of the talk.
pub(super) async fn patiently<T>(talk: impl Future<Output = Result<T, Error>>) -> Result<T, No> {
    match tokio::time::timeout(PATIENCE, talk).await {
        Ok(done) => done.map_err(No::Said),
        Err(_) => Err(No::Silent),
    }
}

/// A wire that keeps the first bytes that came over it: lettre does not tell the greeting.
struct Listening {
    /// Never contended: whoever reads or writes has it alone. lettre wants it to be shareable.
    wire: Mutex<Box<dyn Wire>>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Listening {
    fn wire(&mut self) -> Pin<&mut Box<dyn Wire>> {
        Pin::new(self.wire.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listening")
    }
}

impl AsyncRead for Listening {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = self.wire().poll_read(cx, buf);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let room = GREETING.saturating_sub(heard.len());
        heard.extend(buf.filled().iter().skip(before).take(room));
        drop(heard);
        polled
    }
}

impl AsyncWrite for Listening {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.wire().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire().poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Listening {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

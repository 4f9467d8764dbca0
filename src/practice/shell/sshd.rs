//! The SSH server of a virtual host: russh's server, told what to do by the host's sshd_config.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::keys::{HashAlg, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey, run_stream,
};
use russh::{Channel, ChannelOpenFailure, Disconnect, MethodKind, MethodSet, SshId};
use tokio::io::DuplexStream;

use super::account::Account;
use super::authorized_keys::{self, Grant};
use super::exec;
use super::image;
use super::machine::{Connection, Machine};
use super::sshd_config::{SshdConfig, Subject, listed};
use crate::practice::net::Reach;

/// How long a forwarded connection waits for its target: Linux gives up on a SYN after about that (tcp(7),
/// tcp_syn_retries).
const CONNECT_LIMIT: Duration = Duration::from_secs(127);

/// Serves one connection to its end, or until the host goes away.
pub async fn serve(machine: Arc<Machine>, ends: Connection, reach: Reach, wire: DuplexStream) {
    // With ssh.socket a broken sshd still has a port: the connection is taken and dropped.
    if !machine.wake_sshd().await {
        return;
    }
    let _open = machine.note_connection(ends);
    let Some(config) = machine.with(|state| state.sshd.running.clone()) else { return };
    let server = server_config(&machine, &config).await;
    let grace = Duration::from_secs(config.number("logingracetime", None) as u64);
    let logged_in = Arc::new(AtomicUsize::new(0));
    let handler = Login {
        machine: machine.clone(),
        config: Arc::new(config),
        ends,
        reach,
        user: None,
        grant: Grant::default(),
        sessions: Arc::default(),
        logged_in: logged_in.clone(),
    };
    let Ok(session) = run_stream(Arc::new(server), wire, handler).await else { return };
    let handle = session.handle();
    let late = async {
        tokio::time::sleep(grace).await;
        if grace.is_zero() || logged_in.load(Ordering::Relaxed) > 0 {
            std::future::pending::<()>().await;
        }
    };
    let why = tokio::select! {
        _ = session => return,
        () = machine.power.cancelled() => "the host went down",
        () = late => "Timeout before authentication",
    };
    // The other side may be gone already.
    let _ = handle.disconnect(Disconnect::ByApplication, why.to_string(), String::new()).await;
}

async fn server_config(machine: &Machine, config: &SshdConfig) -> Config {
    let mut methods = vec![];
    for (method, keyword) in [
        (MethodKind::PublicKey, "pubkeyauthentication"),
        (MethodKind::Password, "passwordauthentication"),
        (MethodKind::KeyboardInteractive, "kbdinteractiveauthentication"),
    ] {
        methods.extend(config.on(keyword, None).then_some(method));
    }
    let alive = config.number("clientaliveinterval", None) as u64;
    Config {
        server_id: SshId::Standard(format!("SSH-2.0-{}", machine.image.openssh()).into()),
        methods: MethodSet::from(methods.as_slice()),
        keys: image::read_host_keys(&machine.disk).await,
        max_auth_attempts: config.number("maxauthtries", None),
        auth_rejection_time: Duration::from_millis(20),
        auth_rejection_time_initial: Some(Duration::ZERO),
        inactivity_timeout: None,
        keepalive_interval: (alive > 0).then(|| Duration::from_secs(alive)),
        keepalive_max: config.number("clientalivecountmax", None),
        ..Config::default()
    }
}

/// One connection, from its key exchange to its end.
struct Login {
    machine: Arc<Machine>,
    config: Arc<SshdConfig>,
    ends: Connection,
    reach: Reach,
    user: Option<Account>,
    grant: Grant,
    sessions: Arc<AtomicUsize>,
    logged_in: Arc<AtomicUsize>,
}

impl Login {
    fn subject(&self, user: &Account) -> Subject {
        Subject {
            user: user.name.clone(),
            groups: user.groups.clone(),
            host: self.ends.peer.ip().to_string(),
            address: Some(self.ends.peer.ip()),
            local_port: Some(self.ends.local.port()),
        }
    }

    /// The account, if it exists and the lists of users and groups let it in.
    async fn admitted(&self, name: &str) -> Option<Account> {
        let Some(user) = Account::find(&self.machine.disk, name).await else {
            self.log(format!("Invalid user {name} from {}", self.ends.peer.ip()));
            return None;
        };
        let subject = self.subject(&user);
        let root = self.config.value("permitrootlogin", Some(&subject));
        let nobody =
            user.shell.ends_with("nologin") || user.shell.ends_with("/false") || (user.is_root() && root == "no");
        if nobody || !self.lists_admit(&user, &subject) {
            self.log(format!("User {name} from {} not allowed because not listed in AllowUsers", self.ends.peer.ip()));
            return None;
        }
        Some(user)
    }

    /// DenyUsers, AllowUsers, DenyGroups, AllowGroups, in that order (sshd_config(5)).
    fn lists_admit(&self, user: &Account, subject: &Subject) -> bool {
        let list = |name: &str| self.config.every(name, Some(subject));
        let address = self.ends.peer.ip().to_string();
        let user_in = |patterns: &[&str]| {
            patterns.iter().any(|pattern| match pattern.split_once('@') {
                Some((name, host)) => listed(name, &user.name) && listed(host, &address),
                None => listed(pattern, &user.name),
            })
        };
        let group_in =
            |patterns: &[&str]| patterns.iter().any(|pattern| user.groups.iter().any(|group| listed(pattern, group)));
        let (allowed, groups) = (list("allowusers"), list("allowgroups"));
        !user_in(&list("denyusers"))
            && (allowed.is_empty() || user_in(&allowed))
            && !group_in(&list("denygroups"))
            && (groups.is_empty() || group_in(&groups))
    }

    async fn granted(&self, name: &str, key: &PublicKey) -> Option<(Account, Grant)> {
        let user = self.admitted(name).await?;
        let subject = self.subject(&user);
        if !self.config.on("pubkeyauthentication", Some(&subject)) {
            return None;
        }
        let files = self.config.value("authorizedkeysfile", Some(&subject));
        let strict = self.config.on("strictmodes", None);
        let grant = authorized_keys::find(&self.machine.disk, &user, &files, strict, key, self.ends.peer.ip()).await?;
        Some((user, grant))
    }

    /// Does sshd_config let this user forward to that target?
    fn may_forward(&self, user: &Account, host: &str, port: u32) -> bool {
        let subject = self.subject(user);
        let allow = self.config.value("allowtcpforwarding", Some(&subject));
        let forwarding =
            !self.config.on("disableforwarding", Some(&subject)) && ["yes", "local"].contains(&allow.as_str());
        let open = self.config.value("permitopen", Some(&subject));
        let opened = open == "any"
            || open.split_whitespace().any(|one| {
                one.rsplit_once(':').is_some_and(|(h, p)| {
                    (h == "*" || h.trim_matches(['[', ']']) == host) && (p == "*" || p == port.to_string())
                })
            });
        forwarding && opened && self.grant.forwarding
    }

    fn log(&self, line: String) {
        self.machine.log(self.machine.image.sshd_unit(), line);
    }
}

impl Handler for Login {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        let known = self.granted(user, offer.public_key).await.is_some();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let Some((account, grant)) = self.granted(user, key.public_key).await else { return Ok(Auth::reject()) };
        let fingerprint = key.public_key.fingerprint(HashAlg::Sha256);
        self.log(format!("Accepted publickey for {user} from {} ssh2: {fingerprint}", self.ends.peer.ip()));
        self.logged_in.store(1, Ordering::Relaxed);
        self.user = Some(account);
        self.grant = grant;
        Ok(Auth::Accept)
    }

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        let path = self.config.value("banner", None);
        Ok(if path == "none" { None } else { self.machine.disk.text(path).await })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(user) = self.user.clone() else { return Ok(()) };
        let most = self.config.number("maxsessions", Some(&self.subject(&user)));
        if self.sessions.fetch_add(1, Ordering::Relaxed) >= most {
            self.sessions.fetch_sub(1, Ordering::Relaxed);
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        }
        reply.accept().await;
        let shell = super::Session::new(self.machine.clone(), user, Some(self.reach.clone()));
        let (open, handle, ends) = (self.sessions.clone(), session.handle(), self.ends);
        tokio::spawn(async move {
            exec::serve(channel, handle, shell, ends).await;
            open.fetch_sub(1, Ordering::Relaxed);
        });
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(user) = self.user.clone().filter(|user| self.may_forward(user, host, port)) else {
            self.log(format!(
                "refused local port forward: originator {} target {host} port {port}",
                self.ends.peer.ip()
            ));
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        };
        self.log(format!("direct-tcpip of {}: {host} port {port}", user.name));
        let (reach, machine, host) = (self.reach.clone(), self.machine.clone(), host.to_string());
        tokio::spawn(async move {
            let port = u16::try_from(port).unwrap_or_default();
            match tokio::time::timeout(CONNECT_LIMIT, reach.dial(&machine, &host, port)).await {
                Ok(Ok(mut wire)) => {
                    reply.accept().await;
                    let mut stream = channel.into_stream();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut stream, &mut wire) => {}
                        () = machine.power.cancelled() => {}
                    }
                }
                Ok(Err(error)) => reply.reject(unconnected(&error)).await,
                Err(_) => reply.reject(unconnected(&io::ErrorKind::TimedOut.into())).await,
            }
        });
        Ok(())
    }
}

/// As OpenSSH says it: why the target was not reached, in the words of the C library (channels.c, RFC 4254 5.1).
fn unconnected(error: &io::Error) -> ChannelOpenFailure {
    let reason = match error.kind() {
        io::ErrorKind::ConnectionRefused => "Connection refused",
        io::ErrorKind::HostUnreachable => "No route to host",
        io::ErrorKind::TimedOut => "Connection timed out",
        _ => &error.to_string(),
    };
    ChannelOpenFailure::Other { code: ChannelOpenFailure::ConnectFailed.code(), reason: reason.to_owned() }
}

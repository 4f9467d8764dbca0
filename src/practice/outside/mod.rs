//! What is outside the cloud of practice, and answers there: names, time, mail and pages, of the Internet and of the
//! customer's data centre. Nothing leaves the process.
//!
//! It answers at the usual ports, at whatever address is asked: practice cannot know which server somebody names in a
//! form. What the customer's own firewall lets through is not practised.

mod certificate;
mod mail;
mod names;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::datacentre;
use super::net::{Gate, Source};
use crate::net::{Clock, Net, NoTime};
use certificate::Authority;
use mail::Passwords;
pub use names::{Caller, Reply, look_up, question};

/// Where the engineer's machine asks for names.
pub const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 53);
const DNS: u16 = 53;
const NTP: u16 = 123;

/// What answers outside.
#[derive(Default)]
pub struct Outside {
    /// Made when somebody first needs it.
    authority: OnceLock<Arc<Authority>>,
    pub passwords: Arc<Passwords>,
}

/// What a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Names,
    Mail { tls: bool },
    Pages { tls: bool },
}

impl Service {
    fn at(port: u16) -> Option<Service> {
        Some(match port {
            DNS => Service::Names,
            25 | 587 | 2525 | 2587 => Service::Mail { tls: false },
            465 | 2465 => Service::Mail { tls: true },
            80 | 3128 | 8080 => Service::Pages { tls: false },
            443 => Service::Pages { tls: true },
            _ => return None,
        })
    }
}

/// The address of a name outside: always the same one, of the addresses that are for documentation (RFC 5737); that of the
/// customer's mirror is in the data centre.
pub fn address_of(name: &str) -> Option<IpAddr> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name = name.trim_end_matches('.').to_lowercase();
    if !name.contains('.') || name.len() > 253 || !name.chars().all(plain) {
        return None;
    }
    if name == datacentre::MIRROR {
        return Some(datacentre::MIRROR_INSIDE.into());
    }
    let last = blake3::hash(name.as_bytes()).as_bytes()[0] % 200 + 20;
    Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
}

impl Outside {
    fn authority(&self) -> Arc<Authority> {
        self.authority.get_or_init(|| Arc::new(Authority::new())).clone()
    }

    /// What a host trusts when it connects by TLS.
    ///
    /// # Errors
    /// The authority has no key.
    pub fn connector(&self) -> io::Result<TlsConnector> {
        self.authority().connector()
    }

    /// Does anything answer at that port?
    pub fn serves(port: u16) -> bool {
        Service::at(port).is_some()
    }

    /// Serves one connection that was made to `to`, an address or a name.
    pub fn serve(&self, caller: Caller, to: &str, port: u16, wire: DuplexStream) {
        let Some(service) = Service::at(port) else { return };
        let (authority, passwords, to) = (self.authority(), self.passwords.clone(), to.to_owned());
        tokio::spawn(async move {
            // How a connection ends is for whoever made it to see.
            let _ = attend(service, &authority, (&caller, &passwords), &to, wire).await;
        });
    }
}

async fn attend(
    service: Service,
    authority: &Authority,
    (caller, passwords): (&Caller, &Passwords),
    to: &str,
    mut wire: DuplexStream,
) -> io::Result<()> {
    let acceptor = || authority.acceptor(to).map(TlsAcceptor::from);
    let whom = (caller, passwords);
    match service {
        Service::Names => {
            while let Ok(length) = wire.read_u16().await {
                let mut question = vec![0; usize::from(length)];
                wire.read_exact(&mut question).await?;
                let answer = names::answer(caller, &question).await.ok_or(io::ErrorKind::InvalidData)?;
                wire.write_u16(u16::try_from(answer.len()).map_err(io::Error::other)?).await?;
                wire.write_all(&answer).await?;
            }
            Ok(())
        }
        Service::Mail { tls: false } => {
            if let Some(bare) = mail::talk(wire, to, whom, mail::Talk { greets: true, offers_tls: true }).await? {
                mail::talk(acceptor()?.accept(bare).await?, to, whom, mail::Talk::default()).await?;
            }
            Ok(())
        }
        Service::Mail { tls: true } => {
            let talk = mail::Talk { greets: true, offers_tls: false };
            mail::talk(acceptor()?.accept(wire).await?, to, whom, talk).await.map(drop)
        }
        Service::Pages { tls: false } => page(wire, authority, &body_of(to, caller)).await,
        Service::Pages { tls: true } => page(acceptor()?.accept(wire).await?, authority, &body_of(to, caller)).await,
    }
}

/// What stands on a page. AWS has one that tells whoever asks from which address they come.
fn body_of(to: &str, caller: &Caller) -> String {
    match to {
        "checkip.amazonaws.com" => format!("{}\n", caller.from.address()),
        _ => "<p>A page of practice.</p>\n".to_owned(),
    }
}

/// One request and its answer; a proxy's answer where it is asked for a tunnel.
async fn page(mut wire: impl mail::Stream, authority: &Authority, body: &str) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 * 1024 {
        head.push(wire.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method == "CONNECT" {
        wire.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        wire.flush().await?;
        let (host, port) = target.rsplit_once(':').unwrap_or((target, "443"));
        let tls = authority.acceptor(host).map(TlsAcceptor::from)?;
        // A tunnel through a tunnel is not practised.
        return if port == "443" { answer(tls.accept(wire).await?, body).await } else { answer(wire, body).await };
    }
    reply(&mut wire, method, body).await
}

async fn answer(mut wire: impl mail::Stream, body: &str) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 * 1024 {
        head.push(wire.read_u8().await?);
    }
    let method = if head.starts_with(b"HEAD ") { "HEAD" } else { "GET" };
    reply(&mut wire, method, body).await
}

async fn reply(wire: &mut impl mail::Stream, method: &str, body: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    wire.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        wire.write_all(body.as_bytes()).await?;
    }
    wire.flush().await?;
    wire.shutdown().await
}

/// From the engineer's machine: what is on the Internet. Private addresses are not routed to there.
pub struct FromHere {
    pub outside: Arc<Outside>,
    pub gate: Arc<dyn Gate>,
}

#[async_trait]
impl Net for FromHere {
    async fn exchange(&self, server: &str, port: u16, datagram: &[u8]) -> io::Result<Vec<u8>> {
        if !is_public(server)? || port != DNS {
            return std::future::pending().await;
        }
        let server = server.parse().ok().or_else(|| address_of(server)).unwrap_or(NAME_SERVER.into());
        match names::answer(&Caller { from: Source::ENGINEER, server, gate: self.gate.clone() }, datagram).await {
            Some(answer) => Ok(answer),
            None => std::future::pending().await,
        }
    }

    async fn clock(&self, server: &str, port: u16, _limit: Duration) -> Result<Clock, NoTime> {
        let public = is_public(server).map_err(|error| NoTime::NotAsked(error.to_string()))?;
        if !public || port != NTP {
            return Err(NoTime::Silent);
        }
        Ok(Clock { offset: 0.0004, delay: 0.012, stratum: 2, reference: NAME_SERVER.to_string() })
    }

    fn name_servers(&self) -> io::Result<Vec<String>> {
        Ok(vec![NAME_SERVER.to_string()])
    }

    /// A mailbox of practice: what the reader of `…/USER/DOMAIN` saved.
    async fn message(&self, path: &str, _most: u64) -> io::Result<Vec<u8>> {
        let mut parts = path.trim_matches('/').rsplit('/');
        let (domain, user) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let found = self.gate.mailbox(&format!("{user}@{domain}")).await;
        let none = || io::Error::new(io::ErrorKind::NotFound, format!("nothing has come for {user}@{domain}"));
        found.map(String::into_bytes).ok_or_else(none)
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        vec![self.outside.authority().certificate().to_vec()]
    }
}

fn is_public(server: &str) -> io::Result<bool> {
    let address = server.parse().ok().or_else(|| address_of(server));
    match address {
        Some(IpAddr::V4(v4)) => Ok(!v4.is_private() && !v4.is_loopback() && !v4.is_link_local()),
        Some(IpAddr::V6(v6)) => Ok(!v6.is_unique_local() && !v6.is_loopback()),
        None => Err(io::Error::new(io::ErrorKind::NotFound, format!("{server}: name or service not known"))),
    }
}

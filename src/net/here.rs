//! The network of the machine that onramp runs on.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use rsntp::{AsyncSntpClient, Config, KissCode, ProtocolError, SynchronizationError};
use tokio::net::UdpSocket;

use super::{Clock, Net, NoTime};

/// The largest datagram that is taken.
const LARGEST: usize = 65_535;

/// The network of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Here;

/// The first address of a server.
async fn address(server: &str, port: u16) -> io::Result<SocketAddr> {
    let server = server.trim_start_matches('[').trim_end_matches(']');
    let mut found = tokio::net::lookup_host((server, port)).await?;
    found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{server} has no address")))
}

/// Any port of our own, of the same family.
fn own_end(there: SocketAddr) -> SocketAddr {
    match there {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

#[async_trait]
impl Net for Here {
    async fn exchange(&self, server: &str, port: u16, datagram: &[u8]) -> io::Result<Vec<u8>> {
        let there = address(server, port).await?;
        let socket = UdpSocket::bind(own_end(there)).await?;
        // Connected: the kernel takes nothing from anybody else, and tells of a refusal.
        socket.connect(there).await?;
        socket.send(datagram).await?;
        let mut answer = vec![0; LARGEST];
        let length = socket.recv(&mut answer).await?;
        answer.truncate(length);
        Ok(answer)
    }

    async fn clock(&self, server: &str, port: u16, limit: Duration) -> Result<Clock, NoTime> {
        let there = address(server, port).await.map_err(|error| NoTime::NotAsked(error.to_string()))?;
        let config = Config::default().bind_address(own_end(there)).timeout(limit);
        let answer = AsyncSntpClient::with_config(config).synchronize(there).await.map_err(no_time)?;
        Ok(Clock {
            offset: answer.clock_offset().as_secs_f64(),
            delay: answer.round_trip_delay().as_secs_f64(),
            stratum: answer.stratum(),
            reference: answer.reference_identifier().to_string(),
        })
    }

    fn name_servers(&self) -> io::Result<Vec<String>> {
        let (config, _options) = hickory_resolver::system_conf::read_system_conf().map_err(io::Error::other)?;
        let mut servers: Vec<IpAddr> = config.name_servers().iter().map(|server| server.ip).collect();
        servers.dedup();
        Ok(servers.iter().map(ToString::to_string).collect())
    }

    async fn message(&self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let path = path.strip_prefix("~/").map_or_else(|| PathBuf::from(path), |below| home.join(below));
        let length = tokio::fs::metadata(&path).await?.len();
        if length > most {
            let why = format!("it has {length} bytes, and {most} is the most: send a message without attachments");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        tokio::fs::read(path).await
    }
}

fn no_time(error: SynchronizationError) -> NoTime {
    match error {
        SynchronizationError::IOError(error) => match error.kind() {
            io::ErrorKind::TimedOut => NoTime::Silent,
            io::ErrorKind::ConnectionRefused => NoTime::Refused,
            _ => NoTime::NotAsked(error.to_string()),
        },
        // Before it is synchronised, a server says stratum 0 and names no reason: chrony does, and others say INIT.
        SynchronizationError::ProtocolError(
            ProtocolError::ServerNotSynchronized
            | ProtocolError::KissODeath(KissCode::Unknown | KissCode::AssociationNotYetSynchronized),
        ) => NoTime::Unsynchronised,
        SynchronizationError::ProtocolError(ProtocolError::KissODeath(code)) => {
            NoTime::Denied(code.to_string().trim().to_owned())
        }
        SynchronizationError::ProtocolError(error) => NoTime::Broken(error.to_string()),
    }
}

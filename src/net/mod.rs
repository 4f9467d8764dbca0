//! What probes need of the network beside the streams that `ssh` opens: datagrams, clocks, name servers, mail that came,
//! and whose certificates are trusted.
//!
//! Uses: nothing.
//!
//! One seam, [`Net`], where practice plugs in. What a question means, and what a good answer is, is for `action`.
//! Deliberately absent: streams (they are `ssh::Dial`'s, so that a host's hops carry them too), retries, protocols.

mod here;

use std::fmt;
use std::io;
use std::time::Duration;

use async_trait::async_trait;

pub use here::Here;

/// The network as one machine sees it. Whoever asks sets the time limit, and gives up by dropping the question.
#[async_trait]
pub trait Net: Send + Sync {
    /// Sends one UDP datagram to `server` (an address or a name) and gives the first that comes back from there.
    ///
    /// # Errors
    /// The name is not known, nothing listens there, or there is no way to it. Silence is no error: it never ends.
    async fn exchange(&self, server: &str, port: u16, datagram: &[u8]) -> io::Result<Vec<u8>>;

    /// Asks a time server for its time, once (SNTP, RFC 5905 section 14).
    ///
    /// # Errors
    /// See [`NoTime`].
    async fn clock(&self, server: &str, port: u16, limit: Duration) -> Result<Clock, NoTime>;

    /// The name servers that this machine itself asks, in its order.
    ///
    /// # Errors
    /// They cannot be read.
    fn name_servers(&self) -> io::Result<Vec<String>>;

    /// A message as its reader saved it, in a file on this machine: at most so many bytes of it.
    ///
    /// # Errors
    /// It cannot be read, or is longer.
    async fn message(&self, path: &str, most: u64) -> io::Result<Vec<u8>>;

    /// Certificate authorities (DER) that are trusted here, beside those of the system.
    fn authorities(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

/// What a time server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// Its time less ours, in seconds.
    pub offset: f64,
    /// There and back, in seconds.
    pub delay: f64,
    /// 1 for a server with a clock of its own, one more for each server between.
    pub stratum: u8,
    /// Where it has its time from: an address, or a name such as `GPS`.
    pub reference: String,
}

/// Why there is no time from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoTime {
    /// Nothing came back in time.
    Silent,
    /// Nothing listens there.
    Refused,
    /// It does not know the time itself: not synchronised, or stratum 16.
    Unsynchronised,
    /// It answered that it will not: a kiss-o'-death packet.
    Denied(String),
    /// It answered something that is no time.
    Broken(String),
    /// The tool that asked cannot tell silence from a server that does not know the time.
    NoneGiven,
    /// It could not be asked.
    NotAsked(String),
}

impl fmt::Display for NoTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoTime::Silent => f.write_str("it does not answer"),
            NoTime::Refused => f.write_str("nothing listens there"),
            NoTime::Unsynchronised => f.write_str("it answers, but its own clock is not synchronised"),
            NoTime::Denied(why) => write!(f, "it refuses: {why}"),
            NoTime::Broken(why) => write!(f, "its answer is no time: {why}"),
            NoTime::NoneGiven => {
                f.write_str("it gives no time: it does not answer, or its own clock is not synchronised")
            }
            NoTime::NotAsked(why) => write!(f, "it could not be asked: {why}"),
        }
    }
}

/// No network at all: for worlds that were given none. Nothing gets out by mistake.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

#[async_trait]
impl Net for Nowhere {
    async fn exchange(&self, _server: &str, _port: u16, _datagram: &[u8]) -> io::Result<Vec<u8>> {
        Err(none())
    }

    async fn clock(&self, _server: &str, _port: u16, _limit: Duration) -> Result<Clock, NoTime> {
        Err(NoTime::NotAsked(none().to_string()))
    }

    fn name_servers(&self) -> io::Result<Vec<String>> {
        Err(none())
    }

    async fn message(&self, _path: &str, _most: u64) -> io::Result<Vec<u8>> {
        Err(none())
    }
}

fn none() -> io::Error {
    io::Error::new(io::ErrorKind::NetworkUnreachable, "there is no network here")
}

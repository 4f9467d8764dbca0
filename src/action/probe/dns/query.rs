//! One question to one name server, over UDP or TCP, and its answer.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::super::super::World;
use super::super::{Miss, Origin, Shut, at, no_way, shut};
use super::{Way, record};
use crate::net::Net;
use crate::ssh::{Hop, Pool};
use crate::text::duration;

/// For each datagram, and for a whole exchange over TCP.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Datagrams get lost.
const TRIES: usize = 2;
/// What fits into a datagram on every path (DNS flag day 2020).
const FITS: u16 = 1_232;

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Server {
    At(String, u16),
    /// Whomever the host asks by itself.
    Own,
}

impl Server {
    pub(super) fn said(&self) -> String {
        match self {
            Server::At(server, 53) => server.clone(),
            Server::At(server, port) => at(server, *port),
            Server::Own => "its own resolver".to_owned(),
        }
    }
}

/// What a name server answered.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Answer {
    pub(super) code: ResponseCode,
    /// Value and time to live of the records of the type that was asked for.
    pub(super) records: Vec<(String, u32)>,
    /// `UDP` or `TCP`.
    pub(super) over: &'static str,
    pub(super) authoritative: bool,
    /// Validated: by the server as it says itself, or here.
    pub(super) genuine: bool,
    /// Why it was not validated here.
    pub(super) doubt: Option<String>,
    pub(super) took: Duration,
}

impl Answer {
    pub(super) fn of(message: &Message, kind: RecordType, over: &'static str, took: Duration) -> Answer {
        let of_type = message.answers.iter().filter(|record| record.record_type() == kind);
        Answer {
            code: message.metadata.response_code,
            records: of_type.map(|record| (record::value(&record.data), record.ttl)).collect(),
            over,
            authoritative: message.metadata.authoritative,
            genuine: message.metadata.authentic_data,
            doubt: None,
            took,
        }
    }

    /// The values, sorted: servers turn them round.
    pub(in super::super) fn values(&self) -> Vec<String> {
        let mut values: Vec<String> = self.records.iter().map(|(value, _)| value.clone()).collect();
        values.sort();
        values
    }

    pub(in super::super) fn code(&self) -> ResponseCode {
        self.code
    }

    pub(super) fn ttl(&self) -> Option<u32> {
        self.records.iter().map(|(_, ttl)| *ttl).min()
    }

    pub(super) fn doubt(&self) -> &str {
        self.doubt.as_deref().unwrap_or("it is not signed")
    }

    /// One line for the step's output.
    pub(super) fn said(&self) -> String {
        let values = if self.records.is_empty() { "no such record".to_owned() } else { self.values().join(", ") };
        let ttl = self.ttl().map(|ttl| format!(", TTL {ttl}")).unwrap_or_default();
        let flags = [(self.authoritative, " aa"), (self.genuine, " ad")];
        let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag).collect();
        format!("{} {values}{ttl} ({}{flags}, {})", self.code, self.over, duration(self.took))
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum NoAnswer {
    Silent,
    Refused,
    Other(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAnswer::Silent => f.write_str("does not answer: a firewall drops it, or there is no way there or back"),
            NoAnswer::Refused => f.write_str("is no name server: nothing listens there"),
            NoAnswer::Other(why) => write!(f, "gives no answer: {why}"),
        }
    }
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => NoAnswer::Refused,
            io::ErrorKind::TimedOut => NoAnswer::Silent,
            _ => NoAnswer::Other(error.to_string()),
        }
    }
}

impl From<Shut> for NoAnswer {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Refused => NoAnswer::Refused,
            Shut::Silent => NoAnswer::Silent,
            Shut::Other(why) => NoAnswer::Other(why),
        }
    }
}

/// Asks one server, again and again if need be.
#[derive(Clone)]
pub(in super::super) struct Asker {
    net: Arc<dyn Net>,
    ssh: Arc<Pool>,
    hops: Vec<Hop>,
    server: String,
    port: u16,
    way: Way,
}

impl Asker {
    /// # Errors
    /// There is no way to the host that asks, or none to the server from it.
    pub(super) async fn new(world: &World, from: &Origin, server: &str, port: u16, way: Way) -> Result<Asker, Miss> {
        let hops = from.hops(world).await?;
        let asker =
            Asker { net: world.net.clone(), ssh: world.ssh.clone(), hops, server: server.to_owned(), port, way };
        // What is wrong on the way to the host says nothing of the name server.
        if !asker.hops.is_empty()
            && let Err(error) = asker.ssh.tcp(&asker.hops, server, port).await
            && shut(&error, &asker.hops, server).is_none()
        {
            return Err(Miss::Unknown(no_way(&error)));
        }
        Ok(asker)
    }

    /// From this machine, by UDP.
    pub(in super::super) fn here(world: &World, server: &str, port: u16) -> Asker {
        let (net, ssh, server) = (world.net.clone(), world.ssh.clone(), server.to_owned());
        Asker { net, ssh, hops: Vec::new(), server, port, way: Way::Udp }
    }

    pub(in super::super) async fn ask(&self, name: Name, kind: RecordType) -> Result<Answer, NoAnswer> {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        // Asks for the server's own word on it (RFC 6840, 5.7).
        message.metadata.authentic_data = true;
        message.add_query(Query::query(name, kind));
        let mut edns = Edns::new();
        edns.set_max_payload(FITS);
        message.set_edns(edns);
        let began = Instant::now();
        let (answer, over) = self.exchange(&message).await?;
        Ok(Answer::of(&answer, kind, over, began.elapsed()))
    }

    /// Sends a message, and gives the answer to it and how it came.
    pub(super) async fn exchange(&self, message: &Message) -> Result<(Message, &'static str), NoAnswer> {
        let bytes = message.to_vec().map_err(|error| NoAnswer::Other(error.to_string()))?;
        if self.way == Way::Tcp || !self.hops.is_empty() {
            return Ok((self.by_tcp(message, &bytes).await?, "TCP"));
        }
        let answer = self.by_udp(message, &bytes).await?;
        if answer.metadata.truncation {
            // Where only UDP is let through, this is what fails.
            let whole = self.by_tcp(message, &bytes).await;
            let why = |no: NoAnswer| NoAnswer::Other(format!("it is too long for UDP, and by TCP the server {no}"));
            return Ok((whole.map_err(why)?, "TCP"));
        }
        Ok((answer, "UDP"))
    }

    async fn by_udp(&self, message: &Message, bytes: &[u8]) -> Result<Message, NoAnswer> {
        let mut last = NoAnswer::Silent;
        for _ in 0..TRIES {
            match timeout(PATIENCE, self.net.exchange(&self.server, self.port, bytes)).await {
                Err(_) => last = NoAnswer::Silent,
                Ok(Err(error)) => last = error.into(),
                Ok(Ok(answer)) => match answer_to(message, &answer) {
                    Ok(answer) => return Ok(answer),
                    Err(why) => last = why,
                },
            }
        }
        Err(last)
    }

    async fn by_tcp(&self, message: &Message, bytes: &[u8]) -> Result<Message, NoAnswer> {
        let opened = self.ssh.stream(&self.hops, &self.server, self.port).await;
        let mut wire = opened.map_err(|error| match shut(&error, &self.hops, &self.server) {
            Some(shut) => NoAnswer::from(shut),
            None => NoAnswer::Other(error.to_string()),
        })?;
        let talk = async {
            let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
            wire.write_all(&[&length.to_be_bytes(), bytes].concat()).await?;
            wire.flush().await?;
            let length = wire.read_u16().await?;
            let mut answer = vec![0; usize::from(length)];
            wire.read_exact(&mut answer).await?;
            Ok::<Vec<u8>, io::Error>(answer)
        };
        match timeout(PATIENCE, talk).await {
            Err(_) => Err(NoAnswer::Silent),
            Ok(Err(error)) => Err(NoAnswer::from(error)),
            Ok(Ok(answer)) => answer_to(message, &answer),
        }
    }
}

/// The answer, if it is one to this question.
fn answer_to(question: &Message, bytes: &[u8]) -> Result<Message, NoAnswer> {
    let answer = Message::from_vec(bytes).map_err(|error| NoAnswer::Other(format!("it is no DNS answer: {error}")))?;
    let same = answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == question.metadata.id
        // A server that refuses may leave the question away.
        && (answer.queries.is_empty() || answer.queries == question.queries);
    if same { Ok(answer) } else { Err(NoAnswer::Other("what came back answers another question".to_owned())) }
}

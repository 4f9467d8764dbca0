//! A connection that a host carries by itself. Where its sshd forwards nothing for us, a shell over there connects, and hands
//! on what either side says: sshd_config(5) says of `AllowTcpForwarding` that whoever has a shell can do so.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::dial::Wire;
use super::error::printable;
use super::exec::quoted;
use super::pool::{Place, is_no_such_name};
use super::{Hop, Pool, Problem, SshError, Stage};

/// The shell has begun.
const TRIES: &str = "onramp-tries";
/// It is connected; what follows is what the other side says.
const OPEN: &str = "onramp-open";
/// When one half has ended, so does everything that was started: a `cat` that nobody feeds would stay for as long as the
/// other side does.
const BEFORE: &str = "sh -c 'export LC_ALL=C; exec bash -c \"$0\" \"$@\" 2>&1' 'echo onramp-tries; \
    exec 3<>\"/dev/tcp/$0/$1\" || exit 1; echo onramp-open; exec 2>/dev/null; { cat <&3; kill 0; } & cat >&3; kill 0' ";
/// Of what it says before it is connected.
const MOST: u64 = 4096;

impl Pool {
    /// A byte stream to a place, by a shell on the last of `via`, whose sshd has `refused` to forward there.
    pub(super) async fn carried(
        &self,
        via: &[Hop],
        place: Place<'_>,
        refused: SshError,
    ) -> Result<Box<dyn Wire>, SshError> {
        let limit = self.settings.limits.connect;
        let trying = async {
            let session = self.session(via).await?;
            let Ok(wire) = session.stream(&command(place.address, place.port)).await else {
                return Ok(Carried::NotTried);
            };
            Ok(connected(wire).await)
        };
        match tokio::time::timeout(limit, trying).await {
            Err(_) => Err(place.failed(Stage::Connect, Problem::Timeout(limit))),
            Ok(Err(error)) => Err(error),
            Ok(Ok(Carried::Open(wire))) => Ok(wire),
            Ok(Ok(Carried::NotTried)) => Err(refused),
            Ok(Ok(Carried::Failed(reason))) => {
                let stage = if is_no_such_name(&reason) { Stage::Name } else { Stage::Connect };
                Err(place.failed(stage, Problem::ConnectFailed { via: refused.hop, reason }))
            }
        }
    }
}

/// The command whose input and output are the connection.
fn command(address: &str, port: u16) -> String {
    format!("{BEFORE}{} {port}", quoted(address))
}

/// Where a command leads that carries a connection. For practice, whose shells keep none open.
pub fn carried(command: &str) -> Option<(String, u16)> {
    let (address, port) = command.strip_prefix(BEFORE)?.rsplit_once(' ')?;
    let address = address.strip_prefix('\'')?.strip_suffix('\'')?;
    Some((address.to_owned(), port.parse().ok()?))
}

/// What such a command says before the connection: that it tries, and that it is open.
pub fn words() -> [String; 2] {
    [TRIES, OPEN].map(|word| format!("{word}\n"))
}

/// How a try went.
enum Carried {
    Open(Box<dyn Wire>),
    /// In the words of the host.
    Failed(String),
    /// Nothing of ours was run there.
    NotTried,
}

/// Reads what the command says until it is connected. Login scripts may have said something before.
async fn connected(wire: Box<dyn Wire>) -> Carried {
    let mut wire = BufReader::new(wire);
    let (mut left, mut tried, mut said) = (MOST, false, String::new());
    loop {
        let mut line = Vec::new();
        match (&mut wire).take(left).read_until(b'\n', &mut line).await {
            Ok(length) if length > 0 => left = left.saturating_sub(length as u64),
            _ if tried => return Carried::Failed(said),
            _ => return Carried::NotTried,
        }
        let line = String::from_utf8_lossy(&line);
        match line.trim_end() {
            TRIES => tried = true,
            OPEN if tried => return Carried::Open(Box::new(wire)),
            line if tried && said.is_empty() => said = reason(line),
            _ => {}
        }
    }
}

/// bash says twice what it is about; the reason stands at the end of the line.
fn reason(line: &str) -> String {
    printable(line.rsplit(": ").next().unwrap_or(line))
}

/// Is it this hop that forwards nothing, and none before it?
pub(super) fn may_carry(via: &[Hop], error: &SshError) -> bool {
    matches!(error.problem, Problem::ForwardingRefused { .. }) && via.last().is_some_and(|last| last.name == error.hop)
}

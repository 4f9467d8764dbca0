//! How bytes reach an SSH server: the one seam of this room. Practice plugs in here, and nowhere else.

use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::error::printable;

/// A connected, bidirectional byte stream.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A stream, and what must live as long as it does.
pub(super) struct Held<T> {
    wire: Box<dyn Wire>,
    _with: T,
}

impl<T> Held<T> {
    pub(super) fn new(wire: Box<dyn Wire>, with: T) -> Self {
        Self { wire, _with: with }
    }
}

impl<T: Unpin> AsyncRead for Held<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_read(cx, buf)
    }
}

impl<T: Unpin> AsyncWrite for Held<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

/// Opens the first connection of a route. Later hops go through the SSH connection before them.
#[async_trait]
pub trait Dial: Send + Sync {
    /// Connects to `address` (an IP address or a name) on `port`. The caller sets the time limit.
    async fn dial(&self, address: &str, port: u16) -> io::Result<Box<dyn Wire>>;

    /// Do shells over there run what they read as it comes? Otherwise when all of it has come.
    fn reads_as_it_comes(&self) -> bool {
        true
    }
}

/// The network of the machine onramp runs on.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tcp;

#[async_trait]
impl Dial for Tcp {
    async fn dial(&self, address: &str, port: u16) -> io::Result<Box<dyn Wire>> {
        let stream = TcpStream::connect((address, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// A command that is the connection: its standard output is what the server says. It ends with the connection.
struct Piped {
    first: io::Cursor<Vec<u8>>,
    out: ChildStdout,
    into: ChildStdin,
    _child: Child,
}

/// Starts a ProxyCommand, and waits until it has something to say, as every SSH server has; or until `limit` is over,
/// when the silence is the server's.
///
/// # Errors
/// It ended before it said anything: how, and its last words.
pub(super) async fn command(text: &str, limit: Duration) -> Result<Box<dyn Wire>, String> {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("exec {text}")).kill_on_drop(true);
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("it cannot be started: {error}"))?;
    let pipes = (child.stdout.take(), child.stdin.take(), child.stderr.take());
    let (Some(mut out), Some(into), Some(err)) = pipes else { return Err("it has no pipes".to_owned()) };
    // Taken always, so that a command that talks is not held up.
    let words = tokio::spawn(last_words(err));
    let mut first = vec![0; 4096];
    let read = tokio::time::timeout(limit, out.read(&mut first)).await.unwrap_or(Ok(first.len() + 1));
    match read {
        Ok(0) | Err(_) => {
            let ended = child.wait().await.map_err(|error| error.to_string())?;
            let words = words.await.unwrap_or_default();
            Err(if words.is_empty() { how(ended) } else { format!("{}: {words}", how(ended)) })
        }
        Ok(length) => {
            first.truncate(if length > first.len() { 0 } else { length });
            Ok(Box::new(Piped { first: io::Cursor::new(first), out, into, _child: child }))
        }
    }
}

fn how(ended: ExitStatus) -> String {
    ended.code().map_or_else(|| "it was killed".to_owned(), |code| format!("it ended with code {code}"))
}

/// The last line that is written there, once nothing more is.
async fn last_words(mut err: ChildStderr) -> String {
    const ENOUGH: usize = 4 * 1024;
    let (mut tail, mut piece) = (Vec::new(), [0; 1024]);
    while let Ok(length) = err.read(&mut piece).await
        && length > 0
    {
        tail.extend(piece.iter().take(length));
        tail.drain(..tail.len().saturating_sub(ENOUGH));
    }
    let text = String::from_utf8_lossy(&tail);
    printable(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default())
}

impl AsyncRead for Piped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.first.position() < self.first.get_ref().len() as u64 {
            return Pin::new(&mut self.first).poll_read(cx, buf);
        }
        Pin::new(&mut self.out).poll_read(cx, buf)
    }
}

impl AsyncWrite for Piped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.into).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.into).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.into).poll_shutdown(cx)
    }
}

//! How bytes reach an SSH server: the one seam of this room. Practice plugs in here, and nowhere else.

use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connected, bidirectional byte stream.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Opens the first connection of a route. Later hops go through the SSH connection before them.
#[async_trait]
pub trait Dial: Send + Sync {
    /// Connects to `address` (an IP address or a name) on `port`. The caller sets the time limit.
    async fn dial(&self, address: &str, port: u16) -> io::Result<Box<dyn Wire>>;
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

//! `probe/tls`: a server's certificate is for its name, holds, and will hold for a while.

use async_trait::async_trait;
use serde_json::Value as Json;

use super::super::arguments::{Arguments, known};
use super::super::object::found;
use super::super::{Failure, Found, World};
use super::certificate::{Wanted, handshake};
use super::tcp::is_plain;
use super::{Asks, Miss, Origin, at, wrong};

/// `probe/tls`
pub(in super::super) struct Tls {
    address: String,
    port: u16,
    /// The name that its certificate must be for.
    name: String,
    wanted: Wanted,
}

impl Tls {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let address = arguments.text("address")?;
        if !is_plain(&address) {
            return Err(wrong(arguments, "address", &address, "no address and no name"));
        }
        let name = arguments.optional("name")?.unwrap_or_else(|| address.clone());
        if known(&name) && !is_plain(&name) {
            return Err(wrong(arguments, "name", &name, "no name"));
        }
        let port = arguments.port("port")?.unwrap_or(443);
        Ok(Tls { address, port, name, wanted: Wanted::new(arguments)? })
    }
}

#[async_trait]
impl Asks for Tls {
    fn whom(&self) -> String {
        at(&self.address, self.port)
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        let wire = from.stream(world, &self.address, self.port).await?;
        let (_stream, shown) = handshake(world, &self.wanted, wire, &self.name).await?;
        world.say(&format!("{} to {from}: {}", self.whom(), shown.said())).await;
        if let Some(fault) = self.wanted.fault(&shown) {
            return Err(Miss::NotSo(format!("{} asked from {from}: {fault}; {}", self.whom(), shown.said())));
        }
        let output: Json = shown.output();
        Ok(found(format!("{} shows {from} a {}", self.whom(), shown.said()), output))
    }
}

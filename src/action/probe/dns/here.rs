//! Names that are looked up from this machine, of whichever name server answers first.

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};

use super::super::super::World;
use super::super::Miss;
use super::{Answer, Asker};

const NAME_ONE: &str = "Name one in the step: server.";

/// Whom this machine asks; never nobody.
///
/// # Errors
/// It asks none, or that cannot be read.
pub(super) fn own_servers(world: &World) -> Result<Vec<String>, Miss> {
    match world.net.name_servers() {
        Ok(servers) if !servers.is_empty() => Ok(servers),
        Ok(_) => Err(Miss::unknown("this machine asks no name server", NAME_ONE)),
        Err(error) => {
            let what = format!("which name servers this machine asks cannot be read: {error}");
            Err(Miss::unknown(what, NAME_ONE))
        }
    }
}

/// The name servers that this machine asks, or the one that a step names.
pub(in super::super) struct Here<'w> {
    askers: Vec<Asker>,
    world: &'w World,
}

impl<'w> Here<'w> {
    /// # Errors
    /// This machine asks none.
    pub(in super::super) fn new(world: &'w World, server: Option<&str>, port: u16) -> Result<Here<'w>, Miss> {
        let servers = match server {
            Some(server) => vec![server.to_owned()],
            None => own_servers(world)?,
        };
        Ok(Here { askers: servers.iter().map(|server| Asker::here(world, server, port)).collect(), world })
    }

    /// What the first name server that answers has: records, none of that type, or no such name.
    ///
    /// # Errors
    /// None of them answers so.
    pub(in super::super) async fn look_up(&self, name: &str, kind: RecordType) -> Result<Answer, Miss> {
        let unknown = |why: &str| {
            let what = format!("{name} {kind} could not be looked up: {why}");
            Miss::unknown(what, "Look at the name servers that this machine asks.")
        };
        let mut asked = Name::from_str_relaxed(name).map_err(|error| unknown(&error.to_string()))?;
        asked.set_fqdn(true);
        let mut why = String::new();
        for asker in &self.askers {
            match asker.ask(asked.clone(), kind).await {
                Ok(answer) if [ResponseCode::NoError, ResponseCode::NXDomain].contains(&answer.code()) => {
                    let values = answer.values();
                    let said = if values.is_empty() { "nothing".to_owned() } else { values.join(", ") };
                    self.world.say(&format!("{name} {kind}: {}", crate::text::clip(&said, 200))).await;
                    return Ok(answer);
                }
                Ok(answer) => why = format!("the name server answers {}", answer.code()),
                Err(no) => why = format!("the name server {no}"),
            }
        }
        Err(unknown(&why))
    }
}

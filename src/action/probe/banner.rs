//! `probe/ssh-banner`: an SSH server answers at a host, through its hops.

use async_trait::async_trait;
use serde_json::json;

use super::super::arguments::Arguments;
use super::super::check::Question;
use super::super::object::found;
use super::super::world::{Subject, trouble_of_ssh};
use super::super::{Failure, Trouble, Verified, World};
use super::shut;
use crate::ssh::{Problem, Stage};

/// `probe/ssh-banner`
pub(in super::super) struct Banner {
    host: String,
}

impl Banner {
    pub(in super::super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(Banner { host: arguments.text("host")? })
    }
}

#[async_trait]
impl Question for Banner {
    async fn ask(&self, world: &World) -> Verified {
        let route = match world.route(&self.host).await {
            Ok(route) => route,
            Err(failure) => return Verified::Unknown(Trouble::Failure(failure)),
        };
        let Some((host, via)) = route.hops.split_last() else {
            let failure = Failure::new("there is no way to the host", "Name its address.");
            return Verified::Unknown(Trouble::Failure(failure));
        };
        match world.ssh.banner(via, &host.address, host.port).await {
            Ok(banner) => Verified::So(found(format!("{} says {banner}", self.host), json!({ "banner": banner }))),
            Err(error) if matches!(error.problem, Problem::NotSsh(_)) || shut(&error, via, &host.address).is_some() => {
                Verified::NotYet { said: error.to_string() }
            }
            Err(error) if error.hop == host.address && error.stage == Stage::Banner => {
                Verified::NotYet { said: error.to_string() }
            }
            Err(error) => Verified::Unknown(trouble_of_ssh(&error)),
        }
    }
}

//! What an action may reach: the account, the hosts, the one who watches, and for whom it is done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Trouble;
use super::failure::{of_aws, of_ssh};
use crate::aws::{Cloud, Owner};
use crate::engagement::{Address, Failure, Host};
use crate::ssh::{self, Hop, Identity, Route};

/// Everything an attempt may use. One for each attempt; what is shared is behind `Arc`.
#[derive(Clone)]
pub struct World {
    /// The account, or why there is none.
    pub cloud: Result<Arc<Cloud>, Failure>,
    pub ssh: Arc<ssh::Pool>,
    pub routes: Arc<Routes>,
    /// Live output; what nobody takes in time is dropped by the sender.
    pub output: mpsc::Sender<Output>,
    pub cancel: CancellationToken,
    pub subject: Subject,
}

/// What an attempt lets a watcher see while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// What a script wrote. The bytes are not to be trusted.
    Chunk(ssh::Chunk),
    /// What is being done or waited for right now; only the latest counts.
    Progress(String),
}

/// For whom, and by which step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub owner: Owner,
    /// The engagement's name.
    pub name: String,
    pub address: Address,
}

impl World {
    /// The account.
    ///
    /// # Errors
    /// Why there is none.
    pub fn cloud(&self) -> Result<&Arc<Cloud>, Failure> {
        self.cloud.as_ref().map_err(Clone::clone)
    }

    /// May this caller change anything here? Its account must be the engagement's.
    ///
    /// # Errors
    /// Another account, no credentials, or no answer.
    pub async fn ready_to_change(&self, expected_account: &str) -> Result<(), Failure> {
        let identity = self.cloud()?.identity().await.map_err(of_aws)?;
        if identity.account == expected_account {
            return Ok(());
        }
        Err(Failure {
            what: format!("these credentials belong to account {}, not {expected_account}", identity.account),
            meaning: "Nothing is changed in an account that is not the engagement's.".to_owned(),
            advice: format!(
                "Choose the profile of account {expected_account} (--profile), or correct the account id if it was \
                 given wrongly."
            ),
            raw: identity.arn,
            ..Failure::default()
        })
    }

    /// Tells the watcher what is going on. Nobody waits for a watcher who is slow.
    pub(super) fn progress(&self, said: impl Into<String>) {
        let _ = self.output.try_send(Output::Progress(said.into()));
    }
}

/// The hosts of the engagement, as they can be reached now.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    hosts: BTreeMap<String, Result<Host, String>>,
    /// Stands for every host's key: how practice and the lab give theirs.
    identity: Option<Identity>,
}

impl Routes {
    /// Hosts by name; of one that cannot be reached yet, the reason.
    pub fn new(hosts: impl IntoIterator<Item = (String, Result<Host, String>)>) -> Self {
        Routes { hosts: hosts.into_iter().collect(), identity: None }
    }

    /// Everybody logs in with this key, whatever the runbook says.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The host of that name.
    ///
    /// # Errors
    /// There is none, or its address is not known yet.
    pub fn host(&self, name: &str) -> Result<&Host, Failure> {
        match self.hosts.get(name) {
            Some(Ok(host)) => Ok(host),
            Some(Err(why)) => Err(Failure {
                meaning: why.clone(),
                ..Failure::new(
                    format!("host {name} cannot be reached yet"),
                    "Run the steps that make it first, or give its address.",
                )
            }),
            None => {
                let near = crate::text::nearest(name, self.hosts.keys().map(String::as_str));
                let advice = match near {
                    Some(near) => format!("Did you mean {near}?"),
                    None => "Correct the step's host in the runbook, or name the host in the inputs.".to_owned(),
                };
                Err(Failure::new(format!("there is no host called \"{name}\""), advice))
            }
        }
    }

    /// The hops to a host, the host itself last.
    ///
    /// # Errors
    /// A host on the way is unknown, or the way runs in a circle.
    pub fn to(&self, name: &str) -> Result<Route, Failure> {
        let mut hops: Vec<Hop> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            if hops.iter().any(|hop| hop.name == name) {
                let what = format!("the way to {} runs in a circle through {name}", hops[0].name);
                return Err(Failure::new(what, "Correct `via` of one of these hosts."));
            }
            let host = self.host(&name)?;
            next.clone_from(&host.via);
            hops.push(self.hop(host));
        }
        hops.reverse();
        Ok(Route { hops })
    }

    fn hop(&self, host: &Host) -> Hop {
        let named = match host.key.as_deref() {
            None | Some("agent") => Identity::Agent,
            Some(path) => Identity::File(PathBuf::from(path)),
        };
        Hop {
            name: host.name.clone(),
            address: host.address.clone(),
            port: host.port,
            user: host.user.clone(),
            identity: self.identity.clone().unwrap_or(named),
            pins: host.fingerprints.clone(),
        }
    }
}

/// What to tell of a hop that failed: a question for a person where a key is new, otherwise the failure.
pub(super) fn trouble_of_ssh(error: &ssh::SshError) -> Trouble {
    use crate::engagement::Question;
    match &error.problem {
        ssh::Problem::UnknownHostKey(key) => Trouble::Question(Question::HostKey {
            hop: error.hop.clone(),
            host: key.host.clone(),
            port: key.port,
            algorithm: key.algorithm.clone(),
            fingerprint: key.fingerprint_sha256.clone(),
            openssh: key.openssh.clone(),
        }),
        _ => Trouble::Failure(of_ssh(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, via: Option<&str>) -> (String, Result<Host, String>) {
        let host = Host {
            name: name.to_owned(),
            address: "10.0.0.1".to_owned(),
            port: 22,
            user: "ops".to_owned(),
            key: None,
            via: via.map(str::to_owned),
            fingerprints: Vec::new(),
        };
        (name.to_owned(), Ok(host))
    }

    #[test]
    fn a_route_goes_through_every_hop_in_order() {
        let routes = Routes::new([host("app", Some("inner")), host("inner", Some("bastion")), host("bastion", None)]);
        let names: Vec<String> = routes.to("app").unwrap().hops.into_iter().map(|hop| hop.name).collect();
        assert_eq!(names, ["bastion", "inner", "app"]);
    }

    #[test]
    fn a_circle_is_said_and_not_walked_for_ever() {
        let routes = Routes::new([host("a", Some("b")), host("b", Some("a"))]);
        assert!(routes.to("a").unwrap_err().what.contains("circle"));
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest_and_a_late_one_with_the_reason() {
        let late = ("app".to_owned(), Err("network.app_address is not known yet".to_owned()));
        let routes = Routes::new([host("bastion", None), late]);
        assert!(routes.to("bastoin").unwrap_err().advice.contains("bastion"));
        assert!(routes.to("app").unwrap_err().meaning.contains("not known yet"));
    }
}

//! What an action may reach: the account, the hosts, the one who watches, and for whom it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value as Json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Trouble;
use super::aws_permissions::Rehearsing;
use super::desk::{Desk, LoginCall};
use super::failure::of_ssh;
use super::os::facts::Known;
use super::papers::Papers;
use super::vault::{Keep, NotKept, Vault};
use crate::aws::{Cloud, Owner, Stamp, Teller, Wiring};
use crate::engagement::{Address, Engagement, Failure, Host, MissingSecret, Question};
use crate::input::{InputId, SecretRef, SecretStore};
use crate::net::{Net, Nowhere};
use crate::runbook::Unrendered;
use crate::ssh::{self, Asked, Identity, Pool, Route};

/// The ways to the world, made once for an engagement; each attempt gets a `World` of it.
#[derive(Clone)]
pub struct Worlds {
    pub(super) cloud: Arc<RwLock<Result<Arc<Cloud>, Failure>>>,
    /// How to connect to the account again.
    pub(super) wiring: Option<Wiring>,
    ssh: Arc<Pool>,
    net: Arc<dyn Net>,
    identity: Option<Identity>,
    vault: Vault,
    shows_at_once: bool,
    facts: Known,
    desk: Option<Arc<Desk>>,
}

impl Worlds {
    /// The account, or why there is none, and the way to hosts.
    pub fn new(cloud: Result<Cloud, Failure>, ssh: Pool) -> Self {
        Worlds {
            cloud: Worlds::share(cloud),
            wiring: None,
            ssh: Arc::new(ssh),
            net: Arc::new(Nowhere),
            identity: None,
            vault: Vault::default(),
            shows_at_once: false,
            facts: Known::default(),
            desk: None,
        }
    }

    fn share(cloud: Result<Cloud, Failure>) -> Arc<RwLock<Result<Arc<Cloud>, Failure>>> {
        Arc::new(RwLock::new(cloud.map(Arc::new)))
    }

    pub(super) fn cloud(&self) -> Result<Arc<Cloud>, Failure> {
        self.cloud.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// No way to the account yet: `sign_in` makes it.
    pub fn unconnected(wiring: Wiring, ssh: Pool) -> Self {
        let failure = Failure::new("there is no way to AWS yet", "Try again in a moment");
        Worlds::new(Err(failure), ssh).with_wiring(wiring)
    }

    /// Credentials end, and regions are given late: `sign_in` connects to the account again in this way.
    #[must_use]
    pub fn with_wiring(mut self, wiring: Wiring) -> Self {
        self.wiring = Some(wiring);
        self
    }

    /// How probes reach what is neither the account nor a host. Without it, they reach nothing.
    #[must_use]
    pub fn with_net(mut self, net: Arc<dyn Net>) -> Self {
        self.net = net;
        self
    }

    /// A cloud that ends with the program and shows what is made at once: what is not there then was never made, and no
    /// call of a dead process is still under way. Not so AWS.
    #[must_use]
    pub fn that_shows_at_once(mut self) -> Self {
        self.shows_at_once = true;
        self
    }

    /// Logins that hosts refused may be tried again.
    pub async fn try_hosts_again(&self) {
        self.ssh.try_again().await;
    }

    /// Where secrets are found and kept. Without it, only those that a person gives are known.
    #[must_use]
    pub fn with_vault(mut self, vault: Vault) -> Self {
        self.vault = vault;
        self
    }

    /// Where logins ask what only a person knows. The pool of hosts must know it, too.
    #[must_use]
    pub fn with_desk(mut self, desk: Arc<Desk>) -> Self {
        self.desk = Some(desk);
        self
    }

    /// The questions of logins, once: whoever takes them sees to it that they are answered.
    pub fn attend_logins(&self) -> Option<mpsc::UnboundedReceiver<LoginCall>> {
        self.desk.as_ref()?.attend()
    }

    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Those of these secrets that cannot be found, each with what to ask a person for.
    pub async fn missing_secrets(&self, references: Vec<SecretRef>) -> Vec<MissingSecret> {
        self.vault.missing(references, &self.cloud()).await
    }

    /// Keeps a secret where a person chose; gives the reference that the journal may hold.
    ///
    /// # Errors
    /// The store cannot be used, or a person must give its passphrase first.
    pub async fn keep_secret(
        &self,
        subject: &Subject,
        input: &InputId,
        store: SecretStore,
        text: SecretString,
    ) -> Result<SecretRef, NotKept> {
        let (marks, key) = (subject.marks("", 0), format!("secret/{input}"));
        let name = format!("{} {input}", subject.name);
        let stamp = Stamp { marks: &marks, key: &key, name: &name };
        let keep = Keep { store, engagement: &subject.name, input, stamp };
        self.vault.keep(keep, text, &self.cloud()).await
    }

    /// Everybody logs in to every host with this key, whatever the runbook says: for practice.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The same ways, for looking only: AWS is sent nothing that changes anything.
    #[must_use]
    pub fn read_only(&self) -> Worlds {
        Worlds { cloud: Worlds::share(self.cloud().map(|cloud| cloud.read_only())), wiring: None, ..self.clone() }
    }

    /// The same ways, with no connection to a host yet: one that stands says nothing of whether another could be made.
    #[must_use]
    pub fn afresh(&self) -> Worlds {
        Worlds { ssh: Arc::new(self.ssh.afresh()), ..self.clone() }
    }

    /// The same ways, where nobody is there who could be asked anything.
    #[must_use]
    pub fn unattended(&self) -> Worlds {
        Worlds { ssh: Arc::new(self.ssh.unattended()), ..self.clone() }
    }

    /// The same ways, for rehearsals: AWS is sent nothing that changes anything, but may be asked whether it would.
    #[must_use]
    pub fn rehearsing(&self) -> Worlds {
        Worlds { cloud: Worlds::share(self.cloud().map(|cloud| cloud.rehearsing())), wiring: None, ..self.clone() }
    }

    /// The ways to these hosts, for all attempts until a value changes.
    pub fn routes(&self, hosts: Vec<(String, Result<Host, Unrendered>)>) -> Arc<Routes> {
        let hosts = hosts.into_iter().map(|(name, host)| (name, host.map_err(|why| why.to_string())));
        Arc::new(Routes { identity: self.identity.clone(), ..Routes::new(hosts) })
    }

    /// What one attempt may reach. Keys that people accepted are known to it.
    pub fn world(
        &self,
        engagement: &Engagement,
        routes: Arc<Routes>,
        subject: Subject,
        output: mpsc::Sender<Vec<u8>>,
        cancel: CancellationToken,
    ) -> World {
        let mut trusted = self.ssh.trusted().write().unwrap_or_else(PoisonError::into_inner);
        for key in &engagement.trusted {
            trusted.accept(&key.host, key.port, &key.fingerprint);
        }
        drop(trusted);
        World {
            cloud: self.cloud(),
            ssh: self.ssh.clone(),
            net: self.net.clone(),
            routes,
            vault: self.vault.clone(),
            facts: self.facts.clone(),
            output,
            cancel,
            subject: Subject { papers: self.vault.papers(), ..subject },
            shows_at_once: self.shows_at_once,
            teller: Teller::default(),
            rehearsing: None,
        }
    }

    /// What hosts said of themselves may be otherwise by now: a run begins.
    pub fn look_anew(&self) {
        self.facts.forget();
    }

    /// Hangs up everywhere.
    pub async fn close(&self) {
        self.ssh.close().await;
    }
}

/// Everything an attempt may use. One for each attempt; what is shared is behind `Arc`.
#[derive(Clone)]
pub struct World {
    /// The account, or why there is none.
    pub cloud: Result<Arc<Cloud>, Failure>,
    pub ssh: Arc<Pool>,
    pub net: Arc<dyn Net>,
    pub routes: Arc<Routes>,
    pub vault: Vault,
    pub(super) facts: Known,
    /// Live output, as it comes. The bytes are not to be trusted.
    pub output: mpsc::Sender<Vec<u8>>,
    pub cancel: CancellationToken,
    pub subject: Subject,
    /// What is not to be seen was not made: nothing has to be waited for before it is said again.
    pub shows_at_once: bool,
    /// Where it is said what holds the attempt up.
    pub(super) teller: Teller,
    /// How AWS is asked for what is still to be made; only for those that ask for it.
    pub rehearsing: Option<Arc<dyn Rehearsing>>,
}

/// For whom, and by which step.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The engagement's random id.
    pub engagement: String,
    /// The engagement's name.
    pub name: String,
    /// The customer's short name.
    pub customer: String,
    pub address: Address,
    /// The customer's own tags for the bill: a map from key to value.
    pub cost_tags: Json,
    /// The object that a person said stands for this step: it is looked at by its id, whatever its tags say.
    pub adopted: Option<String>,
    /// What was written down when this step was done last, and before a change that is in doubt; empty when it never was.
    /// Only what leaves nothing to look at in the world needs it.
    pub made: BTreeMap<String, Json>,
    /// Where its files lie; known when there is a way to the world.
    pub papers: Papers,
}

impl Subject {
    /// The tags of everything that the step makes under this token.
    pub fn marks(&self, token: &str, attempt: u32) -> BTreeMap<String, String> {
        self.owner().marks(self.address.step.phase(), &self.address.to_string(), token, attempt)
    }

    /// What is written on everything that is made.
    pub(super) fn owner(&self) -> Owner {
        let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cost = match &self.cost_tags {
            Json::Object(tags) => tags.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
            // A table of key and value, or lines of key=value.
            Json::Array(rows) => rows
                .iter()
                .filter_map(|row| match row {
                    Json::String(line) => line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())),
                    row => Some((row.get("key").map(text)?, row.get("value").map(text)?)),
                })
                .collect(),
            _ => BTreeMap::new(),
        };
        Owner { engagement: self.engagement.clone(), customer: self.customer.clone(), env: None, cost }
    }
}

impl World {
    /// The same way, for one who wants to hear what holds the attempt up.
    #[must_use]
    pub fn telling(self, teller: Teller) -> World {
        let cloud = self.cloud.map(|cloud| Arc::new(cloud.telling(teller.clone())));
        World { cloud, teller, ..self }
    }

    /// The same way, after the step was done with this result.
    #[must_use]
    pub fn having_made(&self, made: &BTreeMap<String, Json>) -> World {
        World { subject: Subject { made: made.clone(), ..self.subject.clone() }, ..self.clone() }
    }

    /// The same way, where this is written down of it, too.
    pub(super) fn knowing(&self, more: &BTreeMap<String, Json>) -> World {
        let mut made = self.subject.made.clone();
        made.extend(more.clone());
        self.having_made(&made)
    }

    /// The account.
    ///
    /// # Errors
    /// Why there is none.
    pub fn cloud(&self) -> Result<&Arc<Cloud>, Failure> {
        self.cloud.as_ref().map_err(Clone::clone)
    }

    /// May this caller change anything here? Its account must be the engagement's. Without an account in the
    /// engagement, and for one that has no cloud because all its hosts are there, nothing is asked. And its credentials
    /// must hold for as long as the change may take.
    ///
    /// # Errors
    /// Another account, no credentials, credentials that end before that, or no answer.
    pub async fn ready_to_change(&self, expected_account: Option<&str>, takes: Duration) -> Result<(), Failure> {
        let Some(expected) = expected_account else { return Ok(()) };
        let cloud = self.cloud()?;
        let identity = cloud.identity().await?;
        if identity.account == expected {
            return Ok(cloud.hold_for(takes).await?);
        }
        Err(Failure {
            what: format!("these credentials belong to account {}, not {expected}", identity.account),
            meaning: "Nothing is changed in an account that is not the engagement's.".to_owned(),
            advice: format!(
                "Choose the profile of account {expected} (--profile), or correct the account id if it was given wrongly."
            ),
            raw: identity.arn,
            ..Failure::default()
        })
    }

    /// The secret, or the question for it.
    ///
    /// # Errors
    /// It is not where it should be, or only a person knows it.
    pub(super) async fn secret(&self, reference: &SecretRef) -> Result<SecretString, Question> {
        let found = self.vault.find(reference, &self.cloud).await;
        found.map_err(|MissingSecret { reference, why, .. }| Question::NeedsSecret { reference, why })
    }

    /// What was given is not what it should be: it is asked for, or read where it is kept, anew.
    pub(super) fn forget_secret(&self, reference: &SecretRef) {
        self.vault.unlearn(reference);
    }

    /// The hops to a host: as the runbook says, and the engineer's own set-up completes it. What that says and
    /// onramp does not honour is told once.
    ///
    /// # Errors
    /// A host on the way is unknown, the way runs in a circle, or the set-up has a mistake.
    pub(super) async fn route(&self, host: &str) -> Result<Route, Failure> {
        let asked = self.routes.to(host)?;
        let route = self.ssh.route(&asked).await.map_err(|error| of_ssh(&error))?;
        for remark in &route.remarks {
            if self.routes.is_news(remark) {
                self.say(remark).await;
            }
        }
        Ok(route)
    }

    /// One line into the output of the attempt.
    pub(super) async fn say(&self, said: &str) {
        // A watcher who has gone away stops nothing.
        let _ = self.output.send(format!("{said}\n").into_bytes()).await;
    }
}

/// The hosts of the engagement, as they can be reached now.
#[derive(Debug, Default)]
pub struct Routes {
    hosts: BTreeMap<String, Result<Host, String>>,
    identity: Option<Identity>,
    /// Remarks on the engineer's set-up that were made.
    said: Mutex<BTreeSet<String>>,
}

impl Routes {
    /// Hosts by name; of one that cannot be reached yet, the reason.
    pub fn new(hosts: impl IntoIterator<Item = (String, Result<Host, String>)>) -> Self {
        Routes { hosts: hosts.into_iter().collect(), ..Routes::default() }
    }

    /// Routes over hosts of a test, where everybody has the same key.
    #[cfg(test)]
    pub(super) fn for_tests(
        hosts: impl IntoIterator<Item = (String, Result<Host, String>)>,
        identity: Identity,
    ) -> Self {
        Routes { identity: Some(identity), ..Routes::new(hosts) }
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

    fn is_news(&self, remark: &str) -> bool {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(remark.to_owned())
    }

    /// The hops to a host as the runbook asks for them, the host itself last.
    ///
    /// # Errors
    /// A host on the way is unknown, or the way runs in a circle.
    pub fn to(&self, name: &str) -> Result<Vec<Asked>, Failure> {
        let mut hops: Vec<Asked> = Vec::new();
        let mut walked: Vec<String> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            if walked.contains(&name) {
                let what = format!("the way to {} runs in a circle through {name}", walked[0]);
                return Err(Failure::new(what, "Correct `via` of one of these hosts."));
            }
            let host = self.host(&name)?;
            next = host.via.clone();
            hops.push(self.hop(host));
            walked.push(name);
        }
        hops.reverse();
        Ok(hops)
    }

    fn hop(&self, host: &Host) -> Asked {
        let named = match host.key.as_deref() {
            None | Some("agent") => None,
            Some(path) => Some(Identity::File(PathBuf::from(path))),
        };
        Asked {
            name: host.known_as.clone(),
            address: host.address.clone(),
            port: host.port,
            user: Some(host.user.clone()).filter(|user| !user.is_empty()),
            identity: self.identity.clone().or(named),
            pins: host.fingerprints.clone(),
        }
    }
}

/// What to tell of a hop that failed: a question for a person where a key is new, otherwise the failure.
pub(super) fn trouble_of_ssh(error: &ssh::SshError) -> Trouble {
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
            known_as: name.to_owned(),
            address: "10.0.0.1".to_owned(),
            port: None,
            user: "ops".to_owned(),
            key: None,
            via: via.map(str::to_owned),
            sudo: None,
            fingerprints: Vec::new(),
        };
        (name.to_owned(), Ok(host))
    }

    #[test]
    fn a_route_goes_through_every_hop_in_order() {
        let routes = Routes::new([host("app", Some("inner")), host("inner", Some("bastion")), host("bastion", None)]);
        let names: Vec<String> = routes.to("app").unwrap().into_iter().map(|hop| hop.name).collect();
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

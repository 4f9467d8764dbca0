//! Cloud and hosts together: an instance that runs in the cloud is a host that answers, and security groups are walls.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use super::cloud::{Cloud, Lease, Letter, Machine, Pace, Question, Reach, Said, SnapshotError};
use super::customer;
use super::datacentre;
use super::fault::Faults;
use super::hosts::{Cis, HostSpec, Hosts, HostsError, Image};
use super::keeper::Keeper;
use super::net::{Gate, Service, Source, Verdict};
use crate::net::Net;
use crate::ssh::dial::Dial;

/// How often the hosts follow the cloud.
const FOLLOW: Duration = Duration::from_millis(50);
/// The largest packet in the customer's own network.
const ETHERNET: u32 = 1_500;

/// A customer's whole account, inside the process. Clones are the same account.
#[derive(Clone)]
pub struct Account {
    cloud: Cloud,
    hosts: Arc<Hosts>,
    keeper: Arc<OnceLock<Arc<Keeper>>>,
    /// The digest of what was last written or read.
    on_disk: Arc<Mutex<Option<blake3::Hash>>>,
}

/// Why a practice account cannot be kept or taken up again.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("{0}")]
    Cloud(#[from] SnapshotError),
    #[error("{0}")]
    Hosts(#[from] HostsError),
    #[error("the practice account cannot be written or read: {0}")]
    File(#[from] io::Error),
    #[error("the practice account cannot be read: {0}")]
    Text(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Saved {
    cloud: serde_json::Value,
    hosts: serde_json::Value,
}

impl Account {
    /// An account with its default VPC and no instance.
    pub fn new(account_id: &str, region: &str, pace: Pace, faults: Faults) -> Self {
        let cloud = Cloud::new(account_id, region, pace, faults);
        Account { cloud, hosts: Arc::new(Hosts::new()), keeper: Arc::default(), on_disk: Arc::default() }
    }

    /// Puts what the customer has there, for whoever has this key: the hosts of their data centre, and a VPC with two hosts.
    ///
    /// # Errors
    /// Their keys cannot be made.
    pub async fn furnish(&self, operator: &str) -> Result<(), AccountError> {
        self.cloud.customer_has_vpc().await;
        self.cloud.customer_has_hosts(operator).await;
        Ok(datacentre::furnish(&self.hosts, operator).await?)
    }

    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// How the engineer's machine reaches hosts: public addresses only, and only as the security groups say.
    pub fn dialer(&self) -> Arc<dyn Dial> {
        self.dialer_past(self.walls())
    }

    /// The same past other walls, of which every host behind it knows no more than of its own.
    pub fn dialer_past(&self, walls: Arc<dyn Gate>) -> Arc<dyn Dial> {
        self.hosts.dialer(Source::ENGINEER, walls)
    }

    /// Security groups and routes, as the cloud has them.
    pub fn walls(&self) -> Arc<dyn Gate> {
        Arc::new(Walls(self.cloud.clone()))
    }

    /// What the engineer's machine sees of the network beside hosts: names, time, whom to trust.
    pub fn net(&self) -> Arc<dyn Net> {
        self.hosts.net(self.walls())
    }

    /// The customer is asked for something: they publish the records that stand in it, make its bucket, and
    /// accept the terms of its images.
    pub async fn ask_customer(&self, ask: &str) {
        if ask.contains("Marketplace") {
            self.cloud.customer_buys(ask).await;
        }
        if ask.contains("s3:PutObject") {
            self.cloud.customer_makes_bucket(ask).await;
        }
        let records = customer::records(ask);
        if !records.is_empty() {
            self.cloud.customer_publishes(records).await;
        }
    }

    /// Follows the cloud for ever: machines that run are switched on, terminated ones are gone.
    pub async fn follow(self) {
        loop {
            if let Err(error) = self.follow_once().await {
                tracing::error!(%error, "a practice host could not be made");
            }
            tokio::time::sleep(FOLLOW).await;
        }
    }

    async fn follow_once(&self) -> Result<(), AccountError> {
        let known = self.hosts.names();
        for machine in self.cloud.machines().await {
            let up = known.contains(&machine.instance_id);
            match machine.state {
                "pending" | "running" if !up => self.switch_on(&machine).await?,
                // Elastic addresses come and go.
                "pending" | "running" => {
                    self.hosts.set_addresses(&machine.instance_id, addresses(&machine)).await;
                }
                "shutting-down" | "terminated" if up => self.hosts.remove(&machine.instance_id).await,
                _ => {}
            }
        }
        Ok(())
    }

    async fn switch_on(&self, machine: &Machine) -> Result<(), AccountError> {
        let keeper = self.keeper.get();
        keeper.iter().for_each(|keeper| keeper.about_to_change());
        let spec = HostSpec {
            name: machine.instance_id.clone(),
            image: Image::named(machine.image_name).unwrap_or(Image::Ubuntu2204),
            hardened: Cis::named(machine.image_name),
            addresses: addresses(machine),
            user: machine.image_user.to_owned(),
            authorized_keys: machine.public_key.iter().cloned().collect(),
        };
        let info = match machine.host_key_number {
            Some(number) => self.hosts.add_known(spec, number).await?,
            None => self.hosts.add(spec).await?,
        };
        self.cloud.set_console_output(&machine.instance_id, &info.console_output);
        if let Some(lease) = self.cloud.lease(machine.private_ip).await {
            self.hosts.tell(&machine.instance_id, &lease);
        }
        self.put_away().await
    }

    /// Runs a script on a host as root, as if at its console. Nothing if there is no such host.
    #[cfg(test)]
    pub async fn at_console(&self, host: &str, script: &str) -> Option<super::shell::program::Answer> {
        self.hosts.at_console(host, script).await
    }

    /// Objects that were made twice: live ones of the same kind that carry the same engagement and key.
    pub async fn doubles(&self) -> Vec<String> {
        let mut seen = std::collections::BTreeMap::<String, usize>::new();
        for call in self.cloud.objects().await {
            *seen.entry(call).or_default() += 1;
        }
        seen.into_iter().filter(|(_, count)| *count > 1).map(|(key, count)| format!("{key}: {count}")).collect()
    }

    /// Becomes what the file holds, if there is one and it is not what this account wrote last; from now on everything
    /// is in the file before it is answered.
    ///
    /// # Errors
    /// The file cannot be read or written, or is of another version.
    pub async fn live_in(&self, path: &Path) -> Result<(), AccountError> {
        match std::fs::read(path) {
            Ok(text) if *self.on_disk() == Some(blake3::hash(&text)) => {}
            Ok(_) => self.load(path).await?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let keeper = self.keeper.get_or_init(|| {
            let (account, path) = (self.clone(), path.to_owned());
            let keeper = Keeper::new(Arc::new(move || {
                let (account, path) = (account.clone(), path.clone());
                Box::pin(async move { account.save(&path).await })
            }));
            self.cloud.keep_with(keeper.clone());
            self.hosts.keep_with(keeper.clone());
            keeper
        });
        keeper.before_answer(true).await
    }

    /// Writes what no answer spoke of yet, such as the files of scripts that nobody has looked at since.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn put_away(&self) -> Result<(), AccountError> {
        match self.keeper.get() {
            Some(keeper) => keeper.before_answer(true).await,
            None => Ok(()),
        }
    }

    /// Writes everything to a file, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn save(&self, path: &Path) -> Result<(), AccountError> {
        let hosts = self.hosts.snapshot().await;
        let cloud = self.cloud.snapshot().await?;
        // Joined as the text that both are: this is done after each change, and to read them again took longest of all.
        let text = [b"{\"cloud\":".as_slice(), &cloud, b",\"hosts\":", &hosts, b"}"].concat();
        let digest = blake3::hash(&text);
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || write_whole(&path, &text)).await.map_err(io::Error::other)??;
        *self.on_disk() = Some(digest);
        Ok(())
    }

    /// Becomes what `save` wrote.
    ///
    /// # Errors
    /// The file cannot be read, or is of another version.
    pub async fn load(&self, path: &Path) -> Result<(), AccountError> {
        let text = std::fs::read(path)?;
        let saved: Saved = serde_json::from_slice(&text)?;
        self.hosts.restore(&serde_json::to_vec(&saved.hosts)?).await?;
        self.cloud.restore(&serde_json::to_vec(&saved.cloud)?).await?;
        *self.on_disk() = Some(blake3::hash(&text));
        Ok(())
    }

    fn on_disk(&self) -> MutexGuard<'_, Option<blake3::Hash>> {
        self.on_disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Through a power cut too: the file is what it was, or the new one.
fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let beside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The private address first.
fn addresses(machine: &Machine) -> Vec<IpAddr> {
    [Some(machine.private_ip), machine.public_ip].into_iter().flatten().map(IpAddr::V4).collect()
}

/// Security groups and routes, asked for every new connection.
struct Walls(Cloud);

#[async_trait]
impl Gate for Walls {
    async fn allows(&self, from: Source, to: IpAddr, port: u16) -> Verdict {
        let to_private = matches!(to, IpAddr::V4(v4) if v4.is_private());
        match from {
            // The customer's firewall has the operator on its list, and lets its own hosts out.
            Source::Internet(_) if datacentre::holds(to) => return Verdict::Open,
            Source::Host(from) if datacentre::holds(from) && (datacentre::holds(to) || !to_private) => {
                return Verdict::Open;
            }
            _ => {}
        }
        let from = match from {
            Source::Internet(address) => super::cloud::Source::Internet(address),
            Source::Host(address) => super::cloud::Source::Instance(address),
        };
        match self.0.reachable(from, to, port).await {
            Reach::Open => Verdict::Open,
            Reach::Filtered => Verdict::Filtered,
        }
    }

    async fn joined(&self, _from: Source, to: IpAddr) -> Option<IpAddr> {
        match datacentre::engineer(to) {
            Some(engineer) => Some(engineer),
            None => self.0.engineer(to).await,
        }
    }

    async fn answers(&self, from: Source, to: IpAddr, service: Service) -> Option<u32> {
        let Source::Host(from) = from else { return None };
        if datacentre::holds(from) {
            return Some(ETHERNET);
        }
        let (protocol, port) = match service {
            Service::Time => ("udp", 123),
            Service::Ping => ("icmp", -1),
        };
        self.0.answers(from, to, protocol, port).await
    }

    async fn names(&self, question: &Question) -> Said {
        self.0.names(question).await
    }

    async fn lease(&self, host: Ipv4Addr) -> Option<Lease> {
        self.0.lease(host).await
    }

    async fn post(&self, server: &str, letter: &Letter) -> Result<String, String> {
        self.0.post(server, letter).await
    }

    async fn mailbox(&self, address: &str) -> Option<String> {
        self.0.mailbox(address).await
    }

    async fn stored(&self, from: Source, server: &str, path: &str, puts: bool) -> Option<(u16, String)> {
        let Source::Host(IpAddr::V4(from)) = from else { return None };
        if server != self.0.store() {
            return None;
        }
        Some(self.0.deposit(from, path, puts).await)
    }
}

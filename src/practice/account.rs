//! Cloud and hosts together: an instance that runs in the cloud is a host that answers, and security groups are walls.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::cloud::{Cloud, Machine, Pace, Reach, SnapshotError};
use super::fault::Faults;
use super::hosts::{HostSpec, Hosts, HostsError, Image};
use super::net::{Gate, Source, Verdict};
use crate::ssh::dial::Dial;

/// How often the hosts follow the cloud.
const FOLLOW: Duration = Duration::from_millis(50);

/// A customer's whole account, inside the process. Clones are the same account.
#[derive(Clone)]
pub struct Account {
    cloud: Cloud,
    hosts: Arc<Hosts>,
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

#[derive(Serialize, Deserialize)]
struct Saved {
    cloud: serde_json::Value,
    hosts: serde_json::Value,
}

impl Account {
    /// An account with its default VPC and no instance.
    pub fn new(account_id: &str, region: &str, pace: Pace, faults: Faults) -> Self {
        Account { cloud: Cloud::new(account_id, region, pace, faults), hosts: Arc::new(Hosts::new()) }
    }

    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// How the engineer's machine reaches hosts: public addresses only, and only as the security groups say.
    pub fn dialer(&self) -> Arc<dyn Dial> {
        self.hosts.dialer(Source::ENGINEER, Arc::new(Walls(self.cloud.clone())))
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
        let info = self
            .hosts
            .add(HostSpec {
                name: machine.instance_id.clone(),
                image: Image::named(machine.image_name).unwrap_or(Image::Ubuntu2204),
                addresses: addresses(machine),
                user: machine.image_user.to_owned(),
                authorized_keys: machine.public_key.iter().cloned().collect(),
            })
            .await?;
        self.cloud.set_console_output(&machine.instance_id, &info.console_output);
        Ok(())
    }

    /// Objects that were made twice: live ones of the same kind that carry the same engagement and key.
    pub async fn doubles(&self) -> Vec<String> {
        let mut seen = std::collections::BTreeMap::<String, usize>::new();
        for call in self.cloud.objects().await {
            *seen.entry(call).or_default() += 1;
        }
        seen.into_iter().filter(|(_, count)| *count > 1).map(|(key, count)| format!("{key}: {count}")).collect()
    }

    /// Writes everything to a file, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn save(&self, path: &Path) -> Result<(), AccountError> {
        let hosts = self.hosts.snapshot().await;
        let saved = Saved {
            cloud: serde_json::from_slice(&self.cloud.snapshot().await?)?,
            hosts: serde_json::from_slice(&hosts)?,
        };
        let beside = path.with_extension("new");
        std::fs::write(&beside, serde_json::to_vec(&saved)?)?;
        Ok(std::fs::rename(&beside, path)?)
    }

    /// Becomes what `save` wrote.
    ///
    /// # Errors
    /// The file cannot be read, or is of another version.
    pub async fn load(&self, path: &Path) -> Result<(), AccountError> {
        let saved: Saved = serde_json::from_slice(&std::fs::read(path)?)?;
        self.hosts.restore(&serde_json::to_vec(&saved.hosts)?).await?;
        Ok(self.cloud.restore(&serde_json::to_vec(&saved.cloud)?).await?)
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
        let from = match from {
            Source::Internet(address) => super::cloud::Source::Internet(address),
            Source::Host(address) => super::cloud::Source::Instance(address),
        };
        match self.0.reachable(from, to, port).await {
            Reach::Open => Verdict::Open,
            Reach::Filtered => Verdict::Filtered,
        }
    }
}

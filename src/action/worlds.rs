//! The way to AWS and to hosts that all attempts of an engagement share, and one `World` cut from it for each attempt.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::failure::of_aws;
use super::{Output, Routes, Subject, World};
use crate::aws::{Cloud, Owner};
use crate::engagement::{Address, Engagement, Failure, hosts};
use crate::input::Value;
use crate::runbook::{Runbook, Scope};
use crate::ssh;

/// Real or practice: whoever made it knows, nobody else does.
#[derive(Clone)]
pub struct Worlds {
    cloud: Result<Arc<Cloud>, Failure>,
    ssh: Arc<ssh::Pool>,
    trusted: Arc<RwLock<ssh::Trusted>>,
}

impl Worlds {
    pub fn new(cloud: Result<Cloud, Failure>, ssh: ssh::Settings) -> Self {
        let trusted = ssh.trusted.clone();
        Worlds { cloud: cloud.map(Arc::new), ssh: Arc::new(ssh::Pool::new(ssh)), trusted }
    }

    /// The same ways, for looking only: AWS calls that change something are refused before they are sent.
    #[must_use]
    pub fn read_only(&self) -> Self {
        Worlds { cloud: self.cloud.clone().map(|cloud| Arc::new(cloud.read_only())), ..self.clone() }
    }

    /// Who AWS takes us for, in words.
    ///
    /// # Errors
    /// Why nobody can be named: no credentials, no answer.
    pub async fn identity(&self) -> Result<String, String> {
        let said = |failure: Failure| format!("{}. {}", failure.what, failure.advice);
        let cloud = self.cloud.as_ref().map_err(|failure| said(failure.clone()))?;
        let identity = cloud.identity().await.map_err(|failure| said(of_aws(failure)))?;
        Ok(format!("{} in account {}", identity.caller(), identity.account))
    }

    /// What one attempt may reach. `scope` is what is known now: it says where the hosts are.
    pub fn world(
        &self,
        engagement: &Engagement,
        runbook: &Runbook,
        scope: &Scope,
        address: &Address,
        output: mpsc::Sender<Output>,
        cancel: CancellationToken,
    ) -> World {
        let mut trusted = self.trusted.write().unwrap_or_else(PoisonError::into_inner);
        for key in &engagement.trusted {
            trusted.accept(&key.host, key.port, &key.fingerprint);
        }
        drop(trusted);
        let known = hosts(runbook, scope);
        let routes = Routes::new(known.into_iter().map(|(name, host)| (name, host.map_err(|why| why.to_string()))));
        World {
            cloud: self.cloud.clone(),
            ssh: self.ssh.clone(),
            routes: Arc::new(routes),
            output,
            cancel,
            subject: subject(engagement, address),
        }
    }

    pub async fn close(&self) {
        self.ssh.close().await;
    }
}

/// For whom a step is done: what goes into tags and names.
pub fn subject(engagement: &Engagement, address: &Address) -> Subject {
    let shown = |id: &str| engagement.input(id).map(Value::shown);
    let cell = |row: &std::collections::BTreeMap<String, Value>, name: &str| {
        row.get(name).and_then(Value::text).unwrap_or_default().to_owned()
    };
    let cost = engagement
        .input("aws.cost_tags")
        .map(|tags| tags.rows().iter().map(|row| (cell(row, "key"), cell(row, "value"))).collect())
        .unwrap_or_default();
    Subject {
        owner: Owner {
            engagement: engagement.identity.id.clone(),
            customer: shown("eng.customer_slug").unwrap_or_else(|| engagement.identity.name.clone()),
            env: shown("eng.environment"),
            cost,
        },
        name: engagement.identity.name.clone(),
        address: address.clone(),
    }
}

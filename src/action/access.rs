//! The way to the account: what the engagement says of it, how it is made anew, and who AWS takes us for.

use std::sync::{Arc, PoisonError};

use super::world::Worlds;
use crate::aws::{Cloud, Kind, Role, Wiring};
use crate::engagement::{At, Caller, Engagement, Failure};
use crate::input::Value;

/// What AWS takes for the name of a session (API reference of STS, AssumeRole).
const LONGEST_SESSION: usize = 64;
/// The length of a session where nobody says it.
const USUAL_SECONDS: i32 = 3_600;

/// What an engagement says of the way to its account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// As the command line says it, where the engagement does not say one yet.
    pub region: Option<String>,
    pub role: Option<Role>,
}

/// Why there is no way to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotConnected {
    pub failure: Failure,
    /// It may be tried again without anybody saying so: nobody is asked for a code by that.
    pub by_itself: bool,
}

impl Access {
    /// As far as the inputs say it by now.
    pub fn of(engagement: &Engagement) -> Access {
        let given = |id: &str| engagement.input(id).map(Value::shown).filter(|text| !text.is_empty());
        let role = given("aws.role_arn").map(|arn| Role {
            arn,
            external_id: given("aws.external_id"),
            seconds: given("aws.session_seconds").and_then(|text| text.parse().ok()).unwrap_or(USUAL_SECONDS),
            mfa_serial: given("aws.mfa_serial"),
            session: format!("onramp-{}", engagement.identity.name).chars().take(LONGEST_SESSION).collect(),
        });
        Access { region: engagement.region(), role }
    }
}

impl Worlds {
    /// Is there no way to the account that these credentials, this region and this role may go?
    pub fn is_stale(&self, access: &Access) -> bool {
        let Some(wiring) = &self.wiring else { return false };
        let region = access.region.as_ref().unwrap_or(&wiring.region);
        let fits =
            |cloud: Arc<Cloud>| !cloud.is_refused() && cloud.region() == region && cloud.role() == access.role.as_ref();
        !self.cloud().is_ok_and(fits)
    }

    /// The credentials that were in use have ended.
    pub fn is_refused(&self) -> bool {
        self.cloud().is_ok_and(|cloud| cloud.is_refused())
    }

    /// Connects to the account anew, as the engagement says; a person may be asked for a code. A way that still goes stays
    /// when that comes to nothing.
    ///
    /// # Errors
    /// There are no credentials, or the role is not given.
    pub async fn connect(&self, access: &Access) -> Result<(), NotConnected> {
        let Some(wiring) = self.wiring.clone() else { return Ok(()) };
        let region = access.region.clone().unwrap_or_else(|| wiring.region.clone());
        let wiring = Wiring { region, role: access.role.clone(), ..wiring };
        let made = match self.cloud() {
            Ok(cloud) => cloud.again(wiring).await,
            Err(_) => Cloud::connect(wiring).await,
        };
        let by_itself = !matches!(&made, Err(failure) if failure.kind == Kind::NoCode);
        let cloud = made.map(Arc::new).map_err(Failure::from);
        let connected =
            cloud.as_ref().map(|_| ()).map_err(|failure| NotConnected { failure: failure.clone(), by_itself });
        if connected.is_ok() || self.is_stale(access) {
            *self.cloud.write().unwrap_or_else(PoisonError::into_inner) = cloud;
        }
        connected
    }

    /// Who AWS takes us for.
    ///
    /// # Errors
    /// There is no way to the account, or AWS does not say.
    pub async fn caller(&self) -> Result<Caller, Failure> {
        let identity = self.cloud()?.identity().await?;
        let name = identity.caller().to_owned();
        Ok(self.as_of_now(Caller { account: identity.account, name, ..Caller::default() }))
    }

    /// The same caller, with the time that the credentials have now.
    pub fn as_of_now(&self, caller: Caller) -> Caller {
        let Ok(cloud) = self.cloud() else { return caller };
        Caller { expires: cloud.expires().map(At), lasts: cloud.lasts(), renews: cloud.renews(), ..caller }
    }
}

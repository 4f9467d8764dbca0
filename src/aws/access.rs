//! Credentials as they are now: fetched once for all clients, made anew before they end.
//!
//! The SDK finds the caller's own (environment, profile, single sign-on, `credential_process`, instance role). Over them
//! roles may be taken. Where a device has to be asked for a code, a person says it while the way to AWS is made, and never
//! in the middle of a call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::error::{AwsFailure, Kind};
use super::holdup::Teller;
use super::limiter::Limiter;
use super::operations::Operation;
use super::retry::{Patience, Resend, send};
use super::watch::{Allows, CallLog, Watch};

/// Credentials that end within this time are made anew first: no call is to end in the middle.
const MARGIN: Duration = Duration::from_secs(60);
/// STS gives no shorter session (DurationSeconds, at least 900). One of which less was left when it was read had begun before.
const SHORTEST_SESSION: Duration = Duration::from_secs(900);
/// How often a person may mistype a code.
const MOST_CODES: u32 = 3;
/// One role over another: AWS gives no longer session (user guide of IAM, role chaining).
const LONGEST_CHAINED: i32 = 3_600;

/// A role that is taken over other credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `arn:aws:iam::012345678901:role/OnboardingOperator`
    pub arn: String,
    pub external_id: Option<String>,
    /// 900 to 43,200, and at most what the role allows.
    pub seconds: i32,
    /// The ARN or serial number of the device that is asked for a code.
    pub mfa_serial: Option<String>,
    /// What the account's own log shows.
    pub session: String,
}

/// Somebody who reads a code from a device.
#[async_trait]
pub trait Codes: fmt::Debug + Send + Sync {
    /// The code that the device shows now; none where nobody says it. `remark`: what became of the last one.
    async fn code(&self, device: &str, remark: Option<&str>) -> Option<SecretString>;
}

/// STS takes exactly six digits (API reference, AssumeRole, TokenCode).
fn is_code(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Copies share what they hold.
#[derive(Debug, Clone)]
pub(super) struct Session(Arc<Inner>);

pub(super) struct Inner {
    /// With the caller's own credentials.
    pub own: SdkConfig,
    /// Each taken with the credentials of the one before.
    pub roles: Vec<Role>,
    pub codes: Option<Arc<dyn Codes>>,
    /// What a person does to sign in, where onramp can tell.
    pub sign_in: Option<String>,
    pub log: CallLog,
    pub limiter: Arc<Limiter>,
    pub held: Mutex<Option<Held>>,
    /// When what is held ends, in milliseconds since 1970; 0 where it does not.
    pub end: AtomicI64,
    /// For how many milliseconds it held when it was first read.
    pub lasts: AtomicU64,
    /// The caller's own credentials end, and a role cannot be taken with them for ever.
    pub own_ends: AtomicBool,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({} roles)", self.roles.len())
    }
}

/// What was fetched last.
pub(super) struct Held {
    credentials: Credentials,
    fetched: SystemTime,
}

/// The end of credentials is a time of the day, not of the engine.
fn now() -> SystemTime {
    SystemTime::from(jiff::Timestamp::now())
}

impl Held {
    fn left(&self) -> Option<Duration> {
        let expiry = self.credentials.expiry()?;
        Some(expiry.duration_since(now()).unwrap_or_default())
    }

    fn holds_for(&self, time: Duration) -> bool {
        self.left().is_none_or(|left| left > time)
    }
}

impl Session {
    pub fn new(inner: Inner) -> Self {
        Session(Arc::new(inner))
    }

    /// Does it take a person to make them anew?
    pub fn needs_person(&self) -> bool {
        self.0.roles.iter().any(|role| role.mfa_serial.is_some())
    }

    /// Fetches credentials anew; a person may be asked for a code.
    ///
    /// # Errors
    /// There are none, or the role cannot be taken.
    pub async fn renew(&self) -> Result<(), AwsFailure> {
        let mut held = self.0.held.lock().await;
        let credentials = self.fetch(true).await.map_err(|failure| self.advised(failure))?;
        let fresh = self.hold(credentials, held.as_ref());
        *held = Some(fresh);
        Ok(())
    }

    /// Some sources give the same credentials again, and the session is no younger by that.
    fn hold(&self, credentials: Credentials, former: Option<&Held>) -> Held {
        let since_epoch = credentials.expiry().and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        let end = since_epoch.and_then(|time| i64::try_from(time.as_millis()).ok()).unwrap_or_default();
        self.0.end.store(end, Ordering::Relaxed);
        let same = former.filter(|former| former.credentials.expiry() == credentials.expiry());
        let fetched = same.map_or_else(now, |former| former.fetched);
        let lasts = credentials.expiry().and_then(|end| end.duration_since(fetched).ok());
        let lasts = lasts.and_then(|time| u64::try_from(time.as_millis()).ok()).unwrap_or_default();
        self.0.lasts.store(lasts, Ordering::Relaxed);
        Held { fetched, credentials }
    }

    /// When they end, in milliseconds since 1970; none for those that do not end, or do not say so.
    pub fn end(&self) -> Option<i64> {
        Some(self.0.end.load(Ordering::Relaxed)).filter(|end| *end > 0)
    }

    /// For how long they held when they were first read.
    pub fn lasts(&self) -> Option<Duration> {
        self.end().map(|_| Duration::from_millis(self.0.lasts.load(Ordering::Relaxed)))
    }

    /// Are they made anew without a person, as often as it takes? Of what the SDK finds nobody can tell.
    pub fn renews(&self) -> bool {
        !self.0.roles.is_empty() && !self.needs_person() && !self.0.own_ends.load(Ordering::Relaxed)
    }

    /// Will they hold for so long? Where nobody has to be asked for it, they are made anew. More than half of a whole
    /// session is never asked for.
    ///
    /// # Errors
    /// They end before that.
    pub async fn hold_for(&self, time: Duration) -> Result<(), AwsFailure> {
        let Some(left) = self.lack(time).await else { return Ok(()) };
        if !self.needs_person() && self.renew().await.is_ok() && self.lack(time).await.is_none() {
            return Ok(());
        }
        let ending = AwsFailure::ending(left, time);
        Err(if self.needs_person() { ending.ending_for_a_code() } else { self.advised(ending) })
    }

    /// What is left, where it is too little.
    async fn lack(&self, time: Duration) -> Option<Duration> {
        let held = self.0.held.lock().await;
        let held = held.as_ref()?;
        let seen = held.credentials.expiry()?.duration_since(held.fetched).unwrap_or_default();
        let whole = seen.max(SHORTEST_SESSION);
        held.left().filter(|left| *left < time.min(whole / 2))
    }

    /// A failure of credentials says what this person does about it.
    pub fn advised(&self, failure: AwsFailure) -> AwsFailure {
        match &self.0.sign_in {
            // Whoever signs wrongly, or at a wrong time, is not helped by signing in anew.
            Some(_) if failure.code.as_deref().is_some_and(|code| code.contains("Signature")) => failure,
            Some(sign_in) if failure.ends_with_sign_in() && !failure.advised => {
                AwsFailure { advice: sign_in.clone(), ..failure }
            }
            _ => failure,
        }
    }

    async fn now(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.0.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| held.holds_for(MARGIN)) {
            return Ok(held.credentials.clone());
        }
        match (self.fetch(false).await, held.as_ref()) {
            (Ok(credentials), _) => {
                let fresh = self.hold(credentials.clone(), held.as_ref());
                *held = Some(fresh);
                Ok(credentials)
            }
            (Err(_), Some(held)) if held.holds_for(Duration::ZERO) => Ok(held.credentials.clone()),
            (Err(failure), _) => Err(CredentialsError::provider_error(failure)),
        }
    }

    async fn fetch(&self, ask: bool) -> Result<Credentials, AwsFailure> {
        self.by_way_of(&self.0.roles, ask).await
    }

    /// The caller's own, and over them these roles.
    async fn by_way_of(&self, roles: &[Role], ask: bool) -> Result<Credentials, AwsFailure> {
        let Some(own) = self.0.own.credentials_provider() else { return Err(AwsFailure::no_credentials()) };
        let mut credentials =
            own.provide_credentials().await.map_err(|error| AwsFailure::credentials("connect", &error))?;
        self.0.own_ends.store(credentials.expiry().is_some(), Ordering::Relaxed);
        for (number, role) in roles.iter().enumerate() {
            credentials = self.take(role, number > 0, credentials, ask).await?;
        }
        Ok(credentials)
    }

    /// Does AWS give the last of the roles to one who does not say its external id? Its credentials are thrown away.
    ///
    /// # Errors
    /// It could not be tried; a role that wants a code of a device is not tried.
    pub async fn role_lacks_guard(&self) -> Result<bool, AwsFailure> {
        let Some((last, before)) = self.0.roles.split_last() else { return Ok(false) };
        let unguarded = Role { external_id: None, ..last.clone() };
        let credentials = self.by_way_of(before, false).await?;
        match self.take(&unguarded, !before.is_empty(), credentials, false).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied")) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The credentials of a role.
    async fn take(&self, role: &Role, chained: bool, with: Credentials, ask: bool) -> Result<Credentials, AwsFailure> {
        let config = self.0.own.to_builder().credentials_provider(SharedCredentialsProvider::new(with)).build();
        let watch = Watch { log: self.0.log.clone(), allows: Allows::Everything };
        let sts =
            aws_sdk_sts::Client::from_conf(aws_sdk_sts::config::Builder::from(&config).interceptor(watch).build());
        let seconds = if chained { role.seconds.min(LONGEST_CHAINED) } else { role.seconds };
        let asked = sts
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(&role.session)
            .set_external_id(role.external_id.clone())
            .duration_seconds(seconds);
        let Some(device) = &role.mfa_serial else { return self.assume(role, asked).await };
        let mut remark = None;
        for _ in 0..MOST_CODES {
            let codes = self.0.codes.as_ref().filter(|_| ask);
            let code = match codes {
                Some(codes) => codes.code(device, remark).await,
                None => None,
            };
            let Some(code) = code else { return Err(AwsFailure::no_code(device)) };
            if !is_code(code.expose_secret()) {
                remark = Some("A code has six digits.");
                continue;
            }
            let asked = asked.clone().serial_number(device).token_code(code.expose_secret());
            match self.assume(role, asked).await {
                Err(failure) if failure.raw.contains("MultiFactorAuthentication") => {
                    remark = Some("AWS did not accept it. Each code counts once: wait for the next one.");
                }
                other => return other,
            }
        }
        Err(AwsFailure::no_code(device))
    }

    async fn assume(
        &self,
        role: &Role,
        asked: aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder,
    ) -> Result<Credentials, AwsFailure> {
        let way: (&Limiter, &Teller) = (&self.0.limiter, &Teller::default());
        let answer = send(Operation::AssumeRole, Resend::Freely, Patience::NONE, way, || asked.clone().send()).await;
        let answer = answer.map_err(|failure| match failure.kind {
            Kind::Denied | Kind::Invalid => failure.of_role(&role.arn),
            _ => failure,
        })?;
        let given = answer.credentials.ok_or_else(AwsFailure::no_credentials)?;
        let expiry = SystemTime::try_from(given.expiration).ok();
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            expiry,
            "onramp-role",
        ))
    }
}

impl ProvideCredentials for Session {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.now())
    }
}

#[cfg(test)]
#[path = "tests/access.rs"]
mod tests;

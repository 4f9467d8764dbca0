//! The seam: HTTP client, endpoint and credentials in; one client for each service out.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::future::{BoxFuture, FutureExt};

use super::access::{Codes, Inner, Role, Session};
use super::endpoint::AccountInHeader;
use super::error::AwsFailure;
use super::holdup::Teller;
use super::limiter::{Limiter, Paces};
use super::operations::Operation;
use super::profile::Profile;
use super::retry::{Patience, Resend, about, send};
use super::together::Unsent;
use super::watch::{Allows, CallLog, CallSeen, Watch};

/// The SDK sets no limit but one for connecting. Creates of EC2 answer in seconds; a minute is a lost answer.
const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(30);
/// No call takes longer, whatever happens.
pub const OPERATION: Duration = Duration::from_secs(60);

/// How to reach AWS. What is `None` comes from where the AWS command line would take it.
#[derive(Debug, Clone, Default)]
pub struct Wiring {
    /// `eu-west-1`
    pub region: String,
    pub profile: Option<String>,
    /// Everything goes there instead of to AWS.
    pub endpoint_url: Option<String>,
    pub http_client: Option<SharedHttpClient>,
    pub credentials: Option<SharedCredentialsProvider>,
    /// Taken over the caller's own credentials.
    pub role: Option<Role>,
    /// Says the codes of devices, where a role asks for them.
    pub codes: Option<Arc<dyn Codes>>,
    /// Divides every pause between tries and looks: 0 or 1 in life, more where the cloud is a program on this machine.
    pub hurry: u32,
    /// The paces that others may keep, too.
    pub paces: Paces,
}

/// One account in one region, ready to be asked. Copies share the log of calls and the pace.
#[derive(Debug, Clone)]
pub struct Cloud {
    config: SdkConfig,
    ec2: aws_sdk_ec2::Client,
    sts: aws_sdk_sts::Client,
    allows: Allows,
    shared: Shared,
    teller: Teller,
}

/// What all copies of a cloud have together.
#[derive(Debug, Clone)]
struct Shared {
    log: CallLog,
    pace: Arc<Pace>,
    session: Session,
    role: Option<Role>,
    /// The credentials were refused.
    refused: Arc<AtomicBool>,
    /// These credentials may not decode what AWS encodes.
    illiterate: Arc<AtomicBool>,
    unsent: Unsent,
}

/// The pace in one region, as far as the account is known: before AWS has said whose it is, nobody shares it.
#[derive(Debug)]
struct Pace {
    all: Paces,
    /// Those in other regions, as long as the account is not known.
    own: Paces,
    account: OnceLock<String>,
    limiter: RwLock<Arc<Limiter>>,
}

impl Pace {
    fn new(all: Paces, limiter: Limiter) -> Self {
        Pace { all, own: Paces::default(), account: OnceLock::new(), limiter: RwLock::new(Arc::new(limiter)) }
    }

    fn limiter(&self) -> Arc<Limiter> {
        self.limiter.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// AWS has said whose account it is.
    fn is_of(&self, account: &str, region: &str) {
        let account = self.account.get_or_init(|| account.to_owned());
        let shared = self.all.join(account, region, self.limiter());
        *self.limiter.write().unwrap_or_else(PoisonError::into_inner) = shared;
    }

    /// That of another region of the same account.
    fn elsewhere(&self, region: &str) -> Pace {
        let limiter = Arc::new(self.limiter().anew());
        let limiter = match self.account.get() {
            Some(account) => self.all.join(account, region, limiter),
            None => self.own.join("", region, limiter),
        };
        let (all, own, account) = (self.all.clone(), self.own.clone(), self.account.clone());
        Pace { all, own, account, limiter: RwLock::new(limiter) }
    }
}

/// A service's client, made when asked for: most runs never need it. A macro, because every service has types of its own.
macro_rules! client {
    ($cloud:ident, $sdk:ident) => {{
        let watch = Watch { log: $cloud.shared.log.clone(), allows: $cloud.allows };
        $sdk::Client::from_conf($sdk::config::Builder::from(&$cloud.config).interceptor(watch).build())
    }};
}

impl Cloud {
    /// Reads the configuration and finds credentials. Sends nothing to the account.
    ///
    /// # Errors
    /// No region, an endpoint that is no URL, or no credentials.
    pub async fn connect(wiring: Wiring) -> Result<Cloud, AwsFailure> {
        if wiring.region.trim().is_empty() {
            return Err(AwsFailure::wiring("no region is given", "Give the engagement a region, such as eu-west-1."));
        }
        if let Some(url) = wiring.endpoint_url.as_deref().filter(|url| !is_http_url(url)) {
            let said = format!("\"{url}\" is not the URL of an endpoint");
            return Err(AwsFailure::wiring(&said, "Write it with its scheme, such as http://127.0.0.1:5000."));
        }
        Cloud::join(wiring, CallLog::default(), None).await
    }

    /// The same account and region once more, with credentials that are fetched anew; the pace stays what it is.
    ///
    /// # Errors
    /// As `connect`.
    pub async fn again(&self, wiring: Wiring) -> Result<Cloud, AwsFailure> {
        match wiring.region == self.region() {
            true => Cloud::join(wiring, self.shared.log.clone(), Some(self.shared.pace.clone())).await,
            false => Cloud::connect(wiring).await,
        }
    }

    async fn join(wiring: Wiring, log: CallLog, pace: Option<Arc<Pace>>) -> Result<Cloud, AwsFailure> {
        let pace = pace.unwrap_or_else(|| Arc::new(Pace::new(wiring.paces.clone(), Limiter::new(wiring.hurry))));
        // Credentials that are handed in have no profile.
        let profile = match wiring.credentials {
            Some(_) => None,
            None => Some(Profile::read(wiring.profile.as_deref()).await),
        };
        let sign_in = profile.as_ref().map(Profile::how_to_sign_in);
        let (role, codes) = (wiring.role.clone(), wiring.codes.clone());
        let (takes, only) = profile.map(|profile| (profile.takes, profile.only)).unwrap_or_default();
        let own = load(wiring, only).await;
        let roles = takes.into_iter().chain(role.clone()).collect();
        let session = Session::new(Inner {
            own: own.clone(),
            roles,
            codes,
            sign_in,
            log: log.clone(),
            limiter: pace.limiter(),
            held: tokio::sync::Mutex::default(),
            end: AtomicI64::default(),
            lasts: AtomicU64::default(),
            own_ends: AtomicBool::default(),
        });
        session.renew().await?;
        let provider = SharedCredentialsProvider::new(session.clone());
        let config = own.into_builder().credentials_provider(provider).build();
        let (refused, illiterate, unsent) = (Arc::default(), Arc::default(), Unsent::default());
        let shared = Shared { log, pace, session, role, refused, illiterate, unsent };
        Ok(Cloud::over(config, shared, Allows::Everything, Teller::default()))
    }

    fn over(config: SdkConfig, shared: Shared, allows: Allows, teller: Teller) -> Cloud {
        let watch = || Watch { log: shared.log.clone(), allows };
        let ec2 = aws_sdk_ec2::config::Builder::from(&config).interceptor(watch()).build();
        let sts = aws_sdk_sts::config::Builder::from(&config).interceptor(watch()).build();
        let (ec2, sts) = (aws_sdk_ec2::Client::from_conf(ec2), aws_sdk_sts::Client::from_conf(sts));
        Cloud { ec2, sts, config, allows, shared, teller }
    }

    /// The same account, for looking only: every operation that changes something is refused before it is sent.
    #[must_use]
    pub fn read_only(&self) -> Cloud {
        self.for_no_more_than(Allows::Looks)
    }

    /// The same account, for looking and for rehearsals: a call that would change something is refused before it is sent,
    /// unless it says itself that it is only a rehearsal.
    #[must_use]
    pub fn rehearsing(&self) -> Cloud {
        self.for_no_more_than(Allows::Rehearsals)
    }

    /// Does it speak to AWS itself, and not to an endpoint that somebody named and AWS does not run?
    pub fn is_aws(&self) -> bool {
        let of_aws = |host: &str| [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|end| host.ends_with(end));
        let named = self.config.endpoint_url();
        named.is_none_or(|url| url.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some_and(of_aws)))
    }

    /// The same account in another region of it.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Cloud {
        let config = self.config.clone().into_builder().region(Region::new(region.to_owned())).build();
        let pace = match region == self.region() {
            true => self.shared.pace.clone(),
            false => Arc::new(self.shared.pace.elsewhere(region)),
        };
        let shared = Shared { unsent: Unsent::default(), pace, ..self.shared.clone() };
        Cloud::over(config, shared, self.allows, self.teller.clone())
    }

    /// The same account, for one who wants to hear what holds calls up.
    #[must_use]
    pub fn telling(&self, teller: Teller) -> Cloud {
        Cloud { teller, ..self.clone() }
    }

    fn for_no_more_than(&self, allows: Allows) -> Cloud {
        Cloud::over(self.config.clone(), self.shared.clone(), allows, self.teller.clone())
    }

    /// Were these credentials refused? The SDK goes on using what it read; whoever signed in anew has to connect anew.
    pub fn is_refused(&self) -> bool {
        self.shared.refused.load(Ordering::Relaxed)
    }

    pub(super) fn refuse(&self) {
        self.shared.refused.store(true, Ordering::Relaxed);
    }

    /// May it be tried to decode what AWS encodes? Not again once that was refused.
    pub(super) fn may_decode(&self) -> &AtomicBool {
        &self.shared.illiterate
    }

    /// The role that was taken over the caller's own credentials.
    pub fn role(&self) -> Option<&Role> {
        self.shared.role.as_ref()
    }

    pub(super) fn session(&self) -> &Session {
        &self.shared.session
    }

    /// Does AWS give the role to one who does not say its external id?
    ///
    /// # Errors
    /// It could not be tried.
    pub async fn role_lacks_guard(&self) -> Result<bool, AwsFailure> {
        self.session().role_lacks_guard().await
    }

    /// Will the credentials hold for so long? Where nobody has to be asked for it, they are made anew in place. More than
    /// half of a whole session is never asked for.
    ///
    /// # Errors
    /// They end before that.
    pub async fn hold_for(&self, time: Duration) -> Result<(), AwsFailure> {
        self.session().hold_for(time).await
    }

    pub fn is_read_only(&self) -> bool {
        self.allows != Allows::Everything
    }

    pub fn ec2(&self) -> &aws_sdk_ec2::Client {
        &self.ec2
    }

    pub fn sts(&self) -> &aws_sdk_sts::Client {
        &self.sts
    }

    /// Names: hosted zones and records.
    pub fn route53(&self) -> aws_sdk_route53::Client {
        client!(self, aws_sdk_route53)
    }

    /// Names between the VPC and the customer's data centre.
    pub fn resolver(&self) -> aws_sdk_route53resolver::Client {
        client!(self, aws_sdk_route53resolver)
    }

    /// SES: mail.
    pub fn mail(&self) -> aws_sdk_sesv2::Client {
        client!(self, aws_sdk_sesv2)
    }

    pub fn direct_connect(&self) -> aws_sdk_directconnect::Client {
        client!(self, aws_sdk_directconnect)
    }

    /// Cloud Control: any type of resource.
    pub fn cloud_control(&self) -> aws_sdk_cloudcontrol::Client {
        client!(self, aws_sdk_cloudcontrol)
    }

    /// AWS Backup: jobs, recovery points, and what a region backs up.
    pub fn backup(&self) -> aws_sdk_backup::Client {
        client!(self, aws_sdk_backup)
    }

    /// Objects in buckets. The bucket stands in the path, where its name may have dots.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let watch = Watch { log: self.shared.log.clone(), allows: self.allows };
        let config = aws_sdk_s3::config::Builder::from(&self.config).interceptor(watch).force_path_style(true);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// S3 Control: what holds for all buckets of an account.
    pub fn s3_control(&self) -> aws_sdk_s3control::Client {
        let watch = Watch { log: self.shared.log.clone(), allows: self.allows };
        let config = aws_sdk_s3control::config::Builder::from(&self.config).interceptor(watch);
        aws_sdk_s3control::Client::from_conf(config.endpoint_resolver(AccountInHeader::default()).build())
    }

    /// CloudTrail: who did what.
    pub fn trails(&self) -> aws_sdk_cloudtrail::Client {
        client!(self, aws_sdk_cloudtrail)
    }

    /// RDS: databases, their snapshots and copies.
    pub fn databases(&self) -> aws_sdk_rds::Client {
        client!(self, aws_sdk_rds)
    }

    /// CloudWatch: what services measure.
    pub fn metrics(&self) -> aws_sdk_cloudwatch::Client {
        client!(self, aws_sdk_cloudwatch)
    }

    /// CloudWatch Logs: what services write down.
    pub fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        client!(self, aws_sdk_cloudwatchlogs)
    }

    pub fn service_quotas(&self) -> aws_sdk_servicequotas::Client {
        client!(self, aws_sdk_servicequotas)
    }

    pub(super) fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        client!(self, aws_sdk_secretsmanager)
    }

    /// The region's name.
    pub fn region(&self) -> &str {
        self.config.region().map(Region::as_ref).unwrap_or_default()
    }

    /// Every call so far that was let through, oldest first; of a very long run only the last ten thousand.
    pub fn calls(&self) -> Vec<CallSeen> {
        self.shared.log.seen()
    }

    /// Sleeps between two looks at something that takes its time: about so long, so that many looks do not march in step.
    pub async fn pause(&self, pause: Duration) {
        self.limiter().pause(about(pause)).await;
    }

    /// How long so many pauses really take.
    pub fn takes(&self, pauses: Duration) -> Duration {
        self.limiter().takes(pauses)
    }

    /// AWS has said whose account it is: whoever asks there keeps one pace.
    pub(super) fn is_of(&self, account: &str) {
        self.shared.pace.is_of(account, self.region());
    }

    pub(super) fn unsent(&self) -> &Unsent {
        &self.shared.unsent
    }

    pub(super) fn limiter(&self) -> Arc<Limiter> {
        self.shared.pace.limiter()
    }

    /// Sends it in its turn, repeated as it may be; says all that is known of a failure. In a box, like all that follow: what
    /// a future of the SDK is made of is deep, and the compiler would look through it again in everything that awaits one.
    pub(super) fn ask<'a, T, E, F, Sent>(
        &'a self,
        operation: Operation,
        resend: Resend,
        patience: Patience,
        call: F,
    ) -> BoxFuture<'a, Result<T, AwsFailure>>
    where
        T: Send + 'a,
        F: FnMut() -> Sent + Send + 'a,
        Sent: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let (limiter, teller) = (self.limiter(), &self.teller);
        async move { self.told(send(operation, resend, patience, (&limiter, teller), call).await).await }.boxed()
    }

    /// Sends a read, repeated as reads may be.
    ///
    /// # Errors
    /// See `send`.
    pub fn read<'a, T, E, F, Sent>(&'a self, operation: Operation, call: F) -> BoxFuture<'a, Result<T, AwsFailure>>
    where
        T: Send + 'a,
        F: FnMut() -> Sent + Send + 'a,
        Sent: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.ask(operation, Resend::Freely, Patience::NONE, call)
    }

    /// Sends a change; waits up to a minute for what it builds on to be visible. Without rules of repeating it is a
    /// rehearsal, and the call says so itself: EC2 is asked whether it would make the change, and what that builds on is
    /// not waited for.
    ///
    /// # Errors
    /// See `send`; the answer `DryRunOperation`, which says yes to a rehearsal, is one.
    pub fn change<'a, T, E, F, Sent>(
        &'a self,
        operation: Operation,
        resend: Option<Resend>,
        call: F,
    ) -> BoxFuture<'a, Result<T, AwsFailure>>
    where
        T: Send + 'a,
        F: FnMut() -> Sent + Send + 'a,
        Sent: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match resend {
            Some(resend) => self.ask(operation, resend, Patience::SETTLING, call),
            None => self.ask(operation, Resend::Freely, Patience::NONE, call),
        }
    }
}

/// Is it the URL of an endpoint, with its scheme and a host?
pub fn is_http_url(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|h| !h.is_empty())
    })
}

/// `only` is the profile that the credentials come from and from nothing else.
async fn load(wiring: Wiring, only: Option<String>) -> SdkConfig {
    let region = Region::new(wiring.region);
    let limits = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(ATTEMPT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(limits);
    if let Some(profile) = wiring.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(name) = &only {
        let mut around = ProviderConfig::default().with_region(Some(region));
        if let Some(client) = wiring.http_client.clone() {
            around = around.with_http_client(client);
        }
        let profile = ProfileFileCredentialsProvider::builder().configure(&around).profile_name(name).build();
        loader = loader.credentials_provider(profile);
    }
    if let Some(url) = wiring.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(client) = wiring.http_client {
        loader = loader.http_client(client);
    }
    if let Some(credentials) = wiring.credentials {
        loader = loader.credentials_provider(credentials);
    }
    loader.load().await
}

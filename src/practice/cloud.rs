//! The practice cloud: AWS's interfaces in the process, behind the real SDK's HTTP client.
//!
//! Nothing leaves the process. Below is winterbaume; `fidelity` stands before it and does what AWS does.

mod logins;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde::{Deserialize, Serialize};

use self::logins::Logins;
use super::cbor;
use super::fault::{Aim, Fault, Faults, Odds};
use super::fidelity::refusal::Refusal;
use super::fidelity::request::Request;
use super::fidelity::services::{Document, Speaks};
use super::fidelity::{Consoles, Hidden, Kept, Layer, is_region};
use super::keeper::Keeper;
use super::mishap::Mishap;

pub use super::fidelity::mail_post::Letter;
pub use super::fidelity::naming::{AMAZON, Lease, Question, Record, Said};
pub use super::fidelity::pace::Pace;
pub use super::fidelity::reach::{Reach, Source};
pub use super::fidelity::views::{Ingress, Machine, Peers};

/// Where a stopped clock stands at first: 2026-08-03, 12:00 UTC.
const STOPPED_AT: i64 = 1_785_758_400_000;
const SAVED_VERSION: u32 = 1;

/// A whole AWS account, as far as P01 goes. Clones are the same cloud.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

struct Inner {
    account: String,
    region: String,
    pace: Pace,
    faults: Faults,
    layer: tokio::sync::Mutex<Layer>,
    notes: Mutex<Notes>,
    keeper: OnceLock<Arc<Keeper>>,
}

/// What is known without asking the layer.
#[derive(Default)]
struct Notes {
    calls: Vec<Call>,
    /// Aimed faults that have struck.
    struck: Vec<Aim>,
    kept: KeptNotes,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct KeptNotes {
    consoles: Consoles,
    odds: Odds,
    arrived: u64,
    #[serde(default)]
    logins: Logins,
    /// Milliseconds by which the clock was moved.
    advanced: i64,
}

/// One call that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Such as `CreateVpc`.
    pub operation: String,
    pub region: String,
    /// True when it can have changed something; false for reading and for dry runs.
    pub mutating: bool,
    /// What stood in the request, flat; of a service whose requests hold secrets only the operation.
    pub parameters: BTreeMap<String, String>,
    /// The code with which it was refused; none when it was done.
    pub code: Option<String>,
}

/// Why a practice cannot be put away or taken up again.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("the saved practice cannot be read or written: {0}")]
    Text(#[from] serde_json::Error),
    #[error("the saved practice does not fit: {0}")]
    State(#[from] winterbaume_core::StateViewError),
    #[error("the saved practice is of version {found}; this program reads version {SAVED_VERSION}")]
    Version { found: u32 },
    #[error("the saved practice is of account {found}, not of {wanted}")]
    Account { found: String, wanted: String },
}

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    account: String,
    regions: BTreeMap<String, Kept>,
    notes: KeptNotes,
}

impl Cloud {
    /// A new account with its default VPC and nothing else. `region` is where `machines` and `reachable` look.
    pub fn new(account_id: &str, region: &str, pace: Pace, faults: Faults) -> Self {
        let layer = tokio::sync::Mutex::new(Layer::new(account_id, pace));
        let (account, region) = (account_id.into(), region.into());
        let (notes, keeper) = (Mutex::default(), OnceLock::new());
        Self(Arc::new(Inner { account, region, pace, faults, layer, notes, keeper }))
    }

    pub fn pace(&self) -> Pace {
        self.0.pace
    }

    /// For the SDK's configuration: every request ends here.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// For the SDK's configuration. Each fetch is a new login, which ends the fault `expired-credentials`.
    pub fn credentials(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(self.clone())
    }

    /// From now on nothing is answered before the keeper has it.
    pub(super) fn keep_with(&self, keeper: Arc<Keeper>) {
        // A second keeper is never made: an account lives in one file.
        let _ = self.0.keeper.set(keeper);
    }

    /// Everything that arrived so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.notes().calls.clone()
    }

    /// The aimed faults that have struck so far: one that never did was aimed at a call that never came.
    pub fn struck(&self) -> Vec<Aim> {
        self.notes().struck.clone()
    }

    /// The whole cloud as bytes: objects, tokens, pending clocks, consoles, faults.
    pub async fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let regions = self.0.layer.lock().await.keep().await?;
        let notes = self.notes().kept.clone();
        let saved = Saved { version: SAVED_VERSION, account: self.0.account.clone(), regions, notes };
        Ok(serde_json::to_vec(&saved)?)
    }

    /// Becomes what `snapshot` saved; the time since then has passed here too.
    pub async fn restore(&self, saved: &[u8]) -> Result<(), SnapshotError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let found = serde_json::from_slice::<Head>(saved)?.version;
        if found != SAVED_VERSION {
            return Err(SnapshotError::Version { found });
        }
        let saved: Saved = serde_json::from_slice(saved)?;
        if saved.account != self.0.account {
            return Err(SnapshotError::Account { found: saved.account, wanted: self.0.account.clone() });
        }
        self.0.layer.lock().await.take_back(saved.regions).await?;
        self.notes().kept = saved.notes;
        Ok(())
    }

    /// Every instance of the region, the terminated ones too.
    pub async fn machines(&self) -> Vec<Machine> {
        let now = self.now();
        self.0.layer.lock().await.machines(&self.0.region, now)
    }

    /// For every live object of the region that carries an engagement's key: its kind, the engagement and the key.
    pub async fn objects(&self) -> Vec<String> {
        let now = self.now();
        self.0.layer.lock().await.keyed(&self.0.region, now)
    }

    /// Takes a tunnel of a VPN connection down, or lets it come up: the customer's side, where nobody is.
    pub async fn set_tunnel(&self, connection: &str, number: usize, down: bool) {
        self.break_tunnel(connection, number, down.then_some("IPSEC IS DOWN")).await;
    }

    /// The same, with what AWS says of it.
    pub async fn break_tunnel(&self, connection: &str, number: usize, said: Option<&str>) {
        let now = self.now();
        self.0.layer.lock().await.set_tunnel(&self.0.region, now, (connection, number), said);
    }

    /// What a tunnel writes into its log, again and again; about BGP while it is up, or else while it is down.
    pub async fn write_log(&self, connection: &str, number: usize, lines: &[&str], of_session: bool) {
        let now = self.now();
        let mut layer = self.0.layer.lock().await;
        layer.write_log(&self.0.region, now, (connection, number), (lines, of_session));
    }

    /// How much light the lines bring to Amazon's ports, in dBm; no number where nobody measures it.
    pub async fn set_light(&self, level: f64) {
        let now = self.now();
        self.0.layer.lock().await.set_light(&self.0.region, now, level);
    }

    /// Something goes wrong at the customer's end, or all is well there again. Says at which connections; at none, nothing happens.
    pub async fn happen(&self, mishap: Option<Mishap>) -> Vec<String> {
        let now = self.now();
        self.0.layer.lock().await.happen(&self.0.region, now, mishap)
    }

    /// As whom a host in the VPC sees the engineer, where the engineer's network is joined with the VPC.
    pub async fn engineer(&self, to: IpAddr) -> Option<IpAddr> {
        let now = self.now();
        self.0.layer.lock().await.engineer(&self.0.region, now, to)
    }

    /// Puts something into a bucket, or takes all of it out.
    pub async fn set_bucket(&self, bucket: &str, full: bool) {
        self.0.layer.lock().await.set_bucket(&self.0.region, bucket, full);
    }

    /// Would a TCP connection from there arrive at this port? By security groups, addresses, gateways and routes.
    pub async fn reachable(&self, from: Source, to_ip: IpAddr, port: u16) -> Reach {
        let now = self.now();
        self.0.layer.lock().await.reachable(&self.0.region, now, from, to_ip, port)
    }

    /// Does anybody answer a host there: on the Internet, behind a tunnel that is up, or another host that answers pings?
    /// The largest packet on the way, if so.
    pub async fn answers(&self, from: IpAddr, to: IpAddr, protocol: &str, port: i64) -> Option<u32> {
        let now = self.now();
        self.0.layer.lock().await.answers(&self.0.region, now, (from, to), (protocol, port))
    }

    /// What a name server says of the account's own names.
    pub async fn names(&self, question: &Question) -> Said {
        let now = self.now();
        self.0.layer.lock().await.names(&self.0.region, now, question)
    }

    /// The customer has made a VPC there before anybody came.
    pub async fn customer_has_vpc(&self) {
        self.about_to_change();
        let now = self.now();
        let made = self.0.layer.lock().await.customer_has_vpc(&self.0.region, now).await;
        if let Err(refusal) = made {
            tracing::error!(?refusal, "the customer's VPC cannot be made");
        }
        self.is_kept().await;
    }

    /// Two hosts of the customer's stand in that VPC, and let in whoever has this key.
    pub async fn customer_has_hosts(&self, operator: &str) {
        self.about_to_change();
        let now = self.now();
        let made = self.0.layer.lock().await.customer_has_hosts(&self.0.region, now, operator).await;
        if let Err(refusal) = made {
            tracing::error!(?refusal, "the customer's hosts cannot be made");
        }
        self.is_kept().await;
    }

    /// The customer's people write records into their own name servers, after a while. What stands there already stays.
    pub async fn customer_publishes(&self, records: Vec<Record>) {
        self.about_to_change();
        {
            let mut layer = self.0.layer.lock().await;
            layer.customer_publishes(self.now(), records).await;
        }
        self.is_kept().await;
    }

    /// The customer's people accept the terms of the images that this text names, after a while.
    pub async fn customer_buys(&self, text: &str) {
        self.about_to_change();
        let now = self.now();
        self.0.layer.lock().await.customer_buys(&self.0.region, now, text);
        self.is_kept().await;
    }

    /// The customer's people make a bucket with the policy that stands in this text, after a while.
    pub async fn customer_makes_bucket(&self, text: &str) {
        self.about_to_change();
        let now = self.now();
        self.0.layer.lock().await.customer_makes_bucket(&self.0.region, now, text);
        self.is_kept().await;
    }

    /// A host puts something into a bucket of the customer's, or asks for names there: the status, and a text.
    pub async fn deposit(&self, from: Ipv4Addr, path: &str, puts: bool) -> (u16, String) {
        self.about_to_change();
        let now = self.now();
        let told = self.0.layer.lock().await.deposit(&self.0.region, now, from, path, puts);
        self.is_kept().await;
        told
    }

    /// Where S3 is, for hosts that reach it inside of AWS's network.
    pub fn store(&self) -> String {
        format!("s3.{}.amazonaws.com", self.0.region)
    }

    /// A mail server outside takes a message: SES's own, or one of the customer's.
    ///
    /// # Errors
    /// Its refusal, as SMTP has it.
    pub async fn post(&self, server: &str, letter: &Letter) -> Result<String, String> {
        self.about_to_change();
        let taken = {
            let mut layer = self.0.layer.lock().await;
            layer.post(&self.0.region, self.now(), server, letter).await
        };
        self.is_kept().await;
        taken
    }

    /// The last message that came to an address.
    pub async fn mailbox(&self, address: &str) -> Option<String> {
        self.0.layer.lock().await.mailbox(address)
    }

    /// A change begins that comes by another way than a call.
    fn about_to_change(&self) {
        self.0.keeper.get().iter().for_each(|keeper| keeper.about_to_change());
    }

    /// It is made, and kept before anybody hears of it.
    async fn is_kept(&self) {
        if let Some(keeper) = self.0.keeper.get()
            && let Err(error) = keeper.before_answer(true).await
        {
            tracing::error!(%error, "the practice cloud cannot be kept");
        }
    }

    /// What DHCP tells a host now, by its address.
    pub async fn lease(&self, host: Ipv4Addr) -> Option<Lease> {
        let now = self.now();
        self.0.layer.lock().await.lease(&self.0.region, now, host)
    }

    /// What GetConsoleOutput gives for the instance, from when it runs.
    pub fn set_console_output(&self, instance_id: &str, text: &str) {
        self.notes().kept.consoles.insert(instance_id.into(), text.into());
    }

    /// Moves the cloud's clock on.
    pub fn advance(&self, by: Duration) {
        self.notes().kept.advanced += by.as_millis() as i64;
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since 1970.
    fn now(&self) -> i64 {
        let advanced = self.notes().kept.advanced;
        match self.0.pace {
            Pace::Stopped => STOPPED_AT + advanced,
            _ => jiff::Timestamp::now().as_millisecond() + advanced,
        }
    }

    /// One call: arrives, may meet a fault, is executed, may lose its answer.
    async fn serve(self, http: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let number = {
            let mut notes = self.notes();
            notes.kept.arrived += 1;
            notes.kept.arrived
        };
        let id = request_id(&self.0.account, number);
        let ask = match Request::read(&http) {
            Ok(ask) => ask,
            Err(refusal) => return Ok(refused(&refusal, &Request::default(), &id)),
        };
        if !is_region(&ask.region) {
            let message = format!(
                "dns error: failed to lookup address information: {}.{}.amazonaws.com",
                ask.service, ask.region
            );
            return Err(ConnectorError::io(message.into()));
        }
        let at = self.note(&ask);
        if self.0.faults.has(Fault::Slow) {
            let millis = self.0.faults.delay(number, self.0.pace == Pace::Instant);
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        let nth = self.nth(&ask);
        let executed = match self.trouble_before(&ask, number, nth) {
            Some(refusal) => Err(refusal),
            None => self.execute_and_keep(&ask, &id, nth).await,
        };
        if let Some(call) = self.notes().calls.get_mut(at) {
            call.code = executed.as_ref().err().map(|refusal| refusal.code.clone());
        }
        self.trouble_after(&ask, executed.is_ok(), &id, nth)?;
        Ok(match executed {
            Ok(document) if self.server_error_after(&ask, nth) => {
                drop(document);
                refused(&ask.speaks().server_error(), &ask, &id)
            }
            Ok(document) => response(200, document, ask.speaks(), &id),
            Err(refusal) => refused(&refusal, &ask, &id),
        })
    }

    fn note(&self, ask: &Request) -> usize {
        let mut notes = self.notes();
        notes.calls.push(Call {
            operation: ask.action().into(),
            region: ask.region.clone(),
            mutating: ask.mutating(),
            parameters: ask.told(),
            code: None,
        });
        notes.calls.len() - 1
    }

    /// How many calls of this operation have arrived, this one among them.
    fn nth(&self, ask: &Request) -> u64 {
        self.notes().calls.iter().filter(|call| call.operation == ask.action()).count() as u64
    }

    /// Is a fault aimed at this very call? If so it is remembered that it struck.
    fn hit(&self, fault: Fault, ask: &Request, nth: u64) -> bool {
        let aim = self.0.faults.hits(fault, ask.action(), nth).cloned();
        let hit = aim.is_some();
        self.notes().struck.extend(aim);
        hit
    }

    async fn execute_and_keep(&self, ask: &Request, id: &str, nth: u64) -> Result<Document, Refusal> {
        let Some(keeper) = self.0.keeper.get() else { return self.execute(ask, id, nth).await };
        if ask.mutating() {
            keeper.about_to_change();
        }
        let executed = self.execute(ask, id, nth).await;
        let kept = keeper.before_answer(ask.mutating()).await;
        kept.map_err(|error| Refusal::new("InternalError", error.to_string()))?;
        executed
    }

    async fn execute(&self, ask: &Request, id: &str, nth: u64) -> Result<Document, Refusal> {
        let when = |hidden: bool| if hidden { self.0.pace.invisible() } else { 0 };
        let hidden =
            Hidden { all: when(self.0.faults.has(Fault::Invisible)), new: when(self.hit(Fault::Invisible, ask, nth)) };
        if ask.service == "sts"
            && let Some(document) = self.sts(ask)?
        {
            return Ok(document.into());
        }
        let consoles = self.notes().kept.consoles.clone();
        let mut layer = self.0.layer.lock().await;
        // The clock is read under the lock, so that no call sees time go back.
        let now = self.now();
        layer.answer(ask, now, hidden, &consoles, id).await
    }

    fn trouble_before(&self, ask: &Request, number: u64, nth: u64) -> Option<Refusal> {
        let faults = &self.0.faults;
        if self.hit(Fault::Throttle, ask, nth) {
            return Some(ask.speaks().throttled());
        }
        if self.hit(Fault::ServerErrorBefore, ask, nth) {
            return Some(ask.speaks().server_error());
        }
        if self.hit(Fault::ExpiredCredentials, ask, nth) {
            return Some(ask.speaks().expired());
        }
        let at = self.now();
        let mut notes = self.notes();
        let kept = &mut notes.kept;
        if faults.has(Fault::ExpiredCredentials) && number == faults.expires_after() {
            kept.logins.end(at);
        }
        if kept.logins.has_ended(&ask.access_key) {
            return Some(ask.speaks().expired());
        }
        if faults.denied_action() == Some(ask.action()) {
            return Some(if ask.service == "ec2" { self.denied(ask) } else { ask.speaks().denied(ask.action()) });
        }
        if ask.service != "sts" && faults.strikes(Fault::Throttle, &mut kept.odds, 5) {
            return Some(ask.speaks().throttled());
        }
        if ask.mutating() && faults.strikes(Fault::ServerErrorBefore, &mut kept.odds, 4) {
            return Some(ask.speaks().server_error());
        }
        None
    }

    /// The answer to a change that was made may never arrive.
    fn trouble_after(&self, ask: &Request, done: bool, id: &str, nth: u64) -> Result<(), ConnectorError> {
        let by_chance = || ask.mutating() && self.0.faults.strikes(Fault::LostReply, &mut self.notes().kept.odds, 3);
        let strikes = done && (self.hit(Fault::LostReply, ask, nth) || by_chance());
        if strikes {
            let message = format!("connection closed before the answer to {} ({id}) was complete", ask.action());
            return Err(ConnectorError::io(message.into()));
        }
        Ok(())
    }

    fn server_error_after(&self, ask: &Request, nth: u64) -> bool {
        if self.hit(Fault::ServerErrorAfter, ask, nth) {
            return true;
        }
        ask.mutating() && self.0.faults.strikes(Fault::ServerErrorAfter, &mut self.notes().kept.odds, 4)
    }
}

/// As AWS's ids look: a UUID of version 4.
fn request_id(account: &str, number: u64) -> String {
    let hex = blake3::hash(format!("{account}/{number}").as_bytes()).to_hex();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}

fn refused(refusal: &Refusal, ask: &Request, id: &str) -> HttpResponse {
    let speaks = ask.speaks();
    // A look at the head of something has no body, whatever there is to say.
    let text = if ask.method == "HEAD" { String::new() } else { speaks.document(refusal, id) };
    let mut response = response(refusal.status(), text.into(), speaks, id);
    if speaks == Speaks::RestJson {
        response.headers_mut().insert("x-amzn-errortype", refusal.code.clone());
    }
    response
}

fn response(status: u16, document: Document, speaks: Speaks, id: &str) -> HttpResponse {
    let status = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let body = match speaks {
        // Each of our documents is JSON until it is sent.
        Speaks::Cbor => SdkBody::from(cbor::from_json(&serde_json::from_str(&document.text).unwrap_or_default())),
        _ => SdkBody::from(document.text),
    };
    let mut response = HttpResponse::new(StatusCode::from(status), body);
    if speaks == Speaks::Cbor {
        response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    }
    response.headers_mut().insert("content-type", speaks.content_type());
    response.headers_mut().insert("x-amzn-requestid", id.to_string());
    for (name, value) in document.headers {
        response.headers_mut().insert(name, value);
    }
    response
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cloud({}, {})", self.0.account, self.0.region)
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().serve(request))
    }
}

impl HttpClient for Cloud {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

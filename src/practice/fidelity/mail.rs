//! SES (API v2): mail domains and addresses, the account's own settings, and sending. Configuration sets are in `mail_sets`,
//! what becomes of a message in `mail_post`.
//!
//! Rules: "Amazon SES API v2 Reference", the page of each operation; "Amazon SES Developer Guide" for the sandbox, for DKIM
//! and for MAIL FROM. The records have to stand in the account's public zone for their names or, where it has none, in the
//! customer's. The owner of an address follows the link after a while.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::mail_post as post;
use super::mail_records::{Search, Wanted};
use super::mail_sets::{self as sets, Set};
use super::pace::{Pace, Wait};
use super::refusal::Refusal;
use super::services::{Answer, Visit};
use super::world::{Tags, World};

/// Method, path and operation.
pub(super) const PATHS: &[(&str, &str, &str)] = &[
    ("POST", "/v2/email/identities", "CreateEmailIdentity"),
    ("GET", "/v2/email/identities/{EmailIdentity}", "GetEmailIdentity"),
    ("DELETE", "/v2/email/identities/{EmailIdentity}", "DeleteEmailIdentity"),
    ("PUT", "/v2/email/identities/{EmailIdentity}/dkim", "PutEmailIdentityDkimAttributes"),
    ("PUT", "/v2/email/identities/{EmailIdentity}/dkim/signing", "PutEmailIdentityDkimSigningAttributes"),
    ("PUT", "/v2/email/identities/{EmailIdentity}/mail-from", "PutEmailIdentityMailFromAttributes"),
    ("PUT", "/v2/email/identities/{EmailIdentity}/configuration-set", "PutEmailIdentityConfigurationSetAttributes"),
    ("GET", "/v2/email/account", "GetAccount"),
    ("POST", "/v2/email/account/details", "PutAccountDetails"),
    ("PUT", "/v2/email/account/suppression", "PutAccountSuppressionAttributes"),
    ("POST", "/v2/email/outbound-emails", "SendEmail"),
    ("POST", "/v2/email/configuration-sets", "CreateConfigurationSet"),
    ("GET", "/v2/email/configuration-sets/{ConfigurationSetName}", "GetConfigurationSet"),
    ("DELETE", "/v2/email/configuration-sets/{ConfigurationSetName}", "DeleteConfigurationSet"),
    (
        "PUT",
        "/v2/email/configuration-sets/{ConfigurationSetName}/delivery-options",
        "PutConfigurationSetDeliveryOptions",
    ),
    (
        "PUT",
        "/v2/email/configuration-sets/{ConfigurationSetName}/reputation-options",
        "PutConfigurationSetReputationOptions",
    ),
    (
        "PUT",
        "/v2/email/configuration-sets/{ConfigurationSetName}/suppression-options",
        "PutConfigurationSetSuppressionOptions",
    ),
    (
        "GET",
        "/v2/email/configuration-sets/{ConfigurationSetName}/event-destinations",
        "GetConfigurationSetEventDestinations",
    ),
    (
        "POST",
        "/v2/email/configuration-sets/{ConfigurationSetName}/event-destinations",
        "CreateConfigurationSetEventDestination",
    ),
    (
        "PUT",
        "/v2/email/configuration-sets/{ConfigurationSetName}/event-destinations/{EventDestinationName}",
        "UpdateConfigurationSetEventDestination",
    ),
    (
        "DELETE",
        "/v2/email/configuration-sets/{ConfigurationSetName}/event-destinations/{EventDestinationName}",
        "DeleteConfigurationSetEventDestination",
    ),
];

const DAY: i64 = 86_400_000;
/// In the sandbox (developer guide, "Request production access").
const SANDBOX_PER_DAY: usize = 200;
/// What a new account is given with production access.
const PRODUCTION_PER_DAY: usize = 50_000;
/// "The message may not include more than 50 recipients."
const MOST_RECIPIENTS: usize = 50;
/// A shorter text of what the mail is for is refused by whoever reads it.
const LEAST_USE_CASE: usize = 80;
/// Mailboxes of AWS's own that everybody may write to.
const SIMULATOR: &str = "@simulator.amazonses.com";
/// Changes of the same kind in a second ("Amazon SES API v2 quotas").
const A_SECOND: i64 = 1_000;

/// All of SES in one region.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mail {
    identities: BTreeMap<String, Identity>,
    pub sets: BTreeMap<String, Set>,
    suppressed: Vec<String>,
    /// What AWS was asked for production access with, and when.
    request: Option<(Map<String, Json>, i64)>,
    /// When each message went out.
    sent: Vec<i64>,
    /// When each kind of change was asked for last.
    asked: BTreeMap<String, i64>,
}

impl Default for Mail {
    fn default() -> Self {
        Mail {
            identities: BTreeMap::new(),
            sets: BTreeMap::new(),
            // So for every account that is newer than November 2019.
            suppressed: vec!["BOUNCE".to_owned(), "COMPLAINT".to_owned()],
            request: None,
            sent: Vec::new(),
            asked: BTreeMap::new(),
        }
    }
}

/// A domain, or an address.
#[derive(Debug, Serialize, Deserialize)]
struct Identity {
    created: i64,
    dkim: Option<Dkim>,
    set: Option<String>,
    from: Option<MailFrom>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Dkim {
    tokens: Vec<String>,
    bits: String,
    enabled: bool,
    /// Since when AWS looks for them.
    since: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct MailFrom {
    domain: String,
    on_mx_failure: String,
    since: i64,
}

pub(super) fn answer(visit: &mut Visit<'_>) -> Answer {
    let ask = Ask::of(visit)?;
    paced(visit)?;
    let answer = match visit.ask.action() {
        "CreateEmailIdentity" => create(visit, &ask)?,
        "GetEmailIdentity" => get(visit)?,
        "DeleteEmailIdentity" => delete(visit)?,
        "PutEmailIdentityDkimAttributes" => put_dkim(visit, &ask)?,
        "PutEmailIdentityDkimSigningAttributes" => put_signing(visit, &ask)?,
        "PutEmailIdentityMailFromAttributes" => put_from(visit, &ask)?,
        "PutEmailIdentityConfigurationSetAttributes" => put_set(visit, &ask)?,
        "GetAccount" => account(visit),
        "PutAccountDetails" => put_details(visit, ask)?,
        "PutAccountSuppressionAttributes" => {
            visit.world().mail.suppressed = sets::reasons(&ask)?;
            json!({})
        }
        "SendEmail" => send(visit, &ask)?,
        _ => sets::answer(visit, &ask)?,
    };
    Ok(Some(answer.to_string()))
}

/// The body of a request.
pub(super) struct Ask(pub Map<String, Json>);

impl Ask {
    fn of(visit: &Visit<'_>) -> Result<Self, Refusal> {
        if visit.ask.body.is_empty() {
            return Ok(Ask(Map::new()));
        }
        let read = serde_json::from_str(&visit.ask.body);
        read.map(Ask).map_err(|_| Refusal::new("SerializationException", "The request is not JSON."))
    }

    /// What stands at this path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Json> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |found, name| found.get(*name))
    }

    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    pub fn texts(&self, path: &[&str]) -> Vec<String> {
        let all = self.at(path).and_then(Json::as_array).into_iter().flatten();
        all.filter_map(Json::as_str).map(str::to_owned).collect()
    }

    pub fn tags(&self) -> Tags {
        let tag = |tag: &Json| Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.as_str()?.to_owned()));
        self.at(&["Tags"]).and_then(Json::as_array).into_iter().flatten().filter_map(tag).collect()
    }
}

pub(super) fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new("BadRequestException", message)
}

pub(super) fn unknown(message: impl Into<String>) -> Refusal {
    Refusal::new("NotFoundException", message)
}

/// The tags as the answers write them.
pub(super) fn tags_of(world: &World, id: &str) -> Json {
    let tags = world.tags.get(id).into_iter().flatten();
    tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// One change of a kind in a second; sending has its own pace, and a test has no time.
fn paced(visit: &mut Visit<'_>) -> Result<(), Refusal> {
    let (action, changes) = (visit.ask.action().to_owned(), visit.ask.mutating());
    let world = visit.world();
    if world.pace == Pace::Instant || !changes || action == "SendEmail" {
        return Ok(());
    }
    let now = world.now;
    match world.mail.asked.insert(action, now) {
        Some(last) if now - last < A_SECOND => Err(Refusal::new("TooManyRequestsException", "Rate exceeded")),
        _ => Ok(()),
    }
}

/// As tags and what is seen of it are kept.
fn tagged(name: &str) -> String {
    format!("identity/{name}")
}

/// The name that is asked about; domains have no capitals.
fn named(visit: &Visit<'_>) -> Result<String, Refusal> {
    Ok(plain(visit.ask.need("EmailIdentity")?))
}

fn plain(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { name.to_ascii_lowercase() }
}

fn find<'w>(world: &'w mut World, name: &str) -> Result<&'w mut Identity, Refusal> {
    let gone = || unknown(format!("Email identity {name} does not exist."));
    if !world.visible(&tagged(name)) {
        return Err(gone());
    }
    world.mail.identities.get_mut(name).ok_or_else(gone)
}

/// Has it the form of a domain, or of an address?
fn fits(name: &str) -> bool {
    let domain = name.rsplit('@').next().unwrap_or_default();
    let label = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    name.len() <= 320
        && name.matches('@').count() < 2
        && !name.starts_with('@')
        && domain.contains('.')
        && domain.split('.').all(label)
}

fn create(visit: &mut Visit<'_>, ask: &Ask) -> Result<Json, Refusal> {
    let name = plain(ask.text(&["EmailIdentity"]).ok_or_else(|| bad("EmailIdentity is required."))?);
    if !fits(&name) {
        return Err(bad(format!("Invalid email identity {name}.")));
    }
    let world = visit.world();
    let set = ask.text(&["ConfigurationSetName"]).map(str::to_owned);
    if let Some(set) = &set {
        sets::must_be_there(world, set)?;
    }
    if world.mail.identities.contains_key(&name) {
        return Err(Refusal::new("AlreadyExistsException", format!("Email identity {name} already exist.")));
    }
    let now = world.now;
    let dkim = (!name.contains('@')).then(|| Dkim {
        tokens: (0..3).map(|_| token(world, &name)).collect(),
        bits: ask.text(&["DkimSigningAttributes", "NextSigningKeyLength"]).unwrap_or("RSA_2048_BIT").to_owned(),
        enabled: true,
        since: now,
    });
    world.born(&tagged(&name), ask.tags());
    world.mail.identities.insert(name.clone(), Identity { created: now, dkim, set, from: None });
    let seen = described(visit, &name)?;
    let told = ["IdentityType", "VerifiedForSendingStatus", "DkimAttributes"];
    Ok(Json::Object(told.iter().map(|field| ((*field).to_owned(), seen[*field].clone())).collect()))
}

/// Thirty-two letters and digits, as AWS's look.
fn token(world: &mut World, name: &str) -> String {
    let id = world.mint("dkim");
    blake3::hash(format!("{name}/{id}").as_bytes()).to_hex()[..32].to_owned()
}

fn get(visit: &mut Visit<'_>) -> Result<Json, Refusal> {
    let name = named(visit)?;
    find(visit.world(), &name)?;
    described(visit, &name)
}

/// What AWS looks for in the DNS, and what it has found by now.
fn dkim_search(visit: &mut Visit<'_>, name: &str) -> Option<Search> {
    let world = visit.world();
    let dkim = world.mail.identities.get(name)?.dkim.as_ref()?;
    let record = |token: &String| Wanted {
        name: format!("{token}._domainkey.{name}"),
        kind: "CNAME",
        value: format!("{token}.dkim.amazonses.com"),
        alone: false,
    };
    let (wanted, since) = (dkim.tokens.iter().map(record).collect(), dkim.since);
    Some(Search::of(visit, wanted, since))
}

fn from_search(visit: &mut Visit<'_>, name: &str) -> Option<Search> {
    let world = visit.world();
    let from = world.mail.identities.get(name)?.from.as_ref()?;
    let value = format!("10 feedback-smtp.{}.amazonses.com", world.region);
    // One other MX record, and AWS does not use the domain.
    let wanted = Wanted { name: from.domain.clone(), kind: "MX", value, alone: true };
    let since = from.since;
    Some(Search::of(visit, vec![wanted], since))
}

fn described(visit: &mut Visit<'_>, name: &str) -> Result<Json, Refusal> {
    let (search, from) = (dkim_search(visit, name), from_search(visit, name));
    let verified = verified(visit, name);
    let world = visit.world();
    let tags = tags_of(world, &tagged(name));
    let now = world.now;
    let identity = find(world, name)?;
    let status = Search::status;
    let mut seen = json!({
        "IdentityType": if name.contains('@') { "EMAIL_ADDRESS" } else { "DOMAIN" },
        "FeedbackForwardingStatus": true,
        "VerifiedForSendingStatus": verified,
        "VerificationStatus": match &search {
            Some(search) => status(search),
            None if verified => "SUCCESS",
            None if now - identity.created > DAY => "FAILED",
            None => "PENDING",
        },
        "Policies": {},
        "Tags": tags,
    });
    if let Some(set) = &identity.set {
        seen["ConfigurationSetName"] = json!(set);
    }
    seen["DkimAttributes"] = match (&identity.dkim, &search) {
        (Some(dkim), Some(search)) => json!({
            "SigningEnabled": dkim.enabled,
            "Status": status(search),
            "Tokens": dkim.tokens,
            "SigningHostedZone": "dkim.amazonses.com",
            "SigningAttributesOrigin": "AWS_SES",
            "NextSigningKeyLength": dkim.bits,
        }),
        _ => json!({ "SigningEnabled": false, "Status": "NOT_STARTED", "SigningAttributesOrigin": "AWS_SES" }),
    };
    if let (Some(from), Some(search)) = (&identity.from, &from) {
        seen["MailFromAttributes"] = json!({
            "MailFromDomain": from.domain,
            "BehaviorOnMxFailure": from.on_mx_failure,
            "MailFromDomainStatus": status(search),
        });
    }
    let trouble = search.iter().chain(&from).find_map(|search| search.trouble.as_ref());
    if let Some((error, server)) = trouble {
        seen["VerificationInfo"] = json!({ "ErrorType": error, "SOARecord": { "PrimaryNameServer": server } });
    }
    Ok(seen)
}

/// May mail be sent from it? An address by itself, or its domain, or a domain above that.
fn verified(visit: &mut Visit<'_>, name: &str) -> bool {
    if let Some(search) = dkim_search(visit, name) {
        return search.status() == "SUCCESS";
    }
    let world = visit.world();
    let wait = world.pace.millis(Wait::MailLink);
    let seen = world.visible(&tagged(name));
    world.mail.identities.get(name).is_some_and(|identity| seen && world.now >= identity.created + wait)
}

/// The identity that lets an address send: itself, its domain, or a domain above that.
fn sender(visit: &mut Visit<'_>, address: &str) -> Option<String> {
    let address = address.rsplit('<').next().unwrap_or_default().trim_end_matches('>');
    let domain = address.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let above = domain.match_indices('.').map(|(at, _)| domain[at + 1..].to_owned());
    let mut all = [address.to_owned(), domain.clone()].into_iter().chain(above);
    all.find(|name| verified(visit, name))
}

/// The domain whose keys sign what this address sends, and the token of the first of them. What an address that is
/// verified by itself sends is not signed: its own settings win.
pub(super) fn signs_for(visit: &mut Visit<'_>, address: &str) -> Option<(String, String)> {
    let name = sender(visit, address)?;
    let dkim = visit.world().mail.identities.get(&name)?.dkim.as_ref().filter(|dkim| dkim.enabled)?;
    Some((name, dkim.tokens.first()?.clone()))
}

fn delete(visit: &mut Visit<'_>) -> Result<Json, Refusal> {
    let name = named(visit)?;
    let world = visit.world();
    find(world, &name)?;
    world.mail.identities.remove(&name);
    world.forget(&tagged(&name));
    Ok(json!({}))
}

fn put_dkim(visit: &mut Visit<'_>, ask: &Ask) -> Result<Json, Refusal> {
    let name = named(visit)?;
    let dkim = find(visit.world(), &name)?.dkim.as_mut().ok_or_else(|| bad("DKIM is not set up."))?;
    dkim.enabled = ask.at(&["SigningEnabled"]).and_then(Json::as_bool).unwrap_or(false);
    Ok(json!({}))
}

fn put_signing(visit: &mut Visit<'_>, ask: &Ask) -> Result<Json, Refusal> {
    let name = named(visit)?;
    if ask.text(&["SigningAttributesOrigin"]) != Some("AWS_SES") {
        return Err(bad("The practice cloud makes the keys itself."));
    }
    let world = visit.world();
    let now = world.now;
    let dkim = find(world, &name)?.dkim.as_mut().ok_or_else(|| bad("Only a domain has DKIM keys."))?;
    dkim.since = now;
    if let Some(bits) = ask.text(&["SigningAttributes", "NextSigningKeyLength"]) {
        dkim.bits = bits.to_owned();
    }
    let tokens = dkim.tokens.clone();
    Ok(json!({ "DkimStatus": "PENDING", "DkimTokens": tokens }))
}

fn put_from(visit: &mut Visit<'_>, ask: &Ask) -> Result<Json, Refusal> {
    let name = named(visit)?;
    let world = visit.world();
    let now = world.now;
    let identity = find(world, &name)?;
    let Some(domain) = ask.text(&["MailFromDomain"]).map(str::to_ascii_lowercase) else {
        identity.from = None;
        return Ok(json!({}));
    };
    let above = name.rsplit('@').next().unwrap_or_default();
    if !domain.ends_with(&format!(".{above}")) {
        let message =
            format!("Provided MAIL-FROM domain <{domain}> is not subdomain of the domain of the identity <{name}>.");
        return Err(bad(message));
    }
    let on_mx_failure = ask.text(&["BehaviorOnMxFailure"]).unwrap_or("USE_DEFAULT_VALUE").to_owned();
    identity.from = Some(MailFrom { domain, on_mx_failure, since: now });
    Ok(json!({}))
}

fn put_set(visit: &mut Visit<'_>, ask: &Ask) -> Result<Json, Refusal> {
    let name = named(visit)?;
    let set = ask.text(&["ConfigurationSetName"]).map(str::to_owned);
    let world = visit.world();
    if let Some(set) = &set {
        sets::must_be_there(world, set)?;
    }
    find(world, &name)?.set = set;
    Ok(json!({}))
}

impl Mail {
    /// What AWS says of the request for production access; none when there was none.
    fn review(&self, now: i64, pace: Pace) -> Option<&'static str> {
        let (details, since) = self.request.as_ref()?;
        let use_case = details.get("UseCaseDescription").and_then(Json::as_str).unwrap_or_default();
        Some(match now >= since + pace.millis(Wait::MailReview) {
            false => "PENDING",
            true if use_case.chars().count() < LEAST_USE_CASE => "DENIED",
            true => "GRANTED",
        })
    }

    fn sent_in_a_day(&self, now: i64) -> usize {
        self.sent.iter().filter(|at| now - **at < DAY).count()
    }
}

fn account(visit: &mut Visit<'_>) -> Json {
    let world = visit.world();
    let mail = &world.mail;
    let review = mail.review(world.now, world.pace);
    let production = review == Some("GRANTED");
    let (per_day, per_second) = if production { (PRODUCTION_PER_DAY, 14.0) } else { (SANDBOX_PER_DAY, 1.0) };
    let mut seen = json!({
        "ProductionAccessEnabled": production,
        "SendingEnabled": true,
        "EnforcementStatus": "HEALTHY",
        "DedicatedIpAutoWarmupEnabled": false,
        "SendQuota": {
            "Max24HourSend": per_day, "MaxSendRate": per_second, "SentLast24Hours": mail.sent_in_a_day(world.now),
        },
        "SuppressionAttributes": { "SuppressedReasons": mail.suppressed },
    });
    if let (Some((details, since)), Some(status)) = (&mail.request, review) {
        let mut details = details.clone();
        details.insert("ReviewDetails".to_owned(), json!({ "Status": status, "CaseId": format!("{}", since / 1_000) }));
        seen["Details"] = Json::Object(details);
    }
    seen
}

/// While it is read nothing can be changed, nor after a refusal.
fn put_details(visit: &mut Visit<'_>, ask: Ask) -> Result<Json, Refusal> {
    if ask.text(&["MailType"]).is_none() || ask.text(&["WebsiteURL"]).is_none() {
        return Err(bad("MailType and WebsiteURL are required."));
    }
    let world = visit.world();
    if matches!(world.mail.review(world.now, world.pace), Some("PENDING" | "DENIED")) {
        return Err(Refusal::new("ConflictException", "There is an ongoing account details update under review."));
    }
    let mut details = ask.0;
    details.remove("ProductionAccessEnabled");
    world.mail.request = Some((details, world.now));
    Ok(json!({}))
}

fn send(visit: &mut Visit<'_>, ask: &Ask) -> Result<Json, Refusal> {
    let from = ask.text(&["FromEmailAddress"]).ok_or_else(|| bad("From address is required."))?.to_owned();
    let lists = ["ToAddresses", "CcAddresses", "BccAddresses"];
    let to: Vec<String> = lists.iter().flat_map(|list| ask.texts(&["Destination", list])).collect();
    let simple = |path: &[&str]| ask.text(&[&["Content", "Simple"][..], path].concat()).unwrap_or_default();
    if ask.at(&["Content", "Simple"]).is_none() {
        return Err(bad("The practice cloud takes simple content only."));
    }
    if let Some(set) = ask.text(&["ConfigurationSetName"]) {
        sets::must_be_there(visit.world(), set)?;
    }
    let id = take(visit, &from, &to)?;
    let (subject, body) = (simple(&["Subject", "Data"]), simple(&["Body", "Text", "Data"]));
    let text = post::simple(visit.world(), &from, &to, subject, body, &id);
    let text = post::signed(visit, &from, &text);
    post::delivered(visit.world(), &to, &text);
    Ok(json!({ "MessageId": id }))
}

/// Takes a message from somebody to these, or refuses it. Its id.
pub(super) fn take(visit: &mut Visit<'_>, from: &str, to: &[String]) -> Result<String, Refusal> {
    if to.is_empty() || to.len() > MOST_RECIPIENTS {
        return Err(bad(format!("The message must have 1 to {MOST_RECIPIENTS} recipients.")));
    }
    let world = visit.world();
    let (now, pace) = (world.now, world.pace);
    let production = world.mail.review(now, pace) == Some("GRANTED");
    let mut failed: Vec<&str> = Vec::new();
    if sender(visit, from).is_none() {
        failed.push(from);
    }
    for address in to.iter().filter(|address| !production && !address.ends_with(SIMULATOR)) {
        if sender(visit, address).is_none() {
            failed.push(address);
        }
    }
    if !failed.is_empty() {
        let message = format!(
            "Email address is not verified. The following identities failed the check in region {}: {}",
            visit.world().region.to_uppercase(),
            failed.join(", ")
        );
        return Err(Refusal::new("MessageRejected", message));
    }
    must_find_its_domain(visit, from)?;
    let world = visit.world();
    let most = if production { PRODUCTION_PER_DAY } else { SANDBOX_PER_DAY };
    if world.mail.sent_in_a_day(now) + to.len() > most {
        return Err(Refusal::new("TooManyRequestsException", "Daily message quota exceeded."));
    }
    world.mail.sent.extend(to.iter().map(|_| now));
    let id = world.mint("mail");
    let hex = blake3::hash(id.as_bytes()).to_hex();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-");
    Ok(format!("0102{now:012x}-{parts}-000000"))
}

/// A sender whose bounces must not go elsewhere.
fn must_find_its_domain(visit: &mut Visit<'_>, from: &str) -> Result<(), Refusal> {
    let domain = from.rsplit('@').next().unwrap_or_default().trim_end_matches('>').to_ascii_lowercase();
    let strict =
        |identity: &Identity| identity.from.as_ref().is_some_and(|from| from.on_mx_failure == "REJECT_MESSAGE");
    let strict = visit.world().mail.identities.get(&domain).is_some_and(strict);
    if strict && from_search(visit, &domain).is_some_and(|search| search.status() != "SUCCESS") {
        let message = "The message can't be sent because the sending domain isn't verified.";
        return Err(Refusal::new("MailFromDomainNotVerifiedException", message));
    }
    Ok(())
}

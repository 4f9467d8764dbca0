//! Who may send mail: domains, whose keys stand in their DNS, and single addresses, whose owner follows a link.
//!
//! There is one identity of a name in an account and region, so its name is its key; its tags say whose it is. Whether the
//! records are found yet is a question of its own (`aws_mail_from`): until then their values must be known to others.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Found;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::call::mail::{EasyDkim, MailRequest};
use super::call::{Call, Label};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, found};
use super::world::Subject;
use crate::aws::ec2::types::Tag;
use crate::aws::mail::operation::get_email_identity::GetEmailIdentityOutput as Identity;
use crate::aws::mail::types::{
    DkimAttributes, DkimSigningAttributesOrigin, DkimStatus, IdentityType, Tag as MailTag, VerificationStatus,
};
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::engagement::{Difference, Failure};

/// Where AWS keeps the public halves of its keys, where it does not say otherwise.
const SIGNING_ZONE: &str = "dkim.amazonses.com";
const AWS_MAKES_THE_KEYS: &str = "AWS_SES";

/// The identity of that name, if there is one.
pub(super) async fn identity(cloud: &Cloud, name: &str) -> Result<Option<Identity>, AwsFailure> {
    if !known(name) {
        return Ok(None);
    }
    let request = cloud.mail().get_email_identity().email_identity(name);
    match cloud.read(Operation::GetEmailIdentity, || request.clone().send()).await {
        Ok(identity) => Ok(Some(identity)),
        Err(failure) if failure.kind == Kind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// As everything else that looks at tags takes them.
pub(super) fn marks(tags: &[MailTag]) -> Vec<Tag> {
    tags.iter().map(|tag| Tag::builder().key(tag.key()).value(tag.value()).build()).collect()
}

/// What has the place of an object that its name is the key of.
pub(super) enum Place {
    /// Ours, or the one that a person said it is.
    Usable {
        ours: bool,
    },
    Not(Sight),
}

/// Whose is what stands under our name? `tags` is none where nothing does.
pub(super) fn place(at: &Account<'_>, noun: &str, label: &Label, name: &str, tags: Option<&[Tag]>) -> Place {
    let Some(tags) = tags else { return Place::Not(Sight::Nothing { said: format!("{noun} is not there") }) };
    let ours = at.holder(Some(tags)) == (Holder::Us { key: label.key.clone() });
    match at.subject.adopted.as_deref() {
        Some(chosen) if chosen != name => {
            Place::Not(Sight::Nothing { said: format!("there is no {chosen} that could be {noun}") })
        }
        None if !ours => Place::Not(at.taken(noun, &label.key, &format!("the name {name}"), (name, Some(tags)))),
        _ => Place::Usable { ours: at.is_ours(Some(tags)) },
    }
}

/// Ready, or told from what is ours.
pub(super) fn ready(ours: bool, said: String, output: Json) -> Sight {
    Sight::Ready(Found { foreign: !ours, ..found(said, output) })
}

/// There, but not as wanted: what is ours is put right, and the rest is for a person.
pub(super) fn otherwise(ours: bool, partial: Partial) -> Sight {
    if ours {
        return Sight::Partial(partial);
    }
    Sight::Foreign { said: partial.said, differences: partial.differences }
}

/// What tells a domain from an address.
pub(super) trait Sort: Send + Sync {
    const NOUN: &'static str;
    /// Under which its name is saved.
    const ID: &'static str;

    /// The keys that AWS makes for it.
    fn dkim(&self) -> Option<EasyDkim>;

    /// One that is there and may be used: as wanted, or what mends it.
    fn judge(sender: &Sender<Self>, there: &Identity, ours: bool) -> Sight
    where
        Self: Sized;
}

/// An identity: who sends.
pub(super) struct Sender<S> {
    name: String,
    configuration_set: Option<String>,
    label: Label,
    sort: S,
}

/// `aws/mail-domain`
pub(super) type TheDomain = Sender<Domain>;
/// `aws/mail-address`: for the sandbox, where every recipient must have agreed, too.
pub(super) type TheAddress = Sender<Address>;

impl<S: Sort> Sender<S> {
    fn of(name: String, sort: S, arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let configuration_set = arguments.optional("configuration_set")?;
        Ok(Sender { name, configuration_set, label: label(subject, arguments)?, sort })
    }

    fn create(&self) -> Call {
        Call::Mail(MailRequest::CreateEmailIdentity {
            email_identity: self.name.clone(),
            dkim_signing_attributes: self.sort.dkim(),
            configuration_set_name: self.configuration_set.clone(),
            tags: self.label.clone(),
        })
    }

    fn delete(&self) -> Call {
        Call::Mail(MailRequest::DeleteEmailIdentity { email_identity: self.name.clone() })
    }

    /// Messages that name no configuration set are sent under this one.
    fn assign(&self, found: &Identity) -> Option<(Difference, Call)> {
        let set = self.configuration_set.as_ref().filter(|set| known(set))?;
        let now = found.configuration_set_name();
        (now != Some(set)).then(|| {
            let call = Call::Mail(MailRequest::PutEmailIdentityConfigurationSetAttributes {
                email_identity: self.name.clone(),
                configuration_set_name: set.clone(),
            });
            (difference("configuration set", set, now.unwrap_or("none")), call)
        })
    }

    /// Another than is wanted, with what is saved of it meanwhile.
    fn amiss(&self, said: String, differences: Vec<Difference>, missing: Vec<Call>) -> Partial {
        Partial { said, differences, missing, keep: [(S::ID.to_owned(), json!(self.name))].into() }
    }

    async fn tags(&self, at: &Account<'_>) -> Result<Option<Vec<Tag>>, AwsFailure> {
        Ok(identity(at.cloud, &self.name).await?.map(|identity| marks(identity.tags())))
    }
}

#[async_trait]
impl<S: Sort> Thing for Sender<S> {
    fn noun(&self) -> String {
        format!("{} {}", S::NOUN, self.name)
    }

    fn calls(&self) -> Vec<Call> {
        vec![self.create()]
    }

    fn id_name(&self) -> &'static str {
        S::ID
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let there = identity(at.cloud, &self.name).await?;
        let tags = there.as_ref().map(|identity| marks(identity.tags()));
        let ours = match place(at, &self.noun(), &self.label, &self.name, tags.as_deref()) {
            Place::Usable { ours } => ours,
            Place::Not(sight) => return Ok(sight),
        };
        Ok(match &there {
            Some(there) => S::judge(self, there, ours),
            None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let ours = Holder::Us { key: self.label.key.clone() };
        let tags = self.tags(at).await?;
        Ok(tags.filter(|tags| at.holder(Some(tags)) == ours).map(|_| self.name.clone()).into_iter().collect())
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.delete()]
    }

    async fn holder(&self, at: &Account<'_>, _id: &str) -> Result<Holder, AwsFailure> {
        Ok(at.holder(self.tags(at).await?.as_deref()))
    }

    async fn remains(&self, at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let tags = self.tags(at).await?;
        Ok(at.remains(&self.name, tags.as_deref().map(Some), vec![self.delete()]))
    }
}

/// A domain, which has keys.
pub(super) struct Domain {
    dkim: EasyDkim,
}

impl TheDomain {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let dkim =
            EasyDkim { next_signing_key_length: arguments.one_of("dkim_bits", &["RSA_2048_BIT", "RSA_1024_BIT"])? };
        Sender::of(arguments.text("domain")?.to_lowercase(), Domain { dkim }, arguments, subject)
    }

    /// What of its keys is not as wanted, and what mends it. A search that AWS gave up begins anew with the keys.
    fn keys_amiss(&self, found: &Identity) -> (Vec<Difference>, Vec<Call>) {
        let (mut differences, mut missing) = (Vec::new(), Vec::new());
        let domain = || self.name.clone();
        let dkim = found.dkim_attributes();
        let wanted = self.sort.dkim;
        let bits = dkim.and_then(DkimAttributes::next_signing_key_length).map_or("none", |bits| bits.as_str());
        let external =
            dkim.and_then(DkimAttributes::signing_attributes_origin) == Some(&DkimSigningAttributesOrigin::External);
        let status = dkim.and_then(DkimAttributes::status);
        // A new domain has its tokens at once, and AWS begins to look for them a moment later.
        let begun = dkim.is_some_and(|dkim| !dkim.tokens().is_empty());
        let given_up = match status {
            Some(DkimStatus::Failed) => true,
            Some(DkimStatus::NotStarted) | None => !begun,
            Some(_) => false,
        };
        if external {
            differences.push(difference("DKIM keys", "made by AWS", "brought by somebody"));
        }
        if bits != wanted.next_signing_key_length {
            differences.push(difference("length of the DKIM keys", wanted.next_signing_key_length, bits));
        }
        if given_up {
            let status = status.map_or("nothing", DkimStatus::as_str);
            differences.push(difference("search for the DKIM records", "going on, or successful", status));
        }
        if !differences.is_empty() {
            missing.push(Call::Mail(MailRequest::PutEmailIdentityDkimSigningAttributes {
                email_identity: domain(),
                signing_attributes_origin: AWS_MAKES_THE_KEYS,
                signing_attributes: wanted,
            }));
        }
        if !dkim.is_some_and(DkimAttributes::signing_enabled) {
            differences.push(difference("signing with DKIM", "on", "off"));
            missing.push(Call::Mail(MailRequest::PutEmailIdentityDkimAttributes {
                email_identity: domain(),
                signing_enabled: true,
            }));
        }
        (differences, missing)
    }

    fn output(&self, found: &Identity) -> Json {
        let dkim = found.dkim_attributes();
        let tokens = dkim.map(DkimAttributes::tokens).unwrap_or_default();
        let zone = dkim.and_then(DkimAttributes::signing_hosted_zone).unwrap_or(SIGNING_ZONE);
        let record = |token: &String| {
            json!({
                "name": format!("{token}._domainkey.{}", self.name),
                "type": "CNAME",
                "values": [format!("{token}.{zone}")],
            })
        };
        json!({
            "domain": self.name,
            "tokens": tokens,
            "hosted_zone": zone,
            "records": tokens.iter().map(record).collect::<Vec<_>>(),
            "status": dkim.and_then(DkimAttributes::status).map_or("NOT_STARTED", DkimStatus::as_str),
            "verified": found.verified_for_sending_status(),
        })
    }
}

impl Sort for Domain {
    const NOUN: &'static str = "mail domain";
    const ID: &'static str = "domain";

    fn dkim(&self) -> Option<EasyDkim> {
        Some(self.dkim)
    }

    fn judge(domain: &TheDomain, there: &Identity, ours: bool) -> Sight {
        let (mut differences, mut missing) = domain.keys_amiss(there);
        if let Some((other, call)) = domain.assign(there) {
            differences.push(other);
            missing.push(call);
        }
        if differences.is_empty() {
            let output = domain.output(there);
            let said = format!("{}, DKIM {}", domain.name, output["status"].as_str().unwrap_or_default());
            return ready(ours, said, output);
        }
        otherwise(ours, domain.amiss(format!("{} is there, but otherwise", domain.noun()), differences, missing))
    }
}

/// A single address, whose owner follows a link.
pub(super) struct Address;

impl TheAddress {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let address = arguments.text("address")?;
        if known(&address) && !address.contains('@') {
            let what = format!("the argument `address` of aws/mail-address is \"{address}\", which is no address");
            return Err(Failure::new(what, "For a whole domain there is aws/mail-domain."));
        }
        Sender::of(address, Address, arguments, subject)
    }
}

impl Sort for Address {
    const NOUN: &'static str = "mail address";
    const ID: &'static str = "address";

    fn dkim(&self) -> Option<EasyDkim> {
        None
    }

    fn judge(address: &TheAddress, there: &Identity, ours: bool) -> Sight {
        // The link in AWS's message is good for a day; only a new identity has a new one.
        if there.verification_status() == Some(&VerificationStatus::Failed) {
            let differences = vec![difference("the link that AWS sent", "followed", "expired")];
            let said = format!("nobody has followed the link that AWS sent to {}", address.name);
            return otherwise(ours, address.amiss(said, differences, vec![address.delete(), address.create()]));
        }
        if let Some((other, call)) = address.assign(there) {
            let said = format!("{} is there, but otherwise", address.noun());
            return otherwise(ours, address.amiss(said, vec![other], vec![call]));
        }
        let verified = there.verified_for_sending_status();
        let said = match (verified, there.identity_type()) {
            (true, _) => format!("{} may send and receive", address.name),
            (false, Some(IdentityType::EmailAddress) | None) => {
                format!("AWS has written to {}, and nobody has followed its link yet", address.name)
            }
            (false, Some(_)) => format!("{} is there", address.name),
        };
        ready(ours, said, json!({ "address": address.name, "verified": verified }))
    }
}

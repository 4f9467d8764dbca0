//! What went wrong with a call, in plain words, and whether it was executed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use super::codes;
use super::operations::{Operation, Service};
use super::watch::OnlyLooking;
use crate::text;

/// Was the call executed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It never reached AWS.
    NotExecuted,
    /// AWS answered that it will not.
    Refused,
    /// Nobody can tell.
    Unknown,
}

/// What callers decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// These credentials may not.
    Denied,
    /// There are no credentials, or they are wrong or at their end.
    Credentials,
    /// A device's code is needed for the credentials, and nobody said it.
    NoCode,
    /// Nobody answers at the endpoint.
    Unreachable,
    Throttled,
    Quota,
    /// None of that instance type in that zone.
    Capacity,
    /// Sent, and no answer that says what became of it.
    LostReply,
    /// An id that AWS does not know (yet).
    NotFound,
    /// What was to be removed is not there.
    Gone,
    Exists,
    InUse,
    NotReady,
    /// Somebody else is at the same thing, and it can be asked again when they are done.
    Busy,
    Conflict,
    Token,
    Invalid,
    AddressPlan,
    Image,
    Key,
    /// Account, region, service or Marketplace terms are not ready for use.
    Activation,
    /// A change was asked of a cloud that only looks.
    OnlyLooking,
    Other,
}

/// A call that did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsFailure {
    /// `CreateVpc`
    pub operation: String,
    pub kind: Kind,
    pub fate: Fate,
    pub code: Option<String>,
    /// What could not be done.
    pub what: String,
    /// What that means here.
    pub meaning: String,
    /// What to do now.
    pub advice: String,
    /// AWS's own words, or those of the network.
    pub raw: String,
    /// The token was used up with it: the same call under the same token would only be told so again.
    pub spent: bool,
    /// What to do is known, and signing in anew is not it.
    pub advised: bool,
}

impl fmt::Display for AwsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        write!(f, ": {}", self.meaning)
    }
}

impl Error for AwsFailure {}

impl AwsFailure {
    fn new(operation: &str, kind: Kind, fate: Fate, meaning: &str, advice: &str) -> Self {
        AwsFailure {
            operation: operation.to_owned(),
            kind,
            fate,
            code: None,
            what: format!("{operation} did not work"),
            meaning: meaning.to_owned(),
            advice: advice.to_owned(),
            raw: String::new(),
            spent: false,
            advised: false,
        }
    }

    pub(super) fn wiring(meaning: &str, advice: &str) -> Self {
        let mut failure = AwsFailure::new("connect", Kind::Invalid, Fate::NotExecuted, meaning, advice);
        failure.what = "There is no connection to AWS".to_owned();
        failure
    }

    /// The name that we wanted is somebody else's.
    pub fn taken(operation: &str, name: &str) -> Self {
        let failure = AwsFailure::new(
            operation,
            Kind::Exists,
            Fate::NotExecuted,
            "onramp did not make it, so onramp does not change it.",
            "Find out whose it is. Delete it there, or keep the secret elsewhere.",
        );
        AwsFailure { what: format!("there is a secret called {name} already"), ..failure }
    }

    pub(super) fn credentials(operation: &str, error: &(dyn Error + 'static)) -> Self {
        if let Some(known) = in_chain::<AwsFailure>(error) {
            return known.clone();
        }
        let raw = said_by(error);
        let of = |what: &str, meaning: &str, advice: &str| {
            let failure = AwsFailure::new(operation, Kind::Credentials, Fate::NotExecuted, meaning, advice);
            AwsFailure { what: what.to_owned(), raw: raw.clone(), advised: true, ..failure }
        };
        if raw.contains("AccessDenied") {
            return of(
                "AWS did not give the role of the profile",
                "The role's trust policy, or the policy of whoever signs in here, does not allow it so. Nothing was sent.",
                "Compare role_arn, external_id and source_profile of the profile (~/.aws/config) with the role's trust policy.",
            );
        }
        if raw.contains("ForbiddenException") {
            return of(
                "Single sign-on does not give the role of the profile",
                "Whoever signed in is not assigned to that account with that role. Nothing was sent.",
                "Let whoever keeps IAM Identity Center assign it, or correct sso_account_id and sso_role_name of the profile \
                 (~/.aws/config).",
            );
        }
        if ["dispatch failure", "timeout", "timed out"].iter().any(|word| raw.contains(word)) {
            return of(
                "AWS could not be asked for credentials",
                "Nobody answered, so it is not known whether the credentials are good. Nothing was sent.",
                "Look whether this machine reaches AWS (network, VPN, HTTPS_PROXY), and try again.",
            );
        }
        let failure = AwsFailure {
            raw,
            ..AwsFailure::new(
                operation,
                Kind::Credentials,
                Fate::NotExecuted,
                "No usable credentials were found, so nothing was sent.",
                "Choose a profile with --profile or AWS_PROFILE, or sign in (with single sign-on: aws sso login), and \
                 try again.",
            )
        };
        AwsFailure { what: "There are no credentials for AWS".to_owned(), ..failure }
    }

    pub(super) fn no_credentials() -> Self {
        AwsFailure::credentials("connect", &CredentialsError::not_loaded("nothing gives any"))
    }

    /// Nobody said what the device shows.
    pub(super) fn no_code(device: &str) -> Self {
        AwsFailure {
            advised: true,
            what: format!("A code of the device {device} is needed"),
            ..AwsFailure::new(
                "AssumeRole",
                Kind::NoCode,
                Fate::NotExecuted,
                "The role is taken with a code of six digits, which is asked for and never kept. Nothing was sent.",
                "Say the code when onramp asks for it: in the terminal Enter on the step asks once more (onramp open NAME); a command \
                 asks where it runs on a terminal.",
            )
        }
    }

    /// The session is at its end sooner than a step may need it.
    pub(super) fn ending(left: Duration, needed: Duration) -> Self {
        let (left, needed) = (text::duration(whole_seconds(left)), text::duration(whole_seconds(needed)));
        AwsFailure {
            what: "The credentials end too soon".to_owned(),
            ..AwsFailure::new(
                "connect",
                Kind::Credentials,
                Fate::NotExecuted,
                &format!(
                    "The step may take {needed}, and they held for {left} more when it was its turn: it is not begun with \
                     credentials that could end in its middle."
                ),
                "Renew the session (with single sign-on: aws sso login).",
            )
        }
    }

    /// The same, where a device's code makes them anew.
    pub(super) fn ending_for_a_code(self) -> Self {
        AwsFailure {
            advised: true,
            advice: "onramp asks for a new code of the device: say it, and the step goes on.".to_owned(),
            ..self
        }
    }

    /// AWS did not give the role.
    pub(super) fn of_role(self, role: &str) -> Self {
        let too_long = self.raw.contains("DurationSeconds");
        let advice = match too_long {
            true => {
                "Ask for a shorter session (aws.session_seconds): at most what the role allows, and an hour where it is \
                 taken from another role."
            }
            false => {
                "Compare the role's ARN and the external id with the role's trust policy; it must name whoever signs in \
                 here, and may ask for a device's code (aws.mfa_serial)."
            }
        };
        AwsFailure {
            kind: Kind::Credentials,
            fate: Fate::NotExecuted,
            advised: true,
            what: format!("The role {role} could not be taken"),
            meaning:
                "Its trust policy, or the policy of whoever signs in here, does not allow it so. Nothing was sent."
                    .to_owned(),
            advice: advice.to_owned(),
            ..self
        }
    }

    /// Is it over as soon as somebody has signed in anew? What AWS says of a region that is not enabled sounds alike, and
    /// is not.
    pub fn ends_with_sign_in(&self) -> bool {
        match self.kind {
            Kind::NoCode => true,
            Kind::Credentials => self.code.as_deref() != Some("AuthFailure") || self.operation == "GetCallerIdentity",
            _ => false,
        }
    }

    /// Too much time has passed since the intent: it was not sent.
    pub(super) fn late(operation: &str) -> Self {
        AwsFailure {
            what: format!("{operation} was not sent in time"),
            ..AwsFailure::new(
                operation,
                Kind::Unreachable,
                Fate::NotExecuted,
                "AWS put it off for so long that it was given up, rather than sent at a time when nobody expects it.",
                "Run the step again.",
            )
        }
    }

    /// A request to Cloud Control has ended, and not well. AWS keeps that under its token.
    pub fn of_handler(operation: Operation, of: &str, code: &str, message: &str) -> Self {
        let row = codes::of_handler(of, code, message);
        let kind = row.map_or(Kind::Other, |row| row.kind);
        let meaning = row.map_or(unknown_code(kind), |row| row.meaning);
        let advice = row.map_or("Read AWS's own words below, then run the step again.", |row| row.advice);
        AwsFailure {
            what: format!("{} of {of} failed", operation.name()),
            code: Some(code.to_owned()),
            raw: message.to_owned(),
            spent: true,
            ..AwsFailure::new(operation.name(), kind, Fate::Refused, meaning, advice)
        }
    }

    /// An instance that AWS took, and that ended by itself with this reason.
    pub fn of_instance(code: &str, message: &str) -> Self {
        let row = match code {
            // Of an encrypted disk whose key it may not use AWS says no more than this.
            "Client.InternalError" => codes::row(Service::Ec2, "KMSKeyNotAccessible", message),
            _ => codes::row(Service::Ec2, code, message),
        };
        let kind = row.map_or(Kind::Other, |row| row.kind);
        let meaning =
            row.map_or("AWS took the instance and could not start it; its reason stands below.", |row| row.meaning);
        let advice = row.map_or(
            "Put right what AWS names below: often the disk's encryption key, a volume limit or Marketplace terms.",
            |row| row.advice,
        );
        let operation = Operation::RunInstances.name();
        // The message begins with the code, which is shown before it.
        let raw = message.strip_prefix(code).map_or(message, |rest| rest.trim_start_matches([':', ' ']));
        AwsFailure {
            code: Some(code.to_owned()),
            raw: raw.to_owned(),
            ..AwsFailure::new(operation, kind, Fate::Refused, meaning, advice)
        }
    }

    /// AWS has taken a request and is still at it, and nobody waits for it any longer here.
    pub fn unfinished(operation: Operation, said: &str, why: &str) -> Self {
        AwsFailure {
            what: format!("{said}, and {why}"),
            ..AwsFailure::new(
                operation.name(),
                Kind::LostReply,
                Fate::Unknown,
                "AWS goes on with it.",
                "Run the step again: it asks under the same token, and waits for the same request.",
            )
        }
    }

    /// A job has ended, and not well. AWS answers the same token with it for ever.
    pub fn ended(operation: Operation, id: &str, said: &str) -> Self {
        AwsFailure {
            what: format!("the job {id} came to nothing"),
            raw: said.to_owned(),
            spent: true,
            ..AwsFailure::new(
                operation.name(),
                Kind::Other,
                Fate::Refused,
                "It was started, as those before it were, and failed.",
                "Read AWS's own words below; remove the reason, and run the step again: it starts another job.",
            )
        }
    }

    /// AWS answered, and not in the form that it promises.
    pub fn unread(operation: Operation, of: &str, error: &(dyn Error + 'static)) -> Self {
        AwsFailure {
            what: format!("what AWS shows of {of} cannot be read"),
            raw: said_by(error),
            ..AwsFailure::new(
                operation.name(),
                Kind::Other,
                Fate::Refused,
                "Nobody can tell from that how it stands. Nothing was changed.",
                "Look again in a minute; if it stays so, report it with the words below.",
            )
        }
    }

    /// The token was answered with what it made before, and that is there no more.
    pub fn made_before(operation: Operation, id: &str) -> Self {
        AwsFailure {
            what: format!("{} was answered with {id}, which is not there", operation.name()),
            spent: true,
            ..AwsFailure::new(
                operation.name(),
                Kind::Token,
                Fate::Refused,
                "This step made it before, and somebody has taken it away since. Nothing was made this time.",
                "Run the step again: it takes a new token.",
            )
        }
    }

    /// The SDK does not put together a request from these values.
    pub fn unbuilt(operation: Operation, error: &(dyn Error + 'static)) -> Self {
        AwsFailure { raw: said_by(error), ..AwsFailure::malformed(operation.name()) }
    }

    fn malformed(operation: &str) -> Self {
        AwsFailure {
            what: format!("{operation} was not sent"),
            ..AwsFailure::new(
                operation,
                Kind::Invalid,
                Fate::NotExecuted,
                "The call could not be put together, so nothing was changed.",
                "Correct the value named below, and report it so that onramp's own check learns it.",
            )
        }
    }

    fn unreachable(operation: &str, error: &(dyn Error + 'static)) -> Self {
        AwsFailure {
            raw: said_by(error),
            what: format!("{operation} was not sent"),
            ..AwsFailure::new(
                operation,
                Kind::Unreachable,
                Fate::NotExecuted,
                "Nobody answers at the endpoint, so nothing was changed.",
                "Check the network, the proxy, the region's name and --endpoint-url; then try again.",
            )
        }
    }

    fn lost(operation: &str, error: &(dyn Error + 'static)) -> Self {
        AwsFailure {
            raw: said_by(error),
            what: format!("{operation} was sent, but no answer came back"),
            ..AwsFailure::new(
                operation,
                Kind::LostReply,
                Fate::Unknown,
                "It may or may not have been done.",
                "onramp looks what is there before it asks again. Check the network meanwhile.",
            )
        }
    }
}

fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}

/// Puts an SDK error into plain words.
pub fn explain<E>(service: Service, operation: &str, error: &SdkError<E, HttpResponse>) -> AwsFailure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(refusal) = in_chain::<OnlyLooking>(error) {
        let mut failure = AwsFailure::new(operation, Kind::OnlyLooking, Fate::NotExecuted, "", "Report this as a bug.");
        failure.meaning = format!("{refusal}; it was stopped before it was sent.");
        return failure;
    }
    match error {
        SdkError::ServiceError(refused) => {
            let said = refused.err().meta();
            answered((service, operation), said.code(), said.message(), refused.raw())
        }
        SdkError::ResponseError(response) => AwsFailure {
            raw: said_by(error),
            ..answered((service, operation), None, Some("the answer is not one of AWS"), response.raw())
        },
        SdkError::TimeoutError(_) => AwsFailure::lost(operation, error),
        _ if in_chain::<CredentialsError>(error).is_some() => AwsFailure::credentials(operation, error),
        SdkError::DispatchFailure(dispatch) if dispatch.is_user() || never_connected(error) => {
            AwsFailure::unreachable(operation, error)
        }
        SdkError::DispatchFailure(_) => AwsFailure::lost(operation, error),
        _ => AwsFailure { raw: said_by(error), ..AwsFailure::malformed(operation) },
    }
}

/// AWS, or something in its place, answered.
fn answered(
    (service, operation): (Service, &str),
    code: Option<&str>,
    message: Option<&str>,
    response: &HttpResponse,
) -> AwsFailure {
    let status = response.status().as_u16();
    // A HEAD of S3 has no body that says it: the bucket is in another region.
    let elsewhere = (service == Service::S3 && matches!(status, 301 | 307)).then_some("PermanentRedirect");
    let row = code.or(elsewhere).and_then(|code| codes::row(service, code, message.unwrap_or_default()));
    let kind = match (row, status) {
        (Some(_), _) if code == Some("DirectConnectClientException") => codes::of_prose(message.unwrap_or_default()),
        (Some(row), _) => row.kind,
        (None, 429) => Kind::Throttled,
        // It says no more where it answers without a body.
        (None, 403) if service == Service::S3 => Kind::Denied,
        (None, 500..) => Kind::LostReply,
        (None, _) => Kind::Other,
    };
    let fate = match kind {
        // A throttled call was not executed, whatever its status says (EC2 answers 503).
        Kind::Throttled => Fate::NotExecuted,
        Kind::LostReply => Fate::Unknown,
        _ if row.is_none() && !(400..500).contains(&status) => Fate::Unknown,
        _ => Fate::Refused,
    };
    let (meaning, advice) = match (row, code) {
        (Some(row), _) => (row.meaning, row.advice),
        (None, None) if kind == Kind::Denied => {
            (unknown_code(kind), "Look whose the bucket is, and what its policy and your permissions allow.")
        }
        (None, Some(_)) => {
            (unknown_code(kind), "Read AWS's own words below; the code stands in the API reference of the service.")
        }
        (None, None) => (
            "The answer is not one that AWS gives: something between here and AWS may have given it, such as a proxy.",
            "Check the proxy, the network and --endpoint-url; then try again.",
        ),
    };
    let mut failure = AwsFailure::new(operation, kind, fate, meaning, advice);
    failure.what = if fate == Fate::Unknown {
        format!("{operation} ended without a clear answer")
    } else {
        format!("{operation} was refused")
    };
    failure.code = code.map(str::to_owned).or_else(|| Some(format!("HTTP {status}")));
    failure.raw = message.unwrap_or_default().to_owned();
    failure
}

fn unknown_code(kind: Kind) -> &'static str {
    match kind {
        Kind::Throttled => "More calls than AWS takes in a second.",
        Kind::LostReply => "AWS, or a proxy before it, had an error of its own.",
        Kind::Denied => "These credentials may not do this, or it is somebody else's.",
        _ => "onramp has no better words for this code than AWS's own.",
    }
}

/// The whole chain in one line; what an error repeats of its source is said once.
fn said_by(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for part in chain(error).map(ToString::to_string) {
        if !part.is_empty() && !said.iter().any(|earlier| earlier.contains(&part)) {
            said.push(part);
        }
    }
    said.join(": ")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<std::io::Error>() {
        // `source()` of an io error skips what it carries.
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

fn in_chain<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref::<E>())
}

/// Proof that no connection was made, so that nothing can have been executed: refused, unknown host, no route, or a
/// time-out while connecting. hyper says "client error (Connect)" for all of these; its type is not ours to name.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    chain(error).any(|error| match error.downcast_ref::<std::io::Error>() {
        Some(io) => matches!(io.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable),
        None => {
            let said = error.to_string();
            said.starts_with("client error (Connect)") || said.contains("failed to lookup address")
        }
    })
}

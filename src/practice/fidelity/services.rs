//! The services beside EC2: a row each here, and a file each that knows what AWS does there.
//!
//! How to add one:
//! 1. Write `fidelity/NAME.rs` with `pub(super) fn answer(visit: &mut Visit<'_>) -> Answer`. It goes by
//!    `visit.ask.action()`, refuses what AWS refuses with AWS's own code, and gives the document of the answer. For what it
//!    gives `Ok(None)`, winterbaume answers, if the service stands in `base.rs` as well (one line there).
//! 2. What it remembers is a struct with `Default`, `Serialize` and `Deserialize`, and a `#[serde(default)]` field of
//!    `World`: so it is kept on disk with the rest. Times come from `world.now` and `pace::Wait`, ids from `world.mint`, and
//!    `world.born`, `visible` and `forget` keep the tags of its objects and heed the fault `invisible`.
//! 3. Add a row to `SERVICES`. A service that speaks REST says which operation a method and a path are; what stands in the
//!    path (`{Id}`) and behind it (`?name=`) is then found by `visit.ask.get`, the body in `visit.ask.body`.
//!
//! Faults, refusals in the protocol's own form, the log of calls and the keeping are the same for all, and done elsewhere.

use std::collections::BTreeMap;

use super::refusal::Refusal;
use super::request::{Request, decode, form};
use super::world::World;
use super::{backup, block, control, dx, logs, mail, metrics, quotas, rds, resolver, route53, s3, secrets, trails};

/// The document of the answer; none where winterbaume is to answer.
pub(super) type Answer = Result<Option<String>, Refusal>;

/// What is answered to a call that was done.
pub(in crate::practice) struct Document {
    pub text: String,
    /// Beside those that every answer of the service has.
    pub headers: Vec<(&'static str, String)>,
}

impl From<String> for Document {
    fn from(text: String) -> Self {
        Document { text, headers: Vec::new() }
    }
}

/// One service.
pub(super) struct Service {
    /// As signatures name it.
    name: &'static str,
    pub speaks: Speaks,
    /// It is one for all regions.
    pub everywhere: bool,
    /// Method, path and operation, for REST.
    paths: &'static [(&'static str, &'static str, &'static str)],
    /// Operations that change nothing, beside those whose names say so.
    reads: &'static [&'static str],
    /// No secret is ever in what it is asked, so that it can be written down.
    pub open: bool,
    pub answer: fn(&mut Visit<'_>) -> Answer,
}

const SERVICES: &[Service] = &[
    Service {
        name: "sts",
        speaks: Speaks::Query,
        everywhere: true,
        paths: &[],
        reads: &["AssumeRole", "AssumeRoleWithWebIdentity"],
        open: true,
        answer: as_it_is,
    },
    Service {
        name: "secretsmanager",
        speaks: Speaks::Json,
        everywhere: false,
        paths: &[],
        reads: &[],
        open: false,
        answer: secrets::answer,
    },
    Service {
        name: "route53",
        speaks: Speaks::RestXml("https://route53.amazonaws.com/doc/2013-04-01/"),
        everywhere: true,
        paths: route53::PATHS,
        reads: &["TestDNSAnswer"],
        open: true,
        answer: route53::answer,
    },
    Service {
        name: "ses",
        speaks: Speaks::RestJson,
        everywhere: false,
        paths: mail::PATHS,
        reads: &[],
        open: true,
        answer: mail::answer,
    },
    Service {
        name: "route53resolver",
        speaks: Speaks::Json,
        everywhere: false,
        paths: &[],
        reads: &[],
        open: true,
        answer: resolver::answer,
    },
    // Keys of BGP sessions are in what it is asked.
    Service {
        name: "directconnect",
        speaks: Speaks::Json,
        everywhere: false,
        paths: &[],
        reads: &[],
        open: false,
        answer: dx::answer,
    },
    Service {
        name: "cloudcontrolapi",
        speaks: Speaks::Json,
        everywhere: false,
        paths: &[],
        reads: &[],
        open: false,
        answer: control::answer,
    },
    Service {
        name: "backup",
        speaks: Speaks::RestJson,
        everywhere: false,
        paths: backup::PATHS,
        reads: &[],
        open: true,
        answer: backup::answer,
    },
    // Whatever is in an object is in what it is asked.
    Service {
        name: "s3",
        speaks: Speaks::S3,
        everywhere: false,
        paths: s3::PATHS,
        reads: &["HeadObject"],
        open: false,
        answer: s3::answer,
    },
    Service {
        name: block::NAME,
        speaks: Speaks::RestXml(block::SPACE),
        everywhere: true,
        paths: block::PATHS,
        reads: &[],
        open: true,
        answer: block::answer,
    },
    // Each trail has a home, and one of all regions is seen in each.
    Service {
        name: "cloudtrail",
        speaks: Speaks::Json,
        everywhere: true,
        paths: &[],
        reads: &[],
        open: true,
        answer: trails::answer,
    },
    Service {
        name: "rds",
        speaks: Speaks::Query,
        everywhere: false,
        paths: &[],
        reads: &[],
        open: true,
        answer: rds::answer,
    },
    Service {
        name: "logs",
        speaks: Speaks::Json,
        everywhere: false,
        paths: &[],
        reads: &["FilterLogEvents"],
        open: true,
        answer: logs::answer,
    },
    Service {
        name: "monitoring",
        speaks: Speaks::Cbor,
        everywhere: false,
        paths: metrics::PATHS,
        reads: &[],
        open: true,
        answer: metrics::answer,
    },
    Service {
        name: "servicequotas",
        speaks: Speaks::Json,
        everywhere: false,
        paths: &[],
        reads: &[],
        open: true,
        answer: quotas::answer,
    },
];

/// The verbs of operations that change nothing.
const READS: [&str; 5] = ["Describe", "Get", "List", "Search", "Decode"];

/// Operations that change something, although they are called like a look: a letter that is issued counts from then on.
const DEEDS: [&str; 1] = ["DescribeLoa"];

/// Where that is kept which is one for all regions.
pub(super) const EVERYWHERE: &str = "aws-global";

/// Does its name say that it changes nothing?
pub(super) fn looks(operation: &str) -> bool {
    READS.iter().any(|verb| operation.starts_with(verb)) && !DEEDS.contains(&operation)
}

fn as_it_is(_: &mut Visit<'_>) -> Answer {
    Ok(None)
}

/// The service that is meant: two are signed under one name.
pub(super) fn meant<'a>(signed: &'a str, path: &str) -> &'a str {
    match signed == block::SIGNED_AS && path.starts_with(block::PATH) {
        true => block::NAME,
        false => signed,
    }
}

/// The service of that name in signatures; EC2 is none of them.
pub(super) fn service(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == name)
}

/// One call of a service, and what it may look at.
pub(super) struct Visit<'a> {
    pub ask: &'a Request,
    place: &'a str,
    worlds: &'a mut BTreeMap<String, World>,
    /// Of the answer.
    pub headers: Vec<(&'static str, String)>,
}

impl<'a> Visit<'a> {
    pub fn new(ask: &'a Request, place: &'a str, worlds: &'a mut BTreeMap<String, World>) -> Self {
        Self { ask, place, worlds, headers: Vec::new() }
    }

    /// The region in which it was asked, or what is one for all regions.
    pub fn world(&mut self) -> &mut World {
        self.worlds.entry(self.place.into()).or_default()
    }

    /// Every region where somebody has called.
    pub fn everywhere(&self) -> impl Iterator<Item = &World> {
        self.worlds.values()
    }

    /// Another region, or what is one for all; none where nobody has called yet.
    pub fn elsewhere(&self, place: &str) -> Option<&World> {
        self.worlds.get(place)
    }
}

impl Service {
    pub fn reads(&self, operation: &str) -> bool {
        looks(operation) || self.reads.contains(&operation)
    }

    /// The parameters of a REST call: its operation under `Action`, and what stands in the path and behind it.
    pub fn parameters(&self, method: &str, path: &str) -> BTreeMap<String, String> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut parameters = form(query);
        let found = self.paths.iter().find_map(|(verb, template, operation)| {
            let labels = (*verb == method).then(|| labels(template, path)).flatten()?;
            Some((*operation, labels))
        });
        let (operation, labels) = found.unwrap_or_else(|| ("UnknownOperation", BTreeMap::new()));
        parameters.extend(labels);
        parameters.insert("Action".into(), operation.into());
        parameters
    }
}

/// What stands where the template has `{Name}`, or all the rest for `{Name+}`; none when the path is another.
fn labels(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let parts = |text: &str| text.trim_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    let (mut template, mut path) = (parts(template), parts(path));
    if let Some(rest) = template.last_mut().filter(|last| last.ends_with("+}")) {
        *rest = rest.replace("+}", "}");
        let from = template.len() - 1;
        if path.len() <= from {
            return None;
        }
        let rest = path.split_off(from).join("/");
        path.push(rest);
    }
    if template.len() != path.len() {
        return None;
    }
    let mut labels = BTreeMap::new();
    for (wanted, given) in template.iter().zip(path) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => drop(labels.insert(name.to_owned(), decode(&given))),
            None if *wanted == given => {}
            None => return None,
        }
    }
    Some(labels)
}

/// How a service is asked and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::practice) enum Speaks {
    Ec2,
    Query,
    /// XML over REST, in this name space.
    RestXml(&'static str),
    /// JSON over REST.
    RestJson,
    Json,
    /// Smithy RPC v2: the operation stands in the path, and the body is CBOR.
    Cbor,
    /// XML over REST, of which an object is no part.
    S3,
}

impl Speaks {
    pub fn content_type(self) -> &'static str {
        match self {
            Speaks::Ec2 | Speaks::Query | Speaks::RestXml(_) => "text/xml;charset=UTF-8",
            Speaks::S3 => "application/xml",
            Speaks::RestJson => "application/json",
            Speaks::Json => "application/x-amz-json-1.1",
            Speaks::Cbor => "application/cbor",
        }
    }

    pub fn is_form(self) -> bool {
        matches!(self, Speaks::Ec2 | Speaks::Query)
    }

    /// "Common errors" of each API reference.
    pub fn throttled(self) -> Refusal {
        match self {
            Speaks::Ec2 => Refusal::new("RequestLimitExceeded", "Request limit exceeded."),
            Speaks::Query | Speaks::RestXml(_) => Refusal::new("Throttling", "Rate exceeded"),
            Speaks::S3 => Refusal::new("SlowDown", "Please reduce your request rate."),
            Speaks::RestJson => Refusal::new("TooManyRequestsException", "Too Many Requests"),
            Speaks::Json | Speaks::Cbor => Refusal::new("ThrottlingException", "Rate exceeded"),
        }
    }

    pub fn server_error(self) -> Refusal {
        let code = if matches!(self, Speaks::Ec2 | Speaks::S3) { "InternalError" } else { "InternalFailure" };
        Refusal::new(code, "An internal error has occurred")
    }

    pub fn denied(self, operation: &str) -> Refusal {
        let message = format!("User is not authorized to perform: {operation}");
        match self {
            Speaks::Ec2 => Refusal::new("UnauthorizedOperation", message),
            Speaks::Query | Speaks::RestXml(_) | Speaks::S3 => Refusal::new("AccessDenied", message),
            Speaks::RestJson | Speaks::Json | Speaks::Cbor => Refusal::new("AccessDeniedException", message),
        }
    }

    pub fn expired(self) -> Refusal {
        let expired = "The security token included in the request is expired";
        match self {
            Speaks::Ec2 => Refusal::new("RequestExpired", "Request has expired."),
            Speaks::Query | Speaks::RestXml(_) | Speaks::S3 => Refusal::new("ExpiredToken", expired),
            Speaks::RestJson | Speaks::Json | Speaks::Cbor => Refusal::new("ExpiredTokenException", expired),
        }
    }

    /// A refusal as it is written.
    pub fn document(self, refusal: &Refusal, request_id: &str) -> String {
        match self {
            Speaks::Ec2 => refusal.of_ec2(request_id),
            Speaks::Query => refusal.xml("", request_id),
            Speaks::RestXml(space) => refusal.xml(space, request_id),
            Speaks::S3 => refusal.bare(request_id),
            Speaks::RestJson | Speaks::Json | Speaks::Cbor => refusal.json(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_operation_and_what_it_is_about() {
        let zones = service("route53").unwrap();
        let asked = |method: &str, path: &str| zones.parameters(method, path);
        let records = asked("GET", "/2013-04-01/hostedzone/Z1/rrset?name=a.example.com&type=A");
        assert_eq!(records["Action"], "ListResourceRecordSets");
        assert_eq!((&*records["Id"], &*records["name"], &*records["type"]), ("Z1", "a.example.com", "A"));
        assert_eq!(asked("POST", "/2013-04-01/hostedzone/Z1/rrset/")["Action"], "ChangeResourceRecordSets");
        assert_eq!(asked("POST", "/2013-04-01/hostedzone")["Action"], "CreateHostedZone");
        assert_eq!(asked("DELETE", "/2013-04-01/hostedzone/Z%2F1")["Id"], "Z/1");
        assert_eq!(asked("PUT", "/2013-04-01/hostedzone")["Action"], "UnknownOperation");
    }

    #[test]
    fn what_only_looks_is_told_from_what_changes() {
        for (name, operation, reads) in [
            ("route53", "TestDNSAnswer", true),
            ("route53", "GetChange", true),
            ("route53", "ChangeResourceRecordSets", false),
            ("sts", "GetCallerIdentity", true),
            ("secretsmanager", "PutSecretValue", false),
            ("directconnect", "DescribeConnections", true),
            ("directconnect", "DescribeLoa", false),
        ] {
            assert_eq!(service(name).unwrap().reads(operation), reads, "{operation}");
        }
    }
}

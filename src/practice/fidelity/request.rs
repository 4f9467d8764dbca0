//! One call as it arrived: the flat form of the query protocol, made easy to read; of the other protocols the operation,
//! what stands in the path, and the body.

use std::collections::BTreeMap;
use std::fmt::Write;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value as Json;

use super::refusal::Refusal;
use super::services::{self, Speaks};
use crate::practice::cbor;

/// What was asked, of which service, where, and by whom.
#[derive(Clone, Default)]
pub(crate) struct Request {
    pub service: String,
    pub region: String,
    pub access_key: String,
    /// The operation stands under `Action`.
    pub parameters: BTreeMap<String, String>,
    /// Of a service that speaks JSON or REST; never written down, because secrets are in it.
    pub body: String,
    pub method: String,
    /// From the path on.
    pub path: String,
    /// The header by which JSON services are asked.
    pub target: Option<String>,
    /// Other headers that say what is asked: `x-amz-…`, `if-…`, `content-type`.
    pub headers: BTreeMap<String, String>,
}

impl Request {
    /// Reads the signature's scope (`KEY/date/region/service/aws4_request`) and the form in the body.
    pub fn read(http: &HttpRequest) -> Result<Self, Refusal> {
        let unsigned = || Refusal::new("MissingAuthenticationToken", "Request is missing Authentication Token");
        let signature = http.headers().get("authorization").ok_or_else(unsigned)?;
        let scope = signature.split_once("Credential=").ok_or_else(unsigned)?.1;
        let scope: Vec<&str> = scope.split([',', ' ']).next().unwrap_or_default().split('/').collect();
        let &[access_key, _, region, service, _] = scope.as_slice() else { return Err(unsigned()) };
        let body = http.body().bytes().unwrap_or_default();
        let text = std::str::from_utf8(body).unwrap_or_default();
        let target = http.headers().get("x-amz-target").map(str::to_owned);
        let path =
            http.uri().split_once("://").map_or(http.uri(), |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        let service = services::meant(service, path);
        let asked = services::service(service);
        let parameters = match (&target, asked) {
            (Some(target), _) => {
                let action = target.split_once('.').map_or(target.as_str(), |(_, action)| action);
                BTreeMap::from([("Action".to_owned(), action.to_owned())])
            }
            (None, Some(asked)) if !asked.speaks.is_form() => asked.parameters(http.method(), path),
            (None, _) => form(text),
        };
        let of_form = target.is_none() && asked.is_none_or(|asked| asked.speaks.is_form());
        Ok(Self {
            service: service.into(),
            region: region.into(),
            access_key: access_key.into(),
            parameters,
            body: match asked.map(|asked| asked.speaks) {
                Some(Speaks::Cbor) => cbor::to_json(body).map(|json| json.to_string()).unwrap_or_default(),
                _ if of_form => String::new(),
                _ => text.to_owned(),
            },
            method: http.method().to_owned(),
            path: path.to_owned(),
            target,
            headers: http
                .headers()
                .iter()
                .filter(|(name, _)| says(name))
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect(),
        })
    }

    /// A call that the layer itself makes, in the words of the protocol.
    pub fn own(region: &str, action: &str, parameters: &[(&str, &str)]) -> Self {
        let mut all: BTreeMap<String, String> =
            parameters.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        all.insert("Action".into(), action.into());
        all.insert("Version".into(), "2016-11-15".into());
        Self { service: "ec2".into(), region: region.into(), parameters: all, ..Self::default() }
    }

    pub fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    /// True for calls that can change something.
    pub fn mutating(&self) -> bool {
        let action = self.action();
        let reads = match services::service(&self.service) {
            Some(service) => service.reads(action),
            None => self.service != "ec2" || services::looks(action),
        };
        !reads && !self.yes("DryRun")
    }

    /// All that was asked, flat, as far as it may be written down.
    pub fn told(&self) -> BTreeMap<String, String> {
        let mut told = self.parameters.clone();
        if !services::service(&self.service).is_some_and(|service| service.open) || self.body.is_empty() {
            return told;
        }
        match serde_json::from_str(&self.body) {
            Ok(json) => flatten("", &json, &mut told),
            Err(_) => told.extend(super::xml::leaves(&self.body)),
        }
        told
    }

    /// How the answer is written.
    pub fn speaks(&self) -> Speaks {
        match services::service(&self.service) {
            Some(service) => service.speaks,
            None if self.target.is_some() => Speaks::Json,
            None if self.service == "ec2" => Speaks::Ec2,
            None => Speaks::Query,
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| Refusal::missing(name))
    }

    pub fn yes(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// A yes/no whose name may be followed by `.Value`, as the Modify… calls write it.
    pub fn switch(&self, name: &str) -> Option<bool> {
        self.get(&format!("{name}.Value")).or_else(|| self.get(name)).map(|value| value == "true")
    }

    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let invalid = |text: &str| {
            Refusal::value(format!("Value ({text}) for parameter {name} is invalid. It must be a number."))
        };
        self.get(name).map(|text| text.parse().map_err(|_| invalid(text))).transpose()
    }

    /// The values of `Name.1`, `Name.2`, … in their order.
    pub fn list(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|n| self.get(&format!("{name}.{n}"))).collect()
    }

    /// The prefixes `Name.1.`, `Name.2.`, … under which there is anything, in their order.
    pub fn prefixes(&self, name: &str) -> Vec<String> {
        let exists = |prefix: &String| {
            self.parameters.range(prefix.clone()..).next().is_some_and(|(key, _)| key.starts_with(prefix.as_str()))
        };
        (1..).map(|n| format!("{name}.{n}.")).take_while(exists).collect()
    }

    /// The body again, to be passed on.
    pub fn passed(&self) -> String {
        if !self.speaks().is_form() {
            return self.body.clone();
        }
        let mut out = String::new();
        for (key, value) in &self.parameters {
            let separator = if out.is_empty() { "" } else { "&" };
            let _ = write!(out, "{separator}{}={}", encode(key), encode(value));
        }
        out
    }

    /// What makes two calls the same call: everything but the token and the dry run.
    pub fn digest(&self) -> String {
        let told = self.parameters.iter().filter(|(key, _)| !["ClientToken", "DryRun"].contains(&key.as_str()));
        told.fold(String::new(), |all, (key, value)| format!("{all}{}={}&", encode(key), encode(value)))
    }
}

/// Does this header say what is asked?
fn says(name: &str) -> bool {
    name.starts_with("x-amz-") || name.starts_with("if-") || name == "content-type"
}

fn flatten(path: &str, json: &Json, into: &mut BTreeMap<String, String>) {
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match json {
        Json::Object(map) => map.iter().for_each(|(name, value)| flatten(&at(name), value, into)),
        Json::Array(items) => (1..).zip(items).for_each(|(n, item)| flatten(&at(&n.to_string()), item, into)),
        Json::String(text) => drop(into.insert(path.to_owned(), text.clone())),
        other => drop(into.insert(path.to_owned(), other.to_string())),
    }
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The pairs of a form or of a query.
pub(super) fn form(text: &str) -> BTreeMap<String, String> {
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decode(k), decode(v))).collect()
}

pub(super) fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let digit =
            |bytes: &mut std::str::Bytes<'_>| bytes.next().and_then(|b| (b as char).to_digit(16)).unwrap_or_default();
        out.push(match byte {
            b'+' => b' ',
            b'%' => (digit(&mut bytes) * 16 + digit(&mut bytes)) as u8,
            plain => plain,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_prefixes_keep_their_order_and_text_survives_the_form() {
        let mut request =
            Request::own("eu-west-1", "X", &[("Id.2", "b"), ("Id.1", "a"), ("F.1.Name", "n"), ("F.10.Name", "no")]);
        request.parameters.insert("Tag".into(), "Zürich & + = ok".into());
        assert_eq!(request.list("Id"), ["a", "b"]);
        assert_eq!(request.prefixes("F"), ["F.1."]);
        assert_eq!(form(&request.passed()), request.parameters);
    }
}

//! One call as it arrived: the flat form of the query protocol, made easy to read.

use std::collections::BTreeMap;
use std::fmt::Write;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::refusal::Refusal;

/// What was asked, of which service, where, and by whom.
#[derive(Clone, Default)]
pub(crate) struct Request {
    pub service: String,
    pub region: String,
    pub access_key: String,
    pub parameters: BTreeMap<String, String>,
    /// Of a service that speaks JSON; never written down, because secrets are in it.
    pub body: String,
}

impl Request {
    /// Reads the signature's scope (`KEY/date/region/service/aws4_request`) and the form in the body.
    pub fn read(http: &HttpRequest) -> Result<Self, Refusal> {
        let unsigned = || Refusal::new("MissingAuthenticationToken", "Request is missing Authentication Token");
        let signature = http.headers().get("authorization").ok_or_else(unsigned)?;
        let scope = signature.split_once("Credential=").ok_or_else(unsigned)?.1;
        let scope: Vec<&str> = scope.split([',', ' ']).next().unwrap_or_default().split('/').collect();
        let &[access_key, _, region, service, _] = scope.as_slice() else { return Err(unsigned()) };
        let body = std::str::from_utf8(http.body().bytes().unwrap_or_default()).unwrap_or_default();
        let (service, region, access_key) = (service.into(), region.into(), access_key.into());
        if let Some((_, action)) = http.headers().get("x-amz-target").and_then(|target| target.split_once('.')) {
            let parameters = BTreeMap::from([("Action".to_owned(), action.to_owned())]);
            return Ok(Self { service, region, access_key, parameters, body: body.to_owned() });
        }
        Ok(Self {
            body: String::new(),
            service,
            region,
            access_key,
            parameters: body
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(k, v)| (decode(k), decode(v)))
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
        let reads = ["Describe", "Get", "List", "Search", "Decode"];
        ["ec2", super::SECRETS].contains(&self.service.as_str())
            && !reads.iter().any(|verb| self.action().starts_with(verb))
            && !self.yes("DryRun")
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

    /// The form again, to be passed on.
    pub fn form(&self) -> String {
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

fn decode(text: &str) -> String {
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
        let again = request.form();
        let back: BTreeMap<String, String> =
            again.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decode(k), decode(v))).collect();
        assert_eq!(back, request.parameters);
    }
}

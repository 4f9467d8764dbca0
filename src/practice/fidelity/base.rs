//! winterbaume, called in the process: it makes the ids and answers every call that this layer does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value as Json;
use winterbaume_core::{MockRequest, MockService, StateViewError, StatefulService, default_account_id};
use winterbaume_directconnect::DirectConnectService;
use winterbaume_ec2::{Ec2Service, Ec2StateView};
use winterbaume_rds::RdsService;
use winterbaume_servicequotas::ServiceQuotasService;
use winterbaume_sts::StsService;

use super::refusal::Refusal;
use super::request::Request;
use super::xml::text_of;

/// By service, what winterbaume holds of it in one region.
pub(super) type Beside = BTreeMap<String, Json>;

/// winterbaume's services: a field each, its type, and its name in signatures. All but EC2 and STS are kept as JSON.
macro_rules! services {
    ($($field:ident: $service:ty = $name:literal,)*) => {
        #[derive(Default)]
        pub(super) struct Base {
            ec2: Ec2Service,
            sts: StsService,
            $($field: $service,)*
            /// Services and regions in which something was changed: there is nothing to keep of the others.
            changed: Mutex<BTreeSet<(String, String)>>,
        }

        impl Base {
            fn service(&self, name: &str) -> Option<&dyn MockService> {
                match name {
                    "ec2" => Some(&self.ec2),
                    "sts" => Some(&self.sts),
                    $($name => Some(&self.$field),)*
                    _ => None,
                }
            }

            /// What it holds of a region, but for EC2.
            pub async fn beside(&self, region: &str) -> Result<Beside, serde_json::Error> {
                let mut all = Beside::new();
                $(if self.has_changed($name, region) {
                    let view = self.$field.snapshot(default_account_id(), region).await;
                    all.insert($name.to_owned(), serde_json::to_value(view)?);
                })*
                Ok(all)
            }

            pub async fn put_beside(&self, region: &str, mut all: Beside) -> Result<(), StateViewError> {
                $(if let Some(view) = all.remove($name) {
                    self.note($name, region);
                    self.$field.restore(default_account_id(), region, serde_json::from_value(view)?).await?;
                })*
                Ok(())
            }
        }
    };
}

services! {
    lines: DirectConnectService = "directconnect",
    databases: RdsService = "rds",
    quotas: ServiceQuotasService = "servicequotas",
}

impl Base {
    /// Passes a request on; gives the document of the answer. The account in it is winterbaume's own.
    pub async fn ask(&self, request: &Request) -> Result<String, Refusal> {
        let unknown = || {
            let message = format!("The practice cloud does not know {} of {}", request.action(), request.service);
            Refusal::new("UnknownOperationException", message)
        };
        let service = self.service(&request.service).ok_or_else(unknown)?;
        if request.mutating() {
            self.note(&request.service, &request.region);
        }
        let mut headers = http::HeaderMap::new();
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={}/d/{}/{}/aws4_request, ",
            request.access_key, request.region, request.service
        );
        if let Ok(value) = scope.parse() {
            headers.insert(http::header::AUTHORIZATION, value);
        }
        if let Some(target) = request.target.as_ref().and_then(|target| target.parse().ok()) {
            headers.insert("x-amz-target", target);
        }
        let (path, method) = match request.method.as_str() {
            "" => ("/", "POST"),
            method => (request.path.as_str(), method),
        };
        let uri = format!("https://{}.{}.amazonaws.com{path}", request.service, request.region);
        let body = Bytes::from(request.passed());
        let answer = service.handle(MockRequest { method: method.into(), uri, headers, body }).await;
        let document = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status < 300 { Ok(document) } else { Err(refusal(&document)) }
    }

    /// winterbaume's memory of a region.
    pub async fn snapshot(&self, region: &str) -> Ec2StateView {
        self.ec2.snapshot(default_account_id(), region).await
    }

    pub async fn restore(&self, region: &str, view: Ec2StateView) -> Result<(), StateViewError> {
        self.ec2.restore(default_account_id(), region, view).await
    }

    fn note(&self, service: &str, region: &str) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.insert((service.to_owned(), region.to_owned()));
    }

    fn has_changed(&self, service: &str, region: &str) -> bool {
        let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.contains(&(service.to_owned(), region.to_owned()))
    }
}

/// In XML or in JSON.
fn refusal(document: &str) -> Refusal {
    let json: Json = serde_json::from_str(document).unwrap_or_default();
    let of_json = |names: &[&str]| names.iter().find_map(|name| json.get(name)?.as_str().map(str::to_owned));
    let code = of_json(&["__type", "code", "Code"]).or_else(|| text_of(document, "Code").map(str::to_owned));
    let message = of_json(&["message", "Message"]).or_else(|| text_of(document, "Message").map(str::to_owned));
    let code = code.unwrap_or_else(|| "InternalError".to_owned());
    // `com.amazonaws.service#Code`
    let code = code.rsplit('#').next().unwrap_or_default();
    Refusal::new(code, message.unwrap_or_else(|| document.to_owned()))
}

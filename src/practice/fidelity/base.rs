//! winterbaume, called in the process: it makes the ids and answers every call that this layer does not know.

use bytes::Bytes;
use winterbaume_core::{MockRequest, MockService, StatefulService, default_account_id};
use winterbaume_ec2::{Ec2Service, Ec2StateView};
use winterbaume_sts::StsService;

use super::refusal::Refusal;
use super::request::Request;
use super::xml::text_of;

/// winterbaume's services.
#[derive(Default)]
pub(super) struct Base {
    ec2: Ec2Service,
    sts: StsService,
}

impl Base {
    /// Passes a request on; gives the document of the answer. The account in it is winterbaume's own.
    pub async fn ask(&self, request: &Request) -> Result<String, Refusal> {
        let service: &dyn MockService = match request.service.as_str() {
            "ec2" => &self.ec2,
            "sts" => &self.sts,
            other => {
                let message = format!("The practice cloud has no service {other}");
                return Err(Refusal::new("UnsupportedOperation", message));
            }
        };
        let mut headers = http::HeaderMap::new();
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={}/d/{}/{}/aws4_request, ",
            request.access_key, request.region, request.service
        );
        if let Ok(value) = scope.parse() {
            headers.insert(http::header::AUTHORIZATION, value);
        }
        let uri = format!("https://{}.{}.amazonaws.com/", request.service, request.region);
        let body = Bytes::from(request.form());
        let answer = service.handle(MockRequest { method: "POST".into(), uri, headers, body }).await;
        let document = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status < 300 {
            return Ok(document);
        }
        let code = text_of(&document, "Code").unwrap_or("InternalError");
        Err(Refusal::new(code, text_of(&document, "Message").unwrap_or(&document)))
    }

    /// winterbaume's memory of a region.
    pub async fn snapshot(&self, region: &str) -> Ec2StateView {
        self.ec2.snapshot(default_account_id(), region).await
    }

    pub async fn restore(&self, region: &str, view: Ec2StateView) -> Result<(), winterbaume_core::StateViewError> {
        self.ec2.restore(default_account_id(), region, view).await
    }
}

//! How AWS says no: a code, a message and an HTTP status.
//!
//! Codes: "Error codes for the Amazon EC2 API", docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html.

use winterbaume_core::xml_escape;

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: String,
    pub message: String,
}

impl Refusal {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    pub fn value(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", message)
    }

    pub fn missing(parameter: &str) -> Self {
        Self::new("MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    pub fn depends(what: &str, id: &str) -> Self {
        Self::new("DependencyViolation", format!("The {what} '{id}' has dependencies and cannot be deleted."))
    }

    /// The HTTP status that goes with the code.
    pub fn status(&self) -> u16 {
        match self.code.as_str() {
            "AuthFailure" | "OptInRequired" => 401,
            "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" | "ExpiredToken" => 403,
            "InvalidObjectState" => 403,
            "DryRunOperation" | "PreconditionFailed" => 412,
            "NotFoundException" | "NotFound" | "NoSuchKey" | "NoSuchBucket" => 404,
            "NoSuchPublicAccessBlockConfiguration" => 404,
            "ConflictException" | "RestoreAlreadyInProgress" => 409,
            "TooManyRequestsException" => 429,
            "InternalError" | "InternalFailure" => 500,
            "RequestLimitExceeded" | "Unavailable" => 503,
            _ => 400,
        }
    }

    /// The body of a service that speaks JSON.
    pub fn json(&self) -> String {
        serde_json::json!({ "__type": self.code, "message": self.message }).to_string()
    }

    /// The body in the shape of EC2.
    pub fn of_ec2(&self, request_id: &str) -> String {
        let error = self.error();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>{error}</Error></Errors>\
             <RequestID>{request_id}</RequestID></Response>"
        )
    }

    /// The body in the shape of the other services that speak XML, in their name space if they have one.
    pub fn xml(&self, space: &str, request_id: &str) -> String {
        let error = self.error();
        let kind = if self.status() < 500 { "Sender" } else { "Receiver" };
        let space = if space.is_empty() { String::new() } else { format!(" xmlns=\"{space}\"") };
        format!(
            "<ErrorResponse{space}><Error><Type>{kind}</Type>{error}</Error><RequestId>{request_id}</RequestId>\
             </ErrorResponse>"
        )
    }

    /// The body of S3, which wraps it in nothing.
    pub fn bare(&self, request_id: &str) -> String {
        let error = self.error();
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{error}<RequestId>{request_id}</RequestId></Error>")
    }

    fn error(&self) -> String {
        format!("<Code>{}</Code><Message>{}</Message>", xml_escape(&self.code), xml_escape(&self.message))
    }
}

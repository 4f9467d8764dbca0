//! A call that is sent in another region than the engagement's, and says so.

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::Call;

#[derive(Debug, Clone, PartialEq)]
pub(in crate::action) struct Elsewhere {
    pub region: String,
    pub call: Box<Call>,
}

impl Serialize for Elsewhere {
    /// As the call itself, with the region among its arguments.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut call = serde_json::to_value(&self.call).map_err(S::Error::custom)?;
        let arguments = call.as_object_mut().and_then(|call| call.values_mut().next()).and_then(Json::as_object_mut);
        arguments.map(|arguments| arguments.insert("onramp:region".to_owned(), json!(self.region)));
        call.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mail::MailRequest;
    use super::*;

    #[test]
    fn a_call_elsewhere_is_shown_with_its_region_and_is_of_the_same_kind() {
        let call = Call::Mail(MailRequest::DeleteEmailIdentity { email_identity: "mc.acme.example".to_owned() });
        let there = call.clone().sent_in(Some("eu-central-1"));
        assert_eq!((there.operation(), there.class()), (call.operation(), call.class()));
        assert_eq!(there.change().operation, "DeleteEmailIdentity");
        let arguments = json!({ "EmailIdentity": "mc.acme.example", "onramp:region": "eu-central-1" });
        assert_eq!(there.change().arguments, arguments);
        assert_eq!(call.clone().sent_in(None), call);
    }
}

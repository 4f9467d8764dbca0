//! A test message. What was sent cannot be called back or looked at, so it is never sent a second time by itself: where
//! the answer was lost, a person says what became of it. Only to Amazon's mailbox simulator, behind which nobody is, it is
//! sent again.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::arguments::Arguments;
use super::aws_resource::given_region;
use super::call::mail::{Content, MailRequest, Message, Recipients};
use super::call::{Call, Token, changes};
use super::object::found;
use super::sending::{Ledger, Orders, Stopped, carry_out};
use super::world::{Subject, World};
use super::{Action, Found, Probe, Verified};
use crate::engagement::{Change, Failure, Outcome, RepeatClass};
use crate::journal::DurableIntent;

/// `aws/mail-test`
pub(super) struct TestMessage {
    region: Option<String>,
    message: Message,
}

impl TestMessage {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let to_addresses = arguments.list("to")?;
        if to_addresses.is_empty() {
            let what = "the argument `to` of aws/mail-test is missing";
            return Err(Failure::new(what, "Give the recipient, such as success@simulator.amazonses.com."));
        }
        let usual_subject = format!("Test message for {}", subject.name);
        let usual_text = format!(
            "This message shows that mail goes out for {}. It was sent once, by the step {}. Nothing has to be done.\n",
            subject.name, subject.address
        );
        Ok(TestMessage {
            region: given_region(arguments, "region")?,
            message: Message {
                from_email_address: arguments.text("from")?,
                destination: Recipients { to_addresses },
                content: Content {
                    subject: arguments.optional("subject")?.unwrap_or(usual_subject),
                    text: arguments.optional("text")?.unwrap_or(usual_text),
                },
                configuration_set_name: arguments.optional("configuration_set")?,
                email_tags: Token,
            },
        })
    }

    fn calls(&self) -> Vec<Call> {
        let send = Call::Mail(MailRequest::SendEmail(Box::new(self.message.clone())));
        vec![send.sent_in(self.region.as_deref())]
    }

    fn noun(&self) -> String {
        format!("test message to {}", crate::text::list(&self.message.destination.to_addresses))
    }

    /// What tells a message of ours from another, in what is written down.
    fn described(&self) -> [(String, Json); 2] {
        let message = &self.message;
        [
            ("from".to_owned(), json!(message.from_email_address)),
            ("to".to_owned(), json!(message.destination.to_addresses)),
        ]
    }

    /// This very message, where an earlier attempt wrote down that AWS took it.
    fn sent(&self, world: &World) -> Option<Found> {
        let made = &world.subject.made;
        let id = made.get("message_id").and_then(Json::as_str)?;
        if self.described().iter().any(|(name, value)| made.get(name) != Some(value)) {
            return None;
        }
        let said = format!("AWS took the {}: {id}. Whether it arrived, its reader knows", self.noun());
        let mut found = found(said, json!({ "message_id": id }));
        found.output.extend(self.described());
        Some(found)
    }
}

#[async_trait]
impl Action for TestMessage {
    fn changes(&self) -> Vec<Change> {
        changes(&self.calls())
    }

    fn class(&self) -> RepeatClass {
        self.calls().first().map_or(RepeatClass::Person, Call::class)
    }

    async fn probe(&self, world: &World) -> Probe {
        match self.sent(world) {
            Some(found) => Probe::Same(found),
            None => Probe::Absent { said: format!("this step has sent no {}", self.noun()) },
        }
    }

    async fn apply(&self, world: &World, intent: &DurableIntent) -> Outcome {
        let orders = Orders::new(world, intent);
        let mut ledger = Ledger::new("message_id");
        match carry_out(world, &orders, self.calls(), &mut ledger).await {
            Ok(()) => {
                ledger.output.extend(self.described());
                ledger.made(&self.noun())
            }
            Err(Stopped::Lost(_, failure)) => ledger.in_doubt(&failure),
            Err(
                Stopped::ThereAlready(failure)
                | Stopped::InUse(failure)
                | Stopped::Spent(failure)
                | Stopped::Refused(failure),
            ) => ledger.stopped(failure),
        }
    }

    async fn verify(&self, world: &World) -> Verified {
        match self.sent(world) {
            Some(found) => Verified::So(found),
            None => Verified::NotYet { said: format!("this step has sent no {}", self.noun()) },
        }
    }

    async fn undo(&self, _world: &World, _intent: &DurableIntent, _made: &BTreeMap<String, Json>) -> Outcome {
        let advice = "Skip this undo: the message is with its reader.";
        Outcome::Failed { failure: Failure::new("a message that was sent cannot be called back", advice) }
    }
}

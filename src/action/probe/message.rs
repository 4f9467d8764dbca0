//! `probe/message`: a message of this step was handed to a mail server. The one kind here that is no question: it sends.
//!
//! The message carries the step in its `Message-ID` and in `X-Onramp-Step`, so that whoever finds it, or two of it, knows
//! where it is from. A message cannot be looked up at the server that took it: what may have been sent is not sent
//! again by itself.

use std::collections::BTreeMap;

use async_trait::async_trait;
use lettre::message::Message as Mail;
use lettre::message::header::{HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use super::super::arguments::Arguments;
use super::super::world::Subject;
use super::super::{Action, Failure, Found, Probe, Trouble, Verified, World};
use super::smtp::{No, Smtp, patiently};
use super::{Asks, Miss, Origin};
use crate::engagement::{Change, Outcome, Question, RepeatClass, digest_of};
use crate::journal::DurableIntent;
use crate::text::clean;

/// The result that has what the server said when it took the message.
const ANSWER: &str = "answer";
/// Which step a message is of.
const STEP: HeaderName = HeaderName::new_from_ascii_str("X-Onramp-Step");

/// `probe/message`
pub(in super::super) struct Message {
    server: Smtp,
    from: Origin,
    subject: String,
    /// Of the message, without brackets.
    id: String,
    step: String,
}

impl Message {
    pub(in super::super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        for must in ["mail_from", "mail_to"] {
            arguments.text(must)?;
        }
        let server = Smtp::new(&arguments)?;
        let step = subject.address.to_string();
        let digest = digest_of(&json!(["message", subject.engagement, step]));
        let domain = server.addresses().0.map_or("onramp.invalid", |sender| sender.domain());
        let id = format!("{}.onramp@{domain}", digest.chars().take(24).collect::<String>());
        let line = arguments.optional("subject")?.unwrap_or_else(|| format!("Test of the mail path ({step})"));
        Ok(Message { server, from: Origin::new(&arguments)?, subject: line, id, step })
    }

    /// The message, or why there can be none.
    fn written(&self) -> Result<Mail, String> {
        let (Some(sender), Some(recipient)) = self.server.addresses() else {
            return Err("its addresses are not known yet".to_owned());
        };
        let text = format!(
            "This message was sent by onramp to test the way mail takes. No answer is needed.\r\n\r\nStep: {}\r\nId: {}\r\n",
            self.step, self.id
        );
        Mail::builder()
            .from(sender.clone().into())
            .to(recipient.clone().into())
            .subject(self.subject.clone())
            .message_id(Some(format!("<{}>", self.id)))
            .raw_header(HeaderValue::new(STEP, self.step.clone()))
            .body(text)
            .map_err(|error| error.to_string())
    }

    async fn send(&self, world: &World) -> Outcome {
        let failed = |what: String, advice: &str| Outcome::Failed { failure: Failure::new(what, advice) };
        let mail = match self.written() {
            Ok(mail) => mail,
            Err(why) => return failed(format!("the message cannot be written: {why}"), "Correct the step."),
        };
        let opened = match self.server.password(world).await {
            Ok(password) => self.server.open(world, &self.from, password.as_ref()).await,
            Err(miss) => Err(miss),
        };
        let mut open = match opened {
            Ok(open) => open,
            Err(Miss::NotSo(what)) => return failed(what, "Put right what it says, and run the step again."),
            Err(Miss::Wrong(failure) | Miss::Unknown(Trouble::Failure(failure))) => return Outcome::Failed { failure },
            Err(Miss::Unknown(Trouble::Question(_))) => {
                return failed("something must be answered first".to_owned(), "Run the step again: it asks.");
            }
        };
        let whom = self.server.whom();
        match patiently(open.connection.send(mail.envelope(), &mail.formatted())).await {
            Ok(answer) => {
                let lines: Vec<String> = answer.message().map(|line| clean(line.as_bytes())).collect();
                let said = format!("{} {}", answer.code(), lines.join(" "));
                let _ = patiently(open.connection.quit()).await;
                world.say(&format!("{whom} took message {}: {said}", self.id)).await;
                Outcome::Changed {
                    said: format!("{whom} took the message: {said}"),
                    // What was sent is not ours to take back.
                    created: false,
                    operations: vec![format!("smtp {whom}")],
                    output: self.output(&said),
                }
            }
            Err(no) if no.refused() => failed(
                format!("{whom} does not take the message: {no}"),
                "Put right what it says, and run the step again.",
            ),
            Err(no @ (No::Silent | No::Said(_))) => Outcome::InDoubt {
                why: format!("the message {} may have been taken by {whom}: {no}. Ask its recipient", self.id),
            },
        }
    }

    fn output(&self, answer: &str) -> BTreeMap<String, Json> {
        BTreeMap::from([("id".to_owned(), json!(self.id)), (ANSWER.to_owned(), json!(answer))])
    }
}

#[async_trait]
impl Action for Message {
    fn changes(&self) -> Vec<Change> {
        let address = |one: Option<&lettre::Address>| one.map(ToString::to_string);
        let (sender, recipient) = self.server.addresses();
        let what = json!({
            "from": address(sender), "to": address(recipient), "subject": self.subject, "message_id": self.id,
        });
        vec![Change::new("smtp", &self.server.whom(), what)]
    }

    fn class(&self) -> RepeatClass {
        RepeatClass::Person
    }

    async fn at_hand(&self, world: &World) -> Result<(), Question> {
        match self.server.password(world).await {
            Err(Miss::Unknown(Trouble::Question(question))) => Err(question),
            _ => Ok(()),
        }
    }

    async fn probe(&self, _world: &World) -> Probe {
        Probe::Absent { said: "this step has sent no message yet".to_owned() }
    }

    async fn apply(&self, world: &World, _intent: &DurableIntent) -> Outcome {
        self.send(world).await
    }

    /// The server takes such messages, and what it said of this one is known to whoever sent it; whether it arrived, its
    /// recipient knows.
    async fn verify(&self, world: &World) -> Verified {
        let answer = world.subject.made.get(ANSWER).and_then(Json::as_str).unwrap_or_default();
        match self.server.ask(world, &self.from).await {
            Ok(Found { said, .. }) => {
                let said = match answer {
                    "" => said,
                    answer => format!("{} took message {}: {answer}; now: {said}", self.server.whom(), self.id),
                };
                Verified::So(Found { said, output: self.output(answer), foreign: false })
            }
            Err(Miss::NotSo(said)) => Verified::NotYet { said },
            Err(Miss::Wrong(failure)) => Verified::NotSo(failure),
            Err(Miss::Unknown(trouble)) => Verified::Unknown(trouble),
        }
    }

    async fn undo(&self, _world: &World, _intent: &DurableIntent, _made: &BTreeMap<String, Json>) -> Outcome {
        Outcome::Stays { said: "a message that was sent cannot be taken back".to_owned() }
    }
}

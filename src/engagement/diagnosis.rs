//! What is the matter with a step: the questions of its diagnosis, what each brought, and the branch that this is.
//!
//! Nothing is guessed: a question that cannot be asked, and an answer that no branch foresees, end it, and are said.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::scope::{Call, call, call_of, expand};
use super::{Address, Status};
use crate::runbook::{
    Branch, Diagnosis, Expr, Item, Leads, Party, Question, Runbook, Scope, Step, Template, Unrendered,
};

/// What was found out. Its JSON form is stable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosed {
    pub step: Address,
    /// Id of the diagnosis.
    pub diagnosis: String,
    pub title: String,
    /// In the order in which it was asked.
    pub asked: Vec<Asked>,
    /// What is the matter; none where no branch fits what was seen.
    pub branch: Option<Placed>,
}

/// One question, and what it brought.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    pub question: String,
    /// In words.
    pub ask: String,
    #[serde(flatten)]
    pub answered: Answered,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    pub so: So,
    pub said: String,
    /// The results of the look, where it is so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub results: BTreeMap<String, Json>,
}

impl Answered {
    /// What was seen, in its own words. Whether that is what was asked for is for the branches: before words of its own a
    /// yes or a no would often contradict them.
    pub fn told(&self) -> String {
        match self.so {
            _ if self.said.is_empty() => self.so.to_string(),
            So::Unknown => format!("cannot be told: {}", self.said),
            So::Yes | So::No => self.said.clone(),
        }
    }
}

/// Is it so?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum So {
    Yes,
    No,
    Unknown,
}

impl So {
    fn word(self) -> &'static str {
        match self {
            So::Yes => "yes",
            So::No => "no",
            So::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for So {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// The branch, its words with their values in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placed {
    pub branch: String,
    pub what: String,
    /// How one sees it.
    pub seen: String,
    /// What is to be done.
    #[serde(rename = "do")]
    pub todo: String,
    /// Who must move.
    pub who: Party,
}

/// Where an answer leads.
#[derive(Debug, Clone)]
pub enum Course<'r> {
    Next(&'r Question),
    Found(Placed),
    /// No answer of the runbook's is this one.
    Nowhere,
}

/// May it be found out now what is the matter with a step that stands there? Nothing is the matter with what is done, and
/// what has not begun has failed in nothing.
pub fn diagnosable(step: &Step, status: &Status) -> bool {
    step.diagnosis.is_some() && matches!(status, Status::Failed(_) | Status::Waiting(_))
}

/// What the looks of a diagnosis see: what the step's own work sees, which step it is as `step.id`, and the host that it
/// goes to as `step.host`; from where it looks is `step.from`.
///
/// # Errors
/// The step has no such instance, or what it is repeated over is not known yet.
pub fn what_is_seen(step: &Step, address: &Address, scope: &Scope) -> Result<Scope, Unrendered> {
    let rounds = expand(step, scope)?;
    let key = |round: &Option<Item>| round.as_ref().map(|item| item.key.clone());
    let Some(item) = rounds.iter().find(|round| key(round) == address.key) else {
        let there = rounds.iter().map(|round| Address::new(step.id.clone(), key(round)).to_string());
        let there = crate::text::either(&there.collect::<Vec<_>>());
        let message = match there.is_empty() {
            true => "another branch was chosen: this step is not needed".to_owned(),
            false if rounds.len() == 1 && key(&rounds[0]).is_none() => format!("it is done once: name {there}"),
            false => format!("it is one of several: name {there}"),
        };
        return Err(Unrendered::Wrong { message });
    };
    let mut seen = scope.of_round(item.as_ref());
    seen.insert_dotted("step.id", json!(step.id.to_string()));
    let call = call(step, item.as_ref(), scope);
    if let Ok(call) = &call {
        if let Some(host) = call.host() {
            seen.insert_dotted("step.host", json!(host));
        }
        seen.insert_dotted("step.from", json!(call.from()));
    }
    Ok(seen)
}

/// The look of a question, with its values.
///
/// # Errors
/// A name is not known yet, or a value does not fit where it is used.
pub fn look(question: &Question, seen: &Scope) -> Result<Call, Unrendered> {
    call_of(&question.look, seen)
}

/// The diagnosis of the step at this address; none where it names none, or is not there.
pub fn diagnosis_of<'r>(runbook: &'r Runbook, address: &Address) -> Option<(&'r Step, &'r Diagnosis)> {
    let step = runbook.step(&address.step)?;
    Some((step, runbook.diagnosis_of(step)?))
}

/// Where the answer to a question leads. A condition that cannot be worked out does not hold.
pub fn course<'r>(diagnosis: &'r Diagnosis, question: &Question, answered: &Answered, seen: &Scope) -> Course<'r> {
    let scope = with_answer(answered, seen);
    let fits = |when: &Expr| when.truth(&scope) == Ok(true);
    let Some(answer) = question.answers.iter().find(|answer| answer.when.as_ref().is_none_or(fits)) else {
        return Course::Nowhere;
    };
    match &answer.leads {
        Leads::To(next) => diagnosis.from(next, &scope).map_or(Course::Nowhere, Course::Next),
        Leads::In(branch) => Course::Found(placed(branch, &scope)),
    }
}

fn with_answer(answered: &Answered, seen: &Scope) -> Scope {
    let mut scope = seen.clone();
    scope.insert_dotted("answer", as_value(answered));
    scope
}

/// What later questions see beside: the answer to this one, as `asked.QUESTION`.
pub fn with_asked(question: &Question, answered: &Answered, seen: &Scope) -> Scope {
    let mut scope = seen.clone();
    scope.insert_dotted(&format!("asked.{}", question.id), as_value(answered));
    scope
}

fn as_value(answered: &Answered) -> Json {
    let results = answered.results.iter().map(|(name, value)| (name.clone(), value.clone()));
    let own = [("so".to_owned(), json!(answered.so.word())), ("said".to_owned(), json!(answered.said))];
    Json::Object(results.chain(own).collect())
}

/// A value that is missing in the words stands there as it was written: the branch is told all the same.
fn placed(branch: &Branch, scope: &Scope) -> Placed {
    let words = |text: &Template| text.text(scope).unwrap_or_else(|_| text.source().to_owned()).trim().to_owned();
    Placed {
        branch: branch.id.clone(),
        what: words(&branch.what),
        seen: words(&branch.seen),
        todo: words(&branch.todo),
        who: branch.who,
    }
}

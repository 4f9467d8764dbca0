//! What a form asks and offers as things stand, and how an answer fits to those given elsewhere.

use std::collections::BTreeMap;

use crate::engagement::{Address, counted, known_answers, unheard_of, worded};
use crate::input::{self, Disagreement, InputId, Kind, Neighbour, Setting, Value, clash};
use crate::runbook::Field;
use crate::text;
use crate::ui::facts::{Facts, Opened};
use crate::ui::screen::form_field::{Problem, Tone};

pub(super) fn setting(facts: &Facts) -> Setting {
    Setting { practice: facts.practice(), now: facts.now.timestamp() }
}

/// A field whose condition cannot be told yet waits.
pub(super) fn applies(open: &Opened, field: &Field) -> bool {
    field.when.as_ref().is_none_or(|when| when.truth(&open.scope).unwrap_or(false))
}

/// What an answer of the field is judged by: of a secret, whose text no rule sees later, beside what else is answered.
pub(super) fn kind_beside(open: &Opened, field: &Field) -> Kind {
    match &field.kind {
        Kind::Secret(rule) => Kind::Secret(rule.beside(&open.engagement.given())),
        kind => kind.clone(),
    }
}

/// Does another field of the form apply with these answers?
pub(super) fn brings_up(facts: &Facts, step: &Address, shown: &[&InputId], given: &[(InputId, Value)]) -> bool {
    let Some((open, step)) = facts.open.as_ref().and_then(|open| Some((open, open.step(step)?))) else { return false };
    let mut scope = open.scope.clone();
    for (id, value) in given {
        scope.insert_dotted(id.as_str(), value.plain());
    }
    let hidden = step.asks().iter().filter(|id| !shown.contains(id)).filter_map(|id| open.runbook.fields.get(id));
    let holds = |field: &Field| field.when.as_ref().is_some_and(|when| when.truth(&scope) == Ok(true));
    !given.is_empty() && hidden.into_iter().any(holds)
}

/// The default of the runbook, as text that the rules accept; nothing where it cannot be told yet.
pub(super) fn offer(open: &Opened, field: &Field, setting: &Setting) -> Option<String> {
    let plain = field.default.as_ref()?.value(&open.scope).ok()?;
    if plain.as_str().is_some_and(|text| text.trim().is_empty()) {
        return None;
    }
    input::from_plain(&field.kind, &plain, setting).ok().map(|value| value.shown())
}

/// The first rule between what is given and these answers that is about one of them; those that refuse come first.
fn first_broken(facts: &Facts, open: &Opened, answers: &[(InputId, Value)]) -> Option<Disagreement> {
    let mut values = open.engagement.given();
    values.extend(answers.iter().cloned());
    let found = input::agree(&counted(&open.runbook, values), facts.now.timestamp());
    let ours = |broken: &&Disagreement| answers.iter().any(|(id, _)| broken.ids.contains(id));
    found.iter().filter(ours).min_by_key(|broken| broken.warning).cloned()
}

/// This answer, with those of the drafts that it is refused beside: written anew as well, they may fit only together.
pub(super) fn with_partners(
    facts: &Facts,
    (id, value): (&InputId, &Value),
    drafts: &[(InputId, Value)],
) -> Vec<(InputId, Value)> {
    let mut answers = vec![(id.clone(), value.clone())];
    let broken = facts.open.as_ref().and_then(|open| first_broken(facts, open, &answers));
    let broken = broken.filter(|broken| !broken.warning);
    answers.extend(drafts.iter().filter(|(id, _)| broken.as_ref().is_some_and(|one| one.ids.contains(id))).cloned());
    answers
}

/// Rules between answers that this one would break, as `drafts` of other fields are written anew beside it.
pub(super) fn disagreement(facts: &Facts, id: &InputId, value: &Value, drafts: &[(InputId, Value)]) -> Option<Problem> {
    let open = facts.open.as_ref()?;
    let answers = with_partners(facts, (id, value), drafts);
    let mut values = open.engagement.given();
    values.extend(answers.iter().cloned());
    let values = counted(&open.runbook, values);
    let Some(broken) = &first_broken(facts, open, &answers) else {
        return one_name(facts, open, id, &values).or_else(|| unheard(open, id, value));
    };
    let label = |id: &InputId| open.runbook.fields.get(id).map_or_else(|| id.to_string(), |field| field.label.clone());
    let others: Vec<String> = broken.ids.iter().filter(|other| *other != id).map(label).collect();
    let with = if others.is_empty() { String::new() } else { format!(" (together with: {})", text::list(&others)) };
    let tone = if broken.warning { Tone::Strange } else { Tone::Refused };
    let instead =
        if broken.warning || !broken.refusal.example.is_empty() { None } else { fitting(facts, open, id, values) };
    let instead = instead.map(|example| format!(" For example: {example}")).unwrap_or_default();
    Some(Problem::between(format!("{}{instead}{with}", worded(broken, &open.runbook)), tone))
}

/// Do these answers fit to all that is given, and to each other?
pub(super) fn fit(facts: &Facts, answers: &[(InputId, Value)]) -> bool {
    let Some(open) = &facts.open else { return false };
    let mut values = open.engagement.given();
    values.extend(answers.iter().cloned());
    let broken = input::agree(&counted(&open.runbook, values), None);
    let ours = |ids: &[InputId]| answers.iter().any(|(id, _)| ids.contains(id));
    !broken.iter().any(|broken| !broken.warning && ours(&broken.ids))
}

/// Another engagement here has the short name, as the list of them knew it last.
fn one_name(facts: &Facts, open: &Opened, id: &InputId, values: &BTreeMap<InputId, Value>) -> Option<Problem> {
    let real = facts.cards.iter().filter(|card| !card.practice && card.name != open.name);
    let others = real.map(|card| Neighbour { name: &card.name, customer: &card.customer, slug: &card.slug });
    let clash = clash(id, values, others).filter(|_| !facts.practice())?;
    // What is recorded stays, whatever came beside it since.
    let stands = open.engagement.input(id.as_str()) == values.get(id);
    let tone = if clash.warning || stands { Tone::Strange } else { Tone::Refused };
    Some(Problem::between(clash.refusal.to_string(), tone))
}

/// An answer of which the runbook has not heard.
fn unheard(open: &Opened, id: &InputId, value: &Value) -> Option<Problem> {
    let known = known_answers(open.runbook.fields.get(id)?, &open.scope);
    Some(Problem::between(unheard_of(&known, value.text()?)?, Tone::Strange))
}

/// The field's own example, where it fits what is given elsewhere.
fn fitting(facts: &Facts, open: &Opened, id: &InputId, mut values: BTreeMap<InputId, Value>) -> Option<String> {
    let field = open.runbook.fields.get(id).filter(|field| !field.example.is_empty())?;
    let example = input::parse(&field.kind, &field.example, &setting(facts)).ok()?;
    values.insert(id.clone(), example);
    let fits = !input::agree(&values, None).iter().any(|broken| broken.ids.contains(id) && !broken.warning);
    fits.then(|| text::list(&field.example.lines().collect::<Vec<_>>()))
}

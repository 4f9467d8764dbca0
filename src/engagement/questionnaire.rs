//! The questionnaire: what one person of the customer's has to answer, as a text for somebody without onramp, and what
//! came of it when it is back.
//!
//! The text is read line by line and not as YAML: what stands behind a colon is the answer as it is, so that nobody has to
//! know what a quote, a `#` or a leading zero would mean. Secrets are neither asked for nor taken.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::counted::counted;
use super::event::{At, Event, Recorded};
use super::fold;
use super::known::{known_answers, unheard_of};
use super::scope::{ScopeMode, scope};
use super::state::Engagement;
use super::wording::worded;
use crate::input::{self, InputId, Kind, Setting, Value};
use crate::runbook::{Expr, Field, Runbook, Scope};
use crate::text;

const WIDTH: usize = 96;
const ENGAGEMENT: &str = "engagement";
/// Ways to answer what is open, of which is told with which a question is needed.
const MOST_TRIED: usize = 256;
/// Stands before each line of an answer that has several.
const INDENT: &str = "  ";

/// Everybody who is named as the one to answer something that a step asks for, in alphabetical order.
pub fn people(runbook: &Runbook) -> Vec<&str> {
    let asked = runbook.fields.values().filter(|field| runbook.asked_in(&field.id).is_some());
    let mut people: Vec<&str> = asked.filter_map(|field| field.answered_by.as_deref()).collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// The text for one person, or for all of the customer's where none is named: each question with its explanation, its
/// rule, an example and the answer that stands now. What no step asks for, and a question whose condition does not hold, are
/// left out; one whose condition cannot be told yet says on what it depends.
pub fn questionnaire(engagement: &Engagement, runbook: &Runbook, person: Option<&str>) -> String {
    let scope = scope(engagement, runbook, ScopeMode::Real);
    let asked = |field: &&Field| {
        let wanted = person.map_or(field.answered_by.is_some(), |person| field.answered_by.as_deref() == Some(person));
        wanted && is_asked(runbook, field, &scope) && applies(runbook, field, &scope) != Some(false)
    };
    let mut fields: Vec<&Field> = runbook.fields.values().filter(asked).collect();
    fields.sort_by_key(|field| (file_of(engagement, field), field.place.line));
    let (secrets, plain): (Vec<&Field>, Vec<&Field>) =
        fields.into_iter().partition(|field| matches!(field.kind, Kind::Secret(_)));
    let mut text = head(engagement, runbook, person, plain.len());
    for (number, field) in plain.iter().enumerate() {
        text.push_str(&question(engagement, runbook, field, number + 1, &scope));
    }
    if !secrets.is_empty() {
        text.push_str(&not_here(engagement, &secrets));
    }
    text
}

/// Which of the runbook's files declares it: questions come in the order in which they were written.
fn file_of(engagement: &Engagement, field: &Field) -> usize {
    engagement.runbook_files.iter().position(|file| *file.path == *field.place.file).unwrap_or(usize::MAX)
}

/// Is there a step that asks for it, and is not known to be left out?
fn is_asked(runbook: &Runbook, field: &Field, scope: &Scope) -> bool {
    let step = runbook.asked_in(&field.id);
    step.is_some_and(|step| holds(runbook, step.when.as_ref(), scope) != Some(false))
}

/// Does the condition of the field hold? Nothing where that cannot be told yet.
fn applies(runbook: &Runbook, field: &Field, scope: &Scope) -> Option<bool> {
    holds(runbook, field.when.as_ref(), scope)
}

/// A condition that takes something for granted which nobody has answered yet may come to hold with the answer.
fn holds(runbook: &Runbook, when: Option<&Expr>, scope: &Scope) -> Option<bool> {
    let Some(when) = when else { return Some(true) };
    match when.truth(scope) {
        Ok(false) => (!may_come_to_hold(runbook, when, scope)).then_some(false),
        known => known.ok(),
    }
}

fn may_come_to_hold(runbook: &Runbook, when: &Expr, scope: &Scope) -> bool {
    let names = when.names();
    let open = names.iter().filter(|name| scope.get_dotted(name).is_none());
    let open = open.filter_map(|name| runbook.fields.get(name.as_str()));
    let mut open = open.filter(|field| runbook.asked_in(&field.id).is_some());
    open.any(|field| {
        field.kind.offers().into_iter().any(|answer| {
            let mut scope = scope.clone();
            scope.insert_dotted(field.id.as_str(), answer);
            when.truth(&scope) == Ok(true)
        })
    })
}

fn head(engagement: &Engagement, runbook: &Runbook, person: Option<&str>, questions: usize) -> String {
    let whose = engagement.input("eng.customer_name").map(Value::shown);
    let whose = whose.map(|name| format!("{name}: ")).unwrap_or_default();
    let who = person.map(|person| format!(" for {person}")).unwrap_or_default();
    let mut text = String::new();
    comment(&mut text, &format!("{whose}{}{who}", text::count(questions, "question")));
    comment(&mut text, &runbook.title);
    text.push_str("#\n");
    comment(
        &mut text,
        "Please write each answer behind its colon and send this file back. Lines that begin with # explain; they can stay \
         or go. An answer of several lines stands below its name; where one of them begins with #, a blank stands before it. \
         What is left empty counts as not answered, and can be answered later.",
    );
    text.push_str("#\n");
    comment(
        &mut text,
        "No passwords and no private keys, please: this file travels by mail and is kept. Where one is needed, it says at \
         the end how it is handed over.",
    );
    let ours = ["eng.our_name", "eng.our_phone"].map(|id| engagement.input(id).map(Value::shown));
    let ours: Vec<String> = ours.into_iter().flatten().collect();
    if !ours.is_empty() {
        text.push_str("#\n");
        comment(&mut text, &format!("Questions, and where it goes back to: {}", ours.join(", ")));
    }
    text.push_str(&format!("\n{ENGAGEMENT}: {}\n", engagement.identity.name));
    text
}

/// The answers to other questions with which a condition holds; where they cannot all be told, the questions it hangs on.
fn needed_where(runbook: &Runbook, when: &Expr, scope: &Scope) -> String {
    let label = |name: &String| {
        let known = runbook.fields.get(name.as_str());
        known.map_or_else(|| name.clone(), |field| format!("\"{}\" ({})", field.label, field.id))
    };
    let names = when.names();
    let depends = || {
        let labels: Vec<String> = names.iter().map(label).collect();
        format!("Whether it is asked depends on {}.", text::list(&labels))
    };
    let open: Vec<&String> = names.iter().filter(|name| scope.get_dotted(name).is_none()).collect();
    let mut tried = vec![scope.clone()];
    for name in &open {
        let offers = runbook.fields.get(name.as_str()).map(|field| field.kind.offers()).unwrap_or_default();
        if offers.is_empty() || tried.len() * offers.len() > MOST_TRIED {
            return depends();
        }
        let with = |scope: &Scope, offer: &Json| {
            let mut scope = scope.clone();
            scope.insert_dotted(name, offer.clone());
            scope
        };
        tried = tried.iter().flat_map(|scope| offers.iter().map(move |offer| with(scope, offer))).collect();
    }
    let hold: Vec<&Scope> = tried.iter().filter(|scope| when.truth(scope) == Ok(true)).collect();
    let all_of = |name: &String, scopes: &mut dyn Iterator<Item = &Scope>| -> BTreeSet<String> {
        scopes.filter_map(|scope| scope.get_dotted(name)).map(as_answered).collect()
    };
    let said = open.iter().filter_map(|name| {
        let (good, all) = (all_of(name, &mut hold.iter().copied()), all_of(name, &mut tried.iter()));
        (good != all).then(|| format!("{} is {}", label(name), text::either(&good.into_iter().collect::<Vec<_>>())))
    });
    let said: Vec<String> = said.collect();
    // Each answer by itself is possible, and it is the two together that decide.
    if said.is_empty() {
        return depends();
    }
    format!("It is asked only where {}.", said.join(", and "))
}

/// As it stands in a file of answers.
fn as_answered(answer: &Json) -> String {
    match answer {
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn question(engagement: &Engagement, runbook: &Runbook, field: &Field, number: usize, scope: &Scope) -> String {
    let mut text = String::from("\n");
    let optional = if field.may_stay_empty(scope) { " (may stay empty)" } else { "" };
    comment(&mut text, &format!("{number}. {}{optional}", field.label));
    if !field.help.is_empty() {
        comment(&mut text, &field.help);
    }
    field.kind.rule().lines().for_each(|line| comment(&mut text, line));
    let known = known_answers(field, scope);
    if !known.is_empty() {
        comment(&mut text, &format!("Known (something else is fine too): {}.", known.join("; ")));
    }
    let example = if field.example.is_empty() { field.kind.example() } else { &field.example };
    if !example.is_empty() {
        comment(&mut text, "For example:");
        example.lines().for_each(|line| comment(&mut text, &format!("  {line}")));
        let setting = Setting { practice: engagement.identity.practice, now: None };
        let for_practice = Setting { practice: true, ..setting };
        let is_good = |setting| input::parse(&field.kind, example, setting).is_ok();
        if is_good(&for_practice) && !is_good(&setting) {
            comment(&mut text, "(That one shows the form; it is kept for examples and cannot be yours.)");
        }
    }
    if applies(runbook, field, scope).is_none()
        && let Some(when) = &field.when
    {
        comment(&mut text, &needed_where(runbook, when, scope));
    }
    let present = engagement.input(field.id.as_str()).map(Value::shown);
    if present.is_none()
        && let Some(offer) = offered(field, engagement, scope)
    {
        comment(&mut text, "We would take:");
        offer.lines().for_each(|line| comment(&mut text, &format!("  {line}")));
    }
    match present.as_deref() {
        None | Some("") => text.push_str(&format!("{}:\n", field.id)),
        Some(one) if !one.contains('\n') => text.push_str(&format!("{}: {one}\n", field.id)),
        Some(several) => {
            text.push_str(&format!("{}:\n", field.id));
            // With blanks before it, a line that begins with # is no explanation.
            several.lines().for_each(|line| text.push_str(&format!("{INDENT}{line}\n")));
        }
    }
    text
}

/// What the runbook offers, where it can be told yet and the rules accept it.
fn offered(field: &Field, engagement: &Engagement, scope: &Scope) -> Option<String> {
    let plain = field.default.as_ref()?.value(scope).ok()?;
    if plain.as_str().is_some_and(|text| text.trim().is_empty()) {
        return None;
    }
    let setting = Setting { practice: engagement.identity.practice, now: None };
    let value = input::from_plain(&field.kind, &plain, &setting).ok()?;
    // A person wrote it shorter than a value is shown.
    Some(plain.as_str().map_or_else(|| value.shown(), |text| text.trim().to_owned()))
}

fn not_here(engagement: &Engagement, secrets: &[&Field]) -> String {
    let mut text = String::from("\n");
    comment(&mut text, "Not in this file: passwords and keys");
    for field in secrets {
        let optional = if field.optional { " (only where there is one)" } else { "" };
        comment(&mut text, &format!("- {}{optional}. {}", field.label, field.help));
    }
    let channel = match engagement.input("ho.channel").and_then(Value::text) {
        Some("pgp_mail") => "as a mail of its own that is encrypted with OpenPGP",
        Some("one_time_link") => "through a link that opens once",
        Some("secrets_manager_share") => "through AWS Secrets Manager in your account",
        Some("in_person") => "in person",
        _ => "on a way of its own that we agree on by telephone, never in the same message as this file",
    };
    comment(&mut text, &format!("Please hand them over {channel}."));
    text
}

/// A comment, broken into lines; the blanks that it begins with stand before each of them.
fn comment(text: &mut String, said: &str) {
    let indent: String = said.chars().take_while(|c| *c == ' ').collect();
    let mut line = String::new();
    for word in said.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
            text.push_str(&format!("# {indent}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    text.push_str(format!("# {indent}{line}").trim_end());
    text.push('\n');
}

/// An answer that differs from what stood before.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    pub id: InputId,
    pub label: String,
    pub before: Option<Value>,
    pub now: Value,
}

/// What came of a questionnaire that is back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Returned {
    pub changed: Vec<Changed>,
    /// Answers that are as they were.
    pub same: usize,
    /// Rules that are broken, each with the question, its line, the reason and an example. With one of them, nothing is
    /// to be stored.
    pub broken: Vec<String>,
    /// What may be meant so, and may hurt.
    pub odd: Vec<String>,
    /// Questions of the file that have to be answered and are not.
    pub open: Vec<String>,
    /// Questions that have to be answered now because of these answers, and are not in the file.
    pub besides: Vec<String>,
    /// Those whose answers are refused by themselves: neither the new answer nor the one before counts beside others.
    refused: BTreeSet<InputId>,
}

/// One answer as it stands in the file.
struct Written {
    id: String,
    line: usize,
    text: String,
}

/// Reads a questionnaire at that time, and looks at every answer by itself and at all of them together.
pub fn returned(engagement: &Engagement, runbook: &Runbook, file: &str, now: At) -> Returned {
    let setting = Setting { practice: engagement.identity.practice, now: now.timestamp() };
    let mut returned = Returned::default();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut names_engagement = false;
    let Read { written, stray, dropped, doubtful } = read(file, runbook);
    returned.odd.extend(doubtful.into_iter().map(|(line, id)| {
        format!("line {line} looks like the answer to {id}, and is taken as a part of the text above it")
    }));
    returned.broken.extend(stray.into_iter().map(|(line, text)| {
        format!("line {line}: {text} stands behind no question; write it behind the question's colon, or delete it")
    }));
    returned.odd.extend(dropped.into_iter().map(|(line, id)| {
        format!(
            "line {line} begins with # and so is no part of the answer to {id}; if it is, write a blank before the #"
        )
    }));
    for one in written {
        let at = format!("line {}", one.line);
        if one.id == ENGAGEMENT {
            names_engagement = true;
            if one.text != engagement.identity.name {
                let what =
                    format!("{at}: this is a questionnaire of {}, and not of {}", one.text, engagement.identity.name);
                returned.broken.push(what);
            }
            continue;
        }
        if let Some(first) = seen.insert(one.id.clone(), one.line) {
            returned.broken.push(format!("{at}: {} is answered twice, first in line {first}", one.id));
            continue;
        }
        let Some(field) = runbook.fields.get(one.id.as_str()) else {
            let near = text::nearest(&one.id, runbook.fields.keys().map(InputId::as_str));
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            returned.broken.push(format!("{at}: there is no question {}{hint}", one.id));
            continue;
        };
        take((engagement, runbook), field, &one, &setting, &mut returned);
    }
    if seen.is_empty() {
        returned.broken.push("there is no question of ours in it: is it the right file?".to_owned());
    } else if !names_engagement {
        let name = &engagement.identity.name;
        returned.odd.push(format!("it does not say whose it is (the line engagement: {name} is missing)"));
    }
    together((engagement, runbook), setting.now, &seen, &mut returned);
    returned
}

fn take(
    (engagement, runbook): (&Engagement, &Runbook),
    field: &Field,
    written: &Written,
    setting: &Setting,
    returned: &mut Returned,
) {
    let before = engagement.input(field.id.as_str());
    let asked = format!("\"{}\" ({}, line {})", field.label, field.id, written.line);
    if written.text.is_empty() {
        // It may have been empty when the file was written, and somebody else has answered it since.
        match before {
            None => returned.open.push(format!("\"{}\" ({})", field.label, field.id)),
            // What is never in such a file is no news.
            Some(Value::Secret(_)) => {}
            Some(before) => {
                let may_go = field.may_stay_empty(&scope(engagement, runbook, ScopeMode::Real));
                let way = match may_go {
                    true => format!("; to take it out: onramp input {} {}=", engagement.identity.name, field.id),
                    false => String::new(),
                };
                let before = text::clip(&before.shown().replace('\n', "; "), 60);
                returned.odd.push(format!("{asked} is empty there, and what stands stays: {before}{way}"));
            }
        }
        return;
    }
    if matches!(field.kind, Kind::Secret(_)) {
        let why = "a secret has no place in this file, which travels by mail and is kept; whatever stands there counts as known to \
                   others now and has to be changed, and the new one is handed over on another way";
        returned.broken.push(format!("{asked}: {why}"));
        return;
    }
    match input::parse_beside(&field.kind, &field.example, &written.text, setting, before) {
        Ok(value) if before == Some(&value) => returned.same += 1,
        Ok(now) => {
            let (id, label) = (field.id.clone(), field.label.clone());
            returned.changed.push(Changed { id, label, before: before.cloned(), now });
        }
        Err(refusal) => {
            returned.broken.push(format!("{asked}: {refusal} (rule: {})", refusal.source));
            returned.refused.insert(field.id.clone());
        }
    }
}

/// Rules between the new answers, and between them and those that stand; and which questions are needed now after all.
fn together(
    (engagement, runbook): (&Engagement, &Runbook),
    now: Option<Timestamp>,
    lines: &BTreeMap<String, usize>,
    returned: &mut Returned,
) {
    let mut after = engagement.clone();
    for Changed { id, now, .. } in &returned.changed {
        let event = Event::InputGiven { id: id.clone(), value: now.clone() };
        let recorded = Recorded { seq: after.seq, at: At::default(), actor: String::new(), event };
        fold(&mut after, &recorded);
    }
    let counts = after.inputs.iter().filter(|(id, _)| !returned.refused.contains(*id));
    let values = counted(runbook, counts.map(|(id, given)| (id.clone(), given.value.clone())).collect());
    let label = |id: &InputId| {
        let at = lines.get(id.as_str()).map(|line| format!(", line {line}")).unwrap_or_default();
        runbook.fields.get(id).map_or_else(|| id.to_string(), |field| format!("\"{}\" ({id}{at})", field.label))
    };
    for broken in input::agree(&values, now) {
        if !broken.ids.iter().any(|id| returned.changed.iter().any(|changed| changed.id == *id)) {
            continue;
        }
        let labels: Vec<String> = broken.ids.iter().map(label).collect();
        let refusal = worded(&broken, runbook);
        let said = format!("{}: {refusal} (rule: {})", text::list(&labels), refusal.source);
        if broken.warning { returned.odd.push(said) } else { returned.broken.push(said) }
    }
    let scope = scope(&after, runbook, ScopeMode::Real);
    for Changed { id, label, now, .. } in &returned.changed {
        let known = runbook.fields.get(id).map(|field| known_answers(field, &scope)).unwrap_or_default();
        let said = now.text().and_then(|answer| unheard_of(&known, answer));
        returned.odd.extend(said.map(|said| format!("\"{label}\" ({id}): {said}")));
    }
    let wanted = |field: &Field| {
        is_asked(runbook, field, &scope)
            && applies(runbook, field, &scope) == Some(true)
            && !field.may_stay_empty(&scope)
    };
    // What hangs on one of these answers: the rest is asked by whoever leads the engagement.
    let hangs =
        |when: &Expr| when.names().iter().any(|name| returned.changed.iter().any(|one| one.id.as_str() == *name));
    let before = self::scope(engagement, runbook, ScopeMode::Real);
    returned.besides = runbook
        .fields
        .values()
        .filter(|field| {
            field.when.as_ref().is_some_and(hangs) && wanted(field) && applies(runbook, field, &before) != Some(true)
        })
        .filter(|field| after.input(field.id.as_str()).is_none())
        .map(|field| format!("\"{}\" ({})", field.label, field.id))
        .filter(|besides| !returned.open.contains(besides))
        .collect();
    returned.open.retain(|open| {
        let of = |field: &&Field| open.ends_with(&format!("({})", field.id));
        let needed = |field: &Field| applies(runbook, field, &scope) == Some(true) && !field.may_stay_empty(&scope);
        runbook.fields.values().find(of).is_none_or(needed)
    });
}

/// What stands in a file.
struct Read {
    written: Vec<Written>,
    /// Lines that belong to no answer, each with its number.
    stray: Vec<(usize, String)>,
    /// Lines that look like explanations and stand right below an answer, where onramp writes none; with whose answer it is.
    dropped: Vec<(usize, String)>,
    /// Lines of a text that look like the answer to another question, with which.
    doubtful: Vec<(usize, String)>,
}

/// The answers of a file, and lines that belong to none. What stands below a question goes on with its answer, up to an
/// empty line or an explanation; behind an empty line, only what has blanks before it, and with it the empty lines between.
/// Behind an explanation nothing does: it is the next question's, whose answer has its place behind the colon.
fn read(file: &str, runbook: &Runbook) -> Read {
    let (mut written, mut stray, mut dropped, mut doubtful) =
        (Vec::<Written>::new(), Vec::new(), Vec::new(), Vec::new());
    let mut goes_on = false;
    let mut explained = false;
    let mut empty = 0;
    for (index, line) in file.trim_start_matches('\u{feff}').lines().enumerate() {
        // Mail programs put a > before each line that they quote.
        let line = line.strip_prefix("> ").or_else(|| line.strip_prefix('>')).unwrap_or(line);
        let text = line.trim();
        // Mail and word processors push lines in; in a text of several lines whatever is pushed in is the text's.
        let known = |id: &str| id == ENGAGEMENT || runbook.fields.contains_key(id);
        let in_a_text = !explained
            && line.starts_with(INDENT)
            && written
                .last()
                .and_then(|one| runbook.fields.get(one.id.as_str()))
                .is_some_and(|field| field.kind.is_prose());
        let line = match text.split_once(':').map(|(id, _)| id.trim_end()).filter(|id| known(id)) {
            Some(id) if in_a_text && line != text => {
                doubtful.push((index + 1, id.to_owned()));
                line
            }
            Some(_) => text,
            None => line,
        };
        let named =
            line.split_once(':').filter(|(id, answer)| is_name(id) && !(goes_on && is_door(id, answer, runbook)));
        if let Some((id, answer)) = named {
            let text = unquoted(answer.trim()).to_owned();
            written.push(Written { id: id.trim().to_owned(), line: index + 1, text });
            // The engagement's name is one line.
            goes_on = id.trim() != ENGAGEMENT;
            explained = false;
            empty = 0;
        } else if text.is_empty() {
            goes_on = false;
            empty += 1;
        } else if line.starts_with('#') {
            let below = written.last().filter(|answer| goes_on && !answer.text.is_empty());
            dropped.extend(below.map(|answer| (index + 1, answer.id.clone())));
            goes_on = false;
            explained = true;
            empty = 0;
        } else if let Some(answer) =
            written.last_mut().filter(|_| goes_on || (!explained && line.starts_with([' ', '\t'])))
        {
            if !answer.text.is_empty() {
                answer.text.push_str(&"\n".repeat(empty + 1));
            }
            answer.text.push_str(line.strip_prefix(INDENT).unwrap_or(text).trim_end());
            empty = 0;
        } else {
            stray.push((index + 1, hinted(text)));
        }
    }
    Read { written, stray, dropped, doubtful }
}

/// A line that nobody understands, by its first word. The rest is not repeated, nor is a word that stands alone: either may be a
/// secret that somebody wrote where it does not belong.
fn hinted(line: &str) -> String {
    let mut words = line.split_whitespace().skip_while(|word| !word.contains(char::is_alphanumeric));
    let first = words.next().map(|word| word.trim_end_matches([':', ',', '.', ';'])).unwrap_or_default();
    let is_word = (1..=20).contains(&first.chars().count()) && first.chars().all(char::is_alphabetic);
    match words.next() {
        Some(_) if is_word => format!("a line that begins with \"{first}\""),
        _ => "a line".to_owned(),
    }
}

/// The name of a question at the beginning of a line; an answer such as `https://…` is none.
fn is_name(text: &str) -> bool {
    !text.starts_with([' ', '\t']) && (text.trim() == ENGAGEMENT || text.trim().parse::<InputId>().is_ok())
}

/// A name and its port, such as `db.acme.com:1433`, which no question of the runbook is nearly called as.
fn is_door(id: &str, port: &str, runbook: &Runbook) -> bool {
    let is_port = !port.is_empty() && port.trim_end().bytes().all(|byte| byte.is_ascii_digit());
    is_port
        && !runbook.fields.contains_key(id)
        && text::nearest(id, runbook.fields.keys().map(InputId::as_str)).is_none()
}

/// Around a whole answer: straight ones, and those that word processors make of them.
const QUOTES: [(char, char); 7] =
    [('"', '"'), ('\'', '\''), ('“', '”'), ('„', '“'), ('„', '”'), ('‘', '’'), ('«', '»')];

/// Without the quotes that somebody put around a whole answer.
fn unquoted(text: &str) -> &str {
    let inner = |(open, close): (char, char)| {
        let inner = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inner.filter(|inner| !inner.contains([open, close]))
    };
    QUOTES.into_iter().find_map(inner).unwrap_or(text)
}

//! Choices that a runbook offers, and yes or no.

use super::Value;
use super::given::{Item, every};
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};
use crate::text::{either, nearest};

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is stored, and what conditions in the runbook compare with. One word.
    pub value: String,
    /// What a person reads.
    pub label: String,
}

/// The choices of a runbook, if they can be told apart. The error is a sentence for whoever writes it.
pub(super) fn checked(choices: &[Choice]) -> Result<Vec<Choice>, String> {
    if choices.is_empty() {
        return Err("there is nothing to choose from: give choices".to_owned());
    }
    for (index, choice) in choices.iter().enumerate() {
        let one_word =
            !choice.value.is_empty() && !choice.value.contains(|c: char| c.is_whitespace() || ",;\"'".contains(c));
        if !one_word {
            return Err(format!("the choice {:?} is not one word", choice.value));
        }
        if choices[..index].iter().any(|earlier| earlier.value.eq_ignore_ascii_case(&choice.value)) {
            return Err(format!("the choice {} is there twice", choice.value));
        }
    }
    Ok(choices.to_vec())
}

/// One of the choices, by its value or its label; case does not count. A refusal names them as a person reads them.
pub(super) fn choice(text: &str, choices: &[Choice]) -> Result<Value, Refusal> {
    let said =
        |choice: &Choice| if choice.label == choice.value { choice.value.clone() } else { quoted(&choice.label) };
    let labels: Vec<String> = choices.iter().map(said).collect();
    one_of(text, choices).map_err(|refusal| {
        let near = choices.iter().position(|choice| choice.value == refusal.example);
        let why = offered(&labels, near);
        Refusal { why, ..refusal }.suggest(near.and_then(|at| choices.get(at)).map_or("", |choice| &choice.label))
    })
}

/// The same among several, which are written by their values.
fn one_of(text: &str, choices: &[Choice]) -> Result<Value, Refusal> {
    // A questionnaire lists them as `value - label`, and somebody copies that.
    let is_meant = |choice: &&Choice| {
        let listed = format!("{} - {}", choice.value, choice.label);
        [&choice.value, &choice.label, &listed].iter().any(|known| known.eq_ignore_ascii_case(text))
    };
    if let Some(choice) = choices.iter().find(|choice| choice.value == text).or_else(|| choices.iter().find(is_meant)) {
        return Ok(Value::Text(choice.value.clone()));
    }
    let values: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
    let what = format!("{} is none of the choices", quoted(text));
    let near = nearest_number(text, &values).or_else(|| nearest(text, values.iter().copied()));
    let at = near.and_then(|near| values.iter().position(|value| *value == near));
    Err(Refusal::new(what, offered(&values, at), "the runbook").suggest(near.unwrap_or_default()))
}

/// Three rows or so of a small terminal: what has to be done stands on the screen with them.
const LONGEST_OFFER: usize = 180;

/// `take one, two or three`: the nearest first, then as many as are read in a message.
fn offered<S: AsRef<str>>(choices: &[S], near: Option<usize>) -> String {
    let mut order: Vec<&str> = choices.iter().map(AsRef::as_ref).collect();
    if let Some(near) = near.filter(|near| *near < order.len()) {
        order[..=near].rotate_right(1);
    }
    let mut length = 0;
    let fits = order.iter().take_while(|one| {
        length += one.chars().count() + 2;
        length <= LONGEST_OFFER
    });
    let shown = fits.count().max(1);
    match order.len().saturating_sub(shown) {
        0 => format!("take {}", either(&order)),
        more => format!("take {} … and {more} more", order[..shown].join(", ")),
    }
}

/// Of numbers, the one with the least between: 90 for 91, which as a word is as near to 1.
fn nearest_number<'a>(text: &str, values: &[&'a str]) -> Option<&'a str> {
    let wanted: i64 = text.parse().ok()?;
    let numbers = values.iter().filter_map(|value| Some((value.parse::<i64>().ok()?.abs_diff(wanted), *value)));
    numbers.min_by_key(|(between, _)| *between).map(|(_, value)| value)
}

/// Several of the choices, none twice.
pub(super) fn choices(items: &[Item], choices: &[Choice], count: Bounds) -> Result<Value, Refusal> {
    let mut chosen = Vec::new();
    for (item, one) in items.iter().zip(every(items, |item| one_of(&item.text, choices))?) {
        if chosen.contains(&one) {
            let what = format!("{} is chosen twice", one.shown());
            return Err(Refusal::new(what, "each can be chosen once", "the runbook").at(&item.place));
        }
        chosen.push(one);
    }
    let example = choices.first().map(|choice| choice.value.clone()).unwrap_or_default();
    count.check(chosen.len(), "choice").map_err(|refusal| refusal.suggest(example))?;
    Ok(Value::List(chosen))
}

/// Yes or no, in the words that people and YAML use.
pub(super) fn yes_no(text: &str) -> Result<Value, Refusal> {
    match text.to_lowercase().as_str() {
        "yes" | "y" | "true" | "on" => Ok(Value::Flag(true)),
        "no" | "n" | "false" | "off" => Ok(Value::Flag(false)),
        _ => Err(Refusal::new(format!("{} is neither yes nor no", quoted(text)), "answer yes or no", "onramp")),
    }
}

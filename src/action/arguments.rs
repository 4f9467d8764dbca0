//! A step's arguments, taken out one by one; what does not fit is said by name.

use serde_json::{Map, Value as Json};

use crate::engagement::Failure;
use crate::input::SecretRef;

/// The arguments of one resolved step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a> {
    pub kind: &'a str,
    pub given: &'a Map<String, Json>,
}

impl<'a> Arguments<'a> {
    fn wrong(&self, name: &str, why: &str) -> Failure {
        let what = format!("the argument `{name}` of {} {why}", self.kind);
        Failure::new(what, "Correct the step in the runbook, or the input that the argument is made of.")
    }

    fn present(&self, name: &str) -> Option<&'a Json> {
        self.given.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    /// Anything that has a text: a string, a number, true or false.
    pub(super) fn optional(&self, name: &str) -> Result<Option<String>, Failure> {
        self.present(name).map(|value| self.text_of(name, value)).transpose()
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Failure> {
        self.optional(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    fn text_of(&self, name: &str, value: &Json) -> Result<String, Failure> {
        match value {
            Json::String(text) => Ok(text.trim().to_owned()),
            Json::Number(number) => Ok(number.to_string()),
            Json::Bool(flag) => Ok(flag.to_string()),
            _ => Err(self.wrong(name, "is not a text")),
        }
    }

    /// Where a secret lives. The text is read for the call and for nothing else; what is given is not repeated, as it may
    /// be a secret by mistake.
    pub(super) fn secret(&self, name: &str) -> Result<Option<SecretRef>, Failure> {
        let Some(text) = self.optional(name)? else { return Ok(None) };
        if !known(&text) {
            // A plan shows by name what only an earlier step can tell.
            return Ok(Some(SecretRef::Prompt { what_for: text }));
        }
        text.parse().map(Some).map_err(|_| self.wrong(name, "does not say where a secret lives"))
    }

    /// A text exactly as it was given, which may be empty.
    pub(super) fn verbatim(&self, name: &str) -> Result<String, Failure> {
        match self.given.get(name) {
            Some(Json::String(text)) => Ok(text.clone()),
            _ => self.text(name),
        }
    }

    /// A script, with its values quoted in it.
    pub(super) fn script(&self, name: &str) -> Result<Option<String>, Failure> {
        self.present(name).map(|_| self.verbatim(name)).transpose()
    }

    /// A whole number between the two, ends included.
    pub(super) fn number(&self, name: &str, least: i32, most: i32) -> Result<Option<i32>, Failure> {
        let Some(text) = self.optional(name)? else { return Ok(None) };
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ if !known(&text) => Err(Failure::new(format!("{text} is not known yet"), "Run the steps before it.")),
            _ => Err(self.wrong(name, &format!("is \"{text}\", not a whole number from {least} to {most}"))),
        }
    }

    /// A TCP or UDP port.
    pub(super) fn port(&self, name: &str) -> Result<Option<u16>, Failure> {
        Ok(self.number(name, 1, 65_535)?.and_then(|number| u16::try_from(number).ok()))
    }

    /// A list of texts. One text alone is a list of one; no argument is an empty list.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, Failure> {
        match self.present(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(items)) => items.iter().map(|item| self.text_of(name, item)).collect(),
            Some(Json::Object(items)) => items.values().map(|item| self.text_of(name, item)).collect(),
            Some(one) => Ok(vec![self.text_of(name, one)?]),
        }
    }

    /// What stands for a value that only an earlier step can tell.
    pub(super) fn placeholder(&self, name: &str) -> Option<String> {
        self.given.get(name).and_then(Json::as_str).filter(|text| !known(text)).map(str::to_owned)
    }

    /// A map of texts, in the order of its names.
    pub(super) fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, Failure> {
        match self.present(name) {
            None => Ok(Vec::new()),
            Some(Json::Object(map)) => {
                map.iter().map(|(key, value)| Ok((key.clone(), self.text_of(name, value)?))).collect()
            }
            Some(_) => Err(self.wrong(name, "is not a map")),
        }
    }

    /// A list of maps, each again taken out one by one.
    pub(super) fn maps(&self, name: &str) -> Result<Vec<Arguments<'a>>, Failure> {
        match self.present(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Json::Object(given) => Ok(Arguments { kind: self.kind, given }),
                    _ => Err(self.wrong(name, "is not a list of maps")),
                })
                .collect(),
            Some(_) => Err(self.wrong(name, "is not a list of maps")),
        }
    }

    /// One of the words; the first when nothing is given.
    pub(super) fn one_of(&self, name: &str, words: &[&'static str]) -> Result<&'static str, Failure> {
        let given = self.optional(name)?;
        let Some(given) = given else { return Ok(words.first().copied().unwrap_or_default()) };
        words
            .iter()
            .find(|word| **word == given)
            .copied()
            .ok_or_else(|| self.wrong(name, &format!("is \"{given}\", not {}", crate::text::either(words))))
    }

    /// Every name that is given must be one of these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Failure> {
        match self.given.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let near = crate::text::nearest(name, known.iter().copied());
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                Err(self.wrong(name, &format!("is not known{hint}")))
            }
        }
    }
}

/// Is the value known, or a placeholder for what only an earlier step can tell?
pub(super) fn known(value: &str) -> bool {
    !value.contains('\u{2039}')
}

//! Where a step stands: `phase/step`, and under `for_each` `phase/step[key]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::runbook::StepId;

/// One step of one engagement; under `for_each` one of its instances.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    pub step: StepId,
    pub key: Option<String>,
}

impl Address {
    pub fn new(step: StepId, key: Option<String>) -> Self {
        Address { step, key }
    }

    /// `a`, `a and b`, `a, b and c`.
    pub fn list<'a>(steps: impl IntoIterator<Item = &'a Address>) -> String {
        crate::text::list(&steps.into_iter().map(ToString::to_string).collect::<Vec<_>>())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}[{key}]", self.step),
            None => write!(f, "{}", self.step),
        }
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

/// The text is not `phase/step` or `phase/step[key]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an address: write phase/step, or phase/step[key], as in access/subnet[app/a]")]
pub struct AddressError(pub String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let (step, key) = match text.split_once('[') {
            Some((step, rest)) => (step, Some(rest.strip_suffix(']').ok_or_else(wrong)?)),
            None => (text, None),
        };
        let (phase, name) = step.split_once('/').ok_or_else(wrong)?;
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        if !plain(phase) || !plain(name) || key == Some("") {
            return Err(wrong());
        }
        Ok(Address::new(StepId::new(phase, name), key.map(str::to_owned)))
    }
}

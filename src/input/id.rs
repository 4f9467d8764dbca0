//! The name of an input, such as `net.vpc_cidr`: the same in the runbook, in answer files and in the journal.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::refusal::{Refusal, quoted};

/// Two or more lower-case words joined by dots; a word is a letter followed by letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InputId(String);

impl InputId {
    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InputId {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let words: Vec<&str> = text.split('.').collect();
        if words.len() < 2 || text.len() > 100 || !words.iter().all(|word| is_word(word)) {
            let why = "an input is named by lower-case words of letters, digits and _ joined by dots";
            return Err(Refusal::new(format!("{} names no input", quoted(text)), why, "onramp").suggest("net.vpc_cidr"));
        }
        Ok(Self(text.to_owned()))
    }
}

fn is_word(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

impl TryFrom<String> for InputId {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        text.parse()
    }
}

impl From<InputId> for String {
    fn from(id: InputId) -> Self {
        id.0
    }
}

impl Borrow<str> for InputId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_lower_case_and_dotted() {
        for good in ["net.vpc_cidr", "eng.ticket_key", "connection.customer_gateway_id", "a.b.c2"] {
            assert_eq!(good.parse::<InputId>().unwrap().to_string(), good);
        }
        for bad in
            ["", "net", "Net.vpc", "net.", ".net", "net..vpc", "net.2vpc", "net.vpc-cidr", "net.vpc cidr", "nét.vpc"]
        {
            assert!(bad.parse::<InputId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_are_plain_strings_in_json() {
        let id: InputId = serde_json::from_str("\"net.vpc_cidr\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"net.vpc_cidr\"");
        assert!(serde_json::from_str::<InputId>("\"NET\"").is_err());
    }
}

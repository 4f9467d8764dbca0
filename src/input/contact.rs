//! Telephone numbers.

use super::Value;
use super::refusal::{Refusal, quoted};

const E164: &str = "ITU-T E.164 section 6";

/// An international number: `+`, the code of the country, and at most 15 digits in all. Blanks and marks between the
/// digits are taken out. Source: ITU-T E.164 section 6; Amazon SNS takes numbers in that form only.
pub(super) fn phone(text: &str) -> Result<Value, Refusal> {
    let refuse = |why: &str| Refusal::new(format!("{} is no international number", quoted(text)), why, E164);
    if text.contains("(0)") {
        return Err(refuse("leave out the (0): it is dialled inside of the country only")
            .suggest(bare(&text.replace("(0)", ""))));
    }
    if let Some(digit) = text.chars().find(|c| !c.is_ascii_digit() && !"+ -./()\u{a0}".contains(*c)) {
        return Err(refuse(&format!(
            "{} is no part of a number; an extension has no place here",
            quoted(&digit.to_string())
        )));
    }
    let number = bare(text);
    let Some(digits) = number.strip_prefix('+') else {
        let refusal = refuse("it must begin with + and the code of the country");
        return Err(match number.strip_prefix("00") {
            Some(rest) => refusal.suggest(format!("+{rest}")),
            None => refusal,
        });
    };
    if digits.contains('+') {
        return Err(refuse("one number is wanted, with one + before it"));
    }
    if digits.starts_with('0') {
        return Err(refuse("no country's code begins with 0"));
    }
    if !(7..=15).contains(&digits.len()) {
        return Err(refuse(&format!("it has 7 to 15 digits behind the +, this has {}", digits.len())));
    }
    Ok(Value::Text(number))
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

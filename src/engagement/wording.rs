//! Answers that do not fit together, in the words of the runbook: labels for ids, and of a choice what a person reads.

use crate::input::{Disagreement, Kind, Refusal};
use crate::runbook::{Field, Runbook};

/// What is wrong, without ids and values that no form shows.
pub fn worded(broken: &Disagreement, runbook: &Runbook) -> Refusal {
    let fields: Vec<&Field> = broken.ids.iter().filter_map(|id| runbook.fields.get(id)).collect();
    let said = |text: &str| runbook.fields.values().fold(text.to_owned(), |text, field| labelled(&text, field));
    // What is proposed is an answer of the first of them that it could be one of.
    let choice = |field: &&&Field| field.kind.in_words(&broken.refusal.example) != broken.refusal.example;
    let example = fields.iter().find(choice).map(|field| field.kind.in_words(&broken.refusal.example));
    Refusal {
        what: said(&broken.refusal.what),
        why: said(&broken.refusal.why),
        example: example.unwrap_or_else(|| broken.refusal.example.clone()),
        ..broken.refusal.clone()
    }
}

/// What is wrong, and with whose answers.
pub fn told(broken: &Disagreement, runbook: &Runbook) -> String {
    let ids: Vec<_> = broken.ids.iter().map(ToString::to_string).collect();
    format!("{} ({})", worded(broken, runbook), ids.join(", "))
}

/// The text with the label of this field for its id, and behind a `=` that of its choice.
fn labelled(text: &str, field: &Field) -> String {
    let id = field.id.as_str();
    let mut text = text.to_owned();
    if !text.contains(id) {
        return text;
    }
    if let Kind::Choice(choices) = &field.kind {
        for choice in choices {
            text = whole(&text, &format!("{id} = {}", choice.value), &format!("\"{}: {}\"", field.label, choice.label));
        }
    }
    whole(&text, id, &format!("\"{}\"", field.label))
}

/// The text with `with` for `word`, where that is no part of a longer name.
fn whole(text: &str, word: &str, with: &str) -> String {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let alone = !before.ends_with(part) && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        out.push_str(before);
        out.push_str(if alone { with } else { word });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn an_id_is_replaced_where_it_stands_alone() {
        let said = whole("10.0.0.0/8 of net.vpc, net.vpc_cidr and my.net.vpc: net.vpc.", "net.vpc", "\"VPC\"");
        assert_eq!(said, "10.0.0.0/8 of \"VPC\", net.vpc_cidr and my.net.vpc: \"VPC\".");
    }
}

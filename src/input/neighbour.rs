//! Engagements beside each other on one machine: a short name is one customer's.

use std::collections::BTreeMap;

use super::{Disagreement, InputId, Refusal, Value};

const CUSTOMER: &str = "eng.customer_name";
const SLUG: &str = "eng.customer_slug";
const BUCKETS: &str = "docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html";

/// Another engagement of the same home. What is not given there is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour<'a> {
    pub name: &'a str,
    pub customer: &'a str,
    pub slug: &'a str,
}

/// What the customer or the short name, given as `id` among these answers, means beside other engagements.
///
/// A short name stands in the names of buckets, roles and folders, so that no two customers have one, which is refused; where a
/// customer's name is not known yet, it is a warning. Engagements of one customer share its short name, in one account too: what
/// can be there once in it is named by the engagement as well.
pub fn clash<'a>(
    id: &InputId,
    values: &BTreeMap<InputId, Value>,
    others: impl IntoIterator<Item = Neighbour<'a>>,
) -> Option<Disagreement> {
    if ![CUSTOMER, SLUG].contains(&id.as_str()) {
        return None;
    }
    let given = |id: &str| values.get(id).map(Value::shown).unwrap_or_default();
    let (customer, slug) = (given(CUSTOMER), given(SLUG));
    let is_same = |other: &Neighbour<'_>| other.customer.to_lowercase() == customer.to_lowercase();
    let unknown = |other: &Neighbour<'_>| customer.is_empty() || other.customer.is_empty();
    let alike = |other: &Neighbour<'_>| !slug.is_empty() && other.slug == slug && (unknown(other) || !is_same(other));
    let alike: Vec<Neighbour<'_>> = others.into_iter().filter(alike).collect();
    let worst = alike.iter().find(|other| !unknown(other));
    let other = worst.or(alike.first())?;
    let whose = if other.customer.is_empty() { String::new() } else { format!(", for {}", other.customer) };
    let what = format!("{slug} is the short name in the engagement {} already{whose}", other.name);
    let why = match worst {
        Some(_) => "in reports, folders and buckets two customers would have one name",
        None => "two engagements of one customer have one short name, and two customers have none in common",
    };
    let refusal = Refusal::new(what, why, BUCKETS).suggest(another(&slug));
    let ids = [CUSTOMER, SLUG].into_iter().filter_map(|id| values.get_key_value(id));
    Some(Disagreement { ids: ids.map(|(id, _)| id.clone()).collect(), refusal, warning: worst.is_none() })
}

/// A short name near to that one, of 20 characters at most.
fn another(slug: &str) -> String {
    let kept: String = slug.chars().take(18).collect();
    format!("{}-2", kept.trim_end_matches('-'))
}

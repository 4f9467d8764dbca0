//! The other engagements of this home, beside which answers are given.

use super::context::Context;
use super::failure::Failure;
use super::print;
use crate::engagement::Engagement;
use crate::input::{InputId, Neighbour, Value, clash};
use crate::journal::Reader;

/// Looks whether another engagement has the short name for another customer; where that may be well, it is said. Practice is beside
/// nobody, and what stands already is looked at no more.
///
/// # Errors
/// Another one has it.
pub fn differ(
    context: &Context,
    name: &str,
    engagement: &Engagement,
    given: &[(InputId, Value)],
) -> Result<(), Failure> {
    let stands = |id: &InputId, value: &Value| engagement.input(id.as_str()) == Some(value);
    let new: Vec<&InputId> = given.iter().filter(|(id, value)| !stands(id, value)).map(|(id, _)| id).collect();
    let alike = ["eng.customer_name", "eng.customer_slug"];
    if engagement.identity.practice || !new.iter().any(|id| alike.contains(&id.as_str())) {
        return Ok(());
    }
    let mut values = engagement.given();
    values.extend(given.iter().cloned());
    let others = others(context, name);
    let others = others.iter().map(|[name, customer, slug]| Neighbour { name, customer, slug });
    let Some(clash) = new.into_iter().find_map(|id| clash(id, &values, others.clone())) else { return Ok(()) };
    if clash.warning {
        print::say(&format!("Please look again: eng.customer_slug: {}", clash.refusal));
        return Ok(());
    }
    Err(Failure::usage(format!("eng.customer_slug: {}", clash.refusal)).hint("nothing was stored"))
}

/// Name, customer and short name of each other one that can be read and is not practice.
fn others(context: &Context, name: &str) -> Vec<[String; 3]> {
    let names = context.names().into_iter().filter(|other| other != name);
    let read = |other: String| {
        let engagement = Reader::glance(&context.folder(&other).ok()?).ok()?.engagement;
        let given = |id: &str| engagement.input(id).map(Value::shown).unwrap_or_default();
        let known = [other, given("eng.customer_name"), given("eng.customer_slug")];
        (!engagement.identity.practice).then_some(known)
    };
    names.filter_map(read).collect()
}

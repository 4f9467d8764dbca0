//! Answers that were refused for each other: with both of them written anew, they are given as one.

use super::FormScreen;
use super::agree::{fit, setting};
use crate::input::{InputId, Value};
use crate::ui::facts::Facts;

impl FormScreen {
    /// This answer, and those of the form that were refused beside others, where they fit as they are now.
    pub(super) fn together(&self, facts: &Facts, id: &InputId, value: &Value) -> Option<Vec<(InputId, Value)>> {
        let setting = setting(facts);
        let refused = self.fields.iter().filter(|field| {
            field.id != *id && field.problem.as_ref().is_some_and(|problem| problem.between && problem.refuses())
        });
        let mut answers: Vec<_> =
            refused.filter_map(|field| Some((field.id.clone(), field.value(&setting)?))).collect();
        answers.push((id.clone(), value.clone()));
        (answers.len() > 1 && fit(facts, &answers)).then_some(answers)
    }
}

//! Answers that were refused for each other: with both of them written anew, they are given as one.

use super::FormScreen;
use super::agree::{fit, setting, with_partners};
use crate::input::{InputId, Value};
use crate::ui::facts::Facts;

impl FormScreen {
    /// What stands in other fields of the form than that under the cursor and was refused beside others, as it is now.
    pub(super) fn drafts_beside(&self, facts: &Facts) -> Vec<(InputId, Value)> {
        let setting = setting(facts);
        let refused = self.fields.iter().enumerate().filter(|(at, field)| {
            *at != self.cursor && field.problem.as_ref().is_some_and(|problem| problem.between && problem.refuses())
        });
        refused.filter_map(|(_, field)| Some((field.id.clone(), field.value(&setting)?))).collect()
    }

    /// This answer, and those that it was refused beside, where they fit as they are now.
    pub(super) fn together(
        facts: &Facts,
        answer: (&InputId, &Value),
        drafts: &[(InputId, Value)],
    ) -> Option<Vec<(InputId, Value)>> {
        let answers = with_partners(facts, answer, drafts);
        (answers.len() > 1 && fit(facts, &answers)).then_some(answers)
    }
}

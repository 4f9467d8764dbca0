//! What a question means, before it is answered.

use std::collections::BTreeSet;

use ratatui::style::Style;

use super::{Ask, Prompt, host_key};
use crate::engagement::doubt::told;
use crate::engagement::{Address, Question, Status};
use crate::text;
use crate::ui::facts::Facts;
use crate::ui::look::Role;
use crate::ui::screen::undo;
use crate::ui::widget::diff;
use crate::ui::widget::prose::Prose;
use crate::ui::words;

impl Prompt {
    pub(super) fn explain(&self, facts: &Facts, prose: &mut Prose) {
        let look = &facts.look;
        let plain = Style::new();
        match &self.ask {
            Ask::New => {
                prose.text("A short name for this customer and environment, e.g. acme-prod: letters, digits and hyphens. It is the name of the file on this machine.", plain);
            }
            Ask::Skip(_) | Ask::SkipOnHost(_) => {
                prose.text(
                    "What needs this step goes on as if it were done. The reason stands in the handover report.",
                    plain,
                );
            }
            Ask::SignOff(step) | Ask::SignAgain(step) => self.explain_sign_off(facts, step, prose),
            Ask::TrustKey(step) => host_key::explain(facts, step, prose),
            Ask::Different(step) => {
                if let Some(Status::Asked(Question::Different { said, differences })) = status(facts, step) {
                    prose.text(said, look.style(Role::Problem));
                    diff::add(prose, look, differences);
                }
                prose.text("onramp does not change what it did not make. Put it right, or decide:", plain);
            }
            Ask::Settle(step) => explain_doubt(facts, step, prose),
            Ask::Adopt(step) => self.explain_adoption(facts, step, prose),
            Ask::Approve => explain_approval(facts, prose),
            Ask::Undo => explain_undo(facts, prose),
            Ask::Outdated(_) => {
                prose.text(
                    "It is done as an earlier edition of the runbook said. This one would do it otherwise.",
                    plain,
                );
            }
            Ask::HalfUndone(_) => {
                prose.text("It failed while it was taken back, and some of it may be gone.", plain);
            }
            Ask::TakeEdition => {
                prose.text(
                    "The engagement walks it from now on. Nothing runs by that, and nothing that is done is lost; the \
                     edition it walked until now stays in its state file, for undoing what was made with it.",
                    plain,
                );
            }
            Ask::Secrets { missing, ahead_of } => self.explain_secrets(facts, missing, ahead_of, prose),
            Ask::Store(_) => {
                prose.text("The state file only says where it lives, never what it is.", plain);
            }
            Ask::Find => {
                prose.text("Small letters find capitals too. n and N go on.", plain);
            }
            Ask::Leave => {
                prose.text("onramp would let them come to a safe end, start nothing new, and leave then. Everything is kept. Esc stays.", plain);
            }
        }
    }

    fn explain_sign_off(&self, facts: &Facts, step: &Address, prose: &mut Prose) {
        let ask = facts.open.as_ref().and_then(|open| words::manual_text(open, step));
        if let Some(ask) = ask {
            prose.text(&ask, facts.look.bold()).blank();
        }
        prose.text("Signing off says that you did it, or saw it done. Your name and the time are kept.", Style::new());
    }
}

pub(super) fn status<'a>(facts: &'a Facts, step: &Address) -> Option<&'a Status> {
    facts.open.as_ref()?.row(step).map(|row| &row.status)
}

fn explain_approval(facts: &Facts, prose: &mut Prose) {
    let Some(open) = &facts.open else { return };
    let Some(planned) = &open.planned else { return };
    let summary = words::plan_summary(&planned.plan);
    let said = format!("{summary}. onramp runs them then; a step that would do anything else stops and asks again.");
    prose.text(&said, Style::new());
    let approved = planned.plan.approval().into_keys().map(|step| step.step).collect();
    if let Some(said) = words::held_back(open, &approved) {
        prose.blank().item("Waits", &said, facts.look.style(Role::Waiting));
    }
    let entries = || planned.plan.entries.iter().filter(|entry| entry.would_change());
    let look = &facts.look;
    let costly: BTreeSet<&str> =
        entries().filter(|entry| entry.cost.is_some()).map(|entry| entry.title.as_str()).collect();
    if !costly.is_empty() {
        prose.blank().item("Costs", &costly.into_iter().collect::<Vec<_>>().join("; "), look.style(Role::Waiting));
    }
    let care: BTreeSet<String> = entries()
        .filter_map(|entry| entry.breaks.as_ref().map(|breaks| format!("{}: {breaks}", entry.title)))
        .collect();
    for (index, words) in care.iter().enumerate() {
        prose.item(if index == 0 { "Care" } else { "" }, words, look.style(Role::Waiting));
    }
}

fn explain_undo(facts: &Facts, prose: &mut Prose) {
    let Some(plan) = undo::plan(facts) else { return };
    let said = format!(
        "{}, one after another, and only what onramp made. It ends where one cannot be taken back.",
        plan.summary()
    );
    prose.text(&said, Style::new());
    for (index, (lost, titles)) in plan.losses().into_iter().enumerate() {
        let said = format!("{lost}: {}", text::some(&titles, "; ", 4));
        prose.item(if index == 0 { "Care" } else { "" }, &said, facts.look.style(Role::Waiting));
    }
    for (index, (_, title, why)) in plan.stays.iter().enumerate() {
        prose.item(if index == 0 { "Stays" } else { "" }, &format!("{title}: {why}"), facts.look.style(Role::Waiting));
    }
}

/// What was intended, under which token, and what a look found; the guard and the reason stand on the board.
fn explain_doubt(facts: &Facts, step: &Address, prose: &mut Prose) {
    let record = facts.open.as_ref().and_then(|open| open.engagement.record(step));
    for (label, said) in record.map(told).unwrap_or_default() {
        if !matches!(label, "Guard" | "Known") {
            prose.item(label, &said, Style::new());
        }
    }
}

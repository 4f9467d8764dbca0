//! The box that asks for missing secrets, one after the other. Nothing of them is shown.

use ratatui::style::Style;
use secrecy::ExposeSecret;

use super::{Ask, Prompt};
use crate::engagement::{MissingSecret, secret_rule};
use crate::engine::AheadOf;
use crate::input::SecretRef;
use crate::ui::facts::Facts;
use crate::ui::look::{Glyph, Role};
use crate::ui::widget::prose::Prose;

impl Prompt {
    /// The secret that is asked for now.
    pub(super) fn wanted(&self) -> Option<&MissingSecret> {
        match &self.ask {
            Ask::Secrets { missing, .. } => missing.get(self.given.len()),
            _ => None,
        }
    }

    pub(super) fn explain_secrets(
        &self,
        facts: &Facts,
        missing: &[MissingSecret],
        ahead_of: &AheadOf,
        prose: &mut Prose,
    ) {
        let look = &facts.look;
        let (whose, left) = match ahead_of {
            AheadOf::Checks => {
                ("The checks of what is done", "An empty answer leaves one out: what needs it is unknown.")
            }
            _ => ("The steps ahead", "An empty answer leaves one for when its step comes."),
        };
        prose.text(&format!("{whose} need these. They stay in memory until you leave this engagement."), Style::new());
        for (index, one) in missing.iter().enumerate() {
            let now = index == self.given.len();
            let (lead, style) = match self.given.get(index) {
                Some((_, Some(_))) => (look.glyph(Glyph::Done), look.style(Role::Done)),
                Some((_, None)) => ("-", look.style(Role::Muted)),
                None if now => (look.glyph(Glyph::Cursor), look.style(Role::Accent)),
                None => (" ", Style::new()),
            };
            let why = if now { format!(": {}", one.why) } else { String::new() };
            prose.indented(&format!("{lead} "), &format!("{}{why}", called(facts, &one.reference)), style);
        }
        prose.text(left, look.style(Role::Muted));
    }

    /// Takes what was typed for the secret that is asked for; true after the last of them. Whoever meant to approve the
    /// plan has typed its word into the wrong box.
    pub(super) fn take_secret(&mut self, facts: &Facts) -> bool {
        let Some(wanted) = self.wanted().cloned() else { return true };
        let approval_word = facts.approval_word();
        let typed = (!self.hidden.is_blank()).then(|| self.hidden.take());
        if typed.as_ref().is_some_and(|typed| typed.expose_secret() == approval_word.as_str()) {
            self.problem =
                Some(format!("{approval_word} is what approves the plan, and no secret; type the secret, or nothing"));
            return false;
        }
        let rule = facts.open.as_ref().and_then(|open| secret_rule(&open.engagement, &open.runbook, &wanted.reference));
        if let Some(Err(refusal)) = typed.as_ref().zip(rule).map(|(typed, rule)| rule.check(typed.expose_secret())) {
            self.problem = Some(refusal.to_string());
            return false;
        }
        let text = match (wanted.chosen_now, typed, self.first.take()) {
            (true, Some(first), None) => {
                self.first = Some(first);
                return false;
            }
            (true, second, Some(first)) => {
                if second.as_ref().map(|second| second.expose_secret()) != Some(first.expose_secret()) {
                    self.problem = Some("the two are not the same: type it anew, twice".to_owned());
                    return false;
                }
                second
            }
            (_, typed, _) => typed,
        };
        self.problem = None;
        self.given.push((wanted.reference, text));
        self.wanted().is_none()
    }
}

/// What the form calls it, and where it lives.
fn called(facts: &Facts, reference: &SecretRef) -> String {
    let said = reference.said();
    let Some(open) = &facts.open else { return said };
    let answer = open.engagement.secrets().find(|(_, lives)| lives == reference);
    match answer.and_then(|(id, _)| open.runbook.fields.get(id)) {
        Some(field) => format!("{} ({said})", field.label),
        None => said,
    }
}

//! Another edition of the runbook: everything that is different, and what that means here, before it is taken.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::engagement::{ReviewLine, review};
use crate::ui::effect::Effect;
use crate::ui::facts::Facts;
use crate::ui::look::Role;
use crate::ui::screen::board::lines_of;
use crate::ui::screen::{Move, Screen, content_now, draw_prose};
use crate::ui::state::{Place, State};
use crate::ui::widget::popup::pane;
use crate::ui::widget::prose::Prose;

/// Width of the words that say what kind of change it is.
const KINDS: usize = 16;

#[derive(Debug, Clone, Default)]
pub struct EditionScreen {
    lines: Vec<ReviewLine>,
    top: usize,
}

impl EditionScreen {
    fn prose<'a>(&self, facts: &'a Facts, width: u16) -> Prose<'a> {
        let look = &facts.look;
        let mut prose = Prose::new(look, width, KINDS);
        prose.text(
            "This is another edition of the runbook than this engagement walks. Taking it runs nothing and forgets \
             nothing: what is done stays done, and what would be done otherwise now is marked for you to look at again or \
             to keep.",
            Style::new(),
        );
        prose.blank();
        for line in &self.lines {
            let style = if line.weighs { look.style(Role::Waiting) } else { Style::new() };
            prose.item(line.what, &line.said, style);
        }
        prose
    }

    fn room(facts: &Facts) -> (u16, usize) {
        let area = content_now(facts);
        (area.width.saturating_sub(4), usize::from(area.height.saturating_sub(2)))
    }
}

impl Screen for EditionScreen {
    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let (width, height) = EditionScreen::room(facts);
        let last = self.prose(facts, width).height().saturating_sub(height);
        self.top = self.top.saturating_add_signed(lines_of(to, height)).min(last);
        Vec::new()
    }

    fn title(&self, _facts: &Facts) -> String {
        "another edition".to_owned()
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let note = crate::text::count(self.lines.len(), "difference");
        let inside = pane(frame, &facts.look, area, "Another edition of the runbook", &note, true);
        let inside = crate::ui::widget::popup::margin(inside);
        draw_prose(frame, inside, self.prose(facts, inside.width), self.top);
    }
}

/// Is there another edition?
pub fn can_show(state: &State) -> Result<(), String> {
    let there = state.facts.open.as_ref().is_some_and(|open| open.other_edition.is_some());
    match there {
        true => Ok(()),
        false => {
            Err("onramp has no other edition of this runbook; onramp update --runbook takes one from a file".to_owned())
        }
    }
}

/// Shows what is different.
pub fn show(state: &mut State) -> Vec<Effect> {
    let lines = state.facts.open.as_ref().and_then(|open| {
        let other = open.other_edition.as_ref()?;
        Some(review(&open.engagement, &open.runbook, &other.runbook).lines())
    });
    state.edition = EditionScreen { lines: lines.unwrap_or_default(), top: 0 };
    state.show(Place::Edition);
    Vec::new()
}

/// May it be taken now?
pub fn can_take(state: &State) -> Result<(), String> {
    can_show(state)?;
    match &state.facts.open {
        Some(open) if open.running || open.busy() > 0 => Err("steps are running: stop them first".to_owned()),
        _ => Ok(()),
    }
}

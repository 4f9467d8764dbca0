//! The output of one step over the whole screen, with find.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::engagement::Address;
use crate::ui::effect::Effect;
use crate::ui::facts::{Facts, Said};
use crate::ui::look::Role;
use crate::ui::screen::board::{earlier_page, lines_of};
use crate::ui::screen::{Move, Screen, content, draw_prose};
use crate::ui::state::State;
use crate::ui::widget::log;
use crate::ui::widget::popup::pane;
use crate::ui::widget::prose::Prose;
use crate::ui::words;

/// The full output of a step.
#[derive(Debug, Clone, Default)]
pub struct OutputScreen {
    step: Option<Address>,
    view: log::View,
}

impl OutputScreen {
    pub fn show(&mut self, step: Address, view: log::View) {
        self.step = Some(step);
        self.view = view;
    }

    pub fn view(&mut self) -> &mut log::View {
        &mut self.view
    }

    fn height(facts: &Facts) -> usize {
        usize::from(content(facts.size).height.saturating_sub(2))
    }

    /// Goes to the next line that holds what is looked for. The answer is what to say.
    pub fn find(&mut self, facts: &Facts, down: bool) -> Said {
        let output = self.step.as_ref().and_then(|step| facts.open.as_ref()?.output(step));
        let Some(output) = output.filter(|_| !self.view.find.is_empty()) else { return Said::plain("/ finds text") };
        let bottom = output.len().saturating_sub(Self::height(facts));
        let top = if self.view.follow { bottom } else { self.view.top };
        let start = if down { top + 1 } else { top };
        let (found, around) = match output.find(&self.view.find, start, down) {
            Some(line) => (Some(line), false),
            None => (output.find(&self.view.find, if down { 0 } else { output.len() }, down), true),
        };
        match found {
            None => Said::bad(format!("\"{}\" is not in this output", self.view.find)),
            Some(line) => {
                self.view.follow = false;
                self.view.top = line;
                let number = output.dropped + line + 1;
                let again = if around { ", from the other end" } else { "" };
                Said::plain(format!("\"{}\" in line {number}{again}", self.view.find))
            }
        }
    }
}

impl Screen for OutputScreen {
    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let (Some(open), Some(step)) = (&facts.open, &self.step) else { return Vec::new() };
        let Some(output) = open.output(step) else { return Vec::new() };
        let height = Self::height(facts);
        self.view.scroll(lines_of(to, height), output, height);
        earlier_page(open, step, &self.view).map(Effect::Send).into_iter().collect()
    }

    fn title(&self, facts: &Facts) -> String {
        match (&facts.open, &self.step) {
            (Some(open), Some(step)) => format!("output of {}", words::title(&open.runbook, step)),
            _ => "output".to_owned(),
        }
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let look = &facts.look;
        let output = self.step.as_ref().and_then(|step| facts.open.as_ref()?.output(step));
        match output.filter(|output| !output.is_empty()) {
            Some(output) => {
                let note = self.view.place(output, usize::from(area.height.saturating_sub(2)));
                let title = format!("Attempt {}", output.attempt);
                let inside = pane(frame, look, area, &title, &note, true);
                log::draw(frame, look, inside, output, &self.view);
            }
            None => {
                let inside = pane(frame, look, area, "Output", "", true);
                let mut prose = Prose::new(look, inside.width, 0);
                prose.text("There is no output.", look.style(Role::Muted));
                draw_prose(frame, inside, prose, 0);
            }
        }
    }
}

/// `F`, on the output and on the board: new lines move the view again, or no more.
pub fn follow(state: &mut State) -> Vec<Effect> {
    let view = match state.place {
        crate::ui::state::Place::Output => state.output.view(),
        _ => &mut state.board.log,
    };
    view.follow = !view.follow;
    let said = if view.follow { "The output follows" } else { "The output stands still" };
    state.say(Said::plain(said));
    Vec::new()
}

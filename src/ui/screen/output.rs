//! The output of one step over the whole screen, with find.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::engagement::Address;
use crate::engine::{Find, Found, Page, Request};
use crate::text;
use crate::ui::effect::Effect;
use crate::ui::facts::{Facts, Opened, Said};
use crate::ui::look::Role;
use crate::ui::screen::board::lines_of;
use crate::ui::screen::diagnosis;
use crate::ui::screen::{Move, Screen, content_now, draw_prose};
use crate::ui::state::{Place, State};
use crate::ui::widget::log::{self, Output, Seen};
use crate::ui::widget::popup::pane;
use crate::ui::widget::prose::Prose;
use crate::ui::words;

/// The full output of a step.
#[derive(Debug, Clone, Default)]
pub struct OutputScreen {
    step: Option<Address>,
    view: log::View,
    /// What was found to be the matter with the step, and the texts that it keeps, where it printed nothing: a sheet, a
    /// configuration.
    kept: Option<Output>,
    /// What the engine looks for, where it is not in the lines that are here.
    finding: Option<Find>,
}

impl OutputScreen {
    pub fn show(&mut self, facts: &Facts, step: Address, view: log::View) {
        self.kept = facts.open.as_ref().and_then(|open| kept(facts, open, &step));
        self.step = Some(step);
        self.view = view;
        if self.is_of_what_is_kept(facts) {
            // A text is read from its beginning.
            self.view = log::View { follow: false, ..log::View::default() };
        }
        self.finding = None;
    }

    /// How it is read, for the board's small pane, which shows the same.
    pub fn view(&self) -> &log::View {
        &self.view
    }

    /// The output that is on the screen, how it is read, and how many lines of it.
    pub fn shows(&self, facts: &Facts) -> Option<(Address, &log::View, usize)> {
        Some((self.step.clone()?, &self.view, usize::from(Self::room(facts).height)))
    }

    /// What is read: what the step printed, or else what it keeps.
    fn output<'a>(&'a self, facts: &'a Facts) -> Option<&'a Output> {
        read_of(facts, self.step.as_ref(), self.kept.as_ref())
    }

    fn reads_mut<'a>(&'a mut self, facts: &'a Facts) -> (Option<&'a Output>, &'a mut log::View) {
        (read_of(facts, self.step.as_ref(), self.kept.as_ref()), &mut self.view)
    }

    fn is_of_what_is_kept(&self, facts: &Facts) -> bool {
        self.kept.is_some() && self.output(facts) == self.kept.as_ref()
    }

    fn room(facts: &Facts) -> Size {
        inside(content_now(facts))
    }

    /// Looks for a text from here on down.
    pub fn find(&mut self, facts: &Facts, wanted: String) -> (Said, Vec<Effect>) {
        self.view.find = wanted;
        self.find_again(facts, true)
    }

    /// Goes to the next line that holds what is looked for. What is not in the lines that are here is looked for by the
    /// engine, in all of them.
    pub fn find_again(&mut self, facts: &Facts, down: bool) -> (Said, Vec<Effect>) {
        let wanted = self.view.find.clone();
        let (Some(output), Some(step), false) = (self.output(facts), self.step.clone(), wanted.is_empty()) else {
            return (Said::plain("/ finds text"), Vec::new());
        };
        let (bottom, _) = output.bottom(Self::room(facts));
        let top = if self.view.follow { bottom } else { self.view.top };
        let from = match output.find(&wanted, if down { top + 1 } else { top }, down) {
            Seen::At(line) => return (self.stand_at(facts, line, false), Vec::new()),
            Seen::No { on } => on,
        };
        if output.is_whole() {
            let said = match output.find(&wanted, if down { 0 } else { output.total() }, down) {
                Seen::At(line) => self.stand_at(facts, line, true),
                Seen::No { .. } => self.nowhere(),
            };
            return (said, Vec::new());
        }
        let said = format!("Looking for \"{wanted}\" in {}; Esc stops", text::count(output.total(), "line"));
        let find = Find { step, attempt: output.attempt, wanted, from, down };
        self.finding = Some(find.clone());
        (Said::plain(said), vec![Effect::Send(Request::Find(find))])
    }

    /// The engine has looked. Nothing is said when somebody waits for something else by now.
    pub fn found(&mut self, facts: &Facts, found: &Found) -> Option<Said> {
        self.finding.take_if(|find| *find == found.find)?;
        let open = || self.output(facts)?.find_in_open(&found.find.wanted);
        Some(match (&found.hit, open()) {
            (Some(hit), _) => self.stand_at(facts, hit.line, hit.around),
            (None, Some(line)) => self.stand_at(facts, line, false),
            (None, None) => self.nowhere(),
        })
    }

    /// True when the engine was looking for something: it need not go on.
    pub fn stop_finding(&mut self) -> bool {
        self.finding.take().is_some()
    }

    pub fn is_finding(&self) -> bool {
        self.finding.is_some()
    }

    fn stand_at(&mut self, facts: &Facts, line: usize, around: bool) -> Said {
        let above = self.output(facts).map(|output| output.above(line, &self.view.find, Self::room(facts).width));
        (self.view.follow, self.view.top, self.view.above) = (false, line, above.unwrap_or(0));
        let again = if around { ", from the other end" } else { "" };
        Said::plain(format!("\"{}\" in line {}{again}", self.view.find, line + 1))
    }

    fn nowhere(&self) -> Said {
        Said::bad(format!("\"{}\" is not in this output", self.view.find))
    }

    /// `F`: new lines move the view again, or no more.
    pub fn follow(&mut self, facts: &Facts) -> bool {
        let (output, view) = self.reads_mut(facts);
        view.toggle_follow(output, Self::room(facts))
    }
}

/// Width of the labels of a diagnosis.
const LABELS: usize = 8;

/// What a pane leaves of an area.
fn inside(area: Rect) -> Size {
    Size::new(area.width.saturating_sub(2), area.height.saturating_sub(2))
}

fn read_of<'a>(facts: &'a Facts, step: Option<&Address>, kept: Option<&'a Output>) -> Option<&'a Output> {
    let printed = || facts.open.as_ref()?.output(step?);
    printed().filter(|output| !output.is_empty() || kept.is_none()).or(kept)
}

/// What was found to be the matter with a step, with room to be read; and the texts of several lines that it keeps, each below
/// the command that writes it into a file.
fn kept(facts: &Facts, open: &Opened, step: &Address) -> Option<Output> {
    let mut lines = Vec::new();
    if let Some(diagnosis) = open.diagnoses.get(step) {
        let mut prose = Prose::new(&facts.look, OutputScreen::room(facts).width, LABELS);
        diagnosis::add(&mut prose, facts, diagnosis);
        lines.extend(prose.lines().iter().map(ToString::to_string));
    }
    for (name, text) in words::kept_texts(open, step) {
        lines.push(words::into_a_file(open, &name));
        lines.push(String::new());
        lines.extend(text.lines().map(|line| text::clean(line.as_bytes())));
        lines.push(String::new());
    }
    let total = lines.len();
    (total > 0).then(|| Output::of(Page { step: step.clone(), attempt: 0, from: 0, lines, total }))
}

impl Screen for OutputScreen {
    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        if let (Some(output), view) = self.reads_mut(facts) {
            let room = Self::room(facts);
            view.scroll(lines_of(to, usize::from(room.height)), output, room);
        }
        Vec::new()
    }

    fn title(&self, facts: &Facts) -> String {
        match (&facts.open, &self.step) {
            (Some(open), Some(step)) => format!("output of {}", words::title(&open.runbook, step)),
            _ => "output".to_owned(),
        }
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let look = &facts.look;
        match self.output(facts).filter(|output| !output.is_empty()) {
            Some(output) => {
                let note = self.view.place(output, inside(area));
                let title = match self.is_of_what_is_kept(facts) {
                    true => "Kept".to_owned(),
                    false => format!("Attempt {}", output.attempt),
                };
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

/// A form prints nothing, and keeps nothing but its answers.
pub fn can_show(state: &State) -> Result<(), String> {
    let step = state.board.address(&state.facts).ok_or("choose a step first")?;
    let asks = state.facts.open.as_ref().and_then(|open| open.step(&step)).is_some_and(|step| !step.asks().is_empty());
    if asks { Err("a form has no output".to_owned()) } else { Ok(()) }
}

pub fn can_find(state: &State) -> Result<(), String> {
    match state.output.output(&state.facts).is_some_and(|output| !output.is_empty()) {
        true => Ok(()),
        false => Err("there is no output to look in".to_owned()),
    }
}

/// Was anything looked for, so that there is a next place?
pub fn can_find_again(state: &State) -> Result<(), String> {
    if state.output.view.find.is_empty() { Err("/ finds text first".to_owned()) } else { Ok(()) }
}

/// `F`, on the output and on the board: new lines move the view again, or no more.
pub fn follow(state: &mut State) -> Vec<Effect> {
    let follows = match state.place {
        Place::Output => state.output.follow(&state.facts),
        _ => state.board.follow(&state.facts),
    };
    let said = if follows { "The output follows" } else { "The output stands still" };
    state.say(Said::plain(said));
    Vec::new()
}

//! The runbook: the tree on the left; on the right the chosen step, and below it what it says while it runs.

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::text::Line;

use crate::engagement::{Address, Row, Status};
use crate::runbook::Work;
use crate::ui::effect::Effect;
use crate::ui::facts::{Facts, Opened};
use crate::ui::keys;
use crate::ui::look::Role;
use crate::ui::next::{NextMove, next_move};
use crate::ui::screen::rows::{self, Folds, Node, TreeRow};
use crate::ui::screen::{Move, Screen, content_now, detail, draw_prose};
use crate::ui::widget::popup::{margin, pane};
use crate::ui::widget::prose::Prose;
use crate::ui::widget::{log, tree};

/// Below this width one pane is shown at a time.
const TWO_PANES: u16 = 80;

/// Which pane the keys move in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    #[default]
    Tree,
    Detail,
    Output,
}

/// The runbook screen.
#[derive(Debug, Clone)]
pub struct BoardScreen {
    chosen: Option<Node>,
    folds: Folds,
    pub pane: Pane,
    scroll: usize,
    pub log: log::View,
    /// The cursor goes along with what happens, until a person moves it.
    follow: bool,
}

impl Default for BoardScreen {
    fn default() -> Self {
        BoardScreen {
            chosen: None,
            folds: Folds::default(),
            pane: Pane::Tree,
            scroll: 0,
            log: log::View::default(),
            follow: true,
        }
    }
}

/// Where the panes are in a terminal of some size.
struct Areas {
    tree: Rect,
    detail: Rect,
    output: Rect,
}

impl BoardScreen {
    fn areas(&self, area: Rect) -> Areas {
        if area.width < TWO_PANES {
            let none = Rect { width: 0, height: 0, ..area };
            return match self.pane {
                Pane::Tree => Areas { tree: area, detail: none, output: none },
                Pane::Detail => Areas { tree: none, detail: area, output: none },
                Pane::Output => Areas { tree: none, detail: none, output: area },
            };
        }
        let tree_width = (area.width * 2 / 5).clamp(38, 58);
        let [tree, right] = Layout::horizontal([Constraint::Length(tree_width), Constraint::Fill(1)]).areas(area);
        let share = if area.height < 30 { 60 } else { 55 };
        let [detail, output] = Layout::vertical([Constraint::Percentage(share), Constraint::Fill(1)]).areas(right);
        Areas { tree, detail, output }
    }

    /// The step under the cursor; the first open one of a phase or group.
    pub fn address(&self, facts: &Facts) -> Option<Address> {
        match self.chosen.as_ref()? {
            Node::Step(address) => Some(address.clone()),
            Node::Group(id) => {
                let open = facts.open.as_ref()?;
                let instances: Vec<&Row> = open.board.rows.iter().filter(|row| &row.address.step == id).collect();
                let running = instances.iter().find(|row| matches!(row.status, Status::Running { .. }));
                let unsettled = instances.iter().find(|row| !row.status.settled());
                running.or(unsettled).or(instances.first()).map(|row| row.address.clone())
            }
            Node::Phase(_) => None,
        }
    }

    pub fn node(&self) -> Option<&Node> {
        self.chosen.as_ref()
    }

    pub fn follows(&self) -> bool {
        self.follow
    }

    /// From now on the cursor goes along with what runs, until a person moves it.
    pub fn go_along(&mut self) {
        self.follow = true;
    }

    /// A person reads here: the cursor stays, whatever runs.
    pub fn stay(&mut self) {
        self.follow = false;
    }

    /// Puts the cursor on what runs, when it goes along and stands on something that does not.
    pub fn watch_what_runs(&mut self, facts: &Facts) {
        let Some(open) = facts.open.as_ref().filter(|_| self.follow) else { return };
        let runs = |row: &&Row| matches!(row.status, Status::Running { .. });
        let here = self.address(facts).and_then(|address| open.row(&address).filter(runs));
        if let (None, Some(row)) = (here, open.board.rows.iter().find(runs)) {
            let group = Node::Group(row.address.step.clone());
            // What is folded stays folded: the tree must not grow by itself.
            let node = if row.address.key.is_some() && self.folds.folded(&group) {
                group
            } else {
                Node::Step(row.address.clone())
            };
            self.choose(node);
        }
    }

    /// Puts the cursor on a step, whatever is folded.
    pub fn jump(&mut self, address: &Address) {
        self.folds.set(&Node::Phase(address.step.phase().to_owned()), false);
        if address.key.is_some() {
            self.folds.set(&Node::Group(address.step.clone()), false);
        }
        self.choose(Node::Step(address.clone()));
    }

    /// Turns to the pane of the step, from its top.
    pub fn read(&mut self) {
        (self.pane, self.scroll) = (Pane::Detail, 0);
    }

    /// Puts the cursor on the next thing that somebody can do.
    pub fn jump_to_next(&mut self, facts: &Facts) {
        let Some(open) = &facts.open else { return };
        let next = open.board.next().map(|row| row.address.clone());
        self.follow = true;
        match next {
            Some(address) => self.jump(&address),
            None => {
                if let (Some(first), None) = (rows::rows(open, &self.folds).first(), &self.chosen) {
                    self.choose(first.node.clone());
                }
            }
        }
    }

    fn choose(&mut self, node: Node) {
        if self.chosen.as_ref() != Some(&node) {
            self.scroll = 0;
            self.log = log::View::default();
        }
        self.chosen = Some(node);
    }

    /// The world moved: a cursor on a row that is no more goes to the step it belonged to.
    pub fn known(&mut self, facts: &Facts) {
        let Some(open) = &facts.open else { return };
        let rows = rows::rows(open, &self.folds);
        let there = self.chosen.as_ref().is_some_and(|node| rows.iter().any(|row| &row.node == node));
        if !there {
            let same_step = |row: &&TreeRow| match (&row.node, &self.chosen) {
                (Node::Step(new), Some(Node::Step(old))) => new.step == old.step,
                (Node::Group(new), Some(Node::Step(old))) => new == &old.step,
                (Node::Step(new), Some(Node::Group(old))) => &new.step == old,
                _ => false,
            };
            self.chosen = rows.iter().find(same_step).or(rows.first()).map(|row| row.node.clone());
        }
    }

    pub fn fold(&mut self, folded: Option<bool>) {
        let Some(node) = self.chosen.clone() else { return };
        let node = match (&node, folded) {
            (Node::Step(address), _) if address.key.is_some() => Node::Group(address.step.clone()),
            (Node::Step(address), Some(true) | None) => Node::Phase(address.step.phase().to_owned()),
            (Node::Group(id), Some(true)) if self.folds.folded(&node) => Node::Phase(id.phase().to_owned()),
            _ => node,
        };
        if matches!(node, Node::Step(_)) {
            return;
        }
        let folded = folded.unwrap_or(!self.folds.folded(&node));
        self.folds.set(&node, folded);
        if folded {
            self.choose(node);
        }
    }

    pub fn open_group(&mut self, node: &Node) {
        self.folds.set(node, false);
    }

    /// Puts the cursor on a phase, counted from 1.
    fn phase(&mut self, facts: &Facts, number: usize) {
        let phase = facts.open.as_ref().and_then(|open| open.runbook.phases.get(number.saturating_sub(1)));
        if let Some(phase) = phase {
            self.follow = false;
            self.choose(Node::Phase(phase.id.clone()));
        }
    }

    fn move_in_tree(&mut self, facts: &Facts, open: &Opened, to: Move) {
        let rows = rows::rows(open, &self.folds);
        let at = rows.iter().position(|row| Some(&row.node) == self.chosen.as_ref()).unwrap_or(0);
        let page = usize::from(self.areas(content_now(facts)).tree.height).saturating_sub(3).max(1);
        let last = rows.len().saturating_sub(1);
        let to = match to {
            Move::Left => return self.fold(Some(true)),
            Move::Right => return self.fold(Some(false)),
            to => to.within(at, last, page),
        };
        self.follow = false;
        if let Some(row) = rows.get(to) {
            self.choose(row.node.clone());
        }
    }

    fn scroll_detail(&mut self, facts: &Facts, open: &Opened, to: Move) {
        let room = text_room(self.areas(content_now(facts)).detail);
        let height = usize::from(room.height);
        let Some(node) = &self.chosen else { return };
        let most = detail::prose(facts, open, node, room).height().saturating_sub(height);
        self.scroll = to.within(self.scroll, most, height);
        self.stay();
    }

    fn scroll_output(&mut self, facts: &Facts, open: &Opened, to: Move) {
        let room = self.output_room(facts);
        let Some(output) = self.address(facts).as_ref().and_then(|address| open.output(address)) else { return };
        self.log.scroll(lines_of(to, usize::from(room.height)), output, room);
    }

    fn output_room(&self, facts: &Facts) -> Size {
        text_room(self.areas(content_now(facts)).output)
    }

    /// The output that is on the screen, how it is read, and how many lines of it.
    pub fn shows(&self, facts: &Facts) -> Option<(Address, &log::View, usize)> {
        Some((self.address(facts)?, &self.log, usize::from(self.output_room(facts).height)))
    }

    /// `F`: new lines move the view again, or no more.
    pub fn follow(&mut self, facts: &Facts) -> bool {
        let room = self.output_room(facts);
        let output = self.address(facts).and_then(|address| facts.open.as_ref()?.output(&address));
        self.log.toggle_follow(output, room)
    }
}

/// The room for text in a pane: without its border and margin.
fn text_room(area: Rect) -> Size {
    Size::new(area.width.saturating_sub(4), area.height.saturating_sub(2))
}

/// How far a move goes in text.
pub fn lines_of(to: Move, height: usize) -> isize {
    let page = isize::try_from(height).unwrap_or(1).max(1);
    match to {
        Move::Up => -1,
        Move::Down => 1,
        Move::PageUp => -page,
        Move::PageDown => page,
        Move::First => -isize::MAX / 2,
        Move::Last => isize::MAX / 2,
        Move::Left | Move::Right | Move::Next | Move::Previous => 0,
    }
}

impl Screen for BoardScreen {
    fn on(&mut self, facts: &Facts, key: &KeyEvent) -> Vec<Effect> {
        match keys::types_text(key).and_then(|character| character.to_digit(10)) {
            Some(number) if number > 0 => self.phase(facts, number as usize),
            _ => {}
        }
        Vec::new()
    }

    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let Some(open) = &facts.open else { return Vec::new() };
        match (to, self.pane) {
            (Move::Next, Pane::Tree) | (Move::Previous, Pane::Output) => self.pane = Pane::Detail,
            (Move::Next, Pane::Detail) | (Move::Previous, Pane::Tree) => self.pane = Pane::Output,
            (Move::Next, Pane::Output) | (Move::Previous, Pane::Detail) => self.pane = Pane::Tree,
            (to, Pane::Tree) => self.move_in_tree(facts, open, to),
            (to, Pane::Detail) => self.scroll_detail(facts, open, to),
            (to, Pane::Output) => self.scroll_output(facts, open, to),
        }
        Vec::new()
    }

    fn title(&self, facts: &Facts) -> String {
        facts.open.as_ref().map(|open| open.runbook.id.clone()).unwrap_or_default()
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        let Some(open) = &facts.open else { return };
        let areas = self.areas(area);
        if !areas.detail.is_empty() {
            self.draw_detail(facts, open, frame, areas.detail);
        }
        if !areas.output.is_empty() {
            self.draw_output(facts, open, frame, areas.output);
        }
        if !areas.tree.is_empty() {
            self.draw_tree(facts, open, frame, areas.tree);
        }
    }
}

impl BoardScreen {
    fn draw_tree(&self, facts: &Facts, open: &Opened, frame: &mut Frame, area: Rect) {
        let focused = self.pane == Pane::Tree;
        let tally = &open.board.tally;
        let note = format!("{}/{} done", tally.done, tally.total);
        let inside = pane(frame, &facts.look, area, "Steps", &note, focused);
        let rows = rows::rows(open, &self.folds);
        let at = rows.iter().position(|row| Some(&row.node) == self.chosen.as_ref()).unwrap_or(0);
        let width = usize::from(inside.width);
        let lines: Vec<Line> =
            rows.iter().enumerate().map(|(index, row)| rows::line(facts, row, width, index == at)).collect();
        tree::draw(frame, &facts.look, inside, &lines, at, focused);
    }

    fn draw_detail(&self, facts: &Facts, open: &Opened, frame: &mut Frame, area: Rect) {
        let Some(node) = &self.chosen else { return };
        let (title, note) = detail::heading(open, node);
        let (room, focused) = (text_room(area), self.pane == Pane::Detail);
        let prose = detail::prose(facts, open, node, room);
        let note = detail::note(&note, prose.height() > usize::from(room.height) + self.scroll, focused);
        let inside = pane(frame, &facts.look, area, &title, &note, focused);
        draw_prose(frame, margin(inside), prose, self.scroll);
    }

    fn draw_output(&self, facts: &Facts, open: &Opened, frame: &mut Frame, area: Rect) {
        let look = &facts.look;
        let focused = self.pane == Pane::Output;
        let address = self.address(facts);
        let address = address.as_ref();
        match address.and_then(|address| open.output(address)).filter(|output| !output.is_empty()) {
            Some(output) => {
                let place = self.log.place(output, text_room(area));
                let inside = pane(frame, look, area, "Output", &place, focused);
                log::draw(frame, look, margin(inside), output, &self.log);
            }
            None => {
                let inside = pane(frame, look, area, "Output", "", focused);
                let mut prose = Prose::new(look, margin(inside).width, 0);
                prose.text(&nothing_to_show(open, address), look.style(Role::Muted));
                draw_prose(frame, margin(inside), prose, 0);
            }
        }
    }
}

fn nothing_to_show(open: &Opened, address: Option<&Address>) -> String {
    let attempts = address.and_then(|address| open.engagement.record(address)).map_or(0, |record| record.attempts);
    let work = address.and_then(|address| open.step(address)).map(|step| &step.work);
    match address {
        None => "Choose a step to see its output.".to_owned(),
        Some(_) if matches!(work, Some(Work::Form(_) | Work::Choice(_))) => "A form has no output.".to_owned(),
        Some(_) if matches!(work, Some(Work::Manual(_))) => {
            "What a person does has no output; its evidence is what was signed.".to_owned()
        }
        Some(_) if attempts == 0 => "It has not run yet.".to_owned(),
        Some(_) => "It said nothing.".to_owned(),
    }
}

/// What Enter does on the chosen row, for the first key hint.
pub fn enter_hint(screen: &BoardScreen, facts: &Facts) -> String {
    match (screen.node(), screen.address(facts)) {
        (Some(Node::Step(_)), Some(address)) => next_move(facts, &address).hint().to_owned(),
        (Some(Node::Group(_)), Some(_)) => "go in".to_owned(),
        _ => "fold".to_owned(),
    }
}

/// May Enter do anything here? The reason why not is the answer.
pub fn can_enter(screen: &BoardScreen, facts: &Facts) -> Result<(), String> {
    match (screen.node(), screen.address(facts)) {
        (Some(Node::Step(_)), Some(address)) => {
            let barred = facts.open.as_ref().and_then(Opened::barred);
            match (next_move(facts, &address), barred) {
                (NextMove::Nothing(why), _) => Err(why.to_owned()),
                (next, Some(why)) if !next.only_looks() => Err(why),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

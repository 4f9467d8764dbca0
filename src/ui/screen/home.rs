//! Every engagement, its next step, and who waits for whom.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::engagement::{Wait, by_party, grouped};
use crate::runbook::Party;
use crate::text;
use crate::ui::effect::Effect;
use crate::ui::facts::{EngagementCard, Facts};
use crate::ui::look::{Glyph, Role};
use crate::ui::screen::{Move, Screen, draw_prose};
use crate::ui::state::State;
use crate::ui::widget::popup::pane;
use crate::ui::widget::prose::{Prose, fitted, wrap};
use crate::ui::widget::tree;
use crate::ui::words;

/// Rows of the pane that describes the chosen engagement, with its border, where nothing waits.
const ABOUT_HEIGHT: u16 = 9;
/// Rows of the list that stay, with its border and heading, where many things wait.
const LIST_HEIGHT: u16 = 8;

/// Cells for the labels of that pane.
const LABELS: usize = 12;

/// The list of engagements.
#[derive(Debug, Clone, Default)]
pub struct HomeScreen {
    cursor: usize,
    /// Only those are shown where this party must move.
    only: Option<Party>,
}

impl HomeScreen {
    pub fn chosen<'a>(&self, facts: &'a Facts) -> Option<&'a EngagementCard> {
        let shown = self.shown(facts);
        shown.get(self.cursor.min(shown.len().saturating_sub(1))).copied()
    }

    /// The engagements in the list: those with something overdue first, then the one last touched.
    fn shown<'a>(&self, facts: &'a Facts) -> Vec<&'a EngagementCard> {
        let wanted = |card: &&EngagementCard| self.only.is_none_or(|party| card.moves(party) > 0);
        let mut shown: Vec<&EngagementCard> = facts.cards.iter().filter(wanted).collect();
        shown.sort_by_key(|card| card.overdue(facts.now).is_none());
        shown
    }
}

const PARTIES: [Party; 5] = [Party::Operator, Party::Customer, Party::Aws, Party::Colocation, Party::ThirdParty];

/// The parties that have something to move somewhere.
fn parties(facts: &Facts) -> impl Iterator<Item = Party> {
    PARTIES.into_iter().filter(|party| facts.cards.iter().any(|card| card.moves(*party) > 0))
}

/// Who must move over all engagements: `us 3, customer 2 (1 overdue, oldest 12 d)`.
fn totals(facts: &Facts) -> String {
    let ours = facts.cards.iter().map(|card| card.moves(Party::Operator)).sum::<usize>();
    let waits = facts.cards.iter().flat_map(|card| &card.waits).map(|(_, wait)| wait);
    let others = by_party(waits.filter(|wait| wait.party != Party::Operator), facts.now);
    let ours = (ours > 0).then(|| format!("us {ours}"));
    ours.into_iter().chain(others.iter().map(|sum| sum.said(facts.now))).collect::<Vec<_>>().join(", ")
}

impl Screen for HomeScreen {
    fn go(&mut self, facts: &Facts, to: Move) -> Vec<Effect> {
        let last = self.shown(facts).len().saturating_sub(1);
        self.cursor = to.within(self.cursor, last, 10);
        Vec::new()
    }

    fn title(&self, _facts: &Facts) -> String {
        "engagements".to_owned()
    }

    fn draw(&self, facts: &Facts, frame: &mut Frame, area: Rect) {
        if facts.cards.is_empty() {
            return draw_welcome(facts, frame, area);
        }
        let rows = u16::try_from(self.shown(facts).len() + 3).unwrap_or(u16::MAX);
        let most = area.height.saturating_sub(rows.min(LIST_HEIGHT)).max(ABOUT_HEIGHT);
        let chosen = self.chosen(facts).map(|card| (card, about(facts, card, area.width, usize::from(most) - 2)));
        let height = chosen.as_ref().map_or(0, |(_, prose)| u16::try_from(prose.height() + 2).unwrap_or(most));
        let height = height.clamp(ABOUT_HEIGHT, most);
        let [list, about] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(area);
        let title = match self.only {
            Some(party) => format!("Engagements: {party} must move"),
            None => "Engagements".to_owned(),
        };
        let inside = pane(frame, &facts.look, list, &title, &totals(facts), true);
        let [head, rows] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inside);
        let columns = Columns::of(inside.width);
        frame.render_widget(Span::styled(columns.head(), facts.look.style(Role::Muted)), head);
        let shown = self.shown(facts);
        let cursor = self.cursor.min(shown.len().saturating_sub(1));
        let row = |(index, card): (usize, &&EngagementCard)| columns.row(facts, card, self.only, index == cursor);
        let lines: Vec<Line> = shown.iter().enumerate().map(row).collect();
        tree::draw(frame, &facts.look, rows, &lines, cursor, true);
        if let Some((card, prose)) = chosen {
            let practice = if card.practice { "practice: nothing here is real" } else { "" };
            let inside = pane(frame, &facts.look, about, &card.name, practice, false);
            draw_prose(frame, inside, prose, 0);
        }
    }
}

fn draw_welcome(facts: &Facts, frame: &mut Frame, area: Rect) {
    let inside = pane(frame, &facts.look, area, "Welcome to onramp", "", true);
    let mut prose = Prose::new(&facts.look, inside.width.saturating_sub(2), 0);
    prose.blank();
    prose.indented("  ", "There is no engagement yet.", facts.look.bold());
    prose.blank();
    prose.indented(
        "  ",
        "An engagement is one customer and environment walking the runbook, step by step. It is kept in one file on \
         this machine, so you can stop anywhere and pick up where you were.",
        ratatui::style::Style::new(),
    );
    prose.blank();
    prose.indented("  ", "Press n to begin one. Press ? for help.", facts.look.style(Role::Accent));
    prose.blank();
    prose.indented(
        "  ",
        "To try it without an account, leave with q and start: onramp practice",
        ratatui::style::Style::new(),
    );
    draw_prose(frame, inside, prose, 0);
}

/// Widths of the columns for a terminal width.
struct Columns {
    name: usize,
    bar: usize,
    waits: usize,
    touched: usize,
    next: usize,
}

impl Columns {
    fn of(width: u16) -> Self {
        let width = usize::from(width);
        let (name, bar, waits, touched) = if width >= 100 { (24, 14, 12, 12) } else { (16, 7, 9, 10) };
        let fixed = 4 + name + 1 + bar + 1 + 7 + 1 + waits + 1 + touched + 1;
        Columns { name, bar, waits, touched, next: width.saturating_sub(fixed) }
    }

    fn head(&self) -> String {
        format!(
            "    {} {} {} {} {}",
            fitted("Name", self.name),
            fitted("Progress", self.bar + 8),
            fitted("Who moves", self.waits),
            fitted("Touched", self.touched),
            fitted("Next", self.next)
        )
    }

    fn row(&self, facts: &Facts, card: &EngagementCard, only: Option<Party>, focused: bool) -> Line<'static> {
        let look = &facts.look;
        let (glyph, role) = sign(card);
        let cursor = if focused { look.glyph(Glyph::Cursor) } else { " " };
        let progress = format!("{:>3}/{:<3}", card.tally.done, card.tally.total);
        let touched = card.last.map(|at| words::ago(facts, at)).unwrap_or_default();
        let next = next(facts, card, only);
        Line::from(vec![
            Span::raw(format!("{cursor} ")),
            Span::styled(look.glyph(glyph), look.style(role)),
            Span::raw(" "),
            Span::styled(fitted(&look.text(&card.name), self.name), look.bold()),
            Span::raw(" "),
            Span::raw(bar(facts, card, self.bar)),
            Span::raw(format!(" {} ", fitted(&progress, 7))),
            Span::raw(fitted(&look.text(&card.waits_on), self.waits)),
            Span::raw(" "),
            Span::raw(fitted(&touched, self.touched)),
            Span::raw(" "),
            Span::raw(fitted(&look.text(&next), self.next)),
        ])
    }
}

/// What is next here: trouble, what is overdue, what the chosen party must do, or the next step.
fn next(facts: &Facts, card: &EngagementCard, only: Option<Party>) -> String {
    if let Some(trouble) = &card.trouble {
        return trouble.clone();
    }
    let mut asked = card.waits.iter().filter(|(_, wait)| only == Some(wait.party));
    let late = card.overdue(facts.now).filter(|(_, wait)| only.is_none_or(|party| party == wait.party));
    match late.or_else(|| asked.next()) {
        Some((title, wait)) if wait.due.is_some() => format!("{}: {title}", wait.due_in(facts.now)),
        Some((title, _)) => title.clone(),
        None => card.next.clone(),
    }
}

fn sign(card: &EngagementCard) -> (Glyph, Role) {
    let tally = &card.tally;
    if card.trouble.is_some() || tally.failed > 0 {
        (Glyph::Failed, Role::Failed)
    } else if tally.total > 0 && tally.all_done() {
        (Glyph::Done, Role::Done)
    } else if tally.running > 0 {
        (Glyph::Running, Role::Running)
    } else if tally.person > 0 || tally.ready > 0 {
        (Glyph::Yours, Role::Accent)
    } else if tally.waiting > 0 {
        (Glyph::Waiting, Role::Waiting)
    } else {
        (Glyph::Todo, Role::Muted)
    }
}

fn bar(facts: &Facts, card: &EngagementCard, width: usize) -> String {
    let full = (card.tally.done * width).checked_div(card.tally.total).unwrap_or(0);
    let (done, open) = (facts.look.glyph(Glyph::BarFull), facts.look.glyph(Glyph::BarEmpty));
    done.repeat(full) + &open.repeat(width - full)
}

/// What there is to say of an engagement, in at most `rows` lines of a pane that is `width` cells wide.
fn about<'a>(facts: &'a Facts, card: &EngagementCard, width: u16, rows: usize) -> Prose<'a> {
    let look = &facts.look;
    let plain = ratatui::style::Style::new();
    let mut prose = Prose::new(look, width.saturating_sub(3), LABELS);
    if let Some(trouble) = &card.trouble {
        prose.item(" Trouble", trouble, look.style(Role::Problem));
    }
    prose.item(" Customer", or_dash(&card.customer), plain);
    let place = [&card.environment, &card.account, &card.region];
    let place: Vec<&str> = place.iter().map(|part| part.as_str()).filter(|part| !part.is_empty()).collect();
    prose.item(" Where", or_dash(&place.join("  ")), plain);
    prose.item(" Next", or_dash(&card.next), look.bold());
    prose.item(" Who moves", &who_moves(facts, card), plain);
    prose.item(" Progress", &words::counters(&card.tally, 0), plain);
    if let Some(holder) = &card.held_by {
        prose.item(" Held by", holder, look.style(Role::Waiting));
    }
    if let Some(last) = card.last {
        prose.item(" Touched", &words::moment(facts, last), plain);
    }
    add_waits(facts, card, &mut prose, usize::from(width).saturating_sub(3 + LABELS), rows);
    prose
}

/// Us, and everybody else with how much they have to move.
fn who_moves(facts: &Facts, card: &EngagementCard) -> String {
    let waits = by_party(card.waits.iter().map(|(_, wait)| wait), facts.now);
    let others = waits.iter().map(|sum| sum.said(facts.now));
    let ours = (card.waits_on == "you" || waits.is_empty()).then(|| or_dash(&card.waits_on).to_owned());
    ours.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

/// Every wait, by who must move: for what, on whom, since when, until when; and what they were asked.
fn add_waits(facts: &Facts, card: &EngagementCard, prose: &mut Prose, room: usize, rows: usize) {
    let waits: Vec<(&String, &Wait)> = card.waits.iter().map(|(title, wait)| (title, wait)).collect();
    let count = waits.len();
    for (index, (title, wait)) in grouped(waits, facts.now).into_iter().enumerate() {
        let said = format!("{title}: {}", wait.stands(facts.now));
        let asked = wait.asked().lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let lines = wrap(&facts.look.text(&said), room).len() + usize::from(!asked.is_empty());
        let last = index + 1 == count;
        if prose.height() + lines + usize::from(!last) > rows {
            let more = format!("and {} more: Enter shows them", text::count(count - index, "wait"));
            prose.item("", &more, facts.look.style(Role::Muted));
            return;
        }
        let role = if wait.overdue(facts.now).is_some() { Role::Problem } else { Role::Waiting };
        prose.item(if index == 0 { " Waits on" } else { "" }, &said, facts.look.style(role));
        if !asked.is_empty() {
            prose.item("", &text::clip(&format!("asked: {asked}"), room), ratatui::style::Style::new());
        }
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// `Enter` on the list.
pub fn open(state: &mut State) -> Vec<Effect> {
    match state.home.chosen(&state.facts) {
        Some(card) => {
            let here = state.facts.open.as_ref().is_some_and(|open| open.name == card.name && !open.is_over());
            if here {
                state.show(crate::ui::state::Place::Board);
                return Vec::new();
            }
            vec![Effect::OpenEngagement(card.name.clone())]
        }
        None => Vec::new(),
    }
}

/// `w`: the next party that must move somewhere; after the last of them, everything.
pub fn next_party(state: &mut State) -> Vec<Effect> {
    let parties: Vec<Party> = parties(&state.facts).collect();
    let at = state.home.only.and_then(|only| parties.iter().position(|party| *party == only));
    state.home.only = match (state.home.only, at) {
        (None, _) => parties.first().copied(),
        (Some(_), at) => at.and_then(|at| parties.get(at + 1)).copied(),
    };
    state.home.cursor = 0;
    Vec::new()
}

pub fn can_choose_party(state: &State) -> Result<(), String> {
    let somebody = state.home.only.is_some() || parties(&state.facts).next().is_some();
    if somebody { Ok(()) } else { Err("nobody must move anywhere".to_owned()) }
}

pub fn party_hint(state: &State) -> String {
    state.home.only.map_or_else(|| "who moves".to_owned(), |party| format!("not only {party}"))
}

/// May the chosen engagement be opened?
pub fn can_open(state: &State) -> Result<(), String> {
    let Some(card) = state.home.chosen(&state.facts) else {
        return Err("there is no engagement yet: n begins one".to_owned());
    };
    if let Some(trouble) = &card.trouble {
        return Err(trouble.clone());
    }
    match &state.facts.open {
        Some(open) if open.busy() > 0 && open.along.is_none() && open.name != card.name => {
            Err(format!("steps of {} are still running: stop them first (Ctrl-C)", open.name))
        }
        _ => Ok(()),
    }
}

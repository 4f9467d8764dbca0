//! The tree of the runbook: phases, their steps, and the instances of repeated steps folded under them.

use std::collections::BTreeSet;

use ratatui::text::{Line, Span};

use crate::engagement::{Address, At, FindingKind, Row, Status};
use crate::runbook::{Phase, StepId};
use crate::text;
use crate::ui::facts::{Facts, Opened};
use crate::ui::look::{Glyph, Role};
use crate::ui::widget::badge::{self, Badge};
use crate::ui::widget::prose::{cells, fitted};

/// What a row of the tree stands for; stays the same while the world moves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Phase(String),
    /// All instances of a repeated step.
    Group(StepId),
    Step(Address),
}

/// One row of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeRow {
    pub node: Node,
    pub depth: usize,
    pub title: String,
    pub badge: Badge,
    /// Whether it is folded; nothing for what cannot be folded.
    pub folded: Option<bool>,
    /// How many of its steps are done, `3/7`.
    pub count: Option<String>,
    /// The earliest moment at which something in it that waits is due.
    pub due: Option<At>,
    /// AWS's code, while that holds it up.
    pub held_up: Option<String>,
}

/// What a person opened or closed by hand; everything else folds by itself.
#[derive(Debug, Clone, Default)]
pub struct Folds {
    closed: BTreeSet<Node>,
    opened: BTreeSet<Node>,
}

impl Folds {
    pub fn set(&mut self, node: &Node, folded: bool) {
        let (into, from) =
            if folded { (&mut self.closed, &mut self.opened) } else { (&mut self.opened, &mut self.closed) };
        from.remove(node);
        into.insert(node.clone());
    }

    /// Phases are open until somebody closes them, repeated steps closed until somebody opens them.
    pub fn folded(&self, node: &Node) -> bool {
        match node {
            Node::Phase(_) => self.closed.contains(node),
            Node::Group(_) => !self.opened.contains(node),
            Node::Step(_) => false,
        }
    }
}

/// All visible rows, in the order of the page.
pub fn rows(open: &Opened, folds: &Folds) -> Vec<TreeRow> {
    let mut rows = Vec::new();
    for phase in &open.runbook.phases {
        add_phase(open, folds, phase, &mut rows);
    }
    rows
}

fn add_phase(open: &Opened, folds: &Folds, phase: &Phase, rows: &mut Vec<TreeRow>) {
    let steps: Vec<&Row> = open.board.rows.iter().filter(|row| row.address.step.phase() == phase.id).collect();
    let node = Node::Phase(phase.id.clone());
    let folded = folds.folded(&node);
    rows.push(TreeRow {
        depth: 0,
        title: phase.title.clone(),
        badge: summary(open, &steps),
        folded: Some(folded),
        count: Some(count(&steps)),
        due: due(&steps),
        held_up: None,
        node,
    });
    if folded {
        return;
    }
    for step in &phase.steps {
        let instances: Vec<&Row> = steps.iter().filter(|row| row.address.step == step.id).copied().collect();
        add_step(open, folds, &step.id, &instances, rows);
    }
}

fn add_step(open: &Opened, folds: &Folds, id: &StepId, instances: &[&Row], rows: &mut Vec<TreeRow>) {
    let single = |row: &Row, depth: usize, title: &str| TreeRow {
        node: Node::Step(row.address.clone()),
        depth,
        title: title.to_owned(),
        badge: if row.outdated { badge::OUTDATED } else { badge_of(open, row) },
        folded: None,
        count: None,
        due: due(&[row]),
        held_up: held_up(open, row),
    };
    match instances {
        [] => {}
        [only] if only.address.key.is_none() => rows.push(single(only, 1, &only.title)),
        all => {
            let node = Node::Group(id.clone());
            let folded = folds.folded(&node);
            rows.push(TreeRow {
                depth: 1,
                title: all.first().map(|row| row.title.clone()).unwrap_or_default(),
                badge: summary(open, all),
                folded: Some(folded),
                count: Some(count(all)),
                due: due(all),
                held_up: None,
                node,
            });
            if !folded {
                rows.extend(all.iter().map(|row| single(row, 2, row.address.key.as_deref().unwrap_or_default())));
            }
        }
    }
}

/// What is done, and was found changed when everything was checked again, shows that.
pub fn badge_of(open: &Opened, row: &Row) -> Badge {
    match open.drifted(row).map(|finding| finding.kind) {
        Some(FindingKind::Unknown) => badge::UNKNOWN,
        Some(_) => badge::DRIFTED,
        None => badge::of(&row.status),
    }
}

fn summary(open: &Opened, rows: &[&Row]) -> Badge {
    let worst = badge::worst(rows.iter().map(|row| &row.status));
    if worst.is_some_and(Status::settled) {
        let found = |badge| rows.iter().any(|row| badge_of(open, row) == badge);
        if let Some(badge) = [badge::DRIFTED, badge::UNKNOWN].into_iter().find(|badge| found(*badge)) {
            return badge;
        }
    }
    worst.map_or(Badge { glyph: Glyph::Todo, role: Role::Muted, word: "" }, badge::of)
}

fn due(rows: &[&Row]) -> Option<At> {
    let due = |row: &&Row| match &row.status {
        Status::Waiting(wait) => wait.due,
        _ => None,
    };
    rows.iter().filter_map(due).min()
}

/// The code with which AWS holds up what runs.
fn held_up(open: &Opened, row: &Row) -> Option<String> {
    let progress = open.progress.get(&row.address).filter(|_| matches!(row.status, Status::Running { .. }));
    progress.and_then(|progress| progress.code.clone())
}

fn count(rows: &[&Row]) -> String {
    let needed = rows.iter().filter(|row| row.status != Status::NotNeeded);
    let done = needed.clone().filter(|row| row.status.settled()).count();
    format!("{done}/{}", needed.count())
}

/// Draws one row for a pane of this width: cursor, fold, sign, title, and at the right the word or the count.
pub fn line(facts: &Facts, row: &TreeRow, width: usize, focused: bool) -> Line<'static> {
    let look = &facts.look;
    let cursor = if focused { look.glyph(Glyph::Cursor) } else { " " };
    let fold = match row.folded {
        Some(true) => look.glyph(Glyph::Folded),
        Some(false) => look.glyph(Glyph::Open),
        None => " ",
    };
    let before = format!("{cursor}{fold}{}", " ".repeat(row.depth + 1));
    let overdue = row.due.is_some_and(|due| due < facts.now);
    let after = match (&row.count, overdue) {
        (None, true) => "overdue".to_owned(),
        // An open group shows it where it is.
        (Some(count), true) if row.folded == Some(true) => format!("overdue {count}"),
        (Some(count), _) => count.clone(),
        (None, false) => match &row.held_up {
            Some(code) => text::clip(&look.text(code), width / 2),
            None => word(row, width).to_owned(),
        },
    };
    let room = width.saturating_sub(cells(&before) + 2 + cells(&after) + 2);
    let style = look.style(if overdue && row.count.is_none() { Role::Problem } else { row.badge.role });
    let title_style = match (row.depth, row.badge.role) {
        (0, _) => look.bold(),
        (_, Role::Muted) => style,
        _ => ratatui::style::Style::new(),
    };
    Line::from(vec![
        Span::raw(before),
        Span::styled(look.glyph(row.badge.glyph), style),
        Span::raw(" "),
        Span::styled(fitted(&look.text(&row.title), room), title_style),
        Span::raw(" "),
        Span::styled(after, if row.count.is_some() { look.style(Role::Muted) } else { style }),
        Span::raw(" "),
    ])
}

/// In a narrow tree only what moves or wants something is said in words; the sign says the rest.
fn word(row: &TreeRow, width: usize) -> &'static str {
    let quiet = matches!(row.badge.word, "done" | "blocked" | "not needed" | "skipped");
    match (quiet, width < 44, row.badge.word) {
        (true, true, _) => "",
        (_, true, "needs input") => "input",
        (_, true, "needs approval") => "approve",
        (_, _, word) => word,
    }
}

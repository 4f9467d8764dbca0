//! What is known: the engagements there are, the one that is open, the time, the last thing said.
//!
//! Only `update` changes it, and only by what notices and effects brought back. Screens read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engagement::{
    Address, At, Board, Caller, Engagement, Event as Fact, Finding, FindingKind, Plan, PlanEntry, Recorded, Row,
    RunbookFile, ScopeMode, Status, Tally, Target, UndoPlan, Wait, board, board_within, changes_values, fold, scope,
    waiting, waiting_for_sign_in,
};
use crate::engine::{AheadOf, Broken, Notice, Page, PageAt, Progress, Request};
use crate::runbook::{Party, Runbook, Scope, Step};
use crate::text::Masks;
use crate::ui::diagnosed::{self, Diagnosis};
use crate::ui::look::Look;
pub use crate::ui::said::{Said, Tone};
use crate::ui::widget::log::{Output, PAGE_LINES, View};
use crate::ui::words;

/// Outputs kept in memory; the others are asked for again when somebody looks.
const KEPT_OUTPUTS: usize = 16;

/// One engagement as the list shows it; read from its state file without opening it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EngagementCard {
    pub name: String,
    pub customer: String,
    pub environment: String,
    pub region: String,
    pub account: String,
    /// The customer's short name.
    pub slug: String,
    pub practice: bool,
    /// Title of the next step, or what else is next, in words.
    pub next: String,
    /// Who must move: `you`, `customer`, `AWS`, `onramp`, `nobody`.
    pub waits_on: String,
    /// Everything that waits on somebody, with the step's title: what is due first comes first.
    pub waits: Vec<(String, Wait)>,
    pub tally: Tally,
    /// `user@host`, when somebody holds it now.
    pub held_by: Option<String>,
    pub last: Option<At>,
    /// Why it cannot be opened: a damaged or newer state file.
    pub trouble: Option<String>,
}

impl EngagementCard {
    /// The card of an engagement whose state file could be read.
    pub fn of(engagement: &Engagement, runbook: &Runbook, held_by: Option<String>) -> Self {
        let board = board(engagement, runbook);
        let given = |id: &str| engagement.input(id).map(crate::input::Value::shown).unwrap_or_default();
        let next = board.next();
        EngagementCard {
            name: engagement.identity.name.clone(),
            customer: given("eng.customer_name"),
            environment: given("eng.environment"),
            region: engagement.region().unwrap_or_default(),
            account: engagement.account().unwrap_or_default(),
            slug: given("eng.customer_slug"),
            practice: engagement.identity.practice,
            next: match (board.doubts().next(), words::half_undone(engagement), next) {
                (Some(doubt), _, _) => format!("in doubt: {}", doubt.title),
                (None, Some(undo), _) => undo,
                (None, None, Some(next)) => next.title.clone(),
                (None, None, None) => words::nothing_next(&board),
            },
            waits_on: words::who_moves(next.map(|row| &row.status)),
            waits: waiting(&board).into_iter().map(|(row, wait)| (row.title.clone(), wait.clone())).collect(),
            tally: board.tally,
            held_by,
            last: (engagement.seq > 0).then_some(engagement.at),
            trouble: None,
        }
    }

    /// The wait that is longest over its time.
    pub fn overdue(&self, now: At) -> Option<&(String, Wait)> {
        self.waits.first().filter(|(_, wait)| wait.overdue(now).is_some())
    }

    /// How many steps this party must move; for us, those that a person here, or a run, can move.
    pub fn moves(&self, party: Party) -> usize {
        let waits = self.waits.iter().filter(|(_, wait)| wait.party == party).count();
        let ours = self.tally.person + self.tally.failed + self.tally.ready;
        if party == Party::Operator { waits + ours } else { waits }
    }
}

/// Another edition of the runbook than the one that is walked.
#[derive(Debug, Clone)]
pub struct Edition {
    pub files: Vec<RunbookFile>,
    pub runbook: Arc<Runbook>,
}

/// Everything screens may know.
#[derive(Debug, Clone)]
pub struct Facts {
    pub look: Look,
    practice: bool,
    /// Short name of the customer, where the caller knows it already.
    customer: String,
    /// Minutes to add to UTC for the clock on the screen.
    pub utc_offset: i32,
    pub cards: Vec<EngagementCard>,
    pub open: Option<Opened>,
    pub now: At,
    /// Columns and rows.
    pub size: (u16, u16),
    pub said: Said,
    /// When it was said.
    said_at: At,
}

/// How long news stay, in milliseconds; what they say stands on the board and in the journal too. A problem stays until
/// something else is said.
const NEWS_LAST: i64 = 5_000;

impl Facts {
    pub fn new(look: Look, practice: bool, customer: String, utc_offset: i32) -> Self {
        Facts {
            look,
            practice,
            customer,
            utc_offset,
            cards: Vec::new(),
            open: None,
            now: At::default(),
            size: (80, 24),
            said: Said::default(),
            said_at: At::default(),
        }
    }

    pub fn say(&mut self, said: Said) {
        (self.said, self.said_at) = (said, self.now);
    }

    /// Takes news away that have been read by now.
    pub fn forget_news(&mut self) {
        let old = self.now.0.saturating_sub(self.said_at.0) >= NEWS_LAST;
        if old && self.said.tone != Tone::Bad {
            self.said = Said::default();
        }
    }

    /// Is nothing here real?
    pub fn practice(&self) -> bool {
        self.practice || self.open.as_ref().is_some_and(|open| open.engagement.identity.practice)
    }

    /// What a person types to approve a change: nobody types it by accident.
    pub fn approval_word(&self) -> String {
        if self.practice() {
            return "practice".to_owned();
        }
        let open = self.open.as_ref();
        let slug = open.and_then(|open| open.engagement.input("eng.customer_slug")).map(crate::input::Value::shown);
        let name = || open.map(|open| open.name.clone()).unwrap_or_default();
        slug.or_else(|| Some(self.customer.clone()).filter(|word| !word.is_empty())).unwrap_or_else(name)
    }

    /// The time of day on the wall, `14:02`.
    pub fn clock(&self) -> String {
        let minutes = self.now.0.div_euclid(60_000) + i64::from(self.utc_offset);
        format!("{:02}:{:02}", minutes.div_euclid(60).rem_euclid(24), minutes.rem_euclid(60))
    }
}

/// A plan, and whether it still holds.
#[derive(Debug, Clone)]
pub struct Planned {
    pub plan: Arc<Plan>,
    pub at: At,
    /// Inputs or steps changed since.
    pub stale: bool,
}

/// What taking some steps back would do, as it was when somebody looked.
#[derive(Debug, Clone)]
pub struct UndoPlanned {
    /// Everything, when nothing is named.
    pub targets: Vec<Target>,
    pub plan: Arc<UndoPlan>,
    pub at: At,
}

/// The engagement that is open, as the notices tell it.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What it is called on this machine, which commands take.
    pub name: String,
    /// The command that prints a kept text of it; the text's name comes behind.
    pub printing: String,
    pub runbook: Arc<Runbook>,
    pub engagement: Engagement,
    pub board: Board,
    /// What templates can read now.
    pub scope: Scope,
    outputs: BTreeMap<Address, Output>,
    /// What was asked of an output last, until it comes.
    asked: Option<(Address, u32, PageAt)>,
    /// What holds attempts up that run.
    pub progress: BTreeMap<Address, Progress>,
    pub planned: Option<Planned>,
    pub planning: bool,
    /// The steps that somebody thinks of taking back, and what that would do.
    pub undo_plan: Option<UndoPlanned>,
    /// A run was asked for and has not come to its end.
    pub running: bool,
    /// Who AWS takes us for, or why there is no way to it.
    pub identity: Option<Result<Caller, String>>,
    pub drift: BTreeMap<Address, Finding>,
    /// Forgotten when the step is tried again.
    pub diagnoses: BTreeMap<Address, Diagnosis>,
    /// Somebody else writes it; here it is only read along.
    pub along: Option<Along>,
    /// Another edition of the runbook that could be taken.
    pub other_edition: Option<Edition>,
    /// Why nothing works any more.
    pub broken: Option<Broken>,
    pub closed: bool,
    /// What hides the secrets that the engine knows.
    pub masks: Masks,
}

/// Reading along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Along {
    /// Who holds the engagement, and since when; nobody, once they have let go.
    pub holder: Option<String>,
}

impl Along {
    /// For the top line: that nothing can be changed here, and why in the fewest words.
    pub fn heading(&self) -> String {
        let holder = self.holder.as_deref().map(|holder| holder.split(" (").next().unwrap_or(holder));
        match holder {
            Some(holder) => format!(" READING ALONG: {holder} holds it "),
            None => " READING ALONG: nobody holds it ".to_owned(),
        }
    }

    /// Why nothing can be changed from here.
    pub fn why(&self) -> String {
        match &self.holder {
            Some(holder) => format!("you are reading along; {holder} holds it"),
            None => {
                "you are reading along; nobody holds it now: leave and open it again to go on, where it can be written"
                    .to_owned()
            }
        }
    }
}

impl Opened {
    pub fn new(runbook: Arc<Runbook>, engagement: Engagement) -> Self {
        let mut opened = Opened {
            printing: format!("onramp status {} --value", engagement.identity.name),
            name: engagement.identity.name.clone(),
            board: Board::default(),
            scope: Scope::default(),
            runbook,
            engagement,
            outputs: BTreeMap::new(),
            asked: None,
            progress: BTreeMap::new(),
            planned: None,
            planning: false,
            undo_plan: None,
            running: false,
            identity: None,
            drift: BTreeMap::new(),
            diagnoses: BTreeMap::new(),
            along: None,
            other_edition: None,
            broken: None,
            closed: false,
            masks: Masks::default(),
        };
        opened.work_out();
        opened
    }

    fn work_out(&mut self) {
        self.scope = scope(&self.engagement, &self.runbook, ScopeMode::Real);
        self.board = board_within(&self.engagement, &self.runbook, &self.scope);
    }

    /// Takes one notice in; answers what to say about it.
    pub fn take(&mut self, notice: Notice, now: At) -> Option<Said> {
        match notice {
            Notice::Recorded(recorded) => self.record(&recorded),
            Notice::Output { step, attempt, from, text } => {
                self.output_of(&step, attempt).push(from, &text);
                None
            }
            Notice::Progress { step, now } => {
                match now {
                    Some(progress) => self.progress.insert(step, progress),
                    None => self.progress.remove(&step),
                };
                None
            }
            Notice::Planned(plan) => {
                let said = Said::plain(words::plan_made(&plan));
                self.planned = Some(Planned { plan, at: now, stale: false });
                self.planning = false;
                Some(said)
            }
            Notice::Runbook(edition) => {
                self.other_edition = self.other_edition.take().filter(|other| other.runbook.digest != edition.digest);
                self.runbook = edition;
                self.work_out();
                Some(match self.board.tally.outdated {
                    0 => Said::good("The engagement walks this edition of the runbook now"),
                    outdated => Said::plain(format!(
                        "The engagement walks this edition now; {} would be done otherwise: n goes there in the end",
                        crate::text::count(outdated, "done step")
                    )),
                })
            }
            Notice::UndoPlanned(targets, plan) => {
                let said = Said::plain(format!("Looked what is there: {}", plan.summary()));
                self.undo_plan = Some(UndoPlanned { targets, plan, at: now });
                Some(said)
            }
            Notice::Page(page) => {
                self.page(page);
                None
            }
            Notice::Found(found) => {
                if let Some(hit) = found.hit {
                    self.page(hit.page);
                }
                None
            }
            Notice::NeedsSecrets { missing, ahead_of } => {
                self.running &= !matches!(ahead_of, AheadOf::Run(_));
                Some(Said::plain(format!("{} asked for", crate::text::count(missing.len(), "secret"))))
            }
            Notice::SecretsAtHand | Notice::LoginAsks(_) | Notice::LoginWithdrawn(_) => None,
            Notice::Refused(refusal) => Some(Said::bad(words::refused(&refusal))),
            Notice::Identity(identity) => {
                // Before the region is given there is nothing to be alarmed about.
                let was_out = matches!(self.identity, Some(Err(_))) || self.is_signed_out();
                let said = match &identity {
                    Err(_) if self.engagement.region().is_none() => None,
                    Err(why) => Some(Said::bad(format!("No way to AWS yet: {why}"))),
                    Ok(caller) if was_out => Some(Said::good(format!("Signed in to AWS: {}", caller.said()))),
                    Ok(_) => None,
                };
                self.identity = Some(identity);
                said
            }
            Notice::Idle(summary) => {
                self.running = false;
                Some(words::half_undone(&self.engagement).map_or_else(|| words::idle(&summary), Said::bad))
            }
            Notice::Drift { step, finding } => {
                self.drift.insert(step, finding);
                let done = |row: &&Row| row.touches_world && matches!(row.status, Status::Done { .. });
                let of = self.board.rows.iter().filter(done).count();
                Some(words::drift(&self.drift, of, &self.runbook))
            }
            Notice::Diagnosed(diagnosed) => {
                self.diagnoses.insert(diagnosed.step.clone(), Diagnosis::Told(diagnosed.clone()));
                Some(diagnosed::news(&diagnosed))
            }
            Notice::Undiagnosed(step, refusal) => {
                self.diagnoses.remove(&step);
                Some(Said::bad(refusal.to_string()))
            }
            Notice::HeldBy(holder) => {
                if holder.is_none() {
                    // Whoever ran these steps is gone.
                    self.engagement.interrupt();
                    self.work_out();
                }
                let along = Along { holder };
                let said = along.why();
                self.along = Some(along);
                Some(Said::plain(said))
            }
            Notice::Broken(broken) => {
                self.running = false;
                if self.along.is_none() {
                    // Whatever ran was ended, before its effect or in doubt about it.
                    self.engagement.interrupt();
                    self.work_out();
                }
                self.broken = Some(broken);
                None
            }
            Notice::Closed => {
                self.running = false;
                self.closed = true;
                None
            }
        }
    }

    fn record(&mut self, recorded: &Recorded) -> Option<Said> {
        if recorded.seq <= self.engagement.seq && self.engagement.seq > 0 {
            return None;
        }
        let values = changes_values(&self.engagement, &recorded.event);
        fold(&mut self.engagement, recorded);
        match &recorded.event {
            // What was planned is done now, or would be done otherwise.
            Fact::InputGiven { .. }
            | Fact::InputForgotten { .. }
            | Fact::Concluded { .. }
            | Fact::Done { .. }
            | Fact::Skipped { .. }
            | Fact::HostLeftOut { .. }
            | Fact::HostLetIn { .. }
            | Fact::Undone { .. }
            | Fact::RunbookTaken { .. }
            | Fact::Reopened { .. } => self.plan_is_stale(),
            Fact::AttemptStarted { step, attempt } => {
                self.outputs.insert(step.clone(), Output::new(*attempt));
                self.progress.remove(step);
                self.drift.remove(step);
                self.diagnoses.remove(step);
                self.keep_few_outputs(step);
            }
            _ => {}
        }
        let unfinished = !self.board.tally.all_done();
        match values {
            true => self.work_out(),
            false => self.board = board_within(&self.engagement, &self.runbook, &self.scope),
        }
        if unfinished && self.board.tally.all_done() {
            let steps = crate::text::count(self.board.tally.total, "step");
            let again = if self.along.is_none() { " V checks them again;" } else { "" };
            return Some(Said::good(format!("All {steps} are done.{again} q leaves")));
        }
        words::event(&recorded.event, &self.runbook)
    }

    fn plan_is_stale(&mut self) {
        if let Some(planned) = &mut self.planned {
            planned.stale = true;
        }
    }

    fn output_of(&mut self, step: &Address, attempt: u32) -> &mut Output {
        let output = self.outputs.entry(step.clone()).or_insert_with(|| Output::new(attempt));
        if output.attempt != attempt {
            *output = Output::new(attempt);
        }
        output
    }

    fn keep_few_outputs(&mut self, newest: &Address) {
        while self.outputs.len() > KEPT_OUTPUTS {
            let running =
                |step: &Address| self.board.row(step).is_some_and(|row| matches!(row.status, Status::Running { .. }));
            let Some(oldest) = self.outputs.keys().find(|step| *step != newest && !running(step)).cloned() else {
                return;
            };
            self.outputs.remove(&oldest);
        }
    }

    fn page(&mut self, page: Page) {
        if !page.lines.is_empty() {
            self.asked = None;
        }
        match self.outputs.get_mut(&page.step).filter(|output| output.attempt == page.attempt) {
            Some(output) => output.take(page),
            None => drop(self.outputs.insert(page.step.clone(), Output::of(page))),
        }
    }

    pub fn output(&self, step: &Address) -> Option<&Output> {
        self.outputs.get(step)
    }

    /// This output is on the screen, so many lines of it. Answers what to ask the engine for, so that they are there; each
    /// is asked for once.
    pub fn shows(&mut self, step: &Address, view: &View, height: usize) -> Option<Request> {
        let last = self.engagement.record(step).map_or(0, |record| record.attempts);
        let (attempt, lacks) = match self.outputs.get_mut(step).filter(|output| output.attempt >= last) {
            Some(output) => {
                output.held = !view.follow;
                (output.attempt, output.lacks(view, height))
            }
            None => (last, (last > 0).then_some(PageAt::Last)),
        };
        let wanted = lacks.map(|at| (step.clone(), attempt, at));
        if self.asked == wanted {
            return None;
        }
        self.asked = wanted;
        lacks.map(|at| Request::Page { step: step.clone(), attempt, at, lines: PAGE_LINES })
    }

    #[cfg(test)]
    pub fn forget_output(&mut self, step: &Address) {
        self.outputs.remove(step);
    }

    pub fn step(&self, address: &Address) -> Option<&Step> {
        self.runbook.step(&address.step)
    }

    pub fn row(&self, address: &Address) -> Option<&Row> {
        self.board.row(address)
    }

    pub fn planned_entry(&self, address: &Address) -> Option<&PlanEntry> {
        let planned = self.planned.as_ref().filter(|planned| !planned.stale)?;
        planned.plan.entries.iter().find(|entry| &entry.step == address)
    }

    /// It was done, and was not found so when it was looked at again.
    pub fn drifted(&self, row: &Row) -> Option<&Finding> {
        let found = self.drift.get(&row.address).filter(|_| matches!(row.status, Status::Done { .. }))?;
        (found.kind != FindingKind::Same).then_some(found)
    }

    /// How many were done and are no longer so.
    pub fn drifts(&self) -> usize {
        let gone = |row: &&Row| self.drifted(row).is_some_and(|found| found.kind != FindingKind::Unknown);
        self.board.rows.iter().filter(gone).count()
    }

    /// It was done, and is no longer so, or nobody can tell.
    pub fn is_drift(&self, row: &Row) -> bool {
        self.drifted(row).is_some()
    }

    /// It stands, although its undo was begun.
    pub fn is_half_undone(&self, step: &Address) -> bool {
        self.engagement.half_undone().is_some_and(|(_, left)| left.contains(&step))
    }

    /// The first step that a run stopped at, because nobody has approved its change yet.
    pub fn held(&self) -> Option<&Address> {
        self.board.rows.iter().find(|row| row.status == Status::NeedsApproval).map(|row| &row.address)
    }

    /// To go on with it, it is to be opened again.
    pub fn is_over(&self) -> bool {
        self.closed || self.broken.is_some() || self.let_go()
    }

    /// Reading along has come to its end: whoever held it is gone, and it can be opened to go on.
    pub fn let_go(&self) -> bool {
        self.along.as_ref().is_some_and(|along| along.holder.is_none())
    }

    /// Why nothing can be changed from here, if that is so.
    pub fn barred(&self) -> Option<String> {
        let broken = self.broken.as_ref().map(Broken::said);
        broken.or_else(|| self.along.as_ref().map(Along::why))
    }

    /// Steps that are running now.
    pub fn busy(&self) -> usize {
        self.board.tally.running
    }

    /// Does something wait until somebody has signed in to AWS?
    pub fn is_signed_out(&self) -> bool {
        waiting_for_sign_in(&self.engagement).next().is_some()
    }

    /// The hosts of the world beyond the customer: `000000000000 eu-west-1`, as far as they are given.
    pub fn target(&self) -> String {
        let parts = [self.engagement.account(), self.engagement.region()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

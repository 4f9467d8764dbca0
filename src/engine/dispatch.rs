//! One loop: requests, reports of attempts, the clock. It owns what is true, and it alone appends to the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempt::{Attempt, Job, Report};
use super::clock::Clock;
use super::handle::{Handle, Notice, Page, Request, Summary};
use super::planner;
use super::schedule::{Run, TOGETHER};
use super::start::{self, Prepared};
use crate::action::Worlds;
use crate::engagement::{
    Actor, Address, Board, Command, DoneHow, Event, Evidence, Recorded, Refusal, RunScope, State, Status, board,
    decide,
};
use crate::journal::{DurableIntent, JournalError, Writer};
use crate::runbook::{Runbook, Work};
use crate::text;

/// What an engine needs to begin.
pub struct Settings {
    pub writer: Writer,
    pub runbook: Arc<Runbook>,
    /// The way to AWS and to hosts, real or practice.
    pub worlds: Arc<Worlds>,
    pub actor: Actor,
    pub clock: Clock,
}

/// How often a step that waits on somebody outside is looked at again while the engine is open.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How often output is written and shown.
const FLUSH: Duration = Duration::from_millis(100);

/// Starts the loop on the current tokio runtime. Attempts that a dead process left behind are recorded as cut off first.
///
/// # Errors
/// The state file cannot be written.
pub fn start(settings: Settings) -> Result<Handle, JournalError> {
    let Settings { mut writer, runbook, worlds, actor, clock } = settings;
    let cut: Vec<Event> = writer
        .engagement()
        .steps
        .iter()
        .filter_map(|(step, record)| match &record.state {
            State::Running { attempt, .. } => Some(Event::Stopped {
                step: step.clone(),
                attempt: *attempt,
                why: "onramp ended in the middle of it".to_owned(),
            }),
            _ => None,
        })
        .collect();
    if !cut.is_empty() {
        writer.append(clock.now(), &actor, cut)?;
    }
    let (requests, inbox) = mpsc::unbounded_channel();
    let (reports, reported) = mpsc::channel(256);
    let handle = Handle::new(requests, runbook.clone(), Arc::new(writer.engagement().clone()));
    let board = board(writer.engagement(), &runbook);
    let dispatcher = Dispatcher {
        writer,
        runbook,
        worlds,
        actor,
        clock,
        board,
        readers: Vec::new(),
        since_start: Vec::new(),
        running: BTreeMap::new(),
        run: None,
        undo_queue: Vec::new(),
        output: BTreeMap::new(),
        tasks: JoinSet::new(),
        side: JoinSet::new(),
        reports,
        broken: false,
    };
    tokio::spawn(dispatcher.serve(inbox, reported));
    Ok(handle)
}

struct Running {
    number: u32,
    host: Option<String>,
    cancel: CancellationToken,
}

struct Dispatcher {
    writer: Writer,
    runbook: Arc<Runbook>,
    worlds: Arc<Worlds>,
    actor: Actor,
    clock: Clock,
    board: Board,
    readers: Vec<std_mpsc::Sender<Notice>>,
    /// What was recorded since the handle's snapshot was taken.
    since_start: Vec<Recorded>,
    running: BTreeMap<Address, Running>,
    run: Option<Run>,
    /// Still to be undone, the next one last.
    undo_queue: Vec<Address>,
    /// Output that was not written yet.
    output: BTreeMap<Address, Vec<u8>>,
    tasks: JoinSet<Address>,
    /// Plans, drift reports and questions about the caller: they change nothing.
    side: JoinSet<Notice>,
    reports: mpsc::Sender<(Address, Report)>,
    /// The state file could not be written: nothing starts any more.
    broken: bool,
}

impl Dispatcher {
    async fn serve(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Request>,
        mut reported: mpsc::Receiver<(Address, Report)>,
    ) {
        let worlds = self.worlds.clone();
        self.side.spawn(async move { Notice::Identity(worlds.identity().await) });
        self.close_forms();
        let mut look_again = tokio::time::interval(LOOK_AGAIN);
        look_again.reset();
        let mut flush = tokio::time::interval(FLUSH);
        loop {
            tokio::select! {
                biased;
                request = inbox.recv() => match request {
                    None | Some(Request::Close) => break,
                    Some(request) => self.serve_request(request),
                },
                Some((address, report)) = reported.recv() => self.serve_report(&address, report),
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    // Its last reports may still be in the channel: they come first.
                    while let Ok((address, report)) = reported.try_recv() {
                        self.serve_report(&address, report);
                    }
                    self.attempt_ended(ended);
                }
                Some(notice) = self.side.join_next(), if !self.side.is_empty() => {
                    if let Ok(notice) = notice {
                        self.tell(&notice);
                    }
                }
                _ = flush.tick(), if !self.output.is_empty() => self.flush_output(),
                _ = look_again.tick() => self.look_again(),
            }
        }
        self.close(&mut reported).await;
    }

    fn serve_request(&mut self, request: Request) {
        match request {
            Request::Command(command) => self.command(&command),
            Request::Run(scope) => self.start_run(&scope),
            Request::Undo(steps) => self.start_undo(steps),
            Request::Verify => self.verify(),
            Request::Stop => {
                self.run = None;
                self.undo_queue.clear();
                self.idle_if_done(true);
            }
            Request::Cancel(step) => {
                if let Some(running) = self.running.get(&step) {
                    running.cancel.cancel();
                }
            }
            Request::Plan => {
                let planning = planner::plan(self.writer.engagement().clone(), self.runbook.clone(), self.worlds.clone());
                self.side.spawn(async move { Notice::Planned(Arc::new(planning.await)) });
            }
            Request::Page { step, attempt, from, lines } => self.page(step, attempt, from, lines),
            Request::Subscribe(reader) => {
                // Every reader begins with the handle's snapshot, however late it comes.
                for recorded in &self.since_start {
                    let _ = reader.send(Notice::Recorded(recorded.clone()));
                }
                self.readers.push(reader);
            }
            Request::Close => {}
        }
    }

    fn command(&mut self, command: &Command) {
        match decide(self.writer.engagement(), &self.runbook, command) {
            Ok(events) => {
                if self.append(events) {
                    self.close_forms();
                    self.start_ready();
                }
            }
            Err(refusal) => self.tell(&Notice::Refused(refusal)),
        }
    }

    fn start_run(&mut self, scope: &RunScope) {
        self.run = Some(Run::new(scope, &self.runbook));
        self.start_ready();
        self.idle_if_done(false);
    }

    /// Waiting steps are asked again now and then for as long as the engine is open, also between runs.
    fn look_again(&mut self) {
        let waiting: Vec<Address> = self
            .board
            .rows
            .iter()
            .filter(|row| matches!(row.status, Status::Waiting { .. }) && !self.running.contains_key(&row.address))
            .map(|row| row.address.clone())
            .collect();
        for address in waiting.into_iter().take(TOGETHER.saturating_sub(self.running.len())) {
            self.begin(&address, None, None);
        }
    }

    fn start_ready(&mut self) {
        if self.broken || !self.undo_queue.is_empty() {
            return;
        }
        let Some(run) = &mut self.run else { return };
        let running = self.running.iter().map(|(address, running)| (address.clone(), running.host.clone())).collect();
        let hosts = start::hosts_of(self.writer.engagement(), &self.runbook);
        let next: Vec<(Address, Option<String>)> = run
            .next(&self.board, &running, |address| hosts.get(address).cloned())
            .into_iter()
            .map(|(row, host)| (row.address.clone(), host))
            .collect();
        run.looked_at.extend(next.iter().map(|(address, _)| address.clone()));
        for (address, host) in next {
            self.begin(&address, host, None);
        }
    }

    /// Starts an attempt; one that cannot even be prepared is recorded as failed.
    fn begin(&mut self, address: &Address, host: Option<String>, job: Option<Job>) {
        if self.broken {
            return;
        }
        let number = self.writer.engagement().record(address).map_or(0, |record| record.attempts) + 1;
        let cancel = CancellationToken::new();
        let prepared =
            start::prepare(self.writer.engagement(), &self.runbook, &self.worlds, address, job, self.reports.clone(), cancel.clone());
        let Prepared { action, world, intent, covered, account, waits_on, within, saves, job } = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                let step = address.clone();
                self.append(vec![
                    Event::AttemptStarted { step: step.clone(), attempt: number },
                    Event::Failed { step, attempt: number, failure },
                ]);
                return;
            }
        };
        // Attempts that pick up an earlier change keep its state: a crash now must not hide it.
        let fresh = matches!(job, Job::Full);
        if fresh && !self.append(vec![Event::AttemptStarted { step: address.clone(), attempt: number }]) {
            return;
        }
        self.running.insert(address.clone(), Running { number, host, cancel: cancel.clone() });
        let attempt = Attempt {
            address: address.clone(),
            number,
            action,
            world,
            intent,
            covered,
            account,
            waits_on,
            within,
            saves,
            cancel,
            clock: self.clock.clone(),
            reports: self.reports.clone(),
        };
        let address = address.clone();
        self.tasks.spawn(async move {
            attempt.run(job).await;
            address
        });
    }

    fn serve_report(&mut self, address: &Address, report: Report) {
        match report {
            Report::Record(event, durable) => {
                if self.append(vec![event]) {
                    let _ = durable.send(());
                }
            }
            Report::Intend(intent, durable) => {
                if let Some(intent) = self.intend(address, intent) {
                    let _ = durable.send(intent);
                }
            }
            Report::Output(bytes) => self.output.entry(address.clone()).or_default().extend(bytes),
            Report::Progress(said) => self.tell(&Notice::Progress { step: address.clone(), said }),
        }
    }

    fn attempt_ended(&mut self, ended: Result<Address, tokio::task::JoinError>) {
        self.flush_output();
        match ended {
            Ok(address) => {
                if let Some(running) = self.running.remove(&address) {
                    self.finish_output(&address, running.number);
                }
            }
            Err(error) => {
                // A panic in an action: the step is treated like one that was cut off by a crash.
                tracing::error!(%error, "an attempt ended unexpectedly");
                let known: Vec<Address> = self.running.keys().cloned().collect();
                for step in known {
                    if self.tasks.is_empty() {
                        let why = "onramp failed in the middle of it".to_owned();
                        let attempt = self.running.remove(&step).map_or(0, |running| running.number);
                        self.append(vec![Event::Stopped { step, attempt, why }]);
                    }
                }
            }
        }
        self.close_forms();
        self.undo_next();
        self.start_ready();
        self.idle_if_done(false);
    }

    fn idle_if_done(&mut self, stopped: bool) {
        if self.running.is_empty() && (self.run.is_some() || stopped) && self.undo_queue.is_empty() {
            self.run = None;
            self.tell(&Notice::Idle(Summary { tally: self.board.tally, stopped }));
        }
    }

    /// A form is done when the last of its inputs is given.
    fn close_forms(&mut self) {
        loop {
            let given: Vec<Event> = self
                .board
                .rows
                .iter()
                .filter(|row| row.status == Status::Ready)
                .filter(|row| {
                    let step = self.runbook.step(&row.address.step);
                    step.is_some_and(|step| matches!(step.work, Work::Form(_) | Work::Choice(_)))
                })
                .map(|row| Event::Done {
                    step: row.address.clone(),
                    attempt: 0,
                    how: DoneHow::Given,
                    evidence: Evidence::said("all its inputs are given"),
                    kept: Vec::new(),
                })
                .collect();
            if given.is_empty() || !self.append(given) {
                return;
            }
        }
    }

    fn start_undo(&mut self, steps: Vec<Address>) {
        let ledger: Vec<Address> =
            self.writer.engagement().ledger().into_iter().map(|(step, _)| step.clone()).collect();
        let mut queue: Vec<Address> = ledger.into_iter().filter(|step| steps.is_empty() || steps.contains(step)).collect();
        if let Some((step, user)) = start::still_used(self.writer.engagement(), &self.runbook, &queue) {
            self.tell(&Notice::Refused(Refusal {
                why: format!("{step} is still used by {user}"),
                advice: format!("Undo {user} first, or both together"),
            }));
            return;
        }
        queue.reverse();
        self.undo_queue = queue;
        self.run = Some(Run::default());
        self.undo_next();
        self.idle_if_done(false);
    }

    /// One at a time, newest first; a failed undo ends the queue, because older things may hang on it.
    fn undo_next(&mut self) {
        if !self.running.is_empty() || self.undo_queue.is_empty() {
            return;
        }
        let Some(step) = self.undo_queue.pop() else { return };
        let made = self.writer.engagement().record(&step).and_then(|record| record.made.clone());
        if let Some(made) = made {
            self.begin(&step, None, Some(Job::Undo { made: made.output }));
        }
        if !self.running.contains_key(&step) {
            self.undo_queue.clear();
        }
        if self.undo_queue.is_empty() {
            // The run ends when the last undo does; nothing is started again behind it.
            self.run = Some(Run::new(&RunScope::Only(step), &self.runbook));
        }
    }

    fn verify(&mut self) {
        let drift = planner::drift(self.writer.engagement(), &self.runbook, &self.worlds, &self.reports);
        for line in drift {
            self.side.spawn(line);
        }
    }

    fn page(&mut self, step: Address, attempt: u32, from: usize, lines: usize) {
        self.flush_output();
        if let Ok(found) = self.writer.page(&step, attempt, from, lines) {
            let lines = found.lines.iter().map(|line| text::clean(line)).collect();
            self.tell(&Notice::Page(Page { step, attempt, from: found.from, lines, total: found.total }));
        }
    }

    fn flush_output(&mut self) {
        for (step, bytes) in std::mem::take(&mut self.output) {
            let Some(attempt) = self.running.get(&step).map(|running| running.number) else { continue };
            if let Err(error) = self.writer.output(&step, attempt, &bytes) {
                return self.fall_silent(&error);
            }
            self.tell(&Notice::Output { step, attempt, text: text::clean(&bytes) });
        }
    }

    fn finish_output(&mut self, step: &Address, attempt: u32) {
        if let Err(error) = self.writer.finish_output(step, attempt) {
            self.fall_silent(&error);
        }
    }

    /// Makes events durable and tells everybody; false when the state file can no longer be written.
    fn append(&mut self, events: Vec<Event>) -> bool {
        if self.broken {
            return false;
        }
        if events.is_empty() {
            return true;
        }
        match self.writer.append(self.clock.now(), &self.actor, events) {
            Ok(recorded) => {
                self.board = board(self.writer.engagement(), &self.runbook);
                for one in recorded {
                    self.tell(&Notice::Recorded(one.clone()));
                    self.since_start.push(one);
                }
                true
            }
            Err(error) => {
                self.fall_silent(&error);
                false
            }
        }
    }

    fn intend(&mut self, address: &Address, intent: crate::engagement::Intent) -> Option<DurableIntent> {
        if self.broken {
            return None;
        }
        match self.writer.intend(self.clock.now(), &self.actor, address, intent) {
            Ok((recorded, intent)) => {
                self.board = board(self.writer.engagement(), &self.runbook);
                self.tell(&Notice::Recorded(recorded.clone()));
                self.since_start.push(recorded);
                Some(intent)
            }
            Err(error) => {
                self.fall_silent(&error);
                None
            }
        }
    }

    /// Nothing may be done that cannot be recorded: running attempts are cut off before their next effect.
    fn fall_silent(&mut self, error: &JournalError) {
        self.broken = true;
        self.run = None;
        self.undo_queue.clear();
        for running in self.running.values() {
            running.cancel.cancel();
        }
        self.tell(&Notice::Broken(error.to_string()));
    }

    fn tell(&mut self, notice: &Notice) {
        self.readers.retain(|reader| reader.send(notice.clone()).is_ok());
    }

    /// Lets running attempts come to an end: probes are cut off, changes are waited for.
    async fn close(mut self, reported: &mut mpsc::Receiver<(Address, Report)>) {
        self.run = None;
        self.undo_queue.clear();
        for running in self.running.values() {
            running.cancel.cancel();
        }
        while !self.tasks.is_empty() {
            tokio::select! {
                biased;
                Some((address, report)) = reported.recv() => self.serve_report(&address, report),
                Some(ended) = self.tasks.join_next() => {
                    while let Ok((address, report)) = reported.try_recv() {
                        self.serve_report(&address, report);
                    }
                    if let Ok(address) = ended && let Some(running) = self.running.remove(&address) {
                        self.flush_output();
                        self.finish_output(&address, running.number);
                    }
                }
            }
        }
        self.worlds.close().await;
        self.tell(&Notice::Closed);
    }
}

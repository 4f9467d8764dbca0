//! One loop: requests, reports of attempts, the clock. It owns what is true, and through it alone the journal grows.

mod attempts;
mod logins;
mod output;
mod secrets;
mod sign_in;
mod taking_back;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::DropGuard;

use self::attempts::Running;
use super::attempt::{Job, Report};
use super::clock::{Clock, noise};
use super::diagnosis;
use super::handle::{AheadOf, Handle, Notice, Request, Summary};
use super::library::Library;
use super::planner;
use super::polling::{self, Polling};
use super::recorder::Recorder;
use super::schedule::{Free, Run, steps_of};
use super::start as starting;
use super::unasked;
use super::undoing::{self, Undoing};
use crate::action::{Failure, Worlds};
use crate::engagement::{Actor, Address, Command, Event, Refusal, Row, RunScope, RunbookFile, State, decide, update};
use crate::journal::{JournalError, Writer};
use crate::runbook::Runbook;

/// What an engine needs to begin.
pub struct Settings {
    pub writer: Writer,
    pub runbook: Arc<Runbook>,
    /// The way to AWS and to hosts, real or practice.
    pub worlds: Arc<Worlds>,
    pub actor: Actor,
    pub clock: Clock,
}

/// How often output is written and shown; and how much of one step may wait for that.
const FLUSH: Duration = Duration::from_millis(100);
const WAITING_OUTPUT: usize = 64 * 1024;

/// Starts the loop on the current tokio runtime. Attempts that a dead process left behind are recorded as cut off first.
///
/// # Errors
/// The state file cannot be written.
pub fn start(settings: Settings) -> Result<Handle, JournalError> {
    let Settings { mut writer, runbook, worlds, actor, clock } = settings;
    let cut = |(step, record): (&Address, &crate::engagement::StepRecord)| match &record.state {
        State::Running { attempt, .. } => Some(stopped(step, *attempt, "onramp ended in the middle of it")),
        _ => None,
    };
    let cut: Vec<Event> = writer.engagement().steps.iter().filter_map(cut).collect();
    if !cut.is_empty() {
        writer.append(clock.now(), &actor, cut)?;
    }
    let (requests, inbox) = mpsc::unbounded_channel();
    let (reports, reported) = mpsc::channel(256);
    let masks = worlds.vault().masks().clone();
    let engagement = Arc::new(writer.engagement().clone());
    let (name, greeting) = (writer.name(), writer.greeting());
    let handle = Handle::new(name, requests, runbook.clone(), engagement, greeting, masks.clone());
    let library = Library::new(runbook.clone());
    let logins = logins::Logins::of(&worlds);
    let dispatcher = Dispatcher {
        book: Recorder::new(writer, runbook.clone(), actor, clock.clone(), masks),
        runbook,
        worlds,
        clock,
        running: BTreeMap::new(),
        going: Going::Nothing,
        tasks: JoinSet::new(),
        side: JoinSet::new(),
        searches: JoinSet::new(),
        finding: None,
        secrets: secrets::Secrets::default(),
        logins,
        signing: sign_in::SignIn::default(),
        reports,
        polling: Polling::default(),
        library,
    };
    tokio::spawn(dispatcher.serve(inbox, reported));
    Ok(handle)
}

fn stopped(step: &Address, attempt: u32, why: &str) -> Event {
    Event::Stopped { step: step.clone(), attempt, why: why.to_owned() }
}

/// What the engine is about.
enum Going {
    Nothing,
    Run(Run),
    Undo(Undoing),
    /// Nothing new is started; what is running ends.
    Stopping,
}

struct Dispatcher {
    book: Recorder,
    runbook: Arc<Runbook>,
    worlds: Arc<Worlds>,
    clock: Clock,
    running: BTreeMap<Address, Running>,
    going: Going,
    tasks: JoinSet<()>,
    /// Plans and drift reports: they change nothing.
    side: JoinSet<Notice>,
    /// Searches in output, and what ends the one that somebody waits for.
    searches: JoinSet<Option<Notice>>,
    finding: Option<DropGuard>,
    secrets: secrets::Secrets,
    logins: logins::Logins,
    signing: sign_in::SignIn,
    reports: mpsc::Sender<(Address, Report)>,
    polling: Polling,
    library: Library,
}

impl Dispatcher {
    async fn serve(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Request>,
        mut reported: mpsc::Receiver<(Address, Report)>,
    ) {
        self.begin_sign_in();
        self.keep_up();
        let mut look_again = tokio::time::interval(polling::TICK);
        look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut flush = tokio::time::interval(FLUSH);
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = true;
        while open || !self.running.is_empty() {
            tokio::select! {
                request = inbox.recv(), if open => match request {
                    None | Some(Request::Close) => {
                        open = false;
                        self.stop();
                    }
                    Some(request) => self.take_request(request).await,
                },
                Some(first) = reported.recv() => self.serve_reports(Some(first), &mut reported),
                Some(first) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => {
                    let others = std::iter::from_fn(|| self.tasks.try_join_next_with_id());
                    let ended = std::iter::once(first).chain(others).collect();
                    // Their last reports are in the channel: they come first.
                    self.serve_reports(None, &mut reported);
                    self.attempts_ended(ended);
                }
                Some(notice) = self.side.join_next(), if !self.side.is_empty() => {
                    if let Ok(notice) = notice {
                        self.book.tell(&notice);
                    }
                }
                Some(found) = self.searches.join_next(), if !self.searches.is_empty() => {
                    if let Ok(Some(notice)) = found {
                        self.book.tell(&notice);
                    }
                }
                Some(done) = self.secrets.errand_done() => self.take_errand(done),
                call = self.logins.next() => self.take_login(call),
                known = self.signing.known() => self.take_known(known),
                _ = flush.tick(), if !self.running.is_empty() => self.flush_output(),
                _ = look_again.tick(), if open => {
                    self.book.look_where_it_stands();
                    self.watch_session();
                    self.look_again();
                }
            }
            self.hush_if_broken();
        }
        self.worlds.close().await;
        self.book.close();
    }

    fn serve_request(&mut self, request: Request) {
        match request {
            Request::Command(command) => self.command(&command),
            Request::Run(scope) => self.start_run(&scope),
            Request::Undo(steps) => self.start_undo(&steps),
            Request::Update { edition, files } => self.update(edition, &files),
            Request::UndoPlan(steps) => {
                let engagement = self.book.engagement().clone();
                let sight = self.sight_for_undo();
                self.side.spawn(undoing::plan(engagement, sight, self.worlds.clone(), steps, self.clock.now()));
            }
            Request::Adopt { step, id, reason } => self.adopt(&step, id, reason),
            Request::Verify => self.seek_secrets_for_checks(),
            Request::Diagnose(step) => self.diagnose(step),
            Request::Stop => self.stop(),
            Request::Cancel(step) => self.cancel(&step),
            Request::Plan | Request::Rehearse => {
                let engagement = self.book.engagement().clone();
                let rehearse = matches!(request, Request::Rehearse);
                let planning = planner::plan(engagement, self.book.sight(), self.worlds.clone(), rehearse);
                self.side.spawn(async move { Notice::Planned(Arc::new(planning.await)) });
            }
            Request::Page { step, attempt, at, lines } => {
                self.flush_output();
                self.book.page(step, attempt, at, lines);
            }
            Request::Find(wanted) => self.find(wanted),
            Request::StopFinding => self.finding = None,
            Request::SeekSecrets(scope) => self.seek_secrets(&scope, AheadOf::Approval(scope.clone())),
            Request::Secrets(said) => self.take_secrets(said),
            Request::LoginAnswers { number, answers } => self.logins.answer(number, answers),
            Request::KeepSecret { input, store, text } => self.keep_secret(input, store, text),
            Request::Subscribe(reader) => self.book.subscribe(reader, self.logins.open()),
            Request::Close | Request::SignIn => {}
        }
    }

    fn command(&mut self, command: &Command) {
        let events = match decide(self.book.engagement(), &self.runbook, command) {
            Ok(events) => events,
            Err(refusal) => return self.book.tell(&Notice::Refused(refusal)),
        };
        if events.is_empty() {
            return;
        }
        let spoken_of: Vec<Address> = events.iter().flat_map(steps_of).cloned().collect();
        if !self.book.append(events) {
            return self.book.tell_broken();
        }
        spoken_of.iter().for_each(|step| self.polling.soon(step));
        let mut welcome = spoken_of;
        for (step, running) in self.running.iter_mut().filter(|(_, running)| running.poll) {
            running.void = true;
            running.stop.cancel();
            welcome.push(step.clone());
        }
        if let Going::Run(run) = &mut self.going {
            welcome.iter().for_each(|step| run.welcome(step));
        }
        self.go_on();
    }

    fn start_run(&mut self, scope: &RunScope) {
        if self.book.is_broken() {
            return self.book.tell_broken();
        }
        if let RunScope::Until(step) | RunScope::Only(step) = scope
            && self.runbook.step(&step.step).is_none()
        {
            let why = format!("this runbook has no step \"{}\"", step.step);
            return self.refuse(why, "onramp status NAME lists them all");
        }
        if matches!(self.going, Going::Undo(_)) {
            return self.refuse("something is being undone", "Wait until it ends, or stop it");
        }
        if self.has_account() {
            self.go_on_signed_in();
        }
        self.seek_secrets(scope, AheadOf::Run(scope.clone()));
    }

    fn begin_run(&mut self, scope: &RunScope) {
        self.going = Going::Run(Run::new(scope, &self.runbook));
        self.go_on();
    }

    fn refuse(&mut self, why: impl Into<String>, advice: impl Into<String>) {
        self.book.tell(&Notice::Refused(Refusal::new(why, advice)));
    }

    /// For what was tried and did not go: what happened, and what that means.
    fn refuse_for(&mut self, failure: Failure) {
        let Failure { what, meaning, advice, .. } = failure;
        let meaning = meaning.trim_end_matches('.');
        self.refuse(if meaning.is_empty() { what } else { format!("{what}: {meaning}") }, advice);
    }

    /// Does what comes next: closes forms, undoes, starts, or says that there is nothing left to start.
    fn go_on(&mut self) {
        self.keep_up();
        match &self.going {
            Going::Nothing | Going::Stopping => {}
            Going::Run(_) => self.start_ready(),
            Going::Undo(_) => self.undo_next(),
        }
        if !self.running.is_empty() || self.book.is_broken() || self.is_paused() {
            return;
        }
        let stopped = match &self.going {
            Going::Nothing => return,
            Going::Undo(_) | Going::Run(_) => false,
            Going::Stopping => true,
        };
        self.going = Going::Nothing;
        let tally = self.book.board().tally;
        self.book.tell(&Notice::Idle(Summary { tally, stopped }));
    }

    /// Waiting steps are asked again now and then for as long as the engine is open, also between runs.
    fn look_again(&mut self) {
        if matches!(self.going, Going::Undo(_) | Going::Stopping) || self.book.is_broken() || self.is_signing_in() {
            return;
        }
        let board = self.book.board();
        let free = Free::beside(self.running.values().map(|running| running.host.as_ref())).others;
        for step in self.polling.due(&board, self.clock.peek(), free, noise) {
            if !self.running.contains_key(&step)
                && let Job::Poll { wait, .. } = starting::job_for(self.book.engagement(), &step)
            {
                self.begin(&step, None, Job::Poll { wait, unasked: true });
            }
        }
    }

    fn start_ready(&mut self) {
        let Going::Run(run) = &mut self.going else { return };
        let free = Free::beside(self.running.values().map(|running| running.host.as_ref()));
        if self.book.is_broken() || free.is_none() {
            return;
        }
        let busy: BTreeSet<String> = self.running.values().filter_map(|running| running.host.clone()).collect();
        let (board, sight) = (self.book.board(), self.book.sight());
        let next = run.next(&board, |step| self.running.contains_key(step), free, busy, |step| sight.host_of(step));
        for (row, _) in &next {
            run.begun(row);
        }
        let job = |row: &Row| starting::job_for(self.book.engagement(), &row.address);
        let starts = next.into_iter().map(|(row, host)| (row.address.clone(), host, job(row))).collect();
        self.begin_all(starts);
    }

    /// What follows by itself from what is known.
    fn keep_up(&mut self) {
        loop {
            let closed = unasked::closed(&self.runbook, &self.book.board());
            if closed.is_empty() || !self.book.append(closed) {
                break;
            }
        }
        let board = self.book.board();
        let asked = unasked::asked(self.book.engagement(), &self.runbook, &board);
        self.book.append(asked);
    }

    /// Nothing new is started. Looks and waits end at once, changes when they are made.
    fn stop(&mut self) {
        self.signing.forget_behind();
        self.going = Going::Stopping;
        for running in self.running.values() {
            running.stop.cancel();
        }
        self.go_on();
    }

    fn update(&mut self, edition: Arc<Runbook>, files: &[RunbookFile]) {
        if self.book.is_broken() {
            return self.book.tell_broken();
        }
        if self.running.values().any(|running| !running.poll) || !matches!(self.going, Going::Nothing) {
            return self.refuse("something is running", "Stop it first, then update the runbook");
        }
        let events = match update(self.book.engagement(), &self.runbook, &edition, files) {
            Ok(events) => events,
            Err(refusal) => return self.book.tell(&Notice::Refused(refusal)),
        };
        if !self.book.append(events) {
            return;
        }
        // What they were asked may be another question now.
        for running in self.running.values_mut() {
            running.void = true;
            running.stop.cancel();
        }
        self.runbook = edition.clone();
        self.library.turn_to(edition.clone());
        self.book.turn_to(edition);
        self.go_on();
    }

    fn verify(&mut self) {
        let board = self.book.board();
        let sight = self.book.sight();
        let drift = planner::drift(self.book.engagement(), &sight, &self.worlds, &board);
        for line in drift {
            self.side.spawn(line);
        }
    }

    fn diagnose(&mut self, step: Address) {
        let engagement = self.book.engagement().clone();
        let asking = diagnosis::diagnose(engagement, self.book.sight(), self.worlds.clone(), step.clone());
        self.side.spawn(async move {
            match asking.await {
                Ok(diagnosed) => Notice::Diagnosed(Box::new(diagnosed)),
                Err(refusal) => Notice::Undiagnosed(step, refusal),
            }
        });
    }
}

//! Attempts: how one is begun, what it reports while it runs, how it ends.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Dispatcher, Going, WAITING_OUTPUT, stopped};
use crate::action::Teller;
use crate::engagement::{Address, Event, Failure, waiting_for_sign_in};
use crate::engine::attempt::{Attempt, Job, Report};
use crate::engine::handle::Notice;
use crate::engine::sight::Sight;
use crate::engine::start::{self, Prepared};
use crate::journal::DurableIntent;
use crate::text::Cleaner;

/// Reports that are taken at once, at most.
const MOST_TOGETHER: usize = 512;

/// What has to become durable, and who waits for it.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    answers: Vec<Answer>,
}

/// Nobody is answered before it is durable.
enum Answer {
    Recorded(oneshot::Sender<()>),
    Intended(oneshot::Sender<DurableIntent>),
}

/// An attempt that can be started as soon as its beginning is durable.
struct Ready {
    attempt: Attempt,
    job: Job,
    forwarding: Option<Forwarding>,
    running: Running,
}

/// What an attempt writes and says on its way to whoever reads it.
struct Forwarding {
    output: JoinHandle<()>,
    holdups: JoinHandle<()>,
}

/// An attempt under way.
pub(super) struct Running {
    /// None until it is started.
    pub(super) task: Option<Id>,
    pub(super) number: u32,
    pub(super) host: Option<String>,
    /// What an approval has to say of the step to cover it.
    pub(super) planned: Option<String>,
    /// One look at a step that waits: it may be going on at any time, and holds nobody up.
    pub(super) poll: bool,
    /// What it was asked no longer counts: what it says is dropped.
    pub(super) void: bool,
    /// Ends looks and waits at once.
    pub(super) stop: CancellationToken,
    /// Cuts a change off, too.
    pub(super) cancel: CancellationToken,
    /// Output that was not written yet, and what makes it fit to be seen.
    pub(super) output: Vec<u8>,
    pub(super) cleaner: Cleaner,
}

impl Dispatcher {
    /// Starts an attempt; one that cannot even be prepared is recorded as failed.
    pub(super) fn begin(&mut self, address: &Address, host: Option<String>, job: Job) {
        self.begin_all(vec![(address.clone(), host, job)]);
    }

    /// Starts attempts, with one event each, all of them durable at once.
    pub(super) fn begin_all(&mut self, starts: Vec<(Address, Option<String>, Job)>) {
        if self.book.is_broken() {
            return;
        }
        let (mut started, mut ready) = (Vec::new(), Vec::new());
        for (address, host, job) in starts {
            // A poll leaves the step waiting, and an undo what is done as it is, until there is something to say.
            let silent = matches!(job, Job::Poll { .. } | Job::Undo { .. } | Job::UndoAgain { .. } | Job::Adopt { .. });
            let Some(attempt) = self.make_ready(&address, host, job) else { continue };
            if !silent {
                started.push(Event::AttemptStarted { step: address, attempt: attempt.running.number });
            }
            ready.push(attempt);
        }
        if self.book.append(started) {
            ready.into_iter().for_each(|attempt| self.launch(attempt));
        }
    }

    fn launch(&mut self, Ready { attempt, job, forwarding, mut running }: Ready) {
        let address = attempt.address.clone();
        let task = self.tasks.spawn(async move {
            attempt.run(job).await;
            // Nothing of it is lost: what it wrote has been handed over when the task ends.
            if let Some(Forwarding { output, holdups }) = forwarding {
                holdups.abort();
                let _ = output.await;
            }
        });
        running.task = Some(task.id());
        self.running.insert(address, running);
    }

    fn make_ready(&mut self, address: &Address, host: Option<String>, job: Job) -> Option<Ready> {
        let number = start::next_attempt(self.book.engagement(), address);
        let (stop, cancel) = (CancellationToken::new(), CancellationToken::new());
        let poll = matches!(job, Job::Poll { .. });
        // The output of polls is not kept: they may go on for weeks.
        let (output, teller, forwarding) = match poll {
            true => (start::drop_output(), Teller::default(), None),
            false => {
                let (reports, masks) = (self.reports.clone(), self.worlds.vault().masks().clone());
                let (output, written) = start::forward_output(address, reports.clone(), masks);
                let (teller, holdups) = start::forward_holdups(address, reports, self.clock.clone(), output.clone());
                (output, teller, Some(Forwarding { output: written, holdups }))
            }
        };
        let engagement = self.book.engagement();
        let made_otherwise = self.library.made_otherwise(engagement, address);
        let sight = if job.takes_back() { self.sight_for_undo() } else { self.book.sight() };
        let engagement = self.book.engagement();
        let prepared = start::prepare(engagement, &sight, &self.worlds, address, &job, output, cancel.clone());
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                self.not_begun(address, number, &job, failure);
                return None;
            }
        };
        let Prepared { action, world, intent, planned, account, waits_on, within, saves, found_how, undo_until } =
            prepared;
        let attempt = Attempt {
            address: address.clone(),
            number,
            action,
            world: world.telling(teller),
            intent,
            account,
            waits_on,
            within,
            saves,
            found_how,
            made_otherwise,
            undo_until,
            stop: stop.clone(),
            clock: self.clock.clone(),
            reports: self.reports.clone(),
        };
        let (task, void, output, cleaner) = (None, false, Vec::new(), Cleaner::default());
        let running = Running { task, number, host, planned, poll, void, stop, cancel, output, cleaner };
        Some(Ready { attempt, job, forwarding, running })
    }

    /// What the edition by which things are taken back says.
    pub(super) fn sight_for_undo(&mut self) -> Arc<Sight> {
        let runbook = self.library.for_undo(self.book.engagement());
        if Arc::ptr_eq(&runbook, &self.runbook) {
            return self.book.sight();
        }
        Arc::new(Sight::new(self.book.engagement(), runbook))
    }

    fn not_begun(&mut self, address: &Address, number: u32, job: &Job, failure: Failure) {
        match job {
            // It goes on waiting; the next run says what is missing.
            Job::Poll { .. } => {
                tracing::warn!(step = %address, why = failure.what, "a waiting step could not be looked at")
            }
            Job::Undo { .. } | Job::UndoAgain { .. } => {
                self.refuse(format!("{address} cannot be undone: {}", failure.what), failure.advice)
            }
            Job::Adopt { .. } => self.refuse_for(failure),
            Job::Full | Job::Verify | Job::Recover { .. } | Job::LookFor { .. } => {
                let step = address.clone();
                let started = Event::AttemptStarted { step: step.clone(), attempt: number };
                self.book.append(vec![started, Event::Failed { step, attempt: number, failure }]);
            }
        }
    }

    /// What attempts report, as much of it as is there now. What has to be durable becomes so in one go, and nobody goes on
    /// before.
    pub(super) fn serve_reports(
        &mut self,
        first: Option<(Address, Report)>,
        reported: &mut mpsc::Receiver<(Address, Report)>,
    ) {
        let mut batch = Batch::default();
        let more = std::iter::from_fn(|| reported.try_recv().ok());
        for (address, report) in first.into_iter().chain(more).take(MOST_TOGETHER) {
            self.serve_report(&address, report, &mut batch);
        }
        let Some(intents) = self.book.commit(batch.events) else { return };
        let mut intents = intents.into_iter();
        for answer in batch.answers {
            // Whoever has gone away meanwhile does nothing either.
            match answer {
                Answer::Recorded(durable) => drop(durable.send(())),
                Answer::Intended(durable) => drop(intents.next().map(|intent| durable.send(intent))),
            }
        }
    }

    fn serve_report(&mut self, address: &Address, report: Report, batch: &mut Batch) {
        let Some(running) = self.running.get_mut(address).filter(|running| !running.void) else { return };
        match report {
            Report::Record(events, durable) => {
                batch.events.extend(events);
                batch.answers.push(Answer::Recorded(durable));
            }
            Report::MayChange(answer) => {
                let planned = running.planned.as_ref();
                let covered = planned.is_some_and(|digest| self.book.engagement().covers(address, digest));
                let _ = answer.send(covered);
            }
            Report::Intend(intent, durable) => {
                batch.events.push(Event::Intended { step: address.clone(), intent });
                batch.answers.push(Answer::Intended(durable));
            }
            Report::Refuse(failure) => self.refuse_for(failure),
            Report::Output(bytes) => {
                running.output.extend(bytes);
                if running.output.len() > WAITING_OUTPUT {
                    self.flush_output();
                }
            }
            Report::Progress(now) => self.book.tell(&Notice::Progress { step: address.clone(), now }),
        }
    }

    /// Nothing may be done that cannot be recorded: attempts end where they are, as if onramp had been killed. A script
    /// goes on on its host without us, and is found again; it is not its fault that a disk is full here.
    pub(super) fn hush_if_broken(&mut self) {
        if self.book.is_broken() {
            self.going = Going::Nothing;
            self.tasks.abort_all();
        }
    }

    pub(super) fn attempts_ended(&mut self, ended: Vec<Result<(Id, ()), JoinError>>) {
        self.flush_output();
        ended.into_iter().for_each(|ended| self.attempt_ended(ended));
        self.go_on();
    }

    fn attempt_ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let (id, panicked) = match &ended {
            Ok((id, ())) => (*id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let Some(address) =
            self.running.iter().find(|(_, running)| running.task == Some(id)).map(|(step, _)| step.clone())
        else {
            return;
        };
        let Some(Running { number, poll, mut cleaner, .. }) = self.running.remove(&address) else { return };
        let from = self.book.finish_output(&address, number);
        let text = cleaner.finish();
        if !text.is_empty() {
            self.book.tell(&Notice::Output { step: address.clone(), attempt: number, from, text });
        }
        if panicked {
            // A fault in an action: the step is treated like one that was cut off by a crash, and not tried again at once.
            tracing::error!(step = %address, "an attempt ended unexpectedly");
            if let Going::Run(run) = &mut self.going {
                run.leave(&address);
            }
            if !poll {
                self.book.append(vec![stopped(&address, number, "onramp failed in the middle of it")]);
            }
        }
        if let Going::Undo(undoing) = &mut self.going
            && !poll
        {
            let cut_short = waiting_for_sign_in(self.book.engagement()).any(|step| step == &address);
            match cut_short {
                true => undoing.pause(address),
                false => undoing.ended(self.book.engagement(), &address),
            }
        }
    }

    pub(super) fn cancel(&mut self, step: &Address) {
        let Some(running) = self.running.get(step) else { return };
        running.stop.cancel();
        running.cancel.cancel();
        match &mut self.going {
            Going::Run(run) => run.leave(step),
            // What was begun ends, and nothing else is taken back.
            Going::Undo(undoing) => undoing.give_up(),
            Going::Nothing | Going::Stopping => {}
        }
    }
}

//! Attempts: how one is begun, what it reports while it runs, how it ends.

use tokio::task::{Id, JoinError};
use tokio_util::sync::CancellationToken;

use super::{Dispatcher, Going, WAITING_OUTPUT, stopped};
use crate::engagement::{Address, Event, Failure};
use crate::engine::attempt::{Attempt, Job, Report};
use crate::engine::handle::Notice;
use crate::engine::start::{self, Prepared};
use crate::text::Cleaner;

/// An attempt under way.
pub(super) struct Running {
    pub(super) task: Id,
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
        if self.book.is_broken() {
            return;
        }
        let number = start::next_attempt(self.book.engagement(), address);
        let (stop, cancel) = (CancellationToken::new(), CancellationToken::new());
        let poll = matches!(job, Job::Poll(_));
        // The output of polls is not kept: they may go on for weeks.
        let (output, forwarding) = match poll {
            true => (start::drop_output(), None),
            false => {
                let (output, forwarding) =
                    start::forward_output(address, self.reports.clone(), self.worlds.vault().masks().clone());
                (output, Some(forwarding))
            }
        };
        let engagement = self.book.engagement();
        let runbook = if job.takes_back() { self.library.for_undo(engagement) } else { self.runbook.clone() };
        let made_otherwise = self.library.made_otherwise(engagement, address);
        let prepared = start::prepare(engagement, &runbook, &self.worlds, address, &job, output, cancel.clone());
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return self.not_begun(address, number, &job, failure),
        };
        // A poll leaves the step waiting, and an undo what is done as it is, until there is something to say.
        let silent = matches!(job, Job::Poll(_) | Job::Undo { .. } | Job::UndoAgain { .. } | Job::Adopt { .. });
        if !silent && !self.book.append(vec![Event::AttemptStarted { step: address.clone(), attempt: number }]) {
            return;
        }
        let Prepared { action, world, intent, planned, account, waits_on, within, saves, found_how, undo_until } =
            prepared;
        let attempt = Attempt {
            address: address.clone(),
            number,
            action,
            world,
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
        let task = self.tasks.spawn(async move {
            attempt.run(job).await;
            // Nothing of it is lost: what it wrote has been handed over when the task ends.
            if let Some(forwarding) = forwarding {
                let _ = forwarding.await;
            }
        });
        let (void, output, cleaner) = (false, Vec::new(), Cleaner::default());
        let running = Running { task: task.id(), number, host, planned, poll, void, stop, cancel, output, cleaner };
        self.running.insert(address.clone(), running);
    }

    fn not_begun(&mut self, address: &Address, number: u32, job: &Job, failure: Failure) {
        match job {
            // It goes on waiting; the next run says what is missing.
            Job::Poll(_) => {
                tracing::warn!(step = %address, why = failure.what, "a waiting step could not be looked at")
            }
            Job::Undo { .. } | Job::UndoAgain { .. } => {
                self.refuse(format!("{address} cannot be undone: {}", failure.what), failure.advice)
            }
            Job::Adopt { .. } => self.refuse(failure.what, failure.advice),
            Job::Full | Job::Verify | Job::Recover { .. } | Job::LookFor { .. } => {
                let step = address.clone();
                let started = Event::AttemptStarted { step: step.clone(), attempt: number };
                self.book.append(vec![started, Event::Failed { step, attempt: number, failure }]);
            }
        }
    }

    pub(super) fn serve_report(&mut self, address: &Address, report: Report) {
        let Some(running) = self.running.get_mut(address).filter(|running| !running.void) else { return };
        match report {
            Report::Record(events, durable) => {
                if self.book.append(events) {
                    let _ = durable.send(());
                }
            }
            Report::MayChange(answer) => {
                let planned = running.planned.as_ref();
                let covered = planned.is_some_and(|digest| self.book.engagement().covers(address, digest));
                let _ = answer.send(covered);
            }
            Report::Intend(intent, durable) => {
                if let Some(intent) = self.book.intend(address, intent) {
                    let _ = durable.send(intent);
                }
            }
            Report::Refuse(failure) => self.refuse(failure.what, failure.advice),
            Report::Output(bytes) => {
                running.output.extend(bytes);
                if running.output.len() > WAITING_OUTPUT {
                    self.flush_output();
                }
            }
            Report::Progress(said) => self.book.tell(&Notice::Progress { step: address.clone(), said }),
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

    pub(super) fn attempt_ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        self.flush_output();
        let (id, panicked) = match &ended {
            Ok((id, ())) => (*id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        let Some(address) = self.running.iter().find(|(_, running)| running.task == id).map(|(step, _)| step.clone())
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
            undoing.ended(self.book.engagement(), &address);
        }
        self.go_on();
    }

    pub(super) fn cancel(&mut self, step: &Address) {
        let Some(running) = self.running.get(step) else { return };
        running.stop.cancel();
        running.cancel.cancel();
        if let Going::Run(run) = &mut self.going {
            run.leave(step);
        }
    }
}

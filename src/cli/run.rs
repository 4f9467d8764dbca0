//! `onramp run NAME`: the same engine as the screen's, headless. Progress on standard error, events on standard output.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::answers::{self, Answers, Asked};
use super::context::Context;
use super::failure::{Failure, Kind};
use super::print::{self, Stream};
use super::session::{self, Follower, Session};
use super::{Everywhere, neighbours, plan, secret, settle, undo};
use crate::engagement::{Address, Board, Command, Plan, RunScope, Status, board, may_stay_empty};
use crate::engine::{Notice, Request};
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// This step, what it needs, and nothing after it
    #[arg(long, value_name = "ADDRESS", conflicts_with = "only")]
    until: Option<Address>,
    /// This step alone, also when it was undone
    #[arg(long, value_name = "ADDRESS")]
    only: Option<Address>,
    /// Make again what was undone, too
    #[arg(long)]
    redo: bool,
    /// What failed alone, such as the hosts on which a step failed
    #[arg(long, conflicts_with_all = ["until", "only"])]
    failed: bool,
    /// YAML file of inputs and sign-offs
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Approve the plan that is printed
    #[arg(long)]
    yes: bool,
    /// What is written to standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Stream,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = Session::open(context, everywhere, &arguments.name, session::runtime()?)?;
    session.greet();
    if let Some(url) = &everywhere.endpoint_url {
        print::say(&format!("every AWS call goes to {url}"));
    }
    let answers = match &arguments.answers {
        Some(path) => {
            let engagement = session.handle.engagement();
            let asked =
                Asked::new(session.handle.runbook(), session::setting(engagement.identity.practice)).beside(engagement);
            let answers = answers::from_file(path, &asked)?;
            neighbours::differ(context, &arguments.name, engagement, &answers.inputs)?;
            answers
        }
        None => Answers::default(),
    };
    let scope = match (&arguments.until, &arguments.only) {
        _ if arguments.failed => RunScope::These(failed(&session)),
        (Some(step), _) => RunScope::Until(step.clone()),
        (_, Some(step)) => RunScope::Only(step.clone()),
        _ => RunScope::All,
    };
    let mut walk = Walk::new(&session, arguments.format, arguments.yes).redo(arguments.redo);
    let ended = walk.go(answers, &scope);
    session.close();
    ended.map(|()| ExitCode::SUCCESS)
}

fn failed(session: &Session) -> Vec<Address> {
    let rows = board(session.handle.engagement(), session.handle.runbook()).rows;
    rows.into_iter().filter(|row| matches!(row.status, Status::Failed(_))).map(|row| row.address).collect()
}

/// One headless run: answers, plan, approval, run, until nothing moves any more.
pub struct Walk<'a> {
    session: &'a Session,
    follower: Follower,
    format: Stream,
    yes: bool,
    /// What was undone is made again.
    redo: bool,
    interrupts: Arc<AtomicU32>,
}

impl<'a> Walk<'a> {
    pub fn new(session: &'a Session, format: Stream, yes: bool) -> Self {
        let interrupts = Arc::new(AtomicU32::new(0));
        let seen = interrupts.clone();
        session.runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        Walk { session, follower: Follower::new(session), format, yes, redo: false, interrupts }
    }

    /// How many steps are settled by now.
    pub fn settled(&self) -> usize {
        self.follower.board().rows.iter().filter(|row| row.status.settled()).count()
    }

    pub fn redo(self, redo: bool) -> Self {
        Walk { redo, ..self }
    }

    /// # Errors
    /// By exit code: an answer is refused, a step failed, something waits, or the run was interrupted.
    pub fn go(&mut self, answers: Answers, scope: &RunScope) -> Result<(), Failure> {
        if !answers.inputs.is_empty() {
            self.session.handle.command(Command::GiveInputs(answers.inputs));
        }
        let mut sign_offs = answers.sign_offs;
        let (engagement, reach) = (&self.follower.engagement, &self.session.reach);
        let doubts = settle::doubts(engagement, &self.follower.board(), reach);
        for said in doubts.into_iter().chain(undo::half_done(engagement, reach)) {
            print::say(&said);
        }
        if engagement.half_undone().is_some() {
            print::say("this run goes forward: it ends that undo where it is");
        }
        self.reopen(scope);
        if let RunScope::Only(step) = scope
            && self.is_done(scope)
        {
            print::say(&format!(
                "{step} is done, and a run does not look at it again: onramp verify does, and onramp undo takes it back so that \
                 it can be made anew"
            ));
        }
        loop {
            let before = self.follower.engagement.seq;
            self.accept_forms()?;
            self.seek_secrets(scope)?;
            let plan = self.plan()?;
            self.approve(&plan.only(|step| self.within(scope, step)))?;
            self.session.handle.send(Request::Run(scope.clone()));
            self.until_idle()?;
            let signed = self.sign(&mut sign_offs)?;
            let board = self.follower.board();
            let forms = !self.empty_forms(&board).is_empty();
            let more = board.rows.iter().any(|row| row.status == Status::NeedsApproval || row.status.runnable());
            let moved = self.follower.engagement.seq > before;
            let goes_on = forms || (more && (signed || self.yes));
            if !(goes_on && moved && *scope == RunScope::All) {
                return session::verdict(&board).map_err(|failure| self.naming_undone(failure, &board));
            }
        }
    }

    /// What a person took back does not come back by itself; whoever wants it again is told how.
    fn naming_undone(&self, failure: Failure, board: &Board) -> Failure {
        let undone = board.rows.iter().filter(|row| row.status.was_undone()).count();
        let count = text::count(undone, "step");
        match (undone, self.follower.engagement.identity.practice) {
            (0, _) => failure,
            (_, true) => failure.hint(format!(
                "{count} taken back, and stays so: Ctrl-R in onramp open NAME makes it again, Enter one step"
            )),
            (_, false) => failure.hint(format!(
                "{count} taken back, and stays so: onramp run NAME --redo makes all of them again, --only ADDRESS one"
            )),
        }
    }

    /// Whoever runs it again wants what failed to be tried again: it looks first what is there. What was undone is made
    /// again only when that is said, or when the step is named.
    fn reopen(&self, scope: &RunScope) {
        let named = self.redo || matches!(scope, RunScope::Only(_));
        for row in self.follower.board().rows {
            let again = matches!(row.status, Status::Failed(_)) || (named && row.status.was_undone());
            if again && self.within(scope, &row.address) {
                self.session.handle.command(Command::Reopen(row.address));
            }
        }
    }

    fn is_done(&self, scope: &RunScope) -> bool {
        let board = self.follower.board();
        let mut rows = board.rows.iter().filter(|row| self.within(scope, &row.address)).peekable();
        rows.peek().is_some() && rows.all(|row| matches!(row.status, Status::Done { .. }))
    }

    /// Whether such a run may walk this step.
    fn within(&self, scope: &RunScope, step: &Address) -> bool {
        match scope {
            RunScope::All => true,
            RunScope::Waits => false,
            RunScope::These(these) => these.contains(step),
            RunScope::Only(only) => only.step == step.step && (only.key.is_none() || only.key == step.key),
            RunScope::Until(last) => self.session.handle.runbook().closure(&last.step).contains(&step.step),
        }
    }

    fn plan(&mut self) -> Result<Arc<Plan>, Failure> {
        self.session.handle.send(Request::Plan);
        loop {
            if let Notice::Planned(plan) = self.next()? {
                return Ok(plan);
            }
        }
    }

    /// Nobody approves what stops halfway for a secret: what is missing is asked for first.
    fn seek_secrets(&mut self, scope: &RunScope) -> Result<(), Failure> {
        self.session.handle.send(Request::SeekSecrets(scope.clone()));
        loop {
            match self.next()? {
                Notice::SecretsAtHand => return Ok(()),
                Notice::NeedsSecrets { missing, ahead_of } => secret::give(self.session, &missing, ahead_of)?,
                _ => {}
            }
        }
    }

    /// An approval binds to the plan's digest. One that stands already is not asked for again.
    fn approve(&mut self, plan: &Plan) -> Result<(), Failure> {
        let wanted = plan.approval();
        let covered = wanted.iter().all(|(step, digest)| self.follower.engagement.covers(step, digest));
        if covered {
            return Ok(());
        }
        print::say(&plan::text(plan));
        if !self.yes && !confirmed(self.session.handle.name())? {
            return Err(Failure::new(Kind::Waiting, "the plan is not approved; nothing was changed")
                .hint("approve it with --yes, or in the terminal: onramp open NAME"));
        }
        self.session.handle.command(Command::Approve { digest: plan.digest.clone(), steps: wanted });
        Ok(())
    }

    /// Without a screen nobody looks at a form from which nothing is needed: what was not given by now stays empty.
    fn accept_forms(&mut self) -> Result<(), Failure> {
        for form in self.empty_forms(&self.follower.board()) {
            self.session.handle.command(Command::AcceptForm(form.clone()));
            while !self.follower.board().row(&form).is_some_and(|row| row.status.settled()) {
                self.next()?;
            }
        }
        Ok(())
    }

    fn empty_forms(&self, board: &Board) -> Vec<Address> {
        let runbook = self.session.handle.runbook();
        board
            .rows
            .iter()
            .filter(|row| may_stay_empty(&self.follower.engagement, runbook, row))
            .map(|row| row.address.clone())
            .collect()
    }

    fn sign(&mut self, sign_offs: &mut Vec<(Address, String)>) -> Result<bool, Failure> {
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(sign_offs)
            .into_iter()
            .partition(|(step, note)| self.follower.may(&Command::SignOff { step: step.clone(), note: note.clone() }));
        *sign_offs = later;
        let signed = !now.is_empty();
        for (step, note) in now {
            self.session.handle.command(Command::SignOff { step: step.clone(), note });
            while !self.follower.board().row(&step).is_some_and(|row| row.status.settled()) {
                self.next()?;
            }
        }
        Ok(signed)
    }

    fn until_idle(&mut self) -> Result<(), Failure> {
        loop {
            match self.next()? {
                Notice::Idle(summary) if summary.stopped => {
                    return Err(Failure::new(Kind::Interrupted, "stopped; what was running came to a safe end"));
                }
                Notice::Idle(_) => return Ok(()),
                Notice::NeedsSecrets { missing, ahead_of } => secret::give(self.session, &missing, ahead_of)?,
                _ => {}
            }
        }
    }

    /// The next notice, shown and folded.
    fn next(&mut self) -> Result<Notice, Failure> {
        loop {
            match self.interrupts.swap(0, Ordering::SeqCst) {
                0 => {}
                1 => {
                    print::say("stopping: what is running comes to a safe end (again to leave at once)");
                    self.session.handle.send(Request::Stop);
                }
                _ => return Err(Failure::new(Kind::Interrupted, "interrupted")),
            }
            if let Some(notice) = self.session.next(Duration::from_millis(100))? {
                self.show(&notice)?;
                return Ok(notice);
            }
        }
    }

    fn show(&mut self, notice: &Notice) -> Result<(), Failure> {
        match notice {
            Notice::Recorded(recorded) => {
                self.follower.fold(recorded);
                if self.format == Stream::Jsonl {
                    print::json_line(recorded)?;
                }
                if let Some(said) = self.follower.line(recorded) {
                    print::say(&said);
                }
            }
            Notice::Progress { step, now } => self.follower.progress(step, now.as_ref()),
            Notice::Refused(refusal) => return Err(Failure::usage(refusal.to_string())),
            Notice::Broken(broken) => return Err(self.follower.cut_off(broken.clone())),
            _ => {}
        }
        Ok(())
    }
}

/// Asks on the terminal, where there is one: the engagement's name typed in full, so that Enter alone changes nothing.
fn confirmed(name: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print::say(&format!("Type the engagement's name ({name}) to approve this plan, anything else to leave:"));
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(typed.trim() == name)
}

//! An engagement that is open: the engine, its feed, and the runtime under both.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::Everywhere;
use super::context::{Context, runbook_of};
use super::exclude;
use super::failure::{Failure, Kind};
use super::home::utc_offset;
use super::panics;
use super::reach::Reach;
use super::session_clock::{SessionClock, Tick};
use super::{login, print};
use crate::action::{Desk, Vault, Worlds};
use crate::aws::{Paces, Wiring};
use crate::engagement::{
    Actor, Address, Board, Command, Engagement, Event, Outcome, Question, Recorded, Row, Status, board, decide, fold,
};
use crate::engine::{self, Broken, Clock, Following, Handle, Notice, Progress, Request, Settings};
use crate::input::{InputId, Setting, Value};
use crate::journal::{Glance, Reader, Writer};
use crate::net;
use crate::runbook::Runbook;
use crate::ssh;
use crate::text;

/// What holds a step up is not said anew before it has lasted twice as long.
const A_MOMENT: Duration = Duration::from_secs(1);

/// Everything that stays alive while an engagement is open.
pub struct Session {
    pub handle: Handle,
    pub feed: Receiver<Notice>,
    pub runtime: Arc<Runtime>,
    pub reach: Reach,
    clock: RefCell<SessionClock>,
}

/// One runtime for the whole program.
///
/// # Errors
/// The machine has no more threads or files to give.
pub fn runtime() -> Result<Arc<Runtime>, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(4)
        .build()
        .map(Arc::new)
        .map_err(|error| Failure::usage(format!("the runtime cannot start: {error}")))
}

impl Session {
    /// Opens an engagement for writing and starts its engine.
    ///
    /// # Errors
    /// Somebody else holds it, the state file is damaged, or its runbook cannot be read.
    pub fn open(
        context: &Context,
        everywhere: &Everywhere,
        name: &str,
        runtime: Arc<Runtime>,
    ) -> Result<Session, Failure> {
        let folder = context.folder(name)?;
        let writer = Writer::open(&folder, &context.holder())?;
        real(context, name, writer.engagement())?;
        let worlds = real_worlds(context, everywhere, writer.engagement(), &folder);
        Session::start(context, writer, worlds, runtime)
    }

    /// Opens an engagement for writing, or reads along while somebody else holds it, or where nothing can be written.
    ///
    /// # Errors
    /// As `open`, but for that.
    pub fn open_or_follow(
        context: &Context,
        everywhere: &Everywhere,
        name: &str,
        runtime: Arc<Runtime>,
    ) -> Result<Session, Failure> {
        match Session::open(context, everywhere, name, runtime.clone()) {
            Err(failure)
                if (failure.kind == Kind::Held && Reader::holder(&context.folder(name)?).is_some())
                    || crate::journal::never_changes(&context.folder(name)?) =>
            {
                Session::follow(context, name, runtime)
            }
            opened => opened,
        }
    }

    /// Reads along, whoever holds it.
    ///
    /// # Errors
    /// There is no such engagement, or its file cannot be read.
    pub fn follow(context: &Context, name: &str, runtime: Arc<Runtime>) -> Result<Session, Failure> {
        let folder = context.folder(name)?;
        let reader = Reader::open(&folder)?;
        let engagement = reader.engagement()?;
        let runbook = runbook_of(&engagement)?;
        let _inside = runtime.enter();
        let handle = engine::follow(Following { folder, reader, engagement, runbook });
        let feed = handle.subscribe();
        let reach = context.reach(name, handle.engagement().identity.practice);
        Ok(Session { handle, feed, runtime, reach, clock: RefCell::default() })
    }

    /// Starts an engine over a state file that is open, and a way to the world that is made.
    ///
    /// # Errors
    /// As `open`.
    pub fn start(context: &Context, writer: Writer, worlds: Worlds, runtime: Arc<Runtime>) -> Result<Session, Failure> {
        let runbook = runbook_of(writer.engagement())?;
        let settings =
            Settings { writer, runbook, worlds: Arc::new(worlds), actor: context.actor(), clock: Clock::default() };
        let _inside = runtime.enter();
        panics::hide(settings.worlds.vault().masks());
        let handle = engine::start(settings)?;
        let feed = handle.subscribe();
        let reach = context.reach(handle.name(), handle.engagement().identity.practice);
        let region = handle.engagement().region().is_some();
        let reach = if region { reach.without("--region") } else { reach };
        let clock = SessionClock::default().knowing_region(region);
        Ok(Session { handle, feed, runtime, reach, clock: RefCell::new(clock) })
    }

    /// The next notice.
    ///
    /// # Errors
    /// The engine is gone.
    pub fn recv(&self) -> Result<Notice, Failure> {
        loop {
            if let Some(notice) = self.next(Duration::from_secs(1))? {
                return Ok(notice);
            }
        }
    }

    /// The next notice, if one comes within this time. Questions of logins are answered on the way, on the terminal; and
    /// how long the session with AWS lasts is said there.
    ///
    /// # Errors
    /// The engine is gone.
    pub fn next(&self, within: Duration) -> Result<Option<Notice>, Failure> {
        match self.feed.recv_timeout(within) {
            Ok(Notice::LoginAsks(question)) => {
                login::answer(&self.handle, &question);
                Ok(None)
            }
            Ok(notice) => {
                self.clock.borrow_mut().heard(&notice);
                Ok(Some(notice))
            }
            Err(RecvTimeoutError::Timeout) => {
                if self.clock.borrow_mut().tick() == Tick::LeftAlone {
                    print::say("nobody has signed in: what is running comes to a safe end");
                    self.handle.send(Request::Stop);
                }
                Ok(None)
            }
            Err(RecvTimeoutError::Disconnected) => Err(Failure::new(Kind::StateFile, "the engine ended unexpectedly")),
        }
    }

    /// Says what a person should know before it goes on, where there is no screen to say it.
    pub fn greet(&self) {
        if let Some(greeting) = self.handle.greeting() {
            print::say(greeting);
        }
    }

    /// Lets running attempts end and the state file go.
    pub fn close(&self) {
        self.handle.send(Request::Close);
        while let Ok(notice) = self.feed.recv_timeout(Duration::from_secs(90)) {
            if matches!(notice, Notice::Closed) {
                return;
            }
        }
    }
}

/// What is practice has its cloud inside the program: nothing of it goes to AWS.
///
/// # Errors
/// It is practice.
pub fn real(context: &Context, name: &str, engagement: &Engagement) -> Result<(), Failure> {
    if !engagement.identity.practice {
        return Ok(());
    }
    let reach = context.reach(name, true);
    Err(Failure::usage(format!("{name} is a practice engagement")).hint(reach.put("go on with: onramp open NAME")))
}

/// AWS and the network of this machine. Nothing is connected yet.
pub fn real_worlds(context: &Context, everywhere: &Everywhere, engagement: &Engagement, folder: &Path) -> Worlds {
    let region = engagement.region().or_else(|| everywhere.region.clone()).unwrap_or_default();
    let wiring = Wiring {
        region,
        profile: everywhere.profile.clone(),
        endpoint_url: everywhere.endpoint_url.clone(),
        // Another engagement may be open, or be closing, in this process.
        paces: Paces::of_this_process(),
        ..Wiring::default()
    };
    let vault = vault(context, folder);
    let desk = Desk::new(vault.masks().clone());
    let wiring = Wiring { codes: Some(desk.clone()), ..wiring };
    let settings = ssh::Settings { person: Some(desk.clone()), ..ssh_settings(context, everywhere) };
    let worlds = Worlds::unconnected(wiring, ssh::Pool::new(settings)).with_net(Arc::new(net::Here));
    worlds.with_vault(vault).with_desk(desk)
}

/// Where the secrets of the engagement in `folder` are found.
pub fn vault(context: &Context, folder: &Path) -> Vault {
    Vault::new(folder, &context.home, context.variable("ONRAMP_AGE_IDENTITY").map(PathBuf::from))
}

/// Known hosts, the agent, the engineer's own set-up, and the real network.
pub fn ssh_settings(context: &Context, everywhere: &Everywhere) -> ssh::Settings {
    let [user, global] = ssh::usual_known_hosts(&context.home);
    let known_hosts = [everywhere.known_hosts.clone(), user, global].concat();
    let (file, path) = (everywhere.ssh_config.as_deref(), context.variable("PATH").unwrap_or_default());
    let config = ssh::Config::of(&context.home, &context.user, file, path, everywhere.known_hosts.clone());
    let settings = ssh::Settings::new(Arc::new(ssh::dial::Tcp), known_hosts, context.agent.clone());
    ssh::Settings { config: Arc::new(config), ..settings }
}

/// Gives inputs without an engine: all or none. What is said of it: how many, and whether steps look again for it.
///
/// # Errors
/// One of them is refused, or cannot be stored.
pub fn give(
    writer: &mut Writer,
    runbook: &Runbook,
    actor: &Actor,
    given: Vec<(InputId, Value)>,
) -> Result<String, Failure> {
    let events = may_give(writer.engagement(), runbook, given)?;
    let count = events.iter().filter(|event| matches!(event, Event::InputGiven { .. })).count();
    let again = events.iter().filter(|event| matches!(event, Event::Reopened { .. })).count();
    writer.append(Clock::default().now(), actor, events)?;
    let stored = format!("{} stored", text::count(count, "input"));
    Ok(match again {
        0 => stored,
        1 => format!("{stored}; 1 step is looked at again"),
        _ => format!("{stored}; {again} steps are looked at again"),
    })
}

/// What would be written down of these answers.
///
/// # Errors
/// Why they are not taken; of several the names of those that are not.
pub fn may_give(
    engagement: &Engagement,
    runbook: &Runbook,
    given: Vec<(InputId, Value)>,
) -> Result<Vec<Event>, Failure> {
    let alone = |one: &(InputId, Value)| decide(engagement, runbook, &Command::GiveInputs(vec![one.clone()]));
    decide(engagement, runbook, &Command::GiveInputs(given.clone())).map_err(|refusal| {
        let failure = |said: String| Failure::usage(said).hint("nothing was stored");
        let refused = given.iter().filter_map(|one| Some((one.0.to_string(), alone(one).err()?)));
        let refused: Vec<String> = refused.map(|(id, refusal)| format!("{id}: {refusal}")).collect();
        // Of answers that steps hang on, each says what has to go for it; rules between answers are told together.
        if refusal.undo.is_empty() || given.len() < 2 {
            return failure(refusal.to_string());
        }
        failure(refused.join("\n  "))
    })
}

/// Rules for answers that are given now.
pub fn setting(practice: bool) -> Setting {
    Setting { practice, now: Clock::default().now().timestamp() }
}

/// An engagement, the runbook it walks, and who holds it.
type Looked = (Engagement, Arc<Runbook>, Option<String>);

/// What is true of an engagement, whoever holds it; an attempt that a dead process left shows as cut off.
///
/// # Errors
/// There is no such engagement, or its file cannot be read.
pub fn look(context: &Context, name: &str) -> Result<Looked, Failure> {
    looked(Reader::glance(&context.folder(name)?)?)
}

/// As `look`, after every check of the file that a run makes.
///
/// # Errors
/// As `look`; also damage that a mere look does not come across.
pub fn inspect(context: &Context, name: &str) -> Result<Looked, Failure> {
    looked(Reader::inspect(&context.folder(name)?)?)
}

fn looked(glance: Glance) -> Result<Looked, Failure> {
    let mut engagement = glance.engagement;
    if glance.holder.is_none() {
        engagement.interrupt();
    }
    let runbook = runbook_of(&engagement)?;
    let away = glance.away.map(|away| format!("nobody here: {away}"));
    Ok((engagement, runbook, glance.holder.map(|holder| holder.to_string()).or(away)))
}

/// What a reader of the feed knows: it folds the same events as the engine.
pub struct Follower {
    pub engagement: Engagement,
    runbook: Arc<Runbook>,
    reach: Reach,
    /// Why steps were held up when that was said last, and how long it had lasted then.
    held_up: BTreeMap<Address, (String, Duration)>,
}

impl Follower {
    pub fn new(session: &Session) -> Self {
        let handle = &session.handle;
        Follower {
            engagement: handle.engagement().as_ref().clone(),
            runbook: handle.runbook().clone(),
            reach: session.reach.clone(),
            held_up: BTreeMap::new(),
        }
    }

    /// Says what holds a running step up: at once when it is something new, and then each time that it has lasted twice
    /// as long.
    pub fn progress(&mut self, step: &Address, now: Option<&Progress>) {
        let Some(progress) = now else {
            // What comes back at once for the same reason is nothing new.
            self.held_up.entry(step.clone()).and_modify(|(_, lasted)| *lasted = A_MOMENT);
            return;
        };
        let now = Clock::default().now();
        let lasted = now.since(progress.since);
        let known = self.held_up.get(step);
        if known.is_none_or(|(why, said_at)| *why != progress.why || lasted >= *said_at * 2) {
            print::say(&format!("  {step}: {}", progress.said(now, utc_offset())));
            self.held_up.insert(step.clone(), (progress.why.clone(), lasted.max(A_MOMENT)));
        }
    }

    pub fn fold(&mut self, recorded: &Recorded) {
        fold(&mut self.engagement, recorded);
    }

    pub fn board(&self) -> Board {
        board(&self.engagement, &self.runbook)
    }

    /// Nothing can be recorded any more: what ran was ended, and may be in doubt.
    pub fn cut_off(&self, broken: Broken) -> Failure {
        let mut left = self.engagement.clone();
        left.interrupt();
        let board = board(&left, &self.runbook);
        Failure::cut_off(broken, board.doubts().map(|row| &row.address), &self.reach)
    }

    /// Would the engine do it?
    pub fn may(&self, command: &Command) -> bool {
        decide(&self.engagement, &self.runbook, command).is_ok()
    }

    /// One line for the events that a person wants to see pass by.
    pub fn line(&self, recorded: &Recorded) -> Option<String> {
        let at = recorded.at;
        let titled = |step: &Address, word: &str, said: &str| {
            let colon = if said.is_empty() { "" } else { ": " };
            let said = said.replace(" NAME STEP ", &format!(" NAME {step} "));
            Some(format!("{at} {word:<9} {step} {}{colon}{said}", self.title(step)))
        };
        match &recorded.event {
            Event::Done { step, evidence, .. } => titled(step, "done", &evidence.said),
            // What follows says that it is paused.
            Event::Concluded { outcome: Outcome::Failed { failure }, .. } if failure.sign_in => None,
            Event::Failed { step, failure, .. }
            | Event::Concluded { step, outcome: Outcome::Failed { failure }, .. } => {
                titled(step, "failed", &words(failure))
            }
            Event::Waiting { step, party, said, .. } => titled(step, "waiting", &format!("on {party}: {said}")),
            Event::WaitSet { step, party, note, .. } => titled(step, "waiting", &format!("on {party}: {note}")),
            Event::Held { step, .. } => titled(step, "held", "no approval covers this change"),
            Event::Asked { step, question: Question::NeedsSecret { reference, why }, .. } => {
                titled(step, "asks", &format!("for a secret, {}: {why}", reference.said()))
            }
            Event::Asked { step, question: Question::SignIn { failure }, .. } => {
                let goes_on = "it goes on by itself when somebody has signed in";
                titled(step, "paused", &format!("{}\n    {goes_on}", words(failure)))
            }
            Event::Asked { step, .. } => titled(step, "asks", "a person must answer: onramp open NAME"),
            Event::Concluded { step, outcome: Outcome::Changed { said, .. }, .. } => titled(step, "changed", said),
            Event::Concluded { step, outcome: Outcome::InDoubt { why }, .. } => titled(step, "in doubt", why),
            Event::Adopted { step, id, reason, .. } if reason.is_empty() => titled(step, "taken", id),
            Event::Adopted { step, id, reason, .. } => titled(step, "taken", &format!("{id}, {reason}")),
            Event::Undone { step, evidence, stays: true, .. } => titled(step, "stays", &evidence.said),
            Event::Undone { step, evidence, .. } => titled(step, "undone", &evidence.said),
            _ => None,
        }
        .map(|line| self.reach.put(&line))
    }

    pub fn title(&self, address: &Address) -> String {
        self.runbook.step(&address.step).map_or_else(|| address.to_string(), |step| step.title.clone())
    }
}

/// A failure in full, a line for each part.
fn words(failure: &crate::engagement::Failure) -> String {
    let parts = [&failure.what, &failure.meaning, &failure.advice, &failure.raw];
    let said: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    said.join("\n    ")
}

/// The exit of a run, from where everything stands.
pub fn verdict(board: &Board) -> Result<(), Failure> {
    let tally = board.tally;
    let unclear = |row: &Row| match &row.status {
        Status::Unclear(said) => Some(format!("{} cannot begin: {said}", row.address)),
        _ => None,
    };
    let next = board.next().map(|row| format!("next: {} {} ({})", row.address, row.title, row.status.word()));
    let next = next.or_else(|| board.rows.iter().find_map(unclear));
    let ended = |kind: Kind, message: String| {
        let failure = Failure::new(kind, message);
        Err(match next {
            Some(next) => failure.hint(next),
            None => failure,
        })
    };
    if tally.failed > 0 {
        let failed = format!(
            "{} failed; a run tries again, and looks first{}",
            crate::text::count(tally.failed, "step"),
            exclude::failed_on(board)
        );
        return ended(Kind::StepFailed, failed);
    }
    if tally.all_done() {
        return Ok(());
    }
    ended(Kind::Waiting, format!("{} of {} done; the rest waits", tally.done, crate::text::count(tally.total, "step")))
}

//! The loop: keys first, drain, fold, do the effects, draw when something changed, at most thirty times a second.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event as terminal;

use crate::engagement::{Address, At};
use crate::engine::{Broken, Handle, Notice, Request};
use crate::ui::background::LateAnswer;
use crate::ui::effect::Effect;
use crate::ui::event::Event;
use crate::ui::facts::{Edition, EngagementCard, Facts, Said};
use crate::ui::look::{Depth, Look};
use crate::ui::screen;
use crate::ui::state::{Place, State, update};
use crate::ui::term::{self, Guard};

/// Between two frames that only news asked for. A key is drawn at once.
const FRAME: Duration = Duration::from_millis(33);
/// Between two looks at the time of day.
const TICK: Duration = Duration::from_secs(1);
/// Events folded before the next frame, so that a flood cannot stop the drawing.
const AT_ONCE: usize = 4_096;
/// How long the end of the program waits for the engine to let go of an engagement with nothing running.
const CLOSING: Duration = Duration::from_secs(3);
/// The same, where running steps come to a safe end first.
const CLOSING_BUSY: Duration = Duration::from_secs(120);

/// The world as the UI is given it.
pub struct Desk {
    pub engagements: Vec<EngagementCard>,
    /// The engagement to begin with; without one, the list.
    pub open: Option<Handle>,
    pub doors: Box<dyn Doors>,
}

/// What only the caller can do for the UI.
pub trait Doors {
    /// Opens an engagement and starts its engine.
    ///
    /// # Errors
    /// A sentence for the person: somebody else holds it, its file is damaged.
    fn open(&mut self, name: &str) -> Result<Handle, String>;

    /// Makes a new engagement and opens it.
    ///
    /// # Errors
    /// A sentence for the person.
    fn create(&mut self, name: &str) -> Result<Handle, String>;

    /// All engagements, the one last touched first.
    fn cards(&mut self) -> Vec<EngagementCard>;

    /// Another edition of this runbook than the one of that digest, where there is one.
    fn edition(&self, id: &str, digest: &str) -> Option<Edition>;

    /// A text that names commands as `onramp VERB NAME …`, with those that reach this engagement from a shell.
    fn reached(&self, engagement: &str, text: &str) -> String;

    fn now(&self) -> At;
}

/// How it looks and what is known from the command line.
#[derive(Debug)]
pub struct Options {
    pub look: Look,
    /// Nothing is real; said on every screen.
    pub practice: bool,
    /// The customer's short name, where it is known; else the engagement's own is used.
    pub customer: String,
    /// Minutes to add to UTC for the clock on the screen.
    pub utc_offset: i32,
    /// A message on this channel means that somebody outside ends the program: SIGTERM, a closed terminal.
    pub terminated: Option<Receiver<()>>,
}

/// How the UI ended, for a last line in the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Name of the engagement that was open.
    pub engagement: Option<String>,
    /// Where it stopped, in words.
    pub said: String,
    /// Why nothing could go on any more.
    pub broken: Option<Broken>,
    /// What nobody knows of now, whether it was made.
    pub doubts: Vec<Address>,
    /// Somebody outside ended the program, or a person did not wait for running steps.
    pub interrupted: bool,
}

/// Why there is no terminal UI.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    #[error("this needs a terminal: {0}")]
    Terminal(#[from] std::io::Error),
}

/// What wakes the loop; notices carry the number of the engine that they are from.
enum Wake {
    Event(Event),
    Notice(u64, Notice),
    Lost(std::io::Error),
}

struct App {
    state: State,
    doors: Box<dyn Doors>,
    handle: Option<Handle>,
    /// Number of the engine that is open: news of an earlier one are dropped.
    engine: u64,
    wake: Sender<Wake>,
    guard: Guard,
    leaving: Option<Instant>,
    interrupted: bool,
    done: bool,
}

/// Runs until the person leaves. Blocks; call it on the main thread.
///
/// # Errors
/// There is no terminal, or it went away.
pub fn run(world: Desk, options: Options) -> Result<Exit, UiError> {
    let coloured = options.look.depth() != Depth::Without;
    let mut facts = Facts::new(options.look, options.practice, options.customer, options.utc_offset);
    facts.cards = world.engagements;
    facts.now = world.doors.now();
    let guard = Guard::take(coloured)?;
    facts.size = terminal_size()?;
    let (wake, woken) = channel();
    let mut app = App {
        state: State::new(facts),
        doors: world.doors,
        handle: None,
        engine: 0,
        wake: wake.clone(),
        guard,
        leaving: None,
        interrupted: false,
        done: false,
    };
    if let Some(handle) = world.open {
        app.attach(handle)?;
    }
    read_keys(wake.clone());
    if let Some(terminated) = options.terminated {
        thread::spawn(move || {
            if terminated.recv().is_ok() {
                let _ = wake.send(Wake::Event(Event::Terminated));
            }
        });
    }
    app.serve(&woken)?;
    drop(app.guard);
    let open = app.state.facts.open.as_ref();
    Ok(Exit {
        engagement: open.map(|open| open.name.clone()),
        said: open.map(|open| crate::ui::words::counters(&open.board.tally, open.drifts())).unwrap_or_default(),
        broken: open.and_then(|open| open.broken.clone()),
        doubts: open.iter().flat_map(|open| open.board.doubts()).map(|row| row.address.clone()).collect(),
        interrupted: app.interrupted,
    })
}

fn terminal_size() -> std::io::Result<(u16, u16)> {
    ratatui::crossterm::terminal::size()
}

/// Reads keys on a thread of its own. It ends with the program, or when the terminal is gone.
fn read_keys(wake: Sender<Wake>) {
    thread::spawn(move || {
        let mut late = LateAnswer::default();
        loop {
            let event = match terminal::read() {
                Ok(terminal::Event::Key(key)) if late.takes(&key) => continue,
                Ok(terminal::Event::Key(key)) => Wake::Event(Event::Key(key)),
                Ok(terminal::Event::Paste(text)) => Wake::Event(Event::Paste(text)),
                Ok(terminal::Event::Resize(columns, rows)) => Wake::Event(Event::Resize(columns, rows)),
                Ok(_) => continue,
                Err(error) => Wake::Lost(error),
            };
            let lost = matches!(event, Wake::Lost(_));
            if wake.send(event).is_err() || lost {
                return;
            }
        }
    });
}

impl App {
    fn serve(&mut self, woken: &Receiver<Wake>) -> Result<(), UiError> {
        let mut drawn = Instant::now();
        let mut ticked = Instant::now();
        let mut dirty = true;
        let mut urgent = true;
        while !self.done {
            if dirty && (urgent || drawn.elapsed() >= FRAME) {
                let state = &self.state;
                self.guard.draw(|frame| screen::draw(state, frame))?;
                drawn = Instant::now();
                (dirty, urgent) = (false, false);
            }
            let patience =
                if dirty { FRAME.saturating_sub(drawn.elapsed()) } else { TICK.saturating_sub(ticked.elapsed()) };
            let woken = match woken.recv_timeout(patience) {
                Ok(first) => std::iter::once(first).chain(woken.try_iter()).take(AT_ONCE).collect(),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let (now, later): (Vec<Wake>, Vec<Wake>) =
                woken.into_iter().partition(|wake| !matches!(wake, Wake::Notice(..)));
            urgent |= !now.is_empty();
            dirty |= !now.is_empty() || !later.is_empty();
            for wake in now.into_iter().chain(later) {
                self.take(wake)?;
            }
            if ticked.elapsed() >= TICK {
                ticked = Instant::now();
                dirty |= self.tick();
            }
            let patience = if self.idle() { CLOSING } else { CLOSING_BUSY };
            if self.leaving.is_some_and(|since| since.elapsed() > patience) {
                self.done = true;
            }
        }
        Ok(())
    }

    fn idle(&self) -> bool {
        self.state.facts.open.as_ref().is_none_or(|open| open.busy() == 0 || open.along.is_some())
    }

    fn credentials_end(&self) -> bool {
        let facts = &self.state.facts;
        let caller = facts.open.as_ref().and_then(|open| open.identity.as_ref());
        caller.is_some_and(|caller| caller.as_ref().is_ok_and(|caller| caller.is_ending(facts.now)))
    }

    /// A second has passed. True when something on the screen shows that.
    fn tick(&mut self) -> bool {
        let before = (self.state.facts.clock(), self.state.facts.said.clone());
        update(&mut self.state, Event::Tick(self.doors.now()));
        let panics = term::panics();
        if let Some(panic) = panics.last() {
            let first = panic.lines().next().unwrap_or_default();
            // What Rust says of a fault may repeat the text that was worked on.
            let open = self.state.facts.open.as_ref();
            let said = open.map_or_else(|| first.to_owned(), |open| open.masks.now().mask(first));
            self.state.say(Said::bad(format!("onramp has a fault, please report it: {said}")));
        }
        // What is looked for before an undo is looked for for so many seconds more; credentials at their end have seconds left.
        let counts = self.state.place == Place::Undo || self.credentials_end();
        let said = before != (self.state.facts.clock(), self.state.facts.said.clone());
        !panics.is_empty() || said || counts || !self.idle()
    }

    fn take(&mut self, wake: Wake) -> Result<(), UiError> {
        let event = match wake {
            Wake::Event(event) => event,
            Wake::Notice(engine, notice) if engine == self.engine => Event::Notice(notice),
            Wake::Notice(..) => return Ok(()),
            Wake::Lost(error) => return Err(error.into()),
        };
        if matches!(event, Event::Terminated) {
            self.interrupted = true;
        }
        for effect in update(&mut self.state, event) {
            self.carry_out(effect)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) -> Result<(), UiError> {
        match effect {
            Effect::Send(request) => {
                let sent = self.handle.as_ref().is_some_and(|handle| handle.send(request));
                if !sent {
                    self.state.say(Said::bad("The engine has stopped: leave with q and open the engagement again"));
                }
            }
            Effect::OpenEngagement(name) => {
                self.let_go();
                let opened = self.doors.open(&name);
                self.enter(opened)?;
            }
            Effect::CreateEngagement(name) => {
                self.let_go();
                let made = self.doors.create(&name);
                self.enter(made)?;
            }
            Effect::RefreshCards => self.state.facts.cards = self.doors.cards(),
            Effect::Copy(text) => self.guard.copy(&text)?,
            Effect::Redraw => self.guard.clear()?,
            Effect::Suspend => {
                self.guard.suspend()?;
                self.state.facts.size = terminal_size()?;
                self.state.facts.now = self.doors.now();
            }
            Effect::Quit => self.leave(),
            Effect::QuitAtOnce => {
                self.interrupted |= !self.idle();
                self.done = true;
            }
        }
        Ok(())
    }

    fn enter(&mut self, opened: Result<Handle, String>) -> Result<(), UiError> {
        match opened {
            Ok(handle) => self.attach(handle)?,
            Err(why) => {
                self.state.facts.cards = self.doors.cards();
                self.state.say(Said::bad(why));
            }
        }
        Ok(())
    }

    fn attach(&mut self, handle: Handle) -> Result<(), UiError> {
        self.engine += 1;
        let engine = self.engine;
        let feed = handle.subscribe();
        let wake = self.wake.clone();
        thread::spawn(move || {
            for notice in feed {
                if wake.send(Wake::Notice(engine, notice)).is_err() {
                    return;
                }
            }
        });
        let printing = self.doors.reached(handle.name(), "onramp status NAME --value");
        let effects = self.state.opened(&handle, printing);
        let engagement = handle.engagement();
        if let Some(edition) = self.doors.edition(&engagement.runbook, &engagement.runbook_digest) {
            self.state.found_edition(edition);
        }
        self.handle = Some(handle);
        effects.into_iter().try_for_each(|effect| self.carry_out(effect))
    }

    /// Another engagement is wanted: the one that is open is let go.
    fn let_go(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.send(Request::Close);
            self.state.facts.open = None;
        }
    }

    /// Asks the engine to close; the loop goes on until it has, so that what happens meanwhile is seen.
    fn leave(&mut self) {
        self.state.leaving = true;
        match &self.handle {
            Some(handle) if handle.send(Request::Close) => {
                self.leaving.get_or_insert_with(Instant::now);
            }
            _ => self.done = true,
        }
    }
}

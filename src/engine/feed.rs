//! Reading along: the same handle and the same notices as a running engine, from a state file that somebody else writes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::find::find;
use super::handle::{Broken, Find, Handle, Notice, Page, Request, clean_line};
use super::library;
use crate::engagement::{Address, Engagement, Event, Refusal, State, fold};
use crate::journal::{self, Holder, JournalError, PageAt, Reader};
use crate::runbook::Runbook;
use crate::text::Masks;

/// How often the file is looked at, and how often who holds it.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS_PER_HOLDER: u32 = 5;
/// Lines of output read at once.
const LINES: usize = 2_000;

/// What it takes to read along.
pub struct Following {
    /// The engagement's folder.
    pub folder: PathBuf,
    pub reader: Reader,
    /// As `reader` told it.
    pub engagement: Engagement,
    pub runbook: Arc<Runbook>,
}

/// Follows a state file on the current tokio runtime until nobody listens any more. Whatever would change something is
/// refused, with who holds the engagement.
pub fn follow(following: Following) -> Handle {
    let Following { folder, reader, engagement, runbook } = following;
    let (requests, inbox) = mpsc::unbounded_channel();
    let known = Arc::new(engagement.clone());
    let handle = Handle::new(journal::name(&folder), requests, runbook, known, None, Masks::default());
    let holder = Reader::holder(&folder);
    let begins_after = engagement.seq;
    let feed = Feed {
        folder,
        reader,
        engagement,
        begins_after,
        holder,
        seen: None,
        readers: Vec::new(),
        output: BTreeMap::new(),
        searches: JoinSet::new(),
        finding: None,
        broken: None,
    };
    tokio::spawn(feed.serve(inbox));
    handle
}

struct Feed {
    folder: PathBuf,
    reader: Reader,
    engagement: Engagement,
    /// The last event that the handle's snapshot knows.
    begins_after: u64,
    holder: Option<Holder>,
    /// The file's own count of changes when it was looked at last.
    seen: Option<i64>,
    readers: Vec<std_mpsc::Sender<Notice>>,
    /// Lines that were told, of the running attempts that somebody looks at.
    output: BTreeMap<(Address, u32), usize>,
    /// Searches in output, and what ends the one that somebody waits for.
    searches: JoinSet<Option<Notice>>,
    finding: Option<DropGuard>,
    /// Why the file cannot be followed any more.
    broken: Option<Broken>,
}

impl Feed {
    async fn serve(mut self, mut inbox: mpsc::UnboundedReceiver<Request>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        loop {
            tokio::select! {
                request = inbox.recv() => match request {
                    None | Some(Request::Close) => break,
                    Some(request) => self.serve_request(request),
                },
                Some(found) = self.searches.join_next(), if !self.searches.is_empty() => {
                    if let Ok(Some(notice)) = found {
                        self.tell(&notice);
                    }
                }
                _ = look.tick() => {
                    looks = looks.wrapping_add(1);
                    self.look();
                    if looks.is_multiple_of(LOOKS_PER_HOLDER) && self.broken.is_none() {
                        self.look_who_holds_it();
                    }
                }
            }
        }
        self.tell(&Notice::Closed);
    }

    fn serve_request(&mut self, request: Request) {
        match request {
            Request::Subscribe(reader) => self.subscribe(reader),
            Request::Page { step, attempt, at, lines } => self.page(step, attempt, at, lines),
            Request::Find(wanted) => self.find(wanted),
            Request::StopFinding => self.finding = None,
            Request::Close => {}
            Request::Diagnose(step) => self.tell(&Notice::Undiagnosed(step, self.why_not())),
            Request::Command(_)
            | Request::Run(_)
            | Request::Undo(_)
            | Request::Update { .. }
            | Request::UndoPlan(_)
            | Request::Adopt { .. }
            | Request::Verify
            | Request::Stop
            | Request::Cancel(_)
            | Request::Plan
            | Request::Rehearse
            | Request::SeekSecrets(_)
            | Request::Secrets(_)
            | Request::SignIn
            | Request::LoginAnswers { .. }
            | Request::KeepSecret { .. } => self.tell(&Notice::Refused(self.why_not())),
        }
    }

    /// A reader changes nothing.
    fn why_not(&self) -> Refusal {
        match &self.holder {
            Some(holder) => {
                let why = format!("you are reading along: {holder} holds this engagement");
                Refusal::new(why, "Ask them, or wait until they are done")
            }
            None => Refusal::new(
                "you are reading along, and nobody holds this engagement now",
                "Leave, and open it again to go on with it",
            ),
        }
    }

    fn subscribe(&mut self, reader: std_mpsc::Sender<Notice>) {
        let missed = match self.reader.since(self.begins_after) {
            Ok(missed) => missed,
            Err(error) => return self.fall_silent(&error),
        };
        // What was not folded yet is told to everybody with the next look.
        let missed = missed.into_iter().filter(|one| one.seq <= self.engagement.seq).map(Notice::Recorded);
        let held = Notice::HeldBy(self.holder.as_ref().map(ToString::to_string));
        let broken = self.broken.clone().map(Notice::Broken);
        if std::iter::once(held).chain(missed).chain(broken).all(|notice| reader.send(notice).is_ok()) {
            self.readers.push(reader);
        }
    }

    fn page(&mut self, step: Address, attempt: u32, at: PageAt, lines: usize) {
        match self.reader.page(&step, attempt, at, lines) {
            Ok(found) => {
                // From here on what comes is told: the reader knows how many lines there are.
                self.output.entry((step.clone(), attempt)).or_insert(found.total);
                self.tell(&Notice::Page(Page::of(step, attempt, found)));
            }
            Err(error) => self.tell(&Notice::Refused(Refusal::new(error.to_string(), ""))),
        }
    }

    /// Looks for it on a thread of its own; what was looked for before is given up.
    fn find(&mut self, wanted: Find) {
        let stop = CancellationToken::new();
        self.finding = Some(stop.clone().drop_guard());
        let folder = self.folder.clone();
        self.searches.spawn_blocking(move || find(&folder, &wanted.step.clone(), wanted, &Masks::default(), &stop));
    }

    fn look_who_holds_it(&mut self) {
        let holder = Reader::holder(&self.folder);
        if holder != self.holder {
            // What they wrote last comes before the news that they are gone.
            self.look();
            self.holder = holder;
            self.tell(&Notice::HeldBy(self.holder.as_ref().map(ToString::to_string)));
        }
    }

    /// Tells what is new in the file.
    fn look(&mut self) {
        if self.broken.is_some() {
            return;
        }
        if let Err(error) = self.read_on() {
            self.fall_silent(&error);
        }
    }

    fn read_on(&mut self) -> Result<(), JournalError> {
        self.reader.holds()?;
        let now = Some(self.reader.data_version()?);
        if now == self.seen {
            return Ok(());
        }
        self.seen = now;
        for one in self.reader.since(self.engagement.seq)? {
            fold(&mut self.engagement, &one);
            if let Event::AttemptStarted { step, attempt } = &one.event {
                self.output.retain(|(known, _), _| known != step);
                self.output.insert((step.clone(), *attempt), 0);
            }
            let edition = match &one.event {
                Event::RunbookTaken { files, .. } => library::read(files),
                _ => None,
            };
            self.tell(&Notice::Recorded(one));
            if let Some(edition) = edition {
                self.tell(&Notice::Runbook(Arc::new(edition)));
            }
        }
        self.read_output()
    }

    fn read_output(&mut self) -> Result<(), JournalError> {
        let mut news = Vec::new();
        for ((step, attempt), told) in &mut self.output {
            let mut new = self.reader.page(step, *attempt, PageAt::From(*told), LINES)?;
            if new.total > *told + LINES {
                // Nobody reads so fast. What is left out is there for whoever asks for it.
                new = self.reader.page(step, *attempt, PageAt::Last, LINES)?;
            }
            if !new.lines.is_empty() {
                *told = new.from + new.lines.len();
                let text = new.lines.iter().map(|line| clean_line(line) + "\n").collect();
                news.push(Notice::Output { step: step.clone(), attempt: *attempt, from: new.from, text });
            }
        }
        let running = |step: &Address| matches!(self.engagement.state(step), State::Running { .. });
        self.output.retain(|(step, _), _| running(step));
        news.iter().for_each(|notice| self.tell(notice));
        Ok(())
    }

    fn tell(&mut self, notice: &Notice) {
        self.readers.retain(|reader| reader.send(notice.clone()).is_ok());
    }

    fn fall_silent(&mut self, error: &JournalError) {
        let broken = Broken::from(error);
        self.broken = Some(broken.clone());
        self.tell(&Notice::Broken(broken));
    }
}

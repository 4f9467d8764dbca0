//! A million lines of output: how long from a key to its frame, while lines are read from the state file as a reader comes
//! near them; how long a search through all of them takes; and in how much memory.
//!
//! `cargo bench --bench output`, or with another number of lines: `cargo bench --bench output -- 5000000`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on ends there")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use onramp::engagement::{Actor, Address, At, Event as Fact, RunbookFile};
use onramp::engine::{Find, Following, Handle, Notice, Request, follow};
use onramp::journal::{FILE, Holder, Reader, Writer};
use onramp::runbook::{self, Runbook};
use onramp::ui::{Depth, Effect, Event, Facts, Look, Opened, State, draw, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

const LINES: usize = 1_000_000;
const SIZE: (u16, u16) = (120, 40);
const PRESSES: usize = 2_000;

const RUNBOOK: &str =
    "runbook: one\ntitle: One\nphase: one\nsteps:\n  - {id: step, title: One step, manual: Look at it.}\n";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "read") {
        return read(Path::new(&arguments[at + 1]));
    }
    let lines = arguments.first().and_then(|number| number.parse().ok()).unwrap_or(LINES);
    let home = tempfile::TempDir::new().unwrap();
    let folder = home.path().join("acme");
    let began = Instant::now();
    fill(&folder, lines);
    let size = std::fs::metadata(folder.join(FILE)).unwrap().len();
    println!("{lines} lines, {} MB, written in {:.1?}", size / 1_000_000, began.elapsed());
    let me = std::env::current_exe().unwrap();
    let measured = Command::new(me).arg("read").arg(&folder).output().unwrap();
    println!("{}", String::from_utf8_lossy(&measured.stdout).trim_end());
}

fn step() -> Address {
    "one/step".parse().unwrap()
}

fn fill(folder: &Path, lines: usize) {
    let holder = Holder {
        user: "jane".to_owned(),
        host: "desk".to_owned(),
        process: 7,
        since: "2026-11-23T00:00:00Z".to_owned(),
    };
    let actor: Actor = "jane@desk".to_owned();
    let mut writer = Writer::create(folder, &holder).unwrap();
    let runbook = load();
    let files = vec![RunbookFile { path: "one.yaml".to_owned(), text: RUNBOOK.to_owned() }];
    let (moved, outdated, unfit) = Default::default();
    let began = Fact::Began { name: "acme".to_owned(), id: "0011223344556677".to_owned(), practice: false };
    let (id, digest) = (runbook.id.clone(), runbook.digest.clone());
    let taken = Fact::RunbookTaken { id, digest, files, moved, outdated, unfit };
    let started = Fact::AttemptStarted { step: step(), attempt: 1 };
    let stopped = Fact::Stopped { step: step(), attempt: 1, why: "enough".to_owned() };
    writer.append(At(0), &actor, vec![began, taken, started, stopped]).unwrap();
    let numbers: Vec<usize> = (0..lines).collect();
    for some in numbers.chunks(1_000) {
        let line =
            |number: &usize| format!("{number:>9}  the \x1b[32mpackage\x1b[0m is unpacked over the one before it\n");
        let text: String = some.iter().map(line).collect();
        writer.output(&[(step(), 1, text.into_bytes())]).unwrap();
    }
}

fn load() -> Runbook {
    let (runbook, problems) = runbook::load(&[("one.yaml".to_owned(), RUNBOOK.to_owned())], &onramp::action::catalog());
    assert!(runbook.is_some(), "{problems:?}");
    runbook.unwrap()
}

/// A person at a terminal of the usual size, who reads along.
struct Desk {
    state: State,
    handle: Handle,
    feed: Receiver<Notice>,
    terminal: Terminal<TestBackend>,
    waits: Vec<Duration>,
}

impl Desk {
    /// Does what was wished, and draws; what is asked of the engine is waited for, so the time holds all of it.
    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut effects = effects;
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                let Effect::Send(request) = effect else { continue };
                let asked = Instant::now();
                let is_question = matches!(request, Request::Page { .. } | Request::Find(_));
                self.handle.send(request);
                if !is_question {
                    continue;
                }
                loop {
                    let notice = self.feed.recv().unwrap();
                    let is_answer = matches!(notice, Notice::Page(_) | Notice::Found(_));
                    more.extend(update(&mut self.state, Event::Notice(notice)));
                    if is_answer {
                        self.waits.push(asked.elapsed());
                        break;
                    }
                }
            }
            effects = more;
        }
        self.terminal.draw(|frame| draw(&self.state, frame)).unwrap();
    }

    fn press(&mut self, code: KeyCode) -> Duration {
        let began = Instant::now();
        let effects = update(&mut self.state, Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        self.carry_out(effects);
        began.elapsed()
    }

    fn presses(&mut self, what: &str, count: usize, code: impl Fn(usize) -> KeyCode) {
        self.waits.clear();
        let mut times: Vec<Duration> = (0..count).map(|turn| self.press(code(turn))).collect();
        times.sort();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        let slowest = self.waits.iter().max().copied().unwrap_or_default();
        println!(
            "{what:<28} key to frame p50 {:>8.1?}  p95 {:>8.1?}  max {:>8.1?}   {} pages read, the slowest in {slowest:.1?}",
            at(50),
            at(95),
            at(100),
            self.waits.len(),
        );
    }

    fn find(&mut self, wanted: &str) {
        let find = Find { step: step(), attempt: 1, wanted: wanted.to_owned(), from: 0, down: true };
        let began = Instant::now();
        self.handle.send(Request::Find(find));
        loop {
            if let Notice::Found(found) = self.feed.recv().unwrap() {
                let line = found.hit.map_or("nowhere".to_owned(), |hit| format!("in line {}", hit.line + 1));
                return println!("{:?} found {line} after {:.0?}", wanted, began.elapsed());
            }
        }
    }
}

fn read(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let _inside = runtime.enter();
    let reader = Reader::open(folder).unwrap();
    let engagement = reader.engagement().unwrap();
    let runbook = Arc::new(load());
    let following =
        Following { folder: folder.to_owned(), reader, engagement: engagement.clone(), runbook: runbook.clone() };
    let handle = follow(following);
    let feed = handle.subscribe();
    let look = Look::named("dark", Depth::True, false).unwrap();
    let mut state = State::new(Facts::new(look, false, "acme".to_owned(), 0));
    let effects = state.enter(Opened::new(runbook, engagement));
    update(&mut state, Event::Resize(SIZE.0, SIZE.1));
    let terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
    let mut desk = Desk { state, handle, feed, terminal, waits: Vec::new() };
    desk.carry_out(effects);
    desk.press(KeyCode::Char('L'));
    desk.presses("from end to beginning, back", 200, |turn| KeyCode::Char(if turn % 2 == 0 { 'g' } else { 'G' }));
    desk.presses("a line up", PRESSES, |_| KeyCode::Up);
    desk.presses("a page up", PRESSES, |_| KeyCode::PageUp);
    desk.press(KeyCode::Char('g'));
    desk.presses("a page down", PRESSES, |_| KeyCode::PageDown);
    desk.find("999999  the package");
    desk.find("nothing of the kind");
    println!("peak memory of whoever reads: {}", peak());
}

/// The most memory that this process ever held, as Linux counts it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

//! How long it takes from `onramp open` to a usable screen, for an engagement with 100,000 events; and in how much memory.
//!
//! `cargo bench --bench resume`, or with another number of events: `cargo bench --bench resume -- 20000`.
//! Each figure is the best of several runs, in a process of its own where memory is measured.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on ends there")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use onramp::engagement::{
    Actor, Address, At, Difference, DoneHow, Event, Evidence, Finding, FindingKind, RunbookFile, board,
};
use onramp::journal::{FILE, Holder, Reader, Writer};
use onramp::runbook::{self, Runbook};
use onramp::ui::{Depth, Facts, Look, Opened, State, draw};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const EVENTS: u64 = 100_000;
const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "open") {
        return open(Path::new(&arguments[at + 1]));
    }
    let events = arguments.first().and_then(|number| number.parse().ok()).unwrap_or(EVENTS);
    let home = tempfile::TempDir::new().unwrap();
    let folder = home.path().join("acme");
    let began = Instant::now();
    fill(&folder, events);
    let size = std::fs::metadata(folder.join(FILE)).unwrap().len();
    println!("{events} events, {} MB, written in {:.1?}", size / 1_000_000, began.elapsed());
    for run in 1..=RUNS {
        let me = std::env::current_exe().unwrap();
        let measured = Command::new(me).arg("open").arg(&folder).output().unwrap();
        println!("run {run}: {}", String::from_utf8_lossy(&measured.stdout).trim_end());
    }
    println!("one event more, durable: {:.2?} (median of 200)", append(&folder));
}

fn holder() -> Holder {
    Holder { user: "jane".to_owned(), host: "desk".to_owned(), process: 7, since: "2026-11-23T00:00:00Z".to_owned() }
}

fn actor() -> Actor {
    "jane@desk".to_owned()
}

/// How long this thread was at work: on a busy machine the clock on the wall says more of others than of us.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

/// What `onramp open` does, and the first frame.
fn open(folder: &Path) {
    let (began, busy) = (Instant::now(), processor_time());
    let writer = Writer::open(folder, &holder()).unwrap();
    let opened = began.elapsed();
    let engagement = writer.engagement().clone();
    let (runbook, _) = load(&engagement.runbook_files);
    let loaded = began.elapsed() - opened;
    let look = Look::named("dark", Depth::True, false).unwrap();
    let mut state = State::new(Facts::new(look, false, "acme".to_owned(), 0));
    state.enter(Opened::new(std::sync::Arc::new(runbook), engagement));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw(&state, frame)).unwrap();
    let (usable, busy) = (began.elapsed(), processor_time() - busy);
    let glanced = time(|| drop(Reader::glance(folder).unwrap()));
    let whole = state.facts.open.as_ref().unwrap();
    let boarded = time(|| drop(board(&whole.engagement, &whole.runbook)));
    println!(
        "usable screen after {usable:.1?}, {busy:.1?} of it at work (opened and checked {opened:.1?}, runbook read {loaded:.1?}, board {boarded:.1?}); \
         peak memory {}; seen from the list of engagements {glanced:.0?}",
        peak()
    );
}

fn time(what: impl FnOnce()) -> Duration {
    let began = Instant::now();
    what();
    began.elapsed()
}

/// The most memory that this process ever held, as Linux counts it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

/// How long a commit takes at the end of so many.
fn append(folder: &Path) -> Duration {
    let mut writer = Writer::open(folder, &holder()).unwrap();
    let step: Address = "access/jump[host-1]".parse().unwrap();
    let mut times: Vec<Duration> = (0..200)
        .map(|attempt| {
            let event = Event::AttemptStarted { step: step.clone(), attempt: 1_000_000 + attempt };
            time(|| drop(writer.append(At(1), &actor(), vec![event]).unwrap()))
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn load(files: &[RunbookFile]) -> (Runbook, usize) {
    let files: Vec<(String, String)> = files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
    let (runbook, problems) = runbook::load(&files, &onramp::action::catalog());
    (runbook.unwrap(), problems.len())
}

/// The shipped runbook, walked on and on over fifty hosts, as weeks of polls and repeated checks would leave it.
fn fill(folder: &Path, events: u64) {
    let mut writer = Writer::create(folder, &holder()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud");
    let mut names: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let files: Vec<RunbookFile> = names
        .iter()
        .map(|path| RunbookFile {
            path: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(path).unwrap(),
        })
        .collect();
    let (runbook, _) = load(&files);
    let began = Event::Began { name: "acme".to_owned(), id: "0011223344556677".to_owned(), practice: false };
    let (moved, outdated, unfit) = Default::default();
    let taken =
        Event::RunbookTaken { id: runbook.id.clone(), digest: runbook.digest.clone(), files, moved, outdated, unfit };
    writer.append(At(0), &actor(), vec![began, taken]).unwrap();
    let steps: Vec<Address> = runbook
        .steps()
        .flat_map(|step| (1..=50).map(|host| Address::new(step.id.clone(), Some(format!("host-{host}")))))
        .collect();
    let mut attempt = 0;
    while writer.engagement().seq < events {
        attempt += 1;
        for chunk in steps.chunks(100) {
            let rest = events.saturating_sub(writer.engagement().seq);
            let batch: Vec<Event> =
                chunk.iter().flat_map(|step| walk(step, attempt)).take(usize::try_from(rest).unwrap()).collect();
            if !batch.is_empty() {
                writer.append(At(i64::from(attempt) * 60_000), &actor(), batch).unwrap();
            }
        }
    }
}

/// One look at a step: three events of an ordinary size.
fn walk(step: &Address, attempt: u32) -> [Event; 3] {
    let said = "the address answers, and the banner is one that OpenSSH writes; nothing is to be done here";
    let (wanted, found) = ("22022".to_owned(), "22".to_owned());
    let difference = Difference { what: "port".to_owned(), wanted, found, diff: String::new() };
    let finding = Finding { kind: FindingKind::Same, said: said.to_owned(), differences: vec![difference] };
    let facts = [("id", "i-0123456789abcdef0"), ("zone", "eu-west-1a"), ("address", "10.40.10.21")];
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let evidence = Evidence { said: said.to_owned(), facts };
    [
        Event::AttemptStarted { step: step.clone(), attempt },
        Event::Probed { step: step.clone(), attempt, finding },
        Event::Done { step: step.clone(), attempt, how: DoneHow::AlreadySo, evidence, kept: Vec::new() },
    ]
}

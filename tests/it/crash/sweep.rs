//! Every point, one after the other, each in a world of its own; and what came of it, counted.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ledger::{Broken, COUNTED};
use super::shim::Shim;
use super::trap::{Boundary, Half, Point};
use super::walk::{Act, Dice, Form, Moments, Walk};
use super::world::{Ground, Kept};

/// Which scripts there are, each to be started once.
const SCRIPTS: [&str; 3] = ["last", "quick", "slow"];
/// Deaths at random moments in one engagement.
const DEATHS: u32 = 4;

/// A walk that nobody disturbed: what all others are compared with, and where those begin that undo.
pub struct Calm<'a> {
    ground: &'a Ground,
    form: Form,
    shim: &'a Shim,
    took: BTreeMap<Act, Duration>,
    passed: BTreeMap<(Half, Boundary), u64>,
    tagged: BTreeMap<String, usize>,
    effects: BTreeMap<String, usize>,
    made: Kept,
    data: tempfile::TempDir,
}

impl<'a> Calm<'a> {
    pub fn new(ground: &'a Ground, form: Form, shim: &'a Shim) -> Self {
        let mut walk = Walk::new(ground, form, None, shim);
        walk.endanger(None, None);
        walk.make();
        let mut passed = BTreeMap::new();
        let mut note = |half: Half, walk: &Walk<'_>| {
            for boundary in Boundary::all() {
                passed.insert((half, boundary), walk.passed(boundary));
            }
        };
        note(Half::Make, &walk);
        let (tagged, effects, made) = (kinds(&walk.world.tagged()), walk.world.front.tally(), walk.world.keep());
        let data = tempfile::TempDir::new().expect("a folder");
        walk.keep_data(data.path());
        assert!(walk.ledger.broken.is_empty(), "undisturbed: {:?}", walk.ledger.broken);
        assert!(walk.ledger.everything_is_done(), "undisturbed: {}", walk.ledger.stand());
        if form == Form::Short {
            assert_eq!(walk.world.starts(), SCRIPTS.map(|script| (script.to_owned(), 1)).into());
        }
        if form == Form::Short {
            walk.endanger(None, None);
            walk.undo();
            note(Half::Undo, &walk);
        }
        let took = walk.took.clone();
        let calm = Calm { ground, form, shim, took, passed, tagged, effects, made, data };
        if form == Form::Short {
            let mut report = Report::default();
            calm.check_undone(&walk, &mut report, "undisturbed");
            assert!(
                report.broken.is_empty() && walk.ledger.broken.is_empty(),
                "{:?} {:?}",
                report.broken,
                walk.ledger.broken
            );
        }
        calm
    }

    /// How often a boundary is passed when nothing happens.
    pub fn passed(&self, half: Half, boundary: Boundary) -> u64 {
        self.passed.get(&(half, boundary)).copied().unwrap_or_default()
    }

    /// One walk with its death or deaths.
    pub fn walk(&self, point: Point) -> Report {
        let mut report = Report { walks: 1, ..Report::default() };
        let kept = (point.half == Half::Undo).then_some(&self.made);
        let mut walk = Walk::new(self.ground, self.form, kept, self.shim);
        let moments = (point.boundary == Boundary::Moments).then(|| Moments {
            dice: Dice(point.k),
            left: if point.half == Half::Abandon { 1 } else { DEATHS },
            took: self.took.clone(),
        });
        let name = point.to_string();
        match point.half {
            Half::Make | Half::Long => {
                walk.endanger(Some(point), moments);
                walk.make();
                self.check_made(&walk, &mut report, &name);
            }
            Half::Undo => {
                walk.inherit(self.data.path());
                walk.endanger(Some(point), moments);
                walk.undo();
                self.check_undone(&walk, &mut report, &name);
            }
            Half::Abandon => {
                walk.begin();
                walk.endanger(Some(point), moments);
                walk.abandon();
                self.check_undone(&walk, &mut report, &name);
            }
        }
        report.deaths = walk.deaths;
        report.broken.extend(walk.ledger.broken.iter().map(|(what, said)| (*what, format!("{name}: {said}"))));
        report
    }

    fn check_made(&self, walk: &Walk<'_>, report: &mut Report, name: &str) {
        self.check_once(walk, report, name);
        let mut broken = |what, said: String| report.broken.push((what, format!("{name}: {said}")));
        if !walk.ledger.everything_is_done() {
            return broken(Broken::Unfinished, format!("not done: {}", walk.ledger.stand()));
        }
        for (what, found, wanted) in unlike(&kinds(&walk.world.tagged()), &self.tagged) {
            let kind = if found > wanted { Broken::CallTwice } else { Broken::Unfinished };
            broken(kind, format!("{what} is there {found} times, not {wanted}"));
        }
        for (operation, made, wanted) in unlike(&walk.world.front.tally(), &self.effects) {
            let kind = if made > wanted { Broken::CallTwice } else { Broken::Unfinished };
            broken(kind, format!("{operation} changed something {made} times, not {wanted}"));
        }
    }

    fn check_undone(&self, walk: &Walk<'_>, report: &mut Report, name: &str) {
        self.check_once(walk, report, name);
        for left in walk.world.tagged() {
            report.broken.push((Broken::Unfinished, format!("{name}: {left} is left after everything was undone")));
        }
        for left in walk.world.made_on_hosts() {
            report.broken.push((Broken::Unfinished, format!("{name}: {left} is left after everything was undone")));
        }
    }

    fn check_once(&self, walk: &Walk<'_>, report: &mut Report, name: &str) {
        for twice in walk.world.front.twice() {
            report.broken.push((Broken::CallTwice, format!("{name}: {twice}")));
        }
        for (script, starts) in walk.world.starts().into_iter().filter(|(_, starts)| *starts > 1) {
            report.broken.push((Broken::ScriptTwice, format!("{name}: {script} was started {starts} times")));
        }
    }
}

/// Objects by kind and key; the engagement's id differs from walk to walk.
fn kinds(tagged: &[String]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for object in tagged {
        let words: Vec<&str> = object.split(' ').collect();
        *kinds.entry(format!("{} {}", words[0], words[words.len() - 1])).or_default() += 1;
    }
    kinds
}

/// Where two counts differ: what, how often it was found, how often it should be.
fn unlike(found: &BTreeMap<String, usize>, wanted: &BTreeMap<String, usize>) -> Vec<(String, usize, usize)> {
    let count = |tally: &BTreeMap<String, usize>, what: &String| tally.get(what).copied().unwrap_or_default();
    let names: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
    let counted = names.into_iter().map(|name| (name.clone(), count(found, name), count(wanted, name)));
    counted.filter(|(_, found, wanted)| found != wanted).collect()
}

/// What came of some walks.
#[derive(Debug, Default)]
pub struct Report {
    pub walks: u32,
    pub deaths: u32,
    pub broken: Vec<(Broken, String)>,
}

impl Report {
    fn take(&mut self, other: Report) {
        self.walks += other.walks;
        self.deaths += other.deaths;
        self.broken.extend(other.broken);
    }

    fn count(&self, what: Broken) -> usize {
        self.broken.iter().filter(|(broken, _)| *broken == what).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5} walks {:>5} deaths", self.walks, self.deaths)?;
        for (what, said) in COUNTED {
            write!(f, " | {said} {}", self.count(what))?;
        }
        Ok(())
    }
}

/// How much of the sweep is done.
#[derive(Debug, Clone)]
pub enum Extent {
    /// Every point.
    Full,
    /// Every point of one boundary.
    Part(Half, Boundary),
    /// A few of each kind, by the seed.
    Some { seed: u64 },
    /// One point, because it failed.
    One(Point),
}

impl Extent {
    /// From `ONRAMP_SWEEP`: nothing, `full`, a seed, a boundary such as `make:call-done`, or a point: `make:call-done:7`.
    pub fn asked() -> Extent {
        let asked = std::env::var("ONRAMP_SWEEP").unwrap_or_default();
        match (asked.as_str(), asked.parse()) {
            ("", _) => Extent::Some { seed: 1 },
            ("full", _) => Extent::Full,
            (_, Ok(seed)) => Extent::Some { seed },
            (part, Err(_)) if part.matches(':').count() == 1 => {
                let point: Point = format!("{part}:1").parse().expect("a boundary of the sweep");
                Extent::Part(point.half, point.boundary)
            }
            (point, Err(_)) => Extent::One(point.parse().expect("full, a number, a boundary or a point of the sweep")),
        }
    }

    fn wants(&self, (half, boundary, few): &Part) -> bool {
        match self {
            Extent::Full => true,
            Extent::Some { .. } => *few > 0,
            Extent::Part(a_half, a_boundary) => (a_half, a_boundary) == (half, boundary),
            Extent::One(one) => (one.half, one.boundary) == (*half, *boundary),
        }
    }

    /// Of `most` points from 1 those that are done; the short form takes `few` of them.
    fn pick(&self, half: Half, boundary: Boundary, most: u64, few: u64) -> Vec<Point> {
        let point = |k| Point { half, boundary, k };
        match self {
            Extent::Full | Extent::Part(..) => (1..=most).map(point).collect(),
            Extent::Some { seed } => {
                let stride = most.div_ceil(few).max(1);
                (1..=most).filter(|k| k % stride == seed % stride).map(point).collect()
            }
            Extent::One(one) => vec![*one],
        }
    }
}

/// Boundaries of one test: the half, the boundary, and how many the short form takes.
pub type Part = (Half, Boundary, u64);

/// Sweeps some boundaries, on as many grounds as asked for, prints the count, and fails when it is not zero everywhere.
pub fn sweep(parts: &[Part], moments: u64) {
    let extent = Extent::asked();
    let workers = std::env::var("ONRAMP_SWEEP_WORKERS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let wanted = parts.iter().filter(|part| extent.wants(part));
    let parts: Vec<Part> = wanted.filter(|(half, ..)| *half != Half::Long || is_quiet()).copied().collect();
    if parts.is_empty() {
        return;
    }
    let Some(shim) = Shim::new() else { return };
    let began = Instant::now();
    let todo: Mutex<Option<VecDeque<Point>>> = Mutex::new(None);
    let reports: Mutex<BTreeMap<(Half, Boundary), Report>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| work(&shim, &parts, &extent, moments, &todo, &reports));
        }
    });
    let reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut whole = Report::default();
    for ((half, boundary), report) in reports {
        eprintln!("{:<8} {:<14} {report}", half.name(), boundary.name());
        whole.take(report);
    }
    eprintln!("in {:?}", began.elapsed());
    assert!(whole.broken.is_empty(), "{whole}; repeat one with ONRAMP_SWEEP=POINT:\n{:#?}", whole.broken);
}

/// The shipped runbook proves that nobody reaches a private host directly; on a network that answers for every address
/// it cannot.
fn is_quiet() -> bool {
    let nobody = SocketAddr::from(([10, 40, 11, 20], 22));
    let quiet = TcpStream::connect_timeout(&nobody, Duration::from_secs(2)).is_err();
    if !quiet {
        eprintln!(
            "SKIPPED: this network answers for {nobody}, which is nobody's, so the shipped runbook cannot be walked"
        );
    }
    quiet
}

fn work(
    shim: &Shim,
    parts: &[Part],
    extent: &Extent,
    moments: u64,
    todo: &Mutex<Option<VecDeque<Point>>>,
    reports: &Mutex<BTreeMap<(Half, Boundary), Report>>,
) {
    let ground = Ground::new();
    let calm = Calm::new(&ground, Form::Short, shim);
    let long = OnceCell::new();
    loop {
        let next = {
            let mut todo = todo.lock().unwrap_or_else(PoisonError::into_inner);
            let points = todo.get_or_insert_with(|| {
                let most = |half, boundary| match boundary {
                    Boundary::Moments if half == Half::Long => moments / 5,
                    Boundary::Moments => moments,
                    Boundary::CallLate => calm.passed(half, Boundary::CallArrived),
                    boundary => calm.passed(half, boundary),
                };
                let points = parts
                    .iter()
                    .flat_map(|(half, boundary, few)| extent.pick(*half, *boundary, most(*half, *boundary), *few));
                points.collect()
            });
            points.pop_front()
        };
        let Some(point) = next else { return };
        let calm = match point.half {
            Half::Long => long.get_or_init(|| Calm::new(&ground, Form::Long, shim)),
            _ => &calm,
        };
        let report = calm.walk(point);
        for (what, said) in &report.broken {
            eprintln!("{what:?}: {said}");
        }
        reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry((point.half, point.boundary))
            .or_default()
            .take(report);
    }
}

//! onramp's own part: the pool as the engine uses it, one script on every host at once, then again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use onramp::ssh::dial::Tcp;
use onramp::ssh::{Chunk, Extra, Hop, Identity, Pool, Route, Script, Settings};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::lab::Lab;
use super::measure::{Measured, Took, own_time, watch};

/// Later steps: the median of the times counts, and the mean of what the processors did, which is told in hundredths.
const LATER: usize = 9;

/// Measures it in a process of its own.
pub fn run(lab: &Lab, flags: &[&str]) -> Result<Measured, String> {
    in_own_process(lab, "ours", flags)
}

/// What this very program measures when it is called by `name`.
pub fn in_own_process(lab: &Lab, name: &str, flags: &[&str]) -> Result<Measured, String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(name).arg(lab.dir.path()).arg(&lab.user).arg(lab.bastion_port().to_string()).args(flags);
    let said = lab.dir.path().join("ours.said");
    let (_, memory) = watch(lab, command.stdin(Stdio::null()).stdout(std::fs::File::create(&said).unwrap()));
    let said = std::fs::read_to_string(said).unwrap();
    let numbers: Vec<u64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [cold, cold_busy, later, later_busy, failures, ref spread @ ..] = numbers[..] else {
        return Err(format!("it said {said:?}"));
    };
    let took = |wall, busy| Took { wall: Duration::from_micros(wall), busy: Duration::from_micros(busy) };
    let note = match spread {
        [least, most] => format!("  (later {:.3} to {:.3} s)", *least as f64 / 1e6, *most as f64 / 1e6),
        _ => String::new(),
    };
    let (cold, later) = (took(cold, cold_busy), took(later, later_busy));
    Ok(Measured { cold, later, memory, failures: failures as usize, note })
}

/// Says what [`in_own_process`] reads: times in microseconds.
pub fn say(cold: Took, later: Took, failures: usize, spread: &[Duration]) {
    let times = [cold.wall, cold.busy, later.wall, later.busy].map(|time| time.as_micros().to_string());
    let spread: Vec<String> = spread.iter().map(|time| time.as_micros().to_string()).collect();
    println!("{} {failures} {}", times.join(" "), spread.join(" "));
}

pub fn main(arguments: &[String]) {
    let [dir, user, port, flags @ ..] = arguments else { panic!("ours DIR USER PORT") };
    let flood = flags.iter().any(|flag| flag == "--flood");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(walk(Path::new(dir), user, port.parse().unwrap(), flood));
}

async fn walk(dir: &Path, user: &str, port: u16, flood: bool) {
    let pool = Arc::new(Pool::new(Settings::new(Arc::new(Tcp), vec![dir.join(".ssh/known_hosts")], None)));
    let hop = |name: &str, address: &str, port: u16| Hop {
        name: name.to_owned(),
        address: address.to_owned(),
        port,
        user: user.to_owned(),
        identity: Identity::File(dir.join(".ssh/id_ed25519")),
        pins: Vec::new(),
        extra: Extra::default(),
    };
    let bastion = hop("bastion", "127.0.0.1", port);
    let listed = std::fs::read_to_string(dir.join("hosts")).unwrap();
    let routes: Vec<Route> = listed
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            Route {
                hops: vec![bastion.clone(), hop(fields[0], fields[1], fields[2].parse().unwrap())],
                ..Route::default()
            }
        })
        .collect();
    let routes = Arc::new(routes);

    let (cold, mut failures) = step(&pool, &routes).await;
    let flooding =
        flood.then(|| tokio::spawn(run_on(pool.clone(), routes.clone(), 0, "yes flood | head -c 2000000000")));
    let (mut walls, mut busy) = (Vec::new(), Duration::ZERO);
    for _ in 0..LATER {
        let (took, failed) = step(&pool, &routes).await;
        walls.push(took.wall);
        busy += took.busy;
        failures = failures.max(failed);
    }
    walls.sort();
    let still = flooding.is_some_and(|flooding| !flooding.is_finished());
    if flood && !still {
        eprintln!("the flood was over before the others were");
    }
    let later = Took { wall: walls[LATER / 2], busy: busy / LATER as u32 };
    say(cold, later, failures, &[walls[0], walls[LATER - 1]]);
    std::process::exit(0);
}

/// `uptime` on every host: what it took until all had answered, and on how many it did not run.
async fn step(pool: &Arc<Pool>, routes: &Arc<Vec<Route>>) -> (Took, usize) {
    let (began, before) = (Instant::now(), own_time());
    let tasks: Vec<_> =
        (0..routes.len()).map(|index| tokio::spawn(run_on(pool.clone(), routes.clone(), index, "uptime"))).collect();
    let mut failures = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        if let Err(why) = &answer
            && failures < 3
        {
            eprintln!("{why}");
        }
        failures += usize::from(answer.is_err());
    }
    (Took { wall: began.elapsed(), busy: own_time() - before }, failures)
}

async fn run_on(pool: Arc<Pool>, routes: Arc<Vec<Route>>, index: usize, text: &str) -> Result<(), String> {
    let script = Script { text: text.to_owned(), sudo: false, limit: Duration::from_secs(120), stdin_after: None };
    let (sink, mut output) = mpsc::channel::<Chunk>(16);
    let cancel = CancellationToken::new();
    let taking = async { while output.recv().await.is_some() {} };
    let running = async {
        let ended = pool.run(&routes[index], &script, &sink, &cancel).await;
        drop(sink);
        ended
    };
    let (ended, ()) = tokio::join!(running, taking);
    match ended {
        Ok(exit) if exit.is_success() => Ok(()),
        Ok(exit) => Err(format!("{exit:?}")),
        Err(error) => Err(error.to_string()),
    }
}

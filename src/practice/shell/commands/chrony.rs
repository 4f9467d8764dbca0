//! chronyc(1) and what of chronyd(8) is started by hand.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::super::chrony::{self, Chronyd, Follows, Seen};
use super::super::program::{Answer, Call};

/// How it prints.
#[derive(Debug, Clone, Copy, Default)]
struct Manner {
    csv: bool,
    numbers: bool,
}

pub fn chronyc(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let mut manner = Manner::default();
        let mut words = call.words();
        while let Some(flag) = words.first().and_then(|word| word.strip_prefix('-')).filter(|flag| !flag.is_empty()) {
            manner.csv |= flag.contains('c');
            manner.numbers |= flag.contains('n');
            words.remove(0);
        }
        let machine = &call.session.machine;
        let Some(running) = machine.with(|state| state.chrony.clone()) else {
            return Answer { out: "506 Cannot talk to daemon\n".to_owned(), code: 1, ..Answer::default() };
        };
        match words.as_slice() {
            ["tracking"] => Answer::ok(tracking(follows(&call, &running).await, manner)),
            ["sources", ..] => {
                let seen = chrony::seen(&call.session, &running).await;
                Answer::ok(sources(&seen, chrony::follows(&running, &seen), manner))
            }
            ["waitsync", limits @ ..] => waitsync(&call, limits).await,
            ["activity"] => {
                let count = running.sources.len();
                Answer::ok(format!("200 OK\n{count} sources online\n0 sources offline\n"))
            }
            ["makestep" | "burst" | "online" | "offline" | "refresh" | "reload", ..] if call.is_root() => {
                Answer::ok("200 OK\n")
            }
            ["makestep" | "burst" | "online" | "offline" | "refresh" | "reload", ..] => {
                Answer { out: "501 Not authorised\n".to_owned(), code: 1, ..Answer::default() }
            }
            _ => Answer { out: "Unrecognized command\n".to_owned(), code: 1, ..Answer::default() },
        }
    })
}

async fn follows(call: &Call, running: &Chronyd) -> Follows {
    chrony::follows(running, &chrony::seen(&call.session, running).await)
}

/// The reference's number, its address, and our stratum.
fn reference(follows: Follows) -> (String, String, u8) {
    match follows {
        Follows::Nobody => ("00000000".to_owned(), String::new(), 0),
        Follows::Itself(stratum) => ("7F7F0101".to_owned(), String::new(), stratum),
        Follows::Server(server) => {
            let number = u32::from(server);
            (format!("{number:08X}"), server.to_string(), chrony::stratum_of(server) + 1)
        }
    }
}

fn tracking(follows: Follows, manner: Manner) -> String {
    let (number, address, stratum) = reference(follows);
    let (offset, delay, leap) = match follows {
        Follows::Server(_) => ("0.000001262", "0.000412000", "Normal"),
        Follows::Itself(_) => ("0.000000000", "0.000000000", "Normal"),
        Follows::Nobody => ("0.000000042", "1.000000000", "Not synchronised"),
    };
    if manner.csv {
        return format!(
            "{number},{address},{stratum},1785758400.000000000,{offset},0.000000841,0.000003105,12.221,0.001,0.012,{delay},{delay},16.2,{leap}\n"
        );
    }
    format!(
        "Reference ID    : {number} ({address})\nStratum         : {stratum}\n\
         Ref time (UTC)  : Mon Aug 03 12:00:00 2026\nSystem time     : {offset} seconds fast of NTP time\n\
         Last offset     : +0.000000841 seconds\nRMS offset      : 0.000003105 seconds\n\
         Frequency       : 12.221 ppm slow\nResidual freq   : +0.001 ppm\nSkew            : 0.012 ppm\n\
         Root delay      : {delay} seconds\nRoot dispersion : {delay} seconds\nUpdate interval : 16.2 seconds\n\
         Leap status     : {leap}\n"
    )
}

fn sources(seen: &[Seen], follows: Follows, manner: Manner) -> String {
    let mut out = String::new();
    if !manner.csv {
        out += "MS Name/IP address         Stratum Poll Reach LastRx Last sample               \n";
        out += "===============================================================================\n";
    }
    for one in seen {
        let chosen = one.address.is_some_and(|address| follows == Follows::Server(address));
        let state = if chosen {
            '*'
        } else if one.answers && matches!(follows, Follows::Server(_)) {
            '+'
        } else {
            '?'
        };
        let shown = match one.address {
            Some(address) if manner.numbers => address.to_string(),
            _ => one.name.clone(),
        };
        let stratum = one.address.filter(|_| one.answers).map_or(0, chrony::stratum_of);
        // The last eight exchanges, a bit for each that was answered.
        let reach = if one.answers { (1_u32 << one.exchanges.min(8)) - 1 } else { 0 };
        out += &match (manner.csv, one.answers) {
            (true, _) => format!("^,{state},{shown},{stratum},4,{reach:o},9,0.000000841,0.000001262,0.000412000\n"),
            (false, true) => {
                format!("^{state} {shown:<27} {stratum:>2}   4   {reach:>3o}     9   +841ns[+1262ns] +/-  412us\n")
            }
            (false, false) => format!("^{state} {shown:<27}  0   4     0     -     +0ns[   +0ns] +/-    0ns\n"),
        };
    }
    out
}

/// `waitsync [tries [max-correction [max-skew [interval]]]]`: only a source counts, never the own clock.
async fn waitsync(call: &Call, limits: &[&str]) -> Answer {
    let numbers: Option<Vec<f64>> = limits.iter().map(|word| word.parse().ok()).collect();
    let Some(numbers) = numbers else {
        return Answer { out: "Invalid syntax for waitsync command\n".to_owned(), code: 1, ..Answer::default() };
    };
    let tries = numbers.first().copied().unwrap_or(0.0);
    let interval = Duration::from_secs_f64(numbers.get(3).copied().unwrap_or(10.0).clamp(0.1, 3600.0));
    let machine = &call.session.machine;
    let (mut out, mut number) = (String::new(), 1.0);
    loop {
        let Some(running) = machine.with(|state| state.chrony.clone()) else {
            return Answer { out: out + "506 Cannot talk to daemon\n", code: 1, ..Answer::default() };
        };
        let found = follows(call, &running).await;
        let synchronised = matches!(found, Follows::Server(_));
        let correction = if synchronised { "0.000001262" } else { "0.000000000" };
        out += &format!("try: {number}, refid: {}, correction: {correction}, skew: 0.012\n", reference(found).0);
        if synchronised {
            return Answer::ok(out);
        }
        if tries > 0.0 && number >= tries {
            return Answer { out, code: 1, ..Answer::default() };
        }
        number += 1.0;
        machine.clock.reach(machine.clock.now() + interval).await;
    }
}

/// `chronyd -p [-f FILE]`, which prints a configuration or what is wrong with it, and `chronyd -Q [-t SECONDS]
/// DIRECTIVE…`, which asks and changes nothing.
pub fn chronyd(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let machine = &call.session.machine;
        let (mut file, mut limit, mut only_print, mut only_ask) =
            (chrony::file_of(machine.image).to_owned(), 10, false, false);
        let mut lines = Vec::new();
        let mut rest = call.arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-f" => file = rest.next().cloned().unwrap_or_default(),
                "-t" => limit = rest.next().and_then(|text| text.parse().ok()).unwrap_or(limit),
                "-p" => only_print = true,
                "-Q" => only_ask = true,
                "-U" | "-x" | "-4" | "-6" => {}
                flag if flag.starts_with('-') => {
                    return Answer::fail(1, format!("chronyd: practice does not know {flag}\n"));
                }
                line => lines.push(line.to_owned()),
            }
        }
        let read = if lines.is_empty() {
            Chronyd::read(&machine.disk, &call.path(&file).display().to_string()).await
        } else {
            Chronyd::of_lines(&machine.disk, &lines).await
        };
        match read {
            Err(why) => Answer::fail(1, format!("2026-08-03T12:00:00Z Fatal error : {why}\n")),
            Ok(_) if only_print => Answer::ok(machine.disk.text(call.path(&file)).await.unwrap_or_default()),
            Ok(asked) if only_ask => ask(&call, &asked, limit).await,
            Ok(_) => Answer::fail(1, "Fatal error : Another chronyd may already be running\n"),
        }
    })
}

async fn ask(call: &Call, asked: &Chronyd, limit: u64) -> Answer {
    let seen = chrony::seen(&call.session, asked).await;
    let begin =
        "2026-08-03T12:00:00Z chronyd version 4.3 starting\n2026-08-03T12:00:00Z Disabled control of system clock\n";
    let answered: Option<Ipv4Addr> = seen.iter().find(|one| one.answers).and_then(|one| one.address);
    match answered {
        Some(_) => Answer {
            err: format!(
                "{begin}2026-08-03T12:00:00Z System clock wrong by -0.000001 seconds (ignored)\n\
                 2026-08-03T12:00:00Z chronyd exiting\n"
            ),
            ..Answer::default()
        },
        None => {
            let machine = &call.session.machine;
            machine.clock.reach(machine.clock.now() + Duration::from_secs(limit)).await;
            Answer::fail(
                1,
                format!("{begin}2026-08-03T12:00:10Z Timeout reached\n2026-08-03T12:00:10Z chronyd exiting\n"),
            )
        }
    }
}

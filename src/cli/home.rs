//! `onramp` and `onramp open NAME`: the terminal.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use tokio::runtime::Runtime;

use super::context::{self, Context, DEFAULT_RUNBOOK};
use super::failure::{Failure, Kind};
use super::session::{self, Session};
use super::{Everywhere, new, print};
use crate::engagement::At;
use crate::engine::{Clock, Handle};
use crate::ui::{self, Depth, Desk, Doors, Edition, EngagementCard, Look, Options};

/// Shows the list of engagements, or one of them.
pub fn show(context: &Context, everywhere: &Everywhere, name: Option<&str>) -> Result<ExitCode, Failure> {
    let runtime = session::runtime()?;
    let mut doors = Real { context: context.clone(), everywhere: everywhere.clone(), runtime: runtime.clone() };
    need_terminal()?;
    let open = match name {
        Some(name) => Some(Session::open_or_follow(context, everywhere, name, runtime.clone())?.handle),
        None => None,
    };
    let desk = Desk { engagements: doors.cards(), open, doors: Box::new(doors) };
    run(context, everywhere, &runtime, desk, false)
}

/// Runs the terminal until the person leaves, and says in the shell where it stopped.
///
/// # Errors
/// There is no terminal, the theme is no theme, or the terminal went away.
pub fn run(
    context: &Context,
    everywhere: &Everywhere,
    runtime: &Arc<Runtime>,
    desk: Desk,
    practice: bool,
) -> Result<ExitCode, Failure> {
    let options = Options {
        look: look(context, everywhere)?,
        practice,
        customer: if practice { "practice".to_owned() } else { String::new() },
        utc_offset: utc_offset(),
        terminated: Some(terminated(runtime)),
    };
    let exit = ui::run(desk, options).map_err(|error| Failure::usage(error.to_string()))?;
    if let (Some(name), Some(broken)) = (&exit.engagement, exit.broken) {
        return Err(Failure::cut_off(broken, &exit.doubts, &context.reach(name, practice)));
    }
    if let Some(name) = &exit.engagement {
        let go_on = context.reach(name, practice).put("go on with: onramp open NAME");
        print::line(&format!("{name}: {}\n{go_on}", exit.said))?;
    }
    match exit.interrupted {
        true => Err(Failure::new(Kind::Interrupted, "interrupted; everything recorded so far is kept")),
        false => Ok(ExitCode::SUCCESS),
    }
}

/// # Errors
/// Standard input or output is no terminal; says what works instead.
pub fn need_terminal() -> Result<(), Failure> {
    if std::io::stdout().is_terminal() && std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage("the screen needs a terminal").hint("without one: the commands status, plan, run and input"))
}

/// The theme by flag, by variable, or by the terminal's background where it says what that is.
fn look(context: &Context, everywhere: &Everywhere) -> Result<Look, Failure> {
    let depth = depth(context);
    let utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| context.variable(name))
        .is_none_or(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"));
    let ascii = everywhere.ascii || !utf8 || context.variable("TERM") == Some("dumb");
    let named = everywhere.theme.as_deref().or_else(|| context.variable("ONRAMP_THEME")).map(str::to_owned);
    let name = named.or_else(|| configured(context)).unwrap_or_else(|| by_background(context, depth).to_owned());
    let path = std::path::Path::new(&name);
    let look = if path.extension().is_some() {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("theme {}: {error}", path.display())))?;
        Look::read(&name, &text, depth, ascii)
    } else {
        Look::named(&name, depth, ascii)
    };
    look.map_err(|error| Failure::usage(error.to_string()))
}

/// `theme: light` in `config.yaml` of the configuration folder.
fn configured(context: &Context) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Config {
        theme: Option<String>,
    }
    let text = std::fs::read_to_string(context.config.join("config.yaml")).ok()?;
    serde_yaml::from_str::<Config>(&text).ok()?.theme
}

/// What the terminal itself says; else `COLORFGBG`, which is `foreground;background` and set by several terminals: 7 and
/// 15 are light backgrounds. Where no colour is shown nothing is asked.
fn by_background(context: &Context, depth: Depth) -> &'static str {
    if depth == Depth::Without {
        return "dark";
    }
    if let Some(background) = ui::background() {
        return background.theme();
    }
    let background = context.variable("COLORFGBG").and_then(|colours| colours.rsplit(';').next()?.parse::<u8>().ok());
    if matches!(background, Some(7 | 15)) { "light" } else { "dark" }
}

/// `NO_COLOR` (no-color.org) means no colour at all, whatever its value, unless it is empty.
fn depth(context: &Context) -> Depth {
    let term = context.variable("TERM").unwrap_or_default();
    if context.variable("NO_COLOR").is_some() || term == "dumb" {
        return Depth::Without;
    }
    match context.variable("COLORTERM") {
        Some("truecolor" | "24bit") => Depth::True,
        _ if term.contains("256color") => Depth::Indexed,
        _ => Depth::Sixteen,
    }
}

/// Minutes that the clock on the wall here is before UTC.
pub fn utc_offset() -> i32 {
    jiff::Zoned::now().offset().seconds() / 60
}

/// SIGTERM and SIGHUP end the program in order: what is recorded stays, the terminal is given back.
fn terminated(runtime: &Arc<Runtime>) -> Receiver<()> {
    let (sender, receiver) = channel();
    #[cfg(unix)]
    runtime.spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
            return;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = hangup.recv() => {}
        }
        let _ = sender.send(());
    });
    receiver
}

/// Engagements of this machine, against AWS and real hosts.
struct Real {
    context: Context,
    everywhere: Everywhere,
    runtime: Arc<Runtime>,
}

impl Doors for Real {
    fn open(&mut self, name: &str) -> Result<Handle, String> {
        let session = Session::open_or_follow(&self.context, &self.everywhere, name, self.runtime.clone());
        session.map(|session| session.handle).map_err(|failure| {
            let hints = failure.hints.into_iter();
            std::iter::once(failure.message).chain(hints).collect::<Vec<_>>().join(". ")
        })
    }

    fn create(&mut self, name: &str) -> Result<Handle, String> {
        let make = || -> Result<(), Failure> {
            let files = context::runbook_files(DEFAULT_RUNBOOK)?;
            let runbook = context::usable(&files)?;
            new::begin(&self.context, name, files, &runbook, false).map(drop)
        };
        make().map_err(|failure| failure.message)?;
        self.open(name)
    }

    fn cards(&mut self) -> Vec<EngagementCard> {
        cards(&self.context)
    }

    fn edition(&self, id: &str, digest: &str) -> Option<Edition> {
        edition(id, digest)
    }

    fn reached(&self, engagement: &str, text: &str) -> String {
        self.context.reach(engagement, false).put(text)
    }

    fn now(&self) -> At {
        Clock::default().now()
    }
}

/// Another edition of the runbook than the one that is walked.
pub fn edition(id: &str, digest: &str) -> Option<Edition> {
    let (files, runbook) = context::shipped_edition(id, digest)?;
    Some(Edition { files, runbook: Arc::new(runbook) })
}

/// Every engagement, the one last touched first.
pub fn cards(context: &Context) -> Vec<EngagementCard> {
    let mut cards: Vec<EngagementCard> = context
        .names()
        .into_iter()
        .map(|name| match session::look(context, &name) {
            // An imported engagement may have another name here than where it began.
            Ok((engagement, runbook, holder)) => {
                EngagementCard { name, ..EngagementCard::of(&engagement, &runbook, holder) }
            }
            Err(failure) => EngagementCard { name, trouble: Some(failure.message), ..EngagementCard::default() },
        })
        .collect();
    cards.sort_by_key(|card| std::cmp::Reverse(card.last));
    cards
}

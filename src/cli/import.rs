//! `onramp import FILE`: go on with an engagement that a colleague handed over.

use std::path::PathBuf;
use std::process::ExitCode;

use super::context::Context;
use super::failure::Failure;
use super::{passphrase, print};
use crate::engine::Clock;
use crate::journal::{Bundle, Reader, Unlocking};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file that onramp export made
    file: PathBuf,
    /// What it is called here, where that name is taken. What it made keeps its tags
    #[arg(long)]
    pub name: Option<String>,
    /// The first line of this file opens it, instead of a typed passphrase
    #[arg(long, value_name = "FILE", conflicts_with = "identity")]
    passphrase_file: Option<PathBuf>,
    /// The file of your age key, where it was locked for you
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let file = &arguments.file;
    if !file.exists() {
        return Err(Failure::usage(format!("there is no file {}", file.display())));
    }
    let unlocking = match &arguments.identity {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
            Unlocking::identities(&text)?
        }
        None => Unlocking::Passphrase(passphrase::existing(arguments.passphrase_file.as_deref())?),
    };
    let bundle = Bundle::open(file, &unlocking)?;
    let header = bundle.header().clone();
    let (holder, now, actor) = (context.holder(), Clock::default().now(), context.actor());
    // Until it is here: a second one of the same engagement, at the same moment, finds it.
    let _turn = context.turn()?;
    let name = match copy_here(context, &header.id)? {
        Some(name) if arguments.name.as_ref().is_some_and(|wanted| *wanted != name) => {
            return Err(Failure::usage(format!(
                "this engagement was handed over from here, where it is called {name}"
            ))
            .hint("leave --name away: what is in the file takes that place"));
        }
        Some(name) => {
            bundle.bring_back(&context.folder(&name)?, &holder, (now, &actor))?;
            name
        }
        None => {
            let name = arguments.name.clone().unwrap_or_else(|| header.name.clone());
            bundle.import(&context.folder(&name)?, &holder, (now, &actor))?;
            name
        }
    };
    print::line(&format!("{name} is here, with {} events, as {} left it at {}.", header.seq, header.by, header.at))?;
    print::line(&context.reach(&name, false).put("go on with: onramp open NAME"))?;
    if let Some(salvaged) = &header.salvaged {
        print::say(&format!("it was saved from a damaged file: {salvaged}"));
    }
    print::say(&format!(
        "work on it here only: {} must not go on with it. Secrets are not in the file; the missing ones are asked for",
        header.by
    ));
    Ok(ExitCode::SUCCESS)
}

/// The copy of this engagement that was handed over from here, which what is in the file may replace.
///
/// # Errors
/// It is here, and was not handed over: two copies would make everything twice.
fn copy_here(context: &Context, id: &str) -> Result<Option<String>, Failure> {
    let mut handed_over = None;
    for name in context.names() {
        // One that cannot be read cannot be walked either; its saved events may be taken up beside it.
        let Ok(glance) = Reader::glance(&context.folder(&name)?) else { continue };
        if glance.engagement.identity.id != id {
            continue;
        }
        if glance.away.is_none() {
            return Err(Failure::usage(format!(
                "this engagement is here already, as {name}: two copies would not know of each other and do things twice"
            ))
            .hint(context.reach(&name, false).put("go on with: onramp open NAME"))
            .hint(format!(
                "only if nobody works on that copy any more: move {} somewhere else, and import again",
                context.folder(&name)?.display()
            )));
        }
        handed_over = Some(name);
    }
    Ok(handed_over)
}

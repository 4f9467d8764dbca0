//! `onramp export NAME FILE`: hand an engagement to a colleague, or save what can be read of a damaged one.

use std::path::PathBuf;
use std::process::ExitCode;

use super::context::Context;
use super::failure::Failure;
use super::{passphrase, print};
use crate::engine::Clock;
use crate::journal::{Header, Locking, Reader, Writer, export, export_salvaged};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file holds everything but secrets, which stay where they are. Two machines must never work on one \
engagement: with the export this one is marked as handed over, and refuses to go on until it is taken back or imported \
again."
)]
pub struct Arguments {
    pub name: String,
    /// Where to; it must not be there yet
    #[arg(value_name = "FILE", required_unless_present = "take_back")]
    file: Option<PathBuf>,
    /// The first line of this file locks it, instead of a typed passphrase
    #[arg(long, value_name = "FILE", conflicts_with = "recipient")]
    passphrase_file: Option<PathBuf>,
    /// Lock it for the owner of this age key (age1…); may be repeated
    #[arg(long, value_name = "KEY")]
    recipient: Vec<String>,
    /// Only keep the file safe: this machine goes on with the engagement
    #[arg(long)]
    keep: bool,
    /// Save what can still be read of a damaged state file; it is not changed
    #[arg(long, conflicts_with = "keep")]
    salvage: bool,
    /// Go on here after all: nobody uses the file it was handed over in
    #[arg(long, conflicts_with_all = ["file", "keep", "salvage", "recipient", "passphrase_file"])]
    take_back: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let name = &arguments.name;
    let folder = context.folder(name)?;
    let (now, actor) = (Clock::default().now(), context.actor());
    let Some(file) = arguments.file.as_ref().filter(|_| !arguments.take_back) else {
        if Reader::glance(&folder)?.away.is_none() {
            print::line(&format!("{name} was not handed over: it is worked on here, and nothing was changed"))?;
            return Ok(ExitCode::SUCCESS);
        }
        Writer::take_back(&folder, &context.holder(), now, &actor)?;
        print::line(&format!("{name} is worked on here again. Do not import the file any more"))?;
        return Ok(ExitCode::SUCCESS);
    };
    if arguments.salvage {
        let header = export_salvaged(&folder, file, locking(arguments)?, (now, &actor))?;
        print::line(&format!("{} is written: {}", file.display(), header.salvaged.unwrap_or_default()))?;
        print::say(&format!("take it up under another name: onramp import {} --name NAME", file.display()));
        print::say("before you go on, look at what the lost events may have changed: its plan shows what is there");
        return Ok(ExitCode::SUCCESS);
    }
    // Whoever holds it is asked for before a passphrase is.
    let writer = Writer::open(&folder, &context.holder())?;
    let header = export(&writer, file, locking(arguments)?, (now, &actor), !arguments.keep)?;
    print::line(&context.reach(name, false).put(&said(arguments, file, &header)))?;
    Ok(ExitCode::SUCCESS)
}

fn locking(arguments: &Arguments) -> Result<Locking, Failure> {
    if arguments.recipient.is_empty() {
        return Ok(Locking::Passphrase(passphrase::new(arguments.passphrase_file.as_deref())?));
    }
    Ok(Locking::recipients(&arguments.recipient)?)
}

fn said(arguments: &Arguments, file: &std::path::Path, header: &Header) -> String {
    let (name, file) = (&arguments.name, file.display());
    let events = crate::text::count(usize::try_from(header.seq).unwrap_or(usize::MAX), "event");
    if arguments.keep {
        return format!(
            "{file} is written, with {events}. {name} goes on here: never work on a copy of it at the same time"
        );
    }
    format!(
        "{file} is written, with {events}. {name} is handed over: it goes on where the file is imported, and no more \
         here.\nthere: onramp import {file}\nhere again, if nobody imports it: onramp export NAME --take-back"
    )
}

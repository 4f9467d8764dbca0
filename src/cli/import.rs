//! `onramp import FILE`: go on with an engagement that a colleague handed over.

use std::path::PathBuf;
use std::process::ExitCode;

use super::context::Context;
use super::failure::Failure;
use super::{passphrase, print};
use crate::engine::Clock;
use crate::journal::{Bundle, Unlocking};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file that onramp export made
    file: PathBuf,
    /// Another name for it here
    #[arg(long)]
    name: Option<String>,
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
    let name = arguments.name.clone().unwrap_or_else(|| header.name.clone());
    bundle.import(&context.folder(&name)?, &context.holder(), (Clock::default().now(), &context.actor()))?;
    print::line(&format!(
        "{name} is here, with {} events, as {} left it at {}.\ngo on with: onramp open {name}",
        header.seq, header.by, header.at
    ))?;
    if let Some(salvaged) = &header.salvaged {
        print::say(&format!("it was saved from a damaged file: {salvaged}"));
    }
    print::say(&format!(
        "work on it here only: {} must not go on with it. Secrets are not in the file; the missing ones are asked for",
        header.by
    ));
    Ok(ExitCode::SUCCESS)
}

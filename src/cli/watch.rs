//! `onramp watch NAME`: follow an engagement that somebody works on. It goes on until it is interrupted.

use std::process::ExitCode;

use super::context::Context;
use super::failure::Failure;
use super::print::{self, Stream};
use super::session::{self, Follower, Session};
use super::status;
use crate::engine::Notice;
use crate::journal::Reader;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// text: what happens from now on; jsonl: every event from the first on
    #[arg(long, value_enum, default_value = "text")]
    format: Stream,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let name = &arguments.name;
    let session = Session::follow(context, name, session::runtime()?)?;
    let mut follower = Follower::new(&session);
    match arguments.format {
        Stream::Text => drop(status::one_text(context, name)?),
        Stream::Jsonl => {
            for one in Reader::open(&context.folder(name)?)?.since(0)? {
                if one.seq <= follower.engagement.seq {
                    print::json_line(&one)?;
                }
            }
        }
    }
    while let Ok(notice) = session.feed.recv() {
        match notice {
            Notice::Recorded(recorded) => {
                follower.fold(&recorded);
                match arguments.format {
                    Stream::Jsonl => print::json_line(&recorded)?,
                    Stream::Text => follower.line(&recorded).map_or(Ok(()), |line| print::line(&line))?,
                }
            }
            Notice::HeldBy(Some(holder)) => print::say(&format!("{holder} holds {name}")),
            Notice::HeldBy(None) => print::say(&format!("nobody holds {name} now; waiting for whoever opens it")),
            Notice::Broken(broken) => return Err(broken.into()),
            Notice::Closed => break,
            _ => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

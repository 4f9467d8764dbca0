//! `onramp new NAME`: begin an engagement.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use super::answers::{self, Asked};
use super::context::{self, Context, DEFAULT_RUNBOOK};
use super::failure::Failure;
use super::{Everywhere, neighbours, print, session};
use crate::engagement::{Event, RunbookFile};
use crate::engine::Clock;
use crate::journal::Writer;
use crate::runbook::Runbook;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Lower-case letters, digits and hyphens, as in acme-prod
    pub name: String,
    /// A runbook inside onramp, or the path of one
    #[arg(long, default_value = DEFAULT_RUNBOOK)]
    runbook: String,
    /// YAML file of inputs
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// The customer's AWS account, twelve digits
    #[arg(long, value_name = "ID")]
    account: Option<String>,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let files = context::runbook_files(&arguments.runbook)?;
    let runbook = context::usable(&files)?;
    let asked = Asked::new(&runbook, session::setting(false));
    let mut given = Vec::new();
    let flags = [
        ("--account", "aws.account_id", "account-id", &arguments.account),
        ("--region", "aws.region_primary", "region", &everywhere.region),
    ];
    for (flag, id, kind, value) in flags {
        if let Some(value) = value {
            declared(&runbook, flag, id, kind)?;
            let argument = [format!("{id}={value}")];
            given.extend(answers::from_arguments(&argument, &asked)?.inputs);
        }
    }
    let mut sign_offs = Vec::new();
    if let Some(path) = &arguments.answers {
        let answers = answers::from_file(path, &asked)?;
        given.extend(answers.inputs);
        sign_offs = answers.sign_offs;
    }
    let mut writer = begin(context, &arguments.name, files, &runbook, false)?;
    if let Some(said) = writer.greeting() {
        print::say(&format!("careful: {said}"));
    }
    let differs = neighbours::differ(context, &arguments.name, writer.engagement(), &given);
    let stored = differs.and_then(|()| session::give(&mut writer, &runbook, &context.actor(), given));
    if let Err(failure) = stored {
        // Nothing half-made stays behind: the engagement is a minute old and holds nothing.
        drop(writer);
        let _ = std::fs::remove_dir_all(context.folder(&arguments.name)?);
        return Err(failure);
    }
    if !sign_offs.is_empty() {
        print::say("sign-offs in the file are taken by onramp run --answers, when their turn comes");
    }
    let reach = context.reach(&arguments.name, false).without("--region");
    print::line(&reach.put(&format!("{} begins. Go on with: onramp open NAME", arguments.name)))?;
    Ok(ExitCode::SUCCESS)
}

/// The account and the region are inputs like any other: what the runbook does not declare has nowhere to go.
fn declared(runbook: &Runbook, flag: &str, id: &str, kind: &str) -> Result<(), Failure> {
    if runbook.fields.keys().any(|known| known.as_str() == id) {
        return Ok(());
    }
    let why = format!("{flag} gives the input {id}, and the runbook {} does not declare it", runbook.id);
    Err(Failure::usage(why)
        .hint(format!("declare it under inputs: {{id: {id}, label: ..., kind: {kind}}}, and ask for it in a form"))
        .hint(format!("a runbook that changes nothing in AWS needs none: leave {flag} away")))
}

/// Makes the state file with its first two events.
///
/// # Errors
/// The name is taken or no name, or the folder cannot be written.
pub fn begin(
    context: &Context,
    name: &str,
    files: Vec<RunbookFile>,
    runbook: &Runbook,
    practice: bool,
) -> Result<Writer, Failure> {
    let folder = context.folder(name)?;
    let mut writer = Writer::create(&folder, &context.holder())?;
    let events = vec![Event::Began { name: name.to_owned(), id: random_id()?, practice }, taken(runbook, files)];
    writer.append(Clock::default().now(), &context.actor(), events)?;
    Ok(writer)
}

/// The runbook as a new engagement takes it.
fn taken(runbook: &Runbook, files: Vec<RunbookFile>) -> Event {
    let (moved, outdated, unfit) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    Event::RunbookTaken { id: runbook.id.clone(), digest: runbook.digest.clone(), files, moved, outdated, unfit }
}

/// Sixteen hexadecimal digits: two engagements for one customer differ.
fn random_id() -> Result<String, Failure> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::usage(format!("this machine gives no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

//! The wiring, one file a command.
//!
//! Uses: everything.
//!
//! Deliberately absent: rules of the domain. A command reads arguments, asks the rooms below, and prints.

mod answers;
mod check;
mod completions;
mod context;
mod diagnose;
mod doctor;
mod exclude;
mod export;
mod failure;
mod home;
mod import;
mod input;
mod kinds;
mod login;
mod neighbours;
mod new;
mod operations;
mod panics;
mod passphrase;
mod permissions;
mod plan;
#[cfg(feature = "practice")]
mod practice;
mod print;
mod reach;
mod run;
mod schema;
mod secret;
mod session;
mod session_clock;
mod settle;
mod sign;
mod status;
mod undo;
mod unseen;
mod update;
mod verify;
mod wait;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::aws::is_http_url;
use context::Context;
use failure::Failure;
use reach::Reach;

/// Walks a cloud engineer through putting a customer onto a managed cloud in the customer's AWS account.
///
/// Without a command it shows every engagement. Try it with nothing at all: onramp practice
#[derive(Debug, Parser)]
#[command(name = "onramp", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    everywhere: Everywhere,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Everywhere {
    /// Folder that holds the engagements
    #[arg(long, global = true, env = "ONRAMP_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Send every AWS call there instead of to AWS
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint_url)]
    endpoint_url: Option<String>,
    /// Profile of the AWS configuration
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// AWS region, where the engagement does not say
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// File of known host keys, beside ~/.ssh/known_hosts; may be repeated
    #[arg(long, global = true, value_name = "FILE")]
    known_hosts: Vec<PathBuf>,
    /// SSH config to read instead of the usual ones; none reads none
    #[arg(long, global = true, env = "ONRAMP_SSH_CONFIG", value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    ascii: bool,
    /// dark, light, high-contrast, colour-blind, or a file
    #[arg(long, global = true, value_name = "THEME")]
    theme: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin an engagement
    New(new::Arguments),
    /// Open an engagement in the terminal, where it was left; read along while somebody else holds it
    Open { name: String },
    /// Follow an engagement that somebody works on; changes nothing
    Watch(watch::Arguments),
    /// Run what is ready, without a screen
    Run(run::Arguments),
    /// Say every change that would be made, and make none
    Plan(plan::Arguments),
    /// Say where engagements stand
    Status(status::Arguments),
    /// Give inputs, all or none of them
    Input(input::Arguments),
    /// Keep secrets, and say where they live
    Secret(secret::Arguments),
    /// Sign off a step that a person did
    Sign(sign::Arguments),
    /// Go on without hosts, or with them again; without a host, list which ones failed
    Exclude(exclude::Arguments),
    /// List who must move, say until when, or put a step on waiting
    Wait(wait::Arguments),
    /// Check again everything that is done
    Verify(verify::Arguments),
    /// Find out what is the matter with a step; changes nothing
    Diagnose(diagnose::Arguments),
    /// Take changes back, after saying which
    Undo(undo::Arguments),
    /// Say what became of a change that was cut off
    Settle(settle::Arguments),
    /// Hand an engagement to a colleague, in one encrypted file
    Export(export::Arguments),
    /// Take an engagement over from a file that onramp export made
    Import(import::Arguments),
    /// Take another edition of the runbook, after it was shown what changed
    Update(update::Arguments),
    /// Look for mistakes in runbooks
    Check(check::Arguments),
    /// Print a JSON Schema
    Schema(schema::Arguments),
    /// Try everything against a cloud and hosts inside this program
    #[cfg(feature = "practice")]
    Practice(practice::Arguments),
    /// Say what is wrong with this machine's set-up, and what to do
    Doctor(doctor::Arguments),
    /// Print a completion script
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

impl Everywhere {
    /// What another call must be given, too, to reach the same engagement. What comes from the environment is there then.
    fn options(&self) -> reach::Options {
        let from_environment = std::env::var_os("ONRAMP_DATA_DIR").map(PathBuf::from);
        let data = self.data_dir.as_ref().filter(|data| from_environment.as_ref() != Some(data));
        reach::Options::new([
            (reach::DATA, data.map(|data| data.display().to_string())),
            ("--endpoint-url", self.endpoint_url.clone()),
            ("--profile", self.profile.clone()),
            ("--region", self.region.clone()),
        ])
    }
}

impl Command {
    /// The engagement that it is about, by its name.
    fn engagement(&self) -> Option<&str> {
        Some(match self {
            Command::New(arguments) => &arguments.name,
            Command::Open { name } => name,
            Command::Watch(arguments) => &arguments.name,
            Command::Run(arguments) => &arguments.name,
            Command::Plan(arguments) => &arguments.name,
            Command::Status(arguments) => arguments.name.as_ref()?,
            Command::Input(arguments) => &arguments.name,
            Command::Secret(arguments) => &arguments.name,
            Command::Sign(arguments) => &arguments.name,
            Command::Exclude(arguments) => &arguments.name,
            Command::Wait(arguments) => &arguments.name,
            Command::Verify(arguments) => &arguments.name,
            Command::Diagnose(arguments) => arguments.name.as_ref()?,
            Command::Undo(arguments) => &arguments.name,
            Command::Settle(arguments) => &arguments.name,
            Command::Export(arguments) => &arguments.name,
            Command::Import(arguments) => arguments.name.as_ref()?,
            Command::Update(arguments) => &arguments.name,
            #[cfg(feature = "practice")]
            Command::Practice(_) => return None,
            Command::Check(_)
            | Command::Schema(_)
            | Command::Doctor(_)
            | Command::Completions { .. }
            | Command::Man => {
                return None;
            }
        })
    }

    fn reach(&self, context: &Context) -> Option<Reach> {
        #[cfg(feature = "practice")]
        if let Command::Practice(_) = self {
            return Some(context.practice().reach("practice", true));
        }
        Some(context.reach(self.engagement()?, false))
    }
}

fn endpoint_url(text: &str) -> Result<String, String> {
    match is_http_url(text) {
        true => Ok(text.to_owned()),
        false => Err("an endpoint is written with its scheme, such as http://127.0.0.1:5000".to_owned()),
    }
}

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    leave_no_dump();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match dispatch(arguments) {
        Ok(code) => code,
        Err(failure) => {
            print::say(&failure.to_string());
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Secrets are in memory: a crash must not write it to a disk, and no other program of this user may read it. A machine
/// that allows neither of the two still runs onramp.
fn leave_no_dump() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

fn dispatch(arguments: Arguments) -> Result<ExitCode, Failure> {
    let everywhere = arguments.everywhere;
    let context = Context::read(&everywhere)?;
    let reach = arguments.command.as_ref().and_then(|command| command.reach(&context));
    let ended = carry_out(&context, &everywhere, arguments.command);
    ended.map_err(|failure| match reach {
        Some(reach) => failure.within(&reach),
        None => failure,
    })
}

fn carry_out(context: &Context, everywhere: &Everywhere, command: Option<Command>) -> Result<ExitCode, Failure> {
    match command {
        None => home::show(context, everywhere, None),
        Some(Command::Open { name }) => home::show(context, everywhere, Some(&name)),
        Some(Command::New(arguments)) => new::run(context, everywhere, &arguments),
        Some(Command::Watch(arguments)) => watch::run(context, &arguments),
        Some(Command::Export(arguments)) => export::run(context, &arguments),
        Some(Command::Import(arguments)) => import::run(context, &arguments),
        Some(Command::Run(arguments)) => run::run(context, everywhere, &arguments),
        Some(Command::Plan(arguments)) => plan::run(context, everywhere, &arguments),
        Some(Command::Status(arguments)) => status::run(context, &arguments),
        Some(Command::Input(arguments)) => input::run(context, &arguments),
        Some(Command::Secret(arguments)) => secret::run(context, everywhere, &arguments),
        Some(Command::Sign(arguments)) => sign::run(context, &arguments),
        Some(Command::Exclude(arguments)) => exclude::run(context, &arguments),
        Some(Command::Wait(arguments)) => wait::run(context, everywhere, &arguments),
        Some(Command::Verify(arguments)) => verify::run(context, everywhere, &arguments),
        Some(Command::Diagnose(arguments)) => diagnose::run(context, everywhere, &arguments),
        Some(Command::Undo(arguments)) => undo::run(context, everywhere, &arguments),
        Some(Command::Update(arguments)) => update::run(context, &arguments),
        Some(Command::Settle(arguments)) => settle::run(context, everywhere, &arguments),
        Some(Command::Check(arguments)) => check::run(&arguments),
        Some(Command::Schema(arguments)) => schema::run(&arguments),
        #[cfg(feature = "practice")]
        Some(Command::Practice(arguments)) => practice::run(context, everywhere, &arguments),
        Some(Command::Doctor(arguments)) => doctor::run(context, everywhere, &arguments),
        Some(Command::Completions { shell }) => completions::completions(shell, &mut Arguments::command()),
        Some(Command::Man) => completions::man(Arguments::command()),
    }
}

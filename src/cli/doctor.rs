//! `onramp doctor`: what is wrong with this machine's set-up, and what to do.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::{kinds, login, operations, print, session};
use crate::action;
use crate::aws::{AwsFailure, Cloud, Wiring};
use crate::engagement::At;
use crate::engine::Clock;
use crate::{journal, ssh, text};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Also log in to this host, as your SSH set-up says the way
    host: Option<String>,
    /// Print every AWS operation that onramp may send: how it is repeated, undone, permitted and tried
    #[arg(long, conflicts_with = "host")]
    aws_operations: bool,
    /// Print by what each AWS operation is served that the onboarding names: a kind, a type of resource, or a person
    #[arg(long, conflicts_with_all = ["host", "aws_operations"])]
    aws_coverage: bool,
    /// Print every kind of step and of input that a runbook may use, with what each takes and gives
    #[arg(long, conflicts_with_all = ["host", "aws_operations", "aws_coverage"])]
    kinds: bool,
    #[arg(long, value_enum, default_value = "text", requires = "aws_operations")]
    format: operations::Format,
}

/// For a script that does nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// One thing looked at.
struct Look {
    what: &'static str,
    /// `Err` says what is wrong and what to do.
    found: Result<String, String>,
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.aws_operations {
        return operations::show(arguments.format);
    }
    if arguments.aws_coverage {
        print::out(&action::coverage())?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.kinds {
        return kinds::show();
    }
    let mut looks = vec![
        Look { what: "terminal", found: terminal(context) },
        Look { what: "state folder", found: folder(&context.data) },
        Look { what: "AWS identity", found: session::runtime()?.block_on(identity(everywhere)) },
        Look { what: "SSH agent", found: session::runtime()?.block_on(agent(context)) },
        Look { what: "secrets", found: Ok(secrets(context)) },
        Look { what: "known hosts", found: known_hosts(context, everywhere) },
        Look { what: "SSH set-up", found: session::runtime()?.block_on(set_up(context, everywhere)) },
    ];
    if let Some(host) = &arguments.host {
        looks.push(Look { what: "way", found: session::runtime()?.block_on(way(context, everywhere, host)) });
    }
    let mut wrong = 0;
    for look in &looks {
        match &look.found {
            Ok(said) => print::line(&format!("ok     {:<13} {said}", look.what))?,
            Err(said) => {
                wrong += 1;
                print::line(&format!("wrong  {:<13} {said}", look.what))?;
            }
        }
    }
    match wrong {
        0 => Ok(ExitCode::SUCCESS),
        _ => {
            Err(Failure::new(Kind::StepFailed, "some of this will stand in your way; onramp practice needs none of it"))
        }
    }
}

fn terminal(context: &Context) -> Result<String, String> {
    if !std::io::stdout().is_terminal() {
        return Ok("not a terminal: onramp run, plan and status work, the screen does not".to_owned());
    }
    let (width, height) = crossterm::terminal::size().map_err(|error| error.to_string())?;
    if width < 60 || height < 16 {
        return Err(format!("{width}×{height} is too small; make it 80×24 or larger"));
    }
    let name = context.variable("TERM").unwrap_or("unknown");
    Ok(format!("{width}×{height}, {name}"))
}

fn folder(path: &Path) -> Result<String, String> {
    let advice = "choose another one with --data-dir or ONRAMP_DATA_DIR";
    std::fs::create_dir_all(path).map_err(|error| format!("{}: {error}; {advice}", path.display()))?;
    let probe = path.join(".doctor");
    std::fs::write(&probe, b"onramp").map_err(|error| format!("{}: {error}; {advice}", path.display()))?;
    let _ = std::fs::remove_file(&probe);
    if let Some(said) = journal::shared(path) {
        return Err(format!("{said}; {advice}"));
    }
    Ok(path.display().to_string())
}

async fn identity(everywhere: &Everywhere) -> Result<String, String> {
    let wiring = Wiring {
        region: everywhere.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
        profile: everywhere.profile.clone(),
        endpoint_url: everywhere.endpoint_url.clone(),
        codes: Some(Arc::new(login::Terminal)),
        ..Wiring::default()
    };
    let told = |failure: AwsFailure| format!("{failure} {}", failure.advice);
    let identity = Cloud::connect(wiring).await.map_err(told)?.identity().await.map_err(told)?;
    let now = Clock::default().now();
    let left = identity.expires.map(|end| text::duration(Duration::from_secs(At(end).since(now).as_secs())));
    let left = left.map(|left| format!(", for {left} more")).unwrap_or_default();
    Ok(format!("{} in account {}{left}", identity.arn, identity.account))
}

async fn agent(context: &Context) -> Result<String, String> {
    match &context.agent {
        None => Err("SSH_AUTH_SOCK is not set; start ssh-agent, or name a key file in net.ssh_key_ref".to_owned()),
        Some(socket) => match ssh::agent_keys(socket).await {
            Ok(keys) if keys.is_empty() => Err("the agent holds no key; ssh-add one, or name a key file".to_owned()),
            Ok(keys) => Ok(keys.join(", ")),
            Err(why) => Err(format!("the agent does not answer: {why}")),
        },
    }
}

/// Where the engineer's set-up is read, and what of that which counts for every host is not honoured.
async fn set_up(context: &Context, everywhere: &Everywhere) -> Result<String, String> {
    let config = session::ssh_settings(context, everywhere).config;
    let general = config.general().await?;
    let mut said = config.said();
    for remark in &general.remarks {
        said.push_str(&format!("; {remark}"));
    }
    let moot = config.moot().await?;
    if !moot.is_empty() {
        said.push_str(&format!("; without a meaning here: {}", moot.join(", ")));
    }
    Ok(format!("{said}; onramp doctor HOST tries the way to one"))
}

/// Logs in to a host by its alias or address: every hop is verified, and what a login asks is asked here.
async fn way(context: &Context, everywhere: &Everywhere, host: &str) -> Result<String, String> {
    let person: Arc<dyn ssh::Person> = Arc::new(login::Terminal);
    let settings = ssh::Settings { person: Some(person), ..session::ssh_settings(context, everywhere) };
    let pool = ssh::Pool::new(settings);
    let asked = ssh::Asked {
        name: host.to_owned(),
        address: host.to_owned(),
        port: None,
        user: None,
        identity: None,
        pins: Vec::new(),
    };
    let advised = |error: ssh::SshError| format!("{error}\n       {}", error.advice());
    let route = pool.route(&[asked]).await.map_err(advised)?;
    let hops = route.hops.iter().map(|hop| format!("{} ({}@{}:{})", hop.name, hop.user, hop.address, hop.port));
    let way = hops.chain(route.remarks.clone()).collect::<Vec<_>>().join("\n       ");
    let script = ssh::Script { text: "true".to_owned(), sudo: false, limit: PATIENCE, stdin_after: None };
    let (sink, _nobody) = tokio::sync::mpsc::channel(1);
    let ended = pool.run(&route, &script, &sink, &CancellationToken::new()).await;
    pool.close().await;
    match ended {
        Ok(exit) if exit.is_success() => Ok(format!("logged in\n       {way}")),
        Ok(exit) => Err(format!("logged in, but its shell ends with {exit:?}\n       {way}")),
        Err(error) => Err(format!("{}\n       {way}", advised(error))),
    }
}

/// Every store that does not work has another beside it, so none of them is wrong.
fn secrets(context: &Context) -> String {
    let sealed = match context.variable("ONRAMP_AGE_IDENTITY").map(|path| (path, std::fs::metadata(path))) {
        None => "opened with a passphrase".to_owned(),
        Some((path, Ok(_))) => format!("opened with {path}"),
        Some((path, Err(error))) => format!("but {path} of ONRAMP_AGE_IDENTITY cannot be read: {error}"),
    };
    let keyring = match action::keyring_works() {
        Ok(name) => format!("works ({name})"),
        Err(why) => format!("no: {why}"),
    };
    format!(
        "sealed file: works, {sealed}; keyring: {keyring}; AWS Secrets Manager: as the AWS identity above; prompt: works"
    )
}

fn known_hosts(context: &Context, everywhere: &Everywhere) -> Result<String, String> {
    let mut said = Vec::new();
    for path in &session::ssh_settings(context, everywhere).known_hosts {
        match std::fs::read(path) {
            Ok(text) => said.push(format!("{} ({} bytes)", path.display(), text.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(format!("{}: {error}; an unreadable file stops every connection", path.display()));
            }
        }
    }
    if said.is_empty() {
        Ok("none yet; each new host key is shown to you once".to_owned())
    } else {
        Ok(said.join(", "))
    }
}

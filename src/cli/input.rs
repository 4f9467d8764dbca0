//! `onramp input NAME ID=VALUE…`: give inputs, all or none; or list what is given and what is missing.

use std::path::PathBuf;
use std::process::ExitCode;

use super::answers;
use super::context::{Context, runbook_of};
use super::failure::Failure;
use super::{print, session};
use crate::journal::Writer;
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// As in net.ssh_port=22022; without any, the inputs are listed
    #[arg(value_name = "ID=VALUE")]
    given: Vec<String>,
    /// YAML file of inputs
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.given.is_empty() && arguments.file.is_none() {
        return list(context, &arguments.name);
    }
    let mut writer = Writer::open(&context.folder(&arguments.name)?, &context.holder())?;
    if let Some(greeting) = writer.greeting() {
        print::say(&greeting);
    }
    let runbook = runbook_of(writer.engagement())?;
    let setting = session::setting(writer.engagement());
    let mut given = answers::from_arguments(&arguments.given, &runbook, &setting)?.inputs;
    if let Some(path) = &arguments.file {
        given.extend(answers::from_file(path, &runbook, &setting)?.inputs);
    }
    let count = session::give(&mut writer, &runbook, &context.actor(), given)?;
    print::line(&format!("{} stored", text::count(count, "input")))?;
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context, name: &str) -> Result<ExitCode, Failure> {
    let (engagement, runbook, _) = session::look(context, name)?;
    for field in runbook.fields.values() {
        let value = match engagement.inputs.get(&field.id) {
            Some(given) => text::clip(&given.value.shown().replace('\n', "; "), 60),
            None => "-".to_owned(),
        };
        print::line(&format!("{:<28} {:<62} {}", field.id.as_str(), value, field.label))?;
    }
    Ok(ExitCode::SUCCESS)
}

//! `onramp schema WHAT`: JSON Schemas for editors.

use std::process::ExitCode;

use super::context::{self, DEFAULT_RUNBOOK};
use super::failure::Failure;
use super::print;
use crate::{runbook, ui};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[arg(value_enum)]
    what: What,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Of runbook files
    Runbook,
    /// Of answer files for the runbook inside onramp
    Answers,
    /// Of theme files
    Theme,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match arguments.what {
        What::Runbook => print::json(&runbook::runbook_schema())?,
        What::Answers => {
            let files = context::runbook_files(DEFAULT_RUNBOOK)?;
            print::json(&runbook::answers_schema(&context::usable(&files)?))?;
        }
        What::Theme => print::json(&ui::theme_schema())?,
    }
    Ok(ExitCode::SUCCESS)
}

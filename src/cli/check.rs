//! `onramp check PATH…`: what is wrong with a runbook, without starting anything.

use std::process::ExitCode;

use super::context::{self, DEFAULT_RUNBOOK};
use super::failure::Failure;
use super::print;
use crate::runbook::{Severity, Stats};
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files or folders; the runbook inside onramp when none is named
    paths: Vec<String>,
    /// Also say how many steps a machine checks, how many say why, and how many changes have an undo
    #[arg(long)]
    stats: bool,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let shipped = [DEFAULT_RUNBOOK.to_owned()];
    let paths = if arguments.paths.is_empty() { &shipped[..] } else { &arguments.paths[..] };
    let (mut errors, mut warnings) = (0, 0);
    for path in paths {
        let files = context::runbook_files(path)?;
        let (runbook, problems) = context::load(&files);
        for problem in &problems {
            match problem.severity {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
            }
            print::line(&problem.to_string())?;
        }
        if let Some(runbook) = runbook {
            let (phases, steps) = (runbook.phases.len(), runbook.steps().count());
            print::line(&format!("{path}: {}, {}", text::count(phases, "phase"), text::count(steps, "step")))?;
            if arguments.stats {
                print::line(&said(&Stats::of(&runbook)))?;
            }
        }
    }
    let said = format!("{}, {}", text::count(errors, "error"), text::count(warnings, "warning"));
    if errors > 0 {
        return Err(Failure::usage(said));
    }
    print::line(&said)?;
    Ok(ExitCode::SUCCESS)
}

fn said(stats: &Stats) -> String {
    format!(
        "    {} of {} have a machine check ({} %)\n    {} of {} say why\n    {} of {} have an undo ({} %)",
        stats.checked,
        text::count(stats.steps, "step"),
        stats.checked_percent(),
        stats.reasoned,
        text::count(stats.steps, "step"),
        stats.undone,
        text::count(stats.changes, "change"),
        stats.undone_percent(),
    )
}

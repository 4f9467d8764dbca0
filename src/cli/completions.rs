//! `onramp completions SHELL` and `onramp man`: for packagers.

use std::process::ExitCode;

use super::failure::Failure;
use super::print;

pub fn completions(shell: clap_complete::Shell, command: &mut clap::Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "onramp", &mut script);
    print::out(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

pub fn man(command: clap::Command) -> Result<ExitCode, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::usage(format!("the manual page cannot be made: {error}")))?;
    print::out(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}

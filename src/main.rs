//! onramp: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    onramp::cli::main()
}

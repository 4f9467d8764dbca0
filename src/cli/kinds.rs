//! `onramp doctor --kinds`: every kind of step that does or looks at something, and every kind of input, for those who
//! write runbooks.

use std::fmt::Write;
use std::process::ExitCode;

use super::failure::Failure;
use super::print;
use crate::action::catalog;
use crate::input::Kind;
use crate::runbook::KindSpec;

pub fn show() -> Result<ExitCode, Failure> {
    print::out(&page())?;
    Ok(ExitCode::SUCCESS)
}

/// docs/kinds.md, whole.
fn page() -> String {
    let mut out = String::from(
        "# Kinds of steps\n\nWritten by `onramp doctor --kinds`: what stands behind `aws:`, `os:` and `probe:`.\n\n",
    );
    for kind in catalog().kinds.values() {
        one(&mut out, kind);
    }
    inputs(&mut out);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// As a table: what an input's `kind:` may be.
fn inputs(out: &mut String) {
    *out += "# Kinds of inputs\n\nWhat an input's `kind:` may be, and what it takes beside it.\n\n\
             | kind | an answer is | takes |\n| --- | --- | --- |\n";
    for row in Kind::all() {
        let takes: Vec<String> = row.takes.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(out, "| `{}` | {} | {} |", row.name, row.summary.trim_end_matches('.'), takes.join(", "));
    }
}

fn one(out: &mut String, kind: &KindSpec) {
    let (family, name) = kind.name.split_once('/').unwrap_or(("", kind.name));
    let _ = writeln!(out, "### `{family}: {name}`\n\n{}.\n", kind.summary.trim_end_matches('.'));
    for argument in &kind.args {
        let must = if argument.required { "" } else { ", may be left out" };
        let _ = writeln!(out, "- `{}`{must}: {}", argument.name, argument.summary);
    }
    for result in &kind.results {
        let _ = writeln!(out, "- gives `{}`: {}", result.name, result.summary);
    }
    if let Some(why) = kind.undo_reason {
        let _ = writeln!(out, "- no undo: {why}");
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_of_kinds_is_what_the_program_prints() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kinds.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(page == super::page(), "write docs/kinds.md anew: onramp doctor --kinds > docs/kinds.md");
    }
}

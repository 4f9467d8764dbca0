//! `onramp doctor --aws-operations`: the table of operations, for people, for programs, and for the documentation.

use std::fmt::Write;
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::failure::Failure;
use super::print;
use crate::aws::{Operation, Rung, Scope, Undo};
use crate::text;

/// How the table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
    Markdown,
}

pub fn show(format: Format) -> Result<ExitCode, Failure> {
    match format {
        Format::Text => print::out(&page())?,
        Format::Json => print::json(&Operation::ALL.iter().map(|&one| row(one)).collect::<Vec<_>>())?,
        Format::Markdown => print::out(&markdown())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn row(operation: Operation) -> Json {
    let row = operation.row();
    json!({
        "service": row.service.prefix(),
        "operation": operation.name(),
        "effect": row.effect,
        "repeat": row.repeat,
        "probes": row.probes,
        "undo": row.undo,
        "permissions": operation.permissions(),
        "dry_run": row.dry_run,
        "practice": row.practice,
        "moto": row.moto,
    })
}

fn word(value: impl serde::Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

fn undo(operation: Operation) -> String {
    match operation.row().undo {
        Undo::By(undo) => undo.name().to_owned(),
        Undo::None(why) => format!("none: {why}"),
    }
}

fn permissions(operation: Operation) -> String {
    match operation.row().scope {
        Scope::Free => "none needed".to_owned(),
        _ => operation.permissions().join(", "),
    }
}

fn page() -> String {
    let mut out = String::new();
    for &operation in Operation::ALL {
        let row = operation.row();
        let tried: Vec<&str> = [("practice", row.practice), ("moto", row.moto)]
            .into_iter()
            .filter_map(|(name, rung)| (rung == Rung::Tried).then_some(name))
            .collect();
        let _ = writeln!(out, "{:<43} {:<8} tried: {}", operation.name(), word(row.repeat), text::list(&tried));
        if operation.changes() {
            let probes: Vec<&str> = row.probes.iter().map(|probe| probe.name()).collect();
            let _ = writeln!(out, "    undo: {}\n    seen by: {}", undo(operation), text::list(&probes));
        }
        let _ = writeln!(out, "    permissions: {}", permissions(operation));
        for (name, rung) in [("practice", row.practice), ("moto", row.moto)] {
            if let Rung::Not(why) = rung {
                let _ = writeln!(out, "    not tried in {name}: {why}");
            }
        }
    }
    let changes = Operation::ALL.iter().filter(|one| one.changes()).count();
    let _ = writeln!(out, "{}, {changes} of them change something.", text::count(Operation::ALL.len(), "operation"));
    out
}

/// As it stands in docs/aws.md.
fn markdown() -> String {
    let mut out = String::from(
        "| operation | repeat | seen by | undo | permissions | practice | moto |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let rung = |rung: Rung| match rung {
        Rung::Tried => "tried".to_owned(),
        Rung::Not(why) => format!("no: {why}"),
    };
    for &operation in Operation::ALL {
        let row = operation.row();
        let probes: Vec<&str> = row.probes.iter().map(|probe| probe.name()).collect();
        let undo = if operation.changes() { undo(operation) } else { String::new() };
        let cells = [
            operation.name().to_owned(),
            word(row.repeat),
            probes.join(", "),
            undo,
            permissions(operation),
            rung(row.practice),
            rung(row.moto),
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_the_table_as_it_is() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/aws.md");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            text.contains(&markdown()),
            "put the output of `onramp doctor --aws-operations --format markdown` into docs/aws.md"
        );
    }

    #[test]
    fn the_documentation_says_by_what_each_operation_is_served() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/aws.md");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            text.contains(&crate::action::coverage()),
            "put the output of `onramp doctor --aws-coverage` into docs/aws.md"
        );
    }

    #[test]
    fn the_page_fits_a_terminal() {
        for line in page().lines().filter(|line| !line.starts_with("    ")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(page().contains("CreateVpc ") && page().contains("undo: DeleteVpc"));
    }
}

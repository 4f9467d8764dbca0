//! What the YAML looks like, what the program uses, and everything that can be wrong with it.
//!
//! Uses: input, text. Pure: no clock, no I/O.

mod catalog;
mod changes;
mod deciding;
mod diagnosis;
mod expr;
mod file;
mod functions;
mod lint;
mod load;
mod lower;
mod model;
mod names;
mod needs;
mod pieces;
mod place;
mod problem;
mod quote;
mod render;
mod schema;
mod scope;
mod script;
mod secrets;
mod shape;
mod stats;
mod template;

#[cfg(test)]
mod tests;

pub use catalog::{ArgSpec, Catalog, KindSpec, ResultSpec, TypeSpec};
pub use changes::{
    Changes, Former, InputChange, InputDifference, StepChange, StepDifference, changes, does, does_after, with_former,
};
pub use diagnosis::{Answer, Branch, Diagnosis, Leads, Question};
pub use expr::{Expr, Item};
pub use lint::{RULES, Rule};
pub use load::load;
pub use model::{
    Field, HostTemplate, Manual, Party, Phase, Runbook, Save, Shell, Step, StepId, UndoUntil, WaitsOn, Work,
    names_a_host,
};
pub use names::Names;
pub use place::Place;
pub use problem::{Problem, Severity};
pub use quote::{quoted, words};
pub use render::{BadTemplate, Unrendered};
pub use schema::{answers_schema, runbook_schema};
pub use scope::Scope;
pub use stats::Stats;
pub use template::{Args, Template};

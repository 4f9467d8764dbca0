//! What the YAML looks like, what the program uses, and everything that can be wrong with it.
//!
//! Uses: input, text. Pure: no clock, no I/O.

mod expr;
mod functions;
mod model;
mod names;
mod pieces;
mod place;
mod problem;
mod quote;
mod render;
mod scope;
mod script;
mod template;

#[cfg(test)]
mod tests;

pub use expr::{Expr, Item};
pub use model::{Field, HostTemplate, Manual, Party, Phase, Runbook, Save, Shell, Step, StepId, WaitsOn, Work};
pub use names::Names;
pub use place::Place;
pub use problem::{Problem, Severity};
pub use quote::{quoted, words};
pub use render::{BadTemplate, Unrendered};
pub use scope::Scope;
pub use template::{Args, Template};

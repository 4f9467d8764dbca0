//! What was wanted beside what was found.

use crate::engagement::Difference;
use crate::ui::look::{Look, Role};
use crate::ui::widget::prose::Prose;

/// Adds every difference: its name, then both values under each other so that they can be compared; of texts, the lines
/// that differ.
pub fn add(prose: &mut Prose, look: &Look, differences: &[Difference]) {
    for difference in differences {
        prose.indented("  ", &difference.what, look.bold());
        if !difference.diff.is_empty() {
            lines(prose, look, &difference.diff);
            continue;
        }
        prose.indented("    wanted ", &difference.wanted, look.style(Role::Done));
        prose.indented("    found  ", &difference.found, look.style(Role::Problem));
    }
}

fn lines(prose: &mut Prose, look: &Look, diff: &str) {
    for line in diff.lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => look.style(Role::Done),
            Some(b'-') => look.style(Role::Problem),
            _ => look.style(Role::Muted),
        };
        prose.verbatim(&format!("  {line}"), style);
    }
}

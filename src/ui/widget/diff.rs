//! What was wanted beside what was found.

use crate::engagement::Difference;
use crate::ui::look::{Look, Role};
use crate::ui::widget::prose::Prose;

/// Adds every difference: its name, then both values under each other so that they can be compared.
pub fn add(prose: &mut Prose, look: &Look, differences: &[Difference]) {
    for difference in differences {
        prose.indented("  ", &difference.what, look.bold());
        prose.indented("    wanted ", &difference.wanted, look.style(Role::Done));
        prose.indented("    found  ", &difference.found, look.style(Role::Problem));
    }
}

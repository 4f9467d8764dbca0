//! What a plan's rehearsals come to: which permissions are missing, which are there, and of which AWS does not tell.

use std::collections::{BTreeMap, BTreeSet};

use super::{Leave, Plan};

/// Permissions by what is known of them. One that was refused once is missing, whatever other steps heard.
#[derive(Debug, Default)]
pub struct Permissions<'p> {
    /// With the steps that need it.
    pub denied: BTreeMap<&'p str, Vec<String>>,
    pub allowed: BTreeSet<&'p str>,
    /// With the reason.
    pub untold: BTreeMap<&'p str, &'p str>,
}

impl<'p> Permissions<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let mut sums = Permissions::default();
        for (entry, rehearsal) in plan.entries.iter().flat_map(|one| one.rehearsals.iter().map(move |it| (one, it))) {
            let permission = rehearsal.permission.as_str();
            match &rehearsal.answer {
                Leave::Denied { .. } => sums.denied.entry(permission).or_default().push(entry.step.to_string()),
                Leave::Allowed => {
                    sums.allowed.insert(permission);
                }
                Leave::Untold { why } => {
                    sums.untold.insert(permission, why);
                }
            }
        }
        sums.allowed.retain(|one| !sums.denied.contains_key(one));
        sums.untold.retain(|one, _| !sums.denied.contains_key(one) && !sums.allowed.contains(one));
        sums
    }

    /// Nothing was rehearsed.
    pub fn is_empty(&self) -> bool {
        self.denied.is_empty() && self.allowed.is_empty() && self.untold.is_empty()
    }
}

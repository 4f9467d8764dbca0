//! What a plan's rehearsals come to: which permissions are missing, which are there, and of which AWS does not tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{Leave, Plan};
use crate::text;

/// Permissions by what is known of them. One that was refused once is missing, whatever other steps heard.
#[derive(Debug, Default)]
pub struct Permissions<'p> {
    /// With the steps that need it.
    pub denied: BTreeMap<&'p str, Vec<String>>,
    pub allowed: BTreeSet<&'p str>,
    /// With the reason.
    pub untold: BTreeMap<&'p str, &'p str>,
    /// By phase, as the runbook has them, and service.
    needed: Vec<(&'p str, BTreeMap<&'p str, BTreeSet<&'p str>>)>,
}

impl<'p> Permissions<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let mut sums = Permissions::default();
        for (entry, rehearsal) in plan.entries.iter().flat_map(|one| one.rehearsals.iter().map(move |it| (one, it))) {
            let permission = rehearsal.permission.as_str();
            sums.need(entry.step.step.phase(), permission);
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

    fn need(&mut self, phase: &'p str, permission: &'p str) {
        if self.needed.last().is_none_or(|(last, _)| *last != phase) {
            self.needed.push((phase, BTreeMap::new()));
        }
        let service = permission.split(':').next().unwrap_or_default();
        if let Some((_, services)) = self.needed.last_mut() {
            services.entry(service).or_default().insert(permission);
        }
    }

    /// Nothing was rehearsed.
    pub fn is_empty(&self) -> bool {
        self.denied.is_empty() && self.allowed.is_empty() && self.untold.is_empty()
    }

    /// What is missing, with the steps that need it; nothing where nothing is.
    pub fn lacking(&self) -> Option<String> {
        let missing: Vec<String> =
            self.denied.iter().map(|(permission, steps)| format!("{permission} ({})", text::list(steps))).collect();
        (!missing.is_empty()).then(|| format!("these credentials lack {}", text::list(&missing)))
    }

    /// Each permission with what is known of it, below how many of each service a phase needs.
    pub fn page(&self) -> String {
        let mut out = String::from("Permissions, as AWS answers when a call is only rehearsed:\n");
        if self.is_empty() {
            out.push_str("  nothing that AWS takes a rehearsal of would be sent\n");
            return out;
        }
        let _ = writeln!(out, "  {:<14} {:<20} {:>7} {:>7} {:>7}", "phase", "service", "missing", "allowed", "untold");
        for (phase, service, permissions) in self.needed.iter().flat_map(|(phase, services)| {
            services.iter().map(move |(service, permissions)| (phase, service, permissions))
        }) {
            let many = |is: &dyn Fn(&str) -> bool| permissions.iter().filter(|one| is(one)).count();
            let missing = many(&|one| self.denied.contains_key(one));
            let allowed = many(&|one| self.allowed.contains(one));
            let untold = permissions.len() - missing - allowed;
            let _ = writeln!(out, "  {phase:<14} {service:<20} {missing:>7} {allowed:>7} {untold:>7}");
        }
        out.push('\n');
        for (permission, steps) in &self.denied {
            let _ = writeln!(out, "  missing  {permission}  needed by {}", text::list(steps));
        }
        for permission in &self.allowed {
            let _ = writeln!(out, "  allowed  {permission}");
        }
        for (permission, why) in &self.untold {
            let _ = writeln!(out, "  untold   {permission}  {why}");
        }
        out
    }
}

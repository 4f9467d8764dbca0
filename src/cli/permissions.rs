//! `onramp plan NAME --policy` and `--permissions`: what these credentials must be allowed, and what they are not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::ExitCode;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::print::{self, Format};
use super::session;
use crate::action::{Needs, needs, operations};
use crate::aws::{Ground, Operation, policies};
use crate::engagement::{Leave, Plan, chosen_calls, chosen_kinds};
use crate::input::SecretRef;
use crate::text;

/// Prints the policy for the steps that are chosen. Asks nobody.
///
/// # Errors
/// No such engagement, or no region.
pub fn policy(context: &Context, everywhere: &Everywhere, name: &str) -> Result<ExitCode, Failure> {
    let (engagement, runbook, _) = session::look(context, name)?;
    let Some(region) = engagement.region().or_else(|| everywhere.region.clone()) else {
        return Err(Failure::usage("no region is given yet").hint("give aws.region_primary, or --region REGION"));
    };
    let kinds = chosen_kinds(&engagement, &runbook);
    let mut chosen: BTreeSet<Operation> = kinds.into_iter().flat_map(operations).copied().collect();
    // Whose credentials they are is asked before the first change.
    chosen.insert(Operation::GetCallerIdentity);
    // What a denial means is decoded.
    chosen.insert(Operation::DecodeAuthorizationMessage);
    let given = engagement.secrets().filter_map(|(_, reference)| match reference {
        SecretRef::Aws { secret, .. } => Some(secret),
        _ => None,
    });
    let further: Vec<Needs> = chosen_calls(&engagement, &runbook).iter().map(needs).collect();
    let account = engagement.account();
    let ground = Ground {
        account: account.as_deref(),
        region: &region,
        engagement: &engagement.identity.id,
        secrets: given.collect(),
        further: further.iter().flat_map(|needs| needs.permissions.iter().cloned()).collect(),
        regions: further.iter().flat_map(|needs| needs.regions.clone()).collect(),
    };
    match policies(&chosen, &ground).as_slice() {
        [policy] => print::json(policy)?,
        several => {
            let parts = text::count(several.len(), "policy");
            print::say(&format!(
                "IAM takes 6,144 characters in one policy: this is a list of {parts}, to attach together"
            ));
            print::json(&several)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what the rehearsals of a plan came to.
///
/// # Errors
/// A permission is missing.
pub fn report(name: &str, plan: &Plan, format: Format) -> Result<ExitCode, Failure> {
    let sums = Sums::of(plan);
    if format == Format::Text {
        print::out(&sums.page())?;
    }
    if sums.denied.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let missing: Vec<&str> = sums.denied.keys().copied().collect();
    let said = format!("these credentials lack {}", text::list(&missing));
    let hint = format!("a policy that has them, and no more than the steps need: onramp plan {name} --policy");
    Err(Failure::new(Kind::StepFailed, said).hint(hint))
}

/// Permissions by what is known of them. One that was refused once is missing, whatever other steps heard.
#[derive(Default)]
struct Sums<'p> {
    /// With the steps that need it.
    denied: BTreeMap<&'p str, Vec<String>>,
    allowed: BTreeSet<&'p str>,
    /// With the reason.
    untold: BTreeMap<&'p str, &'p str>,
}

impl<'p> Sums<'p> {
    fn of(plan: &'p Plan) -> Self {
        let mut sums = Sums::default();
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

    fn page(&self) -> String {
        let mut out = String::from("\nPermissions, as AWS answers when a call is only rehearsed:\n");
        for (permission, steps) in &self.denied {
            let _ = writeln!(out, "  missing  {permission}  needed by {}", text::list(steps));
        }
        for permission in &self.allowed {
            let _ = writeln!(out, "  allowed  {permission}");
        }
        for (permission, why) in &self.untold {
            let _ = writeln!(out, "  untold   {permission}  {why}");
        }
        if self.denied.is_empty() && self.allowed.is_empty() && self.untold.is_empty() {
            out.push_str("  nothing that AWS takes a rehearsal of would be sent\n");
        }
        out
    }
}

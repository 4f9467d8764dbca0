//! `onramp plan NAME --policy` and `--permissions`: what these credentials must be allowed, and what they are not.

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::plan;
use super::print::{self, Format};
use super::session;
use crate::action::{counted_by, needs_of};
use crate::aws::{Ground, Needs, Operation, Use, policies, unnamed};
use crate::engagement::{Limited, Plan, chosen_actions};
use crate::input::SecretRef;
use crate::text;

/// Prints the policy for the steps that are chosen, of one phase or of all. Asks nobody.
///
/// # Errors
/// No such engagement or phase, or no region.
pub fn policy(
    context: &Context,
    everywhere: &Everywhere,
    name: &str,
    phase: Option<&str>,
) -> Result<ExitCode, Failure> {
    let (engagement, runbook, _) = session::look(context, name)?;
    phase.map_or(Ok(()), |phase| plan::is_there(&runbook, phase))?;
    let Some(region) = engagement.region().or_else(|| everywhere.region.clone()) else {
        return Err(Failure::usage("no region is given yet").hint("give aws.region_primary, or --region REGION"));
    };
    let of = |phase| chosen_actions(&engagement, &runbook, phase);
    let mut needs = needs_of(of(phase), &of(None), &region);
    // Whose credentials they are is asked before the first change, and what a denial means is decoded.
    let mut ours = BTreeSet::from([Operation::GetCallerIdentity, Operation::DecodeAuthorizationMessage]);
    // A plan counts what the account has room for.
    let sent = needs.iter().flat_map(|one| &one.uses).map(|one| one.operation);
    let limited: Vec<Limited> =
        sent.filter_map(|one| Limited::made_by(one.row().service.prefix(), one.name())).collect();
    if !limited.is_empty() {
        ours.extend([Operation::GetServiceQuota, Operation::ListAWSDefaultServiceQuotas]);
        ours.extend(limited.into_iter().flat_map(counted_by));
    }
    let uses = ours.into_iter().map(|operation| Use::of(operation, &region)).collect();
    needs.push(Needs { uses, ..Needs::default() });
    let given = engagement.secrets().filter_map(|(_, reference)| match reference {
        SecretRef::Aws { secret, .. } => Some(secret),
        _ => None,
    });
    let account = engagement.account();
    let ground = Ground {
        account: account.as_deref(),
        region: &region,
        engagement: &engagement.identity.id,
        secrets: given.collect(),
    };
    let unnamed = unnamed(&needs, &ground);
    if !unnamed.is_empty() {
        print::say(&format!("it is wider than it has to be, because it is not known yet: {}", text::list(&unnamed)));
    }
    match policies(&needs, &ground).as_slice() {
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
    let sums = plan.permissions();
    if format == Format::Text {
        print::out(&format!("\n{}", sums.page()))?;
    }
    let Some(said) = sums.lacking() else { return Ok(ExitCode::SUCCESS) };
    let hint = format!("a policy that has them, and no more than the steps need: onramp plan {name} --policy");
    Err(Failure::new(Kind::StepFailed, said).hint(hint))
}

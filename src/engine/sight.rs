//! What templates see now, worked out once for all steps: there may be a thousand hosts, and as many attempts.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::action::{Routes, Worlds};
use crate::engagement::{Address, Engagement, Host, ScopeMode, bound, call, expand, expand_planned, hosts, scope};
use crate::runbook::{Item, Runbook, Scope, Step, StepId, Unrendered};

/// What one edition of the runbook says of an engagement, for as long as no value changes.
#[derive(Debug)]
pub(super) struct Sight {
    pub runbook: Arc<Runbook>,
    pub real: View,
    plan: OnceLock<View>,
    routes: OnceLock<Arc<Routes>>,
}

/// Values, and the instances of each step that they make.
#[derive(Debug)]
pub(super) struct View {
    pub scope: Scope,
    /// Of a plan: what is really known.
    real: Option<Scope>,
    instances: BTreeMap<StepId, OnceLock<Instances>>,
}

type Instances = Result<BTreeMap<Option<String>, Option<Item>>, Unrendered>;

impl Sight {
    pub fn new(engagement: &Engagement, runbook: Arc<Runbook>) -> Self {
        let real = View::new(scope(engagement, &runbook, ScopeMode::Real), None, &runbook);
        Sight { runbook, real, plan: OnceLock::new(), routes: OnceLock::new() }
    }

    /// The same with placeholders for what steps find out.
    pub fn plan(&self, engagement: &Engagement) -> &View {
        let real = || Some(self.real.scope.clone());
        self.plan.get_or_init(|| View::new(scope(engagement, &self.runbook, ScopeMode::Plan), real(), &self.runbook))
    }

    /// What an approval has to say of this step to cover it.
    pub fn planned(&self, engagement: &Engagement, address: &Address) -> Option<String> {
        let (plan, step) = (self.plan(engagement), self.runbook.step(&address.step)?);
        let item = plan.item(step, address).ok()??;
        call(step, item.as_ref(), &plan.scope).ok().map(|call| bound(&call, &plan.scope))
    }

    /// The ways to all hosts.
    pub fn routes(&self, worlds: &Worlds) -> Arc<Routes> {
        let found = || -> Vec<(String, Result<Host, Unrendered>)> { hosts(&self.runbook, &self.real.scope) };
        self.routes.get_or_init(|| worlds.routes(found())).clone()
    }

    /// Which host a step's script runs on, for a step that runs scripts.
    pub fn host_of(&self, address: &Address) -> Option<String> {
        let step = self.runbook.step(&address.step).filter(|step| step.touches_world())?;
        let item = self.real.item(step, address).ok()??;
        call(step, item.as_ref(), &self.real.scope).ok()?.script_host().map(str::to_owned)
    }
}

impl View {
    fn new(scope: Scope, real: Option<Scope>, runbook: &Runbook) -> Self {
        View { scope, real, instances: runbook.steps().map(|step| (step.id.clone(), OnceLock::new())).collect() }
    }

    /// The instances of a step, of a plan those that it may come to have.
    ///
    /// # Errors
    /// A name that `when` or `for_each` reads is not known yet, or is of the wrong type.
    pub fn expand(&self, step: &Step) -> Result<Vec<Option<Item>>, Unrendered> {
        match &self.real {
            None => expand(step, &self.scope),
            Some(real) => expand_planned(step, &self.scope, real),
        }
    }

    /// The item of an address: none where there is no such instance.
    pub fn item(&self, step: &Step, address: &Address) -> Result<Option<Option<Item>>, Unrendered> {
        let Some(instances) = self.instances.get(&step.id) else { return Ok(None) };
        let by_key = |item: Option<Item>| (item.as_ref().map(|item| item.key.clone()), item);
        let found = instances.get_or_init(|| Ok(self.expand(step)?.into_iter().map(by_key).collect()));
        found.as_ref().map(|found| found.get(&address.key).cloned()).map_err(Clone::clone)
    }
}

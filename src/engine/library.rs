//! The edition of the runbook that is walked, and the earlier ones under which something was made that still stands.
//!
//! A change is taken back by the edition that made it: the newer one may not know the step any more, or may undo
//! something else.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::action;
use crate::engagement::{Address, Engagement, Made, RunbookFile};
use crate::runbook::{Former, Runbook, StepId, does, load, with_former};

pub(super) struct Library {
    current: Arc<Runbook>,
    /// Earlier editions by digest; none for one that this version of onramp cannot read.
    earlier: BTreeMap<String, Option<Runbook>>,
}

impl Library {
    pub fn new(current: Arc<Runbook>) -> Self {
        Library { current, earlier: BTreeMap::new() }
    }

    /// From now on this edition is walked.
    pub fn turn_to(&mut self, edition: Arc<Runbook>) {
        self.current = edition;
    }

    /// The runbook as taking back sees it: what was made is taken back as it was made.
    pub fn for_undo(&mut self, engagement: &Engagement) -> Arc<Runbook> {
        let made: Vec<(&Address, &Made)> = self.made_earlier(engagement).collect();
        if made.is_empty() {
            return self.current.clone();
        }
        for (_, made) in &made {
            self.read(engagement, &made.edition);
        }
        let former: Vec<Former<'_>> = made
            .into_iter()
            .filter_map(|(step, made)| {
                let edition = self.earlier.get(&made.edition)?.as_ref()?;
                Some(Former { now: &step.step, edition, then: &made.step.as_ref()?.step })
            })
            .collect();
        let names: BTreeMap<&StepId, &StepId> = engagement
            .steps
            .iter()
            .flat_map(|(step, record)| record.formerly.iter().map(|former| (&former.step, &step.step)))
            .collect();
        let called_now = |id: &StepId| names.get(id).copied().unwrap_or(id).clone();
        Arc::new(with_former(&self.current, &former, called_now))
    }

    /// Was what this step made made by other work than the step has now?
    pub fn made_otherwise(&mut self, engagement: &Engagement, step: &Address) -> bool {
        let Some(made) = engagement.record(step).and_then(|record| record.made.as_ref()) else { return false };
        if made.edition == self.current.digest || made.edition.is_empty() {
            return false;
        }
        self.read(engagement, &made.edition);
        let then = self.earlier.get(&made.edition).and_then(Option::as_ref);
        let then = then.and_then(|edition| edition.step(&made.step.as_ref()?.step));
        match (then, self.current.step(&step.step)) {
            (Some(then), Some(now)) => does(then) != does(now),
            _ => true,
        }
    }

    fn made_earlier<'a>(&self, engagement: &'a Engagement) -> impl Iterator<Item = (&'a Address, &'a Made)> + use<'a> {
        let current = self.current.digest.clone();
        let made = engagement.steps.iter().filter_map(|(step, record)| Some((step, record.made.as_ref()?)));
        made.filter(move |(_, made)| !made.edition.is_empty() && made.edition != current)
    }

    fn read(&mut self, engagement: &Engagement, digest: &str) {
        if self.earlier.contains_key(digest) {
            return;
        }
        let edition = engagement.editions.get(digest).and_then(|files| read(files));
        self.earlier.insert(digest.to_owned(), edition);
    }
}

/// The edition that these files are; none where this version of onramp cannot read them.
pub(super) fn read(files: &[RunbookFile]) -> Option<Runbook> {
    let files: Vec<(String, String)> = files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
    let (edition, problems) = load(&files, &action::catalog());
    if edition.is_none() {
        tracing::error!(?problems, "an edition of the runbook cannot be read");
    }
    edition
}

//! What is the matter with a step: the questions of its diagnosis, one after the other. Changes nothing: the way to AWS
//! refuses mutating calls, and of whatever is asked only the probe is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::sight::Sight;
use super::start::{drop_output, subject};
use crate::action::{Probe, Trouble, Worlds, build};
use crate::engagement::{
    Address, Answered, Asked, Course, Diagnosed, Engagement, Question, Refusal, So, course, diagnosis_of, known_step,
    look, what_is_seen, with_asked,
};
use crate::runbook::{Scope, Unrendered};

/// A look takes no longer than this.
const LIMIT: Duration = Duration::from_secs(120);

/// Asks until a branch is found, or no answer of the runbook's fits.
///
/// # Errors
/// The step has no diagnosis, or there is no such step now.
pub(super) async fn diagnose(
    engagement: Engagement,
    sight: Arc<Sight>,
    worlds: Arc<Worlds>,
    address: Address,
) -> Result<Diagnosed, Refusal> {
    let refusal = |why: String, advice: &str| Refusal::new(why, advice);
    known_step(&sight.runbook, &address)?;
    let Some((step, diagnosis)) = diagnosis_of(&sight.runbook, &address) else {
        return Err(refusal(
            format!("the runbook has no diagnosis for {address}"),
            "Its own output and what it said are what there is",
        ));
    };
    let mut seen = what_is_seen(step, &address, &sight.real.scope).map_err(|why| {
        let advice = match why {
            Unrendered::Missing { .. } => "Give the missing input",
            Unrendered::Wrong { .. } => "onramp status NAME lists the steps that are needed",
        };
        refusal(format!("{address}: {why}"), advice)
    })?;
    let worlds = worlds.read_only().afresh();
    let asking = Asking { engagement: &engagement, sight: &sight, worlds: &worlds, address: &address };
    let (mut asked, mut branch) = (Vec::new(), None);
    let mut next = diagnosis.first(&seen);
    while let Some(question) = next {
        let answered = asking.ask(question, &seen).await;
        let leads = course(diagnosis, question, &answered, &seen);
        seen = with_asked(question, &answered, &seen);
        asked.push(Asked { question: question.id.clone(), ask: question.ask.clone(), answered });
        next = None;
        match leads {
            // A runbook whose questions run in a circle is not read.
            Course::Next(question) => next = Some(question),
            Course::Found(found) => branch = Some(found),
            Course::Nowhere => {}
        }
    }
    worlds.close().await;
    Ok(Diagnosed { diagnosis: diagnosis.id.clone(), title: diagnosis.title.clone(), step: address, asked, branch })
}

struct Asking<'a> {
    engagement: &'a Engagement,
    sight: &'a Sight,
    worlds: &'a Worlds,
    address: &'a Address,
}

impl Asking<'_> {
    async fn ask(&self, question: &crate::runbook::Question, seen: &Scope) -> Answered {
        let call = match look(question, seen) {
            Ok(call) => call,
            Err(why) => return unknown(why.to_string()),
        };
        let subject = subject(self.engagement, self.address);
        let action = match build(&call, &subject) {
            Ok(action) => action,
            Err(failure) => return unknown(failure.what),
        };
        let routes = self.sight.routes(self.worlds);
        let world = self.worlds.world(self.engagement, routes, subject, drop_output(), CancellationToken::new());
        match tokio::time::timeout(LIMIT, action.probe(&world)).await {
            Ok(probe) => answered(probe),
            Err(_) => unknown(format!("no answer within {}", crate::text::duration(LIMIT))),
        }
    }
}

fn answered(probe: Probe) -> Answered {
    let no = |said| Answered { so: So::No, said, results: BTreeMap::new() };
    match probe {
        Probe::Same(found) => Answered { so: So::Yes, said: found.said, results: found.output },
        Probe::Absent { said } | Probe::Different { said, .. } => no(said),
        Probe::Unknown(Trouble::Failure(failure)) => unknown(failure.what),
        Probe::Unknown(Trouble::Question(question)) => unknown(match question {
            Question::HostKey { hop, .. } => format!("a person must first say whether the host key of {hop} is right"),
            Question::NeedsSecret { reference, .. } => format!("a secret must be given first: {}", reference.said()),
            Question::SignIn { failure } => failure.what,
            Question::Different { said, .. } => said,
        }),
    }
}

fn unknown(said: String) -> Answered {
    Answered { so: So::Unknown, said, results: BTreeMap::new() }
}

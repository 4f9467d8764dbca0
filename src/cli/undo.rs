//! `onramp undo NAME`: what was changed, what taking it back would send, and, once somebody agrees, taking it back.

use std::fmt::Write;
use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::Everywhere;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::plan::change;
use super::print::{self, Format};
use super::reach::Reach;
use super::session::{self, Follower, Session};
use crate::engagement::{
    Address, Engagement, Event, Outcome, Question, State, Stays, StepRecord, TakeBack, Target, UndoPlan, held_by,
};
use crate::engine::{Notice, Request};
use crate::runbook::Runbook;
use crate::text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    pub name: String,
    /// Steps or whole phases to take back; without any and without --all it is only said what would be done
    #[arg(value_name = "ADDRESS|PHASE")]
    pub steps: Vec<Target>,
    /// Everything that this engagement changed
    #[arg(long, conflicts_with = "steps")]
    pub all: bool,
    /// Also what still uses the named steps; without it they stay where something does
    #[arg(long, requires = "steps")]
    pub with_users: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// How the plan is written
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

impl Arguments {
    /// All of it, and nobody is asked.
    pub fn everything(name: &str) -> Self {
        Arguments {
            name: name.to_owned(),
            steps: Vec::new(),
            all: true,
            with_users: false,
            yes: true,
            format: Format::Text,
        }
    }
}

pub fn run(context: &Context, everywhere: &Everywhere, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = Session::open(context, everywhere, &arguments.name, session::runtime()?)?;
    session.greet();
    let ended = review(&session, arguments);
    session.close();
    ended.map(|()| ExitCode::SUCCESS)
}

/// Shows what would be sent, asks, and takes it back.
///
/// # Errors
/// There is no such step, nobody agreed, or as `take_back`.
pub fn review(session: &Session, arguments: &Arguments) -> Result<(), Failure> {
    if let Some(target) = arguments.steps.iter().find(|target| !is_known(session, target)) {
        let what = match target {
            Target::Phase(phase) => format!("this runbook has no phase \"{phase}\""),
            Target::Step(step) => format!("this runbook has no step \"{step}\""),
        };
        return Err(Failure::usage(what).hint("onramp status NAME lists them all"));
    }
    let mut follower = Follower::new(session);
    let (targets, plan) = wanted(session, arguments, &mut follower)?;
    match arguments.format {
        Format::Text => print::out(&text(&plan))?,
        Format::Json => print::json(plan.as_ref())?,
    }
    if plan.entries.is_empty() {
        // What an undo has let be before is no reason to complain: it was said just now.
        let held = plan.stays.iter().find(|(.., why)| !matches!(why, Stays::Kept(_)));
        return match held.filter(|_| !arguments.steps.is_empty()) {
            Some((step, _, why @ Stays::UsedBy(_))) => Err(Failure::usage(format!("{step} stays: {why}"))
                .hint("--with-users takes back what still uses it, too; without --yes it asks first")),
            Some((step, _, why)) => Err(Failure::usage(format!("{step} stays: {why}"))),
            None => Ok(()),
        };
    }
    if arguments.steps.is_empty() && !arguments.all {
        return Ok(());
    }
    let unclear = plan.unclear();
    if !unclear.is_empty() {
        let what = Address::list(unclear);
        return Err(Failure::new(
            Kind::StepFailed,
            format!("nothing was undone: nobody can tell what became of {what}"),
        )
        .hint("not to see it is not to know that it is not there. Put right what is said above, and undo again")
        .hint("or say what became of it: onramp settle NAME ADDRESS"));
    }
    if !arguments.yes && !confirmed(&arguments.name)? {
        return Err(Failure::new(Kind::Waiting, "nothing was undone").hint("--yes does not ask"));
    }
    take_back(session, &targets, &mut follower)
}

fn is_known(session: &Session, target: &Target) -> bool {
    let runbook = session.handle.runbook();
    let in_it = match target {
        Target::Phase(phase) => runbook.phases.iter().any(|known| known.id == *phase),
        Target::Step(step) => runbook.step(&step.step).is_some(),
    };
    in_it || session.handle.engagement().steps.keys().any(|step| target.covers(step))
}

/// Names an undo that has not come to its end, what is left of it, and the command that goes on with it.
pub fn half_done(engagement: &Engagement, reach: &Reach) -> Option<String> {
    let (undo, left) = engagement.half_undone()?;
    let goes_on = match (engagement.identity.practice, undo.all) {
        (true, true) => "onramp open NAME goes on with it (U)".to_owned(),
        (true, false) => "onramp open NAME goes on with it (u on the step)".to_owned(),
        (false, true) => "onramp undo NAME --all goes on with it".to_owned(),
        (false, false) => {
            let steps: Vec<String> = left.iter().map(ToString::to_string).collect();
            format!("onramp undo NAME {} goes on with it", steps.join(" "))
        }
    };
    let goes_on = reach.put(&goes_on);
    Some(format!(
        "An undo of {}, begun {}, is half done: {} left ({}).\n  {goes_on}",
        if undo.all { "everything".to_owned() } else { text::count(undo.steps.len(), "step") },
        undo.at,
        text::count(left.len(), "step"),
        Address::list(left),
    ))
}

/// What is to go: the steps that were named, with what still uses them where that is wanted, and the plan for them.
fn wanted(
    session: &Session,
    arguments: &Arguments,
    follower: &mut Follower,
) -> Result<(Vec<Target>, Arc<UndoPlan>), Failure> {
    let mut targets = arguments.steps.clone();
    loop {
        let plan = planned(session, &targets, follower)?;
        let is_named = |user: &Address| targets.iter().any(|target| target.covers(user));
        let users: Vec<Target> = plan.users().into_iter().filter(|user| !is_named(user)).map(Target::Step).collect();
        if !arguments.with_users || users.is_empty() {
            return Ok((targets, plan));
        }
        targets.extend(users);
    }
}

fn planned(session: &Session, targets: &[Target], follower: &mut Follower) -> Result<Arc<UndoPlan>, Failure> {
    session.handle.send(Request::UndoPlan(targets.to_vec()));
    loop {
        match session.recv() {
            Ok(Notice::UndoPlanned(_, plan)) => return Ok(plan),
            Ok(Notice::Recorded(recorded)) => follower.fold(&recorded),
            Ok(_) => {}
            Err(gone) => return Err(gone),
        }
    }
}

/// Takes steps back, or all that can be, and says how it goes.
///
/// # Errors
/// It is refused, or something of it is left; what blocks it is said.
fn take_back(session: &Session, targets: &[Target], follower: &mut Follower) -> Result<(), Failure> {
    session.handle.send(Request::Undo(targets.to_vec()));
    loop {
        match session.recv() {
            Ok(Notice::Recorded(recorded)) => {
                if let Some(said) = line(&recorded.event) {
                    print::say(&said);
                }
                follower.fold(&recorded);
            }
            Ok(Notice::Progress { step, now }) => follower.progress(&step, now.as_ref()),
            Ok(Notice::Refused(refusal)) => return Err(Failure::usage(refusal.to_string())),
            Ok(Notice::Broken(broken)) => return Err(follower.cut_off(broken)),
            Ok(Notice::Idle(_)) => break,
            Ok(_) => {}
            Err(gone) => return Err(gone),
        }
    }
    let wanted = |step: &Address| targets.is_empty() || targets.iter().any(|target| target.covers(step));
    // What has no undo by the runbook's word stays, and was said before; whoever names it wants it gone.
    let stays = |step: &Address| {
        let known = session.handle.runbook().step(&step.step);
        let named = targets.iter().any(|target| target.is(step));
        !named && known.is_some_and(|known| known.no_undo.is_some())
    };
    let stands = |(step, record): &(&Address, &StepRecord)| wanted(step) && record.may_stand() && !stays(step);
    let left: Vec<&Address> = follower.engagement.steps.iter().filter(stands).map(|(step, _)| step).collect();
    if left.is_empty() {
        print::say(&ended(&follower.engagement, |step, record| {
            wanted(step) && (record.stays().is_some() || (record.may_stand() && stays(step)))
        }));
        return Ok(());
    }
    let what = format!("{} left: {}", text::count(left.len(), "step"), Address::list(left.iter().copied()));
    let standing = follower.engagement.steps.iter().filter(|(_, record)| record.may_stand());
    let standing: Vec<&Address> = standing.map(|(step, _)| step).collect();
    let why = left.iter().filter_map(|step| why_left(&follower.engagement, session.handle.runbook(), step, &standing));
    let failure = why.fold(Failure::new(Kind::StepFailed, what), Failure::hint);
    Err(failure.hint("put right what is said, and undo again: it goes on where it stopped"))
}

/// The last words: nothing is left, or only what is meant to stay.
fn ended(engagement: &Engagement, stays: impl Fn(&Address, &StepRecord) -> bool) -> String {
    let stays = engagement.steps.iter().filter(|(step, record)| stays(step, record));
    let stays: Vec<&Address> = stays.map(|(step, _)| step).collect();
    match stays.len() {
        0 => "Everything that was named is taken back.".to_owned(),
        some => {
            format!("The rest is taken back; {} made what stays: {}.", text::count(some, "step"), Address::list(stays))
        }
    }
}

/// Why it is still there, and what a person does about it; nothing, where that was not to be found out.
fn why_left(engagement: &Engagement, runbook: &Runbook, step: &Address, standing: &[&Address]) -> Option<String> {
    if let State::Failed { failure, .. } = engagement.state(step) {
        let why = failure.why();
        return Some(format!("{step}: {}. {}", why.trim_end_matches('.'), failure.advice).trim_end().to_owned());
    }
    let users: Vec<&Address> =
        standing.iter().copied().filter(|user| held_by(engagement, runbook, user)(step)).collect();
    (!users.is_empty()).then(|| format!("{step} stays for as long as {} is there", Address::list(users)))
}

fn line(event: &Event) -> Option<String> {
    match event {
        Event::Undone { step, evidence, stays: true, .. } => Some(format!("stays {step}: {}", evidence.said)),
        Event::Undone { step, evidence, .. } => Some(format!("undone {step}: {}", evidence.said)),
        // What follows says that it is paused.
        Event::Concluded { outcome: Outcome::Failed { failure }, .. } if failure.sign_in => None,
        Event::Asked { step, question: Question::SignIn { failure }, .. } => {
            let goes_on = "It goes on by itself when somebody has signed in.";
            Some(format!("paused {step}: {} {} {} {goes_on}", failure.what, failure.meaning, failure.advice))
        }
        Event::Failed { step, failure, .. } | Event::Concluded { step, outcome: Outcome::Failed { failure }, .. } => {
            Some(format!("failed {step}: {} {} {}", failure.what, failure.meaning, failure.advice))
        }
        Event::Concluded { step, outcome: Outcome::InDoubt { why }, .. } => Some(format!("in doubt {step}: {why}")),
        Event::Concluded { step, outcome: Outcome::NotMade { said }, .. } => {
            Some(format!("not made {step}: {said}; there is nothing to take back"))
        }
        _ => None,
    }
}

/// The plan for people.
fn text(plan: &UndoPlan) -> String {
    let mut out = String::new();
    if plan.entries.is_empty() && plan.stays.is_empty() {
        let _ = writeln!(out, "Nothing was changed that could be undone.");
    }
    for entry in &plan.entries {
        let _ = writeln!(out, "- {}  {}", entry.step, entry.title);
        let made = match (entry.doubt, entry.found) {
            (true, _) => "in doubt: it was sent at the latest",
            (false, true) => "found, with the tags of this engagement,",
            (false, false) => "made",
        };
        let _ = writeln!(out, "    {made} {}; safe to take back {}", entry.made, entry.until);
        match &entry.does {
            TakeBack::Send(changes) => changes.iter().for_each(|one| change(&mut out, one)),
            TakeBack::Nothing => {
                let _ = writeln!(out, "    it is not there any more: nothing is sent");
            }
            TakeBack::NotMade { said } => {
                let _ = writeln!(out, "    it was looked for, and was not made ({said}): nothing is sent");
            }
            TakeBack::NotSeenYet { seconds, changes } => {
                let left = text::duration(Duration::from_secs(*seconds));
                let _ = writeln!(
                    out,
                    "    it was looked for and is not seen, which is not certain yet: it is looked for for {left} more. If \
                     it turns up:"
                );
                changes.iter().for_each(|one| change(&mut out, one));
            }
            TakeBack::Unclear { why } => {
                let _ = writeln!(out, "    nobody can tell whether it was made: {why}");
            }
            TakeBack::Unseen { recorded, why } => {
                let _ =
                    writeln!(out, "    it could not be looked at ({why}); when it was made, this was to take it back:");
                recorded.iter().for_each(|one| change(&mut out, one));
            }
        }
    }
    for (lost, titles) in plan.losses() {
        let _ = writeln!(out, "careful: {lost}: {}", text::some(&titles, "; ", 4));
    }
    for (step, title, why) in &plan.stays {
        let _ = writeln!(out, "= {step}  {title}\n    stays: {why}");
    }
    if !plan.entries.is_empty() {
        let _ = writeln!(out, "{}, in this order: what hangs on something goes before it.", plan.summary());
    }
    out
}

fn confirmed(name: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print::say(&format!("Type the engagement's name ({name}) to undo this, anything else to leave:"));
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(typed.trim() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::load;

    const RUNBOOK: &str = "
runbook: r
title: R
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - {id: key, title: The key, aws: elastic-address, with: {key: eip/a}}
  - {id: vault, title: The vault, needs: [key], aws: elastic-address, with: {key: eip/b}}
  - {id: other, title: Another, aws: elastic-address, with: {key: eip/c}}
";

    #[test]
    fn the_last_words_name_what_stays() {
        let backup = "net/backup".parse::<Address>().unwrap();
        let (said, attempt) = ("it is kept until 2027-01-01".to_owned(), 2);
        let evidence = crate::engagement::Evidence::said(said.clone());
        let event = Event::Undone { step: backup.clone(), attempt, evidence, stays: true };
        assert_eq!(line(&event).as_deref(), Some("stays net/backup: it is kept until 2027-01-01"));
        let state = State::Undone { by: Default::default(), at: crate::engagement::At(1), stays: Some(said) };
        let mut engagement = Engagement::default();
        engagement.steps.insert(backup.clone(), StepRecord { state, ..StepRecord::default() });
        assert_eq!(
            ended(&engagement, |_, record| record.stays().is_some()),
            "The rest is taken back; 1 step made what stays: net/backup."
        );
        assert!(!ended(&engagement, |step, _| step != &backup).contains("stays"));
    }

    #[test]
    fn what_is_left_says_why_and_what_a_person_does_about_it() {
        let (runbook, problems) = load(&[("r.yaml".to_owned(), RUNBOOK.to_owned())], &crate::action::catalog());
        let runbook = runbook.unwrap_or_else(|| panic!("{problems:#?}"));
        let [key, vault, other] = ["net/key", "net/vault", "net/other"].map(|step| step.parse::<Address>().unwrap());
        let failure = crate::engagement::Failure::new("the vault holds 3 backups", "Delete them by hand.");
        let state = State::Failed { attempt: 2, failure, at: crate::engagement::At(1) };
        let mut engagement = Engagement::default();
        engagement.steps.insert(vault.clone(), StepRecord { state, ..StepRecord::default() });
        let left = [&key, &other, &vault];
        let why = |step: &Address| why_left(&engagement, &runbook, step, &left);
        assert_eq!(why(&vault).as_deref(), Some("net/vault: the vault holds 3 backups. Delete them by hand."));
        assert_eq!(why(&key).as_deref(), Some("net/key stays for as long as net/vault is there"));
        assert_eq!(why(&other), None);
    }
}

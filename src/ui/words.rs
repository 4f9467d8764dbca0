//! What happened and what is meant, in words for people.

use std::collections::{BTreeMap, BTreeSet};

use crate::engagement::doubt::Choice;
use crate::engagement::{
    Address, At, Board, Call, DoneHow, Engagement, Event as Fact, Finding, FindingKind, Outcome, Plan, Purpose,
    Question, Refusal, State, Status, Tally, Verdict,
};
use crate::engine::Summary;
use crate::input::InputId;
use crate::runbook::{Party, Runbook, StepId};
use crate::text;
use crate::ui::facts::{Facts, Opened, Said};
use crate::ui::look::Look;
use crate::ui::widget::prose::cells;

/// What may be skipped on a host.
pub const ON_HOST: [Choice; 2] = [
    Choice { name: "this step", does: "on this host; what needs it goes on as if it were done", then: "" },
    Choice { name: "the host", does: "this step and all later ones go on for the other hosts", then: "" },
];

/// What a person is asked to do in a step, where a person does it.
pub fn manual_text(open: &Opened, step: &Address) -> Option<String> {
    let found = open.step(step)?;
    let item = crate::engagement::item_of(found, step, &open.scope).ok()??;
    match crate::engagement::call(found, item.as_ref(), &open.scope).ok()? {
        Call::Manual { ask } => Some(ask),
        _ => None,
    }
}

/// A step's title, with the key of its instance.
pub fn title(runbook: &Runbook, address: &Address) -> String {
    let title = runbook.step(&address.step).map_or_else(|| address.step.to_string(), |step| step.title.clone());
    match &address.key {
        Some(key) => format!("{title} [{key}]"),
        None => title,
    }
}

/// The same in so much room. The key stays whole: without it repeated steps look the same.
pub fn fitted_title(look: &Look, title: &str, key: Option<&String>, room: usize) -> String {
    let key = key.map(|key| look.text(&format!(" [{key}]"))).unwrap_or_default();
    format!("{}{key}", text::clip(&look.text(title), room.saturating_sub(cells(&key))))
}

/// The last event, for the status line. Nothing for events that the next one explains better.
pub fn event(event: &Fact, runbook: &Runbook) -> Option<Said> {
    let title = |step: &Address| title(runbook, step);
    let label = |id: &InputId| runbook.fields.get(id).map_or_else(|| id.to_string(), |field| field.label.clone());
    Some(match event {
        Fact::Began { .. }
        | Fact::RunbookTaken { .. }
        | Fact::Probed { .. }
        | Fact::Reopened { .. }
        | Fact::Undoable { .. }
        | Fact::Concluded { outcome: Outcome::Failed { .. }, .. } => return None,
        Fact::InputGiven { id, value } => {
            let field = runbook.fields.get(id);
            let shown = field.map_or_else(|| value.shown(), |field| field.kind.in_words(&value.shown()));
            Said::good(format!("Saved: {} = {}", label(id), one_line(&shown)))
        }
        Fact::InputForgotten { id } => Said::plain(format!("Forgotten: {}", label(id))),
        Fact::AttemptStarted { step, attempt } if *attempt > 1 => {
            Said::plain(format!("{}: attempt {attempt} started", title(step)))
        }
        Fact::AttemptStarted { step, .. } => Said::plain(format!("{}: started", title(step))),
        Fact::Held { step, .. } => {
            Said::plain(format!("{} would change something: it needs your approval", title(step)))
        }
        Fact::PlanApproved { steps, .. } => Said::good(format!("Approved: {}", text::count(steps.len(), "step"))),
        Fact::Intended { step, intent } => match intent.purpose {
            Purpose::Apply => Said::plain(format!("{}: changing", title(step))),
            Purpose::Undo => Said::plain(format!("{}: undoing", title(step))),
        },
        Fact::Concluded { step, outcome, .. } => match outcome {
            Outcome::Changed { said, .. } | Outcome::AlreadySo { said, .. } => {
                Said::plain(format!("{}: {}", title(step), one_line(said)))
            }
            // What follows says why.
            Outcome::Stays { .. } => return None,
            Outcome::NotMade { .. } => Said::plain(format!("{}: it was not made", title(step))),
            Outcome::InDoubt { why } => Said::bad(format!("{} is in doubt: {}", title(step), one_line(why))),
            Outcome::Failed { .. } => return None,
        },
        Fact::Done { step, how, .. } => Said::good(format!("{}: {}", title(step), done_how(*how))),
        Fact::Failed { step, failure, .. } => Said::bad(format!("{} failed: {}", title(step), one_line(&failure.what))),
        Fact::Waiting { step, party, said, .. } => {
            Said::plain(format!("{} waits on {party}: {}", title(step), one_line(said)))
        }
        Fact::WaitSet { step, party, due, .. } => {
            let until = due.map(|due| format!(" until {}", due.date())).unwrap_or_default();
            Said::good(format!("{} waits on {party}{until}", title(step)))
        }
        Fact::ChangeKept { step } => Said::good(format!("{}: kept as it was done", title(step))),
        Fact::WaitEnded { step, .. } => Said::good(format!("{}: the wait is over", title(step))),
        Fact::Asked { step, question, .. } => Said::bad(format!("{} asks you: {}", title(step), asked(question))),
        Fact::Stopped { step, why, .. } => Said::plain(format!("{} stopped: {}", title(step), one_line(why))),
        Fact::HostKeyTrusted { host, port, .. } => Said::good(format!("The host key of {host}:{port} is trusted now")),
        Fact::Skipped { step, reason } => Said::plain(format!("{} skipped: {}", title(step), one_line(reason))),
        Fact::UndoBegan { steps, .. } => {
            Said::plain(format!("Taking back {}, one after another", text::count(steps.len(), "step")))
        }
        Fact::HostLeftOut { host, reason } => Said::plain(format!("{host} is left out: {}", one_line(reason))),
        Fact::HostLetIn { host } => Said::plain(format!("{host} takes part again")),
        Fact::Settled { step, choice, .. } => Said::plain(format!("{} settled: {choice}", title(step))),
        Fact::Adopted { step, id, .. } => Said::good(format!("{}: {id} is taken for it", title(step))),
        Fact::Undone { step, evidence, stays: true, .. } => {
            Said::plain(format!("{} stays: {}", title(step), one_line(&evidence.said)))
        }
        Fact::Undone { step, .. } => Said::good(format!("{} undone", title(step))),
    })
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

fn asked(question: &Question) -> &'static str {
    match question {
        Question::HostKey { .. } => "is this the right host key?",
        Question::Different { .. } => "something else is there already",
        Question::NeedsSecret { .. } => "a secret is missing",
        Question::SignIn { .. } => "please sign in to AWS",
    }
}

/// How a step came to be done.
pub fn done_how(how: DoneHow) -> &'static str {
    match how {
        DoneHow::Given => "all answers given",
        DoneHow::AlreadySo => "done, found so",
        DoneHow::Applied => "done",
        DoneHow::SignedOff => "signed off",
    }
}

/// The end of a run. How many stand where is in the counters beside it.
pub fn idle(summary: &Summary) -> Said {
    let Tally { total, failed, person, waiting, ready, .. } = summary.tally;
    let how = if summary.stopped { "Stopped. " } else { "" };
    if summary.tally.all_done() {
        Said::good(format!("All {} are done", text::count(total, "step")))
    } else if failed > 0 {
        Said::bad(format!("{how}{} failed; R tries again", text::count(failed, "step")))
    } else if person > 0 {
        Said::plain(format!("{how}{} for you", text::count(person, "step")))
    } else if waiting > 0 {
        Said::whole(format!("{how}Others must move now; it is looked at again from time to time"))
    } else if ready > 0 {
        Said::plain(format!("{how}{} ready: R runs what is", text::count(ready, "step")))
    } else {
        Said::plain(format!("{how}Nothing more can start"))
    }
}

/// `12/20 done  2 running  1 waiting  1 failed`: always there, always in this order. Of those that are done, so many were
/// found otherwise since.
pub fn counters(tally: &Tally, drifted: usize) -> String {
    let mut parts = vec![format!("{}/{} done", tally.done, tally.total)];
    let rest = [
        (drifted, "drifted"),
        (tally.running, "running"),
        (tally.person, "for you"),
        (tally.waiting, "waiting"),
        (tally.failed, "failed"),
        (tally.outdated, "outdated"),
    ];
    parts.extend(rest.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")));
    parts.join("  ")
}

/// How many are as they were left, and which are not; while it is looked, of how many.
pub fn drift(found: &BTreeMap<Address, Finding>, of: usize, runbook: &Runbook) -> Said {
    let number = |kind| found.values().filter(|finding| finding.kind == kind).count();
    let kinds = [FindingKind::Same, FindingKind::Different, FindingKind::Absent, FindingKind::Unknown];
    let counted = kinds.into_iter().map(|kind| (kind.word(), number(kind))).filter(|(_, number)| *number > 0);
    let counted: Vec<String> = counted.map(|(word, number)| format!("{word} {number}")).collect();
    let so_far = if found.len() < of { format!(" {} of {of}", found.len()) } else { String::new() };
    let counted = format!("Checked again{so_far}: {}", counted.join(", "));
    let changed = found.iter().filter(|(_, finding)| finding.kind != FindingKind::Same);
    let changed: Vec<String> = changed.map(|(step, _)| title(runbook, step)).collect();
    match changed.is_empty() {
        true => Said::plain(counted),
        false => Said::bad(format!("{counted}: {}", changed.join("; "))),
    }
}

fn waits(steps: usize) -> String {
    format!("{} {}", text::count(steps, "step"), if steps == 1 { "waits" } else { "wait" })
}

/// `3 steps would change something with 7 calls; 2 unknown`.
pub fn plan_summary(plan: &Plan) -> String {
    let changing = plan.entries.iter().filter(|entry| entry.would_change()).count();
    let later = plan.entries.iter().filter(|entry| entry.verdict == Verdict::Input).count();
    match (changing, later) {
        (0, 0) => return "nothing would be changed".to_owned(),
        // Whoever has not answered yet would take the other for the end.
        (0, _) => return format!("nothing would be changed yet; {}", waits(later)),
        _ => {}
    }
    let calls = plan.changes().count();
    let mut said = format!("{} would send {}", text::count(changing, "step"), text::count(calls, "change"));
    let unknown = plan.entries.iter().filter(|entry| entry.verdict == Verdict::Unknown).count();
    if unknown > 0 {
        said.push_str(&format!("; {unknown} could not be told"));
    }
    said
}

/// Who must move next.
pub fn who_moves(next: Option<&Status>) -> String {
    match next {
        None => "nobody".to_owned(),
        Some(Status::Waiting(wait)) if wait.party != Party::Operator => wait.party.to_string(),
        Some(_) => "you".to_owned(),
    }
}

/// A text that names commands as `onramp VERB NAME STEP …`, with the engagement and the step in them.
pub fn with_names(text: &str, engagement: &str, step: &Address) -> String {
    let mut parts = text.split("onramp ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for command in parts {
        out.push_str("onramp ");
        match command.split_once(" NAME") {
            Some((verb, rest)) if verb.chars().all(|c| c.is_ascii_lowercase()) => {
                let rest = rest.strip_prefix(" STEP").map_or(rest.to_owned(), |rest| format!(" {step}{rest}"));
                out.push_str(&format!("{verb} {engagement}{rest}"));
            }
            _ => out.push_str(command),
        }
    }
    out
}

/// Why something was refused, and what to press where changes stand in its way.
pub fn refused(refusal: &Refusal) -> String {
    match refusal.undo.is_empty() {
        true => refusal.to_string(),
        false => format!("{}. Ctrl-X: see and undo all that has to go first", refusal.why),
    }
}

/// An undo that has not come to its end, and the key that goes on with it.
pub fn half_undone(engagement: &Engagement) -> Option<String> {
    let (undo, left) = engagement.half_undone()?;
    let key = if undo.all { "U" } else { "u" };
    Some(format!("undo half done, {} left: {key} goes on", text::count(left.len(), "step")))
}

/// What was signed at a step that is signed off.
pub fn signed(facts: &Facts, step: &Address) -> Option<String> {
    match facts.open.as_ref()?.engagement.state(step) {
        State::Done { how: DoneHow::SignedOff, evidence, .. } => Some(evidence.said.clone()),
        _ => None,
    }
}

/// A gate that holds back some of these steps, with how many: an approval alone starts none of them.
pub fn held_back(open: &Opened, steps: &BTreeSet<StepId>) -> Option<String> {
    let gates = open.runbook.steps().filter(|step| step.gate);
    let said = gates.filter_map(|gate| {
        let row = open.board.rows.iter().find(|row| row.address.step == gate.id && !row.status.settled())?;
        let held = steps.iter().filter(|step| open.runbook.closure(step).contains(&gate.id)).count();
        let how_many = if held == steps.len() {
            "nothing of it starts".to_owned()
        } else {
            format!("{held} of them do not start")
        };
        (held > 0).then(|| format!("{how_many} before \"{}\": {}", gate.title, row.status.word()))
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What to say where no step is next.
pub fn nothing_next(board: &Board) -> String {
    if board.tally.running > 0 {
        "steps are running".to_owned()
    } else if board.tally.all_done() {
        "all done".to_owned()
    } else {
        "nothing can move".to_owned()
    }
}

/// A moment: the time of day for today, otherwise the date too.
pub fn moment(facts: &Facts, at: At) -> String {
    let shifted = At(at.0 + i64::from(facts.utc_offset) * 60_000);
    let today = At(facts.now.0 + i64::from(facts.utc_offset) * 60_000);
    let (moment, today) = (shifted.to_string(), today.to_string());
    let (date, time) = moment.split_once('T').unwrap_or((&moment, ""));
    let clock = time.get(..5).unwrap_or(time);
    if today.starts_with(date) { clock.to_owned() } else { format!("{date} {clock}") }
}

/// How long ago, in words.
pub fn ago(facts: &Facts, at: At) -> String {
    text::ago(facts.now.since(at))
}

/// The texts of several lines that a step keeps, by the names under which `onramp status --value` prints them.
pub fn kept_texts<'o>(open: &'o Opened, step: &Address) -> Vec<(String, &'o str)> {
    let kept = open.engagement.kept.get(step).into_iter().flatten();
    let name = |key: &Option<String>, name: &str| match key {
        Some(key) => format!("{name}.{key}"),
        None => name.to_owned(),
    };
    let several = kept.filter_map(|kept| Some((name(&kept.key, &kept.name), kept.value.as_str()?)));
    several.filter(|(_, text)| text.contains('\n')).collect()
}

/// What a plan that has just come says first; what a rehearsal found stands above its rows, out of sight where one has moved down.
pub fn plan_made(plan: &Plan) -> String {
    let known = plan.permissions();
    match known.denied.len() {
        _ if known.is_empty() => format!("Plan made: {}", plan_summary(plan)),
        0 => "Rehearsed: AWS refuses none of it. The list is at the top (g)".to_owned(),
        many => format!("Rehearsed: {} missing. They stand at the top (g)", text::count(many, "permission")),
    }
}

/// How a kept text is written into a file as it is.
pub fn into_a_file(open: &Opened, name: &str) -> String {
    format!("{} {name} > FILE", open.printing)
}

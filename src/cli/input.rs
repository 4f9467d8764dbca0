//! `onramp input NAME ID=VALUE…`: give inputs, all or none; list what is given and what is missing; or write a questionnaire
//! and read it back.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::answers::{self, Asked};
use super::context::{Context, runbook_of};
use super::failure::Failure;
use super::{neighbours, print, session};
use crate::engagement::{
    Changed, Command, Engagement, ScopeMode, answers as answers_of, decide, known_answers, people, questionnaire,
    returned, scope, unheard_of, worded,
};
use crate::engine::Clock;
use crate::input::{Disagreement, InputId, Kind as InputKind, Setting, Value, agree};
use crate::journal::Writer;
use crate::runbook::{Field, Runbook, Scope};
use crate::text;

/// The most of a questionnaire that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A questionnaire is a text that somebody without onramp can fill in: --export writes it, --import reads it \
back, says what differs and every rule that is broken, and stores all answers or none. Passwords and keys are never in it."
)]
pub struct Arguments {
    pub name: String,
    /// As in net.ssh_port=22022; without any, the inputs are listed
    #[arg(value_name = "ID=VALUE")]
    given: Vec<String>,
    /// YAML file of inputs
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write the questions for the customer to this file, which must not be there yet; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["given", "file", "import"])]
    export: Option<PathBuf>,
    /// Only what this person has to answer, such as network, dns, mail or security
    #[arg(long = "for", value_name = "PERSON", requires = "export")]
    person: Option<String>,
    /// Read a questionnaire that came back: show what differs, and store all of it or nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["given", "file"])]
    import: Option<PathBuf>,
    /// Only show what --import would store
    #[arg(long, requires = "import")]
    dry_run: bool,
    /// List the inputs of phases that are not in the runbook yet, too
    #[arg(long, conflicts_with_all = ["given", "file", "export", "import"])]
    all: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Some(file) = &arguments.export {
        return write_questions(context, &arguments.name, file, arguments.person.as_deref());
    }
    if let Some(file) = &arguments.import {
        return read_answers(context, &arguments.name, file, arguments.dry_run);
    }
    if arguments.given.is_empty() && arguments.file.is_none() {
        return list(context, &arguments.name, arguments.all);
    }
    let mut writer = Writer::open(&context.folder(&arguments.name)?, &context.holder())?;
    if let Some(greeting) = writer.greeting() {
        print::say(&greeting);
    }
    let runbook = runbook_of(writer.engagement())?;
    let asked =
        Asked::new(&runbook, session::setting(writer.engagement().identity.practice)).beside(writer.engagement());
    if let Some(emptied) = emptied(&arguments.given, writer.engagement(), &runbook)? {
        let events = decide(writer.engagement(), &runbook, &Command::ForgetInput(emptied.clone()))
            .map_err(|refusal| Failure::usage(refusal.to_string()).hint("nothing was changed"))?;
        writer.append(Clock::default().now(), &context.actor(), events)?;
        print::line(&format!("{emptied} has no answer any more"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut given = answers::from_arguments(&arguments.given, &asked)?.inputs;
    if let Some(path) = &arguments.file {
        let answers = answers::from_file(path, &asked)?;
        if !answers.sign_offs.is_empty() {
            print::say("sign-offs in the file are taken by onramp run --answers, when their turn comes");
        }
        given.extend(answers.inputs);
    }
    neighbours::differ(context, &arguments.name, writer.engagement(), &given)?;
    let ids: Vec<InputId> = given.iter().map(|(id, _)| id.clone()).collect();
    let stored = session::give(&mut writer, &runbook, &context.actor(), given)?;
    odd(writer.engagement(), &runbook, &ids, &asked.setting)
        .iter()
        .for_each(|odd| print::say(&format!("Please look again: {odd}")));
    print::line(&stored)?;
    Ok(ExitCode::SUCCESS)
}

/// The one answer that is to be taken out, `ID=`, where it may be missing.
///
/// # Errors
/// It is not the only one that was named.
fn emptied(given: &[String], engagement: &Engagement, runbook: &Runbook) -> Result<Option<InputId>, Failure> {
    let scope = scope(engagement, runbook, ScopeMode::Real);
    let may_go = |argument: &&String| {
        let id = argument.trim().strip_suffix('=')?;
        let standing = engagement.inputs.keys().find(|standing| standing.as_str() == id)?;
        // A secret is taken out of the place where it is kept, too: onramp secret NAME forget.
        let is_secret = |field: &&Field| matches!(field.kind, InputKind::Secret(_));
        let field = runbook.fields.get(standing).filter(|field| field.may_stay_empty(&scope) && !is_secret(field))?;
        Some(field.id.clone())
    };
    match given.iter().find_map(|argument| may_go(&argument)) {
        Some(id) if given.len() > 1 => {
            Err(Failure::usage(format!("{id}= takes an answer out; say it by itself")).hint("nothing was changed"))
        }
        found => Ok(found),
    }
}

/// What is allowed and seldom meant, of these inputs.
fn odd(engagement: &Engagement, runbook: &Runbook, ids: &[InputId], setting: &Setting) -> Vec<String> {
    let warned = agree(&answers_of(engagement, runbook), setting.now)
        .into_iter()
        .filter(|one| one.warning && one.ids.iter().any(|id| ids.contains(id)));
    let about = |ids: &[InputId]| text::list(&ids.iter().map(InputId::to_string).collect::<Vec<_>>());
    let said =
        |one: Disagreement| format!("{}: {} (rule: {})", about(&one.ids), worded(&one, runbook), one.refusal.source);
    let warned = warned.map(said);
    let scope = scope(engagement, runbook, ScopeMode::Real);
    let unheard = ids.iter().filter_map(|id| {
        let known = known_answers(runbook.fields.get(id)?, &scope);
        Some(format!("{id}: {}", unheard_of(&known, engagement.input(id.as_str())?.text()?)?))
    });
    warned.chain(unheard).collect()
}

fn list(context: &Context, name: &str, all: bool) -> Result<ExitCode, Failure> {
    let (engagement, runbook, _) = session::look(context, name)?;
    let scope = scope(&engagement, &runbook, ScopeMode::Real);
    for field in runbook.fields.values() {
        let given = engagement.inputs.get(&field.id);
        if !all && given.is_none() && runbook.is_to_come(field) {
            continue;
        }
        let value = match given {
            Some(given) => text::clip(&given.value.shown().replace('\n', "; "), 60),
            None => text::clip(&open(field, &scope), 60),
        };
        print::line(&format!("{:<28} {:<62} {}", field.id.as_str(), value, field.label))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What there is to say of an answer that is not given yet.
fn open(field: &Field, scope: &Scope) -> String {
    if field.when.as_ref().is_some_and(|when| when.truth(scope).is_ok_and(|holds| !holds)) {
        return "- (not needed, as it stands)".to_owned();
    }
    let offered = field.default.as_ref().and_then(|default| default.text(scope).ok()).unwrap_or_default();
    match offered.trim() {
        "" if field.may_stay_empty(scope) => "- (may stay empty)".to_owned(),
        "" => "-".to_owned(),
        offered => format!("- (offered: {})", offered.replace('\n', "; ")),
    }
}

fn write_questions(context: &Context, name: &str, file: &Path, person: Option<&str>) -> Result<ExitCode, Failure> {
    let (engagement, runbook, _) = session::look(context, name)?;
    let known = people(&runbook);
    if let Some(person) = person.filter(|person| !known.contains(person)) {
        let why = if known.is_empty() {
            "this runbook names nobody".to_owned()
        } else {
            format!("it is {}", text::either(&known))
        };
        return Err(Failure::usage(format!("nobody called \"{person}\" answers anything here: {why}")));
    }
    let written = questionnaire(&engagement, &runbook, person);
    if file == Path::new("-") {
        print::out(&written)?;
        return Ok(ExitCode::SUCCESS);
    }
    let unwritable = |error: std::io::Error| {
        Failure::usage(format!("{} cannot be written: {error}", file.display()))
            .hint("name a file that is not there yet: answers in an older one would be lost")
    };
    let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(unwritable)?;
    open.write_all(written.as_bytes()).and_then(|()| open.sync_all()).map_err(unwritable)?;
    let back = context.reach(name, false).put("onramp input NAME --import FILE");
    print::line(&format!("{} written. It holds no secrets. When it is back: {back}", file.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn read_answers(context: &Context, name: &str, file: &Path, dry_run: bool) -> Result<ExitCode, Failure> {
    let unreadable = |why: String| Failure::usage(format!("{} cannot be read: {why}", file.display()));
    let size = fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
    if size > LONGEST {
        return Err(unreadable(format!("it has {size} bytes, and a questionnaire has {LONGEST} at most")));
    }
    let bytes = fs::read(file).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| unreadable("it is not UTF-8; save it as text in UTF-8, not as a document".to_owned()))?;
    let mut writer = Writer::open(&context.folder(name)?, &context.holder())?;
    let runbook = runbook_of(writer.engagement())?;
    let back = returned(writer.engagement(), &runbook, &text, Clock::default().now());
    for changed in &back.changed {
        print::line(&difference(changed))?;
    }
    back.odd.iter().for_each(|odd| print::say(&format!("Please look again: {odd}")));
    back.open.iter().for_each(|open| print::say(&format!("Still open: {open}")));
    back.besides.iter().for_each(|besides| print::say(&format!("Asked now, too, because of these answers: {besides}")));
    if !back.broken.is_empty() {
        let count = text::count(back.broken.len(), "rule");
        let broken = back.broken.join("\n  ");
        return Err(Failure::usage(format!("{count} of {} broken; nothing was stored\n  {broken}", file.display())));
    }
    let given: Vec<_> = back.changed.into_iter().map(|changed| (changed.id, changed.now)).collect();
    neighbours::differ(context, name, writer.engagement(), &given)?;
    let said = match dry_run {
        true => {
            let (count, same) = (given.len(), back.same);
            session::may_give(writer.engagement(), &runbook, given)?;
            format!("{count} would be stored, {same} as before")
        }
        false => {
            let stored = session::give(&mut writer, &runbook, &context.actor(), given)?;
            format!("{stored}, {} as before", back.same)
        }
    };
    print::line(&said)?;
    Ok(ExitCode::SUCCESS)
}

/// What stands in one line of a difference.
const SHORT: usize = 80;

/// One answer that differs, with what stood before: of a long one every line that came or went, whole.
fn difference(changed: &Changed) -> String {
    let (id, label) = (changed.id.as_str(), &changed.label);
    let now = changed.now.shown();
    let is_short = |text: &str| text.chars().count() <= SHORT;
    let one_line = |text: &str| text.replace('\n', "; ");
    let Some(before) = changed.before.as_ref().map(Value::shown) else {
        return format!("+ {id:<28} {}  ({label})", text::clip(&one_line(&now), SHORT));
    };
    if is_short(&before) && is_short(&now) {
        return format!("~ {id:<28} {} -> {}  ({label})", one_line(&before), one_line(&now));
    }
    let gone =
        before.lines().filter(|line| !now.lines().any(|other| other == *line)).map(|line| format!("    - {line}"));
    let come =
        now.lines().filter(|line| !before.lines().any(|other| other == *line)).map(|line| format!("    + {line}"));
    let mut lines: Vec<String> = gone.chain(come).collect();
    if lines.is_empty() {
        lines.push("    the same lines in another order".to_owned());
    }
    format!("~ {id:<28} ({label})\n{}", lines.join("\n"))
}

//! Reads the files of a runbook, bounded whoever wrote them, and collects everything that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::catalog::Catalog;
use super::diagnosis::Diagnosis;
use super::file::File;
use super::lint::{self, Book};
use super::lower::{At, Lowering};
use super::model::{Field, HostTemplate, Phase, Runbook, Step};
use super::needs;
use super::place::{Cursor, Document, Place, advised, one_document};
use super::problem::{Problem, Severity};
use super::shape;

const LARGEST: usize = 1024 * 1024;
const DEEPEST: usize = 32;
/// Those in scripts and texts count, too.
const MOST_BRACKETS: usize = 200;

/// A file that has the right shape.
struct Parsed {
    path: String,
    document: Document,
    file: File,
}

/// Reads a runbook from its files, each with its path as it is shown to people.
///
/// All problems come back, sorted by place; the runbook only when none of them is an error.
pub fn load(files: &[(String, String)], catalog: &Catalog) -> (Option<Runbook>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut parsed = Vec::new();
    for (path, text) in files {
        match parse(path, text) {
            Ok(file) => parsed.push(file),
            Err(found) => problems.extend(found),
        }
    }
    let complete = parsed.len() == files.len();
    let mut lowering = Lowering { catalog, problems: Vec::new(), library: String::new() };
    let parts = Parts::of(&parsed, &mut lowering);
    problems.extend(lowering.problems);
    // Half a runbook would lack names all over; those problems would hide the real ones.
    let runbook = if complete { parts.assemble(&parsed, files, catalog, &mut problems) } else { None };
    problems.sort();
    problems.dedup();
    let good = problems.iter().all(|problem| problem.severity == Severity::Warning);
    (runbook.filter(|_| good), problems)
}

fn parse(path: &str, text: &str) -> Result<Parsed, Vec<Problem>> {
    let file: Arc<str> = path.into();
    let top = Place { file: file.clone(), line: 1, column: 1 };
    if text.len() > LARGEST {
        return Err(vec![Problem::error(&top, "too-big", "the file is larger than 1 MiB")]);
    }
    if brackets(text) > MOST_BRACKETS {
        return Err(vec![Problem::error(&top, "too-deep", TOO_DEEP)]);
    }
    let text = one_document(text)
        .map_err(|(line, message)| vec![Problem::error(&Place { line, ..top.clone() }, "plain-yaml", message)])?;
    bounded(text).map_err(|error| vec![from_serde(&error, &top)])?;
    let document =
        Document::parse(&file, text).map_err(|(place, message)| vec![Problem::error(&place, "plain-yaml", message)])?;
    let problems = shape::check(&document.root());
    if !problems.is_empty() {
        return Err(problems);
    }
    let file = serde_yaml::from_str::<File>(text).map_err(|error| vec![from_serde(&error, &top)])?;
    Ok(Parsed { path: path.to_owned(), document, file })
}

/// How deep brackets nest, whatever they mean. The YAML parsers take time with the square of it, so that a file of
/// nothing but brackets must not reach them.
fn brackets(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Refuses what nests too deep before anything else walks through it.
fn bounded(text: &str) -> Result<(), serde_yaml::Error> {
    Depth { left: DEEPEST }.deserialize(serde_yaml::Deserializer::from_str(text))
}

const TOO_DEEP: &str = "this nests deeper than 32 levels";

fn from_serde(error: &serde_yaml::Error, top: &Place) -> Problem {
    let place = error.location().map_or_else(
        || top.clone(),
        |location| Place { line: location.line(), column: location.column(), ..top.clone() },
    );
    let said = error.to_string();
    // The place stands before the message already.
    let said = said.split(" at line ").next().unwrap_or_default();
    if said.contains(TOO_DEEP) {
        return Problem::error(&place, "too-deep", TOO_DEEP);
    }
    Problem::error(&place, "yaml", advised(said))
}

/// What the files hold, lowered.
struct Parts<'a> {
    phases: Vec<(Phase, usize)>,
    steps: Vec<At<'a, Step>>,
    fields: Vec<At<'a, Field>>,
    hosts: Vec<At<'a, HostTemplate>>,
    diagnoses: Vec<Diagnosis>,
}

impl<'a> Parts<'a> {
    fn of(parsed: &'a [Parsed], lowering: &mut Lowering) -> Parts<'a> {
        let mut parts = Parts {
            phases: Vec::new(),
            steps: Vec::new(),
            fields: Vec::new(),
            hosts: Vec::new(),
            diagnoses: Vec::new(),
        };
        for (index, Parsed { document, file, .. }) in parsed.iter().enumerate() {
            let root = document.root();
            let inputs = file.inputs.iter().flatten().enumerate();
            parts.fields.extend(inputs.filter_map(|(at, input)| lowering.field(root.key("inputs").item(at), input)));
            let hosts = file.hosts.iter().flatten().enumerate();
            parts.hosts.extend(hosts.filter_map(|(at, host)| lowering.host(root.key("hosts").item(at), host)));
            if let Some(id) = &file.phase {
                let (phase, steps) = lowering.phase(&root, id, file);
                parts.phases.push((phase, index));
                parts.steps.extend(steps);
            } else if file.steps.is_some() {
                let message = "`phase` is missing: steps belong to a phase";
                lowering.problems.push(Problem::error(&root.key_place("steps"), "missing-key", message));
            }
            if let Some(id) = &file.diagnosis {
                parts.diagnoses.push(lowering.diagnosis(&root, id, file));
            } else if file.questions.is_some() {
                let message = "`diagnosis` is missing: questions belong to a diagnosis";
                lowering.problems.push(Problem::error(&root.key_place("questions"), "missing-key", message));
            }
        }
        parts
    }

    fn assemble(
        self,
        parsed: &[Parsed],
        files: &[(String, String)],
        catalog: &Catalog,
        problems: &mut Vec<Problem>,
    ) -> Option<Runbook> {
        let head = head(parsed, problems)?;
        let order = phase_order(head, parsed, problems);
        let mut phases = Vec::new();
        for (phase, _) in order.iter().filter_map(|at| self.phases.iter().find(|(_, file)| file == at)) {
            let own = self.steps.iter().filter(|(step, _)| step.id.phase() == phase.id);
            phases.push(Phase { steps: own.map(|(step, _)| step.clone()).collect(), ..phase.clone() });
        }
        problems.extend(duplicate_phases(&self.phases, parsed));
        let mut runbook = Runbook {
            id: head.file.runbook.clone().unwrap_or_default(),
            title: head.file.title.clone().unwrap_or_default(),
            phases,
            fields: self.fields.iter().map(|(field, _)| (field.id.clone(), field.clone())).collect(),
            hosts: self.hosts.iter().map(|(host, _)| host.clone()).collect(),
            diagnoses: self.diagnoses,
            digest: digest(files),
        };
        let written: BTreeMap<_, _> = runbook.steps().map(|step| (step.id.clone(), step.needs.clone())).collect();
        needs::add_implied(&mut runbook);
        needs::add_gates(&mut runbook);
        let steps: Vec<_> = self.steps.into_iter().map(|(step, cursor)| (step.id, cursor)).collect();
        let inputs: Vec<_> = self.fields.into_iter().map(|(field, cursor)| (field.id, cursor)).collect();
        let hosts: Vec<Cursor> = self.hosts.into_iter().map(|(_, cursor)| cursor).collect();
        let book =
            Book { runbook: &runbook, catalog, steps: &steps, inputs: &inputs, hosts: &hosts, written: &written };
        problems.extend(lint::check(&book));
        Some(runbook)
    }
}

/// The one file that says which runbook this is.
fn head<'a>(parsed: &'a [Parsed], problems: &mut Vec<Problem>) -> Option<&'a Parsed> {
    let mut heads = parsed.iter().filter(|parsed| parsed.file.runbook.is_some());
    let Some(head) = heads.next() else {
        let file = parsed.first().map_or("runbook", |parsed| parsed.path.as_str());
        let place = Place { file: file.into(), line: 0, column: 0 };
        let message = "no file says which runbook this is: `runbook: its-id`";
        problems.push(Problem::error(&place, "no-runbook", message));
        return None;
    };
    for other in heads {
        let place = other.document.root().key_place("runbook");
        let message = format!("`runbook` stands in {} already", head.path);
        problems.push(Problem::error(&place, "no-runbook", message));
    }
    let root = head.document.root();
    if let Some(id) = &head.file.runbook {
        let mut lowering = Lowering { catalog: &Catalog::default(), problems: Vec::new(), library: String::new() };
        lowering.id(&root.key("runbook"), id);
        problems.extend(lowering.problems);
    }
    if head.file.title.is_none() {
        problems.push(Problem::error(&root.place(), "missing-key", "`title` is missing"));
    }
    Some(head)
}

/// The indices of the files with a phase, in the order that `phases` gives; a single file is its own order.
fn phase_order(head: &Parsed, parsed: &[Parsed], problems: &mut Vec<Problem>) -> Vec<usize> {
    let root = head.document.root();
    let mut order = Vec::new();
    for (at, name) in head.file.phases.iter().flatten().enumerate() {
        let place = root.key("phases").item(at).place();
        let named = |parsed: &Parsed| file_name(&parsed.path) == name;
        match parsed.iter().position(named) {
            Some(index) if parsed[index].file.phase.is_none() => {
                problems.push(Problem::error(&place, "phase-file", format!("`{name}` has no `phase`")));
            }
            Some(index) if order.contains(&index) => {
                problems.push(Problem::error(&place, "phase-file", format!("`{name}` is named twice")));
            }
            Some(index) => order.push(index),
            None => {
                let candidates = parsed.iter().map(|parsed| file_name(&parsed.path));
                let problem = Problem::error(&place, "phase-file", format!("there is no file `{name}`"));
                problems.push(problem.nearest(name, candidates));
            }
        }
    }
    for (index, other) in parsed.iter().enumerate().filter(|(_, parsed)| parsed.file.phase.is_some()) {
        let alone = head.file.phases.is_none() && other.file.runbook.is_some();
        if alone {
            order.push(index);
        } else if !order.contains(&index) {
            let place = other.document.root().key_place("phase");
            let message = format!("`phases` in {} does not name this file", head.path);
            problems.push(Problem::error(&place, "phase-order", message));
        }
    }
    order
}

fn duplicate_phases(phases: &[(Phase, usize)], parsed: &[Parsed]) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    let again = phases.iter().filter(|(phase, _)| !seen.insert(&phase.id));
    again
        .map(|(phase, index)| {
            let place = parsed[*index].document.root().key("phase").place();
            Problem::error(&place, "duplicate-id", format!("the phase `{}` is there twice", phase.id))
        })
        .collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The same files give the same digest, in whatever folder they lie and in whatever order they come.
fn digest(files: &[(String, String)]) -> String {
    let mut sorted: Vec<(&str, &str)> = files.iter().map(|(path, text)| (file_name(path), text.as_str())).collect();
    sorted.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for part in sorted.into_iter().flat_map(|(name, text)| [name, text]) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Walks through any YAML that nests at most so deep, and keeps nothing of it.
#[derive(Clone, Copy)]
struct Depth {
    left: usize,
}

impl Depth {
    fn below<E: de::Error>(self) -> Result<Depth, E> {
        let left = self.left.checked_sub(1).ok_or_else(|| E::custom(TOO_DEEP))?;
        Ok(Depth { left })
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i128<E>(self, _: i128) -> Result<(), E> {
        Ok(())
    }

    fn visit_u128<E>(self, _: u128) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let below = self.below()?;
        while items.next_element_seed(below)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let below = self.below()?;
        while entries.next_key_seed(below)?.is_some() {
            entries.next_value_seed(below)?;
        }
        Ok(())
    }

    /// A value with a tag, which is refused later and with its place.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (_, value) = tagged.variant::<de::IgnoredAny>()?;
        value.newtype_variant_seed(self.below()?)
    }
}

//! The properties of a resource: as a step wants them, as AWS shows them, and what leads from one to the other. Only what
//! the step names is compared; what can never be read back is not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::arguments::{Arguments, known};
use super::call::resource::MARK;
use super::object::difference;
use crate::aws::{ResourceType, TagStyle};
use crate::engagement::{Difference, Failure};
use crate::input::{Kind, KindParams, Setting, parse};
use crate::text::{clean, nearest, unified};

/// Lines of a difference that are shown.
const SHOWN: usize = 40;
/// A value is shown in one line up to this length.
const SHORT: usize = 60;
/// Names that AWS takes only in a form that an input's rule knows, too: type, property, `use` of the kind `name`.
const NAMES: [(&str, &str, &str); 2] =
    [("AWS::S3::Bucket", "BucketName", "bucket"), ("AWS::RDS::DBInstance", "DBInstanceIdentifier", "db-identifier")];

/// What a step wants.
pub(super) struct Wanted {
    pub type_name: String,
    pub row: Option<&'static ResourceType>,
    pub properties: Map<String, Json>,
    pub tags: TagStyle,
    identifier: Option<String>,
    known_by: Vec<String>,
    write_only: Vec<String>,
}

/// One property that is otherwise.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gap {
    /// `/BucketEncryption/ServerSideEncryptionConfiguration`
    pub path: String,
    wanted: Json,
    found: Option<Json>,
}

impl Wanted {
    pub(super) fn new(arguments: Arguments<'_>) -> Result<Self, Failure> {
        let type_name = arguments.text("type")?;
        let row = ResourceType::named(&type_name);
        if known(&type_name) && type_name.split("::").filter(|part| !part.is_empty()).count() < 3 {
            let near = nearest(&type_name, ResourceType::ALL.iter().map(|one| one.name));
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(wrong(format!("\"{type_name}\" is not a type of resource, such as AWS::S3::Bucket{hint}")));
        }
        let Some(Json::Object(properties)) =
            arguments.given.get("properties").map(|given| without_nulls(given.clone()))
        else {
            return Err(wrong(format!("aws/resource of {type_name} needs `properties`, a map")));
        };
        let (identifier, known_by) = (arguments.optional("identifier")?, arguments.list("known_by")?);
        let write_only = arguments.list("write_only")?;
        irrevocable(&type_name, &properties, arguments.optional("irrevocable")?.as_deref())?;
        let tags = match (arguments.optional("tags")?, row) {
            (None, Some(row)) => row.tags,
            _ => match arguments.one_of("tags", &["list", "map", "none"])? {
                "list" => TagStyle::List("Tags"),
                "map" => TagStyle::Map("Tags"),
                _ => TagStyle::None,
            },
        };
        let mut wanted = Wanted { type_name, row, properties, tags, identifier, known_by, write_only };
        wanted.as_texts();
        wanted.check()?;
        Ok(wanted)
    }

    /// Text that is JSON may be given as a map.
    fn as_texts(&mut self) {
        for property in self.row.into_iter().flat_map(ResourceType::texts) {
            if let Some(value) = self.properties.get_mut(property).filter(|value| value.is_object() || value.is_array())
            {
                *value = Json::String(value.to_string());
            }
        }
    }

    /// What AWS publishes of the type holds before anything is sent.
    fn check(&self) -> Result<(), Failure> {
        let of = &self.type_name;
        let Some(row) = self.row else {
            let found = self.identifier.is_some() || !self.known_by.is_empty() || self.tags != TagStyle::None;
            let said = format!(
                "nothing would tell this {of} from another: give its `identifier`, what it is `known_by`, or say how its \
                 `tags` are written"
            );
            return if found { Ok(()) } else { Err(wrong(said)) };
        };
        let properties = row.properties();
        for name in self.properties.keys() {
            if !properties.contains(name.as_str()) {
                let near = nearest(name, properties.iter().copied());
                let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                return Err(wrong(format!("{of} has no property {name}{hint}")));
            }
            if row.read_only().any(|property| property == name) {
                return Err(wrong(format!("{name} of {of} is said by AWS, and nobody can set it")));
            }
        }
        if let Some(missing) = row.required().find(|name| !self.properties.contains_key(*name)) {
            return Err(wrong(format!("{of} needs the property {missing}")));
        }
        for (_, property, used_as) in NAMES.iter().filter(|(name, ..)| name == of) {
            let Some(name) = self.properties.get(*property).and_then(Json::as_str).filter(|name| known(name)) else {
                continue;
            };
            let params = KindParams { used_as: Some((*used_as).to_owned()), ..KindParams::default() };
            let kind = Kind::named("name", &params).map_err(wrong)?;
            parse(&kind, name, &Setting::default()).map_err(|refusal| {
                let advice = format!("Correct the step or its input, for instance {}.", refusal.example);
                Failure::new(format!("{property} of {of}: {}: {}", refusal.what, refusal.why), advice)
            })?;
        }
        Ok(())
    }

    /// What the console calls it.
    pub(super) fn noun(&self) -> String {
        let name = self.identifier().or_else(|| {
            let of = self.row.map(|row| row.arn_of).filter(|of| !of.is_empty());
            of.or(Some("Name")).and_then(|of| Some(self.properties.get(of)?.as_str()?.to_owned()))
        });
        match name {
            Some(name) => format!("{} {name}", self.type_name),
            None => self.type_name.clone(),
        }
    }

    /// Its primary identifier, where that is the step's to say; none as long as an earlier step must tell it.
    pub(super) fn identifier(&self) -> Option<String> {
        let given = self.identifier.clone();
        let text = |name: &Json| name.as_str().map_or_else(|| name.to_string(), str::to_owned);
        let named = || {
            let parts = self.row?.identifiers().map(|name| self.properties.get(name).map(text));
            Some(parts.collect::<Option<Vec<_>>>()?.join("|"))
        };
        given.or_else(named).filter(|identifier| known(identifier))
    }

    /// What a list of its like has to be asked with; none as long as an earlier step must tell it.
    pub(super) fn listed_in(&self) -> Option<Map<String, Json>> {
        let names = self.row.into_iter().flat_map(ResourceType::listed_in);
        let given = names.map(|name| Some((name.to_owned(), self.properties.get(name)?.clone())));
        let model: Map<String, Json> = given.collect::<Option<_>>()?;
        model.values().all(|value| value.as_str().is_none_or(known)).then_some(model)
    }

    /// What an identifier that AWS makes ends with, where that tells.
    pub(super) fn arn_ends_with(&self) -> Option<String> {
        let of = self.row.map(|row| row.arn_of).filter(|of| !of.is_empty())?;
        let name = self.properties.get(of)?.as_str().filter(|name| known(name))?;
        Some(format!(":{name}"))
    }

    /// Properties by which it is told from others, without an identifier.
    pub(super) fn known_by(&self) -> Vec<String> {
        let of_row = self.row.into_iter().flat_map(ResourceType::known_by).map(str::to_owned);
        if self.known_by.is_empty() { of_row.collect() } else { self.known_by.clone() }
    }

    /// Are these the properties of the one that is meant, whoever made it?
    pub(super) fn is_known_in(&self, model: &Json) -> bool {
        let names = self.known_by();
        let wanted = Json::Object(self.properties.clone());
        let same = |name: &String| {
            let path = format!("/{name}");
            wanted.pointer(&path).is_some_and(|wanted| model.pointer(&path).is_some_and(|found| alike(wanted, found)))
        };
        !names.is_empty() && names.iter().all(same)
    }

    /// What is otherwise, of what the step names.
    pub(super) fn gaps(&self, model: &Json) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (name, wanted) in &self.properties {
            if Some(name.as_str()) == self.tags.property() {
                gaps.extend(self.tag_gap(name, model));
                continue;
            }
            self.compare(&format!("/{}", escaped(name)), wanted, model.get(name), &mut gaps);
        }
        gaps
    }

    fn tag_gap(&self, name: &str, model: &Json) -> Option<Gap> {
        let wanted = tags_of(&Json::Object(self.properties.clone()), self.tags);
        let mut all = tags_of(model, self.tags);
        let so = wanted.iter().all(|(key, value)| !known(value) || all.get(key) == Some(value));
        all.retain(|key, _| !key.starts_with("aws:"));
        all.extend(wanted);
        (!so).then(|| Gap {
            path: format!("/{}", escaped(name)),
            wanted: tags_as(self.tags, &all),
            found: model.get(name).cloned(),
        })
    }

    fn compare(&self, path: &str, wanted: &Json, found: Option<&Json>, gaps: &mut Vec<Gap>) {
        if self.is_write_only(path) || self.holds(path, wanted, found) {
            return;
        }
        match (wanted, found) {
            (Json::Object(wanted), Some(Json::Object(found))) => {
                for (name, wanted) in wanted {
                    self.compare(&format!("{path}/{}", escaped(name)), wanted, found.get(name), gaps);
                }
            }
            _ => gaps.push(Gap { path: path.to_owned(), wanted: wanted.clone(), found: found.cloned() }),
        }
    }

    /// Is all that is wanted there? More may be.
    fn holds(&self, path: &str, wanted: &Json, found: Option<&Json>) -> bool {
        if self.is_write_only(path) || wanted.as_str().is_some_and(|text| !known(text) || text.contains(MARK)) {
            return true;
        }
        let Some(found) = found else { return is_empty(wanted) || self.is_unseen(path, wanted) };
        match (wanted, found) {
            (Json::Object(wanted), Json::Object(found)) => {
                let holds = |(name, wanted): (&String, &Json)| {
                    self.holds(&format!("{path}/{}", escaped(name)), wanted, found.get(name))
                };
                wanted.iter().all(holds)
            }
            (Json::Array(wanted), Json::Array(found)) => {
                // AWS keeps most lists in an order of its own.
                let mut left: Vec<&Json> = found.iter().collect();
                let entry = format!("{path}/*");
                wanted.len() == found.len()
                    && wanted.iter().all(|wanted| {
                        let at = left.iter().position(|found| self.holds(&entry, wanted, Some(found)));
                        at.map(|at| left.swap_remove(at)).is_some()
                    })
            }
            _ => alike(wanted, found),
        }
    }

    fn is_write_only(&self, path: &str) -> bool {
        let is_this = |one: &str| path.strip_prefix('/') == Some(one);
        self.row.is_some_and(|row| row.write_only().any(is_this)) || self.write_only.iter().any(|one| is_this(one))
    }

    /// Can all of it be set and nothing of it be read back?
    fn is_unseen(&self, path: &str, wanted: &Json) -> bool {
        let below = |name: &str| format!("{path}/{}", escaped(name));
        match wanted {
            _ if self.is_write_only(path) => true,
            Json::Object(map) => !map.is_empty() && map.iter().all(|(name, value)| self.is_unseen(&below(name), value)),
            Json::Array(all) => !all.is_empty() && all.iter().all(|value| self.is_unseen(&below("*"), value)),
            _ => false,
        }
    }

    fn is_create_only(&self, path: &str) -> bool {
        self.row.into_iter().flat_map(ResourceType::create_only).any(|one| is_within(path, one))
    }

    /// Those of these that can never be otherwise than they were at first.
    pub(super) fn for_ever<'g>(&self, gaps: &'g [Gap]) -> Vec<&'g str> {
        let is_identifier =
            |path: &str| self.row.into_iter().flat_map(ResourceType::identifiers).any(|one| is_within(path, one));
        let is_fixed = |gap: &&Gap| self.is_create_only(&gap.path) || is_identifier(&gap.path);
        gaps.iter().filter(is_fixed).map(|gap| gap.path.as_str()).collect()
    }

    /// What makes it as wanted.
    pub(super) fn patch(&self, gaps: &[Gap], model: &Json) -> Vec<Json> {
        let step = |gap: &Gap| {
            let op = if gap.found.is_some() { "replace" } else { "add" };
            json!({ "op": op, "path": gap.path, "value": gap.wanted })
        };
        self.with_unseen(gaps.iter().map(step).collect(), model)
    }

    /// These steps, and whatever the step names that cannot be read back once more, however deep it stands: Cloud Control
    /// reads what is there, changes it, and writes the whole, so that AWS would take it away otherwise.
    pub(super) fn with_unseen(&self, mut steps: Vec<Json>, model: &Json) -> Vec<Json> {
        let said: Vec<String> = steps.iter().filter_map(|step| step["path"].as_str().map(str::to_owned)).collect();
        for (name, wanted) in &self.properties {
            let path = format!("/{}", escaped(name));
            let at = Place { of_type: path.clone(), here: path };
            self.say_again(&at, wanted, model.get(name), &said, &mut steps);
        }
        steps
    }

    fn say_again(&self, at: &Place, wanted: &Json, found: Option<&Json>, said: &[String], steps: &mut Vec<Json>) {
        let is_said = said.iter().any(|said| is_within(&at.here, said.trim_start_matches('/')));
        if is_said || self.is_create_only(&at.of_type) {
            return;
        }
        if self.is_write_only(&at.of_type) || (found.is_none() && self.is_unseen(&at.of_type, wanted)) {
            steps.push(json!({ "op": "add", "path": at.here, "value": wanted }));
            return;
        }
        match (wanted, found) {
            (Json::Object(wanted), Some(Json::Object(found))) => {
                for (name, wanted) in wanted {
                    self.say_again(&at.member(name), wanted, found.get(name), said, steps);
                }
            }
            (Json::Array(wanted), Some(Json::Array(found))) => {
                let mut left: Vec<(usize, &Json)> = found.iter().enumerate().collect();
                for wanted in wanted {
                    let same = |(_, found): &(usize, &Json)| self.holds(&at.entry(0).of_type, wanted, Some(*found));
                    if let Some(which) = left.iter().position(same) {
                        let (number, found) = left.swap_remove(which);
                        self.say_again(&at.entry(number), wanted, Some(found), said, steps);
                    }
                }
            }
            _ => {}
        }
    }

    /// Properties of which AWS shows a part and hides another that the step does not name: an update would take that away,
    /// and nobody could tell what it was. What the step itself has made hides nothing that it does not name.
    pub(super) fn hiding(&self, model: &Json, ours: bool) -> BTreeSet<&'static str> {
        let wanted = Json::Object(self.properties.clone());
        let nested = self.row.into_iter().flat_map(ResourceType::write_only).filter(|path| path.contains('/'));
        let changing = nested.filter(|path| !self.is_create_only(&format!("/{path}")));
        let hides = |path: &&str| is_hidden(&path.split('/').collect::<Vec<_>>(), model, Some(&wanted), ours);
        changing.filter(hides).map(|path| path.split('/').next().unwrap_or(path)).collect()
    }
}

/// A property in the description of its type, and in what is there.
struct Place {
    of_type: String,
    here: String,
}

impl Place {
    fn member(&self, name: &str) -> Place {
        let name = escaped(name);
        Place { of_type: format!("{}/{name}", self.of_type), here: format!("{}/{name}", self.here) }
    }

    fn entry(&self, number: usize) -> Place {
        Place { of_type: format!("{}/*", self.of_type), here: format!("{}/{number}", self.here) }
    }
}

/// `/A/B` is within `A`, and within `A/B`.
fn is_within(path: &str, outer: &str) -> bool {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(outer));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// May something stand at that path that is not shown, and that nobody names?
fn is_hidden(path: &[&str], found: &Json, wanted: Option<&Json>, ours: bool) -> bool {
    match path {
        [] => false,
        [last] => {
            let is_shown_without = found.as_object().is_some_and(|found| !found.contains_key(*last));
            let is_named = wanted.is_some_and(|wanted| ours || wanted.get(last).is_some());
            is_shown_without && !is_named
        }
        // A list that the step names it names whole.
        ["*", rest @ ..] => {
            wanted.is_none()
                && found.as_array().is_some_and(|all| all.iter().any(|one| is_hidden(rest, one, None, ours)))
        }
        [name, rest @ ..] => found
            .get(name)
            .is_some_and(|found| is_hidden(rest, found, wanted.and_then(|wanted| wanted.get(name)), ours)),
    }
}

/// What puts these back as they are.
pub(super) fn back(gaps: &[Gap]) -> Vec<Json> {
    let step = |gap: &Gap| match &gap.found {
        Some(found) => json!({ "op": "add", "path": gap.path, "value": found }),
        None => json!({ "op": "remove", "path": gap.path }),
    };
    gaps.iter().map(step).collect()
}

/// The steps of an earlier way back, and those of this one for what it does not know.
pub(super) fn joined(earlier: Option<&Json>, now: Vec<Json>) -> Vec<Json> {
    let mut all: Vec<Json> = earlier.and_then(Json::as_array).cloned().unwrap_or_default();
    let known: Vec<Json> = all.iter().map(|step| step["path"].clone()).collect();
    all.extend(now.into_iter().filter(|step| !known.contains(&step["path"])));
    all
}

/// The steps of a way back that are not gone yet, in what is there.
pub(super) fn still_to_go(steps: &[Json], model: &Json) -> Vec<Json> {
    let to_go = |step: &&Json| {
        let now = step["path"].as_str().and_then(|path| model.pointer(path));
        match step.get("value") {
            Some(former) => now.is_none_or(|now| !alike(former, now)),
            None => now.is_some(),
        }
    };
    steps.iter().filter(to_go).cloned().collect()
}

/// As a person compares them.
pub(super) fn differences(gaps: &[Gap]) -> Vec<Difference> {
    let one = |gap: &Gap| {
        let what = gap.path.trim_start_matches('/').replace('/', " \u{203a} ");
        let (wanted, found) = (brief(&gap.wanted), gap.found.as_ref().map_or_else(|| "nothing".to_owned(), brief));
        let long = wanted.chars().count().max(found.chars().count()) > SHORT;
        let diff = if long {
            let found = gap.found.as_ref().map(at_length).unwrap_or_default();
            unified(&found, &at_length(&gap.wanted), SHOWN)
        } else {
            String::new()
        };
        Difference { diff: clean(diff.as_bytes()), ..difference(&what, shortened(&wanted), shortened(&found)) }
    };
    gaps.iter().map(one).collect()
}

fn brief(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((at, _)) => format!("{}\u{2026}", &text[..at]),
        None => text.to_owned(),
    }
}

fn at_length(value: &Json) -> String {
    let read = value.as_str().and_then(structure);
    let value = read.as_ref().unwrap_or(value);
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{text}\n")
}

/// The same value, whatever it is written as: AWS gives numbers as text, policies as maps or as text.
fn alike(wanted: &Json, found: &Json) -> bool {
    match (wanted, found) {
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|found| alike(value, found)))
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Json::String(text), other) | (other, Json::String(text)) if other.is_object() || other.is_array() => {
            structure(text).is_some_and(|read| alike(&read, other))
        }
        (Json::String(a), Json::String(b)) if a != b => {
            structure(a).zip(structure(b)).is_some_and(|(a, b)| alike(&a, &b))
        }
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (a, b) => a == b || scalar(a).zip(scalar(b)).is_some_and(|(a, b)| a == b),
    }
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn structure(text: &str) -> Option<Json> {
    serde_json::from_str::<Json>(text).ok().filter(|read| read.is_object() || read.is_array())
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn without_nulls(value: Json) -> Json {
    match value {
        Json::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Json::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// A lock in compliance mode, once its days of grace are over, is lifted by nobody, AWS's support included: nobody comes to
/// it by a property alone, but only where a person has said the vault's name once more.
fn irrevocable(of: &str, properties: &Map<String, Json>, said: Option<&str>) -> Result<(), Failure> {
    let locks = properties.get("LockConfiguration").is_some_and(|lock| lock.get("ChangeableForDays").is_some());
    let name = properties.get("BackupVaultName").and_then(Json::as_str).unwrap_or_default();
    if of != "AWS::Backup::BackupVault"
        || !locks
        || said.is_some_and(|said| !known(said) || !known(name) || said == name)
    {
        return Ok(());
    }
    let what =
        format!("the lock of the vault {name} could never be lifted again, and nobody has said that this is meant");
    let advice = "Ask a person for the vault's name in an input, and give it as `irrevocable`. Without ChangeableForDays it is a \
                  lock that the account's owner can lift.";
    Err(Failure::new(what, advice))
}

/// RFC 6901.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The tags in these properties.
pub(super) fn tags_of(model: &Json, style: TagStyle) -> BTreeMap<String, String> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Some(tags) = style.property().and_then(|property| model.get(property)) else { return BTreeMap::new() };
    match tags {
        Json::Object(map) => map.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        Json::Array(items) => {
            let pair = |tag: &Json| Some((text(tag.get("Key")?), text(tag.get("Value")?)));
            items.iter().filter_map(pair).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// Tags as the type takes them.
pub(super) fn tags_as(style: TagStyle, tags: &BTreeMap<String, String>) -> Json {
    match style {
        TagStyle::Map(_) => json!(tags),
        _ => tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect(),
    }
}

fn wrong(what: impl Into<String>) -> Failure {
    Failure::new(what, "Correct the step in the runbook; the properties stand in AWS's CloudFormation reference.")
}

#[cfg(test)]
#[path = "tests/resource_model.rs"]
mod tests;

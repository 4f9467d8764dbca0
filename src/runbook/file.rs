//! What the YAML of a runbook looks like: plain keys and values. [`super::lower`] makes the model of it.
//!
//! The doc comments here are the descriptions in the JSON Schema that editors show.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::json;
use serde_yaml::Value;

use super::model::Party;
use crate::input::Kind;

/// One file of a runbook. A runbook may be a single file with all of these keys, or a folder in which `runbook.yaml`
/// names the phases, `inputs.yaml` and `hosts.yaml` declare inputs and hosts, and each phase has a file of its own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Runbook")]
pub(super) struct File {
    /// Id of the runbook: lower-case letters, digits and hyphens. Exactly one file of a runbook has it.
    pub runbook: Option<String>,
    /// Title of the runbook; in a file with `phase`, of the phase.
    pub title: Option<String>,
    /// The files of the phases, in the order in which they are walked.
    pub phases: Option<Vec<String>>,
    /// Inputs, each declared once.
    pub inputs: Option<Vec<Input>>,
    /// How the hosts of an engagement are found.
    pub hosts: Option<Vec<Host>>,
    /// Id of the phase in this file.
    pub phase: Option<String>,
    /// Why the phase is done, in the customer's words.
    pub why: Option<String>,
    /// Shell functions that every script of the phase may use; they come before it and run nothing by themselves.
    pub library: Option<String>,
    /// The steps of the phase, in the order of the page.
    pub steps: Option<Vec<Step>>,
    /// Id of the diagnosis in this file, by which steps name it. `title` is what it finds out.
    pub diagnosis: Option<String>,
    /// The questions of the diagnosis. The first one is asked first; each answer says what comes next.
    pub questions: Option<Vec<Question>>,
}

/// One value that the customer or the engineer gives.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Dotted lower-case name, such as `net.vpc_cidr`. Templates read the value by it.
    pub id: String,
    /// What the form calls it.
    pub label: String,
    /// One or two sentences below the field.
    pub help: Option<String>,
    /// Name of the kind, which brings the rules.
    #[schemars(with = "KindName")]
    pub kind: String,
    /// For the kinds `choice` and `choices`: values, or maps of `value` and `label`.
    #[schemars(with = "Option<Vec<ChoiceShape>>")]
    pub choices: Option<Vec<Value>>,
    /// Smallest number, length or count.
    pub min: Option<i64>,
    /// Largest number, length or count.
    pub max: Option<i64>,
    /// Fewest fixed bits of a range.
    pub min_prefix: Option<i64>,
    /// Most fixed bits of a range.
    pub max_prefix: Option<i64>,
    /// For kinds with several varieties: which one is meant, such as `psk` of the kind `secret`.
    #[serde(rename = "use")]
    pub used_as: Option<String>,
    /// For the kind `list`: the kind of its entries.
    #[schemars(with = "Option<KindName>")]
    pub of: Option<String>,
    /// For the kind `table`: its columns, in their order. The first one tells rows apart.
    pub columns: Option<Vec<Column>>,
    /// Offered in the form, as a template; never taken silently.
    #[schemars(with = "Option<Scalar>")]
    pub default: Option<Value>,
    /// What is known to be answered here: a template that gives a list. It is shown, and no limit.
    pub known: Option<String>,
    /// An answer that would be accepted.
    #[schemars(with = "Option<Scalar>")]
    pub example: Option<Value>,
    /// Asked only when this expression holds.
    pub when: Option<String>,
    /// An empty answer is allowed.
    pub optional: Option<bool>,
    /// An answer is needed when this expression holds, and may be left out otherwise.
    pub required_when: Option<String>,
    /// The phase, or the step as `phase/step`, that asks for it, where the runbook does not have that yet.
    pub asked_in: Option<String>,
    /// Which person of the customer's can answer it: `network`, `dns`, `mail`, `security`, … Ours when it is left out.
    pub answered_by: Option<String>,
}

/// One column of a table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    /// One lower-case word. Templates read the cell by it.
    pub name: String,
    /// Name of the kind of its cells: one of a single value.
    #[schemars(with = "KindName")]
    pub kind: String,
    /// For the kind `choice`: values, or maps of `value` and `label`.
    #[schemars(with = "Option<Vec<ChoiceShape>>")]
    pub choices: Option<Vec<Value>>,
    /// Smallest number or length.
    pub min: Option<i64>,
    /// Largest number or length.
    pub max: Option<i64>,
    /// Which variety of the kind is meant.
    #[serde(rename = "use")]
    pub used_as: Option<String>,
    /// A row may leave it out.
    pub optional: Option<bool>,
}

/// How one host, or under `for_each` several, is reached.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Host {
    /// Name by which steps and `via` call it.
    pub name: String,
    /// The host is there only when this expression holds.
    pub when: Option<String>,
    /// A list; there is a host for each `item` of it.
    pub for_each: Option<String>,
    /// IP address or name, as the hop before it sees it.
    pub address: String,
    /// Port of its sshd; 22 when it is left out.
    #[schemars(with = "Option<Scalar>")]
    pub port: Option<Value>,
    /// Who logs in; whom the engineer's SSH set-up says when it is left out.
    pub user: Option<String>,
    /// `agent`, or the path of a private key.
    pub key: Option<String>,
    /// Name of the host to go through.
    pub via: Option<String>,
    /// One `{{ secret }}`: the password that sudo asks for there. Without it a person is asked.
    pub sudo: Option<String>,
    /// The host whose keys it shows, where two ways lead to one machine.
    pub known_as: Option<String>,
    /// Fingerprints of its host keys from a second source: one, or a list.
    pub fingerprints: Option<String>,
    /// True: it is only on the way to others, and somebody else's. It stands in none of the lists of hosts.
    pub hop: Option<bool>,
}

/// One step. It has exactly one of `form`, `choice`, `manual`, `shell`, `aws`, `os` and `probe`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// Id within the phase: lower-case letters, digits and hyphens. It never changes.
    pub id: String,
    /// What the step was called in earlier editions of the runbook, as `phase/step`: one, or a list. Engagements that
    /// know it by such a name keep what they know when they are updated.
    #[schemars(with = "Option<OneOrMore>")]
    pub was: Option<Value>,
    /// One line that says what is so when the step is done.
    pub title: String,
    /// Why it is done, in the customer's words.
    pub why: Option<String>,
    /// Whose work it is; ours when it is left out.
    pub owner: Option<Party>,
    /// Done only when this expression holds.
    pub when: Option<String>,
    /// A list; the step is done for each `item` of it.
    pub for_each: Option<String>,
    /// Steps that come before: ids of this phase, or `phase/step`. What a step reads it needs anyway.
    pub needs: Option<Vec<String>>,
    /// No step after this one, in the order of the page, changes anything before it is done.
    pub gate: Option<bool>,
    /// A later step that takes this one's change away again: once it is done, nobody looks whether this is still so.
    pub until: Option<String>,
    /// Ask for these inputs, by id.
    pub form: Option<Vec<String>>,
    /// Ask for this one input, whose kind is `choice`.
    pub choice: Option<String>,
    /// What a person is asked to do and to sign off.
    pub manual: Option<String>,
    /// Scripts run on `host`.
    pub shell: Option<Shell>,
    /// An action in AWS, with the arguments of `with`.
    pub aws: Option<String>,
    /// Something on a host that is more than a script (a file, packages, a restart), with the arguments of `with`.
    pub os: Option<String>,
    /// A check from outside, with the arguments of `with`.
    pub probe: Option<String>,
    /// Arguments of `aws`, `os` or `probe`. Texts are templates.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub with: Option<serde_yaml::Mapping>,
    /// Name of the host for `shell`.
    pub host: Option<String>,
    /// Run the scripts as root through `sudo -n`: true when it is left out.
    pub sudo: Option<bool>,
    /// Who outside must move before the check can succeed.
    pub waits_on: Option<Party>,
    /// What they are asked to do.
    pub ask: Option<String>,
    /// The person or the team that is asked, as a template.
    pub who: Option<String>,
    /// How long they have for it: `36h`, `10 days`, `2 weeks`.
    pub due: Option<String>,
    /// What is kept of the result: the key in the result, and the dotted name that templates read it by.
    pub saves: Option<BTreeMap<String, String>>,
    /// What begins to be billed.
    pub cost: Option<String>,
    /// What breaks if it is wrong.
    pub breaks: Option<String>,
    /// Why there is no undo, where there is none.
    pub no_undo: Option<String>,
    /// Until when an undo is safe: `always`, `unused` (as long as nothing that was made later hangs on it; so it is when
    /// this is left out), or a time after the change, such as `72h`.
    pub undo_until: Option<String>,
    /// How long the check after the change may say "not yet": `90s`, `10m`, `1h`.
    pub within: Option<String>,
    /// How long one script may run: `90s`, `10m`, `1h`.
    pub limit: Option<String>,
    /// Id of the diagnosis that finds out what is the matter when this step fails or waits.
    pub diagnosis: Option<String>,
}

/// One question of a diagnosis: a look that changes nothing, and what each answer leads to. It has exactly one of `aws`,
/// `os`, `probe` and `check`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// Id within the diagnosis: lower-case letters, digits and hyphens.
    pub id: String,
    /// What is asked, in words.
    pub ask: String,
    /// An expression. Where it does not hold, the question after this one is asked in its place.
    pub when: Option<String>,
    /// A look at AWS, with the arguments of `with`: any kind, of which only the probe is asked.
    pub aws: Option<String>,
    /// A look at a host.
    pub os: Option<String>,
    /// A look from outside.
    pub probe: Option<String>,
    /// Arguments of `aws`, `os` or `probe`. Texts are templates, which may also read `step.id` (which step
    /// asks), `step.host`, and `step.from` (from where it looks).
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub with: Option<serde_yaml::Mapping>,
    /// A script that only looks. Exit 0: yes. 1: no. Anything else: unknown.
    pub check: Option<String>,
    /// Name of the host for `check`.
    pub host: Option<String>,
    /// Run the script as root through `sudo -n`: true when it is left out.
    pub sudo: Option<bool>,
    /// What each answer leads to; the first whose `when` holds counts. When none does, the diagnosis says so and ends.
    pub answers: Vec<Answer>,
}

/// What an answer leads to: the next question, or a branch with its words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// An expression over `answer.so` (`yes`, `no` or `unknown`), `answer.said` and, where it is so, the results of the
    /// look by their names. Always, when it is left out.
    pub when: Option<String>,
    /// Id of the question to ask next.
    pub then: Option<String>,
    /// Id of the branch that this is: lower-case letters, digits and hyphens.
    pub branch: Option<String>,
    /// What is the matter, as a template.
    pub what: Option<String>,
    /// How one sees it, as a template.
    pub seen: Option<String>,
    /// What is to be done, as a template.
    #[serde(rename = "do")]
    pub todo: Option<String>,
    /// Who must move.
    pub who: Option<Party>,
}

/// POSIX shell scripts. A `{{ value }}` in them is quoted by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shell {
    /// Exit 0: it is already so. 1: it is not. Anything else: unknown.
    pub check: Option<String>,
    /// Makes it so.
    pub run: Option<String>,
    /// Runs after `run` has ended well, over a login that is made anew; where nobody gets in any more, it does not run.
    pub then: Option<String>,
    /// Exit 0: it is so now. `check` is used when it is left out.
    pub verify: Option<String>,
    /// Makes it not so.
    pub undo: Option<String>,
    /// One `{{ secret }}`, which `run` reads on its standard input (`check`, where there is no `run`). A secret stands
    /// nowhere else.
    pub stdin: Option<String>,
}

/// A text, a number, or true or false.
pub(super) struct Scalar;

impl JsonSchema for Scalar {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scalar".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// A kind of input, each with what it expects: an editor offers them.
pub(super) struct KindName;

impl JsonSchema for KindName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "KindName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds = Kind::all().iter();
        let kinds: Vec<_> = kinds.map(|row| json!({ "const": row.name, "description": row.summary })).collect();
        json_schema!({ "type": "string", "oneOf": kinds })
    }
}

/// One text, or a list of them.
pub(super) struct OneOrMore;

impl JsonSchema for OneOrMore {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OneOrMore".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
    }
}

/// One choice.
pub(super) struct ChoiceShape;

impl JsonSchema for ChoiceShape {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Choice".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number", "object"],
            "properties": {
                "value": { "type": "string", "description": "What is stored, and what conditions compare with." },
                "label": { "type": "string", "description": "What the form shows." },
            },
            "required": ["value"],
            "additionalProperties": false,
        })
    }
}

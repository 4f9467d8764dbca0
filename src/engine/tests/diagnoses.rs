//! What is the matter: the diagnoses of the shipped runbook, on an engagement in practice that is walked until it works and
//! then broken in one way after the other. Each tree has its own file; here is what they share.

use std::fs;

use secrecy::SecretString;
use serde_json::Value as Json;

use super::*;
use crate::engagement::Diagnosed;
use crate::input::{SecretRef, from_plain};
use crate::runbook::Leads;

pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub(super) fn shipped() -> Vec<(String, String)> {
    let folder = Path::new(ROOT).join("runbooks/managed-cloud");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, String)> =
        paths.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect();
    files.sort();
    files
}

/// The engagement of a scenario, its key made, the customer's data centre there.
pub(super) async fn scenario(name: &str) -> Stage {
    scenario_but(name, &[]).await
}

/// The same, some answers other ones.
pub(super) async fn scenario_but(name: &str, others: &[(&str, &str)]) -> Stage {
    let mut stage = Stage::of(&shipped(), Faults::none(), Pace::Instant);
    let key = stage.folder().join("operator_ed25519");
    let public = ssh::new_key_file(&key).unwrap();
    stage.account.furnish(&public).await.unwrap();
    stage.dial = stage.account.dialer();
    tokio::spawn(stage.account.clone().follow());
    let text = fs::read_to_string(Path::new(ROOT).join("tests/scenarios").join(name)).unwrap();
    let mut answers: BTreeMap<String, Json> = serde_yaml::from_str(&text).unwrap();
    answers.remove("sign_off");
    // A form's default, which a person would leave as it stands.
    if answers.contains_key("dx.kind") {
        answers.entry("dx.lines".to_owned()).or_insert_with(|| Json::String("one".to_owned()));
    }
    let own = [
        ("aws.account_id", ACCOUNT.to_owned()),
        ("aws.region_primary", REGION.to_owned()),
        ("net.ssh_public_key", public),
        ("net.ssh_key_ref", key.display().to_string()),
    ];
    answers.extend(own.map(|(id, value)| (id.to_owned(), Json::String(value))));
    answers.extend(others.iter().map(|(id, value)| ((*id).to_owned(), Json::String((*value).to_owned()))));
    let desk = stage.open().await;
    let value = |(id, plain): (String, Json)| {
        let id: InputId = id.parse().unwrap();
        let field = &stage.runbook.fields[&id];
        (
            id,
            from_plain(&field.kind, &plain, &Setting { practice: true, now: None }).unwrap_or_else(|no| panic!("{no}")),
        )
    };
    desk.handle.command(Command::GiveInputs(answers.into_iter().map(value).collect()));
    desk.close_unrefused().await;
    stage
}

/// Runs until this step and all that it needs is done, as a patient person would.
pub(super) async fn until(stage: &Stage, step: &str) {
    for _ in 0..12 {
        let mut desk = stage.open().await;
        desk.say_secrets();
        desk.approve().await;
        desk.run(RunScope::Until(at(step))).await;
        desk.reopen_failed();
        for row in desk.board().rows {
            // Somebody who may buy takes the image's terms, somebody makes the bucket, and somebody publishes what mail needs.
            let step = row.address.step.to_string();
            let of_the_customer =
                ["access/image-terms", "access/login-bucket"].contains(&&*step) || step.starts_with("mail/");
            if let (Status::Waiting(wait), true) = (&row.status, of_the_customer) {
                stage.account.ask_customer(&wait.ask).await;
            }
            if row.status == Status::SignOff || matches!(&row.status, Status::Waiting(_) if !row.touches_world) {
                desk.sign(&row.address.to_string()).await;
            }
        }
        let board = desk.board();
        let rows = board.rows.iter().filter(|row| row.address.step.to_string() == step);
        let done = rows.filter(|row| !row.status.settled()).count() == 0;
        desk.close().await;
        if done {
            return;
        }
    }
    panic!("{step} is never done: {:#?}", rows(&stage.engagement(), &stage.runbook));
}

/// What a person would be asked for, and says.
const SECRETS: [&str; 4] = ["dx.md5", "mon.http_proxy_password", "ses.secret_key", "smtp.password"];
/// A key that encrypts a line: 64 hexadecimal digits.
const CAK: &str = "8f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

impl Desk {
    fn say_secrets(&self) {
        let prompt = |id: &str| SecretRef::Prompt { what_for: id.to_owned() };
        let said = SECRETS.map(|id| (prompt(id), Some(SecretString::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))));
        let cak = (prompt("dx.cak"), Some(SecretString::from(CAK)));
        self.handle.send(Request::Secrets(said.into_iter().chain([cak]).collect()));
    }

    async fn close_unrefused(mut self) {
        self.handle.send(Request::Close);
        self.hear("the end", |notice| matches!(notice, Notice::Closed).then_some(())).await;
        let refused = self.heard.iter().find(|notice| matches!(notice, Notice::Refused(_)));
        assert!(refused.is_none(), "{refused:?}");
    }

    pub(super) async fn diagnose(&mut self, step: &str) -> Box<Diagnosed> {
        self.handle.send(Request::Diagnose(at(step)));
        let told = |notice: &Notice| match notice {
            Notice::Diagnosed(diagnosed) => Some(Ok(diagnosed.clone())),
            Notice::Undiagnosed(_, refusal) => Some(Err(refusal.to_string())),
            _ => None,
        };
        self.hear("the diagnosis", told).await.unwrap_or_else(|refused| panic!("{refused}"))
    }
}

/// The branch that a step is in, behind its tree's name. Asking changes nothing, in the account and in the state file.
pub(super) async fn branch(stage: &Stage, step: &str) -> String {
    let (sent, events) = (stage.sent(), stage.events().len());
    let mut desk = stage.open().await;
    desk.say_secrets();
    let diagnosed = desk.diagnose(step).await;
    desk.close().await;
    assert_eq!((stage.sent(), stage.events().len()), (sent, events), "{step}: a diagnosis changed something");
    let placed = diagnosed.branch.as_ref().unwrap_or_else(|| panic!("{step}: no branch fits {diagnosed:#?}"));
    for words in [&placed.what, &placed.seen, &placed.todo] {
        assert!(!words.is_empty() && !words.contains("{{"), "{step}: {placed:?}");
    }
    format!("{}/{}", diagnosed.diagnosis, placed.branch)
}

/// Other answers than were given before.
pub(super) async fn gives(stage: &Stage, answers: &[(&str, &str)]) {
    let desk = stage.open().await;
    answers.iter().for_each(|(id, text)| desk.give(id, text));
    desk.close_unrefused().await;
}

pub(super) fn kept(stage: &Stage, name: &str) -> String {
    let scope = crate::engagement::scope(&stage.engagement(), &stage.runbook, crate::engagement::ScopeMode::Real);
    let value = scope.get_dotted(name).unwrap_or_else(|| panic!("nothing is kept as {name}"));
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Of every tree that is shipped each branch is named by what a test breaks; a new one needs such a test too.
#[test]
fn every_branch_is_what_a_test_comes_to() {
    let tests = fs::read_dir(Path::new(ROOT).join("src/engine/tests")).unwrap().map(|entry| entry.unwrap().path());
    let tests = tests.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("diagnoses_"));
    let tests: String = tests.map(|path| fs::read_to_string(path).unwrap()).collect();
    let (runbook, problems) = load(&shipped(), &crate::action::catalog());
    let runbook = runbook.unwrap_or_else(|| panic!("{problems:#?}"));
    let mut missing = BTreeSet::new();
    for diagnosis in &runbook.diagnoses {
        for answer in diagnosis.questions.iter().flat_map(|question| &question.answers) {
            if let Leads::In(branch) = &answer.leads {
                let named = format!("{}/{}", diagnosis.id, branch.id);
                missing.extend((!tests.contains(&format!("\"{named}\""))).then_some(named));
            }
        }
    }
    assert!(missing.is_empty(), "no test comes to these: {missing:#?}");
}

/// Two engagements of one customer may have one bucket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_logins_stands_under_the_engagement() {
    let stage = scenario("01-no-connection.yaml").await;
    until(&stage, "access/logins-kept").await;
    let bastion = kept(&stage, "access.bastion_id");
    let sent = stage.account.at_console(&bastion, "cat /var/lib/onramp/logins/sent").await.unwrap();
    assert!(sent.out.starts_with("logins/acme-012345/bastion/"), "{sent:?}");
}

#[tokio::test]
async fn a_step_without_a_diagnosis_and_a_round_that_is_not_there_are_said() {
    let stage = scenario("01-no-connection.yaml").await;
    let mut desk = stage.open().await;
    desk.handle.send(Request::Diagnose(at("access/vpc")));
    assert!(desk.refusal().await.contains("no diagnosis for access/vpc"));
    desk.handle.send(Request::Diagnose(at("access/jump")));
    let said = desk.refusal().await;
    assert!(said.contains("it is one of several: name access/jump[app-1]"), "{said}");
    desk.close().await;
}

//! Secrets as a person at a shell meets them: kept by reference, never in a command, never in what the program writes.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use age::secrecy::ExposeSecret;

use crate::stage::{Answer, Stage};

const CANARY: &str = "Kx7.canary_Qf93/+zW";

/// Its one host answers nobody: what is tested here comes before any host is asked.
const MAIL: &str = r#"
runbook: mail
title: Mail
phase: mail
inputs:
  - {id: smtp.password, label: Password, kind: secret, use: password}
  - {id: vpn.t1_psk, label: Pre-shared key, kind: secret, use: psk, optional: true}
  - {id: env.db_engine, label: Database, kind: choice, choices: [{value: oracle-se2, label: Oracle}], optional: true}
  - {id: env.db_master_password, label: Master password, kind: secret, use: database, max: 128, optional: true}
hosts:
  - {name: app, address: 127.0.0.1, port: 1, user: nobody}
steps:
  - {id: ask, title: Ask, form: [smtp.password, vpn.t1_psk, env.db_engine, env.db_master_password]}
  - id: mail
    title: Mail
    host: app
    shell:
      stdin: "{{ smtp.password }}"
      check: test -s /etc/mail.password
      run: install -m 0600 /dev/stdin /etc/mail.password
    no_undo: It is only a test.
"#;

fn begun(stage: Stage) -> Stage {
    let runbook = stage.file("mail.yaml", MAIL);
    stage.run(&["new", "acme", "--runbook", runbook.to_str().unwrap()]).expect(0);
    stage
}

/// With a key of age, so that nobody is asked for a passphrase.
pub fn with_an_identity() -> Stage {
    let stage = Stage::new().with_credentials();
    let identity = age::x25519::Identity::generate().to_string();
    let file = stage.file("key.txt", &format!("{}\n", identity.expose_secret()));
    stage.with("ONRAMP_AGE_IDENTITY", file.to_str().unwrap())
}

fn with_identity() -> Stage {
    begun(with_an_identity())
}

pub fn given_on_stdin(stage: &Stage, arguments: &[&str], text: &str) -> Answer {
    let mut command = stage.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Answer::from(child.wait_with_output().unwrap())
}

fn assert_absent_below(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_absent_below(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found, "{} holds it", path.display());
    }
}

#[test]
fn a_secret_on_the_command_line_or_in_a_file_is_refused_and_not_repeated() {
    let stage = begun(Stage::new().with_credentials());
    let answer = stage.run(&["input", "acme", &format!("smtp.password={CANARY}")]).expect(2);
    answer.says("smtp.password");
    answer.says("onramp secret acme set");
    let file = stage.file("answers.yaml", &format!("smtp.password: {CANARY}\n"));
    let other = stage.run(&["input", "acme", "--file", file.to_str().unwrap()]).expect(2);
    let listed = stage.run(&["input", "acme"]).expect(0);
    for answer in [answer, other, listed] {
        assert!(!answer.err.contains("canary") && !answer.out.contains("canary"), "{} {}", answer.out, answer.err);
    }
    assert_absent_below(&stage.data());
    stage.run(&["input", "acme", "smtp.password=keyring:mail/smtp"]).expect(0);
    let listed = stage.run(&["input", "acme"]).expect(0);
    assert!(listed.out.contains("keyring:mail/smtp"), "{}", listed.out);
}

#[test]
fn a_piped_secret_is_sealed_found_and_forgotten() {
    let stage = with_identity();
    let set = given_on_stdin(&stage, &["secret", "acme", "set", "smtp.password"], &format!("{CANARY}\n")).expect(0);
    assert!(set.out.contains("smtp.password in the file secrets.age"), "{}", set.out);
    let listed = stage.run(&["secret", "acme", "list"]).expect(0);
    let line = listed.out.lines().find(|line| line.starts_with("smtp.password")).unwrap();
    assert!(line.contains("age:secrets.age#smtp.password") && line.ends_with("found"), "{line}");
    assert!(listed.out.lines().any(|line| line.starts_with("vpn.t1_psk") && line.ends_with("not given")));
    assert!(!listed.out.contains("canary") && !set.out.contains("canary") && !set.err.contains("canary"));
    assert_absent_below(&stage.data());
    stage.run(&["secret", "acme", "forget", "smtp.password"]).expect(0);
    let listed = stage.run(&["secret", "acme", "list"]).expect(0);
    assert!(listed.out.lines().all(|line| line.ends_with("not given")), "{}", listed.out);
}

#[test]
fn a_secret_that_breaks_its_rules_is_refused_before_it_is_kept() {
    let stage = with_identity();
    let psk = &["secret", "acme", "set", "vpn.t1_psk"];
    for wrong in ["short", "0startswithzero", "plus+Kx7.canary"] {
        let answer = given_on_stdin(&stage, psk, wrong).expect(2);
        assert!(!answer.err.contains(wrong), "{}", answer.err);
    }
    let master = &["secret", "acme", "set", "env.db_master_password"];
    stage.run(&["input", "acme", "env.db_engine=oracle-se2"]).expect(0);
    given_on_stdin(&stage, master, &"x".repeat(31)).expect(2).says("it must have 8 to 30");
    assert!(!stage.data().join("engagements/acme/secrets.age").exists());
    given_on_stdin(&stage, master, &"x".repeat(30)).expect(0);
    stage.run(&["secret", "acme", "set", "smtp.pasword"]).expect(2).says("smtp.password");
}

#[test]
fn without_a_terminal_a_missing_secret_is_listed_with_what_to_do() {
    let stage = begun(Stage::new().with_credentials());
    let answer = given_on_stdin(&stage, &["secret", "acme", "set", "smtp.password"], CANARY).expect(3);
    answer.says("ONRAMP_AGE_IDENTITY");
    assert!(!answer.err.contains("canary"));
    stage.run(&["secret", "acme", "set", "smtp.password", "--store", "prompt"]).expect(0);
    let run = stage.run(&["run", "acme", "--yes"]).expect(3);
    run.says("1 secret missing");
    run.says("onramp secret acme set smtp.password");
    assert!(!run.err.contains("install -m 0600"), "it is asked for before there is a plan to approve: {}", run.err);
    let refused = stage.run(&["run", "acme"]).expect(3);
    refused.says("1 secret missing");
    let events = stage.run(&["status", "acme", "--format", "json"]).expect(0).out;
    assert!(!events.contains("failed\": 1"), "{events}");
}

#[test]
fn the_doctor_says_which_stores_work() {
    let stage = Stage::new().with_credentials();
    let said = stage.run(&["doctor"]).out;
    let line = said.lines().find(|line| line.contains("secrets")).unwrap();
    assert!(line.contains("sealed file: works") && line.contains("keyring: "), "{line}");
}

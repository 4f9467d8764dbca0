//! A canary for a secret: it does its work on a host, which tells everybody, and it is found nowhere.

use secrecy::SecretString;

use super::hosts::{Hosts, stage_of};
use super::*;
use crate::engagement::{FindingKind, MissingSecret, Question};
use crate::engine::AheadOf;
use crate::input::{SecretRef, SecretStore};

/// Nothing else contains it, in any of its forms.
const CANARY: &str = "Kx7.canary_Qf93/+zW";

const MAIL: &str = r#"
runbook: mail
title: Mail
phase: mail
inputs:
  - {id: smtp.password, label: Password, kind: secret, use: password}
hosts:
  - {name: app, address: 203.0.113.50, user: admin}
steps:
  - {id: ask, title: Ask, form: [smtp.password]}
  - id: mail
    title: The host can send mail
    host: app
    shell:
      stdin: "{{ smtp.password }}"
      check: test -s /etc/mail.password
      run: |
        install -m 0600 /dev/stdin /etc/mail.password
        cat /etc/mail.password
        base64 </etc/mail.password
        printf 'operator:%s' "$(cat /etc/mail.password)" | base64
        cat /etc/mail.password >&2
      verify: cat /etc/mail.password
    saves: {stdout: mail.said}
    no_undo: It is only a test.
  - id: trust
    title: Another that fails and says why
    needs: [mail]
    host: app
    shell:
      stdin: "{{ smtp.password }}"
      check: test -e /nowhere
      run: "read -r password; echo login refused for $password >&2; exit 3"
    no_undo: It is only a test.
"#;

/// Every form in which the canary could be read out of something.
fn forms() -> Vec<Vec<u8>> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let core = |text: &str| STANDARD_NO_PAD.encode(text).as_bytes()[4..20].to_vec();
    let mut forms = vec![CANARY.as_bytes().to_vec(), CANARY.as_bytes()[..12].to_vec()];
    forms.extend([CANARY.to_owned(), format!("operator:{CANARY}")].iter().map(|text| core(text)));
    forms.push(CANARY.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
    forms
}

fn assert_absent(what: &str, bytes: &[u8]) {
    for form in forms() {
        let found = bytes.windows(form.len()).any(|window| window == form);
        assert!(!found, "{what} holds {}", String::from_utf8_lossy(&form));
    }
}

/// Every file under a folder, the sealed one too.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

async fn trust(desk: &mut Desk) {
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("mail/mail"), Status::Asked(Question::HostKey { .. })));
    desk.handle.command(Command::TrustHostKey(at("mail/mail")));
}

async fn asked(desk: &mut Desk) -> (Vec<MissingSecret>, AheadOf) {
    let asked = |notice: &Notice| match notice {
        Notice::NeedsSecrets { missing, ahead_of } => Some((missing.clone(), ahead_of.clone())),
        _ => None,
    };
    desk.hear("the question for secrets", asked).await
}

fn say(desk: &Desk, reference: &SecretRef, text: Option<&str>) {
    let said = vec![(reference.clone(), text.map(SecretString::from))];
    desk.handle.send(Request::Secrets(said));
}

/// What the host itself has.
async fn on_the_host(hosts: &Hosts) -> String {
    format!("{:?}", hosts.at_console("app", "cat /etc/mail.password").await.unwrap())
}

#[tokio::test]
async fn a_secret_does_its_work_and_is_found_nowhere() {
    let (stage, hosts) = stage_of(MAIL).await;
    let mut desk = stage.open().await;

    // Typed into the form: the sealed file is made, with a passphrase that is asked for.
    let input: InputId = "smtp.password".parse().unwrap();
    let (store, text) = (SecretStore::Age, SecretString::from(CANARY));
    desk.handle.send(Request::KeepSecret { input: input.clone(), store, text });
    let (missing, ahead_of) = asked(&mut desk).await;
    assert_eq!(missing[0].reference.to_string(), "passphrase:secrets.age");
    assert!(missing[0].chosen_now && ahead_of == AheadOf::Keeping);
    say(&desk, &missing[0].reference, Some("the passphrase"));
    desk.event("the answer", |event| matches!(event, Event::InputGiven { .. }).then_some(())).await;
    assert_eq!(desk.engagement.input("smtp.password").unwrap().shown(), "age:secrets.age#smtp.password");

    trust(&mut desk).await;
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("mail/mail"), Status::Done { .. }), "{:?}", desk.status("mail/mail"));
    assert!(matches!(desk.status("mail/trust"), Status::Failed(_)), "{:?}", desk.status("mail/trust"));
    assert!(on_the_host(&hosts).await.contains(CANARY), "it did its work");

    // The feed of every reader, output pages among it.
    let attempt = desk.engagement.record(&at("mail/mail")).unwrap().attempts;
    desk.handle.send(Request::Page { step: at("mail/mail"), attempt, at: PageAt::From(0), lines: 100 });
    let page = desk.hear("the page", |n| if let Notice::Page(page) = n { Some(page.clone()) } else { None }).await;
    assert!(page.lines.iter().filter(|line| line.contains("********")).count() >= 4, "{page:?}");
    assert_absent("the feed", format!("{:?}", desk.heard).as_bytes());
    let plan = desk.plan().await;
    assert_absent("the plan", &serde_json::to_vec(&*plan).unwrap());

    // The disk: state file, write-ahead log, sealed file.
    let all = files(stage.home.path());
    assert!(all.iter().any(|path| path.ends_with("secrets.age")), "{all:?}");
    assert!(all.iter().any(|path| path.to_string_lossy().ends_with("-wal")), "{all:?}");
    for path in all {
        assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
    desk.close().await;
    for path in files(stage.home.path()) {
        assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
    assert_absent("the events", serde_json::to_string(&stage.events()).unwrap().as_bytes());
}

#[tokio::test]
async fn what_is_missing_on_resume_is_asked_for_before_the_run() {
    let (stage, hosts) = stage_of(MAIL).await;
    let mut desk = stage.open().await;
    desk.give("smtp.password", "prompt");
    let reference: SecretRef = "prompt:smtp.password".parse().unwrap();
    desk.handle.send(Request::Run(RunScope::All));
    let (missing, ahead_of) = asked(&mut desk).await;
    assert_eq!((&missing[0].reference, missing.len(), ahead_of), (&reference, 1, AheadOf::Run(RunScope::All)));
    let attempts_so_far = attempts(&stage.events());
    assert!(attempts_so_far.is_empty(), "nothing is begun before it is answered: {attempts_so_far:?}");

    // Left for later: the run begins, and the step that needs it ends as a question and never as a failure.
    say(&desk, &reference, None);
    trust(&mut desk).await;
    desk.approve().await;
    desk.run(RunScope::All).await;
    let Status::Asked(Question::NeedsSecret { reference: asked_for, .. }) = desk.status("mail/mail") else {
        panic!("{:?}", desk.status("mail/mail"))
    };
    assert_eq!(asked_for, reference);
    let intents = |events: &[Event]| count(events, |event| matches!(event, Event::Intended { .. }));
    assert_eq!(intents(&stage.events()), 0, "nothing was about to be done");
    desk.close().await;

    // Another day, another process: it is asked for before anything runs, and its answer is in no event.
    let mut desk = stage.open().await;
    desk.handle.send(Request::Run(RunScope::All));
    let (missing, _) = asked(&mut desk).await;
    assert_eq!(missing[0].reference, reference);
    say(&desk, &reference, Some(CANARY));
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("mail/mail"), Status::Done { .. }), "{:?}", desk.status("mail/mail"));
    assert!(on_the_host(&hosts).await.contains(CANARY));
    assert_absent("the events", serde_json::to_string(&stage.events()).unwrap().as_bytes());
    desk.close().await;
}

#[tokio::test]
async fn whoever_approves_is_asked_for_what_is_missing_first() {
    let (stage, _hosts) = stage_of(MAIL).await;
    let mut desk = stage.open().await;
    desk.give("smtp.password", "prompt");
    let reference: SecretRef = "prompt:smtp.password".parse().unwrap();
    desk.handle.send(Request::SeekSecrets(RunScope::All));
    let (missing, ahead_of) = asked(&mut desk).await;
    assert_eq!((&missing[0].reference, missing.len()), (&reference, 1));
    assert_eq!(ahead_of, AheadOf::Approval(RunScope::All));
    say(&desk, &reference, Some(CANARY));
    desk.handle.send(Request::SeekSecrets(RunScope::All));
    desk.hear("that all is there", |notice| matches!(notice, Notice::SecretsAtHand).then_some(())).await;
    assert!(attempts(&stage.events()).is_empty(), "nothing runs by that");
    desk.close().await;
}

#[tokio::test]
async fn a_wrong_passphrase_is_asked_for_again() {
    let (stage, _hosts) = stage_of(MAIL).await;
    let mut desk = stage.open().await;
    let (input, store) = ("smtp.password".parse::<InputId>().unwrap(), SecretStore::Age);
    desk.handle.send(Request::KeepSecret { input, store, text: SecretString::from(CANARY) });
    let passphrase = asked(&mut desk).await.0[0].reference.clone();
    say(&desk, &passphrase, Some("right"));
    desk.event("the answer", |event| matches!(event, Event::InputGiven { .. }).then_some(())).await;
    desk.close().await;

    let mut desk = stage.open().await;
    desk.handle.send(Request::Run(RunScope::All));
    for wrong in ["wrong", "wrong again"] {
        let (missing, _) = asked(&mut desk).await;
        assert_eq!(missing.iter().map(|one| &one.reference).collect::<Vec<_>>(), [&passphrase]);
        say(&desk, &passphrase, Some(wrong));
        desk.handle.send(Request::Run(RunScope::All));
    }
    let (missing, _) = asked(&mut desk).await;
    assert!(missing[0].why.contains("does not open"), "{missing:?}");
    say(&desk, &passphrase, Some("right"));
    desk.handle.send(Request::Run(RunScope::All));
    desk.idle().await;
    assert!(matches!(desk.status("mail/mail"), Status::Asked(Question::HostKey { .. })));
    desk.close().await;
}

const KEPT: &str = r#"
runbook: kept
title: Kept
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: smtp.password, label: Password, kind: secret, use: password}
steps:
  - {id: ask, title: Ask, form: [aws.account_id, aws.region_primary, smtp.password]}
  - id: kept
    title: The password is where the hosts read it
    aws: secret
    with: {key: smtp, use: password, value: "{{ smtp.password }}"}
    saves: {reference: smtp.kept}
"#;

/// Everything that KEPT asks; the password is to be typed.
async fn answered(stage: &Stage) -> Desk {
    let desk = stage.open().await;
    let given = [("aws.account_id", ACCOUNT), ("aws.region_primary", REGION)];
    let given = given.iter().map(|(id, text)| desk.value(id, text)).collect();
    desk.handle.command(Command::GiveInputs(given));
    desk.give("smtp.password", "prompt");
    desk
}

#[tokio::test]
async fn a_second_look_asks_for_the_secrets_that_it_reads() {
    let stage = Stage::new(KEPT, Faults::none());
    let mut desk = answered(&stage).await;
    let reference: SecretRef = "prompt:smtp.password".parse().unwrap();
    say(&desk, &reference, Some(CANARY));
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/kept"), Status::Done { .. }), "{:?}", desk.status("net/kept"));
    desk.close().await;

    // Another day: what was said is forgotten, and the step is looked at again.
    for (answer, kind) in [(Some(CANARY), FindingKind::Same), (None, FindingKind::Unknown)] {
        let mut desk = stage.open().await;
        desk.handle.send(Request::Verify);
        let (missing, ahead_of) = asked(&mut desk).await;
        assert_eq!((&missing[0].reference, missing.len(), ahead_of), (&reference, 1, AheadOf::Checks));
        say(&desk, &reference, answer);
        desk.handle.send(Request::Verify);
        let kept = |notice: &Notice| match notice {
            Notice::Drift { step, finding } if *step == at("net/kept") => Some(finding.clone()),
            _ => None,
        };
        let finding = desk.hear("what became of it", kept).await;
        assert_eq!(finding.kind, kind, "{finding:?}");
        assert!(answer.is_some() || finding.said.contains("smtp.password was not given"), "{finding:?}");
        if answer.is_none() {
            // Whoever looks once more may have it by now.
            desk.handle.send(Request::Verify);
            assert_eq!(asked(&mut desk).await.0[0].reference, reference);
        }
        desk.close().await;
    }
}

#[tokio::test]
async fn an_argument_that_is_a_secret_is_read_for_the_call_and_for_nothing_else() {
    let stage = Stage::new(KEPT, Faults::none());
    let mut desk = answered(&stage).await;
    // It is asked for before the run, like what a script reads.
    desk.handle.send(Request::Run(RunScope::All));
    let (missing, _) = asked(&mut desk).await;
    assert_eq!(missing[0].reference.to_string(), "prompt:smtp.password");
    say(&desk, &missing[0].reference, Some(CANARY));
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/kept"), Status::Done { .. }), "{:?}", desk.status("net/kept"));
    let cloud = Cloud::connect(stage.wiring()).await.unwrap();
    let there = cloud.read_secret("onramp/acme/smtp").await.unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&there), CANARY, "it did its work");

    let plan = desk.plan().await;
    assert_absent("the plan", &serde_json::to_vec(&*plan).unwrap());
    desk.undo(&[]).await;
    assert_absent("the feed", format!("{:?}", desk.heard).as_bytes());
    desk.close().await;
    for path in files(stage.home.path()) {
        assert_absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
    assert_absent("the events", serde_json::to_string(&stage.events()).unwrap().as_bytes());
}

#[tokio::test]
async fn a_secret_that_a_step_refuses_is_forgotten_and_asked_for_again() {
    let stage = Stage::new(&KEPT.replace("key: smtp, use: password", "key: smtp, use: psk"), Faults::none());
    let mut desk = answered(&stage).await;
    let reference: SecretRef = "prompt:smtp.password".parse().unwrap();
    say(&desk, &reference, Some("a blank is no part of a key"));
    desk.approve().await;
    desk.run(RunScope::All).await;
    let Status::Failed(failure) = desk.status("net/kept") else { panic!("{:?}", desk.status("net/kept")) };
    assert!(failure.advice.contains("Give another one"), "{failure:?}");

    desk.handle.command(Command::Reopen(at("net/kept")));
    desk.handle.send(Request::Run(RunScope::Only(at("net/kept"))));
    let (missing, _) = asked(&mut desk).await;
    assert_eq!((&missing[0].reference, missing.len()), (&reference, 1));
    say(&desk, &reference, Some("Kx7canary.Qf93zW"));
    desk.run(RunScope::Only(at("net/kept"))).await;
    assert!(matches!(desk.status("net/kept"), Status::Done { .. }), "{:?}", desk.status("net/kept"));
    desk.close().await;
}

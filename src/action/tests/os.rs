//! Files, packages, restarts, facts and sudo's password on hosts in the process.

use secrecy::SecretString;
use serde_json::{Map, json};

use super::hosts::{Lab, written};
use super::*;
use crate::action::{Recalled, Trouble};
use crate::engagement::{Intent, Purpose, Question};
use crate::input::SecretRef;

fn on_app(kind: &str, more: &Json) -> Box<dyn Action> {
    let mut with = Map::from_iter([("host".to_owned(), json!("app"))]);
    with.extend(more.as_object().cloned().unwrap_or_default());
    let call = Call::Kind { kind: kind.to_owned(), with };
    build(&call, &subject("e1")).unwrap_or_else(|failure| panic!("{}", failure.what))
}

fn intent(token: &str) -> DurableIntent {
    DurableIntent::for_tests(&subject("e1").address, token)
}

async fn console(lab: &Lab, script: &str) -> String {
    let answer = lab.hosts.at_console("app", script).await.unwrap();
    assert_eq!(answer.code, 0, "{script}: {}", answer.err);
    answer.out
}

#[tokio::test]
async fn a_file_lives() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    console(&lab, "printf 'theirs\\n' >/etc/motd; chmod 0640 /etc/motd; chown admin:admin /etc/motd").await;
    let wanted = json!({
        "path": "/etc/motd", "content": "it's ours\n", "mode": "0644", "owner": "root", "group": "root",
        "validate": "grep -q ours \"$1\"", "after": "echo reloaded >>/var/lib/reloads"
    });
    let action = on_app("os/file", &wanted);
    let Probe::Different { said, differences, mend, .. } = action.probe(&world).await else { panic!("not different") };
    assert_eq!(said, "/etc/motd has another mode, owner, group and content");
    assert_eq!((differences.len(), &mend), (4, &action.changes()));
    assert!(!differences[3].diff.contains("theirs"), "not everybody may read it: {differences:?}");

    let outcome = action.apply(&world, &intent("0123")).await;
    assert!(matches!(outcome, Outcome::Changed { created: true, .. }), "{outcome:?}");
    assert!(written(&mut output).contains("/etc/motd is written"));
    assert_eq!(
        console(&lab, "stat -c '%a %U %G' /etc/motd; cat /etc/motd /var/lib/reloads").await,
        "644 root root\nit's ours\nreloaded\n"
    );
    assert!(matches!(action.probe(&world).await, Probe::Same(_)));
    assert!(matches!(action.verify(&world).await, Verified::So(_)));

    console(&lab, "echo meddled >>/etc/motd").await;
    let Outcome::Failed { failure } = action.undo(&world, &intent("4567"), &BTreeMap::new()).await else { panic!() };
    assert!(failure.what.starts_with("app: /etc/motd is not as onramp left it"), "{failure:?}");
    console(&lab, "printf \"it's ours\\n\" >/etc/motd").await;
    let undone = action.undo(&world, &intent("89ab"), &BTreeMap::new()).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    assert_eq!(console(&lab, "stat -c '%a %U %G' /etc/motd; cat /etc/motd").await, "640 admin admin\ntheirs\n");
    assert_eq!(console(&lab, "cat /var/lib/reloads").await, "reloaded\nreloaded\n", "it follows the undo, too");
}

#[tokio::test]
async fn a_write_that_was_cut_off_is_no_doubt() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let action = on_app(
        "os/file",
        &json!({ "path": "/etc/made", "content": "x", "after": "kill -s KILL -- -\"$(cut -d' ' -f5 /proc/self/stat)\"; sleep 30" }),
    );
    let Outcome::Failed { failure } = action.apply(&world, &intent("0123")).await else { panic!("it ended") };
    assert!(failure.what.contains("cut off") && failure.meaning.contains("whole"), "{failure:?}");
    let probe = action.probe(&world).await;
    let Probe::Different { said, .. } = &probe else { panic!("{probe:?}") };
    assert!(said.contains("what comes after it has not ended well"), "{said}");
}

#[tokio::test]
async fn packages_live() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let action = on_app("os/packages", &json!({ "names": ["chrony", "sudo"] }));
    let Probe::Absent { said } = action.probe(&world).await else { panic!("not absent") };
    assert_eq!(said, "not installed: chrony");
    let outcome = action.apply(&world, &intent("0123")).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    assert!(matches!(action.verify(&world).await, Verified::So(_)));
    let undone = action.undo(&world, &intent("4567"), &BTreeMap::new()).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
    assert!(is_absent(&action.probe(&world).await));
    let Outcome::Failed { failure } =
        on_app("os/packages", &json!({ "names": ["no-such-thing"] })).apply(&world, &intent("89ab")).await
    else {
        panic!("it cannot be installed")
    };
    assert!(failure.what.contains("apt-get ended with code 100"), "{failure:?}");
    assert!(failure.raw.contains("Unable to locate package"), "{failure:?}");
}

#[tokio::test]
async fn a_host_restarts_once_and_is_waited_for() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    console(&lab, "echo lost >/tmp/lost; echo kept >/var/lib/kept").await;
    let boot = console(&lab, "cat /proc/sys/kernel/random/boot_id").await;
    let action = on_app("os/restart", &json!({}));
    assert!(is_absent(&action.probe(&world).await));
    let outcome = action.apply(&world, &intent("0123")).await;
    assert!(matches!(outcome, Outcome::Changed { created: false, .. }), "{outcome:?}");
    let now = console(&lab, "cat /proc/sys/kernel/random/boot_id").await;
    assert_ne!(now, boot);
    assert_eq!(console(&lab, "ls /tmp; cat /var/lib/kept").await, "kept\n");
    let Verified::So(found) = action.verify(&world).await else { panic!("not so") };
    assert_eq!(found.output["boot"], json!(now.trim()));
    assert!(matches!(action.probe(&world).await, Probe::Same(_)));

    // Whatever else was cut off: neither the same token nor a new one restarts it again.
    for token in ["0123", "4567"] {
        let again = action.apply(&world, &intent(token)).await;
        assert!(matches!(again, Outcome::Changed { .. }), "{again:?}");
        assert_eq!(console(&lab, "cat /proc/sys/kernel/random/boot_id").await, now);
    }
}

/// onramp ends between the word and the end of the restart, and comes back when the host has.
#[tokio::test]
async fn a_restart_that_was_left_alone_is_found_again() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let action = on_app("os/restart", &json!({}));
    let begun = intent("0123");
    tokio::select! {
        outcome = action.apply(&world, &begun) => panic!("{outcome:?}"),
        () = tokio::time::sleep(std::time::Duration::from_millis(1_500)) => {}
    }
    let said = Intent {
        attempt: 1,
        purpose: Purpose::Apply,
        generation: 0,
        token: "0123".to_owned(),
        digest: String::new(),
        class: action.class(),
        operations: Vec::new(),
        tags: BTreeMap::new(),
        deadline: None,
        before: BTreeMap::new(),
    };
    let (world, _output) = lab.stage(true).await;
    let recalled = loop {
        // It may be down just now.
        match action.recall(&world, &said).await {
            Recalled::Trouble(_) => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            recalled => break recalled,
        }
    };
    assert!(matches!(recalled, Recalled::Ended(Outcome::Changed { .. })), "{recalled:?}");
    assert!(matches!(action.verify(&world).await, Verified::So(_)));
}

#[tokio::test]
async fn facts_are_asked_once_and_a_full_disk_is_said() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    let action = on_app("os/facts", &json!({}));
    let Verified::So(found) = action.verify(&world).await else { panic!("not so") };
    for (name, value) in
        [("distribution", "debian"), ("version", "12"), ("family", "debian"), ("selinux", "none"), ("sudo", "free")]
    {
        assert_eq!(found.output[name], json!(value), "{name}");
    }
    assert_eq!(found.output["boot"], json!(console(&lab, "cat /proc/sys/kernel/random/boot_id").await.trim()));
    console(&lab, "sed -i 's/^ID=.*/ID=other/' /etc/os-release").await;
    let Verified::So(again) = action.verify(&world).await else { panic!("not so") };
    assert_eq!(again.output["distribution"], json!("debian"), "it was not asked again");
    world.facts.forget();
    let Verified::So(again) = action.verify(&world).await else { panic!("not so") };
    assert_eq!(again.output["distribution"], json!("other"));
    assert_eq!(written(&mut output), "", "a look is not shown");
}

const PASSWORD: &str = "s3cret-of-admin";

async fn that_asks_for_a_password(lab: &Lab) {
    let script = format!("rm /etc/sudoers.d/90-cloud-init-users; echo 'admin:{PASSWORD}' | chpasswd");
    console(lab, &script).await;
}

fn asked(question: &Question) -> SecretRef {
    let Question::NeedsSecret { reference, .. } = question else { panic!("{question:?}") };
    reference.clone()
}

#[tokio::test]
async fn sudo_that_wants_a_password_is_a_question_and_then_runs() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    that_asks_for_a_password(&lab).await;
    let action = on_app("os/file", &json!({ "path": "/etc/made", "content": "x" }));
    let Probe::Unknown(Trouble::Question(question)) = action.probe(&world).await else { panic!("no question") };
    let reference = asked(&question);
    assert_eq!(reference.said(), "sudo password of admin@app");
    assert_eq!(action.at_hand(&world).await.map_err(|question| asked(&question)), Err(reference.clone()));

    world.vault.remember(&reference, SecretString::from("not it"));
    let Probe::Unknown(Trouble::Question(Question::NeedsSecret { why, .. })) = action.probe(&world).await else {
        panic!("a wrong password is asked for again")
    };
    assert!(why.contains("did not accept"), "{why}");
    assert!(!world.vault.knows(&reference));

    world.vault.remember(&reference, SecretString::from(PASSWORD));
    assert!(action.at_hand(&world).await.is_ok());
    assert!(is_absent(&action.probe(&world).await));
    let outcome = action.apply(&world, &intent("0123")).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    assert_eq!(console(&lab, "stat -c %U /etc/made").await, "root\n");
    assert!(matches!(action.verify(&world).await, Verified::So(_)));
    assert!(!written(&mut output).contains(PASSWORD));
    let everything =
        console(&lab, "find / -type f 2>/dev/null | while read -r file; do cat \"$file\" 2>/dev/null || true; done")
            .await;
    assert!(!everything.contains(PASSWORD), "it is on the host's disk");
}

/// A password that is given where none is asked for is passed over, and not taken for a command.
#[tokio::test]
async fn a_password_that_nobody_asks_for_is_no_part_of_the_script() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    world.ssh.sudo_passwords().give("app", "admin", &SecretString::from("touch /etc/oops"));
    let action = on_app("os/file", &json!({ "path": "/etc/made", "content": "x" }));
    assert!(is_absent(&action.probe(&world).await));
    assert_eq!(console(&lab, "ls /etc/oops 2>/dev/null || echo none").await, "none\n");
}

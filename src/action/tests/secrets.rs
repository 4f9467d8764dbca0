//! Secrets Manager: a secret that onramp makes, one that it keeps, one that it only reads. Against the practice cloud,
//! and against a lent one where there is one.

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::action::vault::{NotKept, Vault};
use crate::action::{Trouble, Undoes};
use crate::aws::Kind;
use crate::engagement::Question;
use crate::input::{SecretRef, SecretRule, SecretStore};

fn kind(arguments: Json) -> Call {
    let Json::Object(with) = arguments else { panic!("arguments are a map") };
    Call::Kind { kind: "aws/secret".to_owned(), with }
}

fn psk() -> Call {
    kind(serde_json::json!({ "key": "psk/one" }))
}

fn output(outcome: &Outcome) -> &BTreeMap<String, Json> {
    match outcome {
        Outcome::Changed { output, .. } | Outcome::AlreadySo { output, .. } => output,
        other => panic!("{other:?}"),
    }
}

/// Made, found, read by whoever needs it, taken away, made again with another text.
async fn life(stage: &Stage) {
    let name = format!("onramp/{}/psk/one", stage.world.subject.name);
    let action = build(&psk(), &stage.world.subject).unwrap();
    let intent = |token: &str| DurableIntent::for_tests(&stage.world.subject.address, token);
    assert!(matches!(action.probe(&stage.world).await, Probe::Absent { .. }));
    let first = intent("0123456789abcdef0123456789abcdef");
    let made = action.apply(&stage.world, &first).await;
    assert!(matches!(made, Outcome::Changed { created: true, .. }), "{made:?}");
    let reference: SecretRef = output(&made)["reference"].as_str().unwrap().parse().unwrap();
    assert!(matches!(&reference, SecretRef::Aws { .. }), "{reference}");
    let Probe::Same(found) = action.probe(&stage.world).await else { panic!("it is not found again") };
    assert_eq!(found.output["reference"], serde_json::json!(reference.to_string()));
    let Verified::So(_) = action.verify(&stage.world).await else { panic!("it is not so") };

    let text = stage.world.vault.find(&reference, &stage.world.cloud).await.unwrap();
    assert_eq!(SecretRule::PSK.check(text.expose_secret()), Ok(()));
    let told = format!("{made:?} {:?}", action.changes());
    assert!(!told.contains(text.expose_secret()), "{told}");
    assert_eq!(stage.world.vault.masks().now().mask(text.expose_secret()), "********");

    // The same step again, under the same token and under another: nothing is made twice, and nothing replaced.
    let again = action.apply(&stage.world, &first).await;
    assert!(matches!(again, Outcome::Changed { .. }), "the token says that it is ours: {again:?}");
    let later = action.apply(&stage.world, &intent("ffff456789abcdef0123456789abcdef")).await;
    assert!(matches!(later, Outcome::AlreadySo { .. }), "{later:?}");
    let cloud = stage.world.cloud().unwrap();
    assert_eq!(cloud.read_secret(&name).await.unwrap().expose_secret(), text.expose_secret());

    let gone = action.undo(&stage.world, &first, output(&made)).await;
    assert!(matches!(gone, Outcome::Changed { .. }), "{gone:?}");
    assert_eq!(cloud.read_secret(&name).await.unwrap_err().kind, Kind::Conflict);
    assert!(matches!(action.undo(&stage.world, &first, output(&made)).await, Outcome::AlreadySo { .. }));
    assert!(matches!(action.probe(&stage.world).await, Probe::Different { mend, .. } if mend.len() == 2));
    let anew = action.apply(&stage.world, &intent("aaaa456789abcdef0123456789abcdef")).await;
    assert!(matches!(anew, Outcome::Changed { .. }), "{anew:?}");
    assert_ne!(cloud.read_secret(&name).await.unwrap().expose_secret(), text.expose_secret());
    action.undo(&stage.world, &first, output(&made)).await;
}

/// What a person typed goes into the account, and is found by its reference; somebody else's secret is left alone.
async fn kept(stage: &Stage) {
    let worlds = |vault: Vault| {
        let cloud = stage.world.cloud.as_ref().map(|cloud| (**cloud).clone()).map_err(Clone::clone);
        crate::action::Worlds::new(
            cloud,
            ssh::Pool::new(ssh::Settings::new(Arc::new(ssh::dial::Tcp), Vec::new(), None)),
        )
        .with_vault(vault)
    };
    let name = format!("onramp/{}/smtp.password", stage.world.subject.name);
    let input = "smtp.password".parse().unwrap();
    let here = worlds(Vault::default());
    for text in ["hunter2-one", "hunter2-two", "hunter2-two"] {
        let kept =
            here.keep_secret(&stage.world.subject, &input, SecretStore::SecretsManager, SecretString::from(text));
        assert_eq!(kept.await.unwrap().to_string(), format!("aws-secret:{name}"));
    }
    let there = Vault::default();
    let reference: SecretRef = format!("aws-secret:{name}").parse().unwrap();
    let found = there.find(&reference, &stage.world.cloud).await.unwrap();
    assert_eq!(found.expose_secret(), "hunter2-two");
    let nothing: SecretRef = "aws-secret:no/such/secret".parse().unwrap();
    let why = there.find(&nothing, &stage.world.cloud).await.unwrap_err().why;
    assert!(why.contains("has no secret of that name"), "{why}");
    let mut stranger = stage.world.subject.clone();
    stranger.engagement = "another".to_owned();
    let taken = here.keep_secret(&stranger, &input, SecretStore::SecretsManager, SecretString::from("hunter2-three"));
    let Err(NotKept::Failure(failure)) = taken.await else { panic!("it was replaced") };
    assert!(failure.what.contains("already"), "{failure:?}");
    let cloud = stage.world.cloud().unwrap();
    assert_eq!(cloud.read_secret(&name).await.unwrap().expose_secret(), "hunter2-two");
    cloud.schedule_deletion(&name).await.unwrap();
}

#[tokio::test]
async fn a_generated_secret_lives_in_secrets_manager() {
    life(&Stage::new().await).await;
}

#[tokio::test]
async fn a_typed_secret_is_kept_in_secrets_manager() {
    kept(&Stage::new().await).await;
}

#[tokio::test]
async fn secrets_live_in_a_lent_cloud() {
    let Some(mut stage) = super::lent::lent().await else { return };
    // Names in a lent cloud outlive the test.
    stage.world.subject.name.clone_from(&stage.world.subject.engagement);
    life(&stage).await;
    kept(&stage).await;
    given(&stage).await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_secret() {
    use crate::practice::fault::Fault;
    for fault in [Fault::LostReply, Fault::ServerErrorAfter, Fault::ServerErrorBefore] {
        for seed in 1..6 {
            let stage = Stage::with(Pace::Instant, Faults::new(seed, vec![fault])).await;
            let action = build(&psk(), &stage.world.subject).unwrap();
            let intent = DurableIntent::for_tests(&stage.world.subject.address, "0123456789abcdef0123456789abcdef");
            let outcome = action.apply(&stage.world, &intent).await;
            assert!(matches!(outcome, Outcome::Changed { .. }), "{fault:?} {seed}: {outcome:?}");
            assert!(matches!(action.verify(&stage.world).await, Verified::So(_)));
        }
    }
}

#[tokio::test]
async fn a_generated_secret_lives_in_the_sealed_file() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::new().await;
    let world = World { vault: Vault::for_tests(home.path(), None), ..stage.world.clone() };
    let action = build(&kind(serde_json::json!({ "key": "psk/one", "store": "age" })), &world.subject).unwrap();
    let passphrase: SecretRef = "passphrase:secrets.age".parse().unwrap();
    let Err(Question::NeedsSecret { reference, .. }) = action.at_hand(&world).await else { panic!("it asks nothing") };
    assert_eq!(reference, passphrase);
    world.vault.remember(&passphrase, SecretString::from("open sesame"));
    action.at_hand(&world).await.unwrap();
    assert!(matches!(action.probe(&world).await, Probe::Absent { .. }));
    let intent = DurableIntent::for_tests(&world.subject.address, "0123");
    let made = action.apply(&world, &intent).await;
    assert_eq!(output(&made)["reference"], serde_json::json!("age:secrets.age#psk/one"));
    assert!(matches!(action.verify(&world).await, Verified::So(_)));
    assert!(matches!(action.apply(&world, &intent).await, Outcome::AlreadySo { .. }));
    assert!(matches!(action.undo(&world, &intent, output(&made)).await, Outcome::Changed { .. }));
    assert!(matches!(action.probe(&world).await, Probe::Absent { .. }));
}

#[tokio::test]
async fn a_sealed_secret_is_taken_back_without_its_passphrase() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::new().await;
    let with = |vault: Vault| World { vault, ..stage.world.clone() };
    let opened = Vault::for_tests(home.path(), None);
    opened.remember(&"passphrase:secrets.age".parse().unwrap(), SecretString::from("open sesame"));
    let action = build(&kind(serde_json::json!({ "key": "psk/one", "store": "age" })), &stage.world.subject).unwrap();
    let intent = DurableIntent::for_tests(&stage.world.subject.address, "0123");
    let made = action.apply(&with(opened.clone()), &intent).await;

    let world = with(Vault::for_tests(home.path(), None));
    let Undoes::Sends(changes) = action.undoes(&world, output(&made)).await else { panic!("it says nothing") };
    assert_eq!(changes[0].arguments["without"], "psk/one");
    let undone = action.undo(&world, &intent, output(&made)).await;
    assert!(matches!(&undone, Outcome::Changed { said, .. } if said.contains("opened next")), "{undone:?}");
    assert!(matches!(action.probe(&world).await, Probe::Absent { .. }), "and it is not there any more");
    let later = with(Vault::for_tests(home.path(), None));
    later.vault.remember(&"passphrase:secrets.age".parse().unwrap(), SecretString::from("open sesame"));
    assert!(matches!(action.probe(&later).await, Probe::Absent { .. }));
    assert!(matches!(action.apply(&later, &intent).await, Outcome::Changed { .. }), "it can be made again");
    assert!(matches!(action.verify(&later).await, Verified::So(_)));
}

/// A text that was given is kept, compared, and replaced when another one is given; it stands in nothing that is shown.
async fn given(stage: &Stage) {
    let reference: SecretRef = "prompt:vpn.t1_psk".parse().unwrap();
    let with = |text: &str| {
        let world = World { vault: Vault::default(), ..stage.world.clone() };
        world.vault.remember(&reference, SecretString::from(text));
        world
    };
    let call = kind(serde_json::json!({ "key": "psk/given", "value": reference.to_string() }));
    let action = build(&call, &stage.world.subject).unwrap();
    let nobody = World { vault: Vault::default(), ..stage.world.clone() };
    let Err(Question::NeedsSecret { reference: asked, .. }) = action.at_hand(&nobody).await else {
        panic!("not asked")
    };
    assert_eq!(asked, reference);

    let name = format!("onramp/{}/psk/given", stage.world.subject.name);
    let cloud = stage.world.cloud().unwrap();
    let intent = DurableIntent::for_tests(&stage.world.subject.address, "0123456789abcdef0123456789abcdef");
    // The first one comes back at last: AWS has seen its token before.
    for (round, text) in ["Kx7.canary_first", "Kx7.canary_second", "Kx7.canary_first"].into_iter().enumerate() {
        let world = with(text);
        match action.probe(&world).await {
            Probe::Absent { .. } => assert_eq!(round, 0),
            Probe::Different { mend, .. } => assert_eq!(mend[0].operation, "PutSecretValue"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(action.probe(&nobody).await, Probe::Absent { .. } | Probe::Unknown(Trouble::Question(_))));
        let made = action.apply(&world, &intent).await;
        assert!(matches!(made, Outcome::Changed { .. }), "{made:?}");
        assert_eq!(cloud.read_secret(&name).await.unwrap().expose_secret(), text);
        let again = action.apply(&world, &intent).await;
        assert!(matches!(again, Outcome::Changed { .. } | Outcome::AlreadySo { .. }), "{again:?}");
        let verified = action.verify(&world).await;
        assert!(matches!(verified, Verified::So(_)), "{verified:?}");
        assert!(matches!(action.verify(&with("Kx7.canary_other")).await, Verified::NotYet { .. }));
        let told = format!("{made:?} {again:?} {verified:?} {:?} {:?} {}", action.changes(), call, call.digest());
        assert!(!told.contains("canary"), "{told}");
    }
    let unfit = action.apply(&with("short"), &intent).await;
    let Outcome::Failed { failure } = &unfit else { panic!("{unfit:?}") };
    assert!(failure.what.contains("does not fit") && !failure.what.contains("short\""), "{failure:?}");
    // Taking it back needs no text.
    let undone = action.undo(&nobody, &intent, &BTreeMap::new()).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");

    // The password of a mail server is what its form takes, and no key of a tunnel.
    let call = kind(serde_json::json!({ "key": "smtp/given", "use": "password", "value": reference.to_string() }));
    let action = build(&call, &stage.world.subject).unwrap();
    for (token, length) in [("1123456789abcdef0123456789abcdef", 3), ("2123456789abcdef0123456789abcdef", 256)] {
        let (world, intent) =
            (with(&"z".repeat(length)), DurableIntent::for_tests(&stage.world.subject.address, token));
        let kept = action.apply(&world, &intent).await;
        assert!(matches!(kept, Outcome::Changed { .. }), "{length}: {kept:?}");
    }
    let undone = action.undo(&nobody, &intent, &BTreeMap::new()).await;
    assert!(matches!(undone, Outcome::Changed { .. }), "{undone:?}");
}

#[tokio::test]
async fn a_given_secret_is_kept_in_secrets_manager() {
    given(&Stage::new().await).await;
    let open = kind(serde_json::json!({ "key": "psk/given", "value": "hunter2-in-the-open" }));
    let refused = build(&open, &Stage::new().await.world.subject).err().expect("it says where, not what");
    assert!(refused.what.contains("`value`") && !refused.what.contains("hunter2"), "{refused:?}");
}

//! Probes against real servers that a test starts on this machine's loopback, healthy and broken.

mod dns;
mod from_host;
mod mail;
mod ntp;
mod practice;
mod servers;
mod web;

use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::action::Trouble;
use crate::input::SecretRef;
use crate::net::Here;

/// A world without a cloud: the loopback of this machine.
fn world() -> (World, mpsc::Receiver<Vec<u8>>) {
    over(Arc::new(ssh::dial::Tcp), Arc::new(Here))
}

fn over(dial: Arc<dyn ssh::Dial>, net: Arc<dyn crate::net::Net>) -> (World, mpsc::Receiver<Vec<u8>>) {
    let (output, receiver) = mpsc::channel(10_000);
    let mut settings = ssh::Settings::new(dial, Vec::new(), None);
    settings.limits.connect = std::time::Duration::from_millis(1_500);
    let world = World {
        facts: crate::action::os::facts::Known::default(),
        cloud: Err(crate::engagement::Failure::new("no cloud", "none is needed")),
        ssh: Arc::new(ssh::Pool::new(settings)),
        net,
        routes: Arc::new(Routes::default()),
        vault: crate::action::Vault::default(),
        output,
        cancel: CancellationToken::new(),
        shows_at_once: false,
        teller: crate::aws::Teller::default(),
        rehearsing: None,
        subject: subject("e1"),
    };
    (world, receiver)
}

/// The reference of a password that somebody has typed.
fn password(world: &World, text: &str) -> String {
    let reference = SecretRef::Prompt { what_for: "smtp.password".to_owned() };
    world.vault.remember(&reference, SecretString::from(text));
    reference.to_string()
}

/// Asks once.
async fn ask(world: &World, kind: &str, with: &Json) -> Verified {
    let action = action(kind, with, &world.subject);
    assert_eq!(action.changes(), [], "{kind} changes nothing");
    action.verify(world).await
}

/// Asks until it is so: a server takes a moment to start.
async fn so(world: &World, kind: &str, with: Json) -> crate::action::Found {
    for _ in 0..100 {
        if let Verified::So(found) = ask(world, kind, &with).await {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("never so: {:?}", ask(world, kind, &with).await)
}

/// It is not so, and this is why.
async fn not_so(world: &World, kind: &str, with: Json) -> String {
    match ask(world, kind, &with).await {
        Verified::NotYet { said } => said,
        other => panic!("{kind} {with}: {other:?}"),
    }
}

/// It could not be asked, and this is why.
async fn unknown(world: &World, kind: &str, with: Json) -> String {
    match ask(world, kind, &with).await {
        Verified::Unknown(Trouble::Failure(failure)) => failure.what,
        other => panic!("{kind} {with}: {other:?}"),
    }
}

#[tokio::test]
async fn several_doors_are_tried_at_once_and_each_is_named() {
    let (world, mut output) = world();
    let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = open.local_addr().unwrap().to_string();
    let shut = format!("127.0.0.1:{}", servers::free_port());
    let both = json!({ "to": [open, shut] });
    let said = not_so(&world, "probe/tcp", both).await;
    assert!(said.contains(&format!("{shut} is closed from here: refused")) && !said.contains(&open), "{said}");
    let found = so(&world, "probe/tcp", json!({ "to": shut, "expect": "refused" })).await;
    assert_eq!(found.output["doors"], json!({ shut.clone(): "refused" }));
    let wrong = ask(&world, "probe/tcp", &json!({ "to": open, "expect": "closed" })).await;
    assert!(matches!(wrong, Verified::NotSo(_)), "{wrong:?}");
    let silent = not_so(&world, "probe/tcp", json!({ "to": shut, "expect": "silent" })).await;
    assert!(silent.contains("refused"), "{silent}");
    let mut told = Vec::new();
    while let Ok(line) = output.try_recv() {
        told.extend(line);
    }
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains(&format!("{open} from here: open")), "what was seen of each stands in the output: {told}");
}

//! Questions of logins wait for a person, one at a time, and leave nothing behind.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{Desk, LoginCall};
use crate::ssh::{About, Line, Person, Prompt};
use crate::text::Masks;

fn prompt(hop: &str, shown: bool) -> Prompt {
    Prompt {
        hop: hop.to_owned(),
        at: "192.0.2.1:22".to_owned(),
        user: "ops".to_owned(),
        about: About::Interactive,
        said: vec!["Welcome".to_owned()],
        lines: vec![Line { label: "Code".to_owned(), shown }],
    }
}

fn answer(text: &str) -> Option<Vec<SecretString>> {
    Some(vec![SecretString::from(text)])
}

#[tokio::test]
async fn one_question_at_a_time_and_each_gets_its_own_answer() {
    let desk = Desk::new(Masks::default());
    let mut calls = desk.attend().expect("nobody attends yet");
    assert!(desk.attend().is_none());
    let ask = |hop: &'static str| {
        let desk = Arc::clone(&desk);
        tokio::spawn(async move { desk.ask(prompt(hop, false)).await })
    };
    let (first, second) = (ask("one"), ask("two"));
    let mut answers = Vec::new();
    for _ in 0..2 {
        let Some(LoginCall::Asks(question, reply)) = calls.recv().await else { unreachable!() };
        assert!(calls.try_recv().is_err(), "the other one waits");
        assert_eq!(question.said, ["Welcome"]);
        answers.push(question.asks.clone());
        reply.send(answer(&question.asks)).unwrap();
    }
    let got = [first.await.unwrap().unwrap(), second.await.unwrap().unwrap()];
    assert_eq!(
        got.map(|text| text[0].expose_secret().to_owned()),
        ["one (192.0.2.1:22) asks ops", "two (192.0.2.1:22) asks ops"]
    );
}

#[tokio::test]
async fn who_goes_away_takes_the_question_back_and_nobody_there_is_no_answer() {
    let desk = Desk::new(Masks::default());
    assert!(desk.ask(prompt("one", false)).await.is_none(), "nobody attends");
    let mut calls = desk.attend().unwrap();
    let gone = tokio::time::timeout(Duration::from_millis(50), desk.ask(prompt("one", false))).await;
    assert!(gone.is_err());
    let Some(LoginCall::Asks(question, _)) = calls.recv().await else { unreachable!() };
    assert!(matches!(calls.recv().await, Some(LoginCall::Withdrawn(number)) if number == question.number));
}

#[tokio::test]
async fn what_was_typed_unseen_is_masked_and_a_code_is_not() {
    let masks = Masks::default();
    let desk = Desk::new(masks.clone());
    let mut calls = desk.attend().unwrap();
    for (typed, shown) in [("Kx7canary.Qf93zW", false), ("428915", false), ("in the open", true)] {
        let (asked, call) = tokio::join!(desk.ask(prompt("one", shown)), async {
            let Some(LoginCall::Asks(_, reply)) = calls.recv().await else { unreachable!() };
            reply.send(answer(typed)).unwrap();
        });
        let () = call;
        assert_eq!(asked.unwrap()[0].expose_secret(), typed);
    }
    assert_eq!(masks.now().mask("Kx7canary.Qf93zW 428915 in the open"), "******** 428915 in the open");
}

//! The way to the account: sessions that end in the middle, roles that are taken with a code, a region that is given late.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use secrecy::SecretString;

use super::*;
use crate::engagement::{Caller, LoginQuestion, Question};

/// Credentials that are fetched anew only once somebody has signed in.
#[derive(Debug)]
struct Door {
    practice: SharedCredentialsProvider,
    held: Mutex<Option<Credentials>>,
    signed_in: AtomicBool,
}

impl Door {
    fn of(stage: &Stage) -> Arc<Door> {
        let practice = stage.account.cloud().credentials();
        Arc::new(Door { practice, held: Mutex::default(), signed_in: AtomicBool::new(true) })
    }

    /// The session ends; nobody is there to sign in again.
    fn shut(&self, stage: &Stage) {
        self.signed_in.store(false, Ordering::SeqCst);
        stage.account.cloud().end_sessions();
    }

    fn sign_in(&self) {
        self.signed_in.store(true, Ordering::SeqCst);
    }
}

/// A door that the SDK can have.
#[derive(Debug)]
struct Key(Arc<Door>);

impl ProvideCredentials for Key {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            if let Some(held) = self.0.held.lock().unwrap().clone().filter(|_| !self.0.signed_in.load(Ordering::SeqCst))
            {
                return Ok(held);
            }
            let fresh = self.0.practice.provide_credentials().await?;
            *self.0.held.lock().unwrap() = Some(fresh.clone());
            Ok(fresh)
        })
    }
}

async fn behind(door: &Arc<Door>, stage: &Stage) -> Desk {
    let credentials = Some(SharedCredentialsProvider::new(Key(door.clone())));
    let wiring = Wiring { credentials, ..stage.wiring() };
    let cloud = Cloud::connect(wiring.clone()).await.map_err(Failure::from);
    let at = stage.engagement().at.0;
    let clock = Clock::stepping(At(at + 86_400_000), Duration::from_secs(60));
    stage.open_over(stage.worlds_over(cloud, wiring), clock)
}

fn paused(event: &Event) -> Option<(Address, Failure)> {
    match event {
        Event::Asked { step, question: Question::SignIn { failure }, .. } => Some((step.clone(), failure.clone())),
        _ => None,
    }
}

fn asks_to_sign_in(status: &Status) -> bool {
    matches!(status, Status::Asked(Question::SignIn { .. }))
}

#[tokio::test]
async fn a_run_whose_session_ends_in_the_middle_pauses_and_goes_on_by_itself_with_the_next_one() {
    let stage = Stage::new(NETWORK, Faults::new(32, [Fault::ExpiredCredentials]));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    let pauses: Vec<(Address, Failure)> = stage.events().iter().filter_map(paused).collect();
    assert!(!pauses.is_empty(), "the credentials never ended");
    for (_, failure) in &pauses {
        assert!(failure.code.as_deref().is_some_and(|code| code.contains("Expired")), "{failure:?}");
        assert!(failure.advice.contains("Renew the session"), "{failure:?}");
    }
    assert!(desk.board().rows.iter().all(|row| !matches!(row.status, Status::Failed(_))), "{:#?}", desk.board());
    assert_eq!(count(&stage.events(), |event| matches!(event, Event::Failed { .. })), 0);
    assert_eq!(desk.status("net/shown"), Status::SignOff);
    assert_eq!(stage.changes(), CHANGES);
    desk.close().await;
}

#[tokio::test]
async fn a_paused_run_waits_for_whoever_signs_in_and_nothing_is_done_twice() {
    let stage = Stage::new(NETWORK, Faults::none());
    let door = Door::of(&stage);
    let mut desk = behind(&door, &stage).await;
    desk.answer();
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.event("the VPC", |event| matches!(event, Event::Done { step, .. } if *step == at("net/vpc")).then_some(()))
        .await;
    door.shut(&stage);
    let (step, failure) = desk.event("the pause", paused).await;
    assert!(asks_to_sign_in(&desk.row(&step.to_string()).status), "{failure:?}");
    // It was looked for new credentials, and none were there.
    let looked = |notice: &Notice| matches!(notice, Notice::Identity(Err(_))).then_some(());
    desk.hear("a look in vain", looked).await;
    assert!(!desk.heard.iter().any(|notice| matches!(notice, Notice::Idle(_))), "a run that pauses is not over");

    door.sign_in();
    let signed_in = |notice: &Notice| matches!(notice, Notice::Identity(Ok(_))).then_some(());
    desk.hear("the sign-in", signed_in).await;
    desk.idle().await;
    assert_eq!(desk.status("net/shown"), Status::SignOff, "{:#?}", desk.board());
    assert_eq!(stage.changes(), CHANGES);
    desk.close().await;
}

#[tokio::test]
async fn a_paused_run_can_be_stopped_and_the_next_one_goes_on_where_it_was() {
    let stage = Stage::new(NETWORK, Faults::none());
    let door = Door::of(&stage);
    let mut desk = behind(&door, &stage).await;
    desk.answer();
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::Only(at("net/caller"))));
    desk.idle().await;
    door.shut(&stage);
    desk.handle.send(Request::Run(RunScope::All));
    let (step, _) = desk.event("the pause", paused).await;
    desk.handle.send(Request::Stop);
    assert!(desk.idle().await.stopped);
    assert!(asks_to_sign_in(&desk.row(&step.to_string()).status));
    desk.close().await;

    door.sign_in();
    let mut desk = behind(&door, &stage).await;
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/shown"), Status::SignOff, "{:#?}", desk.board());
    assert_eq!(stage.changes(), CHANGES);
    desk.close().await;
}

/// AWS says who they are also to those whom EC2 refuses: a look for new credentials finds a way, and the step is tried again.
#[tokio::test]
async fn what_was_refused_for_its_credentials_is_the_same_attempt_when_it_goes_on() {
    let stage = Stage::new(NETWORK, Faults::none());
    let door = Door::of(&stage);
    let mut desk = behind(&door, &stage).await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::Only(at("net/caller"))).await;
    door.shut(&stage);
    for _ in 0..3 {
        desk.handle.send(Request::Run(RunScope::Only(at("net/vpc"))));
        desk.event("the pause", paused).await;
        desk.handle.send(Request::Stop);
        assert!(desk.idle().await.stopped);
    }
    assert!(attempts(&stage.events())["net/vpc"] >= 3, "it was tried each time");
    assert_eq!(desk.engagement.record(&at("net/vpc")).unwrap().attempts, 1, "none of it was an attempt");
    door.sign_in();
    desk.run(RunScope::Only(at("net/vpc"))).await;
    assert!(matches!(desk.status("net/vpc"), Status::Done { .. }), "{:#?}", desk.board());
    assert_eq!(desk.engagement.record(&at("net/vpc")).unwrap().attempts, 1);
    desk.close().await;
}

/// Who they are is said also to those who may not take anything away: the call itself is refused.
#[tokio::test]
async fn an_undo_that_was_refused_for_its_credentials_is_the_same_attempt_when_it_goes_on() {
    let refused = |faults: Faults, nth| faults.aim(Fault::ExpiredCredentials, "DeleteSubnet", nth);
    let stage = Stage::new(NETWORK, (1..=3).fold(Faults::none(), refused));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    let made = desk.engagement.clone();
    desk.handle.send(Request::Undo(Vec::new()));
    desk.idle().await;
    assert!(desk.engagement.ledger().is_empty(), "{:#?}", desk.board());
    let events = stage.events();
    let pauses = count(&events, |event| paused(event).is_some());
    assert!(pauses >= 3, "it was refused {pauses} times");
    for (step, record) in &desk.engagement.steps {
        let before = made.record(step).map_or(0, |record| record.attempts);
        assert!(record.attempts <= before + 1, "{step}: {} attempts after {before}", record.attempts);
    }
    desk.close().await;
}

#[tokio::test]
async fn an_undo_whose_session_has_ended_goes_on_with_the_next_one() {
    let stage = Stage::new(NETWORK, Faults::none());
    let door = Door::of(&stage);
    let mut desk = behind(&door, &stage).await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    door.shut(&stage);
    desk.handle.send(Request::Undo(Vec::new()));
    desk.event("the pause", paused).await;
    door.sign_in();
    desk.idle().await;
    assert!(desk.engagement.ledger().is_empty(), "{:#?}", desk.board());
    assert!(stage.account.cloud().objects().await.is_empty());
    desk.close().await;
}

/// Who they are is the first that anybody is asked, and often when many begin at once.
#[tokio::test]
async fn who_we_are_is_asked_again_while_aws_is_asked_too_much_and_that_is_said() {
    let throttled = |faults: Faults, nth| faults.aim(Fault::Throttle, "GetCallerIdentity", nth);
    let stage = Stage::new(NETWORK, (1..=14).fold(Faults::none(), throttled));
    let mut desk = stage.open().await;
    desk.answer();
    desk.handle.send(Request::Run(RunScope::Only(at("net/caller"))));
    let held_up = |notice: &Notice| match notice {
        Notice::Progress { step, now } if *step == at("net/caller") => now.clone(),
        _ => None,
    };
    let held_up = desk.hear("AWS is asked too much", held_up).await;
    assert!(held_up.why.contains("More calls than AWS takes"), "{held_up:?}");
    desk.idle().await;
    assert!(matches!(desk.status("net/caller"), Status::Done { .. }), "{:#?}", desk.board());
    desk.close().await;
}

/// NETWORK, whose account is reached by a role that a device guards.
fn with_role() -> String {
    let inputs = "inputs:\n  - {id: aws.role_arn, label: Role, kind: text}\n  - {id: aws.mfa_serial, label: Device, kind: text}\n";
    let form = "form: [aws.account_id, aws.region_primary, aws.role_arn, aws.mfa_serial]";
    NETWORK.replace("inputs:\n", inputs).replace("form: [aws.account_id, aws.region_primary]", form)
}

async fn asked(desk: &mut Desk) -> LoginQuestion {
    let asked = |notice: &Notice| match notice {
        Notice::LoginAsks(question) => Some(question.clone()),
        _ => None,
    };
    desk.hear("the question for the code", asked).await
}

async fn caller(desk: &mut Desk) -> Caller {
    let caller = |notice: &Notice| match notice {
        Notice::Identity(Ok(caller)) => Some(caller.clone()),
        _ => None,
    };
    desk.hear("the caller", caller).await
}

#[tokio::test]
async fn a_role_is_taken_with_the_code_that_a_person_says_and_a_wrong_one_is_asked_for_again() {
    let stage = Stage::new(&with_role(), Faults::none());
    let people = crate::action::Desk::new(crate::text::Masks::default());
    let wiring = Wiring { codes: Some(people.clone()), ..stage.wiring() };
    let worlds = Worlds::unconnected(wiring, ssh::Pool::new(ssh::Settings::new(stage.dial.clone(), Vec::new(), None)));
    let worlds = worlds.with_vault(Vault::for_tests(&stage.folder(), None)).with_desk(people);
    let mut desk = stage.open_over(worlds, Clock::stepping(At(86_400_000), Duration::from_secs(60)));
    caller(&mut desk).await;
    desk.answer();
    desk.give("aws.role_arn", &format!("arn:aws:iam::{ACCOUNT}:role/OnboardingOperator"));
    desk.give("aws.mfa_serial", &format!("arn:aws:iam::{ACCOUNT}:mfa/jane"));
    desk.handle.send(Request::Plan);
    let question = asked(&mut desk).await;
    assert!(question.asks.contains("mfa/jane") && question.lines[0].shown, "{question:?}");
    // Whoever comes later is asked as well: the question may have come before there was anybody.
    let (late, began) = (desk.handle.subscribe(), Instant::now());
    loop {
        match late.try_recv() {
            Ok(Notice::LoginAsks(open)) => break assert_eq!(open.number, question.number),
            Ok(_) => {}
            Err(_) => {
                assert!(began.elapsed() < Duration::from_secs(20), "the question is still open");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    let say = |number, code: &str| Request::LoginAnswers { number, answers: Some(vec![SecretString::from(code)]) };
    desk.handle.send(say(question.number, "000000"));
    let again = asked(&mut desk).await;
    assert!(again.said[0].contains("did not accept"), "{again:?}");
    desk.handle.send(say(again.number, "123456"));
    let plan = desk.planned().await;
    let role = |notice: &Notice| {
        matches!(notice, Notice::Identity(Ok(caller)) if caller.role() == "OnboardingOperator").then_some(())
    };
    if !desk.heard.iter().any(|notice| role(notice).is_some()) {
        desk.hear("the role", role).await;
    }
    desk.handle.command(Command::Approve { digest: plan.digest.clone(), steps: plan.approval() });
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/shown"), Status::SignOff, "{:#?}", desk.board());

    // A session that ends is not renewed behind a person's back: they are asked once, and then only when they ask.
    stage.account.cloud().end_sessions();
    desk.handle.send(Request::Run(RunScope::Only(at("net/nat"))));
    desk.idle().await;
    desk.handle.send(Request::SignIn);
    let question = asked(&mut desk).await;
    desk.handle.send(Request::LoginAnswers { number: question.number, answers: None });
    let refused = |notice: &Notice| match notice {
        Notice::Identity(Err(why)) => Some(why.clone()),
        _ => None,
    };
    let why = desk.hear("the refusal", refused).await;
    assert!(why.contains("code of the device"), "{why}");
    desk.close().await;
}

#[tokio::test]
async fn a_region_that_is_given_after_the_engine_began_is_the_one_that_is_asked() {
    let stage = Stage::new(NETWORK, Faults::none());
    let wiring = Wiring { region: String::new(), ..stage.wiring() };
    let nowhere = Cloud::connect(wiring.clone()).await.map_err(Failure::from);
    assert!(nowhere.is_err());
    let worlds = stage.worlds_over(nowhere, wiring);
    let mut desk = stage.open_over(worlds, Clock::stepping(At(86_400_000), Duration::from_secs(60)));
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/shown"), Status::SignOff, "{:#?}", desk.board());
    desk.close().await;
}

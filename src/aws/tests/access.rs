//! How long credentials hold, and what happens before they end.

use std::sync::atomic::AtomicU32;

use aws_config::{BehaviorVersion, Region};

use super::*;

/// Hands out credentials that last so long; counts how often.
#[derive(Debug, Clone)]
struct Source {
    lasts: Option<Duration>,
    fetched: Arc<AtomicU32>,
}

impl Source {
    fn lasting(minutes: Option<u64>) -> Source {
        Source { lasts: minutes.map(|minutes| Duration::from_secs(60 * minutes)), fetched: Arc::default() }
    }

    fn fetched(&self) -> u32 {
        self.fetched.load(Ordering::Relaxed)
    }
}

impl ProvideCredentials for Source {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.fetched.fetch_add(1, Ordering::Relaxed) + 1;
        let expiry = self.lasts.map(|lasts| SystemTime::from(jiff::Timestamp::now()) + lasts);
        future::ProvideCredentials::ready(Ok(Credentials::new(format!("AKIA{number}"), "secret", None, expiry, "test")))
    }
}

/// A session that fetched its credentials so many minutes ago.
async fn session<S: ProvideCredentials + Clone + 'static>(source: &S, ago: u64, roles: Vec<Role>) -> Session {
    let provider = SharedCredentialsProvider::new(source.clone());
    let own = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(provider)
        .build();
    let session = Session::new(Inner {
        own,
        roles,
        codes: None,
        sign_in: Some("In another window: aws sso login --profile ops".to_owned()),
        log: CallLog::default(),
        limiter: Arc::new(Limiter::new(1)),
        held: Mutex::default(),
        end: AtomicI64::default(),
        lasts: AtomicU64::default(),
        own_ends: AtomicBool::default(),
    });
    let mut credentials = source.provide_credentials().await.unwrap();
    let ago = Duration::from_secs(60 * ago);
    *credentials.expiry_mut() = credentials.expiry().map(|expiry| expiry - ago);
    let held = session.hold(credentials, None);
    *session.0.held.lock().await = Some(Held { fetched: held.fetched - ago, ..held });
    session
}

fn with_device() -> Vec<Role> {
    let arn = "arn:aws:iam::111122223333:role/OnboardingOperator".to_owned();
    let mfa_serial = Some("arn:aws:iam::111122223333:mfa/jane".to_owned());
    vec![Role { arn, external_id: None, seconds: 3_600, mfa_serial, session: "onramp".to_owned() }]
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

async fn key(session: &Session) -> String {
    session.provide_credentials().await.unwrap().access_key_id().to_owned()
}

#[tokio::test]
async fn they_are_fetched_once_and_again_before_they_end() {
    let source = Source::lasting(Some(60));
    let fresh = session(&source, 0, Vec::new()).await;
    assert_eq!([key(&fresh).await, key(&fresh).await], ["AKIA1", "AKIA1"]);
    let old = session(&source, 59, Vec::new()).await;
    assert_eq!([key(&old).await, key(&old).await], ["AKIA3", "AKIA3"], "a call is not to end in the middle");
    let endless = Source::lasting(None);
    let session = session(&endless, 500, Vec::new()).await;
    assert_eq!((key(&session).await.as_str(), session.end()), ("AKIA1", None));
}

#[tokio::test]
async fn what_they_held_when_they_were_first_read_is_kept_and_a_role_without_a_device_is_taken_again_by_itself() {
    let source = Source::lasting(Some(15));
    let short = session(&source, 0, Vec::new()).await;
    assert!(short.lasts().is_some_and(|lasts| lasts > minutes(14) && lasts <= minutes(15)), "{:?}", short.lasts());
    assert!(!short.renews(), "of what the SDK finds nobody can tell");
    assert_eq!(session(&Source::lasting(None), 0, Vec::new()).await.lasts(), None);
    let unguarded = with_device().into_iter().map(|role| Role { mfa_serial: None, ..role }).collect();
    assert!(session(&source, 0, unguarded).await.renews());
    assert!(!session(&source, 0, with_device()).await.renews(), "a person is asked for a code");
}

#[tokio::test]
async fn for_a_step_that_takes_longer_they_are_made_anew_in_place() {
    let source = Source::lasting(Some(60));
    let session = session(&source, 52, Vec::new()).await;
    let end = session.end();
    session.hold_for(minutes(5)).await.unwrap();
    assert_eq!((source.fetched(), session.end()), (1, end), "they hold for five minutes");
    session.hold_for(minutes(11)).await.unwrap();
    assert_eq!((source.fetched(), key(&session).await.as_str()), (2, "AKIA2"));
    assert!(session.end() > end);
}

#[tokio::test]
async fn where_a_person_is_needed_for_that_the_step_does_not_begin_and_is_told_what_to_do() {
    let source = Source::lasting(Some(60));
    let session = session(&source, 52, with_device()).await;
    let failure = session.hold_for(minutes(11)).await.unwrap_err();
    assert!(failure.meaning.contains("for 7 min") && failure.meaning.contains("11 min"), "{failure:?}");
    assert!(failure.ends_with_sign_in() && failure.advice.contains("a new code of the device"), "{failure:?}");
    assert_eq!(source.fetched(), 1);
}

#[tokio::test]
async fn a_session_that_is_short_as_a_whole_is_not_asked_for_more_than_half_of_it() {
    let source = Source::lasting(Some(15));
    session(&source, 2, with_device()).await.hold_for(minutes(60)).await.unwrap();
    assert!(session(&source, 10, with_device()).await.hold_for(minutes(60)).await.is_err());
}

#[tokio::test]
async fn no_code_is_asked_for_in_the_middle_of_a_call() {
    let source = Source::lasting(Some(60));
    let session = session(&source, 60, with_device()).await;
    let error = session.provide_credentials().await.unwrap_err();
    let failure = AwsFailure::credentials("DescribeVpcs", &error);
    assert_eq!(failure.kind, Kind::NoCode, "{failure:?}");
}

#[tokio::test]
async fn a_session_that_was_first_read_near_its_end_is_no_short_one() {
    let source = Cached(SystemTime::from(jiff::Timestamp::now()) + minutes(7));
    let session = session(&source, 0, Vec::new()).await;
    session.hold_for(minutes(6)).await.unwrap();
    let failure = session.hold_for(minutes(10)).await.unwrap_err();
    assert!(failure.meaning.contains("for 6 min") || failure.meaning.contains("for 7 min"), "{failure:?}");
}

/// As a cached session does: it is read again, and no younger.
#[derive(Debug, Clone)]
struct Cached(SystemTime);

impl ProvideCredentials for Cached {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok(Credentials::new("AKIA", "secret", None, Some(self.0), "test")))
    }
}

#[tokio::test]
async fn reading_the_same_credentials_again_makes_them_no_younger() {
    let source = Cached(SystemTime::from(jiff::Timestamp::now()) + minutes(3));
    let session = session(&source, 0, Vec::new()).await;
    // Fetched when the hour began.
    let mut held = session.0.held.lock().await;
    let fetched = held.as_ref().map(|held| held.fetched - minutes(57)).unwrap();
    *held = held.take().map(|held| Held { fetched, ..held });
    drop(held);
    for _ in 0..2 {
        let failure = session.hold_for(minutes(11)).await.unwrap_err();
        assert!(failure.what.starts_with("The credentials end too soon"), "{failure:?}");
    }
}

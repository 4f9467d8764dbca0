//! The pace of one account in one region: how many calls a second all steps together may send to each service,
//! and how long every pause is. It adapts: what is answered "too fast" is asked half as often, and then a little more with
//! each call that goes through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::operations::{Effect, Operation, Service};

/// A service is never asked more seldom than this part of its usual pace.
const SLOWEST: f64 = 1.0 / 16.0;
/// With each call that goes through the pace comes back by this part of the usual one.
const COMES_BACK: f64 = 1.0 / 20.0;

/// No wait is shorter.
const SHORTEST: Duration = Duration::from_micros(1);

/// What is paced together: an operation of EC2, which counts each by itself, or all calls to another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Lane {
    service: Service,
    own: Option<Operation>,
}

impl Lane {
    fn of(operation: Operation) -> Lane {
        let service = operation.row().service;
        Lane { service, own: (service == Service::Ec2).then_some(operation) }
    }

    /// Calls at once, and calls a second after that: somewhat below what AWS gives an account, because others work in it
    /// too.
    fn usual(self) -> (f64, f64) {
        match (self.service, self.own) {
            // EC2 API throttling, request rate limiting: each API has a bucket of its own; 100 and 20 a second where it
            // changes nothing, 50 and 5 where it does.
            (_, Some(operation)) if operation.row().effect == Effect::Reads => (90.0, 18.0),
            (_, Some(_)) => (45.0, 4.5),
            // Route 53 quotas: 5 a second for an account, the console's included.
            (Service::Route53, None) => (5.0, 4.0),
            // Route 53 quotas, Resolver: 5 a second for an account and region.
            (Service::Resolver, None) => (5.0, 4.0),
            // SES quotas: one a second for calls other than sending.
            (Service::Mail, None) => (2.0, 1.0),
            _ => (20.0, 8.0),
        }
    }
}

/// Shared by every call to one account in one region.
#[derive(Debug)]
pub struct Limiter {
    hurry: u32,
    buckets: Mutex<BTreeMap<Lane, Bucket>>,
    /// Whoever waits holds its place here: first come, first served.
    queues: Mutex<BTreeMap<Lane, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    /// As the service takes it now.
    per_second: f64,
    filled: Instant,
    closed_until: Instant,
}

/// The paces that are kept, one for each account and region: AWS counts together what two engagements send there.
#[derive(Debug, Clone, Default)]
pub struct Paces(Arc<Mutex<ByPlace>>);

/// By account and region.
type ByPlace = BTreeMap<(String, String), Arc<Limiter>>;

impl Paces {
    /// Those of this process.
    pub fn of_this_process() -> Paces {
        static PACES: OnceLock<Paces> = OnceLock::new();
        PACES.get_or_init(Paces::default).clone()
    }

    /// The pace of that account in that region: the one that somebody keeps there already, or this one from now on.
    pub(super) fn join(&self, account: &str, region: &str, own: Arc<Limiter>) -> Arc<Limiter> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paces.entry((account.to_owned(), region.to_owned())).or_insert(own).clone()
    }
}

impl Limiter {
    /// Every pause is divided by `hurry`: 1 in life, more where the other side is a program on this machine.
    pub fn new(hurry: u32) -> Self {
        Limiter { hurry: hurry.max(1), buckets: Mutex::default(), queues: Mutex::default() }
    }

    /// Sleeps that long, or less in a hurry.
    pub async fn pause(&self, pause: Duration) {
        tokio::time::sleep(self.takes(pause)).await;
    }

    /// Another one for another region, at the pace of before any answer.
    pub(super) fn anew(&self) -> Limiter {
        Limiter::new(self.hurry)
    }

    /// How long a pause really takes.
    pub fn takes(&self, pause: Duration) -> Duration {
        pause / self.hurry
    }

    /// Waits for the turn of a call. Nobody overtakes: calls that are sent again and again would keep others from going out.
    pub async fn turn(&self, operation: Operation) {
        let queue = {
            let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
            queues.entry(Lane::of(operation)).or_default().clone()
        };
        let _place = queue.lock().await;
        while let Some(wait) = self.take(Lane::of(operation), Instant::now()) {
            tokio::time::sleep(wait).await;
        }
    }

    /// "Too fast" was the answer: nobody sends what is paced with it for that long, and then half as often as before. What was on
    /// its way at that moment is told the same, and slows it down no further.
    pub fn back_off(&self, operation: Operation, pause: Duration) {
        self.back_off_at(Lane::of(operation), pause, Instant::now());
    }

    fn back_off_at(&self, lane: Lane, pause: Duration, now: Instant) {
        let slowest = lane.usual().1 * self.haste() * SLOWEST;
        let mut buckets = self.buckets();
        let bucket = self.bucket(&mut buckets, lane, now);
        if now >= bucket.closed_until {
            bucket.per_second = (bucket.per_second / 2.0).max(slowest);
        }
        bucket.tokens = 0.0;
        bucket.closed_until = bucket.closed_until.max(now + self.takes(pause));
        bucket.filled = bucket.closed_until;
    }

    /// A call went through.
    pub fn went_through(&self, operation: Operation) {
        let lane = Lane::of(operation);
        let (most, now) = (lane.usual().1 * self.haste(), Instant::now());
        let mut buckets = self.buckets();
        let bucket = self.bucket(&mut buckets, lane, now);
        bucket.per_second = (bucket.per_second + most * COMES_BACK).min(most);
    }

    fn haste(&self) -> f64 {
        f64::from(self.hurry)
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<Lane, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bucket<'a>(&self, buckets: &'a mut BTreeMap<Lane, Bucket>, lane: Lane, now: Instant) -> &'a mut Bucket {
        buckets.entry(lane).or_insert_with(|| {
            let (burst, per_second) = lane.usual();
            Bucket { tokens: burst, per_second: per_second * self.haste(), filled: now, closed_until: now }
        })
    }

    /// How long the call has to wait at this moment; nothing when it may go.
    fn take(&self, lane: Lane, now: Instant) -> Option<Duration> {
        let mut buckets = self.buckets();
        let bucket = self.bucket(&mut buckets, lane, now);
        if now < bucket.closed_until {
            return Some(bucket.closed_until - now);
        }
        let gained = now.saturating_duration_since(bucket.filled).as_secs_f64() * bucket.per_second;
        bucket.tokens = (bucket.tokens + gained).min(lane.usual().0);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return None;
        }
        // A hair's breadth is a wait all the same: who waits for nothing would ask for ever.
        Some(Duration::from_secs_f64((1.0 - bucket.tokens) / bucket.per_second).max(SHORTEST))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const LOOKS: Lane = Lane { service: Service::Ec2, own: Some(Operation::DescribeVpcs) };
    const CHANGES: Lane = Lane { service: Service::Ec2, own: Some(Operation::CreateSubnet) };
    const MAIL: Lane = Lane { service: Service::Mail, own: None };

    /// How long so many calls take from then on, on a clock that only they move.
    fn took(limiter: &Limiter, lane: Lane, calls: u32, now: &mut Instant) -> Duration {
        let began = *now;
        for _ in 0..calls {
            while let Some(wait) = limiter.take(lane, *now) {
                *now += wait;
            }
        }
        *now - began
    }

    fn assert_about(took: Duration, seconds: f64) {
        assert!((took.as_secs_f64() - seconds).abs() < 0.3, "{took:?}, and not {seconds} s");
    }

    #[test]
    fn ec2_counts_each_operation_and_the_others_count_all() {
        assert_eq!(Lane::of(Operation::DescribeVpcs), LOOKS);
        assert_eq!(Lane::of(Operation::CreateSubnet), CHANGES);
        assert_ne!(Lane::of(Operation::DescribeSubnets), LOOKS);
        assert_eq!(Lane::of(Operation::GetAccount), MAIL);
        assert_eq!(Lane::of(Operation::GetEmailIdentity), MAIL);
    }

    #[test]
    fn after_the_burst_calls_are_paced_each_by_itself() {
        let (limiter, mut now) = (Limiter::new(1), Instant::now());
        assert_about(took(&limiter, LOOKS, 90, &mut now), 0.0);
        assert_about(took(&limiter, LOOKS, 36, &mut now), 2.0);
        assert_about(took(&limiter, CHANGES, 45, &mut now), 0.0);
        assert_about(took(&limiter, CHANGES, 9, &mut now), 2.0);
        assert_about(took(&limiter, MAIL, 6, &mut now), 4.0);
        let (hurried, mut now) = (Limiter::new(10), Instant::now());
        assert_about(took(&hurried, LOOKS, 90 + 180, &mut now), 1.0);
    }

    #[test]
    fn what_is_answered_too_fast_is_asked_half_as_often_until_calls_go_through() {
        let (limiter, mut now) = (Limiter::new(1), Instant::now());
        limiter.back_off_at(LOOKS, Duration::from_secs(2), now);
        // What was on its way meanwhile.
        limiter.back_off_at(LOOKS, Duration::from_secs(2), now);
        assert_about(took(&limiter, LOOKS, 18, &mut now), 4.0);
        assert_about(took(&limiter, LOOKS, 18, &mut now), 2.0);
        assert_about(took(&limiter, CHANGES, 45, &mut now), 0.0);
        (0..10).for_each(|_| limiter.went_through(Operation::DescribeVpcs));
        assert_about(took(&limiter, LOOKS, 18, &mut now), 1.0);
    }

    #[test]
    fn whoever_asks_in_an_account_and_region_keeps_one_pace() {
        let paces = Paces::default();
        let own = || Arc::new(Limiter::new(1));
        let one = paces.join("111122223333", "eu-west-1", own());
        assert!(Arc::ptr_eq(&one, &paces.join("111122223333", "eu-west-1", own())));
        for (account, region) in [("111122223333", "eu-central-1"), ("444455556666", "eu-west-1")] {
            assert!(!Arc::ptr_eq(&one, &paces.join(account, region, own())), "{account} {region}");
        }
    }

    /// One that comes when the lane is open again stands behind those that waited.
    #[tokio::test]
    async fn nobody_overtakes() {
        let limiter = Limiter::new(100);
        limiter.back_off(Operation::GetAccount, Duration::from_secs(5));
        let mut first = Box::pin(limiter.turn(Operation::GetAccount));
        assert!(first.as_mut().now_or_never().is_none(), "the lane is closed");
        // By now one call might go.
        std::thread::sleep(Duration::from_millis(200));
        let mut late = Box::pin(limiter.turn(Operation::GetAccount));
        assert!(late.as_mut().now_or_never().is_none(), "somebody was there before");
        first.await;
        late.await;
    }

    #[test]
    fn however_often_it_is_said_something_goes_through() {
        let (limiter, mut now) = (Limiter::new(1), Instant::now());
        for _ in 0..100 {
            limiter.back_off_at(LOOKS, Duration::from_secs(1), now);
            now += Duration::from_secs(1);
        }
        took(&limiter, LOOKS, 1, &mut now);
        assert_about(took(&limiter, LOOKS, 18, &mut now), 16.0);
    }
}

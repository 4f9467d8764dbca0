//! Our own rules of repeating a call (reliability specification, 2.1 to 2.4).

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use tokio::time::Instant;

use super::error::{AwsFailure, Fate, Kind, explain};
use super::holdup::{Pauses, Teller};
use super::limiter::Limiter;
use super::operations::{Effect, Operation};

/// Tries of one call, the first included.
const TRIES: u32 = 6;
/// How long a read that comes too fast is asked again: it changes nothing, and whoever else asks in the account lets go.
const TOO_FAST: Duration = Duration::from_secs(60);
/// Pause between two looks at something that is not visible or not ready yet.
const SETTLING: Duration = Duration::from_secs(2);

/// What guards against doing it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// A read, a token or a natural key: the same call again does no harm.
    Freely,
    /// Nothing: repeat only what certainly was not executed, and start nothing after this moment, so that whoever finds
    /// the intent later knows when the last call can have gone out.
    OnlyUnsent { until: Instant },
}

impl Resend {
    /// The end of its tries, when nothing else ends them before `end`.
    fn at_most(self, end: Instant) -> Instant {
        match self {
            Resend::Freely => end,
            Resend::OnlyUnsent { until } => end.min(until),
        }
    }
}

/// How long a call waits for what earlier steps made to be seen everywhere: EC2 is eventually consistent, and answers
/// `Invalid….NotFound` for an object that it has just handed out (EC2 API reference, eventual consistency).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Patience {
    pub const NONE: Patience = Patience(Duration::ZERO);
    pub const SETTLING: Patience = Patience(Duration::from_secs(60));
}

/// Sends `call`, in its turn, and repeats it as `resend` and `patience` allow. What holds it up is told to `teller`.
///
/// # Errors
/// The last answer. Its fate is `Unknown` when any of the tries may have been executed.
pub async fn send<T, E, F, Sent>(
    operation: Operation,
    resend: Resend,
    patience: Patience,
    (limiter, teller): (&Limiter, &Teller),
    mut call: F,
) -> Result<T, AwsFailure>
where
    F: FnMut() -> Sent,
    Sent: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let (lane, service, operation) = (operation, operation.row().service, operation.name());
    let mut waited = Duration::ZERO;
    let mut tries = 0;
    let mut in_doubt = false;
    let mut last = None;
    let mut pauses = Pauses::new(teller);
    loop {
        limiter.turn(lane).await;
        if let Resend::OnlyUnsent { until } = resend
            && Instant::now() > until
        {
            // Of one that was sent, and is not sent again, what AWS said of it is told.
            return Err(last.unwrap_or_else(|| AwsFailure::late(operation)));
        }
        tries += 1;
        let mut failure = match call().await {
            Ok(answer) => {
                limiter.went_through(lane);
                return Ok(answer);
            }
            Err(error) => explain(service, operation, &error),
        };
        in_doubt |= failure.fate == Fate::Unknown;
        if in_doubt {
            failure.fate = Fate::Unknown;
        }
        let settling = waited < patience.0 && matches!(failure.kind, Kind::NotFound | Kind::NotReady | Kind::Busy);
        let lasting = lane.row().effect == Effect::Reads && failure.kind == Kind::Throttled && waited < TOO_FAST;
        let (pause, left) = match repeat(&failure, resend, if lasting { tries.min(TRIES - 1) } else { tries }) {
            Some(base) if lasting => (jittered(base), TOO_FAST - waited),
            Some(base) => (jittered(base), base * (2u32.pow(TRIES - tries) - 1)),
            None if settling && !(in_doubt && resend != Resend::Freely) => (SETTLING, patience.0 - waited),
            None => return Err(failure),
        };
        tracing::debug!(operation, tries, code = failure.code.as_deref(), ?pause, "sending it again");
        pauses.tell(&failure, tries, resend.at_most(Instant::now() + limiter.takes(left)));
        match failure.kind {
            Kind::Throttled => limiter.back_off(lane, pause),
            Kind::Unreachable | Kind::LostReply => {}
            // Whatever else it said, it took the call.
            _ => limiter.went_through(lane),
        }
        limiter.pause(about(pause)).await;
        waited += pause;
        last = Some(failure);
    }
}

/// How long at most to wait before the same call may go out again, if it may; after each further try twice as long.
fn repeat(failure: &AwsFailure, resend: Resend, tries: u32) -> Option<Duration> {
    if tries >= TRIES {
        return None;
    }
    let base = match (failure.kind, failure.fate, resend) {
        (_, Fate::Unknown, Resend::OnlyUnsent { .. }) => return None,
        (Kind::Throttled, _, _) => Duration::from_millis(500),
        (Kind::Unreachable, Fate::NotExecuted, _) => Duration::from_millis(200),
        (Kind::Unreachable | Kind::LostReply, Fate::Unknown, Resend::Freely) => Duration::from_millis(200),
        _ => return None,
    };
    Some(base * 2u32.pow(tries - 1))
}

/// Half of it for certain, the other half by chance, so that steps that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    pause / 2 + (pause / 2).mul_f64(chance())
}

/// Up to a fifth shorter or longer, by chance, so that steps that look at the same moment do not all look at the next one.
pub(super) fn about(pause: Duration) -> Duration {
    pause * 4 / 5 + (pause * 2 / 5).mul_f64(chance())
}

/// From 0 to 1. On a machine without chance it is the middle: still a pause.
fn chance() -> f64 {
    let mut byte = [128u8];
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_who_wait_for_the_same_come_back_in_step() {
        let pause = Duration::from_secs(10);
        for (of, least, most) in [(about as fn(Duration) -> Duration, 8, 12), (jittered, 5, 10)] {
            let pauses: BTreeSet<Duration> = (0..64).map(|_| of(pause)).collect();
            assert!(pauses.len() > 8, "{pauses:?}");
            assert!(pauses.iter().all(|one| (least..=most).contains(&one.as_secs())), "{pauses:?}");
        }
    }
}

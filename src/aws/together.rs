//! Steps that ask the same at the same moment share one answer.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use futures_util::future::{BoxFuture, FutureExt, Shared};

use super::clients::Cloud;
use super::error::AwsFailure;
use super::operations::Operation;

/// Steps that begin together ask within such a time. Beside the way to AWS and back it is nothing.
const GATHERING: Duration = Duration::from_millis(3);

/// Which question: an operation, and all that it is asked with.
type Question = (Operation, String);
type Answer<T> = Shared<BoxFuture<'static, Result<Arc<T>, AwsFailure>>>;

/// Questions that have not gone out yet. Whoever asks one of them gets its answer, which is younger than the asking.
#[derive(Clone, Default)]
pub(super) struct Unsent(Arc<Mutex<BTreeMap<Question, Box<dyn Any + Send>>>>);

impl fmt::Debug for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.questions().keys()).finish()
    }
}

impl Unsent {
    fn questions(&self) -> MutexGuard<'_, BTreeMap<Question, Box<dyn Any + Send>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cloud {
    /// Sends a read, or waits for the answer of the same one where that has not gone out yet. `asked` is all that the call
    /// is made of, as text.
    ///
    /// # Errors
    /// As `read`.
    pub async fn read_together<T, E, F, Sent>(
        &self,
        operation: Operation,
        asked: String,
        mut call: F,
    ) -> Result<T, AwsFailure>
    where
        F: FnMut() -> Sent + Send + 'static,
        Sent: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'static,
        T: Clone + Send + Sync + 'static,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let question = (operation, asked);
        let answer: Answer<T> = {
            let mut unsent = self.unsent().questions();
            match unsent.get(&question).and_then(|answer| answer.downcast_ref::<Answer<T>>()) {
                Some(answer) => answer.clone(),
                None => {
                    let (cloud, sent) = (self.clone(), question.clone());
                    let asking = async move {
                        cloud.pause(GATHERING).await;
                        let sending = || {
                            cloud.unsent().questions().remove(&sent);
                            call()
                        };
                        cloud.read(operation, sending).await.map(Arc::new)
                    };
                    let answer = asking.boxed().shared();
                    unsent.insert(question, Box::new(answer.clone()));
                    answer
                }
            }
        };
        answer.await.map(Arc::unwrap_or_clone)
    }
}

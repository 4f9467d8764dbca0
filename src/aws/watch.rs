//! One pair of eyes on every call: it keeps the log, and in a read-only cloud it stops every change before it is sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::operations::Operation;

/// Calls that are remembered; a run that polls for days must not grow for ever.
const REMEMBERED: usize = 10_000;

/// One call that was about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSeen {
    /// As the SDK names it: `EC2`, `STS`.
    pub service: String,
    /// `CreateVpc`
    pub operation: String,
    /// Its row in the table; none for one that onramp does not send.
    pub listed: Option<Operation>,
    pub mutating: bool,
}

/// The calls of a cloud, shared by all its copies.
#[derive(Debug, Clone, Default)]
pub(super) struct CallLog(Arc<Mutex<VecDeque<CallSeen>>>);

impl CallLog {
    pub(super) fn seen(&self) -> Vec<CallSeen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, call: CallSeen) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == REMEMBERED {
            calls.pop_front();
        }
        calls.push_back(call);
    }
}

/// A change was asked of a cloud that only looks. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} would change something, and this is only a look")]
pub(super) struct OnlyLooking {
    pub operation: String,
}

/// The interceptor of every client.
#[derive(Debug)]
pub(super) struct Watch {
    pub log: CallLog,
    pub read_only: bool,
}

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "onramp-watch"
    }

    // `read_before_execution` would come before the operation has put its name into the bag.
    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) = match cfg.load::<Metadata>() {
            Some(metadata) => (metadata.service().to_owned(), metadata.name().to_owned()),
            None => ("?".to_owned(), "an unnamed operation".to_owned()),
        };
        // What is not known to be reading counts as a change.
        let listed = Operation::of_sdk(&service, &operation);
        let mutating = listed.is_none_or(Operation::changes);
        if self.read_only && mutating {
            return Err(Box::new(OnlyLooking { operation }));
        }
        self.log.push(CallSeen { service, operation, listed, mutating });
        Ok(())
    }
}

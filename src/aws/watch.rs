//! One pair of eyes on every call: it keeps the log, and in a read-only cloud it stops every change before it is sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
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

/// What a cloud may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allows {
    Everything,
    /// Nothing that changes anything, but for calls that say themselves that they are a rehearsal.
    Rehearsals,
    Looks,
}

/// The interceptor of every client.
#[derive(Debug)]
pub(super) struct Watch {
    pub log: CallLog,
    pub allows: Allows,
}

/// An operation without a name cannot be told to be harmless, nor one that is not listed.
fn seen(cfg: &ConfigBag) -> CallSeen {
    let (service, operation) = match cfg.load::<Metadata>() {
        Some(metadata) => (metadata.service().to_owned(), metadata.name().to_owned()),
        None => ("?".to_owned(), "an unnamed operation".to_owned()),
    };
    let listed = Operation::of_sdk(&service, &operation);
    CallSeen { service, operation, listed, mutating: listed.is_none_or(Operation::changes) }
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
        let call = seen(cfg);
        if self.allows == Allows::Looks && call.mutating {
            return Err(Box::new(OnlyLooking { operation: call.operation }));
        }
        self.log.push(call);
        Ok(())
    }

    /// What is about to be sent is looked at as it goes over the wire.
    fn read_before_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let says = |body: &[u8]| body.split(|byte| *byte == b'&').any(|pair| pair == b"DryRun=true");
        let call = seen(cfg);
        let rehearsal = context.request().body().bytes().is_some_and(says);
        if self.allows == Allows::Rehearsals && call.mutating && !rehearsal {
            return Err(Box::new(OnlyLooking { operation: call.operation }));
        }
        Ok(())
    }
}

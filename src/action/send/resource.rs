//! The requests to Cloud Control. Each is taken at once and carried out by and by: it is followed to its end here.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Map, Value as Json, json};

use super::Sender;
use crate::action::aws_resource;
use crate::action::call::resource::{MARK, More, ResourceRequest};
use crate::action::call::{Call, Label};
use crate::action::vigil::Vigil;
use crate::aws::cloud_control::types::{OperationStatus, ProgressEvent};
use crate::aws::{AwsFailure, Cloud, Fate, Kind, Operation, Stamp, TagStyle};
use crate::text;

const FIRST_LOOK: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A request is followed for so many times as long as is usual, and for no less than this.
const PATIENCE: u32 = 4;
const LEAST: Duration = Duration::from_secs(20 * 60);
/// Tokens under which earlier tries may have failed.
const TRIES: u32 = 8;
/// Somebody else's operation on the same resource is waited for.
const BUSY: Duration = Duration::from_secs(10);
const BUSY_LOOKS: u32 = 60;

/// How a request ended.
struct End {
    event: ProgressEvent,
    /// The first answer was the end: another request is meant, which said the same token before.
    old: bool,
}

impl Sender<'_> {
    pub(super) async fn resource(&self, call: &Call, request: &ResourceRequest) -> Result<Option<String>, AwsFailure> {
        let (operation, of) = (request.operation(), request.type_name());
        let mut last = None;
        for further in 0..TRIES {
            let End { event, old } = self.ended(call, request, further).await?;
            let id = event.identifier().map(str::to_owned);
            match (event.operation_status(), request) {
                (Some(OperationStatus::Success), ResourceRequest::CreateResource { .. }) => {
                    if let Some(gone) = id.as_deref().filter(|_| old)
                        && aws_resource::model_of(&self.place(request), of, gone).await?.is_none()
                    {
                        return Err(AwsFailure::made_before(operation, gone));
                    }
                    return Ok(id);
                }
                (Some(OperationStatus::Success), _) => return Ok(None),
                _ => {}
            }
            let code = event.error_code().map_or("CANCEL_COMPLETE", |code| code.as_str());
            let failure = AwsFailure::of_handler(operation, of, code, event.status_message().unwrap_or_default());
            if !old || operation == Operation::CreateResource {
                return Err(failure);
            }
            // An earlier try failed so; this one has not been made yet.
            last = Some(failure);
        }
        Err(last.unwrap_or_else(|| super::unsent(call)))
    }

    /// Asks, as soon as nobody else is at the same resource, and follows it to its end.
    async fn ended(&self, call: &Call, request: &ResourceRequest, further: u32) -> Result<End, AwsFailure> {
        let mut looks = 0;
        let vigil = Vigil::new(self.world, self.cloud, BUSY * BUSY_LOOKS);
        let event = loop {
            let busy = match self.asked(call, request, further).await {
                Err(failure) if failure.kind == Kind::Conflict && failure.fate == Fate::Refused => failure,
                answer => break answer?,
            };
            looks += 1;
            if looks > BUSY_LOOKS {
                return Err(busy);
            }
            if !vigil.rest(vigil.was_refused(&busy.clone().into(), looks), BUSY).await {
                return Err(busy);
            }
        };
        drop(vigil);
        self.followed(request, event).await
    }

    async fn asked(&self, call: &Call, request: &ResourceRequest, further: u32) -> Result<ProgressEvent, AwsFailure> {
        let control = self.place(request).cloud_control();
        let attempt = self.marks.get("onramp:run").map_or("", String::as_str);
        let token = request.client_token(self.token, attempt, further);
        let event = match request {
            ResourceRequest::CreateResource { type_name, desired_state, tags, more, .. } => {
                let state = self.with_tags(desired_state.clone(), tags.as_ref(), more.tags_in);
                let state = self.with_secret(state, more).to_string();
                let request = control.create_resource().type_name(type_name).desired_state(state).client_token(token);
                sent!(self, call, never a rehearsal: request).progress_event
            }
            ResourceRequest::UpdateResource { type_name, identifier, patch_document, more, .. } => {
                let patch = self.with_secret(json!(patch_document), more).to_string();
                let request = control.update_resource().type_name(type_name).identifier(identifier);
                let request = request.patch_document(patch).client_token(token);
                sent!(self, call, never a rehearsal: request).progress_event
            }
            ResourceRequest::DeleteResource { type_name, identifier, .. } => {
                let request = control.delete_resource().type_name(type_name).identifier(identifier);
                sent!(self, call, never a rehearsal: request.client_token(token)).progress_event
            }
        };
        event.ok_or_else(|| {
            let said = format!("{} was answered without a request to follow", request.operation().name());
            AwsFailure::unfinished(request.operation(), &said, "so nobody can wait for its end")
        })
    }

    async fn followed(&self, request: &ResourceRequest, mut event: ProgressEvent) -> Result<End, AwsFailure> {
        let operation = request.operation();
        let usual = Duration::from_secs(60 * request.more().minutes);
        let limit = (usual * PATIENCE).max(LEAST);
        let (mut waited, mut pause) = (Duration::ZERO, FIRST_LOOK);
        let vigil = Vigil::new(self.world, self.cloud, limit);
        loop {
            if has_ended(&event) {
                return Ok(End { old: waited.is_zero(), event });
            }
            let said = format!(
                "{} of {}: going on for {} of about {}",
                operation.name(),
                request.type_name(),
                text::duration(waited),
                text::duration(usual)
            );
            if waited >= limit {
                return Err(AwsFailure::unfinished(operation, &said, "this is much longer than usual"));
            }
            // Steps that begin together do not ask together.
            let share = event.request_token().and_then(|token| token.bytes().last()).unwrap_or_default();
            let this = pause + pause.mul_f64(f64::from(share) / 1024.0);
            let holdup = vigil.waits_for(&format!(
                "{} of {} is going on, usually about {}",
                operation.name(),
                request.type_name(),
                text::duration(usual)
            ));
            if !vigil.rest(holdup, this).await {
                return Err(AwsFailure::unfinished(operation, &said, "the run was stopped"));
            }
            (waited, pause) = (waited + this, (pause * 3 / 2).min(LONGEST_PAUSE));
            event = self.seen(request, event).await?;
        }
    }

    /// The account in the region that is meant.
    fn place(&self, request: &ResourceRequest) -> Cloud {
        aws_resource::in_region(self.cloud, request.more().region.as_deref())
    }

    /// How the request stands now.
    async fn seen(&self, request: &ResourceRequest, event: ProgressEvent) -> Result<ProgressEvent, AwsFailure> {
        let token = event.request_token().unwrap_or_default();
        let request = self.place(request).cloud_control().get_resource_request_status().request_token(token);
        match self.cloud.read(Operation::GetResourceRequestStatus, || request.clone().send()).await {
            Ok(seen) => Ok(seen.progress_event.unwrap_or(event)),
            // Not every look knows a request that was only just made.
            Err(failure) if failure.kind == Kind::NotFound => Ok(event),
            // It was taken; only what became of it cannot be seen.
            Err(failure) => Err(AwsFailure { fate: Fate::Unknown, ..failure }),
        }
    }

    fn with_tags(&self, mut state: Json, label: Option<&Label>, style: TagStyle) -> Json {
        let (Some(label), Some(property)) = (label, style.property()) else { return state };
        let stamp = Stamp { marks: self.marks, key: &label.key, name: &label.name };
        let mut tags = aws_resource::tags_of(&state, style);
        tags.extend(stamp.pairs().into_iter().map(|(key, value)| (plain(key), plain(value))));
        state[property] = aws_resource::tags_as(style, &tags);
        state
    }

    fn with_secret(&self, state: Json, more: &More) -> Json {
        let secret = more.secret.as_ref().and_then(|reference| self.secrets.get(reference));
        match secret {
            Some(secret) => filled(state, secret.expose_secret()),
            None => state,
        }
    }
}

/// Most services behind Cloud Control take letters, digits, blanks and these in a tag; `phase/step[key]` has brackets.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || " _.:/=+-@".contains(c) { c } else { '.' }).collect()
}

fn filled(state: Json, secret: &str) -> Json {
    match state {
        Json::String(text) => Json::String(text.replace(MARK, secret)),
        Json::Array(items) => items.into_iter().map(|item| filled(item, secret)).collect(),
        Json::Object(map) => {
            Json::Object(map.into_iter().map(|(key, value)| (key, filled(value, secret))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn has_ended(event: &ProgressEvent) -> bool {
    matches!(
        event.operation_status(),
        Some(OperationStatus::Success | OperationStatus::Failed | OperationStatus::CancelComplete)
    )
}

//! Client tokens: the same token with the same parameters is the same object (docs.aws.amazon.com/ec2/latest/devguide/
//! ec2-api-idempotency.html).

use super::Call;
use super::refusal::Refusal;
use super::world::Token;

/// What this token made before, if it was used before.
pub(super) fn made_before(call: &Call<'_>) -> Result<Option<Vec<String>>, Refusal> {
    let Some(token) = call.ask.get("ClientToken") else { return Ok(None) };
    if token.len() > 64 || !token.is_ascii() {
        let message = format!("Invalid value '{token}' for clientToken. It must be at most 64 ASCII characters.");
        return Err(Refusal::value(message));
    }
    match call.world.tokens.get(&key(call)) {
        None => Ok(None),
        Some(used) if used.digest == call.ask.digest() => Ok(Some(used.ids.clone())),
        Some(_) => {
            let message =
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
            Err(Refusal::new("IdempotentParameterMismatch", message))
        }
    }
}

/// Remembers what the call's token has made.
pub(super) fn remember(call: &mut Call<'_>, ids: Vec<String>) {
    if call.ask.get("ClientToken").is_some() {
        let token = Token { digest: call.ask.digest(), ids };
        call.world.tokens.insert(key(call), token);
    }
}

fn key(call: &Call<'_>) -> String {
    format!("{}/{}", call.ask.action(), call.ask.get("ClientToken").unwrap_or_default())
}

//! The practice cloud behind a port: HTTP/1.1 as the SDK speaks it, and a ledger of what changed anything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use onramp::practice::cloud::Cloud;
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::trap::{Boundary, Trap};

/// How long a change is under way that arrives late: the next process has begun to look by then.
const LATE: Duration = Duration::from_secs(8);

/// A change that was executed and after which the cloud was not as before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    pub operation: String,
    /// Everything that was asked for, but the token.
    pub asked: String,
}

pub struct Front {
    pub cloud: Cloud,
    pub trap: Arc<Trap>,
    pub effects: Mutex<Vec<Effect>>,
    /// One call at a time, so that what a call changed can be told.
    turn: tokio::sync::Mutex<()>,
}

impl Front {
    pub fn new(cloud: Cloud, trap: Arc<Trap>) -> Self {
        Front { cloud, trap, effects: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Operations that changed something, and how often each.
    pub fn tally(&self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        for effect in self.effects.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *tally.entry(effect.operation.clone()).or_default() += 1;
        }
        tally
    }

    /// Changes that were made more than once with effect.
    pub fn twice(&self) -> Vec<String> {
        let mut seen = BTreeMap::<Effect, usize>::new();
        for effect in self.effects.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *seen.entry(effect.clone()).or_default() += 1;
        }
        let twice = seen.into_iter().filter(|(_, count)| *count > 1);
        twice.map(|(effect, count)| format!("{count} times {} {}", effect.operation, effect.asked)).collect()
    }

    /// Serves one connection until the client goes away.
    pub async fn serve(self: Arc<Self>, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let mut stream = BufReader::new(stream);
        while let Some(request) = read(&mut stream).await {
            match self.answer(request).await {
                Some(answer) => {
                    if stream.get_mut().write_all(&answer.bytes).await.is_err() {
                        return;
                    }
                    if answer.changes {
                        self.trap.passes(Boundary::CallAnswered).await;
                    }
                }
                None => return,
            }
        }
    }

    /// The answer to a request; none when whoever asked died of it.
    async fn answer(&self, request: http::Request<SdkBody>) -> Option<Answer> {
        let form = form(&request);
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()?.rsplit('.').next());
        let operation = form.get("Action").map(String::as_str).or(target).unwrap_or_default().to_owned();
        let changes =
            !["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb)) && !form.contains_key("DryRun");
        if !changes {
            let _one = self.turn.lock().await;
            return Some(Answer { bytes: self.execute(request).await?, changes });
        }
        if self.trap.passes(Boundary::CallArrived).await {
            return None;
        }
        let late = self.trap.passes(Boundary::CallLate).await;
        if late {
            tokio::time::sleep(LATE).await;
        }
        let one = self.turn.lock().await;
        let before = self.snapshot().await;
        let bytes = self.execute(request).await?;
        if self.snapshot().await != before {
            let asked = form.iter().filter(|(name, _)| name.as_str() != "ClientToken");
            let asked = asked.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
            self.effects.lock().unwrap_or_else(PoisonError::into_inner).push(Effect { operation, asked });
        }
        drop(one);
        if late || self.trap.passes(Boundary::CallDone).await {
            return None;
        }
        Some(Answer { bytes, changes })
    }

    async fn execute(&self, request: http::Request<SdkBody>) -> Option<Vec<u8>> {
        let request = HttpRequest::try_from(request).ok()?;
        let response = self.cloud.call(request).await.ok()?;
        let body = response.body().bytes().unwrap_or_default().to_vec();
        let mut bytes = format!("HTTP/1.1 {} Answer\r\ncontent-length: {}\r\n", response.status().as_u16(), body.len());
        for (name, value) in response.headers() {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str("\r\n");
        Some([bytes.into_bytes(), body].concat())
    }

    /// Everything that exists in the cloud, without what it notes of calls.
    async fn snapshot(&self) -> Json {
        let saved = self.cloud.snapshot().await.expect("the practice cloud can be kept");
        let mut saved: Json = serde_json::from_slice(&saved).expect("it is JSON");
        saved["notes"] = Json::Null;
        saved
    }
}

struct Answer {
    bytes: Vec<u8>,
    changes: bool,
}

/// One request with its body; none at the end of the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<http::Request<SdkBody>> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut request = http::Request::builder().method(method.as_str()).uri(format!("http://127.0.0.1{path}"));
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok().filter(|length| *length > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
        request = request.header(name, value);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    request.body(SdkBody::from(body)).ok()
}

/// The form in the body, as it was written: what is compared need not be decoded.
fn form(request: &http::Request<SdkBody>) -> BTreeMap<String, String> {
    let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap_or_default();
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

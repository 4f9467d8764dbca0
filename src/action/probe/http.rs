//! `probe/http`: a URL answers with the status, the body and the certificate that it should, directly or through a proxy.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Method, StatusCode, Url, redirect};
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::arguments::{Arguments, known};
use super::super::object::found;
use super::super::{Failure, Found, Trouble, World};
use super::certificate::{Shown, Wanted, handshake};
use super::relay::Relay;
use super::{Asks, Miss, Origin, at, tcp, wrong};
use crate::input::SecretRef;
use crate::ssh::dial::Wire;
use crate::text::clean;

/// What of a body is looked at.
const LONGEST: usize = 1 << 20;
/// A proxy's answer is short.
const LONGEST_HEAD: usize = 8 * 1024;

/// `probe/http`
pub(in super::super) struct Http {
    url: Option<Url>,
    method: Method,
    /// Any of them.
    status: Vec<u16>,
    contains: Option<String>,
    proxy: Option<Proxy>,
    wanted: Wanted,
}

struct Proxy {
    host: String,
    port: u16,
    login: Option<(String, SecretRef)>,
}

impl Proxy {
    fn new(arguments: &Arguments<'_>) -> Result<Option<Self>, Failure> {
        let login = match (arguments.optional("proxy_user")?, arguments.secret("proxy_password")?) {
            (None, _) => None,
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => {
                return Err(Failure::new("`proxy_user` goes with `proxy_password`", "Correct the step."));
            }
        };
        let Some(text) = arguments.optional("proxy")?.filter(|text| known(text)) else { return Ok(None) };
        let bare = text.trim_start_matches("http://").trim_end_matches('/');
        let (host, port) = tcp::place(bare).ok_or_else(|| wrong(arguments, "proxy", &text, "no address:port"))?;
        Ok(Some(Proxy { host, port, login }))
    }

    fn place(&self) -> String {
        at(&self.host, self.port)
    }

    /// What it wants to hear beside the question, with the end of its line (RFC 7617).
    async fn login(&self, world: &World) -> Result<String, Miss> {
        let Some((user, password)) = &self.login else { return Ok(String::new()) };
        let password = world.secret(password).await.map_err(|question| Miss::Unknown(Trouble::Question(question)))?;
        let both = BASE64.encode(format!("{user}:{}", password.expose_secret()));
        Ok(format!("Proxy-Authorization: Basic {both}\r\n"))
    }
}

impl Http {
    pub(in super::super) fn new(arguments: &Arguments<'_>) -> Result<Self, Failure> {
        let text = arguments.text("url")?;
        let url = Url::parse(&text).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
        if known(&text) && url.is_none() {
            return Err(wrong(arguments, "url", &text, "no http or https URL"));
        }
        if url.as_ref().is_some_and(|url| !url.username().is_empty() || url.password().is_some()) {
            let what = "the argument `url` of probe/http holds a user or a password";
            return Err(Failure::new(what, "Leave them away: a URL is shown and recorded."));
        }
        let statuses = arguments.list("status")?;
        let status = |text: &String| match text.parse() {
            Ok(status) if (100..600).contains(&status) => Ok(status),
            _ if !known(text) => Ok(0),
            _ => Err(wrong(arguments, "status", text, "no HTTP status, such as 200")),
        };
        let mut status = statuses.iter().map(status).collect::<Result<Vec<u16>, Failure>>()?;
        if status.is_empty() {
            status.push(200);
        }
        let method = if arguments.one_of("method", &["GET", "HEAD"])? == "HEAD" { Method::HEAD } else { Method::GET };
        let (contains, wanted) = (arguments.optional("contains")?, Wanted::new(arguments)?);
        if method == Method::HEAD && contains.is_some() {
            let what = "probe/http cannot look into the body with the method HEAD";
            return Err(Failure::new(what, "Leave `contains` away, or ask with GET."));
        }
        Ok(Http { url, method, status, contains, proxy: Proxy::new(arguments)?, wanted })
    }

    /// A stream to the server; through the proxy, if there is one.
    async fn reach(&self, world: &World, from: &Origin, host: &str, port: u16) -> Result<Box<dyn Wire>, Miss> {
        match &self.proxy {
            None => from.stream(world, host, port).await,
            Some(proxy) => {
                let login = proxy.login(world).await?;
                let wire = from.stream(world, &proxy.host, proxy.port).await?;
                let through = through(wire, (&proxy.place(), &login), &at(host, port)).await;
                if let (Err(Miss::NotSo(said)), Some((_, password))) = (&through, &proxy.login)
                    && said.ends_with(REFUSED_LOGIN)
                {
                    world.forget_secret(password);
                }
                through
            }
        }
    }

    /// Why the answer is not as wanted, if it is not.
    fn fault(&self, answer: &Seen) -> Option<String> {
        if !self.status.contains(&answer.status) {
            let wanted: Vec<String> = self.status.iter().map(u16::to_string).collect();
            let name = StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
            let to = answer.location.as_ref().map(|to| format!(", to {to}")).unwrap_or_default();
            let said = format!("answers {} {}{to}", answer.status, name.unwrap_or_default());
            return Some(format!("{}, not {}", said.trim_end(), crate::text::either(&wanted)));
        }
        match &self.contains {
            Some(wanted) if !answer.body.contains(wanted) => Some(format!(
                "answers {}, but the body does not contain \"{}\"",
                answer.status,
                clean(wanted.as_bytes())
            )),
            _ => None,
        }
    }
}

/// What came back.
struct Seen {
    status: u16,
    location: Option<String>,
    body: String,
}

#[async_trait]
impl Asks for Http {
    fn whom(&self) -> String {
        self.url.as_ref().map_or_else(|| "the URL".to_owned(), Url::to_string)
    }

    async fn ask(&self, world: &World, from: &Origin) -> Result<Found, Miss> {
        let Some(url) = &self.url else { return Err(Miss::unknown("there is no URL yet", "Run the steps before.")) };
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let wire = self.reach(world, from, &host, port).await?;
        let (wire, shown): (Box<dyn Wire>, Option<Shown>) = if url.scheme() == "https" {
            let (stream, shown) = handshake(world, &self.wanted, wire, &host).await?;
            world.say(&format!("{url} to {from}: {}", shown.said())).await;
            if let Some(fault) = self.wanted.fault(&shown) {
                return Err(Miss::NotSo(format!("{url} asked from {from}: {fault}; {}", shown.said())));
            }
            (Box::new(stream), Some(shown))
        } else {
            (wire, None)
        };
        let answer = request(wire, url, port, &self.method).await?;
        let length = answer.body.len();
        let how = self.proxy.as_ref().map(|proxy| format!(" through {}", proxy.place())).unwrap_or_default();
        world.say(&format!("{} {url} from {from}{how}: {}, {length} bytes", self.method, answer.status)).await;
        if let Some(fault) = self.fault(&answer) {
            return Err(Miss::NotSo(format!("{url} asked from {from}{how}: {fault}")));
        }
        let holds = shown.as_ref().map(|shown| format!(", its certificate holds for {} days", shown.days()));
        let said = format!("{url} answers {} to {from}{how}{}", answer.status, holds.unwrap_or_default());
        let mut output = json!({
            "status": answer.status, "location": answer.location, "certificate": Json::Null, "line": first_line(&answer.body),
        });
        if let Some(shown) = shown {
            output["certificate"] = shown.output();
        }
        Ok(found(said, output))
    }
}

/// How a body begins, for what answers in one line.
fn first_line(body: &str) -> String {
    const LONGEST: usize = 200;
    let line: String = body.lines().next().unwrap_or_default().chars().take(LONGEST).collect();
    clean(line.trim().as_bytes())
}

/// Asks for the URL over a stream that is there, TLS and all.
async fn request(wire: Box<dyn Wire>, url: &Url, port: u16, method: &Method) -> Result<Seen, Miss> {
    let host = url.host_str().unwrap_or_default();
    let mut plain = format!("http://{host}");
    if Some(port) != (if url.scheme() == "https" { Some(443) } else { Some(80) }) {
        plain += &format!(":{port}");
    }
    plain += url.path();
    if let Some(query) = url.query() {
        plain += &format!("?{query}");
    }
    let broken = |what: &str, error: &dyn std::fmt::Display| Miss::unknown(format!("{what}: {error}"), "Try again.");
    let relay = Relay::new(wire).map_err(|error| broken("the connection cannot be handed on", &error))?;
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).unix_socket(relay.path()).build();
    let client = client.map_err(|error| broken("no request can be made", &error))?;
    let sent = client.request(method.clone(), plain).header("user-agent", "onramp").send().await;
    let mut response = sent.map_err(|error| Miss::NotSo(format!("{url} gives no HTTP answer: {}", causes(&error))))?;
    let location = response.headers().get("location").map(|to| clean(to.as_bytes()));
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while body.len() < LONGEST {
        match response.chunk().await {
            Ok(Some(piece)) => body.extend(piece),
            Ok(None) => break,
            Err(error) => return Err(Miss::NotSo(format!("{url} breaks off its answer: {}", causes(&error)))),
        }
    }
    Ok(Seen { status, location, body: String::from_utf8_lossy(&body).into_owned() })
}

/// An error and what it comes from: the first of them seldom says it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut said = vec![error.to_string()];
    let mut next = error.source();
    while let Some(error) = next {
        said.push(error.to_string());
        next = error.source();
    }
    said.last().cloned().unwrap_or_default()
}

/// Asks a proxy for a tunnel (RFC 9110, 9.3.6).
const REFUSED_LOGIN: &str = "refuses the user or the password (407)";

async fn through(mut wire: Box<dyn Wire>, (proxy, login): (&str, &str), to: &str) -> Result<Box<dyn Wire>, Miss> {
    let ask = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{login}User-Agent: onramp\r\n\r\n");
    let talk = async {
        wire.write_all(ask.as_bytes()).await?;
        wire.flush().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
            head.push(wire.read_u8().await?);
        }
        Ok::<_, std::io::Error>(head)
    };
    let limit = Duration::from_secs(10);
    let head = match tokio::time::timeout(limit, talk).await {
        Ok(Ok(head)) => head,
        Ok(Err(error)) => return Err(Miss::NotSo(format!("the proxy {proxy} hangs up: {error}"))),
        Err(_) => return Err(Miss::NotSo(format!("the proxy {proxy} does not say whether it connects to {to}"))),
    };
    let first = clean(&head).lines().next().unwrap_or_default().to_owned();
    match first.split_whitespace().nth(1) {
        Some("200") => Ok(wire),
        Some("407") if login.is_empty() => {
            Err(Miss::NotSo(format!("the proxy {proxy} wants a user and a password (407)")))
        }
        Some("407") => Err(Miss::NotSo(format!("the proxy {proxy} {REFUSED_LOGIN}"))),
        Some("403") => {
            Err(Miss::NotSo(format!("the proxy {proxy} does not let {to} through (403): its list lacks it")))
        }
        _ => Err(Miss::NotSo(format!("the proxy {proxy} does not connect to {to}: {first}"))),
    }
}

//! A client of SMTP (RFC 5321), as postfix has one: it encrypts, logs in, and hands one message over.

use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::text::fingerprint::md5;

/// How long the server may take for each part of the talk; longer than it ever does here.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a message is handed over.
pub struct Manner {
    pub host: String,
    pub tls: Tls,
    /// Mechanism, user and password.
    pub login: Option<(String, String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    No,
    Later,
    FromTheStart,
}

/// Why it was not taken, in postfix's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Not {
    /// It may be another time.
    Yet(String),
    /// The server will never take it.
    Ever(String),
}

impl From<io::Error> for Not {
    fn from(error: io::Error) -> Self {
        Not::Yet(format!("lost connection with the server: {error}"))
    }
}

/// Hands a message over; what the server said when it took it.
///
/// # Errors
/// See [`Not`].
pub async fn hand_over(
    wire: DuplexStream,
    manner: &Manner,
    trust: &TlsConnector,
    (from, to, text): (&str, &[String], &str),
) -> Result<String, Not> {
    if manner.tls == Tls::FromTheStart {
        let mut talk = Talk::new(encrypted(wire, manner, trust).await?);
        talk.hear().await?;
        return talk.message(manner, (from, to, text)).await;
    }
    let mut talk = Talk::new(wire);
    talk.hear().await?;
    if manner.tls == Tls::No {
        return talk.message(manner, (from, to, text)).await;
    }
    let offers = talk.say("EHLO practice").await?.text;
    if !offers.to_uppercase().contains("STARTTLS") {
        return Err(Not::Yet("TLS is required, but was not offered by the host".to_owned()));
    }
    talk.must("STARTTLS", 220).await?;
    Talk::new(encrypted(talk.wire.into_inner(), manner, trust).await?).message(manner, (from, to, text)).await
}

async fn encrypted(
    wire: DuplexStream,
    manner: &Manner,
    trust: &TlsConnector,
) -> Result<tokio_rustls::client::TlsStream<DuplexStream>, Not> {
    let name = ServerName::try_from(manner.host.clone());
    let name = name.map_err(|_| Not::Yet("Server certificate not verified".to_owned()))?;
    let begun = trust.connect(name, wire).await;
    begun.map_err(|error| Not::Yet(format!("Server certificate not verified ({error})")))
}

struct Talk<S> {
    wire: BufReader<S>,
}

/// What the server answers.
struct Said {
    code: u16,
    text: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    fn new(wire: S) -> Self {
        Talk { wire: BufReader::new(wire) }
    }

    async fn hear(&mut self) -> Result<Said, Not> {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            let heard = tokio::time::timeout(PATIENCE, self.wire.read_line(&mut line)).await;
            match heard {
                Ok(Ok(length)) if length > 0 => {}
                Ok(Err(error)) => return Err(error.into()),
                _ => return Err(Not::Yet("conversation with the server timed out".to_owned())),
            }
            text += line.trim_end();
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Said { code: line.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0), text });
            }
            text.push('\n');
        }
    }

    async fn say(&mut self, line: &str) -> Result<Said, Not> {
        self.wire.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.wire.flush().await?;
        self.hear().await
    }

    /// Says something that the server has to answer with this code.
    async fn must(&mut self, line: &str, code: u16) -> Result<String, Not> {
        let said = self.say(line).await?;
        let words = || format!("host said: {} (in reply to {})", said.text, line.split(' ').next().unwrap_or_default());
        match said.code {
            good if good == code => Ok(said.text),
            500.. => Err(Not::Ever(words())),
            _ => Err(Not::Yet(words())),
        }
    }

    async fn message(&mut self, manner: &Manner, (from, to, text): (&str, &[String], &str)) -> Result<String, Not> {
        let offers = self.say("EHLO practice").await?.text;
        if let Some((mechanism, user, password)) = &manner.login {
            self.log_in(&offers, mechanism, user, password).await?;
        }
        self.must(&format!("MAIL FROM:<{from}>"), 250).await?;
        for one in to {
            self.must(&format!("RCPT TO:<{one}>"), 250).await?;
        }
        self.must("DATA", 354).await?;
        // A line that begins with a dot gets another one (RFC 5321, 4.5.2).
        let dot = |line: &str| if line.starts_with('.') { "." } else { "" };
        let dotted: String = text.lines().map(|line| format!("{}{line}\r\n", dot(line))).collect();
        let said = self.must(&format!("{dotted}."), 250).await?;
        let _ = self.say("QUIT").await;
        Ok(said)
    }

    async fn log_in(&mut self, offers: &str, mechanism: &str, user: &str, password: &str) -> Result<(), Not> {
        let failed = |said: &str| Not::Yet(format!("SASL authentication failed; server said: {said}"));
        let offered = offers.to_uppercase().lines().any(|line| line.contains("AUTH") && line.contains(mechanism));
        if !offered {
            return Err(Not::Yet("SASL authentication failed: no mechanism available".to_owned()));
        }
        if mechanism == "CRAM-MD5" {
            let challenge = self.say("AUTH CRAM-MD5").await?.text;
            let challenge =
                STANDARD.decode(challenge.split_whitespace().last().unwrap_or_default()).unwrap_or_default();
            let said = self.say(&STANDARD.encode(format!("{user} {}", keyed(password, &challenge)))).await?;
            return if said.code == 235 { Ok(()) } else { Err(failed(&said.text)) };
        }
        let lines = match mechanism {
            "PLAIN" => vec![format!("AUTH PLAIN {}", STANDARD.encode(format!("\0{user}\0{password}")))],
            _ => vec!["AUTH LOGIN".to_owned(), STANDARD.encode(user), STANDARD.encode(password)],
        };
        let mut said = Said { code: 0, text: String::new() };
        for line in &lines {
            said = self.say(line).await?;
        }
        if said.code == 235 { Ok(()) } else { Err(failed(&said.text)) }
    }
}

/// HMAC-MD5 (RFC 2104), in hexadecimal.
pub fn keyed(password: &str, text: &[u8]) -> String {
    let mut key = password.as_bytes().to_vec();
    if key.len() > 64 {
        key = md5(&key).to_vec();
    }
    key.resize(64, 0);
    let pad = |byte: u8| key.iter().map(move |of_key| of_key ^ byte).collect::<Vec<u8>>();
    let inner = md5(&[pad(0x36), text.to_vec()].concat());
    let outer = md5(&[pad(0x5c), inner.to_vec()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    /// The example of RFC 2195.
    #[test]
    fn a_challenge_is_answered_as_the_standard_shows() {
        let answered = super::keyed("tanstaaftanstaaf", b"<1896.697170952@postoffice.reston.mci.net>");
        assert_eq!(answered, "b913a602c7eda7a495b4e6e7334d3890");
    }
}

//! The mail servers of practice: they take everything from everybody who logs in (RFC 5321). One that is reached by a
//! private address knows ours, and asks for no login.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::super::cloud::Letter;
use super::super::net::is_private;
use super::super::shell::smtp::keyed;
use super::names::Caller;

/// Any connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How a server is to talk.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Talk {
    /// Nobody has greeted yet.
    pub greets: bool,
    /// TLS has not begun, and can.
    pub offers_tls: bool,
}

/// What CRAM-MD5 asks; always the same, so that the answer to it stands for a password.
const CHALLENGE: &str = "<1896.697170952@practice>";

/// The accounts on mail servers. Practice cannot know what a customer would have told: the password that a user first logs in
/// with is theirs, and another one is refused from then on. The password itself is not kept.
#[derive(Default)]
pub struct Passwords(Mutex<BTreeMap<String, String>>);

impl Passwords {
    fn let_in(&self, server: &str, login: &Login) -> bool {
        let Login { user, answer } = login;
        let mut known = self.known();
        known.entry(format!("{user} at {server}")).or_insert_with(|| answer.clone()) == answer
    }

    pub fn snapshot(&self) -> BTreeMap<String, String> {
        self.known().clone()
    }

    pub fn restore(&self, saved: BTreeMap<String, String>) {
        *self.known() = saved;
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who wants to be let in, and what they answer to the challenge, or would have.
struct Login {
    user: String,
    answer: String,
}

impl Login {
    fn by_password(user: &str, password: &str) -> Option<Self> {
        let answer = keyed(password, CHALLENGE.as_bytes());
        (!user.is_empty() && !password.is_empty()).then(|| Login { user: user.to_owned(), answer })
    }
}

/// Talks until the other side goes, or until TLS is to begin: then the connection is given back.
pub(super) async fn talk<S: Stream>(
    wire: S,
    name: &str,
    (caller, passwords): (&Caller, &Passwords),
    talk: Talk,
) -> io::Result<Option<S>> {
    let Talk { greets, offers_tls } = talk;
    let mut wire = BufReader::new(wire);
    if greets {
        say(&mut wire, &format!("220 {name} ESMTP practice")).await?;
    }
    let mut known = is_private(caller.server);
    let mut letter = Letter::default();
    loop {
        let Some(line) = hear(&mut wire).await? else { return Ok(None) };
        if let Some(said) = caller.gate.mail_says(name, &line).await {
            say(&mut wire, &said).await?;
            continue;
        }
        let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let said = match word.as_str() {
            "EHLO" | "HELO" => {
                let more = if offers_tls { "250-STARTTLS" } else { "250-AUTH PLAIN LOGIN CRAM-MD5" };
                format!("250-{name}\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n{more}\r\n250 8BITMIME")
            }
            "STARTTLS" if offers_tls => {
                say(&mut wire, "220 2.0.0 Ready to start TLS").await?;
                return Ok(Some(wire.into_inner()));
            }
            "AUTH" if !offers_tls => {
                let logged_in = log_in(&mut wire, &line).await?.is_some_and(|login| passwords.let_in(name, &login));
                known |= logged_in;
                let (yes, no) = ("235 2.7.0 Authentication successful", "535 5.7.8 Authentication failed");
                if logged_in { yes } else { no }.to_owned()
            }
            "MAIL" => {
                letter = Letter { from: address(&line), ..Letter::default() };
                "250 2.1.0 Ok".to_owned()
            }
            "RSET" => {
                letter = Letter::default();
                "250 2.0.0 Ok".to_owned()
            }
            "NOOP" => "250 2.0.0 Ok".to_owned(),
            "RCPT" if known => {
                letter.to.push(address(&line));
                "250 2.1.5 Ok".to_owned()
            }
            "RCPT" => "554 5.7.1 Relay access denied".to_owned(),
            "DATA" if !letter.to.is_empty() => {
                say(&mut wire, "354 End data with <CR><LF>.<CR><LF>").await?;
                while let Some(line) = hear(&mut wire).await?.filter(|line| line != ".") {
                    letter.text += line.strip_prefix('.').unwrap_or(&line);
                    letter.text += "\r\n";
                }
                let posted = caller.gate.post(name, &std::mem::take(&mut letter)).await;
                posted.unwrap_or_else(|refusal| refusal)
            }
            "QUIT" => {
                say(&mut wire, "221 2.0.0 Bye").await?;
                return Ok(None);
            }
            _ => "502 5.5.2 Command not recognized".to_owned(),
        };
        say(&mut wire, &said).await?;
    }
}

/// What stands between the brackets of MAIL FROM and RCPT TO.
fn address(line: &str) -> String {
    let bare = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address);
    bare.to_owned()
}

/// PLAIN brings user and password at once; LOGIN is asked for both; CRAM-MD5 answers a challenge (RFC 2195).
async fn log_in<S: Stream>(wire: &mut BufReader<S>, line: &str) -> io::Result<Option<Login>> {
    let mut words = line.split_whitespace().skip(1);
    let (mechanism, first) = (words.next().unwrap_or_default().to_uppercase(), words.next());
    let (wanted, prompts) = match mechanism.as_str() {
        // "Username:" and "Password:" in base64; clients of LOGIN heed nothing else.
        "LOGIN" => (2, ["VXNlcm5hbWU6".to_owned(), "UGFzc3dvcmQ6".to_owned()]),
        "CRAM-MD5" => (1, [STANDARD.encode(CHALLENGE), String::new()]),
        "PLAIN" => (1, [String::new(), String::new()]),
        _ => return Ok(None),
    };
    let mut given = first.map(plain).into_iter().collect::<Vec<_>>();
    while given.len() < wanted {
        say(wire, &format!("334 {}", prompts[given.len()])).await?;
        let Some(line) = hear(wire).await? else { return Ok(None) };
        given.push(plain(&line));
    }
    let one = given.first().map(String::as_str).unwrap_or_default();
    Ok(match mechanism.as_str() {
        "LOGIN" => Login::by_password(one, given.get(1).map(String::as_str).unwrap_or_default()),
        "CRAM-MD5" => one
            .rsplit_once(' ')
            .filter(|(user, answer)| !user.is_empty() && is_answer(answer))
            .map(|(user, answer)| Login { user: user.to_owned(), answer: answer.to_lowercase() }),
        // On whose behalf, who, and the password (RFC 4616).
        _ => {
            let parts: Vec<&str> = one.split('\0').collect();
            if let [_, user, password] = parts.as_slice() { Login::by_password(user, password) } else { None }
        }
    })
}

fn is_answer(answer: &str) -> bool {
    answer.len() == 32 && answer.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What was sent in base64; nothing where it is none.
fn plain(sent: &str) -> String {
    String::from_utf8(STANDARD.decode(sent.trim()).unwrap_or_default()).unwrap_or_default()
}

async fn say<S: Stream>(wire: &mut BufReader<S>, line: &str) -> io::Result<()> {
    wire.write_all(format!("{line}\r\n").as_bytes()).await?;
    wire.flush().await
}

async fn hear<S: Stream>(wire: &mut BufReader<S>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = wire.read_line(&mut line).await?;
    Ok((length > 0).then(|| line.trim_end().to_owned()))
}

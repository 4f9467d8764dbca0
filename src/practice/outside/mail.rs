//! The mail servers of practice: they take everything from everybody who logs in (RFC 5321). One that is reached by a
//! private address knows ours, and asks for no login.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::super::cloud::Letter;
use super::super::net::is_private;
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

/// Talks until the other side goes, or until TLS is to begin: then the connection is given back.
pub(super) async fn talk<S: Stream>(wire: S, name: &str, caller: &Caller, talk: Talk) -> io::Result<Option<S>> {
    let Talk { greets, offers_tls } = talk;
    let mut wire = BufReader::new(wire);
    if greets {
        say(&mut wire, &format!("220 {name} ESMTP practice")).await?;
    }
    let mut known = is_private(caller.server);
    let mut letter = Letter::default();
    loop {
        let Some(line) = hear(&mut wire).await? else { return Ok(None) };
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
                let logged_in = log_in(&mut wire, &line).await?;
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

/// PLAIN brings user and password at once; LOGIN is asked for both; CRAM-MD5 answers a challenge (RFC 2195). Whoever knows how
/// to log in is let in: nobody has told practice a password.
async fn log_in<S: Stream>(wire: &mut BufReader<S>, line: &str) -> io::Result<bool> {
    let mut words = line.split_whitespace().skip(1);
    let (mechanism, first) = (words.next().unwrap_or_default().to_uppercase(), words.next());
    if mechanism == "CRAM-MD5" {
        say(wire, &format!("334 {}", STANDARD.encode("<1896.697170952@practice>"))).await?;
        let answer = hear(wire).await?.and_then(|line| STANDARD.decode(line.trim()).ok());
        let answer = String::from_utf8(answer.unwrap_or_default()).unwrap_or_default();
        let (user, digest) = answer.rsplit_once(' ').unwrap_or_default();
        return Ok(!user.is_empty() && digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let mut given = first.map(str::to_owned).into_iter().collect::<Vec<_>>();
    let wanted = if mechanism == "LOGIN" { 2 } else { 1 };
    while given.len() < wanted {
        // "Username:" and "Password:" in base64; clients of LOGIN heed nothing else.
        let prompt = if mechanism == "LOGIN" && given.is_empty() { "VXNlcm5hbWU6" } else { "UGFzc3dvcmQ6" };
        say(wire, &format!("334 {}", if mechanism == "LOGIN" { prompt } else { "" })).await?;
        let Some(line) = hear(wire).await? else { return Ok(false) };
        given.push(line);
    }
    Ok(["PLAIN", "LOGIN"].contains(&mechanism.as_str()) && given.iter().all(|part| !part.is_empty()))
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

//! The mail server of practice: it takes everything from everybody who logs in, and throws it away (RFC 5321).

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

/// Any connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Talks until the other side goes, or until TLS is to begin: then the connection is given back.
pub(super) async fn talk<S: Stream>(wire: S, name: &str, greets: bool, offers_tls: bool) -> io::Result<Option<S>> {
    let mut wire = BufReader::new(wire);
    if greets {
        say(&mut wire, &format!("220 {name} ESMTP practice")).await?;
    }
    let (mut logged_in, mut taken) = (false, 0_u32);
    loop {
        let Some(line) = hear(&mut wire).await? else { return Ok(None) };
        let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let said = match word.as_str() {
            "EHLO" | "HELO" => {
                let more = if offers_tls { "250-STARTTLS" } else { "250-AUTH PLAIN LOGIN" };
                format!("250-{name}\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n{more}\r\n250 8BITMIME")
            }
            "STARTTLS" if offers_tls => {
                say(&mut wire, "220 2.0.0 Ready to start TLS").await?;
                return Ok(Some(wire.into_inner()));
            }
            "AUTH" if !offers_tls => {
                logged_in = log_in(&mut wire, &line).await?;
                let (yes, no) = ("235 2.7.0 Authentication successful", "535 5.7.8 Authentication failed");
                if logged_in { yes } else { no }.to_owned()
            }
            "MAIL" | "RSET" | "NOOP" => "250 2.0.0 Ok".to_owned(),
            "RCPT" if logged_in => "250 2.1.5 Ok".to_owned(),
            "RCPT" => "554 5.7.1 Relay access denied".to_owned(),
            "DATA" if logged_in => {
                say(&mut wire, "354 End data with <CR><LF>.<CR><LF>").await?;
                while hear(&mut wire).await?.is_some_and(|line| line != ".") {}
                taken += 1;
                format!("250 2.0.0 Ok: queued as PRACTICE{taken}")
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

/// PLAIN brings user and password at once; LOGIN is asked for both.
async fn log_in<S: Stream>(wire: &mut BufReader<S>, line: &str) -> io::Result<bool> {
    let mut words = line.split_whitespace().skip(1);
    let (mechanism, first) = (words.next().unwrap_or_default().to_uppercase(), words.next());
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

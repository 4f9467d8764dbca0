//! One session channel: a command, what it reads, what it prints, how it ends (RFC 4254 section 6).

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::Arc;

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelMsg};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use super::machine::Connection;
use super::{AbortOnDrop, Chunk, Job, Session};
use crate::practice::keeper::Keeper;
use crate::ssh::words;

/// The extended data type of standard error (RFC 4254 section 5.2).
const STDERR: u32 = 1;

/// More than any script; a client that sends more is cut off.
const MOST_STDIN: usize = 64 * 1024 * 1024;

/// Serves the channel to its end. A command without a terminal outlives a client that goes away: it ends when it next
/// prints something, as SIGPIPE ends a real one. A signal ends it at once.
pub async fn serve(mut channel: Channel<Msg>, handle: Handle, session: Arc<Session>, ends: Connection) {
    let Some((command, mut environment)) = wait_for_command(&mut channel, &handle).await else { return };
    if let Some((address, port)) = command.as_deref().and_then(crate::ssh::carried) {
        // How the connection ends, both sides of it see.
        let _ = carry(channel, &session, &address, port).await;
        return;
    }
    let stdin = match &command {
        Some(command) if !reads_stdin(command) => Vec::new(),
        _ => match collect_stdin(&mut channel).await {
            Some(stdin) => stdin,
            None => return,
        },
    };
    let (peer, own) = (ends.peer, ends.local);
    let (from, to) = (format!("{} {}", peer.ip(), peer.port()), format!("{} {}", own.ip(), own.port()));
    environment.insert("SSH_CLIENT".to_string(), format!("{from} {}", own.port()));
    environment.insert("SSH_CONNECTION".to_string(), format!("{from} {to}"));
    let script = command.unwrap_or_else(|| "bash -s".to_string());
    run(channel, &handle, session, Job { script, stdin, environment, ..Job::default() }).await;
}

/// What bash and two `cat` do, of which bashkit can open no connection that stays.
async fn carry(channel: Channel<Msg>, session: &Session, address: &str, port: u16) -> std::io::Result<()> {
    let [tries, open] = words();
    let mut stream = channel.into_stream();
    stream.write_all(tries.as_bytes()).await?;
    let dialled = match &session.reach {
        Some(reach) => reach.dial(&session.machine, address, port).await,
        None => Err(ErrorKind::NetworkUnreachable.into()),
    };
    match dialled {
        Ok(mut wire) => {
            stream.write_all(open.as_bytes()).await?;
            let both = tokio::io::copy_bidirectional(&mut stream, &mut wire);
            session.machine.power.run_until_cancelled(both).await;
        }
        Err(error) => stream.write_all(format!("bash: line 1: {}\n", why(&error)).as_bytes()).await?,
    }
    stream.shutdown().await
}

/// The words of the C library.
fn why(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "connect: Connection refused".to_owned(),
        ErrorKind::HostUnreachable => "connect: No route to host".to_owned(),
        ErrorKind::NetworkUnreachable => "connect: Network is unreachable".to_owned(),
        _ => error.to_string(),
    }
}

/// The command of an exec request, or nothing for a shell; and the environment that the client set.
async fn wait_for_command(
    channel: &mut Channel<Msg>,
    handle: &Handle,
) -> Option<(Option<String>, HashMap<String, String>)> {
    let mut environment = HashMap::new();
    loop {
        let (want_reply, command) = match channel.wait().await? {
            ChannelMsg::Exec { want_reply, command } => {
                (want_reply, Some(String::from_utf8_lossy(&command).into_owned()))
            }
            ChannelMsg::RequestShell { want_reply } => (want_reply, None),
            ChannelMsg::SetEnv { want_reply, variable_name, variable_value } => {
                // AcceptEnv LANG LC_*, as the images have it.
                let known = variable_name == "LANG" || variable_name.starts_with("LC_");
                if known {
                    environment.insert(variable_name, variable_value);
                }
                answer(handle, channel, want_reply, known).await;
                continue;
            }
            ChannelMsg::RequestPty { want_reply, .. } => {
                answer(handle, channel, want_reply, true).await;
                continue;
            }
            ChannelMsg::RequestSubsystem { want_reply, .. } => {
                answer(handle, channel, want_reply, false).await;
                continue;
            }
            ChannelMsg::Close => return None,
            _ => continue,
        };
        answer(handle, channel, want_reply, true).await;
        return Some((command, environment));
    }
}

async fn answer(handle: &Handle, channel: &Channel<Msg>, wanted: bool, yes: bool) {
    if !wanted {
        return;
    }
    // A client that is gone needs no answer.
    let _ = if yes { handle.channel_success(channel.id()).await } else { handle.channel_failure(channel.id()).await };
}

/// bashkit takes all of standard input at once, so whoever reads it waits for its end; nobody else has to.
fn reads_stdin(command: &str) -> bool {
    const READERS: &[&str] = &[
        "-",
        // sudo with a password.
        "-S",
        "/dev/stdin",
        "cat",
        "tee",
        "read",
        "dd",
        "wc",
        "sort",
        "grep",
        "sed",
        "awk",
        "head",
        "tail",
        "cut",
        "tr",
        "base64",
        "sha256sum",
        "md5sum",
        "xargs",
        "tar",
        "patch",
        "while",
        "cmp",
        "sh",
        "bash",
    ];
    let is_part = |letter: char| letter.is_alphanumeric() || "-_/.".contains(letter);
    let words: Vec<&str> = command.split(|letter| !is_part(letter)).filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().any(|(at, word)| {
        let name = word.strip_prefix("/usr").unwrap_or(word);
        let name = name.strip_prefix("/bin/").unwrap_or(name);
        let has_script = ["sh", "bash"].contains(&name) && words.get(at + 1) == Some(&"-c");
        READERS.contains(&name) && !has_script
    })
}

/// A job ends when its host goes away.
async fn on_this_host(session: Arc<Session>, job: Job, output: mpsc::Sender<Chunk>) -> i32 {
    let power = session.machine.power.clone();
    power.run_until_cancelled_owned(session.run(job, output)).await.unwrap_or_default()
}

async fn collect_stdin(channel: &mut Channel<Msg>) -> Option<Vec<u8>> {
    let mut stdin = Vec::new();
    loop {
        match channel.wait().await? {
            ChannelMsg::Data { data } if stdin.len() + data.len() <= MOST_STDIN => stdin.extend_from_slice(&data),
            ChannelMsg::Data { .. } | ChannelMsg::Close => return None,
            ChannelMsg::Eof => return Some(stdin),
            _ => {}
        }
    }
}

async fn run(mut channel: Channel<Msg>, handle: &Handle, session: Arc<Session>, job: Job) {
    let (sender, mut chunks) = mpsc::channel(16);
    let keeper = session.reach.as_ref().and_then(|reach| reach.network.keeper.get().cloned());
    if let Some(keeper) = &keeper {
        keeper.about_to_change();
    }
    let running = AbortOnDrop::spawn(on_this_host(session, job, sender));
    let signal = loop {
        tokio::select! {
            chunk = chunks.recv() => {
                let Some(first) = chunk else { break None };
                let more = std::iter::from_fn(|| chunks.try_recv().ok());
                let said: Vec<Chunk> = std::iter::once(first).chain(more).collect();
                // What is printed may tell of what was done: a watcher prints how its script ended.
                if !keep(keeper.as_deref()).await || send(&channel, said).await.is_err() {
                    return running.go_on();
                }
            }
            message = channel.wait() => match message {
                None | Some(ChannelMsg::Close) => return running.go_on(),
                Some(ChannelMsg::Signal { signal }) => break Some(signal),
                Some(_) => {}
            },
        }
    };
    // The client may have closed already; then nobody wants to know.
    match signal {
        None => {
            let code = running.join().await;
            // Otherwise the channel ends without saying how the program ended: that is not known.
            if !keep(keeper.as_deref()).await {
                let _ = channel.close().await;
                return;
            }
            let _ = channel.exit_status(u32::try_from(code).unwrap_or(1)).await;
        }
        Some(signal) => {
            drop(running);
            let _ = handle.exit_signal_request(channel.id(), signal, false, String::new(), String::new()).await;
        }
    }
    let _ = channel.eof().await;
    let _ = channel.close().await;
}

/// True when everything that was done so far is kept, or nothing is to be kept at all.
async fn keep(keeper: Option<&Keeper>) -> bool {
    let Some(keeper) = keeper else { return true };
    let kept = keeper.before_answer(true).await;
    kept.inspect_err(|error| tracing::error!(%error, "a practice host cannot be kept")).is_ok()
}

async fn send(channel: &Channel<Msg>, said: Vec<Chunk>) -> Result<(), russh::Error> {
    for chunk in said {
        match chunk {
            Chunk::Out(bytes) => channel.data_bytes(bytes).await?,
            Chunk::Err(bytes) => channel.extended_data_bytes(STDERR, bytes).await?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::reads_stdin;

    #[test]
    fn who_reads_standard_input_is_waited_for() {
        for command in [
            "sudo -n sh -s",
            "sh -s",
            "/bin/bash",
            "cat > /tmp/x",
            "sudo tee /etc/x",
            "install -m 0600 /dev/stdin /etc/x",
        ] {
            assert!(reads_stdin(command), "{command}");
        }
        for command in
            ["uname -s", "id -un; hostname", "bash -c 'echo x'", "/usr/bin/bash -c true", "sshd -T", "ls category"]
        {
            assert!(!reads_stdin(command), "{command}");
        }
    }
}

//! `setsid`, `timeout`, `/bin/sh` and `kill`: processes that are more than a part of the shell that started them.

use std::sync::Arc;
use std::time::Duration;

use bashkit::{Command, CommandContext, CommandStatus};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::super::processes::Target;
use super::super::program::{Answer, Call};
use super::super::shape::seconds;
use super::super::{AbortOnDrop, Chunk, Job, KILLED, Session};

/// setsid(1): a command in a session and process group of its own, which outlives whoever started it.
pub struct Setsid(pub Arc<Session>);

/// A shell that is a process of its own, in the group of the one that started it.
pub struct Shell {
    pub session: Arc<Session>,
    pub group: u32,
}

/// `timeout SECONDS COMMAND…`: the command is a process of its own, so that the shell that waits for it is not cut off with it.
pub struct Timeout {
    pub session: Arc<Session>,
    pub group: u32,
}

const TIME_IS_UP: i32 = 124;

#[async_trait::async_trait]
impl Command for Timeout {
    async fn execute(&self, context: CommandContext<'_>) -> bashkit::Result<CommandStatus> {
        let (limit, command) = match context.args {
            [limit, command @ ..] if !command.is_empty() => (seconds(limit), command.to_vec()),
            _ => (None, Vec::new()),
        };
        let Some(limit) = limit.map(Duration::from_secs) else {
            context.stderr.write_all(b"timeout: practice knows timeout SECONDS COMMAND only\n").await?;
            return Ok(CommandStatus::with_code(125));
        };
        let job = job(&context, command, Some(self.group)).await?;
        let (sender, chunks) = mpsc::channel(16);
        let running = AbortOnDrop::spawn(self.session.clone().run(job, sender));
        let done = async {
            hand_on(&context, chunks).await?;
            Ok(running.join().await)
        };
        let code = tokio::time::timeout(limit, done).await.unwrap_or(Ok(TIME_IS_UP));
        code.map(CommandStatus::with_code)
    }
}

#[async_trait::async_trait]
impl Command for Setsid {
    async fn execute(&self, context: CommandContext<'_>) -> bashkit::Result<CommandStatus> {
        let mut command = context.args;
        while let [flag, rest @ ..] = command
            && flag.starts_with('-')
        {
            command = rest;
        }
        if command.is_empty() {
            context.stderr.write_all(b"setsid: no command specified\n").await?;
            return Ok(CommandStatus::with_code(1));
        }
        let job = job(&context, command.to_vec(), None).await?;
        let (sender, chunks) = mpsc::channel(16);
        let power = self.0.machine.power.clone();
        let running = tokio::spawn(power.run_until_cancelled_owned(self.0.clone().run(job, sender)));
        hand_on(&context, chunks).await?;
        Ok(CommandStatus::with_code(running.await.ok().flatten().unwrap_or(KILLED)))
    }
}

#[async_trait::async_trait]
impl Command for Shell {
    async fn execute(&self, context: CommandContext<'_>) -> bashkit::Result<CommandStatus> {
        let command = std::iter::once("sh".to_string()).chain(context.args.iter().cloned()).collect();
        let job = job(&context, command, Some(self.group)).await?;
        let (sender, chunks) = mpsc::channel(16);
        let running = AbortOnDrop::spawn(self.session.clone().run(job, sender));
        hand_on(&context, chunks).await?;
        Ok(CommandStatus::with_code(running.join().await))
    }
}

async fn job(context: &CommandContext<'_>, command: Vec<String>, group: Option<u32>) -> bashkit::Result<Job> {
    let mut stdin = Vec::new();
    while let Some(chunk) = context.stdin.read_chunk().await? {
        stdin.extend(chunk);
    }
    Ok(Job {
        script: "\"$@\"".to_string(),
        positional: command,
        stdin,
        environment: context.env.clone(),
        directory: Some(context.cwd.to_path_buf()),
        group,
    })
}

/// What a process writes goes where the shell that started it has sent it, for as long as there is one.
pub async fn hand_on(context: &CommandContext<'_>, mut chunks: mpsc::Receiver<Chunk>) -> bashkit::Result<()> {
    while let Some(chunk) = chunks.recv().await {
        match chunk {
            Chunk::Out(bytes) => context.stdout.write_all(&bytes).await?,
            Chunk::Err(bytes) => context.stderr.write_all(&bytes).await?,
        }
    }
    Ok(())
}

/// kill(1) for the host's processes; jobs of a shell are not among them.
pub fn kill(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let (signal, targets) = match parse(&call.words()) {
            Ok(asked) => asked,
            Err(problem) => return Answer::fail(2, problem),
        };
        let mut err = String::new();
        for word in targets {
            let target = match word.strip_prefix('-') {
                Some(group) => group.parse().map(Target::Group),
                None => word.parse().map(Target::One),
            };
            let done = match target {
                Ok(target) => call.session.machine.processes.signal(target, &call.session.user.name, signal == "0"),
                Err(_) => Err("arguments must be process or job IDs"),
            };
            if let Err(why) = done {
                err += &format!("sh: kill: ({word}) - {why}\n");
            }
        }
        // It may be for the shell that calls it, which must not come to its next command then.
        tokio::time::sleep(Duration::from_millis(1)).await;
        if err.is_empty() { Answer::ok("") } else { Answer::fail(1, err) }
    })
}

/// The signal and whom it is for.
fn parse<'a>(words: &[&'a str]) -> Result<(&'a str, Vec<&'a str>), &'static str> {
    const USAGE: &str =
        "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n";
    let (signal, rest) = match words {
        ["-s" | "-n", signal, rest @ ..] => (*signal, rest),
        [flag, rest @ ..] if flag.len() > 1 && flag.starts_with('-') && *flag != "--" => (&flag[1..], rest),
        rest => ("TERM", rest),
    };
    let targets = if let ["--", rest @ ..] = rest { rest } else { rest };
    if targets.is_empty() { Err(USAGE) } else { Ok((signal, targets.to_vec())) }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_group_is_a_number_below_zero_after_the_signal() {
        assert_eq!(parse(&["-s", "TERM", "--", "-12"]), Ok(("TERM", vec!["-12"])));
        assert_eq!(parse(&["-0", "7", "8"]), Ok(("0", vec!["7", "8"])));
        assert_eq!(parse(&["-KILL", "-7"]), Ok(("KILL", vec!["-7"])));
        assert_eq!(parse(&["7"]), Ok(("TERM", vec!["7"])));
        assert!(parse(&["-9"]).is_err() && parse(&[]).is_err());
    }
}

//! sudo: another user's shell on the same host, if sudoers lets it (sudo(8)).

use std::sync::Arc;

use bashkit::{Command, CommandContext, CommandStatus};
use tokio::sync::mpsc;

use super::super::account::Account;
use super::super::{AbortOnDrop, Job, Session};
use super::identity::is_password;
use super::process::hand_on;

/// The `sudo` of one session.
pub struct Sudo {
    pub session: Arc<Session>,
    /// The process group of the shell that it is in.
    pub group: u32,
}

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    user: Option<String>,
    login: bool,
    shell: bool,
    keep_environment: bool,
    only_check: bool,
    list: bool,
    /// `-n`: never ask.
    never_asks: bool,
    /// `-S`: the password is on standard input.
    reads_password: bool,
    environment: Vec<(String, String)>,
    command: Vec<String>,
}

const SECURE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[async_trait::async_trait]
impl Command for Sudo {
    async fn execute(&self, context: CommandContext<'_>) -> bashkit::Result<CommandStatus> {
        let asked = match parse(context.args) {
            Ok(asked) => asked,
            Err(problem) => return fail(&context, &problem).await,
        };
        let mut stdin = Vec::new();
        match self.allowed().await {
            Allowed::Freely => {}
            _ if asked.never_asks || !asked.reads_password => {
                return fail(&context, "sudo: a password is required\n").await;
            }
            Allowed::WithPassword => {
                stdin = read_all(&context).await?;
                if let Err(said) = self.login(&mut stdin).await {
                    return fail(&context, &said).await;
                }
            }
        }
        if asked.only_check || asked.list {
            let said = if asked.list {
                format!("User {} may run (ALL) NOPASSWD: ALL\n", self.session.user.name)
            } else {
                String::new()
            };
            context.stdout.write_all(said.as_bytes()).await?;
            return Ok(CommandStatus::success());
        }
        let name = asked.user.clone().unwrap_or_else(|| "root".to_string());
        let target = name.strip_prefix('#').unwrap_or(&name);
        let Some(user) = Account::find(&self.session.machine.disk, target).await else {
            return fail(
                &context,
                &format!("sudo: unknown user {name}\nsudo: error initializing audit plugin sudoers_audit\n"),
            )
            .await;
        };
        if asked.command.is_empty() && !asked.login && !asked.shell {
            return fail(&context, USAGE).await;
        }
        stdin.extend(read_all(&context).await?);
        let job = self.job(&context, asked, &user, stdin);
        relay(&context, self.session.become_user(user), job).await
    }
}

impl Sudo {
    /// root may; so may whom a file of sudoers.d names with NOPASSWD, itself or by a group. Everybody else is asked.
    async fn allowed(&self) -> Allowed {
        let user = &self.session.user;
        if user.is_root() {
            return Allowed::Freely;
        }
        let disk = &self.session.machine.disk;
        for file in disk.names("/etc/sudoers.d").await {
            let text = disk.text(format!("/etc/sudoers.d/{file}")).await.unwrap_or_default();
            let mut names =
                text.lines().filter(|line| line.contains("NOPASSWD")).filter_map(|line| line.split_whitespace().next());
            if names.any(|name| {
                name == user.name || name.strip_prefix('%').is_some_and(|g| user.groups.iter().any(|own| own == g))
            }) {
                return Allowed::Freely;
            }
        }
        Allowed::WithPassword
    }

    /// Takes the password off standard input, line by line, three times at most.
    async fn login(&self, stdin: &mut Vec<u8>) -> Result<(), String> {
        let mut said = String::new();
        for tries in 0..3 {
            let end = stdin.iter().position(|byte| *byte == b'\n');
            let Some(end) = end else {
                let wrong =
                    if tries == 0 { String::new() } else { format!("sudo: {tries} incorrect password attempt\n") };
                return Err(format!("{said}sudo: no password was provided\n{wrong}"));
            };
            let line: Vec<u8> = stdin.drain(..=end).collect();
            let given = String::from_utf8_lossy(&line[..end]).into_owned();
            if is_password(&self.session.machine.disk, &self.session.user.name, &given).await {
                return Ok(());
            }
            if tries < 2 {
                said += "Sorry, try again.\n";
            }
        }
        Err(format!("{said}sudo: 3 incorrect password attempts\n"))
    }

    fn job(&self, context: &CommandContext<'_>, asked: Asked, user: &Account, stdin: Vec<u8>) -> Job {
        let mut environment =
            if asked.keep_environment { context.env.clone() } else { std::collections::HashMap::new() };
        let caller = &self.session.user;
        let fixed = [
            ("HOME", user.home.clone()),
            ("USER", user.name.clone()),
            ("LOGNAME", user.name.clone()),
            ("PATH", SECURE_PATH.to_string()),
            ("SUDO_USER", caller.name.clone()),
            ("SUDO_UID", caller.uid.to_string()),
            ("SUDO_GID", caller.gid.to_string()),
        ];
        environment.extend(fixed.map(|(name, value)| (name.to_string(), value)));
        environment.extend(
            ["LANG", "LC_ALL", "TERM"]
                .iter()
                .filter_map(|name| Some(((*name).to_string(), context.env.get(*name)?.clone()))),
        );
        environment.extend(asked.environment);
        let directory = if asked.login { std::path::PathBuf::from(&user.home) } else { context.cwd.to_path_buf() };
        let script = if asked.command.is_empty() { "bash -s" } else { "\"$@\"" };
        Job {
            script: script.to_string(),
            positional: asked.command,
            stdin,
            environment,
            directory: Some(directory),
            group: Some(self.group),
        }
    }
}

/// Does sudo let the user, and does it ask first?
enum Allowed {
    Freely,
    WithPassword,
}

async fn read_all(context: &CommandContext<'_>) -> bashkit::Result<Vec<u8>> {
    let mut read = Vec::new();
    while let Some(chunk) = context.stdin.read_chunk().await? {
        read.extend(chunk);
    }
    Ok(read)
}

/// Runs the job in a task of its own, so that shells within shells do not share one stack.
async fn relay(context: &CommandContext<'_>, session: Arc<Session>, job: Job) -> bashkit::Result<CommandStatus> {
    let (sender, chunks) = mpsc::channel(16);
    let running = AbortOnDrop::spawn(session.run(job, sender));
    hand_on(context, chunks).await?;
    Ok(CommandStatus::with_code(running.join().await))
}

const USAGE: &str =
    "usage: sudo -h | -K | -k | -V\nusage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]\n";

async fn fail(context: &CommandContext<'_>, said: &str) -> bashkit::Result<CommandStatus> {
    context.stderr.write_all(said.as_bytes()).await?;
    Ok(CommandStatus::with_code(1))
}

fn parse(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked::default();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let mut value =
            |name: &str| rest.next().cloned().ok_or(format!("sudo: option requires an argument -- '{name}'\n{USAGE}"));
        match word.as_str() {
            "--" => break,
            "-u" | "--user" => asked.user = Some(value("u")?),
            "-g" | "-p" | "-C" | "-T" => drop(value("g")?),
            "--login" => asked.login = true,
            "--shell" => asked.shell = true,
            "--non-interactive" => asked.never_asks = true,
            "--stdin" => asked.reads_password = true,
            "--set-home" => {}
            "--preserve-env" => asked.keep_environment = true,
            "--list" => asked.list = true,
            "--validate" => asked.only_check = true,
            word if word.starts_with("--user=") => asked.user = word.strip_prefix("--user=").map(str::to_string),
            word if word.starts_with("--preserve-env=") => {}
            word if word.starts_with('-') && word.len() > 1 => flags(&word[1..], &mut asked)?,
            word if word.contains('=') && !word.starts_with('=') => {
                asked
                    .environment
                    .extend(word.split_once('=').map(|(name, value)| (name.to_string(), value.to_string())));
            }
            word => {
                asked.command.push(word.to_string());
                break;
            }
        }
    }
    asked.command.extend(rest.cloned());
    Ok(asked)
}

fn flags(letters: &str, asked: &mut Asked) -> Result<(), String> {
    for (at, letter) in letters.char_indices() {
        match letter {
            'H' | 'k' | 'b' | 'A' => {}
            'n' => asked.never_asks = true,
            'S' => asked.reads_password = true,
            'E' => asked.keep_environment = true,
            'i' => asked.login = true,
            's' => asked.shell = true,
            'v' => asked.only_check = true,
            'l' => asked.list = true,
            'u' => {
                asked.user = Some(letters[at + 1..].to_string());
                return Ok(());
            }
            other => return Err(format!("sudo: invalid option -- '{other}'\n{USAGE}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Asked {
        parse(&line.split_whitespace().map(str::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn options_end_where_the_command_begins() {
        let asked = parsed("-n -u deploy LANG=C sh -s -u x");
        assert_eq!(asked.user.as_deref(), Some("deploy"));
        assert_eq!(asked.command, ["sh", "-s", "-u", "x"]);
        assert_eq!(asked.environment, [("LANG".to_string(), "C".to_string())]);
        assert_eq!(parsed("-nH -- -odd").command, ["-odd"]);
        assert!(parse(&["-Z".to_string()]).is_err());
    }
}

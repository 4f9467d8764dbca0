//! The shell of a virtual host: bashkit on the host's disk, with the host's own programs beside bashkit's.

pub mod account;
mod authorized_keys;
pub mod chrony;
pub mod clock;
pub mod commands;
mod dev_tcp;
pub mod disk;
mod exec;
pub mod firewall;
pub mod image;
pub mod machine;
pub mod postfix;
pub mod power;
mod proc_fs;
pub mod processes;
pub mod program;
pub mod resolver;
mod shape;
pub mod smtp;
pub mod sshd;
pub mod sshd_config;
mod sshd_keywords;
pub mod systemd;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bashkit::{Bash, BuiltinRegistry, ExecOptions, ExecutionLimits, SessionLimits};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use self::account::Account;
use self::disk::UserView;
use self::machine::Machine;
use self::processes::Running;
use self::program::{Answer, Installed};
use super::net::Reach;

/// One user at work on one host.
pub struct Session {
    pub machine: Arc<Machine>,
    pub user: Account,
    /// How programs of this session reach other hosts. A timer has none: no cloud stands behind it.
    pub reach: Option<Reach>,
    /// The programs of packages, which can come while a script runs.
    optional: BuiltinRegistry,
}

/// What a session is to run.
#[derive(Debug, Clone, Default)]
pub struct Job {
    pub script: String,
    /// `$1` and on.
    pub positional: Vec<String>,
    pub stdin: Vec<u8>,
    /// Beside what a login sets.
    pub environment: HashMap<String, String>,
    /// Where it starts; the home directory if none is given.
    pub directory: Option<std::path::PathBuf>,
    /// The process group it belongs to; one of its own if none is given.
    pub group: Option<u32>,
}

/// A piece of output, as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

/// A real host sets no limit; a day keeps a forgotten `sleep infinity` from staying for ever.
const LONGEST_JOB: Duration = Duration::from_secs(86_400);
/// A real host sets no limit here either; this one keeps a runaway script from filling the disk of the journal.
const MOST_OUTPUT: usize = 1 << 30;
const SYNTAX_ERROR: i32 = 2;
/// The exit code of a process that a signal ended.
const KILLED: i32 = 137;

impl Session {
    pub fn new(machine: Arc<Machine>, user: Account, reach: Option<Reach>) -> Arc<Self> {
        Arc::new(Self { machine, user, reach, optional: BuiltinRegistry::new() })
    }

    /// root, with no way to other hosts.
    pub fn root(machine: Arc<Machine>) -> Arc<Self> {
        Self::new(machine, Account::root(), None)
    }

    /// The same place as another user.
    pub fn become_user(&self, user: Account) -> Arc<Self> {
        Self::new(self.machine.clone(), user, self.reach.clone())
    }

    /// Runs a job as a process and sends its output as it comes. Returns its exit code.
    pub fn run(self: Arc<Self>, job: Job, output: mpsc::Sender<Chunk>) -> BoxFuture<'static, i32> {
        let process = self.machine.processes.begin(job.group, &self.user.name, self.machine.clock.now());
        Box::pin(async move {
            let mut bash = self.shell(&job, &process);
            let options = ExecOptions::new().positional(job.positional).stdin(job.stdin);
            let (out, err) = (output.clone(), output.clone());
            let running = bash
                .execute(&job.script)
                .options(options)
                .stdout_fn(move |bytes| send(out.clone(), Chunk::Out(bytes)))
                .stderr_fn(move |bytes| send(err.clone(), Chunk::Err(bytes)));
            let done = tokio::select! {
                // A signal to the whole group: no shell of it goes on because the one that it waited for has ended first.
                biased;
                () = process.end.cancelled() => return KILLED,
                done = running => done,
            };
            match done {
                Ok(result) => result.exit_code & 0xff,
                Err(bashkit::Error::Cancelled) => KILLED,
                Err(error) => {
                    let said = format!("bash: {error}\n").into_bytes();
                    // Nobody may be left to read it.
                    let _ = output.send(Chunk::Err(said)).await;
                    SYNTAX_ERROR
                }
            }
        })
    }

    /// Runs a job in a task of its own and collects what it prints.
    pub async fn output(self: Arc<Self>, job: Job) -> Answer {
        let (sender, mut chunks) = mpsc::channel(16);
        let running = AbortOnDrop::spawn(self.run(job, sender));
        let mut answer = Answer::default();
        while let Some(chunk) = chunks.recv().await {
            match chunk {
                Chunk::Out(bytes) => answer.out += &String::from_utf8_lossy(&bytes),
                Chunk::Err(bytes) => answer.err += &String::from_utf8_lossy(&bytes),
            }
        }
        answer.code = running.join().await;
        answer
    }

    fn shell(self: &Arc<Self>, job: &Job, process: &Running) -> Bash {
        let user = &self.user;
        let hostname = self.machine.hostname();
        let home = std::path::PathBuf::from(&user.home);
        let mut builder = Bash::builder()
            .fs(Arc::new(UserView::new(self.machine.disk.clone(), user.clone())))
            .username(&user.name)
            .hostname(hostname)
            .cwd(job.directory.clone().unwrap_or(home))
            .env("HOME", &user.home)
            .env("LOGNAME", &user.name)
            .env("SHELL", &user.shell)
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .limits(
                ExecutionLimits::cli().timeout(LONGEST_JOB).max_stdout_bytes(MOST_OUTPUT).max_stderr_bytes(MOST_OUTPUT),
            )
            .session_limits(SessionLimits::unlimited());
        for (name, value) in &job.environment {
            builder = builder.env(name, value);
        }
        for program in commands::always() {
            builder =
                builder.builtin(program.name, Box::new(Installed { program: *program, session: Arc::downgrade(self) }));
        }
        self.learn();
        let (session, group) = (self.clone(), process.group);
        let builder = builder
            .command("sudo", commands::sudo::Sudo { session: session.clone(), group })
            .command("setsid", commands::process::Setsid(session.clone()))
            .command("timeout", commands::process::Timeout { session: session.clone(), group })
            .command("/bin/sh", commands::process::Shell { session, group });
        let bash = builder.builtin_registry(self.optional.clone()).build();
        // Only a path that is taken could fail, and nothing else is mounted.
        let _ = bash.mount("/dev/tcp", dev_tcp::of(self));
        let _ = bash.mount("/proc", proc_fs::of(self, process.number));
        bash
    }

    /// Makes the programs of installed packages known to the running shell.
    pub fn learn(self: &Arc<Self>) {
        for program in commands::optional() {
            let installed = program.package.is_none_or(|package| self.machine.installed(package));
            if installed && self.optional.lookup(program.name).is_none() {
                let here = Installed { program: *program, session: Arc::downgrade(self) };
                self.optional.insert(program.name, Arc::new(here));
            }
        }
    }
}

async fn send(to: mpsc::Sender<Chunk>, chunk: Chunk) -> bashkit::Result<()> {
    to.send(chunk).await.map_err(|_| bashkit::Error::Cancelled)
}

/// A job that does not outlive whoever waits for it, unless it is told to go on.
pub struct AbortOnDrop(Option<tokio::task::JoinHandle<i32>>);

impl AbortOnDrop {
    pub fn spawn(work: impl Future<Output = i32> + Send + 'static) -> Self {
        Self(Some(tokio::spawn(work)))
    }

    /// The exit code; that of a killed process if the job did not come to its end.
    pub async fn join(mut self) -> i32 {
        match self.0.as_mut() {
            Some(task) => task.await.unwrap_or(KILLED),
            None => KILLED,
        }
    }

    /// Lets the job go on by itself.
    pub fn go_on(mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

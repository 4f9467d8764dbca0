//! What a program of a virtual host is: what it is given, and what it answers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use bashkit::{Builtin, BuiltinContext, ExecResult};
use futures_util::future::BoxFuture;

use super::Session;
use super::disk::UserView;

/// What the shell hands a program.
pub struct Call {
    pub session: Arc<Session>,
    pub arguments: Vec<String>,
    pub stdin: Vec<u8>,
    pub directory: PathBuf,
}

/// What a program prints and how it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub out: String,
    pub err: String,
    pub code: i32,
}

impl Answer {
    pub fn ok(out: impl Into<String>) -> Self {
        Self { out: out.into(), ..Self::default() }
    }

    pub fn fail(code: i32, err: impl Into<String>) -> Self {
        Self { err: err.into(), code, ..Self::default() }
    }

    /// An exit code and nothing to say.
    pub fn code(code: i32) -> Self {
        Self { code, ..Self::default() }
    }
}

impl Call {
    /// The arguments as `&str`, for matching.
    pub fn words(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }

    /// A path as the program means it: relative to where it was started.
    pub fn path(&self, path: &str) -> PathBuf {
        let joined = self.directory.join(path);
        let mut normal = PathBuf::from("/");
        for part in joined.components() {
            match part {
                std::path::Component::Normal(name) => normal.push(name),
                std::path::Component::ParentDir => {
                    normal.pop();
                }
                _ => {}
            }
        }
        normal
    }

    /// The files as this program's user may touch them.
    pub fn files(&self) -> UserView {
        UserView::new(self.session.machine.disk.clone(), self.session.user.clone())
    }

    /// Reads a file with this user's rights; `/dev/stdin` and `-` are standard input.
    pub async fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        use bashkit::FileSystem;
        if path == "/dev/stdin" || path == "-" {
            return Ok(self.stdin.clone());
        }
        self.files().read_file(&self.path(path)).await.map_err(|error| reason(&error))
    }

    pub fn is_root(&self) -> bool {
        self.session.user.is_root()
    }

    pub fn exists(&self, path: &Path) -> BoxFuture<'_, bool> {
        let path = path.to_path_buf();
        Box::pin(async move {
            use bashkit::FileSystem;
            self.session.machine.disk.raw().exists(&path).await.unwrap_or(false)
        })
    }
}

/// An error as programs print it, as strerror(3) would.
pub fn reason(error: &bashkit::Error) -> String {
    use std::io::ErrorKind;
    let bashkit::Error::Io(io) = error else { return error.to_string() };
    match io.kind() {
        ErrorKind::NotFound => "No such file or directory".to_string(),
        ErrorKind::AlreadyExists => "File exists".to_string(),
        ErrorKind::IsADirectory => "Is a directory".to_string(),
        ErrorKind::NotADirectory => "Not a directory".to_string(),
        _ => io.to_string(),
    }
}

/// The code of a program.
pub type Run = fn(Call) -> BoxFuture<'static, Answer>;

/// A program that the shell can start.
#[derive(Clone, Copy)]
pub struct Program {
    pub name: &'static str,
    /// The package that brings it; nothing if every image has it.
    pub package: Option<&'static str>,
    pub run: Run,
}

/// Ties a program to the session that may start it. The session owns its programs, so they only know it while it lives.
pub struct Installed {
    pub program: Program,
    pub session: Weak<Session>,
}

const NOT_FOUND: i32 = 127;

#[async_trait::async_trait]
impl Builtin for Installed {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = self.session.upgrade() else { return Ok(ExecResult::err("", NOT_FOUND)) };
        let call = Call {
            session,
            arguments: context.args.to_vec(),
            stdin: context.stdin_bytes().unwrap_or_default().to_vec(),
            directory: context.cwd.clone(),
        };
        let answer = (self.program.run)(call).await;
        Ok(ExecResult {
            stdout: answer.out.into(),
            stderr: answer.err.into(),
            exit_code: answer.code,
            ..ExecResult::default()
        })
    }
}

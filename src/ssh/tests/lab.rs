//! Real sshd processes on loopback ports, each with a host key, users and settings of its own.
//!
//! As root, each runs in a mount namespace with its own /etc/passwd, so that there are real users and a real sudo and
//! nothing of the machine changes. Otherwise everybody is the current user, and tests that need more say that they
//! are skipped.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, HashAlg, PrivateKey};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ssh::dial::Tcp;
use crate::ssh::{Chunk, Exit, Extra, Hop, Identity, Pool, Route, Script, Settings, SshError, Stream};

const SSHD: &str = "/usr/sbin/sshd";

/// Users inside a namespace: an engineer of the bastion, one who may use sudo, one who would need a password.
const USERS: [(&str, u32); 3] = [("jump", 4301), ("deploy", 4302), ("meek", 4303)];

/// crypt(3) of `onramp-lab-meek`, with which `meek` may use sudo.
const MEEK: &str =
    "$6$onramplab$YQX3Dy9A3L.oGUUc41SHZUqt6wB6hCZ6baBNV2LpoTPC3JnqaKriORnQfAcS9o612HzgPmna/OqWC5pqz67Tk/";

/// Of everybody in a namespace, where passwords are allowed.
pub(super) const PASSWORD: &str = "correct horse";
const PASSWORD_HASH: &str =
    "$6$onramptest$WiaIOmS5Z/InXyJLmtbNignPMwEYi4NV91I8bgkJ3oBdg0vJ5SMSJB9nFyeWeXfY3hAolrTWVw7vrfi6Wo3V20";

/// One running sshd.
pub(super) struct Server {
    pub(super) dir: TempDir,
    pub(super) port: u16,
    pub(super) host_key: PrivateKey,
    child: Child,
    settings: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// True when there is no sshd to test with. Says so loudly.
pub(super) fn no_sshd() -> bool {
    let missing = !Path::new(SSHD).exists();
    if missing {
        eprintln!("SKIPPED: no sshd (install openssh-server to run this test)");
    }
    missing
}

/// True when there can be no users of our own. Says so loudly.
pub(super) fn no_users() -> bool {
    if no_sshd() {
        return true;
    }
    let missing = !own_users();
    if missing {
        eprintln!("SKIPPED: this test needs root, unshare and sudo for users of its own");
    }
    missing
}

fn own_users() -> bool {
    let works = |command: &mut Command| command.stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    Path::new("/usr/bin/sudo").exists()
        && works(Command::new("unshare").args(["--mount", "sh", "-c", "mount --bind /etc/passwd /etc/passwd"]))
}

/// The name of `user` on a server of this lab.
pub(super) fn account(user: &str) -> String {
    if own_users() { user.to_owned() } else { run_tool("id", &["-un"]) }
}

/// A tool's first line of output.
pub(super) fn run_tool(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).stdin(Stdio::null()).output().expect(tool);
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}

pub(super) fn new_key() -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).expect("a key")
}

pub(super) fn fingerprint(key: &PrivateKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The public half as a line.
pub(super) fn public_line(key: &PrivateKey) -> String {
    key.public_key().to_openssh().expect("a public key")
}

/// Writes a file with a mode.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> PathBuf {
    fs::write(path, text).expect("a written file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    path.to_owned()
}

pub(super) fn write_key(path: &Path, key: &PrivateKey) -> PathBuf {
    write(path, &key.to_openssh(LineEnding::LF).expect("a private key"), 0o600)
}

impl Server {
    /// Starts an sshd that lets in everybody who has one of `keys`. `settings` are lines of sshd_config.
    pub(super) async fn start(keys: &[&PrivateKey], settings: &str) -> Self {
        Self::start_in(new_dir(), keys, settings).await
    }

    /// Starts an sshd that asks through PAM: `asks` are three words each, as `pam_asks.c` says. Needs users of our own.
    pub(super) async fn start_asking(keys: &[&PrivateKey], settings: &str, asks: &str) -> Self {
        let dir = new_dir();
        let module = dir.path().join("pam_asks.so").display().to_string();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ssh/tests/pam_asks.c");
        run_tool("cc", &["-shared", "-fPIC", "-o", &module, source]);
        let stack =
            format!("auth required {module} {asks}\naccount required pam_permit.so\nsession required pam_permit.so\n");
        write(&dir.path().join("pam"), &stack, 0o644);
        let settings = format!("{settings}\nUsePAM yes\nKbdInteractiveAuthentication yes");
        Self::start_in(dir, keys, &settings).await
    }

    async fn start_in(dir: TempDir, keys: &[&PrivateKey], settings: &str) -> Self {
        let host_key = new_key();
        write_key(&dir.path().join("host_key"), &host_key);
        let lines: Vec<String> = keys.iter().map(|key| public_line(key)).collect();
        write(&dir.path().join("authorized_keys"), &lines.join("\n"), 0o644);
        let port = free_port();
        let child = launch(dir.path(), port, settings);
        let server = Self { dir, port, host_key, child, settings: settings.to_owned() };
        server.wait_until_up().await;
        server
    }

    async fn wait_until_up(&self) {
        let started = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "sshd did not start:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its power goes, and with it everything that runs there; then it is up again, with the same keys.
    pub(super) async fn restart(&mut self) {
        let running = below(self.process());
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        kill(&running);
        self.child = launch(self.dir.path(), self.port, &self.settings);
        self.wait_until_up().await;
    }

    /// The number of its process, whose children serve the connections.
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// How many logins this server has accepted.
    pub(super) fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    /// A hop to this server with its key pinned.
    pub(super) fn hop(&self, name: &str, user: &str, key: &PrivateKey) -> Hop {
        Hop { pins: vec![fingerprint(&self.host_key)], ..self.stranger(name, user, key) }
    }

    /// A hop to this server of whose key nothing is known.
    pub(super) fn stranger(&self, name: &str, user: &str, key: &PrivateKey) -> Hop {
        Hop {
            name: name.to_owned(),
            address: "127.0.0.1".to_owned(),
            port: self.port,
            user: account(user),
            identity: Identity::Key(Arc::new(key.clone())),
            pins: Vec::new(),
            extra: Extra::default(),
        }
    }

    /// What known_hosts says about this server, with `key`.
    pub(super) fn known_as(&self, key: &PrivateKey) -> String {
        format!("[127.0.0.1]:{} {}\n", self.port, public_line(key))
    }
}

fn new_dir() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    dir
}

/// True when there is no compiler for the PAM module, or there can be no users of our own. Says so loudly.
pub(super) fn no_pam() -> bool {
    let missing = !Command::new("cc").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    if missing {
        eprintln!("SKIPPED: no cc (install a C compiler to run this test)");
    }
    missing || no_users()
}

fn launch(dir: &Path, port: u16, settings: &str) -> Child {
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {d}/host_key\nAuthorizedKeysFile {d}/authorized_keys\n\
         {settings}\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nLogLevel VERBOSE\n",
        d = dir.display()
    );
    write(&dir.join("config"), &config, 0o644);
    let sshd = format!("exec {SSHD} -D -f {d}/config -E {d}/log", d = dir.display());
    let mut command = Command::new("unshare");
    if own_users() {
        command.args(["--mount", "sh", "-c", &format!("{}mkdir -p /run/sshd; {sshd}", own_accounts(dir))]);
    } else {
        command = Command::new("sh");
        command.args(["-c", &sshd]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sshd")
}

/// Shell lines that give a namespace its own accounts.
fn own_accounts(dir: &Path) -> String {
    let (mut passwd, mut shadow, mut group) = (String::new(), String::new(), String::new());
    passwd += &fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    shadow += &fs::read_to_string("/etc/shadow").expect("/etc/shadow");
    group += &fs::read_to_string("/etc/group").expect("/etc/group");
    for (name, id) in USERS {
        passwd += &format!("{name}:x:{id}:{id}::/:/bin/sh\n");
        let hash = if name == "meek" { MEEK } else { PASSWORD_HASH };
        shadow += &format!("{name}:{hash}:19000:0:99999:7:::\n");
        group += &format!("{name}:x:{id}:\n");
    }
    let sudoers = "Defaults use_pty, logfile=/var/lib/sudo.log\nroot ALL=(ALL:ALL) ALL\ndeploy ALL=(ALL) NOPASSWD: ALL\nmeek ALL=(ALL) ALL\n";
    let mut lines = String::new();
    let files = [
        ("passwd", passwd.as_str(), 0o644),
        ("shadow", &shadow, 0o600),
        ("group", &group, 0o644),
        ("sudoers", sudoers, 0o440),
    ];
    for (file, text, mode) in files {
        let path = write(&dir.join(file), text, mode);
        lines += &format!("mount --bind {} /etc/{file}\n", path.display());
    }
    let pam = dir.join("pam");
    if pam.exists() {
        lines += &format!("mount --bind {} /etc/pam.d/sshd\n", pam.display());
    }
    // Claims of detached scripts are this host's own.
    format!("set -e\n{lines}mount -t tmpfs claims /var/lib\nmount -t tmpfs -o mode=1777 claims /var/tmp\n")
}

/// Numbers of all processes below this one.
pub(super) fn below(process: u32) -> Vec<u32> {
    let listed = Command::new("pgrep").args(["-P", &process.to_string()]).output().expect("pgrep").stdout;
    let children: Vec<u32> = String::from_utf8_lossy(&listed).lines().map(|line| line.parse().unwrap()).collect();
    children.iter().flat_map(|child| [vec![*child], below(*child)].concat()).collect()
}

/// Kills these processes, as far as they are there.
pub(super) fn kill(processes: &[u32]) {
    let numbers = processes.iter().map(u32::to_string);
    Command::new("kill").arg("-KILL").args(numbers).stderr(Stdio::null()).status().expect("kill");
}

/// A port that nobody listens on.
pub(super) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A pool, its settings, and the folder of its known_hosts file.
pub(super) struct OurPool {
    pool: Pool,
    pub(super) settings: Settings,
    pub(super) dir: TempDir,
}

impl std::ops::Deref for OurPool {
    type Target = Pool;

    fn deref(&self) -> &Pool {
        &self.pool
    }
}

/// New keys in this folder, in files of these names.
pub(super) fn make_keys(folder: &Path, names: &[&str]) {
    for name in names {
        run_tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &folder.join(name).display().to_string()]);
    }
}

/// A pool that reads one known_hosts file with this text and has short limits.
pub(super) fn pool(known_hosts: &str) -> OurPool {
    let dir = tempfile::tempdir().expect("a folder");
    let file = write(&dir.path().join("known_hosts"), known_hosts, 0o600);
    let mut settings = Settings::new(Arc::new(Tcp), vec![file], None);
    settings.limits.connect = Duration::from_secs(3);
    settings.limits.banner = Duration::from_secs(3);
    settings.limits.ping = Duration::from_secs(2);
    // A machine that has much else to do starts shells slowly.
    settings.limits.silence = Duration::from_secs(20);
    OurPool { pool: Pool::new(settings.clone()), settings, dir }
}

pub(super) fn route(hops: &[Hop]) -> Route {
    Route { hops: hops.to_vec(), ..Route::default() }
}

pub(super) fn script(text: &str) -> Script {
    Script { text: text.to_owned(), sudo: false, limit: Duration::from_secs(30), stdin_after: None }
}

/// How a script ended and what it wrote.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) exit: Exit,
    pub(super) out: String,
    pub(super) err: String,
}

pub(super) async fn run(pool: &Pool, hops: &[Hop], text: &str) -> Result<Ran, SshError> {
    run_script(pool, hops, &script(text)).await
}

pub(super) async fn run_script(pool: &Pool, hops: &[Hop], script: &Script) -> Result<Ran, SshError> {
    let (sink, mut output) = mpsc::channel::<Chunk>(16);
    let collect = async {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        while let Some(chunk) = output.recv().await {
            match chunk.stream {
                Stream::Out => out.extend(chunk.bytes),
                Stream::Err => err.extend(chunk.bytes),
            }
        }
        (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
    };
    let (route, cancel) = (route(hops), CancellationToken::new());
    let work = async {
        let exit = pool.run(&route, script, &sink, &cancel).await;
        drop(sink);
        exit
    };
    let (exit, (out, err)) = tokio::join!(work, collect);
    Ok(Ran { exit: exit?, out, err })
}

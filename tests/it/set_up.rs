//! The engineer's own SSH set-up, through the real binary to real sshd: their bastion leads to a host of the runbook.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::stage::Stage;

const SSHD: &str = "/usr/sbin/sshd";

/// One sshd on a port of its own, for whoever runs the tests.
struct Sshd {
    child: Child,
    port: u16,
    known: String,
    log: PathBuf,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tool(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(name).args(arguments).stdin(Stdio::null()).output().expect(name);
    assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Sshd {
    fn start(dir: &Path, authorized: &str) -> Sshd {
        std::fs::create_dir_all(dir).expect("a folder");
        let at = |name: &str| dir.join(name).display().to_string();
        tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &at("host_key")]);
        std::fs::write(at("authorized_keys"), authorized).expect("a file");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n",
            at("host_key"),
            at("authorized_keys")
        );
        std::fs::write(at("config"), config).expect("a file");
        // Where root runs it, sshd wants this folder.
        let _ = std::fs::create_dir_all("/run/sshd");
        let run = ["-D", "-f", &at("config"), "-E", &at("log")];
        let child = Command::new(SSHD).args(run).stdin(Stdio::null()).spawn().expect("sshd");
        let public = std::fs::read_to_string(at("host_key.pub")).expect("a key");
        let known = format!("[127.0.0.1]:{port} {public}");
        let sshd = Sshd { child, port, known, log: dir.join("log") };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "sshd does not start:\n{}", sshd.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// A jump host and a host behind it, and a set-up that says so.
struct Scene {
    stage: Stage,
    jump: Sshd,
    app: Sshd,
}

fn scene() -> Option<Scene> {
    if !Path::new(SSHD).exists() {
        eprintln!("SKIPPED: no sshd (install openssh-server to run this test)");
        return None;
    }
    let stage = Stage::new();
    let key = stage.home().join("key").display().to_string();
    tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key]);
    let public = std::fs::read_to_string(format!("{key}.pub")).unwrap();
    let jump = Sshd::start(&stage.home().join("jump"), &public);
    let app = Sshd::start(&stage.home().join("app"), &public);
    let known = stage.file("known", &format!("{}{}", jump.known, app.known));
    let included = stage
        .file("more.conf", &format!("Host acme-jump\n HostName 127.0.0.1\n Port {}\n IdentityFile {key}\n", jump.port));
    let config = format!(
        "Include {}\nHost acme-app\n HostName 127.0.0.1\n Port {}\n IdentityFile {key}\n ProxyJump acme-jump\n \
         StrictHostKeyChecking no\n Ciphers aes256-gcm@openssh.com\nHost *\n UserKnownHostsFile {}\n User {}\n",
        included.display(),
        app.port,
        known.display(),
        tool("id", &["-un"]),
    );
    let config = stage.file("ssh_config", &config);
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    let stage = stage.with("ONRAMP_SSH_CONFIG", config.to_str().unwrap());
    Some(Scene { stage, jump, app })
}

#[test]
fn a_step_runs_behind_the_engineers_own_bastion() {
    let Some(Scene { stage, jump, app }) = scene() else { return };
    // An alias is enough: who logs in, where and with what is set.
    let runbook = "runbook: far\ntitle: Far\nphase: far\nhosts:\n  - {name: app-1, address: acme-app}\nsteps:\n  - id: look\n    \
                   title: Looks\n    host: app-1\n    sudo: false\n    no_undo: It only looks.\n    shell: {run: echo here-I-am}\n";
    let file = stage.file("far.yaml", runbook);
    stage.run(&["new", "far", "--runbook", file.to_str().unwrap()]).expect(0);
    let answer = stage.run(&["run", "far", "--yes", "--format", "jsonl"]).expect(0);
    assert!(answer.out.contains("here-I-am"), "{}", answer.out);
    for sshd in [&jump, &app] {
        assert!(sshd.log().contains("Accepted publickey"), "{}", sshd.log());
    }
}

#[test]
fn the_doctor_tries_the_way_and_says_every_hop() {
    let Some(Scene { stage, jump, app }) = scene() else { return };
    let answer = stage.run(&["doctor", "acme-app"]);
    answer.says("logged in");
    answer.says(&format!("@127.0.0.1:{})", jump.port));
    answer.says(&format!("@127.0.0.1:{})", app.port));
    answer.says("acme-jump of your ssh config");
    answer.says("ciphers is not honoured");
    answer.says("verified all the same");
    drop(jump);
    let answer = stage.run(&["doctor", "acme-app"]);
    answer.says("wrong  way");
    answer.says("acme-jump of your ssh config (127.0.0.1");
    answer.says("connect: Connection refused");
}

#[test]
fn a_mistake_in_the_set_up_is_told_in_the_words_of_ssh() {
    let Some(Scene { stage, .. }) = scene() else { return };
    let config = stage.file("broken", "Host acme-app\n Prot 22\n");
    let stage = stage.with("ONRAMP_SSH_CONFIG", config.to_str().unwrap());
    let answer = stage.run(&["doctor", "acme-app"]);
    answer.says("line 2");
    answer.says("prot");
}

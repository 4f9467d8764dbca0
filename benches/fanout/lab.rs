//! Real sshd: one bastion, and a few processes that answer for all hosts.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::measure::sweep_all;

const SSHD: &str = "/usr/sbin/sshd";
/// Each of these processes stands for a share of the hosts, which on their own machines would each have their own.
const PROCESSES: usize = 4;
const BASTION: u16 = 2200;
const FIRST: u16 = 2300;

/// What the servers allow.
#[derive(Debug, Clone, Copy)]
pub enum Limits {
    /// As many unauthenticated connections as come: one process stands for hundreds of hosts.
    Raised,
    /// MaxStartups 10:30:100 and MaxSessions 10, as sshd comes, also where one process stands for hundreds of hosts.
    Defaults,
    /// Two unauthenticated connections at a time, and no third.
    Tight,
}

impl Limits {
    fn lines(self) -> &'static str {
        match self {
            Limits::Raised => "MaxStartups 5000:30:6000\nMaxSessions 100\n",
            Limits::Defaults => "",
            Limits::Tight => "MaxStartups 2:100:2\n",
        }
    }
}

/// One host of the bench.
pub struct Host {
    pub name: String,
    pub address: String,
    pub port: u16,
}

pub struct Lab {
    pub dir: TempDir,
    pub hosts: Vec<Host>,
    pub user: String,
    servers: Vec<Child>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
        // What they leave behind would be the next contender's.
        sweep_all();
    }
}

/// Is there everything that a lab needs?
pub fn can_run() -> Result<(), String> {
    for tool in [SSHD, "/usr/bin/ssh", "/usr/bin/ssh-keygen"] {
        if !Path::new(tool).exists() {
            return Err(format!("there is no {tool}"));
        }
    }
    Ok(())
}

/// The account on all hosts: nobody's shell start-up files are measured. The namespace is the bench's own.
const USER: &str = "fan";

pub fn own_account() -> Result<(), String> {
    let passwd = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let ours = std::env::temp_dir().join(format!("fanout-passwd-{}", std::process::id()));
    fs::write(&ours, format!("{passwd}{USER}:*:4301:4301::/:/bin/sh\n")).map_err(|error| error.to_string())?;
    let bound = Command::new("mount").arg("--bind").arg(&ours).arg("/etc/passwd").status();
    let _ = fs::remove_file(ours);
    if bound.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err("no account of its own can be made".to_owned())
    }
}

fn keygen(path: &Path) -> String {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status().unwrap();
    assert!(made.success(), "ssh-keygen");
    fs::read_to_string(path.with_extension("pub")).unwrap()
}

impl Lab {
    pub fn start(count: usize, limits: Limits) -> Lab {
        let dir = TempDir::new().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let home = dir.path().join(".ssh");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        let ours = keygen(&home.join("id_ed25519"));
        fs::write(dir.path().join("authorized_keys"), ours).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();

        let mut lab = Lab { dir, hosts: Vec::new(), user: USER.to_owned(), servers: Vec::new() };
        let bastion = lab.serve("bastion", "127.0.0.1", BASTION, limits);
        let keys: Vec<String> = (0..PROCESSES)
            .map(|index| lab.serve(&format!("hosts{index}"), "0.0.0.0", FIRST + index as u16, limits))
            .collect();
        let mut known = format!("[127.0.0.1]:{BASTION} {bastion}");
        for index in 0..count {
            let address = format!("127.1.{}.{}", index / 250, index % 250 + 1);
            let port = FIRST + (index % PROCESSES) as u16;
            write!(known, "[{address}]:{port} {}", keys[index % PROCESSES]).unwrap();
            lab.hosts.push(Host { name: format!("host{index}"), address, port });
        }
        fs::write(lab.known_hosts(), known).unwrap();
        fs::write(home.join("config"), lab.ssh_config()).unwrap();
        let listed = lab.hosts.iter().map(|Host { name, address, port }| format!("{name} {address} {port}\n"));
        fs::write(lab.dir.path().join("hosts"), listed.collect::<String>()).unwrap();
        lab.wait();
        lab
    }

    /// Starts one sshd and gives its public key line.
    fn serve(&mut self, name: &str, address: &str, port: u16, limits: Limits) -> String {
        let dir = self.dir.path().display();
        let public = keygen(&self.dir.path().join(name));
        let config = format!(
            "ListenAddress {address}\nPort {port}\nHostKey {dir}/{name}\nAuthorizedKeysFile {dir}/authorized_keys\n{}\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PrintMotd no\nPrintLastLog no\nUseDNS no\nSubsystem sftp internal-sftp\n",
            limits.lines()
        );
        let file = self.dir.path().join(format!("{name}.conf"));
        fs::write(&file, config).unwrap();
        let log = self.dir.path().join(format!("{name}.log"));
        let mut sshd = Command::new(SSHD);
        sshd.args(["-D", "-f"]).arg(file).arg("-E").arg(log).stdin(Stdio::null());
        let server = sshd.spawn().unwrap();
        self.servers.push(server);
        public
    }

    fn wait(&self) {
        let ports = std::iter::once(BASTION).chain((0..PROCESSES as u16).map(|index| FIRST + index));
        for port in ports {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    pub fn bastion_port(&self) -> u16 {
        BASTION
    }

    pub fn key(&self) -> PathBuf {
        self.dir.path().join(".ssh/id_ed25519")
    }

    pub fn known_hosts(&self) -> PathBuf {
        self.dir.path().join(".ssh/known_hosts")
    }

    /// The servers themselves: what belongs to them is not a contender's.
    pub fn servers(&self) -> Vec<u32> {
        self.servers.iter().map(Child::id).collect()
    }

    /// For those who read ~/.ssh/config: the same bastion, keys and strictness.
    fn ssh_config(&self) -> String {
        let dir = self.dir.path().display();
        let mut text = format!(
            "Host *\n  User {}\n  IdentityFile {dir}/.ssh/id_ed25519\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {dir}/.ssh/known_hosts\n  \
             GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  BatchMode yes\n\
             Host bastion\n  HostName 127.0.0.1\n  Port {BASTION}\n  ControlMaster auto\n  ControlPath {dir}/b\n  ControlPersist 600\n",
            self.user
        );
        for Host { name, address, port } in &self.hosts {
            writeln!(text, "Host {name}\n  HostName {address}\n  Port {port}").unwrap();
        }
        text.push_str("Host host*\n  ProxyJump bastion\n");
        text
    }
}

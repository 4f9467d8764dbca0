//! The others: what is on the machine, and what the bench installs for itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::lab::Lab;
use super::measure::{Measured, Took, sweep, watch};

type Run = fn(&Lab) -> Result<Measured, String>;

/// ssh processes at the same time, and forks of Ansible.
const TOGETHER: usize = 50;
/// More hosts than this with two processes each would measure the machine.
const KEPT_OPEN: usize = 200;

/// The newest that the Rust of this repository builds: 3 wants 1.97.
const BSSH: &str = "2.2.3";

pub fn contenders() -> [(&'static str, Run); 6] {
    [
        ("OpenSSH", openssh),
        ("OpenSSH, all kept open", openssh_kept),
        ("asyncssh", asyncssh),
        ("pyinfra", pyinfra),
        ("Ansible", ansible),
        ("bssh", bssh),
    ]
}

/// Installs what can be installed, once, beside the build. Gives the folder.
pub fn set_up() -> PathBuf {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fanout");
    if !venv.join("bin/ansible").exists() {
        eprintln!("installing asyncssh, pyinfra and Ansible into {}", venv.display());
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status();
        let pip =
            Command::new(venv.join("bin/pip")).args(["install", "-q", "asyncssh", "pyinfra", "ansible-core"]).status();
        if !made.is_ok_and(|status| status.success()) || !pip.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: they could not be installed");
        }
    }
    if !venv.join("bin/bssh").exists() {
        eprintln!("building bssh into {}: that takes a while", venv.display());
        let install = ["install", "-q", "--locked", "bssh", "--version", BSSH, "--root"];
        let built = Command::new("cargo").args(install).arg(&venv).status();
        if !built.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: bssh could not be built");
        }
    }
    venv
}

fn installed(tool: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(std::env::var_os("FANOUT_VENV").unwrap_or_default()).join("bin").join(tool);
    if path.exists() { Ok(path) } else { Err(format!("{tool} is not installed")) }
}

/// Nothing of the person who runs the bench gets in.
fn quiet(lab: &Lab, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env("HOME", lab.dir.path()).env_remove("SSH_AUTH_SOCK").current_dir(lab.dir.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// One ssh per host, all of them through one connection to the bastion.
fn openssh(lab: &Lab) -> Result<Measured, String> {
    let measured = ssh_on_all(lab, "");
    sweep(lab);
    measured
}

/// The same, and each host's connection is kept open too.
fn openssh_kept(lab: &Lab) -> Result<Measured, String> {
    if lab.hosts.len() > KEPT_OPEN {
        return Err(format!("two processes stay for each host; measured up to {KEPT_OPEN} hosts"));
    }
    let measured = ssh_on_all(lab, "-o ControlMaster=auto -o ControlPath=./c-%n -o ControlPersist=600");
    sweep(lab);
    measured
}

fn ssh_on_all(lab: &Lab, options: &str) -> Result<Measured, String> {
    let names: Vec<&str> = lab.hosts.iter().map(|host| host.name.as_str()).collect();
    fs::write(lab.dir.path().join("names"), names.join("\n")).unwrap();
    let one = format!("ssh -n -F .ssh/config {options} {{}} uptime >>said 2>>wrong || echo {{}} >>failed");
    let all = format!("xargs -a names -P {TOGETHER} -I{{}} sh -c '{one}'");
    let cold = format!("ssh -F .ssh/config -fN bastion && {all}");
    let (cold, peak) = watch(lab, quiet(lab, "sh").args(["-c", &cold]));
    let (later, second) = watch(lab, quiet(lab, "sh").args(["-c", &all]));
    let failures = fs::read_to_string(lab.dir.path().join("failed")).unwrap_or_default().lines().count();
    let note = first_line(&lab.dir.path().join("wrong"));
    Ok(Measured { cold, later, memory: peak.max(second), failures, note })
}

fn first_line(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().chars().take(90).collect()
}

/// As its documentation shows it: one connection to the bastion, all hosts at once through it, kept for later commands.
fn asyncssh(lab: &Lab) -> Result<Measured, String> {
    let python = installed("python3")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/fanout/asyncssh_all.py");
    let said = lab.dir.path().join("asyncssh.said");
    let mut command = quiet(lab, python);
    command.arg(script).arg(lab.dir.path()).arg(&lab.user).arg(lab.bastion_port().to_string());
    command
        .stdout(fs::File::create(&said).unwrap())
        .stderr(fs::File::create(lab.dir.path().join("asyncssh.wrong")).unwrap());
    let (_, memory) = watch(lab, &mut command);
    let text = fs::read_to_string(said).unwrap();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [cold, cold_busy, later, later_busy, failures] = numbers[..] else {
        return Err(first_line(&lab.dir.path().join("asyncssh.wrong")));
    };
    let took = |wall, busy| Took { wall: Duration::from_secs_f64(wall), busy: Duration::from_secs_f64(busy) };
    let (cold, later) = (took(cold, cold_busy), took(later, later_busy));
    Ok(Measured { cold, later, memory, failures: failures as usize, note: String::new() })
}

/// A deploy of one operation, and one of six: the difference is five later steps.
fn pyinfra(lab: &Lab) -> Result<Measured, String> {
    let tool = installed("pyinfra")?;
    let dir = lab.dir.path();
    let data = format!(
        "{{'ssh_config_file': '{d}/.ssh/config', 'ssh_known_hosts_file': '{d}/.ssh/known_hosts', \
         'ssh_strict_host_key_checking': 'yes', 'ssh_key': '{d}/.ssh/id_ed25519', 'ssh_user': '{u}', \
         'ssh_look_for_keys': False, 'ssh_allow_agent': False}}",
        d = dir.display(),
        u = lab.user
    );
    let names: Vec<String> = lab.hosts.iter().map(|host| format!("'{}'", host.name)).collect();
    fs::write(dir.join("inventory.py"), format!("fan = ([{}], {data})\n", names.join(", "))).unwrap();
    let operation = "server.shell(commands=['uptime'])\n";
    let begin = "from pyinfra.operations import server\n";
    fs::write(dir.join("one.py"), format!("{begin}{operation}")).unwrap();
    fs::write(dir.join("six.py"), format!("{begin}{}", operation.repeat(6))).unwrap();
    let run = |deploy: &str| {
        let mut command = quiet(lab, &tool);
        let out = fs::File::create(dir.join(format!("{deploy}.said"))).unwrap();
        command.args(["inventory.py", deploy, "-y"]).stdout(out.try_clone().unwrap()).stderr(out);
        watch(lab, &mut command)
    };
    let (cold, memory) = run("one.py");
    let (six, _) = run("six.py");
    let a_fifth = |six: Duration, one: Duration| six.saturating_sub(one) / 5;
    let later = Took { wall: a_fifth(six.wall, cold.wall), busy: a_fifth(six.busy, cold.busy) };
    let said = fs::read_to_string(dir.join("one.py.said")).unwrap();
    // Names are padded to the longest one.
    let after_names: Vec<(&str, &str)> = said.lines().filter_map(|line| line.trim_start().split_once(']')).collect();
    let succeeded = |name: &str| {
        after_names.iter().any(|(host, rest)| host.strip_prefix('[') == Some(name) && rest.trim() == "Success")
    };
    let ran = lab.hosts.iter().filter(|host| succeeded(&host.name)).count();
    let failures = lab.hosts.len() - ran;
    let note = if failures > 0 {
        said.lines().find(|line| line.contains("rror")).unwrap_or("").to_owned()
    } else {
        String::new()
    };
    Ok(Measured { cold, later, memory, failures, note })
}

/// `raw`, so that no Python runs on the hosts; connections stay for the second call.
fn ansible(lab: &Lab) -> Result<Measured, String> {
    let tool = installed("ansible")?;
    let dir = lab.dir.path();
    let d = dir.display();
    let config = format!(
        "[defaults]\nforks = {TOGETHER}\nhost_key_checking = True\n[ssh_connection]\n\
         ssh_args = -F {d}/.ssh/config -o ControlMaster=auto -o ControlPersist=60s\ncontrol_path_dir = {d}/cp\n"
    );
    fs::write(dir.join("ansible.cfg"), config).unwrap();
    let names: Vec<&str> = lab.hosts.iter().map(|host| host.name.as_str()).collect();
    fs::write(dir.join("inventory"), format!("[all]\n{}\n", names.join("\n"))).unwrap();
    let run = |name: &str| {
        let mut command = quiet(lab, &tool);
        let out = fs::File::create(dir.join(name)).unwrap();
        command.env("ANSIBLE_CONFIG", dir.join("ansible.cfg")).env("LC_ALL", "C.UTF-8");
        command
            .args(["all", "-i", "inventory", "-m", "raw", "-a", "uptime"])
            .stdout(out.try_clone().unwrap())
            .stderr(out);
        watch(lab, &mut command)
    };
    let (cold, first) = run("ansible.cold");
    let (later, second) = run("ansible.later");
    sweep(lab);
    let said = fs::read_to_string(dir.join("ansible.cold")).unwrap();
    let failures = lab.hosts.len() - said.matches("| CHANGED | rc=0").count().min(lab.hosts.len());
    let note = if failures > 0 {
        said.lines()
            .find(|line| line.contains("UNREACHABLE") || line.contains("ERROR"))
            .unwrap_or("")
            .chars()
            .take(90)
            .collect()
    } else {
        String::new()
    };
    Ok(Measured { cold, later, memory: first.max(second), failures, note })
}

/// Every host with a connection to the bastion of its own, as it does it; it keeps nothing for later.
fn bssh(lab: &Lab) -> Result<Measured, String> {
    let tool = installed("bssh")?;
    let hosts: Vec<String> =
        lab.hosts.iter().map(|host| format!("{}@{}:{}", lab.user, host.address, host.port)).collect();
    let jump = format!("{}@127.0.0.1:{}", lab.user, lab.bastion_port());
    let run = || {
        let mut command = quiet(lab, &tool);
        command.args([
            "-H",
            &hosts.join(","),
            "-J",
            &jump,
            "--strict-host-key-checking",
            "yes",
            "--parallel",
            "100",
            "-i",
        ]);
        command.arg(lab.key()).arg("uptime").stdout(fs::File::create(lab.dir.path().join("bssh.said")).unwrap());
        watch(lab, &mut command)
    };
    let (cold, first) = run();
    let (later, second) = run();
    let said = fs::read_to_string(lab.dir.path().join("bssh.said")).unwrap();
    let failures = lab.hosts.len() - said.matches("load average").count().min(lab.hosts.len());
    Ok(Measured { cold, later, memory: first.max(second), failures, note: String::new() })
}

//! The service manager of a virtual host: units, their starts and stops, timers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::sshd_config::{Refusal, SshdConfig};
use super::{Job, Session};

/// One unit that systemd has loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub about: String,
    pub enabled: AtBoot,
    pub active: Condition,
    pub role: Role,
    pub pid: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AtBoot {
    On,
    Off,
    Static,
    Masked,
    Transient,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    Up,
    Down,
    Failed,
}

/// What starting the unit does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Sshd,
    SshSocket,
    Nftables,
    Firewalld,
    Chrony,
    Postfix,
    /// A timer that `systemd-run` made; it lives in `State::timers`.
    Timer,
    Own(Own),
    /// A service that only is up or down.
    Plain,
}

/// A unit file of the host's own (systemd.service(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    pub start: Vec<String>,
    pub stop: Vec<String>,
    /// `Type=oneshot`: its commands run to their end.
    pub oneshot: bool,
    /// `RemainAfterExit=yes`: it counts as active afterwards.
    pub remains: bool,
}

/// A command that `systemd-run --on-active` put off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Without `.timer`.
    pub name: String,
    /// On the hosts' clock.
    pub due: Duration,
    pub command: Vec<String>,
}

/// Why a job failed, as systemctl puts it on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFailed(pub String);

type Done = Result<(), JobFailed>;

impl Unit {
    pub fn new(about: &str, enabled: AtBoot, role: Role) -> Self {
        Self { about: about.to_string(), enabled, active: Condition::Down, role, pid: 0 }
    }
}

impl Machine {
    /// Brings up what is enabled, as the first boot does.
    pub async fn boot(self: &Arc<Self>) {
        self.daemon_reload().await;
        let enabled = |unit: &Unit| matches!(unit.enabled, AtBoot::On | AtBoot::Static);
        let names: Vec<String> = self.with(|state| {
            let units = state.units.iter().filter(|(_, unit)| enabled(unit));
            units.map(|(name, _)| name.clone()).collect()
        });
        for name in names {
            // A unit that does not come up is failed, and the boot goes on.
            let _ = self.start(&name).await;
        }
    }

    /// The unit's full name behind `name`: `.service` is added, aliases are followed. Nothing if there is no such unit.
    pub fn unit_name(&self, name: &str) -> Option<String> {
        let full = if name.contains('.') { name.to_string() } else { format!("{name}.service") };
        let real = match full.as_str() {
            "sshd.service" if !self.image.is_rhel() => "ssh.service",
            "chronyd.service" if !self.image.is_rhel() => "chrony.service",
            other => other,
        };
        self.with(|state| state.units.contains_key(real)).then(|| real.to_string())
    }

    pub fn unit(&self, name: &str) -> Option<Unit> {
        self.with(|state| state.units.get(name).cloned())
    }

    pub fn is_active(&self, name: &str) -> bool {
        self.unit(name).is_some_and(|unit| unit.active == Condition::Up)
    }

    pub async fn start(self: &Arc<Self>, name: &str) -> Done {
        let Some(unit) = self.unit(name) else { return Ok(()) };
        if unit.active == Condition::Up {
            return Ok(());
        }
        if unit.enabled == AtBoot::Masked {
            return Err(JobFailed(format!("Failed to start {name}: Unit {name} is masked.\n")));
        }
        let up = match &unit.role {
            Role::Sshd => self.start_sshd(name).await,
            Role::SshSocket => self.start_socket(name),
            Role::Nftables => self.load_nftables().await,
            Role::Firewalld => {
                self.with(|state| state.firewall.zones.start());
                Ok(())
            }
            Role::Chrony => self.start_chrony().await,
            Role::Postfix => self.start_postfix().await,
            Role::Own(own) => return self.start_own(name, own).await,
            Role::Timer | Role::Plain => Ok(()),
        };
        self.settle(name, up)
    }

    fn settle(&self, name: &str, up: Result<(), String>) -> Done {
        match up {
            Ok(()) => {
                self.mark(name, Condition::Up);
                self.log("systemd", format!("Started {name}."));
                Ok(())
            }
            Err(why) => {
                self.mark(name, Condition::Failed);
                self.log(name, why);
                self.log("systemd", format!("{name}: Failed with result 'exit-code'."));
                Err(job_failed(name))
            }
        }
    }

    fn mark(&self, name: &str, active: Condition) {
        self.with(|state| {
            state.next_number += 1;
            let pid = if active == Condition::Up { state.next_number } else { 0 };
            if let Some(unit) = state.units.get_mut(name) {
                unit.active = active;
                unit.pid = pid;
            }
        });
    }

    pub async fn stop(self: &Arc<Self>, name: &str) {
        let Some(unit) = self.unit(name) else { return };
        match unit.role {
            Role::Timer => {
                let bare = name.trim_end_matches(".timer").to_string();
                self.with(|state| {
                    state.timers.retain(|timer| timer.name != bare);
                    state.units.remove(name);
                });
                return;
            }
            Role::Sshd => self.with(|state| {
                state.sshd.running = None;
                state.sshd.bound.clear();
            }),
            Role::SshSocket => {
                self.with(|state| state.sshd.held.clear());
                if self.socket_is_required() {
                    Box::pin(self.stop(self.image.sshd_unit())).await;
                }
            }
            Role::Nftables => self.with(|state| state.firewall.nft.tables.clear()),
            Role::Firewalld => self.with(|state| state.firewall.zones.running = false),
            Role::Chrony => self.with(|state| state.chrony = None),
            Role::Postfix => self.with(|state| state.postfix.running = None),
            Role::Own(own) if unit.active == Condition::Up => {
                for command in &own.stop {
                    self.run_for(name, command).await;
                }
            }
            Role::Own(_) | Role::Plain => {}
        }
        if unit.active == Condition::Up {
            self.mark(name, Condition::Down);
            self.log("systemd", format!("Stopped {name}."));
        }
    }

    /// A stop and a start. What requires the unit is restarted with it (systemd.unit(5), Requires=).
    pub async fn restart(self: &Arc<Self>, name: &str) -> Done {
        let sshd = self.image.sshd_unit();
        let with_sshd = name == self.image.socket_unit() && self.socket_is_required() && self.is_active(sshd);
        self.stop(name).await;
        self.start(name).await?;
        if with_sshd { self.start(sshd).await } else { Ok(()) }
    }

    pub async fn reload(self: &Arc<Self>, name: &str) -> Done {
        let Some(unit) = self.unit(name) else { return Ok(()) };
        if unit.active != Condition::Up {
            return Err(JobFailed(format!("{name} is not active, cannot reload.\n")));
        }
        match unit.role {
            Role::Sshd => self.reload_sshd(name).await,
            Role::Nftables => self.load_nftables().await.map_err(|_| job_failed(name)),
            Role::Firewalld => {
                self.with(|state| state.firewall.zones.start());
                Ok(())
            }
            _ => {
                Err(JobFailed(format!("Failed to reload {name}: Job type reload is not applicable for unit {name}.\n")))
            }
        }
    }

    /// ssh.socket is enabled with `RequiredBy=ssh.service`.
    fn socket_is_required(&self) -> bool {
        self.unit(self.image.socket_unit()).is_some_and(|unit| unit.enabled == AtBoot::On)
    }

    async fn start_sshd(self: &Arc<Self>, name: &str) -> Result<(), String> {
        let config = match SshdConfig::read(&self.disk).await {
            Ok(config) => config,
            Err(Refusal(said)) => return Err(said),
        };
        if super::image::read_host_keys(&self.disk).await.is_empty() {
            return Err("sshd: no hostkeys available -- exiting.\n".to_string());
        }
        let socket = self.image.socket_unit();
        if self.socket_is_required() && !self.is_active(socket) {
            self.start_socket(socket)?;
            self.mark(socket, Condition::Up);
        }
        if self.is_active(socket) {
            self.with(|state| state.sshd.running = Some(config));
            return Ok(());
        }
        let bound = self.bind(name, &config)?;
        self.with(|state| {
            state.sshd.running = Some(config);
            state.sshd.bound = bound;
        });
        Ok(())
    }

    /// The sockets that sshd gets. SELinux keeps it from ports that are not labelled for it (sshd_selinux(8)).
    fn bind(&self, name: &str, config: &SshdConfig) -> Result<Vec<SocketAddr>, String> {
        let wanted: Vec<SocketAddr> = config.listen().iter().filter_map(|one| one.parse().ok()).collect();
        let (bound, denied): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|socket| self.may_bind(socket.port()));
        for socket in denied {
            let (ip, port) = (socket.ip(), socket.port());
            self.log(name, format!("error: Bind to port {port} on {ip} failed: Permission denied."));
        }
        if bound.is_empty() { Err("fatal: Cannot bind any address.\n".to_string()) } else { Ok(bound) }
    }

    fn may_bind(&self, port: u16) -> bool {
        self.with(|state| {
            let selinux = &state.selinux;
            let labelled = selinux.local_ports.iter().any(|(local, kind, _)| *local == port && kind == "ssh_port_t");
            !selinux.enforcing || port == 22 || labelled
        })
    }

    fn start_socket(&self, name: &str) -> Result<(), String> {
        let sshd = self.image.sshd_unit();
        if self.is_active(sshd) {
            return Err(format!("{name}: Socket service {sshd} already active, refusing.\n"));
        }
        let streams = self.with(|state| state.sshd.socket_streams.clone());
        let held: Vec<SocketAddr> = streams.iter().filter_map(|stream| stream.parse().ok()).collect();
        self.with(|state| state.sshd.held = held);
        Ok(())
    }

    /// Debian's unit tests the configuration first; RHEL's only sends the signal, and sshd dies of a broken file.
    async fn reload_sshd(self: &Arc<Self>, name: &str) -> Done {
        let read = SshdConfig::read(&self.disk).await;
        match read {
            Err(Refusal(said)) if self.image.is_rhel() => {
                self.stop(name).await;
                self.mark(name, Condition::Failed);
                self.log(name, said);
                Ok(())
            }
            Err(Refusal(said)) => {
                self.log(name, said);
                Err(job_failed(name))
            }
            Ok(_) => {
                self.with(|state| {
                    state.sshd.running = None;
                    state.sshd.bound.clear();
                });
                let up = self.start_sshd(name).await;
                up.map_err(|why| {
                    self.mark(name, Condition::Failed);
                    self.log(name, why);
                    job_failed(name)
                })
            }
        }
    }

    /// systemd starts sshd for the first connection to a socket that it holds. Is sshd there for it?
    pub async fn wake_sshd(self: &Arc<Self>) -> bool {
        let name = self.image.sshd_unit();
        if !self.is_active(name) && self.is_active(self.image.socket_unit()) {
            let _ = self.start(name).await;
        }
        self.is_active(name)
    }

    async fn load_nftables(&self) -> Result<(), String> {
        let path = if self.image.is_rhel() { "/etc/sysconfig/nftables.conf" } else { "/etc/nftables.conf" };
        let script = self.disk.text(path).await.ok_or_else(|| format!("{path}: No such file or directory\n"))?;
        let script = super::commands::firewall::with_includes(&self.disk, &script).await;
        let rules = self.with(|state| state.firewall.nft.clone());
        let rules =
            rules.apply(&script).map_err(|problem| format!("{path}:{}: Error: {}\n", problem.line, problem.what))?;
        self.with(|state| state.firewall.nft = rules);
        Ok(())
    }

    async fn start_own(self: &Arc<Self>, name: &str, own: &Own) -> Done {
        if !own.oneshot {
            return self.settle(name, Ok(()));
        }
        for command in &own.start {
            let code = self.run_for(name, command).await;
            if code != 0 && !command.starts_with('-') {
                return self.settle(name, Err(format!("Main process exited, code=exited, status={code}")));
            }
        }
        if own.remains { self.settle(name, Ok(())) } else { Ok(()) }
    }

    /// Runs one command line of a unit as root; what it prints is in the journal.
    async fn run_for(self: &Arc<Self>, name: &str, command: &str) -> i32 {
        let job = Job { script: command.trim_start_matches('-').to_string(), ..Job::default() };
        let output = Session::root(self.clone()).output(job).await;
        if !output.out.is_empty() || !output.err.is_empty() {
            self.log(name, format!("{}{}", output.out, output.err));
        }
        output.code
    }

    /// Reads unit files again, and runs the generators (sshd-socket-generator on Ubuntu since 22.10).
    pub async fn daemon_reload(self: &Arc<Self>) {
        if self.image.socket_activated() {
            self.generate_socket_ports().await;
        }
        let streams = self.socket_streams().await;
        self.with(|state| state.sshd.socket_streams = streams);
        let mut own = Vec::new();
        for name in self.disk.names("/etc/systemd/system").await.into_iter().filter(|name| name.ends_with(".service")) {
            let text = self.disk.text(Path::new("/etc/systemd/system").join(&name)).await.unwrap_or_default();
            own.push((name, own_unit(&text)));
        }
        self.with(|state| {
            state
                .units
                .retain(|name, unit| !matches!(unit.role, Role::Own(_)) || own.iter().any(|(own, _)| own == name));
            for (name, new) in own {
                match state.units.get_mut(&name) {
                    Some(unit) if matches!(unit.role, Role::Own(_)) => unit.role = new.role,
                    Some(_) => {}
                    None => drop(state.units.insert(name, new)),
                }
            }
        });
    }

    async fn generate_socket_ports(&self) {
        let path = "/run/systemd/generator/ssh.socket.d/addresses.conf";
        let Ok(config) = SshdConfig::read(&self.disk).await else { return };
        let listen = config.listen();
        if listen == ["0.0.0.0:22", "[::]:22"] {
            use bashkit::FileSystem;
            // Nothing to remove is the usual case.
            let _ = self.disk.raw().remove(Path::new(path), false).await;
            return;
        }
        let lines: String = listen.iter().map(|one| format!("ListenStream={one}\n")).collect();
        let text = format!("# Automatically generated by sshd-socket-generator\n\n[Socket]\nListenStream=\n{lines}");
        self.disk.put(path, &text, 0o644, super::disk::Owner::root());
    }

    /// The unit's own lines, then the drop-ins; an empty `ListenStream=` forgets what came before (systemd.socket(5)).
    async fn socket_streams(&self) -> Vec<String> {
        let socket = self.image.socket_unit();
        let mut streams = vec!["0.0.0.0:22".to_string(), "[::]:22".to_string()];
        for directory in ["/run/systemd/generator", "/etc/systemd/system"] {
            let directory = format!("{directory}/{socket}.d");
            for name in self.disk.names(&directory).await.into_iter().filter(|name| name.ends_with(".conf")) {
                let text = self.disk.text(format!("{directory}/{name}")).await.unwrap_or_default();
                for value in text.lines().filter_map(|line| line.trim().strip_prefix("ListenStream=")) {
                    match value.trim() {
                        "" => streams.clear(),
                        port if port.parse::<u16>().is_ok() => {
                            streams.extend([format!("0.0.0.0:{port}"), format!("[::]:{port}")])
                        }
                        address => streams.push(address.to_string()),
                    }
                }
            }
        }
        streams
    }

    /// Puts a command off. The caller has checked that no timer of that name is loaded.
    pub fn arm(self: &Arc<Self>, name: &str, after: Duration, command: Vec<String>) {
        let timer = Timer { name: name.to_string(), due: self.clock.now() + after, command };
        let about = timer.command.join(" ");
        self.with(|state| {
            let unit = Unit { active: Condition::Up, ..Unit::new(&about, AtBoot::Transient, Role::Timer) };
            state.units.insert(format!("{name}.timer"), unit);
            state.timers.push(timer.clone());
        });
        self.await_timer(timer);
    }

    /// The timer that a transient service waits for; it can be started before its time (systemd-run(1)).
    pub fn timer_of(&self, service: &str) -> Option<Timer> {
        let name = service.strip_suffix(".service")?;
        self.with(|state| state.timers.iter().find(|timer| timer.name == name).cloned())
    }

    /// Waits for a timer apart from everything else. A timer that was stopped is not there any more when it is due.
    pub fn await_timer(self: &Arc<Self>, timer: Timer) {
        let machine = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = machine.power.cancelled() => {}
                () = machine.clock.reach(timer.due) => machine.fire_due().await,
            }
        });
    }

    /// Runs every command whose time has come, each exactly once.
    pub async fn fire_due(self: &Arc<Self>) {
        let now = self.clock.now();
        let due: Vec<Timer> = self.with(|state| {
            let (due, later) = std::mem::take(&mut state.timers).into_iter().partition(|timer| timer.due <= now);
            state.timers = later;
            due
        });
        for timer in due {
            self.with(|state| state.units.remove(&format!("{}.timer", timer.name)));
            self.run_transient(&timer.name, timer.command).await;
        }
    }

    /// A transient service: runs as root, is gone afterwards unless it failed.
    pub async fn run_transient(self: &Arc<Self>, name: &str, command: Vec<String>) -> super::program::Answer {
        let service = format!("{name}.service");
        self.log("systemd", format!("Started {service} - {}.", command.join(" ")));
        let job = Job { script: "\"$@\"".to_string(), positional: command, ..Job::default() };
        let output = Session::root(self.clone()).output(job).await;
        if !output.out.is_empty() || !output.err.is_empty() {
            self.log(&service, format!("{}{}", output.out, output.err));
        }
        let result = if output.code == 0 { "Deactivated successfully." } else { "Failed with result 'exit-code'." };
        self.log("systemd", format!("{service}: {result}"));
        self.with(|state| {
            state.units.remove(&service);
            if output.code != 0 {
                let unit = Unit { active: Condition::Failed, ..Unit::new(&service, AtBoot::Transient, Role::Plain) };
                state.units.insert(service, unit);
            }
        });
        output
    }
}

fn job_failed(name: &str) -> JobFailed {
    JobFailed(format!(
        "Job for {name} failed because the control process exited with error code.\n\
         See \"systemctl status {name}\" and \"journalctl -xeu {name}\" for details.\n"
    ))
}

fn own_unit(text: &str) -> Unit {
    let lines = |key: &'static str| text.lines().filter_map(move |line| line.trim().strip_prefix(key));
    let all = |key| lines(key).map(str::to_string).collect();
    let is = |key, value| lines(key).next_back() == Some(value);
    let own = Own {
        start: all("ExecStart="),
        stop: all("ExecStop="),
        oneshot: is("Type=", "oneshot"),
        remains: is("RemainAfterExit=", "yes"),
    };
    let about = lines("Description=").next().unwrap_or_default().to_string();
    Unit::new(&about, AtBoot::Off, Role::Own(own))
}

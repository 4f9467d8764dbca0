//! A world that outlives the program: an AWS account behind a port, and hosts behind a bastion that really is a TCP port.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener as Port};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use onramp::practice::cloud::{Cloud, Pace};
use onramp::practice::fault::Faults;
use onramp::practice::hosts::{HostSpec, Hosts, Image};
use onramp::practice::net::{NoGate, Source};
use onramp::ssh::Dial;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::front::Front;
use super::trap::{Boundary, Trap};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "eu-west-1";
const BASTION: &str = "203.0.113.50";
const HOSTS: [(&str, &[&str]); 3] =
    [("bastion", &["10.40.0.10", BASTION]), ("app-1", &["10.40.11.20"]), ("data-1", &["10.40.11.21"])];

/// The runtime of every world.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(4).build().expect("a runtime")
    })
}

/// Where worlds stand, one after the other: two ports, a key, and fresh hosts to begin from.
pub struct Ground {
    aws: Port,
    ssh: Port,
    /// Where the bastion's sshd will be reached when it has moved.
    moved: Port,
    fresh: Vec<u8>,
    folder: TempDir,
    public_key: String,
    fingerprints: BTreeMap<&'static str, String>,
}

/// A world as it was at one moment.
#[derive(Clone)]
pub struct Kept {
    cloud: Vec<u8>,
    hosts: Vec<u8>,
}

pub struct World {
    pub front: Arc<Front>,
    pub trap: Arc<Trap>,
    hosts: Arc<Hosts>,
    end: CancellationToken,
}

impl Ground {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let public_key = onramp::ssh::new_key_file(&folder.path().join("key")).expect("a key");
        let hosts = Hosts::new();
        let fingerprints = runtime().block_on(async {
            let mut found = BTreeMap::new();
            for (name, addresses) in HOSTS {
                let spec = HostSpec {
                    name: name.to_owned(),
                    image: Image::Ubuntu2204,
                    hardened: None,
                    addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
                    user: "ubuntu".to_owned(),
                    authorized_keys: vec![public_key.clone()],
                };
                let info = hosts.add(spec).await.expect("a host");
                let ed25519 = info.console_output.lines().find(|line| line.contains("(ED25519)"));
                let shown = ed25519.and_then(|line| line.split_whitespace().find(|word| word.starts_with("SHA256:")));
                found.insert(name, shown.expect("the console shows the key").to_owned());
            }
            found
        });
        let fresh = runtime().block_on(hosts.snapshot());
        let port = || Port::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        Ground { aws: port(), ssh: port(), moved: agreed_port(), fresh, folder, public_key, fingerprints }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.aws.local_addr().unwrap())
    }

    /// The port that the bastion's sshd moves to.
    pub fn moved_port(&self) -> u16 {
        self.moved.local_addr().unwrap().port()
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The hosts as onramp reads them.
    pub fn hosts(&self) -> String {
        let port = self.ssh.local_addr().unwrap().port();
        let line = |name: &str, place: String| {
            let (fingerprint, key) = (&self.fingerprints[name], self.key());
            format!("  {name} {place} fingerprint={fingerprint} identity={}\n", key.display())
        };
        HOSTS.iter().fold(String::new(), |text, (name, addresses)| {
            text + &match *name {
                "bastion" => line(name, format!("127.0.0.1:{port} ubuntu role=bastion")),
                _ => line(name, format!("{} ubuntu via=bastion", addresses[0])),
            }
        })
    }

    /// A world of its own: fresh, or as another one was kept.
    pub fn world(&self, kept: Option<&Kept>) -> World {
        let cloud = Cloud::new(ACCOUNT, REGION, Pace::Instant, Faults::none());
        let hosts = Arc::new(Hosts::new());
        let trap = Arc::new(Trap::default());
        let end = CancellationToken::new();
        runtime().block_on(async {
            hosts.restore(kept.map_or(&self.fresh, |kept| &kept.hosts)).await.expect("hosts");
            if let Some(kept) = kept {
                cloud.restore(&kept.cloud).await.expect("a cloud");
            }
        });
        let front = Arc::new(Front::new(cloud, trap.clone()));
        let world = World { front: front.clone(), trap: trap.clone(), hosts: hosts.clone(), end };
        let serving = front.clone();
        world.listen(&self.aws, move |stream| serving.clone().serve(stream));
        let dialer = hosts.dialer(Source::ENGINEER, Arc::new(NoGate));
        for (port, to) in [(&self.ssh, 22), (&self.moved, self.moved_port())] {
            let (dialer, trap) = (dialer.clone(), trap.clone());
            world.listen(port, move |stream| bridge(stream, dialer.clone(), to, trap.clone()));
        }
        world
    }
}

impl World {
    fn listen<F>(&self, port: &Port, serve: impl Fn(TcpStream) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let port = port.try_clone().expect("the port again");
        port.set_nonblocking(true).expect("a port that can be waited for");
        let end = self.end.clone();
        runtime().spawn(async move {
            let port = TcpListener::from_std(port).expect("a port");
            loop {
                tokio::select! {
                    () = end.cancelled() => return,
                    Ok((stream, _)) = port.accept() => {
                        let (end, serving) = (end.clone(), serve(stream));
                        tokio::spawn(async move { tokio::select! { () = serving => {}, () = end.cancelled() => {} } });
                    }
                }
            }
        });
    }

    pub fn keep(&self) -> Kept {
        let cloud = runtime().block_on(self.front.cloud.snapshot()).expect("a cloud");
        Kept { cloud, hosts: runtime().block_on(self.hosts.snapshot()) }
    }

    /// Every object that carries an engagement's tags.
    pub fn tagged(&self) -> Vec<String> {
        runtime().block_on(self.front.cloud.objects())
    }

    /// How often each script was started, by step.
    pub fn starts(&self) -> BTreeMap<String, usize> {
        let mut starts = BTreeMap::new();
        for (host, _) in HOSTS {
            let said = self.at(host, "cat /var/lib/crash/*.starts 2>/dev/null");
            for step in said.lines() {
                *starts.entry(step.to_owned()).or_default() += 1;
            }
        }
        starts
    }

    /// What the scripts made and nobody took back.
    pub fn made_on_hosts(&self) -> Vec<String> {
        let files = |host: &str| {
            let said = self.at(host, "ls /var/lib/crash 2>/dev/null");
            let files = said.lines().filter(|file| !file.ends_with(".starts"));
            files.map(|file| format!("{host}: {file}")).collect::<Vec<_>>()
        };
        HOSTS.iter().flat_map(|(host, _)| files(host)).collect()
    }

    /// What a command says on a host, as at its console.
    pub fn at(&self, host: &str, script: &str) -> String {
        runtime().block_on(self.hosts.at_console(host, script)).expect("the host is there").out
    }

    /// The account's secrets of that name, as its owner reads them.
    pub fn secret(&self, name: &str) -> String {
        let saved = runtime().block_on(self.front.cloud.snapshot()).expect("a cloud");
        let saved: serde_json::Value = serde_json::from_slice(&saved).expect("it is JSON");
        find(&saved, name).map(ToString::to_string).unwrap_or_default()
    }

    /// Kills what runs when this much time has passed.
    pub fn kill_after(&self, wait: std::time::Duration) -> CancellationToken {
        let (trap, token) = (self.trap.clone(), CancellationToken::new());
        let called_off = token.clone();
        runtime().spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(wait) => trap.kill(),
                () = called_off.cancelled() => {}
            }
        });
        token
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// What stands under a key, however deep.
fn find<'a>(json: &'a serde_json::Value, key: &str) -> Option<&'a serde_json::Value> {
    match json {
        serde_json::Value::Object(map) => map.get(key).or_else(|| map.values().find_map(|value| find(value, key))),
        serde_json::Value::Array(list) => list.iter().find_map(|value| find(value, key)),
        _ => None,
    }
}

/// A free port of those that an SSH port may have.
fn agreed_port() -> Port {
    (22022..32767).find_map(|port| Port::bind((Ipv4Addr::LOCALHOST, port)).ok()).expect("a port")
}

/// Joins a TCP connection to the bastion, piece by piece.
async fn bridge(near: TcpStream, dialer: Arc<dyn Dial>, port: u16, trap: Arc<Trap>) {
    let _ = near.set_nodelay(true);
    let Ok(far) = dialer.dial(BASTION, port).await else { return };
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = tokio::io::split(far);
    tokio::select! {
        () = pass(near_in, far_out, &trap) => {}
        () = pass(far_in, near_out, &trap) => {}
    }
}

async fn pass(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, trap: &Trap) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return };
        if trap.passes(Boundary::Wire).await || to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

//! A bastion and two private hosts in the virtual network, and a real russh client that goes to them.

use std::net::Ipv4Addr;
use std::sync::Mutex;

use russh::client::{self, Handle};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg};
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::cloud::{Lease, Question, Record, Said};
use super::super::net::{Service, Verdict};
use super::*;

pub const BASTION: &str = "bastion";
/// The bastion's public address.
pub const ENGINEER_TO: &str = "203.0.113.50";
pub const BASTION_PRIVATE: &str = "10.40.0.10";
pub const PRIVATE: &str = "10.40.11.20";
pub const OTHER_PRIVATE: &str = "10.40.11.21";

/// Security groups that let everything through but what a test shuts.
#[derive(Default)]
pub struct Groups {
    shut: Mutex<Vec<(Source, IpAddr, u16)>>,
    /// Who tells the time, outside the hosts.
    clocks: Mutex<Vec<IpAddr>>,
    /// Names with their addresses, and the server that knows them.
    names: Mutex<Vec<(String, String, IpAddr)>>,
    lease: Mutex<Option<Lease>>,
}

impl Groups {
    pub fn shut(&self, from: Source, to: &str, port: u16) {
        self.shut.lock().unwrap().push((from, to.parse().unwrap(), port));
    }

    pub fn clocks(&self, all: &[&str]) {
        *self.clocks.lock().unwrap() = all.iter().map(|one| one.parse().unwrap()).collect();
    }

    pub fn name(&self, name: &str, address: &str, server: &str) {
        self.names.lock().unwrap().push((name.to_owned(), address.to_owned(), server.parse().unwrap()));
    }

    pub fn lease(&self, name_server: &str, domain: &str) {
        let name_servers = vec![name_server.parse().unwrap()];
        *self.lease.lock().unwrap() = Some(Lease { name_servers, domain: domain.to_owned() });
    }
}

#[async_trait::async_trait]
impl Gate for Groups {
    async fn allows(&self, from: Source, to: IpAddr, port: u16) -> Verdict {
        if self.shut.lock().unwrap().contains(&(from, to, port)) { Verdict::Filtered } else { Verdict::Open }
    }

    async fn answers(&self, _: Source, to: IpAddr, service: Service) -> Option<u32> {
        (service == Service::Time && self.clocks.lock().unwrap().contains(&to)).then_some(1_446)
    }

    async fn names(&self, question: &Question) -> Said {
        let names = self.names.lock().unwrap();
        let known = names.iter().filter(|(name, _, server)| *name == question.name && *server == question.server);
        let record = |(name, address, _): &(String, String, IpAddr)| Record {
            name: name.clone(),
            kind: "A".to_owned(),
            ttl: 60,
            value: address.clone(),
        };
        let records: Vec<Record> = known.map(record).collect();
        match records.is_empty() {
            false => Said::Records(records),
            true if question.name.ends_with("mc.acme.example") => Said::NoSuchName,
            true => Said::Outside,
        }
    }

    async fn lease(&self, _: Ipv4Addr) -> Option<Lease> {
        self.lease.lock().unwrap().clone()
    }
}

pub struct Lab {
    pub hosts: Hosts,
    pub bastion: HostInfo,
    pub user: &'static str,
    pub gate: Arc<Groups>,
    key: PrivateKey,
}

impl Lab {
    pub async fn new(image: Image) -> Self {
        Self::of(image, None).await
    }

    pub async fn hardened(image: Image, level: Cis) -> Self {
        Self::of(image, Some(level)).await
    }

    async fn of(image: Image, hardened: Option<Cis>) -> Self {
        let key = Self::new_key();
        let hosts = Hosts::new();
        let user = match image {
            Image::Ubuntu2204 | Image::Ubuntu2404 => "ubuntu",
            Image::Rhel8 | Image::Rhel9 | Image::Rhel10 => "ec2-user",
            Image::Debian12 => "admin",
        };
        let spec = |name: &str, addresses: &[&str]| HostSpec {
            name: name.to_string(),
            image,
            hardened,
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            user: user.to_string(),
            authorized_keys: vec![key.public_key().to_openssh().unwrap()],
        };
        let bastion = hosts.add(spec(BASTION, &[BASTION_PRIVATE, ENGINEER_TO])).await.unwrap();
        hosts.add(spec("app-1", &[PRIVATE])).await.unwrap();
        hosts.add(spec("app-2", &[OTHER_PRIVATE])).await.unwrap();
        Self { hosts, bastion, user, gate: Arc::default(), key }
    }

    pub fn moved_to(self, hosts: Hosts) -> Self {
        Self { hosts, ..self }
    }

    pub fn new_key() -> PrivateKey {
        PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap()
    }

    pub async fn login(&self, address: &str, port: u16, user: &str) -> Result<Shell, String> {
        self.login_with(address, port, user, &self.key).await
    }

    /// The methods that the server offers to somebody who has shown nothing yet.
    pub async fn offered(&self, address: &str) -> Vec<String> {
        let wire = self.hosts.dialer(Source::ENGINEER, self.gate.clone()).dial(address, 22).await.unwrap();
        let mut handle = client::connect_stream(Arc::default(), wire, Trusting(Arc::default())).await.unwrap();
        match handle.authenticate_none(self.user).await.unwrap() {
            client::AuthResult::Failure { remaining_methods, .. } => {
                remaining_methods.iter().map(String::from).collect()
            }
            client::AuthResult::Success => vec!["none".to_string()],
        }
    }

    pub async fn login_with(&self, address: &str, port: u16, user: &str, key: &PrivateKey) -> Result<Shell, String> {
        let wire = self.hosts.dialer(Source::ENGINEER, self.gate.clone()).dial(address, port).await;
        Shell::over(wire.map_err(|error| error.to_string())?, user, key).await
    }

    /// Logs in on a private host through a shell on the bastion.
    pub async fn jump(&self, bastion: &Shell, to: &str, port: u16) -> Result<Shell, String> {
        let channel = bastion.forward(to, port).await?;
        Shell::over(channel.into_stream(), self.user, &self.key).await
    }

    pub async fn next_output(channel: &mut Channel<client::Msg>) -> String {
        loop {
            if let ChannelMsg::Data { data } = channel.wait().await.expect("output") {
                return String::from_utf8(data.to_vec()).unwrap();
            }
        }
    }
}

struct Trusting(Arc<Mutex<String>>);

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = key {
            *self.0.lock().unwrap() = key.fingerprint(HashAlg::Sha256).to_string();
        }
        Ok(true)
    }
}

/// A client that is logged in.
pub struct Shell {
    handle: Handle<Trusting>,
    host_key: Arc<Mutex<String>>,
}

impl Shell {
    pub async fn over(
        wire: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        user: &str,
        key: &PrivateKey,
    ) -> Result<Self, String> {
        let host_key = Arc::default();
        let said = |error: russh::Error| error.to_string();
        let mut handle =
            client::connect_stream(Arc::default(), wire, Trusting(Arc::clone(&host_key))).await.map_err(said)?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(key.clone()), None);
        let done = handle.authenticate_publickey(user, key).await.map_err(said)?;
        if done.success() { Ok(Self { handle, host_key }) } else { Err("Permission denied (publickey).".to_string()) }
    }

    pub fn host_key(&self) -> String {
        self.host_key.lock().unwrap().clone()
    }

    /// Runs a script as onramp does: as root, on standard input.
    pub async fn sudo(&self, script: &str) -> Answer {
        self.run("sudo -n sh -s", script).await
    }

    pub async fn run(&self, command: &str, stdin: &str) -> Answer {
        let mut channel = self.exec(command, stdin).await;
        let mut answer = Answer::default();
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => answer.out += &String::from_utf8_lossy(&data),
                ChannelMsg::ExtendedData { data, .. } => answer.err += &String::from_utf8_lossy(&data),
                ChannelMsg::ExitStatus { exit_status } => answer.code = i32::try_from(exit_status).unwrap(),
                _ => {}
            }
        }
        answer
    }

    pub async fn exec(&self, command: &str, stdin: &str) -> Channel<client::Msg> {
        let channel = self.exec_without_end(command).await;
        channel.data(stdin.as_bytes()).await.unwrap();
        channel.eof().await.unwrap();
        channel
    }

    pub async fn exec_without_end(&self, command: &str) -> Channel<client::Msg> {
        let channel = self.open_session().await.unwrap();
        channel.exec(true, command).await.unwrap();
        channel
    }

    pub async fn open_session(&self) -> Result<Channel<client::Msg>, String> {
        self.handle.channel_open_session().await.map_err(|error| error.to_string())
    }

    pub async fn forward(&self, to: &str, port: u16) -> Result<Channel<client::Msg>, String> {
        let opened = self.handle.channel_open_direct_tcpip(to, u32::from(port), "127.0.0.1", 0).await;
        opened.map_err(|error| error.to_string())
    }

    pub async fn wait_closed(&self) {
        while !self.handle.is_closed() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

//! Why a host does not follow the agreed clock: the diagnosis of time, over servers of the test's own, and in practice.

use std::io;

use async_trait::async_trait;

use super::diagnoses::{ROOT, branch, gives, kept, scenario_but, until};
use super::meddling::Does;
use super::*;
use crate::net::{Clock as Told, Net, NoTime};

/// Time servers that all do the same.
struct Clocks(Result<Told, NoTime>);

#[async_trait]
impl Net for Clocks {
    async fn exchange(&self, _server: &str, _port: u16, _datagram: &[u8]) -> io::Result<Vec<u8>> {
        std::future::pending().await
    }

    async fn clock(&self, _server: &str, _port: u16, _limit: Duration) -> Result<Told, NoTime> {
        self.0.clone()
    }

    fn name_servers(&self) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn message(&self, _path: &str, _most: u64) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

const TIME: &str = "runbook: time
title: Time
phase: time
inputs:
  - {id: ntp.mode, label: Mode, kind: text}
  - {id: ntp.servers, label: Servers, kind: list, of: host}
  - {id: ntp.max_offset_ms, label: Most, kind: text, optional: true}
  - {id: ntp.key, label: Key, kind: text, optional: true}
  - {id: conn.mode, label: Connection, kind: text, optional: true}
  - {id: vpn.ping_target, label: There, kind: text, optional: true}
steps:
  - {id: asks, title: Asks, form: [ntp.mode, ntp.servers, ntp.max_offset_ms, ntp.key, conn.mode, vpn.ping_target]}
  - {id: servers-answer, title: Look, probe: ntp, with: {server: \"{{ ntp.servers }}\"}, diagnosis: time}
";

async fn of_time(told: Result<Told, NoTime>) -> Stage {
    of_steps(TIME, told).await
}

async fn of_steps(runbook: &str, told: Result<Told, NoTime>) -> Stage {
    let shipped = Path::new(ROOT).join("runbooks/managed-cloud/diagnosis-time.yaml");
    let diagnosis = std::fs::read_to_string(shipped).unwrap();
    let files = [("time.yaml".to_owned(), runbook.to_owned()), ("diagnosis-time.yaml".to_owned(), diagnosis)];
    let mut stage = Stage::of(&files, Faults::none(), Pace::Instant);
    stage.net = Some(Arc::new(Clocks(told)));
    let desk = stage.open().await;
    [("ntp.mode", "customer_ntp"), ("ntp.servers", "192.168.1.20")].iter().for_each(|(id, text)| desk.give(id, text));
    desk.close().await;
    stage
}

#[tokio::test]
async fn time_servers_that_tell_no_time_say_why() {
    let far_off = Told { offset: 3_600.0, delay: 0.001, stratum: 2, reference: String::new() };
    for (told, wanted) in [
        (Ok(far_off), "time/servers-tell-the-time"),
        (Err(NoTime::Unsynchronised), "time/server-not-synchronised"),
        (Err(NoTime::Denied("RATE".to_owned())), "time/server-turns-away"),
        (Err(NoTime::Refused), "time/no-time-server"),
        (Err(NoTime::Silent), "time/no-time"),
        (Err(NoTime::NoneGiven), "time/no-time"),
        (Err(NoTime::NotAsked("no route".to_owned())), "time/not-asked"),
    ] {
        assert_eq!(branch(&of_time(told).await, "time/servers-answer").await, wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_does_not_follow_says_whom_it_follows() {
    let mut stage = scenario_but("05-dns-hybrid.yaml", &[]).await;
    until(&stage, "connection/path").await;
    until(&stage, "time/skew").await;
    let (app, skew) = (kept(&stage, "access.host_ids.app-1"), "time/skew[app-1]");
    assert_eq!(branch(&stage, skew).await, "time/follows-well");
    assert_eq!(branch(&stage, "time/servers-answer[app-1]").await, "time/servers-tell-the-time");
    let account = stage.account.clone();
    let at_console = async |script: &str| {
        let done = account.at_console(&app, script).await.unwrap();
        assert_eq!(done.code, 0, "{script}: {done:?}");
    };
    let restart = "systemctl restart chrony 2>/dev/null || systemctl restart chronyd";
    let file = "file=/etc/chrony/chrony.conf; [ -e $file ] || file=/etc/chrony.conf";
    at_console(&format!("{file}; cp $file /root/chrony.conf")).await;
    for (lines, wanted) in [
        ("local stratum 10", "time/own-clock"),
        ("makestep 1 3", "time/no-sources"),
        ("server 192.168.1.20 iburst key 7", "time/nothing-heard"),
        ("server 169.254.169.123 iburst", "time/another-server"),
        ("server 192.168.1.20 iburst\\nserver 192.168.1.20 iburst key 7", "time/one-not-heard"),
        // Without iburst it asks once a minute, and believes nobody whom it has heard once.
        ("server 192.168.1.20", "time/nobody-chosen"),
    ] {
        at_console(&format!("{file}; printf '{lines}\\n' >$file; {restart}; sleep 5")).await;
        assert_eq!(branch(&stage, skew).await, wanted, "{lines}");
    }
    at_console(&format!(
        "{file}; cp /root/chrony.conf $file; systemctl stop chrony 2>/dev/null || systemctl stop chronyd"
    ))
    .await;
    assert_eq!(branch(&stage, skew).await, "time/chrony-down");
    at_console(restart).await;
    let rival =
        "printf '[Service]\\nExecStart=/usr/sbin/ntpd\\n' >/etc/systemd/system/ntpsec.service; systemctl daemon-reload";
    at_console(&format!("{rival}; systemctl start ntpsec")).await;
    assert_eq!(branch(&stage, skew).await, "time/two-daemons");
    at_console("systemctl stop ntpsec").await;

    // The data centre answers, but for the time.
    stage.meddled(Does::KeepsTime);
    assert_eq!(branch(&stage, skew).await, "time/time-blocked");
    stage.let_be();

    // Two routers, with two tunnels each.
    for vpn in ["connection.vpn_id", "connection.second_vpn_id"].map(|name| kept(&stage, name)) {
        for number in [0, 1] {
            stage.account.cloud().break_tunnel(&vpn, number, Some("IPSEC IS DOWN")).await;
        }
    }
    assert_eq!(branch(&stage, skew).await, "time/no-way-to-the-servers");
}

/// A host of the data centre, at which these steps look, and a clock that tells its own network this.
async fn at_gate(runbook: &str, told: Result<Told, NoTime>) -> (TempDir, Stage) {
    let keys = TempDir::new().unwrap();
    let key = keys.path().join("operator_ed25519");
    let public = ssh::new_key_file(&key).unwrap();
    let host = format!(
        "hosts:\n  - {{name: gate, address: 192.168.20.10, user: ops, key: {}, fingerprints: \
         SHA256:B47H2BUWfYy5TIFDDtSmLfq8hrmESVKHAkXGZVLVM3c}}\nsteps:",
        key.display()
    );
    let mut stage = of_steps(&runbook.replace("steps:", &host), told).await;
    stage.account.furnish(&public).await.unwrap();
    stage.let_be();
    (keys, stage)
}

/// A host of the data centre that is to follow Amazon's service, and to be nearer to it than it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_too_far_off_or_hears_nobody_says_so() {
    let on_host = "  - {id: near, title: Near, host: gate, shell: {check: \"true\"}, diagnosis: time}\n";
    let (_keys, stage) = at_gate(&format!("{TIME}{on_host}"), Err(NoTime::Silent)).await;
    gives(&stage, &[("ntp.mode", "amazon_time_sync"), ("ntp.max_offset_ms", "100")]).await;
    let at_console = async |script: &str| {
        let done = stage.account.at_console("onprem-gate", script).await.unwrap();
        assert_eq!(done.code, 0, "{script}: {done:?}");
    };
    let follows = async |server: &str| {
        let file = "/etc/chrony/chrony.conf";
        at_console(&format!("echo 'server {server}' >{file}; systemctl restart chrony; sleep 5")).await;
        branch(&stage, "time/near").await
    };
    assert_eq!(follows("169.254.169.123 iburst").await, "time/follows-well");
    gives(&stage, &[("ntp.max_offset_ms", "0.001")]).await;
    assert_eq!(branch(&stage, "time/near").await, "time/still-far");
    // It signs nothing, so that whoever wants a signature never hears it.
    assert_eq!(follows("169.254.169.123 iburst key 7").await, "time/amazon-not-heard");
    at_console("systemctl stop ssh.socket ssh.service").await;
    assert_eq!(branch(&stage, "time/near").await, "time/host-out-of-reach");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_want_a_key_are_asked_with_it() {
    let steps = "  - {id: near, title: Near, host: gate, shell: {check: \"true\"}, diagnosis: time}\n";
    let runbook =
        TIME.replace("probe: ntp, with: {server: \"{{ ntp.servers }}\"}", "host: gate, shell: {check: \"false\"}");
    assert_ne!(runbook, TIME);
    let told = Told { offset: 0.0, delay: 0.001, stratum: 2, reference: String::new() };
    let (_keys, mut stage) = at_gate(&(runbook + steps), Ok(told)).await;
    gives(&stage, &[("ntp.key", "7"), ("ntp.max_offset_ms", "100")]).await;
    let account = stage.account.clone();
    let at_console = async |script: &str| {
        let done = account.at_console("onprem-gate", script).await.unwrap();
        assert_eq!(done.code, 0, "{script}: {done:?}");
    };
    // The host has no key yet, or one of a kind that nobody can read: the servers tell the time to whoever asks without.
    assert_eq!(branch(&stage, "time/servers-answer").await, "time/key-not-taken");
    at_console("echo 'seven SHA256 HEX:00' >/etc/chrony/onramp.keys").await;
    assert_eq!(branch(&stage, "time/near").await, "time/key-not-taken");
    at_console("echo '7 SHA256 HEX:0011223344556677' >/etc/chrony/onramp.keys").await;
    assert_eq!(branch(&stage, "time/servers-answer").await, "time/servers-take-the-key");
    at_console("echo 'server 192.168.1.20 iburst' >/etc/chrony/chrony.conf; systemctl restart chrony; sleep 5").await;
    assert_eq!(branch(&stage, "time/near").await, "time/follows-well");
    stage.meddled(Does::KeepsTime);
    assert_eq!(branch(&stage, "time/near").await, "time/no-time");
}

//! Why a host does not follow the agreed clock: the diagnosis of time, over servers of the test's own, and in practice.

use std::io;

use async_trait::async_trait;

use super::diagnoses::{branch, kept, scenario_but, until};
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
  - {id: conn.mode, label: Connection, kind: text, optional: true}
  - {id: vpn.ping_target, label: There, kind: text, optional: true}
steps:
  - {id: asks, title: Asks, form: [ntp.mode, ntp.servers, ntp.max_offset_ms, conn.mode, vpn.ping_target]}
  - {id: servers-answer, title: Look, probe: ntp, with: {server: \"{{ ntp.servers }}\"}, diagnosis: time}
";

async fn of_time(told: Result<Told, NoTime>) -> Stage {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud/diagnosis-time.yaml");
    let diagnosis = std::fs::read_to_string(shipped).unwrap();
    let files = [("time.yaml".to_owned(), TIME.to_owned()), ("diagnosis-time.yaml".to_owned(), diagnosis)];
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
        (Ok(far_off), "servers-tell-the-time"),
        (Err(NoTime::Unsynchronised), "server-not-synchronised"),
        (Err(NoTime::Denied("RATE".to_owned())), "server-turns-away"),
        (Err(NoTime::Refused), "no-time-server"),
        (Err(NoTime::Silent), "no-time"),
        (Err(NoTime::NoneGiven), "no-time"),
        (Err(NoTime::NotAsked("no route".to_owned())), "not-asked"),
    ] {
        assert_eq!(branch(&of_time(told).await, "time/servers-answer").await, wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_does_not_follow_says_whom_it_follows() {
    let stage = scenario_but("05-dns-hybrid.yaml", &[]).await;
    until(&stage, "connection/path").await;
    until(&stage, "time/skew").await;
    let (app, skew) = (kept(&stage, "access.host_ids.app-1"), "time/skew[app-1]");
    assert_eq!(branch(&stage, skew).await, "follows-well");
    assert_eq!(branch(&stage, "time/servers-answer[app-1]").await, "servers-tell-the-time");
    let at_console = async |script: &str| {
        let done = stage.account.at_console(&app, script).await.unwrap();
        assert_eq!(done.code, 0, "{script}: {done:?}");
    };
    let restart = "systemctl restart chrony 2>/dev/null || systemctl restart chronyd";
    let file = "file=/etc/chrony/chrony.conf; [ -e $file ] || file=/etc/chrony.conf";
    at_console(&format!("{file}; cp $file /root/chrony.conf")).await;
    let with = async |lines: &str| {
        at_console(&format!("{file}; printf '{lines}\\n' >$file; {restart}; sleep 5")).await;
        branch(&stage, skew).await
    };
    assert_eq!(with("local stratum 10").await, "own-clock");
    assert_eq!(with("makestep 1 3").await, "no-sources");
    assert_eq!(with("server 192.168.1.20 iburst key 7").await, "nothing-heard");
    assert_eq!(with("server 169.254.169.123 iburst").await, "another-server");
    assert_eq!(with("server 192.168.1.20 iburst\\nserver 192.168.1.20 iburst key 7").await, "one-not-heard");
    at_console(&format!(
        "{file}; cp /root/chrony.conf $file; systemctl stop chrony 2>/dev/null || systemctl stop chronyd"
    ))
    .await;
    assert_eq!(branch(&stage, skew).await, "chrony-down");
    at_console(restart).await;

    // Two routers, with two tunnels each.
    for vpn in ["connection.vpn_id", "connection.second_vpn_id"].map(|name| kept(&stage, name)) {
        for number in [0, 1] {
            stage.account.cloud().break_tunnel(&vpn, number, Some("IPSEC IS DOWN")).await;
        }
    }
    assert_eq!(branch(&stage, skew).await, "no-way-to-the-servers");
}

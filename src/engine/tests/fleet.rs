//! One step on many hosts: one that fails holds up nobody but itself.

use russh::keys::{Algorithm, PrivateKey, key::safe_rng};

use super::hosts::Open;
use super::*;
use crate::practice::hosts::{HostSpec, Hosts, Image};
use crate::practice::net::Source;

const HOSTS: usize = 12;

/// A stage with these hosts, each with its key in the runbook.
async fn stage() -> (Stage, Hosts) {
    let key = Arc::new(PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap());
    let hosts = Hosts::new();
    let mut listed = String::new();
    for index in 0..HOSTS {
        let address = format!("203.0.113.{}", index + 10);
        let spec = HostSpec {
            name: format!("h{index}"),
            image: Image::Debian12,
            hardened: None,
            addresses: vec![address.parse().unwrap()],
            user: "admin".to_owned(),
            authorized_keys: vec![key.public_key().to_openssh().unwrap()],
        };
        let print = &hosts.add(spec).await.unwrap().host_key_fingerprints[0];
        listed += &format!("  - {{name: h{index}, address: {address}, user: admin, fingerprints: \"{print}\"}}\n");
    }
    let yaml = format!(
        r#"
runbook: fleet
title: Fleet
phase: net
hosts:
{listed}
steps:
  - id: one
    title: One
    for_each: hosts.all
    host: "{{{{ item.name }}}}"
    shell: {{check: test -e /etc/one, run: "test ! -e /etc/broken; touch /etc/one", undo: rm -f /etc/one}}
  - id: two
    title: Two
    needs: [one]
    for_each: hosts.all
    host: "{{{{ item.name }}}}"
    shell: {{check: test -e /etc/two, run: "touch /etc/two", undo: rm -f /etc/two}}
  - id: shown
    title: Shown
    needs: [two]
    manual: Show it.
"#
    );
    let mut stage = Stage::new(&yaml, Faults::none());
    stage.dial = hosts.dialer(Source::ENGINEER, Arc::new(Open));
    stage.identity = Some(ssh::Identity::Key(key));
    (stage, hosts)
}

#[tokio::test(flavor = "multi_thread")]
async fn later_steps_go_on_where_the_earlier_ones_are_done_and_a_host_may_be_left_out() {
    let (stage, hosts) = stage().await;
    hosts.at_console("h3", "touch /etc/broken").await.unwrap();
    let mut desk = stage.open().await;
    desk.approve().await;
    desk.run(RunScope::All).await;
    let one = desk.status("net/one[h3]");
    assert!(matches!(one, Status::Failed(_)), "{one:?}");
    assert!(matches!(desk.status("net/two[h3]"), Status::Blocked(_)));
    for index in (0..HOSTS).filter(|index| *index != 3) {
        let two = desk.status(&format!("net/two[h{index}]"));
        assert!(matches!(two, Status::Done { .. }), "h{index}: {two:?}");
    }
    assert!(matches!(desk.status("net/shown"), Status::Blocked(_)));

    // Alone, and again in vain.
    let attempts = |desk: &Desk, step: &str| desk.engagement.record(&at(step)).map_or(0, |record| record.attempts);
    desk.handle.command(Command::Reopen(at("net/one[h3]")));
    desk.run(RunScope::These(vec![at("net/one[h3]")])).await;
    assert_eq!((attempts(&desk, "net/one[h3]"), attempts(&desk, "net/one[h4]")), (2, 1));

    desk.handle.command(Command::LeaveOut { host: "h3".to_owned(), reason: "being repaired".to_owned() });
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/shown"), Status::SignOff);
    assert_eq!(attempts(&desk, "net/two[h3]"), 0);

    // Mended, and back.
    hosts.at_console("h3", "rm /etc/broken").await.unwrap();
    desk.handle.command(Command::LetIn("h3".to_owned()));
    desk.handle.command(Command::Reopen(at("net/one[h3]")));
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/two[h3]"), Status::Done { .. }), "{:?}", desk.status("net/two[h3]"));
    desk.close().await;
}

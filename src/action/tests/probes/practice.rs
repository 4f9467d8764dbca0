//! The same probes in practice: they go through the same seams, and stay inside the process.

use super::super::hosts::Lab;
use super::*;
use std::sync::Arc;

use crate::practice::Account;
use crate::practice::net::NoGate;

const LOGIN: &str = "prompt:smtp.password";

fn remember(world: &World) {
    world.vault.remember(&LOGIN.parse().unwrap(), secrecy::SecretString::from("whatever-they-typed"));
}

#[tokio::test]
async fn services_on_the_internet_answer_from_here_and_private_ones_are_silent() {
    let account = Account::new(ACCOUNT, REGION, Pace::Instant, Faults::none());
    let (world, _output) = over(account.dialer(), account.net());
    remember(&world);
    let relay = json!({
        "host": "smtp.acme.example", "user": "alerts@acme.example", "password": LOGIN,
        "mail_from": "alerts@acme.example", "mail_to": "ops@acme.example",
    });
    let found = so(&world, "probe/smtp", relay.clone()).await;
    assert_eq!(found.output["certificate"]["names"], json!(["smtp.acme.example"]), "{found:?}");
    let implicit = json!({ "host": "smtp.acme.example", "tls": "implicit", "capabilities": ["AUTH"] });
    so(&world, "probe/smtp", implicit).await;
    let message = action("probe/message", &relay, &world.subject);
    let intent = DurableIntent::for_tests(&world.subject.address, "bbbb456789abcdef0123456789abcdef");
    let sent = message.apply(&world, &intent).await;
    assert!(matches!(&sent, Outcome::Changed { said, .. } if said.contains("queued as")), "{sent:?}");
    // Another password than the one that the user came with first.
    world.vault.remember(&LOGIN.parse().unwrap(), secrecy::SecretString::from("another"));
    let said = not_so(&world, "probe/smtp", relay.clone()).await;
    assert!(said.contains("does not let alerts@acme.example in: 535"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account");
    account.save(&file).await.unwrap();
    let account = Account::new(ACCOUNT, REGION, Pace::Instant, Faults::none());
    account.load(&file).await.unwrap();
    let (world, _output) = over(account.dialer(), account.net());
    world.vault.remember(&LOGIN.parse().unwrap(), secrecy::SecretString::from("another"));
    not_so(&world, "probe/smtp", relay.clone()).await;
    remember(&world);
    so(&world, "probe/smtp", relay).await;

    so(&world, "probe/http", json!({ "url": "https://gw.acme.example/services/Version" })).await;
    so(&world, "probe/http", json!({ "url": "http://gw.acme.example/", "method": "HEAD" })).await;
    let through = json!({ "url": "https://sts.amazonaws.com/", "proxy": "proxy.acme.example:3128" });
    so(&world, "probe/http", through).await;
    so(&world, "probe/tls", json!({ "address": "gw.acme.example" })).await;
    so(&world, "probe/ntp", json!({ "server": ["ntp.acme.example", "192.0.2.20"], "max_offset_ms": 50 })).await;
    let found = so(&world, "probe/dns", json!({ "name": "gw.acme.example" })).await;
    assert_eq!(found.output["answers"].as_array().unwrap().len(), 1);
    so(&world, "probe/dns", json!({ "name": "_dmarc.acme.example", "type": "TXT", "contains": "v=DMARC1; p=none" }))
        .await;

    let silent = not_so(&world, "probe/tcp", json!({ "to": "192.168.1.25:587" })).await;
    assert!(silent.contains("no answer"), "{silent}");
    let silent = not_so(&world, "probe/ntp", json!({ "server": "192.168.1.20" })).await;
    assert!(silent.contains("does not answer"), "{silent}");
}

#[tokio::test]
async fn a_host_asks_through_its_own_connection_what_is_out_of_reach_from_here() {
    let lab = Lab::new().await;
    let (mut world, _output) = lab.stage(true).await;
    world.net = lab.hosts.net(Arc::new(NoGate));
    remember(&world);
    let relay = json!({ "host": "192.168.1.25", "from": "app", "user": "alerts@acme.example", "password": LOGIN });
    let found = so(&world, "probe/smtp", relay).await;
    assert!(found.said.contains("greets app") && found.said.contains("lets alerts@acme.example in"), "{found:?}");
    so(&world, "probe/http", json!({ "url": "https://192.168.1.30/", "from": "bastion" })).await;
    let names = json!({ "name": "gw.acme.example", "server": "192.168.1.10", "from": "bastion", "transport": "tcp" });
    let found = so(&world, "probe/dns", names.clone()).await;
    assert!(found.said.contains("from 192.168.1.10 to bastion"), "{found:?}");
    let doors = json!({ "to": ["192.168.1.10:53", "192.168.1.25:587"], "from": "app" });
    so(&world, "probe/tcp", doors).await;

    // That a door is closed says something only where another is open.
    let alone = json!({ "address": "203.0.113.50", "port": 81, "expect": "closed" });
    let mut beside = alone.clone();
    beside["beside"] = json!("bastion");
    let found = so(&world, "probe/tcp", beside.clone()).await;
    assert!(found.said.contains("closed from here") && found.said.contains("is open from here"), "{found:?}");
    lab.hosts.at_console("bastion", "systemctl stop ssh").await.unwrap();
    so(&world, "probe/tcp", alone).await;
    let said = unknown(&world, "probe/tcp", beside).await;
    assert!(said.contains("cannot be told from here"), "{said}");
    lab.hosts.at_console("bastion", "systemctl start ssh").await.unwrap();

    // What has to be asked by a tool is said to be missing where it is.
    let by_udp = json!({ "name": "gw.acme.example", "server": "192.168.1.10", "from": "bastion" });
    let said = unknown(&world, "probe/dns", by_udp).await;
    assert!(said.contains("bastion has no dig") && said.contains("bind9-dnsutils"), "{said}");
    let said = unknown(&world, "probe/ntp", json!({ "server": "192.168.1.20", "from": "app" })).await;
    assert!(said.contains("app has no tool"), "{said}");
    lab.hosts.at_console("app", "apt-get -q update && apt-get -y install bind9-dnsutils").await.unwrap();
    let by_udp = json!({ "name": "gw.acme.example", "server": "192.168.1.10", "from": "app" });
    let found = so(&world, "probe/dns", by_udp).await;
    assert_eq!(found.output["servers"]["192.168.1.10"]["over"], json!("UDP"), "{found:?}");
    let own = so(&world, "probe/dns", json!({ "name": "gw.acme.example", "from": "app" })).await;
    assert!(own.said.contains("its own resolver"), "{own:?}");

    // Where sshd forwards nothing, a shell of the host carries the connection.
    let harden = "printf 'AllowTcpForwarding no\\n' >/etc/ssh/sshd_config.d/10-x.conf; systemctl restart ssh";
    lab.hosts.at_console("app", harden).await.unwrap();
    world.ssh.close().await;
    so(&world, "probe/http", json!({ "url": "https://192.168.1.30/", "from": "app" })).await;
    let relay = json!({
        "host": "smtp.acme.example", "from": "app", "user": "alerts@acme.example", "password": LOGIN,
        "mail_from": "alerts@acme.example", "mail_to": "ops@acme.example",
    });
    let found = so(&world, "probe/smtp", relay).await;
    assert!(found.said.contains("greets app") && found.said.contains("lets alerts@acme.example in"), "{found:?}");
    let elsewhere = json!({ "host": "gate.acme.example", "port": 26, "from": "app", "limit": "2s" });
    not_so(&world, "probe/smtp", elsewhere).await;
    let said = unknown(&world, "probe/http", json!({ "url": "http://192.168.1.30/", "from": "nobody" })).await;
    assert!(said.contains("no host called"), "{said}");
}

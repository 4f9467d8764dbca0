//! A real host asks: by the tools it has, and through its SSH connection. Everything is on this machine's loopback.

use super::*;
use crate::engagement::Host;
use crate::ssh::Identity;

const ZONE: &str = "$TTL 300\n@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\ngw 60 IN A 10.40.10.20\n\
                    @ IN TXT \"v=spf1 \" \"include:amazonses.com  ~all\"\n";

/// The world in which this machine is also the host `app`.
fn with_host(sshd: &servers::Sshd) -> (World, mpsc::Receiver<Vec<u8>>) {
    let (world, output) = world();
    let host = Host {
        name: "app".to_owned(),
        known_as: "app".to_owned(),
        address: "127.0.0.1".to_owned(),
        port: Some(sshd.server.port),
        user: sshd.user.clone(),
        key: None,
        via: None,
        sudo: None,
        fingerprints: vec![sshd.fingerprint.clone()],
    };
    let routes = Routes::for_tests([("app".to_owned(), Ok(host))], Identity::Key(sshd.key.clone()));
    (World { routes: Arc::new(routes), ..world }, output)
}

#[tokio::test]
async fn names_time_and_paths_are_asked_for_with_the_hosts_own_tools() {
    let Some(sshd) = servers::sshd() else { return };
    let Some(mut names) =
        servers::named("zone \"acme.example\" { type primary; file \"@/zone\"; };\n", &[("zone", ZONE)])
    else {
        return;
    };
    let Some(mut time) = servers::chronyd("local stratum 8") else { return };
    if servers::installed("dig").is_none() || servers::installed("ping").is_none() {
        return;
    }
    let (world, _output) = with_host(&sshd);
    let ask = |more: Json| {
        let mut with = json!({ "name": "gw.acme.example", "server": "127.0.0.1", "port": names.port, "from": "app" });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with
    };
    let found = so(&world, "probe/dns", ask(json!({ "expect": "10.40.10.20" }))).await;
    assert_eq!(found.output["ttl"], json!(60));
    let place = format!("127.0.0.1:{}", names.port);
    assert_eq!(found.output["servers"][&place]["over"], json!("UDP"), "{found:?}");
    let text = json!({ "name": "acme.example", "type": "TXT", "expect": "v=spf1 include:amazonses.com  ~all" });
    so(&world, "probe/dns", ask(text)).await;
    let found = so(&world, "probe/dns", ask(json!({ "transport": "tcp" }))).await;
    assert_eq!(found.output["servers"][&place]["over"], json!("TCP"), "{found:?}");
    let said = not_so(&world, "probe/dns", ask(json!({ "name": "gone.acme.example" }))).await;
    assert!(said.contains("asked from app") && said.contains("NXDOMAIN"), "{said}");
    let with = ask(json!({}));
    names.stop();
    let said = not_so(&world, "probe/dns", with).await;
    assert!(said.contains("nothing listens") || said.contains("does not answer"), "{said}");

    let with = json!({ "server": "127.0.0.1", "port": time.port, "from": "app", "max_offset_ms": 500 });
    let found = so(&world, "probe/ntp", with.clone()).await;
    assert!(found.output["offset_ms"].as_f64().unwrap() < 500.0, "{found:?}");
    time.stop();
    let said = not_so(&world, "probe/ntp", with).await;
    assert!(said.contains("does not answer") || said.contains("nothing listens"), "{said}");

    let found = so(&world, "probe/path-mtu", json!({ "to": "127.0.0.1", "from": "app", "at_least": 1500 })).await;
    assert!(found.output["mtu"].as_u64().unwrap() >= 1500, "{found:?}");
    // An address of no network (RFC 6890): nothing comes back.
    let nowhere = json!({ "to": "240.0.0.1", "from": "app", "limit": "60s" });
    let said = not_so(&world, "probe/path-mtu", nowhere).await;
    assert!(said.contains("no ping comes back"), "{said}");
}

#[tokio::test]
async fn streams_go_through_the_hosts_connection_and_its_failure_is_not_the_services() {
    let Some(mut sshd) = servers::sshd() else { return };
    let Some(certificate) = servers::certificate("DNS:localhost", "90") else { return };
    let Some(relay) = servers::postfix(&certificate, "some-password-1") else { return };
    let (world, _output) = with_host(&sshd);
    let with = json!({ "host": "localhost", "port": relay.port, "from": "app", "authority": certificate.authority });
    let found = so(&world, "probe/smtp", with.clone()).await;
    assert!(found.said.contains("greets app"), "{found:?}");
    let shut = format!("127.0.0.1:{}", servers::free_port());
    let found = so(&world, "probe/tcp", json!({ "to": shut, "from": "app", "expect": "refused" })).await;
    assert!(found.said.contains("from app: refused"), "{found:?}");
    let said = not_so(&world, "probe/http", json!({ "url": format!("http://{shut}/"), "from": "app" })).await;
    assert!(said.contains("refuses"), "{said}");
    let said = not_so(&world, "probe/tls", json!({ "address": "no.such.name.invalid", "from": "app" })).await;
    assert!(said.contains("cannot be reached"), "{said}");
    sshd.server.stop();
    world.ssh.close().await;
    unknown(&world, "probe/smtp", with).await;
}

//! Why a host does not get out through the customer's proxy: before proxies of the test's own, and in practice.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::diagnoses::{ROOT, branch, gives, kept, scenario, until};
use super::*;

/// Steps that ask through the proxy, over its diagnosis.
const PROXY: &str = "runbook: proxy
title: Proxy
phase: proxy
inputs:
  - {id: mon.http_proxy_host, label: Host, kind: text}
  - {id: mon.http_proxy_port, label: Port, kind: port}
  - {id: mon.http_proxy_user, label: User, kind: text, optional: true}
  - {id: mon.http_proxy_password, label: Password, kind: secret, use: password, optional: true}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: aws.partition, label: Part, kind: text}
  - {id: conn.mode, label: Connection, kind: text, optional: true}
  - {id: vpn.ping_target, label: There, kind: text, optional: true}
steps:
  - {id: asks, title: Asks, form: [mon.http_proxy_host, mon.http_proxy_port, mon.http_proxy_user, mon.http_proxy_password, aws.region_primary, aws.partition, conn.mode, vpn.ping_target]}
  - {id: out, title: Out, probe: http, with: {url: \"https://aws.example/\"}, diagnosis: proxy}
  - {id: out-from, title: Out from there, probe: http, with: {url: \"https://aws.example/\", from: web-7}, diagnosis: proxy}
";

async fn of_proxy(host: &str, port: u16) -> Stage {
    let shipped = Path::new(ROOT).join("runbooks/managed-cloud/diagnosis-proxy.yaml");
    let diagnosis = std::fs::read_to_string(shipped).unwrap();
    let files = [("proxy.yaml".to_owned(), PROXY.to_owned()), ("diagnosis-proxy.yaml".to_owned(), diagnosis)];
    let stage = Stage::of(&files, Faults::none(), Pace::Instant);
    let port = port.to_string();
    let answers = [
        ("mon.http_proxy_host", host),
        ("mon.http_proxy_port", &port),
        ("aws.region_primary", REGION),
        ("aws.partition", "aws"),
    ];
    gives(&stage, &answers).await;
    stage
}

/// A proxy that says this to whoever asks.
async fn that_says(line: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut wire, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 1024];
                if wire.read(&mut asked).await.is_ok_and(|read| read > 0) {
                    let _ = wire.write_all(format!("HTTP/1.1 {line}\r\n\r\n").as_bytes()).await;
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_proxy_that_lets_nobody_out_says_in_which_way() {
    for (line, wanted) in [
        ("407 Proxy Authentication Required", "proxy/login"),
        ("403 Forbidden", "proxy/not-on-its-list"),
        ("502 Bad Gateway", "proxy/something-else-answers"),
    ] {
        let stage = of_proxy("127.0.0.1", that_says(line).await).await;
        assert_eq!(branch(&stage, "proxy/out").await, wanted, "{line}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let stage = of_proxy("127.0.0.1", free).await;
    assert_eq!(branch(&stage, "proxy/out").await, "proxy/nothing-listens");
    assert_eq!(branch(&stage, "proxy/out-from").await, "proxy/host-out-of-reach");
    let mut stage = of_proxy("192.168.1.31", 3128).await;
    stage.dial = stage.account.dialer();
    assert_eq!(branch(&stage, "proxy/out").await, "proxy/proxy-silent");
    gives(&stage, &[("conn.mode", "ipsec_vpn"), ("vpn.ping_target", "192.168.1.50")]).await;
    assert_eq!(branch(&stage, "proxy/out").await, "proxy/proxy-blocked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_down_is_not_the_proxys_fault() {
    let mut stage = scenario("14-dx-lag.yaml").await;
    stage.net = Some(stage.account.net());
    until(&stage, "connection/proxy-lets-out").await;
    let out = "connection/proxy-lets-out[app-1]";
    assert_eq!(branch(&stage, out).await, "proxy/lets-out");
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    let interface = kept(&stage, "connection.interfaces.first");
    lines.delete_virtual_interface().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, out).await, "proxy/no-way-to-the-proxy");
}

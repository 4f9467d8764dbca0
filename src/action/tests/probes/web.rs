//! Pages and certificates, of a real web server and of openssl's; through a proxy of the test's own.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// python3's web server over a folder with one page in it.
fn pages() -> Option<servers::Server> {
    let python = servers::installed("python3").or_else(|| {
        let own = std::process::Command::new("python3").arg("--version").output().is_ok();
        own.then(|| "python3".to_owned())
    })?;
    let (folder, port) = (servers::Server::folder(), servers::free_port());
    servers::write(&folder, "page.html", "<p>Welcome to the gateway</p>");
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    let (at, number) = (folder.path().display().to_string(), port.to_string());
    let command = [python.as_str(), "-m", "http.server", "--bind", "127.0.0.1", "--directory", &at, &number];
    Some(servers::Server::start(folder, port, &command))
}

#[tokio::test]
async fn a_page_answers_as_it_should_or_it_is_said_how_not() {
    let Some(mut server) = pages() else { return };
    let (world, _output) = world();
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", server.port);
    let page = url("/page.html?a=1");
    let found = so(&world, "probe/http", json!({ "url": page, "contains": "Welcome to the gateway" })).await;
    assert_eq!(found.output["line"], json!("<p>Welcome to the gateway</p>"));
    so(&world, "probe/http", json!({ "url": page, "method": "HEAD" })).await;
    so(&world, "probe/http", json!({ "url": url("/none"), "status": [200, 404] })).await;
    let said = not_so(&world, "probe/http", json!({ "url": url("/none") })).await;
    assert!(said.contains("answers 404 Not Found, not 200"), "{said}");
    let said = not_so(&world, "probe/http", json!({ "url": page, "contains": "Farewell" })).await;
    assert!(said.contains("does not contain \"Farewell\""), "{said}");
    let said = not_so(&world, "probe/http", json!({ "url": url("/inner") })).await;
    assert!(said.contains("301") && said.contains("/inner/"), "a redirect is told and not followed: {said}");
    let https = page.replace("http:", "https:");
    let said = not_so(&world, "probe/http", json!({ "url": https })).await;
    assert!(said.contains("no TLS"), "{said}");
    server.stop();
    let said = not_so(&world, "probe/http", json!({ "url": page })).await;
    assert!(said.contains("refuses"), "{said}");
    for wrong in ["ftp://a/", "http://user:secret@a/", "nothing"] {
        let call =
            Call::Kind { kind: "probe/http".to_owned(), with: Map::from_iter([("url".to_owned(), json!(wrong))]) };
        let Err(failure) = build(&call, &world.subject) else { panic!("{wrong}") };
        assert!(!wrong.contains('@') || !failure.what.contains("secret"), "{failure:?}");
    }
}

/// openssl's own web server, with this certificate.
fn openssl(certificate: servers::Certificate) -> Option<servers::Server> {
    let program = servers::installed("openssl")?;
    let port = servers::free_port();
    let at = format!("127.0.0.1:{port}");
    let (file, key) = (certificate.file.clone(), certificate.key.clone());
    let command = [program.as_str(), "s_server", "-quiet", "-www", "-accept", &at, "-cert", &file, "-key", &key];
    Some(servers::Server::start(certificate.folder, port, &command))
}

#[tokio::test]
async fn a_certificate_holds_or_it_is_said_what_is_wrong_with_it() {
    let Some(certificate) = servers::certificate("DNS:localhost,DNS:gw.acme.example,IP:127.0.0.1", "90") else {
        return;
    };
    let ca = certificate.authority.clone();
    let Some(server) = openssl(certificate) else { return };
    let (world, _output) = world();
    let page = |host: &str| format!("https://{host}:{}/", server.port);
    let found = so(&world, "probe/http", json!({ "url": page("localhost"), "authority": ca })).await;
    assert!(found.output["certificate"]["days"].as_i64().unwrap() >= 88, "{found:?}");
    so(&world, "probe/http", json!({ "url": page("127.0.0.1"), "authority": ca })).await;
    let by_name = json!({ "address": "127.0.0.1", "port": server.port, "name": "gw.acme.example", "authority": ca });
    let found = so(&world, "probe/tls", by_name).await;
    assert_eq!(found.output["names"], json!(["localhost", "gw.acme.example", "127.0.0.1"]));

    let said = not_so(&world, "probe/http", json!({ "url": page("localhost") })).await;
    assert!(said.contains("nobody who is trusted here has signed"), "{said}");
    let other = json!({ "address": "127.0.0.1", "port": server.port, "name": "www.acme.example", "authority": ca });
    let said = not_so(&world, "probe/tls", other).await;
    assert!(said.contains("is not for www.acme.example") && said.contains("gw.acme.example"), "{said}");
    let soon = json!({ "address": "localhost", "port": server.port, "authority": ca, "min_days": 200 });
    let said = not_so(&world, "probe/tls", soon).await;
    assert!(said.contains("only, until 20"), "{said}");

    let Some(ended) = servers::certificate("DNS:localhost", "0") else { return };
    let ca = ended.authority.clone();
    let Some(server) = openssl(ended) else { return };
    let with = json!({ "address": "localhost", "port": server.port, "authority": ca });
    for _ in 0..100 {
        let said = not_so(&world, "probe/tls", with.clone()).await;
        if said.contains("ended on 20") {
            return;
        }
        assert!(said.contains("refuses") || said.contains("for 0 days only"), "{said}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{}", not_so(&world, "probe/tls", with).await);
}

/// A proxy that answers the first request with this status, and connects where that is 200.
async fn proxy(status: &'static str) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let (asked, heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(near.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let to = head.split(' ').nth(1).unwrap().to_owned();
            asked.send(head).unwrap();
            near.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await.unwrap();
            if status.starts_with("200") {
                let mut far = TcpStream::connect(to).await.unwrap();
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
            }
        }
    });
    (place, heard)
}

#[tokio::test]
async fn a_proxy_is_gone_through_and_its_refusal_is_told_from_the_servers() {
    let Some(server) = pages() else { return };
    let (world, _output) = world();
    let url = format!("http://127.0.0.1:{}/page.html", server.port);
    so(&world, "probe/http", json!({ "url": url })).await;
    let (place, mut heard) = proxy("200 OK").await;
    let found = so(&world, "probe/http", json!({ "url": url, "proxy": place, "contains": "Welcome" })).await;
    assert!(found.said.contains(&format!("through {place}")), "{found:?}");
    assert!(heard.recv().await.unwrap().starts_with(&format!("CONNECT 127.0.0.1:{} ", server.port)));
    let secret = password(&world, "s3cret:pass");
    so(&world, "probe/http", json!({ "url": url, "proxy": place, "proxy_user": "svc-acme", "proxy_password": secret }))
        .await;
    let asked = heard.recv().await.unwrap();
    assert!(asked.contains("\r\nProxy-Authorization: Basic c3ZjLWFjbWU6czNjcmV0OnBhc3M=\r\n"), "{asked}");
    for (status, words) in
        [("403 Forbidden", "does not let 127.0.0.1"), ("407 Proxy Authentication Required", "password")]
    {
        let (place, _heard) = proxy(status).await;
        let said = not_so(&world, "probe/http", json!({ "url": url, "proxy": format!("http://{place}/") })).await;
        assert!(said.contains(words) && said.contains(&place), "{said}");
    }
}

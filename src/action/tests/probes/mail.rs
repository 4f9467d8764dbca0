//! Mail, given to a real postfix that wants a login; and signatures, whose keys a real bind9 has.

use mail_auth::common::crypto::{RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::*;

const PASSWORD: &str = "correct-horse-battery";

fn extended(mut with: Json, more: Json) -> Json {
    with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    with
}

#[tokio::test]
async fn a_relay_takes_our_mail_or_it_is_said_at_which_point_not() {
    let Some(certificate) = servers::certificate("DNS:localhost,DNS:mail.acme.example", "90") else { return };
    let Some(server) = servers::postfix(&certificate, PASSWORD) else { return };
    let (world, mut output) = world();
    let plain = json!({ "host": "localhost", "port": server.port, "authority": certificate.authority });
    let ask = |more: Json| extended(plain.clone(), more);
    let greets = json!({ "banner": "mail.acme.example ESMTP", "capabilities": ["STARTTLS", "auth", "PIPELINING"] });
    let found = so(&world, "probe/smtp", ask(greets)).await;
    assert!(found.said.contains("STARTTLS") && found.output["certificate"]["days"].as_i64().unwrap() > 80, "{found:?}");
    let implicit = json!({ "port": server.tls, "tls": "implicit" });
    so(&world, "probe/smtp", ask(implicit)).await;

    let login = json!({ "user": "relay@acme.example", "password": password(&world, PASSWORD) });
    let addresses = json!({ "mail_from": "alerts@acme.example", "mail_to": "ops@customer.example" });
    let all = extended(login.clone(), addresses.clone());
    let found = so(&world, "probe/smtp", ask(all.clone())).await;
    assert!(found.said.contains("lets relay@acme.example in, would take mail from alerts@acme.example"), "{found:?}");

    let said = not_so(&world, "probe/smtp", ask(addresses)).await;
    assert!(said.contains("takes no mail to ops@customer.example: 554"), "without a login it is no relay: {said}");
    let said = not_so(&world, "probe/smtp", ask(json!({ "capabilities": ["XCLIENT"] }))).await;
    assert!(said.contains("does not offer XCLIENT"), "{said}");
    let said = not_so(&world, "probe/smtp", ask(json!({ "name": "smtp.other.example" }))).await;
    let whose = "its certificate is not for smtp.other.example; it shows a certificate for localhost";
    assert!(said.contains(whose), "whose certificate it is, is said: {said}");
    let said = not_so(&world, "probe/smtp", ask(json!({ "min_days": 365 }))).await;
    assert!(said.contains("holds for 8") && said.contains("days only"), "{said}");
    let stranger = json!({ "host": "localhost", "port": server.port });
    let said = not_so(&world, "probe/smtp", stranger).await;
    assert!(said.contains("Acme test authority"), "{said}");
    let said = not_so(&world, "probe/smtp", ask(json!({ "tls": "implicit" }))).await;
    assert!(said.contains("speaks no TLS"), "{said}");

    let wrong = json!({ "user": "relay@acme.example", "password": password(&world, "wrong-password-1") });
    let said = not_so(&world, "probe/smtp", ask(wrong)).await;
    assert!(said.contains("does not let relay@acme.example in: 535") && said.contains("password is wrong"), "{said}");
    assert!(!said.contains("wrong-password-1"), "{said}");
    password(&world, PASSWORD);

    let message = action("probe/message", &ask(all), &world.subject);
    assert!(matches!(message.probe(&world).await, Probe::Absent { .. }));
    let intent = DurableIntent::for_tests(&world.subject.address, "aaaa456789abcdef0123456789abcdef");
    let sent = message.apply(&world, &intent).await;
    let Outcome::Changed { said, output: made, created, .. } = sent else { panic!("{sent:?} {}", server.log()) };
    assert!(said.contains("queued as") && !created, "{said}");
    let id = text(&made, "id");
    for _ in 0..50 {
        if server.log().contains(&format!("message-id=<{id}>")) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(server.log().contains(&format!("message-id=<{id}>")), "{id} {}", server.log());
    assert!(text(&made, "answer").starts_with("250 2.0.0 Ok: queued as "), "{made:?}");
    let proof = message.verify(&world.having_made(&made)).await;
    let queued = |said: &str| said.contains(&id) && said.contains(&text(&made, "answer"));
    assert!(matches!(&proof, Verified::So(found) if queued(&found.said) && found.output == made), "{proof:?}");
    // One whose answer was lost is not said to have been taken.
    let unheard = message.verify(&world).await;
    assert!(matches!(&unheard, Verified::So(found) if !found.said.contains("queued as")), "{unheard:?}");

    let mut told = Vec::new();
    while let Ok(line) = output.try_recv() {
        told.extend(line);
    }
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(told.contains("offers") && !told.contains(PASSWORD) && !told.contains("wrong-password-1"), "{told}");
}

#[tokio::test]
async fn what_is_no_mail_server_is_said_and_no_password_goes_without_tls() {
    let (world, _output) = world();
    let refused = json!({ "host": "127.0.0.1", "port": servers::free_port() });
    let said = not_so(&world, "probe/smtp", refused).await;
    assert!(said.contains("refuses"), "{said}");
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut wire, _)) = other.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut wire, b"554 go away\r\n").await;
        }
    });
    let said = not_so(&world, "probe/smtp", json!({ "host": "127.0.0.1", "port": port })).await;
    assert!(said.contains("554 go away"), "{said}");
    let naked = json!({ "host": "127.0.0.1", "tls": "none", "user": "u", "password": password(&world, PASSWORD) });
    let call = Call::Kind { kind: "probe/smtp".to_owned(), with: naked.as_object().cloned().unwrap() };
    let Err(failure) = build(&call, &world.subject) else { panic!("a password without TLS") };
    assert!(failure.what.contains("without TLS"), "{failure:?}");
}

/// A message by this domain's key, and the records that belong to it.
struct Signed {
    message: String,
    key: String,
}

fn signed(from: &str, by: &str) -> Option<Signed> {
    let openssl = servers::installed("openssl")?;
    let folder = servers::Server::folder();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (private, public) = (at("private.pem"), at("public.der"));
    servers::run(&openssl, &["genrsa", "-traditional", "-out", &private, "2048"]);
    servers::run(&openssl, &["rsa", "-in", &private, "-pubout", "-outform", "DER", "-out", &public]);
    let pem = std::fs::read(&private).unwrap();
    let key = RsaKey::<Sha256>::from_key_der(PrivateKeyDer::from_pem_slice(&pem).unwrap()).unwrap();
    let text =
        format!("From: {from}\r\nTo: ops@customer.example\r\nSubject: Disk full\r\n\r\nThe disk of app-1 is full.\r\n");
    let signer = DkimSigner::from_key(key).domain(by).selector("s1").headers(["From", "To", "Subject"]);
    let header = signer.sign(text.as_bytes()).unwrap().to_header();
    use base64::Engine;
    let key = base64::engine::general_purpose::STANDARD.encode(std::fs::read(&public).unwrap());
    Some(Signed { message: format!("{header}{text}"), key })
}

fn zone(key: &str, spf: &str) -> String {
    let (first, rest) = key.split_at(200);
    format!(
        "$TTL 60\n@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n@ IN TXT \"{spf}\"\n\
         s1._domainkey IN TXT \"v=DKIM1; k=rsa; p={first}\" \"{rest}\"\n_dmarc IN TXT \"v=DMARC1; p=reject\"\n\
         _spf IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\nrelay IN A 203.0.113.9\n"
    )
}

#[tokio::test]
async fn a_signed_message_is_verified_and_one_that_was_touched_is_not() {
    let Some(good) = signed("alerts@acme.example", "acme.example") else { return };
    let Some(other) = signed("alerts@acme.example", "mailer.example") else { return };
    let serves = "zone \"acme.example\" { type primary; file \"@/zone\"; };\n\
                  zone \"mailer.example\" { type primary; file \"@/mailer\"; };\n\
                  zone \"example\" { type primary; file \"@/above\"; };\n";
    let spf = "v=spf1 include:_spf.acme.example a:relay.acme.example ~all";
    let above = zone(&other.key, "v=spf1 -all");
    let files = [("zone", zone(&good.key, spf)), ("mailer", above.clone()), ("above", above)];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let Some(mut server) = servers::named(serves, &files) else { return };
    let (world, _output) = world();
    let port = server.port;
    let ask =
        |message: &str, more: Json| extended(json!({ "message": message, "server": "127.0.0.1", "port": port }), more);
    let found = so(&world, "probe/dkim", ask(&good.message, json!({ "domain": "acme.example" }))).await;
    assert!(found.said.contains("dkim=pass") && found.output["dmarc"] == json!("pass (p=reject)"), "{found:?}");
    // As people save it: without the carriage returns.
    let file = server.folder.path().join("message.eml");
    std::fs::write(&file, good.message.replace("\r\n", "\n")).unwrap();
    let from_file = json!({ "file": file.display().to_string(), "server": "127.0.0.1", "port": server.port });
    so(&world, "probe/dkim", from_file).await;
    for address in ["192.0.2.77", "203.0.113.9"] {
        let sent = json!({ "ip": address, "mail_from": "bounce@acme.example" });
        let found = so(&world, "probe/dkim", ask(&good.message, sent)).await;
        assert!(found.said.contains("spf=pass"), "{found:?}");
    }
    let sent = json!({ "ip": "198.51.100.1", "mail_from": "bounce@acme.example" });
    let said = not_so(&world, "probe/dkim", ask(&good.message, sent)).await;
    assert!(said.contains("spf=softfail"), "{said}");
    let said = not_so(&world, "probe/dkim", ask(&good.message.replace("app-1", "app-2"), json!({}))).await;
    assert!(said.contains("no signature holds") && said.contains("body hash"), "{said}");
    let said = not_so(&world, "probe/dkim", ask(&good.message.replace("Disk full", "Disk fine"), json!({}))).await;
    assert!(said.contains("no signature holds"), "{said}");
    let said = not_so(&world, "probe/dkim", ask(&other.message, json!({}))).await;
    assert!(said.contains("mailer.example") && said.contains("not aligned"), "{said}");
    let bare = good.message.split_once("From: ").unwrap().1;
    let said = not_so(&world, "probe/dkim", ask(&format!("From: {bare}"), json!({}))).await;
    assert!(said.contains("not signed"), "{said}");
    let without = zone(&good.key, spf).replace("s1._domainkey", "s2._domainkey");
    servers::write(&server.folder, "zone", &without);
    server.stop();
    let said = unknown(&world, "probe/dkim", ask(&good.message, json!({}))).await;
    assert!(said.contains("could not be looked up"), "{said}");
    server.again();
    for _ in 0..50 {
        if let Verified::NotYet { said } = super::ask(&world, "probe/dkim", &ask(&good.message, json!({}))).await {
            assert!(said.contains("not found"), "the key is gone: {said}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{}", server.log());
}

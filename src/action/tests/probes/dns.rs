//! Names, asked of real bind9 servers: authoritative, forwarding, signed, refusing, and gone.

use super::*;

const ZONE: &str = "$TTL 300
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
@ IN NS ns2.provider.example.
@ IN MX 10 mail
@ IN TXT \"v=spf1 include:amazonses.com ~all\"
ns1 IN A 127.0.0.1
gw 60 IN A 10.40.10.20
gw 60 IN A 10.40.11.20
www IN CNAME gw
mail IN A 10.40.20.5
";

const SERVES: &str = "options {\n  recursion no;\n};\nzone \"acme.example\" { type primary; file \"@/zone\"; };\n\
                      zone \"10.40.10.in-addr.arpa\" { type primary; file \"@/reverse\"; };\n";
const REVERSE: &str = "$TTL 300\n@ IN SOA ns1.acme.example. h.acme.example. 1 60 60 60 60\n@ IN NS ns1.acme.example.\n\
                       20 IN PTR gw.acme.example.\n";

fn zone() -> String {
    // Longer than a datagram: a server that is asked by UDP only says so.
    let long: String = (0..20).map(|_| format!(" \"{}\"", "k".repeat(200))).collect();
    format!("{ZONE}long IN TXT{long}\n")
}

fn server() -> Option<servers::Server> {
    servers::named(SERVES, &[("zone", &zone()), ("reverse", REVERSE)])
}

fn question(server: &servers::Server, more: Json) -> Json {
    let mut with = json!({ "name": "gw.acme.example", "server": "127.0.0.1", "port": server.port });
    with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    with
}

/// Handed to bind9 by nsupdate, and as a zone file.
#[tokio::test]
async fn what_is_handed_out_is_taken_by_a_real_name_server_and_found_there() {
    let statements = "options {\n  recursion no;\n};\nzone \"mc.acme.example\" { type primary; file \"@/zone\"; allow-update { any; }; };\n\
                      zone \"filed.example\" { type primary; file \"@/filed\"; };\n";
    let head = "$TTL 300\n@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n";
    let (world, _output) = world();
    let records = |zone: &str| {
        json!([
            { "name": zone, "type": "TXT", "value": "it's \"ours\"; v=1" },
            { "name": zone, "type": "MX", "value": format!("10 app-1.{zone}") },
            { "name": zone, "type": "CAA", "value": "0 issue \"ca.example\"" },
            { "name": format!("_sip._tcp.{zone}"), "type": "SRV", "value": format!("0 5 5060 app-1.{zone}") },
            { "name": format!("www.{zone}"), "type": "CNAME", "value": format!("app-1.{zone}") },
        ])
    };
    let wanted = |zone: &str, more: Json| {
        let mut with = json!({ "records": records(zone), "hosts": { "app-1": "10.40.10.11" }, "domain": zone });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with
    };
    let handed = async |zone: &str, form: &str| {
        let found = so(&world, "aws/dns-handout", wanted(zone, json!({ "format": form, "ttl": 60 }))).await;
        found.output["text"].as_str().unwrap().to_owned()
    };
    let filed = format!("{head}{}", handed("filed.example", "bind").await);
    let Some(server) = servers::named(statements, &[("zone", head), ("filed", &filed)]) else { return };
    let Some(nsupdate) = servers::installed("nsupdate") else { return };
    let at = format!("127.0.0.1:{}", server.port);
    so(&world, "probe/dns-records", wanted("filed.example", json!({ "server": at }))).await;
    let before = not_so(&world, "probe/dns-records", wanted("mc.acme.example", json!({ "server": at }))).await;
    assert!(before.contains("app-1.mc.acme.example") || before.contains("more"), "{before}");
    let updates = format!("server 127.0.0.1 {}\n{}", server.port, handed("mc.acme.example", "nsupdate").await);
    let file = servers::write(&server.folder, "updates", &updates);
    servers::run(&nsupdate, &[&file]);
    so(&world, "probe/dns-records", wanted("mc.acme.example", json!({ "server": at }))).await;
}

#[tokio::test]
async fn many_records_are_asked_at_once_and_those_that_are_wrong_are_named() {
    let Some(mut server) = server() else { return };
    let (world, _output) = world();
    let row = |name: &str, kind: &str, value: &str| json!({ "name": name, "type": kind, "value": value });
    let ask = |more: Json| {
        let mut rows = vec![
            row("gw.acme.example", "A", "10.40.11.20"),
            row("acme.example", "MX", "10 mail.acme.example"),
            row("gw.acme.example", "A", "10.40.10.20"),
            row("acme.example", "TXT", "v=spf1 include:amazonses.com ~all"),
        ];
        rows.extend(more.as_array().unwrap().clone());
        let server = format!("127.0.0.1:{}", server.port);
        json!({ "records": rows, "hosts": { "mail": "10.40.20.5" }, "domain": "acme.example", "server": server })
    };
    let found = so(&world, "probe/dns-records", ask(json!([]))).await;
    assert!(found.said.starts_with("4 records as agreed, from 127.0.0.1:"), "{found:?}");
    assert_eq!(found.output["answers"]["gw.acme.example A"], json!(["10.40.10.20", "10.40.11.20"]));
    let wrong =
        json!([row("www.acme.example", "CNAME", "old.acme.example"), row("gone.acme.example", "A", "10.0.0.1")]);
    let said = not_so(&world, "probe/dns-records", ask(wrong.clone())).await;
    assert!(
        said.contains("www.acme.example CNAME") && said.contains("answers gw.acme.example, not old.acme.example"),
        "{said}"
    );
    assert!(said.contains("gone.acme.example A") && !said.contains("MX"), "{said}");
    let with = ask(json!([]));
    server.stop();
    let said = not_so(&world, "probe/dns-records", with.clone()).await;
    assert!(said.contains("nothing listens there") && said.contains("and 1 record more"), "{said}");
    server.again();
    so(&world, "probe/dns-records", with).await;
}

#[tokio::test]
async fn a_name_server_answers_as_expected_or_it_is_said_how_not() {
    let Some(mut server) = server() else { return };
    let (world, _output) = world();
    let ask = |more: Json| question(&server, more);
    let found = so(&world, "probe/dns", ask(json!({ "expect": ["10.40.11.20", "10.40.10.20"] }))).await;
    assert_eq!(found.output["answers"], json!(["10.40.10.20", "10.40.11.20"]), "{}", server.log());
    assert_eq!(found.output["ttl"], json!(60));
    so(&world, "probe/dns", ask(json!({ "contains": "10.40.10.20" }))).await;
    so(&world, "probe/dns", ask(json!({ "name": "WWW.Acme.Example.", "contains": "10.40.10.20" }))).await;
    so(&world, "probe/dns", ask(json!({ "name": "www.acme.example", "type": "CNAME", "expect": "gw.acme.example." })))
        .await;
    so(&world, "probe/dns", ask(json!({ "name": "acme.example", "type": "mx", "expect": "10 mail.acme.example" })))
        .await;
    let text = json!({ "name": "acme.example", "type": "TXT", "expect": "v=spf1 include:amazonses.com ~all" });
    so(&world, "probe/dns", ask(text)).await;
    let delegation =
        json!({ "name": "acme.example", "type": "NS", "expect": ["ns1.acme.example", "ns2.provider.example"] });
    so(&world, "probe/dns", ask(delegation)).await;
    so(&world, "probe/dns", ask(json!({ "transport": "tcp", "contains": "10.40.11.20" }))).await;
    so(&world, "probe/dns", ask(json!({ "name": "gone.acme.example", "absent": true }))).await;
    so(&world, "probe/dns", ask(json!({ "type": "AAAA", "absent": true }))).await;
    let long = so(&world, "probe/dns", ask(json!({ "name": "long.acme.example", "type": "TXT" }))).await;
    assert_eq!(long.output["servers"][format!("127.0.0.1:{}", server.port)]["over"], json!("TCP"));

    let said = not_so(&world, "probe/dns", ask(json!({ "expect": "10.40.10.20" }))).await;
    assert!(said.contains("answers 10.40.10.20, 10.40.11.20, not 10.40.10.20"), "{said}");
    let said = not_so(&world, "probe/dns", ask(json!({ "absent": true }))).await;
    assert!(said.contains("still answers 10.40.10.20"), "{said}");
    let said = not_so(&world, "probe/dns", ask(json!({ "name": "gone.acme.example" }))).await;
    assert!(said.contains("NXDOMAIN"), "{said}");
    let said = not_so(&world, "probe/dns", ask(json!({ "type": "MX" }))).await;
    assert!(said.contains("no MX record"), "{said}");
    let said = not_so(&world, "probe/dns", ask(json!({ "dnssec": "authenticated" }))).await;
    assert!(said.contains("not signed"), "{said}");
    let said = not_so(&world, "probe/dns", ask(json!({ "name": "www.example.org" }))).await;
    assert!(said.contains("REFUSED"), "it is nobody's resolver: {said}");

    server.stop();
    let with = question(&server, json!({ "contains": "10.40.10.20" }));
    let said = not_so(&world, "probe/dns", with.clone()).await;
    assert!(said.contains("nothing listens there"), "{said}");
    let gone = question(&server, json!({ "name": "gone.acme.example", "absent": true }));
    unknown(&world, "probe/dns", gone).await;
    server.again();
    so(&world, "probe/dns", with).await;
}

#[tokio::test]
async fn one_of_several_name_servers_that_differs_is_named() {
    let Some(good) = server() else { return };
    let old = zone().replace("10.40.11.20", "10.40.99.99");
    let Some(stale) = servers::named(SERVES, &[("zone", &old), ("reverse", REVERSE)]) else { return };
    let (world, _output) = world();
    for server in [&good, &stale] {
        so(&world, "probe/dns", question(server, json!({}))).await;
    }
    // Both ask the same port, so one is reached by another address of the loopback.
    let forwards = format!(
        "options {{\n  recursion yes; allow-recursion {{ any; }}; dnssec-validation no; forward only;\n  \
         forwarders {{ 127.0.0.1 port {}; }};\n}};\n",
        stale.port
    );
    let Some(forwarder) = servers::named(&forwards, &[]) else { return };
    let through = so(&world, "probe/dns", question(&forwarder, json!({ "contains": "10.40.99.99" }))).await;
    assert!(through.said.contains("10.40.99.99"), "{through:?}");
    let said = not_so(&world, "probe/dns", question(&forwarder, json!({ "contains": "10.40.11.20" }))).await;
    assert!(said.contains(&format!("127.0.0.1:{} answers", forwarder.port)), "{said}");
    drop(stale);
    let said = not_so(&world, "probe/dns", question(&forwarder, json!({ "name": "new.acme.example" }))).await;
    assert!(said.contains("SERVFAIL") || said.contains("does not answer"), "what it forwards to is gone: {said}");
}

#[tokio::test]
async fn name_servers_that_do_not_agree_are_named_with_what_each_says() {
    let Some(one) = server() else { return };
    let other = zone().replace("10.40.11.20", "10.40.99.99").replace("hostmaster 1 ", "hostmaster 2 ");
    let Some(two) = servers::named(SERVES, &[("zone", &other), ("reverse", REVERSE)]) else { return };
    let (world, _output) = world();
    for server in [&one, &two] {
        so(&world, "probe/dns", question(server, json!({}))).await;
    }
    let both: Vec<String> = [&one, &two].map(|server| format!("127.0.0.1:{}", server.port)).to_vec();
    let asked = |more: Json| question(&one, more);
    let said = not_so(&world, "probe/dns", asked(json!({ "server": both }))).await;
    let wanted = format!(
        "they do not agree: {} answers 10.40.10.20, 10.40.11.20 and {} answers 10.40.10.20, 10.40.99.99",
        both[0], both[1]
    );
    assert!(said.contains(&wanted), "{said}");
    // What both say the same counts; of its SOA each may have its own, and what else is there was not asked for.
    so(&world, "probe/dns", asked(json!({ "server": both, "type": "MX", "name": "acme.example" }))).await;
    so(&world, "probe/dns", asked(json!({ "server": both, "type": "SOA", "name": "acme.example" }))).await;
    so(&world, "probe/dns", asked(json!({ "server": both, "contains": "10.40.10.20" }))).await;
}

#[tokio::test]
async fn one_text_and_one_alone_begins_as_it_has_to() {
    let texts = "_dmarc IN TXT \"v=DMARC1; p=none\"\n_dmarc IN TXT \"another\"\nnone IN TXT \"another\"\n\
                 two IN TXT \"v=DMARC1; p=none\"\ntwo IN TXT \"v=DMARC1; p=reject\"\n";
    let Some(one) = servers::named(SERVES, &[("zone", &format!("{ZONE}{texts}")), ("reverse", REVERSE)]) else {
        return;
    };
    let other = format!("{ZONE}{}", texts.replacen("p=none", "p=quarantine", 1));
    let Some(two) = servers::named(SERVES, &[("zone", &other), ("reverse", REVERSE)]) else { return };
    let (world, _output) = world();
    let ask = |name: &str, more: Json| {
        let mut with = json!({ "name": format!("{name}.acme.example"), "type": "TXT", "begins": "v=DMARC1" });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        question(&one, with)
    };
    so(&world, "probe/dns", ask("_dmarc", json!({}))).await;
    let said = not_so(&world, "probe/dns", ask("none", json!({}))).await;
    assert!(said.contains("answers another, and nothing that begins with v=DMARC1"), "{said}");
    let said = not_so(&world, "probe/dns", ask("two", json!({}))).await;
    assert!(said.contains("of which one alone may begin with v=DMARC1"), "{said}");
    so(&world, "probe/dns", question(&two, json!({}))).await;
    let both: Vec<String> = [&one, &two].map(|server| format!("127.0.0.1:{}", server.port)).to_vec();
    let said = not_so(&world, "probe/dns", ask("_dmarc", json!({ "server": both }))).await;
    assert!(said.contains("they do not agree") && said.contains("p=quarantine"), "{said}");
}

#[tokio::test]
async fn a_signed_zone_is_validated_here_and_a_wrong_key_is_not_believed() {
    let signed =
        "zone \"acme.example\" { type primary; file \"@/zone\"; dnssec-policy default; inline-signing yes; };\n";
    let Some(server) =
        servers::named(&format!("options {{\n  key-directory \"@\";\n}};\n{signed}"), &[("zone", &zone())])
    else {
        return;
    };
    let (world, _output) = world();
    so(&world, "probe/dns", question(&server, json!({ "name": "acme.example", "type": "DNSKEY" }))).await;
    let files = std::fs::read_dir(server.folder.path()).unwrap().map(|file| file.unwrap().path());
    let file = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "key"))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("Kacme")));
    let text = std::fs::read_to_string(file.unwrap()).unwrap();
    let line = text.lines().find(|line| !line.starts_with(';')).unwrap();
    let anchor = format!("acme.example {}", line.split_once("DNSKEY").unwrap().1);
    let ask = |anchor: &str| {
        let asked = json!({ "dnssec": "validated", "anchor": anchor, "contains": "10.40.10.20" });
        question(&server, asked)
    };
    let found = so(&world, "probe/dns", ask(&anchor)).await;
    assert!(found.said.contains("signed") && found.output["authenticated"] == json!(true), "{found:?}");
    let other = "acme.example 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==";
    let said = not_so(&world, "probe/dns", ask(other)).await;
    assert!(said.contains("cannot be validated"), "{said}");
    let wrong =
        Call::Kind { kind: "probe/dns".to_owned(), with: ask("acme.example 1 2 3").as_object().cloned().unwrap() };
    assert!(build(&wrong, &world.subject).is_err());
}

#[tokio::test]
async fn where_mail_of_a_domain_goes_is_seen_as_a_mail_server_sees_it() {
    let zones = ["acme.example", "plain.example", "six.example", "refuses.example", "empty.example"];
    let head = "$TTL 300\n@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n";
    let more = ["@ IN MX 10 mail\n", "@ IN A 10.40.1.1\n", "@ IN AAAA 2001:db8::1\n", "@ IN MX 0 .\n", ""];
    let statements = zones.map(|zone| format!("zone \"{zone}\" {{ type primary; file \"@/{zone}\"; }};\n"));
    let statements = format!("options {{\n  recursion no;\n}};\n{}", statements.concat());
    let files: Vec<(&str, String)> = zones.into_iter().zip(more.map(|more| format!("{head}{more}"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(zone, text)| (*zone, text.as_str())).collect();
    let Some(server) = servers::named(&statements, &files) else { return };
    let (world, _output) = world();
    let ask = |addresses: &[&str]| json!({ "addresses": addresses, "server": "127.0.0.1", "port": server.port });
    let good =
        so(&world, "probe/mail-domains", ask(&["ops@Acme.example", "", "a@plain.example", "b@six.example"])).await;
    let expected = json!({ "acme.example": ["mail.acme.example"], "plain.example": ["10.40.1.1"], "six.example": ["2001:db8::1"] });
    assert_eq!(good.output["domains"], expected);
    for (address, why) in [
        ("ops@refuses.example", "refuses.example says that it takes none (its MX record is a dot)"),
        ("ops@empty.example", "empty.example has no MX record and no address"),
        ("ops@nowhere.acme.example", "there is no domain nowhere.acme.example"),
    ] {
        let said = not_so(&world, "probe/mail-domains", ask(&["a@acme.example", address])).await;
        assert_eq!(said, format!("mail to {address} arrives nowhere: {why}"));
    }
    // A server that refuses to answer tells nothing of a domain.
    let said = unknown(&world, "probe/mail-domains", ask(&["ops@elsewhere.example"])).await;
    assert!(said.contains("elsewhere.example MX could not be looked up"), "{said}");
}

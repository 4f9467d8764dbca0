//! Where mail stands still: the diagnosis of mail, before servers of the test's own, and in practice.

use std::fs;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::diagnoses::{ROOT, branch, gives, kept, scenario, until};
use super::meddling::Does;
use super::*;
use crate::practice::net::Source;

/// One step that asks the mail server, over the diagnosis of mail.
const MAIL: &str = "runbook: mail
title: Mail
phase: mail
inputs:
  - {id: smtp.host, label: Host, kind: text}
  - {id: smtp.port, label: Port, kind: port}
  - {id: smtp.tls, label: TLS, kind: choice, choices: [starttls, implicit, none]}
  - {id: smtp.auth, label: Login, kind: choice, choices: [login, plain, cram-md5, none]}
  - {id: smtp.username, label: User, kind: text, when: smtp.auth != \"none\"}
  - {id: smtp.password, label: Password, kind: secret, use: password, when: smtp.auth != \"none\"}
  - {id: smtp.ca_pem, label: Authority, kind: text, optional: true}
  - {id: smtp.from, label: From, kind: email}
  - {id: mail.test_to, label: To, kind: email}
  - {id: smtp.mode, label: Mode, kind: text}
  - {id: mail.relay, label: Relay, kind: text, optional: true}
  - {id: mail.ses_host, label: Amazon's server, kind: text, optional: true}
  - {id: mail.ses_user, label: User there, kind: text, optional: true}
  - {id: mail.login, label: Password there, kind: secret, use: password, optional: true}
  - {id: ses.region, label: Region, kind: text, optional: true}
  - {id: ses.domain, label: Domain, kind: text, optional: true}
  - {id: ses.mail_from, label: MAIL FROM, kind: text, optional: true}
  - {id: net.nat_mode, label: Way out, kind: choice, choices: [per_az, none, none_proxy, none_private_link], optional: true}
  - {id: net.access_path, label: Way in, kind: text, optional: true}
  - {id: conn.mode, label: Connection, kind: choice, choices: [none, ipsec_vpn, direct_connect], optional: true}
  - {id: aws.region_dr, label: Second region, kind: text, optional: true}
  - {id: mon.http_proxy_host, label: Proxy, kind: text, optional: true}
  - {id: mon.http_proxy_port, label: Its port, kind: port, optional: true}
  - {id: mon.http_proxy_user, label: Its user, kind: text, optional: true}
  - {id: mon.http_proxy_password, label: Its password, kind: secret, use: password, optional: true}
  - {id: vpn.ping_target, label: There, kind: text, optional: true}
steps:
  - {id: asks, title: Asks, form: [smtp.mode, mail.relay, mail.ses_host, mail.ses_user, mail.login, ses.region, ses.domain, ses.mail_from, net.nat_mode, net.access_path, conn.mode, aws.region_dr, mon.http_proxy_host, mon.http_proxy_port, mon.http_proxy_user, mon.http_proxy_password, vpn.ping_target, smtp.host, smtp.port, smtp.tls, smtp.auth, smtp.username, smtp.password, smtp.ca_pem, smtp.from, mail.test_to]}
  - {id: open, title: Open, probe: tcp, with: {address: \"{{ smtp.host }}\", port: \"{{ smtp.port }}\"}, diagnosis: mail-path}
  - {id: open-from, title: Open from there, probe: tcp, with: {address: \"{{ smtp.host }}\", port: \"{{ smtp.port }}\", from: web-7}, diagnosis: mail-path}
";

async fn of_mail(host: &str, port: u16, tls: &str) -> Stage {
    let diagnosis = fs::read_to_string(Path::new(ROOT).join("runbooks/managed-cloud/diagnosis-mail.yaml")).unwrap();
    let files = [("mail.yaml".to_owned(), MAIL.to_owned()), ("diagnosis-mail.yaml".to_owned(), diagnosis)];
    let stage = Stage::of(&files, Faults::none(), Pace::Instant);
    let desk = stage.open().await;
    for (id, text) in [
        ("smtp.mode", "own_server"),
        ("smtp.host", host),
        ("smtp.port", &port.to_string()),
        ("smtp.tls", tls),
        ("smtp.auth", "none"),
        ("smtp.from", "alerts@acme.example"),
        ("mail.test_to", "ops@acme.example"),
    ] {
        desk.give(id, text);
    }
    desk.close().await;
    stage
}

/// A mail server that greets with this line, and answers what is asked of it with the first line that fits.
async fn relay(greeting: &'static str, answers: &'static [(&'static str, &'static str)]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((wire, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut wire = BufReader::new(wire);
                let mut said = greeting;
                loop {
                    let sent = wire.write_all(format!("{said}\r\n").as_bytes()).await;
                    let mut line = String::new();
                    if sent.is_err() || wire.read_line(&mut line).await.unwrap_or(0) == 0 {
                        return;
                    }
                    said = answers.iter().find(|(word, _)| line.starts_with(word)).map_or("250 Ok", |(_, said)| said);
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_mail_path_that_fails_says_which_branch_it_is_in() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(branch(&of_mail("127.0.0.1", free, "none").await, "mail/open").await, "mail-path/nothing-listens");
    // It is asked from where the step looked.
    let stage = of_mail("127.0.0.1", free, "none").await;
    let mut desk = stage.open().await;
    let diagnosed = desk.diagnose("mail/open-from").await;
    desk.close().await;
    assert_eq!(branch(&stage, "mail/open-from").await, "mail-path/host-out-of-reach");
    assert!(diagnosed.asked[0].answered.said.contains("no host called \"web-7\""), "{diagnosed:?}");
    const EHLO: (&str, &str) = ("EHLO", "250-relay.acme.example\r\n250 SIZE 10240000");
    let turns_away = relay("554 5.7.1 You are not on our list", &[]).await;
    assert_eq!(branch(&of_mail("127.0.0.1", turns_away, "none").await, "mail/open").await, "mail-path/turned-away");
    let refuses = relay("220 relay ESMTP", &[EHLO, ("RCPT", "554 5.7.1 Relay access denied")]).await;
    assert_eq!(branch(&of_mail("127.0.0.1", refuses, "none").await, "mail/open").await, "mail-path/relay-denied");
    assert_eq!(branch(&of_mail("127.0.0.1", refuses, "starttls").await, "mail/open").await, "mail-path/no-starttls");
    let takes = relay("220 relay ESMTP", &[EHLO]).await;
    assert_eq!(branch(&of_mail("127.0.0.1", takes, "none").await, "mail/open").await, "mail-path/takes-mail-unasked");
    // A server of the practice Internet, of whose authority this machine knows nothing; and a port that is silent.
    let mut stage = of_mail("smtp.acme.example", 587, "starttls").await;
    stage.dial = stage.account.dialer();
    assert_eq!(branch(&stage, "mail/open").await, "mail-path/certificate");
    let mut stage = of_mail("192.168.1.25", 587, "starttls").await;
    stage.dial = stage.account.dialer();
    assert_eq!(branch(&stage, "mail/open").await, "mail-path/port-blocked");
    // Nobody's firewall, where we have no way there at all.
    let desk = stage.open().await;
    [("net.nat_mode", "none_proxy"), ("conn.mode", "none")].iter().for_each(|(id, text)| desk.give(id, text));
    desk.close().await;
    assert_eq!(branch(&stage, "mail/open").await, "mail-path/no-way-out");
    // Behind a connection the data centre is asked first.
    let mut stage = of_mail("192.168.1.25", 587, "starttls").await;
    stage.dial = stage.account.dialer();
    gives(&stage, &[("conn.mode", "ipsec_vpn"), ("vpn.ping_target", "192.168.1.50")]).await;
    assert_eq!(branch(&stage, "mail/open").await, "mail-path/mail-blocked");

    // Its name is in no name server.
    let mut stage = of_mail("nowhere", 587, "starttls").await;
    stage.dial = stage.account.dialer();
    assert_eq!(branch(&stage, "mail/open").await, "mail-path/unreachable");
    // It speaks in the clear where TLS is to begin at once; and what we were given as its authority is none.
    assert_eq!(branch(&of_mail("127.0.0.1", takes, "implicit").await, "mail/open").await, "mail-path/no-tls");
    let stage = of_mail("127.0.0.1", takes, "none").await;
    gives(&stage, &[("smtp.ca_pem", "no certificate"), ("mail.relay", "direct")]).await;
    assert_eq!(branch(&stage, "mail/open").await, "mail-path/not-asked");
}

/// With the connection down nothing is known of what stands behind it, and nobody's firewall is to blame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_down_comes_before_the_customers_firewall() {
    let mut stage = scenario("03-vpn-bgp.yaml").await;
    stage.net = Some(stage.account.net());
    until(&stage, "mail/port-open").await;
    until(&stage, "dns/servers-answer").await;
    let port_open = "mail/port-open[app-1]";
    assert_eq!(branch(&stage, port_open).await, "mail-path/takes-mail");
    for vpn in ["connection.vpn_id", "connection.second_vpn_id"].map(|name| kept(&stage, name)) {
        for number in [0, 1] {
            stage.account.cloud().break_tunnel(&vpn, number, Some("IPSEC IS DOWN")).await;
        }
    }
    assert_eq!(branch(&stage, port_open).await, "mail-path/no-way-to-the-server");
    // A host that asks the data centre for names itself.
    let app = kept(&stage, "access.host_ids.app-1");
    let asks_there = "rm /etc/resolv.conf; echo 'nameserver 192.168.1.10' >/etc/resolv.conf";
    let done = stage.account.at_console(&app, asks_there).await.unwrap();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(branch(&stage, "dns/records-found[app-1]").await, "names/no-way-to-the-servers");
}

/// The customer's server of the practice Internet, of which this machine knows the authority.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_wants_a_login_says_what_is_wrong_with_ours() {
    let mut stage = of_mail("smtp.acme.example", 465, "implicit").await;
    stage.net = Some(stage.account.net());
    let login = [("smtp.auth", "login"), ("smtp.username", "alerts"), ("smtp.password", "prompt")];
    gives(&stage, &login).await;
    stage.let_be();
    assert_eq!(branch(&stage, "mail/open").await, "mail-path/takes-mail");
    for (line, says, wanted) in [
        ("AUTH", "535 5.7.8 Authentication failed", "mail-path/login-refused"),
        ("EHLO", "250 smtp.acme.example", "mail-path/no-such-login"),
        ("RCPT", "553 5.7.1 Sender address rejected: not owned by user alerts", "mail-path/sender-refused"),
    ] {
        stage.meddled(Does::Mail(line, says));
        assert_eq!(branch(&stage, "mail/open").await, wanted, "{line}");
    }
    stage.let_be();
    gives(&stage, &[("smtp.auth", "cram-md5"), ("mail.relay", "direct")]).await;
    assert_eq!(branch(&stage, "mail/open").await, "mail-path/login-on-the-hosts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amazon_ses_that_takes_no_mail_says_why() {
    let mut stage = scenario("01-no-connection.yaml").await;
    stage.net = Some(stage.account.net());
    until(&stage, "mail/passes").await;
    let passes = "mail/passes[app-1]";
    assert_eq!(branch(&stage, passes).await, "mail-path/ses-takes-mail");

    // What SES says of the domain and of the account.
    for (words, wanted) in [
        (
            &[("\"VerifiedForSendingStatus\":true", "\"VerifiedForSendingStatus\":false")],
            "mail-path/identity-not-verified",
        ),
        (&[("\"ProductionAccessEnabled\":true", "\"ProductionAccessEnabled\":false")], "mail-path/sandbox"),
        (&[("\"EnforcementStatus\":\"HEALTHY\"", "\"EnforcementStatus\":\"SHUTDOWN\"")], "mail-path/sending-stopped"),
    ] {
        stage.aws_says = words;
        assert_eq!(branch(&stage, passes).await, wanted);
    }
    stage.aws_says = &[];

    // What its server says of the login and of the message.
    for (line, says, wanted) in [
        ("AUTH", "535 Authentication Credentials Invalid", "mail-path/ses-credentials"),
        ("RCPT", "554 Access denied: User is not authorized to perform ses:SendRawEmail", "mail-path/ses-refuses"),
        ("RCPT", "454 Throttling failure: Maximum sending rate exceeded", "mail-path/ses-other"),
    ] {
        stage.meddled(Does::Mail(line, says));
        assert_eq!(branch(&stage, passes).await, wanted, "{line}");
    }

    // The way there: nobody gets out, then the bastion alone does not, which tries the login; then it is not reached itself.
    let drops = |from: Option<std::net::IpAddr>| {
        Does::Drops(Box::new(move |whose, _, port| port == 587 && from.is_none_or(|from| whose == Source::Host(from))))
    };
    stage.meddled(drops(None));
    assert_eq!(branch(&stage, passes).await, "mail-path/ses-blocked");
    let bastion = kept(&stage, "access.bastion_id");
    let machines = stage.account.cloud().machines().await;
    let at = machines.iter().find(|machine| machine.instance_id == bastion).unwrap().private_ip;
    stage.meddled(drops(Some(at.into())));
    assert_eq!(branch(&stage, passes).await, "mail-path/ses-not-reached");
    stage.let_be();
    stage.account.at_console(&bastion, "systemctl stop ssh.socket ssh.service").await.unwrap();
    assert_eq!(branch(&stage, passes).await, "mail-path/ses-not-asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amazon_ses_behind_an_endpoint_is_our_own_affair() {
    let mut stage = scenario("19-ses-direct.yaml").await;
    stage.net = Some(stage.account.net());
    until(&stage, "mail/way-out").await;
    stage.meddled(Does::Drops(Box::new(|_, _, port| port == 2465)));
    assert_eq!(branch(&stage, "mail/way-out[app-1]").await, "mail-path/no-endpoint");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_region_is_asked_after_itself() {
    let mut stage = scenario("10-access-datacentre.yaml").await;
    until(&stage, "mail/second-verified").await;
    until(&stage, "mail/second-granted").await;
    for step in ["mail/second-verified", "mail/second-granted"] {
        assert_eq!(branch(&stage, step).await, "mail-path/second-region-well");
    }
    stage.aws_says = &[("\"VerifiedForSendingStatus\":true", "\"VerifiedForSendingStatus\":false")];
    let mut desk = stage.open().await;
    let said = format!("{:?}", desk.diagnose("mail/second-verified").await);
    assert!(said.contains("identity-not-verified") && said.contains("eu-central-1 here"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_by_the_web_is_asked_after_by_the_web() {
    let mut stage = scenario("17-dx-allocated.yaml").await;
    stage.net = Some(stage.account.net());
    until(&stage, "mail/web-way-out").await;
    until(&stage, "mail/verified").await;
    until(&stage, "mail/granted").await;
    let out = "mail/web-way-out[app-1]";
    assert_eq!(branch(&stage, out).await, "mail-path/ses-web-well");
    // Whoever sends is no host to look from.
    assert_eq!(branch(&stage, "mail/test").await, "mail-path/ses-web-well");
    stage.meddled(Does::Drops(Box::new(|_, _, port| port == 3128)));
    assert_eq!(branch(&stage, out).await, "mail-path/ses-web-blocked");
}

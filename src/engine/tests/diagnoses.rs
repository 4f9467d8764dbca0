//! What is the matter: the diagnoses of the shipped runbook, on an engagement in practice that is walked until it works and
//! then broken in one way after the other; and on mail servers of the test's own.

use std::fs;

use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::aws::direct_connect::types::RouteFilterPrefix;
use crate::aws::filter;
use crate::engagement::{Diagnosed, So};
use crate::input::from_plain;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn shipped() -> Vec<(String, String)> {
    let folder = Path::new(ROOT).join("runbooks/managed-cloud");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, String)> =
        paths.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect();
    files.sort();
    files
}

/// The engagement of a scenario, its key made, the customer's data centre there.
async fn scenario(name: &str) -> Stage {
    scenario_but(name, &[]).await
}

/// The same, some answers other ones.
pub(super) async fn scenario_but(name: &str, others: &[(&str, &str)]) -> Stage {
    let mut stage = Stage::of(&shipped(), Faults::none(), Pace::Instant);
    let key = stage.folder().join("operator_ed25519");
    let public = ssh::new_key_file(&key).unwrap();
    stage.account.furnish(&public).await.unwrap();
    stage.dial = stage.account.dialer();
    tokio::spawn(stage.account.clone().follow());
    let text = fs::read_to_string(Path::new(ROOT).join("tests/scenarios").join(name)).unwrap();
    let mut answers: BTreeMap<String, Json> = serde_yaml::from_str(&text).unwrap();
    answers.remove("sign_off");
    let own = [
        ("aws.account_id", ACCOUNT.to_owned()),
        ("aws.region_primary", REGION.to_owned()),
        ("net.ssh_public_key", public),
        ("net.ssh_key_ref", key.display().to_string()),
    ];
    answers.extend(own.map(|(id, value)| (id.to_owned(), Json::String(value))));
    answers.extend(others.iter().map(|(id, value)| ((*id).to_owned(), Json::String((*value).to_owned()))));
    let desk = stage.open().await;
    let value = |(id, plain): (String, Json)| {
        let id: InputId = id.parse().unwrap();
        let field = &stage.runbook.fields[&id];
        (id, from_plain(&field.kind, &plain, &Setting { practice: true }).unwrap_or_else(|no| panic!("{no}")))
    };
    desk.handle.command(Command::GiveInputs(answers.into_iter().map(value).collect()));
    desk.close().await;
    stage
}

/// Runs until this step and all that it needs is done, as a patient person would.
pub(super) async fn until(stage: &Stage, step: &str) {
    for _ in 0..12 {
        let mut desk = stage.open().await;
        desk.approve().await;
        desk.run(RunScope::Until(at(step))).await;
        desk.reopen_failed();
        for row in desk.board().rows {
            // Somebody who may buy takes the image's terms, and somebody makes the bucket.
            let of_the_customer =
                ["access/image-terms", "access/login-bucket"].contains(&&*row.address.step.to_string());
            if let (Status::Waiting(wait), true) = (&row.status, of_the_customer) {
                stage.account.ask_customer(&wait.ask).await;
            }
            if row.status == Status::SignOff || matches!(&row.status, Status::Waiting(_) if !row.touches_world) {
                desk.sign(&row.address.to_string()).await;
            }
        }
        let board = desk.board();
        let rows = board.rows.iter().filter(|row| row.address.step.to_string() == step);
        let done = rows.filter(|row| !row.status.settled()).count() == 0;
        desk.close().await;
        if done {
            return;
        }
    }
    panic!("{step} is never done: {:#?}", rows(&stage.engagement(), &stage.runbook));
}

impl Desk {
    async fn diagnose(&mut self, step: &str) -> Box<Diagnosed> {
        self.handle.send(Request::Diagnose(at(step)));
        let told = |notice: &Notice| match notice {
            Notice::Diagnosed(diagnosed) => Some(Ok(diagnosed.clone())),
            Notice::Undiagnosed(_, refusal) => Some(Err(refusal.to_string())),
            _ => None,
        };
        self.hear("the diagnosis", told).await.unwrap_or_else(|refused| panic!("{refused}"))
    }
}

/// The branch that a step is in. Asking changes nothing, in the account and in the state file.
pub(super) async fn branch(stage: &Stage, step: &str) -> String {
    let (sent, events) = (stage.sent(), stage.events().len());
    let mut desk = stage.open().await;
    let diagnosed = desk.diagnose(step).await;
    desk.close().await;
    assert_eq!((stage.sent(), stage.events().len()), (sent, events), "{step}: a diagnosis changed something");
    let placed = diagnosed.branch.as_ref().unwrap_or_else(|| panic!("{step}: no branch fits {diagnosed:#?}"));
    for words in [&placed.what, &placed.seen, &placed.todo] {
        assert!(!words.is_empty() && !words.contains("{{"), "{step}: {placed:?}");
    }
    placed.branch.clone()
}

pub(super) fn kept(stage: &Stage, name: &str) -> String {
    let scope = crate::engagement::scope(&stage.engagement(), &stage.runbook, crate::engagement::ScopeMode::Real);
    let value = scope.get_dotted(name).unwrap_or_else(|| panic!("nothing is kept as {name}"));
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tunnel_that_fails_says_which_branch_it_is_in() {
    let stage = scenario("02-vpn-static.yaml").await;
    until(&stage, "connection/path").await;
    let (cloud, vpn) = (stage.account.cloud().clone(), kept(&stage, "connection.vpn_id"));
    let tunnels_up = "connection/tunnels-up";
    assert_eq!(branch(&stage, tunnels_up).await, "carries");

    let both = async |said: Option<&str>| {
        cloud.break_tunnel(&vpn, 0, said).await;
        cloud.break_tunnel(&vpn, 1, said).await;
    };
    for (said, wanted) in [
        ("IPSEC IS DOWN", "nobody-begins"),
        ("Phase 1: pre-shared key mismatch", "pre-shared-key"),
        ("AWS tunnel: No Proposal Match Found by AWS", "no-common-proposal"),
        ("Phase 2 was unable to establish", "phase-two"),
        ("DPD timed out", "dead-peer"),
        ("received DELETE for IKE_SA", "rekey"),
    ] {
        both(Some(said)).await;
        assert_eq!(branch(&stage, tunnels_up).await, wanted, "{said}");
    }
    both(None).await;
    cloud.set_tunnel(&vpn, 1, true).await;
    assert_eq!(branch(&stage, tunnels_up).await, "one-tunnel");
    cloud.set_tunnel(&vpn, 1, false).await;

    // The second router's step is about the second router's connection, and the first's about the first.
    let second = kept(&stage, "connection.second_vpn_id");
    for number in [0, 1] {
        cloud.set_tunnel(&second, number, true).await;
    }
    assert_eq!(branch(&stage, "connection/tunnels-up-second").await, "nobody-begins");
    assert_eq!(branch(&stage, tunnels_up).await, "carries");
    for number in [0, 1] {
        cloud.set_tunnel(&second, number, false).await;
    }

    let ec2 = stage.ec2().await;
    let (gateway, group) = (kept(&stage, "connection.gateway_id"), kept(&stage, "access.hosts_group_id"));
    let table = kept(&stage, "access.private_routes_ids.eu-west-1a");
    ec2.disable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "no-route");
    ec2.enable_vgw_route_propagation().gateway_id(&gateway).route_table_id(&table).send().await.unwrap();
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "carries");

    // What nobody foresaw is not guessed at: the connection is there, and what would tell more cannot be asked.
    let rules = ec2.describe_security_group_rules().filters(filter("group-id", [group.as_str()]));
    let rules = rules.send().await.unwrap();
    let ssh = rules.security_group_rules().iter().find(|rule| rule.from_port() == Some(22)).unwrap();
    let shut = ec2.revoke_security_group_ingress().group_id(&group);
    shut.security_group_rule_ids(ssh.security_group_rule_id().unwrap()).send().await.unwrap();
    let mut desk = stage.open().await;
    let diagnosed = desk.diagnose("connection/path[app-1]").await;
    desk.close().await;
    assert_eq!(diagnosed.branch, None, "{diagnosed:#?}");
    let last = diagnosed.asked.last().unwrap();
    assert_eq!((last.question.as_str(), last.answered.so), ("packet", So::Unknown), "{diagnosed:#?}");
    assert_eq!(branch(&stage, "access/jump[app-1]").await, "host-door-closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_stands_still_says_on_which_layer() {
    let stage = scenario("13-dx-vpn-transit.yaml").await;
    let works = "connection/line-works[first]";
    until(&stage, "connection/path").await;
    assert_eq!(branch(&stage, works).await, "line-works");
    assert_eq!(
        branch(&stage, "connection/line-up-again").await,
        "line-works",
        "the step after the test is of no round"
    );

    // The line carries, so that nothing is lost; a step about the tunnels says all the same that they are down.
    let vpn = kept(&stage, "connection.vpn_id");
    for number in [0, 1] {
        stage.account.cloud().set_tunnel(&vpn, number, true).await;
    }
    for about_tunnels in ["connection/tunnels-up", "connection/both-up-again"] {
        assert_eq!(branch(&stage, about_tunnels).await, "nothing-arrives");
    }
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "carries");
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    let gateway = kept(&stage, "connection.line_gateway_id");
    let interface = kept(&stage, "connection.interfaces.first");
    lines.start_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "layers-two-and-three");
    lines.stop_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    let ties = lines.describe_direct_connect_gateway_associations().direct_connect_gateway_id(&gateway);
    let tie = ties.send().await.unwrap().direct_connect_gateway_associations()[0].association_id.clone();
    lines.delete_direct_connect_gateway_association().set_association_id(tie).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "announces-nothing");
    lines.delete_virtual_interface().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "no-interface");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_another_account_says_what_its_owner_has_to_do() {
    let stage = scenario("18-dx-neighbour.yaml").await;
    until(&stage, "connection/path").await;
    let joined = "connection/line-joined";
    assert_eq!(branch(&stage, joined).await, "led-here");
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "carries");
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    let tie = kept(&stage, "connection.line_association_id");
    lines.delete_direct_connect_gateway_association().association_id(tie).send().await.unwrap();
    assert_eq!(branch(&stage, joined).await, "lapsed");
    let (gateway, transit) = ("7a1bd8c2-51f0-4c57-a3d1-0f5a2c9e7b64", kept(&stage, "connection.transit_id"));
    let by_hand = async |range: &str| {
        let range = RouteFilterPrefix::builder().cidr(range).build();
        let proposal = lines.create_direct_connect_gateway_association_proposal().direct_connect_gateway_id(gateway);
        let proposal = proposal.direct_connect_gateway_owner_account("444455556666").gateway_id(&transit);
        let made = proposal.add_allowed_prefixes_to_direct_connect_gateway(range).send().await.unwrap();
        made.direct_connect_gateway_association_proposal.and_then(|one| one.proposal_id).unwrap()
    };
    let open = by_hand("10.0.0.0/7").await;
    assert_eq!(branch(&stage, joined).await, "unanswered");
    lines.delete_direct_connect_gateway_association_proposal().proposal_id(open).send().await.unwrap();
    by_hand("10.0.0.0/8").await;
    assert_eq!(branch(&stage, joined).await, "other-ranges");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interface_on_another_accounts_line_says_whom_to_ask() {
    let stage = scenario("17-dx-allocated.yaml").await;
    let works = "connection/line-works[second]";
    until(&stage, "connection/path").await;
    assert_eq!(branch(&stage, works).await, "line-works");
    let lines = Cloud::connect(stage.wiring()).await.unwrap().direct_connect();
    let interface = kept(&stage, "connection.interfaces.second");
    lines.start_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "their-line");
    assert_eq!(branch(&stage, "connection/line-works[first]").await, "line-works");
    assert_eq!(branch(&stage, "connection/line-up-again-second[second]").await, "their-line");
    lines.stop_bgp_failover_test().virtual_interface_id(&interface).send().await.unwrap();
    // Its owner allocates another one under the same id.
    lines.delete_virtual_interface().virtual_interface_id(&interface).send().await.unwrap();
    assert_eq!(branch(&stage, works).await, "not-accepted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_to_a_host_that_ends_says_where() {
    let stage = scenario("01-no-connection.yaml").await;
    until(&stage, "access/hosts-closed").await;
    let (app, bastion) = (kept(&stage, "access.host_ids.app-1"), kept(&stage, "access.bastion_id"));
    let at_console = async |host: &str, script: &str| {
        let done = stage.account.at_console(host, script).await.unwrap();
        assert_eq!(done.code, 0, "{script}: {done:?}");
    };
    let jump = "access/jump[app-1]";
    assert_eq!(branch(&stage, jump).await, "works");

    at_console(&app, "mv /home/ubuntu/.ssh/authorized_keys /home/ubuntu/.ssh/away").await;
    assert_eq!(branch(&stage, jump).await, "login-refused");
    at_console(&app, "mv /home/ubuntu/.ssh/away /home/ubuntu/.ssh/authorized_keys").await;

    // It was installed anew: the host key is another one.
    let another = stage.folder().join("another_host_key");
    ssh::new_key_file(&another).unwrap();
    let another = fs::read_to_string(&another).unwrap();
    at_console(&app, "cp /etc/ssh/ssh_host_ed25519_key /root/ed25519; mv /etc/ssh/ssh_host_ecdsa_key /root/ecdsa")
        .await;
    at_console(&app, &format!("printf '%s' '{another}' >/etc/ssh/ssh_host_ed25519_key; systemctl restart ssh")).await;
    assert_eq!(branch(&stage, jump).await, "wrong-key");
    at_console(&app, "cp /root/ed25519 /etc/ssh/ssh_host_ed25519_key; mv /root/ecdsa /etc/ssh/ssh_host_ecdsa_key")
        .await;
    at_console(&app, "systemctl restart ssh").await;
    assert_eq!(branch(&stage, jump).await, "works");

    // Nobody listens behind the bastion: the bastion says that it was refused, and not that nothing came back.
    at_console(&app, "systemctl stop ssh.socket ssh.service").await;
    assert_eq!(branch(&stage, jump).await, "refused");
    at_console(&app, "systemctl start ssh.socket").await;
    assert_eq!(branch(&stage, jump).await, "works");

    at_console(&bastion, "systemctl stop ssh.socket ssh.service").await;
    assert_eq!(branch(&stage, jump).await, "refused");
    at_console(&bastion, "systemctl start ssh.socket").await;

    // What stands first counts, and this image's own settings stand in the file itself.
    at_console(&bastion, "sed -i '1i DisableForwarding yes' /etc/ssh/sshd_config && systemctl restart ssh").await;
    assert_eq!(branch(&stage, jump).await, "forwarding-refused");
    at_console(&bastion, "sed -i 1d /etc/ssh/sshd_config && systemctl restart ssh").await;

    let group = kept(&stage, "access.bastion_group_id");
    let ec2 = stage.ec2().await;
    let rules = ec2.describe_security_group_rules().filters(filter("group-id", [group.as_str()]));
    for rule in rules.send().await.unwrap().security_group_rules().iter().filter(|rule| rule.is_egress() == Some(false))
    {
        let shut = ec2.revoke_security_group_ingress().group_id(&group);
        shut.security_group_rule_ids(rule.security_group_rule_id().unwrap()).send().await.unwrap();
    }
    assert_eq!(branch(&stage, jump).await, "bastion-door-closed");
}

/// What the customer's bastion sends to a host comes over the connection, and is lost where the gateway does not know the VPC.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_from_the_data_centre_that_ends_at_the_transit_gateway_says_so() {
    let stage = scenario_but("10-access-datacentre.yaml", &[("conn.gateway", "tgw")]).await;
    until(&stage, "access/jump-from-data-centre").await;
    let jump = "access/jump-from-data-centre[app-1]";
    assert_eq!(branch(&stage, jump).await, "works");

    let (ec2, attached) = (stage.ec2().await, kept(&stage, "connection.transit_attachment_id"));
    let table = kept(&stage, "connection.transit_table_id");
    let off = ec2.disable_transit_gateway_route_table_propagation();
    off.transit_gateway_route_table_id(&table).transit_gateway_attachment_id(&attached).send().await.unwrap();
    assert_eq!(branch(&stage, jump).await, "no-way-to-the-vpc");
    let on = ec2.enable_transit_gateway_route_table_propagation();
    on.transit_gateway_route_table_id(&table).transit_gateway_attachment_id(&attached).send().await.unwrap();
    assert_eq!(branch(&stage, jump).await, "works");
}

/// Two engagements of one customer may have one bucket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_logins_stands_under_the_engagement() {
    let stage = scenario("01-no-connection.yaml").await;
    until(&stage, "access/logins-kept").await;
    let bastion = kept(&stage, "access.bastion_id");
    let sent = stage.account.at_console(&bastion, "cat /var/lib/onramp/logins/sent").await.unwrap();
    assert!(sent.out.starts_with("logins/acme-012345/bastion/"), "{sent:?}");
}

#[tokio::test]
async fn a_step_without_a_diagnosis_and_a_round_that_is_not_there_are_said() {
    let stage = scenario("01-no-connection.yaml").await;
    let mut desk = stage.open().await;
    desk.handle.send(Request::Diagnose(at("access/vpc")));
    assert!(desk.refusal().await.contains("no diagnosis for access/vpc"));
    desk.handle.send(Request::Diagnose(at("access/jump")));
    let said = desk.refusal().await;
    assert!(said.contains("it is one of several: name access/jump[app-1]"), "{said}");
    desk.close().await;
}

// ── mail ─────────────────────────────────────────────────────────────────────────────────────────────────────────

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
  - {id: net.nat_mode, label: Way out, kind: text, optional: true}
  - {id: net.access_path, label: Way in, kind: text, optional: true}
  - {id: conn.mode, label: Connection, kind: text, optional: true}
steps:
  - {id: asks, title: Asks, form: [smtp.mode, mail.relay, mail.ses_host, mail.ses_user, mail.login, ses.region, ses.domain, ses.mail_from, net.nat_mode, net.access_path, conn.mode, smtp.host, smtp.port, smtp.tls, smtp.auth, smtp.username, smtp.password, smtp.ca_pem, smtp.from, mail.test_to]}
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
    assert_eq!(branch(&of_mail("127.0.0.1", free, "none").await, "mail/open").await, "nothing-listens");
    // It is asked from where the step looked.
    let stage = of_mail("127.0.0.1", free, "none").await;
    let mut desk = stage.open().await;
    let diagnosed = desk.diagnose("mail/open-from").await;
    desk.close().await;
    assert!(diagnosed.asked[0].answered.said.contains("no host called \"web-7\""), "{diagnosed:?}");
    const EHLO: (&str, &str) = ("EHLO", "250-relay.acme.example\r\n250 SIZE 10240000");
    let turns_away = relay("554 5.7.1 You are not on our list", &[]).await;
    assert_eq!(branch(&of_mail("127.0.0.1", turns_away, "none").await, "mail/open").await, "turned-away");
    let refuses = relay("220 relay ESMTP", &[EHLO, ("RCPT", "554 5.7.1 Relay access denied")]).await;
    assert_eq!(branch(&of_mail("127.0.0.1", refuses, "none").await, "mail/open").await, "relay-denied");
    assert_eq!(branch(&of_mail("127.0.0.1", refuses, "starttls").await, "mail/open").await, "no-starttls");
    let takes = relay("220 relay ESMTP", &[EHLO]).await;
    assert_eq!(branch(&of_mail("127.0.0.1", takes, "none").await, "mail/open").await, "takes-mail-unasked");
    // A server of the practice Internet, of whose authority this machine knows nothing; and a port that is silent.
    let mut stage = of_mail("smtp.acme.example", 587, "starttls").await;
    stage.dial = stage.account.dialer();
    assert_eq!(branch(&stage, "mail/open").await, "certificate");
    let mut stage = of_mail("192.168.1.25", 587, "starttls").await;
    stage.dial = stage.account.dialer();
    assert_eq!(branch(&stage, "mail/open").await, "port-blocked");
    // Nobody's firewall, where we have no way there at all.
    let desk = stage.open().await;
    [("net.nat_mode", "none_proxy"), ("conn.mode", "none")].iter().for_each(|(id, text)| desk.give(id, text));
    desk.close().await;
    assert_eq!(branch(&stage, "mail/open").await, "no-way-out");
}

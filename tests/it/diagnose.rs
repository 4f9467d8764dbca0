//! `onramp diagnose`: what is the matter with a step, on the command line.

use std::path::Path;

use serde_json::Value as Json;

use crate::stage::{Stage, lab};

#[test]
fn what_was_asked_and_the_branch_are_said_and_nothing_is_changed() {
    let stage = Stage::new();
    stage.run(&["practice", "--headless", "--pace", "instant"]).expect(0);
    let stands = || stage.run(&["practice", "--status"]).expect(0).out;
    let before = stands();
    let said = stage.run(&["practice", "--pace", "instant", "--diagnose", "access/jump[app-1]"]).expect(0);
    for words in ["? How far does a login get", "\n    app-1 lets us in", "[works]", "seen", "who   us"] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    let said = stage.run(&["practice", "--pace", "instant", "--diagnose", "mail/passes[app-1]"]).expect(0);
    for words in ["? Has AWS found the records", "? May the account write to everybody", "[ses-takes-mail]"] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    assert_eq!(stands(), before, "everything stands where it stood");
    stage.run(&["practice", "--diagnose", "access/vpc"]).expect(2).says("no diagnosis for access/vpc");
    stage.run(&["practice", "--diagnose", "access/jump"]).expect(2).says("access/jump[app-1]");
}

/// The first step that logs in is the first one that sees a wrong host key: those before it only wait for a banner.
#[test]
fn a_login_that_fails_is_diagnosed_at_the_step_that_logs_in() {
    let stage = Stage::new();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/12-access-vpn.yaml");
    let text = std::fs::read_to_string(scenario).unwrap();
    let wrong = text.replacen("K7332fo", "K7332fA", 1);
    assert_ne!(wrong, text);
    let answers = stage.file("answers.yaml", &wrong);
    stage.run(&["practice", "--headless", "--pace", "instant", "--answers", answers.to_str().unwrap()]).expect(1);
    let said = stage.run(&["practice", "--pace", "instant", "--diagnose", "access/hosts-hardened[app-1]"]).expect(0);
    said.says("[wrong-key]");
}

#[test]
fn mail_that_onramp_did_not_send_is_not_asked_after_as_if_it_had() {
    let stage = Stage::new();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/12-access-vpn.yaml");
    let text = std::fs::read_to_string(scenario).unwrap();
    let others = ["mail/arrived", "mail/exception", "smtp.tls", "smtp.auth", "smtp.port"];
    let lines: Vec<&str> = text.lines().filter(|line| !others.iter().any(|other| line.contains(other))).collect();
    let login =
        "smtp.tls: starttls\nsmtp.port: 587\nsmtp.auth: cram-md5\nsmtp.username: alerts\nsmtp.password: prompt\n";
    let open = stage.file("open.yaml", &format!("{login}{}", lines.join("\n")));
    stage.run(&["practice", "--headless", "--pace", "instant", "--answers", open.to_str().unwrap()]).expect(3);
    let data = stage.data().join("practice");
    let arguments = ["--data-dir", data.to_str().unwrap(), "status", "practice", "--format", "json"];
    stage.run(&arguments).expect(0).says("onramp has sent no message: 192.168.1.25 wants a login by CRAM-MD5");
    let said = stage.run(&["practice", "--pace", "instant", "--diagnose", "mail/port-open[app-1]"]).expect(0);
    said.says("Let the product send a message from a host");
    assert!(!said.out.contains("mailq"), "{}", said.out);
}

#[test]
fn the_only_engagement_need_not_be_named() {
    let stage = Stage::new();
    stage.run(&["diagnose", "connection/tunnels-up"]).expect(2).says("there is no engagement yet");
    stage.run(&["new", "acme"]).expect(0);
    stage.run(&["diagnose", "connection/tunnels-up"]).expect(2).says("conn.mode is not known yet");
    stage.run(&["new", "lund"]).expect(0);
    stage.run(&["diagnose", "connection/tunnels-up"]).expect(2).says("name it before the step");
    stage.run(&["diagnose", "lund", "connection/tunnels-up"]).expect(2).says("conn.mode is not known yet");
}

/// What the shipped diagnosis reads besides the hosts. Nobody answers it: these hosts stand in no account.
const UNKNOWN: &[&str] = &[
    "access.bastion_group_id",
    "access.bastion_id",
    "access.host_ids",
    "access.hosts_group_id",
    "access.sshd_moved",
    "conn.gateway",
    "conn.mode",
    "connection.line_gateway_id",
    "dx.kind",
    "dx.owner_gateway",
    "hosts.source",
    "connection.second_vpn_id",
    "connection.transit_attachment_id",
    "connection.vpn_id",
    "dc.bastion_egress_ip",
    "net.access_path",
    "net.provider_cidrs",
    "net.secondary_cidrs",
    "net.ssh_port",
    "net.vpc_cidr",
    "peer.provider_vpc_cidr",
    "vpn.second_cgw_ip",
];

#[test]
fn on_real_hosts_a_login_that_fails_says_which_branch_it_is_in() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);
    let stage = Stage::new().with_credentials();
    let folder = stage.home().join("way");
    std::fs::create_dir(&folder).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud/diagnosis-ssh.yaml");
    std::fs::copy(shipped, folder.join("diagnosis-ssh.yaml")).unwrap();
    let inputs: String =
        UNKNOWN.iter().map(|id| format!("  - {{id: {id}, label: Unknown, kind: text, optional: true}}\n")).collect();
    let runbook = format!(
        "runbook: way\ntitle: The way\nphase: way\ninputs:\n{inputs}hosts:\n{}steps:\n  - {{id: asks, title: Asks, form: [{}]}}\n  \
         - id: answers\n    title: It answers\n    probe: ssh-banner\n    with: {{host: app-1}}\n    diagnosis: ssh-hop\n",
        lab.hosts(),
        UNKNOWN.join(", ")
    );
    std::fs::write(folder.join("runbook.yaml"), runbook).unwrap();
    stage.run(&["new", "way", "--runbook", folder.to_str().unwrap()]).expect(0);
    let branch = || {
        let said = stage.run(&["diagnose", "way", "way/answers", "--format", "json"]).expect(0).out;
        serde_json::from_str::<Json>(&said).unwrap()["branch"]["branch"].as_str().unwrap().to_owned()
    };
    assert_eq!(branch(), "works");

    lab.inside("app-1", "mv /home/cloud/.ssh/authorized_keys /home/cloud/.ssh/away");
    assert_eq!(branch(), "login-refused");
    lab.inside(
        "app-1",
        "mv /home/cloud/.ssh/away /home/cloud/.ssh/authorized_keys; systemctl stop ssh.socket ssh.service",
    );
    assert_eq!(branch(), "refused");
    lab.swap_keys("app-1");
    assert_eq!(branch(), "wrong-key");

    lab.reset(&["app-1"]);
    lab.inside("bastion", "echo 'DisableForwarding yes' >/etc/ssh/sshd_config.d/05-cis.conf; systemctl restart ssh");
    assert_eq!(branch(), "forwarding-refused");
    lab.inside("bastion", "systemctl stop ssh.socket ssh.service");
    assert_eq!(branch(), "refused");
}

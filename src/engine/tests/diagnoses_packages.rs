//! Why a host gets no packages: the way out of a VPC broken in practice, and what apt and dnf say of everything else.

use std::process::Command as Process;

use serde_json::json;

use super::diagnoses::{branch, kept, scenario, shipped, until};
use super::diagnoses_lines::{ACL_DENIES, lets_out};
use super::meddling::Does;
use super::*;
use crate::engagement::{Answered, Course, So, course};
use crate::practice::net::Source;
use crate::runbook::{Scope, Work};

/// The branch that a host comes to whose apt-get, or dnf, says this. The script of the first question is run by a shell.
fn told(tool: &str, words: &str, source: &str) -> String {
    let (runbook, _) = load(&shipped(), &crate::action::catalog());
    let runbook = runbook.unwrap();
    let diagnosis = runbook.diagnoses.iter().find(|one| one.id == "packages").unwrap();
    let lists = &diagnosis.questions[0];
    let Work::Shell(shell) = &lists.look else { panic!("{lists:?}") };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("words"), words).unwrap();
    let script = shell.check.as_ref().unwrap().source();
    let program = folder.path().join(tool);
    std::fs::write(&program, "#!/bin/sh\ncat \"${0%/*}/words\"\nexit 100\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // Which of the two there is decides which is run.
    let script = format!("PATH={}:$PATH\ncommand() {{ [ \"$2\" = {tool} ]; }}\n{script}", folder.path().display());
    let ran = Process::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let stdout = String::from_utf8(ran.stdout).unwrap();
    let answered =
        Answered { so: So::Yes, said: String::new(), results: [("stdout".to_owned(), json!(stdout))].into() };
    let mut scope = Scope::new();
    let known = [
        ("hosts.source", "create"),
        ("sec.patch_source", source),
        ("sec.patch_mirror", "https://mirror.acme.example"),
        ("net.nat_mode", if source == "proxy" { "none_proxy" } else { "none" }),
        ("step.host", "app-1"),
    ];
    known.iter().for_each(|(name, value)| scope.insert_dotted(name, json!(value)));
    scope.insert_dotted("hosts.bastions", json!([]));
    match course(diagnosis, lists, &answered, &scope) {
        Course::Found(placed) => format!("packages/{}", placed.branch),
        other => panic!("{words}: {stdout} leads to {other:?}"),
    }
}

/// As apt 2.6 and dnf 4.14 said it to servers and walls that were as the branch says.
#[test]
fn what_apt_and_dnf_say_is_told_apart() {
    for (tool, words, public, mirror) in [
        ("apt-get", "E: Write error - write (28: No space left on device)", "packages/disk-full", "packages/disk-full"),
        ("apt-get", "  Could not resolve 'no-such.invalid'", "packages/no-name", "packages/mirror-has-no-name"),
        (
            "dnf",
            "  - Curl error (6): Couldn't resolve host name for http://x/ [Could not resolve host: x]",
            "packages/no-name",
            "packages/mirror-has-no-name",
        ),
        (
            "apt-get",
            "E: Release file for http://x/InRelease is not valid yet (invalid for another 3h 2min 1s).",
            "packages/clock",
            "packages/clock",
        ),
        (
            "apt-get",
            "  Could not handshake: An unexpected TLS packet was received. [IP: 192.0.2.7 443]",
            "packages/certificate",
            "packages/certificate-of-the-mirror",
        ),
        (
            "dnf",
            "  - Curl error (60): SSL peer certificate or SSH remote key was not OK for https://x/",
            "packages/certificate",
            "packages/certificate-of-the-mirror",
        ),
        (
            "apt-get",
            "Err:1 http://x:4070 bookworm InRelease\n  407  Proxy Authentication Required [IP: 192.0.2.7 3128]",
            "packages/proxy-login",
            "packages/proxy-login",
        ),
        ("dnf", "  - Status code: 407 for http://x/ (IP: 192.0.2.7)", "packages/proxy-login", "packages/proxy-login"),
        ("apt-get", "  403  Forbidden [IP: 192.0.2.7 80]", "packages/forbidden", "packages/mirror-forbids"),
        ("dnf", "  - Status code: 403 for http://x/ (IP: 192.0.2.7)", "packages/forbidden", "packages/mirror-forbids"),
        (
            "apt-get",
            "  Could not connect to 192.0.2.7:80 (192.0.2.7). - connect (111: Connection refused)",
            "packages/nothing-listens",
            "packages/no-mirror-listens",
        ),
        (
            "dnf",
            "  - Curl error (7): Couldn't connect to server for http://x/",
            "packages/nothing-listens",
            "packages/no-mirror-listens",
        ),
        ("apt-get", "  404  Not Found [IP: 192.0.2.7 80]", "packages/not-there", "packages/not-in-the-mirror"),
        (
            "dnf",
            "  - Status code: 404 for http://x/ (IP: 192.0.2.7)\nError: Cannot download repomd.xml",
            "packages/not-there",
            "packages/not-in-the-mirror",
        ),
        (
            "apt-get",
            "W: GPG error: http://x InRelease: The following signatures couldn't be verified: NO_PUBKEY 0E98404D386FA1D9",
            "packages/unsigned",
            "packages/mirror-unsigned",
        ),
        (
            "apt-get",
            "  Cannot initiate the connection to x:80. - connect (101: Network is unreachable)\nE: does not have a Release file.",
            "packages/no-way-out",
            "packages/mirror-silent",
        ),
        (
            "dnf",
            "  - Curl error (28): Timeout was reached for http://x/ [Failed to connect to x port 80 after 10000 ms]",
            "packages/no-way-out",
            "packages/mirror-silent",
        ),
        ("apt-get", "E: Malformed entry 1 in list file x", "packages/said-otherwise", "packages/said-otherwise"),
        ("apt-get", "", "packages/said-otherwise", "packages/said-otherwise"),
    ] {
        assert_eq!(told(tool, words, "public"), public, "{tool}: {words}");
        assert_eq!(told(tool, words, "mirror"), mirror, "{tool}: {words}");
    }
    assert_eq!(
        told("apt-get", "  Could not connect to x:3128, connection timed out", "proxy"),
        "packages/proxy-silent"
    );
}

const LETS_IN_WHAT_HOSTS_NEED: &[(&str, &str)] = &[(
    "<protocol>-1</protocol><ruleAction>allow</ruleAction><egress>false</egress>",
    "<protocol>6</protocol><portRange><from>32768</from><to>60999</to></portRange><ruleAction>allow</ruleAction><egress>false</egress>",
)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_out_that_ends_says_where() {
    let mut stage = scenario("01-no-connection.yaml").await;
    until(&stage, "time/installed").await;
    until(&stage, "access/audit-installed").await;
    let (app, bastion) = ("time/installed[app-1]", "access/audit-installed[bastion]");
    for step in [app, bastion] {
        assert_eq!(branch(&stage, step).await, "packages/fetches", "{step}");
    }
    let ec2 = stage.ec2().await;

    // Walls that are nobody's we know of.
    stage.meddled(Does::Drops(Box::new(|from, _, port| port == 80 && matches!(from, Source::Host(_)))));
    assert_eq!(branch(&stage, app).await, "packages/silent-beyond");
    assert_eq!(branch(&stage, bastion).await, "packages/bastion-silent-beyond");
    stage.aws_says = ACL_DENIES;
    assert_eq!(branch(&stage, app).await, "packages/acl-closed");
    assert_eq!(branch(&stage, bastion).await, "packages/bastion-acl-closed");
    stage.aws_says = &[];

    // Hosts of Linux take answers at 32768 and above, a NAT gateway at 1024 and above.
    stage.aws_says = LETS_IN_WHAT_HOSTS_NEED;
    assert_eq!(branch(&stage, app).await, "packages/gateway-acl-closed");
    assert_eq!(branch(&stage, bastion).await, "packages/bastion-silent-beyond");
    stage.aws_says = &[];

    for (group, step, wanted) in [
        ("access.hosts_group_id", app, "packages/not-let-out"),
        ("access.bastion_group_id", bastion, "packages/bastion-not-let-out"),
    ] {
        let group = kept(&stage, group);
        let on = ec2.authorize_security_group_egress().group_id(&group).ip_permissions(lets_out("tcp", Some(22)));
        on.send().await.unwrap();
        let off = ec2.revoke_security_group_egress().group_id(&group).ip_permissions(lets_out("-1", None));
        off.send().await.unwrap();
        assert_eq!(branch(&stage, step).await, wanted);
    }
    stage.let_be();

    let table = kept(&stage, "access.private_routes_ids.eu-west-1a");
    ec2.delete_route().route_table_id(&table).destination_cidr_block("0.0.0.0/0").send().await.unwrap();
    assert_eq!(branch(&stage, app).await, "packages/no-route-to-the-gateway");
    stage
        .account
        .at_console(&kept(&stage, "access.bastion_id"), "systemctl stop ssh.socket ssh.service")
        .await
        .unwrap();
    assert_eq!(branch(&stage, app).await, "packages/host-out-of-reach");
}

/// We come from the data centre, so that logins go on where the way out of the NAT gateway ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_a_way_out_is_named() {
    let stage = scenario("10-access-datacentre.yaml").await;
    until(&stage, "time/installed").await;
    let app = "time/installed[app-1]";
    assert_eq!(branch(&stage, app).await, "packages/fetches");
    let table = kept(&stage, "access.public_routes_id");
    let gone = stage.ec2().await.delete_route().route_table_id(&table).destination_cidr_block("0.0.0.0/0");
    gone.send().await.unwrap();
    assert_eq!(branch(&stage, app).await, "packages/gateway-without-way-out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_is_silent_is_told_from_a_line_that_is_down() {
    let mut stage = scenario("13-dx-vpn-transit.yaml").await;
    until(&stage, "connection/mirror-answers").await;
    let step = "connection/mirror-answers[app-1]";
    assert_eq!(branch(&stage, step).await, "packages/fetches");
    stage.meddled(Does::Drops(Box::new(|from, _, port| port == 443 && matches!(from, Source::Host(_)))));
    assert_eq!(branch(&stage, step).await, "packages/mirror-blocked");
    stage.let_be();
    stage.account.cloud().happen(Some(crate::practice::Mishap::Firewall)).await;
    assert_eq!(branch(&stage, step).await, "packages/no-way-to-the-mirror");
}

//! The scripts that P01 runs, word for word, and what they must have done afterwards.

use std::time::Duration;

use super::lab::{BASTION, BASTION_PRIVATE, ENGINEER_TO, Lab, OTHER_PRIVATE, PRIVATE, Shell};
use super::*;

const PATIENCE: Duration = Duration::from_millis(500);

const ROLLBACK: &str = r#"systemd-run --unit=onb-ssh-rollback --on-active=300 /bin/bash -c 'rm -f /etc/ssh/sshd_config.d/01-onb-port.conf; \
  [ -f /etc/ssh/sshd_config.onb-bak ] && cp -a /etc/ssh/sshd_config.onb-bak /etc/ssh/sshd_config; systemctl daemon-reload; \
  systemctl restart ssh.socket 2>/dev/null; systemctl restart ssh 2>/dev/null || systemctl restart sshd'
"#;

const MOVE: &str = r#"NEW=22022
printf 'Port 22\nPort %s\n' "$NEW" | install -m 0600 /dev/stdin /etc/ssh/sshd_config.d/01-onb-port.conf
if command -v getenforce >/dev/null && [ "$(getenforce)" = Enforcing ]; then
command -v semanage >/dev/null || dnf -y install policycoreutils-python-utils
semanage port -l | awk '$1=="ssh_port_t"' | grep -qw "$NEW" || semanage port -a -t ssh_port_t -p tcp "$NEW"   # -m when the port has another type
fi
firewall-cmd --state >/dev/null 2>&1 && firewall-cmd --permanent --add-port="$NEW"/tcp && firewall-cmd --reload
ufw status 2>/dev/null | grep -q active && ufw allow "$NEW"/tcp
sshd -t
if systemctl is-enabled ssh.socket >/dev/null 2>&1; then systemctl daemon-reload && systemctl restart ssh.socket; else systemctl restart ssh 2>/dev/null || systemctl restart sshd; fi
ss -Hltn "sport = :$NEW" | grep -q . && echo LISTEN-OK
"#;

const DROP_22: &str = r#"NEW=22022
systemctl stop onb-ssh-rollback.timer
printf 'Port %s\n' "$NEW" | install -m 0600 /dev/stdin /etc/ssh/sshd_config.d/01-onb-port.conf
sshd -t
if systemctl is-enabled ssh.socket >/dev/null 2>&1; then systemctl daemon-reload && systemctl restart ssh.socket; else systemctl restart ssh 2>/dev/null || systemctl restart sshd; fi
"#;

const PORTS: &str =
    "sshd -T | awk '$1==\"port\"{print $2}' | sort; ss -Hltn | awk '{print $4}' | sed 's/.*://' | sort -un\n";

const IMAGES: [Image; 4] = [Image::Ubuntu2204, Image::Ubuntu2404, Image::Rhel9, Image::Debian12];

async fn moved(image: Image) -> (Lab, Shell) {
    let lab = Lab::new(image).await;
    let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    let done = shell.sudo(ROLLBACK).await;
    assert_eq!(done.code, 0, "{image:?}: {done:?}");
    let done = shell.sudo(MOVE).await;
    assert!(done.code == 0 && done.out.ends_with("LISTEN-OK\n"), "{image:?}: {done:?}");
    (lab, shell)
}

async fn refused(lab: &Lab, port: u16) -> bool {
    let dialled = lab.hosts.dialer(Source::ENGINEER, lab.gate.clone()).dial(ENGINEER_TO, port).await;
    dialled.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

#[tokio::test]
async fn sshd_moves_to_the_new_port_and_leaves_the_old_one() {
    for image in IMAGES {
        let (lab, old) = moved(image).await;
        assert!(lab.login(ENGINEER_TO, 22, lab.user).await.is_ok(), "{image:?}: 22 stays beside it");
        let new = lab.login(ENGINEER_TO, 22022, lab.user).await.unwrap();
        assert_eq!(new.sudo(DROP_22).await.code, 0, "{image:?}");
        assert!(refused(&lab, 22).await, "{image:?}: 22 is gone");
        assert_eq!(old.run("whoami", "").await.code, 0, "{image:?}: the old connection still lives");
        let again = lab.login(ENGINEER_TO, 22022, lab.user).await.unwrap();
        let ports = again.sudo(PORTS).await.out;
        let expected =
            if image.is_rhel() || image == Image::Debian12 { "22022\n22022\n" } else { "22022\n53\n22022\n" };
        assert_eq!(ports, expected, "{image:?}");
        lab.hosts.advance(Duration::from_secs(400)).await;
        assert!(refused(&lab, 22).await, "{image:?}: the rollback was disarmed");
    }
}

#[tokio::test]
async fn the_rollback_brings_the_old_port_back() {
    for image in IMAGES {
        let (lab, shell) = moved(image).await;
        assert_eq!(shell.sudo(DROP_22.replace("systemctl stop onb-ssh-rollback.timer", "true").as_str()).await.code, 0);
        assert!(refused(&lab, 22).await, "{image:?}");
        lab.hosts.advance(Duration::from_secs(299)).await;
        assert!(refused(&lab, 22).await, "{image:?}: not yet");
        lab.hosts.advance(Duration::from_secs(2)).await;
        assert!(lab.login(ENGINEER_TO, 22, lab.user).await.is_ok(), "{image:?}");
        assert!(refused(&lab, 22022).await, "{image:?}");
        let stopped = shell.sudo("systemctl stop onb-ssh-rollback.timer\n").await;
        assert_eq!(stopped.code, 5, "{image:?}: the timer is gone: {stopped:?}");
    }
}

#[tokio::test]
async fn ubuntu_with_socket_activation_needs_the_socket_restarted() {
    let lab = Lab::new(Image::Ubuntu2404).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let done = shell
        .sudo("echo Port 22022 >/etc/ssh/sshd_config.d/01.conf; systemctl restart ssh; sshd -T | grep ^port\n")
        .await;
    assert_eq!(done.out, "port 22022\n", "{done:?}");
    assert!(refused(&lab, 22022).await, "systemd still holds 22");
    let listen = shell.sudo("systemctl restart ssh.socket; systemctl show ssh.socket -p Listen\n").await.out;
    assert_eq!(listen, "Listen=0.0.0.0:22 (Stream)\nListen=[::]:22 (Stream)\n", "no daemon-reload yet");
    let listen = shell
        .sudo("systemctl daemon-reload; systemctl restart ssh.socket; systemctl show ssh.socket -p Listen --value\n")
        .await
        .out;
    assert_eq!(listen, "0.0.0.0:22022 (Stream)\n[::]:22022 (Stream)\n");
    assert!(lab.login(ENGINEER_TO, 22022, "ubuntu").await.is_ok());
}

#[tokio::test]
async fn selinux_keeps_sshd_from_a_port_that_is_not_labelled() {
    let lab = Lab::new(Image::Rhel9).await;
    let shell = lab.login(ENGINEER_TO, 22, "ec2-user").await.unwrap();
    let done = shell.sudo("printf 'Port 22\\nPort 22022\\n' >/etc/ssh/sshd_config.d/01.conf; systemctl restart sshd; journalctl -u sshd -n 3\n").await;
    assert!(done.out.contains("Bind to port 22022 on 0.0.0.0 failed: Permission denied."), "{done:?}");
    assert!(refused(&lab, 22022).await);
    let only_new = shell.sudo("echo Port 22022 >/etc/ssh/sshd_config.d/01.conf; systemctl restart sshd\n").await;
    assert!(only_new.code == 1 && only_new.err.starts_with("Job for sshd.service failed"), "{only_new:?}");
    assert!(refused(&lab, 22).await, "sshd is down");
    assert_eq!(shell.sudo("systemctl is-active sshd; systemctl is-system-running\n").await.out, "failed\ndegraded\n");
}

#[tokio::test]
async fn a_broken_configuration_is_refused_and_a_reload_keeps_the_old_one() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let done = shell.sudo("echo 'Prot 2' >/etc/ssh/sshd_config.d/01.conf; sshd -t\n").await;
    assert_eq!(done.code, 255);
    assert!(done.err.contains("Bad configuration option: Prot"), "{}", done.err);
    assert_eq!(shell.sudo("systemctl reload ssh\n").await.code, 1);
    assert!(lab.login(ENGINEER_TO, 22, "ubuntu").await.is_ok(), "the reload left sshd as it was");
    assert_eq!(shell.sudo("systemctl restart ssh\n").await.code, 1);
    assert!(refused(&lab, 22).await, "the restart stopped sshd and could not start it");
    assert_eq!(shell.sudo("rm /etc/ssh/sshd_config.d/01.conf; systemctl restart ssh\n").await.code, 0);
    assert!(lab.login(ENGINEER_TO, 22, "ubuntu").await.is_ok());
}

const HARDEN: &str = r#"cat >/etc/ssh/sshd_config.d/10-onb-hardening.conf <<'END'
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
AllowUsers NET_USER
X11Forwarding no
AllowAgentForwarding no
AllowTcpForwarding FORWARDING
DisableForwarding no
GatewayPorts no
PermitTunnel no
MaxAuthTries 4
MaxSessions 10
MaxStartups 10:30:60
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
LogLevel VERBOSE
Banner /etc/issue.net
PermitUserEnvironment no
END
chmod 0600 /etc/ssh/sshd_config.d/10-onb-hardening.conf
sshd -t && { systemctl reload ssh 2>/dev/null || systemctl reload sshd; }
sshd -T -C user=NET_USER,host=bastion,addr=198.51.100.17 | grep -E '^(permitrootlogin|passwordauthentication|allowtcpforwarding|disableforwarding|x11forwarding|maxsessions)' | sort
"#;

fn harden(lab: &Lab, forwarding: &str) -> String {
    HARDEN.replace("NET_USER", lab.user).replace("FORWARDING", forwarding)
}

#[tokio::test]
async fn the_hardening_is_in_force_and_the_jump_still_works() {
    for image in IMAGES {
        let lab = Lab::new(image).await;
        let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
        let done = shell.sudo(&harden(&lab, "local")).await;
        let expected = "allowtcpforwarding local\ndisableforwarding no\nmaxsessions 10\npasswordauthentication no\npermitrootlogin no\nx11forwarding no\n";
        assert_eq!((done.out.as_str(), done.code), (expected, 0), "{image:?}: {}", done.err);
        let bastion = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
        let host = lab.jump(&bastion, PRIVATE, 22).await.unwrap();
        assert_eq!(host.run("hostname", "").await.out, "ip-10-40-11-20\n");
        let from = host.run("echo $SSH_CONNECTION", "").await.out;
        assert!(from.starts_with(BASTION_PRIVATE), "the host sees the bastion: {from}");
    }
}

#[tokio::test]
async fn forwarding_ends_with_disable_forwarding_or_without_allow_tcp_forwarding() {
    for line in
        ["DisableForwarding yes", "AllowTcpForwarding no", "AllowTcpForwarding remote", "PermitOpen 10.40.11.99:22"]
    {
        let lab = Lab::new(Image::Ubuntu2404).await;
        let script = format!("echo '{line}' >/etc/ssh/sshd_config.d/05.conf; systemctl restart ssh");
        assert_eq!(lab.hosts.at_console(BASTION, &script).await.unwrap().code, 0, "{line}");
        let bastion = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
        let refusal = bastion.forward(PRIVATE, 22).await.err().unwrap();
        assert!(refusal.contains("AdministrativelyProhibited"), "{line}: {refusal}");
    }
    let lab = Lab::new(Image::Ubuntu2404).await;
    let bastion = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let refusal = bastion.forward(PRIVATE, 23).await.err().unwrap();
    assert!(refusal.contains("ConnectFailed"), "nothing listens there: {refusal}");
}

const UFW: &str = r#"ufw allow from "$BASTION_IP" to any port 22 proto tcp; ufw default deny incoming; ufw --force enable; ufw status verbose
"#;

const FIREWALLD: &str = r#"dnf -y install firewalld && systemctl enable --now firewalld
firewall-cmd --permanent --new-zone=onb-ssh 2>/dev/null; firewall-cmd --permanent --zone=onb-ssh --add-source="$BASTION_IP"/32 --add-service=ssh
firewall-cmd --permanent --zone=public --remove-service=ssh; firewall-cmd --reload; firewall-cmd --list-all-zones | sed -n '/onb-ssh/,/^$/p'
"#;

const NFT: &str = r#"nft -f - <<END
table inet onramp
delete table inet onramp
table inet onramp {
  chain input {
    type filter hook input priority filter; policy accept;
    ct state established,related accept
    tcp dport 22 ip saddr != $BASTION_IP drop
  }
}
END
nft list ruleset
"#;

#[tokio::test]
async fn the_hosts_firewall_lets_only_the_bastion_in() {
    for (image, script, expected) in [
        (Image::Ubuntu2204, UFW, "22/tcp                     ALLOW IN    10.40.0.10"),
        (Image::Ubuntu2404, UFW, "Default: deny (incoming)"),
        (Image::Rhel9, FIREWALLD, "sources: 10.40.0.10/32"),
        (Image::Debian12, NFT, "tcp dport 22 ip saddr != 10.40.0.10 drop"),
    ] {
        let lab = Lab::new(image).await;
        let bastion = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
        let host = lab.jump(&bastion, PRIVATE, 22).await.unwrap();
        let reached = "nc -z -w 1 10.40.11.20 22";
        let other = lab.jump(&bastion, OTHER_PRIVATE, 22).await.unwrap();
        assert_eq!(other.run(reached, "").await.code, 0, "{image:?}: open before");
        let done = host.sudo(&format!("BASTION_IP={BASTION_PRIVATE}\n{script}")).await;
        assert!(done.code == 0 && done.out.contains(expected), "{image:?}: {done:?}");
        assert_eq!(other.run(reached, "").await.code, 1, "{image:?}: shut for its neighbour");
        assert!(lab.jump(&bastion, PRIVATE, 22).await.is_ok(), "{image:?}: open for the bastion");
    }
}

#[tokio::test]
async fn what_is_dropped_is_silent() {
    let lab = Lab::new(Image::Debian12).await;
    let script = "nft 'add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }'";
    assert_eq!(lab.hosts.at_console(BASTION, script).await.unwrap().code, 0);
    let engineer = lab.hosts.dialer(Source::ENGINEER, lab.gate.clone());
    assert!(tokio::time::timeout(PATIENCE, engineer.dial(ENGINEER_TO, 22)).await.is_err());
    lab.hosts.at_console(BASTION, "nft flush ruleset").await.unwrap();
    assert!(engineer.dial(ENGINEER_TO, 22).await.is_ok());
}

#[tokio::test]
async fn the_security_groups_are_asked_for_the_bastions_connections_too() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let bastion = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    lab.gate.shut(Source::Host(BASTION_PRIVATE.parse().unwrap()), PRIVATE, 22);
    assert!(tokio::time::timeout(PATIENCE, bastion.forward(PRIVATE, 22)).await.is_err());
    assert!(bastion.forward(OTHER_PRIVATE, 22).await.is_ok());
}

#[tokio::test]
async fn the_checks_of_appendix_g_hold_on_a_fresh_host() {
    for image in IMAGES {
        let lab = Lab::new(image).await;
        let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
        for (check, expected) in [
            ("sshd -T | awk '$1==\"port\"{print $2}'", "22\n"),
            (
                "sshd -T | grep -E '^(disableforwarding|allowtcpforwarding) '",
                "allowtcpforwarding yes\ndisableforwarding no\n",
            ),
            ("timedatectl show -p Timezone --value", "Etc/UTC\n"),
            ("timeout 5 bash -c '</dev/tcp/10.40.11.20/22'; echo $?", "0\n"),
            ("timeout 5 bash -c '</dev/tcp/10.40.11.20/23' 2>/dev/null; echo $?", "1\n"),
            ("systemctl is-enabled no-such-unit 2>/dev/null || echo absent", "absent\n"),
        ] {
            let done = shell.sudo(&format!("{check}\n")).await;
            assert_eq!(done.out, expected, "{image:?}: {check}: {done:?}");
        }
    }
}

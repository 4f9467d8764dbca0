//! The scripts of the runbook's access phase, filled in, sent as onramp sends them, on every image.

use super::lab::{BASTION_PRIVATE, ENGINEER_TO, Lab, OTHER_PRIVATE, PRIVATE, Shell};
use super::*;

const NEW_PORT_CHECK: &str = r#"sshd -T | awk '$1 == "port" {print $2}' | grep -qx 22022
"#;

const NEW_PORT: &str = r#"port=22022
conf=/etc/ssh/sshd_config.d/01-onramp-port.conf
install -d -m 0755 /etc/ssh/sshd_config.d
old=$(sshd -T | awk '$1 == "port" {print $2}')
systemctl stop onramp-ssh-rollback.timer 2>/dev/null || true
systemctl reset-failed onramp-ssh-rollback.service 2>/dev/null || true
systemd-run --unit=onramp-ssh-rollback --on-active=300 /bin/sh -c 'rm -f /etc/ssh/sshd_config.d/01-onramp-port.conf; systemctl daemon-reload; if systemctl is-enabled ssh.socket >/dev/null 2>&1; then systemctl restart ssh.socket; else systemctl restart ssh 2>/dev/null || systemctl restart sshd; fi'
{ for p in $old; do printf 'Port %s\n' "$p"; done; printf 'Port %s\n' "$port"; } > "$conf.new"
install -m 0600 "$conf.new" "$conf"
rm -f "$conf.new"
if command -v getenforce >/dev/null 2>&1 && [ "$(getenforce)" = Enforcing ]; then
  command -v semanage >/dev/null 2>&1 || dnf -y install policycoreutils-python-utils
  semanage port -a -t ssh_port_t -p tcp "$port" 2>/dev/null || semanage port -m -t ssh_port_t -p tcp "$port"
fi
if command -v firewall-cmd >/dev/null 2>&1 && firewall-cmd --state >/dev/null 2>&1; then
  firewall-cmd --permanent --add-port="$port"/tcp
  firewall-cmd --reload
fi
if command -v ufw >/dev/null 2>&1 && ufw status | grep -q 'Status: active'; then
  ufw allow "$port"/tcp
fi
sshd -t
systemctl daemon-reload
if systemctl is-enabled ssh.socket >/dev/null 2>&1; then
  systemctl restart ssh.socket
else
  systemctl restart ssh 2>/dev/null || systemctl restart sshd
fi
"#;

const NEW_PORT_VERIFY: &str = r#"port=22022
ss -Hltn "sport = :$port" | grep -q .
"#;

const NEW_PORT_UNDO: &str = r#"systemctl stop onramp-ssh-rollback.timer 2>/dev/null || true
rm -f /etc/ssh/sshd_config.d/01-onramp-port.conf
sshd -t
systemctl daemon-reload
if systemctl is-enabled ssh.socket >/dev/null 2>&1; then
  systemctl restart ssh.socket
else
  systemctl restart ssh 2>/dev/null || systemctl restart sshd
fi
"#;

const PROVED_CHECK: &str = r#"if systemctl is-active --quiet onramp-ssh-rollback.timer; then exit 1; fi
"#;

const PROVED: &str = r#"systemctl stop onramp-ssh-rollback.timer
"#;

const OLD_PORT_CHECK: &str = r#"port=22022
[ "$(sshd -T | awk '$1 == "port" {print $2}' | sort -u)" = "$port" ]
"#;

const OLD_PORT: &str = r#"port=22022
conf=/etc/ssh/sshd_config.d/01-onramp-port.conf
cp -p "$conf" "$conf.before"
printf 'Port %s\n' "$port" > "$conf"
if ! sshd -t; then mv "$conf.before" "$conf"; exit 1; fi
systemctl daemon-reload
if systemctl is-enabled ssh.socket >/dev/null 2>&1; then
  systemctl restart ssh.socket
else
  systemctl restart ssh 2>/dev/null || systemctl restart sshd
fi
rm -f "$conf.before"
"#;

const OLD_PORT_VERIFY: &str = r#"port=22022
[ "$(sshd -T | awk '$1 == "port" {print $2}' | sort -u)" = "$port" ]
ss -Hltn "sport = :$port" | grep -q .
! ss -Hltn "sport = :22" | grep -q .
"#;

const OLD_PORT_UNDO: &str = r#"port=22022
printf 'Port 22\nPort %s\n' "$port" > /etc/ssh/sshd_config.d/01-onramp-port.conf
sshd -t
systemctl daemon-reload
if systemctl is-enabled ssh.socket >/dev/null 2>&1; then
  systemctl restart ssh.socket
else
  systemctl restart ssh 2>/dev/null || systemctl restart sshd
fi
"#;

const BASTION_CHECK: &str = r#"want=$(printf '%s\n' PermitRootLogin=no PasswordAuthentication=no AllowTcpForwarding=local X11Forwarding=no AllowAgentForwarding=no PermitTunnel=no GatewayPorts=no MaxAuthTries=4 | tr 'A-Z=' 'a-z ')
have=$(sshd -T | tr 'A-Z' 'a-z')
printf '%s\n' "$want" | while read -r line; do
  printf '%s\n' "$have" | grep -qx "$line" || exit 1
done
"#;

const BASTION: &str = r#"conf=/etc/ssh/sshd_config.d/10-onramp-hardening.conf
cat > "$conf" <<'END'
# Written by onramp. It sorts before 50-cloud-init.conf, because sshd takes the first value it reads.
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
X11Forwarding no
AllowAgentForwarding no
AllowTcpForwarding local
GatewayPorts no
PermitTunnel no
PermitUserEnvironment no
MaxAuthTries 4
MaxSessions 10
MaxStartups 10:30:60
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
LogLevel VERBOSE
END
chmod 0600 "$conf"
if ! sshd -t; then rm -f "$conf"; exit 1; fi
systemctl reload ssh 2>/dev/null || systemctl reload sshd
"#;

const HOST_CHECK: &str = r#"want=$(printf '%s\n' PermitRootLogin=no PasswordAuthentication=no AllowTcpForwarding=no X11Forwarding=no AllowAgentForwarding=no PermitTunnel=no GatewayPorts=no MaxAuthTries=4 | tr 'A-Z=' 'a-z ')
have=$(sshd -T | tr 'A-Z' 'a-z')
printf '%s\n' "$want" | while read -r line; do
  printf '%s\n' "$have" | grep -qx "$line" || exit 1
done
"#;

const HOST: &str = r#"conf=/etc/ssh/sshd_config.d/10-onramp-hardening.conf
cat > "$conf" <<'END'
# Written by onramp. It sorts before 50-cloud-init.conf, because sshd takes the first value it reads.
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
X11Forwarding no
AllowAgentForwarding no
AllowTcpForwarding no
GatewayPorts no
PermitTunnel no
PermitUserEnvironment no
MaxAuthTries 4
MaxSessions 10
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
LogLevel VERBOSE
END
chmod 0600 "$conf"
if ! sshd -t; then rm -f "$conf"; exit 1; fi
systemctl reload ssh 2>/dev/null || systemctl reload sshd
"#;

const CLOSED_CHECK: &str = r#"bastion=10.40.0.10
nft list table inet onramp_ssh 2>/dev/null | grep -q "ip saddr $bastion tcp dport" || exit 1
nft list table inet onramp_ssh 2>/dev/null | grep -q 'tcp dport.*drop' || exit 1
"#;

const CLOSED: &str = r#"bastion=10.40.0.10
command -v nft >/dev/null 2>&1 || { echo "nft is not installed on this host" >&2; exit 3; }
# Closing the door from the wrong side would lock us out: this very session must come from the bastion.
if ! ss -Htn state established | awk '{print $4}' | grep -qF "$bastion:"; then
  echo "no session from $bastion is open here: that is not the bastion's address as this host sees it" >&2
  exit 3
fi
ports=$(sshd -T | awk '$1 == "port" {print $2}' | sort -u | paste -sd, -)
install -d -m 0755 /etc/nftables.d
{
  echo 'table inet onramp_ssh'
  echo 'delete table inet onramp_ssh'
  echo 'table inet onramp_ssh {'
  echo '  chain input {'
  echo '    type filter hook input priority -10; policy accept;'
  echo '    iif lo accept'
  echo "    ip saddr $bastion tcp dport { $ports } accept"
  echo "    tcp dport { $ports } drop"
  echo '  }'
  echo '}'
} > /etc/nftables.d/onramp-ssh.nft
{
  echo '[Unit]'
  echo 'Description=SSH from the bastion only'
  echo 'Before=network-pre.target'
  echo 'Wants=network-pre.target'
  echo '[Service]'
  echo 'Type=oneshot'
  echo 'RemainAfterExit=yes'
  echo 'ExecStart=/usr/sbin/nft -f /etc/nftables.d/onramp-ssh.nft'
  echo 'ExecStop=/usr/sbin/nft delete table inet onramp_ssh'
  echo '[Install]'
  echo 'WantedBy=multi-user.target'
} > /etc/systemd/system/onramp-ssh-firewall.service
nft -c -f /etc/nftables.d/onramp-ssh.nft
systemctl daemon-reload
systemctl enable onramp-ssh-firewall.service
systemctl restart onramp-ssh-firewall.service
"#;

const CLOSED_UNDO: &str = r#"systemctl disable --now onramp-ssh-firewall.service
nft delete table inet onramp_ssh 2>/dev/null || true
rm -f /etc/systemd/system/onramp-ssh-firewall.service /etc/nftables.d/onramp-ssh.nft
systemctl daemon-reload
"#;

const IMAGES: [Image; 4] = [Image::Ubuntu2204, Image::Ubuntu2404, Image::Rhel9, Image::Debian12];

/// The wrapping of the ssh room: strict, a known PATH, no standard input for the script's own commands.
async fn send(shell: &Shell, script: &str) -> Answer {
    let prologue = "set -eu\numask 022\nexport LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin\n";
    shell.sudo(&format!("{prologue}{{\n:\n{script}\n\n}} </dev/null\n")).await
}

async fn succeed(image: Image, shell: &Shell, name: &str, script: &str) {
    let done = send(shell, script).await;
    assert_eq!(done.code, 0, "{image:?} {name}: {done:?}");
}

async fn fail(image: Image, shell: &Shell, name: &str, script: &str) {
    let done = send(shell, script).await;
    assert_eq!(done.code, 1, "{image:?} {name}: {done:?}");
}

async fn bastion_moved(image: Image) -> (Lab, Shell) {
    let lab = Lab::new(image).await;
    let first = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    fail(image, &first, "new-port check", NEW_PORT_CHECK).await;
    succeed(image, &first, "new-port", NEW_PORT).await;
    succeed(image, &first, "new-port verify", NEW_PORT_VERIFY).await;
    succeed(image, &first, "new-port check", NEW_PORT_CHECK).await;
    let shell = lab.login(ENGINEER_TO, 22022, lab.user).await.unwrap();
    fail(image, &shell, "new-port-proved check", PROVED_CHECK).await;
    succeed(image, &shell, "new-port-proved", PROVED).await;
    succeed(image, &shell, "new-port-proved check", PROVED_CHECK).await;
    fail(image, &shell, "old-port-closed check", OLD_PORT_CHECK).await;
    succeed(image, &shell, "old-port-closed", OLD_PORT).await;
    succeed(image, &shell, "old-port-closed verify", OLD_PORT_VERIFY).await;
    let shell = lab.login(ENGINEER_TO, 22022, lab.user).await.unwrap();
    (lab, shell)
}

#[tokio::test]
async fn the_bastion_moves_and_can_move_back() {
    for image in IMAGES {
        let (lab, shell) = bastion_moved(image).await;
        assert!(lab.login(ENGINEER_TO, 22, lab.user).await.is_err(), "{image:?}: 22 is closed");
        succeed(image, &shell, "old-port-closed undo", OLD_PORT_UNDO).await;
        assert!(lab.login(ENGINEER_TO, 22, lab.user).await.is_ok(), "{image:?}: 22 is back");
        succeed(image, &shell, "new-port undo", NEW_PORT_UNDO).await;
        assert!(lab.login(ENGINEER_TO, 22022, lab.user).await.is_err(), "{image:?}: as it was");
    }
}

#[tokio::test]
async fn the_new_port_goes_away_by_itself_when_nobody_proves_it() {
    for image in IMAGES {
        let lab = Lab::new(image).await;
        let first = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
        succeed(image, &first, "new-port", NEW_PORT).await;
        lab.hosts.advance(Duration::from_secs(301)).await;
        assert!(lab.login(ENGINEER_TO, 22022, lab.user).await.is_err(), "{image:?}");
        assert!(lab.login(ENGINEER_TO, 22, lab.user).await.is_ok(), "{image:?}");
        succeed(image, &first, "a second try", NEW_PORT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_phase_leaves_one_door() {
    for image in IMAGES {
        let (lab, shell) = bastion_moved(image).await;
        fail(image, &shell, "bastion-hardened check", BASTION_CHECK).await;
        succeed(image, &shell, "bastion-hardened", BASTION).await;
        succeed(image, &shell, "bastion-hardened check", BASTION_CHECK).await;
        let bastion = lab.login(ENGINEER_TO, 22022, lab.user).await.unwrap();
        let other = lab.jump(&bastion, OTHER_PRIVATE, 22).await.unwrap();
        let host = lab.jump(&bastion, PRIVATE, 22).await.unwrap();
        succeed(image, &host, "hosts-hardened", HOST).await;
        succeed(image, &host, "hosts-hardened check", HOST_CHECK).await;
        fail(image, &host, "hosts-closed check", CLOSED_CHECK).await;
        succeed(image, &host, "hosts-closed", CLOSED).await;
        succeed(image, &host, "hosts-closed check", CLOSED_CHECK).await;
        let neighbour = format!("timeout 1 bash -c ': </dev/tcp/{PRIVATE}/22' 2>/dev/null");
        assert_eq!(other.run(&neighbour, "").await.code, 124, "{image:?}: the neighbour gets no answer");
        let host = lab.jump(&bastion, PRIVATE, 22).await.unwrap();
        let refusal = host.forward(OTHER_PRIVATE, 22).await.err().unwrap();
        assert!(refusal.contains("AdministrativelyProhibited"), "{image:?}: {refusal}");
        succeed(image, &host, "hosts-closed undo", CLOSED_UNDO).await;
        assert_eq!(other.run(&neighbour, "").await.code, 0, "{image:?}: open again");
    }
}

#[tokio::test]
async fn the_door_is_not_shut_from_the_wrong_side() {
    let lab = Lab::new(Image::Debian12).await;
    let bastion = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    let host = lab.jump(&bastion, PRIVATE, 22).await.unwrap();
    let done = send(&host, &CLOSED.replace(BASTION_PRIVATE, "10.40.0.99")).await;
    assert_eq!(done.code, 3);
    assert!(done.err.contains("that is not the bastion's address"), "{done:?}");
}

#[tokio::test]
async fn what_onramp_sends_streams_line_by_line() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    let script = "set -eu\n{\n:\necho first\nsleep 30\necho second\n\n} </dev/null\n";
    let mut channel = shell.exec("sudo -n sh -s", script).await;
    let first = tokio::time::timeout(Duration::from_secs(10), Lab::next_output(&mut channel)).await;
    assert_eq!(first.unwrap(), "first\n");
}

#[tokio::test]
async fn a_script_that_is_cut_off_does_not_begin() {
    let lab = Lab::new(Image::Debian12).await;
    let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    let done = shell.sudo("set -eu\n{\n:\ntouch /root/began\necho ha").await;
    assert_ne!(done.code, 0, "{done:?}");
    let done = send(&shell, "touch /root/began\nif").await;
    assert_ne!(done.code, 0, "{done:?}");
    assert_eq!(shell.sudo("test -e /root/began\n").await.code, 1);
}

#[tokio::test]
async fn a_secret_is_read_from_the_pipe_that_it_comes_in() {
    let lab = Lab::new(Image::Ubuntu2404).await;
    let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    let script = "set -eu\n{\nprintf '%s\\n' 'p$ss `word`' 2>/dev/null | {\n:\ninstall -m 0600 /dev/stdin /root/secret\n\n}\n}\n";
    assert_eq!(shell.sudo(script).await.code, 0);
    assert_eq!(shell.sudo("cat /root/secret\n").await.out, "p$ss `word`\n");
}

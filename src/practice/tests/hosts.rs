//! The hosts, reached by a real SSH client through the virtual network.

use std::io::ErrorKind;
use std::time::Duration;

use super::lab::{BASTION, ENGINEER_TO, Lab, PRIVATE};
use super::*;

const PATIENCE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn the_key_that_is_authorised_logs_in_and_no_other() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    assert!(lab.login(ENGINEER_TO, 22, "ubuntu").await.is_ok());
    assert!(lab.login_with(ENGINEER_TO, 22, "ubuntu", &Lab::new_key()).await.is_err());
    assert!(lab.login(ENGINEER_TO, 22, "root").await.is_err());
    assert!(lab.login(ENGINEER_TO, 22, "nobody-here").await.is_err());
}

#[tokio::test]
async fn the_host_key_is_the_one_that_the_console_showed() {
    let lab = Lab::new(Image::Ubuntu2404).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let seen = shell.host_key();
    assert!(lab.bastion.host_key_fingerprints.contains(&seen), "{seen}");
    let console = &lab.bastion.console_output;
    let between = console.split("-----BEGIN SSH HOST KEY FINGERPRINTS-----").nth(1).unwrap();
    let between = between.split("-----END SSH HOST KEY FINGERPRINTS-----").next().unwrap();
    assert!(between.contains(&seen), "{console}");
    assert_eq!(lab.hosts.info(BASTION).await, Some(lab.bastion.clone()));
}

#[tokio::test]
async fn stdout_stderr_and_exit_code_come_apart() {
    let lab = Lab::new(Image::Debian12).await;
    let shell = lab.login(ENGINEER_TO, 22, "admin").await.unwrap();
    let done = shell.sudo("echo out; echo err >&2; exit 7\n").await;
    assert_eq!((done.out.as_str(), done.err.as_str(), done.code), ("out\n", "err\n", 7));
    let done = shell.run("no-such-command", "").await;
    assert_eq!(done.code, 127);
    assert!(done.err.contains("no-such-command"), "{}", done.err);
}

#[tokio::test]
async fn output_comes_while_the_command_still_runs() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let mut channel = shell.exec("sudo -n sh -s", "echo first; sleep 30; echo second\n").await;
    let first = tokio::time::timeout(Duration::from_secs(10), Lab::next_output(&mut channel)).await;
    assert_eq!(first.unwrap(), "first\n");
}

#[tokio::test]
async fn a_command_that_reads_nothing_does_not_wait_for_the_end_of_input() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let mut channel = shell.exec_without_end("uname -s; id -un").await;
    let said = tokio::time::timeout(Duration::from_secs(10), Lab::next_output(&mut channel)).await;
    assert!(said.unwrap().starts_with("Linux\n"));
}

#[tokio::test]
async fn a_user_is_not_root_without_sudo() {
    let lab = Lab::new(Image::Ubuntu2404).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let done = shell.run("echo x > /etc/ssh/sshd_config", "").await;
    assert_ne!(done.code, 0);
    assert!(done.err.contains("Permission denied"), "{}", done.err);
    assert_eq!(shell.run("systemctl restart ssh", "").await.code, 1);
    assert_eq!(shell.run("ufw status", "").await.code, 1);
    assert_eq!(shell.run("whoami; sudo -n whoami; sudo -n id -u", "").await.out, "ubuntu\nroot\n0\n");
    assert_eq!(
        shell.run("echo hello | sudo -n tee /etc/motd >/dev/null; cat /etc/motd; stat -c %U /etc/motd", "").await.out,
        "hello\nroot\n"
    );
}

#[tokio::test]
async fn every_image_says_what_it_is() {
    for (image, id, version) in [
        (Image::Ubuntu2204, "ubuntu", "22.04"),
        (Image::Ubuntu2404, "ubuntu", "24.04"),
        (Image::Rhel8, "rhel", "8.10"),
        (Image::Rhel9, "rhel", "9.5"),
        (Image::Rhel10, "rhel", "10.1"),
        (Image::Debian12, "debian", "12"),
    ] {
        let lab = Lab::new(image).await;
        let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
        let done = shell.run(". /etc/os-release; echo $ID $VERSION_ID; hostname; cloud-init status --wait", "").await;
        assert_eq!(done.out, format!("{id} {version}\nip-10-40-0-10\nstatus: done\n"));
    }
}

#[tokio::test]
async fn red_hat_8_has_an_sshd_from_before_include() {
    let lab = Lab::new(Image::Rhel8).await;
    let shell = lab.login(ENGINEER_TO, 22, "ec2-user").await.unwrap();
    let done = shell.sudo("ls -d /etc/ssh/sshd_config.d; sshd -T | grep -E '^(kbd|x11f)'\n").await;
    assert_eq!(done.out, "kbdinteractiveauthentication no\nx11forwarding yes\n", "{done:?}");
    let done = shell.sudo("echo 'Include /etc/ssh/sshd_config.d/*.conf' >>/etc/ssh/sshd_config; sshd -t\n").await;
    assert!(done.code == 255 && done.err.contains("Bad configuration option: Include"), "{done:?}");
}

#[tokio::test]
async fn an_image_of_cis_is_shut_and_level_2_forwards_nothing() {
    for (image, level, firewall) in [
        (Image::Ubuntu2404, Cis::Level1, "ufw status"),
        (Image::Rhel9, Cis::Level2, "firewall-cmd --list-all"),
        (Image::Rhel8, Cis::Level2, "firewall-cmd --list-all"),
    ] {
        let lab = Lab::hardened(image, level).await;
        let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
        let forwards = lab.jump(&shell, PRIVATE, 22).await.is_ok();
        assert_eq!(forwards, level == Cis::Level1, "{image:?}");
        // What stands above Include wins over what stands in its files.
        let late = "install -d /etc/ssh/sshd_config.d; echo LogLevel VERBOSE >/etc/ssh/sshd_config.d/01-a.conf; sshd -T | grep loglevel\n";
        assert_eq!(shell.sudo(late).await.out, "loglevel INFO\n", "{image:?}");
        let door = shell.sudo(&format!("{firewall}\n")).await;
        assert!(door.out.contains("services: cockpit") || door.out.contains("22/tcp"), "{door:?}");
    }
}

#[tokio::test]
async fn connections_end_as_tcp_ends_them() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let engineer = lab.hosts.dialer(Source::ENGINEER, lab.gate.clone());
    let refused = engineer.dial(ENGINEER_TO, 23).await.err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let silent = |address: &'static str| tokio::time::timeout(PATIENCE, engineer.dial(address, 22));
    assert!(silent(PRIVATE).await.is_err(), "private addresses are not routed from the Internet");
    assert!(silent("203.0.113.99").await.is_err(), "nobody has that address");
    lab.gate.shut(Source::ENGINEER, ENGINEER_TO, 22);
    assert!(silent(ENGINEER_TO).await.is_err(), "the security group says no");
}

#[tokio::test]
async fn a_host_that_is_taken_away_drops_its_connections() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    lab.hosts.remove(BASTION).await;
    let closed = tokio::time::timeout(Duration::from_secs(5), shell.wait_closed()).await;
    assert!(closed.is_ok());
    assert_eq!(lab.hosts.names(), ["app-1", "app-2"]);
}

#[tokio::test]
async fn hosts_come_back_from_a_snapshot_as_they_were() {
    let lab = Lab::new(Image::Ubuntu2404).await;
    let script = "printf 'Port 22022\\n' >/etc/ssh/sshd_config.d/01-onramp-port.conf; systemctl daemon-reload; systemctl restart ssh.socket\n\
        ufw --force enable; ufw allow 22022/tcp; systemd-run --unit=back --on-active=300 touch /root/fired; chown ubuntu /etc/motd 2>/dev/null; true\n";
    assert_eq!(lab.hosts.at_console(BASTION, script).await.unwrap().code, 0);
    lab.hosts.advance(Duration::from_secs(100)).await;
    let saved = lab.hosts.snapshot().await;
    let hosts = Hosts::new();
    hosts.restore(&saved).await.unwrap();
    let again = lab.moved_to(hosts);
    let shell = again.login(ENGINEER_TO, 22022, "ubuntu").await.unwrap();
    assert!(again.bastion.host_key_fingerprints.contains(&shell.host_key()));
    assert!(shell.sudo("ufw status\n").await.out.contains("22022/tcp"));
    again.hosts.advance(Duration::from_secs(199)).await;
    assert_eq!(shell.sudo("test -e /root/fired\n").await.code, 1, "a second is left");
    again.hosts.advance(Duration::from_secs(2)).await;
    assert_eq!(shell.sudo("test -e /root/fired\n").await.code, 0);
    assert!(again.hosts.restore(b"{}").await.is_err());
    assert_eq!(again.hosts.names(), ["app-1", "app-2", "bastion"], "what cannot be read changes nothing");
}

#[tokio::test]
async fn no_more_sessions_than_max_sessions() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let script = "echo 'MaxSessions 2' >/etc/ssh/sshd_config.d/10.conf; systemctl reload ssh";
    lab.hosts.at_console(BASTION, script).await.unwrap();
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let _one = shell.exec_without_end("sleep 60").await;
    let _two = shell.exec_without_end("sleep 60").await;
    assert!(shell.open_session().await.is_err());
}

#[tokio::test]
async fn lists_of_users_are_obeyed() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let set = async |line: &str| {
        let script = format!("echo '{line}' >/etc/ssh/sshd_config.d/10.conf; systemctl reload ssh");
        assert_eq!(lab.hosts.at_console(BASTION, &script).await.unwrap().code, 0);
        lab.login(ENGINEER_TO, 22, "ubuntu").await.is_ok()
    };
    assert!(set("AllowUsers ubuntu").await);
    assert!(!set("AllowUsers deploy").await);
    assert!(!set("AllowUsers ubuntu@10.0.0.*").await);
    assert!(set("AllowUsers ubuntu@198.51.100.*").await);
    assert!(!set("DenyGroups sudo").await);
    assert!(!set("PubkeyAuthentication no").await);
}

#[tokio::test]
async fn only_the_methods_that_sshd_config_allows_are_offered() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    assert_eq!(lab.offered(ENGINEER_TO).await, ["publickey"]);
    let script = "printf 'PasswordAuthentication yes\n' >/etc/ssh/sshd_config.d/01.conf; systemctl reload ssh";
    lab.hosts.at_console(BASTION, script).await.unwrap();
    assert_eq!(lab.offered(ENGINEER_TO).await, ["publickey", "password"]);
}

#[tokio::test]
async fn sudo_wants_a_password_from_whom_sudoers_does_not_name() {
    let lab = Lab::new(Image::Rhel9).await;
    lab.hosts.at_console(BASTION, "rm /etc/sudoers.d/90-cloud-init-users").await.unwrap();
    let shell = lab.login(ENGINEER_TO, 22, "ec2-user").await.unwrap();
    let done = shell.sudo("echo never\n").await;
    assert_eq!((done.out.as_str(), done.err.as_str(), done.code), ("", "sudo: a password is required\n", 1));
}

#[tokio::test]
async fn a_signal_ends_the_command_at_once() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let mut channel = shell.exec("sudo -n sh -s", "echo started; sleep 1; touch /root/done\n").await;
    assert_eq!(Lab::next_output(&mut channel).await, "started\n");
    channel.signal(russh::Sig::TERM).await.unwrap();
    let mut ended = None;
    while let Some(message) = channel.wait().await {
        if let russh::ChannelMsg::ExitSignal { signal_name, .. } = message {
            ended = Some(signal_name);
        }
    }
    assert!(matches!(ended, Some(russh::Sig::TERM)));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(shell.sudo("test -e /root/done\n").await.code, 1);
}

#[tokio::test]
async fn a_script_goes_on_when_its_client_is_gone() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let mut channel = shell.exec("sudo -n sh -s", "echo started; sleep 0.5; touch /root/done\n").await;
    assert_eq!(Lab::next_output(&mut channel).await, "started\n");
    drop(channel);
    drop(shell);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let again = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    assert_eq!(again.sudo("test -e /root/done\n").await.code, 0);
}

#[tokio::test]
async fn an_elastic_address_comes_and_goes() {
    let lab = Lab::new(Image::Ubuntu2404).await;
    let addresses = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect::<Vec<IpAddr>>();
    lab.hosts.set_addresses(BASTION, addresses(&["10.40.0.10", "203.0.113.77"])).await;
    assert!(lab.login("203.0.113.77", 22, "ubuntu").await.is_ok());
    let engineer = lab.hosts.dialer(Source::ENGINEER, lab.gate.clone());
    assert!(tokio::time::timeout(PATIENCE, engineer.dial(ENGINEER_TO, 22)).await.is_err());
}

#[tokio::test]
async fn the_small_tools_work() {
    let lab = Lab::new(Image::Ubuntu2404).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    for (script, expected) in [
        ("f=$(mktemp); echo x >\"$f\"; cmp \"$f\" \"$f\" && sha256sum <\"$f\" | cut -c1-8", "73cb3858\n"),
        (
            "printf 'server %s iburst\\n' 10.0.0.1 | install -m 0640 -o root -g adm /dev/stdin /etc/chrony/conf.d/onramp.conf; stat -c '%a %U %G' /etc/chrony/conf.d/onramp.conf",
            "640 root adm\n",
        ),
        ("systemctl restart chrony; chronyc -n waitsync 10 0.1 0 1 >/dev/null; echo $?", "0\n"),
        ("systemctl stop chrony; chronyc tracking; echo $?", "506 Cannot talk to daemon\n1\n"),
        ("logger -t onramp hello; journalctl -t onramp", "onramp: hello\n"),
        ("timeout 1 sleep 9; echo $?", "124\n"),
        ("ip -br addr | awk '$1==\"ens5\"{print $3}'", "10.40.0.10/24\n"),
        (
            "chown ubuntu:adm /etc/motd 2>&1; touch /etc/motd; chown ubuntu:adm /etc/motd; stat -c %U:%G /etc/motd",
            "chown: cannot access '/etc/motd': No such file or directory\nubuntu:adm\n",
        ),
        ("ssh -V 2>&1 | cut -d, -f1", "OpenSSH_9.6p1 Ubuntu-3ubuntu13.5\n"),
        ("/usr/sbin/sshd -t; echo $?; command -v sshd nft ufw >/dev/null; echo $?", "0\n0\n"),
        (
            "systemd-run --quiet --wait --pipe --unit=x sh -c 'echo ran; exit 3'; echo $?; systemctl is-failed x.service",
            "ran\n3\nfailed\n",
        ),
        (
            "systemd-run --quiet --unit=y --on-active=300 sh -c 'echo back >/root/y'; systemctl start y.service; cat \
             /root/y; systemctl is-active y.timer",
            "back\nactive\n",
        ),
        ("apt-get -y install no-such-package; echo $?", "100\n"),
        // An image comes without lists of packages.
        ("apt-get -y install postfix 2>&1; echo $?", "E: Unable to locate package postfix\n100\n"),
        ("apt-get -q update >/dev/null; apt-get -y install postfix >/dev/null; echo $?", "0\n"),
        ("setsid sh -c \"kill -s KILL -- -\\$(cut -d ' ' -f 5 /proc/self/stat); echo on\"; echo $?", "137\n"),
    ] {
        let done = shell.sudo(&format!("{script}\n")).await;
        assert_eq!(done.out, expected, "{script}: {done:?}");
    }
}

#[tokio::test]
async fn a_host_of_cis_executes_nothing_in_tmp() {
    let script = "for at in /tmp /var/tmp; do printf '#!/bin/sh\\necho ran\\n' >$at/x; chmod 755 $at/x; $at/x; echo $?; sh $at/x; done\n";
    let ran = async |lab: Lab| lab.login(ENGINEER_TO, 22, lab.user).await.unwrap().sudo(script).await;
    let done = ran(Lab::hardened(Image::Rhel9, Cis::Level1).await).await;
    assert_eq!(done.out, "126\nran\n126\nran\n", "{done:?}");
    assert!(done.err.contains("/tmp/x: Permission denied"), "{done:?}");
    assert_eq!(ran(Lab::new(Image::Rhel9).await).await.out, "ran\n0\nran\nran\n0\nran\n");
}

#[tokio::test]
async fn a_command_whose_time_is_up_ends_and_the_script_goes_on() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, "ubuntu").await.unwrap();
    let script = "timeout 1 bash -c 'if true && sleep 30 || true; then :; fi' || echo late $?\n\
                  timeout 5 sh -c 'cat; exit 3' </etc/hostname >/tmp/out || echo ended $?\n\
                  cmp -s /tmp/out /etc/hostname && echo same\nset -e; false; echo never\n";
    let done = shell.sudo(script).await;
    assert_eq!((done.out.as_str(), done.code), ("late 124\nended 3\nsame\n", 1), "{done:?}");
}

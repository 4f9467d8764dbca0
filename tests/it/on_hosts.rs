//! Files, packages, restarts and sudo's password on real Debian hosts, hardened as CIS would have them.

use serde_json::Value as Json;

use crate::stage::{Lab, Stage, lab};

/// What CIS does to a host: nothing runs from /tmp, and new files are for nobody else.
const HARDENED: &str = "mount -o remount,noexec /tmp 2>/dev/null || mount -t tmpfs -o noexec,nosuid,nodev tmpfs /tmp; \
                        echo 'umask 027' >/etc/profile.d/cis.sh; sed -i 's/^UMASK.*/UMASK 027/' /etc/login.defs";

const STEPS: &str = r#"steps:
  - id: facts
    title: What the host is
    os: facts
    with: {host: app-1}
    saves: {family: host.family, sudo: host.sudo}
  - id: motd
    title: The host greets
    when: host.family == "debian"
    os: file
    with:
      host: app-1
      path: /etc/motd
      content: |
        Hello from onramp
        it's {{ host.family }}
      mode: "0644"
      owner: root
      validate: grep -q onramp "$1"
      after: echo {{ host.family }} >>/root/reloads
  - id: packages
    title: sshd is there
    needs: [facts]
    os: packages
    with: {host: app-1, names: [openssh-server]}
"#;

const RESTART: &str = r#"  - id: restart
    title: The host was restarted
    needs: [motd]
    os: restart
    with: {host: app-1}
"#;

fn begun(lab: &Lab, steps: &str) -> Stage {
    let stage = Stage::new().with_credentials();
    let runbook = format!("runbook: hosts\ntitle: Hosts\nphase: hosts\nhosts:\n{}{steps}", lab.hosts());
    let file = stage.file("hosts.yaml", &runbook);
    stage.run(&["check", file.to_str().unwrap()]).expect(0);
    stage.run(&["new", "hosts", "--runbook", file.to_str().unwrap()]).expect(0);
    stage
}

fn boot(lab: &Lab) -> String {
    lab.inside("app-1", "cat /proc/sys/kernel/random/boot_id; stat -c %Z /proc/1")
}

#[test]
fn a_file_is_planned_written_proved_and_taken_back() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);
    lab.inside("app-1", HARDENED);
    lab.inside("app-1", "printf 'theirs\\n' >/etc/motd; chmod 0604 /etc/motd; chown cloud:cloud /etc/motd");
    let stage = begun(&lab, STEPS);
    stage.run(&["run", "hosts", "--only", "hosts/facts"]).expect(0);
    let plan = stage.run(&["plan", "hosts"]).expect(0);
    for words in
        ["has another mode, owner and content", "-theirs", "+Hello from onramp", "+it's debian", "file: /etc/motd"]
    {
        plan.says(words);
    }
    stage.run(&["run", "hosts", "--yes"]).expect(0);
    let is = "stat -c '%a %U' /etc/motd; cat /etc/motd /root/reloads";
    assert_eq!(lab.inside("app-1", is), "644 root\nHello from onramp\nit's debian\ndebian\n");
    stage.run(&["plan", "hosts"]).expect(0).says("Nothing would be changed.");
    stage.run(&["verify", "hosts"]).expect(0);

    lab.inside("app-1", "echo meddled >>/etc/motd");
    let left = stage.run(&["undo", "hosts", "hosts/motd", "--yes"]);
    left.says("somebody has changed it since");
    lab.inside("app-1", "sed -i /meddled/d /etc/motd");
    stage.run(&["undo", "hosts", "hosts/motd", "--yes"]).expect(0);
    assert_eq!(lab.inside("app-1", "stat -c '%a %U %G' /etc/motd; cat /etc/motd"), "604 cloud cloud\ntheirs\n");
    assert_eq!(lab.inside("app-1", "ls -A /etc /var/lib/onramp-kept | grep onramp-new || echo clean"), "clean\n");
}

#[test]
fn a_host_is_restarted_once_and_waited_for() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);
    let stage = begun(&lab, &format!("{STEPS}{RESTART}"));
    let before = boot(&lab);
    stage.run(&["run", "hosts", "--yes"]).expect(0);
    let after = boot(&lab);
    assert_ne!(before, after, "it was restarted");
    stage.run(&["run", "hosts", "--yes"]).expect(0);
    stage.run(&["verify", "hosts"]).expect(0);
    assert_eq!(boot(&lab), after, "and not again");
}

/// Headless: what is missing is said, and nothing else happens; a secret reference in the hosts is the way out.
#[test]
fn sudo_that_wants_a_password_says_so_and_what_to_do() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);
    lab.inside(
        "app-1",
        "echo 'cloud ALL=(ALL) ALL' >/etc/sudoers.d/90-cloud-init-users; echo cloud:lab-password | chpasswd",
    );
    let stage = begun(&lab, STEPS);
    let asked = stage.run(&["run", "hosts", "--yes"]).expect(3);
    asked.says("sudo password of cloud@app-1");
    let again = stage.run(&["run", "hosts", "--yes"]).expect(3);
    again.says("`sudo` of the host");
    let status: Json =
        serde_json::from_str(&stage.run(&["status", "hosts", "--format", "json"]).expect(0).out).unwrap();
    assert!(!status.to_string().contains("lab-password"));
}

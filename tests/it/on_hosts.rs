//! Files, packages, restarts and sudo's password on real Debian hosts, hardened as CIS would have them.

use serde_json::Value as Json;

use crate::stage::{Lab, Stage, lab};

/// What CIS does to a host: nothing runs from /tmp, new files are for nobody else, and what its benchmark says of sudo and
/// of sshd.
const HARDENED: &str = r"
mount -o remount,noexec /tmp 2>/dev/null || mount -t tmpfs -o noexec,nosuid,nodev tmpfs /tmp
mount --bind /var/tmp /var/tmp; mount -o remount,bind,noexec,nosuid,nodev /var/tmp
mount -t tmpfs -o noexec,nosuid,nodev tmpfs /dev/shm
printf 'umask 027\nreadonly TMOUT=900\nexport TMOUT\n' >/etc/profile.d/cis.sh
sed -i 's/^UMASK.*/UMASK 027/' /etc/login.defs
printf 'Defaults use_pty\nDefaults logfile=/var/log/sudo.log\nDefaults timestamp_timeout=15\n' >/etc/sudoers.d/cis
echo 'Authorized users only. All activity is monitored.' >/etc/issue.net
cat >/etc/ssh/sshd_config.d/05-cis.conf <<END
AllowUsers cloud ops
Banner /etc/issue.net
Ciphers aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr
ClientAliveCountMax 3
ClientAliveInterval 15
GSSAPIAuthentication no
HostbasedAuthentication no
IgnoreRhosts yes
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org,diffie-hellman-group16-sha512
LogLevel VERBOSE
LoginGraceTime 60
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512,hmac-sha2-256
MaxAuthTries 4
MaxSessions 2
MaxStartups 10:30:60
PasswordAuthentication no
PermitEmptyPasswords no
PermitRootLogin no
PermitUserEnvironment no
X11Forwarding no
END
[ $(hostname) = bastion ] || echo 'DisableForwarding yes' >>/etc/ssh/sshd_config.d/05-cis.conf
sshd -t && systemctl restart ssh && echo hardened";

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
    for host in ["bastion", "app-1"] {
        assert_eq!(lab.inside(host, HARDENED), "hardened\n");
    }
    lab.inside("app-1", "printf 'theirs\\n' >/etc/motd; chmod 0604 /etc/motd; chown cloud:cloud /etc/motd");
    let stage = begun(&lab, STEPS);
    stage.run(&["run", "hosts", "--only", "hosts/facts"]).expect(3).says("1 of 3 steps done");
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

/// A small disk that is full, at this place of app-1.
fn fill(lab: &Lab, place: &str) {
    let full = format!("mkdir -p {place}; mount -t tmpfs -o size=256k,mode=700 small {place}");
    lab.inside("app-1", &full);
    lab.inside("app-1", &format!("cd {place}; echo theirs >file; dd if=/dev/zero of=ballast bs=4k 2>/dev/null"));
}

const ON_A_DISK: &str = r#"steps:
  - id: file
    title: The file
    os: file
    with: {host: app-1, path: /srv/small/file, content: "@CONTENT@"}
  - id: script
    title: The script
    host: app-1
    no_undo: It is only a test.
    shell:
      check: test -e /srv/small/script
      run: head -c 8192 /dev/zero >/srv/small/script.new; mv /srv/small/script.new /srv/small/script
"#;

#[test]
fn a_full_disk_is_said_and_nothing_is_half_written() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);
    fill(&lab, "/srv/small");
    let stage = begun(&lab, &ON_A_DISK.replace("@CONTENT@", &"ours ".repeat(2_000)));
    let full = stage.run(&["run", "hosts", "--yes"]).expect(1);
    full.says("hosts/file");
    full.says("No space left on device");
    let status = stage.run(&["status", "hosts"]).expect(0);
    assert_eq!(status.out.matches("  failed ").count(), 2, "{}", status.out);
    let is = "cat /srv/small/file; ls -A /srv/small | grep -v -e '^ballast' -e '^file$' -e '^script.new$'";
    assert_eq!(lab.inside("app-1", is), "theirs\n", "the old file is whole, and nothing of the new one is left");
    lab.inside("app-1", "rm /srv/small/ballast");

    // Where onramp keeps what it started there is no room, either: nothing is started.
    let claims = ["/var/lib/onramp-claims", "/root/.onramp-claims"];
    claims.iter().for_each(|place| fill(&lab, place));
    let refused = stage.run(&["run", "hosts", "--yes"]).expect(1);
    refused.says("is its disk full?");
    refused.says("100% /var/lib/onramp-claims");
    assert_eq!(
        lab.inside("app-1", "cat /srv/small/file; ls /srv/small/script 2>&1 | head -c 30"),
        "theirs\nls: cannot access '/srv/small/"
    );
    lab.inside("app-1", "rm /var/lib/onramp-claims/ballast");
    stage.run(&["run", "hosts", "--yes"]).expect(0);
    assert!(lab.inside("app-1", "cat /srv/small/file").starts_with("ours ours"));
}

const FLOODS: &str = r#"steps:
  - id: flood
    title: One of them floods
    for_each: '["app-1", "data-1"]'
    host: "{{ item }}"
    no_undo: It is only a test.
    shell:
      run: if [ "$(hostname)" = app-1 ]; then seq 1 1000000; else echo quiet; fi; echo the end
"#;

#[test]
fn a_host_that_floods_keeps_nobody_waiting_and_is_kept_to_the_last_line() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    let stage = begun(&lab, FLOODS);
    let events = stage.home().join("events.jsonl");
    let mut run = stage.command(&["run", "hosts", "--yes", "--format", "jsonl"]);
    let mut run = run.stdout(std::fs::File::create(&events).unwrap()).spawn().unwrap();
    let mut most = 0;
    let code = loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", run.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = most.max(peak.and_then(|said| said.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0));
        if let Some(status) = run.try_wait().unwrap() {
            break status.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    assert_eq!(code, Some(0));
    let events = std::fs::read_to_string(&events).unwrap();
    let done: Vec<&str> = events.lines().filter(|line| line.contains("\"event\":\"done\"")).collect();
    assert!(done.len() == 2 && done[0].contains("data-1"), "the quiet host is done first: {done:?}");
    assert!(most > 0 && most < 400 * 1024, "{most} KiB at most");
    let step = "hosts/flood[app-1]".parse().unwrap();
    let reader = onramp::journal::Reader::open(&stage.data().join("engagements/hosts")).unwrap();
    let last = reader.page(&step, 1, onramp::journal::PageAt::Last, 1).unwrap();
    assert_eq!((last.total, last.lines), (1_000_001, vec![b"the end".to_vec()]), "every line is kept");
}

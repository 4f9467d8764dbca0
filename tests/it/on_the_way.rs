//! The way to real Debian hosts: several hops, keys that change, names that come late, packets that are dropped, a bastion
//! that dies, and sshd with the limits of its distribution or less.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;

use crate::hosts_fail::as_yaml;
use crate::stage::{Lab, Stage, lab};

const WORKS: &str = "echo here >>/root/was-here";

/// An engagement over these hosts, whose one step does this on each of `on`.
fn begun(list: &str, on: &[&str], script: &str) -> Stage {
    let stage = Stage::new().with_credentials();
    let on: Vec<String> = on.iter().map(|host| format!("\"{host}\"")).collect();
    let runbook = format!(
        "runbook: way\ntitle: Way\nphase: way\nhosts:\n{}steps:\n  - id: look\n    title: Works\n    for_each: '[{}]'\n    \
         host: \"{{{{ item }}}}\"\n    no_undo: It is only a test.\n    shell:\n      run: {script}\n",
        as_yaml(list),
        on.join(", ")
    );
    let file = stage.file("way.yaml", &runbook);
    stage.run(&["new", "way", "--runbook", file.to_str().unwrap()]).expect(0);
    stage
}

fn statuses(stage: &Stage) -> Vec<String> {
    let said = stage.run(&["status", "way", "--format", "json"]).expect(0).out;
    let said: Json = serde_json::from_str(&said).unwrap();
    said["steps"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap().to_owned()).collect()
}

impl Lab {
    /// The host as onramp reads it: `NAME ADDRESS USER …`.
    fn line(&self, host: &str) -> String {
        let all = std::fs::read_to_string(self.dir.join("hosts.txt")).expect("the lab's hosts");
        let is_it = |line: &&str| line.split(' ').next() == Some(host);
        format!("{}\n", all.lines().find(is_it).expect("a host of the lab"))
    }

    /// A user of a host with a key of its own; the path of the key.
    fn user(&self, stage: &Stage, host: &str, name: &str) -> String {
        let key = stage.home().join(format!("{name}_key")).display().to_string();
        let made = ["-q", "-t", "ed25519", "-N", "", "-f", &key];
        assert!(std::process::Command::new("ssh-keygen").args(made).status().unwrap().success());
        let public = std::fs::read_to_string(format!("{key}.pub")).unwrap();
        let add = format!(
            "useradd -m -s /bin/bash {name}; install -d -m 700 -o {name} ~{name}/.ssh; echo '{}' >~{name}/.ssh/authorized_keys; \
             chown {name} ~{name}/.ssh/authorized_keys; echo '{name} ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/{name}",
            public.trim()
        );
        self.inside(host, &add);
        key
    }

    /// What sshd wrote since the host booted.
    fn sshd(&self, host: &str) -> String {
        self.inside(host, "journalctl -q --no-pager -o cat -u ssh")
    }

    fn set_sshd(&self, host: &str, settings: &str) {
        let set =
            format!("printf '%b' '{settings}' >/etc/ssh/sshd_config.d/10-test.conf; sshd -t && systemctl restart ssh");
        self.inside(host, &set);
    }
}

fn words(line: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(line.to_owned(), |line, (from, to)| {
        assert!(line.contains(from), "{from} in {line}");
        line.replacen(from, to, 1)
    })
}

#[test]
fn three_hops_each_with_a_user_and_a_key_of_its_own() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    let keys = Stage::new();
    let (jump, dba) = (lab.user(&keys, "app-1", "jump"), lab.user(&keys, "data-1", "dba"));
    let cloud = format!("identity={}", lab.dir.join("run/keys/cloud_ed25519").display());
    let app = words(&lab.line("app-1"), &[(" cloud ", " jump "), (&cloud, &format!("identity={jump}"))]);
    let of_dba = format!("identity={dba}");
    let data = words(&lab.line("data-1"), &[(" cloud ", " dba "), ("via=bastion", "via=app-1"), (&cloud, &of_dba)]);
    let stage = begun(&format!("{}{app}{data}", lab.line("bastion")), &["data-1"], WORKS);
    stage.run(&["run", "way", "--yes"]).expect(0);
    assert_eq!(lab.inside("data-1", "cat /root/was-here"), "here\n");
    for (host, who) in
        [("bastion", "ops from 10.213.0.1 "), ("app-1", "jump from 10.214.0.10 "), ("data-1", "dba from 10.214.0.11 ")]
    {
        assert!(lab.sshd(host).contains(&format!("Accepted publickey for {who}")), "{host}: {}", lab.sshd(host));
    }
}

#[test]
fn a_host_key_that_changes_stops_everything_there_and_shows_both() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    let hosts = ["bastion", "app-1", "data-1"].map(|host| lab.line(host)).concat();
    let stage = begun(&hosts, &["app-1", "data-1"], WORKS);
    lab.swap_keys("app-1");
    let before = lab.inside("app-1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    let shown = before.split(' ').nth(1).unwrap();
    let known = lab.line("app-1").split("fingerprint=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert_ne!(shown, known);
    let stopped = stage.run(&["run", "way", "--yes"]).expect(1);
    stopped.says("the key has CHANGED");
    stopped.says("app-1 (10.214.0.11:22), host key");
    stopped.says(&known);
    stopped.says("rebuilt");
    assert_eq!(statuses(&stage), ["failed", "done"], "the other host goes on");
    assert!(!lab.sshd("app-1").contains("Accepted"), "nobody logged in: {}", lab.sshd("app-1"));
    // There is nothing to accept, and nothing that it would help to try again with.
    stage.run(&["run", "way", "--yes", "--failed"]).expect(1).says("CHANGED");
    lab.reset(&["app-1"]);
    stage.run(&["run", "way", "--yes", "--failed"]).expect(0);
}

/// Answers every question with an address, after a while or never. As long as it lives.
struct NameServer {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl NameServer {
    fn start(engineer: &str, address: [u8; 4], after: Option<Duration>) -> NameServer {
        let socket = UdpSocket::bind((engineer, 53)).expect("port 53 of the lab's network is free");
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let serve = move || {
            let mut question = [0; 512];
            while !stopped.load(Ordering::SeqCst) {
                let (Ok((length, from)), Some(after)) = (socket.recv_from(&mut question), after) else { continue };
                thread::sleep(after);
                let _ = socket.send_to(&answer(&question[..length], address), from);
            }
        };
        NameServer { stop, thread: Some(thread::spawn(serve)) }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

/// RFC 1035: the question again, and for an A question one record that points back to it.
fn answer(question: &[u8], address: [u8; 4]) -> Vec<u8> {
    let name = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap_or(0) + 1;
    let is_a = question.get(name..name + 2) == Some(&[0, 1]);
    let mut out = question[..2].to_vec();
    out.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    out.extend(&question[12..name + 4]);
    if is_a {
        out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        out.extend(address);
    }
    out
}

#[test]
fn a_name_server_that_is_slow_is_waited_for_and_one_that_is_silent_is_named() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);
    lab.inside("bastion", "echo 'nameserver 10.213.0.1' >/etc/resolv.conf");
    let app = words(&lab.line("app-1"), &[("10.214.0.11", "app-1.acme.example")]);
    let hosts = format!("{}{app}", lab.line("bastion"));
    {
        let _slow = NameServer::start("10.213.0.1", [10, 214, 0, 11], Some(Duration::from_secs(2)));
        let stage = begun(&hosts, &["app-1"], WORKS);
        stage.run(&["run", "way", "--yes"]).expect(0);
        assert_eq!(lab.inside("app-1", "cat /root/was-here"), "here\n");
    }
    let _silent = NameServer::start("10.213.0.1", [10, 214, 0, 11], None);
    let stage = begun(&hosts, &["app-1"], WORKS);
    let failed = stage.run(&["run", "way", "--yes"]).expect(1);
    failed.says("app-1 (app-1.acme.example:22)");
    failed.says("no answer within 10 s");
    failed.says("DNS");
}

#[test]
fn a_firewall_that_drops_is_told_by_hop_and_stage_and_what_to_try() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    let hosts = ["bastion", "app-1", "data-1"].map(|host| lab.line(host)).concat();
    let stage = begun(&hosts, &["app-1", "data-1"], WORKS);
    let drops = "nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; \
                 add rule inet t in tcp dport 22 drop'";
    lab.inside("app-1", drops);
    let failed = stage.run(&["run", "way", "--yes"]).expect(1);
    failed.says("app-1 (10.214.0.11:22), connect: no answer within 10 s");
    failed.says("security group");
    assert_eq!(statuses(&stage), ["failed", "done"], "the others are not kept waiting for ever");
    lab.inside("bastion", drops);
    let failed = stage.run(&["run", "way", "--yes", "--failed"]).expect(1);
    failed.says("bastion (10.213.0.10:22), connect: no answer within 10 s");
    for host in ["bastion", "app-1"] {
        lab.inside(host, "nft delete table inet t");
    }
    stage.run(&["run", "way", "--yes", "--failed"]).expect(0);
}

#[test]
fn a_bastion_that_dies_in_the_middle_of_a_script_and_comes_back_costs_nothing() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);
    let script = "echo began >>/root/was-here; for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $n; sleep 1; done";
    let stage = begun(&format!("{}{}", lab.line("bastion"), lab.line("app-1")), &["app-1"], script);
    let events = stage.home().join("events.jsonl");
    let mut run = stage.command(&["run", "way", "--yes", "--format", "jsonl"]);
    let mut run = run.stdout(std::fs::File::create(&events).unwrap()).spawn().unwrap();
    for _ in 0..300 {
        if !lab.inside("app-1", "cat /root/was-here 2>/dev/null").is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_secs(2));
    lab.restart("bastion");
    let code = run.wait().unwrap().code();
    assert_eq!(code, Some(0), "{}", stage.run(&["status", "way"]).out);
    assert_eq!(lab.inside("app-1", "cat /root/was-here"), "began\n", "it was started once");
    let events = std::fs::read_to_string(&events).unwrap();
    let concluded = events.lines().find(|line| line.contains("\"event\":\"concluded\"")).expect("it has an end");
    assert!((1..=12).all(|n| concluded.contains(&format!("line {n}"))), "{concluded}");
}

/// The hosts with so many addresses more each, as many machines would have them.
fn many(lab: &Lab, count: usize) -> (String, Vec<String>) {
    let (mut list, mut names) = (lab.line("bastion"), Vec::new());
    for (host, own, first) in [("app-1", "10.214.0.11", 100), ("data-1", "10.214.0.12", 160)] {
        let line = lab.line(host);
        let mut add = String::new();
        for index in first..first + count / 2 {
            let (name, address) = (format!("h{index}"), format!("10.214.0.{index}"));
            add += &format!("ip address add {address}/24 dev eth0; ");
            list += &words(&line, &[(host, &name), (own, &address)]);
            names.push(name);
        }
        lab.inside(host, &add);
    }
    (list, names)
}

#[test]
fn many_hosts_within_the_limits_of_sshd_as_it_comes() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    let limits = lab.inside("bastion", "sshd -T | grep -iE '^(maxstartups|maxsessions)'");
    assert!(limits.contains("maxstartups 10:30:100") && limits.contains("maxsessions 10"), "{limits}");
    let (list, names) = many(&lab, 80);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let stage = begun(&list, &names, WORKS);
    stage.run(&["run", "way", "--yes"]).expect(0);
    assert_eq!(statuses(&stage), vec!["done"; 80]);
    for host in ["app-1", "data-1"] {
        assert_eq!(lab.inside(host, "grep -c here /root/was-here"), "40\n");
    }
    assert!(!lab.sshd("bastion").contains("MaxStartups"), "{}", lab.sshd("bastion"));
    let logins = lab.sshd("bastion").matches("Accepted publickey").count();
    assert!(logins <= 8, "{logins} connections to the bastion for 80 hosts");
}

#[test]
fn hosts_that_refuse_logins_for_a_while_are_logged_in_to_all_the_same() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    for host in ["app-1", "data-1"] {
        lab.set_sshd(host, "MaxStartups 2:100:2\\n");
    }
    let (list, names) = many(&lab, 24);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let stage = begun(&list, &names, WORKS);
    // Two who only look at the door: until they go, nobody else is let in.
    let block = "for host in 11 12; do for n in 1 2; do (exec 3<>/dev/tcp/10.214.0.$host/22; sleep 4) & done; done; \
                 sleep 1; echo blocked";
    let blocked = lab.inside("bastion", &format!("setsid -f bash -c '{block}; sleep 5' >/dev/null; sleep 1; echo ok"));
    assert_eq!(blocked, "ok\n");
    stage.run(&["run", "way", "--yes"]).expect(0);
    assert_eq!(statuses(&stage), vec!["done"; 24]);
    let refused = ["app-1", "data-1"].map(|host| lab.sshd(host)).concat();
    assert!(refused.contains("MaxStartups"), "somebody was refused, or this shows nothing: {refused}");
    for host in ["app-1", "data-1"] {
        assert_eq!(lab.inside(host, "grep -c here /root/was-here"), "12\n");
    }
}

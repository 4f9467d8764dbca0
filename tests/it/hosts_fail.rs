//! Scripts on real hosts while what lies between breaks: the connection, onramp, the host itself.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

use crate::stage::{Lab, Stage, lab};

const LINES: usize = 8;

/// An engagement of one step, whose script says when it began.
struct Scene<'a> {
    lab: &'a Lab,
    stage: Stage,
    events: PathBuf,
}

impl<'a> Scene<'a> {
    fn new(lab: &'a Lab) -> Self {
        lab.inside("app-1", "rm -f /root/starts");
        let stage = Stage::new().with_credentials();
        let script = format!("echo began >>/root/starts; for n in $(seq {LINES}); do echo line $n; sleep 1; done");
        let runbook = format!(
            "runbook: far\ntitle: Far\nphase: far\nhosts:\n{}steps:\n  - id: long\n    title: Takes its time\n    host: app-1\n    \
             no_undo: It only waits.\n    shell:\n      run: {script}\n",
            lab.hosts()
        );
        let file = stage.file("far.yaml", &runbook);
        stage.run(&["new", "far", "--runbook", file.to_str().unwrap()]).expect(0);
        let events = stage.home().join("events.jsonl");
        Scene { lab, stage, events }
    }

    /// Starts a run; comes back when the script has begun.
    fn begin(&self) -> Child {
        let events = std::fs::File::create(&self.events).unwrap();
        let run = ["run", "far", "--yes", "--format", "jsonl"];
        let mut child = self.stage.command(&run).stdout(events).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..200 {
            if self.starts() > 0 {
                std::thread::sleep(Duration::from_millis(2_500));
                return child;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("the script did not begin: {}", self.stage.run(&["status", "far"]).out)
    }

    fn starts(&self) -> usize {
        self.lab.inside("app-1", "cat /root/starts 2>/dev/null").lines().count()
    }

    /// The events of a run hold all that the script wrote, once.
    #[track_caller]
    fn assert_whole(&self, events: &str) {
        let concluded = events.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()["event"].clone());
        let concluded: Vec<Json> = concluded.filter(|event| event["event"] == "concluded").collect();
        let expected: String = (1..=LINES).map(|n| format!("line {n}\n")).collect();
        assert_eq!(concluded.len(), 1, "{events}");
        assert_eq!(concluded[0]["outcome"]["output"]["stdout"], expected.trim_end(), "{events}");
        assert_eq!(self.starts(), 1);
    }
}

#[test]
fn a_script_is_started_once_whatever_breaks_on_the_way() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);

    let scene = Scene::new(&lab);
    let mut run = scene.begin();
    lab.inside("app-1", "pkill -KILL -u cloud -x sshd");
    assert!(run.wait().unwrap().success(), "{}", scene.stage.run(&["status", "far"]).out);
    scene.assert_whole(&std::fs::read_to_string(&scene.events).unwrap());

    let scene = Scene::new(&lab);
    let mut run = scene.begin();
    run.kill().unwrap();
    run.wait().unwrap();
    let resumed = scene.stage.run(&["run", "far", "--yes", "--format", "jsonl"]).expect(0);
    scene.assert_whole(&resumed.out);

    let scene = Scene::new(&lab);
    let mut run = scene.begin();
    lab.restart("app-1");
    assert_eq!(run.wait().unwrap().code(), Some(3), "a person has to say what became of it");
    for _ in 0..2 {
        scene.stage.run(&["status", "far"]).expect(0).says("ended in the middle");
        scene.stage.run(&["run", "far", "--yes"]).expect(3);
    }
    assert_eq!(scene.starts(), 1);
}

/// A list of hosts as an input takes it, as a runbook names them.
pub fn as_yaml(list: &str) -> String {
    let mut hosts = String::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (name, place, user) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let (address, port) = place.split_once(':').unwrap_or((place, "22"));
        hosts += &format!("  - name: {name}\n    address: {address}\n    port: {port}\n    user: {user}\n");
        for word in words {
            let (key, value) = word.split_once('=').unwrap();
            match key {
                "via" => hosts += &format!("    via: {value}\n"),
                "fingerprint" => hosts += &format!("    fingerprints: {value}\n"),
                "identity" => hosts += &format!("    key: {value}\n"),
                _ => {}
            }
        }
    }
    hosts
}

impl Lab {
    /// The hosts as a runbook names them.
    pub fn hosts(&self) -> String {
        as_yaml(&std::fs::read_to_string(self.dir.join("hosts.txt")).expect("the lab's hosts"))
    }

    fn tool(&self, name: &str) -> Command {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab").join(name);
        let mut command = Command::new(tool);
        command.env("ONRAMP_LAB_DIR", &self.dir);
        command
    }

    /// What a command says in a host, as at its console.
    pub fn inside(&self, host: &str, script: &str) -> String {
        let output = self.tool("in").args([host, "sh", "-c", script]).output().expect("the lab's script starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Takes a host's power away and gives it back.
    pub fn restart(&self, host: &str) {
        self.inside(host, "systemctl reboot --force --force");
    }

    pub fn reset(&self, hosts: &[&str]) {
        for host in hosts {
            let done = self.tool("reset").arg(host).status().expect("the lab's script starts");
            assert!(done.success(), "the lab could not make {host} anew");
        }
    }

    /// As `reset`, with other host keys than everybody knows.
    pub fn swap_keys(&self, host: &str) {
        let done = self.tool("reset").args([host, "--new-host-key"]).status().expect("the lab's script starts");
        assert!(done.success(), "the lab could not make {host} anew");
    }
}

//! A canary for a secret on its whole way: typed, sealed, given to a script on a host and to an AWS call, handed over. It
//! does its work, and is found nowhere else: no file, no list of processes, no environment, no word of the program.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use age::secrecy::ExposeSecret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::crash::world::{ACCOUNT, Ground, REGION};
use crate::hosts_fail::as_yaml;
use crate::stage::{Answer, Stage, lab};

/// Made of pieces, so that this program's own text does not hold it whole.
fn canary() -> String {
    ["Zq4.her", "on_Tw82x", "/+vB"].concat()
}

/// Every form in which it could be read out of something.
fn forms() -> Vec<Vec<u8>> {
    let canary = canary();
    let core = STANDARD_NO_PAD.encode(&canary).as_bytes()[4..20].to_vec();
    let hex = canary.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    vec![canary.as_bytes()[..12].to_vec(), core, hex.into_bytes()]
}

fn holds(bytes: &[u8]) -> bool {
    forms().iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
}

#[track_caller]
fn assert_absent(what: &str, bytes: &[u8]) {
    assert!(!holds(bytes), "{what} holds it");
}

/// What must not hold it while the program runs.
#[derive(Debug, Default)]
struct Seen {
    /// Environments of onramp that could be read.
    environments: usize,
    /// Looks at the write-ahead log of the state file.
    logs: usize,
    /// Processes that a script started on a host of this machine.
    scripts: usize,
}

/// What a script calls itself, so that its processes are known from all others.
const MARK: &str = "4.25";

impl Seen {
    /// Looks at every process of this machine and at every file of the engagement.
    fn look(&mut self, onramp: u32, folder: &Path) {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            for part in ["cmdline", "environ"] {
                // It may have ended, or be another user's.
                let Ok(bytes) = fs::read(entry.path().join(part)) else { continue };
                assert_absent(&format!("{part} of process {pid}"), &bytes);
                self.environments += usize::from(pid == onramp && part == "environ" && !bytes.is_empty());
                self.scripts += usize::from(part == "cmdline" && bytes == format!("sleep\0{MARK}\0").as_bytes());
            }
        }
        for path in files(folder) {
            let Ok(bytes) = fs::read(&path) else { continue };
            assert_absent(&path.display().to_string(), &bytes);
            self.logs += usize::from(path.to_string_lossy().ends_with("-wal") && !bytes.is_empty());
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn runbook(hosts: &str, with_aws: bool) -> String {
    let (asks, inputs, last) = match with_aws {
        true => ("aws.account_id, aws.region_primary, ", ACCOUNT_INPUTS, IN_AWS),
        false => ("", "", ""),
    };
    RUNBOOK.replace("HOSTS\n", hosts).replace("INPUTS\n", inputs).replace("ASKS", asks).replace("MARK", MARK) + last
}

const RUNBOOK: &str = r#"
runbook: mail
title: Mail
phase: mail
inputs:
INPUTS
  - {id: smtp.password, label: Password, kind: secret, use: password}
hosts:
HOSTS
steps:
  - {id: ask, title: Ask, form: [ASKSsmtp.password]}
  - id: mail
    title: Mail
    host: app-1
    needs: [ask]
    no_undo: It is only a test.
    shell:
      stdin: "{{ smtp.password }}"
      check: test -s /etc/mail.password
      run: |
        install -m 0600 /dev/stdin /etc/mail.password
        cat /etc/mail.password
        base64 /etc/mail.password >&2
        sleep MARK
      verify: cat /etc/mail.password
"#;

const ACCOUNT_INPUTS: &str = "  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
";

const IN_AWS: &str = r#"  - id: kept
    title: Kept
    needs: [mail]
    aws: secret
    with: {key: smtp, use: password, value: "{{ smtp.password }}"}
"#;

/// The engagement, with the secret sealed.
fn begun(hosts: &str, with_aws: bool) -> Stage {
    let stage = Stage::new().with_credentials();
    let identity = age::x25519::Identity::generate();
    let key = stage.file("key.txt", &format!("{}\n", identity.to_string().expose_secret()));
    let stage = stage.with("ONRAMP_AGE_IDENTITY", key.to_str().unwrap()).with("RUST_BACKTRACE", "full");
    let file = stage.file("mail.yaml", &runbook(hosts, with_aws));
    stage.run(&["new", "acme", "--runbook", file.to_str().unwrap()]).expect(0);
    if with_aws {
        let account = format!("aws.account_id={ACCOUNT}");
        stage.run(&["input", "acme", &account, &format!("aws.region_primary={REGION}")]).expect(0);
    }
    let mut set = stage.command(&["secret", "acme", "set", "smtp.password"]);
    let mut child = set.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(canary().as_bytes()).unwrap();
    said(Answer::from(child.wait_with_output().unwrap()).expect(0));
    stage
}

/// What the program said holds nothing of it.
#[track_caller]
fn said(answer: Answer) -> Answer {
    assert_absent("standard output", answer.out.as_bytes());
    assert_absent("standard error", answer.err.as_bytes());
    answer
}

/// A run with its words in files.
fn start(stage: &Stage, url: Option<&str>) -> Child {
    let mut command = stage.command(&["run", "acme", "--yes", "--format", "jsonl"]);
    command.args(url.into_iter().flat_map(|url| ["--endpoint-url", url]));
    let file = |name: &str| File::create(stage.home().join(name)).unwrap();
    command.stdout(file("events.jsonl")).stderr(file("words")).spawn().unwrap()
}

/// Looks until it ends.
fn watch(stage: &Stage, mut run: Child, seen: &mut Seen) -> Option<i32> {
    loop {
        seen.look(run.id(), stage.home());
        if let Some(status) = run.try_wait().unwrap() {
            seen.look(0, stage.home());
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(40));
    }
}

/// The engagement handed over, and opened by whoever has the key: references are in it, and no secret.
fn assert_absent_in_export(stage: &Stage) {
    let key = age::x25519::Identity::generate();
    let file = stage.home().join("acme.age");
    let arguments = ["export", "acme", file.to_str().unwrap(), "--recipient", &key.to_public().to_string(), "--keep"];
    said(stage.run(&arguments).expect(0));
    let opened = age::Decryptor::new(File::open(&file).unwrap()).unwrap();
    let mut bytes = Vec::new();
    opened.decrypt(std::iter::once(&key as &dyn age::Identity)).unwrap().read_to_end(&mut bytes).unwrap();
    let reference = b"age:secrets.age#smtp.password";
    assert!(bytes.windows(reference.len()).any(|window| window == reference), "it is opened");
    assert_absent("the export", &bytes);
}

#[test]
fn a_secret_on_its_whole_way_is_found_nowhere() {
    let ground = Ground::new();
    let world = ground.world(None);
    let url = ground.endpoint();
    let stage = begun(&as_yaml(&ground.hosts()), true);
    let to = ["--endpoint-url", url.as_str()];
    let plan = said(stage.run(&[&["plan", "acme", "--format", "json"][..], &to].concat()).expect(0));
    assert!(plan.out.contains("the secret age:secrets.age#smtp.password"), "{}", plan.out);

    // Killed in the middle of the script, in the way of a fault: no dump, no last words.
    let mut first = start(&stage, Some(&url));
    let mut seen = Seen::default();
    for _ in 0..600 {
        seen.look(first.id(), stage.home());
        if world.at("app-1", "cat /etc/mail.password 2>/dev/null").contains(&canary()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::process::Command::new("kill").args(["-ABRT", &first.id().to_string()]).status().unwrap();
    assert_eq!(first.wait().unwrap().code(), None, "a signal ended it");
    seen.look(0, stage.home());

    let code = watch(&stage, start(&stage, Some(&url)), &mut seen);
    let words = fs::read_to_string(stage.home().join("words")).unwrap();
    assert_eq!(code, Some(0), "{words}");
    assert!(seen.environments > 0 && seen.logs > 0, "or this shows nothing: {seen:?}");
    assert!(
        words.contains("CreateSecret")
            || fs::read_to_string(stage.home().join("events.jsonl")).unwrap().contains("CreateSecret")
    );
    assert!(world.at("app-1", "cat /etc/mail.password").contains(&canary()), "it did its work");
    assert!(world.secret("onramp/acme/smtp").contains(&canary()), "it did its work");

    for command in [&["status", "acme", "--format", "json"][..], &["secret", "acme", "list"], &["input", "acme"]] {
        said(stage.run(command).expect(0));
    }
    said(stage.run(&[&["verify", "acme"][..], &to].concat()));
    said(stage.run(&[&["undo", "acme", "--format", "json"][..], &to].concat()).expect(0));
    assert_absent_in_export(&stage);
    for path in files(stage.home()) {
        assert_absent(&path.display().to_string(), &fs::read(&path).unwrap());
    }
}

#[test]
fn no_process_of_a_real_host_shows_a_secret() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1"]);
    let stage = begun(&lab.hosts(), false);
    let mut seen = Seen::default();
    let code = watch(&stage, start(&stage, None), &mut seen);
    let words = fs::read_to_string(stage.home().join("words")).unwrap();
    assert!(
        seen.scripts > 0,
        "the script's processes are on this machine, or this shows nothing: {seen:?} {code:?} {words}"
    );
    assert_eq!(code, Some(0), "{words}");
    assert!(lab.inside("app-1", "cat /etc/mail.password").contains(&canary()), "it did its work");
    // What is left on the host, but for the file that the script was to make.
    let left = "cp -a /var/lib/onramp-claims /tmp/claims 2>/dev/null; grep -rl her''on_Tw82x /tmp /var/tmp /run /dev/shm /var/log";
    assert_eq!(lab.inside("app-1", &format!("{left} 2>/dev/null | grep -v /out$")).trim(), "");
}

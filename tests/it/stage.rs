//! One place to run the binary: its own home, its own data folder, nothing of the machine's configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_yaml::Value as Yaml;
use tempfile::TempDir;

pub struct Stage {
    home: TempDir,
    environment: BTreeMap<String, String>,
}

/// What the program answered.
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Stage {
    pub fn new() -> Self {
        let home = TempDir::new().expect("a folder for the test");
        Stage { home, environment: BTreeMap::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Credentials as any endpoint that is not AWS takes them.
    #[must_use]
    pub fn with_credentials(self) -> Self {
        self.with("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").with("AWS_SECRET_ACCESS_KEY", "example")
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).expect("a file of the test");
        path
    }

    /// The shipped phase of remote access behind a short preflight: what needs an account and hosts, and no clock or
    /// connection of a customer's.
    pub fn remote_access(&self) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = self.home.path().join("remote-access");
        std::fs::create_dir_all(&folder).expect("a folder of the test");
        for from in ["runbooks/managed-cloud", "tests/fixtures/remote-access"] {
            for entry in std::fs::read_dir(root.join(from)).expect("the runbook") {
                let path = entry.expect("its file").path();
                let name = path.file_name().expect("a name").to_owned();
                // Phases are numbered; the later ones stay behind.
                let number = name.to_string_lossy().split('-').next().and_then(|number| number.parse::<u8>().ok());
                // What is the matter with anything but a login is asked of later phases.
                let text = name.to_string_lossy();
                let later = text.starts_with("diagnosis-") && text != "diagnosis-ssh.yaml";
                if number.is_none_or(|number| number < 2) && !later {
                    let text = std::fs::read_to_string(&path).expect("a file of the runbook");
                    let text = without_the_connection(&text).replace("    diagnosis: packages\n", "");
                    std::fs::write(folder.join(&name), text).expect("a copy");
                }
            }
        }
        folder
    }

    /// The command, with an environment that holds nothing of this machine but PATH.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onramp"));
        command.args(arguments).env_clear();
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command.stdin(Stdio::null()).current_dir(self.home.path());
        command
    }

    pub fn variables(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::from([
            ("HOME".to_owned(), self.home.path().display().to_string()),
            ("USER".to_owned(), "jane".to_owned()),
            ("ONRAMP_SSH_CONFIG".to_owned(), "none".to_owned()),
            ("ONRAMP_DATA_DIR".to_owned(), self.data().display().to_string()),
            ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
        ]);
        all.extend(self.environment.clone());
        all
    }

    pub fn run(&self, arguments: &[&str]) -> Answer {
        Answer::of(self.command(arguments).output().expect("the program starts"))
    }

    /// `onramp verify` says of each of these steps that it is no longer so, and why.
    #[track_caller]
    pub fn drifts(&self, engagement: &str, steps: &[(&str, &str)]) {
        let verified = self.run(&["verify", engagement]).expect(1);
        for (step, why) in steps {
            let line = verified
                .out
                .lines()
                .find(|line| ["differs", "absent"].iter().any(|word| line.starts_with(word)) && line.contains(step));
            assert!(line.is_some_and(|line| line.contains(why)), "{step}, {why}:\n{}", verified.out);
        }
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Answer::of(output)
    }
}

impl Answer {
    pub fn of(output: Output) -> Self {
        Answer {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The exit code, with everything that was said when it is another one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(&self, words: &str) {
        assert!(
            self.err.contains(words) || self.out.contains(words),
            "{words:?} is not in:\n{}\n{}",
            self.out,
            self.err
        );
    }
}

/// The lab of real hosts, for one test at a time.
pub struct Lab {
    pub dir: PathBuf,
    _turn: std::fs::File,
}

/// A file of the shipped runbook, with what others would have told in the place of their names.
pub fn shipped(file: &str, known: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud").join(file);
    let text = std::fs::read_to_string(path).expect("a file of the runbook");
    known.iter().fold(text, |text, (name, value)| text.replace(name, value))
}

impl Lab {
    /// Some steps of a shipped phase on the lab's hosts, after a look at what these are, and without what they need of other
    /// steps.
    pub fn phase(&self, files: [&str; 2], known: &[(&str, &str)], wanted: impl Fn(&Yaml) -> bool) -> String {
        let parsed = |file: &str| serde_yaml::from_str::<Yaml>(&shipped(file, known)).expect("a file of the runbook");
        let id = |step: &Yaml| step["id"].as_str().expect("an id").to_owned();
        let [mut phase, inputs] = files.map(parsed);
        let time = parsed("04-ntp.yaml");
        let facts = time["steps"].as_sequence().expect("steps").iter().filter(|step| id(step) == "facts").cloned();
        let steps = phase["steps"].as_sequence_mut().expect("steps");
        steps.retain(|step| wanted(step) && id(step) != "facts");
        steps.splice(0..0, facts);
        let ids: Vec<String> = steps.iter().map(id).collect();
        for needs in steps.iter_mut().filter_map(|step| step.get_mut("needs")?.as_sequence_mut()) {
            needs.retain(|need| ids.iter().any(|id| need.as_str() == Some(id)));
        }
        // The trees of names, time and packages ask after what a phase by itself has not.
        for step in steps.iter_mut().filter_map(Yaml::as_mapping_mut) {
            if step
                .get("diagnosis")
                .and_then(Yaml::as_str)
                .is_some_and(|tree| ["names", "packages", "time"].contains(&tree))
            {
                step.remove("diagnosis");
            }
        }
        phase["runbook"] = phase["phase"].clone();
        phase["inputs"] = inputs["inputs"].clone();
        format!("{}hosts:\n{}", serde_yaml::to_string(&phase).expect("a runbook"), self.hosts())
    }
}

/// The lab, when it is up; said loudly when it is not.
pub fn lab() -> Option<Lab> {
    let dir = PathBuf::from(offered("ONRAMP_LAB_DIR", "the lab of real hosts")?);
    let turn = std::fs::File::create(dir.join(".tests")).expect("a file of the lab");
    turn.lock().expect("a turn");
    Some(Lab { dir, _turn: turn })
}

/// A variable that names something a machine may or may not have; loud when it does not.
pub fn offered(variable: &str, what: &str) -> Option<String> {
    let found = std::env::var(variable).ok().filter(|value| !value.is_empty());
    if found.is_none() {
        eprintln!("SKIPPED: {variable} is not set, so {what} is not there; .ci/run brings it up");
    }
    found
}

/// A bastion in the data centre waits for the connection, which is a phase of its own.
fn without_the_connection(text: &str) -> String {
    let kept = |line: &str| match line.split_once("needs: [").filter(|_| line.contains("connection/")) {
        Some((before, needs)) => {
            let needs = needs.trim_end_matches(']').split(", ").filter(|need| !need.starts_with("connection/"));
            format!("{before}needs: [{}]", needs.collect::<Vec<_>>().join(", "))
        }
        None => line.to_owned(),
    };
    let mut left_out = false;
    let stays = |line: &&str| {
        if line.starts_with("  - id: ") || line.starts_with("  # ──") {
            // Their resources go over Cloud Control, which moto does not have; and no transit gateway is asked.
            left_out = ["flow-log", "way-back"].iter().any(|id| line.starts_with(&format!("  - id: {id}")));
        }
        !left_out
    };
    let text = text.replace("then: way-back", "then: runs");
    text.lines().filter(stays).map(|line| kept(line) + "\n").collect()
}

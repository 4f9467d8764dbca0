//! The wiring: environment, folders, runbooks, the way to AWS and to hosts. Read once, here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Everywhere;
use super::failure::Failure;
use super::reach::{Options, Reach};
use crate::action;
use crate::engagement::{Engagement, RunbookFile};
use crate::journal::{FILE, Holder};
use crate::runbook::{self, Problem, Runbook, Severity};

/// The runbooks inside the binary.
const SHIPPED: &[(&str, &[(&str, &str)])] = &[(
    "managed-cloud",
    &[
        ("runbook.yaml", include_str!("../../runbooks/managed-cloud/runbook.yaml")),
        ("inputs.yaml", include_str!("../../runbooks/managed-cloud/inputs.yaml")),
        ("inputs-dns.yaml", include_str!("../../runbooks/managed-cloud/inputs-dns.yaml")),
        ("inputs-access.yaml", include_str!("../../runbooks/managed-cloud/inputs-access.yaml")),
        ("inputs-mail.yaml", include_str!("../../runbooks/managed-cloud/inputs-mail.yaml")),
        ("inputs-time.yaml", include_str!("../../runbooks/managed-cloud/inputs-time.yaml")),
        ("inputs-connection.yaml", include_str!("../../runbooks/managed-cloud/inputs-connection.yaml")),
        ("inputs-environments.yaml", include_str!("../../runbooks/managed-cloud/inputs-environments.yaml")),
        ("inputs-monitoring.yaml", include_str!("../../runbooks/managed-cloud/inputs-monitoring.yaml")),
        ("inputs-security.yaml", include_str!("../../runbooks/managed-cloud/inputs-security.yaml")),
        ("inputs-recovery.yaml", include_str!("../../runbooks/managed-cloud/inputs-recovery.yaml")),
        ("inputs-handover.yaml", include_str!("../../runbooks/managed-cloud/inputs-handover.yaml")),
        ("hosts.yaml", include_str!("../../runbooks/managed-cloud/hosts.yaml")),
        ("00-preflight.yaml", include_str!("../../runbooks/managed-cloud/00-preflight.yaml")),
        ("01-access.yaml", include_str!("../../runbooks/managed-cloud/01-access.yaml")),
        ("02-dns.yaml", include_str!("../../runbooks/managed-cloud/02-dns.yaml")),
        ("03-mail.yaml", include_str!("../../runbooks/managed-cloud/03-mail.yaml")),
        ("04-ntp.yaml", include_str!("../../runbooks/managed-cloud/04-ntp.yaml")),
        ("05-connection.yaml", include_str!("../../runbooks/managed-cloud/05-connection.yaml")),
        ("diagnosis-neighbour.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-neighbour.yaml")),
        ("diagnosis-dns.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-dns.yaml")),
        ("diagnosis-time.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-time.yaml")),
        ("diagnosis-mail.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-mail.yaml")),
        ("diagnosis-ssh.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-ssh.yaml")),
        ("diagnosis-line.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-line.yaml")),
        ("diagnosis-tunnel.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-tunnel.yaml")),
        ("diagnosis-macsec.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-macsec.yaml")),
        ("diagnosis-building.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-building.yaml")),
        ("diagnosis-proxy.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-proxy.yaml")),
        ("diagnosis-packages.yaml", include_str!("../../runbooks/managed-cloud/diagnosis-packages.yaml")),
    ],
)];

/// The runbook that `new` takes when none is named.
pub const DEFAULT_RUNBOOK: &str = "managed-cloud";

/// Where things are, and who is asking.
#[derive(Debug, Clone)]
pub struct Context {
    /// Holds `engagements/NAME/journal.db`.
    pub data: PathBuf,
    pub home: PathBuf,
    pub config: PathBuf,
    pub user: String,
    pub host: String,
    pub agent: Option<PathBuf>,
    pub environment: BTreeMap<String, String>,
    pub options: Options,
}

impl Context {
    /// # Errors
    /// There is no home folder and no folder was named.
    pub fn read(everywhere: &Everywhere) -> Result<Context, Failure> {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let folders = directories::ProjectDirs::from("", "", "onramp");
        let data = match (everywhere.data_dir.as_deref(), &folders) {
            (Some(data), _) => data.to_owned(),
            (None, Some(folders)) => folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).to_owned(),
            (None, None) => {
                return Err(Failure::usage("there is no home folder to keep engagements in")
                    .hint("name a folder with --data-dir or ONRAMP_DATA_DIR"));
            }
        };
        // Paths that lead into it are kept, and used from wherever the next call is started.
        let data = std::path::absolute(&data).unwrap_or(data);
        let config = folders.as_ref().map(|folders| folders.config_dir().to_owned()).unwrap_or_default();
        let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(Context {
            data,
            config,
            home: directories::BaseDirs::new().map(|base| base.home_dir().to_owned()).unwrap_or_default(),
            user: variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "somebody".to_owned()),
            host,
            agent: variable("SSH_AUTH_SOCK").map(PathBuf::from),
            environment,
            options: everywhere.options(),
        })
    }

    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn actor(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    pub fn holder(&self) -> Holder {
        Holder {
            user: self.user.clone(),
            host: self.host.clone(),
            process: std::process::id(),
            since: crate::engine::Clock::default().now().to_string(),
        }
    }

    /// The folder of an engagement.
    ///
    /// # Errors
    /// The name would not make a folder name.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if name.is_empty() || name.len() > 40 || !plain || name.starts_with('-') {
            return Err(Failure::usage(format!("\"{name}\" cannot be the name of an engagement"))
                .hint("write 1 to 40 lower-case letters, digits and hyphens, as in acme-prod"));
        }
        Ok(self.data.join("engagements").join(name))
    }

    /// The right to bring engagements here, one process at a time: until it is dropped, or its process has ended.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn turn(&self) -> Result<fs::File, Failure> {
        Ok(crate::journal::turn(&self.data.join("engagements"))?)
    }

    /// The same in practice's own folder of engagements, which are never among real ones.
    #[cfg(feature = "practice")]
    pub fn practice(&self) -> Context {
        Context { data: self.data.join("practice"), ..self.clone() }
    }

    /// How an engagement in `data` is reached from a shell.
    pub fn reach(&self, name: &str, practice: bool) -> Reach {
        Reach::new(name, self.options.clone(), practice.then(|| self.data.clone()))
    }

    /// Names of all engagements, in order.
    pub fn names(&self) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.data.join("engagements")) else { return Vec::new() };
        let mut names: Vec<String> = folder
            .filter_map(|entry| entry.ok())
            .filter(|entry| entry.path().join(FILE).exists())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}

/// The files of a runbook: a shipped one by name, or a file or folder by path.
///
/// # Errors
/// It is neither, or cannot be read.
pub fn runbook_files(named: &str) -> Result<Vec<RunbookFile>, Failure> {
    if let Some((_, files)) = SHIPPED.iter().find(|(name, _)| *name == named) {
        return Ok(files
            .iter()
            .map(|(path, text)| RunbookFile { path: format!("{named}/{path}"), text: (*text).to_owned() })
            .collect());
    }
    let path = Path::new(named);
    let unreadable = |path: &Path, error: std::io::Error| {
        let failure = Failure::usage(format!("{} cannot be read: {error}", path.display()));
        if error.kind() == std::io::ErrorKind::InvalidData {
            return failure.hint("store it as UTF-8");
        }
        failure.hint(format!("name a file, a folder, or a runbook inside onramp: {DEFAULT_RUNBOOK}"))
    };
    let mut paths = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| unreadable(path, error))? {
            let found = entry.map_err(|error| unreadable(path, error))?.path();
            if found.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
                paths.push(found);
            }
        }
        paths.sort();
    } else {
        paths.push(path.to_owned());
    }
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
        Ok(RunbookFile { path: path.display().to_string(), text })
    };
    paths.iter().map(read).collect()
}

/// Reads a runbook and everything that is wrong with it.
pub fn load(files: &[RunbookFile]) -> (Option<Runbook>, Vec<Problem>) {
    let files: Vec<(String, String)> = files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
    runbook::load(&files, &action::catalog())
}

/// A runbook that can be walked.
///
/// # Errors
/// It has errors; all of them are in the message.
pub fn usable(files: &[RunbookFile]) -> Result<Runbook, Failure> {
    let (runbook, problems) = load(files);
    let errors: Vec<String> =
        problems.iter().filter(|problem| problem.severity == Severity::Error).map(ToString::to_string).collect();
    match runbook {
        Some(runbook) if errors.is_empty() => Ok(runbook),
        _ => Err(Failure::usage(format!("the runbook cannot be used\n  {}", errors.join("\n  ")))
            .hint("onramp check shows this, and warnings, without starting anything")),
    }
}

/// The edition inside onramp of the runbook that this engagement walks, where it is another one than the engagement's.
pub fn shipped_edition(id: &str, digest: &str) -> Option<(Vec<RunbookFile>, Runbook)> {
    let (named, _) = SHIPPED.iter().find(|(name, _)| *name == id)?;
    let files = runbook_files(named).ok()?;
    let edition = usable(&files).ok().filter(|edition| edition.digest != digest)?;
    Some((files, edition))
}

/// The runbook that an engagement keeps since it began.
///
/// # Errors
/// This version of onramp no longer reads it.
pub fn runbook_of(engagement: &Engagement) -> Result<Arc<Runbook>, Failure> {
    usable(&engagement.runbook_files).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::engagement::{At, Command, Host, Recorded, ScopeMode, decide, fold, hosts, scope};
    use crate::runbook::{StepId, Work};

    #[test]
    fn every_file_of_the_shipped_runbook_is_in_the_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/managed-cloud");
        let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let there: BTreeSet<String> = names.collect();
        let (_, shipped) = SHIPPED.iter().find(|(name, _)| *name == DEFAULT_RUNBOOK).unwrap();
        assert_eq!(shipped.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>(), there);
    }

    fn shipped() -> Runbook {
        let files = runbook_files(DEFAULT_RUNBOOK).unwrap().into_iter().map(|file| (file.path, file.text));
        runbook::load(&files.collect::<Vec<_>>(), &action::catalog()).0.unwrap()
    }

    #[test]
    fn nothing_is_changed_before_the_customer_has_agreed_who_answers_for_what() {
        let (runbook, catalog) = (shipped(), action::catalog());
        let changes = |work: &Work| match work {
            Work::Kind { kind, .. } => catalog.kinds.get(kind).is_some_and(|kind| kind.mutates),
            Work::Shell(shell) => shell.run.is_some(),
            Work::Form(_) | Work::Choice(_) | Work::Manual(_) => false,
        };
        let gate: StepId = StepId("preflight/responsibilities".to_owned());
        let early = runbook.steps().filter(|step| changes(&step.work) && !runbook.closure(&step.id).contains(&gate));
        assert_eq!(early.map(|step| step.id.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
    }

    /// The hosts of an engagement on the shipped runbook whose hosts exist already.
    fn existing(lines: &str) -> BTreeMap<String, Host> {
        let runbook = shipped();
        let mut engagement = Engagement::default();
        let given = [
            ("net.access_path", "bastion_in_vpc"),
            ("hosts.source", "existing"),
            ("hosts.existing", lines),
            ("net.ssh_port", "22022"),
            ("net.ssh_key_ref", "agent"),
        ];
        for (seq, (id, text)) in given.into_iter().enumerate() {
            let id: crate::input::InputId = id.parse().unwrap();
            let value =
                crate::input::parse(&runbook.fields[&id].kind, text, &crate::input::Setting::default()).unwrap();
            for event in decide(&engagement, &runbook, &Command::GiveInputs(vec![(id, value)])).unwrap() {
                let seq = u64::try_from(seq).unwrap() + 1;
                fold(&mut engagement, &Recorded { seq, at: At(0), actor: "mk@laptop".to_owned(), event });
            }
        }
        let scope = scope(&engagement, &runbook, ScopeMode::Real);
        hosts(&runbook, &scope).into_iter().filter_map(|(name, host)| Some((name, host.ok()?))).collect()
    }

    #[test]
    fn hosts_of_the_shipped_runbook_may_be_aliases_of_the_engineers_ssh_set_up() {
        let hosts = existing(
            "bastion acme-jump ops role=bastion\napp-1 10.40.10.21 ops via=bastion\nold 10.40.10.22:22 ops via=bastion",
        );
        let port = |name: &str| hosts[name].port;
        assert_eq!((hosts["bastion-first"].address.as_str(), port("bastion-first")), ("acme-jump", None));
        assert_eq!((port("bastion"), port("app-1"), port("old")), (Some(22022), None, Some(22)));
        assert_eq!((hosts["app-1"].key.as_deref(), hosts["app-1"].via.as_deref()), (Some("agent"), Some("bastion")));
    }

    #[test]
    fn the_data_folder_is_named_whole_so_that_what_is_kept_of_it_holds_elsewhere() {
        let everywhere = Everywhere { data_dir: Some("some/where".into()), ..Everywhere::default() };
        let data = Context::read(&everywhere).unwrap().data;
        assert!(data.is_absolute() && data.ends_with("some/where"), "{}", data.display());
    }
}

//! What the set-up says, by ssh itself and by our own reader. Routes over real sshd are in `setup.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::setup::Setup;
use super::{Asked, Config, Jump};
use crate::ssh::{Alive, Identity, Problem, Sha1, Stage};

#[expect(clippy::disallowed_methods, reason = "a test looks for this machine's ssh")]
fn path_of_this_machine() -> String {
    std::env::var("PATH").unwrap()
}

/// True when there is no ssh to compare with. Says so loudly.
fn no_ssh() -> bool {
    let missing = !std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join("ssh").is_file());
    if missing {
        eprintln!("SKIPPED: no ssh (install openssh-client to run this test)");
    }
    missing
}

fn write(path: &Path, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}

const FILE: &str = r#"
# a comment, and an option before the first Host
ServerAliveCountMax 5
Include INCLUDED
Host acme-* !acme-x
  HostName %h.acme.example
  User ops
  Port = 2222
  IdentityFile ~/.ssh/acme_%r
  IdentityFile "/keys/with blank"
  IdentitiesOnly yes
  CertificateFile ~/.ssh/acme-cert.pub
  ProxyJump me@outer:2200,ssh://inner:33
  UserKnownHostsFile /dev/null ~/.ssh/known_%h
  GlobalKnownHostsFile /etc/acme_hosts
  StrictHostKeyChecking no
  ServerAliveInterval 20
  ConnectTimeout 7
  HostKeyAlias acme
  IdentityAgent ~/agent.sock
  Compression yes
  Ciphers aes256-ctr
  HostKeyAlgorithms +ssh-rsa
  PubkeyAcceptedAlgorithms +ssh-rsa
Host acme-web
  User never
  ProxyCommand never
Host piped
  GlobalKnownHostsFile none
  ProxyCommand nc -X connect %h %p # as it stands
  IdentityAgent none
  RevokedHostKeys /etc/revoked
Host *
  User everybody
"#;

/// The home that ssh goes by, which is not that of the environment.
fn home() -> PathBuf {
    let asked =
        Command::new("ssh").args(["-G", "-F", "none", "x"]).stdin(std::process::Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("userknownhostsfile ")).unwrap();
    PathBuf::from(line.split_once("/.ssh/").unwrap().0)
}

/// What both say of `alias`, for the file and one that it includes: the ssh of this machine, and our reader.
async fn both(alias: &str, dir: &Path) -> [Setup; 2] {
    let file = dir.join("config");
    let path = path_of_this_machine();
    let mut said = Vec::new();
    for path in [path.as_str(), ""] {
        let config = Config::of(&home(), "jane", Some(&file), path, Vec::new());
        said.push(config.setup(alias, None, None).await.expect(alias).as_ref().clone());
    }
    said.try_into().unwrap()
}

fn files() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let included = write(&dir.path().join("included-1.conf"), "Host late\n  Port 99\n  ForwardAgent yes\n");
    let pattern = included.with_file_name("included-*.conf").display().to_string();
    write(&dir.path().join("config"), &FILE.replace("INCLUDED", &pattern));
    dir
}

#[tokio::test]
async fn our_reader_says_what_ssh_says() {
    if no_ssh() {
        return;
    }
    let dir = files();
    for alias in ["acme-web", "acme-x", "ACME-DB", "piped", "late", "192.0.2.7"] {
        let [ssh, ours] = both(alias, dir.path()).await;
        assert_eq!(ssh, ours, "{alias}");
    }
}

#[tokio::test]
async fn every_keyword_that_is_honoured_is_found_and_the_rest_is_said() {
    if no_ssh() {
        return;
    }
    let dir = files();
    let home = home();
    let [setup, _] = both("acme-web", dir.path()).await;
    let jump = |alias: &str, user: Option<&str>, port| Jump {
        alias: alias.to_owned(),
        user: user.map(str::to_owned),
        port: Some(port),
    };
    let expected = Setup {
        address: Some("acme-web.acme.example".to_owned()),
        user: Some("ops".to_owned()),
        port: Some(2222),
        identities: vec![home.join(".ssh/acme_ops"), PathBuf::from("/keys/with blank")],
        identities_only: true,
        agent: Some(Some(home.join("agent.sock"))),
        certificates: vec![home.join(".ssh/acme-cert.pub")],
        jumps: vec![jump("outer", Some("me"), 2200), jump("inner", None, 33)],
        command: None,
        user_known_hosts: Some(vec![home.join(".ssh/known_acme-web.acme.example")]),
        global_known_hosts: Some(vec![PathBuf::from("/etc/acme_hosts")]),
        revoked: None,
        key_alias: Some("acme".to_owned()),
        connect: Some(Duration::from_secs(7)),
        alive: Some(Alive { interval: Duration::from_secs(20), unanswered: 5 }),
        sha1: Sha1 { host_key: true, login: true, key_exchange: false },
        remarks: vec![
            "StrictHostKeyChecking is off, which is not honoured: host keys are verified all the same".to_owned(),
            "a UserKnownHostsFile that holds nothing does not switch the verification off".to_owned(),
            "ciphers is not honoured".to_owned(),
        ],
        moot: vec!["compression".to_owned()],
    };
    assert_eq!(setup, expected);

    let [piped, _] = both("piped", dir.path()).await;
    assert_eq!(piped.command.as_deref(), Some("nc -X connect piped 22 # as it stands"));
    assert_eq!((piped.global_known_hosts, piped.remarks), (Some(Vec::new()), Vec::new()), "none is none");
    assert_eq!((piped.agent, piped.revoked), (Some(None), Some(PathBuf::from("/etc/revoked"))));
    assert_eq!(piped.user.as_deref(), Some("everybody"));
    let [late, _] = both("late", dir.path()).await;
    assert_eq!((late.port, late.moot), (Some(99), vec!["forwardagent".to_owned()]));
}

#[tokio::test]
async fn match_is_for_ssh_to_judge_and_without_ssh_it_is_said() {
    if no_ssh() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let text = "Match user ops exec \"test %p = 2022\"\n  Port 99\nMatch all\n  User jane\n";
    let file = write(&dir.path().join("config"), text);
    let path = path_of_this_machine();
    let ssh = Config::of(&home(), "jane", Some(&file), &path, Vec::new());
    let setup = ssh.setup("web", Some(2022), Some("ops")).await.unwrap();
    assert_eq!((setup.port, setup.remarks.len()), (Some(2022), 0), "what is asked for beats what is set");
    let plain = ssh.setup("web", None, Some("ops")).await.unwrap();
    assert_eq!(plain.port, None, "the command of the Match did not succeed");

    let ours = Config::of(&home(), "jane", Some(&file), "", Vec::new());
    let setup = ours.setup("web", None, None).await.unwrap();
    assert_eq!(setup.user.as_deref(), Some("jane"));
    assert_eq!(setup.remarks, [r"match user ops exec test %p = 2022 is not honoured"]);
    assert!(ours.said().contains("Match is not understood"), "{}", ours.said());
}

#[tokio::test]
async fn a_mistake_in_the_set_up_stops_in_the_words_of_who_read_it() {
    if no_ssh() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = write(&dir.path().join("config"), "Host web\n  Prot 22\n");
    let path = path_of_this_machine();
    let config = Config::of(&home(), "jane", Some(&file), &path, Vec::new());
    let error = config.route(&[asked("web-1", "web")]).await.expect_err("no such keyword");
    assert_eq!((error.hop.as_str(), error.stage), ("web-1", Stage::Name));
    assert!(matches!(&error.problem, Problem::Setup(why) if why.contains("line 2") && why.contains("prot")), "{error}");
    assert!(error.advice().contains("ssh -G"));

    write(&file, "Host \"web\n");
    let ours = Config::of(&home(), "jane", Some(&file), "", Vec::new());
    let error = ours.route(&[asked("web-1", "web")]).await.expect_err("an open quote");
    assert!(matches!(&error.problem, Problem::Setup(why) if why.contains("config:1")), "{error}");
}

fn asked(name: &str, address: &str) -> Asked {
    let (name, address) = (name.to_owned(), address.to_owned());
    Asked { name, address, port: None, user: None, identity: None, pins: Vec::new() }
}

/// A set-up of this text, read by us: it needs no ssh.
fn config(text: &str) -> (tempfile::TempDir, Config) {
    let dir = tempfile::tempdir().unwrap();
    let file = write(&dir.path().join("config"), text);
    let config = Config::of(dir.path(), "jane", Some(&file), "", vec![PathBuf::from("/named")]);
    (dir, config)
}

#[tokio::test]
async fn jump_hosts_come_before_and_only_the_outermost_has_its_own() {
    let (_dir, config) = config(
        "Host web\n ProxyJump a,b\nHost a\n ProxyJump ops@c:2022\nHost b\n ProxyJump never\nHost c\n HostName 192.0.2.3\n\
         Host db\n ProxyJump never\n",
    );
    let route = config.route(&[asked("web-1", "web"), asked("db-1", "db")]).await.unwrap();
    let hops: Vec<_> = route.hops.iter().map(|hop| (hop.name.as_str(), hop.address.as_str(), hop.port)).collect();
    let expected = [
        ("c of your ssh config", "192.0.2.3", 2022),
        ("a of your ssh config", "a", 22),
        ("b of your ssh config", "b", 22),
        ("web-1", "web", 22),
        ("db-1", "db", 22),
    ];
    assert_eq!(hops, expected);
    assert_eq!(route.hops[0].user, "ops");
    assert_eq!(route.hops[1].user, "jane");
    assert!(route.remarks.iter().any(|remark| remark.contains("for db:") && remark.contains("ProxyJump")));
}

#[tokio::test]
async fn a_circle_of_jump_hosts_is_an_error() {
    let (_dir, config) = config("Host a\n ProxyJump b\nHost b\n ProxyJump a\n");
    let error = config.route(&[asked("a-1", "a")]).await.expect_err("a circle");
    assert!(matches!(&error.problem, Problem::Setup(why) if why.contains("circle")), "{error}");
}

#[tokio::test]
async fn what_is_asked_for_beats_what_is_set() {
    let (dir, config) = config("Host *\n User set\n Port 2222\n IdentityFile /set\n CertificateFile /set-cert.pub\n");
    let plain = config.route(&[asked("web-1", "web")]).await.unwrap().hops.remove(0);
    assert_eq!((plain.user.as_str(), plain.port), ("set", 2222));
    assert!(matches!(&plain.identity, Identity::Usual { files, only: false } if *files == [PathBuf::from("/set")]));
    assert_eq!(plain.extra.certificates, [PathBuf::from("/set-cert.pub")]);
    let identity = Some(Identity::File(PathBuf::from("~/mine")));
    let explicit = Asked { port: Some(22), user: Some("me".to_owned()), identity, ..asked("web-1", "web") };
    let explicit = config.route(&[explicit]).await.unwrap().hops.remove(0);
    assert_eq!((explicit.user.as_str(), explicit.port), ("me", 22));
    assert!(matches!(&explicit.identity, Identity::File(path) if *path == dir.path().join("mine")));
    assert!(explicit.extra.certificates.is_empty());
}

#[tokio::test]
async fn known_hosts_files_of_the_command_line_count_beside_those_that_are_set() {
    let (dir, config) = config("Host web\n UserKnownHostsFile /set\nHost off\n UserKnownHostsFile /dev/null\n");
    let known = async |alias| config.route(&[asked("h", alias)]).await.unwrap().hops.remove(0).extra.known_hosts;
    let global = [PathBuf::from("/etc/ssh/ssh_known_hosts"), PathBuf::from("/etc/ssh/ssh_known_hosts2")];
    let expected = [&[PathBuf::from("/named"), PathBuf::from("/set")][..], &global[..]].concat();
    assert_eq!(known("web").await, Some(expected));
    assert_eq!((known("off").await, known("other").await), (None, None), "the usual files");
    assert!(dir.path().is_absolute());
}

#[tokio::test]
async fn nobody_is_asked_about_a_name_that_is_none() {
    let (_dir, config) = config("Host *\n ProxyCommand connect %h\n");
    for name in ["-oProxyCommand=x", "a;b", "$(id)", "a b", ""] {
        let setup = config.setup(name, None, None).await.unwrap();
        assert_eq!(setup.command, None, "{name}");
        assert_eq!(setup.remarks.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn what_the_systems_own_file_sets_for_everybody_is_not_told_as_the_engineers() {
    let dir = tempfile::tempdir().unwrap();
    let program = write(
        &dir.path().join("ssh"),
        "#!/bin/sh\ncase \"$*\" in\n'-F none '*) ;;\n'-F /etc/ssh/ssh_config '*) echo hashknownhosts yes ;;\n\
         *) echo hashknownhosts yes; echo visualhostkey yes ;;\nesac\n",
    );
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let config = Config::of(dir.path(), "jane", None, dir.path().to_str().unwrap(), Vec::new());
    assert_eq!(config.general().await.unwrap().moot, ["hashknownhosts", "visualhostkey"]);
    assert_eq!(config.moot().await.unwrap(), ["visualhostkey"]);
}

#[tokio::test]
async fn ssh_is_asked_once_about_a_host_until_a_person_asks_again() {
    if no_ssh() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = path_of_this_machine();
    let real = std::env::split_paths(&path).map(|dir| dir.join("ssh")).find(|program| program.is_file()).unwrap();
    let log = dir.path().join("log");
    let counted = format!("#!/bin/sh\necho \"$*\" >>{}\nexec {} \"$@\"\n", log.display(), real.display());
    let program = write(&dir.path().join("ssh"), &counted);
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let file = write(&dir.path().join("config"), "Host door\n  HostName 192.0.2.1\n");
    let config = Config::of(&home(), "jane", Some(&file), dir.path().to_str().unwrap(), Vec::new());
    let questions = |about: &str| {
        let log = std::fs::read_to_string(&log).unwrap();
        log.lines().filter(|line| line.ends_with(&format!("-- {about}"))).count()
    };
    let ways: Vec<[Asked; 2]> =
        (0..4).map(|number| [asked("bastion", "door"), asked("web", &format!("10.0.0.{number}"))]).collect();
    for _ in 0..3 {
        let routes = futures_util::future::join_all(ways.iter().map(|way| config.route(way))).await;
        assert!(routes.into_iter().all(|route| route.unwrap().hops[0].address == "192.0.2.1"));
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), 6, "the defaults, the bastion and four hosts");

    // A mistake is not looked for again and again, either; and once it is mended, that is seen.
    write(&file, "Host door\n  Prot 22\n");
    assert!(config.route(&ways[0]).await.is_ok(), "nobody has asked again");
    config.forget();
    for _ in 0..3 {
        config.route(&ways[0]).await.expect_err("no such keyword");
    }
    assert_eq!(questions("door"), 2);
    write(&file, "Host door\n  HostName 192.0.2.2\n");
    config.forget();
    assert_eq!(config.route(&ways[0]).await.unwrap().hops[0].address, "192.0.2.2");
    assert_eq!(questions("door"), 3);
}

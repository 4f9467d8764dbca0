//! What a server or a key file asks, and a person answers: against real sshd with PAM, and a server of our own for
//! what sshd never sends.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use russh::MethodKind;
use russh::server::{self, Auth, Server as _};
use secrecy::SecretString;

use super::lab::{PASSWORD, Server, below, kill, new_key, no_pam, no_sshd, no_users, pool, run, run_tool};
use crate::ssh::{About, Hop, Identity, KeyFileTrouble, Line, Person, Pool, Problem, Prompt, Settings, Stage};

/// Somebody who gives these answers, one after the other, and then none; and remembers what was asked.
#[derive(Default)]
struct Engineer {
    answers: Mutex<VecDeque<Vec<&'static str>>>,
    asked: Mutex<Vec<Prompt>>,
    /// Looks away for ever instead.
    away: bool,
}

impl Engineer {
    fn saying(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = answers.iter().map(|lines| lines.to_vec()).collect();
        Arc::new(Self { answers: Mutex::new(answers), ..Self::default() })
    }

    fn asked(&self) -> Vec<Prompt> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Person for Engineer {
    async fn ask(&self, prompt: Prompt) -> Option<Vec<SecretString>> {
        self.asked.lock().unwrap().push(prompt);
        if self.away {
            return std::future::pending().await;
        }
        let lines = self.answers.lock().unwrap().pop_front()?;
        Some(lines.into_iter().map(SecretString::from).collect())
    }
}

fn with(engineer: &Arc<Engineer>) -> Pool {
    let settings = pool("").settings;
    Pool::new(Settings { person: Some(Arc::clone(engineer) as Arc<dyn Person>), ..settings })
}

fn labels(prompt: &Prompt) -> Vec<(&str, bool)> {
    prompt.lines.iter().map(|line| (line.label.as_str(), line.shown)).collect()
}

const TWO_ROUNDS: &str = "info Wel\u{1b}[31mcome x off Password: s3cret on Code: 428915";

#[tokio::test]
async fn keyboard_interactive_in_several_rounds_with_the_servers_words() {
    if no_pam() {
        return;
    }
    let server = Server::start_asking(&[], "Banner none\nAuthenticationMethods keyboard-interactive", TWO_ROUNDS).await;
    let engineer = Engineer::saying(&[&["s3cret"], &["428915"]]);
    let hop = [server.hop("bastion", "jump", &new_key())];
    let ran = run(&with(&engineer), &hop, "id -un").await.expect("two answers");
    assert_eq!(ran.out, "jump\n");
    let asked = engineer.asked();
    assert_eq!(asked.iter().map(labels).collect::<Vec<_>>(), [[("Password", false)], [("Code", true)]]);
    let first = &asked[0];
    assert_eq!((first.hop.as_str(), first.user.as_str(), &first.about), ("bastion", "jump", &About::Interactive));
    assert!(first.at.ends_with(&server.port.to_string()));
    let said = first.said.join("\n");
    assert!(said.contains("Wel") && !said.contains('\u{1b}'), "{said:?}");
}

#[tokio::test]
async fn a_key_and_then_a_code_and_the_bastion_asks_once_for_all_hosts_behind_it() {
    if no_pam() {
        return;
    }
    let key = new_key();
    let settings = "AuthenticationMethods publickey,keyboard-interactive";
    let bastion = Server::start_asking(&[&key], settings, "off Code: 428915").await;
    let (one, two) = (Server::start(&[&key], "").await, Server::start(&[&key], "").await);
    let engineer = Engineer::saying(&[&["000000"], &["428915"]]);
    let pool = with(&engineer);
    let jump = bastion.hop("bastion", "jump", &key);
    let to = |server: &Server, name| [jump.clone(), server.hop(name, "deploy", &key)];
    let (first, second) = (to(&one, "one"), to(&two, "two"));
    let (first, second) = tokio::join!(run(&pool, &first, "echo 1"), run(&pool, &second, "echo 2"));
    assert_eq!((first.expect("one").out.as_str(), second.expect("two").out.as_str()), ("1\n", "2\n"));
    let asked = engineer.asked();
    let said_no = |index: usize| asked[index].said.join(" ").contains("not accepted");
    assert_eq!((asked.len(), said_no(0), said_no(1)), (2, false, true), "a wrong code, and the right one");
}

#[tokio::test]
async fn a_bastion_that_asks_is_not_asked_for_another_connection_when_it_is_full() {
    if no_pam() {
        return;
    }
    let key = new_key();
    let methods = "AuthenticationMethods publickey,keyboard-interactive";
    let bastion = Server::start_asking(&[&key], methods, "off Code: 428915").await;
    let target = Server::start(&[&key], "").await;
    let engineer = Engineer::saying(&[&["428915"]]);
    let mut settings = with(&engineer).settings;
    settings.limits.streams = 1;
    let (pool, jump) = (Pool::new(settings), bastion.hop("bastion", "jump", &key));
    for name in ["one", "two", "three"] {
        let ran = run(&pool, &[jump.clone(), target.hop(name, "deploy", &key)], "echo here").await;
        assert_eq!(ran.expect(name).out, "here\n");
    }
    assert_eq!(engineer.asked().len(), 1);
}

#[tokio::test]
async fn a_login_that_takes_a_person_is_not_tried_again_where_nobody_is_there() {
    if no_pam() {
        return;
    }
    let key = new_key();
    let methods = "AuthenticationMethods publickey,keyboard-interactive";
    let bastion = Server::start_asking(&[&key], methods, "off Code: 428915").await;
    let target = Server::start(&[&key], "").await;
    let engineer = Engineer::saying(&[&["428915"], &["428915"]]);
    let pool = with(&engineer);
    let alone = pool.unattended();
    let jump = bastion.hop("bastion", "jump", &key);
    let way = [jump.clone(), target.hop("target", "deploy", &key)];
    let connections = |server: &Server| server.log().matches("Connection from").count();
    let refused = async |alone: &Pool| {
        let error = run(alone, &way, "true").await.expect_err("nobody is there");
        assert!(matches!(error.problem, Problem::TakesPerson(_)) && error.hop == "bastion", "{error}");
        error.to_string()
    };
    let first = refused(&alone).await;
    assert!(first.contains("a person has to log in there"), "{first}");
    let tried = connections(&bastion);
    for _ in 0..3 {
        assert_eq!(refused(&pool.unattended()).await, first);
    }
    assert_eq!((connections(&bastion), engineer.asked().len()), (tried, 0), "it was tried once, and nobody was asked");

    // Somebody who is there is asked at once, and from then on nobody has to be there.
    assert_eq!(run(&pool, &way, "echo here").await.expect("a code").out, "here\n");
    assert_eq!(run(&alone, &way, "echo alone").await.expect("the same connection").out, "alone\n");
    assert_eq!(engineer.asked().len(), 1);

    // A connection that took a person is not made anew by itself.
    pool.close().await;
    run(&pool, &way, "true").await.expect("a code");
    kill(&below(bastion.process()));
    let lost = async {
        while run(&alone, &way, "true").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), lost).await.expect("the connection is gone");
    let tried = connections(&bastion);
    for _ in 0..3 {
        refused(&alone).await;
    }
    assert_eq!((connections(&bastion), engineer.asked().len()), (tried, 2));
}

#[tokio::test]
async fn what_nobody_answered_where_nobody_was_is_asked_where_somebody_is() {
    if no_pam() {
        return;
    }
    // It would take the code from anybody, key or not: whoever is alone is refused as one whose key is wrong.
    let server = Server::start_asking(&[&new_key()], "", "off Code: 428915").await;
    let engineer = Engineer::saying(&[&["428915"]]);
    let pool = with(&engineer);
    let hop = [server.hop("host", "deploy", &new_key())];
    let error = run(&pool.unattended(), &hop, "true").await.expect_err("nobody is there");
    assert!(matches!(error.problem, Problem::Denied(_)), "{error}");
    assert_eq!(run(&pool, &hop, "echo here").await.expect("the refusal was not for everybody").out, "here\n");
    assert_eq!(engineer.asked().len(), 1);
}

#[tokio::test]
async fn without_anybody_there_a_second_factor_is_a_clear_refusal() {
    if no_pam() {
        return;
    }
    let key = new_key();
    let settings = "AuthenticationMethods publickey,keyboard-interactive";
    let server = Server::start_asking(&[&key], settings, "off Code: 428915").await;
    let hop = [server.hop("bastion", "jump", &key)];
    let error = run(&pool(""), &hop, "true").await.expect_err("nobody is asked");
    let Problem::Denied(denial) = &error.problem else { unreachable!("{error}") };
    assert!(denial.partial && denial.methods_left == ["keyboard-interactive"], "{error}");

    let silent = Engineer::saying(&[]);
    let error = run(&with(&silent), &hop, "true").await.expect_err("no answer");
    assert_eq!((error.hop.as_str(), error.stage), ("bastion", Stage::Authentication));
    assert_eq!(error.problem, Problem::Unanswered("bastion asks \"Code\", and nobody answered".to_owned()));
    assert!(error.advice().contains("onramp open"), "{}", error.advice());

    let wrong = Engineer::saying(&[&["1"], &["2"], &["3"], &["4"]]);
    let error = run(&with(&wrong), &hop, "true").await.expect_err("wrong codes");
    assert!(matches!(error.problem, Problem::Denied(_)), "{error}");
    assert!(wrong.asked().len() <= 3, "a person mistypes three times at most");

    let away = Arc::new(Engineer { away: true, ..Engineer::default() });
    let mut settings = with(&away).settings;
    settings.limits.person = Duration::from_millis(200);
    let error = run(&Pool::new(settings), &hop, "true").await.expect_err("nobody looks");
    assert!(matches!(error.problem, Problem::Unanswered(_)), "{error}");
}

#[tokio::test]
async fn a_password_is_the_last_resort() {
    if no_users() {
        return;
    }
    let only = Server::start(&[], "PasswordAuthentication yes\nPubkeyAuthentication no").await;
    let engineer = Engineer::saying(&[&["wrong"], &[PASSWORD]]);
    let hop = [only.hop("old", "deploy", &new_key())];
    assert_eq!(run(&with(&engineer), &hop, "id -un").await.expect("a password").out, "deploy\n");
    let asked = engineer.asked();
    assert_eq!(asked.iter().map(|one| one.about.clone()).collect::<Vec<_>>(), [About::Password, About::Password]);
    assert_eq!(labels(&asked[0]), [("Password of deploy", false)]);

    let both = Server::start(&[], "PasswordAuthentication yes").await;
    let engineer = Engineer::saying(&[&[PASSWORD]]);
    let error = run(&with(&engineer), &[both.hop("host", "deploy", &new_key())], "true").await.expect_err("the key");
    assert!(matches!(error.problem, Problem::Denied(_)), "{error}");
    assert!(engineer.asked().is_empty(), "a missing key is put right on the host, not typed around");
}

/// An encrypted key file, and a server that knows its public half.
async fn sealed(kind: &[&str]) -> (tempfile::TempDir, PathBuf, Server) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sealed");
    let path = file.display().to_string();
    run_tool("ssh-keygen", &[kind, &["-q", "-a", "1", "-N", "long enough", "-f", &path][..]].concat());
    let server = Server::start(&[], "").await;
    let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
    super::lab::write(&server.dir.path().join("authorized_keys"), &public, 0o644);
    (dir, file, server)
}

#[tokio::test]
async fn the_passphrase_of_a_key_file_is_asked_for_once() {
    if no_sshd() {
        return;
    }
    let kinds: [&[&str]; 3] =
        [&["-t", "ed25519"], &["-t", "ecdsa", "-b", "384"], &["-t", "rsa", "-b", "3072", "-m", "PEM"]];
    for kind in kinds {
        let (_dir, file, server) = sealed(kind).await;
        let engineer = Engineer::saying(&[&["too short"], &["long enough"]]);
        let pool = with(&engineer);
        let hop = |name: &str| {
            let identity = Identity::Usual { files: vec![file.clone()], only: false };
            [Hop { identity, ..server.hop(name, "deploy", &new_key()) }]
        };
        let (one, two) = (hop("one"), hop("two"));
        let (one, two) = tokio::join!(run(&pool, &one, "true"), run(&pool, &two, "true"));
        one.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        two.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let asked = engineer.asked();
        assert_eq!(asked.len(), 2, "once mistyped, once right, for both hosts: {kind:?}");
        assert_eq!(asked[0].about, About::Passphrase(file));
        assert_eq!(asked[1].said, ["That passphrase does not open it."]);
    }
}

#[tokio::test]
async fn a_passphrase_is_not_asked_for_where_the_key_would_not_be_taken() {
    if no_sshd() {
        return;
    }
    let (_dir, file, server) = sealed(&["-t", "ed25519"]).await;
    let engineer = Engineer::saying(&[]);
    let identity = Identity::File(file.clone());
    let hop = [Hop { identity: identity.clone(), ..server.hop("host", "deploy", &new_key()) }];
    let error = run(&with(&engineer), &hop, "true").await.expect_err("no passphrase");
    assert_eq!(error.problem, Problem::KeyFile { path: file, why: KeyFileTrouble::Encrypted });
    assert_eq!(engineer.asked().len(), 1);

    let stranger = Server::start(&[&new_key()], "").await;
    let hop = [Hop { identity, ..stranger.hop("other", "deploy", &new_key()) }];
    let error = run(&with(&engineer), &hop, "true").await.expect_err("not its key");
    assert!(matches!(error.problem, Problem::Denied(_)), "{error}");
    assert_eq!(engineer.asked().len(), 1, "the server would not have taken it");
}

/// A server that asks three things at once, which sshd with PAM never does; and a second round without questions.
#[derive(Clone)]
struct Asking;

impl server::Server for Asking {
    type Handler = Self;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Self {
        self.clone()
    }
}

impl server::Handler for Asking {
    type Error = russh::Error;

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<server::Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let ask = |name: &'static str, prompts: Vec<(&'static str, bool)>| Auth::Partial {
            name: Cow::Borrowed(name),
            instructions: Cow::Borrowed("two lines\nof instructions\u{202e}"),
            prompts: prompts.into_iter().map(|(text, echo)| (Cow::Borrowed(text), echo)).collect::<Vec<_>>().into(),
        };
        let Some(response) = response else {
            return Ok(ask("Login", vec![("Name:", true), ("Password:", false), ("Token:", false)]));
        };
        let answers: Vec<String> = response.map(|one| String::from_utf8_lossy(&one).into_owned()).collect();
        Ok(match answers.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["jane", "s3cret", "428915"] => ask("Thank you", Vec::new()),
            [] => Auth::Accept,
            _ => Auth::reject(),
        })
    }
}

#[tokio::test]
async fn several_prompts_at_once_and_a_round_without_any() {
    let host_key = new_key();
    let methods = russh::MethodSet::from(&[MethodKind::KeyboardInteractive][..]);
    let config = server::Config { keys: vec![host_key.clone()], methods, ..server::Config::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move { Asking.run_on_socket(Arc::new(config), &listener).await });
    let engineer = Engineer::saying(&[&["jane", "s3cret", "428915"]]);
    let hop = [Hop {
        name: "bastion".to_owned(),
        address: "127.0.0.1".to_owned(),
        port,
        user: "jane".to_owned(),
        identity: Identity::Key(Arc::new(new_key())),
        pins: vec![super::lab::fingerprint(&host_key)],
        extra: crate::ssh::Extra::default(),
    }];
    let error = run(&with(&engineer), &hop, "true").await.expect_err("this server runs nothing");
    assert!(error.stage > Stage::Authentication, "logged in, then: {error}");
    let asked = engineer.asked();
    assert_eq!(asked.len(), 1);
    let line = |label: &str, shown| Line { label: label.to_owned(), shown };
    assert_eq!(asked[0].lines, [line("Name", true), line("Password", false), line("Token", false)]);
    assert_eq!(asked[0].said, ["Login", "two lines", "of instructions\u{fffd}"]);
    serving.abort();
}

#[tokio::test]
async fn what_a_person_typed_is_in_no_error_and_no_debug_print() {
    if no_pam() {
        return;
    }
    let server = Server::start_asking(&[], "AuthenticationMethods keyboard-interactive", "off Code: right").await;
    let engineer = Engineer::saying(&[&["Kx7canary.Qf93zW"], &["Kx7canary.Qf93zW"], &["Kx7canary.Qf93zW"]]);
    let error = run(&with(&engineer), &[server.hop("bastion", "jump", &new_key())], "true").await.expect_err("wrong");
    let told = format!("{error} {error:?} {}", error.advice());
    assert!(!told.contains("Kx7"), "{told}");
    assert_eq!(engineer.answers.lock().unwrap().len() + engineer.asked().len(), 3);
}

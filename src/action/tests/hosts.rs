//! Scripts and connections, against hosts in the process: a bastion and two hosts behind it.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::action::{Recalled, Trouble};
use crate::engagement::{Failure, Host, Question};
use crate::practice::hosts::{HostSpec, Hosts, Image};
use crate::practice::net::{Gate, Source, Verdict};
use crate::ssh::{Identity, PrivateKey};

const BASTION: &str = "203.0.113.50";
const APP: &str = "10.40.11.20";
const DATA: &str = "10.40.11.21";

/// Walls that a test puts up.
#[derive(Default)]
struct Walls(Mutex<Vec<(Source, IpAddr)>>);

#[async_trait::async_trait]
impl Gate for Walls {
    async fn allows(&self, from: Source, to: IpAddr, _port: u16) -> Verdict {
        if self.0.lock().unwrap().contains(&(from, to)) { Verdict::Filtered } else { Verdict::Open }
    }
}

pub(super) struct Lab {
    pub(super) hosts: Hosts,
    walls: Arc<Walls>,
    key: Arc<PrivateKey>,
    pins: BTreeMap<&'static str, Vec<String>>,
}

impl Lab {
    pub(super) async fn new() -> Lab {
        use russh::keys::{Algorithm, key::safe_rng};
        let key = Arc::new(PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap());
        let (hosts, mut pins) = (Hosts::new(), BTreeMap::new());
        for (name, addresses) in [("bastion", vec!["10.40.0.10", BASTION]), ("app", vec![APP]), ("data", vec![DATA])] {
            let spec = HostSpec {
                name: name.to_owned(),
                image: Image::Debian12,
                hardened: None,
                addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
                user: "admin".to_owned(),
                authorized_keys: vec![key.public_key().to_openssh().unwrap()],
            };
            pins.insert(name, hosts.add(spec).await.unwrap().host_key_fingerprints);
        }
        Lab { hosts, walls: Arc::default(), key, pins }
    }

    fn host(
        &self,
        name: &'static str,
        address: &str,
        via: Option<&str>,
        pinned: bool,
    ) -> (String, Result<Host, String>) {
        let host = Host {
            name: name.to_owned(),
            known_as: name.to_owned(),
            address: address.to_owned(),
            port: Some(22),
            user: "admin".to_owned(),
            key: None,
            via: via.map(str::to_owned),
            sudo: None,
            fingerprints: if pinned { self.pins[name].clone() } else { Vec::new() },
        };
        (name.to_owned(), Ok(host))
    }

    /// The engagement's world; `app` is pinned or not.
    pub(super) async fn stage(&self, app_is_pinned: bool) -> (World, mpsc::Receiver<Vec<u8>>) {
        let routes = [
            self.host("bastion", BASTION, None, true),
            self.host("app", APP, Some("bastion"), app_is_pinned),
            self.host("data", DATA, Some("bastion"), true),
        ];
        self.world(routes)
    }

    fn world(
        &self,
        routes: impl IntoIterator<Item = (String, Result<Host, String>)>,
    ) -> (World, mpsc::Receiver<Vec<u8>>) {
        let dial = self.hosts.dialer(Source::ENGINEER, self.walls.clone());
        let mut settings = ssh::Settings::new(dial, Vec::new(), None);
        settings.limits.connect = Duration::from_millis(1_500);
        let (output, receiver) = mpsc::channel(1_000);
        let world = World {
            facts: crate::action::os::facts::Known::default(),
            cloud: Err(Failure::new("no cloud", "none is needed")),
            ssh: Arc::new(ssh::Pool::new(settings)),
            net: Arc::new(crate::net::Nowhere),
            routes: Arc::new(Routes::for_tests(routes, Identity::Key(self.key.clone()))),
            vault: crate::action::Vault::default(),
            output,
            cancel: CancellationToken::new(),
            shows_at_once: false,
            teller: crate::aws::Teller::default(),
            rehearsing: None,
            subject: subject("e1"),
        };
        (world, receiver)
    }
}

fn script(run: &str) -> Call {
    Call::Shell {
        host: "app".to_owned(),
        library: String::new(),
        sudo: true,
        check: Some("test -e /etc/made || exit 1".to_owned()),
        run: Some(run.to_owned()),
        then: None,
        verify: Some("cat /etc/made".to_owned()),
        undo: Some("rm -f /etc/made; echo gone".to_owned()),
        stdin: None,
        limit: Duration::from_secs(20),
    }
}

fn shell(call: &Call) -> Box<dyn Action> {
    build(call, &subject("e1")).unwrap()
}

fn intent() -> DurableIntent {
    DurableIntent::for_tests(&subject("e1").address, "0123")
}

#[tokio::test]
async fn a_script_lives() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    let text = "echo made >/etc/made; echo on out; echo on err >&2";
    let action = shell(&script(text));
    assert_eq!(action.changes().len(), 1);
    assert_eq!(action.changes()[0].service, "ssh");
    assert_eq!(action.changes()[0].operation, "app");
    assert_eq!(action.changes()[0].arguments, json!({ "script": text, "sudo": true }));

    assert!(is_absent(&action.probe(&world).await));
    let outcome = action.apply(&world, &intent()).await;
    assert!(matches!(outcome, Outcome::Changed { created: true, .. }), "{outcome:?}");
    let mut seen = String::new();
    while let Ok(piece) = output.try_recv() {
        seen.push_str(&String::from_utf8(piece).unwrap());
    }
    assert!(seen.contains("on out") && seen.contains("on err"), "{seen}");

    let Verified::So(found) = action.verify(&world).await else { panic!("not so") };
    assert_eq!(found.output["stdout"], json!("made"));
    assert!(matches!(action.probe(&world).await, Probe::Same(_)));
    let another = DurableIntent::for_tests(&subject("e1").address, "4567");
    let undone = action.undo(&world, &another, &BTreeMap::new()).await;
    assert!(matches!(undone, Outcome::Changed { created: false, .. }), "{undone:?}");
    assert!(is_absent(&action.probe(&world).await));
}

#[tokio::test]
async fn a_script_that_fails_shows_its_last_words_made_harmless() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let run = "echo fine; printf 'bad \\033]52;c;QUFB\\007thing\\n' >&2; exit 3";
    let outcome = shell(&script(run)).apply(&world, &intent()).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.what.contains("app") && failure.what.contains("code 3"), "{failure:?}");
    assert!(failure.raw.contains("bad") && !failure.raw.contains('\u{1b}'), "{failure:?}");
}

#[tokio::test]
async fn what_follows_a_script_runs_over_a_login_that_is_made_anew_or_not_at_all() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let run_then = |run: &str| {
        let mut call = script(run);
        if let Call::Shell { then, .. } = &mut call {
            *then = Some("echo proved >>/etc/made".to_owned());
        }
        shell(&call)
    };
    let logins = "journalctl -q -t sshd | grep -c 'Accepted publickey' >/etc/made";
    assert!(matches!(run_then(logins).apply(&world, &intent()).await, Outcome::Changed { .. }));
    let Verified::So(found) = run_then(logins).verify(&world).await else { panic!("not so") };
    assert_eq!(found.output["stdout"], json!("1\nproved"));
    let counted = shell(&script(logins));
    counted.apply(&world, &DurableIntent::for_tests(&subject("e1").address, "4567")).await;
    let Verified::So(found) = counted.verify(&world).await else { panic!("not so") };
    assert_eq!(found.output["stdout"], json!("2"));

    let locks_out = "echo out >/etc/made; mv /home/admin/.ssh/authorized_keys /home/admin/.ssh/put-away";
    let third = DurableIntent::for_tests(&subject("e1").address, "89ab");
    let outcome = run_then(locks_out).apply(&world, &third).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.what.starts_with("after the script a new login to app does not work"), "{failure:?}");
    assert!(!failure.changed.is_empty(), "{failure:?}");
    let kept = lab.hosts.at_console("app", "cat /etc/made").await.unwrap();
    assert_eq!(kept.out, "out\n");
}

#[tokio::test]
async fn a_check_says_same_absent_or_unknown() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let probe = async |check: &str| {
        let mut call = script("true");
        if let Call::Shell { check: text, .. } = &mut call {
            *text = Some(check.to_owned());
        }
        shell(&call).probe(&world).await
    };
    assert!(matches!(probe("exit 0").await, Probe::Same(_)));
    assert!(is_absent(&probe("exit 1").await));
    let Probe::Unknown(Trouble::Failure(failure)) = probe("echo no such tool >&2; exit 127").await else { panic!() };
    assert!(failure.raw.contains("no such tool"), "{failure:?}");
}

#[tokio::test]
async fn a_check_that_is_not_so_after_the_change_is_not_yet() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let action = shell(&script("true"));
    action.apply(&world, &intent()).await;
    let Verified::NotYet { said } = action.verify(&world).await else { panic!("it is not so") };
    assert!(said.contains("/etc/made"), "{said}");
}

#[tokio::test]
async fn a_step_without_a_check_runs_and_one_without_an_undo_says_so() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let bare = Call::Shell {
        host: "app".to_owned(),
        library: String::new(),
        sudo: false,
        check: None,
        run: Some("true".to_owned()),
        then: None,
        verify: None,
        undo: None,
        stdin: None,
        limit: Duration::from_secs(20),
    };
    let action = shell(&bare);
    assert!(is_absent(&action.probe(&world).await));
    assert!(matches!(action.apply(&world, &intent()).await, Outcome::Changed { .. }));
    assert!(matches!(action.verify(&world).await, Verified::So(_)));
    assert!(matches!(action.undo(&world, &intent(), &BTreeMap::new()).await, Outcome::Failed { .. }));
}

#[tokio::test]
async fn a_cut_connection_after_the_start_is_a_doubt() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    let mut call = script("echo started; sleep 60");
    if let Call::Shell { limit, .. } = &mut call {
        *limit = Duration::from_secs(3);
    }
    let action = shell(&call);
    let hosts = &lab.hosts;
    let (given, intent) = (&world, intent());
    let cut = async {
        while let Some(piece) = output.recv().await {
            if String::from_utf8_lossy(&piece).contains("started") {
                return hosts.remove("app").await;
            }
        }
    };
    let (outcome, ()) = tokio::join!(action.apply(given, &intent), cut);
    let Outcome::InDoubt { why } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("may be running on app") && why.contains("/var/lib/onramp-claims/0123"), "{why}");
}

/// Everything that was written until now.
pub(super) fn written(output: &mut mpsc::Receiver<Vec<u8>>) -> String {
    let mut all = String::new();
    while let Ok(piece) = output.try_recv() {
        all.push_str(&String::from_utf8_lossy(&piece));
    }
    all
}

/// Waits until a script has said so.
async fn heard(output: &mut mpsc::Receiver<Vec<u8>>, words: &str) {
    while let Some(piece) = output.recv().await {
        if String::from_utf8_lossy(&piece).contains(words) {
            return;
        }
    }
}

const SLOW: &str = "echo began >>/etc/starts; echo first; sleep 2; echo second; echo made >/etc/made";

impl Lab {
    async fn starts(&self) -> String {
        self.hosts.at_console("app", "cat /etc/starts").await.unwrap().out
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_and_comes_back_changes_nothing() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    let action = shell(&script(SLOW));
    let (ssh, intent) = (world.ssh.clone(), intent());
    let cut = async {
        heard(&mut output, "first").await;
        ssh.close().await;
    };
    let (outcome, ()) = tokio::join!(action.apply(&world, &intent), cut);
    let Outcome::Changed { output: made, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(made["stdout"], json!("first\nsecond"));
    assert_eq!(lab.starts().await, "began\n");
}

#[tokio::test]
async fn after_the_death_of_onramp_the_host_tells_what_became_of_it() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    let (action, durable) = (shell(&script(SLOW)), intent());
    assert_eq!(action.recall(&world, durable.intent()).await, Recalled::Nothing);
    tokio::select! {
        outcome = action.apply(&world, &durable) => panic!("{outcome:?}"),
        () = heard(&mut output, "first") => {}
    }
    drop(world);
    // It is still running.
    let (world, mut output) = lab.stage(true).await;
    let recalled = action.recall(&world, durable.intent()).await;
    let Recalled::Ended(Outcome::Changed { output: made, .. }) = recalled else { panic!("{recalled:?}") };
    assert_eq!(made["stdout"], json!("first\nsecond"));
    let all = written(&mut output);
    assert!(all.contains("reattached") && all.ends_with("first\nsecond\n"), "{all}");
    // It has ended, and is not started by another apply under the same token.
    let outcome = action.apply(&world, &durable).await;
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    assert_eq!(lab.starts().await, "began\n");
}

#[tokio::test]
async fn a_host_that_restarts_in_the_middle_says_that_it_was_cut_off() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    let (action, durable) = (shell(&script(SLOW)), intent());
    tokio::select! {
        outcome = action.apply(&world, &durable) => panic!("{outcome:?}"),
        () = heard(&mut output, "first") => {}
    }
    let disks = lab.hosts.snapshot().await;
    lab.hosts.restore(&disks).await.unwrap();
    let (world, _output) = lab.stage(true).await;
    let recalled = action.recall(&world, durable.intent()).await;
    let Recalled::CutOff { why } = recalled else { panic!("{recalled:?}") };
    assert!(why.contains("in the middle") && why.contains("/var/lib/onramp-claims/0123"), "{why}");
    let outcome = action.apply(&world, &durable).await;
    assert!(matches!(outcome, Outcome::InDoubt { .. }), "{outcome:?}");
    assert_eq!(lab.starts().await, "began\n");
}

#[tokio::test]
async fn a_stop_ends_the_script_and_a_limit_does_too() {
    let lab = Lab::new().await;
    let (world, mut output) = lab.stage(true).await;
    let endless = "echo began; sleep 300; echo more >/etc/made";
    let (action, durable, cancel) = (shell(&script(endless)), intent(), world.cancel.clone());
    let stop = async {
        heard(&mut output, "began").await;
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(action.apply(&world, &durable), stop);
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.what.contains("stopped by a person; its processes are gone"), "{failure:?}");
    // Those who only looked on end by themselves, as soon as they see it.
    let mut left = String::new();
    for _ in 0..50 {
        left = lab.hosts.at_console("app", "cat /proc/[0-9]*/stat").await.unwrap().out;
        if left.lines().count() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(left.lines().count(), 1, "only the console is left: {left}");

    let (world, _output) = lab.stage(true).await;
    let mut call = script(endless);
    if let Call::Shell { limit, .. } = &mut call {
        *limit = Duration::from_secs(1);
    }
    let another = DurableIntent::for_tests(&subject("e1").address, "4567");
    let outcome = shell(&call).apply(&world, &another).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.what.contains("did not end within 1 s and was stopped"), "{failure:?}");
    assert!(is_absent(&shell(&call).probe(&world).await), "it got no further");
}

#[tokio::test]
async fn a_stop_before_the_start_is_no_doubt() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    world.cancel.cancel();
    let outcome = shell(&script("true")).apply(&world, &intent()).await;
    let Outcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.meaning.contains("Nothing was run"), "{failure:?}");
}

#[tokio::test]
async fn a_new_host_key_is_a_question_and_a_changed_one_shows_both() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(false).await;
    let action = shell(&script("true"));
    let probe = action.probe(&world).await;
    let Probe::Unknown(Trouble::Question(Question::HostKey { hop, fingerprint, port: 22, .. })) = probe else {
        panic!("{probe:?}")
    };
    assert_eq!(hop, "app");
    assert!(lab.pins["app"].contains(&fingerprint), "{fingerprint}");
    world.ssh.trusted().write().unwrap().accept("app", 22, &fingerprint);
    assert!(is_absent(&action.probe(&world).await));

    let other = format!("SHA256:{}", "x".repeat(43));
    let (name, host) = lab.host("bastion", BASTION, None, true);
    let pinned = host.map(|host| Host { fingerprints: vec![other.clone()], ..host });
    let (world, _output) = lab.world([(name, pinned), lab.host("app", APP, Some("bastion"), true)]);
    let probe = action.probe(&world).await;
    let Probe::Unknown(Trouble::Failure(failure)) = probe else { panic!("{probe:?}") };
    let shown = lab.pins["bastion"].iter().any(|print| failure.what.contains(print));
    assert!(shown && failure.what.contains(&other), "{failure:?}");
}

#[tokio::test]
async fn a_host_that_nobody_named_is_unknown_and_never_absent() {
    let lab = Lab::new().await;
    let (world, _output) = lab.world([]);
    let action = shell(&script("true"));
    let Probe::Unknown(Trouble::Failure(failure)) = action.probe(&world).await else { panic!() };
    assert!(failure.what.contains("no host called"), "{failure:?}");
    assert!(matches!(action.apply(&world, &intent()).await, Outcome::Failed { .. }));
}

async fn reach(world: &World, with: Json) -> Verified {
    action("probe/tcp", &with, &world.subject).verify(world).await
}

#[tokio::test]
async fn a_port_is_open_or_closed_from_here() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    assert!(matches!(reach(&world, json!({ "host": "bastion" })).await, Verified::So(_)));
    assert!(matches!(reach(&world, json!({ "host": "bastion", "expect": "closed" })).await, Verified::NotSo(_)));
    let refused = json!({ "address": BASTION, "port": 4444 });
    assert!(matches!(reach(&world, refused).await, Verified::NotYet { .. }));
    assert!(matches!(
        reach(&world, json!({ "host": "app", "from": "here", "expect": "closed" })).await,
        Verified::So(_)
    ));
    lab.walls.0.lock().unwrap().push((Source::ENGINEER, BASTION.parse().unwrap()));
    assert!(matches!(reach(&world, json!({ "host": "bastion", "expect": "closed" })).await, Verified::So(_)));
}

#[tokio::test]
async fn a_port_is_open_or_closed_from_a_host_even_from_one_that_forwards_nothing() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    let ask = |from: &str, expect: &str| json!({ "host": "data", "from": from, "expect": expect });
    assert!(matches!(reach(&world, ask("bastion", "open")).await, Verified::So(_)));
    assert!(matches!(reach(&world, ask("app", "open")).await, Verified::So(_)));
    lab.walls.0.lock().unwrap().push((Source::Host(APP.parse().unwrap()), DATA.parse().unwrap()));
    assert!(matches!(reach(&world, ask("app", "closed")).await, Verified::So(_)));
    assert!(matches!(reach(&world, ask("app", "open")).await, Verified::NotYet { .. }));

    let harden = "printf 'AllowTcpForwarding no\\n' >/etc/ssh/sshd_config.d/10-x.conf; systemctl restart ssh";
    lab.hosts.at_console("app", harden).await.unwrap();
    world.ssh.close().await;
    let refused = reach(&world, ask("app", "closed")).await;
    assert!(matches!(refused, Verified::So(_)), "{refused:?}");
    lab.walls.0.lock().unwrap().clear();
    let open = reach(&world, ask("app", "open")).await;
    assert!(matches!(open, Verified::So(_)), "{open:?}");
}

#[tokio::test]
async fn the_way_to_the_one_who_tries_is_not_the_door() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    lab.walls.0.lock().unwrap().push((Source::ENGINEER, BASTION.parse().unwrap()));
    let asked = reach(&world, json!({ "host": "data", "from": "app", "expect": "closed" })).await;
    assert!(matches!(asked, Verified::Unknown(_)), "{asked:?}");
}

#[tokio::test]
async fn a_banner_comes_through_the_hops() {
    let lab = Lab::new().await;
    let (world, _output) = lab.stage(true).await;
    for host in ["bastion", "app"] {
        let banner = action("probe/ssh-banner", &json!({ "host": host }), &world.subject);
        assert_eq!(banner.changes(), []);
        let Verified::So(found) = banner.verify(&world).await else { panic!("{host}") };
        assert!(text(&found.output, "banner").starts_with("SSH-2.0-"), "{found:?}");
    }
    lab.hosts.remove("app").await;
    let banner = action("probe/ssh-banner", &json!({ "host": "app" }), &world.subject);
    let silent = banner.verify(&world).await;
    assert!(matches!(silent, Verified::NotYet { .. }), "{silent:?}");
}

#[tokio::test]
async fn the_way_to_a_host_that_has_two_entries_says_that_its_last_hop_is_the_last() {
    let lab = Lab::new().await;
    let (_, app) = lab.host("app", APP, Some("bastion"), true);
    let first = app.map(|app| Host { name: "app-first".to_owned(), ..app });
    let (world, _output) = lab.world([lab.host("bastion", BASTION, None, true), ("app-first".to_owned(), first)]);
    lab.hosts.at_console("app", "systemctl stop ssh").await.unwrap();
    let way = action("probe/ssh-way", &json!({ "host": "app-first" }), &world.subject);
    let Verified::So(found) = way.verify(&world).await else { panic!("it is always so") };
    assert_eq!((&found.output["hop"], &found.output["last"]), (&json!("app"), &json!(true)), "{found:?}");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_said_by_name() {
    let wrong = |kind: &str, with: Json| {
        let call = Call::Kind { kind: kind.to_owned(), with: with.as_object().cloned().unwrap() };
        match build(&call, &subject("e1")) {
            Ok(_) => panic!("{kind} {with} was taken"),
            Err(failure) => format!("{} {}", failure.what, failure.advice),
        }
    };
    assert!(wrong("aws/vcp", json!({})).contains("aws/vpc"));
    assert!(wrong("aws/vpc", json!({ "key": "vpc/main" })).contains("`cidr`"));
    assert!(wrong("aws/vpc", json!({ "cdir": "10.0.0.0/16", "key": "k" })).contains("did you mean `cidr`?"));
    assert!(wrong("probe/tcp", json!({ "address": "a; rm -rf /", "port": 22 })).contains("needs either"));
    assert!(
        wrong("probe/tcp", json!({ "host": "app", "expect": "ajar" })).contains("open, closed, refused, silent or any")
    );
    assert!(wrong("aws/security-group-rule", json!({ "group": "sg-1", "port": 99999, "key": "k" })).contains("65535"));
    assert!(
        wrong("aws/key-pair", json!({ "name": "n", "public_key": "-----BEGIN", "key": "k" })).contains("public key")
    );
}

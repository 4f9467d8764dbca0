//! The runbook is edited in mid-engagement: what stays, what goes along, and what a person is asked about.

use super::super::{RunbookFile, Settlement, State, is_outdated, review, update};
use super::*;

/// The edition with these edits.
fn edition(edits: &[(&str, &str)]) -> Runbook {
    let mut text = SMALL.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    runbook(&text)
}

const OTHER_VPC: (&str, &str) = ("key: vpc/main", "key: vpc/core");
const RENAMED_VPC: [(&str, &str); 2] =
    [("  - id: vpc\n", "  - id: network\n    was: net/vpc\n"), ("needs: [vpc]", "needs: [network]")];
const NO_TUNNEL: (&str, &str) = (
    r#"  - id: tunnel
    title: The tunnel is up
    when: net.mode == "vpn"
    needs: [vpc]
    waits_on: customer
    ask: Please load the configuration on {{ net.peer }}.
    probe: tcp
    with: {host: "{{ net.peer }}", port: 179}
"#,
    "",
);

impl Walk {
    fn took(mut self) -> Walk {
        let (id, digest) = (self.runbook.id.clone(), self.runbook.digest.clone());
        let files = vec![RunbookFile { path: "small.yaml".to_owned(), text: SMALL.to_owned() }];
        let (moved, outdated, unfit) = (BTreeMap::new(), BTreeMap::new(), std::collections::BTreeSet::new());
        self.happens([Event::RunbookTaken { id, digest, files, moved, outdated, unfit }]);
        self
    }

    fn updates(&mut self, to: &Runbook) -> Result<Vec<Event>, Refusal> {
        let events = update(&self.engagement, &self.runbook, to, &[])?;
        self.happens(events.clone());
        self.runbook = to.clone();
        Ok(events)
    }

    fn statuses(&self) -> Vec<(String, Status, bool)> {
        let rows = self.board().rows;
        rows.into_iter().map(|row| (row.address.to_string(), row.status, row.outdated)).collect()
    }
}

fn made() -> Walk {
    let mut walk = Walk::new().took();
    let filled = Walk::made().engagement;
    let (identity, seq) = (walk.engagement.identity.clone(), walk.engagement.seq + filled.seq);
    let (digest, editions) = (walk.engagement.runbook_digest.clone(), walk.engagement.editions.clone());
    let id = walk.engagement.runbook.clone();
    walk.engagement = Engagement { identity, seq, runbook: id, runbook_digest: digest, editions, ..filled };
    for record in walk.engagement.steps.values_mut() {
        if let Some(made) = &mut record.made {
            made.edition.clone_from(&walk.engagement.runbook_digest);
        }
    }
    walk
}

#[test]
fn the_same_edition_is_not_taken_twice_and_another_runbook_not_at_all() {
    let mut walk = made();
    let same = walk.updates(&edition(&[])).unwrap_err();
    assert!(same.to_string().contains("already"), "{same}");
    let other = walk.updates(&edition(&[("runbook: small", "runbook: other")])).unwrap_err();
    assert!(other.to_string().contains("this is other"), "{other}");
    let layout = edition(&[("title: Small", "title: Small # the small one")]);
    let before = walk.statuses();
    let events = walk.updates(&layout).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(walk.statuses(), before);
    assert_eq!(walk.engagement.editions.len(), 2, "the first one is kept");
}

#[test]
fn what_was_done_otherwise_is_marked_and_a_person_looks_again_or_keeps_it() {
    let mut walk = made();
    let to = edition(&[OTHER_VPC]);
    assert_eq!(review(&walk.engagement, &walk.runbook, &to).outdated, [at("net/vpc")]);
    walk.updates(&to).unwrap();
    assert!(matches!(walk.status("net/vpc"), Status::Done { .. }), "it is not run by that");
    assert!(is_outdated(&walk.engagement, &at("net/vpc")) && walk.board().tally.outdated == 1);
    assert!(matches!(walk.status("net/subnets[eu-west-1a]"), Status::Ready), "and holds nothing up");
    let mut kept = Walk { engagement: walk.engagement.clone(), runbook: walk.runbook.clone() };
    kept.wishes(Command::KeepDone(at("net/vpc"))).unwrap();
    assert_eq!(kept.board().tally.outdated, 0);
    assert!(kept.wishes(Command::KeepDone(at("net/vpc"))).is_err());
    kept.updates(&edition(&[OTHER_VPC, ("title: The VPC", "title: The network")])).unwrap();
    assert_eq!(kept.board().tally.outdated, 0, "nothing more changed in it");
    walk.wishes(Command::Reopen(at("net/vpc"))).unwrap();
    assert_eq!(walk.status("net/vpc"), Status::Ready);
    assert!(walk.engagement.ledger().iter().any(|(step, _)| **step == at("net/vpc")), "what it made is not forgotten");
}

#[test]
fn a_renamed_step_keeps_its_history_its_values_and_the_name_that_its_tags_carry() {
    let mut walk = made();
    let to = edition(&RENAMED_VPC);
    assert!(review(&walk.engagement, &walk.runbook, &to).outdated.is_empty());
    walk.updates(&to).unwrap();
    assert!(matches!(walk.status("net/network"), Status::Done { .. }));
    assert_eq!(walk.engagement.first_name(&at("net/network")), at("net/vpc"));
    let values = scope(&walk.engagement, &walk.runbook, ScopeMode::Real);
    assert_eq!(values.get_dotted("net.vpc_id"), Some(&json!("vpc-1")));
    let ledger = walk.engagement.ledger();
    let (step, made) = ledger.iter().find(|(step, _)| step.step.0 == "net/network").unwrap();
    assert_eq!((made.step.as_ref(), **step == at("net/network")), (Some(&at("net/vpc")), true));
    assert_eq!(walk.engagement.record(&at("net/network")).unwrap().attempts, 1);
}

#[test]
fn an_approval_holds_for_what_stays_the_same() {
    let mut walk = made();
    walk.wishes(walk.approve()).unwrap();
    assert!(walk.covers("net/subnets[eu-west-1a]") && walk.covers("net/port"));
    walk.updates(&edition(&[("run: \"echo", "run: \"printf %s")])).unwrap();
    assert!(walk.covers("net/subnets[eu-west-1a]"));
    assert!(!walk.covers("net/port"), "it would do something else");
}

#[test]
fn a_step_that_is_gone_keeps_what_it_made_and_comes_back_as_it_was() {
    let first = edition(&[]);
    let mut walk = made();
    walk.makes("net/port", "x", "1");
    let port = "  - id: port\n    title: The port\n    host: app\n    needs: [subnets]\n    shell: {check: \"true\", run: \"echo {{ net.vpc_cidr }}\", undo: \"true\"}\n";
    let without = edition(&[(port, ""), ("needs: [port]", "needs: [subnets]")]);
    let review = review(&walk.engagement, &walk.runbook, &without);
    assert_eq!(review.left, [at("net/port")]);
    assert!(review.lines().iter().any(|line| line.weighs && line.said.contains("net/port")));
    walk.updates(&without).unwrap();
    assert!(walk.board().row(&at("net/port")).is_none());
    assert!(walk.engagement.ledger().iter().any(|(step, _)| **step == at("net/port")));
    walk.updates(&first).unwrap();
    assert!(matches!(walk.status("net/port"), Status::Done { .. }) && walk.board().tally.outdated == 0);
    walk.updates(&without).unwrap();
    walk.updates(&edition(&[("run: \"echo", "run: \"printf %s")])).unwrap();
    assert_eq!(walk.board().tally.outdated, 1, "it is back, but another one");
}

#[test]
fn values_that_no_longer_fit_are_named_and_asked_for_again_and_nothing_is_lost() {
    let first = edition(&[]);
    let mut walk = made();
    let to = edition(&[("label: Peer, kind: text", "label: Peer, kind: port")]);
    let unfit = review(&walk.engagement, &walk.runbook, &to).unfit;
    assert_eq!(
        unfit.iter().map(|unfit| (unfit.id.as_str(), unfit.value.as_str())).collect::<Vec<_>>(),
        [("net.peer", "198.51.100.7")]
    );
    walk.updates(&to).unwrap();
    assert!(matches!(walk.status("net/peer"), Status::NeedsInput(_)));
    assert!(walk.engagement.input("net.peer").is_none());
    let mut again = Walk { engagement: walk.engagement.clone(), runbook: walk.runbook.clone() };
    walk.updates(&first).unwrap();
    assert!(matches!(walk.status("net/peer"), Status::Done { .. }));
    assert_eq!(walk.engagement.input("net.peer").map(|value| value.shown()).as_deref(), Some("198.51.100.7"));
    again.gives("net.peer", "22").unwrap();
    assert!(matches!(again.status("net/peer"), Status::Done { .. }), "{:?}", again.status("net/peer"));
}

#[test]
fn nothing_is_taken_while_something_runs_or_is_in_doubt() {
    let to = edition(&[OTHER_VPC]);
    let mut running = made();
    running.happens([started("net/subnets[eu-west-1a]", 1)]);
    let why = running.updates(&to).unwrap_err().to_string();
    assert!(why.contains("net/subnets[eu-west-1a] runs"), "{why}");
    let mut doubt = made();
    doubt.happens([
        started("net/subnets[eu-west-1a]", 1),
        intended("net/subnets[eu-west-1a]", 1),
        stopped("net/subnets[eu-west-1a]", 1),
    ]);
    let why = doubt.updates(&to).unwrap_err().to_string();
    assert!(why.contains("in doubt"), "{why}");
    let (step, reason) = (at("net/subnets[eu-west-1a]"), "seen".to_owned());
    doubt.wishes(Command::Settle { step, how: Settlement::Retry, reason }).unwrap();
    doubt.updates(&to).unwrap();
}

#[test]
fn a_history_never_runs_into_another_one() {
    let mut walk = made();
    walk.happens([done("net/shown", DoneHow::SignedOff), done("net/port", DoneHow::AlreadySo)]);
    let shown =
        "  - id: shown\n    title: The customer has seen it\n    needs: [port]\n    manual: Show {{ net.vpc_cidr }}.\n";
    walk.updates(&edition(&[(shown, "")])).unwrap();
    let port = ("  - id: port\n", "  - id: shown\n    was: net/port\n");
    walk.updates(&edition(&[(shown, ""), port])).unwrap();
    assert!(matches!(walk.engagement.state(&at("net/port")), State::Done { how: DoneHow::AlreadySo, .. }));
    assert!(matches!(walk.engagement.state(&at("net/shown")), State::Done { how: DoneHow::SignedOff, .. }));
}

#[test]
fn an_edition_of_an_earlier_version_is_read() {
    let old = r#"{"event":"runbook_taken","id":"small","digest":"d","files":[{"path":"a","text":"b"}]}"#;
    let mut walk = Walk::new();
    walk.happens([serde_json::from_str::<Event>(old).unwrap()]);
    assert_eq!(walk.engagement.editions["d"][0].text, "b");
}

mod there_and_back {
    use proptest::prelude::*;

    use super::*;

    fn edits() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
        let single = vec![
            vec![NO_TUNNEL],
            vec![OTHER_VPC],
            RENAMED_VPC.to_vec(),
            vec![("title: Where", "title: Whence")],
            vec![("kind: text, when:", "kind: port, when:")],
            vec![("manual: Show {{ net.vpc_cidr }}.", "manual: Show it all.")],
            vec![("run: \"echo", "run: \"printf %s")],
            vec![("  - id: port\n", "  - id: gate\n    was: net/port\n"), ("needs: [port]", "needs: [gate]")],
            vec![("when: net.mode == \"dx\"", "when: net.mode != \"vpn\"")],
        ];
        let count = single.len();
        proptest::sample::subsequence(single, 0..=count).prop_map(|edits| edits.concat())
    }

    fn story() -> impl Strategy<Value = Vec<usize>> {
        proptest::collection::vec(0_usize..9, 0..14)
    }

    /// Things that may have happened before.
    fn tell(walk: &mut Walk, what: usize) {
        let (a, b) = ("net/subnets[eu-west-1a]", "net/subnets[eu-west-1b]");
        match what {
            0 => walk.makes(a, "net.subnet_ids", "subnet-1"),
            1 => walk.makes(b, "net.subnet_ids", "subnet-2"),
            2 => walk.happens([started("net/port", 1), failed("net/port", 1)]),
            3 => walk.makes("net/port", "x", "1"),
            4 => walk.happens([done("net/shown", DoneHow::SignedOff)]),
            5 => walk.happens([started("net/tunnel", 1), failed("net/tunnel", 1)]),
            6 => walk.happens([done("net/tunnel", DoneHow::AlreadySo)]),
            7 => drop(walk.wishes(Command::Skip { step: at("net/port"), reason: "x".to_owned() })),
            _ => drop(walk.wishes(walk.approve())),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn an_update_and_back_leaves_everything_as_it_was(first in edits(), second in edits(), story in story()) {
            let (a, b) = (edition(&[]), edition(&first));
            let c = edition(&second);
            let mut walk = made();
            story.into_iter().for_each(|what| tell(&mut walk, what));
            let before = walk.statuses();
            let (made, kept, approved) = (walk.engagement.ledger().len(), walk.engagement.kept.clone(), walk.engagement.approved.clone());
            for to in [&b, &c, &a] {
                if to.digest != walk.engagement.runbook_digest {
                    for event in walk.updates(to).unwrap() {
                        let text = serde_json::to_string(&event).unwrap();
                        prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
                    }
                }
                let runs = walk.engagement.steps.values().any(|record| matches!(record.state, State::Running { .. }));
                prop_assert!(!runs, "an update runs nothing");
                prop_assert_eq!(walk.engagement.ledger().len(), made, "and forgets nothing");
            }
            prop_assert_eq!(walk.statuses(), before);
            prop_assert_eq!(&walk.engagement.kept, &kept);
            prop_assert_eq!(&walk.engagement.approved, &approved);
        }
    }
}

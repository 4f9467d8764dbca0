//! Steps over hosts: host by host, and without those that were left out.

use super::*;

const FLEET: &str = r#"
runbook: fleet
title: Fleet
phase: net
hosts:
  - {name: a, address: 10.0.0.1, user: ops}
  - {name: b, address: 10.0.0.2, user: ops}
  - {name: c, address: 10.0.0.3, user: ops}
steps:
  - {id: time, title: Time, for_each: hosts.all, host: "{{ item.name }}", shell: {check: "true", run: "echo 1", undo: "true"}}
  - {id: disk, title: Disk, needs: [time], for_each: hosts.all, host: "{{ item.name }}", shell: {check: "true", run: "echo 2", undo: "true"}}
  - {id: zones, title: Zones, needs: [time], for_each: "['a', 'b']", host: a, shell: {check: "true", run: "echo {{ item }}", undo: "true"}}
  - {id: shown, title: Shown, needs: [disk], manual: Show it.}
"#;

fn fleet() -> Walk {
    let mut walk = Walk { runbook: runbook(FLEET), ..Walk::new() };
    walk.happens([done("net/time[a]", DoneHow::Applied), failed("net/time[b]")]);
    walk
}

fn failed(step: &str) -> Event {
    Event::Failed { step: at(step), attempt: 1, failure: Failure::new("no answer", "") }
}

fn left_out(host: &str) -> Command {
    Command::LeaveOut { host: host.to_owned(), reason: " being repaired ".to_owned() }
}

#[test]
fn a_later_step_goes_on_where_the_earlier_one_is_done() {
    let walk = fleet();
    let blocked = |step: &str| matches!(walk.status(step), Status::Blocked(by) if by == [at("net/time").step]);
    assert_eq!(walk.status("net/disk[a]"), Status::Ready);
    assert!(blocked("net/disk[b]") && blocked("net/disk[c]"));
    assert!(blocked("net/zones[a]"), "what is repeated over something else waits for all hosts");
}

#[test]
fn a_step_that_finds_something_out_is_waited_for_on_all_hosts() {
    let script = r#"host: "{{ item.name }}", shell: {check: "true", run: "echo 1", undo: "true"}}"#;
    let finds = r#"aws: vpc, with: {cidr: 10.0.0.0/16, key: "vpc/{{ item.name }}"}, saves: {id: net.ids}}"#;
    let mut walk = fleet();
    let inputs = "inputs:\n  - {id: aws.account_id, label: Account, kind: account-id}\nhosts:\n";
    walk.runbook = runbook(&FLEET.replacen(script, finds, 1).replacen("hosts:\n", inputs, 1));
    assert!(matches!(walk.status("net/time[a]"), Status::Done { .. }));
    assert!(matches!(walk.status("net/disk[a]"), Status::Blocked(_)));
}

#[test]
fn what_hangs_on_an_undone_step_is_open_again_host_by_host() {
    let checked = "  - {id: seen, title: Seen, needs: [time], for_each: hosts.all, host: \"{{ item.name }}\", shell: {check: \"true\"}}\n";
    let mut walk = Walk { runbook: runbook(&format!("{FLEET}{checked}")), ..Walk::new() };
    let all = ["time[a]", "time[b]", "seen[a]", "seen[b]", "zones[a]", "disk[a]", "shown"];
    walk.happens(all.map(|step| done(&format!("net/{step}"), DoneHow::AlreadySo)));
    walk.wishes(Command::Reopen(at("net/disk[a]"))).unwrap();
    walk.wishes(Command::Skip { step: at("net/disk[a]"), reason: "not now".to_owned() }).unwrap();
    let open = |walk: &Walk, step: &str| {
        let events = loosened(&walk.engagement, &walk.runbook, &[undone(step, 2)]);
        let opened = |event: &Event| match event {
            Event::Reopened { step, undone: Some(_) } => Some(step.to_string()),
            _ => None,
        };
        events.iter().filter_map(opened).collect::<Vec<_>>()
    };
    assert_eq!(
        open(&walk, "net/time[b]"),
        ["net/seen[b]", "net/shown", "net/zones[a]"],
        "and what is skipped stays so"
    );
    assert_eq!(open(&walk, "net/time[a]"), ["net/seen[a]", "net/shown", "net/zones[a]"]);
    assert_eq!(open(&walk, "net/disk[c]"), ["net/shown"]);
    let stays = Event::Undone { step: at("net/time[a]"), attempt: 2, evidence: Evidence::said("kept"), stays: true };
    assert_eq!(loosened(&walk.engagement, &walk.runbook, &[stays]), []);
}

#[test]
fn without_a_host_all_that_is_repeated_over_hosts_goes_on() {
    let mut walk = fleet();
    walk.wishes(left_out("b")).unwrap();
    let why = Status::Skipped { reason: "the host is left out: being repaired".to_owned() };
    assert_eq!((walk.status("net/time[b]"), walk.status("net/disk[b]")), (why.clone(), why));
    walk.happens([done("net/time[c]", DoneHow::Applied), done("net/disk[a]", DoneHow::Applied)]);
    assert_eq!(walk.status("net/zones[b]"), Status::Ready, "that b is no host");
    assert!(matches!(walk.status("net/shown"), Status::Blocked(_)));
    walk.happens([done("net/disk[c]", DoneHow::Applied)]);
    assert_eq!(walk.status("net/shown"), Status::SignOff);

    walk.wishes(Command::Reopen(at("net/disk[b]"))).unwrap();
    assert!(matches!(walk.status("net/time[b]"), Status::Failed(_)), "it is as it was");
    assert!(matches!(walk.status("net/shown"), Status::Blocked(_)));
    walk.wishes(left_out("b")).unwrap();
    walk.wishes(Command::LetIn("b".to_owned())).unwrap();
    assert!(walk.wishes(Command::LetIn("b".to_owned())).is_err());
}

#[test]
fn only_a_host_that_stands_still_is_left_out_and_never_without_a_reason() {
    let mut walk = fleet();
    let silent = Command::LeaveOut { host: "b".to_owned(), reason: " ".to_owned() };
    assert!(walk.wishes(silent).unwrap_err().why.contains("reason"));
    assert!(walk.wishes(left_out("x")).unwrap_err().why.contains("\"x\""));
    walk.happens([Event::AttemptStarted { step: at("net/time[c]"), attempt: 1 }]);
    assert!(walk.wishes(left_out("c")).unwrap_err().why.contains("is running"));
    walk.wishes(left_out("b")).unwrap();
    assert!(walk.wishes(left_out("b")).unwrap_err().why.contains("already"));
}

#[test]
fn another_way_to_a_host_is_no_host_of_its_own() {
    let other = "{name: c, address: 10.0.0.3, user: ops}";
    let text = FLEET.replacen(other, "{name: a-first, known_as: a, address: 10.0.0.1, port: 22, user: ops, via: b}", 1);
    let text = text.replacen("hosts.all", "hosts.all + hosts.private", 1);
    let walk = Walk { runbook: runbook(&text), ..Walk::new() };
    let board = super::super::board(&walk.engagement, &walk.runbook);
    let rows: Vec<String> = board.rows.iter().map(|row| row.address.to_string()).collect();
    assert!(rows.contains(&"net/time[b]".to_owned()) && !rows.iter().any(|row| row.contains("a-first")), "{rows:?}");
}

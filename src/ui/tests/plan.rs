//! The plan and its gate.

use insta::assert_snapshot;

use super::stage::{Stage, address};
use crate::engagement::{Change, DoneHow, Event as Fact, Evidence, Plan, PlanEntry, Stays, UndoPlan, Verdict};
use crate::engine::Notice;
use crate::ui::state::Place;

fn planned() -> Stage {
    let mut stage = Stage::answered();
    stage.press(&["n", "p"]);
    stage.planned();
    stage.wished();
    stage
}

#[test]
fn the_plan_at_80() {
    assert_snapshot!(planned().screen(80, 24));
}

#[test]
fn the_plan_at_120() {
    let mut stage = planned();
    stage.press(&["o"]);
    assert_snapshot!(stage.screen(120, 40));
}

#[test]
fn enter_alone_never_approves() {
    let mut stage = planned();
    for _ in 0..200 {
        stage.press(&["Enter"]);
    }
    stage.press(&["a"]);
    for _ in 0..200 {
        stage.press(&["Enter"]);
    }
    assert!(stage.wished().is_empty());
}

#[test]
fn the_right_word_approves_and_runs() {
    let mut stage = planned();
    stage.press(&["a"]).write("acm").press(&["Enter"]);
    assert!(stage.wished().is_empty());
    assert_snapshot!(stage.screen(80, 24));
    stage.write("e").press(&["Enter"]);
    let wished = stage.wished();
    assert!(wished[0].contains("Approve") && wished[0].contains("network/vpc"), "{wished:?}");
    assert_eq!(wished[1], "Send(Run(All))");
    assert_eq!(stage.state.place, Place::Board);
}

#[test]
fn what_is_approved_can_be_read_whole_on_a_small_screen() {
    let mut stage = Stage::answered();
    stage.press(&["n", "p"]);
    let like = stage.plan().entries[0].clone();
    let entry = |number: usize| PlanEntry {
        step: address(&format!("network/s{number:02}")),
        title: format!("Step {number:02}"),
        breaks: Some(format!("what care{number:02} breaks cannot be had back, and takes a line and a half to say.")),
        ..like.clone()
    };
    let plan = Plan::new((0..20).map(entry).collect());
    stage.notice(Notice::Planned(std::sync::Arc::new(plan)));
    stage.press(&["a"]).write("acm");
    let mut seen = vec![stage.screen(80, 24)];
    assert!(seen[0].contains("more lines: PgDn"), "{}", seen[0]);
    while seen.last().unwrap().contains("PgDn") {
        seen.push(stage.press(&["PgDn"]).screen(80, 24));
        assert!(seen.len() < 10, "it comes to an end");
    }
    assert!(seen.iter().all(|screen| screen.contains("Type acme to go on: acm")), "{}", seen[1]);
    let all = seen.join("\n");
    for number in 0..20 {
        assert!(all.contains(&format!("care{number:02}")), "{number}: {all}");
    }
    assert!(stage.press(&["Up"]).screen(80, 24).contains("1 more line: PgDn"), "and row by row");
}

#[test]
fn practice_says_what_to_type() {
    let mut stage = Stage::practice();
    stage.press(&["p"]);
    stage.planned();
    let screen = stage.screen(80, 24);
    assert!(screen.contains("type practice") && screen.contains("PRACTICE"), "{screen}");
}

#[test]
fn an_answer_makes_the_plan_old() {
    let mut stage = planned();
    stage.give("net.vpc_cidr", "10.60.0.0/16");
    assert!(stage.screen(80, 24).contains("OLD"));
    stage.wished();
    stage.press(&["a"]);
    assert!(stage.wished().is_empty());
    assert!(stage.screen(80, 24).contains("the plan is old"));
    stage.press(&["d"]);
    assert_eq!(stage.wished(), ["Send(Plan)"]);
}

#[test]
fn what_is_done_is_not_planned_any_more() {
    let mut stage = planned();
    let done = Fact::Done {
        step: address("network/vpc"),
        attempt: 1,
        how: DoneHow::Applied,
        evidence: Evidence::said("vpc-0a1b is available"),
        kept: Vec::new(),
    };
    stage.fact(done);
    stage.press(&["a"]);
    assert!(stage.state.popup.is_none(), "an old plan cannot be approved");
    stage.press(&["Esc"]);
    stage.wished();
    stage.press(&["p"]);
    assert_eq!(stage.wished(), ["Send(Plan)"], "and it is made anew when somebody looks");
}

#[test]
fn a_plan_before_the_answers_are_given_is_not_the_end() {
    let mut stage = Stage::answered();
    stage.press(&["g", "p"]);
    let mut entries = stage.plan().entries;
    entries.truncate(1);
    entries[0].changes.clear();
    entries[0].verdict = Verdict::Input;
    stage.notice(Notice::Planned(std::sync::Arc::new(Plan::new(entries))));
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Plan: nothing would be changed yet; 1 step waits"), "{screen}");
    assert!(screen.contains("planned when its"), "{screen}");
}

#[test]
fn the_plan_can_be_copied() {
    let mut stage = planned();
    stage.press(&["y"]);
    assert!(stage.wished()[0].contains("CreateVpc"));
}

#[test]
fn a_call_is_read_value_by_value_and_whom_it_asks_stands_beside_it() {
    let mut stage = Stage::answered();
    stage.press(&["n", "p"]);
    let mut entries = stage.plan().entries;
    let tunnel =
        |inside: &str| serde_json::json!({ "TunnelInsideCidr": inside, "IKEVersions": [{ "Value": "ikev2" }] });
    let options = serde_json::json!({ "StaticRoutesOnly": false, "TunnelOptions": [tunnel("169.254.44.0/30"), tunnel("169.254.44.4/30")] });
    entries[0].changes = vec![Change::new("ec2", "CreateVpnConnection", serde_json::json!({ "Options": options }))];
    entries[0].asks = Some("net@acme.example, within 10 days: Please configure both tunnels.\n\nIKE: IKEv2".to_owned());
    stage.notice(Notice::Planned(std::sync::Arc::new(Plan::new(entries))));
    stage.press(&["o"]);
    let screen = stage.screen(80, 24);
    for words in [
        "Options.StaticRoutesOnly: false",
        "Options.TunnelOptions[2].TunnelInsideCidr: 169.254.44.4/30",
        "Options.TunnelOptions[2].IKEVersions: ikev2",
        "Asks  net@acme.example, within 10 days",
        "            IKE: IKEv2",
        "Price a VPN connection: about",
    ] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
}

#[test]
fn what_stays_says_why_in_full() {
    let mut stage = Stage::answered();
    let step = address("network/vpc");
    stage.makes_a_vpc(&step);
    stage.state.board.jump(&step);
    stage.press(&["u"]);
    let users = ["network/addresses[one]", "network/addresses[two]", "network/gateway", "handover/firewall"];
    let stays = Stays::UsedBy(users.map(address).to_vec());
    let plan = UndoPlan { entries: Vec::new(), stays: vec![(step.clone(), "The VPC".to_owned(), stays)] };
    stage.notice(Notice::UndoPlanned(vec![step.into()], std::sync::Arc::new(plan)));
    let whole = "handover/firewall";
    assert!(stage.screen(80, 24).contains(whole), "{}", stage.screen(80, 24));
    stage.press(&["Enter"]);
    assert!(!stage.screen(80, 24).contains(whole), "{}", stage.screen(80, 24));
    // The way out of it: all of them together, after another review.
    assert!(stage.screen(80, 24).contains("w shows it together"), "{}", stage.screen(80, 24));
    stage.wished();
    stage.press(&["w"]);
    let wished = format!("{:?}", stage.wished());
    assert!(wished.starts_with("[\"Send(UndoPlan("), "{wished}");
    for step in ["network/vpc", "network/gateway", "handover/firewall"] {
        assert!(wished.contains(step), "{step}: {wished}");
    }
}

/// What the account has no room for stands at the top; the frame says so wherever the cursor is.
#[test]
fn what_is_short_is_said_wherever_one_looks() {
    use crate::engagement::{Known, Limited, Room};
    let mut stage = Stage::answered();
    stage.press(&["n", "p"]);
    let mut plan = stage.plan();
    plan.quotas = vec![Room::new(Limited::Vpcs, 1, Known::Counted { allowed: 5, used: 5, adjustable: true })];
    stage.notice(Notice::Planned(std::sync::Arc::new(plan)));
    stage.press(&["G"]);
    assert!(stage.screen(80, 24).contains("SHORT of 1 quota: Home"), "{}", stage.screen(80, 24));
    stage.press(&["Home"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("The account is short of 1 thing") && screen.contains("L-F678F1CE"), "{screen}");
}

#[test]
fn paging_passes_no_row_over_while_the_news_take_several() {
    for size in [(80, 24), (120, 40)] {
        let mut stage = Stage::answered();
        stage.screen(size.0, size.1);
        stage.press(&["n", "p"]);
        let like = stage.plan().entries[0].clone();
        let titles: Vec<String> = (0..100).map(|number| format!("Step number {number:03}")).collect();
        let entries = titles.iter().map(|title| PlanEntry { title: title.clone(), ..like.clone() }).collect();
        stage.notice(Notice::Planned(std::sync::Arc::new(Plan::new(entries))));
        stage.state.say(crate::ui::facts::Said::bad("bad news ".repeat(30)));
        let mut seen = vec![stage.screen(size.0, size.1)];
        for _ in 0..titles.len() {
            seen.push(stage.press(&["PgDn"]).screen(size.0, size.1));
        }
        let seen = seen.join("\n");
        let missing: Vec<&String> = titles.iter().filter(|title| !seen.contains(title.as_str())).collect();
        assert!(missing.is_empty(), "{size:?}: {missing:?}");
    }
}

#[test]
fn the_step_under_the_cursor_stays_there_when_more_steps_are_shown() {
    let mut stage = Stage::answered();
    stage.screen(80, 24);
    stage.press(&["n", "p"]);
    let like = stage.plan().entries[0].clone();
    let entry = |number: usize| PlanEntry {
        title: format!("Step number {number}"),
        step: super::stage::address(if number == 1 { "network/vpc" } else { "network/gateway" }),
        verdict: if number == 1 { crate::engagement::Verdict::Nothing } else { crate::engagement::Verdict::Change },
        ..like.clone()
    };
    stage.notice(Notice::Planned(std::sync::Arc::new(Plan::new(vec![entry(1), entry(2)]))));
    let under = |stage: &mut Stage| {
        let screen = stage.screen(80, 24);
        screen.lines().find(|line| line.starts_with("│>")).unwrap_or_default().to_owned()
    };
    stage.press(&["g"]);
    (0..20).for_each(|_| {
        if !under(&mut stage).contains("Step number 2") {
            stage.press(&["Down"]);
        }
    });
    for key in ["e", "b", "e", "b"] {
        let before = under(&mut stage);
        stage.press(&[key]);
        assert!(before.contains("Step number 2") && under(&mut stage).contains("Step number 2"), "{key}: {before}");
    }
}

const GATED: &str = "
runbook: one
title: One
phase: network
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: net.cidr, label: Range, kind: vpc-cidr}
steps:
  - {id: asks, title: Asks, form: [aws.account_id, net.cidr]}
  - {id: agreed, title: It is agreed, gate: true, manual: Agree.}
  - {id: vpc, title: The VPC, aws: vpc, with: {cidr: '{{ net.cidr }}', key: vpc/main}}
  - {id: gateway, title: The gateway, needs: [vpc], aws: internet-gateway, with: {vpc: vpc-1, key: igw/main}}
";

/// The word is typed, and nothing starts: whoever approves has to know why.
#[test]
fn an_approval_that_starts_nothing_yet_names_the_gate() {
    let mut stage = Stage::on(GATED);
    stage.press(&["p"]);
    stage.planned();
    let said = "nothing of it starts before \"It is agreed\"";
    for (width, height) in [(80, 24), (120, 40)] {
        let screen = stage.screen(width, height);
        assert!(screen.contains(said) && screen.contains("Approve") && screen.contains("Digest"), "{screen}");
    }
    stage.press(&["a"]);
    assert!(stage.screen(120, 40).contains(said), "{}", stage.screen(120, 40));
}

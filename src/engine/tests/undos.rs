//! Undoing: newest first, one at a time, and only what is ours.

use super::*;
use crate::engagement::{DoneHow, Intent, Outcome, Purpose, RepeatClass, TakeBack};

#[tokio::test]
async fn undoing_all_leaves_nothing_behind_and_everything_can_be_made_again() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    stage.assert_each_once(0).await;
    let events = stage.events();
    let undone: Vec<String> = events
        .iter()
        .filter_map(|event| if let Event::Undone { step, .. } = event { Some(step.to_string()) } else { None })
        .collect();
    assert_eq!(undone.last().unwrap(), "net/vpc");
    assert_eq!(undone.len(), 6);
    // Making it again is a new change: it has to be approved again, under new tokens.
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/vpc"), Status::Undone, "nothing comes back by itself");
    let plan = desk.plan().await;
    let vpc = plan.entries.iter().find(|entry| entry.step == at("net/vpc")).unwrap();
    assert!(!vpc.would_change() && vpc.said.contains("undone"), "nor does the plan say so: {vpc:?}");
    for step in ["vpc", "subnets[a]", "subnets[b]", "gateway", "address", "nat"] {
        desk.handle.command(Command::Reopen(at(&format!("net/{step}"))));
    }
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/vpc"), Status::NeedsApproval);
    desk.approve().await;
    desk.run(RunScope::All).await;
    stage.assert_each_once(6).await;
    desk.close().await;
}

#[tokio::test]
async fn what_hangs_on_an_undone_step_is_seen_and_signed_off_anew() {
    let proof = "  - id: proof\n    title: The way out is there\n    needs: [nat]\n    aws: account\n    with: {account: \"{{ aws.account_id }}\"}\n  - id: shown\n";
    let network = NETWORK.replace("  - id: shown\n", proof).replace("needs: [nat, subnets]", "needs: [proof, subnets]");
    let stage = Stage::new(&network, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.undo(&["net/nat"]).await;
    assert_eq!(desk.status("net/nat"), Status::Undone);
    for step in ["net/proof", "net/shown"] {
        assert!(matches!(desk.status(step), Status::Blocked(_)), "{step}: {:?}", desk.status(step));
        let because = Event::Reopened { step: at(step), undone: Some(at("net/nat")) };
        assert!(stage.events().contains(&because), "{step}");
    }
    assert!(matches!(desk.status("net/how"), Status::Done { .. }), "an answer stays");
    assert!(matches!(desk.status("net/caller"), Status::Done { .. }), "it does not hang on it");
    desk.close().await;

    let mut desk = stage.open().await;
    desk.handle.command(Command::Reopen(at("net/nat")));
    desk.run(RunScope::All).await;
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/proof"), Status::Done { .. }), "{:?}", desk.status("net/proof"));
    assert_eq!(desk.status("net/shown"), Status::SignOff);
    desk.close().await;
}

#[tokio::test]
async fn what_others_stand_on_is_not_undone() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.handle.send(Request::Undo(vec![at("net/vpc").into()]));
    assert!(desk.refusal().await.contains("still used by"));
    let refusal = {
        desk.handle.send(Request::Undo(vec![at("net/gateway").into()]));
        desk.refusal().await
    };
    assert!(refusal.contains("net/address") && refusal.contains("net/nat"), "all that use it are named: {refusal}");
    desk.handle.send(Request::Undo(vec![at("net/address").into()]));
    assert!(desk.refusal().await.contains("net/nat"));
    desk.undo(&["net/nat", "net/address"]).await;
    assert_eq!(desk.engagement.ledger().len(), 4);
    desk.close().await;
    stage.assert_each_once(4).await;
}

#[tokio::test]
async fn what_was_made_half_way_is_undone_too() {
    let stage = Stage::new(NETWORK, Faults::new(1, []).deny("ModifyVpcAttribute"));
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/vpc"), Status::Failed(_)), "{:?}", desk.status("net/vpc"));
    stage.assert_each_once(1).await;
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    stage.assert_each_once(0).await;
    desk.close().await;
}

#[tokio::test]
async fn what_is_refused_holds_what_it_stands_on_and_the_rest_goes() {
    let stage = Stage::new(NETWORK, Faults::new(1, []).deny("DeleteInternetGateway"));
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    let mut left: Vec<String> = desk.engagement.ledger().iter().map(|(step, _)| step.to_string()).collect();
    left.sort();
    assert_eq!(left, ["net/gateway", "net/vpc"]);
    assert!(matches!(desk.status("net/gateway"), Status::Failed(_)));
    assert!(matches!(desk.status("net/vpc"), Status::Done { .. }), "what it stands on is not touched");
    assert!(!stage.changes().contains(&"DeleteVpc".to_owned()));
    desk.close().await;
}

#[tokio::test]
async fn an_undo_whose_answers_are_lost_is_done_once_and_to_its_end() {
    for seed in 0..4 {
        let stage = Stage::new(NETWORK, Faults::new(seed, [Fault::LostReply]));
        stage.to_the_end().await;
        for _ in 0..12 {
            let mut desk = stage.open().await;
            desk.undo(&[]).await;
            let left = desk.engagement.ledger().len();
            desk.close().await;
            if left == 0 {
                break;
            }
        }
        assert_eq!(stage.engagement().ledger(), [], "seed {seed}");
        stage.assert_each_once(0).await;
    }
}

/// An undo that was sent, and then the state file was full.
async fn doubtful_undo() -> Stage {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    let full = refuse_events(&stage.file(), "concluded");
    desk.handle.send(Request::Undo(vec![at("net/nat").into()]));
    desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    assert!(matches!(stage.engagement().state(&at("net/nat")), State::InDoubt { .. }));
    stage
}

#[tokio::test]
async fn a_doubtful_undo_is_finished_by_the_next_run_and_nothing_is_made_again() {
    let stage = doubtful_undo().await;
    let mut desk = stage.open().await;
    desk.run(RunScope::All).await;
    assert_eq!(desk.status("net/nat"), Status::Undone);
    assert_eq!(stage.changes().iter().filter(|name| *name == "CreateNatGateway").count(), 1);
    desk.close().await;
    stage.assert_each_once(5).await;
}

#[tokio::test]
async fn a_doubtful_undo_is_finished_by_the_next_undo() {
    let stage = doubtful_undo().await;
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    desk.close().await;
    stage.assert_each_once(0).await;
}

#[tokio::test]
async fn what_may_have_been_made_is_looked_for_before_an_undo() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    let full = refuse_events(&stage.file(), "concluded");
    desk.handle.send(Request::Run(RunScope::All));
    desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    drop(full);
    stage.assert_each_once(1).await;
    let mut desk = stage.open().await;
    assert!(matches!(desk.status("net/vpc"), Status::InDoubt { .. }));
    assert_eq!(desk.engagement.ledger(), [], "the ledger does not know of it");
    // Whoever is asked is shown the very call, before anything is recorded or sent.
    let before = (stage.events().len(), stage.sent());
    let plan = desk.undo_plan().await;
    assert_eq!((stage.events().len(), stage.sent()), before, "looking changes nothing");
    let TakeBack::Send(changes) = &plan.entries[0].does else { panic!("{plan:?}") };
    assert!(plan.entries[0].doubt && plan.entries.len() == 1, "{plan:?}");
    let shown: Vec<String> = changes.iter().map(|change| change.operation.clone()).collect();
    assert_eq!(shown, ["DeleteVpc"]);
    assert!(changes[0].arguments["VpcId"].as_str().unwrap().starts_with("vpc-"), "{changes:?}");
    assert_eq!(plan.summary(), "1 change in 1 step");
    desk.undo(&[]).await;
    assert_eq!(desk.status("net/vpc"), Status::Undone);
    let calls = stage.account.cloud().calls().into_iter().filter(|call| call.mutating).map(|call| call.operation);
    assert_eq!(calls.skip(before.1).collect::<Vec<_>>(), shown, "and it is what was sent");
    stage.assert_each_once(0).await;
    desk.close().await;
}

#[tokio::test]
async fn what_is_not_seen_yet_is_not_called_absent_before_that_is_sure() {
    let stage = Stage::new(NETWORK, Faults::none());
    let desk = stage.open().await;
    desk.answer();
    desk.close().await;
    intended_and_never_sent(&stage, "net/vpc", RepeatClass::Token);
    let soon = At(stage.engagement().at.0 + 1_000);
    let mut desk = stage.open_with(Clock::stepping(soon, Duration::from_millis(1))).await;
    let plan = desk.undo_plan().await;
    let TakeBack::NotSeenYet { seconds, changes } = &plan.entries[0].does else { panic!("{plan:?}") };
    assert!(*seconds > 200, "the quiet time counts from when it can have been sent: {seconds}");
    assert_eq!(changes.iter().map(|change| change.operation.as_str()).collect::<Vec<_>>(), ["DeleteVpc"]);
    assert_eq!(plan.summary(), "up to 1 change in 1 step");
    desk.close().await;

    let mut desk = stage.open().await;
    let plan = desk.undo_plan().await;
    assert!(matches!(&plan.entries[0].does, TakeBack::NotMade { .. }), "a day later it is sure: {plan:?}");
    assert_eq!(plan.summary(), "0 changes in 1 step");
    assert_eq!(stage.sent(), 0);
    desk.close().await;
}

#[tokio::test]
async fn an_undo_that_was_cut_off_is_remembered_until_nothing_of_it_is_left_or_somebody_goes_forward() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    assert_eq!(desk.engagement.half_undone(), None);
    let full = refuse_events(&stage.file(), "undone");
    desk.handle.send(Request::Undo(Vec::new()));
    desk.hear("the state file is full", |notice| matches!(notice, Notice::Broken(_)).then_some(())).await;
    desk.close().await;
    full.execute_batch("DROP TRIGGER full").unwrap();
    drop(full);
    let engagement = stage.engagement();
    let (undo, left) = engagement.half_undone().expect("it is half done");
    assert!(undo.all);
    assert_eq!(left.len(), 6, "{left:?}");

    let mut desk = stage.open().await;
    desk.undo(&["net/nat", "net/address"]).await;
    assert_eq!(desk.engagement.half_undone(), None, "the last one that was asked for came to its end");
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.half_undone(), None);
    desk.close().await;

    // Whoever tries its steps again goes forward.
    let stage = Stage::new(NETWORK, Faults::new(1, []).deny("DeleteInternetGateway"));
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    assert!(desk.engagement.half_undone().is_some());
    desk.handle.command(Command::Reopen(at("net/gateway")));
    desk.event("the reopening", |event| matches!(event, Event::Reopened { .. }).then_some(())).await;
    assert_eq!(desk.engagement.half_undone(), None);
    desk.close().await;
}

/// A VPC that carries our tags, and nothing else of what was wanted: as a crash between two calls leaves it.
async fn half_made_vpc(stage: &Stage) -> String {
    use crate::aws::ec2::types::ResourceType;
    let marks = crate::engine::subject(&stage.engagement(), &at("net/vpc")).marks(&"0".repeat(32), 1);
    let tags = crate::aws::Stamp { marks: &marks, key: "vpc/main", name: "vpc/main" }.on(ResourceType::Vpc);
    let ec2 = Cloud::connect(stage.wiring()).await.unwrap().ec2().clone();
    let made = ec2.create_vpc().cidr_block("10.40.0.0/16").tag_specifications(tags).send().await.unwrap();
    made.vpc.unwrap().vpc_id.unwrap()
}

#[tokio::test]
async fn what_is_ours_and_half_made_is_adopted_by_its_tags_and_completed() {
    let stage = Stage::new(NETWORK, Faults::none());
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.close().await;
    intended_and_never_sent(&stage, "net/vpc", RepeatClass::Tag);
    let id = half_made_vpc(&stage).await;
    let mut desk = stage.open().await;
    let plan = desk.undo_plan().await;
    let TakeBack::Send(changes) = &plan.entries[0].does else { panic!("{plan:?}") };
    assert_eq!(changes[0].arguments["VpcId"], id.as_str(), "half of it is there, and goes");
    let sent = stage.sent();
    desk.handle.send(Request::Adopt { step: at("net/vpc"), id: None, reason: String::new() });
    desk.event("the adoption", |event| matches!(event, Event::Done { .. }).then_some(())).await;
    let calls = stage.account.cloud().calls().into_iter().filter(|call| call.mutating).map(|call| call.operation);
    let calls: Vec<String> = calls.skip(sent).collect();
    assert!(!calls.is_empty() && calls.iter().all(|call| call == "ModifyVpcAttribute"), "{calls:?}");
    let ledger = desk.engagement.ledger();
    assert_eq!(ledger[0].1.output["id"], id.as_str(), "it is ours, and can be taken back");
    desk.close().await;
    stage.assert_each_once(1).await;
}

#[tokio::test]
async fn an_adoption_that_nobody_approved_sends_nothing() {
    let stage = Stage::new(NETWORK, Faults::none());
    let desk = stage.open().await;
    desk.answer();
    desk.close().await;
    intended_and_never_sent(&stage, "net/vpc", RepeatClass::Tag);
    half_made_vpc(&stage).await;
    let mut desk = stage.open().await;
    let sent = stage.sent();
    desk.handle.send(Request::Adopt { step: at("net/vpc"), id: None, reason: String::new() });
    desk.event("that it is held", |event| matches!(event, Event::Held { .. }).then_some(())).await;
    assert_eq!(desk.status("net/vpc"), Status::NeedsApproval);
    assert_eq!(stage.sent(), sent);
    desk.close().await;
}

/// An intent is durable, and nothing of it was ever sent.
fn intended_and_never_sent(stage: &Stage, step: &str, class: RepeatClass) {
    let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
    let now = At(writer.engagement().at.0 + 1_000);
    let intent = Intent {
        attempt: 1,
        purpose: Purpose::Apply,
        generation: 0,
        token: "0".repeat(32),
        digest: "d".repeat(32),
        class,
        operations: vec!["CreateVpc".to_owned()],
        tags: BTreeMap::new(),
        deadline: None,
        before: BTreeMap::new(),
    };
    writer.intend(now, &"jane@desk".to_owned(), &at(step), intent).unwrap();
}

#[tokio::test]
async fn what_was_never_made_is_looked_for_until_that_is_sure_and_nothing_is_sent() {
    for class in [RepeatClass::Tag, RepeatClass::Token, RepeatClass::Natural] {
        let stage = Stage::new(NETWORK, Faults::none());
        let desk = stage.open().await;
        desk.answer();
        desk.close().await;
        intended_and_never_sent(&stage, "net/vpc", class);
        let mut desk = stage.open().await;
        assert!(matches!(desk.status("net/vpc"), Status::InDoubt { .. }));
        desk.undo(&[]).await;
        let events = stage.events();
        let not_made = |event: &Event| matches!(event, Event::Concluded { outcome: Outcome::NotMade { .. }, .. });
        assert_eq!(count(&events, not_made), 1, "{class:?}");
        assert_eq!(desk.status("net/vpc"), Status::Undone, "{class:?}");
        assert_eq!(stage.sent(), 0, "{class:?}: looking changes nothing");
        desk.approve().await;
        desk.run(RunScope::All).await;
        assert_eq!(desk.status("net/vpc"), Status::Undone, "{class:?}: who wanted it gone is not given it by a run");
        assert_eq!(stage.sent(), 0, "{class:?}");
        desk.close().await;
    }
}

/// A copy that knows nothing of it goes on: the laptop was lost, or the file was damaged and an older one is used.
#[tokio::test]
async fn what_this_engagement_made_is_its_own_also_where_nothing_here_tells_of_it() {
    let lost = Stage::new(NETWORK, Faults::none());
    lost.to_the_end().await;
    let stage = Stage { account: lost.account, ..Stage::new(NETWORK, Faults::none()) };
    let sent = stage.sent();
    stage.to_the_end().await;
    assert_eq!(stage.sent(), sent, "it is all there");
    let mut desk = stage.open().await;
    assert_eq!(desk.engagement.ledger().len(), 6);
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    desk.close().await;
    stage.assert_each_once(0).await;
}

#[tokio::test]
async fn a_doubt_that_cannot_be_looked_into_stays_one_and_ends_the_undo() {
    let stage = Stage::new(NETWORK, Faults::none());
    let desk = stage.open().await;
    desk.answer();
    desk.close().await;
    intended_and_never_sent(&stage, "net/vpc", RepeatClass::Tag);
    let stage =
        Stage { account: Account::new(ACCOUNT, REGION, Pace::Instant, Faults::none().deny("DescribeVpcs")), ..stage };
    let mut desk = stage.open().await;
    let plan = desk.undo_plan().await;
    assert!(matches!(&plan.entries[0].does, TakeBack::Unclear { .. }), "{plan:?}");
    assert_eq!(plan.unclear(), [&at("net/vpc")]);
    desk.undo(&[]).await;
    assert!(matches!(desk.status("net/vpc"), Status::InDoubt { .. }), "not to see it is not to know that it is gone");
    desk.run(RunScope::Only(at("net/vpc"))).await;
    assert!(matches!(desk.status("net/vpc"), Status::InDoubt { .. }));
    assert_eq!(stage.sent(), 0);
    desk.close().await;
}

#[tokio::test]
async fn what_hangs_on_something_goes_first_however_old_it_is() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    // The address is made again, after the gateway that needs it: undone by age it would go first, and be refused.
    desk.undo(&["net/nat"]).await;
    desk.handle.command(Command::Reopen(at("net/nat")));
    desk.approve().await;
    desk.run(RunScope::All).await;
    let plan = desk.undo_plan().await;
    let order: Vec<String> = plan.entries.iter().map(|entry| entry.step.to_string()).collect();
    let place = |step: &str| order.iter().position(|one| one == step).unwrap();
    for (user, used) in [("net/nat", "net/address"), ("net/nat", "net/subnets[a]"), ("net/gateway", "net/vpc")] {
        assert!(place(user) < place(used), "{order:?}");
    }
    assert_eq!(order.last().unwrap(), "net/vpc");
    let nat = &plan.entries[place("net/nat")];
    let TakeBack::Send(changes) = &nat.does else { panic!("{nat:?}") };
    assert_eq!(changes[0].operation, "DeleteNatGateway");
    assert!(changes[0].arguments["NatGatewayId"].as_str().unwrap().starts_with("nat-"), "the exact call");
    let inverse = desk.engagement.record(&at("net/nat")).unwrap().made.as_ref().unwrap().inverse.as_ref().unwrap();
    assert_eq!(&inverse.changes, changes, "and the same was written down when it was made");
    assert_eq!(stage.sent(), 11, "looking changes nothing");
    desk.close().await;
}

async fn a_vpc_of_theirs(ec2: &crate::aws::ec2::Client) -> String {
    let theirs = ec2.create_vpc().cidr_block("10.40.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    for on in [true, false] {
        let value = || crate::aws::ec2::types::AttributeBooleanValue::builder().value(true).build();
        let request = ec2.modify_vpc_attribute().vpc_id(&theirs);
        let request = if on { request.enable_dns_support(value()) } else { request.enable_dns_hostnames(value()) };
        request.send().await.unwrap();
    }
    theirs
}

/// AWS refuses to make one beside another that no look finds: a person says which one it is.
#[tokio::test]
async fn what_is_there_can_stand_for_a_step_that_failed() {
    let stage = Stage::new(NETWORK, Faults::none());
    let ec2 = Cloud::connect(stage.wiring()).await.unwrap().ec2().clone();
    let desk = stage.open().await;
    desk.answer();
    desk.close().await;
    let mut writer = Writer::open(&stage.folder(), &holder()).unwrap();
    let now = At(writer.engagement().at.0 + 1_000);
    let step = at("net/vpc");
    let failure = Failure::new("AWS refused it", "Use the one that is there");
    let events = [
        Event::AttemptStarted { step: step.clone(), attempt: 1 },
        Event::Failed { step: step.clone(), attempt: 1, failure },
    ];
    writer.append(now, &"jane@desk".to_owned(), events.to_vec()).unwrap();
    drop(writer);
    let theirs = a_vpc_of_theirs(&ec2).await;
    let mut desk = stage.open().await;
    assert!(matches!(desk.status("net/vpc"), Status::Failed(_)));
    let adopt =
        |reason: &str| Request::Adopt { step: step.clone(), id: Some(theirs.clone()), reason: reason.to_owned() };
    desk.handle.send(adopt(""));
    assert!(desk.refusal().await.contains("reason"));
    let other = ec2.create_vpc().cidr_block("10.99.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id;
    desk.handle.send(Request::Adopt { step: step.clone(), id: other, reason: "theirs".to_owned() });
    let refusal = desk.refusal().await;
    assert!(refusal.contains("10.40.0.0/16") && refusal.contains("10.99.0.0/16"), "what differs: {refusal}");
    desk.handle.send(adopt("the customer's own"));
    desk.event("the adoption", |event| matches!(event, Event::Done { .. }).then_some(())).await;
    assert!(matches!(desk.status("net/vpc"), Status::Done { how: DoneHow::AlreadySo, .. }));
    assert_eq!(desk.engagement.record(&step).unwrap().adopted.as_deref(), Some(theirs.as_str()));
    desk.close().await;
    stage.assert_each_once(0).await;
}

#[tokio::test]
async fn what_was_adopted_is_never_taken_away() {
    let stage = Stage::new(NETWORK, Faults::none());
    let ec2 = Cloud::connect(stage.wiring()).await.unwrap().ec2().clone();
    let theirs = a_vpc_of_theirs(&ec2).await;
    let mut desk = stage.open().await;
    desk.answer();
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(matches!(desk.status("net/vpc"), Status::Asked(_)), "{:?}", desk.status("net/vpc"));
    let adopt = |id: &str, reason: &str| Request::Adopt {
        step: at("net/vpc"),
        id: Some(id.to_owned()),
        reason: reason.to_owned(),
    };
    desk.handle.send(adopt(&theirs, ""));
    assert!(desk.refusal().await.contains("reason"));
    desk.handle.send(adopt("vpc-0123456789abcdef0", "the customer's own"));
    assert!(desk.refusal().await.contains("vpc-0123456789abcdef0"), "it must be there");
    desk.handle.send(adopt(&theirs, "the customer's own"));
    desk.event("the adoption", |event| matches!(event, Event::Done { .. }).then_some(())).await;
    assert!(matches!(desk.status("net/vpc"), Status::Done { how: DoneHow::AlreadySo, .. }));
    desk.approve().await;
    desk.run(RunScope::All).await;
    assert!(
        matches!(desk.status("net/nat"), Status::Done { .. }),
        "all else is built on it: {:?}",
        desk.status("net/nat")
    );
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), []);
    desk.close().await;
    stage.assert_each_once(0).await;
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    assert!(vpcs.vpcs().iter().any(|vpc| vpc.vpc_id() == Some(&theirs)), "it was there before");
    assert!(!stage.changes().contains(&"DeleteVpc".to_owned()));
}

#[tokio::test]
async fn what_blocks_an_undo_is_named() {
    let stage = Stage::new(NETWORK, Faults::none());
    stage.to_the_end().await;
    let ec2 = Cloud::connect(stage.wiring()).await.unwrap().ec2().clone();
    let vpcs = ec2.describe_vpcs().filters(crate::aws::filter("cidr", ["10.40.0.0/16"])).send().await.unwrap();
    let vpc = vpcs.vpcs()[0].vpc_id().unwrap();
    let subnet = ec2.create_subnet().vpc_id(vpc).cidr_block("10.40.99.0/24").send().await.unwrap();
    let theirs = subnet.subnet.unwrap().subnet_id.unwrap();
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    let left: Vec<String> = desk.engagement.ledger().iter().map(|(step, _)| step.to_string()).collect();
    assert_eq!(left, ["net/vpc"], "the ledger keeps what is left");
    let Status::Failed(failure) = desk.status("net/vpc") else { panic!("{:?}", desk.status("net/vpc")) };
    assert_eq!(failure.code.as_deref(), Some("DependencyViolation"));
    assert!(failure.meaning.contains(&theirs), "{failure:?}");
    let told = desk.heard.iter().any(|notice| {
        matches!(notice, Notice::Progress { step, now: Some(now) }
            if step == &at("net/vpc") && now.code.as_deref() == Some("DependencyViolation") && now.tries > 0)
    });
    assert!(told, "while it was tried again, it was said why it waits");
    ec2.delete_subnet().subnet_id(&theirs).send().await.unwrap();
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), [], "undone again, it goes on where it stopped");
    desk.close().await;
    stage.assert_each_once(0).await;
}

#[tokio::test]
async fn nothing_is_undone_while_something_runs_nor_run_while_something_is_undone() {
    let stage = Stage::new(NETWORK, Faults::new(1, [Fault::Slow]));
    stage.to_the_end().await;
    let mut desk = stage.open().await;
    desk.handle.send(Request::Undo(Vec::new()));
    desk.handle.send(Request::Run(RunScope::All));
    assert!(desk.refusal().await.contains("being undone"));
    desk.idle().await;
    assert_eq!(desk.engagement.ledger(), []);
    desk.handle.command(Command::Reopen(at("net/vpc")));
    desk.approve().await;
    desk.handle.send(Request::Run(RunScope::All));
    desk.handle.send(Request::Undo(Vec::new()));
    assert!(desk.refusal().await.contains("something is running"));
    desk.idle().await;
    desk.close().await;
}

//! Taking back as people do it: what is in doubt is looked for before anybody is asked, and what is half done is named.

use std::process::Stdio;

use serde_json::Value as Json;

use crate::crash::trap::Boundary;
use crate::crash::world::{ACCOUNT, Ground, REGION, World};
use crate::stage::{Answer, Stage};

const RUNBOOK: &str = "
runbook: own
title: Own
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: vpc
    title: The VPC
    needs: [where]
    aws: vpc
    with: {cidr: 10.40.0.0/16, key: vpc/main}
    saves: {id: net.vpc_id}
  - id: gateway
    title: The gateway
    aws: internet-gateway
    with: {vpc: \"{{ net.vpc_id }}\", key: igw/main}
    saves: {id: net.gateway_id}
";

/// CreateVpc, two times ModifyVpcAttribute, CreateInternetGateway, AttachInternetGateway: the last but one.
const GATEWAY_CREATED: u64 = 4;

struct Play {
    ground: Ground,
    world: World,
    stage: Stage,
}

impl Play {
    fn begun() -> Play {
        let ground = Ground::new();
        let world = ground.world(None);
        let stage = Stage::new().with_credentials();
        let file = stage.file("own.yaml", RUNBOOK);
        let new = ["new", "acme", "--runbook", file.to_str().unwrap(), "--account", ACCOUNT, "--region", REGION];
        stage.run(&new).expect(0);
        Play { ground, world, stage }
    }

    fn onramp(&self, arguments: &[&str]) -> Answer {
        let url = self.ground.endpoint();
        self.stage.run(&[arguments, &["--endpoint-url", url.as_str()]].concat())
    }

    /// Runs the program, which dies when this change was executed and before its answer is sent.
    fn dies(&self, arguments: &[&str], k: u64) {
        self.world.trap.set(Some((Boundary::CallDone, k)));
        let url = self.ground.endpoint();
        let arguments = [arguments, &["--endpoint-url", url.as_str()]].concat();
        let child = self.stage.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.world.trap.watch(Some(child.id()));
        let status = child.wait_with_output().unwrap().status;
        self.world.trap.watch(None);
        self.world.trap.set(None);
        assert_eq!(status.code(), None, "it was killed");
    }

    fn sent(&self) -> Vec<(String, usize)> {
        self.world.front.tally().into_iter().collect()
    }

    fn status(&self) -> Json {
        serde_json::from_str(&self.stage.run(&["status", "acme", "--format", "json"]).expect(0).out).unwrap()
    }
}

/// The gateway was created, and nobody was told.
fn in_doubt() -> Play {
    let play = Play::begun();
    play.dies(&["run", "acme", "--yes"], GATEWAY_CREATED);
    assert_eq!(play.status()["in_doubt"][0], "net/gateway");
    assert_eq!(play.sent().len(), 3, "{:?}", play.sent());
    play
}

#[test]
fn the_undo_of_a_doubt_shows_the_call_before_it_asks() {
    let play = in_doubt();
    let before = play.sent();
    for asked in
        [&["undo", "acme", "net/gateway"][..], &["undo", "acme", "--all"], &["settle", "acme", "net/gateway", "undo"]]
    {
        let answer = play.onramp(asked).expect(3);
        answer.says("in doubt: it was sent at the latest");
        answer.says("ec2:DeleteInternetGateway\n      InternetGatewayId: igw-");
        answer.says("nothing was undone");
    }
    assert_eq!(play.sent(), before);
    // Nobody answers: that is no absence, and nobody is asked to agree to anything.
    let deaf = ["undo", "acme", "--all", "--yes", "--endpoint-url", "http://127.0.0.1:9"];
    let answer = play.stage.run(&deaf).expect(1);
    answer.says("nobody can tell whether it was made");
    answer.says("nothing was undone: nobody can tell what became of net/gateway");
    assert_eq!(play.status()["in_doubt"][0], "net/gateway");
    play.onramp(&["undo", "acme", "net/gateway", "--yes"]).expect(0).says("undone net/gateway");
    assert_eq!(play.world.tagged().len(), 1, "{:?}", play.world.tagged());
}

#[test]
fn a_doubt_about_something_half_made_is_adopted_without_its_id() {
    let play = in_doubt();
    let offered = play.stage.run(&["settle", "acme", "net/gateway"]).expect(0);
    assert!(offered.out.contains("\ndone "), "no later step needs what it finds out: {}", offered.out);
    play.onramp(&["settle", "acme", "net/gateway", "adopt"])
        .expect(0)
        .says("net/gateway is settled: what is there was taken for it");
    let sent = play.sent();
    let times = |operation: &str| sent.iter().find(|(name, _)| name == operation).map(|(_, times)| *times);
    assert_eq!((times("CreateInternetGateway"), times("AttachInternetGateway")), (Some(1), Some(1)), "{sent:?}");
    play.onramp(&["undo", "acme", "--all", "--yes"]).expect(0);
    assert_eq!(play.world.tagged(), Vec::<String>::new());
}

#[test]
fn what_was_undone_comes_back_only_when_somebody_says_so() {
    let play = Play::begun();
    // What is approved for one step is approved for no other.
    let only = play.onramp(&["run", "acme", "--yes", "--only", "net/vpc"]).expect(3);
    assert!(only.err.contains("3 changes in 1 step.") && !only.err.contains("net/gateway  "), "{}", only.err);
    play.onramp(&["run", "acme"]).expect(3).says("the plan is not approved; nothing was changed");
    play.onramp(&["run", "acme", "--yes"]).expect(0);
    play.onramp(&["undo", "acme", "--all", "--yes"]).expect(0);
    assert_eq!(play.world.tagged(), Vec::<String>::new());
    play.onramp(&["run", "acme", "--yes"]).expect(3).says("run acme --redo makes all of them again");
    assert_eq!(play.world.tagged(), Vec::<String>::new());
    play.onramp(&["run", "acme", "--yes", "--only", "net/vpc"]).expect(3).says("1 step taken back, and stays so");
    assert_eq!(play.world.tagged().len(), 1);
    play.onramp(&["run", "acme", "--yes", "--redo"]).expect(0);
    assert_eq!(play.world.tagged().len(), 2);
}

#[test]
fn what_still_uses_a_step_goes_with_it_once_somebody_says_so() {
    let play = Play::begun();
    play.onramp(&["run", "acme", "--yes"]).expect(0);
    let used = play.onramp(&["undo", "acme", "net/vpc", "--yes"]).expect(2);
    used.says("net/vpc stays: it is still used by net/gateway");
    used.says("--with-users takes back what still uses it, too");
    assert_eq!(play.world.tagged().len(), 2);
    // It is shown, and asked for.
    play.onramp(&["undo", "acme", "net/vpc", "--with-users"]).expect(3).says("- net/gateway  The gateway");
    assert_eq!(play.world.tagged().len(), 2);
    play.onramp(&["undo", "acme", "net/vpc", "--with-users", "--yes"]).expect(0).says("undone net/vpc");
    assert_eq!(play.world.tagged(), Vec::<String>::new());
}

#[test]
fn an_undo_that_was_cut_off_is_named_with_what_goes_on_with_it() {
    let play = Play::begun();
    play.onramp(&["run", "acme", "--yes"]).expect(0);
    assert_eq!(play.status()["undo_left"], Json::Array(Vec::new()));
    // The first of its changes: the gateway is detached.
    play.dies(&["undo", "acme", "--all", "--yes"], 1);
    let said = play.stage.run(&["status", "acme"]).expect(0);
    said.says("An undo of everything");
    said.says("2 steps left (net/gateway and net/vpc)");
    said.says("undo acme --all goes on with it");
    play.stage.run(&["status"]).expect(0).says("undo half done: 2 steps left");
    play.onramp(&["undo", "acme", "--all", "--yes"]).expect(0);
    assert_eq!(play.status()["undo_left"], Json::Array(Vec::new()));
    assert_eq!(play.world.tagged(), Vec::<String>::new());
}

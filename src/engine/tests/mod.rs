//! The engine over the practice cloud and a real state file: nothing in between is pretended.

mod accounts;
mod along;
mod attempts;
mod broken;
mod corrections;
mod customers_vpc;
mod diagnoses;
mod diagnoses_lines;
mod diagnoses_mail;
mod diagnoses_names;
mod diagnoses_packages;
mod diagnoses_proxy;
mod diagnoses_time;
mod diagnoses_ways;
mod doubts;
mod fleet;
mod hosts;
mod letters;
mod matrix;
mod matrix_backups;
mod matrix_lines;
mod matrix_mail;
mod matrix_names;
mod matrix_resource;
mod matrix_vaults;
mod meddling;
mod output;
mod permissions;
mod plans;
mod quotas;
mod resume;
mod runs;
mod secrets;
mod stops;
mod there_before;
mod tokens;
mod undos;
mod updates;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Clock, Handle, Notice, PageAt, Request, Settings, Summary, start};
use crate::action::{Failure, Vault, Worlds};
use crate::aws::{Cloud, Wiring};
use crate::engagement::{
    Address, At, Command, Engagement, Event, Plan, Recorded, Row, RunScope, RunbookFile, State, Status, UndoPlan,
    board, fold,
};
use crate::input::{InputId, Setting, Value, parse};
use crate::journal::{Holder, Reader, Writer};
use crate::net::Net;
use crate::practice::{Account, Fault, Faults, Pace};
use crate::runbook::{Runbook, load};
use crate::ssh;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";

/// A network with every class of call that needs care, a form, a choice and a sign-off.
const NETWORK: &str = r#"
runbook: network
title: Network
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: net.vpc_cidr, label: Range, kind: vpc-cidr}
  - {id: net.mode, label: How, kind: choice, choices: [vpn, dx]}
  - {id: net.peer, label: Peer, kind: text, when: net.mode == "dx"}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - {id: plan, title: Plan, form: [net.vpc_cidr]}
  - {id: how, title: How, choice: net.mode}
  - {id: peer, title: Peer, when: net.mode == "dx", form: [net.peer]}
  - id: caller
    title: The account is right
    aws: account
    with: {account: "{{ aws.account_id }}"}
    saves: {arn: net.caller}
  - id: vpc
    title: The VPC
    needs: [caller, how]
    aws: vpc
    with: {cidr: "{{ net.vpc_cidr }}", key: vpc/main}
    saves: {id: net.vpc_id}
  - id: subnets
    title: Subnets
    for_each: "[{'key': 'a', 'cidr': '10.40.0.0/24'}, {'key': 'b', 'cidr': '10.40.1.0/24'}]"
    aws: subnet
    with: {vpc: "{{ net.vpc_id }}", cidr: "{{ item.cidr }}", zone: "{{ aws.region_primary }}{{ item.key }}", key: "subnet/{{ item.key }}"}
    saves: {id: net.subnet_ids}
  - id: gateway
    title: The gateway
    aws: internet-gateway
    with: {vpc: "{{ net.vpc_id }}", key: igw/main}
    saves: {id: net.gateway_id}
  - id: address
    title: An address
    needs: [gateway]
    aws: elastic-address
    with: {key: eip/nat}
    saves: {allocation: net.allocation}
  - id: nat
    title: The NAT gateway
    aws: nat-gateway
    with: {subnet: "{{ net.subnet_ids['a'] }}", allocation: "{{ net.allocation }}", key: nat/a}
    saves: {id: net.nat_id}
    within: 2m
  - id: shown
    title: The customer has seen it
    needs: [nat, subnets]
    manual: Show {{ net.vpc_cidr }}.
"#;

/// Every change that NETWORK makes, in no order.
const CHANGES: [&str; 9] = [
    "AllocateAddress",
    "AttachInternetGateway",
    "CreateInternetGateway",
    "CreateNatGateway",
    "CreateSubnet",
    "CreateSubnet",
    "CreateVpc",
    "ModifyVpcAttribute",
    "ModifyVpcAttribute",
];

/// What outlives the engine: the account, the state file, the runbook.
struct Stage {
    home: TempDir,
    account: Account,
    runbook: Arc<Runbook>,
    dial: Arc<dyn ssh::dial::Dial>,
    identity: Option<ssh::Identity>,
    net: Option<Arc<dyn Net>>,
    /// What AWS says otherwise than the practice cloud does.
    aws_says: meddling::Words,
}

impl Stage {
    fn new(yaml: &str, faults: Faults) -> Stage {
        Stage::paced(yaml, faults, Pace::Instant)
    }

    fn paced(yaml: &str, faults: Faults, pace: Pace) -> Stage {
        Stage::of(&[("network.yaml".to_owned(), yaml.to_owned())], faults, pace)
    }

    /// On a runbook of these files.
    fn of(files: &[(String, String)], faults: Faults, pace: Pace) -> Stage {
        let (runbook, problems) = load(files, &crate::action::catalog());
        let runbook = Arc::new(runbook.unwrap_or_else(|| panic!("{problems:#?}")));
        let home = TempDir::new().unwrap();
        let account = Account::new(ACCOUNT, REGION, pace, faults);
        let stage =
            Stage { home, account, runbook, dial: Arc::new(ssh::dial::Tcp), identity: None, net: None, aws_says: &[] };
        let mut writer = Writer::create(&stage.folder(), &holder()).unwrap();
        let began = Event::Began { name: "acme".to_owned(), id: "0123456789abcdef".to_owned(), practice: true };
        writer.append(At(1_000), &"jane@desk".to_owned(), vec![began]).unwrap();
        stage
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("acme")
    }

    fn file(&self) -> PathBuf {
        self.folder().join(crate::journal::FILE)
    }

    /// The engine, opened anew. Its clock stands on another day each time, and moves a minute with each look, so that
    /// quiet times are over after a few looks.
    async fn open(&self) -> Desk {
        let at = self.engagement().at.0;
        self.open_with(Clock::stepping(At(at + 86_400_000), Duration::from_secs(60))).await
    }

    async fn open_with(&self, clock: Clock) -> Desk {
        self.open_over(self.worlds().await, clock)
    }

    fn open_over(&self, worlds: Worlds, clock: Clock) -> Desk {
        let writer = Writer::open(&self.folder(), &holder()).unwrap();
        let (worlds, runbook) = (Arc::new(worlds), self.runbook.clone());
        let settings = Settings { writer, runbook, worlds, actor: "jane@desk".to_owned(), clock };
        Desk::new(start(settings).unwrap())
    }

    async fn worlds(&self) -> Worlds {
        self.worlds_over(Cloud::connect(self.wiring()).await.map_err(Failure::from), self.wiring())
    }

    fn worlds_over(&self, cloud: Result<Cloud, Failure>, wiring: Wiring) -> Worlds {
        let mut settings = ssh::Settings::new(self.dial.clone(), Vec::new(), None);
        settings.limits.connect = Duration::from_millis(500);
        let vault = Vault::for_tests(&self.folder(), None);
        let worlds = Worlds::new(cloud, ssh::Pool::new(settings)).with_wiring(wiring).with_vault(vault);
        let worlds = match &self.net {
            Some(net) => worlds.with_net(net.clone()),
            None => worlds,
        };
        match &self.identity {
            Some(identity) => worlds.with_identity(identity.clone()),
            None => worlds,
        }
    }

    fn wiring(&self) -> Wiring {
        let cloud = self.account.cloud();
        Wiring {
            region: REGION.to_owned(),
            http_client: Some(meddling::reworded(cloud, self.aws_says)),
            credentials: Some(cloud.credentials()),
            hurry: 100,
            ..Wiring::default()
        }
    }

    /// Takes this runbook for the engagement, as `onramp new` does.
    fn takes(&self, yaml: &str) {
        let files = vec![RunbookFile { path: "network.yaml".to_owned(), text: yaml.to_owned() }];
        let (id, digest) = (self.runbook.id.clone(), self.runbook.digest.clone());
        let (moved, outdated, unfit) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let taken = Event::RunbookTaken { id, digest, files, moved, outdated, unfit };
        let mut writer = Writer::open(&self.folder(), &holder()).unwrap();
        writer.append(At(1_001), &"jane@desk".to_owned(), vec![taken]).unwrap();
    }

    /// Names of the changes that AWS was sent and did not refuse, sorted.
    fn changes(&self) -> Vec<String> {
        let calls = self.account.cloud().calls();
        let mut made: Vec<String> =
            calls.into_iter().filter(|call| call.mutating && call.code.is_none()).map(|call| call.operation).collect();
        made.sort();
        made
    }

    /// How many changes AWS was sent, refused ones too.
    fn sent(&self) -> usize {
        self.account.cloud().calls().iter().filter(|call| call.mutating).count()
    }

    /// What is in the state file, read beside the engine.
    fn events(&self) -> Vec<Event> {
        Reader::open(&self.folder()).unwrap().since(0).unwrap().into_iter().map(|one| one.event).collect()
    }

    /// As a new process would find it.
    fn engagement(&self) -> Engagement {
        let mut engagement = Reader::open(&self.folder()).unwrap().engagement().unwrap();
        engagement.interrupt();
        engagement
    }

    /// No object is there twice, and each of these is there.
    async fn assert_each_once(&self, count: usize) {
        let objects = self.account.cloud().objects().await;
        let doubles = self.account.doubles().await;
        assert!(doubles.is_empty(), "{doubles:?}");
        assert_eq!(objects.len(), count, "{objects:#?}");
    }

    /// Runs to the end, answering, approving and signing as a patient person would, over as many runs as it takes.
    async fn to_the_end(&self) -> Engagement {
        for _ in 0..8 {
            let mut desk = self.open().await;
            desk.answer();
            desk.approve().await;
            desk.run(RunScope::All).await;
            desk.reopen_failed();
            if desk.status("net/shown") == Status::SignOff {
                desk.sign("net/shown").await;
            }
            let done = desk.board().tally.all_done();
            let engagement = desk.engagement.clone();
            desk.close().await;
            if done {
                return engagement;
            }
        }
        panic!("it never ends: {:#?}", rows(&self.engagement(), &self.runbook));
    }
}

fn holder() -> Holder {
    Holder { user: "jane".to_owned(), host: "desk".to_owned(), process: 1, since: "today".to_owned() }
}

fn at(step: &str) -> Address {
    step.parse().unwrap()
}

fn rows(engagement: &Engagement, runbook: &Runbook) -> Vec<String> {
    board(engagement, runbook).rows.iter().map(|row| format!("{} {:?}", row.address, row.status)).collect()
}

/// One who sits before the engine: the handle, what was heard, and what it adds up to.
struct Desk {
    handle: Handle,
    feed: Receiver<Notice>,
    engagement: Engagement,
    heard: Vec<Notice>,
    /// The edition of the runbook that was taken since.
    edition: Option<Arc<Runbook>>,
}

impl Desk {
    fn new(handle: Handle) -> Desk {
        let feed = handle.subscribe();
        let engagement = handle.engagement().as_ref().clone();
        Desk { handle, feed, engagement, heard: Vec::new(), edition: None }
    }

    /// The next notice that `wanted` picks; what comes before it is folded and remembered.
    async fn hear<T>(&mut self, what: &str, wanted: impl Fn(&Notice) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            match self.feed.try_recv() {
                Ok(notice) => {
                    if let Notice::Recorded(recorded) = &notice {
                        assert_eq!(recorded.seq, self.engagement.seq + 1, "each event once, in order");
                        fold(&mut self.engagement, recorded);
                    }
                    let found = wanted(&notice);
                    self.heard.push(notice);
                    if let Some(found) = found {
                        return found;
                    }
                }
                Err(TryRecvError::Empty) if began.elapsed() < Duration::from_secs(60) => {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Err(error) => {
                    let rows = rows(&self.engagement, self.handle.runbook());
                    panic!("waiting for {what}: {error}; {rows:#?}; last: {:#?}", self.heard.last());
                }
            }
        }
    }

    async fn event<T>(&mut self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let of = |notice: &Notice| match notice {
            Notice::Recorded(Recorded { event, .. }) => wanted(event),
            _ => None,
        };
        self.hear(what, of).await
    }

    fn value(&self, id: &str, text: &str) -> (InputId, Value) {
        let id: InputId = id.parse().unwrap();
        let field = &self.handle.runbook().fields[&id];
        let value = parse(&field.kind, text, &Setting { practice: true, now: None })
            .unwrap_or_else(|refusal| panic!("{refusal}"));
        (id, value)
    }

    fn give(&self, id: &str, text: &str) {
        self.handle.command(Command::GiveInputs(vec![self.value(id, text)]));
    }

    /// Everything that NETWORK asks.
    fn answer(&self) {
        let answers = [
            ("aws.account_id", ACCOUNT),
            ("aws.region_primary", REGION),
            ("net.vpc_cidr", "10.40.0.0/16"),
            ("net.mode", "vpn"),
        ];
        let given = answers.iter().map(|(id, text)| self.value(id, text)).collect();
        self.handle.command(Command::GiveInputs(given));
    }

    async fn plan(&mut self) -> Arc<Plan> {
        self.handle.send(Request::Plan);
        self.planned().await
    }

    async fn rehearse(&mut self) -> Arc<Plan> {
        self.handle.send(Request::Rehearse);
        self.planned().await
    }

    async fn planned(&mut self) -> Arc<Plan> {
        let planned = |notice: &Notice| match notice {
            Notice::Planned(plan) => Some(plan.clone()),
            _ => None,
        };
        self.hear("the plan", planned).await
    }

    async fn approve(&mut self) -> Arc<Plan> {
        let plan = self.plan().await;
        self.handle.command(Command::Approve { digest: plan.digest.clone(), steps: plan.approval() });
        plan
    }

    async fn run(&mut self, scope: RunScope) -> Summary {
        self.handle.send(Request::Run(scope));
        self.idle().await
    }

    async fn idle(&mut self) -> Summary {
        let idle = |notice: &Notice| match notice {
            Notice::Idle(summary) => Some(summary.clone()),
            _ => None,
        };
        self.hear("the end of the run", idle).await
    }

    async fn undo_plan(&mut self) -> Arc<UndoPlan> {
        self.undo_plan_of(&[]).await
    }

    async fn undo_plan_of(&mut self, steps: &[&str]) -> Arc<UndoPlan> {
        self.handle.send(Request::UndoPlan(steps.iter().map(|step| step.parse().unwrap()).collect()));
        let planned = |notice: &Notice| match notice {
            Notice::UndoPlanned(_, plan) => Some(plan.clone()),
            _ => None,
        };
        self.hear("the undo plan", planned).await
    }

    async fn undo(&mut self, steps: &[&str]) -> Summary {
        self.handle.send(Request::Undo(steps.iter().map(|step| step.parse().unwrap()).collect()));
        self.idle().await
    }

    async fn refusal(&mut self) -> String {
        let refused = |notice: &Notice| match notice {
            Notice::Refused(refusal) | Notice::Undiagnosed(_, refusal) => Some(refusal.to_string()),
            _ => None,
        };
        self.hear("a refusal", refused).await
    }

    async fn sign(&mut self, step: &str) {
        self.handle.command(Command::SignOff { step: at(step), note: "seen".to_owned() });
        let step = at(step);
        self.event("the signature", |event| {
            matches!(event, Event::Done { step: done, .. } if done == &step).then_some(())
        })
        .await;
    }

    fn reopen_failed(&self) {
        let board = self.board();
        for row in board.rows.into_iter().filter(|row| matches!(row.status, Status::Failed(_))) {
            self.handle.command(Command::Reopen(row.address));
        }
    }

    fn board(&self) -> crate::engagement::Board {
        board(&self.engagement, self.edition.as_ref().unwrap_or(self.handle.runbook()))
    }

    fn row(&self, step: &str) -> Row {
        let board = self.board();
        board.row(&at(step)).unwrap_or_else(|| panic!("no {step} in {board:#?}")).clone()
    }

    fn status(&self, step: &str) -> Status {
        self.row(step).status
    }

    /// Waits until the engine has let go of everything.
    async fn close(mut self) {
        self.handle.send(Request::Close);
        self.hear("the end", |notice| matches!(notice, Notice::Closed).then_some(())).await;
    }
}

fn count(events: &[Event], wanted: impl Fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| wanted(event)).count()
}

/// Attempts by step.
fn attempts(events: &[Event]) -> BTreeMap<String, usize> {
    let mut attempts = BTreeMap::new();
    for event in events {
        if let Event::AttemptStarted { step, .. } = event {
            *attempts.entry(step.to_string()).or_default() += 1;
        }
    }
    attempts
}

/// Makes the state file refuse events of one kind from now on, as a full disk would at that moment.
fn refuse_events(file: &Path, kind: &str) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    let trigger = format!(
        "CREATE TRIGGER full BEFORE INSERT ON events WHEN json_extract(NEW.body, '$.event') = '{kind}'
         BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END;"
    );
    connection.execute_batch(&trigger).unwrap();
    connection
}

//! An engagement from outside: commands in, events folded, the board read.

mod approvals;
mod boards;
mod commands;
mod fold_life;
mod hosts;
mod inputs_behind;
mod properties;
mod recovery;
mod scopes;
mod updates;
mod waits;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    Address, At, Board, Command, DoneHow, Engagement, Event, Evidence, Failure, Intent, Kept, Outcome, Plan, PlanEntry,
    Purpose, Recorded, Refusal, RepeatClass, ScopeMode, Status, Verdict, board, call, decide, expand, fold, loosened,
    scope,
};
use crate::input::{InputId, Setting, parse};
use crate::runbook::{ArgSpec, Catalog, KindSpec, Runbook, load};

/// Forms, a choice, two branches, repeated steps, a wait and a sign-off: small, and everything the room knows about.
const SMALL: &str = r#"
runbook: small
title: Small
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
  - {id: net.vpc_cidr, label: Range, kind: vpc-cidr}
  - {id: net.zones, label: Zones, kind: zones}
  - {id: net.mode, label: How, kind: choice, choices: [vpn, dx]}
  - {id: net.peer, label: Peer, kind: text, when: net.mode == "vpn"}
  - {id: net.note, label: Note, kind: text, optional: true}
  - {id: net.public, label: Public, kind: text, optional: true}
hosts:
  - {name: bastion, address: "{{ net.public }}", user: ops}
  - {name: app, address: 10.0.0.9, user: ops, via: bastion}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary, net.zones]}
  - {id: plan, title: Plan, form: [net.vpc_cidr, net.note, net.public]}
  - {id: how, title: How, choice: net.mode}
  - {id: peer, title: Peer, when: net.mode == "vpn", form: [net.peer]}
  - id: caller
    title: The account is right
    aws: account
    with: {account: "{{ aws.account_id }}"}
    saves: {arn: net.caller}
  - id: vpc
    title: The VPC
    needs: [caller]
    aws: vpc
    with: {cidr: "{{ net.vpc_cidr }}", key: vpc/main}
    saves: {id: net.vpc_id}
  - id: subnets
    title: Subnets
    for_each: net.zones
    aws: subnet
    with: {vpc: "{{ net.vpc_id }}", cidr: "{{ net.vpc_cidr }}", key: "subnet/{{ item }}"}
    saves: {id: net.subnet_ids}
  - id: tunnel
    title: The tunnel is up
    when: net.mode == "vpn"
    needs: [vpc]
    waits_on: customer
    ask: Please load the configuration on {{ net.peer }}.
    probe: tcp
    with: {host: "{{ net.peer }}", port: 179}
  - id: line
    title: The line
    when: net.mode == "dx"
    needs: [vpc]
    manual: Order the line for {{ net.vpc_cidr }}.
  - id: port
    title: The port
    host: app
    needs: [subnets]
    shell: {check: "true", run: "echo {{ net.vpc_cidr }}", undo: "true"}
  - id: shown
    title: The customer has seen it
    needs: [port]
    manual: Show {{ net.vpc_cidr }}.
"#;

fn catalog() -> Catalog {
    let kind = |name: &'static str, args: &[&'static str], results: &[&'static str], mutates: bool| KindSpec {
        name,
        summary: "for tests",
        args: args
            .iter()
            .map(|name| ArgSpec {
                name,
                required: false,
                secret: false,
                script: false,
                once: false,
                by_hand: false,
                summary: "see the manual",
            })
            .collect(),
        results: results.iter().map(|name| crate::runbook::ResultSpec { name, summary: "" }).collect(),
        mutates,
        has_undo: mutates,
        undo_reason: None,
    };
    let kinds = [
        kind("aws/account", &["account"], &["arn"], false),
        kind("aws/vpc", &["cidr", "key"], &["id"], true),
        kind("aws/subnet", &["vpc", "cidr", "key"], &["id"], true),
        kind("probe/tcp", &["host", "port"], &[], false),
    ];
    let kinds = kinds.into_iter().map(|kind| (kind.name.to_owned(), kind)).collect();
    Catalog { kinds, ..Catalog::default() }
}

fn runbook(yaml: &str) -> Runbook {
    let (runbook, problems) = load(&[("small.yaml".to_owned(), yaml.to_owned())], &catalog());
    runbook.unwrap_or_else(|| panic!("{problems:#?}"))
}

/// An engagement under way; one second passes with every event.
struct Walk {
    engagement: Engagement,
    runbook: Runbook,
}

impl Walk {
    fn new() -> Walk {
        let mut walk = Walk { engagement: Engagement::default(), runbook: runbook(SMALL) };
        walk.happens([Event::Began { name: "acme".to_owned(), id: "0123456789abcdef".to_owned(), practice: false }]);
        walk
    }

    /// All that is asked is given, by way of the VPN; forms are closed as the engine does it.
    fn filled() -> Walk {
        let mut walk = Walk::new();
        for (id, text) in [
            ("aws.account_id", "111122223333"),
            ("aws.region_primary", "eu-west-1"),
            ("net.zones", "eu-west-1a, eu-west-1b"),
            ("net.vpc_cidr", "10.40.0.0/16"),
            ("net.mode", "vpn"),
            ("net.peer", "198.51.100.7"),
        ] {
            walk.gives(id, text).unwrap();
        }
        for form in ["net/where", "net/plan", "net/how", "net/peer"] {
            walk.happens([done(form, DoneHow::Given)]);
        }
        walk
    }

    /// Everything up to the subnets was made by us.
    fn made() -> Walk {
        let mut walk = Walk::filled();
        walk.happens([done_keeping("net/caller", "net.caller", json!("arn:aws:iam::111122223333:role/x"))]);
        walk.makes("net/vpc", "net.vpc_id", "vpc-1");
        walk
    }

    fn happens(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            let (seq, at) = (self.engagement.seq + 1, At(self.engagement.at.0 + 1000));
            fold(&mut self.engagement, &Recorded { seq, at, actor: "jane@desk".to_owned(), event });
        }
    }

    fn wishes(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        let events = decide(&self.engagement, &self.runbook, &command)?;
        self.happens(events.clone());
        Ok(events)
    }

    fn gives(&mut self, id: &str, text: &str) -> Result<Vec<Event>, Refusal> {
        let (id, value) = self.value(id, text);
        self.wishes(Command::GiveInputs(vec![(id, value)]))
    }

    fn value(&self, id: &str, text: &str) -> (InputId, crate::input::Value) {
        let (id, field) = self.runbook.fields.iter().find(|(known, _)| known.as_str() == id).unwrap();
        let setting = Setting { practice: true, now: None };
        (id.clone(), parse(&field.kind, text, &setting).unwrap_or_else(|refusal| panic!("{id}: {refusal}")))
    }

    /// A whole attempt that changes something.
    fn makes(&mut self, step: &str, keeps: &str, id: &str) {
        self.happens([started(step, 1), intended(step, 1), changed(step, 1, id), done_keeping(step, keeps, json!(id))]);
    }

    fn board(&self) -> Board {
        board(&self.engagement, &self.runbook)
    }

    fn status(&self, step: &str) -> Status {
        let board = self.board();
        let row = board.row(&at(step));
        row.unwrap_or_else(|| panic!("no {step} among {:?}", rows(&board))).status.clone()
    }

    /// The plan as it is when no probe was asked: every change in it.
    fn plan(&self) -> Plan {
        let values = scope(&self.engagement, &self.runbook, ScopeMode::Plan);
        let mut entries = Vec::new();
        for step in self.runbook.steps().filter(|step| step.touches_world()) {
            for item in expand(step, &values).unwrap() {
                let call = call(step, item.as_ref(), &values).unwrap();
                entries.push(PlanEntry {
                    prices: Vec::new(),
                    step: Address::new(step.id.clone(), item.map(|item| item.key)),
                    title: step.title.clone(),
                    verdict: Verdict::Change,
                    said: String::new(),
                    finding: None,
                    changes: vec![super::Change::new("ec2", "CreateThing", Json::Null)],
                    digest: super::bound(&call, &values),
                    cost: None,
                    breaks: None,
                    undo: None,
                    asks: None,
                    rehearsals: Vec::new(),
                });
            }
        }
        Plan::new(entries)
    }

    fn approve(&self) -> Command {
        let plan = self.plan();
        Command::Approve { digest: plan.digest.clone(), steps: plan.approval() }
    }

    fn covers(&self, step: &str) -> bool {
        let values = scope(&self.engagement, &self.runbook, ScopeMode::Plan);
        let digest = super::plan_digest(&self.runbook, &at(step), &values).unwrap();
        self.engagement.covers(&at(step), &digest)
    }
}

fn at(step: &str) -> Address {
    step.parse().unwrap()
}

fn rows(board: &Board) -> Vec<String> {
    board.rows.iter().map(|row| format!("{} {}", row.address, row.status.word())).collect()
}

fn started(step: &str, attempt: u32) -> Event {
    Event::AttemptStarted { step: at(step), attempt }
}

fn intent(attempt: u32, purpose: Purpose) -> Intent {
    Intent {
        attempt,
        purpose,
        generation: 0,
        token: "t".repeat(32),
        digest: "d".repeat(32),
        class: RepeatClass::Tag,
        operations: vec!["CreateThing".to_owned()],
        tags: BTreeMap::new(),
        deadline: None,
        before: BTreeMap::new(),
    }
}

fn intended(step: &str, attempt: u32) -> Event {
    Event::Intended { step: at(step), intent: intent(attempt, Purpose::Apply) }
}

fn concluded(step: &str, attempt: u32, outcome: Outcome) -> Event {
    Event::Concluded { step: at(step), attempt, purpose: Purpose::Apply, outcome }
}

fn changed(step: &str, attempt: u32, id: &str) -> Event {
    let outcome = Outcome::Changed {
        said: format!("made {id}"),
        created: true,
        operations: vec!["CreateThing".to_owned()],
        output: BTreeMap::from([("id".to_owned(), json!(id))]),
    };
    concluded(step, attempt, outcome)
}

fn failed(step: &str, attempt: u32) -> Event {
    Event::Failed { step: at(step), attempt, failure: Failure::new("it does not work", "try again") }
}

fn stopped(step: &str, attempt: u32) -> Event {
    Event::Stopped { step: at(step), attempt, why: "the plug was pulled".to_owned() }
}

fn undone(step: &str, attempt: u32) -> Event {
    Event::Undone { step: at(step), attempt, evidence: Evidence::said("gone"), stays: false }
}

fn done(step: &str, how: DoneHow) -> Event {
    Event::Done { step: at(step), attempt: 0, how, evidence: Evidence::said("so"), kept: Vec::new() }
}

fn done_keeping(step: &str, name: &str, value: Json) -> Event {
    let kept = vec![Kept { name: name.to_owned(), key: at(step).key, value: value.clone() }];
    let evidence = Evidence { said: "so".to_owned(), facts: BTreeMap::from([("id".to_owned(), value)]) };
    Event::Done { step: at(step), attempt: 1, how: DoneHow::Applied, evidence, kept }
}

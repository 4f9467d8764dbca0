//! An engagement on a small runbook, a person who presses keys, and a stand-in for the engine that decides and folds.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::engagement::{
    Address, At, Change, Command, DoneHow, Engagement, Event as Fact, Evidence, MissingSecret, Outcome, Plan,
    PlanEntry, Purpose, Recorded, Status, Verdict, decide, fold,
};
use crate::engine::{AheadOf, Notice, Request};
use crate::runbook::Runbook;
use crate::ui::effect::Effect;
use crate::ui::event::Event;
use crate::ui::facts::{EngagementCard, Facts, Opened};
use crate::ui::look::{Depth, Look};
use crate::ui::state::{State, update};
use crate::ui::{draw, keys};

/// 2026-11-23T14:02:00Z.
pub const NOW: At = At(1_795_442_520_000);

const FILES: [(&str, &str); 5] = [
    ("runbook.yaml", include_str!("runbook/runbook.yaml")),
    ("steps-start.yaml", include_str!("runbook/steps-start.yaml")),
    ("steps-network.yaml", include_str!("runbook/steps-network.yaml")),
    ("steps-end.yaml", include_str!("runbook/steps-end.yaml")),
    ("inputs.yaml", include_str!("runbook/inputs.yaml")),
];

/// The runbook of these tests.
pub fn runbook() -> Arc<Runbook> {
    load(&FILES)
}

/// The runbook of these tests with one edit.
pub fn edition(from: &str, to: &str) -> Arc<Runbook> {
    let files = FILES.map(|(path, text)| (path, text.replace(from, to)));
    load(&files.each_ref().map(|(path, text)| (*path, text.as_str())))
}

fn load(files: &[(&str, &str)]) -> Arc<Runbook> {
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let (runbook, problems) = crate::runbook::load(&files, &crate::action::catalog());
    assert!(runbook.is_some(), "{problems:?}");
    Arc::new(runbook.unwrap())
}

/// One person at one terminal.
pub struct Stage {
    pub state: State,
    pub effects: Vec<Effect>,
    /// What the engine does not find when it looks for secrets, until a person says it.
    pub missing: Vec<MissingSecret>,
    seq: u64,
}

impl Stage {
    /// The list of engagements, with three in it.
    pub fn home() -> Self {
        Stage::with(Look::named("dark", Depth::True, false).unwrap(), false)
    }

    pub fn with(look: Look, practice: bool) -> Self {
        let mut facts = Facts::new(look, practice, "acme".to_owned(), 0);
        facts.now = NOW;
        facts.cards = cards();
        Stage { state: State::new(facts), effects: Vec::new(), missing: Vec::new(), seq: 0 }
    }

    /// An engagement that has just begun.
    pub fn open() -> Self {
        let mut stage = Stage::home();
        stage.enter(false);
        stage
    }

    pub fn practice() -> Self {
        let mut stage = Stage::with(Look::named("dark", Depth::True, false).unwrap(), true);
        stage.enter(true);
        stage
    }

    /// An engagement on a runbook of one file.
    pub fn on(yaml: &str) -> Self {
        let mut stage = Stage::home();
        stage.enter_on(load(&[("one.yaml", yaml)]), false);
        stage
    }

    pub fn enter(&mut self, practice: bool) {
        self.enter_on(runbook(), practice);
    }

    fn enter_on(&mut self, runbook: Arc<Runbook>, practice: bool) {
        let mut engagement = Engagement::default();
        let began = Fact::Began { name: "acme-prod".to_owned(), id: "00c0ffee".to_owned(), practice };
        self.seq += 1;
        fold(&mut engagement, &Recorded { seq: self.seq, at: NOW, actor: "mk@laptop".to_owned(), event: began });
        self.state.enter(Opened::new(runbook, engagement));
    }

    /// All answers given, the plan not made yet.
    pub fn answered() -> Self {
        let mut stage = Stage::open();
        for (id, text) in [
            ("eng.customer_name", "Acme Insurance PLC"),
            ("eng.customer_slug", "acme"),
            ("aws.account_id", "012345678901"),
            ("aws.region_primary", "eu-west-1"),
            ("net.vpc_cidr", "10.40.0.0/16"),
            ("net.nat_mode", "none"),
        ] {
            stage.give(id, text);
        }
        stage
    }

    pub fn give(&mut self, id: &str, text: &str) {
        let id: crate::input::InputId = id.parse().unwrap();
        let kind = runbook().fields[&id].kind.clone();
        let value = crate::input::parse(&kind, text, &crate::input::Setting::default()).unwrap();
        self.engine(Request::Command(Command::GiveInputs(vec![(id, value)])));
    }

    /// The engine kept the secret of the VPN's first tunnel there.
    pub fn give_reference(&mut self, reference: &str) {
        let value = crate::input::Value::Secret(reference.parse().unwrap());
        self.engine(Request::Command(Command::GiveInputs(vec![("vpn.t1_psk".parse().unwrap(), value)])));
    }

    /// Something happened in the engine.
    pub fn fact(&mut self, event: Fact) {
        self.seq += 1;
        let recorded = Recorded { seq: self.seq, at: NOW, actor: "mk@laptop".to_owned(), event };
        self.notice(Notice::Recorded(recorded));
    }

    /// A step makes a VPC, and is done.
    pub fn makes_a_vpc(&mut self, step: &Address) {
        let outcome = Outcome::Changed {
            said: "made vpc-0a1b".to_owned(),
            created: true,
            operations: vec!["CreateVpc".to_owned()],
            output: Default::default(),
        };
        self.fact(Fact::Concluded { step: step.clone(), attempt: 1, purpose: Purpose::Apply, outcome });
        let evidence = Evidence::said("vpc-0a1b is available");
        self.fact(Fact::Done { step: step.clone(), attempt: 1, how: DoneHow::Applied, evidence, kept: Vec::new() });
    }

    pub fn notice(&mut self, notice: Notice) {
        let effects = update(&mut self.state, Event::Notice(notice));
        self.keep(effects);
    }

    /// Presses keys by name: `Enter`, `Ctrl-C`, `p`.
    pub fn press(&mut self, names: &[&str]) -> &mut Self {
        for name in names {
            let key = keys::event(name).expect(name);
            let effects = update(&mut self.state, Event::Key(key));
            self.keep(effects);
        }
        self
    }

    /// Types text, letter by letter.
    pub fn write(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            self.press(&[if letter == ' ' { "Space".to_owned() } else { letter.to_string() }.as_str()]);
        }
        self
    }

    pub fn paste(&mut self, text: &str) -> &mut Self {
        let effects = update(&mut self.state, Event::Paste(text.to_owned()));
        self.keep(effects);
        self
    }

    fn keep(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(request @ Request::Command(_)) => self.engine(request),
                Effect::Send(Request::SeekSecrets(scope)) => match std::mem::take(&mut self.missing) {
                    missing if missing.is_empty() => self.notice(Notice::SecretsAtHand),
                    missing => self.notice(Notice::NeedsSecrets { missing, ahead_of: AheadOf::Approval(scope) }),
                },
                other => self.effects.push(other),
            }
        }
    }

    /// What the engine does with a command: decides, records, and closes forms that are complete.
    fn engine(&mut self, request: Request) {
        if let Request::Command(command) = &request {
            let open = self.state.facts.open.as_ref().unwrap();
            match decide(&open.engagement, &open.runbook, command) {
                Ok(events) => events.into_iter().for_each(|event| self.fact(event)),
                Err(refusal) => self.notice(Notice::Refused(refusal)),
            }
            self.close_forms();
        }
        self.effects.push(Effect::Send(request));
    }

    fn close_forms(&mut self) {
        let open = self.state.facts.open.as_ref().unwrap();
        let complete = |address: &Address| open.step(address).is_some_and(|step| !step.asks().is_empty());
        let done: Vec<Address> = open
            .board
            .rows
            .iter()
            .filter(|row| row.status == Status::Ready && complete(&row.address))
            .map(|row| row.address.clone())
            .collect();
        for step in done {
            self.fact(Fact::Done {
                step,
                attempt: 0,
                how: crate::engagement::DoneHow::Given,
                evidence: Evidence::default(),
                kept: Vec::new(),
            });
        }
    }

    /// What was wished since the last look, as text.
    pub fn wished(&mut self) -> Vec<String> {
        std::mem::take(&mut self.effects).iter().map(|effect| format!("{effect:?}")).collect()
    }

    pub fn buffer(&mut self, width: u16, height: u16) -> Buffer {
        update(&mut self.state, Event::Resize(width, height));
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(&self.state, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The pane as text, without the blanks at line ends.
    pub fn screen(&mut self, width: u16, height: u16) -> String {
        text_of(&self.buffer(width, height))
    }

    /// A plan for the network steps.
    pub fn plan(&mut self) -> Plan {
        let entry = |step: &str, title: &str, operation: &str, cost: Option<&str>| PlanEntry {
            prices: Vec::new(),
            step: address(step),
            title: title.to_owned(),
            verdict: Verdict::Change,
            said: "nothing of ours is there".to_owned(),
            finding: None,
            changes: vec![Change::new("ec2", operation, serde_json::json!({"CidrBlock": "10.40.0.0/16"}))],
            digest: "d1".to_owned(),
            cost: cost.map(str::to_owned),
            breaks: None,
            undo: None,
            asks: None,
            rehearsals: Vec::new(),
        };
        Plan::new(vec![
            entry("network/vpc", "The VPC", "CreateVpc", None),
            entry("network/gateway", "The gateway", "CreateInternetGateway", Some("nothing by itself")),
        ])
    }

    pub fn planned(&mut self) {
        let plan = Arc::new(self.plan());
        self.notice(Notice::Planned(plan));
    }
}

/// A buffer's symbols, line by line.
pub fn text_of(buffer: &Buffer) -> String {
    let area = buffer.area;
    let line = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..area.height).map(line).collect::<Vec<_>>().join("\n")
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn cards() -> Vec<EngagementCard> {
    let tally = |total, done, person, failed, waiting| crate::engagement::Tally {
        total,
        done,
        person,
        failed,
        waiting,
        ..Default::default()
    };
    let card = |name: &str, customer: &str, next: &str, who: &str, tally, minutes: i64| EngagementCard {
        name: name.to_owned(),
        customer: customer.to_owned(),
        environment: "prod".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "012345678901".to_owned(),
        slug: String::new(),
        practice: false,
        next: next.to_owned(),
        waits_on: who.to_owned(),
        waits: Vec::new(),
        tally,
        held_by: None,
        last: Some(At(NOW.0 - minutes * 60_000)),
        trouble: None,
    };
    vec![
        card("acme-prod", "Acme Insurance PLC", "Address plan", "you", tally(31, 12, 2, 0, 0), 2),
        card("northwind-dr", "Northwind Freight", "Both tunnels are up", "customer", tally(41, 29, 0, 1, 2), 26),
        EngagementCard {
            held_by: Some("mkoch@desk".to_owned()),
            ..card("lund-prod", "Lund Retail", "all done", "nobody", tally(41, 41, 0, 0, 0), 60 * 24 * 9)
        },
    ]
}

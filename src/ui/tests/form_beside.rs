//! Forms beside what the form itself does not hold: the day it is, other engagements; and refusals that have to fit.

use super::stage::{NOW, Stage};
use crate::engagement::{At, Event};
use crate::input::Value;
use crate::ui::state::Place;

/// A drill and how it is done.
const DRILL: &str = r#"
runbook: drill
title: Drill
phase: drill
inputs:
  - {id: dr.drill_at, label: When is it drilled?, kind: moment, use: ahead}
  - id: dr.parts
    label: Parts
    kind: table
    columns:
      - {name: what, kind: text}
      - name: how
        kind: choice
        choices: [CHOICES]
steps:
  - {id: plan, title: The plan, form: [dr.drill_at, dr.parts]}
"#;

fn drill(choices: &str) -> Stage {
    let mut stage = Stage::on(&DRILL.replace("CHOICES", choices));
    stage.press(&["Enter"]);
    assert_eq!(stage.state.place, Place::Form);
    stage
}

fn given(stage: &Stage, id: &str) -> Option<String> {
    stage.state.facts.open.as_ref().unwrap().engagement.input(id).map(Value::shown)
}

/// What stands inside of the frame, without its line ends.
fn flat(screen: &str) -> String {
    screen.split([' ', '\n', '│']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn records(stage: &mut Stage, id: &str, text: &str) {
    stage.fact(Event::InputGiven { id: id.parse().unwrap(), value: Value::Text(text.to_owned()) });
}

#[test]
fn a_day_that_is_over_is_refused_while_it_is_typed_with_one_that_is_to_come() {
    let mut stage = drill("{value: copy, label: copy}");
    stage.write("2026-11-21T22:00+00:00");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("is over") && screen.contains("2026-11-28T22:00"), "{screen}");
    stage.press(&["Enter"]);
    assert_eq!(given(&stage, "dr.drill_at"), None);
    stage.press(&["Ctrl-U"]).write("2026-11-28T22:00Z").press(&["Enter"]);
    assert_eq!(given(&stage, "dr.drill_at").as_deref(), Some("2026-11-28T22:00Z"));
}

/// What was answered in time stands, and so does its form.
#[test]
fn an_answer_that_was_given_in_time_is_not_refused_because_time_went_by() {
    let mut stage = drill("{value: copy, label: copy}");
    records(&mut stage, "dr.drill_at", "2026-11-28T22:00Z");
    stage.state.facts.now = At(NOW.0 + 30 * 86_400_000);
    stage.press(&["Shift-Tab", "Tab", "Shift-Tab"]);
    let screen = stage.screen(80, 24);
    assert!(!screen.contains("is over") && screen.contains("✓ When is it drilled?"), "{screen}");
    stage.press(&["Backspace"]).write("Z").press(&["Enter"]);
    assert!(!stage.screen(80, 24).contains("is over"), "{}", stage.screen(80, 24));
    stage.press(&["Shift-Tab", "Ctrl-U"]).write("2026-11-29T22:00Z").press(&["Enter"]);
    assert!(stage.screen(80, 24).contains("is over"), "{}", stage.screen(80, 24));
    assert_eq!(given(&stage, "dr.drill_at").as_deref(), Some("2026-11-28T22:00Z"));
}

#[test]
fn of_many_choices_the_nearest_is_said_first_and_how_many_more_there_are() {
    let names: Vec<String> = (1..=40).map(|number| format!("way-of-copying-{number}")).collect();
    let choices: Vec<String> = names.iter().map(|name| format!("{{value: {name}, label: {name}}}")).collect();
    let mut stage = drill(&choices.join(", "));
    stage.press(&["Tab"]).write("database, way-of-copyin-33");
    let screen = stage.screen(80, 24);
    let flat = flat(&screen);
    assert!(flat.contains("none of the choices: take way-of-copying-33, way-of-copying-1, "), "{screen}");
    assert!(flat.contains(" more. For example: way-of-copying-33"), "{screen}");
    assert!(flat.contains("… and 3"), "{screen}");
    assert!(!screen.contains("way-of-copying-40"), "{screen}");
}

#[test]
fn of_few_choices_each_is_said() {
    let mut stage = drill("{value: copy, label: copy}, {value: replica, label: replica}, {value: none, label: none}");
    stage.press(&["Tab"]).write("database, replic");
    let flat = flat(&stage.screen(80, 24));
    assert!(flat.contains("take replica, copy or none"), "{flat}");
}

#[test]
fn a_short_name_that_another_customer_has_is_refused() {
    let ask = |customer: &str, slug: &str| {
        let mut stage = Stage::on(
            "runbook: small\ntitle: Small\nphase: one\ninputs:\n  - {id: eng.customer_name, label: Customer, kind: text}\n  \
             - {id: eng.customer_slug, label: Short name, kind: slug}\n\
             steps:\n  - {id: who, title: Who, form: [eng.customer_name, eng.customer_slug]}\n",
        );
        stage.state.facts.cards[1].slug = "freight".to_owned();
        stage.press(&["Enter"]);
        [customer, slug].into_iter().for_each(|text| {
            stage.write(text).press(&["Enter"]);
        });
        let said = flat(&stage.screen(80, 24));
        (given(&stage, "eng.customer_slug").is_some(), said)
    };
    let (taken, said) = ask("Freight of Lund", "freight");
    assert!(
        !taken && said.contains("short name in the engagement northwind-dr already, for Northwind Freight"),
        "{said}"
    );
    assert!(ask("Northwind Freight", "freight").0, "another environment of the same customer");
    assert!(ask("Freight of Lund", "freight-2").0);
}

/// A database and the password of its master user, whose length depends on it.
const DATABASE: &str = r#"
runbook: database
title: Database
phase: database
inputs:
  - id: env.db_engine
    label: Database
    kind: choice
    choices: [{value: mysql, label: MySQL}, {value: postgres, label: PostgreSQL}]
  - {id: env.db_master_password, label: Master password, kind: secret, use: database, min: 8, max: 128}
steps:
  - {id: plan, title: The plan, form: [env.db_master_password, env.db_engine]}
"#;

/// Its text is kept nowhere, so no rule looks at it once the form is left.
#[test]
fn a_master_password_is_as_long_as_its_database_takes_it() {
    let mut stage = Stage::on(DATABASE);
    stage.press(&["Enter"]);
    records(&mut stage, "env.db_engine", "mysql");
    stage.write(&"x".repeat(42));
    let screen = flat(&stage.screen(80, 24));
    assert!(screen.contains("it has 42 characters") && screen.contains("8 to 41"), "{screen}");
    stage.press(&["Enter"]);
    assert!(!stage.screen(80, 24).contains("Where is this secret to be kept?"));
    records(&mut stage, "env.db_engine", "postgres");
    stage.press(&["Enter"]);
    let screen = stage.screen(80, 24);
    assert!(screen.contains("Where is this secret to be kept?"), "{screen}");
}

/// A plan of addresses that moves as a whole: each new range is refused beside the other's old one.
#[test]
fn two_answers_that_only_fit_together_are_given_together() {
    let mut stage = Stage::on(
        "runbook: one\ntitle: One\nphase: net\ninputs:\n  - {id: net.vpc_cidr, label: VPC range, kind: vpc-cidr}\n  \
         - {id: net.onprem_cidrs, label: Ranges on premises, kind: cidr-list}\nsteps:\n  \
         - {id: ranges, title: Ranges, form: [net.vpc_cidr, net.onprem_cidrs]}\n",
    );
    let given = |stage: &Stage| {
        let open = stage.state.facts.open.as_ref().unwrap();
        ["net.vpc_cidr", "net.onprem_cidrs"].map(|id| open.engagement.input(id).map(Value::shown).unwrap_or_default())
    };
    stage.press(&["Enter"]).write("10.40.0.0/16").press(&["Enter"]).write("10.50.0.0/16").press(&["Tab"]);
    assert_eq!(given(&stage), ["10.40.0.0/16", "10.50.0.0/16"]);
    stage.state.board.jump(&super::stage::address("net/ranges"));
    if stage.state.place != Place::Form {
        stage.press(&["Enter"]);
    }
    stage.press(&["Shift-Tab", "Shift-Tab", "Ctrl-U"]).write("10.50.0.0/16").press(&["Tab"]);
    assert_eq!(given(&stage)[0], "10.40.0.0/16", "it overlaps what is on premises: {}", stage.screen(80, 24));
    stage.press(&["Ctrl-U"]).write("10.40.0.0/16");
    let screen = stage.screen(80, 24);
    assert_eq!(screen.matches("overlap").count(), 1, "what is typed fits to what stands beside it: {screen}");
    stage.press(&["Tab"]);
    assert_eq!(given(&stage), ["10.50.0.0/16", "10.40.0.0/16"], "{}", stage.screen(80, 24));
    assert!(!stage.screen(80, 24).contains("overlap"), "{}", stage.screen(80, 24));
}

/// What stands against both of them is said, and not that they do not fit to each other's old ones.
#[test]
fn what_two_answers_together_do_not_fit_is_named() {
    let mut stage = Stage::on(
        "runbook: one\ntitle: One\nphase: net\ninputs:\n  - {id: net.vpc_cidr, label: VPC range, kind: vpc-cidr}\n  \
         - {id: net.onprem_cidrs, label: Ranges on premises, kind: cidr-list}\n  \
         - {id: net.other_vpc_cidrs, label: Other VPCs, kind: cidr-list}\nsteps:\n  \
         - {id: others, title: Others, form: [net.other_vpc_cidrs]}\n  \
         - {id: ranges, title: Ranges, form: [net.vpc_cidr, net.onprem_cidrs]}\n",
    );
    let open = |stage: &mut Stage, step: &str| {
        stage.state.show(Place::Board);
        stage.state.board.jump(&super::stage::address(step));
        stage.press(&["Enter"]);
    };
    open(&mut stage, "net/others");
    stage.write("10.60.9.0/24").press(&["Tab"]);
    open(&mut stage, "net/ranges");
    stage.write("10.40.0.0/16").press(&["Enter"]).write("10.70.0.0/16").press(&["Tab"]);
    open(&mut stage, "net/ranges");
    stage.press(&["Ctrl-U"]).write("10.60.0.0/16").press(&["Tab", "Ctrl-U"]).write("10.40.0.0/16");
    let screen = stage.screen(80, 24).replace('\n', " ");
    assert!(!screen.contains("10.40.0.0/16 of \"VPC range\""), "the old range is given up: {screen}");
    assert!(screen.contains("10.60.9.0/24 of"), "the other VPC is in the way: {screen}");
}

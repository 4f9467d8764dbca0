//! An engagement that lasts weeks: others must move, and the runbook is edited meanwhile.

use serde_json::Value as Json;

use crate::stage::Stage;

/// Nobody listens on the port: the check of the door goes on saying "not yet".
const RUNBOOK: &str = "
runbook: door
title: Door
phase: net
inputs:
  - {id: net.who, label: Who, kind: text}
steps:
  - {id: who, title: Who, form: [net.who]}
  - id: door
    title: The door is open
    waits_on: customer
    who: \"{{ net.who }}\"
    due: 10 days
    ask: Please open the door.
    probe: tcp
    with: {address: 127.0.0.1, port: 1}
  - {id: other, title: Another branch, manual: Do it.}
";

fn begun() -> Stage {
    let stage = Stage::new().with_credentials();
    let file = stage.file("door.yaml", RUNBOOK);
    stage.run(&["new", "acme", "--runbook", file.to_str().unwrap()]).expect(0);
    stage.run(&["input", "acme", "net.who=Jane Doe"]).expect(0);
    stage
}

fn json(stage: &Stage) -> Json {
    let answer = stage.run(&["status", "acme", "--format", "json"]).expect(0);
    serde_json::from_str(&answer.out).unwrap()
}

#[test]
fn who_must_move_since_when_and_until_when_is_kept_and_shown() {
    let stage = begun();
    stage.run(&["run", "acme", "--yes"]).expect(3);
    let wait = json(&stage)["waits"][0].clone();
    assert_eq!((&wait["on"], &wait["who"]), (&Json::from("customer"), &Json::from("Jane Doe")), "{wait}");
    assert_eq!(wait["asked"], "Please open the door.");
    let listed = stage.run(&["wait", "acme"]).expect(0);
    listed.says("customer (Jane Doe)");
    listed.says("asked: Please open the door.");
    let home = stage.run(&["status"]).expect(0);
    home.says("customer 1");
    home.says("customer (Jane Doe), since ");
    home.says("asked: Please open the door.");

    stage.run(&["wait", "acme", "net/door", "--due", "2020-01-31", "--who", "Network team"]).expect(0);
    assert_eq!(json(&stage)["waits"][0]["overdue"], true);
    stage.run(&["status"]).expect(0).says("1 overdue");
    stage.run(&["wait", "acme", "net/door", "--due", "some day"]).expect(2).says("2026-12-05");
    stage.run(&["wait", "acme", "net/door", "--on", "aws"]).expect(2).says("as the runbook says");
    stage.run(&["wait", "acme", "net/nothing", "--due", "3 days"]).expect(2).says("no step");
    stage.run(&["wait", "acme", "--look"]).expect(3).says("Network team");

    stage.run(&["wait", "acme", "net/other", "--on", "third-party"]).expect(2).says("why");
    stage.run(&["wait", "acme", "net/other", "--on", "third-party", "--note", "the carrier"]).expect(0);
    assert_eq!(json(&stage)["waits"].as_array().unwrap().len(), 2);
    stage.run(&["wait", "acme", "net/other", "--end"]).expect(0);
    stage.run(&["sign", "acme", "net/other", "done"]).expect(0);
    let steps = json(&stage)["steps"].clone();
    let other = steps.as_array().unwrap().iter().find(|step| step["address"] == "net/other").unwrap();
    assert_eq!(other["waited"][0]["on"], "third_party", "how long it took, and who was asked, is kept");
}

#[test]
fn an_edited_runbook_is_shown_before_it_is_taken_and_keeps_what_is_known() {
    let stage = begun();
    stage.run(&["sign", "acme", "net/other", "done"]).expect(0);
    stage.run(&["update", "acme"]).expect(0).says("has no other edition");
    let edited = RUNBOOK
        .replace("id: door\n", "id: gate\n    was: net/door\n")
        .replace("manual: Do it.", "manual: Do it well.")
        .replace("due: 10 days", "due: 2 weeks");
    let file = stage.file("edited.yaml", &edited);
    let path = file.to_str().unwrap();
    let shown = stage.run(&["update", "acme", "--runbook", path]).expect(3);
    for words in ["renamed", "net/gate was net/door", "done otherwise", "net/other", "reworded", "stays as it is"] {
        shown.says(words);
    }
    let typo = ["update", "acme", "--runbook", path, "--yes", "--look", "net/othre"];
    stage.run(&typo).expect(2).says("no step \"net/othre\"");
    let listed = json(&stage)["steps"][1]["address"].clone();
    assert_eq!(listed, "net/door", "nobody took it");
    stage.run(&["update", "acme", "--runbook", path, "--yes"]).expect(0).says("net/other");
    let steps = json(&stage)["steps"].clone();
    assert_eq!((&steps[1]["address"], &steps[2]["outdated"]), (&Json::from("net/gate"), &Json::from(true)), "{steps}");
    stage
        .run(&["update", "acme", "--runbook", path, "--keep", "net/other"])
        .expect(0)
        .says("net/other is kept as it was done");
    assert_eq!(json(&stage)["steps"][2]["outdated"], false);
    stage.run(&["update", "acme", "--runbook", path, "--keep", "net/other"]).expect(2).says("not done otherwise");

    let other = stage.file("other.yaml", &RUNBOOK.replace("runbook: door", "runbook: other"));
    stage.run(&["update", "acme", "--runbook", other.to_str().unwrap()]).expect(2).says("another runbook");
}

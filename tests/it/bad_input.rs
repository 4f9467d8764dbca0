//! Every form of bad input gets a clear error that names what, where and what to do, and loses nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use onramp::engagement::{At, Event};
use onramp::input::Value;
use onramp::journal::{Holder, Writer};

use crate::stage::Stage;

fn begun() -> Stage {
    let stage = Stage::new().with_credentials();
    stage.run(&["new", "acme", "--account", "123456789012", "--region", "eu-west-1"]).expect(0);
    stage
}

#[test]
fn a_vpc_that_aws_would_refuse() {
    let stage = begun();
    let answer = stage.run(&["input", "acme", "net.vpc_cidr=10.0.0.0/8"]).expect(2);
    answer.says("net.vpc_cidr");
    answer.says("/16");
    answer.says("nothing was stored");
    let listed = stage.run(&["input", "acme"]).expect(0);
    let line = listed.out.lines().find(|line| line.starts_with("net.vpc_cidr")).unwrap();
    assert!(line.contains(" - "), "{line}");
}

#[test]
fn subnets_that_overlap_and_subnets_outside_of_the_vpc() {
    let stage = begun();
    stage.run(&["input", "acme", "aws.azs=eu-west-1a,eu-west-1b", "net.vpc_cidr=10.40.0.0/16"]).expect(0);
    let overlap = "net.subnets=10.40.0.0/24 public eu-west-1a\n10.40.0.128/25 app eu-west-1b";
    stage.run(&["input", "acme", overlap]).expect(2).says("10.40.0.128/25");
    let outside = "net.subnets=10.41.0.0/24 public eu-west-1a\n10.40.1.0/24 app eu-west-1b";
    stage.run(&["input", "acme", outside]).expect(2).says("10.41.0.0/24");
}

#[test]
fn one_bad_answer_in_a_file_stores_none_of_it() {
    let stage = begun();
    let file = stage.file("answers.yaml", "eng.customer_name: Acme\neng.customer_slug: ACME!\nnet.ssh_prt: 22022\n");
    let answer = stage.run(&["input", "acme", "--file", file.to_str().unwrap()]).expect(2);
    answer.says("eng.customer_slug");
    answer.says("Did you mean net.ssh_port?");
    let listed = stage.run(&["input", "acme"]).expect(0);
    assert!(!listed.out.contains("Acme"), "{}", listed.out);
}

#[test]
fn a_file_of_answers_is_taken_as_it_is_written() {
    let stage = begun();
    let written =
        "vpn.customer_asn: 64512.10\nenv.db_version: 5.10\neng.ops_phone: +442071234567\nnet.ssh_port: 22022\n";
    let file = stage.file("answers.yaml", written);
    stage.run(&["input", "acme", "--file", file.to_str().unwrap()]).expect(0);
    let all = stage.run(&["input", "acme", "--all"]).expect(0).out;
    let line =
        |id: &str| all.lines().find(|line| line.starts_with(id)).unwrap_or_else(|| panic!("no {id}: {all}")).to_owned();
    // 64512 * 65536 + 10, as RFC 5396 writes it, and no number with decimals.
    for (id, value) in
        [("vpn.customer_asn", "4227858442"), ("env.db_version", "5.10"), ("eng.ops_phone", "+442071234567")]
    {
        assert!(line(id).contains(value), "{}", line(id));
    }
    let twice = stage.file("twice.yaml", "eng.customer_slug: acme\nnet.ssh_port: 22022\neng.customer_slug: other\n");
    let answer = stage.run(&["input", "acme", "--file", twice.to_str().unwrap()]).expect(2);
    answer.says("eng.customer_slug is there twice");
}

#[test]
fn a_runbook_with_a_typo_names_the_place_and_the_nearest_key() {
    let stage = Stage::new();
    let text =
        "runbook: small\ntitle: Small\nphase: one\nsteps:\n  - id: only\n    titel: A typo\n    manual: Do it.\n";
    let file = stage.file("small.yaml", text);
    let answer = stage.run(&["check", file.to_str().unwrap()]).expect(2);
    answer.says("small.yaml:6");
    answer.says("title");
    stage.run(&["new", "acme", "--runbook", file.to_str().unwrap()]).expect(2);
    stage.run(&["status", "acme"]).expect(2);
}

#[test]
fn a_state_folder_that_is_no_folder() {
    let stage = Stage::new();
    fs::write(stage.data(), b"in the way").unwrap();
    let answer = stage.run(&["new", "acme"]).expect(2);
    answer.says("cannot write");
    answer.says("ONRAMP_DATA_DIR");
}

#[test]
fn a_state_file_that_others_may_read() {
    let stage = begun();
    let file = stage.data().join("engagements/acme/journal.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    stage.run(&["status", "acme"]).expect(2).says("chmod 600");
}

#[test]
fn a_damaged_state_file() {
    let stage = begun();
    fs::write(stage.data().join("engagements/acme/journal.db"), vec![0_u8; 8192]).unwrap();
    let _ = fs::remove_file(stage.data().join("engagements/acme/journal.db-wal"));
    stage.run(&["run", "acme"]).expect(5).says("damaged");
}

#[test]
fn an_endpoint_that_does_not_answer() {
    let stage = begun();
    let who = ["dr.requested=no", "aws.azs=eu-west-1a,eu-west-1b", "eng.customer_name=Acme", "eng.customer_slug=acme"];
    let whose = [
        "aws.account_mode=existing_customer",
        "aws.partition=aws",
        "aws.support_plan=basic",
        "aws.block_public_buckets=yes",
    ];
    stage.run(&[&["input", "acme"], who.as_slice(), &whose].concat()).expect(0);
    let answer =
        stage.run(&["run", "acme", "--yes", "--until", "preflight/caller", "--endpoint-url", "http://127.0.0.1:9"]);
    let answer = answer.expect(1);
    answer.says("preflight/caller");
    answer.says("127.0.0.1:9");
}

/// A note for a step that nobody signs, or that is not there, would be waited for in vain.
#[test]
fn sign_offs_for_steps_that_nobody_signs() {
    let stage = begun();
    let answers = stage.file("notes.yaml", "sign_off:\n  preflight/shwon: seen\n  preflight/caller: seen\n");
    let refused = stage.run(&["run", "acme", "--answers", answers.to_str().unwrap()]).expect(2);
    refused.says("preflight/shwon: this runbook has no such step");
    refused.says("preflight/caller: nobody signs this step off");
}

#[test]
fn hosts_are_left_out_with_a_reason_and_listed_without_one() {
    let stage = begun();
    stage.run(&["exclude", "acme"]).expect(0).says("No host failed, and none is left out.");
    stage.run(&["exclude", "acme", "app-1"]).expect(2).says("why does it go on without them?");
}

/// Nothing is begun by whoever only looks, or takes back.
#[test]
fn a_practice_that_was_never_begun() {
    let stage = begun();
    for looks in [["practice", "--verify"].as_slice(), &["practice", "--undo"], &["practice", "--diagnose", "a/b"]] {
        stage.run(looks).expect(2).says("there is no practice yet");
    }
}

/// Buckets, roles and folders are named by the short name: no two customers have one.
#[test]
fn a_short_name_that_another_customer_has() {
    let stage = begun();
    let ours = ["input", "acme", "eng.customer_name=Acme PLC", "eng.customer_slug=acme"];
    stage.run(&ours).expect(0);
    stage.run(&ours).expect(0);
    let answers = stage.file("answers.yaml", "eng.customer_name: Acme Motors\neng.customer_slug: acme\n");
    let answers = answers.to_str().unwrap();
    let answer = stage.run(&["new", "other", "--account", "123456789012", "--answers", answers]).expect(2);
    answer.says("acme is the short name in the engagement acme already, for Acme PLC");
    answer.says("For example: acme-2");
    stage.run(&["status", "other"]).expect(2);
    let same = stage.file("same.yaml", "eng.customer_name: Acme PLC\neng.customer_slug: acme\n");
    let dev = stage.run(&["new", "dev", "--account", "123456789012", "--answers", same.to_str().unwrap()]).expect(0);
    assert!(!dev.err.contains("short name"), "another environment of the same customer: {}", dev.err);
    let elsewhere = stage.run(&["new", "elsewhere", "--account", "111122223333", "--answers", answers]).expect(2);
    elsewhere.says("two customers would have one name");
    let nobody = stage.file("nobody.yaml", "eng.customer_slug: acme\n");
    let nobodys = stage.run(&["new", "third", "--answers", nobody.to_str().unwrap()]).expect(0);
    nobodys.says("Please look again: eng.customer_slug: acme is the short name in the engagement acme already");
    let refused = "two customers would have one name";
    stage.run(&["input", "third", "eng.customer_name=Acme Motors"]).expect(2).says(refused);
    let back = stage.file("back.txt", "eng.customer_name: Acme Motors\n");
    stage.run(&["input", "third", "--import", back.to_str().unwrap()]).expect(2).says(refused);
    let customer = stage.file("customer.yaml", "eng.customer_name: Acme Motors\n");
    stage.run(&["run", "third", "--answers", customer.to_str().unwrap()]).expect(2).says(refused);
    stage.run(&["input", "third", "eng.customer_slug=acme-2", "eng.customer_name=Acme Motors"]).expect(0);
}

/// What is recorded stays, whatever day it is by now; a new answer has to lie ahead.
#[test]
fn a_day_that_is_over() {
    let stage = begun();
    stage.run(&["input", "acme", "dr.drill_at=2026-10-03T22:00Z"]).expect(2).says("is over");
    let holder = Holder { user: "joe".into(), host: "sofa".into(), process: 4711, since: String::new() };
    let mut writer = Writer::open(&stage.data().join("engagements/acme"), &holder).unwrap();
    let given =
        Event::InputGiven { id: "dr.drill_at".parse().unwrap(), value: Value::Text("2026-10-03T22:00Z".into()) };
    writer.append(At(1), &"joe@sofa".to_owned(), vec![given]).unwrap();
    drop(writer);
    let file = stage.file("answers.yaml", "dr.drill_at: 2026-10-03T22:00Z\nnet.vpc_cidr: 10.40.0.0/16\n");
    let again = stage.run(&["input", "acme", "--file", file.to_str().unwrap()]).expect(0);
    assert!(again.out.contains("1 input stored"), "{}", again.out);
    let back = stage.file("back.txt", "dr.drill_at: 2026-10-03T22:00Z\n");
    let same = stage.run(&["input", "acme", "--import", back.to_str().unwrap()]).expect(0);
    assert!(same.out.contains("0 inputs stored, 1 as before"), "{}", same.out);
    stage.run(&["input", "acme", "dr.drill_at=2026-10-10T22:00Z"]).expect(2).says("is over");
    let back = stage.file("back.txt", "dr.drill_at: 2026-10-10T22:00Z\n");
    stage.run(&["input", "acme", "--import", back.to_str().unwrap()]).expect(2).says("is over");
    stage.run(&["status", "acme"]).expect(0);
}

#[test]
fn names_that_are_no_names() {
    let stage = Stage::new();
    stage.run(&["new", "../acme"]).expect(2).says("cannot be the name");
    stage.run(&["open", "nothing"]).expect(2);
    stage.run(&["run", "nothing"]).expect(2).says("there is no engagement");
    stage.run(&["sign", "nothing", "not-an-address", "me"]).expect(2).says("phase/step");
}

#[test]
fn an_undo_of_a_step_that_is_not_there_says_so() {
    let stage = begun();
    stage.run(&["undo", "acme", "access/vcp"]).expect(2).says("no step \"access/vcp\"");
    stage.run(&["undo", "acme", "access/vpc"]).expect(0).says("Nothing was changed");
}

#[test]
fn a_name_that_is_taken_keeps_what_is_there() {
    let stage = begun();
    stage.run(&["input", "acme", "eng.customer_name=Acme"]).expect(0);
    stage.run(&["new", "acme"]).expect(2).says("already");
    stage.run(&["input", "acme"]).expect(0).says("Acme");
}

const MANUAL: &str = "runbook: own\ntitle: Own\nphase: one\nsteps:\n  - {id: seen, title: Seen, manual: Look at it.}\n";

#[test]
fn a_sign_off_without_a_note() {
    let stage = Stage::new();
    let file = stage.file("own.yaml", MANUAL);
    stage.run(&["new", "acme", "--runbook", file.to_str().unwrap()]).expect(0);
    for nothing in ["", "  \t "] {
        stage.run(&["sign", "acme", "one/seen", nothing]).expect(2).says("a sign-off needs a note");
    }
    let answers = stage.file("answers.yaml", "sign_off: {one/seen: ' '}\n");
    stage.run(&["run", "acme", "--answers", answers.to_str().unwrap()]).expect(2).says("needs a note");
    stage.run(&["status", "acme"]).expect(0).says("sign-off");
    stage.run(&["sign", "acme", "one/seen", "--withdraw"]).expect(2).says("one/seen is not signed off");
    stage.run(&["sign", "acme", "one/seen", "J. Doe saw it"]).expect(0);
    stage.run(&["sign", "acme", "one/seen", "--withdraw"]).expect(0).says("one/seen is to be signed anew");
    stage.run(&["sign", "acme", "one/seen", "J. Doe saw it"]).expect(0);
}

#[test]
fn an_account_for_a_runbook_that_declares_none() {
    let stage = Stage::new();
    let file = stage.file("own.yaml", MANUAL);
    let new = |more: &[&str]| stage.run(&[&["new", "acme", "--runbook", file.to_str().unwrap()], more].concat());
    let answer = new(&["--account", "123456789012"]).expect(2);
    answer.says("the runbook own does not declare it");
    answer.says("{id: aws.account_id, label: ..., kind: account-id}");
    new(&["--region", "eu-west-1"]).expect(2).says("aws.region_primary");
    new(&[]).expect(0);
    let declared = MANUAL.replace(
        "steps:",
        "inputs:\n  - {id: aws.account_id, label: Account, kind: account-id}\nsteps:\n  - {id: where, title: Where, form: [aws.account_id]}",
    );
    let file = stage.file("declared.yaml", &declared);
    stage.run(&["new", "other", "--runbook", file.to_str().unwrap(), "--account", "123456789012"]).expect(0);
    stage.run(&["status", "other"]).expect(0).says("account 123456789012");
}

#[test]
fn the_edition_that_is_walked_already() {
    let stage = Stage::new();
    let file = stage.file("own.yaml", MANUAL);
    let path = file.to_str().unwrap();
    stage.run(&["new", "acme", "--runbook", path]).expect(0);
    stage.run(&["update", "acme", "--runbook", path]).expect(0).says("acme walks the edition in");
    stage.run(&["update", "acme"]).expect(0).says("no other edition of the runbook own");
}

#[test]
fn damage_that_only_a_run_would_come_across_is_told_by_status() {
    let stage = begun();
    let file = stage.data().join("engagements/acme/journal.db");
    let (page, size): (u32, u32) = {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let asked = "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'steps'";
        connection.query_row(asked, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    stage.run(&["status", "acme"]).expect(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[((page - 1) * size + 3) as usize] = 0xff;
    fs::write(&file, bytes).unwrap();
    stage.run(&["run", "acme"]).expect(5).says("damaged");
    stage.run(&["status", "acme"]).expect(5).says("damaged");
    stage.run(&["status"]).expect(0).says("damaged");
}

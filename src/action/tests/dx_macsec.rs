//! Lines that encrypt: ordered so or never, one key on both ends, and strict only where that cuts nothing.

use secrecy::ExposeSecret;
use serde_json::json;

use super::dx::undone;
use super::life::lives;
use super::*;
use crate::action::Undoes;
use crate::input::SecretRef;
use crate::practice::fault::Fault;

const KEY: &str = "aws/dx-macsec-key";
const MODE: &str = "aws/dx-encryption-mode";
const STATE: &str = "aws/dx-macsec-state";
const CKN: &str = "5f3a0c91d2b84e67a1f09c3d7be24586902f6ad3c1e8b57440d96f1b2ca37e08";
const OTHER_CKN: &str = "c07e4b18a95d3f62e81b7c40d2956fa3318e6c5d09f7b24ae6d1830c5b9f7a42";

fn port(key: &str) -> Json {
    json!({ "location": "EqDC2", "bandwidth": "10Gbps", "macsec": "yes", "key": key })
}

/// A line that is up, and where its key lives.
async fn line(stage: &Stage) -> (String, String) {
    let id = text(&stage.make("aws/dx-connection", port("dx/line/encrypted")).await, "id");
    stage.make("aws/dx-letter", json!({ "connection": id })).await;
    (id, key(stage).await)
}

async fn key(stage: &Stage) -> String {
    text(&stage.make("aws/secret", json!({ "key": "dx/macsec/first", "use": "key256" })).await, "reference")
}

fn at(line: &str, ckn: &str, cak: &str) -> Json {
    json!({ "connection": line, "ckn": ckn, "cak": cak })
}

#[tokio::test]
async fn the_light_of_a_line_is_told_from_darkness_and_from_what_nobody_measured() {
    let stage = Stage::new().await;
    let id = text(&stage.make("aws/dx-connection", port("dx/line/light")).await, "id");
    let light = async |ports: &[&str], speed: &str| {
        let seen = stage.make("aws/dx-light", json!({ "ports": ports, "bandwidth": speed })).await;
        (text(&seen, "light"), text(&seen, "seen"))
    };
    // The port is allotted, and nobody has laid a cable to it.
    let said = format!("{id} receives -40.0 dBm (its optics need -14.4 dBm)");
    assert_eq!(light(&[&id], "10Gbps").await, ("dark".to_owned(), said));
    stage.make("aws/dx-letter", json!({ "connection": id })).await;
    assert_eq!(light(&[&id], "10Gbps").await.0, "good");
    // The weakest port of several counts; of the other one nothing is known.
    let (is, said) = light(&[&id, "dxcon-ffabc999"], "400Gbps").await;
    let expected = format!("{id} receives -4.2 dBm and of dxcon-ffabc999 CloudWatch has nothing in the last hour");
    assert_eq!((is.as_str(), said), ("good", expected));
    stage.practice.as_ref().unwrap().set_light(-14.5).await;
    assert_eq!(light(&[&id], "10Gbps").await.0, "weak");
    assert_eq!(light(&[&id], "1Gbps").await.0, "good", "those optics need less");
    let refused = Stage::with(Pace::Instant, Faults::none().deny("GetMetricData")).await;
    let seen = refused.make("aws/dx-light", json!({ "ports": [id] })).await;
    assert!(text(&seen, "light") == "unknown" && text(&seen, "seen").contains("may not be read here"), "{seen:?}");
}

fn mode(line: &str, mode: &str) -> Json {
    json!({ "connection": line, "mode": mode })
}

async fn state(stage: &Stage, line: &str) -> Verified {
    stage.action(STATE, &json!({ "connection": line, "ckn": CKN })).verify(&stage.world).await
}

/// A single port and several that work as one, each from a key to no key.
pub(super) async fn macsec_lives(stage: &Stage) {
    let place = json!({ "location": "EqDC2", "bandwidth": "10Gbps", "macsec": "yes" });
    stage.make("aws/dx-location", place).await;
    let (line, cak) = line(stage).await;
    encrypted_lives(stage, &line, &cak, "UpdateConnection").await;
    let lag =
        json!({ "location": "EqSe2", "bandwidth": "10Gbps", "ports": 2, "macsec": "yes", "key": "dx/lag/encrypted" });
    let made = stage.make("aws/dx-lag", lag.clone()).await;
    let id = text(&made, "id");
    stage.make("aws/dx-letter", json!({ "connection": id })).await;
    encrypted_lives(stage, &id, &cak, "UpdateLag").await;
    let of_line: Kept = [("id".to_owned(), json!(line))].into();
    for (kind, with, made) in [("aws/dx-lag", lag, made), ("aws/dx-connection", port("dx/line/encrypted"), of_line)] {
        let gone = undone(stage, kind, &with, &made).await;
        assert!(matches!(gone, Outcome::Changed { .. }), "{kind}: {gone:?}");
    }
}

async fn encrypted_lives(stage: &Stage, line: &str, cak: &str, update: &str) {
    let key = at(line, CKN, cak);
    let of_key = lives(stage, KEY, key.clone()).await;
    let in_clear = state(stage, line).await;
    assert!(matches!(&in_clear, Verified::NotYet { said } if said.contains("Encryption Down")), "{in_clear:?}");
    // What must encrypt and cannot is down: nobody does that to a line by accident.
    let strict = mode(line, "must_encrypt");
    let calls = stage.calls();
    let refused = stage.action(MODE, &strict).apply(&stage.world, &stage.intent(MODE, &strict)).await;
    assert!(matches!(&refused, Outcome::Failed { failure } if failure.what.contains("would be cut")), "{refused:?}");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());

    let lax = mode(line, "should_encrypt");
    let of_lax = changed(stage, &lax, "no_encrypt").await;
    assert!(matches!(state(stage, line).await, Verified::So(_)));
    let of_strict = changed(stage, &strict, "should_encrypt").await;
    assert_eq!(stage.sent_since(calls), [update, update]);
    assert!(matches!(state(stage, line).await, Verified::So(_)));
    // Stricter than a step wants is as it wants.
    assert!(matches!(stage.action(MODE, &lax).verify(&stage.world).await, Verified::So(_)));

    for (with, made, now) in [(&strict, &of_strict, "should_encrypt"), (&lax, &of_lax, "no_encrypt")] {
        let back = undone(stage, MODE, with, made).await;
        assert!(matches!(back, Outcome::Changed { .. }), "{back:?}");
        let there = stage.action(MODE, with).probe(&stage.world).await;
        assert!(format!("{there:?}").contains(now), "{there:?}");
        assert!(matches!(stage.action(MODE, with).undoes(&stage.world, made).await, Undoes::Nothing));
    }
    let gone = undone(stage, KEY, &key, &of_key).await;
    let kept = text(&of_key, "id");
    assert!(matches!(&gone, Outcome::Changed { said, .. } if said.contains(&kept)), "what stays is said: {gone:?}");
    assert!(is_absent(&stage.action(KEY, &key).probe(&stage.world).await));
}

/// Sets a mode; what was set before is kept with it.
async fn changed(stage: &Stage, with: &Json, former: &str) -> Kept {
    let outcome = stage.action(MODE, with).apply(&stage.world, &stage.intent(MODE, with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{with}: {outcome:?}") };
    assert_eq!(output["former"], json!(former), "{output:?}");
    assert!(matches!(stage.action(MODE, with).verify(&stage.world).await, Verified::So(_)));
    stage.next_generation();
    output
}

#[tokio::test]
async fn a_macsec_key_is_in_no_plan_and_no_result() {
    let stage = Stage::new().await;
    let (line, cak) = line(&stage).await;
    let with = at(&line, CKN, &cak);
    let planned = json!(stage.action(KEY, &with).changes()).to_string();
    assert!(planned.contains(CKN) && planned.contains("\u{2039}the secret aws-secret:"), "{planned}");
    let made = stage.make(KEY, with).await;
    let reference: SecretRef = cak.parse().unwrap();
    let key = stage.world.secret(&reference).await.unwrap();
    let key = key.expose_secret();
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let kept = stage.world.cloud.as_ref().unwrap().read_secret(&text(&made, "id")).await.unwrap();
    assert!(kept.expose_secret().contains(key), "that one was associated");
    for told in [planned, json!(made).to_string()] {
        assert!(!told.contains(key));
    }
    let told = stage.world.vault.masks();
    assert!(!told.now().mask(&format!("key {key}")).contains(key));
}

#[tokio::test]
async fn a_key_is_associated_once_whatever_becomes_of_the_answer() {
    for fault in [Fault::LostReply, Fault::ServerErrorAfter, Fault::Throttle] {
        let stage = Stage::with(Pace::Instant, Faults::none().aim(fault, "AssociateMacSecKey", 1)).await;
        let (line, cak) = line(&stage).await;
        stage.make(KEY, at(&line, CKN, &cak)).await;
        let lines = stage.world.cloud.as_ref().unwrap().direct_connect();
        let there = lines.describe_connections().connection_id(&line).send().await.unwrap();
        assert_eq!(there.connections()[0].mac_sec_keys().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_key_that_somebody_else_associated_stays_beside_ours() {
    let stage = Stage::new().await;
    let (line, cak) = line(&stage).await;
    let lines = stage.world.cloud.as_ref().unwrap().direct_connect();
    let theirs = lines.associate_mac_sec_key().connection_id(&line).ckn(OTHER_CKN).cak("0a".repeat(32));
    theirs.send().await.unwrap();
    let with = at(&line, &CKN.to_uppercase(), &cak);
    let made = stage.make(KEY, with.clone()).await;
    let calls = stage.calls();
    let again = stage.action(KEY, &at(&line, CKN, &cak)).probe(&stage.world).await;
    assert!(matches!(again, Probe::Same(_)), "digits are digits: {again:?}");
    let gone = undone(&stage, KEY, &with, &made).await;
    assert!(matches!(gone, Outcome::Changed { .. }), "{gone:?}");
    assert_eq!(stage.sent_since(calls), ["DisassociateMacSecKey"]);
    let there = lines.describe_connections().connection_id(&line).send().await.unwrap();
    let left: Vec<_> = there.connections()[0].mac_sec_keys().iter().filter_map(|key| key.ckn()).collect();
    assert_eq!(left, [OTHER_CKN]);
}

#[tokio::test]
async fn a_line_that_was_ordered_without_it_is_never_encrypted() {
    let stage = Stage::new().await;
    let mut plain = port("dx/line/encrypted");
    plain["macsec"] = json!("no");
    let line = text(&stage.make("aws/dx-connection", plain.clone()).await, "id");
    let lag =
        |macsec: &str| json!({ "location": "EqDC2", "bandwidth": "10Gbps", "macsec": macsec, "key": "dx/lag/plain" });
    stage.make("aws/dx-lag", lag("no")).await;
    let cak = key(&stage).await;
    for (kind, with) in [("aws/dx-connection", port("dx/line/encrypted")), ("aws/dx-lag", lag("yes"))] {
        let probe = stage.action(kind, &with).probe(&stage.world).await;
        let Probe::Different { differences, mend, .. } = &probe else { panic!("{kind}: {probe:?}") };
        assert!(mend.is_empty() && differences.iter().any(|one| one.what == "MACsec"), "{kind}: {probe:?}");
    }
    for (kind, with) in [(KEY, at(&line, CKN, &cak)), (MODE, mode(&line, "should_encrypt"))] {
        let calls = stage.calls();
        let outcome = stage.action(kind, &with).apply(&stage.world, &stage.intent(kind, &with)).await;
        let Outcome::Failed { failure } = &outcome else { panic!("{kind}: {outcome:?}") };
        assert!(failure.what.contains("ordered without MACsec"), "{failure:?}");
        assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    }
    assert!(matches!(state(&stage, &line).await, Verified::NotSo(_)));
}

#[tokio::test]
async fn a_building_whose_ports_do_not_encrypt_is_said_before_an_order() {
    let stage = Stage::new().await;
    let with = json!({ "location": "EqDC2", "bandwidth": "1Gbps", "macsec": "yes" });
    let failure = stage.not_so("aws/dx-location", with).await;
    assert!(failure.what.contains("no ports of 1Gbps with MACsec"), "{failure:?}");
    assert!(failure.advice.contains("10Gbps"), "{failure:?}");
    let order = json!({ "location": "EqDC2", "bandwidth": "1Gbps", "macsec": "yes", "key": "dx/line/encrypted" });
    let kind = "aws/dx-connection";
    let outcome = stage.action(kind, &order).apply(&stage.world, &stage.intent(kind, &order)).await;
    assert!(matches!(&outcome, Outcome::Failed { failure } if failure.raw.contains("MACsec")), "{outcome:?}");
}

#[tokio::test]
async fn a_partners_line_of_another_speed_is_not_accepted() {
    let stage = Stage::new().await;
    let (kind, second) = ("aws/dx-hosted-connection", "dxcon-ffabc124");
    let of =
        |speed: &str| json!({ "connection": second, "vlan": 102, "bandwidth": speed, "key": "dx/line/hosted-second" });
    let calls = stage.calls();
    let probe = stage.action(kind, &of("1Gbps")).probe(&stage.world).await;
    let Probe::Different { differences, mend, .. } = &probe else { panic!("{probe:?}") };
    assert!(mend.is_empty() && differences.len() == 1 && differences[0].what == "speed", "{differences:?}");
    assert_eq!(differences[0].found, "500Mbps");
    assert_eq!(stage.sent_since(calls), Vec::<String>::new());
    stage.make(kind, of("500Mbps")).await;
}

#[test]
fn what_is_no_key_is_refused_before_anything_is_asked() {
    for (kind, with, why) in [
        (KEY, at("dxcon-1", "5f3a", "prompt:cak"), "64 hexadecimal digits"),
        (KEY, json!({ "connection": "dxcon-1", "ckn": CKN }), "`cak` of aws/dx-macsec-key is missing"),
        (MODE, mode("dxcon-1", "no_encrypt"), "no_encrypt"),
        ("aws/dx-connection", json!({ "location": "l", "bandwidth": "b", "macsec": "perhaps", "key": "k" }), "perhaps"),
    ] {
        let call = crate::engagement::Call::Kind { kind: kind.to_owned(), with: with.as_object().cloned().unwrap() };
        let refused = build(&call, &subject("e1")).err().unwrap_or_else(|| panic!("{kind} {with} is taken"));
        assert!(refused.what.contains(why), "{kind} {with}: {refused:?}");
    }
}

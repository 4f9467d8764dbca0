//! Answers by the hundred, from a file that says where each rule comes from: what is taken, and what is refused and how.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use onramp::input::{InputId, Kind, Neighbour, Refusal, Setting, Value, agree, clash, parse, parse_beside};
use onramp::runbook::{Field, Runbook};
use serde::Deserialize;

/// 2027-01-15T12:00Z: the files are judged as on one day, whatever day it is.
const DAY: jiff::Timestamp = jiff::Timestamp::constant(1_800_014_400, 0);
const REAL: Setting = Setting { practice: false, now: Some(DAY) };
const PRACTICE: Setting = Setting { practice: true, now: Some(DAY) };

/// What one input takes and refuses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tried {
    id: String,
    /// Where the rule comes from.
    rule: String,
    #[serde(default)]
    good: Vec<String>,
    /// Taken in practice, refused for real.
    #[serde(default)]
    practice: Vec<String>,
    /// The answer, and words of the refusal.
    #[serde(default)]
    bad: BTreeMap<String, String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn corpus() -> Vec<Tried> {
    serde_yaml::from_str(&fs::read_to_string(root().join("tests/inputs/corpus.yaml")).unwrap()).unwrap()
}

/// The runbook that is shipped, from its files.
fn shipped() -> Runbook {
    let folder = root().join("runbooks/managed-cloud");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files: Vec<(String, String)> =
        files.iter().map(|file| (file.display().to_string(), fs::read_to_string(file).unwrap())).collect();
    let (runbook, problems) = onramp::runbook::load(&files, &onramp::action::catalog());
    runbook.unwrap_or_else(|| panic!("{problems:?}"))
}

/// As the form asks: a secret by its own text, everything else by its kind.
fn answer(field: &Field, text: &str, setting: &Setting) -> Result<Option<Value>, Refusal> {
    match &field.kind {
        Kind::Secret(rule) => rule.check(text).map(|()| None),
        kind => parse(kind, text, setting).and_then(|value| alone(field, value)).map(Some),
    }
}

/// Rules between answers see one that stands alone, too.
fn alone(field: &Field, value: Value) -> Result<Value, Refusal> {
    let broken = agree(&BTreeMap::from([(field.id.clone(), value.clone())]), None).into_iter().find(|one| !one.warning);
    broken.map_or(Ok(value), |broken| Err(broken.refusal))
}

#[derive(Default)]
struct Report {
    wrong: Vec<String>,
    answered: usize,
    slowest: Duration,
}

impl Report {
    fn timed(&mut self, field: &Field, text: &str, setting: &Setting) -> Result<Option<Value>, Refusal> {
        let started = Instant::now();
        let answered = answer(field, text, setting);
        self.slowest = self.slowest.max(started.elapsed());
        self.answered += 1;
        answered
    }

    fn taken(&mut self, field: &Field, text: &str, setting: &Setting) {
        match self.timed(field, text, setting) {
            Ok(None) => {}
            Ok(Some(value)) => {
                let again = parse(&field.kind, &value.shown(), setting);
                if again.as_ref() != Ok(&value) {
                    self.wrong.push(format!(
                        "{}: {text}: shown as {}, which reads as {again:?}",
                        field.id,
                        value.shown()
                    ));
                }
            }
            Err(refusal) => self.wrong.push(format!("{}: {text}: {refusal}", field.id)),
        }
    }

    fn refused(&mut self, field: &Field, text: &str, words: &str, setting: &Setting) {
        let said = match self.timed(field, text, setting) {
            Ok(value) => return self.wrong.push(format!("{}: {text}: taken as {value:?}", field.id)),
            Err(refusal) if refusal.source.is_empty() || refusal.why.is_empty() => {
                return self.wrong.push(format!("{}: {text}: {refusal:?} gives no reason or no source", field.id));
            }
            Err(refusal) => refusal.to_string(),
        };
        if !said.contains(words) {
            self.wrong.push(format!("{}: {text}: \"{said}\" does not say \"{words}\"", field.id));
        }
        if matches!(field.kind, Kind::Secret(_)) && text.len() > 3 && said.contains(text) {
            self.wrong.push(format!("{}: \"{said}\" repeats the secret", field.id));
        }
    }
}

#[test]
fn every_answer_of_the_corpus_is_taken_or_refused_as_it_says() {
    let runbook = shipped();
    let mut report = Report::default();
    for tried in corpus() {
        let Some(field) = runbook.fields.get(tried.id.as_str()) else {
            report.wrong.push(format!("the runbook has no input {}", tried.id));
            continue;
        };
        assert!(!tried.rule.is_empty(), "{}", tried.id);
        tried.good.iter().for_each(|text| report.taken(field, text, &REAL));
        for text in &tried.practice {
            report.refused(field, text, "", &REAL);
            report.taken(field, text, &PRACTICE);
        }
        for (text, words) in &tried.bad {
            report.refused(field, text, words, &REAL);
            report.refused(field, text, words, &PRACTICE);
        }
    }
    eprintln!("{} answers, the slowest took {:?}", report.answered, report.slowest);
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
    assert!(report.answered >= 300, "only {} answers were tried", report.answered);
}

/// Inputs of which no value is good, or none is bad, by itself; with the reason.
const WITHOUT: [(&str, &str); 0] = [];

#[test]
fn every_input_has_a_good_and_a_bad_answer() {
    let runbook = shipped();
    let corpus = corpus();
    let has = |id: &str, which: &dyn Fn(&Tried) -> bool| corpus.iter().any(|tried| tried.id == id && which(tried));
    let complete = |id: &str| has(id, &|tried| !tried.good.is_empty()) && has(id, &|tried| !tried.bad.is_empty());
    let missing: Vec<&str> = runbook
        .fields
        .keys()
        .map(onramp::input::InputId::as_str)
        .filter(|id| complete(id) == WITHOUT.iter().any(|(other, _)| other == id))
        .collect();
    assert!(missing.is_empty(), "no good or no bad answer, or one although there is said to be none: {missing:?}");
    assert!(runbook.fields.len() >= 230);
}

/// As it is typed into the form, for real: the reason and an example. Of a secret there is none that somebody would not take as
/// it stands; those with a form of their own show that.
#[test]
fn every_refusal_of_the_corpus_has_an_example() {
    let runbook = shipped();
    let mut wrong = Vec::new();
    for tried in corpus() {
        let field = &runbook.fields[tried.id.as_str()];
        if matches!(field.kind, Kind::Secret(_)) {
            continue;
        }
        for text in tried.bad.keys().chain(&tried.practice).filter(|text| !text.trim().is_empty()) {
            let taken = onramp::input::parse_for(&field.kind, &field.example, text, &REAL);
            let refusal = taken.and_then(|value| alone(field, value)).unwrap_err();
            if refusal.example.is_empty() {
                wrong.push(format!("{}: {refusal}", field.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What was met on the way to these: the example itself in a real engagement, a number near to others, a key's form.
#[test]
fn the_example_of_a_refusal_is_of_use() {
    let runbook = shipped();
    let said = |id: &str, text: &str| {
        let field = &runbook.fields[id];
        match &field.kind {
            Kind::Secret(rule) => rule.check(text).unwrap_err().example,
            kind => onramp::input::parse_for(kind, &field.example, text, &REAL).unwrap_err().example,
        }
    };
    assert!(said("vpn.cgw_ip", "203.0.113.12").contains("checkip"));
    assert!(said("net.provider_cidrs", "198.51.100.16/29").contains("checkip"));
    assert!(said("smtp.ca_pem", "no certificate").starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(said("net.flowlog_days", "91"), "90");
    assert_eq!(said("vpn.vendor", "F"), "Fortinet", "what is too short is no example of itself");
    assert!(said("ntp.key", "ten SHA256 key").starts_with("10 SHA256 HEX:"));
}

/// Time goes by, and what was answered stands; another answer is judged by the day on which it comes.
#[test]
fn what_was_answered_in_time_is_taken_again_whatever_day_it_is() {
    let runbook = shipped();
    let later = Setting { now: Some(DAY + jiff::SignedDuration::from_hours(24 * 365 * 40)), ..REAL };
    let old = "-----BEGIN CERTIFICATE-----";
    for (id, text) in [
        ("dr.drill_at", "2028-02-29T10:00Z".to_owned()),
        ("sec.exceptions", "sshd_disable_forwarding, bastion, jump host, J. Doe, 2027-12-31".to_owned()),
        ("env.tls_pem", corpus().iter().find(|one| one.id == "env.tls_pem").unwrap().good[0].clone()),
        ("mon.proxy_ca", corpus().iter().find(|one| one.id == "mon.proxy_ca").unwrap().good[0].clone()),
    ] {
        let field = &runbook.fields[id];
        let given = parse(&field.kind, &text, &REAL).unwrap_or_else(|refusal| panic!("{id}: {refusal}"));
        let again = |before| parse_beside(&field.kind, &field.example, &text, &later, before);
        assert_eq!(again(Some(&given)).as_ref(), Ok(&given), "{id}");
        let refusal = again(None).unwrap_err();
        assert!(refusal.what.contains("is over") || refusal.what.contains("ended on"), "{id}: {refusal}");
        let example = refusal.example;
        let row = text.replace("2027-12-31", &example);
        let text = if id == "sec.exceptions" { row } else { example };
        let form = text.starts_with(old) || parse(&field.kind, &text, &later).is_ok();
        assert!(form, "{id}: {text} would not be taken either");
    }
}

#[test]
fn no_two_customers_have_one_short_name() {
    let id = |id: &str| id.parse::<InputId>().unwrap();
    let values = |customer: &str| {
        let given = [("eng.customer_name", customer), ("eng.customer_slug", "acme")];
        let given = given.into_iter().filter(|(_, text)| !text.is_empty());
        given.map(|(name, text)| (id(name), Value::Text(text.to_owned()))).collect::<BTreeMap<_, _>>()
    };
    let other = Neighbour { name: "acme-prod", customer: "Acme PLC", slug: "acme" };
    let unknown = Neighbour { name: "acme-dev", customer: "", ..other };
    let found = |customer, others: &[Neighbour<'static>]| {
        clash(&id("eng.customer_slug"), &values(customer), others.iter().copied())
    };
    let refused = found("Acme Motors", &[unknown, other]).unwrap();
    assert!(!refused.warning && refused.refusal.example == "acme-2", "{refused:?}");
    assert!(refused.refusal.to_string().contains("acme-prod already, for Acme PLC"), "{refused:?}");
    for (customer, other) in [("", other), ("Acme Motors", unknown)] {
        assert!(found(customer, &[other]).unwrap().warning, "{customer} {other:?}");
    }
    // Of one customer there may be two.
    assert_eq!(found("ACME plc", &[other]), None);
    assert_eq!(found("Acme Motors", &[Neighbour { slug: "acme-plc", ..other }]), None);
    let unasked = clash(&id("net.vpc_cidr"), &values("Acme Motors"), [other]);
    assert_eq!(unasked, None, "it is said where it is answered");
}

#[test]
fn every_input_takes_its_own_example() {
    let runbook = shipped();
    for field in runbook.fields.values().filter(|field| !field.example.is_empty()) {
        // Examples of long texts are cut.
        if field.example.contains('…') || field.example.starts_with("-----BEGIN") {
            continue;
        }
        let taken = parse(&field.kind, &field.example, &PRACTICE);
        assert!(taken.is_ok(), "{}: {}: {}", field.id, field.example, taken.unwrap_err());
    }
}

/// What is left out until another answer makes it necessary.
#[test]
fn what_another_answer_makes_necessary_may_not_stay_empty() {
    let runbook = shipped();
    type Given = &'static [(&'static str, &'static str)];
    let cases: [(&str, Given, bool); 12] = [
        ("net.onprem_cidrs", &[], true),
        ("net.onprem_cidrs", &[("net.access_path", "bastion_in_vpc"), ("conn.mode", "none")], true),
        ("net.onprem_cidrs", &[("net.access_path", "bastion_in_customer_dc")], false),
        ("net.onprem_cidrs", &[("net.access_path", "bastion_in_vpc"), ("conn.mode", "ipsec_vpn")], false),
        ("net.onprem_cidrs", &[("net.access_path", "bastion_in_vpc"), ("conn.mode", "direct_connect")], false),
        ("sec.exceptions", &[("net.access_path", "bastion_in_vpc"), ("net.bastion_cis", "cis_l1")], true),
        ("sec.exceptions", &[("net.access_path", "bastion_in_vpc"), ("net.bastion_cis", "cis_l2")], false),
        ("vpn.t2_inside", &[("conn.mode", "ipsec_vpn")], true),
        ("vpn.t2_inside", &[("vpn.t1_inside", "169.254.44.0/30")], false),
        ("vpn.t1_inside", &[("vpn.t2_inside", "169.254.44.0/30")], false),
        ("dx.customer_ip", &[("dx.amazon_ip", "169.254.100.1/30")], false),
        ("dx.amazon_ip", &[("dx.customer_ip", "169.254.100.2/30")], false),
    ];
    for (id, given, empty) in cases {
        let mut scope = onramp::runbook::Scope::default();
        given.iter().for_each(|(id, value)| scope.insert_dotted(id, serde_json::json!(value)));
        assert_eq!(runbook.fields[id].may_stay_empty(&scope), empty, "{id} with {given:?}");
    }
    for (path, source, asked) in [
        ("bastion_in_vpc", "create", true),
        ("bastion_in_customer_dc", "create", false),
        ("provider_vpc_peering", "create", false),
        ("provider_vpc_peering", "existing", true),
        ("onprem_customer_vpn", "existing", false),
    ] {
        let mut scope = onramp::runbook::Scope::default();
        scope.insert_dotted("net.access_path", serde_json::json!(path));
        scope.insert_dotted("hosts.source", serde_json::json!(source));
        let when = runbook.fields["net.ssh_port"].when.as_ref().unwrap();
        assert_eq!(when.truth(&scope), Ok(asked), "the bastion's port: {path}, {source}");
    }
    let role = &runbook.fields["aws.external_id"];
    let mut scope = onramp::runbook::Scope::default();
    scope.insert_dotted("aws.role_arn", serde_json::json!("arn:aws:iam::111122223333:role/Onboarding"));
    scope.insert_dotted("eng.customer_slug", serde_json::json!("acme"));
    scope.insert_dotted("aws.account_id", serde_json::json!("111122223333"));
    assert!(role.when.as_ref().unwrap().truth(&scope).unwrap() && !role.may_stay_empty(&scope));
    let offered = role.default.as_ref().unwrap().value(&scope).unwrap();
    assert!(parse(&role.kind, offered.as_str().unwrap(), &REAL).is_ok(), "{offered}");
}

/// Answers that are good alone, and what is said of them together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Together {
    rule: String,
    answers: BTreeMap<String, String>,
    /// Texts of secrets, each judged beside the answers.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    says: Option<String>,
    #[serde(default)]
    warns: bool,
}

/// Why the text of a secret is not kept, beside these answers.
fn unkept(field: &Field, text: &str, values: &BTreeMap<InputId, Value>) -> Option<Refusal> {
    let Kind::Secret(rule) = &field.kind else { panic!("{} is no secret", field.id) };
    rule.beside(values).check(text).err()
}

/// What is refused and proposes nothing instead. A warning may: it stops nothing.
fn without_example(found: &[onramp::input::Disagreement]) -> impl Iterator<Item = &Refusal> {
    found.iter().filter(|one| !one.warning && one.refusal.example.is_empty()).map(|one| &one.refusal)
}

#[test]
fn answers_that_do_not_fit_together_are_told() {
    let runbook = shipped();
    let text = fs::read_to_string(root().join("tests/inputs/together.yaml")).unwrap();
    let cases: Vec<Together> = serde_yaml::from_str(&text).unwrap();
    assert!(cases.len() > 60);
    let mut wrong = Vec::new();
    for case in cases {
        let answers = case.answers.iter().map(|(id, text)| {
            let field = runbook.fields.get(id.as_str()).unwrap_or_else(|| panic!("there is no input {id}"));
            (field.id.clone(), parse(&field.kind, text, &PRACTICE).unwrap_or_else(|refusal| panic!("{id}: {refusal}")))
        });
        let values: BTreeMap<InputId, Value> = answers.collect();
        let found = agree(&values, None);
        let mut said: Vec<(String, bool)> = found.iter().map(|one| (one.refusal.to_string(), one.warning)).collect();
        let unkept = case.secrets.iter().filter_map(|(id, text)| unkept(&runbook.fields[id.as_str()], text, &values));
        said.extend(unkept.map(|refusal| (refusal.to_string(), false)));
        let good = match &case.says {
            None => said.is_empty(),
            Some(words) => said.iter().any(|(said, warning)| *warning == case.warns && said.contains(words)),
        };
        wrong.extend(without_example(&found).map(|refusal| format!("{:?}: no example: {refusal}", case.answers)));
        // Every complaint names whose answers it is about, so that a form can show it there.
        let named = found.iter().all(|one| !one.ids.is_empty() && !one.refusal.source.is_empty());
        if !good || !named {
            wrong.push(format!("{:?} ({}): {said:?}, and not {:?}", case.answers, case.rule, case.says));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where an input says that it is asked, a form asks for it. Only phases that are still to come may miss.
#[test]
fn every_input_is_asked_where_it_says() {
    let runbook = shipped();
    let wrong: Vec<String> = runbook
        .fields
        .iter()
        .filter_map(|(id, field)| {
            let place = field.asked_in.as_ref()?;
            let phase = place.split('/').next().unwrap();
            let asks = runbook.asked_in(id).map(|step| step.id.0.clone());
            let there = runbook.phases.iter().any(|known| known.id == phase);
            let fits = match &asks {
                Some(step) => step == place || step.split('/').next() == Some(place),
                None => !there,
            };
            (!fits).then(|| format!("{id} is to be asked in {place}, and is asked in {asks:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(runbook.fields.values().filter(|field| field.asked_in.is_some()).count() > 200);
}

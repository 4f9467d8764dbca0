//! A questionnaire goes to somebody without onramp and comes back: what is asked, what is stored, what is refused and how.

use std::fs;
use std::path::PathBuf;

use crate::stage::Stage;

fn begun() -> Stage {
    let stage = Stage::new().with_credentials();
    stage.run(&["new", "acme", "--account", "123456789012", "--region", "eu-west-1"]).expect(0);
    stage.run(&["input", "acme", "eng.customer_name=Acme Insurance PLC", "net.vpc_cidr=10.40.0.0/16"]).expect(0);
    stage
}

/// The questions for one person, in a file.
fn exported(stage: &Stage, person: &str) -> (PathBuf, String) {
    let file = stage.home().join(format!("{person}.txt"));
    stage.run(&["input", "acme", "--export", file.to_str().unwrap(), "--for", person]).expect(0).says("no secrets");
    (file.clone(), fs::read_to_string(&file).unwrap())
}

/// The text with these answers in it.
fn filled(text: &str, answers: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (id, answer) in answers {
        let line = text.lines().find(|line| line.starts_with(&format!("{id}:"))).unwrap_or_else(|| panic!("no {id}"));
        text = text.replacen(&format!("{line}\n"), &format!("{id}: {answer}\n"), 1);
    }
    text
}

fn listed(stage: &Stage, id: &str) -> String {
    let all = stage.run(&["input", "acme", "--all"]).expect(0);
    all.out.lines().find(|line| line.starts_with(id)).unwrap_or_else(|| panic!("no {id}")).to_owned()
}

#[test]
fn a_network_engineer_answers_without_onramp() {
    let stage = begun();
    let (_, text) = exported(&stage, "network");
    for words in [
        "Acme Insurance PLC",
        "How is the customer's data centre connected?",
        "One of:\n#   none - not at all\n#   ipsec_vpn - an IPsec VPN",
        "For example:\n#   203.0.113.12\n# (That one shows the form; it is kept for examples and cannot be yours.)",
        "It is asked only where \"How is the customer's data centre connected?\" (conn.mode) is direct_connect_with_vpn_backup or ipsec_vpn",
        "net.vpc_cidr",
        "Pre-shared key of tunnel 1",
        "never in the same message as this file",
        // It is wanted with an answer that nobody has given yet.
        "mon.http_proxy_host:",
    ] {
        let flat = text.replace("\n# ", " ");
        assert!(text.contains(words) || flat.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("smtp.password") && !text.contains("vpn.t1_psk:"), "{text}");
    let answered = filled(
        &text,
        &[
            ("conn.mode", "ipsec_vpn"),
            ("vpn.cgw_ip", "8.8.8.8"),
            ("vpn.routing", "\"bgp\""),
            ("vpn.customer_asn", "65010"),
            ("net.onprem_cidrs", "\n192.168.0.0/17\n192.168.128.0/17"),
        ],
    );
    // As a mail program on another system would send it back.
    let file = stage.file("back.txt", &format!("\u{feff}{}", answered.replace('\n', "\r\n")));
    let shown = stage.run(&["input", "acme", "--import", file.to_str().unwrap(), "--dry-run"]).expect(0);
    assert!(shown.out.contains("5 would be stored"), "{}", shown.out);
    assert!(listed(&stage, "conn.mode").contains(" - "), "{}", listed(&stage, "conn.mode"));
    let answer = stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(0);
    assert!(answer.out.contains("+ vpn.cgw_ip") && answer.out.contains("5 inputs stored"), "{}", answer.out);
    assert!(
        answer.err.contains("Still open: \"Outside address") || !answer.err.contains("vpn.cgw_ip"),
        "{}",
        answer.err
    );
    assert!(listed(&stage, "net.onprem_cidrs").contains("192.168.0.0/17, 192.168.128.0/17"));
    // The same once more changes nothing, and another answer is shown beside the one before.
    let again = stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(0);
    assert!(again.out.contains("0 inputs stored"), "{}", again.out);
    let other = stage.file("other.txt", "vpn.customer_asn: 65011\n");
    let changed = stage.run(&["input", "acme", "--import", other.to_str().unwrap()]).expect(0);
    assert!(changed.out.contains("65010 -> 65011"), "{}", changed.out);
}

/// A line of an answer may look like an explanation, or be empty: it comes back as it went out.
#[test]
fn an_answer_survives_the_way_there_and_back_line_by_line() {
    let stage = begun();
    let banner = "Acme Insurance PLC\n# 12 Main Street\n\n> authorised use only\n  #2: all is recorded\n\n\nsec.banner: no question";
    stage.run(&["input", "acme", &format!("sec.banner={banner}")]).expect(0);
    let (file, text) = exported(&stage, "security");
    assert!(text.contains("\n  # 12 Main Street\n"), "{text}");
    let back = stage.run(&["input", "acme", "--import", file.to_str().unwrap(), "--dry-run"]).expect(0);
    assert!(back.out.contains("0 would be stored, 1 as before"), "{}", back.out);
    let quoted: String = text.lines().map(|line| format!("> {line}\n")).collect();
    let file = stage.file("quoted.txt", &quoted);
    let back = stage.run(&["input", "acme", "--import", file.to_str().unwrap(), "--dry-run"]).expect(0);
    assert!(back.out.contains("0 would be stored, 1 as before"), "{}", back.out);
    assert!(!back.err.contains("begins with #"), "{}", back.err);

    // As somebody writes it who does not know: it is not taken, and that is said.
    let text = "sec.banner:\nAcme Insurance PLC\n# 12 Main Street\n\n# 3. VPC range\nnet.vpc_cidr: 10.40.0.0/16\n\n# That is all\n";
    let file = stage.file("back.txt", text);
    let said = stage.run(&["input", "acme", "--import", file.to_str().unwrap(), "--dry-run"]).expect(0);
    said.says("line 3 begins with # and so is no part of the answer to sec.banner");
    assert_eq!(said.err.matches("begins with #").count(), 1, "{}", said.err);
}

/// An export asks what a step asks: nothing of phases that the runbook does not have, nor of a way that was not chosen.
#[test]
fn nobody_is_asked_what_no_step_asks() {
    let stage = begun();
    let asked = |person: &str| stage.run(&["input", "acme", "--export", "-", "--for", person]).expect(0).out;
    for (person, without) in [
        ("operations", ["env.lb:", "dr.schedule:", "mon.thresholds:"]),
        ("network", ["dr.schedule:", "env.console_cidrs:", "mon.webhook:"]),
        ("security", ["env.tls_pem:", "sec.hardening:", "Red Hat activation key"]),
    ] {
        let text = asked(person);
        without.iter().for_each(|words| assert!(!text.contains(words), "{person}: {words}: {text}"));
        assert!(text.matches(". ").count() > 3 && text.contains(":\n"), "{person}: {text}");
        // Each of two answers alone may go with any of the other, and then the two are named.
        assert!(!text.contains("where ."), "{person}: {text}");
    }
    assert!(asked("network").contains("\nmon.http_proxy_host:"), "the way out may still be a proxy");
    stage.run(&["input", "acme", "net.nat_mode=per_az"]).expect(0);
    assert!(!asked("network").contains("mon.http_proxy_host:"), "it is none");
    assert!(asked("security").contains("\nnet.ssh_port:") && asked("cloud").contains("\naws.role_arn:"));
    stage.run(&["input", "acme", "net.access_path=bastion_in_customer_dc"]).expect(0);
    assert!(!asked("security").contains("net.ssh_port:"), "the customer's bastion has a port of its own");
    assert!(asked("network").contains("\ndc.bastion_host:"));
}

#[test]
fn every_broken_rule_is_said_at_once_and_nothing_is_stored() {
    let stage = begun();
    let text = "engagement: acme\nconn.mode: ipsec_vpn\nvpn.cgw_ip: 10.0.0.1\nvpn.t1_inside: 169.254.0.0/30\n\
                conn.amazon_asn: 65010\nvpn.customer_asn: 65010\nvpn.cgwip: 8.8.8.8\nnet.onprem_cidrs:\n  10.40.0.0/16\n";
    let file = stage.file("back.txt", text);
    let answer = stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(2);
    for words in [
        "\"Outside address of the customer's router\" (vpn.cgw_ip, line 3): 10.0.0.1 does not route",
        "RFC 1918",
        "line 4): 169.254.0.0/30 cannot be inside of a tunnel",
        "are both 65010",
        "line 7: there is no question vpn.cgwip; did you mean vpn.cgw_ip?",
        "10.40.0.0/16 of \"VPC range\" and 10.40.0.0/16 of \"Customer's own ranges\" overlap",
        "nothing was stored",
    ] {
        answer.says(words);
    }
    assert!(listed(&stage, "conn.mode").contains(" - "));
}

/// One round is enough: nobody learns of a rule between right answers only after the wrong ones are mended.
#[test]
fn rules_between_answers_are_told_beside_answers_that_are_wrong_alone() {
    let stage = begun();
    let answers =
        ["vpn.cgw_ip=10.0.0.1", "conn.amazon_asn=65010", "vpn.customer_asn=65010", "net.onprem_cidrs=10.40.0.0/16"];
    let told = ["does not route", "are both 65010", "overlap", "nothing was stored"];
    let typed = stage.run(&[&["input", "acme"], answers.as_slice()].concat()).expect(2);
    told.into_iter().for_each(|words| typed.says(words));
    let file = stage.file("answers.yaml", &answers.map(|answer| format!("{}\n", answer.replace('=', ": "))).concat());
    let read = stage.run(&["input", "acme", "--file", file.to_str().unwrap()]).expect(2);
    told.into_iter().for_each(|words| read.says(words));
    let right = stage.run(&[&["input", "acme"], &answers[1..]].concat()).expect(2);
    ["are both 65010", "overlap"].into_iter().for_each(|words| right.says(words));

    // What was answered before, and is to be replaced by what cannot be taken, is nothing to compare with.
    stage.run(&["input", "acme", "vpn.customer_asn=65010"]).expect(0);
    let text = "engagement: acme\nvpn.customer_asn: sixty-five\nconn.amazon_asn: 65010\nconn.mode:\n";
    let file = stage.file("back.txt", text);
    let back = stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(2);
    back.says("1 rule of");
    back.says("Still open: ");
    assert!(!back.err.contains("are both"), "{}", back.err);
    let typed = stage.run(&["input", "acme", "vpn.customer_asn=sixty-five", "conn.amazon_asn=65010"]).expect(2);
    assert!(!typed.err.contains("are both"), "{}", typed.err);
}

/// The customer's file does not have what only the answers in it make necessary.
#[test]
fn what_an_answer_makes_necessary_is_said_when_it_comes_back() {
    let stage = begun();
    stage.run(&["input", "acme", "conn.mode=ipsec_vpn", "vpn.routing=bgp"]).expect(0);
    let file = stage.file("back.txt", "engagement: acme\nvpn.routing: static\n");
    let back = stage.run(&["input", "acme", "--import", file.to_str().unwrap(), "--dry-run"]).expect(0);
    assert!(
        back.err.contains("Asked now, too, because of these answers: ") && back.err.contains("(vpn.static_prefixes)"),
        "{}",
        back.err
    );
    let file = stage.file("both.txt", "engagement: acme\nvpn.routing: static\nvpn.static_prefixes: 192.168.0.0/16\n");
    let back = stage.run(&["input", "acme", "--import", file.to_str().unwrap(), "--dry-run"]).expect(0);
    assert!(!back.err.contains("Asked now, too"), "{}", back.err);
}

#[test]
fn a_secret_in_a_questionnaire_is_refused_and_not_repeated() {
    let stage = begun();
    let file = stage.file("back.txt", "smtp.password: Tr0ub4dor-and-3\nvpn.t1_psk: s3cr3tkey\n");
    let answer = stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(2);
    answer.says("has to be changed");
    answer.says("line 2");
    assert!(!answer.err.contains("Tr0ub4dor") && !answer.out.contains("Tr0ub4dor"), "{} {}", answer.out, answer.err);
    assert!(!answer.err.contains("s3cr3tkey"), "{}", answer.err);
    let free = "conn.mode: none\n\n- PSK: s3cr3tkey\nhunter2secret\n";
    let answer = stage.run(&["input", "acme", "--import", stage.file("free.txt", free).to_str().unwrap()]).expect(2);
    answer.says("line 3: a line that begins with \"PSK\"");
    answer.says("line 4: a line stands behind no question");
    assert!(!answer.err.contains("s3cr3tkey") && !answer.err.contains("hunter2secret"), "{}", answer.err);
    let key = stage.file(
        "key.txt",
        "env.tls_pem: -----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----\n",
    );
    let answer = stage.run(&["input", "acme", "--import", key.to_str().unwrap()]).expect(2);
    answer.says("this is a private key");
    assert!(!answer.err.contains("MC4CAQ"), "{}", answer.err);
}

#[test]
fn what_is_no_questionnaire_of_this_engagement() {
    let stage = begun();
    let says = |name: &str, text: &str, words: &str| {
        let file = stage.file(name, text);
        stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(2).says(words);
    };
    says("other.txt", "engagement: globex\nconn.mode: none\n", "is a questionnaire of globex");
    says(
        "letter.txt",
        "Dear all,\n\nplease find attached\n",
        "line 1: a line that begins with \"Dear\" stands behind no question",
    );
    says("twice.txt", "conn.mode: none\nconn.mode: ipsec_vpn\n", "answered twice, first in line 1");
    says("mail.txt", "conn.mode: none\n\n-- \nRegards\n", "line 3: a line stands behind no question");
    fs::write(stage.home().join("latin.txt"), b"eng.customer_name: Z\xfcrich\n").unwrap();
    let latin = stage.home().join("latin.txt");
    stage.run(&["input", "acme", "--import", latin.to_str().unwrap()]).expect(2).says("UTF-8");
    stage.run(&["input", "acme", "--import", "/nowhere/at/all"]).expect(2).says("cannot be read");
    let (file, _) = exported(&stage, "dns");
    let again = stage.run(&["input", "acme", "--export", file.to_str().unwrap()]).expect(2);
    again.says("not there yet");
    stage.run(&["input", "acme", "--export", "-", "--for", "netwrok"]).expect(2).says("it is ");
}

#[test]
fn what_is_seldom_meant_is_stored_and_said() {
    let stage = begun();
    let odd = stage.run(&["input", "acme", "net.vpc_cidr=100.64.0.0/16", "vpn.customer_asn=17493"]).expect(0);
    assert!(odd.out.contains("2 inputs stored"), "{}", odd.out);
    for id in ["net.vpc_cidr", "vpn.customer_asn"] {
        assert!(odd.err.contains(&format!("Please look again: {id}: ")), "{id}: {}", odd.err);
    }
    let fine = stage.run(&["input", "acme", "net.vpc_cidr=10.40.0.0/16"]).expect(0);
    assert!(!fine.err.contains("look again"), "{}", fine.err);
}

/// What stands in a sheet where nobody expects an answer is no answer to the question above it.
#[test]
fn a_line_in_the_place_of_an_example_is_nobodys_answer() {
    let stage = begun();
    let text =
        "net.onprem_cidrs: 192.168.0.0/16\n\n# 6. Other VPCs\n# For example:\n    10.20.0.0/16\nnet.other_vpc_cidrs:\n";
    let file = stage.file("back.txt", text);
    stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(2).says("line 5");
    assert!(listed(&stage, "net.onprem_cidrs").contains(" - "), "nothing was stored");
}

#[test]
fn an_answer_that_came_back_empty_is_said_and_taken_out_by_hand() {
    let stage = begun();
    stage.run(&["input", "acme", "net.other_vpc_cidrs=10.20.0.0/16"]).expect(0);
    let file = stage.file("back.txt", "net.other_vpc_cidrs:\n");
    let back = stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(0);
    back.says(
        "is empty there, and what stands stays: 10.20.0.0/16; to take it out: onramp input acme net.other_vpc_cidrs=",
    );
    stage.run(&["input", "acme", "net.other_vpc_cidrs=", "net.vpc_cidr=10.41.0.0/16"]).expect(2).says("by itself");
    let out = stage.run(&["input", "acme", "net.other_vpc_cidrs="]).expect(0).out;
    assert!(out.contains("net.other_vpc_cidrs has no answer any more"), "{out}");
    assert!(listed(&stage, "net.other_vpc_cidrs").contains(" - "));
    stage.run(&["input", "acme", "net.vpc_cidr="]).expect(2).says("needs a value");
}

#[test]
fn doors_below_a_name_are_its_answer_and_quotes_of_a_word_processor_are_none() {
    let stage = begun();
    stage.run(&["input", "acme", "conn.mode=ipsec_vpn"]).expect(0);
    let text = "vpn.tcp_targets:\ndb.acme.com:1433\nfiles.acme.com:445\n\neng.customer_name: \u{201c}M\u{fc}ller & S\u{f6}hne GmbH\u{201d}\n\
                eng.change_window: Sat 22:00\u{2013}02:00 Europe/Berlin\n";
    let file = stage.file("back.txt", text);
    stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(0);
    assert!(listed(&stage, "vpn.tcp_targets").contains("db.acme.com:1433"));
    assert!(listed(&stage, "eng.customer_name").contains(" M\u{fc}ller & S\u{f6}hne GmbH "));
    assert!(listed(&stage, "eng.change_window").contains("Sat 22:00-02:00 Europe/Berlin"));
    let typo = stage.file("typo.txt", "vpn.tcp_targets:\ndb.acme.com:1433\nnet.ssh_portt:2222\n");
    stage.run(&["input", "acme", "--import", typo.to_str().unwrap()]).expect(2).says("did you mean net.ssh_port?");
}

/// Mail and word processors push lines in, and somebody deletes the explanations.
#[test]
fn a_question_that_was_pushed_in_is_no_answer_to_the_one_above() {
    let stage = begun();
    let text = "engagement: acme\nvpn.platform:\n  vpn.software: FortiOS 7.2\n  dns.ttl: 300\nsec.banner:\n  dr.requested: no\n";
    let file = stage.file("pushed.txt", text);
    let said = stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(0);
    assert!(listed(&stage, "vpn.software").contains("FortiOS 7.2"));
    assert!(listed(&stage, "dns.ttl").contains("300"));
    assert!(listed(&stage, "vpn.platform").contains(" - "), "{}", listed(&stage, "vpn.platform"));
    // Of a text every line that is pushed in is its own, as onramp writes it; what looks otherwise is said.
    said.says("line 6 looks like the answer to dr.requested");
}

#[test]
fn a_change_far_back_in_a_long_answer_is_seen() {
    let stage = begun();
    let records = |last: &str| {
        let rows: Vec<String> = (1..5).map(|n| format!("gw{n}.mc.acme.com A 10.40.10.2{n}")).collect();
        format!("dns.records={}\ngw5.mc.acme.com A {last}", rows.join("\n"))
    };
    stage.run(&["input", "acme", "dns.zone_name=mc.acme.com", &records("10.40.10.25")]).expect(0);
    let (file, text) = exported(&stage, "dns");
    assert!(text.contains("gw5.mc.acme.com A 10.40.10.25"), "{text}");
    fs::write(&file, text.replace("gw5.mc.acme.com A 10.40.10.25", "gw5.mc.acme.com A 10.40.10.99")).unwrap();
    let dry = stage.run(&["input", "acme", "--import", file.to_str().unwrap(), "--dry-run"]).expect(0);
    assert!(dry.out.contains("- gw5.mc.acme.com A 10.40.10.25"), "{}", dry.out);
    assert!(dry.out.contains("+ gw5.mc.acme.com A 10.40.10.99") && !dry.out.contains("- gw1"), "{}", dry.out);
}

#[test]
fn rules_between_answers_say_their_lines_and_a_file_without_questions_is_none() {
    let stage = begun();
    let file =
        stage.file("both.txt", "engagement: acme\n\nnet.vpc_cidr: 10.60.0.0/16\nnet.onprem_cidrs: 10.60.1.0/24\n");
    let said = stage.run(&["input", "acme", "--import", file.to_str().unwrap()]).expect(2);
    said.says("(net.vpc_cidr, line 3)");
    said.says("(net.onprem_cidrs, line 4)");
    let empty = stage.file("empty.txt", "# nothing\n");
    stage.run(&["input", "acme", "--import", empty.to_str().unwrap()]).expect(2).says("is it the right file?");
    let nobodys = stage.file("nobodys.txt", "dns.ttl: 60\n");
    stage.run(&["input", "acme", "--import", nobodys.to_str().unwrap()]).expect(0).says("does not say whose it is");
}

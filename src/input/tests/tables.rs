//! One table for each kind of tables and keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{PRACTICE, REAL, corpus, given, kind};
use crate::input::{Role, from_plain, hosts, path};

#[test]
fn subnets() {
    corpus(
        "subnets",
        REAL,
        &[
            (
                "# the plan\n10.40.0.0/24  Public eu-west-1a\n\n10.40.16.0/24 app eu-west-1b\n",
                "10.40.0.0/24 public eu-west-1a\n10.40.16.0/24 app eu-west-1b",
            ),
            (
                "10.40.0.0/24 data eu-west-1a; 10.40.1.0/24 data eu-west-1a key=data/a2",
                "10.40.0.0/24 data eu-west-1a\n10.40.1.0/24 data eu-west-1a key=data/a2",
            ),
        ],
        &[
            ("", "0 subnets given"),
            ("10.40.0.0/24 public", "line 1: zone is missing: a subnet has cidr, tier and zone, and may have key"),
            ("10.40.0.0/24 public eu-west-1a extra", "one word too many"),
            ("10.40.0.0/24 publik eu-west-1a", "For example: public"),
            ("10.40.0.0/24 public eu-west-9a", "For example: eu-west-1a"),
            ("10.40.0.0/29 public eu-west-1a", "too small"),
            (
                "10.40.0.0/24 public eu-west-1a\n\n10.40.0.128/25 app eu-west-1a",
                "line 3: 10.40.0.128/25 lies inside line 1",
            ),
            (
                "10.40.0.0/24 public eu-west-1a\n10.40.1.0/24 public eu-west-1a",
                "For example: 10.40.1.0/24 public eu-west-1a key=public/a2",
            ),
            ("10.40.0.0/24 public eu-west-1a\n10.40.1.0/24 app eu-central-1a", "eu-central-1 and eu-west-1"),
            ("10.40.0.0/24 public eu-west-1a key=app/a", "no key for a subnet"),
            ("10.40.0.0/24 public eu-west-1a kye=public/a", "did you mean key?"),
            ("10.40.0.0/24 public eu-west-1a tier=app", "tier is given twice"),
        ],
    );
    let plain = given("subnets", "10.40.0.0/24 public eu-west-1a").unwrap().plain();
    assert_eq!(
        plain,
        json!([{"cidr": "10.40.0.0/24", "key": "public/a", "name": "public-a", "tier": "public", "zone": "eu-west-1a"}])
    );
}

#[test]
fn tags() {
    let long = format!("{}=x", "k".repeat(129));
    let many = (0..41).map(|index| format!("k{index}=v")).collect::<Vec<_>>().join("\n");
    corpus(
        "tags",
        REAL,
        &[
            ("", ""),
            ("CostCentre=4711, Owner = Jane Doe", "CostCentre=4711\nOwner=Jane Doe"),
            ("Empty=", "Empty="),
            ("formula=a=b", "formula=a=b"),
        ],
        &[
            ("CostCentre", "has no ="),
            ("=4711", "wrong length"),
            (&long, "wrong length"),
            ("AWS:x=1", "belong to AWS"),
            ("onramp:key=1", "finds what it made"),
            ("a=1\na=2", "there twice"),
            ("a=<b>", "other characters"),
            (&many, "41 tags"),
        ],
    );
    let value = from_plain(&kind("tags"), &json!({"CostCentre": 4711, "Prod": true}), &REAL).unwrap();
    assert_eq!(value.shown(), "CostCentre=4711\nProd=yes");
    assert!(from_plain(&kind("tags"), &json!([{"key": "a=b", "value": "c"}]), &REAL).is_err());
}

#[test]
fn existing_hosts() {
    corpus(
        "hosts",
        REAL,
        &[
            (
                "bastion 10.1.0.5:2222 ops\napp-1 10.40.10.20 ubuntu via=bastion identity=~/.ssh/app",
                "bastion 10.1.0.5:2222 ops role=bastion\napp-1 10.40.10.20 ubuntu via=bastion identity=~/.ssh/app",
            ),
            (
                "app [fd00::1]:23 ACME\\ops via=b\nb jump.acme.example ops@acme.example fingerprint=SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
                "app [fd00::1]:23 ACME\\ops via=b\nb jump.acme.example ops@acme.example role=bastion fingerprint=SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
            ),
            ("a fd00::1 ops", "a fd00::1 ops"),
            ("a acme-jump role=bastion\nb 10.1.0.5 via=a", "a acme-jump role=bastion\nb 10.1.0.5 via=a"),
            ("a acme-jump ops role=bastion\nb 10.1.0.5:22 ops", "a acme-jump ops role=bastion\nb 10.1.0.5:22 ops"),
            ("a 127.0.0.1:2201 ops\nb 127.0.0.1:2202 ops", "a 127.0.0.1:2201 ops\nb 127.0.0.1:2202 ops"),
        ],
        &[
            ("", "0 hosts given"),
            ("app-1", "line 1: address is missing"),
            ("App 10.0.0.1 ops", "For example: app"),
            ("app 10.0.0.1:70000 ops", "1 to 65535"),
            ("app 10.0.0.1:22 ops port=23", "give it once"),
            ("app 10.0.0.300 ops", "0 to 255"),
            ("app 10.0.0.1 -ops", "login name"),
            ("app 10.0.0.1 ops via=bastoin\nbastion 10.0.0.2 ops", "did you mean bastion?"),
            ("app 10.0.0.1 ops via=app", "circle"),
            (
                "a 10.0.0.1 ops via=b\nb 10.0.0.2 ops via=c\nc 10.0.0.3 ops via=a",
                "line 1: the way to a goes in a circle",
            ),
            ("a 10.0.0.1 ops via=b,b\nb 10.0.0.2 ops", "circle"),
            ("a 10.0.0.1 ops via=b,c\nb 10.0.0.2 ops\nc 10.0.0.3 ops via=d\nd 10.0.0.4 ops", "c itself goes via d"),
            ("a 10.0.0.1 ops via=b\nb 10.0.0.2 ops role=private", "b cannot be private"),
            ("a 10.0.0.1 ops\na 10.0.0.2 ops", "line 2: there is a second host a"),
            ("a 10.0.0.1 ops\nb 10.0.0.1 ops", "b is the same host as a"),
            ("a 10.0.0.1 ops role=bastoin", "For example: role=bastion"),
            ("a 10.0.0.1 ops fingerprint=SHA256:short", "43"),
            ("a 10.0.0.1 ops identity=id.pub", "public half"),
            ("a 10.0.0.1 ops vai=b", "did you mean via?"),
            ("a 192.0.2.1 ops", "for documentation"),
        ],
    );
    corpus("hosts", PRACTICE, &[("a 192.0.2.1 ops", "a 192.0.2.1 ops")], &[]);
}

#[test]
fn the_way_to_a_host_is_found() {
    let value = given("hosts", "app 10.0.0.1 ops via=inner\ninner 10.0.0.2 ops via=middle,late\nmiddle 10.0.0.3 ops via=outer\nlate 10.0.0.4 ops\nouter 10.0.0.5 ops").unwrap();
    let hosts = hosts(&value);
    let names = |name: &str| path(&hosts, name).unwrap().iter().map(|host| host.name.clone()).collect::<Vec<_>>();
    assert_eq!(names("app"), ["outer", "middle", "late", "inner", "app"]);
    assert_eq!(names("outer"), ["outer"]);
    assert!(path(&hosts, "nobody").is_none());
    assert!(hosts.iter().all(|host| (host.role == Role::Private) == (host.name == "app")));
}

#[test]
fn hosts_from_a_file() {
    let plain = json!([
        {"name": "bastion", "address": "10.1.0.5", "port": 2222, "user": "ops", "role": "bastion"},
        {"name": "app-1", "address": "10.40.10.20", "user": "ubuntu", "via": ["bastion"], "identity": null},
        "app-2 10.40.10.21 ubuntu via=bastion",
    ]);
    let value = from_plain(&kind("hosts"), &plain, &REAL).unwrap();
    assert_eq!(
        value.shown(),
        "bastion 10.1.0.5:2222 ops role=bastion\napp-1 10.40.10.20 ubuntu via=bastion\napp-2 10.40.10.21 ubuntu via=bastion"
    );
    for (plain, words) in [
        (
            json!([{"name": "a", "address": "10.0.0.1", "usr": "ops"}]),
            "row 1: a host has no \"usr\": did you mean user?",
        ),
        (json!([{"name": "a", "address": {"ip": "10.0.0.1"}, "user": "ops"}]), "row 1, address: a table was given"),
        (json!([7]), "row 1: the value \"7\" was given"),
        (json!({"name": "a"}), "a table was given: a list of tables is expected here"),
        (json!([{"name": "a", "address": "10.0.0.1", "user": "ops", "identity": "/my key"}]), "has blanks"),
    ] {
        let said = from_plain(&kind("hosts"), &plain, &REAL).unwrap_err().to_string();
        assert!(said.contains(words), "{plain}: {said}");
    }
}

#[test]
fn hosts_to_launch() {
    corpus(
        "launch",
        REAL,
        &[("", ""), ("app-1 app/a t3.small\napp-2 app/b2 m7i.large", "app-1 app/a t3.small\napp-2 app/b2 m7i.large")],
        &[
            ("app-1 app/a", "type is missing"),
            ("app-1 app t3.small", "no key of a subnet"),
            ("app-1 app/a t2.small", "older than Nitro"),
            ("app_1 app/a t3.small", "For example: app-1"),
            ("a app/a t3.small\na app/b t3.small", "line 2: there is a second host a"),
        ],
    );
}

#[test]
fn structured_answers_of_the_simple_kinds() {
    for (name, plain, shown) in [
        ("port", json!(8080), "8080"),
        ("yes-no", json!(true), "yes"),
        ("zones", json!(["eu-west-1a", "eu-west-1b"]), "eu-west-1a, eu-west-1b"),
        ("cidr-list", json!("10.20.0.0/16, 10.21.0.0/16"), "10.20.0.0/16, 10.21.0.0/16"),
        ("cidr-list", json!(null), ""),
        ("choices", json!(["bastion_in_vpc"]), "bastion_in_vpc"),
        ("text", json!(4711), "4711"),
    ] {
        assert_eq!(from_plain(&kind(name), &plain, &REAL).unwrap().shown(), shown, "{name} {plain}");
    }
    for (name, plain, words) in [
        ("port", json!([8080]), "a list was given: one value is expected here"),
        ("port", json!(80.5), "not a whole number"),
        ("account-id", json!(12_345_678_901_i64), "put it in quotes"),
        ("text", json!(null), "nothing was given"),
        ("zones", json!(["eu-west-1a", ["eu-west-1b"]]), "entry 2: a list was given"),
        ("zones", json!({"a": 1}), "a table was given"),
    ] {
        let said = from_plain(&kind(name), &plain, &REAL).unwrap_err().to_string();
        assert!(said.contains(words), "{name} {plain}: {said}");
    }
}

/// A blob as OpenSSH writes it: each field with its length before it.
fn blob(fields: &[&[u8]]) -> String {
    let mut bytes = Vec::new();
    for field in fields {
        bytes.extend_from_slice(&u32::try_from(field.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(field);
    }
    STANDARD.encode(bytes)
}

/// An RSA key whose modulus has so many bits; it is odd, and no more is looked at.
fn rsa(bits: usize) -> String {
    let mut modulus = vec![0xab_u8; bits.div_ceil(8)];
    modulus[0] = match bits % 8 {
        0 => 0x80,
        some => 1 << (some - 1),
    };
    if bits.is_multiple_of(8) {
        modulus.insert(0, 0);
    }
    format!("ssh-rsa {}", blob(&[b"ssh-rsa", &[1, 0, 1], &modulus]))
}

#[test]
fn public_keys() {
    let ed25519 = kind("public-key").example();
    let encoded = ed25519.split_whitespace().nth(1).unwrap();
    let (with_comment, options) = (format!("  {ed25519} jane@laptop of Jane\n"), format!("no-pty {ed25519}"));
    let (wrapped, cut) = (ed25519.replace("AAAAI", "AAAAI\n"), ed25519[..ed25519.len() - 4].to_owned());
    let short = format!("ssh-ed25519 {}", blob(&[b"ssh-ed25519", &[7; 31]]));
    let more = format!("ssh-ed25519 {}", blob(&[b"ssh-ed25519", &[7; 32], b"more"]));
    let swapped = format!("ssh-rsa {encoded}");
    let even = format!("ssh-rsa {}", blob(&[b"ssh-rsa", &[1, 0, 1], &[0x7e; 400]]));
    corpus(
        "public-key",
        REAL,
        &[
            (ed25519, ed25519),
            (&with_comment, ed25519),
            (&rsa(3072), &rsa(3072)),
            (&rsa(4096), &rsa(4096)),
            (&rsa(16_384), &rsa(16_384)),
        ],
        &[
            (&rsa(3071), "this RSA key has 3071 bits"),
            (&rsa(2048), "this RSA key has 2048 bits"),
            (&rsa(16_385), "16385 bits"),
            (&options, "no OpenSSH public key"),
            (&wrapped, "more than one line"),
            (&cut, "is damaged"),
            (&short, "32 bytes"),
            (&more, "32 bytes"),
            (&swapped, "does not agree"),
            (&even, "exponent and a modulus"),
            ("ssh-ed25519", "damaged"),
            ("ssh-ed25519 !!!", "not base64"),
            ("ssh-dss AAAA", "DSA"),
            ("ecdsa-sha2-nistp256 AAAA", "EC2 imports"),
            ("sk-ssh-ed25519@openssh.com AAAA", "security token"),
            ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "more than one line"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA", "this is a private key"),
        ],
    );
}

#[test]
fn a_private_key_is_never_repeated() {
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n-----END OPENSSH PRIVATE KEY-----";
    for row in crate::input::Kind::all() {
        let said = format!("{:?}", given(row.name, key).unwrap_err());
        assert!(!said.contains("b3BlbnNzaC1rZXk"), "{}: {said}", row.name);
        let plain = json!([{"name": key, "key": key}]);
        let said = format!("{:?}", from_plain(&kind(row.name), &plain, &REAL).unwrap_err());
        assert!(!said.contains("b3BlbnNzaC1rZXk"), "{}: {said}", row.name);
    }
}

#[test]
fn key_references_and_fingerprints() {
    corpus(
        "key-ref",
        REAL,
        &[
            ("agent", "agent"),
            ("AGENT", "agent"),
            ("~/.ssh/acme_ed25519", "~/.ssh/acme_ed25519"),
            ("/keys/my key", "/keys/my key"),
        ],
        &[
            ("~/.ssh/id.pub", "For example: ~/.ssh/id"),
            ("keys/id", "depends on the folder"),
            ("ssh-ed25519 AAAA", "not the path"),
            ("/a\nb", "not the path"),
        ],
    );
    let good = "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8";
    let line = format!("256 {good} root@jump (ED25519)");
    corpus(
        "fingerprint",
        REAL,
        &[(good, good), (&line, good)],
        &[
            ("SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY", "exactly 43"),
            ("SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8=", "exactly 43"),
            ("SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY9", "exactly 43"),
            ("MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48", "MD5"),
            ("nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8", "SHA256: and 43"),
        ],
    );
}

#[test]
fn every_wrong_row_of_a_table_is_said_with_its_number() {
    for (name, text, words) in [
        (
            "subnets",
            "10.40.0.0/24 publik eu-west-1a\n10.40.1.0/24 app eu-west-1a\n10.40.2.0/24 data\n10.40.3.0/33 app eu-west-1b",
            vec!["line 1: \"publik\" is no tier", "line 3: zone is missing", "line 4: "],
        ),
        (
            "subnets",
            "10.40.0.0/24 app eu-west-1a\n10.40.1.0/24 app eu-west-1a\n10.40.2.0/24 app eu-west-1a",
            vec!["line 2: there is a second subnet app/a", "line 3: there is a second subnet app/a"],
        ),
        (
            "hosts",
            "a 10.0.0.300 ops\nb\nc 10.0.0.3 ops\nd 10.0.0.4 ops vai=c",
            vec!["line 1: ", "line 2: address is missing", "line 4: a host has no \"vai\""],
        ),
        (
            "hosts",
            "a 10.0.0.1 ops via=x\nb 10.0.0.2 ops via=y\nc 10.0.0.2 ops via=y",
            vec!["line 1: a goes via \"x\"", "line 2: b goes via \"y\"", "line 3: c is the same host as b"],
        ),
        (
            "launch",
            "app_1 app/a t3.small\napp-2 app t3.small\napp-3 app/a t3.small",
            vec!["line 1: ", "line 2: \"app\" is no key of a subnet"],
        ),
        (
            "launch",
            "a app/a t3.small\na app/b t3.small\na app/a t3.small",
            vec!["line 2: there is a second host a", "line 3: there is a second host a"],
        ),
        (
            "records",
            "gw.acme.example A 10.0.0.300\nok.acme.example A 10.0.0.1\nno record\nx.acme.example NS ns.acme.example",
            vec!["line 1: ", "line 3: \"no record\" is no record", "line 4: \"NS\" is no type of record"],
        ),
        (
            "records",
            "a.acme.example A 10.0.0.1\na.acme.example A 10.0.0.1\na.acme.example CNAME b.acme.example",
            vec!["line 2: the A record of a.acme.example is there twice", "line 3: a.acme.example has a CNAME record"],
        ),
        (
            "table",
            "ops, jane\nroot, jane@acme.example, x, y\nUPPER, jane@acme.example",
            vec!["line 1: email: ", "line 2: \"y\" is one cell too many", "line 3: user: "],
        ),
        (
            "table",
            "a, a@acme.example\na, b@acme.example\na, c@acme.example",
            vec!["line 2: there is a second row for \"a\"", "line 3: there is a second row for \"a\""],
        ),
        ("tags", "CostCentre\nOwner", vec!["\"CostCentre\" has no =", "\"Owner\" has no ="]),
        ("tags", "=4711\nAWS:x=1", vec!["the key \"\" has a wrong length", "belong to AWS"]),
    ] {
        let refusal = given(name, text).unwrap_err();
        let said = refusal.to_string();
        for part in words {
            assert!(said.contains(part), "{name}: \"{said}\" does not say \"{part}\"");
        }
        // What would be right in one cell is no row.
        let row = given(name, &refusal.example);
        assert!(!refusal.example.is_empty() && row.is_ok(), "{name}: {refusal:?}: {row:?}");
    }
}

#[test]
fn a_table_with_a_wrong_row_shows_the_example_of_its_own_input() {
    let own = "ops, ops@acme.example, the one on call";
    let said = crate::input::parse_for(&kind("table"), own, "ops, jane", &REAL).unwrap_err();
    assert!(!said.to_string().contains(own), "the wrong cell has an example that is near to it: {said}");
    let said = crate::input::parse_for(&kind("table"), own, "ops, jane\njane", &REAL).unwrap_err().to_string();
    assert!(said.ends_with(&format!("For example: {own}")), "{said}");
}

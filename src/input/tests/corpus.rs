//! One table for each kind of single values and lists: what is accepted and how it is shown, what is refused and why.

use super::{PRACTICE, REAL, corpus, given};
use crate::input::{Kind, KindParams, Setting, parse, parse_for};

#[test]
fn text() {
    let long = "x".repeat(201);
    corpus(
        "text",
        REAL,
        &[(" Acme Insurance PLC ", "Acme Insurance PLC"), ("Zürich 東京", "Zürich 東京"), ("x", "x")],
        &[
            ("", "nothing was given"),
            ("  \n", "nothing was given"),
            (&long, "201 characters"),
            ("two\nlines", "do not print"),
            ("red\x1b[31m", "do not print"),
            ("invoice\u{202e}fdp", "do not print"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", "this is a private key"),
        ],
    );
}

#[test]
fn slug() {
    corpus(
        "slug",
        REAL,
        &[("acme", "acme"), ("a1b", "a1b"), ("acme-insurance-plc-1", "acme-insurance-plc-1")],
        &[
            ("ab", "3 to 20"),
            ("acme-insurance-plc-12", "3 to 20"),
            ("Acme", "begin with a lower-case letter"),
            ("1acme", "begin with a lower-case letter"),
            ("acme_plc", "For example: acme-plc"),
            ("acme--plc", "a hyphen stands between"),
            ("acme-", "a hyphen stands between"),
            ("acme plc", "only lower-case letters"),
        ],
    );
    for (name, slug) in [
        ("Acme Insurance PLC", Some("acme-insurance-plc")),
        ("3M Deutschland GmbH", Some("m-deutschland-gmbh")),
        ("A Very Long Name Of A Company", Some("a-very-long-name-of")),
        ("東京", None),
        ("X", None),
    ] {
        assert_eq!(crate::input::slug_from(name).as_deref(), slug, "{name}");
        assert!(slug.is_none_or(|slug| given("slug", slug).is_ok()), "{name}");
    }
}

#[test]
fn ticket() {
    let long = "x".repeat(41);
    corpus(
        "ticket",
        REAL,
        &[("ACMEMC-1", "ACMEMC-1"), ("call of 3 May", "call of 3 May")],
        &[(&long, "41 characters"), ("", "nothing")],
    );
}

#[test]
fn email() {
    let long_local = format!("{}@acme.example", "x".repeat(65));
    let long = format!("ops@{}.example", vec!["x".repeat(60); 5].join("."));
    corpus(
        "email",
        REAL,
        &[("ops@acme.example", "ops@acme.example"), ("O'Neil+on.call@ACME.Example", "O'Neil+on.call@acme.example")],
        &[
            ("ops", "no @"),
            ("ops@acme@example", "more than one @"),
            ("a@b.example,c@d.example", "more than one @"),
            (&long_local, "64 characters"),
            (&long, "254"),
            (".ops@acme.example", "before the @"),
            ("op s@acme.example", "before the @"),
            ("@acme.example", "before the @"),
            ("ops@acme", "at least two parts"),
            ("ops@-acme.example", "hyphen"),
            ("ops@10.0.0.1", "not a number"),
        ],
    );
}

#[test]
fn account_id() {
    corpus(
        "account-id",
        REAL,
        &[("012345678901", "012345678901"), (" 0123-4567-8901 ", "012345678901")],
        &[
            ("12345678901", "put it in quotes"),
            ("1234567890123", "this has 13"),
            ("acme-prod", "nothing else"),
            ("01234567890x", "nothing else"),
            ("٠١٢٣٤٥٦٧٨٩٠١", "nothing else"),
        ],
    );
}

#[test]
fn region() {
    corpus(
        "region",
        REAL,
        &[
            ("eu-west-1", "eu-west-1"),
            ("EU-West-1", "eu-west-1"),
            ("us-gov-west-1", "us-gov-west-1"),
            ("mx-central-1", "mx-central-1"),
        ],
        &[
            ("eu-west-9", "\"eu-west-9\" is no region that AWS has: did you mean eu-west-1? For example: eu-west-1"),
            ("eu-wset-1", "did you mean eu-west-1"),
            ("eu-west-1a", "its region is eu-west-1"),
            ("Ireland", "a code"),
            ("mars-north-1", "no region"),
        ],
    );
}

#[test]
fn zones() {
    corpus(
        "zones",
        REAL,
        &[
            ("eu-west-1a,eu-west-1b", "eu-west-1a, eu-west-1b"),
            ("eu-west-1c\n\neu-west-1a\neu-west-1b\n", "eu-west-1c, eu-west-1a, eu-west-1b"),
        ],
        &[
            ("eu-west-1a", "1 zone given"),
            ("", "0 zones given"),
            ("eu-west-1a eu-west-1b eu-west-1c eu-west-1d", "4 zones given"),
            ("eu-west-1a, eu-west-1a", "there twice"),
            ("eu-west-1a, eu-central-1b", "eu-central-1 and eu-west-1"),
            ("eu-west-1a\neu-west-1", "line 2: \"eu-west-1\" is no availability zone: it is a region"),
            ("euw1-az1, euw1-az2", "zone id"),
            ("eu-west-7a, eu-west-1b", "entry 1"),
            ("eu-west-1a, us-east-1-bos-1a", "local and wavelength"),
        ],
    );
}

#[test]
fn vpc_cidr() {
    corpus(
        "vpc-cidr",
        REAL,
        &[
            ("10.40.0.0/16", "10.40.0.0/16"),
            ("192.168.1.0/28", "192.168.1.0/28"),
            (" 172.16.0.0/255.255.0.0 ", "172.16.0.0/16"),
            ("100.64.0.0/16", "100.64.0.0/16"),
            ("52.0.0.0/16", "52.0.0.0/16"),
        ],
        &[
            (
                "10.0.0.0/8",
                "10.0.0.0/8 is too large: AWS accepts a VPC from /16 (65,536 addresses) to /28 (16 addresses). For example: 10.0.0.0/16",
            ),
            ("10.0.0.0/29", "too small"),
            ("10.40.0.1/16", "For example: 10.40.0.0/16"),
            ("10.40.0.0", "no prefix"),
            ("10.40.0.0/33", "no valid prefix"),
            ("10.40.0.0/016", "no valid prefix"),
            ("10.40.0.0/", "no valid prefix"),
            ("10.40.0.0/255.0.255.0", "no valid prefix"),
            ("10.40.0/16", "four numbers"),
            ("010.40.0.0/16", "leading zero"),
            ("10.256.0.0/16", "0 to 255"),
            ("fd00::/16", "IPv6"),
            ("169.254.0.0/16", "link-local"),
            ("127.0.0.0/16", "loopback"),
            ("224.0.0.0/16", "multicast"),
            ("0.0.0.0/16", "\"this network\""),
            ("198.51.100.0/24", "for documentation"),
            ("garbage", "four numbers"),
        ],
    );
    corpus("vpc-cidr", PRACTICE, &[("198.51.100.0/24", "198.51.100.0/24")], &[("127.0.0.0/16", "loopback")]);
}

#[test]
fn cidr_and_lists() {
    corpus(
        "cidr",
        REAL,
        &[("10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.1/32", "10.0.0.1/32")],
        &[("0.0.0.0/0", "every address there is"), ("0.0.0.0/1", "too large"), ("192.0.2.0/24", "for documentation")],
    );
    corpus(
        "cidr-list",
        REAL,
        &[
            ("", ""),
            ("192.168.0.0/16, 10.20.0.0/16", "192.168.0.0/16, 10.20.0.0/16"),
            (
                "# office\n10.20.0.0/16\n10.21.0.0/16; \"10.22.0.0/255.255.0.0\"",
                "10.20.0.0/16, 10.21.0.0/16, 10.22.0.0/16",
            ),
        ],
        &[
            (
                "10.20.0.0/16\n10.21.0.0/16\n10.20.64.0/18\n172.16.8.0/22",
                "line 3: 10.20.64.0/18 lies inside line 1 (10.20.0.0/16)",
            ),
            ("10.20.64.0/18 10.20.0.0/16", "entry 1: 10.20.64.0/18 lies inside entry 2"),
            ("10.20.0.0/16, 10.20.0.0/16", "entry 2: 10.20.0.0/16 is there twice"),
            ("10.20.0.0/16, 10.300.0.0/16", "entry 2"),
            ("10.20.0.0/16, 10.21.1.0/16", "For example: 10.21.0.0/16"),
        ],
    );
}

#[test]
fn routes_may_be_a_range_and_a_part_of_it() {
    let params = KindParams { used_as: Some("routes".to_owned()), min_prefix: Some(0), ..KindParams::default() };
    let kind = Kind::named("cidr-list", &params).unwrap();
    let said = |text: &str| match parse(&kind, text, &REAL) {
        Ok(value) => value.shown(),
        Err(refusal) => refusal.to_string(),
    };
    assert_eq!(said("192.168.0.0/16, 192.168.4.0/24"), "192.168.0.0/16, 192.168.4.0/24");
    assert_eq!(said("0.0.0.0/0"), "0.0.0.0/0");
    assert!(said("192.168.0.0/16, 192.168.0.0/16").contains("entry 2: 192.168.0.0/16 is there twice, also in entry 1"));
    assert!(said("192.168.0.0/16, 0.0.0.0/0").contains("does not stand alone"));
    assert!(said("192.168.4.1/24").contains("not the first address"));
    let unknown = KindParams { used_as: Some("nested".to_owned()), ..KindParams::default() };
    assert!(Kind::named("cidr-list", &unknown).unwrap_err().contains("apart or routes"));
}

#[test]
fn provider_cidrs() {
    let many = (0..21).map(|index| format!("8.8.{index}.1/32")).collect::<Vec<_>>().join("\n");
    corpus(
        "provider-cidrs",
        REAL,
        &[("8.8.8.0/24, 9.9.9.9/32", "8.8.8.0/24, 9.9.9.9/32")],
        &[
            ("0.0.0.0/0", "whole Internet"),
            ("8.8.0.0/16", "too large"),
            ("10.0.0.0/24", "10.0.0.0/8 is private"),
            ("100.64.1.0/24", "shared"),
            ("198.51.100.16/29", "for documentation"),
            ("192.88.99.1/32", "6to4"),
            ("255.255.255.255/32", "reserved"),
            ("8.8.8.8", "For example: 8.8.8.8/32"),
            ("8.8.8.0/24 8.8.8.8/32", "lies inside"),
            (&many, "21 ranges given"),
            ("", "0 ranges given"),
        ],
    );
    corpus("provider-cidrs", PRACTICE, &[("198.51.100.16/29", "198.51.100.16/29")], &[("10.0.0.0/24", "private")]);
}

#[test]
fn addresses_and_hosts() {
    corpus(
        "address",
        REAL,
        &[("10.40.10.20", "10.40.10.20"), ("2A00::1", "2a00::1")],
        &[
            ("10.40.10.20/32", "is a range"),
            ("10.40.10", "four numbers"),
            ("10.40.10.020", "leading zero"),
            ("jump.acme.example", "four numbers"),
            ("127.0.0.1", "loopback"),
            ("0.0.0.0", "this network"),
            ("224.0.0.1", "multicast"),
            ("203.0.113.5", "for documentation"),
            ("2001:db8::1", "real network"),
            ("::", "real network"),
            ("10:40", "hexadecimal"),
        ],
    );
    corpus("address", PRACTICE, &[("203.0.113.5", "203.0.113.5"), ("2001:db8::1", "2001:db8::1")], &[]);
    let long = format!("{}.example", vec!["x".repeat(63); 4].join("."));
    let long_label = format!("{}.example", "x".repeat(64));
    corpus(
        "host",
        REAL,
        &[
            ("Jump.ACME.example.", "jump.acme.example"),
            ("10.1.2.3", "10.1.2.3"),
            ("[2a00::1]", "2a00::1"),
            ("127.0.0.1", "127.0.0.1"),
            ("localhost", "localhost"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ],
        &[
            ("jump", "at least two parts"),
            ("jump_1.acme.example", "lower-case letters, digits and hyphens"),
            ("jump..example", "1 to 63"),
            (&long_label, "1 to 63"),
            (&long, "253"),
            ("bücher.example", "xn--"),
            ("300.1.1.1", "0 to 255"),
            ("1.2.3", "four numbers"),
            ("ops@jump.acme.example", "the user has a field"),
            ("jump.acme.example:22", "the port has a field"),
            ("https://jump.acme.example/", "without a scheme"),
            ("203.0.113.5", "for documentation"),
        ],
    );
}

#[test]
fn numbers_and_ports() {
    corpus(
        "number",
        REAL,
        &[("30", "30"), ("-7", "-7"), ("0", "0")],
        &[
            ("1,000", "not a whole number"),
            ("1.5", "not a whole number"),
            ("30 days", "not a whole number"),
            ("-", "not a whole"),
            ("99999999999999999999", "out of range"),
        ],
    );
    corpus(
        "port",
        REAL,
        &[("1", "1"), ("65535", "65535")],
        &[("0", "1 to 65535"), ("65536", "1 to 65535"), ("-1", "1 to 65535"), ("ssh", "whole number")],
    );
    corpus(
        "ssh-port",
        REAL,
        &[("22022", "22022"), ("1024", "1024"), ("32767", "32767"), ("2222", "2222")],
        &[
            ("22", "everybody tries"),
            ("443", "well known"),
            ("1023", "well known"),
            ("32768", "dials out"),
            ("9443", "product or agent"),
            ("5044", "product or agent"),
            ("11111", "product or agent"),
            ("0", "1 to 65535"),
        ],
    );
}

#[test]
fn unix_names() {
    let long = "x".repeat(33);
    corpus(
        "unix-name",
        REAL,
        &[("ubuntu", "ubuntu"), ("_svc", "_svc"), ("ec2-user", "ec2-user")],
        &[
            ("Ubuntu", "login name"),
            ("1ops", "login name"),
            ("-ops", "login name"),
            ("ops team", "login name"),
            (&long, "32 characters"),
            ("ops$", "login name"),
        ],
    );
}

#[test]
fn logins() {
    let long = "x".repeat(105);
    corpus(
        "login",
        REAL,
        &[("wso2-ops", "wso2-ops"), ("ACME\\jane", "ACME\\jane"), ("jane@acme.example", "jane@acme.example")],
        &[
            ("-oProxyCommand=x", "does not begin with -"),
            ("jane doe", "login name"),
            (&long, "104"),
            ("a;reboot", "login name"),
        ],
    );
}

#[test]
fn choices() {
    corpus(
        "choice",
        REAL,
        &[
            ("bastion_in_vpc", "bastion_in_vpc"),
            ("Bastion_In_VPC", "bastion_in_vpc"),
            ("at the customer", "bastion_in_customer_dc"),
        ],
        &[
            ("bastion_in_vcp", "For example: In the VPC"),
            ("other", "take \"In the VPC\" or \"At the customer\". For example: In the VPC"),
            ("", "nothing"),
        ],
    );
    corpus(
        "choices",
        REAL,
        &[("", ""), ("bastion_in_customer_dc, bastion_in_vpc", "bastion_in_customer_dc, bastion_in_vpc")],
        &[
            ("bastion_in_vpc bastion_in_vpc", "chosen twice"),
            ("bastion_in_vpc, x", "entry 2"),
            ("x, bastion_in_vpc, y", "entry 3: \"y\" is none"),
        ],
    );
    corpus(
        "yes-no",
        REAL,
        &[("yes", "yes"), ("Y", "yes"), ("TRUE", "yes"), ("on", "yes"), ("no", "no"), ("off", "no")],
        &[("maybe", "neither"), ("1", "neither")],
    );
}

#[test]
fn instance_types() {
    corpus(
        "instance-type",
        REAL,
        &[
            ("t3.micro", "t3.micro"),
            ("M7i-flex.2xlarge", "m7i-flex.2xlarge"),
            ("u-6tb1.112xlarge", "u-6tb1.112xlarge"),
            ("m7i.metal-24xl", "m7i.metal-24xl"),
            ("mac2-m1ultra.metal", "mac2-m1ultra.metal"),
        ],
        &[
            ("t3.mirco", "For example: t3.micro"),
            ("t3", "a dot and a size"),
            ("t3.huge", "no size"),
            ("t3.0xlarge", "no size"),
            ("t2.micro", "older than Nitro"),
            ("m4.large", "older than Nitro"),
            (".micro", "a family"),
            ("micro.t3", "a family"),
        ],
    );
}

/// The input's own example comes before the kind's, and is one that the reader could send.
#[test]
fn an_example_is_near_or_the_inputs_own() {
    let said = |name: &str, example: &str, text: &str, setting: &Setting| {
        let used_as = (name == "address").then(|| "public".to_owned());
        let of = (name == "list").then(|| "host".to_owned());
        let kind = Kind::named(name, &KindParams { used_as, of, ..KindParams::default() }).unwrap();
        parse_for(&kind, example, text, setting).unwrap_err().example
    };
    let servers = "192.168.1.20, 192.168.1.21";
    assert_eq!(said("list", servers, "ntp_1.acme.example", &REAL), servers);
    assert_eq!(said("host", "smtp.acme.example", "smtp", &REAL), "smtp.acme.example");
    assert_eq!(said("port", "22", "0", &REAL), "22");
    assert_eq!(said("cidr-list", "192.168.0.0/16", "10.0.0.1/8", &REAL), "10.0.0.0/8", "the answer itself, put right");
    // Examples of public addresses are those of documentation, which would be refused as well: words say where to look.
    assert!(said("address", "203.0.113.12", "10.0.0.1", &REAL).contains("checkip.amazonaws.com"));
    assert!(said("address", "203.0.113.12", "203.0.113.13", &REAL).contains("checkip.amazonaws.com"));
    assert!(said("secret", "", "hunter2", &REAL).starts_with("age:"), "a place, and no secret");
}

#[test]
fn of_many_wrong_entries_it_is_said_how_many_more_there_are() {
    let said = |many: usize| given("cidr-list", &vec!["x"; many].join(", ")).unwrap_err().to_string();
    assert!(!said(6).contains("more"), "{}", said(6));
    assert!(said(7).contains("; and 1 more is wrong."), "{}", said(7));
    assert!(said(10).contains("; and 4 more are wrong."), "{}", said(10));
    assert!(said(30).contains("; and at least 14 more are wrong."), "{}", said(30));
}

#[test]
fn one_mailbox_is_named_once() {
    let refusal = given("list", "oncall@acme.example, OnCall@acme.example").unwrap_err().to_string();
    assert!(refusal.contains("is there twice"), "{refusal}");
    assert!(given("list", "oncall@acme.example, ops@acme.example").is_ok());
}

#[test]
fn the_name_of_a_resource_is_no_tag_to_give() {
    let refusal = given("tags", "Name=foo").unwrap_err().to_string();
    assert!(refusal.contains("onramp gives each resource a name"), "{refusal}");
    assert!(given("tags", "name=foo").is_ok(), "AWS tells capitals apart");
}

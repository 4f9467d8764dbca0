//! Texts, typed values, and what is said when something is missing or wrong.

use serde_json::json;

use crate::runbook::render::Unrendered;
use crate::runbook::scope::Scope;
use crate::runbook::template::Template;

fn scope() -> Scope {
    let mut scope = Scope::new();
    scope.insert_dotted("net.vpc_cidr", json!("10.40.0.0/16"));
    scope.insert_dotted("net.ssh_port", json!(22022));
    scope.insert_dotted("net.zones", json!(["eu-west-1a", "eu-west-1b"]));
    scope.insert_dotted("net.flow_logs", json!(true));
    scope.insert_dotted("bastion", json!({"id": "i-1", "none": null}));
    scope
}

fn text(source: &str) -> Result<String, Unrendered> {
    Template::parse(source).unwrap().text(&scope())
}

fn missing(name: &str) -> Unrendered {
    Unrendered::Missing { name: name.into() }
}

#[test]
fn text_for_people() {
    assert_eq!(text("plain { text } %"), Ok("plain { text } %".into()));
    assert_eq!(text("VPC {{ net.vpc_cidr }}, port {{ net.ssh_port }}.\n"), Ok("VPC 10.40.0.0/16, port 22022.".into()));
    assert_eq!(text("{{ net.zones }} {{ net.flow_logs }}"), Ok("eu-west-1a, eu-west-1b true".into()));
    let list = "{% for zone in net.zones %}- {{ zone }}\n{% endfor %}";
    assert_eq!(text(list), Ok("- eu-west-1a\n- eu-west-1b\n".into()));
    assert_eq!(text("{# not said #}said"), Ok("said".into()));
    assert!(text("{{ bastion }}").unwrap_err().to_string().contains("a map cannot stand in a text"));
    assert!(text("{{ bastion.none }}").is_err());
}

#[test]
fn one_expression_keeps_its_type() {
    let value = |source: &str| Template::parse(source).unwrap().value(&scope());
    assert_eq!(value("{{ net.ssh_port }}"), Ok(json!(22022)));
    assert_eq!(value(" {{ net.zones[0] }} "), Ok(json!("eu-west-1a")));
    assert_eq!(value("{{ net.zones }}"), Ok(json!(["eu-west-1a", "eu-west-1b"])));
    assert_eq!(value("{{ bastion }}"), Ok(json!({"id": "i-1", "none": null})));
    assert_eq!(value("{{ net.ssh_port }}{{ net.ssh_port }}"), Ok(json!("2202222022")));
    assert_eq!(value("{{ '}}' }}"), Ok(json!("}}")));
    assert_eq!(value("22"), Ok(json!("22")));
}

#[test]
fn what_is_missing_has_its_name() {
    assert_eq!(text("{{ vpn.cgw_ip }}"), Err(missing("vpn.cgw_ip")));
    assert_eq!(text("{{ bastion.address }}"), Err(missing("bastion.address")));
    assert_eq!(text("{{ network.subnets.a.id }}"), Err(missing("network.subnets.a.id")));
    assert_eq!(text("{{ network | length }}"), Err(missing("network")));
    assert_eq!(
        text("{{ net.zones[7] }}").unwrap_err().to_string(),
        "it reads something that the value before it does not have"
    );
    assert_eq!(text("{{ vpn.asn | default(65000) }}"), Ok("65000".into()));
    assert_eq!(text("{{ a.x if net.flow_logs else b.x }}"), Err(missing("a.x")));
    assert_eq!(text("{{ a.x if not net.flow_logs else b.x }}"), Err(missing("b.x")));
    assert_eq!(text("{{ vpn.asn | upper }}"), Err(missing("vpn.asn")));
}

#[test]
fn names_that_are_read() {
    let names = |source: &str| {
        let template = Template::parse(source).unwrap();
        template.names().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(names("{{ a.b[c.d] }}"), ["a.b", "c.d"]);
    assert_eq!(names("{{ x.y | default(z.w) }}"), ["x.y", "z.w"]);
    assert_eq!(names("{% for s in net.subnets %}{{ s.cidr }}{{ item.key }}{% endfor %}"), ["item.key", "net.subnets"]);
    assert_eq!(names("{{ range(3) }}"), Vec::<String>::new());
    let template = Template::parse("{{ x.y | default(z.w) }}").unwrap();
    assert_eq!(template.reads().required().collect::<Vec<_>>(), ["z.w"]);
}

#[test]
fn bad_templates_say_where() {
    let bad = |source: &str| {
        let bad = Template::parse(source).unwrap_err();
        (bad.line_column(source), bad.message)
    };
    assert_eq!(bad("a\n  {{ x").0, (2, 3));
    assert_eq!(bad("{{ x | nosuch }}").0, (1, 8));
    assert_eq!(bad("{% include 'x' %}").0, (1, 4));
    assert_eq!(bad("a\n{{ x + }}").0, (2, 8));
}

#[test]
fn no_template_runs_for_ever() {
    let loops = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}";
    assert_eq!(text(loops).unwrap_err().to_string(), "it takes too much work");
    assert!(text("{{ 'a' * 1000000000 }}").is_err());
}

/// minijinja would drop `&& net.flow_logs` where text in quotes stands before it, and the condition would hold.
#[test]
fn what_means_nothing_is_refused_wherever_it_stands() {
    use crate::runbook::expr::Expr;
    for (code, said, hint) in [
        ("net.x == \"big\" && net.n == 1", "`&` means nothing here", "write `and`"),
        ("net.x == 'big' ; net.n", "`;` means nothing here", "text stands in quotes"),
        ("net.x == 'big' ? 1", "`?` means nothing here", "text stands in quotes"),
        ("net.x == 'big' \u{2026}", "`\u{2026}` means nothing here", "text stands in quotes"),
        (
            "net.x in [\"big\" \"small\"]",
            "two texts stand side by side",
            "put a comma between them, or `~` to make them one",
        ),
    ] {
        for found in [Expr::parse(code).unwrap_err(), Template::parse(&format!("{{{{ {code} }}}}")).unwrap_err()] {
            assert_eq!((found.message.as_str(), found.hint.as_deref()), (said, Some(hint)), "{code}");
        }
    }
    for code in ["net.x != 'a;&?' and not net.y", "net.x[-1:] ~ 'b' in ['c', \"d\"]", "{'a': 1}.a if net.n >= 2 else 1"]
    {
        Expr::parse(code).unwrap();
    }
}

//! A good runbook: what it becomes, what it needs, and that both YAML parsers read the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use marked_yaml::Node;

use super::catalog;
use crate::input::Kind;
use crate::runbook::{Manual, Party, Runbook, Scope, Stats, StepId, Work, answers_schema, load, runbook_schema};

/// Everything that the language has, in one file.
pub(super) const WHOLE: &str = r#"
runbook: sample
title: The sample
phase: access
why: We reach every host through one door.
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - id: net.cidr
    label: VPC range
    help: A private range.
    kind: vpc-cidr
    default: 10.40.0.0/16
    example: 10.40.0.0/16
  - {id: net.zones, label: Zones, kind: zones, default: "{{ net.cidr }}"}
  - id: hosts.source
    label: Where from?
    kind: choice
    choices: [{value: create, label: onramp launches them}, existing]
  - {id: net.ssh_port, label: Port, kind: ssh-port, default: 22022, when: hosts.source == "create"}
  - {id: net.note, label: Note, kind: text, max: 20}
hosts:
  - name: bastion
    when: hosts.source == "create"
    address: "{{ access.address }}"
    port: "{{ net.ssh_port | default(22) }}"
    user: ubuntu
  - name: "{{ item.name }}"
    for_each: access.apps
    address: "{{ item.address }}"
    port: 22
    user: ubuntu
    via: bastion
steps:
  - {id: who, title: Where from?, choice: hosts.source}
  - {id: plan, title: The plan, form: [net.cidr, net.zones, net.ssh_port, net.note]}
  - id: vpc
    title: The VPC
    why: A network of its own.
    aws: vpc
    with: {cidr: "{{ net.cidr }}", key: vpc/main}
    saves: {id: access.vpc_id}
    breaks: Its range can never be changed.
    cost: Nothing.
  - id: subnets
    title: Subnets
    for_each: net.zones
    aws: subnet
    with: {vpc: "{{ access.vpc_id }}", cidr: "{{ net.cidr }}", key: "subnet/{{ item }}"}
    saves: {id: access.subnet_ids}
  - id: machine
    title: The machine
    owner: aws
    when: hosts.source == "create"
    aws: instance
    with: {subnet: "{{ access.subnet_ids[net.zones[0]] }}"}
    saves: {address: access.address, id: access.apps}
    within: 10m
  - id: port
    title: Its port
    host: bastion
    sudo: false
    limit: 90s
    shell:
      check: test "$(cat /etc/port)" = {{ net.ssh_port }}
      run: |
        echo {{ net.ssh_port }} > /etc/port
      undo: rm -f /etc/port
  - id: reachable
    title: It answers
    for_each: hosts.private
    probe: tcp
    with: {host: "{{ item.name }}", port: 22}
    waits_on: customer
    ask: Please open port {{ net.ssh_port }}.
  - id: shown
    title: The customer has seen it
    owner: customer
    needs: [reachable]
    manual: Show {{ net.cidr }}.
  - {id: account, title: Account, form: [aws.account_id]}
"#;

fn whole() -> Runbook {
    let (runbook, problems) = load(&[("whole.yaml".to_owned(), WHOLE.to_owned())], &catalog());
    assert_eq!(problems, []);
    runbook.unwrap()
}

fn needs(runbook: &Runbook, step: &str) -> Vec<String> {
    let step = runbook.step(&StepId::new("access", step)).unwrap();
    step.needs.iter().map(|id| id.0.replace("access/", "")).collect()
}

#[test]
fn a_runbook_in_one_file() {
    let runbook = whole();
    assert_eq!((runbook.id.as_str(), runbook.title.as_str()), ("sample", "The sample"));
    assert_eq!(runbook.phases.len(), 1);
    assert_eq!(runbook.steps().count(), 9);
    assert_eq!(runbook.fields.len(), 6);
    assert_eq!(runbook.hosts.len(), 2);
    let step = |id: &str| runbook.step(&StepId::new("access", id)).unwrap();
    assert_eq!(step("machine").within, Some(Duration::from_secs(600)));
    assert_eq!(step("machine").owner, Party::Aws);
    assert_eq!(step("vpc").saves[0].to, "access.vpc_id");
    assert!(matches!(&step("reachable").work, Work::Kind { kind, .. } if kind == "probe/tcp"));
    let Work::Shell(shell) = &step("port").work else { unreachable!("no shell step") };
    assert!(!shell.sudo && shell.verify.is_none() && shell.limit == Duration::from_secs(90));
    assert!(matches!(&step("shown").work, Work::Manual(Manual { ask }) if ask.source() == "Show {{ net.cidr }}."));
    assert_eq!((step("port").place.line, step("port").place.column), (58, 5));
    assert_eq!(runbook.fields["net.ssh_port"].default.as_ref().unwrap().source(), "22022");
}

#[test]
fn steps_need_what_they_read() {
    let runbook = whole();
    assert_eq!(needs(&runbook, "who"), Vec::<String>::new());
    assert_eq!(needs(&runbook, "plan"), ["who"], "one of its inputs is asked only after a choice");
    assert_eq!(needs(&runbook, "vpc"), ["plan"]);
    assert_eq!(needs(&runbook, "subnets"), ["plan", "vpc"]);
    assert_eq!(needs(&runbook, "machine"), ["plan", "subnets", "who"]);
    assert_eq!(needs(&runbook, "port"), ["machine", "plan", "who"], "the bastion's address; its port has a default");
    assert_eq!(needs(&runbook, "reachable"), ["machine", "plan", "who"]);
    assert_eq!(needs(&runbook, "shown"), ["plan", "reachable"]);
}

/// Read with `default` before the form has asked, the step would do without what is about to be said.
#[test]
fn a_step_comes_after_the_form_of_what_it_can_do_without() {
    let text = r#"
runbook: sample
title: Sample
phase: access
inputs:
  - {id: a.motto, label: Motto, kind: text, optional: true}
  - {id: a.late, label: Late, kind: text, optional: true, when: access.found is defined}
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: b.cidr, label: Range, kind: vpc-cidr}
hosts:
  - {name: box, address: "10.0.0.1", user: ops}
steps:
  - id: says
    title: Says
    host: box
    shell: {check: "test {{ a.motto | default('none') }} = x", run: "echo {{ a.late | default('') }}", undo: "true"}
  - {id: account, title: Account, form: [aws.account_id, b.cidr]}
  - {id: vpc, title: VPC, aws: vpc, with: {cidr: "{{ b.cidr }}"}, saves: {id: access.found}, needs: [says]}
  - {id: asks, title: Asks, form: [a.motto]}
  - {id: asks-late, title: Asks late, needs: [vpc], form: [a.late]}
"#;
    let (runbook, problems) = load(&[("text.yaml".to_owned(), text.to_owned())], &catalog());
    let runbook = runbook.unwrap_or_else(|| panic!("{problems:#?}"));
    assert_eq!(needs(&runbook, "says"), ["asks"], "the form that comes after it would make a circle");
}

#[test]
fn a_way_to_a_host_never_makes_a_circle() {
    let text = r#"
runbook: sample
title: Sample
phase: p
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
hosts:
  - {name: bastion, address: "{{ p.address }}", user: ops}
  - {name: "{{ item }}", for_each: p.names, address: "{{ item }}", user: ops, via: bastion}
steps:
  - {id: make, title: Make, aws: instance, with: {subnet: s}, saves: {address: p.address}}
  - {id: first, title: First, for_each: hosts.all, host: "{{ item.name }}", shell: {check: "true"}}
  - {id: later, title: Later, needs: [first], aws: instance, with: {subnet: s}, saves: {id: p.names}}
  - {id: deep, title: Deep, host: app-1, shell: {check: "true"}}
  - {id: account, title: Account, form: [aws.account_id]}
"#;
    let (_, problems) = load(&[("p.yaml".to_owned(), text.to_owned())], &catalog());
    assert!(
        problems.iter().any(|problem| problem.rule == "cycle"),
        "the list of hosts itself is no guess: {problems:?}"
    );
    let text = text.replace("for_each: hosts.all, host: \"{{ item.name }}\"", "host: bastion");
    let (runbook, problems) = load(&[("p.yaml".to_owned(), text)], &catalog());
    assert_eq!(problems, []);
    let needs = |step: &str| runbook.as_ref().unwrap().step(&StepId::new("p", step)).unwrap().needs.clone();
    assert_eq!(needs("first"), [StepId::new("p", "make")].into());
    assert_eq!(needs("deep"), [StepId::new("p", "later"), StepId::new("p", "make")].into());
}

/// It is asked by its address or its name, whatever hosts there are.
#[test]
fn a_mail_server_is_no_host_of_the_engagement() {
    let text = r#"
runbook: sample
title: Sample
phase: p
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
steps:
  - {id: account, title: Account, form: [aws.account_id]}
  - {id: mail, title: Mail, probe: smtp, with: {host: mail.acme.com}}
"#;
    let (_, problems) = load(&[("p.yaml".to_owned(), text.to_owned())], &catalog());
    assert_eq!(problems, []);
    let (_, problems) = load(&[("p.yaml".to_owned(), text.replace("probe: smtp", "probe: tcp"))], &catalog());
    assert_eq!(problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), ["unknown-host"]);
}

/// What belongs to a phase or a step that is not written yet cannot be asked for; once that is there, it has to be.
#[test]
fn an_input_may_wait_for_what_asks_for_it() {
    let warnings = |asked_in: &str| {
        let text = format!(
            "runbook: r\ntitle: R\nphase: p\ninputs:\n  - {{id: a.b, label: B, kind: slug, asked_in: {asked_in}}}\n  \
             - {{id: a.c, label: C, kind: slug, default: \"{{{{ a.b }}}}\", asked_in: later}}\n\
             steps:\n  - {{id: one, title: One, manual: Do it.}}\n"
        );
        let (runbook, problems) = load(&[("p.yaml".to_owned(), text)], &catalog());
        assert!(runbook.is_some(), "{problems:?}");
        problems.iter().map(|problem| problem.rule).collect::<Vec<_>>()
    };
    assert_eq!(warnings("later"), Vec::<&str>::new());
    assert_eq!(warnings("p/two"), Vec::<&str>::new());
    assert_eq!(warnings("p"), ["never-asked"]);
    assert_eq!(warnings("p/one"), ["never-asked"]);
}

#[test]
fn tables_and_lists_are_declared_with_what_they_hold() {
    let problems = |input: &str| {
        let text = format!(
            "runbook: r\ntitle: R\nphase: p\ninputs:\n  - {{id: a.b, label: B, {input}}}\nsteps:\n  \
             - {{id: one, title: One, form: [a.b]}}\n"
        );
        let (_, problems) = load(&[("p.yaml".to_owned(), text)], &catalog());
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(problems("kind: list, of: email, min: 1, max: 4, answered_by: mail"), "");
    assert_eq!(problems("kind: list, of: name, use: bucket"), "");
    assert_eq!(
        problems("kind: table, columns: [{name: user, kind: unix-name}, {name: note, kind: text, optional: true}]"),
        ""
    );
    for (input, words) in [
        ("kind: list", "needs `of`"),
        ("kind: list, of: subnets", "cannot have entries of the kind subnets"),
        ("kind: list, of: name", "needs `use`"),
        ("kind: name, use: buket", "not as buket"),
        ("kind: email, use: x", "takes no use"),
        ("kind: table", "needs columns"),
        ("kind: table, columns: [{name: User, kind: text}]", "cannot be a column"),
        ("kind: table, columns: [{name: user, kind: text, optional: true}]", "tells rows apart"),
        ("kind: table, columns: [{name: user, kind: tabel}]", "did you mean table?"),
        ("kind: table, columns: [{name: user, kind: prose}]", "a cell cannot be of the kind prose"),
        ("kind: table, columns: [{name: key, kind: text}, {name: value, kind: text}]", "a kind of its own"),
        ("kind: slug, answered_by: The Boss", "is no id"),
    ] {
        let said = problems(input);
        assert!(said.contains(words), "{input}: {said}");
    }
}

#[test]
fn a_folder_is_read_in_its_own_order() {
    let phase = |id: &str, needs: &str| {
        format!("phase: {id}\ntitle: T\nsteps:\n  - {{id: a, title: A, needs: [{needs}], manual: Do it.}}\n")
    };
    let files = |reversed: bool, folder: &str| {
        let head = "runbook: sample\ntitle: S\nphases: [b.yaml, a.yaml]\n".to_owned();
        let mut files = vec![("runbook.yaml", head), ("a.yaml", phase("one", "two/a")), ("b.yaml", phase("two", ""))];
        if reversed {
            files.reverse();
        }
        files.into_iter().map(|(name, text)| (format!("{folder}{name}"), text)).collect::<Vec<_>>()
    };
    let read = |files: &[(String, String)]| {
        let (runbook, problems) = load(files, &catalog());
        assert_eq!(problems, []);
        runbook.unwrap()
    };
    let (one, other) = (read(&files(false, "x/")), read(&files(true, "/y/z/")));
    let phases: Vec<&str> = one.phases.iter().map(|phase| phase.id.as_str()).collect();
    assert_eq!(phases, ["two", "one"]);
    assert_eq!(one.digest, other.digest, "where the files lie does not matter");
    let mut changed = files(false, "x/");
    changed[1].1.push_str("why: Because.\n");
    assert_ne!(one.digest, read(&changed).digest);
}

#[test]
fn a_library_comes_before_every_script_of_its_phase() {
    let with = |library: &str| {
        let text = format!("library: {}\n{WHOLE}", serde_json::to_string(library).unwrap());
        load(&[("whole.yaml".to_owned(), text)], &catalog())
    };
    let (runbook, problems) = with("say() { echo \"it's $1\"; }\n");
    assert_eq!(problems, []);
    let step = runbook.unwrap().step(&StepId::new("access", "port")).unwrap().clone();
    assert!(matches!(step.work, Work::Shell(shell) if shell.library.starts_with("say()")));
    for wrong in ["echo 'it", "echo \"it", "cat <<END\nx\n", "say() { `id`; }", "echo $((1", "say $("] {
        let problems = with(wrong).1;
        let refused = |problem: &crate::runbook::Problem| ["library-value", "script"].contains(&problem.rule);
        assert!(problems.iter().any(refused), "{wrong}: {problems:?}");
    }
}

/// What a customer typed is a word in a script, and the text itself in a file.
#[test]
fn an_argument_that_is_a_script_is_read_as_one() {
    let with = |after: &str| {
        let after = serde_json::to_string(after).unwrap();
        let step = format!(
            "  - {{id: motd, title: Motd, os: file, with: {{host: bastion, content: \"{{{{ net.note }}}}\", after: {after}}}}}\n"
        );
        load(&[("whole.yaml".to_owned(), format!("{}\n{step}", WHOLE.trim_end()))], &catalog())
    };
    let (runbook, problems) = with("x=${#y}; echo {{ net.note }}");
    assert_eq!(problems, []);
    let step = runbook.unwrap().step(&StepId::new("access", "motd")).unwrap().clone();
    let Work::Kind { with: arguments, .. } = step.work else { unreachable!("no kind") };
    let mut scope = Scope::new();
    scope.insert_dotted("net.note", "it's $(id)".into());
    let rendered = arguments.render(&scope).unwrap();
    assert_eq!(rendered["content"], "it's $(id)");
    assert_eq!(rendered["after"], r"x=${#y}; echo 'it'\''s $(id)'");
    let problems = with("echo \"{{ net.note }}\"").1;
    assert!(problems.iter().any(|problem| problem.rule == "script"), "{problems:?}");
}

#[test]
fn shipped_runbooks_have_no_errors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let mut examples = Vec::new();
    yaml_below(&root.join("examples"), &mut examples);
    assert!(!examples.is_empty());
    let mut whole = Vec::new();
    yaml_below(&root.join("managed-cloud"), &mut whole);
    // Each example is one by itself.
    for files in examples.into_iter().map(|file| vec![file]).chain([whole]) {
        let read = |file: &PathBuf| (file.display().to_string(), fs::read_to_string(file).unwrap());
        let files: Vec<_> = files.iter().map(read).collect();
        let (runbook, problems) = load(&files, &crate::action::catalog());
        let said: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        assert!(runbook.is_some(), "{said}");
        // A warning that stands in a shipped runbook is one that its readers learn to overlook.
        assert_eq!(said, "");
    }
}

#[test]
fn every_step_of_the_shipped_runbook_says_why() {
    let mut files = Vec::new();
    yaml_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud"), &mut files);
    let read = |file: &PathBuf| (file.display().to_string(), fs::read_to_string(file).unwrap());
    let (runbook, _) = load(&files.iter().map(read).collect::<Vec<_>>(), &crate::action::catalog());
    let runbook = runbook.unwrap();
    let silent: Vec<&str> = runbook.steps().filter(|step| step.why.is_empty()).map(|step| step.id.0.as_str()).collect();
    assert!(silent.is_empty(), "{silent:?}");
    assert_eq!(Stats::of(&runbook).reasoned, runbook.steps().count());
}

/// Two engagements for one customer may be in one account: what can be there once in it is not named by the customer alone.
#[test]
fn what_is_named_once_in_an_account_is_named_by_the_engagement() {
    let mut files = Vec::new();
    yaml_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud"), &mut files);
    let read = |file: &PathBuf| (file.display().to_string(), fs::read_to_string(file).unwrap());
    let (runbook, _) = load(&files.iter().map(read).collect::<Vec<_>>(), &crate::action::catalog());
    let (runbook, mut named) = (runbook.unwrap(), 0);
    for step in runbook.steps() {
        let Work::Kind { kind, with, .. } = &step.work else { continue };
        let given = with.sources();
        let names: Vec<&serde_json::Value> = match kind.as_str() {
            "aws/resource" => {
                let properties = given["properties"].as_object().into_iter().flatten();
                properties.filter(|(name, _)| name.ends_with("Name")).map(|(_, value)| value).collect()
            }
            "aws/key-pair" | "aws/mail-configuration-set" => vec![&given["name"]],
            _ => continue,
        };
        for name in names.into_iter().map(ToString::to_string).filter(|name| name.contains("eng.customer_slug")) {
            assert!(name.contains("engagement.id"), "{}: {name}", step.id);
            named += 1;
        }
    }
    assert!(named >= 10, "{named}");
}

/// All YAML files below a folder.
fn yaml_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            yaml_below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
}

fn agree(way: &str, read: &serde_yaml::Value, marked: &Node) {
    match (read, marked) {
        (serde_yaml::Value::Mapping(map), Node::Mapping(marked)) => {
            assert_eq!(map.len(), marked.len(), "{way}");
            for (key, value) in map {
                let key = key.as_str().expect("every key is text");
                let node = marked.get_node(key).expect("the same keys");
                agree(&format!("{way}.{key}"), value, node);
            }
        }
        (serde_yaml::Value::Sequence(items), Node::Sequence(marked)) => {
            assert_eq!(items.len(), marked.len(), "{way}");
            for (index, (item, node)) in items.iter().zip(marked.iter()).enumerate() {
                agree(&format!("{way}[{index}]"), item, node);
            }
        }
        (serde_yaml::Value::String(text), Node::Scalar(scalar)) => assert_eq!(text, scalar.as_str(), "{way}"),
        (scalar, Node::Scalar(marked)) => {
            let again: serde_yaml::Value = serde_yaml::from_str(marked.as_str()).unwrap();
            assert_eq!(scalar, &again, "{way}");
        }
        (read, marked) => unreachable!("{way}: {read:?} and {marked:?}"),
    }
}

#[test]
fn both_parsers_read_every_runbook_alike() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    yaml_below(&root.join("runbooks"), &mut files);
    yaml_below(&root.join("tests/fixtures/bad"), &mut files);
    let mut compared = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        // Some fixtures are wrong in a way that one of them already refuses.
        if let (Ok(read), Ok(marked)) = (serde_yaml::from_str(&text), marked_yaml::parse_yaml(0, &text)) {
            agree(&file.display().to_string(), &read, &marked);
            compared += 1;
        }
    }
    agree("whole", &serde_yaml::from_str(WHOLE).unwrap(), &marked_yaml::parse_yaml(0, WHOLE).unwrap());
    assert!(compared > 30, "only {compared} files");
}

#[test]
fn schemas_describe_the_language_and_the_answers() {
    let schema = runbook_schema();
    let step = &schema["$defs"]["Step"];
    assert_eq!(step["additionalProperties"], false);
    for key in step["properties"].as_object().unwrap().values() {
        assert!(key["description"].as_str().is_some_and(|text| text.len() > 10), "{key}");
    }
    let defined = |key: &str, of: &str| {
        let found = schema["$defs"][of]["properties"][key].to_string();
        assert!(found.contains("#/$defs/KindName"), "{of}.{key}: {found}");
    };
    [("kind", "Input"), ("of", "Input"), ("kind", "Column")].into_iter().for_each(|(key, of)| defined(key, of));
    let offered = schema["$defs"]["KindName"]["oneOf"].as_array().unwrap();
    let names: Vec<_> = offered.iter().map(|one| one["const"].as_str().unwrap()).collect();
    assert_eq!(names, Kind::all().iter().map(|row| row.name).collect::<Vec<_>>());
    assert!(offered.iter().all(|one| one["description"].as_str().is_some_and(|said| said.len() > 5)));
    let answers = answers_schema(&whole());
    assert_eq!(answers["properties"]["hosts.source"]["enum"], serde_json::json!(["create", "existing"]));
    assert_eq!(answers["properties"]["net.cidr"]["title"], "VPC range");
    let signed = answers["properties"]["sign_off"]["patternProperties"].as_object().unwrap();
    assert_eq!(signed.keys().collect::<Vec<_>>(), ["^access/shown(\\[.+\\])?$"]);
}

//! Quoting, proved by the shells themselves: whatever a value is, dash and bash give back exactly it.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::json;

use crate::runbook::scope::Scope;
use crate::runbook::template::Template;

const SHELLS: [&str; 2] = ["/bin/dash", "/bin/bash"];

/// What a shell prints for a script on its standard input.
fn run(shell: &str, script: &str) -> Vec<u8> {
    let mut child = Command::new(shell)
        .args(["-eu", "-s"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dash and bash are needed for this test");
    let mut input = child.stdin.take().unwrap();
    let script = script.to_owned();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {} {errors}", output.status);
    output.stdout
}

/// Every place where a value may stand, each made to print the value and then a NUL, which no value can hold.
const PLACES: [&str; 8] = [
    "printf '%s\\0' {{ v }}\n",
    "printf '%s\\0' a{{ v }}z\n",
    "x={{ v }}; printf '%s\\0' \"$x\"\n",
    "printf '%s\\0' \"$(printf '%s.' {{ v }})\"\n",
    "case {{ v }} in {{ v }}) printf '%s\\0' same ;; *) printf '%s\\0' other ;; esac\n",
    "for x in {{ v }} {{ list }}; do printf '%s\\0' \"$x\"; done\n",
    "# a comment's quote\nif true; then printf '%s\\0' \"it's \"{{ v }}' \"'; fi\n",
    "cat <<'END' >/dev/null\nit's \"\nEND\nprintf '%s\\0' {{ v }}\\\n{{ v }}\n",
];

fn expected(value: &str, list: &[String]) -> Vec<String> {
    let mut printed = vec![
        value.to_owned(),
        format!("a{value}z"),
        value.to_owned(),
        format!("{value}."),
        "same".to_owned(),
        value.to_owned(),
    ];
    printed.extend(list.iter().cloned());
    printed.push(format!("it's {value} \""));
    printed.push(format!("{value}{value}"));
    printed
}

/// Renders all the places for all the values into one script, so that thousands of values need few processes.
fn comes_back(values: &[String]) {
    let templates: Vec<Template> = PLACES.iter().map(|place| Template::parse_script(place).unwrap()).collect();
    let mut script = String::new();
    let mut wanted: Vec<String> = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let list: Vec<String> = values.iter().skip(at).take(3).cloned().collect();
        let mut scope = Scope::new();
        scope.insert_dotted("v", json!(value));
        scope.insert_dotted("list", json!(list));
        for template in &templates {
            script.push_str(&template.shell(&scope).unwrap());
        }
        wanted.extend(expected(value, &list));
    }
    for shell in SHELLS {
        let printed = run(shell, &script);
        let mut printed: Vec<&[u8]> = printed.split(|byte| *byte == 0).collect();
        assert_eq!(printed.pop(), Some(&b""[..]), "{shell}");
        assert_eq!(printed.len(), wanted.len(), "{shell}");
        for (printed, wanted) in printed.iter().zip(&wanted) {
            assert_eq!(*printed, wanted.as_bytes(), "{shell}: {wanted:?} came back differently");
        }
    }
}

#[test]
fn awkward_values_come_back() {
    let mut values: Vec<String> = (1_u32..0x250).filter_map(char::from_u32).map(String::from).collect();
    values.extend((0x80..0xa0).filter_map(char::from_u32).map(|c| format!("'{c}'")));
    let written = [
        "",
        " ",
        "'",
        "''",
        "'\\''",
        "\"",
        "\\",
        "\\\\'",
        "\n",
        "\n\n",
        "a\n",
        "\r\n",
        "\t",
        "-n",
        "--",
        "-e",
        "~",
        "~root",
        "*",
        "?",
        "[a-z]*",
        "{a,b}",
        "$HOME",
        "$(id)",
        "`id`",
        "${x:-y}",
        "$((1+1))",
        "!!",
        "#",
        "# x",
        ";",
        "; id",
        "&& id",
        "| id",
        "> /tmp/x",
        "<<EOF",
        "EOF\nid",
        "END\nid",
        "a=b",
        "=",
        "%s",
        "%",
        "\\n",
        "\u{feff}",
        "\u{202e}abc",
        "日本語",
        "🦀",
        "e\u{301}",
        "\u{1b}[31m",
        "\u{7f}",
        "\u{85}",
        "'; id; '",
        "'\"'\"'",
        "\\'; id #",
        "case",
        "esac",
        "done",
        "\u{a0}",
    ];
    values.extend(written.map(str::to_owned));
    values.push("x".repeat(70_000));
    comes_back(&values);
}

fn value() -> impl Strategy<Value = String> {
    // What shells treat specially is rare among all characters, so half of the values are made of nothing else.
    let special = prop::sample::select(
        "'\"\\$`!#&|;<>(){}[]*?~=%-^ \t\n\rab\u{1}\u{7f}\u{81}\u{88}é\u{2028}🦀".chars().collect::<Vec<_>>(),
    );
    prop_oneof![
        prop::collection::vec(special, 0..12).prop_map(String::from_iter),
        prop::collection::vec(any::<char>(), 0..8).prop_map(|all| all.into_iter().filter(|c| *c != '\0').collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_values_come_back(values in prop::collection::vec(value(), 50)) {
        comes_back(&values);
    }
}

/// A script of odd pieces with a value somewhere: when it is accepted, the value must not be able to do anything.
fn script() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "'",
        "\"",
        "\\",
        "$",
        "`",
        "#",
        "\n",
        " ",
        ";",
        "(",
        ")",
        "{",
        "}",
        "$(",
        "${x:-",
        "$((",
        "))",
        "<<E\n",
        "<<'E'\n",
        "\nE\n",
        "<<-E\n",
        "\n\tE\n",
        "a",
        "1",
        "=",
        "x=",
        "case ",
        " in ",
        " esac",
        "eval ",
        "|",
        "&",
        ">",
        "<",
        "echo ",
        "$'",
        "$\"",
        "[",
        "if true; then ",
        "; fi",
        ": ",
        "+",
        "{{ v }}",
        " {{ v }} ",
        "{{ v }}",
    ]);
    prop::collection::vec(pieces, 1..14).prop_map(|pieces| format!("{}{{{{ v }}}}", pieces.concat()))
}

/// What the value would run if it could: each breaks out of another kind of place.
const ATTACKS: [&str; 12] = [
    "\nprintf BROKEN-OUT >&3\n",
    "; printf BROKEN-OUT >&3; ",
    "$(printf BROKEN-OUT >&3)",
    "`printf BROKEN-OUT >&3`",
    "'\nprintf BROKEN-OUT >&3\n'",
    "\"\nprintf BROKEN-OUT >&3\n\"",
    "\\'\nprintf BROKEN-OUT >&3\n: \\'",
    "\nE\nprintf BROKEN-OUT >&3\n",
    ")\nprintf BROKEN-OUT >&3\n(",
    "}\nprintf BROKEN-OUT >&3\n{",
    "a[$(printf BROKEN-OUT >&3)]",
    "'\"\\'$(printf BROKEN-OUT >&3)`printf BROKEN-OUT >&3`'\"",
];

fn breaks_out(shell: &str, script: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let proof = folder.path().join("proof");
    let mut child = Command::new("/bin/sh")
        .args(["-c", "exec 3>\"$1\"; exec /usr/bin/timeout 10 \"$2\" -s", "sh"])
        .args([proof.as_os_str(), shell.as_ref()])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .env_clear()
        .env("PATH", "/nowhere")
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    child.wait().unwrap();
    std::fs::read_to_string(proof).unwrap_or_default().contains("BROKEN-OUT")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_accepted_script_lets_a_value_out(source in script(), attack in prop::sample::select(&ATTACKS[..])) {
        let Ok(template) = Template::parse_script(&source) else { return Ok(()) };
        let mut scope = Scope::new();
        scope.insert_dotted("v", json!(attack));
        let script = template.shell(&scope).unwrap();
        for shell in SHELLS {
            prop_assert!(!breaks_out(shell, &script), "{shell} ran {attack:?} in {source:?}");
        }
    }
}

#[test]
fn the_attack_works_where_quoting_is_left_out() {
    for wrong in ["echo {{ v }}", "echo '{{ v }}'", "echo \"{{ v }}\"", "cat <<E\n{{ v }}\nE\n", "# {{ v }}"] {
        let runs = |attack: &str| SHELLS.iter().any(|shell| breaks_out(shell, &wrong.replace("{{ v }}", attack)));
        assert!(ATTACKS.iter().any(|attack| runs(attack)), "{wrong}");
    }
}

#[test]
fn places_where_quoting_cannot_help_are_refused() {
    for (source, expected) in [
        ("echo '{{ v }}'", "inside single quotes"),
        ("echo \"{{ v }}\"", "inside double quotes"),
        ("echo \"$$({{ v }}\"", "inside double quotes"),
        ("${x:-eval }{{ v }}", "words of `eval`"),
        ("echo \"a$(b \"{{ v }}\")\"", "inside double quotes"),
        ("echo 'a\n'# it's {{ v }}'", "inside single quotes"),
        ("# don't\necho a # {{ v }}\n", "inside a comment"),
        ("cat <<EOF\n{{ v }}\nEOF\n", "inside a here-document"),
        ("cat <<-'EOF'\n\t{{ v }}\n\tEOF\n", "inside a here-document"),
        ("cat <<{{ v }}\n", "cannot tell"),
        ("echo \\{{ v }}", "right after a backslash"),
        ("echo ${{ v }}", "right after `$`"),
        ("echo ${x:-{{ v }}}", "inside `${ }`"),
        ("echo $(( {{ v }} + 1 ))", "inside `$(( ))`"),
        ("echo `cat {{ v }}`", "cannot tell"),
        ("echo $'a\\'' {{ v }}", "cannot tell"),
        ("echo \"$(case a in a) echo;; esac)\" {{ v }}", "cannot tell"),
        ("eval echo {{ v }}", "`eval`"),
        ("echo {{ v }}>file", "redirection"),
        ("echo >&{{ v }}", "cannot tell"),
        ("echo >&2{{ v }}", "cannot tell"),
        ("{% if v %}echo{% endif %}", "is not read in a script"),
        ("echo {# v #}", "is not read in a script"),
        ("echo {{- v }}", "trim nothing"),
        ("echo {{ v", "is not closed"),
        ("echo {{ v | safe }}", "no filter called `safe`"),
        ("echo \0", "NUL"),
        ("rm '", "ends inside single quotes"),
        ("rm \"$(cat x)", "ends inside double quotes"),
        ("rm $(cat x", "ends inside `$( )`"),
        ("rm ${x", "ends inside `${ }`"),
    ] {
        let faults = Template::parse_script(source).unwrap_err();
        let said: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert!(said.iter().any(|message| message.contains(expected)), "{source:?}: {said:?}");
    }
}

#[test]
fn scripts_as_people_write_them_are_accepted() {
    for source in [
        "test \"$(cat /etc/chrony/conf.d/onramp.conf 2>/dev/null)\" = server\\ {{ v }}\\ iburst",
        "printf 'server %s iburst\\n' {{ v }} | install -m 0644 /dev/stdin /etc/x.conf\nsystemctl restart chrony\n",
        "grep -qx \"PermitRootLogin no\" /etc/ssh/sshd_config && echo {{ v }}",
        "f() { # it's a function\n  echo \"$1\" \"${2:-x}\" \"$#\" $((1 + 2))\n}\nf {{ v }}\n",
        "case \"$(uname)\" in Linux) echo {{ v }} ;; *) exit 1 ;; esac",
        "cat >/etc/x <<'EOF'\nit's $HOME\nEOF\nchmod {{ v }} /etc/x\n",
        "docker ps --format '{''{.Names}}' --filter name={{ v }}",
        "awk -F: '$3 >= 1000 {print $1}' /etc/passwd | grep -qx {{ v }}",
        "echo oops >&2; echo {{ v }} 2>&1 | cat",
        "port={{ v }}\n[ \"$port\" -gt 0 ] || exit 2\necho $((port + 1)) \"${#port}\"",
        "sshd -T 2>/dev/null | grep -qix \"port \"{{ v }}",
    ] {
        let parsed = Template::parse_script(source);
        assert!(parsed.is_ok(), "{source}: {parsed:?}");
    }
}

#[test]
fn values_that_no_script_can_take() {
    let mut scope = Scope::new();
    scope.insert_dotted("map", json!({"a": 1}));
    scope.insert_dotted("null", json!(null));
    scope.insert_dotted("nul", json!("a\0b"));
    scope.insert_dotted("list", json!(["a b", "c"]));
    let shell = |source: &str| Template::parse_script(source).unwrap().shell(&scope).map_err(|error| error.to_string());
    assert_eq!(shell("rm -f {{ list }}"), Ok("rm -f 'a b' 'c'".into()));
    assert!(shell("x={{ list }}").unwrap_err().contains("between blanks"));
    for source in ["echo {{ map }}", "echo {{ null }}", "echo {{ nul }}", "echo {{ nothing }}"] {
        assert!(shell(source).is_err(), "{source}");
    }
    let text = Template::parse("echo '{{ list }}'").unwrap();
    assert!(
        text.shell(&scope).unwrap_err().to_string().contains("single quotes"),
        "a text is proved before it is a script"
    );
}

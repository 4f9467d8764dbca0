//! Remote access as the shipped runbook has it: what its scripts tell a real sshd, whom it asks for what, and what it leaves
//! alone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::stage::Stage;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The functions that every script of the phase has before it.
fn library() -> String {
    let text = std::fs::read_to_string(root().join("runbooks/managed-cloud/01-access.yaml")).unwrap();
    let phase: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    phase["library"].as_str().unwrap().to_owned()
}

/// Runs a script with the phase's functions, where folders of the test stand over those of the machine.
fn with_library(stage: &Stage, over: &[(PathBuf, &str)], script: &str) -> Option<String> {
    let binds: String = over.iter().map(|(own, place)| format!("mount --bind {} {place}\n", own.display())).collect();
    let path = stage.home().join("bin");
    let text =
        format!("set -eu\nPATH={}:/usr/sbin:/usr/bin:/sbin:/bin\n{binds}{}\n{script}\n", path.display(), library());
    let file = stage.file("script", &text);
    let ran = Command::new("unshare").args(["--mount", "sh"]).arg(&file).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    if said.contains("unshare failed") {
        eprintln!("SKIPPED: no right to a namespace of mounts: {said}");
        return None;
    }
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stdout));
    Some(String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// What a real sshd takes once it was hardened, of a host with these settings, this stack of PAM and this log of logins.
fn hardened(settings: &str, pam: &str, log: &str) -> Option<String> {
    let script = r#"tell 10-onramp-hardening "$(hardening no)" not_in_force no
sshd -t
not_in_force no
sshd -T -C user=root,host=bastion,addr=198.51.100.17 | grep -E '^(passwordauthentication|kbdinteractiveauthentication) ' | sort
ways_kept_said"#;
    told(settings, pam, log, script)
}

/// What a script prints that has a real sshd's settings at hand.
fn told(settings: &str, pam: &str, log: &str, script: &str) -> Option<String> {
    if !Path::new("/usr/sbin/sshd").exists() {
        eprintln!("SKIPPED: no sshd (install openssh-server to run this test)");
        return None;
    }
    let stage = Stage::new();
    let (ssh, bin) = (stage.home().join("ssh"), stage.home().join("bin"));
    std::fs::create_dir_all(ssh.join("sshd_config.d")).unwrap();
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(ssh.join("sshd_config"), format!("Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n{settings}\n"))
        .unwrap();
    let key = ssh.join("ssh_host_ed25519_key").display().to_string();
    assert!(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status().unwrap().success());
    // The journal of the host, in whose place this machine's must not stand.
    let journal = bin.join("journalctl");
    std::fs::write(&journal, format!("#!/bin/sh\ncat <<'END'\n{log}\nEND\n")).unwrap();
    std::fs::set_permissions(&journal, std::fs::Permissions::from_mode(0o755)).unwrap();
    let logs = stage.home().join("log");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::create_dir_all(stage.home().join("pam.d")).unwrap();
    std::fs::write(stage.home().join("pam.d/sshd"), pam).unwrap();
    let script = format!("mkdir -p /run/sshd\n{script}");
    let over = [(ssh, "/etc/ssh"), (logs, "/var/log"), (stage.home().join("pam.d"), "/etc/pam.d")];
    with_library(&stage, &over, &script)
}

const BY_KEY: &str = "Accepted publickey for root from 198.51.100.17 port 40022 ssh2: ED25519 SHA256:x";

/// On a bastion that we launch nobody else logs in; on the customer's own that is theirs to say.
#[test]
fn a_list_of_who_may_log_in_counts_where_there_is_one() {
    let script = |users: &str| {
        format!(
            "tell 10-onramp-hardening \"$(hardening local {users})\" not_in_force local {users}\nsshd -t\n\
             not_in_force local {users}\nsshd -T | grep '^allowusers ' || echo everybody"
        )
    };
    let Some(said) = told("", "", BY_KEY, &script("ubuntu wso2ops")) else { return };
    assert_eq!(said, "allowusers ubuntu\nallowusers wso2ops\n");
    assert_eq!(told("", "", BY_KEY, &script("")).unwrap(), "everybody\n");
}

/// apt itself says from where it would fetch.
#[test]
fn packages_come_from_a_mirror_and_from_nowhere_else_until_it_is_taken_back() {
    if !Path::new("/usr/bin/apt-get").exists() {
        eprintln!("SKIPPED: no apt on this machine");
        return;
    }
    let stage = Stage::new();
    let etc = stage.home().join("etc");
    assert!(Command::new("cp").arg("-a").arg("/etc").arg(&etc).status().unwrap().success());
    let script = r#"mirror=https://mirror.acme.example
asks() { apt-get --print-uris update | sed -n "s/^'\(https*:\/\/[^/]*\)\/.*/\1/p" | sort -u; }
if by_mirror "$mirror"; then echo early; fi
tell_mirror "$mirror"
by_mirror "$mirror"
if by_mirror "$mirror/other"; then echo another; fi
asks
forget_mirror
if by_mirror "$mirror"; then echo still; fi
asks | grep -c mirror.acme.example || true
test ! -e /etc/onramp"#;
    let Some(said) = with_library(&stage, &[(etc, "/etc")], script) else { return };
    assert_eq!(said, "https://mirror.acme.example\n0\n");
}

/// By the distribution's own program, and gone again with all that it made.
#[test]
fn the_authority_of_a_proxy_is_trusted_until_it_is_taken_back() {
    if !Path::new("/usr/sbin/update-ca-certificates").exists() {
        eprintln!("SKIPPED: no update-ca-certificates on this machine");
        return;
    }
    let text = std::fs::read_to_string(root().join("tests/scenarios/07-dx-vgw.yaml")).unwrap();
    let answers: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let authority = answers["mon.proxy_ca"].as_str().unwrap().trim();
    let stage = Stage::new();
    let (etc, local) = (stage.home().join("etc"), stage.home().join("local"));
    assert!(Command::new("cp").arg("-a").arg("/etc").arg(&etc).status().unwrap().success());
    std::fs::create_dir_all(&local).unwrap();
    let script = format!(
        "authority='{authority}'\nif trusts \"$authority\"; then echo early; fi\ntrust \"$authority\"\ntrusts \"$authority\"\n\
         ls $anchors\none=$(printf '%s\\n' \"$authority\" | sed '/-END/q')\nif trusts \"$one\"; then echo more; fi\n\
         trust \"$one\"\ntrusts \"$one\"\nls $anchors\ntrust_no_more\nif trusts \"$authority\"; then echo still; fi\nls $anchors"
    );
    let over = [(etc, "/etc"), (local, "/usr/local/share")];
    let Some(said) = with_library(&stage, &over, &script) else { return };
    assert_eq!(
        said, "onramp-proxy-1.crt\nonramp-proxy-2.crt\nonramp-proxy-1.crt\n",
        "those of an answer before are gone"
    );
}

/// Of what [main] says twice, dnf heeds the first line, and that of the host's own stands in it already.
#[test]
fn what_dnf_is_told_stands_before_what_it_was_told() {
    let stage = Stage::new();
    let etc = stage.home().join("etc");
    assert!(Command::new("cp").arg("-a").arg("/etc").arg(&etc).status().unwrap().success());
    std::fs::create_dir_all(etc.join("dnf")).unwrap();
    std::fs::write(etc.join("dnf/dnf.conf"), "[main]\nproxy=http://old:1\n[x]\na=b\n").unwrap();
    let script = "into_dnf 'proxy=http://new:2'\ncat /etc/dnf/dnf.conf";
    let Some(said) = with_library(&stage, &[(etc, "/etc")], script) else { return };
    assert_eq!(said, "[main]\nproxy=http://new:2\nproxy=http://old:1\n[x]\na=b\n");
}

/// What a step of a phase runs, with these words where values stand.
fn script_of(file: &str, step: &str, part: &str, values: &[(&str, &str)]) -> String {
    let text = std::fs::read_to_string(root().join("runbooks/managed-cloud").join(file)).unwrap();
    let phase: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let steps = phase["steps"].as_sequence().unwrap();
    let found = steps.iter().find(|one| one["id"].as_str() == Some(step)).unwrap();
    let script = found["shell"][part].as_str().unwrap().to_owned();
    values.iter().fold(script, |script, (name, value)| script.replace(&format!("{{{{ {name} }}}}"), value))
}

/// The account may have been there, with our key or without any: an undo takes away what was added and nothing else.
#[test]
fn a_key_that_was_there_before_outlives_the_undo() {
    let key = "ssh-ed25519 AAAA1 ours";
    for (before, after) in [
        (
            Some("ssh-ed25519 AAAA1 ours\nssh-ed25519 AAAA2 theirs\n"),
            "ssh-ed25519 AAAA1 ours\nssh-ed25519 AAAA2 theirs\n",
        ),
        (Some("ssh-ed25519 AAAA2 theirs\n"), "ssh-ed25519 AAAA2 theirs\n"),
        (None, ""),
    ] {
        let stage = Stage::new();
        let (etc, lib, home) = (stage.home().join("etc"), stage.home().join("lib"), stage.home().join("ann"));
        assert!(Command::new("cp").arg("-a").arg("/etc").arg(&etc).status().unwrap().success());
        [&lib, &home, &etc.join("sudoers.d")].iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
        let add = |file: &str, line: &str| {
            let text = std::fs::read_to_string(etc.join(file)).unwrap();
            std::fs::write(etc.join(file), format!("{}\n{line}\n", text.trim_end())).unwrap();
        };
        add("passwd", &format!("ann:x:4711:4711::{}:/bin/sh", home.display()));
        add("group", "ann:x:4711:");
        if let Some(keys) = before {
            std::fs::create_dir_all(home.join(".ssh")).unwrap();
            std::fs::write(home.join(".ssh/authorized_keys"), keys).unwrap();
        }
        let quoted = format!("'{key}'");
        let values = [("net.ssh_user", "ann"), ("net.ssh_public_key", quoted.as_str())];
        let part = |part: &str| script_of("01-access.yaml", "named-user", part, &values);
        let script = format!(
            "({})\ngrep -c . {2}/.ssh/authorized_keys >/dev/null\n({})\ncat {2}/.ssh/authorized_keys",
            part("run"),
            part("undo"),
            home.display()
        );
        let Some(said) = with_library(&stage, &[(etc, "/etc"), (lib, "/var/lib")], &script) else { return };
        assert_eq!(said, format!("ann\n{after}"), "{before:?}");
    }
}

/// The first packet over a tunnel is lost while the tunnel comes up.
#[test]
fn a_first_packet_that_is_lost_is_forgiven() {
    let script = script_of("05-connection.yaml", "path", "check", &[("vpn.ping_target", "192.0.2.1")]);
    let stage = Stage::new();
    let bin = stage.home().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let ping = |five: &str| {
        let text = format!("#!/bin/sh\ncase $2 in 1) exit 1 ;; *) {five} ;; esac\n");
        std::fs::write(bin.join("ping"), text).unwrap();
        std::fs::set_permissions(bin.join("ping"), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    ping("echo '5 packets transmitted, 5 received, 0% packet loss, time 1ms'");
    let Some(said) = with_library(&stage, &[], &script) else { return };
    assert!(said.contains("5 received"), "{said}");
    ping("echo '5 packets transmitted, 0 received, 100% packet loss'; exit 1");
    let lost = format!("if ({script}); then echo carries; else echo ended; fi");
    let Some(said) = with_library(&stage, &[], &lost) else { return };
    assert!(said.contains("100% packet loss") && said.ends_with("ended\n"), "what was seen is said: {said}");
}

#[test]
fn where_only_keys_are_used_passwords_and_codes_are_turned_off() {
    let Some(said) = hardened("PasswordAuthentication yes\nKbdInteractiveAuthentication yes", "", BY_KEY) else {
        return;
    };
    assert_eq!(said, "kbdinteractiveauthentication no\npasswordauthentication no\n");
}

#[test]
fn the_way_that_onramp_itself_comes_in_by_is_never_turned_off() {
    let open = "PasswordAuthentication yes\nKbdInteractiveAuthentication yes";
    for (log, stays, goes) in [
        ("Accepted keyboard-interactive/pam for root from 198.51.100.17 port 40022 ssh2", "Kbd", "Password"),
        ("Accepted password for root from 198.51.100.17 port 40022 ssh2", "Password", "Kbd"),
        // Somebody else's login says nothing of ours.
        (
            "Accepted publickey for keyboard-interactive from 198.51.100.17 port 1 ssh2\nAccepted password for root from 10.0.0.1",
            "Password",
            "Kbd",
        ),
    ] {
        let Some(said) = hardened(open, "", log) else { return };
        let word = |of: &str| if of == "Kbd" { "KbdInteractiveAuthentication" } else { "PasswordAuthentication" };
        assert!(said.contains(&format!("{} yes", word(stays).to_lowercase())), "{log}: {said}");
        assert!(said.contains(&format!("{} is left on", word(stays))), "{log}: {said}");
        assert!(said.contains(&format!("{} no", word(goes).to_lowercase())), "{log}: {said}");
    }
    let Some(said) = hardened(open, "", "Failed password for root from 203.0.113.9 port 1 ssh2") else { return };
    assert_eq!(said.matches(" is left on").count(), 2, "nobody can tell how we come in: {said}");
}

#[test]
fn a_rule_of_the_hosts_own_that_asks_for_a_code_stays_in_force() {
    let global = "KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive";
    let of_others = "KbdInteractiveAuthentication yes\nMatch User alice\n  AuthenticationMethods publickey,keyboard-interactive:pam";
    let by_pam = "auth required pam_google_authenticator.so nullok\n";
    for (settings, pam) in [(global, ""), (of_others, ""), ("KbdInteractiveAuthentication yes", by_pam)] {
        let Some(said) = hardened(settings, pam, BY_KEY) else { return };
        let wanted =
            "kbdinteractiveauthentication yes\npasswordauthentication no\nKbdInteractiveAuthentication is left on";
        assert!(said.starts_with(wanted), "{settings}: {said}");
    }
}

/// apt's own reader of its settings says what it understood.
#[test]
fn apt_understands_the_proxy_and_its_login() {
    if !Path::new("/usr/bin/apt-config").exists() {
        eprintln!("SKIPPED: no apt here");
        return;
    }
    let stage = Stage::new();
    let (apt, profile) = (stage.home().join("apt"), stage.home().join("profile"));
    [&apt, &profile].iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
    let over = [(apt, "/etc/apt/apt.conf.d"), (profile, "/etc/profile.d")];
    let script = r#"tell_proxy proxy.acme.example:3128 10.40.0.0/16,localhost '' ''
by_proxy proxy.acme.example:3128 10.40.0.0/16,localhost '' ''
stat -c %a /etc/apt/apt.conf.d/95onramp-proxy
tell_proxy 192.0.2.8:8080 localhost 'svc acme' 'p@ss:/"word'
by_proxy 192.0.2.8:8080 localhost 'svc acme' unseen
stat -c %a /etc/apt/apt.conf.d/95onramp-proxy
apt-config dump | grep -i '::proxy '
! grep -r 'ss' /etc/profile.d/onramp-proxy.sh
! by_proxy 192.0.2.8:8080 localhost '' ''
forget_proxy
ls -A /etc/apt/apt.conf.d /etc/profile.d"#;
    let Some(said) = with_library(&stage, &over, script) else { return };
    let login = "%73%76%63%20%61%63%6d%65:%70%40%73%73%3a%2f%22%77%6f%72%64@192.0.2.8:8080";
    let wanted = format!(
        "644\n600\nAcquire::http::Proxy \"http://{login}\";\nAcquire::https::Proxy \"http://{login}\";\n\
         /etc/apt/apt.conf.d:\n\n/etc/profile.d:\n"
    );
    assert_eq!(said, wanted);
}

/// An engagement that nothing was done in yet, with these inputs.
fn begun(stage: &Stage, inputs: &[&str]) {
    stage.run(&["new", "acme"]).expect(0);
    let given: Vec<&str> = ["input", "acme"].into_iter().chain(inputs.iter().copied()).collect();
    stage.run(&given).expect(0);
}

#[test]
fn whoever_has_nothing_in_aws_needs_no_account() {
    let stage = Stage::new();
    begun(
        &stage,
        &[
            "net.access_path=onprem_customer_vpn",
            "hosts.source=existing",
            "dns.mode=customer_dns",
            "smtp.mode=own_server",
            "smtp.auth=none",
            "aws.region_primary=eu-west-1",
            "aws.azs=eu-west-1a,eu-west-1b",
            "aws.account_mode=existing_customer",
            "eng.customer_name=Acme",
            "eng.customer_slug=acme",
            "dr.requested=no",
        ],
    );
    let status = stage.run(&["status", "acme"]).expect(0).out;
    let line = |step: &str| status.lines().find(|line| line.contains(step)).unwrap_or_default().to_owned();
    assert!(!line("preflight/where ").contains("aws.account_id"), "{status}");
    for step in
        ["preflight/encryption", "preflight/metadata", "preflight/public-block", "preflight/trail", "access/vpc"]
    {
        assert_eq!(line(&format!("{step} ")), "", "{status}");
    }
    stage.run(&["input", "acme", "smtp.mode=amazon_ses"]).expect(0);
    let status = stage.run(&["status", "acme"]).expect(0).out;
    let asked = status.lines().find(|line| line.contains("preflight/where ")).unwrap_or_default();
    assert!(asked.contains("aws.account_id"), "mail of AWS's needs one: {status}");
}

/// The role can be made without a second question, and takes nobody without the device that was agreed on.
#[test]
fn the_trust_policy_names_our_account_and_wants_the_device() {
    let stage = Stage::new().with_credentials();
    let role = [
        "aws.account_id=012345678901",
        "aws.region_primary=eu-west-1",
        "aws.azs=eu-west-1a,eu-west-1b",
        "aws.account_mode=existing_customer",
        "aws.partition=aws",
        "aws.support_plan=basic",
        "aws.block_public_buckets=yes",
        "dr.requested=no",
        "aws.role_arn=arn:aws:iam::012345678901:role/Ops",
        "aws.external_id=acme-123456",
        "aws.session_seconds=3600",
        "aws.mfa_serial=arn:aws:iam::111122223333:mfa/jane",
        "eng.customer_name=Acme",
        "eng.customer_slug=acme",
    ];
    begun(&stage, &role);
    // Nobody listens there: it is only asked what people are asked.
    let run =
        || (0..2).for_each(|_| drop(stage.run(&["--endpoint-url", "http://127.0.0.1:1", "run", "acme", "--yes"])));
    run();
    let status = stage.run(&["status", "acme"]).expect(0).out;
    let asked = status.lines().find(|line| line.contains("preflight/credentials ")).unwrap_or_default();
    assert!(asked.contains("aws.operator_account"), "{status}");
    stage.run(&["input", "acme", "aws.operator_account=210987654321"]).expect(0);
    run();
    let said = stage.run(&["wait", "acme"]);
    said.says("arn:aws:iam::210987654321:root");
    said.says(r#""Bool": {"aws:MultiFactorAuthPresent": "true"}"#);
}

/// Where no console showed the host keys, a person is asked about them, and nothing else stands in the way.
#[test]
fn without_a_console_a_person_compares_the_fingerprint() {
    let stage = Stage::new();
    let folder = stage.home().join("runbook");
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(root().join("runbooks/managed-cloud")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let silent = "    aws: console-host-keys\n";
        // As if both steps had been skipped: what they save is there for nobody.
        let text = text.split("\n\n").map(|step| match step.contains(silent) {
            true => step.replacen("    when: ", "    when: false and ", 1),
            false => step.to_owned(),
        });
        std::fs::write(folder.join(path.file_name().unwrap()), text.collect::<Vec<_>>().join("\n\n")).unwrap();
    }
    let (folder, answers) = (folder.display().to_string(), root().join("tests/scenarios/06-mail-relay.yaml"));
    let answers = answers.display().to_string();
    let practice = ["practice", "--headless", "--pace", "instant", "--runbook", &folder, "--answers", &answers];
    stage.run(&practice).expect(3);
    let status = stage.run(&["practice", "--status"]).out;
    let line = status.lines().find(|line| line.contains("access/new-port[bastion]")).unwrap_or_default();
    assert!(line.trim_start().starts_with("asks"), "{status}");
}

/// What is signed off as seen has to have been looked at when everything was there.
#[test]
fn what_the_internet_reaches_is_looked_at_when_the_hosts_are_there() {
    let folder = root().join("runbooks/managed-cloud");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files: Vec<(String, String)> =
        files.iter().map(|file| (file.display().to_string(), std::fs::read_to_string(file).unwrap())).collect();
    let (runbook, problems) = onramp::runbook::load(&files, &onramp::action::catalog());
    let runbook = runbook.unwrap_or_else(|| panic!("{problems:?}"));
    let exposure = runbook.steps().find(|step| step.id.to_string() == "access/exposure").unwrap();
    for step in ["access/private-hosts", "access/bastion-address", "access/jump-over-peering", "access/port-22-closed"]
    {
        assert!(exposure.needs.iter().any(|needed| needed.to_string() == step), "{step}: {:?}", exposure.needs);
    }
}

//! sshd_config is read as sshd reads it.

use super::super::disk::Owner;
use super::*;

async fn read(files: &[(&str, &str)]) -> Result<SshdConfig, Refusal> {
    let disk = Disk::new();
    for (path, text) in files {
        disk.put(path, text, 0o600, Owner::root());
    }
    SshdConfig::read(&disk).await
}

const INCLUDE: (&str, &str) = (MAIN, "Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication yes\n#Port 22\n");

#[tokio::test]
async fn the_first_value_wins_and_files_are_read_in_order_of_their_names() {
    let late = ("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication yes\n");
    let early = ("/etc/ssh/sshd_config.d/10-onramp-hardening.conf", "PasswordAuthentication no\n");
    let config = read(&[INCLUDE, late, early]).await.unwrap();
    assert!(!config.on("passwordauthentication", None));
    let config =
        read(&[INCLUDE, ("/etc/ssh/sshd_config.d/60-mine.conf", "PasswordAuthentication no"), late]).await.unwrap();
    assert!(config.on("passwordauthentication", None), "50 comes before 60");
}

#[tokio::test]
async fn ports_accumulate() {
    let one = ("/etc/ssh/sshd_config.d/01-a.conf", "Port 22\nPort 22022\n");
    assert_eq!(read(&[INCLUDE, one]).await.unwrap().ports(), [22, 22022]);
    assert_eq!(read(&[INCLUDE]).await.unwrap().ports(), [22]);
}

#[tokio::test]
async fn files_that_do_not_end_in_conf_are_not_included() {
    let other = ("/etc/ssh/sshd_config.d/01-a.conf.bak", "Port 2222\n");
    assert_eq!(read(&[INCLUDE, other]).await.unwrap().ports(), [22]);
}

#[tokio::test]
async fn a_wrong_line_is_refused_in_sshds_words() {
    for (line, expected) in [
        ("Prot 22", "line 1: Bad configuration option: Prot"),
        ("Port none", "line 1: Badly formatted port number."),
        ("Port 70000", "line 1: Badly formatted port number."),
        ("PasswordAuthentication maybe", "line 1: unsupported option \"maybe\"."),
        ("MaxStartups 10:300:60", "line 1: Illegal MaxStartups spec."),
        ("LoginGraceTime soon", "line 1: invalid time value."),
        ("Port", "line 1: no argument after keyword \"Port\""),
        ("Port 22 23", "extra arguments at end of line"),
        ("Banner \"/etc/issue", "unbalanced quotes"),
    ] {
        let Refusal(said) = read(&[(MAIN, line)]).await.unwrap_err();
        assert!(said.contains(expected), "{line}: {said}");
    }
}

#[tokio::test]
async fn match_counts_only_for_its_subject() {
    let text = "AllowTcpForwarding no\nMatch User deploy Address 10.0.0.0/8\n  PasswordAuthentication no\nMatch all\n  X11Forwarding yes\n";
    let config = read(&[(MAIN, text)]).await.unwrap();
    let deploy = Subject { user: "deploy".into(), address: "10.1.2.3".parse().ok(), ..Subject::default() };
    let stranger = Subject { address: "192.0.2.1".parse().ok(), ..deploy.clone() };
    assert!(!config.on("passwordauthentication", Some(&deploy)));
    assert!(config.on("passwordauthentication", Some(&stranger)));
    assert!(config.on("x11forwarding", None), "Match all counts for everybody");
}

#[tokio::test]
async fn port_does_not_stand_under_match() {
    let Refusal(said) = read(&[(MAIN, "Match User x\nPort 2222\n")]).await.unwrap_err();
    assert!(said.contains("not allowed within a Match block"), "{said}");
}

#[tokio::test]
async fn values_print_as_sshd_prints_them() {
    let config = read(&[(MAIN, "PermitRootLogin prohibit-password\nLoginGraceTime 1m\nAllowTcpForwarding all\n")])
        .await
        .unwrap();
    assert_eq!(config.value("permitrootlogin", None), "without-password");
    assert_eq!(config.value("logingracetime", None), "60");
    assert_eq!(config.value("allowtcpforwarding", None), "yes");
    assert_eq!(config.value("maxauthtries", None), "6");
}

#[tokio::test]
async fn a_listen_address_replaces_all_addresses() {
    let config = read(&[(MAIN, "ListenAddress 10.0.0.5\nListenAddress [::1]:99\nPort 2222\n")]).await.unwrap();
    assert_eq!(config.listen(), ["10.0.0.5:2222", "[::1]:99"]);
}

#[test]
fn patterns_are_those_of_the_manual() {
    assert!(listed("ub*,admin", "ubuntu") && listed("a?min", "admin"));
    assert!(!listed("*,!root", "root") && !listed("admin", "administrator"));
}

//! postfix on the hosts of practice: it passes mail on to a server that is who it says it is, with the login that it was
//! given, and says of what waits why it does.

use super::lab::{ENGINEER_TO, Lab, Shell};
use super::*;

const SERVER: &str = "smtp.acme.example";
const SEND: &str = "printf 'Subject: disk full\\nMessage-ID: <1@acme.example>\\n\\n.full\\n' | sendmail -i -f a@acme.example -- b@acme.example";

/// A host with postfix, and a relay at `port` that it logs in to.
async fn host(image: Image, port: u16, more: &str) -> (Lab, Shell) {
    let lab = Lab::new(image).await;
    let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    let install = if image.is_rhel() {
        "dnf -y install postfix cyrus-sasl-plain"
    } else {
        "apt-get -q update && apt-get -y install postfix libsasl2-modules"
    };
    let script = format!(
        "set -e\n{install} >/dev/null\n\
         postconf -e 'relayhost = [{SERVER}]:{port}' 'smtp_tls_security_level = secure' 'smtp_sasl_auth_enable = yes' \
         'smtp_sasl_password_maps = texthash:/etc/postfix/login' {more}\n\
         echo '[{SERVER}]:{port} alerts@acme.example:hunter2' >/etc/postfix/login\nsystemctl restart postfix\n"
    );
    let done = shell.sudo(&script).await;
    assert_eq!(done.code, 0, "{image:?}: {done:?}");
    (lab, shell)
}

const FATE: &str = "journalctl -q -o cat -t postfix/smtp | tail -n 1; postqueue -p | tail -n 1";

#[tokio::test]
async fn mail_is_passed_on_encrypted_and_with_a_login() {
    let implicit = "'smtp_tls_wrappermode = yes' 'smtp_sasl_mechanism_filter = login'";
    let challenged = "'smtp_sasl_mechanism_filter = cram-md5'";
    for (image, port, more) in
        [(Image::Debian12, 587, ""), (Image::Rhel9, 465, implicit), (Image::Ubuntu2404, 587, challenged)]
    {
        let (_lab, shell) = host(image, port, more).await;
        let done = shell.sudo(&format!("{SEND}\n{FATE}\n")).await;
        assert!(done.out.contains("to=<b@acme.example>") && done.out.contains("status=sent (250 2.0.0 Ok"), "{done:?}");
        assert!(done.out.ends_with("Mail queue is empty\n"), "{done:?}");
        let done = shell.sudo("journalctl -q -o cat -t postfix/cleanup | sed 's/^[^:]*//'\n").await;
        assert_eq!(done.out, ": message-id=<1@acme.example>\n", "{done:?}");
    }
}

#[tokio::test]
async fn another_password_than_the_first_is_refused_by_whatever_mechanism() {
    let (_lab, shell) = host(Image::Debian12, 587, "").await;
    let again = |password: &str, mechanism: &str| {
        format!(
            "postconf -e 'smtp_sasl_mechanism_filter = {mechanism}'\n\
             echo '[{SERVER}]:587 alerts@acme.example:{password}' >/etc/postfix/login\nsystemctl restart postfix\n\
             {SEND}\njournalctl -q -o cat -t postfix/smtp | tail -n 1\n"
        )
    };
    for (password, mechanism, wanted) in [
        ("hunter2", "plain", "status=sent"),
        ("hunter3", "plain", "535 5.7.8 Authentication failed"),
        ("hunter3", "login", "535 5.7.8 Authentication failed"),
        ("hunter3", "cram-md5", "535 5.7.8 Authentication failed"),
        ("hunter2", "cram-md5", "status=sent"),
        ("hunter2", "login", "status=sent"),
    ] {
        let done = shell.sudo(&again(password, mechanism)).await;
        assert!(done.out.contains(wanted), "{password} by {mechanism}: {done:?}");
    }
}

#[tokio::test]
async fn what_is_not_taken_waits_and_says_why() {
    let unplain = "postconf -e 'smtp_sasl_mechanism_filter = gssapi'";
    for (break_it, why) in [
        ("rm /etc/postfix/login", "the table of passwords cannot be opened"),
        ("echo '[other.example]:587 a:b' >/etc/postfix/login", "no password for this relay"),
        ("apt-get -y remove libsasl2-modules", "no worthy mechs found"),
        (unplain, "no mechanism available"),
        ("postconf -e 'smtp_tls_wrappermode = yes'", "not verified"),
    ] {
        let (_lab, shell) = host(Image::Debian12, 587, "").await;
        let done = shell.sudo(&format!("{break_it} >/dev/null\nsystemctl restart postfix\n{SEND}\n{FATE}\n")).await;
        assert!(done.out.contains("status=deferred") && done.out.contains(why), "{break_it}: {done:?}");
        assert!(done.out.ends_with("in 1 Request.\n"), "{break_it}: {done:?}");
    }
}

#[tokio::test]
async fn what_waits_goes_out_when_it_can_and_what_is_taken_away_does_not() {
    let (_lab, shell) = host(Image::Debian12, 587, "").await;
    let waits = format!("mv /etc/postfix/login /root/login\n{SEND}\npostqueue -p | grep -c b@acme.example\n");
    let done = shell.sudo(&waits).await;
    assert_eq!(done.out, "1\n", "{done:?}");
    let done = shell.sudo("mv /root/login /etc/postfix/login; postqueue -f; postqueue -p\n").await;
    assert_eq!(done.out, "Mail queue is empty\n", "{done:?}");
    shell.sudo(&waits).await;
    let taken = "postsuper -d \"$(postqueue -p | awk 'NR == 2 {print $1}')\"; postqueue -p\n";
    assert_eq!(shell.sudo(taken).await.out, "Mail queue is empty\n");
}

#[tokio::test]
async fn parameters_are_set_told_and_taken_away_as_postconf_does() {
    let (_lab, shell) = host(Image::Debian12, 587, "").await;
    let script = "postconf -e 'mydestination =' 'relayhost=[x]:25'; postconf -n relayhost mydestination nothing; \
                  grep -c ^relayhost /etc/postfix/main.cf; postconf -X relayhost mydestination; postconf -n relayhost; \
                  postfix status; systemctl stop postfix; postfix status; echo $?\n";
    let done = shell.sudo(script).await;
    assert_eq!(done.out, "relayhost = [x]:25\nmydestination =\n1\n1\n", "{done:?}");
    assert!(done.err.contains("is running: PID") && done.err.contains("is not running"), "{done:?}");
}

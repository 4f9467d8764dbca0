//! The shipped steps for mail on real Debian hosts, against a second postfix that wants TLS and a login and whose opendkim
//! signs: what is broken there makes the check fail and the diagnosis say where, and what is repaired makes it pass.

use serde_yaml::Value as Yaml;

use crate::names::serves;
use crate::secrets::{given_on_stdin, with_an_identity};
use crate::stage::{Lab, Stage, lab, shipped};

const NAME: &str = "smtp.acme.example";
const PASSWORD: &str = "mail-account-of-the-lab";

/// The customer's mail server: its certificate is signed by an authority of its own, its messages by opendkim, and what it
/// takes it keeps.
const AS_SERVER: &str = r"
cd /root
new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -x509 $new -keyout ca.key -out ca.pem -days 60 -subj '/CN=Acme lab authority' -addext basicConstraints=critical,CA:TRUE
openssl req $new -keyout /etc/postfix/key.pem -out relay.csr -subj /CN=smtp.acme.example
echo subjectAltName=DNS:smtp.acme.example >names
openssl x509 -req -in relay.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out /etc/postfix/cert.pem -days 60 -extfile names
printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN CRAM-MD5\n' >/etc/postfix/sasl/smtpd.conf
useradd --create-home ops
openssl genrsa -out /etc/dkimkeys/lab.key 2048
chown opendkim /etc/dkimkeys/lab.key
chmod 600 /etc/dkimkeys/lab.key
cat >/etc/opendkim.conf <<END
Domain acme.example
Selector lab
KeyFile /etc/dkimkeys/lab.key
Socket inet:8891@127.0.0.1
UserID opendkim
PidFile /run/opendkim/opendkim.pid
END
postconf -e 'myhostname = smtp.acme.example' 'mydestination = acme.example' 'inet_protocols = ipv4' \
  'smtpd_tls_cert_file = /etc/postfix/cert.pem' 'smtpd_tls_key_file = /etc/postfix/key.pem' 'smtpd_tls_security_level = encrypt' \
  'smtpd_sasl_auth_enable = yes' 'smtpd_sasl_local_domain = acme.example' 'smtpd_tls_auth_only = yes' 'home_mailbox = Maildir/' \
  'smtpd_client_restrictions = permit_sasl_authenticated, reject' 'smtpd_milters = inet:127.0.0.1:8891'
postconf -M submission/inet='submission inet n - n - - smtpd'
postconf -M smtps/inet='smtps inet n - n - - smtpd -o smtpd_tls_wrappermode=yes'
systemctl restart opendkim postfix && echo serves";

/// What stands in the name of this server, and is none of it.
const SOMEBODY_ELSE: &str = r"
cd /etc/postfix
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -days 60 -subj /CN=somebody.example
postconf -e 'smtpd_tls_cert_file = /etc/postfix/other.pem' 'smtpd_tls_key_file = /etc/postfix/other.key'
systemctl restart postfix";
const ITSELF: &str = r"
postconf -e 'smtpd_tls_cert_file = /etc/postfix/cert.pem' 'smtpd_tls_key_file = /etc/postfix/key.pem'
systemctl restart postfix";

/// An alert on a host, until postfix has said why it waits.
const ALERT: &str = r"
printf 'Subject: disk full\n\nfull\n' | sendmail -f alerts@acme.example ops@acme.example
for try in $(seq 100); do postqueue -p | grep -q '^ *(' && break; sleep 0.1; done";
const ALERTS_LEAVE: &str =
    "postqueue -f; for try in $(seq 100); do postqueue -p | grep -q empty && break; sleep 0.1; done";

/// A host that has no postfix yet, and an archive to install it from.
const AS_LAUNCHED: &str = r"
cd /var/local
deb=$(echo postfix_*.deb)
{ dpkg-deb -f $deb; echo Filename: ./$deb; echo Size: $(stat -c %s $deb); sha256sum $deb | sed 's/ .*//; s/^/SHA256: /'; } >Packages
echo 'deb [trusted=yes] file:/var/local ./' >/etc/apt/sources.list
DEBIAN_FRONTEND=noninteractive dpkg --purge postfix >/dev/null && echo purged";

/// The account of the hosts on the mail server.
fn account(lab: &Lab, password: &str) {
    let entry = format!(r"printf '%s\n' 'alerts\00acme.example\00userPassword' {password}");
    let made = format!("rm -f /etc/sasldb2; {entry} | db5.3_load -T -t hash /etc/sasldb2; chown postfix /etc/sasldb2");
    lab.inside("data-1", &made);
}

const STEPS: [&str; 11] = [
    "which",
    "sender",
    "server",
    "port-open",
    "server-ready",
    "message",
    "installed",
    "authority",
    "login",
    "relay",
    "passes",
];
/// What earlier phases and AWS would have told, and the password where no account keeps it.
const KNOWN: [(&str, &str); 21] = [
    ("aws.region_dr", "('eu-central-1')"),
    ("aws.region_primary", "('eu-west-1')"),
    ("conn.mode", "('none')"),
    ("dns.mode == 'route53' and dns.visibility != 'private'", "1 == 2"),
    ("dns.zone_name", "('mc.acme.example')"),
    ("dr.requested", "(1 == 2)"),
    ("eng.customer_name", "('Acme')"),
    ("eng.network_contact_email", "('network@acme.example')"),
    ("eng.primary_contact_email", "('ops@acme.example')"),
    ("mail.login", "smtp.password"),
    ("mail.ses_host", "smtp.host"),
    ("mail.ses_user", "smtp.username"),
    ("mon.http_proxy_host", "('192.0.2.1')"),
    ("mon.http_proxy_password", "smtp.password"),
    ("mon.http_proxy_port", "(3128)"),
    ("mon.http_proxy_user", "('')"),
    ("net.access_path", "('bastion_in_vpc')"),
    ("net.nat_mode", "('single')"),
    ("net.secondary_cidrs | default([])", "[]"),
    ("net.vpc_cidr", "('10.214.0.0/24')"),
    ("vpn.ping_target", "('192.0.2.1')"),
];

/// An engagement whose mail server is data-1, which is so no host of ours.
fn begun(lab: &Lab, relay: &str, known: &[(&str, &str)]) -> Stage {
    let stage = with_an_identity();
    let folder = stage.home().join("mail");
    std::fs::create_dir(&folder).unwrap();
    let wanted = |step: &Yaml| STEPS.contains(&step["id"].as_str().unwrap());
    let phase = lab.phase(["03-mail.yaml", "inputs-mail.yaml"], known, wanted);
    std::fs::write(folder.join("runbook.yaml"), phase).unwrap();
    std::fs::write(folder.join("diagnosis.yaml"), shipped("diagnosis-mail.yaml", known)).unwrap();
    stage.run(&["new", "mail", "--runbook", folder.to_str().unwrap()]).expect(0);
    let authority = lab.inside("data-1", "sed 's/^/  /' /root/ca.pem");
    let answers = format!(
        "smtp.mode: own_server\nsmtp.from: alerts@acme.example\nmail.test_to: ops@acme.example\nmail.relay: {relay}\n\
         smtp.host: {NAME}\nsmtp.port: 587\nsmtp.tls: starttls\nsmtp.auth: login\nsmtp.username: alerts@acme.example\n\
         smtp.ca_pem: |\n{authority}"
    );
    let answers = stage.file("answers.yaml", &answers);
    stage.run(&["input", "mail", "--file", answers.to_str().unwrap()]).expect(0);
    given_on_stdin(&stage, &["secret", "mail", "set", "smtp.password"], &format!("{PASSWORD}\n")).expect(0);
    stage.run(&["exclude", "mail", "data-1", "--reason", "it is the server"]).expect(0);
    stage
}

#[test]
fn hosts_pass_mail_on_to_a_relay_and_say_so_when_it_does_not_take_it() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    account(&lab, PASSWORD);
    assert_eq!(lab.inside("data-1", AS_SERVER), "serves\n");
    for host in ["bastion", "app-1"] {
        lab.inside(host, &format!("echo '10.214.0.12 {NAME}' >>/etc/hosts"));
    }
    assert_eq!(lab.inside("app-1", AS_LAUNCHED), "purged\n");
    let was = "postconf -n | sha256sum; ls /etc/postfix";
    let before = lab.inside("bastion", was);
    let stage = begun(&lab, "postfix", &KNOWN);
    stage.run(&["run", "mail", "--yes"]).expect(0);

    stage.run(&["plan", "mail"]).expect(0).says("Nothing would be changed.");
    stage.run(&["verify", "mail"]).expect(0);
    mail_arrived(&lab, &stage);
    the_signature_holds_until_the_message_is_touched(&lab, &stage);
    what_is_broken_is_said_until_it_is_repaired(&lab, &stage);

    stage.run(&["undo", "mail", "--all", "--yes"]).expect(0);
    assert_eq!(lab.inside("bastion", was), before);
    assert_eq!(lab.inside("app-1", "command -v postconf; ls /var/lib/onramp; ls /etc/postfix | grep onramp"), "");

    // The other way in, and the mechanism that only postfix speaks.
    stage.run(&["exclude", "mail", "app-1", "--reason", "one host is enough"]).expect(0);
    stage.run(&["input", "mail", "smtp.tls=implicit", "smtp.port=465", "smtp.auth=cram-md5"]).expect(0);
    stage.run(&["run", "mail", "--yes", "--redo"]).expect(0);
    let taken = lab.inside("data-1", "journalctl -q -o cat -t postfix/smtpd | grep -c sasl_method=CRAM-MD5");
    assert_eq!(taken, "1\n");
}

/// The hosts have no relay and their sshd forwards nothing; there is no bastion of ours that could ask in their place.
#[test]
fn a_host_that_forwards_nothing_tries_the_server_that_its_products_will_send_to() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    account(&lab, PASSWORD);
    assert_eq!(lab.inside("data-1", AS_SERVER), "serves\n");
    lab.inside("bastion", &format!("echo '192.0.2.1 {NAME}' >>/etc/hosts"));
    lab.inside("app-1", &format!("echo '10.214.0.12 {NAME}' >>/etc/hosts"));
    let none = "echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/05-none.conf; systemctl restart ssh";
    lab.inside("app-1", none);
    let mut known = KNOWN.to_vec();
    known.push(("hosts.bastions or hosts.all", "hosts.private"));
    known.push(("hosts.bastions", "hosts.private"));
    let stage = begun(&lab, "direct", &known);
    stage.run(&["exclude", "mail", "bastion", "--reason", "it is the customer's"]).expect(0);
    stage.run(&["run", "mail", "--yes"]).expect(0);
    stage.run(&["verify", "mail"]).expect(0).says("greets app-1");
    let subjects = lab.inside("data-1", "sed -n 's/^Subject: Test of the mail path //p' /home/ops/Maildir/new/*");
    assert_eq!(subjects, "(mail/message)\n");

    let branch = |branch: &str| stage.run(&["diagnose", "mail", "mail/server-ready"]).expect(0).says(branch);
    account(&lab, "another-password");
    stage.drifts("mail", &[("mail/server-ready", "535 5.7.8 Error: authentication failed")]);
    branch("[login-refused]");
    account(&lab, PASSWORD);
    lab.inside("data-1", SOMEBODY_ELSE);
    stage.drifts("mail", &[("mail/server-ready", "its certificate is that of an authority")]);
    branch("[certificate]");
    lab.inside("data-1", ITSELF);
    lab.inside("data-1", "systemctl stop postfix");
    branch("[nothing-listens]");
    lab.inside("data-1", "systemctl start postfix");
    stage.run(&["verify", "mail"]).expect(0);
    assert_eq!(lab.inside("app-1", "ps -eo args | grep -c '[o]nramp-tries' || true"), "0\n");
}

fn mail_arrived(lab: &Lab, stage: &Stage) {
    let set = "postconf -n relayhost smtp_tls_security_level; stat -c '%a %U' /etc/postfix/onramp-login";
    let is = format!("relayhost = [{NAME}]:587\nsmtp_tls_security_level = secure\n600 root\n");
    assert_eq!(lab.inside("app-1", set), is);
    let subjects =
        lab.inside("data-1", "sed -n 's/^Subject: Test of the mail path //p' /home/ops/Maildir/new/* | sort");
    assert_eq!(subjects, "(mail/message)\nfrom app-1\nfrom bastion\n");
    let passed = stage.run(&["status", "mail", "--value", "mail.passed"]).expect(0).out;
    assert!(passed.contains("status=sent") && passed.contains("queued as"), "{passed}");
}

fn what_is_broken_is_said_until_it_is_repaired(lab: &Lab, stage: &Stage) {
    // The server is gone.
    let branch = |branch: &str| stage.run(&["diagnose", "mail", "mail/server-ready"]).expect(0).says(branch);
    lab.inside("data-1", "systemctl stop postfix");
    stage.drifts("mail", &[("mail/passes[app-1]", "smtp.acme.example does not answer on port 587")]);
    branch("[nothing-listens]");
    lab.inside("data-1", "systemctl start postfix");
    stage.run(&["verify", "mail"]).expect(0);

    // The password is another one: an alert waits, and why it waits is said.
    account(lab, "another-password");
    lab.inside("app-1", ALERT);
    let login = ("mail/server-ready", "535 5.7.8 Error: authentication failed");
    stage.drifts("mail", &[login, ("mail/passes[app-1]", "mail waits on this host: SASL authentication failed")]);
    branch("[login-refused]");
    account(lab, PASSWORD);
    lab.inside("app-1", ALERTS_LEAVE);
    stage.run(&["verify", "mail"]).expect(0);

    // Somebody else answers under the server's name: neither a message nor the password goes there.
    lab.inside("data-1", SOMEBODY_ELSE);
    lab.inside("app-1", ALERT);
    let certificate = ("mail/server-ready", "its certificate is that of an authority");
    stage.drifts("mail", &[certificate, ("mail/passes[app-1]", "mail waits on this host: Server certificate not")]);
    branch("[certificate]");
    lab.inside("data-1", ITSELF);
    lab.inside("app-1", ALERTS_LEAVE);
    stage.run(&["verify", "mail"]).expect(0);
}

/// As its receiver judges it: with the key that stands in the DNS.
fn the_signature_holds_until_the_message_is_touched(lab: &Lab, stage: &Stage) {
    let key = "openssl rsa -in /etc/dkimkeys/lab.key -pubout -outform DER 2>/dev/null | base64 -w 200 | sed 's/.*/\"&\"/' | tr '\\n' ' '";
    let key = format!("lab._domainkey.acme TXT \"v=DKIM1; k=rsa; p=\" {}\\n", lab.inside("data-1", key));
    let policy = "_dmarc.acme TXT \"v=DMARC1; p=reject\"\\n";
    serves(lab, "bastion", "example", &format!("{key}{policy}"), "elsewhere.example", "10.214.0.12");
    let message = lab.inside("data-1", "cat $(grep -l 'mail path from app-1' /home/ops/Maildir/new/*)");
    let arrived = stage.file("message.eml", &message);
    let runbook = format!(
        "runbook: signed\ntitle: Signed\nphase: signed\nsteps:\n  - id: signed\n    title: It is signed\n    probe: dkim\n    \
         with: {{file: {}, domain: acme.example, server: 10.213.0.10}}\n",
        arrived.display()
    );
    let runbook = stage.file("signed.yaml", &runbook);
    stage.run(&["new", "signed", "--runbook", runbook.to_str().unwrap()]).expect(0);
    let pass = "dkim=pass header.d=acme.example header.s=lab, aligned, dmarc=pass (p=reject)";
    stage.run(&["run", "signed", "--yes"]).expect(0).says(pass);
    stage.file("message.eml", &message.replace("No answer is needed.", "Answer with your password."));
    stage.drifts("signed", &[("signed/signed", "no signature holds: dkim=")]);
}

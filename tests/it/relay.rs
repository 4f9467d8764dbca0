//! The shipped steps for mail on the hosts, on real Debian hosts against a second postfix that wants TLS and a login: what is
//! broken there makes the check fail, and what is repaired makes it pass.

use serde_yaml::Value as Yaml;

use crate::secrets::{given_on_stdin, with_an_identity};
use crate::stage::{Lab, Stage, lab};

/// The customer's mail server, on data-1.
const SERVER: &str = "10.214.0.12";
const NAME: &str = "smtp.acme.example";

/// A relay with STARTTLS and SASL, whose certificate an authority of its own has signed. What it takes, it keeps.
const AS_SERVER: &str = r"
cd /root
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 60 -subj '/CN=Acme lab authority' \
  -addext basicConstraints=critical,CA:TRUE 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout /etc/postfix/key.pem -out relay.csr -subj /CN=smtp.acme.example 2>/dev/null
printf 'subjectAltName=DNS:smtp.acme.example\n' >names
openssl x509 -req -in relay.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out /etc/postfix/cert.pem -days 60 -extfile names 2>/dev/null
printf 'smtp.acme.example\n' >/etc/mailname
mkdir -p /etc/postfix/sasl
printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN CRAM-MD5\n' >/etc/postfix/sasl/smtpd.conf
printf 'mail-account-of-the-lab' | saslpasswd2 -p -c -f /etc/sasldb2 -u acme.example alerts
chown postfix /etc/sasldb2
postconf -e 'myhostname = smtp.acme.example' 'mydestination = acme.example' 'inet_interfaces = all' 'inet_protocols = ipv4' \
  'smtpd_tls_cert_file = /etc/postfix/cert.pem' 'smtpd_tls_key_file = /etc/postfix/key.pem' 'smtpd_tls_security_level = encrypt' \
  'smtpd_sasl_auth_enable = yes' 'smtpd_sasl_local_domain = acme.example' 'smtpd_tls_auth_only = yes' 'luser_relay = root' \
  'local_recipient_maps =' 'smtpd_relay_restrictions = permit_sasl_authenticated, reject' 'home_mailbox =' \
  'smtpd_client_restrictions = permit_sasl_authenticated, reject'
postconf -F 'smtp/inet/chroot = n'
postconf -M submission/inet='submission inet n - n - - smtpd'
systemctl restart postfix && echo serves";

fn shipped(file: &str) -> Yaml {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/managed-cloud");
    serde_yaml::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

/// The shipped steps that work on the hosts, with the facts that they read; without what needs an account, and without the
/// look from the bastion, whose own authority for mail a step of the product's does not install.
fn runbook(lab: &Lab) -> String {
    let mut phase = shipped("03-mail.yaml");
    let steps = phase["steps"].as_sequence_mut().unwrap();
    let wanted = ["which", "sender", "server", "port-open", "installed", "authority", "login", "relay", "passes"];
    steps.retain(|step| wanted.contains(&step["id"].as_str().unwrap()));
    let ids: Vec<String> = steps.iter().map(|step| step["id"].as_str().unwrap().to_owned()).collect();
    for step in steps.iter_mut() {
        if let Some(needs) = step.get_mut("needs").and_then(Yaml::as_sequence_mut) {
            needs.retain(|need| ids.iter().any(|id| need.as_str() == Some(id)));
        }
    }
    let facts =
        shipped("04-ntp.yaml")["steps"].as_sequence().unwrap().iter().find(|step| step["id"] == "facts").cloned();
    let mut facts = facts.unwrap();
    facts.as_mapping_mut().unwrap().remove("needs");
    steps.insert(0, facts);
    phase["runbook"] = "mail".into();
    phase["inputs"] = shipped("inputs-mail.yaml")["inputs"].clone();
    // What only AWS would tell or keep.
    let text = serde_yaml::to_string(&phase).unwrap();
    let text = text.replace("{{ mail.login }}", "{{ smtp.password }}").replace("mail.ses_host", "smtp.host");
    let text = text.replace("mail.ses_user", "smtp.username").replace("{{ net.vpc_cidr }}", "10.214.0.0/24");
    let text = text.replace("{{ eng.network_contact_email | default('') }}", "the network team");
    let text = text.replace("{{ aws.region_primary }}", "eu-west-1").replace("dns.zone_name", "smtp.host");
    format!("{}hosts:\n{}", text.replace("dns.mode == 'route53' and dns.visibility != 'private'", "false"), lab.hosts())
}

fn begun(lab: &Lab) -> Stage {
    let stage = with_an_identity();
    let file = stage.file("mail.yaml", &runbook(lab));
    stage.run(&["new", "mail", "--runbook", file.to_str().unwrap()]).expect(0);
    let authority = lab.inside("data-1", "sed 's/^/  /' /root/ca.pem");
    let answers = format!(
        "smtp.mode: own_server\nsmtp.from: alerts@acme.example\nmail.test_to: ops@acme.example\nsmtp.tls: starttls\n\
         mail.relay: postfix\nsmtp.host: {NAME}\nsmtp.port: 587\nsmtp.auth: login\nsmtp.username: alerts@acme.example\n\
         smtp.ca_pem: |\n{authority}"
    );
    let answers = stage.file("answers.yaml", &answers);
    stage.run(&["input", "mail", "--file", answers.to_str().unwrap()]).expect(0);
    given_on_stdin(&stage, &["secret", "mail", "set", "smtp.password"], "mail-account-of-the-lab\n").expect(0);
    stage
}

#[test]
fn hosts_pass_mail_on_to_a_relay_and_say_so_when_it_does_not_take_it() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    if lab.inside("app-1", "command -v postconf").is_empty() {
        eprintln!("SKIPPED: the lab's hosts have no postfix; tests/lab/up makes them anew");
        return;
    }
    assert_eq!(lab.inside("data-1", AS_SERVER), "serves\n");
    for host in ["bastion", "app-1"] {
        lab.inside(host, &format!("echo '{SERVER} {NAME}' >>/etc/hosts"));
    }
    let was = "postconf -n | sha256sum; ls /etc/postfix";
    let before = lab.inside("app-1", was);
    let stage = begun(&lab);
    stage.run(&["exclude", "mail", "data-1", "--reason", "it is the server"]).expect(0);
    stage.run(&["run", "mail", "--yes"]).expect(0);

    let set =
        lab.inside("app-1", "postconf -n relayhost smtp_tls_security_level; stat -c '%a %U' /etc/postfix/onramp-login");
    assert_eq!(set, format!("relayhost = [{NAME}]:587\nsmtp_tls_security_level = secure\n600 root\n"));
    let arrived =
        "grep -c 'Subject: Test of the mail path from app-1' /var/mail/* /var/spool/mail/* 2>/dev/null | grep -c ':1$'";
    assert_ne!(
        lab.inside("data-1", arrived),
        "0\n",
        "{}",
        lab.inside("data-1", "journalctl -t postfix/smtpd -t postfix/local")
    );
    let passed = stage.run(&["status", "mail", "--value", "mail.passed"]).expect(0).out;
    assert!(passed.contains("status=sent") && passed.contains("queued as"), "{passed}");
    stage.run(&["plan", "mail"]).expect(0).says("Nothing would be changed.");
    stage.run(&["verify", "mail"]).expect(0);

    // Broken: the server is gone.
    lab.inside("data-1", "systemctl stop postfix");
    let broken = stage.run(&["verify", "mail"]);
    assert_ne!(broken.code, 0, "{}", broken.out);
    broken.says("does not answer on port 587");
    lab.inside("data-1", "systemctl start postfix");
    stage.run(&["verify", "mail"]).expect(0);

    // Broken: the password is another one. An alert waits, and why it waits is said.
    lab.inside("data-1", "printf another-password | saslpasswd2 -p -f /etc/sasldb2 -u acme.example alerts");
    lab.inside(
        "app-1",
        "printf 'Subject: disk full\\n\\nfull\\n' | sendmail -f alerts@acme.example ops@acme.example; sleep 3",
    );
    let broken = stage.run(&["verify", "mail"]);
    assert_ne!(broken.code, 0, "{}", broken.out);
    let why = lab.inside("app-1", "postqueue -p");
    assert!(why.contains("SASL authentication failed"), "{why}");
    lab.inside("data-1", "printf mail-account-of-the-lab | saslpasswd2 -p -f /etc/sasldb2 -u acme.example alerts");
    lab.inside("app-1", "postqueue -f; sleep 3");
    stage.run(&["verify", "mail"]).expect(0);

    // Broken: somebody else answers under the server's name. Neither a message nor the password goes there.
    lab.inside("data-1", "cp /etc/ssl/certs/ssl-cert-snakeoil.pem /etc/postfix/cert.pem; cp /etc/ssl/private/ssl-cert-snakeoil.key /etc/postfix/key.pem; systemctl restart postfix");
    lab.inside(
        "app-1",
        "printf 'Subject: disk full\\n\\nfull\\n' | sendmail -f alerts@acme.example ops@acme.example; sleep 3",
    );
    let why = lab.inside("app-1", "postqueue -p");
    assert!(why.contains("not verified") || why.contains("verification failed"), "{why}");
    lab.inside("app-1", "postsuper -d ALL");

    stage.run(&["undo", "mail", "--all", "--yes"]).expect(0);
    assert_eq!(lab.inside("app-1", was), before);
    assert_eq!(lab.inside("app-1", "ls /var/lib/onramp 2>/dev/null"), "");
}

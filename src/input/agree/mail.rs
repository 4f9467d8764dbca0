//! What mail asks of names, of the network and of Amazon SES.

use std::net::IpAddr;

use super::super::domain::within;
use super::super::refusal::Refusal;
use super::super::routing;
use super::{Answers, Disagreement, Rule, report, warn};

const MAIL_FROM: &str = "docs.aws.amazon.com/ses/latest/dg/mail-from.html";
const IDENTITIES: &str = "docs.aws.amazon.com/ses/latest/dg/creating-identities.html";
const ENDPOINTS: &str = "docs.aws.amazon.com/ses/latest/dg/send-email-set-up-vpc-endpoints.html";
const TOPICS: &str = "docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html";
const NAT: &str = "docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html";
const SIMULATOR: &str = "docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html";
const SES_PORTS: &str = "docs.aws.amazon.com/ses/latest/dg/smtp-connect.html";
const PORT_25: &str = "docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-resource-limits.html";

pub(super) const RULES: &[Rule] = &[
    public_mail_server_is_reached,
    mail_can_be_proved,
    web_is_of_ses_and_gets_out,
    port_25_is_private,
    mail_is_handed_in_there,
    mail_is_encrypted,
    ses_takes_mail_there,
    certificates_are_for_names,
    mail_gets_out_to_its_region,
    topic_is_in_reach,
    records_go_where_the_zone_is,
    sender_is_verified,
    mail_from_is_below,
    records_can_be_written,
    ses_has_a_way_out,
    the_test_message_is_read,
];

/// Without a NAT gateway and without a connection nothing outside the VPC is reached, and an HTTP proxy does not carry mail. A
/// name may still be that of a server in the VPC.
fn public_mail_server_is_reached(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let shut_in = answers.is("conn.mode", "none") && !answers.is("net.access_path", "onprem_customer_vpn");
    let (true, true, Some((id, host)), Some((nat_id, way))) = (
        shut_in,
        answers.is("smtp.mode", "own_server"),
        answers.text("smtp.host"),
        answers.text("net.nat_mode").filter(|(_, way)| way.starts_with("none")),
    ) else {
        return;
    };
    let why = "there is no NAT gateway and no private connection, and an HTTP proxy does not carry mail";
    let refusal = |what| Refusal::new(what, why, NAT).suggest("per_az");
    match host.parse::<IpAddr>() {
        // Of a private one, another rule speaks.
        Ok(IpAddr::V4(four)) if routing::is_inside(four) => {}
        Ok(_) => report(
            found,
            &[id, nat_id],
            refusal(format!("{host} of {id} is public: with {nat_id} = {way} no host reaches it")),
        ),
        Err(_) => {
            let what =
                format!("with {nat_id} = {way} the hosts reach {host} of {id} only where it stands in the VPC itself");
            warn(found, &[id, nat_id], refusal(what));
        }
    }
}

/// Certificate, login and a message are tried from a host, except for a login that onramp does not speak.
fn mail_can_be_proved(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (true, Some((id, "direct")), Some((auth_id, "cram-md5"))) =
        (answers.is("smtp.mode", "own_server"), answers.text("mail.relay"), answers.text("smtp.auth"))
    else {
        return;
    };
    let what = "nothing proves that the mail server lets the hosts in";
    let why = "onramp itself logs in by PLAIN and LOGIN only; postfix on each host tries the whole way with a message";
    warn(found, &[id, auth_id], Refusal::new(what, why, "onramp").suggest("postfix"));
}

/// Mail by HTTPS is Amazon SES's, and takes a way out to the Internet or a proxy.
fn web_is_of_ses_and_gets_out(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, "web")) = answers.text("mail.relay") else { return };
    let source = "docs.aws.amazon.com/ses/latest/dg/send-email-api.html";
    if let Some((mode_id, "own_server")) = answers.text("smtp.mode") {
        let why = "only Amazon SES takes mail by HTTPS";
        let refusal = Refusal::new("a mail server of the customer's has no web interface of Amazon SES", why, source);
        report(found, &[id, mode_id], refusal.suggest("postfix"));
    }
    let in_aws = !answers.is("net.access_path", "onprem_customer_vpn");
    if let (true, Some((nat_id, way @ ("none" | "none_private_link")))) = (in_aws, answers.text("net.nat_mode")) {
        let what = format!("with {nat_id} = {way} nothing gets out by HTTPS");
        let why = "an endpoint in the VPC for SMTP is made instead";
        report(found, &[id, nat_id], Refusal::new(what, why, source).suggest("postfix"));
    }
}

/// EC2 lets nothing out to port 25 of a public address.
fn port_25_is_private(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, 25)), Some((host_id, host))) = (answers.number("smtp.port"), answers.text("smtp.host")) else {
        return;
    };
    let why = "AWS lets no mail out to port 25 of a public address";
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(four)) if routing::is_inside(four) => {}
        Ok(_) => report(
            found,
            &[id, host_id],
            Refusal::new(format!("port 25 of {host} cannot be reached"), why, PORT_25).suggest("587"),
        ),
        Err(_) => {
            let what = format!("port 25 of {host} is reached only where that is a private address");
            warn(found, &[id, host_id], Refusal::new(what, why, PORT_25).suggest("587"));
        }
    }
}

/// Where mail servers take mail in (RFC 6409, RFC 8314), and the ports that providers have beside those.
const SUBMISSION: [i64; 6] = [25, 465, 587, 2465, 2525, 2587];

/// A port that is well known for something else is a slip; a high one may be what the customer chose.
fn mail_is_handed_in_there(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, port)) = answers.number("smtp.port").filter(|(_, port)| !SUBMISSION.contains(port)) else { return };
    if answers.is("smtp.mode", "amazon_ses") {
        return;
    }
    let what = format!("port {port} of {id} is none that mail is handed in at");
    let why = "587 and 465 are, also 2587, 2465 and 2525, and 25 of a private address";
    let refusal = Refusal::new(what, why, "RFC 8314 section 3.3").suggest("587");
    if port < 1024 { report(found, &[id], refusal) } else { warn(found, &[id], refusal) }
}

/// Amazon SES takes mail over TLS only: 587 and 2587 change over to it, 465 and 2465 begin with it. It has port 25, too, to
/// which EC2 lets nothing out.
fn ses_takes_mail_there(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((tls_id, tls)) = answers.text("smtp.tls").filter(|_| answers.is("smtp.mode", "amazon_ses")) else {
        return;
    };
    if tls == "none" {
        let why = "its servers take no login and no message before the connection is encrypted";
        let what = "Amazon SES takes no mail in clear text";
        return report(found, &[tls_id], Refusal::new(what, why, SES_PORTS).suggest("starttls"));
    }
    let (ports, usual) = if tls == "implicit" { ([465, 2465], "465") } else { ([587, 2587], "587") };
    if let Some((id, port)) = answers.number("smtp.port").filter(|(_, port)| !ports.contains(port)) {
        let what = format!("with {tls_id} = {tls} Amazon SES takes no mail at port {port}");
        let why = format!("it does at {} and {}", ports[0], ports[1]);
        report(found, &[id, tls_id], Refusal::new(what, why, SES_PORTS).suggest(usual));
    }
}

/// RFC 8314 section 3, and inputs of the runbook: a password goes over TLS only.
fn mail_is_encrypted(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    // Of Amazon SES another rule speaks.
    let Some((tls_id, tls)) = answers.text("smtp.tls").filter(|_| !answers.is("smtp.mode", "amazon_ses")) else {
        return;
    };
    if let (Some((id, auth)), "none") = (answers.text("smtp.auth"), tls)
        && auth != "none"
        && answers.is("smtp.mode", "own_server")
    {
        let what = "a password would go over the network in clear text";
        let why = "who logs in encrypts first";
        report(found, &[tls_id, id], Refusal::new(what, why, "RFC 8314 section 3").suggest("starttls"));
    } else if tls == "none" {
        let why = "an exception in writing is needed";
        warn(
            found,
            &[tls_id],
            Refusal::new("mail goes over the network in clear text", why, "RFC 8314 section 3").suggest("starttls"),
        );
    }
    if let Some((id, "none")) = answers.text("smtp.auth").filter(|_| answers.is("smtp.mode", "own_server")) {
        let why = "whoever gets as far as the server sends in the customer's name: an exception in writing is needed";
        warn(
            found,
            &[id],
            Refusal::new("mail is handed in without a login", why, "RFC 6409 section 4.3").suggest("login"),
        );
    }
    if let Some((id, port)) = answers.number("smtp.port") {
        let (odd, usual) = match (tls, port) {
            ("implicit", 587 | 2587 | 25) => (true, "465"),
            ("starttls", 465 | 2465) => (true, "587"),
            _ => (false, ""),
        };
        if odd {
            let what = format!("port {port} is not where servers speak {tls}");
            let why = "465 is encrypted from the first byte, 587 changes over";
            warn(found, &[id, tls_id], Refusal::new(what, why, "RFC 8314 section 3.3").suggest(usual));
        }
    }
}

/// A certificate can be for an address (RFC 9525, 6.5), and hardly any is.
fn certificates_are_for_names(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (true, Some((id, host)), Some((tls_id, tls))) =
        (answers.is("smtp.mode", "own_server"), answers.text("smtp.host"), answers.text("smtp.tls"))
    else {
        return;
    };
    if tls == "none" || host.parse::<IpAddr>().is_err() {
        return;
    }
    let what = format!("with {tls_id} = {tls} the server's certificate must be for the address {host} of {id}");
    let why =
        "a certificate is for a name, and hardly any for an address; give the name that stands in it and leads there";
    warn(found, &[id, tls_id], Refusal::new(what, why, "RFC 9525 section 6").suggest("smtp.acme.example"));
}

/// An endpoint in the VPC leads to Amazon SES of its own region; another one is reached through the Internet only.
fn mail_gets_out_to_its_region(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (true, Some((id, mail)), Some((region_id, region)), Some((nat_id, way))) = (
        answers.is("smtp.mode", "amazon_ses") && !answers.is("mail.relay", "web"),
        answers.text("ses.region"),
        answers.text("aws.region_primary"),
        answers.text("net.nat_mode"),
    ) && mail != region
        && way.starts_with("none")
    {
        let what = format!("with {nat_id} = {way} no host reaches Amazon SES in {mail}");
        let why = format!("the endpoint that onramp puts into the VPC leads to Amazon SES in {region}");
        report(found, &[id, region_id, nat_id], Refusal::new(what, why, ENDPOINTS).suggest(region));
    }
}

/// A verified domain covers what is below it, and nothing else.
fn sender_is_verified(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (true, Some((id, from)), Some((domain_id, domain))) =
        (answers.is("smtp.mode", "amazon_ses"), answers.text("smtp.from"), answers.text("ses.domain"))
    else {
        return;
    };
    let sender = from.rsplit('@').next().unwrap_or_default();
    if !within(sender, domain) {
        let what = format!("{from} of {id} is not of the domain {domain} that is verified");
        let local = from.split('@').next().unwrap_or("no-reply");
        let refusal = Refusal::new(what, "Amazon SES sends for verified domains only", IDENTITIES);
        report(found, &[id, domain_id], refusal.suggest(format!("{local}@{domain}")));
    }
    // Where both domains are one, another rule speaks, and nobody of that domain could be named here.
    if let Some((mail_from_id, mail_from)) = answers.text("ses.mail_from")
        && sender == mail_from
        && mail_from != domain
    {
        let what = format!("{from} of {id} is of the MAIL FROM domain itself");
        let why = "nothing but bounces comes to that domain";
        report(found, &[id, mail_from_id], Refusal::new(what, why, MAIL_FROM).suggest(format!("no-reply@{domain}")));
    }
}

/// Amazon SES developer guide, "Using a custom MAIL FROM domain".
fn mail_from_is_below(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, mail_from)), Some((domain_id, domain))) =
        (answers.text("ses.mail_from"), answers.text("ses.domain"))
    else {
        return;
    };
    if mail_from == domain || !within(mail_from, domain) {
        let what = format!("{mail_from} of {id} is not below {domain}");
        let why = "the MAIL FROM domain is a part of the verified domain, and not that itself";
        report(found, &[id, domain_id], Refusal::new(what, why, MAIL_FROM).suggest(format!("bounce.{domain}")));
    }
}

/// Receivers look the records up in the public DNS.
fn records_can_be_written(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, "route53_here")) = answers.text("ses.dns_owner") else { return };
    let why = "onramp can write the records only into a public zone in Route 53";
    let elsewhere = match (answers.text("dns.mode"), answers.text("dns.visibility")) {
        (Some((mode_id, "customer_dns")), _) => Some(("the customer's own name servers have the zone", mode_id)),
        (_, Some((visibility_id, "private"))) => {
            Some(("the zone is private, and receivers of mail could not look into it", visibility_id))
        }
        _ => None,
    };
    if let Some((what, other)) = elsewhere {
        report(found, &[id, other], Refusal::new(what, why, IDENTITIES).suggest("customer"));
    }
    if let (Some((domain_id, domain)), Some((zone_id, zone))) =
        (answers.text("ses.domain"), answers.text("dns.zone_name"))
        && !within(domain, zone)
    {
        let what = format!("{domain} of {domain_id} is not in the zone {zone}");
        report(found, &[id, domain_id, zone_id], Refusal::new(what, why, IDENTITIES).suggest("customer"));
    }
}

/// The records that prove a mail domain stand in its zone, and whoever has the zone writes them.
fn records_go_where_the_zone_is(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, "customer")), Some((domain_id, domain)), Some((zone_id, zone))) =
        (answers.text("ses.dns_owner"), answers.text("ses.domain"), answers.text("dns.zone_name"))
    else {
        return;
    };
    let public = matches!(answers.text("dns.visibility"), Some((_, "public" | "split")));
    if answers.is("dns.mode", "route53") && public && within(domain, zone) {
        let what = format!("{domain} is in the public zone {zone}, which onramp keeps");
        let why = "the customer cannot write records there; let onramp write them";
        report(found, &[id, domain_id, zone_id], Refusal::new(what, why, IDENTITIES).suggest("route53_here"));
    }
}

/// Amazon SES publishes to topics of its own region and account.
fn topic_is_in_reach(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, topic)) = answers.text("ses.topic") else { return };
    let mut parts = topic.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    for (other, own, what) in [("ses.region", region, "region"), ("aws.account_id", account, "account")] {
        let Some((other_id, wanted)) = answers.text(other) else { continue };
        if own != wanted {
            let said = format!("the topic is in the {what} {own}, and not in {wanted}");
            let why = "Amazon SES publishes to a topic of its own region and account only";
            report(found, &[id, other_id], Refusal::new(said, why, TOPICS).suggest(topic.replacen(own, wanted, 1)));
        }
    }
}

/// Without a way to the Internet, SES is reached through an endpoint in the VPC; an HTTP proxy carries no SMTP.
fn ses_has_a_way_out(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let (Some((id, "amazon_ses")), Some((nat_id, way))) = (answers.text("smtp.mode"), answers.text("net.nat_mode"))
        && way.starts_with("none")
        && !answers.is("mail.relay", "web")
    {
        let why = "an HTTP proxy does not carry mail; onramp puts an endpoint of SES into the VPC, in its own region only, billed by \
                   the hour";
        warn(found, &[id, nat_id], Refusal::new("the hosts have no way out to Amazon SES", why, ENDPOINTS));
    }
}

/// Amazon's simulator swallows what Amazon SES hands it; another server would send the message to nobody.
fn the_test_message_is_read(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, reader)), Some((mode_id, mode))) = (answers.text("mail.test_to"), answers.text("smtp.mode")) else {
        return;
    };
    if !reader.to_lowercase().ends_with("@simulator.amazonses.com") {
        return;
    }
    let somebody = answers.text("eng.primary_contact_email").map_or("ops@acme.example", |(_, email)| email);
    if mode == "own_server" {
        let what =
            format!("{reader} of {id} is Amazon's simulator, and the mail goes through the customer's own server");
        let why = "the simulator is for Amazon SES, and nobody reads what comes there; first name somebody who does";
        report(found, &[id, mode_id], Refusal::new(what, why, SIMULATOR).suggest(somebody));
    } else {
        let what = format!("{reader} of {id} is Amazon's simulator, which nobody reads");
        let why = "that AWS takes a message is seen with it; whether one arrives, and with a signature that holds, only a person can \
                   tell who gets it";
        warn(found, &[id], Refusal::new(what, why, SIMULATOR).suggest(somebody));
    }
}

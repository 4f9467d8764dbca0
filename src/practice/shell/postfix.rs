//! postfix as a service: the parameters that it was started with, and the messages that wait.
//!
//! Rules: postconf(5), postconf(1), smtp(8), and what postfix 3.7 prints.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Session;
use super::disk::{Disk, Owner};
use super::image::Image;
use super::machine::Machine;
use super::smtp::{self, Manner, Not, Tls};

pub const UNIT: &str = "postfix.service";
pub const MAIN: &str = "/etc/postfix/main.cf";
/// What brings the mechanisms to log in with.
const MECHANISMS: [&str; 2] = ["libsasl2-modules", "cyrus-sasl-plain"];
const CRAM: [&str; 2] = ["libsasl2-modules", "cyrus-sasl-md5"];

/// postfix on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postfix {
    /// As read at the last start, whatever the file says by now; nothing if it does not run.
    pub running: Option<Parameters>,
    pub queue: Vec<Queued>,
}

/// By name.
pub type Parameters = BTreeMap<String, String>;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    pub id: String,
    pub from: String,
    pub to: Vec<String>,
    /// With its headers; lines end with CR and LF.
    pub text: String,
    /// Why it was not taken last.
    pub why: String,
}

/// What the package puts on the disk.
pub fn lay_out(disk: &Disk, image: Image) {
    disk.dir("/etc/postfix", 0o755, Owner::root());
    let text = if image.is_rhel() {
        "compatibility_level = 2\nmail_owner = postfix\ninet_interfaces = localhost\ninet_protocols = all\n\
         mydestination = $myhostname, localhost.$mydomain, localhost\nsmtp_tls_CApath = /etc/pki/tls/certs\n\
         smtp_tls_CAfile = /etc/pki/tls/certs/ca-bundle.crt\nsmtp_tls_security_level = may\n"
    } else {
        "# See /usr/share/postfix/main.cf.dist for a commented, more complete version\n\ncompatibility_level = 3.6\n\
         smtp_tls_CApath=/etc/ssl/certs\nsmtp_tls_security_level=may\nmydestination = $myhostname, localhost\nrelayhost = \n\
         mynetworks = 127.0.0.0/8\ninet_interfaces = all\ninet_protocols = all\n"
    };
    disk.put(MAIN, text, 0o644, Owner::root());
}

/// The lines of main.cf that set something, by name.
pub fn parameters(text: &str) -> Parameters {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    lines.filter_map(pair).collect()
}

/// main.cf with one parameter set, or without it.
pub fn edited(text: &str, name: &str, value: Option<&str>) -> String {
    let sets = |line: &str| !line.starts_with('#') && line.split_once('=').is_some_and(|(own, _)| own.trim() == name);
    let new = value.map(|value| format!("{name} = {value}").trim_end().to_owned());
    let mut lines: Vec<String> = Vec::new();
    let mut placed = false;
    for line in text.lines() {
        if !sets(line) {
            lines.push(line.to_owned());
        } else if !placed && let Some(new) = &new {
            lines.push(new.clone());
            placed = true;
        }
    }
    lines.extend(new.filter(|_| !placed));
    lines.join("\n") + "\n"
}

impl Machine {
    pub async fn start_postfix(&self) -> Result<(), String> {
        let Some(text) = self.disk.text(MAIN).await else {
            return Err(format!("fatal: open {MAIN}: No such file or directory\n"));
        };
        self.with(|state| state.postfix.running = Some(parameters(&text)));
        Ok(())
    }
}

/// Tries every message that waits; what is not taken goes on waiting, and what never will be is sent back and forgotten.
pub async fn deliver(session: &Arc<Session>) {
    let machine = &session.machine;
    let Some(running) = machine.with(|state| state.postfix.running.clone()) else { return };
    for queued in machine.with(|state| std::mem::take(&mut state.postfix.queue)) {
        let relay = running.get("relayhost").cloned().unwrap_or_default();
        let tried = pass_on(session, &running, &queued).await;
        let (status, said) = match &tried {
            Ok(said) => ("sent", said),
            Err(Not::Yet(why)) => ("deferred", why),
            Err(Not::Ever(why)) => ("bounced", why),
        };
        for to in &queued.to {
            let line =
                format!("{}: to=<{to}>, relay={relay}, status={status} ({})", queued.id, said.replace('\n', " "));
            machine.log("postfix/smtp", line);
        }
        if let Err(Not::Yet(why)) = tried {
            machine.with(|state| state.postfix.queue.push(Queued { why, ..queued }));
        }
    }
}

async fn pass_on(session: &Session, running: &Parameters, queued: &Queued) -> Result<String, Not> {
    let set = |name: &str| running.get(name).map(String::as_str).unwrap_or_default();
    let relay = set("relayhost");
    let (host, port) = relay.rsplit_once(':').unwrap_or((relay, "25"));
    let host = host.trim_matches(['[', ']']).to_owned();
    let port: u16 = port.parse().map_err(|_| Not::Yet(format!("Host or domain name not found: {relay}")))?;
    let tls = match (set("smtp_tls_wrappermode"), set("smtp_tls_security_level")) {
        ("yes", _) => Tls::FromTheStart,
        (_, "encrypt" | "verify" | "secure") => Tls::Later,
        _ => Tls::No,
    };
    let login = if set("smtp_sasl_auth_enable") == "yes" { Some(login(session, running).await?) } else { None };
    let Some(reach) = &session.reach else {
        return Err(Not::Yet(format!("connect to {host}: Network is unreachable")));
    };
    let limit = std::time::Duration::from_secs(10);
    let wire = match tokio::time::timeout(limit, reach.dial(&session.machine, &host, port)).await {
        Ok(Ok(wire)) => wire,
        Ok(Err(error)) => return Err(Not::Yet(format!("connect to {host}:{port}: {error}"))),
        Err(_) => return Err(Not::Yet(format!("connect to {host}:{port}: Connection timed out"))),
    };
    let trust = reach.network.outside.connector()?;
    smtp::hand_over(wire, &Manner { host, tls, login }, &trust, (&queued.from, &queued.to, &queued.text)).await
}

/// Mechanism, user and password, as `texthash:` has them for the relay.
async fn login(session: &Session, running: &Parameters) -> Result<(String, String, String), Not> {
    let failed = |why: &str| Not::Yet(format!("SASL authentication failed; {why}"));
    let set = |name: &str| running.get(name).map(String::as_str).unwrap_or_default();
    let wanted = set("smtp_sasl_mechanism_filter").to_uppercase();
    let packages = if wanted == "CRAM-MD5" { CRAM } else { MECHANISMS };
    if !packages.iter().any(|package| session.machine.installed(package)) {
        return Err(failed("no worthy mechs found"));
    }
    let path = set("smtp_sasl_password_maps").strip_prefix("texthash:").unwrap_or_default();
    let text =
        session.machine.disk.text(path).await.ok_or_else(|| failed("the table of passwords cannot be opened"))?;
    let of_relay = |line: &'_ str| line.strip_prefix(set("relayhost")).map(|rest| rest.trim().to_owned());
    let login = text.lines().find_map(of_relay).ok_or_else(|| failed("no password for this relay"))?;
    let (user, password) = login.split_once(':').ok_or_else(|| failed("no password for this relay"))?;
    let mechanism = if wanted.is_empty() { "PLAIN".to_owned() } else { wanted };
    Ok((mechanism, user.to_owned(), password.to_owned()))
}

//! A host key that nothing vouches for: shown in the forms that people compare, and compared for them.

use ratatui::style::Style;

use super::exactly;
use super::explain::status;
use crate::engagement::{Address, Question, Status, hosts};
use crate::text::fingerprint::{Compared, compare, md5_of_key};
use crate::ui::facts::Facts;
use crate::ui::look::Role;
use crate::ui::widget::prose::Prose;

/// What is shown, and how to compare it.
pub(super) fn explain(facts: &Facts, step: &Address, prose: &mut Prose) {
    let look = &facts.look;
    let Some(Status::Asked(Question::HostKey { hop, host, port, algorithm, fingerprint, openssh })) =
        status(facts, step)
    else {
        return;
    };
    let address = address_of(facts, hop).unwrap_or_else(|| host.clone());
    prose.item("Host", &format!("{hop}  ({address}, port {port})"), look.bold());
    prose.item("Key", algorithm, Style::new());
    prose.item("Shows", fingerprint, look.style(Role::Accent));
    if let Some(md5) = md5_of_key(openssh) {
        prose.item("", &md5, look.style(Role::Accent));
    }
    prose.blank();
    prose.text(
        "Compare it, character by character, with a second source: the console output of the instance, the customer's \
         list, or on the host itself:",
        Style::new(),
    );
    let file = match algorithm.as_str() {
        "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" => "ssh_host_rsa_key.pub",
        algorithm if algorithm.starts_with("ecdsa") => "ssh_host_ecdsa_key.pub",
        _ => "ssh_host_ed25519_key.pub",
    };
    prose.verbatim(&format!("ssh-keygen -lf /etc/ssh/{file}"), look.bold());
    prose.text(
        "ssh-keyscan is no second source: it asks the same wire. If they differ, press Esc and find out why.",
        Style::new(),
    );
}

/// Where a hop stands now, as the runbook's hosts say.
fn address_of(facts: &Facts, hop: &str) -> Option<String> {
    let open = facts.open.as_ref()?;
    let mut hosts = hosts(&open.runbook, &open.scope).into_iter().filter_map(|(_, host)| host.ok());
    hosts.find(|host| host.known_as == hop).map(|host| host.address)
}

/// A person's yes, or the fingerprint that they have from the second source, which is compared here.
///
/// # Errors
/// It is another one, or neither.
pub(super) fn agreed(facts: &Facts, step: &Address, typed: &str) -> Result<(), String> {
    let Some(Status::Asked(Question::HostKey { hop, fingerprint, openssh, .. })) = status(facts, step) else {
        return exactly(typed, "yes");
    };
    match compare(typed, fingerprint, openssh) {
        Compared::Same => Ok(()),
        Compared::Other => {
            Err(format!("this is NOT the key that {hop} shows, or one of another kind. Esc, and find out why"))
        }
        Compared::NotOne => exactly(typed, "yes"),
    }
}

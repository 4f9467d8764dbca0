//! The way to one host, with what it takes to become root there, and what the host is.

use super::failure::of_ssh;
use super::os::facts::Facts;
use super::world::trouble_of_ssh;
use super::{Trouble, World};
use crate::engagement::{Failure, MissingSecret, Question};
use crate::input::SecretRef;
use crate::ssh::{Problem, Route, SshError};

impl World {
    /// The hops to a host. What is known of sudo's password there goes with them.
    ///
    /// # Errors
    /// A host on the way is unknown, or the way runs in a circle.
    pub(super) async fn way(&self, host: &str) -> Result<Route, Failure> {
        let route = self.route(host).await?;
        let (_, reference) = self.sudo_secret(host)?;
        let given = self.routes.host(host)?.sudo.is_some();
        if let (Some(hop), true) = (route.hops.last(), given || self.vault.knows(&reference))
            && let Ok(text) = Box::pin(self.vault.find(&reference, &self.cloud)).await
        {
            self.ssh.sudo_passwords().give(&hop.name, &hop.user, &text);
        }
        Ok(route)
    }

    /// Who becomes root there, and where the password for that is: as the runbook's hosts say, or with a person.
    fn sudo_secret(&self, host: &str) -> Result<(String, SecretRef), Failure> {
        let host = self.routes.host(host)?;
        let of_host = SecretRef::for_sudo(&host.user, &host.known_as);
        let reference = match &host.sudo {
            None => of_host,
            Some(said) => match said.parse() {
                Ok(SecretRef::Prompt { what_for }) if what_for.is_empty() => of_host,
                Ok(reference) => reference,
                Err(_) => {
                    let what = format!("`sudo` of host {} does not say where a secret lives", host.name);
                    return Err(Failure::new(what, "Name a secret input there: sudo: \"{{ ssh.sudo_password }}\"."));
                }
            },
        };
        Ok((host.user.clone(), reference))
    }

    /// Is everything at hand to become root there?
    ///
    /// # Errors
    /// The question for the password.
    pub(super) async fn sudo_at_hand(&self, host: &str) -> Result<(), Question> {
        // What else is wrong, the script says for itself.
        let Ok((user, reference)) = self.sudo_secret(host) else { return Ok(()) };
        if user == "root" || self.vault.knows(&reference) {
            return Ok(());
        }
        match self.facts(host).await {
            Ok(facts) if facts.sudo_asks() => self.find_sudo(host, &reference).await,
            _ => Ok(()),
        }
    }

    /// The password from where it lives; a person is asked where it cannot be had.
    async fn find_sudo(&self, host: &str, reference: &SecretRef) -> Result<(), Question> {
        let why = |why: String| match reference {
            SecretRef::Prompt { .. } => format!("sudo on {host} asks for it, and it is kept nowhere"),
            _ => why,
        };
        let found = Box::pin(self.vault.find(reference, &self.cloud)).await;
        found.map(drop).map_err(|missing: MissingSecret| Question::NeedsSecret {
            why: why(missing.why),
            reference: missing.reference,
        })
    }

    /// What to tell of a script that did not run on this host: a question for a person where sudo wants a password.
    pub(super) async fn trouble_at(&self, host: &str, error: &SshError) -> Trouble {
        let (Ok((_, reference)), Problem::PasswordNeededForSudo | Problem::WrongPasswordForSudo) =
            (self.sudo_secret(host), &error.problem)
        else {
            return trouble_of_ssh(error);
        };
        if error.problem == Problem::WrongPasswordForSudo {
            self.vault.unlearn(&reference);
            let why = format!("sudo on {host} did not accept what was given");
            return match reference {
                SecretRef::Prompt { .. } => Trouble::Question(Question::NeedsSecret { reference, why }),
                // Asking again would find the same in its store.
                _ => Trouble::Failure(Failure { what: format!("{why}: {}", reference.said()), ..of_ssh(error) }),
            };
        }
        match self.find_sudo(host, &reference).await {
            Err(question) => Trouble::Question(question),
            // It is at hand now; the next try takes it along.
            Ok(()) => trouble_of_ssh(error),
        }
    }

    /// What the host is; asked for once in a run.
    ///
    /// # Errors
    /// It could not be asked.
    pub(super) async fn facts(&self, host: &str) -> Result<Facts, Trouble> {
        let known = self.facts.clone();
        Box::pin(known.of(self, host)).await
    }

    /// A disk that is as good as full is said before a script runs into it.
    pub(super) async fn mind_the_disk(&self, host: &str) {
        let Ok(facts) = self.facts(host).await else { return };
        for left in facts.full_disks() {
            self.say(&format!("(the disk of {host} is nearly full: {left})")).await;
        }
    }
}

//! Whether a key may log in: the AuthorizedKeysFile of its user (sshd(8), AUTHORIZED_KEYS FILE FORMAT).

use std::net::IpAddr;
use std::path::Path;

use bashkit::FileSystem;
use russh::keys::PublicKey;

use super::account::Account;
use super::disk::Disk;
use super::sshd_config::listed;

/// What the line that let a key in allows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    pub forwarding: bool,
}

/// Looks for `key` in the user's files. Nothing if it is not there, may not come from `address`, or StrictModes
/// objects.
pub async fn find(
    disk: &Disk,
    user: &Account,
    files: &str,
    strict: bool,
    key: &PublicKey,
    address: IpAddr,
) -> Option<Grant> {
    for pattern in files.split_whitespace() {
        let expanded = pattern.replace("%h", &user.home).replace("%u", &user.name);
        let path = if expanded.starts_with('/') { expanded } else { format!("{}/{expanded}", user.home) };
        let Some(text) = disk.text(&path).await else { continue };
        if strict && !is_safe(disk, user, &path).await {
            continue;
        }
        if let Some(grant) = text.lines().find_map(|line| grant(line, key, address)) {
            return Some(grant);
        }
    }
    None
}

/// The file, its directory and the home directory belong to the user or root, and nobody else may write there.
async fn is_safe(disk: &Disk, user: &Account, path: &str) -> bool {
    let inside = path.starts_with(&user.home);
    let above = Path::new(path).ancestors().take_while(|one| !inside || one.starts_with(&user.home));
    for one in above.take(3) {
        let owner = disk.owner(one).user;
        let Ok(meta) = disk.raw().stat(one).await else { return false };
        if meta.mode & 0o022 != 0 || (owner != user.name && owner != "root") {
            return false;
        }
    }
    true
}

fn grant(line: &str, key: &PublicKey, address: IpAddr) -> Option<Grant> {
    let line = line.trim();
    let (options, rest) = split_options(line)?;
    let listed_key = PublicKey::from_openssh(rest).ok()?;
    if listed_key.key_data() != key.key_data() {
        return None;
    }
    let from = options.iter().find_map(|option| option.strip_prefix("from="));
    if from.is_some_and(|from| !listed(from.trim_matches('"'), &address.to_string())) {
        return None;
    }
    let has = |name: &str| options.iter().any(|option| option.eq_ignore_ascii_case(name));
    let forwarding = (!has("restrict") || has("port-forwarding")) && !has("no-port-forwarding");
    Some(Grant { forwarding })
}

/// The options before the key, if the line begins with any, and the key.
fn split_options(line: &str) -> Option<(Vec<String>, &str)> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let is_key = |text: &str| ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| text.starts_with(kind));
    if is_key(line) {
        return Some((Vec::new(), line));
    }
    let mut quoted = false;
    let mut options = vec![String::new()];
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                options.push(String::new());
                continue;
            }
            ' ' | '\t' if !quoted => return Some((options, line[at..].trim_start())),
            _ => {}
        }
        options.iter_mut().next_back()?.push(letter);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::disk::Owner;
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUzo3Hk3p8zTPcXrIP/0EvTYVW4UhgMPlnAcT2Xe/1v";

    async fn look(line: &str, mode: u32, from: &str) -> Option<Grant> {
        let disk = Disk::new();
        disk.dir("/home/u", 0o750, Owner::of("u"));
        disk.dir("/home/u/.ssh", 0o700, Owner::of("u"));
        disk.put("/home/u/.ssh/authorized_keys", line, mode, Owner::of("u"));
        let key = PublicKey::from_openssh(KEY).unwrap();
        find(&disk, &Account::plain("u", 1000), ".ssh/authorized_keys", true, &key, from.parse().unwrap()).await
    }

    #[tokio::test]
    async fn options_limit_what_a_key_may() {
        let open = Some(Grant { forwarding: true });
        assert_eq!(look(KEY, 0o600, "192.0.2.1").await, open);
        assert_eq!(
            look(&format!("# a\nrestrict {KEY} me"), 0o600, "192.0.2.1").await,
            Some(Grant { forwarding: false })
        );
        let from = format!("from=\"192.0.2.*,10.0.0.1\",no-pty {KEY}");
        assert_eq!(look(&from, 0o600, "192.0.2.1").await, open);
        assert_eq!(look(&from, 0o600, "198.51.100.1").await, None);
        assert_eq!(look("", 0o600, "192.0.2.1").await, None);
    }

    #[tokio::test]
    async fn a_file_that_others_may_write_is_not_believed() {
        assert_eq!(look(KEY, 0o666, "192.0.2.1").await, None);
    }
}

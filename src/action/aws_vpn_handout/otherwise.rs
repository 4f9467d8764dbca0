//! What AWS's sample for a device sets otherwise than the connection takes it, read from the sample itself: each maker writes
//! in its own words, and a value that cannot be read is left to the sheet.

use std::collections::BTreeSet;

use super::{Phase, Tunnel};

/// What a sample says, in AWS's words.
#[derive(Default)]
struct Shown {
    encryption: BTreeSet<&'static str>,
    integrity: BTreeSet<&'static str>,
    groups: BTreeSet<i32>,
}

impl Shown {
    fn of(sample: &str) -> Shown {
        let lower = sample.to_lowercase();
        let words: Vec<&str> =
            lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let mut shown = Shown::default();
        for (at, word) in words.iter().enumerate() {
            let near = &words[at + 1..words.len().min(at + 3)];
            let next = near.first().copied().unwrap_or_default();
            match *word {
                "aes128" => shown.encrypts("128"),
                "aes256" => shown.encrypts("256"),
                "aes" => near.iter().for_each(|size| shown.encrypts(size)),
                "sha1" | "sha96" => drop(shown.integrity.insert("SHA1")),
                "sha256" => drop(shown.integrity.insert("SHA2-256")),
                "sha384" => drop(shown.integrity.insert("SHA2-384")),
                "sha512" => drop(shown.integrity.insert("SHA2-512")),
                // `hash sha` is the oldest of them.
                "sha" | "sha2" => drop(shown.integrity.insert(match next {
                    "256" => "SHA2-256",
                    "384" => "SHA2-384",
                    "512" => "SHA2-512",
                    _ if *word == "sha" => "SHA1",
                    _ => continue,
                })),
                "modp1024" => drop(shown.groups.insert(2)),
                "modp2048" => drop(shown.groups.insert(14)),
                "group" | "dhgrp" => shown.groups.extend(next.parse::<i32>().ok()),
                word => shown.groups.extend(word.strip_prefix("group").and_then(|number| number.parse::<i32>().ok())),
            }
        }
        shown
    }

    fn encrypts(&mut self, size: &str) {
        match size {
            "128" => drop(self.encryption.insert("AES128")),
            "256" => drop(self.encryption.insert("AES256")),
            _ => {}
        }
    }
}

/// One line for each value of the sample that the connection does not take.
fn otherwise(sample: &str, tunnels: &[Tunnel]) -> Vec<String> {
    let phases: Vec<&Phase> = tunnels.iter().flat_map(|tunnel| [&tunnel.phase_one, &tunnel.phase_two]).collect();
    let shown = Shown::of(sample);
    let mut lines = Vec::new();
    let mut compare = |what: &str, values: Vec<String>, takes: &dyn Fn(&Phase) -> Vec<String>| {
        for value in values {
            // Where nothing is set, AWS takes whatever it knows.
            let refuse = |phase: &&&Phase| !takes(phase).is_empty() && !takes(phase).contains(&value);
            if let Some(phase) = phases.iter().find(refuse) {
                lines.push(format!("{what} {value} (this connection takes {})", takes(phase).join(", ")));
            }
        }
    };
    let texts = |set: &BTreeSet<&str>| set.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    // One with a check of its own beside it is of the same length.
    let plain = |one: &String| one.split('-').next().unwrap_or_default().to_owned();
    let kinds = |phase: &Phase| phase.encryption.iter().map(plain).collect::<BTreeSet<_>>().into_iter().collect();
    compare("encryption", texts(&shown.encryption), &kinds);
    compare("integrity", texts(&shown.integrity), &|phase| phase.integrity.clone());
    let groups = shown.groups.iter().map(i32::to_string).collect();
    compare("DH group", groups, &|phase| phase.groups.iter().map(i32::to_string).collect());
    lines
}

/// What is said above a sample, before anybody loads it.
pub(super) fn above(sample: &str, tunnels: &[Tunnel]) -> String {
    let lines = otherwise(sample, tunnels);
    let differs: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    let found = match lines.is_empty() {
        true => "Its lifetimes, its MTU and whatever else is not as on the sheet have to be changed.\n".to_owned(),
        false => {
            format!("It has values that this connection does not take, and the tunnels stay down with them:\n{differs}")
        }
    };
    format!(
        "READ FIRST: this is AWS's sample for the router, and not what was agreed. What the sheet says counts.\n{found}\
         ----- AWS's sample begins below, its keys held back -----\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel(encryption: &[&str], integrity: &[&str], groups: &[i32]) -> Tunnel {
        let text = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        let phase = || Phase {
            encryption: text(encryption),
            integrity: text(integrity),
            groups: groups.to_vec(),
            ..Phase::default()
        };
        Tunnel { phase_one: phase(), phase_two: phase(), ..Tunnel::default() }
    }

    #[test]
    fn a_sample_in_any_makers_words_is_compared_with_what_the_connection_takes() {
        let agreed = [tunnel(&["AES256", "AES256-GCM-16"], &["SHA2-256"], &[14, 20])];
        let cisco = "crypto isakmp policy 200\n encryption aes 128\n hash sha\n group 2\n lifetime 28800\n";
        let fortinet = "set proposal aes128-sha1\nset dhgrp 2\n";
        let juniper = "dh-group group2; authentication-algorithm sha1; encryption-algorithm aes-128-cbc;";
        let words = "- Encryption Algorithm: AES-128-CBC\n- Authentication: SHA1\n- Diffie-Hellman: Group 2\n";
        for sample in [cisco, fortinet, juniper, words] {
            let lines = otherwise(sample, &agreed);
            assert_eq!(
                lines,
                [
                    "encryption AES128 (this connection takes AES256)",
                    "integrity SHA1 (this connection takes SHA2-256)",
                    "DH group 2 (this connection takes 14, 20)",
                ]
            );
        }
        let good = "proposals = aes256-sha256-modp2048\nencryption aes-256\nhash sha2-256\ngroup 14\n";
        assert_eq!(otherwise(good, &agreed), Vec::<String>::new());
        assert!(above(good, &agreed).contains("What the sheet says counts"));
        assert_eq!(otherwise(cisco, &[tunnel(&[], &[], &[])]), Vec::<String>::new(), "whatever AWS knows is taken");
    }
}

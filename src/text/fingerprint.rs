//! Fingerprints of keys in the forms that people compare: SHA-256 as OpenSSH shows it, and MD5 (RFC 1321) as older programs
//! and lists do. What onramp itself trusts, it compares as a whole key or by SHA-256.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a person has from a second source, beside the key that a host shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// It is the fingerprint of this key.
    Same,
    /// It is the fingerprint of another key.
    Other,
    /// It is no fingerprint, or not a whole one.
    NotOne,
}

/// Compares what was typed or pasted, in either form or as a whole line of `ssh-keygen -l`, with a key: its `SHA256:…` and
/// its public line. The hexadecimal form may leave `MD5:` away.
pub fn compare(said: &str, sha256: &str, line: &str) -> Compared {
    let is = |whole: bool| if whole { Compared::Same } else { Compared::Other };
    for word in said.split_whitespace() {
        if let Some(rest) = word.strip_prefix("SHA256:") {
            let rest = rest.trim_end_matches('=');
            return if rest.len() == 43 { is(sha256.strip_prefix("SHA256:") == Some(rest)) } else { Compared::NotOne };
        }
        let hex = word.to_ascii_lowercase();
        let pairs: Vec<&str> = hex.trim_start_matches("md5:").split(':').collect();
        if pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
            && pairs.len() > 1
        {
            let Some(own) = md5_of_key(line).filter(|_| pairs.len() == 16) else { return Compared::NotOne };
            return is(own == format!("MD5:{}", pairs.join(":")));
        }
    }
    Compared::NotOne
}

/// `MD5:` and sixteen bytes, as `ssh-keygen -l -E md5` shows the key of a public line; none where it is no such line.
pub fn md5_of_key(line: &str) -> Option<String> {
    let blob = STANDARD.decode(line.split_whitespace().nth(1)?).ok()?;
    Some(format!("MD5:{}", with_colons(&md5(&blob))))
}

/// A key in a sentence: its `SHA256:…`, and its MD5 behind it.
pub fn both(sha256: &str, line: &str) -> String {
    let md5 = md5_of_key(line).map(|md5| format!(" ({md5})")).unwrap_or_default();
    format!("{sha256}{md5}")
}

/// In hexadecimal, a colon between any two bytes.
pub fn with_colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The digest of the bytes.
pub fn md5(bytes: &[u8]) -> [u8; 16] {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((bytes.len() as u64 * 8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.chunks_exact(64) {
        state = mix(state, block);
    }
    let mut out = [0; 16];
    for (to, word) in out.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    out
}

fn mix(state: [u32; 4], block: &[u8]) -> [u32; 4] {
    let word = |n: usize| u32::from_le_bytes([block[4 * n], block[4 * n + 1], block[4 * n + 2], block[4 * n + 3]]);
    let [mut a, mut b, mut c, mut d] = state;
    for step in 0..64 {
        let (f, n) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
            2 => (b ^ c ^ d, (3 * step + 5) % 16),
            _ => (c ^ (b | !d), (7 * step) % 16),
        };
        let sine = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
        let turned =
            a.wrapping_add(f).wrapping_add(sine).wrapping_add(word(n)).rotate_left(SHIFTS[step / 16][step % 4]);
        (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
    }
    [state[0].wrapping_add(a), state[1].wrapping_add(b), state[2].wrapping_add(c), state[3].wrapping_add(d)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ssh-keygen made it, and as `ssh-keygen -lf` shows it with -E sha256 and -E md5.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMFTDVsR2a0tMuA0tR+nFoFT6rb+xle22HH0lnvAkg5h root@app-1";
    const SHA256: &str = "SHA256:uR41b8uiEAMjqkaA/0HYhhmRmo2AocWZW82QbpcqEYk";
    const MD5: &str = "MD5:d7:52:92:20:fb:ca:0f:6b:bf:24:f3:40:01:e2:58:e5";

    #[test]
    fn a_key_has_the_md5_of_ssh_keygen() {
        assert_eq!(md5_of_key(KEY).as_deref(), Some(MD5));
        assert_eq!(md5_of_key("ssh-ed25519"), None);
    }

    #[test]
    fn either_form_is_compared_also_within_a_line() {
        let compared = |said: &str| compare(said, SHA256, KEY);
        let bare = MD5.trim_start_matches("MD5:");
        let other = format!("{}00", &bare[..bare.len() - 2]);
        for same in [
            SHA256,
            MD5,
            bare,
            &bare.to_uppercase(),
            &format!("256 {SHA256} root@app-1 (ED25519)"),
            &format!("{SHA256}="),
        ] {
            assert_eq!(compared(same), Compared::Same, "{same}");
        }
        for other in [&SHA256.replace("SHA256:", "SHA256:x")[..50], &other] {
            assert_eq!(compared(other), Compared::Other, "{other}");
        }
        for part in ["yes", "", "SHA256:", &SHA256[..40], &bare[..20], "12:34", "no:pe"] {
            assert_eq!(compared(part), Compared::NotOne, "{part}");
        }
    }

    #[test]
    fn the_test_suite_of_rfc_1321() {
        let hex = |text: &str| md5(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hex(&"1234567890".repeat(8)), "57edf4a22be3c955ac49da2e2107b67a");
    }
}

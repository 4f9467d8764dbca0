//! Known secrets, masked by value in any text, whatever the text calls them.
//!
//! A secret is looked for as it is, and in the forms in which programs print it: base64 (standard and URL-safe, also in
//! the middle of a longer text, as in a `user:password` header), hexadecimal, URL-encoded, escaped in JSON and quoted for
//! a shell. A secret of several lines, such as a private key, is looked for line by line as well.
//!
//! The mask has one length, so it tells nothing about the secret. Masking is a net and not the control: whoever can
//! should not print a secret in the first place.

use std::fmt;
use std::fmt::Write;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// What stands where a secret was.
const MASK: &str = "********";

/// Shorter secrets would mask half of every text.
const SHORTEST_SECRET: usize = 4;

/// A short piece of base64 or of a key would be found by chance.
const SHORTEST_PIECE: usize = 8;

/// Masks a fixed set of secrets. Cloning is cheap; printing it for debugging shows no secret.
#[derive(Clone, Default)]
pub struct Masker {
    needles: Arc<Vec<Zeroizing<String>>>,
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masker({} forms)", self.needles.len())
    }
}

impl Masker {
    /// A masker for these secrets. Those shorter than 4 characters are ignored.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let secrets: Vec<Zeroizing<String>> = secrets.into_iter().map(Zeroizing::new).collect();
        secrets.iter().fold(Masker::default(), |masker, secret| masker.with(secret))
    }

    /// A masker that knows this secret, too.
    #[must_use]
    pub fn with(&self, secret: &str) -> Self {
        let known = self.needles.iter().cloned();
        let mut needles: Vec<Zeroizing<String>> = known.chain(forms(secret).into_iter().map(Zeroizing::new)).collect();
        needles.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        needles.dedup();
        Self { needles: Arc::new(needles) }
    }

    /// Does it mask nothing at all?
    pub fn is_idle(&self) -> bool {
        self.needles.is_empty()
    }

    /// `text` with `********` in place of every secret. Secrets that overlap become one mask.
    pub fn mask(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for found in self.find(text.as_bytes()) {
            // A needle is text, so it begins and ends where characters do.
            out.push_str(text.get(from..found.start).unwrap_or_default());
            out.push_str(MASK);
            from = found.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// Masks a stream of bytes in which a secret may be cut in two. Costs nothing where the bytes do not begin like a
    /// secret.
    pub fn stream(&self) -> MaskStream {
        MaskStream { masker: self.clone(), held: Zeroizing::default(), covered: 0 }
    }

    /// Where the secrets are, in order, overlaps joined.
    pub fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for needle in self.needles.iter() {
            let mut from = 0;
            // The search goes on one byte further, not behind the find: a secret may overlap itself.
            while let Some(at) = text.get(from..).and_then(|rest| position(rest, needle.as_bytes())) {
                found.push(from + at..from + at + needle.len());
                from += at + 1;
            }
        }
        join_overlaps(found)
    }

    /// From where on `text` might be the beginning of a secret whose rest has not come yet.
    fn undecided_from(&self, text: &[u8]) -> usize {
        let longest = self.needles.iter().map(|needle| needle.len()).max().unwrap_or(0);
        let first = text.len().saturating_sub(longest);
        let may_begin = |at: &usize| {
            let rest = &text[*at..];
            self.needles.iter().any(|needle| needle.len() > rest.len() && needle.as_bytes().starts_with(rest))
        };
        (first..text.len()).find(may_begin).unwrap_or(text.len())
    }
}

/// Where `needle` begins in `text`, the first time.
fn position(text: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, _) = needle.split_first()?;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|byte| byte == first) {
        if text[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// The masker that everybody shares: a secret that is learned once is masked everywhere from then on.
#[derive(Debug, Clone, Default)]
pub struct Masks(Arc<RwLock<Masker>>);

impl Masks {
    /// From now on this is a secret.
    pub fn learn(&self, secret: &str) {
        let mut masker = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *masker = masker.with(secret);
    }

    /// A masker for everything that is known now.
    pub fn now(&self) -> Masker {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A masker that remembers the end of the piece before. Made by [`Masker::stream`].
#[derive(Clone)]
pub struct MaskStream {
    masker: Masker,
    /// The end of the text so far, as long as it may begin a secret.
    held: Zeroizing<Vec<u8>>,
    /// How many bytes of `held` belong to a secret whose mask is already out.
    covered: usize,
}

impl fmt::Debug for MaskStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskStream({:?}, {} bytes held)", self.masker, self.held.len())
    }
}

impl MaskStream {
    /// The masked bytes that `piece` adds, with what `masker` knows now. What may be the beginning of a secret is held
    /// back.
    pub fn push(&mut self, piece: &[u8], masker: Masker) -> Vec<u8> {
        self.masker = masker;
        self.held.extend_from_slice(piece);
        let until = self.masker.undecided_from(&self.held);
        self.release(until)
    }

    /// What was held back. Call it at the end of the stream.
    pub fn finish(&mut self) -> Vec<u8> {
        self.release(self.held.len())
    }

    /// Puts out the text before `until`. A secret that reaches over it is announced once and covered from there on.
    fn release(&mut self, until: usize) -> Vec<u8> {
        let mut found = self.masker.find(&self.held);
        found.push(0..self.covered);
        let mut out = Vec::new();
        let mut from = 0;
        for range in join_overlaps(found) {
            if range.start >= until && range.start > 0 {
                break;
            }
            out.extend_from_slice(&self.held[from..range.start]);
            if range.start > 0 || self.covered == 0 {
                out.extend_from_slice(MASK.as_bytes());
            }
            from = range.end;
        }
        self.covered = from.saturating_sub(until);
        out.extend_from_slice(self.held.get(from..until).unwrap_or_default());
        self.held.drain(..until);
        out
    }
}

/// Sorted, and joined where they overlap (not where they only touch: those are two secrets). Empty ones are dropped.
fn join_overlaps(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Every form in which `secret` is looked for.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    if secret.chars().count() >= SHORTEST_SECRET {
        forms.push(secret.to_owned());
        forms.extend(base64_forms(secret));
        forms.extend(hex_forms(secret));
        forms.push(percent(secret, false));
        forms.push(percent(secret, true));
        forms.push(percent(secret, false).replace("%20", "+"));
        forms.push(json(secret));
        forms.push(secret.replace('\'', r"'\''"));
    }
    let key_lines =
        secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_PIECE && !line.starts_with("-----"));
    if secret.contains('\n') {
        forms.extend(key_lines.map(str::to_owned));
    }
    forms
}

/// The base64 characters that the secret alone decides, for each of the three ways it can lie in groups of three bytes.
fn base64_forms(secret: &str) -> Vec<String> {
    let mut forms = vec![STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        // A character carries six bits: those that also carry bits of the neighbours are left out.
        let from = (before * 8).div_ceil(6);
        let to = bytes.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.extend(engine.encode(&bytes).get(from..to).map(str::to_owned));
        }
    }
    forms.retain(|form| form.len() >= SHORTEST_PIECE);
    // The shortest secrets have shorter base64 than that; whole, it is still worth masking.
    forms.push(STANDARD_NO_PAD.encode(secret));
    forms
}

/// As `xxd -p` and `od` print it. A short one would be found by chance.
fn hex_forms(secret: &str) -> Vec<String> {
    let lower = secret.bytes().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    });
    vec![lower.to_uppercase(), lower]
}

/// RFC 3986: everything but the unreserved characters.
fn percent(secret: &str, lower: bool) -> String {
    let mut out = String::new();
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = if lower { write!(out, "%{byte:02x}") } else { write!(out, "%{byte:02X}") };
        }
    }
    out
}

/// RFC 8259: the two characters that must be escaped, and the control characters with a short form.
fn json(secret: &str) -> String {
    secret.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n").replace('\r', r"\r").replace('\t', r"\t")
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn masker(secrets: &[&str]) -> Masker {
        Masker::new(secrets.iter().map(|secret| (*secret).to_owned()))
    }

    #[test]
    fn every_form_is_masked() {
        let secret = "p@ss w\"ord's/üb";
        let masker = masker(&[secret]);
        let header = STANDARD.encode(format!("operator:{secret}"));
        for text in [
            secret.to_owned(),
            STANDARD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            STANDARD.encode(format!("a{secret}z")),
            STANDARD.encode(format!("ab{secret}")),
            header,
            percent(secret, false),
            percent(secret, true),
            percent(secret, false).replace("%20", "+"),
            json(secret),
            hex_forms(secret).concat(),
            r#"p@ss w"ord'\''s/üb"#.to_owned(),
        ] {
            let masked = masker.mask(&format!("before {text} after"));
            assert!(masked.contains(MASK), "{text}: {masked}");
            assert!(masked.starts_with("before ") && masked.ends_with(" after"), "{masked}");
        }
    }

    #[test]
    fn short_secrets_are_ignored_and_nothing_else_is_touched() {
        assert_eq!(masker(&["abc", ""]).mask("abc is short"), "abc is short");
        assert_eq!(masker(&["hunter2"]).mask("hunter3 is not it"), "hunter3 is not it");
        assert_eq!(Masker::default().mask("text"), "text");
    }

    #[test]
    fn overlapping_secrets_leave_no_rest() {
        assert_eq!(masker(&["secret-one", "one-more"]).mask("x secret-one-more y"), "x ******** y");
        assert_eq!(masker(&["aaaa"]).mask("aaaaaa"), MASK);
        assert_eq!(masker(&["passpass"]).mask("passpasspass"), MASK);
    }

    #[test]
    fn a_key_is_masked_line_by_line() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nQyNTUxOQAAACB\n-----END OPENSSH PRIVATE KEY-----\n";
        let masker = masker(&[key]);
        assert_eq!(masker.mask("line: QyNTUxOQAAACB"), "line: ********");
        assert_eq!(masker.mask("-----BEGIN OPENSSH PRIVATE KEY-----"), "-----BEGIN OPENSSH PRIVATE KEY-----");
    }

    #[test]
    fn the_debug_form_shows_no_secret() {
        assert!(!format!("{:?}", masker(&["hunter2"])).contains("hunter2"));
    }

    #[test]
    fn a_stream_does_not_hold_back_what_cannot_be_a_secret() {
        let masker = masker(&["hunter2"]);
        let mut stream = masker.stream();
        assert_eq!(stream.push(b"the prompt: ", masker.clone()), b"the prompt: ");
        assert_eq!(stream.push(b"hunt", masker.clone()), b"");
        assert_eq!(stream.push(b"er2 and \xff more", masker.clone()), b"******** and \xff more");
        assert_eq!(stream.finish(), b"");
    }

    #[test]
    fn what_is_learned_in_the_middle_of_a_stream_is_masked_from_there_on() {
        let masks = Masks::default();
        let mut stream = masks.now().stream();
        assert_eq!(stream.push(b"hunter2 ", masks.now()), b"hunter2 ");
        masks.clone().learn("hunter2");
        assert_eq!(stream.push(b"hunter2", masks.now()), b"********");
        assert!(!masks.now().is_idle());
    }

    #[test]
    fn a_long_repetition_is_masked_once_and_not_collected() {
        let masker = masker(&["aaaa"]);
        let mut stream = masker.stream();
        let mut out = Vec::new();
        for _ in 0..10_000 {
            out.extend(stream.push(b"a", masker.clone()));
            assert!(stream.held.len() < 64);
        }
        out.extend(stream.finish());
        assert_eq!(out, MASK.as_bytes());
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            secrets in proptest::collection::vec("[ab]{4,7}", 1..3),
            pieces in proptest::collection::vec("[abc*é]{0,7}", 0..12),
        ) {
            let masker = Masker::new(secrets);
            let mut stream = masker.stream();
            let mut joined: Vec<u8> =
                pieces.iter().flat_map(|piece| stream.push(piece.as_bytes(), masker.clone())).collect();
            joined.extend(stream.finish());
            prop_assert_eq!(String::from_utf8_lossy(&joined), masker.mask(&pieces.concat()));
        }

        #[test]
        fn no_secret_is_left(secret in "[a-zA-Z0-9/+ %\"'é-]{4,20}", before in "[A-Z ]{0,5}", after in "[A-Z ]{0,5}") {
            let masker = Masker::new([secret.clone()]);
            let masked = masker.mask(&format!("{before}{secret}{after}"));
            prop_assert!(!masked.contains(&secret));
            // In the middle of something longer the base64 core is gone, whichever way the bytes lie.
            let encoded = STANDARD.encode(format!("{before}{secret}{after}"));
            if secret.len() >= 8 {
                prop_assert!(masker.mask(&encoded).contains(MASK), "{encoded}");
            }
        }
    }
}

//! The forms in which programs print a secret.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter secrets would mask half of every text.
const SHORTEST_SECRET: usize = 4;

/// A short piece of base64 or of a key would be found by chance.
const SHORTEST_PIECE: usize = 8;

/// Where `base64` (coreutils) and PEM break their lines.
const BROKEN_AT: [usize; 2] = [76, 64];

/// What is no longer than a line is broken once at most.
const LONGEST_BROKEN: usize = 64;

/// Every form in which `secret` is looked for. None of them is shorter than the shortest secret.
pub(super) fn forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    if secret.chars().count() >= SHORTEST_SECRET {
        forms.push(secret.to_owned());
        let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [secret.as_bytes(), &wide] {
            forms.extend(base64_forms(bytes));
            forms.extend(hex_forms(bytes));
        }
        forms.extend(utf16_forms(secret));
        forms.extend(url_forms(secret));
        forms.extend(json_forms(secret));
        forms.extend(shell_forms(secret));
        forms.push(markup(secret));
    }
    if secret.contains('\n') {
        let lines = secret.lines().map(str::trim);
        forms
            .extend(lines.filter(|line| line.len() >= SHORTEST_PIECE && !line.starts_with("-----")).map(str::to_owned));
    }
    forms
}

/// The base64 characters that the secret alone decides, for each of the three ways it can lie in groups of three bytes;
/// and the lines of a long one.
fn base64_forms(secret: &[u8]) -> Vec<String> {
    let mut forms = vec![STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
    let mut cores = Vec::new();
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret);
        // A character carries six bits: those that also carry bits of the neighbours are left out.
        let from = (before * 8).div_ceil(6);
        let to = bytes.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            cores.extend(engine.encode(&bytes).get(from..to).map(str::to_owned));
        }
    }
    forms.extend(cores.iter().filter(|core| core.len() <= LONGEST_BROKEN).flat_map(|core| broken_once(core)));
    forms.append(&mut cores);
    let whole = STANDARD.encode(secret);
    for width in BROKEN_AT {
        forms.extend(whole.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned()));
    }
    forms.retain(|form| form.len() >= SHORTEST_PIECE);
    // The shortest secrets have shorter base64 than that; whole, it is still worth masking.
    forms.push(STANDARD_NO_PAD.encode(secret));
    forms
}

/// In the middle of a longer text, a line may end at any place of it. So few characters on one of the two lines would keep
/// many a line end waiting, and tell little: there the other line is looked for alone.
fn broken_once(core: &str) -> impl Iterator<Item = String> {
    const FEW: usize = 4;
    let (few, whole) = (1..FEW.min(core.len()), core.len());
    let both = (FEW..(whole + 1).saturating_sub(FEW)).map(|at| format!("{}\n{}", &core[..at], &core[at..]));
    both.chain(few.flat_map(move |at| [core[at..].to_owned(), core[..whole - at].to_owned()]))
}

/// As `xxd -p`, `od -tx1`, `xxd` and fingerprints print it.
fn hex_forms(secret: &[u8]) -> Vec<String> {
    let pairs: Vec<String> = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![pairs.concat(), pairs.join(" "), pairs.join(":")];
    for before in 0..2 {
        // xxd puts two bytes together, and the secret may begin in the middle of them.
        let (first, rest) = pairs.split_at(before.min(pairs.len()));
        let words = rest.chunks(2).map(<[String]>::concat);
        forms.push(first.iter().cloned().chain(words).collect::<Vec<_>>().join(" "));
    }
    let upper: Vec<String> = forms.iter().map(|form| form.to_uppercase()).collect();
    forms.into_iter().chain(upper).collect()
}

/// Two bytes a character, in either order: what stands between the letters of ASCII is a NUL, which is shown as `^@`.
fn utf16_forms(secret: &str) -> Vec<String> {
    if !secret.is_ascii() {
        return Vec::new();
    }
    let letters: Vec<String> = secret.chars().map(String::from).collect();
    vec![letters.join("\0"), letters.join("^@")]
}

/// RFC 3986: everything but the unreserved characters.
fn url_forms(secret: &str) -> Vec<String> {
    let escaped = |upper: bool| {
        let mut out = String::new();
        for byte in secret.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = if upper { write!(out, "%{byte:02X}") } else { write!(out, "%{byte:02x}") };
            }
        }
        out
    };
    vec![escaped(true), escaped(false), escaped(true).replace("%20", "+")]
}

/// RFC 8259: the two characters that must be escaped, and the control characters with a short form. Some programs escape
/// more: all that is not ASCII, what means something in HTML, or the slash.
fn json_forms(secret: &str) -> Vec<String> {
    let short = secret
        .replace('\\', r"\\")
        .replace('"', r#"\""#)
        .replace('\n', r"\n")
        .replace('\r', r"\r")
        .replace('\t', r"\t");
    let numbered = |character: char| {
        let mut units = [0; 2];
        character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
    };
    let escaping = |which: fn(char) -> bool| {
        short.chars().map(|c| if which(c) { numbered(c) } else { c.to_string() }).collect::<String>()
    };
    vec![
        escaping(|c| !c.is_ascii()),
        escaping(|c| matches!(c, '<' | '>' | '&')),
        escaping(|c| !c.is_ascii() || matches!(c, '<' | '>' | '&')),
        short.replace('/', r"\/"),
        short,
    ]
}

/// Within single quotes, as shells and as Python write them; within double quotes; and with a backslash before each
/// character that means something.
fn shell_forms(secret: &str) -> Vec<String> {
    let before = |which: fn(char) -> bool| {
        secret.chars().flat_map(|c| which(c).then_some('\\').into_iter().chain([c])).collect::<String>()
    };
    vec![
        secret.replace('\'', r"'\''"),
        secret.replace('\'', r#"'"'"'"#),
        before(|c| matches!(c, '\\' | '"' | '$' | '`')),
        before(|c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"_@%+=:,./-".contains(c)),
        before(|c| c == '\'' || c == '\\'),
    ]
}

/// XML and HTML.
fn markup(secret: &str) -> String {
    let secret = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    secret.replace('"', "&quot;").replace('\'', "&#39;")
}

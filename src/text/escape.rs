//! Untrusted bytes to printable text: control sequences made visible, layout kept, nothing left that moves a cursor.
//!
//! The rules, in the order in which they are tried:
//! * newline and tab stay; CR LF and a lone CR become a newline, so a line cannot hide the one before it;
//! * colours (`ESC [ … m`) and "erase to the end of the line" (`ESC [ … K`) vanish: honest programs print them all day;
//! * every other control character is shown: `^[` for ESC, `^G` for BEL, `<9b>` for the 8-bit ones;
//! * characters that reorder or hide text (bidi controls, zero width, tags) are shown by number: `<202e>`;
//! * a byte that is no UTF-8 is shown as `<ff>`;
//! * after four marks on one letter the next are shown by number, so a letter cannot grow over its neighbours.
//!
//! Sources: ECMA-48 (control sequences), Unicode UAX #9 (bidi controls), UTR #36 section 3 (hidden text), RFC 3629.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// A colour sequence is short. What is longer is not waited for, so memory stays small whatever a host sends.
const LONGEST_SEQUENCE: usize = 32;

/// Letters of living languages carry up to four marks.
const MOST_MARKS: u8 = 4;

/// All of `bytes` as printable text. Cleaning what is already clean changes nothing.
pub fn clean(bytes: &[u8]) -> String {
    let mut cleaner = Cleaner::default();
    let mut text = cleaner.push(bytes);
    text.push_str(&cleaner.finish());
    text
}

/// The lines of `bytes`, without their ends, as [`clean`] tells them apart: a line ends with LF, with CRs and an LF, or
/// with CRs alone. After the last end there is no further line.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        let returns = after.iter().take_while(|byte| **byte == b'\r').count();
        let feed = usize::from(after.get(returns) == Some(&b'\n'));
        rest = &after[returns + feed..];
        Some(line)
    })
}

/// Cleans a stream piece by piece. However the stream is cut, the pieces joined equal [`clean`] of the whole.
#[derive(Debug, Default, Clone)]
pub struct Cleaner {
    /// The first bytes of a character whose rest has not come yet.
    partial: Vec<u8>,
    /// ESC and what followed, as long as it may still become a colour.
    sequence: String,
    /// A CR whose next character decides nothing but whether a newline follows anyway.
    carriage_return: bool,
    /// Marks in a row, on the letter before them.
    marks: u8,
}

impl Cleaner {
    /// The printable text that `bytes` adds. An unfinished character or sequence is held back until more comes.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut joined = std::mem::take(&mut self.partial);
        joined.extend_from_slice(bytes);
        let mut out = String::with_capacity(joined.len());
        let mut rest = joined.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.take_text(text, &mut out);
                    return out;
                }
                Err(problem) => {
                    let (good, after) = rest.split_at(problem.valid_up_to());
                    self.take_text(&String::from_utf8_lossy(good), &mut out);
                    let Some(wrong) = problem.error_len() else {
                        self.partial = after.to_vec();
                        return out;
                    };
                    let (bad, next) = after.split_at(wrong);
                    self.take_bad_bytes(bad, &mut out);
                    rest = next;
                }
            }
        }
    }

    /// What was held back, made visible. Call it at the end of the stream.
    pub fn finish(&mut self) -> String {
        let mut out = String::new();
        let partial = std::mem::take(&mut self.partial);
        self.take_bad_bytes(&partial, &mut out);
        self.settle(&mut out);
        out
    }

    fn take_text(&mut self, text: &str, out: &mut String) {
        text.chars().for_each(|character| self.take(character, out));
    }

    fn take_bad_bytes(&mut self, bytes: &[u8], out: &mut String) {
        if !bytes.is_empty() {
            self.settle(out);
            bytes.iter().for_each(|byte| show_number(u32::from(*byte), out));
        }
    }

    /// Ends whatever waits for its continuation, because what comes now does not continue it.
    fn settle(&mut self, out: &mut String) {
        if std::mem::take(&mut self.carriage_return) {
            out.push('\n');
        }
        for character in std::mem::take(&mut self.sequence).chars() {
            show(character, out);
        }
        self.marks = 0;
    }

    fn take(&mut self, character: char, out: &mut String) {
        if !self.sequence.is_empty() {
            match in_sequence(&self.sequence, character) {
                Sequence::Goes => return self.sequence.push(character),
                Sequence::Harmless => return self.sequence.clear(),
                Sequence::Shown => self.settle(out),
            }
        }
        match character {
            '\r' => self.carriage_return = true,
            '\n' => {
                self.carriage_return = false;
                self.marks = 0;
                out.push('\n');
            }
            _ => {
                if self.carriage_return {
                    self.settle(out);
                }
                if character == '\x1b' {
                    self.sequence.push(character);
                } else {
                    self.take_plain(character, out);
                }
            }
        }
    }

    fn take_plain(&mut self, character: char, out: &mut String) {
        let is_mark = !character.is_control() && character.width() == Some(0);
        self.marks = if is_mark { self.marks.saturating_add(1) } else { 0 };
        if self.marks > MOST_MARKS {
            show_number(character.into(), out);
            self.marks = 0;
        } else {
            show(character, out);
        }
    }
}

/// What one more character makes of a begun sequence.
enum Sequence {
    Goes,
    Harmless,
    Shown,
}

fn in_sequence(so_far: &str, next: char) -> Sequence {
    match next {
        '[' if so_far == "\x1b" => Sequence::Goes,
        _ if so_far == "\x1b" => Sequence::Shown,
        '0'..='9' | ';' | ':' if so_far.len() < LONGEST_SEQUENCE => Sequence::Goes,
        'm' | 'K' => Sequence::Harmless,
        _ => Sequence::Shown,
    }
}

fn show(character: char, out: &mut String) {
    match character {
        '\n' | '\t' => out.push(character),
        '\0'..='\x1f' => {
            out.push('^');
            out.push(char::from(character as u8 + b'@'));
        }
        '\x7f' => out.push_str("^?"),
        _ if is_hostile(character) => show_number(character.into(), out),
        _ => out.push(character),
    }
}

fn show_number(number: u32, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "<{number:02x}>");
}

/// May `text` go to a terminal as it is? If not, [`clean`] makes it so.
pub fn is_clean(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) || clean(text.as_bytes()) == text
}

/// Does a terminal obey or swallow it?
pub fn is_hostile(character: char) -> bool {
    character.is_control() || hides_or_reorders(character)
}

/// Format characters that a terminal obeys or swallows, and a reader cannot see.
fn hides_or_reorders(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_rule_has_its_example() {
        for (bytes, expected) in [
            (&b"plain text\n\tindented"[..], "plain text\n\tindented"),
            (b"windows\r\nline", "windows\nline"),
            (b"pty\r\r\nline", "pty\nline"),
            (b"10%\r20%\r", "10%\n20%\n"),
            (b"\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3mtrue\x1b[m\x1b[K", "red true"),
            (b"\x1b[2J\x1b[H", "^[[2J^[[H"),
            (b"\x1b]0;title\x07", "^[]0;title^G"),
            (b"\x1b]52;c;ZXZpbA==\x1b\\", "^[]52;c;ZXZpbA==^[\\"),
            (b"\x1b\x1b[31mx", "^[x"),
            (b"\x1b[31", "^[[31"),
            (b"nul\0 bs\x08 del\x7f", "nul^@ bs^H del^?"),
            (b"8-bit csi \x9b31m", "8-bit csi <9b>31m"),
            ("C1 as text \u{9b}31m".as_bytes(), "C1 as text <9b>31m"),
            ("invoice\u{202e}fdp.exe".as_bytes(), "invoice<202e>fdp.exe"),
            ("pass\u{200b}word".as_bytes(), "pass<200b>word"),
            (b"\xff\xfe", "<ff><fe>"),
            (b"cut \xe2\x82", "cut <e2><82>"),
            (b"overlong \xc0\xaf", "overlong <c0><af>"),
            ("Zürich, 東京, naïve 🦀".as_bytes(), "Zürich, 東京, naïve 🦀"),
            ("e\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(), "e\u{301}\u{301}\u{301}\u{301}<301>"),
        ] {
            assert_eq!(clean(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn an_endless_sequence_is_not_collected() {
        let mut cleaner = Cleaner::default();
        cleaner.push(b"\x1b[");
        for _ in 0..10_000 {
            cleaner.push(b"1");
        }
        assert!(cleaner.sequence.len() <= LONGEST_SEQUENCE);
    }

    fn nasty_bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\x1b[".to_vec()),
            Just(b"\x1b[31m".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"\n".to_vec()),
            Just("\u{202e}".as_bytes().to_vec()),
            Just("\u{301}\u{301}\u{301}".as_bytes().to_vec()),
            Just("é🦀".as_bytes().to_vec()),
            proptest::collection::vec(any::<u8>(), 0..6),
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(bytes in nasty_bytes()) {
            let text = clean(&bytes);
            prop_assert!(!text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || hides_or_reorders(c)), "{text:?}");
        }

        #[test]
        fn cleaning_twice_changes_nothing(bytes in nasty_bytes()) {
            let once = clean(&bytes);
            prop_assert_eq!(clean(once.as_bytes()), once);
        }

        #[test]
        fn lines_cleaned_one_by_one_are_the_lines_of_the_whole(mut bytes in nasty_bytes()) {
            bytes.push(b'\n');
            let joined: String = lines(&bytes).map(|line| clean(line) + "\n").collect();
            prop_assert_eq!(joined, clean(&bytes));
        }

        #[test]
        fn cuts_do_not_matter(bytes in nasty_bytes(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.push(bytes.len());
            places.sort_unstable();
            let mut cleaner = Cleaner::default();
            let mut joined = String::new();
            let mut from = 0;
            for to in places {
                joined.push_str(&cleaner.push(&bytes[from..to]));
                from = to;
            }
            joined.push_str(&cleaner.finish());
            prop_assert_eq!(joined, clean(&bytes));
        }
    }
}

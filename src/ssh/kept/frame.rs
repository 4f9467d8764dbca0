//! Which bytes of a shell that stays are whose: what stands between the two marks of a script is the script's.
//!
//! ```text
//! ␞NONCE begin⏎ … what the script wrote … ␞NONCE CODE⏎
//! ```
//!
//! Both streams carry both marks. The script does not know its nonce, so nothing that it writes can be taken for a mark.

use crate::ssh::Stream;

/// What every mark begins with; few texts have it.
const SIGN: u8 = 0x1e;

/// `begin`, or a code.
const LONGEST_WORD: usize = 8;

/// One script in a shell that stays.
pub(in crate::ssh) struct Frame {
    out: Seam,
    err: Seam,
}

/// One of its streams.
struct Seam {
    /// The sign, the nonce and a blank.
    mark: Vec<u8>,
    held: Vec<u8>,
    place: Place,
    /// Something came that was not the script's.
    stray: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Within,
    After(u32),
}

impl Frame {
    pub(in crate::ssh) fn new(nonce: &str) -> Self {
        Self { out: Seam::new(nonce), err: Seam::new(nonce) }
    }

    /// What of these bytes the script wrote.
    pub(in crate::ssh) fn hear(&mut self, stream: Stream, bytes: &[u8]) -> Vec<u8> {
        match stream {
            Stream::Out => self.out.hear(bytes),
            Stream::Err => self.err.hear(bytes),
        }
    }

    pub(in crate::ssh) fn has_begun(&self) -> bool {
        [&self.out, &self.err].iter().any(|seam| seam.place != Place::Before)
    }

    /// Has it ended, and has all that it wrote come?
    pub(in crate::ssh) fn is_over(&self) -> bool {
        [&self.out, &self.err].iter().all(|seam| matches!(seam.place, Place::After(_)))
    }

    pub(in crate::ssh) fn code(&self) -> Option<u32> {
        [&self.out, &self.err].iter().find_map(|seam| match seam.place {
            Place::After(code) => Some(code),
            _ => None,
        })
    }

    /// Did somebody else write as well? Then it may happen again.
    pub(in crate::ssh) fn has_strays(&self) -> bool {
        self.out.stray || self.err.stray
    }
}

impl Seam {
    fn new(nonce: &str) -> Self {
        let mark = [&[SIGN], nonce.as_bytes(), b" "].concat();
        Self { mark, held: Vec::new(), place: Place::Before, stray: false }
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let mut written = Vec::new();
        loop {
            let (clear, is_mark) = self.seek();
            let before: Vec<u8> = self.held.drain(..clear).collect();
            self.give(before, &mut written);
            if !is_mark || self.turn(&mut written).is_none() {
                return written;
            }
        }
    }

    fn give(&mut self, bytes: Vec<u8>, written: &mut Vec<u8>) {
        match self.place {
            Place::Within => written.extend(bytes),
            _ => self.stray |= !bytes.is_empty(),
        }
    }

    /// How many bytes are certainly no part of a mark, and whether one stands after them.
    fn seek(&self) -> (usize, bool) {
        let signs = self.held.iter().enumerate().filter(|(_, byte)| **byte == SIGN);
        for (at, _) in signs {
            let rest = self.held.get(at..).unwrap_or_default();
            if rest.starts_with(&self.mark) || self.mark.starts_with(rest) {
                return (at, rest.len() >= self.mark.len());
            }
        }
        (self.held.len(), false)
    }

    /// Goes past the mark at the beginning; none when the rest of it has not come yet.
    fn turn(&mut self, written: &mut Vec<u8>) -> Option<()> {
        let rest = self.held.get(self.mark.len()..)?;
        let end = rest.iter().position(|byte| *byte == b'\n');
        if end.is_none() && rest.len() <= LONGEST_WORD {
            return None;
        }
        let word = rest.get(..end.unwrap_or(0)).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
        let next = match (self.place, word.parse()) {
            (Place::Before, _) if word == "begin" => Some(Place::Within),
            (Place::Within, Ok(code)) => Some(Place::After(code)),
            _ => None,
        };
        let whole = self.mark.len() + word.len() + 1;
        match next {
            Some(place) => {
                self.held.drain(..whole);
                self.place = place;
            }
            // Whoever wrote this, it is no mark.
            None => {
                let sign: Vec<u8> = self.held.drain(..1).collect();
                self.give(sign, written);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(pieces: &[&[u8]]) -> (Frame, Vec<u8>) {
        let mut frame = Frame::new("ab12");
        let written = pieces.iter().flat_map(|piece| frame.hear(Stream::Out, piece)).collect();
        (frame, written)
    }

    #[test]
    fn marks_and_output_come_apart_wherever_the_bytes_are_cut() {
        let text = b"Welcome!\n\x1eab12 begin\na\x1e\x1eab12\x1eab1 b\n\xff\0no newline\x1eab12 97\n";
        for size in 1..=text.len() {
            let (frame, written) = heard(&text.chunks(size).collect::<Vec<_>>());
            assert_eq!(written, b"a\x1e\x1eab12\x1eab1 b\n\xff\0no newline", "{size}");
            assert_eq!((frame.code(), frame.has_strays()), (Some(97), true), "{size}");
        }
    }

    #[test]
    fn it_is_over_when_both_streams_are() {
        let (mut frame, written) = heard(&[b"\x1eab12 begin\n\x1eab12 0\n"]);
        assert!(written.is_empty() && frame.has_begun() && !frame.is_over() && !frame.has_strays());
        assert_eq!(frame.hear(Stream::Err, b"\x1eab12 begin\nlast words\x1eab12 0\n"), b"last words");
        assert!(frame.is_over() && !frame.has_strays());
        assert!(frame.hear(Stream::Out, b"late").is_empty());
        assert!(frame.has_strays());
    }

    #[test]
    fn what_only_looks_like_a_mark_is_output() {
        let (frame, written) = heard(&[b"\x1eab12 begin\n\x1eab12 begin\n\x1eab12 many things\n\x1ecd34 0\n"]);
        assert_eq!(written, b"\x1eab12 begin\n\x1eab12 many things\n\x1ecd34 0\n");
        assert_eq!(frame.code(), None);
    }

    #[test]
    fn before_it_has_begun_nothing_is_its_own() {
        let (frame, written) = heard(&[b"last login: today\n", b"\x1eab12 0\n"]);
        assert!(written.is_empty() && !frame.has_begun() && frame.has_strays());
    }
}

//! What a watcher says: lines that begin with its nonce, and between them output, each piece as long as its line says.

use super::Reason;
use crate::ssh::Stream;

/// Longest line that is waited for: what is not for us before the first word is dropped.
const LONGEST_LINE: usize = 16 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// The script has a claim; `found` when this watcher did not start it. Seconds since its start, and its folder.
    Claim {
        found: bool,
        elapsed: u64,
        claim: String,
    },
    Data(Stream, Vec<u8>),
    Ended {
        code: u32,
    },
    Stopped {
        signal: String,
        reason: Reason,
    },
    /// It was stopped before it began.
    Never,
    Gone,
    Nothing,
    Refused(String),
    Stuck {
        pid: String,
    },
}

/// Takes bytes as they come and gives words.
pub(super) struct Words {
    /// The nonce and a blank.
    mark: Vec<u8>,
    held: Vec<u8>,
    /// Output that is still to come before the next line.
    data: Option<(Stream, usize)>,
}

impl Words {
    pub(super) fn new(nonce: &str) -> Self {
        Self { mark: format!("{nonce} ").into_bytes(), held: Vec::new(), data: None }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Word> {
        self.held.extend_from_slice(bytes);
        let mut words = Vec::new();
        loop {
            if let Some((stream, left)) = self.data {
                let here = left.min(self.held.len());
                if here > 0 {
                    words.push(Word::Data(stream, self.held.drain(..here).collect()));
                }
                self.data = (left > here).then_some((stream, left - here));
                if self.data.is_some() {
                    return words;
                }
            }
            let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else {
                if self.held.len() > LONGEST_LINE {
                    self.held.clear();
                }
                return words;
            };
            let line: Vec<u8> = self.held.drain(..=end).collect();
            words.extend(self.read(&line));
        }
    }

    /// A login shell's files may have said something on the same line before.
    fn read(&mut self, line: &[u8]) -> Option<Word> {
        let at = line.windows(self.mark.len()).position(|part| part == self.mark)? + self.mark.len();
        let text = String::from_utf8_lossy(line.get(at..)?);
        let (word, rest) = text.trim_end().split_once(' ').unwrap_or((text.trim_end(), ""));
        match word {
            "claim" => {
                let (how, rest) = rest.split_once(' ')?;
                let (elapsed, claim) = rest.split_once(' ')?;
                // A clock that was set back says nothing.
                let elapsed = elapsed.parse().unwrap_or(0);
                Some(Word::Claim { found: how == "found", elapsed, claim: claim.to_owned() })
            }
            "out" | "err" => {
                let stream = if word == "out" { Stream::Out } else { Stream::Err };
                self.data = Some((stream, rest.parse().ok()?));
                None
            }
            "end" => Some(end(rest)),
            "gone" => Some(Word::Gone),
            "none" => Some(Word::Nothing),
            "refused" => Some(Word::Refused(crate::ssh::error::printable(rest))),
            "stuck" => Some(Word::Stuck { pid: rest.to_owned() }),
            // `beat`: only a sign of life.
            _ => None,
        }
    }
}

/// `CODE [SIGNAL REASON]`
fn end(rest: &str) -> Word {
    let mut parts = rest.split(' ').filter(|part| !part.is_empty());
    let code = parts.next().unwrap_or_default();
    match (code.parse(), parts.next()) {
        (Err(_), _) if code == "never" => Word::Never,
        (_, Some(signal)) => {
            let reason = if parts.next() == Some("limit") { Reason::Limit } else { Reason::Person };
            Word::Stopped { signal: signal.to_owned(), reason }
        }
        (Ok(code), None) => Word::Ended { code },
        (Err(_), None) => Word::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &[u8] =
        b"Welcome! onramp-1 claim found 12 /var/lib/onramp-claims/ab\nonramp-1 out 6\na\nonr\nonramp-1 err 3\n\
        \xffabonramp-1 beat\nonramp-1 out 1\nxonramp-1 end 143 TERM person\n";

    /// Pieces of output that follow each other, joined.
    fn joined(words: Vec<Word>) -> Vec<Word> {
        let mut joined: Vec<Word> = Vec::new();
        for word in words {
            match (joined.last_mut(), word) {
                (Some(Word::Data(stream, bytes)), Word::Data(more, others)) if *stream == more => bytes.extend(others),
                (_, word) => joined.push(word),
            }
        }
        joined
    }

    #[test]
    fn words_and_output_come_apart_wherever_the_bytes_are_cut() {
        let expected = [
            Word::Claim { found: true, elapsed: 12, claim: "/var/lib/onramp-claims/ab".to_owned() },
            Word::Data(Stream::Out, b"a\nonr\n".to_vec()),
            Word::Data(Stream::Err, b"\xffab".to_vec()),
            Word::Data(Stream::Out, b"x".to_vec()),
            Word::Stopped { signal: "TERM".to_owned(), reason: Reason::Person },
        ];
        for size in 1..SAID.len() {
            let mut words = Words::new("onramp-1");
            let heard: Vec<Word> = SAID.chunks(size).flat_map(|piece| words.push(piece)).collect();
            assert_eq!(joined(heard), expected, "{size}");
        }
    }

    #[test]
    fn an_end_says_code_or_signal_or_that_it_never_began() {
        let heard = |line: &str| Words::new("n").push(format!("n {line}\n").as_bytes());
        assert_eq!(heard("end 0 "), [Word::Ended { code: 0 }]);
        assert_eq!(heard("end 143 TERM person"), [Word::Stopped { signal: "TERM".into(), reason: Reason::Person }]);
        assert_eq!(heard("end 137 KILL limit"), [Word::Stopped { signal: "KILL".into(), reason: Reason::Limit }]);
        assert_eq!(heard("end never "), [Word::Never]);
        assert_eq!(heard("end "), [Word::Gone], "an exit code that cannot be read is none");
        assert_eq!(heard("refused mkdir: No\x1b[2J space"), [Word::Refused("mkdir: No\u{fffd}[2J space".into())]);
    }
}

//! Is the terminal's background dark? Asked once, before anything else reads the terminal: an answer that came later
//! would be taken for keys.

/// What the terminal answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    Dark,
    Light,
}

impl Background {
    /// The theme for this background, where nobody chose one.
    pub fn theme(self) -> &'static str {
        match self {
            Background::Dark => "dark",
            Background::Light => "light",
        }
    }
}

/// Asks the terminal for its background colour (OSC 11), and then what it is (DA1): every terminal answers the second, so
/// nobody waits for an answer to the first that never comes. Nothing is known when standard input or output is no
/// terminal, or within a fifth of a second nothing is said. Call it before `run`.
pub fn background() -> Option<Background> {
    #[cfg(unix)]
    {
        read(&ask()?)
    }
    #[cfg(not(unix))]
    {
        None
    }
}

#[cfg(unix)]
fn ask() -> Option<Vec<u8>> {
    use rustix::stdio::{stdin, stdout};
    use rustix::termios::{OptionalActions, SpecialCodeIndex, isatty, tcgetattr, tcsetattr};

    if !isatty(stdin()) || !isatty(stdout()) {
        return None;
    }
    let before = tcgetattr(stdin()).ok()?;
    let mut raw = before.clone();
    raw.make_raw();
    // A read comes back after a fifth of a second at the latest, with or without bytes.
    raw.special_codes[SpecialCodeIndex::VMIN] = 0;
    raw.special_codes[SpecialCodeIndex::VTIME] = 2;
    tcsetattr(stdin(), OptionalActions::Flush, &raw).ok()?;
    let answer = exchange();
    tcsetattr(stdin(), OptionalActions::Flush, &before).ok()?;
    answer
}

#[cfg(unix)]
fn exchange() -> Option<Vec<u8>> {
    use rustix::io::{read, write};
    use rustix::stdio::{stdin, stdout};

    write(stdout(), b"\x1b]11;?\x1b\\\x1b[c").ok()?;
    let mut answer = Vec::new();
    let mut piece = [0_u8; 256];
    while answer.len() < 1024 && !is_whole(&answer) {
        match read(stdin(), &mut piece[..]) {
            Ok(0) | Err(_) => break,
            Ok(length) => answer.extend_from_slice(piece.get(..length)?),
        }
    }
    Some(answer)
}

/// The answer to DA1 ends with a `c` after `CSI ?`.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    text.rsplit_once("\x1b[?").is_some_and(|(_, rest)| rest.contains('c'))
}

/// Reads `rgb:RRRR/GGGG/BBBB`, with one to four digits each, and weighs it as the eye does (ITU-R BT.709).
fn read(answer: &[u8]) -> Option<Background> {
    let text = String::from_utf8_lossy(answer);
    let (_, colour) = text.split_once("]11;rgb:")?;
    let colour: String = colour.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '/').collect();
    let mut parts = colour.split('/').map(share);
    let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
    let light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    Some(if light > 0.5 { Background::Light } else { Background::Dark })
}

/// `ff` of `ff`, `8000` of `ffff`: a number from 0 to 1.
fn share(digits: &str) -> Option<f64> {
    let most = 16_f64.powi(i32::try_from(digits.len()).ok()?) - 1.0;
    let value = u32::from_str_radix(digits, 16).ok()?;
    Some(f64::from(value) / most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_real_terminals() {
        assert_eq!(read(b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b[?62;22c"), Some(Background::Dark));
        assert_eq!(read(b"\x1b]11;rgb:fdf6/e3e3/d5d5\x07\x1b[?6c"), Some(Background::Light));
        assert_eq!(read(b"\x1b]11;rgb:ff/ff/ff\x07"), Some(Background::Light));
        assert_eq!(read(b"\x1b[?6c"), None);
        assert_eq!(read(b"\x1b]11;rgb:\x07"), None);
    }

    #[test]
    fn the_second_answer_ends_the_waiting() {
        assert!(!is_whole(b"\x1b]11;rgb:cccc/cccc/cccc\x1b\\"));
        assert!(is_whole(b"\x1b]11;rgb:cccc/cccc/cccc\x1b\\\x1b[?62;22c"));
    }
}

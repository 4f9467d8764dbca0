//! Is the terminal's background dark? Asked once, before anything else reads the terminal. An answer that comes when
//! nobody waits for it any more is kept away from the keys.

#[cfg(unix)]
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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
/// terminal, or when nothing is said within half a second. Call it before `run`.
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

/// How long an answer is waited for.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_millis(500);

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
    // A read comes back after a tenth of a second at the latest, with or without bytes.
    raw.special_codes[SpecialCodeIndex::VMIN] = 0;
    raw.special_codes[SpecialCodeIndex::VTIME] = 1;
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
    let began = Instant::now();
    let mut answer = Vec::new();
    let mut piece = [0_u8; 256];
    while began.elapsed() < PATIENCE && answer.len() < 1024 && !is_whole(&answer) {
        let length = read(stdin(), &mut piece[..]).ok()?;
        answer.extend_from_slice(piece.get(..length)?);
    }
    Some(answer)
}

/// Takes an answer that came too late out of the keys. To whoever reads keys it looks like Alt-] and then letters, up to
/// Alt-\ or Ctrl-G. (An answer to DA1 is none to them.)
#[derive(Debug, Default)]
pub struct LateAnswer(Option<String>);

impl LateAnswer {
    /// Is this key a piece of an answer?
    pub fn takes(&mut self, key: &KeyEvent) -> bool {
        let (alt, control) = (key.modifiers.contains(KeyModifiers::ALT), key.modifiers.contains(KeyModifiers::CONTROL));
        let begins = alt && key.code == KeyCode::Char(']');
        let Some(mut so_far) = self.0.take() else {
            self.0 = begins.then(String::new);
            return begins;
        };
        match key.code {
            KeyCode::Char('\\') if alt => true,
            KeyCode::Char('g') if control => true,
            KeyCode::Char(letter) if !alt && !control => {
                so_far.push(letter);
                let fits = is_begun(&so_far);
                self.0 = fits.then_some(so_far);
                fits
            }
            _ => false,
        }
    }
}

/// Can `11;rgb:RRRR/GGGG/BBBB` begin like this?
fn is_begun(text: &str) -> bool {
    const HEAD: &str = "11;rgb:";
    match text.strip_prefix(HEAD) {
        Some(colour) => colour.len() <= 14 && colour.chars().all(|c| c.is_ascii_hexdigit() || c == '/'),
        None => HEAD.starts_with(text),
    }
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

    /// The keys of `text`, as the reader of keys makes them.
    fn keys(text: &str) -> Vec<KeyEvent> {
        let mut keys = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            keys.push(match letter {
                '\x1b' => KeyEvent::new(KeyCode::Char(letters.next().unwrap()), KeyModifiers::ALT),
                '\x07' => KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL),
                letter => KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE),
            });
        }
        keys
    }

    fn left_of(text: &str) -> String {
        let mut late = LateAnswer::default();
        let left = keys(text).into_iter().filter(|key| !late.takes(key));
        left.filter_map(|key| key.code.as_char()).collect()
    }

    #[test]
    fn an_answer_that_comes_late_is_no_keys() {
        assert_eq!(left_of("ab\x1b]11;rgb:fdf6/e3e3/D5D5\x1b\\cd"), "abcd");
        assert_eq!(left_of("ab\x1b]11;rgb:ff/ff/ff\x07cd"), "abcd");
        assert_eq!(left_of("no answer [11;rgb:00/00/00]"), "no answer [11;rgb:00/00/00]");
        assert_eq!(left_of("\x1b]q11"), "q11", "what does not go on like one is keys");
        assert_eq!(
            left_of(&format!("\x1b]11;rgb:{}q", "0".repeat(40))),
            format!("{}q", "0".repeat(26)),
            "none is endless"
        );
    }

    #[test]
    fn the_second_answer_ends_the_waiting() {
        assert!(!is_whole(b"\x1b]11;rgb:cccc/cccc/cccc\x1b\\"));
        assert!(is_whole(b"\x1b]11;rgb:cccc/cccc/cccc\x1b\\\x1b[?62;22c"));
    }
}

//! Typing a secret: nothing of it is shown, not even how long it is; there is no undo, and it is wiped when it goes.

use std::fmt;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::ui::keys;

/// What stands for a text, however long it is.
pub const STARS: &str = "************";

/// The line.
#[derive(Clone, Default)]
pub struct SecretLine {
    text: Zeroizing<String>,
}

impl fmt::Debug for SecretLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_blank() { "SecretLine(empty)" } else { "SecretLine(typed)" })
    }
}

impl SecretLine {
    pub fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// For the rules, and for nothing else.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was typed; the line is empty then.
    pub fn take(&mut self) -> SecretString {
        SecretString::from(std::mem::take(&mut self.text).as_str())
    }

    /// Takes a key that edits. False when the key means nothing to a text.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        if let Some(character) = keys::types_text(key) {
            self.text.push(character);
            return true;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('u' | 'w' | 'k') if control => self.text.clear(),
            KeyCode::Backspace if control => self.text.clear(),
            KeyCode::Backspace => {
                self.text.pop();
            }
            _ => return false,
        }
        true
    }

    /// A paste brings its line end along; what else it has belongs to the secret.
    pub fn paste(&mut self, pasted: &str) {
        self.text.push_str(pasted.trim_end_matches(['\n', '\r']));
    }

    pub fn draw(&self, frame: &mut Frame, area: Rect, style: Style) {
        if area.is_empty() {
            return;
        }
        let shown = if self.is_blank() { "" } else { STARS };
        frame.render_widget(Span::styled(shown, style), Rect { height: 1, ..area });
        let end = u16::try_from(shown.len()).unwrap_or(0).min(area.width.saturating_sub(1));
        frame.set_cursor_position(Position { x: area.x + end, y: area.y });
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn it_is_typed_pasted_taken_and_never_shown() {
        let mut line = SecretLine::default();
        for name in ["h", "u", "x", "Backspace"] {
            line.key(&keys::event(name).unwrap());
        }
        line.paste("nter 2\r\n");
        assert!(!format!("{line:?}").contains("hunter"));
        assert_eq!(line.take().expose_secret(), "hunter 2");
        assert!(line.is_blank());
        line.paste("again");
        line.key(&keys::event("Ctrl-U").unwrap());
        assert!(line.is_blank());
    }
}

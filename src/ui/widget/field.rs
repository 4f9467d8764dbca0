//! Editing text: one line or several, with undo. Drawn by us, so that the hardware cursor stands where the text goes.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use tui_textarea::{CursorMove, TextArea};

use crate::ui::keys;
use crate::ui::widget::prose::cells;

/// Text under edit. What was typed stays as it is until somebody takes it.
#[derive(Debug, Clone)]
pub struct Editor {
    area: TextArea<'static>,
    many_lines: bool,
}

impl Editor {
    /// An editor for one line.
    pub fn line(text: &str) -> Self {
        Editor::new(text, false)
    }

    /// An editor in which Enter begins a new line.
    pub fn lines(text: &str) -> Self {
        Editor::new(text, true)
    }

    fn new(text: &str, many_lines: bool) -> Self {
        let lines: Vec<String> = if many_lines {
            text.split('\n').map(str::to_owned).collect()
        } else {
            vec![text.replace(['\n', '\r'], " ")]
        };
        let mut area = TextArea::new(lines);
        area.set_max_histories(200);
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Editor { area, many_lines }
    }

    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    pub fn is_blank(&self) -> bool {
        self.area.lines().iter().all(|line| line.trim().is_empty())
    }

    pub fn has_many_lines(&self) -> bool {
        self.many_lines
    }

    /// How many lines there are; at least one.
    pub fn height(&self) -> usize {
        self.area.lines().len().max(1)
    }

    /// Is the cursor on the first or the last line? Then Up and Down leave the field.
    pub fn at_edge(&self, down: bool) -> bool {
        let row = self.area.cursor().0;
        if down { row + 1 >= self.area.lines().len() } else { row == 0 }
    }

    /// Takes a key that edits. False when the key means nothing to a text.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        if let Some(character) = keys::types_text(key) {
            self.area.insert_char(character);
            return true;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            // Ctrl-/ arrives as Ctrl-7 or Ctrl-_ from most terminals.
            KeyCode::Char('/' | '7' | '_') if control => self.area.undo(),
            KeyCode::Char('u') if control => self.area.delete_line_by_head(),
            KeyCode::Char('k') if control => self.area.delete_line_by_end(),
            KeyCode::Char('w') if control => self.area.delete_word(),
            KeyCode::Char('a') if control => return self.go(CursorMove::Head),
            KeyCode::Char('e') if control => return self.go(CursorMove::End),
            KeyCode::Char('j') if control && self.many_lines => return self.new_line(),
            KeyCode::Enter if self.many_lines && (alt || !control) => return self.new_line(),
            KeyCode::Backspace if control || alt => self.area.delete_word(),
            KeyCode::Backspace => self.area.delete_char(),
            KeyCode::Delete => self.area.delete_next_char(),
            KeyCode::Left if control => return self.go(CursorMove::WordBack),
            KeyCode::Right if control => return self.go(CursorMove::WordForward),
            KeyCode::Left => return self.go(CursorMove::Back),
            KeyCode::Right => return self.go(CursorMove::Forward),
            KeyCode::Home => return self.go(CursorMove::Head),
            KeyCode::End => return self.go(CursorMove::End),
            KeyCode::Up if self.many_lines && !self.at_edge(false) => return self.go(CursorMove::Up),
            KeyCode::Down if self.many_lines && !self.at_edge(true) => return self.go(CursorMove::Down),
            _ => return false,
        };
        true
    }

    fn go(&mut self, to: CursorMove) -> bool {
        self.area.move_cursor(to);
        true
    }

    fn new_line(&mut self) -> bool {
        self.area.insert_newline();
        true
    }

    /// Pasted text is data: control characters are dropped, and in a one-line field line ends become spaces.
    pub fn paste(&mut self, pasted: &str) {
        let unified = pasted.replace("\r\n", "\n").replace('\r', "\n");
        let kept = |character: &char| *character == '\n' || *character == '\t' || !character.is_control();
        let text: String = unified.chars().filter(kept).map(|c| if c == '\t' { ' ' } else { c }).collect();
        let text = if self.many_lines { text } else { text.trim().replace('\n', " ") };
        self.area.insert_str(text);
    }

    /// Draws the text into `area`, scrolled so that the cursor is in sight, and parks the hardware cursor there.
    pub fn draw(&self, frame: &mut Frame, area: Rect, style: Style, focused: bool) {
        if area.is_empty() {
            return;
        }
        let cursor = self.area.cursor();
        let (row, column) = (cursor.0, cursor.1);
        let height = usize::from(area.height);
        let first = if focused { super::tree::first_visible(self.height(), row, height) } else { 0 };
        for (index, line) in self.area.lines().iter().enumerate().skip(first).take(height) {
            let y = area.y + u16::try_from(index - first).unwrap_or(0);
            let before: String = line.chars().take(column).collect();
            let width = usize::from(area.width);
            let skip = if focused && index == row { (cells(&before) + 1).saturating_sub(width) } else { 0 };
            let shown = visible(line, skip, width);
            frame.render_widget(Span::styled(shown, style), Rect { y, height: 1, ..area });
            if focused && index == row {
                let x = area.x + u16::try_from(cells(&before) - skip.min(cells(&before))).unwrap_or(0);
                frame.set_cursor_position(Position { x: x.min(area.right().saturating_sub(1)), y });
            }
        }
    }
}

/// The part of a line from cell `skip` on.
fn visible(line: &str, skip: usize, width: usize) -> String {
    let mut passed = 0;
    let mut shown = String::new();
    for character in line.chars() {
        let size = unicode_width::UnicodeWidthChar::width(character).unwrap_or(0);
        if passed >= skip && cells(&shown) + size <= width {
            shown.push(character);
        }
        passed += size;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(editor: &mut Editor, names: &[&str]) {
        for name in names {
            editor.key(&keys::event(name).unwrap());
        }
    }

    #[test]
    fn typing_undo_and_line_ends() {
        let mut editor = Editor::line("");
        press(&mut editor, &["1", "0", "Backspace", "2"]);
        assert_eq!(editor.text(), "12");
        assert!(!editor.key(&keys::event("Enter").unwrap()), "Enter is not text in a line");
        let mut lines = Editor::lines("a");
        press(&mut lines, &["Enter", "b"]);
        assert_eq!(lines.text(), "a\nb");
    }

    #[test]
    fn a_paste_is_data() {
        let mut line = Editor::line("");
        line.paste("10.0.0.0/16\r\n\x1b[201~\x07");
        assert_eq!(line.text(), "10.0.0.0/16 [201~");
        let mut lines = Editor::lines("");
        lines.paste("a\r\nb\tc\rd");
        assert_eq!(lines.text(), "a\nb c\nd");
    }

    #[test]
    fn a_long_line_scrolls_with_its_cursor() {
        assert_eq!(visible("abcdef", 2, 3), "cde");
    }
}

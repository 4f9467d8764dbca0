//! Editing text: one line or several, with undo. Drawn by us, so that the hardware cursor stands where the text goes.

use std::ops::Range;

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

    /// How many rows the text takes in so many cells; at least one.
    pub fn height(&self, width: usize) -> usize {
        self.rows(width).len()
    }

    /// The text as it stands in so many cells.
    pub fn shown(&self, width: usize) -> Vec<String> {
        self.rows(width).iter().map(|row| self.text_of(row)).collect()
    }

    /// Each row is a line's number and which of its characters. The last cell is kept free for the cursor.
    fn rows(&self, width: usize) -> Vec<(usize, Range<usize>)> {
        let of_line = |(number, line): (usize, &String)| {
            broken(line, width.saturating_sub(1)).into_iter().map(move |row| (number, row))
        };
        self.area.lines().iter().enumerate().flat_map(of_line).collect()
    }

    fn text_of(&self, (line, row): &(usize, Range<usize>)) -> String {
        let line = self.area.lines().get(*line).map(String::as_str).unwrap_or_default();
        line.chars().skip(row.start).take(row.len()).collect()
    }

    /// The row of the cursor, and the column in it.
    fn cursor_in(&self, rows: &[(usize, Range<usize>)]) -> (usize, usize) {
        let cursor = self.area.cursor();
        let at = rows.iter().rposition(|(line, row)| *line == cursor.0 && row.start <= cursor.1).unwrap_or(0);
        (at, cursor.1 - rows.get(at).map_or(0, |(_, row)| row.start.min(cursor.1)))
    }

    /// Moves by a row of so many cells; false at the first and at the last, where Up and Down leave the field.
    pub fn move_row(&mut self, down: bool, width: usize) -> bool {
        let rows = self.rows(width);
        let (at, column) = self.cursor_in(&rows);
        let to = if down { at.checked_add(1) } else { at.checked_sub(1) };
        let Some((line, row)) = to.and_then(|to| rows.get(to)) else { return false };
        let last_of_line = rows.iter().rfind(|(other, _)| other == line).is_some_and(|(_, last)| last == row);
        // Between two rows of a line the cursor stands on the lower one.
        let end = if last_of_line { row.end } else { row.end.saturating_sub(1) };
        let column = (row.start + column).min(end);
        let (line, column) = (u16::try_from(*line), u16::try_from(column));
        self.go(CursorMove::Jump(line.unwrap_or(u16::MAX), column.unwrap_or(u16::MAX)))
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

    /// Draws the text into `area`, broken between words and scrolled so that the cursor is in sight, and parks the hardware
    /// cursor there. In an area of one row the line is not broken.
    pub fn draw(&self, frame: &mut Frame, area: Rect, style: Style, focused: bool) {
        if area.is_empty() {
            return;
        }
        let width = if area.height > 1 { usize::from(area.width) } else { usize::MAX };
        let rows = self.rows(width);
        let (cursor_row, column) = self.cursor_in(&rows);
        let height = usize::from(area.height);
        let first = if focused { super::tree::first_visible(rows.len(), cursor_row, height) } else { 0 };
        for (index, row) in rows.iter().enumerate().skip(first).take(height) {
            let y = area.y + u16::try_from(index - first).unwrap_or(0);
            let text = self.text_of(row);
            let before: String = text.chars().take(column).collect();
            let width = usize::from(area.width);
            let has_cursor = focused && index == cursor_row;
            let skip = if has_cursor { (cells(&before) + 1).saturating_sub(width) } else { 0 };
            frame.render_widget(Span::styled(visible(&text, skip, width), style), Rect { y, height: 1, ..area });
            if has_cursor {
                let x = area.x + u16::try_from(cells(&before) - skip.min(cells(&before))).unwrap_or(0);
                frame.set_cursor_position(Position { x: x.min(area.right().saturating_sub(1)), y });
            }
        }
    }
}

/// The rows of a line in so many cells, broken after spaces where there are any. Every character is in one of them.
fn broken(line: &str, width: usize) -> Vec<Range<usize>> {
    let characters: Vec<char> = line.chars().collect();
    let mut rows = Vec::new();
    let mut start = 0;
    loop {
        let end = start + fitting(characters.get(start..).unwrap_or_default(), width);
        let row = characters.get(start..end).unwrap_or_default();
        let end = match characters.get(end) {
            None => {
                rows.push(start..characters.len());
                return rows;
            }
            // The space that a row ends with needs no cell.
            Some(' ') => end + 1,
            Some(_) => row.iter().rposition(|character| *character == ' ').map_or(end, |space| start + space + 1),
        };
        rows.push(start..end);
        start = end;
    }
}

/// How many characters fit into so many cells; one does.
fn fitting(characters: &[char], width: usize) -> usize {
    let mut used = 0;
    let fits = characters.iter().take_while(|character| {
        used += unicode_width::UnicodeWidthChar::width(**character).unwrap_or(0);
        used <= width
    });
    fits.count().max(1)
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
    fn a_long_text_is_broken_between_words_and_the_cursor_goes_from_row_to_row() {
        let mut lines = Editor::lines("one two three\n\nfour");
        assert_eq!(lines.shown(9), ["one two ", "three", "", "four"]);
        assert!(!lines.move_row(true, 9), "the last row is left");
        let mut up = Vec::new();
        while lines.move_row(false, 9) {
            up.push((lines.area.cursor().0, lines.area.cursor().1));
        }
        assert_eq!(up, [(1, 0), (0, 8), (0, 0)]);
        assert_eq!(Editor::line("12345678 ").shown(9), ["12345678 ", ""], "the cursor has a cell");
        assert_eq!(Editor::line("123456789").shown(9), ["12345678", "9"]);
        assert_eq!(Editor::line("日本語").shown(5), ["日本", "語"]);
        assert_eq!(Editor::line("").shown(9), [""]);
    }

    #[test]
    fn a_long_line_scrolls_with_its_cursor() {
        assert_eq!(visible("abcdef", 2, 3), "cde");
    }
}

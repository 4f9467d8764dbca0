//! Running text for panes and popups: wrapped at words, never cut, with labels that hang in a column.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use crate::ui::look::{Look, Role};

/// Lines that grow from the top, each at most `width` cells wide.
pub struct Prose<'a> {
    look: &'a Look,
    width: usize,
    label_width: usize,
    lines: Vec<Line<'static>>,
}

impl<'a> Prose<'a> {
    /// `label_width` cells are kept free on the left for the labels of [`Prose::item`].
    pub fn new(look: &'a Look, width: u16, label_width: usize) -> Self {
        Prose { look, width: usize::from(width).max(1), label_width, lines: Vec::new() }
    }

    pub fn lines(self) -> Vec<Line<'static>> {
        self.lines
    }

    pub fn height(&self) -> usize {
        self.lines.len()
    }

    pub fn blank(&mut self) -> &mut Self {
        self.lines.push(Line::default());
        self
    }

    /// A paragraph over the whole width.
    pub fn text(&mut self, text: &str, style: Style) -> &mut Self {
        self.indented("", text, style)
    }

    /// A paragraph whose first line begins with `lead` and whose other lines stand under its text.
    pub fn indented(&mut self, lead: &str, text: &str, style: Style) -> &mut Self {
        let lead = self.look.text(lead);
        let indent = cells(&lead);
        for (index, line) in self.wrapped(text, indent).into_iter().enumerate() {
            let before = if index == 0 { lead.clone() } else { " ".repeat(indent) };
            self.lines.push(Line::from(vec![Span::raw(before), Span::styled(line, style)]));
        }
        self
    }

    /// A label, and its text beside it.
    pub fn item(&mut self, label: &str, text: &str, style: Style) -> &mut Self {
        let muted = self.look.style(Role::Muted);
        let column = self.label_width;
        for (index, line) in self.wrapped(text, column).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let padded = format!("{:<column$}", self.look.text(label));
            self.lines.push(Line::from(vec![Span::styled(padded, muted), Span::styled(line, style)]));
        }
        self
    }

    /// A paragraph above everything that is there already.
    pub fn above(&mut self, text: &str, style: Style) -> &mut Self {
        let lines = self.wrapped(text, 0).into_iter().map(|line| Line::styled(line, style));
        let lines: Vec<_> = lines.chain(self.lines.drain(..)).collect();
        self.lines = lines;
        self
    }

    /// A line made by somebody else; cut where it is too long.
    pub fn line(&mut self, line: Line<'static>) -> &mut Self {
        self.lines.push(line);
        self
    }

    /// A thin heading inside a pane.
    pub fn head(&mut self, text: &str) -> &mut Self {
        self.lines.push(Line::styled(self.look.text(text), self.look.bold()));
        self
    }

    /// Text whose lines and spaces mean something: a script, a call. Long lines are broken, at words, and never cut.
    pub fn verbatim(&mut self, text: &str, style: Style) -> &mut Self {
        let width = self.width.saturating_sub(2).max(1);
        for line in self.look.text(text).lines() {
            for piece in broken_at_words(line, width) {
                self.lines.push(Line::from(vec![Span::raw("  "), Span::styled(piece, style)]));
            }
        }
        self
    }

    fn wrapped(&self, text: &str, indent: usize) -> Vec<String> {
        wrap(&self.look.text(text), self.width.saturating_sub(indent).max(8))
    }
}

/// Breaks `text` into lines of at most `width` cells, at spaces where there are any. Newlines stay.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        wrap_paragraph(paragraph, width.max(1), &mut lines);
    }
    while lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn wrap_paragraph(paragraph: &str, width: usize, lines: &mut Vec<String>) {
    let mut line = String::new();
    for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
        let room = width.saturating_sub(cells(&line) + usize::from(!line.is_empty()));
        if cells(word) <= room {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut pieces = broken(word, width);
        line = pieces.pop().unwrap_or_default();
        lines.extend(pieces);
    }
    lines.push(line);
}

/// Breaks one line into pieces of at most `width` cells, anywhere. An empty line stays one empty piece.
pub fn broken(line: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for character in line.chars() {
        let (character, size) = match character {
            '\t' => (' ', 1),
            other => (other, other.width().unwrap_or(0)),
        };
        if used + size > width && used > 0 {
            pieces.push(String::new());
            used = 0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
        used += size;
    }
    pieces
}

/// As `broken`, after a space where there is one; what follows stands as deep as the line itself began. No word is broken
/// that fits into a line of its own.
pub fn broken_at_words(line: &str, width: usize) -> Vec<String> {
    let line = line.replace('\t', " ");
    let depth = line.len() - line.trim_start_matches(' ').len();
    let indent = " ".repeat(if depth * 2 < width { depth } else { 0 });
    let (mut pieces, mut rest, mut lead) = (Vec::new(), line.as_str(), "");
    loop {
        let fits = beginning(rest, width - lead.len());
        let first = format!("{lead}{fits}");
        if fits.len() == rest.len() {
            pieces.push(first);
            return pieces;
        }
        let inside = first.trim_start_matches(' ').len();
        let after_space = first.rfind(' ').map(|at| at + 1).filter(|at| *at > first.len() - inside);
        // A word that just fits is whole, with the space that follows it.
        let whole = rest.get(fits.len()..).is_some_and(|next| next.starts_with(' '));
        let end = after_space.filter(|_| !whole).unwrap_or(first.len());
        pieces.push(first.get(..end).unwrap_or(&first).trim_end_matches(' ').to_owned());
        let next = rest.get(end - lead.len()..).unwrap_or_default();
        rest = if whole { next.trim_start_matches(' ') } else { next };
        lead = &indent;
    }
}

/// As much of the beginning of a line as `width` cells take, and a character at least.
fn beginning(line: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, character) in line.char_indices() {
        used += character.width().unwrap_or(0);
        if used > width && at > 0 {
            return line.get(..at).unwrap_or(line);
        }
    }
    line
}

/// How many cells a text takes.
pub fn cells(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// `text` in exactly `width` cells: cut with a `~`, or filled with spaces.
pub fn fitted(text: &str, width: usize) -> String {
    let clipped = crate::text::clip(text, width);
    let rest = width.saturating_sub(cells(&clipped));
    format!("{clipped}{}", " ".repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_words_and_never_lost() {
        let text = "a VPC range of /8 is too wide: AWS takes /16 to /28";
        let lines = wrap(text, 12);
        assert!(lines.iter().all(|line| cells(line) <= 12), "{lines:?}");
        assert_eq!(lines.join(" "), text);
    }

    #[test]
    fn a_word_longer_than_the_line_is_broken() {
        assert_eq!(wrap("SHA256:abcdefgh ok", 6), ["SHA256", ":abcde", "fgh ok"]);
    }

    #[test]
    fn a_line_of_a_script_is_broken_between_words_and_keeps_its_depth() {
        let line = "    systemctl restart chrony && echo done";
        assert_eq!(broken_at_words(line, 24), ["    systemctl restart", "    chrony && echo done"]);
        assert_eq!(broken_at_words("short", 24), ["short"]);
        assert_eq!(broken_at_words("", 24), [""]);
        let long = format!("  {}", "x".repeat(30));
        assert_eq!(broken_at_words(&long, 20).concat().replace(' ', ""), "x".repeat(30), "nothing is lost");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(broken("日本語", 4), ["日本", "語"]);
        assert_eq!(fitted("日本語", 4), "日~ ");
    }
}

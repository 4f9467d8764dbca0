//! A box over the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear};

use crate::ui::look::{Look, Role};

/// Clears the middle of `area`, draws a box with a title into it and answers the room inside.
pub fn open(frame: &mut Frame, look: &Look, area: Rect, width: u16, height: u16, title: &str) -> Rect {
    let width = width.min(area.width.saturating_sub(6)).max(10).min(area.width);
    let height = height.min(area.height).max(3).min(area.height);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    pane(frame, look, place, title, "", true)
}

/// The room inside a pane for text, which stands a cell away from the border.
pub fn margin(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
}

/// A pane with a border, a title on the left and a note on the right; answers the room inside.
pub fn pane(frame: &mut Frame, look: &Look, area: Rect, title: &str, note: &str, focused: bool) -> Rect {
    let (border, name) = if focused {
        (look.style(Role::Accent), look.style(Role::Accent))
    } else {
        (look.style(Role::Muted), look.bold())
    };
    let room = usize::from(area.width).saturating_sub(6);
    let note = crate::text::clip(&look.text(note), room);
    let title_room = room.saturating_sub(super::prose::cells(&note) + 2);
    let title = crate::text::clip(&look.text(title), title_room);
    let mut block = Block::new().borders(Borders::ALL).border_style(border);
    if look.ascii() {
        block = block.border_set(ASCII_BORDER);
    }
    if !title.is_empty() {
        block = block.title(Line::from(Span::styled(format!(" {title} "), name)).left_aligned());
    }
    if !note.is_empty() {
        block = block.title(Line::from(Span::styled(format!(" {note} "), border)).right_aligned());
    }
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}

const ASCII_BORDER: ratatui::symbols::border::Set = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

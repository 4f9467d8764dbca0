//! A list of rows that scrolls to keep the focused one in sight.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::ui::look::Look;

/// Draws the rows around the focused one; answers nothing, keeps nothing. The hardware cursor is parked on the focus.
pub fn draw(frame: &mut Frame, look: &Look, area: Rect, rows: &[Line<'static>], focus: usize, focused: bool) {
    if area.is_empty() {
        return;
    }
    let height = usize::from(area.height);
    let first = first_visible(rows.len(), focus, height);
    for (index, row) in rows.iter().enumerate().skip(first).take(height) {
        let y = area.y + u16::try_from(index - first).unwrap_or(0);
        let place = Rect { y, height: 1, ..area };
        frame.render_widget(row.clone(), place);
        if index == focus {
            if focused {
                frame.buffer_mut().set_style(place, look.focus());
                frame.set_cursor_position(Position { x: area.x, y });
            } else {
                frame.buffer_mut().set_style(place, look.bold());
            }
        }
    }
}

/// The first row to show so that the focused one is in sight, with some of its surroundings.
pub fn first_visible(rows: usize, focus: usize, height: usize) -> usize {
    let most = rows.saturating_sub(height);
    focus.saturating_sub(height * 2 / 3).min(most)
}

#[cfg(test)]
mod tests {
    use super::first_visible;

    #[test]
    fn the_focus_is_always_in_sight() {
        for rows in 0..40 {
            for height in 1..20 {
                for focus in 0..rows {
                    let first = first_visible(rows, focus, height);
                    assert!((first..first + height).contains(&focus), "{rows} {height} {focus}");
                }
            }
        }
    }
}

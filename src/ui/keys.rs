//! Names of keys: written in the command table as people say them, compared with what the terminal sends.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Does this key event belong to the key of that name, e.g. `p`, `G`, `Enter`, `Ctrl-C`, `Shift-Tab`, `F1`, `Space`?
pub fn is(event: &KeyEvent, name: &str) -> bool {
    parse(name).is_some_and(|(code, modifiers)| {
        let held = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        event.code == code && held == modifiers
    })
}

/// Keys count when they go down, also when held; never when they are let go.
pub fn counts(event: &KeyEvent) -> bool {
    matches!(event.kind, KeyEventKind::Press | KeyEventKind::Repeat)
}

/// Would this key write a character into a field?
pub fn types_text(event: &KeyEvent) -> Option<char> {
    let plain = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match event.code {
        KeyCode::Char(character) if plain => Some(character),
        _ => None,
    }
}

/// The code and the modifiers (Control and Alt only: Shift shows in the character itself).
pub fn parse(name: &str) -> Option<(KeyCode, KeyModifiers)> {
    if let Some(rest) = name.strip_prefix("Ctrl-") {
        let (code, _) = parse(&rest.to_lowercase()).or_else(|| parse(rest))?;
        return Some((code, KeyModifiers::CONTROL));
    }
    if let Some(rest) = name.strip_prefix("Alt-") {
        return parse(rest).map(|(code, _)| (code, KeyModifiers::ALT));
    }
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Shift-Tab" => KeyCode::BackTab,
        "Space" => KeyCode::Char(' '),
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Backspace" => KeyCode::Backspace,
        "Delete" => KeyCode::Delete,
        "F1" => KeyCode::F(1),
        _ => {
            let mut characters = name.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => KeyCode::Char(character),
                _ => return None,
            }
        }
    };
    Some((code, KeyModifiers::NONE))
}

/// The key of that name as the terminal would send it; used by tests and the palette.
pub fn event(name: &str) -> Option<KeyEvent> {
    parse(name).map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_what_terminals_send() {
        let key = |code, modifiers| KeyEvent::new(code, modifiers);
        assert!(is(&key(KeyCode::Char('G'), KeyModifiers::SHIFT), "G"));
        assert!(is(&key(KeyCode::Char('c'), KeyModifiers::CONTROL), "Ctrl-C"));
        assert!(!is(&key(KeyCode::Char('c'), KeyModifiers::NONE), "Ctrl-C"));
        assert!(is(&key(KeyCode::BackTab, KeyModifiers::SHIFT), "Shift-Tab"));
        assert!(is(&key(KeyCode::Char(' '), KeyModifiers::NONE), "Space"));
        assert!(!is(&key(KeyCode::Char('p'), KeyModifiers::ALT), "p"));
        assert!(parse("Nonsense").is_none());
    }

    #[test]
    fn a_released_key_does_not_count() {
        let mut key = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE);
        assert!(counts(&key));
        key.kind = KeyEventKind::Release;
        assert!(!counts(&key));
    }
}

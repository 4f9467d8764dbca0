//! Cuts a template into plain text and what stands between its braces, with the place of each.

/// One piece, as byte offsets into the source. For all but text, `code` is what stands between the braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub what: What,
    /// Where the piece begins in the source, braces included.
    pub start: usize,
    pub code: &'a str,
    /// Where the code begins in the source.
    pub offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Text,
    /// `{{ … }}`
    Value,
    /// `{% … %}`
    Statement,
}

/// Which braces count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `{{ }}`, `{% %}` and `{# #}`: text for people.
    Full,
    /// `{{ }}` only: scripts have their own `if` and `for`, and their own use for `{%` and `{#`.
    ValuesOnly,
}

/// Offset of an opening brace that nothing closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unclosed(pub usize);

/// All pieces in order. Comments are left out.
pub(super) fn pieces(source: &str, syntax: Syntax) -> Result<Vec<Piece<'_>>, Unclosed> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let Some((open, closing)) = next_opening(source, at, syntax) else { break };
        if open > at {
            found.push(Piece { what: What::Text, start: at, code: &source[at..open], offset: at });
        }
        let inner = &source[open + 2..];
        let length = match closing {
            "#}" => inner.find("#}"),
            _ => code_length(inner, closing),
        }
        .ok_or(Unclosed(open))?;
        let trimmed = usize::from(syntax == Syntax::Full && inner.starts_with(['-', '+']));
        let code = &inner[trimmed.min(length)..length];
        let code = if syntax == Syntax::Full { code.strip_suffix(['-', '+']).unwrap_or(code) } else { code };
        let offset = open + 2 + trimmed;
        match closing {
            "}}" => found.push(Piece { what: What::Value, start: open, code, offset }),
            "%}" => found.push(Piece { what: What::Statement, start: open, code, offset }),
            _ => {}
        }
        at = open + 2 + length + 2;
    }
    if at < source.len() {
        found.push(Piece { what: What::Text, start: at, code: &source[at..], offset: at });
    }
    Ok(found)
}

fn next_opening(source: &str, from: usize, syntax: Syntax) -> Option<(usize, &'static str)> {
    let kinds: &[(&str, &'static str)] = match syntax {
        Syntax::Full => &[("{{", "}}"), ("{%", "%}"), ("{#", "#}")],
        Syntax::ValuesOnly => &[("{{", "}}")],
    };
    kinds
        .iter()
        .filter_map(|(open, close)| source[from..].find(open).map(|found| (from + found, *close)))
        .min_by_key(|(at, _)| *at)
}

/// Bytes up to the closing braces, as minijinja counts: not within a string, and all brackets closed.
fn code_length(inner: &str, closing: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut string: Option<char> = None;
    let mut escaped = false;
    for (at, character) in inner.char_indices() {
        if let Some(quote) = string {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == quote => string = None,
                _ => {}
            }
            continue;
        }
        if depth == 0 && inner[at..].starts_with(closing) {
            return Some(at);
        }
        match character {
            '\'' | '"' => string = Some(character),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Line and column, both from 1, of a byte offset.
pub(super) fn line_column(source: &str, offset: usize) -> (usize, usize) {
    let before = &source[..offset.min(source.len())];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(source: &str, syntax: Syntax) -> Vec<(What, &str)> {
        pieces(source, syntax).unwrap().into_iter().map(|piece| (piece.what, piece.code)).collect()
    }

    #[test]
    fn braces_in_strings_and_maps_do_not_close() {
        assert_eq!(
            codes("a{{ '}}' }}b", Syntax::Full),
            [(What::Text, "a"), (What::Value, " '}}' "), (What::Text, "b")]
        );
        assert_eq!(codes("{{ {'a': {'b': 1}} }}", Syntax::Full), [(What::Value, " {'a': {'b': 1}} ")]);
        assert_eq!(
            codes("{# {{ x }} #}{%- if y -%}", Syntax::Full),
            [(What::Statement, " if y ")],
            "comments vanish, trims are not code"
        );
        assert_eq!(pieces("ab {{ x", Syntax::Full), Err(Unclosed(3)));
    }

    #[test]
    fn scripts_keep_their_own_braces() {
        assert_eq!(
            codes("${#x} {%s} {{ y }}", Syntax::ValuesOnly),
            [(What::Text, "${#x} {%s} "), (What::Value, " y ")]
        );
    }

    #[test]
    fn places_count_characters() {
        assert_eq!(line_column("é\nab{{", "é\nab".len()), (2, 3));
    }
}

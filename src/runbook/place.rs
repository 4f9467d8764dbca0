//! Where things stand: file, line and column of every node of a YAML file.
//!
//! serde_yaml gives a place only for its own errors. For all that is found later the text is parsed a second time, by
//! marked-yaml, and a node's place is looked up by the way to it. A test holds that both parsers agree.

use std::fmt;
use std::sync::Arc;

use marked_yaml::{LoadError, Marker, Node};

/// Where something stands. Line and column count from 1, the column in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// As it is shown to people.
    pub file: Arc<str>,
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A YAML file whose nodes have places. Anchors, aliases and tags are refused, and so is a key that is there twice.
#[derive(Debug)]
pub(super) struct Document {
    file: Arc<str>,
    text: String,
    root: Node,
}

impl Document {
    /// The error is a message and its place.
    pub fn parse(file: &Arc<str>, text: &str) -> Result<Document, (Place, String)> {
        let options = marked_yaml::LoaderOptions::default().error_on_duplicate_keys(true).prevent_coercion(true);
        match marked_yaml::parse_yaml_with_options(0, text, options) {
            Ok(root) => Ok(Document { file: file.clone(), text: text.to_owned(), root }),
            Err(error) => {
                let (marker, message) = explain(&error);
                Err((place(file, marker.as_ref()), message))
            }
        }
    }

    pub fn root(&self) -> Cursor<'_> {
        Cursor { document: self, node: Some(&self.root), place: place(&self.file, begin(&self.root)) }
    }
}

/// The text of a file without the mark that some editors put in front.
///
/// # Errors
/// There is no document in it, or a second one; with the line.
pub(super) fn one_document(text: &str) -> Result<&str, (usize, &'static str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let said = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#') && !line.starts_with('%');
    let Some(first) = text.lines().position(said) else { return Err((1, "nothing stands in this file")) };
    match text.lines().skip(first + 1).position(|line| line.trim_end() == "---") {
        Some(below) => Err((first + below + 2, "`---` begins a second document, and a file of a runbook has one")),
        None => Ok(text),
    }
}

/// What the parser says of the commonest mistakes, with what to do.
pub(super) fn advised(said: &str) -> String {
    let advice = if said.contains("mapping values are not allowed") {
        "a text with `: ` in it stands in quotes; keys of one map begin in one column, after blanks and no others"
    } else if said.contains("unexpected end of stream") {
        "a quote or a bracket that was opened further up is not closed"
    } else if said.contains("expected ',' or") {
        "a text with braces, commas or brackets in it stands in quotes"
    } else if said.contains("valid YAML whitespace") || said.contains("tab") {
        "a tab stands where blanks belong"
    } else {
        return said.to_owned();
    };
    format!("{said}: {advice}")
}

fn explain(error: &LoadError) -> (Option<Marker>, String) {
    let (marker, message) = match error {
        LoadError::TopLevelMustBeMapping(marker) | LoadError::TopLevelMustBeSequence(marker) => {
            (Some(*marker), "expected keys and values, such as `steps:`".to_owned())
        }
        LoadError::UnexpectedAnchor(marker) => (Some(*marker), "an anchor (`&name`) is not allowed here".to_owned()),
        LoadError::UnexpectedTag(marker) => (Some(*marker), "a tag (`!name`) is not allowed here".to_owned()),
        LoadError::MappingKeyMustBeScalar(marker) => {
            (Some(*marker), "a key must be a word; a text that begins with `{` stands in quotes".to_owned())
        }
        LoadError::ScanError(marker, error) => (Some(*marker), advised(error.info())),
        LoadError::DuplicateKey(keys) => {
            let first = keys.prev_key.span().start().map_or(0, |marker| marker.line());
            let message = format!("`{}` is there twice, first in line {first}", keys.key.as_str());
            (keys.key.span().start().copied(), message)
        }
    };
    (marker, message)
}

fn place(file: &Arc<str>, marker: Option<&Marker>) -> Place {
    let (line, column) = marker.map_or((1, 1), |marker| (marker.line(), marker.column()));
    Place { file: file.clone(), line, column }
}

/// The parser marks a map where its first key ends; people look for it where that key begins.
fn begin(node: &Node) -> Option<&Marker> {
    let first_key = node.as_mapping().and_then(|map| map.keys().next()).and_then(|key| key.span().start());
    let marked = node.span().start();
    match (first_key, marked) {
        (Some(key), Some(marked)) if (marked.line(), marked.column()) < (key.line(), key.column()) => Some(marked),
        (Some(key), _) => Some(key),
        (None, marked) => marked,
    }
}

/// A node, or the place where it would be: a way that leads nowhere keeps the place of the last node on it.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    document: &'a Document,
    node: Option<&'a Node>,
    place: Place,
}

impl<'a> Cursor<'a> {
    fn to(&self, node: Option<&'a Node>) -> Cursor<'a> {
        let place = match node {
            Some(node) => self.place_of(begin(node)),
            None => self.place.clone(),
        };
        Cursor { document: self.document, node, place }
    }

    fn place_of(&self, marker: Option<&Marker>) -> Place {
        marker.map_or_else(|| self.place.clone(), |marker| place(&self.document.file, Some(marker)))
    }

    /// The value of a key. Where nothing is written after the key, its place is that of the key.
    pub fn key(&self, key: &str) -> Cursor<'a> {
        let value = self.to(self.node.and_then(Node::as_mapping).and_then(|map| map.get_node(key)));
        let scalar = value.node.and_then(Node::as_scalar);
        if scalar.is_some_and(|scalar| scalar.as_str().is_empty() && scalar.may_coerce()) {
            return Cursor { place: self.key_place(key), ..value };
        }
        value
    }

    /// An item of a list.
    pub fn item(&self, index: usize) -> Cursor<'a> {
        self.to(self.node.and_then(Node::as_sequence).and_then(|list| list.get_node(index)))
    }

    /// The texts of a list, with the place of each.
    pub fn items(&self) -> impl Iterator<Item = (&'a str, Place)> {
        let list = self.node.and_then(Node::as_sequence).map(|list| list.iter());
        let texts = list.into_iter().flatten().filter_map(|node| Some((node.as_scalar()?.as_str(), begin(node))));
        texts.map(|(text, marker)| (text, self.place_of(marker))).collect::<Vec<_>>().into_iter()
    }

    /// The keys of a map, with the place of each.
    pub fn keys(&self) -> Vec<(&'a str, Place)> {
        let Some(map) = self.node.and_then(Node::as_mapping) else { return Vec::new() };
        map.keys().map(|key| (key.as_str(), self.place_of(key.span().start()))).collect()
    }

    /// The place of a key itself; of the map when the key is not there.
    pub fn key_place(&self, wanted: &str) -> Place {
        let found = self.keys().into_iter().find(|(key, _)| *key == wanted);
        found.map_or_else(|| self.place.clone(), |(_, place)| place)
    }

    pub fn node(&self) -> Option<&'a Node> {
        self.node
    }

    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// The place of a line and column (both from 1) within a text. Exact for a text on one line and for a block that
    /// keeps its lines (`|`); of other texts it is the beginning.
    pub fn within(&self, line: usize, column: usize) -> Place {
        let Place { line: first, column: begin, .. } = self.place;
        let style = self.document.style(first, begin);
        match style {
            Style::Kept => Place { line: first + line - 1, column: begin + column - 1, ..self.place.clone() },
            Style::Plain if line == 1 => Place { column: begin + column - 1, ..self.place.clone() },
            Style::Quoted if line == 1 => Place { column: begin + column, ..self.place.clone() },
            Style::Plain | Style::Quoted | Style::Folded => self.place.clone(),
        }
    }
}

/// How a text is written in YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Quoted,
    /// `|`: a line is a line.
    Kept,
    /// `>`: lines are joined.
    Folded,
}

impl Document {
    /// The style of the text that the parser says begins there; a block begins in the line after its sign.
    fn style(&self, line: usize, column: usize) -> Style {
        let lines: Vec<&str> = self.text.lines().take(line).collect();
        let Some((own, above)) = lines.split_last() else { return Style::Folded };
        let before: String = own.chars().take(column.saturating_sub(1)).collect();
        let header = above.iter().rev().map(|line| line.trim_end()).find(|line| !line.is_empty()).unwrap_or_default();
        let sign = header.trim_end_matches(['+', '-']).chars().next_back();
        match (before.trim().is_empty(), sign, own.chars().nth(column.saturating_sub(1))) {
            (true, Some('|'), _) => Style::Kept,
            (true, Some('>'), _) => Style::Folded,
            (_, _, Some('"' | '\'')) => Style::Quoted,
            _ => Style::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "steps:\n  - id: a\n    run: |\n      one\n      two {{ x }}\n    plain: abc {{ y }}\n    list: [1, {k: v}]\n";

    fn at(place: Place) -> (usize, usize) {
        (place.line, place.column)
    }

    #[test]
    fn nodes_and_keys_have_places() {
        let document = Document::parse(&"f.yaml".into(), TEXT).unwrap();
        let step = document.root().key("steps").item(0);
        assert_eq!(at(step.place()), (2, 5));
        assert_eq!(at(step.key("id").place()), (2, 9));
        assert_eq!(at(step.key_place("run")), (3, 5));
        assert_eq!(at(step.key("list").item(1).key("k").place()), (7, 19));
        assert_eq!(at(step.key("nosuch").key("deeper").place()), (2, 5), "the nearest place there is");
        assert_eq!(at(step.key("run").within(2, 5)), (5, 11));
        assert_eq!(at(step.key("plain").within(1, 5)), (6, 16));
        assert_eq!(step.place().to_string(), "f.yaml:2:5");
    }

    #[test]
    fn what_yaml_can_do_and_runbooks_cannot() {
        for (text, expected, place) in [
            ("a: &x 1\nb: 2\n", "anchor", (1, 7)),
            ("a: 1\nb: !tag 2\n", "tag", (2, 9)),
            ("a: 1\nb: 2\na: 3\n", "`a` is there twice, first in line 1", (3, 1)),
            ("- a\n", "expected keys and values", (1, 1)),
            ("just text", "expected keys and values", (1, 1)),
            ("? [a]\n: b\n", "a key must be a word", (1, 3)),
        ] {
            let (found, message) = Document::parse(&"f".into(), text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
            assert_eq!(at(found), place, "{text}");
        }
    }
}

//! Shell scripts with values in them: cuts a script at its `{{ values }}` and proves that each stands where a quoted
//! word may stand.
//!
//! A value is always put in quoted (see [`super::quote`]). That is only safe where the shell is not already inside
//! quotes, a comment or a here-document, so this file follows the shell's own rules (POSIX XCU 2.2 to 2.6, and where
//! dash and bash differ, neither is trusted) and refuses every other place. Where it cannot follow the script it says so
//! and refuses all values after that: it may refuse a good script, but it never lets a bad one pass.

use super::pieces::{Piece, Syntax, What, pieces};

/// A script, cut at its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Goes to the shell as it is.
    Shell(String),
    /// An expression, whose value goes to the shell quoted.
    Value {
        code: String,
        /// Where the code begins in the script, in bytes.
        offset: usize,
        /// Blanks on both sides: only then may it become several words.
        whole_word: bool,
    },
}

/// A value at a place where quoting cannot keep it one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Byte offset into the script.
    pub offset: usize,
    pub message: String,
    pub hint: Option<&'static str>,
}

/// Cuts and proves a script. All faults, in order.
pub(super) fn parse(source: &str) -> Result<Script, Vec<Fault>> {
    if let Some(offset) = source.find('\0') {
        return Err(vec![fault(offset, "a script cannot hold a NUL byte", None)]);
    }
    let cut = pieces(source, Syntax::ValuesOnly).map_err(|unclosed| {
        let hint = "for two braces of the shell's own write '{''{'";
        vec![fault(unclosed.0, "`{{` is not closed by `}}`", Some(hint))]
    })?;
    let values: Vec<&Piece> = cut.iter().filter(|piece| piece.what == What::Value).collect();
    let mut faults = template_words(source);
    faults.extend(values.iter().filter_map(|piece| trims(piece)));
    let ends = cut.iter().skip(1).map(|next| next.start).chain([source.len()]);
    let places = cut.iter().zip(ends).filter(|(piece, _)| piece.what == What::Value);
    let mut reader = Reader::new(source, places.map(|(piece, end)| (piece.start, end)).collect());
    reader.read();
    faults.extend(
        reader.open().map(|what| fault(source.trim_end().len(), format!("the script ends inside {what}"), None)),
    );
    faults.extend(reader.faults);
    if !faults.is_empty() {
        faults.sort_by_key(|fault| fault.offset);
        return Err(faults);
    }
    let parts = cut.iter().enumerate().map(|(at, piece)| match piece.what {
        What::Value => Part::Value {
            code: piece.code.trim().to_owned(),
            offset: piece.start + 2 + piece.code.len() - piece.code.trim_start().len(),
            whole_word: stands_alone(&cut, at),
        },
        What::Text | What::Statement => Part::Shell(piece.code.to_owned()),
    });
    Ok(Script { parts: parts.collect() })
}

/// May a shell write what the script expands into a file? bash before 5.1 (RHEL 8) makes one in /tmp for each here-document
/// and here-string.
pub(super) fn writes_files(source: &str) -> bool {
    let Ok(cut) = pieces(source, Syntax::ValuesOnly) else { return false };
    let ends = cut.iter().skip(1).map(|next| next.start).chain([source.len()]);
    let values = cut.iter().zip(ends).filter(|(piece, _)| piece.what == What::Value);
    let mut reader = Reader::new(source, values.map(|(piece, end)| (piece.start, end)).collect());
    reader.read();
    reader.writes_files
}

/// Does this text leave what comes after it where a value may stand? If not, why.
pub(super) fn leaves_plain(source: &str) -> Result<(), String> {
    let probe = format!("{source}\n{{{{ after }}}}");
    let mut reader = Reader::new(&probe, vec![(source.len() + 1, probe.len())]);
    reader.read();
    match reader.faults.first() {
        Some(fault) => Err(fault.message.clone()),
        None if reader.frames.len() > 1 => Err("a value inside `$( )`".to_owned()),
        None => Ok(()),
    }
}

fn fault(offset: usize, message: impl Into<String>, hint: Option<&'static str>) -> Fault {
    Fault { offset, message: message.into(), hint }
}

/// Statements of the template language are not read in scripts; who writes one finds out here and not on a host.
fn template_words(source: &str) -> Vec<Fault> {
    const WORDS: [&str; 13] =
        ["if", "elif", "else", "endif", "for", "endfor", "set", "endset", "macro", "with", "filter", "raw", "include"];
    let mut faults = Vec::new();
    for (offset, _) in source.match_indices("{%") {
        let inner = source[offset + 2..].trim_start_matches(['-', '+']).trim_start();
        let word = inner.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        if WORDS.contains(&word) {
            let message = format!("`{{% {word} %}}` is not read in a script: only {{{{ values }}}} are");
            faults.push(fault(offset, message, Some("use the shell's own `if`, or `for x in {{ list }}`")));
        }
    }
    for (offset, _) in source.match_indices("{# ") {
        faults.push(fault(offset, "`{# … #}` is not read in a script", Some("use a shell comment")));
    }
    faults
}

fn trims(piece: &Piece) -> Option<Fault> {
    let trims = piece.code.starts_with(['-', '+']) || piece.code.ends_with(['-', '+']);
    trims.then(|| fault(piece.start, "`{{-` and `-}}` trim nothing in a script", Some("leave the sign out")))
}

fn stands_alone(cut: &[Piece], at: usize) -> bool {
    let before = match at.checked_sub(1).and_then(|before| cut.get(before)) {
        None => true,
        Some(piece) => piece.what == What::Text && piece.code.ends_with([' ', '\t', '\n', ';', '(']),
    };
    let after = match cut.get(at + 1) {
        None => true,
        Some(piece) => piece.what == What::Text && piece.code.starts_with([' ', '\t', '\n', ';', ')', '|', '&']),
    };
    before && after
}

/// Where the shell is while it reads.
#[derive(Debug)]
enum Frame {
    /// Commands: the script itself, or `$( … )`.
    Commands {
        substitution: bool,
        open_brackets: usize,
        heredocs: Vec<Heredoc>,
    },
    DoubleQuotes,
    /// `${ … }`
    Parameter {
        in_double_quotes: bool,
    },
    /// `$(( … ))`
    Arithmetic {
        open_brackets: usize,
    },
}

#[derive(Debug)]
struct Heredoc {
    end: String,
    strip_tabs: bool,
    expands: bool,
}

/// What stands right before, where it changes how the next character is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A word cannot have begun yet: a `#` begins a comment.
    Gap,
    Word,
    /// An unquoted `$`.
    Dollar,
}

struct Reader<'a> {
    source: &'a str,
    /// Begin and end of each value.
    values: Vec<(usize, usize)>,
    at: usize,
    frames: Vec<Frame>,
    before: Before,
    /// The letters of the word so far, to know `case` and `eval`.
    word: String,
    in_eval: bool,
    /// Why the script can no longer be followed.
    lost: Option<&'static str>,
    /// It has a here-document or here-string that expands.
    writes_files: bool,
    /// It has single quotes that nothing ends.
    in_single_quotes: bool,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str, values: Vec<(usize, usize)>) -> Self {
        let script = Frame::Commands { substitution: false, open_brackets: 0, heredocs: Vec::new() };
        Reader {
            source,
            values,
            at: 0,
            frames: vec![script],
            before: Before::Gap,
            word: String::new(),
            in_eval: false,
            lost: None,
            writes_files: false,
            in_single_quotes: false,
            faults: Vec::new(),
        }
    }

    fn read(&mut self) {
        while self.at < self.source.len() {
            if let Some(reason) = self.lost {
                self.refuse_the_rest(reason);
                break;
            }
            if let Some(end) = self.value_here() {
                self.value(end);
                continue;
            }
            let Some(character) = self.peek() else { break };
            match self.frames.last() {
                Some(Frame::Commands { .. }) => self.command_character(character),
                Some(Frame::DoubleQuotes) => self.double_quoted_character(character),
                Some(Frame::Parameter { in_double_quotes }) => {
                    let in_double_quotes = *in_double_quotes;
                    self.parameter_character(character, in_double_quotes);
                }
                Some(Frame::Arithmetic { .. }) => self.arithmetic_character(character),
                None => self.lost = Some("a bracket closes that nothing opened"),
            }
        }
    }

    /// What is still open where the script ends, as far as that can be told.
    fn open(&self) -> Option<&'static str> {
        if self.lost.is_some() || !self.faults.is_empty() {
            return None;
        }
        match self.frames.last() {
            _ if self.in_single_quotes => Some("single quotes"),
            Some(Frame::DoubleQuotes) => Some("double quotes"),
            Some(Frame::Parameter { .. }) => Some("`${ }`"),
            Some(Frame::Arithmetic { .. }) => Some("`$(( ))`"),
            Some(Frame::Commands { substitution: true, .. }) => Some("`$( )`"),
            Some(Frame::Commands { .. }) | None => None,
        }
    }

    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    /// The end of the value that begins here, if one does.
    fn value_here(&self) -> Option<usize> {
        self.values.iter().find(|(start, _)| *start == self.at).map(|(_, end)| *end)
    }

    fn starts(&self, text: &str) -> bool {
        self.source[self.at..].starts_with(text)
    }

    /// One character that means nothing special, or the two of a backslash and what it protects.
    fn skip(&mut self, character: char) {
        self.at += character.len_utf8();
        if character == '\\' && self.value_here().is_none() {
            self.at += self.peek().map_or(0, char::len_utf8);
        }
    }

    fn refuse(&mut self, message: impl Into<String>, hint: Option<&'static str>) {
        self.faults.push(fault(self.at, message, hint));
    }

    fn refuse_the_rest(&mut self, reason: &str) {
        let message = format!("cannot tell whether this value stands inside quotes: {reason} before it");
        let from = self.at;
        let rest = self.values.iter().filter(|(start, _)| *start >= from);
        self.faults.extend(rest.map(|(start, _)| fault(*start, message.clone(), None)));
    }

    fn value(&mut self, end: usize) {
        const QUOTES: Option<&str> = Some("the value is quoted by itself: end the quotes before it");
        match self.frames.last() {
            Some(Frame::DoubleQuotes) => self.refuse("a value inside double quotes", QUOTES),
            Some(Frame::Parameter { .. }) => {
                self.refuse("a value inside `${ }`", Some("give it to a variable first: name={{ value }}"));
            }
            Some(Frame::Arithmetic { .. }) => {
                self.refuse("a value inside `$(( ))`", Some("give it to a variable first: number={{ value }}"));
            }
            _ if self.before == Before::Dollar => self.refuse("a value right after `$`", None),
            _ if self.in_eval => {
                self.refuse("a value in the words of `eval`, which would run what is in it", None);
            }
            _ if self.source[end..].starts_with(['<', '>']) => {
                let hint = Some("put a blank between them");
                self.refuse(
                    "a value right before a redirection, which would take a number for a file descriptor",
                    hint,
                );
            }
            _ => {}
        }
        self.at = end;
        self.before = Before::Word;
        self.word.clear();
        self.word.push('_');
    }

    fn command_character(&mut self, character: char) {
        let at_start_of_word = self.before == Before::Gap;
        let after_dollar = self.before == Before::Dollar;
        if character.is_ascii_alphabetic() || character == '_' {
            self.word.push(character);
        } else if character != '\\' {
            self.end_of_word(character);
        }
        self.before = Before::Word;
        match character {
            '\\' => self.backslash(at_start_of_word),
            '\'' if after_dollar => self.lost = Some("`$'`, which dash and bash read differently, stands"),
            '\'' => self.single_quotes(),
            '"' => self.push(Frame::DoubleQuotes, 1),
            '`' => self.lost = Some("a backquote (write `$( )` for it) stands"),
            '$' => self.dollar(false),
            '#' if at_start_of_word => self.comment(),
            '(' if !at_start_of_word && !self.starts("()") => {
                self.lost = Some("a bracket right after a word, which dash and bash read differently, stands");
            }
            '(' => self.open_bracket(),
            ')' => self.close_bracket(),
            '<' | '>' if self.starts("<&") || self.starts(">&") => self.duplication(),
            '<' if self.starts("<<<") => {
                self.writes_files = true;
                self.at += 3;
            }
            '<' if self.starts("<<") => self.heredoc_begins(),
            '\n' => self.newline(),
            _ => {
                if matches!(character, ' ' | '\t' | ';' | '&' | '|' | '<' | '>') {
                    self.before = Before::Gap;
                }
                self.at += character.len_utf8();
            }
        }
    }

    fn end_of_word(&mut self, character: char) {
        let in_substitution = matches!(self.frames.last(), Some(Frame::Commands { substitution: true, .. }));
        match self.word.as_str() {
            // The patterns of `case` have closing brackets that nothing opens.
            "case" if in_substitution => self.lost = Some("`case` inside `$( )` stands"),
            // `$1eval` is `eval` when there is no `$1`.
            word if word.ends_with("eval") => self.in_eval = true,
            _ => {}
        }
        self.word.clear();
        match character {
            '\n' | ';' | '&' | '|' => self.in_eval = false,
            ' ' | '\t' | '(' | ')' => {}
            // Part of a longer word, which is then none of the two.
            _ => self.word.push('_'),
        }
    }

    fn backslash(&mut self, at_start_of_word: bool) {
        self.at += 1;
        if self.value_here().is_some() {
            self.refuse("a value right after a backslash, which would undo its first quote", None);
            return;
        }
        match self.peek() {
            // The line goes on; what follows may still be the start of a word.
            Some('\n') if at_start_of_word => self.before = Before::Gap,
            Some('\n') | None => {}
            Some(protected) => self.word.push(protected),
        }
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn single_quotes(&mut self) {
        let begin = self.at;
        let closing = self.source[begin + 1..].find('\'');
        self.in_single_quotes = closing.is_none();
        let end = closing.map_or(self.source.len(), |length| begin + 1 + length + 1);
        let hint = Some("the value is quoted by itself: end the quotes before it");
        self.refuse_values(begin, end, "a value inside single quotes", hint);
        self.at = end;
    }

    fn comment(&mut self) {
        let end = self.source[self.at..].find('\n').map_or(self.source.len(), |length| self.at + length);
        let message = "a value inside a comment, which the first line break in it would end";
        self.refuse_values(self.at, end, message, None);
        self.at = end;
    }

    fn refuse_values(&mut self, begin: usize, end: usize, message: &str, hint: Option<&'static str>) {
        let inside = self.values.iter().filter(|(start, _)| (begin..end).contains(start));
        self.faults.extend(inside.map(|(start, _)| fault(*start, message, hint)));
    }

    /// The caller has seen a `$`.
    fn dollar(&mut self, in_double_quotes: bool) {
        if self.starts("$((") {
            self.push(Frame::Arithmetic { open_brackets: 0 }, 3);
        } else if self.starts("$(") {
            self.push(Frame::Commands { substitution: true, open_brackets: 0, heredocs: Vec::new() }, 2);
            self.before = Before::Gap;
        } else if self.starts("$[") {
            self.lost = Some("`$[`, which dash and bash read differently, stands");
        } else if self.starts("${") && !self.starts("${{") {
            self.push(Frame::Parameter { in_double_quotes }, 2);
        } else if self.starts("$$") {
            // The shell's own number: what comes after it begins nothing.
            self.at += 2;
            self.before = Before::Word;
        } else {
            self.at += 1;
            self.before = Before::Dollar;
        }
    }

    fn push(&mut self, frame: Frame, length: usize) {
        self.frames.push(frame);
        self.at += length;
        self.word.clear();
    }

    fn pop(&mut self, length: usize) {
        self.frames.pop();
        self.at += length;
        self.before = Before::Word;
    }

    fn open_bracket(&mut self) {
        if self.starts("((") {
            self.lost = Some("`((`, which dash and bash read differently, stands");
            return;
        }
        if let Some(Frame::Commands { open_brackets, .. }) = self.frames.last_mut() {
            *open_brackets += 1;
        }
        self.at += 1;
        self.before = Before::Gap;
    }

    fn close_bracket(&mut self) {
        self.before = Before::Gap;
        match self.frames.last_mut() {
            Some(Frame::Commands { substitution: true, open_brackets: 0, heredocs }) => {
                if !heredocs.is_empty() {
                    self.lost = Some("a here-document that begins inside `$( )` and ends outside stands");
                }
                self.pop(1);
                return;
            }
            Some(Frame::Commands { open_brackets, .. }) => *open_brackets = open_brackets.saturating_sub(1),
            _ => {}
        }
        self.at += 1;
    }

    fn double_quoted_character(&mut self, character: char) {
        match character {
            '"' => self.pop(1),
            '`' => self.lost = Some("a backquote (write `$( )` for it) stands"),
            '$' => self.dollar(true),
            _ => self.skip(character),
        }
    }

    fn parameter_character(&mut self, character: char, in_double_quotes: bool) {
        match character {
            '}' => {
                // What stands for a variable that is not set may be the word `eval`.
                let begin = self.source[..self.at].rfind("${").unwrap_or(0);
                self.in_eval |= !in_double_quotes && self.source[begin..self.at].contains("eval");
                self.pop(1);
            }
            '\'' | '"' if in_double_quotes => {
                self.lost = Some("quotes inside `\"${ }\"`, which shells read differently, stand");
            }
            '\'' => self.single_quotes(),
            '"' => self.push(Frame::DoubleQuotes, 1),
            '`' => self.lost = Some("a backquote (write `$( )` for it) stands"),
            '$' => self.dollar(in_double_quotes),
            _ => self.skip(character),
        }
    }

    fn arithmetic_character(&mut self, character: char) {
        let Some(Frame::Arithmetic { open_brackets }) = self.frames.last_mut() else { return };
        match character {
            '(' => *open_brackets += 1,
            ')' if *open_brackets > 0 => *open_brackets -= 1,
            ')' if self.starts("))") => return self.pop(2),
            ')' | '\'' | '"' | '`' | '#' | '\n' => {
                self.lost = Some("`$((` with more than a sum in it stands");
                return;
            }
            '$' => return self.dollar(true),
            _ => {}
        }
        self.skip(character);
    }

    /// bash expands the word after `>&` twice, the second time with its quotes gone: only `>&2` and the like are followed.
    fn duplication(&mut self) {
        let rest = &self.source[self.at + 2..];
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').len();
        let ends = rest[number..].starts_with([' ', '\t', '\n', ';', '&', '|', ')', '<', '>']);
        if number == 0 || !(ends || number == rest.len()) {
            self.lost = Some("`>&` with something else than a number after it stands");
        }
        self.at += 2 + number;
        self.before = Before::Gap;
    }

    fn heredoc_begins(&mut self) {
        self.at += 2;
        let strip_tabs = self.starts("-");
        self.at += usize::from(strip_tabs);
        self.at += self.source[self.at..].len() - self.source[self.at..].trim_start_matches([' ', '\t']).len();
        let rest = &self.source[self.at..];
        let length = rest.find([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')']).unwrap_or(rest.len());
        let word = &rest[..length];
        let value_inside = self.values.iter().any(|(start, _)| (self.at..self.at + length).contains(start));
        if value_inside || word.is_empty() || word.contains(['\\', '$', '`']) {
            self.lost = Some("a here-document whose end is not a plain word stands");
            return;
        }
        let end: String = word.chars().filter(|c| !matches!(c, '\'' | '"')).collect();
        let heredoc = Heredoc { expands: end == word, end, strip_tabs };
        self.writes_files |= heredoc.expands;
        if let Some(Frame::Commands { heredocs, .. }) = self.frames.last_mut() {
            heredocs.push(heredoc);
        }
        self.at += length;
    }

    fn newline(&mut self) {
        self.at += 1;
        self.before = Before::Gap;
        let outer = self.frames.len().saturating_sub(1);
        let waits = |frame: &Frame| matches!(frame, Frame::Commands { heredocs, .. } if !heredocs.is_empty());
        if self.frames[..outer].iter().any(waits) {
            self.lost = Some("a line break inside `$( )` after the begin of a here-document stands");
            return;
        }
        let Some(Frame::Commands { heredocs, .. }) = self.frames.last_mut() else { return };
        for heredoc in std::mem::take(heredocs) {
            self.heredoc_body(&heredoc);
        }
    }

    fn heredoc_body(&mut self, heredoc: &Heredoc) {
        let begin = self.at;
        loop {
            let rest = &self.source[self.at..];
            if rest.is_empty() {
                break;
            }
            let length = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
            let line = rest[..length].trim_end_matches('\n');
            self.at += length;
            let line = if heredoc.strip_tabs { line.trim_start_matches('\t') } else { line };
            if line == heredoc.end {
                break;
            }
            if heredoc.expands && line.ends_with('\\') {
                self.lost = Some("a here-document with a line that ends in a backslash stands");
            }
        }
        let hint = Some("write the text with printf: printf '%s\\n' {{ value }}");
        self.refuse_values(begin, self.at, "a value inside a here-document", hint);
    }
}

//! Which names a piece of template code reads, and which of them it can do without.

use std::collections::BTreeSet;

/// The dotted names that some code reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Every name, those it can do without too.
    pub all: BTreeSet<String>,
    /// Names that only stand where a missing value is foreseen: `x | default(…)`, `x is defined`.
    pub optional: BTreeSet<String>,
    /// Names of which one item is taken: `rows` of `rows[0].id`.
    pub(super) indexed: BTreeSet<String>,
}

impl Names {
    /// The names that must be there before the code can be rendered.
    pub fn required(&self) -> impl Iterator<Item = &String> {
        self.all.difference(&self.optional)
    }

    /// Both together: a name is optional only where it is optional in both.
    pub fn merge(&mut self, other: &Names) {
        let required: BTreeSet<String> = self.required().chain(other.required()).cloned().collect();
        self.all.extend(other.all.iter().cloned());
        self.indexed.extend(other.indexed.iter().cloned());
        self.optional = self.all.difference(&required).cloned().collect();
    }

    /// `read` is what minijinja says is read, functions of its own included; `codes` is where to look for the guards, and
    /// for what minijinja does not tell of: that of which a part is cut out, as in `rows[:2]`.
    pub(super) fn new<'a>(
        read: impl IntoIterator<Item = String>,
        functions: &BTreeSet<String>,
        codes: impl IntoIterator<Item = &'a str>,
    ) -> Names {
        let codes: Vec<&str> = codes.into_iter().collect();
        let given: BTreeSet<&str> = codes.iter().flat_map(|code| given(code)).collect();
        let is_given = |name: &str| given.contains(name.split('.').next().unwrap_or(name));
        let cut = codes.iter().flat_map(|code| cut_into(code)).filter(|name| !is_given(name)).map(str::to_owned);
        let all: BTreeSet<String> = read.into_iter().chain(cut).filter(|name| !functions.contains(name)).collect();
        let indexed = codes.iter().flat_map(|code| indexed(code)).map(str::to_owned).collect();
        let uses: Vec<Use> = codes.into_iter().flat_map(uses).collect();
        let optional = all.iter().filter(|name| is_optional(name, &uses)).cloned().collect();
        Names { all, optional, indexed }
    }
}

fn is_optional(name: &str, uses: &[Use]) -> bool {
    let here = || uses.iter().filter(|used| used.name == name);
    here().any(|used| used.guard == Guard::Asked)
        || (here().next().is_some() && here().all(|used| used.guard == Guard::Defaulted))
}

/// One word of code that names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub start: usize,
    pub role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A value, by its dotted name. Loop variables and the words of statements are among them.
    Name,
    /// After a bar.
    Filter,
    /// After `is`.
    Test,
    /// Before a bracket.
    Function,
}

const KEYWORDS: [&str; 8] = ["and", "or", "not", "in", "is", "if", "elif", "else"];

/// Code cut into texts in quotes, words, and characters that stand alone, each with where it begins; blanks are left out.
pub(super) fn lexed(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(character) = code[at..].chars().next() {
        let start = at;
        at += match character {
            '\'' | '"' => string_length(&code[at..]),
            _ if starts_name(character) => name_length(&code[at..]),
            _ => character.len_utf8(),
        };
        if !character.is_whitespace() {
            found.push((start, &code[start..at]));
        }
    }
    found
}

/// The words of code, strings and keywords left out.
pub(super) fn words(code: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut before = "";
    for (start, text) in lexed(code) {
        if text == "not" && before == "is" {
            continue;
        }
        // A word after a dot is an attribute of something computed.
        if text.starts_with(starts_name) && before != "." && !KEYWORDS.contains(&text) {
            let role = match before {
                "|" => Role::Filter,
                "is" => Role::Test,
                _ if code[start + text.len()..].starts_with('(') => Role::Function,
                _ => Role::Name,
            };
            found.push(Word { text, start, role });
        }
        before = text;
    }
    found
}

/// One place where a value is read.
#[derive(Debug, PartialEq, Eq)]
struct Use<'a> {
    name: &'a str,
    guard: Guard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    None,
    /// `x | default(…)`
    Defaulted,
    /// `x is defined`, `x is undefined`: the author knows, everywhere in this code.
    Asked,
}

fn uses(code: &str) -> Vec<Use<'_>> {
    let names = words(code).into_iter().filter(|word| word.role == Role::Name);
    names.map(|word| Use { name: word.text, guard: guard(&code[word.start + word.text.len()..]) }).collect()
}

/// Is the name, after which this code comes, only asked for: `is defined`?
pub(super) fn is_asked_for(rest: &str) -> bool {
    guard(rest) == Guard::Asked
}

/// What follows a name, subscripts skipped.
fn guard(mut rest: &str) -> Guard {
    while rest.starts_with('[') {
        let Some(length) = bracket_length(rest) else { return Guard::None };
        rest = &rest[length..];
        while let Some(attribute) = rest.strip_prefix('.') {
            rest = &attribute[name_length(attribute)..];
        }
    }
    let mut words = rest.trim_start();
    if let Some(filter) = words.strip_prefix('|') {
        let filter = filter.trim_start();
        let name = &filter[..name_length(filter)];
        return if matches!(name, "default" | "d") { Guard::Defaulted } else { Guard::None };
    }
    for expected in ["is", "not"] {
        match words.strip_prefix(expected) {
            Some(after) if after.starts_with(char::is_whitespace) => words = after.trim_start(),
            _ if expected == "is" => return Guard::None,
            _ => {}
        }
    }
    let test = &words[..name_length(words)];
    if matches!(test, "defined" | "undefined") { Guard::Asked } else { Guard::None }
}

fn starts_name(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

fn name_length(text: &str) -> usize {
    let mut length = 0;
    for part in text.split_inclusive('.') {
        let word = part.trim_end_matches('.');
        let word_length = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        if word_length == 0 || !word.starts_with(starts_name) {
            // What came before was a name and a dot that belongs to something else.
            return length;
        }
        let dot = usize::from(length > 0);
        length += dot + word_length;
        if word_length < word.len() || word.len() == part.len() {
            return length;
        }
    }
    length
}

fn string_length(text: &str) -> usize {
    let quote = text.chars().next();
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if Some(character) == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn bracket_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        match character {
            '\'' | '"' => {
                at += string_length(&text[at..]);
                continue;
            }
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += character.len_utf8();
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Names that a statement gives: `for row in rows`, `set row = …`.
fn given(code: &str) -> Vec<&str> {
    let code = code.trim_start_matches('-').trim_start();
    let names = match code.split_once(char::is_whitespace) {
        Some(("for", rest)) => rest.split(" in ").next(),
        Some(("set", rest)) => rest.split('=').next(),
        _ => None,
    };
    names.map(words).unwrap_or_default().into_iter().map(|word| word.text).collect()
}

/// Names in what a part is cut out of: `rows` of `rows[:2]`, `(rows | sort)[1:]` and `rows.of['a'][:1]`.
fn cut_into(code: &str) -> Vec<&str> {
    let all = words(code);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(character) = code[at..].chars().next() {
        match character {
            '\'' | '"' => at += string_length(&code[at..]),
            '[' if is_slice(&code[at..]) => {
                let begins = begin_of_value(&code[..at]);
                let within = all.iter().filter(|word| (begins..at).contains(&word.start));
                found.extend(within.filter(|word| is_value(code, word)).map(|word| word.text));
                at += 1;
            }
            _ => at += character.len_utf8(),
        }
    }
    found
}

/// Names right before a bracket that takes one item.
fn indexed(code: &str) -> Vec<&str> {
    let bracket = |word: &Word<'_>| code[word.start + word.text.len()..].trim_start().to_owned();
    let all = words(code).into_iter().filter(|word| word.role == Role::Name);
    all.filter(|word| bracket(word).starts_with('[') && !is_slice(&bracket(word))).map(|word| word.text).collect()
}

/// A name, and not that of an argument.
fn is_value(code: &str, word: &Word<'_>) -> bool {
    let after = code[word.start + word.text.len()..].trim_start();
    word.role == Role::Name && (!after.starts_with('=') || after.starts_with("=="))
}

/// Is there a colon in the bracket, not deeper and not in a text?
fn is_slice(bracket: &str) -> bool {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(character) = bracket[at..].chars().next() {
        match character {
            '\'' | '"' => {
                at += string_length(&bracket[at..]);
                continue;
            }
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth = depth.saturating_sub(1),
            ':' if depth == 1 => return true,
            _ => {}
        }
        if depth == 0 {
            return false;
        }
        at += character.len_utf8();
    }
    false
}

/// Where the value begins with which the code ends: a name, or brackets with what stands before them.
fn begin_of_value(code: &str) -> usize {
    let mut begins = code.trim_end().len();
    while code[..begins].ends_with([')', ']']) {
        let mut depth = 0_usize;
        for (at, character) in code[..begins].char_indices().rev() {
            match character {
                ')' | ']' => depth += 1,
                '(' | '[' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                begins = at;
                break;
            }
        }
        if depth > 0 {
            return 0;
        }
    }
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || ['_', '.'].contains(&character);
    code[..begins].trim_end_matches(is_of_name).len()
}

/// Comparisons of a name with literal words: `conn.mode == "vpn"`, `conn.mode in ["vpn", "dx"]`. What lint holds against
/// the choices of the input.
pub(super) fn compared(code: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found = Vec::new();
    for word in words(code).into_iter().filter(|word| word.role == Role::Name) {
        let rest = code[word.start + word.text.len()..].trim_start();
        let literals = if let Some(right) = rest.strip_prefix("==").or_else(|| rest.strip_prefix("!=")) {
            let right = right.trim_start();
            if right.starts_with(['\'', '"']) { strings(&right[..string_length(right)]) } else { Vec::new() }
        } else {
            let negated = rest.strip_prefix("not ").map(str::trim_start).unwrap_or(rest);
            match negated.strip_prefix("in ").map(str::trim_start) {
                Some(right) if right.starts_with('[') => strings(&right[..bracket_length(right).unwrap_or(0)]),
                _ => Vec::new(),
            }
        };
        if !literals.is_empty() {
            found.push((word.text, literals));
        }
    }
    found
}

fn strings(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        if matches!(character, '\'' | '"') {
            let length = string_length(&text[at..]);
            if length >= 2 {
                found.push(&text[at + 1..at + length - 1]);
            }
            at += length;
        } else {
            at += character.len_utf8();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guards(code: &str) -> Vec<(&str, Guard)> {
        uses(code).into_iter().map(|used| (used.name, used.guard)).collect()
    }

    #[test]
    fn guards_are_seen() {
        assert_eq!(guards("vpn.asn | default(65000)"), [("vpn.asn", Guard::Defaulted)]);
        assert_eq!(guards("a.b[c.d] | d('x')"), [("a.b", Guard::Defaulted), ("c.d", Guard::None)]);
        assert_eq!(guards("a[']'].x|default(b)"), [("a", Guard::Defaulted), ("b", Guard::None)]);
        assert_eq!(guards("a is not defined")[0], ("a", Guard::Asked));
        assert_eq!(guards("island == 1"), [("island", Guard::None)]);
        assert_eq!(guards("'x.y' ~ z.w"), [("z.w", Guard::None)]);
        assert_eq!(guards("rows | pluck('a')"), [("rows", Guard::None)]);
        assert_eq!(guards("1.5 + é.x"), [], "what follows a dot of something else is no name");
        let roles: Vec<Role> = words("a | b is not c(d) and e('f')").into_iter().map(|word| word.role).collect();
        assert_eq!(roles, [Role::Name, Role::Filter, Role::Test, Role::Name, Role::Function]);
    }

    #[test]
    fn a_default_must_stand_everywhere() {
        let names = |codes: &[&str]| {
            Names::new(["a.b".to_owned(), "range".to_owned()], &BTreeSet::from(["range".to_owned()]), codes.to_vec())
        };
        assert!(names(&["a.b | default(1)"]).optional.contains("a.b"));
        assert!(!names(&["a.b | default(1)", "a.b"]).optional.contains("a.b"));
        assert!(names(&["a.b is defined", "a.b"]).optional.contains("a.b"));
        assert_eq!(names(&["a.b"]).all, BTreeSet::from(["a.b".to_owned()]));
    }

    #[test]
    fn what_a_part_is_cut_out_of_is_read() {
        assert_eq!(cut_into("hosts.private[:1]"), ["hosts.private"]);
        assert_eq!(cut_into("x + (a.b | sort(by='c'))[n:] ~ rows.of['a'][: 2]"), ["a.b", "rows.of"]);
        assert_eq!(cut_into("a[0] ~ b['x:y'] ~ {'c': d}['e']"), Vec::<&str>::new(), "an item is no part");
        let read = |codes: &[&str]| Names::new(["rows".to_owned()], &BTreeSet::new(), codes.to_vec()).all;
        assert_eq!(read(&["for row in rows", "row.name[:3]"]), BTreeSet::from(["rows".to_owned()]));
        assert_eq!(
            read(&["set some = rows", "some[:3] ~ b.c[1:]"]),
            BTreeSet::from(["rows".to_owned(), "b.c".to_owned()])
        );
    }

    #[test]
    fn what_an_item_is_taken_of_is_told_from_what_a_part_is_cut_out_of() {
        assert_eq!(indexed("a.b[0].c ~ d[1:] ~ e ['x:y'] ~ [f] ~ g"), ["a.b", "e"]);
    }

    #[test]
    fn comparisons_with_words_are_found() {
        assert_eq!(compared("conn.mode == \"vpn\" and x != 'y'"), [("conn.mode", vec!["vpn"]), ("x", vec!["y"])]);
        assert_eq!(compared("m not in ['a', \"b\"]"), [("m", vec!["a", "b"])]);
        assert_eq!(compared("m == other"), []);
    }
}

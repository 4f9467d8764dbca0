//! An answer as it came, typed or from a file, taken apart into words, entries, rows or pairs: so every rule exists once.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::refusal::{Refusal, quoted};
use crate::text::{list, nearest};

/// An answer before any rule saw it.
pub(super) enum Given<'a> {
    /// Typed in a form or on the command line.
    Text(&'a str),
    /// From an answer file.
    Plain(&'a Json),
}

/// One entry of a list, with its place for messages: `line 3` or `entry 3`.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub place: String,
    pub text: String,
}

/// More entries than these are not judged once they are wrong: it is another answer that was pasted here.
const WRONG_ENTRIES: usize = 20;

/// What the rule makes of every entry, or what is wrong with each of those that it refuses.
pub(super) fn every<T>(items: &[Item], rule: impl Fn(&Item) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
    let (good, wrong) = sorted(items.iter().map(|item| rule(item).map_err(|refusal| refusal.at(&item.place))));
    Refusal::together(wrong, WRONG_ENTRIES).map_or(Ok(good), Err)
}

/// The rows that are good, or what is wrong with each that is not. The example of one cell is none for several rows.
pub(super) fn every_row<T>(judged: impl Iterator<Item = Result<T, Refusal>>) -> Result<Vec<T>, Refusal> {
    let (good, wrong) = sorted(judged);
    let several = wrong.len() > 1;
    let together =
        Refusal::together(wrong, WRONG_ENTRIES).map(|refusal| if several { refusal.suggest("") } else { refusal });
    together.map_or(Ok(good), Err)
}

fn sorted<T>(judged: impl Iterator<Item = Result<T, Refusal>>) -> (Vec<T>, Vec<Refusal>) {
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    for one in judged {
        match one {
            Ok(one) => good.push(one),
            Err(refusal) => wrong.push(refusal),
        }
        if wrong.len() == WRONG_ENTRIES {
            break;
        }
    }
    (good, wrong)
}

/// What a table's rows look like.
pub(super) struct RowForm {
    /// What one row is: `subnet`.
    pub thing: &'static str,
    /// Columns that every row has, in the order in which a line has them.
    pub needed: &'static [&'static str],
    /// Columns whose cells in a line have no name before them, in their order.
    pub places: &'static [&'static str],
    /// Columns that a line gives as `name=value`.
    pub optional: &'static [&'static str],
    /// Columns that onramp adds; read back they are ignored, because they are computed again.
    pub computed: &'static [&'static str],
}

/// One row of a table, its cells still text.
pub(super) struct RawRow {
    pub place: String,
    cells: BTreeMap<&'static str, String>,
}

impl RawRow {
    /// The cell's text; empty where it was not given.
    pub fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

impl Given<'_> {
    /// Refuses a private key that slipped into the wrong field, before a message can repeat it.
    pub fn holds_no_private_key(&self) -> Result<(), Refusal> {
        let found = match self {
            Self::Text(text) => is_private_key(text),
            Self::Plain(plain) => mentions_private_key(plain),
        };
        let why = "a private key stays where it is; onramp asks for the public half, or for the path of the file";
        if found { Err(Refusal::new("this is a private key", why, "RFC 7468")) } else { Ok(()) }
    }

    /// Refuses a word that stands for no answer: stored, it would be taken at its word.
    pub fn says_something(&self) -> Result<(), Refusal> {
        let text = match self {
            Self::Text(text) => text.trim(),
            Self::Plain(Json::String(text)) => text.trim(),
            Self::Plain(_) => return Ok(()),
        };
        if NOTHING.contains(&text.to_lowercase().as_str()) {
            let what = format!("{} is a word for no answer, and would be taken at its word", quoted(text));
            return Err(Refusal::new(what, "leave it empty where there is none", "onramp"));
        }
        Ok(())
    }

    /// One value, without blanks around it.
    pub fn word(&self) -> Result<String, Refusal> {
        let word = match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Plain(plain) => scalar(plain)?,
        };
        match word.trim() {
            "" => Err(Refusal::new("nothing was given", "this input needs a value", "onramp")),
            trimmed => Ok(trimmed.to_owned()),
        }
    }

    /// The entries of a list; maybe none.
    pub fn items(&self) -> Result<Vec<Item>, Refusal> {
        match self {
            Self::Text(text) => Ok(text_items(text)),
            Self::Plain(Json::Array(entries)) => {
                let mut items = Vec::new();
                for (index, entry) in entries.iter().enumerate() {
                    let place = format!("entry {}", index + 1);
                    let text = scalar(entry).map_err(|refusal| refusal.at(&place))?;
                    items.extend(words(&text).map(|word| Item { place: place.clone(), text: word.to_owned() }));
                }
                Ok(items)
            }
            Self::Plain(Json::Null) => Ok(Vec::new()),
            Self::Plain(plain) => Ok(text_items(&scalar(plain)?)),
        }
    }

    /// The entries of a list that may have blanks in them: each stands on a line, or between commas.
    pub fn phrases(&self) -> Result<Vec<Item>, Refusal> {
        let texts = match self {
            Self::Text(text) => vec![(*text).to_owned()],
            Self::Plain(Json::Array(entries)) => entries.iter().map(scalar).collect::<Result<_, _>>()?,
            Self::Plain(plain) => vec![scalar(plain)?],
        };
        let phrases = texts.iter().flat_map(|text| text.split([',', ';', '\n'])).map(str::trim);
        let phrases = phrases.filter(|phrase| !phrase.is_empty() && !phrase.starts_with('#'));
        let entry =
            |(index, phrase): (usize, &str)| Item { place: format!("entry {}", index + 1), text: phrase.to_owned() };
        Ok(phrases.enumerate().map(entry).collect())
    }

    /// The rows of a table, maybe none, each with what the rule makes of it; or what is wrong with every wrong one.
    pub fn rows<T>(
        &self,
        form: &RowForm,
        rule: impl Fn(&RawRow) -> Result<T, Refusal>,
    ) -> Result<Vec<(RawRow, T)>, Refusal> {
        let judged = |row: RawRow| match rule(&row) {
            Ok(made) => Ok((row, made)),
            Err(refusal) => Err(refusal.at(&row.place)),
        };
        match self {
            Self::Text(text) => {
                every_row(text_lines(text).map(|(place, line)| form.read_line(place, line).and_then(judged)))
            }
            Self::Plain(Json::Array(entries)) => {
                let place = |index: usize| format!("row {}", index + 1);
                let entries = entries.iter().enumerate();
                every_row(entries.map(|(index, entry)| form.read_entry(place(index), entry).and_then(judged)))
            }
            Self::Plain(Json::Null) => Ok(Vec::new()),
            Self::Plain(plain) => Err(shape(plain, "a list of tables")),
        }
    }

    /// `key=value` pairs, one per line, or a table, or a list of tables with `key` and `value`.
    pub fn pairs(&self) -> Result<Vec<(String, String)>, Refusal> {
        let split = |line: &str| match line.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
            None => Err(Refusal::new(format!("{} has no =", quoted(line)), "a pair is key=value", "onramp")),
        };
        match self {
            Self::Text(text) => {
                let pairs = text_lines(text).flat_map(|(_, line)| line.split(',')).map(str::trim);
                every_row(pairs.filter(|pair| !pair.is_empty()).map(split))
            }
            Self::Plain(Json::Object(table)) => {
                let pair =
                    |(key, value): (&String, &Json)| Ok((key.trim().to_owned(), scalar(value)?.trim().to_owned()));
                every_row(table.iter().map(pair))
            }
            Self::Plain(Json::Array(entries)) => {
                const FORM: RowForm =
                    RowForm { thing: "pair", needed: &["key"], places: &["key"], optional: &["value"], computed: &[] };
                let pair = |(index, entry): (usize, &Json)| match entry {
                    Json::String(line) => split(line),
                    _ => FORM
                        .read_entry(format!("row {}", index + 1), entry)
                        .map(|row| (row.cell("key").to_owned(), row.cell("value").to_owned())),
                };
                every_row(entries.iter().enumerate().map(pair))
            }
            Self::Plain(Json::Null) => Ok(Vec::new()),
            Self::Plain(plain) => Err(shape(plain, "a table")),
        }
    }
}

impl RowForm {
    /// `10.40.0.0/24 public eu-west-1a key=…`
    fn read_line(&self, place: String, line: &str) -> Result<RawRow, Refusal> {
        let mut cells = BTreeMap::new();
        let mut places = self.places.iter();
        for word in line.split_whitespace() {
            if let Some((name, value)) =
                word.split_once('=').filter(|(name, _)| name.chars().all(|c| c.is_ascii_alphabetic()))
            {
                self.set(&mut cells, &place, name, value.to_owned())?;
            } else if let Some(column) = places.next() {
                self.set(&mut cells, &place, column, word.to_owned())?;
            } else {
                let what = format!("{} is one word too many", quoted(word));
                return Err(Refusal::new(what, self.looks_like(), "onramp").at(&place));
            }
        }
        self.complete(RawRow { place, cells })
    }

    /// `{"cidr": "10.40.0.0/24", "tier": "public", …}`, or a text that is a line.
    fn read_entry(&self, place: String, entry: &Json) -> Result<RawRow, Refusal> {
        let table = match entry {
            Json::String(line) => return self.read_line(place, line),
            Json::Object(table) => table,
            other => return Err(shape(other, "a table").at(&place)),
        };
        let mut cells = BTreeMap::new();
        for (name, value) in table {
            let text = match value {
                Json::Array(entries) => {
                    entries.iter().map(scalar).collect::<Result<Vec<_>, _>>().map(|words| words.join(","))
                }
                Json::Null => continue,
                value => scalar(value),
            };
            let text = text.map_err(|refusal| refusal.at(&format!("{place}, {name}")))?;
            self.set(&mut cells, &place, name, text.trim().to_owned())?;
        }
        self.complete(RawRow { place, cells })
    }

    fn set(
        &self,
        cells: &mut BTreeMap<&'static str, String>,
        place: &str,
        name: &str,
        value: String,
    ) -> Result<(), Refusal> {
        let Some(column) = self.needed.iter().chain(self.optional).find(|column| **column == name) else {
            if self.computed.contains(&name) {
                return Ok(());
            }
            let known = self.needed.iter().chain(self.optional).copied();
            let why = match nearest(name, known) {
                Some(near) => format!("did you mean {near}? {}", self.looks_like()),
                None => self.looks_like(),
            };
            return Err(Refusal::new(format!("a {} has no {}", self.thing, quoted(name)), why, "onramp").at(place));
        };
        if cells.insert(*column, value).is_some() {
            return Err(Refusal::new(format!("{column} is given twice"), self.looks_like(), "onramp").at(place));
        }
        Ok(())
    }

    fn complete(&self, row: RawRow) -> Result<RawRow, Refusal> {
        match self.needed.iter().find(|column| row.cell(column).is_empty()) {
            Some(missing) => {
                Err(Refusal::new(format!("{missing} is missing"), self.looks_like(), "onramp").at(&row.place))
            }
            None => Ok(row),
        }
    }

    fn looks_like(&self) -> String {
        let needed = format!("a {} has {}", self.thing, list(self.needed));
        if self.optional.is_empty() { needed } else { format!("{needed}, and may have {}", list(self.optional)) }
    }
}

fn is_private_key(text: &str) -> bool {
    text.contains("-----BEGIN") && text.contains("PRIVATE KEY")
}

fn mentions_private_key(plain: &Json) -> bool {
    match plain {
        Json::String(text) => is_private_key(text),
        Json::Array(entries) => entries.iter().any(mentions_private_key),
        Json::Object(table) => table.values().any(mentions_private_key),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

pub(super) fn scalar(plain: &Json) -> Result<String, Refusal> {
    match plain {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(flag) => Ok(if *flag { "yes" } else { "no" }.to_owned()),
        Json::Null => Ok(String::new()),
        Json::Array(_) | Json::Object(_) => Err(shape(plain, "one value")),
    }
}

fn shape(plain: &Json, wanted: &str) -> Refusal {
    let what = match plain {
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a table".to_owned(),
        other => format!("the value {}", quoted(&other.to_string())),
    };
    Refusal::new(format!("{what} was given"), format!("{wanted} is expected here"), "onramp")
}

/// What people write where there is nothing to write.
const NOTHING: [&str; 10] = ["none", "n/a", "nil", "null", "-", "--", "–", "—", "keine", "keiner"];

/// Entries between blanks, commas and semicolons. Quotes around an entry are left over from where it was copied.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',' || c == ';')
        .map(|word| word.trim_matches(['"', '\'', '“', '”', '„', '‘', '’', '«', '»']))
        .filter(|word| !word.is_empty())
}

fn text_items(text: &str) -> Vec<Item> {
    let trimmed = text.trim();
    if !trimmed.contains('\n') {
        let entry =
            |(index, word): (usize, &str)| Item { place: format!("entry {}", index + 1), text: word.to_owned() };
        return words(trimmed).enumerate().map(entry).collect();
    }
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    numbered
        .flat_map(|(index, line)| {
            words(line).map(move |word| Item { place: format!("line {}", index + 1), text: word.to_owned() })
        })
        .collect()
}

/// The lines that say something, with their places.
pub(super) fn text_lines(text: &str) -> impl Iterator<Item = (String, &str)> {
    let numbered = text.split(['\n', ';']).map(str::trim).enumerate();
    numbered
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| (format!("line {}", index + 1), line))
}

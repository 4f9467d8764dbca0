//! Tables whose columns a runbook names, and lists whose entries are of one kind.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::given::{Given, Item, every, every_row, scalar, text_lines};
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};
use super::value::Row;
use super::{Kind, Setting, Value, judged, parse};
use crate::text::{list, nearest};

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// One lower-case word; templates read the cell by it.
    pub name: String,
    /// The rules of its cells. Never a list or a table.
    pub kind: Kind,
    /// A row may leave it out, and then has an empty text there.
    pub optional: bool,
}

/// Kinds whose answers have no blanks and no commas in them, so that a list can be typed on one line.
const ONE_WORD: [&str; 16] = [
    "email",
    "phone",
    "name",
    "domain",
    "url",
    "endpoint",
    "address",
    "host",
    "port",
    "path",
    "number",
    "unix-name",
    "region",
    "instance-type",
    "timezone",
    "account-id",
];

/// Can a list have entries of this kind? The error is a sentence for whoever writes the runbook.
pub(super) fn entry_kind(kind: Kind) -> Result<Box<Kind>, String> {
    match ONE_WORD.contains(&kind.name()) {
        true => Ok(Box::new(kind)),
        false => Err(format!("a list cannot have entries of the kind {}, only of {}", kind.name(), list(&ONE_WORD))),
    }
}

/// Entries of one kind, none twice.
pub(super) fn entries(items: &[Item], kind: &Kind, count: Bounds, setting: &Setting) -> Result<Value, Refusal> {
    count.check(items.len(), "entry")?;
    let mut entries: Vec<Value> = Vec::new();
    for (item, entry) in items.iter().zip(every(items, |item| judged(kind, &item.text, setting))?) {
        if entries.iter().any(|other| are_one(other, &entry, kind)) {
            let what = format!("{} is there twice", quoted(&entry.shown()));
            return Err(Refusal::new(what, "each entry counts once", "onramp").at(&item.place));
        }
        entries.push(entry);
    }
    Ok(Value::List(entries))
}

/// Nobody has two mailboxes that differ in capitals alone (RFC 5321 section 2.4 advises against it).
fn are_one(one: &Value, other: &Value, kind: &Kind) -> bool {
    one == other || (matches!(kind, Kind::Email(_)) && one.shown().eq_ignore_ascii_case(&other.shown()))
}

/// Are these columns a table that can be told from the others? The error is a sentence for whoever writes the runbook.
pub(super) fn checked(columns: Vec<Column>) -> Result<Vec<Column>, String> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let Some(first) = columns.first() else { return Err("a table needs columns".to_owned()) };
    if first.optional {
        return Err(format!("{} cannot be optional: the first column tells rows apart", first.name));
    }
    for (index, column) in columns.iter().enumerate() {
        let word = column.name.starts_with(|first: char| first.is_ascii_lowercase())
            && column.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !word || names[..index].contains(&names[index]) {
            return Err(format!(
                "{} cannot be a column: a column is one lower-case word, and there once",
                quoted(&column.name)
            ));
        }
        if column.kind.has_many_lines() || matches!(column.kind, Kind::Secret(_) | Kind::Choices(..)) {
            return Err(format!("a cell cannot be of the kind {}", column.kind.name()));
        }
    }
    // A row is shown by its columns, and these belong to tables of their own.
    let taken: [&[&str]; 5] = [
        &["cidr", "tier", "zone"],
        &["name", "address", "user"],
        &["name", "subnet", "type"],
        &["name", "type", "value"],
        &["key", "value"],
    ];
    match taken.iter().find(|taken| taken.iter().all(|name| names.contains(name))) {
        Some(taken) => Err(format!("a table with the columns {} has a kind of its own", list(taken))),
        None => Ok(columns),
    }
}

/// One row a line, cells between commas in the order of the columns or as `column=value`; or a list of tables.
pub(super) fn rows(given: &Given<'_>, columns: &[Column], count: Bounds, setting: &Setting) -> Result<Value, Refusal> {
    let table = Table { columns, setting };
    let judged = |raw: Raw| {
        let (place, cells) = raw?;
        let row = table.row(&cells).map_err(|refusal| refusal.at(&place))?;
        Ok((place, row))
    };
    let (places, rows): (Vec<String>, Vec<Row>) =
        every_row(table.raw(given)?.into_iter().map(judged))?.into_iter().unzip();
    count.check(rows.len(), "row")?;
    every_row(places.iter().zip(&rows).enumerate().map(|(index, (place, row))| {
        if !rows[..index].iter().any(|other| same_first(other, row, columns)) {
            return Ok(());
        }
        let first = columns.first().and_then(|first| row.get(&first.name)).map(Value::shown).unwrap_or_default();
        let what = format!("there is a second row for {}", quoted(&first));
        Err(Refusal::new(what, "rows are told apart by their first column", "onramp").at(place))
    }))?;
    Ok(Value::Rows(rows))
}

fn same_first(one: &Row, other: &Row, columns: &[Column]) -> bool {
    columns.first().is_some_and(|first| one.get(&first.name) == other.get(&first.name))
}

/// An example of a row, of the examples of its columns.
pub(super) fn example(columns: &[Column]) -> String {
    let needed = columns.iter().filter(|column| !column.optional);
    needed.map(|column| column.kind.own_example()).collect::<Vec<_>>().join(", ")
}

type Cells<'a> = BTreeMap<&'a str, String>;
/// A row before its cells are judged, or why it is none.
type Raw<'a> = Result<(String, Cells<'a>), Refusal>;

struct Table<'a> {
    columns: &'a [Column],
    setting: &'a Setting,
}

impl<'a> Table<'a> {
    fn raw(&self, given: &Given<'_>) -> Result<Vec<Raw<'a>>, Refusal> {
        match given {
            Given::Text(text) => Ok(text_lines(text).map(|(place, line)| self.line(place, line)).collect()),
            Given::Plain(Json::Array(entries)) => {
                let entries = entries.iter().enumerate();
                Ok(entries.map(|(index, entry)| self.entry(format!("row {}", index + 1), entry)).collect())
            }
            Given::Plain(Json::Null) => Ok(Vec::new()),
            Given::Plain(_) => Err(Refusal::new("this is no table", "a list of tables is expected here", "onramp")),
        }
    }

    fn line(&self, place: String, line: &str) -> Raw<'a> {
        let mut cells = Cells::new();
        let mut places = self.columns.iter();
        for part in line.split(',').map(str::trim) {
            let named = part.split_once('=').filter(|(name, _)| self.column(name.trim()).is_some());
            let (name, text) = match (named, places.next()) {
                (Some((name, text)), _) => (name.trim(), text.trim()),
                (None, Some(column)) => (column.name.as_str(), part),
                (None, None) => {
                    let what = format!("{} is one cell too many", quoted(part));
                    return Err(Refusal::new(what, self.looks_like(), "onramp").at(&place));
                }
            };
            self.set(&mut cells, name, text.to_owned()).map_err(|refusal| refusal.at(&place))?;
        }
        Ok((place, cells))
    }

    fn entry(&self, place: String, entry: &Json) -> Raw<'a> {
        let table = match entry {
            Json::String(line) => return self.line(place, line),
            Json::Object(table) => table,
            _ => return Err(Refusal::new("this is no row", self.looks_like(), "onramp").at(&place)),
        };
        let mut cells = Cells::new();
        for (name, value) in table {
            let text = scalar(value).map_err(|refusal| refusal.at(&format!("{place}, {name}")))?;
            self.set(&mut cells, name, text.trim().to_owned()).map_err(|refusal| refusal.at(&place))?;
        }
        Ok((place, cells))
    }

    fn column(&self, name: &str) -> Option<&'a Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn set(&self, cells: &mut Cells<'a>, name: &str, text: String) -> Result<(), Refusal> {
        let Some(column) = self.column(name) else {
            let near = nearest(name, self.columns.iter().map(|column| column.name.as_str()));
            let why =
                near.map_or_else(|| self.looks_like(), |near| format!("did you mean {near}? {}", self.looks_like()));
            return Err(Refusal::new(format!("there is no column {}", quoted(name)), why, "onramp"));
        };
        if text.contains([',', ';', '\n']) {
            let what = format!("{} of {name} has a comma, a semicolon or a line end in it", quoted(&text));
            return Err(Refusal::new(what, "these stand between cells and rows", "onramp"));
        }
        match cells.insert(&column.name, text) {
            Some(_) => Err(Refusal::new(format!("{name} is given twice"), self.looks_like(), "onramp")),
            None => Ok(()),
        }
    }

    fn row(&self, cells: &Cells<'a>) -> Result<Row, Refusal> {
        let mut row = Row::new();
        for column in self.columns {
            let text = cells.get(column.name.as_str()).map_or("", String::as_str);
            let value = match text {
                "" if column.optional => Value::Text(String::new()),
                "" => return Err(Refusal::new(format!("{} is missing", column.name), self.looks_like(), "onramp")),
                text => parse(&column.kind, text, self.setting)
                    .map_err(|refusal| Refusal { what: format!("{}: {}", column.name, refusal.what), ..refusal })?,
            };
            row.insert(column.name.clone(), value);
        }
        Ok(row)
    }

    fn looks_like(&self) -> String {
        let (needed, more): (Vec<&Column>, Vec<&Column>) = self.columns.iter().partition(|column| !column.optional);
        let names = |columns: &[&Column]| list(&columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>());
        match more.is_empty() {
            true => format!("a row has {}, with commas between", names(&needed)),
            false => format!("a row has {}, and may have {}, with commas between", names(&needed), names(&more)),
        }
    }
}

/// A row as it is typed, each cell with the name of its column: a row does not know their order.
pub(super) fn line(row: &Row) -> String {
    let given = row.iter().filter(|(_, value)| value.text() != Some(""));
    given.map(|(name, value)| format!("{name}={}", value.shown())).collect::<Vec<_>>().join(", ")
}

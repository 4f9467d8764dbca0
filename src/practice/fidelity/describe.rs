//! Filters, ids and pages: the same for every Describe call.

use super::refusal::Refusal;
use super::request::Request;
use super::xml::Xml;

/// What a filter's name looks at: a path in the item.
pub(super) type Filters = &'static [(&'static str, &'static str)];

/// The items that were asked for, as `<set>…</set>` and perhaps a `nextToken`. A filter that is not in the table, and is
/// not `tag:KEY` or `tag-key`, is refused as AWS refuses it.
pub(super) fn describe(ask: &Request, set: &str, items: Vec<Xml>, filters: Filters) -> Result<Xml, Refusal> {
    let mut items = items;
    for (name, values) in asked_filters(ask)? {
        let found = find_values(&name, filters)?;
        items.retain(|item| found(item).iter().any(|text| values.iter().any(|pattern| matches(pattern, text))));
    }
    let from: usize = match ask.get("NextToken") {
        Some(token) => token.parse().map_err(|_| Refusal::new("InvalidNextToken", "The token is not valid"))?,
        None => 0,
    };
    let size = match ask.number("MaxResults")? {
        Some(size @ 5..=1000) => size as usize,
        Some(size) => {
            let message =
                format!("Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.");
            return Err(Refusal::value(message));
        }
        None => usize::MAX,
    };
    let more = items.len().saturating_sub(from) > size;
    let page = items.into_iter().skip(from).take(size);
    Ok(Xml::new().set(set, page).maybe("nextToken", more.then(|| from + size)))
}

fn asked_filters(ask: &Request) -> Result<Vec<(String, Vec<&str>)>, Refusal> {
    let read = |prefix: String| {
        let name = ask.need(&format!("{prefix}Name"))?;
        let values = ask.list(&format!("{prefix}Value"));
        if values.is_empty() {
            return Err(Refusal::missing(&format!("{prefix}Value")));
        }
        Ok((name.to_string(), values))
    };
    ask.prefixes("Filter").into_iter().map(read).collect()
}

type Find = Box<dyn Fn(&Xml) -> Vec<String>>;

fn find_values(name: &str, filters: Filters) -> Result<Find, Refusal> {
    let owned = |values: Vec<&str>| values.into_iter().map(str::to_string).collect::<Vec<_>>();
    if let Some(key) = name.strip_prefix("tag:") {
        let key = key.to_string();
        return Ok(Box::new(move |item| {
            let keys = item.values("tagSet/item/key").into_iter().zip(item.values("tagSet/item/value"));
            keys.filter(|(k, _)| *k == key).map(|(_, v)| v.to_string()).collect()
        }));
    }
    if name == "tag-key" {
        return Ok(Box::new(move |item| owned(item.values("tagSet/item/key"))));
    }
    let invalid = || Refusal::value(format!("The filter '{name}' is invalid"));
    let (_, path) = filters.iter().find(|(known, _)| *known == name).ok_or_else(invalid)?;
    Ok(Box::new(move |item| owned(item.values(path))))
}

/// `*` stands for any text and `?` for one character; a backslash makes the next one plain.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut pattern_chars = pattern.chars();
    match pattern_chars.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern_chars.as_str();
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
        }
        Some(first) => {
            let any = first == '?';
            let plain = if first == '\\' { pattern_chars.next().unwrap_or('\\') } else { first };
            let mut text_chars = text.chars();
            text_chars.next().is_some_and(|c| any || c == plain) && matches(pattern_chars.as_str(), text_chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        assert!(matches("ubuntu/images/*/ubuntu-noble-*", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04"));
        assert!(matches("a?c", "abc") && !matches("a?c", "ac"));
        assert!(matches(r"a\*", "a*") && !matches(r"a\*", "ab"));
        assert!(matches("*", "") && !matches("", "x"));
    }

    #[test]
    fn pages_go_on_where_they_stopped() {
        let items = || (0..7).map(|n| Xml::new().text("id", n)).collect::<Vec<_>>();
        let first = Request::own("r", "X", &[("MaxResults", "5")]);
        let page = describe(&first, "s", items(), &[]).unwrap();
        assert_eq!(page.values("s/item/id").len(), 5);
        assert_eq!(page.values("nextToken"), ["5"]);
        let second = Request::own("r", "X", &[("MaxResults", "5"), ("NextToken", "5")]);
        let page = describe(&second, "s", items(), &[]).unwrap();
        assert_eq!(page.values("s/item/id"), ["5", "6"]);
        assert!(page.values("nextToken").is_empty());
    }
}

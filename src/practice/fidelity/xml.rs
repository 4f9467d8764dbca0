//! The answers of the EC2 query protocol: a small tree that can be written out, and asked for the values at a path.

use std::fmt::{Display, Write};

/// The children of one XML element, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Xml(Vec<(String, Body)>);

#[derive(Debug, Clone)]
enum Body {
    Text(String),
    Tree(Xml),
}

impl Xml {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn text(mut self, name: &str, value: impl Display) -> Self {
        self.0.push((name.into(), Body::Text(value.to_string())));
        self
    }

    pub fn maybe(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub fn tree(mut self, name: &str, tree: Xml) -> Self {
        self.0.push((name.into(), Body::Tree(tree)));
        self
    }

    /// A list as EC2 writes it: `<name><item>…</item><item>…</item></name>`.
    pub fn set(self, name: &str, items: impl IntoIterator<Item = Xml>) -> Self {
        let items = items.into_iter().map(|item| ("item".to_string(), Body::Tree(item))).collect();
        self.tree(name, Xml(items))
    }

    /// Every text at the end of a path such as `attachmentSet/item/vpcId`.
    pub fn values(&self, path: &str) -> Vec<&str> {
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let named = self.0.iter().filter(|(name, _)| name == first);
        named
            .flat_map(|(_, body)| match (body, rest) {
                (Body::Text(text), None) => vec![text.as_str()],
                (Body::Tree(tree), Some(rest)) => tree.values(rest),
                _ => vec![],
            })
            .collect()
    }

    /// The whole document of an answer to `action`.
    pub fn document(&self, action: &str, request_id: &str) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = write!(out, "<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">");
        let _ = write!(out, "<requestId>{request_id}</requestId>");
        self.write(&mut out);
        let _ = write!(out, "</{action}Response>");
        out
    }

    fn write(&self, out: &mut String) {
        for (name, body) in &self.0 {
            let _ = write!(out, "<{name}>");
            match body {
                Body::Text(text) => out.push_str(&winterbaume_core::xml_escape(text)),
                Body::Tree(tree) => tree.write(out),
            }
            let _ = write!(out, "</{name}>");
        }
    }
}

/// The first text between `<name>` and `</name>`, wherever it stands: enough for the ids in winterbaume's answers.
pub(super) fn text_of<'x>(document: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// Every text of a document that stands alone in its element, by the element, the one around it, and a number.
pub(super) fn leaves(document: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        let text = text.replace("&quot;", "\"").replace("&apos;", "'").replace("&lt;", "<").replace("&gt;", ">");
        text.replace("&amp;", "&")
    };
    let (mut open, mut found) = (Vec::<&str>::new(), Vec::<(usize, String, String)>::new());
    for (n, piece) in document.split('<').enumerate() {
        let Some((tag, text)) = piece.split_once('>') else { continue };
        match tag.strip_prefix('/') {
            Some(_) => {
                // The text before an end belongs to the element only when nothing was in between.
                if let Some((at, path, text)) = found.last_mut().filter(|(at, _, _)| at.checked_add(1) == Some(n)) {
                    *at = usize::MAX;
                    *path = format!("{path}.{n}");
                    *text = plain(text);
                }
                open.pop();
            }
            None if tag.starts_with('?') || tag.ends_with('/') => {}
            None => {
                open.push(tag.split(' ').next().unwrap_or_default());
                found.push((n, open[open.len().saturating_sub(2)..].join("."), text.to_owned()));
            }
        }
    }
    found.into_iter().filter(|(at, _, _)| *at == usize::MAX).map(|(_, path, text)| (path, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_every_value_and_text_is_escaped() {
        let set = |id: &str| Xml::new().text("vpcId", id).text("state", "a<b");
        let xml = Xml::new().text("id", "igw-1").set("attachmentSet", [set("vpc-1"), set("vpc-2")]);
        assert_eq!(xml.values("attachmentSet/item/vpcId"), ["vpc-1", "vpc-2"]);
        assert_eq!(xml.values("attachmentSet"), Vec::<&str>::new());
        let document = xml.document("Do", "r");
        assert!(document.contains("<state>a&lt;b</state>"), "{document}");
        assert_eq!(text_of(&document, "vpcId"), Some("vpc-1"));
        let texts: Vec<String> = leaves(&document).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["r", "igw-1", "vpc-1", "a<b", "vpc-2", "a<b"]);
    }
}

//! The tags that every object of ours carries, and the look-up by them (domain specification, 1.1).

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

pub const ENGAGEMENT: &str = "onramp:engagement";
const KEY: &str = "onramp:key";
/// On what takes the place of something that an undo puts back: its id.
pub const FORMER: &str = "onramp:former";
const TOKEN: &str = "onramp:token";
const RUN: &str = "onramp:run";

/// Who an object is made for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// The engagement's random id, so that two engagements for one customer differ.
    pub engagement: String,
    /// The customer's short name.
    pub customer: String,
    pub env: Option<String>,
    /// The customer's own tags for the bill (`aws.cost_tags`).
    pub cost: BTreeMap<String, String>,
}

impl Owner {
    /// What everything carries that one step makes; `run` is the number of the attempt, so that of two objects it can be
    /// told which is older. Ours come last, so that no cost tag can stand in for one of them.
    pub fn marks(&self, phase: &str, step: &str, token: &str, run: u32) -> BTreeMap<String, String> {
        let mut marks = self.cost.clone();
        let run = run.to_string();
        let ours = [
            (ENGAGEMENT, self.engagement.as_str()),
            ("onramp:customer", &self.customer),
            ("onramp:phase", phase),
            ("onramp:step", step),
            (TOKEN, token),
            (RUN, &run),
            ("onramp:managed", "true"),
        ];
        let env = self.env.iter().map(|env| ("onramp:env", env.as_str()));
        marks.extend(ours.into_iter().chain(env).map(|(key, value)| (key.to_owned(), value.to_owned())));
        marks
    }
}

/// What is written on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// See `Owner::marks`.
    pub marks: &'a BTreeMap<String, String>,
    /// Stable logical name: `vpc/main`, `subnet/app/a`.
    pub key: &'a str,
    /// What the console shows.
    pub name: &'a str,
}

impl Stamp<'_> {
    /// The engagement's random id.
    pub fn engagement(&self) -> &str {
        self.marks.get(ENGAGEMENT).map_or("", String::as_str)
    }

    /// As EC2 takes them.
    pub fn tags(&self) -> Vec<Tag> {
        self.pairs().into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }

    /// All tags, by key.
    pub fn pairs(&self) -> BTreeMap<&str, &str> {
        let mut tags: BTreeMap<&str, &str> =
            self.marks.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        tags.insert(KEY, self.key);
        tags.insert("Name", self.name);
        tags
    }

    /// As [`Stamp::pairs`], for services that take letters, digits, blanks and `_.:/=+-@` and nothing else, unlike EC2:
    /// `phase/step[key]` has brackets.
    pub fn plain_pairs(&self) -> BTreeMap<String, String> {
        let plain = |c: char| if c.is_alphanumeric() || " _.:/=+-@".contains(c) { c } else { '.' };
        let plain = |text: &str| text.chars().map(plain).collect::<String>();
        self.pairs().into_iter().map(|(key, value)| (plain(key), plain(value))).collect()
    }

    /// For the create call itself: tags and object then appear together.
    pub fn on(&self, kind: ResourceType) -> TagSpecification {
        TagSpecification::builder().resource_type(kind).set_tags(Some(self.tags())).build()
    }
}

/// The attempt that made an object, as its tags say; 0 where they do not.
pub fn run(tags: &[Tag]) -> u32 {
    let run = tags.iter().find(|tag| tag.key() == Some(RUN)).and_then(Tag::value);
    run.and_then(|run| run.parse().ok()).unwrap_or(0)
}

/// As [`run`], for a service with tags of its own.
pub fn run_of(tags: &BTreeMap<String, String>) -> u32 {
    tags.get(RUN).and_then(|run| run.parse().ok()).unwrap_or(0)
}

/// Finds the objects of that engagement.
pub fn lookup(engagement: &str) -> Filter {
    filter(&format!("tag:{ENGAGEMENT}"), [engagement])
}

/// One filter of a describe call; any of the values fits.
pub fn filter<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().map(str::to_owned).collect())).build()
}

/// Whose object it is, as its tags say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// This engagement's, under that key.
    Us { key: String },
    /// Another engagement's.
    Engagement(String),
    /// onramp did not make it.
    Stranger,
}

/// Reads the tags of an object.
pub fn holder(tags: &[Tag], engagement: &str) -> Holder {
    holder_by(engagement, |wanted| tags.iter().find(|tag| tag.key() == Some(wanted)).and_then(Tag::value))
}

/// As [`holder`], for a service with tags of its own; `value` gives the value of a tag.
pub fn holder_by<'a>(engagement: &str, value: impl Fn(&str) -> Option<&'a str>) -> Holder {
    match value(ENGAGEMENT) {
        Some(found) if found == engagement => Holder::Us { key: value(KEY).unwrap_or_default().to_owned() },
        Some(other) => Holder::Engagement(other.to_owned()),
        None => Holder::Stranger,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            engagement: "0f3a".to_owned(),
            customer: "acme".to_owned(),
            env: Some("prod".to_owned()),
            cost: BTreeMap::from([
                ("cost-centre".to_owned(), "4711".to_owned()),
                ("onramp:engagement".to_owned(), "forged".to_owned()),
            ]),
        }
    }

    fn tags() -> Vec<Tag> {
        let marks = owner().marks("access", "access/vpc", "ab12", 3);
        Stamp { marks: &marks, key: "vpc/main", name: "acme vpc/main" }.tags()
    }

    #[test]
    fn every_tag_of_the_specification_is_there_and_none_can_be_forged() {
        let tags: BTreeMap<String, String> =
            tags().into_iter().map(|tag| (tag.key().unwrap().to_owned(), tag.value().unwrap().to_owned())).collect();
        let names: Vec<&str> = tags.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "Name",
                "cost-centre",
                "onramp:customer",
                "onramp:engagement",
                "onramp:env",
                "onramp:key",
                "onramp:managed",
                "onramp:phase",
                "onramp:run",
                "onramp:step",
                "onramp:token"
            ]
        );
        assert_eq!(tags["onramp:engagement"], "0f3a");
        assert_eq!(tags["onramp:managed"], "true");
    }

    #[test]
    fn tags_tell_whose_it_is() {
        let tags = tags();
        assert_eq!(run(&tags), 3);
        assert_eq!(holder(&tags, "0f3a"), Holder::Us { key: "vpc/main".to_owned() });
        assert_eq!(holder(&tags, "other"), Holder::Engagement("0f3a".to_owned()));
        assert_eq!(holder(&[], "0f3a"), Holder::Stranger);
    }
}

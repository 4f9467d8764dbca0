//! Types of resources that Cloud Control makes: what AWS publishes of each, and which permissions its handlers need.
//!
//! Any type can be asked for; of those in the table onramp knows which properties cannot be read back or changed, where
//! the tags stand, and how one is found again. Sources: the schemas of the CloudFormation registry (August 2026); the
//! permissions are those of all handlers of a type, without those for its metadata tables and for objects in buckets, and
//! without those that the service authorization reference does not know (deleting a bucket's settings is putting them).

mod table;

use std::collections::BTreeSet;

/// One type. Every list has blanks between its words; a property below another is written `Outer/Inner`, and `*` is any
/// entry of a list.
#[derive(Debug)]
pub struct ResourceType {
    /// `AWS::S3::Bucket`
    pub name: &'static str,
    /// The properties that are the primary identifier, in their order; most types have one.
    identifier: &'static str,
    required: &'static str,
    read_only: &'static str,
    write_only: &'static str,
    create_only: &'static str,
    /// What can be read and written at any time.
    others: &'static str,
    pub tags: Tags,
    /// Properties of which no two resources have the same, where AWS makes the identifier and there are no tags.
    known_by: &'static str,
    /// Properties without which those that are there are not listed.
    listed_in: &'static str,
    /// The identifier is an ARN that ends with this property.
    pub arn_of: &'static str,
    /// Properties that are text, and JSON in it.
    texts: &'static str,
    /// How long making one usually takes.
    pub minutes: u64,
    permissions: &'static str,
}

/// Where the tags of a type stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    None,
    /// A list of `Key` and `Value`.
    List(&'static str),
    /// A map.
    Map(&'static str),
}

impl Tags {
    /// The property.
    pub fn property(self) -> Option<&'static str> {
        match self {
            Tags::None => None,
            Tags::List(property) | Tags::Map(property) => Some(property),
        }
    }
}

fn words(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split_ascii_whitespace()
}

impl ResourceType {
    pub const ALL: &'static [ResourceType] = table::TYPES;

    /// The type of that name, if it is one of the table.
    pub fn named(name: &str) -> Option<&'static ResourceType> {
        Self::ALL.iter().find(|one| one.name == name)
    }

    pub fn identifiers(&self) -> impl Iterator<Item = &'static str> {
        words(self.identifier)
    }

    /// The one property that is the primary identifier; none where it takes several.
    pub fn identifier(&self) -> Option<&'static str> {
        Some(self.identifier).filter(|one| !one.contains(' '))
    }

    pub fn listed_in(&self) -> impl Iterator<Item = &'static str> {
        words(self.listed_in)
    }

    pub fn required(&self) -> impl Iterator<Item = &'static str> {
        words(self.required)
    }

    /// AWS says them; nobody can set them.
    pub fn read_only(&self) -> impl Iterator<Item = &'static str> {
        words(self.read_only)
    }

    /// Can be set, and never be read back.
    pub fn write_only(&self) -> impl Iterator<Item = &'static str> {
        words(self.write_only)
    }

    /// What they are at first they are for ever.
    pub fn create_only(&self) -> impl Iterator<Item = &'static str> {
        words(self.create_only)
    }

    pub fn known_by(&self) -> impl Iterator<Item = &'static str> {
        words(self.known_by)
    }

    pub fn texts(&self) -> impl Iterator<Item = &'static str> {
        words(self.texts)
    }

    /// Permissions of the service behind the type: Cloud Control acts in the caller's name.
    pub fn permissions(&self) -> impl Iterator<Item = &'static str> {
        words(self.permissions)
    }

    /// What it is in the ARNs of IAM, and the property that names it.
    pub fn identity(&self) -> Option<(&'static str, &'static str)> {
        match self.name {
            "AWS::IAM::Role" => Some(("role", "RoleName")),
            "AWS::IAM::User" => Some(("user", "UserName")),
            "AWS::IAM::InstanceProfile" => Some(("instance-profile", "InstanceProfileName")),
            _ => None,
        }
    }

    /// All properties, by name.
    pub fn properties(&self) -> BTreeSet<&'static str> {
        let lists = [self.identifier, self.required, self.read_only, self.write_only, self.create_only, self.others];
        let outer = |word: &'static str| word.split('/').next().unwrap_or(word);
        lists.into_iter().flat_map(words).map(outer).chain(self.tags.property()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_can_be_told_from_its_like_and_says_its_permissions() {
        let names: BTreeSet<&str> = ResourceType::ALL.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), ResourceType::ALL.len());
        for one in ResourceType::ALL {
            let given = one.identifiers().all(|name| one.read_only().all(|property| property != name));
            let found = given || one.tags != Tags::None || one.known_by().next().is_some();
            assert!(found, "{}: how is one found again?", one.name);
            assert!(one.permissions().count() > 1, "{}", one.name);
            let known = one.properties();
            for property in one.known_by().chain(one.texts()).chain(one.listed_in()).chain(words(one.arn_of)) {
                let outer = property.split('/').next().unwrap();
                assert!(known.contains(outer), "{}: {property}", one.name);
            }
            for permission in one.permissions() {
                let (service, action) = permission.split_once(':').unwrap();
                assert!(!service.is_empty() && action.starts_with(|c: char| c.is_ascii_uppercase()), "{permission}");
            }
        }
    }
}

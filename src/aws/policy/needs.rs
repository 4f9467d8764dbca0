//! What steps need, each as far as its arguments tell.

use std::collections::BTreeSet;

use super::{Named, Passed};
use crate::aws::operations::Operation;

/// What one step needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub uses: Vec<Use>,
    /// Where its services do what they do behind a call; `*` where nobody can tell yet.
    pub regions: BTreeSet<String>,
    /// Permissions that no operation tells: those of the services behind the types of resources.
    pub permissions: Vec<String>,
    /// Roles that it gives to a service.
    pub roles: Vec<Passed>,
    /// What it makes in IAM, as ARNs end: `user/onramp-acme-smtp`; `*` where nobody can tell.
    pub identities: Vec<String>,
    /// Buckets that it makes, or reads and writes in; `*` where nobody can tell.
    pub buckets: Vec<String>,
    /// Actions that it needs on what has a name, and on nothing else.
    pub named: Vec<Named>,
    /// Who may make a role that is linked to it, as IAM knows the services; none where nobody can tell.
    pub links: Vec<&'static str>,
}

/// An operation as a step sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub operation: Operation,
    /// `*` where nobody can tell yet.
    pub regions: BTreeSet<String>,
    /// With what these begin, of the types that it is built on and of what it does in our name, this step has nothing to do.
    pub spared: Vec<&'static str>,
}

impl Use {
    /// All that the operation may touch, in one region.
    pub fn of(operation: Operation, region: &str) -> Use {
        Use { operation, regions: BTreeSet::from([region.to_owned()]), spared: Vec::new() }
    }

    /// The types that it is built on, and the permissions that it uses in our name.
    pub(super) fn touches(&self, of: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
        of.iter().copied().filter(|one| !self.spared.iter().any(|spared| one.starts_with(spared)))
    }
}

impl Needs {
    pub(super) fn operations(&self) -> impl Iterator<Item = Operation> {
        self.uses.iter().map(|one| one.operation)
    }

    /// Does it need that permission in that region?
    pub(super) fn asks_in(&self, region: &str, permission: &str) -> bool {
        let behind = self.regions.contains(region) && self.permissions.iter().any(|one| one == permission);
        let mut sent = self.uses.iter().filter(|one| one.regions.contains(region));
        behind || sent.any(|one| one.operation.permissions().iter().any(|one| one == permission))
    }

    pub(super) fn all_regions(&self) -> impl Iterator<Item = &str> {
        self.uses.iter().flat_map(|one| &one.regions).chain(&self.regions).map(String::as_str)
    }
}

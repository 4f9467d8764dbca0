//! Tests too long to stand beside what they test.

mod bad;
mod changes;
mod good;
mod shells;
mod templates;

use std::collections::BTreeSet;

use super::{ArgSpec, Catalog, KindSpec, ResultSpec, TypeSpec};

fn kind(name: &'static str, args: &[(&'static str, bool)], results: &[&'static str], mutates: bool) -> KindSpec {
    let arg = |(name, required): &(&'static str, bool)| ArgSpec {
        name,
        required: *required,
        secret: *name == "password",
        script: *name == "after",
        once: *name == "label",
        by_hand: false,
        summary: "see the manual",
    };
    KindSpec {
        name,
        summary: "for tests",
        args: args.iter().map(arg).collect(),
        results: results.iter().map(|name| ResultSpec { name, summary: "" }).collect(),
        mutates,
        has_undo: mutates && name != "aws/stubborn",
        undo_reason: None,
    }
}

/// A few kinds of action.
fn catalog() -> Catalog {
    let kinds = [
        kind("aws/vpc", &[("cidr", true), ("key", false)], &["id"], true),
        kind("aws/subnet", &[("vpc", true), ("cidr", true), ("key", false)], &["id"], true),
        kind("aws/instance", &[("subnet", true)], &["id", "address"], true),
        kind("aws/resource", &[("type", true)], &[], true),
        kind("aws/stubborn", &[], &[], true),
        kind("aws/mailer", &[("password", true), ("greeting", false)], &[], true),
        kind("os/file", &[("host", true), ("content", false), ("after", false)], &[], true),
        kind("probe/tcp", &[("host", true), ("port", false)], &[], false),
        kind("probe/smtp", &[("host", true), ("from", false)], &[], false),
    ];
    let kinds = kinds.into_iter().map(|kind| (kind.name.to_owned(), kind)).collect();
    let group = TypeSpec { properties: BTreeSet::new(), required: Vec::new(), read_only: Vec::new() };
    Catalog { kinds, types: [("AWS::Logs::LogGroup", group)].into() }
}

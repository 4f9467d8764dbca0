//! Rules of hosts.

use std::collections::BTreeMap;

use super::Book;
use crate::runbook::model::Work;
use crate::runbook::needs;
use crate::runbook::problem::Problem;

pub(super) fn unknown_host(book: &Book) -> Vec<Problem> {
    let hosts = &book.runbook.hosts;
    let names: Vec<&str> = hosts.iter().map(|host| host.name.source()).collect();
    let mut references = Vec::new();
    for (step, cursor) in book.steps() {
        let place =
            if matches!(step.work, Work::Shell(_)) { cursor.key("host") } else { cursor.key("with").key("host") };
        references.extend(needs::host_reference(step).map(|host| (host, place.place())));
    }
    for (host, cursor) in hosts.iter().zip(book.hosts) {
        references.extend(host.via.iter().map(|via| (via, cursor.key("via").place())));
        references.extend(host.known_as.iter().map(|other| (other, cursor.key("known_as").place())));
    }
    let unknown = references.into_iter().filter(|(reference, _)| needs::matching(hosts, reference).is_empty());
    unknown
        .map(|(reference, place)| {
            let message = format!("there is no host `{}`", reference.source());
            Problem::error(&place, "unknown-host", message).nearest(reference.source(), names.iter().copied())
        })
        .collect()
}

pub(super) fn duplicate_host(book: &Book) -> Vec<Problem> {
    let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
    let mut problems = Vec::new();
    for (host, cursor) in book.runbook.hosts.iter().zip(book.hosts) {
        let conditional = host.when.is_some();
        if host.names_one() && seen.insert(host.name.source(), conditional).is_some_and(|first| !first || !conditional)
        {
            let message = format!("the host `{}` is there twice", host.name.source());
            problems.push(Problem::error(&cursor.key("name").place(), "duplicate-host", message));
        }
    }
    problems
}

//! The environments: how they are spread over hosts, what a host of the products needs, and who owns their data.

use super::super::number::PRODUCT_PORTS;
use super::super::refusal::Refusal;
use super::super::value::{Row, cell};
use super::super::{InputId, Value, cloud};
use super::{Answers, Disagreement, Rule, report, warn};
use crate::text::list;

const PRODUCTS: &str = "apim.docs.wso2.com, installation prerequisites";
const RDS: &str = "docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html";
const MULTI_AZ: &str = "docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html";
const PATTERNS: &str = "apim.docs.wso2.com, deployment patterns";

pub(super) const RULES: &[Rule] = &[
    production_is_no_single_node,
    patterns_are_of_environments,
    production_outlives_a_host,
    production_has_a_second_database,
    hosts_are_large_enough,
    java_leaves_memory,
    data_has_owners_of_its_own,
    bastion_listens_on_no_product_port,
    databases_are_those_of_the_products,
    endpoints_of_the_products_have_names,
];

/// The rows of the table of patterns, where it was given.
fn patterns<'a>(answers: &Answers<'a>) -> Option<(&'a InputId, &'a [Row])> {
    answers.get("env.pattern").map(|(id, table)| (id, table.rows())).filter(|(_, rows)| !rows.is_empty())
}

/// Production has a pattern, and none that stands still with its only host.
fn production_is_no_single_node(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, rows)) = patterns(answers) else { return };
    let of_production = rows.iter().find(|row| cell(row, "environment") == "prod").map(|row| cell(row, "pattern"));
    let refusal = match of_production {
        None => {
            let why = "what is promised is promised for production, which is always called prod";
            Refusal::new("prod has no pattern", why, "onramp")
        }
        Some("0") => {
            let why = "production would stand still when its only host does";
            Refusal::new("a single node is for environments that may stand still, and prod is none", why, PATTERNS)
        }
        Some(_) => return,
    };
    report(found, &[id], refusal.suggest("prod, 1"));
}

/// Who has a pattern is built, and who is built has one. The latter comes second, so it is only a warning.
fn patterns_are_of_environments(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, rows)), Some((names_id, names))) = (patterns(answers), answers.texts("eng.environments")) else {
        return;
    };
    let known: Vec<&str> = rows.iter().map(|row| cell(row, "environment")).collect();
    let unknown: Vec<&str> = known.iter().copied().filter(|name| !names.contains(name)).collect();
    if !unknown.is_empty() {
        let what = format!("{id} names {}, and {names_id} does not", list(&unknown));
        let why = "only what stands there is built; add it there first, or leave it out here";
        report(found, &[id, names_id], Refusal::new(what, why, "onramp").suggest("prod, 1"));
    }
    let without: Vec<&str> = names.into_iter().filter(|name| *name != "prod" && !known.contains(name)).collect();
    if let Some(first) = without.first() {
        let what = format!("{id} has no pattern for {}", list(&without));
        let why = "each environment that is built has one";
        warn(found, &[id, names_id], Refusal::new(what, why, "onramp").suggest(format!("{first}, 0")));
    }
}

/// Production has two hosts of each role; that there are two zones is a rule of `aws.azs`. Three control planes are not
/// supported.
fn production_outlives_a_host(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, table)) = answers.get("env.nodes") else { return };
    let count = |row: &Row| row.get("count").and_then(Value::number).unwrap_or_default();
    let mut alone = table.rows().iter().filter(|row| count(row) < 2).map(|row| cell(row, "role")).peekable();
    if let Some(first) = alone.peek().map(|first| format!("{first}, 2")) {
        let what = format!("{} would run on one host", list(&alone.collect::<Vec<_>>()));
        let why = "in production each role has two or more, in two zones";
        report(found, &[id], Refusal::new(what, why, PATTERNS).suggest(first));
    }
    if table.rows().iter().any(|row| cell(row, "role") == "cp" && count(row) > 2) {
        let why = "the product supports two that are active, and no more";
        report(
            found,
            &[id],
            Refusal::new("there are more than two control planes", why, "the product's deployment patterns")
                .suggest("cp, 2"),
        );
    }
}

/// Production's database has one that stands by in another zone, and takes over within a minute or two.
fn production_has_a_second_database(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let Some((id, _)) = answers.get("env.db_multi_az").filter(|(_, value)| value.flag() == Some(false)) {
        let what = "production would have a single database";
        let why = "it would stand still when that one does, or its zone; a second one stands by in another zone";
        report(found, &[id], Refusal::new(what, why, MULTI_AZ).suggest("yes"));
    }
}

/// A product wants two processors and 4 GiB at the least.
fn hosts_are_large_enough(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, kind)) = answers.text("env.instance_type") else { return };
    let small = cloud::processors(kind).is_some_and(|processors| processors < 2)
        || cloud::memory(kind).is_some_and(|memory| memory < 4096);
    if small {
        let what = format!("{kind} of {id} is too small");
        let why = "a host of a product has two processors and 4 GiB of memory, or more";
        report(found, &[id], Refusal::new(what, why, PRODUCTS).suggest("t3.xlarge"));
    }
}

/// Of the memory, the system and what Java keeps besides its heap need the rest.
fn java_leaves_memory(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, heap)), Some((type_id, kind))) = (answers.number("env.heap_mb"), answers.text("env.instance_type"))
    else {
        return;
    };
    let Some(most) = cloud::memory(kind).map(|memory| memory * 6 / 10) else { return };
    if heap > most {
        let what = format!("{heap} MiB of {id} is more than 60 % of the memory of {kind}");
        let why = "the rest is for the system, and for what Java keeps besides its heap";
        report(found, &[id, type_id], Refusal::new(what, why, PRODUCTS).suggest(most.to_string()));
    }
}

/// Whoever runs as the master user of a database may drop what is not theirs.
fn data_has_owners_of_its_own(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, table)), Some((master_id, master))) =
        (answers.get("env.db_schemas"), answers.text("env.db_master_user"))
    else {
        return;
    };
    for row in table.rows().iter().filter(|row| cell(row, "user") == master) {
        let schema = cell(row, "schema");
        let what = format!("{master} of {id} is the master user of the database");
        let why = "a product gets a user that owns its own database and no other";
        let refusal = Refusal::new(what, why, RDS).suggest(format!("{schema}, {}user", schema.trim_end_matches("_db")));
        report(found, &[id, master_id], refusal);
    }
}

/// Whether a product of that family is among those that were chosen.
fn runs(answers: &Answers<'_>, is_one: impl Fn(&str) -> bool) -> bool {
    answers.get("env.products").is_some_and(|(_, table)| table.rows().iter().any(|row| is_one(cell(row, "product"))))
}

/// The products' installation guides: API Manager keeps its data in apim_db and shared_db, Identity Server in identity_db and
/// shared_db. They may be called otherwise, so it is a warning.
fn databases_are_those_of_the_products(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, table)) = answers.get("env.db_schemas") else { return };
    let has = |schema: &str| table.rows().iter().any(|row| cell(row, "schema") == schema);
    let wanted = [
        ("apim_db", runs(answers, |product| product.starts_with("apim"))),
        ("identity_db", runs(answers, |product| product == "is")),
        ("shared_db", runs(answers, |product| product.starts_with("apim") || product == "is")),
    ];
    if let Some((schema, _)) = wanted.iter().find(|(schema, is_wanted)| *is_wanted && !has(schema)) {
        let what = format!("{schema} is not among the databases");
        let why =
            "a product of those that were chosen keeps its data there; let it be so only where it is called otherwise";
        let user = schema.trim_end_matches("_db");
        warn(found, &[id], Refusal::new(what, why, PRODUCTS).suggest(format!("{schema}, {user}user")));
    }
}

/// The implementation guide, names: whoever runs API Manager opens its consoles and calls its gateway, each by a name.
fn endpoints_of_the_products_have_names(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, table)) =
        answers.get("env.hostnames").filter(|_| runs(answers, |product| product.starts_with("apim")))
    else {
        return;
    };
    let has = |endpoint: &str| table.rows().iter().any(|row| cell(row, "endpoint") == endpoint);
    if let Some(endpoint) = ["management", "gateway"].into_iter().find(|endpoint| !has(endpoint)) {
        let what = format!("{endpoint} has no host name");
        let why = "API Manager is opened and called by a name of each; one host name may stand for both";
        let host = table.rows().first().map(|row| cell(row, "host")).unwrap_or("apim.acme.example");
        warn(found, &[id], Refusal::new(what, why, PRODUCTS).suggest(format!("{endpoint}, {host}")));
    }
}

/// The implementation guide's product ports, each with the offset: a bastion has a port that none of them has.
fn bastion_listens_on_no_product_port(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, port)), Some((offset_id, offset))) =
        (answers.number("net.ssh_port"), answers.number("env.port_offset"))
    else {
        return;
    };
    if offset != 0 && PRODUCT_PORTS.contains(&(port - offset)) {
        let what =
            format!("a product listens on {} + {offset} = {port}, which is the bastion's SSH port", port - offset);
        let why = "what comes there is for one of the two";
        let refusal = Refusal::new(what, why, "the implementation guide, list of product ports");
        report(found, &[id, offset_id], refusal.suggest("22022"));
    }
}

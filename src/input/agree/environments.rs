//! What a host of the products needs, and who owns their data.

use super::super::refusal::Refusal;
use super::super::{cloud, value::cell};
use super::{Answers, Disagreement, Rule, report};

const PRODUCTS: &str = "apim.docs.wso2.com, installation prerequisites";
const RDS: &str = "docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html";

pub(super) const RULES: &[Rule] = &[hosts_are_large_enough, java_leaves_memory, data_has_owners_of_its_own];

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

//! What was promised to the customer, and what has to be so that it can be kept: accounts, windows, copies, hosts.

use jiff::SignedDuration;

use super::super::calendar::Window;
use super::super::refusal::Refusal;
use super::super::value::{Row, cell};
use super::super::{Value, calendar, cloud, document, shape};
use super::{Answers, Disagreement, Rule, report, warn};
use crate::text::list;

const CONTACTS: &str = "docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html";
const ROLES: &str = "docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html";
const ALARMS: &str = "docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html";
const CLASSES: &str = "docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html";
/// A rule of level 2 for servers and of level 1 for workstations, in each benchmark for Red Hat and Ubuntu.
const FORWARDING: &str = "sshd_disable_forwarding";
const CIS_FORWARDING: &str = "CIS benchmarks, level 2, Ensure sshd DisableForwarding is enabled";
const KEYS: &str = "apim.docs.wso2.com, Symmetric Encryption";
const LINES: &str = "docs.aws.amazon.com/directconnect/latest/UserGuide/create-connection.html";
const REGIONS: &str = "docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html";

pub(super) const RULES: &[Rule] = &[
    role_is_in_the_account,
    region_is_in_the_partition,
    production_is_built,
    patches_come_in_the_window,
    drill_comes_in_the_window,
    archive_keeps_the_promise,
    backups_are_as_often_as_promised,
    backups_can_be_read_again,
    bastion_may_forward,
    nodes_have_a_majority,
    thresholds_rise,
    elastic_is_new_enough,
    parts_exist,
    certificate_covers_the_names,
    line_takes_weeks,
    security_is_read,
    whoever_signs_has_a_role,
];

/// Mailboxes that nobody opens.
const UNREAD: [&str; 8] =
    ["no-reply", "noreply", "no_reply", "do-not-reply", "donotreply", "devnull", "null", "mailer-daemon"];

/// The handover is signed with name and role; the day is that of the signature.
fn whoever_signs_has_a_role(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, who)) = answers.text("ho.signoff").filter(|(_, who)| !who.contains(',')) else { return };
    let why = "who signs for a company is asked later by what right; write it behind a comma";
    warn(found, &[id], Refusal::new(format!("{who} has no role"), why, "onramp").suggest(format!("{who}, Head of IT")));
}

/// AWS writes there when something is wrong, and so do we.
fn security_is_read(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    for (id, instead) in [("eng.security_contact_email", "security"), ("aws.new_account_email", "aws-root")] {
        let Some((id, address)) = answers.text(id) else { continue };
        let Some((local, domain)) = address.split_once('@') else { continue };
        if UNREAD.contains(&local.to_lowercase().as_str()) {
            let why = "what is written there in an emergency reaches nobody";
            let refusal = Refusal::new(format!("{address} is a mailbox that nobody reads"), why, CONTACTS);
            report(found, &[id], refusal.suggest(format!("{instead}@{domain}")));
        }
    }
}

/// IAM user guide, "IAM identifiers": an ARN names its account and its partition.
fn role_is_in_the_account(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, arn)) = answers.text("aws.role_arn") else { return };
    if let (Some((account_id, account)), Some(of)) = (answers.text("aws.account_id"), shape::account_of(arn))
        && of != account
    {
        let what = format!("the role of {id} is in the account {of}, and not in {account}");
        let why = "onramp changes one account, and the role gives the rights in it";
        report(found, &[id, account_id], Refusal::new(what, why, ROLES).suggest(arn.replace(of, account)));
    }
    if let Some((partition_id, partition)) = answers.text("aws.partition")
        && !arn.starts_with(&format!("arn:{partition}:"))
    {
        let what = format!("{arn} of {id} is not in the part of AWS that {partition_id} names");
        let why = "nothing crosses from one part of AWS to another";
        let rest = arn.splitn(3, ':').nth(2).unwrap_or_default();
        report(found, &[id, partition_id], Refusal::new(what, why, ROLES).suggest(format!("arn:{partition}:{rest}")));
    }
}

/// AWS Fault Isolation Boundaries, "Partitions".
fn region_is_in_the_partition(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((partition_id, partition)) = answers.text("aws.partition") else { return };
    for (id, region) in ["aws.region_primary", "ses.region", "dx.region"].iter().filter_map(|id| answers.text(id)) {
        let own = cloud::partition(region);
        if own != partition {
            let what = format!("{region} of {id} is in {own}, and not in {partition}");
            let why = "nothing crosses from one part of AWS to another";
            report(found, &[id, partition_id], Refusal::new(what, why, REGIONS).suggest(own));
        }
    }
}

/// onramp's own: what is promised, is promised for production.
fn production_is_built(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let Some((id, names)) = answers.texts("eng.environments")
        && !names.contains(&"prod")
    {
        let why = "what is promised is promised for production, which is always called prod";
        let proposal = format!("{}, prod", names.join(", "));
        report(found, &[id], Refusal::new("there is no environment prod", why, "onramp").suggest(proposal));
    }
}

/// onramp's own: whatever can be felt is done in the agreed window.
fn patches_come_in_the_window(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, patches)), Some((window_id, agreed))) =
        (answers.text("sec.patch_window"), answers.text("eng.change_window"))
    else {
        return;
    };
    let (Ok(inside), Ok(around)) = (Window::read(patches), Window::read(agreed)) else { return };
    match around.holds(&inside) {
        Some(true) => {}
        Some(false) => {
            let what = format!("{patches} of {id} is not inside of {agreed}");
            let why = "a patch can be felt, and such changes are made in the agreed window";
            report(found, &[id, window_id], Refusal::new(what, why, "onramp").suggest(agreed));
        }
        None => {
            let what = format!("{patches} of {id} and {agreed} have different time zones");
            let why = "whether one lies in the other changes with summer time";
            warn(found, &[id, window_id], Refusal::new(what, why, "onramp").suggest(agreed));
        }
    }
}

/// The drill begins while the window is open, by the clocks of the window's zone.
fn drill_comes_in_the_window(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, drill)), Some((window_id, agreed))) =
        (answers.text("dr.drill_at"), answers.text("eng.change_window"))
    else {
        return;
    };
    let Ok(window) = Window::read(agreed) else { return };
    let next = window.opens(drill).unwrap_or_default();
    match window.is_open(drill) {
        Some(true) => {}
        Some(false) => {
            let what = format!("{drill} of {id} is not inside of {agreed}");
            let why = "a drill can be felt, and such things are done in the agreed window";
            report(found, &[id, window_id], Refusal::new(what, why, "onramp").suggest(next));
        }
        None => {
            let what = format!("whether {drill} of {id} is inside of {agreed} cannot be told");
            let why = "this machine has no table of that time zone (package tzdata)";
            warn(found, &[id, window_id], Refusal::new(what, why, "onramp"));
        }
    }
}

/// Three months stay at hand, unless the archive answers at once; and what is archived is paid for its shortest time.
fn archive_keeps_the_promise(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((after_id, after)), Some((class_id, class))) =
        (answers.number("dr.archive_after"), answers.text("dr.archive_class"))
    else {
        return;
    };
    if let Some((id, days)) = answers.number("dr.file_days")
        && after < days
        && class != "GLACIER_IR"
    {
        let what = format!("files go into {class} after {after} days, and have to be at hand for {days}");
        let why = "it takes minutes to hours to get something back from there";
        report(found, &[after_id, id, class_id], Refusal::new(what, why, CLASSES).suggest(days.to_string()));
    }
    let shortest = if class == "DEEP_ARCHIVE" { 180 } else { 90 };
    if let Some((id, total)) = answers.number("dr.archive_days")
        && total <= after + shortest
    {
        let what = format!("after {after} days in use, {total} days in all leave less than {shortest} in {class}");
        let why = format!("AWS bills {shortest} days of it in any case");
        report(
            found,
            &[id, after_id, class_id],
            Refusal::new(what, why, CLASSES).suggest((after + shortest + 1).to_string()),
        );
    }
}

/// Between two backups, and until the second one begins, is what may be lost.
fn backups_are_as_often_as_promised(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, promised)), Some((schedule_id, schedule))) =
        (answers.number("dr.rpo_minutes"), answers.text("dr.schedule"))
    else {
        return;
    };
    let late = answers.number("dr.window_hours").map_or(0, |(_, hours)| hours * 60);
    let lost = calendar::longest_gap(schedule) + late;
    if promised < lost {
        let what = format!("{promised} minutes may be lost, and the schedule can lose {lost}");
        let why = "between two backups, the second of which may begin late; ask for backups more often, or for a database that is copied all the time";
        warn(found, &[id, schedule_id], Refusal::new(what, why, "onramp").suggest(lost.to_string()));
    }
}

/// What the key stands in by which the products encrypt what they keep in their databases: `conf/deployment.toml`, and a
/// product that has a folder `repository` has its `conf` in there.
const WITH_THE_KEY: [&str; 3] = ["conf", "repository", "deployment.toml"];

/// The last name of a path: `conf` of `/opt/wso2/conf/`.
fn last_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// A database that is restored without the key cannot be read.
fn backups_can_be_read_again(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, paths)) = answers.texts("dr.paths") else { return };
    if !paths.is_empty() && !paths.iter().any(|path| WITH_THE_KEY.contains(&last_name(path))) {
        let what = format!("no folder of {id} is a product's conf, where the encryption key stands");
        let why = "without that key nobody reads what the restored database keeps encrypted";
        let refusal = Refusal::new(what, why, KEYS).suggest(format!("{}, /opt/wso2/conf", paths.join(", ")));
        report(found, &[id], refusal);
    }
}

/// Level 2 forbids forwarding (rule sshd_disable_forwarding), which is what a bastion is for. Where we come without a bastion
/// of ours, no host has to forward.
fn bastion_may_forward(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let level_2 = [("net.bastion_cis", "cis_l2"), ("sec.hardening", "cis_l2_server")];
    let Some((id, _)) = level_2.iter().find(|(id, level)| answers.is(id, level)).and_then(|(id, _)| answers.get(id))
    else {
        return;
    };
    if answers.text("net.access_path").is_some_and(|(_, path)| path != "bastion_in_vpc") {
        return;
    }
    // The rule may be called by its whole name, with the prefix of its data stream.
    let excepted = |row: &Row| cell(row, "rule").ends_with(FORWARDING) && cell(row, "role") == "bastion";
    let what = "level 2 forbids forwarding, and nobody could get through the bastion";
    let refusal = |why: &str| {
        Refusal::new(what, why, CIS_FORWARDING)
            .suggest("sshd_disable_forwarding, bastion, jump host, J. Doe, 2099-12-31")
    };
    match answers.get("sec.exceptions") {
        // They are asked for once the level is chosen.
        None => {
            let why = "the rule sshd_disable_forwarding has to be an accepted deviation for the bastion, which is asked for next";
            warn(found, &[id], refusal(why));
        }
        Some((exceptions, value)) if !value.rows().iter().any(excepted) => {
            let why = "the rule sshd_disable_forwarding has to be an accepted deviation for the bastion";
            report(found, &[id, exceptions], refusal(why));
        }
        Some(_) => {}
    }
}

/// Elasticsearch reference, "Designing for resilience": a cluster that broke in two has one larger half.
fn nodes_have_a_majority(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let Some((id, nodes)) = answers.number("mon.es_nodes")
        && nodes % 2 == 0
    {
        let source = "www.elastic.co/guide/en/elasticsearch/reference/current/high-availability-cluster-design.html";
        let why = "when the network breaks in two, one half must be the larger one";
        report(
            found,
            &[id],
            Refusal::new(format!("{nodes} nodes have no majority"), why, source).suggest((nodes + 1).to_string()),
        );
    }
}

/// onramp's own: people are told before they are woken.
fn thresholds_rise(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, table)) = answers.get("mon.thresholds") else { return };
    for row in table.rows() {
        let number = |column: &str| row.get(column).and_then(Value::number).unwrap_or_default();
        let (warned, critical, period) = (number("warn"), number("critical"), number("period"));
        // PutMetricAlarm, Period: the products' own numbers come once a minute.
        if period % 60 != 0 {
            let what = format!("{}: {period} s is no number of whole minutes", cell(row, "what"));
            let why = "an alarm looks at times of 60 s, or a multiple of them";
            report(found, &[id], Refusal::new(what, why, ALARMS).suggest("disk, 80, 90, 300"));
        }
        if warned >= critical {
            let what = format!("{}: {warned} % is told and {critical} % wakes somebody", cell(row, "what"));
            report(
                found,
                &[id],
                Refusal::new(what, "people are told before they are woken", "onramp").suggest("disk, 80, 90"),
            );
        }
    }
}

/// Elastic's support matrix of end of life.
fn elastic_is_new_enough(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    if let Some((id, version)) = answers.text("mon.elk_version")
        && !["8", "9"].contains(&version.split('.').next().unwrap_or_default())
    {
        let why = "the dashboards of the products need 8 or 9, and older ones get no fixes";
        report(
            found,
            &[id],
            Refusal::new(format!("{version} is not supported"), why, "www.elastic.co/support/eol").suggest("8.latest"),
        );
    }
}

/// The parts of API Manager that stand alone exist from 4.5 on.
fn parts_exist(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, table)) = answers.get("env.products") else { return };
    for row in table.rows() {
        let (product, version) = (cell(row, "product"), cell(row, "version"));
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
        let number = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        if ["apim-acp", "apim-gw", "apim-tm"].contains(&product) && number < (4, 5) {
            let what = format!("there is no {product} {version}");
            let why =
                "the parts of API Manager that stand alone exist from 4.5 on; before that, apim holds all of them";
            report(
                found,
                &[id],
                Refusal::new(what, why, "the product's release notes, 4.5.0").suggest(format!("apim, {version}")),
            );
        }
    }
}

/// How long AWS may take for a port; what comes after it has no time that anybody promises.
const PORT_TAKES: SignedDuration = SignedDuration::from_hours(72);

/// A line alone keeps everybody waiting for it. Another account's line is there already.
fn line_takes_weeks(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let Some((id, mode @ ("direct_connect" | "direct_connect_with_vpn_backup"))) = answers.text("conn.mode") else {
        return;
    };
    if ["interface", "gateway"].iter().any(|kind| answers.is("dx.kind", kind)) {
        return;
    }
    let earliest = answers.now.and_then(|now| now.checked_add(PORT_TAKES).ok());
    let when = earliest.map_or_else(
        || "is there three days after it was ordered at the very earliest".to_owned(),
        |day| format!("that is ordered today is there on {} at the very earliest", day.strftime("%Y-%m-%d")),
    );
    let why = "AWS takes up to 72 hours for the port, then the colocation provider makes the cross connect in its own time, \
               then BGP comes up";
    let (meanwhile, why, instead) = match mode {
        "direct_connect" => (
            "nothing else is there until then",
            format!("{why}; a VPN is the bridge until then and the backup afterwards"),
            "direct_connect_with_vpn_backup",
        ),
        _ => ("the VPN carries alone until then", why.to_owned(), ""),
    };
    let what = format!("a line {when}, mostly weeks later, and {meanwhile}");
    warn(found, &[id], Refusal::new(what, why, LINES).suggest(instead));
}

/// Every host name stands in the certificate (RFC 9525 section 6.3).
fn certificate_covers_the_names(answers: &Answers<'_>, found: &mut Vec<Disagreement>) {
    let (Some((id, pem)), Some((names_id, table))) = (answers.text("env.tls_pem"), answers.get("env.hostnames")) else {
        return;
    };
    let covered = document::names(pem);
    let covers = |host: &str| {
        covered.iter().any(|name| match name.strip_prefix("*.") {
            Some(rest) => host.split_once('.').is_some_and(|(_, parent)| parent == rest),
            None => name == host,
        })
    };
    let missing: Vec<&str> = table.rows().iter().map(|row| cell(row, "host")).filter(|host| !covers(host)).collect();
    if !missing.is_empty() {
        let what = format!("the certificate does not hold for {}", list(&missing));
        let why = "browsers and programs refuse it there";
        let refusal = Refusal::new(what, why, "RFC 9525 section 6.3");
        report(found, &[id, names_id], refusal.suggest(covered.first().map(String::as_str).unwrap_or_default()));
    }
}

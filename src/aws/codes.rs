//! One table: what an error code means here, and what to do about it (domain specification, 1.4).
//!
//! EC2 models no errors at all, so codes are matched as text. A row for the service comes before one for all; within each
//! the first that fits counts, and `*` stands for anything.

mod ec2;
mod everywhere;
mod handlers;
mod rds;
mod services;
mod storage;

use super::error::Kind;
use super::operations::Service;

/// One row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub codes: &'static [&'static str],
    pub kind: Kind,
    pub meaning: &'static str,
    pub advice: &'static str,
}

/// The row of a code, as this service means it.
pub(super) fn row(service: Service, code: &str, message: &str) -> Option<&'static Row> {
    let code = code.strip_prefix("Client.").unwrap_or(code);
    if everywhere::is_of_a_new_role(code, message) {
        return Some(&everywhere::NEW_ROLE);
    }
    if let Some(row) = told_by_words(service, code, message) {
        return Some(row);
    }
    let of_service = match service {
        Service::Ec2 => &[],
        Service::Backup => storage::BACKUP,
        Service::CloudControl => services::CLOUD_CONTROL,
        Service::CloudTrail => services::CLOUD_TRAIL,
        Service::DirectConnect => services::DIRECT_CONNECT,
        Service::Logs => services::LOGS,
        Service::Mail => services::MAIL,
        Service::Metrics => services::METRICS,
        Service::Rds => rds::RDS,
        Service::Resolver => services::RESOLVER,
        Service::Route53 => services::ROUTE53,
        Service::S3 => storage::S3,
        Service::S3Control => storage::S3_CONTROL,
        Service::SecretsManager => services::SECRETS_MANAGER,
        Service::ServiceQuotas => services::SERVICE_QUOTAS,
        Service::Sts => services::STS,
    };
    let tables = [everywhere::ACCESS, of_service, services::OTHERS, ec2::ROWS, everywhere::SHAPES];
    tables.into_iter().flatten().find(|row| row.codes.iter().any(|pattern| fits(pattern, code)))
}

/// The row of what the handler of a type of resource says. It passes on what the service behind the type said.
pub(super) fn of_handler(of: &str, code: &str, message: &str) -> Option<&'static Row> {
    let behind = match () {
        () if of.starts_with("AWS::Backup::") => Some(Service::Backup),
        () if of.starts_with("AWS::RDS::") => Some(Service::Rds),
        () => None,
    };
    if (of, code) == ("AWS::EC2::FlowLog", "AlreadyExists") {
        return row(Service::Ec2, "FlowLogAlreadyExists", message);
    }
    let row = behind.and_then(|service| told_by_words(service, code, message));
    row.or_else(|| handlers::HANDLERS.iter().find(|row| row.codes.contains(&code)))
}

/// Where one code stands for several things, of which only AWS's words tell the one.
fn told_by_words(service: Service, code: &str, message: &str) -> Option<&'static Row> {
    let of_service = match service {
        Service::Backup => storage::VAULTS,
        Service::Rds => rds::PROTECTED,
        _ => &[],
    };
    let message = message.to_lowercase();
    let says = |words: &&&str| words.split(' ').all(|word| message.contains(word));
    let told = of_service.iter().find(|(words, _)| words.iter().any(|words| says(&words)));
    told.map(|(_, row)| row).filter(|row| row.codes.iter().any(|pattern| fits(pattern, code)))
}

/// What the prose of Direct Connect amounts to: it has one code for almost everything.
pub(super) fn of_prose(message: &str) -> Kind {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match () {
        () if says(&["does not exist", "not found", "could not be found"]) => Kind::NotFound,
        () if says(&["limit", "maximum number", "quota"]) => Kind::Quota,
        () if says(&["already", "in use", "duplicate"]) => Kind::Exists,
        () if says(&["state"]) => Kind::NotReady,
        () => Kind::Invalid,
    }
}

fn fits(pattern: &str, code: &str) -> bool {
    let mut rest = code;
    let mut parts = pattern.split('*').peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        rest = match (first, last) {
            (true, true) => return code == part,
            (true, false) => match rest.strip_prefix(part) {
                Some(rest) => rest,
                None => return false,
            },
            (false, true) => return rest.ends_with(part),
            (false, false) => match rest.find(part) {
                Some(at) => &rest[at + part.len()..],
                None => return false,
            },
        };
        first = false;
    }
    false
}

const fn row_of(kind: Kind, codes: &'static [&'static str], meaning: &'static str, advice: &'static str) -> Row {
    Row { codes, kind, meaning, advice }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything_wherever_and_however_often() {
        for (pattern, code, wanted) in [
            ("SlowDown", "SlowDown", true),
            ("SlowDown", "SlowDowns", false),
            ("Throttl*", "ThrottlingException", true),
            ("Invalid*.NotFound", "InvalidVpcID.NotFound", true),
            ("Invalid*.NotFound", "InvalidVpcID.NotFoundAgain", false),
            ("*AlreadyExists*", "EntityAlreadyExists", true),
            ("*AlreadyExists*", "DBInstanceAlreadyExistsFault", true),
            ("*AlreadyExists*", "AlreadyThere", false),
        ] {
            assert_eq!(fits(pattern, code), wanted, "{pattern} {code}");
        }
    }
}

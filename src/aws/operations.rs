//! Every operation of AWS that onramp sends, one row each: nothing else says how a call may be repeated, what takes it
//! back, which permission it needs, and where it is tried.
//!
//! A call is sent under its [`Operation`], so one without a row does not compile. Sources: the API reference of each
//! service for tokens, names and DryRun; the service authorization reference for actions, resources and condition keys;
//! the reliability specification (2.2) for the classes.

mod moto;
mod table;

use std::time::Duration;

use serde::Serialize;

use self::Repeat::Natural;
use self::Service::{
    Backup, CloudControl, CloudTrail, DirectConnect, Ec2, Logs, Mail, Metrics, Rds, Resolver, Route53, S3, S3Control,
    SecretsManager, ServiceQuotas, Sts,
};

pub use table::Operation;

/// A service as the SDK, the policies and the plan call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    Backup,
    CloudControl,
    CloudTrail,
    DirectConnect,
    Ec2,
    Logs,
    Mail,
    Metrics,
    Rds,
    Resolver,
    Route53,
    S3,
    S3Control,
    SecretsManager,
    ServiceQuotas,
    Sts,
}

impl Service {
    /// As a policy and a plan write it: `ec2`.
    pub fn prefix(self) -> &'static str {
        match self {
            Backup => "backup",
            CloudControl => "cloudformation",
            CloudTrail => "cloudtrail",
            DirectConnect => "directconnect",
            Ec2 => "ec2",
            Logs => "logs",
            Mail => "ses",
            Metrics => "cloudwatch",
            Rds => "rds",
            Resolver => "route53resolver",
            Route53 => "route53",
            S3 => "s3",
            S3Control => "s3control",
            SecretsManager => "secretsmanager",
            ServiceQuotas => "servicequotas",
            Sts => "sts",
        }
    }

    /// Is it one for all regions?
    pub(super) fn is_everywhere(self) -> bool {
        self == Route53
    }

    /// As the SDK's metadata call it.
    fn sdk(self) -> &'static str {
        match self {
            Backup => "Backup",
            CloudControl => "CloudControl",
            CloudTrail => "CloudTrail",
            DirectConnect => "Direct Connect",
            Ec2 => "EC2",
            Logs => "CloudWatch Logs",
            Mail => "SESv2",
            Metrics => "CloudWatch",
            Rds => "RDS",
            Resolver => "Route53Resolver",
            Route53 => "Route 53",
            S3 => "S3",
            S3Control => "S3 Control",
            SecretsManager => "Secrets Manager",
            ServiceQuotas => "Service Quotas",
            Sts => "STS",
        }
    }
}

/// How the same call may be sent again after a lost answer (reliability specification, 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeat {
    /// It changes nothing.
    Reads,
    /// A token of ours: AWS does it once.
    Token,
    /// A name, or the content itself: there can be only one, or it is set to the same value.
    Natural,
    /// Nothing guards it: what it made is looked for by its tags before it is said again.
    Tag,
    /// Only a person may say it again.
    Person,
}

impl Operation {
    /// How long what it makes usually takes until it can be used, as engineers see it. Nothing where it is there at once, or
    /// where it depends on how large something is.
    pub fn usually_takes(self) -> Option<Duration> {
        let seconds = match self {
            Operation::RunInstances => 30,
            Operation::CreateVpnGateway | Operation::AttachVpnGateway | Operation::ChangeResourceRecordSets => 60,
            Operation::CreateNatGateway
            | Operation::CreateResolverEndpoint
            | Operation::CreateTransitGatewayVpcAttachment
            | Operation::CreateResolverQueryLogConfig => 120,
            Operation::CreateTransitGateway | Operation::CreateVpnConnection => 240,
            Operation::CreateDirectConnectGatewayAssociation => 600,
            _ => return None,
        };
        Some(Duration::from_secs(seconds))
    }
}

/// What an operation does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Reads,
    /// Something new is there.
    Makes,
    /// Something that is there is otherwise.
    Arranges,
    /// Something is gone. What is not there counts as gone.
    TakesAway,
}

/// What takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    By(Operation),
    /// Why there is nothing.
    None(&'static str),
}

/// Where a permission can be narrowed down, as far as that is certain whatever object the step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every resource of the region.
    Any,
    /// Makes resources of these types, with our tags on them; those that it is built on may be anybody's. A service that
    /// knows no resource before it is made has no type here.
    New { types: &'static [&'static str], on: &'static [&'static str] },
    /// Sent about resources of this type only that carry our tags, and of these, whoever made them.
    Ours { of: &'static str, on: &'static [&'static str] },
    /// Needs no permission.
    Free,
}

/// Is an operation tried on this rung, and if not, why not?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    Tried,
    Not(&'static str),
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub service: Service,
    pub effect: Effect,
    pub repeat: Repeat,
    /// The reads that tell whether it is so, or whether it was done.
    pub probes: &'static [Operation],
    pub undo: Undo,
    /// The permission, where it is not called as the operation is.
    action: Option<&'static str>,
    /// Permissions beside that one.
    also: &'static [&'static str],
    /// Permissions of other services that it uses in the caller's name.
    acts_by: &'static [&'static str],
    pub scope: Scope,
    /// AWS takes it as a rehearsal.
    pub dry_run: bool,
    pub practice: Rung,
    pub moto: Rung,
}

const fn row(service: Service, effect: Effect, repeat: Repeat) -> Row {
    Row {
        service,
        effect,
        repeat,
        probes: &[],
        undo: Undo::None("it changes nothing"),
        action: None,
        also: &[],
        acts_by: &[],
        scope: Scope::Any,
        dry_run: matches!(service, Ec2),
        practice: Rung::Tried,
        moto: Rung::Tried,
    }
}

const fn reads(service: Service) -> Row {
    row(service, Effect::Reads, Repeat::Reads)
}

/// Something new of these types, which carries our tags.
const fn makes(service: Service, repeat: Repeat, probes: &'static [Operation], types: &'static [&'static str]) -> Row {
    let also = match service {
        Ec2 => &["ec2:CreateTags"],
        SecretsManager => &["secretsmanager:TagResource"],
        DirectConnect => &["directconnect:TagResource"],
        Mail => &["ses:TagResource"],
        Rds => &["rds:AddTagsToResource"],
        Resolver => &["route53resolver:TagResource"],
        Backup | CloudControl | CloudTrail | Logs | Metrics | Route53 | S3 | S3Control | ServiceQuotas | Sts => {
            &[] as &[&str]
        }
    };
    Row { probes, also, scope: Scope::New { types, on: &[] }, ..row(service, Effect::Makes, repeat) }
}

/// The same call again sets the same value, or is refused because it is so already.
const fn arranges(service: Service, probes: &'static [Operation]) -> Row {
    Row { probes, ..row(service, Effect::Arranges, Natural) }
}

/// What is gone cannot be taken away once more.
const fn takes(service: Service, probes: &'static [Operation]) -> Row {
    let undo = Undo::None("it is an undo; to run the step makes it again");
    Row { probes, undo, ..row(service, Effect::TakesAway, Natural) }
}

impl Row {
    const fn undone_by(self, operation: Operation) -> Row {
        Row { undo: Undo::By(operation), ..self }
    }

    const fn stays(self, why: &'static str) -> Row {
        Row { undo: Undo::None(why), ..self }
    }

    /// Refers to resources of these types, whoever made them.
    const fn on(self, on: &'static [&'static str]) -> Row {
        match self.scope {
            Scope::New { types, .. } => Row { scope: Scope::New { types, on }, ..self },
            Scope::Ours { of, .. } => Row { scope: Scope::Ours { of, on }, ..self },
            _ => self,
        }
    }

    /// Sent only about resources of this type that carry our tags.
    const fn of_ours(self, of: &'static str) -> Row {
        Row { scope: Scope::Ours { of, on: &[] }, ..self }
    }

    const fn acting_by(self, acts_by: &'static [&'static str]) -> Row {
        Row { acts_by, ..self }
    }

    /// Permissions of other services that it uses in the caller's name: `ec2:CreateNetworkInterface`.
    pub(super) fn acts_by(&self) -> &'static [&'static str] {
        self.acts_by
    }

    const fn permitted_by(self, action: &'static str) -> Row {
        Row { action: Some(action), ..self }
    }

    const fn not_in_moto(self, why: &'static str) -> Row {
        Row { moto: Rung::Not(why), ..self }
    }

    const fn without_dry_run(self) -> Row {
        Row { dry_run: false, ..self }
    }
}

impl Operation {
    /// The operation that the SDK calls so; none that onramp knows otherwise.
    pub(super) fn of_sdk(service: &str, name: &str) -> Option<Operation> {
        Operation::ALL.iter().copied().find(|one| one.name() == name && one.row().service.sdk() == service)
    }

    /// Does it change anything?
    pub const fn changes(self) -> bool {
        !matches!(self.row().effect, Effect::Reads)
    }

    /// The permissions that it needs: `ec2:CreateVpc`, `ec2:CreateTags`.
    pub fn permissions(self) -> Vec<String> {
        let row = self.row();
        if row.scope == Scope::Free {
            return Vec::new();
        }
        let own = row.action.map_or_else(|| format!("{}:{}", row.service.prefix(), self.name()), str::to_owned);
        let others = row.also.iter().chain(row.acts_by).map(|&one| one.to_owned());
        std::iter::once(own).chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_a_class_a_probe_an_undo_or_a_reason_a_permission_and_a_rung() {
        for &operation in Operation::ALL {
            let (row, name) = (operation.row(), operation.name());
            assert_eq!(row.effect == Effect::Reads, row.repeat == Repeat::Reads, "{name}");
            // What only a person may repeat may leave nothing to be seen.
            let seen = row.probes.is_empty() != operation.changes() || row.repeat == Repeat::Person;
            assert!(seen, "{name}: what tells whether it is so?");
            assert!(row.probes.iter().all(|probe| !probe.changes()), "{name}");
            match row.undo {
                Undo::By(undo) => assert!(operation.changes() && undo.changes(), "{name}"),
                Undo::None(why) => assert!(why.len() > 10, "{name}"),
            }
            assert_eq!(operation.permissions().is_empty(), row.scope == Scope::Free, "{name}");
            assert!(!operation.changes() || row.scope != Scope::Free, "{name}");
            for rung in [row.practice, row.moto] {
                assert!(!matches!(rung, Rung::Not(why) if why.len() < 10), "{name}");
            }
            assert!(row.practice == Rung::Tried || row.moto == Rung::Tried, "{name} is tried nowhere");
            assert_eq!(Operation::of_sdk(row.service.sdk(), name), Some(operation));
        }
    }

    #[test]
    fn nothing_that_direct_connect_creates_is_asked_for_again_by_itself() {
        let creates = |one: &&Operation| one.row().service == DirectConnect && one.name().starts_with("Create");
        let creates: Vec<Operation> = Operation::ALL.iter().filter(creates).copied().collect();
        assert_eq!(creates.len(), 7);
        for operation in creates {
            assert_eq!(operation.row().repeat, Repeat::Person, "{}", operation.name());
        }
    }

    #[test]
    fn what_is_made_is_taken_away_and_only_that() {
        let taken: BTreeSet<Operation> = Operation::ALL
            .iter()
            .filter_map(|one| match one.row().undo {
                Undo::By(undo) => Some(undo),
                Undo::None(_) => None,
            })
            .collect();
        for &operation in Operation::ALL {
            let effect = operation.row().effect;
            if effect == Effect::TakesAway {
                assert!(taken.contains(&operation), "{}: what does it take back?", operation.name());
            }
            if effect == Effect::Makes {
                assert!(matches!(operation.row().undo, Undo::By(_)), "{} leaves something behind", operation.name());
            }
        }
    }
}

//! How much a plan takes of what an account may only have so much of.
//!
//! Codes: the Service Quotas console of Amazon VPC, Amazon EC2 (which has those of Site-to-Site VPN), Route 53 Resolver and
//! RDS. AWS counts what runs on demand by virtual processors: "Amazon EC2 On-Demand Instances quotas".

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::{Change, PlanEntry};
use crate::input::processors;

/// Something of which an account may have only so much in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limited {
    Vpcs,
    InternetGateways,
    NatGateways,
    Addresses,
    SecurityGroups,
    Processors,
    CustomerGateways,
    VpnGateways,
    VpnConnections,
    ResolverEndpoints,
    Databases,
}

impl Limited {
    pub const ALL: [Limited; 11] = [
        Limited::Vpcs,
        Limited::InternetGateways,
        Limited::NatGateways,
        Limited::Addresses,
        Limited::SecurityGroups,
        Limited::Processors,
        Limited::CustomerGateways,
        Limited::VpnGateways,
        Limited::VpnConnections,
        Limited::ResolverEndpoints,
        Limited::Databases,
    ];

    /// The service and the code under which Service Quotas has it, and what it is of.
    fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Limited::Vpcs => ("vpc", "L-F678F1CE", "VPCs"),
            Limited::InternetGateways => ("vpc", "L-A4707A72", "internet gateways"),
            Limited::NatGateways => ("vpc", "L-FE5A380F", "NAT gateways in the zone that has most"),
            Limited::Addresses => ("ec2", "L-0263D0A3", "Elastic IP addresses"),
            Limited::SecurityGroups => ("vpc", "L-E79EC296", "security groups"),
            Limited::Processors => ("ec2", "L-1216C47A", "virtual processors of standard instances"),
            Limited::CustomerGateways => ("ec2", "L-4FB7FF5D", "customer gateways"),
            Limited::VpnGateways => ("ec2", "L-7029FAB6", "virtual private gateways"),
            Limited::VpnConnections => ("ec2", "L-3E6EC3A3", "VPN connections"),
            Limited::ResolverEndpoints => ("route53resolver", "L-4A669CC0", "resolver endpoints"),
            Limited::Databases => ("rds", "L-7B6409FD", "databases"),
        }
    }

    /// As AWS calls the service in Service Quotas: `vpc`.
    pub fn service(self) -> &'static str {
        self.row().0
    }

    /// `L-F678F1CE`
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// `VPCs`
    pub fn what(self) -> &'static str {
        self.row().2
    }

    /// The one that AWS has under that code of that service.
    pub fn of(service: &str, code: &str) -> Option<Limited> {
        Limited::ALL.into_iter().find(|limited| (limited.service(), limited.code()) == (service, code))
    }

    /// What one more of is made by this operation.
    pub fn made_by(service: &str, operation: &str) -> Option<Limited> {
        Some(match (service, operation) {
            ("ec2", "CreateVpc") => Limited::Vpcs,
            ("ec2", "CreateInternetGateway") => Limited::InternetGateways,
            ("ec2", "CreateNatGateway") => Limited::NatGateways,
            ("ec2", "AllocateAddress") => Limited::Addresses,
            ("ec2", "CreateSecurityGroup") => Limited::SecurityGroups,
            ("ec2", "RunInstances") => Limited::Processors,
            ("ec2", "CreateCustomerGateway") => Limited::CustomerGateways,
            ("ec2", "CreateVpnGateway") => Limited::VpnGateways,
            ("ec2", "CreateVpnConnection") => Limited::VpnConnections,
            ("route53resolver", "CreateResolverEndpoint") => Limited::ResolverEndpoints,
            ("rds", "RestoreDBInstanceFromDBSnapshot" | "RestoreDBInstanceToPointInTime") => Limited::Databases,
            _ => return None,
        })
    }
}

/// How much more of each these steps would make in the region of the engagement.
pub fn takes(entries: &[PlanEntry]) -> BTreeMap<Limited, u64> {
    let mut more: BTreeMap<Limited, u64> = BTreeMap::new();
    let mut nats: BTreeMap<String, u64> = BTreeMap::new();
    let changes = entries.iter().filter(|entry| entry.would_change()).flat_map(|entry| &entry.changes);
    // What goes to another region says so.
    for change in changes.filter(|change| change.arguments.get("onramp:region").is_none()) {
        let Some(limited) = Limited::made_by(&change.service, &change.operation) else { continue };
        match limited {
            Limited::NatGateways => *nats.entry(text(change, "SubnetId")).or_default() += 1,
            Limited::Processors => *more.entry(limited).or_default() += launched(change),
            _ => *more.entry(limited).or_default() += 1,
        }
    }
    if let Some(most) = nats.into_values().max() {
        more.insert(Limited::NatGateways, most);
    }
    more.retain(|_, many| *many > 0);
    more
}

fn text(change: &Change, name: &str) -> String {
    change.arguments.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn launched(change: &Change) -> u64 {
    let many = change.arguments.get("MaxCount").and_then(Json::as_u64).unwrap_or(1);
    many * processors(&text(change, "InstanceType")).unwrap_or_default()
}

/// Is there room in the account for what a plan would make?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Room {
    pub of: Limited,
    pub service: &'static str,
    pub code: &'static str,
    /// How much more the plan would make.
    pub planned: u64,
    #[serde(flatten)]
    pub known: Known,
}

/// What the account says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Known {
    Counted {
        allowed: u64,
        used: u64,
        /// Does AWS give more on request?
        adjustable: bool,
    },
    Untold {
        why: String,
    },
}

impl Room {
    pub fn new(of: Limited, planned: u64, known: Known) -> Self {
        Room { of, service: of.service(), code: of.code(), planned, known }
    }

    /// AWS will refuse a part of it.
    pub fn is_short(&self) -> bool {
        matches!(self.known, Known::Counted { allowed, used, .. } if used + self.planned > allowed)
    }

    /// `VPCs: the account may have 5, has 1, and 1 more is planned`, with what to do where that does not fit.
    pub fn said(&self) -> String {
        let Room { of, planned, .. } = self;
        let (what, are) = (of.what(), if *planned == 1 { "is" } else { "are" });
        match &self.known {
            Known::Untold { why } => {
                format!("{what}: {planned} more {are} planned; what there is room for is not known: {why}")
            }
            Known::Counted { allowed, used, adjustable } => {
                let said =
                    format!("{what}: the account may have {allowed}, has {used}, and {planned} more {are} planned");
                match (self.is_short(), adjustable) {
                    (false, _) => said,
                    (true, true) => format!(
                        "{said}. Ask AWS for {} before you begin: quota {} of {}; it takes minutes to days",
                        used + planned,
                        self.code,
                        self.service
                    ),
                    (true, false) => format!("{said}. AWS gives nobody more: plan with less, or have some taken away"),
                }
            }
        }
    }
}

/// Those that do not fit first, then those of which nothing is known.
pub fn in_order(mut rooms: Vec<Room>) -> Vec<Room> {
    rooms.sort_by_key(|room| (!room.is_short(), matches!(room.known, Known::Counted { .. }), room.of));
    rooms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Verdict;
    use super::*;

    fn entry(changes: Vec<Change>) -> PlanEntry {
        PlanEntry {
            step: "net/one".parse().unwrap(),
            title: String::new(),
            verdict: Verdict::Change,
            said: String::new(),
            finding: None,
            changes,
            digest: String::new(),
            cost: None,
            prices: Vec::new(),
            breaks: None,
            undo: None,
            asks: None,
            rehearsals: Vec::new(),
        }
    }

    #[test]
    fn what_a_plan_makes_is_counted_as_aws_counts_it() {
        let launch = |kind: &str| Change::new("ec2", "RunInstances", json!({ "InstanceType": kind, "MaxCount": 1 }));
        let nat = |subnet: &str| Change::new("ec2", "CreateNatGateway", json!({ "SubnetId": subnet }));
        let plan = [
            entry(vec![launch("t3.micro"), launch("m7i.2xlarge"), launch("g5.xlarge")]),
            // One in each of two zones, and two in a third.
            entry(vec![nat("subnet-a"), nat("subnet-b"), nat("subnet-c"), nat("subnet-c")]),
            entry(vec![Change::new("ec2", "CreateVpc", json!({}))]),
            PlanEntry { verdict: Verdict::Nothing, ..entry(vec![Change::new("ec2", "CreateVpc", json!({}))]) },
            entry(vec![Change::new(
                "rds",
                "RestoreDBInstanceToPointInTime",
                json!({ "onramp:region": "eu-central-1" }),
            )]),
        ];
        let counted: Vec<(Limited, u64)> = takes(&plan).into_iter().collect();
        assert_eq!(counted, [(Limited::Vpcs, 1), (Limited::NatGateways, 2), (Limited::Processors, 10)]);
    }

    #[test]
    fn a_quota_has_one_code_and_is_found_by_it() {
        for limited in Limited::ALL {
            assert_eq!(Limited::of(limited.service(), limited.code()), Some(limited));
        }
        assert_eq!(Limited::of("ec2", "L-F678F1CE"), None);
    }
}

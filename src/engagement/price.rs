//! What begins to be billed by a call, as far as its arguments tell: about how much in a month.
//!
//! List prices of the region us-east-1 in US dollars, on demand, without traffic, requests, free tiers and discounts, as
//! AWS's pricing pages had them in June 2026: amazon VPC (NAT gateways, public IPv4 addresses), AWS VPN, EC2 on demand,
//! EBS, Route 53, Secrets Manager, KMS, Elastic Load Balancing, Direct Connect, Global Accelerator. In other regions about the same, up to a
//! quarter more in most.

use serde::Serialize;
use serde_json::Value as Json;

use super::Change;
use crate::text::count;

/// What the prices are, to be said beside every sum of them.
pub const BASIS: &str = "list prices of us-east-1 (June 2026), without traffic; other regions are about the same, up to \
                         a quarter more";

/// Hours of an average month, as AWS counts them.
const HOURS: f64 = 730.0;
/// A gibibyte of a gp3 volume for a month.
const GIBIBYTE: f64 = 0.08;
/// A secret for a month.
const SECRET: f64 = 0.4;
/// An accelerator for an hour.
const ACCELERATOR: f64 = 0.025;

/// Something that is billed from when it is made until it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Price {
    /// `a NAT gateway`
    pub what: String,
    /// Cents of a US dollar in a month; none where it is billed, and how much is not known here.
    pub cents_a_month: Option<u64>,
}

impl Price {
    /// `a VPN connection: about $37 a month`
    pub fn said(&self) -> String {
        match self.cents_a_month {
            Some(cents) => format!("{}: about {} a month", self.what, dollars(cents)),
            None => format!("{}: billed; how much is not known here", self.what),
        }
    }

    fn monthly(what: impl Into<String>, dollars: f64) -> Option<Price> {
        let cents = (dollars * 100.0).round() as u64;
        Some(Price { what: what.into(), cents_a_month: Some(cents) })
    }

    fn hourly(what: impl Into<String>, dollars: f64) -> Option<Price> {
        Price::monthly(what, dollars * HOURS)
    }

    fn unknown(what: impl Into<String>) -> Option<Price> {
        Some(Price { what: what.into(), cents_a_month: None })
    }
}

/// What begins to be billed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bill {
    /// Cents of a US dollar in a month, as far as they are known.
    pub cents: u64,
    /// More is billed, and how much is not known here.
    pub and_more: bool,
}

impl Bill {
    pub fn is_empty(self) -> bool {
        self == Bill::default()
    }

    /// `about $427 a month, and more that is not known here`
    pub fn said(self) -> String {
        match (self.cents, self.and_more) {
            (0, _) => "an amount that is not known here".to_owned(),
            (cents, false) => format!("about {} a month", dollars(cents)),
            (cents, true) => format!("about {} a month, and more that is not known here", dollars(cents)),
        }
    }
}

impl<'a> FromIterator<&'a Price> for Bill {
    fn from_iter<T: IntoIterator<Item = &'a Price>>(prices: T) -> Self {
        prices.into_iter().fold(Bill::default(), |sum, price| Bill {
            cents: sum.cents + price.cents_a_month.unwrap_or_default(),
            and_more: sum.and_more || price.cents_a_month.is_none(),
        })
    }
}

/// `$33`, `$0.40`: rounded as an estimate is.
pub fn dollars(cents: u64) -> String {
    match cents {
        0..1_000 => format!("${}.{:02}", cents / 100, cents % 100),
        _ => format!("${}", (cents + 50) / 100),
    }
}

/// What this call begins to be billed; nothing for one that costs nothing by itself.
pub fn price(change: &Change) -> Option<Price> {
    let Change { service, operation, arguments } = change;
    match (service.as_str(), operation.as_str()) {
        ("ec2", "AllocateAddress") => Price::hourly("a public IPv4 address", 0.005),
        ("ec2", "CreateNatGateway") => Price::hourly("a NAT gateway, and 4.5 cents a gigabyte", 0.045),
        ("ec2", "CreateVpnConnection") => connection(arguments),
        ("ec2", "CreateTransitGatewayVpcAttachment") => {
            Price::hourly("a VPC at a transit gateway, and 2 cents a gigabyte", 0.05)
        }
        ("ec2", "RunInstances") => instances(arguments),
        ("route53", "CreateHostedZone") => Price::monthly("a hosted zone", 0.5),
        ("route53resolver", "CreateResolverEndpoint") => {
            let addresses = arguments.get("IpAddresses").and_then(Json::as_array).map_or(2, Vec::len);
            let what = format!("a resolver endpoint of {}", count(addresses, "address"));
            Price::hourly(what, 0.125 * as_number(addresses))
        }
        ("secretsmanager", "CreateSecret") => Price::monthly("a secret", SECRET),
        ("directconnect", "CreateConnection") => ports(1, text(arguments, "Bandwidth")),
        ("directconnect", "CreateLag") => {
            let many = arguments.get("NumberOfConnections").and_then(Json::as_u64).unwrap_or(1);
            ports(usize::try_from(many).unwrap_or(1), text(arguments, "ConnectionsBandwidth"))
        }
        ("directconnect", "ConfirmConnection") => {
            Price::unknown("a partner's connection, by its speed, and what the partner takes")
        }
        ("rds", "RestoreDBInstanceFromDBSnapshot" | "RestoreDBInstanceToPointInTime") => {
            Price::unknown("a database, by its class and storage")
        }
        ("rds", "CreateDBSnapshot" | "CopyDBSnapshot" | "StartDBInstanceAutomatedBackupsReplication") => {
            Price::unknown("what is kept of a database, about 10 cents a gigabyte, and traffic to another region")
        }
        ("ec2", "CreateSnapshot" | "CreateSnapshots" | "CopySnapshot" | "CreateImage" | "CopyImage") => {
            Price::unknown("what is kept of disks, about 5 cents a gigabyte, and traffic to another region")
        }
        ("backup", "StartBackupJob") => Price::unknown("a backup, by the gigabyte that is kept"),
        ("backup", "StartCopyJob") => {
            Price::unknown("a copy of a backup, by the gigabyte that is kept, and its way to another region")
        }
        ("backup", "StartRestoreJob") => {
            Price::unknown("what is restored, as long as it is there, and gigabytes that are read from the archive")
        }
        ("s3", "PutObject") => archived(text(arguments, "StorageClass")),
        ("s3", "RestoreObject") => {
            Price::unknown("gigabytes that are read from the archive, sooner is dearer, and the copy while it is there")
        }
        ("cloudformation", "CreateResource") => resource(arguments),
        _ => None,
    }
}

fn as_number(count: usize) -> f64 {
    count as f64
}

fn text<'a>(arguments: &'a Json, name: &str) -> &'a str {
    arguments.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// A VPN connection, and what comes with it for as long as it is there. An accelerated one has two accelerators ("AWS Global
/// Accelerator pricing": 2.5 cents an hour for each, and from 1 to 10 cents a gigabyte, by where from and where to).
fn connection(arguments: &Json) -> Option<Price> {
    let is_large = arguments.pointer("/Options/TunnelBandwidth").and_then(Json::as_str) == Some("large");
    let is_accelerated = arguments.pointer("/Options/EnableAcceleration").and_then(Json::as_bool) == Some(true);
    let has_secret = text(arguments, "PreSharedKeyStorage") == "SecretsManager";
    let (mut what, mut month) = ("a VPN connection".to_owned(), 0.05 * HOURS);
    if is_large {
        what += " with large tunnels, which costs more than the $37 a month of a standard one";
    }
    if has_secret {
        what += ", the secret of its keys";
        month += SECRET;
    }
    if is_accelerated {
        what += ", two accelerators (about $37 a month), with 1 to 10 cents a gigabyte";
        month += 2.0 * ACCELERATOR * HOURS;
    }
    if arguments.get("TransitGatewayId").is_some() {
        what += ", and its attachment to a transit gateway";
        what += if is_large { ", about $37 a month, with 2 cents a gigabyte" } else { ", with 2 cents a gigabyte" };
        month += 0.05 * HOURS;
    }
    // What AWS takes for tunnels of 5 Gbit/s is on no page that we have read.
    if is_large { Price::unknown(what) } else { Price::monthly(what, month) }
}

fn instances(arguments: &Json) -> Option<Price> {
    let kind = text(arguments, "InstanceType");
    let many = arguments.get("MaxCount").and_then(Json::as_u64).unwrap_or(1);
    let volumes = arguments.get("BlockDeviceMappings").and_then(Json::as_array).into_iter().flatten();
    let size = |volume: &Json| volume.pointer("/Ebs/VolumeSize").and_then(Json::as_f64).unwrap_or_default();
    let gibibytes: f64 = volumes.map(size).sum();
    let disk = if gibibytes > 0.0 { format!(" with {gibibytes} GiB") } else { String::new() };
    let one = if many == 1 { "an instance".to_owned() } else { format!("{many} instances") };
    let what = format!("{one} of {kind}{disk}");
    let Some(hour) = instance_hour(kind) else { return Price::unknown(what) };
    let many = usize::try_from(many).map_or(1.0, as_number);
    Price::monthly(what, many * (hour * HOURS + gibibytes * GIBIBYTE))
}

/// On demand, Linux, by the size `large` of each family.
const FAMILIES: [(&str, f64); 19] = [
    ("t3", 0.0832),
    ("t3a", 0.0752),
    ("t4g", 0.0672),
    ("m5", 0.096),
    ("m6a", 0.0864),
    ("m6g", 0.077),
    ("m6i", 0.096),
    ("m7g", 0.0816),
    ("m7i", 0.1008),
    ("c5", 0.085),
    ("c6g", 0.068),
    ("c6i", 0.085),
    ("c7g", 0.0725),
    ("c7i", 0.08925),
    ("r5", 0.126),
    ("r6g", 0.1008),
    ("r6i", 0.126),
    ("r7g", 0.1071),
    ("r7i", 0.1323),
];

/// Dollars for an hour; a size costs twice the one below it.
fn instance_hour(kind: &str) -> Option<f64> {
    let (family, size) = kind.split_once('.')?;
    let (_, large) = FAMILIES.iter().find(|(known, _)| *known == family)?;
    let factor = match size {
        "nano" => 1.0 / 16.0,
        "micro" => 1.0 / 8.0,
        "small" => 0.25,
        "medium" => 0.5,
        "large" => 1.0,
        "xlarge" => 2.0,
        size => 2.0 * size.strip_suffix("xlarge")?.parse::<f64>().ok()?,
    };
    Some(large * factor)
}

fn ports(many: usize, bandwidth: &str) -> Option<Price> {
    let ports = if many == 1 { "a Direct Connect port".to_owned() } else { format!("{many} Direct Connect ports") };
    let what = format!("{ports} of {bandwidth}, from when up or 90 days after the letter");
    let hour = match bandwidth {
        "1Gbps" => 0.3,
        "10Gbps" => 2.25,
        "100Gbps" => 22.5,
        _ => return Price::unknown(what),
    };
    Price::hourly(what, as_number(many) * hour)
}

/// The archive classes of S3 are billed for a least time, also when the object is gone before ("Amazon S3 pricing").
fn archived(class: &str) -> Option<Price> {
    let days = match class {
        "GLACIER" | "GLACIER_IR" => 90,
        "DEEP_ARCHIVE" => 180,
        _ => return None,
    };
    Price::unknown(format!("what is kept in {class}, for {days} days at least"))
}

fn resource(arguments: &Json) -> Option<Price> {
    match text(arguments, "TypeName") {
        "AWS::KMS::Key" => Price::monthly("a KMS key", 1.0),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            Price::hourly("a load balancer, and what goes through it", 0.0225)
        }
        "AWS::EC2::NatGateway" => Price::hourly("a NAT gateway, and 4.5 cents a gigabyte", 0.045),
        "AWS::EC2::EIP" => Price::hourly("a public IPv4 address", 0.005),
        "AWS::SecretsManager::Secret" => Price::monthly("a secret", SECRET),
        "AWS::EC2::VPCEndpoint" => endpoint(arguments),
        "AWS::S3::Bucket"
            if arguments.to_string().contains("\"GLACIER") || arguments.to_string().contains("\"DEEP_ARCHIVE") =>
        {
            Price::unknown("what goes to the archive, for 90 days at least, in DEEP_ARCHIVE for 180")
        }
        "AWS::RDS::DBInstance" => Price::unknown("a database; in two zones it costs twice as much"),
        _ => None,
    }
}

/// An interface endpoint has an interface in each subnet; gateway endpoints cost nothing.
fn endpoint(arguments: &Json) -> Option<Price> {
    let properties = arguments.get("DesiredState")?;
    if text(properties, "VpcEndpointType") != "Interface" {
        return None;
    }
    let zones = properties.get("SubnetIds").and_then(Json::as_array).map_or(1, Vec::len);
    Price::hourly(format!("an endpoint in {}, and a cent a gigabyte", count(zones, "zone")), 0.01 * as_number(zones))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cents(service: &str, operation: &str, arguments: Json) -> Option<u64> {
        price(&Change::new(service, operation, arguments)).and_then(|price| price.cents_a_month)
    }

    #[test]
    fn what_is_billed_by_the_hour_costs_730_of_them_in_a_month() {
        assert_eq!(cents("ec2", "CreateNatGateway", json!({})), Some(3_285));
        assert_eq!(cents("ec2", "AllocateAddress", json!({})), Some(365));
        assert_eq!(cents("ec2", "CreateVpnConnection", json!({})), Some(3_650));
        assert_eq!(cents("ec2", "CreateVpnConnection", json!({ "TransitGatewayId": "tgw-1" })), Some(7_300));
        let two = json!({ "IpAddresses": [{ "SubnetId": "subnet-1" }, { "SubnetId": "subnet-2" }] });
        assert_eq!(cents("route53resolver", "CreateResolverEndpoint", two), Some(18_250));
        assert_eq!(cents("directconnect", "CreateConnection", json!({ "Bandwidth": "1Gbps" })), Some(21_900));
        let lag = json!({ "NumberOfConnections": 2, "ConnectionsBandwidth": "1Gbps" });
        assert_eq!(cents("directconnect", "CreateLag", lag), Some(43_800));
        let hosted = price(&Change::new("directconnect", "ConfirmConnection", json!({}))).unwrap();
        assert_eq!(hosted.cents_a_month, None, "{hosted:?}");
        assert_eq!(cents("ec2", "CreateTransitGatewayVpcAttachment", json!({})), Some(3_650));
        assert_eq!(cents("cloudformation", "CreateResource", json!({ "TypeName": "AWS::KMS::Key" })), Some(100));
        for (service, operation) in
            [("rds", "RestoreDBInstanceFromDBSnapshot"), ("rds", "CopyDBSnapshot"), ("ec2", "CopySnapshot")]
        {
            let by_size = price(&Change::new(service, operation, json!({}))).unwrap();
            assert_eq!(by_size.cents_a_month, None, "{by_size:?}");
        }
        assert_eq!(price(&Change::new("ec2", "CreateVpc", json!({}))), None);
    }

    #[test]
    fn large_tunnels_are_not_priced_as_standard_ones() {
        let tunnels =
            |bandwidth: &str| json!({ "TransitGatewayId": "tgw-1", "Options": { "TunnelBandwidth": bandwidth } });
        assert_eq!(cents("ec2", "CreateVpnConnection", tunnels("standard")), Some(7_300));
        let large = price(&Change::new("ec2", "CreateVpnConnection", tunnels("large"))).unwrap();
        assert_eq!(large.cents_a_month, None);
        let said = large.said();
        assert!(said.contains("costs more than the $37") && said.ends_with("how much is not known here"), "{said}");
        assert!([&large].into_iter().collect::<Bill>().and_more, "the sum says that there is more");
    }

    #[test]
    fn accelerators_and_the_secret_of_the_keys_are_part_of_what_a_connection_costs() {
        let with = |bandwidth: &str| {
            json!({ "TransitGatewayId": "tgw-1", "PreSharedKeyStorage": "SecretsManager",
                    "Options": { "EnableAcceleration": true, "TunnelBandwidth": bandwidth } })
        };
        let both = price(&Change::new("ec2", "CreateVpnConnection", with("standard"))).unwrap();
        assert_eq!(both.cents_a_month, Some(7_300 + 3_650 + 40));
        assert!(both.what.contains("the secret of its keys, two accelerators"), "{both:?}");
        let large = price(&Change::new("ec2", "CreateVpnConnection", with("large"))).unwrap();
        assert!(large.cents_a_month.is_none() && large.what.contains("two accelerators"), "{large:?}");
        let kept = json!({ "VpnGatewayId": "vgw-1", "PreSharedKeyStorage": "SecretsManager" });
        assert_eq!(cents("ec2", "CreateVpnConnection", kept), Some(3_690));
    }

    #[test]
    fn an_instance_costs_by_its_size_and_its_volumes() {
        let disk = json!([{ "Ebs": { "VolumeSize": 20 } }]);
        let launch = |kind: &str| json!({ "InstanceType": kind, "MaxCount": 1, "BlockDeviceMappings": disk });
        assert_eq!(cents("ec2", "RunInstances", launch("t3.micro")), Some(919));
        assert_eq!(cents("ec2", "RunInstances", launch("m5.2xlarge")), Some(28_192));
        let unknown = price(&Change::new("ec2", "RunInstances", launch("x9.large"))).unwrap();
        assert_eq!((unknown.what.as_str(), unknown.cents_a_month), ("an instance of x9.large with 20 GiB", None));
    }

    #[test]
    fn a_sum_says_that_there_is_more_than_what_is_known() {
        let price = |cents_a_month| Price { what: "it".to_owned(), cents_a_month };
        let sum = |prices: &[Price]| prices.iter().collect::<Bill>();
        assert!(sum(&[]).is_empty());
        assert_eq!(sum(&[price(Some(3_285)), price(Some(50))]).said(), "about $33 a month");
        let more = sum(&[price(Some(3_285)), price(None)]);
        assert_eq!(more.said(), "about $33 a month, and more that is not known here");
        assert_eq!(sum(&[price(None)]).said(), "an amount that is not known here");
    }

    #[test]
    fn an_estimate_has_no_more_digits_than_it_deserves() {
        assert_eq!([40, 365, 919, 3_285, 28_192].map(dollars), ["$0.40", "$3.65", "$9.19", "$33", "$282"]);
    }
}

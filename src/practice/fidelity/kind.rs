//! The kinds of objects: how their ids look, and how AWS says that one is malformed or not there.

use super::refusal::Refusal;

/// One kind of object that the layer keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Vpc,
    Subnet,
    InternetGateway,
    RouteTable,
    Address,
    NatGateway,
    Group,
    Rule,
    KeyPair,
    Instance,
    Volume,
    Interface,
    CustomerGateway,
    VpnGateway,
    VpnConnection,
    Peering,
    DhcpOptions,
    TransitGateway,
    TransitAttachment,
    Snapshot,
    Image,
}

struct Row {
    kind: Kind,
    prefix: &'static str,
    /// The name in `TagSpecifications` and `DescribeTags`.
    resource_type: &'static str,
    word: &'static str,
    not_found: &'static str,
    malformed: &'static str,
}

const fn row(
    kind: Kind,
    prefix: &'static str,
    resource_type: &'static str,
    word: &'static str,
    not_found: &'static str,
    malformed: &'static str,
) -> Row {
    Row { kind, prefix, resource_type, word, not_found, malformed }
}

const ROWS: [Row; 21] = [
    row(Kind::Vpc, "vpc", "vpc", "vpc ID", "InvalidVpcID.NotFound", "InvalidVpcId.Malformed"),
    row(Kind::Subnet, "subnet", "subnet", "subnet ID", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed"),
    row(
        Kind::InternetGateway,
        "igw",
        "internet-gateway",
        "internetGateway ID",
        "InvalidInternetGatewayID.NotFound",
        "InvalidInternetGatewayId.Malformed",
    ),
    row(
        Kind::RouteTable,
        "rtb",
        "route-table",
        "routeTable ID",
        "InvalidRouteTableID.NotFound",
        "InvalidRouteTableId.Malformed",
    ),
    row(
        Kind::Address,
        "eipalloc",
        "elastic-ip",
        "allocation ID",
        "InvalidAllocationID.NotFound",
        "InvalidAllocationID.NotFound",
    ),
    row(Kind::NatGateway, "nat", "natgateway", "NAT gateway", "NatGatewayNotFound", "NatGatewayMalformed"),
    row(Kind::Group, "sg", "security-group", "security group", "InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
    row(
        Kind::Rule,
        "sgr",
        "security-group-rule",
        "security group rule ID",
        "InvalidSecurityGroupRuleId.NotFound",
        "InvalidSecurityGroupRuleId.Malformed",
    ),
    row(Kind::KeyPair, "key", "key-pair", "key pair", "InvalidKeyPair.NotFound", "InvalidKeyPair.NotFound"),
    row(Kind::Instance, "i", "instance", "instance ID", "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"),
    row(Kind::Volume, "vol", "volume", "volume", "InvalidVolume.NotFound", "InvalidVolumeID.Malformed"),
    row(
        Kind::Interface,
        "eni",
        "network-interface",
        "networkInterface ID",
        "InvalidNetworkInterfaceID.NotFound",
        "InvalidNetworkInterfaceId.Malformed",
    ),
    row(
        Kind::CustomerGateway,
        "cgw",
        "customer-gateway",
        "customerGateway ID",
        "InvalidCustomerGatewayID.NotFound",
        "InvalidCustomerGatewayId.Malformed",
    ),
    row(
        Kind::VpnGateway,
        "vgw",
        "vpn-gateway",
        "vpnGateway ID",
        "InvalidVpnGatewayID.NotFound",
        "InvalidVpnGatewayID.Malformed",
    ),
    row(
        Kind::VpnConnection,
        "vpn",
        "vpn-connection",
        "vpnConnection ID",
        "InvalidVpnConnectionID.NotFound",
        "InvalidVpnConnectionID.Malformed",
    ),
    row(
        Kind::Peering,
        "pcx",
        "vpc-peering-connection",
        "vpcPeeringConnection ID",
        "InvalidVpcPeeringConnectionID.NotFound",
        "InvalidVpcPeeringConnectionId.Malformed",
    ),
    row(
        Kind::DhcpOptions,
        "dopt",
        "dhcp-options",
        "dhcpOptions ID",
        "InvalidDhcpOptionID.NotFound",
        "InvalidDhcpOptionsId.Malformed",
    ),
    row(
        Kind::TransitGateway,
        "tgw",
        "transit-gateway",
        "Transit Gateway",
        "InvalidTransitGatewayID.NotFound",
        "InvalidTransitGatewayID.Malformed",
    ),
    row(Kind::Snapshot, "snap", "snapshot", "snapshot", "InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed"),
    row(Kind::Image, "ami", "image", "image id", "InvalidAMIID.NotFound", "InvalidAMIID.Malformed"),
    row(
        Kind::TransitAttachment,
        "tgw-attach",
        "transit-gateway-attachment",
        "Transit Gateway Attachment",
        "InvalidTransitGatewayAttachmentID.NotFound",
        "InvalidTransitGatewayAttachmentID.Malformed",
    ),
];

impl Kind {
    fn row(self) -> &'static Row {
        // The table holds every kind (tested), so the first row is never a wrong answer.
        ROWS.iter().find(|row| row.kind == self).unwrap_or(&ROWS[0])
    }

    /// The kind that an id belongs to, by its prefix.
    pub fn of(id: &str) -> Option<Self> {
        // `tgw-attach-…` is no `tgw-…`.
        let prefix = id.rsplit_once('-')?.0;
        ROWS.iter().find(|row| row.prefix == prefix).map(|row| row.kind)
    }

    pub fn prefix(self) -> &'static str {
        self.row().prefix
    }

    pub fn resource_type(self) -> &'static str {
        self.row().resource_type
    }

    pub fn not_found(self, id: &str) -> Refusal {
        Refusal::new(self.row().not_found, format!("The {} '{id}' does not exist", self.row().word))
    }

    /// An id is its kind's prefix and 8 or 17 hexadecimal digits.
    pub fn check_shape(self, id: &str) -> Result<(), Refusal> {
        let digits = id.strip_prefix(self.prefix()).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
        if [8, 17].contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Ok(());
        }
        let message = format!("Invalid id: \"{id}\" (expecting \"{}-...\")", self.prefix());
        Err(Refusal::new(self.row().malformed, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row_and_ids_are_checked() {
        for row in &ROWS {
            assert_eq!(row.kind.prefix(), row.prefix);
            assert_eq!(Kind::of(&format!("{}-00000001", row.prefix)), Some(row.kind));
            assert!(row.kind.check_shape(&format!("{}-0a1b2c3d4e5f67890", row.prefix)).is_ok());
            assert!(row.kind.check_shape("nonsense").is_err());
        }
        assert!(Kind::Vpc.check_shape("vpc-0000000g").is_err());
        assert!(Kind::Vpc.check_shape("subnet-00000001").is_err());
    }
}

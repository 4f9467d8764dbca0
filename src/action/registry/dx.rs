//! The kinds of the way to the customer's data centre that is no VPN: Direct Connect, and transit gateways.

use super::super::aws_dx::{Reached, TheLetter, TheLine, TheLocation};
use super::super::aws_dx_accepted::{TheAllocated, TheHostedLine};
use super::super::aws_dx_apart::Apart;
use super::super::aws_dx_gateway::{TheAssociation, TheGateway};
use super::super::aws_dx_interface::{Bgp, RouterConfiguration, TheInterface};
use super::super::aws_dx_lag::TheLag;
use super::super::aws_dx_light::TheLight;
use super::super::aws_dx_macsec::{Encrypted, TheKey, TheMode};
use super::super::aws_dx_proposal::{Accepted, TheProposal};
use super::super::aws_dx_test::FailoverTest;
use super::super::aws_transit::{TheAttachment, TheRoutes, TheTransitGateway};
use super::super::aws_transit_back::Back;
use super::super::aws_transit_ways::{Place, TheStaticRoutes};
use super::super::check::Check;
use super::super::elsewhere::Elsewhere;
use super::super::object::Object;
use super::{Argument, KEY, NAME, Row, may, must, secret};
use crate::aws::Operation::*;

const LINE: Argument = must("connection", "id of the connection, dxcon-…, or of the LAG, dxlag-…");
const REGION: Argument =
    may("region", "region in which AWS lists the building of the line, where it is another than the engagement's");
const MACSEC: Argument =
    may("macsec", "yes or no: whether it can be encrypted (MACsec), which is said now or never; no when not given");
const CKN: Argument = must("ckn", "name of the key, 64 hexadecimal digits");
const INTERFACE: Argument = must("interface", "id of the virtual interface, dxvif-…");
const PREFIXES: Argument = must(
    "prefixes",
    "list of ranges; for a virtual private gateway a filter, so as wide as the VPC or wider; for a transit gateway told as \
     given",
);
const INTERFACE_RESULTS: &[(&str, &str)] = &[
    ("id", "dxvif-…"),
    ("connection", "the line that it is on"),
    ("vlan", "its VLAN"),
    ("customer_asn", "AS number of the customer's router"),
    ("amazon_address", "Amazon's address, with its prefix length"),
    ("customer_address", "the customer's"),
    ("amazon_asn", "AS number of Amazon's side"),
    ("mtu", "its MTU"),
];

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "aws/dx-location",
        summary: "A Direct Connect location of the region has ports of the wanted speed",
        arguments: &[
            may("location", "its code, such as EqDC2; all of the region are told when not given"),
            may("bandwidth", "such as 1Gbps; any when not given"),
            may("provider", "network provider, to be looked for in AWS's list"),
            may(
                "macsec",
                "yes or no: whether its ports of that speed must be able to encrypt (MACsec); no when not given",
            ),
            REGION,
        ],
        results: &[
            ("name", "what AWS calls it"),
            ("speeds", "list of the speeds of its ports, such as 10Gbps"),
            ("macsec", "list of the speeds of those that can encrypt"),
            ("providers", "list of the providers that AWS knows there"),
            ("codes", "list of the codes of all locations"),
        ],
        sends: &[DescribeLocations],
        mutates: false,
        make: |arguments, subject| {
            Ok(Box::new(Check(Elsewhere::of(arguments, TheLocation::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/dx-connection",
        summary: "A port of Direct Connect, ordered once; where the answer to the order is lost and no port is to be seen, only \
                  a person orders again, because each one is billed",
        arguments: &[
            must("location", "code of the location; it cannot be changed"),
            must("bandwidth", "such as 1Gbps; it cannot be changed"),
            may("provider", "network provider; it stands on the letter of authorization"),
            MACSEC,
            REGION,
            KEY,
            NAME,
        ],
        results: &[("id", "dxcon-…"), ("name", "what the console shows")],
        sends: &[DescribeConnections, DescribeVirtualInterfaces, CreateConnection, DeleteConnection],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Elsewhere::of(arguments, TheLine::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-lag",
        summary: "Several ports of Direct Connect that work as one, in one building; ordered once, as a single port is",
        arguments: &[
            must("location", "code of the location; it cannot be changed"),
            must("bandwidth", "of each port, such as 1Gbps; it cannot be changed"),
            may("ports", "how many: 1 to 4, 2 at most from 100Gbps on; 2 when not given"),
            may("provider", "network provider; it stands on the letter of authorization"),
            MACSEC,
            REGION,
            KEY,
            NAME,
        ],
        results: &[
            ("id", "dxlag-…"),
            ("name", "what the console shows"),
            ("members", "list of the ids of its ports, sorted"),
        ],
        sends: &[DescribeLags, DescribeConnections, DescribeVirtualInterfaces, CreateLag, DeleteLag, DeleteConnection],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Elsewhere::of(arguments, TheLag::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-hosted-connection",
        summary: "A connection that a partner made for this account is accepted; it is billed from then on",
        arguments: &[
            LINE,
            may("vlan", "the one VLAN that it has, as the partner told it"),
            may("bandwidth", "the speed that was bought, such as 1Gbps; one that has another is not accepted"),
            REGION,
            KEY,
            NAME,
        ],
        results: &[("id", "dxcon-…"), ("vlan", "the one VLAN that it has"), ("bandwidth", "its speed")],
        sends: &[
            DescribeConnections,
            DescribeVirtualInterfaces,
            ConfirmConnection,
            GetCallerIdentity,
            TagConnection,
            DeleteConnection,
        ],
        mutates: true,
        make: |arguments, subject| {
            Ok(Box::new(Object(Elsewhere::of(arguments, TheHostedLine::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/dx-connection-state",
        summary: "A connection is as far as it must be: its port is allotted, or it is up",
        arguments: &[LINE, may("state", "available or allotted; available when not given"), REGION],
        results: &[
            ("state", "requested, pending, available, down, …"),
            ("device", "Amazon's router"),
            ("jumbo", "true when it takes packets of 8500 bytes"),
        ],
        sends: &[DescribeConnections, DescribeLags],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Elsewhere::of(arguments, Reached::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-light",
        summary: "How much light Amazon's ports of a line receive, as CloudWatch has measured it last",
        arguments: &[
            must("ports", "list of ids of connections, dxcon-…: the line, or each port of a LAG"),
            may("bandwidth", "of each, such as 10Gbps: what its optics need is known of 1, 10 and 100 Gbit/s"),
            REGION,
        ],
        results: &[
            ("light", "good, weak (less than the optics need), dark, or unknown where nothing was measured"),
            ("levels", "map from port to what its weakest lane receives, in dBm"),
            ("least", "what the optics need at least, in dBm; null where that is not known"),
            ("seen", "the same in words, or why it cannot be read"),
        ],
        sends: &[GetMetricData],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Elsewhere::of(arguments, TheLight::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-macsec-key",
        summary: "A line that was ordered with MACsec, or each port of a LAG, has a key to encrypt with; Direct Connect keeps \
                  name and key in a secret of its own, which an undo leaves there",
        arguments: &[LINE, CKN, secret("cak", "the key, 64 hexadecimal digits, as a secret"), REGION],
        results: &[("id", "ARN of the secret in which Direct Connect keeps it"), ("state", "associated")],
        sends: &[DescribeConnections, DescribeLags, AssociateMacSecKey, DisassociateMacSecKey],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Elsewhere::of(arguments, TheKey::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-macsec-state",
        summary: "What goes over a line is encrypted: both ends have the key of that name",
        arguments: &[LINE, CKN, REGION],
        results: &[("status", "Encryption Up"), ("mode", "should_encrypt or must_encrypt")],
        sends: &[DescribeConnections, DescribeLags],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Elsewhere::of(arguments, Encrypted::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-encryption-mode",
        summary: "How strict a line with MACsec is, at the least; one that must encrypt is down when it cannot, so that is set \
                  only where it does already",
        arguments: &[LINE, may("mode", "should_encrypt or must_encrypt; should_encrypt when not given"), REGION],
        results: &[("mode", "what is set")],
        sends: &[DescribeConnections, DescribeLags, UpdateConnection, UpdateLag],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Elsewhere::of(arguments, TheMode::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-letter",
        summary: "The letter of authorization for the building, issued once and kept as a file of the engagement; take the file \
                  away to have another one issued, which begins its 90 days anew",
        arguments: &[LINE, may("provider", "network provider; it stands on the letter"), REGION],
        results: &[
            ("file", "where it lies on this machine, a PDF"),
            ("issued", "when AWS issued it last"),
            ("holds_until", "90 days later"),
            ("blake3", "of the file"),
        ],
        sends: &[DescribeConnections, DescribeLags, DescribeLoa],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Elsewhere::of(arguments, TheLetter::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-gateway",
        summary: "A Direct Connect gateway: virtual interfaces lead to it, from any region",
        arguments: &[must("asn", "AS number of its side, a private one; it cannot be changed"), KEY, NAME],
        results: &[("id", "id of the gateway"), ("asn", "its AS number")],
        sends: &[DescribeDirectConnectGateways, CreateDirectConnectGateway, DeleteDirectConnectGateway],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheGateway::new(arguments, subject)?))),
    },
    Row {
        name: "aws/dx-association",
        summary: "A Direct Connect gateway leads on to a virtual private gateway or to a transit gateway, and tells the \
                  customer's routers of these ranges",
        arguments: &[
            must("gateway", "id of the Direct Connect gateway"),
            must("to", "vgw-… that is attached to its VPC, or tgw-…"),
            PREFIXES,
        ],
        results: &[("id", "id of the association")],
        sends: &[
            DescribeDirectConnectGatewayAssociations,
            CreateDirectConnectGatewayAssociation,
            DeleteDirectConnectGatewayAssociation,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheAssociation::new(arguments, subject)?))),
    },
    Row {
        name: "aws/dx-association-proposal",
        summary: "The account that has a Direct Connect gateway is asked to lead it on to a gateway of this account; it says yes or \
                  no within seven days",
        arguments: &[
            must("gateway", "id of the Direct Connect gateway"),
            must("owner", "the account that has it"),
            must("to", "vgw-… that is attached to its VPC, or tgw-…"),
            PREFIXES,
        ],
        results: &[("id", "id of the proposal, which the other account accepts")],
        sends: &[
            DescribeDirectConnectGatewayAssociationProposals,
            DescribeDirectConnectGatewayAssociations,
            CreateDirectConnectGatewayAssociationProposal,
            DeleteDirectConnectGatewayAssociationProposal,
            DeleteDirectConnectGatewayAssociation,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheProposal::new(arguments, subject)?))),
    },
    Row {
        name: "aws/dx-association-state",
        summary: "The account that has a Direct Connect gateway has accepted the proposal, with the ranges that were asked for",
        arguments: &[
            must("gateway", "id of the Direct Connect gateway"),
            must("to", "vgw-… or tgw-… of this account"),
            PREFIXES,
        ],
        results: &[("id", "id of the association"), ("state", "associated")],
        sends: &[DescribeDirectConnectGatewayAssociations, DescribeDirectConnectGatewayAssociationProposals],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Accepted::new(arguments, subject)?))),
    },
    Row {
        name: "aws/dx-allocated-interface",
        summary: "A virtual interface that the account with the line allocated to this one is accepted, and led to a gateway here",
        arguments: &[
            INTERFACE,
            may("type", "private or transit, as it was allocated; private when not given"),
            may("gateway", "id of the Direct Connect gateway of this account"),
            may("virtual_gateway", "or vgw-… of one VPC in this region, for a private one"),
            REGION,
            KEY,
            NAME,
        ],
        results: INTERFACE_RESULTS,
        sends: &[
            DescribeVirtualInterfaces,
            ConfirmPrivateVirtualInterface,
            ConfirmTransitVirtualInterface,
            GetCallerIdentity,
            TagConnection,
            DeleteVirtualInterface,
        ],
        mutates: true,
        make: |arguments, subject| {
            Ok(Box::new(Object(Elsewhere::of(arguments, TheAllocated::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/dx-interface",
        summary: "A virtual interface on a line, private or transit: one VLAN with one BGP session",
        arguments: &[
            LINE,
            may("type", "private or transit; private when not given"),
            may("gateway", "id of the Direct Connect gateway"),
            may("virtual_gateway", "or vgw-… of one VPC in this region, for a private one"),
            must("vlan", "1 to 4094, unused on the line; it cannot be changed"),
            must("asn", "AS number of the customer's router"),
            may("mtu", "1500 or 8500; 1500 when not given"),
            may("amazon_ip", "with its /30 or /31, together with `customer_ip`; AWS chooses both when not given"),
            may("customer_ip", "the other one of the same range"),
            secret("md5", "the MD5 key of the session, as a secret; AWS makes one when not given"),
            REGION,
            KEY,
            NAME,
        ],
        results: INTERFACE_RESULTS,
        sends: &[
            DescribeVirtualInterfaces,
            CreatePrivateVirtualInterface,
            CreateTransitVirtualInterface,
            DeleteVirtualInterface,
        ],
        mutates: true,
        make: |arguments, subject| {
            Ok(Box::new(Object(Elsewhere::of(arguments, TheInterface::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/dx-bgp",
        summary: "The BGP sessions over a virtual interface are up, as AWS sees them; that it is available says less",
        arguments: &[INTERFACE, REGION],
        results: &[(
            "peers",
            "list of {id, customer, status, device}: dxpeer-…, the customer's address, up, and Amazon's router",
        )],
        sends: &[DescribeVirtualInterfaces],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Elsewhere::of(arguments, Bgp::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-apart",
        summary: "Two virtual interfaces end on two routers of Amazon's, so that their lines can fail one by one; whether in \
                  two buildings is told",
        arguments: &[must("first", "dxvif-… of one line"), must("second", "dxvif-… of the other"), REGION],
        results: &[
            ("routers", "list of the names of the two routers"),
            ("locations", "list of the codes of where they stand, in the same order"),
        ],
        sends: &[DescribeVirtualInterfaces],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Elsewhere::of(arguments, Apart::new(arguments, subject)?)?))),
    },
    Row {
        name: "aws/dx-router-configuration",
        summary: "AWS's configuration of the customer's router for a virtual interface, its key held back",
        arguments: &[
            INTERFACE,
            may("router", "AWS's identifier of the router type; AWS chooses when not given"),
            REGION,
        ],
        results: &[
            ("configuration", "the text, without the MD5 key"),
            ("vendor", "whose router it is for"),
            ("platform", "which one"),
        ],
        sends: &[DescribeVirtualInterfaces, DescribeRouterConfiguration],
        mutates: false,
        make: |arguments, subject| {
            Ok(Box::new(Check(Elsewhere::of(arguments, RouterConfiguration::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/dx-failover-test",
        summary: "AWS takes the BGP sessions of a virtual interface down for some minutes, to show that another way takes over; \
                  an undo ends one that is under way",
        arguments: &[INTERFACE, may("minutes", "1 to 180; 10 when not given"), REGION],
        results: &[("id", "id of the test"), ("from", "when the sessions went down"), ("to", "when they came back")],
        sends: &[DescribeVirtualInterfaces, ListVirtualInterfaceTestHistory, StartBgpFailoverTest, StopBgpFailoverTest],
        mutates: true,
        make: |arguments, subject| {
            Ok(Box::new(Object(Elsewhere::of(arguments, FailoverTest::new(arguments, subject)?)?)))
        },
    },
    Row {
        name: "aws/transit-gateway",
        summary: "A transit gateway: several VPCs and the ways to the data centre meet there",
        arguments: &[must("asn", "AS number of Amazon's side; it cannot be changed"), KEY, NAME],
        results: &[("id", "tgw-…")],
        sends: &[DescribeTransitGateways, DescribeTags, CreateTransitGateway, DeleteTransitGateway],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheTransitGateway::new(arguments, subject)?))),
    },
    Row {
        name: "aws/transit-attachment",
        summary: "A VPC is attached to a transit gateway; billed by the hour, and by the gigabyte",
        arguments: &[
            must("gateway", "tgw-…"),
            must("vpc", "id of the VPC"),
            must("subnets", "list of ids, one of each zone whose hosts use it"),
            KEY,
            NAME,
        ],
        results: &[("id", "tgw-attach-…")],
        sends: &[
            DescribeTransitGatewayVpcAttachments,
            DescribeTags,
            CreateTransitGatewayVpcAttachment,
            DeleteTransitGatewayVpcAttachment,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheAttachment::new(arguments, subject)?))),
    },
    Row {
        name: "aws/transit-routes",
        summary: "A route table of the VPC leads to ranges behind a transit gateway",
        arguments: &[must("table", "rtb-…"), must("gateway", "tgw-…"), must("to", "list of ranges")],
        results: &[],
        sends: &[DescribeRouteTables, DescribeTags, CreateRoute, DeleteRoute],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheRoutes::new(arguments, subject)?))),
    },
    Row {
        name: "aws/transit-vpn",
        summary: "How a VPN connection hangs at its transit gateway, and the table in which the gateway looks up where the packets \
                  of a VPC go",
        arguments: &[must("vpn", "vpn-…"), must("attachment", "tgw-attach-… of the VPC")],
        results: &[
            ("attachment", "tgw-attach-… of the connection"),
            ("table", "tgw-rtb-…, which the VPC's packets go by"),
        ],
        sends: &[DescribeTransitGatewayAttachments],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Place::new(arguments, subject)?))),
    },
    Row {
        name: "aws/transit-back",
        summary: "What comes into a transit gateway from a data centre finds its way to the VPC, by the table that counts for it",
        arguments: &[
            must("from", "list of what it comes by: vpn-…, or the id of a Direct Connect gateway"),
            must("through", "tgw-attach-… of the VPC"),
            must("to", "list of ranges of the VPC"),
        ],
        results: &[],
        sends: &[DescribeTransitGatewayAttachments, SearchTransitGatewayRoutes],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Back::new(arguments, subject)?))),
    },
    Row {
        name: "aws/transit-static-routes",
        summary: "A table of a transit gateway leads to ranges behind an attachment, such as a VPN without BGP",
        arguments: &[must("table", "tgw-rtb-…"), must("attachment", "tgw-attach-…"), must("to", "list of ranges")],
        results: &[],
        sends: &[SearchTransitGatewayRoutes, CreateTransitGatewayRoute, DeleteTransitGatewayRoute],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheStaticRoutes::new(arguments, subject)?))),
    },
];

//! The kinds of AWS that are about ways: to another VPC, what a router has to be told, and looks at where routes lead and whom
//! groups let in.

use super::super::aws_acl::AclLets;
use super::super::aws_outbound::TheRouteTable;
use super::super::aws_peering::{PeeringAccepted, ThePeering, TheRoute};
use super::super::aws_peering_names::PeeringNames;
use super::super::aws_vpn_device::Telemetry;
use super::super::aws_vpn_handout::Handout;
use super::super::aws_vpn_log::TheLog;
use super::super::aws_ways::{Admits, RouteTo};
use super::super::check::Check;
use super::super::object::Object;
use super::{EXISTING, KEY, NAME, Row, may, must};
use crate::aws::Operation::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "aws/vpn-handout",
        summary: "What the customer's network engineer has to set for a connection, made of what AWS says of it; no key is in it",
        arguments: &[
            must("vpn", "vpn-…"),
            must("address", "public address of the customer's device"),
            may("behind_nat", "true when that address is not its own; false when not given"),
            may("customer_asn", "AS number of the device; none with static routing"),
            may("amazon_asn", "AS number of the gateway"),
            must("ours", "ranges on AWS's side"),
            must("theirs", "ranges behind the device"),
            may(
                "doors",
                "list of what has to get through besides pings, such as TCP 587 from 10.40.0.0/16 to smtp.acme.example",
            ),
            may("target", "a host behind the device that answers pings"),
            may("device", "maker, model and software of the device"),
            may("sample", "the same of what AWS's sample is for"),
            may("backup", "true when it is the backup of a Direct Connect line"),
            may("second", "true when it ends at a second router, which stands by for the first"),
        ],
        results: &[
            ("sheet", "both tunnels value by value, for a person"),
            ("swanctl", "swanctl.conf, where the device is a strongSwan"),
            ("frr", "frr.conf beside it: BGP, or static routes"),
        ],
        sends: &[DescribeVpnConnections],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Handout::new(arguments, subject)?))),
    },
    Row {
        name: "aws/peering-connection",
        summary: "A VPC is asked to be joined with one of another account, which has to accept it within seven days",
        arguments: &[
            must("vpc", "id of the VPC of this account"),
            must("peer_vpc", "id of the other VPC"),
            must("peer_account", "twelve digits of the account that it is in"),
            may("peer_region", "its region; the same when not given"),
            KEY,
            NAME,
        ],
        results: &[("id", "pcx-…")],
        sends: &[DescribeVpcPeeringConnections, DescribeTags, CreateVpcPeeringConnection, DeleteVpcPeeringConnection],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(ThePeering::new(arguments, subject)?))),
    },
    Row {
        name: "aws/peering-accepted",
        summary: "The other side has accepted the peering, and it is active",
        arguments: &[
            must("peering", "id of the peering connection"),
            may("names", "true where its names must lead to private addresses here, too; false when not given"),
        ],
        results: &[("status", "active")],
        sends: &[DescribeVpcPeeringConnections],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(PeeringAccepted::new(arguments, subject)?))),
    },
    Row {
        name: "aws/peering-names",
        summary: "Names of this account's VPC lead whoever asks over a peering to private addresses; its undo ends that",
        arguments: &[must("peering", "id of the peering connection that this account asked for, accepted by now")],
        results: &[("names", "true")],
        sends: &[DescribeVpcPeeringConnections, ModifyVpcPeeringConnectionOptions],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(PeeringNames::new(arguments, subject)?))),
    },
    Row {
        name: "aws/route-table",
        summary: "A route table with its routes and subnets",
        arguments: &[
            must("vpc", "id of the VPC"),
            may("routes", "list of {to, gateway}, {to, nat} or {to, peering}"),
            may("subnets", "ids of the subnets that use it"),
            EXISTING,
            KEY,
            NAME,
        ],
        results: &[("id", "rtb-…")],
        sends: &[
            DescribeRouteTables,
            DescribeSubnets,
            DescribeTags,
            CreateRouteTable,
            CreateRoute,
            DeleteRoute,
            AssociateRouteTable,
            DisassociateRouteTable,
            DeleteRouteTable,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheRouteTable::new(arguments, subject)?))),
    },
    Row {
        name: "aws/route",
        summary: "One route in a route table that is there",
        arguments: &[
            must("table", "id of the table"),
            must("to", "the range"),
            may("gateway", "id of the gateway that it leads to"),
            may("nat", "or of a NAT gateway"),
            may("peering", "or of a peering connection"),
        ],
        results: &[],
        sends: &[DescribeRouteTables, CreateRoute, DeleteRoute],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheRoute::new(arguments, subject)?))),
    },
    Row {
        name: "aws/vpn-telemetry",
        summary: "What AWS says of a VPN connection and its tunnels, whatever it is",
        arguments: &[must("vpn", "id of the connection")],
        results: &[
            ("connection", "its state, such as available"),
            ("up", "how many tunnels are up"),
            ("down", "how many are down"),
            ("routes", "the fewest routes that a tunnel which is up has taken"),
            ("messages", "AWS's words on each tunnel, in one text"),
            ("static", "true where it has static routes, else false"),
            ("startup", "list, an entry for each tunnel: start where AWS begins, add where the customer's router does"),
        ],
        sends: &[DescribeVpnConnections],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Telemetry::new(arguments, subject)?))),
    },
    Row {
        name: "aws/vpn-log",
        summary: "What the tunnels of a VPN connection that are down (or all, where none is) wrote into their log in the last hour",
        arguments: &[
            must("vpn", "id of the connection"),
            may("group", "name of the log group; when not given, the one that the tunnels write into"),
        ],
        results: &[
            ("up", "how many tunnels are up"),
            ("down", "how many are down"),
            ("startup", "list, an entry for each tunnel: start where AWS begins, add where the customer's router does"),
            ("read", "false where there is no log, or none that may be read, else true"),
            ("group", "name of the log group"),
            (
                "cause",
                "why a tunnel does not come up: selectors, key, proposal, phase_two, rekey, silent (the router no longer answers), \
                 closed (by the router), unfinished, or nothing where it is not said",
            ),
            ("log", "the line that says so, with its time and tunnel, or what the log has instead"),
            (
                "session",
                "why BGP is down or takes no route: as_number, own_as, next_hop, prefixes, ceased, silent, no_tcp, or nothing",
            ),
            ("session_log", "the line that says so"),
        ],
        sends: &[DescribeVpnConnections, FilterLogEvents],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(TheLog::new(arguments, subject)?))),
    },
    Row {
        name: "aws/route-to",
        summary: "Every one of some route tables sends packets for an address to a certain gateway",
        arguments: &[
            must("tables", "list of ids of route tables"),
            must("to", "the address, or a range"),
            must("through", "id of the gateway, the peering connection, …"),
        ],
        results: &[],
        sends: &[DescribeRouteTables],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(RouteTo::new(arguments, subject)?))),
    },
    Row {
        name: "aws/admits",
        summary: "A security group lets all of these in, or out to all of these",
        arguments: &[
            must("group", "id of the group"),
            may("from", "who: ranges, addresses or ids of groups, one or a list"),
            may("to", "or where to: the same, or address:port"),
            may("port", "all ports when not given"),
            may("protocol", "tcp, udp or icmp; tcp when not given"),
        ],
        results: &[],
        sends: &[DescribeSecurityGroupRules],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Admits::new(arguments, subject)?))),
    },
    Row {
        name: "aws/acl-lets",
        summary: "The network ACL of a subnet lets through what is asked, and what is answered; it keeps no state",
        arguments: &[
            must("subnet", "its id, or an address in it"),
            may("vpc", "for an address: the VPC that it is in"),
            may("to", "where its hosts ask, one or a list: address:port, or an address or a range for pings"),
            may("from", "or who asks them: the same, the port being the one that is asked here"),
            may("port", "of all of these, where they name none"),
            may("protocol", "tcp or udp, at a port; tcp when not given"),
            may("nat", "true where a NAT gateway in the subnet asks for them, which takes answers at 1024 to 65535"),
        ],
        results: &[],
        sends: &[DescribeNetworkAcls, DescribeSubnets],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(AclLets::new(arguments, subject)?))),
    },
];

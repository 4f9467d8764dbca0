//! The kinds of names: Route 53 and its Resolver.

use super::super::aws_dns_answer::Answer;
use super::super::aws_records::TheRecords;
use super::super::aws_resolver::{TheEndpoint, TheRule};
use super::super::aws_resolver_vpc::{RuleAssociation, TheQueryLog};
use super::super::aws_zone::{TheHostedZone, ZoneAssociation};
use super::super::aws_zone_elsewhere::{AskedFrom, Authorization, AuthorizationEnded};
use super::super::check::Check;
use super::super::dns_handout::Handout;
use super::super::object::Object;
use super::{KEY, NAME, Row, may, must};
use crate::aws::Operation::*;

const ZONE: super::Argument = must("zone", "id of the zone, Z…");
pub(super) const RECORDS: super::Argument = may(
    "records",
    "list of {name, type, ttl, value}, rows of one name and type being one set, or of {name, type, ttl, values}: whole names; \
     type A when not given, or AAAA, CNAME, TXT, MX, SRV, PTR, NS, CAA",
);
pub(super) const HOSTS: super::Argument = may("hosts", "and map from name to address, of hosts below `domain`");
pub(super) const DEFAULT_TTL: super::Argument = may("ttl", "seconds, where a record says none; 300 when not given");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "aws/hosted-zone",
        summary: "A zone of names in Route 53: public, or private in a VPC; a public one of that name which onramp did not \
                  make is never joined by a second one, because nobody would ask that",
        arguments: &[
            must("name", "domain, such as mc.acme.example"),
            may("vpc", "id of the VPC in which it is asked, which makes it private"),
            may("region", "of that VPC"),
            may("comment", "for people"),
            KEY,
            NAME,
        ],
        results: &[
            ("id", "Z…"),
            ("name", "the domain, without the dot at its end"),
            (
                "name_servers",
                "list of the four that the parent's owner publishes as NS records; empty for a private zone",
            ),
        ],
        sends: &[
            ListHostedZonesByName,
            GetHostedZone,
            ZoneTags,
            ListResourceRecordSets,
            CreateHostedZone,
            GetChange,
            ChangeTagsForResource,
            AssociateVPCWithHostedZone,
            DeleteHostedZone,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheHostedZone::new(arguments, subject)?))),
    },
    Row {
        name: "aws/zone-association",
        summary: "A private zone is asked from one more VPC of the account, such as the one for disaster recovery",
        arguments: &[ZONE, must("vpc", "id of the VPC"), must("region", "of the VPC")],
        results: &[],
        sends: &[GetHostedZone, ZoneTags, AssociateVPCWithHostedZone, GetChange, DisassociateVPCFromHostedZone],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(ZoneAssociation::new(arguments, subject)?))),
    },
    Row {
        name: "aws/zone-authorization",
        summary: "The account of a VPC of somebody else's may associate it with a private zone, so that the zone is asked from there",
        arguments: &[ZONE, must("vpc", "id of the VPC"), must("region", "of the VPC")],
        results: &[],
        sends: &[
            ListVPCAssociationAuthorizations,
            CreateVPCAssociationAuthorization,
            DeleteVPCAssociationAuthorization,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(Authorization::new(arguments, subject)?))),
    },
    Row {
        name: "aws/zone-asked-from",
        summary: "A private zone is asked from a VPC, whoever associated it",
        arguments: &[ZONE, must("vpc", "id of the VPC"), must("region", "of the VPC")],
        results: &[],
        sends: &[GetHostedZone, ZoneTags],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(AskedFrom::new(arguments, subject)?))),
    },
    Row {
        name: "aws/zone-authorization-ended",
        summary: "Nobody may associate that VPC with the zone any more; where it is associated, it stays so",
        arguments: &[ZONE, must("vpc", "id of the VPC"), must("region", "of the VPC")],
        results: &[],
        sends: &[ListVPCAssociationAuthorizations, DeleteVPCAssociationAuthorization],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(AuthorizationEnded::new(arguments, subject)?))),
    },
    Row {
        name: "aws/dns-records",
        summary: "Records of a zone, all at once or none, up to 200 values at a time; one TXT record beside those notes what was \
                  there before, for the undo. \
                  Never the zone's own NS and SOA, an alias, or a record of another step",
        arguments: &[ZONE, RECORDS, HOSTS, may("domain", "what stands behind the hosts' names"), DEFAULT_TTL, KEY],
        results: &[("id", "name of the TXT record beside them"), ("names", "list of the names")],
        sends: &[GetHostedZone, ZoneTags, ListResourceRecordSets, ChangeResourceRecordSets, GetChange],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheRecords::new(arguments, subject)?))),
    },
    Row {
        name: "aws/dns-answer",
        summary: "What the name servers of a public zone answer, as Route 53 itself tells it",
        arguments: &[
            ZONE,
            may("name", "whole name that is asked for"),
            may("type", "A when not given, or AAAA, CNAME, TXT, MX, SRV, PTR, NS, CAA"),
            may("values", "list of what it must answer; anything when not given"),
            may("records", "or list of records, as aws/dns-records takes them, all of which it must answer"),
        ],
        results: &[("values", "list of what it answers"), ("server", "the name server that was asked last")],
        sends: &[TestDNSAnswer],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Answer::new(arguments, subject)?))),
    },
    Row {
        name: "aws/dns-handout",
        summary: "The records that the customer's own name servers are to have, in the form in which those take them",
        arguments: &[
            must("domain", "the zone"),
            RECORDS,
            HOSTS,
            DEFAULT_TTL,
            may("format", "bind, csv, powershell, nsupdate or infoblox-csv; bind when not given"),
        ],
        results: &[("text", "the records in that form"), ("records", "how many there are")],
        sends: &[],
        mutates: false,
        make: |arguments, subject| Ok(Box::new(Check(Handout::new(arguments, subject)?))),
    },
    Row {
        name: "aws/resolver-endpoint",
        summary: "Addresses at which the data centre asks the VPC's names (inbound), or from which the VPC asks the data \
                  centre's (outbound); billed for each address and hour",
        arguments: &[
            may("direction", "inbound or outbound; inbound when not given"),
            may("vpc", "id of its VPC, which is asked then whether AWS makes endpoints in it"),
            must("groups", "ids of security groups, which must let UDP and TCP 53 through"),
            may("subnets", "ids of 2 to 6 subnets of one VPC, in at least two zones; AWS chooses the addresses"),
            may("addresses", "or list of {subnet, ip}, for addresses that are agreed"),
            may("ips", "or list of agreed addresses, each in a subnet of `plan`"),
            may("plan", "with `ips`: list of {key, cidr, …}, as net.subnets has it"),
            may("ids", "with `ips`: map from key to id of the subnet"),
            KEY,
            NAME,
        ],
        results: &[
            ("id", "rslvr-in-… or rslvr-out-…"),
            ("addresses", "list of its addresses: what the data centre's forwarders are pointed at, when inbound"),
            ("vpc", "id of its VPC"),
        ],
        sends: &[
            DescribeVpcs,
            ListResolverEndpoints,
            ResolverTags,
            ListResolverEndpointIpAddresses,
            CreateResolverEndpoint,
            DeleteResolverEndpoint,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheEndpoint::new(arguments, subject)?))),
    },
    Row {
        name: "aws/resolver-rule",
        summary: "Names of a domain are asked of the data centre's servers, or (type system) of AWS although a wider rule \
                  forwards them; it holds in the VPCs that are associated with it",
        arguments: &[
            must("domain", "such as corp.acme.example, or . for everything"),
            may("type", "forward or system; forward when not given"),
            may("endpoint", "id of the outbound endpoint, for one that forwards"),
            may("targets", "list of 1 to 6 addresses, each with :port where it is not 53, for one that forwards"),
            KEY,
            NAME,
        ],
        results: &[("id", "rslvr-rr-…")],
        sends: &[ListResolverRules, ResolverTags, CreateResolverRule, DeleteResolverRule],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheRule::new(arguments, subject)?))),
    },
    Row {
        name: "aws/resolver-rule-association",
        summary: "A resolver rule holds in a VPC",
        arguments: &[must("rule", "id of the rule, rslvr-rr-…"), must("vpc", "id of the VPC")],
        results: &[],
        sends: &[ListResolverRuleAssociations, AssociateResolverRule, DisassociateResolverRule],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(RuleAssociation::new(arguments, subject)?))),
    },
    Row {
        name: "aws/resolver-query-log",
        summary: "What the hosts of VPCs ask is logged",
        arguments: &[
            must("destination", "ARN of a log group, a bucket or a delivery stream"),
            must("vpcs", "ids of the VPCs"),
            KEY,
            NAME,
        ],
        results: &[("id", "rqlc-…")],
        sends: &[
            ListResolverQueryLogConfigs,
            ListResolverQueryLogConfigAssociations,
            ResolverTags,
            CreateResolverQueryLogConfig,
            AssociateResolverQueryLogConfig,
            DisassociateResolverQueryLogConfig,
            DeleteResolverQueryLogConfig,
        ],
        mutates: true,
        make: |arguments, subject| Ok(Box::new(Object(TheQueryLog::new(arguments, subject)?))),
    },
];

//! Every call that changes something, with its class: none can be added without being thought about.

use std::collections::BTreeSet;

use super::super::call::vpn::{End, IPSEC, TunnelOptions, VpnOptions, VpnRequest};
use super::super::call::{
    Call, Ebs, Flag, Label, Launch, MetadataOptions, RootVolume, RouteTarget, Rule, Source, Token, VpcAttribute,
};
use crate::aws::{Effect, Operation, Service};
use crate::engagement::RepeatClass;

pub(super) fn one_of_each() -> Vec<Call> {
    let others = super::dns::one_of_each()
        .into_iter()
        .chain(super::mail::one_of_each())
        .chain(super::dx_calls::one_of_each())
        .chain(super::resources::one_of_each())
        .chain(super::backups::one_of_each())
        .chain(super::settings::one_of_each())
        .chain(super::vaults::one_of_each());
    of_ec2().into_iter().chain(others).collect()
}

fn of_ec2() -> Vec<Call> {
    let id = || "x-1".to_owned();
    let label = || Label { key: "a/b".to_owned(), name: "n".to_owned() };
    let rule = Rule {
        protocol: "tcp".to_owned(),
        from_port: 22,
        to_port: 22,
        source: Source::of_cidr("10.0.0.0/8"),
        description: String::new(),
    };
    let launch = Launch {
        image_id: id(),
        instance_type: "t3.micro".to_owned(),
        subnet_id: id(),
        security_group_ids: vec![id()],
        key_name: id(),
        min_count: 1,
        max_count: 1,
        metadata_options: MetadataOptions { http_tokens: "required" },
        block_device_mappings: [RootVolume {
            device_name: "/dev/sda1".to_owned(),
            ebs: Ebs { volume_size: 20, volume_type: "gp3", encrypted: true, delete_on_termination: true },
        }],
        user_data: None,
        disable_api_termination: false,
        client_token: Token,
        tag_specifications: label(),
    };
    let vpn = VpnRequest {
        r#type: IPSEC,
        customer_gateway_id: id(),
        ends_on: End::Vpc(id()),
        pre_shared_key_storage: None,
        options: VpnOptions {
            enable_acceleration: None,
            static_routes_only: true,
            local_ipv4_network_cidr: None,
            remote_ipv4_network_cidr: None,
            tunnel_bandwidth: None,
            tunnel_options: [TunnelOptions::default(), TunnelOptions::default()],
        },
        tag_specifications: label(),
    };
    vec![
        Call::CreateVpc { cidr_block: id(), tag_specifications: label() },
        Call::ModifyVpcAttribute { vpc_id: id(), attribute: VpcAttribute::EnableDnsSupport(Flag { value: true }) },
        Call::DeleteVpc { vpc_id: id() },
        Call::CreateSubnet { vpc_id: id(), cidr_block: id(), availability_zone: id(), tag_specifications: label() },
        Call::DeleteSubnet { subnet_id: id() },
        Call::CreateInternetGateway { tag_specifications: label() },
        Call::AttachInternetGateway { internet_gateway_id: id(), vpc_id: id() },
        Call::DetachInternetGateway { internet_gateway_id: id(), vpc_id: id() },
        Call::DeleteInternetGateway { internet_gateway_id: id() },
        Call::AllocateAddress { domain: "vpc", tag_specifications: label() },
        Call::ReleaseAddress { allocation_id: id() },
        Call::CreateNatGateway {
            subnet_id: id(),
            allocation_id: id(),
            client_token: Token,
            tag_specifications: label(),
        },
        Call::DeleteNatGateway { nat_gateway_id: id() },
        Call::CreateRouteTable { vpc_id: id(), client_token: Token, tag_specifications: label() },
        Call::CreateRoute { route_table_id: id(), destination_cidr_block: id(), target: RouteTarget::Gateway(id()) },
        Call::DeleteRoute { route_table_id: id(), destination_cidr_block: id() },
        Call::CreateVpcPeeringConnection {
            vpc_id: id(),
            peer_vpc_id: id(),
            peer_owner_id: id(),
            peer_region: None,
            tag_specifications: label(),
        },
        Call::DeleteVpcPeeringConnection { vpc_peering_connection_id: id() },
        Call::ModifyVpcPeeringConnectionOptions {
            vpc_peering_connection_id: id(),
            allow_dns_resolution_from_remote_vpc: true,
        },
        Call::AssociateRouteTable { route_table_id: id(), subnet_id: id() },
        Call::DisassociateRouteTable { association_id: id() },
        Call::DeleteRouteTable { route_table_id: id() },
        Call::CreateSecurityGroup { vpc_id: id(), group_name: id(), description: id(), tag_specifications: label() },
        Call::AuthorizeSecurityGroupIngress { group_id: id(), ip_permissions: rule, tag_specifications: label() },
        Call::RevokeSecurityGroupIngress { group_id: id(), security_group_rule_ids: vec![id()] },
        Call::DeleteSecurityGroup { group_id: id() },
        Call::ImportKeyPair { key_name: id(), public_key_material: id(), tag_specifications: label() },
        Call::DeleteKeyPair { key_name: id() },
        Call::RunInstances(Box::new(launch)),
        Call::TerminateInstances { instance_ids: [id()] },
        Call::ModifyInstanceAttribute { instance_id: id(), disable_api_termination: Flag { value: true } },
        Call::AssociateAddress { allocation_id: id(), instance_id: id(), allow_reassociation: false },
        Call::DisassociateAddress { association_id: id() },
        Call::CreateCustomerGateway {
            r#type: IPSEC,
            ip_address: id(),
            asn: 65_010.into(),
            device_name: None,
            tag_specifications: label(),
        },
        Call::DeleteCustomerGateway { customer_gateway_id: id() },
        Call::CreateVpnGateway { r#type: IPSEC, amazon_side_asn: 64_512, tag_specifications: label() },
        Call::AttachVpnGateway { vpn_gateway_id: id(), vpc_id: id() },
        Call::DetachVpnGateway { vpn_gateway_id: id(), vpc_id: id() },
        Call::DeleteVpnGateway { vpn_gateway_id: id() },
        Call::EnableVgwRoutePropagation { gateway_id: id(), route_table_id: id() },
        Call::DisableVgwRoutePropagation { gateway_id: id(), route_table_id: id() },
        Call::CreateVpnConnection(Box::new(vpn)),
        Call::DeleteVpnConnection { vpn_connection_id: id() },
        Call::CreateVpnConnectionRoute { vpn_connection_id: id(), destination_cidr_block: id() },
        Call::DeleteVpnConnectionRoute { vpn_connection_id: id(), destination_cidr_block: id() },
        Call::CreateDhcpOptions { dhcp_configurations: Vec::new(), former: id(), tag_specifications: label() },
        Call::AssociateDhcpOptions { dhcp_options_id: id(), vpc_id: id() },
        Call::DeleteDhcpOptions { dhcp_options_id: id() },
        Call::RequestServiceQuotaIncrease { service_code: id(), quota_code: id(), desired_value: 8.0 },
    ]
}

/// Every operation that a step sends as a call and that changes something, with its class.
pub fn every_operation() -> Vec<(String, RepeatClass)> {
    one_of_each().iter().map(|call| (call.operation().name().to_owned(), call.class())).collect()
}

#[test]
fn every_change_of_the_table_is_a_call_and_every_call_is_shown_as_what_it_is() {
    let calls = one_of_each();
    // Those of Secrets Manager are sent elsewhere: a secret's text is in them.
    let known = |operation: &&Operation| operation.row().service != Service::SecretsManager && operation.changes();
    let known: BTreeSet<Operation> = Operation::ALL.iter().filter(known).copied().collect();
    assert_eq!(calls.iter().map(Call::operation).collect::<BTreeSet<_>>(), known);
    assert_eq!(calls.len(), known.len());
    for call in calls {
        assert_eq!(call.change().operation, call.operation().name());
    }
}

/// Methods that look like operations of an SDK and are none.
const NO_OPERATIONS: [&str; 18] = [
    "change_info",
    "copy_job_id",
    "set_identifier",
    "accept_forms",
    "delete_credential",
    "enable_acceleration",
    "enable_all",
    "get_password",
    "get_mut",
    "get_ref",
    "put_away",
    "request_token",
    "restore_job_id",
    "restore_window",
    "tag_list",
    "start_ready",
    "start_time",
    "test_id",
];

/// The clients' calls have no argument: `.create_vpc()`. Those of EC2 are sent under their row, or do not compile; this
/// finds what is sent past the table, whatever service it is of.
#[test]
fn every_call_in_the_code_stands_in_the_table_and_every_row_is_called() {
    let called: BTreeSet<String> = sources().iter().flat_map(|code| calls_in(code)).collect();
    let listed: BTreeSet<String> = Operation::ALL.iter().map(|one| snake(one.name())).collect();
    let unlisted: Vec<&String> =
        called.difference(&listed).filter(|name| !NO_OPERATIONS.contains(&name.as_str())).collect();
    assert!(unlisted.is_empty(), "these operations have no row in aws/operations.rs: {unlisted:?}");
    let dead: Vec<&String> = listed.difference(&called).collect();
    assert!(dead.is_empty(), "nothing sends these operations: {dead:?}");
}

#[test]
fn the_scan_finds_an_operation_however_it_is_written() {
    let code = "at.ec2()\n    .describe_vpn_gateways()\n .x(); client.put_metric_alarm().name(a.alarm_name());";
    assert_eq!(calls_in(code), ["describe_vpn_gateways", "put_metric_alarm"]);
    assert_eq!(snake("CreateVpcEndpoint"), "create_vpc_endpoint");
    assert_eq!(snake("ListAWSDefaultServiceQuotas"), "list_aws_default_service_quotas");
    assert_eq!(snake("AssociateVPCWithHostedZone"), "associate_vpc_with_hosted_zone");
    assert_eq!(snake("TestDNSAnswer"), "test_dns_answer");
}

/// What ships of the rooms that can name an SDK.
fn sources() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut todo: Vec<_> = ["aws", "action", "engine", "cli"].iter().map(|room| root.join(room)).collect();
    let mut found = Vec::new();
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with("tests") => {}
                true => todo.push(path),
                false => found.push(std::fs::read_to_string(path).unwrap()),
            }
        }
    }
    found
}

fn calls_in(code: &str) -> Vec<String> {
    const VERBS: &[&str] = &[
        "accept",
        "add",
        "allocate",
        "assign",
        "associate",
        "assume",
        "attach",
        "authorize",
        "cancel",
        "change",
        "confirm",
        "copy",
        "create",
        "decode",
        "delete",
        "deregister",
        "describe",
        "detach",
        "disable",
        "disassociate",
        "enable",
        "filter",
        "get",
        "head",
        "import",
        "list",
        "modify",
        "put",
        "reboot",
        "register",
        "reject",
        "release",
        "remove",
        "replace",
        "request",
        "reset",
        "restore",
        "revoke",
        "run",
        "search",
        "send",
        "set",
        "simulate",
        "start",
        "stop",
        "tag",
        "terminate",
        "test",
        "unassign",
        "untag",
        "update",
    ];
    let name = |rest: &str| rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap().to_owned();
    let methods = code.split('.').skip(1).filter(|rest| rest[name(rest).len()..].starts_with("()"));
    let operations = methods
        .map(name)
        .filter(|name| name.split_once('_').is_some_and(|(verb, rest)| VERBS.contains(&verb) && !rest.is_empty()));
    operations.collect()
}

/// As the SDK names the method of an operation.
fn snake(operation: &str) -> String {
    let letters: Vec<char> = operation.chars().collect();
    let mut out = String::new();
    for (n, &c) in letters.iter().enumerate() {
        let upper = |at: usize| letters.get(at).is_some_and(char::is_ascii_uppercase);
        // `ByVPC` is `by_vpc`, `VPCWith` is `vpc_with`.
        if n > 0 && upper(n) && (!upper(n - 1) || letters.get(n + 1).is_some_and(char::is_ascii_lowercase)) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[test]
fn the_deadline_of_an_intent_counts_with_the_limit_of_a_call() {
    assert!(crate::aws::OPERATION <= crate::engagement::CALL_WITHIN);
}

#[test]
fn every_call_has_a_class_and_no_token_is_left_to_the_sdk() {
    let all = every_operation();
    assert_eq!(all.iter().map(|(operation, _)| operation).collect::<BTreeSet<_>>().len(), all.len());
    for call in one_of_each() {
        let (operation, shown) = (call.operation().name(), call.change().arguments);
        let has = |name: &str| match name {
            "ClientToken" => ["ClientToken", "CallerReference", "CreatorRequestId", "IdempotencyToken"]
                .iter()
                .any(|name| shown.get(name).is_some()),
            // A zone is tagged by a second call; its reference says meanwhile whose it is.
            // Those of an interface stand with the rest of it.
            _ => ["TagSpecifications", "Tags", "CallerReference"].iter().any(|name| {
                shown.get(name).is_some() || shown.as_object().unwrap().values().any(|one| one.get(name).is_some())
            }),
        };
        match call.class() {
            RepeatClass::Token => {
                let makes = call.operation().row().effect == Effect::Makes;
                assert!(has("ClientToken") && (!makes || has("TagSpecifications")), "{operation}");
            }
            RepeatClass::Tag => assert!(!has("ClientToken") && has("TagSpecifications"), "{operation}"),
            RepeatClass::Natural => assert!(!has("ClientToken"), "{operation}"),
            RepeatClass::Person => assert!(!has("ClientToken"), "{operation}"),
        }
    }
}

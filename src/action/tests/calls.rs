//! Every call that changes something in EC2, with its class: none can be added without being thought about.

use std::collections::BTreeSet;

use super::super::ec2_call::{
    Ebs, Ec2Call, Flag, Label, Launch, MetadataOptions, RootVolume, RouteTarget, Rule, Source, Token, VpcAttribute,
};
use crate::engagement::RepeatClass;

/// Where it stands in `one_of_each`. Without a rest: a new call does not compile before it has a place.
fn place(call: &Ec2Call) -> usize {
    match call {
        Ec2Call::CreateVpc { .. } => 0,
        Ec2Call::ModifyVpcAttribute { .. } => 1,
        Ec2Call::DeleteVpc { .. } => 2,
        Ec2Call::CreateSubnet { .. } => 3,
        Ec2Call::DeleteSubnet { .. } => 4,
        Ec2Call::CreateInternetGateway { .. } => 5,
        Ec2Call::AttachInternetGateway { .. } => 6,
        Ec2Call::DetachInternetGateway { .. } => 7,
        Ec2Call::DeleteInternetGateway { .. } => 8,
        Ec2Call::AllocateAddress { .. } => 9,
        Ec2Call::ReleaseAddress { .. } => 10,
        Ec2Call::CreateNatGateway { .. } => 11,
        Ec2Call::DeleteNatGateway { .. } => 12,
        Ec2Call::CreateRouteTable { .. } => 13,
        Ec2Call::CreateRoute { .. } => 14,
        Ec2Call::AssociateRouteTable { .. } => 15,
        Ec2Call::DisassociateRouteTable { .. } => 16,
        Ec2Call::DeleteRouteTable { .. } => 17,
        Ec2Call::CreateSecurityGroup { .. } => 18,
        Ec2Call::AuthorizeSecurityGroupIngress { .. } => 19,
        Ec2Call::RevokeSecurityGroupIngress { .. } => 20,
        Ec2Call::DeleteSecurityGroup { .. } => 21,
        Ec2Call::ImportKeyPair { .. } => 22,
        Ec2Call::DeleteKeyPair { .. } => 23,
        Ec2Call::RunInstances(_) => 24,
        Ec2Call::TerminateInstances { .. } => 25,
        Ec2Call::AssociateAddress { .. } => 26,
        Ec2Call::DisassociateAddress { .. } => 27,
    }
}

fn one_of_each() -> Vec<Ec2Call> {
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
        client_token: Token,
        tag_specifications: label(),
    };
    vec![
        Ec2Call::CreateVpc { cidr_block: id(), tag_specifications: label() },
        Ec2Call::ModifyVpcAttribute { vpc_id: id(), attribute: VpcAttribute::EnableDnsSupport(Flag { value: true }) },
        Ec2Call::DeleteVpc { vpc_id: id() },
        Ec2Call::CreateSubnet { vpc_id: id(), cidr_block: id(), availability_zone: id(), tag_specifications: label() },
        Ec2Call::DeleteSubnet { subnet_id: id() },
        Ec2Call::CreateInternetGateway { tag_specifications: label() },
        Ec2Call::AttachInternetGateway { internet_gateway_id: id(), vpc_id: id() },
        Ec2Call::DetachInternetGateway { internet_gateway_id: id(), vpc_id: id() },
        Ec2Call::DeleteInternetGateway { internet_gateway_id: id() },
        Ec2Call::AllocateAddress { domain: "vpc", tag_specifications: label() },
        Ec2Call::ReleaseAddress { allocation_id: id() },
        Ec2Call::CreateNatGateway {
            subnet_id: id(),
            allocation_id: id(),
            client_token: Token,
            tag_specifications: label(),
        },
        Ec2Call::DeleteNatGateway { nat_gateway_id: id() },
        Ec2Call::CreateRouteTable { vpc_id: id(), client_token: Token, tag_specifications: label() },
        Ec2Call::CreateRoute { route_table_id: id(), destination_cidr_block: id(), target: RouteTarget::Gateway(id()) },
        Ec2Call::AssociateRouteTable { route_table_id: id(), subnet_id: id() },
        Ec2Call::DisassociateRouteTable { association_id: id() },
        Ec2Call::DeleteRouteTable { route_table_id: id() },
        Ec2Call::CreateSecurityGroup { vpc_id: id(), group_name: id(), description: id(), tag_specifications: label() },
        Ec2Call::AuthorizeSecurityGroupIngress { group_id: id(), ip_permissions: rule, tag_specifications: label() },
        Ec2Call::RevokeSecurityGroupIngress { group_id: id(), security_group_rule_ids: vec![id()] },
        Ec2Call::DeleteSecurityGroup { group_id: id() },
        Ec2Call::ImportKeyPair { key_name: id(), public_key_material: id(), tag_specifications: label() },
        Ec2Call::DeleteKeyPair { key_name: id() },
        Ec2Call::RunInstances(Box::new(launch)),
        Ec2Call::TerminateInstances { instance_ids: [id()] },
        Ec2Call::AssociateAddress { allocation_id: id(), instance_id: id(), allow_reassociation: false },
        Ec2Call::DisassociateAddress { association_id: id() },
    ]
}

/// Every operation that changes something, with its class.
pub fn every_operation() -> Vec<(String, RepeatClass)> {
    let calls = one_of_each();
    let places: Vec<usize> = calls.iter().map(place).collect();
    assert_eq!(places, (0..28).collect::<Vec<_>>(), "each has its place, and none is left out");
    calls.iter().map(|call| (call.operation(), call.class())).collect()
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
        let (operation, shown) = (call.operation(), call.change().arguments);
        let has = |name: &str| shown.get(name).is_some();
        assert!(crate::aws::mutates(&operation), "{operation}");
        match call.class() {
            RepeatClass::Token => assert!(has("ClientToken") && has("TagSpecifications"), "{operation}"),
            RepeatClass::Tag => assert!(!has("ClientToken") && has("TagSpecifications"), "{operation}"),
            RepeatClass::Natural => assert!(!has("ClientToken"), "{operation}"),
            RepeatClass::Person => panic!("{operation}: nobody is asked for it yet"),
        }
    }
}

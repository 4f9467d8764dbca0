//! Security groups, keys, images, instances, addresses on instances.

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{
    InstanceNetworkInterfaceSpecification, IpPermission, IpRange, Ipv6Range, ResourceType,
    SecurityGroupRuleDescription, UserIdGroupPair,
};

use super::*;

pub(super) fn tcp(port: i32) -> aws_sdk_ec2::types::builders::IpPermissionBuilder {
    IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port)
}

pub(super) fn from_net(port: i32, cidr: &str) -> IpPermission {
    tcp(port).ip_ranges(IpRange::builder().cidr_ip(cidr).description("onramp:operator").build()).build()
}

pub(super) fn from_group(port: i32, group: &str) -> IpPermission {
    tcp(port).user_id_group_pairs(UserIdGroupPair::builder().group_id(group).build()).build()
}

#[tokio::test]
async fn groups_and_rules() {
    let ec2 = ec2();
    let (one, two) = (vpc(&ec2, "10.40.0.0/16").await, vpc(&ec2, "10.41.0.0/16").await);
    let (sg, foreign) = (group(&ec2, &one, "bastion").await, group(&ec2, &two, "bastion").await);
    let target = group(&ec2, &one, "target").await;
    let create = || ec2.create_security_group().vpc_id(&one);
    let allow = || ec2.authorize_security_group_ingress().group_id(&sg);
    let revoke = || ec2.revoke_security_group_ingress().group_id(&sg);
    let worded = IpRange::builder().cidr_ip("10.0.0.0/8").description("naïve").build();
    rows! {
        create().group_name("bastion").description("b") => "InvalidGroup.Duplicate",
        create().group_name("sg-bastion").description("b") => "InvalidParameterValue",
        create().group_name("default").description("b") => "InvalidParameterValue",
        create().group_name("ok").description("für") => "InvalidParameterValue",
        create().group_name("ok") => "MissingParameter",
        allow().ip_permissions(from_net(22022, "198.51.100.16/29")) => "ok",
        allow().ip_permissions(from_net(22022, "198.51.100.18/29")) => "InvalidPermission.Duplicate",
        allow().ip_permissions(from_net(22022, "198.51.100.300/29")) => "InvalidParameterValue",
        allow().ip_permissions(from_net(70000, "198.51.100.16/29")) => "InvalidParameterValue",
        allow().ip_permissions(tcp(22).build()) => "InvalidRequest",
        allow().ip_permissions(tcp(22).ip_ranges(worded).build()) => "InvalidParameterValue",
        allow().ip_permissions(from_group(22, "sg-0a1b2c3d")) => "InvalidGroup.NotFound",
        allow().ip_permissions(from_group(22, &foreign)) => "InvalidGroup.NotFound",
        allow() => "MissingParameter",
        revoke().ip_permissions(from_net(22, "198.51.100.16/29")) => "InvalidPermission.NotFound",
        revoke().security_group_rule_ids("sgr-0a1b2c3d") => "InvalidSecurityGroupRuleId.NotFound",
        ec2.authorize_security_group_ingress().group_id(&target).ip_permissions(from_group(22, &sg)) => "ok",
        ec2.delete_security_group().group_id(&sg) => "DependencyViolation",
        ec2.describe_security_groups().group_ids("sg-0a1b2c3d") => "InvalidGroup.NotFound",
        ec2.describe_security_groups().group_ids("bastion") => "InvalidGroupId.Malformed",
        ec2.describe_security_group_rules().filters(filter("description", "x")) => "InvalidParameterValue",
    }
    let rules = ec2.describe_security_group_rules().filters(filter("group-id", &sg)).send().await.unwrap();
    let rules: Vec<_> = rules.security_group_rules().iter().filter(|rule| rule.is_egress() == Some(false)).collect();
    assert_eq!((rules.len(), rules[0].cidr_ipv4(), rules[0].from_port()), (1, Some("198.51.100.16/29"), Some(22022)));
    assert_eq!(rules[0].description(), Some("onramp:operator"));
    let shown = ec2.describe_security_groups().group_ids(&target).send().await.unwrap();
    assert_eq!(shown.security_groups()[0].ip_permissions()[0].user_id_group_pairs()[0].group_id(), Some(sg.as_str()));
    let id = rules[0].security_group_rule_id().unwrap();
    let again = SecurityGroupRuleDescription::builder().security_group_rule_id(id).description("onramp:new").build();
    let again =
        ec2.update_security_group_rule_descriptions_ingress().group_id(&sg).security_group_rule_descriptions(again);
    again.send().await.unwrap();
    let renamed = ec2.describe_security_group_rules().security_group_rule_ids(id).send().await.unwrap();
    assert_eq!(renamed.security_group_rules()[0].description(), Some("onramp:new"));
    rows! {
        revoke().security_group_rule_ids(id) => "ok",
        ec2.authorize_security_group_egress().group_id(&sg).ip_permissions(from_net(443, "0.0.0.0/0")) => "ok",
        ec2.revoke_security_group_egress().group_id(&sg).ip_permissions(IpPermission::builder().ip_protocol("-1")
            .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build()) => "ok",
    }
}

#[tokio::test]
async fn sixty_rules_and_rule_tags() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let sg = group(&ec2, &vpc, "many").await;
    let own = tags(ResourceType::SecurityGroupRule, &[("onramp:key", "rule/x")]);
    let fifty_nine =
        (1..60).fold(tcp(22), |tcp, n| tcp.ip_ranges(IpRange::builder().cidr_ip(format!("10.0.{n}.0/24")).build()));
    let made =
        ec2.authorize_security_group_ingress().group_id(&sg).ip_permissions(fifty_nine.build()).send().await.unwrap();
    assert_eq!(made.security_group_rules().len(), 59);
    let one = ec2.authorize_security_group_ingress().group_id(&sg).tag_specifications(own);
    let six = Ipv6Range::builder().cidr_ipv6("2001:db8::/32").build();
    rows! {
        one.ip_permissions(from_net(443, "10.0.0.0/8")) => "ok",
        ec2.authorize_security_group_ingress().group_id(&sg).ip_permissions(from_net(444, "10.0.0.0/8")) => "RulesPerSecurityGroupLimitExceeded",
        ec2.authorize_security_group_ingress().group_id(&sg).ip_permissions(tcp(445).ipv6_ranges(six).build()) => "ok",
    }
    let tagged = ec2.describe_security_group_rules().filters(filter("tag:onramp:key", "rule/x")).send().await.unwrap();
    assert_eq!(tagged.security_group_rules()[0].to_port(), Some(443));
}

#[tokio::test]
async fn key_pairs() {
    let ec2 = ec2();
    let import = |name: &str, text: &str| ec2.import_key_pair().key_name(name).public_key_material(Blob::new(text));
    rows! {
        import("k", KEY).tag_specifications(tags(ResourceType::KeyPair, &[("onramp:key", "k")])) => "ok",
        import("k", KEY) => "InvalidKeyPair.Duplicate",
        import("l", "not a key") => "InvalidKey.Format",
        import("l", "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg= x") => "InvalidKey.Format",
        ec2.describe_key_pairs().key_names("nobody") => "InvalidKeyPair.NotFound",
        ec2.delete_key_pair().key_name("nobody") => "ok",
    }
    let shown = ec2.describe_key_pairs().key_names("k").include_public_key(true).send().await.unwrap();
    let pair = &shown.key_pairs()[0];
    assert_eq!(pair.public_key(), Some(KEY.replace("ada@example", "k").as_str()));
    assert_eq!(pair.tags()[0].value(), Some("k"));
    let expected =
        russh::keys::PublicKey::from_openssh(KEY).unwrap().fingerprint(russh::keys::HashAlg::Sha256).to_string();
    assert_eq!(pair.key_fingerprint().map(|text| format!("SHA256:{text}")), Some(expected));
    let hidden = ec2.describe_key_pairs().filters(filter("key-name", "k")).send().await.unwrap();
    assert_eq!(hidden.key_pairs()[0].public_key(), None);
    rows! { ec2.delete_key_pair().key_name("k") => "ok", ec2.describe_key_pairs().key_names("k") => "InvalidKeyPair.NotFound", }
}

#[tokio::test]
async fn images_are_found_by_owner_and_name() {
    let ec2 = ec2();
    for (owner, name, newest) in [
        ("099720109477", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*", "server-20260712"),
        ("099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*", "server-20260714"),
        ("309956199498", "RHEL-9.*_HVM-*-x86_64-*-Hourly2-GP3", "RHEL-9.7.0_HVM-20260609-x86_64-0-Hourly2-GP3"),
    ] {
        let all =
            ec2.describe_images().owners(owner).filters(filter("name", name)).filters(filter("state", "available"));
        let all = all.send().await.unwrap();
        assert!(all.images().len() > 1, "{name}");
        let last = all.images().iter().max_by_key(|image| image.creation_date().unwrap()).unwrap();
        assert!(last.name().unwrap().ends_with(newest), "{last:?}");
        assert_eq!((last.owner_id(), last.root_device_name()), (Some(owner), Some("/dev/sda1")));
    }
    assert!(ec2.describe_images().owners("self").send().await.unwrap().images().is_empty());
    rows! {
        ec2.describe_images().image_ids("ami-0a1b2c3d4e5f67890") => "InvalidAMIID.NotFound",
        ec2.describe_images().image_ids("ubuntu") => "InvalidAMIID.Malformed",
        ec2.describe_images().owners("canonical") => "InvalidUserID.Malformed",
    }
}

struct Place {
    ec2: aws_sdk_ec2::Client,
    subnet: String,
    foreign: String,
    image: String,
}

impl Place {
    async fn new() -> Self {
        let ec2 = ec2();
        let vpc_one = vpc(&ec2, "10.40.0.0/16").await;
        let vpc_two = vpc(&ec2, "10.41.0.0/16").await;
        let subnet = subnet(&ec2, &vpc_one, "10.40.0.0/28").await;
        let foreign = group(&ec2, &vpc_two, "foreign").await;
        let image = image(&ec2).await;
        Self { ec2, subnet, foreign, image }
    }

    fn run(&self) -> RunInstancesFluentBuilder {
        let run = self.ec2.run_instances().image_id(&self.image).instance_type("t3.micro".into());
        run.min_count(1).max_count(1)
    }
}

#[tokio::test]
async fn instances_are_refused_as_aws_refuses_them() {
    let place = Place::new().await;
    let run = || place.run().subnet_id(&place.subnet);
    let card = InstanceNetworkInterfaceSpecification::builder().device_index(0).subnet_id(&place.subnet).build();
    rows! {
        run().image_id("ami-0a1b2c3d4e5f67890") => "InvalidAMIID.NotFound",
        run().image_id("ubuntu") => "InvalidAMIID.Malformed",
        run().instance_type("t9.huge".into()) => "InvalidParameterValue",
        run().instance_type("t4g.micro".into()) => "InvalidParameterValue",
        place.run().subnet_id("subnet-0a1b2c3d") => "InvalidSubnetID.NotFound",
        run().security_group_ids("sg-0a1b2c3d") => "InvalidGroup.NotFound",
        run().security_group_ids(&place.foreign) => "InvalidParameter",
        run().key_name("nobody") => "InvalidKeyPair.NotFound",
        run().private_ip_address("10.40.0.3") => "InvalidParameterValue",
        run().private_ip_address("10.40.0.99") => "InvalidParameterValue",
        run().network_interfaces(card.clone()) => "InvalidParameterCombination",
        run().user_data("not base64!") => "InvalidParameterValue",
        run().min_count(12).max_count(12) => "InsufficientFreeAddressesInSubnet",
        run().min_count(2).max_count(1) => "InvalidParameterValue",
        run().tag_specifications(tags(ResourceType::Vpc, &[("a", "b")])) => "InvalidParameterValue",
        run().client_token("t".repeat(65)) => "InvalidParameterValue",
        run().dry_run(true) => "DryRunOperation",
        place.ec2.get_console_output().instance_id("i-0a1b2c3d") => "InvalidInstanceID.NotFound",
        place.ec2.describe_instances().instance_ids("i-zz") => "InvalidInstanceID.Malformed",
        place.ec2.terminate_instances().instance_ids("i-0a1b2c3d") => "InvalidInstanceID.NotFound",
        place.run().network_interfaces(card) => "ok",
        run().private_ip_address("10.40.0.4") => "InvalidIPAddress.InUse",
        place.run() => "ok",
    }
}

/// The newest image of the Marketplace with such a name.
async fn sold(ec2: &aws_sdk_ec2::Client, name: &str) -> (String, String) {
    let all = ec2.describe_images().owners("aws-marketplace").filters(filter("name", name)).send().await.unwrap();
    let newest = all.images().iter().max_by_key(|image| image.creation_date()).unwrap();
    assert_eq!(newest.image_owner_alias(), Some("aws-marketplace"));
    assert_eq!(newest.product_codes().len(), 1, "{newest:?}");
    (newest.image_id().unwrap().to_owned(), newest.name().unwrap().to_owned())
}

#[tokio::test]
async fn an_image_of_the_marketplace_is_launched_when_its_terms_are_accepted() {
    let cloud = Cloud::new(ACCOUNT, REGION, Pace::Stopped, Faults::none());
    let ec2 = client(&cloud);
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet(&ec2, &vpc, "10.40.0.0/24").await;
    let (image, name) = sold(&ec2, "CIS Red Hat Enterprise Linux 9*Level 2*").await;
    let disk = |gib| {
        let ebs = aws_sdk_ec2::types::EbsBlockDevice::builder().volume_size(gib).build();
        aws_sdk_ec2::types::BlockDeviceMapping::builder().device_name("/dev/sda1").ebs(ebs).build()
    };
    let run = |gib| {
        let run = ec2.run_instances().image_id(&image).instance_type("t3.micro".into()).subnet_id(&subnet);
        run.min_count(1).max_count(1).block_device_mappings(disk(gib))
    };
    rows! {
        run(40).dry_run(true) => "OptInRequired",
        run(40) => "OptInRequired",
    }
    cloud.customer_buys(&format!("Please accept the terms of \"{name}\".")).await;
    rows! { run(40).dry_run(true) => "OptInRequired", }
    cloud.advance(std::time::Duration::from_secs(60));
    rows! {
        run(20).dry_run(true) => "InvalidBlockDeviceMapping",
        run(20) => "InvalidBlockDeviceMapping",
        run(40).dry_run(true) => "DryRunOperation",
        run(40) => "ok",
    }
    let (image, _) = sold(&ec2, "CIS Red Hat Enterprise Linux 9*Level 1*").await;
    rows! { run(40).image_id(&image) => "OptInRequired", }
}

#[tokio::test]
async fn an_instance_is_described_whole() {
    let place = Place::new().await;
    let ec2 = &place.ec2;
    ec2.import_key_pair().key_name("k").public_key_material(Blob::new(KEY)).send().await.unwrap();
    let own = |kind| tags(kind, &[("Name", "bastion")]);
    let made = place.run().subnet_id(&place.subnet).key_name("k").disable_api_termination(true).client_token("t1");
    let kinds = [ResourceType::Instance, ResourceType::Volume, ResourceType::NetworkInterface];
    let made = made.set_tag_specifications(Some(kinds.into_iter().map(own).collect())).send().await.unwrap();
    let shown = &made.instances()[0];
    assert_eq!(shown.state().unwrap().name().unwrap().as_str(), "pending");
    assert_eq!(shown.private_ip_address(), Some("10.40.0.4"));
    let id = shown.instance_id().unwrap();
    let by = ec2
        .describe_instances()
        .filters(filter("tag:Name", "bastion"))
        .filters(filter("instance-state-name", "running"));
    let by = by.send().await.unwrap();
    let seen = by.reservations()[0].instances()[0].clone();
    assert_eq!((seen.instance_id(), seen.key_name(), seen.client_token()), (Some(id), Some("k"), Some("t1")));
    assert_eq!(seen.network_interfaces()[0].subnet_id(), Some(place.subnet.as_str()));
    assert_eq!(seen.security_groups()[0].group_name(), Some("default"));
    let volume = seen.block_device_mappings()[0].ebs().unwrap().volume_id().unwrap().to_string();
    let tagged = ec2.describe_tags().filters(filter("resource-id", &volume)).send().await.unwrap();
    assert_eq!(tagged.tags()[0].resource_type().unwrap().as_str(), "volume");
    let off = aws_sdk_ec2::types::AttributeBooleanValue::builder().value(false).build();
    let protection = aws_sdk_ec2::types::InstanceAttributeName::DisableApiTermination;
    let asked = ec2.describe_instance_attribute().instance_id(id).attribute(protection).send().await.unwrap();
    assert_eq!(asked.disable_api_termination().and_then(|protection| protection.value()), Some(true));
    rows! {
        ec2.terminate_instances().instance_ids(id) => "OperationNotPermitted",
        ec2.modify_instance_attribute().instance_id(id).disable_api_termination(off) => "ok",
        ec2.delete_subnet().subnet_id(&place.subnet) => "DependencyViolation",
        ec2.terminate_instances().instance_ids(id) => "ok",
        ec2.delete_subnet().subnet_id(&place.subnet) => "ok",
    }
    let gone = ec2.describe_instances().instance_ids(id).send().await.unwrap();
    let gone = &gone.reservations()[0].instances()[0];
    assert_eq!(gone.state().unwrap().name().unwrap().as_str(), "terminated");
    assert_eq!(gone.private_ip_address(), None);
}

#[tokio::test]
async fn elastic_addresses_and_instances() {
    let place = Place::new().await;
    let ec2 = &place.ec2;
    let two = place.run().subnet_id(&place.subnet).min_count(2).max_count(2).send().await.unwrap();
    let ids: Vec<&str> = two.instances().iter().filter_map(|instance| instance.instance_id()).collect();
    let eip = address(ec2).await;
    let associate = |id: &str| ec2.associate_address().allocation_id(&eip).instance_id(id);
    rows! { associate(ids[0]) => "Gateway.NotAttached", }
    let subnet = ec2.describe_subnets().subnet_ids(&place.subnet).send().await.unwrap();
    gateway(ec2, subnet.subnets()[0].vpc_id().unwrap()).await;
    let first = associate(ids[0]).send().await.unwrap().association_id().unwrap().to_string();
    rows! {
        associate("i-0a1b2c3d") => "InvalidInstanceID.NotFound",
        ec2.associate_address().allocation_id("eipalloc-0a1b2c3d").instance_id(ids[0]) => "InvalidAllocationID.NotFound",
        associate(ids[1]).allow_reassociation(false) => "Resource.AlreadyAssociated",
        ec2.release_address().allocation_id(&eip) => "InvalidIPAddress.InUse",
    }
    assert_eq!(
        associate(ids[0]).allow_reassociation(false).send().await.unwrap().association_id(),
        Some(first.as_str())
    );
    let shown = ec2.describe_addresses().filters(filter("instance-id", ids[0])).send().await.unwrap();
    assert_eq!(shown.addresses()[0].private_ip_address(), Some("10.40.0.4"));
    assert_ne!(associate(ids[1]).send().await.unwrap().association_id(), Some(first.as_str()));
    let moved = ec2.describe_instances().instance_ids(ids[1]).send().await.unwrap();
    assert_eq!(moved.reservations()[0].instances()[0].public_ip_address(), Some("203.0.113.50"));
    ec2.terminate_instances().instance_ids(ids[1]).send().await.unwrap();
    rows! { ec2.release_address().allocation_id(&eip) => "ok", }
}

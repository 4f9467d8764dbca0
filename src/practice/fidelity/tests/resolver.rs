//! Route 53 Resolver.

use aws_sdk_route53resolver::types::{
    IpAddressRequest, ResolverEndpointDirection as Direction, RuleTypeOption, TargetAddress,
};
use aws_sdk_route53resolver::{Client as Resolver, Config as ResolverConfig};

use super::*;

fn resolver(cloud: &Cloud) -> Resolver {
    let config = ResolverConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(REGION))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    Resolver::from_conf(config.build())
}

pub(super) struct Site {
    pub(super) cloud: Cloud,
    pub(super) resolver: Resolver,
    pub(super) vpc: String,
    pub(super) a: String,
    pub(super) b: String,
    pub(super) group: String,
}

pub(super) async fn site(pace: Pace) -> Site {
    let cloud = cloud(pace);
    let ec2 = client(&cloud);
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let a = subnet_in(&ec2, &vpc, "10.40.0.0/24", "eu-west-1a").await;
    let b = subnet_in(&ec2, &vpc, "10.40.1.0/24", "eu-west-1b").await;
    let group = group(&ec2, &vpc, "resolver").await;
    Site { resolver: resolver(&cloud), cloud, vpc, a, b, group }
}

fn at(subnet: &str, ip: Option<&str>) -> IpAddressRequest {
    IpAddressRequest::builder().subnet_id(subnet).set_ip(ip.map(str::to_owned)).build().unwrap()
}

impl Site {
    pub(super) fn endpoint(
        &self,
        reference: &str,
        direction: Direction,
        addresses: &[(&str, Option<&str>)],
    ) -> aws_sdk_route53resolver::operation::create_resolver_endpoint::builders::CreateResolverEndpointFluentBuilder
    {
        let addresses = addresses.iter().map(|(subnet, ip)| at(subnet, *ip)).collect();
        let request = self.resolver.create_resolver_endpoint().creator_request_id(reference).direction(direction);
        request.security_group_ids(&self.group).set_ip_addresses(Some(addresses)).name("resolver")
    }

    pub(super) async fn outbound(&self) -> String {
        let request = self.endpoint("out", Direction::Outbound, &[(&self.a, None), (&self.b, None)]);
        request.send().await.unwrap().resolver_endpoint.unwrap().id.unwrap()
    }

    pub(super) fn rule(
        &self,
        reference: &str,
        domain: &str,
        endpoint: &str,
    ) -> aws_sdk_route53resolver::operation::create_resolver_rule::builders::CreateResolverRuleFluentBuilder {
        let target = TargetAddress::builder().ip("192.168.1.10").build();
        let request = self.resolver.create_resolver_rule().creator_request_id(reference).domain_name(domain);
        request.rule_type(RuleTypeOption::Forward).resolver_endpoint_id(endpoint).target_ips(target)
    }
}

#[tokio::test]
async fn an_endpoint_has_free_addresses_in_two_zones_of_one_vpc_and_is_made_once() {
    let site = site(Pace::Instant).await;
    let ec2 = client(&site.cloud);
    let (a, b) = (site.a.as_str(), site.b.as_str());
    let other_vpc = vpc(&ec2, "10.41.0.0/16").await;
    let elsewhere = subnet_in(&ec2, &other_vpc, "10.41.0.0/24", "eu-west-1c").await;
    let more = subnet_in(&ec2, &site.vpc, "10.40.2.0/24", "eu-west-1a").await;
    let inbound =
        |reference: &str, addresses: &[(&str, Option<&str>)]| site.endpoint(reference, Direction::Inbound, addresses);
    rows! {
        inbound("x", &[(a, None)]) => "InvalidRequestException",
        inbound("x", &[(a, None), (&more, None)]) => "InvalidRequestException",
        inbound("x", &[(a, None), (&elsewhere, None)]) => "InvalidRequestException",
        inbound("x", &[(a, None), ("subnet-0123456789abcdef0", None)]) => "InvalidRequestException",
        inbound("x", &[(a, Some("10.40.1.9")), (b, None)]) => "InvalidRequestException",
        inbound("x", &[(a, None), (b, None)]).name("no/slashes") => "InvalidParameterException",
        inbound("in", &[(a, Some("10.40.0.53")), (b, None)]) => "ok",
        inbound("in", &[(a, None), (b, None)]) => "ResourceExistsException",
        inbound("y", &[(a, Some("10.40.0.53")), (b, None)]) => "InvalidRequestException",
    }
    let listed = site.resolver.list_resolver_endpoints().send().await.unwrap();
    let endpoint = &listed.resolver_endpoints()[0];
    assert_eq!((listed.resolver_endpoints().len(), endpoint.host_vpc_id()), (1, Some(&*site.vpc)));
    let addresses = site.resolver.list_resolver_endpoint_ip_addresses().resolver_endpoint_id(endpoint.id().unwrap());
    let addresses = addresses.send().await.unwrap();
    let addresses: Vec<_> = addresses.ip_addresses().iter().filter_map(|one| one.ip()).collect();
    assert_eq!(addresses, ["10.40.0.53", "10.40.1.4"]);
    // Its addresses are taken in the subnets.
    rows! { ec2.delete_subnet().subnet_id(a) => "DependencyViolation", }
    for n in 0..3 {
        rows! { inbound(&format!("more{n}"), &[(a, None), (b, None)]) => "ok", }
    }
    rows! { inbound("fifth", &[(a, None), (b, None)]) => "LimitExceededException", }
}

#[tokio::test]
async fn a_rule_needs_a_way_out_and_is_kept_where_it_holds() {
    let site = site(Pace::Instant).await;
    let out = site.outbound().await;
    let inbound = site.endpoint("in", Direction::Inbound, &[(&site.a, None), (&site.b, None)]);
    let inbound = inbound.send().await.unwrap().resolver_endpoint.unwrap().id.unwrap();
    rows! {
        site.rule("x", "corp.example", &inbound) => "InvalidRequestException",
        site.rule("x", "corp.example", "rslvr-out-0123456789abcdef0") => "ResourceNotFoundException",
        site.resolver.create_resolver_rule().creator_request_id("x").domain_name("corp.example").rule_type(RuleTypeOption::Forward) => "InvalidRequestException",
        site.resolver.create_resolver_rule().creator_request_id("s").domain_name("amazonaws.com").rule_type(RuleTypeOption::System) => "ok",
        site.rule("one", "corp.example", &out) => "ok",
        site.rule("one", "corp.example", &out) => "ResourceExistsException",
        site.rule("two", "corp.example.", &out) => "ok",
    }
    let listed = site.resolver.list_resolver_rules().send().await.unwrap();
    let of = |reference: &str| {
        let mut rules = listed.resolver_rules().iter();
        rules.find(|rule| rule.creator_request_id() == Some(reference)).and_then(|rule| rule.id()).unwrap()
    };
    let enter = |rule: &str, vpc: &str| site.resolver.associate_resolver_rule().resolver_rule_id(rule).vpc_id(vpc);
    let leave = |rule: &str, vpc: &str| site.resolver.disassociate_resolver_rule().resolver_rule_id(rule).vpc_id(vpc);
    rows! {
        enter(of("one"), "vpc-0123456789abcdef0") => "ResourceNotFoundException",
        enter(of("one"), &site.vpc) => "ok",
        enter(of("one"), &site.vpc) => "ResourceExistsException",
        enter(of("two"), &site.vpc) => "ResourceExistsException",
        site.resolver.delete_resolver_rule().resolver_rule_id(of("one")) => "ResourceInUseException",
        site.resolver.delete_resolver_endpoint().resolver_endpoint_id(&out) => "InvalidRequestException",
        leave(of("one"), &site.vpc) => "ok",
        leave(of("one"), &site.vpc) => "ResourceNotFoundException",
        site.resolver.delete_resolver_rule().resolver_rule_id(of("one")) => "ok",
        site.resolver.delete_resolver_rule().resolver_rule_id(of("two")) => "ok",
        site.resolver.delete_resolver_endpoint().resolver_endpoint_id(&out) => "ok",
        site.resolver.delete_resolver_endpoint().resolver_endpoint_id(&out) => "ResourceNotFoundException",
    }
}

#[tokio::test]
async fn what_the_resolver_makes_takes_its_time() {
    let site = site(Pace::Stopped).await;
    let out = site.outbound().await;
    let status = || async {
        let seen = site.resolver.get_resolver_endpoint().resolver_endpoint_id(&out).send().await;
        seen.map(|seen| seen.resolver_endpoint.unwrap().status.unwrap().as_str().to_owned()).unwrap_or_default()
    };
    assert_eq!(status().await, "CREATING");
    site.cloud.advance(std::time::Duration::from_secs(3));
    assert_eq!(status().await, "OPERATIONAL");
    rows! { site.resolver.delete_resolver_endpoint().resolver_endpoint_id(&out) => "ok", }
    assert_eq!(status().await, "DELETING");
    site.cloud.advance(std::time::Duration::from_secs(2));
    assert_eq!(status().await, "");
}

#[tokio::test]
async fn a_query_log_leaves_its_vpcs_before_it_goes() {
    let site = site(Pace::Instant).await;
    let make = |destination: &str| {
        site.resolver
            .create_resolver_query_log_config()
            .name("names")
            .creator_request_id("one")
            .destination_arn(destination)
    };
    rows! { make("arn:aws:sns:eu-west-1:210987654321:topic") => "InvalidParameterException", }
    let made = make("arn:aws:s3:::names").send().await.unwrap();
    let id = made.resolver_query_log_config.unwrap().id.unwrap();
    let enter =
        || site.resolver.associate_resolver_query_log_config().resolver_query_log_config_id(&id).resource_id(&site.vpc);
    let leave = || {
        site.resolver.disassociate_resolver_query_log_config().resolver_query_log_config_id(&id).resource_id(&site.vpc)
    };
    rows! {
        make("arn:aws:s3:::names") => "ResourceExistsException",
        enter() => "ok",
        enter() => "ResourceExistsException",
        site.resolver.delete_resolver_query_log_config().resolver_query_log_config_id(&id) => "InvalidRequestException",
        leave() => "ok",
        site.resolver.delete_resolver_query_log_config().resolver_query_log_config_id(&id) => "ok",
        leave() => "ResourceNotFoundException",
    }
}

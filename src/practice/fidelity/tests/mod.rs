//! AWS's behaviour as tables of calls and codes, driven through the real SDK.

mod backup;
mod backups;
mod control;
mod faults;
mod hosts;
mod lines;
mod logins;
mod mail;
mod names;
mod naming;
mod network;
mod quotas;
mod resolver;
mod settings;
mod time;
mod vpn;
mod whole;

use std::fmt::Debug;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

use crate::practice::cloud::{Cloud, Pace};
use crate::practice::fault::Faults;

const ACCOUNT: &str = "210987654321";
const REGION: &str = "eu-west-1";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmYfF7XQ2YxkR3MjVvK0mZ7dYw1cS0pKd2f8k0lVt5c ada@example";

fn cloud(pace: Pace) -> Cloud {
    Cloud::new(ACCOUNT, REGION, pace, Faults::none())
}

fn client_in(cloud: &Cloud, region: &'static str) -> Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(region))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

fn client(cloud: &Cloud) -> Client {
    client_in(cloud, REGION)
}

/// A quiet account that answers at once.
fn ec2() -> Client {
    client(&cloud(Pace::Instant))
}

/// The code of a refusal, `ok`, or what went wrong on the way.
fn code<O: Debug, E: ProvideErrorMetadata + Debug>(result: Result<O, SdkError<E>>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(SdkError::ServiceError(error)) => error.err().code().unwrap_or("no code").to_string(),
        Err(SdkError::DispatchFailure(_)) => "dispatch failure".into(),
        Err(other) => format!("{other:?}"),
    }
}

/// Rows of `call => code`.
macro_rules! rows {
    ($($call:expr => $code:expr,)*) => {$(
        assert_eq!($crate::practice::fidelity::tests::code($call.send().await), $code, "{}", stringify!($call));
    )*};
}
use rows;

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

fn tags(kind: ResourceType, pairs: &[(&str, &str)]) -> TagSpecification {
    let tags = pairs.iter().map(|(key, value)| tag(key, value)).collect();
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

async fn vpc(ec2: &Client, cidr: &str) -> String {
    let made = ec2.create_vpc().cidr_block(cidr).send().await.unwrap();
    made.vpc().and_then(|vpc| vpc.vpc_id()).unwrap().to_string()
}

async fn subnet(ec2: &Client, vpc: &str, cidr: &str) -> String {
    subnet_in(ec2, vpc, cidr, "eu-west-1a").await
}

async fn subnet_in(ec2: &Client, vpc: &str, cidr: &str, zone: &str) -> String {
    let made = ec2.create_subnet().vpc_id(vpc).cidr_block(cidr).availability_zone(zone).send().await.unwrap();
    made.subnet().and_then(|subnet| subnet.subnet_id()).unwrap().to_string()
}

async fn gateway(ec2: &Client, vpc: &str) -> String {
    let made = ec2.create_internet_gateway().send().await.unwrap();
    let id = made.internet_gateway().and_then(|g| g.internet_gateway_id()).unwrap().to_string();
    ec2.attach_internet_gateway().internet_gateway_id(&id).vpc_id(vpc).send().await.unwrap();
    id
}

async fn table(ec2: &Client, vpc: &str) -> String {
    let made = ec2.create_route_table().vpc_id(vpc).send().await.unwrap();
    made.route_table().and_then(|table| table.route_table_id()).unwrap().to_string()
}

async fn address(ec2: &Client) -> String {
    ec2.allocate_address().send().await.unwrap().allocation_id().unwrap().to_string()
}

async fn group(ec2: &Client, vpc: &str, name: &str) -> String {
    let made = ec2.create_security_group().vpc_id(vpc).group_name(name).description(name).send().await.unwrap();
    made.group_id().unwrap().to_string()
}

/// The newest Ubuntu 24.04 for x86_64, found as the program finds it.
async fn image(ec2: &Client) -> String {
    let name = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*";
    let all = ec2.describe_images().owners("099720109477").filters(filter("name", name)).send().await.unwrap();
    let newest = all.images().iter().max_by_key(|image| image.creation_date().unwrap().to_string());
    newest.unwrap().image_id().unwrap().to_string()
}

//! What takes time, and what client tokens promise.

use std::time::Duration;

use super::*;

async fn states(ec2: &Client, nat: &str, instance: &str) -> [String; 3] {
    let nats = ec2.describe_nat_gateways().nat_gateway_ids(nat).send().await.unwrap();
    let instances = ec2.describe_instances().instance_ids(instance).send().await.unwrap();
    let checks =
        ec2.describe_instance_status().instance_ids(instance).include_all_instances(true).send().await.unwrap();
    [
        nats.nat_gateways()[0].state().unwrap().to_string(),
        instances.reservations()[0].instances()[0].state().unwrap().name().unwrap().to_string(),
        checks.instance_statuses()[0].instance_status().unwrap().status().unwrap().to_string(),
    ]
}

#[tokio::test]
async fn pending_before_available_and_deleting_before_deleted() {
    let cloud = cloud(Pace::Stopped);
    let ec2 = client(&cloud);
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet(&ec2, &vpc, "10.40.0.0/24").await;
    gateway(&ec2, &vpc).await;
    let (eip, other) = (address(&ec2).await, address(&ec2).await);
    let nat = ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&eip).send().await.unwrap();
    let nat = nat.nat_gateway().unwrap().nat_gateway_id().unwrap();
    let run = ec2.run_instances().image_id(image(&ec2).await).instance_type("t3.micro".into()).subnet_id(&subnet);
    let run = run.min_count(1).max_count(1).send().await.unwrap();
    let instance = run.instances()[0].instance_id().unwrap();
    cloud.set_console_output(instance, "hello");
    assert_eq!(states(&ec2, nat, instance).await, ["pending", "pending", "initializing"]);
    rows! { ec2.associate_address().allocation_id(&other).instance_id(instance) => "IncorrectInstanceState", }
    assert_eq!(ec2.get_console_output().instance_id(instance).send().await.unwrap().output(), None);
    assert!(ec2.describe_instance_status().instance_ids(instance).send().await.unwrap().instance_statuses().is_empty());
    cloud.advance(Duration::from_millis(1600));
    assert_eq!(states(&ec2, nat, instance).await, ["pending", "running", "initializing"]);
    rows! { ec2.associate_address().allocation_id(&other).instance_id(instance) => "ok", }
    assert_eq!(ec2.get_console_output().instance_id(instance).send().await.unwrap().output(), Some("aGVsbG8="));
    cloud.advance(Duration::from_secs(4));
    assert_eq!(states(&ec2, nat, instance).await, ["available", "running", "ok"]);
    ec2.delete_nat_gateway().nat_gateway_id(nat).send().await.unwrap();
    ec2.terminate_instances().instance_ids(instance).send().await.unwrap();
    assert_eq!(states(&ec2, nat, instance).await, ["deleting", "shutting-down", "not-applicable"]);
    rows! { ec2.release_address().allocation_id(&eip) => "InvalidIPAddress.InUse", }
    cloud.advance(Duration::from_secs(4));
    assert_eq!(states(&ec2, nat, instance).await, ["deleted", "terminated", "not-applicable"]);
    rows! { ec2.release_address().allocation_id(&eip) => "ok", ec2.delete_subnet().subnet_id(&subnet) => "ok", }
    cloud.advance(Duration::from_secs(3700));
    rows! {
        ec2.describe_nat_gateways().nat_gateway_ids(nat) => "NatGatewayNotFound",
        ec2.describe_instances().instance_ids(instance) => "InvalidInstanceID.NotFound",
    }
}

#[tokio::test]
async fn a_token_makes_one_object() {
    let ec2 = ec2();
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet(&ec2, &vpc, "10.40.0.0/24").await;
    gateway(&ec2, &vpc).await;
    let (eip, image) = (address(&ec2).await, image(&ec2).await);
    let table = || ec2.create_route_table().vpc_id(&vpc).client_token("t");
    let nat = || ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&eip).client_token("t");
    let run = || ec2.run_instances().image_id(&image).subnet_id(&subnet).min_count(1).max_count(1).client_token("t");
    let micro = || run().instance_type("t3.micro".into());
    let id = |table: aws_sdk_ec2::operation::create_route_table::CreateRouteTableOutput| {
        table.route_table().unwrap().route_table_id().unwrap().to_string()
    };
    assert_eq!(id(table().send().await.unwrap()), id(table().send().await.unwrap()));
    let first = nat().send().await.unwrap().nat_gateway().unwrap().nat_gateway_id().unwrap().to_string();
    assert_eq!(nat().send().await.unwrap().nat_gateway().unwrap().nat_gateway_id(), Some(first.as_str()));
    let one = micro().send().await.unwrap().instances()[0].instance_id().unwrap().to_string();
    assert_eq!(micro().send().await.unwrap().instances()[0].instance_id(), Some(one.as_str()));
    assert_eq!(ec2.describe_instances().send().await.unwrap().reservations().len(), 1);
    assert_eq!(ec2.describe_nat_gateways().send().await.unwrap().nat_gateways().len(), 1);
    rows! {
        run().instance_type("t3.small".into()) => "IdempotentParameterMismatch",
        nat().connectivity_type("private".into()) => "IdempotentParameterMismatch",
        table().tag_specifications(tags(ResourceType::RouteTable, &[("a", "b")])) => "IdempotentParameterMismatch",
        micro().dry_run(true) => "DryRunOperation",
        ec2.terminate_instances().instance_ids(&one) => "ok",
        micro() => "IdempotentInstanceTerminated",
        micro().client_token("t2") => "ok",
    }
}

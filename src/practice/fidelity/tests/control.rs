//! Cloud Control.

use aws_sdk_cloudcontrol::types::{HandlerErrorCode, Operation, OperationStatus, ResourceRequestStatusFilter};
use aws_sdk_cloudcontrol::{Client, Config};

use super::*;

const GROUP: &str = "AWS::Logs::LogGroup";
const BUCKET: &str = "AWS::S3::Bucket";

fn control(cloud: &Cloud) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(cloud.http_client())
        .credentials_provider(cloud.credentials())
        .region(Region::new(REGION))
        .timeout_config(TimeoutConfig::disabled())
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

/// How a request ended: its identifier, or the handler's code.
async fn ended(control: &Client, token: &str) -> Result<String, HandlerErrorCode> {
    let seen = control.get_resource_request_status().request_token(token).send().await.unwrap();
    let event = seen.progress_event().unwrap();
    match event.operation_status().unwrap() {
        OperationStatus::Success => Ok(event.identifier().unwrap().to_owned()),
        OperationStatus::Failed => Err(event.error_code().unwrap().clone()),
        other => panic!("{other:?}"),
    }
}

async fn created(control: &Client, kind: &str, state: &str) -> Result<String, HandlerErrorCode> {
    let made = control.create_resource().type_name(kind).desired_state(state).send().await.unwrap();
    let event = made.progress_event().unwrap();
    assert_eq!(event.operation_status(), Some(&OperationStatus::InProgress), "AWS never says at once how it ended");
    ended(control, event.request_token().unwrap()).await
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_at_once() {
    let control = control(&cloud(Pace::Instant));
    let create = |kind: &str, state: &str| control.create_resource().type_name(kind).desired_state(state);
    rows! {
        create("AWS::No::Thing", "{}") => "TypeNotFoundException",
        create(GROUP, "LogGroupName: one") => "ValidationException",
        create(GROUP, r#"{"Name": "one"}"#) => "ValidationException",
        create(GROUP, r#"{"LogGroupName": "one", "Arn": "arn"}"#) => "ValidationException",
        create(GROUP, r#"{"LogGroupName": "one", "RetentionInDays": "7"}"#) => "ValidationException",
        create("AWS::SNS::Subscription", r#"{"Protocol": "email"}"#) => "ValidationException",
        create(GROUP, "{}").client_token("with blanks") => "ValidationException",
        control.get_resource().type_name(GROUP).identifier("one") => "ResourceNotFoundException",
        control.update_resource().type_name(GROUP).identifier("one").patch_document("[]") => "ResourceNotFoundException",
        control.get_resource_request_status().request_token("none") => "RequestTokenNotFoundException",
    }
}

#[tokio::test]
async fn what_a_handler_refuses_is_said_at_the_end() {
    use HandlerErrorCode::{AlreadyExists, InvalidRequest, NotFound, NotUpdatable, ResourceConflict};
    let cloud = cloud(Pace::Instant);
    let control = control(&cloud);
    let one = r#"{"BucketName": "acme-archive", "AccessControl": "Private"}"#;
    assert_eq!(created(&control, BUCKET, one).await, Ok("acme-archive".to_owned()));
    assert_eq!(created(&control, BUCKET, one).await, Err(AlreadyExists));
    assert_eq!(created(&control, BUCKET, r#"{"BucketName": "Acme_Archive"}"#).await, Err(InvalidRequest));
    let early = r#"{"BucketName": "abc", "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Transitions":
        [{"StorageClass": "GLACIER", "TransitionInDays": 90}, {"StorageClass": "DEEP_ARCHIVE", "TransitionInDays": 30}]}]}}"#;
    assert_eq!(created(&control, BUCKET, early).await, Err(InvalidRequest));
    let nobody = r#"{"TopicArn": "arn:aws:sns:eu-west-1:210987654321:none", "Protocol": "email"}"#;
    assert_eq!(created(&control, "AWS::SNS::Subscription", nobody).await, Err(NotFound));
    let seen = control.get_resource().type_name(BUCKET).identifier("acme-archive").send().await.unwrap();
    let shown = seen.resource_description().unwrap().properties().unwrap().to_owned();
    assert!(
        shown.contains("AES256") && !shown.contains("AccessControl"),
        "what can only be written is not shown: {shown}"
    );
    let patch =
        |patch: &str| control.update_resource().type_name(BUCKET).identifier("acme-archive").patch_document(patch);
    for (document, wanted) in [
        (r#"[{"op": "replace", "path": "/BucketName", "value": "other"}]"#, Err(NotUpdatable)),
        (
            r#"[{"op": "add", "path": "/VersioningConfiguration", "value": {"Status": "Enabled"}}]"#,
            Ok("acme-archive".to_owned()),
        ),
    ] {
        let asked = patch(document).send().await.unwrap();
        assert_eq!(ended(&control, asked.progress_event().unwrap().request_token().unwrap()).await, wanted);
    }
    rows! {
        patch(r#"[{"op": "replace", "path": "/WebsiteConfiguration", "value": {}}]"#) => "ValidationException",
    }
    let delete = async || {
        let asked = control.delete_resource().type_name(BUCKET).identifier("acme-archive").send().await.unwrap();
        ended(&control, asked.progress_event().unwrap().request_token().unwrap()).await
    };
    cloud.set_bucket("acme-archive", true).await;
    assert_eq!(delete().await, Err(ResourceConflict));
    cloud.set_bucket("acme-archive", false).await;
    assert_eq!(delete().await, Ok("acme-archive".to_owned()));
    assert_eq!(delete().await, Err(NotFound));
}

#[tokio::test]
async fn the_same_request_under_its_token_is_the_same_request_for_a_day_and_a_half() {
    let cloud = cloud(Pace::Stopped);
    let control = control(&cloud);
    let create = |name: &str| {
        let state = format!(r#"{{"Description": "{name}"}}"#);
        control.create_resource().type_name("AWS::KMS::Key").desired_state(state).client_token("one")
    };
    let request = async |name: &str| {
        let answer = create(name).send().await.unwrap();
        answer.progress_event().unwrap().request_token().unwrap().to_owned()
    };
    let first = request("a").await;
    assert_eq!(request("a").await, first);
    rows! { create("b") => "ClientTokenConflictException", }
    let hours = |hours: u64| std::time::Duration::from_secs(hours * 3600);
    cloud.advance(hours(35));
    assert_eq!(request("a").await, first);
    cloud.advance(hours(2));
    assert_ne!(request("a").await, first, "it counts as a new request");
}

#[tokio::test]
async fn a_request_takes_its_time_and_its_resource_takes_one_at_a_time() {
    let cloud = cloud(Pace::Stopped);
    let control = control(&cloud);
    let state = r#"{"LogGroupName": "/a"}"#;
    control.create_resource().type_name(GROUP).desired_state(state).send().await.unwrap();
    rows! {
        control.get_resource().type_name(GROUP).identifier("/a") => "ResourceNotFoundException",
        control.delete_resource().type_name(GROUP).identifier("/a") => "ConcurrentOperationException",
        control.create_resource().type_name(GROUP).desired_state(state) => "ConcurrentOperationException",
    }
    let filter = |status: OperationStatus| {
        ResourceRequestStatusFilter::builder().operations(Operation::Create).operation_statuses(status).build()
    };
    let going = async |status: OperationStatus| {
        let listed =
            control.list_resource_requests().resource_request_status_filter(filter(status)).send().await.unwrap();
        listed.resource_request_status_summaries().len()
    };
    assert_eq!((going(OperationStatus::InProgress).await, going(OperationStatus::Success).await), (1, 0));
    cloud.advance(std::time::Duration::from_secs(5));
    assert_eq!((going(OperationStatus::InProgress).await, going(OperationStatus::Success).await), (0, 1));
    rows! { control.get_resource().type_name(GROUP).identifier("/a") => "ok", }
}

#[tokio::test]
async fn what_stands_on_something_else_needs_it_and_holds_it() {
    use HandlerErrorCode::{InvalidRequest, NotFound, ResourceConflict};
    let control = control(&cloud(Pace::Instant));
    let made = async |kind: &str, state: &str| created(&control, kind, state).await;
    let gone = async |kind: &str, id: &str| {
        let asked = control.delete_resource().type_name(kind).identifier(id).send().await.unwrap();
        ended(&control, asked.progress_event().unwrap().request_token().unwrap()).await
    };
    let policy = r#"{"Bucket": "nobody's", "PolicyDocument": {}}"#;
    assert_eq!(made("AWS::S3::BucketPolicy", policy).await, Err(NotFound));
    let replica = r#"{"PrimaryKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/mrk-1", "KeyPolicy": {}}"#;
    assert_eq!(made("AWS::KMS::ReplicaKey", replica).await, Err(InvalidRequest), "of this region");
    let hyphen =
        r#"{"RestoreTestingPlanName": "a-b", "ScheduleExpression": "cron(0 5 1 * ? *)", "RecoveryPointSelection": {}}"#;
    let (plan, selection) = ("AWS::Backup::RestoreTestingPlan", "AWS::Backup::RestoreTestingSelection");
    assert_eq!(made(plan, hyphen).await, Err(InvalidRequest));
    let tested = r#"{"RestoreTestingPlanName": "a_b", "RestoreTestingSelectionName": "c", "ProtectedResourceType": "RDS", "IamRoleArn": "r"}"#;
    assert_eq!(made(selection, tested).await, Err(NotFound));
    assert_eq!(made(plan, &hyphen.replace('-', "_")).await, Ok("a_b".to_owned()));
    assert_eq!(made(selection, tested).await, Ok("a_b|c".to_owned()));
    assert_eq!(gone(plan, "a_b").await, Err(InvalidRequest));
    assert_eq!(gone(selection, "a_b|c").await, Ok("a_b|c".to_owned()));
    assert_eq!(gone(plan, "a_b").await, Ok("a_b".to_owned()));
    let alarm = r#"{"AlarmName": "cpu", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}"#;
    let both = r#"{"AlarmName": "both", "AlarmRule": "ALARM(\"cpu\") AND NOT ALARM(disk)"}"#;
    made("AWS::CloudWatch::Alarm", alarm).await.unwrap();
    assert_eq!(made("AWS::CloudWatch::CompositeAlarm", both).await, Err(InvalidRequest), "there is no disk");
    made("AWS::CloudWatch::Alarm", &alarm.replace("cpu", "disk")).await.unwrap();
    made("AWS::CloudWatch::CompositeAlarm", both).await.unwrap();
    assert_eq!(gone("AWS::CloudWatch::Alarm", "disk").await, Err(InvalidRequest));
    let flows = r#"{"ResourceType": "VPC", "ResourceId": "vpc-0"}"#;
    assert_eq!(made("AWS::EC2::FlowLog", flows).await, Err(NotFound));
    assert_eq!(made("AWS::EC2::VPCEndpoint", r#"{"VpcId": "vpc-0"}"#).await, Err(NotFound));
    let filter = r#"{"LogGroupName": "/none", "FilterName": "a", "FilterPattern": "", "DestinationArn": "d"}"#;
    assert_eq!(made("AWS::Logs::SubscriptionFilter", filter).await, Err(NotFound));
    let parameters = r#"{"DBParameterGroupName": "slow", "Family": "mysql8.0", "Description": "d"}"#;
    made("AWS::RDS::DBParameterGroup", parameters).await.unwrap();
    let database = r#"{"DBInstanceIdentifier": "a", "Engine": "mysql", "DBInstanceClass": "db.t4g.small",
        "AllocatedStorage": "20", "DBParameterGroupName": "slow"}"#;
    made("AWS::RDS::DBInstance", database).await.unwrap();
    assert_eq!(gone("AWS::RDS::DBParameterGroup", "slow").await, Err(ResourceConflict));
}

#[tokio::test]
async fn a_listener_is_listed_by_its_balancer_and_needs_targets_that_stay() {
    use HandlerErrorCode::{InvalidRequest, NotFound, ResourceConflict};
    let cloud = cloud(Pace::Instant);
    let control = control(&cloud);
    let subnets = default_subnets(&cloud).await;
    let (targets, balancer, listener) = (
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::Listener",
    );
    let state = |subnets: &[String]| serde_json::json!({ "Name": "front", "Subnets": subnets }).to_string();
    assert_eq!(created(&control, balancer, &state(&subnets[..1])).await, Err(InvalidRequest), "one zone");
    let front = created(&control, balancer, &state(&subnets[..2])).await.unwrap();
    let nodes = created(&control, targets, r#"{"Name": "nodes"}"#).await.unwrap();
    let state = |group: &str| {
        let action = serde_json::json!({ "Type": "forward", "TargetGroupArn": group });
        serde_json::json!({ "LoadBalancerArn": front, "Port": 443, "DefaultActions": [action] }).to_string()
    };
    assert_eq!(created(&control, listener, &state("arn:none")).await, Err(NotFound));
    let made = created(&control, listener, &state(&nodes)).await.unwrap();
    let asked = control.delete_resource().type_name(targets).identifier(&nodes).send().await.unwrap();
    let token = asked.progress_event().unwrap().request_token().unwrap().to_owned();
    assert_eq!(ended(&control, &token).await, Err(ResourceConflict));
    let list = |within: &str| {
        let model = serde_json::json!({ "LoadBalancerArn": within }).to_string();
        control.list_resources().type_name(listener).resource_model(model)
    };
    rows! { control.list_resources().type_name(listener) => "InvalidRequestException", }
    let listed = list(&front).send().await.unwrap();
    assert_eq!(listed.resource_descriptions()[0].identifier(), Some(made.as_str()));
    assert!(list("arn:other").send().await.unwrap().resource_descriptions().is_empty());
}

#[tokio::test]
async fn an_endpoint_stands_once_in_a_zone_and_only_where_its_service_is() {
    let cloud = cloud(Pace::Instant);
    let (ec2, control) = (client(&cloud), control(&cloud));
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = async |cidr: &str, zone: &str| {
        let made = ec2.create_subnet().vpc_id(&vpc).cidr_block(cidr).availability_zone(format!("{REGION}{zone}"));
        made.send().await.unwrap().subnet().unwrap().subnet_id().unwrap().to_owned()
    };
    let (one, beside) = (subnet("10.40.0.0/24", "a").await, subnet("10.40.1.0/24", "a").await);
    let (two, without) = (subnet("10.40.2.0/24", "b").await, subnet("10.40.3.0/24", "c").await);
    let state = |service: &str, subnets: &[&String]| {
        serde_json::json!({
            "VpcId": vpc, "VpcEndpointType": "Interface", "ServiceName": format!("com.amazonaws.{REGION}.{service}"),
            "SubnetIds": subnets,
        })
        .to_string()
    };
    let made = async |state: String| created(&control, "AWS::EC2::VPCEndpoint", &state).await;
    assert_eq!(made(state("email-smtp", &[&one, &beside])).await, Err(HandlerErrorCode::InvalidRequest));
    assert_eq!(made(state("email-smtp", &[&one, &without])).await, Err(HandlerErrorCode::InvalidRequest));
    made(state("email-smtp", &[&one, &two])).await.unwrap();
    made(state("logs", &[&one, &without])).await.unwrap();
}

/// Of the VPC that is there from the beginning, one a zone.
async fn default_subnets(cloud: &Cloud) -> Vec<String> {
    let subnets = client(cloud).describe_subnets().send().await.unwrap();
    subnets.subnets().iter().filter_map(|subnet| subnet.subnet_id().map(str::to_owned)).collect()
}

#[tokio::test]
async fn what_cloud_control_holds_is_kept() {
    let cloud = cloud(Pace::Instant);
    created(&control(&cloud), GROUP, r#"{"LogGroupName": "one"}"#).await.unwrap();
    let later = self::cloud(Pace::Instant);
    later.restore(&cloud.snapshot().await.unwrap()).await.unwrap();
    let listed = control(&later).list_resources().type_name(GROUP).send().await.unwrap();
    assert_eq!(listed.resource_descriptions().len(), 1);
}

#[tokio::test]
async fn a_bucket_of_the_customers_takes_what_comes_over_one_endpoint_from_one_address() {
    let cloud = cloud(Pace::Instant);
    let (ec2, control) = (client(&cloud), control(&cloud));
    let vpc = vpc(&ec2, "10.40.0.0/16").await;
    let subnet = subnet(&ec2, &vpc, "10.40.0.0/24").await;
    let image = image(&ec2).await;
    for address in ["10.40.0.10", "10.40.0.11"] {
        let run = ec2.run_instances().image_id(&image).instance_type("t3.micro".into()).subnet_id(&subnet);
        run.private_ip_address(address).min_count(1).max_count(1).send().await.unwrap();
    }
    let tables = ec2.describe_route_tables().filters(filter("vpc-id", &vpc)).send().await.unwrap();
    let table = tables.route_tables()[0].route_table_id().unwrap();
    let wanted =
        format!(r#"{{"VpcId": "{vpc}", "ServiceName": "com.amazonaws.{REGION}.s3", "RouteTableIds": ["{table}"]}}"#);
    let endpoint = created(&control, "AWS::EC2::VPCEndpoint", &wanted).await.unwrap();
    let made = async |endpoint: &str| {
        let resource = "\"Resource\": \"arn:aws:s3:::acme-audit/logins/*\"";
        let policy = format!("{resource} \"aws:SourceVpce\": \"{endpoint}\" \"aws:VpcSourceIp\": \"10.40.0.10/32\"");
        cloud.customer_makes_bucket(&policy).await;
        cloud.advance(std::time::Duration::from_secs(60));
    };
    let bastion = std::net::Ipv4Addr::new(10, 40, 0, 10);
    let put = async |from: std::net::Ipv4Addr| cloud.deposit(from, "acme-audit/logins/one.log", true).await.0;
    assert_eq!(put(bastion).await, 404, "nobody has made it");
    made("vpce-0123456789abcdef0").await;
    assert_eq!(put(bastion).await, 403, "it came over another endpoint");
    made(&endpoint).await;
    assert_eq!(put([10, 40, 0, 11].into()).await, 403, "it came from another address");
    assert_eq!(put(bastion).await, 200);
    let names =
        async |prefix: &str| cloud.deposit(bastion, &format!("acme-audit/?list-type=2&prefix={prefix}"), false).await;
    assert_eq!(names("logins/").await, (200, "<Key>logins/one.log</Key>\n".to_owned()));
    assert_eq!(names("other/").await, (200, String::new()));
}

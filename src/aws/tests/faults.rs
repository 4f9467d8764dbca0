//! What becomes of a call that goes wrong: whether it is repeated, and what is said.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use crate::aws::{AwsFailure, Cloud, Fate, Kind, Operation, Resend, Teller, Wiring};

/// One answer of the server.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Vpc,
    NoVpcs,
    Error(u16, &'static str),
    /// Of a service that speaks JSON.
    JsonError(u16, &'static str),
    Html(u16),
    /// The connection breaks after the request went out.
    Broken,
    Refused,
}

/// Answers in turn; the last answer for ever.
#[derive(Debug, Clone)]
pub(super) struct Server {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<u32>>,
}

impl Server {
    pub(super) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Server { answers: Arc::new(Mutex::new(answers.into_iter().collect())), asked: Arc::default() }
    }

    pub(super) fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }

    pub(super) async fn cloud(&self) -> Cloud {
        self.in_a_hurry(1_000).await
    }

    async fn in_a_hurry(&self, hurry: u32) -> Cloud {
        let keys = SharedCredentialsProvider::new(Credentials::for_tests());
        let wiring = Wiring {
            region: "eu-west-1".to_owned(),
            http_client: Some(SharedHttpClient::new(self.clone())),
            credentials: Some(keys),
            hurry,
            ..Wiring::default()
        };
        Cloud::connect(wiring).await.unwrap()
    }
}

impl HttpClient for Server {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Server {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        *self.asked.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
        HttpConnectorFuture::ready(respond(&answer))
    }
}

fn respond(answer: &Answer) -> Result<HttpResponse, ConnectorError> {
    let (status, body) = match answer {
        Answer::Vpc => (200, "<CreateVpcResponse><vpc><vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>".to_owned()),
        Answer::NoVpcs => (200, "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>".to_owned()),
        Answer::Error(status, code) => (
            *status,
            format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>in AWS's words</Message></Error></Errors>\
                 <RequestID>r-1</RequestID></Response>"
            ),
        ),
        Answer::JsonError(status, code) => (*status, format!(r#"{{"__type": "{code}", "message": "in AWS's words"}}"#)),
        Answer::Html(status) => (*status, "<html>a proxy's own page</html>".to_owned()),
        Answer::Broken => {
            let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return Err(ConnectorError::io(Box::new(reset)));
        }
        Answer::Refused => {
            let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            return Err(ConnectorError::io(Box::new(refused)));
        }
    };
    Ok(HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body)))
}

/// Asks for a VPC; says how it ended and how often it was asked for.
async fn create(resend: Resend, answers: impl IntoIterator<Item = Answer>) -> (Result<(), AwsFailure>, u32) {
    let server = Server::answering(answers);
    let cloud = server.cloud().await;
    let ec2 = cloud.ec2().clone();
    let result =
        cloud.change(Operation::CreateVpc, Some(resend), || ec2.create_vpc().cidr_block("10.0.0.0/16").send()).await;
    (result.map(|_| ()), server.asked())
}

fn only_unsent() -> Resend {
    Resend::OnlyUnsent { until: tokio::time::Instant::now() + std::time::Duration::from_secs(60) }
}

#[tokio::test]
async fn what_certainly_was_not_executed_is_sent_again_whatever_its_class() {
    for not_executed in [Answer::Error(503, "RequestLimitExceeded"), Answer::Error(400, "Throttling"), Answer::Refused]
    {
        for resend in [only_unsent(), Resend::Freely] {
            let (result, asked) = create(resend, [not_executed.clone(), not_executed.clone(), Answer::Vpc]).await;
            assert_eq!((result, asked), (Ok(()), 3), "{not_executed:?} {resend:?}");
        }
    }
}

#[tokio::test]
async fn a_call_without_a_guard_is_never_repeated_once_it_may_have_been_executed() {
    for lost in
        [Answer::Broken, Answer::Error(500, "InternalError"), Answer::Error(503, "Unavailable"), Answer::Html(502)]
    {
        let (result, asked) = create(only_unsent(), [lost.clone(), Answer::Vpc]).await;
        let failure = result.unwrap_err();
        assert_eq!((failure.fate, asked), (Fate::Unknown, 1), "{lost:?}: {failure:?}");
        assert_eq!(failure.kind, Kind::LostReply, "{lost:?}: {failure:?}");

        let (result, asked) = create(Resend::Freely, [lost.clone(), Answer::Vpc]).await;
        assert_eq!((result, asked), (Ok(()), 2), "{lost:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_one_of_aws_is_not_looked_up_in_the_api_reference() {
    let (result, _) = create(only_unsent(), [Answer::Html(403)]).await;
    let failure = result.unwrap_err();
    assert_eq!((failure.kind, failure.code.as_deref()), (Kind::Other, Some("HTTP 403")), "{failure:?}");
    assert!(failure.meaning.contains("proxy") && failure.advice.contains("--endpoint-url"), "{failure:?}");
}

#[tokio::test]
async fn it_gives_up_after_six_tries() {
    let (result, asked) = create(Resend::Freely, [Answer::Error(503, "RequestLimitExceeded")]).await;
    assert_eq!((result.unwrap_err().kind, asked), (Kind::Throttled, 6));
    let (result, asked) = create(only_unsent(), [Answer::Refused]).await;
    let failure = result.unwrap_err();
    assert_eq!((failure.kind, failure.fate, asked), (Kind::Unreachable, Fate::NotExecuted, 6));
}

/// A read changes nothing: it is asked for as long as it may help, and then it says that it was too fast.
#[tokio::test]
async fn a_read_waits_a_minute_where_more_is_asked_than_aws_takes() {
    let read = async |throttled: usize| {
        let mut answers = vec![Answer::Error(503, "RequestLimitExceeded"); throttled];
        answers.push(Answer::NoVpcs);
        let server = Server::answering(answers);
        let cloud = server.cloud().await;
        let ec2 = cloud.ec2().clone();
        let result = cloud.read(Operation::DescribeVpcs, || ec2.describe_vpcs().send()).await;
        (result.map(|_| ()).map_err(|failure| failure.kind), server.asked())
    };
    // With pauses of half a second, twice as long each time and eight seconds at the most, that is 24 seconds.
    assert_eq!(read(7).await, (Ok(()), 8));
    let (refused, asked) = read(100).await;
    assert_eq!(refused, Err(Kind::Throttled));
    assert!((11..=19).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_doubt_stays_a_doubt_when_a_later_try_is_refused() {
    let (result, _) = create(Resend::Freely, [Answer::Broken, Answer::Error(403, "UnauthorizedOperation")]).await;
    let failure = result.unwrap_err();
    assert_eq!((failure.kind, failure.fate), (Kind::Denied, Fate::Unknown));
}

#[tokio::test]
async fn what_is_not_visible_yet_is_waited_for_but_not_for_ever() {
    let hidden = || Answer::Error(400, "InvalidVpcID.NotFound");
    let (result, asked) = create(only_unsent(), [hidden(), hidden(), Answer::Vpc]).await;
    assert_eq!((result, asked), (Ok(()), 3));

    // A minute, in steps of two seconds.
    let (result, asked) = create(only_unsent(), [hidden()]).await;
    assert_eq!((result.unwrap_err().kind, asked), (Kind::NotFound, 31));

    // Where it may be sent for a second only, and a minute takes three: what AWS said stays, or nobody would learn it.
    let server = Server::answering([hidden()]);
    let cloud = server.in_a_hurry(20).await;
    let soon = Resend::OnlyUnsent { until: tokio::time::Instant::now() + std::time::Duration::from_secs(1) };
    let ec2 = cloud.ec2().clone();
    let asking = || ec2.create_vpc().cidr_block("10.0.0.0/16").send();
    let failure = cloud.change(Operation::CreateVpc, Some(soon), asking).await.unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("InvalidVpcID.NotFound"), "{failure:?}");
    assert!(server.asked() < 31, "{}", server.asked());
}

#[tokio::test]
async fn who_listens_hears_what_holds_a_call_up_and_that_it_goes_on() {
    let state = || Answer::Error(400, "IncorrectState");
    let busy = || Answer::Error(400, "ConcurrentModificationException");
    let server = Server::answering([state(), state(), busy(), Answer::Broken, Answer::Vpc]);
    let (teller, mut heard) = Teller::new();
    let listening = tokio::spawn(async move {
        let mut all = Vec::new();
        while heard.changed().await.is_ok() {
            all.push(heard.borrow_and_update().clone());
        }
        all
    });
    let cloud = server.cloud().await.telling(teller);
    let ec2 = cloud.ec2().clone();
    let call = || ec2.create_vpc().cidr_block("10.0.0.0/16").send();
    cloud.change(Operation::CreateVpc, Some(Resend::Freely), call).await.unwrap();
    drop(cloud);

    let heard = listening.await.unwrap();
    let told: Vec<_> = heard.iter().flatten().map(|one| (one.code.as_deref(), one.tries)).collect();
    let busy = Some("ConcurrentModificationException");
    assert_eq!(told, [(Some("IncorrectState"), 1), (Some("IncorrectState"), 2), (busy, 3), (None, 4)]);
    assert!(heard.last().unwrap().is_none(), "it went through");
    let first = heard[0].as_ref().unwrap();
    assert!(first.why.starts_with("AWS says IncorrectState. It is on its way"), "{first:?}");
    assert_eq!(first.raw, "in AWS's words");
    assert!(first.until > first.since, "{first:?}");
    assert!(heard[3].as_ref().unwrap().why.contains("no answer came back"), "{heard:?}");
}

#[tokio::test]
async fn two_writers_are_waited_for_as_long_as_what_is_not_ready() {
    let (result, asked) = create(only_unsent(), [Answer::Error(400, "ConcurrentModificationException")]).await;
    assert_eq!((result.unwrap_err().kind, asked), (Kind::Busy, 31));
}

#[tokio::test]
async fn what_changes_a_secret_waits_for_another_writer_as_its_words_say() {
    let server = Server::answering([Answer::JsonError(400, "ConflictException")]);
    let cloud = server.cloud().await;
    let marks = std::collections::BTreeMap::new();
    let stamp = crate::aws::Stamp { marks: &marks, key: "secret/psk", name: "psk" };
    let failure = cloud.create_secret("psk", &"text".into(), "token", "of a test", &stamp).await.unwrap_err();
    assert_eq!((failure.kind, server.asked()), (Kind::Busy, 31));
    assert!(failure.advice.contains("has tried for a minute"), "{failure:?}");
}

#[tokio::test]
async fn a_read_does_not_wait_for_what_is_not_there() {
    let server = Server::answering([Answer::Error(400, "InvalidVpcID.NotFound")]);
    let cloud = server.cloud().await;
    let ec2 = cloud.ec2().clone();
    let failure = cloud.read(Operation::DescribeVpcs, || ec2.describe_vpcs().send()).await.unwrap_err();
    assert_eq!((failure.kind, server.asked()), (Kind::NotFound, 1));
}

#[tokio::test]
async fn a_cloud_for_looking_sends_no_change() {
    let server = Server::answering([Answer::NoVpcs]);
    let looking = server.cloud().await.read_only();
    let ec2 = looking.ec2().clone();
    let failure =
        looking.change(Operation::CreateVpc, Some(Resend::Freely), || ec2.create_vpc().send()).await.unwrap_err();
    assert_eq!((failure.kind, failure.fate, server.asked()), (Kind::OnlyLooking, Fate::NotExecuted, 0));
    assert!(failure.meaning.contains("CreateVpc"), "{failure:?}");
    assert_eq!(looking.calls(), []);

    looking.read(Operation::DescribeVpcs, || ec2.describe_vpcs().send()).await.unwrap();
    let seen: Vec<_> = looking.calls().into_iter().map(|call| (call.operation, call.mutating)).collect();
    assert_eq!((seen, server.asked()), (vec![("DescribeVpcs".to_owned(), false)], 1));
}

#[tokio::test]
async fn a_cloud_for_rehearsals_sends_only_what_says_that_it_is_one() {
    let server = Server::answering([Answer::Error(412, "DryRunOperation")]);
    let rehearsing = server.cloud().await.rehearsing();
    let ec2 = rehearsing.ec2().clone();
    for dry_run in [None, Some(false)] {
        let request = ec2.create_vpc().cidr_block("10.0.0.0/16").set_dry_run(dry_run);
        let sent = rehearsing.change(Operation::CreateVpc, None, || request.clone().send()).await;
        let failure = sent.unwrap_err();
        assert_eq!((failure.kind, failure.fate, server.asked()), (Kind::OnlyLooking, Fate::NotExecuted, 0));
    }
    let request = ec2.create_vpc().cidr_block("10.0.0.0/16&DryRun=true").dry_run(true);
    let sent = rehearsing.change(Operation::CreateVpc, None, || request.clone().send()).await;
    assert_eq!((sent.unwrap_err().code.as_deref(), server.asked()), (Some("DryRunOperation"), 1));
    let forged = ec2.create_vpc().cidr_block("10.0.0.0/16&DryRun=true");
    let sent = rehearsing.change(Operation::CreateVpc, None, || forged.clone().send()).await;
    assert_eq!((sent.unwrap_err().kind, server.asked()), (Kind::OnlyLooking, 1), "a value is no parameter");
}

#[derive(Debug)]
struct Expired;

impl ProvideCredentials for Expired {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let said = "the SSO session has expired";
        future::ProvideCredentials::ready(Err(aws_credential_types::provider::error::CredentialsError::not_loaded(
            said,
        )))
    }
}

#[tokio::test]
async fn missing_credentials_are_said_before_anything_is_sent() {
    let wiring = Wiring {
        region: "eu-west-1".to_owned(),
        credentials: Some(SharedCredentialsProvider::new(Expired)),
        http_client: Some(SharedHttpClient::new(Server::answering([Answer::Vpc]))),
        ..Wiring::default()
    };
    let failure = Cloud::connect(wiring).await.unwrap_err();
    assert_eq!((failure.kind, failure.fate), (Kind::Credentials, Fate::NotExecuted));
    assert!(failure.raw.contains("the SSO session has expired"), "{failure:?}");
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_certainly_not_executed() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let wiring = Wiring {
        region: "eu-west-1".to_owned(),
        endpoint_url: Some(format!("http://127.0.0.1:{port}")),
        credentials: Some(SharedCredentialsProvider::new(Credentials::for_tests())),
        hurry: 1_000,
        ..Wiring::default()
    };
    let cloud = Cloud::connect(wiring).await.unwrap();
    let failure = cloud.identity().await.unwrap_err();
    assert_eq!((failure.kind, failure.fate), (Kind::Unreachable, Fate::NotExecuted), "{failure:?}");
    assert!(failure.raw.contains("refused"), "{failure:?}");
}

#[tokio::test]
async fn an_endpoint_must_be_a_url() {
    for (region, url) in [("eu-west-1", "moto:5000"), ("eu-west-1", "localhost"), ("", "http://127.0.0.1:5000")] {
        let wiring = Wiring { region: region.to_owned(), endpoint_url: Some(url.to_owned()), ..Wiring::default() };
        let failure = Cloud::connect(wiring).await.unwrap_err();
        assert_eq!((failure.kind, failure.fate), (Kind::Invalid, Fate::NotExecuted), "{region} {url}: {failure:?}");
    }
}

/// One row for every code of the specification's table: how it is taken, and that something is said about it.
#[tokio::test]
async fn every_code_of_the_table_is_understood() {
    use Kind::*;
    let table = [
        ("UnauthorizedOperation", Denied),
        ("AccessDenied", Denied),
        ("AccessDeniedException", Denied),
        ("AuthFailure", Credentials),
        ("InvalidClientTokenId", Credentials),
        ("ExpiredToken", Credentials),
        ("ExpiredTokenException", Credentials),
        ("SignatureDoesNotMatch", Credentials),
        ("RequestExpired", Credentials),
        ("OptInRequired", Activation),
        ("PendingVerification", Activation),
        ("Blocked", Activation),
        ("AccountDisabled", Activation),
        ("RequestLimitExceeded", Throttled),
        ("Throttling", Throttled),
        ("ThrottlingException", Throttled),
        ("TooManyRequestsException", Throttled),
        ("SlowDown", Throttled),
        ("InsufficientInstanceCapacity", Capacity),
        ("InsufficientHostCapacity", Capacity),
        ("Unsupported", Capacity),
        ("VcpuLimitExceeded", Quota),
        ("InstanceLimitExceeded", Quota),
        ("VpcLimitExceeded", Quota),
        ("InternetGatewayLimitExceeded", Quota),
        ("AddressLimitExceeded", Quota),
        ("NatGatewayLimitExceeded", Quota),
        ("VpnGatewayLimitExceeded", Quota),
        ("CustomerGatewayLimitExceeded", Quota),
        ("VpnConnectionLimitExceeded", Quota),
        ("SubnetLimitExceeded", Quota),
        ("RulesPerSecurityGroupLimitExceeded", Quota),
        ("RouteLimitExceeded", Quota),
        ("DhcpOptionsLimitExceeded", Quota),
        ("VpcEndpointLimitExceeded", Quota),
        ("DependencyViolation", InUse),
        ("IncorrectState", NotReady),
        ("IncorrectInstanceState", NotReady),
        ("InvalidParameterValue", Invalid),
        ("ValidationError", Invalid),
        ("InvalidParameterCombination", Invalid),
        ("InvalidSubnet.Conflict", AddressPlan),
        ("InvalidVpc.Range", AddressPlan),
        ("InvalidSubnet.Range", AddressPlan),
        ("CidrConflict", AddressPlan),
        ("AsnConflict", Conflict),
        ("InvalidVpnConnection.InvalidType", Invalid),
        ("InvalidVpnGatewayAttachment.NotFound", NotFound),
        ("InvalidVpnGatewayID.NotFound", NotFound),
        ("InvalidDhcpOptionID.NotFound", NotFound),
        ("InvalidCustomerGateway.DuplicateIpAddress", Conflict),
        ("VpnGatewayAttachmentLimitExceeded", Exists),
        ("VpcPeeringConnectionAlreadyExists", Exists),
        ("FlowLogAlreadyExists", Exists),
        ("InvalidPermission.Duplicate", Exists),
        ("InvalidPermission.NotFound", Gone),
        ("Resource.AlreadyAssociated", Exists),
        ("RouteAlreadyExists", Exists),
        ("InvalidAMIID.Unavailable", Image),
        ("InvalidAMIID.NotFound", Image),
        ("KMSKeyNotAccessibleFault", Key),
        ("Client.InvalidKMSKey.InvalidState", Key),
        ("ConcurrentModificationException", Busy),
        ("ConflictException", Busy),
        ("PriorRequestNotComplete", Busy),
        ("IdempotentParameterMismatch", Token),
        ("IdempotentInstanceTerminated", Token),
        ("InvalidVpcID.NotFound", NotFound),
        ("InvalidGroup.NotFound", NotFound),
        ("InvalidSubnetID.NotFound", NotFound),
    ];
    for (code, kind) in table {
        let status = if kind == Throttled { 503 } else { 400 };
        let (result, _) = create(only_unsent(), [Answer::Error(status, code)]).await;
        let failure = result.unwrap_err();
        assert_eq!(failure.kind, kind, "{code}");
        assert_eq!(failure.code.as_deref(), Some(code));
        let fate = if kind == Throttled { Fate::NotExecuted } else { Fate::Refused };
        assert_eq!(failure.fate, fate, "{code}");
        assert!(failure.meaning.len() > 20 && failure.advice.len() > 20, "{failure:?}");
        assert_eq!(failure.raw, "in AWS's words");
    }
    let (result, _) = create(only_unsent(), [Answer::Error(400, "NeverHeardOf")]).await;
    let failure = result.unwrap_err();
    assert_eq!((failure.kind, failure.fate), (Other, Fate::Refused));
}

#[test]
fn why_an_instance_ended_names_its_code_once() {
    let code = "Client.InvalidKMSKey.InvalidState";
    let failure = AwsFailure::of_instance(code, &format!("{code}: The KMS key provided is in an incorrect state"));
    assert_eq!(failure.raw, "The KMS key provided is in an incorrect state");
    assert_eq!(AwsFailure::of_instance(code, "in AWS's words").raw, "in AWS's words");
}

//! Who asks the same at the same moment shares one answer, and nobody gets an answer that is older than the asking.

use futures_util::FutureExt;

use super::faults::{Answer, Server};
use crate::aws::ec2::operation::describe_vpcs::DescribeVpcsOutput;
use crate::aws::{AwsFailure, Cloud, Kind, Operation};

async fn vpcs(cloud: &Cloud, asked: &str) -> Result<DescribeVpcsOutput, AwsFailure> {
    let request = cloud.ec2().describe_vpcs();
    cloud.read_together(Operation::DescribeVpcs, asked.to_owned(), move || request.clone().send()).await
}

#[tokio::test]
async fn the_same_question_goes_out_once() {
    let server = Server::answering([Answer::NoVpcs]);
    let cloud = server.cloud().await;
    let (one, two, other) = tokio::join!(vpcs(&cloud, "ours"), vpcs(&cloud, "ours"), vpcs(&cloud, "theirs"));
    assert!(one.is_ok() && two.is_ok() && other.is_ok());
    assert_eq!(server.asked(), 2);
    vpcs(&cloud, "ours").await.unwrap();
    assert_eq!(server.asked(), 3, "an answer is nobody's who asks after the question went out");
}

#[tokio::test]
async fn a_refusal_is_told_to_all() {
    let server = Server::answering([Answer::Error(403, "UnauthorizedOperation"), Answer::NoVpcs]);
    let cloud = server.cloud().await;
    let (one, two) = tokio::join!(vpcs(&cloud, "ours"), vpcs(&cloud, "ours"));
    assert_eq!((one.unwrap_err().kind, two.unwrap_err().kind), (Kind::Denied, Kind::Denied));
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn who_leaves_keeps_nobody_waiting() {
    let server = Server::answering([Answer::NoVpcs]);
    let cloud = server.cloud().await;
    assert!(vpcs(&cloud, "ours").now_or_never().is_none(), "it is being gathered");
    vpcs(&cloud, "ours").await.unwrap();
    assert_eq!(server.asked(), 1);
}

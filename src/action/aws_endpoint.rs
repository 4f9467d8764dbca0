//! What AWS can put into a VPC: in which zones an endpoint of a service may stand.

use async_trait::async_trait;
use serde_json::json;

use super::arguments::Arguments;
use super::aws_account::asked;
use super::check::Question;
use super::object::found;
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::Operation;
use crate::text::{either, list};

/// What AWS says of a service that the region has no endpoint of.
const UNKNOWN: &str = "InvalidServiceName";

/// `aws/endpoint-service`
pub(super) struct EndpointService {
    service: String,
    zones: Vec<String>,
}

impl EndpointService {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(EndpointService { service: arguments.text("service")?, zones: arguments.list("zones")? })
    }
}

#[async_trait]
impl Question for EndpointService {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let request = cloud.ec2().describe_vpc_endpoint_services().service_names(&self.service);
            let answer = cloud.read(Operation::DescribeVpcEndpointServices, || request.clone().send()).await;
            let details = match answer {
                Err(failure) if failure.code.as_deref() == Some(UNKNOWN) => Vec::new(),
                answer => answer?.service_details.unwrap_or_default(),
            };
            let Some(service) = details.iter().find(|one| one.service_name() == Some(self.service.as_str())) else {
                let what = format!("{} has no endpoint of {} for a VPC", cloud.region(), self.service);
                return Ok(Verified::NotSo(Failure::new(what, "Give the VPC another way to the service.")));
            };
            let offered = service.availability_zones();
            let zones: Vec<&String> =
                offered.iter().filter(|zone| self.zones.is_empty() || self.zones.contains(zone)).collect();
            if zones.is_empty() {
                let what = format!("{} has no address in {}", self.service, either(&self.zones));
                let advice = format!("Plan a subnet in {}, where it has one.", either(offered));
                return Ok(Verified::NotSo(Failure::new(what, advice)));
            }
            let said = format!("{} can have an address in {}", self.service, list(&zones));
            Ok(Verified::So(found(said, json!({ "zones": zones }))))
        })
        .await
    }
}

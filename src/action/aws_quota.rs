//! Quotas: how much of something the account may have in this region, and a request for more.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::call::Call;
use super::check::Question;
use super::object::{Made, Remains, Sight, Thing, difference, found};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::service_quotas::types::{RequestStatus, RequestedServiceQuotaChange as Request, ServiceQuota};
use crate::aws::{AwsFailure, Cloud, Kind, Operation};

/// One quota, and how much of it is wanted.
struct Wanted {
    service: String,
    code: String,
    value: i32,
}

impl Wanted {
    fn new(arguments: Arguments<'_>) -> Result<Self, Failure> {
        let (service, code) = (arguments.text("service")?, arguments.text("code")?);
        if known(&code) && !code.starts_with("L-") {
            let what = format!("\"{code}\" is not the code of a quota");
            return Err(Failure::new(what, "Codes look like L-F678F1CE; the Service Quotas console shows them."));
        }
        arguments.text("wanted")?;
        let value = arguments.number("wanted", 0, i32::MAX)?.unwrap_or_default();
        Ok(Wanted { service, code, value })
    }

    /// What the account has: its own value, or AWS's default where it has none of its own.
    async fn now(&self, cloud: &Cloud) -> Result<Option<ServiceQuota>, AwsFailure> {
        let quotas = cloud.service_quotas();
        let request = quotas.get_service_quota().service_code(&self.service).quota_code(&self.code);
        match cloud.read(Operation::GetServiceQuota, || request.clone().send()).await {
            Ok(answer) => return Ok(answer.quota),
            Err(failure) if failure.kind == Kind::NotFound => {}
            Err(failure) => return Err(failure),
        }
        let mut next: Option<String> = None;
        loop {
            let request = quotas.list_aws_default_service_quotas().service_code(&self.service).set_next_token(next);
            let answer = cloud.read(Operation::ListAWSDefaultServiceQuotas, || request.clone().send()).await;
            let page = match answer {
                Ok(page) => page,
                Err(failure) if failure.kind == Kind::NotFound => return Ok(None),
                Err(failure) => return Err(failure),
            };
            let quotas = page.quotas.unwrap_or_default();
            if let Some(quota) = quotas.into_iter().find(|quota| quota.quota_code() == Some(&self.code)) {
                return Ok(Some(quota));
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    fn enough(&self, quota: &ServiceQuota) -> bool {
        quota.value().unwrap_or_default() >= f64::from(self.value)
    }

    fn said(&self, quota: &ServiceQuota) -> String {
        let (name, value) = (quota.quota_name().unwrap_or(&self.code), quota.value().unwrap_or_default());
        format!("{name}: the account has {value}, and {} is wanted", self.value)
    }

    fn unknown(&self) -> Failure {
        let what = format!("AWS knows no quota {} of {} in this region", self.code, self.service);
        Failure::new(what, "Correct the service or the code; quotas of global services are in us-east-1.")
    }
}

fn output(quota: &ServiceQuota) -> Json {
    json!({
        "value": quota.value(),
        "name": quota.quota_name(),
        "adjustable": quota.adjustable(),
    })
}

/// `aws/quota`
pub(super) struct TheQuota {
    wanted: Wanted,
}

impl TheQuota {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheQuota { wanted: Wanted::new(arguments)? })
    }
}

#[async_trait]
impl Question for TheQuota {
    async fn ask(&self, world: &World) -> Verified {
        asked(world, async |cloud| {
            let Some(quota) = self.wanted.now(&cloud).await? else {
                return Ok(Verified::NotSo(self.wanted.unknown()));
            };
            if self.wanted.enough(&quota) {
                return Ok(Verified::So(found(self.wanted.said(&quota), output(&quota))));
            }
            let fixed = if quota.adjustable() { "" } else { "; AWS raises this one for nobody" };
            Ok(Verified::NotYet { said: format!("{}{fixed}", self.wanted.said(&quota)) })
        })
        .await
    }
}

/// `aws/quota-increase`: asked for once; what AWS makes of it is seen in its history and, at last, in the quota itself.
pub(super) struct TheIncrease {
    wanted: Wanted,
}

impl TheIncrease {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(TheIncrease { wanted: Wanted::new(arguments)? })
    }

    /// What was asked for last, of this quota.
    async fn last(&self, cloud: &Cloud) -> Result<Option<Request>, AwsFailure> {
        let mut all: Vec<Request> = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = cloud
                .service_quotas()
                .list_requested_service_quota_change_history_by_quota()
                .service_code(&self.wanted.service)
                .quota_code(&self.wanted.code)
                .set_next_token(next);
            let operation = Operation::ListRequestedServiceQuotaChangeHistoryByQuota;
            let page = match cloud.read(operation, || request.clone().send()).await {
                Ok(page) => page,
                Err(failure) if failure.kind == Kind::NotFound => break,
                Err(failure) => return Err(failure),
            };
            all.extend(page.requested_quotas.unwrap_or_default());
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        Ok(all.into_iter().max_by_key(|request| request.created().map(|at| (at.secs(), at.subsec_nanos()))))
    }

    fn judge(&self, quota: &ServiceQuota, last: Option<&Request>) -> Sight {
        let said = self.wanted.said(quota);
        let Some(last) = last else { return Sight::Nothing { said } };
        let desired = last.desired_value().unwrap_or_default();
        let status = last.status().map_or("UNKNOWN", RequestStatus::as_str);
        let case = last.case_id().map(|id| format!(", case {id}")).unwrap_or_default();
        let asked = format!("{said}; {desired} was asked for: {status}{case}");
        let enough = desired >= f64::from(self.wanted.value);
        match (last.status(), enough) {
            // AWS takes one request at a time, so this one must end first.
            (Some(RequestStatus::Pending | RequestStatus::CaseOpened), false) => Sight::Foreign {
                said: asked,
                differences: vec![difference(
                    "request that is open",
                    self.wanted.value.to_string(),
                    desired.to_string(),
                )],
            },
            // What was granted or refused for less says nothing of what is wanted now.
            (_, false) => Sight::Nothing { said },
            (
                Some(
                    RequestStatus::Denied
                    | RequestStatus::NotApproved
                    | RequestStatus::InvalidRequest
                    | RequestStatus::CaseClosed,
                ),
                true,
            ) => Sight::Broken(Failure::new(
                asked,
                "Answer in the support case, or ask for it in the Service Quotas console with a reason. When AWS has \
                 granted it, run the step again.",
            )),
            (_, true) => Sight::Awaited(found(asked, output(quota))),
        }
    }
}

#[async_trait]
impl Thing for TheIncrease {
    fn noun(&self) -> String {
        format!("quota {} of {}", self.wanted.code, self.wanted.service)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::RequestServiceQuotaIncrease {
            service_code: self.wanted.service.clone(),
            quota_code: self.wanted.code.clone(),
            desired_value: f64::from(self.wanted.value),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(quota) = self.wanted.now(at.cloud).await? else { return Ok(Sight::Broken(self.wanted.unknown())) };
        if self.wanted.enough(&quota) {
            return Ok(Sight::Ready(found(self.wanted.said(&quota), output(&quota))));
        }
        if !quota.adjustable() {
            let advice = "Change the plan so that it needs less.";
            let what = format!("{}; AWS raises this one for nobody", self.wanted.said(&quota));
            return Ok(Sight::Broken(Failure::new(what, advice)));
        }
        Ok(self.judge(&quota, self.last(at.cloud).await?.as_ref()))
    }

    async fn remains(&self, _at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(Remains::NotOurs { said: "a quota that was raised stays, and costs nothing".to_owned() })
    }
}

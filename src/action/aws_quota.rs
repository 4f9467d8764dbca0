//! Quotas: how much of something the account may have in this region, and a request for more.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::call::Call;
use super::check::Question;
use super::object::{Made, Remains, Sight, Thing, difference, found};
use super::room::used;
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::service_quotas::types::{RequestStatus, RequestedServiceQuotaChange as Request, ServiceQuota};
use crate::aws::{AwsFailure, Cloud, Kind, Operation};
use crate::engagement::Limited;

/// One quota.
pub(super) struct Quota {
    service: String,
    code: String,
}

impl Quota {
    fn new(arguments: Arguments<'_>) -> Result<Self, Failure> {
        let (service, code) = (arguments.text("service")?, arguments.text("code")?);
        if known(&code) && !code.starts_with("L-") {
            let what = format!("\"{code}\" is not the code of a quota");
            let advice = format!(
                "Codes look like L-F678F1CE; aws service-quotas list-service-quotas --service-code {service} shows them."
            );
            return Err(Failure::new(what, advice));
        }
        Ok(Quota { service, code })
    }

    /// A quota that onramp can count.
    pub(super) fn of(limited: Limited) -> Self {
        Quota { service: limited.service().to_owned(), code: limited.code().to_owned() }
    }

    pub(super) fn rules_of_a_group() -> Self {
        Quota { service: "vpc".to_owned(), code: "L-0EA8095F".to_owned() }
    }

    /// What the account has: its own value, or AWS's default where it has none of its own.
    pub(super) async fn now(&self, cloud: &Cloud) -> Result<Option<ServiceQuota>, AwsFailure> {
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

    fn unknown(&self) -> Failure {
        let what = format!("AWS knows no quota {} of {} in this region", self.code, self.service);
        Failure::new(what, "Correct the service or the code; quotas of global services are in us-east-1.")
    }
}

fn output(quota: &ServiceQuota, needed: f64) -> Json {
    json!({
        "value": quota.value(),
        // Quotas that are counted are whole numbers, and a request for more wants one.
        "needed": needed as i64,
        "short": !is_enough(quota, needed),
        "name": quota.quota_name(),
        "adjustable": quota.adjustable(),
    })
}

fn is_enough(quota: &ServiceQuota, needed: f64) -> bool {
    quota.value().unwrap_or_default() >= needed
}

fn said(quota: &ServiceQuota, needed: f64) -> String {
    let (name, value) = (quota.quota_name().unwrap_or("this quota"), quota.value().unwrap_or_default());
    format!("{name}: the account has {value}, and {needed} is wanted")
}

/// How much there must be.
enum Amount {
    InAll(i32),
    /// For this engagement, beside what others use now.
    More(i32, Limited),
}

/// `aws/quota`
pub(super) struct TheQuota {
    quota: Quota,
    amount: Amount,
    /// The answer is taken whatever it is.
    any: bool,
}

impl TheQuota {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let quota = Quota::new(arguments)?;
        let any = arguments.one_of("expect", &["enough", "any"])? == "any";
        let (wanted, more) = (arguments.number("wanted", 0, i32::MAX)?, arguments.number("more", 0, i32::MAX)?);
        let amount = match (wanted, more, Limited::of(&quota.service, &quota.code)) {
            (Some(wanted), None, _) => Amount::InAll(wanted),
            (None, Some(more), Some(limited)) => Amount::More(more, limited),
            (None, Some(_), None) => {
                let what = format!("onramp does not count what is used of {} of {}", quota.code, quota.service);
                return Err(Failure::new(what, "Say with `wanted` how much there must be in all."));
            }
            _ => {
                let what = "a quota is compared with `wanted` or with `more`, and with one of them";
                return Err(Failure::new(
                    what,
                    "Give `wanted`, what is used included, or `more`, beside what others use.",
                ));
            }
        };
        Ok(TheQuota { quota, amount, any })
    }
}

#[async_trait]
impl Question for TheQuota {
    async fn ask(&self, world: &World) -> Verified {
        // What is made in the meantime is a part of what was wanted: looked at again, it does not count twice.
        let ours = &world.subject.engagement;
        asked(world, async |cloud| {
            let needed = match self.amount {
                Amount::InAll(wanted) => f64::from(wanted),
                // Far fewer than a double can count one by one.
                Amount::More(more, limited) => used(&cloud, limited, Some(ours)).await? as f64 + f64::from(more),
            };
            let Some(quota) = self.quota.now(&cloud).await? else {
                let unknown = self.quota.unknown();
                return Ok(match self.any {
                    true => Verified::So(found(unknown.what, json!({ "needed": needed as i64, "short": false }))),
                    false => Verified::NotSo(unknown),
                });
            };
            if self.any || is_enough(&quota, needed) {
                return Ok(Verified::So(found(said(&quota, needed), output(&quota, needed))));
            }
            let fixed = if quota.adjustable() { "" } else { "; AWS raises this one for nobody" };
            Ok(Verified::NotYet { said: format!("{}{fixed}", said(&quota, needed)) })
        })
        .await
    }
}

/// `aws/quota-increase`: asked for once; what AWS makes of it is seen in its history and, at last, in the quota itself.
pub(super) struct TheIncrease {
    quota: Quota,
    wanted: f64,
}

impl TheIncrease {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let quota = Quota::new(arguments)?;
        arguments.text("wanted")?;
        let wanted = arguments.number("wanted", 0, i32::MAX)?.unwrap_or_default();
        Ok(TheIncrease { quota, wanted: f64::from(wanted) })
    }

    /// What was asked for last, of this quota.
    async fn last(&self, cloud: &Cloud) -> Result<Option<Request>, AwsFailure> {
        let mut all: Vec<Request> = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = cloud
                .service_quotas()
                .list_requested_service_quota_change_history_by_quota()
                .service_code(&self.quota.service)
                .quota_code(&self.quota.code)
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
        let said = said(quota, self.wanted);
        let Some(last) = last else { return Sight::Nothing { said } };
        let desired = last.desired_value().unwrap_or_default();
        let status = last.status().map_or("UNKNOWN", RequestStatus::as_str);
        let case = last.case_id().map(|id| format!(", case {id}")).unwrap_or_default();
        let asked = format!("{said}; {desired} was asked for: {status}{case}");
        let enough = desired >= self.wanted;
        match (last.status(), enough) {
            // AWS takes one request at a time, so this one must end first.
            (Some(RequestStatus::Pending | RequestStatus::CaseOpened), false) => Sight::Foreign {
                said: asked,
                differences: vec![difference("request that is open", self.wanted.to_string(), desired.to_string())],
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
                format!(
                    "Write a reason into the support case, or ask once more: aws service-quotas \
                     request-service-quota-increase --service-code {} --quota-code {} --desired-value {}. When AWS has \
                     granted it, run the step again.",
                    self.quota.service, self.quota.code, self.wanted
                ),
            )),
            (_, true) => Sight::Awaited(found(asked, output(quota, self.wanted))),
        }
    }
}

#[async_trait]
impl Thing for TheIncrease {
    fn noun(&self) -> String {
        format!("quota {} of {}", self.quota.code, self.quota.service)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::RequestServiceQuotaIncrease {
            service_code: self.quota.service.clone(),
            quota_code: self.quota.code.clone(),
            desired_value: self.wanted,
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(quota) = self.quota.now(at.cloud).await? else { return Ok(Sight::Broken(self.quota.unknown())) };
        if is_enough(&quota, self.wanted) {
            return Ok(Sight::Ready(found(said(&quota, self.wanted), output(&quota, self.wanted))));
        }
        if !quota.adjustable() {
            let advice = "Change the plan so that it needs less.";
            let what = format!("{}; AWS raises this one for nobody", said(&quota, self.wanted));
            return Ok(Sight::Broken(Failure::new(what, advice)));
        }
        Ok(self.judge(&quota, self.last(at.cloud).await?.as_ref()))
    }

    async fn remains(&self, _at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        Ok(Remains::NotOurs { said: "a quota that was raised stays, and costs nothing".to_owned() })
    }
}

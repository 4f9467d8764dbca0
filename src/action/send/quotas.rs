//! The call to Service Quotas.

use super::{Sender, unsent};
use crate::action::call::Call;
use crate::aws::AwsFailure;

impl Sender<'_> {
    pub(super) async fn quotas(&self, call: &Call) -> Result<Option<String>, AwsFailure> {
        let Call::RequestServiceQuotaIncrease { service_code, quota_code, desired_value } = call else {
            return Err(unsent(call));
        };
        let request = self.cloud.service_quotas().request_service_quota_increase();
        let request = request.service_code(service_code).quota_code(quota_code).desired_value(*desired_value);
        sent!(self, call, never a rehearsal: request);
        Ok(None)
    }
}

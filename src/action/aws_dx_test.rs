//! The failover test of a line: AWS takes its BGP sessions down for some minutes and brings them up again. Nothing of it
//! carries a tag; but an interface is tested once at a time, and its history says what there was.

use async_trait::async_trait;
use serde_json::json;

use super::Failure;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_dx_interface::interface;
use super::call::Call;
use super::call::dx::DxRequest;
use super::object::{Made, Remains, Sight, Thing, found};
use super::world::Subject;
use crate::aws::direct_connect::primitives::DateTime;
use crate::aws::direct_connect::types::{VirtualInterfaceState, VirtualInterfaceTestHistory as Test};
use crate::aws::{AwsFailure, Kind, Operation};

/// AWS's own default is three hours. Ten minutes show it, and a forgotten test has ended before anybody is called.
const MINUTES: i32 = 10;

/// `aws/dx-failover-test`
pub(super) struct FailoverTest {
    interface: String,
    minutes: i32,
}

impl FailoverTest {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let minutes = arguments.number("minutes", 1, 180)?.unwrap_or(MINUTES);
        Ok(FailoverTest { interface: arguments.text("interface")?, minutes })
    }

    async fn tests(&self, at: &Account<'_>) -> Result<Vec<Test>, AwsFailure> {
        let mut all = Vec::new();
        if !known(&self.interface) {
            return Ok(all);
        }
        let mut next: Option<String> = None;
        loop {
            let request = at.cloud.direct_connect().list_virtual_interface_test_history().set_next_token(next);
            let request = request.virtual_interface_id(&self.interface);
            let operation = Operation::ListVirtualInterfaceTestHistory;
            let page = match at.cloud.read(operation, || request.clone().send()).await {
                Err(failure) if failure.kind == Kind::NotFound => break,
                page => page?,
            };
            all.extend(page.virtual_interface_test_history.unwrap_or_default());
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        all.sort_by_key(|test| test.start_time().map(|at| at.secs()));
        Ok(all)
    }

    /// The interface says so for as long as a test lasts; the history may name its end beforehand.
    async fn is_running(&self, at: &Account<'_>) -> Result<bool, AwsFailure> {
        let there = interface(at.cloud, &self.interface).await?;
        Ok(there.is_some_and(|one| one.virtual_interface_state() == Some(&VirtualInterfaceState::Testing)))
    }
}

/// Was it ended before its time?
fn was_stopped(test: &Test) -> bool {
    test.status().is_some_and(|status| {
        let status = status.to_ascii_uppercase();
        ["STOP", "CANCEL", "FAIL", "DELETE"].iter().any(|word| status.contains(word))
    })
}

fn is_over(test: &Test) -> bool {
    was_stopped(test) || test.status().is_some_and(|status| status.to_ascii_uppercase().contains("COMPLET"))
}

/// The id of the last one, where it is not over.
fn under_way(tests: &[Test]) -> Option<&str> {
    tests.last().filter(|test| !is_over(test)).and_then(Test::test_id)
}

#[async_trait]
impl Thing for FailoverTest {
    const TAGGED: bool = false;

    fn noun(&self) -> String {
        format!("failover test of {}", self.interface)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::Dx(DxRequest::StartBgpFailoverTest {
            virtual_interface_id: self.interface.clone(),
            test_duration_in_minutes: self.minutes,
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let tests = self.tests(at).await?;
        if self.is_running(at).await? {
            let said = format!(
                "{} is under way; it takes {} minutes, and some more to begin and to end",
                self.noun(),
                self.minutes
            );
            return Ok(Sight::Coming(found(said, json!({ "id": under_way(&tests) }))));
        }
        let Some(last) = tests.iter().rev().find(|test| !was_stopped(test)) else {
            return Ok(Sight::Nothing { said: format!("there was no {}", self.noun()) });
        };
        let time = |at: Option<&DateTime>| at.map(ToString::to_string);
        let (from, to) = (time(last.start_time()), time(last.end_time()));
        let said =
            format!("{} from {} to {}", self.noun(), from.as_deref().unwrap_or("?"), to.as_deref().unwrap_or("?"));
        Ok(Sight::Ready(found(said, json!({ "id": last.test_id(), "from": from, "to": to }))))
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::Dx(DxRequest::StopBgpFailoverTest { virtual_interface_id: self.interface.clone() })]
    }

    /// The one of this step that runs is ended. What was, was; and somebody else's goes on.
    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        if !self.is_running(at).await? {
            return Ok(Remains::Gone);
        }
        let tests = self.tests(at).await?;
        let running = under_way(&tests);
        Ok(match made.text("id") {
            Some(id) if running.is_none_or(|running| running == id) => Remains::Takes(self.inverse("", made)),
            _ => Remains::NotOurs {
                said: format!("this step did not begin the test that is under way, {}", running.unwrap_or("unnamed")),
            },
        })
    }
}

//! What Route 53 says that the name servers of a public zone answer.

use async_trait::async_trait;
use serde_json::json;

use super::arguments::{Arguments, known};
use super::aws_account::asked;
use super::aws_zone::{said_name, whole_name};
use super::check::Question;
use super::object::found;
use super::records::{TYPES, sets};
use super::world::{Subject, World};
use super::{Failure, Verified};
use crate::aws::route53::types::RrType;
use crate::aws::{Kind, Operation};

/// `aws/dns-answer`
pub(super) struct Answer {
    zone: String,
    wanted: Vec<Wanted>,
}

/// What one name must answer.
struct Wanted {
    name: String,
    kind: String,
    /// Anything where there are none.
    values: Vec<String>,
}

impl Answer {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        let zone = arguments.text("zone")?;
        let mut wanted: Vec<Wanted> = sets(&arguments)?
            .into_iter()
            .map(|set| Wanted { name: set.name, kind: set.r#type, values: set.values })
            .collect();
        if wanted.is_empty() {
            wanted.push(Wanted {
                name: whole_name(&arguments.text("name")?),
                kind: arguments.one_of("type", &TYPES)?.to_owned(),
                values: arguments.list("values")?,
            });
        }
        Ok(Answer { zone, wanted })
    }
}

/// In one form, sorted.
fn plainly_sorted<'v>(values: impl IntoIterator<Item = &'v String>) -> Vec<String> {
    let mut values: Vec<String> = values.into_iter().map(|value| said_name(value).to_owned()).collect();
    values.sort_unstable();
    values
}

#[async_trait]
impl Question for Answer {
    async fn ask(&self, world: &World) -> Verified {
        if !known(&self.zone) || self.wanted.iter().any(|one| !known(&one.name)) {
            return Verified::NotYet { said: "the zone is not there yet".to_owned() };
        }
        asked(world, async |cloud| {
            let (mut lines, mut all, mut server, mut missing) = (Vec::new(), Vec::new(), String::new(), Vec::new());
            for one in &self.wanted {
                let request = cloud.route53().test_dns_answer().hosted_zone_id(&self.zone).record_name(&one.name);
                let request = request.record_type(RrType::from(one.kind.as_str()));
                let answer = match cloud.read(Operation::TestDNSAnswer, || request.clone().send()).await {
                    Err(failure) if failure.kind == Kind::NotFound => {
                        return Ok(Verified::NotYet { said: format!("there is no zone {} any more", self.zone) });
                    }
                    answer => answer?,
                };
                let (values, wanted) = (plainly_sorted(answer.record_data()), plainly_sorted(&one.values));
                let (name, kind) = (said_name(&one.name), &one.kind);
                answer.nameserver().clone_into(&mut server);
                let said = match values.as_slice() {
                    [] => format!("{server} answers {} for {name} {kind}", answer.response_code()),
                    values => format!("{server} answers {} for {name} {kind}", crate::text::list(values)),
                };
                if values.is_empty() || (!wanted.is_empty() && wanted != values) {
                    missing.push(said.clone());
                }
                lines.push(said);
                all.extend(values);
            }
            Ok(match missing.is_empty() {
                true => Verified::So(found(lines.join("; "), json!({ "values": all, "server": server }))),
                false => Verified::NotYet { said: missing.join("; ") },
            })
        })
        .await
    }
}

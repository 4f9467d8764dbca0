//! A database that is made of a snapshot, or of what another one was at a moment. It is a new one beside the old: it has
//! an address of its own.
//!
//! What is not said AWS fills in, and badly: the default security group, the default parameters, one zone (domain
//! specification, 11.6). So a step has to say where the database stands and by which rules, and it is never public.

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::aws_rds::{name, tags_of};
use super::aws_resource::{given_region, in_region};
use super::call::Call;
use super::call::rds::{History, Keeps, Moment, RdsRequest, Surroundings};
use super::object::{Made, Remains, Sight, Thing, difference, differing};
use super::standing::{self, Stage, Standing, with_progress};
use super::world::Subject;
use crate::aws::rds::primitives::{DateTime, DateTimeFormat};
use crate::aws::rds::types::DbInstance;
use crate::aws::{AwsFailure, Cloud, Holder, Kind, Operation};
use crate::engagement::{Difference, Failure};

/// What it is made of.
enum Source {
    Snapshot(String),
    Past(History, Moment),
}

/// `aws/rds-restore`
pub(super) struct TheRestored {
    id: String,
    source: Source,
    place: Surroundings,
    keeps: Keeps,
}

impl TheRestored {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let groups = arguments.list("groups")?;
        if groups.is_empty() {
            let what = "the argument `groups` of aws/rds-restore names no security group";
            return Err(Failure::new(
                what,
                "Name at least one: AWS would take the default group, whose rules nobody chose.",
            ));
        }
        Ok(TheRestored {
            id: name(arguments, "instance", 63)?,
            source: source(arguments)?,
            place: Surroundings {
                subnet_group: arguments.text("subnet_group")?,
                groups,
                parameter_group: arguments.text("parameter_group")?,
                option_group: arguments.optional("option_group")?,
                class: arguments.optional("class")?,
                multi_az: arguments.one_of("multi_az", &["false", "true"])? == "true",
                public: false,
                protected: false,
                tags: label(subject, arguments)?,
                region: given_region(arguments, "region")?,
            },
            keeps: match arguments.optional("final_snapshot")? {
                Some(_) => Keeps::Snapshot(name(arguments, "final_snapshot", 255)?),
                None => Keeps::Nothing(true),
            },
        })
    }

    fn cloud(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.place.region.as_deref())
    }

    async fn seen(&self, at: &Account<'_>, id: &str) -> Result<Option<DbInstance>, AwsFailure> {
        if !known(id) {
            return Ok(None);
        }
        let place = self.cloud(at);
        let request = place.databases().describe_db_instances().db_instance_identifier(id);
        match place.read(Operation::DescribeDBInstances, || request.clone().send()).await {
            Err(failure) if failure.kind == Kind::NotFound => Ok(None),
            seen => Ok(seen?.db_instances.unwrap_or_default().into_iter().next()),
        }
    }

    /// Compared when it is made: until then not everything is in its place.
    fn differences(&self, seen: &DbInstance) -> Vec<Difference> {
        let wanted = &self.place;
        let parameters: Vec<&str> =
            seen.db_parameter_groups().iter().filter_map(|group| group.db_parameter_group_name()).collect();
        let mut differences = differing(&[
            (
                "subnet group",
                &wanted.subnet_group,
                seen.db_subnet_group().and_then(|group| group.db_subnet_group_name()),
            ),
            (
                "class",
                wanted.class.as_deref().unwrap_or_default(),
                wanted.class.as_ref().and(seen.db_instance_class()).or(Some("")),
            ),
        ]);
        if known(&wanted.parameter_group) && !parameters.contains(&wanted.parameter_group.as_str()) {
            differences.push(difference("parameter group", &wanted.parameter_group, crate::text::list(&parameters)));
        }
        let groups: Vec<&str> =
            seen.vpc_security_groups().iter().filter_map(|one| one.vpc_security_group_id()).collect();
        let missing = wanted.groups.iter().filter(|id| known(id) && !groups.contains(&id.as_str()));
        differences.extend(missing.map(|id| difference("security group", id.as_str(), crate::text::list(&groups))));
        if seen.publicly_accessible().unwrap_or(false) {
            differences.push(difference("reached from the Internet", "no", "yes"));
        }
        differences
    }

    fn standing(&self, at: &Account<'_>, seen: &DbInstance) -> Standing {
        let status = seen.db_instance_status().unwrap_or("creating");
        let id = seen.db_instance_identifier().unwrap_or_default();
        let stage = stage(status);
        let percent = seen.percent_progress().and_then(|percent| percent.parse().ok());
        let endpoint = seen.endpoint();
        Standing {
            id: id.to_owned(),
            holder: at.holder_by_tags(&tags_of(seen.tag_list())),
            stage,
            state: with_progress(status, percent),
            differences: if stage == Stage::Ready { self.differences(seen) } else { Vec::new() },
            output: json!({
                "id": id,
                "arn": seen.db_instance_arn(),
                "address": endpoint.and_then(|endpoint| endpoint.address()),
                "port": endpoint.and_then(|endpoint| endpoint.port()),
            }),
        }
    }

    fn delete(&self, id: &str) -> Call {
        let (instance, keeps, region) = (id.to_owned(), self.keeps.clone(), self.place.region.clone());
        Call::Rds(RdsRequest::DeleteDBInstance { instance, keeps, region })
    }
}

/// States of domain specification 14: a database whose storage is full serves nobody.
fn stage(status: &str) -> Stage {
    match status {
        "available" => Stage::Ready,
        "deleting" => Stage::Going,
        "failed" | "storage-full" | "restore-error" | "insufficient-capacity" => Stage::Broken,
        other if other.starts_with("incompatible-") || other.starts_with("inaccessible-") => Stage::Broken,
        _ => Stage::Coming,
    }
}

fn source(arguments: Arguments<'_>) -> Result<Source, Failure> {
    let given = |name| arguments.optional(name);
    let moment = match given("at")?.as_deref() {
        None | Some("latest") => Moment::Latest(true),
        Some(at) => Moment::At(moment(at)?),
    };
    match (given("snapshot")?, given("source")?, given("backups")?) {
        (Some(snapshot), None, None) if given("at")?.is_none() => Ok(Source::Snapshot(snapshot)),
        (None, Some(instance), None) => Ok(Source::Past(History::Instance(instance), moment)),
        (None, None, Some(backups)) => Ok(Source::Past(History::Backups(backups), moment)),
        (Some(_), None, None) => Err(Failure::new(
            "aws/rds-restore is given both `snapshot` and `at`",
            "A snapshot is of one moment. To restore another one, name `source` or `backups` instead.",
        )),
        _ => Err(Failure::new(
            "aws/rds-restore has to be given one of `snapshot`, `source` and `backups`",
            "Name what it is made of: a snapshot, a database of this region, or backups that were replicated here.",
        )),
    }
}

fn moment(at: &str) -> Result<String, Failure> {
    if known(at) && DateTime::from_str(at, DateTimeFormat::DateTimeWithOffset).is_err() {
        let what = format!("the argument `at` of aws/rds-restore is \"{at}\", which is no moment");
        return Err(Failure::new(what, "Write latest, or a moment with its offset: 2026-08-01T12:00:00Z."));
    }
    Ok(at.to_owned())
}

#[async_trait]
impl Thing for TheRestored {
    fn noun(&self) -> String {
        format!("restored database {}", self.id)
    }

    fn calls(&self) -> Vec<Call> {
        let (instance, place) = (self.id.clone(), self.place.clone());
        vec![Call::Rds(match &self.source {
            Source::Snapshot(snapshot) => {
                RdsRequest::RestoreDBInstanceFromDBSnapshot { snapshot: snapshot.clone(), instance, place }
            }
            Source::Past(source, moment) => {
                let (source, moment) = (source.clone(), moment.clone());
                RdsRequest::RestoreDBInstanceToPointInTime { source, moment, instance, place }
            }
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let id = at.subject.adopted.as_deref().unwrap_or(&self.id);
        let seen = self.seen(at, id).await?.map(|seen| self.standing(at, &seen));
        Ok(standing::sight(at, (&self.noun(), &self.place.tags.key), seen))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let id = at.subject.adopted.as_deref().unwrap_or(&self.id);
        let ours = Holder::Us { key: self.place.tags.key.clone() };
        let seen = self.seen(at, id).await?.map(|seen| self.standing(at, &seen));
        Ok(seen.filter(|seen| seen.holder == ours).map(|seen| seen.id).into_iter().collect())
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![self.delete(id)]
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        Ok(self.seen(at, id).await?.map_or(Holder::Stranger, |seen| self.standing(at, &seen).holder))
    }

    /// With a last snapshot it takes as long as that.
    fn going_looks(&self) -> u32 {
        360
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let seen = self.seen(at, id).await?;
        if seen.as_ref().is_some_and(|seen| seen.deletion_protection().unwrap_or(false)) {
            let said =
                format!("{id} is protected against deletion, which somebody has asked for since it was restored");
            return Ok(Remains::NotOurs { said });
        }
        let seen = seen.map(|seen| self.standing(at, &seen));
        Ok(standing::remains(at, &self.noun(), seen, vec![self.delete(id)]))
    }
}

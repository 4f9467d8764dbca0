//! The account as looks see it: which object is ours, whose the others are, and what there is twice.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::call::Call;
use super::object::{Remains, Sight, difference};
use super::world::Subject;
use crate::aws::ec2::types::{Filter, Tag, TagDescription};
use crate::aws::{self, AwsFailure, Cloud, Holder, Operation};

/// The account as a look uses it.
pub(super) struct Account<'a> {
    pub cloud: &'a Cloud,
    pub subject: &'a Subject,
    /// Ids of further objects of ours under the key that was looked for.
    duplicates: Mutex<Vec<String>>,
}

impl<'a> Account<'a> {
    pub(super) fn new(cloud: &'a Cloud, subject: &'a Subject) -> Self {
        Account { cloud, subject, duplicates: Mutex::default() }
    }

    /// What the looks so far found beside the one that counts.
    pub(super) fn duplicates(&self) -> Vec<String> {
        self.duplicates.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Further ones of ours, beside the one that counts.
    pub(super) fn also_there(&self, ids: impl Iterator<Item = String>) {
        self.duplicates.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
    }

    pub(super) fn ec2(&self) -> &aws::ec2::Client {
        self.cloud.ec2()
    }

    /// Finds all objects of this engagement, for `of_ours` or `only_one` to take one out by its key, or the one that a person
    /// said it is; `by_id` is the filter that takes an id. Not by key: steps that look at the same moment ask one question.
    pub(super) fn ours(&self, by_id: &str) -> Vec<Filter> {
        match &self.subject.adopted {
            Some(id) => vec![aws::filter(by_id, [id.as_str()])],
            None => vec![aws::lookup(&self.subject.engagement)],
        }
    }

    /// Whose is the object of that id? By its tags, whatever it is.
    pub(super) async fn holder_of(&self, id: &str) -> Result<Holder, AwsFailure> {
        let request = self.ec2().describe_tags().filters(aws::filter("resource-id", [id]));
        let answer = self.cloud.read(Operation::DescribeTags, || request.clone().send()).await?;
        let tag = |one: &TagDescription| Tag::builder().set_key(one.key.clone()).set_value(one.value.clone()).build();
        let tags: Vec<Tag> = answer.tags().iter().map(tag).collect();
        Ok(self.holder(Some(&tags)))
    }

    pub(super) fn is_ours(&self, tags: Option<&[Tag]>) -> bool {
        matches!(self.holder(tags), Holder::Us { .. })
    }

    /// No engagement made it, neither this one nor another.
    pub(super) fn is_nobodys(&self, tags: Option<&[Tag]>) -> bool {
        self.holder(tags) == Holder::Stranger
    }

    pub(super) fn holder(&self, tags: Option<&[Tag]>) -> Holder {
        aws::holder(tags.unwrap_or_default(), &self.subject.engagement)
    }

    /// As `holder`, by the tags of another service.
    pub(super) fn holder_by_tags(&self, tags: &BTreeMap<String, String>) -> Holder {
        aws::holder_by(&self.subject.engagement, |wanted| tags.get(wanted).map(String::as_str))
    }

    /// What a look-up by tags brought, looked at once more: not every endpoint heeds every filter (moto gives all NAT
    /// gateways), and nobody else's object may be taken for ours.
    pub(super) fn of_ours<T>(&self, key: &str, found: Vec<T>, tags: fn(&T) -> &[Tag]) -> Vec<T> {
        if self.subject.adopted.is_some() {
            return found;
        }
        let ours = Holder::Us { key: key.to_owned() };
        found.into_iter().filter(|one| self.holder(Some(tags(one))) == ours).collect()
    }

    /// The one object that carries our tags, if any. Of several the oldest counts; the others are told as duplicates and
    /// left alone, until a person says that they are to go (reliability specification, 2.3).
    pub(super) fn only_one<T>(
        &self,
        key: &str,
        found: Vec<T>,
        id: fn(&T) -> Option<&str>,
        tags: fn(&T) -> &[Tag],
    ) -> Option<T> {
        let mut found = self.of_ours(key, found, tags);
        found.sort_by_cached_key(|one| (aws::run(tags(one)), id(one).map(str::to_owned)));
        let mut found = found.into_iter();
        let oldest = found.next();
        self.also_there(found.filter_map(|one| id(&one).map(str::to_owned)));
        oldest
    }

    /// What is left of an object that onramp made, if these calls would take it away.
    pub(super) fn remains(&self, id: &str, there: Option<Option<&[Tag]>>, calls: Vec<Call>) -> Remains {
        match there {
            None => Remains::Gone,
            Some(tags) if !self.is_ours(tags) => Remains::NotOurs { said: self.whose(id, tags) },
            Some(_) => Remains::Takes(calls),
        }
    }

    /// Something is in the place of our object `key`, and the look-up by tags did not bring it: it is somebody else's, or
    /// it is ours and made so recently that not every look-up knows it.
    pub(super) fn taken(&self, noun: &str, key: &str, place: &str, by: (&str, Option<&[Tag]>)) -> Sight {
        let (id, tags) = by;
        let holder = self.holder(tags);
        if self.subject.adopted.is_none() && holder == (Holder::Us { key: key.to_owned() }) {
            return Sight::Appearing { said: format!("{noun} is there as {id}, but not every look shows it yet") };
        }
        self.taken_by(noun, place, (id, &holder))
    }

    /// The same, where it is certain that it is somebody else's.
    pub(super) fn taken_by(&self, noun: &str, place: &str, by: (&str, &Holder)) -> Sight {
        if let Some(chosen) = &self.subject.adopted {
            return Sight::Nothing { said: format!("there is no {chosen} that could be {noun}") };
        }
        let (id, holder) = by;
        Sight::Foreign {
            said: format!("the place of {noun} is taken: {place}"),
            differences: vec![difference(place, format!("{noun}, made by onramp"), self.said_of(id, holder))],
        }
    }

    /// `vpc-123 of another engagement`, `vpc-123 that onramp did not make`
    pub(super) fn whose(&self, id: &str, tags: Option<&[Tag]>) -> String {
        self.said_of(id, &self.holder(tags))
    }

    pub(super) fn said_of(&self, id: &str, holder: &Holder) -> String {
        match holder {
            Holder::Us { key } => format!("{id}, ours as {key}"),
            Holder::Engagement(other) => format!("{id} of the engagement {other}"),
            Holder::Stranger => format!("{id}, which onramp did not make"),
        }
    }
}

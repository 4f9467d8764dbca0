//! A resource of any type, through Cloud Control: by its type and properties, without a line of Rust.
//!
//! It is found by its identifier where the step says its name, otherwise by our tags, or by what tells it from others of
//! its type. `ResourceNotFoundException` alone means that it is not there. What onramp did not make is never deleted; and
//! it is changed only where the step says so, with what was there before kept for the undo.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::Found;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_backup::points;
use super::aws_network::label;
use super::aws_resource_model::{Gap, Wanted, back, differences, joined, still_to_go};
use super::call::resource::{MARK, More, ResourceRequest};
use super::call::{Call, Label, Token};
use super::object::{Made, Partial, Remains, Sight, Thing, found};
use super::world::Subject;
use crate::aws::cloud_control::types::{Operation as Asked, OperationStatus, ResourceRequestStatusFilter};
use crate::aws::{AwsFailure, Cloud, Holder, Operation, TagStyle, run_of};
use crate::engagement::Failure;
use crate::input::{Kind, SecretRef, Setting, parse};
use crate::text::count;

pub(super) use super::aws_resource_model::{tags_as, tags_of};

const VAULT: &str = "AWS::Backup::BackupVault";

/// What AWS shows of it; none where there is none of that identifier.
///
/// # Errors
/// It could not be asked: that says nothing of whether it is there.
pub(super) async fn model_of(cloud: &Cloud, of: &str, id: &str) -> Result<Option<Json>, AwsFailure> {
    let request = cloud.cloud_control().get_resource().type_name(of).identifier(id);
    let seen = match cloud.read(Operation::GetResource, || request.clone().send()).await {
        Err(failure) if failure.code.as_deref() == Some("ResourceNotFoundException") => return Ok(None),
        seen => seen?,
    };
    let properties = seen.resource_description.and_then(|described| described.properties).unwrap_or_default();
    read(of, &properties).map(Some)
}

/// The account in that region, or in the engagement's.
pub(super) fn in_region(cloud: &Cloud, region: Option<&str>) -> Cloud {
    match region.filter(|region| known(region)) {
        Some(region) => cloud.in_region(region),
        None => cloud.clone(),
    }
}

/// The region that an argument names, if it names one; another than the engagement's, such as that for disaster recovery.
///
/// # Errors
/// It is no region of AWS's.
pub(super) fn given_region(arguments: Arguments<'_>, name: &str) -> Result<Option<String>, Failure> {
    let region = arguments.optional(name)?;
    if let Some(region) = region.as_deref().filter(|region| known(region)) {
        parse(&Kind::Region, region, &Setting::default()).map_err(|refusal| {
            let what = format!("the argument `{name}` of {}: {refusal}", arguments.kind);
            Failure::new(what, "Correct the step in the runbook.")
        })?;
    }
    Ok(region)
}

/// # Errors
/// It is not JSON: a look that nobody understands is no look.
fn read(of: &str, properties: &str) -> Result<Json, AwsFailure> {
    serde_json::from_str(properties).map_err(|error| AwsFailure::unread(Operation::GetResource, of, &error))
}

/// One that is there.
struct Seen {
    id: String,
    model: Json,
}

/// `aws/resource`
pub(super) struct TheResource {
    wanted: Wanted,
    /// What is there already is changed, whoever made it.
    changes_existing: bool,
    secret: Option<SecretRef>,
    /// `Endpoint/Address`
    read: Option<String>,
    /// Another than the engagement's.
    region: Option<String>,
    label: Label,
}

impl TheResource {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let wanted = Wanted::new(arguments)?;
        let secret = arguments.secret("secret")?;
        if secret.is_some() && !Json::Object(wanted.properties.clone()).to_string().contains(MARK) {
            let what = format!("the argument `secret` of aws/resource has no place: no property says {MARK}");
            return Err(Failure::new(what, "Correct the step in the runbook."));
        }
        let changes_existing = arguments.one_of("existing", &["leave", "change"])? == "change";
        let (read, region) = (arguments.optional("read")?, given_region(arguments, "region")?);
        Ok(TheResource { wanted, changes_existing, secret, read, region, label: label(subject, arguments)? })
    }

    fn more(&self) -> More {
        let minutes = self.wanted.row.map_or(5, |row| row.minutes);
        More { region: self.region.clone(), tags_in: self.wanted.tags, secret: self.secret.clone(), minutes }
    }

    fn update(&self, id: &str, patch_document: Vec<Json>) -> Call {
        Call::Resource(ResourceRequest::UpdateResource {
            type_name: self.wanted.type_name.clone(),
            identifier: id.to_owned(),
            patch_document,
            client_token: Token,
            more: self.more(),
        })
    }

    fn delete(&self, id: &str) -> Call {
        Call::Resource(ResourceRequest::DeleteResource {
            type_name: self.wanted.type_name.clone(),
            identifier: id.to_owned(),
            client_token: Token,
            more: self.more(),
        })
    }

    fn place(&self, at: &Account<'_>) -> Cloud {
        in_region(at.cloud, self.region.as_deref())
    }

    async fn of_id(&self, at: &Account<'_>, id: &str) -> Result<Option<Seen>, AwsFailure> {
        let model = model_of(&self.place(at), &self.wanted.type_name, id).await?;
        Ok(model.map(|model| Seen { id: id.to_owned(), model }))
    }

    /// All that could be meant: the one of its name; else those of its type that are ours, or that nothing tells from it.
    async fn candidates(&self, at: &Account<'_>) -> Result<Vec<Seen>, AwsFailure> {
        if let Some(id) = &at.subject.adopted {
            return Ok(self.of_id(at, id).await?.into_iter().collect());
        }
        if let Some(id) = self.wanted.identifier() {
            return Ok(self.of_id(at, &id).await?.into_iter().collect());
        }
        let ending = self.wanted.arn_ends_with();
        let ours = Holder::Us { key: self.label.key.clone() };
        let mut all = Vec::new();
        for listed in self.listed(&self.place(at)).await?.into_iter().filter(|id| id_fits(id, ending.as_deref())) {
            // A list shows few properties of each, and no tags.
            let Some(seen) = self.of_id(at, &listed).await? else { continue };
            let meant = self.holder_of(at, &seen) == ours || ending.is_some() || self.wanted.is_known_in(&seen.model);
            if meant {
                all.push(seen);
            }
        }
        Ok(all)
    }

    /// Identifiers of all of the type.
    async fn listed(&self, cloud: &Cloud) -> Result<Vec<String>, AwsFailure> {
        let mut all = Vec::new();
        let Some(model) = self.wanted.listed_in().filter(|_| known(&self.wanted.type_name)) else { return Ok(all) };
        let model = (!model.is_empty()).then(|| Json::Object(model).to_string());
        let mut next: Option<String> = None;
        loop {
            let request = cloud.cloud_control().list_resources().type_name(&self.wanted.type_name);
            let request = request.set_resource_model(model.clone()).set_next_token(next);
            let page = cloud.read(Operation::ListResources, || request.clone().send()).await?;
            all.extend(page.resource_descriptions.unwrap_or_default().into_iter().filter_map(|one| one.identifier));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    fn holder_of(&self, at: &Account<'_>, seen: &Seen) -> Holder {
        at.holder_by_tags(&tags_of(&seen.model, self.wanted.tags))
    }

    /// Without tags it is ours when it was written down that this step made it.
    fn made_here(&self, at: &Account<'_>, id: &str) -> bool {
        let made = &at.subject.made;
        at.subject.adopted.is_none()
            && made.get("id").and_then(Json::as_str) == Some(id)
            && !made.contains_key("former")
    }

    fn is_ours(&self, at: &Account<'_>, seen: &Seen) -> bool {
        match self.wanted.tags {
            TagStyle::None => self.made_here(at, &seen.id),
            _ => self.holder_of(at, seen) == Holder::Us { key: self.label.key.clone() },
        }
    }

    /// The one that counts: ours, the oldest first; else the one that has our place.
    async fn the_one(&self, at: &Account<'_>) -> Result<Option<Seen>, AwsFailure> {
        let mut all = self.candidates(at).await?;
        all.sort_by_cached_key(|seen| {
            (!self.is_ours(at, seen), run_of(&tags_of(&seen.model, self.wanted.tags)), seen.id.clone())
        });
        let mut all = all.into_iter();
        let first = all.next();
        let others: Vec<String> = all.filter(|seen| self.is_ours(at, seen)).map(|seen| seen.id).collect();
        at.also_there(others.into_iter());
        Ok(first)
    }

    /// Is AWS still making or changing it?
    async fn is_going_on(&self, at: &Account<'_>, id: &str) -> Result<bool, AwsFailure> {
        let going = ResourceRequestStatusFilter::builder()
            .operations(Asked::Create)
            .operations(Asked::Update)
            .operation_statuses(OperationStatus::Pending)
            .operation_statuses(OperationStatus::InProgress)
            .build();
        let place = self.place(at);
        let request = place.cloud_control().list_resource_requests().resource_request_status_filter(going);
        let listed = place.read(Operation::ListResourceRequests, || request.clone().send()).await?;
        let mut all = listed.resource_request_status_summaries().iter();
        Ok(all.any(|event| event.type_name() == Some(&self.wanted.type_name) && event.identifier() == Some(id)))
    }

    /// No undo takes a backup away, and AWS no vault that has one.
    async fn holds_backups(&self, at: &Account<'_>, id: &str) -> Result<Option<Remains>, AwsFailure> {
        if self.wanted.type_name != VAULT {
            return Ok(None);
        }
        let place = self.place(at);
        let (backups, region) = (points(&place, id, None).await?.len(), place.region());
        let holds = || Remains::Holds {
            said: format!("the vault {id} holds {}, which onramp does not delete", count(backups, "backup")),
            advice: format!(
                "AWS lets a vault go when it is empty. When nobody needs them any more, delete each: aws backup \
                 list-recovery-points-by-backup-vault --region {region} --backup-vault-name {id} lists them, aws backup \
                 delete-recovery-point --region {region} --backup-vault-name {id} --recovery-point-arn ARN deletes one. In \
                 a locked vault they go when their time is over. Then undo this step again."
            ),
        };
        Ok((backups > 0).then(holds))
    }

    async fn nothing(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let noun = self.wanted.noun();
        if let Some(id) = self.wanted.identifier()
            && self.is_going_on(at, &id).await?
        {
            return Ok(Sight::Appearing { said: format!("{noun} is being made") });
        }
        Ok(Sight::Nothing { said: format!("{noun} is not there") })
    }

    fn judge(&self, at: &Account<'_>, seen: &Seen) -> Sight {
        let noun = self.wanted.noun();
        let holder = self.holder_of(at, seen);
        let (ours, chosen) = (self.is_ours(at, seen), at.subject.adopted.is_some());
        if !ours && !chosen && holder != Holder::Stranger {
            return at.taken_by(&noun, &noun, (&seen.id, &holder));
        }
        let gaps = self.wanted.gaps(&seen.model);
        if gaps.is_empty() {
            let said = format!("{noun} is as wanted");
            let said = if said.contains(&seen.id) { said } else { format!("{said}: {}", seen.id) };
            let mut there = found(said, self.output(seen));
            // Without tags nothing tells whose it is; where it may have been there before, it is not taken for ours.
            there.foreign = !ours && (self.wanted.tags != TagStyle::None || self.changes_existing);
            return Sight::Ready(there);
        }
        let (said, differences) = (format!("{noun} is there, but not as wanted"), differences(&gaps));
        let fixed = self.wanted.for_ever(&gaps);
        if !fixed.is_empty() {
            let names: Vec<&str> = fixed.iter().map(|path| path.trim_start_matches('/')).collect();
            let said = format!("{said}, and {} can never be changed", crate::text::list(&names));
            return Sight::Foreign { said, differences };
        }
        if !ours && !self.changes_existing {
            return Sight::Foreign { said: format!("{said}, and onramp did not make it"), differences };
        }
        let hiding = self.wanted.hiding(&seen.model, ours);
        if !hiding.is_empty() {
            return Sight::Foreign { said: format!("{said}, and {}", cannot_be_kept(&hiding)), differences };
        }
        let missing = vec![self.update(&seen.id, self.wanted.patch(&gaps, &seen.model))];
        Sight::Partial(Partial { said, differences, missing, keep: self.keep(at, seen, ours, &gaps) })
    }

    fn keep(&self, at: &Account<'_>, seen: &Seen, ours: bool, gaps: &[Gap]) -> BTreeMap<String, Json> {
        let mut keep = BTreeMap::from([("id".to_owned(), json!(seen.id))]);
        if !ours {
            keep.insert("former".to_owned(), json!(joined(at.subject.made.get("former"), back(gaps))));
        }
        keep
    }

    fn output(&self, seen: &Seen) -> Json {
        let text = |name: &str| seen.model.get(name).and_then(Json::as_str);
        let of_row = self.wanted.row.into_iter().flat_map(|row| row.read_only().chain(row.identifiers()));
        let own = of_row.filter(|name| name.ends_with("Arn")).find_map(text);
        let arn = own.or_else(|| text("Arn")).or(Some(seen.id.as_str())).filter(|text| text.starts_with("arn:"));
        let value = self.read.as_ref().and_then(|path| seen.model.pointer(&format!("/{path}")));
        json!({ "id": seen.id, "arn": arn, "value": value })
    }
}

/// Why nothing is changed: the words end where the advice begins.
fn cannot_be_kept(hiding: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = hiding.iter().copied().collect();
    let names = crate::text::list(&names);
    format!(
        "AWS does not show all of {names}: an update would take away what nobody can read. It can be changed where the \
         step's properties say {names}, too"
    )
}

fn id_fits(id: &str, ending: Option<&str>) -> bool {
    ending.is_none_or(|ending| id.ends_with(ending))
}

#[async_trait]
impl Thing for TheResource {
    fn noun(&self) -> String {
        self.wanted.noun()
    }

    fn calls(&self) -> Vec<Call> {
        let tags = (self.wanted.tags != TagStyle::None).then(|| self.label.clone());
        vec![Call::Resource(ResourceRequest::CreateResource {
            type_name: self.wanted.type_name.clone(),
            desired_state: Json::Object(self.wanted.properties.clone()),
            tags,
            client_token: Token,
            more: self.more(),
        })]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let Some(seen) = self.the_one(at).await? else { return self.nothing(at).await };
        match self.judge(at, &seen) {
            // Some types are shown before they are whole: a database for a quarter of an hour.
            Sight::Ready(there) if self.is_going_on(at, &seen.id).await? => {
                let said = format!("{}, and AWS is still at it", there.said);
                Ok(Sight::Coming(Found { said, ..there }))
            }
            sight => Ok(sight),
        }
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        if self.wanted.tags == TagStyle::None {
            return Ok(Vec::new());
        }
        let all = self.candidates(at).await?;
        Ok(all.into_iter().filter(|seen| self.is_ours(at, seen)).map(|seen| seen.id).collect())
    }

    fn inverse(&self, id: &str, made: &Made<'_>) -> Vec<Call> {
        match made.0.get("former").and_then(Json::as_array) {
            Some(former) => vec![self.update(id, former.clone())],
            None => vec![self.delete(id)],
        }
    }

    async fn holder(&self, at: &Account<'_>, id: &str) -> Result<Holder, AwsFailure> {
        let seen = self.of_id(at, id).await?;
        Ok(seen.map_or(Holder::Stranger, |seen| self.holder_of(at, &seen)))
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let Some(seen) = self.of_id(at, id).await? else { return Ok(Remains::Gone) };
        let former = made.0.get("former").and_then(Json::as_array);
        let holder = self.holder_of(at, &seen);
        if matches!(holder, Holder::Us { .. }) || (self.wanted.tags == TagStyle::None && former.is_none()) {
            let takes = || Remains::Takes(vec![self.delete(id)]);
            return Ok(self.holds_backups(at, id).await?.unwrap_or_else(takes));
        }
        let Some(former) = former else {
            return Ok(Remains::NotOurs { said: at.said_of(id, &holder) });
        };
        let to_go = still_to_go(former, &seen.model);
        if to_go.is_empty() {
            return Ok(Remains::Gone);
        }
        let since: Vec<String> = self.wanted.gaps(&seen.model).into_iter().map(|gap| gap.path).collect();
        if to_go.iter().any(|step| since.iter().any(|path| step["path"].as_str() == Some(path))) {
            let said =
                format!("somebody has changed {id} since: it is neither as this step left it nor as it was before");
            return Ok(Remains::NotOurs { said });
        }
        let hiding = self.wanted.hiding(&seen.model, false);
        if !hiding.is_empty() {
            return Ok(Remains::NotOurs { said: format!("{id} cannot be put back: {}", cannot_be_kept(&hiding)) });
        }
        Ok(Remains::Takes(vec![self.update(id, self.wanted.with_unseen(to_go, &seen.model))]))
    }
}

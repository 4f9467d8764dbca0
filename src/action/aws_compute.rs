//! Hosts: key pairs, instances, and their addresses.

use async_trait::async_trait;
use serde_json::json;

use super::Found;
use super::account::Account;
use super::arguments::{Arguments, known};
use super::aws_network::label;
use super::aws_outbound::addresses;
use super::call::{Call, Ebs, Flag, Label, Launch, MetadataOptions, RootVolume, Token};
use super::object::{Made, Partial, Remains, Sight, Thing, difference, differing, found, ids};
use super::world::Subject;
use crate::aws::ec2::types::{Filter, Instance, InstanceAttributeName, InstanceStateName, KeyPairInfo};
use crate::aws::{AwsFailure, Operation, filter};
use crate::engagement::Failure;

/// `aws/key-pair`: only ever a public key. CreateKeyPair would send a private key through the network.
pub(super) struct KeyPair {
    name: String,
    public_key: String,
    label: Label,
}

impl KeyPair {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let public_key = arguments.text("public_key")?;
        if known(&public_key) && material(&public_key).is_none() {
            return Err(Failure::new(
                "the argument `public_key` of aws/key-pair is not an OpenSSH public key",
                "Give the line of a .pub file, such as \"ssh-ed25519 AAAA… anna\".",
            ));
        }
        Ok(KeyPair { name: arguments.text("name")?, public_key, label: label(subject, arguments)? })
    }

    async fn describe(&self, at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<KeyPairInfo>, AwsFailure> {
        let request = at.ec2().describe_key_pairs().include_public_key(true).set_filters(Some(filters));
        Ok(at
            .cloud
            .read_together(Operation::DescribeKeyPairs, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?
            .key_pairs
            .unwrap_or_default())
    }

    /// A name is there once in a region. Whoever brought another's may take it away, also where it holds the same key.
    async fn nothing_of_ours(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let named = self.describe(at, vec![filter("key-name", [self.name.as_str()])]).await?;
        // Not every endpoint heeds every filter.
        let Some(other) = named.iter().find(|pair| pair.key_name() == Some(&self.name)) else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let which = if self.is_the_key(other) { "the same" } else { "another" };
        let place = format!("the name {}, with {which} public key", self.name);
        let by = (other.key_pair_id().unwrap_or_default(), other.tags.as_deref());
        Ok(at.taken(&self.noun(), &self.label.key, &place, by))
    }

    fn is_the_key(&self, pair: &KeyPairInfo) -> bool {
        !known(&self.public_key) || pair.public_key().and_then(material) == material(&self.public_key)
    }
}

/// Kind and material of a public key line, without the comment.
fn material(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    match (words.next(), words.next()) {
        (Some(kind), Some(key)) if kind.starts_with("ssh-") || kind.starts_with("ecdsa-") => Some((kind, key)),
        _ => None,
    }
}

#[async_trait]
impl Thing for KeyPair {
    fn noun(&self) -> String {
        format!("key pair {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::ImportKeyPair {
            key_name: self.name.clone(),
            public_key_material: self.public_key.clone(),
            tag_specifications: self.label.clone(),
        }]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.describe(at, at.ours("key-pair-id")).await?;
        let Some(pair) = at.only_one(&self.label.key, ours, KeyPairInfo::key_pair_id, KeyPairInfo::tags) else {
            return self.nothing_of_ours(at).await;
        };
        let id = pair.key_pair_id().unwrap_or_default();
        if pair.key_name() != Some(&self.name) {
            let differences = differing(&[("name", &self.name, pair.key_name())]);
            return Ok(Sight::Foreign { said: format!("{} is there under another name", self.noun()), differences });
        }
        if !self.is_the_key(&pair) {
            let differences = vec![difference("key", "the operator's", at.whose(id, pair.tags.as_deref()))];
            return Ok(Sight::Foreign { said: format!("{} holds another key", self.noun()), differences });
        }
        let fingerprint = pair.key_fingerprint().unwrap_or_default();
        let output = json!({ "id": id, "name": self.name, "fingerprint": fingerprint });
        let foreign = !at.is_ours(pair.tags.as_deref());
        Ok(Sight::Ready(Found { foreign, ..found(format!("{} ({id}), {fingerprint}", self.name), output) }))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("key-pair-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, KeyPairInfo::tags), KeyPairInfo::key_pair_id))
    }

    fn inverse(&self, _id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteKeyPair { key_name: self.name.clone() }]
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("key-pair-id", [id])]).await?;
        let tags = there.first().map(|pair| pair.tags.as_deref());
        let key_name = there.first().and_then(KeyPairInfo::key_name).unwrap_or_default().to_owned();
        Ok(at.remains(id, tags, vec![Call::DeleteKeyPair { key_name }]))
    }
}

/// `aws/instance`
pub(super) struct TheInstance {
    launch: Launch,
}

impl TheInstance {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let label = label(subject, arguments)?;
        let root = RootVolume {
            device_name: arguments.optional("root_device")?.unwrap_or_else(|| "/dev/sda1".to_owned()),
            ebs: Ebs {
                volume_size: arguments.number("volume_gib", 1, 16_384)?.unwrap_or(20),
                volume_type: "gp3",
                encrypted: true,
                delete_on_termination: true,
            },
        };
        Ok(TheInstance {
            launch: Launch {
                image_id: arguments.text("image")?,
                instance_type: arguments.text("type")?,
                subnet_id: arguments.text("subnet")?,
                security_group_ids: arguments.list("groups")?,
                key_name: arguments.text("key_pair")?,
                min_count: 1,
                max_count: 1,
                metadata_options: MetadataOptions { http_tokens: "required" },
                block_device_mappings: [root],
                user_data: arguments.optional("user_data")?,
                disable_api_termination: arguments.one_of("protected", &["false", "true"])? == "true",
                client_token: Token,
                tag_specifications: label,
            },
        })
    }

    /// An image whose root device has another name would get an unencrypted root and a second, empty disk.
    async fn nothing_of_ours(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let [volume] = &self.launch.block_device_mappings;
        if known(&self.launch.image_id) {
            let request = at.ec2().describe_images().filters(filter("image-id", [self.launch.image_id.as_str()]));
            let images =
                at.cloud.read(Operation::DescribeImages, || request.clone().send()).await?.images.unwrap_or_default();
            let root = images.first().and_then(|image| image.root_device_name());
            if let Some(root) = root.filter(|root| *root != volume.device_name) {
                return Ok(Sight::Foreign {
                    said: format!("{} would get a root disk that is not encrypted", self.noun()),
                    differences: vec![difference("root device", volume.device_name.as_str(), root)],
                });
            }
        }
        Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) })
    }

    fn differences(&self, instance: &Instance) -> Vec<crate::engagement::Difference> {
        let wanted = &self.launch;
        let kind = instance.instance_type().map(|kind| kind.as_str());
        let mut differences = differing(&[
            ("image", wanted.image_id.as_str(), instance.image_id()),
            ("type", &wanted.instance_type, kind),
            ("subnet", &wanted.subnet_id, instance.subnet_id()),
            ("key pair", &wanted.key_name, instance.key_name()),
        ]);
        let groups: Vec<&str> = instance.security_groups().iter().filter_map(|group| group.group_id()).collect();
        let missing = wanted.security_group_ids.iter().filter(|id| known(id) && !groups.contains(&id.as_str()));
        differences.extend(missing.map(|id| difference("security group", id.as_str(), crate::text::list(&groups))));
        differences
    }
}

/// What protects an instance from being terminated by a slip of the hand, or lifts that.
fn protection(id: &str, value: bool) -> Call {
    Call::ModifyInstanceAttribute { instance_id: id.to_owned(), disable_api_termination: Flag { value } }
}

async fn is_protected(at: &Account<'_>, id: &str) -> Result<bool, AwsFailure> {
    let attribute = InstanceAttributeName::DisableApiTermination;
    let request = at.ec2().describe_instance_attribute().instance_id(id).attribute(attribute);
    let answer = at.cloud.read(Operation::DescribeInstanceAttribute, || request.clone().send()).await?;
    Ok(answer.disable_api_termination.and_then(|protection| protection.value).unwrap_or(false))
}

impl TheInstance {
    fn is_to_be_protected(&self) -> bool {
        self.launch.disable_api_termination
    }

    /// Ours, and not protected although it is to be. Of what is another's, its owner decides.
    async fn unprotected(&self, at: &Account<'_>, instance: &Instance) -> Result<Option<Sight>, AwsFailure> {
        let id = instance.instance_id().unwrap_or_default();
        let asks = self.is_to_be_protected() && at.is_ours(instance.tags.as_deref());
        if !asks || is_protected(at, id).await? {
            return Ok(None);
        }
        Ok(Some(Sight::Partial(Partial {
            said: format!("{} runs as {id}, but anybody may terminate it by a slip of the hand", self.noun()),
            differences: vec![difference("protection against termination", "on", "off")],
            missing: vec![protection(id, true)],
            keep: [("id".to_owned(), json!(id))].into_iter().collect(),
        })))
    }

    /// A protection that this step did not ask for is somebody's wish: AWS refuses, and its answer tells of it.
    async fn ends_with(&self, at: &Account<'_>, id: &str) -> Result<Vec<Call>, AwsFailure> {
        let end = Call::TerminateInstances { instance_ids: [id.to_owned()] };
        Ok(match self.is_to_be_protected() && is_protected(at, id).await? {
            true => vec![protection(id, false), end],
            false => vec![end],
        })
    }
}

/// Instances by filter.
pub(super) async fn instances(at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<Instance>, AwsFailure> {
    let request = at.ec2().describe_instances().set_filters(Some(filters));
    let mut instances = Vec::new();
    let mut page: Option<String> = None;
    loop {
        let request = request.clone().set_next_token(page.take());
        let answer = at
            .cloud
            .read_together(Operation::DescribeInstances, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?;
        let reservations = answer.reservations.unwrap_or_default();
        instances.extend(reservations.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default()));
        match answer.next_token.filter(|token| !token.is_empty()) {
            Some(token) => page = Some(token),
            None => return Ok(instances),
        }
    }
}

fn state(instance: &Instance) -> Option<&InstanceStateName> {
    instance.state().and_then(|state| state.name())
}

fn is_live(instance: &Instance) -> bool {
    !matches!(state(instance), Some(InstanceStateName::Terminated | InstanceStateName::ShuttingDown))
}

/// Why it ended, unless somebody wanted it to end.
fn died_of(instance: &Instance) -> Option<(String, String)> {
    let reason = instance.state_reason()?;
    let code = reason.code().unwrap_or_default();
    (!code.is_empty() && code != "Client.UserInitiatedShutdown" && code != "pending")
        .then(|| (code.to_owned(), reason.message().unwrap_or_default().to_owned()))
}

impl TheInstance {
    /// AWS took it and could not start it. Its reason is one of the codes with which calls are refused (user guide of EC2,
    /// "Why does my instance terminate immediately").
    fn died(&self, code: String, message: String) -> Failure {
        let told = AwsFailure::of_instance(&code, &message);
        Failure {
            what: format!("{} ended as soon as it was started", self.noun()),
            advice: format!(
                "{} What was started has ended for good: undo this step before you run it again.",
                told.advice
            ),
            ..Failure::from(told)
        }
    }
}

#[async_trait]
impl Thing for TheInstance {
    fn noun(&self) -> String {
        format!("instance {}", self.launch.tag_specifications.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::RunInstances(Box::new(self.launch.clone()))]
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        // Terminated ones stay visible for about an hour.
        let key = &self.launch.tag_specifications.key;
        let ours = at.of_ours(key, instances(at, at.ours("instance-id")).await?, Instance::tags);
        let (live, ended): (Vec<_>, Vec<_>) = ours.into_iter().partition(is_live);
        let instance = match at.only_one(key, live, Instance::instance_id, Instance::tags) {
            Some(instance) => instance,
            None => {
                return match ended.iter().find_map(died_of) {
                    None => self.nothing_of_ours(at).await,
                    Some((code, message)) => Ok(Sight::Broken(self.died(code, message))),
                };
            }
        };
        let id = instance.instance_id().unwrap_or_default();
        let differences = self.differences(&instance);
        if !differences.is_empty() {
            return Ok(Sight::Foreign { said: format!("{} is there as {id}, but another", self.noun()), differences });
        }
        let private = instance.private_ip_address().unwrap_or_default();
        let output = json!({ "id": id, "private_address": private });
        if let (Some(InstanceStateName::Running), Some(sight)) =
            (state(&instance), self.unprotected(at, &instance).await?)
        {
            return Ok(sight);
        }
        Ok(match state(&instance) {
            Some(InstanceStateName::Running) => Sight::Ready(found(format!("{id} is running at {private}"), output)),
            Some(InstanceStateName::Pending) => Sight::Coming(found(format!("{id} is pending"), output)),
            other => Sight::Foreign {
                said: format!("{} ({id}) does not run", self.noun()),
                differences: vec![difference("state", "running", other.map_or("unknown", |state| state.as_str()))],
            },
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let key = &self.launch.tag_specifications.key;
        let there = at.of_ours(key, instances(at, at.ours("instance-id")).await?, Instance::tags);
        let there = there.into_iter().filter(|one| state(one) != Some(&InstanceStateName::Terminated));
        Ok(ids(there.collect(), Instance::instance_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        let lifted = self.is_to_be_protected().then(|| protection(id, false));
        lifted.into_iter().chain([Call::TerminateInstances { instance_ids: [id.to_owned()] }]).collect()
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = instances(at, vec![filter("instance-id", [id])]).await?;
        let instance = there.first().filter(|instance| state(instance) != Some(&InstanceStateName::Terminated));
        if instance.is_some_and(|instance| !is_live(instance)) {
            return Ok(Remains::Going { said: format!("{id} is shutting down") });
        }
        let Some(instance) = instance else { return Ok(Remains::Gone) };
        Ok(at.remains(id, Some(instance.tags.as_deref()), self.ends_with(at, id).await?))
    }
}

/// `aws/instance-address`: an elastic address belongs to an instance.
pub(super) struct InstanceAddress {
    instance: String,
    allocation: String,
}

impl InstanceAddress {
    pub(super) fn new(arguments: Arguments<'_>, _subject: &Subject) -> Result<Self, Failure> {
        Ok(InstanceAddress { instance: arguments.text("instance")?, allocation: arguments.text("allocation")? })
    }
}

#[async_trait]
impl Thing for InstanceAddress {
    fn noun(&self) -> String {
        format!("address {} at {}", self.allocation, self.instance)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::AssociateAddress {
            allocation_id: self.allocation.clone(),
            instance_id: self.instance.clone(),
            allow_reassociation: false,
        }]
    }

    fn id_name(&self) -> &'static str {
        "association"
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let nothing = || Sight::Nothing { said: format!("{} is nowhere", self.allocation) };
        if !known(&self.allocation) {
            return Ok(nothing());
        }
        let there = addresses(at, vec![filter("allocation-id", [self.allocation.as_str()])]).await?;
        let Some(address) = there.into_iter().next() else { return Ok(nothing()) };
        let ip = address.public_ip().unwrap_or_default();
        let holder = address.instance_id().or(address.network_interface_id()).filter(|holder| !holder.is_empty());
        Ok(match holder {
            None => nothing(),
            Some(holder) if holder == self.instance || !known(&self.instance) => {
                let association = address.association_id().unwrap_or_default();
                let output = json!({ "address": ip, "association": association });
                Sight::Ready(found(format!("{ip} at {holder}"), output))
            }
            Some(holder) => Sight::Foreign {
                said: format!("{ip} is somewhere else"),
                differences: vec![difference("instance", &self.instance, holder)],
            },
        })
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DisassociateAddress { association_id: id.to_owned() }]
    }

    async fn remains(&self, at: &Account<'_>, _made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let there = addresses(at, vec![filter("allocation-id", [self.allocation.as_str()])]).await?;
        let here = there.iter().find(|address| address.instance_id() == Some(&self.instance));
        let association = here.and_then(|address| address.association_id());
        Ok(match association {
            None => Remains::Gone,
            Some(id) => Remains::Takes(vec![Call::DisassociateAddress { association_id: id.to_owned() }]),
        })
    }
}

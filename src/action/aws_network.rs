//! The network itself: VPC, subnets, internet gateway.

mod taken;

use async_trait::async_trait;
use serde_json::json;

use super::account::Account;
use super::arguments::{Arguments, known};
use super::call::{Call, Flag, ITSELF, Label, VpcAttribute};
use super::dependents;
use super::object::{Made, Partial, Remains, Sight, Thing, difference, differing, found, ids, there_before};
use super::world::Subject;
use crate::aws::ec2::types::{
    AttachmentStatus, AttributeBooleanValue, Filter, InternetGateway, Subnet, SubnetState, Vpc, VpcAttributeName,
    VpcState,
};
use crate::aws::{AwsFailure, Holder, Operation, filter};
use crate::engagement::Failure;
use crate::input::share_addresses;

pub(super) use taken::TakenVpc;

/// The label of an object: its key, and a name for the console made of customer and key.
pub(super) fn label(subject: &Subject, arguments: Arguments<'_>) -> Result<Label, Failure> {
    let key = arguments.text("key")?;
    let name = match arguments.optional("name")? {
        Some(name) => name,
        None => format!("{} {key}", if subject.customer.is_empty() { &subject.name } else { &subject.customer }),
    };
    Ok(Label { key, name })
}

/// May what is in its place already be taken as it is? A person has decided it.
pub(super) fn takes(arguments: Arguments<'_>) -> Result<bool, Failure> {
    Ok(arguments.one_of("existing", &["leave", "take"])? == "take")
}

/// VPCs by filter.
pub(super) async fn vpcs(at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<Vpc>, AwsFailure> {
    let request = at.ec2().describe_vpcs().set_filters(Some(filters));
    Ok(at
        .cloud
        .read_together(Operation::DescribeVpcs, format!("{:?}", request.as_input()), move || request.clone().send())
        .await?
        .vpcs
        .unwrap_or_default())
}

type Attribute = fn(Flag) -> VpcAttribute;

/// Both must be on for private zones and private endpoints. AWS takes the names only after the resolution.
const DNS: [(&str, Attribute); 2] =
    [("DNS resolution", VpcAttribute::EnableDnsSupport), ("DNS host names", VpcAttribute::EnableDnsHostnames)];

fn switch(vpc: &str, attribute: Attribute, value: bool) -> Call {
    Call::ModifyVpcAttribute { vpc_id: vpc.to_owned(), attribute: attribute(Flag { value }) }
}

/// Which of the two attributes are off.
async fn switched_off(at: &Account<'_>, vpc: &str) -> Result<Vec<(&'static str, Attribute)>, AwsFailure> {
    let ask = |name: VpcAttributeName| at.ec2().describe_vpc_attribute().vpc_id(vpc).attribute(name);
    let (resolution, naming) = (ask(VpcAttributeName::EnableDnsSupport), ask(VpcAttributeName::EnableDnsHostnames));
    let (resolution, naming) = tokio::try_join!(
        at.cloud.read(Operation::DescribeVpcAttribute, || resolution.clone().send()),
        at.cloud.read(Operation::DescribeVpcAttribute, || naming.clone().send()),
    )?;
    let is_off = |flag: Option<AttributeBooleanValue>| !flag.and_then(|flag| flag.value).unwrap_or(false);
    let off = [is_off(resolution.enable_dns_support), is_off(naming.enable_dns_hostnames)];
    Ok(DNS.into_iter().zip(off).filter(|(_, off)| *off).map(|(attribute, _)| attribute).collect())
}

/// `aws/vpc`
pub(super) struct TheVpc {
    cidr: String,
    label: Label,
}

impl TheVpc {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        Ok(TheVpc { cidr: arguments.text("cidr")?, label: label(subject, arguments)? })
    }

    async fn nothing_of_ours(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let same_range = vpcs(at, vec![filter("cidr", [self.cidr.as_str()])]).await?;
        // Another engagement's VPC may have the range on purpose; one without any of our tags may be this very one,
        // made by hand, and two of the same range can never be connected.
        let other = same_range.iter().find(|vpc| !matches!(at.holder(vpc.tags.as_deref()), Holder::Engagement(_)));
        Ok(match other {
            Some(vpc) => {
                let by = (vpc.vpc_id().unwrap_or_default(), vpc.tags.as_deref());
                at.taken(&self.noun(), &self.label.key, &format!("the range {}", self.cidr), by)
            }
            None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
        })
    }
}

#[async_trait]
impl Thing for TheVpc {
    fn noun(&self) -> String {
        format!("VPC {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        let create = Call::CreateVpc { cidr_block: self.cidr.clone(), tag_specifications: self.label.clone() };
        std::iter::once(create).chain(DNS.map(|(_, attribute)| switch(ITSELF, attribute, true))).collect()
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = vpcs(at, at.ours("vpc-id")).await?;
        let Some(vpc) = at.only_one(&self.label.key, ours, Vpc::vpc_id, Vpc::tags) else {
            return self.nothing_of_ours(at).await;
        };
        let (id, cidr) = (vpc.vpc_id().unwrap_or_default(), vpc.cidr_block().unwrap_or_default());
        if cidr != self.cidr {
            let differences = vec![difference("range", &self.cidr, cidr)];
            return Ok(Sight::Foreign { said: format!("{} has another range", self.noun()), differences });
        }
        let off = switched_off(at, id).await?;
        if !off.is_empty() {
            let differences = off.iter().map(|(what, _)| difference(what, "on", "off")).collect();
            let missing = off.into_iter().map(|(_, attribute)| switch(id, attribute, true)).collect();
            let said = format!("{} is there as {id}, but not complete", self.noun());
            return Ok(Sight::Partial(Partial {
                said,
                differences,
                missing,
                keep: [("id".to_owned(), json!(id))].into(),
            }));
        }
        let output = json!({ "id": id });
        Ok(match vpc.state() {
            Some(VpcState::Pending) => Sight::Coming(found(format!("{id} is being made"), output)),
            _ => Sight::Ready(found(format!("{id} with {cidr}, DNS on"), output)),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = vpcs(at, at.ours("vpc-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, Vpc::tags), Vpc::vpc_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteVpc { vpc_id: id.to_owned() }]
    }

    async fn dependents(&self, at: &Account<'_>, id: &str) -> Result<Vec<String>, AwsFailure> {
        dependents::of_vpc(at, id).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = vpcs(at, vec![filter("vpc-id", [id])]).await?;
        let tags = there.first().map(|vpc| vpc.tags.as_deref());
        Ok(at.remains(id, tags, vec![Call::DeleteVpc { vpc_id: id.to_owned() }]))
    }
}

/// `aws/subnet`
pub(super) struct TheSubnet {
    vpc: String,
    cidr: String,
    zone: String,
    is_public: bool,
    takes: bool,
    label: Label,
}

impl TheSubnet {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let zone = arguments.text("zone")?;
        let mut label = label(subject, arguments)?;
        let tier = arguments.optional("tier")?;
        let is_public = tier.as_deref() == Some("public");
        if let (Some(tier), None) = (tier, arguments.optional("name")?) {
            label.name = format!("{} {tier} {zone}", subject.customer);
        }
        let (vpc, cidr, takes) = (arguments.text("vpc")?, arguments.text("cidr")?, takes(arguments)?);
        Ok(TheSubnet { vpc, cidr, zone, is_public, takes, label })
    }

    async fn describe(&self, at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<Subnet>, AwsFailure> {
        let request = at.ec2().describe_subnets().set_filters(Some(filters));
        Ok(at
            .cloud
            .read_together(Operation::DescribeSubnets, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?
            .subnets
            .unwrap_or_default())
    }

    async fn nothing_of_ours(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let others = self.overlapping(at).await?;
        let same = others.iter().find(|other| other.cidr_block() == Some(&self.cidr));
        if let Some(theirs) = same.filter(|theirs| self.takes && at.is_nobodys(theirs.tags.as_deref())) {
            return Ok(self.compared(theirs, true));
        }
        let Some(other) = same.or(others.first()) else {
            return Ok(Sight::Nothing { said: format!("{} is not there", self.noun()) });
        };
        let place = match other.cidr_block() {
            Some(range) if range != self.cidr => format!("{range} in {} overlaps {}", self.vpc, self.cidr),
            _ => format!("the range {} in {}", self.cidr, self.vpc),
        };
        let by = (other.subnet_id().unwrap_or_default(), other.tags.as_deref());
        Ok(at.taken(&self.noun(), &self.label.key, &place, by))
    }

    /// It is there: as wanted?
    fn compared(&self, subnet: &Subnet, theirs: bool) -> Sight {
        let id = subnet.subnet_id().unwrap_or_default();
        let compared = [
            ("VPC", self.vpc.as_str(), subnet.vpc_id()),
            ("range", &self.cidr, subnet.cidr_block()),
            ("zone", &self.zone, subnet.availability_zone()),
        ];
        let mut differences = differing(&compared);
        let gives_out = theirs && !self.is_public && subnet.map_public_ip_on_launch() == Some(true);
        differences.extend(gives_out.then(|| difference("public addresses of new hosts", "none", "one for each")));
        if !differences.is_empty() {
            return Sight::Foreign {
                said: format!("{} is there as {id}, but not as wanted", self.noun()),
                differences,
            };
        }
        let (output, place) = (json!({ "id": id }), format!("{} in {}", self.cidr, self.zone));
        match subnet.state() {
            Some(SubnetState::Pending) => Sight::Coming(found(format!("{id} is being made"), output)),
            _ if theirs => Sight::Ready(there_before(id, &place)),
            _ => Sight::Ready(found(format!("{id} with {place}"), output)),
        }
    }

    /// Subnets of the VPC that share an address with this one: AWS takes no second one.
    async fn overlapping(&self, at: &Account<'_>) -> Result<Vec<Subnet>, AwsFailure> {
        if !known(&self.vpc) {
            return Ok(Vec::new());
        }
        let mut there = self.describe(at, vec![filter("vpc-id", [self.vpc.as_str()])]).await?;
        there.retain(|other| other.cidr_block().is_some_and(|range| share_addresses(range, &self.cidr)));
        Ok(there)
    }
}

#[async_trait]
impl Thing for TheSubnet {
    fn noun(&self) -> String {
        format!("subnet {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateSubnet {
            vpc_id: self.vpc.clone(),
            cidr_block: self.cidr.clone(),
            availability_zone: self.zone.clone(),
            tag_specifications: self.label.clone(),
        }]
    }

    fn takes_what_is_there(&self) -> bool {
        self.takes && known(&self.vpc)
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.describe(at, at.ours("subnet-id")).await?;
        let Some(subnet) = at.only_one(&self.label.key, ours, Subnet::subnet_id, Subnet::tags) else {
            return self.nothing_of_ours(at).await;
        };
        Ok(self.compared(&subnet, false))
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("subnet-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, Subnet::tags), Subnet::subnet_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        vec![Call::DeleteSubnet { subnet_id: id.to_owned() }]
    }

    async fn dependents(&self, at: &Account<'_>, id: &str) -> Result<Vec<String>, AwsFailure> {
        dependents::of_subnet(at, id).await
    }

    /// The ranges that overlap its own; without any, those of the VPC, outside of which it may lie.
    async fn in_the_way(&self, at: &Account<'_>, refused: &Failure) -> Result<Vec<String>, AwsFailure> {
        if !refused.code.as_deref().is_some_and(|code| RANGES.contains(&code)) {
            return Ok(Vec::new());
        }
        let others = self.overlapping(at).await?;
        if !others.is_empty() {
            let one = |other: &Subnet| {
                let whose = at.whose(other.subnet_id().unwrap_or_default(), other.tags.as_deref());
                format!("{} of {whose}", other.cidr_block().unwrap_or_default())
            };
            return Ok(others.iter().map(one).collect());
        }
        let request = at.ec2().describe_vpcs().vpc_ids(&self.vpc);
        let vpcs = at.cloud.read(Operation::DescribeVpcs, || request.clone().send()).await?.vpcs.unwrap_or_default();
        let ranges = vpcs.iter().flat_map(|vpc| vpc.cidr_block_association_set());
        let ranges: Vec<&str> = ranges.filter_map(|range| range.cidr_block()).collect();
        Ok(vec![format!(
            "no other subnet that can be seen; {} was wanted in {}, which has {}",
            self.cidr,
            self.vpc,
            crate::text::list(&ranges)
        )])
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("subnet-id", [id])]).await?;
        let tags = there.first().map(|subnet| subnet.tags.as_deref());
        Ok(at.remains(id, tags, vec![Call::DeleteSubnet { subnet_id: id.to_owned() }]))
    }
}

/// With these AWS refuses a range because of others.
const RANGES: [&str; 2] = ["InvalidSubnet.Conflict", "InvalidSubnet.Range"];

/// `aws/internet-gateway`
pub(super) struct TheInternetGateway {
    vpc: String,
    takes: bool,
    label: Label,
}

impl TheInternetGateway {
    pub(super) fn new(arguments: Arguments<'_>, subject: &Subject) -> Result<Self, Failure> {
        let (vpc, takes) = (arguments.text("vpc")?, takes(arguments)?);
        Ok(TheInternetGateway { vpc, takes, label: label(subject, arguments)? })
    }

    async fn describe(&self, at: &Account<'_>, filters: Vec<Filter>) -> Result<Vec<InternetGateway>, AwsFailure> {
        let request = at.ec2().describe_internet_gateways().set_filters(Some(filters));
        let answer = at
            .cloud
            .read_together(Operation::DescribeInternetGateways, format!("{:?}", request.as_input()), move || {
                request.clone().send()
            })
            .await?;
        Ok(answer.internet_gateways.unwrap_or_default())
    }

    fn attach(&self, gateway: &str) -> Call {
        Call::AttachInternetGateway { internet_gateway_id: gateway.to_owned(), vpc_id: self.vpc.clone() }
    }

    /// A VPC has one internet gateway at most.
    async fn of_the_vpc(&self, at: &Account<'_>) -> Result<Option<InternetGateway>, AwsFailure> {
        if !known(&self.vpc) {
            return Ok(None);
        }
        let there = self.describe(at, vec![filter("attachment.vpc-id", [self.vpc.as_str()])]).await?;
        Ok(there.into_iter().next())
    }
}

/// The VPC it is attached to, and whether that is under way.
fn attachment(gateway: &InternetGateway) -> Option<(&str, bool)> {
    let attached = gateway.attachments().iter().find(|one| !matches!(one.state(), Some(AttachmentStatus::Detached)))?;
    Some((
        attached.vpc_id()?,
        matches!(attached.state(), Some(AttachmentStatus::Attaching | AttachmentStatus::Detaching)),
    ))
}

#[async_trait]
impl Thing for TheInternetGateway {
    fn noun(&self) -> String {
        format!("internet gateway {}", self.label.key)
    }

    fn calls(&self) -> Vec<Call> {
        vec![Call::CreateInternetGateway { tag_specifications: self.label.clone() }, self.attach(ITSELF)]
    }

    fn takes_what_is_there(&self) -> bool {
        self.takes && known(&self.vpc)
    }

    async fn look(&self, at: &Account<'_>) -> Result<Sight, AwsFailure> {
        let ours = self.describe(at, at.ours("internet-gateway-id")).await?;
        let gateway = at.only_one(&self.label.key, ours, InternetGateway::internet_gateway_id, InternetGateway::tags);
        let gateway = gateway.as_ref();
        let id = gateway.and_then(InternetGateway::internet_gateway_id).unwrap_or_default();
        match gateway.map(attachment) {
            Some(Some((vpc, under_way))) if vpc == self.vpc || !known(&self.vpc) => {
                let said = format!("{id} at {vpc}");
                let there = found(said, json!({ "id": id }));
                return Ok(if under_way { Sight::Coming(there) } else { Sight::Ready(there) });
            }
            Some(Some((vpc, _))) => {
                let said = format!("{} is attached elsewhere", self.noun());
                return Ok(Sight::Foreign { said, differences: vec![difference("VPC", &self.vpc, vpc)] });
            }
            _ => {}
        }
        if let Some(other) = self.of_the_vpc(at).await? {
            let by = (other.internet_gateway_id().unwrap_or_default(), other.tags.as_deref());
            if self.takes && gateway.is_none() && at.is_nobodys(by.1) {
                return Ok(Sight::Ready(there_before(by.0, &format!("at {}", self.vpc))));
            }
            return Ok(at.taken(&self.noun(), &self.label.key, &format!("the way out of {}", self.vpc), by));
        }
        Ok(match gateway {
            None => Sight::Nothing { said: format!("{} is not there", self.noun()) },
            Some(_) => Sight::Partial(Partial {
                said: format!("{} is there as {id}, but not attached", self.noun()),
                differences: vec![difference("VPC", &self.vpc, "none")],
                missing: vec![self.attach(id)],
                keep: [("id".to_owned(), json!(id))].into(),
            }),
        })
    }

    async fn ours(&self, at: &Account<'_>) -> Result<Vec<String>, AwsFailure> {
        let there = self.describe(at, at.ours("internet-gateway-id")).await?;
        Ok(ids(at.of_ours(&self.label.key, there, InternetGateway::tags), InternetGateway::internet_gateway_id))
    }

    fn inverse(&self, id: &str, _made: &Made<'_>) -> Vec<Call> {
        let gateway = id.to_owned();
        let detach = Call::DetachInternetGateway { internet_gateway_id: gateway.clone(), vpc_id: self.vpc.clone() };
        vec![detach, Call::DeleteInternetGateway { internet_gateway_id: gateway }]
    }

    async fn dependents(&self, at: &Account<'_>, _id: &str) -> Result<Vec<String>, AwsFailure> {
        dependents::of_way_out(at, &self.vpc).await
    }

    async fn remains(&self, at: &Account<'_>, made: &Made<'_>) -> Result<Remains, AwsFailure> {
        let Some(id) = made.text("id") else { return Ok(Remains::Gone) };
        let there = self.describe(at, vec![filter("internet-gateway-id", [id])]).await?;
        let gateway = there.first();
        let detach = gateway
            .and_then(attachment)
            .map(|(vpc, _)| Call::DetachInternetGateway { internet_gateway_id: id.to_owned(), vpc_id: vpc.to_owned() });
        let delete = Call::DeleteInternetGateway { internet_gateway_id: id.to_owned() };
        let tags = gateway.map(|gateway| gateway.tags.as_deref());
        Ok(at.remains(id, tags, detach.into_iter().chain([delete]).collect()))
    }
}

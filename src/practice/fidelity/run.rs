//! RunInstances: everything that is checked before a machine is promised.

use std::net::Ipv4Addr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Call;
use super::images;
use super::instances::{item, reservation};
use super::kind::Kind;
use super::places;
use super::quotas::allowed;
use super::refusal::Refusal;
use super::tags;
use super::tokens;
use super::world::{Instance, Subnet, World};
use super::xml::Xml;

const MOST_USER_DATA: usize = 16384;
const MOST_GROUPS: usize = 5;
const TAGGABLE: [Kind; 3] = [Kind::Instance, Kind::Volume, Kind::Interface];

pub(super) async fn run(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = TAGGABLE.map(|kind| tags::given(call.ask, kind, &TAGGABLE));
    let [instance_tags, volume_tags, interface_tags] = tags;
    let (instance_tags, volume_tags, interface_tags) = (instance_tags?, volume_tags?, interface_tags?);
    if let Some(ids) = tokens::made_before(call)? {
        return again(call, &ids);
    }
    let wanted = Wanted::read(call)?;
    let reservation_id = call.world.mint("r");
    let mut made = Vec::new();
    for private_ip in wanted.addresses(call)? {
        let once = [("SubnetId", wanted.subnet.as_str()), ("MinCount", "1"), ("MaxCount", "1")];
        let id = call.pass_for("instanceId", &once).await?;
        let world = &mut *call.world;
        let instance = Instance {
            reservation: reservation_id.clone(),
            private_ip,
            own_public_ip: if wanted.public { world.free_public() } else { None },
            interface: world.mint("eni"),
            volume: world.mint("vol"),
            launched: world.now,
            ..wanted.instance.clone()
        };
        world.born(&id, instance_tags.clone());
        world.born(&instance.volume, volume_tags.clone());
        world.born(&instance.interface, interface_tags.clone());
        world.instances.insert(id.clone(), instance);
        made.push(id);
    }
    tokens::remember(call, made.clone());
    Ok(answer(call, &made))
}

fn answer(call: &Call<'_>, ids: &[String]) -> Xml {
    let items = ids.iter().map(|id| item(call.world, id, true));
    reservation(call.world, ids.first().map_or("", |id| id), items)
}

/// The token was used: the same machines again, unless one of them is gone (spec/domain.md §1.2).
fn again(call: &Call<'_>, ids: &[String]) -> Result<Xml, Refusal> {
    let gone = |id: &&String| call.world.instances.get(*id).is_none_or(|instance| instance.terminated.is_some());
    if ids.iter().any(|id| gone(&id)) {
        let message = "The client token that you specified belongs to an instance that was terminated.";
        return Err(Refusal::new("IdempotentInstanceTerminated", message));
    }
    Ok(answer(call, ids))
}

/// A request that AWS would accept.
struct Wanted {
    subnet: String,
    count: usize,
    private_ip: Option<Ipv4Addr>,
    public: bool,
    /// All that the machines have in common; the addresses and ids are filled in for each.
    instance: Instance,
}

/// EC2 counts the processors of what runs on demand: "Amazon EC2 On-Demand Instances quotas".
fn room(world: &World, kind: &str, count: usize) -> Result<(), Refusal> {
    let there = world.instances.values().filter(|one| one.terminated.is_none());
    let used: usize = there.map(|one| places::processors(&one.kind)).sum();
    let most = allowed(world, "L-1216C47A");
    if used + count * places::processors(kind) <= most {
        return Ok(());
    }
    let message = format!(
        "You have requested more vCPU capacity than your current vCPU limit of {most} allows for the instance bucket that \
         the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an \
         adjustment to this limit."
    );
    Err(Refusal::new("VcpuLimitExceeded", message))
}

impl Wanted {
    fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let (ask, world) = (call.ask, &*call.world);
        let prefix = interface(call)?;
        let at = |name: &str| ask.get(&format!("{prefix}{name}"));
        let image = ask.need("ImageId")?;
        let found = images::find(&world.region, image)?;
        launchable(call, image, found)?;
        let architecture = found.architecture;
        let subnet_id = at("SubnetId").map_or_else(|| default_subnet(call), |id| Ok(id.to_string()))?;
        let subnet = world.subnet(&subnet_id)?;
        let kind = ask.get("InstanceType").unwrap_or("m1.small");
        let has = places::architecture(call, kind, &subnet.zone)?;
        if has != architecture {
            let message = format!(
                "The architecture '{has}' of the specified instance type does not match the architecture '{architecture}' of \
                 the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again."
            );
            return Err(Refusal::value(message));
        }
        let public = at("AssociatePublicIpAddress").map_or(subnet.map_public, |yes| yes == "true");
        let groups = groups(call, &prefix, &subnet_id, subnet)?;
        let private_ip = at("PrivateIpAddress").map(|text| private(call, text, &subnet_id, subnet)).transpose()?;
        let count = count(call)?;
        room(world, kind, count)?;
        if private_ip.is_some() && count > 1 {
            return Err(Refusal::new("InvalidParameterCombination", "A private IP address needs exactly one instance"));
        }
        let instance = Instance {
            reservation: String::new(),
            image: image.into(),
            kind: kind.into(),
            vpc: subnet.vpc.clone(),
            subnet: subnet_id.clone(),
            groups,
            public_key: key(call)?,
            key: ask.get("KeyName").map(str::to_string),
            private_ip: Ipv4Addr::UNSPECIFIED,
            own_public_ip: None,
            interface: String::new(),
            volume: String::new(),
            encrypted: ask.yes("BlockDeviceMapping.1.Ebs.Encrypted") || world.defaults.encrypted,
            token: ask.get("ClientToken").map(str::to_string),
            user_data: user_data(call)?,
            http_tokens: ask
                .get("MetadataOptions.HttpTokens")
                .or(world.defaults.http_tokens.as_deref())
                .unwrap_or("optional")
                .into(),
            hop_limit: ask.number("MetadataOptions.HttpPutResponseHopLimit")?.or(world.defaults.hop_limit).unwrap_or(1),
            protected: ask.yes("DisableApiTermination"),
            source_dest_check: true,
            launched: 0,
            terminated: None,
        };
        Ok(Self { subnet: subnet_id, count, private_ip, public, instance })
    }

    /// A private address for each machine.
    fn addresses(&self, call: &Call<'_>) -> Result<Vec<Ipv4Addr>, Refusal> {
        if let Some(ip) = self.private_ip {
            return Ok(vec![ip]);
        }
        let subnet = call.world.subnet(&self.subnet)?;
        let taken = call.world.taken(&self.subnet);
        let first = call.world.free_address(&self.subnet, subnet);
        let from = first.into_iter().flat_map(|first| subnet.cidr.hosts().filter(move |ip| *ip >= first));
        let free: Vec<Ipv4Addr> = from.filter(|ip| !taken.contains(ip)).take(self.count).collect();
        if free.len() < self.count {
            let message =
                format!("There are not enough free addresses in subnet '{}' to satisfy the request.", self.subnet);
            return Err(Refusal::new("InsufficientFreeAddressesInSubnet", message));
        }
        Ok(free)
    }
}

/// Its terms are accepted where it has any, and its disk fits into the one that is wanted.
fn launchable(call: &Call<'_>, id: &str, image: &images::Image) -> Result<(), Refusal> {
    if let Some(product) = image.product
        && !call.world.accepted(product)
    {
        return Err(image.terms(product));
    }
    let wanted = call.ask.number("BlockDeviceMapping.1.Ebs.VolumeSize")?;
    if let Some(wanted) = wanted.filter(|wanted| *wanted < i64::from(image.size)) {
        let snapshot = id.replace("ami-", "snap-");
        let message =
            format!("Volume of size {wanted}GB is smaller than snapshot '{snapshot}', expect size >= {}GB", image.size);
        return Err(Refusal::new("InvalidBlockDeviceMapping", message));
    }
    Ok(())
}

/// What is looked at when a launch is only rehearsed. That the launch itself looks at more costs a rehearsal its promise.
pub(super) fn rehearse(call: &Call<'_>) -> Result<(), Refusal> {
    let image = call.ask.need("ImageId")?;
    match images::find(&call.world.region, image) {
        Ok(found) => launchable(call, image, found),
        // What earlier steps find out stands in a rehearsal by its name.
        Err(_) => Ok(()),
    }
}

/// Where the network parameters stand: at the top, or under the one network interface, never at both places.
fn interface(call: &Call<'_>) -> Result<String, Refusal> {
    let interfaces = call.ask.prefixes("NetworkInterface");
    let Some(first) = interfaces.first() else { return Ok(String::new()) };
    if call.ask.get("SubnetId").is_some() || !call.ask.list("SecurityGroupId").is_empty() {
        let message = "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    if interfaces.len() > 1 {
        return Err(Refusal::new(
            "UnsupportedOperation",
            "The practice cloud gives an instance one network interface.",
        ));
    }
    if call.ask.get(&format!("{first}DeviceIndex")) != Some("0") {
        return Err(Refusal::value("Each network interface requires a device index."));
    }
    Ok(first.clone())
}

fn default_subnet(call: &Call<'_>) -> Result<String, Refusal> {
    let zone = places::zone(call, call.ask.get("Placement.AvailabilityZone"), None)?;
    let mut all = call.world.subnets.iter();
    let found = all.find(|(_, subnet)| subnet.default_for_zone && subnet.zone == zone).map(|(id, _)| id.clone());
    let message = format!("No default subnet for availability zone: '{zone}'.");
    found.ok_or_else(|| Refusal::new("MissingInput", message))
}

fn groups(call: &Call<'_>, prefix: &str, subnet_id: &str, subnet: &Subnet) -> Result<Vec<String>, Refusal> {
    let ids = call.ask.list(&format!("{prefix}SecurityGroupId"));
    if !call.ask.list("SecurityGroup").is_empty() {
        let message = "The parameter groupName cannot be used with the parameter subnet";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    for id in &ids {
        if call.world.group(id)?.vpc != subnet.vpc {
            let message = format!("Security group {id} and subnet {subnet_id} belong to different networks.");
            return Err(Refusal::new("InvalidParameter", message));
        }
    }
    if ids.len() > MOST_GROUPS {
        let message = "You have exceeded the maximum number of security groups allowed per network interface.";
        return Err(Refusal::new("SecurityGroupsPerInterfaceLimitExceeded", message));
    }
    if !ids.is_empty() {
        return Ok(ids.into_iter().map(str::to_string).collect());
    }
    let default = |(_, group): &(&String, &super::world::Group)| group.vpc == subnet.vpc && group.name == "default";
    Ok(call.world.groups.iter().find(default).map(|(id, _)| id.clone()).into_iter().collect())
}

fn private(call: &Call<'_>, text: &str, subnet_id: &str, subnet: &Subnet) -> Result<Ipv4Addr, Refusal> {
    let invalid = || Refusal::value(format!("Invalid IPv4 address: {text}"));
    let ip: Ipv4Addr = text.parse().map_err(|_| invalid())?;
    let first = u32::from(subnet.cidr.network());
    if !subnet.cidr.contains(&ip) || u32::from(ip) < first + 4 || ip == subnet.cidr.broadcast() {
        return Err(Refusal::value(format!("Address {text} does not fall within the subnet's address range")));
    }
    if call.world.taken(subnet_id).contains(&ip) {
        return Err(Refusal::new("InvalidIPAddress.InUse", format!("Address {text} is in use.")));
    }
    Ok(ip)
}

fn count(call: &Call<'_>) -> Result<usize, Refusal> {
    let (least, most) = (call.ask.number("MinCount")?, call.ask.number("MaxCount")?);
    match (least, most) {
        (Some(least @ 1..), Some(most)) if least <= most && most <= 20 => Ok(most as usize),
        (None, _) => Err(Refusal::missing("MinCount")),
        (_, None) => Err(Refusal::missing("MaxCount")),
        (_, Some(most)) if most > 20 => {
            let message = "You have requested more instances than your current instance limit allows.";
            Err(Refusal::new("InstanceLimitExceeded", message))
        }
        _ => Err(Refusal::value("minCount must be at least 1 and not above maxCount")),
    }
}

/// The key pair's line for authorized_keys.
fn key(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    let Some(name) = call.ask.get("KeyName") else { return Ok(None) };
    let mut all = call.world.keys.iter();
    let found = all.find(|(id, key)| key.name == name && call.world.visible(id));
    let (_, key) = found.ok_or_else(|| Kind::KeyPair.not_found(name))?;
    Ok(Some(format!("{} {}", key.public, key.name)))
}

fn user_data(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    let Some(text) = call.ask.get("UserData") else { return Ok(None) };
    let bytes = BASE64.decode(text.trim()).map_err(|_| Refusal::value("Invalid BASE64 encoding of user data."))?;
    if bytes.len() > MOST_USER_DATA {
        return Err(Refusal::value(format!("User data is limited to {MOST_USER_DATA} bytes")));
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

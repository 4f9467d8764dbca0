//! Instances after they were run: what they look like, their checks, their console, their end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Call;
use super::describe::describe;
use super::images;
use super::kind::Kind;
use super::pace::Wait;
use super::refusal::Refusal;
use super::world::{Instance, World, stamp};
use super::xml::Xml;

fn code(state: &str) -> i64 {
    match state {
        "pending" => 0,
        "running" => 16,
        "shutting-down" => 32,
        "terminated" => 48,
        _ => 80,
    }
}

fn state_item(state: &str) -> Xml {
    Xml::new().text("code", code(state)).text("name", state)
}

pub(super) fn reservation(world: &World, first: &str, items: impl IntoIterator<Item = Xml>) -> Xml {
    let id = world.instances.get(first).map_or("", |instance| &instance.reservation);
    Xml::new().text("reservationId", id).text("ownerId", &world.account).set("groupSet", []).set("instancesSet", items)
}

/// One instance. RunInstances always says `pending`.
pub(super) fn item(world: &World, id: &str, just_made: bool) -> Xml {
    let Some(instance) = world.instances.get(id) else { return Xml::new() };
    let state = if just_made { "pending" } else { world.instance_state(instance) };
    let public = world.public_ip(id, instance).filter(|_| state != "pending");
    let alive = !matches!(state, "terminated");
    let zone = world.subnets.get(&instance.subnet).map_or("", |subnet| &subnet.zone);
    let image = images::find(&world.region, &instance.image).ok();
    let head =
        Xml::new().text("instanceId", id).text("imageId", &instance.image).tree("instanceState", state_item(state));
    let head = head.text("privateDnsName", if alive { dns(world, instance) } else { String::new() });
    let head =
        head.maybe("keyName", instance.key.as_ref()).text("amiLaunchIndex", 0).text("instanceType", &instance.kind);
    let head = head.text("launchTime", stamp(instance.launched));
    let head = head.tree("placement", Xml::new().text("availabilityZone", zone).text("tenancy", "default"));
    let head = head.tree("monitoring", Xml::new().text("state", "disabled"));
    let head = head.maybe("architecture", image.map(|image| image.architecture)).text("rootDeviceType", "ebs");
    let head = head.text("rootDeviceName", "/dev/sda1").text("virtualizationType", "hvm").text("hypervisor", "xen");
    let head = head.maybe("clientToken", instance.token.as_ref()).text("enaSupport", true);
    let head = head.tree("metadataOptions", metadata(instance)).set("tagSet", world.tag_set(id));
    if let Some(_at) = instance.terminated {
        let reason = Xml::new().text("code", "Client.UserInitiatedShutdown");
        let head =
            head.tree("stateReason", reason.text("message", "Client.UserInitiatedShutdown: User initiated shutdown"));
        if !alive {
            return head;
        }
        return network(world, id, instance, None, head);
    }
    network(world, id, instance, public, head)
}

fn dns(world: &World, instance: &Instance) -> String {
    let dashed = instance.private_ip.to_string().replace('.', "-");
    match world.region.as_str() {
        "us-east-1" => format!("ip-{dashed}.ec2.internal"),
        region => format!("ip-{dashed}.{region}.compute.internal"),
    }
}

fn metadata(instance: &Instance) -> Xml {
    let head = Xml::new().text("state", "applied").text("httpTokens", &instance.http_tokens);
    head.text("httpPutResponseHopLimit", instance.hop_limit).text("httpEndpoint", "enabled")
}

fn groups(world: &World, instance: &Instance) -> Vec<Xml> {
    let name = |id: &String| world.groups.get(id).map_or("", |group| &group.name);
    instance.groups.iter().map(|id| Xml::new().text("groupId", id).text("groupName", name(id))).collect()
}

fn network(world: &World, id: &str, instance: &Instance, public: Option<std::net::Ipv4Addr>, head: Xml) -> Xml {
    let disk = Xml::new().text("volumeId", &instance.volume).text("status", "attached");
    let disk = disk.text("attachTime", stamp(instance.launched)).text("deleteOnTermination", true);
    let attachment = Xml::new().text("deviceIndex", 0).text("status", "attached").text("deleteOnTermination", true);
    let interface = Xml::new().text("networkInterfaceId", &instance.interface).text("ownerId", &world.account);
    let interface = interface.text("subnetId", &instance.subnet).text("vpcId", &instance.vpc).text("status", "in-use");
    let interface = interface.text("privateIpAddress", instance.private_ip).set("groupSet", groups(world, instance));
    let interface = interface.text("sourceDestCheck", instance.source_dest_check).tree("attachment", attachment);
    let owner = if world.address_of(id).is_some() { world.account.as_str() } else { "amazon" };
    let association = public.map(|ip| Xml::new().text("publicIp", ip).text("ipOwnerId", owner));
    let interface = match association {
        Some(association) => interface.tree("association", association),
        None => interface,
    };
    let head = head.text("subnetId", &instance.subnet).text("vpcId", &instance.vpc);
    let head = head.text("privateIpAddress", instance.private_ip).maybe("ipAddress", public);
    let head = head.text("sourceDestCheck", instance.source_dest_check).set("groupSet", groups(world, instance));
    let disk = Xml::new().text("deviceName", "/dev/sda1").tree("ebs", disk);
    head.set("blockDeviceMapping", [disk]).set("networkInterfaceSet", [interface])
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("InstanceId", Kind::Instance, &world.instances)?;
    let items = ids.iter().map(|id| {
        // What the filters look at stands beside what is shown.
        let owner = world.instances.get(id).map_or("", |instance| &instance.reservation);
        item(world, id, false).text("reservation", owner).text("ownerId", &world.account)
    });
    let filters = &[
        ("instance-id", "instanceId"),
        ("instance-state-name", "instanceState/name"),
        ("instance-state-code", "instanceState/code"),
        ("instance-type", "instanceType"),
        ("image-id", "imageId"),
        ("vpc-id", "vpcId"),
        ("subnet-id", "subnetId"),
        ("key-name", "keyName"),
        ("client-token", "clientToken"),
        ("private-ip-address", "privateIpAddress"),
        ("ip-address", "ipAddress"),
        ("availability-zone", "placement/availabilityZone"),
        ("instance.group-id", "groupSet/item/groupId"),
        ("network-interface.subnet-id", "networkInterfaceSet/item/subnetId"),
        ("network-interface.vpc-id", "networkInterfaceSet/item/vpcId"),
        ("network-interface.network-interface-id", "networkInterfaceSet/item/networkInterfaceId"),
        ("owner-id", "ownerId"),
        ("reservation-id", "reservation"),
        ("architecture", "architecture"),
    ];
    let found = describe(call.ask, "set", items.collect(), filters)?;
    let shown: Vec<&str> = found.values("set/item/instanceId");
    let reservations = shown.iter().map(|id| reservation(world, id, [item(world, id, false)]));
    let more = found.values("nextToken").first().map(|token| token.to_string());
    Ok(Xml::new().set("reservationSet", reservations).maybe("nextToken", more))
}

/// Only running instances, unless all are asked for (docs of DescribeInstanceStatus).
pub(super) fn status(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let all = call.ask.yes("IncludeAllInstances");
    let ids = call.wanted("InstanceId", Kind::Instance, &world.instances)?;
    let shown = ids.iter().filter_map(|id| {
        let instance = world.instances.get(id)?;
        let state = world.instance_state(instance);
        (all || state == "running").then_some((id, instance, state))
    });
    let items = shown.map(|(id, instance, state)| {
        let ready =
            instance.launched + world.pace.millis(Wait::InstanceRunning) + world.pace.millis(Wait::InstanceChecks);
        let (status, detail) = match state {
            "running" if world.now >= ready => ("ok", "passed"),
            "running" | "pending" => ("initializing", "initializing"),
            _ => ("not-applicable", "not-applicable"),
        };
        let check = || {
            let detail = Xml::new().text("name", "reachability").text("status", detail);
            Xml::new().text("status", status).set("details", [detail])
        };
        let zone = world.subnets.get(&instance.subnet).map_or("", |subnet| &subnet.zone);
        let head =
            Xml::new().text("instanceId", id).text("availabilityZone", zone).tree("instanceState", state_item(state));
        head.tree("systemStatus", check()).tree("instanceStatus", check())
    });
    let filters = &[
        ("instance-state-name", "instanceState/name"),
        ("instance-state-code", "instanceState/code"),
        ("instance-status.status", "instanceStatus/status"),
        ("instance-status.reachability", "instanceStatus/details/item/status"),
        ("system-status.status", "systemStatus/status"),
        ("system-status.reachability", "systemStatus/details/item/status"),
        ("availability-zone", "availabilityZone"),
    ];
    describe(call.ask, "instanceStatusSet", items.collect(), filters)
}

pub(super) async fn terminate(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let ids: Vec<String> = call.ask.list("InstanceId").into_iter().map(str::to_string).collect();
    if ids.is_empty() {
        return Err(Refusal::missing("InstanceId"));
    }
    for id in &ids {
        if call.world.instance(id)?.protected {
            let message = format!(
                "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
            );
            return Err(Refusal::new("OperationNotPermitted", message));
        }
    }
    call.pass().await?;
    let now = call.world.now;
    let mut changes = Vec::new();
    for id in ids {
        let before = call.world.instance(&id).map(|instance| call.world.instance_state(instance))?;
        if let Some(instance) = call.world.instances.get_mut(&id) {
            instance.terminated.get_or_insert(now);
            instance.own_public_ip = None;
        }
        let after = if before == "terminated" { before } else { "shutting-down" };
        let change = Xml::new().text("instanceId", &id).tree("currentState", state_item(after));
        changes.push(change.tree("previousState", state_item(before)));
    }
    call.world.settle();
    Ok(Xml::new().set("instancesSet", changes))
}

pub(super) fn attribute(call: &Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("InstanceId")?;
    let instance = call.world.instance(id)?;
    let name = call.ask.need("Attribute")?;
    let value = match name {
        "disableApiTermination" => instance.protected,
        "sourceDestCheck" => instance.source_dest_check,
        other => {
            let message = format!("The practice cloud does not tell the attribute {other}.");
            return Err(Refusal::new("UnsupportedOperation", message));
        }
    };
    Ok(Xml::new().text("instanceId", id).tree(name, Xml::new().text("value", value)))
}

pub(super) async fn modify(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("InstanceId")?.to_string();
    let instance = call.world.instance(&id)?;
    if instance.terminated.is_some() {
        let message = format!("The instance '{id}' is not in a state from which it can be modified.");
        return Err(Refusal::new("IncorrectInstanceState", message));
    }
    let (protected, check) = (call.ask.switch("DisableApiTermination"), call.ask.switch("SourceDestCheck"));
    let groups = call.ask.list("GroupId");
    if usize::from(protected.is_some()) + usize::from(check.is_some()) + usize::from(!groups.is_empty()) > 1 {
        return Err(Refusal::new("InvalidParameterCombination", "Fields for multiple attribute types specified"));
    }
    if ["InstanceType", "UserData"].iter().any(|name| call.ask.get(&format!("{name}.Value")).is_some()) {
        let message = format!("The instance '{id}' is not in the 'stopped' state.");
        return Err(Refusal::new("IncorrectInstanceState", message));
    }
    for group in &groups {
        if call.world.group(group)?.vpc != instance.vpc {
            let message = format!("Security group {group} and instance {id} belong to different networks.");
            return Err(Refusal::new("InvalidParameter", message));
        }
    }
    let groups: Vec<String> = groups.into_iter().map(str::to_string).collect();
    if let Some(instance) = call.world.instances.get_mut(&id) {
        instance.protected = protected.unwrap_or(instance.protected);
        instance.source_dest_check = check.unwrap_or(instance.source_dest_check);
        if !groups.is_empty() {
            instance.groups = groups;
        }
    }
    Ok(Xml::new().text("return", true))
}

/// The console's text, once the machine runs and has said something.
pub(super) fn console(call: &Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("InstanceId")?;
    let instance = call.world.instance(id)?;
    let text = call.consoles.get(id).filter(|_| call.world.instance_state(instance) != "pending");
    let head = Xml::new().text("instanceId", id).text("timestamp", stamp(call.world.now));
    Ok(head.maybe("output", text.map(|text| BASE64.encode(text))))
}

//! DHCP option sets: never edited, one for each VPC, and not deleted while a VPC has it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Call;
use super::describe::describe;
use super::kind::Kind;
use super::refusal::Refusal;
use super::tags;
use super::world::World;
use super::xml::Xml;

/// The set that every VPC has at first.
pub(super) const FIRST: &str = "dopt-00000001";
const MOST_SETS: usize = 100;
/// Options, and how many values each may have; the servers are addresses (docs of CreateDhcpOptions).
const OPTIONS: [(&str, usize, bool); 5] = [
    ("domain-name", 1, false),
    ("domain-name-servers", 4, true),
    ("ntp-servers", 4, true),
    ("netbios-name-servers", 4, true),
    ("netbios-node-type", 1, false),
];

/// Options by name, each with its values.
pub(super) type Options = BTreeMap<String, Vec<String>>;

pub(super) fn first(region: &str) -> Options {
    let domain = match region {
        "us-east-1" => "ec2.internal".to_string(),
        region => format!("{region}.compute.internal"),
    };
    BTreeMap::from([
        ("domain-name".into(), vec![domain]),
        ("domain-name-servers".into(), vec!["AmazonProvidedDNS".into()]),
    ])
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let tags = tags::of(call.ask, Kind::DhcpOptions)?;
    let mut options = Options::new();
    for prefix in call.ask.prefixes("DhcpConfiguration") {
        let name = call.ask.need(&format!("{prefix}Key"))?;
        let values = call.ask.list(&format!("{prefix}Value"));
        let Some((_, most, addresses)) = OPTIONS.iter().find(|(known, ..)| *known == name) else {
            return Err(Refusal::value(format!("Value ({name}) for parameter name is invalid. Unknown DHCP option")));
        };
        let fits = |value: &&str| !addresses || *value == "AmazonProvidedDNS" || value.parse::<IpAddr>().is_ok();
        if values.is_empty() || values.len() > *most || !values.iter().all(fits) {
            let message = format!("Value ({}) for parameter value is invalid for {name}.", values.join(", "));
            return Err(Refusal::value(message));
        }
        options.insert(name.to_string(), values.into_iter().map(str::to_string).collect());
    }
    if options.is_empty() {
        return Err(Refusal::missing("dhcpConfiguration"));
    }
    if call.world.dhcp.len() >= MOST_SETS {
        let message = "The maximum number of DHCP option sets has been reached.";
        return Err(Refusal::new("DhcpOptionsLimitExceeded", message));
    }
    let id = call.world.mint("dopt");
    call.world.born(&id, tags);
    call.world.dhcp.insert(id.clone(), options);
    Ok(Xml::new().tree("dhcpOptions", item(call.world, &id)))
}

fn item(world: &World, id: &str) -> Xml {
    let options = world.dhcp.get(id).into_iter().flatten().map(|(name, values)| {
        let values = values.iter().map(|value| Xml::new().text("value", value));
        Xml::new().text("key", name).set("valueSet", values)
    });
    let head = Xml::new().text("dhcpOptionsId", id).text("ownerId", &world.account);
    head.set("dhcpConfigurationSet", options).set("tagSet", world.tag_set(id))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let ids = call.wanted("DhcpOptionsId", Kind::DhcpOptions, &world.dhcp)?;
    let items = ids.iter().map(|id| item(world, id));
    let filters = &[
        ("dhcp-options-id", "dhcpOptionsId"),
        ("key", "dhcpConfigurationSet/item/key"),
        ("value", "dhcpConfigurationSet/item/valueSet/item/value"),
        ("owner-id", "ownerId"),
    ];
    describe(call.ask, "dhcpOptionsSet", items.collect(), filters)
}

pub(super) fn associate(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let (id, vpc) = (call.ask.need("DhcpOptionsId")?.to_string(), call.ask.need("VpcId")?.to_string());
    call.world.vpc(&vpc)?;
    if id != "default" {
        call.world.find(Kind::DhcpOptions, &call.world.dhcp, &id)?;
    }
    if let Some(vpc) = call.world.vpcs.get_mut(&vpc) {
        vpc.dhcp = id;
    }
    Ok(Xml::new().text("return", true))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, Refusal> {
    let id = call.ask.need("DhcpOptionsId")?.to_string();
    call.world.find(Kind::DhcpOptions, &call.world.dhcp, &id)?;
    if call.world.vpcs.values().any(|vpc| vpc.dhcp == id) {
        return Err(Refusal::depends("dhcpOptions", &id));
    }
    call.world.dhcp.remove(&id);
    call.world.forget(&id);
    Ok(Xml::new().text("return", true))
}

//! Network ACLs: the one that every VPC has, which lets everything through, at each of its subnets. Nobody makes others here.

use super::Call;
use super::describe::describe;
use super::refusal::Refusal;
use super::world::World;
use super::xml::Xml;

/// The rule that denies the rest, and cannot be taken out.
const THE_REST: u16 = 32_767;

/// That of a VPC; AWS gives it an id of its own.
fn id_of(vpc: &str) -> String {
    vpc.replacen("vpc-", "acl-", 1)
}

fn entries() -> impl Iterator<Item = Xml> {
    let rule = |number: u16, action: &str, egress: bool| {
        let rule = Xml::new().text("ruleNumber", number).text("protocol", "-1").text("ruleAction", action);
        rule.text("egress", egress).text("cidrBlock", "0.0.0.0/0")
    };
    [true, false].into_iter().flat_map(move |egress| [rule(100, "allow", egress), rule(THE_REST, "deny", egress)])
}

fn item(world: &World, vpc: &str) -> Xml {
    let id = id_of(vpc);
    let subnets = world.subnets.iter().filter(|(_, subnet)| subnet.vpc == vpc);
    let associations = subnets.map(|(subnet, _)| {
        let association = subnet.replacen("subnet-", "aclassoc-", 1);
        let head = Xml::new().text("networkAclAssociationId", association).text("networkAclId", &id);
        head.text("subnetId", subnet)
    });
    let head = Xml::new().text("networkAclId", &id).text("vpcId", vpc).text("ownerId", &world.account);
    let head = head.text("default", true).set("entrySet", entries());
    head.set("associationSet", associations).set("tagSet", world.tag_set(&id))
}

pub(super) fn list(call: &Call<'_>) -> Result<Xml, Refusal> {
    let world = &*call.world;
    let there: Vec<&String> = world.vpcs.keys().filter(|vpc| world.visible(vpc)).collect();
    let wanted = call.ask.list("NetworkAclId");
    if let Some(unknown) = wanted.iter().find(|id| !there.iter().any(|vpc| id_of(vpc) == **id)) {
        let message = format!("The networkAcl ID '{unknown}' does not exist");
        return Err(Refusal::new("InvalidNetworkAclID.NotFound", message));
    }
    let is_wanted = |vpc: &&&String| wanted.is_empty() || wanted.contains(&id_of(vpc).as_str());
    let items = there.iter().filter(is_wanted).map(|vpc| item(world, vpc));
    let filters = &[
        ("network-acl-id", "networkAclId"),
        ("vpc-id", "vpcId"),
        ("default", "default"),
        ("owner-id", "ownerId"),
        ("association.subnet-id", "associationSet/item/subnetId"),
        ("association.network-acl-id", "associationSet/item/networkAclId"),
        ("association.association-id", "associationSet/item/networkAclAssociationId"),
        ("entry.rule-action", "entrySet/item/ruleAction"),
        ("entry.egress", "entrySet/item/egress"),
        ("entry.protocol", "entrySet/item/protocol"),
        ("entry.cidr", "entrySet/item/cidrBlock"),
        ("entry.rule-number", "entrySet/item/ruleNumber"),
    ];
    describe(call.ask, "networkAclSet", items.collect(), filters)
}

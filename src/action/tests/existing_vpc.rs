//! A VPC that the customer has: what is there is taken as it is, what is missing is made beside it, and an undo leaves it as
//! it was before.

use serde_json::json;

use super::lent::lent;
use super::*;
use crate::action::Found;
use crate::aws::ec2::types::{AttributeBooleanValue, RouteTable, Tag, Tenancy, VpcAttributeName};

/// What the customer made: a public subnet with a table of its own, and a private one in the main table.
struct Theirs {
    vpc: String,
    public: String,
    app: String,
    /// Uses the VPC's main table.
    spare: String,
    gateway: String,
    /// That of the public subnet.
    table: String,
    /// That of the subnet for applications, which leads nowhere.
    apps: String,
}

fn ec2(stage: &Stage) -> &aws::ec2::Client {
    stage.world.cloud.as_ref().unwrap().ec2()
}

async fn subnet(stage: &Stage, vpc: &str, range: &str) -> String {
    let made = ec2(stage).create_subnet().vpc_id(vpc).cidr_block(range).availability_zone("eu-west-1a").send().await;
    made.unwrap().subnet.unwrap().subnet_id.unwrap()
}

async fn table_of(stage: &Stage, vpc: &str, subnet: &str) -> String {
    let table = ec2(stage).create_route_table().vpc_id(vpc).send().await.unwrap().route_table.unwrap();
    let table = table.route_table_id.unwrap();
    ec2(stage).associate_route_table().route_table_id(&table).subnet_id(subnet).send().await.unwrap();
    table
}

async fn theirs(stage: &Stage) -> Theirs {
    let vpc = ec2(stage).create_vpc().cidr_block("10.60.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let (public, app) = (subnet(stage, &vpc, "10.60.0.0/24").await, subnet(stage, &vpc, "10.60.10.0/24").await);
    let gateway = ec2(stage).create_internet_gateway().send().await.unwrap().internet_gateway.unwrap();
    let gateway = gateway.internet_gateway_id.unwrap();
    ec2(stage).attach_internet_gateway().internet_gateway_id(&gateway).vpc_id(&vpc).send().await.unwrap();
    let table = table_of(stage, &vpc, &public).await;
    let route = ec2(stage).create_route().route_table_id(&table).destination_cidr_block("0.0.0.0/0");
    route.gateway_id(&gateway).send().await.unwrap();
    let (apps, spare) = (table_of(stage, &vpc, &app).await, subnet(stage, &vpc, "10.60.30.0/24").await);
    let name = Tag::builder().key("Name").value("customer").build();
    ec2(stage).create_tags().resources(&vpc).resources(&table).tags(name).send().await.unwrap();
    Theirs { vpc, public, app, spare, gateway, table, apps }
}

/// Everything of the VPC, so that what changed in it is seen.
async fn picture(stage: &Stage, vpc: &str) -> Vec<String> {
    let by = |name: &str| aws::filter(name, [vpc]);
    let vpcs = ec2(stage).describe_vpcs().filters(by("vpc-id")).send().await.unwrap().vpcs.unwrap();
    let mut all: Vec<String> = vpcs.iter().map(|one| format!("{one:?}")).collect();
    for name in [VpcAttributeName::EnableDnsSupport, VpcAttributeName::EnableDnsHostnames] {
        let said = ec2(stage).describe_vpc_attribute().vpc_id(vpc).attribute(name).send().await.unwrap();
        all.push(format!("{:?} {:?}", said.enable_dns_support, said.enable_dns_hostnames));
    }
    let subnets = ec2(stage).describe_subnets().filters(by("vpc-id")).send().await.unwrap().subnets.unwrap();
    all.extend(subnets.iter().map(|one| format!("{one:?}")));
    let gateways = ec2(stage).describe_internet_gateways().filters(by("attachment.vpc-id")).send().await.unwrap();
    all.extend(gateways.internet_gateways().iter().map(|one| format!("{one:?}")));
    let tables = ec2(stage).describe_route_tables().filters(by("vpc-id")).send().await.unwrap();
    let table = |one: &RouteTable| {
        let mut routes: Vec<String> = one.routes().iter().map(|route| format!("{route:?}")).collect();
        let mut inside: Vec<String> = one.associations().iter().map(|one| format!("{one:?}")).collect();
        routes.sort();
        inside.sort();
        format!("{:?} {routes:?} {inside:?} {:?}", one.route_table_id(), one.tags())
    };
    all.extend(tables.route_tables().iter().map(table));
    all.sort();
    all
}

/// What was made, for the undo.
type MadeSoFar = Vec<(&'static str, Json, Kept)>;

impl Stage {
    /// Does it; the operations that were sent for it.
    async fn does(&self, kind: &'static str, with: Json, made: &mut MadeSoFar) -> (Found, Vec<String>) {
        let (action, calls) = (self.action(kind, &with), self.calls());
        let outcome = action.apply(&self.world, &self.intent(kind, &with)).await;
        match outcome {
            Outcome::Changed { output, .. } => made.push((kind, with.clone(), output)),
            Outcome::AlreadySo { .. } => {}
            other => panic!("{kind} {with}: {other:?}"),
        }
        let sent = self.sent_since(calls);
        self.proved(&*action).await;
        let Verified::So(found) = action.verify(&self.world).await else { panic!("{kind} {with}") };
        let Probe::Same(again) = action.probe(&self.world).await else { panic!("{kind} {with} is not so") };
        assert_eq!((again.foreign, self.sent_since(calls)), (found.foreign, sent.clone()), "a look changes nothing");
        (found, sent)
    }
}

fn subnet_with(vpc: &str, range: &str, zone: &str, key: &str) -> Json {
    json!({ "vpc": vpc, "cidr": range, "zone": zone, "existing": "take", "key": key })
}

fn routes_with(vpc: &str, gateway: &str, subnets: &[&str], key: &str) -> Json {
    let routes = json!([{ "to": "0.0.0.0/0", "gateway": gateway }]);
    json!({ "vpc": vpc, "routes": routes, "subnets": subnets, "existing": "take", "key": key })
}

async fn is_taken_completed_and_left_as_it_was(stage: &Stage) {
    let theirs = theirs(stage).await;
    let address = stage.make("aws/elastic-address", json!({ "key": "eip/nat/a" })).await;
    let nat = json!({ "subnet": theirs.public, "allocation": address["allocation"], "key": "nat/a" });
    let nat = text(&stage.make("aws/nat-gateway", nat).await, "id");
    let (vpc, before) = (theirs.vpc.as_str(), picture(stage, &theirs.vpc).await);
    let mut made = MadeSoFar::new();

    let with = json!({ "cidr": "10.60.0.0/16", "id": vpc, "key": "vpc/main" });
    let probe = stage.action("aws/vpc", &with).probe(&stage.world).await;
    let Probe::Different { said, mend, .. } = probe else { panic!("its names are off: {probe:?}") };
    let mend: Vec<&str> = mend.iter().map(|change| change.operation.as_str()).collect();
    assert_eq!(mend, ["ModifyVpcAttribute"], "{said}");
    let (found, sent) = stage.does("aws/vpc", with, &mut made).await;
    assert!(found.foreign && found.said.contains("was there before"), "{found:?}");
    assert_eq!(sent, ["ModifyVpcAttribute"]);

    let public = subnet_with(vpc, "10.60.0.0/24", "eu-west-1a", "subnet/public/a");
    let (found, sent) = stage.does("aws/subnet", public, &mut made).await;
    assert_eq!((text(&found.output, "id"), found.foreign, sent.len()), (theirs.public.clone(), true, 0));
    let app = subnet_with(vpc, "10.60.10.0/24", "eu-west-1a", "subnet/app/a");
    let (found, sent) = stage.does("aws/subnet", app, &mut made).await;
    assert_eq!((text(&found.output, "id"), sent.len()), (theirs.app.clone(), 0));
    let mut ours = Vec::new();
    for (range, key) in [("10.60.1.0/24", "subnet/public/b"), ("10.60.11.0/24", "subnet/app/b")] {
        let (found, sent) = stage.does("aws/subnet", subnet_with(vpc, range, "eu-west-1b", key), &mut made).await;
        assert_eq!((found.foreign, sent), (false, vec!["CreateSubnet".to_owned()]), "what is missing is made");
        ours.push(text(&found.output, "id"));
    }

    let gateway = json!({ "vpc": vpc, "existing": "take", "key": "igw/main" });
    let (found, sent) = stage.does("aws/internet-gateway", gateway, &mut made).await;
    assert_eq!((text(&found.output, "id"), found.foreign, sent.len()), (theirs.gateway.clone(), true, 0));

    let both = routes_with(vpc, &theirs.gateway, &[&theirs.public, &ours[0]], "routes/public");
    let (found, sent) = stage.does("aws/route-table", both, &mut made).await;
    assert_eq!((text(&found.output, "id"), found.foreign), (theirs.table.clone(), true), "a subnet is not moved");
    assert_eq!(sent, ["AssociateRouteTable"], "ours joins theirs");
    let private = json!({ "vpc": vpc, "routes": [{ "to": "0.0.0.0/0", "nat": nat }], "subnets": [theirs.app],
                          "existing": "take", "key": "routes/private/a" });
    let (found, sent) = stage.does("aws/route-table", private, &mut made).await;
    assert_eq!((text(&found.output, "id"), found.foreign), (theirs.apps.clone(), true), "{found:?}");
    assert_eq!(sent, ["CreateRoute"], "their table stays theirs, and gets the way that it lacks");
    let own = routes_with(vpc, &theirs.gateway, &[&ours[1]], "routes/private/b");
    let (found, sent) = stage.does("aws/route-table", own, &mut made).await;
    assert_eq!((found.foreign, sent.len()), (false, 3), "{sent:?}");

    while let Some((kind, with, output)) = made.pop() {
        let undone = stage.action(kind, &with).undo(&stage.world, &stage.intent(kind, &with), &output).await;
        assert!(matches!(undone, Outcome::Changed { .. }), "{kind} {with}: {undone:?}");
        let again = stage.action(kind, &with).undo(&stage.world, &stage.intent(kind, &with), &output).await;
        assert!(matches!(again, Outcome::AlreadySo { .. }), "{kind} {with}: {again:?}");
    }
    assert_eq!(picture(stage, vpc).await, before);
}

#[tokio::test]
async fn in_the_practice_cloud() {
    is_taken_completed_and_left_as_it_was(&Stage::new().await).await;
}

#[tokio::test]
async fn in_a_lent_cloud() {
    let Some(stage) = lent().await else { return };
    is_taken_completed_and_left_as_it_was(&stage).await;
}

#[tokio::test]
async fn a_route_that_leads_elsewhere_is_shown_and_not_overwritten() {
    let stage = Stage::new().await;
    let theirs = theirs(&stage).await;
    let nat = "nat-0123456789abcdef0";
    let with = json!({ "vpc": theirs.vpc, "routes": [{ "to": "0.0.0.0/0", "nat": nat }], "subnets": [theirs.public],
                       "existing": "take", "key": "routes/private/a" });
    let said = stage.leaves_alone("aws/route-table", with).await;
    assert_eq!(said, format!("the route to 0.0.0.0/0 {nat} {} (in use)", theirs.gateway));
    let without =
        json!({ "vpc": theirs.vpc, "subnets": [theirs.public], "existing": "take", "key": "routes/private/a" });
    let Probe::Same(found) = stage.action("aws/route-table", &without).probe(&stage.world).await else { panic!() };
    assert!(found.foreign && found.said.contains(&format!("0.0.0.0/0 to {}", theirs.gateway)), "{found:?}");
}

#[tokio::test]
async fn a_table_that_others_use_and_a_way_to_the_internet_are_for_a_person() {
    let stage = Stage::new().await;
    let theirs = theirs(&stage).await;
    let nat = json!([{ "to": "0.0.0.0/0", "nat": "nat-0123456789abcdef0" }]);
    let with = |subnets: Json, routes: &Json| json!({ "vpc": theirs.vpc, "routes": routes, "subnets": subnets, "existing": "take", "key": "routes/private/a" });
    let said = stage.leaves_alone("aws/route-table", with(json!([theirs.spare]), &nat)).await;
    assert!(said.contains("every subnet of the VPC without a table of its own"), "{said}");
    ec2(&stage).associate_route_table().route_table_id(&theirs.apps).subnet_id(&theirs.spare).send().await.unwrap();
    let said = stage.leaves_alone("aws/route-table", with(json!([theirs.app]), &nat)).await;
    assert!(said.ends_with(&format!("the subnets of this step alone {}", theirs.spare)), "{said}");
    let both = stage.action("aws/route-table", &with(json!([theirs.app, theirs.spare]), &nat));
    assert!(matches!(both.probe(&stage.world).await, Probe::Different { mend, .. } if mend.len() == 1));

    let public = routes_with(&theirs.vpc, &theirs.gateway, &[&theirs.app, &theirs.spare], "routes/public");
    let said = stage.leaves_alone("aws/route-table", public).await;
    assert_eq!(said, format!("the route to 0.0.0.0/0 {} nothing", theirs.gateway));
}

#[tokio::test]
async fn subnets_of_several_tables_are_for_a_person() {
    let stage = Stage::new().await;
    let theirs = theirs(&stage).await;
    let both = routes_with(&theirs.vpc, &theirs.gateway, &[&theirs.public, &theirs.app], "routes/private/a");
    let said = stage.leaves_alone("aws/route-table", both).await;
    assert!(said.contains(&theirs.table) && said.contains(&theirs.app), "{said}");
}

#[tokio::test]
async fn only_the_vpc_that_is_meant_is_taken() {
    let stage = Stage::new().await;
    let theirs = theirs(&stage).await;
    let with = |id: &str, cidr: &str| json!({ "cidr": cidr, "id": id, "key": "vpc/main" });
    let said = stage.leaves_alone("aws/vpc", with(&theirs.vpc, "10.61.0.0/16")).await;
    assert_eq!(said, "range 10.61.0.0/16 10.60.0.0/16");
    let missing = stage.action("aws/vpc", &with("vpc-0a1b2c3d4e5f60718", "10.60.0.0/16")).probe(&stage.world).await;
    let Probe::Different { said, mend, .. } = missing else { panic!("{missing:?}") };
    assert!(said.contains("there is no vpc-0a1b2c3d4e5f60718 in eu-west-1") && mend.is_empty(), "{said}");
    let other = stage.as_engagement("e2");
    let made = json!({ "cidr": "10.62.0.0/16", "key": "vpc/main" });
    let outcome = action("aws/vpc", &made, &other.subject).apply(&other, &stage.intent("aws/vpc", &made)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let said = stage.leaves_alone("aws/vpc", with(&text(&output, "id"), "10.62.0.0/16")).await;
    assert!(said.contains("of the engagement e2"), "its undo would take it away: {said}");
}

#[tokio::test]
async fn a_subnet_of_another_engagement_is_left_to_it() {
    let stage = Stage::new().await;
    let theirs = theirs(&stage).await;
    let with = subnet_with(&theirs.vpc, "10.60.20.0/24", "eu-west-1a", "subnet/data/a");
    let other = stage.as_engagement("e2");
    let made = action("aws/subnet", &with, &other.subject).apply(&other, &stage.intent("aws/subnet", &with)).await;
    assert!(matches!(made, Outcome::Changed { .. }), "{made:?}");
    assert!(stage.leaves_alone("aws/subnet", with).await.contains("of the engagement e2"));
    let elsewhere = subnet_with(&theirs.vpc, "10.60.0.0/24", "eu-west-1b", "subnet/public/b");
    assert_eq!(stage.leaves_alone("aws/subnet", elsewhere).await, "zone eu-west-1b eu-west-1a");
}

#[tokio::test]
async fn a_subnet_that_gives_out_public_addresses_is_no_private_one() {
    let stage = Stage::new().await;
    let theirs = theirs(&stage).await;
    let on = AttributeBooleanValue::builder().value(true).build();
    ec2(&stage).modify_subnet_attribute().subnet_id(&theirs.app).map_public_ip_on_launch(on).send().await.unwrap();
    let with = subnet_with(&theirs.vpc, "10.60.10.0/24", "eu-west-1a", "subnet/app/a");
    assert_eq!(stage.leaves_alone("aws/subnet", with.clone()).await, "public addresses of new hosts none one for each");
    let mut public = with;
    public["tier"] = json!("public");
    let probe = stage.action("aws/subnet", &public).probe(&stage.world).await;
    assert!(matches!(probe, Probe::Same(_)), "{probe:?}");
}

#[tokio::test]
async fn what_an_earlier_try_has_switched_on_is_put_back_as_well() {
    let stage = Stage::new().await;
    let theirs = theirs(&stage).await;
    let off = AttributeBooleanValue::builder().value(false).build();
    ec2(&stage).modify_vpc_attribute().vpc_id(&theirs.vpc).enable_dns_support(off).send().await.unwrap();
    let before = picture(&stage, &theirs.vpc).await;
    let with = json!({ "cidr": "10.60.0.0/16", "id": theirs.vpc, "key": "vpc/main" });
    let on = AttributeBooleanValue::builder().value(true).build();
    ec2(&stage).modify_vpc_attribute().vpc_id(&theirs.vpc).enable_dns_support(on).send().await.unwrap();
    let earlier = Kept::from([("switched".to_owned(), json!(["DNS resolution"]))]);
    let world = stage.world.having_made(&earlier);
    let action = stage.action("aws/vpc", &with);
    let outcome = action.apply(&world, &stage.intent("aws/vpc", &with)).await;
    let Outcome::Changed { output, .. } = outcome else { panic!("{outcome:?}") };
    let undone = action.undo(&world, &stage.intent("aws/vpc", &with), &output).await;
    assert!(matches!(&undone, Outcome::Changed { said, .. } if said.contains("what was set in vpc-")), "{undone:?}");
    assert_eq!(picture(&stage, &theirs.vpc).await, before);
}

#[tokio::test]
async fn that_its_hosts_are_dedicated_is_told() {
    let stage = Stage::new().await;
    let vpc = ec2(&stage).create_vpc().cidr_block("10.63.0.0/16").instance_tenancy(Tenancy::Dedicated).send().await;
    let with =
        json!({ "cidr": "10.63.0.0/16", "id": vpc.unwrap().vpc().unwrap().vpc_id().unwrap(), "key": "vpc/main" });
    let (found, _) = stage.does("aws/vpc", with, &mut MadeSoFar::new()).await;
    assert!(found.said.contains("dedicated"), "{}", found.said);
}

#[tokio::test]
async fn doors_of_the_customers_are_shown_in_a_vpc_of_theirs_and_judged_in_ours() {
    let stage = Stage::new().await;
    let theirs = theirs(&stage).await;
    let group = ec2(&stage).create_security_group().vpc_id(&theirs.vpc).group_name("old").description("old");
    let group = group.send().await.unwrap().group_id.unwrap();
    let open = ec2(&stage).authorize_security_group_ingress().group_id(&group).ip_protocol("tcp");
    open.from_port(22).to_port(22).cidr_ip("0.0.0.0/0").send().await.unwrap();
    let with =
        |others: &str| json!({ "vpc": theirs.vpc, "ssh_port": 22022, "allowed": [], "public": [], "others": others });
    let Verified::NotSo(failure) = stage.action("aws/exposure", &with("judged")).verify(&stage.world).await else {
        panic!("SSH is open to everybody")
    };
    assert!(failure.meaning.contains("0.0.0.0/0"), "{failure:?}");
    let shown = stage.action("aws/exposure", &with("shown"));
    let Verified::So(found) = shown.verify(&stage.world).await else { panic!("it is the customer's own door") };
    assert!(found.output["report"].to_string().contains("0.0.0.0/0"), "it is shown: {found:?}");
    let named = found.output["theirs"].as_array().unwrap();
    assert!(named.len() == 1 && named[0].as_str().unwrap().contains("old ("), "and named as theirs: {named:?}");
    assert!(
        found.said.contains("of the customer's own, old (") && !found.said.contains("nothing open"),
        "{}",
        found.said
    );
    let ours = json!({ "vpc": theirs.vpc, "name": "ours", "key": "sg/ours", "ingress": [{ "port": 22, "cidrs": ["0.0.0.0/0"] }] });
    stage.make("aws/security-group", ours).await;
    assert!(matches!(shown.verify(&stage.world).await, Verified::NotSo(_)), "ours is judged");
}

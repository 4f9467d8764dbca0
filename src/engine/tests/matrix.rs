//! The lost-reply matrix: every call that changes something × every way in which its answer can go astray. One object at
//! the end, and it is ours; and when it is taken back, it is gone, and nothing else is harmed.
//!
//! Each fault is aimed at the first call of one operation, through the practice cloud's HTTP seam, and the engine runs as
//! it does for a person. A fault that never struck fails its cell. Each cell is one run: no second one mends the first.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};

use super::matrix_backups as of_backups;
use super::matrix_lines as of_lines;
use super::matrix_mail as of_mail;
use super::matrix_resource as of_resources;
use super::matrix_vaults as of_vaults;
use super::*;
use crate::action::every_operation;
use crate::aws::ec2::types::{DomainType, ResourceType};
use crate::aws::{self, filter};
use crate::engagement::{Purpose, RepeatClass, TakeBack};

/// Every kind of object that onramp makes, each once.
pub(super) const EVERYTHING: &str = r#"
runbook: everything
title: Everything
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: image
    title: The image
    aws: image
    with: {family: ubuntu-22.04}
    saves: {id: net.image, root_device: net.root_device}
  - id: key
    title: The key
    aws: key-pair
    with: {name: ops, public_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJfJ8H0mCFO1wFs0JoCZsXn5pDGvXbYnVwYIXZxsWPcL anna@example.com", key: key/operator}
    saves: {name: net.key_name}
  - id: vpc
    title: The VPC
    aws: vpc
    with: {cidr: 10.40.0.0/16, key: vpc/main}
    saves: {id: net.vpc_id}
  - id: subnet
    title: The subnet
    aws: subnet
    with: {vpc: "{{ net.vpc_id }}", cidr: 10.40.0.0/24, zone: "{{ aws.region_primary }}a", key: subnet/a}
    saves: {id: net.subnet_id}
  - id: gateway
    title: The gateway
    aws: internet-gateway
    with: {vpc: "{{ net.vpc_id }}", key: igw/main}
    saves: {id: net.gateway_id}
  - id: routes
    title: The routes
    aws: route-table
    with:
      vpc: "{{ net.vpc_id }}"
      key: routes/public
      routes: [{to: 0.0.0.0/0, gateway: "{{ net.gateway_id }}"}]
      subnets: ["{{ net.subnet_id }}"]
    saves: {id: net.table_id}
  - id: told
    title: What hosts are told
    aws: dhcp-options
    with: {vpc: "{{ net.vpc_id }}", domain: mc.acme.example, time_servers: [169.254.169.123], key: dhcp/main}
  - id: device
    title: The customer's device
    aws: customer-gateway
    with: {address: 198.51.100.9, asn: 65010, key: cgw/main}
    saves: {id: net.device_id}
  - id: vpn-gateway
    title: The gateway of the VPN
    aws: vpn-gateway
    with: {vpc: "{{ net.vpc_id }}", key: vgw/main}
    saves: {id: net.vgw_id}
  - id: vpn
    title: The VPN
    aws: vpn-connection
    with: {customer_gateway: "{{ net.device_id }}", gateway: "{{ net.vgw_id }}", key: vpn/main}
    saves: {id: net.vpn_id}
  - id: vpn-route
    title: A range behind it
    aws: vpn-route
    with: {vpn: "{{ net.vpn_id }}", to: 192.168.0.0/16}
  - id: learns
    title: The table learns it
    aws: route-propagation
    with: {gateway: "{{ net.vgw_id }}", table: "{{ net.table_id }}"}
  - id: peering
    title: Joined with the operator's VPC
    aws: peering-connection
    with: {vpc: "{{ net.vpc_id }}", peer_vpc: vpc-0a1b2c3d4e5f60718, peer_account: "111122223334", key: peering/operator}
    saves: {id: net.peering_id}
  - id: accepted
    title: The other side has accepted
    aws: peering-accepted
    with: {peering: "{{ net.peering_id }}"}
  - id: names-over-peering
    title: Its names lead to private addresses
    needs: [accepted]
    aws: peering-names
    with: {peering: "{{ net.peering_id }}"}
  - id: peer-route
    title: The table knows the way there
    needs: [accepted]
    aws: route
    with: {table: "{{ net.table_id }}", to: 10.99.0.0/20, peering: "{{ net.peering_id }}"}
  - id: address
    title: An address
    aws: elastic-address
    needs: [gateway]
    with: {key: eip/nat}
    saves: {allocation: net.allocation}
  - id: nat
    title: The NAT gateway
    aws: nat-gateway
    needs: [routes]
    with: {subnet: "{{ net.subnet_id }}", allocation: "{{ net.allocation }}", key: nat/a}
    within: 2m
  - id: group
    title: The group
    aws: security-group
    with:
      vpc: "{{ net.vpc_id }}"
      name: bastion
      key: sg/bastion
      ingress: [{port: 22, cidrs: [198.51.100.16/29], why: first login}]
    saves: {id: net.group_id}
  - id: instance
    title: The host
    aws: instance
    with:
      image: "{{ net.image }}"
      root_device: "{{ net.root_device }}"
      type: t3.micro
      subnet: "{{ net.subnet_id }}"
      groups: ["{{ net.group_id }}"]
      key_pair: "{{ net.key_name }}"
      key: instance/bastion
      protected: true
    saves: {id: net.instance_id}
    within: 2m
  - id: bastion-address
    title: An address for it
    aws: elastic-address
    needs: [gateway]
    with: {key: eip/bastion}
    saves: {allocation: net.bastion_allocation}
  - id: attached
    title: The host has its address
    aws: instance-address
    with: {instance: "{{ net.instance_id }}", allocation: "{{ net.bastion_allocation }}"}
  - id: door
    title: One more door
    aws: security-group-rule
    with: {group: "{{ net.group_id }}", port: 22022, cidrs: [198.51.100.16/29], key: rule/ssh, why: operator}
  - id: closed
    title: The first door is closed
    needs: [door]
    aws: security-group-closed
    with: {group: "{{ net.group_id }}", port: 22}
"#;

/// Which step sends it first, on the way there.
const MAKES: [(&str, &str); 26] = [
    ("ImportKeyPair", "key"),
    ("CreateVpc", "vpc"),
    ("ModifyVpcAttribute", "vpc"),
    ("CreateSubnet", "subnet"),
    ("CreateInternetGateway", "gateway"),
    ("AttachInternetGateway", "gateway"),
    ("CreateRouteTable", "routes"),
    ("CreateRoute", "routes"),
    ("AssociateRouteTable", "routes"),
    ("AllocateAddress", "address"),
    ("CreateNatGateway", "nat"),
    ("CreateSecurityGroup", "group"),
    ("AuthorizeSecurityGroupIngress", "group"),
    ("RunInstances", "instance"),
    ("AssociateAddress", "attached"),
    ("RevokeSecurityGroupIngress", "closed"),
    ("CreateDhcpOptions", "told"),
    ("AssociateDhcpOptions", "told"),
    ("CreateCustomerGateway", "device"),
    ("CreateVpnGateway", "vpn-gateway"),
    ("AttachVpnGateway", "vpn-gateway"),
    ("CreateVpnConnection", "vpn"),
    ("CreateVpnConnectionRoute", "vpn-route"),
    ("EnableVgwRoutePropagation", "learns"),
    ("CreateVpcPeeringConnection", "peering"),
    ("ModifyVpcPeeringConnectionOptions", "names-over-peering"),
];

/// What an undo of everything sends.
const TAKES: [&str; 26] = [
    "ModifyVpcPeeringConnectionOptions",
    "AuthorizeSecurityGroupIngress",
    "RevokeSecurityGroupIngress",
    "DisassociateAddress",
    "ModifyInstanceAttribute",
    "TerminateInstances",
    "DeleteSecurityGroup",
    "DeleteNatGateway",
    "ReleaseAddress",
    "DisassociateRouteTable",
    "DeleteRouteTable",
    "DetachInternetGateway",
    "DeleteInternetGateway",
    "DeleteSubnet",
    "DeleteVpc",
    "DeleteKeyPair",
    "AssociateDhcpOptions",
    "DeleteDhcpOptions",
    "DeleteCustomerGateway",
    "DetachVpnGateway",
    "DeleteVpnGateway",
    "DeleteVpnConnection",
    "DeleteVpnConnectionRoute",
    "DisableVgwRoutePropagation",
    "DeleteVpcPeeringConnection",
    "DeleteRoute",
];

/// The ways an answer goes astray.
pub(super) const WAYS: [Fault; 5] =
    [Fault::LostReply, Fault::ServerErrorBefore, Fault::ServerErrorAfter, Fault::Throttle, Fault::Invisible];

/// Calls that make nothing that could be out of sight.
fn makes_nothing(operation: &str) -> bool {
    !["Create", "Allocate", "Import", "Run", "AuthorizeSecurityGroupIngress"]
        .iter()
        .any(|verb| operation.starts_with(verb))
        || ["CreateRoute", "CreateVpnConnectionRoute"].contains(&operation)
}

/// A cell's tests at the same time; the machine has few processors, and most of a cell is waiting.
const TOGETHER: usize = 4;

#[test]
fn every_call_that_can_be_sent_stands_in_the_matrix() {
    let known: BTreeSet<String> = every_operation().into_iter().map(|(operation, _)| operation).collect();
    let made = MAKES.iter().chain(&super::matrix_names::MAKES).chain(&of_mail::MAKES).chain(&of_resources::MAKES);
    let taken = TAKES.into_iter().chain(super::matrix_names::TAKES).chain(of_mail::TAKES).chain(of_resources::TAKES);
    let tested = made.map(|(operation, _)| *operation).chain(taken).chain(of_mail::ELSEWHERE);
    let of_lines =
        of_lines::MAKES.iter().map(|(operation, _)| *operation).chain(of_lines::TAKES).chain(of_lines::ELSEWHERE);
    let of_vaults = of_vaults::MAKES.into_iter().chain(of_vaults::TAKES).chain(of_vaults::ELSEWHERE);
    let of_backups =
        of_backups::MAKES.iter().map(|(operation, _)| *operation).chain(of_backups::TAKES).chain(of_backups::ELSEWHERE);
    let tested: BTreeSet<String> =
        tested.chain(of_lines).chain(of_vaults).chain(of_backups).map(str::to_owned).collect();
    assert_eq!(known, tested);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_each_whatever_becomes_of_the_answer() {
    let clean = Stage::new(EVERYTHING, Faults::none());
    let mut usual: BTreeSet<String> = made(&clean, None).await.into_iter().collect();
    assert_each_call_is_of_its_class(&clean);
    // The first door is there until a later step closes it.
    usual.extend(made(&Stage::new(EVERYTHING, Faults::none()), Some("group")).await);
    let cells = MAKES.iter().flat_map(|(operation, step)| WAYS.map(|way| (*operation, *step, way)));
    let cells = cells.filter(|(operation, _, way)| *way != Fault::Invisible || !makes_nothing(operation));
    let usual = &usual;
    let asked: Vec<_> = cells
        .map(|(operation, step, way)| async move {
            let stage = Stage::new(EVERYTHING, Faults::none().aim(way, operation, 1));
            let after = made(&stage, Some(step)).await;
            let what = format!("{operation} × {}", way.name());
            assert_struck(&stage, &what);
            let expected: Vec<&String> = usual.iter().filter(|object| after.contains(object)).collect();
            assert_eq!(after.iter().collect::<Vec<_>>(), expected, "{what}: each object once");
            assert_ours(&stage, step, &what).await;
            take_all_back(&stage, &what).await;
            assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new(), "{what}: nothing is left behind");
            (operation, way)
        })
        .collect();
    take_place("made", &MAKES.map(|(operation, _)| operation), asked).await;
}
/// Everything that was made is undone, whatever becomes of that one answer; no step is left in doubt.
pub(super) async fn undone_in_spite_of(way: Fault, operation: &str, built: &Stage, kept: &Path) -> (Stage, String) {
    let stage = built.again(Faults::none().aim(way, operation, 1), kept).await;
    let what = format!("{operation} × {}", way.name());
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    assert_struck(&stage, &what);
    assert_eq!(desk.engagement.ledger(), [], "{what}: {:#?}", desk.heard);
    let doubts = desk.engagement.steps.values().filter(|record| record.pending.is_some()).count();
    assert_eq!(doubts, 0, "{what}");
    desk.close().await;
    (stage, what)
}

/// Each call that an undo of everything in its plan sends stands there, and no other does.
pub(super) async fn assert_all_is_shown(built: &Stage, kept: &Path) {
    let stage = built.again(Faults::none(), kept).await;
    let mut desk = stage.open().await;
    let plan = desk.undo_plan().await;
    let shown = plan.entries.iter().flat_map(|entry| match &entry.does {
        TakeBack::Send(changes) => changes.as_slice(),
        TakeBack::Nothing => &[][..],
        other => panic!("{}: {other:?}", entry.step),
    });
    let mut shown: Vec<String> = shown.map(|change| change.operation.clone()).collect();
    shown.sort();
    // Exactly what was shown is asked for, as after an approval.
    let steps: Vec<String> = plan.entries.iter().map(|entry| entry.step.to_string()).collect();
    desk.undo(&steps.iter().map(String::as_str).collect::<Vec<_>>()).await;
    desk.close().await;
    assert_eq!(stage.changes(), shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_and_nothing_else_harmed_whatever_becomes_of_the_answer() {
    let built = Stage::new(EVERYTHING, Faults::none());
    let strangers = strangers(&built).await;
    made(&built, None).await;
    let kept = built.home.path().join("account.json");
    built.account.save(&kept).await.unwrap();
    assert_all_is_shown(&built, &kept).await;
    let (built, strangers, kept) = (&built, &strangers, &kept);
    let cells = TAKES.iter().flat_map(|operation| WAYS.map(|way| (*operation, way)));
    let asked: Vec<_> = cells
        .filter(|(_, way)| *way != Fault::Invisible)
        .map(|(operation, way)| async move {
            let (stage, what) = undone_in_spite_of(way, operation, built, kept).await;
            assert_eq!(&others(&stage).await, strangers, "{what}: ours is gone, and theirs is there");
            (operation, way)
        })
        .collect();
    take_place("taken back", &TAKES, asked).await;
}

/// A secret that onramp makes, which AWS knows by a token of ours and by its name.
const SECRET: &str = r#"
runbook: secret
title: Secret
phase: net
inputs:
  - {id: aws.account_id, label: Account, kind: account-id}
  - {id: aws.region_primary, label: Region, kind: region}
steps:
  - {id: where, title: Where, form: [aws.account_id, aws.region_primary]}
  - id: secret
    title: The secret
    aws: secret
    with: {key: psk/one}
    saves: {reference: net.psk}
    within: 2m
"#;

/// The calls of its life: made, taken back, made again under its old name.
const OF_SECRETS: [&str; 4] = ["CreateSecret", "DeleteSecret", "RestoreSecret", "PutSecretValue"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_secret_and_it_is_ours_whatever_becomes_of_the_answer() {
    let mut passed = BTreeSet::new();
    for (operation, way) in OF_SECRETS.iter().flat_map(|operation| WAYS.map(|way| (*operation, way))) {
        if way == Fault::Invisible && operation != "CreateSecret" {
            continue;
        }
        let stage = Stage::new(SECRET, Faults::none().aim(way, operation, 1));
        let what = format!("{operation} × {}", way.name());
        let ours = ["secret 0123456789abcdef psk/one"];
        assert_eq!(made(&stage, Some("secret")).await, ours, "{what}");
        assert_one_text_under_our_token(&stage, &what).await;

        let mut desk = stage.open().await;
        desk.undo(&[]).await;
        assert_eq!(desk.engagement.ledger(), [], "{what}: {:#?}", desk.heard);
        assert_eq!(desk.engagement.steps.values().filter(|record| record.pending.is_some()).count(), 0, "{what}");
        desk.handle.command(Command::Reopen(at("net/secret")));
        desk.close().await;
        assert_eq!(stage.account.cloud().objects().await, Vec::<String>::new(), "{what}: it is let go");

        assert_eq!(made(&stage, Some("secret")).await, ours, "{what}: made again");
        assert_one_text_under_our_token(&stage, &what).await;
        assert_struck(&stage, &what);
        passed.insert((operation, way));
    }
    print_matrix("secret", &OF_SECRETS, &passed);
}

/// What is read is what the last intent's token stored, and nobody stored a text under a token that is not ours.
async fn assert_one_text_under_our_token(stage: &Stage, what: &str) {
    let tokens: BTreeSet<String> = stage
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Intended { intent, .. } if intent.purpose == Purpose::Apply => Some(intent.token),
            _ => None,
        })
        .collect();
    let cloud = Cloud::connect(stage.wiring()).await.unwrap();
    let seen =
        cloud.look_at_secret("onramp/acme/psk/one").await.unwrap().unwrap_or_else(|| panic!("{what}: not there"));
    let versions: BTreeSet<String> = seen.versions.into_iter().collect();
    assert_eq!(versions, tokens, "{what}: one text for each time that it was made");
}

/// Runs to this step, or to the end, in one run; answers what is there.
pub(super) async fn made(stage: &Stage, step: Option<&str>) -> Vec<String> {
    let mut desk = stage.open().await;
    let given = [("aws.account_id", ACCOUNT), ("aws.region_primary", REGION)];
    let given = given.iter().map(|(id, text)| desk.value(id, text)).collect();
    desk.handle.command(Command::GiveInputs(given));
    desk.approve().await;
    let scope = step.map_or(RunScope::All, |step| RunScope::Until(at(&format!("net/{step}"))));
    desk.run(scope).await;
    let wanted = at(&format!("net/{}", step.unwrap_or("closed")));
    let row = desk.row(&wanted.to_string());
    assert!(matches!(row.status, Status::Done { .. }), "{:#?}: {:#?}", stage.account.cloud().struck(), row);
    desk.close().await;
    stage.account.cloud().objects().await
}

impl Stage {
    /// The same engagement and the same account as they stand, with other faults.
    pub(super) async fn again(&self, faults: Faults, account: &Path) -> Stage {
        let home = TempDir::new().unwrap();
        let stage = Stage {
            account: Account::new(ACCOUNT, REGION, Pace::Instant, faults),
            runbook: self.runbook.clone(),
            dial: self.dial.clone(),
            identity: None,
            net: None,
            aws_says: self.aws_says,
            home,
        };
        std::fs::create_dir(stage.folder()).unwrap();
        for file in std::fs::read_dir(self.folder()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), stage.folder().join(file.file_name())).unwrap();
        }
        stage.account.load(account).await.unwrap();
        stage
    }

    pub(super) async fn ec2(&self) -> aws::ec2::Client {
        Cloud::connect(self.wiring()).await.unwrap().ec2().clone()
    }
}

pub(super) fn assert_struck(stage: &Stage, what: &str) {
    assert_eq!(stage.account.cloud().struck().len(), 1, "{what}: the fault struck once");
}

/// What the step made carries the token that was written down before.
async fn assert_ours(stage: &Stage, step: &str, what: &str) {
    let of_step = |event: &Event| match event {
        Event::Intended { step: intended, intent } if intended == &at(&format!("net/{step}")) => {
            assert_eq!(intent.purpose, Purpose::Apply);
            assert!(intent.deadline.is_some(), "{what}");
            Some((intent.token.clone(), intent.tags.clone()))
        }
        _ => None,
    };
    let intents: Vec<_> = stage.events().iter().filter_map(of_step).collect();
    let tokens: BTreeSet<&String> = intents.iter().map(|(token, _)| token).collect();
    assert_eq!(tokens.len(), 1, "{what}: one token, however often it was said");
    assert_eq!(intents[0].1["onramp:token"], intents[0].0, "{what}");
    if matches!(step, "attached" | "closed" | "vpn-route" | "learns" | "names-over-peering") {
        // Nothing that could carry a tag is made.
        return;
    }
    let token = &intents[0].0;
    let ec2 = stage.ec2().await;
    let found = ec2.describe_tags().filters(filter("key", ["onramp:token"])).send().await.unwrap();
    let carrying = found.tags().iter().filter(|tag| tag.value() == Some(token)).count();
    assert!(carrying >= 1, "{what}: it carries our token");
}

/// What is sent keeps what its class promises: a token of ours, tags in the call itself.
fn assert_each_call_is_of_its_class(stage: &Stage) {
    let events = stage.events();
    let tokens: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| if let Event::Intended { intent, .. } = event { Some(intent.token.as_str()) } else { None })
        .collect();
    let classes: BTreeMap<String, RepeatClass> = every_operation().into_iter().collect();
    for call in stage.account.cloud().calls().into_iter().filter(|call| call.mutating) {
        let tagged = call.parameters.values().any(|value| value == "onramp:token");
        match classes[&call.operation] {
            RepeatClass::Token => {
                let said =
                    call.parameters.get("ClientToken").unwrap_or_else(|| panic!("{} has no token", call.operation));
                assert!(tokens.contains(said.as_str()), "{}: the token is ours", call.operation);
                assert!(tagged, "{}", call.operation);
            }
            RepeatClass::Tag => assert!(tagged, "{} has no tag to be found by", call.operation),
            RepeatClass::Natural => {}
            RepeatClass::Person => panic!("{} is sent without a person", call.operation),
        }
    }
}

/// A VPC of another engagement, with one of our names; and an address that onramp has nothing to do with.
async fn strangers(stage: &Stage) -> Vec<String> {
    let ec2 = stage.ec2().await;
    let marks =
        aws::Owner { engagement: "another".to_owned(), ..aws::Owner::default() }.marks("net", "net/vpc", "t", 1);
    let tags = aws::Stamp { marks: &marks, key: "vpc/main", name: "theirs" }.on(ResourceType::Vpc);
    ec2.create_vpc().cidr_block("10.99.0.0/16").tag_specifications(tags).send().await.unwrap();
    ec2.allocate_address().domain(DomainType::Vpc).send().await.unwrap();
    others(stage).await
}

/// Everything that is not ours, and whatever of ours is left.
async fn others(stage: &Stage) -> Vec<String> {
    let mut found = stage.account.cloud().objects().await;
    let ec2 = stage.ec2().await;
    let addresses = ec2.describe_addresses().send().await.unwrap();
    found.extend(addresses.addresses().iter().filter_map(|one| one.allocation_id().map(str::to_owned)));
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    found.extend(vpcs.vpcs().iter().filter_map(|one| one.vpc_id().map(str::to_owned)));
    found.sort();
    found
}

/// Lets these cells take place, so many at once, and prints which were seen.
pub(super) async fn take_place(
    title: &str,
    operations: &[&str],
    cells: Vec<impl Future<Output = (&'static str, Fault)>>,
) {
    let passed: BTreeSet<(&str, Fault)> = stream::iter(cells).buffer_unordered(TOGETHER).collect().await;
    print_matrix(title, operations, &passed);
}

/// Undoes everything, and nothing is left that could be undone.
pub(super) async fn take_all_back(stage: &Stage, what: &str) {
    let mut desk = stage.open().await;
    desk.undo(&[]).await;
    assert_eq!(desk.engagement.ledger(), [], "{what}: {:#?}", desk.heard);
    desk.close().await;
}

pub(super) fn print_matrix(title: &str, operations: &[&str], passed: &BTreeSet<(&str, Fault)>) {
    let mut page = format!("\n{title:<30}");
    for way in WAYS {
        page.push_str(&format!(" {:>19}", way.name()));
    }
    for operation in operations {
        page.push_str(&format!("\n{operation:<30}"));
        for way in WAYS {
            let cell = if passed.contains(&(*operation, way)) { "one, ours" } else { "-" };
            page.push_str(&format!(" {cell:>19}"));
        }
    }
    println!("{page}\n({} cells)", passed.len());
}

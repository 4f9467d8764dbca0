//! Where the way to a host ends: the diagnosis of logins, in practice and before servers of the test's own.

use std::borrow::Cow;
use std::fs;

use russh::keys::ssh_key::HashAlg;
use russh::keys::{Algorithm, PrivateKey, key::safe_rng};
use russh::server::{self, Auth, PublicKeyOffer, Server as _};
use russh::{MethodKind, MethodSet, Preferred, kex};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::diagnoses::{ROOT, branch, kept, scenario, scenario_but, until};
use super::meddling::Does;
use super::*;
use crate::aws::filter;
use crate::engagement::FindingKind;
use crate::practice::net::Source;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_to_a_host_that_ends_says_where() {
    let mut stage = scenario("01-no-connection.yaml").await;
    until(&stage, "access/hosts-closed").await;
    let account = stage.account.clone();
    let (app, bastion) = (kept(&stage, "access.host_ids.app-1"), kept(&stage, "access.bastion_id"));
    let at_console = async |host: &str, script: &str| {
        let done = account.at_console(host, script).await.unwrap();
        assert_eq!(done.code, 0, "{script}: {done:?}");
    };
    let jump = "access/jump[app-1]";
    assert_eq!(branch(&stage, jump).await, "ssh-hop/works");

    at_console(&app, "mv /home/ubuntu/.ssh/authorized_keys /home/ubuntu/.ssh/away").await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/login-refused-and-console");
    let mut desk = stage.open().await;
    let placed = desk.diagnose(jump).await.branch.unwrap();
    desk.close().await;
    assert!(
        placed.seen.contains("Authorized keys from /home/ubuntu/.ssh/authorized_keys for user ubuntu"),
        "{placed:?}"
    );
    stage.aws_says = &[("output>", "nothing>")];
    assert_eq!(branch(&stage, jump).await, "ssh-hop/login-refused-and-no-console");
    stage.aws_says = &[];
    at_console(&app, "mv /home/ubuntu/.ssh/away /home/ubuntu/.ssh/authorized_keys").await;

    // It was installed anew: the host key is another one.
    let another = stage.folder().join("another_host_key");
    ssh::new_key_file(&another).unwrap();
    let another = fs::read_to_string(&another).unwrap();
    at_console(&app, "cp /etc/ssh/ssh_host_ed25519_key /root/ed25519; mv /etc/ssh/ssh_host_ecdsa_key /root/ecdsa")
        .await;
    at_console(&app, &format!("printf '%s' '{another}' >/etc/ssh/ssh_host_ed25519_key; systemctl restart ssh")).await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/wrong-key");
    at_console(&app, "cp /root/ed25519 /etc/ssh/ssh_host_ed25519_key; mv /root/ecdsa /etc/ssh/ssh_host_ecdsa_key")
        .await;
    at_console(&app, "systemctl restart ssh").await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/works");

    // Nobody listens behind the bastion: the bastion says that it was refused, and not that nothing came back.
    at_console(&app, "systemctl stop ssh.socket ssh.service").await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/refused");
    at_console(&app, "systemctl start ssh.socket").await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/works");

    at_console(&bastion, "systemctl stop ssh.socket ssh.service").await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/refused");
    at_console(&bastion, "systemctl start ssh.socket").await;

    // What stands first counts, and this image's own settings stand in the file itself.
    at_console(&bastion, "sed -i '1i DisableForwarding yes' /etc/ssh/sshd_config && systemctl restart ssh").await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/forwarding-refused");
    at_console(&bastion, "sed -i 1d /etc/ssh/sshd_config && systemctl restart ssh").await;

    at_console(&app, "sed -i '1i MaxSessions 0' /etc/ssh/sshd_config && systemctl restart ssh").await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/no-commands");
    at_console(&app, "sed -i 1d /etc/ssh/sshd_config && systemctl restart ssh").await;

    // Behind open doors: the host's own firewall, and a machine that is off.
    let shuts =
        "printf 'table inet shut {\\n chain in { type filter hook input priority 0; policy drop; }\\n}\\n' | nft -f -";
    at_console(&app, shuts).await;
    assert_eq!(branch(&stage, jump).await, "ssh-hop/host-drops-us");
    stage.aws_says = &[("<status>ok</status>", "<status>impaired</status>")];
    assert_eq!(branch(&stage, jump).await, "ssh-hop/host-down");
    stage.aws_says = &[];
    at_console(&app, "nft delete table inet shut").await;
    let ec2 = stage.ec2().await;

    // Nothing comes back from the bastion, whether it is on the way or is itself where the step goes.
    stage.meddled(Does::Drops(Box::new(|from, _, _| from == Source::ENGINEER)));
    for step in [jump, "access/first-contact[bastion]"] {
        assert_eq!(branch(&stage, step).await, "ssh-hop/not-from-our-network", "{step}");
    }
    stage.net = Some(stage.account.net());
    let mut desk = stage.open().await;
    let placed = desk.diagnose(jump).await.branch.unwrap();
    desk.close().await;
    assert!(placed.seen.contains("lets in 198.51.100."), "the rule: {placed:?}");
    assert!(placed.seen.contains("leaves from 198.51.100.18"), "and who comes: {placed:?}");
    stage.let_be();

    let group = kept(&stage, "access.bastion_group_id");
    let rules = ec2.describe_security_group_rules().filters(filter("group-id", [group.as_str()]));
    for rule in rules.send().await.unwrap().security_group_rules().iter().filter(|rule| rule.is_egress() == Some(false))
    {
        let shut = ec2.revoke_security_group_ingress().group_id(&group);
        shut.security_group_rule_ids(rule.security_group_rule_id().unwrap()).send().await.unwrap();
    }
    assert_eq!(branch(&stage, jump).await, "ssh-hop/bastion-door-closed");
}

/// A second port would be a second door; and what sshd does not tell is no door that is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_is_closed_on_each_port_of_its_sshd() {
    let stage = scenario("01-no-connection.yaml").await;
    until(&stage, "access/hosts-hardened").await;
    let (account, app) = (stage.account.clone(), kept(&stage, "access.host_ids.app-1"));
    let at_console = async |script: &str| account.at_console(&app, script).await.unwrap();
    at_console("printf 'Port 22\\nPort 2222\\n' >/etc/ssh/sshd_config.d/00-two.conf; systemctl restart ssh").await;
    until(&stage, "access/hosts-closed").await;
    let live = at_console("nft -nn list table inet onramp_ssh").await;
    for port in [22, 2222] {
        assert!(live.out.contains(&format!("tcp dport {port} drop")), "{port}: {live:?}");
    }
    let seen = async || {
        let mut desk = stage.open().await;
        desk.handle.send(Request::Verify);
        let closed = at("access/hosts-closed[app-1]");
        let kind = |notice: &Notice| match notice {
            Notice::Drift { step, finding } if *step == closed => Some(finding.kind),
            _ => None,
        };
        let kind = desk.hear("what became of it", kind).await;
        desk.close().await;
        kind
    };
    assert_eq!(seen().await, FindingKind::Same);
    at_console("echo Nonsense >>/etc/ssh/sshd_config.d/00-two.conf").await;
    assert_ne!(seen().await, FindingKind::Same, "sshd tells no port");
}

/// The groups that we make stand on no host that was there before: its door is its owner's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_door_of_a_bastion_that_was_there_before_is_the_customers() {
    let mut stage = scenario("21-hosts-existing.yaml").await;
    until(&stage, "access/new-port").await;
    stage.meddled(Does::Drops(Box::new(|from, _, port| from == Source::ENGINEER && port == 22022)));
    assert_eq!(branch(&stage, "access/new-port-let-in[gate]").await, "ssh-hop/their-door");
}

/// What the customer's bastion sends to a host comes over the connection, and is lost where the gateway does not know the VPC.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_from_the_data_centre_that_ends_at_the_transit_gateway_says_so() {
    let stage = scenario_but("10-access-datacentre.yaml", &[("conn.gateway", "tgw")]).await;
    until(&stage, "access/jump-from-data-centre").await;
    let jump = "access/jump-from-data-centre[app-1]";
    assert_eq!(branch(&stage, jump).await, "ssh-hop/works");

    let (ec2, attached) = (stage.ec2().await, kept(&stage, "connection.transit_attachment_id"));
    let table = kept(&stage, "connection.transit_table_id");
    let off = ec2.disable_transit_gateway_route_table_propagation();
    off.transit_gateway_route_table_id(&table).transit_gateway_attachment_id(&attached).send().await.unwrap();
    assert_eq!(branch(&stage, jump).await, "ssh-hop/no-way-to-the-vpc");
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/vpc-not-announced");
    let on = ec2.enable_transit_gateway_route_table_propagation();
    on.transit_gateway_route_table_id(&table).transit_gateway_attachment_id(&attached).send().await.unwrap();
    assert_eq!(branch(&stage, jump).await, "ssh-hop/works");

    let unknown = ec2.delete_transit_gateway_route().transit_gateway_route_table_id(&table);
    unknown.destination_cidr_block("192.168.0.0/16").send().await.unwrap();
    assert_eq!(branch(&stage, "connection/path[app-1]").await, "tunnel/no-gateway-route");
}

// ── hosts that are not ours to look at ───────────────────────────────────────────────────────────────────────────

/// What the diagnosis reads and nobody answers here: these hosts stand in no account.
const UNKNOWN: [&str; 23] = [
    "access.bastion_group_id",
    "access.bastion_id",
    "access.host_ids",
    "access.hosts_group_id",
    "access.sshd_moved",
    "conn.gateway",
    "conn.mode",
    "connection.line_gateway_id",
    "dx.kind",
    "dx.owner_gateway",
    "hosts.source",
    "connection.second_vpn_id",
    "connection.transit_attachment_id",
    "connection.vpn_id",
    "dc.bastion_egress_ip",
    "net.access_path",
    "net.provider_cidrs",
    "net.secondary_cidrs",
    "net.ssh_port",
    "net.vpc_cidr",
    "peer.provider_vpc_cidr",
    "vpn.second_cgw_ip",
    "vpn.ping_target",
];
/// The gate of practice's data centre, as its owner reads it out.
const GATE: &str = "{name: gate, address: 192.168.20.10, user: ops, key: KEY, fingerprints: \
                    SHA256:B47H2BUWfYy5TIFDDtSmLfq8hrmESVKHAkXGZVLVM3c}";

/// Over these hosts, of which the last is `app`; everybody has the key KEY, and nobody NONE.
async fn of_hosts(hosts: &[&str]) -> (Stage, TempDir) {
    let keys = TempDir::new().unwrap();
    let key = keys.path().join("operator_ed25519");
    let public = ssh::new_key_file(&key).unwrap();
    let lines = hosts.iter().map(|host| format!("  - {host}\n")).collect::<String>();
    let lines = lines.replace("NONE", "/nowhere/operator_ed25519").replace("KEY", key.to_str().unwrap());
    let inputs = UNKNOWN.map(|id| format!("  - {{id: {id}, label: Unknown, kind: text, optional: true}}\n")).concat();
    let runbook = format!(
        "runbook: way\ntitle: The way\nphase: way\ninputs:\n{inputs}hosts:\n{lines}steps:\n  - {{id: asks, title: Asks, \
         form: [{}]}}\n  - {{id: answers, title: It answers, probe: ssh-banner, with: {{host: app}}, diagnosis: ssh-hop}}\n",
        UNKNOWN.join(", ")
    );
    let shipped = Path::new(ROOT).join("runbooks/managed-cloud/diagnosis-ssh.yaml");
    let files =
        [("way.yaml".to_owned(), runbook), ("diagnosis-ssh.yaml".to_owned(), fs::read_to_string(shipped).unwrap())];
    let stage = Stage::of(&files, Faults::none(), Pace::Instant);
    stage.account.furnish(&public).await.unwrap();
    (stage, keys)
}

async fn on(hosts: &[&str]) -> String {
    let (mut stage, _keys) = of_hosts(hosts).await;
    stage.let_be();
    branch(&stage, "way/answers").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_of_which_we_see_one_end_says_whose_move_it_is() {
    let keyless = GATE.replace("gate", "app").replace("KEY", "NONE");
    let stranger = GATE.replace("gate", "app").replace("user: ops", "user: nobody-there");
    for (hosts, wanted) in [
        (vec!["{name: app, address: 192.168.20.99, user: ops, key: KEY}"], "ssh-hop/first-hop-silent"),
        (vec![GATE, "{name: app, address: 192.168.20.99, user: ops, key: KEY, via: gate}"], "ssh-hop/host-silent"),
        (vec!["{name: app, address: nowhere, user: ops, key: KEY}"], "ssh-hop/no-such-name"),
        (vec!["{name: app, address: 192.168.20.10, user: ops, key: KEY}"], "ssh-hop/new-key"),
        (vec![keyless.as_str()], "ssh-hop/no-key-of-ours"),
        (vec![stranger.as_str()], "ssh-hop/login-refused"),
        (
            vec!["{name: app, address: 192.168.20.10, user: ops, key: KEY, fingerprints: \"SHA256:short\"}"],
            "ssh-hop/our-set-up",
        ),
    ] {
        assert_eq!(on(&hosts).await, wanted, "{hosts:?}");
    }
}

/// Whoever answers on this port of the loopback interface, with this host key.
async fn on_port(port: u16, key: Option<&PrivateKey>) -> String {
    let pin = key.map_or_else(
        || "SHA256:AVClTvWgXEolKWcHEcUxJSIs44sDGtNJ5xliK7332fo".to_owned(),
        |key| key.fingerprint(HashAlg::Sha256).to_string(),
    );
    let host = format!("{{name: app, address: 127.0.0.1, port: {port}, user: ops, key: KEY, fingerprints: \"{pin}\"}}");
    let (stage, _keys) = of_hosts(&[&host]).await;
    branch(&stage, "way/answers").await
}

/// Something that hangs up on everybody with these words.
async fn doorman(words: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(words.as_bytes()).await;
        }
    });
    port
}

/// A server that takes every key, and wants something else too.
#[derive(Clone)]
struct WantsMore;

impl server::Server for WantsMore {
    type Handler = Self;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Self {
        self.clone()
    }
}

impl server::Handler for WantsMore {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey(&mut self, _: &str, _: server::VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let more = MethodSet::from(&[MethodKind::HostBased][..]);
        Ok(Auth::Reject { proceed_with_methods: Some(more), partial_success: true })
    }
}

async fn wants_more(key: &PrivateKey, preferred: Preferred) -> u16 {
    let config = server::Config { keys: vec![key.clone()], preferred, ..server::Config::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { WantsMore.run_on_socket(Arc::new(config), &listener).await });
    port
}

/// A server that lets everybody in, and hangs up on whoever wants something.
#[derive(Clone)]
struct HangsUp;

impl server::Server for HangsUp {
    type Handler = Self;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Self {
        self.clone()
    }
}

impl server::Handler for HangsUp {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: server::VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: russh::Channel<server::Msg>,
        _: server::ChannelOpenHandle,
        _: &mut server::Session,
    ) -> Result<(), Self::Error> {
        Err(russh::Error::Disconnect)
    }
}

async fn hangs_up(key: &PrivateKey) -> u16 {
    let config = server::Config { keys: vec![key.clone()], ..server::Config::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { HangsUp.run_on_socket(Arc::new(config), &listener).await });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_talk_as_we_do_says_in_which_way() {
    for (words, wanted) in [
        ("220 mail.acme.example ESMTP\r\n", "ssh-hop/not-ssh"),
        ("Not allowed at this time\r\n", "ssh-hop/turned-away"),
        ("Exceeded MaxStartups\r\n", "ssh-hop/turned-away"),
    ] {
        assert_eq!(on_port(doorman(words).await, None).await, wanted, "{words}");
    }
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let port = wants_more(&key, Preferred::default()).await;
    assert_eq!(on_port(port, Some(&key)).await, "ssh-hop/second-factor");
    let port = hangs_up(&key).await;
    assert_eq!(on_port(port, Some(&key)).await, "ssh-hop/connection-lost");
    let old = Preferred { kex: Cow::Borrowed(&[kex::DH_G1_SHA1]), ..Preferred::default() };
    let port = wants_more(&key, old).await;
    assert_eq!(on_port(port, Some(&key)).await, "ssh-hop/no-common-algorithm");
}

//! The shipped steps for time, on real Debian hosts against a second chrony: what is broken there makes the check fail, and
//! what is repaired makes it pass.

use crate::stage::{Lab, Stage, lab};

/// The second chrony, on data-1: the customer's server.
const SERVER: &str = "10.214.0.12";

/// In a container there is no clock to set: chronyd follows its server and sets nothing.
const CONTAINED: &str = r"
mkdir -p /etc/systemd/system/chrony.service.d
printf '[Unit]\nConditionCapability=\n' >/etc/systemd/system/chrony.service.d/lab.conf
echo 'DAEMON_OPTS=-x' >/etc/default/chrony
systemctl daemon-reload && echo contained";

const AS_SERVER: &str = r"
printf 'local stratum 3\nallow 10.0.0.0/8\n' >/etc/chrony/chrony.conf
systemctl restart chrony && echo serves";

/// The shipped phase, but for what needs an account: whom DHCP tells what.
fn runbook(lab: &Lab) -> String {
    let known = [("net.vpc_cidr", "('10.214.0.0/24')")];
    lab.phase(["04-ntp.yaml", "inputs-time.yaml"], &known, |step| step.get("aws").is_none())
}

fn begun(lab: &Lab) -> Stage {
    let stage = Stage::new().with_credentials();
    let file = stage.file("time.yaml", &runbook(lab));
    stage.run(&["new", "time", "--runbook", file.to_str().unwrap()]).expect(0);
    let answers = ["ntp.mode=customer_ntp", "ntp.smears=no", "ntp.max_offset_ms=50", "os.timezone=Europe/London"];
    let servers = format!("ntp.servers={SERVER}");
    stage.run(&[&["input", "time", servers.as_str()][..], &answers].concat()).expect(0);
    stage
}

#[test]
fn hosts_follow_the_second_chrony_and_say_so_when_it_is_gone() {
    let Some(lab) = lab() else { return };
    lab.reset(&["bastion", "app-1", "data-1"]);
    if lab.inside("app-1", "command -v chronyd").is_empty() {
        eprintln!("SKIPPED: the lab's hosts have no chrony; tests/lab/up makes them anew");
        return;
    }
    for host in ["bastion", "app-1", "data-1"] {
        assert_eq!(lab.inside(host, CONTAINED), "contained\n", "{host}");
    }
    // The trap: a clock of its own, in a folder that the configuration includes.
    lab.inside("app-1", "echo 'local stratum 10' >/etc/chrony/conf.d/own.conf; timedatectl set-timezone Etc/UTC");
    let before =
        "cat /etc/chrony/chrony.conf /etc/chrony/conf.d/own.conf | sha256sum; timedatectl show -p Timezone --value";
    let was = lab.inside("app-1", before);
    let stage = begun(&lab);

    // data-1 is silent: nothing is changed, and the customer is waited on.
    lab.inside("data-1", "systemctl stop chrony");
    stage.run(&["run", "time", "--yes", "--until", "time/servers-answer"]).expect(3).says("no time from");
    assert_eq!(lab.inside("app-1", before), was, "nothing is changed while the server is silent");

    assert_eq!(lab.inside("data-1", AS_SERVER), "serves\n");
    // It serves, and would follow itself: only the other two are followers.
    stage.run(&["exclude", "time", "data-1", "--reason", "it is the server"]).expect(0);
    stage.run(&["run", "time", "--yes"]).expect(0);
    let follows = lab.inside("app-1", "chronyc -c tracking | cut -d, -f2,14; timedatectl show -p Timezone --value");
    assert_eq!(follows, format!("{SERVER},Normal\nEurope/London\n"));
    let skew = stage.run(&["status", "time", "--value", "time.skew"]).expect(0).out;
    assert!(skew.contains("ms at worst") && skew.contains(SERVER), "{skew}");
    stage.run(&["plan", "time"]).expect(0).says("Nothing would be changed.");
    stage.run(&["verify", "time"]).expect(0);

    // Broken: the server is gone, and a host that is started anew follows nobody.
    lab.inside("data-1", "systemctl stop chrony");
    lab.inside("app-1", "systemctl restart chrony");
    let broken = stage.run(&["verify", "time"]);
    assert_ne!(broken.code, 0, "{}", broken.out);
    assert!(
        broken.out.lines().any(|line| line.contains("time/synchronised[app-1]") && !line.starts_with("matches ")),
        "{}",
        broken.out
    );
    // Repaired.
    lab.inside("data-1", "systemctl start chrony");
    lab.inside("app-1", "chronyc waitsync 120 0.1 0 1");
    stage.run(&["verify", "time"]).expect(0);

    // Meddled with: somebody adds a source.
    lab.inside("app-1", "echo 'pool somebody.example iburst' >>/etc/chrony/chrony.conf");
    stage.run(&["plan", "time"]).expect(0).says("pool somebody.example");
    lab.inside("app-1", "sed -i '/somebody.example/d' /etc/chrony/chrony.conf");

    stage.run(&["undo", "time", "--all", "--yes"]).expect(0);
    assert_eq!(lab.inside("app-1", before), was);
    assert_eq!(lab.inside("app-1", "ls /var/lib/onramp 2>/dev/null; ls /etc/chrony | grep onramp"), "");
}

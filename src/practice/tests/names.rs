//! Names on the hosts of practice: what programs find is what the host's own name server says.

use super::lab::{ENGINEER_TO, Lab};
use super::*;

const AMAZON: &str = "169.254.169.253";
const CUSTOMER: &str = "192.168.1.10";

#[tokio::test]
async fn programs_find_a_name_only_where_the_hosts_name_server_knows_it() {
    let lab = Lab::new(Image::Ubuntu2204).await;
    let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    let found = async || shell.run("getent ahostsv4 app-1.mc.acme.example | awk '{print $1}' | sort -u", "").await;
    assert_eq!(found().await.out, "");
    let done = shell.run("getent hosts app-1.mc.acme.example", "").await;
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    lab.gate.name("app-1.mc.acme.example", "10.40.11.20", AMAZON);
    assert_eq!(found().await.out, "10.40.11.20\n");
    let asked = shell
        .run("dig +short app-1.mc.acme.example; dig +noall +comments @192.168.1.10 gone.mc.acme.example", "")
        .await;
    assert!(asked.out.starts_with("10.40.11.20\n") && asked.out.contains("status: NXDOMAIN"), "{asked:?}");
    let own = shell.run("getent ahostsv4 localhost | head -n 1 | awk '{print $1, $2}'", "").await;
    assert_eq!(own.out, "127.0.0.1 STREAM\n");
    // A connection by name goes where the name leads.
    let through = shell.run("nc -w 2 app-1.mc.acme.example 22 | cut -c1-7", "").await;
    assert_eq!(through.out, "SSH-2.0\n", "{through:?}");
    let nowhere = shell.run("nc -v -w 2 app-2.mc.acme.example 22", "").await;
    assert!(nowhere.code != 0, "{nowhere:?}");
    // A server that no packet reaches says nothing.
    lab.gate.shut(Source::Host(lab::BASTION_PRIVATE.parse().unwrap()), CUSTOMER, 53);
    let silent = shell.run("dig +time=1 @192.168.1.10 app-1.mc.acme.example", "").await;
    assert!(silent.code == 9 && silent.out.contains("no servers could be reached"), "{silent:?}");
}

#[tokio::test]
async fn a_renewed_lease_changes_whom_a_host_asks() {
    let renewals = [
        (Image::Ubuntu2204, "networkctl renew ens5", "/run/systemd/resolve/resolv.conf"),
        (Image::Rhel9, "nmcli connection up \"$(nmcli -g GENERAL.CONNECTION device show ens5)\"", "/etc/resolv.conf"),
    ];
    for (image, renew, file) in renewals {
        let lab = Lab::new(image).await;
        let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
        lab.gate.name("app-1.mc.acme.example", "10.40.11.20", CUSTOMER);
        let found = async || shell.run("getent hosts app-1.mc.acme.example || getent hosts app-1", "").await.out;
        assert_eq!(found().await, "");
        lab.gate.lease(CUSTOMER, "mc.acme.example");
        assert_eq!(found().await, "", "not before the lease is renewed");
        let refused = shell.run(renew, "").await;
        assert!(refused.code != 0, "{refused:?}");
        let done = shell.sudo(&format!("{renew} && grep -v '^options' {file}\n")).await;
        assert!(done.out.ends_with("nameserver 192.168.1.10\nsearch mc.acme.example\n"), "{image:?}: {done:?}");
        assert_eq!(found().await, "10.40.11.20     app-1.mc.acme.example\n");
        let short = shell.run("getent hosts app-1 | awk '{print $1}'", "").await;
        assert_eq!(short.out, "10.40.11.20\n", "what may be left out of a name");

        // Several endings: as it was seen on Debian, systemd-networkd makes one of them.
        lab.gate.lease(CUSTOMER, "mc.acme.example acme.example");
        let several = shell.sudo(&format!("{renew} && grep ^search {file}\n")).await;
        let one = ["search mc.acme.example032acme.example\n", "search mc.acme.example acme.example\n"];
        assert!(several.out.ends_with(one[usize::from(image == Image::Rhel9)]), "{several:?}");
    }
}

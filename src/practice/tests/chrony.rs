//! chrony on the hosts of practice: what is configured wrong does not keep time, and says so as the real one does.

use super::lab::{ENGINEER_TO, Lab, Shell};
use super::*;

const SERVER: &str = "192.168.1.20";

async fn host(image: Image) -> (Lab, Shell) {
    let lab = Lab::new(image).await;
    let shell = lab.login(ENGINEER_TO, 22, lab.user).await.unwrap();
    (lab, shell)
}

/// The file of the distribution with these lines and no others, chronyd started with it; what then is said.
async fn with(shell: &Shell, image: Image, lines: &str, then: &str) -> Answer {
    let (file, unit) =
        if image.is_rhel() { ("/etc/chrony.conf", "chronyd") } else { ("/etc/chrony/chrony.conf", "chrony") };
    let script = format!("printf '%b' '{lines}' >{file}\nsystemctl restart {unit} || exit 9\n{then}\n");
    shell.sudo(&script).await
}

#[tokio::test]
async fn a_fresh_host_follows_amazon_and_one_without_chrony_gets_it() {
    for image in [Image::Ubuntu2204, Image::Rhel9] {
        let (_lab, shell) = host(image).await;
        let done = shell.sudo("chronyc waitsync 5 0.1 0 1 && chronyc -c tracking | cut -d, -f1-3,14\n").await;
        assert!(done.code == 0 && done.out.ends_with("A9FEA97B,169.254.169.123,4,Normal\n"), "{image:?}: {done:?}");
    }
    let (_lab, shell) = host(Image::Debian12).await;
    let done = shell.sudo("chronyc tracking; systemctl is-active systemd-timesyncd\n").await;
    assert!(done.out == "active\n" && done.err.contains("chronyc"), "{done:?}");
    let done = shell.sudo("apt-get -q update >/dev/null; apt-get -y install chrony >/dev/null; systemctl is-active systemd-timesyncd chrony; getent group _chrony | cut -d: -f1; chronyc activity | tail -n 2\n").await;
    assert_eq!(done.out, "inactive\nactive\n_chrony\n1 sources online\n0 sources offline\n", "{done:?}");
    let done =
        shell.sudo("dpkg --remove chrony >/dev/null; systemctl is-active chrony; ls /etc/chrony/chrony.conf\n").await;
    assert_eq!(done.out, "inactive\n/etc/chrony/chrony.conf\n", "{done:?}");
}

#[tokio::test]
async fn a_server_that_nobody_hears_is_not_followed() {
    for image in [Image::Ubuntu2404, Image::Rhel9] {
        let (lab, shell) = host(image).await;
        let then = "chronyc waitsync 2 0.1 0 1 >/dev/null; echo $?; chronyc -c tracking | cut -d, -f1,14; chronyc -c -n sources | cut -d, -f1-3,6";
        let done = with(&shell, image, &format!("server {SERVER} iburst\\n"), then).await;
        assert_eq!(done.out, format!("1\n00000000,Not synchronised\n^,?,{SERVER},0\n"), "{image:?}: {done:?}");
        let asked = format!("chronyd -U -Q -t 1 'server {SERVER} iburst'; echo $?\n");
        let done = shell.sudo(&asked).await;
        assert!(done.out == "1\n" && done.err.contains("Timeout reached"), "{done:?}");
        lab.gate.clocks(&[SERVER]);
        let done = shell.sudo(&asked).await;
        assert!(done.out == "0\n" && done.err.contains("System clock wrong by"), "{done:?}");
        let done =
            shell.sudo("chronyc waitsync 5 0.1 0 1 >/dev/null && chronyc -c tracking | cut -d, -f1-3,14\n").await;
        assert_eq!(done.out, format!("C0A80114,{SERVER},3,Normal\n"), "{image:?}: {done:?}");
    }
}

/// The trap: tracking calls it normal, and only waitsync tells.
#[tokio::test]
async fn its_own_clock_looks_healthy_and_is_not() {
    let (_lab, shell) = host(Image::Ubuntu2204).await;
    let then = "chronyc -c tracking | cut -d, -f1,3,14; chronyc waitsync 1 0.1 0 1; echo $?";
    let done = with(&shell, Image::Ubuntu2204, "local stratum 10\\n", then).await;
    let says = "7F7F0101,10,Normal\ntry: 1, refid: 7F7F0101, correction: 0.000000000, skew: 0.012\n1\n";
    assert_eq!(done.out, says, "{done:?}");
}

#[tokio::test]
async fn what_chronyd_cannot_read_does_not_start() {
    let (_lab, shell) = host(Image::Ubuntu2204).await;
    for (line, why) in [
        ("serve 10.0.0.1 iburst", "Invalid directive at line 1 in file /etc/chrony/chrony.conf"),
        ("server 10.0.0.1 ibrst", "Could not parse server directive at line 1 in file"),
        ("server 10.0.0.1 minpoll x", "Could not parse server directive"),
        ("server", "Could not parse server directive"),
        ("makestep 1", "Missing arguments for makestep directive"),
    ] {
        let then = "true";
        let done = with(&shell, Image::Ubuntu2204, &format!("{line}\\n"), then).await;
        assert_eq!(done.code, 9, "{line}: {done:?}");
        let done = shell.sudo("chronyd -p >/dev/null; echo $?; systemctl is-active chrony; chronyc tracking\n").await;
        assert!(done.err.contains(why), "{line}: {done:?}");
        assert_eq!(done.out, "1\nfailed\n506 Cannot talk to daemon\n", "{line}: {done:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_in_the_file_makes_the_server_useless() {
    let (lab, shell) = host(Image::Rhel9).await;
    lab.gate.clocks(&[SERVER]);
    let lines = format!("server {SERVER} iburst key 7\\nkeyfile /etc/chrony.onramp.keys\\n");
    let then = "chronyc waitsync 3 0.1 0 1 >/dev/null; echo $?";
    assert_eq!(with(&shell, Image::Rhel9, &lines, then).await.out, "1\n");
    shell.sudo("echo '7 SHA256 HEX:00112233' >/etc/chrony.onramp.keys\n").await;
    assert_eq!(with(&shell, Image::Rhel9, &lines, then).await.out, "0\n");
}

#[tokio::test]
async fn only_a_time_zone_that_exists_is_set() {
    let (_lab, shell) = host(Image::Ubuntu2204).await;
    let done = shell.sudo("timedatectl set-timezone Europe/Londres; timedatectl set-timezone Europe/London; timedatectl show -p Timezone --value; timedatectl show -p LocalRTC --value\n").await;
    assert_eq!(done.out, "Europe/London\nno\n", "{done:?}");
    assert!(done.err.contains("Invalid or not installed time zone 'Europe/Londres'"), "{done:?}");
}

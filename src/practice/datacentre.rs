//! The customer's data centre of practice: a bastion on the Internet, and hosts that are reached over the customer's VPN.
//!
//! Its hosts have the same keys in every practice, so that their fingerprints can stand where a real customer would read
//! them out; whoever has the program has the keys, and they open nothing else.

use std::net::{IpAddr, Ipv4Addr};

use super::hosts::{HostSpec, Hosts, HostsError, Image};
use super::outside;

/// The customer's bastion: what it is called, and who logs in there.
pub const BASTION: &str = "jump.acme.example";
const BASTION_USER: &str = "wso2-ops";
const BASTION_INSIDE: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 5);
/// Who logs in to the other hosts.
const USER: &str = "ops";
/// The hosts of 192.168.20.0/24, by the last byte of their addresses: a gate, and two behind it.
const HOSTS: [(&str, u8); 3] = [("onprem-gate", 10), ("onprem-app-1", 21), ("onprem-data-1", 22)];
/// Where the customer's hosts, and ours, have packages from.
pub const MIRROR: &str = "mirror.acme.example";
pub const MIRROR_INSIDE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 32);
/// As whom they see an engineer who is on the customer's VPN.
const VPN_CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 30, 18);

/// Is that address in the data centre, or on its edge?
pub fn holds(address: IpAddr) -> bool {
    let inside = matches!(address, IpAddr::V4(v4) if v4.octets()[..2] == [192, 168]);
    inside || outside::address_of(BASTION) == Some(address)
}

/// As whom a host there sees an engineer on the customer's VPN; none for one that the VPN does not lead to.
pub fn engineer(to: IpAddr) -> Option<IpAddr> {
    let led_to = matches!(to, IpAddr::V4(v4) if v4.octets()[..3] == [192, 168, 20]);
    led_to.then_some(IpAddr::V4(VPN_CLIENT))
}

/// Puts the hosts there, for whoever has this key.
pub async fn furnish(hosts: &Hosts, operator: &str) -> Result<(), HostsError> {
    let spec = |name: &str, user: &str, addresses: Vec<IpAddr>| HostSpec {
        name: name.to_owned(),
        image: Image::Ubuntu2204,
        hardened: None,
        addresses,
        user: user.to_owned(),
        authorized_keys: vec![operator.to_owned()],
    };
    let edge = [Some(IpAddr::V4(BASTION_INSIDE)), outside::address_of(BASTION)];
    hosts.add_known(spec("jump", BASTION_USER, edge.into_iter().flatten().collect()), 1).await?;
    for (name, last) in HOSTS {
        let address = IpAddr::V4(Ipv4Addr::new(192, 168, 20, last));
        hosts.add_known(spec(name, USER, vec![address]), last).await?;
    }
    Ok(())
}

//! What brings a new lease: `networkctl` (systemd-networkd) and `nmcli` (NetworkManager).

use std::net::IpAddr;

use futures_util::future::BoxFuture;

use super::super::program::{Answer, Call};

/// The only network card.
const DEVICE: &str = "ens5";
/// What NetworkManager calls the connection of it.
const CONNECTION: &str = "System ens5";

/// Asks for the lease anew. False where nobody answers.
async fn renew(call: &Call) -> bool {
    let machine = &call.session.machine;
    let (Some(reach), Some(IpAddr::V4(own))) = (&call.session.reach, machine.address()) else { return false };
    let lease = reach.gate.lease(own).await;
    lease.iter().for_each(|lease| machine.take(lease));
    lease.is_some()
}

/// `networkctl renew DEVICE`
pub fn networkctl(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        match call.words().as_slice() {
            ["renew", DEVICE] if !call.is_root() => Answer::fail(1, "Access denied\n"),
            ["renew", DEVICE] if renew(&call).await => Answer::ok(""),
            ["renew", DEVICE] => Answer::fail(1, "Failed to renew dynamic configuration of interface ens5\n"),
            ["renew", other] => Answer::fail(1, format!("Failed to resolve interface \"{other}\": No such device\n")),
            _ => Answer::fail(1, "networkctl: practice knows renew only\n"),
        }
    })
}

/// `nmcli -g GENERAL.CONNECTION device show DEVICE`, `nmcli connection up NAME`
pub fn nmcli(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        match call.words().as_slice() {
            ["-g", "GENERAL.CONNECTION", "device" | "dev", "show", DEVICE] => Answer::ok(format!("{CONNECTION}\n")),
            ["connection" | "con", "up", CONNECTION] if !call.is_root() => {
                Answer::fail(4, "Error: Connection activation failed: Not authorized to control networking.\n")
            }
            ["connection" | "con", "up", CONNECTION] if renew(&call).await => {
                Answer::ok("Connection successfully activated\n")
            }
            ["connection" | "con", "up", name] => Answer::fail(10, format!("Error: unknown connection '{name}'.\n")),
            _ => Answer::fail(2, "Error: practice knows device show and connection up only.\n"),
        }
    })
}

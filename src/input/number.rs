//! Whole numbers and ports.

use super::Value;
use super::kind::Bounds;
use super::refusal::{Refusal, quoted};

/// Ports of the products and agents that the platform runs: a bastion must not take one of them from a host that moves.
pub(super) const PRODUCT_PORTS: [i64; 28] = [
    5044, 5601, 5672, 8021, 8099, 8243, 8253, 8280, 8290, 8672, 9021, 9090, 9093, 9099, 9100, 9164, 9200, 9201, 9300,
    9443, 9600, 9611, 9711, 9763, 9999, 10389, 10711, 11111,
];

/// A whole number in decimal, within its bounds.
pub(super) fn number(text: &str, bounds: Bounds) -> Result<i64, Refusal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let what = format!("{} is not a whole number", quoted(text));
        return Err(Refusal::new(what, "only digits are read, without separators or units", "onramp"));
    }
    let outside =
        || Refusal::new(format!("{} is out of range", quoted(text)), format!("the value is {bounds}"), "onramp");
    text.parse().ok().filter(|number| bounds.hold(*number)).ok_or_else(outside)
}

/// A TCP or UDP port: 1 to 65535 (RFC 6335 section 6; 0 is reserved).
pub(super) fn port(text: &str) -> Result<i64, Refusal> {
    number(text, Bounds { min: 1, max: 65_535 }).map_err(|refusal| Refusal { source: "RFC 6335 section 6", ..refusal })
}

/// The bastion's port: not well known, not ephemeral, not used by the products.
///
/// 1024 to 32767 lies between the ports that need root (RFC 6335 section 6) and the ports from which Linux dials out
/// (ip-sysctl, `ip_local_port_range`, 32768 to 60999).
pub(super) fn ssh_port(text: &str) -> Result<Value, Refusal> {
    let port = port(text)?;
    let refuse =
        |why: &str, source| Err(Refusal::new(format!("port {port} cannot be the bastion's SSH port"), why, source));
    if port == 22 {
        return refuse(
            "22 is the port that everybody tries; the platform wants another one",
            "the implementation guide, remote access",
        );
    }
    if port < 1024 {
        return refuse("ports below 1024 are for well known services; take 1024 to 32767", "RFC 6335 section 6");
    }
    if port > 32_767 {
        return refuse(
            "Linux dials out from 32768 upwards, so the port might be taken; take 1024 to 32767",
            "Linux ip-sysctl, ip_local_port_range",
        );
    }
    if PRODUCT_PORTS.contains(&port) {
        return refuse(
            "a product or agent of the platform listens there",
            "the implementation guide, list of product ports",
        );
    }
    Ok(Value::Number(port))
}

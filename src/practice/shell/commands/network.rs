//! `ss`, `ip`, `nc`: what listens here, where here is, what answers there.

use std::net::SocketAddr;

use futures_util::future::BoxFuture;
use tokio::io::AsyncReadExt;

use super::super::program::{Answer, Call};
use super::super::shape::seconds;

/// `ss -ltn` with its flags, and a filter by source port as ss(8) writes it.
pub fn ss(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let letters: String = words.iter().filter_map(|word| word.strip_prefix('-').filter(|rest| !rest.starts_with('-'))).collect();
        let long = |name: &str| words.contains(&name);
        let filter: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
        let filter = match Filter::parse(&filter.join(" ")) {
            Ok(filter) => filter,
            Err(problem) => return Answer::fail(1, problem),
        };
        let header = !letters.contains('H') && !long("--no-header");
        let mut text = String::new();
        if header {
            text += "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n";
        }
        let tcp = letters.contains('t') || long("--tcp") || !(letters.contains('u') || long("--udp"));
        let listening = letters.contains('l') || long("--listening");
        if !tcp || !listening {
            return Answer::ok(text);
        }
        let only = |socket: &SocketAddr| (!letters.contains('4') || socket.is_ipv4()) && (!letters.contains('6') || socket.is_ipv6());
        let processes = letters.contains('p') && call.is_root();
        for (socket, shown) in sockets(&call).into_iter().filter(|(socket, _)| only(socket) && filter.fits(socket.port())) {
            let peer = if socket.is_ipv4() { "0.0.0.0:*" } else { "[::]:*" };
            let process = if processes { process(&call, socket) } else { String::new() };
            text += &format!("LISTEN 0      128    {shown:>20} {peer:>17}{process}\n");
        }
        Answer::ok(text)
    })
}

/// What listens, with its address as ss prints it. systemd-resolved listens on every Ubuntu.
fn sockets(call: &Call) -> Vec<(SocketAddr, String)> {
    let machine = &call.session.machine;
    let mut sockets: Vec<(SocketAddr, String)> =
        machine.with(|state| state.listeners()).into_iter().map(|socket| (socket, socket.to_string())).collect();
    if machine.is_active("systemd-resolved.service") {
        let stub = SocketAddr::from(([127, 0, 0, 53], 53));
        sockets.insert(0, (stub, "127.0.0.53%lo:53".to_string()));
    }
    sockets
}

fn process(call: &Call, socket: SocketAddr) -> String {
    let machine = &call.session.machine;
    if socket.port() == 53 {
        return " users:((\"systemd-resolve\",pid=391,fd=14))".to_string();
    }
    let sshd = machine.unit(machine.image.sshd_unit()).filter(|unit| unit.pid > 0);
    let held = machine.with(|state| state.sshd.held.contains(&socket));
    let own = sshd.map(|unit| format!("(\"sshd\",pid={},fd=3)", unit.pid));
    let systemd = held.then(|| "(\"systemd\",pid=1,fd=73)".to_string());
    let all: Vec<String> = own.into_iter().chain(systemd).collect();
    format!(" users:({})", all.join(","))
}

/// `sport = :22`, joined by `or`, in brackets or not. `state listening` says nothing new.
struct Filter(Vec<u16>);

impl Filter {
    fn parse(text: &str) -> Result<Self, String> {
        let plain = text.replace(['(', ')'], " ").replace("state listening", "");
        let mut ports = Vec::new();
        for clause in plain.split(" or ").map(str::trim).filter(|clause| !clause.is_empty()) {
            let words: Vec<&str> = clause.split_whitespace().collect();
            let (["sport", "=" | "==" | "eq", port] | ["sport", port]) = words.as_slice() else {
                return Err(format!("ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\nUsage: ss [ OPTIONS ] [ FILTER ]\n       {clause}\n"));
            };
            let port = port.rsplit(':').next().and_then(super::super::firewall::service_port);
            ports.push(port.ok_or_else(|| format!("Error: \"{clause}\" does not look like a port.\n"))?);
        }
        Ok(Self(ports))
    }

    fn fits(&self, port: u16) -> bool {
        self.0.is_empty() || self.0.contains(&port)
    }
}

pub fn ip(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let brief = words.iter().any(|word| ["-br", "-brief"].contains(word));
        let plain: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
        let Some(address) = call.session.machine.address() else { return Answer::ok("") };
        let gateway = match address {
            std::net::IpAddr::V4(v4) => format!("{}.{}.{}.1", v4.octets()[0], v4.octets()[1], v4.octets()[2]),
            std::net::IpAddr::V6(_) => "fe80::1".to_string(),
        };
        match plain.first() {
            Some(&("a" | "ad" | "addr" | "address")) if brief => {
                Answer::ok(format!("lo               UNKNOWN        127.0.0.1/8 ::1/128 \nens5             UP             {address}/24 \n"))
            }
            Some(&("a" | "ad" | "addr" | "address")) => Answer::ok(format!(
                "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN\n    inet 127.0.0.1/8 scope host lo\n\
                 2: ens5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 state UP\n    inet {address}/24 scope global ens5\n"
            )),
            Some(&("r" | "ro" | "route")) => Answer::ok(format!("default via {gateway} dev ens5 proto dhcp src {address} metric 100\n")),
            Some(&("l" | "link")) if brief => Answer::ok("lo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP> \nens5             UP             02:00:00:00:00:01 <BROADCAST,MULTICAST,UP,LOWER_UP> \n"),
            Some(other) => Answer::fail(1, format!("Object \"{other}\" is unknown, try \"ip help\".\n")),
            None => Answer::fail(255, "Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n"),
        }
    })
}

/// `nc [-z] [-v] [-w SECONDS] HOST PORT`: connects, and prints what the other side says first.
pub fn nc(call: Call) -> BoxFuture<'static, Answer> {
    const PATIENCE: u64 = 130;
    Box::pin(async move {
        let words = call.words();
        let flags: String = words.iter().filter_map(|word| word.strip_prefix('-')).collect();
        let wait = words.iter().position(|word| word.starts_with('-') && word.ends_with('w')).and_then(|at| words.get(at + 1));
        let limit = wait.and_then(|text| seconds(text)).unwrap_or(PATIENCE);
        let mut plain = words.iter().filter(|word| !word.starts_with('-') && Some(*word) != wait);
        let (Some(host), Some(port)) = (plain.next(), plain.next().and_then(|port| port.parse::<u16>().ok())) else {
            return Answer::fail(1, "usage: nc [-46CDdFhklNnrStUuvZz] [destination] [port]\n");
        };
        let Some(reach) = call.session.reach.clone() else {
            return Answer::fail(1, format!("nc: connect to {host} port {port} (tcp) failed: Network is unreachable\n"));
        };
        let verbose = flags.contains('v');
        let failed = |why: &str| {
            let said = format!("nc: connect to {host} port {port} (tcp) failed: {why}\n");
            Answer::fail(1, if verbose { said } else { String::new() })
        };
        let dialled = tokio::time::timeout(std::time::Duration::from_secs(limit), reach.dial(&call.session.machine, host, port)).await;
        let mut wire = match dialled {
            Ok(Ok(wire)) => wire,
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::HostUnreachable => return failed("No route to host"),
            Ok(Err(_)) => return failed("Connection refused"),
            Err(_) => return failed("Connection timed out"),
        };
        let said = format!("Connection to {host} {port} port [tcp/*] succeeded!\n");
        let err = if verbose { said } else { String::new() };
        let mut out = String::new();
        if !flags.contains('z') {
            let mut first = vec![0; 256];
            let length = wire.read(&mut first).await.unwrap_or_default();
            out = String::from_utf8_lossy(&first[..length]).into_owned();
        }
        Answer { out, err, code: 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_ss_reads_them() {
        assert!(Filter::parse("sport = :22022").unwrap().fits(22022));
        assert!(!Filter::parse("sport = :22022").unwrap().fits(22));
        let two = Filter::parse("( sport = :22 or sport eq 2222 )").unwrap();
        assert!(two.fits(22) && two.fits(2222) && !two.fits(80));
        assert!(Filter::parse("").unwrap().fits(1));
        assert!(Filter::parse("port 22").is_err());
    }
}

//! `ss`, `ip`, `nc`, `ssh-keyscan`: what listens here, where here is, what answers there.

use std::net::SocketAddr;

use futures_util::future::BoxFuture;
use tokio::io::AsyncReadExt;

use super::super::image::read_host_keys;
use super::super::program::{Answer, Call};
use super::super::shape::seconds;

/// `ss` for TCP: what listens (`-l`), what is connected, or both (`-a`), filtered as ss(8) writes it.
pub fn ss(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let short = words.iter().filter_map(|word| word.strip_prefix('-').filter(|rest| !rest.starts_with('-')));
        let letters: String = short.collect();
        let long = |name: &str| words.contains(&name);
        let filter: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
        let filter = match Filter::parse(&filter.join(" ")) {
            Ok(filter) => filter,
            Err(problem) => return Answer::fail(1, problem),
        };
        let all = letters.contains('a') || long("--all") || filter.state == Some("all");
        let listening = filter.state.map_or(letters.contains('l') || long("--listening"), |state| state == "listening");
        let rows = rows(&call, all || listening, all || !listening);
        let tcp = letters.contains('t') || long("--tcp") || !(letters.contains('u') || long("--udp"));
        let only = |row: &Row| {
            (!letters.contains('4') || row.local.is_ipv4()) && (!letters.contains('6') || row.local.is_ipv6())
        };
        // One state asked for is not said again on every line.
        let states = !matches!(filter.state, Some("listening" | "established"));
        let header = !letters.contains('H') && !long("--no-header");
        let mut text = String::new();
        if header {
            let state = if states { "State  " } else { "" };
            text += &format!("{state}Recv-Q Send-Q   Local Address:Port     Peer Address:Port Process\n");
        }
        for row in rows.iter().filter(|row| tcp && only(row) && filter.fits(row)) {
            let process = if letters.contains('p') && call.is_root() { process(&call, row) } else { String::new() };
            let state = if states { format!("{:<6} ", row.state) } else { String::new() };
            let queue = if row.state == "LISTEN" { 128 } else { 0 };
            text += &format!("{state}0      {queue:<6} {:>20} {:>20}{process}\n", row.shown, row.peer);
            if (letters.contains('i') || long("--info")) && row.state == "ESTAB" {
                text += IN_A_VPC;
            }
        }
        Answer::ok(text)
    })
}

/// What the kernel knows of a connection between two hosts of a VPC, whose network cards take 9001 bytes.
const IN_A_VPC: &str =
    "\t cubic wscale:7,7 rto:201 rtt:0.412/0.166 ato:40 mss:8949 pmtu:9001 rcvmss:536 advmss:8949 cwnd:10\n";

/// One line of ss.
struct Row {
    state: &'static str,
    local: SocketAddr,
    /// The local address as ss prints it.
    shown: String,
    peer: String,
    peer_port: Option<u16>,
}

fn rows(call: &Call, listening: bool, connected: bool) -> Vec<Row> {
    let machine = &call.session.machine;
    let mut rows = Vec::new();
    if listening {
        rows.extend(sockets(call).into_iter().map(|(local, shown)| {
            let peer = if local.is_ipv4() { "0.0.0.0:*" } else { "[::]:*" };
            Row { state: "LISTEN", local, shown, peer: peer.to_string(), peer_port: None }
        }));
    }
    if connected {
        rows.extend(machine.connections().into_iter().map(|ends| Row {
            state: "ESTAB",
            local: ends.local,
            shown: ends.local.to_string(),
            peer: ends.peer.to_string(),
            peer_port: Some(ends.peer.port()),
        }));
    }
    rows
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

fn process(call: &Call, row: &Row) -> String {
    let machine = &call.session.machine;
    if row.local.port() == 53 {
        return " users:((\"systemd-resolve\",pid=391,fd=14))".to_string();
    }
    let sshd = machine.unit(machine.image.sshd_unit()).filter(|unit| unit.pid > 0);
    let held = machine.with(|state| state.sshd.held.contains(&row.local));
    let own = sshd.map(|unit| format!("(\"sshd\",pid={},fd=3)", unit.pid));
    let systemd = held.then(|| "(\"systemd\",pid=1,fd=73)".to_string());
    let all: Vec<String> = own.into_iter().chain(systemd).collect();
    format!(" users:({})", all.join(","))
}

/// `[state STATE] [sport = :22 [or dport = :22]…]`, in brackets or not.
#[derive(Debug, PartialEq, Eq)]
struct Filter {
    state: Option<&'static str>,
    /// The source's or the destination's port.
    ports: Vec<(bool, u16)>,
}

impl Filter {
    fn parse(text: &str) -> Result<Self, String> {
        let plain = text.replace(['(', ')'], " ");
        let mut words: Vec<&str> = plain.split_whitespace().collect();
        let mut filter = Self { state: None, ports: Vec::new() };
        if words.first() == Some(&"state") {
            let state = match words.get(1).copied().unwrap_or_default() {
                "established" => "established",
                "listening" | "listen" => "listening",
                "all" => "all",
                other => return Err(format!("ss: wrong state name: {other}\n")),
            };
            filter.state = Some(state);
            words.drain(..2);
        }
        for clause in words.split(|word| *word == "or").filter(|clause| !clause.is_empty()) {
            let ([side @ ("sport" | "dport"), "=" | "==" | "eq", port] | [side @ ("sport" | "dport"), port]) = clause
            else {
                let shown = clause.join(" ");
                return Err(format!(
                    "ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\n       {shown}\n"
                ));
            };
            let number = port.rsplit(':').next().and_then(super::super::firewall::service_port);
            let number = number.ok_or_else(|| format!("Error: \"{port}\" does not look like a port.\n"))?;
            filter.ports.push((*side == "sport", number));
        }
        Ok(filter)
    }

    fn fits(&self, row: &Row) -> bool {
        let port = |source: bool| if source { Some(row.local.port()) } else { row.peer_port };
        self.ports.is_empty() || self.ports.iter().any(|(source, number)| port(*source) == Some(*number))
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
            Some(&("a" | "ad" | "addr" | "address")) if brief => Answer::ok(format!(
                "lo               UNKNOWN        127.0.0.1/8 ::1/128 \nens5             UP             {address}/24 \n"
            )),
            Some(&("a" | "ad" | "addr" | "address")) => Answer::ok(format!(
                "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN\n    inet 127.0.0.1/8 scope host lo\n\
                 2: ens5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 state UP\n    \
                 inet {address}/24 scope global ens5\n"
            )),
            Some(&("r" | "ro" | "route")) => {
                Answer::ok(format!("default via {gateway} dev ens5 proto dhcp src {address} metric 100\n"))
            }
            Some(&("l" | "link")) if brief => Answer::ok(
                "lo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP> \n\
                 ens5             UP             02:00:00:00:00:01 <BROADCAST,MULTICAST,UP,LOWER_UP> \n",
            ),
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
        let wait =
            words.iter().position(|word| word.starts_with('-') && word.ends_with('w')).and_then(|at| words.get(at + 1));
        let limit = wait.and_then(|text| seconds(text)).unwrap_or(PATIENCE);
        let mut plain = words.iter().filter(|word| !word.starts_with('-') && Some(*word) != wait);
        let (Some(host), Some(port)) = (plain.next(), plain.next().and_then(|port| port.parse::<u16>().ok())) else {
            return Answer::fail(1, "usage: nc [-46CDdFhklNnrStUuvZz] [destination] [port]\n");
        };
        let Some(reach) = call.session.reach.clone() else {
            return Answer::fail(
                1,
                format!("nc: connect to {host} port {port} (tcp) failed: Network is unreachable\n"),
            );
        };
        let verbose = flags.contains('v');
        let failed = |why: &str| {
            let said = format!("nc: connect to {host} port {port} (tcp) failed: {why}\n");
            Answer::fail(1, if verbose { said } else { String::new() })
        };
        let dialled =
            tokio::time::timeout(std::time::Duration::from_secs(limit), reach.dial(&call.session.machine, host, port))
                .await;
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

/// `ssh-keyscan [-T SECONDS] [-p PORT] HOST`: the host keys of this machine, when an SSH server answers on that port.
/// Other machines are not scanned: a key that came that way would prove nothing, and no runbook of ours asks for it.
pub fn ssh_keyscan(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let words = call.words();
        let after = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1)).copied();
        let port = after("-p").and_then(|port| port.parse::<u16>().ok()).unwrap_or(22);
        let limit = after("-T").and_then(seconds).unwrap_or(5);
        let (Some(host), Some(reach)) = (words.last().copied(), call.session.reach.clone()) else {
            return Answer::fail(1, "usage: ssh-keyscan [-T timeout] [-p port] host\n");
        };
        if !host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()) {
            return Answer::fail(1, format!("ssh-keyscan: practice scans this machine only, not {host}\n"));
        }
        let greeting = async {
            let mut wire = reach.dial(&call.session.machine, host, port).await.ok()?;
            let mut first = vec![0; 64];
            let length = wire.read(&mut first).await.ok()?;
            first[..length].starts_with(b"SSH-2.0-").then_some(())
        };
        let answered = tokio::time::timeout(std::time::Duration::from_secs(limit), greeting).await;
        if !matches!(answered, Ok(Some(()))) {
            return Answer { out: String::new(), err: String::new(), code: 1 };
        }
        let keys = read_host_keys(&call.session.machine.disk).await;
        let lines = keys.iter().filter_map(|key| key.public_key().to_openssh().ok());
        let out = lines.map(|line| format!("[{host}]:{port} {line}\n")).collect();
        Answer { out, err: format!("# {host}:{port} SSH-2.0\n"), code: 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(port: u16) -> Row {
        let local = SocketAddr::from(([0, 0, 0, 0], port));
        Row { state: "LISTEN", local, shown: local.to_string(), peer: "0.0.0.0:*".to_string(), peer_port: None }
    }

    #[test]
    fn filters_are_read_as_ss_reads_them() {
        let fits = |text: &str, port| Filter::parse(text).unwrap().fits(&row(port));
        assert!(fits("sport = :22022", 22022) && !fits("sport = :22022", 22) && fits("", 1));
        assert!(fits("( sport = :22 or sport eq 2222 )", 2222) && !fits("dport = :22", 22));
        assert_eq!(Filter::parse("state established").unwrap().state, Some("established"));
        assert!(Filter::parse("port 22").is_err() && Filter::parse("state of-mind").is_err());
    }
}

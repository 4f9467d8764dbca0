//! `getenforce`, `setenforce`, `semanage port`, `restorecon`.

use futures_util::future::BoxFuture;

use super::super::program::{Answer, Call};

/// What the policy of RHEL 9 labels itself, as far as P01 can meet it.
const POLICY: &[(&str, &str, &str)] = &[
    ("dns_port_t", "tcp", "53, 853"),
    ("http_cache_port_t", "tcp", "8080, 8118, 8123, 10001-10010"),
    ("http_port_t", "tcp", "80, 81, 443, 488, 8008, 8009, 8443, 9000"),
    ("ntp_port_t", "udp", "123"),
    ("smtp_port_t", "tcp", "25, 465, 587"),
    ("ssh_port_t", "tcp", "22"),
    ("websm_port_t", "tcp", "9090"),
];

pub fn getenforce(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let enforcing = call.session.machine.with(|state| state.selinux.enforcing);
        Answer::ok(if enforcing { "Enforcing\n" } else { "Permissive\n" })
    })
}

pub fn setenforce(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        if !call.is_root() {
            return Answer::fail(1, "setenforce: security_setenforce() failed: Permission denied\n");
        }
        let enforcing = match call.words().as_slice() {
            ["1" | "Enforcing"] => true,
            ["0" | "Permissive"] => false,
            _ => return Answer::fail(1, "usage: setenforce [ Enforcing | Permissive | 1 | 0 ]\n"),
        };
        call.session.machine.with(|state| state.selinux.enforcing = enforcing);
        Answer::ok("")
    })
}

/// Labels of files are not kept: there is nothing to restore.
pub fn restorecon(_: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async { Answer::ok("") })
}

pub fn semanage(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        if !call.is_root() {
            return Answer::fail(1, "ValueError: SELinux policy is not managed or store cannot be accessed.\n");
        }
        let words = call.words();
        let Some((&"port", rest)) = words.split_first() else {
            return Answer::fail(1, "usage: semanage [-h] {port} ...\n");
        };
        let after =
            |flag: &[&str]| rest.iter().position(|word| flag.contains(word)).and_then(|at| rest.get(at + 1)).copied();
        let protocol = after(&["-p", "--proto"]).unwrap_or_default().to_string();
        let kind = after(&["-t", "--type"]).unwrap_or_default().to_string();
        let number = rest.iter().find_map(|word| word.parse::<u16>().ok()).unwrap_or_default();
        let does = |flags: &[&str]| rest.iter().any(|word| flags.contains(word));
        if does(&["-l", "--list"]) {
            return Answer::ok(list(&call));
        }
        if number == 0 || protocol.is_empty() {
            return Answer::fail(1, "usage: semanage port [-h] -a -t TYPE -p PROTOCOL ( port_name | port_range )\n");
        }
        if does(&["-a", "--add"]) {
            add(&call, number, kind, protocol)
        } else if does(&["-m", "--modify"]) {
            modify(&call, number, kind, protocol)
        } else if does(&["-d", "--delete"]) {
            delete(&call, number, &protocol)
        } else {
            Answer::fail(1, "usage: semanage port [-h] [-n] [-N] [-S STORE] [ --add | --delete | --list | --modify ]\n")
        }
    })
}

fn list(call: &Call) -> String {
    let local = call.session.machine.with(|state| state.selinux.local_ports.clone());
    let mut text = format!("{:<30} {:<8} Port Number\n\n", "SELinux Port Type", "Proto");
    for (kind, protocol, ports) in POLICY {
        let own = local.iter().filter(|(_, k, p)| k == kind && p == protocol);
        let own: String = own.map(|(port, ..)| format!("{port}, ")).collect();
        text += &format!("{kind:<30} {protocol:<8} {own}{ports}\n");
    }
    text
}

fn in_policy(number: u16, protocol: &str) -> Option<&'static str> {
    let mut labelled = POLICY.iter().filter(|(_, kind, _)| *kind == protocol);
    let found = labelled.find(|(_, _, ports)| super::super::shape::ports_hold(&ports.replace(' ', ""), number));
    found.map(|(kind, ..)| *kind)
}

fn known_type(kind: &str) -> Result<(), Answer> {
    if POLICY.iter().any(|(known, ..)| *known == kind) {
        Ok(())
    } else {
        Err(Answer::fail(1, format!("ValueError: Type {kind} is invalid, must be a port type\n")))
    }
}

fn add(call: &Call, number: u16, kind: String, protocol: String) -> Answer {
    if let Err(refused) = known_type(&kind) {
        return refused;
    }
    call.session.machine.with(|state| {
        let local = &mut state.selinux.local_ports;
        let taken = local.iter().any(|(port, _, p)| *port == number && *p == protocol)
            || in_policy(number, &protocol).is_some();
        if taken {
            return Answer::fail(1, format!("ValueError: Port {protocol}/{number} already defined\n"));
        }
        local.push((number, kind, protocol));
        Answer::ok("")
    })
}

fn modify(call: &Call, number: u16, kind: String, protocol: String) -> Answer {
    if let Err(refused) = known_type(&kind) {
        return refused;
    }
    call.session.machine.with(|state| {
        let local = &mut state.selinux.local_ports;
        let before = local.len();
        local.retain(|(port, _, p)| *port != number || *p != protocol);
        if local.len() == before && in_policy(number, &protocol).is_none() {
            return Answer::fail(1, format!("ValueError: Port {protocol}/{number} is not defined\n"));
        }
        local.push((number, kind, protocol));
        Answer::ok("")
    })
}

fn delete(call: &Call, number: u16, protocol: &str) -> Answer {
    call.session.machine.with(|state| {
        let local = &mut state.selinux.local_ports;
        let before = local.len();
        local.retain(|(port, _, p)| *port != number || p != protocol);
        match (local.len() < before, in_policy(number, protocol)) {
            (true, _) => Answer::ok(""),
            (false, Some(_)) => Answer::fail(
                1,
                format!("ValueError: Port {protocol}/{number} is defined in policy, cannot be deleted\n"),
            ),
            (false, None) => Answer::fail(1, format!("ValueError: Port {protocol}/{number} is not defined\n")),
        }
    })
}

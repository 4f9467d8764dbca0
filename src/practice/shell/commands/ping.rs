//! ping(8), as iputils has it on both distributions.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::future::BoxFuture;

use super::super::program::{Answer, Call};
use crate::practice::net::{Service, Source};

/// IPv4's and ICMP's.
const HEADERS: u32 = 28;

/// `ping [-c COUNT] [-W SECONDS] [-w SECONDS] [-i SECONDS] [-s SIZE] [-M do] [-q] [-n] ADDRESS`
pub fn ping(call: Call) -> BoxFuture<'static, Answer> {
    Box::pin(async move {
        let (mut count, mut size, mut whole, mut quiet, mut to) = (4, 56, false, false, None);
        let mut rest = call.arguments.iter();
        while let Some(word) = rest.next() {
            let mut number = || rest.next().and_then(|text| text.parse::<u32>().ok());
            match word.as_str() {
                "-c" => count = number().unwrap_or(count),
                "-s" => size = number().unwrap_or(size),
                "-M" => whole = rest.next().is_some_and(|mode| mode == "do"),
                "-W" | "-w" | "-i" | "-I" | "-t" => drop(rest.next()),
                "-q" => quiet = true,
                "-n" | "-4" => {}
                flag if flag.starts_with('-') => {
                    return Answer::fail(2, format!("ping: invalid option -- '{}'\n", flag.trim_start_matches('-')));
                }
                address => to = Some(address.to_owned()),
            }
        }
        let Some(name) = to else { return Answer::fail(1, "ping: usage error: Destination address required\n") };
        let Ok(to) = name.parse::<Ipv4Addr>() else {
            return Answer::fail(2, format!("ping: {name}: Name or service not known\n"));
        };
        let machine = &call.session.machine;
        let own = to.is_loopback() || machine.addresses().contains(&IpAddr::V4(to));
        let largest = match (&call.session.reach, machine.address()) {
            _ if own => Some(u32::MAX),
            (Some(reach), Some(from)) => reach.gate.answers(Source::Host(from), IpAddr::V4(to), Service::Ping).await,
            _ => None,
        };
        let come = if largest.is_some_and(|largest| !whole || size + HEADERS <= largest) { count } else { 0 };
        let mut out = format!("PING {to} ({to}) {size}({}) bytes of data.\n", size + HEADERS);
        for number in (1..=come).filter(|_| !quiet) {
            out += &format!("{} bytes from {to}: icmp_seq={number} ttl=62 time=21.3 ms\n", size + 8);
        }
        let lost = if come == count { 0 } else { 100 };
        out += &format!(
            "\n--- {to} ping statistics ---\n{count} packets transmitted, {come} received, {lost}% packet loss, time 4005ms\n"
        );
        if come > 0 {
            out += "rtt min/avg/max/mdev = 20.914/21.302/21.871/0.322 ms\n";
        }
        Answer { out, code: i32::from(come == 0), ..Answer::default() }
    })
}

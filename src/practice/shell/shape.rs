//! Small shapes that several commands write the same way: times, lists of ports.

/// A time as sshd_config(5) and systemd.time(7) write it: `90`, `5m`, `1h30m`, `300s`, `5 min`. In seconds.
pub fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let unit = match &rest[..letters].to_ascii_lowercase()[..] {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = rest[letters..].trim_start();
    }
    Some(total)
}

/// Does `22`, `22000-22100`, `22000:22100` or a comma-separated list of these hold the port?
pub fn ports_hold(list: &str, port: u16) -> bool {
    list.split(',').any(|one| match one.split_once(['-', ':']) {
        Some((low, high)) => matches!((low.parse(), high.parse()), (Ok(low), Ok(high)) if (low..=high).contains(&port)),
        None => one.parse() == Ok(port),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_manuals_write_them() {
        for (text, expected) in [("300", 300), ("5m", 300), ("5 min", 300), ("1h30m", 5400), ("1d", 86_400)] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "x", "5q", "-3", "m"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn ports_are_single_ranges_or_lists() {
        assert!(ports_hold("22", 22) && ports_hold("20-25", 22) && ports_hold("80,20:25", 22));
        assert!(!ports_hold("22", 23) && !ports_hold("30-40", 22) && !ports_hold("ssh", 22));
    }
}

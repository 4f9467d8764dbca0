//! One way to say durations, counts and lists, and to cut a text to the cells it may take.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How long something took, in at most two units: `840 ms`, `12 s`, `1 min 12 s`, `3 h 5 min`, `2 d 4 h`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.subsec_millis() > 0 => format!("{} ms", time.subsec_millis()),
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => two_units(seconds, MINUTE, "min", 1, "s"),
        HOUR..DAY => two_units(seconds, HOUR, "h", MINUTE, "min"),
        _ => two_units(seconds, DAY, "d", HOUR, "h"),
    }
}

fn two_units(seconds: u64, large: u64, large_name: &str, small: u64, small_name: &str) -> String {
    match seconds % large / small {
        0 => format!("{} {large_name}", seconds / large),
        rest => format!("{} {large_name} {rest} {small_name}", seconds / large),
    }
}

/// The longest time that can be written: a year.
const LONGEST: u64 = 365 * DAY;

/// A time as people and runbooks write it: `90s`, `10m`, `1h`, `3d`, `2w`, `10 days`, `1 week`. Whole numbers, one
/// unit, more than nothing and at most a year; anything else is none.
pub fn read_duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit())?;
    let (digits, unit) = text.split_at(unit_at);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let seconds = match unit.strip_suffix('s').filter(|one| one.len() > 1).unwrap_or(unit) {
        "s" | "second" => 1,
        "m" | "min" | "minute" => MINUTE,
        "h" | "hour" => HOUR,
        "d" | "day" => DAY,
        "w" | "week" => 7 * DAY,
        _ => return None,
    };
    let time = digits.parse::<u64>().ok()?.checked_mul(seconds)?;
    (1..=LONGEST).contains(&time).then(|| Duration::from_secs(time))
}

/// A time in one unit, for where room is dear: `12 s`, `3 min`, `2 h`, `5 d`.
pub fn about(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} d", seconds / DAY),
    }
}

/// How long ago something was, in one unit: `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`.
pub fn ago(since: Duration) -> String {
    if since.as_secs() < 5 { "just now".to_owned() } else { format!("{} ago", about(since)) }
}

/// A number with its thing, which is given in the singular: `1 step`, `2 steps`, `0 entries`.
pub fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {}", plural(thing)) }
}

fn plural(thing: &str) -> String {
    let consonant_before_y = || thing.chars().rev().nth(1).is_some_and(|letter| !"aeiou".contains(letter));
    match thing {
        "person" => "people".to_owned(),
        _ if thing.ends_with("person") => thing.replace("person", "people"),
        _ if thing.ends_with('y') && consonant_before_y() => format!("{}ies", &thing[..thing.len() - 1]),
        _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| thing.ends_with(end)) => format!("{thing}es"),
        _ => format!("{thing}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    join(items, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub fn either<S: AsRef<str>>(items: &[S]) -> String {
    join(items, "or")
}

/// The first few, and how many there are beside them: `a, b and 3 more`.
pub fn some<S: AsRef<str>>(items: &[S], between: &str, most: usize) -> String {
    let shown: Vec<&str> = items.iter().take(most).map(AsRef::as_ref).collect();
    let more = if items.len() > most { format!(" and {} more", items.len() - most) } else { String::new() };
    format!("{}{more}", shown.join(between))
}

fn join<S: AsRef<str>>(items: &[S], word: &str) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
    }
}

/// `text` in at most `cells` cells of a terminal; what was cut off is shown by a `~`. Wants text without control
/// characters: see [`crate::text::clean`].
pub fn clip(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let Some(room) = cells.checked_sub(1) else { return String::new() };
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or(1);
        if used > room {
            break;
        }
        kept.push(character);
    }
    // Some characters together are wider than each alone.
    while kept.width() > room {
        kept.pop();
    }
    kept.push('~');
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_use_two_units() {
        for (milliseconds, expected) in [
            (0, "0 s"),
            (840, "840 ms"),
            (12_900, "12 s"),
            (60_000, "1 min"),
            (72_000, "1 min 12 s"),
            (3_600_000, "1 h"),
            (11_100_000, "3 h 5 min"),
            (86_400_000, "1 d"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, seconds) in [
            ("1s", 1),
            ("90s", 90),
            ("10m", 600),
            ("10 min", 600),
            ("1h", 3600),
            ("1 hour", 3600),
            ("168h", 604_800),
            ("1d", 86_400),
            ("10 days", 864_000),
            ("2w", 1_209_600),
            ("1 week", 604_800),
            ("365 days", 31_536_000),
        ] {
            assert_eq!(read_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "s",
            "10",
            "0s",
            "0 days",
            "-1s",
            "+1s",
            "1.5h",
            "366 days",
            "99999999999999999999s",
            "5é",
            "1  day",
            "1 ",
            "1 fortnight",
            "ten days",
            "1dd",
            "1ss",
        ] {
            assert_eq!(read_duration(text), None, "{text}");
        }
    }

    #[test]
    fn ago_uses_one_unit() {
        for (seconds, expected) in [
            (0, "just now"),
            (12, "12 s ago"),
            (72, "1 min ago"),
            (7_300, "2 h ago"),
            (86_399, "23 h ago"),
            (500_000, "5 d ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn counts_know_their_plurals() {
        for (number, thing, expected) in [
            (1, "step", "1 step"),
            (0, "step", "0 steps"),
            (2, "entry", "2 entries"),
            (2, "day", "2 days"),
            (2, "address", "2 addresses"),
            (2, "patch", "2 patches"),
            (3, "person", "3 people"),
        ] {
            assert_eq!(count(number, thing), expected);
        }
    }

    #[test]
    fn lists_end_in_a_word() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(either(&["a".to_owned(), "b".to_owned(), "c".to_owned()]), "a, b or c");
    }

    #[test]
    fn clip_counts_cells_and_not_characters() {
        for (text, cells, expected) in [
            ("short", 5, "short"),
            ("longer", 5, "long~"),
            ("東京都", 5, "東京~"),
            ("東京都", 4, "東~"),
            ("anything", 1, "~"),
            ("anything", 0, ""),
            ("", 0, ""),
        ] {
            assert_eq!(clip(text, cells), expected, "{text} {cells}");
        }
    }

    proptest! {
        #[test]
        fn clip_never_takes_more_cells(text in "\\PC{0,40}", cells in 0_usize..30) {
            prop_assert!(clip(&text, cells).width() <= cells);
        }
    }
}

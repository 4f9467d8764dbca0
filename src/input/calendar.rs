//! Hours and days: windows of a week, time zones, moments, schedules.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan, Zoned};

use super::Value;
use super::refusal::{Refusal, quoted};
use crate::text::nearest;

const ZONES: &str = "the IANA time zone database, 2025b";
const CLOCK: &str = "RFC 3339 section 5.6";
const CRON: &str = "docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html";

/// Every name in the time zone database, older spellings among them.
const ZONE_NAMES: &str = include_str!("zones.txt");

/// Mondays, as summer time comes and goes in one part of the world after the other.
const SEASONS: [&str; 8] =
    ["2026-01-05", "2026-03-16", "2026-04-13", "2026-06-15", "2026-09-28", "2026-10-12", "2026-10-26", "2026-12-07"];

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;

/// What people write, and the place that most of them mean.
const SHORT_NAMES: [(&str, &str); 14] = [
    ("BST", "Europe/London"),
    ("CEST", "Europe/Berlin"),
    ("EEST", "Europe/Athens"),
    ("WEST", "Europe/Lisbon"),
    ("EDT", "America/New_York"),
    ("CDT", "America/Chicago"),
    ("CST", "America/Chicago"),
    ("MDT", "America/Denver"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("IST", "Asia/Kolkata"),
    ("SGT", "Asia/Singapore"),
    ("JST", "Asia/Tokyo"),
    ("AEST", "Australia/Sydney"),
];

/// A name of the IANA time zone database.
pub(super) fn timezone(text: &str) -> Result<String, Refusal> {
    if let Some(name) = ZONE_NAMES.lines().find(|name| name.eq_ignore_ascii_case(text)) {
        return Ok(name.to_owned());
    }
    let refuse = |why: &str| Refusal::new(format!("{} is no time zone", quoted(text)), why, ZONES);
    let sign = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    if sign.starts_with(['+', '-']) {
        return Err(
            refuse("a difference to UTC changes with summer time; a zone is named by a place").suggest("Europe/London")
        );
    }
    if let Some((_, near)) = SHORT_NAMES.iter().find(|(short, _)| short.eq_ignore_ascii_case(text)) {
        return Err(refuse("short names mean several zones, and hold for half a year").suggest(near));
    }
    let city = text.replace(' ', "_").to_lowercase();
    let of_city = ZONE_NAMES.lines().find(|name| name.to_lowercase().rsplit('/').next() == Some(&city));
    match of_city.or_else(|| nearest(text, ZONE_NAMES.lines())) {
        Some(near) => Err(refuse(&format!("did you mean {near}?")).suggest(near)),
        None => Err(refuse("a zone is named by its region and a place")),
    }
}

/// Hours that come back every week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// Whether it begins on that day, Monday first.
    days: [bool; 7],
    /// Minutes after midnight, of the beginning.
    start: u32,
    /// How long it is, in minutes; it may go past midnight.
    length: u32,
    zone: String,
}

impl Window {
    /// Reads `Sat 22:00-02:00 Europe/London`; `24x7` is every minute of the week.
    pub fn read(text: &str) -> Result<Window, Refusal> {
        let refuse = |why: &str| Refusal::new(format!("{} is no weekly window", quoted(text)), why, CLOCK);
        if matches!(text.to_lowercase().as_str(), "24x7" | "24/7" | "always") {
            return Ok(Window { days: [true; 7], start: 0, length: DAY, zone: "UTC".to_owned() });
        }
        // Word processors make a dash of the hyphen between two hours or days.
        let text = text.replace(['\u{2013}', '\u{2014}', '\u{2011}'], "-");
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| word.contains(':')) else {
            return Err(refuse("it has days, hours as HH:MM-HH:MM, and a time zone"));
        };
        let (days, rest) = words.split_at(at);
        let zone = match rest {
            [_, zone] => timezone(zone)?,
            [_] => {
                return Err(refuse("the time zone is missing: hours without one are read differently here and there"));
            }
            _ => {
                return Err(refuse(
                    "behind the hours stands a time zone and nothing more; the hours have no blanks in them",
                ));
            }
        };
        let days = read_days(&days.join("")).map_err(|why| refuse(&why))?;
        let hours = rest[0].split_once('-').and_then(|(from, to)| Some((clock(from)?, clock(to)?)));
        let Some((start, end)) = hours else {
            return Err(refuse("hours are HH:MM-HH:MM, from 00:00 to 24:00"));
        };
        if start == DAY || start == end {
            return Err(refuse("it ends when it begins; a whole day is 00:00-24:00"));
        }
        let length = if end > start { end - start } else { end + DAY - start };
        Ok(Window { days, start, length, zone })
    }

    fn shown(&self) -> String {
        let end = self.start + self.length;
        let end = if end > DAY { end - DAY } else { end };
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        format!("{} {}-{} {}", shown_days(&self.days), clock(self.start), clock(end), self.zone)
    }

    /// Does every minute of `other` lie in this one? Nothing where that changes with summer time.
    pub fn holds(&self, other: &Window) -> Option<bool> {
        let ours = self.minutes();
        if self.zone == other.zone {
            return Some(other.minutes().iter().zip(ours).all(|(theirs, ours)| ours || !theirs));
        }
        let weeks = SEASONS.iter().filter_map(|monday| self.holds_in_week(&ours, other, monday));
        let (held, not): (Vec<bool>, Vec<bool>) = weeks.partition(|held| *held);
        match (held.is_empty(), not.is_empty()) {
            (false, true) => Some(true),
            (true, false) => Some(false),
            _ => None,
        }
    }

    /// The same in the week of that Monday, for windows of different zones; looked at every quarter of an hour, and at the end.
    fn holds_in_week(&self, ours: &[bool], other: &Window, monday: &str) -> Option<bool> {
        let (here, there) = (TimeZone::get(&self.zone).ok()?, TimeZone::get(&other.zone).ok()?);
        let monday: Date = monday.parse().ok()?;
        let (hour, minute) = (i8::try_from(other.start / 60).ok()?, i8::try_from(other.start % 60).ok()?);
        let mut looks = (0..other.length).step_by(15).chain([other.length.saturating_sub(1)]);
        let days: Vec<Date> = (0..7_i64)
            .filter(|day| other.days.get(usize::try_from(*day).unwrap_or_default()) == Some(&true))
            .filter_map(|day| monday.checked_add(day.days()).ok())
            .collect();
        let open = |day: &Date, after: u32| {
            let moment = day.at(hour, minute, 0, 0).to_zoned(there.clone()).ok()?;
            let moment = moment.checked_add(i64::from(after).minutes()).ok()?.with_time_zone(here.clone());
            ours.get(Window::minute_of(&moment)).copied()
        };
        Some(looks.all(|after| days.iter().all(|day| open(day, after) == Some(true))))
    }

    /// Does it stand open at that moment, in its own zone? Nothing where this machine does not know the zone.
    pub fn is_open(&self, moment: &str) -> Option<bool> {
        let there = when(moment)?.with_time_zone(TimeZone::get(&self.zone).ok()?);
        self.minutes().get(Window::minute_of(&there)).copied()
    }

    /// When it opens next, from that moment on.
    pub fn opens(&self, moment: &str) -> Option<String> {
        let there = when(moment)?.with_time_zone(TimeZone::get(&self.zone).ok()?);
        let midnight = |day: i64| there.date().checked_add(day.days()).ok();
        let (hour, minute) = (i8::try_from(self.start / 60).ok()?, i8::try_from(self.start % 60).ok()?);
        let mut openings = (0..=7).filter_map(|day| {
            let date = midnight(day).filter(|date| self.days.get(weekday(*date)) == Some(&true))?;
            date.at(hour, minute, 0, 0).to_zoned(there.time_zone().clone()).ok()
        });
        openings.find(|opening| *opening >= there).map(|opening| written(&opening))
    }

    fn minute_of(there: &Zoned) -> usize {
        let clock = usize::from(there.hour().unsigned_abs()) * 60 + usize::from(there.minute().unsigned_abs());
        weekday(there.date()) * DAY as usize + clock
    }

    fn minutes(&self) -> Vec<bool> {
        let mut week = vec![false; WEEK as usize];
        for day in (0..7_u32).filter(|day| self.days.get(*day as usize) == Some(&true)) {
            for minute in 0..self.length {
                let at = (day * DAY + self.start + minute) % WEEK;
                if let Some(slot) = week.get_mut(at as usize) {
                    *slot = true;
                }
            }
        }
        week
    }
}

/// Monday is 0.
fn weekday(date: Date) -> usize {
    usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())
}

/// `Sat`, `Mon-Fri`, `Sat,Sun`, `daily`.
fn read_days(text: &str) -> Result<[bool; 7], String> {
    if text.is_empty() {
        return Err("the days are missing: Sat, or Mon-Fri, or daily".to_owned());
    }
    if matches!(text.to_lowercase().as_str(), "daily" | "everyday") {
        return Ok([true; 7]);
    }
    let mut days = [false; 7];
    for part in text.split([',', '+']) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (day(from)?, day(to)?);
        loop {
            if let Some(day) = days.get_mut(at) {
                *day = true;
            }
            if at == last {
                break;
            }
            at = (at + 1) % 7;
        }
    }
    Ok(days)
}

fn day(text: &str) -> Result<usize, String> {
    let lower = text.to_lowercase();
    let full = |day: &str| match day {
        "Tue" => "tuesday",
        "Wed" => "wednesday",
        "Thu" => "thursday",
        "Sat" => "saturday",
        "Mon" => "monday",
        "Fri" => "friday",
        _ => "sunday",
    };
    let found = DAYS.iter().position(|day| lower.len() >= 3 && full(day).starts_with(&lower));
    found.ok_or_else(|| format!("{} is no day; days are Mon, Tue, Wed, Thu, Fri, Sat and Sun", quoted(text)))
}

fn shown_days(days: &[bool; 7]) -> String {
    let on: Vec<usize> = (0..7).filter(|day| days.get(*day) == Some(&true)).collect();
    let name = |day: usize| DAYS.get(day).copied().unwrap_or_default();
    match on[..] {
        [first, .., last] if on.len() > 2 && last - first + 1 == on.len() => format!("{}-{}", name(first), name(last)),
        _ => on.into_iter().map(name).collect::<Vec<_>>().join(","),
    }
}

/// Minutes after midnight.
fn clock(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<u32>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && (hours < 24 || (hours, minutes) == (24, 0))).then_some(hours * 60 + minutes)
}

/// A window of at least so many minutes.
pub(super) fn window(text: &str, least: i64) -> Result<Value, Refusal> {
    let window = Window::read(text)?;
    if i64::from(window.length) < least {
        let what = format!("{} has {} minutes", quoted(text), window.length);
        return Err(Refusal::new(what, format!("less than {least} minutes are not enough for anything"), "onramp"));
    }
    Ok(Value::Text(window.shown()))
}

/// What a day or a moment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenUse {
    Any,
    /// Something is to happen then, or is to hold until then.
    Ahead,
}

pub(super) const WHEN_USES: [(&str, WhenUse); 2] = [("any", WhenUse::Any), ("ahead", WhenUse::Ahead)];

/// A day and an hour with the difference to UTC: `2026-10-03T22:00Z` (RFC 3339 section 5.6, seconds left out or not). One that
/// must lie ahead does so of `now`, where that is known; the example is the same hour of the same day of a later week.
pub(super) fn moment(text: &str, used_as: WhenUse, now: Option<Timestamp>) -> Result<Value, Refusal> {
    let moment = read_moment(text)?;
    match (used_as, now, when(&moment)) {
        (WhenUse::Ahead, Some(now), Some(at)) if at.timestamp() <= now => {
            let what = format!("{} is over", quoted(&moment));
            let why = format!("it is to come yet, and now it is {}", now.strftime("%Y-%m-%dT%H:%MZ"));
            let weeks = (now.as_second() - at.timestamp().as_second()) / (i64::from(WEEK) * 60) + 1;
            let later = at.checked_add(weeks.weeks()).map(|at| written(&at)).unwrap_or_default();
            Err(Refusal::new(what, why, "onramp").suggest(later))
        }
        _ => Ok(Value::Text(moment)),
    }
}

/// The moment that [`read_moment`] took, with the difference to UTC that it was given with.
fn when(moment: &str) -> Option<Zoned> {
    let (date, time) = moment.split_once('T')?;
    let (hour, zone) = time.split_at_checked(5)?;
    let minutes = match zone.strip_prefix(['+', '-']) {
        Some(apart) => i32::try_from(clock(apart)?).ok()? * if zone.starts_with('-') { -1 } else { 1 },
        None => 0,
    };
    let minute = i8::try_from(clock(hour)? % 60).ok()?;
    let hour = i8::try_from(clock(hour)? / 60).ok()?;
    let offset = Offset::from_seconds(minutes * 60).ok()?;
    date.parse::<Date>().ok()?.at(hour, minute, 0, 0).to_zoned(TimeZone::fixed(offset)).ok()
}

/// As a person writes it and [`read_moment`] reads it.
fn written(at: &Zoned) -> String {
    let zone = if at.offset() == Offset::UTC { "Z".to_owned() } else { at.strftime("%:z").to_string() };
    format!("{}{zone}", at.strftime("%Y-%m-%dT%H:%M"))
}

fn read_moment(text: &str) -> Result<String, Refusal> {
    let refuse = |why: &str| Refusal::new(format!("{} is no moment", quoted(text)), why, CLOCK);
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else {
        return Err(refuse("it is a day, a T, an hour and a difference to UTC"));
    };
    if !is_date(date) {
        return Err(refuse("the day is YYYY-MM-DD and stands in the calendar"));
    }
    let (hour, zone) = match time.strip_suffix(['Z', 'z']) {
        Some(hour) => (hour, "Z".to_owned()),
        None => match time.rfind(['+', '-']).map(|at| time.split_at(at)) {
            Some((hour, zone)) if clock(&zone[1..]).is_some_and(|minutes| minutes <= 14 * 60) => {
                (hour, zone.to_owned())
            }
            _ => return Err(refuse("the difference to UTC is missing: Z, or one such as +02:00")),
        },
    };
    let hour = hour.trim().strip_suffix(":00").filter(|rest| rest.len() == 5).unwrap_or(hour.trim());
    match clock(hour) {
        Some(minutes) if minutes < DAY => Ok(format!("{date}T{hour}{zone}")),
        _ => Err(refuse("the hour is HH:MM, from 00:00 to 23:59")),
    }
}

/// A day of the calendar of RFC 3339 appendix C, leap years and all.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |part: &str, digits: usize| (part.len() == digits).then(|| part.parse::<u32>().ok()).flatten();
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// A calendar day, `2026-10-03`. One that must lie ahead comes after the day that it is in UTC `now`, where that is known.
pub(super) fn date(text: &str, used_as: WhenUse, now: Option<Timestamp>) -> Result<Value, Refusal> {
    if !is_date(text) {
        let what = format!("{} is no day", quoted(text));
        return Err(Refusal::new(what, "it is YYYY-MM-DD and stands in the calendar", CLOCK));
    }
    let today = now.map(|now| now.to_zoned(TimeZone::UTC).date());
    match (used_as, today, text.parse::<Date>()) {
        (WhenUse::Ahead, Some(today), Ok(day)) if day <= today => {
            let why = format!("it is a day to come, and today is {today}");
            let next_year = today.checked_add(1.year()).map(|day| day.to_string()).unwrap_or_default();
            Err(Refusal::new(format!("{} is over", quoted(text)), why, "onramp").suggest(next_year))
        }
        _ => Ok(Value::Text(text.to_owned())),
    }
}

/// The six fields of AWS: smallest, largest, the words that stand for numbers from the smallest on.
const FIELDS: [(&str, u32, u32, &[&str]); 6] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]),
    ("day of the week", 1, 7, &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
    ("year", 1970, 2199, &[]),
];

/// `cron(minute hour day-of-month month day-of-week year)` and a time zone, UTC where none stands there; at least once a
/// day. Source: EventBridge user guide, "Cron expressions", which AWS Backup refers to.
pub(super) fn schedule(text: &str) -> Result<Value, Refusal> {
    let refuse = |why: String| Err(Refusal::new(format!("{} is no schedule", quoted(text)), why, CRON));
    if text.starts_with("rate(") {
        return refuse("AWS Backup takes cron(…) only, which also says at what hour".to_owned());
    }
    let Some((fields, zone)) = text.strip_prefix("cron(").and_then(|rest| rest.split_once(')')) else {
        return refuse("it is cron(…) with six fields, and perhaps a time zone behind".to_owned());
    };
    let fields: Vec<String> = fields.split_whitespace().map(str::to_uppercase).collect();
    if fields.len() != FIELDS.len() {
        let hint = if fields.len() == 5 { "; the crontab of Linux has five, AWS wants a year too" } else { "" };
        return refuse(format!("it has six fields, this has {}{hint}", fields.len()));
    }
    for (at, ((name, min, max, words), field)) in FIELDS.iter().zip(&fields).enumerate() {
        let question = field == "?" && (at == 2 || at == 4);
        if !question && !field.split(',').all(|part| is_field(part, at, *min, *max, words)) {
            return refuse(format!(
                "{} is no {name}, which is {min} to {max}, *, a list, a range or a step",
                quoted(field)
            ));
        }
    }
    if (fields[2] == "?") == (fields[4] == "?") {
        return refuse("one of day of the month and day of the week is ?, and only one".to_owned());
    }
    let daily = ["*", "?", "1/1", "*/1"];
    if fields[2..].iter().any(|field| !daily.contains(&field.as_str())) {
        return refuse("a backup is made every day or more often, so days, months and years are * or ?".to_owned());
    }
    let zone = match zone.trim() {
        "" => "UTC".to_owned(),
        zone => timezone(zone)?,
    };
    Ok(Value::Text(format!("cron({}) {zone}", fields.join(" "))))
}

/// The longest time between two runs of a schedule that was accepted, in minutes: a day, or what its hours and minutes
/// leave.
pub(super) fn longest_gap(schedule: &str) -> i64 {
    let fields: Vec<&str> = schedule.trim_start_matches("cron(").split([' ', ')']).collect();
    let [minutes, hours, ..] = fields[..] else { return i64::from(DAY) };
    let (minutes, hours) = (values(minutes, 59), values(hours, 23));
    let mut runs: Vec<u32> =
        hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute)).collect();
    runs.sort_unstable();
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return i64::from(DAY) };
    let over_night = DAY - last + first;
    i64::from(runs.windows(2).map(|pair| pair[1] - pair[0]).fold(over_night, u32::max))
}

/// What a field of numbers stands for, from 0 to `max`.
fn values(field: &str, max: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().unwrap_or(0), to.parse().unwrap_or(max)),
            None if range == "*" => (0, max),
            None => {
                let from = range.parse().unwrap_or(0);
                (from, if step.is_some() { max } else { from })
            }
        };
        found.extend((from..=to.min(max)).step_by(step.unwrap_or(1) as usize));
    }
    found
}

/// One entry of a field: `*`, `5`, `MON-FRI`, `0/15`, and for days `L`, `15W` and `MON#2`.
fn is_field(part: &str, at: usize, min: u32, max: u32, words: &[&str]) -> bool {
    let number = |text: &str| {
        let word = words.iter().position(|word| *word == text).and_then(|index| u32::try_from(index).ok());
        let number = word.map(|index| index + min).or_else(|| {
            (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
        });
        number.filter(|number| (min..=max).contains(number))
    };
    let range = |text: &str| match text.split_once('-') {
        Some((from, to)) => matches!((number(from), number(to)), (Some(from), Some(to)) if from <= to),
        None => text == "*" || number(text).is_some(),
    };
    if let Some((from, step)) = part.split_once('/') {
        return range(from) && step.parse::<u32>().is_ok_and(|step| (1..=max).contains(&step));
    }
    match at {
        2 if part == "L" || part == "LW" => true,
        2 if part.ends_with('W') => number(part.trim_end_matches('W')).is_some(),
        4 if part == "L" => true,
        4 if part.ends_with('L') => number(part.trim_end_matches('L')).is_some(),
        4 => match part.split_once('#') {
            Some((day, week)) => number(day).is_some() && matches!(week, "1" | "2" | "3" | "4" | "5"),
            None => range(part),
        },
        _ => range(part),
    }
}

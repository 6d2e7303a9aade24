//! Points in time.

use super::Shape::{Number, Text};
use super::{Call, Failure, Function, Purity, wrong};
use crate::value::Val;
use crate::value::types::Type;
use kiln_plan::go_template::{Calendar, format_layout, format_strftime};
use std::fmt::Write as _;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("formatdate", (2, 2), &[Text, Text], Type::Text, formatdate),
    Function::new("legacy_isotime", (0, 1), &[Text], Type::Text, |c| {
        let layout = if c.is_given(0) { c.text(0)? } else { "2006-01-02T15:04:05Z07:00".into() };
        Ok(Val::text(format_layout(&layout, c.context.world.environment.started())))
    })
    .purity(Purity::RunStart),
    Function::new("legacy_strftime", (0, 1), &[Text], Type::Text, |c| {
        let format = if c.is_given(0) { c.text(0)? } else { "%Y-%m-%dT%H:%M:%SZ".into() };
        let text = format_strftime(&format, c.context.world.environment.started());
        Ok(Val::text(text.map_err(|e| wrong(0, e))?))
    })
    .purity(Purity::RunStart),
    Function::new("rfc3339_parse", (1, 1), &[Text], Type::Dynamic, |c| Ok(parts(Moment::parse(c, 0)?))),
    Function::new("timeadd", (2, 2), &[Text, Text], Type::Text, timeadd),
    Function::new("timestamp", (0, 0), &[], Type::Text, timestamp).purity(Purity::Clock),
    Function::new("unix_timestamp_parse", (1, 1), &[Number], Type::Dynamic, |c| {
        let seconds = c.whole(0)?;
        let in_range = (-62_135_596_800..=253_402_300_799).contains(&seconds);
        let seconds =
            Some(seconds).filter(|_| in_range).ok_or_else(|| wrong(0, "the time is out of range"))?;
        Ok(parts(Moment { seconds, nanosecond: 0, offset: 0 }))
    }),
];

fn timestamp(c: &Call<'_, '_>) -> Result<Val, Failure> {
    Ok(Val::text(format_layout("2006-01-02T15:04:05Z07:00", c.context.world.environment.now())))
}

/// A point in time and the offset it was written with.
#[derive(Clone, Copy)]
struct Moment {
    /// From 1970 on, in UTC.
    seconds: i64,
    nanosecond: u32,
    /// Seconds east of UTC.
    offset: i64,
}

impl Moment {
    fn parse(c: &Call<'_, '_>, at: usize) -> Result<Self, Failure> {
        let text = c.text(at)?;
        Self::read(&text).ok_or_else(|| {
            wrong(at, format!("\"{text}\" is not a time as RFC 3339 writes it, such as 2006-01-02T15:04:05Z"))
        })
    }

    /// `2006-01-02T15:04:05.999+07:00`.
    fn read(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| -> Option<u32> {
            let digits = text.get(range)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let sign = |at: usize, wanted: &str| text.get(at..at + 1).filter(|s| wanted.contains(*s));
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        sign(4, "-").and(sign(7, "-")).and(sign(10, "T")).and(sign(13, ":")).and(sign(16, ":"))?;
        let mut rest = text.get(19..)?;
        let mut nanosecond = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let end = fraction.find(|c: char| !c.is_ascii_digit())?;
            let digits: String = fraction.get(..end)?.chars().chain("000000000".chars()).take(9).collect();
            nanosecond = if end > 0 { digits.parse().ok()? } else { return None };
            rest = fraction.get(end..)?;
        }
        let offset = if rest == "Z" {
            0
        } else {
            let at = text.len() - rest.len();
            let (hours, minutes) = (number(at + 1..at + 3)?, number(at + 4..at + 6)?);
            if rest.len() != 6 || hours > 23 || minutes > 59 || sign(at + 3, ":").is_none() {
                return None;
            }
            let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
            if sign(at, "+").is_some() { seconds } else { sign(at, "-").map(|_| -seconds)? }
        };
        let month = usize::try_from(month).ok().filter(|m| (1..=12).contains(m))?;
        let year = i64::from(year);
        let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let length = Calendar::days(next_year, next, 1) - Calendar::days(year, month, 1);
        if day == 0 || i64::from(day) > length || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let clock = i64::from(hour * 3600 + minute * 60 + second);
        Some(Self { seconds: Calendar::days(year, month, day) * 86_400 + clock - offset, nanosecond, offset })
    }

    /// As it is shown where it was written.
    fn local(self) -> Calendar {
        Calendar::of_unix(self.seconds.saturating_add(self.offset), self.nanosecond)
    }

    /// `Z`, `+0700` or `+07:00`.
    fn zone(self, colon: &str) -> String {
        let size = self.offset.abs();
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}{colon}{:02}", size / 3600, size / 60 % 60)
    }

    fn show(self) -> String {
        let c = self.local();
        let zone = if self.offset == 0 { "Z".to_owned() } else { self.zone(":") };
        let (date, clock) = ((c.year, c.month, c.day), (c.hour, c.minute, c.second));
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
            date.0, date.1, date.2, clock.0, clock.1, clock.2
        )
    }
}

/// A time as RFC 3339 writes it, without fractions of a second.
pub(super) fn canonical(text: &str) -> Option<String> {
    Moment::read(text).map(Moment::show)
}

fn timeadd(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let moment = Moment::parse(c, 0)?;
    let text = c.text(1)?;
    let add = crate::duration::nanoseconds(&text)
        .ok_or_else(|| wrong(1, format!("\"{text}\" is not a duration such as \"1h30m\"")))?;
    let total = i128::from(moment.seconds) * 1_000_000_000 + i128::from(moment.nanosecond) + add;
    let seconds = i64::try_from(total.div_euclid(1_000_000_000)).map_err(|_| "the time is out of range")?;
    Ok(Val::text(Moment { seconds, ..moment }.show()))
}

/// The elements of a format: letters in a row, and text in single quotes.
fn formatdate(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let format = c.text(0)?;
    let moment = Moment::parse(c, 1)?;
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(first) = chars.next() {
        if first == '\'' {
            loop {
                match chars.next() {
                    Some('\'') if chars.next_if_eq(&'\'').is_some() => out.push('\''),
                    Some('\'') => break,
                    Some(c) => out.push(c),
                    None => return Err(wrong(0, "a quote is not closed")),
                }
            }
            continue;
        }
        if !first.is_ascii_alphabetic() {
            out.push(first);
            continue;
        }
        let mut word = String::from(first);
        while let Some(c) = chars.next_if_eq(&first) {
            word.push(c);
        }
        element(&word, moment, &mut out)
            .ok_or_else(|| wrong(0, format!("\"{word}\" is not an element of a date; quote text with '")))?;
    }
    Ok(Val::text(out))
}

fn element(word: &str, moment: Moment, out: &mut String) -> Option<()> {
    let c = moment.local();
    let short = |name: &'static str| name.get(..3).unwrap_or("");
    let hour12 = (c.hour + 11) % 12 + 1;
    let half = if c.hour < 12 { "am" } else { "pm" };
    let written = match word {
        "YYYY" => write!(out, "{:04}", c.year),
        "YY" => write!(out, "{:02}", c.year.rem_euclid(100)),
        "MMMM" => write!(out, "{}", c.month_name()),
        "MMM" => write!(out, "{}", short(c.month_name())),
        "MM" => write!(out, "{:02}", c.month),
        "M" => write!(out, "{}", c.month),
        "DD" => write!(out, "{:02}", c.day),
        "D" => write!(out, "{}", c.day),
        "EEEE" => write!(out, "{}", c.day_name()),
        "EEE" => write!(out, "{}", short(c.day_name())),
        "hh" => write!(out, "{:02}", c.hour),
        "h" => write!(out, "{}", c.hour),
        "HH" => write!(out, "{hour12:02}"),
        "H" => write!(out, "{hour12}"),
        "AA" => write!(out, "{}", half.to_uppercase()),
        "aa" => write!(out, "{half}"),
        "mm" => write!(out, "{:02}", c.minute),
        "m" => write!(out, "{}", c.minute),
        "ss" => write!(out, "{:02}", c.second),
        "s" => write!(out, "{}", c.second),
        "Z" if moment.offset == 0 => write!(out, "Z"),
        "ZZZ" if moment.offset == 0 => write!(out, "UTC"),
        "Z" | "ZZZZZ" => write!(out, "{}", moment.zone(":")),
        "ZZZ" | "ZZZZ" => write!(out, "{}", moment.zone("")),
        _ => return None,
    };
    written.ok()
}

/// The parts of a time as an object.
fn parts(moment: Moment) -> Val {
    let c = moment.local();
    let (iso_year, iso_week) = iso_week(&c);
    let weekday = i64::try_from(c.weekday).unwrap_or(0);
    let numbers = [
        ("year", c.year),
        ("year_day", i64::from(c.yearday)),
        ("day", i64::from(c.day)),
        ("month", i64::try_from(c.month).unwrap_or(0)),
        ("weekday", weekday),
        ("hour", i64::from(c.hour)),
        ("minute", i64::from(c.minute)),
        ("second", i64::from(c.second)),
        ("unix", moment.seconds),
        ("iso_year", iso_year),
        ("iso_week", iso_week),
    ];
    let mut object: std::collections::BTreeMap<String, Val> =
        numbers.into_iter().map(|(name, n)| (name.to_owned(), Val::number(n))).collect();
    object.insert("month_name".to_owned(), Val::text(c.month_name()));
    object.insert("weekday_name".to_owned(), Val::text(c.day_name()));
    Val::object(object)
}

/// The week that has the Thursday of the same week in its year.
fn iso_week(c: &Calendar) -> (i64, i64) {
    let today = Calendar::days(c.year, c.month, c.day);
    let from_monday = (i64::try_from(c.weekday).unwrap_or(0) + 6) % 7;
    let thursday = today - from_monday + 3;
    let year = Calendar::of_unix(thursday * 86_400, 0).year;
    (year, (thursday - Calendar::days(year, 1, 1)) / 7 + 1)
}

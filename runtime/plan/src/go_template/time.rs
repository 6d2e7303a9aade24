//! Points in time as text: Go layouts (`2006-01-02`) and strftime formats, always UTC.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A moment in calendar words, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// 2006.
    pub year: i64,
    /// 1 to 12.
    pub month: usize,
    /// 1 to 31.
    pub day: u32,
    /// 0 is Sunday.
    pub weekday: usize,
    /// 1 to 366.
    pub yearday: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// Below 1,000,000,000.
    pub nanosecond: u32,
}

impl Calendar {
    /// Days from 1970-01-01 to a date.
    pub fn days(year: i64, month: usize, day: u32) -> i64 {
        const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let month = month.clamp(1, 12);
        let months = BEFORE.get(month - 1).copied().unwrap_or(0) + i64::from(leap && month > 2);
        days_before(year) + months + i64::from(day) - 1
    }

    /// A moment counted from 1970 in seconds.
    pub fn of_unix(seconds: i64, nanosecond: u32) -> Self {
        let days = seconds.div_euclid(86_400);
        let clock = u32::try_from(seconds.rem_euclid(86_400)).unwrap_or(0);
        let (year, month, day) = civil(days);
        Self {
            year,
            month,
            day,
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
            yearday: u32::try_from(days - days_before(year)).unwrap_or(0) + 1,
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
            nanosecond,
        }
    }

    fn of(time: SystemTime) -> Self {
        let (seconds, nanosecond) = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (i64::try_from(after.as_secs()).unwrap_or(i64::MAX / 2), after.subsec_nanos()),
            Err(before) => (-i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX / 2), 0),
        };
        Self::of_unix(seconds, nanosecond)
    }

    /// `January`.
    pub fn month_name(&self) -> &'static str {
        MONTHS.get(self.month - 1).copied().unwrap_or("")
    }

    /// `Monday`.
    pub fn day_name(&self) -> &'static str {
        DAYS.get(self.weekday).copied().unwrap_or("")
    }

    fn hour12(&self) -> u32 {
        (self.hour + 11) % 12 + 1
    }
}

/// Days from 1970-01-01 to the first day of `year`.
fn days_before(year: i64) -> i64 {
    let y = year - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) - 719_162
}

/// Year, month and day of a day counted from 1970-01-01, by the 400-year cycle from March on.
fn civil(days: i64) -> (i64, usize, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = u32::try_from(of_year - (153 * shifted_month + 2) / 5 + 1).unwrap_or(1);
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

/// `time` by a Go layout, where every element is written as that of Mon Jan 2 15:04:05 2006 UTC.
pub fn format_layout(layout: &str, time: SystemTime) -> String {
    let c = Calendar::of(time);
    let mut out = String::new();
    let mut rest = layout;
    while !rest.is_empty() {
        let used = element(rest, &c, &mut out);
        if used > 0 {
            rest = rest.get(used..).unwrap_or("");
            continue;
        }
        let Some(next) = rest.chars().next() else { break };
        out.push(next);
        rest = rest.get(next.len_utf8()..).unwrap_or("");
    }
    out
}

/// Writes the element that `rest` starts with and gives its length, 0 if there is none.
fn element(rest: &str, c: &Calendar, out: &mut String) -> usize {
    const NAMES: [&str; 33] = [
        "January",
        "Jan",
        "Monday",
        "Mon",
        "MST",
        "2006",
        "-07:00:00",
        "-070000",
        "-07:00",
        "-0700",
        "-07",
        "Z07:00:00",
        "Z070000",
        "Z07:00",
        "Z0700",
        "Z07",
        "__2",
        "_2",
        "002",
        "01",
        "02",
        "03",
        "04",
        "05",
        "06",
        "15",
        "PM",
        "pm",
        "1",
        "2",
        "3",
        "4",
        "5",
    ];
    if let Some(used) = fraction(rest, c, out) {
        return used;
    }
    let Some(name) = NAMES.iter().find(|name| rest.starts_with(**name)) else { return 0 };
    // `Jan` and `Mon` are not elements in the middle of a word such as `Monthly`.
    let word = rest.get(name.len()..).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_lowercase()));
    if matches!(*name, "Jan" | "Mon") && word {
        return 0;
    }
    let short = |name: &'static str| name.get(..3).unwrap_or("");
    let _ = match *name {
        "January" => write!(out, "{}", c.month_name()),
        "Jan" => write!(out, "{}", short(c.month_name())),
        "Monday" => write!(out, "{}", c.day_name()),
        "Mon" => write!(out, "{}", short(c.day_name())),
        "MST" => write!(out, "UTC"),
        "2006" => write!(out, "{:04}", c.year),
        "-07:00:00" => write!(out, "+00:00:00"),
        "-070000" => write!(out, "+000000"),
        "-07:00" => write!(out, "+00:00"),
        "-0700" => write!(out, "+0000"),
        "-07" => write!(out, "+00"),
        "Z07:00:00" | "Z070000" | "Z07:00" | "Z0700" | "Z07" => write!(out, "Z"),
        "__2" => write!(out, "{:>3}", c.yearday),
        "_2" => write!(out, "{:>2}", c.day),
        "002" => write!(out, "{:03}", c.yearday),
        "01" => write!(out, "{:02}", c.month),
        "02" => write!(out, "{:02}", c.day),
        "03" => write!(out, "{:02}", c.hour12()),
        "04" => write!(out, "{:02}", c.minute),
        "05" => write!(out, "{:02}", c.second),
        "06" => write!(out, "{:02}", c.year.rem_euclid(100)),
        "15" => write!(out, "{:02}", c.hour),
        "PM" => write!(out, "{}", if c.hour < 12 { "AM" } else { "PM" }),
        "pm" => write!(out, "{}", if c.hour < 12 { "am" } else { "pm" }),
        "1" => write!(out, "{}", c.month),
        "2" => write!(out, "{}", c.day),
        "3" => write!(out, "{}", c.hour12()),
        "4" => write!(out, "{}", c.minute),
        _ => write!(out, "{}", c.second),
    };
    name.len()
}

/// `.000` and `.999` behind seconds.
fn fraction(rest: &str, c: &Calendar, out: &mut String) -> Option<usize> {
    let separator = rest.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let body = rest.get(1..)?;
    let digit = body.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let count = body.chars().take_while(|c| *c == digit).count();
    if body.get(count..).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit())) {
        return None;
    }
    let nanoseconds = format!("{:09}", c.nanosecond);
    let digits: String = nanoseconds.chars().chain(std::iter::repeat('0')).take(count).collect();
    let digits = if digit == '9' { digits.trim_end_matches('0') } else { &digits };
    if !digits.is_empty() {
        out.push(separator);
        out.push_str(digits);
    }
    Some(1 + count)
}

/// `time` by a strftime format; an unknown letter is an error.
///
/// # Errors
/// Names the letter.
pub fn format_strftime(format: &str, time: SystemTime) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let letter = chars.next().ok_or("stray % at the end of the format")?;
        let layout = match letter {
            'A' => "Monday",
            'a' => "Mon",
            'B' => "January",
            'b' | 'h' => "Jan",
            'c' => "date and time representation",
            'D' => "01/02/06",
            'd' => "02",
            'e' => "_2",
            'F' => "2006-01-02",
            'H' => "15",
            'I' => "03",
            'j' => "002",
            'l' => "3",
            'M' => "04",
            'm' => "01",
            'p' => "PM",
            'R' => "15:04",
            'r' => "03:04:05 PM",
            'S' => "05",
            'T' | 'X' => "15:04:05",
            'v' => "_2-Jan-2006",
            'x' => "01/02/06",
            'Y' => "2006",
            'y' => "06",
            'Z' => "MST",
            'z' => "-0700",
            _ => "",
        };
        let calendar = Calendar::of(time);
        match letter {
            'c' => out.push_str(&format_layout("Mon Jan _2 15:04:05 2006", time)),
            'C' => {
                let _ = write!(out, "{:02}", calendar.year / 100);
            }
            'k' => {
                let _ = write!(out, "{:>2}", calendar.hour);
            }
            'n' => out.push('\n'),
            't' => out.push('\t'),
            '%' => out.push('%'),
            'u' => {
                let _ = write!(out, "{}", (calendar.weekday + 6) % 7 + 1);
            }
            'w' => {
                let _ = write!(out, "{}", calendar.weekday);
            }
            _ if layout.is_empty() => return Err(format!("unknown time format %{letter}")),
            _ => out.push_str(&format_layout(layout, time)),
        }
    }
    Ok(out)
}

//! Durations as options write them: Go's notation, `1h30m`, `500ms`, `-1s`.

use std::time::Duration;

/// A duration with its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedDuration {
    /// Zero or more.
    Positive(Duration),
    /// Less than zero; options use it for "never".
    Negative(Duration),
}

impl SignedDuration {
    /// The duration; zero if it is negative.
    pub fn or_zero(self) -> Duration {
        match self {
            Self::Positive(duration) => duration,
            Self::Negative(_) => Duration::ZERO,
        }
    }
}

/// Reads a duration. A number needs a unit (`ns us µs ms s m h`), only `0` stands alone.
///
/// # Errors
/// A lowercase fragment that says what is wrong.
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or("")),
        Some(b'+') => (false, text.get(1..).unwrap_or("")),
        _ => (false, text),
    };
    let wrong = || format!("`{text}` is no duration; write a number with a unit, as in `90s` or `1h30m`");
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut seconds = 0.0_f64;
    if rest != "0" {
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .ok_or_else(|| format!("`{text}` needs a unit, as in `{text}s`"))?;
            let number: f64 = rest.get(..digits).unwrap_or("").parse().map_err(|_| wrong())?;
            rest = rest.get(digits..).unwrap_or("");
            let units = [
                ("ns", 1e-9),
                ("us", 1e-6),
                ("µs", 1e-6),
                ("μs", 1e-6),
                ("ms", 1e-3),
                ("s", 1.0),
                ("m", 60.0),
                ("h", 3600.0),
            ];
            let (unit, size) = units.iter().find(|(unit, _)| rest.starts_with(unit)).ok_or_else(wrong)?;
            rest = rest.get(unit.len()..).unwrap_or("");
            seconds += number * size;
        }
    }
    let duration =
        Duration::try_from_secs_f64(seconds).map_err(|_| format!("`{text}` is too long a time"))?;
    Ok(if negative { SignedDuration::Negative(duration) } else { SignedDuration::Positive(duration) })
}

/// A duration as Go prints it: `1m30s`, `1h0m0s`, `1.5s`, `500ms`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.subsec_nanos();
    if duration.is_zero() || duration.as_secs() > 0 {
        let (minutes, seconds) = (duration.as_secs() / 60, duration.as_secs() % 60);
        let seconds = fraction(seconds, nanos, 9);
        return match (minutes / 60, minutes % 60) {
            (0, 0) => format!("{seconds}s"),
            (0, minutes) => format!("{minutes}m{seconds}s"),
            (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
        };
    }
    match nanos {
        0..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(u64::from(nanos / 1_000), nanos % 1_000, 3)),
        _ => format!("{}ms", fraction(u64::from(nanos / 1_000_000), nanos % 1_000_000, 6)),
    }
}

/// A number with so many decimals, without zeros at their end.
fn fraction(whole: u64, decimals: u32, places: usize) -> String {
    let text = format!("{whole}.{decimals:0places$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_as_go_does() {
        for text in [
            "0s",
            "1s",
            "1m30s",
            "10m0s",
            "1h0m0s",
            "26h3m4.5s",
            "1.000000001s",
            "500ms",
            "1.5ms",
            "20µs",
            "7ns",
            "1.001µs",
        ] {
            assert_eq!(format_duration(parse_duration(text).unwrap().or_zero()), text);
        }
    }

    #[test]
    fn durations_are_go_s() {
        let ok = |text: &str| parse_duration(text).unwrap();
        assert_eq!(ok("1h30m"), SignedDuration::Positive(Duration::from_secs(5400)));
        assert_eq!(ok("500ms").or_zero(), Duration::from_millis(500));
        assert_eq!(ok("1.5s").or_zero(), Duration::from_millis(1500));
        assert_eq!(ok("0"), SignedDuration::Positive(Duration::ZERO));
        assert_eq!(ok("-1s").or_zero(), Duration::ZERO);
        for bad in ["", "5", "10", "x", "1y", "s", "1e400h", "--1s", "1s2"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}

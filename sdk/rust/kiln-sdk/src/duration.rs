//! Durations as templates write them (Go's `time.ParseDuration`): `300ms`, `-1.5h`, `1h15m`.
//! <https://pkg.go.dev/time#ParseDuration> is the source of the grammar.

/// Milliseconds of `text`, rounded towards zero; `None` if it is no duration. Empty text is 0, as
/// for an option that was not written. Negative durations are negative.
pub fn milliseconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" || text.is_empty() {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanoseconds: f64 = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit)?;
        nanoseconds += number.parse::<f64>().ok()? * unit_nanoseconds(unit)?;
        rest = tail;
    }
    let milliseconds = (nanoseconds / 1e6).trunc();
    // Go's durations end at 2^63 ns, about 292 years.
    if !milliseconds.is_finite() || milliseconds > 9.2e12 {
        return None;
    }
    let milliseconds = milliseconds as i64;
    Some(if negative { -milliseconds } else { milliseconds })
}

fn unit_nanoseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 6e10,
        "h" => 3.6e12,
        _ => return None,
    })
}

/// As [`milliseconds`], for waiting: negative counts as 0.
///
/// # Errors
/// `invalid` if it is no duration.
pub fn wait(text: &str) -> crate::Result<u64> {
    milliseconds(text)
        .map(|ms| u64::try_from(ms).unwrap_or(0))
        .ok_or_else(|| crate::Error::invalid(format!("`{text}` is not a duration such as 30s or 5m")))
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, wanted) in [
            ("5m", 300_000),
            ("1h15m30.918s", 4_530_918),
            ("300ms", 300),
            ("-1.5h", -5_400_000),
            ("0", 0),
            ("", 0),
            ("+.5s", 500),
            ("1us", 0),
        ] {
            assert_eq!(milliseconds(text), Some(wanted), "{text}");
        }
        for wrong in ["5", "m", "5 m", "-", "1d", "1.2.3s", "5minutes", "900000000h"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
    }
}

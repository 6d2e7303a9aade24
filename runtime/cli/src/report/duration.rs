//! Durations as Packer says them: the two largest units.

use std::time::Duration;

/// `5 seconds 3 milliseconds`; `0 seconds` if it is nothing.
pub(crate) fn words(duration: Duration) -> String {
    let micros = duration.as_micros();
    let units = [
        (86_400_000_000, "day"),
        (3_600_000_000, "hour"),
        (60_000_000, "minute"),
        (1_000_000, "second"),
        (1_000, "millisecond"),
        (1, "microsecond"),
    ];
    let mut rest = micros;
    let mut parts = Vec::new();
    for (size, name) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

/// `1:02` or `1:02:03`, for lanes.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_largest_units() {
        assert_eq!(words(Duration::from_micros(5_003_000)), "5 seconds 3 milliseconds");
        assert_eq!(words(Duration::from_secs(61)), "1 minute 1 second");
        assert_eq!(words(Duration::from_secs(3600)), "1 hour");
        assert_eq!(words(Duration::from_micros(22_093)), "22 milliseconds 93 microseconds");
        assert_eq!(words(Duration::ZERO), "0 seconds");
    }

    #[test]
    fn clocks() {
        assert_eq!(clock(Duration::from_secs(62)), "1:02");
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
    }
}

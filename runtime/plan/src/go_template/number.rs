//! Floating-point numbers as Go's package strconv writes them: `FormatFloat`.

/// `%g`: the shortest text, or so many digits; with an exponent when that is below -4 or from the
/// number of digits on (from 6 on for the shortest text).
pub(super) fn general(float: f64, precision: Option<usize>) -> String {
    if float == 0.0 {
        return if float.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = match precision {
        Some(p) => format!("{:.*e}", p.max(1) - 1, float),
        None => format!("{float:e}"),
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let limit = precision.map_or(6, |p| i32::try_from(p.max(1)).unwrap_or(i32::MAX));
    if exponent < -4 || exponent >= limit {
        return format!("{}e{}", trimmed(mantissa), exponent_text(exponent));
    }
    match precision {
        Some(p) => {
            let decimals = usize::try_from(i32::try_from(p.max(1)).unwrap_or(1) - 1 - exponent).unwrap_or(0);
            trimmed(&format!("{float:.decimals$}")).to_owned()
        }
        None => format!("{float}"),
    }
}

/// Without zeros that say nothing.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// A sign and two digits or more.
fn exponent_text(exponent: i32) -> String {
    format!("{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// `%e`: one digit, so many decimals, an exponent.
pub(super) fn scientific(float: f64, decimals: usize) -> String {
    let text = format!("{float:.decimals$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{mantissa}e{}", exponent_text(exponent.parse().unwrap_or(0)))
}

/// The bits of the mantissa, and the exponent of two of the lowest.
fn bits(float: f64) -> (u64, i32) {
    let bits = float.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    // 11 bits fit.
    match ((bits >> 52) & 0x7ff) as i32 {
        0 => (mantissa, 1 - 1075),
        exponent => (mantissa | 1 << 52, exponent - 1075),
    }
}

/// `%b`: the mantissa, and the exponent of two.
pub(super) fn binary(float: f64) -> String {
    let (mantissa, exponent) = bits(float);
    format!("{mantissa}p{exponent:+}")
}

/// `%x`: hexadecimal digits, as many as needed or so many behind the point, and the exponent of two.
pub(super) fn hexadecimal(float: f64, digits: Option<usize>) -> String {
    const POINT: u32 = 60;
    let (mantissa, exponent) = bits(float);
    let up = mantissa.leading_zeros().saturating_sub(63 - POINT);
    let (mut mantissa, mut exponent) = match mantissa {
        0 => (0, 0),
        _ => (mantissa << up, exponent + (POINT - up) as i32),
    };
    if let Some(cut) = digits.and_then(|digits| POINT.checked_sub(4 * u32::try_from(digits).ok()?)) {
        let lost = mantissa & ((1 << cut) - 1);
        mantissa >>= cut;
        let half = (1 << cut) >> 1;
        if cut > 0 && (lost > half || lost == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= cut;
        if mantissa >> (POINT + 1) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let fraction = format!("{:015x}", mantissa & ((1 << POINT) - 1));
    let fraction = match digits {
        Some(digits) => fraction.chars().chain(std::iter::repeat('0')).take(digits).collect(),
        None => fraction.trim_end_matches('0').to_owned(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("0x{}{point}{fraction}p{}", mantissa >> POINT, exponent_text(exponent))
}

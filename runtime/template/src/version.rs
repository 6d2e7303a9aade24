//! Versions and constraints on them: `>= 1.7.0, < 2.0`, `~> 1.9`.
//!
//! A pre-release satisfies only a constraint that names one of the same numbers; `=` and `!=` compare
//! it like any other.

use std::cmp::Ordering;

/// A version; a pre-release comes before its release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    numbers: Vec<u64>,
    pre: Option<String>,
}

/// How many numbers are compared.
const NUMBERS: usize = 4;

impl Version {
    /// Reads `1`, `1.2`, `v1.2.3-beta+build`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next().unwrap_or(text);
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre.to_owned())),
            None => (text, None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '~');
        if pre.as_ref().is_some_and(|pre| pre.is_empty() || !pre.chars().all(plain)) {
            return None;
        }
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
        let numbers: Vec<u64> = numbers.split('.').map(number).collect::<Option<_>>()?;
        (numbers.len() <= NUMBERS).then_some(Self { numbers, pre })
    }

    fn number(&self, at: usize) -> u64 {
        self.numbers.get(at).copied().unwrap_or(0)
    }

    fn compare_numbers(&self, other: &Self) -> Ordering {
        let orders = (0..NUMBERS).map(|at| self.number(at).cmp(&other.number(at)));
        orders.fold(Ordering::Equal, Ordering::then)
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.compare_numbers(other).then_with(|| match (&self.pre, &other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_pre(a, b),
        })
    }

    /// The release after this one that differs in its third number.
    fn next(&self) -> Self {
        let numbers = vec![self.number(0), self.number(1), self.number(2).saturating_add(1)];
        Self { numbers, pre: None }
    }
}

/// Part by part: numbers by size, before words; what has more parts is later.
fn compare_pre(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Constraints, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constraints(Vec<(String, Version)>);

impl Constraints {
    /// Reads a list separated by commas.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let each = text.split(',').map(|part| {
            let part = part.trim();
            let at = part.find(|c: char| !"=!<>~".contains(c))?;
            let (operator, version) = part.split_at_checked(at)?;
            let known = matches!(operator, "" | "=" | "!=" | ">" | ">=" | "<" | "<=" | "~>");
            if known { Some((operator.to_owned(), Version::parse(version)?)) } else { None }
        });
        each.collect::<Option<_>>().map(Self)
    }

    /// Whether `version` satisfies all of them.
    pub(crate) fn accept(&self, version: &Version) -> bool {
        self.0.iter().all(|(operator, wanted)| accepts(operator, wanted, version))
    }

    /// Whether any release from `lowest` to `highest` satisfies all of them.
    pub(crate) fn meet(&self, lowest: &Version, highest: &Version) -> bool {
        // What satisfies them begins at a bound, at a version that is named, or just behind one.
        let named = self.0.iter().flat_map(|(_, wanted)| [wanted.clone(), wanted.next()]);
        let mut candidates = named.chain([lowest.clone(), lowest.next(), highest.clone()]);
        candidates.any(|version| {
            let inside = version.compare(lowest).is_ge() && version.compare(highest).is_le();
            inside && self.accept(&version)
        })
    }
}

fn accepts(operator: &str, wanted: &Version, version: &Version) -> bool {
    let order = version.compare(wanted);
    match operator {
        "" | "=" => return order.is_eq(),
        "!=" => return order.is_ne(),
        _ => {}
    }
    let comparable = match (&version.pre, &wanted.pre) {
        (Some(_), Some(_)) => version.compare_numbers(wanted).is_eq(),
        (Some(_), None) => false,
        // Only this operator keeps to pre-releases once one is named.
        (None, Some(_)) => operator != "~>",
        (None, None) => true,
    };
    comparable
        && match operator {
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            // All but the last number that was written are fixed.
            _ => {
                let fixed = wanted.numbers.len().saturating_sub(1);
                order.is_ge() && (0..fixed).all(|at| version.number(at) == wanted.number(at))
            }
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints() {
        for (constraint, version, expected) in [
            (">= 1.7.0, < 2.0", "1.16.0", true),
            ("~> 1.9", "1.16.0", true),
            ("~> 1.15.0", "1.16.0", false),
            ("~> 1.16.0", "1.16.9", true),
            ("~> 1.16.0.1", "1.16.1", false),
            ("~> 1", "2.5.0", true),
            ("~> 2.0", "1.16.0", false),
            ("= 1.16", "1.16.0", true),
            ("1.16.0", "1.16.0", true),
            ("v1.16.0", "1.16.0", true),
            ("!= 1.16.0", "1.16.0", false),
            (">=1.0,!=1.16.0", "1.16.1", true),
            ("> 1.16.0-beta", "1.16.0", true),
            ("~> 1.16.0-beta", "1.16.0", false),
            ("~> 1.16.0-beta.2", "1.16.0-beta.10", true),
            (">= 1.16.0-beta", "1.17.0-beta", false),
            (">= 1.0.0", "1.16.0-dev", false),
            ("= 1.16.0-dev", "1.16.0-dev", true),
            ("!= 1.16.0", "1.16.0-dev", true),
            ("< 1.16.0-rc1", "1.16.0-beta", true),
            ("<= 1.15", "1.16.0", false),
        ] {
            let version = Version::parse(version).unwrap();
            assert_eq!(Constraints::parse(constraint).unwrap().accept(&version), expected, "{constraint}");
        }
        for bad in ["=> 1", "", "1.x", ">= 1.0 < 2", ">", "1.0-", "1.+2"] {
            assert!(Constraints::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn ranges() {
        let (lowest, highest) = (Version::parse("1.0.0").unwrap(), Version::parse("1.1.5").unwrap());
        for (constraint, expected) in [
            (">= 1.1.0, < 1.1.2", true),
            (">= 1.1.3", true),
            ("> 1.1.4", true),
            ("> 1.1.5", false),
            ("~> 1", true),
            ("~> 1.1.0", true),
            ("~> 1.2.0", false),
            ("< 1.0.0", false),
            ("= 1.0.7", true),
            ("1.0.7, != 1.0.7", false),
            (">= 0.9, <= 1.0.0", true),
        ] {
            assert_eq!(
                Constraints::parse(constraint).unwrap().meet(&lowest, &highest),
                expected,
                "{constraint}"
            );
        }
    }
}

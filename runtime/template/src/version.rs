//! Versions and constraints on them: `>= 1.7.0, < 2.0`, `~> 1.9`.

use std::cmp::Ordering;

/// A version; a pre-release comes before its release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    numbers: Vec<u64>,
    pre: Option<String>,
}

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
        let numbers: Vec<u64> = numbers.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        (numbers.len() <= 4).then_some(Self { numbers, pre })
    }

    fn number(&self, at: usize) -> u64 {
        self.numbers.get(at).copied().unwrap_or(0)
    }

    fn compare(&self, other: &Self) -> Ordering {
        let numbers = (0..4).map(|at| self.number(at).cmp(&other.number(at))).find(|o| o.is_ne());
        numbers.unwrap_or_else(|| match (&self.pre, &other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => a.cmp(b),
        })
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
        self.0.iter().all(|(operator, wanted)| {
            let order = version.compare(wanted);
            match operator.as_str() {
                "" | "=" => order.is_eq(),
                "!=" => order.is_ne(),
                ">" => order.is_gt(),
                ">=" => order.is_ge(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                // All but the last number that was written are fixed.
                _ => {
                    let fixed = wanted.numbers.len().saturating_sub(1).max(1);
                    order.is_ge() && (0..fixed).all(|at| version.number(at) == wanted.number(at))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let version = Version::parse("1.16.0").unwrap();
        for (constraint, expected) in [
            (">= 1.7.0, < 2.0", true),
            ("~> 1.9", true),
            ("~> 1.15.0", false),
            ("= 1.16", true),
            ("1.16.0", true),
            ("!= 1.16.0", false),
            ("> 1.16.0-beta", true),
            ("<= 1.15", false),
        ] {
            assert_eq!(Constraints::parse(constraint).unwrap().accept(&version), expected, "{constraint}");
        }
        assert!(Constraints::parse("=> 1").is_none());
        assert!(Constraints::parse("").is_none());
    }
}

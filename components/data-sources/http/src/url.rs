//! As much of a URL as a request needs (RFC 3986, sections 3 and 5.2).

/// An http or https URL without user and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// `https` rather than `http`.
    pub(crate) secure: bool,
    /// Host and port.
    pub(crate) authority: String,
    /// From the first `/`.
    pub(crate) path_with_query: String,
}

impl Url {
    /// None for other schemes, and for URLs with a user in them, whose password would be shown.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let rest = rest.split('#').next()?;
        let (authority, path) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
        if authority.is_empty() || authority.contains(['@', ' ']) || rest.contains(char::is_whitespace) {
            return None;
        }
        let path_with_query = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { secure, authority: authority.to_owned(), path_with_query })
    }

    /// Where `Location: reference` leads from here.
    pub(crate) fn join(&self, reference: &str) -> Option<Self> {
        if reference.contains("://") {
            return Self::parse(reference);
        }
        let scheme = if self.secure { "https" } else { "http" };
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let path = self.path_with_query.split('?').next()?;
        let path = match reference.chars().next() {
            Some('/') => reference.to_owned(),
            Some('?') => format!("{path}{reference}"),
            _ => format!("{}/{reference}", path.rsplit_once('/').map_or("", |(folder, _)| folder)),
        };
        Self::parse(&format!("{scheme}://{}{path}", self.authority))
    }

    /// Whether both are the same server.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.secure == other.secure && self.authority.eq_ignore_ascii_case(&other.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split() {
        let url = Url::parse("HTTPS://example.test:8443?q=1#top").unwrap();
        assert_eq!(
            (url.secure, url.authority.as_str(), url.path_with_query.as_str()),
            (true, "example.test:8443", "/?q=1")
        );
        for wrong in ["ftp://a/", "http://", "a/b", "http://u:p@a/", "http://a b/", "http:///x"] {
            assert_eq!(Url::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn references_are_joined() {
        let base = Url::parse("http://a/b/c?d").unwrap();
        for (reference, wanted) in [
            ("https://x/y", "https://x/y"),
            ("//x/y", "http://x/y"),
            ("/y", "http://a/y"),
            ("y", "http://a/b/y"),
            ("?e", "http://a/b/c?e"),
        ] {
            assert_eq!(base.join(reference), Url::parse(wanted), "{reference}");
        }
        assert_eq!(base.join("ftp://x/"), None);
        assert!(base.same_origin(&Url::parse("http://A/z").unwrap()));
    }
}

//! The environment of a script: what the user writes (`environment_vars`, `env`) and what kiln
//! adds (`PACKER_*`), sorted by name, formatted for a shell.

use kiln_sdk::{Context, Error, secrets};
use std::collections::BTreeMap;

/// How a value becomes one word of a shell. A parameter, so that formatting can be tested without
/// a host; [`Environment::posix`] asks the host, which quotes the value behind a sealed secret.
pub type Quote<'a> = &'a dyn Fn(&str) -> Result<String, Error>;

/// Variables by name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Puts together what the user wrote; `env` wins over `NAME=value` lines.
    ///
    /// # Errors
    /// `invalid` for a line without `=`.
    pub fn new(lines: &[String], map: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut variables = BTreeMap::new();
        for (index, line) in lines.iter().enumerate() {
            let (name, value) = split(line).ok_or_else(|| {
                Error::invalid("an environment variable is written NAME=value")
                    .at(format!("/environment_vars/{index}"))
            })?;
            variables.insert(name.to_owned(), value.to_owned());
        }
        variables.extend(map.iter().map(|(name, value)| (name.clone(), value.clone())));
        Ok(Self(variables))
    }

    /// Adds what every script gets: the build's name without its type, the builder's type, and the
    /// address of the HTTP server if there is one. They win over what the user wrote.
    pub fn add_build(&mut self, context: &Context) {
        self.0.insert("PACKER_BUILD_NAME".to_owned(), context.source_name());
        self.0.insert("PACKER_BUILDER_TYPE".to_owned(), context.builder_type());
        for (variable, value) in [
            ("PACKER_HTTP_ADDR", "PackerHTTPAddr"),
            ("PACKER_HTTP_IP", "PackerHTTPIP"),
            ("PACKER_HTTP_PORT", "PackerHTTPPort"),
        ] {
            if let Some(text) = context.value(value) {
                self.0.insert(variable.to_owned(), text);
            }
        }
    }

    /// The variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All variables in `format`, whose first `%s` is the name and whose second is the value. A
    /// value in single quotes (`'%s'`) is quoted for the shell whatever is in it; elsewhere single
    /// quotes are escaped as Packer escapes them.
    ///
    /// # Errors
    /// What the quoting says.
    pub fn format(&self, format: &str, quote: Quote<'_>) -> Result<String, Error> {
        let mut text = String::new();
        for (name, value) in self.iter() {
            let mut rest = format;
            for (index, filling) in [name, value].into_iter().enumerate() {
                let Some((before, after)) = rest.split_once("%s") else { break };
                match (before.strip_suffix('\''), after.strip_prefix('\'')) {
                    (Some(before), Some(after)) if index == 1 => {
                        text.push_str(before);
                        text.push_str(&quote(filling)?);
                        rest = after;
                    }
                    _ => {
                        text.push_str(before);
                        text.push_str(&filling.replace('\'', r#"'"'"'"#));
                        rest = after;
                    }
                }
            }
            text.push_str(rest);
        }
        Ok(text)
    }

    /// [`Environment::format`] with the host's quoting for POSIX shells.
    ///
    /// # Errors
    /// What the host says.
    pub fn posix(&self, format: &str) -> Result<String, Error> {
        self.format(format, &|value| secrets::quote(value, secrets::Quoting::Posix))
    }
}

/// Name and value of `NAME=value`; the name must not be empty.
pub fn split(line: &str) -> Option<(&str, &str)> {
    line.split_once('=').filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        let lines = ["B=2=3".to_owned(), "A=it's".to_owned(), "C=old".to_owned()];
        Environment::new(&lines, &BTreeMap::from([("C".to_owned(), "new".to_owned())])).unwrap()
    }

    fn formatted(format: &str) -> String {
        let quote = |value: &str| Ok(format!("<{value}>"));
        environment().format(format, &quote).unwrap()
    }

    #[test]
    fn sorted_and_quoted_as_a_whole() {
        assert_eq!(formatted("%s='%s' "), "A=<it's> B=<2=3> C=<new> ");
        assert_eq!(formatted("export %s='%s'\n"), "export A=<it's>\nexport B=<2=3>\nexport C=<new>\n");
    }

    #[test]
    fn other_formats_escape_as_packer() {
        assert_eq!(formatted("%s=\"%s\";"), "A=\"it'\"'\"'s\";B=\"2=3\";C=\"new\";");
        assert_eq!(formatted("'%s' "), "'A' 'B' 'C' ");
    }

    #[test]
    fn a_line_needs_a_name() {
        let error = Environment::new(&["A=1".to_owned(), "=2".to_owned()], &BTreeMap::new()).unwrap_err();
        assert_eq!(error.pointer.as_deref(), Some("/environment_vars/1"));
        assert!(Environment::new(&["plain".to_owned()], &BTreeMap::new()).is_err());
    }
}

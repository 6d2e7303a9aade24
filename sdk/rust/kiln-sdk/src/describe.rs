//! What a component says of itself.

use crate::bindings::component::exports::kiln::component::component as contract;

/// A component's description. Build it with [`Description::new`] and the setters.
#[derive(Debug, Clone)]
pub struct Description {
    /// The type that templates use.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// One line.
    pub summary: String,
    /// JSON schema of the options.
    pub config_schema: String,
    /// JSON schema of what is given back.
    pub output_schema: String,
    /// What the user is asked for.
    pub grants: Vec<Grant>,
}

/// A permission that the component asks the user for.
#[derive(Debug, Clone)]
pub struct Grant {
    /// As in the lock file: `exec`, `http`, `hypervisor`.
    pub name: String,
    /// Programs, hosts or variable names; empty where the grant has no targets.
    pub targets: Vec<String>,
    /// Why, in a line for the user.
    pub reason: String,
    /// Whether the component works without it.
    pub optional: bool,
}

impl Description {
    /// `name` is the type that templates use, `schema` the text of `schema.json`.
    pub fn new(name: &str, version: &str, summary: &str, schema: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            config_schema: schema.to_owned(),
            output_schema: "{}".to_owned(),
            grants: Vec::new(),
        }
    }

    /// The schema of a data source's values, or of what a builder makes known.
    #[must_use]
    pub fn gives(mut self, schema: &str) -> Self {
        schema.clone_into(&mut self.output_schema);
        self
    }

    /// Asks for a grant without which the component does not work.
    #[must_use]
    pub fn needs(self, name: &str, targets: &[&str], reason: &str) -> Self {
        self.grant(name, targets, reason, false)
    }

    /// Asks for a grant that only some options need.
    #[must_use]
    pub fn may_use(self, name: &str, targets: &[&str], reason: &str) -> Self {
        self.grant(name, targets, reason, true)
    }

    fn grant(mut self, name: &str, targets: &[&str], reason: &str, optional: bool) -> Self {
        self.grants.push(Grant {
            name: name.to_owned(),
            targets: targets.iter().map(|t| (*t).to_owned()).collect(),
            reason: reason.to_owned(),
            optional,
        });
        self
    }
}

impl From<Description> for contract::Description {
    fn from(described: Description) -> Self {
        let grants = described.grants.into_iter().map(|grant| contract::WantedGrant {
            name: grant.name,
            targets: grant.targets,
            reason: grant.reason,
            optional: grant.optional,
        });
        Self {
            name: described.name,
            version: described.version,
            summary: described.summary,
            config_schema: described.config_schema,
            output_schema: described.output_schema,
            wanted_grants: grants.collect(),
        }
    }
}

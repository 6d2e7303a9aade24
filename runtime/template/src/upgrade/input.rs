//! A legacy template as the upgrade needs it: parts with all their options, those of the language
//! included, since all of them are written into blocks.

use serde_json::{Map, Value as Json};

/// A template.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    pub(super) min_packer_version: Option<String>,
    pub(super) description: Option<String>,
    /// By name.
    pub(super) variables: Vec<Variable>,
    pub(super) builders: Vec<Part>,
    pub(super) provisioners: Vec<Part>,
    pub(super) error_cleanup: Option<Part>,
    /// Sequences.
    pub(super) post_processors: Vec<Vec<Part>>,
}

/// A variable.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `None` if the user must give a value.
    pub(super) default: Option<String>,
    pub(super) sensitive: bool,
}

/// A component with its options.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) ty: String,
    /// Of a builder: what its build is called.
    pub(super) name: String,
    pub(super) options: Map<String, Json>,
}

impl Legacy {
    /// The parts of a template.
    ///
    /// # Errors
    /// What has the wrong shape.
    pub(super) fn of(json: &Json) -> Result<Self, String> {
        let root = json.as_object().ok_or("a template must be an object")?;
        let text = |name: &str| match root.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("`{name}` must be a string")),
        };
        let list = |name: &str| match root.get(name) {
            None => Ok(&[][..]),
            Some(Json::Array(items)) => Ok(items.as_slice()),
            Some(_) => Err(format!("`{name}` must be a list")),
        };
        let provisioner = |json: &Json| Part::of("a provisioner", json);
        let builders: Result<_, String> =
            list("builders")?.iter().map(|json| Part::of("a builder", json)).collect();
        let provisioners: Result<_, String> = list("provisioners")?.iter().map(provisioner).collect();
        let post_processors: Result<_, String> = list("post-processors")?.iter().map(sequence).collect();
        Ok(Self {
            min_packer_version: text("min_packer_version")?,
            description: text("description")?,
            variables: variables(root.get("variables"), list("sensitive-variables")?)?,
            builders: builders?,
            provisioners: provisioners?,
            error_cleanup: root.get("error-cleanup-provisioner").map(provisioner).transpose()?,
            post_processors: post_processors?,
        })
    }
}

fn variables(json: Option<&Json>, sensitive: &[Json]) -> Result<Vec<Variable>, String> {
    let none = Map::new();
    let map = match json {
        None => &none,
        Some(json) => json.as_object().ok_or("`variables` must be an object")?,
    };
    let mut variables = Vec::new();
    for (name, default) in map {
        let default = match default {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            _ => return Err(format!("the default of the variable `{name}` must be a string or null")),
        };
        let sensitive = sensitive.iter().any(|sensitive| sensitive == name.as_str());
        variables.push(Variable { name: name.clone(), default, sensitive });
    }
    variables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(variables)
}

/// Post-processors that work on each other's results, or one alone.
fn sequence(json: &Json) -> Result<Vec<Part>, String> {
    let parts = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
    parts.iter().map(|json| Part::of("a post-processor", json)).collect()
}

impl Part {
    fn of(what: &str, json: &Json) -> Result<Self, String> {
        if let (Json::String(ty), "a post-processor") = (json, what) {
            return Ok(Self { ty: ty.clone(), name: String::new(), options: Map::new() });
        }
        let mut options = json.as_object().ok_or_else(|| format!("{what} must be an object"))?.clone();
        let ty = match options.shift_remove("type") {
            Some(Json::String(ty)) => ty,
            _ => return Err(format!("{what} needs a `type`, a string")),
        };
        let mut name = String::new();
        if what == "a builder" {
            name = match options.shift_remove("name") {
                None => ty.clone(),
                Some(Json::String(name)) => name,
                Some(_) => return Err("the `name` of a builder must be a string".to_owned()),
            };
        }
        Ok(Self { ty, name, options })
    }
}

//! `kiln.toml`: the third-party components of a project. It says where they are; what they may do is
//! never said here, because a project must not approve itself.
//!
//! ```toml
//! [[component]]
//! kind = "provisioner"
//! name = "greet"
//! path = "components/greet.wasm"   # relative to this file
//! ```

use kiln_plan::{ComponentRef, Kind};
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The file's name.
pub(crate) const NAME: &str = "kiln.toml";
/// The longest project file that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// Why a project's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    #[error("cannot read {path}: {problem}")]
    Read { path: String, problem: std::io::Error },
    #[error("cannot write {path}: {problem}")]
    Write { path: String, problem: std::io::Error },
    #[error("{path} is wrong: {problem}")]
    Syntax { path: String, problem: String },
    #[error("{path} names the {component} twice")]
    Twice { path: String, component: ComponentRef },
}

/// A component that the project brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) component: ComponentRef,
    /// As written.
    pub(crate) written: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// What a project says about components.
#[derive(Debug, Clone, Default)]
pub(crate) struct Project {
    /// Where `kiln.toml` is and `kiln.lock` goes.
    pub(crate) folder: PathBuf,
    pub(crate) components: Vec<Foreign>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    component: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    kind: Kind,
    name: String,
    path: String,
}

impl Project {
    /// The project that a template belongs to: that of its folder, or else of the working directory.
    ///
    /// # Errors
    /// Its `kiln.toml` cannot be read or is wrong.
    pub(crate) fn of(template: Option<&Path>, working: &Path) -> Result<Self, ProjectError> {
        let beside = template.filter(|path| *path != Path::new("-")).map(|path| {
            let path = working.join(path);
            if path.is_dir() { path } else { path.parent().map(Path::to_path_buf).unwrap_or_default() }
        });
        let folder =
            beside.filter(|folder| folder.join(NAME).exists()).unwrap_or_else(|| working.to_path_buf());
        let Some(text) = read(&folder.join(NAME))? else {
            return Ok(Self { folder, components: Vec::new() });
        };
        let components = parse(&text, &folder)?;
        Ok(Self { folder, components })
    }
}

fn parse(text: &str, folder: &Path) -> Result<Vec<Foreign>, ProjectError> {
    let config: Config = toml::from_str(text)
        .map_err(|e| ProjectError::Syntax { path: NAME.into(), problem: e.to_string() })?;
    let mut components: Vec<Foreign> = Vec::new();
    for Component { kind, name, path } in config.component {
        let component = ComponentRef::new(kind, name);
        if components.iter().any(|other| other.component == component) {
            return Err(ProjectError::Twice { path: NAME.into(), component });
        }
        components.push(Foreign { component, path: folder.join(&path), written: path });
    }
    Ok(components)
}

/// The text of a small file; `None` if it is not there.
#[expect(clippy::disallowed_methods, reason = "reads the project's and the user's own small files")]
pub(crate) fn read(path: &Path) -> Result<Option<String>, ProjectError> {
    let wrong = |problem| ProjectError::Read { path: path.display().to_string(), problem };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    let mut text = String::new();
    file.take(LIMIT + 1).read_to_string(&mut text).map_err(wrong)?;
    if text.len() as u64 > LIMIT {
        return Err(wrong(std::io::Error::other("it is longer than 1 MiB")));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_read() {
        let text = "[[component]]\nkind = \"post-processor\"\nname = \"x\"\npath = \"a/x.wasm\"\n";
        let components = parse(text, Path::new("/p")).unwrap();
        assert_eq!(components[0].component, ComponentRef::new(Kind::PostProcessor, "x"));
        assert_eq!(components[0].path, PathBuf::from("/p/a/x.wasm"));
    }

    #[test]
    fn mistakes_are_told() {
        let one = "[[component]]\nkind = \"builder\"\nname = \"x\"\npath = \"x\"\n";
        assert!(parse(&one.repeat(2), Path::new("/")).unwrap_err().to_string().contains("twice"));
        assert!(parse(&one.replace("builder", "bilder"), Path::new("/")).is_err());
        assert!(parse(&format!("{one}grants = []\n"), Path::new("/")).is_err());
    }
}

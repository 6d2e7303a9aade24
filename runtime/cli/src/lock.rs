//! What was approved. `kiln.lock`, committed with the project, records each component's digest and
//! what it wants. The approval itself is the user's: a file in the user's own state for each pair of
//! digest and grants, so that a cloned repository cannot approve itself, and so that a version that
//! asks for more has to be looked at again.

use crate::config_file::{Foreign, ProjectError, read};
use kiln_plan::ComponentRef;
use kiln_plan::grant::{GrantError, Grants};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The file's name.
pub(crate) const NAME: &str = "kiln.lock";
const HEAD: &str = "# Written by `kiln init`; commit it. It says what the components are and want, and approves nothing.\n\n";

/// A component as the lock file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Locked {
    pub(crate) kind: kiln_plan::Kind,
    pub(crate) name: String,
    pub(crate) path: String,
    /// `sha256:` and 64 digits.
    pub(crate) digest: String,
    /// What it wants: targets by grant; an empty list for grants without targets.
    #[serde(default)]
    pub(crate) grants: BTreeMap<String, Vec<String>>,
}

/// The lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    #[serde(default)]
    pub(crate) component: Vec<Locked>,
}

/// How a component stands.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// The user approved exactly these bytes and grants.
    Approved { digest: String, grants: Grants },
    /// It may not run. Why, as a sentence without its end.
    Refused(String),
}

impl Lock {
    /// The lock file of a folder; empty if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is not one.
    pub(crate) fn read(folder: &Path) -> Result<Self, ProjectError> {
        read(&folder.join(NAME))?.map_or_else(|| Ok(Self::default()), |text| Self::parse(NAME, &text))
    }

    /// A file of the same form that must be there.
    ///
    /// # Errors
    /// It cannot be read, or is not one.
    pub(crate) fn read_file(path: &Path) -> Result<Self, ProjectError> {
        let shown = path.display().to_string();
        match read(path)? {
            Some(text) => Self::parse(&shown, &text),
            None => Err(ProjectError::Read { path: shown, problem: io::ErrorKind::NotFound.into() }),
        }
    }

    fn parse(path: &str, text: &str) -> Result<Self, ProjectError> {
        toml::from_str(text).map_err(|e| ProjectError::Syntax { path: path.into(), problem: e.to_string() })
    }

    /// Writes it, sorted, so that it differs only where something changed.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(mut self, folder: &Path) -> Result<(), ProjectError> {
        self.component.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        let problem = |problem| ProjectError::Write { path: NAME.into(), problem };
        let text = toml::to_string(&self).map_err(|e| problem(io::Error::other(e)))?;
        replace(&folder.join(NAME), format!("{HEAD}{text}").as_bytes()).map_err(problem)
    }

    fn of(&self, component: &ComponentRef) -> Option<&Locked> {
        self.component.iter().find(|locked| locked.kind == component.kind && locked.name == component.name)
    }

    /// How a component of the project stands with the user.
    pub(crate) fn standing(&self, foreign: &Foreign, approvals: &Approvals) -> Standing {
        let component = &foreign.component;
        let Some(locked) = self.of(component) else {
            return Standing::Refused(format!("the {component} of kiln.toml is not in {NAME}"));
        };
        let digest = match digest(&foreign.path) {
            Ok(digest) => digest,
            Err(error) => {
                return Standing::Refused(format!("cannot read `{}` of kiln.toml: {error}", foreign.written));
            }
        };
        if locked.digest != prefixed(&digest) {
            return Standing::Refused(format!(
                "the {component} (`{}`) is not the one that {NAME} names: its digest is sha256:{digest}",
                foreign.written
            ));
        }
        let grants = match parse_grants(&locked.grants) {
            Ok(grants) => grants,
            Err(error) => {
                return Standing::Refused(format!("{NAME} is wrong about the {component}: {error}"));
            }
        };
        if approvals.has(&digest, &grants) {
            return Standing::Approved { digest, grants };
        }
        Standing::Refused(format!(
            "you have not approved the {component} (`{}`), which asks for {}",
            foreign.written,
            in_words(&grants)
        ))
    }
}

/// Grants as the lock file and `describe` write them.
pub(crate) fn parse_grants(map: &BTreeMap<String, Vec<String>>) -> Result<Grants, GrantError> {
    Grants::parse(map.iter().map(|(name, targets)| (name.as_str(), targets.as_slice())))
}

/// `the grants `http` and `env``, or that there are none.
pub(crate) fn in_words(grants: &Grants) -> String {
    let names: Vec<String> = grants.to_map().into_keys().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "no grant".to_owned(),
        [one] => format!("the grant {one}"),
        many => format!("the grants {}", many.join(", ")),
    }
}

/// The digest as the lock file writes it.
pub(crate) fn prefixed(digest: &str) -> String {
    format!("sha256:{digest}")
}

/// What this user approved.
#[derive(Debug, Clone)]
pub(crate) struct Approvals {
    folder: PathBuf,
}

/// One approval, for people who look into the folder.
#[derive(Serialize)]
struct Approval<'a> {
    kind: &'a str,
    name: &'a str,
    digest: &'a str,
    grants: BTreeMap<String, Vec<String>>,
}

impl Approvals {
    /// Those in the user's state.
    pub(crate) fn of(state: &Path) -> Self {
        Self { folder: state.join("approvals") }
    }

    /// Whether exactly these bytes were approved with exactly these grants.
    pub(crate) fn has(&self, digest: &str, grants: &Grants) -> bool {
        self.folder.join(key(digest, grants)).is_file()
    }

    /// Approves.
    ///
    /// # Errors
    /// The state cannot be written.
    pub(crate) fn add(
        &self,
        component: &ComponentRef,
        digest: &str,
        grants: &Grants,
    ) -> Result<(), ProjectError> {
        let (kind, name) = (component.kind.as_str(), component.name.as_str());
        let approval = Approval { kind, name, digest, grants: grants.to_map() };
        let path = self.folder.join(key(digest, grants));
        let wrong = |problem| ProjectError::Write { path: path.display().to_string(), problem };
        private_folder(&self.folder).map_err(wrong)?;
        let json = serde_json::to_vec_pretty(&approval).map_err(|e| wrong(e.into()))?;
        replace(&path, &json).map_err(wrong)
    }
}

/// The name of an approval: a digest over both, unambiguous because of JSON.
fn key(digest: &str, grants: &Grants) -> String {
    let text = serde_json::json!([digest, grants.to_map()]).to_string();
    format!("{}.json", hex(&Sha256::digest(text)))
}

/// SHA-256 of a file, hexadecimal.
///
/// # Errors
/// It cannot be read.
#[expect(clippy::disallowed_methods, reason = "reads a component that the project names")]
pub(crate) fn digest(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(piece.get(..count).unwrap_or_default());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file so that a reader sees the old or the new content, never a part.
#[expect(clippy::disallowed_methods, reason = "writes the project's lock file and the user's approvals")]
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    std::fs::write(&part, bytes)?;
    std::fs::rename(&part, path)
}

/// Makes a folder that only the user can look into.
fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make folders of their own")]
mod tests {
    use super::*;
    use kiln_plan::Kind;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("kiln-cli-lock-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    fn grants(name: &str, targets: &[&str]) -> Grants {
        Grants::parse([(name, targets)]).unwrap()
    }

    #[test]
    fn approvals_are_for_exactly_these_bytes_and_grants() {
        let folder = folder("approvals");
        let approvals = Approvals::of(&folder);
        let component = ComponentRef::new(Kind::Builder, "x");
        let http = grants("http", &["https://a.example"]);
        approvals.add(&component, "00", &http).unwrap();
        assert!(approvals.has("00", &http));
        assert!(!approvals.has("01", &http));
        assert!(!approvals.has("00", &grants("http", &["https://b.example"])));
        assert!(!approvals.has("00", &Grants::none()));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn standing_follows_lock_bytes_and_approval() {
        let folder = folder("standing");
        let path = folder.join("x.wasm");
        std::fs::write(&path, "one").unwrap();
        let component = ComponentRef::new(Kind::Builder, "x");
        let foreign = Foreign { component: component.clone(), written: "x.wasm".into(), path: path.clone() };
        let approvals = Approvals::of(&folder);
        let refused = |lock: &Lock| match lock.standing(&foreign, &approvals) {
            Standing::Refused(why) => why,
            Standing::Approved { .. } => panic!("approved"),
        };
        assert!(refused(&Lock::default()).contains("kiln.lock"));
        let wants = grants("hypervisor", &[]);
        let first = digest(&path).unwrap();
        let locked = Locked {
            kind: Kind::Builder,
            name: "x".into(),
            path: "x.wasm".into(),
            digest: prefixed(&first),
            grants: wants.to_map(),
        };
        Lock { component: vec![locked] }.write(&folder).unwrap();
        let lock = Lock::read(&folder).unwrap();
        assert!(refused(&lock).contains("the grant `hypervisor`"));
        approvals.add(&component, &first, &wants).unwrap();
        assert!(matches!(lock.standing(&foreign, &approvals), Standing::Approved { .. }));
        std::fs::write(&path, "two").unwrap();
        assert!(refused(&lock).contains("kiln.lock"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}

//! The host with everything this user and project bring to it. Main type: [`Sandbox`].

use crate::bundled::BUNDLED;
use crate::config_file::{Foreign, Project, ProjectError};
use crate::env_vars;
use crate::home::Home;
use crate::lock::{Approvals, Lock, Standing};
use kiln_absent::Absent;
use kiln_host::{Bundled, Host, HostOptions, LoadError, Source, ThirdParty};
use kiln_plan::grant::Grants;
use kiln_plan::{ComponentRef, Kind};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// The hidden verb that watches over children.
pub(crate) const SUPERVISE: &str = "__supervise";

/// Why the sandbox does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Host(#[from] LoadError),
}

/// The host, and how the project's components stand.
pub(crate) struct Sandbox {
    pub(crate) host: Host,
    standings: BTreeMap<ComponentRef, Standing>,
}

impl Sandbox {
    /// Opens it for a template. No component is read but to check the digests of third-party ones.
    ///
    /// # Errors
    /// The project's files are wrong, or the engine does not start.
    pub(crate) fn open(home: &Home, template: Option<&Path>) -> Result<Self, OpenError> {
        let project = Project::of(template, &home.working)?;
        let standings = standings(home, &project)?;
        let host = Host::new(options(home, &project, &standings))?;
        Ok(Self { host, standings })
    }

    /// What is known of a component that is not there; `None` if it is there, or unknown.
    pub(crate) fn absent(&self, component: &ComponentRef) -> Option<&'static Absent> {
        kiln_absent::find(component).filter(|_| !self.host.names(component.kind).contains(&component.name))
    }

    /// Why a component may not run; `None` if it may.
    pub(crate) fn refusal(&self, component: &ComponentRef) -> Option<&str> {
        match self.standings.get(component)? {
            Standing::Refused(why) => Some(why),
            Standing::Approved { .. } => None,
        }
    }
}

fn standings(home: &Home, project: &Project) -> Result<BTreeMap<ComponentRef, Standing>, ProjectError> {
    if project.components.is_empty() {
        return Ok(BTreeMap::new());
    }
    let lock = Lock::read(&project.folder)?;
    let approvals = Approvals::of(&home.state);
    let standing = |foreign: &Foreign| (foreign.component.clone(), lock.standing(foreign, &approvals));
    Ok(project.components.iter().map(standing).collect())
}

fn options(home: &Home, project: &Project, standings: &BTreeMap<ComponentRef, Standing>) -> HostOptions {
    let third_party = project.components.iter().map(|foreign| {
        let (grants, digest) = match standings.get(&foreign.component) {
            Some(Standing::Approved { digest, grants }) => (grants.clone(), Some(digest.clone())),
            // It may say what it is, in a store that reaches nothing, and is not run.
            _ => (Grants::none(), None),
        };
        let source = Source::Path(foreign.path.clone());
        ThirdParty { component: foreign.component.clone(), source, grants, digest }
    });
    HostOptions {
        cache_dir: home.cache.clone(),
        download_dir: home.cache.clone(),
        state_dir: home.state.clone(),
        temp_dir: home.temp.clone(),
        working_dir: home.working.clone(),
        home: home.user.clone(),
        environment: env_vars::everything(),
        bundled: BUNDLED.iter().map(bundled).collect(),
        third_party: third_party.collect(),
        supervisor: std::env::current_exe().ok().map(|kiln| (kiln, vec![SUPERVISE.to_owned()])),
        ..HostOptions::default()
    }
}

/// The grants of a bundled component are what these very bytes ask for.
fn bundled((kind, name, bytes): &(Kind, &str, &'static [u8])) -> Bundled {
    Bundled { kind: *kind, name: (*name).to_owned(), bytes: Cow::Borrowed(bytes), grants: None }
}

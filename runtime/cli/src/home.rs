//! Where kiln keeps things: cache, state and temporary files, each private to the user.

use crate::env_vars;
use std::path::PathBuf;

/// The folders of the user who runs kiln.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// Downloads and compiled components; may be lost at any time.
    pub(crate) cache: PathBuf,
    /// Approvals and the journal of what must be undone; must not be lost.
    pub(crate) state: PathBuf,
    /// Scratch.
    pub(crate) temp: PathBuf,
    /// What relative paths start from.
    pub(crate) working: PathBuf,
    /// What `~` means.
    pub(crate) user: Option<PathBuf>,
}

impl Home {
    /// Where the environment says. Nothing is made yet.
    pub(crate) fn find() -> Self {
        let user = env_vars::path("HOME").or_else(|| env_vars::path("USERPROFILE"));
        let working = env_vars::working_directory();
        let below = |variable: &str, folders: &[&str]| {
            env_vars::path(variable)
                .filter(|path| path.is_absolute())
                .or_else(|| {
                    user.as_ref().map(|home| folders.iter().fold(home.clone(), |path, name| path.join(name)))
                })
                .map_or_else(|| std::env::temp_dir().join("kiln"), |path| path.join("kiln"))
        };
        let cache = env_vars::path(env_vars::CACHE_DIR)
            .map_or_else(|| below("XDG_CACHE_HOME", &[".cache"]), |path| working.join(path));
        let state = below("XDG_STATE_HOME", &[".local", "state"]);
        Self { cache, state, temp: std::env::temp_dir(), working, user }
    }
}

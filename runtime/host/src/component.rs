//! From bytes to something that can be instantiated: size → digest → kind → native code (cached)
//! → description (cached).
//!
//! Main types: [`Source`] and [`Loaded`]. Everything is done on first use and at most once.

use crate::capability::Role;
use crate::error::LoadError;
use crate::host::HostInner;
use crate::instance::Instance;
use crate::state::State;
use kiln_plan::grant::Grants;
use kiln_plan::{ComponentRef, Kind, Schema};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::component::{Component, InstancePre};

/// Where a component's bytes are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In memory.
    Bytes(Cow<'static, [u8]>),
    /// In a file.
    Path(PathBuf),
}

/// A permission that a component asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedGrant {
    /// As it is written in the lock file.
    pub name: String,
    /// To what it applies.
    pub targets: Vec<String>,
    /// Why, for the user.
    pub reason: String,
    /// Whether the component works without it.
    pub optional: bool,
}

/// What a component says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Found by the interface that it exports.
    pub kind: Kind,
    /// SHA-256 of its bytes, hexadecimal.
    pub digest: String,
    /// The type that templates use.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// One line.
    pub summary: String,
    /// JSON schema of its options.
    pub config_schema: String,
    /// JSON schema of its values.
    pub output_schema: String,
    /// What it asks for.
    pub wanted_grants: Vec<WantedGrant>,
}

/// A component that the host knows, loaded as far as it was needed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) reference: ComponentRef,
    pub(crate) source: Source,
    /// What it may do; none for what it asks for, which is for components of the program alone.
    pub(crate) grants: Option<Arc<Grants>>,
    pub(crate) pinned: Option<String>,
    bytes: Mutex<Option<(Arc<[u8]>, String)>>,
    described: Mutex<Option<Described>>,
    loaded: Mutex<Option<Arc<Loaded>>>,
}

/// A description with its schema, read.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    pub(crate) description: Arc<Description>,
    pub(crate) schema: Arc<Schema>,
}

/// Native code, linked to the host.
pub(crate) struct Loaded {
    pub(crate) reference: ComponentRef,
    pub(crate) component: Component,
    pub(crate) pre: InstancePre<State>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Loaded({})", self.reference)
    }
}

impl Entry {
    pub(crate) fn new(
        reference: ComponentRef,
        source: Source,
        grants: Option<Grants>,
        pinned: Option<String>,
    ) -> Self {
        Self {
            reference,
            source,
            grants: grants.map(Arc::new),
            pinned,
            bytes: Mutex::default(),
            described: Mutex::default(),
            loaded: Mutex::default(),
        }
    }

    /// The description: from memory, from the cache, or from the component itself in a store that
    /// reaches nothing.
    pub(crate) fn describe(&self, host: &Arc<HostInner>) -> Result<Described, LoadError> {
        let mut slot = self.described.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(described) = &*slot {
            return Ok(described.clone());
        }
        let (_, digest) = self.bytes(host)?;
        let cached = host.cache.get(&description_name(&digest)).and_then(|json| {
            serde_json::from_slice::<Description>(&json).ok().filter(|d| d.digest == digest)
        });
        let description = match cached {
            Some(description) => description,
            None => {
                let description = self.ask(host, &digest)?;
                if let Ok(json) = serde_json::to_vec(&description) {
                    host.cache.put(&description_name(&digest), &json);
                }
                description
            }
        };
        let described = self.check(description)?;
        *slot = Some(described.clone());
        Ok(described)
    }

    /// What it may do.
    pub(crate) fn grants(&self, host: &Arc<HostInner>) -> Result<Arc<Grants>, LoadError> {
        if let Some(grants) = &self.grants {
            return Ok(grants.clone());
        }
        let wanted = self.describe(host)?.description;
        let wanted = wanted.wanted_grants.iter().map(|grant| (grant.name.as_str(), grant.targets.as_slice()));
        Grants::parse(wanted).map(Arc::new).map_err(|e| self.invalid(&e.to_string()))
    }

    /// Native code, from memory, from the cache, or compiled now.
    pub(crate) fn load(&self, host: &Arc<HostInner>) -> Result<Arc<Loaded>, LoadError> {
        let mut slot = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = &*slot {
            return Ok(loaded.clone());
        }
        let (bytes, digest) = self.bytes(host)?;
        let component = self.native(host, &bytes, &digest)?;
        // The bytes are not needed again.
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::from([]), digest));
        let pre = host.linker.instantiate_pre(&component).map_err(|e| self.invalid(&format!("{e:#}")))?;
        let loaded = Arc::new(Loaded { reference: self.reference.clone(), component, pre });
        *slot = Some(loaded.clone());
        Ok(loaded)
    }

    fn native(&self, host: &HostInner, bytes: &[u8], digest: &str) -> Result<Component, LoadError> {
        let name = format!("{digest}-{}.cwasm", host.compatibility);
        if let Some(code) = host.cache.get(&name)
            && let Some(component) = deserialize(host, &code)
        {
            return Ok(component);
        }
        let component =
            Component::from_binary(&host.wasm_engine, bytes).map_err(|e| self.invalid(&format!("{e:#}")))?;
        if let Ok(code) = component.serialize() {
            host.cache.put(&name, &code);
        }
        Ok(component)
    }

    fn bytes(&self, host: &HostInner) -> Result<(Arc<[u8]>, String), LoadError> {
        let mut slot = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((bytes, digest)) = &*slot {
            return Ok((bytes.clone(), digest.clone()));
        }
        let limit = host.options.limits.component_bytes;
        let bytes: Arc<[u8]> = match &self.source {
            Source::Bytes(bytes) => Arc::from(&**bytes),
            Source::Path(path) => read_bounded(path, limit)
                .map_err(|e| LoadError::Read { component: self.reference.clone(), problem: e.to_string() })?
                .into(),
        };
        if bytes.len() as u64 > limit {
            return Err(LoadError::TooBig {
                component: self.reference.clone(),
                size: bytes.len() as u64,
                limit,
            });
        }
        let digest = kiln_content::digest::hex(&sha2::Sha256::digest(&bytes));
        if let Some(pinned) = &self.pinned
            && *pinned != digest
        {
            return Err(self.invalid(&format!(
                "its digest is sha256:{digest}, but sha256:{pinned} was approved; run `kiln init` to look at the change"
            )));
        }
        *slot = Some((bytes.clone(), digest.clone()));
        Ok((bytes, digest))
    }

    fn ask(&self, host: &Arc<HostInner>, digest: &str) -> Result<Description, LoadError> {
        let loaded = self.load(host)?;
        let kind = kind_of(host, &loaded.component).ok_or_else(|| {
            self.invalid(
                "it exports no builder, provisioner, post-processor or data source of kiln:component@0.1",
            )
        })?;
        let step = host.bare_step(&self.reference);
        let told = crate::host::block_on(async move {
            let mut instance =
                Instance::start(&step.0, &loaded, step.1, Role::Pure, Default::default()).await?;
            instance.describe().await
        })
        .map_err(|problem| LoadError::Describe { component: self.reference.clone(), problem })?
        .map_err(|e| LoadError::Describe { component: self.reference.clone(), problem: e.message })?;
        Ok(Description {
            kind,
            digest: digest.to_owned(),
            name: told.name,
            version: told.version,
            summary: crate::show::clean(&told.summary, 1000).replace('\n', " "),
            config_schema: told.config_schema,
            output_schema: told.output_schema,
            wanted_grants: told.wanted_grants,
        })
    }

    fn check(&self, description: Description) -> Result<Described, LoadError> {
        if description.kind != self.reference.kind {
            return Err(self.invalid(&format!("it is a {}", description.kind)));
        }
        let schema = Schema::parse(&description.config_schema)
            .map_err(|e| LoadError::Describe { component: self.reference.clone(), problem: e.to_string() })?;
        Ok(Described { description: Arc::new(description), schema: Arc::new(schema) })
    }

    fn invalid(&self, problem: &str) -> LoadError {
        LoadError::Invalid { component: self.reference.clone(), problem: problem.to_owned() }
    }
}

/// The kind by the interface that is exported; other exports are ignored.
pub(crate) fn kind_of(host: &HostInner, component: &Component) -> Option<Kind> {
    let ty = component.component_type();
    ty.exports(&host.wasm_engine).find_map(|(name, _)| {
        let name = name.strip_prefix("kiln:component/")?;
        let (interface, version) = name.split_once('@')?;
        if !version.starts_with("0.1.") {
            return None;
        }
        Some(match interface {
            "builder" => Kind::Builder,
            "provisioner" => Kind::Provisioner,
            "post-processor" => Kind::PostProcessor,
            "data-source" => Kind::DataSource,
            _ => return None,
        })
    })
}

fn description_name(digest: &str) -> String {
    format!("{digest}.description.json")
}

/// Native code out of the cache. `None` if the engine does not take it: then it is compiled anew.
#[expect(unsafe_code, reason = "the one place that runs native code from a file")]
fn deserialize(host: &HostInner, code: &[u8]) -> Option<Component> {
    // SAFETY: the cache gives only what this user's kiln made itself: each entry is authenticated
    // under a key that only this user can read, together with its name, which holds the digest of
    // the component and the hash of the engine's version and settings.
    match unsafe { Component::deserialize(&host.wasm_engine, code) } {
        Ok(component) => Some(component),
        Err(error) => {
            tracing::warn!(%error, "an entry of the component cache is of another engine; it is made anew");
            None
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "reads a component that the user installed")]
fn read_bounded(path: &std::path::Path, limit: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

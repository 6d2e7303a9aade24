//! `artifacts` (role; `adopt`: designation): what a build gives. Threat: an artifact that names
//! files which this build did not make.

use super::files::DirectoryHandle;
use super::{Authority, Call, Role};
use crate::artifact::{ArtifactHandle, Inner, Member};
use crate::bindings::kiln::host::artifacts::{self, ArtifactFile};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::designation::{self, Found};
use crate::error::{CallResult, fail};
use crate::file::File;
use crate::output::{MARKER, Output};
use crate::state::State;
use std::collections::BTreeMap;
use std::path::Path;
use wasmtime::component::Resource;

/// The most files of an artifact.
const MAX_FILES: usize = 100_000;
/// The most bytes of an artifact's state.
const MAX_STATE: usize = 1 << 20;
/// The longest identity or description.
const MAX_TEXT: usize = 64 << 10;

/// An artifact being made.
#[derive(Debug)]
pub struct Draft {
    builder_id: String,
    id: String,
    description: String,
    files: Vec<Member>,
    state: BTreeMap<String, String>,
}

impl Draft {
    fn room(&self) -> CallResult<()> {
        if self.files.len() > MAX_FILES {
            return Err(fail(ErrorCode::Limit, "an artifact has 100,000 files at most"));
        }
        Ok(())
    }
}

impl artifacts::HostArtifact for State {
    async fn id(&mut self, this: Resource<ArtifactHandle>) -> wasmtime::Result<String> {
        let _call = Call::by_role(self, "artifacts.[method]artifact.id", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.inner().id.clone())
    }

    async fn builder_id(&mut self, this: Resource<ArtifactHandle>) -> wasmtime::Result<String> {
        let _call = Call::by_role(self, "artifacts.[method]artifact.builder-id", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.inner().builder_id.clone())
    }

    async fn description(&mut self, this: Resource<ArtifactHandle>) -> wasmtime::Result<String> {
        let _call = Call::by_role(self, "artifacts.[method]artifact.description", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.inner().description.clone())
    }

    async fn files(&mut self, this: Resource<ArtifactHandle>) -> wasmtime::Result<Vec<ArtifactFile>> {
        let _call = Call::by_role(self, "artifacts.[method]artifact.files", Role::ACTIVE)?;
        let files = &self.table.get(&this)?.inner().files;
        Ok(files.iter().map(|file| ArtifactFile { name: file.name.clone(), size: file.size }).collect())
    }

    async fn open(&mut self, this: Resource<ArtifactHandle>, name: String) -> CallResult<Resource<File>> {
        let mut call = Call::enter(self, "artifacts.[method]artifact.open", Authority::Role(Role::ACTIVE))?;
        call.target(name.clone());
        let artifact = self.table.get(&this)?.clone();
        let file = call.blocking(move || artifact.open(&name)).await;
        let result = file.and_then(|file| Ok(self.table.push(file)?));
        call.done(result)
    }

    async fn state(
        &mut self,
        this: Resource<ArtifactHandle>,
        key: String,
    ) -> wasmtime::Result<Option<String>> {
        let _call = Call::by_role(self, "artifacts.[method]artifact.state", Role::ACTIVE)?;
        Ok(self.table.get(&this)?.inner().state.get(&key).cloned())
    }

    async fn share(&mut self, this: Resource<ArtifactHandle>) -> wasmtime::Result<Resource<ArtifactHandle>> {
        let _call = Call::by_role(self, "artifacts.[method]artifact.share", Role::ACTIVE)?;
        let artifact = self.table.get(&this)?.clone();
        Ok(self.table.push(artifact)?)
    }

    async fn drop(&mut self, this: Resource<ArtifactHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl artifacts::HostDraft for State {
    async fn new(
        &mut self,
        builder_id: String,
        id: String,
        description: String,
    ) -> wasmtime::Result<Resource<Draft>> {
        let _call = Call::by_role(self, "artifacts.[constructor]draft", Role::MAKERS)?;
        let [builder_id, id, description] =
            [builder_id, id, description].map(|text| self.step.shown(text.get(..MAX_TEXT).unwrap_or(&text)));
        Ok(self.table.push(Draft {
            builder_id,
            id,
            description,
            files: Vec::new(),
            state: BTreeMap::new(),
        })?)
    }

    async fn add(&mut self, this: Resource<Draft>, output: Resource<Output>) -> CallResult<()> {
        let mut call = Call::enter(self, "artifacts.[method]draft.add", Authority::Role(Role::MAKERS))?;
        let output = self.table.get(&output)?.clone();
        call.target(output.display());
        let made = self.step.build.made.clone();
        let members = call
            .blocking(move || {
                // What may be added to may also have been begun by another build.
                if !made.covers(&output.host_path()) && !output.may_replace() {
                    let display = output.display();
                    return Err(fail(ErrorCode::Denied, format!("`{display}` was not made by this build")));
                }
                members_of(&output)
            })
            .await;
        let result = members.and_then(|members| {
            let draft = self.table.get_mut(&this)?;
            draft.files.extend(members);
            draft.room()
        });
        call.done(result)
    }

    async fn add_from(
        &mut self,
        this: Resource<Draft>,
        artifact: Resource<ArtifactHandle>,
    ) -> CallResult<()> {
        let call = Call::enter(self, "artifacts.[method]draft.add-from", Authority::Role(Role::MAKERS))?;
        let files = self.table.get(&artifact)?.inner().files.clone();
        let draft = self.table.get_mut(&this)?;
        draft.files.extend(files);
        let result = draft.room();
        call.done(result)
    }

    async fn set_state(&mut self, this: Resource<Draft>, key: String, value: String) -> CallResult<()> {
        let call = Call::enter(self, "artifacts.[method]draft.set-state", Authority::Role(Role::MAKERS))?;
        let vault = &self.step.build.vault;
        let secret = vault.has_sealed(&value) || vault.redactor().finds(&value);
        let draft = self.table.get_mut(&this)?;
        let size: usize = draft.state.iter().map(|(key, value)| key.len() + value.len()).sum();
        let result = if secret {
            Err(fail(ErrorCode::Invalid, "the state of an artifact takes no secrets"))
        } else if size + key.len() + value.len() > MAX_STATE {
            Err(fail(ErrorCode::Limit, "the state of an artifact has 1 MiB at most"))
        } else {
            draft.state.insert(key, value);
            Ok(())
        };
        call.done(result)
    }

    async fn finish(&mut self, draft: Resource<Draft>) -> CallResult<Resource<ArtifactHandle>> {
        let call = Call::enter(self, "artifacts.[static]draft.finish", Authority::Role(Role::MAKERS))?;
        let draft = self.table.delete(draft)?;
        let artifact = ArtifactHandle::new(Inner {
            builder_id: draft.builder_id,
            id: draft.id,
            description: draft.description,
            files: draft.files,
            state: draft.state,
            adopted: false,
        });
        let result = self.table.push(artifact).map_err(Into::into);
        call.done(result)
    }

    async fn drop(&mut self, draft: Resource<Draft>) -> wasmtime::Result<()> {
        self.table.delete(draft)?;
        Ok(())
    }
}

impl artifacts::Host for State {
    async fn adopt(
        &mut self,
        builder_id: String,
        id: String,
        description: String,
        pointer: String,
    ) -> CallResult<Resource<ArtifactHandle>> {
        let mut call = Call::enter(self, "artifacts.adopt", Authority::Designation)?;
        call.target(pointer.clone());
        let (configuration, step) = (self.configuration()?, self.step.clone());
        let files = call
            .blocking(move || {
                let mut files = Vec::new();
                for pointer in designation::pointers_below(&configuration, &pointer)? {
                    let designated = designation::find(&configuration, &pointer)?;
                    let text = designated.text.to_owned();
                    for (name, found) in designation::open_all(&step.build, &step.grants, &designated)? {
                        let Found::File(file) = found else {
                            return Err(fail(
                                ErrorCode::Invalid,
                                format!("`{text}` is a directory, and an artifact has files"),
                            ));
                        };
                        // The one path is recorded as it was written, a glob's matches by their own.
                        let name = if text.contains(['*', '?', '[']) { name } else { text.clone() };
                        let path = file.host_path().unwrap_or_default();
                        files.push(Member { name, size: file.size()?, path });
                    }
                }
                Ok(files)
            })
            .await;
        let result = files.and_then(|files| {
            let [builder_id, id, description] =
                [builder_id, id, description].map(|text| self.step.shown(&text));
            let state = BTreeMap::new();
            let inner = Inner { builder_id, id, description, files, state, adopted: true };
            Ok(self.table.push(ArtifactHandle::new(inner))?)
        });
        call.done(result)
    }
}

/// The file, or every file below the directory, with the name as the user would write it.
fn members_of(output: &Output) -> CallResult<Vec<Member>> {
    let path = output.host_path();
    if !path.is_dir() {
        let size = output.written()?.size()?;
        return Ok(vec![Member { name: output.display(), size, path }]);
    }
    let mut members = Vec::new();
    let root = DirectoryHandle::new(output.open_directory()?, path);
    walk(&root, Path::new(""), &output.display(), &mut members, 0)?;
    Ok(members)
}

fn walk(
    root: &DirectoryHandle,
    below: &Path,
    display: &str,
    members: &mut Vec<Member>,
    depth: usize,
) -> CallResult<()> {
    if depth > 64 || members.len() > MAX_FILES {
        return Err(fail(ErrorCode::Limit, "the directory is too deep or has more than 100,000 files"));
    }
    let dir = if below.as_os_str().is_empty() { root.dir.try_clone()? } else { root.dir.open_dir(below)? };
    let mut items: Vec<_> = dir.entries()?.collect::<Result<_, _>>()?;
    items.sort_by_key(cap_std::fs::DirEntry::file_name);
    for item in items {
        let name = item.file_name();
        let below = below.join(&name);
        let kind = item.file_type()?;
        if kind.is_dir() {
            walk(root, &below, display, members, depth + 1)?;
        } else if kind.is_file() && name != MARKER {
            let size = item.metadata()?.len();
            let name = Path::new(display).join(&below).to_string_lossy().into_owned();
            members.push(Member { name, size, path: root.path.join(&below) });
        }
    }
    Ok(())
}

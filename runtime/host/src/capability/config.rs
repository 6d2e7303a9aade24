//! `config` (always for the text, designation for what it names). Threat: a component that points
//! the host at files that the user did not name; see [`crate::designation`].

use super::files::DirectoryHandle;
use super::{Authority, Call, Role};
use crate::bindings::kiln::host::config::{self, Entry, NamedEntry};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::configuration::StepConfiguration;
use crate::designation::{self, Found};
use crate::error::{CallResult, fail};
use crate::output::{Maker, Output};
use crate::state::State;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use wasmtime::component::Resource;

/// The step's options; what they are is in the step's context.
#[derive(Debug)]
pub struct ConfigurationHandle;

/// What a step may know of its build.
#[derive(Debug)]
pub struct ContextHandle;

impl State {
    pub(crate) fn configuration(&self) -> CallResult<Arc<StepConfiguration>> {
        self.step
            .configuration
            .clone()
            .ok_or_else(|| fail(ErrorCode::Denied, "there is no configuration here"))
    }

    pub(crate) fn maker(&self) -> Maker {
        if self.role == Role::Builder { Maker::Builder } else { Maker::Other }
    }

    fn put(&mut self, found: Found) -> CallResult<Entry> {
        Ok(match found {
            Found::File(file) => Entry::File(self.table.push(file)?),
            Found::Directory(dir, path) => {
                Entry::Directory(self.table.push(DirectoryHandle::new(dir, path))?)
            }
        })
    }
}

impl config::Host for State {}

impl config::HostConfiguration for State {
    async fn json(&mut self, this: Resource<ConfigurationHandle>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "config.[method]configuration.json")?;
        self.table.get(&this)?;
        Ok(self.step.configuration.as_ref().map_or_else(|| "{}".to_owned(), |c| c.json.clone()))
    }

    async fn entry(&mut self, this: Resource<ConfigurationHandle>, pointer: String) -> CallResult<Entry> {
        let mut call = Call::enter(self, "config.[method]configuration.entry", Authority::Designation)?;
        call.target(pointer.clone());
        self.table.get(&this)?;
        let (configuration, step) = (self.configuration()?, self.step.clone());
        let found = call
            .blocking(move || {
                let designated = designation::find(&configuration, &pointer)?;
                designation::open(&step.build, &step.grants, &designated)
            })
            .await;
        let result = found.and_then(|found| self.put(found));
        call.done(result)
    }

    async fn entries(
        &mut self,
        this: Resource<ConfigurationHandle>,
        pointer: String,
    ) -> CallResult<Vec<NamedEntry>> {
        let mut call = Call::enter(self, "config.[method]configuration.entries", Authority::Designation)?;
        call.target(pointer.clone());
        self.table.get(&this)?;
        let (configuration, step) = (self.configuration()?, self.step.clone());
        let found = call
            .blocking(move || {
                let mut all = Vec::new();
                for pointer in designation::pointers_below(&configuration, &pointer)? {
                    let designated = designation::find(&configuration, &pointer)?;
                    all.extend(designation::open_all(&step.build, &step.grants, &designated)?);
                }
                Ok(all)
            })
            .await;
        let result = found.and_then(|found| {
            found.into_iter().map(|(name, found)| Ok(NamedEntry { name, entry: self.put(found)? })).collect()
        });
        call.done(result)
    }

    async fn output(
        &mut self,
        this: Resource<ConfigurationHandle>,
        pointer: String,
        late: String,
    ) -> CallResult<Resource<Output>> {
        let mut call = Call::enter(self, "config.[method]configuration.output", Authority::Designation)?;
        call.target(pointer.clone());
        self.table.get(&this)?;
        let (configuration, step, maker) = (self.configuration()?, self.step.clone(), self.maker());
        let output = call
            .blocking(move || {
                let designated = designation::find(&configuration, &pointer)?;
                let text = configuration.render_late(designated.text, &late).map_err(|e| e.at(&pointer))?;
                designation::output(&step.build, &step.grants, &designated, &text, maker)
            })
            .await;
        let result = output.and_then(|output| Ok(self.table.push(output)?));
        call.done(result)
    }

    async fn drop(&mut self, this: Resource<ConfigurationHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl config::HostContext for State {
    async fn build_name(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "config.[method]context.build-name")?;
        self.table.get(&this)?;
        Ok(self.step.build.name().to_owned())
    }

    async fn source_name(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "config.[method]context.source-name")?;
        self.table.get(&this)?;
        Ok(self.step.build.source_name.clone())
    }

    async fn builder_type(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "config.[method]context.builder-type")?;
        self.table.get(&this)?;
        Ok(self.step.build.builder_type.clone())
    }

    async fn run_uuid(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<String> {
        let _call = Call::always(self, "config.[method]context.run-uuid")?;
        self.table.get(&this)?;
        Ok(self.step.build.run_id().to_string())
    }

    async fn force(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<bool> {
        let _call = Call::always(self, "config.[method]context.force")?;
        self.table.get(&this)?;
        Ok(self.step.build.force())
    }

    async fn debug(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<bool> {
        let _call = Call::always(self, "config.[method]context.debug")?;
        self.table.get(&this)?;
        Ok(self.step.build.run.options.debug)
    }

    async fn started(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<u64> {
        let _call = Call::always(self, "config.[method]context.started")?;
        self.table.get(&this)?;
        Ok(self.step.build.run.started.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    async fn values(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<String> {
        let _call = Call::by_role(self, "config.[method]context.values", Role::ACTIVE)?;
        self.table.get(&this)?;
        let build = &self.step.build;
        let values = kiln_plan::Value::from(kiln_plan::Data::Map(build.values()));
        Ok(crate::configuration::sealed(build, &values).to_string())
    }

    async fn drop(&mut self, this: Resource<ContextHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

//! `transfers` (grant `http`): HTTP with bodies that never enter guest memory. Specified;
//! implemented with the first component that uploads an image.

use super::downloads::target;
use super::{Authority, Call};
use crate::bindings::kiln::host::transfers;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallResult, fail};
use crate::file::File;
use crate::output::Output;
use crate::state::State;
use kiln_plan::grant::Request as Grant;
use wasmtime::component::Resource;

/// A request.
#[derive(Debug)]
pub struct Request {
    url: String,
}

/// A response.
#[derive(Debug)]
pub struct Response {}

fn unsupported<T>(call: Call) -> CallResult<T> {
    call.done(Err(fail(ErrorCode::Unsupported, "`transfers` is specified and not implemented yet")))
}

impl transfers::HostRequest for State {
    async fn new(&mut self, _: String, url: String) -> wasmtime::Result<Resource<Request>> {
        let _call = Call::always(self, "transfers.[constructor]request")?;
        Ok(self.table.push(Request { url })?)
    }

    async fn header(&mut self, _: Resource<Request>, _: String, _: String) -> wasmtime::Result<()> {
        let _call = Call::always(self, "transfers.[method]request.header")?;
        Ok(())
    }

    async fn body(&mut self, _: Resource<Request>, _: Resource<File>) -> wasmtime::Result<()> {
        let _call = Call::always(self, "transfers.[method]request.body")?;
        Ok(())
    }

    async fn save(&mut self, _: Resource<Request>, _: Resource<Output>) -> wasmtime::Result<()> {
        let _call = Call::always(self, "transfers.[method]request.save")?;
        Ok(())
    }

    async fn timeout(&mut self, _: Resource<Request>, _: u64) -> wasmtime::Result<()> {
        let _call = Call::always(self, "transfers.[method]request.timeout")?;
        Ok(())
    }

    async fn drop(&mut self, this: Resource<Request>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl transfers::HostResponse for State {
    async fn status(&mut self, _: Resource<Response>) -> wasmtime::Result<u16> {
        let _call = Call::always(self, "transfers.[method]response.status")?;
        Ok(0)
    }

    async fn header(&mut self, _: Resource<Response>, _: String) -> wasmtime::Result<Vec<String>> {
        let _call = Call::always(self, "transfers.[method]response.header")?;
        Ok(Vec::new())
    }

    async fn body(&mut self, _: Resource<Response>) -> wasmtime::Result<Option<Resource<File>>> {
        let _call = Call::always(self, "transfers.[method]response.body")?;
        Ok(None)
    }

    async fn drop(&mut self, this: Resource<Response>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl transfers::Host for State {
    async fn send(&mut self, request: Resource<Request>) -> CallResult<Resource<Response>> {
        let url = self.table.delete(request)?.url;
        let (scheme, host, port) = target(&url).unwrap_or_default();
        let grant = Grant::Http { scheme, host: &host, port };
        let call = Call::enter(self, "transfers.send", Authority::Granted(grant))?;
        unsupported(call)
    }
}

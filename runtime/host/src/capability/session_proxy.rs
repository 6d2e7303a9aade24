//! `session-proxy` (grant `session.forward`): an SSH server on loopback that leads into a session.
//! Specified; implemented with the provisioners that need it.

use super::{Authority, Call, Role};
use crate::bindings::kiln::host::session_proxy;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::capability::sessions::Session;
use crate::error::{CallResult, fail};
use crate::state::State;
use kiln_plan::grant::{Request, Switch};
use wasmtime::component::Resource;

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {}

fn unsupported<T>(call: Call) -> CallResult<T> {
    call.done(Err(fail(ErrorCode::Unsupported, "`session-proxy` is specified and not implemented yet")))
}

impl session_proxy::HostProxy for State {
    async fn port(&mut self, _: Resource<Proxy>) -> wasmtime::Result<u16> {
        let _call = Call::by_role(self, "session-proxy.[method]proxy.port", Role::ACTIVE)?;
        Ok(0)
    }

    async fn private_key(&mut self, _: Resource<Proxy>) -> wasmtime::Result<String> {
        let _call = Call::by_role(self, "session-proxy.[method]proxy.private-key", Role::ACTIVE)?;
        Ok(String::new())
    }

    async fn host_key(&mut self, _: Resource<Proxy>) -> wasmtime::Result<String> {
        let _call = Call::by_role(self, "session-proxy.[method]proxy.host-key", Role::ACTIVE)?;
        Ok(String::new())
    }

    async fn drop(&mut self, this: Resource<Proxy>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl session_proxy::Host for State {
    async fn serve(&mut self, _: Resource<Session>, _: String) -> CallResult<Resource<Proxy>> {
        let call =
            Call::enter(self, "session-proxy.serve", Authority::Granted(Request::Switch(Switch::Forward)))?;
        unsupported(call)
    }
}

//! `downloads` (designation, or the grant `http`): fetching into kiln's cache. Threat: a component
//! that fetches from inside the user's network; a server that sends something else, or without end.
//! Every address is judged before it is dialled, redirects included; a handle exists only of content
//! that was verified.

use super::config::ConfigurationHandle as Configuration;
use super::http::Policy;
use super::{Authority, Call, permit};
use crate::bindings::kiln::host::downloads;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::build::BuildInner;
use crate::designation;
use crate::error::{CallError, CallResult, fail, fail_at};
use crate::file::File;
use crate::outgoing;
use crate::progress::bar;
use crate::state::{State, StepCtx};
use kiln_content::digest::Checksum;
use kiln_content::download::{DownloadError, Downloader, Fetch};
use kiln_content::egress::{AddressClass, EgressPolicy, PolicyFns, classify, origin_of};
use kiln_plan::grant::Request as Grant;
use kiln_plan::{Designation, Origin};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use wasmtime::component::Resource;

/// A download being asked for.
#[derive(Debug)]
pub struct Request {
    url: String,
    /// Whether the template named it; otherwise the URL needs a grant.
    designated: bool,
    /// Whether it may be a path on this machine.
    local: bool,
    checksum: String,
    limit: Option<u64>,
}

/// Fetches, with a bar. `policy` says where to.
pub(crate) async fn fetch(
    step: &Arc<StepCtx>,
    wanted: Fetch,
    policy: impl EgressPolicy + 'static,
    cancel: CancellationToken,
) -> CallResult<File> {
    let name = wanted.urls.first().and_then(|url| url.rsplit('/').next()).unwrap_or("").to_owned();
    let egress =
        outgoing::egress(step.build.options(), policy).map_err(|e| fail(ErrorCode::Failed, e.to_string()))?;
    let bar = bar(step, format!("fetching {name}"), 0);
    let fetched = Downloader::new(egress).fetch(&wanted, bar.callback(), cancel).await;
    let fetched = fetched.map_err(|e| download_error(&e))?;
    Ok(File::opened(fetched.file, &fetched.path)?)
}

/// A download of this build into the usual place.
pub(crate) fn wanted(build: &BuildInner, urls: Vec<String>, checksum: Checksum) -> Fetch {
    let options = build.options();
    let mut fetch = Fetch::new(urls, checksum, options.download_dir.clone());
    fetch.base.clone_from(&options.working_dir);
    fetch
}

fn download_error(error: &DownloadError) -> CallError {
    let code =
        if matches!(error, DownloadError::Cancelled) { ErrorCode::Cancelled } else { ErrorCode::Failed };
    fail(code, error.to_string())
}

/// Where a download goes whose URLs and list of checksums are all the user's own: to those hosts at
/// any address but a cloud's metadata, and from there, by redirects, to public addresses.
pub(crate) fn named(urls: &[String], checksum: Option<&Checksum>) -> impl EgressPolicy + use<> {
    let listing = match checksum {
        Some(Checksum::Listing(place)) => Some(place),
        _ => None,
    };
    let hosts: BTreeSet<String> =
        urls.iter().chain(listing).filter_map(|text| Some(target(text)?.1)).collect();
    PolicyFns {
        name: |_: &str, _: &str, _: u16| true,
        address: move |address, _: u16, name: &str| match classify(address) {
            AddressClass::Public => true,
            AddressClass::Metadata => false,
            _ => hosts.contains(name),
        },
    }
}

/// The same for URLs that a component gave to the user's options: to public addresses only.
pub(crate) fn public() -> impl EgressPolicy {
    PolicyFns {
        name: |_: &str, _: &str, _: u16| true,
        address: |address, _: u16, _: &str| classify(address) == AddressClass::Public,
    }
}

/// Scheme, host and port of a URL.
pub(super) fn target(url: &str) -> Option<(&'static str, String, u16)> {
    origin_of(&url.parse().ok()?).ok()
}

impl State {
    /// A list of checksums is fetched as well: one that the template does not name needs what any
    /// other URL needs. Without this a component could ask anybody anything by it. Gives the
    /// checksum if the template names it.
    fn judge_checksum(&self, checksum: &Checksum) -> CallResult<Option<Checksum>> {
        let texts = designation::named(&*self.configuration()?, Designation::Checksum);
        if texts.iter().any(|text| Checksum::parse(text).is_ok_and(|named| named == *checksum)) {
            return Ok(Some(checksum.clone()));
        }
        let Checksum::Listing(place) = checksum else { return Ok(None) };
        let Some((scheme, host, port)) = target(place) else {
            return Err(fail(ErrorCode::Denied, "the template does not name this list of checksums"));
        };
        permit(&self.step, &Grant::Http { scheme, host: &host, port }).map(|()| None)
    }
}

impl downloads::HostRequest for State {
    async fn new(&mut self, url: String) -> wasmtime::Result<Resource<Request>> {
        // A constructor cannot refuse: `fetch` looks for the grant.
        let _call = Call::always(self, "downloads.[constructor]request")?;
        let request =
            Request { url, designated: false, local: false, checksum: "none".to_owned(), limit: None };
        Ok(self.table.push(request)?)
    }

    async fn designated(
        &mut self,
        _: Resource<Configuration>,
        pointer: String,
    ) -> CallResult<Resource<Request>> {
        let mut call = Call::enter(self, "downloads.[static]request.designated", Authority::Designation)?;
        call.target(pointer.clone());
        let configuration = self.configuration()?;
        let designated = designation::find(&configuration, &pointer)?;
        // What a component made names nothing: it needs the grant.
        let is_named = designated.origin() != Origin::Component;
        let local = match designated.designation {
            Designation::Source => designated.is_user_s(),
            Designation::Url => false,
            _ => {
                return call.done(Err(fail_at(
                    ErrorCode::Denied,
                    &pointer,
                    "this option names nothing to fetch",
                )));
            }
        };
        let url = designated.text.to_owned();
        let request = Request { url, designated: is_named, local, checksum: "none".to_owned(), limit: None };
        let request = self.table.push(request)?;
        call.done(Ok(request))
    }

    async fn checksum(&mut self, this: Resource<Request>, checksum: String) -> wasmtime::Result<()> {
        let _call = Call::always(self, "downloads.[method]request.checksum")?;
        self.table.get_mut(&this)?.checksum = checksum;
        Ok(())
    }

    async fn limit(&mut self, this: Resource<Request>, bytes: u64) -> wasmtime::Result<()> {
        let _call = Call::always(self, "downloads.[method]request.limit")?;
        self.table.get_mut(&this)?.limit = Some(bytes);
        Ok(())
    }

    async fn drop(&mut self, this: Resource<Request>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl downloads::Host for State {
    async fn fetch(&mut self, request: Resource<Request>) -> CallResult<Resource<File>> {
        let request = self.table.delete(request)?;
        let (scheme, host, port) = target(&request.url).unwrap_or_default();
        let authority = if request.designated {
            Authority::Designation
        } else {
            Authority::Granted(Grant::Http { scheme, host: &host, port })
        };
        let mut call = Call::enter(self, "downloads.fetch", authority)?;
        call.target(request.url.clone());
        let checksum =
            Checksum::parse(&request.checksum).map_err(|e| fail(ErrorCode::Invalid, e.to_string()))?;
        let named_checksum = match self.judge_checksum(&checksum) {
            Ok(named) => named,
            Err(error) => return call.done(Err(error)),
        };
        let mut wanted = wanted(&self.step.build, vec![request.url], checksum);
        // A list on this machine is the user's to name, for a URL that the user named.
        let named_list = request.designated && named_checksum.is_some();
        wanted.allow_local =
            request.local || (named_list && wanted.urls.iter().all(|url| target(url).is_some()));
        wanted.max_bytes = request.limit;
        let step = Arc::clone(&self.step);
        let cancel = call.cancel.clone();
        let result = if request.designated {
            let policy = named(&wanted.urls, named_checksum.as_ref());
            call.wait(fetch(&step, wanted, policy, cancel)).await
        } else {
            call.wait(fetch(&step, wanted, Policy::of(&step), cancel)).await
        };
        let result = result.and_then(|file| {
            call.bytes(file.size()?);
            Ok(self.table.push(file)?)
        });
        call.done(result)
    }
}

//! `downloads` (designation, or the grant `http`): fetching into kiln's cache. Threat: a component
//! that fetches from inside the user's network; a server that sends something else, or without end.
//! Every address is judged before it is dialled, redirects included; a handle exists only of content
//! that was verified.

use super::config::ConfigurationHandle as Configuration;
use super::{Authority, Call};
use crate::bindings::kiln::host::downloads;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::build::BuildInner;
use crate::designation;
use crate::error::{CallError, CallResult, fail, fail_at};
use crate::file::File;
use crate::progress::bar;
use crate::state::{State, StepCtx};
use kiln_content::digest::Checksum;
use kiln_content::download::{DownloadError, Downloader, Fetch};
use kiln_content::egress::{AddressClass, Egress, EgressSettings, PolicyFns, classify};
use kiln_plan::Designation;
use kiln_plan::grant::Request as Grant;
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
    local: bool,
    checksum: String,
    limit: Option<u64>,
}

/// Fetches what the user named, with a bar.
pub(crate) async fn fetch(step: &Arc<StepCtx>, wanted: Fetch, cancel: CancellationToken) -> CallResult<File> {
    let name = wanted.urls.first().and_then(|url| url.rsplit('/').next()).unwrap_or("").to_owned();
    let egress = egress(hosts_of(&wanted)).map_err(|e| fail(ErrorCode::Failed, e))?;
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

/// The hosts that the user named.
fn hosts_of(wanted: &Fetch) -> BTreeSet<String> {
    let listing = match &wanted.checksum {
        Checksum::Listing(place) => Some(place.as_str()),
        _ => None,
    };
    let texts = wanted.urls.iter().map(String::as_str).chain(listing);
    texts.filter_map(|text| Some(target(text)?.1)).collect()
}

/// A way out for what the user named: those hosts at any address but a cloud's metadata, and from
/// there, by redirects, public addresses.
fn egress(named: BTreeSet<String>) -> Result<Egress, String> {
    let policy = PolicyFns {
        name: |_: &str, _: &str, _: u16| true,
        address: move |address, _: u16, name: &str| match classify(address) {
            AddressClass::Public => true,
            AddressClass::Metadata => false,
            _ => named.contains(name),
        },
    };
    Egress::new(Arc::new(policy), EgressSettings::default()).map_err(|e| e.to_string())
}

/// Scheme, host and port of a URL.
pub(super) fn target(url: &str) -> Option<(String, String, u16)> {
    let uri: http::Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_owned();
    let host = uri.host()?.trim_matches(['[', ']']).to_ascii_lowercase();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some((scheme, host, port))
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
        let request = Request { url, designated: true, local, checksum: "none".to_owned(), limit: None };
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
            Authority::Granted(Grant::Http { scheme: &scheme, host: &host, port })
        };
        let mut call = Call::enter(self, "downloads.fetch", authority)?;
        call.target(request.url.clone());
        let checksum =
            Checksum::parse(&request.checksum).map_err(|e| fail(ErrorCode::Invalid, e.to_string()))?;
        let mut wanted = wanted(&self.step.build, vec![request.url], checksum);
        wanted.allow_local = request.local;
        wanted.max_bytes = request.limit;
        let step = Arc::clone(&self.step);
        let result = call.wait(fetch(&step, wanted, call.cancel.clone())).await;
        let result = result.and_then(|file| {
            call.bytes(file.size()?);
            Ok(self.table.push(file)?)
        });
        call.done(result)
    }
}

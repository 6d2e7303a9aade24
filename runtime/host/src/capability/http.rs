//! `wasi:http` (designation: `url` options; grant: `http`), through the only way out of kiln.
//! Threat: names that resolve to private addresses, rebinding, redirects; `kiln-content` judges the
//! name, then dials the address that it judged. Sealed text in headers is put in place here.

use super::Role;
use crate::designation;
use crate::state::StepCtx;
use http_body_util::BodyExt;
use kiln_content::egress::{
    AddressClass, Egress, EgressError, EgressPolicy, EgressSettings, Timeouts, classify,
};
use kiln_plan::grant::{Grants, HttpPattern, Request as Wanted};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Rest), Error>;

/// Where a step's requests may go.
pub(crate) struct Policy {
    grants: Arc<Grants>,
    designated: Vec<HttpPattern>,
}

impl Policy {
    /// What the user granted, and the URLs that the options designate.
    pub(crate) fn of(step: &StepCtx) -> Self {
        let urls = step.configuration.as_ref().map(|c| designation::urls(c)).unwrap_or_default();
        let designated = urls.iter().filter_map(|url| origin_of(url)).collect();
        Self { grants: step.grants.clone(), designated }
    }
}

/// The origin of a URL as a pattern for exactly it.
fn origin_of(url: &str) -> Option<HttpPattern> {
    let uri: http::Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let host_port = authority.as_str().rsplit('@').next()?;
    HttpPattern::parse(&format!("{scheme}://{host_port}")).ok()
}

impl EgressPolicy for Policy {
    fn allow_name(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.designated.iter().any(|pattern| pattern.matches(scheme, host, port))
            || self.grants.permit(&Wanted::Http { scheme, host, port }).is_ok()
    }

    /// Public addresses, or a private one that was written as an address. A name that leads into
    /// the private network says nothing of what the user meant by it, except `localhost`.
    fn allow_address(&self, address: IpAddr, _: u16, name: &str) -> bool {
        classify(address) == AddressClass::Public || name.parse::<IpAddr>().is_ok() || name == "localhost"
    }
}

/// Sends the requests of one step.
pub(crate) struct Hooks {
    step: Arc<StepCtx>,
    role: Role,
    cancel: CancellationToken,
    egress: OnceLock<Option<Egress>>,
}

impl Hooks {
    pub(crate) fn new(step: &Arc<StepCtx>, role: Role, cancel: &CancellationToken) -> Self {
        Self { step: step.clone(), role, cancel: cancel.clone(), egress: OnceLock::new() }
    }

    pub(crate) fn obey(&mut self, cancel: &CancellationToken) {
        self.cancel = cancel.clone();
    }

    fn egress(&self) -> Option<Egress> {
        let make = || Egress::new(Arc::new(Policy::of(&self.step)), EgressSettings::default()).ok();
        self.egress.get_or_init(make).clone()
    }

    /// Headers with secrets in place. A secret goes only where the step may go, which the egress
    /// judges before it connects.
    fn unseal(&self, request: &mut http::Request<WasiBody>) -> Result<(), Error> {
        let vault = &self.step.build.vault;
        for value in request.headers_mut().values_mut() {
            if let Ok(text) = value.to_str()
                && vault.has_sealed(text)
            {
                *value =
                    http::HeaderValue::from_str(&vault.unseal(text)).map_err(|_| Error::HttpProtocolError)?;
                value.set_sensitive(true);
            }
        }
        Ok(())
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let egress = if self.role == Role::Pure { None } else { self.egress() };
        let prepared = self.unseal(&mut request);
        let (step, cancel) = (self.step.clone(), self.cancel.clone());
        Box::new(async move {
            let egress = egress.ok_or(Error::HttpRequestDenied)?;
            prepared?;
            let target = request.uri().authority().map(ToString::to_string).unwrap_or_default();
            let sent = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Error::ConnectionTerminated),
                sent = egress.send(request, Some(timeouts(options))) => sent,
            };
            tracing::debug!(component = %step.component, target, ok = sent.is_ok(), "http request");
            let sent = sent.map_err(|error| refuse(&step, error))?;
            let response = sent.response.map(|body| body.map_err(|e| to_wasi(&e)).boxed_unsync());
            let rest = async move { sent.connection.ended().await.map_err(|e| to_wasi(&e)) };
            Ok((response, Box::new(rest) as Rest))
        })
    }
}

fn timeouts(options: Option<RequestOptions>) -> Timeouts {
    let usual = Timeouts::default();
    let Some(options) = options else { return usual };
    Timeouts {
        connect: options.connect_timeout.unwrap_or(usual.connect).min(usual.connect),
        first_byte: options.first_byte_timeout.unwrap_or(usual.first_byte),
        idle: options.between_bytes_timeout.unwrap_or(usual.idle),
        ..usual
    }
}

/// A refusal is told to the user too: the guest gets no words with it.
fn refuse(step: &StepCtx, error: EgressError) -> Error {
    if let EgressError::NameDenied { scheme, host, port } = &error {
        if let Err(refusal) = step.grants.permit(&Wanted::Http { scheme, host, port: *port }) {
            let text = format!("{refusal} for the {}", step.component);
            step.show(&text, |text| kiln_plan::EventBody::Warning { text });
        }
    } else {
        let text = error.to_string();
        step.show(&text, |text| kiln_plan::EventBody::Log { level: "info".into(), text });
    }
    to_wasi(&error)
}

fn to_wasi(error: &EgressError) -> Error {
    match error {
        EgressError::InvalidUrl { .. } => Error::HttpRequestUriInvalid,
        EgressError::NameDenied { .. } => Error::HttpRequestDenied,
        EgressError::AddressDenied { .. } => Error::DestinationIpProhibited,
        EgressError::Resolve { .. } => Error::DnsError { rcode: None, info_code: None },
        EgressError::Connect { .. } => Error::ConnectionRefused,
        EgressError::Tls { .. } => Error::TlsProtocolError,
        EgressError::Timeout { .. } => Error::ConnectionTimeout,
        EgressError::Cancelled => Error::ConnectionTerminated,
        _ => Error::HttpProtocolError,
    }
}

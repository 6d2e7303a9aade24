//! `wasi:http` (designation: `url` options; grant: `http`), through the only way out of kiln.
//! Threat: names that resolve to private addresses, rebinding, redirects; `kiln-content` judges the
//! name, then dials the address that it judged. Redirects are the guest's to follow, each a call of
//! its own. Sealed text in the path, headers and body is put in place here, after the call was let
//! in; where a server sends it back, it is sealed again.

mod body;

use super::{Authority, Call, Caller, Counter, Role};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::designation;
use crate::error::CallError;
use crate::outgoing::{self, may_lead_to};
use crate::secrets::Replacing;
use crate::state::StepCtx;
use body::{Answer, Asked};
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use kiln_content::egress::{Egress, EgressError, EgressPolicy, Timeouts, origin_of};
use kiln_plan::grant::{Grants, HttpPattern, Request as Wanted};
use kiln_plan::{Designation, EventBody};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Rest), Error>;
type Request = http::Request<WasiBody>;

/// The call in traces.
const FUNCTION: &str = "outgoing-handler.handle";

/// Where a step's requests may go.
pub(crate) struct Policy {
    grants: Arc<Grants>,
    designated: Vec<HttpPattern>,
}

impl Policy {
    /// What the user granted, and the URLs that the options designate.
    pub(crate) fn of(step: &StepCtx) -> Self {
        let urls = step.configuration.as_ref().map(|c| designation::named(c, Designation::Url));
        let designated = urls.iter().flatten().filter_map(|url| pattern_of(url)).collect();
        Self { grants: step.grants.clone(), designated }
    }

    fn designates(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.designated.iter().any(|pattern| pattern.matches(scheme, host, port))
    }
}

/// The origin of a URL as a pattern for exactly it.
fn pattern_of(url: &str) -> Option<HttpPattern> {
    let uri: http::Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let host_port = authority.as_str().rsplit('@').next()?;
    HttpPattern::parse(&format!("{scheme}://{host_port}")).ok()
}

impl EgressPolicy for Policy {
    fn allow_name(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.designates(scheme, host, port)
            || self.grants.permit(&Wanted::Http { scheme, host, port }).is_ok()
    }

    fn allow_address(&self, address: IpAddr, _: u16, name: &str) -> bool {
        may_lead_to(address, name)
    }
}

/// Sends the requests of one step.
pub(crate) struct Hooks {
    step: Arc<StepCtx>,
    role: Role,
    cancel: CancellationToken,
    calls: Counter,
    egress: OnceLock<Result<Egress, String>>,
}

impl Hooks {
    pub(crate) fn new(step: &Arc<StepCtx>, role: Role, cancel: &CancellationToken, calls: &Counter) -> Self {
        let egress = OnceLock::new();
        Self { step: step.clone(), role, cancel: cancel.clone(), calls: calls.clone(), egress }
    }

    pub(crate) fn obey(&mut self, cancel: &CancellationToken) {
        self.cancel = cancel.clone();
    }

    /// The gate, and the way out.
    fn enter(&self, request: &Request) -> Result<(Call, Egress), Error> {
        let (scheme, host, port) = origin_of(request.uri()).map_err(|e| refuse(&self.step, &e))?;
        let wanted = Wanted::Http { scheme, host: &host, port };
        let is_designated = Policy::of(&self.step).designates(scheme, &host, port);
        let authority = if is_designated { Authority::Designation } else { Authority::Granted(wanted) };
        let caller = Caller {
            step: &self.step,
            role: self.role,
            cancel: &self.cancel,
            calls: &self.calls,
            trouble: None,
        };
        let mut call = Call::enter_as(&caller, FUNCTION, authority).map_err(|e| self.denied(e))?;
        call.target(self.step.shown(&format!("{} {}", request.method(), request.uri())));
        let make = || {
            let made = outgoing::egress(self.step.build.options(), Policy::of(&self.step));
            made.map_err(|error| error.to_string())
        };
        match self.egress.get_or_init(make) {
            Ok(egress) => Ok((call, egress.clone())),
            Err(problem) => {
                self.step.show(problem, |text| EventBody::Warning { text });
                call.ended_by(ErrorCode::Invalid);
                Err(Error::HttpRequestDenied)
            }
        }
    }

    /// A refusal is told to the user: the guest gets no words with it.
    fn denied(&self, error: CallError) -> Error {
        match error {
            CallError::Guest(error) => {
                self.step.show(&error.message, |text| EventBody::Warning { text });
                Error::HttpRequestDenied
            }
            CallError::Trap(error) => Error::InternalError(Some(error.to_string())),
        }
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (entered, step) = (self.enter(&request), self.step.clone());
        Box::new(async move {
            let (call, egress) = entered?;
            let cancel = call.cancel.clone();
            tokio::select! {
                biased;
                () = cancel.cancelled() => Err(Error::ConnectionTerminated),
                sent = exchange(step, call, egress, request, timeouts(options)) => sent,
            }
        })
    }
}

/// One request with its secrets in place, and the answer with them sealed again.
async fn exchange(
    step: Arc<StepCtx>,
    mut call: Call,
    egress: Egress,
    mut request: Request,
    timeouts: Timeouts,
) -> Sent {
    let shown = step.shown(&format!("{} {}", request.method(), request.uri()));
    let pairs = step.build.vault.pairs();
    let mut carried = unseal(&mut request, &pairs)?;
    let (parts, body) = request.into_parts();
    let is_declared = parts.headers.contains_key(CONTENT_LENGTH);
    let asked = Asked::read(body, Replacing::new(pairs.iter().cloned()), is_declared).await?;
    carried.extend(asked.carries(pairs.len()));
    let moved = asked.moved();
    let mut request = http::Request::from_parts(parts, asked);
    if let (true, Some(length)) = (is_declared, request.body().length()) {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let sent = egress.send(request, Some(timeouts)).await.map_err(|error| {
        call.ended_by(egress_code(&error));
        refuse(&step, &error)
    })?;
    let text = format!("{shown}: {}", sent.response.status());
    step.show(&text, |text| EventBody::Log { level: "debug".into(), text });
    let back = pairs.into_iter().enumerate().filter(|(place, _)| carried.contains(place));
    let mut sealing = Replacing::new(back.map(|(_, (token, value))| (value, token)));
    let mut response = sent.response;
    seal(&mut response, &mut sealing);
    let response = response.map(|body| Answer::new(body, sealing, call, moved).boxed_unsync());
    let rest = async move { sent.connection.ended().await.map_err(|e| to_wasi(&e)) };
    Ok((response, Box::new(rest)))
}

/// Puts secrets in place in the path and the headers; gives the places of those that occurred.
fn unseal(request: &mut Request, pairs: &[(String, String)]) -> Result<Vec<usize>, Error> {
    let mut replacing = Replacing::new(pairs.iter().cloned());
    let mut plain = |text: &str| -> Option<Vec<u8>> {
        let mut out = replacing.push(text.as_bytes());
        out.extend(replacing.finish());
        (out != text.as_bytes()).then_some(out)
    };
    let path = request.uri().path_and_query().map(|path| path.as_str().to_owned());
    if let Some(path) = path.and_then(|path| plain(&path)) {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(path.as_slice().try_into().map_err(|_| Error::HttpRequestUriInvalid)?);
        *request.uri_mut() = http::Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)?;
    }
    for value in request.headers_mut().values_mut() {
        if let Some(text) = value.to_str().ok().and_then(&mut plain) {
            *value = HeaderValue::from_bytes(&text).map_err(|_| Error::HttpProtocolError)?;
            value.set_sensitive(true);
        }
    }
    Ok(replacing.found().iter().copied().collect())
}

/// Seals in the headers of an answer what the request carried.
fn seal<B>(response: &mut http::Response<B>, sealing: &mut Replacing) {
    for value in response.headers_mut().values_mut() {
        let mut sealed = sealing.push(value.as_bytes());
        sealed.extend(sealing.finish());
        if let Ok(sealed) = HeaderValue::from_bytes(&sealed) {
            *value = sealed;
        }
    }
    if !sealing.is_empty() {
        // The body may be longer now.
        response.headers_mut().remove(CONTENT_LENGTH);
    }
}

/// Deadlines of a request: the guest's, but never longer than the usual for connecting.
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

/// Tells the user why it was not sent, and the guest in the words that it has for it.
fn refuse(step: &StepCtx, error: &EgressError) -> Error {
    step.show(&error.to_string(), |text| match error {
        EgressError::AddressDenied { .. } | EgressError::NameDenied { .. } => EventBody::Warning { text },
        _ => EventBody::Log { level: "info".into(), text },
    });
    to_wasi(error)
}

/// The class of an error, for the trace.
fn egress_code(error: &EgressError) -> ErrorCode {
    match error {
        EgressError::NameDenied { .. } | EgressError::AddressDenied { .. } => ErrorCode::Denied,
        EgressError::InvalidUrl { .. } => ErrorCode::Invalid,
        EgressError::Timeout { .. } => ErrorCode::TimedOut,
        EgressError::Cancelled => ErrorCode::Cancelled,
        _ => ErrorCode::Failed,
    }
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

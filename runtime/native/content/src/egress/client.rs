//! One request, one judged connection, one response. Main type: [`Egress`].
//!
//! Connections are not pooled: a request's policy verdict then always belongs to the connection it travels on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use http::header::{CONNECTION, HOST, HeaderName, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Request, Response, Uri};
use http_body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::address::canonical;
use super::body::{LastMoved, ResponseBody, Watched};
use super::dial::{dial, resolve_and_judge};
use super::proxy::{Proxies, Proxy};
use super::target::Target;
use super::{AddressClass, EgressError, EgressPolicy, EgressSettings, Timeouts, classify};

/// Headers of the connection, which belong to us and not to who writes the request (RFC 9110 section 7.6.1).
const OURS: [HeaderName; 4] =
    [CONNECTION, HOST, PROXY_AUTHORIZATION, HeaderName::from_static("proxy-connection")];
/// How long a name is looked up here although a proxy dials it: where only the proxy knows names, an answer may never
/// come.
const LOOKUP: Duration = Duration::from_secs(5);
/// Bound on the response's header fields; hyper bounds their bytes.
const MAX_HEADERS: usize = 256;

/// The filtered HTTP client. Cheap to clone.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Arc<dyn EgressPolicy>,
    settings: EgressSettings,
    proxies: Proxies,
    tls: TlsConnector,
}

/// A response, and the connection that it arrives on.
pub struct Sent {
    /// Status, headers and the streamed body.
    pub response: Response<ResponseBody>,
    /// Ends when the connection does; need not be awaited.
    pub connection: Connection,
    /// The address that was judged and dialled: the server's, or the proxy's.
    pub address: SocketAddr,
}

/// The end of a connection, as a future. The connection runs by itself; dropping this does not stop it.
pub struct Connection {
    ended: oneshot::Receiver<Result<(), EgressError>>,
}

impl Connection {
    /// Waits until the connection has ended, with its error if it did not end well.
    ///
    /// # Errors
    /// [`EgressError::Http`] for a broken connection, [`EgressError::Cancelled`] when the response's body was dropped.
    pub async fn ended(self) -> Result<(), EgressError> {
        self.ended.await.unwrap_or(Err(EgressError::Cancelled))
    }
}

impl Egress {
    /// # Errors
    /// [`EgressError::Settings`] when a certificate or proxy cannot be used.
    pub fn new(policy: Arc<dyn EgressPolicy>, settings: EgressSettings) -> Result<Self, EgressError> {
        let proxies = Proxies::new(&settings.proxy)?;
        let tls = TlsConnector::from(Arc::new(tls_config(&settings.extra_roots_pem)?));
        Ok(Self { inner: Arc::new(Inner { policy, settings, proxies, tls }) })
    }

    /// Sends one request, whose URL is absolute, and returns once the response's headers are here. Redirects are not
    /// followed. The body's type is the caller's.
    ///
    /// # Errors
    /// Any [`EgressError`]; the request's body having failed is [`EgressError::Http`].
    pub async fn send<B>(&self, request: Request<B>, timeouts: Option<Timeouts>) -> Result<Sent, EgressError>
    where
        B: Body + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let timeouts = timeouts.unwrap_or(self.inner.settings.timeouts);
        let target = Target::of(request.uri())?;
        if !self.inner.policy.allow_name(target.scheme(), &target.host, target.port) {
            return Err(EgressError::NameDenied {
                scheme: target.scheme().to_owned(),
                host: target.host,
                port: target.port,
            });
        }
        let proxy = self.inner.proxies.of(&target);
        let late = |phase, limit: Duration| EgressError::Timeout { host: target.host.clone(), phase, limit };
        let (stream, address) = timeout(timeouts.connect, self.open(&target, proxy))
            .await
            .map_err(|_| late("connect", timeouts.connect))??;
        tracing::debug!(host = %target.host, %address, proxied = proxy.is_some(), "connected");
        let request = prepare(request, &target, proxy, &self.inner.settings.user_agent)?;
        if target.tls {
            let stream = timeout(timeouts.tls, self.agree_on_tls(&target, stream))
                .await
                .map_err(|_| late("agree on TLS", timeouts.tls))??;
            exchange(stream, request, &target, address, timeouts).await
        } else {
            exchange(stream, request, &target, address, timeouts).await
        }
    }

    async fn open(
        &self,
        target: &Target,
        proxy: Option<&Proxy>,
    ) -> Result<(TcpStream, SocketAddr), EgressError> {
        let inner = &self.inner;
        let judged = resolve_and_judge(target, &*inner.policy, &*inner.settings.resolver);
        let Some(proxy) = proxy else {
            return dial(&target.host, judged.await?).await;
        };
        // Behind a proxy a name may be one that only the proxy can resolve; one that resolves here is judged here.
        match timeout(LOOKUP, judged).await {
            Ok(Ok(_) | Err(EgressError::Resolve { .. })) | Err(_) => {}
            Ok(Err(denied)) => return Err(denied),
        }
        let failed = |why: String| EgressError::Proxy { proxy: proxy.name(), host: target.authority(), why };
        let addresses = inner.settings.resolver.resolve(proxy.host.clone(), proxy.port).await;
        let mut addresses = addresses.map_err(|e| failed(e.to_string()))?;
        // The proxy is the user's own setting, wherever it is; but none of these is one.
        addresses.retain(|address| {
            let class = classify(canonical(address.ip()));
            !class.is_never_dialled() && class != AddressClass::Metadata
        });
        if addresses.is_empty() {
            return Err(failed("it has no address that may be dialled".to_owned()));
        }
        let (mut stream, address) = dial(&proxy.host, addresses).await?;
        if target.tls {
            proxy.tunnel(&mut stream, target).await?;
        }
        Ok((stream, address))
    }

    async fn agree_on_tls(
        &self,
        target: &Target,
        stream: TcpStream,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static, EgressError> {
        let failed = |source| EgressError::Tls { host: target.host.clone(), source };
        let name = ServerName::try_from(target.host.clone()).map_err(|e| failed(std::io::Error::other(e)))?;
        self.inner.tls.connect(name, stream).await.map_err(failed)
    }
}

fn tls_config(extra_roots_pem: &[Vec<u8>]) -> Result<ClientConfig, EgressError> {
    let wrong = |what: &str, why: &dyn std::fmt::Display| EgressError::Settings(format!("{what}: {why}"));
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in extra_roots_pem {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|e| wrong("a root certificate is not PEM", &e))?;
            roots.add(certificate).map_err(|e| wrong("a root certificate cannot be used", &e))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong("TLS", &e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Rewrites the request for the wire: origin form (absolute form to a proxy), our connection headers.
fn prepare<B>(
    request: Request<B>,
    target: &Target,
    proxy: Option<&Proxy>,
    agent: &str,
) -> Result<Request<B>, EgressError> {
    let invalid =
        |e: &dyn std::fmt::Display| EgressError::InvalidUrl { url: target.authority(), why: e.to_string() };
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    for name in OURS {
        parts.headers.remove(name);
    }
    parts.headers.insert(HOST, HeaderValue::from_str(&target.host_header()).map_err(|e| invalid(&e))?);
    parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if !parts.headers.contains_key(USER_AGENT)
        && let Ok(agent) = HeaderValue::from_str(agent)
    {
        parts.headers.insert(USER_AGENT, agent);
    }
    parts.version = http::Version::HTTP_11;
    parts.uri = match proxy {
        Some(proxy) if !target.tls => {
            if let Some(value) = &proxy.authorization {
                parts.headers.insert(PROXY_AUTHORIZATION, value.clone());
            }
            format!("http://{}{path}", target.host_header()).parse::<Uri>().map_err(|e| invalid(&e))?
        }
        _ => path.parse::<Uri>().map_err(|e| invalid(&e))?,
    };
    Ok(Request::from_parts(parts, body))
}

async fn exchange<S, B>(
    stream: S,
    request: Request<B>,
    target: &Target,
    address: SocketAddr,
    timeouts: Timeouts,
) -> Result<Sent, EgressError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let host = target.host.clone();
    let failed = |source| EgressError::Http { host: host.clone(), source };
    let moved = LastMoved::now();
    let request = request.map(|body| Watched::new(body, moved.clone()));
    let (mut sender, connection): (SendRequest<Watched<B>>, _) = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let (tell, ended) = oneshot::channel();
    let name = host.clone();
    let running = tokio::spawn(async move {
        let _ = tell.send(connection.await.map_err(|source| EgressError::Http { host: name, source }));
    });
    let guard = AbortOnDrop(Some(running.abort_handle()));
    let response = first_byte(sender.send_request(request), &moved, timeouts.first_byte)
        .await
        .ok_or(EgressError::Timeout { host: host.clone(), phase: "answer", limit: timeouts.first_byte })?
        .map_err(failed)?;
    let abort = guard.disarm().unwrap_or_else(|| running.abort_handle());
    let response = response.map(|incoming| ResponseBody::new(incoming, host.clone(), timeouts.idle, abort));
    Ok(Sent { response, connection: Connection { ended }, address })
}

/// Waits for `answer` until nothing has moved for `limit`; `None` is the timeout.
async fn first_byte<F: Future>(answer: F, moved: &LastMoved, limit: Duration) -> Option<F::Output> {
    let mut answer = std::pin::pin!(answer);
    loop {
        let deadline = moved.at() + limit;
        if let Ok(output) = timeout_at(deadline, answer.as_mut()).await {
            return Some(output);
        }
        if moved.at() + limit <= Instant::now() {
            return None;
        }
    }
}

/// Ends the connection's task when the request is given up before its response has a body to own it.
struct AbortOnDrop(Option<tokio::task::AbortHandle>);

impl AbortOnDrop {
    fn disarm(mut self) -> Option<tokio::task::AbortHandle> {
        self.0.take()
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

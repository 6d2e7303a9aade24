//! Secrets from Vault, Consul and AWS Secrets Manager, for the functions of the template language.
//! Main type: [`Stores`].
//!
//! The grant is the user's own word: a server is asked only if the environment names it or holds
//! the credentials for it, and no request goes anywhere but to that server; redirects are not
//! followed, since the credentials would go with them. Each secret is asked for once in a run.

mod aws;
mod consul;
mod signature;
mod vault;

use crate::env_vars;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use kiln_content::egress::{Egress, EgressSettings, PolicyFns, Timeouts};
use kiln_template::SecretQuery;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The longest answer, in bytes.
const MAX_ANSWER: usize = 4 << 20;
/// The longest that one secret may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Less patience than for downloads: the answer is small.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    tls: Duration::from_secs(10),
    first_byte: Duration::from_secs(30),
    idle: Duration::from_secs(30),
};

/// The stores, and what they said already.
#[derive(Default)]
pub(crate) struct Stores {
    answers: Mutex<BTreeMap<SecretQuery, Result<String, String>>>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stores")
    }
}

/// The user's settings, by name of their environment variable; empty ones count as not set.
type Settings<'s> = &'s dyn Fn(&str) -> Option<String>;

/// One request, and where it goes.
struct Ask {
    request: Request<Full<Bytes>>,
    /// The user's own certificate authority, as PEM.
    roots: Vec<Vec<u8>>,
}

/// What a server said.
struct Answer {
    status: StatusCode,
    body: String,
}

impl Stores {
    /// A secret.
    ///
    /// # Errors
    /// Which setting is missing, or what the server said.
    pub(crate) fn get(&self, query: &SecretQuery) -> Result<String, String> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = answers.get(query) {
            return known.clone();
        }
        let settings = |name: &str| env_vars::text(name).filter(|value| !value.is_empty());
        let found = get(query, &settings, SystemTime::now());
        answers.insert(query.clone(), found.clone());
        found
    }
}

fn get(query: &SecretQuery, settings: Settings<'_>, now: SystemTime) -> Result<String, String> {
    match query {
        SecretQuery::Vault { path, key } => {
            let answer = send(vault::ask(path, settings)?).map_err(|e| format!("cannot ask Vault: {e}"))?;
            vault::read(&answer, path, key)
        }
        SecretQuery::Consul { key } => {
            let answer = send(consul::ask(key, settings)?).map_err(|e| format!("cannot ask Consul: {e}"))?;
            consul::read(&answer, key)
        }
        SecretQuery::Aws { name, .. } | SecretQuery::AwsRaw { name } => {
            let answer = send(aws::ask(name, settings, now)?)
                .map_err(|e| format!("cannot ask AWS Secrets Manager: {e}"))?;
            let secret = aws::read(&answer, name)?;
            match query {
                SecretQuery::Aws { key, .. } => aws::field(&secret, name, key.as_deref()),
                _ => Ok(secret),
            }
        }
    }
}

/// Sends a request on a thread of its own, since the caller may be inside a runtime or not.
fn send(ask: Ask) -> Result<Answer, String> {
    let thread = std::thread::Builder::new().name("secret".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| e.to_string())?;
        runtime.block_on(async {
            tokio::time::timeout(TIMEOUT, exchange(ask))
                .await
                .unwrap_or_else(|_| Err("no answer in time".into()))
        })
    });
    let thread = thread.map_err(|e| e.to_string())?;
    thread.join().unwrap_or_else(|_| Err("the request ended early".to_owned()))
}

async fn exchange(ask: Ask) -> Result<Answer, String> {
    let wanted = ask.request.uri().host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    let policy =
        PolicyFns { name: move |_: &str, host: &str, _: u16| host == wanted, address: |_, _, _: &str| true };
    let settings =
        EgressSettings { extra_roots_pem: ask.roots, timeouts: TIMEOUTS, ..EgressSettings::default() };
    let egress = Egress::new(Arc::new(policy), settings).map_err(|e| e.to_string())?;
    let response = egress.send(ask.request, None).await.map_err(|e| e.to_string())?.response;
    let status = response.status();
    if status.is_redirection() {
        let to = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("another");
        return Err(format!("it points to {to}; name that server instead"));
    }
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|e| e.to_string())?;
    let body = String::from_utf8(body.to_bytes().to_vec()).map_err(|_| "the answer is not UTF-8 text")?;
    Ok(Answer { status, body })
}

/// A server's address with a path, as a URL; a path cannot leave what it is put behind.
fn url(server: &str, prefix: &str, path: &str) -> String {
    let mut url = format!("{}{prefix}", server.trim_end_matches('/'));
    for part in path.trim_matches('/').split('/') {
        url.push('/');
        url.push_str(&encoded(part));
    }
    url
}

/// A part of a path or query, everything encoded that could mean something else there.
fn encoded(part: &str) -> String {
    if matches!(part, "." | "..") {
        return part.replace('.', "%2E");
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    part.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The certificate authority that a variable names as a file.
fn roots(variable: &str, settings: Settings<'_>) -> Result<Vec<Vec<u8>>, String> {
    let Some(file) = settings(variable) else { return Ok(Vec::new()) };
    let read = crate::template_env::read_named(&file);
    read.map(|pem| vec![pem]).map_err(|e| format!("cannot read {file}, which {variable} names: {e}"))
}

/// A text, number or truth as text.
fn as_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// What a server said is wrong, on one line and not too long.
fn complaint(answer: &Answer) -> String {
    let text: String =
        answer.body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    format!("the server answers {}: {text}", answer.status)
}

#[cfg(test)]
mod tests;

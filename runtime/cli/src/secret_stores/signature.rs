//! AWS's signature of requests, version 4.

use hmac::{Hmac, Mac};
use http::{HeaderValue, Request};
use kiln_plan::go_template::format_layout;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::SystemTime;

/// Who signs.
pub(super) struct Credentials {
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

/// The request with its time and signature.
pub(super) fn sign(
    mut request: Request<String>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: SystemTime,
) -> Result<Request<String>, String> {
    let time = format_layout("20060102T150405Z", now);
    let day = time.get(..8).unwrap_or_default();
    let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let header = |text: &str| HeaderValue::from_str(text).map_err(|e| format!("the AWS credentials: {e}"));
    let headers = request.headers_mut();
    headers.insert("host", header(&host)?);
    headers.insert("x-amz-date", header(&time)?);
    if let Some(token) = &credentials.token {
        headers.insert("x-amz-security-token", header(token)?);
    }
    let (canonical, signed) = canonical(&request);
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = format!("AWS4{}", credentials.secret).into_bytes();
    for part in [day, region, service, "aws4_request"] {
        key = mac(&key, part)?;
    }
    let signature = hex(&mac(&key, &text)?);
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        credentials.key
    );
    request.headers_mut().insert("authorization", header(&value)?);
    Ok(request)
}

/// The request as it is signed, and the names of the headers that are.
fn canonical(request: &Request<String>) -> (String, String) {
    let mut headers: Vec<(&str, &str)> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or(""))).collect();
    headers.sort_unstable();
    let signed = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or(""));
    let body = hex(&Sha256::digest(request.body()));
    (format!("{}\n{path}\n{query}\n{lines}\n{signed}\n{body}", request.method()), signed)
}

fn mac(key: &[u8], text: &str) -> Result<Vec<u8>, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|e| e.to_string())?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    /// The example that AWS's documentation works through.
    #[test]
    fn the_documented_example() {
        let request = Request::get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(String::new())
            .unwrap();
        let credentials = Credentials {
            key: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
        };
        let now = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let signed = sign(request, &credentials, "us-east-1", "iam", now).unwrap();
        let authorization = signed.headers().get("authorization").unwrap().to_str().unwrap();
        assert!(
            authorization
                .ends_with("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
            "{authorization}"
        );
    }
}

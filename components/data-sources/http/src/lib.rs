//! Data source `http`: one request, its body as text. Requests go through wasi:http, where the
//! host lets through what the template's `url` names and what was granted, redirects included.

mod fetch;
mod url;

use fetch::Request;
use kiln_sdk::{Config, Context, DataSource, Description, Error, Findings, Unchecked, say};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::Url;

#[derive(Deserialize)]
struct Options {
    url: String,
    method: String,
    #[serde(default)]
    request_headers: BTreeMap<String, String>,
    request_body: String,
}

#[derive(Serialize)]
struct Values {
    url: String,
    body: String,
    request_headers: BTreeMap<String, String>,
}

struct Http;

impl DataSource for Http {
    type Options = Options;
    type Values = Values;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("http", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
            .gives(include_str!("../output.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        let url = options.text("/url").filter(|url| !url.contains("{{"));
        if url.is_some_and(|url| Url::parse(url).is_none()) {
            findings.error("/url", "this is not an http or https URL", "");
        }
    }

    fn read(_: &Context, config: &Config<Options>) -> Result<Values, Error> {
        let url = Url::parse(&config.url)
            .ok_or_else(|| Error::invalid("this is not an http or https URL").at("/url"))?;
        let request = Request {
            method: config.method.clone(),
            url,
            headers: config.request_headers.clone(),
            body: config.request_body.clone().into_bytes(),
        };
        let response = fetch::follow(request).map_err(|e| e.at("/url"))?;
        if !(200..300).contains(&response.status) {
            let message = format!("the server answered with HTTP status {}", response.status);
            return Err(Error::failed(message).at("/url"));
        }
        if !is_text(response.headers.get("Content-Type").map_or("", String::as_str)) {
            say!("warning: the content type of {} is not text", config.url);
        }
        let body = String::from_utf8(response.body)
            .map_err(|_| Error::failed("the answer is not UTF-8 text").at("/url"))?;
        Ok(Values { url: config.url.clone(), body, request_headers: response.headers })
    }
}

/// Whether a content type is text; one that was not sent may be.
fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind.is_empty() || kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml")
}

kiln_sdk::export_data_source!(Http);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_text_is() {
        assert!(is_text("text/plain; charset=utf-8") && is_text("application/json") && is_text(""));
        assert!(!is_text("application/octet-stream"));
    }

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{"url":"x"}"#).unwrap();
    }
}

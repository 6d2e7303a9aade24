//! AWS Secrets Manager.

use super::signature::{Credentials, sign};
use super::{Answer, Ask, Settings, as_text, complaint, roots};
use http::Request;
use serde_json::{Value as Json, json};
use std::time::SystemTime;

pub(super) fn ask(name: &str, settings: Settings<'_>, now: SystemTime) -> Result<Ask, String> {
    let need = |variable: &str| {
        settings(variable).ok_or_else(|| {
            format!(
                "{variable} is not set; the region and the credentials for AWS are taken from the environment"
            )
        })
    };
    let credentials = Credentials {
        key: need("AWS_ACCESS_KEY_ID")?,
        secret: need("AWS_SECRET_ACCESS_KEY")?,
        token: settings("AWS_SESSION_TOKEN"),
    };
    let region = settings("AWS_REGION").map_or_else(|| need("AWS_DEFAULT_REGION"), Ok)?;
    let server = settings("AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .or_else(|| settings("AWS_ENDPOINT_URL"))
        .unwrap_or_else(|| format!("https://secretsmanager.{region}.amazonaws.com"));
    let request = Request::post(format!("{}/", server.trim_end_matches('/')))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "secretsmanager.GetSecretValue")
        .body(json!({ "SecretId": name }).to_string())
        .map_err(|e| format!("the AWS endpoint {server}: {e}"))?;
    let request = sign(request, &credentials, &region, "secretsmanager", now)?;
    Ok(Ask { request: request.map(Into::into), roots: roots("AWS_CA_BUNDLE", settings)? })
}

/// The secret as it was stored.
pub(super) fn read(answer: &Answer, name: &str) -> Result<String, String> {
    let json: Json = serde_json::from_str(&answer.body).unwrap_or_default();
    if !answer.status.is_success() {
        let kind = json.get("__type").and_then(Json::as_str).unwrap_or_default();
        return Err(if kind.ends_with("ResourceNotFoundException") {
            format!("AWS Secrets Manager has no secret {name}")
        } else {
            complaint(answer)
        });
    }
    let text = json.get("SecretString").and_then(Json::as_str).map(str::to_owned);
    text.ok_or_else(|| format!("the secret {name} is not text"))
}

/// A field of a secret that is a JSON object; a secret that is not is its own only field.
pub(super) fn field(secret: &str, name: &str, key: Option<&str>) -> Result<String, String> {
    let Ok(Json::Object(fields)) = serde_json::from_str::<Json>(secret) else { return Ok(secret.to_owned()) };
    let value = match key {
        Some(key) => fields.get(key).ok_or_else(|| format!("the secret {name} has no field {key}"))?,
        None if fields.len() == 1 => fields.values().next().unwrap_or(&Json::Null),
        None => return Err(format!("the secret {name} has {} fields; say which", fields.len())),
    };
    as_text(value).ok_or_else(|| format!("the field of the secret {name} is not text"))
}

//! Vault's key-value stores of both versions.

use super::{Answer, Ask, Settings, as_text, complaint, roots, url};
use http::{Request, StatusCode};
use serde_json::Value as Json;

pub(super) fn ask(path: &str, settings: Settings<'_>) -> Result<Ask, String> {
    let token = settings("VAULT_TOKEN")
        .ok_or("VAULT_TOKEN is not set; set it, and VAULT_ADDR to the address of the server")?;
    let server = settings("VAULT_ADDR").unwrap_or_else(|| "https://127.0.0.1:8200".to_owned());
    let mut request = Request::get(url(&server, "/v1", path))
        .header("x-vault-token", token)
        .header("x-vault-request", "true");
    if let Some(namespace) = settings("VAULT_NAMESPACE") {
        request = request.header("x-vault-namespace", namespace);
    }
    let request = request.body(Default::default()).map_err(|e| format!("VAULT_ADDR or VAULT_TOKEN: {e}"))?;
    Ok(Ask { request, roots: roots("VAULT_CACERT", settings)? })
}

/// The field: of `data.data` in the second version, of `data` in the first.
pub(super) fn read(answer: &Answer, path: &str, key: &str) -> Result<String, String> {
    if answer.status == StatusCode::NOT_FOUND {
        return Err(format!("Vault has nothing at {path}"));
    }
    if !answer.status.is_success() {
        return Err(complaint(answer));
    }
    let json: Json =
        serde_json::from_str(&answer.body).map_err(|e| format!("Vault's answer is not JSON: {e}"))?;
    let data = json.get("data").filter(|data| !data.is_null());
    let data = data.ok_or_else(|| format!("Vault has nothing at {path}"))?;
    let fields = data.get("data").filter(|inner| inner.is_object()).unwrap_or(data);
    let value = fields.get(key).ok_or_else(|| format!("what Vault has at {path} has no field {key}"))?;
    as_text(value).ok_or_else(|| format!("the field {key} at {path} is not text"))
}

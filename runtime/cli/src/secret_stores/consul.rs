//! Consul's key-value store.

use super::{Answer, Ask, Settings, complaint, encoded, roots, url};
use http::{Request, StatusCode};

pub(super) fn ask(key: &str, settings: Settings<'_>) -> Result<Ask, String> {
    let server = settings("CONSUL_HTTP_ADDR")
        .ok_or("CONSUL_HTTP_ADDR is not set; set it to the address of the server, such as 127.0.0.1:8500")?;
    let secure = settings("CONSUL_HTTP_SSL").is_some_and(|word| matches!(word.as_str(), "1" | "t" | "true"));
    let server = match (server.contains("://"), secure) {
        (true, _) => server,
        (false, true) => format!("https://{server}"),
        (false, false) => format!("http://{server}"),
    };
    let mut target = url(&server, "/v1/kv", key);
    target.push_str("?raw=true");
    for (variable, name) in [("CONSUL_NAMESPACE", "ns"), ("CONSUL_DATACENTER", "dc")] {
        if let Some(value) = settings(variable) {
            target.push_str(&format!("&{name}={}", encoded(&value)));
        }
    }
    let mut request = Request::get(target);
    if let Some(token) = settings("CONSUL_HTTP_TOKEN") {
        request = request.header("x-consul-token", token);
    }
    let request = request
        .body(Default::default())
        .map_err(|e| format!("CONSUL_HTTP_ADDR or CONSUL_HTTP_TOKEN: {e}"))?;
    Ok(Ask { request, roots: roots("CONSUL_CACERT", settings)? })
}

pub(super) fn read(answer: &Answer, key: &str) -> Result<String, String> {
    match answer.status {
        StatusCode::NOT_FOUND => Err(format!("Consul has no key {key}")),
        status if !status.is_success() => Err(complaint(answer)),
        _ if answer.body.is_empty() => Err(format!("the value of {key} in Consul is empty")),
        _ => Ok(answer.body.clone()),
    }
}

//! The stores against a server that speaks their HTTP interfaces.
#![expect(clippy::disallowed_methods, reason = "the tests are the server")]

use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::UNIX_EPOCH;

/// Answers one request with `status` and `body`; gives its address and what it was asked.
fn server(status: &'static str, body: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((head, sent)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if sent.len() >= length.unwrap_or(0) {
                tell.send(text).unwrap();
                break;
            }
        }
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (address, told)
}

fn ask(query: &SecretQuery, settings: &[(&str, &str)]) -> Result<String, String> {
    let find = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
    get(query, &find, UNIX_EPOCH)
}

fn vault(path: &str, key: &str) -> SecretQuery {
    SecretQuery::Vault { path: path.to_owned(), key: key.to_owned() }
}

#[test]
fn vault_of_both_versions() {
    for (body, key, expected) in [
        (r#"{"data":{"data":{"user":"u","n":5},"metadata":{}}}"#, "user", Ok("u")),
        (r#"{"data":{"data":{"user":"u","n":5},"metadata":{}}}"#, "n", Ok("5")),
        (r#"{"data":{"user":"old"}}"#, "user", Ok("old")),
        (r#"{"data":{"data":"text","user":"old"}}"#, "user", Ok("old")),
        (r#"{"data":{"user":"u"}}"#, "pass", Err("what Vault has at secret/data/a b has no field pass")),
        (r#"{"data":null}"#, "user", Err("Vault has nothing at secret/data/a b")),
        (r#"{"data":{"user":["a"]}}"#, "user", Err("the field user at secret/data/a b is not text")),
    ] {
        let (address, told) = server("200 OK", body);
        let address = format!("http://{address}/");
        let settings = [("VAULT_TOKEN", "t0k"), ("VAULT_ADDR", &address), ("VAULT_NAMESPACE", "team")];
        let found = ask(&vault("/secret/data/a b", key), &settings);
        let found = found.as_deref().map_err(|e| e.replace("/secret", "secret"));
        assert_eq!(found, expected.map_err(str::to_owned), "{body}");
        let request = told.recv().unwrap().to_lowercase();
        assert!(request.starts_with("get /v1/secret/data/a%20b http/1.1\r\n"), "{request}");
        assert!(
            request.contains("x-vault-token: t0k\r\n") && request.contains("x-vault-namespace: team\r\n")
        );
    }
}

#[test]
fn servers_that_refuse_or_are_not_there() {
    let (address, _told) = server("403 Forbidden", r#"{"errors":["permission denied"]}"#);
    let settings = [("VAULT_TOKEN", "t"), ("VAULT_ADDR", &format!("http://{address}"))];
    let found = ask(&vault("a", "b"), &settings).unwrap_err();
    assert_eq!(found, r#"the server answers 403 Forbidden: {"errors":["permission denied"]}"#);
    let (address, _told) = server("404 Not Found", "");
    let settings = [("VAULT_TOKEN", "t"), ("VAULT_ADDR", &format!("http://{address}"))];
    assert_eq!(ask(&vault("a", "b"), &settings).unwrap_err(), "Vault has nothing at a");
    let (address, _told) = server("200 OK", "<html>");
    let settings = [("VAULT_TOKEN", "t"), ("VAULT_ADDR", &format!("http://{address}"))];
    assert!(ask(&vault("a", "b"), &settings).unwrap_err().starts_with("Vault's answer is not JSON"));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = [("VAULT_TOKEN", "t"), ("VAULT_ADDR", &format!("http://{gone}"))];
    assert!(ask(&vault("a", "b"), &settings).unwrap_err().starts_with("cannot ask Vault: "));
    let settings = [("VAULT_TOKEN", "t"), ("VAULT_ADDR", "not a url")];
    assert!(ask(&vault("a", "b"), &settings).unwrap_err().starts_with("VAULT_ADDR or VAULT_TOKEN"));
}

#[test]
fn nobody_is_asked_without_the_users_word() {
    let need = |query: SecretQuery, settings: &[(&str, &str)]| ask(&query, settings).unwrap_err();
    assert!(need(vault("a", "b"), &[]).starts_with("VAULT_TOKEN is not set"));
    assert!(need(SecretQuery::Consul { key: "k".into() }, &[]).starts_with("CONSUL_HTTP_ADDR is not set"));
    let aws = || SecretQuery::AwsRaw { name: "n".into() };
    assert!(need(aws(), &[]).starts_with("AWS_ACCESS_KEY_ID is not set"));
    let some = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")];
    assert!(need(aws(), &some).starts_with("AWS_DEFAULT_REGION is not set"));
}

#[test]
fn credentials_do_not_follow_a_redirect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let answer =
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://other:1/\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let settings = [("VAULT_TOKEN", "t"), ("VAULT_ADDR", &format!("http://{address}"))];
    let found = ask(&vault("a", "b"), &settings).unwrap_err();
    assert_eq!(found, "cannot ask Vault: it points to http://other:1/; name that server instead");
}

#[test]
fn consul_keys() {
    let query = SecretQuery::Consul { key: "app/../password".into() };
    for (status, body, expected) in [
        ("200 OK", "hush", Ok("hush")),
        ("200 OK", "", Err("the value of app/../password in Consul is empty")),
        ("404 Not Found", "", Err("Consul has no key app/../password")),
    ] {
        let (address, told) = server(status, body);
        let settings = [
            ("CONSUL_HTTP_ADDR", address.as_str()),
            ("CONSUL_HTTP_TOKEN", "t"),
            ("CONSUL_DATACENTER", "d&1"),
        ];
        assert_eq!(ask(&query, &settings), expected.map(str::to_owned).map_err(str::to_owned));
        let request = told.recv().unwrap().to_lowercase();
        assert!(
            request.starts_with("get /v1/kv/app/%2e%2e/password?raw=true&dc=d%261 http/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("x-consul-token: t\r\n"));
    }
}

#[test]
fn aws_secrets() {
    let by = |key: Option<&str>| SecretQuery::Aws { name: "db".into(), key: key.map(str::to_owned) };
    let raw = SecretQuery::AwsRaw { name: "db".into() };
    let two = r#"{"Name":"db","SecretString":"{\"user\":\"u\",\"pass\":\"p\"}"}"#;
    let gone = r#"{"__type":"ResourceNotFoundException","message":"no"}"#;
    for (query, status, body, expected) in [
        (by(Some("pass")), "200 OK", two, Ok("p")),
        (by(Some("none")), "200 OK", two, Err("the secret db has no field none")),
        (by(None), "200 OK", two, Err("the secret db has 2 fields; say which")),
        (by(None), "200 OK", r#"{"SecretString":"{\"only\":\"o\"}"}"#, Ok("o")),
        (by(None), "200 OK", r#"{"SecretString":"plain"}"#, Ok("plain")),
        (raw.clone(), "200 OK", r#"{"SecretString":"{\"only\":1}"}"#, Ok("{\"only\":1}")),
        (raw.clone(), "200 OK", r#"{"SecretBinary":"AA=="}"#, Err("the secret db is not text")),
        (raw, "400 Bad Request", gone, Err("AWS Secrets Manager has no secret db")),
    ] {
        let (address, told) = server(status, body);
        let address = format!("http://{address}");
        let settings = [
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_SESSION_TOKEN", "st"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", address.as_str()),
        ];
        assert_eq!(ask(&query, &settings), expected.map(str::to_owned).map_err(str::to_owned));
        let request = told.recv().unwrap();
        let lower = request.to_lowercase();
        assert!(
            request.starts_with("POST / HTTP/1.1\r\n") && request.ends_with(r#"{"SecretId":"db"}"#),
            "{request}"
        );
        assert!(lower.contains("x-amz-target: secretsmanager.getsecretvalue\r\n"), "{request}");
        assert!(lower.contains("x-amz-security-token: st\r\n"), "{request}");
        assert!(
            request.contains("Credential=AKID/19700101/eu-west-1/secretsmanager/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="),
            "{request}"
        );
        assert_eq!(lower.matches("\r\nhost: ").count(), 1, "{request}");
    }
}

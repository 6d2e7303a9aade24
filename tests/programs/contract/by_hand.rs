//! Shared by the four contract guests: calls whose arguments decide what they need, so that none
//! can be made from types alone. Arguments are the step's options.

use crate::calls::{Refusal, get_config_configuration, get_files_output, setting, settings, told};
use crate::kiln::host::{downloads, hypervisor, machines, secrets};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

/// Makes one of these calls; nothing if the name is none of them.
pub(crate) fn call(name: &str) -> Option<Result<String, Refusal>> {
    Some(match name {
        "wasi:http" => Ok(match send() {
            Ok(answer) => format!("answer: {answer}"),
            Err(error) => format!("http: {error:?}"),
        }),
        "ssh" => connect(),
        "raw image" => raw_image(),
        "raw machine" => raw_machine(),
        "download" => Ok(download(downloads::Request::new(&setting("url")))),
        "designated download" => designated_download(),
        "seal" => Ok(told(&secrets::seal(&setting("text")), |_| false)),
        _ => return None,
    })
}

fn connect() -> Result<String, Refusal> {
    let port = setting("port").parse().unwrap_or(22);
    let address = machines::Address::Host((setting("host"), port));
    let got = machines::connect(&*get_config_configuration()?, &address, "{}");
    Ok(told(&got, |_| false))
}

fn raw_image() -> Result<String, Refusal> {
    let extra = ["-o".to_owned(), "cluster_size=65536".to_owned()];
    let at = get_files_output()?;
    let format = hypervisor::ImageFormat::Qcow2;
    Ok(told(&hypervisor::create_image(&at, format, "1M", &extra), |_| false))
}

/// The options have `qemuargs`, and perhaps `net_bridge`.
fn raw_machine() -> Result<String, Refusal> {
    let spec = hypervisor::MachineSpec::new(&*get_config_configuration()?, "x", &get_files_output()?);
    Ok(told(&hypervisor::define(spec), |_| false))
}

fn designated_download() -> Result<String, Refusal> {
    match downloads::Request::designated(&*get_config_configuration()?, "/fetch") {
        Ok(request) => Ok(download(request)),
        Err(error) => Ok(told::<()>(&Err(error), |()| false)),
    }
}

fn download(request: downloads::Request) -> String {
    if !setting("checksum").is_empty() {
        request.checksum(&setting("checksum"));
    }
    match downloads::fetch(request).and_then(|file| file.text(1 << 20)) {
        Ok(text) => format!("answer: {text}"),
        Err(error) => told::<()>(&Err(error), |()| false),
    }
}

/// A request: `url`, `method`, the header `x-test` and the pieces of `body`, each in a write of its
/// own.
fn send() -> Result<String, ErrorCode> {
    let url = sealed(&setting("url"));
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let fields = Fields::new();
    fields.append("x-test", sealed(&setting("header")).as_bytes()).unwrap();
    let body = settings("body");
    let pieces = if body.len() > 2 {
        halves(&sealed(&body.concat()))
    } else {
        body.iter().map(|piece| sealed(piece)).collect()
    };
    if !setting("length").is_empty() {
        let length: usize = pieces.iter().map(String::len).sum();
        fields.append("content-length", length.to_string().as_bytes()).unwrap();
    }
    let request = OutgoingRequest::new(fields);
    let method = if pieces.is_empty() { Method::Get } else { Method::Post };
    request.set_method(&method).unwrap();
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some(&format!("/{path}"))).unwrap();
    let body = request.body().unwrap();
    let pending = outgoing_handler::handle(request, None)?;
    write(body, &pieces);
    pending.subscribe().block();
    read(&pending.get().unwrap().unwrap()?)
}

/// The text with the option `secret`, which is sealed, where it says `SEALED`.
fn sealed(text: &str) -> String {
    text.replace("SEALED", &setting("secret"))
}

/// In pieces of which none has a whole token.
fn halves(text: &str) -> Vec<String> {
    text.as_bytes().chunks(20).map(|piece| String::from_utf8_lossy(piece).into_owned()).collect()
}

/// What is refused takes no body either: the answer says why.
fn write(body: OutgoingBody, pieces: &[String]) {
    {
        let stream = body.write().unwrap();
        for piece in pieces {
            for chunk in piece.as_bytes().chunks(4096) {
                if stream.blocking_write_and_flush(chunk).is_err() {
                    break;
                }
            }
        }
    }
    let _ = OutgoingBody::finish(body, None);
}

fn read(response: &IncomingResponse) -> Result<String, ErrorCode> {
    let incoming = response.consume().unwrap();
    let stream = incoming.stream().unwrap();
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(chunk) => body.extend(chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(ErrorCode::InternalError(Some(error.to_debug_string())));
            }
        }
    }
    let told = format!("{} {}", response.status(), String::from_utf8_lossy(&body));
    Ok(if setting("backwards").is_empty() { told } else { told.chars().rev().collect() })
}

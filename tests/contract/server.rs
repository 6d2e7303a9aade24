//! An HTTP server on loopback that keeps what it is asked. Main type: [`Server`].

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub struct Server {
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request with what `answer` makes of it: `200 OK\r\nheaders\r\n\r\nbody`, without
    /// the protocol's name.
    pub fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read(&stream) else { continue };
                let told = answer(&request);
                heard.lock().unwrap().push(request);
                let _ = write!(stream, "HTTP/1.1 {told}");
            }
        });
        Self { port, asked }
    }

    /// One that answers everything with `body`.
    pub fn saying(body: &str) -> Self {
        let told = format!("200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        Self::start(move |_| told.clone())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// The requests since the last time, head and body.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// A whole request; nothing if the connection brought none.
fn read(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let (mut length, mut chunked) = (0, false);
    loop {
        let from = request.len();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let line = request[from..].trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        chunked |= line == "transfer-encoding: chunked";
    }
    if chunked {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut piece = vec![0; size + 2];
            reader.read_exact(&mut piece).ok()?;
            if size == 0 {
                break;
            }
            request.push_str(&String::from_utf8_lossy(&piece[..size]));
        }
    } else {
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        request.push_str(&String::from_utf8_lossy(&body));
    }
    Some(request)
}

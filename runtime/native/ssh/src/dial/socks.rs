//! SOCKS5 (RFC 1928) with user name and password (RFC 1929), client side, CONNECT only.
//!
//! Names are sent as names: the proxy resolves them. Every answer has a fixed or a bounded length.

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::BoxedStream;
use crate::options::Proxy;

/// Asks the proxy at the other end of `stream` to connect to `host:port`; after `Ok` the stream is that connection.
pub(crate) async fn connect(
    stream: &mut BoxedStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> io::Result<()> {
    greet(stream, proxy).await?;
    let mut request = vec![5, 1, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            request.push(3);
            push_string(&mut request, host)?;
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    let mut head = [0u8; 4];
    stream.read_exact(&mut head).await?;
    let [version, reply, _, kind] = head;
    if version != 5 {
        return Err(io::Error::other("the proxy does not speak SOCKS5"));
    }
    if reply != 0 {
        return Err(io::Error::new(io::ErrorKind::ConnectionRefused, reason(reply)));
    }
    let rest = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return Err(io::Error::other("the SOCKS5 proxy answered with an unknown address type")),
    };
    let mut bound = vec![0u8; rest + 2];
    stream.read_exact(&mut bound).await?;
    Ok(())
}

async fn greet(stream: &mut BoxedStream, proxy: &Proxy) -> io::Result<()> {
    let hello: &[u8] = if proxy.login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(hello).await?;
    let mut answer = [0u8; 2];
    stream.read_exact(&mut answer).await?;
    match (answer, &proxy.login) {
        ([5, 0], _) => Ok(()),
        ([5, 2], Some((user, password))) => {
            let mut request = vec![1];
            push_string(&mut request, user)?;
            push_string(&mut request, password)?;
            stream.write_all(&request).await?;
            stream.read_exact(&mut answer).await?;
            match answer {
                [_, 0] => Ok(()),
                _ => Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "the SOCKS5 proxy refused the user name and password",
                )),
            }
        }
        ([5, _], _) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the SOCKS5 proxy wants another way of authentication",
        )),
        _ => Err(io::Error::other("the proxy does not speak SOCKS5")),
    }
}

fn push_string(to: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = u8::try_from(text.len())
        .ok()
        .filter(|length| *length > 0)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "SOCKS5 strings have 1 to 255 bytes"))?;
    to.push(length);
    to.extend(text.as_bytes());
    Ok(())
}

fn reason(reply: u8) -> &'static str {
    match reply {
        2 => "the SOCKS5 proxy's rules forbid the connection",
        3 => "the SOCKS5 proxy found the network unreachable",
        4 => "the SOCKS5 proxy found the host unreachable",
        5 => "the SOCKS5 proxy's connection was refused",
        6 => "the SOCKS5 proxy's connection timed out",
        _ => "the SOCKS5 proxy failed to connect",
    }
}

//! A client just big enough to see what the registry sends.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A response, as far as it came.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of a header, by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends one request on its own connection and reads until the body is complete or the registry
/// closes.
pub(crate) fn get(base: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Response> {
    let address = base.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(response) = parse(&received)
            && response
                .header("content-length")
                .is_none_or(|length| length == response.body.len().to_string())
        {
            return Ok(response);
        }
        match stream.read(&mut chunk)? {
            0 => break,
            read => received.extend_from_slice(&chunk[..read]),
        }
    }
    parse(&received).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn parse(received: &[u8]) -> Option<Response> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response { status, head, body: received[end + 4..].to_vec() })
}

//! The little of HTTP/1.1 that a test registry speaks: bodies of a known length, keep-alive,
//! `Content-Length`.

use std::io::{self, BufRead, Write};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The method, such as `GET`.
    pub method: String,
    /// The path with its query, as sent: percent-encoding is kept.
    pub path: String,
    /// The headers in the order sent, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl RecordedRequest {
    /// The first header of this name, which is compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns whether it requests a tarball.
    pub fn is_tarball(&self) -> bool {
        self.path.contains("/-/") && self.path.ends_with(".tgz")
    }

    /// Reads one request; `None` when the client has closed the connection.
    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Option<RecordedRequest>> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("request line {line:?}"),
            ));
        };
        let mut request = RecordedRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                request.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        let length =
            request.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        io::Read::read_to_end(&mut io::Read::take(stream, length), &mut request.body)?;
        Ok(Some(request))
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer::new(status, body).header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Writes the head, then the first `body` bytes of the body whose whole length it announces.
    /// With a `transfer-encoding`, they are one chunk.
    pub(crate) fn write(&self, stream: &mut impl Write, body: usize) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let is_chunked = self.headers.iter().any(|(name, _)| name == "transfer-encoding");
        if self.status != 304 && !is_chunked {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if is_chunked {
            bytes.extend_from_slice(format!("{body:x}\r\n").as_bytes());
        }
        bytes.extend_from_slice(&self.body[..body]);
        if is_chunked {
            bytes.extend_from_slice(b"\r\n0\r\n\r\n");
        }
        stream.write_all(&bytes)?;
        stream.flush()
    }
}

/// The reason phrase of a status code.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        304 => "Not Modified",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Other",
    }
}

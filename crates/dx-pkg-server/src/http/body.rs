//! Bodies of requests: within their limits, decoded.

use crate::failure::Failure;
use crate::storage::blocking;
use crate::values::check_values;
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use flate2::write::{GzDecoder, ZlibDecoder};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use std::io::Write;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The time between two parts of a body.
const IDLE: Duration = Duration::from_secs(30);

/// The length from which a text is parsed on a thread of its own, in bytes.
const LONG: usize = 64 << 10;

/// The long texts that are parsed at a time.
static PARSING: Semaphore = Semaphore::const_new(2);

/// Does work with a body, on a thread of its own where that is long: few at a time, so that
/// requests which cost little are not kept waiting.
pub(crate) async fn work<T: Send + 'static>(
    bytes: Bytes,
    work: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, Failure> {
    if bytes.len() < LONG {
        return Ok(work(&bytes));
    }
    let _permit = PARSING.acquire().await.map_err(Failure::internal)?;
    blocking(move || work(&bytes)).await
}

/// Parses JSON, nested at most 128 deep.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    check_values(bytes).map_err(Failure::bad_request)?;
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::bad_request(format!("the body is not what is expected: {error}")))
}

/// Checks that a body is sent as JSON, if it is sent as anything: a page of another site can send
/// only other types without being asked first.
///
/// # Errors
/// 415.
pub(crate) fn check_type(headers: &HeaderMap) -> Result<(), Failure> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sent = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if sent.is_empty() || sent.ends_with("json") {
        return Ok(());
    }
    let message = format!("the body has to be application/json, not {sent}");
    Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// Reads a whole body, decoded, of at most `limit` bytes either way.
pub(crate) async fn read(
    body: Body,
    headers: &HeaderMap,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Failure> {
    let mut sink = Sink::new(headers, limit, Vec::new())?;
    receive(body, &mut sink, time).await?;
    Ok(sink.finish()?.into())
}

/// Hands a body to `sink` as it arrives.
pub(crate) async fn receive<W: Write>(
    mut body: Body,
    sink: &mut Sink<W>,
    time: Duration,
) -> Result<(), Failure> {
    let late = || Failure::new(StatusCode::REQUEST_TIMEOUT, "the body takes too long to arrive");
    let arriving = async {
        loop {
            let frame = tokio::time::timeout(IDLE, body.frame()).await.map_err(|_| late())?;
            let Some(frame) = frame else {
                return Ok(());
            };
            let broken = |error| Failure::bad_request("the body broke off").detail(error);
            if let Ok(data) = frame.map_err(broken)?.into_data() {
                sink.push(&data)?;
            }
        }
    };
    tokio::time::timeout(time, arriving).await.map_err(|_| late())?
}

/// Takes a body in, decodes it, and counts its bytes.
pub(crate) struct Sink<W: Write> {
    decoder: Decoder<W>,
    limit: usize,
    arrived: usize,
}

enum Decoder<W: Write> {
    Plain(Counted<W>),
    Gzip(Box<GzDecoder<Counted<W>>>),
    Deflate(Box<ZlibDecoder<Counted<W>>>),
}

/// A writer that refuses more than a number of bytes.
struct Counted<W> {
    inner: W,
    left: usize,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() > self.left {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let written = self.inner.write(bytes)?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Sink<W> {
    /// Creates a sink into `inner` for a body with these headers.
    pub(crate) fn new(headers: &HeaderMap, limit: usize, inner: W) -> Result<Self, Failure> {
        let announced = headers.get(axum::http::header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(too_large(limit));
        }
        let inner = Counted { inner, left: limit };
        let encoding = headers.get(CONTENT_ENCODING).map_or(Ok("identity"), |value| value.to_str());
        let decoder = match encoding.unwrap_or("?").to_ascii_lowercase().as_str() {
            "identity" | "" => Decoder::Plain(inner),
            "gzip" | "x-gzip" => Decoder::Gzip(Box::new(GzDecoder::new(inner))),
            "deflate" => Decoder::Deflate(Box::new(ZlibDecoder::new(inner))),
            _ => {
                let message = "the body has an encoding other than gzip and deflate";
                return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
            }
        };
        Ok(Self { decoder, limit, arrived: 0 })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.arrived += bytes.len();
        if self.arrived > self.limit {
            return Err(too_large(self.limit));
        }
        let written = match &mut self.decoder {
            Decoder::Plain(inner) => inner.write_all(bytes),
            Decoder::Gzip(decoder) => decoder.write_all(bytes),
            Decoder::Deflate(decoder) => decoder.write_all(bytes),
        };
        written.map_err(|error| fault(&error, self.limit))
    }

    /// Ends the body.
    pub(crate) fn finish(self) -> Result<W, Failure> {
        let limit = self.limit;
        let counted = match self.decoder {
            Decoder::Plain(inner) => Ok(inner),
            Decoder::Gzip(decoder) => decoder.finish(),
            Decoder::Deflate(decoder) => decoder.finish(),
        };
        Ok(counted.map_err(|error| fault(&error, limit))?.inner)
    }
}

fn too_large(limit: usize) -> Failure {
    let message = format!("the body is larger than {limit} bytes");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}

fn fault(error: &std::io::Error, limit: usize) -> Failure {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::FileTooLarge => too_large(limit),
        Kind::InvalidData | Kind::InvalidInput | Kind::UnexpectedEof | Kind::WriteZero => {
            Failure::bad_request("the body is not what its Content-Encoding says")
        }
        _ => Failure::of_io("write", "a request's body", error),
    }
}

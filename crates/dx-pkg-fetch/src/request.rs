//! Requests and responses.

use crate::priority::Priority;
use crate::queue::Slot;
use crate::stream::OpenStream;
use bytes::Bytes;
use dx_pkg_core::{Integrity, IntegrityMismatch};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// The two kinds of transfer; each has its own queue, so that metadata never waits behind tarballs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Documents that resolution waits for.
    Metadata,
    /// Package contents.
    Tarball,
}

/// Called once per hop for the `Authorization` that the URL may receive.
pub type Credentials = Arc<dyn Fn(&Url) -> Option<HeaderValue> + Send + Sync>;

/// A request: GET, or one that changes something; see [`Request::sending`].
#[derive(Clone)]
pub struct Request {
    pub(crate) url: Url,
    pub(crate) method: Method,
    /// The body that is sent; none with GET.
    pub(crate) sent: Option<Bytes>,
    pub(crate) class: Class,
    pub(crate) priority: Priority,
    pub(crate) estimate: u64,
    pub(crate) label: Box<str>,
    pub(crate) headers: HeaderMap,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) integrity: Option<Integrity>,
    pub(crate) stream: Option<OpenStream>,
    /// The number of bytes that the caller has, and the tag of the body that they begin.
    pub(crate) beginning: Option<(u64, HeaderValue)>,
    /// Whether the answer may take any time as long as it goes on, and is streamed from its first
    /// byte.
    pub(crate) is_conversation: bool,
}

impl Request {
    /// Creates a request for a metadata document; a gzip encoding is left for the caller to decode.
    pub fn metadata(url: Url) -> Self {
        Self::new(url, Class::Metadata, HeaderValue::from_static("gzip"))
    }

    /// Creates a request for a tarball, without any encoding.
    pub fn tarball(url: Url) -> Self {
        Self::new(url, Class::Tarball, HeaderValue::from_static("identity"))
    }

    /// Creates a request with another method than GET, or with a body. It is sent once, as a server
    /// may have carried it out although its answer was lost, and no redirect is followed.
    pub fn sending(method: Method, url: Url, body: Option<Bytes>) -> Self {
        let mut request = Self::metadata(url);
        request.method = method;
        request.sent = body;
        request
    }

    /// Creates a request that sends `body` and whose answer is a stream of any duration; see
    /// [`Self::stream`]. It is sent once.
    pub fn conversation(url: Url, body: Bytes) -> Self {
        let mut request = Self::tarball(url);
        request.method = Method::POST;
        request.sent = Some(body);
        request.is_conversation = true;
        request
    }

    /// Returns whether it may be sent again, and to another address.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.method == Method::GET
    }

    fn new(url: Url, class: Class, encoding: HeaderValue) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::ACCEPT_ENCODING, encoding);
        Self {
            url,
            method: Method::GET,
            sent: None,
            class,
            priority: Priority::default(),
            estimate: 0,
            label: Box::default(),
            headers,
            credentials: None,
            integrity: None,
            stream: None,
            beginning: None,
            is_conversation: false,
        }
    }

    /// Sets the priority.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Sets the estimated length in bytes; of equal priority, the largest goes first.
    pub fn estimated_bytes(mut self, bytes: u64) -> Self {
        self.estimate = bytes;
        self
    }

    /// Sets the name in a trace; only needed where there is one, see [`crate::Fetcher::trace`].
    pub fn label(mut self, label: impl Into<Box<str>>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets a header. `Authorization` is ignored, as it would follow a redirect to another host.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if name != reqwest::header::AUTHORIZATION {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets the integrity of the body, for [`Verdict::of`] to check; a large body is hashed while
    /// it arrives.
    pub fn integrity(mut self, integrity: Integrity) -> Self {
        self.integrity = Some(integrity);
        self
    }

    /// Sets the callback that may stream the body. A streamed body is not hashed: its receiver sees
    /// every byte.
    pub fn stream(mut self, open: OpenStream) -> Self {
        self.stream = Some(open);
        self
    }

    /// Requests what follows the first `bytes` of a body that has this strong `ETag`. The answer
    /// has the rest, or all: [`Response::length`] counts those bytes, and its body does not.
    pub fn after(mut self, bytes: u64, tag: HeaderValue) -> Self {
        self.beginning = (bytes > 0).then_some((bytes, tag));
        self
    }

    /// Sets the callback for credentials.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("url", &crate::redact_url(&self.url))
            .field("class", &self.class)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

/// A complete answer: 2xx, or 304 to a conditional request.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers of the last hop.
    pub headers: HeaderMap,
    /// The final address, after redirects.
    pub url: Url,
    /// The body as sent, with any `Content-Encoding`. Empty if it was streamed.
    pub body: Bytes,
    /// The length of the body in bytes.
    pub length: u64,
    /// Whether it was streamed.
    pub is_streamed: bool,
    /// The result of the integrity check, if it has been made.
    pub verdict: Verdict,
    /// The slot in the queue; the next transfer starts when it is dropped.
    pub slot: Slot,
}

/// The state of the check against [`Request::integrity`].
#[derive(Debug)]
pub enum Verdict {
    /// The result; `Ok` if no integrity was given.
    Known(Result<(), IntegrityMismatch>),
    /// The integrity, not yet checked.
    Open(Integrity),
}

impl Verdict {
    /// Checks `body`, which this verdict came with. May take a millisecond or two: a small body is
    /// not hashed while it arrives, as one thread receives for all transfers and other threads may
    /// be idle.
    ///
    /// # Errors
    /// The mismatch.
    pub fn of(self, body: &[u8]) -> Result<(), IntegrityMismatch> {
        match self {
            Self::Known(verdict) => verdict,
            Self::Open(integrity) => integrity.verify(body),
        }
    }
}

impl Response {
    /// Returns a header, if it is present and is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

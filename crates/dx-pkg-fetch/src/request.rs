//! What is asked for and what comes back.

use crate::queue::Slot;
use crate::stream::OpenStream;
use bytes::Bytes;
use dx_pkg_core::{Integrity, IntegrityMismatch};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
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

/// Which waiting request goes first within its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Development dependencies and type packages.
    Low,
    /// Transitive dependencies.
    #[default]
    Normal,
    /// Peer dependencies.
    High,
    /// Direct dependencies.
    Critical,
}

impl Priority {
    /// Every priority, the least urgent first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Critical];
}

/// Asked once per hop for the `Authorization` that this very URL may receive.
pub type Credentials = Arc<dyn Fn(&Url) -> Option<HeaderValue> + Send + Sync>;

/// One GET.
#[derive(Clone)]
pub struct Request {
    pub(crate) url: Url,
    pub(crate) class: Class,
    pub(crate) priority: Priority,
    pub(crate) estimate: u64,
    pub(crate) label: Box<str>,
    pub(crate) headers: HeaderMap,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) integrity: Option<Integrity>,
    pub(crate) stream: Option<OpenStream>,
}

impl Request {
    /// A metadata document; gzip is accepted and left for the caller to undo.
    pub fn metadata(url: Url) -> Self {
        Self::new(url, Class::Metadata, HeaderValue::from_static("gzip"))
    }

    /// A tarball, byte for byte.
    pub fn tarball(url: Url) -> Self {
        Self::new(url, Class::Tarball, HeaderValue::from_static("identity"))
    }

    fn new(url: Url, class: Class, encoding: HeaderValue) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::ACCEPT_ENCODING, encoding);
        Self {
            url,
            class,
            priority: Priority::default(),
            estimate: 0,
            label: Box::default(),
            headers,
            credentials: None,
            integrity: None,
            stream: None,
        }
    }

    /// Sets the priority.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how long the job is guessed to be, in bytes; of equal priority, the longest goes first.
    pub fn estimated_bytes(mut self, bytes: u64) -> Self {
        self.estimate = bytes;
        self
    }

    /// Sets what a trace calls it; best only where there is one, see [`crate::Fetcher::trace`].
    pub fn label(mut self, label: impl Into<Box<str>>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets a header. `Authorization` is ignored here, for it would follow a redirect to another host.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if name != reqwest::header::AUTHORIZATION {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets what the body must be, which [`Response::verify`] tells; a large one is hashed while it arrives.
    pub fn integrity(mut self, integrity: Integrity) -> Self {
        self.integrity = Some(integrity);
        self
    }

    /// Sets who is asked whether a body is passed on as it arrives. It is not hashed then: whoever takes it sees every byte.
    pub fn stream(mut self, open: OpenStream) -> Self {
        self.stream = Some(open);
        self
    }

    /// Sets who is asked for credentials.
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
    /// Where the answer came from, after redirects.
    pub url: Url,
    /// The body as sent: any `Content-Encoding` is still on it. Empty where it was passed on.
    pub body: Bytes,
    /// How long the body was, in bytes.
    pub length: u64,
    /// Whether it was passed on as it arrived.
    pub is_streamed: bool,
    /// What is known of its digest.
    pub verdict: Verdict,
    /// The place in the queue; the next transfer starts when it is dropped.
    pub slot: Slot,
}

/// Whether a body is what [`Request::integrity`] asks for.
#[derive(Debug)]
pub enum Verdict {
    /// It is, or nothing is asked for, or it is not.
    Known(Result<(), IntegrityMismatch>),
    /// This is asked for, and nobody has looked.
    Open(Integrity),
}

impl Verdict {
    /// Whether `body`, which came with this verdict, is right. May take a millisecond or two, as what is small is not
    /// hashed while it arrives: one thread receives for all transfers, and others may have nothing to do.
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
    /// A header as text, where it is there and is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

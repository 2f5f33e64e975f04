//! Parallel downloads: priorities, retries, limits, statistics; and a guess at what will be downloaded next.
//!
//! [`Fetcher::get`] waits for its turn in the queue of its [`Class`], sends the request, follows redirects, retries
//! what is worth retrying and delivers the whole body, or passes a large one on as it arrives. It knows nothing of npm:
//! what the bytes mean, whether they may be cached and whether their digest is right is the caller's business.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod buffer;
mod clients;
mod config;
mod cooldown;
mod dns;
mod error;
mod fetcher;
mod queue;
mod request;
mod resume;
mod retry;
pub mod speculation;
mod statistics;
mod stream;
mod text;
mod tls;
mod trace;
mod transfer;

pub use buffer::Buffer;
pub use bytes::Bytes;
pub use config::{
    BodyLimits, CertificateChoice, ClientCertificate, Concurrency, FetchConfig, Pem, PemSource,
    ProxyChoice, Timeouts, TlsSettings,
};
pub use error::{FetchCause, FetchError, Phase};
pub use fetcher::Fetcher;
pub use queue::Slot;
pub use request::{Class, Credentials, Priority, Request, Response, Verdict};
pub use reqwest::header;
pub use reqwest::{StatusCode, Version};
pub use retry::RetryPolicy;
pub use statistics::Statistics;
pub use stream::{OpenStream, Piece};
pub use text::{plain_text, redact_url};
pub use trace::{Trace, Transfer};
pub use url::Url;

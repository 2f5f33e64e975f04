//! Parallel downloads over HTTP: priorities, limits, retries, resumption, statistics.
//!
//! [`Fetcher::get`] waits for its turn in the queue of its [`Class`], sends the request, follows
//! redirects, retries transient failures and returns the whole body, or streams a large one. A
//! request that changes something ([`Request::sending`]) is sent once. The fetcher knows nothing of
//! npm: the meaning of the bytes, their caching and their digest are the caller's business.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod body;
mod budget;
mod clients;
pub mod config;
mod cooldown;
mod dns;
pub mod error;
mod failure;
mod fetcher;
mod opening;
mod priority;
mod queue;
mod request;
mod resume;
mod retry;
mod statistics;
pub mod stream;
mod text;
pub mod tls;
pub mod trace;
mod transfer;

pub use bytes::Bytes;
pub use error::FetchError;
pub use fetcher::Fetcher;
pub use priority::Priority;
pub use queue::Slot;
pub use request::{Class, Credentials, Request, Response, Verdict};
pub use reqwest::header;
pub use reqwest::{Method, StatusCode};
pub use statistics::Statistics;
pub use text::redact_url;

//! The fetcher against a server that answers exactly what each test scripts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod queueing;
mod redirects;
mod retries;
mod server;
mod tls;

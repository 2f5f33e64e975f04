//! The fetcher against a server that answers exactly what each test scripts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod certificates;
mod checking;
mod client_certificates;
mod forged;
mod limits;
mod openssl;
mod queueing;
mod redirects;
mod resuming;
mod retries;
mod secure;
mod sending;
mod server;
mod tls;
mod tracing;
mod upgrading;
mod warming;

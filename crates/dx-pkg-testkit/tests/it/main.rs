//! The test registry and project, used over real sockets and by real programs.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod client;
mod project;
mod registry;
#[cfg(feature = "replay")]
mod replay;

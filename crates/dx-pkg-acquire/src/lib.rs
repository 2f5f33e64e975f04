//! Resolves projects and brings packages into the store: everything that a client and a registry
//! server share.
//!
//! A [`Context`] holds settings, store and network. [`ResolverInput`] gathers what a resolution
//! works from, [`resolve`] runs it against the packument cache and the registries, and
//! [`Downloads`] brings tarballs into the store. Nothing here knows a terminal, `node_modules`, the
//! project's lock or the process's environment.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cancel;
pub mod clock;
mod context;
mod counters;
mod downloads;
mod dxrp;
mod error;
pub mod exact;
pub mod external;
pub mod files;
pub mod following;
pub mod input;
pub mod local;
pub mod metadata;
mod network;
pub mod notes;
pub mod package;
mod planning;
pub mod prediction;
mod resolution;
pub mod sources;
mod upgrade;

pub use cancel::Cancel;
pub(crate) use cancel::POLL_INTERVAL;
pub use context::{Context, ContextOptions};
pub use counters::Counters;
pub use downloads::Downloads;
pub use error::AcquireError;
pub use input::ResolverInput;
pub use network::Network;
pub use resolution::resolve;

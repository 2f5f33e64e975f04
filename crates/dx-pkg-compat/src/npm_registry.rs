//! npm's HTTP registry: packuments and tarballs.
//!
//! Owns the URLs, the headers, what the answers mean and the check of a tarball's integrity. Which
//! request runs when, and what is tried again, is the fetcher's; what is kept, and for how long, is
//! the caller's.

mod address;
mod document;
mod dxrp;
mod encoding;
mod error;
mod freshness;
mod license;
mod own_addresses;
mod packument;
mod reason;
mod settings;
mod signed;
mod source;
mod tarball;
mod told;

#[cfg(test)]
mod tests;

pub use document::Document;
pub use dxrp::{announces_dxrp, credentials_of, dxrp_address};
pub use error::RegistryError;
pub use own_addresses::OwnAddresses;
pub use settings::{fetch_config, retry_policy};

use crate::npmrc::{Authorization, Config, ConfigError};
use address::ReplaceHost;
use dx_pkg_fetch::header::HeaderValue;
use dx_pkg_fetch::{Credentials, Fetcher, Request};
use signed::Addresses;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use url::Url;

/// The registries of one configuration. Clones share everything.
#[derive(Clone)]
pub struct NpmRegistry {
    fetcher: Fetcher,
    config: Config,
    replace_host: Arc<ReplaceHost>,
    /// The addresses of tarballs that have secrets.
    addresses: Arc<Addresses>,
    /// Decoding at once, so that a burst of answers does not start a thread for each.
    processors: Arc<Semaphore>,
    /// The turn to decode a large packument.
    large: Arc<Semaphore>,
    /// The registries that have answered with an abbreviated packument.
    abbreviating: Arc<Mutex<Vec<Url>>>,
}

impl NpmRegistry {
    /// The registries of `config`. `default_registry` is the one that lockfiles name in place of
    /// whichever is configured.
    ///
    /// # Errors
    /// A `replace-registry-host` that is not text.
    pub fn new(
        fetcher: Fetcher,
        config: Config,
        default_registry: &Url,
    ) -> Result<Self, ConfigError> {
        let replace_host =
            Arc::new(ReplaceHost::read(&config.replace_registry_host()?, default_registry));
        let processors = Arc::new(Semaphore::new(dx_pkg_os::process::processors()));
        let large = Arc::new(Semaphore::new(1));
        Ok(Self {
            fetcher,
            config,
            replace_host,
            addresses: Arc::default(),
            processors,
            large,
            abbreviating: Arc::default(),
        })
    }

    /// The fetcher all requests go through.
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Credentials for a package of `registry`: those of the very URL, or the registry's where both
    /// have one origin.
    fn credentials(&self, registry: &Url) -> Credentials {
        credentials_of(&self.config, registry)
    }

    /// The request with what a trace calls it, where there is a trace.
    fn labelled(&self, request: Request, label: impl FnOnce() -> String) -> Request {
        if self.fetcher.trace().is_some() { request.label(label()) } else { request }
    }

    /// Runs work that takes the processor, away from the threads that serve the network.
    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        // The semaphore is never closed.
        let _permit = self.processors.acquire().await;
        match tokio::task::spawn_blocking(work).await.map_err(JoinError::try_into_panic) {
            Ok(result) => result,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // Cancelled, which only the end of the runtime does: nobody is left to answer.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}

fn header(authorization: &Authorization) -> Option<HeaderValue> {
    HeaderValue::from_str(&authorization.header_value()).ok()
}

//! DNS: one look-up per host, however many connections are opened to it at once.

use crate::config::AddressRule;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// The time for which an answer is used; the system's resolver does not report the record's own
/// TTL.
const LIFETIME: Duration = Duration::from_secs(60);

/// A look-up that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct DnsError {
    pub(crate) host: String,
    reason: String,
    /// Whether the host has addresses, of which none is admitted.
    pub(crate) is_forbidden: bool,
}

/// The system's resolver with a cache, and the rule that its answers have to pass.
#[derive(Clone, Default)]
pub(crate) struct Resolver {
    entries: Arc<Mutex<HashMap<String, Entry>>>,
    rule: Option<Arc<dyn AddressRule>>,
}

#[derive(Debug, Clone)]
struct Entry {
    since: Instant,
    addresses: Arc<OnceCell<Vec<SocketAddr>>>,
}

impl Resolver {
    /// Creates a resolver whose answers pass `rule`.
    pub(crate) fn new(rule: Option<Arc<dyn AddressRule>>) -> Self {
        Self { entries: Arc::default(), rule }
    }

    fn entry(&self, host: &str) -> Arc<OnceCell<Vec<SocketAddr>>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Entry { since: Instant::now(), addresses: Arc::default() };
        let entry = entries.entry(host.to_owned()).or_insert_with(fresh);
        if entry.since.elapsed() > LIFETIME {
            *entry = fresh();
        }
        Arc::clone(&entry.addresses)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let cell = self.entry(name.as_str());
        let rule = self.rule.clone();
        Box::pin(async move {
            let host = name.as_str();
            let mut addresses = cell.get_or_try_init(|| look_up(host)).await?.clone();
            if let Some(rule) = rule {
                addresses.retain(|address| rule.admits_address(host, address.ip()));
            }
            if addresses.is_empty() {
                let reason = "none of its addresses may be used".to_owned();
                return Err(DnsError { host: host.to_owned(), reason, is_forbidden: true }.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

async fn look_up(host: &str) -> Result<Vec<SocketAddr>, DnsError> {
    let failed = |reason: String| DnsError { host: host.to_owned(), reason, is_forbidden: false };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0))
        .await
        .map_err(|error| failed(error.to_string()))?
        .collect();
    if found.is_empty() { Err(failed("the name has no address".to_owned())) } else { Ok(found) }
}

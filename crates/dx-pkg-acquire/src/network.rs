//! The network of one command.

use std::sync::Arc;
use std::time::Duration;

use dx_pkg_fetch::{Class, Fetcher, Priority};
use dx_pkg_registry::Source;
use tokio::runtime::Handle;

/// The registries and the thread that drives their requests. Clones share everything.
#[derive(Clone)]
pub struct Network {
    /// The registries.
    pub source: Arc<dyn Source>,
    /// The fetcher that all requests go through.
    pub fetcher: Fetcher,
    /// The runtime that requests run on, driven by a thread of its own.
    pub runtime: Handle,
}

impl Network {
    /// Returns the fetcher's counters by name. Waiting times are sums over requests, in
    /// milliseconds.
    pub fn statistics(&self) -> Vec<(&'static str, u64)> {
        let counted = self.fetcher.statistics();
        let waited = |class: Class, priorities: &[Priority]| {
            let all: Duration =
                priorities.iter().map(|priority| self.fetcher.waited(class, *priority)).sum();
            u64::try_from(all.as_millis()).unwrap_or(u64::MAX)
        };
        vec![
            ("requests", counted.total),
            ("completed requests", counted.completed),
            ("failed requests", counted.failed),
            ("not modified", counted.not_modified),
            ("bytes received", counted.bytes),
            ("retries", counted.retried),
            ("resumed", counted.resumed),
            ("metadata waiting", waited(Class::Metadata, &Priority::ALL)),
            ("critical tarballs waiting", waited(Class::Tarball, &[Priority::Critical])),
            ("high tarballs waiting", waited(Class::Tarball, &[Priority::High])),
            ("normal tarballs waiting", waited(Class::Tarball, &[Priority::Normal])),
            ("low tarballs waiting", waited(Class::Tarball, &[Priority::Low])),
        ]
    }
}

//! Counts of the traffic.

use std::sync::atomic::{AtomicU64, Ordering};

/// The requests of clients and their cost, since the server was started or between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were accepted.
    pub connections: u64,
    /// Requests for packuments and version manifests.
    pub metadata_requests: u64,
    /// Requests for tarballs.
    pub tarball_requests: u64,
    /// Requests for anything else, such as an audit.
    pub other_requests: u64,
    /// Bytes that clients sent, heads and TLS records included.
    pub bytes_received: u64,
    /// Bytes that were sent to clients, heads and TLS records included.
    pub bytes_sent: u64,
}

impl Counts {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.metadata_requests + self.tarball_requests + self.other_requests
    }

    /// Returns the difference to `earlier`.
    pub fn since(&self, earlier: &Counts) -> Counts {
        Counts {
            connections: self.connections - earlier.connections,
            metadata_requests: self.metadata_requests - earlier.metadata_requests,
            tarball_requests: self.tarball_requests - earlier.tarball_requests,
            other_requests: self.other_requests - earlier.other_requests,
            bytes_received: self.bytes_received - earlier.bytes_received,
            bytes_sent: self.bytes_sent - earlier.bytes_sent,
        }
    }
}

/// The counts while the server runs.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) metadata_requests: AtomicU64,
    pub(super) tarball_requests: AtomicU64,
    pub(super) other_requests: AtomicU64,
    pub(super) bytes_received: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
}

impl Counters {
    pub(super) fn now(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            connections: read(&self.connections),
            metadata_requests: read(&self.metadata_requests),
            tarball_requests: read(&self.tarball_requests),
            other_requests: read(&self.other_requests),
            bytes_received: read(&self.bytes_received),
            bytes_sent: read(&self.bytes_sent),
        }
    }
}

/// Adds to a counter; nothing is ordered by it.
pub(super) fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(amount as u64, Ordering::Relaxed);
}

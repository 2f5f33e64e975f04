//! Counters of what was sent.

use crate::metrics::Figure;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counters.
#[derive(Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    refused: AtomicU64,
    packages: AtomicU64,
    bytes: AtomicU64,
    deltas: AtomicU64,
    missing: AtomicU64,
}

impl Counters {
    /// Counts a request.
    pub(super) fn requested(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    /// Counts a request that failed.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Counts a package of so many bytes, whole or as a difference.
    pub(super) fn packed(&self, bytes: usize, is_delta: bool) {
        self.deltas.fetch_add(u64::from(is_delta), Relaxed);
        self.packages.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Counts a package that was not sent.
    pub(super) fn missing(&self) {
        self.missing.fetch_add(1, Relaxed);
    }

    /// Returns the counters with their names and meanings.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        vec![
            ("dxrp_requests_total", "Requests of DXRP.", of(&self.requests)),
            ("dxrp_refused_total", "Requests of DXRP that failed.", of(&self.refused)),
            ("dxrp_packages_total", "Packages sent by DXRP.", of(&self.packages)),
            ("dxrp_bytes_total", "Bytes of packages sent by DXRP.", of(&self.bytes)),
            ("dxrp_deltas_total", "Those sent as differences.", of(&self.deltas)),
            ("dxrp_missing_total", "Packages that DXRP did not send.", of(&self.missing)),
        ]
    }
}

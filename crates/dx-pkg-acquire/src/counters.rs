//! Counters of a running command, for progress and statistics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counts what a command has requested, downloaded and linked. Any thread may add and read.
#[derive(Debug, Default)]
pub struct Counters {
    /// Packuments that were requested.
    pub packuments_requested: Counter,
    /// Packuments that have arrived or failed.
    pub packuments_answered: Counter,
    /// Tarballs that were requested.
    pub tarballs_requested: Counter,
    /// Tarballs that are unpacked or have failed.
    pub tarballs_unpacked: Counter,
    /// Bytes of tarballs received.
    pub tarball_bytes: Counter,
    /// Packages to be linked.
    pub to_link: Counter,
    /// Packages linked.
    pub linked: Counter,
    prefetched: Mutex<Prefetched>,
}

/// A number that any thread may change.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the number.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// Sets the number: a total that a later stage knows better.
    pub fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }

    /// Returns the number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Records the outcome of prefetching packuments.
    pub fn record_prefetched(&self, outcome: Prefetched) {
        *self.prefetched.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
    }

    /// Returns the outcome of prefetching packuments, as it was recorded last.
    pub fn prefetched(&self) -> Prefetched {
        *self.prefetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of prefetching packuments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefetched {
    /// Packuments requested before they were known to be needed.
    pub requested: u64,
    /// Those of them that were needed.
    pub used: u64,
    /// Bytes received for the others.
    pub wasted_bytes: u64,
}

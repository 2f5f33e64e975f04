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
    /// Returns the phases that are not at their end, each with how far it is; `rate` is the number
    /// of bytes of a second.
    #[must_use]
    pub fn phases(&self, rate: Option<u64>) -> String {
        let mut parts = Vec::new();
        let (done, all) = (self.packuments_answered.get(), self.packuments_requested.get());
        if all > done {
            parts.push(format!("resolving {done}/{all}"));
        }
        let (done, all) = (self.tarballs_unpacked.get(), self.tarballs_requested.get());
        if all > done {
            let bytes = megabytes(self.tarball_bytes.get());
            let rate = rate.filter(|rate| *rate > 0).map(megabytes);
            let rate = rate.map(|rate| format!(", {rate}/s")).unwrap_or_default();
            parts.push(format!("downloading {done}/{all} ({bytes}{rate})"));
        }
        let (done, all) = (self.linked.get(), self.to_link.get());
        if all > done {
            parts.push(format!("linking {done}/{all}"));
        }
        match parts.is_empty() {
            true if all > 0 => "finishing".to_owned(),
            true => "preparing".to_owned(),
            false => parts.join(", "),
        }
    }

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

fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let megabytes = bytes as f64 / 1e6;
    format!("{megabytes:.1} MB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_have_numbers_bytes_and_a_rate() {
        let counters = Counters::default();
        assert_eq!(counters.phases(None), "preparing");
        counters.packuments_requested.add(12);
        counters.packuments_answered.add(5);
        counters.tarballs_requested.add(7);
        counters.tarballs_unpacked.add(2);
        counters.tarball_bytes.add(3_140_000);
        assert_eq!(
            counters.phases(Some(1_500_000)),
            "resolving 5/12, downloading 2/7 (3.1 MB, 1.5 MB/s)"
        );
        counters.packuments_answered.add(7);
        counters.tarballs_unpacked.add(5);
        counters.to_link.set(9);
        counters.linked.add(3);
        assert_eq!(counters.phases(None), "linking 3/9");
        counters.linked.add(6);
        assert_eq!(counters.phases(None), "finishing");
    }
}

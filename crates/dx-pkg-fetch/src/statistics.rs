//! Counters of requests.

use crate::priority::Priority;
use crate::request::Class;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A snapshot of the counters. Requests that are neither completed, failed nor cancelled are in
/// progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Requests started.
    pub total: u64,
    /// Requests answered, by a body or by "not modified".
    pub completed: u64,
    /// Requests that failed for good.
    pub failed: u64,
    /// Requests dropped by the caller before they ended.
    pub cancelled: u64,
    /// Retries of all requests.
    pub retried: u64,
    /// Retries that continued a body where the previous try broke off.
    pub resumed: u64,
    /// Completed requests that were answered by "not modified".
    pub not_modified: u64,
    /// Bytes of bodies received, as sent, including those of failed tries.
    pub bytes: u64,
    /// Answers without any request, reported through [`crate::Fetcher::count_cached`].
    pub from_cache: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    total: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    retried: AtomicU64,
    resumed: AtomicU64,
    not_modified: AtomicU64,
    bytes: AtomicU64,
    from_cache: AtomicU64,
    /// Microseconds, by class and priority.
    waited: [[AtomicU64; Priority::ALL.len()]; 2],
}

/// The end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    NotModified,
    Failed,
    Cancelled,
}

impl Counters {
    pub(crate) fn count_retry(&self) {
        self.retried.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_resumed(&self) {
        self.resumed.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_wait(&self, class: Class, priority: Priority, wait: Duration) {
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.waited[class as usize][priority as usize].fetch_add(micros, Relaxed);
    }

    pub(crate) fn waited(&self, class: Class, priority: Priority) -> Duration {
        Duration::from_micros(self.waited[class as usize][priority as usize].load(Relaxed))
    }

    pub(crate) fn count_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn count_cached(&self) {
        self.from_cache.fetch_add(1, Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Statistics {
        Statistics {
            total: self.total.load(Relaxed),
            completed: self.completed.load(Relaxed),
            failed: self.failed.load(Relaxed),
            cancelled: self.cancelled.load(Relaxed),
            retried: self.retried.load(Relaxed),
            resumed: self.resumed.load(Relaxed),
            not_modified: self.not_modified.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            from_cache: self.from_cache.load(Relaxed),
        }
    }
}

/// Counts one request when it is dropped, however its future ends.
pub(crate) struct Tally<'a> {
    counters: &'a Counters,
    outcome: Outcome,
}

impl<'a> Tally<'a> {
    pub(crate) fn start(counters: &'a Counters) -> Self {
        counters.total.fetch_add(1, Relaxed);
        Self { counters, outcome: Outcome::Cancelled }
    }

    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        let counters = self.counters;
        let counter = match self.outcome {
            Outcome::Completed => &counters.completed,
            Outcome::NotModified => {
                counters.not_modified.fetch_add(1, Relaxed);
                &counters.completed
            }
            Outcome::Failed => &counters.failed,
            Outcome::Cancelled => &counters.cancelled,
        };
        counter.fetch_add(1, Relaxed);
    }
}

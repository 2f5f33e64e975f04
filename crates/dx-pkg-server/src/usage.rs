//! What the storage is used for, as it was counted last.

use std::time::{Duration, Instant};

/// The time for which a count is good.
const RECENT: Duration = Duration::from_secs(60);

/// The objects of one kind, and their bytes.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) objects: usize,
    pub(crate) bytes: u64,
}

/// What the storage is used for.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Usage {
    /// The tarballs of published versions.
    pub(crate) published: Share,
    /// What is kept of upstreams: packuments and tarballs.
    pub(crate) cached: Share,
}

/// The last count, with its time.
#[derive(Default)]
pub(crate) struct LastUsage(Option<(Instant, Usage)>);

impl LastUsage {
    /// Returns the last count if it is still good.
    pub(crate) fn recent(&self) -> Option<Usage> {
        let (time, usage) = self.0?;
        (time.elapsed() < RECENT).then_some(usage)
    }

    /// Keeps a new count.
    pub(crate) fn keep(&mut self, usage: Usage) {
        self.0 = Some((Instant::now(), usage));
    }
}

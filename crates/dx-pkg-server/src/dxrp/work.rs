//! Room for work that takes memory: conversions, and requests that are long.

use super::convert;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

const MIB: u64 = 1 << 20;
/// The memory for conversions, in MiB: one of the largest packages, or as many as there are
/// processors.
const CONVERSIONS: u32 = 384;
/// The memory for what comes in requests beyond their first [`FREE`] bytes, in MiB.
const REQUESTS: usize = 128;
/// The bytes of a request that nobody counts.
pub(super) const FREE: u64 = 256 << 10;

/// The room.
pub(super) struct Work {
    conversions: Semaphore,
    /// The least that a conversion takes, so that there are not more than processors.
    least: u32,
    requests: Arc<Semaphore>,
}

impl Work {
    pub(super) fn new() -> Self {
        let processors = u32::try_from(dx_pkg_os::process::processors()).unwrap_or(1).max(1);
        Self {
            conversions: Semaphore::new(CONVERSIONS as usize),
            least: (CONVERSIONS / processors).max(1),
            requests: Arc::new(Semaphore::new(REQUESTS)),
        }
    }

    /// Waits for room to convert a tarball.
    pub(super) async fn room_to_convert(&self, tarball: &[u8]) -> Option<SemaphorePermit<'_>> {
        self.room(convert::memory(tarball)).await
    }

    /// Waits for room for `bytes` bytes.
    pub(super) async fn room(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        let wanted = u32::try_from(bytes / MIB).unwrap_or(u32::MAX).clamp(self.least, CONVERSIONS);
        // The semaphore is never closed.
        self.conversions.acquire_many(wanted).await.ok()
    }

    /// Takes room for another MiB of a request; `None` where there is none left.
    pub(super) fn room_for_request(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).try_acquire_owned().ok()
    }
}

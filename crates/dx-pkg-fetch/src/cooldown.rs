//! Pauses that servers ask for: one "too many requests" holds back every request to that host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The end of each host's pause.
#[derive(Debug, Default)]
pub(crate) struct Cooldown(Mutex<HashMap<Arc<str>, Instant>>);

impl Cooldown {
    /// Holds back requests to `host` for `wait`, unless it is held back longer already.
    pub(crate) fn hold(&self, host: &Arc<str>, wait: Duration) {
        let until = Instant::now() + wait;
        let mut holds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = holds.entry(Arc::clone(host)).or_insert(until);
        *entry = (*entry).max(until);
    }

    /// Returns whether `host` is paused.
    pub(crate) fn holds(&self, host: &Arc<str>) -> bool {
        self.until(host).is_some()
    }

    /// Waits until the pause of `host` is over.
    pub(crate) async fn wait(&self, host: &Arc<str>) {
        while let Some(until) = self.until(host) {
            tokio::time::sleep_until(until).await;
        }
    }

    fn until(&self, host: &Arc<str>) -> Option<Instant> {
        let mut holds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = *holds.get(host)?;
        if until > Instant::now() {
            return Some(until);
        }
        holds.remove(host);
        None
    }
}

//! The memory that collected bodies take together.
//!
//! Bodies wait where they would take more. One of them may always go on, up to the limit on its own
//! length, so that bodies that wait for each other come to an end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

#[cfg(test)]
mod tests;

/// The bytes of a body that are not counted: most bodies have no more.
const UNCOUNTED: u64 = 128 << 10;
/// The steps in bytes in which larger ones are counted.
const STEP: u64 = 1 << 20;

/// A number of bytes that may be taken at once.
pub(crate) struct Budget {
    most: u64,
    state: Mutex<State>,
    returned: Notify,
}

#[derive(Default)]
struct State {
    taken: u64,
    /// Whether a body takes what it needs although there is no room.
    is_overdrawn: bool,
}

impl Budget {
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default(), returned: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a budget that one body takes, until it is dropped.
pub(crate) struct Lease {
    budget: Arc<Budget>,
    taken: u64,
    overdraws: bool,
}

impl Lease {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), taken: 0, overdraws: false }
    }

    /// Waits until the body may have `length` bytes.
    pub(crate) async fn grow(&mut self, length: u64) {
        while length > self.taken + UNCOUNTED {
            let budget = Arc::clone(&self.budget);
            let returned = budget.returned.notified();
            if self.try_step() {
                continue;
            }
            returned.await;
        }
    }

    fn try_step(&mut self) -> bool {
        let mut state = self.budget.lock();
        if !self.overdraws && state.taken + STEP > self.budget.most {
            if state.is_overdrawn {
                return false;
            }
            state.is_overdrawn = true;
            self.overdraws = true;
        }
        state.taken += STEP;
        self.taken += STEP;
        true
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.taken > 0 {
            let mut state = self.budget.lock();
            state.taken -= self.taken;
            state.is_overdrawn &= !self.overdraws;
            drop(state);
            self.budget.returned.notify_waiters();
        }
    }
}

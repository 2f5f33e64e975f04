//! A gate that streams wait at until it is known what is wanted of them.

use std::sync::{Condvar, Mutex, PoisonError};

/// A gate that opens, or is locked for good.
#[derive(Default)]
pub(super) struct Gate {
    /// Whether it is open, once that is decided.
    decided: Mutex<Option<bool>>,
    changed: Condvar,
}

impl Gate {
    /// Returns an open gate.
    pub(super) fn open() -> Self {
        Self { decided: Mutex::new(Some(true)), changed: Condvar::new() }
    }

    /// Opens or locks it, unless that is decided.
    pub(super) fn decide(&self, is_open: bool) {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        decided.get_or_insert(is_open);
        self.changed.notify_all();
    }

    /// Returns whether it is open by now.
    pub(super) fn is_open(&self) -> bool {
        *self.decided.lock().unwrap_or_else(PoisonError::into_inner) == Some(true)
    }

    /// Waits until it is decided; returns whether it is open.
    pub(super) fn is_passed(&self) -> bool {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(is_open) = *decided {
                return is_open;
            }
            decided = self.changed.wait(decided).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

//! Cancellation: a handle that a caller sets and long work polls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::AcquireError;

/// The longest time that waiting code sleeps before it polls for cancellation.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A cancellation handle. Clones share one flag.
#[derive(Debug, Clone)]
pub struct Cancel(Flag);

#[derive(Debug, Clone)]
enum Flag {
    Own(Arc<AtomicBool>),
    /// A flag of the process, such as one that a signal handler sets.
    Process(&'static AtomicBool),
}

impl Cancel {
    /// The longest time that waiting code sleeps before it polls for cancellation.
    pub const POLL_INTERVAL: Duration = POLL_INTERVAL;

    /// Returns a handle that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Cancel(Flag::Own(Arc::default()))
    }

    /// Returns a handle over a flag of the process.
    #[must_use]
    pub fn from_flag(flag: &'static AtomicBool) -> Self {
        Cancel(Flag::Process(flag))
    }

    /// Cancels the work that polls this handle.
    pub fn cancel(&self) {
        self.flag().store(true, Ordering::Relaxed);
    }

    /// Returns whether the work is cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.flag().load(Ordering::Relaxed)
    }

    /// Returns an error once the work is cancelled.
    ///
    /// # Errors
    /// [`AcquireError::Cancelled`].
    pub fn check(&self) -> Result<(), AcquireError> {
        if self.is_cancelled() { Err(AcquireError::Cancelled) } else { Ok(()) }
    }

    /// Returns the flag, for code that polls it by itself.
    #[must_use]
    pub fn flag(&self) -> &AtomicBool {
        match &self.0 {
            Flag::Own(flag) => flag,
            Flag::Process(flag) => flag,
        }
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

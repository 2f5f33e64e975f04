//! Work of two threads at once, where there is enough of it.

use std::thread;

/// The length of a lockfile from which on a second thread is worth its start, in bytes: that of
/// some 2,000 packages. To start and end one takes 20 system calls and a tenth of a millisecond.
const WORTH_A_THREAD: usize = 1 << 20;

/// Returns whether the work on a lockfile is worth a second thread.
pub(crate) fn is_worth_it(lockfile: Option<&str>) -> bool {
    lockfile.is_some_and(|text| text.len() >= WORTH_A_THREAD)
}

/// Does both, at once if that `is_worth_it`, else `own` first.
pub(crate) fn both<O: Send, T>(
    is_worth_it: bool,
    own: impl FnOnce() -> T,
    other: impl FnOnce() -> O + Send,
) -> (T, O) {
    if !is_worth_it {
        return (own(), other());
    }
    thread::scope(|scope| {
        let other = scope.spawn(other);
        let own = own();
        (own, other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

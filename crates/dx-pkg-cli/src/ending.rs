//! What becomes of a command that is asked to end, by Ctrl-C or by SIGTERM: it leaves off at the next good moment, keeps what it
//! has, and ends with the code that says so. Asked twice it ends at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::failure::Failure;

/// The code of such an end.
pub const CANCELLED: &str = "DX_CANCELLED";

/// How long a command that waits for something does so before it looks again whether it is to end.
pub const PAUSE: Duration = Duration::from_millis(50);

/// Whether the command was asked to end; from the first call on, nothing but this tells.
pub fn is_asked() -> bool {
    dx_pkg_os::asked_to_end().load(Ordering::Relaxed)
}

/// An error once the command was asked to end.
///
/// # Errors
/// `DX_CANCELLED`.
pub fn check() -> Result<(), Failure> {
    if is_asked() { Err(failure()) } else { Ok(()) }
}

/// What is said then.
pub fn failure() -> Failure {
    Failure::new(CANCELLED, "the command was interrupted")
        .with_hint("run it again; what was fetched is kept")
}

/// The exit code of a failure: as shells give it for a command that a signal ended.
pub fn exit_code() -> u8 {
    let signal = match dx_pkg_os::ended_by() {
        0 => 2,
        signal => signal,
    };
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

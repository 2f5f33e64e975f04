//! The trait that gives every error of dx a stable code and a hint.

/// An error with a stable, documented code.
pub trait Coded {
    /// Returns the code users search for, such as `DX_INTEGRITY_MISMATCH`; never changes once
    /// published.
    fn code(&self) -> &'static str;

    /// Returns what to do next, where the message does not say it.
    fn hint(&self) -> Option<String> {
        None
    }
}

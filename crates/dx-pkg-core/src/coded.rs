//! The trait by which every error of dx carries a stable code and a hint.

/// An error with a stable, documented code.
pub trait Coded {
    /// The code users search for, such as `DX_INTEGRITY_MISMATCH`; never changes once published.
    fn code(&self) -> &'static str;

    /// What to do next, where the message alone does not say it.
    fn hint(&self) -> Option<String> {
        None
    }
}

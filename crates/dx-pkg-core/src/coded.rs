//! The trait by which every error of dx carries a stable code and a hint.

/// An error with a stable, documented code.
pub trait Coded {
    /// Returns the code users search for, such as `DX_INTEGRITY_MISMATCH`; it never changes once
    /// published.
    fn code(&self) -> &'static str;

    /// Returns what to do next, where the message alone does not say it.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// An error with a code that can be passed on and kept without knowing its type.
pub trait CodedError: Coded + std::error::Error + Send + Sync + 'static {}

impl<E: Coded + std::error::Error + Send + Sync + 'static> CodedError for E {}

/// Returns the message of an error with the messages of its causes, as far as they say more.
#[must_use]
pub fn message_with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}

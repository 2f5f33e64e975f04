//! What ends a command: every error, with its code, what to do next, and the exit code it means.

use std::fmt::Display;
use std::process::ExitCode;

use dx_pkg_core::Coded;
use dx_pkg_resolve::ProviderError;

use crate::ending;

/// An error as the user sees it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Stable code, with a page in `docs/errors.md`.
    pub code: &'static str,
    /// What was being done, to what, and why it failed.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of the command itself.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Failure { code, message: message.into(), hint: None }
    }

    /// The same, with what to do next.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An operation on a file that the system refused.
    pub fn io(doing: impl Display, error: &std::io::Error) -> Self {
        let failure = Failure::new("DX_IO", format!("{doing}: {error}"));
        match error.kind() {
            std::io::ErrorKind::StorageFull => {
                failure.with_hint("free some space and run the command again")
            }
            std::io::ErrorKind::PermissionDenied => {
                failure.with_hint("check who owns the file or folder")
            }
            _ => failure,
        }
    }

    /// 1 for whatever went wrong, 128 and the signal's number for a command that was interrupted; 2 is what a wrong command
    /// line gives.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.code == ending::CANCELLED { ending::exit_code() } else { 1 })
    }
}

impl<E: Coded + std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure { code: error.code(), message: with_causes(&error), hint: error.hint() }
    }
}

/// The message with the messages of its causes, as far as they say more.
fn with_causes(error: &dyn std::error::Error) -> String {
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

impl Failure {
    /// The failure as the resolver passes it on.
    pub fn into_provider_error(self) -> ProviderError {
        ProviderError { code: self.code, message: self.message, hint: self.hint }
    }
}

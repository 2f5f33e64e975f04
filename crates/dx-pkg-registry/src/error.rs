//! The error of a [`Source`](crate::Source).

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use dx_pkg_core::{Coded, CodedError};

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The source does not have the package or version.
    NotFound,
    /// The source requires other credentials.
    Refused,
    /// The answer is not what it should be: unreadable, or of another digest.
    Invalid,
    /// There was no answer.
    Unavailable,
}

/// A failed request: its kind, and the error of the protocol with code, message and hint.
#[derive(Debug, Clone)]
pub struct SourceError {
    kind: SourceErrorKind,
    error: Arc<dyn CodedError>,
}

impl SourceError {
    /// Wraps the error of a protocol.
    pub fn new(kind: SourceErrorKind, error: impl CodedError) -> Self {
        SourceError { kind, error: Arc::new(error) }
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl Coded for SourceError {
    fn code(&self) -> &'static str {
        self.error.code()
    }

    fn hint(&self) -> Option<String> {
        self.error.hint()
    }
}

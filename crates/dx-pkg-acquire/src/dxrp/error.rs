//! Why something does not come by DXRP.

use std::io;
use std::sync::Arc;

use dx_pkg_core::Coded;
use dx_pkg_fetch::FetchError;
use dx_pkg_format::dxrp::FrameError;
use dx_pkg_registry::dxrp::{AnswerError, StreamError};

/// A failure of DXRP. Unless `dxrp=required`, HTTP takes its place, but for another key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DxrpError {
    /// The registry does not speak it.
    #[error("{registry} does not speak DXRP")]
    NotSpoken {
        /// The registry.
        registry: String,
    },
    /// The registry cannot be reached.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It was asked in vain whether it speaks it.
    #[error(transparent)]
    Before(Arc<DxrpError>),
    /// The request cannot be sent.
    #[error("a DXRP request cannot be sent: {0}")]
    Send(#[from] io::Error),
    /// The answer is of no use.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The server signs with another key than before.
    #[error(
        "{registry} signs with the key {found}, but dx knows it by the key {known}: it may be \
         another server"
    )]
    OtherKey {
        /// The registry.
        registry: String,
        /// The fingerprint of the key that is known.
        known: String,
        /// That of the key that came.
        found: String,
    },
    /// A plan is of no use.
    #[error("the plan of a DXRP server is of no use: {reason}")]
    Plan {
        /// The reason.
        reason: String,
    },
    /// The statement about a package is not signed with the server's key.
    #[error("what a DXRP server says about {package} is not signed with its key")]
    Signature {
        /// The package with its version.
        package: String,
    },
    /// The contents of a package are not those that the server has signed.
    #[error("the contents of {package} have the root {found}, but the DXRP server says {said}")]
    Contents {
        /// The package with its version.
        package: String,
        /// The root that the server says.
        said: String,
        /// The root of what came.
        found: String,
    },
    /// The contents of a package cannot be decompressed to what its files need.
    #[error("a DXRP server sent contents of {package} that are damaged: {reason}")]
    Damaged {
        /// The package with its version.
        package: String,
        /// The reason.
        reason: String,
    },
    /// A package that was not asked for, or comes twice.
    #[error("a DXRP server sent the package {id}, which is not wanted")]
    Unwanted {
        /// The package's id.
        id: String,
    },
    /// Messages that were not asked for.
    #[error("a DXRP server sent {what}, which nobody asked for")]
    Unasked {
        /// What they hold.
        what: &'static str,
    },
    /// The server ended its answer without a package that was asked for.
    #[error("a DXRP server left out {package}")]
    LeftOut {
        /// The package with its version.
        package: String,
    },
    /// A thread panicked or could not be started.
    #[error("a thread that reads a DXRP stream ended early")]
    Thread,
}

impl From<FrameError> for DxrpError {
    fn from(error: FrameError) -> Self {
        Self::Answer(error.into())
    }
}

impl DxrpError {
    /// Returns the error for messages that were not asked for.
    pub(crate) fn unasked(what: &'static str) -> Self {
        Self::Unasked { what }
    }

    /// Returns whether a connection broke off or was not there, for which the server need not be to
    /// blame.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::Fetch(_) | Self::Send(_) => true,
            Self::Answer(error) => {
                matches!(error, AnswerError::CutOff | AnswerError::Stream(StreamError::Io(_)))
            }
            _ => false,
        }
    }
}

impl Coded for DxrpError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotSpoken { .. } => "DX_DXRP_NOT_SPOKEN",
            Self::Fetch(error) => error.code(),
            Self::Before(error) => error.code(),
            Self::Send(_) | Self::Thread => "DX_DXRP_STREAM",
            Self::Answer(error) => error.code(),
            Self::OtherKey { .. } => "DX_DXRP_OTHER_KEY",
            Self::Plan { .. } => "DX_DXRP_PLAN",
            Self::Signature { .. } => "DX_DXRP_SIGNATURE",
            Self::Contents { .. } | Self::Damaged { .. } => "DX_DXRP_CONTENTS",
            Self::Unwanted { .. } | Self::Unasked { .. } | Self::LeftOut { .. } => {
                "DX_DXRP_UNWANTED"
            }
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotSpoken { .. } => {
                "set dxrp=auto to install over HTTP, or name a registry that dx-registry serves"
                    .to_owned()
            }
            Self::Fetch(error) => return error.hint(),
            Self::Before(error) => return error.hint(),
            Self::Answer(error) => return error.hint(),
            Self::OtherKey { .. } => {
                "ask whoever runs the registry whether its key was replaced; if it was, remove \
                 dxrp.dxk in the registry's folder below `metadata` in the store (`dx store path`), \
                 and dx remembers the new one; dxrp=off installs over HTTP meanwhile"
                    .to_owned()
            }
            Self::Signature { .. } | Self::Contents { .. } | Self::Damaged { .. } => {
                "set dxrp=off to install over HTTP, and tell whoever runs the registry".to_owned()
            }
            _ => return None,
        })
    }
}

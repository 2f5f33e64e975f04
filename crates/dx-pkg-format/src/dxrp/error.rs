//! The reasons why frames cannot be read.

use dx_pkg_core::Coded;

/// The reason why a frame or message of DXRP is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame of a kind that this version of the protocol does not have.
    #[error("a DXRP frame has the unknown kind {kind}")]
    Kind {
        /// The kind's number.
        kind: u8,
    },
    /// A frame or message that is longer than its kind may be.
    #[error("a DXRP {message} message is longer than {most} bytes")]
    TooLong {
        /// The kind of message.
        message: &'static str,
        /// The most bytes it may have.
        most: u64,
    },
    /// A frame whose bytes are not those that were sent.
    #[error("the checksum of a DXRP {message} frame does not match")]
    Checksum {
        /// The kind of message.
        message: &'static str,
    },
    /// A message that no encoder writes.
    #[error("a DXRP {message} message cannot be read")]
    Malformed {
        /// The kind of message.
        message: &'static str,
    },
    /// A message that does not belong where it came.
    #[error("a DXRP {message} message came where none belongs")]
    OutOfOrder {
        /// The kind of message.
        message: &'static str,
    },
    /// The other side speaks no version that this build speaks.
    #[error("the other side speaks DXRP {lowest} to {highest}, this dx speaks version {supported}")]
    Version {
        /// The lowest version of the other side.
        lowest: u16,
        /// The highest version of the other side.
        highest: u16,
        /// The version of this build.
        supported: u16,
    },
}

impl Coded for FrameError {
    fn code(&self) -> &'static str {
        match self {
            Self::Version { .. } => "DX_DXRP_VERSION",
            _ => "DX_DXRP_FRAME",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Version { .. } => {
                "update dx or the registry, or set dxrp=off to install over HTTP".to_owned()
            }
            _ => "try again; if it happens again, set dxrp=off to install over HTTP, and tell \
                  whoever runs the registry"
                .to_owned(),
        })
    }
}

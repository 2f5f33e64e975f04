//! The errors of this crate: why bytes cannot be decoded, or a value cannot be encoded.

use dx_pkg_core::Coded;

/// The reason why a file of one of dx's binary formats cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes do not begin with the signature of the format.
    #[error("reading a {format} file: it does not begin with the {format} signature")]
    Signature {
        /// The format that was expected.
        format: &'static str,
    },
    /// The file has a version that this build does not read.
    #[error("reading a {format} file: it has version {found}, this dx reads version {supported}")]
    Version {
        /// The format that was expected.
        format: &'static str,
        /// The version of the file.
        found: u16,
        /// The version that this build reads.
        supported: u16,
    },
    /// There are fewer bytes than the header requires.
    #[error(
        "reading a {format} file: it is truncated, {needed} bytes are needed and {available} are there"
    )]
    Truncated {
        /// The format that was expected.
        format: &'static str,
        /// The number of bytes required.
        needed: u64,
        /// The number of bytes there are.
        available: u64,
    },
    /// A checksum or digest does not match its bytes.
    #[error(
        "reading a {format} file: the checksum of its {part} does not match, the file is damaged"
    )]
    Checksum {
        /// The format that was expected.
        format: &'static str,
        /// The part that is damaged.
        part: &'static str,
    },
    /// A field has a value that no encoder writes.
    #[error("reading a {format} file: {what}, the file is damaged")]
    Corrupt {
        /// The format that was expected.
        format: &'static str,
        /// The problem.
        what: &'static str,
    },
    /// The content of one file of a package does not match its digest.
    #[error(
        "reading a DXP file: the content of `{path}` does not match its digest, the file is damaged"
    )]
    Content {
        /// The file within the package.
        path: String,
    },
    /// A path was given to the encoder twice.
    #[error("writing a DXP file: the path `{path}` occurs twice")]
    DuplicatePath {
        /// The path that occurs twice.
        path: String,
    },
    /// A path is absolute, leaves its folder, or has a segment that no file can have.
    #[error("{doing} a DXP file: the path {path:?} could lead out of its package")]
    UnsafePath {
        /// Reading or writing.
        doing: &'static str,
        /// The refused path.
        path: String,
    },
    /// There are more items to encode than a 32-bit count can hold.
    #[error("writing a {format} file: more {what} than the format can hold")]
    TooLarge {
        /// The format being written.
        format: &'static str,
        /// The items.
        what: &'static str,
    },
}

impl Coded for FormatError {
    fn code(&self) -> &'static str {
        match self {
            Self::Signature { .. } => "DX_FORMAT_SIGNATURE",
            Self::Version { .. } => "DX_FORMAT_VERSION",
            Self::Truncated { .. } => "DX_FORMAT_TRUNCATED",
            Self::Checksum { .. } => "DX_FORMAT_CHECKSUM",
            Self::Corrupt { .. } => "DX_FORMAT_CORRUPT",
            Self::Content { .. } => "DX_FORMAT_CONTENT",
            Self::DuplicatePath { .. } => "DX_FORMAT_DUPLICATE_PATH",
            Self::UnsafePath { .. } => "DX_FORMAT_UNSAFE_PATH",
            Self::TooLarge { .. } => "DX_FORMAT_TOO_LARGE",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Version { found, supported, .. } if found > supported => Some(
                "a newer dx wrote it: update dx, or remove the file so that it is made again"
                    .to_owned(),
            ),
            Self::DuplicatePath { .. } | Self::UnsafePath { .. } | Self::TooLarge { .. } => None,
            _ => Some(
                "remove the file, or run `dx store verify --fix`, so that it is made again"
                    .to_owned(),
            ),
        }
    }
}

//! The one error of this crate: why bytes were refused, or why a value cannot be encoded.

use dx_pkg_core::Coded;

/// Why a file of one of dx's binary formats could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes do not begin with the format's signature.
    #[error("reading a {format} file: it does not begin with the {format} signature")]
    Signature {
        /// The format that was expected.
        format: &'static str,
    },
    /// The file was written in a version this build does not know.
    #[error("reading a {format} file: it has version {found}, this dx reads version {supported}")]
    Version {
        /// The format that was expected.
        format: &'static str,
        /// The version the file names.
        found: u16,
        /// The only version that can be read.
        supported: u16,
    },
    /// The bytes end before what the header promises.
    #[error(
        "reading a {format} file: it is truncated, {needed} bytes are needed and {available} are there"
    )]
    Truncated {
        /// The format that was expected.
        format: &'static str,
        /// How many bytes the header asks for.
        needed: u64,
        /// How many there are.
        available: u64,
    },
    /// The stored checksum or digest is not that of the bytes.
    #[error(
        "reading a {format} file: the checksum of its {part} does not match, the file is damaged"
    )]
    Checksum {
        /// The format that was expected.
        format: &'static str,
        /// The part that is damaged.
        part: &'static str,
    },
    /// A field has a value no encoder writes.
    #[error("reading a {format} file: {what}, the file is damaged")]
    Corrupt {
        /// The format that was expected.
        format: &'static str,
        /// What was found.
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
    /// The same path was given twice to the encoder.
    #[error("writing a DXP file: the path `{path}` occurs twice")]
    DuplicatePath {
        /// The path that occurs twice.
        path: String,
    },
    /// A path is absolute, climbs, or has a part no file can have.
    #[error("{doing} a DXP file: the path {path:?} could lead out of its package")]
    UnsafePath {
        /// Reading or writing.
        doing: &'static str,
        /// The refused path.
        path: String,
    },
    /// There is more to encode than the format's 32-bit counts can hold.
    #[error("writing a {format} file: more {what} than the format can hold")]
    TooLarge {
        /// The format being written.
        format: &'static str,
        /// What there is too much of.
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

//! Errors of a package tarball.

use std::io;

use dx_pkg_core::Coded;

/// The reason why a tarball could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The source of its bytes failed.
    #[error("the tarball does not arrive: {0}")]
    Source(io::Error),
    /// The tarball is refused.
    #[error(transparent)]
    Tarball(#[from] TarballError),
}

/// The reason for refusing a tarball; entry names are escaped so that they cannot control a
/// terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TarballError {
    /// The bytes are neither gzip nor tar.
    #[error(
        "cannot unpack the tarball: its {bytes} bytes are neither a gzip stream nor a tar archive"
    )]
    Unrecognised {
        /// Length of the received data, in bytes.
        bytes: usize,
    },
    /// The gzip container is damaged.
    #[error("cannot decompress the tarball: {reason}")]
    Gzip {
        /// The damage.
        reason: &'static str,
    },
    /// A tar header is malformed.
    #[error("cannot read the tar header at byte {offset}: {reason}")]
    Header {
        /// Position in the decompressed archive, in bytes.
        offset: usize,
        /// The mistake.
        reason: &'static str,
    },
    /// The archive ends inside an entry or a header.
    #[error(
        "the tarball is cut short: byte {offset} of the archive begins something that does not end"
    )]
    Truncated {
        /// Position in the decompressed archive, in bytes.
        offset: usize,
    },
    /// The archive decompresses to more than is allowed.
    #[error("the tarball decompresses to more than {limit} bytes")]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// The compression ratio is higher than that of any honest package.
    #[error(
        "the tarball of {compressed} bytes decompresses to more than {limit} bytes, which no honest package does"
    )]
    Ratio {
        /// Length of the compressed tarball, in bytes.
        compressed: usize,
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// The archive has more entries than are allowed.
    #[error("the tarball has more than {limit} entries")]
    TooManyEntries {
        /// The limit that was passed.
        limit: usize,
    },
    /// The paths of its files, with the folders above them, are too long together.
    #[error("the paths of the tarball's files take more than {limit} bytes together")]
    PathsTooLong {
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// A `package.json` is larger than that of any honest package.
    #[error("the tarball's {path} has {bytes} bytes, more than the {limit} that dx reads")]
    ManifestTooLarge {
        /// Its path, escaped.
        path: String,
        /// Its length in bytes.
        bytes: u64,
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// An entry's name must not become a path.
    #[error("refusing the tarball's entry \"{entry}\": {problem}")]
    UnsafePath {
        /// The entry's name, escaped.
        entry: String,
        /// The mistake.
        problem: PathProblem,
    },
    /// One name is both a file and a folder.
    #[error("refusing the tarball: \"{file}\" is a file and also the folder of \"{below}\"")]
    FileAndFolder {
        /// The file, escaped.
        file: String,
        /// An entry below it, escaped.
        below: String,
    },
    /// Two names are one on a file system that ignores case or Unicode form.
    #[error(
        "refusing the tarball: \"{first}\" and \"{second}\" are the same name on this file system"
    )]
    FoldedCollision {
        /// The name that comes first, escaped.
        first: String,
        /// The name that comes second, escaped.
        second: String,
    },
}

/// The reason why an entry's name cannot be a path inside the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// It names no file.
    #[error("it names no file")]
    Empty,
    /// It contains `..`.
    #[error("it climbs out with \"..\"")]
    Parent,
    /// It begins with `/`.
    #[error("it is an absolute path")]
    Absolute,
    /// It holds a backslash, a separator on Windows.
    #[error("it contains a backslash")]
    Backslash,
    /// It begins with a drive letter.
    #[error("it begins with a drive letter")]
    Drive,
    /// It holds a NUL byte.
    #[error("it contains a NUL byte")]
    Nul,
    /// A component is longer than file systems allow, or the whole too long or deep.
    #[error("it is too long")]
    TooLong,
    /// Windows cannot store a file of that name, or takes it for a device.
    #[error("Windows cannot store a file of that name")]
    Windows,
}

impl Coded for TarballError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unrecognised { .. } => "DX_TARBALL_UNRECOGNISED",
            Self::Gzip { .. } | Self::Header { .. } => "DX_TARBALL_CORRUPT",
            Self::Truncated { .. } => "DX_TARBALL_TRUNCATED",
            Self::TooLarge { .. }
            | Self::Ratio { .. }
            | Self::TooManyEntries { .. }
            | Self::PathsTooLong { .. }
            | Self::ManifestTooLarge { .. } => "DX_TARBALL_TOO_LARGE",
            Self::UnsafePath { .. } => "DX_TARBALL_UNSAFE_PATH",
            Self::FileAndFolder { .. } | Self::FoldedCollision { .. } => "DX_TARBALL_COLLISION",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unrecognised { .. } => {
                "check that the URL serves a package and not a login or error page"
            }
            Self::Gzip { .. } | Self::Header { .. } | Self::Truncated { .. } => {
                "download it again; if it stays so, the package was published damaged"
            }
            Self::FoldedCollision { .. } => {
                "install it on a case-sensitive file system, or ask its author to rename one"
            }
            Self::TooLarge { .. } | Self::Ratio { .. } | Self::TooManyEntries { .. } => {
                "if you trust the package, allow its size with max-package-size in your .npmrc; else \
                 report it to the registry it came from"
            }
            Self::PathsTooLong { .. }
            | Self::ManifestTooLarge { .. }
            | Self::UnsafePath { .. }
            | Self::FileAndFolder { .. } => {
                "do not install this package; report it to the registry it came from"
            }
        };
        Some(hint.to_owned())
    }
}

/// Returns a name for an error text, without control characters or invisible ones.
pub(super) fn escaped(name: &[u8]) -> String {
    const SHOWN: usize = 300;
    let shown = name.get(..SHOWN).unwrap_or(name);
    let mut text = String::from_utf8_lossy(shown).escape_debug().to_string();
    if name.len() > SHOWN {
        text.push('…');
    }
    text
}

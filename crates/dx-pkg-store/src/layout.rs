//! The folders of the store and the names of its entries.

use std::path::{Path, PathBuf};

use dx_pkg_core::PackageId;

/// The folders of a store. `aa` is the first byte of the id or digest, in hexadecimal.
///
/// ```text
/// <root>/v1/
///   key                          a secret of this store, by which it knows what it has written
///   packages/<aa>/<id>.dxt       the tables of an expanded package, with its files' identities
///   packages/<aa>/<id>.former    such a record of a package that is to be fetched again
///   packages/<aa>/<id>.dxp       or the package in one file; earlier versions wrote one beside
///                                each expanded package, with the identities in <id>.files
///   packages/<aa>/<id>.tgz       or its tarball, in continuous integration
///   expanded/<aa>/<id>/<number>  the package's files, the source of hard links; of some by path
///   prepared/<aa>/<key>/         prepared trees; drawn in `prepared.rs`
///   prepared/jobs/<digest>       preparation jobs
///   prepared/projects/<digest>   whether prepared trees of a project were used
///   metadata/<registry>/index.dxi
///                                which packuments are cached, where they are, validators and times
///   metadata/<registry>/<unique>.pack
///                                packuments, one after the other
///   metadata/packages.dxn        licences of packages, which abbreviated packuments lack
///   metadata/<registry>/chain.dxc
///                                the registry's chain: packages that are likely to follow others
///   metadata/<registry>/dxrp.dxk whether the registry speaks DXRP, and the key that it signs with
///   written/<id>                 empty: files of the package were written to in a project
///   gyp/<id>                     empty: the package has a `binding.gyp`
///   conflicts/<digest>           empty: a peer conflict was told of
///   git/<aa>/<digest>.dxg        the package that a commit became, by the digest of what it is of
///   lockfiles/<aa>/<digest>.dxl  compiled lockfiles, by the digest of their text
///   resolutions/<aa>/<digest>.dxr
///                                resolutions, by the digest of their input
///   pending/                     records of packages that are yet to be stored
///   tmp/                         unfinished entries
///   trash/                       entries to be deleted in the background
///   locks/                       files for advisory locks
/// ```
///
/// Names of packages and registries are escaped so that they differ on file systems that ignore
/// case: lower-case letters, digits and `-_.~@` stand for themselves, `/` is `+`, a capital is `!`
/// and its lower case, any other byte `%` and two digits. Names longer than 120 bytes are cut and
/// end in a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Folder {
    /// Records of expanded packages, DXP files and tarballs.
    Packages,
    /// Expanded packages.
    Expanded,
    /// Prepared trees and preparation jobs.
    Prepared,
    /// Packuments and chains.
    Metadata,
    /// Compiled lockfiles.
    Lockfiles,
    /// Resolutions.
    Resolutions,
    /// Records of packages that are yet to be stored.
    Pending,
    /// Marks of packages that scripts or tools write to.
    Written,
    /// Marks of packages with a `binding.gyp`.
    Gyp,
    /// Marks of peer conflicts that were told of.
    Conflicts,
    /// Packages made of commits of git repositories.
    Git,
    /// Unfinished entries.
    Tmp,
    /// Entries to be deleted.
    Trash,
    /// Lock files.
    Locks,
}

/// The most bytes that are read of a note: a path and some numbers.
pub(crate) const NOTE_LIMIT: u64 = 64 << 10;

/// The most bytes that are read of a record, which has the packages of a project or the files of a
/// package.
pub(crate) const RECORD_LIMIT: u64 = 64 << 20;

impl Folder {
    /// The number of folders.
    pub(crate) const COUNT: usize = 14;

    /// All of them.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Packages,
        Self::Expanded,
        Self::Prepared,
        Self::Metadata,
        Self::Lockfiles,
        Self::Resolutions,
        Self::Pending,
        Self::Written,
        Self::Gyp,
        Self::Conflicts,
        Self::Git,
        Self::Tmp,
        Self::Trash,
        Self::Locks,
    ];

    /// The name below `v1/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Expanded => "expanded",
            Self::Prepared => "prepared",
            Self::Metadata => "metadata",
            Self::Lockfiles => "lockfiles",
            Self::Resolutions => "resolutions",
            Self::Pending => "pending",
            Self::Written => "written",
            Self::Gyp => "gyp",
            Self::Conflicts => "conflicts",
            Self::Git => "git",
            Self::Tmp => "tmp",
            Self::Trash => "trash",
            Self::Locks => "locks",
        }
    }
}

/// The suffix of the record of an expanded package.
pub(crate) const RECORD: &str = ".dxt";
/// The suffix of the record of a package that was forgotten.
pub(crate) const FORMER: &str = ".former";

/// The length of `aa/<64 digits>`.
const DIGITS_END: usize = 67;
/// The longest name: the longest suffix is `.license`, of an older version.
const LONGEST: usize = DIGITS_END + 8;

/// The name of an entry within its folder, `aa/<64 digits><suffix>`, without an allocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryName {
    text: [u8; LONGEST],
    length: usize,
}

impl EntryName {
    /// Returns the name of an entry of a package.
    pub(crate) fn of_package(id: PackageId, suffix: &str) -> Self {
        Self::of_digits(&id.hex(), suffix)
    }

    /// Returns the name of an entry that is stored under a digest of its input.
    pub(crate) fn of_digest(digest: [u8; 32], suffix: &str) -> Self {
        Self::of_digits(blake3::Hash::from_bytes(digest).to_hex().as_bytes(), suffix)
    }

    fn of_digits(digits: &[u8], suffix: &str) -> Self {
        let mut text = [b'/'; LONGEST];
        let length = DIGITS_END + suffix.len();
        let shard = digits.get(..2).unwrap_or_default();
        let parts =
            [(0..2, shard), (3..DIGITS_END, digits), (DIGITS_END..length, suffix.as_bytes())];
        for (range, part) in parts {
            if let Some(place) = text.get_mut(range) {
                place.copy_from_slice(part);
            }
        }
        Self { text, length }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.text.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }
}

impl AsRef<Path> for EntryName {
    fn as_ref(&self) -> &Path {
        Path::new(self.as_str())
    }
}

/// Returns the digest whose 64 lower-case digits these are.
pub(crate) fn digest_from_hex(hex: &str) -> Option<[u8; 32]> {
    let is_lower = !hex.bytes().any(|byte| byte.is_ascii_uppercase());
    is_lower.then(|| blake3::Hash::from_hex(hex).ok()).flatten().map(blake3::Hash::into)
}

/// Returns the path that a text holds, if it is absolute.
pub(crate) fn absolute_path(text: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(std::str::from_utf8(text).ok()?)).filter(|path| path.is_absolute())
}

/// Returns a name that is safe and distinct on any file system; see [`Folder`].
pub(crate) fn escaped(name: &str) -> String {
    const LONGEST_ESCAPED: usize = 120;
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                text.push(char::from(byte))
            }
            b'/' => text.push('+'),
            b'A'..=b'Z' => text.extend(['!', char::from(byte.to_ascii_lowercase())]),
            _ => text.push_str(&format!("%{byte:02x}")),
        }
    }
    if text.len() > LONGEST_ESCAPED {
        // The cut is at a byte boundary of ASCII text; `#` occurs in no other escaped name.
        text.truncate(LONGEST_ESCAPED - 33);
        text.push('#');
        text.push_str(blake3::hash(name.as_bytes()).to_hex().get(..32).unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests;

//! Where everything lies within the store.

use std::path::Path;

use dx_pkg_core::PackageId;

/// The folders of a store. `aa` is the first byte of an id, in hexadecimal.
///
/// ```text
/// <root>/v1/
///   packages/<aa>/<id>.dxp       one file per package: what is verified, moved and collected
///   packages/<aa>/<id>.tgz       or, in continuous integration, the tarball as it came
///   expanded/<aa>/<id>/…         the package's files, made from the DXP: what projects are linked from
///   prepared/                     ready node_modules trees
///   metadata/<registry>/a-<name>.dxm, f-<name>.dxm
///                                abbreviated and full packuments behind a header with validators and times
///   metadata/<registry>/chain.dxc
///                                which of its packages are likely to follow which
///   lockfiles/<aa>/<digest>.dxl  compiled lockfiles by the digest of their text
///   resolutions/                 graphs by what was asked for
///   pending/                     what installs left to be written, by way of their tables
///   tmp/                         entries being made
///   trash/                       what is to be deleted when nobody waits
///   locks/                       files that processes lock
/// ```
///
/// Names of packages and registries are escaped so that they differ on file systems that ignore case: lower-case
/// letters, digits and `-_.~@` stand for themselves, `/` is `+`, a capital is `!` and its lower case, any other
/// byte `%` and two digits. Names longer than 120 bytes are cut and end in a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Folder {
    /// DXP files.
    Packages,
    /// The files of packages.
    Expanded,
    /// Prepared trees.
    Prepared,
    /// Packuments.
    Metadata,
    /// Compiled lockfiles.
    Lockfiles,
    /// Remembered resolutions.
    Resolutions,
    /// What installs left to be written.
    Pending,
    /// Entries being made.
    Tmp,
    /// What is to be deleted.
    Trash,
    /// Lock files.
    Locks,
}

impl Folder {
    /// How many there are.
    pub(crate) const COUNT: usize = 10;

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
            Self::Tmp => "tmp",
            Self::Trash => "trash",
            Self::Locks => "locks",
        }
    }
}

/// The room for a shard, its `/` and an id, and for the longest suffix, `.license`.
const SHARDED: usize = 67 + 8;

/// `aa/<64 digits><suffix>` without allocating.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sharded {
    text: [u8; SHARDED],
    length: usize,
}

impl Sharded {
    pub(crate) fn new(id: PackageId, suffix: &str) -> Self {
        let hex = id.hex();
        let mut text = [b'/'; SHARDED];
        let length = 67 + suffix.len();
        let parts = [(0..2, &hex[..2]), (3..67, &hex[..]), (67..length, suffix.as_bytes())];
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

    pub(crate) fn shard(&self) -> &str {
        self.as_str().get(..2).unwrap_or_default()
    }
}

impl AsRef<Path> for Sharded {
    fn as_ref(&self) -> &Path {
        Path::new(self.as_str())
    }
}

/// A name that is safe and distinct on any file system; see [`Folder`].
pub(crate) fn escaped(name: &str) -> String {
    const LONGEST: usize = 120;
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
    if text.len() > LONGEST {
        // The cut is at a byte boundary of ASCII text; `#` occurs in no other escaped name.
        text.truncate(LONGEST - 33);
        text.push('#');
        text.push_str(blake3::hash(name.as_bytes()).to_hex().get(..32).unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests;

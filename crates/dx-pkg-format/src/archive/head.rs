//! The head of a package in an archive: everything but the contents of its files.

use dx_pkg_core::{Integrity, PackageId};

use super::{FORMAT, MOST_CONTENTS, MOST_FILES, MOST_HEAD, corrupt};
use crate::FormatError;
use crate::dxp::{FileMode, VERSION, is_safe_path};
use crate::wire::{Reader, Writer};

/// A package in an archive, without the contents of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageHead {
    /// The package.
    pub id: PackageId,
    /// What the store remembers about the package.
    pub marks: Marks,
    /// The integrity of its tarball.
    pub integrity: Integrity,
    /// Its files, ascending by path. Their contents follow in this order.
    pub files: Vec<ArchivedFile>,
}

/// What a store remembers about a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Whether it has a `binding.gyp`, and so install scripts.
    pub gyp: bool,
    /// Whether scripts or tools write to its files.
    pub written: bool,
}

/// A file of a package in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedFile {
    /// The path within the package, `/` between segments.
    pub path: String,
    /// The permissions.
    pub mode: FileMode,
    /// The size of the contents in bytes.
    pub size: u64,
}

const GYP: u8 = 1;
const WRITTEN: u8 = 2;

impl PackageHead {
    /// Encodes the head, without its length.
    ///
    /// # Errors
    /// When [`Self::decode`] would refuse it.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check("writing")?;
        let mut out = Writer::with_capacity(128 + self.files.len() * 64);
        out.bytes(self.id.as_bytes());
        let Marks { gyp, written } = self.marks;
        out.u8(if gyp { GYP } else { 0 } | if written { WRITTEN } else { 0 });
        out.text(&self.integrity.to_string());
        out.list(&self.files, |out, file| {
            out.u8(file.mode.flags());
            out.u64(file.size);
            out.text(&file.path);
        });
        match u32::try_from(out.len()) {
            Ok(length) if length <= MOST_HEAD => Ok(out.into_bytes()),
            _ => Err(FormatError::TooLarge { format: FORMAT, what: "bytes of paths in a package" }),
        }
    }

    /// Decodes and checks a head, which `bytes` hold without its length.
    ///
    /// # Errors
    /// When it is damaged or cut off, has more or larger files than a package may have, has a path
    /// that is unsafe, repeated or out of order, or an id that is not that of its integrity.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(bytes);
        let head =
            read(&mut reader).ok_or_else(|| corrupt("the head of a package is cut off"))??;
        if !reader.is_empty() {
            return Err(corrupt("bytes follow the head of a package"));
        }
        head.check("reading")?;
        Ok(head)
    }

    /// Returns the size of the contents of all files in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    fn check(&self, doing: &'static str) -> Result<(), FormatError> {
        if self.files.len() > MOST_FILES as usize {
            return Err(FormatError::TooLarge { format: FORMAT, what: "files in a package" });
        }
        let sum = self.files.iter().try_fold(0_u64, |sum, file| sum.checked_add(file.size));
        if sum.is_none_or(|sum| sum > MOST_CONTENTS) {
            return Err(FormatError::TooLarge { format: FORMAT, what: "bytes in a package" });
        }
        if PackageId::from_integrity(&self.integrity) != self.id {
            return Err(corrupt("a package has another integrity than its id says"));
        }
        let unsafe_path = self.files.iter().map(|file| &file.path).find(|path| !is_safe_path(path));
        if let Some(path) = unsafe_path {
            return Err(FormatError::UnsafePath { doing, path: path.clone() });
        }
        if !self.files.is_sorted_by(|one, other| one.path < other.path) {
            return Err(corrupt("the paths of a package are repeated or out of order"));
        }
        match self.files.iter().any(|file| self.has_file_above(&file.path)) {
            true => Err(corrupt("a package has a file where another file has its folder")),
            false => Ok(()),
        }
    }

    /// Returns whether a folder of `path` is a file of the package too.
    fn has_file_above(&self, path: &str) -> bool {
        let is_file =
            |path: &str| self.files.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok();
        path.match_indices('/').any(|(end, _)| path.get(..end).is_some_and(is_file))
    }
}

/// Reads a head field by field; `None` where the bytes end too early.
fn read(reader: &mut Reader<'_>) -> Option<Result<PackageHead, FormatError>> {
    let id = PackageId::from_bytes(reader.array()?);
    let marks = reader.u8()?;
    if marks & !(GYP | WRITTEN) != 0 {
        return Some(Err(corrupt("a package has an unknown mark")));
    }
    let marks = Marks { gyp: marks & GYP != 0, written: marks & WRITTEN != 0 };
    let Ok(integrity) = Integrity::parse(reader.text()?) else {
        return Some(Err(corrupt("a package has an integrity that cannot be read")));
    };
    let mut files = Vec::new();
    for _ in 0..reader.u32()? {
        let Some(mode) = FileMode::of_flags(reader.u8()?, VERSION) else {
            return Some(Err(corrupt("a file has unknown permissions")));
        };
        let size = reader.u64()?;
        files.push(ArchivedFile { path: reader.text()?.to_owned(), mode, size });
    }
    Some(Ok(PackageHead { id, marks, integrity, files }))
}

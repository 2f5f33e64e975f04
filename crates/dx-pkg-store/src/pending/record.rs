//! The record of pending packages that an install writes for the background process.
//! Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXQ\0` |
//! | 4 | 2 | version, 4 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |
//! | 16 | 4 + n | length of the project's folder (`u32`), and the folder, absolute |
//! | | 4 + n | length of the name of the packages' folder in `tmp/` (`u32`), and the name |
//! | | 32 | for each package: its id |
//! | | 4 + n | length (`u32`), and its record as an expanded package, see `tables` |

use std::path::{Path, PathBuf};

use dx_pkg_core::PackageId;
use dx_pkg_format::wire::Frame;

use super::PREFIX;
use crate::PackageTables;
use crate::layout::absolute_path;
use crate::seal::Seals;

const SIGNATURE: [u8; 4] = *b"DXQ\0";
const VERSION: u16 = 4;
const FRAME: Frame =
    Frame { format: "record of pending packages", signature: SIGNATURE, version: VERSION };

/// A decoded record.
#[derive(Debug)]
pub(crate) struct Contents {
    /// The project that has the packages' files.
    pub(crate) project: PathBuf,
    /// The name of the folder in `tmp/` that has the files which were not moved.
    pub(crate) folder: String,
    /// The packages, with their tables.
    pub(crate) packages: Vec<(PackageId, PackageTables)>,
}

/// Encodes a record.
pub(crate) fn encode<'t>(
    project: &Path,
    folder: &str,
    packages: impl Iterator<Item = (PackageId, &'t PackageTables)>,
    seals: &Seals,
) -> Vec<u8> {
    let packages: Vec<_> = packages.map(|(id, tables)| (id, tables.encode(id, seals))).collect();
    let length: usize = packages.iter().map(|(_, record)| 36 + record.len()).sum();
    let project = project.as_os_str().as_encoded_bytes();
    let mut out = FRAME.begin(8 + project.len() + folder.len() + length);
    out.blob(project);
    out.text(folder);
    for (id, record) in packages {
        out.bytes(id.as_bytes());
        out.blob(&record);
    }
    Frame::finish(out)
}

/// Decodes a record; `None` if it is damaged, or not this store's.
pub(crate) fn decode(bytes: &[u8], seals: &Seals) -> Option<Contents> {
    let mut reader = FRAME.open(bytes).ok()?;
    let project = absolute_path(reader.blob()?)?;
    let folder = reader.text()?;
    // It is joined to the path of `tmp/`.
    if !folder.starts_with(PREFIX) || folder.contains(['/', '\\']) {
        return None;
    }
    let mut packages = Vec::new();
    while !reader.is_empty() {
        let id = PackageId::from_bytes(reader.array()?);
        packages.push((id, PackageTables::decode(reader.blob()?.to_vec(), id, seals)?));
    }
    Some(Contents { project, folder: folder.to_owned(), packages })
}

#[cfg(test)]
mod tests;

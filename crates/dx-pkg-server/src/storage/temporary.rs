//! Temporary files: large bodies on their way into the storage.

use crate::failure::Failure;
use crate::storage::Storage;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of temporary files below the storage; on its file system, so that they can be
/// adopted.
pub(super) const FOLDER: &str = "temporary";

/// A temporary file, which is removed with this value.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    file: File,
}

impl Storage {
    /// Creates an empty temporary file. Blocks for two system calls.
    pub(crate) fn temporary(&self) -> Result<Temporary, Failure> {
        let file = self.temporary_file();
        file.map_err(|error| Failure::of_io("create", "a temporary file", &error))
    }

    /// Does the same for code that is part of other input and output.
    pub(crate) fn temporary_file(&self) -> std::io::Result<Temporary> {
        let mut random = [0_u8; 12];
        getrandom::fill(&mut random).map_err(std::io::Error::other)?;
        let mut name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        name.push_str(".part");
        let path = self.folder().join(FOLDER).join(name);
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Temporary { path, file })
    }
}

impl Temporary {
    /// Appends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Returns its path, valid as long as this value.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until the bytes are on the disk.
    pub(super) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

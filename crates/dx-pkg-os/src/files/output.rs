//! Files that are written piece by piece, and appear when they are complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{TEMPORARY, unique_name};

/// A file that is being written beside its place, and is removed unless it is kept. What is no
/// plain file, such as a pipe or a device, is written in place.
#[derive(Debug)]
pub struct OutputFile {
    file: File,
    /// Where it is and where it belongs, unless it is in place.
    draft: Option<(PathBuf, PathBuf)>,
}

impl OutputFile {
    /// Begins the file at `path`; one that is there stays until the new one is kept. The target of
    /// a symbolic link is replaced, not the link.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let target = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() => {
                return Ok(Self { file: OpenOptions::new().write(true).open(path)?, draft: None });
            }
            Ok(_) => fs::canonicalize(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(error),
        };
        let draft = target.with_file_name(unique_name(TEMPORARY));
        let file = OpenOptions::new().write(true).create_new(true).open(&draft)?;
        Ok(Self { file, draft: Some((draft, target)) })
    }

    /// Puts the file in its place.
    pub fn keep(mut self) -> io::Result<()> {
        match self.draft.take() {
            None => Ok(()),
            Some((draft, target)) => fs::rename(&draft, target).inspect_err(|_| {
                let _ = fs::remove_file(&draft);
            }),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some((draft, _)) = &self.draft {
            // If it stays, its name says that it may be removed.
            let _ = fs::remove_file(draft);
        }
    }
}

#[cfg(test)]
mod tests;

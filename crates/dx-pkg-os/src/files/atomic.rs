//! Replacement of files: a reader sees the old version or the new one at every instant.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::read::open_regular;
use super::unique_name;

/// The beginning of the names of files that [`write_atomic`] has not renamed yet. A killed process
/// may leave such files behind.
pub const TEMPORARY: &str = ".dx-tmp-";

/// The guarantee for a written file after a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The file may be missing or old: for contents that can be derived again.
    Rename,
    /// The file is on the device, name included, when the call returns.
    Fsync,
}

/// Replaces the file at `path` by a new one with these contents.
///
/// The permission bits of an existing file are kept. If `path` is a symbolic link, its target is
/// replaced. A reader sees the old file or the new one, and an error leaves the old one, as does
/// anything there that is no plain file.
pub fn write_atomic(path: &Path, contents: &[u8], durability: Durability) -> io::Result<()> {
    let existing = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            return write_atomic(&fs::canonicalize(path)?, contents, durability);
        }
        Ok(metadata) if !metadata.is_file() => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        Ok(metadata) => Some(metadata.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    replace(path, contents, existing, durability)
}

/// Creates the file at `path` with these contents, in the place of whatever file or link is there.
pub fn create_atomic(path: &Path, contents: &[u8], durability: Durability) -> io::Result<()> {
    replace(path, contents, None, durability)
}

fn replace(
    path: &Path,
    contents: &[u8],
    permissions: Option<fs::Permissions>,
    durability: Durability,
) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary = Temporary { path: parent.join(unique_name(TEMPORARY)), keep: false };
    temporary.write(contents, permissions, durability)?;
    temporary.rename(path)?;
    if durability == Durability::Fsync {
        sync_dir(parent)?;
    }
    Ok(())
}

/// A file beside its final place, which is removed unless it is renamed.
struct Temporary {
    path: PathBuf,
    keep: bool,
}

impl Temporary {
    fn write(
        &self,
        contents: &[u8],
        permissions: Option<fs::Permissions>,
        durability: Durability,
    ) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&self.path)?;
        file.write_all(contents)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        if durability == Durability::Fsync {
            file.sync_all()?;
        }
        Ok(())
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.keep = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Waits until the file at `path` is on the device, its contents and its name.
pub fn sync_file(path: &Path) -> io::Result<()> {
    open_regular(path)?.sync_all()?;
    path.parent().map_or(Ok(()), sync_dir)
}

#[cfg(unix)]
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_dir(_path: &Path) -> io::Result<()> {
    let _ = File::options();
    Ok(())
}

#[cfg(test)]
mod tests;

//! A folder that is filled beside its final place and then renamed into it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Dir;

/// A name no other process, on this machine or another that shares the folder, is likely to choose.
#[must_use]
pub fn unique_name(prefix: &str) -> String {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = SEED.get_or_init(RandomState::new).build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_u64(COUNT.fetch_add(1, Ordering::Relaxed));
    format!("{prefix}{:016x}", hasher.finish())
}

/// A new folder that vanishes when dropped, unless it was renamed into its place.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
    placed: bool,
}

impl Staging {
    /// Creates an empty folder in `parent` whose name begins with `prefix`.
    pub fn new_in(parent: &Path, prefix: &str) -> io::Result<Self> {
        let path = parent.join(unique_name(prefix));
        std::fs::create_dir(&path)?;
        Ok(Self { path, placed: false })
    }

    /// Where the folder is now.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder, opened.
    pub fn open(&self) -> io::Result<Dir> {
        Dir::open(&self.path)
    }

    /// Renames the folder to `target`, which must not exist or be an empty folder.
    pub fn place(mut self, target: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, target)?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be removed is garbage in a folder that is emptied from time to time.
            let _ = crate::remove_tree(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;

//! A folder that is being filled with the files of a package.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use dx_pkg_format::dxp::{FileEntry, FileMode};
use dx_pkg_os::files::{Dir, Identity};

use crate::tables::Stamp;

pub(crate) const PLAIN: u32 = 0o644;
/// The block size for sharing, in bytes. A file system with larger blocks refuses to share, and the
/// contents are written.
const BLOCK: usize = 4096;
/// The size from which on files share blocks with the DXP, whose encoder aligns no smaller ones.
const SHARED_FROM: usize = 64 * 1024;

/// The most folders of one package that are open at once.
const MOST_OPEN: usize = 8;

/// A folder that is being filled, in any order; cheapest if files of one folder are adjacent.
pub(crate) struct PackageTree {
    root: Dir,
    /// The folders above the last one used and itself, with the ends of their names in `current`;
    /// of a deep one, the last few.
    open: Vec<(usize, Dir)>,
    current: String,
}

impl PackageTree {
    pub(crate) fn new(root: Dir) -> Self {
        Self { root, open: Vec::new(), current: String::new() }
    }

    /// Creates a hard link to the file at `path` in `from`, at the same path.
    pub(crate) fn link(&mut self, path: &str, from: &Dir) -> io::Result<()> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.enter(parent)?;
        self.open.last().map_or(&self.root, |(_, dir)| dir).link_from(from, path, name)
    }

    /// Adds files in the order of their paths, and returns their stamps in that order.
    pub(crate) fn add_all(&mut self, files: &[FileEntry<'_>]) -> io::Result<Vec<Stamp>> {
        let mut sorted: Vec<_> = files.iter().collect();
        sorted.sort_unstable_by_key(|file| file.path);
        sorted.into_iter().map(|file| self.add(file.path, file.mode, file.data)).collect()
    }

    /// Adds a file, and returns its stamp.
    pub(crate) fn add(&mut self, path: &str, mode: FileMode, contents: &[u8]) -> io::Result<Stamp> {
        self.add_sharing(path, mode, contents, None)
    }

    /// Adds a file. If the same contents are stored in another file, at `blocks`, their blocks are
    /// shared where the file system can.
    pub(crate) fn add_sharing(
        &mut self,
        path: &str,
        mode: FileMode,
        contents: &[u8],
        blocks: Option<(&File, u64)>,
    ) -> io::Result<Stamp> {
        let mut file = self.create(path, mode)?;
        let shared = match blocks {
            Some((archive, offset)) if contents.len() >= SHARED_FROM => {
                share(&mut file, archive, offset, contents.len())
            }
            _ => 0,
        };
        file.write_all(contents.get(shared..).unwrap_or_default())?;
        Ok(Stamp::of(&Identity::of_file(&file)?))
    }

    /// Creates an empty file.
    pub(crate) fn create(&mut self, path: &str, mode: FileMode) -> io::Result<File> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.enter(parent)?;
        let dir = self.open.last().map_or(&self.root, |(_, dir)| dir);
        dir.create_file(Path::new(name), mode.bits())
    }

    /// Returns the path of the folder last used.
    pub(crate) fn current(&self) -> &str {
        &self.current
    }

    /// Opens the folder `path`, reusing its open parents.
    fn enter(&mut self, path: &str) -> io::Result<()> {
        let shared = self.open.iter().take_while(|(end, _)| {
            path.get(..*end) == self.current.get(..*end)
                && matches!(path.as_bytes().get(*end), None | Some(b'/'))
        });
        let keep = shared.count();
        self.open.truncate(keep);
        let mut at = self.open.last().map_or(0, |(end, _)| *end);
        self.current.clear();
        self.current.push_str(path);
        while at < path.len() {
            let start = if at == 0 { 0 } else { at + 1 };
            let rest = path.get(start..).unwrap_or_default();
            let end = start + rest.find('/').unwrap_or(rest.len());
            let name = path.get(start..end).unwrap_or_default();
            let dir = self.open.last().map_or(&self.root, |(_, dir)| dir).make_or_open_dir(name)?;
            self.open.push((end, dir));
            if self.open.len() > MOST_OPEN {
                self.open.remove(0);
            }
            at = end;
        }
        Ok(())
    }
}

/// Shares the whole blocks of `length` bytes at `offset` in `archive` with `file`, and moves the
/// file's position behind them. Returns the number of bytes shared.
fn share(file: &mut File, archive: &File, offset: u64, length: usize) -> usize {
    let whole = length - length % BLOCK;
    let shared = offset.is_multiple_of(BLOCK as u64)
        && dx_pkg_os::files::clone_range(archive, offset, whole as u64, file).is_ok()
        && file.seek(SeekFrom::Start(whole as u64)).is_ok();
    if shared { whole } else { 0 }
}

#[cfg(test)]
mod tests;

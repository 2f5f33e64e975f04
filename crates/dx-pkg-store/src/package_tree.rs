//! A folder that is being filled with the files of a package.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::time::SystemTime;

use dx_pkg_format::dxp::{FileEntry, FileMode};
use dx_pkg_os::files::{Dir, Identity};

use crate::tables::{FileName, Names, Row, Stamp};

pub(crate) const PLAIN: u32 = 0o644;
/// The block size for sharing, in bytes. A file system with larger blocks refuses to share, and the
/// contents are written.
const BLOCK: usize = 4096;
/// The size from which on files share blocks with the DXP, whose encoder aligns no smaller ones.
const SHARED_FROM: usize = 64 * 1024;

/// A folder that is being filled, in any order.
///
/// Files are created by their paths from the root: opening each folder above them would cost two
/// calls more than it saves.
pub(crate) struct PackageTree {
    root: Dir,
    names: Names,
    /// The number of files so far.
    files: u32,
    /// The folders that were made.
    made: HashSet<Box<str>>,
    /// The folder last used.
    current: String,
    /// The latest change of the files so far.
    changed_ns: i64,
}

impl PackageTree {
    pub(crate) fn new(root: Dir, names: Names) -> Self {
        let (made, current, changed_ns) = (HashSet::new(), String::new(), i64::MIN);
        Self { root, names, files: 0, made, current, changed_ns }
    }

    /// Creates a hard link to the file at `path` in `from`, which has this stamp.
    pub(crate) fn link(&mut self, path: &str, from: &Dir, stamp: Stamp) -> io::Result<Row> {
        let name = self.next_name(path)?;
        self.root.link_from(from, path, name)?;
        self.changed_ns = now_ns();
        Ok(self.next_row(stamp))
    }

    /// Returns the names of the files.
    pub(crate) fn names(&self) -> Names {
        self.names
    }

    /// Returns the name of the next file, and makes the folders above it that are not there.
    fn next_name<'a>(&mut self, path: &'a str) -> io::Result<FileName<'a>> {
        if self.names == Names::Paths {
            self.make_parents(path)?;
        }
        let name = FileName::of(self.names, path, self.files);
        if let Some(folder) = name.new_folder() {
            self.root.create_dir(folder)?;
        }
        Ok(name)
    }

    /// Returns the row of the file that was just added.
    pub(crate) fn added(&mut self, identity: &Identity) -> Row {
        self.changed_ns = self.changed_ns.max(identity.ctime_ns);
        self.next_row(Stamp::of(identity))
    }

    /// Returns the latest change of the files so far, in nanoseconds since 1970.
    pub(crate) fn changed_ns(&self) -> i64 {
        self.changed_ns
    }

    fn next_row(&mut self, stamp: Stamp) -> Row {
        self.files += 1;
        Row { stamp, number: self.files - 1 }
    }

    /// Adds files in the order of their paths, and returns their rows in that order.
    pub(crate) fn add_all(&mut self, files: &[FileEntry<'_>]) -> io::Result<Vec<Row>> {
        let mut sorted: Vec<_> = files.iter().collect();
        sorted.sort_unstable_by_key(|file| file.path);
        sorted.into_iter().map(|file| self.add(file.path, file.mode, file.data)).collect()
    }

    /// Adds a file, and returns its row.
    pub(crate) fn add(&mut self, path: &str, mode: FileMode, contents: &[u8]) -> io::Result<Row> {
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
    ) -> io::Result<Row> {
        let mut file = self.create(path, mode)?;
        let shared = match blocks {
            Some((archive, offset)) if contents.len() >= SHARED_FROM => {
                share(&mut file, archive, offset, contents.len())
            }
            _ => 0,
        };
        file.write_all(contents.get(shared..).unwrap_or_default())?;
        Ok(self.added(&Identity::of_file(&file)?))
    }

    /// Creates an empty file. Once it is written, [`Self::added`] returns its row.
    pub(crate) fn create(&mut self, path: &str, mode: FileMode) -> io::Result<File> {
        let name = self.next_name(path)?;
        self.root.create_file(name, mode.bits())
    }

    /// Removes a file that was added.
    pub(crate) fn remove(&self, path: &str, row: Row) -> io::Result<()> {
        self.root.remove_file(FileName::of(self.names, path, row.number))
    }

    /// Returns the path of the folder made last.
    pub(crate) fn current(&self) -> &str {
        &self.current
    }

    /// Makes the folders above `path` that were not made yet.
    fn make_parents(&mut self, path: &str) -> io::Result<()> {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        if parent == self.current || self.made.contains(parent) {
            return Ok(());
        }
        self.current.clear();
        self.current.push_str(parent);
        for end in parent.match_indices('/').map(|(end, _)| end).chain([parent.len()]) {
            let folder = parent.get(..end).unwrap_or_default();
            if !folder.is_empty() && !self.made.contains(folder) {
                match self.root.create_dir(folder) {
                    // Where case is ignored, it may be there under another name.
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(error);
                    }
                    _ => drop(self.made.insert(folder.into())),
                }
            }
        }
        Ok(())
    }
}

/// Returns the time, in nanoseconds since 1970.
pub(crate) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default()
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

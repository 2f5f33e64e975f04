//! Putting packages into the store: the DXP file first, then the folder of its files.

use std::fs::File;
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::path::Path;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{Compression, Dxp, Encoding, FileEntry};
use dx_pkg_os::{Dir, unique_name};

use crate::layout::Sharded;
use crate::{Folder, Store, StoreError};

pub(crate) const PLAIN: u32 = 0o644;
const EXECUTABLE: u32 = 0o755;
/// What file systems share is made of blocks of this many bytes; with larger ones they refuse, and it is written.
const BLOCK: usize = 4096;
/// Smaller files are written: the package's encoder aligns none of them.
const SHARED_FROM: usize = 64 * 1024;
/// How many pieces systems take in one call.
const MOST_PARTS: usize = 1024;

/// A name in `tmp/` whose file or tree is removed unless it was renamed away.
pub(crate) struct Temporary<'a> {
    store: &'a Store,
    name: String,
    published: bool,
}

impl<'a> Temporary<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, name: unique_name(""), published: false }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.store.folder(Folder::Tmp).join(&self.name)
    }

    /// Gives the file its place, replacing what is there.
    pub(crate) fn publish_file(
        mut self,
        folder: Folder,
        target: &Sharded,
    ) -> Result<(), StoreError> {
        let published = self.store.publish(&self.name, folder, target)?;
        published.map_err(|error| {
            StoreError::io("writing", self.store.folder(folder).join(target))(error)
        })?;
        self.published = true;
        Ok(())
    }

    /// Gives the folder of a package's files its place, unless another process has put the same there meanwhile.
    pub(crate) fn publish_expanded(mut self, id: PackageId) -> Result<(), StoreError> {
        match self.store.publish(&self.name, Folder::Expanded, &Sharded::new(id, ""))? {
            Ok(()) => self.published = true,
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(StoreError::io("writing", self.store.expanded(id))(error)),
        }
        Ok(())
    }

    /// Renames the folder to `name` in `into`.
    pub(crate) fn move_to(mut self, into: &Dir, name: String) -> Result<(), StoreError> {
        let moved = self.store.dir(Folder::Tmp)?.rename(&self.name, into, name);
        moved.map_err(|error| StoreError::io("moving", self.path())(error))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.published {
            // What cannot be removed is garbage that emptying the trash removes later.
            let _ = dx_pkg_os::remove_tree(&self.path());
        }
    }
}

impl Store {
    /// Stores a package: its DXP file, then its files, expanded.
    ///
    /// An entry another process made meanwhile is kept, as the same id means the same contents.
    ///
    /// # Errors
    /// When a path is unsafe or repeated, or the file system refuses; nothing half-made becomes visible.
    pub fn insert(
        &self,
        id: PackageId,
        integrity: Option<&Integrity>,
        files: &[FileEntry<'_>],
    ) -> Result<(), StoreError> {
        let encoding = Encoding::new(files, integrity, Compression::Stored)
            .map_err(|source| StoreError::Unstorable { id, source })?;
        self.write_file(Folder::Packages, &Sharded::new(id, ".dxp"), |file| {
            write_parts(file, encoding.parts())
        })?;
        // The blocks of a file just written are not on the device yet: to share them would be to wait for it.
        self.insert_expanded(id, |tree| tree.add_all(files))
    }

    /// Makes sure the package's files are there, from its DXP file where they are not; says whether they are.
    ///
    /// A damaged DXP file counts as missing and is put into the trash, so that the package is fetched again; so are files
    /// without one, which nothing vouches for.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn ensure_expanded(&self, id: PackageId) -> Result<bool, StoreError> {
        if self.has(id) {
            return Ok(true);
        }
        let (package, archive) = match self.open_package_file(id) {
            Ok(Some(opened)) => opened,
            Ok(None) => {
                if self.entry(Folder::Expanded, id, "").is_some() {
                    self.trash(&self.expanded(id))?;
                }
                return Ok(false);
            }
            Err(StoreError::Damaged { path, .. }) => return self.trash(&path).map(|_| false),
            Err(error) => return Err(error),
        };
        let mut damage = None;
        let expanded = self
            .insert_expanded(id, |tree| write_verified(tree, package.dxp(), &archive, &mut damage));
        match damage {
            None => expanded.map(|()| true),
            Some(_) => self.trash(&self.package_path(id)).map(|_| false),
        }
    }

    /// Writes a file in `tmp/` and renames it to its place, replacing what is there.
    pub(crate) fn write_file(
        &self,
        folder: Folder,
        target: &Sharded,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let tmp = self.dir(Folder::Tmp)?;
        let temporary = Temporary::new(self);
        let path = || self.folder(folder).join(target);
        let mut file = tmp
            .create_file(&temporary.name, PLAIN)
            .map_err(StoreError::io("creating", temporary.path()))?;
        write(&mut file).map_err(StoreError::io("writing", path()))?;
        temporary.publish_file(folder, target)
    }

    pub(crate) fn insert_expanded(
        &self,
        id: PackageId,
        fill: impl FnOnce(&mut Tree) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let temporary = Temporary::new(self);
        let root = self.dir(Folder::Tmp)?.make_dir(&temporary.name);
        let mut tree = Tree::new(root.map_err(StoreError::io("creating", temporary.path()))?);
        fill(&mut tree).map_err(|source| {
            let path = self.expanded(id).join(&tree.current);
            StoreError::io("writing", path)(source)
        })?;
        temporary.publish_expanded(id)
    }
}

/// Whether a folder could not be renamed because another process has made the same one.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

/// Writes the parts where they are: gathering them in a buffer first takes up to twice as long.
pub(crate) fn write_parts<'p>(
    file: &mut File,
    parts: impl Iterator<Item = &'p [u8]>,
) -> io::Result<()> {
    let mut parts: Vec<_> = parts.map(IoSlice::new).collect();
    for batch in parts.chunks_mut(MOST_PARTS) {
        let mut rest = batch;
        while !rest.is_empty() {
            match file.write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn write_verified(
    tree: &mut Tree,
    dxp: Dxp<'_>,
    archive: &File,
    damage: &mut Option<FormatError>,
) -> io::Result<()> {
    for entry in dxp.entries() {
        match dxp.read_verified(&entry) {
            Ok(contents) => {
                let blocks = entry.stored_at().map(|offset| (archive, offset));
                tree.add_sharing(entry.path, entry.executable, &contents, blocks)?;
            }
            Err(error) => {
                *damage = Some(error);
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
    Ok(())
}

/// Gives `file` as many whole blocks of `length` bytes at `offset` in `archive` as can be shared, and says how many bytes
/// these are; the file is then written to from there on.
fn share(file: &mut File, archive: &File, offset: u64, length: usize) -> usize {
    let whole = length - length % BLOCK;
    let shared = offset.is_multiple_of(BLOCK as u64)
        && dx_pkg_os::clone_range(archive, offset, whole as u64, file).is_ok()
        && file.seek(SeekFrom::Start(whole as u64)).is_ok();
    if shared { whole } else { 0 }
}

/// A folder being filled with files in any order, cheapest when files of one folder follow each other.
pub(crate) struct Tree {
    root: Dir,
    /// The folders from the root to the one last written to, and where their names end in `current`.
    open: Vec<(usize, Dir)>,
    current: String,
}

impl Tree {
    pub(crate) fn new(root: Dir) -> Self {
        Self { root, open: Vec::new(), current: String::new() }
    }

    /// Gives the file at `path` in `from` a second name at the same path here.
    pub(crate) fn link(&mut self, path: &str, from: &Dir) -> io::Result<()> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.enter(parent)?;
        self.open.last().map_or(&self.root, |(_, dir)| dir).link_from(from, path, name)
    }

    /// Adds files, those of one folder after each other.
    pub(crate) fn add_all(&mut self, files: &[FileEntry<'_>]) -> io::Result<()> {
        let mut sorted: Vec<_> = files.iter().collect();
        sorted.sort_unstable_by_key(|file| file.path);
        sorted.into_iter().try_for_each(|file| self.add(file.path, file.executable, file.data))
    }

    pub(crate) fn add(&mut self, path: &str, executable: bool, contents: &[u8]) -> io::Result<()> {
        self.add_sharing(path, executable, contents, None)
    }

    /// Adds a file; `blocks` are where the same contents are stored in another file, whose blocks it then shares where
    /// the file system can do that.
    fn add_sharing(
        &mut self,
        path: &str,
        executable: bool,
        contents: &[u8],
        blocks: Option<(&File, u64)>,
    ) -> io::Result<()> {
        let mut file = self.create(path, executable)?;
        let shared = match blocks {
            Some((archive, offset)) if contents.len() >= SHARED_FROM => {
                share(&mut file, archive, offset, contents.len())
            }
            _ => 0,
        };
        file.write_all(contents.get(shared..).unwrap_or_default())
    }

    /// Creates an empty file.
    pub(crate) fn create(&mut self, path: &str, executable: bool) -> io::Result<File> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.enter(parent)?;
        let dir = self.open.last().map_or(&self.root, |(_, dir)| dir);
        dir.create_file(Path::new(name), if executable { EXECUTABLE } else { PLAIN })
    }

    pub(crate) fn root(&self) -> &Dir {
        &self.root
    }

    /// Opens the folder `path`, reusing what is open of the way there.
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
            at = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

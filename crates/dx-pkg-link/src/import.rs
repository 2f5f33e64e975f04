//! Import of single files from the store into a tree.
//!
//! A hard link is the cheapest and the default, then a reflink, then a file written with contents
//! whose digest was checked. A method that the file systems refuse for one file
//! is not tried for later ones. A file that must not be shared, or must differ from the store's in
//! its mode or first line, is never a hard link, so nothing here alters the store. Measured in
//! docs/design/0003-import-strategies.md.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::io::{self, Read};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{Dxp, Entry, FileMode};
use dx_pkg_os::files::Dir;
#[cfg(unix)]
use dx_pkg_os::files::{Durability, write_atomic};
use dx_pkg_store::{Package, PackageFiles, PackageTables, Store};

use crate::LinkError;

#[cfg(test)]
mod tests;

/// The number of bytes of a command's file that are searched for the end of its first line.
const FIRST_LINE: usize = 2048;

/// The setting `package-import-method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportMethod {
    /// Hard links where possible, else reflinks, else copies. Files that must not be shared are
    /// reflinks or copies.
    #[default]
    Auto,
    /// Reflinks, copies that share their blocks with the store; an error if the file systems
    /// cannot.
    Clone,
    /// Reflinks where possible, else copies.
    CloneOrCopy,
    /// Hard links; an error if the file systems cannot.
    Hardlink,
    /// Copies that share nothing.
    Copy,
}

/// The files, folders and bytes of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) directories: u64,
    pub(crate) hardlinks: u64,
    pub(crate) reflinks: u64,
    pub(crate) copies: u64,
    pub(crate) moves: u64,
    pub(crate) packages_moved: u64,
    pub(crate) symlinks: u64,
    pub(crate) bytes_saved: u64,
    pub(crate) bytes_copied: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.directories += other.directories;
        self.hardlinks += other.hardlinks;
        self.reflinks += other.reflinks;
        self.copies += other.copies;
        self.moves += other.moves;
        self.packages_moved += other.packages_moved;
        self.symlinks += other.symlinks;
        self.bytes_saved += other.bytes_saved;
        self.bytes_copied += other.bytes_copied;
    }
}

/// The requirements on a file in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Equal to the store's, may be shared.
    Shared,
    /// Equal to the store's, must not be shared.
    Private,
    /// Executable, without a carriage return after its interpreter line. If `private`, it must not
    /// be shared.
    Command { private: bool },
}

/// A package that is being linked.
pub(crate) struct Source<'a> {
    store: &'a Store,
    id: PackageId,
    /// Its path in the tree, for errors.
    path: &'a str,
    /// Its tables.
    pub(crate) dxp: Dxp<'a>,
    /// The package with contents, opened on first use.
    whole: OnceCell<Package>,
    expanded: Option<PackageFiles>,
}

impl Source<'_> {
    fn read(&self, entry: &Entry<'_>) -> Result<Cow<'_, [u8]>, LinkError> {
        let id = || self.id.to_string();
        let missing = || LinkError::MissingPackage { path: self.path.to_owned(), id: id() };
        let package = match self.whole.get() {
            Some(package) => package,
            None => {
                let opened = self
                    .store
                    .open_package(self.id)
                    .map_err(|source| LinkError::Store { id: id(), source })?;
                let opened = opened.ok_or_else(missing)?;
                self.whole.get_or_init(|| opened)
            }
        };
        // The entry is looked up again, as the package may have been stored anew meanwhile.
        let entry = package.dxp().find(entry.path).ok_or_else(missing)?;
        let read = package.read(&entry);
        read.map_err(|source| LinkError::Corrupt { id: id(), file: entry.path.to_owned(), source })
    }

    /// Reads the start of a file, from the expanded folder if there is one, which needs no
    /// decompression. Returns its length.
    fn first_line(
        &self,
        entry: &Entry<'_>,
        buffer: &mut [u8; FIRST_LINE],
    ) -> Result<usize, LinkError> {
        if let Some(mut file) = self.expanded.as_ref().and_then(|files| files.open(entry).ok())
            && let Ok(length) = file.read(buffer)
        {
            return Ok(length);
        }
        let data = self.read(entry)?;
        let length = data.len().min(FIRST_LINE);
        buffer[..length].copy_from_slice(&data[..length]);
        Ok(length)
    }
}

/// A package's folder in the tree being built.
#[derive(Clone, Copy)]
pub(crate) struct Folder<'a> {
    pub(crate) dir: &'a Dir,
    /// Its path relative to the project, for errors.
    pub(crate) path: &'a str,
}

impl Folder<'_> {
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        Path::new(self.path).join(name)
    }

    fn write(
        &self,
        name: &str,
        data: &[u8],
        mode: FileMode,
        counts: &mut Counts,
    ) -> Result<(), LinkError> {
        self.dir
            .write_file(name, data, mode.bits())
            .map_err(LinkError::io("write", self.at(name)))?;
        counts.copies += 1;
        counts.bytes_copied += data.len() as u64;
        Ok(())
    }
}

/// The import method of a run, narrowed by the refusals of the file systems.
pub(crate) struct Importer {
    method: ImportMethod,
    /// Whether the store's files need no look before they are linked.
    is_checked: bool,
    /// The number of bytes that are still compared with digests.
    compares_bytes: AtomicU64,
    hardlinks: AtomicBool,
    reflinks: AtomicBool,
}

impl Importer {
    pub(crate) fn new(method: ImportMethod, is_checked: bool, compares_bytes: u64) -> Self {
        Self {
            method,
            is_checked,
            compares_bytes: AtomicU64::new(compares_bytes),
            hardlinks: AtomicBool::new(matches!(
                method,
                ImportMethod::Auto | ImportMethod::Hardlink
            )),
            reflinks: AtomicBool::new(method != ImportMethod::Copy),
        }
    }

    /// Opens a package's files; the expanded ones only if a method can use them, after a check that
    /// no project has written to them.
    pub(crate) fn source<'a>(
        &self,
        store: &'a Store,
        id: PackageId,
        path: &'a str,
        package: &'a PackageTables,
    ) -> Source<'a> {
        let mut source = self.unchecked_source(store, id, path, package);
        if self.is_checked {
            return source;
        }
        let expanded = source.expanded.take();
        source.expanded =
            expanded.and_then(|files| checked(store, id, files, &self.compares_bytes));
        source
    }

    /// Opens the files of a package that this process has just unpacked.
    pub(crate) fn unchecked_source<'a>(
        &self,
        store: &'a Store,
        id: PackageId,
        path: &'a str,
        package: &'a PackageTables,
    ) -> Source<'a> {
        let wanted =
            self.hardlinks.load(Ordering::Relaxed) || self.reflinks.load(Ordering::Relaxed);
        let expanded = wanted.then(|| store.open_files(id, package).ok()).flatten();
        Source { store, id, path, dxp: package.dxp(), whole: OnceCell::new(), expanded }
    }

    /// Returns whether a package's expanded folder fits the tree with no file changed.
    pub(crate) fn fits_whole(source: &Source<'_>, commands: &[String]) -> bool {
        let as_it_is = |file: &String| {
            let Some(entry) = source.dxp.find(file) else { return true };
            let mut buffer = [0; FIRST_LINE];
            entry.mode.is_executable()
                && source
                    .first_line(&entry, &mut buffer)
                    .is_ok_and(|length| carriage_return(&buffer[..length]).is_none())
        };
        source.expanded.is_some() && commands.iter().all(as_it_is)
    }

    /// Returns whether folders may be moved out of the store.
    pub(crate) fn moves(&self) -> bool {
        self.method == ImportMethod::Auto
    }

    /// Returns whether folders are cloned by one call.
    pub(crate) fn clones_trees(&self) -> bool {
        dx_pkg_os::files::CLONES_TREES
            && self.method != ImportMethod::Hardlink
            && self.reflinks.load(Ordering::Relaxed)
    }

    /// Creates the file of the package's `entry` in `into`.
    pub(crate) fn file(
        &self,
        source: &Source<'_>,
        entry: &Entry<'_>,
        into: Folder<'_>,
        need: Need,
        counts: &mut Counts,
    ) -> Result<(), LinkError> {
        let at = || into.at(entry.path);
        let (private, mode) = match need {
            Need::Shared => (false, entry.mode),
            Need::Private => (true, entry.mode),
            Need::Command { private } => {
                let mut buffer = [0; FIRST_LINE];
                let length = source.first_line(entry, &mut buffer)?;
                if let Some(end) = carriage_return(&buffer[..length]) {
                    let mut data = source.read(entry)?.into_owned();
                    data.remove(end);
                    return into.write(entry.path, &data, FileMode::EXECUTABLE, counts);
                }
                (private || !entry.mode.is_executable(), FileMode::EXECUTABLE)
            }
        };
        if let Some(expanded) = &source.expanded {
            if !private && self.hardlinks.load(Ordering::Relaxed) {
                match expanded.link(entry, into.dir, entry.path) {
                    Ok(()) => {
                        counts.hardlinks += 1;
                        counts.bytes_saved += entry.size;
                        return Ok(());
                    }
                    Err(error) => self.refused_link(error, &at)?,
                }
            }
            if mode == entry.mode && self.reflinks.load(Ordering::Relaxed) {
                match expanded.reflink(entry, into.dir, entry.path, mode.bits()) {
                    Ok(()) => {
                        counts.reflinks += 1;
                        counts.bytes_saved += entry.size;
                        return Ok(());
                    }
                    Err(error) => self.refused_reflink(error, &at)?,
                }
            }
        }
        into.write(entry.path, &source.read(entry)?, mode, counts)
    }

    /// Handles a refused hard link: `Ok` if another method is to be used.
    fn refused_link(&self, error: io::Error, at: &dyn Fn() -> PathBuf) -> Result<(), LinkError> {
        use io::ErrorKind::{
            CrossesDevices, NotFound, PermissionDenied, TooManyLinks, Unsupported,
        };
        match error.kind() {
            // The file has all the links that the file system allows, or is gone: only this one is
            // copied.
            TooManyLinks | NotFound => Ok(()),
            CrossesDevices | PermissionDenied | Unsupported => {
                if self.method == ImportMethod::Hardlink {
                    return Err(LinkError::MethodUnsupported {
                        method: "hardlink",
                        path: at(),
                        source: error,
                    });
                }
                self.hardlinks.store(false, Ordering::Relaxed);
                Ok(())
            }
            _ => Err(LinkError::io("link", at())(error)),
        }
    }

    /// Handles a refused reflink: `Ok` if the file is to be copied.
    fn refused_reflink(&self, error: io::Error, at: &dyn Fn() -> PathBuf) -> Result<(), LinkError> {
        use io::ErrorKind::{NotFound, PermissionDenied, Unsupported};
        match error.kind() {
            // The expanded file is missing or unreadable, which reading it will tell.
            NotFound | PermissionDenied => Ok(()),
            Unsupported if self.method == ImportMethod::Clone => {
                Err(LinkError::MethodUnsupported { method: "clone", path: at(), source: error })
            }
            Unsupported => {
                self.reflinks.store(false, Ordering::Relaxed);
                Ok(())
            }
            _ => Err(LinkError::io("copy", at())(error)),
        }
    }
}

/// Returns the package's files, unaltered: those that were written to in a project are replaced
/// first. `None` if they cannot be; the package then counts as missing.
fn checked(
    store: &Store,
    id: PackageId,
    files: PackageFiles,
    compares_bytes: &AtomicU64,
) -> Option<PackageFiles> {
    if store.is_own(id) || store.is_unaltered(id, &files, compares_bytes).ok()? {
        return Some(files);
    }
    // What was replaced has the same name.
    store.repair_expanded(id, None).ok()?.is_complete.then_some(files)
}

/// Returns the position of a carriage return at the end of an interpreter line: the kernel would
/// look for `node\r`.
pub(crate) fn carriage_return(start: &[u8]) -> Option<usize> {
    let line =
        start.strip_prefix(b"#!").and_then(|_| start.iter().position(|byte| *byte == b'\n'))?;
    (start[line - 1] == b'\r').then(|| line - 1)
}

/// Makes a linked folder's command executable, as npm does. The file is the project's, not the
/// store's; what is outside of the project, or is reached by a link that leads there, is not
/// touched.
#[cfg(unix)]
pub(crate) fn repair_in_place(project: &Path, path: &Path) -> Result<(), LinkError> {
    use std::os::unix::fs::PermissionsExt;

    let fail = LinkError::io("make executable", path);
    let repair = || -> io::Result<()> {
        let place = path.canonicalize()?;
        if !place.starts_with(project.canonicalize()?) || !place.is_file() {
            return Ok(());
        }
        let mut data = Vec::new();
        let mut file = std::fs::File::open(&place)?;
        (&mut file).take(FIRST_LINE as u64).read_to_end(&mut data)?;
        let mode = file.metadata()?.permissions().mode();
        let end = carriage_return(&data);
        if let Some(end) = end {
            file.read_to_end(&mut data)?;
            data.remove(end);
            write_atomic(&place, &data, Durability::Fsync)?;
        }
        if end.is_some() || mode & 0o111 != 0o111 {
            let mode = std::fs::Permissions::from_mode(mode & 0o777 | 0o111);
            std::fs::set_permissions(&place, mode)?;
        }
        Ok(())
    };
    repair().map_err(fail)
}

/// Does nothing: Windows starts commands through their shims.
#[cfg(not(unix))]
pub(crate) fn repair_in_place(_project: &Path, _path: &Path) -> Result<(), LinkError> {
    Ok(())
}

/// Returns why the system cannot start a command's file; `None` where it can, or the file cannot be
/// looked at.
#[cfg(unix)]
#[must_use]
pub fn start_problem(path: &Path) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt;

    // A named pipe would be waited for.
    let facts = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut start = Vec::new();
    std::fs::File::open(path).ok()?.take(FIRST_LINE as u64).read_to_end(&mut start).ok()?;
    match facts.permissions().mode() & 0o111 {
        0 => Some("is not executable"),
        _ => carriage_return(&start).map(|_| "has a carriage return after its first line"),
    }
}

/// Returns `None`: Windows starts commands through their shims.
#[cfg(not(unix))]
#[must_use]
pub fn start_problem(_path: &Path) -> Option<&'static str> {
    None
}

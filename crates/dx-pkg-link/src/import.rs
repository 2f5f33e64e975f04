//! How one file of a package gets from the store into a tree.
//!
//! A hard link is the cheapest and the default, then a reflink, then a file written from the package's DXP, which
//! needs no second look-up. What the file systems refuse for the first file is not tried for the others: the first
//! file is the trial. A file that must differ from the store's (its mode or its first line) or must not be shared
//! is never a hard link, so nothing here ever alters the store. Measured in docs/design/0003-import-strategies.md.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::io::{self, Read};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{Dxp, Entry};
use dx_pkg_os::Dir;
#[cfg(unix)]
use dx_pkg_os::{Durability, write_atomic};
use dx_pkg_store::{Package, PackageTables, Store};

use crate::LinkError;

#[cfg(test)]
mod tests;

/// How much of a command's file is searched for the end of its first line.
const FIRST_LINE: usize = 2048;

/// The setting `package-import-method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportMethod {
    /// Hard links where possible, else reflinks, else copies. What must not be shared is a reflink or a copy.
    #[default]
    Auto,
    /// Reflinks: copies that share their blocks with the store; an error where the file systems cannot.
    Clone,
    /// Reflinks where possible, else copies.
    CloneOrCopy,
    /// Hard links; an error where the file systems cannot.
    Hardlink,
    /// Copies that share nothing.
    Copy,
}

/// What was done, in files, folders and bytes.
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

/// What a file must be like once it is in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// As in the store; sharing allowed.
    Shared,
    /// As in the store; not shared.
    Private,
    /// Executable and without a carriage return after its interpreter line; `private` as above.
    Command { private: bool },
}

/// A package about to be linked.
pub(crate) struct Source<'a> {
    store: &'a Store,
    id: PackageId,
    /// Where it is to lie, for errors.
    path: &'a str,
    /// Its files, without contents.
    pub(crate) dxp: Dxp<'a>,
    /// With contents, once one of them was needed.
    whole: OnceCell<Package>,
    expanded: Option<Dir>,
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
        // It may have been stored anew since its tables were read, so its own are asked.
        let entry = package.dxp().find(entry.path).ok_or_else(missing)?;
        let read = package.read(&entry);
        read.map_err(|source| LinkError::Corrupt { id: id(), file: entry.path.to_owned(), source })
    }

    /// The start of a file, from the expanded copy where there is one: it need not be decompressed.
    fn first_line(
        &self,
        entry: &Entry<'_>,
        buffer: &mut [u8; FIRST_LINE],
    ) -> Result<usize, LinkError> {
        if let Some(mut file) =
            self.expanded.as_ref().and_then(|dir| dir.open_file(entry.path).ok())
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
    /// Where it is to lie, relative to the project: for errors.
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
        executable: bool,
        counts: &mut Counts,
    ) -> Result<(), LinkError> {
        self.dir
            .write_file(name, data, mode(executable))
            .map_err(LinkError::io("write", self.at(name)))?;
        counts.copies += 1;
        counts.bytes_copied += data.len() as u64;
        Ok(())
    }
}

/// The strategy of a run, settled by what the file systems answer.
pub(crate) struct Importer {
    method: ImportMethod,
    hardlinks: AtomicBool,
    reflinks: AtomicBool,
}

impl Importer {
    pub(crate) fn new(method: ImportMethod) -> Self {
        Self {
            method,
            hardlinks: AtomicBool::new(matches!(
                method,
                ImportMethod::Auto | ImportMethod::Hardlink
            )),
            reflinks: AtomicBool::new(method != ImportMethod::Copy),
        }
    }

    /// Prepares a package's files; the expanded ones are opened only where they can be of use.
    pub(crate) fn source<'a>(
        &self,
        store: &'a Store,
        id: PackageId,
        path: &'a str,
        package: &'a PackageTables,
    ) -> Source<'a> {
        let wanted =
            self.hardlinks.load(Ordering::Relaxed) || self.reflinks.load(Ordering::Relaxed);
        let open = || match store.open_expanded(id) {
            Err(_) if store.ensure_expanded(id).is_ok() => store.open_expanded(id),
            opened => opened,
        };
        // Without expanded files everything is written from the DXP.
        let expanded = wanted.then(open).and_then(Result::ok);
        Source { store, id, path, dxp: package.dxp(), whole: OnceCell::new(), expanded }
    }

    /// Whether a package's folder can be put in place as it is in the store, none of its files changed.
    pub(crate) fn fits_whole(source: &Source<'_>, commands: &[String]) -> bool {
        let as_it_is = |file: &String| {
            let Some(entry) = source.dxp.find(file) else { return true };
            let mut buffer = [0; FIRST_LINE];
            entry.executable
                && source
                    .first_line(&entry, &mut buffer)
                    .is_ok_and(|length| carriage_return(&buffer[..length]).is_none())
        };
        source.expanded.is_some() && commands.iter().all(as_it_is)
    }

    /// Whether folders may be moved out of the store.
    pub(crate) fn moves(&self) -> bool {
        self.method == ImportMethod::Auto
    }

    /// Whether folders are to be cloned by one call.
    pub(crate) fn clones_trees(&self) -> bool {
        dx_pkg_os::CLONES_TREES
            && self.method != ImportMethod::Hardlink
            && self.reflinks.load(Ordering::Relaxed)
    }

    /// Makes `name` in `into` from the package's `entry`; `at` is the place's path, for errors.
    pub(crate) fn file(
        &self,
        source: &Source<'_>,
        entry: &Entry<'_>,
        into: Folder<'_>,
        need: Need,
        counts: &mut Counts,
    ) -> Result<(), LinkError> {
        let at = || into.at(entry.path);
        let (private, executable) = match need {
            Need::Shared => (false, entry.executable),
            Need::Private => (true, entry.executable),
            Need::Command { private } => {
                let mut buffer = [0; FIRST_LINE];
                let length = source.first_line(entry, &mut buffer)?;
                if let Some(end) = carriage_return(&buffer[..length]) {
                    let mut data = source.read(entry)?.into_owned();
                    data.remove(end);
                    return into.write(entry.path, &data, true, counts);
                }
                (private || !entry.executable, true)
            }
        };
        if let Some(expanded) = &source.expanded {
            if !private && self.hardlinks.load(Ordering::Relaxed) {
                match into.dir.link_from(expanded, entry.path, entry.path) {
                    Ok(()) => {
                        counts.hardlinks += 1;
                        counts.bytes_saved += entry.size;
                        return Ok(());
                    }
                    Err(error) => self.refused_link(error, &at)?,
                }
            }
            if executable == entry.executable && self.reflinks.load(Ordering::Relaxed) {
                match dx_pkg_os::reflink(expanded, entry.path, into.dir, entry.path, executable) {
                    Ok(()) => {
                        counts.reflinks += 1;
                        counts.bytes_saved += entry.size;
                        return Ok(());
                    }
                    Err(error) => self.refused_reflink(error, &at)?,
                }
            }
        }
        into.write(entry.path, &source.read(entry)?, executable, counts)
    }

    /// Judges a refused hard link: `Ok` when the file is to be copied instead.
    fn refused_link(&self, error: io::Error, at: &dyn Fn() -> PathBuf) -> Result<(), LinkError> {
        use io::ErrorKind::{
            CrossesDevices, NotFound, PermissionDenied, TooManyLinks, Unsupported,
        };
        match error.kind() {
            // One file has as many names as the file system allows, or was deleted in the store: copy this one.
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

    /// Judges a refused reflink: `Ok` when the file is to be copied instead.
    fn refused_reflink(&self, error: io::Error, at: &dyn Fn() -> PathBuf) -> Result<(), LinkError> {
        use io::ErrorKind::{NotFound, PermissionDenied, Unsupported};
        match error.kind() {
            // Lost from the expanded package, or not to be read there: the DXP has it.
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

/// The mode a file is created with; the process's umask applies.
fn mode(executable: bool) -> u32 {
    if executable { 0o777 } else { 0o666 }
}

/// Where the carriage return that ends an interpreter line is, if there is one: the kernel would look for `node\r`.
pub(crate) fn carriage_return(start: &[u8]) -> Option<usize> {
    let line =
        start.strip_prefix(b"#!").and_then(|_| start.iter().position(|byte| *byte == b'\n'))?;
    (start[line - 1] == b'\r').then(|| line - 1)
}

/// Makes a linked folder's command runnable, as npm does: the file belongs to the project, not to the store.
#[cfg(unix)]
pub(crate) fn repair_in_place(path: &Path) -> Result<(), LinkError> {
    use std::os::unix::fs::PermissionsExt;

    let fail = LinkError::io("make executable", path);
    let repair = || -> io::Result<()> {
        let mut data = Vec::new();
        let mut file = std::fs::File::open(path)?;
        (&mut file).take(FIRST_LINE as u64).read_to_end(&mut data)?;
        let mode = file.metadata()?.permissions().mode();
        let end = carriage_return(&data);
        if let Some(end) = end {
            file.read_to_end(&mut data)?;
            data.remove(end);
            write_atomic(path, &data, Durability::Fsync)?;
        }
        if end.is_some() || mode & 0o111 != 0o111 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o777 | 0o111))?;
        }
        Ok(())
    };
    repair().map_err(fail)
}

/// Nothing to do: Windows starts commands through their shims.
#[cfg(not(unix))]
pub(crate) fn repair_in_place(_path: &Path) -> Result<(), LinkError> {
    Ok(())
}

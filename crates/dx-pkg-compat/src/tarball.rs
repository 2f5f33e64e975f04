//! Package tarballs: gzip and tar in memory, with npm's rules about which entries become files.
//!
//! A tarball is untrusted. [`unpack`] inflates a complete one into a buffer that [`Unpacked`] owns;
//! entries are slices of it. [`Entries`] reads one that is large or still arriving. Nothing is
//! written to disk here.
//!
//! npm 12's rules, which this module follows: the first segment of every name is dropped; only
//! regular files are extracted (folders come with their files; links, devices and pipes are left
//! out); of two entries with one name the last counts; `.gitignore` becomes `.npmignore` unless
//! there is one already; of a file's mode only the bits to execute count.

mod collisions;
mod error;
mod header;
mod inflate;
mod members;
mod names;
mod order;
mod path;
mod reader;
mod stream;
#[cfg(test)]
mod tests;

use std::ops::Range;

use dx_pkg_core::buffer::Buffer;
use dx_pkg_format::dxp::{FileEntry, FileMode};

pub use self::error::{PathProblem, StreamError, TarballError};
use self::header::Kind;
use self::names::Names;
pub use self::order::names_in_order;
pub use self::path::NameRules;
pub(crate) use self::path::check_path;
use self::reader::Reader;
pub use self::stream::{Entries, StreamedFile};

const MIB: u64 = 1024 * 1024;

/// The most bytes that a package may unpack to, unless `max-package-size` allows more.
pub const MAX_PACKAGE_SIZE: u64 = 1_000_000_000;
/// The most headers and folders of a package that may unpack to that.
const MAX_ENTRIES: usize = 150_000;
/// The most entries that are listed as skipped.
const MOST_SKIPPED: usize = 1_000;

/// The limits and rules for a tarball.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The limit on decompressed bytes.
    pub max_bytes: u64,
    /// The limit on headers, those of folders and extensions included.
    pub max_entries: usize,
    /// The limit on bytes per compressed byte, above `ratio_floor`.
    pub max_ratio: u64,
    /// The number of decompressed bytes up to which no ratio is too high.
    pub ratio_floor: u64,
    /// The limit on the bytes of all paths, each folder above them counted once.
    pub max_path_bytes: u64,
    /// The limit on the bytes of the package's `package.json`, and of those of bundled packages.
    pub max_manifest: u64,
    /// The names that can be stored.
    pub names: NameRules,
    /// Whether to refuse names that differ only in case or Unicode form, for file systems that hold
    /// them equal.
    pub refuse_folded_collisions: bool,
    /// Whether to keep the name of `.gitignore`, as for the sources of a git dependency.
    pub keep_gitignore: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: MAX_PACKAGE_SIZE,
            max_entries: MAX_ENTRIES,
            max_ratio: 100,
            ratio_floor: 128 * MIB,
            max_path_bytes: 32 * MIB,
            max_manifest: 4 * MIB,
            names: NameRules::host(),
            refuse_folded_collisions: cfg!(any(windows, target_os = "macos")),
            keep_gitignore: false,
        }
    }
}

impl Limits {
    /// Returns the limits for packages that may unpack to `bytes` bytes, as the user allowed;
    /// without a number, the usual ones. What was allowed may have any ratio.
    #[must_use]
    pub fn allowing(bytes: Option<u64>) -> Self {
        let usual = Self::default();
        match bytes {
            Some(max_bytes) => {
                let entries = max_bytes / (MAX_PACKAGE_SIZE / MAX_ENTRIES as u64);
                let entries = usize::try_from(entries).unwrap_or(usize::MAX);
                let max_entries = entries.max(MAX_ENTRIES);
                Self { max_bytes, max_entries, max_ratio: u64::MAX, ..usual }
            }
            None => usual,
        }
    }
}

/// The files of a tarball, sorted by path, each path once.
pub struct Unpacked {
    archive: Buffer,
    paths: String,
    files: Vec<File>,
    skipped: Vec<Skipped>,
}

/// An entry that is not extracted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name in the archive, escaped for display.
    pub name: String,
    /// The reason.
    pub kind: SkippedKind,
}

/// The reason why an entry is not extracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkippedKind {
    /// A symbolic link.
    Symlink,
    /// A hard link.
    Hardlink,
    /// A character or block device.
    Device,
    /// A named pipe.
    Fifo,
    /// A file beside the package's folder.
    OutsideFolder,
}

struct File {
    path: Range<usize>,
    data: Range<usize>,
    mode: FileMode,
    /// A `.gitignore` beside a real `.npmignore`.
    renamed: bool,
}

/// Decompresses and reads a package's tarball, or a tar archive that is not compressed.
///
/// # Errors
/// [`TarballError`] for a tarball that is damaged, too large or hostile; nothing is extracted in
/// part.
pub fn unpack(tgz: &[u8], limits: &Limits) -> Result<Unpacked, TarballError> {
    let mut unpacked = Unpacked {
        archive: inflate::inflate(tgz, limits)?,
        paths: String::new(),
        files: Vec::new(),
        skipped: Vec::new(),
    };
    unpacked.read(limits)?;
    unpacked.keep_last_of_each_path();
    let paths: Vec<&str> = unpacked.files.iter().map(|f| unpacked.path(f)).collect();
    collisions::check(&paths, limits)?;
    Ok(unpacked)
}

/// Unpacks a tarball as [`unpack`] does, unless that takes more than `memory` bytes beside `tgz`;
/// then `None`, and [`Entries`] reads it.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_within(
    tgz: &[u8],
    limits: &Limits,
    memory: u64,
) -> Result<Option<Unpacked>, TarballError> {
    let told = unpacked_size(tgz);
    if told > memory.min(limits.max_bytes) {
        return Ok(None);
    }
    // What inflates to more than it states is read as if it were large.
    match unpack(tgz, &Limits { max_bytes: told, ratio_floor: told, ..limits.clone() }) {
        Err(TarballError::TooLarge { .. } | TarballError::Ratio { .. }) => Ok(None),
        unpacked => unpacked.map(Some),
    }
}

/// Returns the number of bytes that [`unpack`] will probably need beside `tgz`, as the tarball
/// states it, unchecked.
#[must_use]
pub fn unpacked_size(tgz: &[u8]) -> u64 {
    inflate::told_length(tgz).map_or(tgz.len() as u64, u64::from)
}

/// Checks that `paths`, which are sorted and unique, can be files of one folder on this platform.
pub(crate) fn check_collisions(paths: &[&str]) -> Result<(), TarballError> {
    collisions::check(paths, &Limits::default())
}

/// Checks files, sorted by path, that did not come in a tarball, by the rules for those that do:
/// each is a path and a size in bytes.
///
/// # Errors
/// [`TarballError`] for files that no tarball may have.
pub fn check_files(files: &[(&str, u64)], limits: &Limits) -> Result<(), TarballError> {
    let mut names = Names::default();
    let mut bytes = 0_u64;
    for (path, size) in files {
        let refused =
            |problem| TarballError::UnsafePath { entry: error::escaped(path.as_bytes()), problem };
        if path::check_path(path, limits.names).map_err(refused)? != *path {
            return Err(refused(PathProblem::Empty));
        }
        names.add(path, limits)?;
        check_manifest(path, *size, limits)?;
        bytes = bytes.saturating_add(*size);
    }
    if files.len() > limits.max_entries {
        return Err(TarballError::TooManyEntries { limit: limits.max_entries });
    }
    if bytes > limits.max_bytes {
        return Err(TarballError::TooLarge { limit: limits.max_bytes });
    }
    let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    collisions::check(&paths, limits)
}

impl Unpacked {
    /// Returns the files, sorted by path.
    #[must_use]
    pub fn entries(&self) -> Vec<FileEntry<'_>> {
        self.files.iter().map(|file| self.entry(file)).collect()
    }

    /// Returns the file at `path`, such as `package.json`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<FileEntry<'_>> {
        let at = self.files.binary_search_by(|file| self.path(file).cmp(path)).ok()?;
        self.files.get(at).map(|file| self.entry(file))
    }

    /// Lets all execute the file at `path`, as npm does with the targets of `bin`; returns whether
    /// there is one.
    pub fn set_executable(&mut self, path: &str) -> bool {
        let paths = &self.paths;
        let found = self.files.binary_search_by(|file| paths[file.path.clone()].cmp(path));
        match found.ok().and_then(|at| self.files.get_mut(at)) {
            Some(file) => {
                file.mode = FileMode::EXECUTABLE;
                true
            }
            None => false,
        }
    }

    /// Returns the number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the entries that npm leaves out as well: links, devices, pipes, files outside the
    /// package's folder. Of very many the first ones.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Returns pairs of paths that are one on a file system which ignores case or Unicode form.
    #[must_use]
    pub fn collides_when_case_folded(&self) -> Vec<(&str, &str)> {
        let paths: Vec<&str> = self.files.iter().map(|file| self.path(file)).collect();
        collisions::folded(&paths)
    }

    fn entry(&self, file: &File) -> FileEntry<'_> {
        FileEntry { path: self.path(file), mode: file.mode, data: &self.archive[file.data.clone()] }
    }

    fn path(&self, file: &File) -> &str {
        &self.paths[file.path.clone()]
    }

    fn read(&mut self, limits: &Limits) -> Result<(), TarballError> {
        let mut reader = Reader::new(&self.archive, limits);
        let mut names = Names::default();
        loop {
            let (entry, data) = match reader.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                // A tarball that fails at its very first header is no archive at all.
                Err(TarballError::Header { .. }) if reader.headers() == 0 => {
                    return Err(unrecognised(&self.archive));
                }
                Err(error) => return Err(error),
            };
            let skipped = match entry.kind {
                Kind::File => {
                    if let Some((path, renamed)) =
                        append_path(&entry.name, limits, &mut self.paths)?
                    {
                        names.add(&self.paths[path.clone()], limits)?;
                        check_manifest(&self.paths[path.clone()], entry.size, limits)?;
                        self.files.push(File { path, data, mode: entry.mode, renamed });
                        continue;
                    }
                    SkippedKind::OutsideFolder
                }
                Kind::Symlink => SkippedKind::Symlink,
                Kind::Hardlink => SkippedKind::Hardlink,
                Kind::Device => SkippedKind::Device,
                Kind::Fifo => SkippedKind::Fifo,
                _ => continue,
            };
            if self.skipped.len() < MOST_SKIPPED {
                self.skipped.push(Skipped { name: error::escaped(&entry.name), kind: skipped });
            }
        }
        if reader.headers() == 0 {
            return Err(unrecognised(&self.archive));
        }
        Ok(())
    }

    fn keep_last_of_each_path(&mut self) {
        let paths = &self.paths;
        let path = |file: &File| &paths[file.path.clone()];
        // The sort is stable, so that of equal paths the archive's last comes last.
        self.files.sort_by(|a, b| path(a).cmp(path(b)).then_with(|| b.renamed.cmp(&a.renamed)));
        self.files.dedup_by(|later, earlier| {
            let same = path(later) == path(earlier);
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
    }
}

impl std::fmt::Debug for Unpacked {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths = self.files.iter().map(|file| self.path(file));
        formatter.debug_list().entries(paths).finish()
    }
}

/// Fails when `path` is a `package.json` that is too large to be read: the package's own, or that
/// of a bundled package.
fn check_manifest(path: &str, bytes: u64, limits: &Limits) -> Result<(), TarballError> {
    const NAME: &str = "package.json";
    let is_manifest =
        path == NAME || path.starts_with("node_modules/") && path.rsplit('/').next() == Some(NAME);
    if is_manifest && bytes > limits.max_manifest {
        let (path, limit) = (error::escaped(path.as_bytes()), limits.max_manifest);
        return Err(TarballError::ManifestTooLarge { path, bytes, limit });
    }
    Ok(())
}

fn unrecognised(archive: &[u8]) -> TarballError {
    TarballError::Unrecognised { bytes: archive.len() }
}

/// Appends the path for a file of that name to `paths`; returns its range there, and whether it is
/// a renamed `.gitignore`. `None` where the file is beside the package's folder.
fn append_path(
    name: &[u8],
    limits: &Limits,
    paths: &mut String,
) -> Result<Option<(Range<usize>, bool)>, TarballError> {
    let Some(path) = path::append(name, limits.names, paths)? else { return Ok(None) };
    let renamed = !limits.keep_gitignore && rename_gitignore(paths, &path);
    Ok(Some((path.start..paths.len(), renamed)))
}

/// Gives the `.gitignore` whose path ends `paths` the name `.npmignore`; returns false for another
/// file.
fn rename_gitignore(paths: &mut String, path: &Range<usize>) -> bool {
    const FROM: &str = ".gitignore";
    let renamed = match paths[path.clone()].strip_suffix(FROM) {
        Some(folder) => folder.is_empty() || folder.ends_with('/'),
        None => false,
    };
    if renamed {
        paths.truncate(path.end - FROM.len());
        paths.push_str(".npmignore");
    }
    renamed
}

//! The lockfile in its compiled form DXL, which is mapped instead of parsed.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::lockfile::{LockfileError, npm};
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_os::files::Map;
use dx_pkg_store::Store;

use super::{FOREIGN, LOCKFILES};
use crate::InstallError;

/// Returns the key of a compiled lockfile: the digest of its text and of the version that compiled
/// it.
pub(crate) fn lockfile_digest(text: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(text.as_bytes());
    *hasher.finalize().as_bytes()
}

/// A compiled lockfile that is sound and matches the text.
pub(crate) enum CompiledLock {
    /// From the store.
    Stored(Map),
    /// Compiled just now.
    New(Vec<u8>),
    /// Merged from the two sides of a merge that left its markers.
    Merged(Vec<u8>),
}

impl CompiledLock {
    /// Returns the compiled form of the lockfile at `path` with this text, whose key is `digest`.
    pub(super) fn of(
        text: &str,
        digest: [u8; 32],
        path: &Path,
        store: &Store,
    ) -> Result<Self, InstallError> {
        let is_sound =
            |map: &Map| DxlView::open(map).is_ok_and(|view| view.source_digest() == digest);
        if let Some(map) = store.compiled_lock(digest).filter(is_sound) {
            return Ok(CompiledLock::Stored(map));
        }
        let lock = match npm::read(text) {
            Ok(lock) => lock,
            Err(error) => {
                let is_conflict = matches!(error, LockfileError::Conflict { .. });
                let merged = is_conflict.then(|| npm::merged(text)).flatten();
                let merged = merged.ok_or_else(|| InstallError::in_file(path, error))?;
                let lock =
                    npm::read(&merged).map_err(|error| InstallError::in_file(path, error))?;
                return Ok(CompiledLock::Merged(dxl::encode(&lock, digest)));
            }
        };
        let bytes = dxl::encode(&lock, digest);
        // A lock that cannot be stored is compiled again.
        let _ = store.put_compiled_lock(digest, &bytes);
        Ok(CompiledLock::New(bytes))
    }
}

impl std::ops::Deref for CompiledLock {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            CompiledLock::Stored(map) => map,
            CompiledLock::New(bytes) | CompiledLock::Merged(bytes) => bytes,
        }
    }
}

/// Compiles the lockfile of the project in `root` for the next command there. That command reports
/// its errors.
pub(crate) fn compile_lockfile(root: &Path, store: &Store) {
    let found = LOCKFILES
        .into_iter()
        .map(|name| root.join(name))
        .find_map(|path| Some((read_text(&path).ok()??, path)));
    if let Some((text, path)) = found {
        let _ = CompiledLock::of(&text, lockfile_digest(&text), &path, store);
    }
}

/// Returns the path of the lockfile in a folder.
///
/// # Errors
/// There is none, or only another package manager's.
pub(crate) fn lockfile_in(folder: &Path) -> Result<PathBuf, InstallError> {
    let find =
        |names: &[&'static str]| names.iter().copied().find(|name| folder.join(name).exists());
    match (find(&LOCKFILES), find(&FOREIGN)) {
        (Some(lockfile), _) => Ok(folder.join(lockfile)),
        (None, Some(lockfile)) => Err(InstallError::ForeignLockfile { lockfile }),
        (None, None) => Err(InstallError::NoLockfile { root: folder.to_owned() }),
    }
}

/// Reads the lockfile at `path`.
///
/// # Errors
/// It is missing, cannot be read, or is no lockfile.
pub(crate) fn read_lock(path: &Path, store: &Store) -> Result<Lock, InstallError> {
    let text = read_text(path)?.ok_or_else(|| {
        let doing = format!("reading {}", path.display());
        InstallError::io(doing, std::io::ErrorKind::NotFound.into())
    })?;
    let compiled = CompiledLock::of(&text, lockfile_digest(&text), path, store)?;
    Ok(DxlView::open(&compiled)?.to_lock())
}

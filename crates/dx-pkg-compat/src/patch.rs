//! Patches to the files of a package: unified diffs, as `git diff`, npm, pnpm, Yarn and
//! patch-package write them.
//!
//! A patch is applied to files in memory, wholly or not at all. As npm does it, the context of a
//! hunk must be there to the letter, at whatever line. No path leads out of the package, and what
//! is no text, no regular file, or no part of any hunk is refused.

mod error;
mod hunks;
pub mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;

use diffy::Patch;
use diffy::patch_set::PatchKind;
use diffy::patch_set::{FileMode as GitMode, FileOperation, FilePatch, ParseOptions, PatchSet};
use dx_pkg_format::dxp::FileMode;

pub use self::error::PatchError;
use crate::tarball::{NameRules, check_path};

/// The largest patch, in bytes.
pub const MAX_PATCH_SIZE: u64 = 32 << 20;

/// The files of a package by their paths.
pub type PatchedFiles<'f> = BTreeMap<String, PatchedFile<'f>>;

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchedFile<'f> {
    /// The permissions.
    pub mode: FileMode,
    /// The contents.
    pub data: Cow<'f, [u8]>,
}

/// Applies a patch to the files of a package.
///
/// # Errors
/// The text is no patch, or one of its parts does not fit or must not be applied; `files` may then
/// be changed in part.
pub fn apply(patch: &[u8], files: &mut PatchedFiles<'_>) -> Result<(), PatchError> {
    let patch = patch.strip_prefix(b"\xef\xbb\xbf").unwrap_or(patch);
    // npm takes a patch without any change for one.
    if patch.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let has_crlf = patch.windows(2).any(|pair| pair == b"\r\n");
    if !has_crlf {
        return apply_set(patch, files);
    }
    // With the line endings as they are, or else with those of files that have others.
    let mut attempt = files.clone();
    match apply_set(patch, &mut attempt) {
        Ok(()) => {
            *files = attempt;
            Ok(())
        }
        Err(first) => apply_set(&without_carriage_returns(patch), files).map_err(|_| first),
    }
}

fn apply_set(patch: &[u8], files: &mut PatchedFiles<'_>) -> Result<(), PatchError> {
    hunks::check(patch)?;
    let is_git = patch.starts_with(b"diff --git ")
        || memchr::memmem::find(patch, b"\ndiff --git ").is_some();
    let options = if is_git { ParseOptions::gitdiff() } else { ParseOptions::unidiff() };
    for part in PatchSet::parse_bytes(patch, options) {
        let part = part.map_err(|error| PatchError::Syntax { reason: error.to_string() })?;
        apply_part(&part, files)?;
    }
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    crate::tarball::check_collisions(&paths)
        .map_err(|error| PatchError::Collision { reason: error.to_string() })
}

/// Applies the part of a patch that is about one file.
fn apply_part(part: &FilePatch<'_, [u8]>, files: &mut PatchedFiles<'_>) -> Result<(), PatchError> {
    let (from, to) = match part.operation() {
        FileOperation::Create(path) => (None, Some(path_of(path, true)?)),
        FileOperation::Delete(path) => (Some(path_of(path, true)?), None),
        FileOperation::Modify { original, modified } => {
            let to = path_of(modified, true)?;
            // Names that only the prefix or nothing tells apart are those of one file; where a
            // patch without git's headers has two, the second is the one that npm takes.
            path_of(original, true)?;
            (Some(to.clone()), Some(to))
        }
        FileOperation::Rename { from, to } => {
            (Some(path_of(from, false)?), Some(path_of(to, false)?))
        }
        FileOperation::Copy { from, to } => {
            let (from, to) = (path_of(from, false)?, path_of(to, false)?);
            let file = files.get(&from).ok_or(PatchError::Missing { path: from })?.clone();
            if files.contains_key(&to) {
                return Err(PatchError::Exists { path: to });
            }
            files.insert(to.clone(), file);
            (Some(to.clone()), Some(to))
        }
    };
    let named = to.as_ref().or(from.as_ref()).cloned().unwrap_or_default();
    let PatchKind::Text(patch) = part.patch() else {
        return Err(PatchError::Binary { path: named });
    };
    let before = match &from {
        Some(path) => {
            let file = files.remove(path);
            file.ok_or_else(|| PatchError::Missing { path: path.clone() })?
        }
        None => PatchedFile { mode: FileMode::PLAIN, data: Cow::Borrowed(&[]) },
    };
    let mode = match part.new_mode() {
        Some(mode) => mode_of(*mode, &named)?,
        None => before.mode,
    };
    let data = patched(&before.data, patch, &named)?;
    let Some(to) = to else {
        // Like npm, which looks whether the file is the one to be deleted, and then deletes it.
        return Ok(());
    };
    if files.insert(to.clone(), PatchedFile { mode, data: Cow::Owned(data) }).is_some() {
        return Err(PatchError::Exists { path: to });
    }
    Ok(())
}

/// Returns the contents with all hunks of a patch applied.
fn patched(data: &[u8], patch: &Patch<'_, [u8]>, path: &str) -> Result<Vec<u8>, PatchError> {
    let failed = |error: diffy::ApplyError| {
        let number = error.to_string();
        let number = number.rsplit('#').next().and_then(|number| number.parse().ok()).unwrap_or(1);
        let hunk = patch.hunks().get(number - 1);
        let line = hunk.map_or(0, |hunk| hunk.old_range().start());
        PatchError::Hunk { path: path.to_owned(), number, line }
    };
    match diffy::apply_bytes(data, patch) {
        // A file with the line endings of Windows, and a patch without.
        Err(_) if has_only_crlf(data) => {
            let applied = diffy::apply_bytes(&without_carriage_returns(data), patch);
            applied.map(|data| with_carriage_returns(&data)).map_err(failed)
        }
        applied => applied.map_err(failed),
    }
}

/// Returns a path of a patch as one within the package. `a/` and `b/` before it are git's.
fn path_of(path: &[u8], has_prefix: bool) -> Result<String, PatchError> {
    let text = str::from_utf8(path).map_err(|_| PatchError::UnsafePath {
        path: String::from_utf8_lossy(path).into_owned(),
        reason: "it is not UTF-8".to_owned(),
    })?;
    let stripped = || text.strip_prefix("a/").or_else(|| text.strip_prefix("b/"));
    let inner = if has_prefix { stripped().unwrap_or(text) } else { text };
    check_path(inner, NameRules::host()).map_err(|problem| PatchError::UnsafePath {
        path: inner.to_owned(),
        reason: problem.to_string(),
    })
}

fn mode_of(mode: GitMode, path: &str) -> Result<FileMode, PatchError> {
    let refused = |kind| Err(PatchError::Kind { path: path.to_owned(), kind });
    match mode {
        GitMode::Regular => Ok(FileMode::PLAIN),
        GitMode::Executable => Ok(FileMode::EXECUTABLE),
        GitMode::Symlink => refused("a symbolic link"),
        GitMode::Gitlink => refused("a git submodule"),
    }
}

/// Returns whether the text has lines and all of them end in CRLF.
fn has_only_crlf(data: &[u8]) -> bool {
    let mut ends = memchr::memchr_iter(b'\n', data).peekable();
    ends.peek().is_some() && ends.all(|at| at > 0 && data.get(at - 1) == Some(&b'\r'))
}

fn without_carriage_returns(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

fn with_carriage_returns(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + data.len() / 32);
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

#[cfg(test)]
mod tests;

//! Packing: which files of a folder npm puts into a package's tarball, and the tarball of them.
//!
//! The rules are those of npm 12's library `npm-packlist`. Of the rules that exclude and include a
//! path the last counts, in this order: what is never packed, `files` of the manifest or else the
//! folder's `.npmignore` or else its `.gitignore`, then what is always packed (manifest, readme,
//! licence, `main`, `bin`). Folders below have ignore files of their own. Links are left out, those
//! of bundled dependencies excepted.

mod archive;
mod bundle;
mod error;
mod names;
mod rule;
mod rules;
mod selected;
#[cfg(test)]
mod tests;
mod walk;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dx_pkg_lock::locale_compare;

use crate::manifest::Manifest;

pub use archive::{compress_tar, write_tar};
pub use error::PackError;

/// The limits and rules for packing.
#[derive(Debug, Clone, Copy)]
pub struct PackOptions {
    /// The most bytes that the tarball may have before it is compressed.
    pub max_bytes: u64,
    /// The most files and folders that are looked at.
    pub max_entries: usize,
    /// Whether to leave out bundled dependencies whose folder, by a link, is outside the package:
    /// for folders that a stranger made. Otherwise it must be a package of that name, or the one
    /// whose path the manifest requires.
    pub stays_inside: bool,
}

impl Default for PackOptions {
    fn default() -> Self {
        let limits = crate::tarball::Limits::default();
        Self { max_bytes: limits.max_bytes, max_entries: limits.max_entries, stays_inside: false }
    }
}

/// A file of a package that is to be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedFile {
    /// Its path in the package, with `/` between segments.
    pub path: String,
    /// Its mode in the tarball.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
}

/// Returns the files of the package in `folder` that npm packs, in the order of its tarball.
/// `manifest` is that of the folder.
///
/// # Errors
/// A folder or ignore file cannot be read, a pattern cannot be used, or there is too much.
pub fn files(
    folder: &Path,
    manifest: &Manifest,
    options: &PackOptions,
) -> Result<Vec<PackedFile>, PackError> {
    files_of_member(folder, manifest, options, "")
}

/// Returns the files of a package in a project with workspaces. `outer` are lines of the ignore
/// files in the folders from the project's down to this one: weaker than all that the package says.
///
/// # Errors
/// As [`files`].
pub fn files_of_member(
    folder: &Path,
    manifest: &Manifest,
    options: &PackOptions,
    outer: &str,
) -> Result<Vec<PackedFile>, PackError> {
    let mut paths = BTreeSet::new();
    let mut count = options.max_entries;
    let package = walk::Package { manifest, kind: walk::Kind::Root, outer };
    walk::walk(folder, &package, "", &mut count, &mut paths)?;
    let inside = options.stays_inside;
    bundle::add(folder, manifest, inside, &mut count, &mut paths)?;
    // To npm the commands of a package's whole folder are called `/name`, which is no file.
    let are_listed =
        manifest.directories_bin.as_deref() == Some("") && manifest.raw.get("bin").is_none();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let file: PathBuf = folder.join(&path);
        let status = std::fs::metadata(&file).map_err(|error| PackError::io(&file, error))?;
        // npm compares what follows the first slash, as if the folder `package` stood before it.
        let inner = path.split_once('/').map_or(path.as_str(), |(_, inner)| inner);
        let is_command = !are_listed && manifest.bin.iter().any(|(_, target)| *target == inner);
        files.push(PackedFile {
            mode: archive::mode(&status, is_command),
            size: status.len(),
            path,
        });
    }
    files.sort_by(|a, b| in_order(&a.path, &b.path));
    Ok(files)
}

/// Compares paths as npm sorts a tarball: by extension, by last name, and as a whole.
fn in_order(a: &str, b: &str) -> std::cmp::Ordering {
    fn parts(path: &str) -> (String, String) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let dot = name.rfind('.').filter(|at| *at > 0 && !name.trim_start_matches('.').is_empty());
        (dot.map_or("", |at| &name[at..]).to_lowercase(), name.to_lowercase())
    }
    // npm marks a path that `tar` would take for the name of a list of files.
    fn whole(path: &str) -> Cow<'_, str> {
        if path.starts_with('@') { format!("./{path}").into() } else { path.into() }
    }
    let ((extension_a, name_a), (extension_b, name_b)) = (parts(a), parts(b));
    locale_compare(&extension_a, &extension_b)
        .then_with(|| locale_compare(&name_a, &name_b))
        .then_with(|| locale_compare(&whole(a), &whole(b)))
        .then_with(|| a.cmp(b))
}

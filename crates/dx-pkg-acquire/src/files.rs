//! Reading text files of projects and packages, and changing those of the user.

mod edit;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::Path;

use dx_pkg_compat::foreign_bytes;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_os::files::{read_bounded, read_trusted};

use crate::AcquireError;

pub use edit::EditedFile;

/// The most bytes that are read of a lockfile.
const LOCKFILE: u64 = 64 << 20;
/// The most bytes that are read of a manifest, of settings and the like.
const OTHER_FILES: u64 = 4 << 20;

/// Reads a text file; `None` where there is none. Bytes that are not UTF-8 are replaced, as npm
/// replaces them: most stand in a comment or an author's name.
///
/// # Errors
/// The file cannot be read or is UTF-16.
pub fn read_text(path: &Path) -> Result<Option<String>, AcquireError> {
    let Some(bytes) = read_bytes(path)? else { return Ok(None) };
    Ok(Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    ))
}

/// Reads a text file that will be edited; `None` where there is none. Bytes that are not UTF-8 are
/// kept, see [`dx_pkg_compat::foreign_bytes`].
///
/// # Errors
/// As [`read_text`].
pub fn read_text_to_edit(path: &Path) -> Result<Option<String>, AcquireError> {
    Ok(read_bytes(path)?.map(foreign_bytes::keep))
}

/// Reads a file as [`read_text`] does, which the user named: it may be a pipe.
///
/// # Errors
/// As [`read_text`].
pub fn read_trusted_text(path: &Path) -> Result<Option<String>, AcquireError> {
    let bytes = taken(path, read_trusted(path, limit_of(path)))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Returns the most bytes that are read of a file: the largest known lockfiles have half of that,
/// and other files a quarter.
fn limit_of(path: &Path) -> u64 {
    let name = path.file_name().and_then(|name| name.to_str());
    match name {
        Some("package-lock.json" | "npm-shrinkwrap.json" | ".package-lock.json") => LOCKFILE,
        _ => OTHER_FILES,
    }
}

fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, AcquireError> {
    taken(path, read_bounded(path, limit_of(path)))
}

fn taken(path: &Path, read: io::Result<Vec<u8>>) -> Result<Option<Vec<u8>>, AcquireError> {
    match read {
        // The byte order marks of UTF-16, of which nothing could be read.
        Ok(bytes) if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => {
            Err(AcquireError::NotText { path: path.to_owned() })
        }
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(AcquireError::io(format!("reading {}", path.display()), error)),
    }
}

/// Parses the text of the manifest at `path`. Where it names a folder of commands
/// (`directories.bin`) and no command, the folder is listed.
///
/// # Errors
/// The text is no manifest; the error names the file.
pub fn parse_manifest(path: &Path, text: &str) -> Result<Manifest, AcquireError> {
    let parsed = Manifest::parse(text).map_err(|error| AcquireError::in_file(path, error));
    let mut manifest = parsed?;
    if let (Some(folder), true, Some(root)) =
        (&manifest.directories_bin, manifest.bin.is_empty(), path.parent())
    {
        manifest.bin = commands_in(root, folder);
        manifest.bin.sort();
    }
    Ok(manifest)
}

/// Parses the manifest of a project or workspace as [`parse_manifest`] does. What it requires is
/// written by its author, so that nothing of it is passed over.
///
/// # Errors
/// As [`parse_manifest`], and a section of dependencies is no object.
pub fn parse_own_manifest(path: &Path, text: &str) -> Result<Manifest, AcquireError> {
    let manifest = parse_manifest(path, text)?;
    manifest.check_sections().map_err(|error| AcquireError::in_file(path, error))?;
    Ok(manifest)
}

/// Lists what is in a folder and below it, folders too, hidden entries aside. One that cannot be
/// read has nothing.
fn list_below(root: &Path, folder: &str, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list_below(root, &path, found);
        }
        found.push(path);
    }
}

/// Returns the commands of a folder of commands (`directories.bin`) in npm's order: one of each
/// file and folder that is not hidden, by its name.
#[must_use]
pub fn commands_in(root: &Path, folder: &str) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    list_below(root, folder.trim_end_matches('/'), &mut paths);
    commands_of(paths)
}

/// Returns the commands that files and folders make, in npm's order: level by level, backwards by
/// name. Of several of a name npm takes the one that it lists last: it lies deepest, and is the
/// first by its folders' names among those that lie as deep. (Below the first level, or where
/// folders have many files, npm takes now one and now another of these.)
pub(crate) fn commands_of(mut paths: Vec<String>) -> Vec<(String, String)> {
    let parts = |path: &String| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    paths.sort_by_cached_key(|path| (path.matches('/').count(), Reverse(parts(path))));
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut found: Vec<(String, String)> = Vec::new();
    for path in paths {
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        match places.get(&name) {
            Some(at) => found[*at].1 = path,
            None => {
                places.insert(name.clone(), found.len());
                found.push((name, path));
            }
        }
    }
    found
}

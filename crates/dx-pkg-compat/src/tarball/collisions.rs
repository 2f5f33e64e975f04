//! Collisions between the names of one tarball.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::Limits;
use super::error::{TarballError, escaped};

/// Fails when `paths`, which are sorted and unique, cannot be files of one folder.
pub(super) fn check(paths: &[&str], limits: &Limits) -> Result<(), TarballError> {
    check_files_and_folders(paths)?;
    if limits.refuse_folded_collisions
        && let Some((first, second)) = folded(paths).first()
    {
        return Err(TarballError::FoldedCollision {
            first: escaped(first.as_bytes()),
            second: escaped(second.as_bytes()),
        });
    }
    Ok(())
}

/// Fails when one of `paths`, which are sorted, is a folder of another.
fn check_files_and_folders(paths: &[&str]) -> Result<(), TarballError> {
    let mut previous = "";
    for path in paths {
        let Some((folder, _)) = path.rsplit_once('/') else {
            continue;
        };
        // Neighbours mostly share their folder or those above it, which need one look only.
        if folder == previous {
            continue;
        }
        let shared = shared_folders(previous, path);
        previous = folder;
        let mut new = ancestors(path).filter(|folder| folder.len() > shared);
        if let Some(file) = new.find(|folder| paths.binary_search(folder).is_ok()) {
            return Err(TarballError::FileAndFolder {
                file: escaped(file.as_bytes()),
                below: escaped(path.as_bytes()),
            });
        }
    }
    Ok(())
}

/// Returns the length in bytes of the innermost folder of `path` that is `folder` or above it.
fn shared_folders(folder: &str, path: &str) -> usize {
    let (folder, path) = (folder.as_bytes(), path.as_bytes());
    let equal = folder.iter().zip(path).take_while(|(a, b)| a == b).count();
    if equal == folder.len() && path.get(equal) == Some(&b'/') {
        return equal;
    }
    path.iter().take(equal).rposition(|byte| *byte == b'/').unwrap_or(0)
}

/// Returns pairs of `paths` that a file system which ignores case and Unicode form takes for one,
/// or for a file and a folder of the same name.
pub(super) fn folded<'a>(paths: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let mut files: HashMap<String, &'a str> = HashMap::with_capacity(paths.len());
    let mut pairs = Vec::new();
    for &path in paths {
        if let Some(first) = files.insert(fold(path), path) {
            pairs.push((first, path));
        }
    }
    let mut previous = "";
    for &path in paths {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder == previous {
            continue;
        }
        previous = folder;
        let file = ancestors(path).find_map(|folder| files.get(fold(folder).as_str()));
        pairs.extend(file.map(|file| (*file, path)));
    }
    pairs
}

/// Returns the folders above `path`, outermost first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Returns one spelling for all that case-insensitive, normalising file systems hold equal.
fn fold(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_uppercase();
    }
    path.nfd().flat_map(char::to_lowercase).flat_map(char::to_uppercase).nfd().collect()
}

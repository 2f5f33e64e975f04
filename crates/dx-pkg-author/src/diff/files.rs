//! The files of both sides, in the order of their tarballs.

use std::collections::HashMap;
use std::path::Path;

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::glob::{Segment, expand};
use dx_pkg_compat::packlist::{self, PackOptions};
use dx_pkg_compat::tarball::{Limits, names_in_order, unpack};
use dx_pkg_os::files::read_bounded;

use super::sides::{Package, Side};
use crate::AuthorError;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) text: String,
    pub(super) mode: u32,
}

/// The files of a package.
#[derive(Debug, Default)]
pub(super) struct Files {
    order: Vec<String>,
    by_name: HashMap<String, Contents>,
}

impl Files {
    fn add(&mut self, name: &str, bytes: &[u8], mode: u32) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if self.by_name.insert(name.to_owned(), Contents { text, mode }).is_none() {
            self.order.push(name.to_owned());
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Contents> {
        self.by_name.get(name)
    }
}

/// Reads the files of a package.
pub(super) fn read(side: &Side) -> Result<Files, AuthorError> {
    match &side.package {
        Package::Tarball(bytes) => of_tarball(bytes, &side.label()),
        Package::Folder(folder) => of_folder(folder, &side.label()),
        Package::Installed(folder) => of_installed(folder),
    }
}

fn of_tarball(bytes: &[u8], label: &str) -> Result<Files, AuthorError> {
    let limits = Limits { keep_gitignore: true, ..Limits::default() };
    let failed = |source| AuthorError::Tarball { package: label.to_owned(), source };
    let unpacked = unpack(bytes, &limits).map_err(failed)?;
    let order: HashMap<String, usize> =
        names_in_order(bytes).into_iter().enumerate().map(|(place, name)| (name, place)).collect();
    let mut entries = unpacked.entries();
    entries.sort_by_key(|file| order.get(file.path).copied().unwrap_or(usize::MAX));
    let mut files = Files::default();
    for file in entries {
        files.add(file.path, file.data, file.mode.bits());
    }
    Ok(files)
}

/// Reads the files that would be packed.
fn of_folder(folder: &Path, label: &str) -> Result<Files, AuthorError> {
    let path = folder.join("package.json");
    let no_manifest = || AuthorError::NoManifest { folder: folder.display().to_string() };
    let manifest = parse_manifest(&path, &read_text(&path)?.ok_or_else(no_manifest)?)?;
    let failed = |source| AuthorError::Pack { package: label.to_owned(), source };
    let options = PackOptions::default();
    let mut files = Files::default();
    for file in packlist::files(folder, &manifest, &options).map_err(failed)? {
        let bytes = contents(&folder.join(&file.path), options.max_bytes)?;
        files.add(&file.path, &bytes, file.mode);
    }
    Ok(files)
}

/// Reads all files of an installed package but what is installed in it.
fn of_installed(folder: &Path) -> Result<Files, AuthorError> {
    /// The most folders in one another.
    const DEEPEST: usize = 64;
    let mut files = Files::default();
    let mut open = vec![(String::new(), 0)];
    let mut found = Vec::new();
    while let Some((place, depth)) = open.pop() {
        let entries = std::fs::read_dir(folder.join(&place)).into_iter().flatten().flatten();
        for entry in entries {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if place.is_empty() { name.clone() } else { format!("{place}/{name}") };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && name != "node_modules" && depth < DEEPEST => {
                    open.push((path, depth + 1));
                }
                Ok(kind) if kind.is_file() => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    for path in found {
        let file = folder.join(&path);
        let bytes = contents(&file, Limits::default().max_bytes)?;
        files.add(&path, &bytes, mode(&file));
    }
    Ok(files)
}

fn contents(file: &Path, limit: u64) -> Result<Vec<u8>, AuthorError> {
    let failed = |error| AcquireError::io(format!("reading {}", file.display()), error);
    Ok(read_bounded(file, limit).map_err(failed)?)
}

#[cfg(unix)]
fn mode(file: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    let mode = std::fs::metadata(file).map_or(0o644, |status| status.mode() & 0o7777);
    (mode | 0o600) & !0o22
}

#[cfg(not(unix))]
fn mode(_file: &Path) -> u32 {
    0o644
}

/// Returns whether a file is among those that are named: itself, by a pattern, or in a folder.
pub(super) fn is_meant(name: &str, paths: &[String]) -> bool {
    paths.is_empty()
        || paths.iter().any(|path| {
            let path = path.replace('\\', "/");
            let path = path.strip_prefix("./").or_else(|| path.strip_prefix('.')).unwrap_or(&path);
            let own = name.strip_prefix("./").or_else(|| name.strip_prefix('.')).unwrap_or(name);
            own.starts_with(path) || matches_pattern(path, own)
        })
}

fn matches_pattern(pattern: &str, name: &str) -> bool {
    let segments: Vec<&str> = name.split('/').collect();
    let last = segments.last().copied().unwrap_or_default();
    expand(pattern).unwrap_or_default().iter().any(|pattern| {
        let parts: Vec<&str> = pattern.split('/').collect();
        // A pattern without a folder, which begins with a star, is one of names.
        if parts.len() == 1 && pattern.starts_with('*') {
            return Segment::parse(parts[0]).matches(last, false);
        }
        fits(&parts, &segments)
    })
}

fn fits(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), Some((_, deeper))) => fits(rest, name) || fits(pattern, deeper),
        (Some((&"**", rest)), None) => fits(rest, name),
        (Some((first, rest)), Some((own, deeper))) => {
            Segment::parse(first).matches(own, false) && fits(rest, deeper)
        }
        _ => false,
    }
}

//! `dx pack`: the tarball of a folder, with its scripts, in bytes that depend on its files alone.

mod secrets;

use std::path::{Path, PathBuf};

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::packlist::{PackOptions, compress_tar, files_of_member, write_tar};
use dx_pkg_os::files::{Durability, create_atomic};

use crate::members::Members;
use crate::script::{Scripts, Told};
use crate::{AuthorError, Tarball};

/// Returns the name and version of the package in a folder.
///
/// # Errors
/// There is no manifest, or it lacks one of them.
pub fn identity(folder: &Path) -> Result<(String, String), AuthorError> {
    let path = folder.join("package.json");
    let no_manifest = || AuthorError::NoManifest { folder: folder.display().to_string() };
    let text = read_text(&path)?.ok_or_else(no_manifest)?;
    let Manifest { name, version, .. } = parse_manifest(&path, &text)?;
    match (name, version) {
        (Some(name), Some(version)) if !version.is_empty() => Ok((name, version)),
        _ => Err(AuthorError::Unnamed { folder: folder.display().to_string() }),
    }
}

/// Packs the package in a folder, with its scripts `prepack` and `prepare` before, and without
/// `postpack`.
///
/// # Errors
/// A script fails, a file cannot be read, or the package has no name or version.
pub fn folder(
    folder: &Path,
    members: &Members,
    scripts: &Scripts<'_>,
    told: &dyn Told,
) -> Result<Tarball, AuthorError> {
    identity(folder)?;
    scripts.run(folder, "prepack", &[])?;
    scripts.run(folder, "prepare", &[])?;
    let path = folder.join("package.json");
    let text = read_text(&path)?.unwrap_or_default();
    let manifest = parse_manifest(&path, &text)?;
    let (name, version) = identity(folder)?;
    let label = format!("{name}@{version}");
    let options = PackOptions::default();
    let failed = |source| AuthorError::Pack { package: label.clone(), source };
    let outer = outer_rules(folder, members)?;
    let mut files = files_of_member(folder, &manifest, &options, &outer).map_err(failed)?;
    for warning in secrets::warnings(folder, &files) {
        told.warning(&warning);
    }
    let mut tar = Vec::new();
    write_tar(folder, &files, &options, &mut tar).map_err(failed)?;
    if let Some(own) = files.iter_mut().find(|file| file.path == "package.json")
        && let Some(size) = size_in(&tar, "package/package.json")
    {
        // Without `patchedDependencies` it is smaller than on disk.
        own.size = size;
    }
    Ok(Tarball::packed(name, version, compress_tar(&tar), &files))
}

/// Writes a tarball into a folder, and returns its path. A link of its name is replaced: it came
/// with the project, and leads anywhere.
///
/// # Errors
/// The file cannot be written.
pub fn write(tarball: &Tarball, destination: &Path) -> Result<PathBuf, AuthorError> {
    let path = destination.join(tarball.file_name());
    create_atomic(&path, &tarball.bytes, Durability::Rename)
        .map_err(|error| AcquireError::io(format!("writing {}", path.display()), error))?;
    Ok(path)
}

/// Returns the lines of ignore files that count for a workspace, from the project's folder down; of
/// the project itself, the workspaces that are packed beside it.
fn outer_rules(folder: &Path, members: &Members) -> Result<String, AuthorError> {
    let Some(chosen) = &members.chosen else { return Ok(String::new()) };
    let mut lines = String::new();
    if folder == members.root {
        for member in chosen {
            if let Ok(path) = member.folder.strip_prefix(&members.root) {
                lines.push_str(&path.to_string_lossy().replace('\\', "/"));
                lines.push('\n');
            }
        }
        return Ok(lines);
    }
    let Ok(inside) = folder.strip_prefix(&members.root) else { return Ok(lines) };
    let depth = inside.components().count();
    let mut above: Vec<&Path> = folder.ancestors().skip(1).take(depth).collect();
    above.reverse();
    for folder in above {
        for name in [".npmignore", ".gitignore"] {
            if let Some(text) = read_text(&folder.join(name))? {
                lines.push_str(&text);
                lines.push('\n');
                break;
            }
        }
    }
    Ok(lines)
}

/// Returns the size of an entry that has a header of its own in a tar archive.
fn size_in(tar: &[u8], name: &str) -> Option<u64> {
    const BLOCK: usize = 512;
    let mut at = 0;
    while let Some(header) = tar.get(at..at + BLOCK) {
        let size = std::str::from_utf8(&header[124..135]).ok()?;
        let size = u64::from_str_radix(size.trim_matches(['\0', ' ']), 8).ok()?;
        let end = header[..100].iter().position(|byte| *byte == 0).unwrap_or(100);
        if header[..end] == *name.as_bytes() && header[345] == 0 {
            return Some(size);
        }
        at += BLOCK + usize::try_from(size).ok()?.next_multiple_of(BLOCK);
    }
    None
}

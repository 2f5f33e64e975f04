//! The folders of a deployed workspace: a new one, and copies of files as they would be packed.

use std::path::Path;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::packlist::{self, PackOptions};
use dx_pkg_os::files::remove_tree;

use crate::InstallError;
use crate::error::UpkeepError;

/// Makes an empty folder to deploy into; with `force` what is there is removed, but never the
/// project or a folder around it.
///
/// # Errors
/// The folder is in use, or the system refuses.
pub(super) fn new_folder(
    root: &Path,
    source: &str,
    folder: &Path,
    force: bool,
) -> Result<(), InstallError> {
    let making = |error| InstallError::io(format!("making {}", folder.display()), error);
    let is_filled = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(making(error)),
    };
    if is_filled {
        let place = folder.canonicalize().map_err(making)?;
        let own = root.join(source).canonicalize().map_err(making)?;
        let has_manifest = place.join("package.json").exists();
        if !force || own.starts_with(&place) || !has_manifest {
            return Err(UpkeepError::DeployInUse { folder: folder.to_owned() }.into());
        }
        remove_tree(folder).map_err(making)?;
    }
    std::fs::create_dir_all(folder).map_err(making)
}

/// Copies the files that npm would pack of the package in a folder; returns their number.
///
/// # Errors
/// The files cannot be listed or copied.
pub(super) fn copy_files(from: &Path, to: &Path) -> Result<usize, InstallError> {
    let path = from.join("package.json");
    let Some(text) = read_text(&path)? else {
        return Err(InstallError::NoPackage { folder: from.to_owned() });
    };
    let manifest = parse_manifest(&path, &text)?;
    let files = packlist::files(from, &manifest, &PackOptions::default())
        .map_err(|source| UpkeepError::Unpackable { folder: from.to_owned(), source })?;
    for file in &files {
        let (source, place) = (from.join(&file.path), to.join(&file.path));
        let copy = || -> std::io::Result<()> {
            if let Some(around) = place.parent() {
                std::fs::create_dir_all(around)?;
            }
            std::fs::copy(&source, &place).map(drop)
        };
        copy().map_err(|error| InstallError::io(format!("copying {}", source.display()), error))?;
    }
    std::fs::create_dir_all(to)
        .map_err(|error| InstallError::io(format!("making {}", to.display()), error))?;
    Ok(files.len())
}
